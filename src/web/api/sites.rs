//! Sites: adding, editing and deleting them, which one claims an address, and the moves that wait.

use std::collections::BTreeSet;
use std::net::IpAddr;

use actix_web::{HttpResponse, delete, get, patch, post, put, web};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::body::{Amount, DryRun, OneOrMany, created};
use super::caller::Caller;
use super::list::{List, Narrow, Order, narrowed};
use super::paths::{AccountPath, SitePath};
use super::problem::Problem;
use super::sent::{Asked, Sent};
use super::site_shapes::{
    DecidedShape, MatchShape, MoveSelection, MovesShape, NewSite, PendingMoveShape, SavedSite, SiteChanges, SiteShape,
};
use crate::domain::device::DeviceKey;
use crate::domain::field_error::FieldErrors;
use crate::domain::ids::SiteId;
use crate::domain::limits::DELETED_AT_ONCE;
use crate::domain::placement::find;
use crate::domain::site::Origin;
use crate::domain::site::draft::SiteDraft;
use crate::domain::site::index::SiteIndex;
use crate::services::Services;
use crate::services::commit::Mode;
use crate::services::error::ServiceError;
use crate::services::sites::moves::{self, Answer};
use crate::services::sites::{self, Shown};
use crate::web::blocking;

/// Orders of the sites.
const ORDERS: &[Order<SiteShape>] = &[
    ("name", |a, b| (a.name.to_lowercase(), a.id).cmp(&(b.name.to_lowercase(), b.id))),
    ("location", |a, b| (a.location.to_lowercase(), a.id).cmp(&(b.location.to_lowercase(), b.id))),
    ("device_count", |a, b| (a.device_count, a.id).cmp(&(b.device_count, b.id))),
    ("modified_at", |a, b| (a.modified_at, a.id).cmp(&(b.modified_at, b.id))),
    ("id", |a, b| a.id.cmp(&b.id)),
];

/// Lists sites.
#[utoipa::path(tag = "sites", params(AccountPath, Narrow), responses((status = 200, body = List<SiteShape>)))]
#[get("/accounts/{account}/sites")]
pub async fn list_sites(
    caller: Caller,
    services: web::Data<Services>,
    asked: Asked<Narrow>,
) -> Result<web::Json<List<SiteShape>>, Problem> {
    let account = caller.account;
    let world = services.world(account)?;
    let count = move |services: &Services| Ok::<_, ServiceError>(sites::device_counts(services, account));
    let counts = blocking::call(&services, count).await?;
    let shapes: Vec<SiteShape> = world.sites.values().map(|site| SiteShape::plain(site, &counts)).collect();
    let texts = |site: &SiteShape| {
        let networks = site.networks.iter().flat_map(|one| [one.public.clone()].into_iter().chain(one.private.clone()));
        networks.chain([site.name.clone(), site.description.clone(), site.location.clone()]).collect()
    };
    let mut list = narrowed(shapes, &asked, texts, ORDERS)?;
    let index = SiteIndex::of_all(&world.sites);
    list.items.iter_mut().for_each(|site| site.warn(&world.sites, &index));
    Ok(web::Json(list))
}

/// Where somebody comes from.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Addresses {
    /// The address that this server sees.
    #[param(value_type = String, example = "20.1.9.9")]
    seen: String,
    /// The address that the phone has itself; left out, the seen one counts for it.
    #[param(value_type = Option<String>, example = "10.33.24.7")]
    own: Option<String>,
}

/// Tells which site an address belongs to, and which of its networks says so.
#[utoipa::path(tag = "sites", params(AccountPath, Addresses), responses((status = 200, body = MatchShape)))]
#[get("/accounts/{account}/sites/match")]
pub async fn match_site(
    caller: Caller,
    services: web::Data<Services>,
    asked: Asked<Addresses>,
) -> Result<web::Json<MatchShape>, Problem> {
    let mut errors = FieldErrors::new();
    let address = |text: &str| {
        let text = text.trim();
        text.parse::<IpAddr>().map_err(|_| format!("“{text}” is no IP address"))
    };
    let seen = errors.take("seen", address(&asked.seen));
    let own = asked.own.as_deref().and_then(|text| errors.take("own", address(text)));
    let seen = errors.into_result(seen)?;
    let world = services.world(caller.account)?;
    Ok(web::Json(MatchShape::new(find(&world.sites, Origin { seen, own }), &world.sites)))
}

/// Shows a site.
#[utoipa::path(tag = "sites", params(SitePath), responses((status = 200, body = SiteShape)))]
#[get("/accounts/{account}/sites/{id}")]
pub async fn show_site(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<SitePath>,
) -> Result<web::Json<SiteShape>, Problem> {
    let site = sites::get(&services, caller.account, path.id()?)?;
    let world = services.world(caller.account)?;
    Ok(web::Json(SiteShape::new(&site, &world.sites, &sites::device_counts(&services, caller.account))))
}

