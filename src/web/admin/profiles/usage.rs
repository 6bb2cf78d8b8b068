//! Where profiles are deployed, and how many devices a change of them reaches.

use std::collections::HashMap;

use crate::domain::deployment::{Container, Place, subject};
use crate::domain::device_list::Listed;
use crate::domain::ids::ProfileId;
use crate::domain::reach::Reach;
use crate::domain::world::World;
use crate::services::deployment::Target;
use crate::web::admin::words;
use crate::web::places;

/// The places of all profiles: one pass over the devices.
pub struct Usage {
    reach: Reach,
    /// Places but devices, strongest first.
    places: HashMap<ProfileId, Vec<Place>>,
}

impl Usage {
    /// Counts who carries which profile.
    pub fn new(world: &World, devices: &[Listed]) -> Self {
        let mut places: HashMap<ProfileId, Vec<Place>> = HashMap::new();
        for (place, attached) in &world.deployment {
            for id in attached {
                places.entry(*id).or_default().push(place.clone());
            }
        }
        places.values_mut().for_each(|of| of.sort_by_key(Place::container));
        Self { reach: Reach::new(world, devices.iter().map(|one| &*one.device)), places }
    }

    /// Devices that get a profile, one way or the other.
    pub fn reach(&self, id: ProfileId) -> usize {
        self.reach.of_profile(id)
    }

    /// The reach of all profiles.
    pub fn all(&self) -> &Reach {
        &self.reach
    }

    /// The places of a profile but devices: link, name and how many devices each speaks for.
    pub fn places(&self, id: ProfileId, world: &World) -> Vec<(String, String, String)> {
        let of = self.places.get(&id).into_iter().flatten();
        let told = |place: &Place| {
            let devices = words::count(self.reach.of_place(place), "device", "devices");
            (places::page(&Target::Place(place.clone())), subject(place, world), devices)
        };
        of.map(told).collect()
    }

    /// Where a profile is deployed: `Global`, `model VVX 411, 2 device groups and 3 devices`, `nowhere`.
    pub fn describe(&self, id: ProfileId, world: &World) -> String {
        let of = self.places.get(&id).map(Vec::as_slice).unwrap_or_default();
        let by_container = of.chunk_by(|a, b| a.container() == b.container()).map(|same| match same {
            [one] => subject(one, world),
            several => format!("{} {}", several.len(), several_of(several[0].container())),
        });
        let carriers = Some(self.reach.carriers(id)).filter(|number| *number > 0);
        let carriers = carriers.map(|number| words::count(number, "device", "devices"));
        let mut parts: Vec<String> = by_container.chain(carriers).collect();
        match (parts.pop(), parts.as_slice()) {
            (None, _) => "nowhere".to_owned(),
            (Some(last), []) => last,
            (Some(last), others) => format!("{} and {last}", others.join(", ")),
        }
    }
}

fn several_of(container: Container) -> &'static str {
    match container {
        Container::Device => "devices",
        Container::Person => "people and rooms",
        Container::PersonGroup => "person groups",
        Container::Site => "sites",
        Container::Model => "models",
        Container::Group => "device groups",
        Container::Global | Container::Base => "places",
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::testing::{deployed, device, profile, world};

    #[test]
    fn a_profile_is_described_by_everything_that_it_is_deployed_on() {
        let model = |name: &str| Place::Model(name.to_owned());
        let on = |places: Vec<Place>| deployed(world(), places.into_iter().map(|place| (place, profile(1, &[]))).collect());
        let mut carrier = device("0004f2000001");
        carrier.profiles = vec![ProfileId(1)];
        let devices = [Listed { device: Arc::new(carrier), sighting: Arc::default() }];
        let told = |places: Vec<Place>, devices: &[Listed]| {
            let world = on(places);
            Usage::new(&world, devices).describe(ProfileId(1), &world)
        };
        assert_eq!(told(vec![], &[]), "nowhere");
        assert_eq!(told(vec![Place::Global], &[]), "Global");
        assert_eq!(told(vec![Place::Global, model("VVX 411")], &[]), "model VVX 411 and Global");
        assert_eq!(told(vec![model("VVX 500"), model("VVX 411"), Place::Global], &devices), "2 models, Global and 1 device");
    }
}
