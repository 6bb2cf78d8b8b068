//! What is set once for the whole server, whatever accounts it has.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::backup_plan::BackupPlan;

/// The server's own settings. Its JSON is the stored form.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerSettings {
    /// Host name under which phones and people reach the server; none until set-up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_name: Option<String>,
    /// When the first owner was made; none while the set-up page is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set_up_at: Option<Timestamp>,
    /// Every provisioning address that was ever handed out (contract 3).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<String>,
    /// What phones were given to trust.
    #[serde(default, skip_serializing_if = "GivenCertificates::is_nothing")]
    pub given: GivenCertificates,
    /// When backups are made; it counts its own changes.
    #[serde(default, skip_serializing_if = "BackupPlan::is_usual")]
    pub backups: BackupPlan,
    /// Counts changes, so that two admins cannot overwrite one another unseen (R14).
    #[serde(default)]
    pub revision: u64,
}

/// What phones were given to trust. It is kept here, so that a lost folder of certificates never looks like that of a new server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivenCertificates {
    /// SHA-256 fingerprint of the private CA: pairs of capital digits with colons. None while it never signed what was in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<String>,
    /// Whether the admin's own certificate, put into the folder, was in use last.
    #[serde(default)]
    pub own: bool,
}

impl GivenCertificates {
    /// Whether nothing was ever given.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}
