//! Pages that say what went wrong, why, and where to go from there.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};

use super::failure::Failure;
use super::layout::{ErrorPage, html_with};
use super::next::HOME;
use super::session::Visitor;
use crate::domain::user::Role;
use crate::services::error::ServiceError;

/// Nothing is at this address.
pub fn not_found(visitor: &Visitor) -> HttpResponse {
    let sentences = ["Nothing is at this address. It may have been deleted, or the link is old."];
    answer(visitor, StatusCode::NOT_FOUND, "Page not found", &sentences, None, HOME, "Go to the Dashboard")
}

/// There is such an address, for forms only or for reading only.
pub fn method_refused(visitor: &Visitor) -> HttpResponse {
    let sentences = ["Nothing was changed. This address is one that a form is sent to, or one that is only read."];
    let title = "This address is not opened in this way";
    answer(visitor, StatusCode::METHOD_NOT_ALLOWED, title, &sentences, None, HOME, "Go to the Dashboard")
}

/// The person may not do this.
pub fn forbidden(visitor: &Visitor, least: Role) -> HttpResponse {
    let own = visitor.person().map_or("none", |person| person.role.label());
    let why = format!("This needs the role {least} or a higher one; yours is {own}. Nothing was changed.");
    let sentences = [why.as_str(), "An owner of this installation can give you another role."];
    answer(visitor, StatusCode::FORBIDDEN, "You may not do this", &sentences, None, HOME, "Go to the Dashboard")
}

/// A service could not do what somebody asked who need not be signed in.
pub fn failed(visitor: &Visitor, error: ServiceError) -> HttpResponse {
    Failure::on(visitor.page(""), error).error_response()
}

/// A form that was not sent by a page of this session.
pub fn forged(visitor: &Visitor, back: &str) -> HttpResponse {
    let sentences = [
        "Nothing was changed. The form belongs to an earlier sign-in, or was sent by another site.",
        "Load the page again: if it was your form, what you typed is in it, and you can send it once more.",
    ];
    answer(visitor, StatusCode::FORBIDDEN, "This form is no longer valid", &sentences, None, back, "Load the page again")
}

/// A form or file above the limit, which `limit` tells.
pub fn too_large(visitor: &Visitor, limit: &str, back: &str) -> HttpResponse {
    answer(visitor, StatusCode::PAYLOAD_TOO_LARGE, "This is too large", &[limit], None, back, "Go back")
}

/// A page with any status, cause and next step.
pub fn answer(
    visitor: &Visitor,
    status: StatusCode,
    title: &str,
    sentences: &[&str],
    request_id: Option<&str>,
    href: &str,
    action: &'static str,
) -> HttpResponse {
    let page = ErrorPage {
        page: visitor.page(title),
        status: status.as_u16(),
        sentences: sentences.iter().map(|&s| s.to_owned()).collect(),
        request_id: request_id.map(ToOwned::to_owned),
        href: href.to_owned(),
        action,
    };
    html_with(status, &page)
}
