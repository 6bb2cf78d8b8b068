//! Software from outside: uploaded in pieces or by a form, kept over restarts, served to phones, told in their runs.

use std::io::{Cursor, Read as _, Write as _};

use actix_web::test::TestRequest;
use serde_json::{Value, json};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use pdms::services::images::worker;

use crate::support::api::Api;
use crate::support::browser::{Answer, Browser, Site};
use crate::support::phone::Phone;
use crate::support::server::Server;

const KEY: &str = "0004f2a11b01";
const FILE: &str = "UC_Software_5_9_8_release_sig_split.zip";
const VVX_500: &str = "3111-44500-001.sip.ld";

/// A package of these files.
pub fn package(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for (name, content) in files {
        zip.start_file(*name, options).expect("a name");
        zip.write_all(content).expect("written");
    }
    zip.finish().expect("an archive").into_inner()
}

/// Sends a package and waits until it is known what became of it.
pub fn uploaded(server: &Server, api: &Api, file: &str, package: &[u8]) -> Value {
    let begun = api.ok("POST", "/images/uploads", Some(json!({ "file": file, "size_bytes": package.len() })));
    let id = begun["id"].as_str().expect("a key").to_owned();
    assert_eq!(api.send("PUT", &format!("/images/uploads/{id}?offset=0"), package).status, 200);
    finished(server, api, &id)
}

fn finished(server: &Server, api: &Api, id: &str) -> Value {
    api.ok("POST", &format!("/images/uploads/{id}/finish"), None);
    // The server has begun with it already, or is done: whoever works second finds nothing to do.
    worker::work(&server.services).expect("the disk is well");
    api.ok("GET", &format!("/images/uploads/{id}"), None)
}

/// Software that no buffer on the way holds.
fn large() -> Vec<u8> {
    (0..24_000_000_u32).map(|at| (at / 7 % 251) as u8).collect()
}

