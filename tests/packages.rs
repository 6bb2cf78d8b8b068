//! The packages that images came in: kept as they were uploaded, taken away again, and removed by themselves (R211).

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::images::{package, uploaded};
use crate::support::api::Api;
use crate::support::phone::Phone;
use crate::support::server::Server;

const FILE: &str = "UC Software 5_9_8 \"release\" ünd.zip";
const PART: &str = "3111-44500-001.sip.ld";

/// What software takes of the disk.
fn software(api: &Api) -> (u64, u64) {
    let storage = api.ok("GET", "/api/v1/server/storage", None);
    let kinds = storage["kinds"].as_array().expect("a list").clone();
    let one = kinds.into_iter().find(|one| one["kind"] == "software").expect("it is told");
    (one["files"].as_u64().expect("a number"), one["bytes"].as_u64().expect("a number"))
}

fn vvx(version: &str) -> Vec<u8> {
    package(&[(PART, b"image"), ("sip.ver", version.as_bytes()), ("Config/site.cfg", b"left out")])
}

#[test]
fn a_package_is_kept_told_with_its_hash_and_taken_away_whole_or_in_parts() {
    let server = Server::start();
    let api = Api::owner(&server);
    let sent = vvx("5.9.8.5760");
    let done = uploaded(&server, &api, FILE, &sent);
    assert_eq!(done["stage"], "done", "{done}");
    let shown = api.ok("GET", &format!("/images/{}", done["image"]), None);
    let hash = hex::encode(Sha256::digest(&sent));
    let kept = &shown["packages"][0];
    assert_eq!((&kept["number"], &kept["sha256"], &kept["is_beside"]), (&json!(1), &json!(hash), &json!(true)), "{shown}");
    assert_eq!((&kept["file"], &kept["size_bytes"]), (&json!(FILE), &json!(sent.len())));

    let server = server.restarted();
    let api = Api::owner(&server);
    let of_api = format!("/api/v1/accounts/default/images/{}/packages/1", done["image"]);
    let of_page = format!("/admin/software/{}/packages/1", done["image"]);
    let page = api.page(&format!("/admin/software/{}", done["image"])).text();
    assert!(page.contains(&of_page) && page.contains(&hash) && page.contains("Delete the package, keep the image"), "{page}");
    for path in [&of_api, &of_page] {
        let whole = api.page(path);
        assert!(whole.status == 200 && whole.body == sent, "{path}");
        assert_eq!(whole.header("content-type"), Some("application/octet-stream"));
        let named = whole.header("content-disposition").expect("it is to be saved");
        assert_eq!(named, "attachment; filename=\"UC_Software_5_9_8__release___nd.zip\"");
        assert_eq!(whole.header("etag"), Some(format!("\"{hash}\"").as_str()));
        let part = Api::owner(&server).with("Range", "bytes=10-19").page(path);
        let range = format!("bytes 10-19/{}", sent.len());
        assert_eq!((part.status, part.header("content-range")), (206, Some(range.as_str())));
        assert_eq!(part.body, &sent[10..20]);
        assert_eq!(Api::owner(&server).with("Range", "bytes=999999-").page(path).status, 416);
        assert_ne!(Api::stranger(&server).page(path).status, 200);
    }
    for missing in ["0", "2", "x"] {
        let path = format!("/api/v1/accounts/default/images/{}/packages/{missing}", done["image"]);
        assert_eq!(api.page(&path).status, 404, "{missing}");
    }
    let again = uploaded(&server, &api, "renamed.zip", &sent);
    assert_eq!((&again["stage"], &again["image"]), (&json!("refused"), &done["image"]), "it is recognised: {again}");
    assert_eq!(software(&api), (3, (b"image".len() + "5.9.8.5760".len() + sent.len()) as u64), "and not kept twice");
}

#[test]
fn a_package_is_deleted_by_itself_or_with_its_image_and_phones_notice_nothing() {
    let server = Server::start();
    let api = Api::owner(&server);
    let first = uploaded(&server, &api, "first.zip", &vvx("5.9.8.5760"));
    let second = uploaded(&server, &api, "second.zip", &vvx("5.9.7.4477"));
    let path = format!("/images/{}/packages", first["image"]);
    let tried = api.ok("DELETE", &format!("{path}?dry_run=true"), None);
    assert_eq!((&tried["packages"], software(&api).0), (&json!([]), 6), "a dry run removes nothing");
    assert_eq!(api.ok("DELETE", &path, None)["packages"], json!([]));
    assert_eq!(software(&api).0, 5);
    assert_eq!(api.call("DELETE", &path, None).status, 409, "there is none any more");
    let served = Phone::new(&server).get(&format!("/swupdate/VVX/5.9.8.5760/{PART}"));
    assert_eq!((served.status, served.body), (200, b"image".to_vec()));
    let here = format!("/admin/software/{}", second["image"]);
    assert!(api.page(&format!("{here}/packages/delete")).text().contains("The image stays"));
    assert_eq!(api.form(&format!("{here}/packages/delete"), &json!({})).status, 303);
    assert!(api.page(&here).text().contains("not kept"));
    assert!(api.ok("GET", "/activity", None).to_string().contains("package deleted"));
    let third = uploaded(&server, &api, "third.zip", &vvx("5.9.6.1"));
    assert_eq!(software(&api).0, 7);
    api.ok("DELETE", &format!("/images/{}", third["image"]), None);
    assert_eq!(software(&api).0, 4, "its package goes with an image");
}

#[test]
fn whether_packages_are_kept_is_a_setting_and_where_room_is_short_they_are_named() {
    let server = Server::start();
    let api = Api::owner(&server);
    assert_eq!(api.ok("GET", "/images/limits", None)["keep_packages"], true, "by default");
    let page = api.page("/admin/storage").text();
    assert!(page.contains("Keep uploaded packages") && page.contains("name=\"keep\""), "{page}");
    assert_eq!(api.form("/admin/storage/packages", &json!({})).status, 303);
    let limits = api.ok("GET", "/images/limits", None);
    assert_eq!(limits["keep_packages"], false);
    let done = uploaded(&server, &api, "a.zip", &vvx("5.9.8.5760"));
    assert_eq!(api.ok("GET", &format!("/images/{}", done["image"]), None)["packages"], json!([]));
    let set = |keep: Value, megabytes: u64| json!({ "images": 40, "megabytes": megabytes, "package_megabytes": 10, "keep_packages": keep });
    assert_eq!(api.ok("PUT", "/images/limits", Some(set(json!(null), 20)))["keep_packages"], false, "not said: as it is");
    api.ok("PUT", "/images/limits", Some(set(json!(true), 1)));
    assert_eq!(
        api.form("/admin/software/limits", &json!({ "images": "40", "megabytes": "1", "package_megabytes": "10" })).status,
        303
    );
    assert_eq!(api.ok("GET", "/images/limits", None)["keep_packages"], true, "the other form leaves it alone");
    let large = package(&[(PART, &vec![1; 600_000]), ("sip.ver", b"5.9.7.4477")]);
    let refused = uploaded(&server, &api, "large.zip", &large);
    assert_eq!(refused["stage"], "refused", "it fits without its package alone: {refused}");
    assert!(refused["why"].as_str().is_some_and(|why| why.contains("packages that are kept beside images")), "{refused}");
    api.ok("PUT", "/images/limits", Some(set(json!(false), 1)));
    assert_eq!(uploaded(&server, &api, "large.zip", &large)["stage"], "done");
}
