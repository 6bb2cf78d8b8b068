//! Profiles: creating, editing, copying and deleting. [`super::imports`] takes files in.
//!
//! Secret values leave masked. A mask that comes back means *as it was*, so that what was read can be written again.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, delete, get, patch, post, put, web};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::body::{Amount, DryRun, OneOrMany, created};
use super::caller::Caller;
use super::list::{List, Paging};
use super::paths::{AccountPath, ProfilePath};
use super::problem::Problem;
use super::profile_shapes::{NewProfile, ProfileChanges, ProfileShape, ProfileSummary, UsesShape};
use super::sent::{Asked, Sent};
use crate::domain::field_error::FieldErrors;
use crate::domain::ids::ProfileId;
use crate::domain::profile::draft::ProfileDraft;
use crate::domain::profile::{MODE, Profile};
use crate::services::Services;
use crate::services::commit::Mode;
use crate::services::error::ServiceError;
use crate::services::profiles::{self, CopyInput, Shown, Uses};
use crate::web::blocking;

/// Which profiles.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// Words that must all occur in name, description or a parameter's name.
    q: Option<String>,
    /// Whose devices they are for: `polycom-phone-provision`.
    mode: Option<String>,
    /// `standard`, `user-defined`, `user-imported`, or `user` for both of these.
    kind: Option<String>,
    /// `name`, `kind` or `modified`; with `-` in front the other way round.
    sort: Option<String>,
    /// Page, counted from 1.
    page: Option<usize>,
    /// Profiles on a page, at most 1000.
    per_page: Option<usize>,
}

/// Under which name a copy is made, and with what.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Copy {
    /// Name of the copy.
    name: String,
    /// Free text; absent for that of the original.
    description: Option<String>,
    /// What a template asks for, by the names of its `standard.inputs`.
    #[serde(default)]
    inputs: BTreeMap<String, String>,
}

/// Profiles to delete.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProfileSelection {
    /// Numbers of the profiles, at most 1000.
    ids: Vec<u64>,
}

/// A profile that went, or would go.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct DeletedProfile {
    /// Its number.
    id: u64,
    /// Where it was.
    uses: UsesShape,
}

/// Lists profiles, the account's own and the standard ones, without their parameters.
#[utoipa::path(tag = "profiles", params(AccountPath, Wanted), responses((status = 200, body = List<ProfileSummary>)))]
#[get("/accounts/{account}/profiles")]
pub async fn list_profiles(
    caller: Caller,
    services: web::Data<Services>,
    wanted: Asked<Wanted>,
) -> Result<web::Json<List<ProfileSummary>>, Problem> {
    let Wanted { q, mode, kind, sort, page, per_page } = wanted.into_inner();
    let paging = Paging::new(page, per_page)?;
    let words: Vec<String> = q.unwrap_or_default().split_whitespace().map(str::to_lowercase).collect();
    let mut found = profiles::list(&services, caller.account)?;
    found.retain(|profile| words.iter().all(|word| mentions(profile, word)));
    if mode.is_some_and(|mode| mode != MODE.0) {
        return Err(Problem::field("mode", format_args!("use {}", MODE.0)));
    }
    if let Some(kind) = kind {
        let words = "use one of: standard, user-defined, user-imported, user";
        let kinds = ProfileSummary::kinds(&kind).ok_or_else(|| Problem::field("kind", words))?;
        found.retain(|profile| kinds.contains(&profile.kind));
    }
    let sort = sort.unwrap_or_default();
    let (key, descending) = sort.strip_prefix('-').map_or((sort.as_str(), false), |key| (key, true));
    match key {
        "" | "name" => found.sort_by_cached_key(|profile| profile.name.folded()),
        "kind" => found.sort_by_cached_key(|profile| (profile.kind, profile.name.folded())),
        "modified" => found.sort_by_key(|profile| (profile.modified_at, profile.id)),
        _ => return Err(Problem::field("sort", "use one of: name, kind, modified")),
    }
    if descending {
        found.reverse();
    }
    Ok(web::Json(paging.cut(found.iter(), |profile| ProfileSummary::new(profile))))
}

