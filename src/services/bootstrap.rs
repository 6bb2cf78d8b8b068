//! What phones are answered over plain HTTP on their way to HTTPS, and what shows that they trust us (contract 3).
//!
//! Reads and changes memory only; what was learned of a phone is written with the next presence batch.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;

use parking_lot::Mutex;

use super::Services;
use super::newcomers::Newcomers;
use super::provisioning::{Answer, Visit, told};
use crate::catalog::models::models;
use crate::domain::admission::identify;
use crate::domain::bootstrap::{self, Stage, Wanted};
use crate::domain::device::DeviceKey;
use crate::domain::ids::AccountId;
use crate::domain::limits::{BOOTSTRAP_ADDRESSES, BOOTSTRAPS_PER_ADDRESS};
use crate::domain::mac::Mac;
use crate::domain::provision;
use crate::domain::run::{HandshakeFault, Reason};
use crate::domain::trust::{Knock, Weight};
use crate::domain::world::World;
use crate::xml::write;

/// Answers phones over plain HTTP.
#[derive(Debug)]
pub struct Bootstrap {
    /// Anybody can name a MAC.
    newcomers: Arc<Newcomers>,
}

/// Phones that fetched stage 1 and gave no proof yet, by address: a failed handshake has no other name.
#[derive(Debug, Default)]
pub struct Unproven {
    by_address: Mutex<HashMap<IpAddr, VecDeque<(AccountId, DeviceKey)>>>,
}

impl Bootstrap {
    /// Whoever is new is one of these, however it comes.
    pub fn new(newcomers: Arc<Newcomers>) -> Self {
        Self { newcomers }
    }

    /// What a request is answered. `fetches`: GET or HEAD; everything else is not there. `takes`: the body goes to the phone.
    pub fn answer(&self, services: &Services, account: AccountId, visit: &Visit<'_>, fetches: bool, takes: bool) -> Answer {
        let Some(world) = services.worlds.get(account) else { return Answer::Held(Reason::ProvisioningOff) };
        if !world.account.provisioning.enabled {
            return self.refused(services, &world, visit, Reason::ProvisioningOff);
        }
        if !world.account.admission.bootstrap.is_on(world.endpoints.ca_pem.is_some()) {
            return self.refused(services, &world, visit, Reason::PlainHttpOff);
        }
        let wanted = if fetches { Wanted::of(visit.file, visit.agent) } else { Wanted::Nothing };
        let named = match wanted {
            Wanted::Master(mac) | Wanted::File(mac) => Some(DeviceKey::Mac(mac)),
            _ => visit.file.key().cloned(),
        };
        if let Some(answer) = named.and_then(|key| held(services, &world, visit, &key)) {
            return answer;
        }
        match wanted {
            Wanted::Master(mac) | Wanted::File(mac) if !self.may_come(services, &world, visit, &DeviceKey::Mac(mac)) => {
                Answer::Held(Reason::TooManyNew)
            }
            Wanted::Master(mac) => master(services, &world, mac, visit.address),
            Wanted::File(mac) => file(services, &world, mac, visit.address, takes),
            Wanted::AnyMaster => Answer::Held(Reason::Unidentified),
            Wanted::Nothing => Answer::Absent(Reason::PlainHttp),
        }
    }

    /// Whether something may be remembered of a phone.
    fn may_come(&self, services: &Services, world: &World, visit: &Visit<'_>, key: &DeviceKey) -> bool {
        self.newcomers.may_come(services, world, key, Weight::Open, visit.address)
    }

    /// The word to come again for whoever asks; a phone that names itself is listed, unless it is one of too many.
    fn refused(&self, services: &Services, world: &World, visit: &Visit<'_>, reason: Reason) -> Answer {
        let is_known = |key: &DeviceKey| services.roster(world.account_id).find(key).is_some();
        match identify(visit.file, visit.location, visit.agent, models(), is_known) {
            Some(key) if self.may_come(services, world, visit, &key) => listed(services, world, visit, &key, reason),
            _ => Answer::Held(reason),
        }
    }
}

/// The word to come again for a phone that has lines to lose or is blocked.
fn held(services: &Services, world: &World, visit: &Visit<'_>, key: &DeviceKey) -> Option<Answer> {
    let (book, now) = (services.trusts(world.account_id), services.clock.now());
    let reason = bootstrap::held(&book.of(key), world.blocked.contains(key), visit.address, &world.account, now)?;
    Some(listed(services, world, visit, key, reason))
}

