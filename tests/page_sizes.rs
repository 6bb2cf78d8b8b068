//! No page grows with the account: each is asked for with as many sites, groups, profiles, people and files as an account may have of
//! them, or many more than a page holds. The pages come from the table of addresses, so that a new one is taken in by itself.

use std::sync::Arc;

use actix_web::http::{Method, StatusCode};
use jiff::Timestamp;
use pdms::domain::access::Grant;
use pdms::domain::deployment::Place;
use pdms::domain::device::{Device, Origin};
use pdms::domain::group::Group;
use pdms::domain::ids::{DEFAULT_ACCOUNT, GroupId, PersonGroupId, PersonId, ProfileId, ResourceId, RoomId, SiteId};
use pdms::domain::names::Name;
use pdms::domain::parameter::{ParameterName, ParameterSet};
use pdms::domain::people::{Modified, Person, PersonGroup, Room};
use pdms::domain::placement::Placement;
use pdms::domain::profile::{Profile, ProfileKind};
use pdms::domain::resource::{Resource, ResourceDraft, ResourceInput};
use pdms::domain::site::Site as Branch;
use pdms::services::commit::{Change, commit};
use pdms::services::error::ServiceError;
use pdms::web::admin;

use super::support::browser::{Browser, Site};

/// Bytes that no page may exceed.
const PAGE_BYTES: usize = 500 * 1024;
/// The device, and the object of each kind, whose pages are asked for.
const KEY: &str = "0004f2000001";
const ID: u64 = 2;

fn name(what: &str, number: u64) -> Name {
    Name::parse(&format!("{what} {number:04} {}", "x".repeat(50))).expect("letters and digits")
}

fn modified() -> Modified {
    Modified { by: "Ada".to_owned(), at: Timestamp::UNIX_EPOCH, revision: 1 }
}

fn profile(number: u64) -> Profile {
    let parameter = |n: u64| (ParameterName::parse(&format!("made.up.{n}")).expect("a name"), Arc::from("v"));
    Profile {
        id: ProfileId(number),
        name: name("Profile", number),
        description: "Some words about it. ".repeat(40),
        kind: ProfileKind::UserDefined,
        software: Vec::new(),
        parameters: (0..3).map(parameter).collect::<ParameterSet>(),
        yields: false,
        modified_by: "Ada".to_owned(),
        modified_at: Timestamp::UNIX_EPOCH,
        revision: 1,
    }
}

fn resource(number: u64) -> Resource {
    let name = format!("{}-{number:04}.wav", "long-name-".repeat(6));
    let input = ResourceInput { folder: "sounds".to_owned(), name, description: String::new() };
    Resource {
        id: ResourceId(number),
        path: ResourceDraft::parse(&input).expect("a good path").path,
        description: "A sound. ".repeat(40),
        size_bytes: 1_000,
        sha256: "0".repeat(64),
        blob: format!("{number:064}"),
        pixels: None,
        uploaded_at: Timestamp::UNIX_EPOCH,
        modified_by: "Ada".to_owned(),
        modified_at: Timestamp::UNIX_EPOCH,
        revision: 1,
    }
}

fn device(number: u64) -> Device {
    Device {
        key: format!("0004f2{number:06x}").parse().expect("a MAC address"),
        mac: None,
        name: Some(name("Desk", number)),
        sent_name: None,
        description: String::new(),
        family: Some("VVX".to_owned()),
        model: Some("VVX 411".to_owned()),
        private_ip: None,
        profiles: vec![ProfileId(number)],
        groups: vec![GroupId(1 + number % 500)],
        site: Some(SiteId(2 + number % 1_999)),
        placement: Placement::default(),
        owner: None,
        own_clock: ParameterSet::new(),
        software: None,
        origin: Origin::Manual,
        added_at: Timestamp::UNIX_EPOCH,
        revision: 1,
    }
}

/// An account with very much of everything.
fn fill(change: &mut Change<'_>) -> Result<(), ServiceError> {
    for number in 2..=2_000 {
        change.put_site(Branch { id: SiteId(number), name: name("Branch", number), ..Branch::internet() })?;
        change.put_place(Place::Site(SiteId(number)), vec![ProfileId(number)])?;
    }
    for number in 1..=500 {
        let (modified_by, modified_at) = ("Ada".to_owned(), Timestamp::UNIX_EPOCH);
        let group = Group {
            id: GroupId(number),
            name: name("Group", number),
            description: "All who sit there. ".repeat(40),
            modified_by,
            modified_at,
            revision: 1,
        };
        change.put_group(group)?;
        change.put_place(Place::Group(GroupId(number)), vec![ProfileId(number)])?;
    }
    for number in 1..=2_500 {
        change.put_profile(profile(number))?;
    }
    for number in 1..=2_000 {
        let (name, description) = (name("Person", number), "Words. ".repeat(100));
        let groups = vec![PersonGroupId(ID)];
        change.put_person(Person { id: PersonId(number), name, description, groups, modified: modified() })?;
    }
    for number in 1..=1_000 {
        let (group, room) = (name("People", number), name("Hall", number));
        let description = "Words. ".repeat(100);
        let id = PersonGroupId(number);
        change.put_person_group(PersonGroup { id, name: group, description: description.clone(), modified: modified() })?;
        change.put_room(Room { id: RoomId(number), name: room, description, modified: modified() })?;
    }
    (1..=1_500).try_for_each(|number| change.put_resource(resource(number)))?;
    (1..=1_500).try_for_each(|number| change.put_device(device(number)))
}

