//! Reading devices: the list and one device. [`super::effective`] tells what it gets, [`super::device_changes`] changes them.

use actix_web::{get, web};
use serde::Deserialize;
use utoipa::IntoParams;

use super::caller::Caller;
use super::device_shapes::DeviceShape;
use super::list::{List, Paging};
use super::paths::{AccountPath, DevicePath};
use super::problem::Problem;
use super::sent::Asked;
use crate::domain::device_list::{DeviceQuery, Hit, Listed, Search};
use crate::domain::field_error::FieldErrors;
use crate::domain::ids::{GroupId, SiteId};
use crate::services::{Services, devices};

/// Which devices.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// Words that must all occur in something that is known of a device, its site, groups, owner or the profiles that it gets.
    pub(super) q: Option<String>,
    /// `online`, `offline` or `never-seen`.
    pub(super) status: Option<String>,
    /// Device type.
    pub(super) family: Option<String>,
    /// Model.
    pub(super) model: Option<String>,
    /// Software version as it is told; `none` for those that told none.
    pub(super) software: Option<String>,
    /// What is not as it should be with their software: `minimum` (less than the least version), `chosen`, `newest` (less than that),
    /// `waiting`, or `consent` (nobody has allowed them to go back to what is chosen).
    pub(super) behind: Option<String>,
    /// Software version that is chosen for them.
    pub(super) chosen: Option<String>,
    /// Number of the site; 1 is *Internet*.
    pub(super) site: Option<u64>,
    /// Result of the last run: `success`, `failed` or `none`.
    pub(super) result: Option<String>,
    /// `automatic` or `manual`.
    pub(super) origin: Option<String>,
    /// Number of a device group.
    pub(super) group: Option<u64>,
    /// Whose they are, as `person-5` or `room-3`.
    pub(super) owner: Option<String>,
    /// `name`, `status`, `model`, `site`, `key`, `public_ip`, `private_ip`, `software`, `last_seen`, `result`, `added` or `groups`;
    /// with `-` in front the other way round.
    pub(super) sort: Option<String>,
    /// Page, counted from 1.
    pub(super) page: Option<usize>,
    /// Devices on a page, at most 1000.
    pub(super) per_page: Option<usize>,
    /// `true`: the answer tells the mark of all that was found, to be sent with `matching`.
    pub(super) mark: Option<bool>,
}

impl Wanted {
    fn parse(mut self) -> Result<(DeviceQuery, Paging), Problem> {
        let paging = Paging::new(self.page.take(), self.per_page.take())?;
        Ok((self.query()?, paging))
    }

    /// The devices that are asked for, whatever page.
    pub(super) fn query(self) -> Result<DeviceQuery, Problem> {
        let sort = self.sort.unwrap_or_default();
        let (key, descending) = sort.strip_prefix('-').map_or((sort.as_str(), false), |key| (key, true));
        let mut errors = FieldErrors::new();
        let mut query = DeviceQuery {
            text: self.q.unwrap_or_default(),
            family: self.family,
            model: self.model,
            software: self.software,
            chosen: self.chosen,
            site: self.site.map(SiteId),
            group: self.group.map(GroupId),
            descending,
            ..DeviceQuery::default()
        };
        query.status = self.status.and_then(|text| errors.take("status", text.parse()));
        query.result = self.result.and_then(|text| errors.take("result", text.parse()));
        query.owner = self.owner.and_then(|text| errors.take("owner", text.parse()));
        query.behind = self.behind.and_then(|text| errors.take("behind", text.parse()));
        query.origin = self.origin.and_then(|text| errors.take("origin", text.parse()));
        if !key.is_empty() {
            query.sort = errors.take("sort", key.parse()).unwrap_or_default();
        }
        Ok(errors.into_result(Some(query))?)
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
    let wanted = wanted.into_inner();
    let mark = wanted.mark;
    let (query, paging) = wanted.parse()?;
    let now = services.clock().now();
    let world = services.world(caller.account)?;
    let found = services.roster(caller.account).select(&query, &world, now);
    let trusts = services.trusts(caller.account);
    let search = Search::new(&query.text, &world);
    let shape = |one: &Listed| {
        let why = match search.finds(one) {
            Some(Hit::Hidden(what, text)) => Some(format!("{what}: {text}")),
            _ => None,
        };
        DeviceShape { why, ..DeviceShape::new(one, &trusts.of(&one.device.key), now) }
    };
    let keys = || found.iter().map(|one| &one.device.key).collect();
    Ok(web::Json(paging.cut(found.iter(), shape).marked(mark, keys)))
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
