//! What people do with the files of devices: upload, versions and what differs, delete, single values of overrides, directories.

use std::collections::BTreeSet;

use actix_web::{HttpResponse, delete, get, post, web};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::body::DryRun;
use super::caller::Caller;
use super::device_files::{FilePath, FileShape};
use super::list::{List, Narrow, Order, narrowed};
use super::paths::{AccountPath, DevicePath};
use super::problem::Problem;
use super::sent::{Asked, Sent};
use crate::domain::contacts::Side;
use crate::domain::device::DeviceKey;
use crate::domain::device_file::Version;
use crate::domain::field_error::FieldErrors;
use crate::domain::given_file::Directory;
use crate::services::device_files::directories::{self, Merging};
use crate::services::device_files::given::{self, Put};
use crate::services::device_files::overrides::{self, OwnValue};
use crate::services::device_files::versions::{self, Difference, LineKind};
use crate::services::{Services, devices};
use crate::web::blocking;

/// Files for devices.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeviceFilesUpload {
    /// MACs or serial numbers.
    #[schema(example = json!(["0004f2abcdef"]))]
    devices: Vec<String>,
    /// Where they go: `misc`, `contacts`, `overrides`, `license`, `user-profiles`, `certificate` or `flk`.
    #[schema(example = "overrides")]
    directory: String,
    /// The files. One whose name begins with the key of a device is for that one; any other is for all of them.
    files: Vec<SentFileShape>,
}

/// A file that is sent.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SentFileShape {
    /// Its name, such as `phone.cfg` or `0004f2abcdef-phone.cfg`.
    #[schema(example = "phone.cfg")]
    name: String,
    /// Its content in base64.
    content: String,
}

/// What became, or would become, of files.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct UploadedShape {
    /// Each file of each device.
    pub files: Vec<PutShape>,
}

/// A file of a device that was sent.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct PutShape {
    /// The device.
    pub key: String,
    /// The name under which it is kept.
    pub name: String,
    /// `new`, `replaces` or `same`.
    pub outcome: String,
}

impl From<Put> for PutShape {
    fn from(Put { key, name, outcome }: Put) -> Self {
        Self { key: key.to_string(), name, outcome: outcome.word().to_owned() }
    }
}

fn keys(texts: &[String], field: &'static str) -> Result<BTreeSet<DeviceKey>, FieldErrors> {
    let mut errors = FieldErrors::new();
    let parsed = texts
        .iter()
        .filter_map(|text| errors.take(field, text.parse::<DeviceKey>().map_err(|error| format!("“{text}”: {error}"))));
    let keys = parsed.collect();
    if errors.is_empty() { Ok(keys) } else { Err(errors) }
}

/// Uploads files for devices: all of them, or none.
#[utoipa::path(tag = "devices", params(AccountPath, DryRun), request_body = DeviceFilesUpload, responses((status = 200, body = UploadedShape)))]
#[post("/accounts/{account}/devices/files")]
pub async fn upload_files(
    caller: Caller,
    services: web::Data<Services>,
    dry_run: Asked<DryRun>,
    sent: Sent<DeviceFilesUpload>,
) -> Result<web::Json<UploadedShape>, Problem> {
    let DeviceFilesUpload { devices, directory, files } = sent.into_inner();
    let keys = keys(&devices, "devices")?;
    let mut errors = FieldErrors::new();
    let directory =
        errors.take("directory", Directory::parse(&directory).ok_or_else(|| format!("there is no directory “{directory}”")));
    let decoded = files.into_iter().filter_map(|file| {
        let bytes = BASE64_STANDARD.decode(&file.content).map_err(|error| format!("“{}” is no base64: {error}", file.name));
        errors.take("files", bytes).map(|bytes| given::Sent { name: file.name, bytes })
    });
    let files: Vec<given::Sent> = decoded.collect();
    let Some(directory) = directory.filter(|_| errors.is_empty()) else { return Err(errors.into()) };
    let mode = dry_run.mode();
    let put = move |services: &Services| given::put(services, &caller.actor, caller.account, &keys, directory, &files, mode);
    let files = blocking::call(&services, put).await?.into_iter().map(PutShape::from).collect();
    Ok(web::Json(UploadedShape { files }))
}

