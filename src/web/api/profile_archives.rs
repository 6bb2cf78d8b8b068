//! Profiles as ZIP archives, out and in, and the history of one parameter (R123, R128). The body of an import is the archive itself.

use std::collections::BTreeSet;

use actix_web::{HttpResponse, get, post, web};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::body;
use super::caller::Caller;
use super::device_files::download;
use super::list;
use super::paths::{AccountPath, ProfilePath};
use super::problem::Problem;
use super::sent::{self, Asked};
use crate::domain::ids::ProfileId;
use crate::domain::reach::Reach;
use crate::domain::world::World;
use crate::services::profiles::archive::{self, Attach, Attached, Fate, Plan, Planned, Secrets};
use crate::services::profiles::{self, PastValue};
use crate::services::{Services, lists};
use crate::web::{blocking, sizes};

/// Which profiles.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Exported {
    /// Numbers of user-defined profiles, separated by commas; absent for all.
    #[param(example = "3,7")]
    ids: Option<String>,
    /// In place of numbers: words that must all occur in name, description, the name of who changed it last, or a parameter's name.
    q: Option<String>,
}

impl Exported {
    fn ids(&self, world: &World) -> Result<Option<BTreeSet<ProfileId>>, Problem> {
        let text = match (&self.ids, &self.q) {
            (Some(_), Some(_)) => return Err(Problem::field("q", "send ids or q, not both")),
            (Some(text), None) => text,
            (None, Some(q)) => {
                let asked =
                    list::asked(&lists::profiles::LISTING, [("q", Some(q.clone())), ("kind", Some("user-defined".to_owned()))])?;
                let found = lists::profiles::list(world, &Reach::default(), &asked);
                return Ok(Some(found.iter().map(|one| one.profile.id).collect()));
            }
            (None, None) => return Ok(None),
        };
        let ids: Result<_, _> = text.split(',').map(|id| id.trim().parse::<ProfileId>()).collect();
        ids.map(Some).map_err(|_| Problem::field("ids", "numbers separated by commas, such as 3,7"))
    }
}

/// What an archive does, or did.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ArchiveShape {
    /// Each profile of the archive.
    pub profiles: Vec<ArchivedShape>,
    /// Whether the archive says where profiles are attached.
    pub has_deployment: bool,
    /// What was attached again, or would be; null where that was not asked for.
    pub attached: Option<AttachedAgainShape>,
}

/// What was attached again as an archive says, or would be.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct AttachedAgainShape {
    /// Places whose profiles change.
    pub places: usize,
    /// Devices whose profiles change.
    pub devices: usize,
    /// People whose groups change.
    pub people: usize,
    /// Whether the default groups change.
    pub default_groups: bool,
    /// Device groups, people, groups of people and rooms that get a description; those that have one keep it.
    pub described: usize,
    /// Device groups, people, groups of people and rooms that were made.
    pub made: Vec<String>,
    /// What is not there, such as `site Berlin` or `device 0004f2abcdef`: it is left out. At most 1000.
    pub missing: Vec<String>,
    /// How much is not there.
    pub total_missing: usize,
}

impl From<Attached> for AttachedAgainShape {
    fn from(attached: Attached) -> Self {
        let Attached { places, devices, people, default_groups, described, made, mut missing } = attached;
        let total_missing = missing.len();
        missing.truncate(1_000);
        Self { places, devices, people, default_groups, described, made, missing, total_missing }
    }
}

/// How an archive is taken.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ArchiveTaken {
    /// Attaches profiles where the archive says that they were: by the names of places, and devices by their keys. What is attached besides
    /// stays, below. Device groups, people, groups of people and rooms that are not there are made; sites and devices are told.
    #[serde(default)]
    attach: bool,
    /// Changes nothing and answers what would change.
    #[serde(default)]
    dry_run: bool,
}

/// One profile of an archive.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ArchivedShape {
    /// Its name.
    pub name: String,
    /// Its file in the archive.
    pub file: String,
    /// `new`, `replaced`, `unchanged`, or `refused`.
    pub result: String,
    /// Parameters that it has then.
    pub parameters: usize,
    /// Secrets that the archive masks and that no profile here has: they are left out.
    pub lost_secrets: usize,
    /// Of one that is replaced: parameters that come.
    pub added: usize,
    /// Parameters that go.
    pub removed: usize,
    /// Parameters that change.
    pub changed: usize,
    /// Why it cannot be taken.
    pub reason: Option<String>,
}

impl From<Plan> for ArchiveShape {
    fn from(plan: Plan) -> Self {
        let (has_deployment, attached) = (plan.has_deployment, plan.attached.map(AttachedAgainShape::from));
        Self { profiles: plan.profiles.into_iter().map(ArchivedShape::from).collect(), has_deployment, attached }
    }
}

