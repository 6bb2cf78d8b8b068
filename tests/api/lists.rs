//! Lists: every one takes `q`, `sort`, `page` and `per_page` and answers `{items, total}` (contract 6).

use serde_json::{Value, json};

use super::{KEY, device, profile};
use pdms::domain::activity::KINDS;

use crate::support::api::Api;
use crate::support::openapi::{document, operations};
use crate::support::phone::Phone;
use crate::support::revoking_authority;
use crate::support::server::Server;

/// A server that has something of everything.
pub fn filled() -> (Server, Api) {
    let server = Server::start();
    let api = Api::owner(&server);
    api.ok("POST", "/devices", Some(json!([device(KEY), device("0004f2a11a02"), device("0004f2a11a03")])));
    for key in ["0004f2a11a02", "0004f2a11a03"] {
        api.ok("DELETE", &format!("/devices/{key}?removal=block"), None);
    }
    for name in ["Annex", "Basement", "Cellar"] {
        profile(&api, name, json!({}));
    }
    for kind in ["people", "person-groups", "rooms"] {
        api.ok("POST", &format!("/{kind}"), Some(json!([{ "name": "Upper" }, { "name": "Lower" }])));
    }
    for name in ["Attic", "Garage"] {
        api.ok("POST", "/groups", Some(json!({ "name": name })));
    }
    for name in ["grace", "edsger"] {
        let user = json!({ "name": name, "email": format!("{name}@example.test"), "role": "viewer", "password": "a longer one than most" });
        api.ok("POST", "/api/v1/users", Some(user));
    }
    let (maker, [list, _]) = revoking_authority("Maker");
    api.send("POST", "/manufacturers", &maker);
    api.send("POST", "/revocation-lists", &list);
    // Something to be warned of: phones keep the factory's admin password.
    let mut settings = api.ok("GET", "/settings", None);
    settings["base"]["admin_password"] = false.into();
    api.ok("PATCH", "/settings", Some(json!({ "revision": settings["revision"], "base": settings["base"] })));
    for name in ["monitoring", "backup"] {
        api.ok("POST", "/tokens", Some(json!({ "name": name, "role": "viewer" })));
        api.ok("POST", "/views", Some(json!({ "list": "devices", "name": name })));
    }
    super::images(&server, &api);
    for name in ["ring.txt", "tone.txt"] {
        api.send("POST", &format!("/resources?path={name}"), b"words");
    }
    let phone = Phone::new(&server);
    phone.get(&format!("/{KEY}.cfg"));
    for (name, body) in
        [("phone.cfg", "<a up.timeOut='41'/>"), ("web.cfg", "<a/>"), ("app.log", "hello"), ("boot.log", "hello, you")]
    {
        phone.put(&format!("/{KEY}-{name}"), body.as_bytes());
    }
    server.advance(600);
    phone.get(&format!("/{KEY}.cfg"));
    Api::owner(&server);
    for stranger in ["0004f2bbbb01", "0004f2bbbb02"] {
        Phone::bare(&server).with_credentials("x", "y").get(&format!("/{stranger}.cfg"));
    }
    // A device that was in a site and is in none any more.
    let home = api.ok("POST", "/sites", Some(json!({ "name": "Home", "networks": [{ "public": "127.0.0.0/8" }] })));
    let moved = json!({ "revision": 1, "networks": [{ "public": "192.0.2.0/24" }] });
    api.ok("PATCH", &format!("/sites/{}", home["id"]), Some(moved));
    let planned = json!({ "revision": api.ok("GET", "/settings", None)["revision"], "password": "planned-7411" });
    api.ok("PATCH", "/settings", Some(planned));
    // Else the next batch would change what is listed between two pages.
    api.ok("POST", "/api/v1/server/backups", None);
    server.flush();
    (server, api)
}

/// Every list of the description: its path with the account and the device filled in.
fn lists() -> Vec<(String, &'static Value)> {
    let is_list = |operation: &Value| {
        let schema = &operation["responses"]["200"]["content"]["application/json"]["schema"];
        let name = schema["$ref"].as_str().and_then(|reference| document().pointer(reference.trim_start_matches('#')));
        name.unwrap_or(schema)["properties"]["items"].is_object()
    };
    let lists = operations().filter(|(method, _, operation)| method == "GET" && is_list(operation));
    lists
        .map(|(_, path, operation)| {
            (
                path.replace("{account}", "default").replace("{key}", KEY).replace("{id}", "1").replace("{name}", "phone.cfg"),
                operation,
            )
        })
        .collect()
}

