//! What is known of a device's factory certificate (R374).

use serde::{Deserialize, Serialize};

use super::{Knock, Trust};
use crate::domain::manufacturer::{CertificateFault, Presented};

/// What is known of a phone's factory certificate: the states of R374 and why one does not count.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Certificate {
    /// It was never asked for, or never heard of since.
    #[default]
    Unknown,
    /// It came and was verified: *Factory Installed*.
    FactoryInstalled,
    /// It was asked for and none came.
    NotInstalled,
    /// One came that does not count, for this reason.
    Invalid(Box<str>),
}

impl Certificate {
    /// The states that a person can read off a phone, each with its word for forms and programs.
    pub fn read_off() -> [(&'static str, Self); 4] {
        let states = [Self::Unknown, Self::FactoryInstalled, Self::NotInstalled, Self::Invalid(Box::default())];
        states.map(|state| (state.word(), state))
    }

    /// The word of a state.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::FactoryInstalled => "factory-installed",
            Self::NotInstalled => "not-installed",
            Self::Invalid(_) => "invalid",
        }
    }

    /// The state as phones show it, in *Menu, Status, Platform, Phone* (R374).
    pub fn label(&self) -> &'static str {
        match self {
            Self::Unknown => "Not known",
            Self::FactoryInstalled => "Factory Installed",
            Self::NotInstalled => "Not Installed",
            Self::Invalid(_) => "Invalid",
        }
    }

    /// Whether it is one that does not count for this reason.
    pub fn is(&self, fault: CertificateFault) -> bool {
        matches!(self, Self::Invalid(why) if **why == *fault.to_string())
    }

    /// Why it does not count, where that is known.
    pub fn fault(&self) -> Option<&str> {
        match self {
            Self::Invalid(why) if !why.is_empty() => Some(why),
            _ => None,
        }
    }
}

impl Trust {
    /// Takes in what its handshake showed of its factory certificate. Whoever was not let in may be somebody else unless it showed
    /// proof of its own, and some requests of a phone come without it (protocol/provisioning.md 7): neither takes the place of one
    /// that was verified.
    pub fn showed(&mut self, presented: &Presented, is_itself: bool) {
        let next = match presented {
            Presented::NotAsked => return,
            Presented::Verified(_) => Certificate::FactoryInstalled,
            // Its very own, whoever shows it.
            Presented::Revoked(_) => Certificate::Invalid(CertificateFault::Revoked.to_string().into()),
            Presented::Unverified(fault) if is_itself || self.certificate != Certificate::FactoryInstalled => {
                Certificate::Invalid(fault.to_string().into())
            }
            Presented::Nothing if self.certificate == Certificate::Unknown => Certificate::NotInstalled,
            Presented::Unverified(_) | Presented::Nothing => return,
        };
        self.certificate = next;
    }

    /// Who showed a certificate for this key that does not count and was not let in, and why it does not count. It may be somebody
    /// else.
    pub fn refused_certificate(&self) -> Option<(&Knock, CertificateFault)> {
        self.knocks().find_map(|knock| Some((knock, knock.certificate?)))
    }

    /// What is known of its factory certificate: by handshake, else as a person read it off the phone.
    pub fn certificate_state(&self) -> &Certificate {
        if self.certificate == Certificate::Unknown { &self.certificate_read } else { &self.certificate }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn showed(trust: &Trust, presented: &Presented, is_let_in: bool) -> &'static str {
        let mut trust = trust.clone();
        trust.showed(presented, is_let_in);
        trust.certificate.word()
    }

    #[test]
    fn a_verified_certificate_is_not_forgotten_for_what_somebody_else_may_have_shown() {
        let verified = Presented::Verified("0004f2aa0001".parse().expect("a MAC"));
        let unverified = Presented::Unverified(CertificateFault::Expired);
        let (new, known) = (Trust::default(), Trust { certificate: Certificate::FactoryInstalled, ..Trust::default() });
        assert_eq!(showed(&new, &verified, true), "factory-installed");
        assert_eq!(showed(&new, &Presented::Nothing, true), "not-installed");
        assert_eq!(showed(&new, &unverified, false), "invalid");
        assert_eq!(showed(&new, &Presented::NotAsked, true), "unknown");
        assert_eq!(showed(&known, &Presented::Nothing, true), "factory-installed", "some requests of a phone come without it");
        assert_eq!(showed(&known, &unverified, false), "factory-installed");
        assert_eq!(showed(&known, &unverified, true), "invalid");
        let revoked = Presented::Revoked("0004f2aa0001".parse().expect("a MAC"));
        assert_eq!(showed(&known, &revoked, false), "invalid", "what is revoked is the device's own");
    }

    #[test]
    fn what_a_person_read_is_told_until_a_handshake_says_more() {
        let mut trust = Trust { certificate_read: Certificate::NotInstalled, ..Trust::default() };
        assert_eq!(trust.certificate_state().label(), "Not Installed");
        trust.showed(&Presented::Unverified(CertificateFault::NoMac), true);
        assert_eq!(trust.certificate_state().fault(), Some("its common name is no MAC address"));
    }
}
