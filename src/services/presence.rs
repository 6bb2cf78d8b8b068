//! What phones tell at each contact, gathered in memory and written in batches: no request waits for the disk (P13, P14).
//!
//! A request leaves one [`Message`] and goes on. The next [`flush`] turns the messages into sightings and runs, and writes them
//! together with devices that came in since, in one commit. What cannot be written is kept, within bounds, and tried again. A
//! crash loses at most what came since the last flush; a device that was lost so is simply added again. What closes a door to
//! others is written at once ([`Services::door_closed`]), and before an upload of that device is answered.
//!
//! Whoever is deleted takes along what is gathered here, at the moment in which its rows are gone ([`Presence::forget`]); the recycle
//! bin has its share by then ([`Presence::unwritten_of`]). A key that is no device, or not any more, has no run of a device: what
//! comes under it is a stranger's.

mod writing;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::net::IpAddr;
use std::sync::Arc;

use jiff::Timestamp;
use parking_lot::Mutex;

use super::commit;
use super::error::ServiceError;
use super::sites::placing::{self, Contact};
use super::{Services, alerts, flash, software};
use crate::domain::access::Grant;
use crate::domain::activity::Event;
use crate::domain::device::DeviceKey;
use crate::domain::ids::AccountId;
use crate::domain::limits::{REFUSED_SUBJECTS, RUNS_PER_REFUSED_SUBJECT};
use crate::domain::placement::Found;
use crate::domain::run::assembly::{Asked, Assembler, Finished, Heard, Lesson, Standing};
use crate::domain::run::verdict::Stage;
use crate::domain::run::{Run, Subject};
use crate::domain::trust::EndedRun;
use crate::domain::user_agent::UserAgent;
pub(super) use writing::row;
use writing::{add_taught, write, write_trusts};

/// Messages that wait for the next flush; more are counted and dropped. Three seconds of the heaviest storm.
const WAITING_MESSAGES: usize = 100_000;
/// Ended runs of devices that wait while nothing can be written; the oldest are dropped.
const WAITING_RUNS: usize = 20_000;
/// The same for everybody who was not let in: as many as are kept at all. They have room of their own, so that no sweep over names
/// or addresses pushes a device's run out while the disk is full.
const WAITING_REFUSED_RUNS: usize = REFUSED_SUBJECTS * RUNS_PER_REFUSED_SUBJECT;

/// Entries for the activity log that wait; more are dropped.
const WAITING_REPORTS: usize = 1_000;

/// One message of a phone and what it was answered.
#[derive(Clone, Debug)]
pub struct Message {
    /// Account that it was for.
    pub account: AccountId,
    /// What runs are made of. Which program spoke is found out here.
    pub heard: Heard,
    /// What the User-Agent tells.
    pub agent: Option<Arc<UserAgent>>,
    /// Address that the device says it has in its own network.
    pub private_ip: Option<IpAddr>,
}

/// Everything that was heard and not written yet.
#[derive(Debug, Default)]
pub struct Presence {
    queue: Mutex<Queue>,
    state: Mutex<State>,
    /// What the activity log is to tell.
    reports: Mutex<Vec<(AccountId, Event)>>,
    /// The parameter files that devices were given.
    served: Mutex<flash::Waiting>,
    /// Devices that told something of their software.
    software: Mutex<HashSet<(AccountId, DeviceKey)>>,
    /// Held by whoever flushes: one at a time.
    flushing: Mutex<()>,
}

#[derive(Debug, Default)]
struct Queue {
    messages: Vec<Message>,
    dropped: u64,
}

#[derive(Debug, Default)]
struct State {
    assemblers: BTreeMap<AccountId, Assembler>,
    waiting: Batch,
    /// What is being written right now: still shown to readers.
    in_flight: Arc<Batch>,
}

