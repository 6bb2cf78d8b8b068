//! Credentials and admin passwords of single devices: derived from the key file, the device and a generation number, so that
//! nothing that was handed out can be lost by a crash (contract 4).

use crate::domain::account::Secret;
use crate::domain::device::DeviceKey;
use crate::domain::ids::AccountId;

use super::Services;
use super::secrets::Secrets;
use super::trusts::Book;
use crate::domain::credential::{Channel, DeviceSecrets};

/// How many generations above ours are tried: they were handed out before we were restored from a copy.
const AHEAD: u32 = 8;
/// Characters of a device's password: 5 bits each (contract 4 asks for URL-safe ones).
const PASSWORD_CHARS: usize = 26;
/// Digits of a phone's admin password (contract 5.9).
const ADMIN_DIGITS: usize = 10;
/// Small letters and digits without those that look alike: a person may have to type them.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// The secrets of a device as it is served now.
pub fn of(services: &Services, account: AccountId, key: &DeviceKey) -> DeviceSecrets {
    let generation = services.trusts(account).of(key).generation;
    DeviceSecrets {
        // The user name of a device's own credentials is its key.
        user: key.to_string(),
        password: password(&services.secrets, account, key, generation),
        admin_password: admin_password(&services.secrets, account, key, generation),
    }
}

/// How a device's files travelled last: what it gets depends on it.
pub fn channel_of(services: &Services, account: AccountId, key: &DeviceKey) -> Channel {
    channel_in(&services.trusts(account), key)
}

/// The same, where what is known of the account's keys is at hand.
pub fn channel_in(trusts: &Book, key: &DeviceKey) -> Channel {
    if trusts.of(key).clear_text { Channel::ClearText } else { Channel::Tls }
}

/// The password of a device's own credentials.
pub fn password(secrets: &Secrets, account: AccountId, key: &DeviceKey, generation: u32) -> Secret {
    let bytes = derived(secrets, "device credentials", account, key, generation);
    let letters = bytes.iter().take(PASSWORD_CHARS).map(|byte| char::from(ALPHABET[usize::from(byte % 32)]));
    Secret::new(letters.collect::<String>())
}

/// The admin password of a phone. Ten digits; the bias of taking them from 64 bits is below one in 10⁹.
pub fn admin_password(secrets: &Secrets, account: AccountId, key: &DeviceKey, generation: u32) -> Secret {
    let bytes = derived(secrets, "admin password", account, key, generation);
    let number = u64::from_be_bytes(*bytes.first_chunk().expect("a hash has 32 bytes"));
    Secret::new(format!("{:0ADMIN_DIGITS$}", number % 10u64.pow(ADMIN_DIGITS as u32)))
}

/// The generation of a device's password that `is_shown`, if one is: the present one first, which is the usual case, then those from
/// the oldest that opens to a few above. What is wrong takes the same time for every key, known or not.
pub fn generation_of(
    services: &Services,
    account: AccountId,
    key: &DeviceKey,
    is_shown: impl Fn(&Secret) -> bool,
) -> Option<u32> {
    let trust = services.trusts(account).of(key);
    generation_among(&services.secrets, account, key, trust.oldest_generation, trust.generation, is_shown)
}

fn generation_among(
    secrets: &Secrets,
    account: AccountId,
    key: &DeviceKey,
    oldest: u32,
    present: u32,
    is_shown: impl Fn(&Secret) -> bool,
) -> Option<u32> {
    let others = (oldest..present).rev().chain(present + 1..=present.saturating_add(AHEAD));
    std::iter::once(present).chain(others).find(|generation| is_shown(&password(secrets, account, key, *generation)))
}

fn derived(secrets: &Secrets, purpose: &str, account: AccountId, key: &DeviceKey, generation: u32) -> [u8; 32] {
    secrets.derived_bytes(purpose, &format!("{account}/{key}/{generation}"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::domain::ids::DEFAULT_ACCOUNT;

    fn key(text: &str) -> DeviceKey {
        text.parse().expect("a device key")
    }

    #[test]
    fn each_device_and_generation_has_its_own_and_they_stay_the_same() {
        let secrets = Secrets::of_tests(7);
        let of = |mac: &str, generation| password(&secrets, DEFAULT_ACCOUNT, &key(mac), generation).expose().to_owned();
        let different = BTreeSet::from([of("0004f2aa0001", 0), of("0004f2aa0002", 0), of("0004f2aa0001", 1)]);
        assert_eq!(different.len(), 3);
        assert_eq!(of("0004f2aa0001", 0), of("0004f2aa0001", 0));
        assert!(different.iter().all(|one| one.len() == 26 && one.bytes().all(|b| ALPHABET.contains(&b))), "{different:?}");
        let other_key_file = password(&Secrets::of_tests(8), DEFAULT_ACCOUNT, &key("0004f2aa0001"), 0);
        assert!(!different.contains(other_key_file.expose()));
    }

    #[test]
    fn admin_passwords_are_ten_digits() {
        let secrets = Secrets::of_tests(7);
        for generation in 0..50 {
            let password = admin_password(&secrets, DEFAULT_ACCOUNT, &key("0004f2aa0001"), generation);
            assert!(password.expose().len() == 10 && password.expose().bytes().all(|b| b.is_ascii_digit()));
        }
    }

    #[test]
    fn a_password_tells_its_generation_within_what_opens() {
        let secrets = Secrets::of_tests(7);
        let device = key("0004f2aa0001");
        let presented = |generation| password(&secrets, DEFAULT_ACCOUNT, &device, generation);
        let of = |shown: Secret| generation_among(&secrets, DEFAULT_ACCOUNT, &device, 2, 3, |password| *password == shown);
        let told = |generation: u32| of(presented(generation));
        assert_eq!((told(1), told(2), told(3), told(11), told(12)), (None, Some(2), Some(3), Some(11), None));
        let of_another = password(&secrets, DEFAULT_ACCOUNT, &key("0004f2aa0002"), 2);
        assert_eq!(of(of_another), None);
    }
}