/// Deletes a file of a device with all its versions, and answers which it was.
#[utoipa::path(tag = "devices", params(FilePath, DryRun), responses((status = 200, body = FileShape)))]
#[delete("/accounts/{account}/devices/{key}/files/{name}")]
pub async fn delete_file(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<FilePath>,
    dry_run: Asked<DryRun>,
) -> Result<web::Json<FileShape>, Problem> {
    let (key, name, mode) = (path.key()?, path.into_inner().name, dry_run.mode());
    let delete = move |services: &Services| {
        let file = versions::of(services, caller.account, &key, &name)?;
        versions::delete(services, &caller.actor, caller.account, &key, &name, mode)?;
        Ok(file)
    };
    Ok(web::Json(blocking::call(&services, delete).await?.into()))
}

/// A version of a file.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct VersionShape {
    /// Its number.
    pub version: u32,
    /// When it came in.
    pub at: Timestamp,
    /// Bytes.
    pub size_bytes: u64,
    /// SHA-256 of the content.
    pub sha256: String,
    /// Who put it there; absent where the device uploaded it.
    pub by: Option<String>,
}

impl From<Version> for VersionShape {
    fn from(Version { version, at, size_bytes, sha256, by, .. }: Version) -> Self {
        Self { version, at, size_bytes, sha256, by }
    }
}

const VERSIONS: &[Order<VersionShape>] =
    &[("-version", |a, b| b.version.cmp(&a.version)), ("at", |a, b| (a.at, a.version).cmp(&(b.at, b.version)))];

/// Lists the versions of a file that are kept, the one that counts first; sorts by `version` or `at`.
#[utoipa::path(tag = "devices", params(FilePath, Narrow), responses((status = 200, body = List<VersionShape>)))]
#[get("/accounts/{account}/devices/{key}/files/{name}/versions")]
pub async fn list_versions(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<FilePath>,
    asked: Asked<Narrow>,
) -> Result<web::Json<List<VersionShape>>, Problem> {
    let (key, name) = (path.key()?, path.into_inner().name);
    let file = blocking::call(&services, move |services| versions::of(services, caller.account, &key, &name)).await?;
    let all = file.versions().map(VersionShape::from).collect();
    Ok(web::Json(narrowed(all, &asked, |one| vec![one.by.clone().unwrap_or_default()], VERSIONS)?))
}

/// A version of a file.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VersionWanted {
    /// Its number.
    #[schema(example = 1)]
    version: u32,
}

/// Puts a version in the place of what counts, and answers the version that this makes.
#[utoipa::path(tag = "devices", params(FilePath, DryRun), request_body = VersionWanted, responses((status = 200, body = VersionShape)))]
#[post("/accounts/{account}/devices/{key}/files/{name}/restore")]
pub async fn restore_file(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<FilePath>,
    dry_run: Asked<DryRun>,
    sent: Sent<VersionWanted>,
) -> Result<web::Json<VersionShape>, Problem> {
    let (key, name, mode, version) = (path.key()?, path.into_inner().name, dry_run.mode(), sent.version);
    let restore =
        move |services: &Services| versions::restore(services, &caller.actor, caller.account, &key, &name, version, mode);
    Ok(web::Json(blocking::call(&services, restore).await?.into()))
}

/// Two versions.
#[derive(Clone, Copy, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct TwoVersions {
    /// Number of the earlier one.
    from: u32,
    /// Number of the later one.
    to: u32,
}

/// What differs between two versions of a file. Secrets of parameters are masked.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct FileDifferenceShape {
    /// `parameters`, `lines`, or `bytes` of what is no text.
    pub kind: String,
    /// Parameters that are not the same; of files of parameters.
    pub parameters: Vec<ChangedParameterShape>,
    /// Lines that are not the same, with some around them; of any other text. Lines of files with parameters that cannot be read are
    /// not told.
    pub lines: Vec<ChangedLineShape>,
}

