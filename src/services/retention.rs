//! What is kept for a time only: uploaded logs, the activity log, what was deleted, sessions. Run once an hour.

use jiff::{SignedDuration, Timestamp};

use super::commit::commit;
use super::error::ServiceError;
use super::{Services, activity_week, recycle_bin, sessions};
use crate::domain::access::Grant;
use crate::domain::activity::SERVER;
use crate::domain::ids::{AccountId, DEFAULT_ACCOUNT};
use crate::domain::limits::{ACTIVITY_WEEKS, LOG_BYTES_IN_ALL, LOG_DAYS};
use crate::store;
use crate::store::tx::Walk;

/// Entries of the activity log that one transaction removes: more would hold up the changes of people.
const ENTRIES_AT_ONCE: usize = 2_000;

/// How long things are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    /// Days of uploaded logs (R44).
    pub log_days: u32,
    /// Bytes of uploaded logs of all devices together.
    pub log_bytes: u64,
    /// Whole weeks of the activity log beside the present one (R349).
    pub activity_weeks: u32,
}

impl Default for Keep {
    fn default() -> Self {
        Self { log_days: LOG_DAYS, log_bytes: LOG_BYTES_IN_ALL, activity_weeks: ACTIVITY_WEEKS }
    }
}

/// How much was removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Removed {
    /// Uploaded logs (R44).
    pub logs: u64,
    /// Entries of the activity log (R349).
    pub activity: usize,
    /// Deletions whose time in the recycle bin was over, or that had to make room.
    pub deletions: usize,
    /// Sessions that had ended.
    pub sessions: usize,
}

/// Removes everything that is past its time.
///
/// # Errors
/// Of the store and the file system; what was removed before stays removed.
pub fn run(services: &Services, keep: Keep) -> Result<Removed, ServiceError> {
    let now = services.clock.now();
    let folder = services.state_dir.logs();
    let days =
        |account: AccountId| services.worlds.get(account).and_then(|world| world.account.log_days).unwrap_or(keep.log_days);
    let logs = services.blobs.logs().sweep(|account| days_before(now, days(account)));
    let logs = logs.map_err(ServiceError::file("clear", folder))?;
    let mut activity = 0;
    for log in services.worlds.accounts().into_iter().chain([SERVER]) {
        // What belongs to no account is kept as long as what belongs to the first one.
        let zone = activity_week::zone_of(services, if log == SERVER { DEFAULT_ACCOUNT } else { log })?;
        activity += expire_activity(services, log, activity_week::kept_since(now, &zone, keep.activity_weeks))?;
    }
    let mut deletions = 0;
    for account in services.worlds.accounts() {
        deletions += recycle_bin::expire(services, account)?;
        services.trusts(account).expire(now);
    }
    Ok(Removed { logs, activity, deletions, sessions: sessions::sweep(services)? })
}

/// Days that device logs of an account are kept (R44).
///
/// # Errors
/// The account is not set up.
pub fn log_days(services: &Services, account: AccountId) -> Result<u32, ServiceError> {
    Ok(services.world(account)?.account.log_days.unwrap_or(services.keep.read().log_days))
}

/// Says how long and how much is kept, as the settings of the server have it.
pub fn keep(services: &Services, keep: Keep) {
    services.blobs.logs().limit(keep.log_bytes);
    *services.keep.write() = keep;
}

fn expire_activity(services: &Services, log: AccountId, before: Timestamp) -> Result<usize, ServiceError> {
    let mut removed = 0;
    loop {
        let old = services.store.read(|tx| {
            let mut old = Vec::new();
            store::activity::oldest_first(tx, log, |number, entry| {
                if entry.at >= before || old.len() == ENTRIES_AT_ONCE {
                    return Walk::Stop;
                }
                old.push(number);
                Walk::On
            })?;
            Ok::<_, ServiceError>(old)
        })?;
        if old.is_empty() {
            return Ok(removed);
        }
        removed += old.len();
        commit(services, Grant::system("retention"), log, |change| {
            for number in old {
                store::activity::delete(change.tx(), log, number)?;
            }
            Ok(())
        })?;
    }
}

fn days_before(now: Timestamp, days: u32) -> Timestamp {
    now.saturating_sub(SignedDuration::from_hours(i64::from(days) * 24)).expect("a duration without years and months")
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan;

    use super::*;
    use crate::domain::activity::Event;
    use crate::domain::ids::DEFAULT_ACCOUNT;
    use crate::services::activity::{ActivityQuery, list};
    use crate::services::testing::bench;

    /// OPS-05: exactly four weeks beside the present one, from Monday to Sunday where the account is.
    #[test]
    fn the_activity_log_is_kept_for_whole_weeks_and_no_longer() {
        let bench = bench();
        let services = &bench.services;
        let zone = activity_week::zone_of(services, DEFAULT_ACCOUNT).expect("set up");
        let subjects = || {
            let page = list(services, DEFAULT_ACCOUNT, &ActivityQuery { limit: 10, ..Default::default() }).expect("listed");
            page.items.into_iter().map(|entry| entry.event.subject).collect::<Vec<_>>()
        };
        let record = |log, subject: &str| {
            commit(services, Grant::system("test"), log, |change| change.record(Event::new("device", subject, "added")))
                .expect("recorded");
        };
        let day = bench.clock.now().to_zoned(zone.clone()).date();
        let monday_after = |weeks: i64| {
            let days = 7 * weeks - i64::from(day.weekday().to_monday_zero_offset());
            day.checked_add(days.days()).expect("a day").to_zoned(zone.clone()).expect("it begins").timestamp()
        };
        let just_before = |at: Timestamp| at - SignedDuration::from_micros(1);
        bench.clock.advance_to(just_before(monday_after(1)));
        record(DEFAULT_ACCOUNT, "sunday");
        record(SERVER, "sunday");
        bench.clock.advance_to(monday_after(1));
        record(DEFAULT_ACCOUNT, "monday");
        bench.clock.advance_to(just_before(monday_after(5)));
        assert_eq!(run(services, Keep::default()).expect("run").activity, 0, "the fourth week after it has not ended");
        bench.clock.advance_to(monday_after(5));
        assert_eq!(run(services, Keep { activity_weeks: 5, ..Keep::default() }).expect("run").activity, 0, "where more are kept");
        assert!(run(services, Keep::default()).expect("run").activity >= 2);
        assert_eq!(subjects(), ["monday"]);
    }
}
