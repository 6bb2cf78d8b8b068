//! Who still comes with the shared credentials, and the end of those that are replaced as planned (R182, R183). Changing them is
//! [`super::accounts`]'s.

use jiff::Timestamp;

use super::Services;
use super::commit::{Mode, perform};
use super::error::ServiceError;
use crate::domain::access::{Action, Actor, authorize};
use crate::domain::activity::Event;
use crate::domain::device_list::Listed;
use crate::domain::ids::AccountId;
use crate::domain::trust::ComesWith;

/// How many devices come with what: what a change of the shared credentials means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// All devices.
    pub total: usize,
    /// Those that only their own credentials open.
    pub bound: usize,
    /// Those that come with their own credentials, the bound ones among them.
    pub own: usize,
    /// Those that come with the shared credentials that count.
    pub shared: usize,
    /// Those that come with the ones before.
    pub former: usize,
}

/// How many devices come with what.
///
/// # Errors
/// [`ServiceError::NotFound`] where there is no such account.
pub fn usage(services: &Services, account: AccountId) -> Result<Usage, ServiceError> {
    let mut usage = Usage::default();
    each(services, account, |_, comes_with, is_bound| {
        usage.total += 1;
        usage.bound += usize::from(is_bound);
        match comes_with {
            ComesWith::Own => usage.own += 1,
            ComesWith::Shared => usage.shared += 1,
            ComesWith::Former => usage.former += 1,
            ComesWith::Factory | ComesWith::Nothing => {}
        }
    })?;
    Ok(usage)
}

/// The devices that still come with the former shared credentials, by key.
///
/// # Errors
/// As [`usage`].
pub fn users_of_former(services: &Services, account: AccountId) -> Result<Vec<Listed>, ServiceError> {
    let mut users = Vec::new();
    each(services, account, |listed, comes_with, _| {
        if comes_with == ComesWith::Former {
            users.push(listed);
        }
    })?;
    users.sort_by(|a: &Listed, b: &Listed| a.device.key.cmp(&b.device.key));
    Ok(users)
}

fn each(services: &Services, account: AccountId, mut take: impl FnMut(Listed, ComesWith, bool)) -> Result<(), ServiceError> {
    let world = services.world(account)?;
    let (generation, binds) = (world.account.provisioning.generation, world.account.admission.binds);
    let book = services.trusts(account);
    for listed in services.roster(account).all() {
        let trust = book.of(&listed.device.key);
        take(listed, trust.comes_with(generation, binds), binds && trust.bound_at.is_some());
    }
    Ok(())
}

/// Ends the former shared credentials now: those that were replaced at the moment `shown`, where somebody looked at them before.
/// Answers how many devices still came with them.
///
/// # Errors
/// [`ServiceError::Conflict`] where there are none any more, or others.
pub fn end_former(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    shown: Option<Timestamp>,
    mode: Mode,
) -> Result<usize, ServiceError> {
    let grant = authorize(actor, Action::EditAccount(account))?;
    let users = users_of_former(services, account)?.len();
    perform(services, mode, grant, account, |change| {
        let mut settings = change.settings()?;
        let Some(former) = settings.provisioning.former.take() else {
            let words = "there are no former shared credentials that count; somebody may have ended them meanwhile";
            return Err(ServiceError::Conflict(words.to_owned()));
        };
        if shown.is_some_and(|shown| shown != former.replaced_at) {
            let words = "they were replaced once more since you opened the page, and others are the former ones now";
            return Err(ServiceError::Conflict(words.to_owned()));
        }
        settings.revision += 1;
        let event = Event::new("account", settings.label.as_str(), "ended the former shared credentials of");
        change.record(event.change("devices that still used them", None, Some(users.to_string())))?;
        change.put_account(settings)
    })?;
    Ok(users)
}
