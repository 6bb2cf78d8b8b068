//! Who named a key and was not let in: what is kept of it, and whom it may cover.

use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{RefusedBound, Trust, is_default};
use crate::domain::manufacturer::CertificateFault;
use crate::domain::run::{Reason, next_step};

/// Somebody who named this key and was not let in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Knock {
    /// First time since it was last let in from there.
    pub first_at: Timestamp,
    /// Last time.
    pub at: Timestamp,
    /// Why not, the last time.
    pub reason: Reason,
    /// From where, the last time.
    pub address: IpAddr,
    /// What it says of itself: the model where one is recognised, else its cleaned User-Agent.
    pub told: Box<str>,
    /// How often.
    pub times: u32,
    /// It came over plain HTTP, where nothing that it may show is looked at.
    #[serde(default, skip_serializing_if = "is_default")]
    pub bare: bool,
    /// Why the certificate that it showed does not count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<CertificateFault>,
}

impl Knock {
    /// One refusal.
    pub fn new(at: Timestamp, reason: Reason, address: IpAddr, told: &str) -> Self {
        Self { first_at: at, at, reason, address, told: told.into(), times: 1, bare: false, certificate: None }
    }

    /// The same over plain HTTP, where nothing that it may show is looked at.
    #[must_use]
    pub fn bare(self) -> Self {
        Self { bare: true, ..self }
    }

    /// The same of somebody who showed a certificate that does not count.
    #[must_use]
    pub fn showing(self, certificate: Option<CertificateFault>) -> Self {
        Self { certificate, ..self }
    }

    /// Whether whoever knocked showed something that counts for this key.
    pub fn is_proven(&self) -> bool {
        !self.bare && proves(self.reason)
    }

    /// Why it was not let in, in words.
    pub fn why(&self) -> String {
        match self.certificate {
            Some(fault) => format!("{}; the certificate that it showed does not count: {fault}", self.reason),
            None => self.reason.to_string(),
        }
    }

    /// What to do about it; none where nothing is.
    pub fn next_step(&self) -> Option<&'static str> {
        match (self.reason, self.certificate) {
            // Nothing else keeps it out.
            (Reason::CertificateNeeded | Reason::CredentialsMissing, Some(fault)) => Some(fault.next_step()),
            (reason, _) => next_step(reason),
        }
    }

    /// Whether the last time is not long ago.
    fn is_fresh(&self, now: Timestamp) -> bool {
        now.duration_since(self.at) < SignedDuration::from_hours(24)
    }

    /// Whether this may be the same phone as the one that knocked before: it counts on.
    fn goes_on(&self, former: &Self) -> bool {
        self.address == former.address && self.is_proven() == former.is_proven()
    }
}

/// Whether somebody who was refused for this reason showed something that counts for the key that it named: credentials or a
/// certificate. Over plain HTTP nobody shows anything, and what was made for another device says nothing of this one.
fn proves(reason: Reason) -> bool {
    use Reason::{
        Blocked, Bound, CertificateNeeded, FactoryCredentials, ModelChanged, NotApproved, NotStaged, OtherPlace, ProvisioningOff,
        StagedTooLong, TooManyNew,
    };
    matches!(
        reason,
        Blocked
            | Bound
            | CertificateNeeded
            | FactoryCredentials
            | ModelChanged
            | NotApproved
            | NotStaged
            | OtherPlace
            | ProvisioningOff
            | StagedTooLong
            | TooManyNew
    )
}

impl Trust {
    /// Takes in one more refusal. Whoever shows nothing that counts neither hides nor counts for somebody else who did.
    pub fn refused(&mut self, knock: Knock) {
        self.first_heard.get_or_insert(knock.at);
        if knock.reason == Reason::Bound {
            let since = self.refused_bound.map_or(knock.at, |refused| refused.since);
            self.refused_bound = Some(RefusedBound { since, at: knock.at, address: knock.address });
        }
        let former = self.knock.take();
        let hides = |former: &Knock| !knock.is_proven() && former.is_proven() && former.is_fresh(knock.at);
        self.knock = Some(match former {
            Some(former) if hides(&former) => former,
            Some(former) if knock.goes_on(&former) => {
                Knock { first_at: former.first_at, times: former.times.saturating_add(1), ..knock }
            }
            _ => knock,
        });
    }

    /// Takes in that somebody at this address got over plain HTTP what it came for: it does not wait there any more.
    pub fn answered_in_clear(&mut self, address: IpAddr) {
        self.knock = self.knock.take().filter(|knock| !(knock.bare && knock.address == address));
    }
}

#[cfg(test)]
#[path = "knock_tests.rs"]
mod tests;
