//! Which devices belong elsewhere once sites or their networks have changed (R83, contract 5.6), and what phones' runs say.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use crate::domain::activity::Event;
use crate::domain::device::{Device, DeviceKey};
use crate::domain::device_list::Listed;
use crate::domain::field_error::FieldErrors;
use crate::domain::ids::{AccountId, SiteId};
use crate::domain::placement::{Found, find};
use crate::domain::run::Run;
use crate::domain::run::verdict::{Outcome, Stage, verdict};
use crate::domain::site::index::SiteIndex;
use crate::domain::site::{Origin, Sites};
use crate::domain::world::World;
use crate::services::Services;
use crate::services::commit::Change;
use crate::services::devices::{label, stored, subject};
use crate::services::error::ServiceError;
use crate::services::presence;
use jiff::Timestamp;

/// Devices that belong elsewhere, or would, in the order of their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Moves(pub Vec<Moved>);

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// The device.
    pub key: DeviceKey,
    /// The device as lists show it.
    pub label: String,
    /// Name of the site that it leaves.
    pub from: String,
    /// Name of the site that it comes to.
    pub to: String,
    /// It stays until somebody says yes: it would leave all sites.
    pub waits: bool,
}

impl Moves {
    /// How many go where, by the site's name, those that wait apart.
    pub fn counts(&self) -> BTreeMap<(&str, bool), usize> {
        let mut counts = BTreeMap::new();
        for moved in &self.0 {
            *counts.entry((moved.to.as_str(), moved.waits)).or_default() += 1;
        }
        counts
    }
}

/// From where a device came last; none for one that never came.
pub fn origin(listed: &Listed) -> Option<Origin> {
    Some(Origin { seen: listed.sighting.public_ip?, own: listed.private_ip() })
}

/// Moves devices as sites say that have changed. Only those have a part in it whose addresses a touched site claims, or did; of those not
/// the ones that are settled already.
pub(in crate::services) fn replace(
    services: &Services,
    change: &mut Change<'_>,
    before: &Sites,
    after: &Sites,
    touched: &BTreeSet<SiteId>,
    settled: &BTreeSet<DeviceKey>,
) -> Result<Moves, ServiceError> {
    let account = change.account_id();
    let mut moves = Moves::default();
    if touched.is_empty() {
        return Ok(moves);
    }
    let (was, is) = (SiteIndex::of_all(before), SiteIndex::of_all(after));
    for listed in services.roster(account).all() {
        if settled.contains(&listed.device.key) || !is_concerned(&listed, after, &was, &is) {
            continue;
        }
        let mut device = stored(services, change, account, &listed.device.key)?;
        let (old, was_waiting, now) = (device.clone(), device.waiting_move(), change.now());
        let found = origin(&listed).map(|origin| Found::of(is.find(origin)));
        match found {
            _ if after.contains_key(&old.site_id()) => found.into_iter().for_each(|found| device.reconsider(found, now)),
            Some(found) => device.place(found, now),
            None => device.unpin(None, now),
        }
        let waits = device.waiting_move().is_some() && was_waiting.is_none();
        if device.site_id() != old.site_id() || waits {
            moves.0.push(moved(&old, &device, waits, before, after));
        }
        if device != old {
            change.put_device(device)?;
        }
    }
    moves.0.sort_by(|a, b| (a.label.to_lowercase(), &a.key).cmp(&(b.label.to_lowercase(), &b.key)));
    for ((to, waits), count) in moves.counts() {
        let action = if waits { "asks to move devices" } else { "has new devices" };
        change.record(Event::new("site", to, action).change("devices", None, Some(count.to_string())))?;
    }
    Ok(moves)
}

/// Whether a device has a part in a change: its site is gone, or another one claims where it comes from. What two sites claim of which
/// neither changed is decided as before.
fn is_concerned(listed: &Listed, after: &Sites, was: &SiteIndex<'_>, is: &SiteIndex<'_>) -> bool {
    let device = &listed.device;
    if !after.contains_key(&device.site_id()) {
        return true;
    }
    let Some(origin) = origin(listed).filter(|_| !device.placement.pinned) else { return false };
    let site = |index: &SiteIndex<'_>| index.find(origin).map(|found| found.site);
    site(was) != site(is)
}

