//! Small worlds for unit tests: an account, profiles by their parameters, devices by their key.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use super::account::{Account, BaseSettings, FirstContact, Provisioning, Secret};
use super::deployment::Place;
use super::device::{Device, Origin};
use super::ids::{DEFAULT_ACCOUNT, ProfileId};
use super::limits::POLLING_WINDOW_MINUTES;
use super::names::Name;
use super::parameter::{ParameterName, ParameterSet};
use super::profile::{Profile, ProfileKind};
use super::world::{Endpoints, World};

/// A world without profiles: everything of the base switched on, Berlin time.
pub fn world() -> World {
    World {
        account_id: DEFAULT_ACCOUNT,
        account: Arc::new(account()),
        endpoints: Arc::new(Endpoints { https_url: "https://pdms.example.test:8443/".to_owned(), ca_pem: None }),
        profiles: BTreeMap::new(),
        deployment: BTreeMap::new(),
        person_groups: BTreeMap::new(),
        blocked: BTreeSet::new(),
        revision: 1,
    }
}

fn account() -> Account {
    let password = Secret::new("a\"secret&");
    Account {
        label: "default".to_owned(),
        provisioning: Provisioning { enabled: true, user: "phones".to_owned(), password },
        time_zone: "Europe/Berlin".to_owned(),
        time_server: "pool.ntp.org".to_owned(),
        base: BaseSettings::MANAGE,
        polling_window: POLLING_WINDOW_MINUTES,
        first_contact: FirstContact::Open,
        revision: 1,
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
        parameters: parameter_set(parameters),
        modified_by: "admin".to_owned(),
        modified_at: Timestamp::UNIX_EPOCH,
        revision: 1,
    }
}

/// Parameters by name and value.
pub fn parameter_set(parameters: &[(&str, &str)]) -> ParameterSet {
    let pair = |(name, value): &(&str, &str)| (ParameterName::parse(name).expect("a parameter name"), Arc::from(*value));
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
        profiles: Vec::new(),
        groups: Vec::new(),
        site: None,
        owner: None,
        own_clock: ParameterSet::new(),
        origin: Origin::Manual,
        added_at: Timestamp::UNIX_EPOCH,
        revision: 1,
    }
}
