//! What many refusals mean together is told once: as a warning on the dashboard and in the API, and in the activity log (contract 4,
//! point 2, and PHN-10).

use pdms::domain::admission::NewDeviceCaps;
use pdms::domain::device::DeviceKey;
use pdms::domain::ids::DEFAULT_ACCOUNT;
use pdms::services::commit::Mode;
use pdms::services::pending::{self, Deed};
use pdms::services::retention::{self, Keep};
use pdms::web::phone::PhoneSettings;

use crate::support::api::Api;
use crate::support::phone::Phone;
use crate::support::server::{Server, admin};

fn mac(number: usize) -> String {
    format!("0004f2aa{number:04x}")
}

fn key(number: usize) -> DeviceKey {
    mac(number).parse().expect("a MAC")
}

/// The entries of the activity log that tell alerts.
fn entries(server: &Server) -> Vec<String> {
    server.flush();
    let log = Api::owner(server).ok("GET", "/activity?q=alert&per_page=100", None);
    let items = log["items"].as_array().expect("a list").iter();
    items.map(ToString::to_string).filter(|entry| entry.contains("alert: ")).collect()
}

/// The warnings that have these words in them.
fn warned(server: &Server, words: &str) -> Vec<String> {
    let all = Api::owner(server).ok("GET", "/api/v1/server/warnings", None);
    let texts = all["items"].as_array().expect("a list").iter().map(|one| one["text"].as_str().expect("a text").to_owned());
    texts.filter(|text| text.contains(words)).collect()
}

const CROWD: &str = "More new phones came than may come at once";
const REFUSED: &str = "bound devices were asked for with the shared credentials";

/// A server that takes this many new devices from one address in ten minutes.
fn narrow(per_address: usize) -> Server {
    let new_devices = NewDeviceCaps { per_address, per_hour: 100 };
    Server::start_with(PhoneSettings { new_devices, ..PhoneSettings::default() })
}

/// These ask for their master file with the shared credentials.
fn come(server: &Server, numbers: std::ops::Range<usize>) -> Vec<u16> {
    numbers.map(|number| Phone::new(server).get(&format!("/{}.cfg", mac(number))).status).collect()
}

#[test]
fn phn_10_new_devices_above_the_rate_are_one_warning_and_one_entry_however_many_come() {
    let server = narrow(2);
    assert_eq!((come(&server, 0..2), warned(&server, CROWD).len(), entries(&server).len()), (vec![200, 200], 0, 0));
    assert_eq!(come(&server, 2..30), [503; 28]);
    let told = entries(&server);
    assert!(told.len() == 1 && told[0].contains("127.0.0.1") && told[0].contains("too many came at once"), "{told:?}");
    let warnings = warned(&server, CROWD);
    assert!(warnings.len() == 1 && warnings[0].contains("127.0.0.1") && warnings[0].contains("28 requests"), "{warnings:?}");
    let dashboard = Api::owner(&server).page("/admin/").text();
    assert_eq!(dashboard.matches(CROWD).count(), 1, "{dashboard}");
    assert!(dashboard.contains("per_address or per_hour of [new_devices]"), "it says where that is set");
    server.advance(300);
    assert_eq!((come(&server, 2..30), entries(&server).len()), (vec![503; 28], 1), "it goes on");
    let server = server.restarted();
    assert_eq!(warned(&server, CROWD).len(), 1, "also after a restart");
    come(&server, 30..140);
    assert_eq!(entries(&server).len(), 1, "which is no new beginning");
    server.advance(3_600);
    come(&server, 200..310);
    assert_eq!(entries(&server).len(), 2, "an hour later it is");
    server.advance(24 * 3_600);
    assert_eq!(warned(&server, CROWD).len(), 0, "a day later it is over");
}

#[test]
fn phn_10_phones_that_come_over_plain_http_too_fast_are_told_alike() {
    let server = narrow(1);
    let ask = |number| Phone::in_clear(&server).get(&format!("/{}.cfg", mac(number))).status;
    assert_eq!([ask(1), ask(2), ask(3)], [200, 503, 503]);
    assert_eq!((warned(&server, CROWD).len(), entries(&server).len()), (1, 1));
}

