//! A fleet takes up credentials of its own and goes through changes of the shared ones: nobody is lost, no stranger gets in.

use std::sync::Arc;

use pdms::domain::account::Secret;
use pdms::domain::device::DeviceKey;
use pdms::domain::ids::DEFAULT_ACCOUNT;
use pdms::domain::run::{RunKind, Shown};
use pdms::services::accounts::{AccountDraft, Replacement};
use pdms::services::commit::Mode;
use pdms::services::pending::{self, Deed};
use pdms::services::runs;
use pdms::services::shared_credentials::{self, Usage};
use pdms::simulate::fleet::{boot, judge};
use pdms::simulate::memory::Line;
use pdms::simulate::models::MODELS;
use pdms::simulate::network::Network;
use pdms::simulate::phone::Phone;
use pdms::simulate::rules::Rules;
use pdms::simulate::statistics::{Ending, Statistics};

use super::{LINE, network, phone, profile, put_on_global, run};
use crate::support::phone as wire;
use crate::support::server::{PASSWORD, Server, USER, admin};

/// A phone of every model, and the server that they know.
struct Fleet {
    server: Server,
    network: Arc<Network>,
    phones: Vec<Phone>,
}

impl Fleet {
    fn new() -> Self {
        Self::of(MODELS.iter().map(|model| model.name))
    }

    fn of(models: impl Iterator<Item = &'static str>) -> Self {
        let server = Server::start();
        put_on_global(&server, vec![profile(&server, "Lines", LINE)]);
        let network = network(&server);
        let phones = (1..).zip(models).map(|(number, model)| phone(&server, &network, model, number, Rules::USUAL));
        Self { phones: phones.collect(), network, server }
    }

    /// Boots until everybody is bound who can be: a phone whose Updater was never heard is not. Only the bound ones go on.
    fn binds(&mut self) {
        for _ in 0..3 {
            self.boots_whole();
        }
        let book = self.server.services.trusts(DEFAULT_ACCOUNT);
        let has_booted = |key: &DeviceKey| {
            let runs = runs::of_device(&self.server.services, DEFAULT_ACCOUNT, key).expect("listed");
            runs.iter().any(|listed| listed.run.kind == RunKind::Boot && listed.run.shown == [Shown::Own])
        };
        for key in self.keys() {
            assert_eq!(book.of(&key).bound_at.is_some(), has_booted(&key), "{key}: {:?}", book.of(&key));
        }
        self.phones.retain(|phone| book.of(&DeviceKey::from(phone.mac)).bound_at.is_some());
        assert!(self.phones.len() >= 6, "most models have an Updater that is heard");
    }

    /// Every phone boots, each to the end of its run. Answers how each ended.
    fn boot(&mut self) -> Vec<Ending> {
        let network = &self.network;
        let endings = run(async {
            let mut endings = Vec::new();
            for phone in &mut self.phones {
                let journey = boot(phone, network, &mut Statistics::default()).await;
                endings.push(judge(phone, &journey));
            }
            endings
        });
        self.server.advance(200);
        self.server.flush();
        endings
    }

    fn boots_whole(&mut self) {
        let endings = self.boot();
        assert!(endings.iter().all(|ending| *ending == Ending::Booted), "{endings:?}");
        self.is_unharmed();
    }

    /// Nobody has lost anything.
    fn is_unharmed(&self) {
        for phone in &self.phones {
            assert!(!phone.is_dead() && phone.line() == Line::Registered, "{}", phone.model.name);
        }
    }

    fn keys(&self) -> Vec<DeviceKey> {
        self.phones.iter().map(|phone| DeviceKey::from(phone.mac)).collect()
    }

    fn usage(&self) -> Usage {
        shared_credentials::usage(&self.server.services, DEFAULT_ACCOUNT).expect("counted")
    }

    fn replace(&self, password: &str, replacement: Replacement) {
        let password = Some(Secret::new(password));
        self.server.set_account(&AccountDraft { password, replacement: Some(replacement), ..AccountDraft::default() });
    }

    fn act(&self, deed: Deed) {
        pending::act(&self.server.services, &admin(), DEFAULT_ACCOUNT, deed, &self.keys(), Mode::Keep).expect("done");
    }
}

