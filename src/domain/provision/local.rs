//! The time that a device lives by: its site's zone and polling window where the site has its own, else the account's (contract 5.3,
//! 5.8).

use super::super::device::Device;
use super::super::ids::SiteId;
use super::super::world::World;

/// Zone and polling window of a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalTime<'a> {
    /// IANA name.
    pub zone: &'a str,
    /// First minute of the polling window and the first one after it, in this zone.
    pub window: (u16, u16),
}

impl<'a> LocalTime<'a> {
    /// The time of a site, or the account's.
    pub fn at(site: Option<SiteId>, world: &'a World) -> Self {
        let site = site.and_then(|id| world.sites.get(&id));
        Self {
            zone: site.and_then(|site| site.time_zone.as_deref()).unwrap_or(&world.account.time_zone),
            window: site.and_then(|site| site.polling_window).unwrap_or(world.account.polling_window),
        }
    }
}

/// The site of a device, if it says anything about time. All others share what the account says.
pub fn site_with_time(device: &Device, world: &World) -> Option<SiteId> {
    let site = world.sites.get(&device.site_id())?;
    (site.time_zone.is_some() || site.polling_window.is_some()).then_some(site.id)
}
