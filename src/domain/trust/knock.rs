//! Who named a key and was not let in: what is kept of it, and whom it may cover.

use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{RefusedBound, Trust, is_default};
use crate::domain::limits::KNOCKS_ELSEWHERE;
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
    /// Takes in one more refusal. Whoever shows nothing that counts neither hides nor counts for somebody else who did. Of those who
    /// show as much, the last one is shown first and does not cover the others: one of them may be the phone.
    pub fn refused(&mut self, knock: Knock) {
        self.first_heard.get_or_insert(knock.at);
        if knock.reason == Reason::Bound {
            let since = self.refused_bound.map_or(knock.at, |refused| refused.since);
            self.refused_bound = Some(RefusedBound { since, at: knock.at, address: knock.address });
        }
        let hides = |former: &Knock| !knock.is_proven() && former.is_proven() && former.is_fresh(knock.at);
        if self.knock.as_ref().is_some_and(hides) {
            return;
        }
        self.knocks_elsewhere.extend(self.knock.take());
        let former = self.knocks_elsewhere.iter().find(|former| knock.goes_on(former));
        let (first_at, times) = former.map_or((knock.at, 1), |former| (former.first_at, former.times.saturating_add(1)));
        self.knocks_elsewhere
            .retain(|one| one.address != knock.address && one.is_proven() == knock.is_proven() && one.is_fresh(knock.at));
        if self.knocks_elsewhere.len() > KNOCKS_ELSEWHERE {
            // Whoever was there first stays: nobody pushes out a phone that waits by coming from many addresses later.
            let newest = self.knocks_elsewhere.iter().max_by_key(|one| one.first_at).map(|one| one.address);
            self.knocks_elsewhere.retain(|one| Some(one.address) != newest);
        }
        self.knock = Some(Knock { first_at, times, ..knock });
    }

    /// Everybody who knocked and was not let in from there since, the latest first.
    pub fn knocks(&self) -> impl Iterator<Item = &Knock> {
        self.knock.iter().chain(self.knocks_elsewhere.iter().rev())
    }

    /// Lets go of those who do not wait any more. The latest of the others is shown then.
    pub(super) fn keep_knocks(&mut self, is_kept: impl Fn(&Knock) -> bool) {
        self.knocks_elsewhere.retain(&is_kept);
        if !self.knock.as_ref().is_some_and(is_kept) {
            self.knock = self.knocks_elsewhere.pop();
        }
    }

    /// Lets go of all of them: a person decided about this key.
    pub fn forget_knocks(&mut self) {
        self.keep_knocks(|_| false);
    }

    /// Takes in that somebody at this address got over plain HTTP what it came for: it does not wait there any more.
    pub fn answered_in_clear(&mut self, address: IpAddr) {
        self.keep_knocks(|knock| !(knock.bare && knock.address == address));
    }
}

#[cfg(test)]
#[path = "knock_tests.rs"]
mod tests;
