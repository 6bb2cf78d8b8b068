//! What a device would get that is not in the inventory, or would be somewhere else: model, site, groups, owner and profiles as somebody
//! imagines them. Nothing is written.

use std::net::IpAddr;

use super::error::ServiceError;
use super::{Services, deployment, groups};
use crate::catalog::models::models;
use crate::domain::deployment::{Place, name};
use crate::domain::device::{Device, DeviceKey, Origin as CameIn, Owner};
use crate::domain::field_error::FieldErrors;
use crate::domain::ids::{AccountId, GroupId, ProfileId, SiteId};
use crate::domain::model::same_model;
use crate::domain::names::{Name, folded};
use crate::domain::placement::{Placement, find};
use crate::domain::site::{INTERNET, Origin};
use crate::domain::world::World;

/// The key of a device that has none: its polling minute and the names of its files go by it.
pub const EXAMPLE_KEY: &str = "0004f2000001";
/// Characters of a model's name.
const MODEL_CHARS: usize = 80;

/// A device as somebody imagines it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Imagined {
    /// Its key; none for [`EXAMPLE_KEY`].
    pub key: Option<DeviceKey>,
    /// Its model.
    pub model: Option<String>,
    /// Its site; none where its address decides.
    pub site: Option<SiteId>,
    /// From where it comes.
    pub address: Option<IpAddr>,
    /// Its groups, strongest first; none for the default groups, which a device gets that is added by itself (R103).
    pub groups: Option<Vec<GroupId>>,
    /// Whose it is.
    pub owner: Option<Owner>,
    /// Profiles of its own, strongest first.
    pub profiles: Vec<ProfileId>,
}

/// The device that is meant, as it would stand in the inventory.
///
/// # Errors
/// [`ServiceError::Invalid`] of the fields that name what is not there.
pub fn device(services: &Services, account: AccountId, world: &World, imagined: Imagined) -> Result<Device, ServiceError> {
    let Imagined { key, model, site, address, groups, owner, profiles } = imagined;
    let key = key.unwrap_or_else(|| EXAMPLE_KEY.parse().expect("the example is a MAC address"));
    let mut errors = FieldErrors::new();
    if let Some(site) = site.filter(|site| !world.sites.contains_key(site)) {
        errors.add("site", format_args!("there is no site {site}"));
    }
    let model = model.and_then(|text| errors.take("model", known_model(services, world, &text)));
    let groups = groups.unwrap_or_else(|| world.default_groups.clone());
    if let Err(message) = groups::check_list(world, &groups) {
        errors.add("groups", message);
    }
    if let Some(owner) = owner.filter(|owner| name(&place(*owner), world).is_none()) {
        errors.add("owner", format_args!("there is no {owner}"));
    }
    if let Err(message) = deployment::check_for_device(world, &key, &profiles) {
        errors.add("profiles", message);
    }
    errors.into_result(Some(()))?;

    let family = model.as_deref().and_then(|model| models().family_of_model(model)).map(|family| family.name.clone());
    let by_address = || address.map(|seen| find(&world.sites, Origin { seen, own: None }).site);
    let known = services.roster(account).find(&key);
    Ok(Device {
        // A name of its own is no part of the question, but one that is known is told to the phone all the same.
        sent_name: known.as_ref().and_then(|known| known.device.sent_name.clone()),
        own_clock: known.as_ref().map(|known| known.device.own_clock.clone()).unwrap_or_default(),
        software: known.and_then(|known| known.device.software.clone()),
        key,
        name: None,
        description: String::new(),
        family,
        model,
        private_ip: None,
        mac: None,
        profiles,
        groups,
        site: site.or_else(by_address).filter(|site| *site != INTERNET),
        placement: Placement::default(),
        owner,
        origin: CameIn::Manual,
        added_at: services.clock.now(),
        revision: 0,
    })
}

/// The name that profiles are deployed by, of a model in any spelling: that of the table, else that of a device or place that is there.
fn known_model(services: &Services, world: &World, text: &str) -> Result<String, String> {
    if text.chars().count() > MODEL_CHARS {
        return Err(format!("a model has at most {MODEL_CHARS} characters"));
    }
    if let Some(model) = models().model(text) {
        return Ok(model.name.clone());
    }
    let is_it = |name: &str| same_model(name, text);
    let deployed = || {
        world.deployment.keys().find_map(|place| match place {
            Place::Model(name) if is_it(name) => Some(name.clone()),
            _ => None,
        })
    };
    let told = || {
        let devices = services.roster(world.account_id).all();
        devices.iter().find_map(|one| one.device.model.clone().filter(|name| is_it(name)))
    };
    deployed().or_else(told).ok_or_else(|| {
        format!("there is no model “{text}”, and no device of it; choose one of the list, such as VVX 411, or leave it empty")
    })
}

