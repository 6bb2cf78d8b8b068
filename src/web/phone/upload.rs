//! PUT and POST: what a phone leaves with us, as HTTP.
//!
//! Nothing of a body is read before the credentials, the name and the announced length were found in order. A body is held in
//! memory up to [`IN_MEMORY_BYTES`]; what is longer goes to a file as it comes. A body that trickles is cut off by
//! [`crate::web::pace`].

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_LENGTH, CONTENT_RANGE};
use actix_web::web;
use futures_util::StreamExt as _;

use super::Call;
use super::fetch::fault;
use super::reply::Reply;
use crate::domain::admission::decide::Proof;
use crate::domain::ids::AccountId;
use crate::domain::run::Reason;
use crate::domain::upload::{Destination, Refusal, Upload, upload_of};
use crate::domain::world::World;
use crate::services::Services;
use crate::services::error::ServiceError;
use crate::services::provisioning::Guest;
use crate::services::uploads::{self, Draft, Kept};
use crate::web::blocking;

/// Bytes of a body that are held in memory before it goes to a file.
const IN_MEMORY_BYTES: u64 = 64 * 1024;
/// Bodies that are read at a time; further uploads wait their turn.
pub(super) const BODIES_AT_A_TIME: usize = 1_024;

/// Answers an upload. Who came is told beside, for the runs.
pub(super) async fn answer(call: &Call, world: &World, payload: web::Payload, proof: &Proof) -> (Reply, Option<Guest>) {
    let upload = match upload_of(&call.path.file, call.tag().as_ref()) {
        Ok(upload) => upload,
        // Whose run this belongs to is still of interest; a device is not added by an upload that is not taken.
        Err(refusal) => return (refused(refusal), None),
    };
    let guest = match call.receive(world, proof) {
        Ok(guest) => guest,
        Err(reason) => return (call.challenge(reason, payload).await, None),
    };
    if let Some(reason) = guest.held {
        return (Reply::held(reason), Some(guest));
    }
    if guest.device.as_ref().is_none_or(|device| device.key != upload.key) {
        // A name that only looks like a device's, such as `office2024-app.log`, is nobody's, whoever sends it.
        return (Reply::refused(StatusCode::FORBIDDEN, Reason::Unidentified), Some(guest));
    }
    let cap = call.door.settings.uploads.caps.of(&upload.destination);
    if let Some(reply) = refused_by_head(call, cap) {
        return (reply, Some(guest));
    }
    if !call.door.pace.may_begin(&upload.key, call.services.clock().now()) {
        return (Reply::too_many(), Some(guest));
    }
    let mut waiting = Waiting { call, guest: Some(guest) };
    let reply = take(call, world.account_id, upload, payload, cap).await;
    (reply, waiting.guest.take())
}

/// An upload whose answer is not known yet. Where the phone hangs up, the server drops the request half way; then this tells
/// the runs.
struct Waiting<'a> {
    call: &'a Call,
    guest: Option<Guest>,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if let Some(guest) = self.guest.take() {
            self.call.note(&cut_off(), Some(guest));
        }
    }
}

fn cut_off() -> Reply {
    Reply::refused(StatusCode::BAD_REQUEST, Reason::CutOff)
}

fn refused(refusal: Refusal) -> Reply {
    match refusal {
        Refusal::Foreign => Reply::refused(StatusCode::FORBIDDEN, Reason::Foreign),
        Refusal::Unknown => Reply::refused(StatusCode::FORBIDDEN, Reason::NotUploadable),
        Refusal::ReadOnly => Reply::read_only(),
    }
}

/// What the head of the request alone speaks against.
fn refused_by_head(call: &Call, cap: u64) -> Option<Reply> {
    let headers = call.request.headers();
    if headers.contains_key(CONTENT_RANGE) {
        return Some(Reply::refused(StatusCode::BAD_REQUEST, Reason::Piecewise));
    }
    let announced = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|bytes| bytes > cap) {
        return Some(Reply::refused(StatusCode::PAYLOAD_TOO_LARGE, Reason::TooLarge));
    }
    None
}