/// What one commit writes.
#[derive(Clone, Debug, Default)]
struct Batch {
    sightings: HashSet<(AccountId, DeviceKey)>,
    recognised: HashMap<(AccountId, DeviceKey), Arc<UserAgent>>,
    /// Devices that told something of their software.
    software: HashSet<(AccountId, DeviceKey)>,
    /// Part numbers that models were found to have.
    parts: Vec<(AccountId, (String, String))>,
    runs: Vec<(AccountId, Finished)>,
    refused: Vec<(AccountId, Finished)>,
    /// From where devices came, as far as it says something new about their sites.
    placing: Vec<(AccountId, DeviceKey, (Found, Timestamp))>,
    /// What the ends of runs came to, as the activity log tells it of these devices.
    came_to: Vec<(AccountId, DeviceKey, &'static str)>,
    /// What the activity log is to tell besides.
    reports: Vec<(AccountId, Event)>,
}

impl Presence {
    /// Takes a message. Costs a lock and a push.
    pub fn note(&self, message: Message) {
        let mut queue = self.queue.lock();
        if queue.messages.len() < WAITING_MESSAGES {
            queue.messages.push(message);
        } else {
            queue.dropped += 1;
        }
    }

    /// Takes a parameter file that a device was given. Costs a lock and an insert.
    pub fn serve(&self, account: AccountId, served: flash::Served) {
        self.served.lock().insert((account, served.device.key.clone()), served);
    }

    /// Notes that a device told something of its software: its row is to be written.
    pub fn software_changed(&self, account: AccountId, key: &DeviceKey) {
        self.software.lock().insert((account, key.clone()));
    }

    /// Takes something that a phone did and the activity log is to tell.
    pub fn report(&self, account: AccountId, event: Event) {
        let mut reports = self.reports.lock();
        if reports.len() < WAITING_REPORTS {
            reports.push((account, event));
        }
    }

    /// Lets go of everything that devices told which a commit has deleted; `remove` takes them out of the Roster. Both are one
    /// step for whoever settles and for phones that come back: what was heard before is gone, what is heard after is new.
    pub(super) fn forget(&self, account: AccountId, gone: &HashSet<DeviceKey>, remove: impl FnOnce()) {
        let mut state = self.state.lock();
        let mut queue = self.queue.lock();
        remove();
        self.served.lock().retain(|(of, key), _| *of != account || !gone.contains(key));
        queue.messages.retain(|Message { account: of, heard, .. }| {
            let is_theirs = *of == account && heard.key.as_ref().is_some_and(|key| gone.contains(key));
            !is_theirs || heard.standing == Standing::Refused
        });
        let State { assemblers, waiting, in_flight } = &mut *state;
        if let Some(assembler) = assemblers.get_mut(&account) {
            gone.iter().for_each(|key| assembler.forget_device(key));
        }
        waiting.forget(account, gone);
        Arc::make_mut(in_flight).forget(account, gone);
    }

    /// What devices told that a change deletes, and no commit has written: their runs, those that go on last and as they stand, and
    /// the parameter files that they were given.
    pub(super) fn unwritten_of(&self, account: AccountId, gone: &HashSet<DeviceKey>) -> (Vec<Finished>, flash::Waiting) {
        let state = self.state.lock();
        let is_theirs = |subject: &Subject| matches!(subject, Subject::Device(key) if gone.contains(key));
        let ended = state.in_flight.runs.iter().chain(&state.waiting.runs);
        let ended = ended.filter(|(of, finished)| *of == account && is_theirs(&finished.subject)).map(|(_, run)| run.clone());
        let open = state.assemblers.get(&account).into_iter().flat_map(Assembler::open_runs);
        let open = open.filter(|(subject, _)| is_theirs(subject));
        let open = open.map(|(subject, run)| Finished { subject, run: run.clone(), lesson: Lesson::default() });
        let served = self.served.lock();
        let served = served.iter().filter(|((of, key), _)| *of == account && gone.contains(key));
        (ended.chain(open).collect(), served.map(|(place, served)| (place.clone(), served.clone())).collect())
    }

