//! Device groups: making, editing and deleting them. [`super::membership`] has their members and orders.

use std::collections::BTreeSet;

use actix_web::{HttpResponse, delete, get, patch, post, put, web};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::body::{Amount, DryRun, OneOrMany, created};
use super::caller::Caller;
use super::group_shapes::{GroupChanges, GroupShape, LossShape, NewGroup};
use super::list::{List, Paging, asked};
use super::matching::{Chosen, Matching, chosen};
use super::paths::{AccountPath, GroupPath};
use super::problem::Problem;
use super::sent::{Asked, Sent};
use crate::domain::field_error::FieldErrors;
use crate::domain::group::GroupDraft;
use crate::domain::ids::{AccountId, GroupId};
use crate::services::commit::Mode;
use crate::services::groups::{self, Shown};
use crate::services::{Services, lists};
use crate::web::blocking;

/// Which groups.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// Words that must all occur in name, description or the name of who changed it last.
    q: Option<String>,
    /// Only those that automatically added devices join, or only the others.
    default: Option<bool>,
    /// `name`, `devices`, `profiles`, `default`, `by` or `modified`; with `-` in front the other way round.
    sort: Option<String>,
    /// Page, counted from 1.
    page: Option<usize>,
    /// Groups on a page, at most 1000.
    per_page: Option<usize>,
    /// `true`: the answer tells the mark of all that was found, to be sent with `matching`.
    mark: Option<bool>,
}

/// Groups to delete.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupSelection {
    /// Numbers of the groups.
    ids: Option<Vec<u64>>,
    /// All that the list finds, in place of these.
    #[serde(default)]
    matching: Option<Matching>,
}

/// Lists device groups.
#[utoipa::path(tag = "groups", params(AccountPath, Wanted), responses((status = 200, body = List<GroupShape>)))]
#[get("/accounts/{account}/groups")]
pub async fn list_groups(
    caller: Caller,
    services: web::Data<Services>,
    wanted: Asked<Wanted>,
) -> Result<web::Json<List<GroupShape>>, Problem> {
    let Wanted { q, default, sort, page, per_page, mark } = wanted.into_inner();
    let paging = Paging::new(page, per_page)?;
    let default = default.map(|wanted| wanted.to_string());
    let asked = asked(&lists::groups::LISTING, [("q", q), ("default", default), ("sort", sort)])?;
    let world = services.world(caller.account)?;
    let found = lists::groups::list(&services, caller.account, &asked)?;
    let list = paging.cut(found.iter(), |one| GroupShape::new(&one.group, one.devices, &world));
    Ok(web::Json(list.marked(mark, || found.iter().map(|one| one.group.id).collect())))
}

fn all(services: &Services, account: AccountId) -> Result<Vec<GroupShape>, Problem> {
    let world = services.world(account)?;
    let counts = services.roster(account).counts(services.clock().now()).groups;
    let shape = |group| GroupShape::new(group, counts.get(&group.id).copied().unwrap_or(0), &world);
    Ok(world.groups.values().map(|group| shape(&**group)).collect())
}

/// Shows a device group.
#[utoipa::path(tag = "groups", params(GroupPath), responses((status = 200, body = GroupShape)))]
#[get("/accounts/{account}/groups/{id}")]
pub async fn show_group(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<GroupPath>,
) -> Result<web::Json<GroupShape>, Problem> {
    let id = path.id()?;
    groups::get(&services, caller.account, id)?;
    shape(&services, caller.account, id)
}

fn shape(services: &Services, account: AccountId, id: GroupId) -> Result<web::Json<GroupShape>, Problem> {
    let found = all(services, account)?.into_iter().find(|group| group.id == id.0);
    found.map(web::Json).ok_or_else(|| Problem::not_found("device group", id))
}

/// Makes a device group, with devices and profiles if they are sent, or all of an array or none.
#[utoipa::path(tag = "groups", params(AccountPath, DryRun), request_body = OneOrMany<NewGroup>, responses((status = 201, body = OneOrMany<GroupShape>), (status = 200, description = "A dry run", body = OneOrMany<GroupShape>)))]
#[post("/accounts/{account}/groups")]
pub async fn create_groups(
    caller: Caller,
    services: web::Data<Services>,
    dry_run: Asked<DryRun>,
    sent: Sent<OneOrMany<NewGroup>>,
) -> Result<HttpResponse, Problem> {
    let (amount, inputs) = sent.into_inner().into_list();
    let drafts = amount.parse_all(&inputs, NewGroup::whole)?;
    let members: Vec<usize> = drafts.iter().map(|one| one.members.len()).collect();
    let mode = dry_run.mode();
    let work = move |services: &Services| groups::create(services, &caller.actor, caller.account, drafts, mode);
    let made = blocking::call(&services, work).await.map_err(|error| amount.placed(error))?;
    let world = services.world(caller.account)?;
    let shapes = made.iter().zip(members).map(|(group, devices)| GroupShape::new(group, devices, &world)).collect();
    Ok(HttpResponse::build(created(mode)).json(amount.shape(shapes)))
}

