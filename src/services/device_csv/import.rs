//! Taking a file: read and planned while everything else goes on, then written in one change.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Options, Plan, Target, planning, profile_name};
use crate::csv::devices::{self as csv, DeviceTable};
use crate::domain::access::{Action, Actor, authorize};
use crate::domain::activity::Event;
use crate::domain::device::Owner;
use crate::domain::field_error::FieldErrors;
use crate::domain::group::GroupDraft;
use crate::domain::ids::{AccountId, GroupId, ProfileId};
use crate::domain::names::Name;
use crate::domain::people::{NamedDraft, Person, Room};
use crate::domain::profile::{Profile, ProfileKind};
use crate::domain::world::World;
use crate::services::commit::{Change, Mode, perform};
use crate::services::error::ServiceError;
use crate::services::import::FILE;
use crate::services::{Services, groups, people};
use crate::store;

/// What becomes of a file with rows that cannot be taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BadRows {
    /// They are left out and told; the others are taken.
    #[default]
    LeaveOut,
    /// Nothing is taken.
    Refuse,
}

/// What a file would do to the devices of an account.
///
/// # Errors
/// [`ServiceError::Invalid`] of the field [`FILE`], with its line, where the file cannot be read as a whole.
pub fn plan(services: &Services, actor: &Actor, account: AccountId, file: &[u8], options: Options) -> Result<Plan, ServiceError> {
    let world = services.world(account)?;
    Ok(planning::plan(services, &world, &read(&world, file, options)?, options, may_see(actor, account)))
}

/// Whether secrets may be compared: only who could have exported them learns that one is the same (SEC-05).
fn may_see(actor: &Actor, account: AccountId) -> bool {
    authorize(actor, Action::Reveal(account)).is_ok()
}

/// Imports a file: all rows that can be taken in one change, or nothing where that fails. `source` is what the file is called.
///
/// # Errors
/// As [`plan`]; with [`BadRows::Refuse`] of the same field with every row that cannot be taken.
#[expect(clippy::too_many_arguments, reason = "who, where, what and how; each caller has them apart")]
pub fn import(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    source: &str,
    file: &[u8],
    options: Options,
    bad_rows: BadRows,
    mode: Mode,
) -> Result<Plan, ServiceError> {
    Ok(take(services, actor, account, (source, file), (options, bad_rows, mode), None)?.plan)
}

/// Imports a file as [`import`] does, leaving out rows that cannot be taken, where it still does what was shown under this mark. None
/// where it does something else by now: then nothing is imported.
///
/// # Errors
/// As [`import`].
pub fn import_shown(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    source: &str,
    file: &[u8],
    options: Options,
    mark: &str,
) -> Result<Option<Plan>, ServiceError> {
    let taken = take(services, actor, account, (source, file), (options, BadRows::LeaveOut, Mode::Keep), Some(mark))?;
    Ok(taken.is_shown.then_some(taken.plan))
}

/// How many rows a file has below its header: whether it can be read at all, without planning what it does.
///
/// # Errors
/// As [`plan`].
pub fn rows(services: &Services, account: AccountId, file: &[u8], options: Options) -> Result<usize, ServiceError> {
    Ok(read(&*services.world(account)?, file, options)?.rows.len())
}

/// What became of a file.
struct Taken {
    plan: Plan,
    /// Whether the plan is the one that was shown; nothing was taken where not.
    is_shown: bool,
}

fn take(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    (source, file): (&str, &[u8]),
    (options, bad_rows, mode): (Options, BadRows, Mode),
    mark: Option<&str>,
) -> Result<Taken, ServiceError> {
    authorize(actor, Action::EditProfiles(account))?;
    let grant = authorize(actor, Action::EditDevices(account))?;
    let world = services.world(account)?;
    let table = read(&world, file, options)?;
    let compares_secrets = may_see(actor, account);
    let looked_at = |plan: Plan| -> Result<Taken, ServiceError> {
        refuse(&plan, bad_rows)?;
        Ok(Taken { is_shown: mark.is_none_or(|mark| plan.mark() == mark), plan })
    };
    let taken = looked_at(planning::plan(services, &world, &table, options, compares_secrets))?;
    if !taken.is_shown || !taken.plan.is_doable() {
        return Ok(taken);
    }
    perform(services, mode, grant, account, |change| {
        // Whatever changed since the plan was made is taken into another one, which nothing can overtake.
        let taken = if is_current(services, &taken.plan)? {
            taken
        } else {
            looked_at(planning::plan(services, &services.world(account)?, &table, options, compares_secrets))?
        };
        if !taken.is_shown || !taken.plan.is_doable() {
            change.leave_as_is();
        } else {
            write(change, &taken.plan, source)?;
        }
        Ok(taken)
    })
}

