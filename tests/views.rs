//! Saved views (U08): what a list shows lives in its address, and a view is that address under a name.

use pdms::domain::access::Actor;
use pdms::domain::account::Secret;
use pdms::domain::ids::DEFAULT_ACCOUNT;
use pdms::domain::user::Role;
use pdms::domain::view::{ViewDraft, ViewInput};
use pdms::services::commit::Mode;
use pdms::services::users::{self, Access, NewUser};
use pdms::services::views;
use serde_json::{Value, json};

use crate::support::api::Api;
use crate::support::browser::{Browser, Site};
use crate::support::phone::Response;
use crate::support::server::Server;

/// A server with two sites and devices of two models in both.
fn filled() -> (Server, Api) {
    let server = Server::start();
    let api = Api::owner(&server);
    for name in ["Berlin", "Lisbon"] {
        api.ok("POST", "/sites", Some(json!({ "name": name })));
    }
    let device = |number: usize| {
        let model = if number.is_multiple_of(2) { "VVX 411" } else { "VVX 450" };
        let (key, name, site) = (format!("0004f2a1b{number:03}"), format!("Desk {number}"), 2 + number / 2 % 2);
        json!({ "key": key, "name": name, "model": model, "pin": site })
    };
    api.ok("POST", "/devices", Some((0..12).map(device).collect()));
    (server, api)
}

/// The names of the devices that a page lists, and how many it says there are.
fn rows(page: &Response) -> (Vec<String>, String) {
    let text = page.text();
    assert_eq!(page.status, 200, "{text}");
    let between = |text: &str, end: &str| text.split(end).next().unwrap_or_default().to_owned();
    let names = text.split("<th scope=\"row\"><a href=\"/admin/devices/").skip(1);
    let names = names.filter_map(|row| row.split_once('>').map(|(_, rest)| between(rest, "<"))).collect();
    let summary = text.split_once("aria-label=\"Pages\"><p>").map(|(_, rest)| between(rest, "<")).unwrap_or_default();
    (names, summary)
}

fn location(answer: &Response) -> String {
    assert_eq!(answer.status, 303, "{}", answer.text());
    answer.header("location").expect("a next page").to_owned()
}

/// The links of the row above a list: name and address.
fn links(page: &Response) -> Vec<(String, String)> {
    let text = page.text();
    let row =
        text.split_once("aria-label=\"Saved views\">").map_or("", |(_, rest)| rest.split("</nav>").next().unwrap_or_default());
    let link = |part: &str| {
        let (href, rest) = part.split_once('"')?;
        let name = rest.split_once('>')?.1.split('<').next()?;
        Some((name.to_owned(), href.replace("&#38;", "&").replace("&amp;", "&")))
    };
    row.split("href=\"").skip(1).filter_map(link).collect()
}

fn link(page: &Response, name: &str) -> String {
    let found = links(page).into_iter().find(|(own, _)| own == name);
    found.unwrap_or_else(|| panic!("no {name} in {:?}", links(page))).1
}

