//! Software of devices: what each has, is to have and takes next; consent to older software, another try, and the report.

use actix_web::{get, post, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::DryRun;
use super::caller::Caller;
use super::paths::{AccountPath, DevicePath};
use super::problem::Problem;
use super::sent::{Asked, Sent};
use crate::domain::device::DeviceKey;
use crate::domain::ids::AccountId;
use crate::domain::software::SoftwareVersion;
use crate::services::Services;
use crate::services::error::ServiceError;
use crate::services::software::{self, ChosenBy, OfferView, Overview, Report, Standing};
use crate::web::blocking;

/// The software of a device.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct DeviceSoftwareShape {
    /// Version of its Application; null while it was not heard.
    pub installed: Option<String>,
    /// Version of its Updater or boot ROM; null while it was not heard.
    pub updater: Option<String>,
    /// Part numbers that it can have, its own alone where it told it.
    pub part_numbers: Vec<String>,
    /// The least version with which its family can be managed.
    pub minimum: Option<String>,
    /// What it means that it has less; null where it does not.
    pub below_minimum: Option<String>,
    /// The last release that there is for its model, or how that begins.
    pub last_release: Option<String>,
    /// The newest image of its family that is here.
    pub newest: Option<String>,
    /// From where it takes images.
    pub download_path: String,
    /// Who says so.
    pub download_path_from: String,
    /// Whether it is busy with an update: then it gets no restart, reset or apply.
    pub updating: bool,
    /// What is chosen for it and for what stands beside it.
    pub chosen: Vec<ChosenShape>,
}

/// A choice and what comes of it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ChosenShape {
    /// Family.
    pub family: String,
    /// Version.
    pub version: String,
    /// Number of the profile that chooses it; null where it is the rule about the least version.
    pub profile: Option<u64>,
    /// `stay`, `serve`, `hop`, `missing-hop`, `no-way`, `missing-image`, `no-part`, `needs-consent`, `withdrawn` or `not-heard`.
    pub step: String,
    /// The step with its reason, in words.
    pub told: String,
    /// Every version that it still takes, in their order.
    pub way: Vec<String>,
    /// Why it does not count; null where it does.
    pub shadowed_by: Option<String>,
}

impl From<OfferView> for ChosenShape {
    fn from(one: OfferView) -> Self {
        let profile = match one.by {
            ChosenBy::Profile { id, .. } => Some(id.0),
            ChosenBy::Minimum => None,
        };
        let OfferView { family, version, step, told, way, shadowed_by, .. } = one;
        Self { family, version, profile, step: step.to_owned(), told, way, shadowed_by }
    }
}

/// Shows the software of a device: installed, chosen, its next step with the reason, and from where it takes images.
#[utoipa::path(tag = "devices", params(DevicePath), responses((status = 200, body = DeviceSoftwareShape)))]
#[get("/accounts/{account}/devices/{key}/software")]
pub async fn show_software_of_device(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<DevicePath>,
) -> Result<web::Json<DeviceSoftwareShape>, Problem> {
    Ok(web::Json(DeviceSoftwareShape::of(&services, caller.account, &path.key()?)?))
}

impl DeviceSoftwareShape {
    fn of(services: &Services, account: AccountId, key: &DeviceKey) -> Result<Self, ServiceError> {
        let world = services.world(account)?;
        let known = services.roster(account).find(key).ok_or_else(|| ServiceError::not_found("device", key))?;
        let one = Overview::of(&known.device, &world);
        Ok(Self {
            updating: software::is_updating(services, account, key),
            installed: one.installed,
            updater: one.updater,
            part_numbers: one.part_numbers,
            minimum: one.minimum,
            below_minimum: one.below_minimum,
            last_release: one.last_release,
            newest: one.newest,
            download_path: one.download,
            download_path_from: one.download_from,
            chosen: one.offers.into_iter().map(ChosenShape::from).collect(),
        })
    }
}

/// Which older version.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DowngradeShape {
    /// The version that is chosen for the device.
    version: String,
}

