//! What a change does to devices, worked out before it is kept: the world and the devices as they would be, beside those of now
//! (contract 5.15).

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use super::Services;
use super::commit::{Effects, Mode};
use super::credentials::channel_in;
use super::error::ServiceError;
use super::roster::RosterChange;
use super::trusts::Book;
use crate::catalog::restart::restarts;
use crate::domain::access::Actor;
use crate::domain::consent::{Consent, Told};
use crate::domain::device::{Device, DeviceKey};
use crate::domain::foresight::{Foresight, Pair, foresee};
use crate::domain::ids::{AccountId, DEFAULT_ACCOUNT, ProfileId};
use crate::domain::parameter::ParameterName;
use crate::domain::world::{Endpoints, World};

/// An account as it is, and as it would be.
pub struct Outlook {
    before: Arc<World>,
    after: World,
    /// Devices whose row would be another one; none where it would be gone.
    changed: BTreeMap<DeviceKey, Option<Arc<Device>>>,
    /// The devices as they are: all of them, or where the world stays as it is those that would change.
    devices: Vec<Arc<Device>>,
    /// How each device's files travel.
    trusts: Arc<Book>,
}

impl Outlook {
    /// What would be after these effects; none where no device could be told apart by them.
    pub(super) fn new(services: &Services, account: AccountId, effects: &Effects) -> Option<Self> {
        if effects.world.is_empty() && effects.roster.is_empty() {
            return None;
        }
        let mut outlook = Self::unchanged(services, account)?;
        effects.world.iter().cloned().for_each(|change| change.apply_to(&mut outlook.after));
        outlook.count_as_changed(&effects.typed_again);
        for change in &effects.roster {
            match change {
                RosterChange::Device(device) => {
                    // What it told is no part of the change: rows get that later than memory.
                    let known = services.roster(account).find(&device.key);
                    let device = known.map_or_else(|| Arc::clone(device), |known| known.with_told(Arc::clone(device)));
                    outlook.changed.insert(device.key.clone(), Some(device));
                }
                RosterChange::Gone(key) => drop(outlook.changed.insert(key.clone(), None)),
                RosterChange::File(..) | RosterChange::FileGone(..) | RosterChange::Sighted(..) => {}
            }
        }
        if effects.world.is_empty() {
            let changed = &outlook.changed;
            outlook.devices.retain(|device| changed.contains_key(&device.key));
        }
        Some(outlook)
    }

    /// An account as it is; none for what is no account's.
    fn unchanged(services: &Services, account: AccountId) -> Option<Self> {
        let before = services.worlds.get(account)?;
        let devices = services.roster(account).all().into_iter().map(|one| one.device).collect();
        let (after, changed) = (World::clone(&before), BTreeMap::new());
        Some(Self { before, after, changed, devices, trusts: services.trusts(account) })
    }

    /// Makes secrets others that were typed anew: whoever tries one must not be told by what happens to devices that it was the right one.
    fn count_as_changed(&mut self, typed_again: &[(ProfileId, ParameterName)]) {
        for (id, name) in typed_again {
            let Some(profile) = self.after.profiles.get_mut(id) else { continue };
            let profile = Arc::make_mut(profile);
            let other = format!("{}, typed anew", profile.parameters.get(name.as_str()).unwrap_or_default());
            profile.parameters.insert(name.clone(), other);
        }
    }

    /// What the change does to devices.
    pub fn foresee(&self) -> Foresight {
        let new = |key: &DeviceKey| self.changed.get(key).map(|next| next.as_deref());
        let known = self.devices.iter().map(|old| -> Pair<'_> { (Some(old), new(&old.key).unwrap_or(Some(old))) });
        let are_known: HashSet<&DeviceKey> = match self.changed.is_empty() {
            true => HashSet::new(),
            false => self.devices.iter().map(|device| &device.key).collect(),
        };
        let added = self.changed.values().flatten().filter(|device| !are_known.contains(&device.key));
        let devices = known.chain(added.map(|device| -> Pair<'_> { (None, Some(device)) }));
        foresee(devices, |key| channel_in(&self.trusts, key), (&self.before, &self.after), restarts())
    }

    /// The same with the mark by which it is known again.
    pub(super) fn told(&self, services: &Services) -> Told {
        let foresight = self.foresee();
        let mark = mark(services, &foresight);
        Told::new(foresight, mark)
    }
}

/// Refuses a change that somebody has to be shown first; `by_itself` is what it does without the values that were chosen for phones' flash,
/// where some were.
///
/// # Errors
/// [`ServiceError::Unconfirmed`]; what it does is noted in the consent.
pub(super) fn must_be_agreed(
    services: &Services,
    account: AccountId,
    consent: &Consent,
    effects: &Effects,
    by_itself: Option<Told>,
) -> Result<(), ServiceError> {
    if !consent.must_be_shown() {
        return Ok(());
    }
    let agrees = |outlook: Outlook| {
        let told = outlook.told(services);
        consent.agrees(match by_itself {
            Some(by_itself) => told.with_values(by_itself),
            None => told,
        })
    };
    if Outlook::new(services, account, effects).is_none_or(agrees) { Ok(()) } else { Err(ServiceError::Unconfirmed) }
}

/// What telling phones another address of this server does, which is no change of an account's rows: noted where somebody wants to
/// know it, and refused where somebody has to be shown it first.
///
/// # Errors
/// [`ServiceError::Unconfirmed`].
pub fn of_address(services: &Services, actor: &Actor, https_url: String, mode: Mode) -> Result<(), ServiceError> {
    let consent = actor.consent();
    let Some(mut outlook) = consent.listens().then(|| Outlook::unchanged(services, DEFAULT_ACCOUNT)).flatten() else {
        return Ok(());
    };
    outlook.after.endpoints = Arc::new(Endpoints { https_url, ..Endpoints::clone(&outlook.before.endpoints) });
    let told = outlook.told(services);
    match mode {
        Mode::TryOut => consent.note_trial(told),
        Mode::Keep if !consent.agrees(told) => return Err(ServiceError::Unconfirmed),
        Mode::Keep => {}
    }
    Ok(())
}

/// Keyed, so that nobody can find out a secret by trying values against the mark on a page.
fn mark(services: &Services, foresight: &Foresight) -> String {
    hex::encode(&services.secrets.derived_bytes("what a change does", &hex::encode(foresight.digest))[..16])
}

#[cfg(test)]
#[path = "foresight_tests.rs"]
mod tests;
