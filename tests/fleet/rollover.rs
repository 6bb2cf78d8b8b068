//! One private CA takes the place of another under a fleet of bound phones, with a restart of the server between all steps: none is
//! lost, and none loses a parameter.

use std::sync::Arc;

use pdms::domain::device::DeviceKey;
use pdms::domain::ids::DEFAULT_ACCOUNT;
use pdms::domain::rollover::{Lag, Stage};
use pdms::services::commit::Mode;
use pdms::services::presence;
use pdms::services::rollover::{self, State, Step};
use pdms::simulate::fleet::{boot, judge};
use pdms::simulate::journey::travel;
use pdms::simulate::memory::Line;
use pdms::simulate::network::Network;
use pdms::simulate::phone::{Occasion, Phone};
use pdms::simulate::rules::Rules;
use pdms::simulate::statistics::{Ending, Statistics};

use super::backups::{backup_into, restored};
use super::{LINE, network, phone, profile, put_on_global, run};
use crate::support::server::{Server, admin};

/// One model of each order of requests.
const FAMILIES: [&str; 7] = ["VVX411", "Trio8800", "SPIP550", "SPIP670", "CCX600", "EdgeE450", "StudioX30"];
const DAY: i64 = 24 * 3600;

/// A fleet that knows our CA from its own flash alone, and the server.
struct Fleet {
    server: Server,
    network: Arc<Network>,
    phones: Vec<Phone>,
}

impl Fleet {
    /// Phones of every family, bound to the server.
    fn bound() -> Self {
        let server = Server::start();
        put_on_global(&server, vec![profile(&server, "Lines", LINE)]);
        let network = network(&server);
        let phones = FAMILIES.iter().zip(1..).map(|(model, n)| phone(&server, &network, model, n, Rules::USUAL)).collect();
        let mut fleet = Self { server, network, phones };
        for _ in 0..3 {
            fleet.all(Occasion::Boot);
        }
        fleet.phones.iter_mut().for_each(Phone::forget_built_in);
        fleet.all(Occasion::Boot);
        let book = fleet.server.services.trusts(DEFAULT_ACCOUNT);
        for listed in fleet.server.services.roster(DEFAULT_ACCOUNT).all() {
            let trust = book.of(&listed.device.key);
            assert_eq!(trust.own.complete, 2, "it comes with its own credentials: {:?} {trust:?}", listed.device);
        }
        fleet
    }

    /// These phones come, and lose nothing.
    fn some(&mut self, which: std::ops::Range<usize>, occasion: Occasion) {
        self.server.advance(DAY);
        for phone in &mut self.phones[which] {
            let had = phone.memory.all();
            let journey = run(async {
                let journey = travel(phone, occasion, &self.network, None).await;
                match journey.report.restart {
                    true => boot(phone, &self.network, &mut Statistics::default()).await,
                    false => journey,
                }
            });
            let what = format!("{} {occasion:?}: {:?}", phone.model.name, journey.exchanges);
            assert!(!phone.is_dead(), "dead: {what}");
            assert_eq!((judge(phone, &journey), phone.line()), (Ending::Booted, Line::Registered), "{what}");
            let has = phone.memory.all();
            let lost: Vec<_> = had.keys().filter(|name| !has.contains_key(*name)).collect();
            assert!(lost.is_empty(), "lost {lost:?}: {what}");
        }
        self.server.advance(130);
        presence::settle(&self.server.services);
    }

    fn all(&mut self, occasion: Occasion) {
        self.some(0..self.phones.len(), occasion);
    }

    fn state(&self) -> State {
        rollover::state(&self.server.services).expect("readable")
    }

    fn stage(&self) -> Option<Stage> {
        self.state().rollover.map(|rollover| rollover.stage())
    }

    /// What the server does every quarter of an hour.
    fn tick(&self) {
        rollover::tick(&self.server.services, &self.server.base_address).expect("the disk is well");
    }

    /// A step of which only the row is written before the machine loses power.
    fn step_and_crash(self, step: Step) -> Self {
        rollover::take(&self.server.services, &admin(), step, true, Mode::Keep).expect("it is time for it");
        self.restarted()
    }

