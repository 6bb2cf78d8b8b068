//! One private CA taking the place of another, step by step: who is waited for, the steps that a person takes, and those that the
//! server takes by itself once nobody is waited for ([`crate::domain::rollover`]).
//!
//! The settings alone say how far it is; certificates and what phones are told follow with [`Address::refresh`]. A new CA lies in its
//! files before the settings name it, and is found by its fingerprint: wherever a crash falls, the next start goes on with what the
//! settings say.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::address::Address;
use super::certificates::facts::Facts;
use super::certificates::{self, Origin};
use super::commit::{Change, Mode, perform};
use super::error::{ServiceError, chain};
use super::provisioning::Visit;
use super::{Services, believed, presence};
use crate::domain::access::{Action, Actor, Grant, authorize};
use crate::domain::account::Slot;
use crate::domain::activity::{Event, SERVER};
use crate::domain::credential::Channel;
use crate::domain::device::{Device, DeviceKey};
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::domain::provision;
use crate::domain::rollover::{self, Candidate, Lag, Rollover, Stage, Standing, Takeover};
use crate::domain::server::{GivenCertificates, ServerSettings};
use crate::domain::world::World;
use crate::store;

/// Devices that a sentence names; the rest are counted.
const NAMED: usize = 10;

/// How far it is.
#[derive(Clone, Debug)]
pub struct State {
    /// The rollover that goes on; none where phones know one CA.
    pub rollover: Option<Rollover>,
    /// The CA that phones know.
    pub known: Option<Facts>,
    /// The one that takes its place.
    pub next: Option<Facts>,
    /// The place on phones that the new CA takes.
    pub place: Slot,
    /// Who is waited for; while none goes on, those whose profiles fill the place of a new CA.
    pub waits: Vec<Waiting>,
    /// Who is not ready and has been away for too long to be waited for.
    pub away: Vec<Waiting>,
    /// How many need nothing more for the next step.
    pub ready: usize,
}

/// A phone that is not ready for the next step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Its key.
    pub key: DeviceKey,
    /// Its name, else its key.
    pub label: String,
    /// Why.
    pub lag: Lag,
    /// When it was last let in.
    pub last_seen: Option<Timestamp>,
}

impl Waiting {
    /// Whether it is a device of the inventory, and not a phone that was led here and not let in yet.
    pub fn is_device(&self) -> bool {
        self.lag != Lag::OnItsWay
    }
}

/// A step that a person takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// Makes a new CA and gives phones both. To be known: nothing that phones need lies in the place that it takes.
    Start,
    /// Has the new CA sign. To be known: who is not ready is lost.
    Switch,
    /// Gives phones the new CA alone. To be known: who is not ready is lost.
    End,
    /// Goes back to the CA that phones know, while that one still signs.
    Cancel,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Start => "started",
            Self::Switch => "switched to the new CA",
            Self::End => "ended",
            Self::Cancel => "cancelled",
        })
    }
}

/// How far it is.
///
/// # Errors
/// The settings or a CA's file cannot be read.
pub fn state(services: &Services) -> Result<State, ServiceError> {
    let settings: ServerSettings = services.store.read(store::server::get)?;
    described(services, &settings.given)
}

/// The same while a new CA takes the place of the old one; none at any other time, and then no device is looked at.
///
/// # Errors
/// As [`state`].
pub fn under_way(services: &Services) -> Result<Option<State>, ServiceError> {
    let settings: ServerSettings = services.store.read(store::server::get)?;
    settings.given.rollover.is_some().then(|| described(services, &settings.given)).transpose()
}

fn described(services: &Services, given: &GivenCertificates) -> Result<State, ServiceError> {
    let [known, next] = certificates::described_cas(&services.state_dir.certificates(), given)?;
    let world = services.worlds.get(DEFAULT_ACCOUNT);
    let place = world.as_ref().map_or(Slot::Two, |world| world.account.admission.bootstrap.ca_slot).other();
    let mut state = State { rollover: given.rollover.clone(), known, next, place, waits: Vec::new(), away: Vec::new(), ready: 0 };
    if let Some(world) = world {
        presence::settle(services);
        match &given.rollover {
            Some(rollover) => state.count(services, &world, rollover),
            None => state.waits = filled(services, &world),
        }
    }
    Ok(state)
}