    /// Runs of a subject that are not in the store yet, the newest last, and those that go on.
    pub(super) fn unwritten_runs(&self, account: AccountId, subject: &Subject) -> (Vec<Run>, Vec<Run>) {
        let state = self.state.lock();
        let ended = state.in_flight.ended().chain(state.waiting.ended());
        let of_subject = ended.filter(|(of, finished)| *of == account && finished.subject == *subject);
        let open = state.assemblers.get(&account).into_iter().flat_map(|assembler| assembler.open_runs_of(subject)).cloned();
        (of_subject.map(|(_, finished)| finished.run.clone()).collect(), open.collect())
    }

    /// The same for everybody who was not let in.
    pub(super) fn unwritten_refused(&self, account: AccountId) -> Vec<(Subject, Run, Stage)> {
        let state = self.state.lock();
        let ended = state.in_flight.refused.iter().chain(&state.waiting.refused).filter(|(of, _)| *of == account);
        let ended = ended.map(|(_, finished)| (finished.subject.clone(), finished.run.clone(), Stage::Ended));
        let open = state.assemblers.get(&account).into_iter().flat_map(Assembler::open_runs);
        let open = open.map(|(subject, run)| (subject, run.clone(), Stage::GoesOn));
        ended.chain(open).filter(|(subject, ..)| !matches!(subject, Subject::Device(_))).collect()
    }
}

/// Turns what was heard into sightings and runs, in memory only. Readers call it to see everything up to now.
pub fn settle(services: &Services) {
    let mut state = services.presence.state.lock();
    let queue = std::mem::take(&mut *services.presence.queue.lock());
    if queue.dropped > 0 {
        services.metrics.unrecorded(queue.dropped);
        tracing::warn!(dropped = queue.dropped, "more requests came than could be recorded; all were answered");
    }
    for message in queue.messages {
        state.take_in(services, message);
    }
    let now = services.clock.now();
    let State { assemblers, waiting, .. } = &mut *state;
    for (account, assembler) in assemblers {
        let mut finished = Vec::new();
        assembler.end_silent(now, &mut finished);
        waiting.conclude(services, *account, finished);
    }
}

/// Writes everything that waits, in one commit for each account.
///
/// # Errors
/// What the store reports; then it all waits for the next flush.
pub fn flush(services: &Services) -> Result<(), ServiceError> {
    let _one_at_a_time = services.presence.flushing.lock();
    flush_alone(services)
}

/// Writes everything that waits where it holds something of this device that must not be lost, and waits until that is kept. What
/// cannot be written waits for the next flush, which tells why.
pub(super) fn secure(services: &Services, account: AccountId, key: &DeviceKey) {
    let has_closed = || services.trusts(account).has_closed(key);
    if has_closed() {
        let _one_at_a_time = services.presence.flushing.lock();
        // Whoever flushed meanwhile has taken it along.
        if has_closed() {
            let _ = flush_alone(services);
        }
    }
}

fn flush_alone(services: &Services) -> Result<(), ServiceError> {
    let presence = &services.presence;
    settle(services);
    alerts::tell(services);
    presence.state.lock().waiting.reports.append(&mut presence.reports.lock());
    presence.state.lock().waiting.software.extend(presence.software.lock().drain());
    let departing = presence.state.lock().depart();
    let served = std::mem::take(&mut *presence.served.lock());
    let written = flash::news(services, &served).and_then(|news| {
        let with_news = news.iter().map(|(account, ..)| *account);
        let accounts: BTreeSet<_> = departing.into_iter().chain(services.trusts.unwritten()).chain(with_news).collect();
        accounts.into_iter().try_for_each(|account| write_account(services, account, &news))
    });
    let mut state = presence.state.lock();
    let departed = std::mem::take(&mut state.in_flight);
    if written.is_err() {
        state.waiting.take_back(&departed);
        let mut waiting = presence.served.lock();
        served.into_iter().for_each(|(key, served)| {
            waiting.entry(key).or_insert(served);
        });
    }
    written
}

/// Writes what one account's phones told, in one commit.
fn write_account(services: &Services, account: AccountId, news: &flash::News) -> Result<(), ServiceError> {
    let presence = &services.presence;
    let mut learned = BTreeSet::new();
    let committed = commit::commit(services, Grant::system("phones"), account, |change| {
        // Read only now, when no other change goes on: a device may have been deleted since the batch departed.
        let batch = Arc::clone(&presence.state.lock().in_flight);
        write(services, change, account, &batch)?;
        learned = write_trusts(services, change, account)?;
        add_taught(services, change, account, &learned)?;
        flash::write(services, change, account, news)
    });
    match &committed {
        Ok(()) => services.trusts(account).kept(&learned),
        Err(_) => services.trusts(account).take_back(learned),
    }
    committed
}

/// Ends all runs and writes everything: the server stops.
///
/// # Errors
/// What the store reports; then the last seconds are lost.
pub fn close(services: &Services) -> Result<(), ServiceError> {
    settle(services);
    {
        let mut state = services.presence.state.lock();
        let State { assemblers, waiting, .. } = &mut *state;
        for (account, assembler) in assemblers {
            let mut finished = Vec::new();
            assembler.end_all(&mut finished);
            waiting.conclude(services, *account, finished);
        }
    }
    flush(services)
}

impl State {
    fn take_in(&mut self, services: &Services, message: Message) {
        let Message { account, mut heard, agent, private_ip } = message;
        services.metrics.heard(&heard);
        if let Some(key) = heard.key.clone().filter(|key| services.roster(account).find(key).is_none()) {
            // Deleted while it was answered, or blocked: nothing that comes under this key is a device's.
            heard.standing = Standing::Refused;
            self.assemblers.entry(account).or_default().forget_device(&key);
        }
        if let Some(key) = heard.key.clone().filter(|_| heard.standing == Standing::LetIn) {
            let (at, address) = (heard.exchange.at, heard.address);
            let seen = services.roster(account).sight(&key, |sighting| {
                heard.speaker = sighting.hear(at, address, agent.as_deref(), heard.asked);
                sighting.private_ip = private_ip.or(sighting.private_ip);
            });
            if let Some(sighting) = &seen {
                let found = software::hear(services, account, &key, (&heard, agent.as_deref(), sighting));
                self.waiting.parts.extend(found.map(|found| (account, found)));
                if let Some(agent) = agent.filter(|agent| agent.model.is_some() && is_unrecognised(services, account, &key)) {
                    self.waiting.recognised.insert((account, key.clone()), agent);
                }
                if let Some(news) = placing::news(services, account, &key, at, Contact::First) {
                    self.waiting.placing.push((account, key.clone(), news));
                }
                self.waiting.sightings.insert((account, key));
            }
        }
        let telling = heard.key.clone().filter(|_| is_telling(&heard));
        let mut finished = Vec::new();
        let assembler = self.assemblers.entry(account).or_default();
        assembler.hear(heard, &mut finished);
        self.waiting.conclude(services, account, finished);
        // Lists and the dashboard tell how a run goes as soon as it is certain, not only when it has ended.
        if let Some(key) = telling
            && let Some(open) = assembler.open_run(&Subject::Device(key.clone()))
        {
            services.roster(account).sight(&key, |sighting| sighting.conclude(open, Stage::GoesOn));
        }
    }

