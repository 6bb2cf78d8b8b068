//! Who knocked and was not let in, and what is done about it; the same for single devices.

use std::collections::BTreeMap;
use std::net::IpAddr;

use actix_web::{delete, get, post, web};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::body::{Amount, DryRun};
use super::caller::Caller;
use super::list::{List, Paging, asked, one_of};
use super::matching::{Chosen, Matching, chosen};
use super::paths::AccountPath;
use super::problem::Problem;
use super::sent::{Asked, Sent};
use crate::domain::admission::decide::Rules;
use crate::domain::device::DeviceKey;
use crate::domain::field_error::FieldErrors;
use crate::domain::ids::AccountId;
use crate::domain::pending::{Elsewhere, Pending, REASONS, word};
use crate::services::error::ServiceError;
use crate::services::pending::{self, Deed, Done, Outcome, Seen, Shown};
use crate::services::{Services, lists};
use crate::web::blocking;

/// Which of those who were not let in.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// Words that must all occur in the key, the address, what it tells of itself, the reason or the device's name.
    q: Option<String>,
    /// `waiting`, `let-in`, `blocked` or `refused`.
    standing: Option<String>,
    /// Word of a reason, such as `bound` or `not-approved`.
    reason: Option<String>,
    /// `-at`, the latest first, or `at`; also `first_at`, `key`, `reason`, `address`, `times`.
    sort: Option<String>,
    /// Page, counted from 1.
    page: Option<usize>,
    /// Objects on a page, at most 1000.
    per_page: Option<usize>,
    /// `true`: the answer tells the mark of all that was found, to be sent with `matching`.
    mark: Option<bool>,
}

/// Somebody who named a device and was not let in.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct PendingShape {
    /// MAC or serial number that it named.
    pub key: String,
    /// Word of the reason.
    pub reason: String,
    /// The reason in words.
    pub why: String,
    /// Why the certificate that it showed does not count; absent where it showed none.
    pub certificate: Option<String>,
    /// What to do about it.
    pub next: Option<String>,
    /// `waiting`, `let-in`, `blocked` or `refused`.
    pub standing: String,
    /// Address that it came from last.
    pub address: String,
    /// Model that it tells, or its family.
    pub told: String,
    /// First time since it was let in from there.
    pub first_at: Timestamp,
    /// Last time.
    pub at: Timestamp,
    /// How often.
    pub times: u32,
    /// Whether there is a device of this key.
    pub is_device: bool,
    /// When that device itself was last let in.
    pub device_last_seen: Option<Timestamp>,
    /// Since when that device is bound.
    pub bound_at: Option<Timestamp>,
    /// Who let it in since, where somebody did and it did not come yet.
    pub let_in_by: Option<String>,
    /// Others that named the same key from elsewhere within a day and were not let in either: who showed most first, and of those the
    /// latest. At most 15 are kept. One of all these may be the phone and another somebody else.
    pub elsewhere: Vec<ElsewhereShape>,
    /// What to mind before somebody is let in, where several ask for the key who showed as much. For a device that is not bound the
    /// shared credentials are more than the factory default and plain HTTP.
    pub caution: Option<String>,
}

/// Somebody at another address who named the same key and was not let in either.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ElsewhereShape {
    /// Address that it comes from.
    pub address: String,
    /// Word of the reason.
    pub reason: String,
    /// The reason in words.
    pub why: String,
    /// Model that it tells, or its family.
    pub told: String,
    /// First time since it was let in from there.
    pub first_at: Timestamp,
    /// Last time.
    pub at: Timestamp,
    /// How often.
    pub times: u32,
    /// Who let it in since, where somebody did and it did not come yet.
    pub let_in_by: Option<String>,
}

impl From<&Elsewhere> for ElsewhereShape {
    fn from(Elsewhere { knock, right }: &Elsewhere) -> Self {
        Self {
            address: knock.address.to_string(),
            reason: word(knock.reason).to_owned(),
            why: knock.why(),
            told: knock.told.to_string(),
            first_at: knock.first_at,
            at: knock.at,
            times: knock.times,
            let_in_by: right.as_ref().map(|right| right.by.clone()),
        }
    }
}

