//! Sites: all of them, searched, sorted and paged, with chosen columns (R60–R64, R78).

use std::cmp::Ordering;

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use jiff::Timestamp;

use super::Unset;
use crate::domain::ids::{DEFAULT_ACCOUNT, SiteId};
use crate::domain::site::Site;
use crate::domain::subnet::Subnet;
use crate::domain::text_search::TextSearch;
use crate::services::certificates::ServerNames;
use crate::services::sites::{moves, written};
use crate::services::{Services, sites};
use crate::web::admin::columns::Columns;
use crate::web::admin::failure::Failure;
use crate::web::admin::layout::{Page, html};
use crate::web::admin::list_memory;
use crate::web::admin::paging::{ListQuery, Pager};
use crate::web::admin::session::SignedIn;
use crate::web::admin::words;

/// The columns that can be sorted by; the first is the default.
const SORTABLE: &[&str] = &["name", "description", "location", "devices", "zone", "modified"];

/// The columns that may be hidden, by their word in the address. A site's name always stays.
const COLUMNS: [(&str, &str); 6] = [
    ("description", "Description"),
    ("location", "Location Name"),
    ("devices", "Device Count"),
    ("subnets", "Subnets"),
    ("zone", "Time zone"),
    ("modified", "Date Modified"),
];

/// Subnets that a row names.
const SUBNETS_SHOWN: usize = 4;

/// What a site may have or lack, to filter by: word and label.
const HAS: [(&str, &str); 3] = [
    ("zone", "With a time zone of their own"),
    ("window", "With a polling window of their own"),
    ("nothing", "Without any subnet"),
];

#[derive(Template)]
#[template(path = "sites/list.html")]
struct ListPage {
    page: Page,
    list: ListQuery,
    pager: Pager,
    rows: Vec<Row>,
    columns: Columns,
    /// Sites whose networks nobody has entered yet.
    unset: Vec<Unset>,
    /// The networks of this server, where they can be offered.
    own: Vec<Subnet>,
    /// Devices whose move waits for somebody's word.
    waiting: usize,
}

struct Row {
    id: SiteId,
    name: String,
    is_internet: bool,
    description: String,
    location: String,
    devices: usize,
    subnets: String,
    zone: String,
    /// Who changed it and when; none for *Internet*.
    modified: Option<(String, Timestamp)>,
}

/// `GET /admin/sites`
pub async fn show(request: HttpRequest, who: SignedIn, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let list = match list_memory::enter(&who, &request, SORTABLE) {
        Ok(list) => list,
        Err(as_it_was) => return Ok(*as_it_was),
    };
    let world = services.world(DEFAULT_ACCOUNT).map_err(Failure::of(&who))?;
    let counts = sites::device_counts(&services, DEFAULT_ACCOUNT);
    let search = list.search();
    let row = |site: &Site| row(site, counts.get(&site.id).copied().unwrap_or_default());
    let mut found: Vec<Row> = world.sites.values().filter(|site| admits(site, &list, &search)).map(|site| row(site)).collect();
    found.sort_by(|a, b| {
        let by_column = column(a, b, &list);
        let by_column = if list.descending() { by_column.reverse() } else { by_column };
        by_column.then_with(|| a.name.to_lowercase().cmp(&b.name.to_lowercase()))
    });
    let columns = list.columns(&COLUMNS);
    let pager = list.pager(found.len());
    let rows = found.drain(pager.range()).collect();
    let unset: Vec<Unset> = world.sites.values().filter_map(|site| Unset::of(site)).collect();
    Ok(html(&ListPage {
        page: who.page("Sites"),
        columns,
        list,
        pager,
        rows,
        own: if unset.is_empty() { Vec::new() } else { ServerNames::own_subnets() },
        unset,
        waiting: moves::list(&services, DEFAULT_ACCOUNT).len(),
    }))
}

fn row(site: &Site, devices: usize) -> Row {
    Row {
        id: site.id,
        name: site.name.to_string(),
        is_internet: site.is_internet(),
        description: site.description.clone(),
        location: site.location.clone(),
        devices,
        subnets: written(&site.networks).unwrap_or_default(),
        zone: site.time_zone.clone().unwrap_or_default(),
        modified: (!site.is_internet()).then(|| (site.modified_by.clone(), site.modified_at)),
    }
}

/// Whether a list shows a site.
pub fn admits(site: &Site, list: &ListQuery, search: &TextSearch) -> bool {
    let has = match list.filter("has") {
        Some("zone") => site.time_zone.is_some(),
        Some("window") => site.polling_window.is_some(),
        Some("nothing") => site.networks.is_empty() || site.is_unset(),
        _ => true,
    };
    // In its texts, its subnets or its time zone.
    let subnets = written(&site.networks).unwrap_or_default();
    let zone = site.time_zone.as_deref().unwrap_or_default();
    has && search.finds(&[site.name.as_str(), &site.description, &site.location, &subnets, zone])
}

fn column(a: &Row, b: &Row, list: &ListQuery) -> Ordering {
    let text = |a: &str, b: &str| a.to_lowercase().cmp(&b.to_lowercase());
    match list.sort_key() {
        "description" => text(&a.description, &b.description),
        "location" => text(&a.location, &b.location),
        "devices" => a.devices.cmp(&b.devices),
        "zone" => text(&a.zone, &b.zone),
        "modified" => a.modified.as_ref().map(|(_, at)| *at).cmp(&b.modified.as_ref().map(|(_, at)| *at)),
        _ => text(&a.name, &b.name),
    }
}
