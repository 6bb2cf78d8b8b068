//! What callers send, read so that a mistake is told with its place: [`Sent`] is a JSON body, [`Asked`] a query.
//!
//! Whatever is not asked for is a mistake too: a misspelt field or key that is passed over silently would lose what was meant.

use std::ops::Deref;

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::web::Bytes;
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};
use futures_util::future::LocalBoxFuture;
use serde::de::DeserializeOwned;
use serde_path_to_error::Error as Placed;
use std::future::{Ready, ready};

use super::problem::{FieldProblem, Problem};
use crate::domain::limits::IMPORT_BYTES;
use crate::web::sizes::Size;

/// Bytes in a JSON body: an imported file of the largest size, every character escaped.
const BODY_BYTES: usize = 6 * IMPORT_BYTES + 64 * 1024;
/// What stands for the body itself where a mistake is in no field of it.
const WHOLE: &str = "body";

/// A JSON body.
pub struct Sent<T>(T);

/// A query.
pub struct Asked<T>(T);

impl<T> Sent<T> {
    /// What was sent.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> Asked<T> {
    /// What was asked.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> Deref for Sent<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> Deref for Asked<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: DeserializeOwned + 'static> FromRequest for Sent<T> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let is_json = matches!(request.mime_type(), Ok(Some(mime)) if mime.subtype() == "json" || mime.suffix().is_some_and(|s| s == "json"));
        let payload = web::Payload::from_request(request, payload).into_inner();
        Box::pin(async move {
            if !is_json {
                let detail = "send JSON with the header Content-Type: application/json";
                return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail));
            }
            let payload = payload.map_err(|error| Problem::new(StatusCode::BAD_REQUEST, error))?;
            read_json(
                &whole(payload, BODY_BYTES, || format!("a JSON body has at most {BODY_BYTES} bytes; nothing was changed"))
                    .await?,
            )
            .map(Self)
        })
    }
}

impl<T: DeserializeOwned> FromRequest for Asked<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(read_query(request.query_string()).map(Self))
    }
}

/// The whole body as it was sent.
///
/// # Errors
/// 413 above the size of what it is.
pub(super) async fn file(payload: web::Payload, size: Size) -> Result<Bytes, Problem> {
    whole(payload, size.bytes, || size.exceeded()).await
}

async fn whole(payload: web::Payload, limit: usize, exceeded: impl FnOnce() -> String) -> Result<Bytes, Problem> {
    match payload.to_bytes_limited(limit).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) => Err(Problem::new(StatusCode::BAD_REQUEST, format_args!("the body did not arrive: {error}"))),
        Err(_) => Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, exceeded())),
    }
}

fn read_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| of_json(&error))?;
    json.end().map_err(|error| no_json(&error))?;
    Ok(value)
}

/// A body that is no JSON is 400 with line and column; JSON of another shape than is asked for is 422 with the field.
fn of_json(error: &Placed<serde_json::Error>) -> Problem {
    if !error.inner().is_data() {
        return no_json(error.inner());
    }
    let mut problem = Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "the body is not what is asked for; see errors");
    problem.errors.push(placed(error));
    problem
}

fn no_json(error: &serde_json::Error) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, format_args!("the body is not JSON: {error}"))
}

fn read_query<T: DeserializeOwned>(query: &str) -> Result<T, Problem> {
    let query = serde_urlencoded::Deserializer::new(form_urlencoded::parse(query.as_bytes()));
    serde_path_to_error::deserialize(query).map_err(|error| {
        let mut problem = Problem::new(StatusCode::BAD_REQUEST, format_args!("the query cannot be read: {}", error.inner()));
        problem.errors.push(placed(&error));
        problem
    })
}

fn placed(error: &Placed<impl std::fmt::Display>) -> FieldProblem {
    let message = error.inner().to_string();
    let at = Some(error.path().to_string()).filter(|path| path != ".");
    let missing = message.strip_prefix("missing field `").and_then(|rest| rest.split('`').next());
    let field = match (at, missing) {
        (Some(at), Some(missing)) => format!("{at}.{missing}"),
        (Some(at), None) => at,
        (None, missing) => missing.unwrap_or(WHOLE).to_owned(),
    };
    FieldProblem { field, message }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::web::api::body::OneOrMany;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only whether it can be read is looked at")]
    struct Thing {
        name: String,
        #[serde(default)]
        size: u8,
        #[serde(default)]
        parts: Vec<String>,
    }

    fn json(text: &str) -> (u16, String, String) {
        told(read_json::<OneOrMany<Thing>>(text.as_bytes()).map(drop).expect_err("a mistake"))
    }

    fn told(problem: Problem) -> (u16, String, String) {
        let field = problem.errors.first().map(|error| error.field.clone()).unwrap_or_default();
        let message = problem.errors.first().map_or(problem.detail.clone(), |error| error.message.clone());
        (problem.status, field, message)
    }

    #[test]
    fn a_mistake_in_a_body_is_told_with_its_field() {
        for (text, field, part) in [
            ("{\"name\":\"a\",\"nmae\":1}", "nmae", "unknown field"),
            ("{\"name\":7}", "name", "expected a string"),
            ("[{\"name\":\"a\"},\n{\"name\":\"b\",\"size\":300}]", "[1].size", "line 2"),
            ("[{\"name\":\"a\",\"parts\":[\"x\",1]}]", "[0].parts[1]", "expected a string"),
            ("[{\"name\":\"a\"},{}]", "[1].name", "missing field"),
            ("{}", "name", "missing field"),
            ("7", "body", "an object or an array"),
        ] {
            let (status, at, message) = json(text);
            assert_eq!((status, at.as_str()), (422, field), "{text}: {message}");
            assert!(message.contains(part), "{text}: {message}");
        }
    }

    #[test]
    fn what_is_no_json_is_told_with_line_and_column() {
        for (text, place) in
            [("{\"name\":\n \"a\",}", "line 2 column 6"), ("{\"name\":\"a\"} x", "line 1 column 14"), ("", "line 1 column 0")]
        {
            let (status, field, message) = json(text);
            assert_eq!((status, field.as_str()), (400, ""), "{text}");
            assert!(message.contains(place), "{text}: {message}");
        }
    }

    #[test]
    fn a_mistake_in_a_query_is_told_with_its_key() {
        let query = |text: &str| told(read_query::<Thing>(text).expect_err("a mistake"));
        for (text, key) in [("name=a&colour=red", "colour"), ("name=a&size=many", "size"), ("size=1", "name")] {
            let (status, field, message) = query(text);
            assert_eq!((status, field.as_str()), (400, key), "{text}: {message}");
        }
        assert!(read_query::<Thing>("name=a%20b&size=7").is_ok_and(|thing| thing.name == "a b"));
    }
}
