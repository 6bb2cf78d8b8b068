//! The page on which one private CA takes the place of another (contract 3).

use super::support::browser::{Browser, Site};

const PAGE: &str = "/admin/provisioning/ca";

#[actix_web::test]
async fn the_ca_is_replaced_step_by_step_on_its_page() {
    let site = Site::open().await;
    let mut browser = Browser::signed_in(&site).await;
    let settings = browser.get("/admin/provisioning").await;
    assert!(settings.body.contains(PAGE) && settings.body.contains("Replace the CA"), "{}", settings.body);
    let fresh = browser.get(PAGE).await;
    assert!(
        fresh.body.contains("Not started") && fresh.body.contains("Platform certificate 1 of the phones is free"),
        "{}",
        fresh.body
    );
    let unsaid = browser.post(PAGE, &[("step", "start")]).await;
    assert!(unsaid.body.contains("802.1X") && unsaid.body.contains("Not started"), "{}", unsaid.body);
    let started = browser.post(PAGE, &[("step", "start"), ("known", "on")]).await;
    assert!(started.body.contains("Step 1 of 2") && started.body.contains("New CA"), "{}", started.body);
    let settings = browser.get("/admin/provisioning").await;
    assert!(settings.body.contains("Another CA is taking its place"), "{}", settings.body);
    browser.get(PAGE).await;
    let cancelled = browser.post(PAGE, &[("step", "cancel")]).await;
    assert!(cancelled.body.contains("Not started"), "{}", cancelled.body);
    browser.post(PAGE, &[("step", "start"), ("known", "on")]).await;
    let moving = browser.post(PAGE, &[("step", "switch")]).await;
    assert!(moving.body.contains("Step 2 of 2"), "nobody is waited for: {}", moving.body);
    let ended = browser.post(PAGE, &[("step", "end")]).await;
    assert!(ended.body.contains("Not started"), "{}", ended.body);
    let log = browser.get("/admin/activity").await;
    for done in ["started", "cancelled", "switched to the new CA", "ended"] {
        assert!(log.body.contains(done), "{done}: {}", log.body);
    }
    let nothing = browser.post(PAGE, &[("step", "dance")]).await;
    assert!(nothing.body.contains("There is no such step"), "{}", nothing.body);
}
