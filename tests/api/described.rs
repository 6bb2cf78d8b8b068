//! The description against the server: what it names answers, what is answered it names.

use serde_json::json;

use super::KEY;
use crate::support::api::{Api, problem};
use crate::support::openapi::operations;
use crate::support::server::{OWNER_EMAIL, Server};

/// A path with something in each of its places.
fn filled(path: &str) -> String {
    let path = path
        .replace("{container}/{id}", "models/VVX%20411")
        .replace("{account}", "default")
        .replace("{key}", KEY)
        .replace("{id}", "1");
    path.replace("{name}", "phone.cfg").replace("{file}", "master").replace("{action}", "expect").replace("{session}", "00")
}

/// The document names operations; each must answer, and strangers get nothing from any.
#[test]
fn every_described_operation_answers() {
    let server = Server::start();
    let stranger = Api::stranger(&server);
    assert_eq!(stranger.ok("GET", "/api/v1/openapi.json", None)["openapi"], "3.1.0");
    let mut count = 0;
    for (method, path, _) in operations() {
        let answer = stranger.call(&method, &format!("/api/v1{}", filled(path)), Some(json!({})));
        // Signing in and taking up an invitation is what strangers do: it looks at what they send.
        let expected = if method == "POST" && ["/session", "/invitation"].contains(&path) { 422 } else { 401 };
        assert_eq!(answer.status, expected, "{method} {path}: {}", answer.text());
        count += 1;
    }
    assert!(count >= 45, "{count} operations");
}

/// Whoever misspells a key of a query hears of it, whatever is asked.
#[test]
fn no_query_key_is_passed_over() {
    let server = Server::start();
    let api = Api::owner(&server);
    for (method, path, operation) in operations() {
        let takes_keys = operation["parameters"].as_array().into_iter().flatten().any(|one| one["in"] == "query");
        if !takes_keys {
            assert_eq!(method, "GET", "{path} takes no dry_run");
            continue;
        }
        let answer = api.call(&method, &format!("/api/v1{}?colour=red", filled(path)), Some(json!({})));
        let (status, fields) = problem(&answer);
        assert!(status == 400 && fields[0].0 == "colour", "{method} {path}: {}", answer.text());
    }
}

#[test]
fn whoever_guesses_passwords_is_told_how_long_to_wait() {
    let server = Server::start();
    let stranger = Api::stranger(&server);
    let guess = json!({ "email": OWNER_EMAIL, "password": "a wrong guess" });
    let paused =
        (0..12).map(|_| stranger.call("POST", "/api/v1/session", Some(guess.clone()))).find(|answer| answer.status == 429);
    let paused = paused.expect("a pause after some guesses");
    let seconds: u64 = paused.header("retry-after").expect("how long").parse().expect("seconds");
    assert!(seconds >= 1 && problem(&paused).0 == 429);
}

/// An invitation is taken up by whoever has its link, once, and wrong links are slowed as on its page (contract 6, ADM-01).
#[test]
fn an_invitation_is_taken_up_without_a_session() {
    let server = Server::start();
    let bob = json!({ "name": "Bob", "email": "bob@example.test", "role": "operator" });
    let made = Api::owner(&server).ok("POST", "/api/v1/users", Some(bob));
    let token = made["invitation"].as_str().and_then(|link| link.split_once("token=")).expect("a link").1;
    let stranger = Api::stranger(&server);
    let take = |token: &str, password: &str, query: &str| {
        let sent = json!({ "token": token, "password": password });
        stranger.call("POST", &format!("/api/v1/invitation{query}"), Some(sent))
    };
    let foreign = stranger.clone().with("Origin", "https://elsewhere.example.test");
    let sent = json!({ "token": token, "password": "four unhurried words" });
    assert_eq!(foreign.refused("POST", "/api/v1/invitation", Some(sent)).0, 403);
    let (status, fields) = problem(&take(token, "short", ""));
    assert_eq!((status, fields[0].0.as_str()), (422, "password"));
    let told = take(token, "four unhurried words", "?dry_run=true");
    assert!(told.status == 200 && told.text().contains("bob@example.test"), "{}", told.text());
    assert_eq!(take(token, "four unhurried words", "").status, 200);
    assert_eq!(take(token, "four unhurried words", "").status, 404, "it is used up");
    let sign_in = json!({ "email": "bob@example.test", "password": "four unhurried words" });
    assert_eq!(stranger.ok("POST", "/api/v1/session", Some(sign_in))["role"], "operator");
    let paused = (0..12).map(|_| take("guess", "four unhurried words", "")).find(|answer| answer.status == 429);
    let paused = paused.expect("a pause after some wrong links");
    assert!(paused.header("retry-after").is_some() && problem(&paused).0 == 429);
}
