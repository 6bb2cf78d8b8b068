//! Which word counts: the guide's two examples, every container at once, and the rules of phones that the answer rests on (R145–R149,
//! R158). The files are golden cases; here stands what they must say.

use std::path::Path;

use serde_json::json;

use crate::golden;
use crate::support::api::Api;
use crate::support::phone::Phone;
use crate::support::secrets;
use crate::support::server::Server;
use pdms::domain::credential::Recipient;
use pdms::domain::device::Device;
use pdms::domain::provision::master::NO_IMAGE;
use pdms::domain::provision::provision;
use pdms::domain::world::World;
use pdms::xml::{read, write};

/// What a phone reads in a golden file.
fn said(case: &str, file: &str, name: &str) -> Option<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(case).join(file);
    let text = std::fs::read_to_string(path).expect("a golden file");
    let begin = text.find(&format!(" {name}=\""))? + name.len() + 3;
    text[begin..].split('"').next().map(str::to_owned)
}

/// The value that another device of the same world is told.
fn told(device: &Device, world: &World, name: &str) -> Option<String> {
    let secrets = secrets();
    let provision = provision(&Recipient::over_tls(device, &secrets), world);
    let mut all = provision.files.master.iter().chain(provision.files.parameters());
    all.find(|setting| setting.name == name).map(|setting| setting.value.to_string())
}

#[test]
fn the_phones_of_a_site_answer_by_themselves_and_the_others_do_not() {
    golden::check("guide-auto-answer");
    assert_eq!(said("guide-auto-answer", "parameters.cfg", "call.autoAnswer.SIP").as_deref(), Some("1"));
    let (device, world) = golden::load("guide-auto-answer");
    let elsewhere = Device { site: None, ..device };
    assert_eq!(told(&elsewhere, &world, "call.autoAnswer.SIP").as_deref(), Some("0"));
}

#[test]
fn the_phones_of_a_group_go_to_its_software_and_the_others_to_that_of_global() {
    golden::check("guide-software");
    let path = said("guide-software", "master.cfg", "APP_FILE_PATH").expect("the master names the software");
    assert!(path.contains("/5.5.2/"), "{path}");
    let (device, world) = golden::load("guide-software");
    let outside = Device { groups: Vec::new(), ..device };
    let path = told(&outside, &world, "APP_FILE_PATH").expect("the master names the software");
    assert!(path.contains("/5.4.6/"), "{path}");
}

#[test]
fn the_phones_of_a_group_go_to_the_version_that_its_profile_chooses() {
    golden::check("guide-software-choice");
    let path = said("guide-software-choice", "master.cfg", "APP_FILE_PATH");
    assert_eq!(path.as_deref(), Some("swupdate/VVX/5.5.2.8571/sip.ld"));
    let (device, world) = golden::load("guide-software-choice");
    let outside = Device { groups: Vec::new(), ..device.clone() };
    assert_eq!(told(&outside, &world, "APP_FILE_PATH").as_deref(), Some("swupdate/VVX/5.4.7.1/sip.ld"));
    // Nobody chooses for this family, and for that one there is no image: never another file (contract 5.12).
    for family in ["Trio", "CCX"] {
        let other = Device { family: Some(family.to_owned()), model: None, groups: Vec::new(), ..device.clone() };
        assert_eq!(told(&other, &world, "APP_FILE_PATH").as_deref(), Some(NO_IMAGE), "{family}");
    }
}

#[test]
fn images_come_from_the_profiles_path_else_the_sites_else_the_accounts_else_from_here() {
    golden::check("download-paths");
    let (device, mut world) = golden::load("download-paths");
    const IMAGE: &str = "swupdate/VVX/5.5.2.8571/sip.ld";
    let path = |device: &Device, world: &World| told(device, world, "APP_FILE_PATH").expect("always written");
    assert_eq!(path(&device, &world), format!("https://berlin.example.com/{IMAGE}"));
    let own = Device { groups: vec![pdms::domain::ids::GroupId(7)], ..device.clone() };
    assert_eq!(path(&own, &world), "https://own.example.com/5.5.2/sip.ld");
    let elsewhere = Device { site: Some(pdms::domain::ids::SiteId(3)), ..device.clone() };
    assert_eq!(path(&elsewhere, &world), format!("https://relay.example.com/{IMAGE}"));
    let outside = Device { site: None, ..device.clone() };
    assert_eq!(path(&outside, &world), format!("https://pdms.example.com/{IMAGE}"));
    std::sync::Arc::make_mut(&mut world.account).software = pdms::domain::account::SoftwareSettings::default();
    assert_eq!((path(&outside, &world), path(&elsewhere, &world)), (IMAGE.to_owned(), IMAGE.to_owned()));
}

