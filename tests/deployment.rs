//! Profile Deployment for every kind of place: by API and by page, and what phones get of it (R144–R153, contract 5.1).

use serde_json::{Value, json};

use crate::support::api::Api;
use crate::support::phone::{Phone, Response};
use crate::support::server::Server;

const KEY: &str = "0004f2aa0001";
const OTHER: &str = "0004f2aa0002";
const MODEL: &str = "/deployment/models/VVX%20411";
const MODEL_PAGE: &str = "/admin/deployment/models/VVX%20411";

/// Profiles that all set one parameter, each to its own name; their numbers.
fn profiles<const N: usize>(api: &Api, names: [&str; N]) -> [u64; N] {
    names.map(|name| {
        let made = api.ok("POST", "/profiles", Some(json!({ "name": name, "parameters": { "up.welcome": name } })));
        made["id"].as_u64().expect("a number")
    })
}

/// Two devices of different models.
fn devices(api: &Api) {
    let device = |key: &str, model: &str| json!({ "key": key, "model": model, "name": model });
    api.ok("POST", "/devices", Some(json!([device(KEY, "VVX 411"), device(OTHER, "VVX 500")])));
}

fn set(api: &Api, path: &str, shown: &[u64], profiles: &[u64]) -> Value {
    api.ok("PUT", path, Some(json!({ "profiles": profiles, "shown": shown })))
}

/// What the phone of this model gets as its value of the one parameter.
fn gets(server: &Server, key: &str, model: &str) -> Option<String> {
    let agent = format!("FileTransport PolycomVVX-{}-UA/5.9.5.0614 Type/Application", model.replace(' ', "_"));
    let file = Phone::new(server).with("User-Agent", &agent).get(&format!("/{key}-profile.cfg"));
    assert_eq!(file.status, 200, "{}", file.text());
    let text = file.text();
    let value = text.split_once("up.welcome=\"")?.1.split('"').next()?;
    Some(value.to_owned())
}

