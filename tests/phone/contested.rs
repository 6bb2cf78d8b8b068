//! Several who ask for one device from different addresses, and what somebody else decided meanwhile: a click never opens what was not
//! shown, and no block (contract 4).

use pdms::domain::account::FirstContact;
use pdms::services::accounts::AccountDraft;
use pdms::web::phone::PhoneSettings;
use serde_json::{Value, json};

use crate::support::api::{Api, json as json_of, problem};
use crate::support::openapi::operations;
use crate::support::phone::Phone;
use crate::support::server::Server;

const MAC: &str = "0004f2aa0001";
const SECOND: &str = "0004f2aa0002";
const HOME: &str = "10.0.1.5";
const STRANGER: &str = "10.6.6.7";

/// Behind a proxy whose word about addresses counts.
fn server() -> Server {
    let trusted_proxies = vec!["127.0.0.0/8".parse().expect("a network")];
    Server::start_with(PhoneSettings { trusted_proxies, ..PhoneSettings::default() })
}

fn factory(server: &Server, address: &str) -> Phone {
    Phone::new(server).with("X-Forwarded-For", address).with_credentials("PlcmSpIp", "PlcmSpIp")
}

fn asks(phone: &Phone, mac: &str) -> u16 {
    phone.get(&format!("/{mac}.cfg")).status
}

fn listed(api: &Api, key: &str) -> Value {
    api.ok("GET", &format!("/pending?q={key}"), None)["items"][0].clone()
}

#[test]
fn two_who_ask_for_one_device_are_both_listed_and_the_one_is_let_in_that_is_pointed_at() {
    let server = server();
    let api = Api::owner(&server);
    let (phone, stranger) = (factory(&server, HOME), factory(&server, STRANGER));
    for one in [&phone, &phone, &stranger] {
        assert_eq!(asks(one, MAC), 503);
        server.advance(1);
    }
    let both = listed(&api, MAC);
    assert_eq!((&both["address"], &both["times"]), (&json!(STRANGER), &json!(1)));
    let other = &both["elsewhere"][0];
    assert_eq!((&other["address"], &other["times"], &other["reason"]), (&json!(HOME), &json!(2), &json!("factory-credentials")));
    assert!(both["caution"].as_str().is_some_and(|words| words.contains("2 addresses")), "{both}");
    assert_eq!(listed(&api, HOME), both, "found by either address");
    let let_in = |body: Value| api.call("POST", "/pending/let-in", Some(body));
    for at in [HOME, STRANGER] {
        let answer = let_in(json!({ "keys": [MAC], "shown": { MAC: at } }));
        assert!(answer.status == 409 && answer.text().contains("too, which was not shown"), "{at}: {}", answer.text());
    }
    let shown = json!({ "keys": [MAC], "shown": { MAC: HOME }, "also_shown": { "00:04:F2:AA:00:01": [STRANGER] } });
    let done = api.ok("POST", "/pending/let-in", Some(shown));
    assert_eq!((&done["items"][0]["action"], &done["items"][0]["address"]), (&json!("adopted"), &json!(HOME)));
    assert!(listed(&api, MAC)["elsewhere"][0]["let_in_by"].is_string());
    assert_eq!((asks(&stranger, MAC), asks(&phone, MAC)), (503, 200));
    let left = listed(&api, MAC);
    assert_eq!((&left["address"], &left["elsewhere"]), (&json!(STRANGER), &json!([])), "it stays told that a stranger asked");
}

#[test]
fn what_somebody_blocked_meanwhile_stays_blocked_and_is_named_and_the_others_are_let_in() {
    let server = server();
    server.set_account(&AccountDraft { first_contact: Some(FirstContact::Approve), ..AccountDraft::default() });
    let api = Api::owner(&server);
    let phone = Phone::new(&server).with("X-Forwarded-For", HOME);
    assert_eq!((asks(&phone, MAC), asks(&phone, SECOND)), (503, 503));
    let shown = json!({ MAC: HOME, SECOND: HOME });
    let let_in = |keys: &[&str]| api.call("POST", "/pending/let-in", Some(json!({ "keys": keys, "shown": shown })));
    api.ok("POST", "/pending/block", Some(json!({ "keys": [SECOND] })));
    for has_asked in [false, true] {
        if has_asked {
            assert_eq!(asks(&phone, SECOND), 503);
        }
        let single = let_in(&[SECOND]);
        assert!(single.status == 409 && single.text().contains("is blocked; unblock it first"), "{}", single.text());
    }
    let outcome = json_of(&let_in(&[MAC, SECOND]));
    assert_eq!((&outcome["total"], &outcome["items"][0]["key"]), (&json!(1), &json!(MAC)));
    assert_eq!(outcome["left"][0]["key"], json!(SECOND));
    assert!(outcome["left"][0]["why"].as_str().is_some_and(|why| why.contains("unblock it first")), "{outcome}");
    assert_eq!(api.ok("GET", "/blocked", None)["total"], 1);
    assert_eq!((asks(&phone, MAC), asks(&phone, SECOND)), (200, 503));
    assert_eq!(api.ok("POST", "/pending/unblock", Some(json!({ "keys": [SECOND] })))["items"][0]["action"], "unblocked");
    assert_eq!((asks(&phone, SECOND), let_in(&[SECOND]).status, asks(&phone, SECOND)), (503, 200, 200));
}

#[test]
fn the_description_says_what_letting_in_requires() {
    let server = server();
    let api = Api::owner(&server);
    let (status, fields) = problem(&api.call("POST", "/pending/let-in", Some(json!({ "keys": [MAC] }))));
    assert!(status == 422 && fields[0].0 == "shown", "{fields:?}");
    let mut all = operations();
    let (_, _, described) = all.find(|(_, path, _)| path.ends_with("/pending/{action}")).expect("it is described");
    let words = described["description"].as_str().unwrap_or_default();
    assert!(words.contains("`let-in` requires `shown`") && words.contains("lifts no block"), "{words}");
    let document = Api::stranger(&server).ok("GET", "/api/v1/openapi.json", None);
    let shown = &document["components"]["schemas"]["KeySelection"]["properties"]["shown"]["description"];
    assert!(shown.as_str().is_some_and(|words| words.contains("Required for `let-in`") && words.contains("422")), "{shown}");
}
