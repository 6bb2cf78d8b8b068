//! Phones that nobody ever heard of are remembered as fast as the rates allow (contract 4): whoever names more keys is answered like
//! everybody and leaves no trace but an alert. Whatever is known already, by its own coming or by a person, is not counted.

use std::collections::BTreeMap;
use std::net::IpAddr;

use parking_lot::Mutex;

use super::Services;
use crate::domain::admission::{NewDeviceCaps, NewDevices};
use crate::domain::device::DeviceKey;
use crate::domain::ids::AccountId;
use crate::domain::trust::{Trust, Weight};
use crate::domain::world::World;

/// Remembers how many were heard for the first time lately, whichever way they came.
#[derive(Debug)]
pub struct Newcomers {
    caps: NewDeviceCaps,
    /// By what they showed: whoever shows less uses up nothing of those who show more.
    recent: Mutex<BTreeMap<(AccountId, Weight), NewDevices>>,
}

impl Newcomers {
    /// None came yet.
    pub fn new(caps: NewDeviceCaps) -> Self {
        Self { caps, recent: Mutex::default() }
    }

    /// How many may come.
    pub(super) fn caps(&self) -> NewDeviceCaps {
        self.caps
    }

    /// Whether something may be remembered of whoever names this key and shows so much for it. If not, that is noted for the alert.
    pub(super) fn may_come(&self, services: &Services, world: &World, key: &DeviceKey, shown: Weight, address: IpAddr) -> bool {
        let (account, now) = (world.account_id, services.clock.now());
        let is_known = world.blocked.contains(key)
            || services.roster(account).find(key).is_some()
            || *services.trusts(account).of(key) != Trust::default();
        if is_known {
            return true;
        }
        let mut recent = self.recent.lock();
        let new = recent.entry((account, shown)).or_insert_with(|| NewDevices::new(self.caps));
        let counted = if shown == Weight::Secret { new.admit(now, address) } else { new.admit_by_address(now, address) };
        drop(recent);
        if let Err(full) = counted {
            services.alerts.crowded(account, address, now, shown, Some(full));
        }
        counted.is_ok()
    }
}
