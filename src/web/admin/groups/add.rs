//! Making a group: name and description, and its first members by paste (R98). Profiles are attached on its own page.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use crate::domain::device_paste;
use crate::domain::field_error::FieldErrors;
use crate::domain::group::{GroupDraft, GroupInput};
use crate::domain::ids::{DEFAULT_ACCOUNT, GroupId};
use crate::services::commit::Mode;
use crate::services::error::ServiceError;
use crate::services::membership::MemberChange;
use crate::services::{Services, groups, membership};
use crate::web::admin::failure::Failure;
use crate::web::admin::forms::Form;
use crate::web::admin::layout::{Page, html, html_rejected};
use crate::web::admin::session::SignedIn;
use crate::web::admin::unsent;
use crate::web::admin::words;
use crate::web::blocking;

#[derive(Template)]
#[template(path = "groups/add.html")]
struct AddPage {
    page: Page,
    form: Form,
}

impl AddPage {
    fn new(who: &SignedIn, form: Form) -> Self {
        Self { page: who.page("Add Device Group"), form }
    }
}

/// `GET /admin/groups/add`
pub async fn show(request: HttpRequest, who: SignedIn, services: web::Data<Services>) -> HttpResponse {
    let typed = unsent::given_back_from(request.path(), &request, &who, &services);
    html(&AddPage::new(&who, typed.unwrap_or_default()))
}

/// `POST /admin/groups/add`
pub async fn save(who: SignedIn, form: Form, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let rejected = |form: Form, errors: &FieldErrors| Ok(html_rejected(&AddPage::new(&who, form.rejected(errors))));
    let (group, members) = match read(&form, &services) {
        Ok(read) => read,
        Err(errors) => return rejected(form, &errors),
    };
    let actor = who.actor.clone();
    let create = move |services: &Services| {
        let made = groups::create(services, &actor, DEFAULT_ACCOUNT, vec![group], Mode::Keep)?;
        let Some(id) = made.first().map(|group| group.id) else { return Ok((GroupId(0), 0)) };
        let joined = membership::change(services, &actor, DEFAULT_ACCOUNT, id, &members, Mode::Keep)?;
        Ok((id, joined.added.len()))
    };
    match blocking::call(&services, create).await {
        Ok((id, joined)) => {
            let members = words::count(joined, "device is in it", "devices are in it");
            Ok(who.done(&format!("/admin/groups/{id}/devices"), format!("The group is made; {members}.")))
        }
        Err(ServiceError::Invalid(errors)) => rejected(form, &errors),
        Err(ServiceError::Conflict(why)) => Ok(html_rejected(&AddPage::new(&who, form.refused(why)))),
        Err(error) => Err(Failure::new(&who, error)),
    }
}

fn read(form: &Form, services: &Services) -> Result<(GroupDraft, MemberChange), FieldErrors> {
    let mut errors = FieldErrors::new();
    let typed = draft(form);
    let roster = services.roster(DEFAULT_ACCOUNT);
    let pasted = form.text("keys").map(|text| device_paste::read(text, |key| roster.find(key).is_some())).transpose();
    for wrong in [typed.as_ref().err(), pasted.as_ref().err()].into_iter().flatten() {
        wrong.iter().for_each(|error| errors.add(error.field, &error.message));
    }
    let add = pasted.ok().flatten().unwrap_or_default();
    let read = typed.ok().map(|draft| (draft, MemberChange { add, ..MemberChange::default() }));
    errors.into_result(read)
}

/// Name and description of a form, checked.
pub fn draft(form: &Form) -> Result<GroupDraft, FieldErrors> {
    let (name, description) = (form.value("name").to_owned(), form.value("description").to_owned());
    GroupDraft::parse(&GroupInput { name, description })
}
