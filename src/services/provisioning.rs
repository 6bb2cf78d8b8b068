//! What a phone that showed the right credentials is answered: identify, admit, resolve, render (design 1.6).
//!
//! Reads memory only: World and Roster. The same world serves a request from beginning to end.

use std::net::IpAddr;
use std::sync::Arc;

use jiff::Timestamp;

use super::enrolment::Enrolment;
use super::newcomers::Newcomers;
use super::rendered::Rendered;
use super::software::as_heard;
use super::{Services, credentials, rollover, software};
use crate::catalog::models::models;
use crate::domain::activity::Event;
use crate::domain::admission::decide::{Decision, Known, Proof, Rules, Visitor, comes_as_expected, decide, other_model};
use crate::domain::admission::identify;
use crate::domain::credential::{Channel, Recipient};
use crate::domain::device::{Device, DeviceKey};
use crate::domain::device_file::DeviceFile;
use crate::domain::device_list::Listed;
use crate::domain::given_file;
use crate::domain::image::{Image, ImageFile, served};
use crate::domain::manufacturer::{CertificateFault, Presented};
use crate::domain::phone_file::{self, DefaultFile, PhoneFile};
use crate::domain::placement::find;
use crate::domain::provision;
use crate::domain::resource::Resource;
use crate::domain::rollover::CaMark;
use crate::domain::run::Reason;
use crate::domain::site::{INTERNET, Origin};
use crate::domain::trust::{Admitted, Knock, Trust, Weight};
use crate::domain::upload::dump_name;
use crate::domain::user_agent::UserAgent;
use crate::domain::world::World;
use crate::xml::write::{self, Prepared};

/// Serves the phones of all accounts.
#[derive(Debug)]
pub struct Provisioning {
    newcomers: Arc<Newcomers>,
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
    /// The address that the phone says it has in its own network.
    pub own_address: Option<IpAddr>,
    /// What its handshake showed of a factory certificate.
    pub certificate: &'a Presented,
    /// The address of ours by which it came, as its request names it.
    pub came_by: Option<&'a str>,
    /// The CA of ours under which its connection was made, where that is known.
    pub under: Option<CaMark>,
    /// When it came.
    pub at: Timestamp,
    /// How it came.
    pub channel: Channel,
}

/// Who came, and whether it is let in.
#[derive(Clone, Debug)]
pub struct Guest {
    /// The device that the request names.
    pub key: Option<DeviceKey>,
    /// The device of the inventory, where it is one.
    pub device: Option<Arc<Device>>,
    /// By what it was let in, where it was.
    pub admitted: Option<Admitted>,
    /// Whether it was let in only because it is expected back.
    pub is_back: bool,
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
    /// A file that an admin put here for phones to fetch.
    Resource(Arc<Resource>),
    /// A file of an image.
    Image(Arc<Image>, ImageFile),
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
    /// Nothing was served yet. Whoever is new is one of the `newcomers`, however it comes.
    pub fn new(newcomers: Arc<Newcomers>) -> Self {
        Self { enrolment: Enrolment::new(newcomers.caps()), newcomers, rendered: Rendered::default() }
    }