impl State {
    fn count(&mut self, services: &Services, world: &World, rollover: &Rollover) {
        let (stage, next, now) = (rollover.stage(), rollover.mark(), services.clock.now());
        let (book, roster) = (services.trusts(world.account_id), services.roster(world.account_id));
        let mut put = |key: &DeviceKey, label: String, candidate: Candidate<'_>| {
            let waiting = |lag| Waiting { key: key.clone(), label, lag, last_seen: candidate.last_seen };
            match candidate.standing(stage, next, now) {
                Standing::Indifferent => {}
                Standing::Ready => self.ready += 1,
                Standing::Waits(lag) => self.waits.push(waiting(lag)),
                Standing::Away(lag) => self.away.push(waiting(lag)),
            }
        };
        let fillers = provision::Fillers::of(world);
        for listed in roster.all() {
            let (device, trust) = (&listed.device, book.of(&listed.device.key));
            // Of most devices it need not be worked out.
            let place_taken = trust.takeover.holds != Some(next) && fillers.fill(device);
            let last_seen = listed.sighting.last_seen;
            put(
                &device.key,
                label(device),
                Candidate { trust: &trust, last_seen, is_device: true, is_blocked: false, place_taken },
            );
        }
        for (key, trust) in book.filtered(|trust| rollover::led_here(trust).is_some()) {
            if roster.find(&key).is_none() {
                let is_blocked = world.blocked.contains(&key);
                let candidate = Candidate { trust: &trust, last_seen: None, is_device: false, is_blocked, place_taken: false };
                put(&key, key.to_string(), candidate);
            }
        }
        self.waits.sort_by(|a, b| (a.last_seen, &a.key).cmp(&(b.last_seen, &b.key)));
        self.away.sort_by(|a, b| (a.last_seen, &a.key).cmp(&(b.last_seen, &b.key)));
    }

    /// All of it in lines of fields that tabs separate.
    pub fn lines(&self) -> Vec<String> {
        let stage = match self.rollover.as_ref().map(Rollover::stage) {
            None => "none",
            Some(Stage::Giving) => "phones are given both, the old CA signs",
            Some(Stage::Moving) => "phones are given both, the new CA signs",
        };
        let ca = |what: &str, facts: &Facts| format!("{what}\t{}\tuntil {}", facts.fingerprint, facts.valid_until);
        let waiting = |what: &str, one: &Waiting| {
            let seen = one.last_seen.map_or_else(|| "never".to_owned(), |at| at.to_string());
            format!("{what}\t{}\t{}\t{}\t{seen}", one.key, one.label, one.lag)
        };
        let mut lines = vec![format!("rollover\t{stage}")];
        lines.extend(self.known.iter().map(|facts| ca("CA", facts)));
        lines.extend(self.next.iter().map(|facts| ca("new CA", facts)));
        if self.rollover.is_some() {
            lines.push(format!("ready\t{}", self.ready));
        }
        let what = if self.rollover.is_some() { "waited for" } else { "in the way" };
        lines.extend(self.waits.iter().map(|one| waiting(what, one)));
        lines.extend(self.away.iter().map(|one| waiting("away", one)));
        lines
    }

    /// Why no rollover can begin now, if it cannot.
    pub fn obstacle(&self) -> Option<&'static str> {
        match (&self.rollover, &self.known) {
            (Some(_), _) => Some("a new CA is taking the place of the old one already"),
            (None, None) => Some("there is no private CA: the server's certificate is your own"),
            (None, Some(_)) => None,
        }
    }
}

fn filled(services: &Services, world: &World) -> Vec<Waiting> {
    let all = services.roster(world.account_id).all();
    let fillers = provision::Fillers::of(world);
    let filling = all.into_iter().filter(|listed| fillers.fill(&listed.device));
    let waiting = filling.map(|listed| Waiting {
        key: listed.device.key.clone(),
        label: label(&listed.device),
        lag: Lag::PlaceTaken,
        last_seen: listed.sighting.last_seen,
    });
    waiting.collect()
}

fn label(device: &Device) -> String {
    device.name.as_ref().map_or_else(|| device.key.to_string(), ToString::to_string)
}

/// The first of them by name, and how many more.
pub fn names(waiting: &[Waiting]) -> String {
    let named: Vec<&str> = waiting.iter().take(NAMED).map(|one| one.label.as_str()).collect();
    match waiting.len().checked_sub(NAMED) {
        None | Some(0) => named.join(", "),
        Some(more) => format!("{} and {more} more", named.join(", ")),
    }
}

