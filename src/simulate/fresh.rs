//! The life of a phone from the box (contract 7): it knows an address and what every phone knows at the factory, neither a certificate
//! authority nor the time, and goes wherever the answers lead it.

use std::time::Duration;

use super::fleet::{boot, judge};
use super::journey::{Journey, travel};
use super::memory::Memory;
use super::network::Network;
use super::phone::{Occasion, Phone};
use super::statistics::{Ending, Statistics};

/// User name and password that every phone knows at the factory (protocol/provisioning.md 3.2).
const FACTORY_DEFAULT: &str = "PlcmSpIp";
/// Rounds in which nothing need be new before a phone gives up: a value may count from the next start on only (rule 9).
const PATIENT_ROUNDS: u32 = 2;
/// Rounds after which a phone gives up in any case.
const ROUNDS: u32 = 12;

/// How phones from the box find their server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fresh {
    /// The address that DHCP gives at every start, with credentials or without; without one the server's address is typed in.
    pub dhcp: Option<String>,
    /// How long a phone that is held waits for somebody to let it in.
    pub wait: Duration,
}

impl Fresh {
    /// Takes from a phone what only others know: it has the factory default, no time from DHCP, and `server` or what DHCP says.
    pub fn unpack(&self, phone: &mut Phone, server: &str) {
        let flash = &mut phone.memory.flash;
        flash.write("device.prov.user", FACTORY_DEFAULT);
        flash.write("device.prov.password", FACTORY_DEFAULT);
        phone.dhcp.option_42 = false;
        match &self.dhcp {
            Some(address) => phone.dhcp.option_160 = Some(address.clone()),
            None => flash.write("device.prov.serverName", server),
        }
    }

    /// Lives until the phone has come with credentials of its own by a boot, a poll and another boot, which is what binds it
    /// (contract 4, point 2), or nothing more comes of it. The last run counts once the server has heard nothing for two minutes.
    pub async fn live(&self, phone: &mut Phone, network: &Network, counted: &mut Statistics) -> Ending {
        let (mut waited, mut quiet) = (Duration::ZERO, 0);
        for _ in 0..ROUNDS {
            let before = phone.memory.clone();
            let booted = boot(phone, network, counted).await;
            if has_arrived(phone, &booted) {
                return stay(phone, network, counted).await;
            }
            quiet = if is_as_before(&before, &phone.memory) { quiet + 1 } else { 0 };
            if quiet < PATIENT_ROUNDS {
                continue;
            }
            if !self.waits_on(&mut waited).await {
                return judge(phone, &booted);
            }
            quiet = PATIENT_ROUNDS - 1;
        }
        Ending::Failed(format!("did not get credentials of its own in {ROUNDS} rounds"))
    }

    /// Waits a while for somebody to let the phone in. Answers false where it has waited long enough.
    async fn waits_on(&self, waited: &mut Duration) -> bool {
        let pause = (self.wait / (ROUNDS / 2)).min(self.wait.saturating_sub(*waited));
        *waited += pause;
        tokio::time::sleep(pause).await;
        !pause.is_zero()
    }
}

/// Whether the phone has its whole configuration and other credentials than at the factory.
fn has_arrived(phone: &Phone, last: &Journey) -> bool {
    let own = phone.memory.flash.get("device.prov.user").is_some_and(|user| user != FACTORY_DEFAULT);
    own && last.report.configured && !last.report.restart
}

fn is_as_before(before: &Memory, after: &Memory) -> bool {
    before.flash == after.flash && before.files == after.files
}

/// What comes after the first boot with credentials of its own: a poll, which joins that boot's run as it follows at once, and a
/// second boot, whose Updater begins a run of its own.
async fn stay(phone: &mut Phone, network: &Network, counted: &mut Statistics) -> Ending {
    let polled = travel(phone, Occasion::Poll, network, None).await;
    counted.count(&polled.exchanges);
    match judge(phone, &polled) {
        Ending::Booted => {}
        other => return other,
    }
    let booted = boot(phone, network, counted).await;
    judge(phone, &booted)
}
