//! Profile Configuration: all profiles, searched, filtered by type, sorted and paged (R66, R115–R118).

use std::cmp::Ordering;
use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use jiff::Timestamp;

use super::usage::Usage;
use crate::domain::ids::{DEFAULT_ACCOUNT, ProfileId};
use crate::domain::profile::{MODE, Profile, ProfileKind};
use crate::domain::text_search::{Hit, TextSearch};
use crate::domain::world::World;
use crate::services::Services;
use crate::web::admin::columns::Columns;
use crate::web::admin::failure::Failure;
use crate::web::admin::layout::{Page, html};
use crate::web::admin::list_memory;
use crate::web::admin::paging::{ListQuery, Pager};
use crate::web::admin::session::SignedIn;
use crate::web::admin::words;

/// The columns that can be sorted by; the first is the default.
const SORTABLE: &[&str] = &["name", "type", "parameters", "used", "by", "modified"];

/// The columns that may be hidden, by their word in the address. A profile's name always stays.
const COLUMNS: [(&str, &str); 7] = [
    ("description", "Description"),
    ("mode", "Profile Mode"),
    ("type", "Profile Type"),
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
    let list = match list_memory::enter(&who, &request, SORTABLE) {
        Ok(list) => list,
        Err(as_it_was) => return Ok(*as_it_was),
    };
    let search = list.search();
    let usage = Usage::new(&world, &services.roster(DEFAULT_ACCOUNT).all());
    let mut found: Vec<&Arc<Profile>> = world.all_profiles().filter(|profile| admits(profile, &list, &search)).collect();
    found.sort_by(|a, b| {
        let by_column = column(a, b, &list, &usage);
        let by_column = if list.descending() { by_column.reverse() } else { by_column };
        by_column.then_with(|| a.name.folded().cmp(&b.name.folded()))
    });
    let made = |profile: &&Arc<Profile>| row(profile, &usage, &world, &search);
    let columns = list.columns(&COLUMNS);
    if list.is_file() {
        return Ok(columns.file("profiles", "Profile Name", found.iter().map(made).map(cells)));
    }
    let pager = list.pager(found.len());
    let rows = found[pager.range()].iter().map(made).collect();
    let kinds = [ProfileKind::Standard, ProfileKind::UserDefined, ProfileKind::UserImported];
    let types = kinds.map(word).into_iter().chain([STANDARD_AND_OWN]).collect();
    Ok(html(&ListPage {
        page: who.page("Profile Configuration"),
        list,
        pager,
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
        ProfileKind::Standard => ("standard", "Standard"),
    }
}

fn admits(profile: &Profile, list: &ListQuery, search: &TextSearch) -> bool {
    let of_type = match list.filter("type") {
        Some(wanted) if wanted == STANDARD_AND_OWN.0 => profile.kind != ProfileKind::UserImported,
        wanted => wanted.is_none_or(|wanted| wanted == word(profile.kind).0),
    };
    let of_mode = list.filter("mode").is_none_or(|mode| mode.is_empty() || mode == MODE.0);
    of_type && of_mode && finds(profile, search).is_some()
}

/// Where a profile holds what is searched: in its name, description or changer, or in the name of a parameter.
fn finds<'a>(profile: &'a Profile, search: &TextSearch) -> Option<Hit<'a>> {
    let columns = [profile.name.as_str(), &profile.description, &profile.modified_by];
    if search.finds(&columns) {
        return Some(Hit::Column);
    }
    let parameters: Vec<_> = profile.parameters.iter().map(|(name, _)| ("parameter", name.as_str())).collect();
    search.hit(&columns, &parameters)
}

fn cells(row: Row) -> [String; 8] {
    let Row { name, description, kind, parameters, used, by, at, .. } = row;
    [name, description, MODE.1.to_owned(), kind.to_owned(), parameters.to_string(), used, by, words::file_time(at)]
}

fn column(a: &Profile, b: &Profile, list: &ListQuery, usage: &Usage) -> Ordering {
    match list.sort_key() {
        "type" => a.kind.cmp(&b.kind),
        "parameters" => a.parameters.len().cmp(&b.parameters.len()),
        "used" => usage.reach(a.id).cmp(&usage.reach(b.id)),
        "by" => a.modified_by.to_lowercase().cmp(&b.modified_by.to_lowercase()),
        "modified" => a.modified_at.cmp(&b.modified_at),
        _ => a.name.folded().cmp(&b.name.folded()),
    }
}

fn row(profile: &Profile, usage: &Usage, world: &World, search: &TextSearch) -> Row {
    let why = match finds(profile, search) {
        Some(Hit::Hidden(what, text)) => Some(format!("{what}: {text}")),
        _ => None,
    };
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
        why,
    }
}
