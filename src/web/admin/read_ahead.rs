//! The beginning of a form that is too large to be read ahead whole: its first field, which holds the form's token. What was read is put
//! back in front of the rest.

use actix_http::BoxedPayloadStream;
use actix_multipart::Multipart;
use actix_web::dev::{Payload, ServiceRequest};
use actix_web::http::header::HeaderMap;
use actix_web::web::Bytes;
use actix_web::{Error, HttpMessage as _, error};
use futures_util::{StreamExt as _, stream};

/// Bytes in which the first field must have come.
const AHEAD_BYTES: usize = 64 * 1024;

/// The value of the first field of a multipart form, where it has this name.
pub async fn first_field(request: &mut ServiceRequest, name: &str) -> Result<Option<Vec<u8>>, Error> {
    let mut payload = request.take_payload();
    let mut read = Vec::new();
    let mut found = None;
    while read.len() < AHEAD_BYTES {
        let Some(chunk) = payload.next().await else { break };
        read.extend_from_slice(&chunk.map_err(error::ErrorBadRequest)?);
        found = whole(request.headers(), &read, name).await;
        if found.is_some() {
            break;
        }
    }
    let ahead = stream::iter([Ok(Bytes::from(read))]);
    let again: BoxedPayloadStream = Box::pin(ahead.chain(payload));
    request.set_payload(Payload::Stream { payload: again });
    Ok(found)
}

/// The first field, where all of it has come.
async fn whole(headers: &HeaderMap, read: &[u8], name: &str) -> Option<Vec<u8>> {
    let read = Bytes::copy_from_slice(read);
    let mut parts = Multipart::new(headers, stream::iter([Ok::<_, error::PayloadError>(read)]));
    let mut first = parts.next().await?.ok()?;
    if first.name() != Some(name) {
        return None;
    }
    let mut value = Vec::new();
    while let Some(chunk) = first.next().await {
        value.extend_from_slice(&chunk.ok()?);
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{CONTENT_TYPE, HeaderName, HeaderValue};

    use super::*;

    #[actix_web::test]
    async fn the_first_field_counts_once_all_of_it_has_come() {
        let body = b"--x\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\nsecret\r\n--x\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n";
        let mut headers = HeaderMap::new();
        let name: HeaderName = CONTENT_TYPE;
        headers.insert(name, HeaderValue::from_static("multipart/form-data; boundary=x"));
        let boundary = body.windows(5).rposition(|five| five == b"\r\n--x").expect("a second boundary") + 5;
        for end in 0..body.len() {
            let found = whole(&headers, &body[..end], "csrf").await;
            assert!(found.is_none() || (end >= boundary - 1 && found.as_deref() == Some(b"secret")), "cut at {end}: {found:?}");
        }
        assert_eq!(whole(&headers, body, "csrf").await.as_deref(), Some(&b"secret"[..]));
        assert_eq!(whole(&headers, body, "other").await, None);
    }
}
