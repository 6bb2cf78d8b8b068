//! Answers to phones: bare, with a length, never chunked, never compressed, and the reason beside the status.

use std::convert::Infallible;
use std::fs::File;
use std::io::{Seek as _, SeekFrom};

use actix_web::body::{BoxBody, MessageBody, SizedStream};
use actix_web::http::StatusCode;
use actix_web::http::header::{
    ACCEPT_RANGES, ALLOW, CACHE_CONTROL, CONTENT_RANGE, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, EntityTag, HeaderName,
    HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE,
};
use actix_web::{HttpResponse, web};
use futures_util::stream;

use crate::domain::limits::RETRY_AFTER_SECONDS;
use crate::domain::resource::Resource;
use crate::domain::run::Reason;
use crate::web::file_body;
use crate::web::listener::PIECE_BYTES;
use crate::web::resource_part::{SANDBOX, Wanted, etag};

/// What phones may do; the rest is 405.
const METHODS: &str = "GET, HEAD, PUT, POST";
/// What may be done with a file that is served and never taken.
const READ_ONLY: &str = "GET, HEAD";
/// The challenge, the same for everybody.
const CHALLENGE: &str = "Basic realm=\"pdms\"";

const XML: &str = "text/xml; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";
const BINARY: &str = "application/octet-stream";

/// An answer before it is sent.
pub(super) struct Reply {
    status: StatusCode,
    reason: Reason,
    body: Body,
    header: Option<(HeaderName, &'static str)>,
    /// A challenge that stands before the other one.
    digest: Option<String>,
    content_type: &'static str,
    size_bytes: u64,
    /// Tag of a file that is asked for in parts, and which part this is.
    tag: Option<HeaderValue>,
    range: Option<String>,
    /// The run is told of it when it ends.
    is_told_later: bool,
}

enum Body {
    Text(&'static str),
    Bytes(Vec<u8>),
    /// A resource file, or a part of it; without the file only its length is told.
    Resource(Box<Part>),
    /// Only its length is told: the answer to HEAD for what would have to be read from the disk.
    Length,
    /// A part of a file, or all of it.
    File(BoxBody),
}

/// What of a file is sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece {
    /// Its first byte.
    pub first: u64,
    /// How many.
    pub length: u64,
    /// Bytes of the whole file.
    pub size_bytes: u64,
}

impl Piece {
    /// 200 for a whole file, 206 for a part of one.
    pub fn status(self) -> StatusCode {
        if self.length == self.size_bytes { StatusCode::OK } else { StatusCode::PARTIAL_CONTENT }
    }
}

/// What is sent of a resource file.
struct Part {
    file: Option<File>,
    wanted: Wanted,
    sha256: String,
    whole_bytes: u64,
}

impl Reply {
    fn text(status: StatusCode, reason: Reason, text: &'static str) -> Self {
        let size_bytes = text.len() as u64;
        Self {
            status,
            reason,
            body: Body::Text(text),
            header: None,
            digest: None,
            content_type: TEXT,
            size_bytes,
            tag: None,
            range: None,
            is_told_later: false,
        }
    }

    fn with(mut self, name: HeaderName, value: &'static str) -> Self {
        self.header = Some((name, value));
        self
    }

    /// 401: whatever exists, whoever asks.
    pub fn unauthorized(reason: Reason) -> Self {
        let text = "The user name and password of the provisioning account are needed.\n";
        Self::text(StatusCode::UNAUTHORIZED, reason, text).with(WWW_AUTHENTICATE, CHALLENGE)
    }

    /// The same with a Digest challenge before the other one: whoever can is to keep the password off the wire.
    pub fn or_by_digest(self, challenge: String) -> Self {
        Self { digest: Some(challenge), ..self }
    }

    /// 503: the phone keeps what it has and comes again.
    pub fn held(reason: Reason) -> Self {
        Self::text(StatusCode::SERVICE_UNAVAILABLE, reason, "Not now.\n").with(RETRY_AFTER, retry_after())
    }

    /// 404, short.
    pub fn absent(reason: Reason) -> Self {
        Self::text(StatusCode::NOT_FOUND, reason, "No such file.\n")
    }

    /// 405 for methods that phones do not use.
    pub fn method_refused() -> Self {
        Self::text(StatusCode::METHOD_NOT_ALLOWED, Reason::MethodRefused, "Not a method for phones.\n").with(ALLOW, METHODS)
    }

