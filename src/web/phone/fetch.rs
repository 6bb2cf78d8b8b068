//! GET and HEAD: what a phone gets, as HTTP.

use std::sync::Arc;

use super::Call;
use super::reply::Reply;
use crate::domain::device::DeviceKey;
use crate::domain::device_file::DeviceFile;
use crate::domain::resource::Resource;
use crate::domain::run::Reason;
use crate::domain::world::World;
use crate::services::Services;
use crate::services::error::{ServiceError, chain};
use crate::services::provisioning::{Answer, Guest};
use crate::services::{resources, uploads};
use crate::web::blocking;
use crate::web::resource_part::Wanted;

/// Answers a fetch.
pub(super) async fn answer(call: &Call, world: &Arc<World>, guest: &Guest) -> Reply {
    match call.door.provisioning.answer(&call.services, world, &call.visit(), guest) {
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
        Answer::File(_) | Answer::Resource(_) | Answer::Log { .. } => Reply::absent(Reason::Absent),
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
    let wanted = |resource: &Resource| Wanted::of(&call.request, &resource.sha256, resource.size_bytes);
    if call.is_head() || matches!(wanted(&asked), Wanted::NotModified | Wanted::Unsatisfiable) {
        return Reply::resource(&asked, wanted(&asked), None);
    }
    let account = world.account_id;
    match blocking::call(&call.services, move |services| resources::open(services, account, &asked)).await {
        // What it is by now decides: it may have been replaced a moment ago.
        Ok((file, resource)) => Reply::resource(&resource, wanted(&resource), Some(file)),
        Err(error) => fault(&error),
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
