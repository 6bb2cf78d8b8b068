//! What a dry run answers besides: what the change would do to devices (contract 5.15, 6). Of every operation of an account, by one
//! door: the member `impact` joins what the operation answers by itself.

use actix_web::body::{BoxBody, MessageBody, to_bytes};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpMessage, HttpResponse};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::ROOT;
use crate::domain::consent::{Consent, Told};
use crate::domain::device::DeviceKey;
use crate::domain::foresight::{Change, Foresight, Group};
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::domain::restart::Effect;
use crate::domain::software::downgrade::Downgrade;
use crate::services::Services;

/// Groups that are told, devices of each that are named, and parameters.
const GROUPS: usize = 100;
const NAMED: usize = 100;
const PARAMETERS: usize = 1_000;

/// What a change would do to devices.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct Impact {
    /// Devices that would get other values.
    changed: usize,
    /// How many of them would restart.
    restart: usize,
    /// How many of `restart` do so as far as is assumed: no document says what a change of the parameter does.
    restart_assumed: usize,
    /// How many of them may restart: nobody has written down what a phone does.
    may_restart: usize,
    /// Devices that would be new.
    added: usize,
    /// Devices that would be gone.
    removed: usize,
    /// Devices by what would happen to them, the most first; at most 100 groups.
    groups: Vec<ForeseenGroup>,
    /// How many groups there are.
    total_groups: usize,
    /// What would come, go and stand elsewhere besides, a sentence each: devices that leave a group, move to another site or lose
    /// their pin, people who leave a group, profiles that reach nobody any more.
    also: Vec<String>,
    /// Parameters that would be served no more and stay in the flash of phones. To give phones another value instead, make a profile
    /// with these parameters and attach it to the devices of `groups` that lose them, before this change or after it: a phone takes a
    /// value over once it is served one. Pages ask about each of them, and do the same in one step.
    stay_in_flash: Vec<String>,
    /// Devices for which older software would be chosen than they run, and that nobody has allowed to go back: they would keep what
    /// they run. `software/allow-downgrades` allows it.
    downgrades: Vec<ForeseenDowngrade>,
}

/// Devices that would have to go back to older software.
#[derive(Debug, Serialize, ToSchema)]
pub struct ForeseenDowngrade {
    /// Their family.
    family: String,
    /// The versions that they run, the oldest first.
    from: Vec<String>,
    /// The version that would be chosen.
    to: String,
    /// How many.
    total: usize,
    /// The first 100 of them, by key.
    devices: Vec<ForeseenDevice>,
}

/// Devices to which the same would happen.
#[derive(Debug, Serialize, ToSchema)]
pub struct ForeseenGroup {
    /// How many.
    total: usize,
    /// What they would do.
    restarts: RestartWord,
    /// Whether a document or a phone shows that; false where it is assumed or not known.
    sure: bool,
    /// The first 100 of them, by key.
    devices: Vec<ForeseenDevice>,
    /// What would change, by name; at most 1000.
    changes: Vec<ForeseenChange>,
    /// How many parameters would change.
    total_changes: usize,
}

/// A device.
#[derive(Debug, Serialize, ToSchema)]
pub struct ForeseenDevice {
    /// MAC address or serial number.
    key: String,
    /// Its name, where it has one.
    name: Option<String>,
}

/// A parameter, or an attribute of the master file.
#[derive(Debug, Serialize, ToSchema)]
pub struct ForeseenChange {
    /// Full name.
    name: String,
    /// The value before, a secret one masked; null where none is served.
    old: Option<String>,
    /// The value after.
    new: Option<String>,
    /// What a change of it does to a phone.
    restarts: RestartWord,
    /// Whether a document or a phone shows that; false where it is assumed or not known.
    sure: bool,
}

/// What a phone does.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RestartWord {
    /// It goes on.
    No,
    /// Nobody has written it down.
    Maybe,
    /// It restarts.
    Yes,
}

impl From<Effect> for RestartWord {
    fn from(effect: Effect) -> Self {
        match effect {
            Effect::None => Self::No,
            Effect::MayRestart => Self::Maybe,
            Effect::Restart => Self::Yes,
        }
    }
}

