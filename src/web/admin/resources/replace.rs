//! Another version of a resource file under the same name: who uses it is told before (contract 5.15).

use std::sync::Arc;

use actix_multipart::Multipart;
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use futures_util::StreamExt as _;

use super::HERE;
use super::add::{advice, field, first};
use super::resource::{UsedBy, find};
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::domain::resource::Resource;
use crate::services::Services;
use crate::services::commit::Mode;
use crate::services::error::ServiceError;
use crate::services::resources::{self, Shown};
use crate::web::admin::failure::Failure;
use crate::web::admin::forms::{Form, sentence};
use crate::web::admin::layout::{Page, html, html_with};
use crate::web::admin::session::SignedIn;
use crate::web::phone::Door;
use crate::web::resource_upload::{self, Cut};
use crate::web::{blocking, sizes};

#[derive(Template)]
#[template(path = "resources/replace.html")]
struct ReplacePage {
    page: Page,
    resource: Arc<Resource>,
    form: Form,
    used: UsedBy,
    most: String,
}

fn page(who: &SignedIn, services: &Services, door: &Door, resource: Arc<Resource>, form: Form) -> Result<ReplacePage, Failure> {
    let users = resources::users(services, DEFAULT_ACCOUNT, resource.id).map_err(Failure::of(who))?;
    let mut form = form;
    form.set("revision", resource.revision.to_string());
    Ok(ReplacePage {
        page: who.page(format!("Replace {}?", resource.path)),
        form,
        used: UsedBy::new(users),
        most: sizes::in_words(door.uploads().caps.resource_bytes),
        resource,
    })
}

/// `GET /admin/resources/{id}/replace`
pub async fn show(
    id: web::Path<String>,
    who: SignedIn,
    services: web::Data<Services>,
    door: web::Data<Door>,
) -> Result<HttpResponse, Failure> {
    let resource = find(&services, &who, &id)?;
    Ok(html(&page(&who, &services, &door, resource, Form::default())?))
}

/// `POST /admin/resources/{id}/replace`
pub async fn save(
    id: web::Path<String>,
    who: SignedIn,
    services: web::Data<Services>,
    door: web::Data<Door>,
    mut parts: Multipart,
) -> Result<HttpResponse, Failure> {
    let resource = find(&services, &who, &id)?;
    let again = |status, why: &str| {
        let now = find(&services, &who, &id)?;
        Ok(html_with(status, &page(&who, &services, &door, now, Form::default().refused(sentence(why)))?))
    };
    let (mut revision, mut content) = (0, None);
    while let Some(part) = parts.next().await {
        let Ok(part) = part else {
            return again(StatusCode::UNPROCESSABLE_ENTITY, "the upload did not arrive whole; send it again");
        };
        match part.name() {
            Some("revision") => revision = field(part).await.parse().unwrap_or_default(),
            Some(resources::FILE) if content.is_none() => match resource_upload::receive(&services, &door, part, None).await {
                Ok(file) => content = Some(file),
                Err(Cut::Service(error)) => return Err(Failure::new(&who, error)),
                Err(cut @ Cut::TooLarge(_)) => {
                    return again(StatusCode::PAYLOAD_TOO_LARGE, &cut.told().unwrap_or_default());
                }
                Err(cut) => return again(StatusCode::UNPROCESSABLE_ENTITY, &cut.told().unwrap_or_default()),
            },
            _ => drop(field(part).await),
        }
    }
    let Some(mut file) = content else { return again(StatusCode::UNPROCESSABLE_ENTITY, "choose a file first") };
    let (actor, shown) = (who.actor.clone(), Shown { id: resource.id, revision });
    let work = move |services: &Services| resources::replace(services, &actor, DEFAULT_ACCOUNT, shown, &mut file, Mode::Keep);
    match blocking::call(&services, work).await {
        Ok(new) if new.revision == resource.revision => {
            Ok(who.done(&format!("{HERE}/{}", new.id), "It had this content already: nothing was changed."))
        }
        Ok(new) => Ok(who.done(&format!("{HERE}/{}", new.id), format!("Replaced. {}", advice(&new)).trim_end())),
        Err(error @ ServiceError::Invalid(_)) => again(StatusCode::UNPROCESSABLE_ENTITY, &first(&error)),
        Err(error @ ServiceError::Conflict(_)) => again(StatusCode::CONFLICT, &first(&error)),
        Err(error) => Err(Failure::new(&who, error)),
    }
}
