//! The admin passwords of phones, to be told to a person: each time noted in the activity log (contract 5.9). They derive from the
//! key file, so that nothing is stored of them.

use jiff::{SignedDuration, Timestamp};

use super::commit::{Mode, perform};
use super::error::ServiceError;
use super::{Services, credentials, devices};
use crate::domain::access::{Action, Actor, authorize};
use crate::domain::account::Secret;
use crate::domain::activity::Event;
use crate::domain::credential::GUIDE_ADMIN_PASSWORD;
use crate::domain::device::DeviceKey;
use crate::domain::ids::AccountId;
use crate::domain::limits::DELETED_DAYS;

/// The admin password that the base gives a phone, of a device or of one that was deleted in the last 90 days. Noted in the
/// activity log; where that is only tried out, the password stays untold.
///
/// # Errors
/// [`ServiceError::NotFound`]; [`ServiceError::Conflict`] where the base gives phones no password.
pub fn reveal(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    key: &DeviceKey,
    mode: Mode,
) -> Result<Option<Secret>, ServiceError> {
    let grant = authorize(actor, Action::Reveal(account))?;
    let world = services.world(account)?;
    let device = services.roster(account).find(key);
    if device.is_none() && !deleted(services, account).iter().any(|(known, _)| known == key) {
        return Err(ServiceError::not_found("device", key));
    }
    let base = world.account.base;
    let password = if base.guide_admin_password {
        Secret::new(GUIDE_ADMIN_PASSWORD)
    } else if base.admin_password {
        credentials::of(services, account, key).admin_password
    } else {
        let words = "this server gives phones no admin password: that group of the built-in base is off. The phone has the one of \
                     its profile, or that of the factory";
        return Err(ServiceError::Conflict(words.to_owned()));
    };
    let subject = device.map_or_else(|| key.to_string(), |listed| devices::subject(&listed.device));
    let event = Event::new("device", subject, "showed the admin password of");
    perform(services, mode, grant, account, |change| change.record(event))?;
    Ok((mode == Mode::Keep).then_some(password))
}

/// [`reveal`] or [`reveal_deleted`].
pub type Reveal = fn(&Services, &Actor, AccountId, &DeviceKey, Mode) -> Result<Option<Secret>, ServiceError>;

/// Tells the admin password of a phone whose device was deleted in the last 90 days, as [`reveal`] does.
///
/// # Errors
/// As [`reveal`]; [`ServiceError::NotFound`] also where the device is there.
pub fn reveal_deleted(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    key: &DeviceKey,
    mode: Mode,
) -> Result<Option<Secret>, ServiceError> {
    if !deleted(services, account).iter().any(|(known, _)| known == key) {
        return Err(ServiceError::not_found("deleted device", key));
    }
    reveal(services, actor, account, key, mode)
}

/// Devices that were deleted in the last 90 days and are no devices again, the latest first.
pub fn deleted(services: &Services, account: AccountId) -> Vec<(DeviceKey, Timestamp)> {
    let (roster, now) = (services.roster(account), services.clock.now());
    let is_kept = |at: &Timestamp| now.duration_since(*at) < SignedDuration::from_hours(24 * DELETED_DAYS);
    let all = services.trusts(account).filtered(|trust| trust.deleted_at.is_some()).into_iter();
    let mut deleted: Vec<(DeviceKey, Timestamp)> = all
        .filter_map(|(key, trust)| Some((key, trust.deleted_at.filter(is_kept)?)))
        .filter(|(key, _)| roster.find(key).is_none())
        .collect();
    deleted.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    deleted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::access::Grant;
    use crate::domain::ids::DEFAULT_ACCOUNT;
    use crate::domain::testing::device;
    use crate::services::commit::commit;
    use crate::services::devices::Afterwards;
    use crate::services::testing::{bench, newest_activity, owner};

    #[test]
    fn a_password_is_told_and_noted_and_stays_told_for_90_days_after_its_device_is_deleted() {
        let bench = bench();
        let key: DeviceKey = "0004f2aa0001".parse().expect("a MAC");
        let put = |change: &mut crate::services::commit::Change<'_>| change.put_device(device("0004f2aa0001"));
        commit(&bench.services, Grant::system("test"), DEFAULT_ACCOUNT, put).expect("added");
        let tell_deleted = || reveal_deleted(&bench.services, &owner(), DEFAULT_ACCOUNT, &key, Mode::Keep);
        assert!(matches!(tell_deleted(), Err(ServiceError::NotFound { .. })), "it is there");
        let tell = |mode| reveal(&bench.services, &owner(), DEFAULT_ACCOUNT, &key, mode);
        assert_eq!(tell(Mode::TryOut).expect("tried"), None);
        let told = tell(Mode::Keep).expect("told").expect("a password");
        assert_eq!(told, credentials::of(&bench.services, DEFAULT_ACCOUNT, &key).admin_password);
        assert_eq!(newest_activity(&bench.services), "ada: device 0004f2aa0001 showed the admin password of");
        devices::delete(&bench.services, &owner(), DEFAULT_ACCOUNT, &key, Afterwards::Forget, Mode::Keep).expect("deleted");
        assert_eq!(tell(Mode::Keep).expect("told").as_ref(), Some(&told));
        assert_eq!(tell_deleted().expect("told"), Some(told));
        assert_eq!(deleted(&bench.services, DEFAULT_ACCOUNT).len(), 1);
        bench.clock.advance_to(bench.clock.now() + SignedDuration::from_hours(24 * 90));
        assert!(tell(Mode::Keep).is_err() && deleted(&bench.services, DEFAULT_ACCOUNT).is_empty());
    }
}