#[test]
fn u08_an_address_and_its_view_show_the_same_rows_for_everybody_who_opens_them() {
    let (server, api) = filled();
    let address = "/admin/devices?model=VVX+411&site=2&status=never-seen&sort=-name&hide=key&per_page=25";
    let filtered = rows(&api.page(address));
    assert_eq!((filtered.0.len(), filtered.1.as_str()), (3, "3 rows"), "{filtered:?}");
    assert_eq!(rows(&api.page(address)), filtered, "reloaded");
    let add = link(&api.page(address), "Save view…");
    let form = api.page(&add);
    assert!(form.text().contains("Save View of Device Monitor"), "{}", form.text());
    let query = "model=VVX+411&site=2&status=never-seen&sort=-name&hide=key&per_page=25";
    let fields =
        |name: &str, shared_with: &str| json!({ "list": "devices", "query": query, "name": name, "shared_with": shared_with });
    let kept = location(&api.form("/admin/views/add", &fields("Quiet > 411s", "")));
    assert_eq!(rows(&api.page(&kept)), filtered);
    assert_eq!(link(&api.page(&kept), "Quiet &#62; 411s"), kept);
    let taken = api.form("/admin/views/add", &fields("quiet > 411S", ""));
    assert!(taken.status == 422 && taken.text().contains("A view of this list has this name already"), "{}", taken.text());

    // A second session: the link works for whoever has it, the row for the same user.
    let second = Api::owner(&server);
    assert_eq!(rows(&second.page(&kept)), filtered);
    assert_eq!(link(&second.page("/admin/devices?all="), "Quiet &#62; 411s"), kept);

    let renamed = json!({ "list": "devices", "query": query, "name": "Never came", "shared_with": "", "revision": "1" });
    let here = location(&api.form("/admin/views/1", &renamed));
    assert_eq!((rows(&api.page(&here)), link(&api.page(&here), "Never came")), (filtered.clone(), kept));
    let late = api.form("/admin/views/1", &renamed);
    assert!(late.status == 409 && late.text().contains("name=\"revision\" value=\"2\""), "{}", late.text());
    assert!(api.page("/admin/views?list=devices").text().contains("Never came"));
    assert!(api.page("/admin/views/1/delete").text().contains("Delete the view Never came?"));
    location(&api.form("/admin/views/1/delete", &json!({})));
    assert!(links(&api.page("/admin/devices?all=")).iter().all(|(name, _)| name != "Never came"));
    assert_eq!(rows(&api.page(&here)), filtered, "the address outlives its name");
}

#[test]
fn a_list_opens_with_its_view_where_nothing_else_was_chosen() {
    let (server, api) = filled();
    api.ok("POST", "/views", Some(json!({ "list": "devices", "name": "Lisbon", "query": "site=3", "opens": true })));
    let fresh = Api::owner(&server);
    assert_eq!(location(&fresh.page("/admin/devices")), "/admin/devices?site=3");
    assert_eq!(rows(&fresh.page("/admin/devices?all=")).0.len(), 12, "the plain list can be had");
    fresh.page("/admin/devices?q=desk+1");
    assert_eq!(location(&fresh.page("/admin/devices")), "/admin/devices?q=desk+1", "what was chosen last comes first");
    assert_eq!(location(&Api::owner(&server).page("/admin/devices")), "/admin/devices?site=3");
    let change = |revision: u64, change: Value| {
        let mut body = change;
        body["revision"] = revision.into();
        api.ok("PATCH", "/views/1", Some(body))
    };
    assert_eq!(change(1, json!({ "opens": false }))["opens"], false);
    assert_eq!(Api::owner(&server).page("/admin/devices").status, 200);
    // Every list has the row, with views of its own only.
    for list in ["sites", "groups", "profiles", "users", "tokens", "activity", "deployment", "pending", "unknown-phones"] {
        let page = api.page(&format!("/admin/{list}?all="));
        assert!(links(&page).iter().any(|(name, _)| name == "Save view…"), "{list}: {}", page.text());
        assert!(!page.text().contains(">Lisbon</a></li>"), "{list}");
    }
}

#[test]
fn a_view_of_something_that_is_gone_opens_and_says_so() {
    let (_server, api) = filled();
    api.ok("POST", "/views", Some(json!({ "list": "devices", "name": "Lisbon", "query": "site=3" })));
    assert!(!api.page("/admin/devices?site=3").text().contains("does not exist any more"));
    api.ok("DELETE", "/sites/3", None);
    let page = api.page(&link(&api.page("/admin/devices?all="), "Lisbon"));
    assert!(page.status == 200 && page.text().contains("The site 3 that this list is filtered by does not exist any more"));
    let page = api.page("/admin/devices?model=VVX+999");
    assert!(page.text().contains("No device has the model VVX 999 any more"), "{}", page.text());
    assert!(!api.page("/admin/devices?model=VVX+411&site=nonsense").text().contains("any more"));
}