fn mentions(profile: &Profile, word: &str) -> bool {
    let has = |text: &str| text.to_lowercase().contains(word);
    has(profile.name.as_str()) || has(&profile.description) || profile.parameters.iter().any(|(name, _)| has(name.as_str()))
}

/// Shows a profile with its parameters.
#[utoipa::path(tag = "profiles", params(ProfilePath), responses((status = 200, body = ProfileShape)))]
#[get("/accounts/{account}/profiles/{id}")]
pub async fn show_profile(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<ProfilePath>,
) -> Result<web::Json<ProfileShape>, Problem> {
    let world = services.world(caller.account)?;
    Ok(web::Json(ProfileShape::new(&*profiles::get(&services, caller.account, path.id()?)?, &world)))
}

/// Tells where a profile is attached and how many devices it reaches.
#[utoipa::path(tag = "profiles", params(ProfilePath), responses((status = 200, body = UsesShape)))]
#[get("/accounts/{account}/profiles/{id}/uses")]
pub async fn show_uses(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<ProfilePath>,
) -> Result<web::Json<UsesShape>, Problem> {
    let id = path.id()?;
    let uses = blocking::call(&services, move |services| profiles::uses(services, caller.account, id)).await?;
    Ok(web::Json(UsesShape::new(uses, &*services.world(caller.account)?)))
}

/// Creates a profile, or all of an array or none.
#[utoipa::path(tag = "profiles", params(AccountPath, DryRun), request_body = OneOrMany<NewProfile>, responses((status = 201, body = OneOrMany<ProfileShape>), (status = 200, description = "A dry run", body = OneOrMany<ProfileShape>)))]
#[post("/accounts/{account}/profiles")]
pub async fn create_profiles(
    caller: Caller,
    services: web::Data<Services>,
    dry_run: Asked<DryRun>,
    sent: Sent<OneOrMany<NewProfile>>,
) -> Result<HttpResponse, Problem> {
    let (amount, inputs) = sent.into_inner().into_list();
    let drafts = amount.parse_all(&inputs, |new| ProfileDraft::parse(&new.input(None)?))?;
    let mode = dry_run.mode();
    let work = move |services: &Services| profiles::create(services, &caller.actor, caller.account, drafts, mode);
    let made = blocking::call(&services, work).await.map_err(|error| amount.placed(error))?;
    let world = services.world(caller.account)?;
    let shapes = made.iter().map(|profile| ProfileShape::new(profile, &world)).collect();
    Ok(HttpResponse::build(created(mode)).json(amount.shape(shapes)))
}

/// Replaces name, description and all parameters.
#[utoipa::path(tag = "profiles", params(ProfilePath, DryRun), request_body = NewProfile, responses((status = 200, body = ProfileShape)))]
#[put("/accounts/{account}/profiles/{id}")]
pub async fn replace_profile(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<ProfilePath>,
    dry_run: Asked<DryRun>,
    sent: Sent<NewProfile>,
) -> Result<web::Json<ProfileShape>, Problem> {
    let present = profiles::get(&services, caller.account, path.id()?)?;
    let revision = sent.revision.ok_or_else(|| Problem::field("revision", "send the revision that the change was made from"))?;
    let draft = ProfileDraft::parse(&sent.input(Some(&present.parameters))?)?;
    replace(caller, services, Shown { id: present.id, revision }, draft, dry_run.mode()).await
}

/// Changes name or description, and sets or removes single parameters.
#[utoipa::path(tag = "profiles", params(ProfilePath, DryRun), request_body = ProfileChanges, responses((status = 200, body = ProfileShape)))]
#[patch("/accounts/{account}/profiles/{id}")]
pub async fn change_profile(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<ProfilePath>,
    dry_run: Asked<DryRun>,
    changes: Sent<ProfileChanges>,
) -> Result<web::Json<ProfileShape>, Problem> {
    let present = profiles::get(&services, caller.account, path.id()?)?;
    let shown = Shown { id: present.id, revision: changes.revision };
    let draft = changes.into_inner().draft(&present)?;
    replace(caller, services, shown, draft, dry_run.mode()).await
}

