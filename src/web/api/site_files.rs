//! Sites as a CSV file: in, all of it or nothing, and out. The body is the file itself, byte for byte. A dry run is the preview.

use actix_web::{HttpResponse, get, post, web};
use serde::Deserialize;
use utoipa::IntoParams;

use super::body::DryRun;
use super::caller::Caller;
use super::device_files::download;
use super::paths::AccountPath;
use super::problem::Problem;
use super::sent::{self, Asked};
use super::site_shapes::SitesImportShape;
use crate::services::Services;
use crate::services::sites::import;
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

/// How a file is written.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Written {
    /// Whether it begins with a byte order mark, which some spreadsheets need to take it for UTF-8.
    #[serde(default)]
    mark: bool,
}

/// Answers all sites but *Internet* as a file that imports to the same.
#[utoipa::path(tag = "sites", params(AccountPath, Written), responses((status = 200, body = String, content_type = "text/csv")))]
#[get("/accounts/{account}/sites/export")]
pub async fn export_sites(caller: Caller, services: web::Data<Services>, asked: Asked<Written>) -> Result<HttpResponse, Problem> {
    let with_mark = asked.mark;
    let work = move |services: &Services| import::export(services, caller.account, |_| true, with_mark);
    Ok(download("sites.csv", "text/csv", blocking::call(&services, work).await?))
}
