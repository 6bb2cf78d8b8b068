//! What we have learned of one key, device or not yet: whether it was ever served, with which credentials it comes, which rights
//! people gave it, and why it was not let in (contract 3 and 4).
//!
//! A [`Trust`] changes by facts only: a message, the end of a run, a person's click. What a request is worth in its light is
//! [`super::admission::decide`]'s to say.

use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::limits::{EXPECTED_HOURS, RIGHT_HOURS, STAGED_DAYS};
use super::manufacturer::Presented;
use super::rollover::Takeover;
use super::run::{HandshakeFault, Reason, Run, RunKind, Shown};

/// Complete runs with its own credentials after which a device is bound (contract 4, point 2).
pub const RUNS_UNTIL_BOUND: u8 = 2;

/// What we know of one key. Its JSON is the stored form. It outlives its device where [`Trust::must_outlive`] says so.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Trust {
    /// Counts the credentials and admin passwords that the device was given: they derive from this number (contract 4).
    #[serde(skip_serializing_if = "is_default")]
    pub generation: u32,
    /// The oldest generation that still opens: lower than [`Trust::generation`] until the device came with the present one.
    #[serde(skip_serializing_if = "is_default")]
    pub oldest_generation: u32,
    /// First message, over whichever listener.
    pub first_heard: Option<Timestamp>,
    /// When it first got its effective configuration. Such a phone has lines to lose.
    pub served_at: Option<Timestamp>,
    /// The address from which the shared credentials open it: the first one, or where a person let it in.
    pub home: Option<IpAddr>,
    /// Where it was last let in.
    pub last_address: Option<IpAddr>,
    /// What came of its own credentials so far.
    #[serde(skip_serializing_if = "is_default")]
    pub own: OwnRuns,
    /// Since when only its own proof opens it.
    pub bound_at: Option<Timestamp>,
    /// What a person allowed.
    pub right: Option<Right>,
    /// Until when it may come back after a reset or a replacement (contract 4, point 2).
    pub expected_until: Option<Timestamp>,
    /// From when the days of a staged device count; none: from its adding.
    pub staged_at: Option<Timestamp>,
    /// The shared password with which it last came, by the account's count of them.
    pub shared_generation: Option<u32>,
    /// What is known of its factory certificate.
    #[serde(skip_serializing_if = "is_default")]
    pub certificate: Certificate,
    /// The same as a person read it off the phone (R374). It is shown where no handshake says more, and opens nothing.
    #[serde(skip_serializing_if = "is_default")]
    pub certificate_read: Certificate,
    /// How far it is on the way from plain HTTP to here.
    pub bootstrap: Option<Bootstrap>,
    /// How far it is on the way to a new private CA of ours.
    #[serde(skip_serializing_if = "is_default")]
    pub takeover: Takeover,
    /// Why it was last not let in; none once it was.
    pub knock: Option<Knock>,
    /// It was last served in full without TLS (R316).
    #[serde(skip_serializing_if = "is_default")]
    pub clear_text: bool,
    /// The address of ours by which it was last let in, as [`super::server::BaseUrl`] writes it.
    pub address_used: Option<Box<str>>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Complete runs with its own credentials.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnRuns {
    /// How many, counted up to [`RUNS_UNTIL_BOUND`].
    pub complete: u8,
    /// Whether one of them was a boot with its Updater.
    pub boot: bool,
}

/// What a person allowed by a click.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Right {
    /// Only from here.
    pub address: IpAddr,
    /// Since when.
    pub given_at: Timestamp,
    /// By whom, as the activity log names them.
    pub by: String,
    /// What for.
    pub kind: RightKind,
}

/// What a click on the page *Pending* was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RightKind {
    /// To be let in from there with the shared credentials or the factory default: until one complete run, at most 25 hours.
    LetIn,
    /// To be handed its credentials though it shows only the factory default: until it came with them (R184).
    Adopt,
}