#[test]
fn a_filter_that_a_list_does_not_understand_is_named_with_a_link_to_the_list_without_it() {
    let (_server, api) = filled();
    let notice = |path: &str| {
        let text = api.page(path).text();
        let told = text.split_once("Show the list without it").map(|(before, _)| before.rsplit("<p>").next().unwrap_or_default());
        told.map(|told| told.replace("&#38;", "&").replace("&amp;", "&"))
    };
    for (list, query) in [
        ("devices", "status=sick"),
        ("sites", "has=cats"),
        ("sites/moves", "site=hall"),
        ("groups", "default=perhaps"),
        ("people", "group=all"),
        ("pending", "standing=tall"),
        ("unknown-phones", "who=nobody"),
        ("profiles", "kind=sweet"),
        ("deployment", "container=bucket"),
        ("activity", "since=yesterday"),
        ("users", "role=king"),
        ("recycle-bin", "kind=paper"),
    ] {
        let (name, value) = query.split_once('=').expect("a pair");
        let told = notice(&format!("/admin/{list}?q=a&{query}&page=2"));
        let told = told.unwrap_or_else(|| panic!("nothing is told by {list}?{query}"));
        assert!(told.contains(&format!("The filter “{name}” does not take “{value}”")), "{list}: {told}");
        assert!(told.contains(&format!("href=\"/admin/{list}?q=a\"")), "{list}: {told}");
        assert_eq!(notice(&format!("/admin/{list}?q=a")), None, "{list}");
    }
    // What is shown is more than was meant, so that no file is made of it.
    assert_eq!(location(&api.page("/admin/devices?status=sick&as=csv")), "/admin/devices?status=sick");
    assert_eq!(api.page("/admin/devices?status=never-seen&as=csv").status, 200);
    let group = api.ok("POST", "/groups", Some(json!({ "name": "Lobby" })))["id"].clone();
    assert!(notice(&format!("/admin/groups/{group}/devices?show=others&status=sick")).is_some());

    let wrong = json!({ "list": "devices", "name": "Sick", "query": "status=sick&site=2" });
    let (status, errors) = api.refused("POST", "/views", Some(wrong.clone()));
    assert_eq!((status, errors.len(), errors[0].0.as_str()), (422, 1, "query"), "{errors:?}");
    assert!(errors[0].1.contains("“status”") && errors[0].1.contains("“sick”"), "{errors:?}");
    let page = api.form("/admin/views/add", &wrong);
    assert!(page.status == 422 && page.text().contains("does not take “sick”"), "{}", page.text());
    api.ok("POST", "/views", Some(json!({ "list": "devices", "name": "Sick", "query": "site=2" })));
    assert_eq!(api.refused("PATCH", "/views/1", Some(json!({ "revision": 1, "query": "site=two" }))).0, 422);
}

#[test]
fn shared_views_of_a_deleted_user_stay_and_the_question_names_them() {
    let server = Server::start();
    let api = Api::owner(&server);
    let access = Access::Password(Secret::new("four unhurried words"));
    let new = NewUser { name: "Val".to_owned(), email: "val@example.test".to_owned(), role: Role::AccountAdmin, access };
    let val = users::add(&server.services, &Actor::CommandLine, &new, Mode::Keep).expect("added").user;
    for (name, shared) in [("Silent", "viewer"), ("Private", "")] {
        let input = ViewInput { list: "devices".into(), name: name.into(), shared_with: shared.into(), ..ViewInput::default() };
        let draft = ViewDraft::parse(&input).expect("a view");
        views::create(&server.services, &val.actor(), DEFAULT_ACCOUNT, draft, Mode::Keep).expect("kept");
    }
    let path = format!("/api/v1/users/{}", val.id);
    let tried = api.ok("DELETE", &format!("{path}?dry_run=true"), None);
    assert_eq!((&tried["views_passed_on"], &tried["views"]), (&json!(["Silent"]), &json!(["Private"])), "{tried}");
    assert_eq!(api.ok("GET", "/views", None)["items"][0]["own"], false, "nothing is done yet");
    let asked = api.page(&format!("/admin/users/{}/delete", val.id)).text();
    for part in ["1 shared view stays and becomes yours: Silent.", "1 saved view that nobody else sees is deleted: Private."] {
        assert!(asked.contains(part), "{part}: {asked}");
    }
    let done = api.form(&format!("/admin/users/{}/delete", val.id), &json!({}));
    assert_eq!(done.status, 303, "{}", done.text());
    let list = api.page("/admin/users?all=").text();
    assert!(list.contains("Val is deleted. 1 shared view is yours now."), "{list}");
    let left = api.ok("GET", "/views", None);
    assert_eq!(
        (&left["total"], &left["items"][0]["name"], &left["items"][0]["own"]),
        (&json!(1), &json!("Silent"), &json!(true))
    );
    let log = api.ok("GET", "/activity?object=view&q=Silent", None).to_string();
    assert!(log.contains("\"owner\"") && log.contains("Val"), "{log}");
}

