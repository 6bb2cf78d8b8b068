//! Sites: adding, editing and deleting them, which one claims an address, and the moves that wait.

use std::collections::BTreeSet;
use std::net::IpAddr;

use actix_web::{HttpResponse, delete, get, patch, post, put, web};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::body::{Amount, DryRun, OneOrMany, created};
use super::caller::Caller;
use super::list::{List, Paging, asked};
use super::matching::{Chosen, Matching, chosen};
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
use crate::domain::site::draft::SiteDraft;
use crate::domain::site::index::SiteIndex;
use crate::domain::site::{INTERNET, Origin};
use crate::services::commit::Mode;
use crate::services::error::ServiceError;
use crate::services::sites::moves::{self, Answer};
use crate::services::sites::{self, Shown};
use crate::services::{Services, lists};
use crate::web::blocking;

/// Which sites.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// Words that must all occur in name, description, location, subnets or time zone.
    q: Option<String>,
    /// `zone` or `window`: with one of their own; `nothing`: without any subnet.
    has: Option<String>,
    /// `name`, `description`, `location`, `devices`, `zone` or `modified`; with `-` in front the other way round.
    sort: Option<String>,
    /// Page, counted from 1.
    page: Option<usize>,
    /// Sites on a page, at most 1000.
    per_page: Option<usize>,
    /// `true`: the answer tells the mark of all that was found, to be sent with `matching`.
    mark: Option<bool>,
}

/// Lists sites.
#[utoipa::path(tag = "sites", params(AccountPath, Wanted), responses((status = 200, body = List<SiteShape>)))]
#[get("/accounts/{account}/sites")]
pub async fn list_sites(
    caller: Caller,
    services: web::Data<Services>,
    wanted: Asked<Wanted>,
) -> Result<web::Json<List<SiteShape>>, Problem> {
    let Wanted { q, has, sort, page, per_page, mark } = wanted.into_inner();
    let paging = Paging::new(page, per_page)?;
    let asked = asked(&lists::sites::LISTING, [("q", q), ("has", has), ("sort", sort)])?;
    let (account, world) = (caller.account, services.world(caller.account)?);
    let found = blocking::call(&services, move |services| lists::sites::list(services, account, &asked)).await?;
    let mut list = paging.cut(found.iter(), |one| SiteShape::plain(&one.site, one.devices));
    let index = SiteIndex::of_all(&world.sites);
    list.items.iter_mut().for_each(|site| site.warn(&world.sites, &index));
    Ok(web::Json(list.marked(mark, || found.iter().map(|one| one.site.id).collect())))
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
        text.parse::<IpAddr>().map(|ip| ip.to_canonical()).map_err(|_| format!("“{text}” is no IP address"))
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
    /// Numbers of the sites.
    ids: Option<Vec<u64>>,
    /// All that the list finds, in place of these.
    #[serde(default)]
    matching: Option<Matching>,
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
    let SiteSelection { ids, matching } = sent.into_inner();
    let ids = match chosen("ids", ids, matching)? {
        Chosen::Named(ids) => {
            Amount::Many.parse_all(&ids, known).map_err(|wrong| Problem::items("ids", &wrong))?.into_iter().collect()
        }
        Chosen::All(matching) => {
            let find = |asked: &lists::Asked| {
                let found = lists::sites::list(&services, caller.account, asked)?;
                Ok(found.iter().map(|one| one.site.id).collect())
            };
            matching.keys_of(&lists::sites::LISTING, find, |id| *id != INTERNET)?
        }
    };
    delete_all(caller, services, ids, dry_run.mode()).await
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

/// Which moves.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct WantedMoves {
    /// Words that must all occur in the device's name or key, the site or the addresses.
    q: Option<String>,
    /// Number of the site that the devices keep.
    site: Option<u64>,
    /// `since`, who waits longest first, `name`, `key`, `site` or `address`; with `-` in front the other way round.
    sort: Option<String>,
    /// Page, counted from 1.
    page: Option<usize>,
    /// Moves on a page, at most 1000.
    per_page: Option<usize>,
    /// `true`: the answer tells the mark of all that was found, to be sent with `matching`.
    mark: Option<bool>,
}

/// Lists the devices that came from no site any more and keep their old one until somebody decides.
#[utoipa::path(tag = "sites", params(AccountPath, WantedMoves), responses((status = 200, body = List<PendingMoveShape>)))]
#[get("/accounts/{account}/pending-moves")]
pub async fn list_pending_moves(
    caller: Caller,
    services: web::Data<Services>,
    wanted: Asked<WantedMoves>,
) -> Result<web::Json<List<PendingMoveShape>>, Problem> {
    let WantedMoves { q, site, sort, page, per_page, mark } = wanted.into_inner();
    let paging = Paging::new(page, per_page)?;
    let site = site.map(|id| id.to_string());
    let asked = asked(&lists::moves::LISTING, [("q", q), ("site", site), ("sort", sort)])?;
    let found = lists::moves::list(&services, caller.account, &asked)?;
    let keys: Vec<_> = found.iter().map(|one| one.listed.device.key.clone()).collect();
    let list = paging.cut(found.into_iter(), PendingMoveShape::from);
    Ok(web::Json(list.marked(mark, || keys.into_iter().collect())))
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
    let MoveSelection { keys, matching } = sent.into_inner();
    let keys: BTreeSet<DeviceKey> = match chosen("keys", keys, matching)? {
        Chosen::Named(keys) if keys.len() > DELETED_AT_ONCE => {
            return Err(Problem::field("keys", format_args!("send at most {DELETED_AT_ONCE} at once")));
        }
        Chosen::Named(keys) => {
            Amount::Many.parse_all(&keys, parse).map_err(|wrong| Problem::items("keys", &wrong))?.into_iter().collect()
        }
        Chosen::All(matching) => matching.keys(&lists::moves::LISTING, |asked| {
            let found = lists::moves::list(&services, caller.account, asked)?;
            Ok(found.into_iter().map(|one| one.listed.device.key.clone()).collect())
        })?,
    };
    let mode = dry_run.mode();
    let work = move |services: &Services| moves::decide(services, &caller.actor, caller.account, &keys, answer, mode);
    let decided = blocking::call(&services, work).await.map_err(|error| match error {
        ServiceError::Invalid(wrong) => Problem::items("keys", &wrong),
        other => other.into(),
    })?;
    Ok(web::Json(DecidedShape { decided }))
}
