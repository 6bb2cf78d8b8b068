//! The standard profiles of this version beside what is remembered of the last one (R112, contract 5.16).
//!
//! They are no rows: they come with the program, and only attachments to them are stored. So that a version with other ones can say what it
//! changed, and whoever used one that is gone keeps its parameters, each start compares with what the last version brought and notes what
//! is different now.

use std::collections::BTreeSet;

use super::Services;
use super::commit::{Change, commit};
use super::error::ServiceError;
use super::profiles;
use crate::catalog::standard::standard_profiles;
use crate::domain::access::Grant;
use crate::domain::activity::{Event, SERVER};
use crate::domain::ids::ProfileId;
use crate::domain::names::Name;
use crate::domain::parameter::ParameterSet;
use crate::domain::profile::draft::ProfileDraft;
use crate::domain::standard::{Installed, StandardProfile, Upgrade, is_standard_id};
use crate::domain::world::World;
use crate::store;

/// The version that the shipped ones are of.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Brings what is remembered to what this version ships. Accounts are told what came, changed and went; one that is gone and was in use is
/// kept as a profile of the account, attached nowhere.
///
/// A crash in between is gone on from at the next start: it may tell twice what came, and keeps nothing twice.
///
/// # Errors
/// Of the store.
pub(super) fn install(services: &Services) -> Result<(), ServiceError> {
    let remembered = services.store.read(store::standard::all)?;
    let upgrade = Upgrade::between(&remembered, standard_profiles().values());
    let is_first = remembered.is_empty();
    for account in services.worlds.accounts() {
        let world = services.world(account)?;
        let lost = lost(services, &world);
        if lost.is_empty() && (is_first || upgrade.is_none()) {
            continue;
        }
        commit(services, Grant::system("standard profiles"), account, |change| {
            if !is_first {
                tell(change, &upgrade)?;
            }
            retire(services, change, &world, &remembered, &lost)
        })?;
    }
    if upgrade.is_none() {
        return Ok(());
    }
    commit(services, Grant::system("standard profiles"), SERVER, |change| {
        let changed = upgrade.changed.iter().map(|(_, now)| *now);
        for shipped in upgrade.came.iter().copied().chain(changed) {
            store::standard::put(change.tx(), &Installed::now(shipped, VERSION, change.now()))?;
        }
        for gone in &upgrade.gone {
            store::standard::delete(change.tx(), gone.number)?;
        }
        Ok(())
    })?;
    services.rebuild()
}

/// Standard profiles that are attached somewhere and that this version does not have.
fn lost(services: &Services, world: &World) -> BTreeSet<ProfileId> {
    let at_places = world.deployment.values().flatten().copied();
    let devices = services.roster(world.account_id).all();
    let at_devices = devices.iter().flat_map(|listed| listed.device.profiles.iter().copied());
    let shipped: BTreeSet<ProfileId> = standard_profiles().values().map(StandardProfile::id).collect();
    at_places.chain(at_devices).filter(|id| is_standard_id(*id) && !shipped.contains(id)).collect()
}

/// What is different now, in the account's activity log.
fn tell(change: &mut Change<'_>, upgrade: &Upgrade<'_>) -> Result<(), ServiceError> {
    for came in &upgrade.came {
        change.record(event(came.name.as_str(), "came"))?;
    }
    for (before, now) in &upgrade.changed {
        let told = event(now.name.as_str(), "changed")
            .change("name", Some(before.name.to_string()), Some(now.name.to_string()))
            .change("description", Some(before.description.clone()), Some(now.description.clone()));
        change.record(profiles::parameter_changes(told, &before.parameters, &now.parameters))?;
    }
    for gone in &upgrade.gone {
        let told = event(gone.name.as_str(), "removed");
        change.record(profiles::parameter_changes(told, &gone.parameters, &ParameterSet::new()))?;
    }
    Ok(())
}

fn event(name: &str, done: &str) -> Event {
    Event::new("profile", name, &format!("{done} with pdms {VERSION}"))
}

/// Detaches what this version does not have any more and keeps it as a profile of the account, where it is known what was in it.
fn retire(
    services: &Services,
    change: &mut Change<'_>,
    world: &World,
    remembered: &[Installed],
    lost: &BTreeSet<ProfileId>,
) -> Result<(), ServiceError> {
    let uses = profiles::uses_of(services, world, lost);
    profiles::detach_everywhere(services, change, world, &uses)?;
    let mut taken: BTreeSet<String> = world.all_profiles().map(|profile| profile.name.folded()).collect();
    for (id, uses) in &uses {
        let attachments = (uses.places.len() + uses.devices.len()).to_string();
        let Some(known) = remembered.iter().find(|one| one.id() == *id) else {
            let told = event(&format!("standard profile {id}"), "removed");
            change.record(told.change("attachments", Some(attachments), None))?;
            continue;
        };
        change.record(event(known.name.as_str(), "detached").change("attachments", Some(attachments), None))?;
        let name = retired_name(known, &mut taken);
        let draft = ProfileDraft {
            name,
            description: known.description.clone(),
            software: Vec::new(),
            parameters: known.parameters.clone(),
            yields: false,
        };
        profiles::add(change, draft, &format!("kept of {}, which pdms {VERSION} does not have", known.name))?;
    }
    Ok(())
}

/// The name of the copy (contract 5.16); a number behind it where an account has it already.
fn retired_name(known: &Installed, taken: &mut BTreeSet<String>) -> Name {
    let name = |ending: &str| Name::parse(&format!("{} (retired {VERSION}){ending}", known.name)).ok();
    let endings = std::iter::once(String::new()).chain((2..1000).map(|number| format!(" {number}")));
    let free = endings.filter_map(|ending| name(&ending)).find(|name| !taken.contains(&name.folded()));
    let name = free.unwrap_or_else(|| known.name.clone());
    taken.insert(name.folded());
    name
}

#[cfg(test)]
mod tests;