async fn replace(
    caller: Caller,
    services: web::Data<Services>,
    shown: Shown,
    draft: ProfileDraft,
    mode: Mode,
) -> Result<web::Json<ProfileShape>, Problem> {
    let work = move |services: &Services| profiles::replace(services, &caller.actor, caller.account, shown, draft, mode);
    let saved = blocking::call(&services, work).await?;
    Ok(web::Json(ProfileShape::new(&saved, &*services.world(caller.account)?)))
}

/// Copies a profile; the copy is attached nowhere. That of a template needs the template's inputs.
#[utoipa::path(tag = "profiles", params(ProfilePath, DryRun), request_body = Copy, responses((status = 201, body = ProfileShape), (status = 200, description = "A dry run", body = ProfileShape)))]
#[post("/accounts/{account}/profiles/{id}/copy")]
pub async fn copy_profile(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<ProfilePath>,
    dry_run: Asked<DryRun>,
    copy: Sent<Copy>,
) -> Result<HttpResponse, Problem> {
    let id = path.id()?;
    let mode = dry_run.mode();
    let Copy { name, description, inputs } = copy.into_inner();
    let input = CopyInput { name, description, inputs };
    let work = move |services: &Services| profiles::copy(services, &caller.actor, caller.account, id, &input, mode);
    let made = blocking::call(&services, work).await.map_err(of_inputs)?;
    Ok(HttpResponse::build(created(mode)).json(ProfileShape::new(&made, &*services.world(caller.account)?)))
}

/// The problem of a copy: the fields that a template asks for stand in `inputs`.
fn of_inputs(error: ServiceError) -> Problem {
    let mut problem = Problem::from(error);
    for told in problem.errors.iter_mut().filter(|told| !["name", "description", "inputs"].contains(&told.field.as_str())) {
        told.field.insert_str(0, "inputs.");
    }
    problem
}

/// Deletes a profile and detaches it everywhere; answers where it was.
#[utoipa::path(tag = "profiles", params(ProfilePath, DryRun), responses((status = 200, body = UsesShape)))]
#[delete("/accounts/{account}/profiles/{id}")]
pub async fn delete_profile(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<ProfilePath>,
    dry_run: Asked<DryRun>,
) -> Result<web::Json<UsesShape>, Problem> {
    let id = path.id()?;
    let mode = dry_run.mode();
    let work = move |services: &Services| profiles::delete(services, &caller.actor, caller.account, id, mode);
    let uses = blocking::call(&services, work).await?;
    Ok(web::Json(UsesShape::new(uses, &*services.world(caller.account)?)))
}

/// Deletes several profiles and detaches them everywhere: all or none. Answers where they were.
#[utoipa::path(tag = "profiles", params(AccountPath, DryRun), request_body = ProfileSelection, responses((status = 200, body = List<DeletedProfile>)))]
#[post("/accounts/{account}/profiles/delete")]
pub async fn delete_profiles(
    caller: Caller,
    services: web::Data<Services>,
    dry_run: Asked<DryRun>,
    sent: Sent<ProfileSelection>,
) -> Result<web::Json<List<DeletedProfile>>, Problem> {
    let world = services.world(caller.account)?;
    let known = |id: &u64| match world.profile(ProfileId(*id)).is_some() {
        true => Ok(ProfileId(*id)),
        false => Err(FieldErrors::one("id", format_args!("there is no profile {id}"))),
    };
    let ids = Amount::Many.parse_all(&sent.into_inner().ids, known).map_err(|wrong| Problem::items("ids", &wrong))?;
    let (ids, mode) = (ids.into_iter().collect(), dry_run.mode());
    let work = move |services: &Services| profiles::delete_all(services, &caller.actor, caller.account, &ids, mode);
    let gone = blocking::call(&services, work).await?;
    let shape = |(id, uses): (ProfileId, Uses)| DeletedProfile { id: id.0, uses: UsesShape::new(uses, &world) };
    Ok(web::Json(List { total: gone.len(), items: gone.what.into_iter().map(shape).collect() }))
}