#[test]
fn a_fleet_takes_up_its_credentials_is_bound_and_goes_on_whatever_becomes_of_the_shared_ones() {
    let mut fleet = Fleet::new();
    fleet.binds();
    let (all, bound) = (MODELS.len(), fleet.phones.len());
    assert_eq!(fleet.usage(), Usage { total: all, bound, own: all, shared: 0, former: 0 });
    for replacement in [Replacement::Planned, Replacement::Leaked] {
        fleet.replace(&format!("replaced-{replacement:?}"), replacement);
        fleet.boots_whole();
    }
    // A stranger with the present shared credentials and all MACs.
    let stranger = wire::Phone::new(&fleet.server).with_credentials(USER, "replaced-Leaked");
    for key in fleet.keys() {
        for file in [".cfg", "-profile.cfg", "-phone.cfg"] {
            assert_eq!(stranger.get(&format!("/{key}{file}")).status, 503, "{key}{file}");
        }
    }
    let listed = pending::list(&fleet.server.services, DEFAULT_ACCOUNT);
    assert_eq!(listed.len(), bound, "each is reported");
    fleet.server.advance(200);
    fleet.boots_whole();
}

#[test]
fn a_fleet_that_only_has_the_shared_credentials_goes_through_a_planned_change() {
    let mut fleet = Fleet::new();
    fleet.server.set_account(&AccountDraft { binds: Some(false), ..AccountDraft::default() });
    fleet.boots_whole();
    fleet.replace("planned-7411", Replacement::Planned);
    let all = MODELS.len();
    assert_eq!((fleet.usage().former, fleet.usage().shared), (all, 0));
    fleet.boots_whole();
    fleet.boots_whole();
    assert_eq!((fleet.usage().former, fleet.usage().shared), (0, all), "each came with the new ones");
    let former = wire::Phone::new(&fleet.server);
    assert_eq!(former.get(&format!("/{}.cfg", fleet.keys()[0])).status, 401, "who has the new ones needs the former no more");
    assert_eq!(former.get("/0004f2aa0001.cfg").status, 200, "phones that are not known have 14 days");
    fleet.server.advance(14 * 86_400);
    assert_eq!(former.get("/0004f2aa0002.cfg").status, 401);
    assert_eq!(
        shared_credentials::end_former(&fleet.server.services, &admin(), DEFAULT_ACCOUNT, None, Mode::Keep).expect("ended"),
        1
    );
    assert_eq!(former.get("/0004f2aa0001.cfg").status, 401);
    fleet.boots_whole();
}

#[test]
fn a_leak_ends_the_shared_credentials_at_once_and_phones_that_had_no_others_keep_what_they_have() {
    let mut fleet = Fleet::of(["VVX411"].into_iter());
    fleet.server.set_account(&AccountDraft { binds: Some(false), ..AccountDraft::default() });
    fleet.boots_whole();
    fleet.replace("leaked-7411", Replacement::Leaked);
    assert!(fleet.boot().iter().all(|ending| matches!(ending, Ending::Failed(_))), "refused, and none is dead");
    fleet.is_unharmed();
    let base = fleet.server.base();
    for phone in &mut fleet.phones {
        phone.point_at(&base, USER, "leaked-7411");
    }
    fleet.boots_whole();
}

#[test]
fn reset_phones_come_back_announced_or_by_one_click() {
    let mut fleet = Fleet::new();
    fleet.binds();
    let bound = fleet.phones.len();
    let base = fleet.server.base();
    for deed in [Deed::Expect, Deed::LetIn] {
        for phone in &mut fleet.phones {
            phone.factory_reset();
            phone.point_at(&base, USER, PASSWORD);
        }
        if deed == Deed::LetIn {
            let endings = fleet.boot();
            assert!(endings.iter().all(|ending| matches!(ending, Ending::Failed(_))), "they wait: {endings:?}");
        }
        fleet.act(deed);
        fleet.boots_whole();
        fleet.boots_whole();
        assert_eq!(fleet.usage().bound, bound);
    }
    assert_eq!(pending::waiting(&fleet.server.services, DEFAULT_ACCOUNT), 0);
}
