//! The order that the demo's house is in: sites with the networks of its phones, groups, people, rooms, and profiles of all of these.
//! Made through the services, as pages make it.

use std::collections::BTreeSet;

use super::fleet;
use crate::domain::access::Actor;
use crate::domain::deployment::Place;
use crate::domain::device::{DeviceKey, Owner};
use crate::domain::group::{GroupDraft, GroupInput};
use crate::domain::ids::{DEFAULT_ACCOUNT, GroupId, PersonGroupId, PersonId, ProfileId, SiteId};
use crate::domain::people::{NamedDraft, NamedInput, Person, PersonGroup, Room};
use crate::domain::site::draft::{NetworkInput, SiteDraft, SiteInput};
use crate::services::commit::Mode;
use crate::services::deployment::{self, Target};
use crate::services::error::ServiceError;
use crate::services::membership::MemberChange;
use crate::services::people::Organised;
use crate::services::people_bulk::{self, PeopleChange};
use crate::services::{Services, groups, membership, people, sites};
use crate::simulate::address::own_address;

/// A site of the demo: name, location, time zone, and the 21 bits of its networks below each /16 that phones of the house have.
type SiteText = (&'static str, &'static str, &'static str, u8);

const SITES: &[SiteText] = &[
    ("Berlin", "Head office, Invalidenstraße", "", 16),
    ("London", "Bishopsgate", "Europe/London", 24),
    ("New York", "Fifth Avenue", "America/New_York", 32),
];

/// A site whose phones come from elsewhere now: their moves wait.
const MOVED: (&str, &str) = ("Potsdam", "Closed in spring");

/// Groups, the strongest first, with the phones that are in them: every so manieth, from which one on.
const GROUPS: &[(&str, &str, u32, u32)] = &[
    ("Meeting rooms", "Devices that nobody sits at", 9, 5),
    ("Workshop", "Loud surroundings", 9, 7),
    ("Pilot", "They get what is new before the others", 25, 3),
];

/// The group that phones join which are met at their first contact.
const NEWCOMERS: (&str, &str) = ("New phones", "Met at their first contact; look at them and sort them");

const PEOPLE: &[&str] = &["Ada Okonkwo", "Bruno Keller", "Chiara Rossi", "Dmitri Petrov", "Esra Yılmaz", "Fergus Boyd"];
const PERSON_GROUPS: &[(&str, &str)] = &[("Reception", "They answer for everybody"), ("Sales", "")];
const ROOMS: &[&str] = &["Aquarium", "Library", "Roof terrace"];

/// The site from which devices have gone.
pub struct Order {
    /// Its number.
    pub moved: SiteId,
}

/// Makes all of it but for the profiles that places have. Before the devices are added, so that they find their sites.
pub fn sites(services: &Services, actor: &Actor) -> Result<Order, ServiceError> {
    let seconds: BTreeSet<u8> = (0..fleet::PHONES).map(|index| own_address(fleet::mac(index)).octets()[1]).collect();
    let public = |third: u8| {
        let network = |second: &u8| NetworkInput { public: format!("127.{second}.{third}.0/21"), private: Vec::new() };
        seconds.iter().map(network).collect()
    };
    let inputs = SITES.iter().map(|(name, location, zone, third)| SiteInput {
        name: (*name).to_owned(),
        location: (*location).to_owned(),
        time_zone: (*zone).to_owned(),
        networks: public(*third),
        ..SiteInput::default()
    });
    let moved = SiteInput {
        name: MOVED.0.to_owned(),
        location: MOVED.1.to_owned(),
        networks: vec![NetworkInput { public: "198.51.100.0/24".to_owned(), private: vec!["10.20.0.0/16".to_owned()] }],
        download_path: "https://images.potsdam.example.com/".to_owned(),
        ..SiteInput::default()
    };
    let drafts = inputs.chain([moved]).map(|input| SiteDraft::parse(&input)).collect::<Result<Vec<_>, _>>()?;
    let saved = sites::create(services, actor, DEFAULT_ACCOUNT, drafts, Mode::Keep)?;
    let moved = saved.sites.last().map_or(crate::domain::site::INTERNET, |site| site.id);
    Ok(Order { moved })
}

/// Groups with their members, people and rooms with their devices, and what places are given.
pub fn rest(services: &Services, actor: &Actor) -> Result<(), ServiceError> {
    let groups = make_groups(services, actor)?;
    let (people, rooms) = make_people(services, actor)?;
    let world = services.world(DEFAULT_ACCOUNT)?;
    let profile = |name: &str| world.all_profiles().find(|one| one.name.as_str() == name).map(|one| one.id);
    let site = |name: &str| world.sites.values().find(|one| one.name.as_str() == name).map(|one| Place::Site(one.id));
    let attached: [(Option<Place>, &[&str]); 7] = [
        (site("London"), &["Language-English-UK", "TimeZone-UK-Ireland-Portugal"]),
        (site("New York"), &["TimeZone-US-Eastern"]),
        (Some(Place::Model("VVX 411".to_owned())), &["Backlight-Dim"]),
        (groups.first().copied().map(Place::Group), &["Meeting room", "CallWaiting-Off"]),
        (groups.get(1).copied().map(Place::Group), &["Volume-Persistent"]),
        (people.first().copied().map(Place::PersonGroup), &["Directory-Local-Read-Only"]),
        (rooms.first().cloned(), &["PowerSaving-Office-Hours"]),
    ];
    for (place, names) in attached {
        let profiles: Vec<ProfileId> = names.iter().filter_map(|name| profile(name)).collect();
        if let Some(place) = place {
            deployment::set(services, actor, DEFAULT_ACCOUNT, &Target::Place(place), None, profiles, Mode::Keep)?;
        }
    }
    Ok(())
}

/// Phones that were added before they come, every so manieth.
fn phones(every: u32, from: u32) -> impl Iterator<Item = DeviceKey> {
    let is_there = |index: &u32| fleet::is_added_before(*index) && !super::content::BLOCKED.contains(index);
    (0..fleet::PHONES).filter(move |index| index % every == from).filter(is_there).map(|index| DeviceKey::from(fleet::mac(index)))
}

fn make_groups(services: &Services, actor: &Actor) -> Result<Vec<GroupId>, ServiceError> {
    let texts = GROUPS.iter().map(|(name, description, ..)| (*name, *description)).chain([NEWCOMERS]);
    let input = |(name, description): (&str, &str)| GroupInput { name: name.to_owned(), description: description.to_owned() };
    let drafts = texts.map(|text| GroupDraft::parse(&input(text))).collect::<Result<Vec<_>, _>>()?;
    let made = groups::create(services, actor, DEFAULT_ACCOUNT, drafts, Mode::Keep)?;
    let ids: Vec<GroupId> = made.into_iter().map(|group| group.id).collect();
    for (id, (_, _, every, from)) in ids.iter().zip(GROUPS) {
        let wanted = MemberChange { add: phones(*every, *from).collect(), ..MemberChange::default() };
        membership::change(services, actor, DEFAULT_ACCOUNT, *id, &wanted, Mode::Keep)?;
    }
    let newcomers = ids.last().copied().into_iter().collect();
    groups::set_defaults(services, actor, DEFAULT_ACCOUNT, &[], newcomers, Mode::Keep)?;
    Ok(ids)
}

/// The groups of people and the rooms that were made.
fn make_people(services: &Services, actor: &Actor) -> Result<(Vec<PersonGroupId>, Vec<Place>), ServiceError> {
    let people: Vec<Person> = make(services, actor, PEOPLE.iter().map(|name| (*name, "")))?;
    let groups: Vec<PersonGroup> = make(services, actor, PERSON_GROUPS.iter().copied())?;
    let rooms: Vec<Room> = make(services, actor, ROOMS.iter().map(|name| (*name, "")))?;
    for (group, share) in groups.iter().zip([2, 3]) {
        let add: BTreeSet<PersonId> = people.iter().step_by(share).map(|person| person.id).collect();
        let wanted = PeopleChange { add, ..PeopleChange::default() };
        people_bulk::change_members(services, actor, DEFAULT_ACCOUNT, group.id, &wanted, Mode::Keep)?;
    }
    let owners = people.iter().map(|one| Owner::Person(one.id)).chain(rooms.iter().map(|one| Owner::Room(one.id)));
    for (owner, from) in owners.zip(0..) {
        let keys = phones(45, from).collect();
        people_bulk::set_owners(services, actor, DEFAULT_ACCOUNT, &keys, Some(owner), Mode::Keep)?;
    }
    Ok((groups.iter().map(|group| group.id).collect(), rooms.iter().map(|room| Place::Room(room.id)).collect()))
}

fn make<'a, T: Organised>(
    services: &Services,
    actor: &Actor,
    texts: impl Iterator<Item = (&'a str, &'a str)>,
) -> Result<Vec<T>, ServiceError> {
    let input = |(name, description): (&str, &str)| NamedInput { name: name.to_owned(), description: description.to_owned() };
    let drafts = texts.map(|text| NamedDraft::parse(&input(text), T::RULE)).collect::<Result<Vec<_>, _>>()?;
    people::create(services, actor, DEFAULT_ACCOUNT, drafts, Mode::Keep)
}
