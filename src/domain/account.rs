//! What is set once for a whole account: who may fetch, where phones find us, and what the built-in base brings.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::limits::POLLING_WINDOW_MINUTES;

/// The settings of one account. Its JSON is the stored form, with the password sealed by the service that writes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Label in addresses: `default` for the first.
    pub label: String,
    /// The shared credentials and whether phones are served at all (R181, R182).
    pub provisioning: Provisioning,
    /// IANA name of the zone that phones show and windows are meant in.
    pub time_zone: String,
    /// Time server that the base names (contract 5.3).
    pub time_server: String,
    /// Which parts of the built-in base are on.
    pub base: BaseSettings,
    /// First and last minute of the polling window, counted from local midnight; the end is exclusive (R51).
    #[serde(default = "default_window")]
    pub polling_window: (u16, u16),
    /// What happens to a device that was never seen.
    #[serde(default)]
    pub first_contact: FirstContact,
    /// Counts changes, so that two admins cannot overwrite one another unseen (R14).
    #[serde(default)]
    pub revision: u64,
    /// When the account was made.
    pub created_at: Timestamp,
}

fn default_window() -> (u16, u16) {
    POLLING_WINDOW_MINUTES
}

/// The guide's *provisioning account* (R181, R182).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provisioning {
    /// Off: every file is answered 503 and everything is kept (contract 4).
    pub enabled: bool,
    /// User name of the shared credentials; URL-safe characters only.
    pub user: String,
    /// Password of the shared credentials, opened: only sealed text reaches the disk.
    pub password: Secret,
}

/// A text that must not reach a log, a page or a debug print by accident.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself: every caller is a place where the secret leaves.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Which groups of parameters the built-in base brings (contract 5.3). All on is *Manage fully*, all off *Serve only*.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BaseSettings {
    /// `apps.restapi.enabled`.
    pub rest_api: bool,
    /// `device.prov.tagSerialNo`.
    pub serial_tag: bool,
    /// `prov.polling.*`.
    pub polling: bool,
    /// `log.render.file.upload.append`.
    pub log_upload: bool,
    /// Time server, offset and daylight-saving rule.
    pub time: bool,
}

impl BaseSettings {
    /// *Manage fully*.
    pub const MANAGE: Self = Self { rest_api: true, serial_tag: true, polling: true, log_upload: true, time: true };
    /// *Serve only*.
    pub const SERVE_ONLY: Self = Self { rest_api: false, serial_tag: false, polling: false, log_upload: false, time: false };
}

/// What happens to a device at its first contact (contract 4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FirstContact {
    /// It is added and served: the guide's way (R178).
    #[default]
    Open,
    /// It is held until someone lets it in.
    Approve,
    /// It is held unless it was added beforehand.
    Staged,
    /// It is held unless it shows its factory certificate.
    Certificate,
}
