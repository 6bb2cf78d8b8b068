//! What many phones at the door mean together (contract 4, point 2, and PHN-10): bound devices refused at once, and more new devices
//! than the rates allow. Each is a warning while it lasts and one entry of the activity log, however many requests make it up.
//!
//! A request only notes that there is something to look at; [`tell`] looks before the next batch is written. Whether an episode was
//! told already is kept in memory; after a start the activity log says it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;

use super::Services;
use super::error::{ServiceError, chain};
use crate::domain::activity::{Activity, Event};
use crate::domain::admission::rate::{Full, HeldBack};
use crate::domain::ids::AccountId;
use crate::domain::limits::{CROWD_MINUTES, HELD_BACK_SOURCES, REFUSED_TOGETHER_HOURS};
use crate::domain::pending::{self, RefusedDevice};
use crate::domain::source::Source;
use crate::domain::trust::{RefusedBound, Trust, Weight};
use crate::store;
use crate::store::tx::Walk;

/// Devices that an entry of the activity log names; the rest are counted.
const NAMED: usize = 10;
/// What the activity log says of the account.
const REFUSED: &str = "alert: many bound devices were refused at once";
const REFUSED_FACTORY: &str = "alert: many bound devices were asked for with the factory default at once";
const CROWDED: &str = "alert: new devices were held, too many came at once";

/// What was noted at the door.
#[derive(Debug, Default)]
pub struct Alerts {
    /// A bound device was refused since [`tell`] looked last.
    refused: AtomicBool,
    by_account: Mutex<BTreeMap<AccountId, Episodes>>,
}

#[derive(Clone, Debug, Default)]
struct Episodes {
    /// Whether the activity log was asked what was told before the start.
    is_recalled: bool,
    /// When it was last told that bound devices are refused to somebody with the shared credentials.
    refused_told_at: Option<Timestamp>,
    /// The same of the factory default alone: it must not silence the other.
    factory_told_at: Option<Timestamp>,
    /// New devices that were held because of the rates.
    crowd: Option<Crowd>,
}

#[derive(Clone, Debug)]
struct Crowd {
    last: Timestamp,
    is_told: bool,
    /// Not known of one before the start. At most [`HELD_BACK_SOURCES`]: the one quiet for longest makes room.
    by_source: BTreeMap<Source, HeldBack>,
}

/// New devices are held because too many came, or were not long ago.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crowded {
    /// The last time.
    pub at: Timestamp,
    /// Where most of them came from, as far as it is known.
    pub most: Option<HeldBack>,
}

impl Alerts {
    /// Notes that a bound device was refused.
    pub(super) fn bound_refused(&self) {
        self.refused.store(true, Ordering::Relaxed);
    }

    /// Notes that a new device was held because of the rates, or because there is no room for any. After an hour without one all rates
    /// have room again: then it is another episode.
    pub(super) fn crowded(&self, account: AccountId, address: IpAddr, now: Timestamp, shown: Weight, full: Option<Full>) {
        let mut by_account = self.by_account.lock();
        let crowd = &mut by_account.entry(account).or_default().crowd;
        let crowd = match crowd {
            Some(crowd) if is_one_crowd(crowd.last, now) => crowd,
            crowd => crowd.insert(Crowd { last: now, is_told: false, by_source: BTreeMap::new() }),
        };
        crowd.last = now;
        if let Some(full) = full {
            crowd.hold_back(address, now, shown, full);
        }
    }
}

impl Crowd {
    fn hold_back(&mut self, address: IpAddr, now: Timestamp, shown: Weight, full: Full) {
        let (source, by_source) = (Source::of(address), &mut self.by_source);
        if by_source.len() >= HELD_BACK_SOURCES && !by_source.contains_key(&source) {
            let quiet = by_source.iter().min_by_key(|(_, held)| held.last).map(|(source, _)| *source);
            quiet.and_then(|source| by_source.remove(&source));
        }
        let (times, most) = by_source.get(&source).map_or((0, shown), |held| (held.times, held.shown));
        let (times, shown) = (times.saturating_add(1), shown.max(most));
        by_source.insert(source, HeldBack { address, last: now, times, shown, full });
    }

    fn most(&self) -> Option<HeldBack> {
        self.by_source.values().max_by_key(|held| held.times).copied()
    }
}

/// Whether what is held now goes on with what was held then.
fn is_one_crowd(then: Timestamp, now: Timestamp) -> bool {
    now.duration_since(then) < SignedDuration::from_mins(CROWD_MINUTES)
}

/// What is held back because of the rates at one of these addresses; where none is named, at the one that was held back last.
pub fn held_back(services: &Services, account: AccountId, addresses: &BTreeSet<IpAddr>) -> Option<HeldBack> {
    let wanted: BTreeSet<Source> = addresses.iter().map(|address| Source::of(*address)).collect();
    let now = services.clock.now();
    let by_account = services.alerts.by_account.lock();
    let by_source = &by_account.get(&account)?.crowd.as_ref()?.by_source;
    let held =
        by_source.iter().filter(|(source, held)| (wanted.is_empty() || wanted.contains(source)) && is_one_crowd(held.last, now));
    held.max_by_key(|(_, held)| held.last).map(|(_, held)| *held)
}

/// Bound devices that were refused so many at once that somebody must know: see [`pending::refused_together`].
pub fn refused_together(services: &Services, account: AccountId) -> Vec<RefusedDevice> {
    let roster = services.roster(account);
    let refused = services.trusts(account).at_the_door(Trust::is_refused_bound);
    let of_devices = refused.iter().filter(|(key, _)| roster.find(key).is_some());
    pending::refused_together(of_devices.map(|(key, trust)| (key, &**trust)), services.clock.now())
}

