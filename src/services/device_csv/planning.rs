//! What each row of a file would do. Nothing here writes, and nothing waits: devices, profiles and groups are in memory.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::cells::{heading, new_device, present, takes_name, value_of};
use super::{Existing, Fault, Options, Outcome, Plan, PlannedRow, Target, advice, profile_name};
use crate::csv::devices::{Column, DeviceRow, DeviceTable};
use crate::domain::device::draft::{DeviceDraft, DeviceInput, is_of_another, wrong_family};
use crate::domain::device::{Device, DeviceKey, Owner, Serial};
use crate::domain::ids::{GroupId, PersonId, RoomId, SiteId};
use crate::domain::limits::{DEVICES, GROUPS, GROUPS_PER_DEVICE, PEOPLE, PROFILES_PER_CONTAINER};
use crate::domain::mac::Mac;
use crate::domain::model::KeyKind;
use crate::domain::names::Name;
use crate::domain::parameter::{ParameterName, ParameterSet};
use crate::domain::people::{NameRule, NamedDraft, NamedInput};
use crate::domain::profile::draft::{ParameterEdit, apply, check_parameter};
use crate::domain::profile::{Profile, ProfileKind};
use crate::domain::resolution::twin_of;
use crate::domain::world::World;
use crate::services::devices::mac_is_of;
use crate::services::roster::Roster;
use crate::services::{Services, schema};

#[path = "fields.rs"]
mod fields;

/// The end of the names of profiles that came by CSV.
const ENDING: &str = "_csv_profile";

/// What a file is planned against, and what was planned of it so far.
pub(super) struct Planner<'a> {
    table: &'a DeviceTable,
    options: Options,
    world: Arc<World>,
    roster: Arc<Roster>,
    /// The devices of other accounts.
    elsewhere: Vec<Arc<Roster>>,
    /// Devices of the installation, those that the file adds among them.
    total: usize,
    /// Profiles whose names end as those that come by CSV do.
    profiles: HashMap<String, Arc<Profile>>,
    groups: HashMap<String, GroupId>,
    sites: HashMap<String, SiteId>,
    new_groups: Vec<(GroupId, Name)>,
    /// People and rooms by what a file calls them.
    owners: HashMap<String, Owner>,
    new_owners: Vec<(Owner, Name)>,
    /// Whether a secret that is the same is none that was brought.
    compares_secrets: bool,
    /// Lines of the devices of the file.
    seen: HashMap<DeviceKey, u64>,
}

/// Faults of a row while it is looked at.
#[derive(Default)]
struct Faults(Vec<Fault>);

impl Faults {
    fn add(&mut self, column: &str, why: impl std::fmt::Display) {
        self.0.push(Fault { column: column.to_owned(), why: why.to_string() });
    }
}

/// What a file would do to the devices of an account.
pub(super) fn plan(
    services: &Services,
    world: &Arc<World>,
    table: &DeviceTable,
    options: Options,
    compares_secrets: bool,
) -> Plan {
    let mut planner = Planner { compares_secrets, ..Planner::new(services, world, table, options) };
    let rows: Vec<PlannedRow> = table.rows.iter().map(|row| planner.row(row)).collect();
    let is_taken = |planned: &PlannedRow| !matches!(planned.outcome, Outcome::Skipped | Outcome::Refused(_));
    let taken: Vec<&DeviceRow> = table.rows.iter().zip(&rows).filter(|(_, one)| is_taken(one)).map(|(row, _)| row).collect();
    let (advice, hints) = advice::of(world.schemas.current(), table, &taken);
    let mut new_groups = planner.new_groups;
    let used = |id: &GroupId| rows.iter().filter_map(|row| row.outcome.target()).any(|target| target.device.groups.contains(id));
    new_groups.retain(|(id, _)| used(id));
    let mut new_owners = planner.new_owners;
    let owned = |owner: &Owner| rows.iter().filter_map(|row| row.outcome.target()).any(|one| one.device.owner == Some(*owner));
    new_owners.retain(|(owner, _)| owned(owner));
    let hidden = advice::all_hidden(&rows, world);
    let brings_secrets = rows.iter().filter_map(|row| row.outcome.target()).any(Target::is_typed_again);
    Plan {
        separator: table.separator,
        rows,
        advice,
        hints,
        hidden,
        compares_secrets,
        brings_secrets,
        new_groups,
        new_owners,
        world: Arc::clone(world),
    }
}

