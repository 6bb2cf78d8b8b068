//! What a list of the pages can be narrowed and sorted by, the API can too, by the same names and with the same rows.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::lists::filled;
use crate::support::api::Api;
use crate::support::openapi::operations;

/// A list on a page, and the same list of the API.
struct Twin {
    template: &'static str,
    page: &'static str,
    /// Path below the account, or the whole path.
    api: &'static str,
    /// The field of the API's objects that the page's file has in its first column; none where page and API list different things or
    /// the page has no file of its own.
    naming: Option<&'static str>,
}

const fn twin(template: &'static str, page: &'static str, api: &'static str, naming: Option<&'static str>) -> Twin {
    Twin { template, page, api, naming }
}

const TWINS: &[Twin] = &[
    twin("devices/list.html", "/admin/devices", "/devices", None),
    twin("devices/blocked.html", "/admin/devices/blocked", "/blocked", Some("key")),
    twin("devices/deleted.html", "/admin/devices/deleted", "/deleted", Some("key")),
    twin("sites/list.html", "/admin/sites", "/sites", None),
    twin("sites/moves.html", "/admin/sites/moves", "/pending-moves", Some("key")),
    twin("groups/list.html", "/admin/groups", "/groups", Some("name")),
    twin("groups/devices.html", "/admin/groups/1/devices", "/devices", None),
    twin("people/list.html", "/admin/people", "/people", Some("name")),
    twin("people/list.html", "/admin/person-groups", "/person-groups", Some("name")),
    twin("people/list.html", "/admin/rooms", "/rooms", Some("name")),
    twin("people/members.html", "/admin/person-groups/1/members", "/people", None),
    twin("profiles/list.html", "/admin/profiles", "/profiles", Some("name")),
    twin("deployment/show.html", "/admin/deployment", "/deployment", None),
    twin("pending/list.html", "/admin/pending", "/pending", Some("key")),
    twin("resources/list.html", "/admin/resources", "/resources", Some("path")),
    twin("recycle_bin/list.html", "/admin/recycle-bin", "/recycle-bin", None),
    twin("users/list.html", "/admin/users", "/api/v1/users", Some("name")),
    twin("software/list.html", "/admin/software", "/images", Some("name")),
    twin("tokens/list.html", "/admin/tokens", "/tokens", Some("name")),
    // One row a phone on the page, one a run in the API.
    twin("runs/list.html", "/admin/unknown-phones", "/runs", None),
    twin("activity/list.html", "/admin/activity", "/activity", Some("at")),
    twin("provisioning/credentials.html", "/admin/provisioning/credentials", "/credentials/former", None),
];

/// Templates that narrow or sort, and are no list of objects.
const NO_LISTS: [&str; 0] = [];

/// What a page's list takes that says how it is shown, and not what it shows: `show` turns members and all others.
const OF_THE_PAGE: [&str; 2] = ["per_page", "show"];

fn templates(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            templates(&path, found);
        } else if fs::read_to_string(&path).is_ok_and(|text| text.contains("m::sortable(") && !text.contains("macro sortable")) {
            let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
            found.push(path.strip_prefix(root).expect("below").to_string_lossy().into_owned());
        }
    }
}

#[test]
fn every_list_of_a_page_is_known() {
    let mut found = Vec::new();
    templates(&Path::new(env!("CARGO_MANIFEST_DIR")).join("templates"), &mut found);
    assert!(found.len() > 10, "{found:?}");
    for template in found {
        let is_known = TWINS.iter().any(|twin| twin.template == template) || NO_LISTS.contains(&template.as_str());
        assert!(is_known, "{template} sorts: name the list of the API that it shows");
    }
}

/// The texts between two marks.
fn between<'a>(text: &'a str, start: &'a str, end: &'a str) -> impl Iterator<Item = &'a str> {
    text.split(start).skip(1).filter_map(move |rest| rest.split(end).next())
}

/// The filters of a page: each name with the values that can be chosen.
fn filters(page: &str) -> Vec<(String, Vec<String>)> {
    let form = between(page, "<form class=\"filters\"", "</form>").next().unwrap_or_default();
    let mut found = Vec::new();
    for field in form.split("<div class=\"field").skip(1) {
        let name = between(field, " name=\"", "\"").next().unwrap_or_default();
        let value = |option: &str| {
            let text = between(option, ">", "\u{0}").next().unwrap_or_default().to_owned();
            between(option, " value=\"", "\"").next().map_or(text, ToOwned::to_owned)
        };
        let options = between(field, "<option", "</option>").map(value).filter(|value| !value.is_empty());
        if !name.is_empty() && !OF_THE_PAGE.contains(&name) {
            found.push((name.to_owned(), options.collect()));
        }
    }
    found
}

fn sorts(page: &str) -> BTreeSet<String> {
    let links = between(page, "class=\"sort\" href=\"", "\"");
    links.filter_map(|href| between(href, "sort=", "&").next().map(|word| word.trim_start_matches('-').to_owned())).collect()
}

