//! Credentials at the phones' door: HTTP Basic (RFC 7617) and Digest ([`super::digest`]), the same answer and the same work for everybody who has none that
//! count (contract 4, P1, P2).

use std::sync::Arc;

use actix_web::http::header::{AUTHORIZATION, HeaderMap};
use arc_swap::ArcSwapOption;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

use super::digest::Answered;
use crate::domain::account::{Account, Provisioning, Secret};
use crate::domain::admission::decide::{Proof, SharedPassword};
use crate::domain::credential::FACTORY_DEFAULT;
use crate::domain::device::DeviceKey;

/// Longest `Authorization` header that is looked at; user name and password are far shorter.
const HEADER_BYTES: usize = 1_024;

/// Tells whether a password is the one that was shown.
pub(super) type IsShown<'a> = &'a dyn Fn(&Secret) -> bool;

/// Compares credentials by keyed hash, so that neither time nor memory tells how much of a guess was right.
pub struct Gate {
    key: [u8; 32],
    expected: ArcSwapOption<Expected>,
}

/// Hashes of what an account expects. They are made anew when the account's settings are replaced.
struct Expected {
    account: Arc<Account>,
    shared: [u8; 32],
    /// Where there are no former credentials, those in use again: the work is the same.
    former: [u8; 32],
    factory: [u8; 32],
}

impl Gate {
    /// A gate with a key that nobody else knows.
    pub fn new(key: [u8; 32]) -> Self {
        Self { key, expected: ArcSwapOption::empty() }
    }