impl Impact {
    fn new(foresight: &Foresight, services: &Services) -> Self {
        Self {
            changed: foresight.changed(),
            restart: foresight.with(Effect::Restart),
            restart_assumed: foresight.assumed(),
            may_restart: foresight.with(Effect::MayRestart),
            added: foresight.added,
            removed: foresight.removed,
            groups: foresight.groups.iter().take(GROUPS).map(|group| ForeseenGroup::new(group, services)).collect(),
            total_groups: foresight.groups.len(),
            also: foresight.rearrangement.sentences(),
            stay_in_flash: foresight.staying().into_iter().map(str::to_owned).collect(),
            downgrades: foresight.downgrades.iter().map(|one| ForeseenDowngrade::new(one, services)).collect(),
        }
    }
}

impl ForeseenDowngrade {
    fn new(one: &Downgrade, services: &Services) -> Self {
        Self {
            family: one.family.clone(),
            from: one.from.iter().map(ToString::to_string).collect(),
            to: one.to.to_string(),
            total: one.devices.len(),
            devices: named(&one.devices, services),
        }
    }
}

/// The first of these devices.
fn named(keys: &[DeviceKey], services: &Services) -> Vec<ForeseenDevice> {
    let roster = services.roster(DEFAULT_ACCOUNT);
    let device = |key: &DeviceKey| ForeseenDevice {
        key: key.to_string(),
        name: roster.find(key).and_then(|one| one.device.name.as_ref().map(ToString::to_string)),
    };
    keys.iter().take(NAMED).map(device).collect()
}

impl ForeseenGroup {
    fn new(group: &Group, services: &Services) -> Self {
        let change = |change: &Change| ForeseenChange {
            name: change.name.clone(),
            old: change.old.clone(),
            new: change.new.clone(),
            restarts: change.effect.into(),
            sure: is_sure(change.effect, change.is_assumed),
        };
        Self {
            total: group.devices.len(),
            restarts: group.effect.into(),
            sure: is_sure(group.effect, group.is_assumed),
            devices: named(&group.devices, services),
            changes: group.changes.iter().take(PARAMETERS).map(change).collect(),
            total_changes: group.changes.len(),
        }
    }
}

fn is_sure(effect: Effect, is_assumed: bool) -> bool {
    effect != Effect::MayRestart && !is_assumed
}

/// Middleware, in front of the operations: asks what a dry run would do to devices, and puts it into what is answered.
pub async fn tell(request: ServiceRequest, next: Next<impl MessageBody + 'static>) -> Result<ServiceResponse<BoxBody>, Error> {
    if !is_dry_run(&request) {
        return Ok(next.call(request).await?.map_into_boxed_body());
    }
    let consent = Consent::of_dry_run();
    request.extensions_mut().insert(consent.clone());
    let answer = next.call(request).await?.map_into_boxed_body();
    if !answer.status().is_success() {
        return Ok(answer);
    }
    let Some(services) = answer.request().app_data::<Data<Services>>().cloned() else { return Ok(answer) };
    let impact = consent.tried().map(|told: &std::sync::Arc<Told>| Impact::new(&told.foresight, &services)).unwrap_or_default();
    let (request, response) = answer.into_parts();
    let body = to_bytes(response.into_body()).await.map_err(Error::from)?;
    let told = with_impact(&body, json!(impact));
    Ok(ServiceResponse::new(request, HttpResponse::build(StatusCode::OK).json(told)))
}

fn is_dry_run(request: &ServiceRequest) -> bool {
    let tells = request.path().strip_prefix(ROOT).is_some_and(tells);
    let pairs = form_urlencoded::parse(request.query_string().as_bytes());
    !request.method().is_safe() && tells && pairs.into_iter().any(|(name, value)| name == "dry_run" && value == "true")
}

/// Whether operations at this address have anything to do with devices: all of an account, and the address that phones are told.
pub(super) fn tells(path: &str) -> bool {
    path.starts_with("/accounts/") || path == "/server"
}

/// What an operation answers, with the impact: as a further member, and a list of what would be made in `items`.
fn with_impact(body: &[u8], impact: Value) -> Value {
    let mut fields = match serde_json::from_slice(body) {
        Ok(Value::Object(fields)) => fields,
        Ok(Value::Array(items)) => Map::from_iter([("total".to_owned(), json!(items.len())), ("items".to_owned(), json!(items))]),
        _ => Map::new(),
    };
    fields.insert("impact".to_owned(), impact);
    Value::Object(fields)
}
