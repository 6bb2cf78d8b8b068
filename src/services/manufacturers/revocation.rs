//! Lists of the certificates that manufacturers have revoked: uploading, listing and deleting them (PHN-07).
//!
//! They are a part of the account's settings, beside the authorities that made them.

use jiff::Timestamp;

use super::super::Services;
use super::super::commit::{Mode, perform};
use super::super::error::ServiceError;
use super::lists;
use crate::domain::access::{Action, Actor, authorize};
use crate::domain::account::AdmissionSettings;
use crate::domain::activity::Event;
use crate::domain::field_error::FieldErrors;
use crate::domain::ids::AccountId;
use crate::domain::limits::{REVOCATION_BYTES, REVOCATION_FILE_BYTES, REVOCATION_LISTS};
use crate::domain::manufacturer::RevocationList;

/// The lists of an account, the oldest upload first.
///
/// # Errors
/// There is no such account.
pub fn list(services: &Services, account: AccountId) -> Result<Vec<RevocationList>, ServiceError> {
    Ok(services.world(account)?.account.admission.revocation_lists.clone())
}

/// Those in use whose successor was to be there by now. They count on.
pub fn overdue(settings: &AdmissionSettings, now: Timestamp) -> impl Iterator<Item = &RevocationList> {
    settings.revocation_lists.iter().filter(move |list| settings.asks() && list.next_update <= now)
}

/// Takes the lists of a file: PEM with one or several, or DER. Each takes the place of the older one of its CA. Answers those that
/// are new.
///
/// # Errors
/// What is wrong with the file, in the field `file`; nothing of it is taken then.
pub fn add(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    file: &[u8],
    mode: Mode,
) -> Result<Vec<RevocationList>, ServiceError> {
    let grant = authorize(actor, Action::EditAccount(account))?;
    let wrong = |message: String| ServiceError::from(FieldErrors::one("file", message));
    if file.len() > REVOCATION_FILE_BYTES {
        let most = REVOCATION_FILE_BYTES / (1024 * 1024);
        return Err(wrong(format!("a file with revocation lists has at most {most} MiB; this one has more")));
    }
    perform(services, mode, grant, account, |change| {
        let mut settings = change.settings()?;
        let admission = &mut settings.admission;
        let read = lists::lists(file, &admission.manufacturers, change.now(), change.actor()).map_err(wrong)?;
        let mut added = Vec::new();
        for list in read {
            if let Some(former) = take(admission, &list, change.now()).map_err(wrong)? {
                added.push((list, former));
            }
        }
        if added.is_empty() {
            return Err(wrong("every list of this file is here already".to_owned()));
        }
        within_bounds(&admission.revocation_lists).map_err(wrong)?;
        settings.revision += 1;
        change.put_account(settings)?;
        for (list, former) in &added {
            let action = if former.is_some() { "replaced" } else { "uploaded" };
            let (was, count) = (former.as_ref(), |list: &RevocationList| list.entries.to_string());
            let event = Event::new("revocation list", list.issuer.as_str(), action)
                .change("SHA-256", was.map(|one| one.fingerprint.clone()), Some(list.fingerprint.clone()))
                .change("revoked certificates", was.map(count), Some(count(list)));
            change.record(event)?;
        }
        Ok(added.into_iter().map(|(list, _)| list).collect())
    })
}

/// Puts a list in the place of the older one of its row, and answers that; nothing where it is here already.
fn take(
    admission: &mut AdmissionSettings,
    list: &RevocationList,
    now: Timestamp,
) -> Result<Option<Option<RevocationList>>, String> {
    let known = &mut admission.revocation_lists;
    if known.iter().any(|one| one.fingerprint == list.fingerprint) {
        return Ok(None);
    }
    let Some(former) = known.iter_mut().find(|one| lists::are_of_one_row(one, list, &admission.manufacturers)) else {
        known.push(list.clone());
        return Ok(Some(None));
    };
    // One of a time that has not come was taken while the clock was wrong, and must not keep the right ones out.
    if list.made_at < former.made_at && !lists::is_ahead(former, now) {
        let [here, this] = [former.made_at, list.made_at].map(|at| at.strftime("%Y-%m-%d %H:%M UTC"));
        return Err(format!("the list of “{}” that is here was made {here}, and this one before that, {this}", list.issuer));
    }
    Ok(Some(Some(std::mem::replace(former, list.clone()))))
}

fn within_bounds(lists: &[RevocationList]) -> Result<(), String> {
    if lists.len() > REVOCATION_LISTS {
        return Err(format!("at most {REVOCATION_LISTS} lists are kept; delete those that are not needed first"));
    }
    // Four characters of base64 hold three bytes.
    if lists.iter().map(|list| list.der.len() / 4 * 3).sum::<usize>() > REVOCATION_BYTES {
        let most = REVOCATION_BYTES / (1024 * 1024);
        return Err(format!("all lists together have at most {most} MiB; delete those that are not needed first"));
    }
    Ok(())
}

/// A list, to ask before it is deleted.
///
/// # Errors
/// It is not there.
pub fn find(services: &Services, account: AccountId, fingerprint: &str) -> Result<RevocationList, ServiceError> {
    let found = list(services, account)?.into_iter().find(|one| one.fingerprint == fingerprint);
    found.ok_or_else(|| ServiceError::not_found("revocation list", fingerprint))
}

/// Deletes a list: from the next handshake on, the certificates that it names count again.
///
/// # Errors
/// It is not there.
pub fn remove(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    fingerprint: &str,
    mode: Mode,
) -> Result<RevocationList, ServiceError> {
    let grant = authorize(actor, Action::EditAccount(account))?;
    let removed = find(services, account, fingerprint)?;
    perform(services, mode, grant, account, |change| {
        let mut settings = change.settings()?;
        settings.admission.revocation_lists.retain(|one| one.fingerprint != fingerprint);
        settings.revision += 1;
        change.put_account(settings)?;
        let event = Event::new("revocation list", removed.issuer.as_str(), "deleted");
        change.record(event.change("SHA-256", Some(removed.fingerprint.clone()), None))?;
        Ok(removed)
    })
}
