//! When a device polls: a minute of its site's or the account's window that depends on the device alone (contract 5.8).

use sha2::{Digest, Sha256};

use super::super::clock;
use super::super::device::Device;
use super::super::resolution::Effective;
use super::LocalTime;

const MINUTES_A_DAY: i64 = 24 * 60;

/// The parameter that tells a phone its polling minute.
pub const POLLING_TIME: &str = "prov.polling.time";

/// The parameter that a phone's clock stands or falls with.
pub const GMT_OFFSET: &str = "tcpIpApp.sntp.gmtOffset";

/// What decides the polling minute beside the device itself. Standard offsets only: the minute must not move when clocks do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PollingClock {
    /// First and last minute of the window in local time, the end exclusive.
    window: (u16, u16),
    /// Standard offset of the local zone in seconds; none where the zone is unknown.
    local_offset: Option<i64>,
    /// Offset that profiles give the phone, where they do.
    served_offset: Option<i64>,
}

impl PollingClock {
    /// Reads window and zone, and what the profiles say of the offset.
    pub fn new(effective: &Effective<'_>, time: LocalTime<'_>) -> Self {
        Self {
            window: time.window,
            local_offset: clock::of_zone(time.zone).ok().map(|zone| i64::from(zone.offset_seconds)),
            served_offset: effective.value(GMT_OFFSET).and_then(seconds),
        }
    }

    /// The time of day, `hh:mm` on the phone's own clock, at which the device polls.
    ///
    /// The phone's own override beats what is served. A phone that shows another offset than the local zone is given a
    /// time that is its minute of the window in local time.
    pub fn time_for(&self, device: &Device) -> String {
        let minute = (self.minute_of(&device.key.to_string()) + self.shift(device)).rem_euclid(MINUTES_A_DAY);
        format!("{:02}:{:02}", minute / 60, minute % 60)
    }

    /// The window on the phone's own clock.
    pub fn window_for(&self, device: &Device) -> (u16, u16) {
        let shift = self.shift(device).rem_euclid(MINUTES_A_DAY);
        let shifted = |minute: u16| match u16::try_from((i64::from(minute) + shift).rem_euclid(MINUTES_A_DAY)) {
            Ok(shifted) if shift != 0 => shifted,
            _ => minute,
        };
        (shifted(self.window.0), shifted(self.window.1))
    }

    /// Minutes from local time to the phone's own.
    fn shift(&self, device: &Device) -> i64 {
        let phone_offset = own_offset(device).or(self.served_offset);
        match (phone_offset, self.local_offset) {
            (Some(phone), Some(local)) => (phone - local).div_euclid(60),
            _ => 0,
        }
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

/// The offset that was set at the phone itself, in seconds; it beats what is served.
pub fn own_offset(device: &Device) -> Option<i64> {
    device.own_clock.get(GMT_OFFSET).and_then(seconds)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::testing::{device, parameter_set, profile, with_account, world};
    use crate::domain::world::World;
    use crate::domain::{deployment::Container, deployment::Placed, resolution::merge};

    fn minutes(time: &str) -> i64 {
        let (hours, minutes) = time.split_once(':').expect("hh:mm");
        hours.parse::<i64>().expect("hours") * 60 + minutes.parse::<i64>().expect("minutes")
    }

    fn clock(world: &World) -> PollingClock {
        PollingClock::new(&Effective::default(), LocalTime::at(None, world))
    }

    #[test]
    fn a_thousand_devices_spread_over_the_whole_window_and_never_leave_it() {
        let clock = clock(&world());
        let mut devices_at = [0; 120];
        for n in 0..12_000 {
            let minute = minutes(&clock.time_for(&device(&format!("0004f2{n:06x}"))));
            devices_at[usize::try_from(minute - 180).expect("not before 03:00")] += 1;
        }
        // A hundred a minute on average: five standard deviations to either side.
        assert!(devices_at.iter().all(|devices| (50..=150).contains(devices)), "{devices_at:?}");
    }

    #[test]
    fn the_minute_is_the_devices_own_and_stays_for_good() {
        let clock = clock(&world());
        assert_eq!(clock.time_for(&device("0004f2aabbcc")), "03:50");
        assert_eq!(clock.time_for(&device("8218404c20ccf9")), "03:47");
    }

    #[test]
    fn a_phone_with_another_offset_polls_at_the_same_moment() {
        let home = clock(&world()).time_for(&device("0004f2aabbcc"));
        // Berlin is one hour east of Greenwich, New York five hours west: six hours earlier on the phone's clock.
        let new_york = profile(1, &[(GMT_OFFSET, "-18000")]);
        let placed = [Placed { container: Container::Global, place: None, profile: &new_york }];
        let world = world();
        let served = PollingClock::new(&merge(&placed), LocalTime::at(None, &world));
        let expected = (minutes(&home) - 360).rem_euclid(MINUTES_A_DAY);
        assert_eq!(minutes(&served.time_for(&device("0004f2aabbcc"))), expected);

        let mut own = device("0004f2aabbcc");
        own.own_clock = parameter_set(&[(GMT_OFFSET, "3600")]);
        assert_eq!(served.time_for(&own), home, "the phone's own override beats what is served");
    }

    #[test]
    fn an_offset_that_is_no_number_moves_nothing() {
        let mut odd = device("0004f2aabbcc");
        odd.own_clock = parameter_set(&[(GMT_OFFSET, "summer")]);
        assert_eq!(clock(&world()).time_for(&odd), clock(&world()).time_for(&device("0004f2aabbcc")));
    }

    #[test]
    fn the_minute_does_not_depend_on_whether_the_zone_has_summer_time() {
        let in_zone = |zone: &str| clock(&with_account(world(), |account| account.time_zone = zone.to_owned()));
        let device = device("0004f2aabbcc");
        assert_eq!(in_zone("Europe/Berlin").time_for(&device), in_zone("Africa/Lagos").time_for(&device));
    }

    #[test]
    fn a_window_may_run_over_midnight_or_be_the_whole_day() {
        let times = |window| {
            let clock = clock(&with_account(world(), |account| account.polling_window = window));
            (0..3_000).map(move |n| minutes(&clock.time_for(&device(&format!("0004f2{n:06x}"))))).collect::<Vec<_>>()
        };
        assert!(times((1_380, 60)).iter().all(|minute| !(60..1_380).contains(minute)));
        assert!(times((1_380, 60)).iter().any(|minute| *minute < 60));
        assert!(times((0, 1_440)).iter().any(|minute| *minute > 1_400));
        assert!(times((300, 301)).iter().all(|minute| *minute == 300));
    }
}
