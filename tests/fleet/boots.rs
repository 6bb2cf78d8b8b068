//! Boots and polls of every family, and what stays the same while nobody changes anything.

use pdms::domain::device::DeviceKey;
use pdms::domain::device::draft::{DeviceDraft, DeviceEdit};
use pdms::domain::ids::DEFAULT_ACCOUNT;
use pdms::domain::mac::Mac;
use pdms::domain::run::{RunKind, Subject};
use pdms::services::commit::Mode;
use pdms::services::{devices, runs, uploads};
use pdms::simulate::fleet::{boot, judge};
use pdms::simulate::journey::travel;
use pdms::simulate::memory::{Layer, Line};
use pdms::simulate::models::MODELS;
use pdms::simulate::phone::Occasion;
use pdms::simulate::rules::Rules;
use pdms::simulate::statistics::{Ending, Statistics};

use super::building::Building;
use super::{LINE, files, network, phone, profile, put_on_global, run};
use crate::support::server::{Server, admin};

#[test]
fn every_family_boots_and_polls_with_its_effective_configuration() {
    let server = Server::start();
    put_on_global(&server, vec![profile(&server, "Lines", LINE), profile(&server, "House", &[("up.timeOut", "41")])]);
    let network = network(&server);
    run(async {
        for (number, model) in (1..).zip(MODELS) {
            let mut phone = phone(&server, &network, model.name, number, Rules::USUAL);
            let mut counted = Statistics::default();
            let booted = boot(&mut phone, &network, &mut counted).await;
            assert_eq!(judge(&phone, &booted), Ending::Booted, "{}", model.name);
            assert_eq!(phone.line(), Line::Registered, "{}", model.name);
            assert_eq!(phone.memory.effective("up.timeOut"), Some("41"), "{}", model.name);
            assert_eq!(counted.restarts, 1, "{} restarts once, for the values in its flash", model.name);
            let polled = travel(&mut phone, Occasion::Poll, &network, None).await;
            assert_eq!((judge(&phone, &polled), polled.report.restart), (Ending::Booted, false), "{}", model.name);
            assert!(phone.next_poll(server.clock.now()).is_some(), "{} polls by itself", model.name);
        }
    });
    server.flush();
    let known = server.services.roster(DEFAULT_ACCOUNT);
    assert_eq!(known.len(), MODELS.len());
    for (number, model) in (1..).zip(MODELS) {
        let key = DeviceKey::from(model.mac(number));
        let listed = known.find(&key).expect("it was added at its first contact");
        let plain: String = listed.device.model.clone().unwrap_or_default().chars().filter(char::is_ascii_digit).collect();
        assert!(model.name.ends_with(&plain) && !plain.is_empty(), "{} is listed as {:?}", model.name, listed.device.model);
        let runs = runs::of(&server.services, DEFAULT_ACCOUNT, &Subject::Device(key)).expect("runs");
        assert!(!runs.is_empty(), "{} has runs", model.name);
    }
}

#[test]
fn a_boots_requests_logs_and_overrides_are_all_kept() {
    let server = Server::start();
    let network = network(&server);
    let mut phone = phone(&server, &network, "VVX500", 1, Rules::USUAL);
    let key = DeviceKey::from(phone.mac);
    run(async {
        boot(&mut phone, &network, &mut Statistics::default()).await;
        phone.change(Layer::Phone, "up.timeOut", "77");
        let journey = travel(&mut phone, Occasion::Boot, &network, None).await;
        assert_eq!(journey.report.uploads_lost, 0);
        // After a factory reset the phone gets its overrides back from the server.
        phone.factory_reset();
        assert_eq!(phone.memory.effective("up.timeOut"), None);
        let (user, password) = (crate::support::server::USER, crate::support::server::PASSWORD);
        phone.point_at(&server.base(), user, password);
        boot(&mut phone, &network, &mut Statistics::default()).await;
        assert_eq!(phone.memory.effective("up.timeOut"), Some("77"));
    });
    let log = uploads::newest_log(&server.services, DEFAULT_ACCOUNT, &key, "boot.log").expect("readable");
    assert!(log.is_some_and(|log| log.starts_with(b"VVX500")), "the log is the one that the phone sent");
    server.advance(600);
    server.flush();
    let kept = runs::of(&server.services, DEFAULT_ACCOUNT, &Subject::Device(key)).expect("runs");
    assert!(kept.iter().any(|listed| listed.run.kind == RunKind::Boot), "{kept:?}");
}

#[test]
fn twenty_boots_get_the_same_bytes_across_a_restart_a_change_of_daylight_saving_and_a_thousand_new_devices() {
    let mut server = Server::start();
    put_on_global(&server, vec![profile(&server, "Lines", LINE)]);
    let network = network(&server);
    let mut phone = phone(&server, &network, "VVX411", 1, Rules::USUAL);
    run(boot(&mut phone, &network, &mut Statistics::default()));
    let first = files(&run(travel(&mut phone, Occasion::Boot, &network, None)));
    assert!(first.len() >= 2, "{:?}", first.keys());
    for round in 2..=20 {
        match round {
            5 => server = server.restarted(),
            9 => add_devices(&server, 1_000),
            // From winter time into summer time.
            13 => {
                server.clock.advance_to("2027-04-02T12:00:00Z".parse().expect("a time"));
                server = server.restarted();
            }
            _ => server.advance(3_600),
        }
        let journey = run(travel(&mut phone, Occasion::Boot, &network, None));
        assert!(!journey.report.restart, "nothing changed, so nothing restarts (boot {round})");
        assert_eq!(files(&journey), first, "boot {round}");
    }
}

fn add_devices(server: &Server, count: u32) {
    let first = Mac::from_bytes([0x64, 0x16, 0x7f, 0xaa, 0, 0]);
    let draft = |number| DeviceDraft {
        key: DeviceKey::from(first.plus(number)),
        family: None,
        model: None,
        groups: Vec::new(),
        profiles: Vec::new(),
        edit: DeviceEdit::default(),
    };
    devices::create(&server.services, &admin(), DEFAULT_ACCOUNT, (0..count).map(draft).collect(), Mode::Keep).expect("added");
}

/// Contract 4, point 2: two complete runs, one of them a boot with its Updater.
#[test]
fn a_telephone_of_every_family_whose_updater_tells_its_name_is_bound() {
    let building = Building::bound(8);
    let mut names: Vec<_> = building.desks.iter().map(|desk| desk.phone.model.name).collect();
    names.sort_unstable();
    assert_eq!(names, ["CCX600", "EdgeE450", "SPIP550", "Trio8800", "VVX311", "VVX411", "VVX450", "VVX500"]);
}