/// A parameter that differs.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ChangedParameterShape {
    /// Its name.
    pub name: String,
    /// Its value in the earlier version.
    pub old: Option<String>,
    /// Its value in the later version.
    pub new: Option<String>,
}

/// A line of a difference.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ChangedLineShape {
    /// `same`, `added`, `removed`, or `gap` where lines of both are left out.
    pub kind: String,
    /// The line.
    pub text: String,
}

impl From<Difference> for FileDifferenceShape {
    fn from(difference: Difference) -> Self {
        let empty = |kind: &str| Self { kind: kind.to_owned(), parameters: Vec::new(), lines: Vec::new() };
        match difference {
            Difference::Parameters(all) => {
                let shape =
                    |one: versions::ChangedParameter| ChangedParameterShape { name: one.name, old: one.old, new: one.new };
                Self { parameters: all.into_iter().map(shape).collect(), ..empty("parameters") }
            }
            Difference::Lines(all) => {
                let word = |kind| match kind {
                    LineKind::Same => "same",
                    LineKind::Added => "added",
                    LineKind::Removed => "removed",
                    LineKind::Gap => "gap",
                };
                let shape = |one: versions::Line| ChangedLineShape { kind: word(one.kind).to_owned(), text: one.text };
                Self { lines: all.into_iter().map(shape).collect(), ..empty("lines") }
            }
            Difference::Bytes => empty("bytes"),
        }
    }
}

/// Tells what differs between two versions of a file.
#[utoipa::path(tag = "devices", params(FilePath, TwoVersions), responses((status = 200, body = FileDifferenceShape)))]
#[get("/accounts/{account}/devices/{key}/files/{name}/difference")]
pub async fn compare_versions(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<FilePath>,
    two: Asked<TwoVersions>,
) -> Result<web::Json<FileDifferenceShape>, Problem> {
    let (key, name, two) = (path.key()?, path.into_inner().name, (two.from, two.to));
    let compare = move |services: &Services| versions::compare(services, caller.account, &key, &name, two);
    Ok(web::Json(blocking::call(&services, compare).await?.into()))
}

/// One value that a device itself keeps.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct OwnValueShape {
    /// The file that it is in.
    #[schema(example = "phone.cfg")]
    pub file: String,
    /// The version of that file.
    pub version: u32,
    /// The parameter.
    pub name: String,
    /// Its value; a secret is masked.
    pub value: String,
    /// Whether it counts: a stronger file may have it too.
    pub counts: bool,
    /// What the phone would go by without it; absent where that is its own default.
    pub otherwise: Option<String>,
    /// Who says that.
    pub by: String,
}

impl From<OwnValue> for OwnValueShape {
    fn from(OwnValue { file, version, name, value, counts, otherwise, by }: OwnValue) -> Self {
        Self { file: file.to_owned(), version, name, value, counts, otherwise, by }
    }
}

const OWN_VALUES: &[Order<OwnValueShape>] =
    &[("name", |a, b| (&a.name, &a.file).cmp(&(&b.name, &b.file))), ("file", |a, b| (&a.file, &a.name).cmp(&(&b.file, &b.name)))];

/// Lists the values that a device itself keeps, which beat whatever it is served; sorts by `name` or `file`.
#[utoipa::path(tag = "devices", params(DevicePath, Narrow), responses((status = 200, body = List<OwnValueShape>)))]
#[get("/accounts/{account}/devices/{key}/overrides")]
pub async fn list_overrides(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<DevicePath>,
    asked: Asked<Narrow>,
) -> Result<web::Json<List<OwnValueShape>>, Problem> {
    let device = devices::get(&services, caller.account, &path.key()?)?.device.clone();
    let values = move |services: &Services| {
        let world = services.world(caller.account)?;
        overrides::values(services, caller.account, &device, &world)
    };
    let all = blocking::call(&services, values).await?.into_iter().map(OwnValueShape::from).collect();
    Ok(web::Json(narrowed(all, &asked, |one| vec![one.name.clone(), one.value.clone()], OWN_VALUES)?))
}