    /// Sets aside what waits, for the writer, and answers whose it is; readers see it until it is written.
    fn depart(&mut self) -> HashSet<AccountId> {
        self.in_flight = Arc::new(std::mem::take(&mut self.waiting));
        self.in_flight.accounts()
    }
}

/// Whether a request can decide how a device's run goes: its configuration was served, or it was told to come back later.
fn is_telling(heard: &Heard) -> bool {
    let is_served = heard.asked == Asked::Parameters && heard.exchange.status == 200;
    heard.standing == Standing::LetIn && (is_served || heard.exchange.status == 503)
}

fn is_unrecognised(services: &Services, account: AccountId, key: &DeviceKey) -> bool {
    services.roster(account).find(key).is_some_and(|known| known.device.model.is_none())
}

impl Batch {
    fn conclude(&mut self, services: &Services, account: AccountId, finished: Vec<Finished>) {
        for ended in finished {
            match &ended.subject {
                Subject::Device(key) => {
                    services.metrics.run_ended(&ended.run);
                    let known = services.roster(account).sight(key, |sighting| sighting.conclude(&ended.run, Stage::Ended));
                    if known.is_some() {
                        let at = ended.run.ended_at;
                        let (mut binds, mut is_back) = (false, false);
                        services.trusts(account).learn(key, |trust| {
                            let was_expected = trust.expected_until.is_some();
                            binds = trust.run_ended(at, EndedRun::from(&ended));
                            is_back = was_expected && trust.expected_until.is_none();
                        });
                        let facts = [(binds, "bound to its own credentials"), (is_back, "came back as expected")];
                        let facts = facts.into_iter().filter(|(is_so, _)| *is_so);
                        let news = placing::news(services, account, key, ended.run.started_at, Contact::of(&ended.run));
                        self.placing.extend(news.map(|news| (account, key.clone(), news)));
                        self.came_to.extend(facts.map(|(_, words)| (account, key.clone(), words)));
                        self.sightings.insert((account, key.clone()));
                        self.runs.push((account, ended));
                    }
                }
                Subject::Stranger(_) | Subject::Address(_) => self.refused.push((account, ended)),
            }
        }
        self.keep_within_bounds();
    }

