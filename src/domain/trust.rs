//! What we have learned of one key, device or not yet: whether it was ever served, with which credentials it comes, which rights
//! people gave it, and why it was not let in (contract 3 and 4).
//!
//! A [`Trust`] changes by facts only: a message, the end of a run, a person's click. What a request is worth in its light is
//! [`super::admission::decide`]'s to say.

mod bootstrap;
mod certificate;
mod closing;
mod knock;
mod shown;

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::limits::{
    DELETED_DAYS, EXPECTED_HOURS, KNOCK_DAYS, REFUSED_TOGETHER_HOURS, RIGHT_HOURS, STAGED_DAYS, WINDOW_PATIENCE_HOURS,
};
use super::rollover::Takeover;

pub use bootstrap::{Bootstrap, StrayLog};
pub use certificate::Certificate;
pub use knock::{Knock, Weight};
pub use shown::{Admitted, ComesWith, EndedRun};

/// Complete runs with its own credentials after which a device is bound (contract 4, point 2).
pub const RUNS_UNTIL_BOUND: u8 = 2;

/// What we know of one key. Its JSON is the stored form. What few keys have is boxed: there is one of these for each device in memory.
/// It outlives its device where [`Trust::must_outlive`] says so.
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
    pub right: Option<Box<Right>>,
    /// Until when it may come back after a reset or a replacement (contract 4, point 2). None once it came back by a complete run.
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
    /// How far it is on the way from plain HTTP to here, by whoever asked last.
    pub bootstrap: Option<Box<Bootstrap>>,
    /// The same of others that asked before from elsewhere: a stray request must not cost a phone its proof.
    #[serde(skip_serializing_if = "is_default")]
    pub bootstraps_elsewhere: Vec<Bootstrap>,
    /// How far it is on the way to a new private CA of ours.
    #[serde(skip_serializing_if = "is_default")]
    pub takeover: Takeover,
    /// Why it was last not let in, of those who showed most; none once it was let in from there.
    pub knock: Option<Box<Knock>>,
    /// The same of others that knocked within a day from elsewhere, the latest of those who showed most last: one of them may be the
    /// phone.
    #[serde(skip_serializing_if = "is_default")]
    pub knocks_elsewhere: Vec<Knock>,
    /// It was last served in full without TLS (R316).
    #[serde(skip_serializing_if = "is_default")]
    pub clear_text: bool,
    /// The address of ours by which it was last let in, as [`super::server::BaseUrl`] writes it. Shared, because all that is known of
    /// a key is copied at each request.
    pub address_used: Option<Arc<str>>,
    /// The model that it tells to be with proof of its own, where another one is known.
    #[serde(skip_serializing_if = "is_default")]
    pub other_model: Option<Box<str>>,
    /// When its credentials or its certificate were last shown for another device.
    #[serde(skip_serializing_if = "is_default")]
    pub misused_at: Option<Timestamp>,
    /// When somebody who showed the shared credentials was last refused for it because it is bound, and from where: told also when the
    /// device itself came since.
    #[serde(skip_serializing_if = "is_default")]
    pub refused_bound: Option<Box<RefusedBound>>,
    /// The same of whoever showed the factory default, as everybody can: that is no sign that the shared credentials are known.
    #[serde(skip_serializing_if = "is_default")]
    pub refused_factory: Option<Box<RefusedBound>>,
    /// When its device was last deleted: its secrets stay told for some time (contract 5.9).
    #[serde(skip_serializing_if = "is_default")]
    pub deleted_at: Option<Timestamp>,
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
    /// The same, by the window for new phones: no longer than some hours after it was first heard.
    Window,
}

/// Who gave a right of [`RightKind::Window`].
const BY_THE_WINDOW: &str = "the window for new phones";

impl Right {
    /// Whether it still counts.
    pub fn is_valid(&self, now: Timestamp) -> bool {
        match self.kind {
            RightKind::LetIn => now.duration_since(self.given_at) < SignedDuration::from_hours(RIGHT_HOURS),
            RightKind::Adopt => true,
            RightKind::Window => now.duration_since(self.given_at) < SignedDuration::from_hours(WINDOW_PATIENCE_HOURS),
        }
    }
}

