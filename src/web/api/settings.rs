//! An account's settings.

use actix_web::{get, patch, post, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::DryRun;
use super::caller::Caller;
use super::paths::AccountPath;
use super::problem::Problem;
use super::sent::{Asked, Sent};
use crate::domain::account::{
    Account, BaseSettings, BootstrapSettings, BootstrapSwitch, CertificatePolicy, FirstContact, Secret, Slot,
};
use crate::domain::admission::nearby::Nearby;
use crate::domain::clock;
use crate::services::Services;
use crate::services::accounts::{self, AccountDraft, LegacyHttp, Replacement};
use crate::web::blocking;

/// The settings of an account. The password of the shared credentials is never told here.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct SettingsShape {
    /// Label of the account.
    pub label: String,
    /// Whether phones are served at all.
    pub enabled: bool,
    /// User name of the shared credentials.
    pub user: String,
    /// IANA name of the zone that phones show and windows are meant in.
    #[schema(example = "Europe/Berlin")]
    pub time_zone: String,
    /// What phones of the zone will show wrongly, if anything.
    pub time_zone_warning: Option<String>,
    /// Time server.
    pub time_server: String,
    /// Groups of the built-in base that are on.
    pub base: BaseShape,
    /// When phones poll.
    pub polling_window: WindowShape,
    /// What happens to a device that was never seen: `open` (it is added), `approve` (it waits until somebody lets it in), `staged`
    /// (only devices that were added before) or `certificate`.
    #[schema(example = "open")]
    pub first_contact: String,
    /// Whether devices get credentials of their own, which bind them.
    pub binds: bool,
    /// How far around its first address the shared credentials open a device.
    pub nearby: NearbyShape,
    /// What factory certificates of phones are worth.
    pub certificates: PolicyWord,
    /// Whether a factory certificate whose time is over counts.
    pub accept_expired: bool,
    /// How phones come from plain HTTP to HTTPS.
    pub bootstrap: BootstrapShape,
    /// Networks whose phones are served in full over plain HTTP.
    #[schema(example = json!(["10.1.2.0/24"]))]
    pub legacy_http: Vec<String>,
    /// Days that device logs are kept; absent: as the server's settings say.
    pub log_days: Option<u32>,
    /// From where devices take software, and which they get without anybody's choice.
    pub software: SoftwareSettingsShape,
    /// Counts changes; send it back with a change.
    pub revision: u64,
}

/// From where devices take software, and which they get without anybody's choice.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SoftwareSettingsShape {
    /// Download path of devices in no site, as `https://FQDN/`; null or empty: this server.
    #[schema(example = "https://pdms.example.com/")]
    pub internet: Option<String>,
    /// Download path of devices in sites that have none of their own; null or empty: this server.
    #[schema(example = "https://relay.example.com/")]
    pub enterprise: Option<String>,
    /// Whether devices below the least version of their family go there where no profile chooses for them. Back they go only with consent.
    pub raise_to_minimum: bool,
}

/// Groups of the built-in base.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BaseShape {
    /// `apps.restapi.enabled`.
    pub rest_api: bool,
    /// `device.prov.tagSerialNo`.
    pub serial_tag: bool,
    /// `prov.polling.*`.
    pub polling: bool,
    /// `device.auth.localAdminPassword`: one of its own for each device.
    pub admin_password: bool,
    /// The same with the guide's one password for all phones, `789`, in its place: anybody knows it.
    #[serde(default)]
    pub guide_admin_password: bool,
    /// `log.render.file.upload.append`.
    pub log_upload: bool,
    /// Time server, offset and daylight-saving rule.
    pub time: bool,
}

/// Minutes of the day, counted from midnight.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WindowShape {
    /// First minute.
    #[schema(example = 180)]
    pub from: u16,
    /// First minute after it.
    #[schema(example = 300)]
    pub to: u16,
}

/// Bits of an address that count as one place.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NearbyShape {
    /// Of a private IPv4 address, 8 to 32.
    #[schema(example = 24)]
    pub ipv4_bits: u8,
    /// Of an IPv6 address, 32 to 128.
    #[schema(example = 64)]
    pub ipv6_bits: u8,
}

/// What becomes of the shared credentials that are replaced.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ReplacementWord {
    /// Each known device may use them until it came with others, unknown devices for 14 days.
    Planned,
    /// They end now.
    Leaked,
}

/// What factory certificates of phones are worth: never asked for, asked for and proof enough, or the only thing that opens.
/// They are asked for only once the CA of a manufacturer is there.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PolicyWord {
    /// Never asked for.
    Off,
    /// Asked for; credentials open as well.
    Prefer,
    /// Nothing else opens.
    Require,
}

impl From<CertificatePolicy> for PolicyWord {
    fn from(policy: CertificatePolicy) -> Self {
        match policy {
            CertificatePolicy::Off => Self::Off,
            CertificatePolicy::Prefer => Self::Prefer,
            CertificatePolicy::Require => Self::Require,
        }
    }
}

