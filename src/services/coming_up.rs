//! A phone that comes up, by its MAC or by the address that it has: what was asked lately and how far it is.

use std::collections::BTreeSet;
use std::net::IpAddr;

use jiff::SignedDuration;

use super::error::ServiceError;
use super::runs::{self, ListedRun};
use super::{Services, alerts, presence};
use crate::domain::coming_up::{Known, Step, steps};
use crate::domain::device::DeviceKey;
use crate::domain::ids::AccountId;
use crate::domain::limits::COMING_UP_HOURS;
use crate::domain::run::{Exchange, Method, Subject};
use crate::domain::trust::Trust;

/// Whom somebody looks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// A phone, by its MAC or serial number.
    Phone(DeviceKey),
    /// Whatever comes from an address.
    Address(IpAddr),
}

/// How far a phone is.
#[derive(Clone, Debug)]
pub struct ComingUp {
    /// The phone; none where an address was asked for and no phone named itself there.
    pub key: Option<DeviceKey>,
    /// Addresses that it came from lately.
    pub addresses: BTreeSet<IpAddr>,
    /// Whether it is in the inventory.
    pub is_device: bool,
    /// The steps, in order.
    pub steps: Vec<Step>,
    /// Other phones that came from the same address lately.
    pub others: Vec<DeviceKey>,
}

impl std::str::FromStr for Wanted {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Self::Address(address.to_canonical()));
        }
        text.parse().map(Self::Phone).map_err(|_| {
            format!("“{text}” is neither a MAC address, such as 0004f2aabbcc, nor a serial number, nor a network address")
        })
    }
}

/// How far a phone is, by what was asked in the last [`COMING_UP_HOURS`].
///
/// # Errors
/// What the store reports.
pub fn of(services: &Services, account: AccountId, wanted: &Wanted) -> Result<ComingUp, ServiceError> {
    presence::settle(services);
    let world = services.world(account)?;
    match wanted {
        Wanted::Phone(key) => of_phone(services, account, key, Vec::new(), world.account.admission.binds),
        Wanted::Address(address) => {
            let mut here = phones_at(services, account, *address)?;
            match here.pop() {
                Some(last) => of_phone(services, account, &last, here, world.account.admission.binds),
                None => {
                    let exchanges = lately(services, &runs::of(services, account, &Subject::Address(*address))?);
                    let nobody = Trust::default();
                    let addresses = BTreeSet::from([*address]);
                    let held_back = alerts::held_back(services, account, &addresses);
                    let binds = world.account.admission.binds;
                    let steps = steps(Known { exchanges: &exchanges, trust: &nobody, binds, held_back });
                    Ok(ComingUp { key: None, addresses, is_device: false, steps, others: Vec::new() })
                }
            }
        }
    }
}

fn of_phone(
    services: &Services,
    account: AccountId,
    key: &DeviceKey,
    others: Vec<DeviceKey>,
    binds: bool,
) -> Result<ComingUp, ServiceError> {
    let trust = services.trusts(account).of(key);
    let own = runs::of_device(services, account, key)?;
    let mut addresses: BTreeSet<IpAddr> = own.iter().map(|listed| listed.run.address).collect();
    addresses.extend(trust.bootstrap.as_ref().map(|bootstrap| bootstrap.address));
    addresses.extend(trust.knocks().map(|knock| knock.address));
    addresses.extend(trust.last_address);
    let mut exchanges = lately(services, &own);
    // A failed handshake names nobody: it may be this phone's.
    for address in &addresses {
        let nameless = lately(services, &runs::of(services, account, &Subject::Address(*address))?);
        exchanges.extend(nameless.into_iter().filter(|one| one.method == Method::Tls));
    }
    exchanges.sort_by_key(|one| one.at);
    let is_device = services.roster(account).find(key).is_some();
    let held_back = alerts::held_back(services, account, &addresses);
    let steps = steps(Known { exchanges: &exchanges, trust: &trust, binds, held_back });
    Ok(ComingUp { key: Some(key.clone()), addresses, is_device, steps, others })
}

/// The phones that named themselves from an address lately, the latest last.
fn phones_at(services: &Services, account: AccountId, address: IpAddr) -> Result<Vec<DeviceKey>, ServiceError> {
    let strangers = runs::refused(services, account)?.into_iter().filter(|listed| listed.run.address == address);
    let mut found: Vec<_> = strangers
        .filter_map(|listed| match listed.subject {
            Subject::Stranger(key) | Subject::Device(key) => Some((listed.run.ended_at, key)),
            Subject::Address(_) => None,
        })
        .collect();
    let devices = services.roster(account).all();
    let here = devices.iter().filter(|listed| listed.sighting.public_ip == Some(address));
    found.extend(here.filter_map(|listed| Some((listed.sighting.last_seen?, listed.device.key.clone()))));
    let by_log = services.trusts(account).filtered(|trust| trust.stray_log().is_some_and(|log| log.address == address));
    found.extend(by_log.into_iter().filter_map(|(key, trust)| Some((trust.stray_log()?.at, key))));
    found.retain(|(at, _)| services.clock.now().duration_since(*at) < SignedDuration::from_hours(COMING_UP_HOURS));
    found.sort();
    let mut keys: Vec<DeviceKey> = Vec::new();
    for (_, key) in found {
        keys.retain(|known| *known != key);
        keys.push(key);
    }
    Ok(keys)
}

/// What was asked in these runs lately, oldest first.
fn lately(services: &Services, listed: &[ListedRun]) -> Vec<Exchange> {
    let since = services.clock.now() - SignedDuration::from_hours(COMING_UP_HOURS);
    let all = listed.iter().rev().flat_map(|listed| &listed.run.exchanges);
    let mut exchanges: Vec<Exchange> = all.filter(|one| one.at >= since).cloned().collect();
    exchanges.sort_by_key(|one| one.at);
    exchanges
}
