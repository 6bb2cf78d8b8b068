//! Sites as a CSV file: in, all of it or nothing, and out. The body is the file itself, byte for byte. A dry run is the preview.

use actix_web::{HttpResponse, get, post, web};
use serde::Deserialize;
use utoipa::IntoParams;

use super::body::DryRun;
use super::caller::Caller;
use super::device_files::download;
use super::list;
use super::paths::AccountPath;
use super::problem::Problem;
use super::sent::{self, Asked};
use super::site_shapes::SitesImportShape;
use crate::domain::site::Site;
use crate::services::sites::import;
use crate::services::{Services, lists};
use crate::web::{blocking, sizes};

/// Takes a file of sites: a site of the same name is replaced, what the file has no column for stays. Where one row cannot be taken
/// nothing is, and each is named with its line.
#[utoipa::path(tag = "sites", params(AccountPath, DryRun), request_body(content = Vec<u8>, content_type = "text/csv"), responses((status = 200, body = SitesImportShape)))]
#[post("/accounts/{account}/sites/import")]
pub async fn import_sites(
    caller: Caller,
    services: web::Data<Services>,
    dry_run: Asked<DryRun>,
    payload: web::Payload,
) -> Result<web::Json<SitesImportShape>, Problem> {
    let (file, mode) = (sent::file(payload, sizes::SITES).await?, dry_run.mode());
    let work = move |services: &Services| import::import(services, &caller.actor, caller.account, &file, mode);
    Ok(web::Json(blocking::call(&services, work).await?.into()))
}

/// How a file is written, and of which sites.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Written {
    /// Whether it begins with a byte order mark, which some spreadsheets need to take it for UTF-8.
    #[serde(default)]
    mark: bool,
    /// Words that must all occur in name, description, location, subnets or time zone.
    q: Option<String>,
    /// `zone` or `window`: with one of their own; `nothing`: without any subnet.
    has: Option<String>,
}

/// Answers the sites that the filters leave, all but *Internet*, as a file that imports to the same.
#[utoipa::path(tag = "sites", params(AccountPath, Written), responses((status = 200, body = String, content_type = "text/csv")))]
#[get("/accounts/{account}/sites/export")]
pub async fn export_sites(caller: Caller, services: web::Data<Services>, asked: Asked<Written>) -> Result<HttpResponse, Problem> {
    let Written { mark, q, has } = asked.into_inner();
    let asked = list::asked(&lists::sites::LISTING, [("q", q), ("has", has)])?;
    let search = asked.search();
    let is_wanted = move |site: &Site| lists::sites::admits(site, &asked, &search);
    let work = move |services: &Services| import::export(services, caller.account, is_wanted, mark);
    Ok(download("sites.csv", "text/csv", blocking::call(&services, work).await?))
}