impl From<PolicyWord> for CertificatePolicy {
    fn from(word: PolicyWord) -> Self {
        match word {
            PolicyWord::Off => Self::Off,
            PolicyWord::Prefer => Self::Prefer,
            PolicyWord::Require => Self::Require,
        }
    }
}

/// How phones that do not know our certificate authority come from plain HTTP to HTTPS.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BootstrapShape {
    /// Whether they are shown the way.
    pub switch: BootstrapSwitchShape,
    /// Slot of the phone that our certificate authority goes to: 1 or 2.
    #[schema(value_type = u8, example = 2, minimum = 1, maximum = 2)]
    pub ca_slot: Slot,
    /// TLS platform profile that phones use for provisioning: 1 or 2.
    #[schema(value_type = u8, example = 2, minimum = 1, maximum = 2)]
    pub tls_profile: Slot,
}

/// Whether phones are shown the way from plain HTTP to HTTPS; automatic: while the server's certificate is from our own CA.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BootstrapSwitchShape {
    /// While the server's certificate is from our own CA.
    Automatic,
    /// Always.
    On,
    /// Never.
    Off,
}

impl From<BootstrapSettings> for BootstrapShape {
    fn from(BootstrapSettings { switch, ca_slot, tls_profile }: BootstrapSettings) -> Self {
        let switch = match switch {
            BootstrapSwitch::Automatic => BootstrapSwitchShape::Automatic,
            BootstrapSwitch::On => BootstrapSwitchShape::On,
            BootstrapSwitch::Off => BootstrapSwitchShape::Off,
        };
        Self { switch, ca_slot, tls_profile }
    }
}

impl From<BootstrapShape> for BootstrapSettings {
    fn from(BootstrapShape { switch, ca_slot, tls_profile }: BootstrapShape) -> Self {
        let switch = match switch {
            BootstrapSwitchShape::Automatic => BootstrapSwitch::Automatic,
            BootstrapSwitchShape::On => BootstrapSwitch::On,
            BootstrapSwitchShape::Off => BootstrapSwitch::Off,
        };
        Self { switch, ca_slot, tls_profile }
    }
}

/// Changes of settings; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SettingsChanges {
    /// The revision that the change was made from.
    revision: u64,
    /// Whether phones are served at all.
    enabled: Option<bool>,
    /// User name of the shared credentials.
    user: Option<String>,
    /// Password of the shared credentials.
    #[schema(value_type = Option<String>)]
    password: Option<Secret>,
    /// What becomes of the former shared credentials; `planned` where it is left out.
    replacement: Option<ReplacementWord>,
    /// IANA name of the zone.
    time_zone: Option<String>,
    /// Host name or address of the time server.
    time_server: Option<String>,
    /// Groups of the built-in base, all of them.
    base: Option<BaseShape>,
    /// When phones poll.
    polling_window: Option<WindowShape>,
    /// What happens to a device that was never seen.
    first_contact: Option<String>,
    /// Whether devices get credentials of their own.
    binds: Option<bool>,
    /// How far around its first address the shared credentials open a device.
    nearby: Option<NearbyShape>,
    /// What factory certificates of phones are worth; `require` needs the CA of a manufacturer.
    certificates: Option<PolicyWord>,
    /// Whether a factory certificate whose time is over counts.
    accept_expired: Option<bool>,
    /// How phones come from plain HTTP to HTTPS, all of it.
    bootstrap: Option<BootstrapShape>,
    /// From where devices take software, all of it.
    software: Option<SoftwareSettingsShape>,
    /// Networks whose phones are served in full over plain HTTP, all of them.
    legacy_http: Option<Vec<String>>,
    /// Whoever asks knows that everybody in these networks can read the configuration of their phones, SIP passwords included.
    #[serde(default)]
    legacy_http_confirmed: bool,
    /// Days that device logs are kept, 1 to 366; `0`: as the server's settings say.
    log_days: Option<u32>,
}

impl From<Account> for SettingsShape {
    fn from(account: Account) -> Self {
        let BaseSettings { rest_api, serial_tag, polling, admin_password, guide_admin_password, log_upload, time } = account.base;
        let (from, to) = account.polling_window;
        Self {
            label: account.label,
            enabled: account.provisioning.enabled,
            user: account.provisioning.user,
            time_zone_warning: clock::told_warning(&account.time_zone),
            time_zone: account.time_zone,
            time_server: account.time_server,
            base: BaseShape { rest_api, serial_tag, polling, admin_password, guide_admin_password, log_upload, time },
            polling_window: WindowShape { from, to },
            first_contact: account.first_contact.word().to_owned(),
            binds: account.admission.binds,
            nearby: NearbyShape { ipv4_bits: account.admission.nearby.ipv4_bits, ipv6_bits: account.admission.nearby.ipv6_bits },
            certificates: account.admission.certificates.into(),
            accept_expired: account.admission.accept_expired,
            bootstrap: account.admission.bootstrap.into(),
            legacy_http: account.admission.legacy_http.iter().map(ToString::to_string).collect(),
            log_days: account.log_days,
            software: SoftwareSettingsShape {
                internet: account.software.internet.map(String::from),
                enterprise: account.software.enterprise.map(String::from),
                raise_to_minimum: account.software.raise_to_minimum,
            },
            revision: account.revision,
        }
    }
}

