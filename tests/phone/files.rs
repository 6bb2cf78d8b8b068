//! What a phone gets under which name (contract 4).

use pdms::domain::ids::DEFAULT_ACCOUNT;

use crate::support::api::Api;
use crate::support::phone::Phone;
use crate::support::server::Server;

const MAC: &str = "0004f2aa0001";

#[test]
fn a_phone_is_added_at_its_first_contact_and_gets_its_two_files() {
    let server = Server::start();
    server.global_profile("Office", &[("up.timeOut", "41")]);
    let phone = Phone::new(&server);
    let master = phone.get(&format!("/{MAC}.cfg"));
    assert_eq!(master.status, 200, "{}", master.text());
    assert!(master.text().contains(&format!("CONFIG_FILES=\"{MAC}-profile.cfg\"")), "{}", master.text());
    let parameters = phone.get(&format!("/{MAC}-profile.cfg"));
    assert_eq!(parameters.status, 200);
    assert!(parameters.text().contains("up.timeOut=\"41\""));
    let known = server.device(MAC).expect("added");
    assert_eq!((known.device.family.as_deref(), known.device.model.as_deref()), (Some("VVX"), Some("VVX 500")));
    assert_eq!(known.device.origin, pdms::domain::device::Origin::Automatic);
}

#[test]
fn every_answer_says_its_length_and_is_neither_chunked_nor_compressed() {
    let server = Server::start();
    let phone = Phone::new(&server).with("Accept-Encoding", "gzip, deflate, br").with("TE", "chunked");
    phone.put(&format!("/{MAC}-phone.cfg"), b"<PHONE_CONFIG><OVERRIDES/></PHONE_CONFIG>");
    for path in [".cfg", "-profile.cfg", "-phone.cfg", "-web.cfg"].map(|suffix| format!("/{MAC}{suffix}")) {
        let fetched = phone.get(&path);
        assert_eq!(fetched.header("content-length"), Some(fetched.body.len().to_string().as_str()), "{path}");
        assert!(fetched.header("content-encoding").is_none() && fetched.header("transfer-encoding").is_none(), "{path}");
        let sized = phone.head(&path);
        assert_eq!((sized.status, sized.header("content-length")), (fetched.status, fetched.header("content-length")), "{path}");
    }
}

#[test]
fn names_count_in_any_letter_case_below_any_directory_and_below_default() {
    let server = Server::start();
    let phone = Phone::new(&server);
    let master = phone.get(&format!("/{MAC}.cfg"));
    for path in [
        "/0004F2AA0001.CFG",
        "/default/0004f2aa0001.cfg",
        "/Default/0004F2AA0001.cfg",
        "//0004f2aa0001.cfg",
        "/a/b/0004f2aa0001.cfg",
    ] {
        let same = phone.get(path);
        assert_eq!((same.status, &same.body), (200, &master.body), "{path}");
    }
}

#[test]
fn the_zero_file_is_the_devices_own_for_a_phone_that_is_tagged() {
    let server = Server::start();
    let phone = Phone::new(&server);
    let own = phone.get(&format!("/{MAC}.cfg"));
    let tagged = phone.clone().tagged(Some(MAC)).get("/000000000000.cfg");
    assert_eq!((tagged.status, &tagged.body), (200, &own.body));
    let new = phone.clone().tagged(Some("0004f2aa0002")).get("/000000000000.cfg");
    assert_eq!(new.status, 200);
    assert!(new.text().contains("0004f2aa0002-profile.cfg") && server.device("0004f2aa0002").is_some());
}

#[test]
fn the_zero_file_holds_nothing_of_any_device_for_who_is_no_phone_and_is_503_for_an_unknown_phone() {
    let server = Server::start();
    server.global_profile("Office", &[("CONFIG_FILES", "https://elsewhere.example/secret.cfg")]);
    let phone = Phone::new(&server);
    assert_eq!(phone.get("/000000000000.cfg").status, 503);
    let browser = phone.with("User-Agent", "Mozilla/5.0").get("/000000000000.cfg");
    assert_eq!(browser.status, 200);
    assert!(browser.text().contains("CONFIG_FILES=\"\"") && !browser.text().contains("secret"), "{}", browser.text());
    assert!(server.services.roster(DEFAULT_ACCOUNT).is_empty());
}

