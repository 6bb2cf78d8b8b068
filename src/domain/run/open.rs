//! A run that goes on: what it takes in, whether it is complete, and what it leaves out where there is too much.
//!
//! Which run a request joins is for [`super::assembly`] to say.

use jiff::{SignedDuration, Timestamp};

use super::assembly::Finished;
use super::assembly::{Asked, ConnectionId, Heard, Speaker, Standing};
use super::{Exchange, Method, Reason, Run, RunKind, Shown, Subject};
use crate::domain::limits::RUN_SILENCE_SECONDS;

/// A run that more requests may join.
#[derive(Debug)]
pub(super) struct OpenRun {
    /// The run as it stands.
    pub(super) run: Run,
    /// Connection that it was last heard over.
    pub(super) connection: ConnectionId,
    taken: Taken,
    own: OwnTaken,
    lesson: Lesson,
    /// An Application was heard that was let in.
    has_application: bool,
    /// Places in `run.exchanges` of requests that anybody behind the address may have sent, in order: the first to go.
    unproven: Vec<usize>,
}

/// What the phone has taken so far.
#[derive(Clone, Copy, Debug, Default)]
struct Taken {
    master: bool,
    parameters: bool,
    /// A file that the last master lists could not be had: some phones then keep all of their former values (phone-rules 5).
    lacks_file: bool,
}

/// What it has taken with its own credentials.
#[derive(Clone, Copy, Debug, Default)]
struct OwnTaken {
    /// The last master, and nothing since with others.
    since_master: bool,
    /// The parameters after such a master.
    parameters: bool,
}

/// What a run teaches of its device, beside what is kept of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lesson {
    /// It is complete, and was so with the device's own credentials alone: from the last master on that was served. What it showed
    /// before it took them up says nothing.
    pub is_own: bool,
    /// Its Updater came with them.
    pub is_own_boot: bool,
    /// Something was let in only because the device is expected back.
    pub is_back: bool,
}

/// Whose word a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Voice {
    /// That of the run's own phone.
    Own,
    /// Nobody knows: it came from the run's address without the right credentials and over another connection.
    Unproven,
}

impl OpenRun {
    /// A run that begins with this request, which is still to join it.
    pub(super) fn begin(heard: &Heard) -> Self {
        let run = Run {
            started_at: heard.exchange.at,
            ended_at: heard.exchange.at,
            address: heard.address,
            user_agent: String::new(),
            kind: RunKind::Poll,
            complete: false,
            shown: Vec::new(),
            exchanges: Vec::with_capacity(16),
            left_out: 0,
        };
        Self {
            run,
            connection: heard.connection,
            taken: Taken::default(),
            own: OwnTaken::default(),
            lesson: Lesson::default(),
            has_application: false,
            unproven: Vec::new(),
        }
    }

    /// The run of a device that is let in with this request, after it was refused as long as `before` went on. What was asked in
    /// the last [`RUN_SILENCE_SECONDS`] is its beginning; older requests may be anybody's and stay a refused run. So do all up to the
    /// last one that showed credentials which open something else: that was somebody else, or the same phone before it was let in.
    pub(super) fn let_in(before: Self, heard: &Heard) -> (Self, Option<Run>) {
        let mut refused = before.run;
        let is_others = |one: &Exchange| silence(one.at, heard.exchange.at) || !one.reason.is_unproven();
        let kept = refused.exchanges.iter().rposition(is_others).map_or(0, |last| last + 1);
        let mut own = Self::begin(heard);
        own.take_over(refused.exchanges.split_off(kept));
        refused.ended_at = refused.exchanges.last().map_or(refused.ended_at, |last| last.at);
        (own, (!refused.exchanges.is_empty()).then_some(refused))
    }

    /// Whether a request that was let in says that the phone has started anew since this run began. An answer that nobody heard
    /// says nothing: a connection that was cut is noticed late.
    pub(super) fn is_restart(&self, heard: &Heard) -> bool {
        heard.speaker == Speaker::Updater && self.has_application && heard.exchange.status != 0
    }