fn text(answer: &Response) -> String {
    let body = answer.text();
    let parts = body.split('<').map(|part| part.split_once('>').map_or(part, |(_, text)| text));
    parts.collect::<Vec<_>>().join(" ").split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_profile_on_a_model_reaches_its_devices_and_nobody_else() {
    let server = Server::start();
    let api = Api::owner(&server);
    devices(&api);
    let [global, model, device] = profiles(&api, ["of-global", "of-model", "of-device"]);
    set(&api, "/deployment/global", &[], &[global]);
    let first = || gets(&server, KEY, "VVX 411");
    assert_eq!(first().as_deref(), Some("of-global"));
    set(&api, MODEL, &[], &[model]);
    assert_eq!((first().as_deref(), gets(&server, OTHER, "VVX 500").as_deref()), (Some("of-model"), Some("of-global")));
    set(&api, &format!("/deployment/devices/{KEY}"), &[], &[device]);
    assert_eq!(first().as_deref(), Some("of-device"));

    let listed = api.ok("GET", "/deployment?attached=true", None);
    let told: Vec<_> =
        listed["items"].as_array().expect("places").iter().map(|one| (one["container"].as_str(), &one["devices"])).collect();
    assert_eq!(
        told,
        [(Some("models"), &json!(1)), (Some("global"), &json!(2)), (Some("devices"), &json!(1))],
        "places come first"
    );
    let models = api.ok("GET", "/deployment?container=models&q=vvx+411", None);
    assert_eq!(models["items"][0]["profiles"][0]["id"], model);
    let uses = api.ok("GET", &format!("/profiles/{model}/uses"), None);
    assert_eq!((&uses["affected"], &uses["places"][0]["name"]), (&json!(1), &json!("VVX 411")));
}

#[test]
fn what_is_no_place_is_refused_and_a_newer_order_is_not_overwritten() {
    let server = Server::start();
    let api = Api::owner(&server);
    let [first, second] = profiles(&api, ["First", "Second"]);
    let order = |shown: &[u64]| Some(json!({ "profiles": [second, first], "shown": shown }));
    for nowhere in ["/deployment/models/Toaster%209", "/deployment/groups/77", "/deployment/groups/x", "/deployment/towers/1"] {
        assert_eq!(api.refused("GET", nowhere, None).0, 404, "{nowhere}");
        assert_eq!(api.refused("PUT", nowhere, order(&[])).0, 404, "{nowhere}");
    }
    assert_eq!(api.refused("GET", "/deployment?container=towers", None).1[0].0, "container");
    set(&api, MODEL, &[], &[first]);
    assert_eq!(api.refused("PUT", MODEL, order(&[])).0, 409);
    let tried = api.ok("PUT", &format!("{MODEL}?dry_run=true"), order(&[first]));
    assert_eq!(tried["shown"], json!([second, first]));
    assert_eq!(api.ok("GET", MODEL, None)["shown"], json!([first]));
    assert_eq!(set(&api, MODEL, &[first], &[second, first])["shown"], json!([second, first]));
    let told = &api.ok("GET", "/activity?object=deployment&per_page=1", None)["items"][0];
    assert_eq!((&told["subject"], &told["changes"][0]["new"]), (&json!("model VVX 411"), &json!("Second, First")));
}

#[test]
fn the_page_of_a_model_adds_orders_and_removes_as_every_list_of_profiles_does() {
    let server = Server::start();
    let api = Api::owner(&server);
    devices(&api);
    let [a, b, c] = profiles(&api, ["Alpha", "Beta", "Gamma"]);
    let now = || api.ok("GET", MODEL, None)["shown"].clone();
    let press = |fields: Value| {
        let answer = api.form(MODEL_PAGE, &fields);
        assert_eq!(answer.status, 303, "{}", answer.text());
        now()
    };
    assert_eq!(press(json!({ "shown": "", "do": "attach", "profile": a.to_string(), "where": "top" })), json!([a]));
    let shown = a.to_string();
    assert_eq!(press(json!({ "shown": shown, "do": "attach", "profile": b.to_string(), "where": "bottom" })), json!([a, b]));
    let shown = format!("{a},{b}");
    assert_eq!(press(json!({ "shown": shown, "do": "attach", "profile": c.to_string(), "where": "bottom" })), json!([a, b, c]));
    let shown = format!("{a},{b},{c}");
    assert_eq!(press(json!({ "shown": shown, "do": format!("top-{c}") })), json!([c, a, b]));
    let typed = json!({ "shown": format!("{c},{a},{b}"), "do": "order", format!("place-{b}"): "1" });
    assert_eq!(press(typed), json!([b, c, a]));

    let page = api.page(MODEL_PAGE);
    let words = text(&page);
    assert!(words.contains("It counts for 1 device") && words.contains("Former changes"), "{words}");
    let stale = api.form(MODEL_PAGE, &json!({ "shown": shown, "do": format!("remove-{a}") }));
    let words = text(&stale);
    assert!(stale.status == 409 && words.contains("Beta, Gamma, Alpha") && words.contains("Beta, Gamma"), "{words}");
    let wrong = api.form(MODEL_PAGE, &json!({ "shown": format!("{b},{c},{a}"), "do": "attach", "profile": "" }));
    assert_eq!(wrong.status, 422);
    assert_eq!(now(), json!([b, c, a]), "nothing of it was saved");

    let effective = api.page(&format!("/admin/devices/{KEY}/effective?from=model")).text();
    let of_model = format!("<a href=\"{MODEL_PAGE}\">model VVX 411</a>");
    assert!(effective.contains("up.welcome") && effective.contains(&of_model), "{effective}");
    let rows = api.ok("GET", &format!("/devices/{KEY}/effective"), None)["rows"].clone();
    let row = rows.as_array().expect("rows").iter().find(|row| row["name"] == "up.welcome").expect("it is set");
    assert_eq!((&row["winner"]["place"], &row["beaten"][0]["place"]), (&json!("models/VVX 411"), &json!("models/VVX 411")));
    let of_device = text(&api.page(&format!("/admin/devices/{KEY}/profiles")));
    assert!(of_device.contains("Device model VVX 411 Beta Gamma Alpha"), "{of_device}");
    let found = text(&api.page("/admin/deployment?container=models&attached=true"));
    assert!(found.contains("VVX 411 Device model Beta , Gamma , Alpha 1"), "{found}");
    let gone = text(&api.page(&format!("/admin/profiles/delete?select={b}")));
    assert!(gone.contains("deployed on model VVX 411") && gone.contains("1 device gets other values"), "{gone}");
    let log = api.page("/admin/activity?object=deployment").text();
    assert!(log.contains(&format!("<a href=\"{MODEL_PAGE}\"><strong>model VVX 411</strong></a>")), "{log}");
}
