//! What happened before the demo began: the polls of last night, devices that went silent, runs that failed, and who was turned away. It is told to the
//! services as the listeners tell it, with times that lie back, so that every page has something to show from the start.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::catalog::models::models;
use crate::domain::device::{Device, DeviceKey, Origin};
use crate::domain::ids::{DEFAULT_ACCOUNT, SiteId};
use crate::domain::mac::Mac;
use crate::domain::names::Name;
use crate::domain::parameter::ParameterSet;
use crate::domain::placement::{Elsewhere, Placement};
use crate::domain::run::assembly::{Asked, Heard, Speaker, Standing};
use crate::domain::run::{Exchange, HandshakeFault, Method, Reason};
use crate::domain::site::INTERNET;
use crate::domain::user_agent::UserAgent;
use crate::services::Services;
use crate::services::error::ServiceError;
use crate::services::presence::{self, Message};
use crate::simulate::address::own_address;
use crate::simulate::boot::Program;
use crate::simulate::firmware::Software;
use crate::simulate::models::Model;
use crate::simulate::phone::Phone;
use crate::simulate::rules::Rules;

use super::content::BLOCKED;
use super::fleet;

/// One request of a run: what it was about, its method, the end of its path, and the answer.
type Step = (Asked, Method, &'static str, u16, Reason);

const BOOT_LOG: Step = (Asked::BootLog, Method::Put, "-boot.log", 201, Reason::Stored);
const MASTER: Step = (Asked::Master, Method::Get, ".cfg", 200, Reason::Master);
const PARAMETERS: Step = (Asked::Parameters, Method::Get, "-profile.cfg", 200, Reason::Parameters);
const OVERRIDES: Step = (Asked::Other, Method::Get, "-phone.cfg", 404, Reason::Absent);
const APP_LOG: Step = (Asked::Other, Method::Put, "-app.log", 201, Reason::Stored);

const BOOTED: &[Step] = &[BOOT_LOG, MASTER, PARAMETERS, OVERRIDES, APP_LOG];
const POLLED: &[Step] = &[MASTER, PARAMETERS];
const CUT: &[Step] = &[BOOT_LOG, MASTER];
const FAULT: &[Step] = &[MASTER, (Asked::Parameters, Method::Get, "-profile.cfg", 503, Reason::Fault)];
const LISTED_MISSING: &[Step] = &[MASTER, PARAMETERS, (Asked::Other, Method::Get, "-branch.cfg", 503, Reason::ListedMissing)];
const PASSWORD_CHANGED: &[Step] = &[BOOT_LOG, MASTER, (Asked::Other, Method::Get, "-profile.cfg", 401, Reason::CredentialsWrong)];
const LOG_TOO_LARGE: &[Step] = &[MASTER, PARAMETERS, (Asked::Other, Method::Put, "-app.log", 413, Reason::TooLarge)];

/// A device of the past: its model and version, how many hours ago it came last, what it did then.
type Past = (&'static str, &'static str, i64, &'static [Step]);

/// More than two days of silence make a device offline.
const DEVICES: &[Past] = &[
    ("VVX411", "5.9.6.2327", 1, BOOTED),
    ("Trio8800", "7.2.2.1094", 2, POLLED),
    ("CCX600", "9.4.1.0508", 3, BOOTED),
    ("SPIP550", "4.0.15.1047", 5, POLLED),
    ("VVX450", "5.9.1.0615", 1, CUT),
    ("CCX600", "8.0.2.3267", 2, FAULT),
    ("EdgeE450", "8.0.0.15602", 3, LISTED_MISSING),
    ("Trio8800", "7.2.2.1094", 4, PASSWORD_CHANGED),
    ("VVX311", "5.9.7.4477", 6, LOG_TOO_LARGE),
    ("VVX500", "5.4.3.1014", 60, POLLED),
    ("SPIP670", "3.3.1.0933", 75, BOOTED),
    ("VVX411", "5.9.1.0615", 110, POLLED),
    ("EdgeE450", "8.0.0.15602", 200, BOOTED),
    ("CCX600", "8.0.2.3267", 260, CUT),
    ("StudioX30", "3.10.0_362035", 300, POLLED),
    ("SPIP550", "4.0.3.7562", 700, FAULT),
];

/// Phones that named themselves and were not let in: model, and why.
const STRANGERS: &[(&str, u16, Reason)] = &[
    ("VVX311", 401, Reason::CredentialsWrong),
    ("Trio8800", 401, Reason::CredentialsWrong),
    ("SPIP550", 401, Reason::CredentialsMissing),
    ("CCX600", 503, Reason::TooManyNew),
];

/// Addresses from which nobody came past TLS, and one that asked for the shared master without telling who it is.
const ADDRESSES: &[Reason] = &[
    Reason::Handshake(HandshakeFault::UnknownCa),
    Reason::Handshake(HandshakeFault::CertificateTime),
    Reason::Handshake(HandshakeFault::NoCommonVersion),
    Reason::Handshake(HandshakeFault::NoCommonSuite),
    Reason::Handshake(HandshakeFault::CertificateRefused),
    Reason::Handshake(HandshakeFault::NotTls),
    Reason::Handshake(HandshakeFault::HungUp),
    Reason::Unidentified,
];

/// Devices of the past that moved out of their site: what becomes of them waits for somebody's word.
pub(super) const MOVED: usize = 3;

/// Tells all of it. `left` is the site that some devices have left.
///
/// # Errors
/// What the store reports.
pub fn tell(services: &Services, left: SiteId) -> Result<(), ServiceError> {
    let now = services.clock().now();
    for (number, (model, version, hours, steps)) in (0..).zip(DEVICES) {
        let at = now - SignedDuration::from_hours(*hours);
        let phone = phone(model, Some(version), number);
        let mut device = device(&phone, number, at);
        if usize::try_from(number).is_ok_and(|number| number < MOVED) {
            device.pin(left, device.added_at);
            device.placement.pinned = false;
            let since = at - SignedDuration::from_hours(24);
            device.placement.elsewhere = Some(Elsewhere { site: INTERNET, since, waits_since: Some(at), declined: false });
        }
        services.roster(DEFAULT_ACCOUNT).admit(device);
        let key = DeviceKey::from(phone.mac);
        steps.iter().zip(0..).for_each(|(step, second)| note(services, &phone, Standing::LetIn, &key, *step, at, second));
    }
    let blocked = BLOCKED.iter().map(|index| (fleet::phone_of(*index, Arc::from(Vec::new())), 503, Reason::Blocked));
    for index in (0..fleet::PHONES).filter(|index| fleet::is_added_before(*index) && !BLOCKED.contains(index)) {
        let (phone, at) = (fleet::phone_of(index, Arc::from(Vec::new())), now - last_poll(index));
        let key = DeviceKey::from(phone.mac);
        POLLED.iter().zip(0..).for_each(|(step, second)| note(services, &phone, Standing::LetIn, &key, *step, at, second));
    }
    let unknown = (100..).zip(STRANGERS).map(|(number, (model, status, reason))| (phone(model, None, number), *status, *reason));
    for (second, (phone, status, reason)) in (0..).zip(unknown.chain(blocked)) {
        let key = DeviceKey::from(phone.mac);
        let at = now - SignedDuration::from_mins(20 + 7 * second);
        note(services, &phone, Standing::Refused, &key, (Asked::Master, Method::Get, ".cfg", status, reason), at, 0);
    }
    for (number, reason) in (1..).zip(ADDRESSES) {
        let address = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 40 + number));
        for again in 0..3 {
            let at = now - SignedDuration::from_mins(i64::from(number) * 11 + 15) + SignedDuration::from_secs(again * 30);
            note_address(services, address, *reason, at);
        }
    }
    presence::flush(services)
}

