//! What holds for many operations at once, put into the description of the API: how callers sign in, and refusals.

use utoipa::Modify;
use utoipa::openapi::header::Header;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::schema::{Object, Type};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ContentBuilder, OpenApi, Ref, RefOr, Response, ResponseBuilder};

use super::problem::MEDIA_TYPE;
use crate::web::admin::session::COOKIE;

/// How callers prove who they are.
pub(super) struct Session;

impl Modify for Session {
    fn modify(&self, document: &mut OpenApi) {
        let words = "the session of the admin pages; whatever changes something also needs its token in the header X-CSRF-Token";
        let cookie = ApiKeyValue::with_description(COOKIE, words);
        document
            .components
            .get_or_insert_default()
            .add_security_scheme("session", SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
        let token =
            HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some("an API token; never together with a cookie"));
        document.components.get_or_insert_default().add_security_scheme("token", SecurityScheme::Http(token.build()));
    }
}

/// What any operation of a kind may answer besides what it is there for.
pub(super) struct Refusals;

/// Whatever is asked.
const ALWAYS: &[(&str, &str)] = &[
    ("400", "The query or the body cannot be read; the answer says where"),
    ("401", "Nobody is signed in, or the token is not good"),
    (
        "403",
        "The caller may not do this, did not prove where the request comes from, or has to confirm first: POST /session/confirmation",
    ),
    ("404", "It is not there"),
    ("421", "The server is not known under the name in the header Host"),
    ("422", "Fields break rules; one entry each"),
    ("500", "The server could not do it; nothing was changed"),
];
/// Whatever changes something.
const CHANGES: &[(&str, &str)] = &[
    ("409", "It cannot be done as things stand, for example because somebody else changed the object meanwhile"),
    ("507", "The disk is full; nothing was changed"),
];
/// Whatever takes a body.
const TOO_LARGE: (&str, &str) = ("413", "The body is too large");
/// Whatever takes JSON.
const NO_JSON: (&str, &str) = ("415", "The body is not marked as JSON");
/// Whatever looks at backups.
const UNUSABLE: (&str, &str) = ("409", "The folder of backups cannot be used, or the backup is damaged; the answer says why");
/// The operations that do.
const OF_BACKUPS: [&str; 3] = ["list_backups", "read_backup", "verify_backup"];
/// Whatever checks a password or a link at the door.
const TOO_OFTEN: (&str, &str) = ("429", "Too many wrong passwords or links; the header says how long to wait");
/// The operations that do.
const DOORS: [&str; 2] = ["begin_session", "accept_invitation"];

impl Modify for Refusals {
    fn modify(&self, document: &mut OpenApi) {
        for item in document.paths.paths.values_mut() {
            let PathItem { get, put, post, delete, patch, .. } = item;
            for operation in [put, post, delete, patch].into_iter().flatten() {
                add(operation, CHANGES);
                add(operation, ALWAYS);
                add_for_body(operation);
            }
            if let Some(operation) = get {
                if operation.operation_id.as_deref().is_some_and(|name| OF_BACKUPS.contains(&name)) {
                    add(operation, &[UNUSABLE]);
                }
                add(operation, ALWAYS);
            }
        }
    }
}

fn add_for_body(operation: &mut Operation) {
    let takes_json = match &operation.request_body {
        Some(RefOr::T(body)) => body.content.contains_key("application/json"),
        Some(RefOr::Ref(_)) => true,
        None => return,
    };
    add(operation, &[TOO_LARGE]);
    if takes_json {
        add(operation, &[NO_JSON]);
    }
    if operation.operation_id.as_deref().is_some_and(|name| DOORS.contains(&name)) {
        let (status, words) = TOO_OFTEN;
        let seconds = Header::new(Object::with_type(Type::Integer));
        let answer = ResponseBuilder::new().description(words).content(MEDIA_TYPE, problem()).header("Retry-After", seconds);
        operation.responses.responses.insert(status.to_owned(), answer.build().into());
    }
}

fn add(operation: &mut Operation, kinds: &[(&str, &str)]) {
    for (status, words) in kinds {
        operation.responses.responses.entry((*status).to_owned()).or_insert_with(|| refusal(words).into());
    }
}

fn refusal(words: &str) -> Response {
    ResponseBuilder::new().description(words).content(MEDIA_TYPE, problem()).build()
}

fn problem() -> utoipa::openapi::Content {
    ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build()
}
