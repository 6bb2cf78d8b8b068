//! The activity log: who did what (R16, R349). Entries are written by [`super::commit`] alone.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use super::Services;
use super::error::ServiceError;
use crate::domain::activity::{Activity, Event, SERVER};
use crate::domain::ids::AccountId;
use crate::store;
use crate::store::tx::Walk;

/// What a page of the log should show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ActivityQuery {
    /// Words that must all occur in actor, object, subject, action or a changed field's name or value. Letter case is ignored.
    pub q: String,
    /// Only entries about this kind of object.
    pub object: Option<String>,
    /// Only entries of whoever has this in the name. Letter case is ignored.
    pub actor: Option<String>,
    /// Only entries about an object with this in its name, such as a device's name or key. Letter case is ignored.
    pub subject: Option<String>,
    /// Only entries at or after this time.
    pub since: Option<Timestamp>,
    /// Only entries before this time.
    pub until: Option<Timestamp>,
    /// The oldest entry first in place of the newest.
    pub oldest_first: bool,
    /// How many matching entries to leave out at the beginning.
    pub offset: usize,
    /// How many to show.
    pub limit: usize,
}

/// A page of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActivityPage {
    /// Entries, newest first unless asked otherwise.
    pub items: Vec<Activity>,
    /// How many entries match.
    pub total: usize,
}

/// The first moment of a day in a time zone, or of one some days later; none where the text is no day.
pub fn start_of(day: &str, days_later: i32, zone: &TimeZone) -> Option<Timestamp> {
    let day: Date = day.trim().parse().ok()?;
    let day = day.checked_add(days_later.days()).ok()?;
    day.to_zoned(zone.clone()).ok().map(|start| start.timestamp())
}

/// A page of what was done to an account and to the server.
///
/// Only the entries of the page are read, and a few to find the times; all of those times where words or a kind of object are
/// asked for.
pub fn list(services: &Services, account: AccountId, query: &ActivityQuery) -> Result<ActivityPage, ServiceError> {
    services.store.read(|tx| {
        let mut log = Log::open(tx, account)?;
        log.narrow(query.since, query.until)?;
        if query.oldest_first {
            log.places.reverse();
        }
        if query.takes_everything() {
            let page = log.places.iter().skip(query.offset).take(query.limit);
            let items = page.map(|place| log.read(*place)).collect::<Result<_, _>>()?;
            return Ok(ActivityPage { items, total: log.places.len() });
        }
        log.search(query)
    })
}

/// The newest entries of an account and of the server. However long the log is, no more than these are walked past.
///
/// # Errors
/// The log could not be read.
pub fn newest(services: &Services, account: AccountId, limit: usize) -> Result<Vec<Activity>, ServiceError> {
    let mut found = Vec::new();
    services.store.read(|tx| {
        for log in BTreeSet::from([account, SERVER]) {
            let mut left = limit;
            store::activity::newest_first(tx, log, |number, entry| {
                found.push((number, entry));
                left = left.saturating_sub(1);
                if left > 0 { Walk::On } else { Walk::Stop }
            })?;
        }
        Ok::<_, ServiceError>(())
    })?;
    found.sort_unstable_by_key(|(number, _)| Reverse(*number));
    Ok(found.into_iter().take(limit).map(|(_, entry)| entry).collect())
}

/// Where the entries of an account and of the server are, newest first.
struct Log<'a> {
    tx: &'a store::ReadTx,
    places: Vec<(u64, AccountId)>,
}

impl<'a> Log<'a> {
    fn open(tx: &'a store::ReadTx, account: AccountId) -> Result<Self, ServiceError> {
        let mut places = Vec::new();
        for log in BTreeSet::from([account, SERVER]) {
            places.extend(store::activity::numbers(tx, log)?.into_iter().map(|number| (number, log)));
        }
        // Numbers are given out in the order of commits, whichever log they are in.
        places.sort_unstable_by_key(|(number, _)| Reverse(*number));
        Ok(Self { tx, places })
    }

    fn read(&self, (number, log): (u64, AccountId)) -> Result<Activity, ServiceError> {
        store::activity::get(self.tx, log, number)?.ok_or_else(|| ServiceError::not_found("entry of the activity log", number))
    }

    /// Leaves the entries from `since` up to, and without, `until`.
    fn narrow(&mut self, since: Option<Timestamp>, until: Option<Timestamp>) -> Result<(), ServiceError> {
        if let Some(since) = since {
            self.places.truncate(self.count_since(since)?);
        }
        if let Some(until) = until {
            self.places.drain(..self.count_since(until)?);
        }
        Ok(())
    }