/// The addresses of a pattern that can be asked for here: none where it names what only waits for a moment.
fn examples(pattern: &str) -> Vec<String> {
    let parts = |part: &str| -> Vec<String> {
        match part {
            "{key}" => vec![KEY.to_owned()],
            "{id}" => vec![ID.to_string()],
            "{container}" => ["groups", "sites", "people", "person-groups", "rooms"].map(str::to_owned).to_vec(),
            one_of if one_of.contains(':') => {
                let names = one_of.trim_end_matches('}').split_once(':').map_or("", |(_, names)| names);
                names.split('|').map(str::to_owned).collect()
            }
            named if named.starts_with('{') => Vec::new(),
            word => vec![word.to_owned()],
        }
    };
    pattern.split('/').map(parts).fold(vec![String::new()], |paths, parts| {
        let longer = |path: &String| parts.iter().map(|part| format!("{path}/{part}")).collect::<Vec<_>>();
        paths.iter().flat_map(longer).collect()
    })
}

#[actix_web::test]
async fn no_page_of_the_table_of_addresses_grows_with_the_account() {
    let site = Site::open().await;
    commit(&site.services, Grant::system("test"), DEFAULT_ACCOUNT, fill).expect("filled");
    let mut browser = Browser::signed_in(&site).await;
    let patterns = admin::addresses().into_iter().filter(|(method, path)| *method == Method::GET && !path.contains("download"));
    let paths: Vec<String> = patterns.flat_map(|(_, path)| examples(path.strip_prefix('/').unwrap_or(&path))).collect();
    let (mut shown, mut large) = (Vec::new(), Vec::new());
    for path in paths {
        // Those that end a session come to nothing here.
        let page = format!("{path}?per_page=200&select={ID}");
        let answer = browser.get(&page).await;
        if answer.status == StatusCode::OK && answer.header("content-type").starts_with("text/html") {
            if answer.body.len() > PAGE_BYTES {
                large.push((page, answer.body.len()));
            }
            shown.push(path);
        }
    }
    assert!(large.is_empty(), "{large:?}");
    for must in
        ["/admin/", "/admin/sites", "/admin/profiles/2", "/admin/people/2", "/admin/deployment/sites/2", "/admin/resources"]
    {
        assert!(shown.iter().any(|path| path == must), "{must} is none of {shown:?}");
    }
    assert!(shown.len() > 70, "{}", shown.len());
}

#[actix_web::test]
async fn a_resource_file_is_typed_by_name_where_there_are_many_and_chosen_from_a_list_where_there_are_few() {
    let site = Site::open().await;
    let add = |from: u64, to: u64| {
        let files = |change: &mut Change<'_>| (from..=to).try_for_each(|number| change.put_resource(resource(number)));
        commit(&site.services, Grant::system("test"), DEFAULT_ACCOUNT, files).expect("kept");
    };
    let own = |change: &mut Change<'_>| change.put_profile(profile(ID));
    commit(&site.services, Grant::system("test"), DEFAULT_ACCOUNT, own).expect("kept");
    add(1, 200);
    let mut browser = Browser::signed_in(&site).await;
    let listed = page(&mut browser).await;
    assert!(listed.contains("<select id=\"f-new-resource\"") && listed.contains("-0200.wav"), "{listed}");
    add(201, 201);
    let typed = page(&mut browser).await;
    assert!(typed.contains("<input id=\"f-new-resource\"") && !typed.contains("-0201.wav"), "{typed}");
    let path = resource(201).path.to_string();
    let form = [("revision", "1"), ("do", "add-resource"), ("new_name", "se.rt.1.wav"), ("resource", &path)];
    let answer = browser.post("/admin/profiles/2/parameters", &form).await;
    assert!(answer.body.contains(&path), "{}", answer.body);
}

async fn page(browser: &mut Browser) -> String {
    browser.get("/admin/profiles/2").await.body
}
