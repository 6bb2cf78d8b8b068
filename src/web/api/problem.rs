//! What the API says when it cannot do something: `application/problem+json` (RFC 9457) with one entry a field.

use std::fmt;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::PathError;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, RETRY_AFTER};
use actix_web::middleware::Next;
use actix_web::{HttpRequest, HttpResponse, ResponseError};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::access::Denied;
use crate::domain::field_error::{FieldError, FieldErrors};
use crate::services::error::{ServiceError, chain};
use crate::web::error::{is_fault, status};

/// Media type of every error.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// An error as the caller gets it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// HTTP status.
    pub status: u16,
    /// What happened, the same for every error of this status.
    pub title: String,
    /// What happened this time, with the next step.
    pub detail: String,
    /// What is wrong with which field of what was sent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldProblem>,
    /// Seconds after which the caller may try again: told in the header `Retry-After`.
    #[serde(skip)]
    #[schema(ignore)]
    retry_after: Option<u64>,
}

/// One field that breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FieldProblem {
    /// The field by its path in what was sent: `name`, of an array's objects `[3].key`, counted from zero; `body` for all of it.
    #[schema(example = "[3].key")]
    pub field: String,
    /// The rule in words.
    pub message: String,
}

impl Problem {
    /// A problem without fields.
    pub fn new(status: StatusCode, detail: impl fmt::Display) -> Self {
        let title = status.canonical_reason().unwrap_or("Error").to_owned();
        Self { status: status.as_u16(), title, detail: detail.to_string(), errors: Vec::new(), retry_after: None }
    }

    /// The caller has to wait for some seconds.
    pub fn wait(seconds: u64, detail: impl fmt::Display) -> Self {
        Self { retry_after: Some(seconds), ..Self::new(StatusCode::TOO_MANY_REQUESTS, detail) }
    }

    /// Something that was asked for is not there.
    pub fn not_found(what: &str, which: impl fmt::Display) -> Self {
        Self::new(StatusCode::NOT_FOUND, format_args!("there is no {what} “{which}”"))
    }

    /// What was sent breaks rules.
    pub fn invalid(errors: &FieldErrors) -> Self {
        let mut problem = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "some fields break a rule; see errors");
        problem.errors = errors.iter().map(FieldProblem::from).collect();
        problem
    }

    /// Objects of an array break rules; the array is a field of what was sent, and its objects have no fields.
    pub fn items(array: &str, errors: &FieldErrors) -> Self {
        let mut problem = Self::invalid(errors);
        for (told, error) in problem.errors.iter_mut().zip(errors.iter()) {
            told.field = error.item.map_or_else(|| array.to_owned(), |item| format!("{array}[{item}]"));
        }
        problem
    }

    /// One field of what was sent breaks a rule.
    pub fn field(field: &'static str, message: impl fmt::Display) -> Self {
        Self::invalid(&FieldErrors::one(field, message))
    }
}

impl From<&FieldError> for FieldProblem {
    fn from(error: &FieldError) -> Self {
        let field = match error.item {
            Some(item) => format!("[{item}].{}", error.field),
            None => error.field.to_owned(),
        };
        Self { field, message: error.message.clone() }
    }
}

impl From<ServiceError> for Problem {
    fn from(error: ServiceError) -> Self {
        match &error {
            ServiceError::Invalid(errors) => Self::invalid(errors),
            // Causes may name files and states of the server: they belong into its log, not to the caller.
            fault if is_fault(fault) => {
                tracing::error!(error = chain(fault), "the API could not do what was asked");
                Self::new(status(fault), "the server could not do this; nothing was changed. Its log says why")
            }
            ServiceError::Denied(Denied::Unconfirmed) => Self::new(
                status(&error),
                format_args!("{error}. Send your password to POST /api/v1/session/confirmation, then ask again"),
            ),
            // Somebody has to free some space: where it lacks is no secret.
            full if full.is_disk_full() => Self::new(status(full), format_args!("{}; free some space", chain(full))),
            told => Self::new(status(told), told),
        }
    }
}

