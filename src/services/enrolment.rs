//! New devices come into the inventory, as fast as the rates allow (contract 4, R178). Whether one may come at all is
//! [`crate::domain::admission::decide`]'s to say.

use std::collections::BTreeMap;

use parking_lot::Mutex;

use super::Services;
use crate::domain::admission::{NewDeviceCaps, NewDevices};
use crate::domain::device::{self, Device, DeviceKey};
use crate::domain::device_list::Listed;
use crate::domain::ids::AccountId;
use crate::domain::limits::DEVICES;
use crate::domain::parameter::ParameterSet;
use crate::domain::placement::{Placement, find};
use crate::domain::run::Reason;
use crate::domain::site::Origin;
use crate::domain::trust::Weight;
use crate::domain::user_agent::UserAgent;
use crate::domain::world::World;

/// Remembers how many new devices came lately.
#[derive(Debug)]
pub struct Enrolment {
    caps: NewDeviceCaps,
    recent: Mutex<BTreeMap<AccountId, NewDevices>>,
}

impl Enrolment {
    /// None came yet.
    pub fn new(caps: NewDeviceCaps) -> Self {
        Self { caps, recent: Mutex::default() }
    }

    /// Adds the device of a key. It is known at once and written with the next presence batch: no phone waits for the disk. One
    /// that `is_awaited` by a person is not counted among the new.
    ///
    /// # Errors
    /// Why the device is held.
    pub fn add(
        &self,
        services: &Services,
        world: &World,
        key: &DeviceKey,
        agent: Option<&UserAgent>,
        origin: Origin,
        is_awaited: bool,
    ) -> Result<Listed, Reason> {
        let roster = services.roster(world.account_id);
        let now = services.clock.now();
        let mut recent = self.recent.lock();
        // Another request of the same phone may have been faster.
        if let Some(known) = roster.find(key) {
            return Ok(known);
        }
        // It may have been deleted and blocked since this request took its world, and the default groups may be others.
        let now_world = services.world(world.account_id);
        let groups = match &now_world {
            Ok(now) if now.blocked.contains(key) => return Err(Reason::Blocked),
            Ok(now) => now.default_groups.clone(),
            Err(_) => world.default_groups.clone(),
        };
        let held = |full| {
            services.alerts.crowded(world.account_id, origin.seen, now, Weight::Secret, full);
            Err(Reason::TooManyNew)
        };
        if roster.len() >= DEVICES {
            return held(None);
        }
        let mut count = || recent.entry(world.account_id).or_insert_with(|| NewDevices::new(self.caps)).admit(now, origin.seen);
        if !is_awaited && let Err(full) = count() {
            return held(Some(full));
        }
        let mut device = Device {
            key: key.clone(),
            name: None,
            sent_name: None,
            description: String::new(),
            family: agent.and_then(|agent| agent.family.clone()),
            model: agent.and_then(|agent| agent.model.clone()),
            private_ip: None,
            mac: None,
            profiles: Vec::new(),
            groups,
            site: None,
            placement: Placement::default(),
            owner: None,
            own_clock: ParameterSet::new(),
            software: None,
            origin: device::Origin::Automatic,
            added_at: now,
            revision: 0,
        };
        device.place(find(&world.sites, origin), now);
        Ok(roster.admit(device))
    }
}