/// Adds a site, or all of an array or none. Answers too which devices come to it.
#[utoipa::path(tag = "sites", params(AccountPath, DryRun), request_body = OneOrMany<NewSite>, responses((status = 201, body = OneOrMany<SavedSite>), (status = 200, description = "A dry run", body = OneOrMany<SavedSite>)))]
#[post("/accounts/{account}/sites")]
pub async fn add_sites(
    caller: Caller,
    services: web::Data<Services>,
    dry_run: Asked<DryRun>,
    sent: Sent<OneOrMany<NewSite>>,
) -> Result<HttpResponse, Problem> {
    let (amount, inputs) = sent.into_inner().into_list();
    let drafts = amount.parse_all(&inputs, |new| SiteDraft::parse(&new.input()))?;
    let mode = dry_run.mode();
    let work = move |services: &Services| {
        let saved = sites::create(services, &caller.actor, caller.account, drafts, mode)?;
        let counts = sites::device_counts(services, caller.account);
        Ok::<_, ServiceError>(SavedSite::all(&saved, &*services.world(caller.account)?, &counts))
    };
    let shapes = blocking::call(&services, work).await.map_err(|error| amount.placed(error))?;
    Ok(HttpResponse::build(created(mode)).json(amount.shape(shapes)))
}

/// Sets everything of a site; what is not sent is cleared. Answers too which devices move.
#[utoipa::path(tag = "sites", params(SitePath, DryRun), request_body = NewSite, responses((status = 200, body = SavedSite)))]
#[put("/accounts/{account}/sites/{id}")]
pub async fn replace_site(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<SitePath>,
    dry_run: Asked<DryRun>,
    sent: Sent<NewSite>,
) -> Result<web::Json<SavedSite>, Problem> {
    let id = sites::get(&services, caller.account, path.id()?)?.id;
    let revision = sent.revision.ok_or_else(|| Problem::field("revision", "send the revision that the change was made from"))?;
    let draft = SiteDraft::parse(&sent.input())?;
    save(caller, services, Shown { id, revision }, draft, dry_run.mode()).await
}

/// Changes what is sent of a site. Answers too which devices move.
#[utoipa::path(tag = "sites", params(SitePath, DryRun), request_body = SiteChanges, responses((status = 200, body = SavedSite)))]
#[patch("/accounts/{account}/sites/{id}")]
pub async fn change_site(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<SitePath>,
    dry_run: Asked<DryRun>,
    sent: Sent<SiteChanges>,
) -> Result<web::Json<SavedSite>, Problem> {
    let site = sites::get(&services, caller.account, path.id()?)?;
    let shown = Shown { id: site.id, revision: sent.revision };
    let draft = SiteDraft::parse(&sent.into_inner().input(&site))?;
    save(caller, services, shown, draft, dry_run.mode()).await
}

async fn save(
    caller: Caller,
    services: web::Data<Services>,
    shown: Shown,
    draft: SiteDraft,
    mode: Mode,
) -> Result<web::Json<SavedSite>, Problem> {
    let work = move |services: &Services| {
        let saved = sites::update(services, &caller.actor, caller.account, shown, draft, mode)?;
        let counts = sites::device_counts(services, caller.account);
        Ok::<_, ServiceError>(SavedSite::all(&saved, &*services.world(caller.account)?, &counts))
    };
    let saved = blocking::call(&services, work).await?.pop();
    Ok(web::Json(saved.ok_or_else(|| Problem::not_found("site", shown.id))?))
}

/// Deletes a site and what is attached to it. Answers where its devices go.
#[utoipa::path(tag = "sites", params(SitePath, DryRun), responses((status = 200, body = MovesShape)))]
#[delete("/accounts/{account}/sites/{id}")]
pub async fn delete_site(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<SitePath>,
    dry_run: Asked<DryRun>,
) -> Result<web::Json<MovesShape>, Problem> {
    let ids = BTreeSet::from([path.id()?]);
    delete_all(caller, services, ids, dry_run.mode()).await
}

/// Sites to delete.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SiteSelection {
    /// Numbers of the sites, at most 1000.
    ids: Vec<u64>,
}

