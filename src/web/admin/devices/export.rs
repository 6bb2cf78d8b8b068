//! Export Devices: the devices that the list shows, as a file to edit and import again (R281–R283). Secrets are masked; whoever may see
//! them asks for them by a press of its own.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::import::file as saved;
use super::list::{self, SORTABLE};
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::services::Services;
use crate::services::commit::Mode;
use crate::services::device_csv::{self, ExportOptions, Separator, Values};
use crate::web::admin::failure::Failure;
use crate::web::admin::forms::Form;
use crate::web::admin::layout::{Page, html};
use crate::web::admin::paging::ListQuery;
use crate::web::admin::session::SignedIn;
use crate::web::blocking;

const CSV: &str = "text/csv; charset=utf-8";
/// Fields of this page; all others are those of the list.
const OWN: [&str; 6] = ["separator", "values", "mark", "place", "secrets", "csrf"];

#[derive(Template)]
#[template(path = "devices/export.html")]
struct ExportPage {
    page: Page,
    form: Form,
    list: ListQuery,
    /// Back to the list as it was.
    back: String,
    devices: usize,
    total: usize,
}

#[derive(Template)]
#[template(path = "devices/export_secrets.html")]
struct SecretsPage {
    page: Page,
    /// What was chosen.
    fields: Vec<(String, String)>,
    devices: usize,
    back: String,
}

/// `GET /admin/devices/export`: with the query of the list.
pub async fn show(request: HttpRequest, who: SignedIn, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let list = ListQuery::of(&request, SORTABLE);
    let (devices, total) = count(&services, &who, &list)?;
    let form = Form::filled([("separator", Separator::Comma.word()), ("values", Values::Own.word())]);
    let back = ListQuery::parse("/admin/devices", &list.lasting(), SORTABLE).link();
    Ok(html(&ExportPage { page: who.page("Export Devices"), form, list, back, devices, total }))
}

/// How many devices are asked for, and how many there are.
fn count(services: &Services, who: &SignedIn, list: &ListQuery) -> Result<(usize, usize), Failure> {
    let world = services.world(DEFAULT_ACCOUNT).map_err(Failure::of(who))?;
    let roster = services.roster(DEFAULT_ACCOUNT);
    Ok((roster.select(&list::query(list), &world, services.clock().now()).len(), roster.len()))
}

fn options(list: &ListQuery) -> ExportOptions {
    ExportOptions {
        separator: list.filter("separator").and_then(Separator::of_word).unwrap_or_default(),
        values: list.filter("values").and_then(Values::of_word).unwrap_or_default(),
        with_mark: list.filter("mark").is_some(),
        with_place: list.filter("place").is_some(),
    }
}

/// What the file is called: one that is for a look alone says so.
fn name(options: ExportOptions) -> &'static str {
    match options.values {
        Values::Own => "devices.csv",
        Values::Effective => "devices-effective.csv",
    }
}

/// `GET /admin/devices/export/file`: the file, or the question before secrets are told.
pub async fn file(request: HttpRequest, who: SignedIn, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let list = ListQuery::of(&request, SORTABLE);
    if list.filter("secrets").is_some() {
        let (devices, _) = count(&services, &who, &list)?;
        let fields = list.hidden(&["secrets"]).into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let own: Vec<(&str, &str)> = OWN.iter().map(|name| (*name, "")).collect();
        let back = ListQuery::parse("/admin/devices/export", request.query_string(), SORTABLE).with(&own);
        return Ok(html(&SecretsPage { page: who.page("Export with secrets?"), fields, devices, back }));
    }
    let (query, options) = (list::query(&list), options(&list));
    let make = move |services: &Services| device_csv::export(services, DEFAULT_ACCOUNT, &query, options);
    let bytes = blocking::call(&services, make).await.map_err(Failure::of(&who))?;
    Ok(saved(name(options), CSV, bytes))
}

/// `POST /admin/devices/export`: the file with secrets.
pub async fn in_clear(who: SignedIn, form: Form, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let query = serde_urlencoded::to_string(form.pairs().collect::<Vec<_>>()).unwrap_or_default();
    let list = ListQuery::parse("/admin/devices/export", &query, SORTABLE);
    let (query, options, actor) = (list::query(&list), options(&list), who.actor.clone());
    let make =
        move |services: &Services| device_csv::export_in_clear(services, &actor, DEFAULT_ACCOUNT, &query, options, Mode::Keep);
    let (_, bytes) = blocking::call(&services, make).await.map_err(Failure::of(&who))?;
    Ok(saved(name(options), CSV, bytes.unwrap_or_default()))
}

/// `GET /admin/devices/import/template`: an empty file with all headings (R281).
pub async fn template(request: HttpRequest, who: SignedIn) -> Result<HttpResponse, Failure> {
    let options = options(&ListQuery::of(&request, &[]));
    Ok(saved("devices-template.csv", CSV, device_csv::template(options).map_err(Failure::of(&who))?))
}
