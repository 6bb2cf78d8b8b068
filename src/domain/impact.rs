//! What a change does to devices: which parameters get other values, for which devices (contract 5.15).
//!
//! Pure: the caller brings each device as it is and as it would be, with the world of before and that of after. Devices to which the
//! change does the same are told together, and those that the same profiles speak for are computed once.

use std::collections::{BTreeMap, HashMap};

use super::deployment::applicable;
use super::device::{Device, DeviceKey};
use super::ids::ProfileId;
use super::parameter::masked;
use super::resolution::{Effective, merge};
use super::world::World;

/// One parameter that gets another value; secret values are masked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ParameterChange {
    /// Name, without `.set`.
    pub name: String,
    /// What profiles say before; none where none of them says anything.
    pub old: Option<String>,
    /// What they say after.
    pub new: Option<String>,
}

/// What a change does to some devices alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Impact {
    /// The devices, by their keys.
    pub devices: Vec<DeviceKey>,
    /// Their parameters that change, by name.
    pub changes: Vec<ParameterChange>,
}

/// What a change does, to the most devices first. Devices for which nothing changes are left out.
pub fn impacts<'a>(devices: impl IntoIterator<Item = (&'a Device, &'a Device)>, before: &World, after: &World) -> Vec<Impact> {
    let mut known: HashMap<(Vec<ProfileId>, Vec<ProfileId>), Vec<ParameterChange>> = HashMap::new();
    let mut alike: BTreeMap<Vec<ParameterChange>, Vec<DeviceKey>> = BTreeMap::new();
    for (old, new) in devices {
        let (placed, next) = (applicable(old, before), applicable(new, after));
        let ids = |placed: &[super::deployment::Placed<'_>]| placed.iter().map(|one| one.profile.id).collect::<Vec<_>>();
        let changes = known.entry((ids(&placed), ids(&next))).or_insert_with(|| differing(&merge(&placed), &merge(&next)));
        if !changes.is_empty() {
            alike.entry(changes.clone()).or_default().push(old.key.clone());
        }
    }
    let mut impacts: Vec<Impact> = alike.into_iter().map(|(changes, devices)| Impact { devices, changes }).collect();
    for impact in &mut impacts {
        impact.devices.sort();
    }
    impacts.sort_by(|a, b| b.devices.len().cmp(&a.devices.len()).then_with(|| a.devices.cmp(&b.devices)));
    impacts
}

/// The parameters that two sets differ in. Where only the `.set` twin differs, the value is told with it.
fn differing(before: &Effective<'_>, after: &Effective<'_>) -> Vec<ParameterChange> {
    let names = before.iter().chain(after.iter()).map(|resolved| resolved.name);
    let mut names: Vec<&str> = names.collect();
    names.sort_unstable();
    names.dedup();
    let said = |effective: &Effective<'_>, name: &str| {
        let winner = effective.get(name)?.winner;
        Some((winner.value.map(ToString::to_string), winner.set.map(ToString::to_string)))
    };
    let change = |name: &str| {
        let (old, new) = (said(before, name), said(after, name));
        let shown = |said: &Option<(Option<String>, Option<String>)>| {
            said.as_ref().map(|(value, _)| masked(name, value.as_deref().unwrap_or_default()).into_owned())
        };
        (old != new).then(|| ParameterChange { name: name.to_owned(), old: shown(&old), new: shown(&new) })
    };
    names.into_iter().filter_map(change).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::deployment::Place;
    use crate::domain::ids::GroupId;
    use crate::domain::testing::{deployed, device, profile, world};

    #[test]
    fn devices_that_lose_the_same_are_told_together_with_what_comes_in_its_place() {
        let attached = vec![
            (Place::Group(GroupId(1)), profile(1, &[("up.a", "group"), ("reg.1.auth.password", "CANARY")])),
            (Place::Global, profile(2, &[("up.a", "global"), ("up.b", "same")])),
        ];
        let mut world = deployed(world(), attached);
        world.profiles.insert(ProfileId(3), profile(3, &[("up.a", "own")]).into());
        let member = |key: &str| Device { groups: vec![GroupId(1)], ..device(key) };
        let own = Device { profiles: vec![ProfileId(3)], ..member("0004f2000003") };
        let before = [member("0004f2000002"), member("0004f2000001"), own, device("0004f2000004")];
        let after: Vec<_> = before.iter().map(|device| Device { groups: Vec::new(), ..device.clone() }).collect();
        let told = impacts(before.iter().zip(&after), &world, &world);
        let change = |name: &str, old: &str, new: Option<&str>| ParameterChange {
            name: name.to_owned(),
            old: Some(old.to_owned()),
            new: new.map(str::to_owned),
        };
        let secret = change("reg.1.auth.password", crate::domain::activity::MASK, None);
        let keys = |keys: &[&str]| keys.iter().map(|key| key.parse().expect("a key")).collect::<Vec<DeviceKey>>();
        assert_eq!(
            told,
            [
                Impact {
                    devices: keys(&["0004f2000001", "0004f2000002"]),
                    changes: vec![secret.clone(), change("up.a", "group", Some("global"))]
                },
                Impact { devices: keys(&["0004f2000003"]), changes: vec![secret] },
            ]
        );
    }
}