    /// 405 for an upload of what is only served.
    pub fn read_only() -> Self {
        Self::text(StatusCode::METHOD_NOT_ALLOWED, Reason::NotUploadable, "This file is not taken.\n").with(ALLOW, READ_ONLY)
    }

    /// An upload that is not taken.
    pub fn refused(status: StatusCode, reason: Reason) -> Self {
        Self::text(status, reason, "Not taken.\n")
    }

    /// 429: the device uploaded more within the hour than is taken of one.
    pub fn too_many() -> Self {
        let text = "Too many uploads of this device; later.\n";
        Self::text(StatusCode::TOO_MANY_REQUESTS, Reason::QuotaReached, text).with(RETRY_AFTER, retry_after())
    }

    /// 201 or 204: an upload that is kept.
    pub fn kept(status: StatusCode, reason: Reason, size_bytes: u64) -> Self {
        Self { size_bytes, ..Self::text(status, reason, "") }
    }

    /// 200 with a file that we made.
    pub fn made(bytes: Vec<u8>, reason: Reason) -> Self {
        let size_bytes = bytes.len() as u64;
        let body = Body::Bytes(bytes);
        Self { body, content_type: XML, size_bytes, ..Self::text(StatusCode::OK, reason, "") }
    }

    fn of_software(status: StatusCode, tag: &EntityTag) -> Self {
        let tag = HeaderValue::from_str(&tag.to_string()).ok();
        Self { content_type: BINARY, tag, ..Self::text(status, Reason::SoftwareFile, "") }.with(NOSNIFF, "nosniff")
    }

    /// 200 or 206: a file of an image, or a part of one.
    pub fn software(tag: &EntityTag, piece: Piece, body: impl MessageBody + 'static) -> Self {
        let last = (piece.first + piece.length).saturating_sub(1);
        let is_part = piece.status() == StatusCode::PARTIAL_CONTENT;
        Self {
            body: Body::File(BoxBody::new(body)),
            size_bytes: piece.length,
            range: is_part.then(|| format!("bytes {}-{last}/{}", piece.first, piece.size_bytes)),
            ..Self::of_software(piece.status(), tag)
        }
    }

    /// The answer to HEAD for a file of an image.
    pub fn software_head(tag: &EntityTag, size_bytes: u64) -> Self {
        Self { body: Body::Length, size_bytes, ..Self::of_software(StatusCode::OK, tag) }
    }

    /// 304: whoever asks has it.
    pub fn unchanged(tag: &EntityTag) -> Self {
        Self::of_software(StatusCode::NOT_MODIFIED, tag)
    }

    /// 416: asked for beyond the end of a file.
    pub fn beyond_end(tag: &EntityTag, size_bytes: u64) -> Self {
        let range = Some(format!("bytes */{size_bytes}"));
        Self { range, ..Self::of_software(StatusCode::RANGE_NOT_SATISFIABLE, tag) }
    }

    /// The run is told of it when it ends, by whoever sends it.
    pub fn told_later(self) -> Self {
        Self { is_told_later: true, ..self }
    }

    /// Whether the run is told of it by somebody else.
    pub fn is_told_later(&self) -> bool {
        self.is_told_later
    }

    /// 200 with what a phone uploaded. It is never shown as a page, whatever it holds.
    pub fn uploaded(bytes: Vec<u8>) -> Self {
        Self { content_type: TEXT, ..Self::made(bytes, Reason::DeviceFile) }.with(NOSNIFF, "nosniff")
    }

    /// A resource file, from `file` where its content is to be sent. Nothing in it runs in a browser that asks with a phone's
    /// credentials.
    pub fn resource(resource: &Resource, wanted: Wanted, file: Option<File>) -> Self {
        let (sha256, whole_bytes) = (resource.sha256.clone(), resource.size_bytes);
        let part = Part { file, wanted, sha256, whole_bytes };
        Self {
            status: wanted.status(),
            reason: Reason::Resource,
            body: Body::Resource(Box::new(part)),
            header: Some((NOSNIFF, "nosniff")),
            digest: None,
            tag: None,
            range: None,
            is_told_later: false,
            content_type: resource.path.content_type(),
            size_bytes: wanted.span(resource.size_bytes).1,
        }
    }

    /// 200 with the length of what a phone uploaded: the answer to HEAD.
    pub fn length(size_bytes: u64) -> Self {
        Self { body: Body::Length, size_bytes, ..Self::uploaded(Vec::new()) }
    }

