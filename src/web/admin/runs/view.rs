//! One boot or poll as a page tells it: the verdict, then every request with its answer and why.

use jiff::{SignedDuration, Timestamp};

use crate::domain::run::verdict::{Stage, Verdict};
use crate::domain::run::{Exchange, Method, Reason, RunKind};
use crate::services::runs::ListedRun;
use crate::web::admin::words;

/// A run in the list of runs.
pub struct RunLine {
    pub href: String,
    pub chosen: bool,
    /// More requests may still join it.
    pub open: bool,
    pub kind: &'static str,
    pub started_at: Timestamp,
    pub verdict: Verdict,
}

/// A run with all its requests.
pub struct RunDetail {
    pub verdict: Verdict,
    pub started_at: Timestamp,
    /// How long it took, in words.
    pub took: String,
    /// More requests may still join it.
    pub open: bool,
    pub address: String,
    pub user_agent: String,
    pub exchanges: Vec<ExchangeLine>,
    pub left_out: u32,
}

/// One request and its answer.
pub struct ExchangeLine {
    pub at: Timestamp,
    /// Time since the run began.
    pub after: String,
    pub method: Method,
    pub path: String,
    /// The same request came without credentials first and was challenged, as HTTP has it.
    pub challenged: bool,
    /// HTTP status; none where there was no answer.
    pub status: Option<u16>,
    pub tone: &'static str,
    pub size: String,
    pub reason: String,
}

/// The runs of one list, newest first, and the one that is shown whole: the one asked for, else the newest.
pub fn runs(all: &[ListedRun], wanted: Option<i64>, href: impl Fn(i64) -> String) -> (Vec<RunLine>, Option<RunDetail>) {
    let name = |listed: &ListedRun| listed.run.started_at.as_millisecond();
    let shown = all.iter().position(|listed| Some(name(listed)) == wanted).unwrap_or(0);
    let line = |(i, listed): (usize, &ListedRun)| RunLine {
        href: href(name(listed)),
        chosen: i == shown,
        open: listed.stage == Stage::GoesOn,
        kind: kind(listed.run.kind),
        started_at: listed.run.started_at,
        verdict: listed.verdict(),
    };
    (all.iter().enumerate().map(line).collect(), all.get(shown).map(detail))
}

fn kind(kind: RunKind) -> &'static str {
    match kind {
        RunKind::Boot => "Boot",
        RunKind::Poll => "Poll",
    }
}

fn detail(listed: &ListedRun) -> RunDetail {
    let run = &listed.run;
    RunDetail {
        verdict: listed.verdict(),
        started_at: run.started_at,
        took: seconds(run.ended_at.duration_since(run.started_at)),
        open: listed.stage == Stage::GoesOn,
        address: run.address.to_string(),
        user_agent: run.user_agent.clone(),
        exchanges: lines(&run.exchanges, run.started_at),
        left_out: run.left_out,
    }
}

/// One line a request. A challenge and the same request with credentials are one: phones ask for everything twice.
fn lines(exchanges: &[Exchange], started_at: Timestamp) -> Vec<ExchangeLine> {
    let is_challenge = |one: &Exchange| one.reason == Reason::CredentialsMissing;
    let repeats = |one: &Exchange, next: &Exchange| one.method == next.method && one.path == next.path && !is_challenge(next);
    let mut lines = Vec::with_capacity(exchanges.len());
    for (at, one) in exchanges.iter().enumerate() {
        if is_challenge(one) && exchanges.get(at + 1).is_some_and(|next| repeats(one, next)) {
            continue;
        }
        let challenged = at > 0 && is_challenge(&exchanges[at - 1]) && repeats(&exchanges[at - 1], one);
        lines.push(line(one, started_at, challenged));
    }
    lines
}

fn line(one: &Exchange, started_at: Timestamp, challenged: bool) -> ExchangeLine {
    ExchangeLine {
        challenged,
        at: one.at,
        after: format!("+{}", seconds(one.at.duration_since(started_at))),
        method: one.method,
        path: one.path.to_string(),
        status: (one.status != 0).then_some(one.status),
        tone: tone(one),
        size: if one.method == Method::Tls { String::new() } else { words::size(one.size_bytes) },
        reason: one.reason.to_string(),
    }
}

/// A 401 is how every phone begins, and a 404 for a file that nobody needs is no fault: neither is shown in red.
fn tone(one: &Exchange) -> &'static str {
    match (one.status, one.reason) {
        (_, Reason::SoftwareBrokenOff(_)) => "warn",
        (200..300, _) => "ok",
        (_, Reason::CredentialsMissing | Reason::Absent | Reason::NoImage | Reason::NotThisImage) => "off",
        (503, reason) if reason != Reason::Fault => "warn",
        _ => "bad",
    }
}

fn seconds(duration: SignedDuration) -> String {
    let tenths = duration.as_millis().max(0) / 100;
    if tenths < 1_000 { format!("{}.{} s", tenths / 10, tenths % 10) } else { format!("{} s", tenths / 10) }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;
    use crate::domain::run::{Run, Subject};

    fn exchange(ms: i64, status: u16, reason: Reason) -> Exchange {
        let at = Timestamp::from_millisecond(ms).expect("a time");
        Exchange { at, method: Method::Get, path: "/0004f2c05001.cfg".into(), status, size_bytes: 1_536, reason, in_clear: false }
    }

    fn listed(ms: i64, stage: Stage) -> ListedRun {
        let at = Timestamp::from_millisecond(ms).expect("a time");
        let run = Run {
            started_at: at,
            ended_at: Timestamp::from_millisecond(ms + 2_340).expect("a time"),
            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
            user_agent: String::new(),
            kind: RunKind::Boot,
            complete: false,
            shown: Vec::new(),
            exchanges: vec![exchange(ms, 401, Reason::CredentialsMissing), exchange(ms + 2_340, 200, Reason::Master)],
            left_out: 0,
        };
        ListedRun { subject: Subject::Address(run.address), run, stage }
    }

    #[test]
    fn the_newest_run_is_shown_unless_another_is_asked_for() {
        let all = [listed(5_000_000, Stage::GoesOn), listed(1_000_000, Stage::Ended)];
        let (lines, shown) = runs(&all, None, |name| format!("?run={name}"));
        assert_eq!(lines.iter().map(|line| (line.chosen, line.open)).collect::<Vec<_>>(), [(true, true), (false, false)]);
        assert!(shown.is_some_and(|shown| shown.open));
        let (lines, shown) = runs(&all, Some(1_000_000), |name| format!("?run={name}"));
        assert_eq!(lines.iter().map(|line| line.chosen).collect::<Vec<_>>(), [false, true]);
        assert_eq!(shown.map(|shown| shown.took), Some("2.3 s".to_owned()));
    }

    #[test]
    fn how_every_phone_begins_is_not_shown_as_a_fault() {
        let (_, shown) = runs(&[listed(0, Stage::Ended)], None, |_| String::new());
        let lines = shown.map(|shown| shown.exchanges).unwrap_or_default();
        assert_eq!(lines.iter().map(|one| (one.tone, one.challenged, one.status)).collect::<Vec<_>>(), [("ok", true, Some(200))]);
        assert_eq!(tone(&exchange(0, 401, Reason::CredentialsMissing)), "off");
        assert_eq!(tone(&exchange(0, 503, Reason::Blocked)), "warn");
        assert_eq!(tone(&exchange(0, 503, Reason::Fault)), "bad");
    }
}
