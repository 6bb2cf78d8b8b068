//! The three kinds as pages tell them, and what every page of one object begins with.

use std::sync::Arc;

use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::domain::people::{Person, PersonGroup, Room};
use crate::domain::world::World;
use crate::services::people::{self, Organised};
use crate::services::{Services, places};
use crate::web::admin::attached;
use crate::web::admin::failure::Failure;
use crate::web::admin::session::SignedIn;
use crate::web::admin::words;

/// What pages say of a kind.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// Its word in addresses.
    pub word: &'static str,
    /// Title of its list.
    pub title: &'static str,
    /// What it is for, in one sentence.
    pub purpose: &'static str,
    /// One and several of it, in sentences.
    pub one: &'static str,
    pub several: &'static str,
    /// Label of its name.
    pub label: &'static str,
    /// What its name may be made of.
    pub hint: &'static str,
}

/// A kind that has pages.
pub trait Paged: Organised {
    /// What they say.
    const KIND: Kind;
}

const USUAL: &str = "Letters, digits, blanks and # . - _ ( ) [ ].";

impl Paged for Person {
    const KIND: Kind = Kind {
        word: "people",
        title: "People",
        purpose: "Who devices belong to. What a person is given counts for all of the person's devices.",
        one: "person",
        several: "people",
        label: "Name",
        hint: "Letters, digits, blanks, apostrophes and # . - _ ( ) [ ].",
    };
}

impl Paged for PersonGroup {
    const KIND: Kind = Kind {
        word: "person-groups",
        title: "Person Groups",
        purpose: "Groups of people. Of several groups, each person's own order says which one speaks first.",
        one: "person group",
        several: "person groups",
        label: "Group Name",
        hint: USUAL,
    };
}

impl Paged for Room {
    const KIND: Kind = Kind {
        word: "rooms",
        title: "Rooms",
        purpose: "Where shared devices stand. What a room is given counts for all devices in it.",
        one: "room",
        several: "rooms",
        label: "Room Name",
        hint: "ASCII letters and digits, blanks and # . - _ ( ) [ ].",
    };
}

impl Kind {
    /// The lists beside one another.
    pub fn tabs() -> Vec<(String, &'static str)> {
        [Person::KIND, PersonGroup::KIND, Room::KIND].map(|kind| (format!("/admin/{}", kind.word), kind.title)).to_vec()
    }

    /// A page of this kind.
    pub fn page(&self, rest: &str) -> String {
        format!("/admin/{}{rest}", self.word)
    }
}

/// Calls a function of the kind that a word means; addresses allow no other word.
macro_rules! of_kind {
    ($word:expr, $function:ident($($argument:expr),*)) => {
        match $word {
            "people" => $function::<$crate::domain::people::Person>($($argument),*).await,
            "person-groups" => $function::<$crate::domain::people::PersonGroup>($($argument),*).await,
            _ => $function::<$crate::domain::people::Room>($($argument),*).await,
        }
    };
}
pub(super) use of_kind;

/// Name, tabs and reach of one object.
pub struct Head {
    pub kind: Kind,
    pub id: String,
    pub title: String,
    /// How many devices it speaks for, in words, and the list of them; groups have none.
    pub devices: String,
    pub devices_href: Option<String>,
    /// People in a group, in words, and the list of them.
    pub members: Option<(String, String)>,
}

impl Head {
    /// The head of its pages.
    pub fn new<T: Paged>(one: &T, world: &World, services: &Services) -> Self {
        let (id, place) = (one.id().to_string(), T::place(one.id()));
        let members =
            world.people.values().filter(|person| person.groups.iter().any(|group| PersonGroup::place(*group) == place));
        let members = words::count(members.count(), "person", "people");
        Self {
            kind: T::KIND,
            title: one.name().to_string(),
            devices: words::count(places::devices_of(services, world, &place), "device", "devices"),
            devices_href: T::owner(one.id()).map(|owner| format!("/admin/devices?owner={owner}")),
            members: (T::KIND.word == PersonGroup::KIND.word).then(|| (members, format!("/admin/person-groups/{id}/members"))),
            id,
        }
    }

    /// Its pages.
    pub fn tabs(&self) -> Vec<(String, &'static str)> {
        let tab = |(path, label): (&str, &'static str)| (self.kind.page(&format!("/{}{path}", self.id)), label);
        let groups = (self.kind.word == Person::KIND.word).then_some(("/groups", "Person Groups"));
        let members = (self.kind.word == PersonGroup::KIND.word).then_some(("/members", "People"));
        [("", "General Information")]
            .into_iter()
            .chain(groups)
            .chain(members)
            .chain([("/profiles", attached::LABEL)])
            .map(tab)
            .collect()
    }
}

/// The object that an address names, and the world it lives in.
pub fn find<T: Paged>(services: &Services, who: &SignedIn, id: &str) -> Result<(Arc<T>, Arc<World>), Failure> {
    let world = services.world(DEFAULT_ACCOUNT).map_err(Failure::of(who))?;
    let Ok(number) = id.parse() else { return Err(Failure::not_found(who, T::WHAT, id)) };
    let one = people::get::<T>(services, DEFAULT_ACCOUNT, number).map_err(Failure::of(who))?;
    Ok((one, world))
}
