//! Figures of the running server for monitoring (`/metrics`): what is counted, and how it is written (Prometheus' text format).
//!
//! Counters begin at zero with the process. What names somebody (a device, an address, a path) is never a label: labels are words
//! of closed sets, so that neither a fleet nor a stranger makes the answer long.

use std::collections::BTreeMap;
use std::fmt::{Display, Write as _};
use std::time::Duration;

use jiff::Timestamp;
use parking_lot::Mutex;

use super::backup::kept;
use super::error::ServiceError;
use super::{Services, pending, presence};
use crate::domain::activity::SERVER;
use crate::domain::device_list::Status;
use crate::domain::pending::{Standing, word};
use crate::domain::run::assembly::{Asked, Heard};
use crate::domain::run::verdict::{Outcome, Stage, verdict};
use crate::domain::run::{HandshakeFault, Method, Reason, Run};

/// Upper ends of the buckets of commit times, in seconds: from a fast disk to one that phones would notice.
const COMMIT_BUCKETS: [f64; 8] = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5];

/// Everything that is counted since the process began.
#[derive(Debug, Default)]
pub struct Metrics(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    /// By kind of file and status; 0 where nobody heard the answer.
    requests: BTreeMap<(&'static str, u16), u64>,
    handshakes_failed: BTreeMap<&'static str, u64>,
    runs: BTreeMap<&'static str, u64>,
    unrecorded: u64,
    crowded_out: u64,
    commits: Commits,
}

#[derive(Debug, Default)]
struct Commits {
    within: [u64; COMMIT_BUCKETS.len()],
    count: u64,
    failed: u64,
    seconds: f64,
}

impl Metrics {
    /// Counts a request of a phone, or a handshake that failed.
    pub(super) fn heard(&self, heard: &Heard) {
        let exchange = &heard.exchange;
        let mut counts = self.0.lock();
        let count = match &exchange.reason {
            Reason::Handshake(fault) => counts.handshakes_failed.entry(cause(*fault)).or_default(),
            _ => counts.requests.entry((kind(heard.asked, exchange.method), exchange.status)).or_default(),
        };
        *count += 1;
        counts.crowded_out += u64::from(exchange.reason == Reason::TooManyNew);
    }

    /// Counts a run of a device that ended.
    pub(super) fn run_ended(&self, run: &Run) {
        let word = match verdict(run, Stage::Ended).outcome {
            Outcome::Complete => "complete",
            Outcome::Held => "held",
            Outcome::Failed => "failed",
            Outcome::UnderWay | Outcome::Neutral => "neutral",
        };
        *self.0.lock().runs.entry(word).or_default() += 1;
    }

    /// Counts requests that were answered and could not be recorded.
    pub(super) fn unrecorded(&self, requests: u64) {
        self.0.lock().unrecorded += requests;
    }

    /// Counts a change of the state and how long it took to be on the disk.
    pub(super) fn committed(&self, took: Duration, kept: bool) {
        let seconds = took.as_secs_f64();
        let commits = &mut self.0.lock().commits;
        commits.count += 1;
        commits.failed += u64::from(!kept);
        commits.seconds += seconds;
        for (count, end) in commits.within.iter_mut().zip(COMMIT_BUCKETS) {
            *count += u64::from(seconds <= end);
        }
    }
}

/// What only the layer above knows.
#[derive(Clone, Copy, Debug)]
pub struct Outside {
    /// Connections that are open.
    pub connections: u64,
    /// End of the validity of the certificate in use.
    pub certificate_until: Timestamp,
    /// End of the validity of our own CA, where it signed that certificate.
    pub authority_until: Option<Timestamp>,
}

/// All figures as text.
///
/// # Errors
/// The disk of the state directory cannot be looked at.
pub fn text(services: &Services, outside: Outside) -> Result<String, ServiceError> {
    presence::settle(services);
    let now = services.clock.now();
    let mut page = Page::default();
    page.gauge("pdms_info", "Version of this program.", [(&[("version", env!("CARGO_PKG_VERSION"))][..], 1)]);
    devices(services, now, &mut page);
    held(services, &mut page);
    counted(&services.metrics.0.lock(), &mut page);
    page.gauge("pdms_connections", "Open connections, phones and people.", [(&[][..], outside.connections)]);
    certificates(services, outside, now, &mut page);
    let free = services.blobs.free_bytes().map_err(ServiceError::file("read", services.state_dir.blobs()))?;
    page.gauge("pdms_disk_free_bytes", "Free on the disk of the state directory.", [(&[][..], free)]);
    let database = std::fs::metadata(services.store.file()).map_or(0, |meta| meta.len());
    page.gauge("pdms_database_bytes", "Size of the database.", [(&[][..], database)]);
    if let Ok(Some(at)) = kept::last_made(services) {
        let age = now.duration_since(at).as_secs();
        page.gauge("pdms_backup_age_seconds", "Since the newest backup that the server keeps.", [(&[][..], age)]);
    }
    if let Some(bytes) = resident_bytes() {
        page.gauge("process_resident_memory_bytes", "Memory of this process.", [(&[][..], bytes)]);
    }
    Ok(page.0)
}

fn devices(services: &Services, now: Timestamp, page: &mut Page) {
    let mut by_status = BTreeMap::from([("online", 0_u64), ("offline", 0), ("never_seen", 0)]);
    for account in services.worlds.accounts().into_iter().filter(|account| *account != SERVER) {
        for listed in services.roster(account).all() {
            let word = match Status::of(listed.sighting.last_seen, now) {
                Status::Online => "online",
                Status::Offline => "offline",
                Status::NeverSeen => "never_seen",
            };
            *by_status.entry(word).or_default() += 1;
        }
    }
    let samples: Vec<_> = by_status.iter().map(|(word, count)| ([("status", *word)], *count)).collect();
    page.gauge("pdms_devices", "Devices by status.", samples.iter().map(|(labels, count)| (&labels[..], *count)));
}

/// Who knocked and was not let in, by how things stand and why: what the page *Pending* lists.
fn held(services: &Services, page: &mut Page) {
    // Those that somebody watches for stand there always, so that an alert on them has a value to begin with.
    let watched = [(Standing::Waiting, Reason::Bound), (Standing::Waiting, Reason::TooManyNew)];
    let mut counts: BTreeMap<(&str, &str), u64> =
        watched.into_iter().map(|(standing, reason)| ((standing.word(), word(reason)), 0)).collect();
    for account in services.worlds.accounts().into_iter().filter(|account| *account != SERVER) {
        for one in pending::list(services, account) {
            *counts.entry((one.standing.word(), word(one.knock.reason))).or_default() += 1;
        }
    }
    let samples: Vec<_> =
        counts.iter().map(|((standing, reason), count)| ([("standing", *standing), ("reason", *reason)], *count)).collect();
    let help = "Phones that named themselves and were not let in, by how things stand and why.";
    page.gauge("pdms_pending_phones", help, samples.iter().map(|(labels, count)| (&labels[..], *count)));
}

/// Of several manufacturers' CAs the one that ends first.
fn certificates(services: &Services, outside: Outside, now: Timestamp, page: &mut Page) {
    let worlds = services.worlds.accounts().into_iter().filter_map(|account| services.worlds.get(account));
    let manufacturers = worlds.flat_map(|world| world.account.admission.manufacturers.clone());
    let ends = [
        ("server", Some(outside.certificate_until)),
        ("authority", outside.authority_until),
        ("manufacturer", manufacturers.map(|one| one.valid_until).min()),
    ];
    let days = |end: Timestamp| end.duration_since(now).as_secs_f64() / 86_400.0;
    let samples: Vec<_> = ends.iter().filter_map(|(of, end)| Some(([("certificate", *of)], days((*end)?)))).collect();
    let help = "Days until a certificate ends; negative once it has.";
    page.gauge("pdms_certificate_left_days", help, samples.iter().map(|(labels, left)| (&labels[..], *left)));
}

fn counted(counts: &Counts, page: &mut Page) {
    let samples = |of: &BTreeMap<&'static str, u64>, label| -> Vec<_> {
        of.iter().map(|(word, count)| ([(label, *word)], *count)).collect()
    };
    let requests: Vec<_> = counts.requests.iter().map(|((kind, status), count)| (*kind, status.to_string(), *count)).collect();
    let requests: Vec<_> =
        requests.iter().map(|(kind, status, count)| ([("file", *kind), ("status", status.as_str())], *count)).collect();
    let help = "Requests of phones by kind of file and status; 0 where nobody heard the answer.";
    page.counter("pdms_phone_requests_total", help, requests.iter().map(|(labels, count)| (&labels[..], *count)));
    let failed = samples(&counts.handshakes_failed, "cause");
    let help = "TLS handshakes that failed, by cause.";
    page.counter("pdms_handshakes_failed_total", help, failed.iter().map(|(labels, count)| (&labels[..], *count)));
    let runs = samples(&counts.runs, "result");
    page.counter(
        "pdms_runs_total",
        "Ended runs of devices, by result.",
        runs.iter().map(|(labels, count)| (&labels[..], *count)),
    );
    let help = "Requests that were answered and came too fast to be recorded.";
    page.counter("pdms_phone_requests_unrecorded_total", help, [(&[][..], counts.unrecorded)]);
    let help = "Requests of new phones that were held because too many came.";
    page.counter("pdms_new_phones_held_total", help, [(&[][..], counts.crowded_out)]);
    let Commits { within, count, failed, seconds } = &counts.commits;
    page.head("pdms_commit_seconds", "Time until a change is on the disk.", "histogram");
    for (count, end) in within.iter().zip(COMMIT_BUCKETS) {
        page.sample("pdms_commit_seconds_bucket", &[("le", &end.to_string())], count);
    }
    page.sample("pdms_commit_seconds_bucket", &[("le", "+Inf")], count);
    page.sample("pdms_commit_seconds_sum", &[], seconds);
    page.sample("pdms_commit_seconds_count", &[], count);
    page.counter("pdms_commits_failed_total", "Changes that could not be kept.", [(&[][..], *failed)]);
}