fn moved(old: &Device, new: &Device, waits: bool, before: &Sites, after: &Sites) -> Moved {
    let name = |sites: &Sites, id| sites.get(&id).map_or_else(|| id.to_string(), |site| site.name.to_string());
    let to = if waits { crate::domain::site::INTERNET } else { new.site_id() };
    Moved { key: new.key.clone(), label: label(new), from: name(before, old.site_id()), to: name(after, to), waits }
}

/// Whether there is a site to pin a device to, in words if not.
pub(in crate::services) fn check_pin(world: &World, pin: Option<SiteId>) -> Result<(), String> {
    match pin {
        Some(id) if !world.sites.contains_key(&id) => Err(format!("there is no site {id}; it may have been deleted meanwhile")),
        _ => Ok(()),
    }
}

/// Pins a device to a site, or lets its addresses say again where it belongs.
pub(in crate::services) fn set_pin(
    services: &Services,
    world: &World,
    device: &mut Device,
    pin: Option<SiteId>,
    now: Timestamp,
) -> Result<(), ServiceError> {
    check_pin(world, pin).map_err(|message| FieldErrors::one("pin", message))?;
    let is_pinned = device.placement.pinned;
    match pin {
        Some(site) if is_pinned && device.site_id() == site => {}
        Some(site) => device.pin(site, now),
        None if is_pinned => {
            let listed = services.roster(world.account_id).find(&device.key);
            let came = listed.and_then(|listed| origin(&listed));
            device.unpin(came.map(|came| find(&world.sites, came)), now);
        }
        None => {}
    }
    Ok(())
}

/// An event of a device with what became of its site.
pub(in crate::services) fn told(event: Event, old: &Device, new: &Device, world: &World) -> Event {
    let words = |device: &Device| {
        if !device.placement.pinned {
            return Some("by its addresses".to_owned());
        }
        world.sites.get(&device.site_id()).map(|site| format!("{}, by hand", site.name))
    };
    event.change("site", words(old), words(new))
}

/// What may say where a device belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::services) enum Contact {
    /// A message: it counts for a device that nobody has placed yet.
    First,
    /// A run that asked for its configuration, from this address.
    Run(IpAddr),
    /// A run that asked for nothing that tells, such as a log that came alone.
    Aside,
}

impl Contact {
    /// What a run that has ended says.
    pub(in crate::services) fn of(run: &Run) -> Self {
        match verdict(run, Stage::Ended).outcome {
            Outcome::Complete | Outcome::Held | Outcome::Failed => Self::Run(run.address),
            _ => Self::Aside,
        }
    }
}

/// What a contact says about where a device belongs; none where it says nothing new. The time is that at which it began.
pub(in crate::services) fn news(
    services: &Services,
    account: AccountId,
    key: &DeviceKey,
    began: Timestamp,
    contact: Contact,
) -> Option<(Found, Timestamp)> {
    let listed = services.roster(account).find(key)?;
    let came = match contact {
        Contact::First if listed.device.is_to_be_placed() => origin(&listed)?,
        Contact::Run(seen) => Origin { seen, own: listed.private_ip() },
        Contact::First | Contact::Aside => return None,
    };
    let found = find(&services.world(account).ok()?.sites, came);
    let mut device = Device::clone(&listed.device);
    device.ran(found, began);
    (device != *listed.device).then_some((found, began))
}

/// Writes what a run of a device said about where it belongs.
pub(in crate::services) fn write_run(
    services: &Services,
    change: &mut Change<'_>,
    account: AccountId,
    key: &DeviceKey,
    (found, began): (Found, Timestamp),
) -> Result<(), ServiceError> {
    // Deleted meanwhile: nothing of it is left to be moved.
    if services.roster(account).find(key).is_none() {
        return Ok(());
    }
    let sites = &services.world(account)?.sites;
    // Its site may have gone meanwhile: the next run tells.
    if !sites.contains_key(&found.site) {
        return Ok(());
    }
    let mut device = presence::row(services, change, account, key)?;
    let old = device.clone();
    let is_first = device.is_to_be_placed();
    if device.ran(found, began) && !is_first {
        let name = |id: SiteId| sites.get(&id).map(|site| site.name.to_string());
        let event = Event::new("device", subject(&device), "moved to another site");
        change.record(event.change("site", name(old.site_id()), name(device.site_id())))?;
    }
    if device == old { Ok(()) } else { change.put_device(device) }
}