impl From<FieldErrors> for Problem {
    fn from(errors: FieldErrors) -> Self {
        Self::invalid(&errors)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let mut answer = HttpResponse::build(self.status_code());
        if let Some(seconds) = self.retry_after {
            answer.insert_header((RETRY_AFTER, seconds));
        }
        answer.content_type(MEDIA_TYPE).json(self)
    }
}

/// A part of the path that cannot name anything.
pub fn of_path(_: PathError, request: &HttpRequest) -> actix_web::Error {
    Problem::not_found("address", request.path()).into()
}

/// Middleware: whatever refuses below it without a problem of its own, such as the sessions' store, is told as one.
pub async fn only_problems(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let answered = match next.call(request).await {
        Ok(answered) => answered.map_into_boxed_body(),
        Err(error) => return Err(from_elsewhere(&error.error_response()).map_or(error, Into::into)),
    };
    Ok(match from_elsewhere(answered.response()) {
        Some(problem) => answered.into_response(problem.error_response()),
        None => answered,
    })
}

fn from_elsewhere<B>(answer: &HttpResponse<B>) -> Option<Problem> {
    let status = answer.status();
    let is_problem = answer.headers().get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes() == MEDIA_TYPE.as_bytes());
    if is_problem || !(status.is_client_error() || status.is_server_error()) {
        return None;
    }
    let detail = match status.is_server_error() {
        true => "the server could not do this; nothing was changed. Its log says why",
        false => "the request cannot be taken as it is; nothing was changed",
    };
    Some(Problem::new(status, detail))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::user::Role;

    #[test]
    fn every_kind_of_failure_has_its_status() {
        let status = |error: ServiceError| Problem::from(error).status;
        assert_eq!(status(ServiceError::not_found("device", "x")), 404);
        assert_eq!(status(ServiceError::Conflict("later".to_owned())), 409);
        assert_eq!(status(ServiceError::Denied(Denied::Role(Role::Owner))), 403);
        let lost = ServiceError::file("read", "/secret/place")(std::io::Error::other("disk"));
        let problem = Problem::from(lost);
        assert_eq!(problem.status, 500);
        assert!(!problem.detail.contains("secret"), "paths of the server stay inside: {}", problem.detail);
    }

    #[test]
    fn each_field_has_an_entry_of_its_own() {
        let mut errors = FieldErrors::one("name", "enter a name");
        errors.add_item(2, FieldErrors::one("key", "enter a MAC address"));
        let problem = Problem::from(ServiceError::from(errors));
        assert_eq!(problem.status, 422);
        let fields: Vec<_> = problem.errors.iter().map(|e| e.field.as_str()).collect();
        assert_eq!(fields, ["name", "[2].key"]);
    }

    #[test]
    fn a_full_disk_is_told_with_its_place_and_its_cause() {
        let full = ServiceError::file("write", "/srv/backups/x")(std::io::Error::from_raw_os_error(28));
        let problem = Problem::from(full);
        assert_eq!(problem.status, 507);
        for part in ["/srv/backups/x", "No space left on device", "free some space"] {
            assert!(problem.detail.contains(part), "{}", problem.detail);
        }
    }

    #[test]
    fn what_other_code_refuses_becomes_a_problem_and_a_problem_stays_itself() {
        let plain = HttpResponse::InternalServerError().body("/secret/place is gone");
        assert_eq!(from_elsewhere(&plain).map(|problem| problem.status), Some(500));
        assert!(from_elsewhere(&plain).is_some_and(|problem| !problem.detail.contains("secret")));
        assert_eq!(from_elsewhere(&Problem::not_found("device", "x").error_response()), None);
        assert_eq!(from_elsewhere(&HttpResponse::NoContent().finish()), None);
    }
}
