//! Runs: every boot and poll of a device, and of phones that only claimed to be it (R177).

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::head::{self, Head};
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::services::Services;
use crate::services::runs;
use crate::web::admin::failure::Failure;
use crate::web::admin::layout::{Page, html};
use crate::web::admin::paging::ListQuery;
use crate::web::admin::runs::view::{self, RunDetail, RunLine};
use crate::web::admin::session::SignedIn;
use crate::web::admin::words::{self, Tone as _};
use crate::web::blocking;

#[derive(Template)]
#[template(path = "devices/runs.html")]
struct RunsPage {
    page: Page,
    head: Head,
    runs: Vec<RunLine>,
    chosen: Option<RunDetail>,
    provisioning_url: String,
}

/// `GET /admin/devices/{key}/runs`
pub async fn show(
    request: HttpRequest,
    key: web::Path<String>,
    who: SignedIn,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let (known, world) = head::find(&services, &who, &key)?;
    let device = known.device.key.clone();
    let all = blocking::call(&services, move |services| runs::of_device(services, DEFAULT_ACCOUNT, &device)).await;
    let all = all.map_err(Failure::of(&who))?;
    let page = who.page("Runs");
    let wanted = ListQuery::of(&request, &[]).filter("run").and_then(|text| text.parse().ok());
    let head = Head::new(&known, page.now).marked(&services);
    let (runs, chosen) = view::runs(&all, wanted, |name| format!("/admin/devices/{}/runs?run={name}", head.key));
    Ok(html(&RunsPage { head, page, runs, chosen, provisioning_url: world.endpoints.https_url.clone() }))
}