impl<'a> Planner<'a> {
    fn new(services: &Services, world: &Arc<World>, table: &'a DeviceTable, options: Options) -> Self {
        let accounts = services.worlds.accounts();
        let others = accounts.iter().filter(|account| **account != world.account_id);
        let elsewhere: Vec<_> = others.map(|account| services.roster(*account)).collect();
        let roster = services.roster(world.account_id);
        let total = roster.len() + elsewhere.iter().map(|roster| roster.len()).sum::<usize>();
        let named = |profile: &Arc<Profile>| Some((profile.name.folded(), Arc::clone(profile)));
        let profiles = world.all_profiles().filter_map(named).filter(|(name, _)| name.ends_with(ENDING)).collect();
        let groups = world.groups.values().map(|group| (group.name.folded(), group.id)).collect();
        let sites = world.sites.values().map(|site| (site.name.folded(), site.id)).collect();
        let people = world.people.values().map(|one| (format!("person {}", one.name.folded()), Owner::Person(one.id)));
        let rooms = world.rooms.values().map(|one| (format!("room {}", one.name.folded()), Owner::Room(one.id)));
        let owners = people.chain(rooms).collect();
        let (world, new_groups, new_owners, seen) = (Arc::clone(world), Vec::new(), Vec::new(), HashMap::new());
        let compares_secrets = false;
        Self {
            table,
            options,
            world,
            roster,
            elsewhere,
            total,
            profiles,
            groups,
            sites,
            new_groups,
            owners,
            new_owners,
            compares_secrets,
            seen,
        }
    }

    fn row(&mut self, row: &DeviceRow) -> PlannedRow {
        let mac = self.cell(row, Column::Mac).unwrap_or_default();
        let shown = if mac.is_empty() { self.cell(row, Column::Serial).unwrap_or_default() } else { mac };
        let note = mac
            .contains([':', '-', '.', ' '])
            .then(|| "the MAC address is written with separators, which the vendor's service refuses".to_owned());
        let mut planned = PlannedRow {
            line: row.line,
            key: shown.chars().take(40).collect(),
            name: self.cell(row, Column::Name).unwrap_or_default().chars().take(80).collect(),
            note,
            outcome: Outcome::Skipped,
        };
        let mut faults = Faults::default();
        let outcome = match row.fault() {
            Some(why) => {
                faults.add("", why);
                None
            }
            None => self.outcome(row, &mut planned, &mut faults),
        };
        planned.outcome = match outcome {
            Some(outcome) if faults.0.is_empty() => {
                self.total += usize::from(matches!(outcome, Outcome::Added(_)));
                outcome
            }
            _ => Outcome::Refused(faults.0),
        };
        planned
    }

