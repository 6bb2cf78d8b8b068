//! Making a profile: an empty one, or a copy (R119, R126). Parameters are added on its own page.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::profile::find;
use crate::domain::field_error::FieldErrors;
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::domain::names::Name;
use crate::domain::profile::Profile;
use crate::domain::profile::draft::{ProfileDraft, ProfileInput};
use crate::services::commit::Mode;
use crate::services::error::ServiceError;
use crate::services::{Services, profiles};
use crate::web::admin::failure::Failure;
use crate::web::admin::forms::Form;
use crate::web::admin::layout::{Page, html, html_rejected};
use crate::web::admin::session::SignedIn;
use crate::web::admin::unsent;
use crate::web::admin::words;
use crate::web::blocking;

#[derive(Template)]
#[template(path = "profiles/add.html")]
struct AddPage {
    page: Page,
    form: Form,
    purpose: String,
    action: String,
    back: String,
}

impl AddPage {
    fn empty(who: &SignedIn, form: Form) -> Self {
        Self {
            page: who.page("Add Configuration Profile"),
            form,
            purpose: "Name it first; then add its parameters from a file, as XML or one by one. One profile should do one thing."
                .to_owned(),
            action: "/admin/profiles/add".to_owned(),
            back: "/admin/profiles".to_owned(),
        }
    }

    fn copy(who: &SignedIn, original: &Profile, form: Form) -> Self {
        let parameters = words::count(original.parameters.len(), "parameter", "parameters");
        Self {
            page: who.page(format!("Copy {}", original.name)),
            form,
            purpose: format!("A new profile with the {parameters} of {}. It is deployed nowhere at first.", original.name),
            action: format!("/admin/profiles/{}/copy", original.id),
            back: format!("/admin/profiles/{}", original.id),
        }
    }
}

/// `GET /admin/profiles/add`
pub async fn show(request: HttpRequest, who: SignedIn, services: web::Data<Services>) -> HttpResponse {
    let typed = unsent::given_back_from(request.path(), &request, &who, &services);
    html(&AddPage::empty(&who, typed.unwrap_or_default()))
}

/// `POST /admin/profiles/add`
pub async fn save(who: SignedIn, form: Form, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let draft = match draft(&form) {
        Ok(draft) => draft,
        Err(errors) => return Ok(html_rejected(&AddPage::empty(&who, form.rejected(&errors)))),
    };
    let actor = who.actor.clone();
    let create = move |services: &Services| profiles::create(services, &actor, DEFAULT_ACCOUNT, vec![draft], Mode::Keep);
    match blocking::call(&services, create).await {
        Ok(made) => Ok(added(&who, made.first())),
        Err(ServiceError::Invalid(errors)) => Ok(html_rejected(&AddPage::empty(&who, form.rejected(&errors)))),
        Err(error) => Err(Failure::new(&who, error)),
    }
}

/// `GET /admin/profiles/{id}/copy`
pub async fn show_copy(
    request: HttpRequest,
    id: web::Path<String>,
    who: SignedIn,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let original = find(&services, &who, &id)?;
    let name = Name::parse(&format!("{} copy", original.name)).map_or_else(|_| String::new(), |name| name.to_string());
    let offered = Form::filled([("name", name), ("description", original.description.clone())]);
    let form = unsent::given_back_from(request.path(), &request, &who, &services).unwrap_or(offered);
    Ok(html(&AddPage::copy(&who, &original, form)))
}

/// `POST /admin/profiles/{id}/copy`
pub async fn save_copy(
    id: web::Path<String>,
    who: SignedIn,
    form: Form,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let original = find(&services, &who, &id)?;
    let draft = match draft(&form) {
        Ok(draft) => ProfileDraft { parameters: original.parameters.clone(), ..draft },
        Err(errors) => return Ok(html_rejected(&AddPage::copy(&who, &original, form.rejected(&errors)))),
    };
    let actor = who.actor.clone();
    let create = move |services: &Services| profiles::create(services, &actor, DEFAULT_ACCOUNT, vec![draft], Mode::Keep);
    match blocking::call(&services, create).await {
        Ok(made) => Ok(added(&who, made.first())),
        Err(ServiceError::Invalid(errors)) => Ok(html_rejected(&AddPage::copy(&who, &original, form.rejected(&errors)))),
        Err(error) => Err(Failure::new(&who, error)),
    }
}

/// Name and description of a form, checked.
pub fn draft(form: &Form) -> Result<ProfileDraft, FieldErrors> {
    let (name, description) = (form.value("name").to_owned(), form.value("description").to_owned());
    ProfileDraft::parse(&ProfileInput { name, description, parameters: Vec::new() })
}

fn added(who: &SignedIn, made: Option<&Profile>) -> HttpResponse {
    let path = made.map_or_else(|| "/admin/profiles".to_owned(), |profile| format!("/admin/profiles/{}", profile.id));
    let text = match made {
        Some(profile) if profile.parameters.is_empty() => "The profile is made. Now add its parameters.",
        _ => "The copy is made. It is deployed nowhere yet.",
    };
    who.done(&path, text)
}
