//! The name that a device is told, for the types that take one (R233, R234).

use super::super::device::Device;
use super::super::world::World;

/// The parameter that carries it.
pub const PARAMETER: &str = "device.local.deviceName";

/// Characters that the vendor's schema allows in it.
pub const CHARS: usize = 40;

/// The name to be sent to a device, if it is of a type that takes one. Audio devices never get a name.
pub fn of<'d>(device: &'d Device, world: &World) -> Option<&'d str> {
    let name = device.sent_name.as_ref()?;
    let family = world.models.family(device.family.as_deref()?)?;
    family.takes_name.then_some(name.as_str())
}

/// The name, if it fits as well.
pub fn told<'d>(device: &'d Device, world: &World) -> Option<&'d str> {
    of(device, world).filter(|name| fits(name))
}

/// Whether a name fits into what the device takes; a truncated one would be another name.
fn fits(name: &str) -> bool {
    name.chars().count() <= CHARS
}
