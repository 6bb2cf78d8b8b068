//! Sites and the devices in them, on a real store.

use std::net::IpAddr;
use std::sync::Arc;

use jiff::SignedDuration;

use super::moves::{self, Answer};
use super::*;
use crate::catalog::models::models;
use crate::domain::device::DeviceKey;
use crate::domain::device::draft::{DeviceDraft, DeviceEdit, DeviceInput};
use crate::domain::device_list::Listed;
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::domain::run::assembly::{Asked, Heard, Speaker, Standing};
use crate::domain::run::{Exchange, Method, Reason};
use crate::domain::site::draft::{NetworkInput, SiteInput};
use crate::services::commit::commit;
use crate::services::devices;
use crate::services::presence::{self, Message};
use crate::services::testing::{Bench, bench, newest_activity, owner};

fn draft(name: &str, networks: &[(&str, &[&str])]) -> SiteDraft {
    let row = |(public, private): &(&str, &[&str])| NetworkInput {
        public: (*public).to_owned(),
        private: private.iter().map(ToString::to_string).collect(),
    };
    let input = SiteInput { name: name.to_owned(), networks: networks.iter().map(row).collect(), ..SiteInput::default() };
    SiteDraft::parse(&input).expect("a good draft")
}

fn add(bench: &Bench, name: &str, networks: &[(&str, &[&str])]) -> Saved {
    create(&bench.services, &owner(), DEFAULT_ACCOUNT, vec![draft(name, networks)], Mode::Keep).expect("added")
}

fn shown(bench: &Bench, id: SiteId) -> Shown {
    Shown { id, revision: get(&bench.services, DEFAULT_ACCOUNT, id).expect("there").revision }
}

fn key(number: u8) -> DeviceKey {
    format!("0004f20000{number:02x}").parse().expect("a key")
}

/// A device that was added by hand and never came.
fn device(bench: &Bench, number: u8) -> DeviceKey {
    let input = DeviceInput { key: key(number).to_string(), ..DeviceInput::default() };
    let draft = DeviceDraft::parse(&input, models()).expect("a good draft");
    devices::create(&bench.services, &owner(), DEFAULT_ACCOUNT, vec![draft], Mode::Keep).expect("added");
    key(number)
}

fn listed(bench: &Bench, key: &DeviceKey) -> Listed {
    devices::get(&bench.services, DEFAULT_ACCOUNT, key).expect("there")
}

fn site_of(bench: &Bench, key: &DeviceKey) -> String {
    let id = listed(bench, key).device.site_id();
    get(&bench.services, DEFAULT_ACCOUNT, id).expect("there").name.to_string()
}

/// A run of a device from an address, to its end.
fn run(bench: &Bench, key: &DeviceKey, seen: &str, own: Option<&str>) {
    let address = |text: &str| text.parse::<IpAddr>().expect("an address");
    let files = [(Asked::Master, Reason::Master), (Asked::Parameters, Reason::Parameters)];
    for (asked, reason) in files {
        let exchange = Exchange {
            at: bench.clock.now(),
            method: Method::Get,
            path: "/x.cfg".into(),
            status: 200,
            size_bytes: 1,
            reason,
            in_clear: false,
        };
        let heard = Heard {
            connection: 1,
            address: address(seen),
            key: Some(key.clone()),
            standing: Standing::LetIn,
            shown: None,
            is_back: false,
            asked,
            speaker: Speaker::Application,
            user_agent: Arc::from("phone"),
            exchange,
        };
        let message = Message { account: DEFAULT_ACCOUNT, heard, agent: None, private_ip: own.map(address) };
        bench.services.presence().note(message);
    }
    pass(bench, 5);
}

fn pass(bench: &Bench, minutes: i64) {
    bench.clock.advance_to(bench.clock.now() + SignedDuration::from_mins(minutes));
    presence::flush(&bench.services).expect("written");
}