    /// Finds out who came and whether it is let in, and remembers it.
    ///
    /// # Errors
    /// Why what it shows does not count: it is answered as if it showed nothing.
    pub fn receive(&self, services: &Services, world: &World, visit: &Visit<'_>, proof: &Proof) -> Result<Guest, Reason> {
        let roster = services.roster(world.account_id);
        let named = identify(visit.file, visit.location, visit.agent, models(), |key| roster.find(key).is_some());
        let key = named.clone().or_else(|| proof.device());
        let listed = key.as_ref().and_then(|key| roster.find(key));
        let book = services.trusts(world.account_id);
        let trust = key.as_ref().map(|key| book.of(key)).unwrap_or_default();
        let visitor = Visitor {
            proof: proof.clone(),
            key: named.as_ref(),
            address: visit.address,
            channel: visit.channel,
            model: visit.agent.and_then(|agent| agent.model.as_deref()),
        };
        let known = Known {
            device: listed.as_ref().map(|listed| &*listed.device),
            is_blocked: key.as_ref().is_some_and(|key| world.blocked.contains(key)),
            trust: &trust,
            is_at_its_site: listed.as_ref().is_some_and(|listed| is_at_its_site(listed, world, visit.address)),
        };
        let (now, rules) = (visit.at, Rules::of(&world.account));
        let decision = match decide(&visitor, known, &rules, now) {
            // Whoever would be let in waits; everybody else is told apart as ever.
            Decision::Serve(_) if !world.account.provisioning.enabled => return Ok(waiting(key, listed)),
            Decision::Add(_) | Decision::Nobody if !world.account.provisioning.enabled => return Ok(waiting(key, None)),
            decision => decision,
        };
        let is_back =
            matches!(decision, Decision::Serve(_) | Decision::Add(_)) && comes_as_expected(&visitor, known, &rules, now);
        // A certificate of another device says nothing of this one.
        let presented = match visit.certificate {
            Presented::Verified(mac) | Presented::Revoked(mac) if key != Some(DeviceKey::Mac(*mac)) => &Presented::NotAsked,
            presented => presented,
        };
        let (fault, is_factory) = (presented.fault(), matches!(proof, Proof::FactoryDefault));
        // All phones ask once without credentials. Whoever shows a certificate that does not count may never do more.
        let tells =
            |reason| reason != Reason::CredentialsMissing || fault.is_some_and(|fault| !is_known_of(&trust, visit, fault));
        // One of too many that nobody ever heard of leaves nothing behind, and is answered as others are.
        let leaves_trace = !matches!(decision, Decision::Refuse(reason) if !tells(reason));
        let shown = match decision {
            Decision::Hold(reason) | Decision::Refuse(reason) => {
                Knock::new(now, reason, visit.address, "").with_factory_default(is_factory).weight()
            }
            _ if is_factory => Weight::Open,
            _ => Weight::Secret,
        };
        let may_come = |key| self.newcomers.may_come(services, world, key, shown, visit.address);
        let is_one_too_many = leaves_trace && listed.is_none() && key.as_ref().is_some_and(|key| !may_come(key));
        let refused = |reason| {
            if reason == Reason::Bound {
                services.alerts.bound_refused();
            }
            let Some(key) = key.as_ref().filter(|_| !is_one_too_many) else { return };
            let tells = tells(reason);
            let knock =
                Knock::new(now, reason, visit.address, &told(visit.agent)).showing(fault).with_factory_default(is_factory);
            let is_its_own = reason.is_held() && proof.device().is_some() && proof.device() == Some(key.clone());
            let is_heard = knock.has_credentials() || matches!(presented, Presented::Revoked(_)) && known.device.is_some();
            if tells || is_heard {
                book.learn(key, |trust| {
                    if is_heard {
                        trust.showed(presented, is_its_own);
                    }
                    if tells {
                        trust.refused(knock);
                    }
                });
            }
        };
        let let_in = |listed: Option<Listed>, admitted| {
            let device = listed.map(|listed| listed.device);
            let other = device.as_deref().and_then(|device| other_model(device, visitor.model));
            if let Some(key) = &key {
                book.hear(key, |trust| {
                    trust.let_in(now, visit.address, admitted);
                    trust.tells_model(other);
                    trust.showed(presented, true);
                    if let Some(url) = visit.came_by {
                        trust.came_by(url);
                    }
                    if let (Some(_), Some(ca)) = (&world.endpoints.next_ca, visit.under) {
                        trust.takeover.came_under = Some(ca);
                    }
                });
            }
            let device = device.map(|device| as_heard(at_its_site(recognised(device, visit.agent), world, visit), visit.agent));
            Ok(Guest { key: key.clone(), device, admitted: Some(admitted), is_back, held: None })
        };
        let held = |reason| {
            refused(reason);
            Ok(Guest { key: key.clone(), device: None, admitted: None, is_back: false, held: Some(reason) })
        };
        match decision {
            Decision::Hold(_) | Decision::Add(_) if is_one_too_many => held(Reason::TooManyNew),
            Decision::Serve(admitted) => let_in(listed, admitted),
            Decision::Add(admitted) => {
                let key = key.as_ref().expect("only a key is added");
                // Whom a person let in is not one of too many.
                let is_awaited = trust.right_at(visit.address, now).is_some();
                match self.enrolment.add(services, world, key, visit.agent, visit.origin(), is_awaited) {
                    Ok(added) => let_in(Some(added), admitted),
                    Err(reason) => held(reason),
                }
            }
            Decision::Nobody => Ok(Guest { key: None, device: None, admitted: None, is_back: false, held: None }),
            Decision::Hold(reason) => held(reason),
            Decision::Refuse(reason) => {
                refused(reason);
                if let (Reason::OfAnotherDevice, Some(asked)) = (reason, &key) {
                    report_misuse(services, world, visit, proof, asked);
                }
                Err(reason)
            }
        }
    }

