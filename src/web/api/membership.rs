//! Who is in which device group: members, the order of each device's groups, and the groups that automatic adds join.

use std::collections::BTreeSet;

use actix_web::{get, post, put, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::{Amount, DryRun};
use super::caller::Caller;
use super::device_deletion::found;
use super::matching::Matching;
use super::paths::{AccountPath, DevicePath, GroupPath};
use super::problem::Problem;
use super::sent::{Asked, Sent};
use crate::domain::device::DeviceKey;
use crate::domain::field_error::FieldErrors;
use crate::domain::ids::{AccountId, GroupId};
use crate::services::Services;
use crate::services::membership::{self, Changed, MemberChange};
use crate::services::{devices, groups, lists};
use crate::web::blocking;

/// Who joins and who leaves a group.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMembers {
    /// Keys of devices that join: the group comes last in their lists. MACs in any usual notation.
    #[serde(default)]
    add: Vec<String>,
    /// Keys of devices that leave.
    #[serde(default)]
    remove: Vec<String>,
    /// Devices that join besides: all that the list of devices finds.
    #[serde(default)]
    add_matching: Option<Matching>,
    /// Devices that leave besides: all that the list of devices finds.
    #[serde(default)]
    remove_matching: Option<Matching>,
}

/// What came of it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ChangedMembers {
    /// Devices that joined.
    pub added: Vec<String>,
    /// Devices that left.
    pub removed: Vec<String>,
    /// Devices for which nothing changed.
    pub unchanged: usize,
}

impl From<Changed> for ChangedMembers {
    fn from(Changed { added, removed, unchanged }: Changed) -> Self {
        let keys = |keys: Vec<DeviceKey>| keys.iter().map(ToString::to_string).collect();
        Self { added: keys(added), removed: keys(removed), unchanged }
    }
}

/// Lets devices join and leave a group: all of them, or none when one cannot.
#[utoipa::path(tag = "groups", params(GroupPath, DryRun), request_body = NewMembers, responses((status = 200, body = ChangedMembers)))]
#[post("/accounts/{account}/groups/{id}/members")]
pub async fn change_members(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<GroupPath>,
    dry_run: Asked<DryRun>,
    sent: Sent<NewMembers>,
) -> Result<web::Json<ChangedMembers>, Problem> {
    let (id, mode) = (path.id()?, dry_run.mode());
    let NewMembers { add, remove, add_matching, remove_matching } = sent.into_inner();
    let matching = |matching: Option<Matching>| match matching {
        Some(matching) => matching.keys(&lists::devices::LISTING, |asked| found(&services, caller.account, asked)),
        None => Ok(BTreeSet::new()),
    };
    let mut wanted = MemberChange { add: keys("add", &add)?, remove: keys("remove", &remove)? };
    wanted.add.append(&mut matching(add_matching)?);
    wanted.remove.append(&mut matching(remove_matching)?);
    let work = move |services: &Services| membership::change(services, &caller.actor, caller.account, id, &wanted, mode);
    Ok(web::Json(blocking::call(&services, work).await?.into()))
}

fn keys(field: &'static str, texts: &[String]) -> Result<BTreeSet<DeviceKey>, Problem> {
    let parse =
        |text: &String| text.parse::<DeviceKey>().map_err(|error| FieldErrors::one("key", format_args!("“{text}”: {error}")));
    let keys = Amount::Many.parse_all(texts, parse).map_err(|wrong| Problem::items(field, &wrong))?;
    Ok(keys.into_iter().collect())
}

/// What came of setting a group to the top.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct TopShape {
    /// How many devices are in the group.
    pub members: usize,
    /// Devices whose first group it was not before.
    pub moved: Vec<String>,
}

/// Makes a group the first one of each of its members; their other groups keep their order.
#[utoipa::path(tag = "groups", params(GroupPath, DryRun), responses((status = 200, body = TopShape)))]
#[post("/accounts/{account}/groups/{id}/top-priority")]
pub async fn set_to_top_priority(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<GroupPath>,
    dry_run: Asked<DryRun>,
) -> Result<web::Json<TopShape>, Problem> {
    let (id, mode) = (path.id()?, dry_run.mode());
    let work = move |services: &Services| membership::set_to_top(services, &caller.actor, caller.account, id, mode);
    let (members, moved) = blocking::call(&services, work).await?;
    Ok(web::Json(TopShape { members, moved: moved.iter().map(ToString::to_string).collect() }))
}

