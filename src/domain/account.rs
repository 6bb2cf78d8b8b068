//! What is set once for a whole account: who may fetch, where phones find us, and what the built-in base brings.

use std::net::IpAddr;

use ipnet::IpNet;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::admission::nearby::Nearby;
use super::image::ImageLimits;
use super::limits::POLLING_WINDOW_MINUTES;
use super::manufacturer::{ManufacturerCa, RevocationList};
use super::site::download_path::DownloadPath;

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
    /// Who gets in besides.
    #[serde(default)]
    pub admission: AdmissionSettings,
    /// Days that device logs are kept; none: as the server's settings say (R44).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_days: Option<u32>,
    /// From where software is taken, and whether the least version is brought by itself.
    #[serde(default, skip_serializing_if = "is_default")]
    pub software: SoftwareSettings,
    /// How much software may be kept (R42).
    #[serde(default)]
    pub image_limits: ImageLimits,
    /// Counts changes, so that two admins cannot overwrite one another unseen (R14).
    #[serde(default)]
    pub revision: u64,
    /// When the account was made.
    pub created_at: Timestamp,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// From where devices take software, and which they get without anybody's choice (R202, R203, R364).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SoftwareSettings {
    /// The download path of devices in no site; none: this server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub internet: Option<DownloadPath>,
    /// The download path of devices in sites that have none of their own; none: this server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enterprise: Option<DownloadPath>,
    /// Whether devices below the least version of their family go there where no profile chooses for them.
    pub raise_to_minimum: bool,
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
    /// Counts the shared credentials: grows with each change of user or password.
    #[serde(default)]
    pub generation: u32,
    /// The ones before, while they are replaced as planned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub former: Option<FormerCredentials>,
}

/// Shared credentials that still open devices which have no others yet (R183, contract 4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormerCredentials {
    /// User name.
    pub user: String,
    /// Password, opened.
    pub password: Secret,
    /// Their number.
    pub generation: u32,
    /// When they were replaced: unknown devices may use them for some days from then.
    pub replaced_at: Timestamp,
}

/// Who gets in (contract 4), but for the first-contact policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AdmissionSettings {
    /// Whether devices get credentials of their own, which bind them.
    pub binds: bool,
    /// How far around its first address the shared credentials open a device.
    pub nearby: Nearby,
    /// What factory certificates of phones are worth.
    pub certificates: CertificatePolicy,
    /// Whether a certificate whose time is over counts: some leaves have expired long ago (protocol/provisioning.md 7).
    pub accept_expired: bool,
    /// Authorities whose phones' certificates count, the oldest upload first. Without any nobody is asked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub manufacturers: Vec<ManufacturerCa>,
    /// What these authorities have revoked, the oldest upload first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub revocation_lists: Vec<RevocationList>,
    /// When somebody last opened the window for new phones; none once it was closed by hand.
    pub window_opened_at: Option<Timestamp>,
    /// Networks whose phones are served in full over plain HTTP (R316).
    pub legacy_http: Vec<IpNet>,
    /// How phones from the box come from plain HTTP to HTTPS.
    pub bootstrap: BootstrapSettings,
}

impl AdmissionSettings {
    /// Whether phones are asked for their certificate (R373).
    pub fn asks(&self) -> bool {
        self.certificates != CertificatePolicy::Off && !self.manufacturers.is_empty()
    }

    /// Whether phones at this address are served in full over plain HTTP.
    pub fn serves_in_clear(&self, address: IpAddr) -> bool {
        self.legacy_http.iter().any(|subnet| subnet.contains(&address))
    }
}

impl Default for AdmissionSettings {
    fn default() -> Self {
        Self {
            binds: true,
            nearby: Nearby::default(),
            certificates: CertificatePolicy::Off,
            accept_expired: true,
            manufacturers: Vec::new(),
            revocation_lists: Vec::new(),
            window_opened_at: None,
            legacy_http: Vec::new(),
            bootstrap: BootstrapSettings::default(),
        }
    }
}

