//! The name that a device is told, for the types that take one (R233, R234).

use super::super::device::Device;

/// The parameter that carries it.
pub const PARAMETER: &str = "device.local.deviceName";

/// Characters that the vendor's schema allows in it.
pub const CHARS: usize = 40;

/// The name to be sent to a device, if it is of a type that takes one. Audio devices never get a name.
pub fn of(device: &Device) -> Option<&str> {
    let takes_one = device.family.as_deref().is_some_and(|family| family.contains("Studio"));
    device.sent_name.as_ref().filter(|_| takes_one).map(|name| name.as_str())
}

/// Whether a name fits into what the device takes; a truncated one would be another name.
pub fn fits(name: &str) -> bool {
    name.chars().count() <= CHARS
}
