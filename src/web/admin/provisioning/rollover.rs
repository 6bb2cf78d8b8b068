//! Replace the CA: one private CA taking the place of another, with who is waited for at each step (contract 3).

use actix_web::{HttpResponse, web};
use askama::Template;
use jiff::Timestamp;

use crate::domain::rollover::Stage;
use crate::services::Services;
use crate::services::address::Address;
use crate::services::certificates::facts::Facts;
use crate::services::commit::Mode;
use crate::services::error::ServiceError;
use crate::services::rollover::{self, State, Step, Waiting};
use crate::web::admin::failure::Failure;
use crate::web::admin::forms::Form;
use crate::web::admin::layout::{Page, html};
use crate::web::admin::session::SignedIn;
use crate::web::blocking;

/// The page.
pub(super) const PAGE: &str = "/admin/provisioning/ca";
/// Devices of a list that are shown; the rest are counted.
const SHOWN: usize = 100;

#[derive(Template)]
#[template(path = "provisioning/rollover.html")]
struct RolloverPage {
    page: Page,
    stage: Option<Stage>,
    obstacle: Option<&'static str>,
    started: Option<(Timestamp, String)>,
    switched_at: Option<Timestamp>,
    known: Option<Facts>,
    next: Option<Facts>,
    /// The platform certificate of phones that the new CA takes.
    place: u8,
    ready: usize,
    waits: Listed,
    away: Listed,
}

/// Devices of a list.
struct Listed {
    shown: Vec<Waiting>,
    more: usize,
}

impl Listed {
    fn of(mut all: Vec<Waiting>) -> Self {
        let more = all.len().saturating_sub(SHOWN);
        all.truncate(SHOWN);
        Self { shown: all, more }
    }

    fn count(&self) -> usize {
        self.shown.len() + self.more
    }
}

/// What Provisioning Settings tells of it.
pub(super) struct Told {
    pub(super) stage: Stage,
    pub(super) next: Option<Facts>,
    pub(super) waits: usize,
    pub(super) ready: usize,
}

/// What Provisioning Settings tells of it; none where none goes on.
pub(super) fn told(services: &Services) -> Result<Option<Told>, ServiceError> {
    let state = rollover::state(services)?;
    let stage = state.rollover.as_ref().map(crate::domain::rollover::Rollover::stage);
    Ok(stage.map(|stage| Told { stage, next: state.next, waits: state.waits.len(), ready: state.ready }))
}

/// `GET /admin/provisioning/ca`
pub async fn show(who: SignedIn, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let state = blocking::call(&services, rollover::state).await.map_err(Failure::of(&who))?;
    let obstacle = state.obstacle();
    let State { rollover, known, next, place, waits, away, ready } = state;
    Ok(html(&RolloverPage {
        page: who.page("Replace the CA"),
        stage: rollover.as_ref().map(crate::domain::rollover::Rollover::stage),
        obstacle,
        switched_at: rollover.as_ref().and_then(|rollover| rollover.switched_at),
        started: rollover.map(|rollover| (rollover.started_at, rollover.by)),
        known,
        next,
        place: place.into(),
        ready,
        waits: Listed::of(waits),
        away: Listed::of(away),
    }))
}

/// `POST /admin/provisioning/ca`: a step.
pub async fn take(
    who: SignedIn,
    form: Form,
    services: web::Data<Services>,
    address: web::Data<Address>,
) -> Result<HttpResponse, Failure> {
    let (step, said) = match form.value("step") {
        "start" => (Step::Start, "The new CA is made. From now on phones are given both."),
        "switch" => (Step::Switch, "The server's certificate is signed by the new CA. Phones are still given both."),
        "end" => (
            Step::End,
            "Phones are given the new CA alone from now on. Make a backup: an older one may bring the old CA back, which they no longer trust.",
        ),
        "cancel" => (Step::Cancel, "The new CA is gone. Phones are given the one that they know."),
        _ => return Ok(who.not_done(PAGE, "There is no such step.")),
    };
    let (actor, known) = (who.actor.clone(), form.has("known"));
    let take = move |services: &Services| rollover::take_running(services, &address, &actor, step, known, Mode::Keep);
    match blocking::call(&services, take).await {
        Ok(_) => Ok(who.done(PAGE, said)),
        Err(ServiceError::Conflict(words)) => Ok(who.not_done(PAGE, sentence(&words))),
        Err(error) => Err(Failure::new(&who, error)),
    }
}

/// A reason as a sentence of its own.
fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}
