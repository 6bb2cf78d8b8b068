//! The shared credentials at the phones' door: HTTP Basic (RFC 7617), the same answer and the same work for everybody who
//! has not got them (contract 4, P1, P2).

use std::sync::Arc;

use actix_web::http::header::{AUTHORIZATION, HeaderMap};
use arc_swap::ArcSwapOption;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

use crate::domain::account::Account;

/// Longest `Authorization` header that is looked at; user name and password are far shorter.
const HEADER_BYTES: usize = 1_024;

/// What a request's `Authorization` header is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// There is none: phones ask once without.
    Missing,
    /// It is not the account's user name and password.
    Wrong,
    /// It is.
    Right,
}

/// Compares credentials by keyed hash, so that neither time nor memory tells how much of a guess was right.
pub struct Gate {
    key: [u8; 32],
    expected: ArcSwapOption<Expected>,
}

/// The hash of what an account expects. It is made anew when the account's settings are replaced.
struct Expected {
    account: Arc<Account>,
    hash: [u8; 32],
}

impl Gate {
    /// A gate with a key that nobody else knows.
    pub fn new(key: [u8; 32]) -> Self {
        Self { key, expected: ArcSwapOption::empty() }
    }

    /// Judges a request's credentials. No slow hash and no database: phones send them with every request.
    pub fn judge(&self, headers: &HeaderMap, account: &Arc<Account>) -> Proof {
        let Some(header) = headers.get(AUTHORIZATION) else { return Proof::Missing };
        let told = basic(header.as_bytes()).unwrap_or_default();
        let right = bool::from(self.hash(&told).ct_eq(&self.expected_by(account)));
        // Without a user name the account was never set up: then nothing is right, not even nothing.
        if right && !account.provisioning.user.is_empty() { Proof::Right } else { Proof::Wrong }
    }

    fn expected_by(&self, account: &Arc<Account>) -> [u8; 32] {
        if let Some(expected) = &*self.expected.load()
            && Arc::ptr_eq(&expected.account, account)
        {
            return expected.hash;
        }
        let provisioning = &account.provisioning;
        let hash = self.hash(format!("{}:{}", provisioning.user, provisioning.password.expose()).as_bytes());
        self.expected.store(Some(Arc::new(Expected { account: Arc::clone(account), hash })));
        hash
    }

    fn hash(&self, text: &[u8]) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("HMAC takes a key of any length");
        mac.update(text);
        mac.finalize().into_bytes().into()
    }
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
    use crate::domain::account::{BaseSettings, FirstContact, Provisioning, Secret};

    fn account(user: &str, password: &str) -> Arc<Account> {
        Arc::new(Account {
            label: "default".to_owned(),
            provisioning: Provisioning { enabled: true, user: user.to_owned(), password: Secret::new(password) },
            time_zone: "Europe/Berlin".to_owned(),
            time_server: "pool.ntp.org".to_owned(),
            base: BaseSettings::MANAGE,
            polling_window: (180, 300),
            first_contact: FirstContact::Open,
            revision: 0,
            created_at: Timestamp::UNIX_EPOCH,
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
        assert_eq!(gate.judge(&sent("phones:s3cret"), &account), Proof::Right);
        assert_eq!(gate.judge(&headers("bAsIC  cGhvbmVzOnMzY3JldA== "), &account), Proof::Right);
        for wrong in ["phones:s3cre", "phones:s3cret ", "Phones:s3cret", "phones", ":", "", "phones:s3cret\0"] {
            assert_eq!(gate.judge(&sent(wrong), &account), Proof::Wrong, "{wrong}");
        }
        for other in ["Basic", "Basic !", "Bearer cGhvbmVzOnMzY3JldA==", "Digest username=\"phones\"", ""] {
            assert_eq!(gate.judge(&headers(other), &account), Proof::Wrong, "{other}");
        }
        assert_eq!(gate.judge(&HeaderMap::new(), &account), Proof::Missing);
    }

    #[test]
    fn a_new_password_counts_at_once_and_the_former_no_longer() {
        let gate = Gate::new([7; 32]);
        assert_eq!(gate.judge(&sent("phones:old"), &account("phones", "old")), Proof::Right);
        let changed = account("phones", "new");
        assert_eq!(gate.judge(&sent("phones:old"), &changed), Proof::Wrong);
        assert_eq!(gate.judge(&sent("phones:new"), &changed), Proof::Right);
    }

    #[test]
    fn phn_02_an_account_without_credentials_lets_nobody_in() {
        let (gate, unset) = (Gate::new([7; 32]), account("", ""));
        for guess in [":", "PlcmSpIp:PlcmSpIp", "admin:admin", ""] {
            assert_eq!(gate.judge(&sent(guess), &unset), Proof::Wrong, "{guess}");
        }
    }
}
