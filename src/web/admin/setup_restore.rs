//! *Restore from a backup* beside the first run: a file is uploaded by whoever has the one-time link, checked, and put in place by a
//! restart of the server.
//!
//! The link's token stands in the address and is the proof that other forms have in their first field: the file may be far bigger than
//! what is read ahead to look for one.

use actix_multipart::{Field, Multipart};
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use futures_util::TryStreamExt as _;
use tokio::io::AsyncWriteExt as _;

use super::errors;
use super::layout::{Page, html, html_rejected};
use super::session::{self, Visitor};
use super::setup::{self as page, refused};
use crate::domain::account::Secret;
use crate::domain::limits::DISK_RESERVE_BYTES;
use crate::services::Services;
use crate::services::address::Address;
use crate::services::backup::BackupError;
use crate::services::backup::restore::{self, Restored};
use crate::services::error::{ServiceError, chain};
use crate::services::setup;
use crate::web::blocking;
use crate::web::restart::Restart;

/// Bytes of a passphrase.
const PASSPHRASE_BYTES: usize = 4 * 1024;
/// After how many bytes it is looked whether the disk still has room for more.
const LOOK_EVERY_BYTES: u64 = 16 * 1024 * 1024;

#[derive(Template)]
#[template(path = "setup/restored.html")]
struct RestoredPage {
    page: Page,
    restored: Restored,
}

/// What was sent.
#[derive(Default)]
struct Sent {
    file: Option<std::fs::File>,
    passphrase: Option<Secret>,
}

/// `POST /setup/restore?token=…`
pub async fn take(
    visitor: Visitor,
    request: HttpRequest,
    services: web::Data<Services>,
    address: web::Data<Address>,
    restart: web::Data<Restart>,
    parts: Multipart,
) -> HttpResponse {
    let token = page::token(&request);
    if let Err(error) = setup::check_token(&services, &token, session::address(&request)) {
        return refused(&visitor, error);
    }
    let rejected =
        |message: String| html_rejected(&page::new_page(&visitor, &address, page::offered(&token, &address).refused(message)));
    let sent = match receive(&services, parts).await {
        Ok(Sent { file: None, .. }) => return rejected("choose the file of a backup".to_owned()),
        Ok(sent) => sent,
        Err(message) => return rejected(message),
    };
    let work = move |services: &Services| {
        let Some(mut file) = sent.file else { return Err(ServiceError::Interrupted) };
        // Two results: what is wrong with the backup is the admin's matter, the rest is ours.
        Ok(restore::for_next_start(services, &mut file, sent.passphrase.as_ref()))
    };
    match blocking::call(&services, work).await {
        Ok(Ok(restored)) => {
            tracing::warn!("a backup was uploaded and takes the place of this state: the server starts again");
            restart.begin();
            html(&RestoredPage { page: visitor.page("The backup is restored"), restored })
        }
        Ok(Err(BackupError::Service(error))) => errors::failed(&visitor, error),
        Ok(Err(error)) => rejected(chain(&error)),
        Err(error) => errors::failed(&visitor, error),
    }
}

/// Takes the fields in, the file into one without a name on the disk of the state.
async fn receive(services: &web::Data<Services>, mut parts: Multipart) -> Result<Sent, String> {
    let mut sent = Sent::default();
    while let Some(mut part) = parts.try_next().await.map_err(broken)? {
        match part.name() {
            Some("passphrase") => {
                let bytes = part.bytes(PASSPHRASE_BYTES).await.map_err(|_| "the passphrase is too long".to_owned())?;
                let text =
                    String::from_utf8(bytes.map_err(broken)?.to_vec()).map_err(|_| "the passphrase is no text".to_owned())?;
                sent.passphrase = Some(text).filter(|text| !text.is_empty()).map(Secret::new);
            }
            Some("file") => sent.file = Some(spool(services, part).await?),
            _ => while part.try_next().await.map_err(broken)?.is_some() {},
        }
    }
    Ok(sent)
}

async fn spool(services: &web::Data<Services>, mut part: Field) -> Result<std::fs::File, String> {
    let failed = |error: std::io::Error| format!("the upload could not be kept: {error}");
    let file = restore::spool(services).map_err(failed)?;
    let mut file = tokio::fs::File::from_std(file);
    let mut left = 0;
    while let Some(chunk) = part.try_next().await.map_err(broken)? {
        if left < chunk.len() as u64 {
            let free = restore::free_bytes(services).map_err(failed)?;
            if free < DISK_RESERVE_BYTES + LOOK_EVERY_BYTES {
                return Err("the disk of this server has no room for a file of this size; free some space".to_owned());
            }
            left = LOOK_EVERY_BYTES;
        }
        left = left.saturating_sub(chunk.len() as u64);
        file.write_all(&chunk).await.map_err(failed)?;
    }
    file.flush().await.map_err(failed)?;
    Ok(file.into_std().await)
}

fn broken<E>(_: E) -> String {
    "the upload broke off; try again".to_owned()
}
