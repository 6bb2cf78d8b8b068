//! GET and HEAD: what a phone gets, as HTTP.

use std::sync::Arc;

use actix_web::http::header::EntityTag;

use super::Call;
use super::download::{self, FileBody, Follows, Wanted};
use super::reply::{Piece, Reply};
use crate::domain::device::DeviceKey;
use crate::domain::device_file::DeviceFile;
use crate::domain::image::{Image, ImageFile};
use crate::domain::resource::Resource;
use crate::domain::run::Reason;
use crate::domain::world::World;
use crate::services::downloads::{self, Sending};
use crate::services::error::{ServiceError, chain};
use crate::services::provisioning::{Answer, Guest};
use crate::services::{Services, images, resources, uploads};
use crate::web::blocking;
use crate::web::resource_part;

/// Answers a fetch.
pub(super) async fn answer(call: &Call, world: &Arc<World>, guest: &Guest) -> Reply {
    match call.door.provisioning.answer(&call.services, world, &call.visit(), guest) {
        Answer::Image(image, file) => software(call, world, guest, &image, file).await,
        Answer::File(file) => stored(call, world, guest.key.as_ref(), file).await,
        Answer::Resource(asked) => resource(call, world, asked).await,
        Answer::Log { key, kind, otherwise } => match log(call, world, key, kind).await {
            Ok(Some(reply)) => reply,
            Ok(None) => at_once(*otherwise),
            Err(error) => fault(&error),
        },
        other => at_once(other),
    }
}

/// An answer that needs no disk.
pub(super) fn at_once(answer: Answer) -> Reply {
    match answer {
        Answer::Made(bytes, reason) => Reply::made(bytes, reason),
        Answer::Held(reason) => Reply::held(reason),
        Answer::Absent(reason) => Reply::absent(reason),
        Answer::File(_) | Answer::Resource(_) | Answer::Image(..) | Answer::Log { .. } => Reply::absent(Reason::Absent),
    }
}

async fn stored(call: &Call, world: &World, key: Option<&DeviceKey>, file: DeviceFile) -> Reply {
    let Some(key) = key.cloned() else { return Reply::absent(Reason::Absent) };
    if call.is_head() {
        return Reply::length(file.size_bytes);
    }
    let account = world.account_id;
    let content = blocking::call(&call.services, move |services| uploads::read_file(services, account, &key, &file)).await;
    content.map_or_else(|error| fault(&error), Reply::uploaded)
}

/// A resource file, or the part of it that is asked for. It is opened by a thread that may wait for the disk and read while it is sent.
async fn resource(call: &Call, world: &World, asked: Arc<Resource>) -> Reply {
    let wanted = |resource: &Resource| resource_part::Wanted::of(&call.request, &resource.sha256, resource.size_bytes);
    if call.is_head() || matches!(wanted(&asked), resource_part::Wanted::NotModified | resource_part::Wanted::Unsatisfiable) {
        return Reply::resource(&asked, wanted(&asked), None);
    }
    let account = world.account_id;
    match blocking::call(&call.services, move |services| resources::open(services, account, &asked)).await {
        // What it is by now decides: it may have been replaced a moment ago.
        Ok((file, resource)) => Reply::resource(&resource, wanted(&resource), Some(file)),
        Err(error) => fault(&error),
    }
}

/// A file of an image, or what of it is asked for. What becomes of a download of software is told when it ends, and not before.
async fn software(call: &Call, world: &World, guest: &Guest, image: &Image, file: ImageFile) -> Reply {
    let tag = EntityTag::new_strong(file.sha256.clone());
    let (first, length) = match download::wanted(&call.request, &tag, file.size_bytes) {
        Wanted::Nothing => return Reply::unchanged(&tag),
        Wanted::Impossible => return Reply::beyond_end(&tag, file.size_bytes),
        Wanted::Whole => (0, file.size_bytes),
        Wanted::Piece(first, length) => (first, length),
    };
    let piece = Piece { first, length, size_bytes: file.size_bytes };
    if call.is_head() {
        return Reply::software_head(&tag, file.size_bytes);
    }
    let blob = file.blob.clone();
    let opened = match blocking::call(&call.services, move |services| images::open(services, &blob)).await {
        Ok(opened) => opened,
        // A lost file is none: the phone keeps its software, and `pdms check` tells it.
        Err(ServiceError::File { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {
            tracing::error!(file = file.path, "a file of an image is missing; upload the image again");
            return Reply::absent(Reason::NoImage);
        }
        Err(error) => return fault(&error),
    };
    if !file.path.to_ascii_lowercase().ends_with(".ld") {
        return Reply::software(&tag, piece, FileBody::new(opened, first, length, ()));
    }
    let message = call.caller.message(call.request.head(), Reason::SoftwareTaken, piece.status(), 0, Some(guest), &call.services);
    let asked = downloads::Asked { image, path: &file.path, size_bytes: file.size_bytes, from: first };
    let own = guest.device.as_ref().map(|device| device.key.clone());
    let key = own.or_else(|| downloads::untagged_at(&call.services, world.account_id, call.visit().address));
    debug_assert_eq!(message.account, world.account_id);
    let sending = downloads::begin(&call.services.clone().into_inner(), &asked, key, message);
    Reply::software(&tag, piece, FileBody::new(opened, first, length, sending)).told_later()
}

impl Follows for Sending {
    fn took(&mut self, bytes: u64) {
        Self::took(self, bytes);
    }
}

/// The newest log of a kind, or for HEAD its length; none where there is none.
async fn log(call: &Call, world: &World, key: DeviceKey, kind: String) -> Result<Option<Reply>, ServiceError> {
    let account = world.account_id;
    if call.is_head() {
        let size = move |services: &Services| uploads::newest_log_bytes(services, account, &key, &kind);
        return Ok(blocking::call(&call.services, size).await?.map(Reply::length));
    }
    let read = move |services: &Services| uploads::newest_log(services, account, &key, &kind);
    Ok(blocking::call(&call.services, read).await?.map(Reply::uploaded))
}

/// 503, and a line in the log with every cause: the phone keeps what it has.
pub(super) fn fault(error: &ServiceError) -> Reply {
    tracing::error!(error = chain(error), "a phone was answered 503");
    Reply::held(Reason::Fault)
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use super::*;

    /// What was logged.
    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().map_err(|_| io::Error::other("a test panicked"))?.write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_fault_is_logged_with_every_cause_once() {
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber = tracing_subscriber::fmt().json().with_writer(move || writer.clone()).finish();
        let failure = ServiceError::file("write", "/state/logs")(io::Error::other("the disk is on fire"));
        let reply = tracing::subscriber::with_default(subscriber, || fault(&failure));
        assert_eq!(reply.reason(), Reason::Fault);
        let logged = String::from_utf8(lines.0.lock().expect("no test panicked").clone()).expect("UTF-8");
        assert_eq!((logged.lines().count(), logged.matches("the disk is on fire").count()), (1, 1), "{logged}");
        assert!(logged.contains("/state/logs"), "{logged}");
    }
}
