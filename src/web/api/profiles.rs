//! Profiles: creating, editing, copying and deleting. [`super::imports`] takes files in.
//!
//! Secret values leave masked. A mask that comes back means *as it was*, so that what was read can be written again.

use std::collections::{BTreeMap, BTreeSet};

use actix_web::{HttpResponse, delete, get, patch, post, put, web};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::body::{Amount, DryRun, OneOrMany, created};
use super::caller::Caller;
use super::list::{List, Paging, asked};
use super::matching::{Chosen, Matching, chosen};
use super::paths::{AccountPath, ProfilePath};
use super::problem::Problem;
use super::profile_shapes::{NewProfile, ProfileChanges, ProfileShape, ProfileSummary, UsesShape};
use super::sent::{Asked, Sent};
use crate::domain::field_error::FieldErrors;
use crate::domain::ids::ProfileId;
use crate::domain::profile::draft::ProfileDraft;
use crate::services::commit::Mode;
use crate::services::error::ServiceError;
use crate::services::profiles::{self, CopyInput, Shown, Uses};
use crate::services::{Services, lists, places};
use crate::web::blocking;

/// Which profiles.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// Words that must all occur in name, description, the name of who changed it last, or a parameter's name.
    q: Option<String>,
    /// Whose devices they are for: `polycom-phone-provision`.
    mode: Option<String>,
    /// `standard`, `user-defined`, `user-imported`, `user` for both of these, or `standard-and-user-defined`.
    kind: Option<String>,
    /// `name`, `kind`, `parameters`, `used`, `by` or `modified`; with `-` in front the other way round.
    sort: Option<String>,
    /// Page, counted from 1.
    page: Option<usize>,
    /// Profiles on a page, at most 1000.
    per_page: Option<usize>,
    /// `true`: the answer tells the mark of all that was found, to be sent with `matching`.
    mark: Option<bool>,
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
    /// Numbers of the profiles.
    ids: Option<Vec<u64>>,
    /// All that the list finds but the standard ones, in place of these.
    #[serde(default)]
    matching: Option<Matching>,
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
    let Wanted { q, mode, kind, sort, page, per_page, mark } = wanted.into_inner();
    let paging = Paging::new(page, per_page)?;
    let asked = asked(&lists::profiles::LISTING, [("q", q), ("mode", mode), ("kind", kind), ("sort", sort)])?;
    let account = caller.account;
    let work = move |services: &Services| {
        let world = services.world(account)?;
        let reach = places::reach(services, &world);
        let found = lists::profiles::list(&world, &reach, &asked);
        let list = paging.cut(found.iter(), |one| ProfileSummary::listed(one, &reach));
        Ok::<_, ServiceError>(list.marked(mark, || found.iter().map(|one| one.profile.id).collect()))
    };
    Ok(web::Json(blocking::call(&services, work).await?))
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
    let drafts = amount.parse_all(&inputs, |new| new.draft())?;
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
    let draft = sent.over(&present)?;
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
    let ProfileSelection { ids, matching } = sent.into_inner();
    let ids: BTreeSet<ProfileId> = match chosen("ids", ids, matching)? {
        Chosen::Named(ids) => {
            Amount::Many.parse_all(&ids, known).map_err(|wrong| Problem::items("ids", &wrong))?.into_iter().collect()
        }
        Chosen::All(matching) => {
            let find = |asked: &lists::Asked| {
                let reach = places::reach(&services, &world);
                let found = lists::profiles::list(&world, &reach, asked);
                Ok(found.iter().map(|one| one.profile.id).collect())
            };
            let may = |id: &ProfileId| world.profiles.contains_key(id);
            matching.keys_of(&lists::profiles::LISTING, find, may)?
        }
    };
    let mode = dry_run.mode();
    let work = move |services: &Services| profiles::delete_all(services, &caller.actor, caller.account, &ids, mode);
    let gone = blocking::call(&services, work).await?;
    let shape = |(id, uses): (ProfileId, Uses)| DeletedProfile { id: id.0, uses: UsesShape::new(uses, &world) };
    Ok(web::Json(List::whole(gone.what.into_iter().map(shape).collect())))
}
