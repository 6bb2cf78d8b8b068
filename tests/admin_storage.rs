//! Storage: what takes how much of the disk, and what happens as it fills.

use actix_web::http::StatusCode;

use super::support::browser::{Browser, Site};

#[actix_web::test]
async fn the_page_tells_what_takes_how_much_and_what_is_refused_first() {
    let site = Site::open().await;
    let mut browser = Browser::signed_in(&site).await;
    let page = browser.get("/admin/storage").await;
    assert_eq!(page.status, StatusCode::OK);
    for part in
        ["Database", "Software", "Files of devices", "Logs, core dumps and captures", "uploads are refused first", "free of"]
    {
        assert!(page.body.contains(part), "{part} is missing in {}", page.body);
    }
    let dashboard = browser.get("/admin").await;
    assert!(dashboard.body.contains("href=\"/admin/storage\""), "it is in the menu");
}