/// Somebody who asked for a bound device with what does not open it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedBound {
    /// The first time since a person did something about it, or within a day.
    #[serde(default, skip_serializing_if = "is_default")]
    pub since: Timestamp,
    /// The last time.
    pub at: Timestamp,
    /// From where, the last time.
    pub address: IpAddr,
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

    /// Closes that window before its time.
    pub fn expect_no_more(&mut self) {
        self.expected_until = None;
    }

    /// Whether it may come back right now.
    pub fn is_expected(&self, now: Timestamp) -> bool {
        self.expected_until.is_some_and(|until| now < until)
    }

    fn expected_since(&self) -> Option<Timestamp> {
        self.expected_until.map(|until| until - SignedDuration::from_hours(EXPECTED_HOURS))
    }

    /// The right that a person gave for this address, while it counts.
    pub fn right_at(&self, address: IpAddr, now: Timestamp) -> Option<&Right> {
        self.right.as_deref().filter(|right| right.address == address && right.is_valid(now))
    }

    /// Whether credentials of a generation open. One above ours was handed out by us before we were restored from a copy.
    pub fn opens(&self, generation: u32) -> bool {
        generation >= self.oldest_generation
    }

    /// Takes back what was learned of its credentials: the shared ones open it again, from where it was last let in.
    pub fn unbind(&mut self) {
        self.bound_at = None;
        self.forget_refusals();
        self.own = OwnRuns::default();
        self.home = self.last_address.or(self.home);
    }

    /// With what the device comes, where the account's shared credentials have this number.
    pub fn comes_with(&self, shared_generation: u32, binds: bool) -> ComesWith {
        match self.shared_generation {
            _ if binds && self.own.complete > 0 => ComesWith::Own,
            Some(generation) if generation < shared_generation => ComesWith::Former,
            Some(_) => ComesWith::Shared,
            None if self.own.complete > 0 => ComesWith::Own,
            None if self.served_at.is_some() => ComesWith::Factory,
            None => ComesWith::Nothing,
        }
    }

    /// Gives it new credentials. The former ones open until it came with the new ones.
    pub fn renew(&mut self) {
        self.generation += 1;
    }

    /// Whether this must be kept without a device: else credentials that were taken away would open again, or the admin password
    /// of a phone that hangs on a wall somewhere would be lost.
    pub fn must_outlive(&self) -> bool {
        self.generation > 0 || self.deleted_at.is_some()
    }

    /// What is kept of it when the device is deleted and may come back as a new one (contract 5.14).
    pub fn forgotten(&self, now: Timestamp) -> Self {
        let Self { generation, oldest_generation, .. } = *self;
        Self { generation, oldest_generation, deleted_at: Some(now), ..Self::default() }
    }

    /// What is known once a deleted device is put back: what was known then, and what was taken away or learned of the key since. Doors
    /// that a person had opened for a time stay closed: whoever wants them opens them again.
    #[must_use]
    pub fn put_back(&self, then: &Self) -> Self {
        Self {
            generation: self.generation.max(then.generation),
            oldest_generation: self.oldest_generation.max(then.oldest_generation),
            right: None,
            expected_until: None,
            bootstrap: self.bootstrap.clone(),
            bootstraps_elsewhere: self.bootstraps_elsewhere.clone(),
            knock: self.knock.clone(),
            knocks_elsewhere: self.knocks_elsewhere.clone(),
            misused_at: self.misused_at.max(then.misused_at),
            refused_bound: self.refused_bound.clone(),
            refused_factory: self.refused_factory.clone(),
            ..then.clone()
        }
    }

    /// Whether something that happened then belongs to a device of this key that was deleted since: while that is in the recycle bin,
    /// its runs and logs lie where they always did, and nobody is told them.
    pub fn is_of_former_device(&self, at: Timestamp) -> bool {
        self.deleted_at.is_some_and(|deleted| at <= deleted)
    }

    /// Lets go of what is kept for a time only: what a deleted device leaves, and refusals.
    pub fn expire(&mut self, now: Timestamp) {
        let is_kept = |at: Timestamp, days: i64| now.duration_since(at) < SignedDuration::from_hours(24 * days);
        self.deleted_at = self.deleted_at.filter(|at| is_kept(*at, DELETED_DAYS));
        self.keep_knocks(|knock| is_kept(knock.at, KNOCK_DAYS));
        let is_alert = |at: Timestamp| now.duration_since(at) < SignedDuration::from_hours(REFUSED_TOGETHER_HOURS);
        self.refused_bound = self.refused_bound.take().filter(|refused| is_alert(refused.at));
        self.refused_factory = self.refused_factory.take().filter(|refused| is_alert(refused.at));
    }

    /// Whether somebody was refused for it because it is bound, whatever he showed, and nobody did anything about it.
    pub fn is_refused_bound(&self) -> bool {
        self.refused_bound.is_some() || self.refused_factory.is_some()
    }

    /// Whether somebody named this key and was not let in, and that still matters to somebody.
    pub fn is_at_the_door(&self) -> bool {
        self.knock.is_some() || self.is_refused_bound()
    }

    /// Ends its part in the alert about refused devices: a person did something about it.
    pub fn forget_refusals(&mut self) {
        (self.refused_bound, self.refused_factory) = (None, None);
    }

    /// Takes in a request that was let in.
    pub fn let_in(&mut self, at: Timestamp, address: IpAddr, admitted: Admitted) {
        self.first_heard.get_or_insert(at);
        self.last_address = Some(address);
        // Who was refused elsewhere may have been somebody else: that stays told.
        self.keep_knocks(|knock| knock.address != address);
        self.bootstrap = None;
        self.bootstraps_elsewhere = Vec::new();
        match admitted {
            Admitted::Own(generation) => {
                self.generation = self.generation.max(generation);
                self.oldest_generation = self.oldest_generation.max(generation);
                self.end_adoption();
            }
            Admitted::Certificate => self.certificate = Certificate::FactoryInstalled,
            Admitted::Shared(generation) => {
                self.shared_generation = self.shared_generation.max(Some(generation));
                // Where devices get no credentials of their own, these are what it was handed.
                self.end_adoption();
            }
            // What the window has begun goes on when the configuration was served, until the phone came with its credentials.
            Admitted::FactoryDefault if self.right_at(address, at).is_none() && !self.is_expected(at) => {
                let given_at = self.first_heard.unwrap_or(at);
                self.right = Some(Box::new(Right { address, given_at, by: BY_THE_WINDOW.to_owned(), kind: RightKind::Window }));
            }
            Admitted::FactoryDefault => {}
        }
        let is_own = matches!(admitted, Admitted::Own(_) | Admitted::Certificate);
        // Where a person, or the window that a person opened, let it in: from there it may come again.
        if self.home.is_none() || self.right_at(address, at).is_some() || (self.is_expected(at) && !is_own) {
            self.home = Some(address);
        }
    }

    /// Whether the window let it in at another address: it does so at one alone (contract 4, point 4).
    pub fn came_in_window_elsewhere(&self, address: IpAddr, now: Timestamp) -> bool {
        let by_window = self.right.as_ref().filter(|right| right.kind == RightKind::Window && right.is_valid(now));
        by_window.is_some_and(|right| right.address != address)
    }

    fn end_adoption(&mut self) {
        self.right = self.right.take().filter(|right| right.kind == RightKind::LetIn);
    }

    /// Takes in the model that a device which was let in by proof of its own tells to be, where that is not the known one.
    pub fn tells_model(&mut self, other: Option<&str>) {
        if self.other_model.as_deref() != other {
            self.other_model = other.map(Into::into);
        }
    }

    /// Takes in that its credentials or its certificate were shown for another device. Answers whether that is worth an entry in
    /// the activity log: once an hour.
    pub fn misused(&mut self, at: Timestamp) -> bool {
        let is_told = self.misused_at.is_some_and(|last| at.duration_since(last) < SignedDuration::from_hours(1));
        if !is_told {
            self.misused_at = Some(at);
        }
        !is_told
    }

    /// Takes in by which address of ours it came.
    pub fn came_by(&mut self, url: &str) {
        if self.address_used.as_deref() != Some(url) {
            self.address_used = Some(url.into());
        }
    }

    /// Shares the text of the address with others that came by the same one: a fleet comes by one or two.
    pub fn share_address(&mut self, known: &mut BTreeSet<Arc<str>>) {
        let Some(own) = &mut self.address_used else { return };
        match known.get(&**own) {
            Some(shared) => *own = Arc::clone(shared),
            None => drop(known.insert(Arc::clone(own))),
        }
    }

    /// Takes in that it got its effective configuration.
    pub fn served(&mut self, at: Timestamp, clear_text: bool) {
        self.served_at.get_or_insert(at);
        self.clear_text = clear_text;
    }

    /// Takes in the end of a run that was let in throughout. Answers whether the device is bound from now on. A run that began
    /// before the device was deleted, before its right was given or before it was expected back, says nothing of the time after.
    pub fn run_ended(&mut self, at: Timestamp, run: EndedRun) -> bool {
        self.takeover.run_ended(run);
        let is_before_deletion = self.is_of_former_device(run.started_at);
        if !run.complete || is_before_deletion {
            return false;
        }
        if self.right.as_ref().is_some_and(|right| right.kind == RightKind::LetIn && right.given_at <= run.started_at) {
            self.right = None;
        }
        // The window is used up by whoever came through it, and by nobody else: until it is reset or replaced, the phone goes on
        // polling with its own credentials.
        if run.back && self.expected_since().is_some_and(|since| since <= run.started_at) {
            self.expect_no_more();
        }
        if !run.own {
            return false;
        }
        self.own.complete = (self.own.complete + 1).min(RUNS_UNTIL_BOUND);
        self.own.boot |= run.boot;
        let binds = self.bound_at.is_none() && self.own.complete >= RUNS_UNTIL_BOUND && self.own.boot;
        if binds {
            self.bound_at = Some(at);
        }
        binds
    }
}
