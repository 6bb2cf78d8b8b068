//! What phones would make of a profile that may not be meant is told wherever an admin works with it, with the next step.

use actix_web::http::StatusCode;

use crate::support::browser::{Browser, Site};

const MISSING: &str = "“site.cfg”, which this server does not have";
const MIXED: &str = "comes from two sources: profiles set tcpIpApp.sntp.gmtOffset";

/// A profile made on the pages; its path.
async fn profile(owner: &mut Browser, name: &str) -> String {
    owner.get("/admin/profiles/add").await;
    let made = owner.post("/admin/profiles/add", &[("mode", "phone-provision"), ("name", name)]).await;
    assert_eq!(made.status, StatusCode::OK, "{}", made.body);
    owner.path.split(['?', '#']).next().unwrap_or_default().to_owned()
}

async fn add(owner: &mut Browser, path: &str, name: &str, value: &str) -> (StatusCode, String) {
    let page = owner.get(path).await.body;
    let revision = page.split_once("name=\"revision\" value=\"").and_then(|(_, rest)| rest.split('"').next()).expect("a form");
    let fields = [("revision", revision), ("do", "add"), ("new_name", name), ("new_value", value)];
    let answer = owner.post(&format!("{path}/parameters"), &fields).await;
    (answer.status, answer.body)
}

#[actix_web::test]
async fn a_saved_an_imported_and_a_deployed_profile_tell_it() {
    let site = Site::open().await;
    let mut owner = Browser::signed_in(&site).await;
    let path = profile(&mut owner, "Office").await;
    let (status, saved) = add(&mut owner, &path, "CONFIG_FILES", "site.cfg").await;
    assert_eq!(status, StatusCode::OK);
    assert!(saved.contains(MISSING) && saved.contains("take it out of the profile"), "{saved}");

    let xml = r#"<a xmlns:x="urn:x" tcpIpApp.sntp.gmtOffset="-18000"/>"#;
    let shown = owner.post(&format!("{path}/paste"), &[("xml", xml)]).await.body;
    assert!(shown.contains(MISSING) && shown.contains(MIXED), "the preview: {shown}");
    assert!(shown.contains("2 attributes") && shown.contains("of XML itself") && shown.contains("xmlns:x"), "{shown}");

    let id = path.rsplit('/').next().unwrap_or_default().to_owned();
    owner.get("/admin/deployment").await;
    let deployed = owner.post("/admin/deployment", &[("do", "attach"), ("shown", ""), ("profile", &id), ("where", "top")]).await;
    assert!(deployed.body.contains(MISSING), "deployed: {}", deployed.body);
}

#[actix_web::test]
async fn a_path_that_no_phone_could_ask_for_is_told_beside_its_field() {
    let site = Site::open().await;
    let mut owner = Browser::signed_in(&site).await;
    let path = profile(&mut owner, "Office").await;
    for (name, value, words) in [
        ("CONFIG_FILES", "my site.cfg", "a blank cannot stand in a path"),
        ("MISC_FILES", "../x.png", "leads out of the folder"),
        ("_site", "x", "begins with _mac_cfg"),
    ] {
        let (status, page) = add(&mut owner, &path, name, value).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{name}");
        assert!(page.contains(words), "{name}: {page}");
    }
}