/// A value of a file of settings.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OwnValueToDelete {
    /// The parameter; its `.set` twin goes with it.
    #[schema(example = "up.timeOut")]
    parameter: String,
    /// The version of the file that was looked at; another one is not touched.
    #[serde(default)]
    version: Option<u32>,
}

/// Deletes one value that a device itself keeps: it gets the file back without it at its next boot, and goes by the value until then.
/// Answers what counts then.
#[utoipa::path(tag = "devices", params(FilePath, DryRun), request_body = OwnValueToDelete, responses((status = 200, body = FileShape)))]
#[post("/accounts/{account}/devices/{key}/files/{name}/delete-value")]
pub async fn delete_value(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<FilePath>,
    dry_run: Asked<DryRun>,
    sent: Sent<OwnValueToDelete>,
) -> Result<web::Json<FileShape>, Problem> {
    let (key, name, mode) = (path.key()?, path.into_inner().name, dry_run.mode());
    let OwnValueToDelete { parameter, version } = sent.into_inner();
    let delete = move |services: &Services| {
        let (actor, account) = (&caller.actor, caller.account);
        overrides::delete_value(services, actor, account, &key, (&name, version), &parameter, mode)?;
        versions::of(services, account, &key, &name)
    };
    Ok(web::Json(blocking::call(&services, delete).await?.into()))
}

/// Devices whose directories are brought together.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DirectoriesToMerge {
    /// MACs or serial numbers.
    #[schema(example = json!(["0004f2abcdef"]))]
    devices: Vec<String>,
    /// Whose fields count where both have a contact: `phone` or `administrator`.
    #[schema(example = "phone")]
    wins: String,
}

/// What merging did, or would do.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct MergingShape {
    /// Devices that get another directory.
    pub changed: Vec<MergedShape>,
    /// Devices whose directory holds everything already.
    pub same: Vec<String>,
    /// Devices that were left as they are, each with the reason.
    pub left: Vec<UnmergedShape>,
}

/// Two directories of a device in one.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct MergedShape {
    /// The device.
    pub key: String,
    /// Contacts that come of it.
    pub contacts: usize,
    /// Contacts that only the phone had.
    pub only_phone: usize,
    /// Contacts that only the administrator's file had.
    pub only_administrator: usize,
    /// Contacts that both had with other fields.
    pub differing: usize,
}

/// A device whose directories were not brought together.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct UnmergedShape {
    /// The device.
    pub key: String,
    /// Why.
    pub why: String,
}

impl From<Merging> for MergingShape {
    fn from(Merging { changed, same, left }: Merging) -> Self {
        let merged = |pair: directories::Pair| MergedShape {
            key: pair.key.to_string(),
            contacts: pair.merged.contacts.len(),
            only_phone: pair.merged.only_own,
            only_administrator: pair.merged.only_given,
            differing: pair.merged.differing.len(),
        };
        Self {
            changed: changed.into_iter().map(merged).collect(),
            same: same.iter().map(ToString::to_string).collect(),
            left: left.into_iter().map(|one| UnmergedShape { key: one.key.to_string(), why: one.why }).collect(),
        }
    }
}

/// Brings the administrator's and the phone's directory of devices together; what comes of it counts for the phone.
#[utoipa::path(tag = "devices", params(AccountPath, DryRun), request_body = DirectoriesToMerge, responses((status = 200, body = MergingShape)))]
#[post("/accounts/{account}/devices/directories/merge")]
pub async fn merge_directories(
    caller: Caller,
    services: web::Data<Services>,
    dry_run: Asked<DryRun>,
    sent: Sent<DirectoriesToMerge>,
) -> Result<HttpResponse, Problem> {
    let DirectoriesToMerge { devices, wins } = sent.into_inner();
    let keys = keys(&devices, "devices")?;
    let unknown = || FieldErrors::one("wins", format!("“{wins}” is neither phone nor administrator"));
    let wins = Side::parse(&wins).ok_or_else(unknown)?;
    let mode = dry_run.mode();
    let merge = move |services: &Services| directories::merge_all(services, &caller.actor, caller.account, &keys, wins, mode);
    Ok(HttpResponse::Ok().json(MergingShape::from(blocking::call(&services, merge).await?)))
}
