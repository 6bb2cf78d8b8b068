//! What a phone that showed the right credentials is answered: identify, admit, resolve, render (design 1.6).
//!
//! Reads memory only: World and Roster. The same world serves a request from beginning to end.

use std::net::IpAddr;
use std::sync::Arc;

use jiff::Timestamp;

use super::Services;
use super::enrolment::Enrolment;
use super::rendered::Rendered;
use crate::catalog::models::models;
use crate::domain::admission::{NewDeviceCaps, identify};
use crate::domain::device::{Device, DeviceKey};
use crate::domain::device_file::DeviceFile;
use crate::domain::phone_file::PhoneFile;
use crate::domain::provision;
use crate::domain::run::Reason;
use crate::domain::upload::dump_name;
use crate::domain::user_agent::UserAgent;
use crate::domain::world::World;
use crate::xml::write;

/// Serves the phones of all accounts.
#[derive(Debug)]
pub struct Provisioning {
    enrolment: Enrolment,
    rendered: Rendered,
}

/// One request, as far as it matters for what is answered.
#[derive(Clone, Copy, Debug)]
pub struct Visit<'a> {
    /// The file.
    pub file: &'a PhoneFile,
    /// Its path in the form in which paths are compared ([`crate::domain::phone_file::location`]), for names that mean nothing
    /// to us.
    pub location: &'a str,
    /// What the User-Agent tells; none if it is no phone's.
    pub agent: Option<&'a UserAgent>,
    /// Where it comes from.
    pub address: IpAddr,
    /// When it came.
    pub at: Timestamp,
}

/// Who came, and whether it is let in.
#[derive(Clone, Debug)]
pub struct Guest {
    /// The device that the request names.
    pub key: Option<DeviceKey>,
    /// The device of the inventory, where it is one.
    pub device: Option<Arc<Device>>,
    /// Why it gets nothing now.
    pub held: Option<Reason>,
}

/// What a request for a file is answered.
#[derive(Clone, Debug)]
pub enum Answer {
    /// Bytes made for this request.
    Made(Vec<u8>, Reason),
    /// A file that the device stored with us.
    File(DeviceFile),
    /// The newest log or dump of a device.
    Log {
        /// The device.
        key: DeviceKey,
        /// What follows the key in the log's name.
        kind: String,
        /// The answer where there is none.
        otherwise: Box<Answer>,
    },
    /// There is no such file.
    Absent(Reason),
    /// Not now: the phone keeps what it has.
    Held(Reason),
}

impl Provisioning {
    /// Nothing was served yet.
    pub fn new(caps: NewDeviceCaps) -> Self {
        Self { enrolment: Enrolment::new(caps), rendered: Rendered::default() }
    }

    /// Finds out who came and whether it is let in.
    pub fn receive(&self, services: &Services, world: &World, visit: &Visit<'_>) -> Guest {
        let roster = services.roster(world.account_id);
        let key = identify(visit.file, visit.location, visit.agent, models(), |key| roster.find(key).is_some());
        let off = !world.account.provisioning.enabled;
        let found = match &key {
            None => Ok(None),
            Some(key) if off => Ok(roster.find(key)),
            Some(key) => self.enrolment.admit(services, world, key, visit.agent, visit.address).map(Some),
        };
        let (device, held) = match found {
            Ok(listed) => (listed.map(|listed| recognised(listed.device, visit.agent)), off.then_some(Reason::ProvisioningOff)),
            Err(reason) => (None, Some(reason)),
        };
        Guest { key, device, held }
    }

    /// What a request for a file is answered.
    pub fn answer(&self, services: &Services, world: &Arc<World>, visit: &Visit<'_>, guest: &Guest) -> Answer {
        if let Some(reason) = guest.held {
            return Answer::Held(reason);
        }
        match &guest.device {
            Some(device) => self.answer_device(services, world, visit, device),
            None => self.answer_stranger(world, visit),
        }
    }

