//! The recycle bin: what was deleted in the last 30 days, and the way back.

use std::collections::BTreeSet;

use actix_web::{get, post, web};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::body::DryRun;
use super::caller::Caller;
use super::list::{List, Paging, asked};
use super::paths::AccountPath;
use super::problem::Problem;
use super::sent::{Asked, Sent};
use crate::domain::field_error::FieldErrors;
use crate::domain::ids::DeletionId;
use crate::domain::recycle_bin::Deletion;
use crate::services::error::ServiceError;
use crate::services::recycle_bin::{self, Item, Names, Restored, Wanted};
use crate::services::{Services, lists};
use crate::web::blocking;

/// A deletion of an account.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct DeletionPath {
    /// Label of the account.
    #[param(example = "default")]
    #[expect(dead_code, reason = "the caller extractor reads it; here it is for the description")]
    account: String,
    /// Number of the deletion.
    #[param(value_type = u64)]
    deletion: String,
}

/// One act of deleting.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct DeletionShape {
    /// Its number.
    pub id: u64,
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
    /// How many objects of it are in the recycle bin.
    pub objects: u64,
    /// The same by kind, in words: `3 profiles, 1 device`.
    pub counted: String,
    /// What the first five are called.
    pub names: Vec<String>,
    /// What hung on all of them, in words: `2 devices, 1 place`; empty where nothing did.
    pub hung: String,
}

impl From<Deletion> for DeletionShape {
    fn from(one: Deletion) -> Self {
        let (objects, counted, hung) = (one.objects(), one.counted(), one.hung.to_string());
        Self { id: one.id.0, at: one.at, by: one.by, objects, counted, names: one.names, hung }
    }
}

/// An object that was deleted.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct DeletedObject {
    /// Its number within the deletion.
    pub number: u64,
    /// `device`, `group`, `site`, `profile`, `person`, `person-group` or `room`.
    pub kind: String,
    /// What it was called; a device by name and key.
    pub name: String,
    /// What hung on it, in words.
    pub hung: String,
}

impl From<Item> for DeletedObject {
    fn from(item: Item) -> Self {
        Self { number: item.number, kind: item.kind.word().to_owned(), name: item.name, hung: item.hung }
    }
}

/// A deletion with its objects.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct WholeDeletionShape {
    /// The deletion.
    #[serde(flatten)]
    pub deletion: DeletionShape,
    /// Its objects, by number.
    pub contents: Vec<DeletedObject>,
}

/// What is to be restored.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RestoreShape {
    /// At most 200 deletions.
    deletions: Vec<WantedShape>,
}

/// A deletion to be restored, or some of its objects.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WantedShape {
    /// Number of the deletion.
    id: u64,
    /// Numbers of the objects that are to come back; absent for all of them.
    objects: Option<BTreeSet<u64>>,
    /// Other names, for objects whose own is taken by now.
    #[serde(default)]
    names: Vec<NewNameShape>,
}

/// Another name for an object.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewNameShape {
    /// Number of the object within its deletion.
    number: u64,
    /// Its name from now on.
    name: String,
}

/// What came back.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct RestoredShape {
    /// The objects.
    pub restored: Vec<RestoredObject>,
    /// What did not come back, in sentences: what is gone itself, or somebody else's by now; networks that another site claims too;
    /// devices that are there again, which stay in the recycle bin.
    pub left_out: Vec<String>,
}

/// An object that came back.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct RestoredObject {
    /// `device`, `group`, `site`, `profile`, `person`, `person-group` or `room`.
    pub kind: String,
    /// What it is called.
    pub name: String,
}

impl From<Restored> for RestoredShape {
    fn from(restored: Restored) -> Self {
        let object =
            |(kind, name): (crate::domain::recycle_bin::Kind, String)| RestoredObject { kind: kind.word().to_owned(), name };
        Self { restored: restored.objects.into_iter().map(object).collect(), left_out: restored.left_out }
    }
}

/// Deletions.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeletionSelection {
    /// Their numbers, at most 200.
    ids: BTreeSet<u64>,
}

/// How many objects were deleted for good.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct PurgedShape {
    /// Objects.
    pub objects: u64,
}

/// Which deletions.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Sought {
    /// Words that must all occur in the names, the kinds, what hung on it or who deleted it.
    q: Option<String>,
    /// `device`, `group`, `site`, `profile`, `person`, `person-group` or `room`.
    kind: Option<String>,
    /// `deleted`, `what` or `by`; with `-` in front the other way round. Usual is `-deleted`.
    sort: Option<String>,
    /// Page, counted from 1.
    page: Option<usize>,
    /// Deletions on a page, at most 1000.
    per_page: Option<usize>,
}

