//! What the worlds of all benches have in common: an account that manages its phones, and a device as it was added.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use pdms::catalog::models::models;
use pdms::catalog::upgrade_paths::ladder;
use pdms::domain::account::{Account, AdmissionSettings, BaseSettings, FirstContact, Provisioning, Secret, SoftwareSettings};
use pdms::domain::device::{Device, Origin};
use pdms::domain::ids::DEFAULT_ACCOUNT;
use pdms::domain::limits::POLLING_WINDOW_MINUTES;
use pdms::domain::parameter::ParameterSet;
use pdms::domain::placement::Placement;
use pdms::domain::world::{Endpoints, World};

/// A world with an account and nothing in it.
pub fn world() -> World {
    let account = Account {
        label: "default".to_owned(),
        provisioning: Provisioning {
            enabled: true,
            user: "phones".to_owned(),
            password: Secret::new("secret"),
            generation: 0,
            former: None,
        },
        time_zone: "Europe/Berlin".to_owned(),
        time_server: "pool.ntp.org".to_owned(),
        base: BaseSettings::MANAGE,
        polling_window: POLLING_WINDOW_MINUTES,
        first_contact: FirstContact::Open,
        image_limits: Default::default(),
        admission: AdmissionSettings::default(),
        log_days: None,
        software: SoftwareSettings::default(),
        revision: 1,
        created_at: Timestamp::UNIX_EPOCH,
    };
    let endpoints =
        Endpoints { https_url: "https://pdms.example.lan:8443/".to_owned(), http_url: None, ca_pem: None, next_ca: None };
    World {
        account_id: DEFAULT_ACCOUNT,
        account: Arc::new(account),
        endpoints: Arc::new(endpoints),
        profiles: BTreeMap::new(),
        standard: Arc::default(),
        deployment: BTreeMap::new(),
        sites: BTreeMap::new(),
        groups: BTreeMap::new(),
        default_groups: Vec::new(),
        people: BTreeMap::new(),
        person_groups: BTreeMap::new(),
        rooms: BTreeMap::new(),
        schemas: Arc::default(),
        images: Arc::default(),
        resources: Arc::default(),
        models: models(),
        ladder: ladder(),
        part_numbers: Arc::default(),
        blocked: BTreeSet::new(),
        revision: 1,
    }
}

/// A VVX 411 that belongs nowhere.
pub fn device(number: u64) -> Device {
    Device {
        key: format!("0004f2{number:06x}").parse().expect("a MAC address"),
        name: None,
        sent_name: None,
        description: String::new(),
        family: Some("VVX".to_owned()),
        model: Some("VVX 411".to_owned()),
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
