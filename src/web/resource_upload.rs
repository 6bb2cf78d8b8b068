//! A content on its way in: from the connection to a file without a name, piece by piece, up to a bound, while the disk has room.
//! Pages and API receive alike.

use actix_web::web::{Bytes, Data};
use futures_util::{Stream, StreamExt as _};
use tokio::io::AsyncWriteExt as _;

use super::phone::Door;
use super::{blocking, sizes};
use crate::services::error::ServiceError;
use crate::services::{Services, resources};

/// After how many bytes it is looked whether the disk still has room for more.
const LOOK_EVERY_BYTES: u64 = 16 * 1024 * 1024;

/// Why a content did not come in.
#[derive(Debug)]
pub enum Cut {
    /// It has more bytes than the settings allow.
    TooLarge(u64),
    /// It did not arrive whole.
    Short,
    /// The disk is nearly full.
    DiskReserve,
    /// It could not be written.
    Service(ServiceError),
}

impl Cut {
    /// The reason, for whoever sent it; none for a fault of this server.
    pub fn told(&self) -> Option<String> {
        match self {
            Self::TooLarge(most) => {
                Some(format!("a resource file has at most {}; this one has more. Nothing was changed", sizes::in_words(*most)))
            }
            Self::Short => Some("the file did not arrive whole; send it again".to_owned()),
            Self::DiskReserve => Some("the disk of this server is nearly full; free some space. Nothing was changed".to_owned()),
            Self::Service(_) => None,
        }
    }
}

/// Receives a content. What is announced in advance is looked at before anything is read.
///
/// # Errors
/// Why it did not come in; then nothing of it stays.
pub async fn receive<E>(
    services: &Data<Services>,
    door: &Data<Door>,
    mut content: impl Stream<Item = Result<Bytes, E>> + Unpin,
    announced: Option<u64>,
) -> Result<std::fs::File, Cut> {
    let uploads = *door.uploads();
    let most = uploads.caps.resource_bytes;
    if announced.is_some_and(|bytes| bytes > most) {
        return Err(Cut::TooLarge(most));
    }
    let file = blocking::call(services, resources::spool).await.map_err(Cut::Service)?;
    let mut file = tokio::fs::File::from_std(file);
    let failed = |error| Cut::Service(ServiceError::file("write", "an upload")(error));
    let (mut bytes, mut allowed) = (0, 0);
    while let Some(chunk) = content.next().await {
        let chunk = chunk.map_err(|_| Cut::Short)?;
        bytes += chunk.len() as u64;
        if bytes > most {
            return Err(Cut::TooLarge(most));
        }
        if bytes > allowed {
            allowed = bytes + LOOK_EVERY_BYTES;
            let has_room = move |services: &Services| Ok(resources::has_room(services, LOOK_EVERY_BYTES, uploads.reserve_bytes));
            if !blocking::call(services, has_room).await.map_err(Cut::Service)? {
                return Err(Cut::DiskReserve);
            }
        }
        file.write_all(&chunk).await.map_err(failed)?;
    }
    file.flush().await.map_err(failed)?;
    Ok(file.into_std().await)
}