impl From<&Pending> for PendingShape {
    fn from(one: &Pending) -> Self {
        Self {
            key: one.key.to_string(),
            reason: word(one.knock.reason).to_owned(),
            why: one.knock.why(),
            certificate: one.knock.certificate.map(|fault| fault.to_string()),
            next: one.knock.next_step().map(str::to_owned),
            standing: one.standing.word().to_owned(),
            address: one.knock.address.to_string(),
            told: one.knock.told.to_string(),
            first_at: one.knock.first_at,
            at: one.knock.at,
            times: one.knock.times,
            is_device: one.device.is_some(),
            device_last_seen: one.last_seen(),
            bound_at: one.bound_at,
            let_in_by: one.right.as_ref().map(|right| right.by.clone()),
            elsewhere: one.elsewhere.iter().map(ElsewhereShape::from).collect(),
            caution: one.caution(),
        }
    }
}

/// Lists those who named a device and were not let in; sorts by `at`, `first_at`, `key`, `reason`, `address` or `times`.
#[utoipa::path(tag = "pending", params(AccountPath, Wanted), responses((status = 200, body = List<PendingShape>)))]
#[get("/accounts/{account}/pending")]
pub async fn list_pending(
    caller: Caller,
    services: web::Data<Services>,
    wanted: Asked<Wanted>,
) -> Result<web::Json<List<PendingShape>>, Problem> {
    let Wanted { q, standing, reason, sort, page, per_page, mark } = wanted.into_inner();
    one_of("reason", reason.as_deref(), &REASONS.map(|(word, _)| word))?;
    let paging = Paging::new(page, per_page)?;
    let values = [("q", q), ("standing", standing), ("reason", reason), ("sort", sort)];
    let found = lists::pending::list(&services, caller.account, &asked(&lists::pending::LISTING, values)?);
    let list = paging.cut(found.iter(), PendingShape::from);
    Ok(web::Json(list.marked(mark, || found.iter().map(lists::pending::row).collect())))
}

/// Something that is done about keys.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct DeedPath {
    /// Label of the account.
    #[param(example = "default")]
    #[expect(dead_code, reason = "the caller extractor reads it; here it is for the description")]
    account: String,
    /// `let-in`, `block`, `unblock`, `unbind`, `expect`, `expect-no-more`, `confirm-model` or `dismiss`.
    #[param(example = "let-in")]
    action: String,
}

/// Something that is done about one device.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct DeviceDeedPath {
    /// Label of the account.
    #[param(example = "default")]
    #[expect(dead_code, reason = "the caller extractor reads it; here it is for the description")]
    account: String,
    /// MAC or serial number.
    #[param(example = "0004f2abcdef")]
    key: String,
    /// `expect`, `expect-no-more`, `unbind`, `confirm-model` or `dismiss`.
    #[param(example = "expect")]
    action: String,
}

/// Keys of which some wait.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KeySelection {
    /// MACs or serial numbers, at most 5000.
    keys: Option<Vec<String>>,
    /// All that the list finds, in place of these. For `let-in` with its `mark`, which holds the addresses that were listed: each is let
    /// in from the first of them, and `shown` stays away.
    #[serde(default)]
    matching: Option<Matching>,
    /// Required for `let-in`, with an entry for each of `keys`: the address, of those that were listed for it, from which it is let
    /// in. Without one the answer is 422. Other actions do without.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, String>, example = json!({ "0004f2abcdef": "10.1.2.3" }))]
    shown: BTreeMap<String, IpAddr>,
    /// For `let-in`, the other addresses that were listed for a key beside that one. Where none is named that showed as much as the one
    /// in `shown`, and another one asks for it that did, it is not let in: look again and name both.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, Vec<String>>, example = json!({ "0004f2abcdef": ["10.6.6.7"] }))]
    also_shown: BTreeMap<String, Vec<IpAddr>>,
}

/// What was done about a key, or would be.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct DoneShape {
    /// MAC or serial number.
    pub key: String,
    /// What was done, as the activity log has it.
    pub action: String,
    /// From where alone it is let in, where it is.
    pub address: Option<String>,
}

/// A key that it could not be done about.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct LeftShape {
    /// MAC or serial number.
    pub key: String,
    /// Why not, and what to do.
    pub why: String,
}

