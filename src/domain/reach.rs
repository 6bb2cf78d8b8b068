//! How many devices each place speaks for, and how many each profile reaches, by whatever place (R127, contract 5.15).
//!
//! One pass over the devices, in which no text is copied and no place is looked up twice: fifty thousand of them cost some milliseconds.

use std::collections::{BTreeSet, HashMap};

use super::deployment::{Place, of_owner, places};
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

/// Devices of one site, model, group or owner, and the profiles that they get there.
struct Spot<'w> {
    devices: usize,
    profiles: Vec<&'w [ProfileId]>,
}

impl<'w> Spot<'w> {
    fn of(world: &'w World, places: impl IntoIterator<Item = Place>) -> Self {
        let attached = places.into_iter().filter_map(|place| world.deployment.get(&place)).map(Vec::as_slice);
        Self { devices: 0, profiles: attached.collect() }
    }

    /// Counts a device, and notes what it gets here.
    fn count(&mut self, gets: &mut Vec<ProfileId>) {
        self.devices += 1;
        self.profiles.iter().for_each(|profiles| gets.extend_from_slice(profiles));
    }
}

impl Reach {
    /// Counts these devices. Each spot's profiles are looked up once, so that a device costs a few look-ups by number.
    pub fn new<'a>(world: &World, devices: impl IntoIterator<Item = &'a Device>) -> Self {
        let mut reach = Self::default();
        let mut sites: HashMap<SiteId, Spot<'_>> = HashMap::new();
        let mut groups: HashMap<GroupId, Spot<'_>> = HashMap::new();
        let mut models: HashMap<&'a str, Spot<'_>> = HashMap::new();
        let mut owners: HashMap<Owner, Spot<'_>> = HashMap::new();
        let mut global = Spot::of(world, [Place::Global]);
        let mut gets: Vec<ProfileId> = Vec::new();
        for device in devices {
            gets.clear();
            global.count(&mut gets);
            let site = device.site_id();
            sites.entry(site).or_insert_with(|| Spot::of(world, [Place::Site(site)])).count(&mut gets);
            for id in &device.groups {
                groups.entry(*id).or_insert_with(|| Spot::of(world, [Place::Group(*id)])).count(&mut gets);
            }
            if let Some(model) = device.model.as_deref() {
                let new = || Spot::of(world, [Place::Model(model.to_owned())]);
                models.entry(model).or_insert_with(new).count(&mut gets);
            }
            if let Some(owner) = device.owner {
                owners.entry(owner).or_insert_with(|| Spot::of(world, of_owner(owner, world))).count(&mut gets);
            }
            for id in &device.profiles {
                *reach.carriers.entry(*id).or_default() += 1;
            }
            gets.extend_from_slice(&device.profiles);
            gets.sort_unstable();
            gets.dedup();
            for id in &gets {
                *reach.by_profile.entry(*id).or_default() += 1;
            }
        }
        reach.devices = global.devices;
        let mut tell = |place: Place, devices: usize| *reach.by_place.entry(place).or_default() += devices;
        sites.into_iter().for_each(|(id, spot)| tell(Place::Site(id), spot.devices));
        groups.into_iter().for_each(|(id, spot)| tell(Place::Group(id), spot.devices));
        models.into_iter().for_each(|(model, spot)| tell(Place::Model(model.to_owned()), spot.devices));
        for (owner, spot) in owners {
            of_owner(owner, world).into_iter().for_each(|place| tell(place, spot.devices));
        }
        tell(Place::Global, global.devices);
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
