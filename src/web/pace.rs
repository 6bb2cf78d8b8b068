//! Cuts off request bodies that trickle in: actix has a time limit for heads, none for bodies.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_http::{BoxedPayloadStream, HttpMessage, Payload};
use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::PayloadError;
use actix_web::http::Method;
use actix_web::middleware::Next;
use actix_web::web::{Bytes, Data};
use futures_util::Stream;
use tokio::time::{Instant, Sleep, sleep_until};

use super::listener::TimeLimits;

/// Middleware: a body must come at [`TimeLimits::BODY_BYTES_PER_SECOND`] on average after a grace of [`TimeLimits::body`], and
/// may not pause for longer than that grace.
pub async fn pace_bodies(
    mut request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let grace = request.app_data::<Data<TimeLimits>>().map_or(TimeLimits::default().body, |limits| limits.body);
        let payload = request.take_payload();
        request.set_payload(paced(payload, grace));
    }
    next.call(request).await
}

fn paced(payload: Payload, grace: Duration) -> Payload {
    if matches!(payload, Payload::None) {
        return payload;
    }
    let started = Instant::now();
    let deadline = Box::pin(sleep_until(started + grace));
    let paced: BoxedPayloadStream = Box::pin(Paced { payload, deadline, started, grace, received_bytes: 0 });
    Payload::Stream { payload: paced }
}

struct Paced {
    payload: Payload,
    deadline: Pin<Box<Sleep>>,
    started: Instant,
    grace: Duration,
    received_bytes: u64,
}

impl Stream for Paced {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match Pin::new(&mut self.payload).poll_next(cx) {
            Poll::Ready(Some(Ok(chunk))) => {
                self.received_bytes += chunk.len() as u64;
                let earned = Duration::from_secs(self.received_bytes / TimeLimits::BODY_BYTES_PER_SECOND);
                // Bytes that came fast earn no pause longer than the grace.
                let deadline = (self.started + self.grace + earned).min(Instant::now() + self.grace);
                self.deadline.as_mut().reset(deadline);
                Poll::Ready(Some(Ok(chunk)))
            }
            Poll::Pending if self.deadline.as_mut().poll(cx).is_ready() => {
                let error = io::Error::new(io::ErrorKind::TimedOut, "the body came too slowly");
                Poll::Ready(Some(Err(PayloadError::Io(error))))
            }
            other => other,
        }
    }
}