#[test]
fn every_list_is_searched_sorted_and_paged() {
    let (_server, api) = filled();
    let lists = lists();
    assert!(lists.len() >= 10, "{lists:?}");
    for (path, operation) in lists {
        let ask = |query: &str| api.ok("GET", &format!("/api/v1{path}?{query}"), None);
        let whole = ask("per_page=1000");
        let total = whole["total"].as_u64().expect("a total");
        let items = whole["items"].as_array().expect("items");
        assert!(total >= 1 && items.len() as u64 == total.min(1_000), "{path}: {whole}");
        assert_eq!(whole.as_object().map(serde_json::Map::len), Some(2), "{path}");

        let named: Vec<&str> =
            operation["parameters"].as_array().expect("parameters").iter().filter_map(|one| one["name"].as_str()).collect();
        for key in ["q", "sort", "page", "per_page"] {
            assert!(named.contains(&key), "{path} does not take {key}");
        }
        assert_eq!(ask("q=nothing-has-this-word"), json!({ "items": [], "total": 0 }), "{path}");
        let pages: Vec<Value> =
            (1..=total.min(40)).map(|page| ask(&format!("per_page=1&page={page}"))["items"][0].clone()).collect();
        assert_eq!(pages, items[..pages.len()], "{path}: the pages are the whole, one after the other");
        assert_eq!(ask(&format!("page={}", total + 1))["items"], json!([]), "{path}");
        for (query, field) in
            [("page=0", "page"), ("per_page=0", "per_page"), ("per_page=1001", "per_page"), ("sort=colour", "sort")]
        {
            let (status, fields) = api.refused("GET", &format!("/api/v1{path}?{query}"), None);
            assert_eq!((status, fields[0].0.as_str()), (422, field), "{path}?{query}");
        }
        let (_, fields) = api.refused("GET", &format!("/api/v1{path}?sort=colour"), None);
        for word in words(&fields[0].1) {
            // The beginning one way is the end the other way, turned round.
            let first = ask(&format!("sort={word}&per_page=1"));
            assert_eq!(first["items"], ask(&format!("sort=-{word}&per_page=1&page={total}"))["items"], "{path} by {word}");
            let (there, back) = (ask(&format!("sort={word}&per_page=1000")), ask(&format!("sort=-{word}&per_page=1000")));
            let turned: Vec<&Value> = back["items"].as_array().expect("items").iter().rev().collect();
            let whole = there["items"].as_array().expect("items").iter().collect::<Vec<_>>();
            assert!(total > 1_000 || whole == turned, "{path} by {word}");
        }
    }
}

/// The words that a refusal of `sort` names.
fn words(message: &str) -> Vec<String> {
    let list = message.split_once("use one of: ").expect("the words").1.split(';').next().unwrap_or_default();
    list.split(", ").map(|word| word.trim_start_matches('-').to_owned()).collect()
}

#[test]
fn lists_have_the_filters_of_their_pages() {
    let (_server, api) = filled();
    let total = |path: &str| api.ok("GET", path, None)["total"].as_u64().expect("a total");
    assert_eq!((total("/runs?subject=00:04:F2:BB:BB:01"), total("/runs?outcome=complete")), (1, 0));
    assert_eq!(total("/blocked?q=11a03"), 1);
    assert_eq!(total(&format!("/devices/{KEY}/logs?q=app&since=2026-11-22T12:00:00Z&until=2026-11-22T12:05:00Z")), 1);
    assert_eq!(
        total(&format!("/devices/{KEY}/runs?kind=boot")) + total(&format!("/devices/{KEY}/runs?kind=poll")),
        total(&format!("/devices/{KEY}/runs"))
    );
    assert_eq!(api.refused("GET", "/runs?kind=walk", None).1[0].0, "kind");
    let of = |filter: &str| total(&format!("/activity?{filter}"));
    let by_kind: u64 = KINDS.iter().map(|kind| of(&format!("object={}", kind.replace(' ', "%20")))).sum();
    assert_eq!(by_kind, of(""), "every entry is of one of the kinds");
    assert!(of("object=device") > of("object=device&subject=0004f2A11A03") && of("subject=0004f2A11A03") >= 2);
    assert!(of("actor=ADA") > 0 && of("actor=ada&object=user&subject=grace") == 1 && of("actor=nobody") == 0);
    assert_eq!((of("until=2026-11-22T11:00:00Z"), of("since=2026-11-22T11:00:00Z")), (0, of("")));
    assert_eq!(api.refused("GET", "/activity?object=colour", None).1[0].0, "object");
    for (day, status) in [("2026-11-22", 200), ("2026-11-23", 404), ("2099-01-01", 404), ("1999-01-01", 404)] {
        assert_eq!(api.call("GET", &format!("/activity/weeks/{day}"), None).status, status, "{day}");
        let page = api.page(&format!("/admin/activity/download?day={day}"));
        assert_eq!(page.status, status, "{day}");
        assert!(status == 200 || page.text().contains("week of"), "it says why: {}", page.text());
    }
    assert_eq!(api.page("/admin/activity/download?day=tuesday").status, 404);
    let oldest = api.ok("GET", "/activity?sort=at&per_page=1", None);
    let newest = api.ok("GET", "/activity?per_page=1", None);
    assert!(oldest["items"][0]["at"].as_str() <= newest["items"][0]["at"].as_str() && oldest != newest);
}

#[test]
fn several_are_deleted_together_or_none() {
    let (_server, api) = filled();
    let (status, fields) =
        api.refused("POST", "/devices/delete", Some(json!({ "keys": [KEY, "0004f2999999", "nope"], "removal": "forget" })));
    let fields: Vec<&str> = fields.iter().map(|(field, _)| field.as_str()).collect();
    assert_eq!((status, fields), (422, vec!["keys[1]", "keys[2]"]));
    let gone = api.ok("POST", "/devices/delete", Some(json!({ "keys": [KEY, KEY], "removal": "block" })));
    assert_eq!((&gone["total"], &gone["items"][0]["key"]), (&json!(1), &json!(KEY)));
    assert_eq!(api.ok("GET", "/devices", None)["total"], 0);

    assert_eq!(api.refused("POST", "/profiles/delete", Some(json!({ "ids": [1, 99] }))).1[0].0, "ids[1]");
    assert_eq!(api.ok("POST", "/profiles/delete", Some(json!({ "ids": [1, 3] })))["total"], 2);
    assert_eq!(api.ok("GET", "/profiles?kind=user", None)["items"][0]["name"], "Basement");
}
