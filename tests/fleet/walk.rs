//! Five hundred bound phones through everything that happens to a server, to its network and to phones: after each step all hold
//! every parameter that they held, and none is dead.

use std::ops::Range;

use pdms::domain::account::Secret;
use pdms::domain::ids::DEFAULT_ACCOUNT;
use pdms::domain::pending::Standing;
use pdms::domain::rollover::Stage;
use pdms::services::accounts::{AccountDraft, Replacement};
use pdms::services::backup::{self, restore};
use pdms::services::commit::Mode;
use pdms::services::devices::Afterwards;
use pdms::services::pending::{self, Deed};
use pdms::services::rollover::{self, Step};
use pdms::simulate::address::Dhcp;
use pdms::simulate::phone::Occasion;

use super::building::{Building, add, visit};
use crate::support::server::{USER, admin};

const PHONES: u32 = 500;
const DAY: i64 = 24 * 3_600;

#[test]
fn five_hundred_bound_phones_go_through_everything_and_none_loses_a_parameter() {
    let building = Building::bound(PHONES);
    let building = the_server_restarts(building);
    let mut building = it_is_restored_on_another_machine(building);
    for replacement in [Replacement::Planned, Replacement::Leaked] {
        the_shared_credentials_are_replaced(&mut building, replacement);
    }
    the_certificate_is_renewed(&mut building);
    the_ca_is_replaced_by_another(&mut building);
    dhcp_fails_and_returns(&mut building);
    dhcp_tells_credentials(&mut building);
    the_account_is_disabled_and_enabled(&mut building);
    ten_are_reset_and_expected(&mut building);
    ten_are_exchanged_under_their_macs_and_expected(&mut building);
    ten_macs_are_replaced_and_expected(&mut building);
    ten_are_reset_unannounced(&mut building);
    building.everybody_comes(Occasion::Boot, "at last");
    building.everybody_is_bound_and_whole();
}

/// Everybody comes while it is down, too.
fn the_server_restarts(building: Building) -> Building {
    let Building { server, network, mut desks } = building;
    let stopped = server.stopped();
    let unanswered = visit(&mut desks, &network, Occasion::Poll);
    assert_eq!(unanswered.failed, u64::from(PHONES), "{unanswered}");
    let mut building = Building { server: stopped.started(), network, desks };
    building.everybody_is_whole("while the server is down");
    building.everybody_comes(Occasion::Poll, "after a restart");
    building
}

/// What happens after the backup is lost with the old machine.
fn it_is_restored_on_another_machine(mut building: Building) -> Building {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.backup");
    let services = &building.server.services;
    backup::to_file(&path, None, |out| backup::write(services, None, out).map(drop)).expect("a backup");
    building.come(0..20, Occasion::Boot);
    let password = Some(Secret::new("lost-with-the-machine"));
    building.server.set_account(&AccountDraft { password, ..AccountDraft::default() });
    let mut file = std::fs::File::open(&path).expect("a backup");
    let (state, clock) = (folder.path().join("state"), building.server.clock.clone());
    restore::into_empty(&mut file, None, &state, clock).expect("restored");
    building = building.on(|server| server.stopped().on_another_host(folder).started());
    building.everybody_comes(Occasion::Poll, "after a restore");
    building
}

fn the_shared_credentials_are_replaced(building: &mut Building, replacement: Replacement) {
    let password = Some(Secret::new(format!("after-{replacement:?}")));
    building.server.set_account(&AccountDraft { password, replacement: Some(replacement), ..AccountDraft::default() });
    building.everybody_comes(Occasion::Poll, "after a change of the shared credentials");
}

fn the_certificate_is_renewed(building: &mut Building) {
    let server = &building.server;
    let leaf = || server.base_address.certificates().active().default.cert[0].clone();
    let before = leaf();
    server.advance(300 * DAY);
    server.base_address.refresh(&server.services).expect("renewed");
    assert_ne!(leaf(), before);
    building.everybody_comes(Occasion::Poll, "after a renewal of the certificate");
}

/// The server goes over by itself, whenever nobody is waited for: both are given, the new one signs, and the former goes.
fn the_ca_is_replaced_by_another(building: &mut Building) {
    let server = &building.server;
    let started = rollover::take_running(&server.services, &server.base_address, &admin(), Step::Start, true, Mode::Keep);
    let next = started.expect("it is time for it").next.expect("a new CA").fingerprint;
    for stage in [Stage::Giving, Stage::Moving] {
        let state = rollover::state(&building.server.services).expect("readable");
        let waits = state.waits.len();
        assert_eq!((state.rollover.map(|rollover| rollover.stage()), waits), (Some(stage), building.desks.len()));
        building.everybody_comes(Occasion::Poll, "while another CA takes the place of the former");
        rollover::tick(&building.server.services, &building.server.base_address).expect("it goes on");
    }
    let state = rollover::state(&building.server.services).expect("readable");
    assert_eq!((state.rollover, state.known.expect("a CA").fingerprint), (None, next));
    for occasion in [Occasion::Poll, Occasion::Boot] {
        building.everybody_comes(occasion, "under another CA");
    }
    assert!(building.desks.iter().all(|desk| desk.phone.trust().roots.len() == 1), "the former CA is trusted no more");
}

