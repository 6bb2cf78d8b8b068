//! Small worlds for unit tests: an account, profiles by their parameters, devices by their key.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use super::account::{Account, AdmissionSettings, BaseSettings, FirstContact, Provisioning, Secret, SoftwareSettings};
use super::credential::{DeviceSecrets, Recipient};
use super::deployment::Place;
use super::device::{Device, Origin};
use super::ids::{DEFAULT_ACCOUNT, PersonGroupId, PersonId, ProfileId};
use super::limits::POLLING_WINDOW_MINUTES;
use super::model::{Family, KeyKind, ModelTable};
use super::names::Name;
use super::parameter::{ParameterName, ParameterSet, check_value};
use super::people::{Modified, Person};
use super::placement::Placement;
use super::profile::{Profile, ProfileKind};
use super::site::{INTERNET, Site};
use super::software::ladder::Ladder;
use super::world::{Endpoints, World};

/// A world without profiles: everything of the base switched on, Berlin time.
pub fn world() -> World {
    World {
        account_id: DEFAULT_ACCOUNT,
        account: Arc::new(account()),
        endpoints: Arc::new(Endpoints {
            https_url: "https://pdms.example.test:8443/".to_owned(),
            http_url: None,
            ca_pem: None,
            next_ca: None,
        }),
        profiles: BTreeMap::new(),
        standard: Arc::default(),
        deployment: BTreeMap::new(),
        sites: BTreeMap::from([(INTERNET, Arc::new(Site::internet()))]),
        groups: BTreeMap::new(),
        default_groups: Vec::new(),
        people: BTreeMap::new(),
        person_groups: BTreeMap::new(),
        rooms: BTreeMap::new(),
        resources: Arc::default(),
        schemas: Arc::default(),
        images: Arc::default(),
        models: models(),
        ladder: ladder(),
        part_numbers: Arc::default(),
        blocked: BTreeSet::new(),
        revision: 1,
    }
}

/// Two families: one that takes a name and one that does not.
fn models() -> &'static ModelTable {
    let family = |name: &str, key, takes_name| Family {
        lines: None,
        name: name.to_owned(),
        aliases: Vec::new(),
        prefixes: Vec::new(),
        display: String::new(),
        key,
        takes_name,
        rest: false,
        component_of: None,
        minimum: None,
        symptom: String::new(),
        last_release: None,
    };
    static TABLE: OnceLock<ModelTable> = OnceLock::new();
    TABLE.get_or_init(|| {
        let families = vec![family("VVX", KeyKind::Mac, false), family("Studio", KeyKind::Serial, true)];
        ModelTable::new(families, Vec::new()).expect("two names")
    })
}

/// Without any stops.
fn ladder() -> &'static Ladder {
    static LADDER: OnceLock<Ladder> = OnceLock::new();
    LADDER.get_or_init(Ladder::default)
}

fn account() -> Account {
    let password = Secret::new("a\"secret&");
    Account {
        label: "default".to_owned(),
        provisioning: Provisioning { enabled: true, user: "phones".to_owned(), password, generation: 0, former: None },
        time_zone: "Europe/Berlin".to_owned(),
        time_server: "pool.ntp.org".to_owned(),
        base: BaseSettings::MANAGE,
        polling_window: POLLING_WINDOW_MINUTES,
        first_contact: FirstContact::Open,
        image_limits: Default::default(),
        admission: AdmissionSettings::default(),
        software: SoftwareSettings::default(),
        revision: 1,
        log_days: None,
        created_at: Timestamp::UNIX_EPOCH,
    }
}

/// Changes the account of a world.
pub fn with_account(mut world: World, change: impl FnOnce(&mut Account)) -> World {
    change(Arc::make_mut(&mut world.account));
    world
}

/// A profile of these parameters, named for its number.
pub fn profile(id: u64, parameters: &[(&str, &str)]) -> Profile {
    Profile {
        id: ProfileId(id),
        name: Name::parse(&format!("profile {id}")).expect("letters, a blank and digits"),
        description: String::new(),
        kind: ProfileKind::UserDefined,
        software: Vec::new(),
        parameters: parameter_set(parameters),
        yields: false,
        modified_by: "admin".to_owned(),
        modified_at: Timestamp::UNIX_EPOCH,
        revision: 1,
    }
}