/// How long ago a phone of the demo polled last: in the night before, each at a minute of its own.
fn last_poll(index: u32) -> SignedDuration {
    SignedDuration::from_hours(8) + SignedDuration::from_mins(i64::from(index * 7 % 240))
}

/// A phone of the past; `number` makes its MAC address.
fn phone(model: &str, version: Option<&str>, number: u32) -> Phone {
    let model = Model::find(model).expect("the demo names models of the table");
    let mac = model.mac(0x3b_2000 + number * 41);
    let mut phone = Phone::new(model, mac, Rules::USUAL, Arc::from(Vec::new()));
    if let Some(version) = version {
        phone.memory.software = Software::factory(version, model.updater);
    }
    phone
}

fn agent(text: &str) -> Option<Arc<UserAgent>> {
    UserAgent::parse(text, models()).map(Arc::new)
}

/// The device as it was added when it came first, a month before it came last.
fn device(phone: &Phone, number: u32, last_seen: Timestamp) -> Device {
    let told = agent(&phone.user_agent(Program::Application));
    Device {
        key: DeviceKey::from(phone.mac),
        name: Some(Name::parse(&format!("Branch office {}", number + 1)).expect("names of the demo keep the rules")),
        sent_name: None,
        description: String::new(),
        family: told.as_ref().and_then(|told| told.family.clone()),
        model: told.as_ref().and_then(|told| told.model.clone()),
        private_ip: None,
        mac: None,
        profiles: Vec::new(),
        groups: Vec::new(),
        site: None,
        placement: Placement::default(),
        owner: None,
        own_clock: ParameterSet::new(),
        software: None,
        origin: Origin::Automatic,
        added_at: last_seen - SignedDuration::from_hours(30 * 24),
        revision: 0,
    }
}