#[test]
fn a_site_is_added_edited_recorded_and_survives_a_restart() {
    let bench = bench();
    let made = add(&bench, "Berlin", &[("10.1.0.0/16", &["10.1.7.0/24"])]).sites.remove(0);
    assert_eq!((made.modified_by.as_str(), made.revision), ("ada", 1));
    assert_eq!(newest_activity(&bench.services), "ada: site Berlin added; networks - -> 10.1.0.0/16 (10.1.7.0/24)");
    let edited = SiteDraft { time_zone: Some("Europe/Berlin".to_owned()), ..draft("Berlin West", &[("10.1.0.0/16", &[])]) };
    let before = shown(&bench, made.id);
    let saved = update(&bench.services, &owner(), DEFAULT_ACCOUNT, before, edited, Mode::Keep).expect("changed");
    assert_eq!(saved.sites[0].revision, 2);
    let stale = update(&bench.services, &owner(), DEFAULT_ACCOUNT, before, draft("X", &[]), Mode::Keep);
    assert!(matches!(stale, Err(ServiceError::Conflict(_))), "{stale:?}");
    let bench = bench.restarted();
    assert_eq!(*get(&bench.services, DEFAULT_ACCOUNT, made.id).expect("there"), saved.sites[0]);
    let gone = delete_all(&bench.services, &owner(), DEFAULT_ACCOUNT, &BTreeSet::from([made.id]), Mode::Keep).expect("deleted");
    assert_eq!(gone.what, Moves::default());
    assert_eq!(newest_activity(&bench.services), "ada: site Berlin West deleted");
    assert!(matches!(get(&bench.services, DEFAULT_ACCOUNT, made.id), Err(ServiceError::NotFound { .. })));
}

#[test]
fn internet_is_always_there_and_nothing_of_it_changes() {
    let bench = bench();
    let internet = get(&bench.services, DEFAULT_ACCOUNT, INTERNET).expect("there");
    let before = Shown { id: INTERNET, revision: internet.revision };
    let changed = update(&bench.services, &owner(), DEFAULT_ACCOUNT, before, draft("Mine", &[]), Mode::Keep);
    let deleted = delete_all(&bench.services, &owner(), DEFAULT_ACCOUNT, &BTreeSet::from([INTERNET]), Mode::Keep);
    for error in [changed.map(drop), deleted.map(drop)] {
        assert!(error.as_ref().is_err_and(|error| error.to_string().contains("Internet cannot be")), "{error:?}");
    }
    let taken = create(&bench.services, &owner(), DEFAULT_ACCOUNT, vec![draft("internet", &[])], Mode::Keep);
    assert!(taken.is_err_and(|error| error.to_string().contains("there is a site")));
}

#[test]
fn many_are_added_together_or_not_at_all_and_each_wrong_one_is_named() {
    let bench = bench();
    add(&bench, "Berlin", &[]);
    let drafts = vec![draft("Bonn", &[]), draft("BERLIN", &[]), draft("bonn", &[])];
    let Err(ServiceError::Invalid(errors)) = create(&bench.services, &owner(), DEFAULT_ACCOUNT, drafts, Mode::Keep) else {
        panic!("taken")
    };
    assert_eq!(errors.iter().map(|error| error.item).collect::<Vec<_>>(), [Some(1), Some(2)]);
    assert_eq!(list(&bench.services, DEFAULT_ACCOUNT).expect("listed").len(), 2);
}

#[test]
fn a_network_of_two_sites_is_told_and_belongs_to_the_older_one() {
    let bench = bench();
    assert!(add(&bench, "Old", &[("10.1.0.0/16", &["10.0.0.0/8"])]).ties.is_empty());
    let saved = add(&bench, "New", &[("10.1.9.9/16", &["10.0.0.0/8"])]);
    let told: Vec<_> = saved.ties.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        ["10.1.0.0/16 with 10.0.0.0/8 behind it is a network of Old and of New alike: its devices belong to Old, the older site"]
    );
}