fn kind(asked: Asked, method: Method) -> &'static str {
    match (asked, method) {
        (Asked::Master, _) => "master",
        (Asked::Parameters, _) => "parameters",
        (Asked::BootLog, _) => "boot_log",
        (Asked::Other, Method::Put | Method::Post) => "upload",
        (Asked::Other, Method::Get | Method::Head) => "file",
        (Asked::Other, Method::Other | Method::Tls) => "other",
    }
}

fn cause(fault: HandshakeFault) -> &'static str {
    match fault {
        HandshakeFault::UnknownCa => "unknown_ca",
        HandshakeFault::CertificateRefused => "certificate_refused",
        HandshakeFault::CertificateBad => "certificate_bad",
        HandshakeFault::CertificateTime => "certificate_time",
        HandshakeFault::CertificateRevoked => "certificate_revoked",
        HandshakeFault::CertificateUnsupported => "certificate_unsupported",
        HandshakeFault::NoCommonSuite => "no_common_suite",
        HandshakeFault::NoCommonVersion => "no_common_version",
        HandshakeFault::NotTls => "not_tls",
        HandshakeFault::HungUp => "hung_up",
        HandshakeFault::TimedOut => "timed_out",
        HandshakeFault::Other => "other",
    }
}

/// Memory of this process, as Linux tells it.
fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let kibibytes: u64 = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?.split_whitespace().next()?.parse().ok()?;
    Some(kibibytes.saturating_mul(1024))
}

type Labels<'a> = &'a [(&'a str, &'a str)];

/// The text while it is written. Values of labels are words of ours and need no escaping.
#[derive(Default)]
struct Page(String);

impl Page {
    fn counter<'a, V: Display>(&mut self, name: &str, help: &str, samples: impl IntoIterator<Item = (Labels<'a>, V)>) {
        self.family(name, help, "counter", samples);
    }

    fn gauge<'a, V: Display>(&mut self, name: &str, help: &str, samples: impl IntoIterator<Item = (Labels<'a>, V)>) {
        self.family(name, help, "gauge", samples);
    }

    fn family<'a, V: Display>(&mut self, name: &str, help: &str, kind: &str, samples: impl IntoIterator<Item = (Labels<'a>, V)>) {
        self.head(name, help, kind);
        samples.into_iter().for_each(|(labels, value)| self.sample(name, labels, value));
    }

    fn head(&mut self, name: &str, help: &str, kind: &str) {
        // Writing into a text never fails.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn sample(&mut self, name: &str, labels: Labels<'_>, value: impl Display) {
        let labels: Vec<_> = labels.iter().map(|(label, word)| format!("{label}=\"{word}\"")).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let _ = writeln!(self.0, "{name}{labels} {value}");
    }
}