/// Deletes several sites and what is attached to them: all or none. Answers where their devices go.
#[utoipa::path(tag = "sites", params(AccountPath, DryRun), request_body = SiteSelection, responses((status = 200, body = MovesShape)))]
#[post("/accounts/{account}/sites/delete")]
pub async fn delete_sites(
    caller: Caller,
    services: web::Data<Services>,
    dry_run: Asked<DryRun>,
    sent: Sent<SiteSelection>,
) -> Result<web::Json<MovesShape>, Problem> {
    let world = services.world(caller.account)?;
    let known = |id: &u64| match world.sites.contains_key(&SiteId(*id)) {
        true => Ok(SiteId(*id)),
        false => Err(FieldErrors::one("id", format_args!("there is no site {id}"))),
    };
    let ids = Amount::Many.parse_all(&sent.into_inner().ids, known).map_err(|wrong| Problem::items("ids", &wrong))?;
    delete_all(caller, services, ids.into_iter().collect(), dry_run.mode()).await
}

async fn delete_all(
    caller: Caller,
    services: web::Data<Services>,
    ids: BTreeSet<SiteId>,
    mode: Mode,
) -> Result<web::Json<MovesShape>, Problem> {
    let work = move |services: &Services| sites::delete_all(services, &caller.actor, caller.account, &ids, mode);
    Ok(web::Json(blocking::call(&services, work).await?.what.into()))
}

/// Orders of the moves that wait.
const MOVE_ORDERS: &[Order<PendingMoveShape>] = &[
    ("waits_since", |a, b| (a.waits_since, &a.key).cmp(&(b.waits_since, &b.key))),
    ("key", |a, b| a.key.cmp(&b.key)),
    ("site", |a, b| (a.site.to_lowercase(), &a.key).cmp(&(b.site.to_lowercase(), &b.key))),
    ("name", |a, b| (&a.name, &a.key).cmp(&(&b.name, &b.key))),
];

/// Lists the devices that came from no site any more and keep their old one until somebody decides.
#[utoipa::path(tag = "sites", params(AccountPath, Narrow), responses((status = 200, body = List<PendingMoveShape>)))]
#[get("/accounts/{account}/pending-moves")]
pub async fn list_pending_moves(
    caller: Caller,
    services: web::Data<Services>,
    asked: Asked<Narrow>,
) -> Result<web::Json<List<PendingMoveShape>>, Problem> {
    let world = services.world(caller.account)?;
    let waiting = moves::list(&services, caller.account);
    let shapes: Vec<_> = waiting.iter().filter_map(|listed| PendingMoveShape::new(listed, &world.sites)).collect();
    let texts = |one: &PendingMoveShape| {
        let address = |ip: Option<IpAddr>| ip.map(|ip| ip.to_string()).unwrap_or_default();
        let name = one.name.clone().unwrap_or_default();
        vec![one.key.clone(), name, one.site.clone(), address(one.public_ip), address(one.private_ip)]
    };
    Ok(web::Json(narrowed(shapes, &asked, texts, MOVE_ORDERS)?))
}

/// What is decided.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct AnswerPath {
    /// Label of the account.
    #[param(example = "default")]
    #[expect(dead_code, reason = "the caller extractor reads it; here it is for the description")]
    account: String,
    /// `accept` or `decline`.
    #[param(example = "accept")]
    answer: String,
}

/// Decides about moves to *Internet* that wait: accepted, a device belongs there from now on; declined, it keeps its site and is not
/// asked about again before it came from somewhere else.
#[utoipa::path(tag = "sites", params(AnswerPath, DryRun), request_body = MoveSelection, responses((status = 200, body = DecidedShape)))]
#[post("/accounts/{account}/pending-moves/{answer}")]
pub async fn decide_pending_moves(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<AnswerPath>,
    dry_run: Asked<DryRun>,
    sent: Sent<MoveSelection>,
) -> Result<web::Json<DecidedShape>, Problem> {
    let answer = match path.answer.as_str() {
        "accept" => Answer::Accept,
        "decline" => Answer::Decline,
        other => return Err(Problem::not_found("answer", other)),
    };
    let parse = |text: &String| {
        text.parse::<DeviceKey>().map_err(|_| FieldErrors::one("key", format_args!("“{text}” is no MAC or serial number")))
    };
    let keys = sent.into_inner().keys;
    if keys.len() > DELETED_AT_ONCE {
        return Err(Problem::field("keys", format_args!("send at most {DELETED_AT_ONCE} at once")));
    }
    let keys = Amount::Many.parse_all(&keys, parse).map_err(|wrong| Problem::items("keys", &wrong))?;
    let (keys, mode): (BTreeSet<_>, _) = (keys.into_iter().collect(), dry_run.mode());
    let work = move |services: &Services| moves::decide(services, &caller.actor, caller.account, &keys, answer, mode);
    let decided = blocking::call(&services, work).await.map_err(|error| match error {
        ServiceError::Invalid(wrong) => Problem::items("keys", &wrong),
        other => other.into(),
    })?;
    Ok(web::Json(DecidedShape { decided }))
}
