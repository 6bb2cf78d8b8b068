//! The activity log: who did what, newest first (R16, R349). Entries are written by [`super::commit`] alone.

use jiff::Timestamp;

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
    /// Only entries at or after this time.
    pub since: Option<Timestamp>,
    /// Only entries before this time.
    pub until: Option<Timestamp>,
    /// How many matching entries to leave out at the beginning.
    pub offset: usize,
    /// How many to show.
    pub limit: usize,
}

/// A page of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActivityPage {
    /// Entries, newest first.
    pub items: Vec<Activity>,
    /// How many entries match.
    pub total: usize,
}

/// A page of what was done to an account and to the server, newest first.
pub fn list(services: &Services, account: AccountId, query: &ActivityQuery) -> Result<ActivityPage, ServiceError> {
    let words: Vec<String> = query.q.split_whitespace().map(str::to_lowercase).collect();
    let mut found: Vec<(u64, Activity)> = Vec::new();
    services.store.read(|tx| {
        for log in [account, SERVER] {
            store::activity::newest_first(tx, log, |number, entry| {
                if query.since.is_some_and(|since| entry.at < since) {
                    return Walk::Stop;
                }
                if query.admits(&entry, &words) {
                    found.push((number, entry));
                }
                Walk::On
            })?;
        }
        Ok::<_, ServiceError>(())
    })?;
    // Numbers are given out in the order of commits, whichever log they are in.
    found.sort_by_key(|(number, _)| std::cmp::Reverse(*number));
    let total = found.len();
    let items = found.into_iter().map(|(_, entry)| entry).skip(query.offset).take(query.limit).collect();
    Ok(ActivityPage { items, total })
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
    fn admits(&self, entry: &Activity, words: &[String]) -> bool {
        self.until.is_none_or(|until| entry.at < until)
            && self.object.as_ref().is_none_or(|object| *object == entry.event.object)
            && words.iter().all(|word| mentions(entry, word))
    }
}

fn mentions(entry: &Activity, word: &str) -> bool {
    let has = |text: &str| text.to_lowercase().contains(word);
    let event = &entry.event;
    [&entry.actor, &event.object, &event.subject, &event.action].into_iter().any(|text| has(text))
        || event.changes.iter().any(|c| has(&c.field) || c.old.as_deref().is_some_and(has) || c.new.as_deref().is_some_and(has))
}