/// Whether too many new devices came within a day.
pub fn crowded(services: &Services, account: AccountId) -> Option<Crowded> {
    recall(services, account);
    let by_account = services.alerts.by_account.lock();
    let crowd = by_account.get(&account)?.crowd.as_ref()?;
    is_recent(crowd.last, services.clock.now()).then(|| Crowded { at: crowd.last, most: crowd.most() })
}

/// Reports what begins to the activity log, once for each episode.
pub(super) fn tell(services: &Services) {
    let is_refused = services.alerts.refused.swap(false, Ordering::Relaxed);
    for account in services.worlds.accounts() {
        if is_refused {
            tell_refused(services, account);
        }
        tell_crowd(services, account);
    }
}

fn tell_refused(services: &Services, account: AccountId) {
    recall(services, account);
    let (together, now) = (refused_together(services, account), services.clock.now());
    let is_by_shared = together.iter().any(|one| one.is_by_shared);
    {
        let mut by_account = services.alerts.by_account.lock();
        let Episodes { refused_told_at, factory_told_at, .. } = by_account.entry(account).or_default();
        let book = services.trusts(account);
        // Whatever a person did about a device ended its part in it: when none is left that was told, it is another episode.
        let goes_on = |told_at: Option<Timestamp>, of: fn(&Trust) -> Option<RefusedBound>| {
            let told_at = told_at.filter(|at| is_recent(*at, now));
            let was_told = |one: &RefusedDevice| of(&book.of(&one.key)).is_some_and(|refused| Some(refused.since) <= told_at);
            told_at.is_some() && together.iter().any(was_told)
        };
        let goes_on_by_shared = goes_on(*refused_told_at, |trust| trust.refused_bound.as_deref().copied());
        if together.is_empty() || goes_on_by_shared {
            return;
        }
        if is_by_shared {
            *refused_told_at = Some(now);
        } else if goes_on(*factory_told_at, |trust| trust.refused_factory.as_deref().copied()) {
            return;
        } else {
            *factory_told_at = Some(now);
        }
    }
    let named: Vec<String> = together.iter().take(NAMED).map(|one| one.key.to_string()).collect();
    let more = together.len().saturating_sub(NAMED);
    let devices = if more == 0 { named.join(", ") } else { format!("{} and {more} more", named.join(", ")) };
    let from: BTreeSet<String> = together.iter().map(|one| one.address.to_string()).collect();
    let from = from.into_iter().collect::<Vec<_>>().join(", ");
    let action = if is_by_shared { REFUSED } else { REFUSED_FACTORY };
    let event = event(services, account, action).change("devices", None, Some(devices));
    services.presence.report(account, event.change("from", None, Some(from)));
}

fn tell_crowd(services: &Services, account: AccountId) {
    let is_new = |episodes: &Episodes| episodes.crowd.as_ref().is_some_and(|crowd| !crowd.is_told);
    if !services.alerts.by_account.lock().get(&account).is_some_and(is_new) {
        return;
    }
    recall(services, account);
    let mut by_account = services.alerts.by_account.lock();
    let Some(crowd) = by_account.get_mut(&account).and_then(|episodes| episodes.crowd.as_mut()).filter(|crowd| !crowd.is_told)
    else {
        return;
    };
    crowd.is_told = true;
    let mut told = event(services, account, CROWDED);
    if let Some(most) = crowd.most() {
        told = told.change("from", None, Some(most.address.to_string()));
        told = told.change("requests so far", None, Some(most.times.to_string()));
    }
    services.presence.report(account, told);
}

fn event(services: &Services, account: AccountId, action: &str) -> Event {
    let label = services.worlds.get(account).map(|world| world.account.label.clone()).unwrap_or_default();
    Event::new("account", label, action)
}

/// Takes in what was told before the start, the first time that it matters.
fn recall(services: &Services, account: AccountId) {
    if services.alerts.by_account.lock().get(&account).is_some_and(|episodes| episodes.is_recalled) {
        return;
    }
    let told = told_lately(services, account).unwrap_or_else(|error| {
        tracing::warn!(error = chain(&error), "the activity log does not tell which alerts were told already");
        [None; 3]
    });
    let [refused, factory, crowded] = told;
    let mut by_account = services.alerts.by_account.lock();
    let episodes = by_account.entry(account).or_default();
    if std::mem::replace(&mut episodes.is_recalled, true) {
        return;
    }
    (episodes.refused_told_at, episodes.factory_told_at) = (refused, factory);
    if let Some(told_at) = crowded {
        let before = || Crowd { last: told_at, is_told: true, by_source: BTreeMap::new() };
        let crowd = episodes.crowd.get_or_insert_with(before);
        crowd.is_told |= is_one_crowd(told_at, crowd.last);
    }
}

/// When each was last told, within a day.
fn told_lately(services: &Services, account: AccountId) -> Result<[Option<Timestamp>; 3], ServiceError> {
    let now = services.clock.now();
    let mut told = [None; 3];
    services.store.read(|tx| {
        store::activity::newest_first(tx, account, |_, Activity { at, event, .. }| {
            if !is_recent(at, now) {
                return Walk::Stop;
            }
            for (told, action) in told.iter_mut().zip([REFUSED, REFUSED_FACTORY, CROWDED]) {
                if event.action == action {
                    told.get_or_insert(at);
                }
            }
            Walk::On
        })
    })?;
    Ok(told)
}

fn is_recent(at: Timestamp, now: Timestamp) -> bool {
    now.duration_since(at) < SignedDuration::from_hours(REFUSED_TOGETHER_HOURS)
}
