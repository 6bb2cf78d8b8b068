//! Puts requests together into runs (contract 1): which run a request joins, when a run begins and when it ends.
//!
//! Everything is bounded. Who may write a lot (a phone that was let in) and who may not (anybody who names a device without
//! the credentials) have separate room, so that no stranger can push a device's run out or grow the server's memory. A device's
//! run takes in what comes from its address without the right credentials, for its own challenges are among it; but such
//! requests do not prolong it, tell nothing of the device, and are the first to go where there are too many.
//!
//! A phone that restarts does not wait for silence: in every boot that was seen the Updater speaks before the Application and not
//! again, so that an Updater after an Application begins the next run.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use jiff::Timestamp;

pub use super::open::Lesson;
use super::open::{OpenRun, Voice};
use super::{Exchange, Method, Reason, Run, Shown, Subject};
use crate::domain::device::DeviceKey;
use crate::domain::limits::{DEVICES, EXCHANGES_PER_RUN, OPEN_REFUSED_RUNS};

/// The part of a full shelf that is emptied at once: a twentieth.
const ROOM_AT_ONCE: usize = 20;

/// Numbers a connection for as long as the server runs.
pub type ConnectionId = u64;

/// One request with its answer, or one failed handshake, as the listeners tell it.
#[derive(Clone, Debug)]
pub struct Heard {
    /// Connection it came over.
    pub connection: ConnectionId,
    /// Address it came from.
    pub address: IpAddr,
    /// Device that it named, by file name or serial tag.
    pub key: Option<DeviceKey>,
    /// Whether it was let in as that device.
    pub standing: Standing,
    /// What it showed, where that let it in.
    pub shown: Option<Shown>,
    /// Whether that let it in only because the device is expected back.
    pub is_back: bool,
    /// What kind of file it was about.
    pub asked: Asked,
    /// Which program of the phone spoke.
    pub speaker: Speaker,
    /// Its User-Agent, cleaned and capped.
    pub user_agent: Arc<str>,
    /// The request and its answer.
    pub exchange: Exchange,
}

impl Heard {
    fn is_handshake(&self) -> bool {
        self.exchange.method == Method::Tls
    }
}

/// Whether a request was let in as the device that it named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It had the credentials, and the device is in the inventory.
    LetIn,
    /// It had not, or the device is held.
    Refused,
}

/// What a request was about, as far as runs care.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// A master file: begins a run.
    Master,
    /// A `-boot.log` upload: begins a run.
    BootLog,
    /// The parameter file that our master names.
    Parameters,
    /// Anything else.
    Other,
}

/// Which program of a phone spoke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaker {
    /// The Updater or boot ROM: the phone is starting.
    Updater,
    /// The Application.
    Application,
    /// Nobody knows.
    Unknown,
}

/// A run that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finished {
    /// Whose it is.
    pub subject: Subject,
    /// The run.
    pub run: Run,
    /// What it teaches of the device.
    pub lesson: Lesson,
}

/// The room that an open run occupies: one each.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Seat {
    Device(DeviceKey),
    Refused(DeviceKey, IpAddr),
    Address(IpAddr),
}

impl Seat {
    fn subject(&self) -> Subject {
        match self {
            Self::Device(key) => Subject::Device(key.clone()),
            Self::Refused(key, _) => Subject::Stranger(key.clone()),
            Self::Address(address) => Subject::Address(*address),
        }
    }

    fn is_refused(&self) -> bool {
        !matches!(self, Self::Device(_))
    }
}

/// The open runs.
#[derive(Debug)]
pub struct Assembler {
    devices: HashMap<Seat, OpenRun>,
    refused: HashMap<Seat, OpenRun>,
    by_connection: HashMap<ConnectionId, Seat>,
    by_address: HashMap<IpAddr, Seat>,
    caps: Caps,
}

/// How much an [`Assembler`] holds at most.
#[derive(Clone, Copy, Debug)]
pub struct Caps {
    /// Open runs of devices that were let in.
    pub devices: usize,
    /// Open runs of everybody else.
    pub refused: usize,
    /// Exchanges in one run.
    pub exchanges: usize,
}

impl Default for Caps {
    fn default() -> Self {
        Self { devices: DEVICES, refused: OPEN_REFUSED_RUNS, exchanges: EXCHANGES_PER_RUN }
    }
}

impl Default for Assembler {
    fn default() -> Self {
        Self::new(Caps::default())
    }
}

impl Assembler {
    /// No open run.
    pub fn new(caps: Caps) -> Self {
        Self { devices: HashMap::new(), refused: HashMap::new(), by_connection: HashMap::new(), by_address: HashMap::new(), caps }
    }

