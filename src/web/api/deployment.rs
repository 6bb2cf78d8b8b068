//! Which profiles are attached where, in order: to all devices, to places of every kind, and to single devices.

use actix_web::{get, put, web};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::body::DryRun;
use super::caller::Caller;
use super::list::{List, Paging, asked};
use super::paths::{AccountPath, DevicePath};
use super::problem::Problem;
use super::sent::{Asked, Sent};
use crate::domain::deployment::{Place, name};
use crate::domain::ids::{AccountId, ProfileId};
use crate::domain::world::World;
use crate::services::commit::Mode;
use crate::services::deployment::{self, Target};
use crate::services::places::ListedPlace;
use crate::services::{Services, lists};
use crate::web::{blocking, places as words};

/// The profiles of one place or device.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct AttachedShape {
    /// Profiles, highest first.
    pub profiles: Vec<AttachedProfile>,
    /// The same as numbers alone: what to send back as `shown` with a change.
    pub shown: Vec<u64>,
    /// What phones will make of these profiles together that may not be meant, with what to do about it.
    pub warnings: Vec<String>,
}

/// A place that profiles can be attached to.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct PlaceShape {
    /// `devices`, `people`, `rooms`, `person-groups`, `sites`, `models`, `groups` or `global`.
    pub container: String,
    /// What it is known by in addresses; empty for `global`.
    pub id: String,
    /// What it is called; absent where it is gone.
    pub name: Option<String>,
}

impl PlaceShape {
    /// A place of a world.
    pub fn new(target: &Target, world: &World) -> Self {
        let (container, id) = words::words(target);
        let name = match target {
            Target::Place(place) => name(place, world),
            Target::Device(key) => Some(key.to_string()),
        };
        Self { container: container.to_owned(), id, name }
    }
}

/// A place with its profiles.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct DeployedShape {
    /// The place.
    #[serde(flatten)]
    pub place: PlaceShape,
    /// Profiles, highest first.
    pub profiles: Vec<AttachedProfile>,
    /// How many devices it speaks for.
    pub devices: usize,
    /// Where the search found it, such as `profile: Lobby`; absent where that is its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// Which places.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// Words that must all occur in the name, the description or the names of attached profiles; of devices, in anything that is known
    /// of them.
    q: Option<String>,
    /// `devices`, `people`, `rooms`, `person-groups`, `sites`, `models`, `groups` or `global`.
    container: Option<String>,
    /// Only those that profiles are attached to.
    attached: Option<bool>,
    /// `container`, the strongest first and the devices behind all places, `name`, `profiles` or `devices`; with `-` in front the other way
    /// round.
    sort: Option<String>,
    /// Page, counted from 1.
    page: Option<usize>,
    /// Places on a page, at most 1000.
    per_page: Option<usize>,
}

/// A place of an account.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct PlacePath {
    /// Label of the account.
    #[param(example = "default")]
    #[expect(dead_code, reason = "the caller extractor reads it; here it is for the description")]
    account: String,
    /// `people`, `rooms`, `person-groups`, `sites`, `models` or `groups`.
    #[param(example = "models")]
    container: String,
    /// Its number; of a model its name.
    #[param(example = "VVX 411")]
    id: String,
}

impl PlacePath {
    fn target(&self) -> Result<Target, Problem> {
        words::parse(&self.container, &self.id)
            .ok_or_else(|| Problem::not_found("place", format_args!("{}/{}", self.container, self.id)))
    }
}

/// One attached profile.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct AttachedProfile {
    /// Key.
    pub id: u64,
    /// Name.
    pub name: String,
}

/// Profiles to attach in place of those that are.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewOrder {
    /// Profiles, highest first.
    profiles: Vec<u64>,
    /// The list that the change was made from, as it was answered; a conflict where it is no longer that.
    shown: Vec<u64>,
}

/// Lists the places that profiles can be attached to, with their profiles.
#[utoipa::path(tag = "deployment", params(AccountPath, Wanted), responses((status = 200, body = List<DeployedShape>)))]
#[get("/accounts/{account}/deployment")]
pub async fn list_deployment(
    caller: Caller,
    services: web::Data<Services>,
    _: web::Path<AccountPath>,
    wanted: Asked<Wanted>,
) -> Result<web::Json<List<DeployedShape>>, Problem> {
    let Wanted { q, container, attached, sort, page, per_page } = wanted.into_inner();
    let paging = Paging::new(page, per_page)?;
    let attached = attached.map(|wanted| wanted.to_string());
    let values = [("q", q), ("container", container), ("attached", attached), ("sort", sort)];
    let (account, asked) = (caller.account, asked(&lists::places::LISTING, values)?);
    let found = blocking::call(&services, move |services| lists::places::list(services, account, &asked)).await?;
    let world = services.world(account)?;
    let shape = |one: ListedPlace| DeployedShape {
        place: PlaceShape { name: Some(one.name), ..PlaceShape::new(&one.target, &world) },
        profiles: attached_profiles(&one.profiles, &world),
        devices: one.devices,
        why: one.why.map(|(what, text)| format!("{what}: {text}")),
    };
    Ok(web::Json(paging.cut(found.into_iter(), shape)))
}

