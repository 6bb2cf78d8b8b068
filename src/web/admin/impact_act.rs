//! What a form does, in the words of the page that it stands on: whoever is asked again about a deletion must read *Delete*.

use crate::domain::consent::Told;
use crate::domain::ids::{GroupId, PersonGroupId, ProfileId};
use crate::domain::rearrangement::Rearrangement;
use crate::domain::world::World;
use crate::web::admin::forms::Form;
use crate::web::admin::recycle_bin::RESTORABLE;
use crate::web::admin::words;

/// What is asked, and what is pressed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Act {
    /// The question.
    pub title: String,
    /// Label of the button that does it.
    pub verb: String,
    /// What is said of taking it back, where the button warns.
    pub warns: Option<&'static str>,
}

fn act(title: impl Into<String>, verb: impl Into<String>) -> Act {
    Act { title: title.into(), verb: verb.into(), warns: None }
}

/// The kinds that are deleted at an address, as changes name them, one and several.
const DELETED: [(&str, &str, &str); 6] = [
    ("sites", "site", "sites"),
    ("groups", "device group", "device groups"),
    ("profiles", "profile", "profiles"),
    ("people", "person", "people"),
    ("person-groups", "person group", "person groups"),
    ("rooms", "room", "rooms"),
];

impl Act {
    /// What a form does that was sent to this address.
    pub fn of(target: &str, form: &Form, told: &Told, world: &World) -> Self {
        let path = target.split('?').next().unwrap_or_default();
        let path: Vec<&str> = path.strip_prefix("/admin/").unwrap_or_default().split('/').collect();
        let (verb, id) = form.value("do").split_once('-').unwrap_or((form.value("do"), ""));
        let what = &told.foresight.rearrangement;
        let known = match path.as_slice() {
            ["devices", "delete"] => deletion(("device", "devices"), what.removed.iter().collect()),
            ["resources", "delete"] => deletion(
                ("resource file", "resource files"),
                what.gone.iter().filter(|(kind, _)| *kind == "resource file").map(|(_, name)| name).collect(),
            )
            .map(|act| Act { warns: Some("This cannot be undone."), ..act }),
            [list, "delete"] => DELETED.iter().find(|(word, ..)| word == list).and_then(|(_, one, several)| {
                let gone: Vec<&String> = what.gone.iter().filter(|(kind, _)| kind == one).map(|(_, name)| name).collect();
                deletion((one, several), gone)
            }),
            ["sites", "moves"] => Some(answer(form, what)),
            ["groups", "top"] => top(form, world),
            ["devices", "groups"] => joining("add", what, name_of_group(world, form.value("group"))),
            ["groups", group, "devices"] => joining(verb, what, name_of_group(world, group)),
            ["person-groups", group, "members"] => people(verb, what, name_of_person_group(world, group)),
            ["profiles", id, "parameters"] => parameter(form, world, id),
            [.., "profiles"] | ["deployment", ..] => listed(verb, id, form.value("profile"), |id| name_of_profile(world, id)),
            ["devices", _, "groups"] => listed(verb, id, form.value("group"), |id| name_of_group(world, id)),
            ["groups", "default"] => listed(verb, id, form.value("group"), |id| name_of_group(world, id)),
            ["people", _, "groups"] => listed(verb, id, form.value("group"), |id| name_of_person_group(world, id)),
            [.., "import", _] | [.., "preview", _] => Some(act("Take what was read?", "Accept")),
            ["profiles", _, "paste" | "import"] => Some(act("Take what was read?", "Accept")),
            ["devices", "owner"] | ["devices", _, "owner"] => Some(act("Say whose it is?", "Save Owner")),
            ["devices", _, "lines"] => Some(act("Save the lines?", "Save Lines")),
            ["provisioning", rest @ ..] => provisioning(rest, form),
            ["sites", "add"] => Some(act("Add the site?", "Add")),
            ["recycle-bin", "restore"] => Some(act(
                match what.added.as_slice() {
                    [(_, name)] => format!("Restore {name}?"),
                    _ => "Restore what was deleted?".to_owned(),
                },
                "Restore",
            )),
            ["sites", id, ..] => id.parse().ok().and_then(|id| world.sites.get(&id)).map(|site| saving(site.name.as_str())),
            ["devices", key] => Some(saving(key)),
            _ => None,
        };
        known.unwrap_or_else(|| match told.foresight.changed() {
            0 => act("Save this change?", "Save"),
            number => act(format!("Change {}?", words::count(number, "device", "devices")), "Save"),
        })
    }
}

fn saving(name: &str) -> Act {
    act(format!("Save {name}?"), "Save")
}

