//! Sites: all of them, searched, sorted and paged, with chosen columns (R60–R64, R78).

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use jiff::Timestamp;

use super::Unset;
use crate::domain::ids::{DEFAULT_ACCOUNT, SiteId};
use crate::domain::site::Site;
use crate::domain::subnet::Subnet;
use crate::services::certificates::ServerNames;
use crate::services::lists::sites::{HAS, LISTING, ListedSite};
use crate::services::sites::{moves, written};
use crate::services::{Services, lists};
use crate::web::admin::columns::Columns;
use crate::web::admin::failure::Failure;
use crate::web::admin::layout::{Page, html};
use crate::web::admin::list_memory;
use crate::web::admin::paging::{ListQuery, Pager};
use crate::web::admin::session::SignedIn;
use crate::web::admin::words;

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

#[derive(Template)]
#[template(path = "sites/list.html")]
struct ListPage {
    page: Page,
    list: ListQuery,
    pager: Pager,
    /// How many of the found sites can be chosen, and how many of those on this page: not *Internet*.
    choosable: usize,
    shown: usize,
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
    let list = match list_memory::enter(&who, &request, LISTING.sorts) {
        Ok(list) => list,
        Err(as_it_was) => return Ok(*as_it_was),
    };
    let world = services.world(DEFAULT_ACCOUNT).map_err(Failure::of(&who))?;
    let found = lists::sites::list(&services, DEFAULT_ACCOUNT, &list.asked(&LISTING)).map_err(Failure::of(&who))?;
    let columns = list.columns(&COLUMNS);
    let pager = list.pager(found.len());
    let can_be_chosen = |found: &[ListedSite]| found.iter().filter(|one| !one.site.is_internet()).count();
    let (choosable, shown) = (can_be_chosen(&found), can_be_chosen(&found[pager.range()]));
    let rows = found[pager.range()].iter().map(|one| row(&one.site, one.devices)).collect();
    let unset: Vec<Unset> = world.sites.values().filter_map(|site| Unset::of(site)).collect();
    Ok(html(&ListPage {
        page: who.page("Sites"),
        columns,
        list,
        pager,
        choosable,
        shown,
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
