//! Schemas that were uploaded, and which of them counts (R137–R143). The body of an upload is the file itself, byte for byte. A dry run is
//! the preview.

use actix_web::{HttpResponse, delete, get, patch, post, web};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::body::{DryRun, created, mode};
use super::caller::Caller;
use super::paths::AccountPath;
use super::problem::Problem;
use super::sent::{self, Asked, Sent};
use crate::domain::ids::SchemaId;
use crate::domain::schema::uploaded::{InUse, SchemaChoice, Uploaded};
use crate::domain::world::World;
use crate::services::schema::{self, Preview, UploadDraft, UploadInput};
use crate::services::{Services, error::ServiceError};
use crate::web::{blocking, sizes};

/// Names of each kind that an answer has; the rest are counted.
const NAMED: usize = 200;

/// What counts, and what was uploaded.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct SchemaShape {
    /// The uploaded schema that counts; 0 for the dictionary that comes with the server.
    pub current: u64,
    /// What counted before; null where nothing else did.
    pub previous: Option<u64>,
    /// Whether values that the schema rules out are refused.
    pub refuse: bool,
    /// Parameters that are known, each family of indexes once.
    pub parameters: usize,
    /// Uploaded schemas.
    pub uploads: Vec<UploadShape>,
    /// Send it back with a change.
    pub revision: u64,
}

/// An uploaded schema.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct UploadShape {
    /// Key; absent in a dry run.
    pub id: Option<u64>,
    /// Name.
    pub name: String,
    /// The family of devices that it is of.
    pub family: Option<String>,
    /// The software version that it is of, or how that begins.
    pub version: Option<String>,
    /// What the file was called.
    pub file: String,
    /// Parameters that it declares, each index by itself.
    pub parameters: usize,
    /// Who uploaded it.
    pub uploaded_by: String,
    /// When.
    pub uploaded_at: Timestamp,
}

/// An uploaded schema with what is different in it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct TakenShape {
    /// The schema.
    pub upload: UploadShape,
    /// Parameters that count while it is used for everything, a family of indexes once: its own, and those that only the dictionary has.
    pub counting: usize,
    /// How many of them only the dictionary has.
    pub of_dictionary: usize,
    /// What counted before: the differences are what its use for everything changes.
    pub against: String,
    /// How many parameters are new; a family of indexes counts once.
    pub added: usize,
    /// How many are not known any more.
    pub removed: usize,
    /// How many have another type or range.
    pub changed: usize,
    /// Names of the first new ones.
    pub added_names: Vec<String>,
    /// Names of the first that are not known any more.
    pub removed_names: Vec<String>,
    /// The first that have another type or range.
    pub changes: Vec<TypeChangeShape>,
}

/// A parameter with another type or range.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct TypeChangeShape {
    /// Name.
    pub name: String,
    /// What it took, in words.
    pub old: String,
    /// What it takes.
    pub new: String,
}

impl UploadShape {
    fn new(uploaded: &Uploaded) -> Self {
        Self {
            id: Some(uploaded.id.0),
            name: uploaded.name.to_string(),
            family: uploaded.family.clone(),
            version: uploaded.version.clone(),
            file: uploaded.file.clone(),
            parameters: uploaded.parameters,
            uploaded_by: uploaded.uploaded_by.clone(),
            uploaded_at: uploaded.uploaded_at,
        }
    }
}

impl SchemaShape {
    fn new(world: &World) -> Self {
        Self::with(world, world.schemas.choice)
    }

    /// The same with what is chosen, or would be.
    fn with(world: &World, choice: SchemaChoice) -> Self {
        let number = |which: InUse| which.uploaded().map_or(0, |id| id.0);
        Self {
            current: number(choice.current),
            previous: choice.previous.map(number),
            refuse: choice.refuses,
            parameters: world.schemas.current().len(),
            uploads: world.schemas.shelf.iter().map(|one| UploadShape::new(&one.uploaded)).collect(),
            revision: choice.revision,
        }
    }
}

impl TakenShape {
    fn new(uploaded: &Uploaded, preview: Preview, is_kept: bool) -> Self {
        let difference = preview.difference;
        let first = |names: &[String]| names.iter().take(NAMED).cloned().collect();
        let mut upload = UploadShape::new(uploaded);
        upload.id = upload.id.filter(|_| is_kept);
        let changes = difference.changed.iter().take(NAMED).cloned();
        Self {
            upload,
            counting: preview.counting,
            of_dictionary: preview.of_dictionary,
            against: preview.against,
            added: difference.added.len(),
            removed: difference.removed.len(),
            changed: difference.changed.len(),
            added_names: first(&difference.added),
            removed_names: first(&difference.removed),
            changes: changes.map(|(name, old, new)| TypeChangeShape { name, old, new }).collect(),
        }
    }
}

/// How a file is taken.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Taking {
    /// Name of the schema.
    name: String,
    /// What the file is called.
    #[serde(default)]
    file: Option<String>,
    /// The family of devices that it is of.
    #[serde(default)]
    family: String,
    /// The software version that it is of, or how that begins.
    #[serde(default)]
    version: String,
    /// Leaves what counts as it is: the schema only advises about devices of its family.
    #[serde(default)]
    beside: bool,
    /// Changes nothing and answers what would be different.
    #[serde(default)]
    dry_run: bool,
}

/// What is to be changed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SchemaChange {
    /// The uploaded schema that is to count; 0 for the dictionary that comes with the server.
    #[serde(default)]
    current: Option<u64>,
    /// Whether values that the schema rules out are refused.
    #[serde(default)]
    refuse: Option<bool>,
    /// The revision that was shown.
    revision: u64,
}

