//! Boots and polls: of devices, and of phones and addresses that were not let in.

use actix_web::{get, web};
use serde::Deserialize;
use utoipa::IntoParams;

use super::caller::Caller;
use super::device_shapes::RunShape;
use super::list::{List, Paging};
use super::paths::{AccountPath, DevicePath};
use super::problem::{Problem, Problems};
use crate::services::{Services, runs};
use crate::web::blocking;

/// Which page.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Page {
    /// Page, counted from 1.
    page: Option<usize>,
    /// Runs on a page, at most 1000.
    per_page: Option<usize>,
}

/// Lists the runs of a device and of phones that only claimed to be it, newest first.
#[utoipa::path(tag = "devices", params(DevicePath, Page), responses((status = 200, body = List<RunShape>), Problems))]
#[get("/accounts/{account}/devices/{key}/runs")]
pub async fn list_device_runs(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<DevicePath>,
    page: web::Query<Page>,
) -> Result<web::Json<List<RunShape>>, Problem> {
    let key = path.key()?;
    let paging = Paging::new(page.page, page.per_page)?;
    let found = blocking::call(&services, move |services| runs::of_device(services, caller.account, &key)).await?;
    Ok(web::Json(paging.cut(found.into_iter(), RunShape::from)))
}

/// Lists the runs of everybody who was not let in, newest first: unknown and refused phones, and failed handshakes by address.
#[utoipa::path(tag = "runs", params(AccountPath, Page), responses((status = 200, body = List<RunShape>), Problems))]
#[get("/accounts/{account}/runs")]
pub async fn list_refused_runs(
    caller: Caller,
    services: web::Data<Services>,
    _: web::Path<AccountPath>,
    page: web::Query<Page>,
) -> Result<web::Json<List<RunShape>>, Problem> {
    let paging = Paging::new(page.page, page.per_page)?;
    let found = blocking::call(&services, move |services| runs::refused(services, caller.account)).await?;
    Ok(web::Json(paging.cut(found.into_iter(), RunShape::from)))
}
