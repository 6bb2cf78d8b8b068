//! *Pending moves*: devices that came from no site any more keep their old one until somebody decides (contract 5.6).

use std::collections::BTreeSet;

use crate::domain::access::{Action, Actor, authorize};
use crate::domain::activity::Event;
use crate::domain::device::DeviceKey;
use crate::domain::device_list::Listed;
use crate::domain::field_error::FieldErrors;
use crate::domain::ids::{AccountId, SiteId};
use crate::services::Services;
use crate::services::commit::{Mode, perform};
use crate::services::devices::{label, stored, subject};
use crate::services::error::ServiceError;

/// What somebody says to a move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The device belongs to *Internet* from now on.
    Accept,
    /// It stays, and is not asked about again before it came from somewhere else.
    Decline,
}

/// The devices that wait, those that wait longest first.
pub fn list(services: &Services, account: AccountId) -> Vec<Listed> {
    let mut waiting = services.roster(account).all();
    waiting.retain(|listed| listed.device.waiting_move().is_some());
    waiting.sort_by_cached_key(|listed| {
        (listed.device.waiting_move(), label(&listed.device).to_lowercase(), listed.device.key.clone())
    });
    waiting
}

/// Decides about the moves of devices: all of them, or none when one is not there. Answers how many waited.
///
/// # Errors
/// [`ServiceError::Invalid`] with the item of each key that names no device.
pub fn decide(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    keys: &BTreeSet<DeviceKey>,
    answer: Answer,
    mode: Mode,
) -> Result<usize, ServiceError> {
    let grant = authorize(actor, Action::EditSites(account))?;
    if keys.is_empty() {
        return Ok(0);
    }
    perform(services, mode, grant, account, |change| {
        let world = services.world(account)?;
        let name = |id: SiteId| world.sites.get(&id).map(|site| site.name.to_string());
        let mut errors = FieldErrors::new();
        let mut decided = 0;
        for (item, key) in keys.iter().enumerate() {
            let Ok(mut device) = stored(services, change, account, key) else {
                errors.add_item(item, FieldErrors::one("key", format_args!("there is no device {key}")));
                continue;
            };
            let from = device.site_id();
            let (is_done, action) = match answer {
                Answer::Accept => (device.accept_move(change.now()), "moved to another site"),
                Answer::Decline => (device.decline_move(), "kept at its site"),
            };
            if is_done {
                decided += 1;
                let event = Event::new("device", subject(&device), action);
                change.record(event.change("site", name(from), name(device.site_id())))?;
                change.put_device(device)?;
            }
        }
        if !errors.is_empty() {
            return Err(errors.into());
        }
        if decided == 0 {
            change.leave_as_is();
        }
        Ok(decided)
    })
}
