//! Device Monitor: every device, searched, filtered, sorted and paged on the server (R56–R64, R243, R245).

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use jiff::Timestamp;

use crate::domain::device::{DeviceKey, Origin};
use crate::domain::device_list::{Behind, DeviceQuery, Hit, LastResult, Listed, Search, Status, site_name};
use crate::domain::ids::{DEFAULT_ACCOUNT, GroupId, SiteId};
use crate::domain::software::SoftwareVersion;
use crate::domain::world::World;
use crate::services::Services;
use crate::services::lists::Asked;
use crate::services::lists::devices::{self, LISTING};
use crate::services::roster::Counts;
use crate::services::software;
use crate::web::admin::bulk::Chosen;
use crate::web::admin::choices::{self, Among, Choices};
use crate::web::admin::columns::Columns;
use crate::web::admin::failure::Failure;
use crate::web::admin::forms::Form;
use crate::web::admin::layout::{Page, html};
use crate::web::admin::list_memory;
use crate::web::admin::paging::{ListQuery, Pager};
use crate::web::admin::session::SignedIn;
use crate::web::admin::words::{self, Tone as _};

/// The columns that can be sorted by, as words of the address; the first is the default.
pub const SORTABLE: &[&str] = LISTING.sorts;

/// Shown only when it is asked for: with all columns a desk is too small.
const RARE: [&str; 1] = ["groups"];

/// The columns that may be hidden, by their word in the address, with their headings (R243). A device's name always stays.
const COLUMNS: [(&str, &str); 10] = [
    ("status", "Status"),
    ("model", "Model"),
    ("site", "Site Name"),
    ("key", "MAC or serial"),
    ("public_ip", "Public IP"),
    ("private_ip", "Private IP"),
    ("software", "Software Version"),
    ("last_seen", "Last seen"),
    ("result", "Last result"),
    ("groups", "Groups"),
];

/// Groups of a device that its row names.
const GROUPS_NAMED: usize = 4;

#[derive(Template)]
#[template(path = "devices/list.html")]
struct ListPage {
    page: Page,
    list: ListQuery,
    pager: Pager,
    rows: Vec<Row>,
    columns: Columns,
    /// Types and models that there are devices of, for the filters.
    families: Vec<String>,
    models: Vec<String>,
    /// Software versions that there are.
    versions: Vec<String>,
    /// Versions that profiles choose.
    chosen: Vec<String>,
    /// Sites that there are devices of.
    sites: Choices,
    /// Groups to filter by.
    groups: Choices,
    /// Devices of the account, whatever the list shows.
    devices: usize,
    /// Devices deleted with *block*.
    blocked: usize,
    provisioning_url: String,
}

impl ListPage {
    fn shows(&self, word: &str) -> bool {
        self.columns.shows(word)
    }
}

/// One device of the list.
struct Row {
    key: String,
    /// Name, or the key where it has none.
    title: String,
    model: String,
    site: String,
    site_id: SiteId,
    public_ip: String,
    private_ip: String,
    software: String,
    /// What is to be known of its software: tone and word.
    marks: Vec<(&'static str, &'static str)>,
    status: Status,
    last_seen: Option<Timestamp>,
    result: LastResult,
    last_run: Option<Timestamp>,
    /// It was last served over plain HTTP (R316).
    clear_text: bool,
    /// The first of its groups in its own order, and how many more there are.
    groups: Vec<(GroupId, String)>,
    more_groups: usize,
    /// Where the search found it, if no column shows that.
    why: Option<String>,
}