/// Device groups in order.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct GroupOrder {
    /// Groups, highest first.
    pub groups: Vec<OrderedGroup>,
    /// The same as numbers alone: what to send back as `shown` with a change.
    pub shown: Vec<u64>,
}

/// One group of an order.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct OrderedGroup {
    /// Key.
    pub id: u64,
    /// Name.
    pub name: String,
}

/// Groups in place of those that are.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewGroupOrder {
    /// Groups, highest first.
    pub(super) groups: Vec<u64>,
    /// The list that the change was made from, as it was answered; a conflict where it is no longer that.
    pub(super) shown: Vec<u64>,
}

fn ids(numbers: Vec<u64>) -> Vec<GroupId> {
    numbers.into_iter().map(GroupId).collect()
}

fn order(services: &Services, account: AccountId, list: &[GroupId]) -> Result<web::Json<GroupOrder>, Problem> {
    let world = services.world(account)?;
    let named = |id: &GroupId| world.groups.get(id).map(|group| OrderedGroup { id: id.0, name: group.name.to_string() });
    Ok(web::Json(GroupOrder { groups: list.iter().filter_map(named).collect(), shown: list.iter().map(|id| id.0).collect() }))
}

/// Shows the groups of a device.
#[utoipa::path(tag = "groups", params(DevicePath), responses((status = 200, body = GroupOrder)))]
#[get("/accounts/{account}/devices/{key}/groups")]
pub async fn show_groups_of_device(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<DevicePath>,
) -> Result<web::Json<GroupOrder>, Problem> {
    let list = membership::of_device(&services, caller.account, &path.key()?)?;
    order(&services, caller.account, &list)
}

/// Sets the groups of a device.
#[utoipa::path(tag = "groups", params(DevicePath, DryRun), request_body = NewGroupOrder, responses((status = 200, body = GroupOrder)))]
#[put("/accounts/{account}/devices/{key}/groups")]
pub async fn set_groups_of_device(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<DevicePath>,
    dry_run: Asked<DryRun>,
    sent: Sent<NewGroupOrder>,
) -> Result<web::Json<GroupOrder>, Problem> {
    let (key, account, mode) = (path.key()?, caller.account, dry_run.mode());
    devices::get(&services, account, &key)?;
    let NewGroupOrder { groups, shown } = sent.into_inner();
    let work = move |services: &Services| {
        membership::set_of_device(services, &caller.actor, account, &key, &ids(shown), ids(groups), mode)
    };
    let list = blocking::call(&services, work).await?;
    order(&services, account, &list)
}

/// Shows the groups that automatically added devices join.
#[utoipa::path(tag = "groups", params(AccountPath), responses((status = 200, body = GroupOrder)))]
#[get("/accounts/{account}/default-groups")]
pub async fn show_default_groups(
    caller: Caller,
    services: web::Data<Services>,
    _: web::Path<AccountPath>,
) -> Result<web::Json<GroupOrder>, Problem> {
    order(&services, caller.account, &services.world(caller.account)?.default_groups)
}

/// Sets the groups that automatically added devices join, in the order that these get.
#[utoipa::path(tag = "groups", params(AccountPath, DryRun), request_body = NewGroupOrder, responses((status = 200, body = GroupOrder)))]
#[put("/accounts/{account}/default-groups")]
pub async fn set_default_groups(
    caller: Caller,
    services: web::Data<Services>,
    dry_run: Asked<DryRun>,
    sent: Sent<NewGroupOrder>,
) -> Result<web::Json<GroupOrder>, Problem> {
    let (account, mode) = (caller.account, dry_run.mode());
    let NewGroupOrder { groups, shown } = sent.into_inner();
    let work = move |services: &Services| groups::set_defaults(services, &caller.actor, account, &ids(shown), ids(groups), mode);
    let list = blocking::call(&services, work).await?;
    order(&services, account, &list)
}
