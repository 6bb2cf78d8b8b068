//! Adding a user, with a password or with an invitation that is shown once.

use actix_web::{HttpResponse, web};
use askama::Template;

use super::{HERE, choices, invitation_link, meanings};
use crate::domain::account::Secret;
use crate::domain::field_error::FieldErrors;
use crate::domain::user::Role;
use crate::services::Services;
use crate::services::commit::Mode;
use crate::services::error::ServiceError;
use crate::services::users::{self, Access, NewUser};
use crate::web::admin::failure::Failure;
use crate::web::admin::forms::Form;
use crate::web::admin::layout::{Page, html, html_rejected};
use crate::web::admin::session::SignedIn;
use crate::web::blocking;

#[derive(Template)]
#[template(path = "users/add.html")]
struct AddPage {
    page: Page,
    form: Form,
    choices: Vec<(&'static str, &'static str)>,
    roles: Vec<(&'static str, &'static str)>,
}

/// A link that is shown this once.
#[derive(Template)]
#[template(path = "users/invited.html")]
pub(super) struct InvitedPage {
    pub(super) page: Page,
    pub(super) name: String,
    pub(super) link: String,
}

fn add_page(who: &SignedIn, form: Form) -> AddPage {
    AddPage { page: who.page("Add User"), form, choices: choices(Role::Owner), roles: meanings() }
}

/// `GET /admin/users/add`
pub async fn show(who: SignedIn) -> HttpResponse {
    html(&add_page(&who, Form::filled([("role", Role::Viewer.word()), ("access", "invitation")])))
}

/// `POST /admin/users/add`
pub async fn save(who: SignedIn, form: Form, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let rejected = |form: Form, errors: &FieldErrors| Ok(html_rejected(&add_page(&who, form.rejected(errors))));
    let new = match draft(&form) {
        Ok(new) => new,
        Err(errors) => return rejected(form, &errors),
    };
    let actor = who.actor.clone();
    match blocking::call(&services, move |services| users::add(services, &actor, &new, Mode::Keep)).await {
        Ok(added) => Ok(match added.invitation {
            Some(token) => {
                let link = invitation_link(&services, &token);
                html(&InvitedPage { page: who.page("Invitation"), name: added.user.name, link })
            }
            None => who.done(HERE, format!("{} is added as {}.", added.user.name, added.user.role)),
        }),
        Err(ServiceError::Invalid(errors)) => rejected(form, &errors),
        Err(error) => Err(Failure::new(&who, error)),
    }
}

fn draft(form: &Form) -> Result<NewUser, FieldErrors> {
    let mut errors = FieldErrors::new();
    let role = errors.take("role", form.value("role").parse());
    let access = match form.is("access", "password") {
        true => Access::Password(Secret::new(form.value("password"))),
        false => Access::Invitation,
    };
    let role = errors.into_result(role)?;
    Ok(NewUser { name: form.value("name").to_owned(), email: form.value("email").to_owned(), role, access })
}