/// What became of several keys.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct OutcomeShape {
    /// What was done, or would be.
    pub items: Vec<DoneShape>,
    /// How many these are.
    pub total: usize,
    /// The keys that it cannot be done about as things stand.
    pub left: Vec<LeftShape>,
}

impl From<Outcome> for OutcomeShape {
    fn from(Outcome { done, left }: Outcome) -> Self {
        let left = left.into_iter().map(|(key, why)| LeftShape { key: key.to_string(), why });
        Self { total: done.len(), items: done.into_iter().map(DoneShape::from).collect(), left: left.collect() }
    }
}

impl From<Done> for DoneShape {
    fn from(Done { key, action, address }: Done) -> Self {
        Self { key: key.to_string(), action: action.to_owned(), address: address.map(|address| address.to_string()) }
    }
}

fn deed(word: &str) -> Result<Deed, Problem> {
    Deed::parse(word).ok_or_else(|| Problem::not_found("action", word))
}

/// What a caller says was shown to it.
fn seen(shown: &BTreeMap<String, IpAddr>, also_shown: BTreeMap<String, Vec<IpAddr>>) -> Shown {
    let addresses = shown.iter().filter_map(|(key, address)| Some((key.parse().ok()?, Seen::from(*address))));
    let mut seen: Shown = addresses.collect();
    for (key, elsewhere) in also_shown {
        if let Ok(key) = key.parse() {
            seen.beside(&key, elsewhere);
        }
    }
    // Each address is named; of several keys none is pointed at by itself.
    seen.pointed_at()
}

/// The keys of all that a list finds, and from where each is listed.
fn all(services: &Services, account: AccountId, matching: &Matching) -> Result<(Vec<DeviceKey>, Shown), Problem> {
    let mut found = Vec::new();
    matching.keys(&lists::pending::LISTING, |asked| {
        found = lists::pending::list(services, account, asked);
        Ok(found.iter().map(lists::pending::row).collect())
    })?;
    let mut shown: Shown = found.iter().map(|one| (one.key.clone(), Seen::from(one.knock.address))).collect();
    for one in &found {
        shown.beside(&one.key, one.elsewhere.iter().map(|other| other.knock.address));
    }
    Ok((found.into_iter().map(|one| one.key).collect(), shown))
}

/// Does one thing about all of several keys that it can be done about, and answers why not about the others: lets them in (adopts
/// or binds them again, by the reason that they wait for), blocks, unblocks, unbinds, expects them back or no more, takes their model
/// for the right one, or takes them off the list.
///
/// Where it can be done about none, nothing is done and the answer is 409 for a single key, else 422. `let-in` requires `shown`, the
/// address of each key, and lifts no block: `unblock` does. A key for which several ask who showed as much (`caution`) is let in by
/// itself only, at the one address that `shown` names.
#[utoipa::path(tag = "pending", params(DeedPath, DryRun), request_body = KeySelection, responses((status = 200, body = OutcomeShape)))]
#[post("/accounts/{account}/pending/{action}")]
pub async fn decide_pending(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<DeedPath>,
    dry_run: Asked<DryRun>,
    sent: Sent<KeySelection>,
) -> Result<web::Json<OutcomeShape>, Problem> {
    let (deed, mode) = (deed(&path.action)?, dry_run.mode());
    let parse = |text: &String| {
        text.parse::<DeviceKey>().map_err(|_| FieldErrors::one("key", format_args!("“{text}” is no MAC or serial number")))
    };
    let KeySelection { keys, matching, shown, also_shown } = sent.into_inner();
    let (keys, shown) = match chosen("keys", keys, matching)? {
        Chosen::Named(keys) => {
            let keys = Amount::Many.parse_all(&keys, parse).map_err(|wrong| Problem::items("keys", &wrong))?;
            (keys, seen(&shown, also_shown))
        }
        Chosen::All(_) if !shown.is_empty() || !also_shown.is_empty() => {
            return Err(Problem::field(
                "shown",
                "the mark of matching says which addresses were listed; send shown with keys only",
            ));
        }
        Chosen::All(matching) if deed == Deed::LetIn && !matching.is_marked() => {
            let words = "send the mark that the list told, asked with mark=true: it says from where each was listed";
            return Err(Problem::field("matching", words));
        }
        Chosen::All(matching) => all(&services, caller.account, &matching)?,
    };
    if deed == Deed::LetIn && keys.iter().any(|key| shown.of(key).is_none()) {
        let words = "say for each key from which address it was listed, such as {\"0004f2abcdef\": \"10.1.2.3\"}";
        return Err(FieldErrors::one("shown", words).into());
    }
    let work =
        move |services: &Services| pending::act_as_shown(services, &caller.actor, caller.account, deed, &keys, &shown, mode);
    let outcome = blocking::call(&services, work).await.map_err(|error| match error {
        ServiceError::Invalid(wrong) => Problem::items("keys", &wrong),
        other => other.into(),
    })?;
    Ok(web::Json(outcome.into()))
}

