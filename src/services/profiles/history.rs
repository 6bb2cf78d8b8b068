//! What became of one parameter of a profile, as the activity log tells it (R123).

use jiff::Timestamp;

use crate::domain::activity::Event;
use crate::domain::ids::{AccountId, ProfileId};
use crate::services::error::ServiceError;
use crate::services::{Services, activity};

/// One change of a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastValue {
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub actor: String,
    /// What was done to the profile.
    pub action: String,
    /// Value before, secrets masked; none where it was not there.
    pub old: Option<String>,
    /// Value after; none where it was taken out.
    pub new: Option<String>,
}

/// The last changes of a parameter of a profile, newest first. A profile that was renamed is followed under its former names.
///
/// # Errors
/// [`ServiceError::NotFound`].
pub fn history(
    services: &Services,
    account: AccountId,
    id: ProfileId,
    parameter: &str,
    most: usize,
) -> Result<Vec<PastValue>, ServiceError> {
    let mut name = super::get(services, account, id)?.name.to_string();
    let is_about = |event: &Event| {
        if event.object != "profile" || event.subject != name {
            return false;
        }
        if let Some(old) = event.changes.iter().find(|change| change.field == "name").and_then(|change| change.old.clone()) {
            name = old;
        }
        event.changes.iter().any(|change| change.field == parameter)
    };
    let entries = activity::last(services, account, most, is_about)?;
    let past = entries.into_iter().filter_map(|entry| {
        let change = entry.event.changes.into_iter().find(|change| change.field == parameter)?;
        Some(PastValue { at: entry.at, actor: entry.actor, action: entry.event.action, old: change.old, new: change.new })
    });
    Ok(past.collect())
}
