//! GET and HEAD: what a phone gets, as HTTP.

use std::sync::Arc;

use super::Call;
use super::reply::Reply;
use crate::domain::device::DeviceKey;
use crate::domain::device_file::DeviceFile;
use crate::domain::run::Reason;
use crate::domain::world::World;
use crate::services::error::ServiceError;
use crate::services::provisioning::{Answer, Guest};
use crate::services::uploads;
use crate::web::blocking;

/// Answers a fetch.
pub(super) async fn answer(call: &Call, world: &Arc<World>, guest: &Guest) -> Reply {
    match call.door.provisioning.answer(&call.services, world, &call.visit(), guest) {
        Answer::Made(bytes, reason) => Reply::made(bytes, reason),
        Answer::Held(reason) => Reply::held(reason),
        Answer::Absent(reason) => Reply::absent(reason),
        Answer::File(file) => stored(call, world, guest.key.as_ref(), file).await,
        Answer::Log(key, kind) => log(call, world, key, kind).await,
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

async fn log(call: &Call, world: &World, key: DeviceKey, kind: String) -> Reply {
    let account = world.account_id;
    let reply = match call.is_head() {
        true => blocking::call(&call.services, move |services| uploads::newest_log_bytes(services, account, &key, &kind))
            .await
            .map(|bytes| bytes.map(Reply::length)),
        false => blocking::call(&call.services, move |services| uploads::newest_log(services, account, &key, &kind))
            .await
            .map(|content| content.map(Reply::uploaded)),
    };
    match reply {
        Ok(Some(reply)) => reply,
        Ok(None) => Reply::absent(Reason::Absent),
        Err(error) => fault(&error),
    }
}

/// 503, and a line in the log: the phone keeps what it has.
pub(super) fn fault(error: &ServiceError) -> Reply {
    tracing::error!(error = error as &(dyn std::error::Error + 'static), "a phone was answered 503");
    Reply::held(Reason::Fault)
}
