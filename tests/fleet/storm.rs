//! A building's phones at once.

use std::sync::Arc;

use pdms::domain::device::DeviceKey;
use pdms::domain::device::draft::{DeviceDraft, DeviceEdit};
use pdms::domain::ids::DEFAULT_ACCOUNT;
use pdms::services::commit::Mode;
use pdms::services::devices;
use pdms::simulate::fleet::{self, Plan};
use pdms::simulate::models::{MODELS, Model};
use pdms::simulate::rules::Rules;

use super::{LINE, network, profile, put_on_global};
use crate::support::server::{PASSWORD, Server, USER, admin};

/// Phones that boot; `PDMS_TEST_PHONES` sets another number.
const PHONES: u32 = 300;

fn phones() -> u32 {
    std::env::var("PDMS_TEST_PHONES").ok().and_then(|text| text.parse().ok()).unwrap_or(PHONES)
}

/// Phones of these models with the shared credentials, a hundred at a time.
pub fn plan(server: &Server, models: Vec<&'static Model>, phones: u32) -> Plan {
    Plan {
        server: server.base(),
        credentials: (USER.to_owned(), PASSWORD.to_owned()),
        models,
        phones,
        first_mac: None,
        concurrency: 128,
        faults: Vec::new(),
        polls: false,
        rules: Rules::USUAL,
        fresh: None,
    }
}

/// Boots them all.
pub fn storm(plan: Plan, network: Arc<pdms::simulate::network::Network>) -> pdms::simulate::statistics::Statistics {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(fleet::run(plan, network))
}

#[test]
fn phones_that_were_added_first_boot_together_without_an_error() {
    let server = Server::start();
    put_on_global(&server, vec![profile(&server, "Lines", LINE)]);
    let network = network(&server);
    let plan = plan(&server, MODELS.iter().collect(), phones());
    let drafts = (0..plan.phones).map(|index| DeviceDraft {
        key: DeviceKey::from(plan.phone(index, &network).mac),
        family: None,
        model: None,
        groups: Vec::new(),
        profiles: Vec::new(),
        edit: DeviceEdit::default(),
    });
    devices::create(&server.services, &admin(), DEFAULT_ACCOUNT, drafts.collect(), Mode::Keep).expect("added");
    let (phones, statistics) = (u64::from(plan.phones), storm(plan, network));
    assert_eq!((statistics.booted, statistics.failed, statistics.dead), (phones, 0, 0), "{statistics}");
    assert!(statistics.troubles.is_empty(), "{statistics}");
    let statuses: Vec<_> = statistics.statuses.keys().copied().collect();
    assert!(statuses.iter().all(|status| [200, 201, 204, 401, 404].contains(status)), "{statistics}");
    server.flush();
    assert_eq!(server.services.roster(DEFAULT_ACCOUNT).len(), usize::try_from(phones).expect("a small number"));
}

#[test]
fn phones_with_faults_boot_once_these_are_over() {
    let server = Server::start();
    put_on_global(&server, vec![profile(&server, "Lines", LINE)]);
    let network = network(&server);
    let faults = ["cut@1", "cut@5", "half@2", "half@7", "hang-up@6", "slow@4", "unknown-authority", "no-clock"];
    let faults = faults.iter().map(|text| text.parse().expect("a fault")).collect();
    let plan = Plan { faults, polls: true, ..plan(&server, MODELS.iter().collect(), 40) };
    let statistics = storm(plan, network);
    assert_eq!((statistics.booted, statistics.failed, statistics.dead), (40, 0, 0), "{statistics}");
    assert!(!statistics.troubles.is_empty(), "the faults were felt: {statistics}");
}