/// Does one thing about one device: expects it back or no more, unbinds it, or takes its model for the right one. It is let in
/// by `decide_pending`, which says from where.
#[utoipa::path(tag = "devices", params(DeviceDeedPath, DryRun), responses((status = 200, body = DoneShape)))]
#[post("/accounts/{account}/devices/{key}/actions/{action}")]
pub async fn act_on_device(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<DeviceDeedPath>,
    dry_run: Asked<DryRun>,
) -> Result<web::Json<DoneShape>, Problem> {
    let key: DeviceKey = path.key.parse().map_err(|_| Problem::not_found("device", &path.key))?;
    if services.roster(caller.account).find(&key).is_none() {
        return Err(Problem::not_found("device", &key));
    }
    let (deed, mode, named) = (deed(&path.action)?, dry_run.mode(), key.clone());
    if deed == Deed::LetIn {
        return Err(Problem::not_found("action", &path.action));
    }
    let work = move |services: &Services| pending::act(services, &caller.actor, caller.account, deed, &[key], mode);
    let done = blocking::call(&services, work).await?.done.pop();
    Ok(web::Json(done.ok_or_else(|| Problem::not_found("device", named))?.into()))
}

/// The window in which new phones are let in.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct OpenWindowShape {
    /// Whether it is open.
    pub open: bool,
    /// Until when; absent while it is closed.
    pub until: Option<Timestamp>,
}

fn window(services: &Services, account: AccountId) -> Result<OpenWindowShape, Problem> {
    let (world, now) = (services.world(account)?, services.clock().now());
    let until = Rules::of(&world.account).window.map(|(_, until)| until).filter(|until| now < *until);
    Ok(OpenWindowShape { open: until.is_some(), until })
}

/// Tells whether new phones with factory settings are let in.
#[utoipa::path(tag = "pending", params(AccountPath), responses((status = 200, body = OpenWindowShape)))]
#[get("/accounts/{account}/window")]
pub async fn show_window(caller: Caller, services: web::Data<Services>) -> Result<web::Json<OpenWindowShape>, Problem> {
    Ok(web::Json(window(&services, caller.account)?))
}

/// Lets new phones with factory settings in that are first heard of in the next 30 minutes. One that waits already is let in by
/// `decide_pending`.
#[utoipa::path(tag = "pending", params(AccountPath, DryRun), responses((status = 200, body = OpenWindowShape)))]
#[post("/accounts/{account}/window")]
pub async fn open_window(
    caller: Caller,
    services: web::Data<Services>,
    dry_run: Asked<DryRun>,
) -> Result<web::Json<OpenWindowShape>, Problem> {
    set_window(caller, services, dry_run, true).await
}

/// Closes the window for new phones.
#[utoipa::path(tag = "pending", params(AccountPath, DryRun), responses((status = 200, body = OpenWindowShape)))]
#[delete("/accounts/{account}/window")]
pub async fn close_window(
    caller: Caller,
    services: web::Data<Services>,
    dry_run: Asked<DryRun>,
) -> Result<web::Json<OpenWindowShape>, Problem> {
    set_window(caller, services, dry_run, false).await
}

async fn set_window(
    caller: Caller,
    services: web::Data<Services>,
    dry_run: Asked<DryRun>,
    open: bool,
) -> Result<web::Json<OpenWindowShape>, Problem> {
    let (mode, account) = (dry_run.mode(), caller.account);
    let until =
        blocking::call(&services, move |services: &Services| pending::set_window(services, &caller.actor, account, open, mode))
            .await?;
    Ok(web::Json(OpenWindowShape { open, until }))
}
