//! What became of one parameter of a profile (R123).

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::profile::find;
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::services::Services;
use crate::services::profiles::{self, PastValue};
use crate::web::admin::failure::Failure;
use crate::web::admin::layout::{Page, html};
use crate::web::admin::paging::ListQuery;
use crate::web::admin::session::SignedIn;
use crate::web::admin::words::Shown;
use crate::web::blocking;

/// Changes that are shown.
const MOST: usize = 100;

#[derive(Template)]
#[template(path = "profiles/history.html")]
struct HistoryPage {
    page: Page,
    /// Path and name of the profile.
    profile: (String, String),
    now: Option<Shown>,
    rows: Vec<PastValue>,
    /// The entries in the activity log.
    log: String,
}

/// `GET /admin/profiles/{id}/history?name=…`
pub async fn show(
    request: HttpRequest,
    id: web::Path<String>,
    who: SignedIn,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let profile = find(&services, &who, &id)?;
    let parameter = ListQuery::of(&request, &[]).filter("name").unwrap_or_default().to_owned();
    let (id, asked) = (profile.id, parameter.clone());
    let rows = blocking::call(&services, move |services| profiles::history(services, DEFAULT_ACCOUNT, id, &asked, MOST)).await;
    let query = serde_urlencoded::to_string([("object", "profile"), ("q", &parameter)]).unwrap_or_default();
    Ok(html(&HistoryPage {
        page: who.page(format!("History of {parameter}")),
        profile: (format!("/admin/profiles/{id}"), profile.name.to_string()),
        now: profile.parameters.get(&parameter).map(|value| Shown::of(&parameter, value)),
        rows: rows.map_err(Failure::of(&who))?,
        log: format!("/admin/activity?{query}"),
    }))
}
