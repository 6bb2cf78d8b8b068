//! The one place where a page asks for a role, before its handler: what [`crate::web::route_roles`] says of the address.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpResponse, ResponseError as _};

use super::errors;
use super::session::{SignInFirst, Visitor, page_to_return_to};
use crate::web::methods::Room;

/// Middleware: lets those pass who have the role that the address takes. A stranger is led to the sign-in page.
pub async fn admit(request: ServiceRequest, next: Next<impl MessageBody + 'static>) -> Result<ServiceResponse<BoxBody>, Error> {
    // No clone of the request may live on when it is passed on: routing writes into it.
    match refusal(&request) {
        None => Ok(next.call(request).await?.map_into_boxed_body()),
        Some(answer) => Ok(request.into_response(answer)),
    }
}

fn refusal(request: &ServiceRequest) -> Option<HttpResponse> {
    let room = request.app_data::<Data<Room>>()?;
    let least = room.least(request.method(), request.path())?.role()?;
    let visitor = Visitor::of(request.request());
    match visitor.person() {
        None => Some(SignInFirst(page_to_return_to(request.request())).error_response()),
        Some(person) if person.role < least => {
            tracing::info!(path = request.path(), user = %person.id, "a page was refused for want of a role");
            Some(errors::forbidden(&visitor, least))
        }
        Some(_) => None,
    }
}
