//! Giving the private CA up on purpose: the only way to another one once phones were given it.

use std::fs;
use std::path::PathBuf;

use crate::domain::access::{Action, Actor, authorize};
use crate::domain::activity::{Event, SERVER};
use crate::domain::server::GivenCertificates;
use crate::services::Services;
use crate::services::commit::commit;
use crate::services::error::ServiceError;
use crate::store;

/// Forgets what phones were given and sets the folder aside, so that the next start makes a new CA. Answers where the folder
/// is now; none where it was empty. Not for a running server.
///
/// # Errors
/// The actor may not; the state cannot be written.
pub fn private_ca(services: &Services, actor: &Actor) -> Result<Option<PathBuf>, ServiceError> {
    let grant = authorize(actor, Action::EditServer)?;
    commit(services, grant, SERVER, |change| {
        let mut settings = store::server::get(change.tx())?;
        let given = std::mem::take(&mut settings.given);
        store::server::put(change.tx(), &settings)?;
        let GivenCertificates { ca, .. } = given;
        change.record(Event::new("certificate", "private CA", "given up").change("SHA-256", ca, None))
    })?;
    // A crash here leaves the old CA in its place: then the next start takes it as if nothing had been asked.
    let folder = services.state_dir().certificates();
    let is_empty = fs::read_dir(&folder).map_err(ServiceError::file("read", &folder))?.next().is_none();
    if is_empty {
        return Ok(None);
    }
    let stamp = services.clock().now().strftime("%Y%m%dT%H%M%SZ");
    let aside = services.state_dir().root().join(format!("certs-given-up-{stamp}"));
    fs::rename(&folder, &aside).map_err(ServiceError::file("rename", &folder))?;
    Ok(Some(aside))
}