    /// Takes one request in. Runs that end by it, through silence or for want of room, are added to `finished`.
    pub fn hear(&mut self, heard: Heard, finished: &mut Vec<Finished>) {
        let Some(seat) = self.seat_for(&heard, finished) else { return };
        if !self.is_open(&seat) {
            self.make_room(&seat, finished);
        }
        let voice = self.voice(&seat, &heard);
        if voice == Voice::Own && !heard.is_handshake() {
            self.take_places(&seat, &heard);
        }
        let cap = self.caps.exchanges;
        let open = self.shelf_mut(&seat).entry(seat.clone()).or_insert_with(|| OpenRun::begin(&heard));
        open.join(heard, voice, cap);
        // Whoever is not let in and goes on and on is told in runs of this length, the latest of which are kept.
        if seat.is_refused() && open.run.exchanges.len() >= cap {
            self.end(&seat, finished);
        }
    }

    /// Whether a request speaks for the run that it joins.
    fn voice(&self, seat: &Seat, heard: &Heard) -> Voice {
        let same_connection = || self.open(seat).is_some_and(|open| open.connection == heard.connection);
        let is_own = seat.is_refused() || !heard.exchange.reason.is_unproven() || same_connection();
        if is_own { Voice::Own } else { Voice::Unproven }
    }

    /// Points connection and address to the run that was last heard there. An address stays with the device that has a run.
    fn take_places(&mut self, seat: &Seat, heard: &Heard) {
        self.forget_places(seat);
        let is_a_devices = matches!(self.by_address.get(&heard.address), Some(Seat::Device(_)));
        if !seat.is_refused() || !is_a_devices {
            self.by_address.insert(heard.address, seat.clone());
        }
        self.by_connection.insert(heard.connection, seat.clone());
        if let Some(open) = self.shelf_mut(seat).get_mut(seat) {
            open.connection = heard.connection;
        }
    }

    /// Ends every run that has been silent for [`RUN_SILENCE_SECONDS`].
    pub fn end_silent(&mut self, now: Timestamp, finished: &mut Vec<Finished>) {
        let all = self.devices.iter().chain(&self.refused);
        let silent: Vec<Seat> = all.filter(|(_, open)| open.is_over(now)).map(|(seat, _)| seat.clone()).collect();
        for seat in silent {
            self.end(&seat, finished);
        }
    }

    /// Ends every run: the server stops.
    pub fn end_all(&mut self, finished: &mut Vec<Finished>) {
        let seats: Vec<Seat> = self.devices.keys().chain(self.refused.keys()).cloned().collect();
        for seat in seats {
            self.end(&seat, finished);
        }
    }

    /// Drops the open run of a device that was deleted: it is nobody's any more. What it asks from now on begins a new run.
    pub fn forget_device(&mut self, key: &DeviceKey) {
        let seat = Seat::Device(key.clone());
        self.forget_places(&seat);
        self.devices.remove(&seat);
    }

    /// The runs that have not ended yet.
    pub fn open_runs(&self) -> impl Iterator<Item = (Subject, &Run)> {
        self.devices.iter().chain(&self.refused).map(|(seat, open)| (seat.subject(), &open.run))
    }

    /// The run of a subject that has not ended yet; of a stranger the one that was last heard.
    pub fn open_run(&self, subject: &Subject) -> Option<&Run> {
        self.open_runs_of(subject).into_iter().max_by_key(|run| run.ended_at)
    }

    /// All runs of a subject that have not ended yet: of a stranger one for each address from where somebody named the device.
    pub fn open_runs_of(&self, subject: &Subject) -> Vec<&Run> {
        match subject {
            Subject::Device(key) => self.devices.get(&Seat::Device(key.clone())).map(|open| &open.run).into_iter().collect(),
            _ => self.refused.iter().filter(|(seat, _)| seat.subject() == *subject).map(|(_, open)| &open.run).collect(),
        }
    }

    fn shelf(&self, seat: &Seat) -> &HashMap<Seat, OpenRun> {
        if seat.is_refused() { &self.refused } else { &self.devices }
    }

    fn shelf_mut(&mut self, seat: &Seat) -> &mut HashMap<Seat, OpenRun> {
        if seat.is_refused() { &mut self.refused } else { &mut self.devices }
    }

    fn open(&self, seat: &Seat) -> Option<&OpenRun> {
        self.shelf(seat).get(seat)
    }

    fn is_open(&self, seat: &Seat) -> bool {
        self.open(seat).is_some()
    }

    /// Which run a request belongs to: one that is open, or a new one. None where it stands alone.
    fn seat_for(&mut self, heard: &Heard, finished: &mut Vec<Finished>) -> Option<Seat> {
        if heard.is_handshake() {
            let address = Seat::Address(heard.address);
            self.end_if_over(&address, heard.exchange.at, finished);
            return Some(address);
        }
        let Some(key) = heard.key.clone() else { return self.seat_of_nameless(heard, finished) };
        let own = Seat::Device(key.clone());
        let refused = Seat::Refused(key, heard.address);
        self.end_if_over(&own, heard.exchange.at, finished);
        self.end_if_over(&refused, heard.exchange.at, finished);
        if heard.standing == Standing::LetIn && self.open(&own).is_some_and(|open| open.is_restart(heard)) {
            self.restart(&own, heard, finished);
        }
        let begins = matches!(heard.asked, Asked::Master | Asked::BootLog);
        match heard.standing {
            Standing::LetIn if self.is_open(&own) => Some(own),
            Standing::LetIn if self.promote(&refused, &own, heard, finished) || begins => Some(own),
            Standing::LetIn => None,
            // The challenge of a request that the phone repeats with its credentials belongs to the phone's own run. Whoever shows
            // credentials that open other devices and not this one is somebody else, also behind the same address.
            Standing::Refused if self.open(&own).is_some_and(|open| is_of_its_phone(open, heard)) => Some(own),
            Standing::Refused if self.is_open(&refused) || begins => Some(refused),
            Standing::Refused if heard.exchange.reason == Reason::CredentialsMissing => None,
            Standing::Refused => Some(refused),
        }
    }

