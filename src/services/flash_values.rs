//! Values for phones' flash in place of those that a change would leave there (contract 5.11).
//!
//! Whoever is shown a change may say so of each parameter that begins with `device.` and is served no more. Then the same transaction makes
//! a profile with just these parameters and attaches it to the devices concerned. Which change it is makes no difference: what stays is
//! asked of what the change does to devices, as it is told to everybody.

use std::collections::{BTreeMap, BTreeSet};

use super::activity_week::zone_of;
use super::commit::Change;
use super::error::ServiceError;
use super::foresight::Outlook;
use super::world::WorldChange;
use super::{Services, devices, profiles, schema};
use crate::domain::access::{Action, Actor, authorize};
use crate::domain::activity::Event;
use crate::domain::consent::{FlashValues, Told};
use crate::domain::device::DeviceKey;
use crate::domain::field_error::FieldErrors;
use crate::domain::foresight::{Foresight, Group};
use crate::domain::ids::{AccountId, ProfileId};
use crate::domain::limits::PROFILES_PER_CONTAINER;
use crate::domain::names::Name;
use crate::domain::parameter::{ParameterSet, before_set, is_of_device};
use crate::domain::profile::draft::{ParameterEdit, ProfileDraft, apply};
use crate::domain::world::World;

/// How a profile is described that holds such values.
const DESCRIPTION: &str = "Made when what had set these parameters was taken away: the phones concerned take these values into their flash in \
                           place of the former ones. They keep them: once all of them have come, this profile may be deleted. Until then \
                           anything else that sets one of these parameters counts instead.";

/// What is wrong with values that were typed, by the name of the parameter.
pub type Wrong = BTreeMap<String, String>;

/// Checks values that were typed, as of a parameter that is added to a profile, and that whoever typed them may have such a profile.
///
/// # Errors
/// Each value that cannot be taken, with why.
pub fn checked<'t>(
    world: &World,
    actor: &Actor,
    typed: impl IntoIterator<Item = (&'t str, &'t str)>,
) -> Result<FlashValues, Wrong> {
    let (mut values, mut wrong) = (ParameterSet::new(), Wrong::new());
    for (name, value) in typed {
        let taken = may(actor, world.account_id).and_then(|()| check(world, name, value));
        match taken {
            Ok(ParameterEdit::Set(name, value)) => drop(values.insert(name, value)),
            Ok(ParameterEdit::Remove(_)) => {}
            Err(why) => drop(wrong.insert(name.to_owned(), why)),
        }
    }
    if wrong.is_empty() { Ok(FlashValues(values)) } else { Err(wrong) }
}

/// Whether somebody may make a profile and attach it to devices.
fn may(actor: &Actor, account: AccountId) -> Result<(), String> {
    let actions = [Action::EditProfiles(account), Action::Deploy(account)];
    actions.into_iter().try_for_each(|action| authorize(actor, action).map(drop).map_err(|denied| denied.to_string()))
}

fn check(world: &World, name: &str, value: &str) -> Result<ParameterEdit, String> {
    let first = |errors: FieldErrors| errors.iter().next().map_or_else(String::new, |error| error.message.clone());
    if !is_of_device(name) || before_set(name).is_some() {
        return Err("phones keep no such parameter in their flash".to_owned());
    }
    let edit = ParameterEdit::set(name, value).map_err(first)?;
    schema::refuse_ruled_out(world, [(name, value)]).map_err(first)?;
    Ok(edit)
}

/// Serves values that were chosen to the devices in whose flash others would stay by what a change has done so far. Answers what it does
/// without them; none where no device is concerned.
///
/// # Errors
/// [`ServiceError::Conflict`] where a device has as many profiles as it may; [`ServiceError::Invalid`] for what the schema rules out.
pub(super) fn serve(
    services: &Services,
    change: &mut Change<'_>,
    values: Option<&ParameterSet>,
) -> Result<Option<Told>, ServiceError> {
    let Some(values) = values else { return Ok(None) };
    let account = change.account_id();
    let Some(outlook) = Outlook::new(services, account, change.effects()) else { return Ok(None) };
    let by_itself = outlook.told(services);
    let shares = shares(&by_itself.foresight, values);
    if shares.is_empty() {
        return Ok(None);
    }
    let world = services.world(account)?;
    let mut names = Names::new(services, change, &world)?;
    let mut lists: BTreeMap<&DeviceKey, Vec<ProfileId>> = BTreeMap::new();
    for Share { parameters, devices } in shares {
        schema::refuse_changes(&world, &ParameterSet::new(), &parameters)?;
        let (name, description, software) = (names.next()?, DESCRIPTION.to_owned(), Vec::new());
        let draft = ProfileDraft { name, description, software, parameters, yields: true };
        let profile = profiles::add(change, draft, "added")?;
        change.record(Event::new("profile", profile.name.to_string(), "attached").change("devices", None, told(&devices)))?;
        for key in devices {
            lists.entry(key).or_default().push(profile.id);
        }
    }
    for (key, more) in lists {
        attach(services, change, key, &more)?;
    }
    Ok(Some(by_itself))
}

