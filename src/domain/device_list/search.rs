//! What a search finds in devices: in what they are and told, and in the names and descriptions of their site, groups, owner and of
//! all profiles that they get, wherever these are attached (R57, R58). Those are looked through once for each word, not once for each
//! device.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;

use super::{Listed, site_name};
use crate::domain::deployment::{Place, of_owner};
use crate::domain::device::Owner;
use crate::domain::ids::{GroupId, ProfileId, SiteId};
use crate::domain::text_search::{Hit, TextSearch, holds};
use crate::domain::world::World;

/// A search text, made ready to be looked for in many devices of a world.
#[derive(Clone, Debug)]
pub struct Search<'w> {
    text: TextSearch,
    world: &'w World,
    words: Vec<Word<'w>>,
}

/// One word of it, with what of the world holds it.
#[derive(Clone, Debug)]
struct Word<'w> {
    text: String,
    /// It may be a part of an address.
    is_of_address: bool,
    sites: Objects<'w, SiteId>,
    groups: Objects<'w, GroupId>,
    owners: Objects<'w, Owner>,
    profiles: Objects<'w, ProfileId>,
    reached: Reached<'w>,
}

/// Where profiles that hold a word are attached: what they reach they are found in.
#[derive(Clone, Debug, Default)]
struct Reached<'w> {
    sites: Objects<'w, SiteId>,
    groups: Objects<'w, GroupId>,
    models: Objects<'w, &'w str>,
    owners: Objects<'w, Owner>,
    global: Option<(&'static str, &'w str)>,
}

/// Objects that hold a word: where, and in what text.
type Objects<'w, K> = HashMap<K, (&'static str, &'w str)>;

impl<'w> Search<'w> {
    /// Reads what was typed.
    pub fn new(text: &str, world: &'w World) -> Self {
        let text = TextSearch::new(text);
        let words = text.words().iter().map(|word| Word::new(word, world)).collect();
        Self { text, world, words }
    }

    /// Where the text was found in a device; none if it was not.
    pub fn finds<'a>(&self, one: &'a Listed) -> Option<Hit<'a>>
    where
        'w: 'a,
    {
        if self.words.is_empty()
            || [Some(one.device.key.to_string()), one.device.mac.map(|mac| mac.to_string())]
                .iter()
                .flatten()
                .any(|key| self.text.finds_key(key))
        {
            return Some(Hit::Column);
        }
        let mut hit = Hit::Column;
        for word in &self.words {
            match word.find(one, self.world)? {
                Hit::Column => {}
                hidden @ Hit::Hidden(..) => hit = hidden,
            }
        }
        Some(hit)
    }
}

impl<'w> Word<'w> {
    fn new(word: &str, world: &'w World) -> Self {
        let people = world.people.values().map(|one| (Owner::Person(one.id), [("owner", one.name.as_str())]));
        let rooms = world.rooms.values().map(|one| (Owner::Room(one.id), [("room", one.name.as_str())]));
        let profiles = holding(
            word,
            world.all_profiles().map(|profile| {
                let description = ("description of a profile", profile.description.as_str());
                (profile.id, [("profile", profile.name.as_str()), description])
            }),
        );
        Self {
            reached: Reached::by(&profiles, world),
            profiles,
            text: word.to_owned(),
            is_of_address: word.bytes().all(|byte| byte.is_ascii_hexdigit() || matches!(byte, b'.' | b':')),
            sites: holding(
                word,
                world.sites.values().map(|site| {
                    let texts =
                        [("description of the site", site.description.as_str()), ("location of the site", &site.location)];
                    (site.id, texts)
                }),
            ),
            groups: holding(
                word,
                world.groups.values().map(|group| {
                    let description = ("description of a device group", group.description.as_str());
                    (group.id, [("device group", group.name.as_str()), description])
                }),
            ),
            owners: holding(word, people.chain(rooms)),
        }
    }