    fn restarted(self) -> Self {
        Self { server: self.server.restarted(), ..self }
    }

    /// How many phones could come now, by what they trust.
    fn trusting(&self) -> usize {
        let signing = self.server.base_address.certificates().active().ca_pem.clone().expect("a private CA");
        let signing = pdms::simulate::trust::der(&signing).expect("a certificate");
        self.phones.iter().filter(|phone| phone.trust().roots.contains(&signing)).count()
    }
}

#[test]
fn a_fleet_goes_over_to_another_ca_and_no_phone_is_lost() {
    let mut fleet = Fleet::bound();
    let last = fleet.phones.len() - 1;
    let before = fleet.state().known.expect("a private CA").fingerprint;

    fleet = fleet.step_and_crash(Step::Start);
    fleet.tick();
    assert_eq!((fleet.stage(), fleet.state().waits.len()), (Some(Stage::Giving), last + 1), "nobody has both");
    // All but one come. It stays away for two months, and the switch waits for it.
    fleet.some(0..last, Occasion::Poll);
    fleet.some(0..last, Occasion::Poll);
    fleet.tick();
    let waits = fleet.state().waits;
    assert_eq!(
        waits.iter().map(|one| (one.key.clone(), one.lag)).collect::<Vec<_>>(),
        [(DeviceKey::from(fleet.phones[last].mac), Lag::NotFetched)]
    );
    fleet.server.advance(60 * DAY);
    fleet.some(0..last, Occasion::Boot);
    fleet.tick();
    assert_eq!(fleet.stage(), Some(Stage::Giving));
    fleet = fleet.restarted();
    fleet.all(Occasion::Poll);
    assert_eq!(fleet.state().waits, Vec::new(), "all have both");

    fleet.tick();
    assert_eq!(fleet.stage(), Some(Stage::Moving), "the new one signs by itself");
    let state = fleet.state();
    let next = state.next.expect("the new CA").fingerprint;
    assert_ne!(next, before);
    assert_eq!((state.ready, state.waits.len(), fleet.trusting()), (0, last + 1, last + 1));
    fleet = fleet.restarted();
    fleet.some(0..last, Occasion::Poll);
    fleet.tick();
    assert_eq!(fleet.stage(), Some(Stage::Moving), "one has not come under the new CA yet");
    fleet.all(Occasion::Boot);
    fleet.tick();
    assert_eq!(fleet.stage(), None, "it ends by itself");

    let state = fleet.state();
    assert_eq!((state.known.expect("the new CA").fingerprint, state.next.is_none()), (next, true));
    fleet = fleet.restarted();
    fleet.all(Occasion::Poll);
    fleet.all(Occasion::Boot);
    assert_eq!(fleet.trusting(), last + 1);
    for phone in &fleet.phones {
        let list = phone.memory.flash.get("device.sec.TLS.profile.caCertList2");
        assert_eq!((list, phone.trust().roots.len()), (Some("BuiltinAndPlatform2"), 1), "the old CA is trusted no more");
    }
    let book = fleet.server.services.trusts(DEFAULT_ACCOUNT);
    let noted = |phone: &Phone| book.of(&DeviceKey::from(phone.mac)).takeover.clone();
    assert!(fleet.phones.iter().all(|phone| noted(phone) == Default::default()), "nothing is noted of it any more");
}

