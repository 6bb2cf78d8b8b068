//! The profiles of one place, in order: what Profile Deployment, the pages of a device, a group, a site, a person or a room, and that
//! of a model show as *Configuration Profiles* (R144, R148, R152, R237).
//!
//! A page that has this tab makes it by [`tab`] and answers its forms by [`ordered::save`] with the same [`Profiles`].

use super::conflict;
use super::failure::Failure;
use super::ordered::{Item, List, Offer, Tab, Words};
use super::session::SignedIn;
use super::words;
use crate::domain::access::Actor;
use crate::domain::activity::Event;
use crate::domain::deployment::subject;
use crate::domain::ids::{DEFAULT_ACCOUNT, ProfileId};
use crate::domain::world::World;
use crate::services::Services;
use crate::services::commit::Mode;
use crate::services::deployment::{self, Target};
use crate::services::error::ServiceError;

/// The label of the tab, on every page that has it.
pub const LABEL: &str = "Configuration Profiles";

/// The list of profiles of a place or a device.
#[derive(Clone, Debug)]
pub struct Profiles(pub Target);

const WORDS: Words = Words {
    field: "profile",
    label: "Configuration profile",
    hint: "The first one that names a parameter wins.",
    empty: "No profile is attached here.",
    full: "Every profile is attached here already.",
    nothing: "There is no profile to attach yet.",
    make: ("/admin/profiles/add", "Add one"),
    whole: "Profiles, strongest first",
    to_top: true,
};

impl List for Profiles {
    fn words(&self) -> &'static Words {
        &WORDS
    }

    fn present(&self, services: &Services) -> Result<Vec<u64>, ServiceError> {
        Ok(numbers(deployment::of(services, DEFAULT_ACCOUNT, &self.0)?))
    }

    fn set(&self, services: &Services, actor: &Actor, shown: &[u64], wanted: Vec<u64>) -> Result<(), ServiceError> {
        let (shown, wanted) = (ids(shown), ids(&wanted));
        deployment::set(services, actor, DEFAULT_ACCOUNT, &self.0, Some(&shown), wanted, Mode::Keep).map(drop)
    }

    fn item(&self, world: &World, id: u64) -> Option<Item> {
        let profile = world.profile(ProfileId(id))?;
        let note = words::count(profile.parameters.len(), "parameter", "parameters");
        Some(Item { id, name: profile.name.to_string(), note, href: format!("/admin/profiles/{id}") })
    }

    fn choices(&self, world: &World) -> Vec<u64> {
        let may_stand = world.all_profiles().filter(|profile| deployment::may_stand_at(&self.0, profile));
        may_stand.map(|profile| profile.id.0).collect()
    }

    /// Templates are shown where one looks for them, with what to do about it (R113).
    fn offer(&self, world: &World, id: u64) -> Offer {
        match world.profile(ProfileId(id)) {
            Some(profile) if profile.is_standard() => {
                Offer { heading: Some("Standard profiles"), before: profile.is_template().then_some("copy it first") }
            }
            _ => Offer::default(),
        }
    }

    fn warnings(&self, world: &World, present: &[u64]) -> Vec<String> {
        deployment::warnings(world, &ids(present)).iter().map(ToString::to_string).collect()
    }

    fn is_about(&self, world: &World) -> Box<dyn FnMut(&Event) -> bool + Send> {
        match &self.0 {
            Target::Device(key) => Box::new(conflict::of_device("deployment", key)),
            Target::Place(place) => Box::new(conflict::of("deployment", &subject(place, world))),
        }
    }
}

/// The tab of a place or device, with whom it reaches and where its changes are told. `action` is the address of its page.
///
/// # Errors
/// There is no such place.
pub fn tab(profiles: &Profiles, services: &Services, who: &SignedIn, title: &str, action: &str) -> Result<Tab, Failure> {
    let tab = Tab::new(profiles, services, who, title, action)?;
    let world = services.world(DEFAULT_ACCOUNT).map_err(Failure::of(who))?;
    let (note, told) = match &profiles.0 {
        Target::Place(place) => {
            let reach = crate::services::places::devices_of(services, &world, place);
            (reached(reach), subject(place, &world))
        }
        Target::Device(key) => ("It gets a change when it next comes.".to_owned(), key.to_string()),
    };
    let query = serde_urlencoded::to_string([("object", "deployment"), ("subject", &told)]).unwrap_or_default();
    Ok(Tab { history: Some(format!("/admin/activity?{query}")), ..tab.noted(note) })
}

/// How many devices a change here reaches, in words.
pub fn reached(devices: usize) -> String {
    match devices {
        0 => "It counts for no device now.".to_owned(),
        1 => "It counts for 1 device, which gets a change when it next comes.".to_owned(),
        number => format!("It counts for {number} devices. Each gets a change when it next comes."),
    }
}

fn ids(list: &[u64]) -> Vec<ProfileId> {
    list.iter().copied().map(ProfileId).collect()
}

fn numbers(list: Vec<ProfileId>) -> Vec<u64> {
    list.into_iter().map(|id| id.0).collect()
}