impl Right {
    /// Whether it still counts.
    pub fn is_valid(&self, now: Timestamp) -> bool {
        match self.kind {
            RightKind::LetIn => now.duration_since(self.given_at) < SignedDuration::from_hours(RIGHT_HOURS),
            RightKind::Adopt => true,
        }
    }
}

/// What is known of a phone's factory certificate: the states of R374 and why one does not count.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Certificate {
    /// It was never asked for, or never heard of since.
    #[default]
    Unknown,
    /// It came and was verified: *Factory Installed*.
    FactoryInstalled,
    /// It was asked for and none came.
    NotInstalled,
    /// One came that does not count, for this reason.
    Invalid(Box<str>),
}

impl Certificate {
    /// The states that a person can read off a phone, each with its word for forms and programs.
    pub fn read_off() -> [(&'static str, Self); 4] {
        let states = [Self::Unknown, Self::FactoryInstalled, Self::NotInstalled, Self::Invalid(Box::default())];
        states.map(|state| (state.word(), state))
    }

    /// The word of a state.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::FactoryInstalled => "factory-installed",
            Self::NotInstalled => "not-installed",
            Self::Invalid(_) => "invalid",
        }
    }

    /// The state as phones show it, in *Menu, Status, Platform, Phone* (R374).
    pub fn label(&self) -> &'static str {
        match self {
            Self::Unknown => "Not known",
            Self::FactoryInstalled => "Factory Installed",
            Self::NotInstalled => "Not Installed",
            Self::Invalid(_) => "Invalid",
        }
    }

    /// Why it does not count, where that is known.
    pub fn fault(&self) -> Option<&str> {
        match self {
            Self::Invalid(why) if !why.is_empty() => Some(why),
            _ => None,
        }
    }
}

/// How far a phone is that came over plain HTTP (contract 3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bootstrap {
    /// When it last fetched its bootstrap file.
    pub fetched_at: Timestamp,
    /// From where: proof counts from there alone.
    pub address: IpAddr,
    /// When it showed over TLS that it trusts us.
    pub proven_at: Option<Timestamp>,
    /// What the last failed handshake from there said, while there is no proof.
    pub fault: Option<HandshakeFault>,
}

/// Somebody who named this key and was not let in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Knock {
    /// First time since it was last let in.
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
}

impl Trust {
    /// Until when the shared credentials let in a device that was added beforehand and never came.
    pub fn staged_until(&self, added_at: Timestamp) -> Timestamp {
        self.staged_at.unwrap_or(added_at) + SignedDuration::from_hours(24 * STAGED_DAYS)
    }

    /// Opens the window in which the device may come back with factory settings.
    pub fn expect(&mut self, now: Timestamp) {
        self.expected_until = Some(now + SignedDuration::from_hours(EXPECTED_HOURS));
        self.staged_at = Some(now);
    }

    /// Whether it may come back right now.
    pub fn is_expected(&self, now: Timestamp) -> bool {
        self.expected_until.is_some_and(|until| now < until)
    }

    /// The right that a person gave for this address, while it counts.
    pub fn right_at(&self, address: IpAddr, now: Timestamp) -> Option<&Right> {
        self.right.as_ref().filter(|right| right.address == address && right.is_valid(now))
    }

    /// Whether credentials of a generation open. One above ours was handed out by us before we were restored from a copy.
    pub fn opens(&self, generation: u32) -> bool {
        generation >= self.oldest_generation
    }

    /// Takes back what was learned of its credentials: the shared ones open it again.
    pub fn unbind(&mut self) {
        self.bound_at = None;
        self.own = OwnRuns::default();
    }

    /// Gives it new credentials. The former ones open until it came with the new ones.
    pub fn renew(&mut self) {
        self.generation += 1;
    }

    /// Whether this must be kept when the device is deleted: else credentials that were taken away would open again.
    pub fn must_outlive(&self) -> bool {
        self.generation > 0
    }

    /// What is kept of it when the device is deleted and may come back as a new one (contract 5.14).
    pub fn forgotten(&self) -> Self {
        Self { generation: self.generation, oldest_generation: self.oldest_generation, ..Self::default() }
    }

