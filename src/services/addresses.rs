//! The provisioning addresses that were ever handed out: who still uses which, and which of them are still answered (contract 2, 3,
//! R186).
//!
//! A device is told our address with every configuration, and keeps it until it takes up another one. So each address stays in the
//! certificate and is answered until no device comes by it any more; only a person takes one away.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::Services;
use super::address::Address;
use super::certificates::facts::{self, Facts};
use super::certificates::{self, Certificates, Origin, OwnFiles, ServerNames};
use super::commit::{Mode, perform};
use super::error::ServiceError;
use crate::domain::access::{Action, Actor, authorize};
use crate::domain::activity::{Event, SERVER};
use crate::domain::device::DeviceKey;
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::domain::limits::ADDRESS_USE_DAYS;
use crate::domain::server::{BaseUrl, ServerSettings};
use crate::store;

/// Devices that a sentence names; the rest are counted.
const NAMED: usize = 10;

/// An address that phones were told, or that they come by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandedOut {
    /// The address.
    pub url: String,
    /// Phones are told this one now.
    pub is_current: bool,
    /// Whether phones were ever told it; else they found it by themselves, such as the server's bare IP address from DHCP.
    pub was_told: bool,
    /// Since when they were; none where that was not noted yet.
    pub since: Option<Timestamp>,
    /// Devices that came by it the last time they came.
    pub devices: Vec<Named>,
    /// When the last of them came.
    pub last_used: Option<Timestamp>,
    /// Why it is not answered any more, where it is not.
    pub unanswered: Option<&'static str>,
}

/// A device by its key and by what it is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// Key.
    pub key: DeviceKey,
    /// Its name, else its key.
    pub label: String,
}

/// What this server answers.
#[derive(Clone, Debug)]
pub struct Answered {
    /// Ports of HTTPS: the one listened on, and the one of the public address where a device in between translates.
    pub https: BTreeSet<u16>,
    /// Port of plain HTTP, while it is open.
    pub http: Option<u16>,
    /// What the certificate names.
    pub names: ServerNames,
    /// From when to when the certificate is valid, and whose it is; none where one is made at the start.
    pub validity: Option<(Timestamp, Timestamp, Origin)>,
    /// The private CAs that phones need for it.
    pub authorities: Vec<Facts>,
    /// The address that phones are told; none before the set-up.
    pub told: Option<String>,
}

impl Answered {
    /// What the running server answers.
    pub fn now(services: &Services, address: &Address) -> Self {
        let http = services.worlds().endpoints().http_url.as_deref().and_then(BaseUrl::parse).map(|base| base.port);
        let (active, told) = (address.certificates().active(), services.worlds().endpoints().https_url.clone());
        let validity = Some((active.not_before, active.not_after, active.origin));
        let authorities =
            [&active.ca_pem, &active.other_ca_pem].into_iter().flatten().filter_map(|pem| facts::of_pem(pem)).collect();
        Self { https: address.ports(), http, names: active.names.clone(), validity, authorities, told: Some(told) }
    }

    /// What a server with these settings would answer: `https` and `http` are the ports that it listens on, `public` host and port of
    /// the public address that the settings of the process name.
    ///
    /// # Errors
    /// The settings or the own certificate cannot be read.
    pub fn configured(
        services: &Services,
        own: Option<&OwnFiles>,
        https: u16,
        http: Option<u16>,
        public: Option<(String, u16)>,
    ) -> Result<Self, ServiceError> {
        let settings: ServerSettings = services.store.read(store::server::get)?;
        let told = settings.addresses.iter().filter_map(|url| Some(BaseUrl::parse(url)?.host));
        let hosts: Vec<String> =
            public.iter().map(|(host, _)| host.clone()).chain(settings.public_name.clone()).chain(told).collect();
        let made = ServerNames::of_this_machine(&hosts);
        let folder = services.state_dir.certificates();
        let (names, validity) = Certificates::own_or_made(&folder, own, made)?;
        let authorities = match validity {
            Some(_) => Vec::new(),
            None => certificates::described_cas(&folder, &settings.given)?.into_iter().flatten().collect(),
        };
        let validity = validity.map(|(from, until)| (from, until, Origin::Own));
        let ports = public.iter().map(|(_, port)| *port).chain([https]).collect();
        let told = public.or_else(|| Some((settings.public_name?, https)));
        let told = told.map(|(host, port)| BaseUrl { is_tls: true, host, port }.to_string());
        Ok(Self { https: ports, http, names, validity, authorities, told })
    }

    /// The address that phones are told, where the certificate does not name its host: phones that compare would refuse it (R190).
    pub fn unnamed(&self) -> Option<&str> {
        let told = self.told.as_deref()?;
        (!self.names.covers_host(&BaseUrl::parse(told)?.host)).then_some(told)
    }

    /// Why an address is not answered, if it is not. Only addresses that phones were told must be in the certificate: for the
    /// others nobody knows what stands between phones and this machine.
    fn refusal(&self, url: &str, was_told: bool) -> Option<&'static str> {
        let Some(base) = BaseUrl::parse(url) else { return Some("it is no address of ours") };
        // Port 0 stands for whichever is free.
        let ports = |port: &u16| *port == base.port || *port == 0;
        let is_listened_on = if base.is_tls { self.https.iter().any(ports) } else { self.http.as_ref().is_some_and(ports) };
        if !is_listened_on {
            return Some("its port is not listened on any more");
        }
        (base.is_tls && was_told && !self.names.covers_host(&base.host)).then_some("the certificate does not name it")
    }
}

/// All addresses, the current one first, then those used most.
///
/// # Errors
/// The settings cannot be read.
pub fn list(services: &Services, answered: &Answered) -> Result<Vec<HandedOut>, ServiceError> {
    let settings: ServerSettings = services.store.read(store::server::get)?;
    Ok(listed(services, answered, &settings, used(services, |_| true)))
}