#[test]
fn the_api_keeps_shares_and_deletes_views_and_the_log_tells_of_shared_ones() {
    let (_server, api) = filled();
    let new = |name: &str, shared: &str| json!({ "list": "sites", "name": name, "query": "q=b&page=4", "shared_with": shared });
    let own = api.ok("POST", "/views", Some(new("Own", "")));
    assert_eq!(
        (&own["query"], &own["shared_with"], &own["own"], &own["href"]),
        (&json!("q=b"), &json!("nobody"), &json!(true), &json!("/admin/sites?q=b"))
    );
    let entries = || api.ok("GET", "/activity?object=view", None)["total"].clone();
    assert_eq!(entries(), 0);
    let shared = api.ok("POST", "/views", Some(new("Ours", "operator")));
    assert_eq!((&shared["shared_with"], entries()), (&json!("operator"), json!(1)));
    let fields =
        |body: Value| api.refused("POST", "/views", Some(body)).1.into_iter().map(|(field, _)| field).collect::<Vec<_>>();
    assert_eq!(fields(new("OURS", "")), ["name"]);
    assert_eq!(fields(json!({ "list": "nothing", "name": "", "shared_with": "all" })), ["list", "name", "shared_with"]);
    let path = format!("/views/{}", shared["id"]);
    let renamed = api.ok("PATCH", &path, Some(json!({ "revision": 1, "name": "Everybody's", "shared_with": "viewer" })));
    assert_eq!((&renamed["revision"], entries()), (&json!(2), json!(2)));
    assert_eq!(api.refused("PATCH", &path, Some(json!({ "revision": 1, "name": "Late" }))).0, 409);
    assert_eq!(api.ok("GET", "/views?sort=name&q=sites", None)["items"][0]["name"], "Everybody's");
    api.ok("DELETE", &path, None);
    assert_eq!((entries(), api.refused("DELETE", &path, None).0), (json!(3), 404));
}

#[actix_web::test]
async fn who_may_not_edit_the_account_keeps_views_and_uses_those_that_are_shared() {
    let site = Site::open().await;
    let mut owner = Browser::signed_in(&site).await;
    let shared =
        [("list", "profiles"), ("query", "sort=-name"), ("name", "Backwards"), ("shared_with", "viewer"), ("opens", "on")];
    owner.get("/admin/profiles?all=").await;
    assert!(owner.post("/admin/views/add", &shared).await.body.contains("The view Backwards is kept."));
    let access = Access::Password(Secret::new("four unhurried words"));
    let new = NewUser { name: "Val".to_owned(), email: "val@example.test".to_owned(), role: Role::Viewer, access };
    users::add(&site.services, &Actor::CommandLine, &new, Mode::Keep).expect("added");
    let mut val = Browser::new(&site);
    val.sign_in("/admin/", "val@example.test", "four unhurried words").await;
    val.get("/admin/profiles").await;
    assert_eq!(val.path, "/admin/profiles?sort=-name", "it opens with what is shared");
    let form = val.get("/admin/views/add?list=profiles&query=q%3Da").await.body;
    assert!(form.contains("Only me") && !form.contains("Everybody"), "{form}");
    let mine = [("list", "profiles"), ("query", "q=a"), ("name", "Mine"), ("opens", "on")];
    assert!(val.post("/admin/views/add", &mine).await.body.contains("The view Mine is kept."));
    assert!(val.post("/admin/views/add", &shared).await.body.contains("needs the role"));
    val.get("/admin/profiles?all=").await;
    val.get("/admin/profiles").await;
    assert_eq!(val.path, "/admin/profiles?q=a", "one's own comes before one that is shared");
    assert!(val.post("/admin/views/1/delete", &[]).await.body.contains("needs the role"));
    assert!(!owner.get("/admin/views").await.body.contains("Mine"));
    assert!(owner.get("/admin/views/2").await.body.contains("Not found"));
}
