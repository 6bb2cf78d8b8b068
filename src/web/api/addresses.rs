//! The provisioning addresses that were handed out.

use actix_web::{delete, get, web};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::body;
use super::caller::Caller;
use super::list::{List, Narrow, Order, narrowed};
use super::problem::Problem;
use super::sent::Asked;
use crate::services::Services;
use crate::services::address::Address;
use crate::services::addresses::{self, Answered, HandedOut};
use crate::web::blocking;

/// An address that phones were told, or that they come by.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct AddressShape {
    /// The address.
    #[schema(example = "https://pdms.example.lan:8443/")]
    pub url: String,
    /// Whether phones are told this one now.
    pub is_current: bool,
    /// Whether phones were ever told it; else they have it from elsewhere.
    pub was_told: bool,
    /// Since when; absent where that was not noted.
    pub since: Option<Timestamp>,
    /// Keys of the devices that came by it the last time they came.
    pub devices: Vec<String>,
    /// When the last of them came.
    pub last_used: Option<Timestamp>,
    /// Why it is not answered any more; absent where it is.
    pub unanswered: Option<String>,
}

impl From<HandedOut> for AddressShape {
    fn from(one: HandedOut) -> Self {
        let HandedOut { url, is_current, was_told, since, devices, last_used, unanswered } = one;
        let devices = devices.into_iter().map(|device| device.key.to_string()).collect();
        Self { url, is_current, was_told, since, devices, last_used, unanswered: unanswered.map(str::to_owned) }
    }
}

/// Which address is taken away.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AddressRemoval {
    /// The address, as the list tells it.
    url: String,
    /// Takes it away though devices come by it.
    #[serde(default)]
    even_if_used: bool,
    /// Changes nothing and answers what would be taken away.
    #[serde(default)]
    dry_run: bool,
}

const ORDERS: &[Order<AddressShape>] = &[
    ("current", |a, b| (!a.is_current, &a.url).cmp(&(!b.is_current, &b.url))),
    ("url", |a, b| a.url.cmp(&b.url)),
    ("devices", |a, b| (a.devices.len(), &a.url).cmp(&(b.devices.len(), &b.url))),
    ("last_used", |a, b| (a.last_used, &a.url).cmp(&(b.last_used, &b.url))),
];

/// Lists the addresses that phones were told or come by; sorts by `current`, `url`, `devices` or `last_used`.
#[utoipa::path(tag = "server", params(Narrow), responses((status = 200, body = List<AddressShape>)))]
#[get("/server/addresses")]
pub async fn list_addresses(
    _: Caller,
    services: web::Data<Services>,
    address: web::Data<Address>,
    asked: Asked<Narrow>,
) -> Result<web::Json<List<AddressShape>>, Problem> {
    let list = move |services: &Services| addresses::list(services, &Answered::now(services, &address));
    let all = blocking::call(&services, list).await?.into_iter().map(AddressShape::from).collect();
    let texts = |one: &AddressShape| std::iter::once(one.url.clone()).chain(one.devices.iter().cloned()).collect();
    Ok(web::Json(narrowed(all, &asked, texts, ORDERS)?))
}

/// Takes an address away: refused while devices come by it, unless that is said to be known.
#[utoipa::path(tag = "server", params(AddressRemoval), responses((status = 200, body = AddressShape)))]
#[delete("/server/addresses")]
pub async fn delete_address(
    caller: Caller,
    services: web::Data<Services>,
    address: web::Data<Address>,
    asked: Asked<AddressRemoval>,
) -> Result<web::Json<AddressShape>, Problem> {
    let AddressRemoval { url, even_if_used, dry_run } = asked.into_inner();
    let mode = body::mode(dry_run);
    let remove = move |services: &Services| {
        addresses::remove(services, &caller.actor, &Answered::now(services, &address), &url, even_if_used, mode)
    };
    Ok(web::Json(blocking::call(&services, remove).await?.into()))
}
