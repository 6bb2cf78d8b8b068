//! Whoever guesses passwords waits for the answer (PHN-09): by address and device together, so that one phone with a wrong
//! password slows down nobody else behind the same address. Nobody is locked out, and who is right never waits.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use tokio::sync::Semaphore;

use crate::domain::device::DeviceKey;
use crate::domain::limits::WRONG_AT_ONCE;
use crate::services::throttle::Origin;

/// How long an answer is delayed. A phone that was not told the new password asks dozens of times at a boot: no more than it bears.
const DELAY: Duration = Duration::from_millis(250);
/// Quiet time after which guesses are forgotten.
const FORGOTTEN: SignedDuration = SignedDuration::from_mins(10);
/// Answers that are held back at a time; further ones are given at once, so that waiting costs no memory without bound.
const WAITING: usize = 256;
/// Addresses and devices that are remembered; when there are more, all are forgotten.
const REMEMBERED: usize = 20_000;

/// Counts wrong passwords by address and device.
pub(super) struct Patience {
    wrong: Mutex<HashMap<(Origin, Option<DeviceKey>), Wrong>>,
    waiting: Semaphore,
}

#[derive(Clone, Copy)]
struct Wrong {
    times: u32,
    last: Timestamp,
}

impl Default for Patience {
    fn default() -> Self {
        Self { wrong: Mutex::default(), waiting: Semaphore::new(WAITING) }
    }
}

impl Patience {
    /// Waits as long as this wrong password is to be answered late.
    pub async fn wait(&self, address: IpAddr, key: Option<DeviceKey>, now: Timestamp) {
        let delay = self.count(address, key, now);
        if delay.is_zero() {
            return;
        }
        if let Ok(_place) = self.waiting.try_acquire() {
            tokio::time::sleep(delay).await;
        }
    }

    /// Takes in one more wrong password and answers how late it is to be answered.
    fn count(&self, address: IpAddr, key: Option<DeviceKey>, now: Timestamp) -> Duration {
        let mut all = self.wrong.lock();
        if all.len() >= REMEMBERED {
            all.clear();
        }
        let wrong = all.entry((Origin::of(Some(address)), key)).or_insert(Wrong { times: 0, last: now });
        if now.duration_since(wrong.last) >= FORGOTTEN {
            wrong.times = 0;
        }
        (wrong.times, wrong.last) = (wrong.times.saturating_add(1), now);
        if wrong.times > WRONG_AT_ONCE { DELAY } else { Duration::ZERO }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phn_09_guesses_are_slowed_down_by_address_and_device_and_forgotten_in_time() {
        let patience = Patience::default();
        let at = |minute: i64| Timestamp::from_second(1_795_000_000 + 60 * minute).expect("a time within the range");
        let (here, there) = ([10, 0, 0, 7].into(), [10, 0, 0, 8].into());
        let one: Option<DeviceKey> = "0004f2aa0001".parse().ok();
        let other: Option<DeviceKey> = "0004f2aa0002".parse().ok();
        let delays: Vec<bool> = (0..8).map(|_| patience.count(here, one.clone(), at(0)).is_zero()).collect();
        assert_eq!(delays, [true, true, true, true, true, false, false, false]);
        assert!(patience.count(here, other, at(0)).is_zero(), "another phone behind the same address");
        assert!(patience.count(there, one.clone(), at(0)).is_zero(), "the same phone from elsewhere");
        assert!(!patience.count(here, one.clone(), at(9)).is_zero());
        assert!(patience.count(here, one, at(19)).is_zero(), "ten quiet minutes");
    }

    #[test]
    fn memory_is_bounded() {
        let patience = Patience::default();
        let now = Timestamp::UNIX_EPOCH;
        for n in 0..u32::try_from(REMEMBERED).expect("a small number") + 10 {
            patience.count(std::net::Ipv4Addr::from(n).into(), None, now);
        }
        assert!(patience.wrong.lock().len() <= REMEMBERED);
    }
}
