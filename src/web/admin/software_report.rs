//! Software > Report: the fleet by its software, as bars and as a table (R212, R372).

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::failure::Failure;
use super::layout::{Bar, Page, html};
use super::paging::ListQuery;
use super::session::SignedIn;
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::services::Services;
use crate::services::software::{Report, Standing, VersionRow};
use crate::web::blocking;
use crate::web::methods::Routes;

const HERE: &str = "/admin/software/report";

/// The columns of its file, after the family.
const COLUMNS: [(&str, &str); 8] = [
    ("version", "Software Version"),
    ("devices", "Devices"),
    ("below_minimum", "Below the least version"),
    ("below_chosen", "Below what is chosen"),
    ("below_newest", "Below the newest image"),
    ("stuck", "Waiting for something"),
    ("needs_consent", "Waiting for consent to go back"),
    ("newest", "Newest image"),
];

#[derive(Template)]
#[template(path = "software/report.html")]
struct ReportPage {
    page: Page,
    list: ListQuery,
    report: Report,
    families: Vec<FamilyView>,
}

/// The versions of one family.
struct FamilyView {
    name: String,
    bars: Vec<Bar>,
    rows: Vec<(VersionRow, String)>,
}

/// The address of the report.
pub fn configure(routes: &mut Routes) {
    routes.get(HERE, show);
}

async fn show(request: HttpRequest, who: SignedIn, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let list = ListQuery::of(&request, &["family"]);
    let made = blocking::call(&services, |services| {
        let world = services.world(DEFAULT_ACCOUNT)?;
        Ok::<_, crate::services::error::ServiceError>(Report::of(&services.roster(DEFAULT_ACCOUNT).all(), &world))
    });
    let report = made.await.map_err(Failure::of(&who))?;
    if list.is_file() {
        return Ok(list.columns(&COLUMNS).file("software", "Device Type", report.rows.iter().map(cells)));
    }
    let mut families: Vec<FamilyView> = Vec::new();
    for row in &report.rows {
        let name = if row.family.is_empty() { "Type not known" } else { &row.family }.to_owned();
        if families.last().is_none_or(|last| last.name != name) {
            families.push(FamilyView { name, bars: Vec::new(), rows: Vec::new() });
        }
        if let Some(family) = families.last_mut() {
            family.rows.push((row.clone(), link(row)));
        }
    }
    for family in &mut families {
        let label = |row: &VersionRow| if row.version.is_empty() { "Not told yet".to_owned() } else { row.version.clone() };
        family.bars = Bar::list(family.rows.iter().map(|(row, href)| (label(row), row.standing.devices, Some(href.clone()))));
    }
    Ok(html(&ReportPage { page: who.page("Software Report"), list, report, families }))
}

/// The list of exactly these devices.
fn link(row: &VersionRow) -> String {
    let version = if row.version.is_empty() { "none" } else { &row.version };
    let query = serde_urlencoded::to_string([("family", row.family.as_str()), ("software", version)]);
    format!("/admin/devices?{}", query.unwrap_or_default())
}

fn cells(row: &VersionRow) -> [String; 9] {
    let VersionRow { family, version, newest, standing } = row;
    let Standing { devices, below_minimum, below_chosen, below_newest, stuck, needs_consent } = *standing;
    let numbers = [devices, below_minimum, below_chosen, below_newest, stuck, needs_consent];
    let [devices, minimum, chosen, below_newest, stuck, consent] = numbers.map(|number| number.to_string());
    [family.clone(), version.clone(), devices, minimum, chosen, below_newest, stuck, consent, newest.clone().unwrap_or_default()]
}