/// What the newest run of the device tells of its requests for software.
fn told(server: &Server, api: &Api) -> Vec<String> {
    server.flush();
    let runs = api.ok("GET", &format!("/devices/{KEY}/runs"), None);
    let exchanges = runs["items"].as_array().expect("runs").iter().flat_map(|run| run["exchanges"].as_array().cloned());
    let of_software = exchanges.flatten().filter(|one| one["path"].as_str().is_some_and(|path| path.ends_with(".ld")));
    of_software.map(|one| one["reason"].as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn an_upload_that_is_cut_goes_on_after_a_restart_and_phones_get_what_was_in_it() {
    let server = Server::start();
    let api = Api::owner(&server);
    let image: Vec<u8> = (0..3_000_000_u32).map(|at| (at % 253) as u8).collect();
    let language = b"<dictionary/>";
    let package = package(&[
        (VVX_500, &image),
        ("sip.ver", b"5.9.8.5760"),
        ("VVXLocalization/Chinese_China/VVX-dictionary.xml", language),
        ("Config/site.cfg", b"sample"),
    ]);
    let begun = api.ok("POST", "/images/uploads", Some(json!({ "file": FILE, "size_bytes": package.len() })));
    let path = format!("/images/uploads/{}", begun["id"].as_str().expect("a key"));
    assert_eq!(api.send("PUT", &format!("{path}?offset=0"), &package[..1_000_000]).status, 200);
    assert_eq!(api.send("PUT", &format!("{path}?offset=5"), &package[5..]).status, 409, "it goes on elsewhere");
    let server = server.restarted();
    let api = Api::owner(&server);
    assert_eq!(api.ok("GET", &path, None)["received"], 1_000_000);
    assert_eq!(api.send("PUT", &format!("{path}?offset=1000000"), &package[1_000_000..]).status, 200);
    let done = finished(&server, &api, begun["id"].as_str().expect("a key"));
    assert_eq!(done["stage"], "done", "{done}");
    let shown = api.ok("GET", &format!("/images/{}", done["image"]), None);
    assert_eq!((&shown["name"], &shown["families"], &shown["files"]), (&json!("VVX 5.9.8.5760"), &json!(["VVX"]), &json!(3)));
    let profile = api.ok("GET", &format!("/profiles/{}", shown["profile"]), None);
    assert_eq!((&profile["name"], &profile["kind"]), (&json!("VVX 5.9.8.5760"), &json!("software")));

    let phone = Phone::new(&server);
    for path in [
        format!("/swupdate/VVX/5.9.8.5760/{VVX_500}"),
        format!("/swupdate/vvx/5.9.8.5760/3111-44500-001.{}", VVX_500.to_uppercase()),
    ] {
        let answer = phone.get(&path);
        assert_eq!((answer.status, answer.body == image), (200, true), "{path}");
        assert_eq!(answer.header("content-length"), Some("3000000"));
        assert!(answer.header("content-encoding").is_none() && answer.header("transfer-encoding").is_none());
    }
    let path = format!("/swupdate/VVX/5.9.8.5760/{VVX_500}");
    let head = phone.head(&path);
    assert_eq!((head.status, head.header("content-length"), head.header("accept-ranges")), (200, Some("3000000"), Some("bytes")));
    let tag = head.header("etag").expect("a tag").to_owned();
    assert_eq!(tag, format!("\"{}\"", shown["content"][0]["sha256"].as_str().expect("a hash")));
    let piece = Phone::new(&server).with("Range", "bytes=2999990-").with("If-Range", &tag).get(&path);
    assert_eq!((piece.status, piece.header("content-range")), (206, Some("bytes 2999990-2999999/3000000")));
    assert_eq!(piece.body, &image[2_999_990..]);
    let other = Phone::new(&server).with("Range", "bytes=0-9").with("If-Range", "\"former\"").get(&path);
    assert_eq!((other.status, other.body.len()), (200, image.len()));
    let beyond = Phone::new(&server).with("Range", "bytes=3000000-").get(&path);
    assert_eq!((beyond.status, beyond.header("content-range")), (416, Some("bytes */3000000")));
    let same = Phone::new(&server).with("If-None-Match", &tag).head(&path);
    assert_eq!((same.status, same.header("etag")), (304, Some(tag.as_str())));
    let words = phone.get("/swupdate/VVX/5.9.8.5760/vvxlocalization/chinese_china/VVX-dictionary.xml");
    assert_eq!((words.status, words.body.as_slice()), (200, &language[..]));
    for missing in ["sip.ld", "3111-48450-001.sip.ld", "Config/site.cfg", "../5.9.8.5760/sip.ver"] {
        assert_eq!(phone.get(&format!("/swupdate/VVX/5.9.8.5760/{missing}")).status, 404, "{missing}");
    }
    assert_eq!(Phone::new(&server).without_credentials().get(&path).status, 401);
}

#[test]
fn a_phone_that_hangs_up_after_the_header_has_checked_and_one_that_took_all_has_downloaded() {
    let server = Server::start();
    let api = Api::owner(&server);
    let image = large();
    let done = uploaded(&server, &api, FILE, &package(&[(VVX_500, &image), ("sip.ver", b"5.9.8.5760")]));
    assert_eq!(done["stage"], "done", "{done}");
    let phone = Phone::new(&server).tagged(Some(KEY));
    phone.get(&format!("/{KEY}.cfg"));
    let path = format!("/swupdate/VVX/5.9.8.5760/{VVX_500}");
    let begin = phone.begin(&path, 2_000);
    assert_eq!(begin.len(), 2_000);
    // The server notices when it goes on writing.
    while told(&server, &api).is_empty() {
        std::thread::yield_now();
    }
    assert_eq!(told(&server, &api), ["checked the software and did not need it"], "checked, and no failed download");
    let running = api.ok("GET", &format!("/devices/{KEY}/downloads"), None);
    assert_eq!((&running["running"], &running["completed"]), (&json!([]), &json!(null)));
    assert!(phone.get(&path).body == image);
    while told(&server, &api).len() < 2 {
        std::thread::yield_now();
    }
    let completed = api.ok("GET", &format!("/devices/{KEY}/downloads"), None);
    assert_eq!((&completed["completed"]["version"], &completed["completed"]["times"]), (&json!("5.9.8.5760"), &json!(1)));
    assert!(told(&server, &api).contains(&"downloaded the software".to_owned()));
}

#[test]
fn packages_of_one_version_for_different_models_join_and_only_the_same_part_number_asks() {
    const VVX_411: &str = "3111-48450-001.sip.ld";
    let server = Server::start();
    let api = Api::owner(&server);
    let version = ("sip.ver", &b"5.9.8.5760"[..]);
    let first = uploaded(&server, &api, "VVX_500_5_9_8.zip", &package(&[(VVX_500, b"for 500"), version, ("Beach.jpg", b"x")]));
    let second = uploaded(&server, &api, "VVX_411_5_9_8.zip", &package(&[(VVX_411, b"for 411"), version]));
    assert_eq!((&second["stage"], &second["image"]), (&json!("done"), &first["image"]), "it joins: {second}");
    let phone = Phone::new(&server);
    let taken = |part: &str| phone.get(&format!("/swupdate/VVX/5.9.8.5760/{part}")).body;
    assert_eq!((taken(VVX_500), taken(VVX_411)), (b"for 500".to_vec(), b"for 411".to_vec()));
    let shown = api.ok("GET", &format!("/images/{}", first["image"]), None);
    assert_eq!((&shown["files"], &shown["families"], &shown["name"]), (&json!(4), &json!(["VVX"]), &json!("VVX 5.9.8.5760")));
    assert!(shown["file"].as_str().is_some_and(|file| file == "VVX_500_5_9_8.zip and VVX_411_5_9_8.zip"), "{shown}");
    assert!(api.ok("GET", "/activity", None).to_string().contains("joined by another package"));

    let asks = uploaded(&server, &api, "VVX_411_again.zip", &package(&[(VVX_411, b"mended"), version]));
    assert_eq!((&asks["stage"], &asks["image"]), (&json!("taken"), &first["image"]), "{asks}");
    assert_eq!(taken(VVX_411), b"for 411", "nothing is replaced unasked");
    api.ok("POST", &format!("/images/uploads/{}/answer", asks["id"].as_str().expect("a key")), Some(json!({ "replaces": true })));
    worker::work(&server.services).expect("the disk is well");
    assert_eq!((taken(VVX_500), taken(VVX_411)), (b"for 500".to_vec(), b"mended".to_vec()), "the other hardware's stays");
    let server = server.restarted();
    let phone = Phone::new(&server);
    let taken = |part: &str| phone.get(&format!("/swupdate/VVX/5.9.8.5760/{part}")).body;
    assert_eq!((taken(VVX_500), taken(VVX_411)), (b"for 500".to_vec(), b"mended".to_vec()), "nothing of it is swept away");
}

#[test]
fn a_hostile_package_is_refused_with_the_reason_and_leaves_nothing() {
    let server = Server::start();
    let api = Api::owner(&server);
    let refused = uploaded(&server, &api, FILE, &package(&[(VVX_500, b"x"), ("../../etc/passwd", b"x")]));
    assert_eq!(refused["stage"], "refused");
    assert!(refused["why"].as_str().is_some_and(|why| why.contains("leads out of the archive")), "{refused}");
    assert_eq!(api.ok("GET", "/images", None)["total"], 0);
    let asked = uploaded(&server, &api, "software.zip", &package(&[("9999-44500-001.sip.ld", b"x")]));
    assert_eq!(asked["stage"], "asking");
    let path = format!("/images/uploads/{}/answer", asked["id"].as_str().expect("a key"));
    assert_eq!(api.refused("POST", &path, Some(json!({ "families": ["Teapot"] }))).1[0].0, "families");
    api.ok("POST", &path, Some(json!({ "version": "9.4.1", "families": ["CCX"] })));
    worker::work(&server.services).expect("the disk is well");
    assert_eq!(api.ok("GET", "/images", None)["items"][0]["name"], "CCX 9.4.1");
    let same = uploaded(&server, &api, "again.zip", &package(&[("9999-44500-001.sip.ld", b"x")]));
    assert_eq!((&same["stage"], &same["image"]), (&json!("refused"), &api.ok("GET", "/images", None)["items"][0]["id"]));
    let large = json!({ "file": FILE, "size_bytes": 1_500_000_001_u64 });
    assert_eq!(api.refused("POST", "/images/uploads", Some(large)).0, 422);
}

#[test]
fn an_image_comes_back_with_a_backup_and_stays_with_another_key_file() {
    let server = Server::start();
    let api = Api::owner(&server);
    let package = package(&[(VVX_500, b"image"), ("sip.ver", b"5.9.8.5760")]);
    let done = uploaded(&server, &api, FILE, &package);
    let key = format!("/images/{}/license", done["image"]);
    assert_eq!(api.send("PUT", &format!("{key}?file=key.txt"), b"U1234-KEY").status, 200);
    let server = server.stopped().with_new_key().started();
    let api = Api::owner(&server);
    let path = format!("/swupdate/VVX/5.9.8.5760/{VVX_500}");
    assert_eq!(Phone::new(&server).get(&path).body, b"image");
    assert_eq!(api.ok("POST", &format!("{key}/reveal"), None)["content"], "U1234-KEY");
    let backup = api.ok("POST", "/api/v1/server/backups", None)["name"].as_str().expect("a name").to_owned();
    let mut archive = api.call("GET", &format!("/api/v1/server/backups/{backup}"), None).body;
    let mut zip = zip::ZipArchive::new(Cursor::new(&mut archive)).expect("a backup is an archive");
    let holds = (0..zip.len()).any(|at| {
        let mut content = Vec::new();
        zip.by_index(at).expect("readable").read_to_end(&mut content).expect("readable");
        content == b"image"
    });
    assert!(holds, "the content of images is in backups");
}

/// A form with a file, as a browser sends it without a script.
async fn sent(browser: &mut Browser, file: &str, content: &[u8]) -> Answer {
    let token = browser.token().await;
    let mut body = format!(
        "--b\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\n{token}\r\n--b\r\nContent-Disposition: form-data; \
         name=\"file\"; filename=\"{file}\"\r\nContent-Type: application/zip\r\n\r\n"
    )
    .into_bytes();
    body.extend_from_slice(content);
    body.extend_from_slice(b"\r\n--b--\r\n");
    let request = TestRequest::post()
        .insert_header(("content-type", "multipart/form-data; boundary=b"))
        .insert_header(("content-length", body.len().to_string()))
        .set_payload(body);
    browser.send(request, "/admin/software/upload").await
}

#[actix_web::test]
async fn without_a_script_a_form_uploads_and_the_pages_tell_what_became_of_it() {
    let site = Site::open().await;
    let mut browser = Browser::signed_in(&site).await;
    assert!(browser.get("/admin/software").await.body.contains("No software yet"));
    let taken = sent(&mut browser, FILE, &package(&[(VVX_500, b"image"), ("sip.ver", b"5.9.8.5760")])).await;
    assert_eq!(taken.status, 303, "{}", taken.body);
    let upload = taken.header("location").to_owned();
    assert!(browser.get(&upload).await.body.contains("is being unpacked"));
    worker::work(&site.services).expect("the disk is well");
    let image = browser.send(TestRequest::get(), &upload).await.header("location").to_owned();
    let page = browser.get(&image).await.body;
    assert!(page.contains("VVX 5.9.8.5760") && page.contains(VVX_500) && page.contains("swupdate/VVX/5.9.8.5760/"), "{page}");
    let list = browser.get("/admin/software").await.body;
    assert!(list.contains("1 of 40 images") && list.contains("VVX 5.9.8.5760"), "{list}");
    let empty = sent(&mut browser, "", b"").await;
    assert!(empty.status == 422 && empty.body.contains("Choose a file first"), "{}", empty.body);
    let asked = sent(&mut browser, "software.zip", &package(&[("9999-44500-001.sip.ld", b"x")])).await;
    let upload = asked.header("location").to_owned();
    worker::work(&site.services).expect("the disk is well");
    assert!(browser.get(&upload).await.body.contains("Which software is it?"));
    let again = browser.post(&upload, &[("do", "answer"), ("version", "9.4.1")]).await;
    assert!(again.status == 422 && again.body.contains("for which devices"), "{}", again.body);
    browser.post(&upload, &[("do", "answer"), ("version", "9.4.1"), ("families", "CCX")]).await;
    worker::work(&site.services).expect("the disk is well");
    assert!(browser.get("/admin/software").await.body.contains("CCX 9.4.1"));
    let deleted = browser.post(&format!("{image}/delete"), &[("force", "yes")]).await;
    assert_eq!(deleted.status, 200, "{}", deleted.body);
    assert!(!browser.get("/admin/software").await.body.contains("VVX 5.9.8.5760</a>"));
}
