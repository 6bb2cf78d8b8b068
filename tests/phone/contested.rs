//! Several who ask for one device from different addresses, and what somebody else decided meanwhile: a click never opens what was not
//! shown, and no block (contract 4).

use pdms::domain::account::FirstContact;
use pdms::domain::ids::DEFAULT_ACCOUNT;
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

/// These are devices, and bound, from here.
fn bound(server: &Server, macs: &[String]) {
    for mac in macs {
        let phone = Phone::new(server).with("X-Forwarded-For", HOME);
        assert_eq!((asks(&phone, mac), phone.get(&format!("/{mac}-profile.cfg")).status), (200, 200));
        let (key, at) = (mac.parse().expect("a MAC"), server.clock.now());
        server.services.trusts(DEFAULT_ACCOUNT).learn(&key, |trust| trust.bound_at = Some(at));
    }
}

/// The addresses that are listed of a key, in order.
fn addresses(api: &Api, key: &str) -> Vec<String> {
    let one = listed(api, key);
    let others = one["elsewhere"].as_array().expect("a list").iter();
    std::iter::once(&one).chain(others).map(|one| one["address"].as_str().expect("an address").to_owned()).collect()
}

/// What a program sends that was shown all of a key and means this address.
fn chosen(key: &str, address: &str, listed: &[String]) -> Value {
    let others: Vec<&String> = listed.iter().filter(|one| *one != address).collect();
    json!({ "keys": [key], "shown": { key: address }, "also_shown": { key: others } })
}

#[test]
fn bound_phones_that_were_reset_and_come_over_plain_http_are_not_covered_by_the_factory_default() {
    let server = server();
    let macs: Vec<String> = (1..7).map(|n| format!("0004f2bb000{n}")).collect();
    bound(&server, &macs);
    let api = Api::owner(&server);
    let (phone, stranger) = (Phone::in_clear(&server).with("X-Forwarded-For", HOME), factory(&server, STRANGER));
    for one in [&phone, &stranger, &phone] {
        assert!(macs.iter().all(|mac| asks(one, mac) == 503));
        server.advance(60);
    }
    for mac in &macs {
        let both = listed(&api, mac);
        assert_eq!((addresses(&api, mac), &both["times"]), (vec![HOME.to_owned(), STRANGER.to_owned()], &json!(2)));
        assert!(both["caution"].as_str().is_some_and(|words| words.contains("2 addresses")), "{both}");
    }
    for (address, other) in [(STRANGER, HOME), (HOME, STRANGER)] {
        let of_each = |value: Value| macs.iter().map(|mac| (mac.clone(), value.clone())).collect::<serde_json::Map<_, _>>();
        let many = json!({ "keys": macs, "shown": of_each(json!(address)), "also_shown": of_each(json!([other])) });
        assert_eq!(api.call("POST", "/pending/let-in", Some(many)).status, 422, "nobody is let in by a click for many");
    }
    assert!(macs.iter().all(|mac| asks(&stranger, mac) == 503));
    api.ok("POST", "/pending/let-in", Some(chosen(&macs[0], HOME, &addresses(&api, &macs[0]))));
    assert_eq!((asks(&phone, &macs[0]), asks(&stranger, &macs[0])), (200, 503), "but by a click for its address");
}

#[test]
fn nobody_pushes_a_phone_off_the_list_by_coming_from_several_addresses_before_it() {
    let server = server();
    let api = Api::owner(&server);
    let strangers: Vec<Phone> = (1..5).map(|n| factory(&server, &format!("10.66.0.{n}"))).collect();
    let phone = factory(&server, HOME);
    for one in strangers.iter().chain([&phone, &strangers[3]]) {
        assert_eq!(asks(one, MAC), 503);
        server.advance(1);
    }
    let all = addresses(&api, MAC);
    assert!(all.len() == 5 && all[1] == HOME, "{all:?}");
    api.ok("POST", "/pending/let-in", Some(chosen(MAC, HOME, &all)));
    assert_eq!((asks(&phone, MAC), asks(&strangers[0], MAC)), (200, 503));
}

#[test]
fn whoever_chose_an_address_is_not_held_up_by_strangers_that_come_from_ever_new_ones() {
    let server = server();
    let api = Api::owner(&server);
    let stranger = |n: usize| factory(&server, &format!("10.66.1.{n}"));
    let phone = factory(&server, HOME);
    assert_eq!((asks(&phone, MAC), asks(&stranger(1), MAC)), (503, 503));
    let seen = addresses(&api, MAC);
    for n in 2..40 {
        assert_eq!(asks(&stranger(n), MAC), 503);
        server.advance(1);
    }
    assert!(addresses(&api, MAC).contains(&HOME.to_owned()));
    api.ok("POST", "/pending/let-in", Some(chosen(MAC, HOME, &seen)));
    assert_eq!((asks(&phone, MAC), asks(&stranger(39), MAC)), (200, 503));
}

#[test]
fn phones_with_the_shared_credentials_are_let_in_together_whatever_strangers_try_without() {
    let server = server();
    server.set_account(&AccountDraft { first_contact: Some(FirstContact::Approve), ..AccountDraft::default() });
    let api = Api::owner(&server);
    let macs: Vec<String> = (0..10).map(|n| format!("0004f2cc000{n}")).collect();
    let phone = Phone::new(&server).with("X-Forwarded-For", HOME);
    let (stranger, in_clear) = (factory(&server, STRANGER), Phone::in_clear(&server).with("X-Forwarded-For", "10.6.6.8"));
    assert!(macs.iter().all(|mac| asks(&phone, mac) == 503));
    let shown: serde_json::Map<String, Value> =
        macs.iter().map(|mac| (mac.clone(), listed(&api, mac)["address"].clone())).collect();
    for mac in &macs {
        assert_eq!(asks(&stranger, mac), 503);
        asks(&in_clear, mac);
        let one = listed(&api, mac);
        assert!(one["address"] == json!(HOME) && one["caution"].is_null(), "{one}");
        assert!(addresses(&api, mac).contains(&STRANGER.to_owned()), "they are told beside it");
    }
    let done = api.ok("POST", "/pending/let-in", Some(json!({ "keys": macs, "shown": shown })));
    assert_eq!(done["total"], 10, "{done}");
    assert!(macs.iter().all(|mac| asks(&phone, mac) == 200 && asks(&stranger, mac) == 503));
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
