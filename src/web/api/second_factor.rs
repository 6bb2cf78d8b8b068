//! The caller's own second factor, and taking it from a user who lost it.

use actix_web::{delete, get, post, put, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::DryRun;
use super::caller::Caller;
use super::problem::Problem;
use super::sent::{Asked, Sent};
use super::sign_ins;
use super::users::{UserPath, UserShape};
use crate::domain::account::Secret;
use crate::services::{Services, second_factor, users};
use crate::web::blocking;

/// The caller's second factor.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct FactorShape {
    /// Whether a code is asked for after the password.
    pub on: bool,
    /// Recovery codes that are left.
    pub recovery_codes: usize,
}

/// What an authenticator app is told.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct OfferShape {
    /// The secret in base 32.
    pub secret: String,
    /// The same with names, as an `otpauth` address.
    pub url: String,
}

/// The first code of the app, and the caller's password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FirstCode {
    /// The caller's password.
    #[schema(value_type = String)]
    current: Secret,
    /// The code that the app shows.
    code: String,
}

/// The caller's password, asked for again.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordAgain {
    /// The caller's password.
    #[schema(value_type = String)]
    current: Secret,
}

/// Recovery codes, told once.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct RecoveryShape {
    /// Each stands for one code of the app, once. Those of a dry run are good for nothing.
    pub recovery_codes: Vec<String>,
}

impl From<Vec<Secret>> for RecoveryShape {
    fn from(codes: Vec<Secret>) -> Self {
        Self { recovery_codes: codes.iter().map(|code| code.expose().to_owned()).collect() }
    }
}

/// Tells whether the caller has a second factor.
#[utoipa::path(tag = "session", responses((status = 200, body = FactorShape)))]
#[get("/session/second-factor")]
pub async fn show_second_factor(caller: Caller, services: web::Data<Services>) -> Result<web::Json<FactorShape>, Problem> {
    let id = sign_ins::user(&caller)?;
    let factor = blocking::call(&services, move |services| users::get(services, id)).await?.second_factor;
    let recovery_codes = factor.as_ref().map_or(0, |factor| factor.recovery.len());
    Ok(web::Json(FactorShape { on: factor.is_some(), recovery_codes }))
}

/// Begins to set up a second factor: answers what the authenticator app is told. It is on once its first code was sent. A dry run does
/// the same, because nothing is kept yet.
#[utoipa::path(tag = "session", params(DryRun), responses((status = 200, body = OfferShape)))]
#[post("/session/second-factor")]
pub async fn offer_second_factor(
    caller: Caller,
    services: web::Data<Services>,
    _: Asked<DryRun>,
) -> Result<web::Json<OfferShape>, Problem> {
    let id = sign_ins::user(&caller)?;
    let offer = blocking::call(&services, move |services| second_factor::offer(services, &caller.actor, id)).await?;
    Ok(web::Json(OfferShape { secret: offer.secret.expose().to_owned(), url: offer.url.expose().to_owned() }))
}

/// Switches the second factor on with its first code, and answers the recovery codes.
#[utoipa::path(tag = "session", params(DryRun), request_body = FirstCode, responses((status = 200, body = RecoveryShape)))]
#[put("/session/second-factor")]
pub async fn confirm_second_factor(
    caller: Caller,
    services: web::Data<Services>,
    dry_run: Asked<DryRun>,
    sent: Sent<FirstCode>,
) -> Result<web::Json<RecoveryShape>, Problem> {
    let (id, mode) = (sign_ins::user(&caller)?, dry_run.mode());
    let FirstCode { current, code } = sent.into_inner();
    let work = move |services: &Services| second_factor::confirm(services, &caller.actor, id, &current, &code, mode);
    Ok(web::Json(blocking::call(&services, work).await?.into()))
}

/// Switches the second factor off.
#[utoipa::path(tag = "session", params(DryRun), request_body = PasswordAgain, responses((status = 200, body = FactorShape)))]
#[delete("/session/second-factor")]
pub async fn disable_second_factor(
    caller: Caller,
    services: web::Data<Services>,
    dry_run: Asked<DryRun>,
    sent: Sent<PasswordAgain>,
) -> Result<web::Json<FactorShape>, Problem> {
    let (id, mode, current) = (sign_ins::user(&caller)?, dry_run.mode(), sent.into_inner().current);
    blocking::call(&services, move |services| second_factor::disable(services, &caller.actor, id, &current, mode)).await?;
    Ok(web::Json(FactorShape { on: false, recovery_codes: 0 }))
}

/// Makes new recovery codes in place of all others.
#[utoipa::path(tag = "session", params(DryRun), request_body = PasswordAgain, responses((status = 200, body = RecoveryShape)))]
#[post("/session/second-factor/recovery")]
pub async fn renew_recovery_codes(
    caller: Caller,
    services: web::Data<Services>,
    dry_run: Asked<DryRun>,
    sent: Sent<PasswordAgain>,
) -> Result<web::Json<RecoveryShape>, Problem> {
    let (id, mode, current) = (sign_ins::user(&caller)?, dry_run.mode(), sent.into_inner().current);
    let work = move |services: &Services| second_factor::renew_recovery(services, &caller.actor, id, &current, mode);
    Ok(web::Json(blocking::call(&services, work).await?.into()))
}

/// Takes the second factor from a user who lost it, and signs the user out everywhere.
#[utoipa::path(tag = "users", params(UserPath, DryRun), responses((status = 200, body = UserShape)))]
#[delete("/users/{id}/second-factor")]
pub async fn reset_second_factor(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<UserPath>,
    dry_run: Asked<DryRun>,
) -> Result<web::Json<UserShape>, Problem> {
    let (id, mode) = (path.id()?, dry_run.mode());
    let work = move |services: &Services| second_factor::reset(services, &caller.actor, id, mode);
    Ok(web::Json(blocking::call(&services, work).await?.into()))
}