    /// Takes in one more refusal.
    pub fn refused(&mut self, at: Timestamp, reason: Reason, address: IpAddr, told: &str) {
        self.first_heard.get_or_insert(at);
        let (first_at, times) = self.knock.as_ref().map_or((at, 0), |knock| (knock.first_at, knock.times));
        self.knock = Some(Knock { first_at, at, reason, address, told: told.into(), times: times.saturating_add(1) });
    }

    /// Takes in a request that was let in.
    pub fn let_in(&mut self, at: Timestamp, address: IpAddr, admitted: Admitted) {
        self.first_heard.get_or_insert(at);
        self.last_address = Some(address);
        self.knock = None;
        self.bootstrap = None;
        match admitted {
            Admitted::Own(generation) => {
                self.generation = self.generation.max(generation);
                self.oldest_generation = self.oldest_generation.max(generation);
                self.right = self.right.take().filter(|right| right.kind != RightKind::Adopt);
            }
            Admitted::Certificate => self.certificate = Certificate::FactoryInstalled,
            Admitted::Shared(generation) => self.shared_generation = self.shared_generation.max(Some(generation)),
            Admitted::FactoryDefault => {}
        }
        // Where a person, or the window that a person opened, let it in: from there it may come again.
        if self.home.is_none() || self.right_at(address, at).is_some() || self.is_expected(at) {
            self.home = Some(address);
        }
    }

    /// Takes in what its handshake showed of its factory certificate. Whoever was not let in may be somebody else, and some
    /// requests of a phone come without it (protocol/provisioning.md 7): neither takes the place of one that was verified.
    pub fn showed(&mut self, presented: &Presented, is_let_in: bool) {
        let next = match presented {
            Presented::NotAsked => return,
            Presented::Verified(_) => Certificate::FactoryInstalled,
            Presented::Unverified(fault) if is_let_in || self.certificate != Certificate::FactoryInstalled => {
                Certificate::Invalid(fault.to_string().into())
            }
            Presented::Nothing if self.certificate == Certificate::Unknown => Certificate::NotInstalled,
            Presented::Unverified(_) | Presented::Nothing => return,
        };
        self.certificate = next;
    }

    /// Takes in by which address of ours it came.
    pub fn came_by(&mut self, url: &str) {
        if self.address_used.as_deref() != Some(url) {
            self.address_used = Some(url.into());
        }
    }

    /// What is known of its factory certificate: by handshake, else as a person read it off the phone.
    pub fn certificate_state(&self) -> &Certificate {
        if self.certificate == Certificate::Unknown { &self.certificate_read } else { &self.certificate }
    }

    /// Takes in that it fetched its bootstrap file over plain HTTP. From another address everything begins anew.
    pub fn bootstrapped(&mut self, at: Timestamp, address: IpAddr) {
        self.first_heard.get_or_insert(at);
        match &mut self.bootstrap {
            Some(bootstrap) if bootstrap.address == address => bootstrap.fetched_at = at,
            other => *other = Some(Bootstrap { fetched_at: at, address, proven_at: None, fault: None }),
        }
    }