/// Allows a device to go back to the older version that is chosen for it.
#[utoipa::path(tag = "devices", params(DevicePath, DryRun), request_body = DowngradeShape, responses((status = 200, body = DeviceSoftwareShape)))]
#[post("/accounts/{account}/devices/{key}/software/allow-downgrade")]
pub async fn allow_downgrade(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<DevicePath>,
    dry_run: Asked<DryRun>,
    sent: Sent<DowngradeShape>,
) -> Result<web::Json<DeviceSoftwareShape>, Problem> {
    let (key, mode) = (path.key()?, dry_run.mode());
    let version: SoftwareVersion = sent
        .into_inner()
        .version
        .parse()
        .map_err(|error: crate::domain::software::VersionError| Problem::field("version", error))?;
    let work = move |services: &Services| {
        software::allow_downgrade(services, &caller.actor, caller.account, &key, &version, mode)?;
        DeviceSoftwareShape::of(services, caller.account, &key)
    };
    Ok(web::Json(blocking::call(&services, work).await?))
}

/// Gives a device the image again that was withdrawn from it, after three complete downloads that changed nothing.
#[utoipa::path(tag = "devices", params(DevicePath, DryRun), responses((status = 200, body = DeviceSoftwareShape)))]
#[post("/accounts/{account}/devices/{key}/software/try-again")]
pub async fn try_software_again(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<DevicePath>,
    dry_run: Asked<DryRun>,
) -> Result<web::Json<DeviceSoftwareShape>, Problem> {
    let (key, mode) = (path.key()?, dry_run.mode());
    let work = move |services: &Services| {
        software::try_again(services, &caller.actor, caller.account, &key, mode)?;
        DeviceSoftwareShape::of(services, caller.account, &key)
    };
    Ok(web::Json(blocking::call(&services, work).await?))
}

/// The fleet by its software.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct SoftwareReportShape {
    /// All devices together.
    pub total: SoftwareStandingShape,
    /// By family and version, the newest first.
    pub versions: Vec<SoftwareVersionShape>,
}

/// Devices of one family with one version.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct SoftwareVersionShape {
    /// Family; empty where it is not known.
    pub family: String,
    /// Version; empty where none was told.
    pub version: String,
    /// The newest image of the family that is here.
    pub newest: Option<String>,
    /// How many stand how.
    #[serde(flatten)]
    pub standing: SoftwareStandingShape,
}

/// How many devices stand how.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct SoftwareStandingShape {
    /// All.
    pub devices: usize,
    /// With less than the least version of their family.
    pub below_minimum: usize,
    /// With less than what is chosen for them.
    pub below_chosen: usize,
    /// With less than the newest image of their family.
    pub below_newest: usize,
    /// That wait for an image, a consent or another try.
    pub stuck: usize,
    /// That wait for somebody to allow that they go back to older software.
    pub needs_consent: usize,
}

impl From<Standing> for SoftwareStandingShape {
    fn from(Standing { devices, below_minimum, below_chosen, below_newest, stuck, needs_consent }: Standing) -> Self {
        Self { devices, below_minimum, below_chosen, below_newest, stuck, needs_consent }
    }
}

/// Shows the fleet by its software: by family and version, with who is below the least, the chosen and the newest version.
#[utoipa::path(tag = "devices", params(AccountPath), responses((status = 200, body = SoftwareReportShape)))]
#[get("/accounts/{account}/software/report")]
pub async fn show_software_report(
    caller: Caller,
    services: web::Data<Services>,
) -> Result<web::Json<SoftwareReportShape>, Problem> {
    let work = move |services: &Services| {
        let world = services.world(caller.account)?;
        Ok::<_, ServiceError>(Report::of(&services.roster(caller.account).all(), &world))
    };
    let Report { rows, total } = blocking::call(&services, work).await?;
    let versions = rows.into_iter().map(|row| SoftwareVersionShape {
        family: row.family,
        version: row.version,
        newest: row.newest,
        standing: row.standing.into(),
    });
    Ok(web::Json(SoftwareReportShape { total: total.into(), versions: versions.collect() }))
}
