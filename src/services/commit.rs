//! The one door for changes of state. Permission, activity log and refreshed memory each have their place here and cannot be
//! forgotten elsewhere: nobody else calls [`crate::store::Store::write`].
//!
//! A change takes a [`Grant`], runs in one transaction that also appends its activity entries, and is visible in World and
//! Roster before the caller is answered. One change runs at a time. What it does to devices is worked out before it is kept, where
//! the grant says that somebody has to be shown it first ([`super::foresight`]).

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;

use super::error::ServiceError;
use super::flash_values;
use super::foresight::{self, Outlook};
use super::roster::RosterChange;
use super::trusts::TrustChange;
use super::world::WorldChange;
use super::{Services, downgrades};
use crate::domain::access::Grant;
use crate::domain::account::Account;
use crate::domain::activity::{Activity, Event};
use crate::domain::deployment::Place;
use crate::domain::device::{Block, Device, DeviceKey, Sighting};
use crate::domain::device_file::DeviceFile;
use crate::domain::group::Group;
use crate::domain::ids::{AccountId, GroupId, ImageId, PersonGroupId, PersonId, ProfileId, ResourceId, RoomId, SiteId};
use crate::domain::image::Image;
use crate::domain::parameter::ParameterName;
use crate::domain::people::{Person, PersonGroup, Room};
use crate::domain::profile::Profile;
use crate::domain::resource::Resource;
use crate::domain::site::Site;
use crate::domain::trust::Trust;
use crate::store::{self, WriteTx};

/// A change of one account while it is being made. Reads through [`Change::tx`] see what was written before them.
pub struct Change<'a> {
    services: &'a Services,
    tx: &'a WriteTx,
    account: AccountId,
    actor: &'a str,
    now: Timestamp,
    recorded: usize,
    /// Nothing is to be recorded: what was asked for is as it was, or concerns nobody else.
    is_none: bool,
    effects: Effects,
}

/// What has to happen in memory once the transaction is kept.
#[derive(Default)]
pub(super) struct Effects {
    pub(super) world: Vec<WorldChange>,
    pub(super) roster: Vec<RosterChange>,
    trusts: Vec<(DeviceKey, TrustChange)>,
    /// Secrets of profiles that were typed anew, with the value that they had.
    pub(super) typed_again: Vec<(ProfileId, ParameterName)>,
}

/// What the writer's lock guards.
#[derive(Debug, Default)]
pub(super) struct Writer {
    /// The opening of the database that World and Roster were read from.
    generation: u64,
}

/// Whether a change is kept or only tried out (`dry_run`, contract 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// It is kept.
    Keep,
    /// It is undone; the answer is what would have been.
    TryOut,
}

