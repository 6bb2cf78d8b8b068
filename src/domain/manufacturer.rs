//! Factory certificates of phones: the manufacturers' authorities that an admin uploaded, and what a phone showed during its
//! handshake (R373, R374, protocol/provisioning.md 7).

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::mac::Mac;

/// The certificate of an authority that a manufacturer signs its phones' certificates with. Its JSON is the stored form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManufacturerCa {
    /// SHA-256 over the certificate, pairs of capital digits with colons: what it is known by.
    pub fingerprint: String,
    /// Whose it is, as the certificate says it.
    pub subject: String,
    /// Beginning of its validity.
    pub valid_from: Timestamp,
    /// End of its validity.
    pub valid_until: Timestamp,
    /// The certificate itself: its DER form in base64.
    pub der: String,
    /// When it was uploaded.
    pub added_at: Timestamp,
    /// By whom, as the activity log names them.
    pub by: String,
}

/// A list of the certificates that one of these authorities has revoked. Its JSON is the stored form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevocationList {
    /// SHA-256 over the list, pairs of capital digits with colons: what it is known by.
    pub fingerprint: String,
    /// Whose it is, as the list says it.
    pub issuer: String,
    /// How many certificates it names.
    pub entries: usize,
    /// When the authority made it.
    pub made_at: Timestamp,
    /// When the next one was to be there. This one counts on from then, but those revoked since are not known.
    pub next_update: Timestamp,
    /// The list itself: its DER form in base64.
    pub der: String,
    /// When it was uploaded.
    pub added_at: Timestamp,
    /// By whom, as the activity log names them.
    pub by: String,
}

/// What a phone showed of its factory certificate during the handshake.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Presented {
    /// It was not asked.
    #[default]
    NotAsked,
    /// It was asked and showed none.
    Nothing,
    /// One that a manufacturer's authority signed, of this MAC, with proof that the phone holds its key.
    Verified(Mac),
    /// One of this MAC, with proof that the phone holds its key, that is revoked. It counts as none.
    Revoked(Mac),
    /// One that counts as none for another reason.
    Unverified(CertificateFault),
}

/// Why a certificate counts as none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateFault {
    /// No uploaded authority signed it.
    UnknownAuthority,
    /// Its time is over, and the account does not take such ones.
    Expired,
    /// Its time has not begun.
    NotYetValid,
    /// It is not meant for clients.
    WrongPurpose,
    /// Its common name is no MAC.
    NoMac,
    /// Its authority has revoked it, or an authority between them was revoked.
    Revoked,
    /// A list of its authority is here, and does not fit the authority that the chain names.
    RevocationUnknown,
    /// The phone did not prove that it holds the key.
    Unproven,
    /// It cannot be read or checked.
    Broken,
}

impl fmt::Display for CertificateFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnknownAuthority => "no authority that was uploaded here signed it",
            Self::Expired => "it has expired",
            Self::NotYetValid => "it is not valid yet",
            Self::WrongPurpose => "it is not meant for clients",
            Self::NoMac => "its common name is no MAC address",
            Self::Revoked => "its manufacturer has revoked it",
            Self::RevocationUnknown => "nothing tells whether its manufacturer has revoked it",
            Self::Unproven => "the phone did not prove that it holds the key",
            Self::Broken => "it cannot be read or checked",
        })
    }
}
