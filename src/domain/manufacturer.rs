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

impl Presented {
    /// Why the certificate that was shown counts as none; none where none was shown, or it counts.
    pub fn fault(&self) -> Option<CertificateFault> {
        match self {
            Self::Revoked(_) => Some(CertificateFault::Revoked),
            Self::Unverified(fault) => Some(*fault),
            Self::NotAsked | Self::Nothing | Self::Verified(_) => None,
        }
    }
}

/// Why a certificate counts as none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
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
    /// It is of a version of X.509 that was before the one that can be checked, so that its key proves nothing.
    OldVersion,
    /// It cannot be read or checked.
    Broken,
}

impl CertificateFault {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::UnknownAuthority,
        Self::Expired,
        Self::NotYetValid,
        Self::WrongPurpose,
        Self::NoMac,
        Self::Revoked,
        Self::RevocationUnknown,
        Self::Unproven,
        Self::OldVersion,
        Self::Broken,
    ];

    /// What to do where it is this that keeps a phone out.
    pub fn next_step(self) -> &'static str {
        match self {
            Self::UnknownAuthority => {
                "If it is one of your phones, load the certificate authority that signed its certificate under Provisioning Settings"
            }
            Self::Expired => "Take certificates that have expired, or no longer require them, under Provisioning Settings",
            Self::NotYetValid => {
                "See whether this server's clock is right: a phone's factory certificate has begun when it is sold"
            }
            Self::WrongPurpose | Self::NoMac => {
                "It shows another certificate than its factory certificate: have it show that one, or no longer require certificates \
                 under Provisioning Settings"
            }
            Self::Revoked => "Find out whether it is still your phone: it gets in only where certificates are not required",
            Self::RevocationUnknown => {
                "Load the revocation list of the authority that signed its certificate, or take the one away that does not fit it, \
                 under Provisioning Settings"
            }
            Self::Unproven => "See which phone is at that address: it shows a certificate without the key, which may be a copy",
            Self::OldVersion => {
                "It is likely no factory certificate: have the phone show that one, have its certificate made anew as one of version 3, \
                 or no longer require certificates under Provisioning Settings"
            }
            Self::Broken => {
                "Look at its certificate on the phone, under Status, Platform, Phone. Where it is damaged, the phone gets in only \
                 where certificates are not required"
            }
        }
    }
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
            Self::OldVersion => "it is of X.509 version 1 or 2, and only version 3 is supported",
            Self::Broken => "it cannot be read or checked",
        })
    }
}
