//! Making one object of a kind, and its name and description.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::kind::{Head, Kind, Paged, find, of_kind};
use crate::domain::activity::Event;
use crate::domain::field_error::FieldErrors;
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::domain::people::{Modified, NamedDraft, NamedInput};
use crate::domain::world::World;
use crate::services::commit::Mode;
use crate::services::error::ServiceError;
use crate::services::{Services, people};
use crate::web::admin::conflict::{Conflict, Differing};
use crate::web::admin::failure::Failure;
use crate::web::admin::forms::Form;
use crate::web::admin::layout::{Page, html, html_rejected, html_with};
use crate::web::admin::session::SignedIn;
use crate::web::admin::unsent;
use crate::web::blocking;

#[derive(Template)]
#[template(path = "people/add.html")]
struct AddPage {
    page: Page,
    kind: Kind,
    form: Form,
}

#[derive(Template)]
#[template(path = "people/one.html")]
struct OnePage {
    page: Page,
    head: Head,
    form: Form,
    conflict: Option<Conflict>,
    modified: Modified,
    history: String,
}

/// `GET /admin/people/add` and its like
pub async fn ask(request: HttpRequest, kind: web::Path<String>, who: SignedIn, services: web::Data<Services>) -> HttpResponse {
    let form = unsent::given_back_from(request.path(), &request, &who, &services).unwrap_or_default();
    of_kind!(kind.as_str(), adding(&who, form))
}

async fn adding<T: Paged>(who: &SignedIn, form: Form) -> HttpResponse {
    html(&add_page::<T>(who, form))
}

fn add_page<T: Paged>(who: &SignedIn, form: Form) -> AddPage {
    AddPage { page: who.page(format!("Add {}", T::KIND.one)), kind: T::KIND, form }
}

/// `POST /admin/people/add` and its like
pub async fn add(
    kind: web::Path<String>,
    who: SignedIn,
    form: Form,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    of_kind!(kind.as_str(), make(&who, form, &services))
}

async fn make<T: Paged>(who: &SignedIn, form: Form, services: &web::Data<Services>) -> Result<HttpResponse, Failure> {
    let draft = match draft::<T>(&form) {
        Ok(draft) => draft,
        Err(errors) => return Ok(html_rejected(&add_page::<T>(who, form.rejected(&errors)))),
    };
    let actor = who.actor.clone();
    let create = move |services: &Services| people::create::<T>(services, &actor, DEFAULT_ACCOUNT, vec![draft], Mode::Keep);
    match blocking::call(services, create).await {
        Ok(made) => {
            let path = made.first().map(|one| T::KIND.page(&format!("/{}", one.id())));
            Ok(who.done(&path.unwrap_or_else(|| T::KIND.page("")), format!("The {} is added.", T::KIND.one)))
        }
        Err(ServiceError::Invalid(errors)) => Ok(html_rejected(&add_page::<T>(who, form.rejected(&errors)))),
        Err(ServiceError::Conflict(why)) => Ok(html_rejected(&add_page::<T>(who, form.refused(why)))),
        Err(error) => Err(Failure::new(who, error)),
    }
}

fn draft<T: Paged>(form: &Form) -> Result<NamedDraft, FieldErrors> {
    let (name, description) = (form.value("name").to_owned(), form.value("description").to_owned());
    NamedDraft::parse(&NamedInput { name, description }, T::RULE)
}

fn one_page<T: Paged>(
    services: &Services,
    who: &SignedIn,
    one: &T,
    world: &World,
    form: Form,
    conflict: Option<Conflict>,
) -> OnePage {
    let query = serde_urlencoded::to_string([("object", T::WHAT), ("subject", one.name().as_str())]).unwrap_or_default();
    OnePage {
        page: who.page(one.name().to_string()),
        head: Head::new(one, world, services),
        form,
        conflict,
        modified: one.modified().clone(),
        history: format!("/admin/activity?{query}"),
    }
}

/// `GET /admin/people/{id}` and its like
pub async fn show(
    request: HttpRequest,
    path: web::Path<(String, String)>,
    who: SignedIn,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    of_kind!(path.0.as_str(), shown(&request, &path.1, &who, &services))
}

async fn shown<T: Paged>(
    request: &HttpRequest,
    id: &str,
    who: &SignedIn,
    services: &web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let (one, world) = find::<T>(services, who, id)?;
    let filled = || {
        Form::filled([
            ("revision", one.modified().revision.to_string()),
            ("name", one.name().to_string()),
            ("description", one.description().to_owned()),
        ])
    };
    let form = unsent::given_back_from(request.path(), request, who, services).unwrap_or_else(filled);
    Ok(html(&one_page(services, who, &*one, &world, form, None)))
}

/// `POST /admin/people/{id}` and its like
pub async fn save(
    path: web::Path<(String, String)>,
    who: SignedIn,
    form: Form,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    of_kind!(path.0.as_str(), update(&path.1, &who, form, &services))
}

async fn update<T: Paged>(id: &str, who: &SignedIn, form: Form, services: &web::Data<Services>) -> Result<HttpResponse, Failure> {
    let (one, world) = find::<T>(services, who, id)?;
    let again = |status, one: &T, form, conflict| Ok(html_with(status, &one_page(services, who, one, &world, form, conflict)));
    let draft = match draft::<T>(&form) {
        Ok(draft) => draft,
        Err(errors) => return again(StatusCode::UNPROCESSABLE_ENTITY, &one, form.rejected(&errors), None),
    };
    let (actor, revision) = (who.actor.clone(), form.value("revision").parse().unwrap_or_default());
    let seen = (one.id(), revision);
    let update = move |services: &Services| people::update::<T>(services, &actor, DEFAULT_ACCOUNT, seen, draft, Mode::Keep);
    match blocking::call(services, update).await {
        Ok(one) => Ok(who.done(&T::KIND.page(&format!("/{}", one.id())), "Updated.")),
        Err(ServiceError::Invalid(errors)) => again(StatusCode::UNPROCESSABLE_ENTITY, &one, form.rejected(&errors), None),
        Err(ServiceError::Conflict(_)) => {
            let (now, _) = find::<T>(services, who, id)?;
            let stored =
                [("name", T::KIND.label, now.name().to_string()), ("description", "Description", now.description().to_owned())];
            let differing = Differing::between(&form, stored);
            let missed = now.modified().revision.saturating_sub(revision);
            let is_about = of_named(T::WHAT, now.name().as_str());
            let conflict = Conflict::new(services, who, DEFAULT_ACCOUNT, missed, is_about, differing).await?;
            let mut form = form;
            form.set("revision", now.modified().revision.to_string());
            again(StatusCode::CONFLICT, &now, form, Some(conflict))
        }
        Err(error) => Err(Failure::new(who, error)),
    }
}

/// Picks the changes of an object, also those under its former names.
fn of_named(object: &'static str, name: &str) -> impl FnMut(&Event) -> bool + Send + 'static {
    let mut name = name.to_owned();
    move |event| {
        let is_it = event.object == object && event.subject == name;
        let renamed = event.changes.iter().filter(|_| is_it).find(|change| change.field == "name");
        if let Some(former) = renamed.and_then(|change| change.old.clone()) {
            name = former;
        }
        is_it
    }
}