/// Replaces name and description.
#[utoipa::path(tag = "groups", params(GroupPath, DryRun), request_body = NewGroup, responses((status = 200, body = GroupShape)))]
#[put("/accounts/{account}/groups/{id}")]
pub async fn replace_group(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<GroupPath>,
    dry_run: Asked<DryRun>,
    sent: Sent<NewGroup>,
) -> Result<web::Json<GroupShape>, Problem> {
    let id = path.id()?;
    groups::get(&services, caller.account, id)?;
    let revision = sent.revision.ok_or_else(|| Problem::field("revision", "send the revision that the change was made from"))?;
    if !sent.members.is_empty() || !sent.profiles.is_empty() {
        return Err(Problem::field("members", "members and profiles of a group that is there have addresses of their own"));
    }
    update(caller, services, Shown { id, revision }, sent.draft()?, dry_run.mode()).await
}

/// Changes name or description.
#[utoipa::path(tag = "groups", params(GroupPath, DryRun), request_body = GroupChanges, responses((status = 200, body = GroupShape)))]
#[patch("/accounts/{account}/groups/{id}")]
pub async fn change_group(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<GroupPath>,
    dry_run: Asked<DryRun>,
    changes: Sent<GroupChanges>,
) -> Result<web::Json<GroupShape>, Problem> {
    let id = path.id()?;
    let present = groups::get(&services, caller.account, id)?;
    let shown = Shown { id, revision: changes.revision };
    let draft = changes.into_inner().draft(&present)?;
    update(caller, services, shown, draft, dry_run.mode()).await
}

async fn update(
    caller: Caller,
    services: web::Data<Services>,
    shown: Shown,
    draft: GroupDraft,
    mode: Mode,
) -> Result<web::Json<GroupShape>, Problem> {
    let account = caller.account;
    let work = move |services: &Services| groups::update(services, &caller.actor, account, shown, draft, mode);
    let saved = blocking::call(&services, work).await?;
    let devices = shape(&services, account, saved.id)?.devices;
    Ok(web::Json(GroupShape::new(&saved, devices, &*services.world(account)?)))
}

/// Deletes a device group with everything that it held; answers what its members lose.
#[utoipa::path(tag = "groups", params(GroupPath, DryRun), responses((status = 200, body = LossShape)))]
#[delete("/accounts/{account}/groups/{id}")]
pub async fn delete_group(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<GroupPath>,
    dry_run: Asked<DryRun>,
) -> Result<web::Json<LossShape>, Problem> {
    let (ids, mode) = ([path.id()?].into(), dry_run.mode());
    let work = move |services: &Services| groups::delete_all(services, &caller.actor, caller.account, &ids, mode);
    Ok(web::Json(blocking::call(&services, work).await?.what.into()))
}

/// Deletes several device groups: all or none. Answers what their members lose.
#[utoipa::path(tag = "groups", params(AccountPath, DryRun), request_body = GroupSelection, responses((status = 200, body = LossShape)))]
#[post("/accounts/{account}/groups/delete")]
pub async fn delete_groups(
    caller: Caller,
    services: web::Data<Services>,
    dry_run: Asked<DryRun>,
    sent: Sent<GroupSelection>,
) -> Result<web::Json<LossShape>, Problem> {
    let world = services.world(caller.account)?;
    let known = |id: &u64| match world.groups.contains_key(&GroupId(*id)) {
        true => Ok(GroupId(*id)),
        false => Err(FieldErrors::one("id", format_args!("there is no device group {id}"))),
    };
    let GroupSelection { ids, matching } = sent.into_inner();
    let ids: BTreeSet<GroupId> = match chosen("ids", ids, matching)? {
        Chosen::Named(ids) => {
            Amount::Many.parse_all(&ids, known).map_err(|wrong| Problem::items("ids", &wrong))?.into_iter().collect()
        }
        Chosen::All(matching) => matching.keys(&lists::groups::LISTING, |asked| {
            Ok(lists::groups::list(&services, caller.account, asked)?.iter().map(|one| one.group.id).collect())
        })?,
    };
    let mode = dry_run.mode();
    let work = move |services: &Services| groups::delete_all(services, &caller.actor, caller.account, &ids, mode);
    Ok(web::Json(blocking::call(&services, work).await?.what.into()))
}
