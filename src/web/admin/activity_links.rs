//! From an entry of the activity log to the page of its object, while that is still there under the name that the entry tells.

use std::collections::HashMap;

use crate::domain::activity::Event;
use crate::domain::deployment::{Place, subject};
use crate::domain::device::DeviceKey;
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::domain::world::World;
use crate::services::Services;
use crate::services::deployment::Target;
use crate::web::places;

/// The pages of what the log speaks of, by kind and name: made once for a page of the log.
pub struct Links<'a> {
    services: &'a Services,
    by_name: HashMap<(&'static str, String), String>,
}

impl<'a> Links<'a> {
    /// The pages of everything that has a name of its own.
    pub fn new(services: &'a Services, world: &World) -> Self {
        let profiles = world.profiles.values().map(|profile| {
            let page = format!("/admin/profiles/{}", profile.id);
            (("profile", profile.name.to_string()), page)
        });
        let groups = world.groups.values().map(|group| {
            let page = format!("/admin/groups/{}", group.id);
            (("device group", group.name.to_string()), page)
        });
        let people = world.people.values().map(|one| (("person", one.name.to_string()), format!("/admin/people/{}", one.id)));
        let person_groups = world.person_groups.values();
        let person_groups =
            person_groups.map(|one| (("person group", one.name.to_string()), format!("/admin/person-groups/{}", one.id)));
        let rooms = world.rooms.values().map(|one| (("room", one.name.to_string()), format!("/admin/rooms/{}", one.id)));
        let places = world.deployment.keys().cloned().chain(world.groups.keys().copied().map(Place::Group));
        let places = places.chain([Place::Global]).map(|place| {
            let told = subject(&place, world);
            (("deployment", told), places::page(&Target::Place(place)))
        });
        let resources = world.resources.all().values();
        let resources = resources.map(|one| (("resource file", one.path.to_string()), format!("/admin/resources/{}", one.id)));
        let organised = groups.chain(resources).chain(people).chain(person_groups).chain(rooms);
        Self { services, by_name: profiles.chain(organised).chain(places).collect() }
    }

    /// The page of an entry's object; none where it is gone, has another name now, or has no page.
    pub fn of(&self, event: &Event) -> Option<String> {
        let kinds = ["profile", "device group", "resource file", "person", "person group", "room", "deployment", "device"];
        let kind = kinds.into_iter().find(|kind| *kind == event.object)?;
        if let Some(page) = self.by_name.get(&(kind, event.subject.clone())) {
            return Some(page.clone());
        }
        let tab = match kind {
            "device" => "",
            "deployment" => "/profiles",
            _ => return None,
        };
        if let Some(model) = event.subject.strip_prefix("model ").filter(|_| kind == "deployment") {
            return Some(places::page(&Target::Place(Place::Model(model.to_owned()))));
        }
        let key = device(&event.subject)?;
        self.services.roster(DEFAULT_ACCOUNT).find(&key).map(|_| format!("/admin/devices/{key}{tab}"))
    }
}

/// The device that a subject names: its key alone, or its name with the key behind it.
fn device(subject: &str) -> Option<DeviceKey> {
    let in_brackets = subject.strip_suffix(')').and_then(|rest| rest.rsplit_once('(')).map(|(_, key)| key);
    in_brackets.unwrap_or(subject).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_found_by_its_key_under_every_name() {
        let key: DeviceKey = "0004f2abcdef".parse().expect("a key");
        for subject in ["0004f2abcdef", "Hall (0004f2abcdef)", "Hall (east) (0004f2abcdef)"] {
            assert_eq!(device(subject).as_ref(), Some(&key), "{subject}");
        }
        assert_eq!(device("Hall (east)"), None);
    }
}
