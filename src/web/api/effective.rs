//! Why a device gets what it gets, what another one would get, and what two of them do not share (R108, R159).

use std::net::IpAddr;

use actix_web::{HttpResponse, get, web};
use serde::Deserialize;
use utoipa::IntoParams;

use super::caller::Caller;
use super::device_files::download;
use super::effective_shapes::{ComparisonShape, EffectiveShape};
use super::paths::{AccountPath, DevicePath};
use super::problem::Problem;
use super::sent::Asked;
use crate::domain::credential::Recipient;
use crate::domain::device::{Device, Owner};
use crate::domain::field_error::FieldErrors;
use crate::domain::ids::{GroupId, ProfileId, SiteId};
use crate::domain::provision::search::{Wanted, differences};
use crate::domain::provision::view::EffectiveView;
use crate::domain::world::World;
use crate::services::effective_file::{self, EffectiveFile};
use crate::services::what_if::{self, Imagined};
use crate::services::{Services, credentials, devices, explain, provenance};
use crate::web::blocking;

/// Media type of a configuration file.
const XML: &str = "text/xml";

/// Which rows.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct WantedRows {
    /// Words that must all occur in name, value, profile or place of a row, also of what is beaten.
    q: Option<String>,
    /// Who decides: `phone`, `flash`, `rule`, `device`, `person`, `person-group`, `site`, `model`, `group`, `global`, `name` or `base`.
    from: Option<String>,
    /// Who says anything, in the same words.
    layer: Option<String>,
    /// `beating`, `overridden`, `flash`, `differs`, `unknown` or `master`.
    show: Option<String>,
}

impl WantedRows {
    fn parse(&self) -> Result<Wanted, FieldErrors> {
        let q = self.q.as_deref().unwrap_or_default();
        Wanted::parse(q, self.from.as_deref(), self.layer.as_deref(), self.show.as_deref())
    }
}

/// Explains what a device gets: every attribute, where its value comes from, who set it, and what that beat. Settings of the phone
/// itself and what is left in its flash lie over what it is served.
#[utoipa::path(tag = "devices", params(DevicePath, WantedRows), responses((status = 200, body = EffectiveShape)))]
#[get("/accounts/{account}/devices/{key}/effective")]
pub async fn show_effective(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<DevicePath>,
    wanted: Asked<WantedRows>,
) -> Result<web::Json<EffectiveShape>, Problem> {
    let key = path.key()?;
    let wanted = wanted.parse()?;
    let (account, one, world) = (caller.account, devices::get(&services, caller.account, &key)?, services.world(caller.account)?);
    let shape = blocking::call(&services, move |services| {
        let explained = explain::of_device(services, account, &one.device, &world)?;
        let version = one.sighting.software_version.as_deref();
        shape(services, &caller, (&one.device, version), &world, explained.view, &wanted)
    });
    Ok(web::Json(shape.await?))
}

/// The rows that are wanted, with who set what.
fn shape(
    services: &Services,
    caller: &Caller,
    (device, version): (&Device, Option<&str>),
    world: &World,
    mut view: EffectiveView,
    wanted: &Wanted,
) -> Result<EffectiveShape, crate::services::error::ServiceError> {
    view.rows.retain(|row| wanted.admits(row, world, world.schemas.current()));
    let who = provenance::of(services, caller.account, world, device, &view.rows)?;
    Ok(EffectiveShape::new(view, &who, (device, version), world))
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

/// A device that somebody imagines, and which of its rows.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Question {
    /// MAC or serial number: files and polling minute go by it. Absent: an example.
    key: Option<String>,
    /// Model, in any spelling; one that neither the table nor any device or place knows is refused.
    #[param(example = "VVX 411")]
    model: Option<String>,
    /// Number of the site; absent: the address decides, without one it is *Internet*.
    site: Option<u64>,
    /// The address that it comes from.
    #[param(example = "10.1.2.3")]
    address: Option<String>,
    /// Numbers of its device groups, strongest first, with commas between them; empty for none. Absent: the default groups.
    #[param(example = "3,1")]
    groups: Option<String>,
    /// Whose it is, as `person-5` or `room-3`.
    owner: Option<String>,
    /// Numbers of profiles of its own, strongest first, with commas between them.
    profiles: Option<String>,
    /// Words that must all occur in name, value, profile or place of a row, also of what is beaten.
    q: Option<String>,
    /// Who decides, as for a device of the inventory.
    from: Option<String>,
    /// Who says anything, in the same words.
    layer: Option<String>,
    /// `beating`, `differs`, `unknown` or `master`.
    show: Option<String>,
}

fn address(text: &str) -> Result<IpAddr, &'static str> {
    text.trim().parse().map_err(|_| "enter an IPv4 or IPv6 address, such as 10.1.2.3")
}

