//! Sites by CSV from outside: preview, all or nothing, the import log, and the way to an empty server (R90–R96, PRS-09).

use actix_web::http::StatusCode;
use actix_web::test::TestRequest;
use pdms::domain::ids::DEFAULT_ACCOUNT;
use pdms::services::sites;
use serde_json::json;

use crate::support::api::{Api, json as parsed, problem};
use crate::support::browser::{Answer, Browser, Site};
use crate::support::server::Server;

/// The guide's sample, letter for letter: quotation marks not doubled, brackets that do not fit.
const PRINTED: &str = r#"site_name,description,location_name,subnets
Test_site,Site for testing,Test location,"{"public-subnet-list":[{"ip-address":"1.2.3.4","mask-length":"32"},"private-subnet-list":[{"ip-address":"172.21.120.1","mask-length":"28"},{"ip-address":"192.168.1.1","mask-length":"28"}],{"ip-address":"2.3.4.5","mask-length":"32"}]"
"#;

async fn upload(browser: &mut Browser, file: &str) -> Answer {
    let token = browser.token().await;
    let body = format!(
        "--b\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\n{token}\r\n--b\r\nContent-Disposition: form-data; \
         name=\"file\"; filename=\"sites.csv\"\r\nContent-Type: text/csv\r\n\r\n{file}\r\n--b--\r\n"
    );
    let request = TestRequest::post().insert_header(("content-type", "multipart/form-data; boundary=b")).set_payload(body);
    let answer = browser.send(request, "/admin/sites/import").await;
    let next = answer.header("location").to_owned();
    if next.is_empty() { answer } else { browser.get(&next).await }
}

