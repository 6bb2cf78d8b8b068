//! Resource files from outside: uploaded by people and programs, looked at, served to phones, and never gone without a word (R124,
//! R215–R221).

use serde_json::json;

use pdms::domain::upload::UploadCaps;
use pdms::services::uploads::UploadSettings;
use pdms::web::phone::PhoneSettings;

use crate::support::api::{Api, json as json_of, problem};
use crate::support::phone::Phone;
use crate::support::server::Server;

const MAC: &str = "0004f2aa0001";
const WAV: &[u8] = b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0";

/// Uploads a file; its key.
fn put(api: &Api, path: &str, content: &[u8]) -> String {
    let answer = api.send("POST", &format!("/resources?path={path}"), content);
    assert_eq!(answer.status, 201, "{path}: {}", answer.text());
    json_of(&answer)["id"].to_string()
}

/// A PNG picture of this size, as far as its header tells.
fn png(width: u32, height: u32) -> Vec<u8> {
    let (width, height) = (width.to_be_bytes(), height.to_be_bytes());
    [&b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR"[..], &width, &height, b"\x08\x02\0\0\0\0\0\0\0"].concat()
}

/// Files below the state directory that an upload could have left.
fn blobs(server: &Server) -> usize {
    let folders = std::fs::read_dir(server.dir.path().join("state/blobs")).expect("a folder");
    folders.map(|one| std::fs::read_dir(one.expect("readable").path()).map_or(0, Iterator::count)).sum()
}

#[test]
fn a_phone_gets_a_file_however_it_writes_its_path_whole_and_in_parts() {
    let server = Server::start();
    let api = Api::owner(&server);
    put(&api, "languages/German.xml", b"<lang>0123456789</lang>");
    let phone = Phone::new(&server).tagged(Some(MAC));
    for path in
        ["/languages/German.xml", "/LANGUAGES/german.XML", "/resources/languages/German.xml", "/default/languages//German.xml"]
    {
        let answer = phone.get(path);
        assert_eq!((answer.status, answer.body.as_slice()), (200, &b"<lang>0123456789</lang>"[..]), "{path}");
    }
    let whole = phone.get("/languages/German.xml");
    let tag = whole.header("etag").expect("a mark").to_owned();
    assert_eq!((whole.header("content-length"), whole.header("accept-ranges")), (Some("23"), Some("bytes")));
    assert_eq!(
        (whole.header("content-type"), whole.header("cache-control")),
        (Some("text/xml; charset=utf-8"), Some("no-store"))
    );
    let head = phone.head("/languages/German.xml");
    assert_eq!((head.status, head.header("content-length"), head.header("etag")), (200, Some("23"), Some(tag.as_str())));
    let part = phone.clone().with("Range", "bytes=6-9").get("/languages/German.xml");
    assert_eq!((part.status, part.body.as_slice(), part.header("content-range")), (206, &b"0123"[..], Some("bytes 6-9/23")));
    let same = phone.clone().with("Range", "bytes=6-9").with("If-Range", &tag).get("/languages/German.xml");
    assert_eq!(same.status, 206);
    let other = phone.clone().with("Range", "bytes=6-9").with("If-Range", "\"x\"").get("/languages/German.xml");
    assert_eq!((other.status, other.body.len()), (200, 23));
    let beyond = phone.clone().with("Range", "bytes=23-").get("/languages/German.xml");
    assert_eq!((beyond.status, beyond.header("content-range")), (416, Some("bytes */23")));
    assert_eq!(phone.clone().with("If-None-Match", &tag).get("/languages/German.xml").status, 304);
}

#[test]
fn whoever_shows_no_credentials_learns_nothing_and_nobody_may_put() {
    let server = Server::start();
    put(&Api::owner(&server), "ring.wav", WAV);
    let (there, absent) = (Phone::bare(&server).get("/ring.wav"), Phone::bare(&server).get("/other.wav"));
    assert_eq!((there.status, absent.status), (401, 401));
    assert_eq!(there.body, absent.body);
    assert_eq!(Phone::new(&server).get("/ring.wav").body, WAV, "shared credentials are enough, also of nobody in particular");
    let put = Phone::new(&server).tagged(Some(MAC)).put("/ring.wav", b"x");
    assert!(matches!(put.status, 403 | 405), "{}", put.status);
    assert_eq!(Phone::new(&server).get("/ring.wav").body, WAV);
}

/// UPL-08: whoever opens a phone's address in a browser that is signed in gets nothing that runs.
#[test]
fn nothing_that_was_uploaded_runs_in_a_browser() {
    let server = Server::start();
    let api = Api::owner(&server);
    let id = put(&api, "menu.html", b"<html><script>alert(1)</script></html>");
    let answer = Phone::new(&server).get("/menu.html");
    assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"), "microbrowsers read it as what it is");
    let policy = answer.header("content-security-policy").expect("a policy");
    assert!(policy.starts_with("sandbox") && answer.header("x-content-type-options") == Some("nosniff"), "{policy}");
    let page = api.page(&format!("/admin/resources/{id}")).text();
    assert!(page.contains("&lt;script&gt;") || page.contains("&#60;script&#62;"), "{page}");
    assert!(!page.contains("<script>alert"), "{page}");
    assert_eq!(api.page(&format!("/admin/resources/{id}/content")).status, 404, "only pictures and sounds are shown");
    let raw = api.page(&format!("/admin/resources/{id}/download"));
    assert_eq!(raw.header("content-type"), Some("application/octet-stream"));
    assert!(raw.header("content-disposition").is_some_and(|told| told.starts_with("attachment")));
}

/// R220, R221: the account's files stand in for what a device has not stored.
#[test]
fn a_device_gets_the_accounts_directory_until_it_has_its_own() {
    let server = Server::start();
    let api = Api::owner(&server);
    let phone = Phone::new(&server).tagged(Some(MAC));
    assert_eq!(phone.get(&format!("/{MAC}-directory.xml")).status, 404);
    put(&api, "000000000000-directory.xml", b"<directory/>");
    put(&api, "000000000000-license.cfg", b"<license a.b=\"1\"/>");
    put(&api, "000000000000-features.cfg", b"<x a.b=\"1\"/>");
    for path in
        [format!("/{MAC}-directory.xml"), "/000000000000-directory.xml".to_owned(), format!("/contacts/{MAC}-directory.xml")]
    {
        assert_eq!(phone.get(&path).body, b"<directory/>", "{path}");
    }
    assert_eq!(phone.get(&format!("/{MAC}-license.cfg")).body, b"<license a.b=\"1\"/>");
    assert_eq!(phone.get("/000000000000-features.cfg").status, 200);
    assert_eq!(phone.get(&format!("/{MAC}-features.cfg")).status, 404, "only directory and licence stand in");
    assert_eq!(phone.put(&format!("/{MAC}-directory.xml"), b"<directory own=\"1\"/>").status, 201);
    assert_eq!(phone.get(&format!("/{MAC}-directory.xml")).body, b"<directory own=\"1\"/>", "its own comes first");
    assert_eq!(phone.put("/000000000000-directory.xml", b"<x/>").status, 405);
}

/// A listed file that is stored answers, nothing is told as missing, and boots become complete.
#[test]
fn a_file_that_a_profile_names_is_there_once_it_is_uploaded() {
    let server = Server::start();
    let api = Api::owner(&server);
    let profile = server.global_profile("Office", &[("CONFIG_FILES", "site.cfg"), ("MISC_FILES", "ring.wav")]);
    let phone = Phone::new(&server).tagged(Some(MAC));
    let boot = || {
        phone.get(&format!("/{MAC}.cfg"));
        phone.get(&format!("/{MAC}-profile.cfg"));
        ["/site.cfg", "/ring.wav"].map(|path| phone.get(path).status)
    };
    assert_eq!(boot(), [503, 503]);
    let warnings = || api.ok("GET", &format!("/profiles/{}", profile.0), None)["warnings"].as_array().map_or(0, Vec::len);
    assert_eq!(warnings(), 2);
    put(&api, "Site.cfg", b"<x up.timeOut=\"41\"/>");
    let id = put(&api, "ring.wav", WAV);
    assert_eq!((warnings(), boot()), (0, [200, 200]));
    server.advance(121);
    server.flush();
    let complete = server.device(MAC).expect("added").sighting.last_run.expect("a run").complete;
    assert!(complete, "everything that its master names was answered 200");
    let used = api.ok("GET", &format!("/resources/{id}"), None);
    assert_eq!(
        (&used["used_by"][0]["name"], &used["used_by"][0]["parameters"], &used["devices"]),
        (&json!("Office"), &json!(["MISC_FILES"]), &json!(1))
    );
}

#[test]
fn a_file_that_a_profile_names_does_not_go_without_a_word() {
    let server = Server::start();
    let api = Api::owner(&server);
    server.global_profile("Tones", &[("saf.2", "Ring.wav")]);
    let id = put(&api, "ring.wav", WAV);
    let (status, _) = api.refused("DELETE", &format!("/resources/{id}"), None);
    assert_eq!(status, 409);
    let told = api.ok("DELETE", &format!("/resources/{id}?used=true&dry_run=true"), None);
    assert_eq!((&told["deleted"], &told["impact"]["also"]), (&json!(["ring.wav"]), &json!(["Deleted: resource file ring.wav."])));
    let asked = api.page(&format!("/admin/resources/delete?select={id}")).text();
    assert!(asked.contains("named by Tones (saf.2)") && asked.contains("This cannot be undone."), "{asked}");
    assert_eq!(blobs(&server), 1);
    api.ok("DELETE", &format!("/resources/{id}?used=true"), None);
    assert_eq!((api.call("GET", &format!("/resources/{id}"), None).status, blobs(&server)), (404, 0));
}

#[test]
fn several_files_are_taken_or_refused_one_by_one() {
    let server = Server::start();
    // The form's token stands in its first field alone, as a browser without scripts sends it.
    let api = Api::cookie_only(&server);
    let refused = api.upload(
        "/admin/resources/add",
        &[
            ("folder", None, b"media"),
            ("description", None, b"For the lobby"),
            ("file", Some("Ring-1.wav"), WAV),
            ("file", Some("logo.png"), b"<html><script>1</script>"),
            ("file", Some("../../x y.wav"), WAV),
            ("file", Some("sip.ld"), b"x"),
            ("file", Some("big.png"), &png(60_000, 60_000)),
            ("file", Some("pic.png"), &png(320, 240)),
        ],
    );
    let page = refused.text();
    assert_eq!(refused.status, 422, "{page}");
    for part in [
        "begins as text/html",
        "a blank cannot stand",
        "under Software",
        "60000 × 60000 pixels",
        "media/Ring-1.wav",
        "media/pic.png",
    ] {
        assert!(page.to_lowercase().contains(&part.to_lowercase()), "{part}: {page}");
    }
    assert_eq!(server.world().resources.all().len(), 2);
    assert_eq!(blobs(&server), 2);
    let done = api.upload("/admin/resources/add", &[("file", Some("a.txt"), b"1"), ("file", Some("b.txt"), b"2")]);
    assert_eq!((done.status, done.header("location")), (303, Some("/admin/resources")), "{}", done.text());
    let twice = api.upload("/admin/resources/add", &[("file", Some("A.TXT"), b"1")]);
    assert!(twice.status == 422 && twice.text().contains("There is a resource file"), "{}", twice.text());
    let list = api.page("/admin/resources?kind=picture").text();
    assert!(list.contains("media/pic.png") && !list.contains("media/Ring-1.wav") && list.contains("For the lobby"), "{list}");
    let shown = api.page("/admin/resources/1/content");
    assert_eq!((shown.header("content-type"), shown.body.as_slice()), (Some("audio/wav"), WAV));
}

#[test]
fn a_form_of_another_site_brings_nothing_in() {
    let server = Server::start();
    let api = Api::cookie_only(&server).with("Sec-Fetch-Site", "same-origin");
    let body = b"--b\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\nguessed\r\n--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\n1\r\n--b--\r\n";
    let answer = api.with("Content-Type", "multipart/form-data; boundary=b").raw("POST", "/admin/resources/add", body);
    assert_ne!(answer.status, 200);
    assert_eq!((server.world().resources.all().len(), blobs(&server)), (0, 0), "{}", answer.status);
}

#[test]
fn a_file_above_the_bound_is_413_and_leaves_nothing() {
    let caps = UploadCaps { resource_bytes: 100_000, ..UploadCaps::default() };
    let server = Server::start_with(PhoneSettings {
        uploads: UploadSettings { caps, ..UploadSettings::default() },
        ..PhoneSettings::default()
    });
    let api = Api::owner(&server);
    let (at, above) = (vec![b'a'; 100_000], vec![b'a'; 100_001]);
    assert_eq!(api.send("POST", "/resources?path=at.txt", &at).status, 201);
    let (status, _) = problem(&api.send("POST", "/resources?path=above.txt", &above));
    assert_eq!(status, 413);
    let page = Api::cookie_only(&server).upload("/admin/resources/add", &[("file", Some("above.txt"), &above)]);
    assert!(page.status == 422 && page.text().contains("at most 97 KiB"), "{}", page.text());
    let page = Api::cookie_only(&server)
        .upload("/admin/resources/1/replace", &[("revision", None, b"1"), ("file", Some("at.txt"), &above)]);
    assert_eq!(page.status, 413);
    assert_eq!((server.world().resources.all().len(), blobs(&server)), (1, 1));
    let full = UploadSettings { reserve_bytes: u64::MAX, ..UploadSettings::default() };
    let server = Server::start_with(PhoneSettings { uploads: full, ..PhoneSettings::default() });
    assert_eq!(problem(&Api::owner(&server).send("POST", "/resources?path=a.txt", b"1")).0, 507);
}

#[test]
fn another_content_goes_by_the_same_name() {
    let server = Server::start();
    let api = Api::owner(&server);
    server.global_profile("Tones", &[("saf.2", "a.txt")]);
    let id = put(&api, "a.txt", b"one");
    let asked = api.page(&format!("/admin/resources/{id}/replace")).text();
    assert!(asked.contains("Replace a.txt?") && asked.contains(">Tones</a>"), "{asked}");
    let parts: [(&str, Option<&str>, &[u8]); 2] = [("revision", None, b"1"), ("file", Some("other.txt"), b"two")];
    let done = Api::cookie_only(&server).upload(&format!("/admin/resources/{id}/replace"), &parts);
    assert_eq!(done.status, 303, "{}", done.text());
    assert_eq!(Phone::new(&server).get("/a.txt").body, b"two");
    let again = Api::cookie_only(&server)
        .upload(&format!("/admin/resources/{id}/replace"), &[parts[0], ("file", Some("a.txt"), b"three")]);
    assert!(again.status == 409 && again.text().contains("since you opened it"), "{}", again.text());
    let told = json_of(&api.send("PUT", &format!("/resources/{id}/content?revision=2&dry_run=true"), b"three"));
    assert_eq!(told["impact"]["also"], json!(["Another content: resource file a.txt."]));
    assert_eq!(
        api.ok("PATCH", &format!("/resources/{id}"), Some(json!({ "revision": 2, "description": "Hall" })))["description"],
        "Hall"
    );
    assert_eq!(api.call("GET", &format!("/resources/{id}/content"), None).body, b"two");
}

#[test]
fn a_program_is_told_which_field_is_wrong() {
    let server = Server::start();
    let api = Api::owner(&server);
    put(&api, "a.txt", b"1");
    for (path, content, field) in
        [("A.txt", &b"1"[..], "path"), ("..%2Fa.txt", b"1", "path"), ("b.png", b"1", "body"), ("c.xml", b"<a>", "body")]
    {
        let (status, fields) = problem(&api.send("POST", &format!("/resources?path={path}"), content));
        assert_eq!((status, fields.first().map(|one| one.0.as_str())), (422, Some(field)), "{path}");
    }
    let listed = api.ok("GET", "/resources?used=false&kind=text", None);
    assert_eq!((&listed["total"], &listed["items"][0]["path"]), (&json!(1), &json!("a.txt")));
    assert_eq!(api.refused("GET", "/resources?kind=colour", None).1[0].0, "kind");
}

/// R124: the button beside a value writes the file's name into it.
#[test]
fn a_resource_file_is_chosen_beside_a_value() {
    let server = Server::start();
    let api = Api::owner(&server);
    let id = server.global_profile("Tones", &[("saf.2", "old.wav")]).0;
    put(&api, "media/ring.wav", WAV);
    let page = api.page(&format!("/admin/profiles/{id}?edit=saf.2&pick=file")).text();
    assert!(
        page.contains("<option>media/ring.wav</option>") && page.contains("title=\"Resource File\"")
            || page.contains("id=\"pick\""),
        "{page}"
    );
    let form = json!({ "revision": "1", "name": "saf.2", "value": "old.wav", "resource": "media/ring.wav", "do": "resource" });
    let saved = api.form(&format!("/admin/profiles/{id}/parameters"), &form);
    assert_eq!(saved.status, 303, "{}", saved.text());
    assert_eq!(api.ok("GET", &format!("/profiles/{id}"), None)["parameters"]["saf.2"], "media/ring.wav");
    assert_eq!(api.ok("GET", "/resources", None)["items"][0]["profiles"], 1, "used by follows");
    let form =
        json!({ "revision": "2", "new_name": "saf.3", "new_value": "", "resource": "media/ring.wav", "do": "add-resource" });
    assert_eq!(api.form(&format!("/admin/profiles/{id}/parameters"), &form).status, 303);
    assert_eq!(api.ok("GET", &format!("/profiles/{id}"), None)["parameters"]["saf.3"], "media/ring.wav");
}
