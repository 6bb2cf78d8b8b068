//! Why requests were answered as they were, and why handshakes failed: each cause with its words.
//!
//! A cause stands in one list with its words, and the list is what tests walk: none can be forgotten. What came of a whole run is
//! [`super::verdict`]'s.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Declares causes with their words, and one that may hold those of another list. `all` is every one of them.
macro_rules! worded {
    ($(#[$meta:meta])* pub enum $name:ident {
        $($(#[$doc:meta])* $variant:ident => $words:literal,)+
    } $(holding { $(#[$held_doc:meta])* $held:ident($inner:ident) })*) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum $name {
            $($(#[$doc])* $variant,)+
            $($(#[$held_doc])* $held($inner),)*
        }

        impl $name {
            /// Every one of them.
            pub fn all() -> impl Iterator<Item = Self> {
                let plain = [$(Self::$variant),+].into_iter();
                plain$(.chain($inner::all().map(Self::$held)))*
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Self::$variant => f.pad($words),)+
                    $(Self::$held(inner) => inner.fmt(f),)*
                }
            }
        }
    };
}

worded! {
    /// Why a request was answered the way it was. `Display` gives the words for the Runs tab.
    pub enum Reason {
        /// The master file made for this device.
        Master => "the master file of this device",
        /// A master file without device values.
        SharedMaster => "a master file without device values",
        /// The effective parameters.
        Parameters => "its effective configuration",
        /// What this device had stored here.
        DeviceFile => "what it uploaded last",
        /// A file that an admin put here for phones to fetch.
        Resource => "a resource file",
        /// No such file, and none is needed.
        Absent => "nothing stored under this name, and nothing needed",
        /// No image is served for this path.
        NoImage => "no software is served here",
        /// Another version has to come first, or this one was withdrawn from the device (R392, contract 5.12).
        NotThisImage => "not the software that this device takes next",
        /// A profile lists this file in `CONFIG_FILES`, and it is not stored here.
        ListedMissing => "a profile names this file for phones to fetch, and it is not stored here",
        /// An upload under a new name.
        Stored => "stored",
        /// An upload that took the place of a former one.
        Replaced => "stored, in place of the former one",
        /// The challenge that every request without credentials gets.
        CredentialsMissing => "no credentials sent; a phone repeats the request with them",
        /// The credentials are not the account's.
        CredentialsWrong => "wrong user name or password",
        /// Provisioning is switched off for the account, or was never set up.
        ProvisioningOff => "provisioning is switched off",
        /// The device was deleted with *block*.
        Blocked => "this device is blocked",
        /// Nothing says which device this is.
        Unidentified => "nothing says which device this is",
        /// It comes with credentials or a certificate of another device.
        OfAnotherDevice => "credentials or certificate of another device",
        /// The device is bound: the shared credentials no longer open it.
        Bound => "bound: only its own credentials open this device",
        /// It shows the factory default, and nobody has let it in yet (R184).
        FactoryCredentials => "factory credentials, and nobody has let it in yet",
        /// The factory default over plain HTTP: it opens nothing there (contract 4, point 4).
        FactoryInClear => "factory credentials, which count over TLS only",
        /// The account lets in only those that show their factory certificate (R373).
        CertificateNeeded => "only phones with a factory certificate are let in",
        /// A new device, and the account asks somebody first.
        NotApproved => "a new device, waiting for somebody to let it in",
        /// A new device, and the account takes only those that were added beforehand.
        NotStaged => "a new device, and only those that were added before are let in",
        /// It was added beforehand too long ago.
        StagedTooLong => "added too long ago; expect it anew",
        /// It was known as another model.
        ModelChanged => "known as another model",
        /// It comes from another subnet than it belongs to.
        OtherPlace => "comes from another subnet than it belongs to",
        /// It came over plain HTTP, though it was served over TLS before.
        CameOverHttp => "came over plain HTTP, though it has a configuration that TLS protects",
        /// The master file of a phone that comes over plain HTTP and does not know our certificate authority yet.
        BootstrapMaster => "the master file that leads from plain HTTP to HTTPS",
        /// Stage 1 of the way to HTTPS: our certificate authority, and a time server.
        BootstrapTrust => "our certificate authority and a time server, so that it can trust us over HTTPS",
        /// Stage 2: our HTTPS address.
        BootstrapMove => "our HTTPS address, because it showed that it trusts us",
        /// Plain HTTP has nothing else.
        PlainHttp => "plain HTTP has nothing but the way to HTTPS",
        /// Phones get nothing at all over plain HTTP: the switch is off.
        PlainHttpOff => "phones are not served over plain HTTP",
        /// Too many new devices came from this address or to this account in a short time.
        TooManyNew => "too many new devices in a short time",
        /// The upload is not one of this device's own files.
        Foreign => "not a file of this device",
        /// Nothing that phones may upload.
        NotUploadable => "nothing that a phone may upload",
        /// A method that phones do not use.
        MethodRefused => "not a method that phones use",
        /// An upload in pieces (`Content-Range`).
        Piecewise => "uploads in pieces are not taken",
        /// The upload is longer than its kind may be.
        TooLarge => "larger than this kind of file may be",
        /// The connection ended before the upload did; the former file stays.
        CutOff => "the connection ended before the upload did; the former file stays",
        /// The device uploads more than it may.
        QuotaReached => "this device uploads more than it may",
        /// The disk is nearly full.
        DiskReserve => "the server's disk is nearly full",
        /// A fault of this server.
        Fault => "a fault of this server",
        /// A file that comes with software: its version, a language, a tone.
        SoftwareFile => "a file that comes with its software",
        /// It read the header of the software and hung up: it has that software already, or does not want it.
        SoftwareChecked => "checked the software and did not need it",
        /// It took the software to its end, or nearly so.
        SoftwareTaken => "downloaded the software",
    } holding {
        /// The TLS handshake failed.
        Handshake(HandshakeFault)
    } holding {
        /// The download of software goes on.
        SoftwareGoing(Going)
    } holding {
        /// The download of software ended on the way.
        SoftwareBrokenOff(Percent)
    }
}

/// How far a download came that ended on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Percent(pub u8);

impl Percent {
    /// So much of so much, rounded down.
    pub fn of(part: u64, whole: u64) -> Self {
        let percent = u128::from(part) * 100 / u128::from(whole.max(1));
        Self(u8::try_from(percent).unwrap_or(100).min(100))
    }

    fn all() -> impl Iterator<Item = Self> {
        [Self(0), Self(50)].into_iter()
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the download of the software broke off at {} %", self.0)
    }
}

/// How far a download is that goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Going(pub Percent);

impl Going {
    fn all() -> impl Iterator<Item = Self> {
        Percent::all().map(Self)
    }
}

impl fmt::Display for Going {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "downloads the software, {} % so far", self.0.0)
    }
}

worded! {
    /// Why a TLS handshake failed, as far as the two sides told. `Display` gives the cause in words.
    pub enum HandshakeFault {
        /// The phone does not know the CA that signed our certificate.
        UnknownCa => "it does not know the CA of our certificate",
        /// The phone refuses our certificate and does not say why: CA, name or clock.
        CertificateRefused => "it refuses our certificate and does not say why",
        /// The phone calls our certificate bad: libraries say so of a wrong name and of a validity that has not begun.
        CertificateBad => "it calls our certificate bad: not valid yet, or made for another name",
        /// The phone takes our certificate for expired: mostly its clock.
        CertificateTime => "it takes our certificate for expired; its clock may be wrong",
        /// The phone takes our certificate for revoked.
        CertificateRevoked => "it takes our certificate for revoked",
        /// The phone cannot use a certificate of this kind.
        CertificateUnsupported => "it cannot use a certificate of this kind",
        /// No cipher suite that both sides speak.
        NoCommonSuite => "it shares no cipher suite with us",
        /// No TLS version that both sides speak.
        NoCommonVersion => "it speaks no TLS version that we do",
        /// What came was no TLS, mostly plain HTTP.
        NotTls => "it did not speak TLS",
        /// The phone hung up without a word.
        HungUp => "it hung up during the handshake",
        /// The handshake took too long.
        TimedOut => "the handshake took too long",
        /// Anything else.
        Other => "the handshake failed",
    }
}

impl Reason {
    /// Whether whoever asked did not show the right credentials: then nothing says that it is the phone that it may claim to be.
    pub fn is_unproven(self) -> bool {
        matches!(self, Self::CredentialsMissing | Self::CredentialsWrong)
    }

    /// Whether the device keeps what it has, on purpose.
    pub fn is_held(self) -> bool {
        matches!(
            self,
            Self::Blocked
                | Self::ProvisioningOff
                | Self::TooManyNew
                | Self::Unidentified
                | Self::Bound
                | Self::FactoryCredentials
                | Self::FactoryInClear
                | Self::CertificateNeeded
                | Self::NotApproved
                | Self::NotStaged
                | Self::StagedTooLong
                | Self::ModelChanged
                | Self::OtherPlace
                | Self::CameOverHttp
                | Self::PlainHttpOff
        )
    }
}

/// What to do about somebody who is not let in for a reason; none for reasons that keep nobody out.
pub fn next_step(reason: Reason) -> Option<&'static str> {
    Some(match reason {
        Reason::ProvisioningOff => "Switch it on under Provisioning Settings; until then phones keep what they have",
        Reason::Blocked => "Unblock it under Pending if it may come back",
        Reason::TooManyNew => {
            "Wait: it is taken when it asks again. If it is listed under Pending, let it in there; else add it to the devices"
        }
        Reason::Unidentified => "Switch on device.prov.tagSerialNo on the phone, or find out why it does not get its own file",
        Reason::Bound => {
            "If this phone was reset or replaced, bind it again under Pending. If not, see there with which credentials somebody else asks"
        }
        Reason::FactoryCredentials => "If this is one of your phones, adopt it under Pending",
        Reason::FactoryInClear => {
            "Factory settings open nothing over plain HTTP. Enter the shared credentials of Provisioning Settings on the phone"
        }
        Reason::CertificateNeeded => {
            "Load the certificate authority of the phone's maker if that is not done. A phone without a factory certificate gets in only \
             where they are no longer required under Provisioning Settings"
        }
        Reason::NotApproved => "Let it in under Pending if it is one of your phones",
        Reason::NotStaged => "Add the device, or let it in under Pending",
        Reason::StagedTooLong => "Expect it back: the device then has seven days more",
        Reason::ModelChanged => "If the phone was replaced by another model, let it in under Pending",
        Reason::OtherPlace => "If the phone has moved, let it in under Pending: it is at home there from then on",
        Reason::CameOverHttp => {
            "It keeps its lines. If it was reset, let it in under Pending; else give it the HTTPS address, by DHCP or in its menu"
        }
        Reason::PlainHttpOff => {
            "Give it the HTTPS address, by DHCP or in its menu, or switch on the bootstrap in Provisioning Settings"
        }
        Reason::CredentialsWrong => "Enter the shared credentials of Provisioning Settings on the phone, or in the DHCP option",
        Reason::OfAnotherDevice => {
            "See which phone is at that address: it shows credentials or a certificate that were made for another device"
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_cause_has_words_of_its_own_and_whoever_is_held_hears_what_to_do() {
        let all: Vec<Reason> = Reason::all().collect();
        let words: HashSet<String> = all.iter().map(ToString::to_string).collect();
        assert_eq!(words.len(), all.len(), "two causes are told with the same words");
        assert!(words.iter().all(|one| !one.is_empty()));
        for reason in all {
            assert!(!reason.is_held() || next_step(reason).is_some(), "{reason:?}");
        }
        assert_eq!(Reason::all().filter(|one| matches!(one, Reason::Handshake(_))).count(), HandshakeFault::all().count());
    }
}