    /// This run, which is over, and the next, which begins with this request and the challenges just before it: they are still
    /// to join it.
    pub(super) fn restarted(mut self, heard: &Heard) -> (Self, Self) {
        let mut next = Self::begin(heard);
        let last = self.run.exchanges.iter().rposition(|one| !one.reason.is_unproven());
        // Where requests were left out in between, older ones are no part of the beginning.
        let is_before = |one: &Exchange| heard.exchange.at.duration_since(one.at).as_secs() >= RUN_SILENCE_SECONDS;
        if let Some(last) = last.filter(|last| last + 1 < self.run.exchanges.len()) {
            let first = last + 1 + self.run.exchanges[last + 1..].partition_point(is_before);
            let before = self.run.exchanges.split_off(first);
            if !before.is_empty() {
                next.take_over(before);
            }
            self.unproven.retain(|place| *place < first);
            self.run.ended_at = self.run.ended_at.min(self.run.exchanges[last].at);
        }
        (self, next)
    }

    /// Makes what was asked before the first request that was let in the beginning of this run.
    fn take_over(&mut self, before: Vec<Exchange>) {
        self.run.started_at = before.first().map_or(self.run.started_at, |first| first.at);
        let unproven = |(place, one): (usize, &Exchange)| one.reason.is_unproven().then_some(place);
        self.unproven = before.iter().enumerate().filter_map(unproven).collect();
        self.run.exchanges = before;
    }

    /// The run of this subject when it is over.
    pub(super) fn finish(self, subject: Subject) -> Finished {
        let is_own = self.run.complete && self.own.since_master && self.own.parameters;
        Finished { subject, run: self.run, lesson: Lesson { is_own, ..self.lesson } }
    }

    /// Takes one request in; at most `cap` are kept.
    pub(super) fn join(&mut self, heard: Heard, voice: Voice, cap: usize) {
        if voice == Voice::Own {
            self.hear(&heard);
        }
        let exchanges = &mut self.run.exchanges;
        if exchanges.len() >= cap {
            self.run.left_out = self.run.left_out.saturating_add(1);
            let goes = if voice == Voice::Own { self.unproven.pop() } else { None };
            match goes {
                Some(place) => drop(exchanges.remove(place)),
                None => return,
            }
        }
        if voice == Voice::Unproven {
            self.unproven.push(exchanges.len());
        }
        exchanges.push(heard.exchange);
    }

    /// What the run's own phone tells of itself with a request.
    fn hear(&mut self, heard: &Heard) {
        let starts = heard.speaker == Speaker::Updater || heard.asked == Asked::BootLog;
        self.taken.hear(heard);
        self.own.hear(heard);
        self.lesson.is_own_boot |= starts && heard.shown == Some(Shown::Own);
        self.lesson.is_back |= heard.is_back;
        self.has_application |= heard.speaker == Speaker::Application && heard.standing == Standing::LetIn;
        let run = &mut self.run;
        run.complete = self.taken.is_everything();
        if starts {
            run.kind = RunKind::Boot;
        }
        if let Some(shown) = heard.shown.filter(|shown| !run.shown.contains(shown)) {
            run.shown.push(shown);
        }
        run.ended_at = run.ended_at.max(heard.exchange.at);
        run.address = heard.address;
        if !heard.user_agent.is_empty() && *run.user_agent != *heard.user_agent {
            run.user_agent = heard.user_agent.to_string();
        }
    }

    /// Whether the run has been silent for too long to be joined.
    pub(super) fn is_over(&self, now: Timestamp) -> bool {
        silence(self.run.ended_at, now)
    }
}

fn silence(since: Timestamp, now: Timestamp) -> bool {
    now.duration_since(since) >= SignedDuration::from_secs(RUN_SILENCE_SECONDS)
}

impl OwnTaken {
    fn hear(&mut self, heard: &Heard) {
        let Some(shown) = heard.shown.filter(|_| heard.standing == Standing::LetIn) else { return };
        let served = heard.exchange.status == 200;
        match heard.asked {
            _ if shown != Shown::Own => *self = Self::default(),
            Asked::Master if served && heard.exchange.method == Method::Get => self.since_master = true,
            Asked::Parameters if served => self.parameters |= self.since_master,
            _ => {}
        }
    }
}

impl Taken {
    fn hear(&mut self, heard: &Heard) {
        let served = heard.standing == Standing::LetIn && heard.exchange.status == 200;
        match heard.asked {
            // A fault that was mended within the run does not count, but then the files must come once more.
            Asked::Master if served && heard.exchange.method == Method::Get => {
                *self = Self { master: true, parameters: self.parameters && !self.lacks_file, lacks_file: false };
            }
            Asked::Parameters if served => self.parameters |= self.master,
            _ => {}
        }
        self.lacks_file |= heard.exchange.reason == Reason::ListedMissing;
    }

    fn is_everything(self) -> bool {
        self.master && self.parameters && !self.lacks_file
    }
}