    /// What a device is answered. A name that only looks like a device's, such as `office2024.cfg`, is a file like any other.
    fn answer_device(&self, services: &Services, world: &Arc<World>, visit: &Visit<'_>, device: &Device) -> Answer {
        let rendered = || self.rendered.of(device, world, visit.at);
        match visit.file {
            PhoneFile::MasterDefault => Answer::Made(rendered().master(device, world), Reason::Master),
            PhoneFile::Master(key) if *key == device.key => Answer::Made(rendered().master(device, world), Reason::Master),
            PhoneFile::Parameters(key) if *key == device.key => {
                Answer::Made(rendered().parameters(device, world), Reason::Parameters)
            }
            PhoneFile::Device(key, file) if *key == device.key => {
                let name = file.suffix().trim_start_matches('-');
                let stored = services.roster(world.account_id).file(key, name);
                stored.map_or_else(|| self.missing_of(world, visit, device), Answer::File)
            }
            PhoneFile::Log(key, kind) if *key == device.key => self.log(world, visit, device, format!("{}.log", kind.stem())),
            PhoneFile::Capture(key, name) if *key == device.key => self.log(world, visit, device, dump_name(key, name)),
            _ => self.missing_of(world, visit, device),
        }
    }

    /// What a device is answered for a file that is not here. Its name may carry the key of a device, and another one be sent to it.
    /// A file of no device that any profile names may have been in the device's last master file: what is deployed where may have
    /// changed since.
    fn missing_of(&self, world: &Arc<World>, visit: &Visit<'_>, device: &Device) -> Answer {
        let listed = self.rendered.of(device, world, visit.at).lists(visit.location, device)
            || self.rendered.is_listed_by_key(visit.location, &device.key, world, visit.at)
            || (matches!(visit.file, PhoneFile::Resource(_))
                && self.rendered.is_listed_anywhere(visit.location, world, visit.at));
        self.missing(world, visit, listed)
    }

    fn log(&self, world: &Arc<World>, visit: &Visit<'_>, device: &Device, kind: String) -> Answer {
        let otherwise = Box::new(self.missing_of(world, visit, device));
        Answer::Log { key: device.key.clone(), kind, otherwise }
    }

    /// What somebody is answered who names no device.
    fn answer_stranger(&self, world: &Arc<World>, visit: &Visit<'_>) -> Answer {
        match visit.file {
            PhoneFile::MasterDefault if visit.agent.is_none() => {
                Answer::Made(write::master(&provision::anonymous()), Reason::SharedMaster)
            }
            PhoneFile::MasterDefault => Answer::Held(Reason::Unidentified),
            // A phone of a kind that we do not know may go by its serial number.
            PhoneFile::Master(_) if visit.agent.is_some_and(|agent| agent.family.is_none()) => Answer::Held(Reason::Unidentified),
            _ => self.missing(world, visit, self.rendered.is_listed_anywhere(visit.location, world, visit.at)),
        }
    }

    /// What is answered for a file that is not here. One that a master file names, or did a moment ago, is never answered 404: some
    /// phones drop its former values then.
    fn missing(&self, world: &Arc<World>, visit: &Visit<'_>, listed: bool) -> Answer {
        match visit.file {
            _ if listed || self.rendered.was_listed(visit.location, world, visit.at) => Answer::Held(Reason::ListedMissing),
            PhoneFile::Image(_) => Answer::Absent(Reason::NoImage),
            _ => Answer::Absent(Reason::Absent),
        }
    }
}

/// A device that was added without a type is served as what it tells to be, from the first request on (R239). The row follows
/// with the next presence batch.
fn recognised(device: Arc<Device>, agent: Option<&UserAgent>) -> Arc<Device> {
    match agent {
        Some(agent) if device.model.is_none() && agent.model.is_some() => {
            let family = agent.family.clone().or_else(|| device.family.clone());
            Arc::new(Device { family, model: agent.model.clone(), ..Device::clone(&device) })
        }
        _ => device,
    }
}

#[cfg(test)]
#[path = "provisioning_tests.rs"]
mod tests;
