//! Many phones at once: each boots over connections of its own, some with faults, and all are counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use tokio::task::JoinSet;

use crate::domain::mac::Mac;

use super::faults::Fault;
use super::fresh::Fresh;
use super::journey::{Journey, travel};
use super::models::Model;
use super::network::Network;
use super::phone::{Occasion, Phone};
use super::rules::Rules;
use super::statistics::{Ending, Statistics};

/// A phone that its configuration restarts more often than this in a row is caught in a loop.
const RESTARTS: u32 = 3;

/// What a fleet is to do.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The address that is typed into every phone.
    pub server: String,
    /// The user name and password that are typed into every phone.
    pub credentials: (String, String),
    /// The models; the phones take them in turn.
    pub models: Vec<&'static Model>,
    /// How many phones.
    pub phones: u32,
    /// The MAC address of the first phone, from which the others count on; without it each counts from its model's first.
    pub first_mac: Option<Mac>,
    /// How many are on their way at once.
    pub concurrency: usize,
    /// Faults; each phone has one of them in turn in its first run, and then boots without.
    pub faults: Vec<Fault>,
    /// Whether each phone polls once after its boot.
    pub polls: bool,
    /// Readings of the rules.
    pub rules: Rules,
    /// The phones come from the box: they have no credentials but the factory's.
    pub fresh: Option<Fresh>,
}

/// The number of a model's first phone from the box: no phone that was simulated with credentials before has its MAC address.
const FIRST_FROM_THE_BOX: u32 = 0xf0_0001;

impl Plan {
    /// The `index`th phone as it comes from its box, with address and credentials typed in.
    pub fn phone(&self, index: u32, network: &Network) -> Phone {
        let turn = usize::try_from(index).unwrap_or_default() % self.models.len().max(1);
        let model = self.models[turn];
        let first = if self.fresh.is_some() { FIRST_FROM_THE_BOX } else { 1 };
        let mac = self.first_mac.map_or_else(|| model.mac(index + first), |first| first.plus(index));
        let mut phone = Phone::new(model, mac, self.rules, network.built_in());
        match &self.fresh {
            Some(fresh) => fresh.unpack(&mut phone, &self.server),
            None => phone.point_at(&self.server, &self.credentials.0, &self.credentials.1),
        }
        phone
    }

    fn fault(&self, index: u32) -> Option<Fault> {
        let turn = usize::try_from(index).unwrap_or_default().checked_rem(self.faults.len())?;
        self.faults.get(turn).copied()
    }
}

/// Runs a whole fleet once and counts.
pub async fn run(plan: Plan, network: Arc<Network>) -> Statistics {
    let begun = Instant::now();
    let (plan, next) = (Arc::new(plan), Arc::new(AtomicU32::new(0)));
    let mut workers = JoinSet::new();
    for _ in 0..plan.concurrency.max(1) {
        let (plan, network, next) = (Arc::clone(&plan), Arc::clone(&network), Arc::clone(&next));
        workers.spawn(async move {
            let mut counted = Statistics::default();
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                if index >= plan.phones {
                    return counted;
                }
                let begun = Instant::now();
                let ending = live(&plan, index, &network, &mut counted).await;
                counted.end(ending, begun.elapsed());
            }
        });
    }
    let mut all = Statistics::default();
    while let Some(counted) = workers.join_next().await {
        all.add(counted.expect("a phone does not panic"));
    }
    all.finish(begun.elapsed())
}

/// The life of one phone: a run with its fault if it has one, a boot with the restarts that it leads to, a poll if it is asked for.
async fn live(plan: &Plan, index: u32, network: &Network, counted: &mut Statistics) -> Ending {
    let mut phone = plan.phone(index, network);
    if let Some(fresh) = &plan.fresh {
        return fresh.live(&mut phone, network, counted).await;
    }
    if let Some(fault) = plan.fault(index) {
        let mut faulty = phone.clone();
        match fault {
            Fault::WrongPassword => faulty.point_at(&plan.server, &plan.credentials.0, "a wrong one"),
            Fault::UnknownAuthority => faulty.forget_built_in(),
            Fault::NoClock => faulty.dhcp.option_42 = false,
            _ => {}
        }
        let journey = travel(&mut faulty, Occasion::Boot, network, Some(fault)).await;
        counted.count(&journey.exchanges);
        phone.memory = faulty.memory;
        phone.point_at(&plan.server, &plan.credentials.0, &plan.credentials.1);
    }
    let mut journey = boot(&mut phone, network, counted).await;
    if plan.polls {
        journey = travel(&mut phone, Occasion::Poll, network, None).await;
        counted.count(&journey.exchanges);
        if journey.report.restart {
            counted.restarts += 1;
            journey = boot(&mut phone, network, counted).await;
        }
    }
    judge(&phone, &journey)
}

/// Boots a phone, and again as long as its configuration restarts it.
pub async fn boot(phone: &mut Phone, network: &Network, counted: &mut Statistics) -> Journey {
    let mut journey = travel(phone, Occasion::Boot, network, None).await;
    counted.count(&journey.exchanges);
    for _ in 0..RESTARTS {
        if !journey.report.restart {
            break;
        }
        counted.restarts += 1;
        journey = travel(phone, Occasion::Boot, network, None).await;
        counted.count(&journey.exchanges);
    }
    journey
}

/// How a phone ended, after its last run.
pub fn judge(phone: &Phone, last: &Journey) -> Ending {
    let report = &last.report;
    let mac = phone.mac.to_string();
    let first_missing = || {
        let trouble = last.exchanges.iter().find_map(|exchange| exchange.trouble.clone());
        report.missing.first().map_or_else(
            || "its master lists no file".to_owned(),
            |(path, status)| match status {
                Some(status) => format!("{} was answered {status}", path.replace(&mac, "<mac>")),
                None => format!("{} could not be fetched: {}", path.replace(&mac, "<mac>"), trouble.unwrap_or_default()),
            },
        )
    };
    if phone.is_dead() {
        Ending::Dead
    } else if !report.master || !report.configured {
        Ending::Failed(first_missing())
    } else if report.restart {
        Ending::Failed(format!("restarted more than {RESTARTS} times in a row"))
    } else {
        Ending::Booted
    }
}
