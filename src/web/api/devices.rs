//! Reading devices: the list, one device, and what it gets. [`super::device_changes`] changes them.

use actix_web::{HttpResponse, get, web};
use serde::Deserialize;
use utoipa::IntoParams;

use super::caller::Caller;
use super::device_files::download;
use super::device_shapes::{DeviceShape, EffectiveShape};
use super::list::{List, Paging};
use super::paths::{AccountPath, DevicePath};
use super::problem::Problem;
use super::sent::Asked;
use crate::domain::credential::Recipient;
use crate::domain::device_list::DeviceQuery;
use crate::domain::field_error::FieldErrors;
use crate::domain::ids::{GroupId, SiteId};
use crate::domain::provision::view::explain;
use crate::services::effective_file::{self, EffectiveFile};
use crate::services::{Services, credentials, device_files, devices};
use crate::web::blocking;

/// Media type of a configuration file.
const XML: &str = "text/xml";

/// Which devices.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// Words that must all occur in something that is known of a device.
    q: Option<String>,
    /// `online`, `offline` or `never-seen`.
    status: Option<String>,
    /// Device type.
    family: Option<String>,
    /// Model.
    model: Option<String>,
    /// Number of the site; 1 is *Internet*.
    site: Option<u64>,
    /// Result of the last run: `success`, `failed` or `none`.
    result: Option<String>,
    /// `automatic` or `manual`.
    origin: Option<String>,
    /// Number of a device group.
    group: Option<u64>,
    /// Whose they are, as `person-5` or `room-3`.
    owner: Option<String>,
    /// `name`, `status`, `model`, `site`, `key`, `public_ip`, `private_ip`, `software`, `last_seen`, `result`, `added` or `groups`;
    /// with `-` in front the other way round.
    sort: Option<String>,
    /// Page, counted from 1.
    page: Option<usize>,
    /// Devices on a page, at most 1000.
    per_page: Option<usize>,
}

impl Wanted {
    fn parse(self) -> Result<(DeviceQuery, Paging), Problem> {
        let paging = Paging::new(self.page, self.per_page)?;
        let sort = self.sort.unwrap_or_default();
        let (key, descending) = sort.strip_prefix('-').map_or((sort.as_str(), false), |key| (key, true));
        let mut errors = FieldErrors::new();
        let mut query = DeviceQuery {
            text: self.q.unwrap_or_default(),
            family: self.family,
            model: self.model,
            site: self.site.map(SiteId),
            group: self.group.map(GroupId),
            descending,
            ..DeviceQuery::default()
        };
        query.status = self.status.and_then(|text| errors.take("status", text.parse()));
        query.result = self.result.and_then(|text| errors.take("result", text.parse()));
        query.owner = self.owner.and_then(|text| errors.take("owner", text.parse()));
        query.origin = self.origin.and_then(|text| errors.take("origin", text.parse()));
        if !key.is_empty() {
            query.sort = errors.take("sort", key.parse()).unwrap_or_default();
        }
        Ok((errors.into_result(Some(query))?, paging))
    }
}

/// Lists devices.
#[utoipa::path(tag = "devices", params(AccountPath, Wanted), responses((status = 200, body = List<DeviceShape>)))]
#[get("/accounts/{account}/devices")]
pub async fn list_devices(
    caller: Caller,
    services: web::Data<Services>,
    _: web::Path<AccountPath>,
    wanted: Asked<Wanted>,
) -> Result<web::Json<List<DeviceShape>>, Problem> {
    let (query, paging) = wanted.into_inner().parse()?;
    let now = services.clock().now();
    let world = services.world(caller.account)?;
    let found = services.roster(caller.account).select(&query, &world, now);
    let trusts = services.trusts(caller.account);
    Ok(web::Json(paging.cut(found.iter(), |one| DeviceShape::new(one, &trusts.of(&one.device.key), now))))
}

/// Shows a device.
#[utoipa::path(tag = "devices", params(DevicePath), responses((status = 200, body = DeviceShape)))]
#[get("/accounts/{account}/devices/{key}")]
pub async fn show_device(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<DevicePath>,
) -> Result<web::Json<DeviceShape>, Problem> {
    let key = path.key()?;
    let one = devices::get(&services, caller.account, &key)?;
    let trust = services.trusts(caller.account).of(&key);
    Ok(web::Json(DeviceShape::new(&one, &trust, services.clock().now())))
}

/// Explains what a device gets: every attribute, where its value comes from, and what that beat.
#[utoipa::path(tag = "devices", params(DevicePath), responses((status = 200, body = EffectiveShape)))]
#[get("/accounts/{account}/devices/{key}/effective")]
pub async fn show_effective(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<DevicePath>,
) -> Result<web::Json<EffectiveShape>, Problem> {
    let key = path.key()?;
    let one = devices::get(&services, caller.account, &key)?;
    let world = services.world(caller.account)?;
    let own = blocking::call(&services, move |services| device_files::overrides(services, caller.account, &key)).await?;
    let secrets = credentials::of(&services, caller.account, &one.device.key);
    let channel = credentials::channel_of(&services, caller.account, &one.device.key);
    let recipient = Recipient { device: &one.device, secrets: &secrets, channel };
    let view = own.iter().fold(explain(&recipient, &world), |view, (kind, _, set)| view.with_overrides(*kind, set));
    Ok(web::Json(EffectiveShape::new(view, &one, &world)))
}

/// A file of a device in a path.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct EffectivePath {
    /// Label of the account.
    #[param(example = "default")]
    #[expect(dead_code, reason = "the caller extractor reads it; here it is for the description")]
    account: String,
    /// MAC or serial number.
    #[param(example = "0004f2abcdef")]
    key: String,
    /// `master` or `parameters`.
    file: String,
}

/// Answers a file as the device would get it now, but for the secrets: they are masked.
#[utoipa::path(tag = "devices", params(EffectivePath), responses((status = 200, body = String, content_type = "text/xml")))]
#[get("/accounts/{account}/devices/{key}/effective/{file}")]
pub async fn read_effective(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<EffectivePath>,
) -> Result<HttpResponse, Problem> {
    let EffectivePath { key, file, .. } = path.into_inner();
    let key = key.parse().map_err(|_| Problem::not_found("device", &key))?;
    let file = EffectiveFile::parse(&file).ok_or_else(|| Problem::not_found("file", &file))?;
    let one = devices::get(&services, caller.account, &key)?;
    let secrets = credentials::of(&services, caller.account, &one.device.key);
    let channel = credentials::channel_of(&services, caller.account, &one.device.key);
    let recipient = Recipient { device: &one.device, secrets: &secrets, channel };
    let (name, bytes) = effective_file::shown(&recipient, &*services.world(caller.account)?, file);
    Ok(download(&name, XML, bytes))
}