fn read(world: &World, file: &[u8], options: Options) -> Result<DeviceTable, ServiceError> {
    Ok(csv::read(file, options.separator, world.schemas.current()).map_err(|error| FieldErrors::one(FILE, error))?)
}

fn refuse(plan: &Plan, bad_rows: BadRows) -> Result<(), ServiceError> {
    let mut errors = FieldErrors::new();
    for row in plan.rows.iter().filter(|_| bad_rows == BadRows::Refuse) {
        for fault in row.outcome.faults() {
            errors.add(FILE, format_args!("line {}, {fault}", row.line));
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(errors.into()) }
}

/// Whether everything that a plan was made against is still so.
fn is_current(services: &Services, plan: &Plan) -> Result<bool, ServiceError> {
    let account = plan.world.account_id;
    let roster = services.roster(account);
    let is_same = |target: &Target| match (&target.old, roster.find(&target.device.key)) {
        (Some(old), Some(now)) => Arc::ptr_eq(old, &now.device),
        (None, None) => true,
        _ => false,
    };
    Ok(Arc::ptr_eq(&plan.world, &services.world(account)?) && plan.targets().all(is_same))
}

/// Writes what was planned, with one entry in the activity log for each device and one for the file.
fn write(change: &mut Change<'_>, plan: &Plan, source: &str) -> Result<(), ServiceError> {
    let mut made: HashMap<GroupId, GroupId> = HashMap::new();
    for (stands_for, name) in &plan.new_groups {
        let group = groups::add(change, GroupDraft { name: name.clone(), description: String::new() })?;
        made.insert(*stands_for, group.id);
    }
    let mut owners: HashMap<Owner, Owner> = HashMap::new();
    for (stands_for, name) in &plan.new_owners {
        let draft = NamedDraft { name: name.clone(), description: String::new() };
        let owner = match stands_for {
            Owner::Person(_) => Owner::Person(people::add_named::<Person>(change, draft)?.id),
            Owner::Room(_) => Owner::Room(people::add_named::<Room>(change, draft)?.id),
        };
        owners.insert(*stands_for, owner);
    }
    let new = plan.targets().filter(|target| target.old_profile.is_none() && !target.parameters.is_empty()).count();
    let mut next = store::profiles::next_ids(change.tx(), new as u64)?;
    for target in plan.targets() {
        change.record(plan.event(target))?;
        let mut device = target.device.clone();
        for id in &mut device.groups {
            *id = made.get(id).copied().unwrap_or(*id);
        }
        device.owner = device.owner.map(|owner| owners.get(&owner).copied().unwrap_or(owner));
        let now = change.now();
        if target.old.is_none() {
            device.added_at = now;
        }
        let is_settled_now = target.old.as_ref().is_none_or(|old| old.placement.placed != device.placement.placed);
        if let Some(placed) = device.placement.placed.as_mut().filter(|_| is_settled_now) {
            placed.at = now;
        }
        device.revision += 1;
        let profile = target.profile(next, change);
        match (&profile, &target.old_profile) {
            (Some(profile), former) => {
                if former.is_none() {
                    next = ProfileId(next.0 + 1);
                }
                if !device.profiles.contains(&profile.id) {
                    device.profiles.insert(0, profile.id);
                }
            }
            (None, Some(former)) => {
                device.profiles.retain(|id| *id != former.id);
                change.delete_profile(former.id)?;
            }
            (None, None) => {}
        }
        if let Some(profile) = profile.filter(|_| !target.has_same_parameters()) {
            change.put_profile(profile)?;
        }
        change.put_device(device)?;
    }
    let count = |word: &str| Some(plan.count(word).to_string()).filter(|count| count != "0");
    let event = Event::new("device", source, "imported");
    let event = super::OUTCOMES.iter().fold(event, |event, word| event.change(*word, None, count(word)));
    change.record(event)
}

impl Target {
    /// The device's CSV profile as it would be; none where the file leaves it no parameter. A new one has this number.
    fn profile(&self, next: ProfileId, change: &Change<'_>) -> Option<Profile> {
        if self.parameters.is_empty() {
            return None;
        }
        let modified = (change.actor().to_owned(), change.now());
        let (id, name, description, revision) = match &self.old_profile {
            Some(former) => (former.id, former.name.clone(), former.description.clone(), former.revision),
            None => (next, Name::parse(&profile_name(&self.device.key)).ok()?, String::new(), 0),
        };
        Some(Profile {
            id,
            name,
            description,
            kind: ProfileKind::UserImported,
            software: Vec::new(),
            parameters: self.parameters.clone(),
            yields: false,
            modified_by: modified.0,
            modified_at: modified.1,
            revision: revision + 1,
        })
    }

    fn has_same_parameters(&self) -> bool {
        let is_same = self.old_profile.as_ref().is_some_and(|former| former.parameters == self.parameters);
        is_same && !self.is_typed_again()
    }
}