/// How phones that do not know our certificate authority come from plain HTTP to HTTPS, and where they keep it (contract 3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BootstrapSettings {
    /// Whether they are shown the way.
    pub switch: BootstrapSwitch,
    /// Slot of the phone that our certificate authority goes to; the first often holds somebody's 802.1X authority.
    pub ca_slot: Slot,
    /// TLS platform profile that phones use for provisioning.
    pub tls_profile: Slot,
}

impl BootstrapSettings {
    /// Whether it is on. `own_authority`: the server's certificate is signed by our own certificate authority, which no phone
    /// knows from the factory.
    pub fn is_on(&self, own_authority: bool) -> bool {
        match self.switch {
            BootstrapSwitch::Automatic => own_authority,
            BootstrapSwitch::On => true,
            BootstrapSwitch::Off => false,
        }
    }
}

/// Whether phones are shown the way from plain HTTP to HTTPS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BootstrapSwitch {
    /// While the server's certificate is from our own certificate authority.
    #[default]
    Automatic,
    /// Always.
    On,
    /// Never.
    Off,
}

/// One of the two places that phones have for platform certificates, and for TLS platform profiles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "u8", try_from = "u8")]
pub enum Slot {
    /// The first.
    One,
    /// The second: ours unless told otherwise.
    #[default]
    Two,
}

impl Slot {
    /// The one that this is not.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::One => Self::Two,
            Self::Two => Self::One,
        }
    }
}

impl From<Slot> for u8 {
    fn from(slot: Slot) -> Self {
        match slot {
            Slot::One => 1,
            Slot::Two => 2,
        }
    }
}

impl TryFrom<u8> for Slot {
    type Error = &'static str;

    fn try_from(number: u8) -> Result<Self, Self::Error> {
        match number {
            1 => Ok(Self::One),
            2 => Ok(Self::Two),
            _ => Err("phones have 1 and 2 of these"),
        }
    }
}

/// What factory certificates are worth (R373). They are asked for only once the CA of a manufacturer is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CertificatePolicy {
    /// Never asked for.
    #[default]
    Off,
    /// Asked for, and worth as much as a device's own credentials.
    Prefer,
    /// Nothing else opens.
    Require,
}

impl CertificatePolicy {
    /// All of them, with the word by which forms and programs name each.
    pub const ALL: [(&'static str, Self); 3] = [("off", Self::Off), ("prefer", Self::Prefer), ("require", Self::Require)];

    /// The word of a policy.
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(_, policy)| *policy == self).map_or("off", |(word, _)| word)
    }
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
    /// `device.auth.localAdminPassword`: one of its own for each device.
    #[serde(default = "on")]
    pub admin_password: bool,
    /// The same parameter with the guide's one password for all phones, in its place (contract 5.9).
    #[serde(default)]
    pub guide_admin_password: bool,
    /// `log.render.file.upload.append`.
    pub log_upload: bool,
    /// Time server, offset and daylight-saving rule.
    pub time: bool,
}

impl BaseSettings {
    /// *Manage fully*.
    pub const MANAGE: Self = Self {
        rest_api: true,
        serial_tag: true,
        polling: true,
        admin_password: true,
        guide_admin_password: false,
        log_upload: true,
        time: true,
    };
    /// *Serve only*.
    pub const SERVE_ONLY: Self = Self {
        rest_api: false,
        serial_tag: false,
        polling: false,
        admin_password: false,
        guide_admin_password: false,
        log_upload: false,
        time: false,
    };
}

fn on() -> bool {
    true
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

impl FirstContact {
    /// All policies, the guide's way first.
    pub const ALL: [Self; 4] = [Self::Open, Self::Approve, Self::Staged, Self::Certificate];

    /// As forms and the API name it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Approve => "approve",
            Self::Staged => "staged",
            Self::Certificate => "certificate",
        }
    }

    /// The policy of a word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|policy| policy.word() == word)
    }
}