/// The revision that a rollback begins from.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Rollback {
    /// The revision that was shown.
    revision: u64,
}

/// An uploaded schema in a path.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct UploadPath {
    /// Label of the account.
    #[param(example = "default")]
    #[expect(dead_code, reason = "the caller extractor reads it; here it is for the description")]
    account: String,
    /// Number of the uploaded schema.
    #[param(value_type = u64)]
    id: String,
}

/// Shows what counts in searches and checks, and all uploaded schemas.
#[utoipa::path(tag = "schema", params(AccountPath), responses((status = 200, body = SchemaShape)))]
#[get("/accounts/{account}/schema")]
pub async fn show_schema(caller: Caller, services: web::Data<Services>) -> Result<web::Json<SchemaShape>, Problem> {
    Ok(web::Json(SchemaShape::new(&*services.world(caller.account)?)))
}

/// Puts another schema in use, or says whether values that it rules out are refused.
#[utoipa::path(tag = "schema", params(AccountPath, DryRun), request_body = SchemaChange, responses((status = 200, body = SchemaShape)))]
#[patch("/accounts/{account}/schema")]
pub async fn change_schema(
    caller: Caller,
    services: web::Data<Services>,
    dry_run: Asked<DryRun>,
    change: Sent<SchemaChange>,
) -> Result<web::Json<SchemaShape>, Problem> {
    let (mode, SchemaChange { current, refuse, revision }) = (dry_run.mode(), change.into_inner());
    let work = move |services: &Services| {
        if current.is_some() && refuse.is_some() {
            return Err(ServiceError::Conflict("change one thing at a time: current, or refuse".to_owned()));
        }
        let choice = match (current, refuse) {
            (Some(0), _) => schema::choose(services, &caller.actor, caller.account, revision, InUse::Dictionary, mode)?,
            (Some(id), _) => {
                let wanted = InUse::Uploaded(SchemaId(id));
                schema::choose(services, &caller.actor, caller.account, revision, wanted, mode)?
            }
            (None, Some(refuse)) => schema::set_refusing(services, &caller.actor, caller.account, revision, refuse, mode)?,
            (None, None) => services.world(caller.account)?.schemas.choice,
        };
        Ok(SchemaShape::with(&*services.world(caller.account)?, choice))
    };
    Ok(web::Json(blocking::call(&services, work).await?))
}

/// Puts in use what counted before.
#[utoipa::path(tag = "schema", params(AccountPath, DryRun), request_body = Rollback, responses((status = 200, body = SchemaShape)))]
#[post("/accounts/{account}/schema/rollback")]
pub async fn roll_back_schema(
    caller: Caller,
    services: web::Data<Services>,
    dry_run: Asked<DryRun>,
    from: Sent<Rollback>,
) -> Result<web::Json<SchemaShape>, Problem> {
    let (mode, revision) = (dry_run.mode(), from.into_inner().revision);
    let work = move |services: &Services| {
        let choice = schema::roll_back(services, &caller.actor, caller.account, revision, mode)?;
        Ok(SchemaShape::with(&*services.world(caller.account)?, choice))
    };
    Ok(web::Json(blocking::call(&services, work).await?))
}

/// Takes a schema in XSD form, such as the `polycomConfig.xsd` of a software version. It counts from then on, unless it stands beside.
#[utoipa::path(tag = "schema", params(AccountPath, Taking), request_body(content = Vec<u8>, content_type = "text/xml"), responses((status = 201, body = TakenShape), (status = 200, description = "A dry run", body = TakenShape)))]
#[post("/accounts/{account}/schema/uploads")]
pub async fn upload_schema(
    caller: Caller,
    services: web::Data<Services>,
    how: Asked<Taking>,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    let content = sent::file(payload, sizes::SCHEMA).await?;
    let Taking { name, file, family, version, beside, dry_run } = how.into_inner();
    let (input, mode) = (UploadInput { name, family, version, beside }, mode(dry_run));
    let file = file.map_or_else(|| "polycomConfig.xsd".to_owned(), |file| crate::domain::run::clean(&file, 80));
    let work = move |services: &Services| {
        let draft = UploadDraft::parse(&input, &*services.world(caller.account)?)?;
        let preview = schema::look(services, caller.account, &content)?;
        let uploaded = schema::accept(services, &caller.actor, caller.account, draft, (&file, &content), mode)?;
        Ok(TakenShape::new(&uploaded, preview, !dry_run))
    };
    Ok(HttpResponse::build(created(mode)).json(blocking::call(&services, work).await?))
}

/// Deletes an uploaded schema that is not in use.
#[utoipa::path(tag = "schema", params(UploadPath, DryRun), responses((status = 200, body = UploadShape)))]
#[delete("/accounts/{account}/schema/uploads/{id}")]
pub async fn delete_schema(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<UploadPath>,
    dry_run: Asked<DryRun>,
) -> Result<web::Json<UploadShape>, Problem> {
    let id = path.id.parse().map(SchemaId).map_err(|_| Problem::not_found("schema", &path.id))?;
    let mode = dry_run.mode();
    let work = move |services: &Services| {
        let gone = services.world(caller.account)?.schemas.get(id).map(|one| UploadShape::new(&one.uploaded));
        schema::delete(services, &caller.actor, caller.account, id, mode)?;
        gone.ok_or_else(|| ServiceError::not_found("schema", id))
    };
    Ok(web::Json(blocking::call(&services, work).await?))
}