fn listed(services: &Services, answered: &Answered, settings: &ServerSettings, mut used: Used) -> Vec<HandedOut> {
    let current = services.worlds().endpoints().https_url.clone();
    let told = settings.addresses.iter().filter(|url| **url != current);
    let mut urls: Vec<String> = std::iter::once(&current).chain(told).cloned().collect();
    urls.extend(used.keys().filter(|url| !settings.addresses.contains(url) && **url != current).cloned().collect::<Vec<_>>());
    let mut all: Vec<HandedOut> = urls
        .into_iter()
        .map(|url| {
            let is_current = url == current;
            let was_told = is_current || settings.addresses.contains(&url);
            let (devices, last_used) = used.remove(&url).unwrap_or_default();
            HandedOut {
                is_current,
                was_told,
                since: settings.handed_out_at.get(&url).copied(),
                unanswered: answered.refusal(&url, was_told),
                devices,
                last_used,
                url,
            }
        })
        .collect();
    all.sort_by_key(|one| (!one.is_current, std::cmp::Reverse(one.devices.len())));
    all
}

/// The devices of each address by which any came, and when the last one did.
type Used = BTreeMap<String, (Vec<Named>, Option<Timestamp>)>;

/// The devices of the addresses that are wanted.
fn used(services: &Services, is_wanted: impl Fn(&str) -> bool) -> Used {
    let (book, roster) = (services.trusts(DEFAULT_ACCOUNT), services.roster(DEFAULT_ACCOUNT));
    let mut used = Used::new();
    for (key, trust) in book.filtered(|trust| trust.address_used.as_deref().is_some_and(&is_wanted)) {
        let Some((url, listed)) = trust.address_used.as_ref().zip(roster.find(&key)) else { continue };
        let label = listed.device.name.as_ref().map_or_else(|| listed.device.key.to_string(), ToString::to_string);
        let entry = used.entry(url.to_string()).or_default();
        entry.0.push(Named { key: listed.device.key.clone(), label });
        entry.1 = entry.1.max(listed.sighting.last_seen);
    }
    used
}

/// Takes an address away: it is no longer listed, and the certificate's next renewal leaves its name out. `even_if_used` is for a
/// person who was told which devices come by it.
///
/// # Errors
/// It is the current one, devices come by it, or it is not listed.
pub fn remove(
    services: &Services,
    actor: &Actor,
    answered: &Answered,
    url: &str,
    even_if_used: bool,
    mode: Mode,
) -> Result<HandedOut, ServiceError> {
    let grant = authorize(actor, Action::EditServer)?;
    let found = list(services, answered)?.into_iter().find(|one| one.url == url && one.was_told);
    let found = found.ok_or_else(|| ServiceError::not_found("provisioning address", url))?;
    if found.is_current {
        return Err(ServiceError::Conflict("phones are told this address now; give them another one first".to_owned()));
    }
    if !found.devices.is_empty() && !even_if_used {
        let words = format!("{} by this address: {}", came(found.devices.len()), names(&found.devices));
        return Err(ServiceError::Conflict(words));
    }
    perform(services, mode, grant, SERVER, |change| {
        let mut settings = store::server::get(change.tx())?;
        settings.addresses.retain(|one| one != url);
        settings.handed_out_at.remove(url);
        settings.revision += 1;
        store::server::put(change.tx(), &settings)?;
        let devices = (!found.devices.is_empty()).then(|| names(&found.devices));
        change.record(Event::new("provisioning address", url, "removed").change("devices that came by it", devices, None))?;
        Ok(found)
    })
}

/// What is wrong with addresses, in sentences (contract 2): devices of the last 90 days that come by one that is not answered.
///
/// # Errors
/// The settings cannot be read.
pub fn faults(services: &Services, answered: &Answered) -> Result<Vec<String>, ServiceError> {
    let now = services.clock.now();
    let still = |at: Timestamp| now.duration_since(at) < SignedDuration::from_hours(24 * ADDRESS_USE_DAYS);
    let roster = services.roster(DEFAULT_ACCOUNT);
    let settings: ServerSettings = services.store.read(store::server::get)?;
    let current = services.worlds().endpoints().https_url.clone();
    // Nearly all devices come by an address that is answered: nothing of them is looked at.
    let mut unanswered = services.trusts(DEFAULT_ACCOUNT).addresses_used();
    unanswered.retain(|url| {
        answered.refusal(url, **url == *current || settings.addresses.iter().any(|told| **told == **url)).is_some()
    });
    let mut faults = Vec::new();
    for mut one in listed(services, answered, &settings, used(services, |url| unanswered.contains(url))) {
        let Some(why) = one.unanswered else { continue };
        one.devices.retain(|device| roster.find(&device.key).and_then(|listed| listed.sighting.last_seen).is_some_and(still));
        if one.devices.is_empty() {
            continue;
        }
        faults.push(format!(
            "{} by {} within the last {ADDRESS_USE_DAYS} days, and {why}: {}; let the server answer there again, or give these \
             devices the present address",
            came(one.devices.len()),
            one.url,
            names(&one.devices),
        ));
    }
    Ok(faults)
}

fn came(devices: usize) -> String {
    if devices == 1 { "1 device came".to_owned() } else { format!("{devices} devices came") }
}

/// The first devices by name, and how many more.
fn names(devices: &[Named]) -> String {
    let named: Vec<&str> = devices.iter().take(NAMED).map(|one| one.label.as_str()).collect();
    match devices.len().checked_sub(NAMED) {
        None | Some(0) => named.join(", "),
        Some(more) => format!("{} and {more} more", named.join(", ")),
    }
}