    pub fn status(&self) -> StatusCode {
        self.status
    }

    pub fn reason(&self) -> Reason {
        self.reason
    }

    pub fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    pub fn into_response(self) -> HttpResponse {
        let mut builder = HttpResponse::build(self.status);
        if let Some(challenge) = self.digest {
            builder.append_header((WWW_AUTHENTICATE, challenge));
        }
        if let Some(header) = self.header {
            builder.append_header(header);
        }
        if let Some(tag) = &self.tag {
            builder.insert_header((ETAG, tag.clone()));
            builder.insert_header((ACCEPT_RANGES, HeaderValue::from_static("bytes")));
        }
        if let Some(range) = self.range {
            builder.insert_header((CONTENT_RANGE, range));
        }
        if matches!(self.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED) {
            return builder.finish();
        }
        builder.insert_header((CONTENT_TYPE, HeaderValue::from_static(self.content_type)));
        // Nothing on the way keeps a configuration (SEC-07); software is no secret, and may be kept by whoever asks each time.
        let kept = if self.tag.is_some() { "no-cache" } else { "no-store" };
        builder.insert_header((CACHE_CONTROL, HeaderValue::from_static(kept)));
        match self.body {
            Body::Text(text) => builder.body(text),
            Body::Bytes(bytes) if bytes.len() <= PIECE_BYTES => builder.body(bytes),
            Body::Bytes(bytes) => {
                let body = SizedStream::new(self.size_bytes, stream::iter(pieces(bytes).map(Ok::<_, Infallible>)));
                builder.body(BoxBody::new(body))
            }
            Body::Resource(part) => {
                let Part { file, wanted, sha256, whole_bytes } = *part;
                builder.insert_header(etag(&sha256));
                builder.insert_header((ACCEPT_RANGES, "bytes")).insert_header((CONTENT_SECURITY_POLICY, SANDBOX));
                if let Some(range) = wanted.content_range(whole_bytes) {
                    builder.insert_header((CONTENT_RANGE, range));
                }
                match file.map(|file| from(file, wanted.span(whole_bytes).0)) {
                    Some(Ok(file)) => builder.body(BoxBody::new(file_body::of(file, self.size_bytes))),
                    Some(Err(_)) => Self::held(Reason::Fault).into_response(),
                    None if self.status == StatusCode::OK => builder.body(length(self.size_bytes)),
                    None => builder.finish(),
                }
            }
            Body::File(body) => builder.body(body),
            Body::Length => builder.body(length(self.size_bytes)),
        }
    }
}

/// The answer to HEAD: so many bytes, and none of them.
fn length(size_bytes: u64) -> BoxBody {
    let nothing = stream::empty::<Result<web::Bytes, std::io::Error>>();
    BoxBody::new(SizedStream::new(size_bytes, nothing))
}

/// A file that stands at this byte. Moving there reads nothing.
fn from(mut file: File, first: u64) -> std::io::Result<File> {
    file.seek(SeekFrom::Start(first))?;
    Ok(file)
}

const NOSNIFF: HeaderName = actix_web::http::header::X_CONTENT_TYPE_OPTIONS;

/// [`RETRY_AFTER_SECONDS`] as text.
fn retry_after() -> &'static str {
    const { assert!(RETRY_AFTER_SECONDS == 3_600, "the text below says the same") };
    "3600"
}

/// A body in the pieces that a connection's buffer takes, none of them copied.
fn pieces(bytes: Vec<u8>) -> impl Iterator<Item = web::Bytes> {
    let mut rest = web::Bytes::from(bytes);
    std::iter::from_fn(move || {
        let piece = rest.split_to(rest.len().min(PIECE_BYTES));
        (!piece.is_empty()).then_some(piece)
    })
}

#[cfg(test)]
mod tests {
    use actix_web::body::{MessageBody as _, to_bytes};

    use super::*;

    #[actix_web::test]
    async fn a_body_of_any_length_arrives_whole_and_with_its_length() {
        for length in [0, 1, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 5 * PIECE_BYTES + 3] {
            let file: Vec<u8> = (0..length).map(|i| (i % 251) as u8).collect();
            let answer = Reply::made(file.clone(), Reason::Parameters).into_response();
            assert_eq!(answer.body().size(), actix_web::body::BodySize::Sized(length as u64));
            assert_eq!(to_bytes(answer.into_body()).await.ok().as_deref(), Some(&file[..]), "{length} bytes");
        }
    }
}
