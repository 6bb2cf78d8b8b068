//! Who gets in, and what everybody else is told.

use crate::support::phone::Phone;
use crate::support::server::Server;

const MAC: &str = "0004f2aa0001";

#[test]
fn phn_01_without_credentials_every_path_gets_the_same_challenge() {
    let server = Server::start();
    let nobody = Phone::bare(&server);
    let first = nobody.get("/000000000000.cfg");
    assert_eq!(first.status, 401);
    assert!(first.header("www-authenticate").is_some_and(|value| value.starts_with("Basic realm=")));
    assert!(first.body.len() < 512 && !first.head.to_lowercase().contains("server:"), "{}", first.head);
    for path in [format!("/{MAC}.cfg"), format!("/{MAC}-phone.cfg"), "/".to_owned(), "/swupdate/x/sip.ld".to_owned()] {
        let other = nobody.get(&path);
        assert_eq!((other.status, &other.body), (401, &first.body), "{path}");
    }
}

#[test]
fn a_phone_with_the_credentials_is_added_and_gets_its_two_files() {
    let server = Server::start();
    let phone = Phone::new(&server);
    let master = phone.get(&format!("/{MAC}.cfg"));
    assert_eq!(master.status, 200, "{}", master.text());
    assert!(master.text().contains(&format!("CONFIG_FILES=\"{MAC}-profile.cfg\"")), "{}", master.text());
    assert_eq!(phone.get(&format!("/{MAC}-profile.cfg")).status, 200);
}