/// Reads the body and keeps it.
async fn take(call: &Call, account: AccountId, upload: Upload, payload: web::Payload, cap: u64) -> Reply {
    let Ok(_turn) = call.door.bodies.acquire().await else { return Reply::held(Reason::Fault) };
    let body = match read(call, payload, cap).await {
        Ok(body) => body,
        Err(Cut::TooLarge) => return Reply::refused(StatusCode::PAYLOAD_TOO_LARGE, Reason::TooLarge),
        Err(Cut::Short) => return cut_off(),
        Err(Cut::Unkept(failure)) => return unkept(&failure),
    };
    let size_bytes = body.size_bytes;
    call.door.pace.came(&upload.key, size_bytes);
    match keep(call, account, upload, body).await {
        Ok(Kept::New) => Reply::kept(StatusCode::CREATED, Reason::Stored, size_bytes),
        Ok(Kept::Replaced) => Reply::kept(StatusCode::NO_CONTENT, Reason::Replaced, size_bytes),
        Err(failure) => unkept(&failure),
    }
}

fn unkept(failure: &UploadError) -> Reply {
    match failure {
        UploadError::DiskReserve => Reply::refused(StatusCode::INSUFFICIENT_STORAGE, Reason::DiskReserve),
        UploadError::Service(error) => fault(error),
    }
}

/// A whole body: first what was written to a file, then what is in memory.
#[derive(Default)]
struct Body {
    draft: Option<Draft>,
    chunks: Vec<web::Bytes>,
    size_bytes: u64,
}

/// Why an upload cannot be kept.
enum UploadError {
    /// The disk is nearly full: configuration goes on.
    DiskReserve,
    Service(ServiceError),
}

/// Why a body did not come to its end.
enum Cut {
    Short,
    TooLarge,
    Unkept(UploadError),
}

async fn read(call: &Call, mut payload: web::Payload, cap: u64) -> Result<Body, Cut> {
    let mut body = Body::default();
    let mut in_memory = 0;
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| Cut::Short)?;
        body.size_bytes += chunk.len() as u64;
        if body.size_bytes > cap {
            return Err(Cut::TooLarge);
        }
        in_memory += chunk.len() as u64;
        body.chunks.push(chunk);
        if in_memory > IN_MEMORY_BYTES {
            body = on_disk(call, move |services| body.spill(services)).await.map_err(Cut::Unkept)?;
            in_memory = 0;
        }
    }
    Ok(body)
}

impl Body {
    /// Moves what is in memory to the file.
    fn spill(self, services: &Services) -> Result<Self, ServiceError> {
        let size_bytes = self.size_bytes;
        Ok(Self { draft: Some(self.into_draft(services)?), chunks: Vec::new(), size_bytes })
    }

    fn into_draft(self, services: &Services) -> Result<Draft, ServiceError> {
        let mut draft = self.draft.map_or_else(|| uploads::draft(services), Ok)?;
        for chunk in self.chunks {
            uploads::write(services, &mut draft, &chunk)?;
        }
        Ok(draft)
    }

    fn into_bytes(self, services: &Services) -> Result<Vec<u8>, ServiceError> {
        let begin = self.draft.map(|draft| uploads::read_draft(services, &draft)).transpose()?;
        let mut bytes = begin.unwrap_or_default();
        self.chunks.iter().for_each(|chunk| bytes.extend_from_slice(chunk));
        Ok(bytes)
    }
}

async fn keep(call: &Call, account: AccountId, upload: Upload, body: Body) -> Result<Kept, UploadError> {
    on_disk(call, move |services| match upload.destination {
        Destination::Log(kind) | Destination::Dump(kind) => {
            let draft = body.into_draft(services)?;
            uploads::keep_log(services, account, &upload.key, &kind, draft).map(|()| Kept::New)
        }
        Destination::File(file) => {
            let content = body.into_bytes(services)?;
            uploads::keep_file(services, account, &upload.key, file, &content)
        }
    })
    .await
}

/// Writes something of an upload, on a thread that may wait for the disk, if there is room for uploads.
async fn on_disk<T: Send + 'static>(
    call: &Call,
    write: impl FnOnce(&Services) -> Result<T, ServiceError> + Send + 'static,
) -> Result<T, UploadError> {
    let door = call.door.clone();
    let work = move |services: &Services| match door.space.has_room(services, door.settings.uploads.reserve_bytes) {
        true => write(services).map(Some),
        false => Ok(None),
    };
    blocking::call(&call.services, work).await.map_err(UploadError::Service)?.ok_or(UploadError::DiskReserve)
}
