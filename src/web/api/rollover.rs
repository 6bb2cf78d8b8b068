//! One private CA taking the place of another: how far it is, and its steps.

use actix_web::{get, post, web};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::DryRun;
use super::caller::Caller;
use super::problem::Problem;
use super::sent::{Asked, Sent};
use super::server::AuthorityShape;
use crate::domain::rollover::Stage;
use crate::services::Services;
use crate::services::address::Address;
use crate::services::certificates::facts::Facts;
use crate::services::rollover::{self, State, Step, Waiting};
use crate::web::blocking;

/// How far one CA is in taking the place of another.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct RolloverShape {
    /// `none`, `giving` (phones are given both, the old CA signs) or `moving` (phones are given both, the new CA signs).
    pub stage: String,
    /// Since when; absent where none goes on.
    pub started_at: Option<Timestamp>,
    /// Who started it.
    pub started_by: Option<String>,
    /// Since when the new CA signs.
    pub switched_at: Option<Timestamp>,
    /// The CA that phones know; absent where the certificate is your own.
    pub known: Option<AuthorityShape>,
    /// The one that takes its place; absent where none is made.
    pub next: Option<AuthorityShape>,
    /// The platform certificate of phones that the new CA takes: 1 or 2.
    pub place: u8,
    /// How many devices are ready for the next step.
    pub ready: usize,
    /// Devices that the next step waits for; before a start, those whose profiles fill the place of a new CA.
    pub waits: Vec<WaitingShape>,
    /// Devices that are not ready and have been away for more than 90 days, and phones that were told our HTTPS address 14 days ago and
    /// are not let in: nobody waits for them.
    pub away: Vec<WaitingShape>,
}

/// A device that is not ready.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct WaitingShape {
    /// Key.
    pub key: String,
    /// Its name, else its key.
    pub name: String,
    /// `not-fetched`, `place-taken`, `not-come`, or `on-its-way`: no device, but a phone that was told our HTTPS address and is not let in.
    /// It is waited for until it is let in, blocked or dismissed under `pending`, at most 14 days.
    pub why: String,
    /// When it was last let in.
    pub last_seen: Option<Timestamp>,
}

/// A step of a rollover.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RolloverStep {
    /// `start`, `switch`, `end` or `cancel`.
    #[schema(value_type = String, example = "start")]
    step: Step,
    /// For `start`: nothing that phones need lies in the place that the new CA takes, such as a CA for 802.1X that was loaded by hand.
    /// For `switch` and `end`: devices that are not ready may be lost.
    #[serde(default)]
    known: bool,
}

/// Shows how far one CA is in taking the place of another.
#[utoipa::path(tag = "server", responses((status = 200, body = RolloverShape)))]
#[get("/server/ca-rollover")]
pub async fn show_ca_rollover(_: Caller, services: web::Data<Services>) -> Result<web::Json<RolloverShape>, Problem> {
    Ok(web::Json(blocking::call(&services, rollover::state).await?.into()))
}

/// Takes a step. A dry run answers how it would stand; a CA that is still to be made is absent.
#[utoipa::path(tag = "server", params(DryRun), request_body = RolloverStep, responses((status = 200, body = RolloverShape)))]
#[post("/server/ca-rollover")]
pub async fn step_ca_rollover(
    caller: Caller,
    services: web::Data<Services>,
    address: web::Data<Address>,
    dry_run: Asked<DryRun>,
    step: Sent<RolloverStep>,
) -> Result<web::Json<RolloverShape>, Problem> {
    let RolloverStep { step, known } = step.into_inner();
    let (actor, mode) = (caller.actor.clone(), dry_run.mode());
    let take = move |services: &Services| rollover::take_running(services, &address, &actor, step, known, mode);
    Ok(web::Json(blocking::call(&services, take).await?.into()))
}

impl From<State> for RolloverShape {
    fn from(state: State) -> Self {
        let authority = |facts: Option<Facts>| {
            facts.map(|facts| AuthorityShape { fingerprint: facts.fingerprint, valid_until: facts.valid_until })
        };
        let stage = match state.rollover.as_ref().map(crate::domain::rollover::Rollover::stage) {
            None => "none",
            Some(Stage::Giving) => "giving",
            Some(Stage::Moving) => "moving",
        };
        Self {
            stage: stage.to_owned(),
            started_at: state.rollover.as_ref().map(|rollover| rollover.started_at),
            started_by: state.rollover.as_ref().map(|rollover| rollover.by.clone()),
            switched_at: state.rollover.as_ref().and_then(|rollover| rollover.switched_at),
            known: authority(state.known),
            next: authority(state.next),
            place: state.place.into(),
            ready: state.ready,
            waits: state.waits.into_iter().map(WaitingShape::from).collect(),
            away: state.away.into_iter().map(WaitingShape::from).collect(),
        }
    }
}

impl From<Waiting> for WaitingShape {
    fn from(one: Waiting) -> Self {
        let Waiting { key, label, lag, last_seen } = one;
        Self { key: key.to_string(), name: label, why: lag.word().to_owned(), last_seen }
    }
}
