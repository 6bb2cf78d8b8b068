//! Who named a key and was not let in: what is kept of it, and whom it may cover.

use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{RefusedBound, Trust, is_default};
use crate::domain::limits::{KNOCKS_ELSEWHERE, SILENT_MINUTES};
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
    /// It showed the factory default, where that is not the shared credentials.
    #[serde(default, skip_serializing_if = "is_default")]
    pub factory: bool,
    /// Why the certificate that it showed does not count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<CertificateFault>,
}

/// How much somebody showed who was not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// Nothing that counts: no credentials, wrong ones, or those of another device.
    Nothing,
    /// What anybody may do who knows a MAC: plain HTTP, or the factory default. A phone from the box or after a reset has no more.
    Open,
    /// The shared credentials, or what only this device has.
    Secret,
}

impl Knock {
    /// One refusal.
    pub fn new(at: Timestamp, reason: Reason, address: IpAddr, told: &str) -> Self {
        let told = told.into();
        Self { first_at: at, at, reason, address, told, times: 1, bare: false, factory: false, certificate: None }
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

    /// The same of somebody who showed the factory default or not, where that is not the shared credentials.
    #[must_use]
    pub fn with_factory_default(self, factory: bool) -> Self {
        Self { factory, ..self }
    }

    /// How much whoever knocked showed.
    pub fn weight(&self) -> Weight {
        use Reason::{CameOverHttp, FactoryCredentials, FactoryInClear, PlainHttpOff, Unidentified};
        let is_open = self.bare || self.factory;
        match self.reason {
            reason if !reason.is_held() || reason == Unidentified => Weight::Nothing,
            CameOverHttp | FactoryCredentials | FactoryInClear | PlainHttpOff => Weight::Open,
            _ if is_open => Weight::Open,
            _ => Weight::Secret,
        }
    }

    /// Whether it came with credentials or a certificate, be it with the factory default that everybody knows: no name over plain
    /// HTTP alone.
    pub fn has_credentials(&self) -> bool {
        use Reason::{CameOverHttp, FactoryInClear, PlainHttpOff};
        let is_plain = self.bare || matches!(self.reason, CameOverHttp | FactoryInClear | PlainHttpOff);
        !is_plain && self.weight() > Weight::Nothing
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
            (Reason::Bound, _) if self.factory => Some(
                "If this phone was reset or replaced, bind it again under Pending. If not, somebody asks for it with the factory default, \
                 which everybody knows: it opens nothing, and there is nothing to change",
            ),
            (Reason::Bound, _) => Some(
                "If this phone was reset or replaced, bind it again under Pending. If not, somebody else has the shared credentials: \
                 change them as leaked",
            ),
            (reason, _) => next_step(reason),
        }
    }

    /// Whether the last time is not long ago.
    fn is_fresh(&self, now: Timestamp) -> bool {
        now.duration_since(self.at) < SignedDuration::from_hours(24)
    }

    /// Whether this may be the same phone as the one that knocked before: it counts on.
    fn goes_on(&self, former: &Self) -> bool {
        self.address == former.address && self.weight() == former.weight()
    }

    /// Whether this is told on, whatever shows less. Of one address the most is told that it showed, and whoever shows nothing is
    /// told beside nobody who did.
    fn outdoes(&self, later: &Self) -> bool {
        let rank = |one: &Self| (one.weight(), !one.bare);
        let is_elsewhere = self.address != later.address;
        let outdoes = if is_elsewhere {
            later.weight() == Weight::Nothing && self.weight() > Weight::Nothing
        } else {
            rank(self) > rank(later)
        };
        outdoes && self.is_fresh(later.at)
    }

    /// Whether it stays away: a phone that waits asks every hour.
    fn is_silent(&self, now: Timestamp) -> bool {
        now.duration_since(self.at) > SignedDuration::from_mins(SILENT_MINUTES)
    }
}

impl Trust {
    /// Takes in one more refusal. Whoever shows nothing that counts neither hides nor counts for somebody else who did. All others
    /// are told side by side: what anybody may do covers nobody, for one of them may be the phone.
    pub fn refused(&mut self, knock: Knock) {
        self.first_heard.get_or_insert(knock.at);
        if knock.reason == Reason::Bound {
            let refused = if knock.factory { &mut self.refused_factory } else { &mut self.refused_bound };
            let since = refused.as_deref().map_or(knock.at, |refused| refused.since);
            *refused = Some(Box::new(RefusedBound { since, at: knock.at, address: knock.address }));
        }
        if self.knocks().any(|former| former.outdoes(&knock)) {
            return;
        }
        let former = self.knocks().find(|former| knock.goes_on(former));
        let (first_at, times) = former.map_or((knock.at, 1), |former| (former.first_at, former.times.saturating_add(1)));
        let mut kept = std::mem::take(&mut self.knocks_elsewhere);
        kept.extend(self.knock.take().map(|knock| *knock));
        let counts = |one: &Knock| one.weight() > Weight::Nothing || knock.weight() == Weight::Nothing;
        kept.retain(|one| one.address != knock.address && one.is_fresh(knock.at) && counts(one));
        if kept.len() > KNOCKS_ELSEWHERE {
            let least = self.least(&kept, knock.at);
            kept.retain(|one| Some(one.address) != least);
        }
        kept.push(Knock { first_at, times, ..knock });
        kept.sort_by_key(|one| (self.weight_of(one), one.at));
        self.knock = kept.pop().map(Box::new);
        self.knocks_elsewhere = kept;
    }

    /// Who is let go of where too many addresses ask: whoever shows least, of those one that has fallen silent, else the last who
    /// came: nobody pushes out a phone that goes on asking by coming from many addresses later. Never one where the device belongs.
    fn least(&self, kept: &[Knock], now: Timestamp) -> Option<IpAddr> {
        let away = kept.iter().filter(|one| ![self.home, self.last_address].contains(&Some(one.address)));
        let least = away.min_by_key(|one| {
            let is_lively = !one.is_silent(now);
            let order = if is_lively { now.duration_since(one.first_at) } else { one.at.duration_since(now) };
            (self.weight_of(one), is_lively, order)
        });
        least.map(|one| one.address)
    }

    /// How much a knock weighs for this key. What opens a bound device no more weighs no more than what anybody may show: a phone
    /// that was reset has nothing else.
    fn weight_of(&self, knock: &Knock) -> Weight {
        let most = if self.bound_at.is_some() { Weight::Open } else { Weight::Secret };
        knock.weight().min(most)
    }

    /// Who else may be the phone, besides this one who knocked: those elsewhere who showed as much.
    pub fn rivals<'a>(&'a self, one: &'a Knock) -> impl Iterator<Item = &'a Knock> {
        let counts = |other: &Knock| other.address != one.address && self.weight_of(other) >= self.weight_of(one);
        self.knocks().filter(move |other| counts(other))
    }

    /// Everybody who knocked and was not let in from there since: who showed most first, and of those the latest.
    pub fn knocks(&self) -> impl Iterator<Item = &Knock> {
        self.knock.as_deref().into_iter().chain(self.knocks_elsewhere.iter().rev())
    }

    /// Lets go of those who do not wait any more. The first of the others is shown then.
    pub(super) fn keep_knocks(&mut self, is_kept: impl Fn(&Knock) -> bool) {
        self.knocks_elsewhere.retain(&is_kept);
        if !self.knock.as_deref().is_some_and(is_kept) {
            self.knock = self.knocks_elsewhere.pop().map(Box::new);
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