    /// A request without a name joins the open run of its connection, then of its address (contract 1). A proxy's connection
    /// carries requests of many phones, so the address must be the same too.
    fn seat_of_nameless(&mut self, heard: &Heard, finished: &mut Vec<Finished>) -> Option<Seat> {
        let is_here = |seat: &&Seat| self.open(seat).is_some_and(|open| open.run.address == heard.address);
        let of_connection = self.by_connection.get(&heard.connection).filter(is_here).cloned();
        let joined = [of_connection, self.by_address.get(&heard.address).cloned()];
        for seat in joined.into_iter().flatten() {
            if !self.end_if_over(&seat, heard.exchange.at, finished) && self.is_open(&seat) {
                return Some(seat);
            }
        }
        let own = Seat::Address(heard.address);
        self.end_if_over(&own, heard.exchange.at, finished);
        let alone = heard.asked == Asked::Other && heard.exchange.reason == Reason::CredentialsMissing;
        (self.is_open(&own) || !alone).then_some(own)
    }

    /// A phone that was challenged and now is let in: what it asked just before is the beginning of its run.
    fn promote(&mut self, refused: &Seat, own: &Seat, heard: &Heard, finished: &mut Vec<Finished>) -> bool {
        self.forget_places(refused);
        let Some(before) = self.refused.remove(refused) else { return false };
        let (open, stays) = OpenRun::let_in(before, heard);
        finished.extend(stays.map(|run| Finished { subject: refused.subject(), run, lesson: Lesson::default() }));
        self.make_room(own, finished);
        self.devices.insert(own.clone(), open);
        true
    }

    /// A phone that starts anew while its run is open: that run is over, and what it asks now is the next one.
    fn restart(&mut self, own: &Seat, heard: &Heard, finished: &mut Vec<Finished>) {
        self.forget_places(own);
        let Some(before) = self.devices.remove(own) else { return };
        let (over, open) = before.restarted(heard);
        finished.push(over.finish(own.subject()));
        self.devices.insert(own.clone(), open);
    }

    /// Ends the runs that have been silent longest where one more of their kind would be too many: several at once, so that a
    /// sweep over a hundred thousand names does not look through all runs for each of them.
    fn make_room(&mut self, seat: &Seat, finished: &mut Vec<Finished>) {
        let cap = if seat.is_refused() { self.caps.refused } else { self.caps.devices };
        let shelf = self.shelf(seat);
        if shelf.len() < cap {
            return;
        }
        let mut by_age: Vec<_> = shelf.iter().map(|(seat, open)| (open.run.ended_at, seat)).collect();
        let leaving = (cap / ROOM_AT_ONCE).clamp(1, by_age.len());
        by_age.select_nth_unstable_by_key(leaving - 1, |(ended_at, _)| *ended_at);
        let leaving: Vec<Seat> = by_age.into_iter().take(leaving).map(|(_, seat)| seat.clone()).collect();
        for seat in leaving {
            self.end(&seat, finished);
        }
    }

    fn end_if_over(&mut self, seat: &Seat, now: Timestamp, finished: &mut Vec<Finished>) -> bool {
        let over = self.shelf(seat).get(seat).is_some_and(|open| open.is_over(now));
        if over {
            self.end(seat, finished);
        }
        over
    }

    fn end(&mut self, seat: &Seat, finished: &mut Vec<Finished>) {
        self.forget_places(seat);
        if let Some(open) = self.shelf_mut(seat).remove(seat) {
            finished.push(open.finish(seat.subject()));
        }
    }

    /// Takes a run out of the two indexes: each points to a run by the last place that it was heard from, and to no other.
    fn forget_places(&mut self, seat: &Seat) {
        let Some(open) = self.shelf(seat).get(seat) else { return };
        let (connection, address) = (open.connection, open.run.address);
        if self.by_connection.get(&connection) == Some(seat) {
            self.by_connection.remove(&connection);
        }
        if self.by_address.get(&address) == Some(seat) {
            self.by_address.remove(&address);
        }
    }
}

/// Whether a refused request may be of the phone whose run is open.
fn is_of_its_phone(open: &OpenRun, heard: &Heard) -> bool {
    let challenge = heard.exchange.reason.is_unproven() && open.run.address == heard.address;
    challenge || open.connection == heard.connection
}

#[cfg(test)]
#[path = "assembly_tests.rs"]
mod tests;