/// Shows the profiles attached to all devices.
#[utoipa::path(tag = "deployment", params(AccountPath), responses((status = 200, body = AttachedShape)))]
#[get("/accounts/{account}/deployment/global")]
pub async fn show_global(caller: Caller, services: web::Data<Services>) -> Result<web::Json<AttachedShape>, Problem> {
    show(&caller, &services, &Target::Place(Place::Global))
}

/// Sets the profiles attached to all devices.
#[utoipa::path(tag = "deployment", params(AccountPath, DryRun), request_body = NewOrder, responses((status = 200, body = AttachedShape)))]
#[put("/accounts/{account}/deployment/global")]
pub async fn set_global(
    caller: Caller,
    services: web::Data<Services>,
    dry_run: Asked<DryRun>,
    order: Sent<NewOrder>,
) -> Result<web::Json<AttachedShape>, Problem> {
    set(caller, services, Target::Place(Place::Global), order.into_inner(), dry_run.mode()).await
}

/// Shows the profiles attached to a device itself.
#[utoipa::path(tag = "deployment", params(DevicePath), responses((status = 200, body = AttachedShape)))]
#[get("/accounts/{account}/deployment/devices/{key}")]
pub async fn show_of_device(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<DevicePath>,
) -> Result<web::Json<AttachedShape>, Problem> {
    show(&caller, &services, &Target::Device(path.key()?))
}

/// Sets the profiles attached to a device itself.
#[utoipa::path(tag = "deployment", params(DevicePath, DryRun), request_body = NewOrder, responses((status = 200, body = AttachedShape)))]
#[put("/accounts/{account}/deployment/devices/{key}")]
pub async fn set_of_device(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<DevicePath>,
    dry_run: Asked<DryRun>,
    order: Sent<NewOrder>,
) -> Result<web::Json<AttachedShape>, Problem> {
    set(caller, services, Target::Device(path.key()?), order.into_inner(), dry_run.mode()).await
}

/// Shows the profiles attached to a place.
#[utoipa::path(tag = "deployment", params(PlacePath), responses((status = 200, body = AttachedShape)))]
#[get("/accounts/{account}/deployment/{container}/{id}")]
pub async fn show_of_place(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<PlacePath>,
) -> Result<web::Json<AttachedShape>, Problem> {
    show(&caller, &services, &path.target()?)
}

/// Sets the profiles attached to a place.
#[utoipa::path(tag = "deployment", params(PlacePath, DryRun), request_body = NewOrder, responses((status = 200, body = AttachedShape)))]
#[put("/accounts/{account}/deployment/{container}/{id}")]
pub async fn set_of_place(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<PlacePath>,
    dry_run: Asked<DryRun>,
    order: Sent<NewOrder>,
) -> Result<web::Json<AttachedShape>, Problem> {
    set(caller, services, path.target()?, order.into_inner(), dry_run.mode()).await
}

fn show(caller: &Caller, services: &Services, target: &Target) -> Result<web::Json<AttachedShape>, Problem> {
    let attached = deployment::of(services, caller.account, target)?;
    shape(services, caller.account, attached)
}

async fn set(
    caller: Caller,
    services: web::Data<Services>,
    target: Target,
    order: NewOrder,
    mode: Mode,
) -> Result<web::Json<AttachedShape>, Problem> {
    let ids = |numbers: Vec<u64>| numbers.into_iter().map(ProfileId).collect::<Vec<_>>();
    let (profiles, shown) = (ids(order.profiles), ids(order.shown));
    let work = move |services: &Services| {
        deployment::set(services, &caller.actor, caller.account, &target, Some(&shown), profiles, mode)
    };
    let attached = blocking::call(&services, work).await?;
    shape(&services, caller.account, attached)
}

fn shape(services: &Services, account: AccountId, attached: Vec<ProfileId>) -> Result<web::Json<AttachedShape>, Problem> {
    let world = services.world(account)?;
    let profiles = attached_profiles(&attached, &world);
    let warnings = deployment::warnings(&world, &attached).iter().map(ToString::to_string).collect();
    Ok(web::Json(AttachedShape { profiles, shown: attached.iter().map(|id| id.0).collect(), warnings }))
}

fn attached_profiles(list: &[ProfileId], world: &World) -> Vec<AttachedProfile> {
    let name = |id: &ProfileId| world.profile(*id).map(|profile| profile.name.to_string()).unwrap_or_default();
    list.iter().map(|id| AttachedProfile { id: id.0, name: name(id) }).collect()
}