/// The first column of the page's file.
fn first_column(api: &Api, page: &str, query: &str) -> Vec<String> {
    let file = api.page(&format!("{page}?{query}&as=csv")).text();
    file.lines().skip(1).map(|line| line.split(',').next().unwrap_or_default().trim_matches('"').to_owned()).collect()
}

fn parameters(path: &str) -> BTreeSet<&'static str> {
    let path = path.strip_prefix("/api/v1").map_or_else(|| format!("/accounts/{{account}}{path}"), ToOwned::to_owned);
    let of = operations().find(|(method, known, _)| method == "GET" && *known == path);
    let (_, _, operation) = of.unwrap_or_else(|| panic!("there is no list {path}"));
    operation["parameters"].as_array().expect("parameters").iter().filter_map(|one| one["name"].as_str()).collect()
}

#[test]
fn the_api_has_every_filter_and_every_order_of_a_page() {
    let (_server, api) = filled();
    api.ok("POST", "/groups/1/members", Some(serde_json::json!({ "add": [super::KEY] })));
    api.ok("POST", "/person-groups/1/members", Some(serde_json::json!({ "add": [1] })));
    for path in ["a.txt", "000000000000-b.txt"] {
        assert_eq!(api.send("POST", &format!("/resources?path={path}"), b"x").status, 201);
    }
    let gone = api.ok("POST", "/rooms", Some(serde_json::json!({ "name": "Attic" })))["id"].clone();
    api.ok("DELETE", &format!("/rooms/{gone}"), None);
    api.ok("PUT", "/deployment/groups/1", Some(serde_json::json!({ "profiles": [1], "shown": [] })));
    for Twin { page, api: path, naming, .. } in TWINS {
        let shown = api.page(page).text();
        let (filters, sorts, known) = (filters(&shown), sorts(&shown), parameters(path));
        assert!(!sorts.is_empty(), "{page} has no order to choose: {shown}");
        let same = |query: &str| {
            let found = api.ok("GET", &format!("{path}?{query}&per_page=1000"), None);
            let Some(naming) = naming else { return };
            let named = found["items"].as_array().expect("items").iter();
            let named: Vec<String> = named.map(|one| one[naming].as_str().unwrap_or_default().to_owned()).collect();
            let told = first_column(&api, page, query);
            if *naming == "at" {
                assert_eq!(told.len(), named.len(), "{page}?{query}");
            } else {
                assert_eq!(told, named, "{page}?{query}");
            }
        };
        for word in sorts {
            same(&format!("sort={word}"));
            same(&format!("sort=-{word}"));
        }
        for (name, values) in filters {
            assert!(known.contains(name.as_str()), "{path} does not have the filter {name} of {page}");
            for value in values {
                same(&format!("{name}={}&sort={}", value.replace(' ', "%20"), first_sort(&shown)));
            }
        }
        same(&format!("q=a&sort={}", first_sort(&shown)));
    }
}

fn first_sort(page: &str) -> String {
    sorts(page).into_iter().next().expect("an order")
}

#[test]
fn the_file_of_sites_holds_the_sites_that_are_asked_for() {
    let (_server, api) = filled();
    let rows = |query: &str| api.call("GET", &format!("/sites/export?{query}"), None).text().lines().count() - 1;
    assert_eq!((rows("q=home"), rows("q=nowhere"), rows("has=zone")), (1, 0, 0));
    assert_eq!(rows("") as u64 + 1, api.ok("GET", "/sites", None)["total"].as_u64().expect("a total"), "all but Internet");
    assert_eq!(api.refused("GET", "/sites/export?has=colour", None).1[0].0, "has");
}

/// R58: the API says why a row is there where the page does.
#[test]
fn the_api_says_why_a_row_was_found() {
    let (_server, api) = filled();
    let made = super::profile(&api, "Lobby ring tones", serde_json::json!({ "se.pat.misc.1.name": "x" }));
    let put = |path: &str| api.ok("PUT", path, Some(serde_json::json!({ "profiles": [made], "shown": [] })));
    put("/deployment/groups/1");
    let devices = |q: &str| api.ok("GET", &format!("/devices?q={q}"), None);
    assert_eq!(devices("lobby")["total"], 0);
    api.ok("POST", "/groups/1/members", Some(serde_json::json!({ "add": [super::KEY] })));
    let found = devices("lobby");
    assert_eq!((&found["total"], &found["items"][0]["why"]), (&1.into(), &"profile of a device group: Lobby ring tones".into()));
    assert_eq!(devices(super::KEY)["items"][0].get("why"), None);
    let places = api.ok("GET", "/deployment?q=lobby&attached=true", None);
    assert_eq!((&places["total"], &places["items"][0]["why"]), (&1.into(), &"profile: Lobby ring tones".into()));
    assert!(api.page("/admin/deployment?q=lobby").text().contains("profile: Lobby ring tones"));
    let profiles = api.ok("GET", "/profiles?q=se.pat.misc.1", None);
    assert_eq!(profiles["items"][0]["why"], "parameter: se.pat.misc.1.name");
}
