//! The server's states, hit at each single request of a boot: no phone that works ends dead or with fewer parameters.

use std::collections::BTreeSet;

use pdms::domain::account::Secret;
use pdms::domain::device::DeviceKey;
use pdms::domain::ids::DEFAULT_ACCOUNT;
use pdms::services::accounts::{self, AccountDraft};
use pdms::services::commit::Mode;
use pdms::services::devices::{self, Afterwards};
use pdms::simulate::fleet::boot;
use pdms::simulate::journey::{Journey, Trip, travel};
use pdms::simulate::network::Network;
use pdms::simulate::phone::{Occasion, Phone};
use pdms::simulate::rules::{READINGS, Rules};
use pdms::simulate::statistics::Statistics;

use super::{LINE, network, phone, profile, put_on_global, run, runtime};
use crate::support::server::{PASSWORD, Server, admin};

/// The usual reading of every rule, and the other one of every rule.
fn both_readings() -> [Rules; 2] {
    [Rules::USUAL, READINGS.iter().fold(Rules::USUAL, |rules, (rule, ..)| rules.with(*rule))]
}

fn working(server: &Server, network: &Network, number: u32, rules: Rules) -> Phone {
    let mut phone = phone(server, network, "VVX411", number, rules);
    run(boot(&mut phone, network, &mut Statistics::default()));
    run(travel(&mut phone, Occasion::Boot, network, None));
    assert!(!phone.is_dead() && phone.memory.effective("reg.1.address").is_some(), "it works before anything happens");
    phone
}

/// Walks a boot; before the request with this number, counted from zero, something happens. None when the boot has fewer requests.
fn boot_with(phone: &mut Phone, network: &Network, at: usize, happens: impl FnOnce()) -> Option<Journey> {
    run(async {
        let mut trip = Trip::new(phone, Occasion::Boot, network, None);
        for _ in 0..at {
            trip.step().await?;
        }
        happens();
        trip.step().await?;
        while trip.step().await.is_some() {}
        Some(trip.end())
    })
}

fn assert_unharmed(phone: &Phone, before: &Phone, what: &str) {
    assert!(!phone.is_dead(), "dead: {what}");
    let (had, has) = (before.memory.all(), phone.memory.all());
    let lost: Vec<_> = had.keys().filter(|name| !has.contains_key(*name)).collect();
    assert!(lost.is_empty(), "lost {lost:?}: {what}");
}

/// Every file that a master listed was answered with something else than 404.
fn assert_listed_files_exist(journey: &Journey) {
    let listed: BTreeSet<String> = journey
        .exchanges
        .iter()
        .filter(|exchange| exchange.status == Some(200))
        .filter_map(|exchange| {
            roxmltree::Document::parse(std::str::from_utf8(&exchange.body).ok()?)
                .ok()?
                .root_element()
                .attribute("CONFIG_FILES")
                .map(str::to_owned)
        })
        .flat_map(|list| list.split(',').map(|file| format!("/{}", file.trim())).collect::<Vec<_>>())
        .collect();
    for exchange in journey.exchanges.iter().filter(|exchange| listed.contains(&exchange.path)) {
        assert_ne!(exchange.status, Some(404), "{} stands in its master", exchange.path);
    }
}

/// Hits each request of a boot with a state that lasts to the boot's end, then lets the server be well again.
fn walk(server: &Server, number: u32, begins: impl Fn(&Phone), ends: impl Fn(&Phone)) {
    let network = network(server);
    for (offset, rules) in (0..).zip(both_readings()) {
        let before = working(server, &network, number + offset, rules);
        let mut requests = 0;
        loop {
            let what = format!("{rules:?}, request {requests}");
            let mut phone = before.clone();
            let Some(journey) = boot_with(&mut phone, &network, requests, || begins(&before)) else { break };
            assert!(journey.exchanges[requests..].iter().any(|exchange| exchange.status == Some(503)), "it was felt: {what}");
            assert_unharmed(&phone, &before, &what);
            assert_listed_files_exist(&journey);
            ends(&before);
            let journey = run(travel(&mut phone, Occasion::Boot, &network, None));
            assert_listed_files_exist(&journey);
            assert_eq!(phone.memory.all(), before.memory.all(), "afterwards: {what}");
            requests += 1;
        }
        ends(&before);
        assert!(requests > 10, "a boot has more than {requests} requests");
    }
}

fn set_account(server: &Server, draft: &AccountDraft) {
    accounts::update(&server.services, &admin(), DEFAULT_ACCOUNT, None, draft).expect("settings");
}

fn server() -> Server {
    let server = Server::start();
    put_on_global(&server, vec![profile(&server, "Lines", LINE)]);
    server
}

#[test]
fn disabled_provisioning_harms_no_phone_wherever_it_hits() {
    let server = server();
    let enable = |enabled| set_account(&server, &AccountDraft { enabled: Some(enabled), ..AccountDraft::default() });
    walk(&server, 1, |_| enable(false), |_| enable(true));
}

#[test]
fn a_changed_password_harms_no_phone_wherever_it_hits() {
    let server = server();
    let set = |password: &str| {
        set_account(&server, &AccountDraft { password: Some(Secret::new(password)), ..AccountDraft::default() });
    };
    let network = network(&server);
    let mut before = working(&server, &network, 1, Rules::USUAL);
    // Without a pause between two tries.
    before.memory.flash.write("device.prov.redunInterAttemptDelay", "0");
    for at in [0, 2, 4, 6, 8, 10, 15, 20] {
        let mut phone = before.clone();
        boot_with(&mut phone, &network, at, || set("another-one-9911")).expect("a boot has that many requests");
        assert_unharmed(&phone, &before, &format!("request {at}"));
        set(PASSWORD);
    }
}

#[test]
fn a_blocked_device_keeps_what_it_has_wherever_it_hits() {
    let server = server();
    let account = DEFAULT_ACCOUNT;
    let block = |phone: &Phone| {
        let key = DeviceKey::from(phone.mac);
        // Deleted in the middle of a boot, it may have come back as a new device before it is blocked.
        server.flush();
        devices::delete(&server.services, &admin(), account, &key, Afterwards::Block, Mode::Keep).expect("blocked");
    };
    let lift = |phone: &Phone| {
        let key = DeviceKey::from(phone.mac);
        if server.world().blocked.contains(&key) {
            devices::unblock(&server.services, &admin(), account, &key, Mode::Keep).expect("unblocked");
        }
    };
    walk(&server, 1, block, lift);
}

#[test]
fn a_restart_of_the_server_in_the_middle_of_a_boot_harms_no_phone() {
    let mut server = server();
    let network = network(&server);
    let runtime = runtime();
    for rules in both_readings() {
        let before = working(&server, &network, 1, rules);
        for at in [0, 1, 3, 5, 7, 9, 14] {
            let mut phone = before.clone();
            let what = format!("{rules:?}, request {at}");
            let mut trip = Trip::new(&mut phone, Occasion::Boot, &network, None);
            for _ in 0..at {
                runtime.block_on(trip.step());
            }
            // Two requests find nobody; the rest of the boot finds the server again.
            let stopped = server.stopped();
            for _ in 0..2 {
                runtime.block_on(trip.step());
            }
            server = stopped.started();
            while runtime.block_on(trip.step()).is_some() {}
            let journey = trip.end();
            assert_unharmed(&phone, &before, &what);
            assert_listed_files_exist(&journey);
            run(travel(&mut phone, Occasion::Boot, &network, None));
            assert_eq!(phone.memory.all(), before.memory.all(), "afterwards: {what}");
        }
    }
}
