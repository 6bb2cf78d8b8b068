//! The manufacturers' authorities whose phones' certificates count: uploading, listing and deleting them (R373).
//!
//! They are a part of the account's settings, so that a backup has them and a request sees one state of policy and authorities.
//! Handshakes use them by [`asking`].

pub mod asking;
mod ends;
mod lists;
mod reading;
pub mod revocation;

use std::collections::BTreeMap;

use super::commit::{Mode, perform};
use super::error::ServiceError;
use super::{Services, devices};
use crate::domain::access::{Action, Actor, authorize};
use crate::domain::account::CertificatePolicy;
use crate::domain::activity::Event;
use crate::domain::device::DeviceKey;
use crate::domain::field_error::FieldErrors;
use crate::domain::ids::AccountId;
use crate::domain::limits::MANUFACTURER_CAS;
use crate::domain::manufacturer::{ManufacturerCa, RevocationList};
use crate::domain::trust::Certificate;

/// How many devices are in each state of R374.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// All devices.
    pub devices: usize,
    /// They showed a certificate that was verified.
    pub verified: usize,
    /// They were asked and showed none.
    pub none: usize,
    /// They showed one that counts as none.
    pub invalid: usize,
    /// They were not heard since certificates are asked for.
    pub unknown: usize,
}

/// What goes with an authority.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removal {
    /// The authority.
    pub authority: ManufacturerCa,
    /// How devices stand now. Those that it verified come with their other credentials from then on.
    pub standing: Standing,
    /// Whether it is the last one: then nobody is asked any more.
    pub is_last: bool,
    /// Its revocation lists, which go along.
    pub lists: Vec<RevocationList>,
}

/// The authorities of an account, the oldest upload first.
///
/// # Errors
/// There is no such account.
pub fn list(services: &Services, account: AccountId) -> Result<Vec<ManufacturerCa>, ServiceError> {
    Ok(services.world(account)?.account.admission.manufacturers.clone())
}

/// How the devices of an account stand, as their handshakes told.
pub fn standing(services: &Services, account: AccountId) -> Standing {
    let book = services.trusts(account);
    let mut counts: BTreeMap<u8, usize> = BTreeMap::new();
    let devices = services.roster(account).all();
    for listed in &devices {
        let state = match book.of(&listed.device.key).certificate {
            Certificate::FactoryInstalled => 0,
            Certificate::NotInstalled => 1,
            Certificate::Invalid(_) => 2,
            Certificate::Unknown => 3,
        };
        *counts.entry(state).or_default() += 1;
    }
    let of = |state| counts.get(&state).copied().unwrap_or_default();
    Standing { devices: devices.len(), verified: of(0), none: of(1), invalid: of(2), unknown: of(3) }
}

/// Takes the authorities of a file: PEM with one or several, or DER. Answers those that are new.
///
/// # Errors
/// What is wrong with the file, in the field `file`; nothing of it is taken then.
pub fn add(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    file: &[u8],
    mode: Mode,
) -> Result<Vec<ManufacturerCa>, ServiceError> {
    let grant = authorize(actor, Action::EditAccount(account))?;
    let wrong = |message: String| FieldErrors::one("file", message);
    let read = reading::authorities(file).map_err(wrong)?;
    perform(services, mode, grant, account, |change| {
        let mut settings = change.settings()?;
        let known = &mut settings.admission.manufacturers;
        let mut added = Vec::new();
        for facts in read {
            if known.iter().any(|one| one.fingerprint == facts.fingerprint) {
                continue;
            }
            let authority = facts.added(change.now(), change.actor());
            known.push(authority.clone());
            added.push(authority);
        }
        if added.is_empty() {
            return Err(wrong("every certificate of this file is here already".to_owned()).into());
        }
        if known.len() > MANUFACTURER_CAS {
            let words = format!("at most {MANUFACTURER_CAS} certificates are kept; delete those that are not needed first");
            return Err(wrong(words).into());
        }
        settings.revision += 1;
        change.put_account(settings)?;
        for authority in &added {
            let event = Event::new("manufacturer CA", authority.subject.as_str(), "uploaded");
            change.record(event.change("SHA-256", None, Some(authority.fingerprint.clone())))?;
        }
        Ok(added)
    })
}

/// What deleting an authority changes.
///
/// # Errors
/// It is not there.
pub fn removal(services: &Services, account: AccountId, fingerprint: &str) -> Result<Removal, ServiceError> {
    let world = services.world(account)?;
    let mut left = world.account.admission.manufacturers.clone();
    let at = left.iter().position(|one| one.fingerprint == fingerprint);
    let authority = left.remove(at.ok_or_else(|| ServiceError::not_found("manufacturer CA", fingerprint))?);
    let lists = world.account.admission.revocation_lists.iter().filter(|list| !lists::is_of_any(list, &left)).cloned().collect();
    Ok(Removal { authority, standing: standing(services, account), is_last: left.is_empty(), lists })
}

/// Deletes an authority: from the next handshake on, what it signed counts as none.
///
/// # Errors
/// It is not there; it is the last one while only certificates open.
pub fn remove(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    fingerprint: &str,
    mode: Mode,
) -> Result<Removal, ServiceError> {
    let grant = authorize(actor, Action::EditAccount(account))?;
    let removal = removal(services, account, fingerprint)?;
    perform(services, mode, grant, account, |change| {
        let mut settings = change.settings()?;
        let admission = &mut settings.admission;
        admission.manufacturers.retain(|one| one.fingerprint != fingerprint);
        if admission.manufacturers.is_empty() && admission.certificates == CertificatePolicy::Require {
            let words = "this is the last CA, and only phones with a certificate are let in: every phone would be kept out. \
                         Choose another policy first";
            return Err(ServiceError::Conflict(words.to_owned()));
        }
        admission.revocation_lists.retain(|list| lists::is_of_any(list, &admission.manufacturers));
        settings.revision += 1;
        change.put_account(settings)?;
        let event = Event::new("manufacturer CA", removal.authority.subject.as_str(), "deleted");
        change.record(event.change("SHA-256", Some(removal.authority.fingerprint.clone()), None))?;
        for list in &removal.lists {
            let event = Event::new("revocation list", list.issuer.as_str(), "deleted with its CA");
            change.record(event.change("SHA-256", Some(list.fingerprint.clone()), None))?;
        }
        Ok(removal)
    })
}

/// Notes what a person read off a phone of its certificate (R374); [`Certificate::Unknown`] takes the note back.
///
/// # Errors
/// There is no such device.
pub fn note_read(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    key: &DeviceKey,
    state: Certificate,
    mode: Mode,
) -> Result<(), ServiceError> {
    let grant = authorize(actor, Action::EditDevices(account))?;
    let device = devices::get(services, account, key)?.device;
    perform(services, mode, grant, account, |change| {
        let former = services.trusts(account).of(key).certificate_read.word();
        if former == state.word() {
            change.leave_as_is();
            return Ok(());
        }
        let told = state.word();
        change.change_trust(key, move |trust| trust.certificate_read = state.clone())?;
        let label = device.name.as_ref().map_or_else(|| key.to_string(), ToString::to_string);
        let word = |word: &str| Some(word.to_owned());
        change.record(Event::new("device", label, "changed").change("certificate as read off it", word(former), word(told)))
    })
}