/// A deletion. None where nothing is left to be deleted.
fn deletion((one, several): (&str, &str), gone: Vec<&String>) -> Option<Act> {
    let title = match gone.as_slice() {
        [] => return None,
        [name] => format!("Delete {name}?"),
        all => format!("Delete {} {several}?", all.len()),
    };
    Some(Act { title, verb: format!("Delete {}", words::count(gone.len(), one, several)), warns: Some(RESTORABLE) })
}

/// What is said to moves that wait.
fn answer(form: &Form, what: &Rearrangement) -> Act {
    let devices = |count| words::count(count, "device", "devices");
    match form.is("answer", "accept") {
        true => act(format!("Move {} to Internet?", devices(what.moved.values().sum())), "Move to Internet"),
        false if what.kept == 1 => act("Keep 1 device at its site?", "Keep at its site"),
        false => act(format!("Keep {} at their site?", devices(what.kept)), "Keep at their site"),
    }
}

fn top(form: &Form, world: &World) -> Option<Act> {
    Some(act(format!("Set {} to top priority?", name_of_group(world, form.value("select"))?), "Set to Top Priority"))
}

/// Devices that join a group or leave it.
fn joining(verb: &str, what: &Rearrangement, group: Option<String>) -> Option<Act> {
    let group = group?;
    let devices = |of: &std::collections::BTreeMap<String, usize>| {
        words::count(of.get(&group).copied().unwrap_or_default(), "device", "devices")
    };
    Some(match verb {
        "remove" => act(format!("Remove {} from {group}?", devices(&what.left)), "Remove"),
        _ => act(format!("Add {} to {group}?", devices(&what.joined)), "Add"),
    })
}

/// People who join a group or leave it.
fn people(verb: &str, what: &Rearrangement, group: Option<String>) -> Option<Act> {
    let group = group?;
    let of = if verb == "remove" { &what.people_left } else { &what.people_joined };
    let people = words::count(of.get(&group).map_or(0, |(people, _)| people.len()), "person", "people");
    Some(match verb {
        "remove" => act(format!("Remove {people} from {group}?"), "Remove"),
        _ => act(format!("Add {people} to {group}?"), "Add"),
    })
}

/// A parameter of a profile.
fn parameter(form: &Form, world: &World, id: &str) -> Option<Act> {
    let profile = name_of_profile(world, id)?;
    let adds = matches!(form.value("do"), "add" | "add-resource");
    let name = if adds { form.value("new_name") } else { form.value("name") }.trim();
    Some(match form.value("do") {
        _ if adds => act(format!("Add {name} to {profile}?"), "Add"),
        "remove" => act(format!("Remove {name} from {profile}?"), "Remove"),
        _ => act(format!("Change {name} in {profile}?"), "Change"),
    })
}

/// A list whose order counts.
fn listed(verb: &str, id: &str, added: &str, name: impl Fn(&str) -> Option<String>) -> Option<Act> {
    Some(match verb {
        "attach" => act(format!("Add {}?", name(added)?), "Add"),
        "remove" => act(format!("Remove {}?", name(id)?), "Remove"),
        "top" => act(format!("Move {} to the top?", name(id)?), "Move"),
        "up" => act(format!("Move {} up?", name(id)?), "Move"),
        "down" => act(format!("Move {} down?", name(id)?), "Move"),
        _ => act("Save the order?", "Save Order"),
    })
}

/// Forms of Provisioning Settings: what their buttons say there.
fn provisioning(path: &[&str], form: &Form) -> Option<Act> {
    let warns = |act: Act| Act { warns: Some("This cannot be undone."), ..act };
    Some(match path {
        ["address"] => act("Tell phones another address?", "Save Address"),
        ["account"] => act("Save the account?", "Save Account"),
        ["time"] => act("Save the time?", "Save Time"),
        ["base"] => act("Save the built-in base?", "Save Base"),
        ["admission"] => act("Save who gets in?", "Save Who Gets In"),
        ["http"] => act("Save plain HTTP?", "Save Plain HTTP"),
        ["credentials"] => act("Change the shared credentials?", "Change"),
        ["credentials", "end"] => warns(act("End the former shared credentials?", "End Them Now")),
        ["ca"] => match form.value("step") {
            "start" => act("Make a new CA and give phones both?", "Make a New CA"),
            "switch" => act("Sign with the new CA now?", "Sign with the New CA"),
            "end" => warns(act("Give phones the new CA alone?", "Give the New CA Alone")),
            _ => act("Keep the old CA?", "Keep the Old CA"),
        },
        _ => return None,
    })
}