    /// Drops what belongs to devices that are gone. What strangers did under their keys stays.
    fn forget(&mut self, account: AccountId, gone: &HashSet<DeviceKey>) {
        let stays = |(of, key): &(AccountId, DeviceKey)| *of != account || !gone.contains(key);
        self.sightings.retain(stays);
        self.recognised.retain(|place, _| stays(place));
        self.software.retain(stays);
        self.placing.retain(|(of, key, _)| *of != account || !gone.contains(key));
        self.runs.retain(|(of, Finished { subject, .. })| {
            *of != account || !matches!(subject, Subject::Device(key) if gone.contains(key))
        });
    }

    fn keep_within_bounds(&mut self) {
        for (runs, cap) in [(&mut self.runs, WAITING_RUNS), (&mut self.refused, WAITING_REFUSED_RUNS)] {
            let excess = runs.len().saturating_sub(cap);
            runs.drain(..excess);
        }
    }

    /// All ended runs, those of devices first.
    fn ended(&self) -> impl Iterator<Item = &(AccountId, Finished)> {
        self.runs.iter().chain(&self.refused)
    }

    fn accounts(&self) -> HashSet<AccountId> {
        let sighted = self.sightings.iter().map(|(account, _)| *account);
        let came_to = self.came_to.iter().map(|(account, ..)| *account);
        let reported = self.reports.iter().map(|(account, _)| *account);
        let told = self.software.iter().map(|(account, _)| *account).chain(self.parts.iter().map(|(account, _)| *account));
        sighted.chain(told).chain(came_to).chain(reported).chain(self.ended().map(|(account, _)| *account)).collect()
    }

    fn take_back(&mut self, failed: &Self) {
        self.sightings.extend(failed.sightings.iter().cloned());
        self.software.extend(failed.software.iter().cloned());
        self.parts.extend(failed.parts.iter().cloned());
        self.came_to.extend(failed.came_to.iter().cloned());
        self.placing.splice(..0, failed.placing.iter().cloned());
        self.reports.extend(failed.reports.iter().cloned());
        self.reports.truncate(WAITING_REPORTS);
        for (key, agent) in &failed.recognised {
            self.recognised.entry(key.clone()).or_insert_with(|| Arc::clone(agent));
        }
        for (waiting, failed) in [(&mut self.runs, &failed.runs), (&mut self.refused, &failed.refused)] {
            let newer = std::mem::replace(waiting, failed.clone());
            waiting.extend(newer);
        }
        self.keep_within_bounds();
    }
}

#[cfg(test)]
#[path = "presence_tests.rs"]
mod tests;