/// Makes a change, or finds out what it would do.
pub fn perform<T>(
    services: &Services,
    mode: Mode,
    grant: Grant,
    account: AccountId,
    make: impl FnOnce(&mut Change<'_>) -> Result<T, ServiceError>,
) -> Result<T, ServiceError> {
    match mode {
        Mode::Keep => commit(services, grant, account, make),
        Mode::TryOut => try_out(services, grant, account, make),
    }
}

/// Makes a change of an account, or of the server with [`crate::domain::activity::SERVER`].
///
/// # Errors
/// What the closure or the store reports, or [`ServiceError::Unconfirmed`]; then nothing was changed.
pub fn commit<T>(
    services: &Services,
    grant: Grant,
    account: AccountId,
    make: impl FnOnce(&mut Change<'_>) -> Result<T, ServiceError>,
) -> Result<T, ServiceError> {
    let mut writer = services.writer.lock();
    refresh_if_reopened(services, &mut writer)?;
    let now = services.clock.now();
    let begun = Instant::now();
    let written = services.store.write(|tx| {
        let mut by_itself = None;
        let make_and_serve = |change: &mut Change<'_>| {
            let value = make(change)?;
            by_itself = flash_values::serve(services, change, grant.consent().flash_values())?;
            Ok(value)
        };
        let (value, mut effects) = run(services, tx, &grant, account, now, make_and_serve)?;
        // Within the transaction: what is agreed to is what is written, whoever else changes something meanwhile.
        foresight::must_be_agreed(services, account, grant.consent(), &effects, by_itself)?;
        downgrades::allow_as_agreed(services, tx, &grant, account, now, &mut effects)?;
        Ok((value, effects))
    });
    services.metrics.committed(begun.elapsed(), !matches!(&written, Err(error) if !matches!(error, ServiceError::Unconfirmed)));
    let (value, effects) = written?;
    let gone = gone(&effects.roster);
    if writer.generation == services.store.generation() {
        services.trusts.apply(account, effects.trusts);
        // Blocked before it is unknown: a phone that asks in between would be added again.
        services.worlds.apply(account, effects.world);
        let apply = || services.rosters.apply(account, effects.roster);
        if gone.is_empty() { apply() } else { services.presence.forget(account, &gone, apply) }
    } else {
        refresh_if_reopened(services, &mut writer)?;
        services.presence.forget(account, &gone, || ());
    }
    Ok(value)
}

fn gone(changes: &[RosterChange]) -> HashSet<DeviceKey> {
    changes.iter().filter_map(|change| if let RosterChange::Gone(key) = change { Some(key.clone()) } else { None }).collect()
}

/// Finds out what a change would do, and leaves everything as it is.
pub fn try_out<T>(
    services: &Services,
    grant: Grant,
    account: AccountId,
    make: impl FnOnce(&mut Change<'_>) -> Result<T, ServiceError>,
) -> Result<T, ServiceError> {
    let (value, outlook) = {
        let mut writer = services.writer.lock();
        refresh_if_reopened(services, &mut writer)?;
        let now = services.clock.now();
        let (value, effects) = services.store.try_out(|tx| run(services, tx, &grant, account, now, make))?;
        (value, grant.consent().listens().then(|| Outlook::new(services, account, &effects)).flatten())
    };
    // Nobody waits for what it would do: the writer's lock is free again.
    if let Some(outlook) = outlook {
        grant.consent().note_trial(outlook.told(services));
    }
    Ok(value)
}

pub(super) fn run<T>(
    services: &Services,
    tx: &WriteTx,
    grant: &Grant,
    account: AccountId,
    now: Timestamp,
    make: impl FnOnce(&mut Change<'_>) -> Result<T, ServiceError>,
) -> Result<(T, Effects), ServiceError> {
    let (actor, effects) = (grant.actor(), Effects::default());
    let mut change = Change { services, tx, account, actor, now, recorded: 0, is_none: false, effects };
    let value = make(&mut change)?;
    let is_told = grant.is_system() || change.recorded > 0 || change.is_none;
    debug_assert!(is_told, "a change by a person is recorded in the activity log");
    Ok((value, change.effects))
}

/// A commit that was reported as failed may have been kept after all: after a reopening only the store knows.
fn refresh_if_reopened(services: &Services, writer: &mut Writer) -> Result<(), ServiceError> {
    let generation = services.store.generation();
    if writer.generation != generation {
        services.rebuild()?;
        writer.generation = generation;
    }
    Ok(())
}

impl<'a> Change<'a> {
    /// The transaction, for rows that live in no memory: users, sessions, runs, files.
    pub fn tx(&self) -> &'a WriteTx {
        self.tx
    }

    /// The account that is changed.
    pub fn account_id(&self) -> AccountId {
        self.account
    }

    /// When the change is made: one time for all of it.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Who makes it, as the activity log names it.
    pub fn actor(&self) -> &'a str {
        self.actor
    }

    /// Appends an entry to the account's activity log. Secrets are masked by the caller.
    pub fn record(&mut self, event: Event) -> Result<(), ServiceError> {
        self.recorded += 1;
        let entry = Activity { at: self.now, actor: self.actor.to_owned(), event: event.bounded() };
        Ok(store::activity::append(self.tx, self.account, &entry)?)
    }

    /// Says that what was asked for is as it was: then nothing is written, no revision counts and nothing is recorded.
    pub fn leave_as_is(&mut self) {
        self.is_none = true;
    }

    /// Says that the change concerns nobody but whoever makes it: nothing is recorded.
    pub fn concerns_nobody_else(&mut self) {
        self.is_none = true;
    }

    /// One device.
    pub fn device(&self, key: &DeviceKey) -> Result<Option<Device>, ServiceError> {
        Ok(store::devices::get(self.tx, self.account, key)?)
    }

    /// Writes a device, new or changed.
    pub fn put_device(&mut self, device: Device) -> Result<(), ServiceError> {
        store::devices::put(self.tx, self.account, &device)?;
        self.effects.roster.push(RosterChange::Device(Arc::new(device)));
        Ok(())
    }

    /// Removes a device, its sighting, and what is remembered of its flash.
    pub fn delete_device(&mut self, key: &DeviceKey) -> Result<(), ServiceError> {
        store::devices::delete(self.tx, self.account, key)?;
        store::sightings::delete(self.tx, self.account, key)?;
        store::flash::delete(self.tx, self.account, key)?;
        self.effects.roster.push(RosterChange::Gone(key.clone()));
        Ok(())
    }

    /// Puts back what a device had told that comes from the recycle bin.
    pub(super) fn put_sighting_back(&mut self, key: &DeviceKey, sighting: Sighting) -> Result<(), ServiceError> {
        store::sightings::put(self.tx, self.account, key, &sighting)?;
        self.effects.roster.push(RosterChange::Sighted(key.clone(), Arc::new(sighting)));
        Ok(())
    }

    /// What the change does to World and Roster so far, for the recycle bin.
    pub(super) fn so_far(&self) -> (&[WorldChange], &[RosterChange]) {
        (&self.effects.world, &self.effects.roster)
    }

    /// All that the change does in memory so far.
    pub(super) fn effects(&self) -> &Effects {
        &self.effects
    }

    /// Writes what a device told. Memory already has it or something newer, so the Roster is left alone.
    pub fn put_sighting(&mut self, key: &DeviceKey, sighting: &Sighting) -> Result<(), ServiceError> {
        Ok(store::sightings::put(self.tx, self.account, key, sighting)?)
    }

    /// Changes what is known of a key. The change is made twice, to the row and to memory, where phones may have taught more
    /// meanwhile: it must not depend on anything but the value it is given.
    pub fn change_trust(
        &mut self,
        key: &DeviceKey,
        change: impl Fn(&mut Trust) + Send + 'static,
    ) -> Result<Arc<Trust>, ServiceError> {
        let mut trust = Trust::clone(&self.services.trusts(self.account).of(key));
        change(&mut trust);
        if trust == Trust::default() {
            store::trusts::delete(self.tx, self.account, key)?;
        } else {
            store::trusts::put(self.tx, self.account, key, &trust)?;
        }
        self.effects.trusts.push((key.clone(), Box::new(change)));
        Ok(Arc::new(trust))
    }

    /// Writes the row of a file that a device stored, whose content is among the blobs. Answers the row in whose place it came.
    pub fn put_file(&mut self, key: &DeviceKey, file: DeviceFile) -> Result<Option<DeviceFile>, ServiceError> {
        let former = store::stored_files::get(self.tx, self.account, key, &file.name)?;
        store::stored_files::put(self.tx, self.account, key, &file)?;
        self.effects.roster.push(RosterChange::File(key.clone(), file.alone()));
        Ok(former)
    }

    /// Removes the row of a file of a device. Its content goes once the change is kept.
    pub fn delete_file(&mut self, key: &DeviceKey, name: &str) -> Result<(), ServiceError> {
        store::stored_files::delete(self.tx, self.account, key, name)?;
        self.effects.roster.push(RosterChange::FileGone(key.clone(), name.to_owned()));
        Ok(())
    }

    /// The account's settings, secrets opened.
    pub fn account(&self) -> Result<Option<Account>, ServiceError> {
        match store::accounts::get(self.tx, self.account)? {
            Some(stored) => Ok(Some(self.services.secrets.open_account(self.account, stored)?)),
            None => Ok(None),
        }
    }

    /// The same of an account that is there.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`].
    pub fn settings(&self) -> Result<Account, ServiceError> {
        self.account()?.ok_or_else(|| ServiceError::not_found("account", self.account))
    }

    /// Writes the account's settings; seals its secrets.
    pub fn put_account(&mut self, account: Account) -> Result<(), ServiceError> {
        store::accounts::put(self.tx, self.account, &self.services.secrets.seal_account(self.account, &account))?;
        self.effects.world.push(WorldChange::Account(Arc::new(account)));
        Ok(())
    }

    /// One profile, secrets opened.
    pub fn profile(&self, id: ProfileId) -> Result<Option<Profile>, ServiceError> {
        match store::profiles::get(self.tx, self.account, id)? {
            Some(stored) => Ok(Some(self.services.secrets.open_profile(self.account, stored)?)),
            None => Ok(None),
        }
    }

    /// Writes a profile, new or changed; seals its secrets.
    pub fn put_profile(&mut self, profile: Profile) -> Result<(), ServiceError> {
        store::profiles::put(self.tx, self.account, &self.services.secrets.seal_profile(self.account, &profile))?;
        let world = self.services.worlds.get(self.account);
        if let Some(former) = world.as_ref().and_then(|world| world.profiles.get(&profile.id)) {
            let again = profile.parameters.typed_again(&former.parameters).cloned();
            self.effects.typed_again.extend(again.map(|name| (profile.id, name)));
        }
        self.effects.world.push(WorldChange::Profile(Arc::new(profile)));
        Ok(())
    }

    /// Removes a profile. Where it is attached must have been cleared before.
    pub fn delete_profile(&mut self, id: ProfileId) -> Result<(), ServiceError> {
        store::profiles::delete(self.tx, self.account, id)?;
        self.effects.world.push(WorldChange::ProfileGone(id));
        Ok(())
    }

    /// Writes a site, new or changed.
    pub fn put_site(&mut self, site: Site) -> Result<(), ServiceError> {
        store::sites::put(self.tx, self.account, &site)?;
        self.effects.world.push(WorldChange::Site(Arc::new(site)));
        Ok(())
    }

    /// Removes a site. Devices and profiles of it must have been taken care of before.
    pub fn delete_site(&mut self, id: SiteId) -> Result<(), ServiceError> {
        store::sites::delete(self.tx, self.account, id)?;
        self.effects.world.push(WorldChange::SiteGone(id));
        Ok(())
    }

    /// Sets the profiles of a place, highest first.
    pub fn put_place(&mut self, place: Place, profiles: Vec<ProfileId>) -> Result<(), ServiceError> {
        store::deployment::put(self.tx, self.account, &place, &profiles)?;
        self.effects.world.push(WorldChange::Place(place, profiles));
        Ok(())
    }

    /// Writes a device group, new or changed.
    pub fn put_group(&mut self, group: Group) -> Result<(), ServiceError> {
        store::groups::put(self.tx, self.account, &group)?;
        self.effects.world.push(WorldChange::Group(Arc::new(group)));
        Ok(())
    }

    /// Removes a device group. Its members, its profiles and its place among the defaults must have been cleared before.
    pub fn delete_group(&mut self, id: GroupId) -> Result<(), ServiceError> {
        store::groups::delete(self.tx, self.account, id)?;
        self.effects.world.push(WorldChange::GroupGone(id));
        Ok(())
    }

    /// Sets the groups that automatically added devices join.
    pub fn put_default_groups(&mut self, groups: Vec<GroupId>) -> Result<(), ServiceError> {
        store::groups::put_defaults(self.tx, self.account, &groups)?;
        self.effects.world.push(WorldChange::DefaultGroups(groups));
        Ok(())
    }

    /// Writes a person, new or changed.
    pub fn put_person(&mut self, person: Person) -> Result<(), ServiceError> {
        store::people::put(self.tx, self.account, &person)?;
        self.effects.world.push(WorldChange::Person(Arc::new(person)));
        Ok(())
    }

    /// Removes a person. What the person owned and was given must have been cleared before.
    pub fn delete_person(&mut self, id: PersonId) -> Result<(), ServiceError> {
        store::people::delete(self.tx, self.account, id)?;
        self.effects.world.push(WorldChange::PersonGone(id));
        Ok(())
    }

    /// Writes a group of people, new or changed.
    pub fn put_person_group(&mut self, group: PersonGroup) -> Result<(), ServiceError> {
        store::people::put_group(self.tx, self.account, &group)?;
        self.effects.world.push(WorldChange::PersonGroup(Arc::new(group)));
        Ok(())
    }

    /// Removes a group of people. Its members and its profiles must have been cleared before.
    pub fn delete_person_group(&mut self, id: PersonGroupId) -> Result<(), ServiceError> {
        store::people::delete_group(self.tx, self.account, id)?;
        self.effects.world.push(WorldChange::PersonGroupGone(id));
        Ok(())
    }

    /// Writes a room, new or changed.
    pub fn put_room(&mut self, room: Room) -> Result<(), ServiceError> {
        store::people::put_room(self.tx, self.account, &room)?;
        self.effects.world.push(WorldChange::Room(Arc::new(room)));
        Ok(())
    }

    /// Removes a room. What stood in it and its profiles must have been cleared before.
    pub fn delete_room(&mut self, id: RoomId) -> Result<(), ServiceError> {
        store::people::delete_room(self.tx, self.account, id)?;
        self.effects.world.push(WorldChange::RoomGone(id));
        Ok(())
    }

    /// Writes an image, new or changed; its files are among the blobs already.
    pub fn put_image(&mut self, image: Image) -> Result<(), ServiceError> {
        store::images::put(self.tx, self.account, &image)?;
        self.effects.world.push(WorldChange::Image(Arc::new(image)));
        Ok(())
    }

    /// Removes an image. Its profile, where that is attached and its files are for the caller to see to.
    pub fn delete_image(&mut self, id: ImageId) -> Result<(), ServiceError> {
        store::images::delete(self.tx, self.account, id)?;
        self.effects.world.push(WorldChange::ImageGone(id));
        Ok(())
    }

    /// Writes the row of a resource file, new or changed, whose content is among the blobs.
    pub fn put_resource(&mut self, resource: Resource) -> Result<(), ServiceError> {
        store::resources::put(self.tx, self.account, &resource)?;
        self.effects.world.push(WorldChange::Resource(Arc::new(resource)));
        Ok(())
    }

    /// Removes a resource file's row. The content goes once the change is kept.
    pub fn delete_resource(&mut self, id: ResourceId) -> Result<(), ServiceError> {
        store::resources::delete(self.tx, self.account, id)?;
        self.effects.world.push(WorldChange::ResourceGone(id));
        Ok(())
    }

    /// Writes the part numbers that a model was found to have.
    pub fn put_part_numbers(&mut self, model: &str, parts: Vec<String>) -> Result<(), ServiceError> {
        store::part_numbers::put(self.tx, self.account, model, &parts)?;
        self.effects.world.push(WorldChange::PartNumbers(model.to_owned(), parts));
        Ok(())
    }

    /// Says that the schemas of the account are other ones now: their rows are written already.
    pub(super) fn schemas_changed(&mut self) -> Result<(), ServiceError> {
        let schemas = super::schema::read_all(self.tx, self.account)?;
        self.effects.world.push(WorldChange::Schemas(Arc::new(schemas)));
        Ok(())
    }

    /// Holds a key until it is unblocked.
    pub fn block(&mut self, key: &DeviceKey, block: &Block) -> Result<(), ServiceError> {
        store::blocked::put(self.tx, self.account, key, block)?;
        let keys = [Some(key.clone()), block.mac.map(DeviceKey::from)].into_iter().flatten();
        self.effects.world.extend(keys.map(WorldChange::Blocked));
        Ok(())
    }

    /// Lifts a block and answers what it was; none where the key was not blocked.
    pub fn unblock(&mut self, key: &DeviceKey) -> Result<Option<Block>, ServiceError> {
        let former = store::blocked::get(self.tx, self.account, key)?;
        store::blocked::delete(self.tx, self.account, key)?;
        self.effects.world.push(WorldChange::Unblocked(key.clone()));
        // A MAC that is held for itself, too, stays so.
        if let Some(mac) = former.as_ref().and_then(|block| block.mac).map(DeviceKey::from)
            && store::blocked::get(self.tx, self.account, &mac)?.is_none()
        {
            self.effects.world.push(WorldChange::Unblocked(mac));
        }
        Ok(former)
    }
}