#[test]
fn the_first_contact_places_a_device_and_two_runs_half_an_hour_apart_move_it() {
    let bench = bench();
    let berlin = add(&bench, "Berlin", &[("10.1.0.0/16", &[])]).sites[0].id;
    add(&bench, "Bonn", &[("10.2.0.0/16", &["192.168.2.0/24"])]);
    let phone = device(&bench, 1);
    assert_eq!(site_of(&bench, &phone), "Internet");
    run(&bench, &phone, "10.1.4.4", None);
    assert_eq!(site_of(&bench, &phone), "Berlin");
    assert!(listed(&bench, &phone).device.placement.placed.is_some());
    run(&bench, &phone, "10.2.4.4", Some("192.168.2.7"));
    assert_eq!(site_of(&bench, &phone), "Berlin");
    pass(&bench, 20);
    let bench = bench.restarted();
    run(&bench, &phone, "10.2.4.4", Some("192.168.2.7"));
    pass(&bench, 1);
    assert_eq!(site_of(&bench, &phone), "Berlin", "not half an hour yet");
    run(&bench, &phone, "10.2.4.4", Some("192.168.2.7"));
    assert_eq!(site_of(&bench, &phone), "Bonn");
    assert_eq!(newest_activity(&bench.services), "pdms (phones): device 0004f2000001 moved to another site; site Berlin -> Bonn");
    let counts = device_counts(&bench.services, DEFAULT_ACCOUNT);
    assert_eq!((counts.get(&berlin), counts.values().sum::<usize>()), (None, 1));
}

#[test]
fn a_move_to_internet_waits_for_somebodys_word() {
    let bench = bench();
    add(&bench, "Berlin", &[("10.1.0.0/16", &[])]);
    let phones = [device(&bench, 1), device(&bench, 2)];
    for phone in &phones {
        for (address, pause) in [("10.1.4.4", 0), ("192.0.2.7", 40), ("192.0.2.7", 0)] {
            run(&bench, phone, address, None);
            pass(&bench, pause);
        }
        assert_eq!(site_of(&bench, phone), "Berlin");
    }
    let waiting = |bench: &Bench| moves::list(&bench.services, DEFAULT_ACCOUNT).len();
    assert_eq!(waiting(&bench), 2);
    let decide = |phone: &DeviceKey, answer, mode| {
        moves::decide(&bench.services, &owner(), DEFAULT_ACCOUNT, &BTreeSet::from([phone.clone()]), answer, mode)
            .expect("decided")
    };
    assert_eq!(decide(&phones[0], Answer::Accept, Mode::TryOut), 1);
    assert_eq!((decide(&phones[0], Answer::Accept, Mode::Keep), site_of(&bench, &phones[0])), (1, "Internet".to_owned()));
    assert_eq!((decide(&phones[1], Answer::Decline, Mode::Keep), site_of(&bench, &phones[1])), (1, "Berlin".to_owned()));
    assert_eq!(newest_activity(&bench.services), "ada: device 0004f2000002 kept at its site");
    assert_eq!((waiting(&bench), decide(&phones[1], Answer::Accept, Mode::Keep)), (0, 0));
    run(&bench, &phones[1], "192.0.2.7", None);
    assert_eq!(waiting(&bench), 0, "it is not asked again");
    let unknown = BTreeSet::from([key(9)]);
    assert!(moves::decide(&bench.services, &owner(), DEFAULT_ACCOUNT, &unknown, Answer::Accept, Mode::Keep).is_err());
}

#[test]
fn changed_networks_move_devices_at_once_and_a_dry_run_tells_the_same() {
    let bench = bench();
    let phones: Vec<_> = (1..=3).map(|number| device(&bench, number)).collect();
    for (phone, address) in phones.iter().zip(["10.1.4.4", "10.2.4.4", "192.0.2.7"]) {
        run(&bench, phone, address, None);
    }
    let both: &[(&str, &[&str])] = &[("10.1.0.0/16", &[]), ("10.2.0.0/16", &[])];
    let try_out = create(&bench.services, &owner(), DEFAULT_ACCOUNT, vec![draft("Berlin", both)], Mode::TryOut).expect("tried");
    assert_eq!(site_of(&bench, &phones[0]), "Internet");
    let kept = add(&bench, "Berlin", both);
    assert_eq!(kept.moves, try_out.moves);
    assert_eq!(phones.iter().map(|phone| site_of(&bench, phone)).collect::<Vec<_>>(), ["Berlin", "Berlin", "Internet"]);
    let fewer = draft("Berlin", &[("10.1.0.0/16", &[])]);
    let saved =
        update(&bench.services, &owner(), DEFAULT_ACCOUNT, shown(&bench, kept.sites[0].id), fewer, Mode::Keep).expect("changed");
    let told: Vec<_> = saved.moves.0.iter().map(|one| (one.key.clone(), one.to.as_str(), one.waits)).collect();
    assert_eq!(told, [(phones[1].clone(), "Internet", true)]);
    assert_eq!((site_of(&bench, &phones[1]).as_str(), moves::list(&bench.services, DEFAULT_ACCOUNT).len()), ("Berlin", 1));
}