#[test]
fn more_than_five_bound_devices_that_are_refused_are_one_warning_and_one_entry_until_somebody_does_something() {
    let server = Server::start();
    assert_eq!(come(&server, 0..8), [200; 8]);
    let bind = |server: &Server| {
        for number in 0..8 {
            let at = server.clock.now();
            server.services.trusts(DEFAULT_ACCOUNT).learn(&key(number), |trust| trust.bound_at = Some(at));
        }
    };
    bind(&server);
    assert_eq!((come(&server, 0..5), warned(&server, REFUSED).len(), entries(&server).len()), (vec![503; 5], 0, 0));
    assert_eq!(come(&server, 0..6), [503; 6]);
    let told = entries(&server);
    assert!(told.len() == 1 && told[0].contains(&mac(5)) && told[0].contains("127.0.0.1"), "{told:?}");
    let warnings = warned(&server, REFUSED);
    assert!(
        warnings.len() == 1 && warnings[0].starts_with("6 bound devices") && warnings[0].contains("unbind them"),
        "{warnings:?}"
    );
    let dashboard = Api::owner(&server).page("/admin/").text();
    assert!(dashboard.matches(REFUSED).count() == 1 && dashboard.contains("Unbind these"), "{dashboard}");
    come(&server, 0..8);
    assert_eq!((entries(&server).len(), warned(&server, REFUSED).len()), (1, 1), "two more and again all of them: still the one");
    let server = server.restarted();
    come(&server, 0..8);
    assert_eq!((entries(&server).len(), warned(&server, REFUSED).len()), (1, 1), "also over a restart");
    let keys: Vec<DeviceKey> = (0..8).map(key).collect();
    pending::act(&server.services, &admin(), DEFAULT_ACCOUNT, Deed::Unbind, &keys, Mode::Keep).expect("unbound");
    assert_eq!((come(&server, 0..8), warned(&server, REFUSED).len()), (vec![200; 8], 0));
    bind(&server);
    server.advance(1);
    come(&server, 0..8);
    assert_eq!((entries(&server).len(), warned(&server, REFUSED).len()), (2, 1), "another time it is told anew");
    server.advance(24 * 3_600);
    assert_eq!(warned(&server, REFUSED).len(), 0, "a day later it is over");
    retention::run(&server.services, Keep::default()).expect("the disk is well");
    let book = server.services.trusts(DEFAULT_ACCOUNT);
    assert!(keys.iter().all(|key| !book.of(key).is_refused_bound()), "and nothing is kept of it");
}

#[test]
fn bound_devices_that_are_asked_for_with_the_factory_default_are_no_sign_that_the_shared_credentials_are_known() {
    let server = Server::start();
    come(&server, 0..8);
    for number in 0..8 {
        let at = server.clock.now();
        server.services.trusts(DEFAULT_ACCOUNT).learn(&key(number), |trust| trust.bound_at = Some(at));
    }
    let factory = Phone::new(&server).with_credentials("PlcmSpIp", "PlcmSpIp");
    assert!((0..7).all(|number| factory.get(&format!("/{}.cfg", mac(number))).status == 503));
    let told = entries(&server);
    assert!(told.len() == 1 && told[0].contains("with the factory default"), "{told:?}");
    assert_eq!(warned(&server, "leaked").len(), 0);
    let warnings = warned(&server, "7 bound devices were asked for with the factory default PlcmSpIp");
    assert!(warnings.len() == 1 && warnings[0].contains("there is nothing to change"), "{warnings:?}");
    let api = Api::owner(&server);
    let dashboard = api.page("/admin/").text();
    assert!(dashboard.contains("/admin/pending?reason=bound") && !dashboard.contains("Unbind these"), "{dashboard}");
    let page = api.page(&format!("/admin/devices/{}", mac(0))).text();
    assert!(page.contains("there is nothing to change") && !page.contains("somebody else has the shared credentials"), "{page}");
    // The same devices with the shared credentials: that is another matter, and told although the other was.
    server.advance(60);
    come(&server, 0..2);
    let mixed = warned(&server, "2 with the shared credentials, the others with the factory default");
    assert!(mixed.len() == 1 && mixed[0].contains("change them as leaked"), "{mixed:?}");
    assert_eq!(entries(&server).len(), 2);
    let server = server.restarted();
    come(&server, 0..8);
    let all = warned(&server, "8 bound devices were asked for with the shared credentials");
    assert!(all.len() == 1 && all[0].contains("change them as leaked"), "{all:?}");
    assert_eq!(entries(&server).len(), 2, "which goes on");
}