    /// Takes in a log that came over TLS, with whatever credentials: from the address that fetched the bootstrap file it proves
    /// that this phone trusts us (contract 3).
    pub fn log_came(&mut self, at: Timestamp, address: IpAddr) {
        if let Some(bootstrap) = self.unproven_at(address) {
            (bootstrap.proven_at, bootstrap.fault) = (Some(at), None);
        }
        if self.bootstrap.as_ref().is_some_and(|bootstrap| bootstrap.address == address) {
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
        self.bootstrap.as_mut().filter(|bootstrap| bootstrap.address == address && bootstrap.proven_at.is_none())
    }

    /// Takes in that it got its effective configuration.
    pub fn served(&mut self, at: Timestamp, clear_text: bool) {
        self.served_at.get_or_insert(at);
        self.clear_text = clear_text;
    }

    /// Takes in the end of a run that was let in throughout. Answers whether the device is bound from now on.
    pub fn run_ended(&mut self, at: Timestamp, run: EndedRun) -> bool {
        self.takeover.run_ended(run);
        if !run.complete {
            return false;
        }
        if self.right.as_ref().is_some_and(|right| right.kind == RightKind::LetIn && right.given_at <= run.started_at) {
            self.right = None;
        }
        if !run.own {
            return false;
        }
        self.expected_until = None;
        self.own.complete = (self.own.complete + 1).min(RUNS_UNTIL_BOUND);
        self.own.boot |= run.boot;
        let binds = self.bound_at.is_none() && self.own.complete >= RUNS_UNTIL_BOUND && self.own.boot;
        if binds {
            self.bound_at = Some(at);
        }
        binds
    }
}

/// By what a request was let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admitted {
    /// Its own credentials of this generation.
    Own(u32),
    /// Its verified factory certificate.
    Certificate,
    /// The shared credentials, with the password of this number.
    Shared(u32),
    /// The factory default, with a person's leave.
    FactoryDefault,
}

impl Admitted {
    /// The same as runs tell it.
    pub fn shown(self) -> Shown {
        match self {
            Self::Own(_) => Shown::Own,
            Self::Certificate => Shown::Certificate,
            Self::Shared(_) => Shown::Shared,
            Self::FactoryDefault => Shown::FactoryDefault,
        }
    }
}

/// What matters here of a run that ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndedRun {
    /// When it began.
    pub started_at: Timestamp,
    /// When its last request was answered.
    pub ended_at: Timestamp,
    /// Whether the master and every file of ours that it names were answered 200.
    pub complete: bool,
    /// Whether it went on after its parameters: then it has got all of them.
    pub followed: bool,
    /// Whether an Updater spoke.
    pub boot: bool,
    /// Whether every request of it came with the device's own credentials.
    pub own: bool,
}

impl From<&Run> for EndedRun {
    fn from(run: &Run) -> Self {
        let own = run.shown == [Shown::Own];
        let fetched = run.exchanges.iter().rposition(|one| one.reason == Reason::Parameters);
        Self {
            started_at: run.started_at,
            ended_at: run.ended_at,
            complete: run.complete,
            followed: fetched.is_some_and(|at| at + 1 < run.exchanges.len()),
            boot: run.kind == RunKind::Boot,
            own,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::manufacturer::CertificateFault;
    use super::*;

    fn showed(trust: &Trust, presented: &Presented, is_let_in: bool) -> &'static str {
        let mut trust = trust.clone();
        trust.showed(presented, is_let_in);
        trust.certificate.word()
    }

    #[test]
    fn a_verified_certificate_is_not_forgotten_for_what_somebody_else_may_have_shown() {
        let verified = Presented::Verified("0004f2aa0001".parse().expect("a MAC"));
        let unverified = Presented::Unverified(CertificateFault::Expired);
        let (new, known) = (Trust::default(), Trust { certificate: Certificate::FactoryInstalled, ..Trust::default() });
        assert_eq!(showed(&new, &verified, true), "factory-installed");
        assert_eq!(showed(&new, &Presented::Nothing, true), "not-installed");
        assert_eq!(showed(&new, &unverified, false), "invalid");
        assert_eq!(showed(&new, &Presented::NotAsked, true), "unknown");
        assert_eq!(showed(&known, &Presented::Nothing, true), "factory-installed", "some requests of a phone come without it");
        assert_eq!(showed(&known, &unverified, false), "factory-installed");
        assert_eq!(showed(&known, &unverified, true), "invalid");
    }

    #[test]
    fn what_a_person_read_is_told_until_a_handshake_says_more() {
        let mut trust = Trust { certificate_read: Certificate::NotInstalled, ..Trust::default() };
        assert_eq!(trust.certificate_state().label(), "Not Installed");
        trust.showed(&Presented::Unverified(CertificateFault::NoMac), true);
        assert_eq!(trust.certificate_state().fault(), Some("its common name is no MAC address"));
    }
}
