//! How far a phone is that comes up.

use actix_web::{get, web};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::caller::Caller;
use super::paths::AccountPath;
use super::problem::Problem;
use super::sent::Asked;
use crate::domain::coming_up::{Point, State, Step};
use crate::domain::field_error::FieldErrors;
use crate::services::Services;
use crate::services::coming_up::{self, ComingUp, Wanted};
use crate::services::error::ServiceError;
use crate::web::blocking;

/// Which phone.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Phone {
    /// Its MAC or serial number, or the network address that it has.
    #[param(example = "0004f2abcdef")]
    phone: String,
}

/// How far a phone is.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ComingUpShape {
    /// The phone; absent where nothing at the address has named itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// Addresses that it came from lately.
    pub addresses: Vec<String>,
    /// Whether it is in the inventory.
    pub is_device: bool,
    /// The steps, in order.
    pub steps: Vec<StepShape>,
    /// Other phones that came from the same address lately.
    pub others: Vec<String>,
}

/// One step.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct StepShape {
    /// `heard`, `plain-http`, `tls`, `credentials`, `let-in`, `master`, `files`, `logs` or `bound`.
    pub step: String,
    /// `done`, `stuck` or `waiting`.
    pub state: String,
    /// When it was done, or when the phone was last seen to be stuck in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// What happened.
    pub words: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

impl From<Step> for StepShape {
    fn from(step: Step) -> Self {
        let name = match step.point {
            Point::Heard => "heard",
            Point::PlainHttp => "plain-http",
            Point::Tls => "tls",
            Point::Credentials => "credentials",
            Point::LetIn => "let-in",
            Point::Master => "master",
            Point::Files => "files",
            Point::Logs => "logs",
            Point::Bound => "bound",
        };
        let state = match step.state {
            State::Done => "done",
            State::Stuck => "stuck",
            State::Waiting => "waiting",
        };
        let (step_name, state) = (name.to_owned(), state.to_owned());
        Self { step: step_name, state, at: step.at, words: step.words, next: step.next.map(str::to_owned) }
    }
}

impl From<ComingUp> for ComingUpShape {
    fn from(found: ComingUp) -> Self {
        Self {
            device: found.key.map(|key| key.to_string()),
            addresses: found.addresses.iter().map(ToString::to_string).collect(),
            is_device: found.is_device,
            steps: found.steps.into_iter().map(StepShape::from).collect(),
            others: found.others.iter().map(ToString::to_string).collect(),
        }
    }
}

/// Tells how far a phone is on its way from the box to its configuration, and what to do where it is stuck.
#[utoipa::path(tag = "runs", params(AccountPath, Phone), responses((status = 200, body = ComingUpShape)))]
#[get("/accounts/{account}/coming-up")]
pub async fn show_coming_up(
    caller: Caller,
    services: web::Data<Services>,
    asked: Asked<Phone>,
) -> Result<web::Json<ComingUpShape>, Problem> {
    let wanted: Wanted =
        asked.into_inner().phone.parse().map_err(|words: String| ServiceError::from(FieldErrors::one("phone", words)))?;
    let found = blocking::call(&services, move |services| coming_up::of(services, caller.account, &wanted)).await?;
    Ok(web::Json(found.into()))
}