#[test]
fn every_step_by_hand_survives_a_crash_before_the_files_follow() {
    let mut fleet = Fleet::bound();
    let refused = rollover::take(&fleet.server.services, &admin(), Step::Start, false, Mode::Keep);
    assert!(refused.is_err_and(|error| error.to_string().contains("802.1X")));
    fleet = fleet.step_and_crash(Step::Start);
    let refused = rollover::take(&fleet.server.services, &admin(), Step::Switch, false, Mode::Keep);
    assert!(refused.is_err_and(|error| error.to_string().contains("7 devices are not ready")));
    fleet.all(Occasion::Poll);
    fleet = fleet.step_and_crash(Step::Cancel);
    fleet.all(Occasion::Poll);
    assert!(fleet.phones.iter().all(|phone| phone.trust().roots.len() == 1), "the new CA of before is trusted no more");

    // A new CA whose row was never written is left over and does no harm.
    let folder = fleet.server.services.state_dir().certificates();
    pdms::services::certificates::make_next_ca(&folder, fleet.server.clock.now()).expect("made");
    fleet = fleet.restarted().step_and_crash(Step::Start);
    fleet.all(Occasion::Poll);
    fleet = fleet.step_and_crash(Step::Switch);
    // One of the server's certificates is made anew, the other is not there yet.
    let folder = fleet.server.services.state_dir().certificates();
    std::fs::remove_file(folder.join("server-rsa.pem")).expect("there");
    fleet = fleet.restarted();
    assert_eq!(fleet.trusting(), FAMILIES.len());
    fleet.all(Occasion::Boot);
    fleet = fleet.step_and_crash(Step::End);
    fleet.all(Occasion::Poll);
    fleet.all(Occasion::Boot);
    assert_eq!((fleet.trusting(), fleet.stage()), (FAMILIES.len(), None));

    // And once more: the next one finds the place of the last.
    fleet = fleet.step_and_crash(Step::Start);
    fleet.all(Occasion::Poll);
    fleet.tick();
    assert_eq!(fleet.stage(), Some(Stage::Moving));
    fleet.all(Occasion::Boot);
    assert_eq!(fleet.trusting(), FAMILIES.len());
}

#[test]
fn a_profile_that_fills_the_place_of_the_new_ca_is_waited_for_and_left_alone() {
    let mut fleet = Fleet::bound();
    let corporate = profile(&fleet.server, "Network access", &[("device.sec.TLS.customCaCert1", "AgM=")]);
    let world = fleet.server.world();
    let lines = *world.profiles.keys().find(|id| **id != corporate).expect("the lines");
    put_on_global(&fleet.server, vec![lines, corporate]);
    assert_eq!(fleet.state().waits.len(), FAMILIES.len(), "told before it begins");
    fleet = fleet.step_and_crash(Step::Start);
    fleet.all(Occasion::Poll);
    fleet.tick();
    assert!(fleet.state().waits.iter().all(|one| one.lag == Lag::PlaceTaken), "{:?}", fleet.state().waits);
    assert_eq!(fleet.stage(), Some(Stage::Giving));
    put_on_global(&fleet.server, vec![lines]);
    fleet.all(Occasion::Poll);
    fleet.tick();
    assert_eq!(fleet.stage(), Some(Stage::Moving));
    // It comes back too late to be given the new CA's place: then the new one takes the place of the old.
    put_on_global(&fleet.server, vec![lines, corporate]);
    fleet.all(Occasion::Poll);
    fleet.all(Occasion::Boot);
    assert_eq!(fleet.trusting(), FAMILIES.len());
    fleet.tick();
    assert_eq!(fleet.stage(), None);
    fleet.all(Occasion::Poll);
    assert_eq!(fleet.trusting(), FAMILIES.len());
}

#[test]
fn a_restore_on_another_host_goes_on_in_the_middle() {
    let mut fleet = Fleet::bound().step_and_crash(Step::Start);
    for stage in [Stage::Giving, Stage::Moving] {
        assert_eq!(fleet.stage(), Some(stage));
        fleet.some(0..3, Occasion::Poll);
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.backup");
        backup_into(&fleet.server.services, &path);
        drop(restored(&path, &folder.path().join("state"), &fleet.server));
        fleet = Fleet { server: fleet.server.stopped().on_another_host(folder).started(), ..fleet };
        assert_eq!((fleet.stage(), fleet.state().waits.len()), (Some(stage), FAMILIES.len() - 3), "both CAs came along");
        fleet.all(Occasion::Boot);
        fleet.tick();
    }
    fleet.all(Occasion::Poll);
    assert_eq!((fleet.stage(), fleet.trusting()), (None, FAMILIES.len()));
}