#[actix_web::test]
async fn a_file_is_shown_row_by_row_and_taken_as_a_whole() {
    let site = Site::open().await;
    let mut browser = Browser::signed_in(&site).await;
    let shown = upload(&mut browser, PRINTED).await;
    assert!(shown.body.contains("1 added") && shown.body.contains("Test_site"), "{}", shown.body);
    let names = || {
        sites::list(&site.services, DEFAULT_ACCOUNT).expect("listed").iter().map(|one| one.name.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(names(), ["Internet", "Intranet"], "nothing is written yet");
    let here = browser.path.clone();
    let log = browser.get(&format!("{here}/log")).await;
    assert!(log.header("content-disposition").contains("sites-import.log"), "{:?}", log.headers);
    let stored = "description is now “Site for testing”\tlocation is now “Test location”\tnetworks is now “1.2.3.4/32 \
        (172.21.120.0/28, 192.168.1.0/28), 2.3.4.5/32”";
    assert!(
        log.body.starts_with("sites.csv\r\n") && log.body.contains(", Ada\r\nNot imported yet: 1 site added.\r\n"),
        "{}",
        log.body
    );
    assert!(
        log.body.ends_with(&format!("\r\n\r\nline 2\tTest_site\tadded\tname is now “Test_site”\t{stored}\r\n")),
        "{}",
        log.body
    );
    assert!(shown.body.contains("1.2.3.4/32 (172.21.120.0/28, 192.168.1.0/28), 2.3.4.5/32"), "{}", shown.body);
    assert!(shown.body.contains("Site for testing") && shown.body.contains("Test location"), "{}", shown.body);
    let stale = browser.post(&here, &[("do", "accept"), ("mark", "another")]).await;
    assert!(stale.body.contains("Somebody changed the sites meanwhile"), "{}", stale.body);
    let mark =
        stale.body.split("name=\"mark\" value=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a mark").to_owned();
    let done = browser.post(&here, &[("do", "accept"), ("mark", &mark)]).await;
    assert!(done.body.contains("Imported sites.csv: 1 site added."), "{}", done.body);
    assert_eq!(names(), ["Internet", "Intranet", "Test_site"]);
    assert!(browser.path == here && done.body.contains("Import Sites Result") && done.body.contains("Ada"), "{}", done.body);
    assert!(done.body.contains("172.21.120.0/28") && !done.body.contains(">Accept<"), "{}", done.body);
    let log = browser.get(&format!("{here}/log")).await;
    assert!(log.status == StatusCode::OK && log.body.contains(", Ada\r\nImported sites.csv: 1 site added."), "{}", log.body);
    assert!(log.body.ends_with(&format!("line 2\tTest_site\tadded\tname is now “Test_site”\t{stored}\r\n")), "{}", log.body);
    let twice = browser.post(&here, &[("do", "accept"), ("mark", &mark)]).await;
    assert!(twice.body.contains("Import Sites Result") && names().len() == 3, "{}", twice.body);
    site.advance(jiff::SignedDuration::from_mins(31));
    let late = browser.get(&format!("{here}/log")).await;
    assert!(late.body.contains("This is over or was decided already"), "{}", late.body);
    let exported = browser.get("/admin/sites/export?q=test_site").await;
    assert!(exported.header("content-type").starts_with("text/csv") && !exported.body.contains("Intranet"), "{}", exported.body);
    let again = upload(&mut browser, &exported.body).await;
    assert!(again.body.contains("1 unchanged") && !again.body.contains(">Accept<"), "{}", again.body);
    let changed = upload(&mut browser, "subnets;SITE_NAME\n{\"public-subnet-list\":[]};Test_site\n").await;
    assert!(
        changed.body.contains("1 changed") && changed.body.contains("1.2.3.4/32 (172.21.120.0/28, 192.168.1.0/28), 2.3.4.5/32"),
        "{}",
        changed.body
    );
}

#[actix_web::test]
async fn an_upload_that_a_script_sends_is_told_where_it_leads_and_its_errors_as_any_other() {
    let site = Site::open().await;
    let mut browser = Browser::signed_in(&site).await;
    let token = browser.token().await;
    let form = |file: &str| {
        format!(
            "--b\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\n{token}\r\n--b\r\nContent-Disposition: form-data; \
             name=\"file\"; filename=\"sites.csv\"\r\n\r\n{file}\r\n--b--\r\n"
        )
    };
    let sent = |file: &str| {
        let request = TestRequest::post().insert_header(("content-type", "multipart/form-data; boundary=b"));
        request.insert_header(("x-upload", "yes")).set_payload(form(file))
    };
    let told = browser.send(sent(PRINTED), "/admin/sites/import").await;
    assert_eq!((told.status, told.header("location")), (StatusCode::NO_CONTENT, ""));
    let preview = told.header("x-location").to_owned();
    assert!(browser.get(&preview).await.body.contains("1 added"), "{preview}");
    let refused = browser.send(sent("nothing"), "/admin/sites/import").await;
    assert!(refused.status == StatusCode::UNPROCESSABLE_ENTITY && refused.body.contains("data-focus"), "{}", refused.body);
}

#[actix_web::test]
async fn one_bad_row_or_a_fault_of_the_file_changes_nothing_and_says_where() {
    let site = Site::open().await;
    let mut browser = Browser::signed_in(&site).await;
    let bad = upload(&mut browser, "site_name,subnets\nGood,{}\nInternet,{}\nGood,{}\n").await;
    assert!(
        bad.body.contains("2 refused") && bad.body.contains("Internet is built in") && !bad.body.contains(">Accept<"),
        "{}",
        bad.body
    );
    for (file, told) in [
        ("site_name;description,subnets\n", "Line 1: the header uses semicolon and comma"),
        ("site_name,colour,subnets\nA,b,{}\n", "“colour” is no column of sites"),
        ("site_name,subnets\n", "no row below it"),
    ] {
        let refused = upload(&mut browser, file).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{file}");
        assert!(refused.body.contains(told), "{file}: {}", refused.body);
    }
    assert_eq!(sites::list(&site.services, DEFAULT_ACCOUNT).expect("listed").len(), 2);
    let over = browser.get("/admin/sites/import/0123").await;
    assert!(over.body.contains("This is over or was decided already"), "{}", over.body);
}

#[test]
fn an_export_imports_to_the_same_on_an_empty_server() {
    let (full, empty) = (Server::start(), Server::start());
    let (api, other) = (Api::owner(&full), Api::owner(&empty));
    let wrong = api.send("POST", "/sites/import", b"site_name,subnets\nA,{}\nB,x\nInternet,{}\n");
    let (status, fields) = problem(&wrong);
    assert_eq!((status, fields.len()), (422, 2), "{}", wrong.text());
    assert!(fields[0].1.contains("line 3") && fields[1].1.contains("line 4"), "{fields:?}");
    let taken = parsed(&api.send("POST", "/sites/import", PRINTED.as_bytes()));
    assert_eq!((&taken["total"], &taken["items"][0]["outcome"]), (&json!(1), &json!("added")));
    let networks = json!({ "field": "networks", "old": null, "new": "1.2.3.4/32 (172.21.120.0/28, 192.168.1.0/28), 2.3.4.5/32" });
    assert!(taken["items"][0]["changes"].as_array().is_some_and(|changes| changes.contains(&networks)), "{taken}");
    let more = json!({ "name": "New York", "description": "=1+1, \"quoted\"\nand a line", "time_zone": "America/New_York",
        "polling_window": { "from": 60, "to": 1440 }, "networks": [{ "public": "2001:db8::/32", "private": ["fd00::/8"] }] });
    api.ok("POST", "/sites", Some(more));
    let file = api.call("GET", "/sites/export?mark=true", None);
    assert!(file.text().contains("'=1+1"), "{}", file.text());
    let imported = parsed(&other.send("POST", "/sites/import", &file.body));
    assert_eq!(imported["items"][0]["outcome"], "unchanged", "both have Intranet: {imported}");
    let without_marks_of_time = |api: &Api| {
        let mut items = api.ok("GET", "/sites", None)["items"].clone();
        for item in items.as_array_mut().expect("sites") {
            let item = item.as_object_mut().expect("a site");
            item.retain(|name, _| !["id", "modified_at", "modified_by", "revision"].contains(&name.as_str()));
        }
        items
    };
    assert_eq!(without_marks_of_time(&other), without_marks_of_time(&api));
}

#[test]
fn an_export_above_4_mib_imports_to_the_same_and_one_above_all_bounds_is_called_what_it_is() {
    let server = Server::start();
    let api = Api::owner(&server);
    let network = |site: usize, at: usize| {
        format!("{{\"\"ip-address\"\":\"\"2001:db8:{site:x}:{at:x}::\"\",\"\"mask-length\"\":\"\"64\"\"}}")
    };
    let row = |site: usize| {
        let networks: Vec<_> = (0..45).map(|at| network(site, at)).collect();
        format!("Site {site},\"{{\"\"public-subnet-list\"\":[{}]}}\"\n", networks.join(","))
    };
    let file: String = std::iter::once("site_name,subnets\n".to_owned()).chain((0..1_990).map(row)).collect();
    assert!(file.len() > 5 * 1024 * 1024);
    let added = api.send("POST", "/sites/import?dry_run=true", file.as_bytes());
    assert_eq!(parsed(&added)["total"], 1_990);
    let large = vec![b' '; pdms::domain::limits::SITES_CSV_BYTES + 1];
    let refused = api.send("POST", "/sites/import", &large);
    let (status, _) = problem(&refused);
    assert!(status == 413 && refused.text().contains("a file of sites has at most"), "{}", refused.text());
}