fn place(owner: Owner) -> Place {
    match owner {
        Owner::Person(id) => Place::Person(id),
        Owner::Room(id) => Place::Room(id),
    }
}

/// The names that people type for the objects of an imagined device, looked up without regard to letter case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Named {
    /// Key in any spelling.
    pub key: String,
    /// Model.
    pub model: String,
    /// Name of the site.
    pub site: String,
    /// Address.
    pub address: String,
    /// Names of groups, strongest first; none for the default groups.
    pub groups: Option<Vec<String>>,
    /// Name of a person or a room.
    pub owner: String,
    /// Names of profiles, strongest first.
    pub profiles: Vec<String>,
}

impl Named {
    /// The objects of these names.
    ///
    /// # Errors
    /// Of each field, what there is none of.
    pub fn find(&self, world: &World) -> Result<Imagined, FieldErrors> {
        let mut errors = FieldErrors::new();
        let typed = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let is = |name: &Name, text: &str| name.folded() == folded(text);
        let none = |what: &str, text: &str| format!("there is no {what} “{text}”");
        let key = typed(&self.key).and_then(|text| errors.take("key", text.parse()));
        let address = typed(&self.address)
            .and_then(|text| errors.take("address", text.parse().map_err(|_| "enter an IPv4 or IPv6 address, such as 10.1.2.3")));
        let site = typed(&self.site).and_then(|text| {
            let found = world.sites.values().find(|one| is(&one.name, &text)).map(|one| one.id);
            errors.take("site", found.ok_or_else(|| none("site", &text)))
        });
        let owner = typed(&self.owner).and_then(|text| {
            let person = world.people.values().find(|one| is(&one.name, &text)).map(|one| Owner::Person(one.id));
            let room = || world.rooms.values().find(|one| is(&one.name, &text)).map(|one| Owner::Room(one.id));
            errors.take("owner", person.or_else(room).ok_or_else(|| none("person or room", &text)))
        });
        let mut groups = self.groups.as_ref().map(|_| Vec::new());
        for text in self.groups.iter().flatten().filter_map(|text| typed(text)) {
            let found = world.groups.values().find(|one| is(&one.name, &text)).map(|one| one.id);
            let found = errors.take("groups", found.ok_or_else(|| none("device group", &text)));
            groups.get_or_insert_default().extend(found);
        }
        let mut profiles = Vec::new();
        for text in self.profiles.iter().filter_map(|text| typed(text)) {
            let found = world.all_profiles().find(|one| is(&one.name, &text)).map(|one| one.id);
            profiles.extend(errors.take("profiles", found.ok_or_else(|| none("profile", &text))));
        }
        let imagined = Imagined { key, model: typed(&self.model), site, address, groups, owner, profiles };
        errors.into_result(Some(imagined))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::access::Grant;
    use crate::domain::ids::DEFAULT_ACCOUNT;
    use crate::domain::testing;
    use crate::services::commit::commit;
    use crate::services::testing::{Bench, bench};

    fn model(bench: &Bench, text: &str) -> Result<Option<String>, String> {
        let world = bench.services.world(DEFAULT_ACCOUNT).expect("a world");
        let imagined = Imagined { model: Some(text.to_owned()), ..Imagined::default() };
        let device = device(&bench.services, DEFAULT_ACCOUNT, &world, imagined);
        device.map(|device| device.model).map_err(|error| error.to_string())
    }

    #[test]
    fn a_model_is_known_in_any_spelling_and_an_unknown_one_is_named() {
        let bench = bench();
        for text in ["VVX 411", "VVX411", "vvx 411", " vvx_411 "] {
            assert_eq!(model(&bench, text.trim()), Ok(Some("VVX 411".to_owned())), "{text}");
        }
        let told = model(&bench, "VVX 9999").expect_err("nobody has heard of it");
        assert!(told.contains("there is no model “VVX 9999”") && told.contains("choose one"), "{told}");
        commit(&bench.services, Grant::system("test"), DEFAULT_ACCOUNT, |change| {
            change.put_device(Device { model: Some("VVX 9999".to_owned()), ..testing::device("0004f2000001") })?;
            change.put_profile(testing::profile(1, &[]))?;
            change.put_place(Place::Model("Edge X9".to_owned()), vec![ProfileId(1)])
        })
        .expect("stored");
        assert_eq!(model(&bench, "vvx9999"), Ok(Some("VVX 9999".to_owned())), "a device of it is there");
        assert_eq!(model(&bench, "edge-x9"), Ok(Some("Edge X9".to_owned())), "it has a place");
    }
}
