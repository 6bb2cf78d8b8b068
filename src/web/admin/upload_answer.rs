//! Where an upload leads that a script sends to show how far it is (`static/upload.js`): a script that followed by itself would fetch the
//! next page unseen, and with it the message that is told once. It is told the address, and the browser goes there.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue, LOCATION};
use actix_web::middleware::Next;
use actix_web::{Error, HttpResponse};

/// Says that a script sends the file.
const ASKS: &str = "x-upload";
/// Where the browser is to go.
const TARGET: HeaderName = HeaderName::from_static("x-location");

/// Middleware: an upload by script that is led elsewhere is told where to.
pub async fn tell(request: ServiceRequest, next: Next<impl MessageBody + 'static>) -> Result<ServiceResponse<BoxBody>, Error> {
    let by_script = request.headers().contains_key(ASKS);
    let answer = next.call(request).await?.map_into_boxed_body();
    let target = answer.headers().get(LOCATION).filter(|_| by_script && answer.status() == StatusCode::SEE_OTHER).cloned();
    Ok(match target {
        Some(target) => led(answer, target),
        None => answer,
    })
}

fn led(answer: ServiceResponse<BoxBody>, target: HeaderValue) -> ServiceResponse<BoxBody> {
    let mut told = HttpResponse::NoContent().insert_header((TARGET, target)).finish();
    // Cookies and whatever else the answer carries stay.
    for (name, value) in answer.headers() {
        if *name != LOCATION {
            told.headers_mut().append(name.clone(), value.clone());
        }
    }
    answer.into_response(told)
}