impl From<Planned> for ArchivedShape {
    fn from(one: Planned) -> Self {
        let (added, removed, changed) = match one.fate {
            Fate::Replaced { added, removed, changed, .. } => (added, removed, changed),
            _ => (0, 0, 0),
        };
        let result = one.fate.word().to_owned();
        let reason = if let Fate::Refused(why) = one.fate { Some(why) } else { None };
        let (parameters, lost_secrets) = (one.parameters, one.lost_secrets);
        Self { name: one.name, file: one.file, result, parameters, lost_secrets, added, removed, changed, reason }
    }
}

/// Answers user-defined profiles as a ZIP archive, secrets masked. That of all profiles also says where profiles are attached, in
/// `deployment.json`.
#[utoipa::path(tag = "profiles", params(AccountPath, Exported), responses((status = 200, body = Vec<u8>, content_type = "application/zip")))]
#[get("/accounts/{account}/profiles/export")]
pub async fn export_profiles(
    caller: Caller,
    services: web::Data<Services>,
    wanted: Asked<Exported>,
) -> Result<HttpResponse, Problem> {
    export(caller, services, wanted.into_inner(), Secrets::Masked).await
}

/// Answers user-defined profiles as a ZIP archive with their secrets in clear; noted in the activity log.
#[utoipa::path(tag = "profiles", params(AccountPath, Exported), responses((status = 200, body = Vec<u8>, content_type = "application/zip")))]
#[get("/accounts/{account}/profiles/export/secrets")]
pub async fn export_profiles_with_secrets(
    caller: Caller,
    services: web::Data<Services>,
    wanted: Asked<Exported>,
) -> Result<HttpResponse, Problem> {
    export(caller, services, wanted.into_inner(), Secrets::Clear).await
}

async fn export(
    caller: Caller,
    services: web::Data<Services>,
    wanted: Exported,
    secrets: Secrets,
) -> Result<HttpResponse, Problem> {
    let ids = wanted.ids(&*services.world(caller.account)?)?;
    let work = move |services: &Services| archive::export(services, &caller.actor, caller.account, ids.as_ref(), secrets);
    Ok(download("profiles.zip", "application/zip", blocking::call(&services, work).await?))
}

/// Takes an archive of profiles: one of the same name is replaced. Where one cannot be taken, none is.
#[utoipa::path(tag = "profiles", params(AccountPath, ArchiveTaken), request_body(content = Vec<u8>, content_type = "application/zip"), responses((status = 200, body = ArchiveShape)))]
#[post("/accounts/{account}/profiles/import/archive")]
pub async fn import_profiles(
    caller: Caller,
    services: web::Data<Services>,
    taken: Asked<ArchiveTaken>,
    payload: web::Payload,
) -> Result<web::Json<ArchiveShape>, Problem> {
    let attach = if taken.attach { Attach::Yes } else { Attach::No };
    let (file, mode) = (sent::file(payload, sizes::ARCHIVE).await?, body::mode(taken.dry_run));
    let work = move |services: &Services| archive::take(services, &caller.actor, caller.account, &file, attach, mode);
    Ok(web::Json(blocking::call(&services, work).await?.into()))
}

/// Which parameter.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct OfParameter {
    /// Full name.
    #[param(example = "reg.1.address")]
    name: String,
}

/// One change of a parameter.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct PastValueShape {
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub actor: String,
    /// What was done to the profile.
    pub action: String,
    /// Value before; a secret is masked, null where it was not there.
    pub old: Option<String>,
    /// Value after; null where it was taken out.
    pub new: Option<String>,
}

impl From<PastValue> for PastValueShape {
    fn from(PastValue { at, actor, action, old, new }: PastValue) -> Self {
        Self { at, actor, action, old, new }
    }
}

/// Tells the last changes of a parameter of a profile, newest first, as far as the activity log reaches back.
#[utoipa::path(tag = "profiles", params(ProfilePath, OfParameter), responses((status = 200, body = Vec<PastValueShape>)))]
#[get("/accounts/{account}/profiles/{id}/history")]
pub async fn show_parameter_history(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<ProfilePath>,
    of: Asked<OfParameter>,
) -> Result<web::Json<Vec<PastValueShape>>, Problem> {
    let (id, name) = (path.id()?, of.into_inner().name);
    let work = move |services: &Services| profiles::history(services, caller.account, id, &name, 100);
    let past = blocking::call(&services, work).await?;
    Ok(web::Json(past.into_iter().map(PastValueShape::from).collect()))
}
