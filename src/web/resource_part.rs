//! Which part of a resource file a request asks for: conditions and ranges as HTTP has them (RFC 9110), read by the library's headers.

use actix_web::HttpRequest;
use actix_web::http::header::{ETag, EntityTag, Header, IF_NONE_MATCH, IF_RANGE, IfNoneMatch, IfRange, RANGE, Range};
use actix_web::http::{Method, StatusCode};

/// What a browser may do with a file of somebody's: show it as what it is said to be, and run nothing in it (UPL-08).
pub const SANDBOX: &str = "sandbox; default-src 'none'";

/// What is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// All of it.
    Whole,
    /// From one byte to another, both included.
    Part(u64, u64),
    /// Whoever asks has it already.
    NotModified,
    /// A range that the file does not have.
    Unsatisfiable,
}

impl Wanted {
    /// What a request wants of a content with this hash and so many bytes. Of several ranges at once nothing comes: the whole file does.
    pub fn of(request: &HttpRequest, sha256: &str, size_bytes: u64) -> Self {
        let tag = EntityTag::new_strong(sha256.to_owned());
        if request.headers().contains_key(IF_NONE_MATCH) {
            match IfNoneMatch::parse(request) {
                Ok(IfNoneMatch::Any) => return Self::NotModified,
                Ok(IfNoneMatch::Items(tags)) if tags.iter().any(|one| one.weak_eq(&tag)) => return Self::NotModified,
                _ => {}
            }
        }
        let is_same = match IfRange::parse(request) {
            Ok(IfRange::EntityTag(given)) => given.strong_eq(&tag),
            // A file's time says little: it may be replaced twice in a second.
            _ => !request.headers().contains_key(IF_RANGE),
        };
        if *request.method() != Method::GET || !request.headers().contains_key(RANGE) || !is_same {
            return Self::Whole;
        }
        match Range::parse(request) {
            Ok(Range::Bytes(ranges)) if ranges.len() == 1 => match ranges[0].to_satisfiable_range(size_bytes) {
                Some((first, last)) => Self::Part(first, last),
                None => Self::Unsatisfiable,
            },
            _ => Self::Whole,
        }
    }

    /// The status that says so.
    pub fn status(self) -> StatusCode {
        match self {
            Self::Whole => StatusCode::OK,
            Self::Part(..) => StatusCode::PARTIAL_CONTENT,
            Self::NotModified => StatusCode::NOT_MODIFIED,
            Self::Unsatisfiable => StatusCode::RANGE_NOT_SATISFIABLE,
        }
    }

    /// The first byte that is sent, and how many are.
    pub fn span(self, size_bytes: u64) -> (u64, u64) {
        match self {
            Self::Whole => (0, size_bytes),
            Self::Part(first, last) => (first, last - first + 1),
            Self::NotModified | Self::Unsatisfiable => (0, 0),
        }
    }

    /// What the header `Content-Range` says; none where there is nothing to say.
    pub fn content_range(self, size_bytes: u64) -> Option<String> {
        match self {
            Self::Part(first, last) => Some(format!("bytes {first}-{last}/{size_bytes}")),
            Self::Unsatisfiable => Some(format!("bytes */{size_bytes}")),
            Self::Whole | Self::NotModified => None,
        }
    }
}

/// The mark of a content.
pub fn etag(sha256: &str) -> ETag {
    ETag(EntityTag::new_strong(sha256.to_owned()))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn wanted(headers: &[(&'static str, &str)]) -> Wanted {
        let request = headers.iter().fold(TestRequest::get(), |request, header| request.insert_header((header.0, header.1)));
        Wanted::of(&request.to_http_request(), "abc", 100)
    }

    #[test]
    fn ranges_and_conditions_are_understood() {
        for (headers, expected) in [
            (&[][..], Wanted::Whole),
            (&[("range", "bytes=0-9")], Wanted::Part(0, 9)),
            (&[("range", "bytes=90-")], Wanted::Part(90, 99)),
            (&[("range", "bytes=-10")], Wanted::Part(90, 99)),
            (&[("range", "bytes=90-500")], Wanted::Part(90, 99)),
            (&[("range", "bytes=100-")], Wanted::Unsatisfiable),
            (&[("range", "bytes=0-1,5-6")], Wanted::Whole),
            (&[("range", "bytes=9-1")], Wanted::Whole),
            (&[("range", "pages=1-2")], Wanted::Whole),
            (&[("range", "bytes=0-9"), ("if-range", "\"abc\"")], Wanted::Part(0, 9)),
            (&[("range", "bytes=0-9"), ("if-range", "\"other\"")], Wanted::Whole),
            (&[("range", "bytes=0-9"), ("if-range", "Mon, 23 Nov 2026 08:00:00 GMT")], Wanted::Whole),
            (&[("if-none-match", "\"abc\"")], Wanted::NotModified),
            (&[("if-none-match", "W/\"abc\"")], Wanted::NotModified),
            (&[("if-none-match", "\"other\"")], Wanted::Whole),
            (&[("if-none-match", "*")], Wanted::NotModified),
        ] {
            assert_eq!(wanted(headers), expected, "{headers:?}");
        }
    }

    #[test]
    fn a_part_says_where_it_belongs() {
        assert_eq!(Wanted::Part(90, 99).content_range(100).as_deref(), Some("bytes 90-99/100"));
        assert_eq!(Wanted::Unsatisfiable.content_range(100).as_deref(), Some("bytes */100"));
        assert_eq!((Wanted::Part(90, 99).span(100), Wanted::Whole.span(100)), ((90, 10), (0, 100)));
    }
}
