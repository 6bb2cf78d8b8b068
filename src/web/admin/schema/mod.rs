//! Provisioning Settings > Update Schema: what counts in searches and checks, uploads, and the way back (R137–R143).

mod upload;

use actix_web::{HttpResponse, web};
use askama::Template;
use jiff::Timestamp;

use super::failure::Failure;
use super::forms::Form;
use super::layout::{Page, html, html_rejected};
use super::session::SignedIn;
use super::words;
use crate::domain::field_error::FieldErrors;
use crate::domain::ids::{DEFAULT_ACCOUNT, SchemaId};
use crate::domain::schema::uploaded::{InUse, Shelved};
use crate::domain::world::World;
use crate::services::commit::Mode;
use crate::services::error::ServiceError;
use crate::services::{Services, schema};
use crate::web::blocking;
use crate::web::methods::Routes;

/// The page.
pub const HERE: &str = "/admin/provisioning/schema";

#[derive(Template)]
#[template(path = "schema/show.html")]
struct SchemaPage {
    page: Page,
    form: Form,
    /// What counts, and what it has.
    current: String,
    current_facts: String,
    /// Whether the dictionary alone is offered beside the way back.
    offers_dictionary: bool,
    /// What counted before.
    previous: Option<String>,
    revision: u64,
    rows: Vec<Row>,
}

/// One uploaded schema.
struct Row {
    id: SchemaId,
    name: String,
    of: String,
    file: String,
    parameters: String,
    by: String,
    at: Timestamp,
    is_current: bool,
    is_previous: bool,
}

/// The addresses of the page.
pub fn configure(routes: &mut Routes) {
    routes
        .get(HERE, show)
        .post(HERE, save)
        .post("/admin/provisioning/schema/upload", upload::take)
        // A reload after a rejected file asks by GET.
        .get("/admin/provisioning/schema/upload", upload::home)
        .get("/admin/provisioning/schema/preview/{token}", upload::preview)
        .post("/admin/provisioning/schema/preview/{token}", upload::decide);
}

/// `GET /admin/provisioning/schema`
pub async fn show(who: SignedIn, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    Ok(html(&page(&who, &services, Form::default())?))
}

fn page(who: &SignedIn, services: &Services, form: Form) -> Result<SchemaPage, Failure> {
    let world = services.world(DEFAULT_ACCOUNT).map_err(Failure::of(who))?;
    let choice = world.schemas.choice;
    let mut form = form;
    if choice.refuses {
        form.set("refuses", "on");
    }
    let chosen = choice.current.uploaded().and_then(|id| world.schemas.get(id));
    let known = words::count(world.schemas.current().len(), "parameter", "parameters");
    let current_facts = match chosen {
        None => format!("{known}, each family once. It comes with the server."),
        Some(one) => format!(
            "{} in the file. With the dictionary of pdms below it, {known} are known, each family once.",
            words::count(one.uploaded.parameters, "parameter", "parameters")
        ),
    };
    Ok(SchemaPage {
        page: who.page("Update Schema"),
        form,
        current: chosen.map_or_else(|| "The dictionary of pdms".to_owned(), |one| one.uploaded.name.to_string()),
        current_facts,
        offers_dictionary: chosen.is_some() && choice.previous != Some(InUse::Dictionary),
        previous: choice.previous.map(|before| name_of(before, &world)),
        revision: choice.revision,
        rows: world.schemas.shelf.iter().map(|one| row(one, &world)).collect(),
    })
}

fn rejected(who: &SignedIn, services: &Services, form: Form, errors: &FieldErrors) -> Result<HttpResponse, Failure> {
    Ok(html_rejected(&page(who, services, form.rejected(errors))?))
}

/// What a schema is called.
fn name_of(which: InUse, world: &World) -> String {
    let uploaded = which.uploaded().and_then(|id| world.schemas.get(id));
    uploaded.map_or_else(|| "the dictionary of pdms".to_owned(), |one| one.uploaded.name.to_string())
}

fn row(one: &Shelved, world: &World) -> Row {
    let uploaded = &one.uploaded;
    let of = match (&uploaded.family, &uploaded.version) {
        (None, None) => String::new(),
        (Some(family), None) => format!("{family}, any version"),
        (None, Some(version)) => version.clone(),
        (Some(family), Some(version)) => format!("{family} {version}"),
    };
    let this = InUse::Uploaded(uploaded.id);
    Row {
        id: uploaded.id,
        name: uploaded.name.to_string(),
        of,
        file: uploaded.file.clone(),
        parameters: uploaded.parameters.to_string(),
        by: uploaded.uploaded_by.clone(),
        at: uploaded.uploaded_at,
        is_current: world.schemas.choice.current == this,
        is_previous: world.schemas.choice.previous == Some(this),
    }
}

/// What a button of the page asks for.
enum Wanted {
    RollBack,
    Use(InUse),
    Refuse(bool),
    Delete(SchemaId),
}

impl Wanted {
    fn of(form: &Form) -> Option<Self> {
        let number = |text: &str| text.parse().ok().map(SchemaId);
        match form.value("do").split_once('-') {
            None if form.is("do", "back") => Some(Self::RollBack),
            None if form.is("do", "dictionary") => Some(Self::Use(InUse::Dictionary)),
            None if form.is("do", "checks") => Some(Self::Refuse(form.is("refuses", "on"))),
            Some(("use", id)) => number(id).map(|id| Self::Use(InUse::Uploaded(id))),
            Some(("delete", id)) => number(id).map(Self::Delete),
            _ => None,
        }
    }
}

/// `POST /admin/provisioning/schema`: another one in use, the way back, the checks, one deleted.
pub async fn save(who: SignedIn, form: Form, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let Some(wanted) = Wanted::of(&form) else { return Ok(who.not_done(HERE, "Nothing was chosen.")) };
    let (actor, revision) = (who.actor.clone(), form.value("revision").parse().unwrap_or_default());
    let work = move |services: &Services| {
        let told = match wanted {
            Wanted::RollBack => schema::roll_back(services, &actor, DEFAULT_ACCOUNT, revision, Mode::Keep).map(Some)?,
            Wanted::Use(which) => schema::choose(services, &actor, DEFAULT_ACCOUNT, revision, which, Mode::Keep).map(Some)?,
            Wanted::Refuse(on) => {
                schema::set_refusing(services, &actor, DEFAULT_ACCOUNT, revision, on, Mode::Keep)?;
                return Ok(
                    if on { "Values that the schema rules out are refused." } else { "Saved: odd values are told." }.to_owned()
                );
            }
            Wanted::Delete(id) => {
                schema::delete(services, &actor, DEFAULT_ACCOUNT, id, Mode::Keep)?;
                None
            }
        };
        let world = services.world(DEFAULT_ACCOUNT)?;
        Ok(told.map_or_else(|| "Deleted.".to_owned(), |choice| format!("Now {} counts.", name_of(choice.current, &world))))
    };
    match blocking::call(&services, work).await {
        Ok(text) => Ok(who.done(HERE, text)),
        Err(ServiceError::Conflict(why)) => Ok(who.not_done(HERE, format!("Nothing was changed: {why}."))),
        Err(error) => Err(Failure::new(&who, error)),
    }
}
