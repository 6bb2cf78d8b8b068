//! The way of a phone from plain HTTP to here, as far as it was seen: what it was given, and whether it showed that it trusts us
//! (contract 3). What it is answered by that is [`crate::domain::bootstrap`]'s to say.

use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::Trust;
use crate::domain::limits::{BOOTSTRAPS_PER_DEVICE, COMING_UP_HOURS};
use crate::domain::run::HandshakeFault;

/// How far a phone is that came over plain HTTP (contract 3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bootstrap {
    /// When it last fetched its bootstrap file.
    pub fetched_at: Timestamp,
    /// From where: proof counts from there alone.
    pub address: IpAddr,
    /// When it showed over TLS that it trusts us.
    pub proven_at: Option<Timestamp>,
    /// When it was first told our HTTPS address in a file with one CA of ours: from then on it knows no other way and no other CA.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved_at: Option<Timestamp>,
    /// What the last failed handshake from there said, while there is no proof.
    pub fault: Option<HandshakeFault>,
    /// The last log that came over TLS from another address, while there is no proof. It proves nothing, and may be anybody's; a phone
    /// with two addresses never gets on, and this is the only sign of it: what comes without credentials is in no run of a phone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stray_log: Option<StrayLog>,
}

/// A log that came over TLS from another address than the one that was given our CA.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StrayLog {
    /// When it came.
    pub at: Timestamp,
    /// From where.
    pub address: IpAddr,
}

impl Trust {
    /// Takes in that it fetched its bootstrap file over plain HTTP. At each address the way begins anew, and a few are remembered.
    pub fn bootstrapped(&mut self, at: Timestamp, address: IpAddr) {
        self.first_heard.get_or_insert(at);
        match &mut self.bootstrap {
            Some(bootstrap) if bootstrap.address == address => bootstrap.fetched_at = at,
            _ => {
                let known = self.bootstraps_elsewhere.iter().position(|one| one.address == address);
                let known = known.map(|at| self.bootstraps_elsewhere.remove(at));
                let begun = known.unwrap_or(Bootstrap {
                    fetched_at: at,
                    address,
                    proven_at: None,
                    moved_at: None,
                    fault: None,
                    stray_log: None,
                });
                let former = self.bootstrap.replace(Box::new(Bootstrap { fetched_at: at, ..begun }));
                self.bootstraps_elsewhere.extend(former.map(|former| *former));
                if self.bootstraps_elsewhere.len() > BOOTSTRAPS_PER_DEVICE {
                    // Who has proof goes last: it is a phone that trusts us.
                    let least = |one: &&Bootstrap| (one.moved_at.is_some(), one.proven_at.is_some(), one.fetched_at);
                    let gone = self.bootstraps_elsewhere.iter().min_by_key(least).map(|one| one.address);
                    self.bootstraps_elsewhere.retain(|one| Some(one.address) != gone);
                }
            }
        }
        if let Some(bootstrap) = &mut self.bootstrap {
            let is_lately = |log: &StrayLog| at.duration_since(log.at) < SignedDuration::from_hours(COMING_UP_HOURS);
            bootstrap.stray_log = bootstrap.stray_log.filter(is_lately);
        }
    }

    /// Takes in that it was told our HTTPS address, in a file with one CA of ours.
    pub fn moved(&mut self, at: Timestamp, address: IpAddr) {
        let mut all = self.bootstrap.as_deref_mut().into_iter().chain(&mut self.bootstraps_elsewhere);
        if let Some(bootstrap) = all.find(|bootstrap| bootstrap.address == address) {
            bootstrap.moved_at.get_or_insert(at);
        }
    }

    /// Those that were told our HTTPS address under this key, and not let in since.
    pub fn moved_here(&self) -> impl Iterator<Item = &Bootstrap> {
        self.bootstrap.as_deref().into_iter().chain(&self.bootstraps_elsewhere).filter(|bootstrap| bootstrap.moved_at.is_some())
    }

    /// Takes in that nobody needs to wait for whoever was led here under this key: a person knows better.
    pub fn not_waited_for(&mut self) {
        let all = self.bootstrap.as_deref_mut().into_iter().chain(&mut self.bootstraps_elsewhere);
        all.for_each(|bootstrap| bootstrap.moved_at = None);
    }

    /// The log that came from another address than whoever asked last under this key, while there is no proof.
    pub fn stray_log(&self) -> Option<StrayLog> {
        self.bootstrap.as_ref()?.stray_log
    }

    /// How far whoever asks from this address is on the way from plain HTTP to here.
    pub fn bootstrap_at(&self, address: IpAddr) -> Option<&Bootstrap> {
        self.bootstrap.as_deref().into_iter().chain(&self.bootstraps_elsewhere).find(|one| one.address == address)
    }

    /// Takes in a log that came over TLS, with whatever credentials: from the address that fetched the bootstrap file it proves
    /// that this phone trusts us (contract 3).
    pub fn log_came(&mut self, at: Timestamp, address: IpAddr) {
        if let Some(bootstrap) = self.unproven_at(address) {
            (bootstrap.proven_at, bootstrap.fault, bootstrap.stray_log) = (Some(at), None, None);
        }
        let all = self.bootstrap.as_deref_mut().into_iter().chain(&mut self.bootstraps_elsewhere);
        for bootstrap in all.filter(|one| one.address != address && one.proven_at.is_none()) {
            bootstrap.stray_log = Some(StrayLog { at, address });
        }
        // Where another phone may have been led here under this key, nothing is known of that one.
        if self.bootstrap_at(address).is_some() && self.moved_here().all(|one| one.address == address) {
            self.takeover.confirmed();
        }
    }

    /// Takes in a failed handshake of somebody at this address: the cause of the missing proof, as far as anybody knows.
    pub fn handshake_failed(&mut self, address: IpAddr, fault: HandshakeFault) {
        if let Some(bootstrap) = self.unproven_at(address) {
            bootstrap.fault = Some(fault);
        }
    }

    fn unproven_at(&mut self, address: IpAddr) -> Option<&mut Bootstrap> {
        let mut all = self.bootstrap.as_deref_mut().into_iter().chain(&mut self.bootstraps_elsewhere);
        all.find(|bootstrap| bootstrap.address == address && bootstrap.proven_at.is_none())
    }
}