fn note(services: &Services, phone: &Phone, standing: Standing, key: &DeviceKey, step: Step, at: Timestamp, second: i64) {
    let (asked, method, suffix, status, reason) = step;
    let standing = if reason.is_unproven() { Standing::Refused } else { standing };
    let program = if asked == Asked::BootLog { Program::Updater } else { Program::Application };
    let text = phone.user_agent(program);
    let exchange = Exchange {
        at: at + SignedDuration::from_secs(second),
        method,
        path: format!("/{}{suffix}", phone.mac).into(),
        status,
        size_bytes: if status < 300 { 700 } else { 40 },
        reason,
        in_clear: false,
    };
    let heard = Heard {
        connection: connection(phone.mac),
        address: IpAddr::V4(own_address(phone.mac)),
        key: Some(key.clone()),
        standing,
        shown: None,
        is_back: false,
        asked,
        speaker: Speaker::Application,
        user_agent: text.as_str().into(),
        exchange,
    };
    let agent = agent(&text);
    services.presence().note(Message { account: DEFAULT_ACCOUNT, heard, agent, private_ip: None });
}

fn note_address(services: &Services, address: IpAddr, reason: Reason, at: Timestamp) {
    let (method, path, status) = match reason {
        Reason::Handshake(_) => (Method::Tls, "", 0),
        _ => (Method::Get, "/000000000000.cfg", 503),
    };
    let heard = Heard {
        connection: 0,
        address,
        key: None,
        standing: Standing::Refused,
        shown: None,
        is_back: false,
        asked: if method == Method::Tls { Asked::Other } else { Asked::Master },
        speaker: Speaker::Application,
        user_agent: Arc::from(""),
        exchange: Exchange { at, method, path: path.into(), status, size_bytes: 0, reason, in_clear: false },
    };
    services.presence().note(Message { account: DEFAULT_ACCOUNT, heard, agent: None, private_ip: None });
}

fn connection(mac: Mac) -> u64 {
    mac.bytes().iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::domain::device_list::{LastResult, Status};
    use crate::services::runs;
    use crate::services::testing::bench;

    #[test]
    fn every_state_that_an_admin_will_meet_is_there_from_the_start() {
        let bench = bench();
        tell(&bench.services, INTERNET).expect("told");
        let (roster, now) = (bench.services.roster(DEFAULT_ACCOUNT), bench.clock.now());
        let all = roster.all();
        let count = |status| all.iter().filter(|one| Status::of(one.sighting.last_seen, now) == status).count();
        assert!(count(Status::Online) >= 5 && count(Status::Offline) >= 5, "{} devices", all.len());
        let result = |wanted| all.iter().filter(|one| LastResult::of(one.sighting.last_run) == wanted).count();
        assert!(result(LastResult::Success) >= 5 && result(LastResult::Failed) >= 5);
        let families: BTreeSet<_> = all.iter().filter_map(|one| one.device.family.clone()).collect();
        let versions: BTreeSet<_> = all.iter().filter_map(|one| one.sighting.software_version.clone()).collect();
        assert!(families.len() >= 5 && versions.len() >= 8, "{families:?} {versions:?}");
        let refused = runs::refused(&bench.services, DEFAULT_ACCOUNT).expect("listed");
        let words: BTreeSet<_> = refused.iter().map(|listed| listed.verdict().words).collect();
        assert!(words.len() >= 12, "{words:#?}");
        assert!(words.iter().any(|words| words.starts_with("Held")) && words.iter().any(|words| words.starts_with("Never")));
        let bench = bench.restarted();
        assert_eq!(bench.services.roster(DEFAULT_ACCOUNT).len(), DEVICES.len(), "all of it was written");
    }
}