/// Takes a step. `known`: whoever takes it was told what is to be known of it ([`Step`]). Certificates follow when the caller
/// refreshes the address.
///
/// # Errors
/// It is not the time for it; what is to be known was not said to be; a CA cannot be made.
pub fn take(services: &Services, actor: &Actor, step: Step, known: bool, mode: Mode) -> Result<State, ServiceError> {
    let grant = authorize(actor, Action::EditServer)?;
    let by = grant.actor().to_owned();
    let before = state(services)?;
    let folder = services.state_dir.certificates();
    match step {
        Step::Start => {
            start_is_due(&before, known)?;
            let next = match mode {
                Mode::Keep => certificates::make_next_ca(&folder, services.clock.now())?,
                // Nobody knows what the fingerprint will be.
                Mode::TryOut => String::new(),
            };
            let started = perform(services, mode, grant, SERVER, |change| start(change, &by, &next));
            if started.is_err() && mode == Mode::Keep {
                // Somebody else was faster, or nothing could be written. What cannot be removed either is never used.
                let _ = certificates::discard_next_ca(&folder, &next);
            }
            described(services, &started?.given)
        }
        Step::Switch | Step::End => {
            let stage = if step == Step::Switch { Stage::Giving } else { Stage::Moving };
            is_at(&before, stage)?;
            if !known && !before.waits.is_empty() {
                return Err(ServiceError::Conflict(lost(&before.waits)));
            }
            let settings = perform(services, mode, grant, SERVER, |change| go_on(change, stage, &before.waits))?;
            described(services, &settings.given)
        }
        Step::Cancel => {
            is_at(&before, Stage::Giving)?;
            let settings = perform(services, mode, grant, SERVER, cancel)?;
            if let (Mode::Keep, Some(rollover)) = (mode, &before.rollover)
                && let Err(error) = certificates::discard_next_ca(&folder, &rollover.next)
            {
                tracing::warn!(error = chain(&error), "a CA that never signed anything could not be removed");
            }
            described(services, &settings.given)
        }
    }
}

/// The same where no server runs: the files of the CAs follow at once.
///
/// # Errors
/// As [`take`].
pub fn take_stopped(services: &Services, actor: &Actor, step: Step, known: bool) -> Result<State, ServiceError> {
    let state = take(services, actor, step, known, Mode::Keep)?;
    let given = services.store.read(store::server::get)?.given;
    if let Err(error) = certificates::settle(&services.state_dir.certificates(), &given) {
        tracing::warn!(error = chain(&error), "the files of the private CAs could not be put in order");
    }
    Ok(state)
}

/// The same where a server runs: its certificates and what it tells phones follow at once.
///
/// # Errors
/// As [`take`]; also where the certificates cannot be made, which the address tells as its fault from then on.
pub fn take_running(
    services: &Services,
    address: &Address,
    actor: &Actor,
    step: Step,
    known: bool,
    mode: Mode,
) -> Result<State, ServiceError> {
    if step == Step::Start && address.certificates().active().origin == Origin::Own {
        return Err(ServiceError::Conflict("the server's certificate is your own: there is no private CA to replace".to_owned()));
    }
    let state = take(services, actor, step, known, mode)?;
    if mode == Mode::Keep {
        address.refresh(services)?;
    }
    Ok(state)
}

/// Goes on by itself where nobody is waited for any more.
///
/// # Errors
/// The settings cannot be read or written; certificates cannot be made.
pub fn tick(services: &Services, address: &Address) -> Result<(), ServiceError> {
    let settings: ServerSettings = services.store.read(store::server::get)?;
    let going_on = settings.given.rollover.as_ref().filter(|rollover| rollover.may_go_on(services.clock.now()));
    let Some(rollover) = going_on else { return Ok(()) };
    // By a clock that went ahead, every phone has been away for too long to be waited for.
    if believed::jump(services)?.is_some() {
        return Ok(());
    }
    // Until phones are given both, nothing is learned of them; with a certificate of the admin's own they are given none.
    if services.worlds.endpoints().next_ca.as_ref().map(|next| next.mark) != Some(rollover.mark()) {
        return Ok(());
    }
    let state = described(services, &settings.given)?;
    if state.waits.is_empty() {
        let stage = rollover.stage();
        perform(services, Mode::Keep, Grant::system("CA rollover"), SERVER, |change| go_on(change, stage, &[]))?;
        address.refresh(services)?;
    }
    Ok(())
}

