//! Profile Configuration: all profiles, searched, filtered by type, sorted and paged (R66, R115–R118).

use std::cmp::Ordering;
use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use jiff::Timestamp;

use super::usage::Usage;
use crate::domain::ids::{DEFAULT_ACCOUNT, ProfileId};
use crate::domain::profile::{MODE, Profile, ProfileKind};
use crate::domain::world::World;
use crate::services::Services;
use crate::web::admin::failure::Failure;
use crate::web::admin::layout::{Page, html};
use crate::web::admin::list_memory;
use crate::web::admin::paging::{ListQuery, Pager};
use crate::web::admin::session::SignedIn;
use crate::web::admin::words;

/// The columns that can be sorted by; the first is the default.
const SORTABLE: &[&str] = &["name", "type", "parameters", "used", "by", "modified"];

#[derive(Template)]
#[template(path = "profiles/list.html")]
struct ListPage {
    page: Page,
    list: ListQuery,
    pager: Pager,
    rows: Vec<Row>,
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
}

/// `GET /admin/profiles`
pub async fn show(request: HttpRequest, who: SignedIn, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let world = services.world(DEFAULT_ACCOUNT).map_err(Failure::of(&who))?;
    let list = match list_memory::enter(&who, &request, SORTABLE) {
        Ok(list) => list,
        Err(as_it_was) => return Ok(*as_it_was),
    };
    let usage = Usage::new(&world, &services.roster(DEFAULT_ACCOUNT).all());
    let mut found: Vec<&Arc<Profile>> = world.all_profiles().filter(|profile| admits(profile, &list)).collect();
    found.sort_by(|a, b| {
        let by_column = column(a, b, &list, &usage);
        let by_column = if list.descending() { by_column.reverse() } else { by_column };
        by_column.then_with(|| a.name.folded().cmp(&b.name.folded()))
    });
    let pager = list.pager(found.len());
    let rows = found[pager.range()].iter().map(|profile| row(profile, &usage, &world)).collect();
    let kinds = [ProfileKind::Standard, ProfileKind::UserDefined, ProfileKind::UserImported];
    let types = kinds.map(word).into_iter().chain([STANDARD_AND_OWN]).collect();
    Ok(html(&ListPage {
        page: who.page("Profile Configuration"),
        list,
        pager,
        rows,
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

fn admits(profile: &Profile, list: &ListQuery) -> bool {
    let of_type = match list.filter("type") {
        Some(wanted) if wanted == STANDARD_AND_OWN.0 => profile.kind != ProfileKind::UserImported,
        wanted => wanted.is_none_or(|wanted| wanted == word(profile.kind).0),
    };
    let of_mode = list.filter("mode").is_none_or(|mode| mode.is_empty() || mode == MODE.0);
    of_type && of_mode && list.q().split_whitespace().map(str::to_lowercase).all(|word| mentions(profile, &word))
}

/// Whether a profile holds a word: in its name, description or changer, or in the name of a parameter.
fn mentions(profile: &Profile, word: &str) -> bool {
    let texts = [profile.name.as_str(), &profile.description, &profile.modified_by];
    texts.iter().any(|text| text.to_lowercase().contains(word))
        || profile.parameters.iter().any(|(name, _)| name.as_str().to_ascii_lowercase().contains(word))
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

fn row(profile: &Profile, usage: &Usage, world: &World) -> Row {
    Row {
        id: profile.id,
        name: profile.name.to_string(),
        description: words::shortened(&profile.description, 100),
        kind: word(profile.kind).1,
        is_standard: profile.is_standard(),
        is_template: profile.is_template(),
        parameters: profile.parameters.len(),
        used: usage.describe(profile.id, world),
        devices: usage.reach(profile.id),
        by: profile.modified_by.clone(),
        at: profile.modified_at,
    }
}