/// `GET /admin/devices`
pub async fn show(request: HttpRequest, who: SignedIn, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let world = services.world(DEFAULT_ACCOUNT).map_err(Failure::of(&who))?;
    if let Some(elsewhere) = choices::of_filters(&request, &who, &[("site", Among::Sites), ("group", Among::Groups)], &world) {
        return Ok(elsewhere);
    }
    let list = match list_memory::enter(&who, &request, SORTABLE) {
        Ok(list) => list,
        Err(as_it_was) => return Ok(*as_it_was),
    };
    let page = who.page("Device Monitor");
    let roster = services.roster(DEFAULT_ACCOUNT);
    let found = roster.select(&query(&list), &world, page.now);
    let Counts { families, models, versions, sites, total: devices, .. } = roster.counts(page.now);
    let pager = list.pager(found.len());
    let search = Search::new(&list.q(), &world);
    let trusts = services.trusts(DEFAULT_ACCOUNT);
    let in_clear = |one: &Listed| trusts.of(&one.device.key).clear_text;
    let made = |one: &Listed| Row { clear_text: in_clear(one), ..row(one, &search, &world, page.now) };
    let rows = found[pager.range()].iter().map(made).collect();
    Ok(html(&ListPage {
        columns: Columns::of(&list, &COLUMNS, &RARE),
        page,
        list,
        pager,
        rows,
        families: names(families),
        models: names(models),
        versions: names(versions),
        chosen: chosen_versions(&world),
        sites: site_choices(&world, sites),
        groups: groups(&world),
        devices,
        blocked: world.blocked.len(),
        provisioning_url: world.endpoints.https_url.clone(),
    }))
}

/// The query that an address means. Words that do not exist narrow nothing.
pub fn query(list: &ListQuery) -> DeviceQuery {
    devices::query(&list.asked(&LISTING))
}

/// The sites of these counts, by their names.
pub fn site_choices(world: &World, counts: BTreeMap<SiteId, usize>) -> Choices {
    let named = counts.into_keys().filter_map(|id| world.sites.get(&id));
    Choices::by_name("site", named.map(|site| (site.id.to_string(), site.name.to_string())))
}

/// The versions that profiles choose, by their numbers.
fn chosen_versions(world: &World) -> Vec<String> {
    let choices = world.all_profiles().flat_map(|profile| &profile.software);
    let versions: BTreeSet<&SoftwareVersion> = choices.map(|choice| &choice.version).collect();
    versions.into_iter().map(ToString::to_string).collect()
}

fn names(counts: BTreeMap<String, usize>) -> Vec<String> {
    counts.into_keys().filter(|name| !name.is_empty()).collect()
}

fn groups(world: &World) -> Choices {
    Choices::by_name("group", world.groups.values().map(|group| (group.id.to_string(), group.name.to_string())))
}

fn row(one: &Listed, search: &Search<'_>, world: &World, now: Timestamp) -> Row {
    let named = |id: &GroupId| world.groups.get(id).map(|group| (*id, group.name.to_string()));
    let why = match search.finds(one) {
        Some(Hit::Hidden(what, text)) => Some(format!("{what}: {}", words::shortened(text, 80))),
        _ => None,
    };
    let address = |ip: Option<IpAddr>| ip.map(|ip| ip.to_string()).unwrap_or_default();
    Row {
        key: one.device.key.to_string(),
        title: words::title(&one.device),
        model: one.device.model.clone().or_else(|| one.device.family.clone()).unwrap_or_default(),
        site: site_name(world, &one.device).to_owned(),
        site_id: one.device.site_id(),
        public_ip: address(one.sighting.public_ip),
        private_ip: address(one.private_ip()),
        software: one.sighting.software_version.clone().unwrap_or_default(),
        marks: software::marks(&one.device, world, now),
        status: Status::of(one.sighting.last_seen, now),
        last_seen: one.sighting.last_seen,
        result: LastResult::of(one.sighting.last_run),
        last_run: one.sighting.last_run.map(|run| run.at),
        clear_text: false,
        groups: one.device.groups.iter().filter_map(named).take(GROUPS_NAMED).collect(),
        more_groups: one.device.groups.len().saturating_sub(GROUPS_NAMED),
        why,
    }
}

/// The devices that a form chooses and that are still there.
pub fn chosen(form: &Form, who: &SignedIn, services: &Services) -> Result<Chosen<DeviceKey>, Failure> {
    let roster = services.roster(DEFAULT_ACCOUNT);
    let find = |asked: &Asked| {
        let found = devices::list(services, DEFAULT_ACCOUNT, asked)?;
        Ok(found.iter().map(|one| one.device.key.clone()).collect())
    };
    Chosen::of(form, &LISTING, |key| roster.find(key).is_some(), find).map_err(Failure::of(who))
}
