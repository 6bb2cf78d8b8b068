//! When a device polls: a minute of the account's window that depends on the device alone (contract 5.8).

use sha2::{Digest, Sha256};

use super::super::clock;
use super::super::device::Device;
use super::super::resolution::Effective;
use super::super::world::World;

const MINUTES_A_DAY: i64 = 24 * 60;

/// The parameter that a phone's clock stands or falls with.
pub const GMT_OFFSET: &str = "tcpIpApp.sntp.gmtOffset";

/// What decides the polling minute beside the device itself. Standard offsets only: the minute must not move when clocks do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PollingClock {
    /// First and last minute of the window in the account's time, the end exclusive.
    window: (u16, u16),
    /// Standard offset of the account's zone in seconds; none where the zone is unknown.
    account_offset: Option<i64>,
    /// Offset that profiles give the phone, where they do.
    served_offset: Option<i64>,
}

impl PollingClock {
    /// Reads the account's window and zone, and what the profiles say of the offset.
    pub fn new(effective: &Effective<'_>, world: &World) -> Self {
        Self {
            window: world.account.polling_window,
            account_offset: clock::of_zone(&world.account.time_zone).ok().map(|zone| i64::from(zone.offset_seconds)),
            served_offset: effective.value(GMT_OFFSET).and_then(seconds),
        }
    }

    /// The time of day, `hh:mm` on the phone's own clock, at which the device polls.
    ///
    /// The phone's own override beats what is served. A phone that shows another offset than the account's zone is given a
    /// time that is its minute of the window in the account's time.
    pub fn time_for(&self, device: &Device) -> String {
        let phone_offset = device.own_clock.get(GMT_OFFSET).and_then(seconds).or(self.served_offset);
        let shift = match (phone_offset, self.account_offset) {
            (Some(phone), Some(account)) => (phone - account).div_euclid(60),
            _ => 0,
        };
        let minute = (self.minute_of(&device.key.to_string()) + shift).rem_euclid(MINUTES_A_DAY);
        format!("{:02}:{:02}", minute / 60, minute % 60)
    }

    /// The device's minute of the window, counted from midnight. A window whose end is not after its start runs over
    /// midnight; one whose ends are the same is the whole day.
    fn minute_of(&self, key: &str) -> i64 {
        let (start, end) = (i64::from(self.window.0), i64::from(self.window.1));
        let length = match (end - start).rem_euclid(MINUTES_A_DAY) {
            0 => MINUTES_A_DAY,
            length => length,
        };
        start + spread(key).rem_euclid(length)
    }
}

/// A number that is evenly spread over keys, the same for the same key on every machine and in every release.
fn spread(key: &str) -> i64 {
    let digest = Sha256::digest(key.as_bytes());
    digest.iter().take(7).fold(0, |number, byte| (number << 8) | i64::from(*byte))
}

/// An offset as a parameter holds it. What is no number gives the phone its default, which we do not guess.
fn seconds(value: &str) -> Option<i64> {
    value.trim().parse::<i32>().ok().map(i64::from)
}