/// Without DHCP there is no address and no time server but those that the phones hold.
fn dhcp_fails_and_returns(building: &mut Building) {
    building.desks.iter_mut().for_each(|desk| desk.phone.dhcp = Dhcp::default());
    building.everybody_comes(Occasion::Boot, "without DHCP");
    building.dhcp_says_http();
    building.everybody_comes(Occasion::Poll, "with DHCP again");
}

fn dhcp_tells_credentials(building: &mut Building) {
    let port = building.server.address.port();
    for desk in &mut building.desks {
        desk.phone.dhcp.option_160 = Some(format!("https://{USER}:after-Leaked@localhost:{port}/"));
    }
    building.everybody_comes(Occasion::Poll, "with credentials from DHCP");
    building.dhcp_says_http();
}

fn the_account_is_disabled_and_enabled(building: &mut Building) {
    let switch = |enabled| AccountDraft { enabled: Some(enabled), ..AccountDraft::default() };
    building.server.set_account(&switch(false));
    for (which, occasion) in [(0..100, Occasion::Boot), (100..building.desks.len(), Occasion::Poll)] {
        let refused = building.come(which.clone(), occasion);
        assert_eq!((refused.booted, refused.failed), (0, which.len() as u64), "{refused}");
    }
    building.everybody_is_whole("while disabled");
    building.server.set_account(&switch(true));
    building.everybody_comes(Occasion::Poll, "enabled again");
}

fn ten_are_reset_and_expected(building: &mut Building) {
    act(building, Deed::Expect, 0..10);
    building.reset(0..10);
    come_back(building, 0..10, "reset and expected");
}

/// Hardware from the box with the MACs that are known. DHCP gives the shared credentials, which nobody asks for over plain HTTP.
fn ten_are_exchanged_under_their_macs_and_expected(building: &mut Building) {
    act(building, Deed::Expect, 50..60);
    let port = building.server.http.port();
    building.exchange(50..60, None, &format!("http://{USER}:after-Leaked@localhost:{port}/"));
    come_back(building, 50..60, "exchanged and expected");
}

/// Hardware with other MACs, added by hand with the lines of the former. Somebody types in the shared credentials.
fn ten_macs_are_replaced_and_expected(building: &mut Building) {
    let former = building.keys(70..80);
    let lines: Vec<_> =
        former.iter().map(|key| building.server.device(&key.to_string()).expect("known").device.profiles[0]).collect();
    building.exchange(70..80, Some(5_001), &building.http_address());
    add(&building.server, building.keys(70..80).into_iter().zip(lines));
    act(building, Deed::Expect, 70..80);
    for (desk, former) in building.desks[70..80].iter_mut().zip(former) {
        desk.phone.memory.flash.write("device.prov.user", USER);
        desk.phone.memory.flash.write("device.prov.password", "after-Leaked");
        // The minute of polling goes with the MAC.
        desk.holds.remove("prov.polling.time");
        building.server.delete(&former.to_string(), Afterwards::Forget);
    }
    come_back(building, 70..80, "replaced and expected");
}

fn ten_are_reset_unannounced(building: &mut Building) {
    building.reset(100..110);
    let refused = building.come(100..110, Occasion::Boot);
    assert_eq!((refused.failed, waiting(building)), (10, 10), "{refused}");
    act(building, Deed::LetIn, 100..110);
    come_back(building, 100..110, "reset and let in");
}

/// They come in by themselves, hold again what they held, and are bound again: two boots and a poll.
fn come_back(building: &mut Building, which: Range<usize>, what: &str) {
    for occasion in [Occasion::Boot, Occasion::Boot, Occasion::Poll] {
        building.come(which.clone(), occasion);
        building.everybody_is_whole(what);
    }
    building.everybody_is_bound_and_whole();
    assert_eq!(waiting(building), 0, "{what}");
}

fn act(building: &Building, deed: Deed, which: Range<usize>) {
    let keys = building.keys(which);
    pending::act(&building.server.services, &admin(), DEFAULT_ACCOUNT, deed, &keys, Mode::Keep).expect("done");
}

fn waiting(building: &Building) -> usize {
    let pending = pending::list(&building.server.services, DEFAULT_ACCOUNT);
    pending.iter().filter(|one| one.standing == Standing::Waiting).count()
}
