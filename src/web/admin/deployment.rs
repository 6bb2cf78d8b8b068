//! Profile Deployment: the containers in their order, the list of Global, and the way to every device's own (R144–R153).

use actix_web::http::StatusCode;
use actix_web::web;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::attached::{self, Attached, Outcome};
use super::conflict::Conflict;
use super::failure::Failure;
use super::forms::Form;
use super::layout::{Page, html_with};
use super::paging::ListQuery;
use super::session::SignedIn;
use super::words;
use crate::domain::deployment::Place;
use crate::domain::device_list::{DeviceQuery, Listed};
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::services::Services;
use crate::services::deployment::Target;
use crate::web::methods::Routes;

/// Devices that are listed here; the Device Monitor has them all.
const LISTED: usize = 12;

#[derive(Template)]
#[template(path = "deployment.html")]
struct DeploymentPage {
    page: Page,
    form: Form,
    attached: Attached,
    conflict: Option<Conflict>,
    list: ListQuery,
    /// Devices of the account.
    devices: usize,
    /// Devices that the search found, or those that have profiles of their own.
    found: Vec<Found>,
    more: usize,
    monitor_href: String,
}

struct Found {
    key: String,
    title: String,
    note: String,
}

/// The addresses of Profile Deployment.
pub fn configure(routes: &mut Routes) {
    routes.get("/admin/deployment", show).post("/admin/deployment", save);
}

async fn show(request: HttpRequest, who: SignedIn, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    Ok(html_with(StatusCode::OK, &page(&request, &who, &services, Form::default(), None)?))
}

async fn save(request: HttpRequest, who: SignedIn, form: Form, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let outcome = attached::save(&services, &who, Target::Place(Place::Global), form).await?;
    Ok(match outcome {
        Outcome::Done(message) => {
            let devices = words::count(services.roster(DEFAULT_ACCOUNT).len(), "device gets", "devices get");
            who.done("/admin/deployment", format!("{message} {devices} it when they next come."))
        }
        Outcome::Rejected(form) => html_with(StatusCode::UNPROCESSABLE_ENTITY, &page(&request, &who, &services, form, None)?),
        Outcome::Conflict(conflict, form) => {
            html_with(StatusCode::CONFLICT, &page(&request, &who, &services, form, Some(conflict))?)
        }
    })
}

fn page(
    request: &HttpRequest,
    who: &SignedIn,
    services: &Services,
    form: Form,
    conflict: Option<Conflict>,
) -> Result<DeploymentPage, Failure> {
    let world = services.world(DEFAULT_ACCOUNT).map_err(Failure::of(who))?;
    let global = world.deployment.get(&Place::Global).cloned().unwrap_or_default();
    let roster = services.roster(DEFAULT_ACCOUNT);
    let list = ListQuery::of(request, &[]);
    let page = who.page("Profile Deployment");
    let query = DeviceQuery { text: list.q(), ..DeviceQuery::default() };
    let mut found = roster.select(&query, &world, page.now);
    if list.q().is_empty() {
        found.retain(|one| !one.device.profiles.is_empty());
    }
    let monitor = serde_urlencoded::to_string([("q", list.q())]).unwrap_or_default();
    Ok(DeploymentPage {
        page,
        form,
        attached: Attached::new("Global", "/admin/deployment".to_owned(), &global, &world),
        conflict,
        devices: roster.len(),
        more: found.len().saturating_sub(LISTED),
        found: found.iter().take(LISTED).map(line).collect(),
        monitor_href: format!("/admin/devices?{monitor}"),
        list,
    })
}

fn line(one: &Listed) -> Found {
    let own = match one.device.profiles.len() {
        0 => "no profile of its own".to_owned(),
        number => words::count(number, "profile of its own", "profiles of its own"),
    };
    Found { key: one.device.key.to_string(), title: words::title(&one.device), note: own }
}
