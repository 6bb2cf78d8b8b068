//! What a phone is answered over plain HTTP that does not know our certificate authority yet: pure (contract 3).
//!
//! A phone from the box refuses our certificate. Over plain HTTP it is given the authority and a time server (stage 1), and only
//! when a log of it came over TLS our HTTPS address (stage 2): a phone that could not follow is never sent there.

use std::net::IpAddr;

use jiff::Timestamp;

use super::account::Account;
use super::admission::decide::comes_back;
use super::device::DeviceKey;
use super::mac::Mac;
use super::phone_file::PhoneFile;
use super::run::{HandshakeFault, Reason};
use super::trust::Trust;
use super::user_agent::UserAgent;

/// How far a phone is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// It is given what it needs to trust us.
    Trust {
        /// Its handshake shared no cipher suite with us: then it is given a list that does.
        lacks_suite: bool,
    },
    /// It showed that it trusts us, and is given our HTTPS address.
    Move,
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// The master file of this phone.
    Master(Mac),
    /// The file that our master names.
    File(Mac),
    /// A master file, and nothing says whose.
    AnyMaster,
    /// Anything else, which is not there.
    Nothing,
}

impl Wanted {
    /// What a GET or HEAD of this file asks for.
    ///
    /// A phone asks for `000000000000.cfg` when its own could not be had. Whose it is, its serial tag says: it gets what its own
    /// would be. A 404, or a master without files, could cost a phone its lines.
    pub fn of(file: &PhoneFile, agent: Option<&UserAgent>) -> Self {
        match file {
            PhoneFile::Master(DeviceKey::Mac(mac)) if !mac.is_zero() => Self::Master(*mac),
            PhoneFile::Bootstrap(DeviceKey::Mac(mac)) if !mac.is_zero() => Self::File(*mac),
            PhoneFile::MasterDefault => match agent.and_then(|agent| agent.tag.as_ref()).and_then(DeviceKey::mac) {
                Some(mac) => Self::Master(mac),
                None => Self::AnyMaster,
            },
            _ => Self::Nothing,
        }
    }
}

/// Why a phone gets nothing over plain HTTP but the word to come again, if it is so. One that was ever served in full must not
/// lose its lines, unless it may come back with factory settings (contract 4, point 2).
pub fn held(trust: &Trust, is_blocked: bool, address: IpAddr, account: &Account, now: Timestamp) -> Option<Reason> {
    if is_blocked {
        return Some(Reason::Blocked);
    }
    let is_at_home = trust.served_at.is_some() && !comes_back(trust, address, account.admission.nearby, now);
    is_at_home.then_some(Reason::CameOverHttp)
}