    /// What a request for a file is answered.
    pub fn answer(&self, services: &Services, world: &Arc<World>, visit: &Visit<'_>, guest: &Guest) -> Answer {
        if let Some(reason) = guest.held {
            return Answer::Held(reason);
        }
        if let PhoneFile::Image(name) = visit.file
            && let Some((image, file)) = served(&world.images, visit.location, name)
        {
            let may_fetch = |device: &Arc<Device>| software::may_fetch(device, world, &image.version);
            return match &guest.device {
                Some(device) if !may_fetch(device) => Answer::Absent(Reason::NotThisImage),
                _ => Answer::Image(Arc::clone(image), file.clone()),
            };
        }
        match &guest.device {
            Some(device) => self.answer_device(services, world, visit, device),
            None => self.answer_stranger(world, visit),
        }
    }

    /// What a device is answered. A name that only looks like a device's, such as `office2024.cfg`, is a file like any other.
    fn answer_device(&self, services: &Services, world: &Arc<World>, visit: &Visit<'_>, device: &Device) -> Answer {
        match visit.file {
            PhoneFile::MasterDefault => self.master(services, world, visit, device),
            PhoneFile::Master(key) if *key == device.key => self.master(services, world, visit, device),
            PhoneFile::Parameters(key) if *key == device.key => {
                services.trusts(world.account_id).hear(key, |trust| trust.served(visit.at, visit.channel == Channel::ClearText));
                rollover::given(services, world, device, visit);
                Answer::Made(self.made(services, world, visit, device, Prepared::parameters), Reason::Parameters)
            }
            PhoneFile::Device(key, file) if *key == device.key => {
                let name = file.suffix().trim_start_matches('-');
                let roster = services.roster(world.account_id);
                // The phone's own directory counts for that phone, then the administrator's for it (contract 5.13).
                let stored = roster.file(key, name).or_else(|| roster.file(key, given_in_place_of(*file)?));
                stored.map_or_else(|| self.resource_of(world, visit, device), Answer::File)
            }
            PhoneFile::Log(key, kind) if *key == device.key => self.log(world, visit, device, format!("{}.log", kind.stem())),
            PhoneFile::Capture(key, name) if *key == device.key => self.log(world, visit, device, dump_name(key, name)),
            _ => self.given(services, world, visit, device).map_or_else(|| self.resource_of(world, visit, device), Answer::File),
        }
    }

    /// A file that a person put there for this device under any other name (R221): it goes before whatever all devices get.
    fn given(&self, services: &Services, world: &Arc<World>, visit: &Visit<'_>, device: &Device) -> Option<DeviceFile> {
        let roster = services.roster(world.account_id);
        if let PhoneFile::Default(file) = visit.file {
            return roster.file(&device.key, given_for_all(*file));
        }
        let files = roster.files(&device.key, |file| given_file::given(&file.name).is_some());
        if files.is_empty() {
            return None;
        }
        let prepared = self.rendered.of(device, visit.channel, world, visit.at);
        let is_listed = prepared.lists(visit.location, device);
        let is_below = |attribute: &str, name: &str| prepared.is_below(attribute, name, visit.location, device);
        files.into_iter().find(|file| given_file::is_asked_for(&file.name, visit.location, is_below, is_listed))
    }

    fn master(&self, services: &Services, world: &Arc<World>, visit: &Visit<'_>, device: &Device) -> Answer {
        if visit.agent.is_some_and(|agent| agent.tag.is_none()) {
            services.downloads.came_untagged(world.account_id, visit.address, &device.key);
        }
        Answer::Made(self.made(services, world, visit, device, Prepared::master), Reason::Master)
    }

