//! How many devices each place speaks for, and how many each profile reaches, by whatever place (R127, contract 5.15).
//!
//! Devices that the same places speak for are looked at once, so that fifty thousand of them cost one pass.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::deployment::{Place, places};
use super::device::{Device, Owner};
use super::ids::{GroupId, ProfileId, SiteId};
use super::world::World;

/// Counts of devices by place and by profile.
#[derive(Clone, Debug, Default)]
pub struct Reach {
    by_place: HashMap<Place, usize>,
    by_profile: HashMap<ProfileId, usize>,
    carriers: HashMap<ProfileId, usize>,
    devices: usize,
}

/// What decides which places speak for a device.
pub type Standing<'a> = (Option<Owner>, Option<SiteId>, Option<&'a str>, &'a [GroupId]);

/// Where a device stands: devices of one standing get the same from all places.
pub fn standing(device: &Device) -> Standing<'_> {
    (device.owner, device.site, device.model.as_deref(), &device.groups)
}

/// Devices of one standing.
struct Class {
    places: Vec<Place>,
    profiles: HashSet<ProfileId>,
    devices: usize,
}

impl Reach {
    /// Counts these devices.
    pub fn new<'a>(world: &World, devices: impl IntoIterator<Item = &'a Device>) -> Self {
        let mut reach = Self::default();
        let mut classes: HashMap<Standing<'a>, Class> = HashMap::new();
        for device in devices {
            reach.devices += 1;
            let class = classes.entry(standing(device)).or_insert_with(|| {
                let places = places(device, world);
                let attached = places.iter().filter_map(|place| world.deployment.get(place)).flatten();
                Class { profiles: attached.copied().collect(), places, devices: 0 }
            });
            class.devices += 1;
            for id in &device.profiles {
                *reach.carriers.entry(*id).or_default() += 1;
                if !class.profiles.contains(id) {
                    *reach.by_profile.entry(*id).or_default() += 1;
                }
            }
        }
        for class in classes.into_values() {
            for id in class.profiles {
                *reach.by_profile.entry(id).or_default() += class.devices;
            }
            for place in class.places {
                *reach.by_place.entry(place).or_default() += class.devices;
            }
        }
        reach
    }

    /// Devices that a place speaks for.
    pub fn of_place(&self, place: &Place) -> usize {
        self.by_place.get(place).copied().unwrap_or(0)
    }

    /// Devices that get a profile, one way or the other.
    pub fn of_profile(&self, id: ProfileId) -> usize {
        self.by_profile.get(&id).copied().unwrap_or(0)
    }

    /// Devices that carry a profile themselves.
    pub fn carriers(&self, id: ProfileId) -> usize {
        self.carriers.get(&id).copied().unwrap_or(0)
    }

    /// All devices that were counted.
    pub fn devices(&self) -> usize {
        self.devices
    }
}

/// The devices that get at least one of these profiles, one way or the other.
pub fn reached<'a>(world: &World, devices: impl IntoIterator<Item = &'a Device>, ids: &BTreeSet<ProfileId>) -> Vec<&'a Device> {
    let mut by_standing: HashMap<Standing<'a>, bool> = HashMap::new();
    let mut gets = |device: &'a Device| {
        device.profiles.iter().any(|id| ids.contains(id))
            || *by_standing.entry(standing(device)).or_insert_with(|| {
                let places = places(device, world);
                places.iter().filter_map(|place| world.deployment.get(place)).flatten().any(|id| ids.contains(id))
            })
    };
    devices.into_iter().filter(|device| gets(device)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::deployment::applicable;
    use crate::domain::testing::{deployed, device, profile, property_config, world};

    fn place() -> impl Strategy<Value = Place> {
        prop_oneof![
            Just(Place::Global),
            (1..4_u64).prop_map(|id| Place::Group(GroupId(id))),
            (1..3_u64).prop_map(|id| Place::Site(SiteId(id))),
            prop::sample::select(&["VVX 411", "VVX 500"][..]).prop_map(|name| Place::Model(name.to_owned())),
        ]
    }

    fn devices() -> impl Strategy<Value = Vec<Device>> {
        let one = (
            prop::option::of(1..3_u64),
            prop::option::of(prop::sample::select(&["VVX 411", "VVX 500"][..])),
            prop::sample::subsequence(vec![1, 2, 3_u64], 0..=3).prop_shuffle(),
            prop::sample::subsequence(vec![1, 2, 3_u64], 0..=3),
        );
        prop::collection::vec(one, 0..12).prop_map(|all| {
            let made = all.into_iter().zip(1..).map(|((site, model, groups, profiles), number)| Device {
                site: site.map(SiteId),
                model: model.map(str::to_owned),
                groups: groups.into_iter().map(GroupId).collect(),
                profiles: profiles.into_iter().map(ProfileId).collect(),
                ..device(&format!("0004f2{number:06x}"))
            });
            made.collect()
        })
    }

    proptest! {
        #![proptest_config(property_config())]

        #[test]
        fn every_count_is_what_looking_at_each_device_gives(
            attached in prop::collection::vec((place(), 1..4_u64), 0..8),
            devices in devices(),
        ) {
            let attached: Vec<_> = attached.into_iter().map(|(place, id)| (place, profile(id, &[]))).collect();
            let mut world = deployed(world(), attached.clone());
            for id in 1..4 {
                world.profiles.insert(ProfileId(id), profile(id, &[]).into());
            }
            let reach = Reach::new(&world, &devices);
            for id in (1..4).map(ProfileId) {
                let gets = |device: &&Device| applicable(device, &world).iter().any(|placed| placed.profile.id == id);
                let expected: Vec<_> = devices.iter().filter(gets).collect();
                prop_assert_eq!(reach.of_profile(id), expected.len());
                prop_assert_eq!(reached(&world, &devices, &BTreeSet::from([id])), expected);
                prop_assert_eq!(reach.carriers(id), devices.iter().filter(|device| device.profiles.contains(&id)).count());
            }
            for (place, _) in attached {
                let speaks = |device: &&Device| places(device, &world).contains(&place);
                prop_assert_eq!(reach.of_place(&place), devices.iter().filter(speaks).count());
            }
            prop_assert_eq!(reach.devices(), devices.len());
        }
    }
}