/// The stage of a phone that asks from this address. Proof counts where it was given.
pub fn stage(trust: &Trust, address: IpAddr) -> Stage {
    match trust.bootstrap_at(address) {
        Some(bootstrap) if bootstrap.proven_at.is_some() => Stage::Move,
        Some(bootstrap) => Stage::Trust { lacks_suite: bootstrap.fault == Some(HandshakeFault::NoCommonSuite) },
        None => Stage::Trust { lacks_suite: false },
    }
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan;

    use super::*;
    use crate::domain::phone_file::PhonePath;
    use crate::domain::testing::world;
    use crate::domain::trust::{Admitted, Right, RightKind};

    fn at(minutes: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + minutes.minutes()
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    fn wanted(path: &str, tag: Option<&str>) -> Wanted {
        let agent = UserAgent { tag: tag.map(|tag| tag.parse().expect("a key")), ..UserAgent::default() };
        Wanted::of(&PhonePath::parse(path).file, Some(&agent))
    }

    #[test]
    fn masters_and_bootstrap_files_are_known_in_any_letter_case_and_nothing_else_is() {
        let mac: Mac = "0004f2aa0001".parse().expect("a MAC");
        let (tagged, untagged) = (Some("0004f2aa0001"), None);
        assert_eq!(wanted("/0004F2AA0001.CFG", untagged), Wanted::Master(mac));
        assert_eq!(wanted("/default/0004f2aa0001-bootstrap.cfg", untagged), Wanted::File(mac));
        assert_eq!(wanted("/000000000000.cfg", tagged), Wanted::Master(mac));
        assert_eq!(wanted("/000000000000.cfg", untagged), Wanted::AnyMaster);
        let others = ["/0004f2aa0001-profile.cfg", "/0004f2aa0001-phone.cfg", "/sip.ld", "/8218404c20ccf9.cfg", "/x.cfg"];
        for path in others {
            assert_eq!(wanted(path, tagged), Wanted::Nothing, "{path}");
        }
    }

    #[test]
    fn whoever_was_served_in_full_gets_nothing_unless_it_may_come_back() {
        let (world, here, there) = (world(), ip("10.0.0.7"), ip("10.9.0.7"));
        let held = |trust: &Trust, address| held(trust, false, address, &world.account, at(10));
        let fresh = Trust { first_heard: Some(at(0)), ..Trust::default() };
        assert_eq!(held(&fresh, here), None);
        let served = Trust { served_at: Some(at(0)), last_address: Some(here), ..Trust::default() };
        assert_eq!(held(&served, here), Some(Reason::CameOverHttp));
        let expected = Trust { expected_until: Some(at(60)), ..served.clone() };
        assert_eq!((held(&expected, here), held(&expected, there)), (None, Some(Reason::CameOverHttp)));
        let right = Right { address: there, given_at: at(0), by: "Ada".to_owned(), kind: RightKind::Adopt };
        let let_in = Trust { right: Some(Box::new(right)), ..served };
        assert_eq!((held(&let_in, here), held(&let_in, there)), (Some(Reason::CameOverHttp), None));
        assert_eq!(super::held(&fresh, true, here, &world.account, at(10)), Some(Reason::Blocked));
    }

    #[test]
    fn proof_counts_from_the_address_that_fetched_stage_1_and_only_after_it() {
        let (here, there) = (ip("10.0.0.7"), ip("10.0.0.8"));
        let first = Stage::Trust { lacks_suite: false };
        let mut trust = Trust::default();
        trust.log_came(at(0), here);
        assert_eq!((trust.bootstrap.is_none(), stage(&trust, here)), (true, first), "before stage 1 it proves nothing");
        trust.bootstrapped(at(1), here);
        trust.log_came(at(2), there);
        assert_eq!(stage(&trust, here), first, "a log from elsewhere");
        trust.handshake_failed(there, HandshakeFault::NoCommonSuite);
        assert_eq!(stage(&trust, here), first, "somebody else's handshake");
        trust.handshake_failed(here, HandshakeFault::NoCommonSuite);
        assert_eq!(stage(&trust, here), Stage::Trust { lacks_suite: true });
        trust.handshake_failed(here, HandshakeFault::UnknownCa);
        assert_eq!(stage(&trust, here), first);
        trust.log_came(at(3), here);
        assert_eq!((stage(&trust, here), stage(&trust, there)), (Stage::Move, first));
        trust.handshake_failed(here, HandshakeFault::NoCommonSuite);
        assert_eq!(stage(&trust, here), Stage::Move, "proof stays proof");
        trust.bootstrapped(at(4), here);
        assert_eq!(stage(&trust, here), Stage::Move);
        trust.bootstrapped(at(5), there);
        assert_eq!((stage(&trust, here), stage(&trust, there)), (Stage::Move, first), "elsewhere it begins anew, and only there");
        trust.let_in(at(6), here, Admitted::FactoryDefault);
        assert_eq!((stage(&trust, here), stage(&trust, there)), (first, first), "whoever was let in has no need of it");
    }

    #[test]
    fn requests_from_elsewhere_cost_a_phone_neither_its_place_nor_its_proof() {
        let (here, mut trust) = (ip("10.0.0.7"), Trust::default());
        trust.bootstrapped(at(0), here);
        trust.bootstrapped(at(1), ip("10.6.6.6"));
        trust.log_came(at(2), here);
        for number in 0..200_u8 {
            trust.bootstrapped(at(3 + i64::from(number)), IpAddr::from([10, 6, 6, number]));
        }
        assert_eq!(stage(&trust, here), Stage::Move);
        assert!(trust.bootstraps_elsewhere.len() <= crate::domain::limits::BOOTSTRAPS_PER_DEVICE);
        trust.bootstrapped(at(300), here);
        assert_eq!(trust.bootstrap.as_ref().map(|one| (one.address, one.proven_at)), Some((here, Some(at(2)))));
    }
}