#[test]
fn a_cx_station_is_told_by_rule_from_where_and_when_it_updates_itself() {
    golden::check("cx-5500");
    let said = |name: &str| said("cx-5500", "parameters.cfg", name);
    let server = "https://pdms.example.com/swupdate/CX/1.3.4.102";
    assert_eq!(said("device.local.updateServer").as_deref(), Some(server));
    assert_eq!(said("device.local.updateTime").as_deref(), Some("3600"), "the rule beats the profile");
    assert_eq!(said("x.note").as_deref(), Some("https://pdms.example.com 1.3.4.102"));
    let eight = ["updateTime", "updateInterval", "autoUpdateEnabled", "updateServer"];
    for name in eight {
        assert_eq!(said(&format!("device.local.{name}.set")).as_deref(), Some("1"), "{name}");
    }
}

#[test]
fn of_all_containers_at_once_the_strongest_that_speaks_is_heard() {
    golden::check("ladder");
    let strongest_first =
        ["device", "person", "person-group-a", "person-group-b", "site", "model", "group-a", "group-b", "global"];
    for (place, line) in strongest_first.into_iter().zip(1..) {
        let label = said("ladder", "parameters.cfg", &format!("reg.{line}.label"));
        assert_eq!(label.as_deref(), Some(place), "line {line}");
    }
}

/// A phone takes the first occurrence of a parameter of all the files that its master names (R158). Ours is the first of them and says
/// each parameter once, so that it gets what the ladder decided, whatever stands in the files behind it.
#[test]
fn the_first_occurrence_that_a_phone_meets_is_the_one_that_the_ladder_chose() {
    let server = Server::start();
    let api = Api::owner(&server);
    let names = json!({ "CONFIG_FILES": "site.cfg", "call.autoAnswer.SIP": "0", "voice.volume.persist.handset": "1" });
    let global = api.ok("POST", "/profiles", Some(json!({ "name": "Everybody", "parameters": names })))["id"].clone();
    let own = json!({ "name": "Own", "parameters": { "call.autoAnswer.SIP": "1" } });
    let own = api.ok("POST", "/profiles", Some(own))["id"].clone();
    api.ok("PUT", "/deployment/global", Some(json!({ "profiles": [global], "shown": [] })));
    api.ok("POST", "/devices", Some(json!({ "key": "0004f2aabbcc", "profiles": [own] })));

    let phone = Phone::new(&server);
    let master = phone.get("/0004f2aabbcc.cfg").text();
    let listed = master.split_once("CONFIG_FILES=\"").and_then(|(_, rest)| rest.split('"').next()).expect("a list of files");
    assert!(listed.starts_with("0004f2aabbcc-profile.cfg,"), "{listed}");
    let served = phone.get("/0004f2aabbcc-profile.cfg").text();
    let behind = b"<a call.autoAnswer.SIP=\"0\" voice.volume.persist.handset=\"0\"/>";
    let mut met = std::collections::BTreeMap::new();
    for file in [served.as_bytes(), behind] {
        let entries = read::parameters(file).expect("a parameter file");
        let mut names: Vec<_> = entries.iter().map(|one| one.name.to_string()).collect();
        names.sort();
        assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "no name stands twice in one file");
        entries.into_iter().for_each(|one| {
            met.entry(one.name.to_string()).or_insert(one.value.to_string());
        });
    }
    let heard = |name: &str| met.get(name).map(String::as_str);
    assert_eq!((heard("call.autoAnswer.SIP"), heard("voice.volume.persist.handset")), (Some("1"), Some("1")));
    assert_eq!(heard("device.set"), Some("1"), "the binding is in our file alone");
}

#[test]
fn what_is_served_is_one_file_in_which_no_name_stands_twice() {
    for case in ["ladder", "vvx-411", "studio"] {
        let (device, world) = golden::load(case);
        let secrets = secrets();
        let bytes = write::parameters(&provision(&Recipient::over_tls(&device, &secrets), &world));
        let mut names: Vec<_> =
            read::parameters(&bytes).expect("our own file").into_iter().map(|one| one.name.to_string()).collect();
        let count = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), count, "{case}");
    }
}
