//! Making an empty profile (R119). Parameters are added on its own page.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use crate::domain::field_error::FieldErrors;
use crate::domain::ids::DEFAULT_ACCOUNT;
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
use crate::web::blocking;

#[derive(Template)]
#[template(path = "profiles/add.html")]
struct AddPage {
    page: Page,
    form: Form,
}

impl AddPage {
    fn empty(who: &SignedIn, form: Form) -> Self {
        Self { page: who.page("Add Configuration Profile"), form }
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

/// Name and description of a form, checked.
pub fn draft(form: &Form) -> Result<ProfileDraft, FieldErrors> {
    let (name, description) = (form.value("name").to_owned(), form.value("description").to_owned());
    ProfileDraft::parse(&ProfileInput { name, description, parameters: Vec::new() })
}

fn added(who: &SignedIn, made: Option<&Profile>) -> HttpResponse {
    let path = made.map_or_else(|| "/admin/profiles".to_owned(), |profile| format!("/admin/profiles/{}", profile.id));
    who.done(&path, "The profile is made. Now add its parameters.")
}