/// Attaches profiles below all others of a device: no profile says anything of their parameters, so they count at any place, and the others
/// keep their order.
fn attach(services: &Services, change: &mut Change<'_>, key: &DeviceKey, more: &[ProfileId]) -> Result<(), ServiceError> {
    let mut device = devices::stored(services, change, change.account_id(), key)?;
    if device.profiles.len() + more.len() > PROFILES_PER_CONTAINER {
        let message = format!(
            "the device {key} has {} profiles already and may have {PROFILES_PER_CONTAINER}: one with the values for its flash finds no \
             place. Detach another one first, or leave the values on the phones",
            device.profiles.len()
        );
        return Err(ServiceError::Conflict(message));
    }
    device.profiles.extend_from_slice(more);
    device.revision += 1;
    change.put_device(device)
}

/// Parameters that one profile holds, and the devices that get it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Share<'f> {
    parameters: ParameterSet,
    devices: Vec<&'f DeviceKey>,
}

/// Which devices get which values: each just those that would stay in its flash otherwise, for what another profile still says must count.
/// One profile for each set of parameters that devices lose together; where these are more than the parameters, one for each parameter.
fn shares<'f>(foresight: &'f Foresight, values: &ParameterSet) -> Vec<Share<'f>> {
    let staying = |group: &'f Group| -> BTreeSet<&'f str> {
        let names = group.changes.iter().filter(|change| change.stays()).map(|change| change.name.as_str());
        names.filter(|name| values.get(name).is_some()).collect()
    };
    let mut together: BTreeMap<BTreeSet<&str>, Vec<&DeviceKey>> = BTreeMap::new();
    for group in &foresight.groups {
        let names = staying(group);
        if !names.is_empty() {
            together.entry(names).or_default().extend(&group.devices);
        }
    }
    let all: BTreeSet<&str> = together.keys().flatten().copied().collect();
    if together.len() > all.len() {
        let of =
            |name: &str| together.iter().filter(|(names, _)| names.contains(name)).flat_map(|(_, keys)| keys).copied().collect();
        together = all.into_iter().map(|name| (BTreeSet::from([name]), of(name))).collect();
    }
    let share = |(names, mut devices): (BTreeSet<&str>, Vec<&'f DeviceKey>)| {
        devices.sort_unstable();
        Share { parameters: with_twins(&names, values), devices }
    };
    together.into_iter().map(share).collect()
}

/// Some of the values, with the twins without which no phone takes them.
fn with_twins(names: &BTreeSet<&str>, values: &ParameterSet) -> ParameterSet {
    let some = names.iter().filter_map(|name| values.entry(name));
    let edits: Vec<_> = some.map(|(name, value)| ParameterEdit::Set(name.clone(), value.clone())).collect();
    apply(&ParameterSet::new(), &edits).unwrap_or_default()
}

/// The devices in the activity log, which cuts what is too long.
fn told(devices: &[&DeviceKey]) -> Option<String> {
    const NAMED: usize = 100;
    let named: Vec<_> = devices.iter().take(NAMED).map(ToString::to_string).collect();
    Some(format!("{}: {}", devices.len(), named.join(", ")))
}

/// Free names for such profiles: the day where the account is, with a number where that is taken.
struct Names {
    day: String,
    taken: BTreeSet<String>,
}

impl Names {
    fn new(services: &Services, change: &Change<'_>, world: &World) -> Result<Self, ServiceError> {
        let day = change.now().to_zoned(zone_of(services, change.account_id())?).date().to_string();
        let in_change = change.so_far().0.iter().filter_map(|one| match one {
            WorldChange::Profile(profile) => Some(profile.name.folded()),
            _ => None,
        });
        Ok(Self { day, taken: world.all_profiles().map(|profile| profile.name.folded()).chain(in_change).collect() })
    }

    fn next(&mut self) -> Result<Name, ServiceError> {
        let endings = std::iter::once(String::new()).chain((2..=100_000).map(|number| format!(" {number}")));
        let mut names = endings.filter_map(|ending| Name::parse(&format!("Flash values {}{ending}", self.day)).ok());
        let free = names.find(|name| self.taken.insert(name.folded()));
        free.ok_or_else(|| ServiceError::Conflict("a profile for the values in the phones' flash finds no free name".to_owned()))
    }
}

#[cfg(test)]
#[path = "flash_values_tests.rs"]
mod tests;
