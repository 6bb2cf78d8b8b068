//! What the API says when it cannot do something: `application/problem+json` (RFC 9457) with one entry a field.

use std::collections::BTreeMap;
use std::fmt;

use actix_web::error::{JsonPayloadError, PathError, QueryPayloadError};
use actix_web::http::StatusCode;
use actix_web::http::header::RETRY_AFTER;
use actix_web::{HttpRequest, HttpResponse, ResponseError};
use serde::{Deserialize, Serialize};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{IntoResponses, ToSchema};

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
    retry_after: Option<u64>,
}

/// One field that breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FieldProblem {
    /// Which object of an array, counted from zero; absent where one object was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<usize>,
    /// The field.
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

    /// One field of what was sent breaks a rule.
    pub fn field(field: &'static str, message: impl fmt::Display) -> Self {
        Self::invalid(&FieldErrors::one(field, message))
    }
}

/// The errors that any operation may answer, for the API's description.
pub struct Problems;

impl IntoResponses for Problems {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let kinds = [
            ("400", "The query or the body cannot be read"),
            ("401", "Nobody is signed in"),
            ("403", "The caller may not do this, or did not prove where the request comes from"),
            ("404", "It is not there"),
            ("409", "It cannot be done as things stand, for example because somebody else changed the object meanwhile"),
            ("422", "Fields break rules; one entry each"),
            ("500", "The server could not do it; nothing was changed"),
        ];
        let content = || ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
        let response = |words: &str| ResponseBuilder::new().description(words).content(MEDIA_TYPE, content()).build();
        kinds.into_iter().map(|(status, words)| (status.to_owned(), RefOr::T(response(words)))).collect()
    }
}

impl From<&FieldError> for FieldProblem {
    fn from(error: &FieldError) -> Self {
        Self { item: error.item, field: error.field.to_owned(), message: error.message.clone() }
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

/// A body that is no JSON, or not of the shape that is asked for.
pub fn of_body(error: JsonPayloadError, _: &HttpRequest) -> actix_web::Error {
    let problem = match &error {
        JsonPayloadError::OverflowKnownLength { .. } | JsonPayloadError::Overflow { .. } => {
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large")
        }
        JsonPayloadError::ContentType => {
            Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "send JSON with the header Content-Type: application/json")
        }
        JsonPayloadError::Deserialize(e) if e.is_data() => {
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, format_args!("the body is not what is asked for: {e}"))
        }
        _ => Problem::new(StatusCode::BAD_REQUEST, format_args!("the body is not JSON: {error}")),
    };
    problem.into()
}

/// A query that cannot be read.
pub fn of_query(error: QueryPayloadError, _: &HttpRequest) -> actix_web::Error {
    Problem::new(StatusCode::BAD_REQUEST, format_args!("the query cannot be read: {error}")).into()
}

/// A part of the path that cannot name anything.
pub fn of_path(_: PathError, request: &HttpRequest) -> actix_web::Error {
    Problem::not_found("address", request.path()).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::access::Denied;

    #[test]
    fn every_kind_of_failure_has_its_status() {
        let status = |error: ServiceError| Problem::from(error).status;
        assert_eq!(status(ServiceError::not_found("device", "x")), 404);
        assert_eq!(status(ServiceError::Conflict("later".to_owned())), 409);
        assert_eq!(status(ServiceError::Denied(Denied)), 403);
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
        let fields: Vec<_> = problem.errors.iter().map(|e| (e.item, e.field.as_str())).collect();
        assert_eq!(fields, [(None, "name"), (Some(2), "key")]);
    }
}