    fn find<'a>(&self, one: &'a Listed, world: &'a World) -> Option<Hit<'a>>
    where
        'w: 'a,
    {
        let (device, sighting, word) = (&*one.device, &*one.sighting, self.text.as_str());
        let text_in = |field: Option<&str>| field.is_some_and(|text| holds(text, word));
        let address_in = |field: Option<IpAddr>| self.is_of_address && field.is_some_and(|ip| ip.to_string().contains(word));
        let column = text_in(device.name.as_ref().map(|name| name.as_str()))
            || text_in(device.model.as_deref())
            || text_in(Some(site_name(world, device)))
            || text_in(sighting.software_version.as_deref())
            || device.key.to_string().contains(word)
            || device.mac.is_some_and(|mac| mac.to_string().contains(word))
            || address_in(sighting.public_ip)
            || address_in(one.private_ip());
        if column {
            return Some(Hit::Column);
        }
        let own = [
            ("description", Some(device.description.as_str())),
            ("device type", device.family.as_deref()),
            ("name on the device", device.sent_name.as_ref().map(|name| name.as_str())),
            ("Updater version", sighting.updater_version.as_deref()),
        ];
        let own = own.into_iter().filter_map(|(what, text)| Some((what, text?))).find(|(_, text)| holds(text, word));
        let hidden = own
            .or_else(|| device.profiles.iter().find_map(|id| self.profiles.get(id).copied()))
            .or_else(|| device.groups.iter().find_map(|id| self.groups.get(id).copied()))
            .or_else(|| self.owners.get(&device.owner?).copied())
            .or_else(|| self.sites.get(&device.site_id()).copied())
            .or_else(|| self.reached.find(one));
        hidden.map(|(what, text)| Hit::Hidden(what, text))
    }
}

impl<'w> Reached<'w> {
    fn by(profiles: &Objects<'w, ProfileId>, world: &'w World) -> Self {
        let mut reached = Self::default();
        if profiles.is_empty() {
            return reached;
        }
        let first = |ids: &[ProfileId]| ids.iter().find_map(|id| profiles.get(id).copied());
        for (place, ids) in &world.deployment {
            let Some((what, text)) = first(ids) else { continue };
            match place {
                Place::Site(id) => drop(reached.sites.insert(*id, (by_way_of(what, "site"), text))),
                Place::Group(id) => drop(reached.groups.insert(*id, (by_way_of(what, "group"), text))),
                Place::Model(model) => drop(reached.models.insert(model, (by_way_of(what, "model"), text))),
                Place::Global => reached.global = Some((by_way_of(what, "global"), text)),
                // Owners are asked below, with the groups of each person.
                Place::Person(_) | Place::PersonGroup(_) | Place::Room(_) => {}
            }
        }
        let people = world.people.keys().copied().map(Owner::Person);
        for owner in people.chain(world.rooms.keys().copied().map(Owner::Room)) {
            let places = of_owner(owner, world);
            let found = places.iter().filter_map(|place| world.deployment.get(place)).find_map(|ids| first(ids));
            if let Some((what, text)) = found {
                reached.owners.insert(owner, (by_way_of(what, "owner"), text));
            }
        }
        reached
    }

    /// The first profile that holds the word and reaches a device by a place, in the order of the places.
    fn find(&self, one: &Listed) -> Option<(&'static str, &'w str)> {
        let device = &one.device;
        let of_owner = || self.owners.get(&device.owner?).copied();
        let of_model = || self.models.get(device.model.as_deref()?).copied();
        let of_group = || device.groups.iter().find_map(|id| self.groups.get(id).copied());
        let found = of_owner().or_else(|| self.sites.get(&device.site_id()).copied());
        found.or_else(of_model).or_else(of_group).or(self.global)
    }
}

/// What is said of a profile that comes from a place.
fn by_way_of(what: &str, place: &str) -> &'static str {
    let is_name = what == "profile";
    match (place, is_name) {
        ("site", true) => "profile of the site",
        ("site", false) => "description of a profile of the site",
        ("group", true) => "profile of a device group",
        ("group", false) => "description of a profile of a device group",
        ("model", true) => "profile of the model",
        ("model", false) => "description of a profile of the model",
        ("owner", true) => "profile of the owner",
        ("owner", false) => "description of a profile of the owner",
        (_, true) => "profile for all devices",
        (_, false) => "description of a profile for all devices",
    }
}

/// The objects of which a text holds a word.
fn holding<'w, K: Eq + Hash, const N: usize>(
    word: &str,
    all: impl Iterator<Item = (K, [(&'static str, &'w str); N])>,
) -> Objects<'w, K> {
    let held = |(key, texts): (K, [(&'static str, &'w str); N])| {
        texts.into_iter().find(|(_, text)| holds(text, word)).map(|found| (key, found))
    };
    all.filter_map(held).collect()
}
