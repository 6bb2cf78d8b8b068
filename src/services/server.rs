//! Settings of the server as a whole: its public name.

use super::Services;
use super::accounts::parse_host;
use super::commit::{Mode, perform};
use super::error::ServiceError;
use crate::domain::access::{Action, Actor, authorize};
use crate::domain::activity::{Event, SERVER};
use crate::domain::field_error::FieldErrors;
use crate::domain::server::ServerSettings;
use crate::store;

/// The settings as they are.
pub fn settings(services: &Services) -> Result<ServerSettings, ServiceError> {
    Ok(services.store.read(store::server::get)?)
}

/// Sets the name or address under which phones are told to reach the server (R186). Certificates and addresses follow when the
/// caller refreshes them. `revision` is the one that the change was made from (R14).
///
/// # Errors
/// Neither a host name nor an address; a conflict where somebody else was faster.
pub fn set_public_name(
    services: &Services,
    actor: &Actor,
    revision: u64,
    name: &str,
    mode: Mode,
) -> Result<ServerSettings, ServiceError> {
    let grant = authorize(actor, Action::EditServer)?;
    let name = parse_host(name).map_err(|e| FieldErrors::one("public_name", e))?;
    perform(services, mode, grant, SERVER, |change| {
        let mut settings = store::server::get(change.tx())?;
        if settings.revision != revision {
            return Err(ServiceError::stale("server's name", ""));
        }
        if settings.public_name.as_ref() == Some(&name) {
            change.leave_as_is();
            return Ok(settings);
        }
        let old = settings.public_name.replace(name.clone());
        settings.revision += 1;
        store::server::put(change.tx(), &settings)?;
        change.record(Event::new("server", "pdms", "changed").change("public name", old, Some(name)))?;
        Ok(settings)
    })
}
