//! Boots and polls: of devices, and of phones and addresses that were not let in.

use actix_web::{get, web};
use serde::Deserialize;
use utoipa::IntoParams;

use super::caller::Caller;
use super::device_shapes::RunShape;
use super::list::{List, Narrow, Order, narrowed, one_of};
use super::paths::{AccountPath, DevicePath};
use super::problem::Problem;
use super::sent::Asked;
use crate::domain::device::DeviceKey;
use crate::services::runs::ListedRun;
use crate::services::{Services, runs};
use crate::web::blocking;

/// Which runs.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// Words that must all occur in the device, the address, the User-Agent or the verdict.
    q: Option<String>,
    /// Only of this MAC, serial number or address.
    subject: Option<String>,
    /// `phone`: those that named a device; `address`: those of which nothing is known but where they came from.
    who: Option<String>,
    /// `boot` or `poll`.
    kind: Option<String>,
    /// `complete`, `held`, `failed` or `neutral`.
    outcome: Option<String>,
    /// `-started`, the newest first, or `started`; also `who` and `outcome`.
    sort: Option<String>,
    /// Page, counted from 1.
    page: Option<usize>,
    /// Runs on a page, at most 1000.
    per_page: Option<usize>,
}

const RUNS: &[Order<RunShape>] = &[
    ("-started", |a, b| {
        (b.started_at, &a.device, &a.address, a.admitted).cmp(&(a.started_at, &b.device, &b.address, b.admitted))
    }),
    ("who", |a, b| {
        let who = |run: &RunShape| run.device.clone().unwrap_or_else(|| run.address.clone());
        (who(a), a.started_at, &a.address, a.admitted).cmp(&(who(b), b.started_at, &b.address, b.admitted))
    }),
    ("outcome", |a, b| {
        let rest = |run: &RunShape| (run.started_at, run.device.clone(), run.address.clone(), run.admitted);
        (&a.outcome, rest(a)).cmp(&(&b.outcome, rest(b)))
    }),
];

impl Wanted {
    fn list(self, found: Vec<ListedRun>) -> Result<List<RunShape>, Problem> {
        one_of("kind", self.kind.as_deref(), &["boot", "poll"])?;
        one_of("who", self.who.as_deref(), &["phone", "address"])?;
        one_of("outcome", self.outcome.as_deref(), &["complete", "held", "failed", "neutral"])?;
        let subject = self.subject.map(|text| text.parse::<DeviceKey>().map_or(text, |key| key.to_string()));
        let is = |wanted: &Option<String>, text: &str| wanted.as_ref().is_none_or(|wanted| wanted == text);
        let mut all: Vec<RunShape> = found.into_iter().map(RunShape::from).collect();
        all.retain(|run| {
            let name = run.device.as_deref().unwrap_or(&run.address);
            let who = if run.device.is_some() { "phone" } else { "address" };
            is(&self.who, who) && is(&self.kind, &run.kind) && is(&self.outcome, &run.outcome) && is(&subject, name)
        });
        let asked = Narrow { q: self.q, sort: self.sort, page: self.page, per_page: self.per_page };
        let texts = |run: &RunShape| {
            vec![run.device.clone().unwrap_or_default(), run.address.clone(), run.user_agent.clone(), run.verdict.clone()]
        };
        narrowed(all, &asked, texts, RUNS)
    }
}

/// Lists the runs of a device and of phones that only claimed to be it.
#[utoipa::path(tag = "devices", params(DevicePath, Wanted), responses((status = 200, body = List<RunShape>)))]
#[get("/accounts/{account}/devices/{key}/runs")]
pub async fn list_device_runs(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<DevicePath>,
    wanted: Asked<Wanted>,
) -> Result<web::Json<List<RunShape>>, Problem> {
    let key = path.key()?;
    let found = blocking::call(&services, move |services| runs::of_device(services, caller.account, &key)).await?;
    Ok(web::Json(wanted.into_inner().list(found)?))
}

/// Lists the runs of everybody who was not let in: unknown and refused phones, and failed handshakes by address.
#[utoipa::path(tag = "runs", params(AccountPath, Wanted), responses((status = 200, body = List<RunShape>)))]
#[get("/accounts/{account}/runs")]
pub async fn list_refused_runs(
    caller: Caller,
    services: web::Data<Services>,
    wanted: Asked<Wanted>,
) -> Result<web::Json<List<RunShape>>, Problem> {
    let found = blocking::call(&services, move |services| runs::refused(services, caller.account)).await?;
    Ok(web::Json(wanted.into_inner().list(found)?))
}
