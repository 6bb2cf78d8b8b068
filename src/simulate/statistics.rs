//! What a fleet did, counted.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::Serialize;

use super::journey::Exchange;
use super::wire::Method;

/// How one phone ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It got its master and every listed file.
    Booted,
    /// It did not, and goes on with what it had. The text says why.
    Failed(String),
    /// Its desk is dead (rule 25).
    Dead,
}

/// The counts of a fleet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Statistics {
    /// Phones that booted.
    pub booted: u64,
    /// Phones that did not.
    pub failed: u64,
    /// Phones whose desk is dead.
    pub dead: u64,
    /// Restarts that the configuration asked for.
    pub restarts: u64,
    /// Requests that were sent.
    pub requests: u64,
    /// Answers by status.
    pub statuses: BTreeMap<u16, u64>,
    /// Connections that failed, by cause.
    pub troubles: BTreeMap<String, u64>,
    /// Why phones failed, with how many.
    pub failures: BTreeMap<String, u64>,
    /// Milliseconds that the whole fleet took.
    pub elapsed_ms: u64,
    /// How long a phone took for all its runs.
    pub phone_ms: Percentiles,
    /// How long the answer to a configuration file took.
    pub file_ms: Percentiles,
    #[serde(skip)]
    phones: Vec<Duration>,
    #[serde(skip)]
    files: Vec<Duration>,
}

/// Some durations in milliseconds: the middle, the slowest of a hundred, the slowest of all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Percentiles {
    /// Half were faster.
    pub p50: f64,
    /// Nine of ten were faster.
    pub p90: f64,
    /// All but one of a hundred were faster.
    pub p99: f64,
    /// The slowest.
    pub max: f64,
}

impl Eq for Percentiles {}

impl Percentiles {
    fn of(mut durations: Vec<Duration>) -> Self {
        durations.sort_unstable();
        let at = |share: usize| {
            let index = (durations.len() * share).div_ceil(100).saturating_sub(1);
            durations.get(index).map_or(0.0, |duration| duration.as_secs_f64() * 1000.0)
        };
        Self { p50: at(50), p90: at(90), p99: at(99), max: at(100) }
    }
}

impl Statistics {
    /// Counts the exchanges of one run.
    pub fn count(&mut self, exchanges: &[Exchange]) {
        for exchange in exchanges {
            self.requests += 1;
            match (exchange.status, &exchange.trouble) {
                (Some(status), _) => *self.statuses.entry(status).or_default() += 1,
                (None, trouble) => *self.troubles.entry(trouble.clone().unwrap_or_default()).or_default() += 1,
            }
            if exchange.method == Method::Get && exchange.status == Some(200) && exchange.path.ends_with(".cfg") {
                self.files.push(exchange.took);
            }
        }
    }

    /// Counts one phone that is done.
    pub fn end(&mut self, ending: Ending, took: Duration) {
        match ending {
            Ending::Booted => self.booted += 1,
            Ending::Dead => self.dead += 1,
            Ending::Failed(why) => {
                self.failed += 1;
                *self.failures.entry(why).or_default() += 1;
            }
        }
        self.phones.push(took);
    }

    /// Takes in what another part of the fleet counted.
    pub fn add(&mut self, other: Self) {
        fn merge<K: Ord>(all: &mut BTreeMap<K, u64>, more: BTreeMap<K, u64>) {
            for (key, count) in more {
                *all.entry(key).or_default() += count;
            }
        }
        self.booted += other.booted;
        self.failed += other.failed;
        self.dead += other.dead;
        self.restarts += other.restarts;
        self.requests += other.requests;
        merge(&mut self.statuses, other.statuses);
        merge(&mut self.troubles, other.troubles);
        merge(&mut self.failures, other.failures);
        self.phones.extend(other.phones);
        self.files.extend(other.files);
    }

    /// Ends the counting.
    #[must_use]
    pub fn finish(mut self, elapsed: Duration) -> Self {
        self.elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        self.phone_ms = Percentiles::of(std::mem::take(&mut self.phones));
        self.file_ms = Percentiles::of(std::mem::take(&mut self.files));
        self
    }

    /// Whether every phone booted.
    pub fn all_booted(&self) -> bool {
        self.failed == 0 && self.dead == 0 && self.booted > 0
    }
}

impl fmt::Display for Statistics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = Duration::from_millis(self.elapsed_ms).as_secs_f64();
        let phones = self.booted + self.failed + self.dead;
        #[expect(clippy::cast_precision_loss, reason = "counts of phones are small")]
        let rate = phones as f64 / seconds.max(0.001);
        writeln!(
            f,
            "{phones} phones in {seconds:.1} s ({rate:.0} a second): {} booted, {} failed, {} dead",
            self.booted, self.failed, self.dead
        )?;
        let statuses: Vec<_> = self.statuses.iter().map(|(status, count)| format!("{count} × {status}")).collect();
        writeln!(f, "{} requests: {}; {} restarts asked for", self.requests, statuses.join(", "), self.restarts)?;
        let Percentiles { p50, p90, p99, max } = self.phone_ms;
        writeln!(f, "a phone took {p50:.1} ms (half), {p90:.1} (90 %), {p99:.1} (99 %), {max:.1} (slowest)")?;
        let Percentiles { p50, p90, p99, max } = self.file_ms;
        writeln!(f, "a file took {p50:.1} ms (half), {p90:.1} (90 %), {p99:.1} (99 %), {max:.1} (slowest)")?;
        for (what, counts) in [("connection failed", &self.troubles), ("phone failed", &self.failures)] {
            for (why, count) in counts {
                writeln!(f, "{what}: {count} × {why}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_the_sorted_durations() {
        let durations = (1..=200).rev().map(Duration::from_millis).collect();
        assert_eq!(Percentiles::of(durations), Percentiles { p50: 100.0, p90: 180.0, p99: 198.0, max: 200.0 });
        assert_eq!(Percentiles::of(Vec::new()), Percentiles::default());
    }

    #[test]
    fn a_fleet_has_booted_only_when_every_phone_has() {
        let mut statistics = Statistics::default();
        assert!(!statistics.all_booted(), "no phone at all is no success");
        statistics.end(Ending::Booted, Duration::ZERO);
        assert!(statistics.all_booted());
        statistics.end(Ending::Failed("no master file".to_owned()), Duration::ZERO);
        assert!(!statistics.all_booted());
        assert!(statistics.finish(Duration::ZERO).to_string().contains("1 × no master file"));
    }
}
