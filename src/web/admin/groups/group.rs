//! General Information: name and description of one group (R99).

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::add::draft;
use super::head::{self, Head};
use crate::domain::activity::Event;
use crate::domain::group::Group;
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::domain::world::World;
use crate::services::commit::Mode;
use crate::services::error::ServiceError;
use crate::services::groups::Shown;
use crate::services::{Services, groups};
use crate::web::admin::conflict::{Conflict, Differing};
use crate::web::admin::failure::Failure;
use crate::web::admin::forms::Form;
use crate::web::admin::layout::{Page, html, html_with};
use crate::web::admin::session::SignedIn;
use crate::web::admin::unsent;
use crate::web::blocking;

#[derive(Template)]
#[template(path = "groups/group.html")]
struct GroupPage {
    page: Page,
    head: Head,
    form: Form,
    conflict: Option<Conflict>,
    group: Group,
}

impl GroupPage {
    fn new(services: &Services, who: &SignedIn, group: &Group, world: &World, form: Form, conflict: Option<Conflict>) -> Self {
        Self {
            page: who.page(group.name.to_string()),
            head: Head::new(group, world, services),
            form,
            conflict,
            group: group.clone(),
        }
    }
}

fn filled(group: &Group) -> Form {
    Form::filled([
        ("revision", group.revision.to_string()),
        ("name", group.name.to_string()),
        ("description", group.description.clone()),
    ])
}

/// `GET /admin/groups/{id}`
pub async fn show(
    request: HttpRequest,
    id: web::Path<String>,
    who: SignedIn,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let (group, world) = head::find(&services, &who, &id)?;
    let form = unsent::given_back_from(request.path(), &request, &who, &services).unwrap_or_else(|| filled(&group));
    Ok(html(&GroupPage::new(&services, &who, &group, &world, form, None)))
}

/// `POST /admin/groups/{id}`
pub async fn save(
    id: web::Path<String>,
    who: SignedIn,
    form: Form,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let (group, world) = head::find(&services, &who, &id)?;
    let again = |status, group: &Group, form, conflict| {
        Ok(html_with(status, &GroupPage::new(&services, &who, group, &world, form, conflict)))
    };
    let draft = match draft(&form) {
        Ok(draft) => draft,
        Err(errors) => return again(StatusCode::UNPROCESSABLE_ENTITY, &group, form.rejected(&errors), None),
    };
    let (actor, revision) = (who.actor.clone(), form.value("revision").parse().unwrap_or_default());
    let shown = Shown { id: group.id, revision };
    let update = move |services: &Services| groups::update(services, &actor, DEFAULT_ACCOUNT, shown, draft, Mode::Keep);
    match blocking::call(&services, update).await {
        Ok(group) => Ok(who.done(&format!("/admin/groups/{}", group.id), "Updated.")),
        Err(ServiceError::Invalid(errors)) => again(StatusCode::UNPROCESSABLE_ENTITY, &group, form.rejected(&errors), None),
        Err(ServiceError::Conflict(_)) => {
            let (now, _) = head::find(&services, &who, &id)?;
            let stored = [("name", "Group Name", now.name.to_string()), ("description", "Description", now.description.clone())];
            let differing = Differing::between(&form, stored);
            let missed = now.revision.saturating_sub(revision);
            let conflict =
                Conflict::new(&services, &who, DEFAULT_ACCOUNT, missed, of_group(now.name.as_str()), differing).await?;
            let mut form = form;
            form.set("revision", now.revision.to_string());
            again(StatusCode::CONFLICT, &now, form, Some(conflict))
        }
        Err(error) => Err(Failure::new(&who, error)),
    }
}

/// Picks the changes of a group's name and description, also those under its former names.
fn of_group(name: &str) -> impl FnMut(&Event) -> bool + Send + 'static {
    let mut name = name.to_owned();
    move |event| {
        let is_it = event.object == "device group" && event.subject == name && event.action == "changed";
        let renamed = event.changes.iter().filter(|_| is_it).find(|change| change.field == "name");
        if let Some(former) = renamed.and_then(|change| change.old.clone()) {
            name = former;
        }
        is_it
    }
}