    fn cell<'r>(&self, row: &'r DeviceRow, column: Column) -> Option<&'r str> {
        self.table.cell(row, column)
    }

    /// What a row does, or its faults.
    fn outcome(&mut self, row: &DeviceRow, planned: &mut PlannedRow, faults: &mut Faults) -> Option<Outcome> {
        let key = self.key(row, faults)?;
        planned.key = key.to_string();
        if let Some(first) = self.seen.insert(key.clone(), row.line) {
            self.seen.insert(key, first);
            faults.add("", format_args!("this device stands in line {first} already"));
            return None;
        }
        let old = self.roster.find(&key).map(|listed| listed.device);
        if old.is_some() && self.options.existing == Existing::Skip {
            return Some(Outcome::Skipped);
        }
        if old.is_none() {
            self.check_new(&key, faults);
        }
        let own = self.profiles.get(&profile_name(&key)).cloned();
        if own.as_ref().is_some_and(|profile| profile.kind != ProfileKind::UserImported) {
            faults.add(
                "",
                format_args!("there is a profile {} that is none of a CSV file; rename that one first", profile_name(&key)),
            );
            return None;
        }
        let device = self.device(row, key, old.as_deref(), faults)?;
        let parameters = self.parameters(row, own.as_deref(), faults);
        let none = ParameterSet::new();
        let former = own.as_deref().map_or(&none, |profile| &profile.parameters);
        if let Err(ruled_out) = schema::refuse_changes(&self.world, former, &parameters) {
            ruled_out.iter().for_each(|error| faults.add("", &error.message));
        }
        let target = Target { old, old_profile: own, device, parameters };
        if !target.parameters.is_empty() && !target.is_attached() && target.device.profiles.len() >= PROFILES_PER_CONTAINER {
            faults.add("", format_args!("the device has {PROFILES_PER_CONTAINER} profiles already, which is the most"));
        }
        Some(match &target.old {
            None => Outcome::Added(Box::new(target)),
            Some(old) if target.device == **old && target.has_same_profile() => Outcome::Unchanged,
            Some(_) => Outcome::Changed(Box::new(target)),
        })
    }

    /// Which device a row is about (R267): phones go by their MAC, others by their serial number, and of those the type must be told.
    fn key(&self, row: &DeviceRow, faults: &mut Faults) -> Option<DeviceKey> {
        let (mac_at, serial_at) = (Column::Mac.heading(), Column::Serial.heading());
        let typed = |column| self.cell(row, column).filter(|text| !text.is_empty());
        let mac = match typed(Column::Mac).map(str::parse::<Mac>) {
            Some(Ok(mac)) if !mac.is_zero() => Some(DeviceKey::Mac(mac)),
            None => None,
            Some(_) => {
                faults.add(mac_at, "a MAC address has 12 hexadecimal digits, such as 0004f2abcdef");
                return None;
            }
        };
        let serial = match typed(Column::Serial).map(Serial::parse) {
            Some(Ok(serial)) => Some(DeviceKey::Serial(serial)),
            None => None,
            Some(Err(_)) => {
                faults.add(serial_at, "a serial number has 8 to 32 letters and digits, and no separators");
                return None;
            }
        };
        let family = typed(Column::Type).and_then(|text| self.world.models.family(text));
        let is_known = |key: &DeviceKey| self.roster.find(key).is_some();
        match (mac, serial, family.map(|family| family.key)) {
            (Some(mac), Some(serial), None) if !is_known(&mac) && is_known(&serial) => Some(serial),
            (Some(mac), _, None | Some(KeyKind::Mac)) => Some(mac),
            (_, Some(serial), Some(KeyKind::Serial)) => Some(serial),
            (None, Some(serial), None) if is_known(&serial) || typed(Column::Type).is_some() => Some(serial),
            (None, Some(_), None) => {
                let column = Column::Type.heading();
                faults.add(column, format_args!("required for devices that go by a serial number; one of: {}", self.types()));
                None
            }
            (None, Some(_), Some(KeyKind::Mac)) => {
                faults.add(mac_at, "devices of this type go by their MAC address; fill it in");
                None
            }
            (Some(_), None, Some(KeyKind::Serial)) => {
                faults.add(serial_at, "devices of this type go by their serial number; fill it in");
                None
            }
            (None, None, _) => {
                let column = if self.table.has(Column::Mac) { mac_at } else { serial_at };
                faults.add(column, "the row names no device: enter its MAC address or its serial number");
                None
            }
        }
    }

    fn types(&self) -> String {
        self.world.models.families().map(|family| family.name.as_str()).collect::<Vec<_>>().join(", ")
    }

    /// Whether a device of this key may come in.
    fn check_new(&self, key: &DeviceKey, faults: &mut Faults) {
        if let Some((mac, other)) = key.mac().and_then(|mac| Some((mac, self.roster.keeper(mac)?))) {
            faults.add(Column::Mac.heading(), mac_is_of(mac, &other));
        }
        if self.world.blocked.contains(key) {
            faults.add("", "this device was deleted and blocked; unblock it first");
        }
        if self.elsewhere.iter().any(|roster| roster.find(key).is_some()) {
            faults.add("", "this device belongs to another account of this installation; delete it there first");
        }
        if self.total >= DEVICES {
            faults.add("", format_args!("an installation has at most {DEVICES} devices, and they are there already"));
        }
    }

    /// The device as the row makes it.
    fn device(&mut self, row: &DeviceRow, key: DeviceKey, old: Option<&Device>, faults: &mut Faults) -> Option<Device> {
        let text = |column| self.cell(row, column).unwrap_or_default().to_owned();
        let known = old.and_then(|old| old.family.clone()).unwrap_or_default();
        let typed = text(Column::Type);
        let (name, model) = (text(Column::Name), text(Column::Model));
        // What somebody said of a device that never came may be wrong (R239); what it told itself stays.
        let has_come = self.roster.find(&key).is_some_and(|listed| listed.has_come());
        let is_corrected = !has_come && self.world.models.family_of_model(&model).is_some();
        let family = match typed.is_empty() {
            true if is_corrected => String::new(),
            true => known,
            false => typed.clone(),
        };
        let (sent_name, description) = (text(Column::SentName), text(Column::Description));
        let private_ip = text(Column::PrivateIp);
        let key_text = key.to_string();
        let input =
            DeviceInput { key: key_text, name, sent_name, description, family, model, private_ip, ..DeviceInput::default() };
        let draft = match DeviceDraft::parse(&input, self.world.models) {
            Ok(draft) => draft,
            Err(errors) => {
                for error in errors.iter() {
                    faults.add(heading(error.field, &key), &error.message);
                }
                return None;
            }
        };
        if let (true, Some(old), Some(family)) = (has_come, old, self.world.models.family(&typed).filter(|_| !typed.is_empty()))
            && let Some(why) = wrong_family(family, old, self.world.models)
        {
            faults.add(Column::Type.heading(), why);
        }
        let mut device = old.cloned().unwrap_or_else(|| new_device(key));
        device.family = draft.family.or(device.family.take());
        let kept = device.model.take().filter(|model| {
            let family = device.family.as_deref().and_then(|name| self.world.models.family(name));
            has_come || family.is_none_or(|family| !is_of_another(Some(model), family, self.world.models))
        });
        device.model = draft.model.or(kept);
        if !takes_name(&device, self.world.models) {
            device.sent_name = None;
        }
        self.tell(row, draft.edit, old.is_none_or(|old| old.family.is_none()), &mut device);
        self.keep_mac(row, &mut device, faults);
        self.join(row, &mut device, faults);
        self.settle(row, &mut device, faults);
        self.pin(row, &mut device, faults);
        self.own(row, &mut device, faults);
        Some(device)
    }

    /// Puts a device into the groups of its row (R270): after those it is in, or in their place where everything is overwritten. Where
    /// the file has no such column, groups stay.
    fn join(&mut self, row: &DeviceRow, device: &mut Device, faults: &mut Faults) {
        let Some(text) = self.cell(row, Column::Groups) else { return };
        let mut groups = match self.options.existing {
            Existing::Overwrite => Vec::new(),
            Existing::Merge | Existing::Skip => device.groups.clone(),
        };
        for name in text.split('|').map(str::trim).filter(|name| !name.is_empty()) {
            match self.group(name) {
                Ok(id) if groups.contains(&id) => {}
                Ok(id) => groups.push(id),
                Err(why) => faults.add(Column::Groups.heading(), why),
            }
        }
        if groups.len() > GROUPS_PER_DEVICE {
            let count = groups.len();
            faults.add(
                Column::Groups.heading(),
                format_args!("a device is in at most {GROUPS_PER_DEVICE} groups; these are {count}"),
            );
        }
        device.groups = groups;
    }

    /// The group of a name; one that is still to be made has a number that no group has.
    fn group(&mut self, text: &str) -> Result<GroupId, String> {
        let name = Name::parse(text).map_err(|error| format!("“{text}”: {error}"))?;
        let folded = name.folded();
        if let Some(id) = self.groups.get(&folded) {
            return Ok(*id);
        }
        if !self.options.create_groups {
            return Err(format!("there is no device group “{name}”; make it first, or let this import make it"));
        }
        if self.world.groups.len() + self.new_groups.len() >= GROUPS {
            return Err(format!("“{name}” cannot be made: an account has at most {GROUPS} device groups"));
        }
        let id = GroupId(u64::MAX - self.new_groups.len() as u64);
        self.groups.insert(folded, id);
        self.new_groups.push((id, name));
        Ok(id)
    }

    /// Says whose a device is. An empty cell leaves it as it is.
    fn own(&mut self, row: &DeviceRow, device: &mut Device, faults: &mut Faults) {
        let Some(text) = self.cell(row, Column::Owner).filter(|text| !text.is_empty()) else { return };
        match self.owner(text) {
            Ok(owner) => device.owner = Some(owner),
            Err(why) => faults.add(Column::Owner.heading(), why),
        }
    }

    /// The person or room of a name; one that is still to be made has a number that none has.
    fn owner(&mut self, text: &str) -> Result<Owner, String> {
        let (kind, name) = text
            .split_once(' ')
            .filter(|(kind, _)| ["person", "room"].iter().any(|known| known.eq_ignore_ascii_case(kind)))
            .ok_or_else(|| format!("“{text}”: write person or room and the name, such as person Ada or room Lobby"))?;
        let is_room = kind.eq_ignore_ascii_case("room");
        let rule = if is_room { NameRule::Room } else { NameRule::Usual };
        let input = NamedInput { name: name.to_owned(), description: String::new() };
        let NamedDraft { name, .. } = NamedDraft::parse(&input, rule).map_err(|wrong| format!("“{name}”: {wrong}"))?;
        let kind = if is_room { "room" } else { "person" };
        let known = format!("{kind} {}", name.folded());
        if let Some(owner) = self.owners.get(&known) {
            return Ok(*owner);
        }
        if !self.options.create_groups {
            return Err(format!("there is no {kind} “{name}”; add it first, or let this import make it"));
        }
        if self.world.people.len().max(self.world.rooms.len()) + self.new_owners.len() >= PEOPLE {
            return Err(format!("“{name}” cannot be made: an account has at most {PEOPLE} of them"));
        }
        let number = u64::MAX - self.new_owners.len() as u64;
        let owner = if is_room { Owner::Room(RoomId(number)) } else { Owner::Person(PersonId(number)) };
        self.owners.insert(known, owner);
        self.new_owners.push((owner, name));
        Ok(owner)
    }

    /// The parameters of the device's CSV profile as the row makes them. Empty cells say nothing (R285).
    fn parameters(&self, row: &DeviceRow, own: Option<&Profile>, faults: &mut Faults) -> ParameterSet {
        let none = ParameterSet::new();
        let former = own.map_or(&none, |profile| &profile.parameters);
        let mut edits = Vec::with_capacity(self.table.parameters.len());
        for (place, name) in &self.table.parameters {
            let value = row.at(*place);
            if value.is_empty() {
                continue;
            }
            let present = present(former, name);
            let name = present.map_or(name, |(name, _)| name);
            let stored = present.map(|(_, value)| value);
            match value_of(name, value, stored, self.compares_secrets)
                .and_then(|value| check_parameter(name, &value).map(|()| value))
            {
                Ok(value) => edits.push((name.clone(), value)),
                Err(why) => faults.add(name.as_str(), why),
            }
        }
        let begin = if self.options.existing == Existing::Overwrite { &none } else { former };
        // The twin of an empty cell says nothing either.
        let with_value: BTreeSet<ParameterName> = edits.iter().map(|(name, _)| name.clone()).collect();
        let is_said = |name: &ParameterName| {
            twin_of(name.as_str()).is_none_or(|base| begin.get(base).is_some() || with_value.contains(base))
        };
        edits.retain(|(name, _)| is_said(name));
        let edits: Vec<_> = edits.into_iter().map(|(name, value)| ParameterEdit::Set(name, value)).collect();
        apply(begin, &edits).unwrap_or_else(|why| {
            faults.add("", why);
            none.clone()
        })
    }
}
