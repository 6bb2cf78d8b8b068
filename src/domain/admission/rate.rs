//! How many phones that nobody ever heard of may come in a time, and what is told of those that were too many (contract 4).

use std::collections::VecDeque;
use std::fmt;
use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};

use crate::domain::limits::{NEW_DEVICES_PER_ADDRESS, NEW_DEVICES_PER_HOUR, NEWCOMERS_COUNTED};
use crate::domain::source::Source;
use crate::domain::trust::Weight;

/// Span in which [`NewDeviceCaps::per_address`] counts.
const BY_ADDRESS: SignedDuration = SignedDuration::from_mins(10);
/// Span in which [`NewDeviceCaps::per_hour`] counts.
const BY_ACCOUNT: SignedDuration = SignedDuration::from_hours(1);

/// How many came lately. A sweep over MAC addresses gets on this slowly, whatever credentials it shows.
#[derive(Debug)]
pub struct NewDevices {
    caps: NewDeviceCaps,
    /// Those of the last hour, oldest first: no more than [`NewDeviceCaps::per_hour`], or than [`NEWCOMERS_COUNTED`] where only their
    /// addresses count.
    recent: VecDeque<(Timestamp, Source)>,
}

/// How many new devices may come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewDeviceCaps {
    /// From one address in ten minutes.
    pub per_address: usize,
    /// To one account in an hour.
    pub per_hour: usize,
}

impl Default for NewDeviceCaps {
    fn default() -> Self {
        Self { per_address: NEW_DEVICES_PER_ADDRESS, per_hour: NEW_DEVICES_PER_HOUR }
    }
}

/// No more may come for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full {
    /// What is used up.
    pub cap: Cap,
    /// When one more may come.
    pub until: Timestamp,
}

/// A limit, with its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cap {
    /// [`NewDeviceCaps::per_address`].
    Address(usize),
    /// [`NewDeviceCaps::per_hour`].
    Account(usize),
}

/// Somewhere from which more new phones asked than may. `Display` tells it as a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeldBack {
    /// From where, the last time.
    pub address: IpAddr,
    /// The last time.
    pub last: Timestamp,
    /// Requests that were not heard.
    pub times: u32,
    /// The most that any of them showed.
    pub shown: Weight,
    /// Why not, and until when.
    pub full: Full,
}

impl fmt::Display for HeldBack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { address, times, full: Full { cap, until }, .. } = self;
        let until = until.strftime("%H:%M UTC");
        let requests = if *times == 1 { "1 request".to_owned() } else { format!("{times} requests") };
        match cap {
            Cap::Address(most) => write!(
                f,
                "{address} asked for more than {most} new phones within ten minutes, and {requests} from there went unheard; new \
                 phones from there are heard again at {until}"
            ),
            Cap::Account(most) => write!(
                f,
                "More than {most} new phones came within an hour, and {requests} from {address} went unheard; new phones are heard \
                 again at {until}"
            ),
        }
    }
}

impl NewDevices {
    /// None came yet.
    pub fn new(caps: NewDeviceCaps) -> Self {
        Self { caps, recent: VecDeque::new() }
    }

    /// Counts one more, where it may come.
    ///
    /// # Errors
    /// What is used up, and until when.
    pub fn admit(&mut self, now: Timestamp, address: IpAddr) -> Result<(), Full> {
        let source = self.room_at(now, address)?;
        if self.recent.len() >= self.caps.per_hour {
            let first = self.recent.front().map_or(now, |(at, _)| *at);
            return Err(Full { cap: Cap::Account(self.caps.per_hour), until: first + BY_ACCOUNT });
        }
        self.recent.push_back((now, source));
        Ok(())
    }

    /// The same by its address alone. An account's number for an hour is none for what everybody may do: it would let anybody use it
    /// up for all.
    ///
    /// # Errors
    /// As [`Self::admit`].
    pub fn admit_by_address(&mut self, now: Timestamp, address: IpAddr) -> Result<(), Full> {
        let source = self.room_at(now, address)?;
        if self.recent.len() >= NEWCOMERS_COUNTED {
            self.recent.pop_front();
        }
        self.recent.push_back((now, source));
        Ok(())
    }

    fn room_at(&mut self, now: Timestamp, address: IpAddr) -> Result<Source, Full> {
        let source = Source::of(address);
        while self.recent.front().is_some_and(|(at, _)| now.duration_since(*at) >= BY_ACCOUNT) {
            self.recent.pop_front();
        }
        let lately = self.recent.iter().rev().take_while(|(at, _)| now.duration_since(*at) < BY_ADDRESS);
        let (mut from_here, mut first_here) = (0, now);
        for (at, _) in lately.filter(|(_, from)| *from == source) {
            (from_here, first_here) = (from_here + 1, *at);
        }
        if from_here >= self.caps.per_address {
            return Err(Full { cap: Cap::Address(self.caps.per_address), until: first_here + BY_ADDRESS });
        }
        Ok(source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> IpAddr {
        IpAddr::from([10, 0, 0, last])
    }

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(minute * 60).expect("a time within the range")
    }

    #[test]
    fn phn_10_new_devices_are_counted_by_address_and_by_hour() {
        let mut new = NewDevices::new(NewDeviceCaps { per_address: 2, per_hour: 4 });
        let mut admits = |minute, address| new.admit(at(minute), address).map_err(|full| (full.cap, full.until));
        assert_eq!((admits(0, address(1)), admits(1, address(1))), (Ok(()), Ok(())));
        assert_eq!(admits(9, address(1)), Err((Cap::Address(2), at(10))), "the third within ten minutes");
        assert_eq!(admits(9, address(2)), Ok(()), "another address is not affected");
        assert_eq!(admits(10, address(1)), Ok(()), "the first is ten minutes past");
        assert_eq!(admits(30, address(3)), Err((Cap::Account(4), at(60))), "four within the hour");
        assert_eq!(admits(60, address(3)), Ok(()), "the first is an hour past");
    }

    #[test]
    fn what_everybody_may_do_is_counted_by_its_address_alone() {
        let mut new = NewDevices::new(NewDeviceCaps { per_address: 2, per_hour: 4 });
        let mut admits = |minute, address| new.admit_by_address(at(minute), address).map_err(|full| full.cap);
        for other in 1..=20 {
            assert_eq!((admits(0, address(other)), admits(0, address(other))), (Ok(()), Ok(())));
            assert_eq!(admits(1, address(other)), Err(Cap::Address(2)));
        }
        assert_eq!(admits(1, address(21)), Ok(()), "no flood uses anything up for others");
    }

    #[test]
    fn an_ipv6_network_is_one_address() {
        let mut new = NewDevices::new(NewDeviceCaps { per_address: 1, per_hour: 9 });
        let mut admits = |text: &str| new.admit(at(0), text.parse().expect("an address")).is_ok();
        assert!(admits("2001:db8::1") && !admits("2001:db8::ffff:2") && admits("2001:db8:0:1::1"));
        assert!(admits("192.0.2.1") && !admits("::ffff:192.0.2.1"));
    }

    #[test]
    fn what_was_held_back_is_told_with_its_number_and_the_end() {
        let told = |cap, times| {
            HeldBack { address: address(9), last: at(5), times, shown: Weight::Open, full: Full { cap, until: at(70) } }
                .to_string()
        };
        let words = told(Cap::Address(100), 5_000);
        assert!(words.contains("10.0.0.9 asked for more than 100 new phones") && words.contains("5000 requests"), "{words}");
        assert!(words.ends_with("again at 01:10 UTC"), "{words}");
        assert!(told(Cap::Account(2_000), 1).contains("1 request from 10.0.0.9"));
    }
}
