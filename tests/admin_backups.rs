//! The page of backups and its twin in the API (contract 2).

use actix_web::http::StatusCode;
use actix_web::test::TestRequest;
use pdms::services::backup::kept;

use super::support::browser::{Browser, Site};

const PLAN: &[(&str, &str)] = &[
    ("revision", "0"),
    ("every", "day"),
    ("hour", "2"),
    ("keep", "3"),
    ("folder", ""),
    ("encrypt", "on"),
    ("passphrase", "CANARY passphrase of tests"),
    ("passphrase_again", "CANARY passphrase of tests"),
];

#[actix_web::test]
async fn backups_are_made_verified_downloaded_and_deleted_on_their_page() {
    let site = Site::open().await;
    let mut browser = Browser::signed_in(&site).await;
    let empty = browser.get("/admin/backups").await;
    assert!(empty.body.contains("not encrypted") && empty.body.contains("No backup yet"), "{}", empty.body);
    let wrong = browser.post("/admin/backups/plan", &[("every", "day"), ("hour", "25"), ("keep", "0")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.body.contains("href=\"#f-hour\"") && wrong.body.contains("href=\"#f-keep\""), "{}", wrong.body);
    browser.get("/admin/backups").await;
    // Typed once, and not what was meant: the backups would be lost.
    let once = browser.post("/admin/backups/plan", &PLAN[..PLAN.len() - 1]).await;
    assert!(once.body.contains("The two passphrases differ") && !once.body.contains("CANARY"), "{}", once.body);
    assert!(kept::plan(&site.services).expect("there is one").passphrase.is_none(), "nothing is saved");
    browser.get("/admin/backups").await;
    let saved = browser.post("/admin/backups/plan", PLAN).await;
    assert!(saved.body.contains("The plan is saved") && !saved.body.contains("CANARY"), "{}", saved.body);
    let made = browser.post("/admin/backups/make", &[]).await;
    assert!(made.body.contains("is made and verified"), "{}", made.body);
    let kept = kept::list(&site.services).expect("listed");
    let name = kept[0].name.as_str();
    assert!(kept.len() == 1 && kept[0].encrypted && made.body.contains(name));
    let verified = browser.post(&format!("/admin/backups/{name}/verify"), &[]).await;
    assert!(verified.body.contains("is whole"), "{}", verified.body);
    let file = browser.send(TestRequest::get(), &format!("/admin/backups/{name}/download")).await;
    assert!(file.header("content-disposition").contains(name) && file.body.starts_with("pdms-sealed-backup"));
    assert_eq!(browser.send(TestRequest::get(), "/admin/backups/secret.key/download").await.status, StatusCode::NOT_FOUND);
    let log = browser.get("/admin/activity?object=backup").await;
    for part in ["made backup", "downloaded backup"] {
        assert!(log.body.contains(part), "{part} is missing in {}", log.body);
    }
    let plan = browser.get("/admin/activity?object=server").await;
    assert!(plan.body.contains("every") && !plan.body.contains("CANARY"), "{}", plan.body);
    browser.get("/admin/backups").await;
    let deleted = browser.post(&format!("/admin/backups/{name}/delete"), &[]).await;
    assert!(deleted.body.contains("is deleted") && kept::list(&site.services).expect("listed").is_empty(), "{}", deleted.body);
}
