//! Standard Fields: the dictionary searched, to add what is found to a profile (R122). Works without a script: each result opens its form.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::profile::find_own;
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::domain::ids::ProfileId;
use crate::domain::profile::Profile;
use crate::domain::schema::{Definition, SEARCH_CHARS, Schema};
use crate::services::Services;
use crate::web::admin::failure::Failure;
use crate::web::admin::layout::{Page, html};
use crate::web::admin::paging::{ListQuery, Pager};
use crate::web::admin::parameter_help::{Help, choices};
use crate::web::admin::session::SignedIn;
use crate::web::admin::words::Shown;

#[derive(Template)]
#[template(path = "profiles/fields.html")]
struct FieldsPage {
    page: Page,
    id: ProfileId,
    name: String,
    /// Where the profile is, and where any name can be added to it.
    profile_path: String,
    custom_path: String,
    revision: u64,
    list: ListQuery,
    pager: Pager,
    rows: Vec<Row>,
    /// Whether enough was typed to search for.
    searched: bool,
}

/// A parameter that was found.
struct Row {
    /// Number of the row, for its fields.
    at: usize,
    name: String,
    help: Help,
    /// Whether the number in its name can be another one.
    indexed: bool,
    secret: bool,
    /// What the box offers; empty where the value is typed.
    choices: Vec<String>,
    /// The value in the profile.
    now: Option<Shown>,
}

/// `GET /admin/profiles/{id}/fields`
pub async fn show(
    request: HttpRequest,
    id: web::Path<String>,
    who: SignedIn,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let profile = find_own(&services, &who, &id)?;
    let list = ListQuery::of(&request, &[]);
    let q = list.q();
    let world = services.world(DEFAULT_ACCOUNT).map_err(Failure::of(&who))?;
    let schema = world.schemas.current();
    let found = schema.search(&q, usize::MAX);
    let pager = list.pager(found.len());
    let wanted = q.trim().to_owned();
    let rows =
        found[pager.range()].iter().enumerate().map(|(at, definition)| row(schema, at, definition, &wanted, &profile)).collect();
    Ok(html(&FieldsPage {
        page: who.page(format!("Add to {}", profile.name)),
        id: profile.id,
        name: profile.name.to_string(),
        profile_path: format!("/admin/profiles/{}", profile.id),
        custom_path: format!("/admin/profiles/{}#add", profile.id),
        revision: profile.revision,
        searched: wanted.chars().count() >= SEARCH_CHARS,
        list,
        pager,
        rows,
    }))
}

fn row(schema: &Schema, at: usize, definition: &Definition, wanted: &str, profile: &Profile) -> Row {
    // Whoever typed a name with an index of its own means that one.
    let typed = schema.find(wanted).filter(|found| found.definition == definition);
    let name = typed.map_or_else(|| definition.name.to_string(), |_| wanted.to_owned());
    Row {
        at,
        help: Help::of(schema, &name, None),
        indexed: definition.is_family(),
        secret: definition.is_secret,
        choices: choices(schema, &name),
        now: profile.parameters.get(&name).map(|value| Shown::of(&name, value)),
        name,
    }
}
