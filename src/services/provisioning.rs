//! What a phone that showed the right credentials is answered: identify, admit, resolve, render (design 1.6).
//!
//! Reads memory only: World and Roster. The same world serves a request from beginning to end.

use std::net::IpAddr;
use std::sync::Arc;

use super::Services;
use super::enrolment::Enrolment;
use super::rendered::Rendered;
use crate::catalog::models::models;
use crate::domain::admission::{NewDeviceCaps, identify};
use crate::domain::device::{Device, DeviceKey};
use crate::domain::device_file::DeviceFile;
use crate::domain::phone_file::PhoneFile;
use crate::domain::provision::{self, master};
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
    /// Its path below the account's root, for names that mean nothing to us.
    pub path: &'a str,
    /// What the User-Agent tells; none if it is no phone's.
    pub agent: Option<&'a UserAgent>,
    /// Where it comes from.
    pub address: IpAddr,
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
    /// The newest log or dump of this kind, if there is one.
    Log(DeviceKey, String),
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
        let key = identify(visit.file, visit.path, visit.agent, models(), |key| roster.find(key).is_some());
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
        match (visit.file, &guest.device) {
            (PhoneFile::Master(_) | PhoneFile::MasterDefault, Some(device)) => {
                Answer::Made(self.rendered.of(device, world).master(device, world), Reason::Master)
            }
            (PhoneFile::Parameters(_), Some(device)) => {
                Answer::Made(self.rendered.of(device, world).parameters(device, world), Reason::Parameters)
            }
            (PhoneFile::Device(key, file), Some(_)) => {
                let name = file.suffix().trim_start_matches('-');
                services.roster(world.account_id).file(key, name).map_or(Answer::Absent(Reason::Absent), Answer::File)
            }
            (PhoneFile::Log(key, kind), Some(_)) => Answer::Log(key.clone(), format!("{}.log", kind.stem())),
            (PhoneFile::Capture(key, name), Some(_)) => Answer::Log(key.clone(), dump_name(key, name)),
            (PhoneFile::MasterDefault, None) if visit.agent.is_none() => {
                Answer::Made(write::master(&provision::anonymous()), Reason::SharedMaster)
            }
            (PhoneFile::MasterDefault, None) => Answer::Held(Reason::Unidentified),
            // A phone of a kind that we do not know may go by its serial number.
            (PhoneFile::Master(_), None) if visit.agent.is_some_and(|agent| agent.family.is_none()) => {
                Answer::Held(Reason::Unidentified)
            }
            (PhoneFile::Image(_), _) => Answer::Absent(Reason::NoImage),
            (PhoneFile::Default(_), _) => Answer::Absent(Reason::Absent),
            _ if self.is_listed(world, guest.device.as_deref(), visit.path) => Answer::Held(Reason::ListedMissing),
            _ => Answer::Absent(Reason::Absent),
        }
    }

    /// Whether a master file names this path, which we do not have. It is never answered 404: some phones drop a listed file's
    /// former values then.
    fn is_listed(&self, world: &Arc<World>, device: Option<&Device>, path: &str) -> bool {
        let names = |entry: &str| entry.trim_start_matches('/').eq_ignore_ascii_case(path);
        match device {
            Some(device) => self.rendered.of(device, world).lists(path, device),
            None => world
                .profiles
                .values()
                .any(|profile| profile.parameters.iter().any(|(name, list)| master::listed(name.as_str(), list).any(names))),
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