#[test]
fn what_is_not_there_is_a_short_404_and_images_are_too() {
    let server = Server::start();
    let phone = Phone::new(&server);
    for path in [
        "/0004f2aa0001-phone.cfg",
        "/0004f2aa0001-license.cfg",
        "/000000000000-license.cfg",
        "/000000000000-directory.xml",
        "/0004f2aa0001-app.log",
        "/sip.ld",
        "/3111-44500-001.sip.ld",
        "/swupdate/VVX/5.9.8/3111-44500-001.sip.ld",
        "/welcome.wav",
        "/office2024.cfg",
    ] {
        let answer = phone.get(path);
        assert_eq!(answer.status, 404, "{path}");
        assert!(answer.body.len() < 100, "{path}");
    }
}

#[test]
fn a_file_that_a_profile_lists_and_that_is_not_here_is_never_a_404() {
    let server = Server::start();
    server.global_profile("Office", &[("CONFIG_FILES", "site.cfg, extra/$mac_address-user.cfg")]);
    let phone = Phone::new(&server).tagged(Some(MAC));
    let master = phone.get(&format!("/{MAC}.cfg")).text();
    assert!(master.contains("site.cfg") && master.contains("0004f2aa0001-user.cfg"), "{master}");
    for path in ["/site.cfg", "/default/SITE.cfg", "/extra/0004f2aa0001-user.cfg"] {
        assert_eq!(phone.get(path).status, 503, "{path}");
    }
    for path in ["/site.cfg", "/extra/0004f2aa0001-user.cfg"] {
        assert_eq!(Phone::new(&server).get(path).status, 503, "{path}, also to a phone that is not tagged");
    }
    assert_eq!(phone.get("/other.cfg").status, 404);
}

#[test]
fn a_device_that_was_added_without_a_type_is_served_as_what_it_is_from_its_first_request_on() {
    use pdms::domain::device::draft::DeviceDraft;
    use pdms::services::{commit::Mode, devices};
    let server = Server::start();
    let draft = DeviceDraft {
        key: MAC.parse().expect("a MAC"),
        family: None,
        model: None,
        groups: Vec::new(),
        profiles: Vec::new(),
        edit: Default::default(),
    };
    devices::create(&server.services, &crate::support::server::admin(), DEFAULT_ACCOUNT, vec![draft], Mode::Keep).expect("added");
    assert_eq!(Phone::new(&server).get(&format!("/{MAC}.cfg")).status, 200);
    server.flush();
    assert_eq!(server.device(MAC).and_then(|known| known.device.model.clone()).as_deref(), Some("VVX 500"));
}

#[test]
fn sec_07_nothing_that_phones_or_people_get_is_kept_on_the_way() {
    let server = Server::start();
    let phone = Phone::new(&server);
    phone.put("/0004f2aa0001-phone.cfg", b"<a/>");
    for name in [".cfg", "-profile.cfg", "-phone.cfg", "-app.log", "-x.sh"] {
        let answer = phone.get(&format!("/0004f2aa0001{name}"));
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{name}: {}", answer.head);
    }
    assert_eq!(Phone::bare(&server).get("/0004f2aa0001.cfg").header("cache-control"), Some("no-store"));
    let api = Api::owner(&server);
    for path in [
        "/admin/devices/0004f2aa0001/effective/parameters",
        "/admin/devices/0004f2aa0001/effective/master",
        "/admin/activity/download?day=2026-11-22",
        "/api/v1/accounts/default/settings",
    ] {
        let answer = api.page(path);
        assert_eq!((answer.status, answer.header("cache-control")), (200, Some("no-store")), "{path}");
    }
    let style = api.page("/static/app.css");
    assert!(style.header("etag").is_some() && style.header("cache-control").is_some_and(|value| value != "no-store"));
}
