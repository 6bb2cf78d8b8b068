//! The phones of the demo: who they are, what happens to them, and how they go on living while somebody looks.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use crate::domain::mac::Mac;
use crate::simulate::faults::Fault;
use crate::simulate::firmware::Software;
use crate::simulate::fleet::boot;
use crate::simulate::journey::travel;
use crate::simulate::memory::Layer;
use crate::simulate::models::Model;
use crate::simulate::network::Network;
use crate::simulate::phone::{Occasion, Phone};
use crate::simulate::rules::Rules;
use crate::simulate::statistics::Statistics;
use crate::simulate::trust::BuiltIn;

/// Phones that come.
pub const PHONES: u32 = 200;
/// Devices that were added and never come.
pub const NEVER_SEEN: u32 = 12;
/// Phones with a line of their own: the first ones.
pub const LINES: u32 = 40;

/// How many boot at once.
const CONCURRENCY: usize = 12;
/// From one phone's doing to the next one's.
const PAUSE: Duration = Duration::from_secs(1);
/// The models, as often as they stand in a house.
const MIX: &[(&str, u32)] = &[
    ("VVX411", 10),
    ("VVX311", 9),
    ("VVX450", 8),
    ("VVX500", 3),
    ("CCX600", 3),
    ("EdgeE450", 2),
    ("Trio8800", 2),
    ("SPIP550", 1),
    ("SPIP670", 1),
    ("StudioX30", 1),
];

/// Versions that some phones still have.
const OLDER: &[(&str, &str)] = &[
    ("VVX411", "5.9.6.2327"),
    ("VVX311", "5.9.6.2327"),
    ("VVX450", "5.9.1.0615"),
    ("VVX500", "5.4.3.1014"),
    ("CCX600", "9.4.1.0508"),
    ("SPIP550", "4.0.3.7562"),
];

/// What is known of the server: what somebody would type into the phones.
#[derive(Clone, Debug)]
pub struct Access {
    /// Provisioning address.
    pub server: String,
    /// Shared credentials.
    pub credentials: (String, String),
}

fn model(index: u32) -> &'static Model {
    let all: u32 = MIX.iter().map(|(_, share)| share).sum();
    let mut place = index * 7 % all;
    let found = MIX.iter().find(|(_, share)| {
        let here = place < *share;
        place = place.wrapping_sub(*share);
        here
    });
    found.and_then(|(name, _)| Model::find(name).ok()).expect("the mix names models of the table")
}

/// The MAC address of a phone that comes.
pub fn mac(index: u32) -> Mac {
    model(index).mac(0x3a_1000 + index * 37)
}

/// The MAC address of a device that never comes.
pub fn absent(index: u32) -> Mac {
    Mac::from_bytes([0x00, 0x04, 0xf2, 0x7f, 0x00, 0x10]).plus(index * 3)
}

/// Whether a phone was added before it comes; the others are met at their first contact.
pub fn is_added_before(index: u32) -> bool {
    index % 5 != 4
}

/// What happens to a phone at its first boot.
fn first_fault(index: u32) -> Option<Fault> {
    match index % 50 {
        11 => Some(Fault::Cut(7)),
        23 => Some(Fault::HangUp(9)),
        _ => None,
    }
}

/// Phones that do not get in: nobody knows them, or they do not know the server.
fn strangers(access: &Access, network: &Network) -> Vec<(Phone, Fault)> {
    let faults = [Fault::WrongPassword, Fault::UnknownAuthority, Fault::WrongPassword, Fault::NoClock, Fault::UnknownAuthority];
    let make = |(number, fault): (u32, Fault)| {
        let mut phone = phone(access, network, PHONES + number);
        match fault {
            Fault::UnknownAuthority => phone.forget_built_in(),
            Fault::NoClock => phone.dhcp.option_42 = false,
            _ => {
                phone.point_at(&access.server, "PlcmSpIp", "PlcmSpIp");
                // The others should not wait while it tries every file three times.
                phone.memory.flash.write("device.prov.redunInterAttemptDelay", "0");
            }
        }
        (phone, fault)
    };
    (0..).zip(faults).map(make).collect()
}

