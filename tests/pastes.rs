//! Large texts that are pasted into forms: taken up to what files may have, and given back with what is wrong.

use actix_web::http::StatusCode;

use crate::support::browser::{Browser, Site};

#[actix_web::test]
async fn a_pasted_file_may_be_as_large_as_an_uploaded_one_and_comes_back_where_it_is_wrong() {
    let site = Site::open().await;
    let mut browser = Browser::signed_in(&site).await;
    browser.post("/admin/profiles/add", &[("name", "Large")]).await;
    let here = browser.path.clone();
    let file = |parameters: usize, length: usize| {
        let all: String =
            (0..parameters).map(|at| format!(" x.p{at}=\"{}\"", "ö<".replace('<', "&lt;").repeat(length))).collect();
        format!("<a{all}/>")
    };
    let good = file(100, 600);
    assert!(good.len() > 300 * 1024);
    let shown = browser.post(&format!("{here}/paste"), &[("xml", &good)]).await;
    assert!(shown.status == StatusCode::OK && browser.path.contains("/import/"), "{}: {}", browser.path, &shown.body[..500]);
    let broken = good.replace("/>", ">");
    let refused = browser.post(&format!("{here}/paste"), &[("xml", &broken)]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.body.contains("x.p99=") && refused.body.contains("ends before"), "the text comes back with what is wrong");
    let large = file(700, 1_000);
    assert!(large.len() > pdms::domain::limits::IMPORT_BYTES);
    let refused = browser.post(&format!("{here}/paste"), &[("xml", &large)]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.body.contains("configuration file has at most 4 MiB") && refused.body.contains("x.p699="), "it comes back");
}

#[actix_web::test]
async fn ten_thousand_addresses_can_be_pasted_into_a_group() {
    let site = Site::open().await;
    let mut browser = Browser::signed_in(&site).await;
    let keys: String =
        (0..10_000).map(|at| format!("00:04:f2:{:02x}:{:02x}:{:02x}\r\n", at / 65_536, at / 256 % 256, at % 256)).collect();
    let shown = browser.post("/admin/groups/add", &[("name", "All"), ("keys", &keys)]).await;
    assert_eq!(shown.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(shown.body.contains("00:04:f2:00:27:0f"), "the text comes back: {}", &shown.body[..2_000]);
}

#[actix_web::test]
async fn names_of_xml_are_refused_and_a_parameter_of_the_device_gets_its_twin_in_any_letter_case() {
    let site = Site::open().await;
    let mut browser = Browser::signed_in(&site).await;
    browser.post("/admin/profiles/add", &[("name", "Names")]).await;
    let here = browser.path.clone();
    let parameters = format!("{here}/parameters");
    for name in ["xmlns", "xmlns:x", "xml:lang", "XMLx"] {
        let refused =
            browser.post(&parameters, &[("do", "add"), ("revision", "1"), ("new_name", name), ("new_value", "1")]).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{name}");
    }
    let refused = browser.post(&parameters, &[("do", "add"), ("revision", "1"), ("new_name", "xmlns"), ("new_value", "1")]).await;
    assert!(refused.body.contains("a name that XML keeps for itself"), "{}", refused.body);
    let taken =
        browser.post(&parameters, &[("do", "add"), ("revision", "1"), ("new_name", "DEVICE.hostname"), ("new_value", "x")]).await;
    assert!(taken.body.contains("DEVICE.hostname.set"), "{}", taken.body);
    assert!(taken.body.contains("written device.hostname in the dictionary"), "{}", taken.body);
}