impl Question {
    fn parse(self) -> Result<(Imagined, Wanted), FieldErrors> {
        let mut errors = FieldErrors::new();
        let numbers = |text: &str| -> Result<Vec<u64>, &'static str> {
            let numbers = text.split(',').map(str::trim).filter(|text| !text.is_empty());
            numbers.map(|text| text.parse().map_err(|_| "enter numbers with commas between them")).collect()
        };
        let groups = self.groups.as_deref().and_then(|text| errors.take("groups", numbers(text)));
        let profiles = self.profiles.as_deref().and_then(|text| errors.take("profiles", numbers(text)));
        let imagined = Imagined {
            key: self.key.as_deref().and_then(|text| errors.take("key", text.parse())),
            model: self.model.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()),
            site: self.site.map(SiteId),
            address: self.address.as_deref().and_then(|text| errors.take("address", address(text))),
            groups: groups.map(|groups| groups.into_iter().map(GroupId).collect()),
            owner: self.owner.as_deref().and_then(|text| errors.take("owner", text.parse::<Owner>())),
            profiles: profiles.unwrap_or_default().into_iter().map(ProfileId).collect(),
        };
        let rows = WantedRows { q: self.q, from: self.from, layer: self.layer, show: self.show };
        let wanted = match rows.parse() {
            Ok(wanted) => wanted,
            Err(more) => {
                errors.extend(more);
                Wanted::default()
            }
        };
        errors.into_result(Some((imagined, wanted)))
    }
}

/// Tells what a device would get that is not in the inventory, or would be somewhere else. Nothing is written.
#[utoipa::path(tag = "devices", params(AccountPath, Question), responses((status = 200, body = EffectiveShape)))]
#[get("/accounts/{account}/what-if")]
pub async fn show_what_if(
    caller: Caller,
    services: web::Data<Services>,
    _: web::Path<AccountPath>,
    question: Asked<Question>,
) -> Result<web::Json<EffectiveShape>, Problem> {
    let (imagined, wanted) = question.into_inner().parse()?;
    let world = services.world(caller.account)?;
    let device = what_if::device(&services, caller.account, &world, imagined)?;
    let shape = blocking::call(&services, move |services| {
        let view = explain::of_imagined(services, caller.account, &device, &world);
        shape(services, &caller, (&device, None), &world, view, &wanted)
    });
    Ok(web::Json(shape.await?))
}

/// A file of a device that somebody imagines.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct WhatIfPath {
    /// Label of the account.
    #[param(example = "default")]
    #[expect(dead_code, reason = "the caller extractor reads it; here it is for the description")]
    account: String,
    /// `master` or `parameters`.
    file: String,
}

/// Answers a file as such a device would get it, but for the secrets: they are masked.
#[utoipa::path(tag = "devices", params(WhatIfPath, Question), responses((status = 200, body = String, content_type = "text/xml")))]
#[get("/accounts/{account}/what-if/{file}")]
pub async fn read_what_if(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<WhatIfPath>,
    question: Asked<Question>,
) -> Result<HttpResponse, Problem> {
    let file = EffectiveFile::parse(&path.file).ok_or_else(|| Problem::not_found("file", &path.file))?;
    let (imagined, _) = question.into_inner().parse()?;
    let world = services.world(caller.account)?;
    let device = what_if::device(&services, caller.account, &world, imagined)?;
    let secrets = credentials::of(&services, caller.account, &device.key);
    let (name, bytes) = effective_file::shown(&Recipient::over_tls(&device, &secrets), &world, file);
    Ok(download(&name, XML, bytes))
}

/// Two devices in a path.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct TwoDevices {
    /// Label of the account.
    #[param(example = "default")]
    #[expect(dead_code, reason = "the caller extractor reads it; here it is for the description")]
    account: String,
    /// MAC or serial number.
    #[param(example = "0004f2abcdef")]
    key: String,
    /// MAC or serial number of the other one.
    #[param(example = "0004f2abcd00")]
    other: String,
}

/// Tells what two devices do not share, with what each of them has itself. What this server makes for each device alone is left out.
#[utoipa::path(tag = "devices", params(TwoDevices), responses((status = 200, body = ComparisonShape)))]
#[get("/accounts/{account}/devices/{key}/compare/{other}")]
pub async fn compare_devices(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<TwoDevices>,
) -> Result<web::Json<ComparisonShape>, Problem> {
    let find = |text: &str| {
        let key = text.parse().map_err(|_| Problem::not_found("device", text))?;
        devices::get(&services, caller.account, &key).map_err(Problem::from)
    };
    let (one, other, world) = (find(&path.key)?, find(&path.other)?, services.world(caller.account)?);
    let found = blocking::call(&services, move |services| {
        let view = |device: &Device| explain::of_device(services, caller.account, device, &world).map(|found| found.view);
        let (left, right) = (view(&one.device)?, view(&other.device)?);
        Ok(differences((&one.device.key, &left), (&other.device.key, &right)))
    });
    Ok(web::Json(ComparisonShape::from(found.await?)))
}
