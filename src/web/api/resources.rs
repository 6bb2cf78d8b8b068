//! Resource files: what phones fetch from this server because a profile names it (R215–R221). The body of an upload is the file itself,
//! byte for byte.

use std::collections::BTreeSet;

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_SECURITY_POLICY};
use actix_web::{HttpRequest, HttpResponse, delete, get, patch, post, put, web};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::body::{Amount, DryRun, created, mode};
use super::caller::Caller;
use super::list::{List, Paging, asked};
use super::matching::{Chosen, Matching, chosen};
use super::paths::{AccountPath, ResourcePath};
use super::problem::Problem;
use super::sent::{Asked, Sent};
use crate::domain::field_error::FieldErrors;
use crate::domain::ids::ResourceId;
use crate::domain::resource::path::ResourcePath as Path;
use crate::domain::resource::{Resource, ResourceDraft, description};
use crate::services::error::ServiceError;
use crate::services::resources::{self, Shown, Used, Users};
use crate::services::{Services, lists};
use crate::web::phone::Door;
use crate::web::resource_part::SANDBOX;
use crate::web::resource_upload::{self, Cut};
use crate::web::{blocking, file_body};

/// A resource file.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ResourceShape {
    /// Key.
    pub id: u64,
    /// Where phones find it, below the provisioning address.
    #[schema(example = "languages/German.xml")]
    pub path: String,
    /// `picture`, `sound`, `configuration`, `xml`, `table`, `text`, `web-page` or `backup`.
    pub kind: String,
    /// Free text.
    pub description: String,
    /// Bytes.
    pub size_bytes: u64,
    /// SHA-256 of the content, in hexadecimal.
    pub sha256: String,
    /// Width of a picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// Its height.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// How many profiles name it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profiles: Option<usize>,
    /// Whether it is there for all devices: its name begins with `000000000000-`.
    pub for_all: bool,
    /// When this content was uploaded.
    pub uploaded_at: Timestamp,
    /// Who changed it last.
    pub modified_by: String,
    /// When.
    pub modified_at: Timestamp,
    /// Send it back with a change.
    pub revision: u64,
}

/// A resource file with who uses it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct UsedResource {
    /// The file.
    pub resource: ResourceShape,
    /// Profiles that name it.
    pub used_by: Vec<UseShape>,
    /// Devices that these profiles reach.
    pub devices: usize,
}

/// A profile that names a resource file.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct UseShape {
    /// Number of the profile.
    pub profile: u64,
    /// Its name.
    pub name: String,
    /// The parameters by which it does.
    pub parameters: Vec<String>,
}

/// Which resource files.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// Words that must all occur in path, description, hash or the name of who changed it last.
    q: Option<String>,
    /// One kind only.
    kind: Option<String>,
    /// Only those that profiles name or that are there for all devices, or only the others.
    used: Option<bool>,
    /// `path`, `kind`, `size`, `profiles`, `by` or `modified`; with `-` in front the other way round.
    sort: Option<String>,
    /// Page, counted from 1.
    page: Option<usize>,
    /// Files on a page, at most 1000.
    per_page: Option<usize>,
}

/// How a file is taken.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Taking {
    /// Folder and name under which phones find it.
    #[param(example = "languages/German.xml")]
    path: String,
    /// Free text.
    #[serde(default)]
    description: String,
    /// Changes nothing and answers what would change.
    #[serde(default)]
    dry_run: bool,
}

/// How another content is taken.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Replacing {
    /// The revision that was shown.
    revision: u64,
    /// Changes nothing and answers what would change.
    #[serde(default)]
    dry_run: bool,
}

/// What is to be changed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ResourceChange {
    /// Free text.
    description: String,
    /// The revision that was shown.
    revision: u64,
}

/// How a file is deleted.
#[derive(Clone, Copy, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Deleting {
    /// Deletes it although profiles name it.
    #[serde(default)]
    used: bool,
    /// Changes nothing and answers what would change.
    #[serde(default)]
    dry_run: bool,
}

/// Resource files to delete.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ResourceSelection {
    /// Numbers of the files.
    ids: Option<Vec<u64>>,
    /// All that the list finds, in place of these.
    #[serde(default)]
    matching: Option<Matching>,
    /// Deletes them although profiles name some.
    #[serde(default)]
    used: bool,
}

/// What went.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct GoneShape {
    /// The paths that phones find nothing under any more.
    pub deleted: Vec<String>,
}

impl ResourceShape {
    fn new(resource: &Resource, profiles: Option<usize>) -> Self {
        Self {
            id: resource.id.0,
            path: resource.path.to_string(),
            kind: resource.kind().word().to_owned(),
            description: resource.description.clone(),
            size_bytes: resource.size_bytes,
            sha256: resource.sha256.clone(),
            width: resource.pixels.map(|(width, _)| width),
            height: resource.pixels.map(|(_, height)| height),
            profiles,
            for_all: resource.path.is_for_all(),
            uploaded_at: resource.uploaded_at,
            modified_by: resource.modified_by.clone(),
            modified_at: resource.modified_at,
            revision: resource.revision,
        }
    }
}

