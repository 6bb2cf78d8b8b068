//! What takes how much of the disk.

use actix_web::{get, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::caller::Caller;
use super::problem::Problem;
use crate::services::Services;
use crate::services::storage::{self, Storage, Usage};
use crate::web::blocking;
use crate::web::phone::Door;

/// The disk of the state directory, and what lies on it of ours.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct StorageShape {
    /// Bytes of the disk.
    pub total_bytes: u64,
    /// Bytes of it that can still be written.
    pub free_bytes: u64,
    /// Bytes that uploads leave free: below them they are refused.
    pub reserve_bytes: u64,
    /// `fine`, `tight`, or `refusing` where uploads are refused.
    #[schema(example = "fine")]
    pub state: String,
    /// What takes how much.
    pub kinds: Vec<UsageShape>,
}

/// What one kind takes.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct UsageShape {
    /// `database`, `software`, `resources`, `device-files`, `logs`, `backups` or `unfinished`.
    #[schema(example = "logs")]
    pub kind: String,
    /// How many files.
    pub files: u64,
    /// Bytes of all together.
    pub bytes: u64,
}

impl From<Storage> for StorageShape {
    fn from(storage: Storage) -> Self {
        let Storage { total_bytes, free_bytes, reserve_bytes, state, kinds } = storage;
        let usage = |(kind, usage): (storage::Kind, Usage)| UsageShape {
            kind: kind.word().to_owned(),
            files: usage.files,
            bytes: usage.bytes,
        };
        let kinds = kinds.into_iter().map(usage).collect();
        Self { total_bytes, free_bytes, reserve_bytes, state: state.word().to_owned(), kinds }
    }
}

/// Tells what takes how much of the disk, and how near its end that is.
#[utoipa::path(tag = "server", responses((status = 200, body = StorageShape)))]
#[get("/server/storage")]
pub async fn show_storage(
    caller: Caller,
    services: web::Data<Services>,
    door: web::Data<Door>,
) -> Result<web::Json<StorageShape>, Problem> {
    let reserve_bytes = door.reserve_bytes();
    let storage = blocking::call(&services, move |services| storage::look(services, &caller.actor, reserve_bytes)).await?;
    Ok(web::Json(storage.into()))
}