/// Lists what was deleted in the last 30 days, one entry for each act of deleting.
#[utoipa::path(tag = "recycle bin", params(AccountPath, Sought), responses((status = 200, body = List<DeletionShape>)))]
#[get("/accounts/{account}/recycle-bin")]
pub async fn list_deletions(
    caller: Caller,
    services: web::Data<Services>,
    sought: Asked<Sought>,
) -> Result<web::Json<List<DeletionShape>>, Problem> {
    let Sought { q, kind, sort, page, per_page } = sought.into_inner();
    let paging = Paging::new(page, per_page)?;
    let asked = asked(&lists::recycle_bin::LISTING, [("q", q), ("kind", kind), ("sort", sort)])?;
    let list = move |services: &Services| lists::recycle_bin::list(services, caller.account, &asked);
    let (found, _) = blocking::call(&services, list).await?;
    Ok(web::Json(paging.cut(found.into_iter(), DeletionShape::from)))
}

/// Shows a deletion with its objects.
#[utoipa::path(tag = "recycle bin", params(DeletionPath), responses((status = 200, body = WholeDeletionShape)))]
#[get("/accounts/{account}/recycle-bin/{deletion}")]
pub async fn show_deletion(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<DeletionPath>,
) -> Result<web::Json<WholeDeletionShape>, Problem> {
    let id: DeletionId = path.deletion.parse().map_err(|_| Problem::not_found("deletion", &path.deletion))?;
    let (deletion, items) = blocking::call(&services, move |services| recycle_bin::get(services, caller.account, id)).await?;
    let contents = items.into_iter().map(DeletedObject::from).collect();
    Ok(web::Json(WholeDeletionShape { deletion: deletion.into(), contents }))
}

/// Restores deletions, or some of their objects, with what hung on them where it hung. An object whose name is taken by now is refused
/// until it is given another one.
#[utoipa::path(tag = "recycle bin", params(AccountPath, DryRun), request_body = RestoreShape, responses((status = 200, body = RestoredShape)))]
#[post("/accounts/{account}/recycle-bin/restore")]
pub async fn restore_deletions(
    caller: Caller,
    services: web::Data<Services>,
    dry_run: Asked<DryRun>,
    sent: Sent<RestoreShape>,
) -> Result<web::Json<RestoredShape>, Problem> {
    let (mut wanted, mut names) = (Vec::new(), Names::new());
    for WantedShape { id, objects, names: new } in sent.into_inner().deletions {
        let deletion = DeletionId(id);
        names.extend(new.into_iter().map(|one| ((deletion, one.number), one.name)));
        wanted.push(Wanted { deletion, objects });
    }
    let mode = dry_run.mode();
    let work = move |services: &Services| {
        let restored = recycle_bin::restore(services, &caller.actor, caller.account, &wanted, &names, mode);
        restored.map_err(|error| in_deletions(services, &caller, &wanted, error))
    };
    Ok(web::Json(blocking::call(&services, work).await?.into()))
}

/// Errors tell of which object they are by its deletion and its number.
fn in_deletions(services: &Services, caller: &Caller, wanted: &[Wanted], error: ServiceError) -> ServiceError {
    let ServiceError::Invalid(errors) = error else { return error };
    let mut items = Vec::new();
    for one in wanted {
        let Ok((_, all)) = recycle_bin::get(services, caller.account, one.deletion) else { return errors.into() };
        items.extend(all.into_iter().filter(|item| one.objects.as_ref().is_none_or(|some| some.contains(&item.number))));
    }
    let mut told = FieldErrors::new();
    for error in errors.iter() {
        match items.get(error.item.unwrap_or(0)) {
            Some(item) if error.field == "name" => told.add(
                "names",
                format_args!("object {} of deletion {}, “{}”: {}", item.number, item.deletion, item.name, error.message),
            ),
            _ => told.add(error.field, &error.message),
        }
    }
    told.into()
}

/// Deletes for good what is in the recycle bin: all of these deletions or none.
#[utoipa::path(tag = "recycle bin", params(AccountPath, DryRun), request_body = DeletionSelection, responses((status = 200, body = PurgedShape)))]
#[post("/accounts/{account}/recycle-bin/delete")]
pub async fn purge_deletions(
    caller: Caller,
    services: web::Data<Services>,
    dry_run: Asked<DryRun>,
    sent: Sent<DeletionSelection>,
) -> Result<web::Json<PurgedShape>, Problem> {
    let ids = sent.into_inner().ids.into_iter().map(DeletionId).collect();
    let mode = dry_run.mode();
    let work = move |services: &Services| recycle_bin::purge(services, &caller.actor, caller.account, &ids, mode);
    Ok(web::Json(PurgedShape { objects: blocking::call(&services, work).await? }))
}
