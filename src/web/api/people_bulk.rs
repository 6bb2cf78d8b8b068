//! Many at once: who is in a group of people, and whose many devices are.

use std::collections::BTreeSet;

use actix_web::{post, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::DryRun;
use super::caller::Caller;
use super::device_deletion::found;
use super::matching::{Chosen, Matching, chosen};
use super::paths::AccountPath;
use super::people::NumberPath;
use super::people_shapes::{OwnerKey, owner_of};
use super::problem::Problem;
use super::sent::{Asked, Sent};
use crate::domain::device::DeviceKey;
use crate::domain::field_error::FieldErrors;
use crate::domain::ids::PersonId;
use crate::domain::people::PersonGroup;
use crate::services::people_bulk::{self, Counted, PeopleChange};
use crate::services::{Services, lists};
use crate::web::blocking;

/// People who join or leave a group, at most as many as devices are added at once.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPeopleOfGroup {
    /// Numbers of people who join: the group comes last in their lists.
    #[serde(default)]
    add: BTreeSet<u64>,
    /// Numbers of people who leave.
    #[serde(default)]
    remove: BTreeSet<u64>,
}

/// Devices, and whose they are from now on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewOwners {
    /// Keys of devices; MACs in any usual notation.
    keys: Option<Vec<String>>,
    /// All that the list of devices finds, in place of these.
    #[serde(default)]
    matching: Option<Matching>,
    /// The person or room; null for nobody.
    owner: Option<OwnerKey>,
}

/// For how many something changed, or would.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct CountedShape {
    /// How many joined, or belong to somebody else now.
    pub added: usize,
    /// How many left.
    pub removed: usize,
    /// For how many nothing changed.
    pub unchanged: usize,
}

impl From<Counted> for CountedShape {
    fn from(Counted { added, removed, unchanged }: Counted) -> Self {
        Self { added, removed, unchanged }
    }
}

/// Lets people join and leave a group: all of them, or none when one cannot.
#[utoipa::path(tag = "people", params(NumberPath, DryRun), request_body = NewPeopleOfGroup, responses((status = 200, body = CountedShape)))]
#[post("/accounts/{account}/person-groups/{id}/members")]
pub async fn change_people_of_group(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<NumberPath>,
    dry_run: Asked<DryRun>,
    sent: Sent<NewPeopleOfGroup>,
) -> Result<web::Json<CountedShape>, Problem> {
    let (id, account, mode) = (path.id::<PersonGroup>()?, caller.account, dry_run.mode());
    let NewPeopleOfGroup { add, remove } = sent.into_inner();
    let ids = |ids: BTreeSet<u64>| ids.into_iter().map(PersonId).collect();
    let wanted = PeopleChange { add: ids(add), remove: ids(remove) };
    let work = move |services: &Services| people_bulk::change_members(services, &caller.actor, account, id, &wanted, mode);
    Ok(web::Json(blocking::call(&services, work).await?.into()))
}

/// Says whose several devices are: all of them, or none when one is not there.
#[utoipa::path(tag = "people", params(AccountPath, DryRun), request_body = NewOwners, responses((status = 200, body = CountedShape)))]
#[post("/accounts/{account}/devices/owner")]
pub async fn set_owners(
    caller: Caller,
    services: web::Data<Services>,
    dry_run: Asked<DryRun>,
    sent: Sent<NewOwners>,
) -> Result<web::Json<CountedShape>, Problem> {
    let (account, mode) = (caller.account, dry_run.mode());
    let NewOwners { keys, matching, owner } = sent.into_inner();
    let keys: BTreeSet<DeviceKey> = match chosen("keys", keys, matching)? {
        Chosen::Named(typed) => {
            let mut errors = FieldErrors::new();
            let key = |text: String| errors.take("keys", text.parse::<DeviceKey>().map_err(|error| format!("“{text}”: {error}")));
            let keys = typed.into_iter().filter_map(key).collect();
            errors.into_result(Some(keys))?
        }
        Chosen::All(matching) => matching.keys(&lists::devices::LISTING, |asked| found(&services, account, asked))?,
    };
    let owner = owner_of("owner", owner)?;
    let work = move |services: &Services| people_bulk::set_owners(services, &caller.actor, account, &keys, owner, mode);
    Ok(web::Json(blocking::call(&services, work).await?.into()))
}