#[test]
fn deleting_a_site_sends_its_devices_where_their_addresses_say_pinned_ones_too() {
    let bench = bench();
    let narrow = add(&bench, "Floor", &[("10.1.7.0/24", &[])]).sites[0].id;
    add(&bench, "House", &[("10.1.0.0/16", &[])]);
    let phones: Vec<_> = (1..=3).map(|number| device(&bench, number)).collect();
    run(&bench, &phones[0], "10.1.7.1", None);
    run(&bench, &phones[1], "192.0.2.7", None);
    for phone in &phones[1..] {
        let edit = DeviceEdit { pin: Some(narrow), ..DeviceEdit::default() };
        devices::update(&bench.services, &owner(), DEFAULT_ACCOUNT, phone, 1, edit, Mode::Keep).expect("pinned");
    }
    let ids = BTreeSet::from([narrow]);
    let tried = delete_all(&bench.services, &owner(), DEFAULT_ACCOUNT, &ids, Mode::TryOut).expect("tried");
    assert_eq!(site_of(&bench, &phones[0]), "Floor");
    let gone = delete_all(&bench.services, &owner(), DEFAULT_ACCOUNT, &ids, Mode::Keep).expect("deleted");
    assert_eq!(gone.what, tried.what);
    assert!(gone.what.0.iter().all(|one| one.from == "Floor" && !one.waits), "{gone:?}");
    let sites: Vec<_> = phones.iter().map(|phone| site_of(&bench, phone)).collect();
    assert_eq!(sites, ["House", "Internet", "Internet"]);
    assert!(listed(&bench, &phones[2]).device.is_to_be_placed() && !listed(&bench, &phones[1]).device.placement.pinned);
}

#[test]
fn a_pinned_device_stays_until_it_is_unpinned() {
    let bench = bench();
    let berlin = add(&bench, "Berlin", &[("10.1.0.0/16", &[])]).sites[0].id;
    add(&bench, "Bonn", &[("10.2.0.0/16", &[])]);
    let phone = device(&bench, 1);
    let pin = |site: Option<SiteId>| {
        let revision = listed(&bench, &phone).device.revision;
        let edit = DeviceEdit { pin: site, ..DeviceEdit::default() };
        devices::update(&bench.services, &owner(), DEFAULT_ACCOUNT, &phone, revision, edit, Mode::Keep)
    };
    pin(Some(berlin)).expect("pinned");
    assert_eq!(newest_activity(&bench.services), "ada: device 0004f2000001 changed; site by its addresses -> Berlin, by hand");
    for _ in 0..3 {
        run(&bench, &phone, "10.2.4.4", None);
        pass(&bench, 40);
    }
    assert_eq!(site_of(&bench, &phone), "Berlin");
    assert!(pin(Some(SiteId(99))).is_err_and(|error| error.to_string().contains("no site 99")));
    pin(None).expect("unpinned");
    assert_eq!(site_of(&bench, &phone), "Bonn");
}

#[test]
fn set_up_begins_with_a_site_that_matches_nothing() {
    let bench = bench();
    let grant = crate::domain::access::Grant::system("test");
    commit(&bench.services, grant, DEFAULT_ACCOUNT, seed).expect("seeded");
    let sites = list(&bench.services, DEFAULT_ACCOUNT).expect("listed");
    assert_eq!(sites.iter().map(|site| site.name.as_str()).collect::<Vec<_>>(), ["Internet", "Intranet"]);
    assert!(sites[1].is_unset());
}