fn name_of_group(world: &World, id: &str) -> Option<String> {
    world.groups.get(&id.parse::<GroupId>().ok()?).map(|group| group.name.to_string())
}

fn name_of_person_group(world: &World, id: &str) -> Option<String> {
    world.person_groups.get(&id.parse::<PersonGroupId>().ok()?).map(|group| group.name.to_string())
}

fn name_of_profile(world: &World, id: &str) -> Option<String> {
    world.profile(id.parse::<ProfileId>().ok()?).map(|profile| profile.name.to_string())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::domain::foresight::Foresight;
    use crate::domain::testing::{profile, world};

    fn of(target: &str, form: &[(&str, &str)], rearrangement: Rearrangement) -> (String, String, bool) {
        let foresight = Foresight { rearrangement, ..Foresight::default() };
        let mut world = world();
        world.profiles.insert(ProfileId(7), profile(7, &[]).into());
        let told = Told::new(foresight, String::new());
        let Act { title, verb, warns } = Act::of(target, &Form::filled(form.iter().copied()), &told, &world);
        (title, verb, warns.is_some())
    }

    fn told(title: &str, verb: &str, warns: bool) -> (String, String, bool) {
        (title.to_owned(), verb.to_owned(), warns)
    }

    #[test]
    fn a_deletion_is_asked_about_as_one() {
        for (list, one, several) in DELETED {
            let target = format!("/admin/{list}/delete");
            let gone = |names: &[&str]| Rearrangement {
                gone: names.iter().map(|name| (one, (*name).to_owned())).chain([("thing", "X".to_owned())]).collect(),
                ..Rearrangement::default()
            };
            assert_eq!(of(&target, &[], gone(&["Hall"])), told("Delete Hall?", &format!("Delete 1 {one}"), true));
            let both = format!("Delete 2 {several}");
            assert_eq!(of(&target, &[], gone(&["Hall", "Shop"])), told(&format!("{both}?"), &both, true));
        }
        let devices = |count: usize| {
            let removed = vec!["0004f2000001".to_owned(); count];
            of("/admin/devices/delete", &[], Rearrangement { removed, ..Rearrangement::default() })
        };
        assert_eq!(devices(1), told("Delete 0004f2000001?", "Delete 1 device", true));
        assert_eq!(devices(3), told("Delete 3 devices?", "Delete 3 devices", true));
    }

    #[test]
    fn an_answer_to_moves_has_the_words_of_its_button() {
        let moved = BTreeMap::from([(("Hall".to_owned(), "Internet".to_owned()), 2)]);
        let what = Rearrangement { moved, kept: 1, ..Rearrangement::default() };
        let accept = of("/admin/sites/moves", &[("answer", "accept")], what.clone());
        assert_eq!(accept, told("Move 2 devices to Internet?", "Move to Internet", false));
        let decline = of("/admin/sites/moves", &[("answer", "decline")], what);
        assert_eq!(decline, told("Keep 1 device at its site?", "Keep at its site", false));
    }

    #[test]
    fn lists_parameters_and_settings_are_named() {
        let plain = |target: &str, form: &[(&str, &str)]| {
            let (title, verb, _) = of(target, form, Rearrangement::default());
            (title, verb)
        };
        let words = |title: &str, verb: &str| (title.to_owned(), verb.to_owned());
        let profiles = "/admin/deployment/groups/3";
        assert_eq!(plain(profiles, &[("do", "attach"), ("profile", "7")]), words("Add profile 7?", "Add"));
        assert_eq!(plain("/admin/sites/3/profiles", &[("do", "remove-7")]), words("Remove profile 7?", "Remove"));
        assert_eq!(plain("/admin/deployment", &[("do", "top-7")]), words("Move profile 7 to the top?", "Move"));
        assert_eq!(plain("/admin/deployment", &[("do", "order")]), words("Save the order?", "Save Order"));
        let remove = [("do", "remove"), ("name", "up.a")];
        assert_eq!(plain("/admin/profiles/7/parameters", &remove), words("Remove up.a from profile 7?", "Remove"));
        assert_eq!(plain("/admin/provisioning/time", &[]), words("Save the time?", "Save Time"));
        assert_eq!(plain("/admin/recycle-bin/restore", &[("select", "3")]), words("Restore what was deleted?", "Restore"));
        let back = Rearrangement { added: vec![("profile", "Desk".to_owned())], ..Rearrangement::default() };
        assert_eq!(of("/admin/recycle-bin/restore", &[], back), told("Restore Desk?", "Restore", false));
        assert_eq!(plain("/admin/elsewhere", &[]), words("Save this change?", "Save"));
    }
}