/// The word to come again, with an entry under *Pending*.
fn listed(services: &Services, world: &World, visit: &Visit<'_>, key: &DeviceKey, reason: Reason) -> Answer {
    let knock = Knock::new(services.clock.now(), reason, visit.address, &told(visit.agent)).bare();
    services.trusts(world.account_id).learn(key, |trust| trust.refused(knock));
    Answer::Held(reason)
}

fn master(services: &Services, world: &World, mac: Mac, address: IpAddr) -> Answer {
    let now = services.clock.now();
    services.trusts(world.account_id).hear(&DeviceKey::Mac(mac), |trust| {
        trust.first_heard.get_or_insert(now);
        trust.answered_in_clear(address);
    });
    // The master is the same at both stages.
    let made = provision::bootstrap::provision(mac, Stage::Move, world);
    Answer::Made(write::master(&made), Reason::BootstrapMaster)
}

fn file(services: &Services, world: &World, mac: Mac, address: IpAddr, takes: bool) -> Answer {
    let (key, book) = (DeviceKey::Mac(mac), services.trusts(world.account_id));
    let stage = bootstrap::stage(&book.of(&key), address);
    if takes {
        let now = services.clock.now();
        book.learn(&key, |trust| {
            trust.bootstrapped(now, address);
            trust.answered_in_clear(address);
            // While a new CA takes the place of the old one, the same file has both.
            if stage == Stage::Move && world.endpoints.next_ca.is_none() {
                trust.moved(now, address);
            }
            trust.takeover.given(now, world.endpoints.next_ca.as_ref().map(|next| next.mark));
        });
        if stage != Stage::Move {
            services.unproven.wait_for(world.account_id, key, address);
        }
    }
    let reason = if stage == Stage::Move { Reason::BootstrapMove } else { Reason::BootstrapTrust };
    Answer::Made(write::parameters(&provision::bootstrap::provision(mac, stage, world)), reason)
}

/// Takes in a log of a phone that came over TLS, whatever credentials it came with.
pub fn log_came(services: &Services, account: AccountId, key: &DeviceKey, address: IpAddr) {
    let now = services.clock.now();
    let book = services.trusts(account);
    // Most logs are of phones that never needed this: nothing is copied for them.
    if book.of(key).bootstrap.is_some() {
        book.hear(key, |trust| trust.log_came(now, address));
    }
}

/// Takes in a failed handshake: for all that wait for proof at that address it may be the cause.
pub fn handshake_failed(services: &Services, address: IpAddr, fault: HandshakeFault) {
    for (account, key) in services.unproven.at(address) {
        services.trusts(account).hear(&key, |trust| trust.handshake_failed(address, fault));
    }
}

impl Unproven {
    /// Remembers that this phone was given stage 1. Who asks again stays; whoever has not asked for longest goes first.
    fn wait_for(&self, account: AccountId, key: DeviceKey, address: IpAddr) {
        let mut by_address = self.by_address.lock();
        if by_address.len() >= BOOTSTRAP_ADDRESSES && !by_address.contains_key(&address) {
            // All of them ask again within the hour.
            by_address.clear();
        }
        let waiting = by_address.entry(address).or_default();
        waiting.retain(|known| *known != (account, key.clone()));
        waiting.push_back((account, key));
        if waiting.len() > BOOTSTRAPS_PER_ADDRESS {
            waiting.pop_front();
        }
    }

    fn at(&self, address: IpAddr) -> Vec<(AccountId, DeviceKey)> {
        self.by_address.lock().get(&address).map(|waiting| waiting.iter().cloned().collect()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::DEFAULT_ACCOUNT;

    fn key(number: usize) -> DeviceKey {
        format!("0004f2{number:06x}").parse().expect("a MAC")
    }

    #[test]
    fn what_waits_for_proof_is_bounded_and_who_asked_last_stays() {
        let unproven = Unproven::default();
        let address = "10.0.0.7".parse().expect("an address");
        for number in 0..BOOTSTRAPS_PER_ADDRESS + 2 {
            unproven.wait_for(DEFAULT_ACCOUNT, key(number), address);
            unproven.wait_for(DEFAULT_ACCOUNT, key(0), address);
        }
        let waiting = unproven.at(address);
        assert_eq!(waiting.len(), BOOTSTRAPS_PER_ADDRESS);
        assert!(waiting.contains(&(DEFAULT_ACCOUNT, key(0))) && !waiting.contains(&(DEFAULT_ACCOUNT, key(1))));
        for number in 0..BOOTSTRAP_ADDRESSES + 1 {
            let number = u32::try_from(number).expect("a small number");
            unproven.wait_for(DEFAULT_ACCOUNT, key(1), IpAddr::V4((0x0b00_0000 + number).into()));
        }
        assert!(unproven.by_address.lock().len() <= BOOTSTRAP_ADDRESSES);
    }
}
