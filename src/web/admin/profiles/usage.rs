//! Where profiles are deployed, and how many devices a change of them reaches.

use std::collections::HashMap;

use crate::domain::deployment::Place;
use crate::domain::device_list::Listed;
use crate::domain::ids::ProfileId;
use crate::domain::world::World;
use crate::web::admin::words;

/// The places of all profiles: one pass over the devices.
pub struct Usage {
    by_device: HashMap<ProfileId, usize>,
    global: Vec<ProfileId>,
    devices: usize,
}

impl Usage {
    /// Counts who carries which profile.
    pub fn new(world: &World, devices: &[Listed]) -> Self {
        let mut by_device: HashMap<ProfileId, usize> = HashMap::new();
        for id in devices.iter().flat_map(|one| &one.device.profiles) {
            *by_device.entry(*id).or_default() += 1;
        }
        let global = world.deployment.get(&Place::Global).cloned().unwrap_or_default();
        Self { by_device, global, devices: devices.len() }
    }

    /// Whether a profile counts for every device.
    pub fn is_global(&self, id: ProfileId) -> bool {
        self.global.contains(&id)
    }

    /// Devices that carry a profile themselves.
    pub fn carriers(&self, id: ProfileId) -> usize {
        self.by_device.get(&id).copied().unwrap_or(0)
    }

    /// Devices that get a profile, one way or the other.
    pub fn reach(&self, id: ProfileId) -> usize {
        if self.is_global(id) { self.devices } else { self.carriers(id) }
    }

    /// Where a profile is deployed: `Global`, `3 devices`, `Global and 3 devices`, `nowhere`.
    pub fn describe(&self, id: ProfileId) -> String {
        let carriers = || words::count(self.carriers(id), "device", "devices");
        match (self.is_global(id), self.carriers(id)) {
            (true, 0) => "Global".to_owned(),
            (true, _) => format!("Global and {}", carriers()),
            (false, 0) => "nowhere".to_owned(),
            (false, _) => carriers(),
        }
    }
}
