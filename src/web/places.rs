//! Places in addresses, for pages and the API alike: `groups/7`, `models/VVX 411`.

use crate::domain::deployment::Place;
use crate::services::deployment::Target;

/// The place or device that two words mean; none where they mean nothing.
pub fn parse(container: &str, id: &str) -> Option<Target> {
    let place = match container {
        "devices" => return id.parse().ok().map(Target::Device),
        "people" => Place::Person(id.parse().ok()?),
        "rooms" => Place::Room(id.parse().ok()?),
        "person-groups" => Place::PersonGroup(id.parse().ok()?),
        "sites" => Place::Site(id.parse().ok()?),
        "groups" => Place::Group(id.parse().ok()?),
        "models" if !id.is_empty() => Place::Model(id.to_owned()),
        _ => return None,
    };
    Some(Target::Place(place))
}

/// The word of its container and its own; *Global* has no own one.
pub fn words(target: &Target) -> (&'static str, String) {
    match target {
        Target::Device(key) => ("devices", key.to_string()),
        Target::Place(Place::Person(id)) => ("people", id.to_string()),
        Target::Place(Place::Room(id)) => ("rooms", id.to_string()),
        Target::Place(Place::PersonGroup(id)) => ("person-groups", id.to_string()),
        Target::Place(Place::Site(id)) => ("sites", id.to_string()),
        Target::Place(Place::Model(name)) => ("models", name.clone()),
        Target::Place(Place::Group(id)) => ("groups", id.to_string()),
        Target::Place(Place::Global) => ("global", String::new()),
    }
}

/// The page on which its profiles are seen and changed.
pub fn page(target: &Target) -> String {
    match (words(target), target) {
        (_, Target::Place(Place::Global)) => "/admin/deployment".to_owned(),
        ((word @ ("devices" | "groups" | "people" | "person-groups" | "rooms" | "sites"), id), _) => {
            format!("/admin/{word}/{id}/profiles")
        }
        ((word, id), _) => format!("/admin/deployment/{word}/{}", segment(&id)),
    }
}

/// A text as one part of a path.
pub fn segment(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::{GroupId, PersonGroupId, PersonId, RoomId, SiteId};

    #[test]
    fn what_is_written_is_read_back() {
        let places = [
            Place::Person(PersonId(1)),
            Place::Room(RoomId(2)),
            Place::PersonGroup(PersonGroupId(3)),
            Place::Site(SiteId(4)),
            Place::Model("VVX 411".to_owned()),
            Place::Group(GroupId(5)),
        ];
        let device = Target::Device("0004f2aabbcc".parse().expect("a key"));
        for target in places.into_iter().map(Target::Place).chain([device]) {
            let (word, id) = words(&target);
            assert_eq!(parse(word, &id), Some(target.clone()));
            assert_eq!(crate::services::lists::places::container(word), Some(target.container()));
        }
        assert_eq!((parse("groups", "x"), parse("towers", "1"), parse("models", "")), (None, None, None));
    }

    #[test]
    fn a_model_is_one_part_of_a_path_whatever_it_is_called() {
        let page = |name: &str| page(&Target::Place(Place::Model(name.to_owned())));
        assert_eq!(page("VVX 411"), "/admin/deployment/models/VVX%20411");
        assert_eq!(page("a/b?c+d"), "/admin/deployment/models/a%2Fb%3Fc%2Bd");
    }
}