/// A phone that comes, as it is before anybody typed anything into it. One in four was not updated for a while.
pub fn phone_of(index: u32, built_in: BuiltIn) -> Phone {
    let model = model(index);
    let mut phone = Phone::new(model, mac(index), Rules::USUAL, built_in);
    let older = OLDER.iter().find(|(name, _)| *name == model.name && index % 4 == 1);
    if let Some((_, version)) = older {
        phone.memory.software = Software::factory(version, model.updater);
    }
    phone
}

fn phone(access: &Access, network: &Network, index: u32) -> Phone {
    let mut phone = phone_of(index, network.built_in());
    phone.point_at(&access.server, &access.credentials.0, &access.credentials.1);
    phone
}

/// Boots the whole fleet, then lets one phone after the other poll, restart or come to grief, until the task is dropped.
pub async fn live(access: Access, network: Arc<Network>) {
    let mut phones = first_boots(&access, &network).await;
    phones.sort_by_key(|phone| phone.mac);
    let mut strangers = strangers(&access, &network);
    let mut counted = Statistics::default();
    for turn in 0u32.. {
        if turn % 20 < u32::try_from(strangers.len()).unwrap_or(0) {
            let (stranger, fault) = &mut strangers[usize::try_from(turn % 20).unwrap_or(0)];
            travel(stranger, Occasion::Boot, &network, Some(*fault)).await;
        } else if !phones.is_empty() {
            // A step without a common divisor walks through all of them in an order that looks like none.
            let index = usize::try_from(turn.wrapping_mul(83)).unwrap_or(0) % phones.len();
            turn_of(&mut phones[index], turn, &network, &mut counted).await;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn turn_of(phone: &mut Phone, turn: u32, network: &Network, counted: &mut Statistics) {
    match turn % 10 {
        3 => phone.change(Layer::Phone, "up.backlight.idleIntensity", &(turn % 4).to_string()),
        6 => phone.change(Layer::Web, "up.timeOut", &(30 + turn % 90).to_string()),
        _ => {}
    }
    match turn % 10 {
        3 | 6 | 8 => drop(boot(phone, network, counted).await),
        9 => drop(travel(phone, Occasion::Poll, network, Some(Fault::Cut(5))).await),
        _ => {
            if travel(phone, Occasion::Poll, network, None).await.report.restart {
                boot(phone, network, counted).await;
            }
        }
    }
}

async fn first_boots(access: &Access, network: &Arc<Network>) -> Vec<Phone> {
    let mut waiting = (0..PHONES).map(|index| (phone(access, network, index), first_fault(index)));
    let (mut under_way, mut booted) = (JoinSet::new(), Vec::new());
    loop {
        while under_way.len() < CONCURRENCY {
            let Some((mut phone, fault)) = waiting.next() else { break };
            let network = Arc::clone(network);
            under_way.spawn(async move {
                match fault {
                    Some(fault) => drop(travel(&mut phone, Occasion::Boot, &network, Some(fault)).await),
                    None => drop(boot(&mut phone, &network, &mut Statistics::default()).await),
                }
                phone
            });
        }
        match under_way.join_next().await {
            Some(phone) => booted.extend(phone),
            None => return booted,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_device_of_the_demo_has_a_mac_of_its_own() {
        let all: std::collections::HashSet<_> = (0..PHONES + 10).map(mac).chain((0..NEVER_SEEN).map(absent)).collect();
        assert_eq!(all.len(), usize::try_from(PHONES + 10 + NEVER_SEEN).expect("a small number"));
    }

    #[test]
    fn the_mix_has_every_family() {
        let models: std::collections::HashSet<_> = (0..PHONES).map(|index| model(index).name).collect();
        assert_eq!(models.len(), MIX.len());
    }
}