    /// How many entries are at or after a time. Entries are in the order of their times, so a few of them tell.
    fn count_since(&self, at: Timestamp) -> Result<usize, ServiceError> {
        let (mut low, mut high) = (0, self.places.len());
        while low < high {
            let middle = low.midpoint(high);
            if self.read(self.places[middle])?.at >= at {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(low)
    }

    /// The page of those entries that a query admits. Only that page is held in memory.
    fn search(&self, query: &ActivityQuery) -> Result<ActivityPage, ServiceError> {
        let words = query.words();
        let mut found = ActivityPage { items: Vec::new(), total: 0 };
        for place in &self.places {
            let entry = self.read(*place)?;
            if query.admits(&entry, &words) {
                if found.total >= query.offset && found.items.len() < query.limit {
                    found.items.push(entry);
                }
                found.total += 1;
            }
        }
        Ok(found)
    }
}

/// The last entries that `is_about` picks, newest first: what the person hears whose form was overtaken by them (R14).
///
/// # Errors
/// The log could not be read.
pub fn last(
    services: &Services,
    log: AccountId,
    limit: usize,
    mut is_about: impl FnMut(&Event) -> bool,
) -> Result<Vec<Activity>, ServiceError> {
    let mut found = Vec::new();
    services.store.read(|tx| {
        store::activity::newest_first(tx, log, |_, entry| {
            if is_about(&entry.event) {
                found.push(entry);
            }
            if found.len() < limit { Walk::On } else { Walk::Stop }
        })
    })?;
    Ok(found)
}

impl ActivityQuery {
    fn words(&self) -> Vec<String> {
        self.q.split_whitespace().map(str::to_lowercase).collect()
    }

    fn takes_everything(&self) -> bool {
        [&self.object, &self.actor, &self.subject].iter().all(|filter| filter.is_none()) && self.words().is_empty()
    }

    fn admits(&self, entry: &Activity, words: &[String]) -> bool {
        let has = |part: &Option<String>, text: &str| {
            part.as_ref().is_none_or(|part| text.to_lowercase().contains(&part.trim().to_lowercase()))
        };
        self.object.as_ref().is_none_or(|object| *object == entry.event.object)
            && has(&self.actor, &entry.actor)
            && has(&self.subject, &entry.event.subject)
            && words.iter().all(|word| mentions(entry, word))
    }
}

fn mentions(entry: &Activity, word: &str) -> bool {
    let has = |text: &str| text.to_lowercase().contains(word);
    let event = &entry.event;
    [&entry.actor, &event.object, &event.subject, &event.action].into_iter().any(|text| has(text))
        || event.changes.iter().any(|c| has(&c.field) || c.old.as_deref().is_some_and(has) || c.new.as_deref().is_some_and(has))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::access::Grant;
    use crate::domain::activity::Event;
    use crate::domain::ids::DEFAULT_ACCOUNT;
    use crate::services::commit::commit;
    use crate::services::testing::{Bench, bench};
    use crate::store::tables::ACTIVITY;
    use jiff::SignedDuration;

    /// A log of ten entries, a minute apart, of which only the newest three can be read.
    fn log() -> Bench {
        let bench = bench();
        for number in 0..10 {
            bench.clock.advance_to(bench.clock.now() + SignedDuration::from_mins(1));
            commit(&bench.services, Grant::system("test"), DEFAULT_ACCOUNT, |change| {
                change.record(Event::new("device", format!("{number}"), "changed"))
            })
            .expect("recorded");
        }
        let numbers = bench.services.store.read(|tx| store::activity::numbers(tx, DEFAULT_ACCOUNT)).expect("numbers");
        let unreadable = ACTIVITY.with_values::<String>();
        let spoil = |tx: &store::WriteTx| {
            numbers[3..].iter().try_for_each(|number| tx.put(&unreadable, &(DEFAULT_ACCOUNT, *number), &"no entry".to_owned()))
        };
        bench.services.store.write(spoil).expect("written");
        bench
    }

    #[test]
    fn a_page_reads_its_own_entries_and_no_others() {
        let bench = log();
        let page =
            |offset, limit| list(&bench.services, DEFAULT_ACCOUNT, &ActivityQuery { offset, limit, ..ActivityQuery::default() });
        let shown = page(1, 2).expect("the unreadable entries are on other pages");
        assert_eq!(shown.total, 10);
        assert_eq!(shown.items.iter().map(|entry| entry.event.subject.as_str()).collect::<Vec<_>>(), ["8", "7"]);
        assert!(page(2, 2).is_err(), "the search must be able to meet an unreadable entry");
    }

    #[test]
    fn the_newest_of_both_logs_are_those_that_the_list_begins_with() {
        let bench = bench();
        for number in 0..7 {
            let log = if number % 3 == 0 { SERVER } else { DEFAULT_ACCOUNT };
            let make = Event::new("device", format!("{number}"), "changed");
            commit(&bench.services, Grant::system("test"), log, |change| change.record(make)).expect("recorded");
        }
        for limit in [1, 3, 20] {
            let listed =
                list(&bench.services, DEFAULT_ACCOUNT, &ActivityQuery { limit, ..ActivityQuery::default() }).expect("listed");
            assert_eq!(newest(&bench.services, DEFAULT_ACCOUNT, limit).expect("read"), listed.items);
        }
    }

    #[test]
    fn the_newest_need_no_older_entry() {
        let bench = log();
        let newest = newest(&bench.services, DEFAULT_ACCOUNT, 3).expect("the unreadable entries are older");
        assert_eq!(newest.iter().map(|entry| entry.event.subject.as_str()).collect::<Vec<_>>(), ["9", "8", "7"]);
    }

    #[test]
    fn the_servers_own_log_has_each_entry_once() {
        let bench = bench();
        commit(&bench.services, Grant::system("test"), SERVER, |change| change.record(Event::new("server", "pdms", "changed")))
            .expect("recorded");
        let query = ActivityQuery { limit: 10, ..ActivityQuery::default() };
        assert_eq!(list(&bench.services, SERVER, &query).expect("listed").total, 1);
    }

    #[test]
    fn the_oldest_come_first_where_that_is_asked_for() {
        let bench = bench();
        for subject in ["a", "b", "c"] {
            let event = Event::new("device", subject, "added");
            commit(&bench.services, Grant::system("test"), DEFAULT_ACCOUNT, |change| change.record(event)).expect("recorded");
        }
        let subjects = |q: &str| {
            let query = ActivityQuery { oldest_first: true, q: q.to_owned(), limit: 2, ..ActivityQuery::default() };
            let page = list(&bench.services, DEFAULT_ACCOUNT, &query).expect("listed");
            page.items.into_iter().map(|entry| entry.event.subject).collect::<Vec<_>>()
        };
        assert_eq!(
            (subjects(""), subjects("added")),
            (vec!["a".to_owned(), "b".to_owned()], vec!["a".to_owned(), "b".to_owned()])
        );
    }
}