    /// One of the two files that are made for a device.
    fn made(
        &self,
        services: &Services,
        world: &Arc<World>,
        visit: &Visit<'_>,
        device: &Device,
        file: impl Fn(&Prepared, &Recipient<'_>, &World) -> Vec<u8>,
    ) -> Vec<u8> {
        let secrets = credentials::of(services, world.account_id, &device.key);
        let recipient = Recipient { device, secrets: &secrets, channel: visit.channel };
        file(&self.rendered.of(device, recipient.channel, world, visit.at), &recipient, world)
    }

    /// What a device is answered for a file that it has not stored itself: the account's, where there is one (R221).
    fn resource_of(&self, world: &Arc<World>, visit: &Visit<'_>, device: &Device) -> Answer {
        visit.resource(world).map_or_else(|| self.missing_of(world, visit, device), Answer::Resource)
    }

    /// What a device is answered for a file that is not here. Its name may carry the key of a device, and another one be sent to it.
    /// A file of no device that any profile names may have been in the device's last master file: what is deployed where may have
    /// changed since.
    fn missing_of(&self, world: &Arc<World>, visit: &Visit<'_>, device: &Device) -> Answer {
        let listed = self.rendered.of(device, visit.channel, world, visit.at).lists(visit.location, device)
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
            _ => match visit.resource(world) {
                Some(resource) => Answer::Resource(resource),
                None => self.missing(world, visit, self.rendered.is_listed_anywhere(visit.location, world, visit.at)),
            },
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

/// What a person put there for the device that counts where it has no such file of its own.
fn given_in_place_of(file: phone_file::DeviceFile) -> Option<&'static str> {
    file.fallback().map(given_for_all)
}

/// The file of one device that counts instead of the one for all.
fn given_for_all(file: DefaultFile) -> &'static str {
    match file {
        DefaultFile::Directory => given_file::GIVEN_DIRECTORY,
        DefaultFile::License => given_file::SITE_LICENSE,
    }
}

impl Visit<'_> {
    /// The resource file that is asked for, or that stands in for one that the device has not stored (R220).
    fn resource(&self, world: &World) -> Option<Arc<Resource>> {
        let stands_in = match self.file {
            PhoneFile::Device(_, file) => file.fallback(),
            PhoneFile::Default(file) => Some(*file),
            _ => None,
        };
        let found = world.resources.find(self.location);
        found.or_else(|| world.resources.find(stands_in?.name())).cloned()
    }

    /// From where it comes, as sites see it.
    fn origin(&self) -> Origin {
        Origin { seen: self.address, own: self.own_address }
    }
}

/// Whether somebody comes from the site of a device, other than *Internet*. What the visitor says of itself does not count here, but
/// what the device said when it was let in.
fn is_at_its_site(listed: &Listed, world: &World, address: IpAddr) -> bool {
    let site = listed.device.site_id();
    let origin = Origin { seen: address, own: listed.private_ip() };
    site != INTERNET && find(&world.sites, origin).site == site
}

/// A device that was added by hand gets at its first contact what its site gets; the row follows with the next batch.
fn at_its_site(device: Arc<Device>, world: &World, visit: &Visit<'_>) -> Arc<Device> {
    if !device.is_to_be_placed() {
        return device;
    }
    let mut placed = Device::clone(&device);
    let own = device.private_ip.or(visit.own_address);
    placed.place(find(&world.sites, Origin { own, ..visit.origin() }), visit.at);
    Arc::new(placed)
}

/// Whether it is known of a device which is let in from there that its certificate does not count: then there is nothing to tell.
fn is_known_of(trust: &Trust, visit: &Visit<'_>, fault: CertificateFault) -> bool {
    trust.last_address == Some(visit.address) && trust.certificate.is(fault)
}

/// Provisioning is switched off: whoever would be let in keeps what it has.
fn waiting(key: Option<DeviceKey>, listed: Option<Listed>) -> Guest {
    let device = listed.map(|listed| listed.device);
    Guest { key, device, admitted: None, is_back: false, held: Some(Reason::ProvisioningOff) }
}

/// Somebody shows the proof of one device and asks for another: that goes to the activity log, once an hour (PHN-06). Where
/// neither key is a device's nothing is told: nobody could do anything about it.
fn report_misuse(services: &Services, world: &World, visit: &Visit<'_>, proof: &Proof, asked: &DeviceKey) {
    let by_certificate = match visit.certificate {
        Presented::Verified(mac) => Some(DeviceKey::Mac(*mac)),
        _ => None,
    };
    let Some(owner) = by_certificate.clone().or_else(|| proof.device()) else { return };
    let roster = services.roster(world.account_id);
    if roster.find(&owner).is_none() && roster.find(asked).is_none() {
        return;
    }
    let now = services.clock.now();
    let mut is_told = false;
    services.trusts(world.account_id).learn(&owner, |trust| is_told = trust.misused(now));
    if is_told {
        let action = match by_certificate {
            Some(_) => "was refused another device's files with the factory certificate of",
            None => "was refused another device's files with the credentials of",
        };
        let event = Event::new("device", owner.to_string(), action).change("asked for", None, Some(asked.to_string())).change(
            "from",
            None,
            Some(visit.address.to_string()),
        );
        services.presence().report(world.account_id, event);
    }
}

/// What a phone says of itself, for the page *Pending*.
pub(super) fn told(agent: Option<&UserAgent>) -> String {
    let agent = agent.and_then(|agent| agent.model.as_ref().or(agent.family.as_ref()));
    agent.cloned().unwrap_or_default()
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