/// A person of these groups, named for the number.
pub fn person(id: u64, groups: &[u64]) -> Person {
    Person {
        id: PersonId(id),
        name: Name::parse(&format!("person {id}")).expect("letters, a blank and digits"),
        description: String::new(),
        groups: groups.iter().copied().map(PersonGroupId).collect(),
        modified: Modified { by: "admin".to_owned(), at: Timestamp::UNIX_EPOCH, revision: 1 },
    }
}

/// Parameters by name and value.
pub fn parameter_set(parameters: &[(&str, &str)]) -> ParameterSet {
    let pair = |(name, value): &(&str, &str)| {
        (ParameterName::try_from((*name).to_owned()).expect("a parameter name"), Arc::from(*value))
    };
    parameters.iter().map(pair).collect()
}

/// A world with profiles attached to places, in this order.
pub fn deployed(mut world: World, profiles: Vec<(Place, Profile)>) -> World {
    for (place, profile) in profiles {
        world.deployment.entry(place).or_default().push(profile.id);
        world.profiles.insert(profile.id, Arc::new(profile));
    }
    world
}

/// A device of this key that belongs nowhere.
pub fn device(key: &str) -> Device {
    Device {
        key: key.parse().expect("a MAC address or a serial number"),
        name: None,
        sent_name: None,
        description: String::new(),
        family: None,
        model: None,
        private_ip: None,
        mac: None,
        profiles: Vec::new(),
        groups: Vec::new(),
        site: None,
        placement: Placement::default(),
        owner: None,
        own_clock: ParameterSet::new(),
        software: None,
        origin: Origin::Manual,
        added_at: Timestamp::UNIX_EPOCH,
        revision: 1,
    }
}

/// The device as somebody to make files for, over TLS, with the same secrets as everybody.
pub fn to(device: &Device) -> Recipient<'_> {
    static SECRETS: OnceLock<DeviceSecrets> = OnceLock::new();
    let secrets = SECRETS.get_or_init(|| DeviceSecrets {
        user: "own-user".to_owned(),
        password: Secret::new("own-password"),
        admin_password: Secret::new("0123456789"),
    });
    Recipient::over_tls(device, secrets)
}

/// The settings of every property test: the same cases on every machine, and failures kept under `proptest-regressions`.
pub fn property_config() -> ProptestConfig {
    ProptestConfig { cases: 256, rng_seed: RngSeed::Fixed(1), ..ProptestConfig::default() }
}

/// Parameter sets that go for the difficult places: names that are prefixes of one another, twins with and without their
/// parameter, names that binding and base govern, master attributes, values with variables and with everything XML escapes.
pub fn hostile_parameters() -> impl Strategy<Value = ParameterSet> {
    let name = prop_oneof![
        prop::sample::select(&HOSTILE_NAMES[..]).prop_map(str::to_owned),
        "[a-c](\\.[a-c]){0,2}",
        "device\\.[a-c](-[a-b])?(\\.[a-b])?(\\.set)?",
    ];
    let value = prop_oneof![
        Just("0".to_owned()),
        Just("1".to_owned()),
        prop::sample::select(&HOSTILE_VALUES[..]).prop_map(str::to_owned),
        any::<String>().prop_filter("what no configuration file can carry", |text| check_value(text).is_ok()),
    ];
    prop::collection::vec((name, value), 0..12).prop_map(|pairs| {
        let pair = |(name, value): (String, String)| (ParameterName::parse(&name).expect("by its pattern"), Arc::from(value));
        pairs.into_iter().map(pair).collect()
    })
}

const HOSTILE_NAMES: [&str; 16] = [
    "device.set",
    "device.prov.serverName",
    "device.prov.serverName.set",
    "Device.prov.ServerName",
    "device.prov.tagSerialNo",
    "device.prov.tagSerialNo.set",
    "prov.polling.time",
    "apps.restapi.enabled",
    "tcpIpApp.sntp.gmtOffset",
    "device.local.deviceName",
    "APP_FILE_PATH",
    "CONFIG_FILES",
    "CONFIG_FILES_VVX500",
    "LOG_FILE_DIRECTORY",
    "_mac_cfg_x",
    "_mac_cfg.set",
];

const HOSTILE_VALUES: [&str; 10] = [
    "",
    "$mac_address",
    "${mac_address}.cfg, b.cfg,,c$mac_address",
    "${${mac_address}}$FDialpad$",
    "<a b=\"c\">&amp;'\u{a0}</a>",
    "-----BEGIN CERTIFICATE-----\nMIIB\r\n\tend\n",
    " leading and trailing ",
    "]]> --> <!DOCTYPE x>",
    "-18000",
    "$mac_addres$mac_address",
];