impl UsedResource {
    fn new(resource: &Resource, users: Users) -> Self {
        let profiles = Some(users.profiles.len());
        let used_by = users.profiles.into_iter();
        Self {
            resource: ResourceShape::new(resource, profiles),
            used_by: used_by.map(|(id, name, parameters)| UseShape { profile: id.0, name, parameters }).collect(),
            devices: users.devices,
        }
    }
}

impl From<Cut> for Problem {
    fn from(cut: Cut) -> Self {
        let status = match cut {
            Cut::Service(error) => return error.into(),
            Cut::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Cut::Short => StatusCode::BAD_REQUEST,
            Cut::DiskReserve => StatusCode::INSUFFICIENT_STORAGE,
        };
        Self::new(status, cut.told().unwrap_or_default())
    }
}

fn announced(request: &HttpRequest) -> Option<u64> {
    request.headers().get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// An error with the field as it is called here: the name stands in the path, and the file is the body.
fn placed(error: ServiceError) -> Problem {
    let mut problem = Problem::from(error);
    for one in &mut problem.errors {
        one.field = match one.field.as_str() {
            "name" => "path".to_owned(),
            resources::FILE => "body".to_owned(),
            other => other.to_owned(),
        };
    }
    problem
}

fn used(confirmed: bool) -> Used {
    if confirmed { Used::Confirmed } else { Used::Refused }
}

/// Lists resource files.
#[utoipa::path(tag = "resources", params(AccountPath, Wanted), responses((status = 200, body = List<ResourceShape>)))]
#[get("/accounts/{account}/resources")]
pub async fn list_resources(
    caller: Caller,
    services: web::Data<Services>,
    wanted: Asked<Wanted>,
) -> Result<web::Json<List<ResourceShape>>, Problem> {
    let Wanted { q, kind, used, sort, page, per_page } = wanted.into_inner();
    let paging = Paging::new(page, per_page)?;
    let used = used.map(|wanted| wanted.to_string());
    let asked = asked(&lists::resources::LISTING, [("q", q), ("kind", kind), ("used", used), ("sort", sort)])?;
    let found = lists::resources::list(&services, caller.account, &asked)?;
    Ok(web::Json(paging.cut(found.iter(), |one| ResourceShape::new(&one.resource, Some(one.profiles)))))
}

/// Takes a file. Its name's ending says what it is, and what it holds must be that.
#[utoipa::path(tag = "resources", params(AccountPath, Taking), request_body(content = Vec<u8>, content_type = "application/octet-stream"), responses((status = 201, body = ResourceShape), (status = 200, description = "A dry run", body = ResourceShape)))]
#[post("/accounts/{account}/resources")]
pub async fn upload_resource(
    caller: Caller,
    services: web::Data<Services>,
    door: web::Data<Door>,
    request: HttpRequest,
    how: Asked<Taking>,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    let Taking { path, description: text, dry_run } = how.into_inner();
    let mut errors = FieldErrors::new();
    let path = errors.take("path", Path::parse_whole(path.trim_start_matches('/')));
    let text = errors.take("description", description(&text));
    let draft = errors.into_result(path.zip(text).map(|(path, description)| ResourceDraft { path, description }))?;
    let mut file = resource_upload::receive(&services, &door, payload, announced(&request)).await?;
    let mode = mode(dry_run);
    let work = move |services: &Services| resources::create(services, &caller.actor, caller.account, draft, &mut file, mode);
    let made = blocking::call(&services, work).await.map_err(placed)?;
    Ok(HttpResponse::build(created(mode)).json(ResourceShape::new(&made, None)))
}

/// Shows a resource file and who uses it.
#[utoipa::path(tag = "resources", params(ResourcePath), responses((status = 200, body = UsedResource)))]
#[get("/accounts/{account}/resources/{id}")]
pub async fn show_resource(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<ResourcePath>,
) -> Result<web::Json<UsedResource>, Problem> {
    let id = path.id()?;
    let resource = resources::get(&services, caller.account, id)?;
    Ok(web::Json(UsedResource::new(&resource, resources::users(&services, caller.account, id)?)))
}

/// Changes the description.
#[utoipa::path(tag = "resources", params(ResourcePath, DryRun), request_body = ResourceChange, responses((status = 200, body = ResourceShape)))]
#[patch("/accounts/{account}/resources/{id}")]
pub async fn change_resource(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<ResourcePath>,
    dry_run: Asked<DryRun>,
    change: Sent<ResourceChange>,
) -> Result<web::Json<ResourceShape>, Problem> {
    let (id, mode) = (path.id()?, dry_run.mode());
    let ResourceChange { description, revision } = change.into_inner();
    let shown = Shown { id, revision };
    let work = move |services: &Services| resources::describe(services, &caller.actor, caller.account, shown, &description, mode);
    Ok(web::Json(ResourceShape::new(&blocking::call(&services, work).await?, None)))
}

/// Deletes a resource file; refused while profiles name it, unless `used` says that it is to go all the same.
#[utoipa::path(tag = "resources", params(ResourcePath, Deleting), responses((status = 200, body = GoneShape)))]
#[delete("/accounts/{account}/resources/{id}")]
pub async fn delete_resource(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<ResourcePath>,
    how: Asked<Deleting>,
) -> Result<web::Json<GoneShape>, Problem> {
    let (id, how) = (path.id()?, how.into_inner());
    gone(caller, services, [id].into(), used(how.used), mode(how.dry_run)).await
}

/// Deletes several resource files: all or none.
#[utoipa::path(tag = "resources", params(AccountPath, DryRun), request_body = ResourceSelection, responses((status = 200, body = GoneShape)))]
#[post("/accounts/{account}/resources/delete")]
pub async fn delete_resources(
    caller: Caller,
    services: web::Data<Services>,
    dry_run: Asked<DryRun>,
    sent: Sent<ResourceSelection>,
) -> Result<web::Json<GoneShape>, Problem> {
    let world = services.world(caller.account)?;
    let known = |id: &u64| match world.resources.get(ResourceId(*id)) {
        Some(_) => Ok(ResourceId(*id)),
        None => Err(FieldErrors::one("id", format_args!("there is no resource file {id}"))),
    };
    let ResourceSelection { ids, matching, used: confirmed } = sent.into_inner();
    let ids: BTreeSet<ResourceId> = match chosen("ids", ids, matching)? {
        Chosen::Named(ids) => {
            Amount::Many.parse_all(&ids, known).map_err(|wrong| Problem::items("ids", &wrong))?.into_iter().collect()
        }
        Chosen::All(matching) => matching.keys(&lists::resources::LISTING, |asked| {
            Ok(lists::resources::list(&services, caller.account, asked)?.iter().map(|one| one.resource.id).collect())
        })?,
    };
    gone(caller, services, ids, used(confirmed), dry_run.mode()).await
}

async fn gone(
    caller: Caller,
    services: web::Data<Services>,
    ids: BTreeSet<ResourceId>,
    used: Used,
    mode: crate::services::commit::Mode,
) -> Result<web::Json<GoneShape>, Problem> {
    let work = move |services: &Services| resources::delete_all(services, &caller.actor, caller.account, &ids, used, mode);
    let gone = blocking::call(&services, work).await?;
    Ok(web::Json(GoneShape { deleted: gone.iter().map(|one| one.path.to_string()).collect() }))
}

/// Answers the content as it was uploaded, with the secrets that it may hold, and notes in the activity log that it was told.
#[utoipa::path(tag = "resources", params(ResourcePath), responses((status = 200, body = Vec<u8>, content_type = "application/octet-stream")))]
#[get("/accounts/{account}/resources/{id}/content")]
pub async fn read_resource(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<ResourcePath>,
) -> Result<HttpResponse, Problem> {
    let id = path.id()?;
    let work = move |services: &Services| resources::hand_out(services, &caller.actor, caller.account, id);
    let (file, resource) = blocking::call(&services, work).await?;
    Ok(HttpResponse::Ok()
        .content_type("application/octet-stream")
        .insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"{}\"", resource.path.name())))
        .insert_header((CONTENT_SECURITY_POLICY, SANDBOX))
        .body(file_body::of(file, resource.size_bytes)))
}

/// Puts another content in the place of the one that was shown, under the same path.
#[utoipa::path(tag = "resources", params(ResourcePath, Replacing), request_body(content = Vec<u8>, content_type = "application/octet-stream"), responses((status = 200, body = ResourceShape)))]
#[put("/accounts/{account}/resources/{id}/content")]
pub async fn replace_resource(
    caller: Caller,
    services: web::Data<Services>,
    door: web::Data<Door>,
    request: HttpRequest,
    path: web::Path<ResourcePath>,
    how: Asked<Replacing>,
    payload: web::Payload,
) -> Result<web::Json<ResourceShape>, Problem> {
    let (id, Replacing { revision, dry_run }) = (path.id()?, how.into_inner());
    resources::get(&services, caller.account, id)?;
    let mut file = resource_upload::receive(&services, &door, payload, announced(&request)).await?;
    let (shown, mode) = (Shown { id, revision }, mode(dry_run));
    let work = move |services: &Services| resources::replace(services, &caller.actor, caller.account, shown, &mut file, mode);
    Ok(web::Json(ResourceShape::new(&blocking::call(&services, work).await.map_err(placed)?, None)))
}
