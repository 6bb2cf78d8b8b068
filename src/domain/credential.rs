//! What opens a device and what a device is opened with: its own credentials and its admin password (contract 4, 5.9).

use super::account::Secret;
use super::device::Device;

/// User name and password that every Poly phone leaves the factory with (R184, protocol/provisioning.md 3.2).
pub const FACTORY_DEFAULT: &str = "PlcmSpIp";

/// The admin password that the guide sets on every phone: only where an admin asks for it (contract 5.9).
pub const GUIDE_ADMIN_PASSWORD: &str = "789";

/// The admin password that every Poly phone leaves the factory with: no profile may set it (R114, contract 5.9).
pub const FACTORY_ADMIN_PASSWORD: &str = "456";

/// The parameter that carries a phone's admin password (contract 5.9).
pub const ADMIN_PASSWORD: &str = "device.auth.localAdminPassword";

/// Refuses the admin password that everybody knows.
///
/// # Errors
/// The rule in words.
pub fn check_admin_password(parameter: &str, value: &str) -> Result<(), &'static str> {
    if parameter == ADMIN_PASSWORD && value == FACTORY_ADMIN_PASSWORD {
        return Err(
            "456 is the admin password that every phone has at the factory; choose another one, or take this parameter out: \
                    then each phone gets one of its own",
        );
    }
    Ok(())
}

/// The secrets of one device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceSecrets {
    /// User name of its own credentials.
    pub user: String,
    /// Password of its own credentials.
    pub password: Secret,
    /// Admin password of the phone.
    pub admin_password: Secret,
}

/// How a device's files travel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Channel {
    /// Over TLS.
    #[default]
    Tls,
    /// Over plain HTTP, to a subnet of the legacy list: without credentials and without an admin password (R316).
    ClearText,
}

/// Whom files are made for.
#[derive(Clone, Copy, Debug)]
pub struct Recipient<'a> {
    /// The device.
    pub device: &'a Device,
    /// Its secrets.
    pub secrets: &'a DeviceSecrets,
    /// How the files travel.
    pub channel: Channel,
}

impl<'a> Recipient<'a> {
    /// A device that comes over TLS.
    pub fn over_tls(device: &'a Device, secrets: &'a DeviceSecrets) -> Self {
        Self { device, secrets, channel: Channel::Tls }
    }
}
