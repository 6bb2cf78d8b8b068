//! One resource file: what it holds, who uses it, and its description.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::HERE;
use crate::domain::ids::{DEFAULT_ACCOUNT, ProfileId, ResourceId};
use crate::domain::limits::RESOURCE_BYTES_ADVISED;
use crate::domain::resource::{Kind, Resource};
use crate::services::Services;
use crate::services::commit::Mode;
use crate::services::error::ServiceError;
use crate::services::resources::{self, Shown, Users};
use crate::web::admin::conflict::{self, Conflict, Differing};
use crate::web::admin::devices::with_secrets_masked;
use crate::web::admin::failure::Failure;
use crate::web::admin::forms::Form;
use crate::web::admin::layout::{Page, html, html_with};
use crate::web::admin::session::SignedIn;
use crate::web::admin::unsent;
use crate::web::admin::words;
use crate::web::{blocking, sizes};

/// Bytes of a text that the page shows.
const SHOWN_BYTES: u64 = 64 * 1024;

#[derive(Template)]
#[template(path = "resources/resource.html")]
struct ResourcePage {
    page: Page,
    resource: Arc<Resource>,
    form: Form,
    conflict: Option<Conflict>,
    kind: &'static str,
    size: String,
    /// The full address that a value may have.
    address: String,
    /// What to know about its size.
    too_large: Option<String>,
    used: UsedBy,
    preview: Preview,
}

/// Who uses a file: what `_used.html` shows.
pub struct UsedBy {
    /// Profiles that name it: key, name, and the parameters by which they do.
    pub profiles: Vec<(ProfileId, String, String)>,
    /// Devices that they reach, in words.
    pub devices: String,
    /// Whether it is there for all devices.
    pub for_all: bool,
}

/// What a page shows of a content.
enum Preview {
    /// A picture, with its width and height.
    Picture(u32, u32),
    /// A sound.
    Sound,
    /// The beginning of a text, and whether there is more.
    Text(String, bool),
    /// Nothing can be shown.
    None,
}

impl UsedBy {
    /// The same in the words of a page.
    pub fn new(users: Users) -> Self {
        let profiles = users.profiles.into_iter();
        Self {
            profiles: profiles.map(|(id, name, parameters)| (id, name, parameters.join(", "))).collect(),
            devices: words::count(users.devices, "device", "devices"),
            for_all: users.for_all,
        }
    }
}

/// The resource file that an address names.
pub fn find(services: &Services, who: &SignedIn, id: &str) -> Result<Arc<Resource>, Failure> {
    let id: ResourceId = id.parse().map_err(|_| Failure::not_found(who, "resource file", id))?;
    resources::get(services, DEFAULT_ACCOUNT, id).map_err(Failure::of(who))
}

async fn page(
    who: &SignedIn,
    services: &web::Data<Services>,
    resource: Arc<Resource>,
    form: Form,
    conflict: Option<Conflict>,
) -> Result<ResourcePage, Failure> {
    let world = services.world(DEFAULT_ACCOUNT).map_err(Failure::of(who))?;
    let users = resources::users(services, DEFAULT_ACCOUNT, resource.id).map_err(Failure::of(who))?;
    let advised = sizes::in_words(RESOURCE_BYTES_ADVISED);
    Ok(ResourcePage {
        page: who.page(resource.path.to_string()),
        kind: resource.kind().label(),
        size: words::size(resource.size_bytes),
        address: format!("{}{}", world.endpoints.https_url, resource.path),
        too_large: (resource.size_bytes > RESOURCE_BYTES_ADVISED)
            .then(|| format!("It is larger than {advised}: not every phone takes files of this size")),
        used: UsedBy::new(users),
        preview: preview(who, services, &resource).await?,
        form,
        conflict,
        resource,
    })
}

async fn preview(who: &SignedIn, services: &web::Data<Services>, resource: &Resource) -> Result<Preview, Failure> {
    if let (Kind::Picture, Some((width, height))) = (resource.kind(), resource.pixels) {
        return Ok(Preview::Picture(width, height));
    }
    if resource.kind() == Kind::Sound {
        return Ok(Preview::Sound);
    }
    if !resource.kind().is_text() {
        return Ok(Preview::None);
    }
    let id = resource.id;
    let read = move |services: &Services| resources::beginning(services, DEFAULT_ACCOUNT, id, SHOWN_BYTES);
    let bytes = blocking::call(services, read).await.map_err(Failure::of(who))?;
    // Parameters may be secrets.
    let text = String::from_utf8_lossy(&with_secrets_masked(&bytes)).into_owned();
    Ok(Preview::Text(text, resource.size_bytes > SHOWN_BYTES))
}

fn filled(resource: &Resource) -> Form {
    Form::filled([("revision", resource.revision.to_string()), ("description", resource.description.clone())])
}

/// `GET /admin/resources/{id}`
pub async fn show(
    request: HttpRequest,
    id: web::Path<String>,
    who: SignedIn,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let resource = find(&services, &who, &id)?;
    let form = unsent::given_back_from(request.path(), &request, &who, &services).unwrap_or_else(|| filled(&resource));
    Ok(html(&page(&who, &services, resource, form, None).await?))
}

/// `POST /admin/resources/{id}`: the description.
pub async fn save(
    id: web::Path<String>,
    who: SignedIn,
    form: Form,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let resource = find(&services, &who, &id)?;
    let (actor, text) = (who.actor.clone(), form.value("description").to_owned());
    let revision = form.value("revision").parse().unwrap_or_default();
    let shown = Shown { id: resource.id, revision };
    let describe = move |services: &Services| resources::describe(services, &actor, DEFAULT_ACCOUNT, shown, &text, Mode::Keep);
    match blocking::call(&services, describe).await {
        Ok(_) => Ok(who.done(&format!("{HERE}/{}", resource.id), "Updated.")),
        Err(ServiceError::Invalid(errors)) => {
            let again = page(&who, &services, resource, form.rejected(&errors), None).await?;
            Ok(html_with(StatusCode::UNPROCESSABLE_ENTITY, &again))
        }
        Err(ServiceError::Conflict(_)) => {
            let now = find(&services, &who, &id)?;
            let differing = Differing::between(&form, [("description", "Description", now.description.clone())]);
            let missed = now.revision.saturating_sub(revision);
            let changes = conflict::of("resource file", now.path.as_str());
            let conflict = Conflict::new(&services, &who, DEFAULT_ACCOUNT, missed, changes, differing).await?;
            let mut form = form;
            form.set("revision", now.revision.to_string());
            Ok(html_with(StatusCode::CONFLICT, &page(&who, &services, now, form, Some(conflict)).await?))
        }
        Err(error) => Err(Failure::new(&who, error)),
    }
}
