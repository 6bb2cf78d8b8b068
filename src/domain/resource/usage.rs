//! Which profiles name a resource file, so that none vanishes silently (R124, R218).
//!
//! A value names a file where it is a path that leads to it on this server. Lists of files, as in `CONFIG_FILES`, may name several.

use std::collections::{BTreeMap, BTreeSet};

use super::super::ids::{ProfileId, ResourceId};
use super::super::limits::MASTER_PATH_BYTES;
use super::super::phone_file::location;
use super::super::provision::{master, paths};
use super::super::world::World;
use super::of_ending;

/// What names resource files: for each, the profiles with the parameters that do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    uses: BTreeMap<ResourceId, BTreeMap<ProfileId, BTreeSet<String>>>,
}

impl Usage {
    /// Looks through all profiles of a world, whether or not they are attached anywhere.
    pub fn of(world: &World) -> Self {
        let mut usage = Self::default();
        if world.resources.all().is_empty() {
            return usage;
        }
        for profile in world.all_profiles() {
            for (name, value) in profile.parameters.iter() {
                for entry in entries(name.as_str(), value) {
                    for id in named(entry, world) {
                        usage.uses.entry(id).or_default().entry(profile.id).or_default().insert(name.to_string());
                    }
                }
            }
        }
        usage
    }

    /// The profiles that name a file, with the parameters by which they do.
    pub fn profiles(&self, id: ResourceId) -> impl Iterator<Item = (ProfileId, &BTreeSet<String>)> {
        self.uses.get(&id).into_iter().flatten().map(|(profile, names)| (*profile, names))
    }

    /// How many profiles name a file.
    pub fn count(&self, id: ResourceId) -> usize {
        self.uses.get(&id).map_or(0, BTreeMap::len)
    }
}

/// The paths of a value that may name a file.
fn entries<'a>(name: &'a str, value: &'a str) -> impl Iterator<Item = &'a str> {
    let listed: Vec<&str> = master::listed(name, value).collect();
    let whole = Some(value.trim()).filter(|value| listed.is_empty() && value.len() <= 2 * MASTER_PATH_BYTES);
    listed.into_iter().chain(whole).filter(|entry| ends_like_a_file(entry))
}

/// Whether a value ends as names of files do. Most values are looked at no further.
fn ends_like_a_file(value: &str) -> bool {
    let path = value.split('?').next().unwrap_or_default();
    path.rsplit_once('.').is_some_and(|(_, ending)| of_ending(ending).is_some())
}

/// The files that a path leads to: several where phones fill in a part of it.
fn named(entry: &str, world: &World) -> Vec<ResourceId> {
    let Some(path) = paths::path_here(entry, &world.endpoints.https_url) else { return Vec::new() };
    if !path.contains('[') {
        let found = location(path).and_then(|asked| world.resources.find(&asked).map(|one| one.id));
        return found.into_iter().collect();
    }
    let all = world.resources.all().values();
    all.filter(|one| paths::names(path, None, &one.path.location())).map(|one| one.id).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::deployment::Place;
    use crate::domain::resource::tests::resource;
    use crate::domain::resource::{Resource, Resources};
    use crate::domain::testing::{deployed, profile, world};

    fn with(resources: Vec<Resource>, parameters: &[(&str, &str)]) -> World {
        let mut world = deployed(world(), vec![(Place::Global, profile(7, parameters))]);
        world.resources = Arc::new(Resources::new(resources));
        world
    }

    #[test]
    fn a_value_that_leads_to_a_file_on_this_server_names_it() {
        let files = || vec![resource(1, "", "Ring.wav"), resource(2, "lang", "De.xml"), resource(3, "m", "VVX500.cfg")];
        for (name, value, ids) in [
            ("saf.2", "Ring.wav", &[1][..]),
            ("saf.2", "https://pdms.example.test:8443/ring.wav", &[1]),
            ("saf.2", "/resources/RING.wav", &[1]),
            ("saf.2", "https://files.example.test/ring.wav", &[]),
            ("reg.1.label", "Ring", &[]),
            ("CONFIG_FILES", "m/[PHONE_MODEL].cfg, lang/de.xml", &[2, 3]),
            ("MISC_FILES", "other.xml,ring.wav", &[1]),
            ("LOG_FILE_DIRECTORY", "lang", &[]),
        ] {
            let usage = Usage::of(&with(files(), &[(name, value)]));
            let found: Vec<u64> = (1..=3).filter(|id| usage.count(ResourceId(*id)) > 0).collect();
            assert_eq!(found, ids, "{name}={value}");
        }
    }

    #[test]
    fn each_profile_counts_once_with_all_parameters_that_name_the_file() {
        let world = with(vec![resource(1, "", "a.wav")], &[("saf.2", "a.wav"), ("saf.3", "a.wav")]);
        let usage = Usage::of(&world);
        let told: Vec<_> = usage.profiles(ResourceId(1)).map(|(id, names)| (id.0, names.len())).collect();
        assert_eq!((told, usage.count(ResourceId(1))), (vec![(7, 2)], 1));
    }
}
