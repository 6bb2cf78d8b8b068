//! What a page answers when a service could not do what it was asked for.
//!
//! Handlers answer `Result<HttpResponse, Failure>`. A form that can be mended is shown again instead, by its own page.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};
use uuid::Uuid;

use super::layout::{ErrorPage, Page, html_with};
use super::session::SignedIn;
use crate::services::error::{ServiceError, chain};
use crate::web::error::{is_fault, status};

/// A failed service, with the frame of the page that tells it.
pub struct Failure(Box<Told>);

/// Boxed: every handler's result carries room for it.
struct Told {
    page: Page,
    error: ServiceError,
    /// What the log knows a fault of ours by.
    id: Option<Uuid>,
}

impl Failure {
    /// The failure on a page of this person. A fault of ours is logged here, once.
    pub fn new(who: &SignedIn, error: ServiceError) -> Self {
        Self::on(who.page(""), error)
    }

    /// The failure on a page of whoever asked.
    pub fn on(mut page: Page, error: ServiceError) -> Self {
        let id = is_fault(&error).then(Uuid::now_v7);
        if let Some(id) = id {
            tracing::error!(%id, error = %chain(&error), page = page.here, "a page could not do what it was asked for");
        }
        page.title = title(&error).to_owned();
        Self(Box::new(Told { page, error, id }))
    }

    /// The same as a function, for `map_err`.
    pub fn of(who: &SignedIn) -> impl Fn(ServiceError) -> Self + '_ {
        move |error| Self::new(who, error)
    }

    /// An object that is not there.
    pub fn not_found(who: &SignedIn, what: &'static str, which: impl fmt::Display) -> Self {
        Self::new(who, ServiceError::not_found(what, which))
    }
}

fn title(error: &ServiceError) -> &'static str {
    match error {
        ServiceError::NotFound { .. } | ServiceError::Absent(_) => "Not found",
        ServiceError::Conflict(_) => "This was changed meanwhile",
        ServiceError::ReadOnly(_) => "This cannot be changed",
        ServiceError::Invalid(_) => "This cannot be done",
        ServiceError::Denied(_) => "You may not do this",
        _ => "Something went wrong",
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Failure").field(&self.0.error).finish()
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.error.fmt(f)
    }
}

impl ResponseError for Failure {
    fn status_code(&self) -> StatusCode {
        status(&self.0.error)
    }

    fn error_response(&self) -> HttpResponse {
        let sentence = match self.0.id {
            Some(_) => "The server could not do this. What was not confirmed is not saved. Try again in a moment.".to_owned(),
            None if self.0.error.is_disk_full() => sentence(&format!("{}; free some space", chain(&self.0.error))),
            None => sentence(&self.0.error.to_string()),
        };
        let page = ErrorPage {
            page: self.0.page.clone(),
            status: self.status_code().as_u16(),
            sentences: vec![sentence],
            request_id: self.0.id.map(|id| id.to_string()),
            href: "/admin/".to_owned(),
            action: "Go to the Dashboard",
        };
        html_with(self.status_code(), &page)
    }
}

/// Errors are written in lower case to fit anywhere; on a page they are sentences.
fn sentence(message: &str) -> String {
    let mut letters = message.chars();
    letters
        .next()
        .map_or_else(String::new, |first| format!("{}{}.", first.to_uppercase(), letters.as_str().trim_end_matches('.')))
}
