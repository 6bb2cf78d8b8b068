//! Profile Configuration: all profiles, searched, filtered by type, sorted and paged (R66, R115–R118).

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use jiff::Timestamp;

use super::usage::Usage;
use crate::domain::ids::{DEFAULT_ACCOUNT, ProfileId};
use crate::domain::profile::{MODE, ProfileKind};
use crate::domain::world::World;
use crate::services::lists::profiles::{LISTING, ListedProfile};
use crate::services::{Services, lists};
use crate::web::admin::columns::Columns;
use crate::web::admin::failure::Failure;
use crate::web::admin::layout::{Page, html};
use crate::web::admin::list_memory;
use crate::web::admin::paging::{ListQuery, Pager};
use crate::web::admin::session::SignedIn;
use crate::web::admin::words;

/// The columns that may be hidden, by their word in the address. A profile's name always stays.
const COLUMNS: [(&str, &str); 7] = [
    ("description", "Description"),
    ("mode", "Profile Mode"),
    ("kind", "Profile Type"),
    ("parameters", "Parameters"),
    ("used", "Used by"),
    ("by", "Modified By"),
    ("modified", "Date Modified"),
];

#[derive(Template)]
#[template(path = "profiles/list.html")]
struct ListPage {
    page: Page,
    list: ListQuery,
    pager: Pager,
    /// How many of the found profiles can be chosen, and how many of those on this page: not the standard ones.
    choosable: usize,
    shown: usize,
    rows: Vec<Row>,
    columns: Columns,
    types: Vec<(&'static str, &'static str)>,
    /// Profiles of the account's own, whatever the list shows.
    own: usize,
    /// The one mode there is: word and label (R116).
    mode: (&'static str, &'static str),
}

struct Row {
    id: ProfileId,
    name: String,
    description: String,
    kind: &'static str,
    is_standard: bool,
    is_template: bool,
    parameters: usize,
    used: String,
    /// Devices that get it.
    devices: usize,
    by: String,
    at: Timestamp,
    /// The parameter that the search found, where nothing else of the row shows why it is here (R58).
    why: Option<String>,
}

/// `GET /admin/profiles`
pub async fn show(request: HttpRequest, who: SignedIn, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let world = services.world(DEFAULT_ACCOUNT).map_err(Failure::of(&who))?;
    let list = match list_memory::enter(&who, &request, LISTING.sorts) {
        Ok(list) => list,
        Err(as_it_was) => return Ok(*as_it_was),
    };
    let usage = Usage::new(&world, &services.roster(DEFAULT_ACCOUNT).all());
    let found = lists::profiles::list(&world, usage.all(), &list.asked(&LISTING));
    let made = |one: &ListedProfile<'_>| row(one, &usage, &world);
    let columns = list.columns(&COLUMNS);
    if list.is_file() {
        return Ok(columns.file("profiles", "Profile Name", found.iter().map(made).map(cells)));
    }
    let pager = list.pager(found.len());
    let can_be_chosen = |found: &[ListedProfile<'_>]| found.iter().filter(|one| !one.profile.is_standard()).count();
    let (choosable, shown) = (can_be_chosen(&found), can_be_chosen(&found[pager.range()]));
    let rows = found[pager.range()].iter().map(made).collect();
    let kinds = [ProfileKind::Standard, ProfileKind::UserDefined, ProfileKind::Software, ProfileKind::UserImported];
    let types = kinds.map(word).into_iter().chain([STANDARD_AND_OWN]).collect();
    Ok(html(&ListPage {
        page: who.page("Profile Configuration"),
        list,
        pager,
        choosable,
        shown,
        rows,
        columns,
        types,
        own: world.profiles.len(),
        mode: MODE,
    }))
}

/// The filter that shows two types together (R117).
const STANDARD_AND_OWN: (&str, &str) = ("standard-and-user-defined", "Standard and User Defined");

/// A type's word in addresses and the guide's name of it (R117).
pub fn word(kind: ProfileKind) -> (&'static str, &'static str) {
    match kind {
        ProfileKind::UserDefined => ("user-defined", "User Defined"),
        ProfileKind::UserImported => ("user-imported", "User Imported"),
        ProfileKind::Software => ("software", "Software"),
        ProfileKind::Standard => ("standard", "Standard"),
    }
}

fn cells(row: Row) -> [String; 8] {
    let Row { name, description, kind, parameters, used, by, at, .. } = row;
    [name, description, MODE.1.to_owned(), kind.to_owned(), parameters.to_string(), used, by, words::file_time(at)]
}

fn row(ListedProfile { profile, why }: &ListedProfile<'_>, usage: &Usage, world: &World) -> Row {
    Row {
        id: profile.id,
        name: profile.name.to_string(),
        description: profile.description.clone(),
        kind: word(profile.kind).1,
        is_standard: profile.is_standard(),
        is_template: profile.is_template(),
        parameters: profile.parameters.len(),
        used: usage.describe(profile.id, world),
        devices: usage.reach(profile.id),
        by: profile.modified_by.clone(),
        at: profile.modified_at,
        why: why.map(|(what, text)| format!("{what}: {text}")),
    }
}