fn start_is_due(before: &State, known: bool) -> Result<(), ServiceError> {
    if let Some(obstacle) = before.obstacle() {
        return Err(ServiceError::Conflict(obstacle.to_owned()));
    }
    if known {
        return Ok(());
    }
    let words = format!(
        "the new CA takes the phones' platform certificate {}: say that nothing that they need lies there, such as a CA for 802.1X \
         that was loaded by hand",
        u8::from(before.place)
    );
    Err(ServiceError::Conflict(words))
}

fn is_at(before: &State, wanted: Stage) -> Result<(), ServiceError> {
    let words = match (before.rollover.as_ref().map(Rollover::stage), wanted) {
        (Some(stage), wanted) if stage == wanted => return Ok(()),
        (None, _) => "no new CA is taking the place of the old one; start that first",
        (Some(Stage::Giving), _) => "the old CA still signs the server's certificate; switch to the new one first",
        (Some(Stage::Moving), _) => "the new CA signs the server's certificate already",
    };
    Err(ServiceError::Conflict(words.to_owned()))
}

/// Who would be lost.
fn lost(waits: &[Waiting]) -> String {
    let devices = if waits.len() == 1 { "1 device is".to_owned() } else { format!("{} devices are", waits.len()) };
    format!("{devices} not ready and would be lost until given the new CA by hand: {}", names(waits))
}

fn start(change: &mut Change<'_>, by: &str, next: &str) -> Result<ServerSettings, ServiceError> {
    let mut settings = store::server::get(change.tx())?;
    if settings.given.rollover.is_some() {
        return Err(ServiceError::Conflict("somebody else has started it just now".to_owned()));
    }
    let started = Rollover { started_at: change.now(), by: by.to_owned(), next: next.to_owned(), switched_at: None };
    settings.given.rollover = Some(started);
    store::server::put(change.tx(), &settings)?;
    let known = settings.given.ca.clone();
    change.record(event(Step::Start).change("SHA-256 of the CA", known, Some(next.to_owned())))?;
    Ok(settings)
}

/// From this stage to the next.
fn go_on(change: &mut Change<'_>, from: Stage, lost: &[Waiting]) -> Result<ServerSettings, ServiceError> {
    let mut settings = store::server::get(change.tx())?;
    let here = settings.given.rollover.take().filter(|rollover| rollover.stage() == from);
    let mut rollover = here.ok_or_else(|| ServiceError::Conflict("somebody else has gone on just now".to_owned()))?;
    let next = rollover.next.clone();
    let step = match from {
        Stage::Giving => {
            rollover.switched_at = Some(change.now());
            settings.given.rollover = Some(rollover);
            Step::Switch
        }
        Stage::Moving => {
            settings.given.ca = Some(next.clone());
            Step::End
        }
    };
    store::server::put(change.tx(), &settings)?;
    let without = (!lost.is_empty()).then(|| names(lost));
    change.record(event(step).change("SHA-256 of the CA", None, Some(next)).change("devices not ready", None, without))?;
    Ok(settings)
}

fn cancel(change: &mut Change<'_>) -> Result<ServerSettings, ServiceError> {
    let mut settings = store::server::get(change.tx())?;
    let here = settings.given.rollover.take().filter(|rollover| rollover.stage() == Stage::Giving);
    let rollover = here.ok_or_else(|| ServiceError::Conflict("somebody else has gone on just now".to_owned()))?;
    store::server::put(change.tx(), &settings)?;
    change.record(event(Step::Cancel).change("SHA-256 of the CA", Some(rollover.next), settings.given.ca.clone()))?;
    Ok(settings)
}

fn event(step: Step) -> Event {
    Event::new("certificate", "CA rollover", &step.to_string())
}

/// Takes in that a device was answered its parameters.
pub(super) fn given(services: &Services, world: &World, device: &Device, visit: &Visit<'_>) {
    let book = services.trusts(world.account_id);
    match &world.endpoints.next_ca {
        Some(next) => {
            let holds = visit.channel == Channel::Tls && provision::holds_next(device, world);
            book.hear(&device.key, |trust| trust.takeover.given(visit.at, holds.then_some(next.mark)));
        }
        None if book.of(&device.key).takeover != Takeover::default() => {
            book.learn(&device.key, |trust| trust.takeover = Takeover::default());
        }
        None => {}
    }
}

#[cfg(test)]
#[path = "rollover_tests.rs"]
mod tests;