    /// Judges a request's credentials. No slow hash and no database: phones send them with every request. `generation_of` finds the
    /// generation of a device's own password that passes a test, if one does.
    pub fn judge(
        &self,
        headers: &HeaderMap,
        account: &Arc<Account>,
        generation_of: impl FnOnce(&DeviceKey, IsShown<'_>) -> Option<u32>,
    ) -> Proof {
        let Some(header) = headers.get(AUTHORIZATION) else { return Proof::Missing };
        let told = basic(header.as_bytes()).unwrap_or_default();
        let (hash, expected) = (self.hash(&told), self.expected_by(account));
        let is = |other: &[u8; 32]| bool::from(hash.ct_eq(other));
        let (shared, former, factory) = (is(&expected.shared), is(&expected.former), is(&expected.factory));
        let provisioning = &account.provisioning;
        // Without a user name the account was never set up: then nothing is right, not even nothing.
        if provisioning.user.is_empty() {
            return Proof::Wrong;
        }
        proof(provisioning, shared, former, factory, || own(&told, generation_of))
    }

    /// Judges an answer to a Digest challenge by the same credentials. The password itself is not in it, so each one that may count
    /// is tried.
    pub(super) fn judge_digest(
        &self,
        answered: &Answered,
        method: &str,
        account: &Account,
        generation_of: impl FnOnce(&DeviceKey, IsShown<'_>) -> Option<u32>,
    ) -> Proof {
        let provisioning = &account.provisioning;
        if provisioning.user.is_empty() {
            return Proof::Wrong;
        }
        let is_of = |user: &str, password: &Secret| answered.is_of(user, password.expose(), method);
        let shared = is_of(&provisioning.user, &provisioning.password);
        // Where there are no former credentials, those in use again: the work is the same.
        let (former_user, former_password) =
            provisioning.former.as_ref().map_or((&provisioning.user, &provisioning.password), |one| (&one.user, &one.password));
        let former = is_of(former_user, former_password);
        let factory = answered.is_of(FACTORY_DEFAULT, FACTORY_DEFAULT, method);
        proof(provisioning, shared, former, factory, || {
            let key: DeviceKey = answered.user.parse().ok()?;
            let generation = generation_of(&key, &|password| is_of(&answered.user, password))?;
            Some(Proof::Own(key, generation))
        })
    }

    fn expected_by(&self, account: &Arc<Account>) -> Arc<Expected> {
        if let Some(expected) = &*self.expected.load()
            && Arc::ptr_eq(&expected.account, account)
        {
            return Arc::clone(expected);
        }
        let hash_of = |user: &str, password: &str| self.hash(format!("{user}:{password}").as_bytes());
        let provisioning = &account.provisioning;
        let shared = hash_of(&provisioning.user, provisioning.password.expose());
        let former = provisioning.former.as_ref().map_or(shared, |former| hash_of(&former.user, former.password.expose()));
        let factory = hash_of(FACTORY_DEFAULT, FACTORY_DEFAULT);
        let expected = Arc::new(Expected { account: Arc::clone(account), shared, former, factory });
        self.expected.store(Some(Arc::clone(&expected)));
        expected
    }

    fn hash(&self, text: &[u8]) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("HMAC takes a key of any length");
        mac.update(text);
        mac.finalize().into_bytes().into()
    }
}

/// What credentials are worth that were compared with all that an account has in common; else `own` looks at those of a device.
fn proof(provisioning: &Provisioning, shared: bool, former: bool, factory: bool, own: impl FnOnce() -> Option<Proof>) -> Proof {
    match &provisioning.former {
        _ if shared => Proof::Shared(SharedPassword { generation: provisioning.generation, is_former: false }),
        Some(credentials) if former => Proof::Shared(SharedPassword { generation: credentials.generation, is_former: true }),
        _ if factory => Proof::FactoryDefault,
        _ => own().unwrap_or(Proof::Wrong),
    }
}

/// Credentials of a device: its key and a password that was derived for it.
fn own(told: &[u8], generation_of: impl FnOnce(&DeviceKey, IsShown<'_>) -> Option<u32>) -> Option<Proof> {
    let (user, shown) = std::str::from_utf8(told).ok()?.split_once(':')?;
    let key: DeviceKey = user.parse().ok()?;
    let generation = generation_of(&key, &|password| bool::from(password.expose().as_bytes().ct_eq(shown.as_bytes())))?;
    Some(Proof::Own(key, generation))
}

/// The `user:password` of a Basic header; none of any other scheme.
fn basic(header: &[u8]) -> Option<Vec<u8>> {
    let (scheme, rest) = header.split_at_checked(6)?;
    if header.len() > HEADER_BYTES || !scheme.eq_ignore_ascii_case(b"basic ") {
        return None;
    }
    STANDARD.decode(rest.trim_ascii()).ok()
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;
    use jiff::Timestamp;

    use super::*;
    use crate::domain::account::{AdmissionSettings, BaseSettings, FirstContact, FormerCredentials, SoftwareSettings};

    fn account(user: &str, password: &str) -> Arc<Account> {
        Arc::new(Account {
            label: "default".to_owned(),
            provisioning: Provisioning {
                enabled: true,
                user: user.to_owned(),
                password: Secret::new(password),
                generation: 0,
                former: None,
            },
            time_zone: "Europe/Berlin".to_owned(),
            time_server: "pool.ntp.org".to_owned(),
            base: BaseSettings::MANAGE,
            polling_window: (180, 300),
            first_contact: FirstContact::Open,
            image_limits: Default::default(),
            admission: AdmissionSettings::default(),
            software: SoftwareSettings::default(),
            revision: 0,
            log_days: None,
            created_at: Timestamp::UNIX_EPOCH,
        })
    }

    const SHARED: Proof = Proof::Shared(SharedPassword { generation: 0, is_former: false });

    /// One device has a password of its own, of generation 3.
    fn judge(gate: &Gate, headers: &HeaderMap, account: &Arc<Account>) -> Proof {
        gate.judge(headers, account, |key, is_shown| {
            (key.to_string() == "0004f2aa0001" && is_shown(&Secret::new("its-own"))).then_some(3)
        })
    }

    fn headers(value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, HeaderValue::from_str(value).expect("a header value"));
        headers
    }

    fn sent(user_and_password: &str) -> HeaderMap {
        headers(&format!("Basic {}", STANDARD.encode(user_and_password)))
    }

    #[test]
    fn only_the_whole_pair_is_right() {
        let (gate, account) = (Gate::new([7; 32]), account("phones", "s3cret"));
        assert_eq!(judge(&gate, &sent("phones:s3cret"), &account), SHARED);
        assert_eq!(judge(&gate, &headers("bAsIC  cGhvbmVzOnMzY3JldA== "), &account), SHARED);
        for wrong in ["phones:s3cre", "phones:s3cret ", "Phones:s3cret", "phones", ":", "", "phones:s3cret\0"] {
            assert_eq!(judge(&gate, &sent(wrong), &account), Proof::Wrong, "{wrong}");
        }
        for other in ["Basic", "Basic !", "Bearer cGhvbmVzOnMzY3JldA==", "Digest username=\"phones\"", ""] {
            assert_eq!(judge(&gate, &headers(other), &account), Proof::Wrong, "{other}");
        }
        assert_eq!(judge(&gate, &HeaderMap::new(), &account), Proof::Missing);
    }

    #[test]
    fn a_new_password_counts_at_once_and_the_former_no_longer() {
        let gate = Gate::new([7; 32]);
        assert_eq!(judge(&gate, &sent("phones:old"), &account("phones", "old")), SHARED);
        let changed = account("phones", "new");
        assert_eq!(judge(&gate, &sent("phones:old"), &changed), Proof::Wrong);
        assert_eq!(judge(&gate, &sent("phones:new"), &changed), SHARED);
    }

    #[test]
    fn phn_02_an_account_without_credentials_lets_nobody_in() {
        let (gate, unset) = (Gate::new([7; 32]), account("", ""));
        for guess in [":", "PlcmSpIp:PlcmSpIp", "admin:admin", ""] {
            assert_eq!(judge(&gate, &sent(guess), &unset), Proof::Wrong, "{guess}");
        }
    }

    #[test]
    fn each_kind_of_credentials_is_told_apart() {
        let gate = Gate::new([7; 32]);
        let mut account = account("phones", "new");
        let former = FormerCredentials {
            user: "phones".to_owned(),
            password: Secret::new("old"),
            generation: 4,
            replaced_at: Timestamp::UNIX_EPOCH,
        };
        let provisioning = &mut Arc::make_mut(&mut account).provisioning;
        (provisioning.generation, provisioning.former) = (5, Some(former));
        let told = |pair: &str| judge(&gate, &sent(pair), &account);
        assert_eq!(told("phones:new"), Proof::Shared(SharedPassword { generation: 5, is_former: false }));
        assert_eq!(told("phones:old"), Proof::Shared(SharedPassword { generation: 4, is_former: true }));
        assert_eq!(told("PlcmSpIp:PlcmSpIp"), Proof::FactoryDefault);
        let key: DeviceKey = "0004f2aa0001".parse().expect("a MAC");
        assert_eq!(told("0004f2aa0001:its-own"), Proof::Own(key.clone(), 3));
        assert_eq!(told("0004F2AA0001:its-own"), Proof::Own(key, 3));
        for wrong in ["0004f2aa0002:its-own", "0004f2aa0001:other", "PlcmSpIp:plcmspip", "0004f2aa0001:"] {
            assert_eq!(told(wrong), Proof::Wrong, "{wrong}");
        }
    }

    #[test]
    fn the_factory_default_is_shared_where_an_admin_made_it_so() {
        let (gate, account) = (Gate::new([7; 32]), account("PlcmSpIp", "PlcmSpIp"));
        assert_eq!(judge(&gate, &sent("PlcmSpIp:PlcmSpIp"), &account), SHARED);
    }
}