impl TryFrom<SettingsChanges> for AccountDraft {
    type Error = Problem;

    fn try_from(changes: SettingsChanges) -> Result<Self, Problem> {
        let base = |BaseShape { rest_api, serial_tag, polling, admin_password, guide_admin_password, log_upload, time }| {
            BaseSettings { rest_api, serial_tag, polling, admin_password, guide_admin_password, log_upload, time }
        };
        let policy = |word: String| {
            let words = FirstContact::ALL.map(FirstContact::word).join(", ");
            FirstContact::parse(&word).ok_or_else(|| Problem::field("first_contact", format_args!("use one of: {words}")))
        };
        Ok(Self {
            enabled: changes.enabled,
            user: changes.user,
            password: changes.password,
            replacement: Some(match changes.replacement {
                None | Some(ReplacementWord::Planned) => Replacement::Planned,
                Some(ReplacementWord::Leaked) => Replacement::Leaked,
            }),
            time_zone: changes.time_zone,
            time_server: changes.time_server,
            base: changes.base.map(base),
            polling_window: changes.polling_window.map(|window| (window.from, window.to)),
            first_contact: changes.first_contact.map(policy).transpose()?,
            binds: changes.binds,
            nearby: changes.nearby.map(|NearbyShape { ipv4_bits, ipv6_bits }| Nearby { ipv4_bits, ipv6_bits }),
            certificates: changes.certificates.map(CertificatePolicy::from),
            accept_expired: changes.accept_expired,
            bootstrap: changes.bootstrap.map(BootstrapSettings::from),
            download_internet: changes.software.as_ref().map(|software| software.internet.clone().unwrap_or_default()),
            download_enterprise: changes.software.as_ref().map(|software| software.enterprise.clone().unwrap_or_default()),
            raise_to_minimum: changes.software.as_ref().map(|software| software.raise_to_minimum),
            legacy_http: changes.legacy_http.map(|subnets| LegacyHttp { subnets, confirmed: changes.legacy_http_confirmed }),
            log_days: changes.log_days.map(|days| Some(days).filter(|days| *days > 0)),
        })
    }
}

/// Shows the settings of an account.
#[utoipa::path(tag = "settings", params(AccountPath), responses((status = 200, body = SettingsShape)))]
#[get("/accounts/{account}/settings")]
pub async fn show_settings(caller: Caller, services: web::Data<Services>) -> Result<web::Json<SettingsShape>, Problem> {
    Ok(web::Json(Account::clone(&services.world(caller.account)?.account).into()))
}

/// Changes the settings that are sent.
#[utoipa::path(tag = "settings", params(AccountPath, DryRun), request_body = SettingsChanges, responses((status = 200, body = SettingsShape)))]
#[patch("/accounts/{account}/settings")]
pub async fn change_settings(
    caller: Caller,
    services: web::Data<Services>,
    dry_run: Asked<DryRun>,
    changes: Sent<SettingsChanges>,
) -> Result<web::Json<SettingsShape>, Problem> {
    let changes = changes.into_inner();
    let revision = Some(changes.revision);
    let (draft, mode) = (AccountDraft::try_from(changes)?, dry_run.mode());
    let work = move |services: &Services| accounts::change(services, &caller.actor, caller.account, revision, &draft, mode);
    Ok(web::Json(blocking::call(&services, work).await?.into()))
}

/// The shared credentials.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct RevealedShape {
    /// User name.
    pub user: String,
    /// Password; absent in a dry run, because nobody notes that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
}

/// Tells the password of the shared credentials, and notes in the activity log that it was told.
#[utoipa::path(tag = "settings", params(AccountPath, DryRun), responses((status = 200, body = RevealedShape)))]
#[post("/accounts/{account}/settings/reveal")]
pub async fn reveal_password(
    caller: Caller,
    services: web::Data<Services>,
    dry_run: Asked<DryRun>,
) -> Result<web::Json<RevealedShape>, Problem> {
    let mode = dry_run.mode();
    let user = services.world(caller.account)?.account.provisioning.user.clone();
    let reveal = move |services: &Services| accounts::reveal_password(services, &caller.actor, caller.account, mode);
    let password = blocking::call(&services, reveal).await?;
    Ok(web::Json(RevealedShape { user, password: password.map(|password| password.expose().to_owned()) }))
}
