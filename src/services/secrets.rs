//! Secrets at rest: sealed with a key that lies outside the database, so that a copy of the database opens none.
//!
//! One random key in the key file; a key for each purpose is derived from it. A sealed text carries the number of its form and is
//! bound to the row and field it belongs to: moved elsewhere it does not open.
//!
//! Two of the derived keys are roots: what was handed out stands on them, so they outlive the key file that they came from. Once
//! another key file took its place, they are kept sealed among the server's settings.

use std::io::Write as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac as _};
use rand::RngExt as _;
use sha2::Sha256;
use subtle::ConstantTimeEq as _;
use zeroize::{Zeroize as _, Zeroizing};

use crate::domain::account::{Account, Secret};
use crate::domain::ids::AccountId;
use crate::domain::parameter::{ParameterSet, masked};
use crate::domain::profile::Profile;

const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 24;
/// Number of the form of what is sealed. There is one key at a time, whatever its number would be.
const FORM: u8 = 1;
/// Where the roots are sealed for.
const ROOTS: &str = "server, roots";
/// What a sealed text begins with. An open text that begins so is sealed too, so that the two are never mistaken.
const SEALED: &str = "pdms-sealed:";
/// What sealed content begins with.
const SEALED_CONTENT: &[u8] = b"pdms-sealed-content\0";
/// What the key file begins with.
const KEY_FILE: &str = "pdms-key-1 ";

/// Seals, opens and compares secrets.
pub struct Secrets {
    master: Zeroizing<[u8; KEY_BYTES]>,
    cipher: XChaCha20Poly1305,
    comparing: Zeroizing<[u8; KEY_BYTES]>,
    /// Root of what is handed out to devices.
    issuing: Zeroizing<[u8; KEY_BYTES]>,
    /// Root of the hashes that stand in rows.
    naming: Zeroizing<[u8; KEY_BYTES]>,
}

/// The key file and what it should open do not go together.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// There is state but no key file.
    #[error("the key file {} is missing: without it the stored secrets cannot be opened; restore it from a backup", .0.display())]
    Missing(std::path::PathBuf),
    /// The key file holds something else.
    #[error("{} is not a key file of pdms; restore it from a backup", .0.display())]
    NoKey(std::path::PathBuf),
    /// A sealed value does not open.
    #[error("a stored secret ({0}) does not open with this key file; restore database and key file from the same backup")]
    Foreign(String),
    /// The key file cannot be read or written.
    #[error("cannot read or write the key file {}", path.display())]
    File {
        /// The key file.
        path: std::path::PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// Whether a key file may be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyFile {
    /// Nothing is stored yet.
    MayBeMade,
    /// Something is stored that may need it.
    MustExist,
}

impl Secrets {
    /// Reads the key file, or makes it where nothing is stored yet.
    pub fn open(path: &Path, file: KeyFile) -> Result<Self, SecretError> {
        let failed = |source| SecretError::File { path: path.to_owned(), source };
        let text = match std::fs::read_to_string(path) {
            Ok(text) => Zeroizing::new(text),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound && file == KeyFile::MayBeMade => {
                make_key_file(path).map_err(failed)?
            }
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Err(SecretError::Missing(path.to_owned())),
            Err(e) if e.kind() == std::io::ErrorKind::InvalidData => return Err(SecretError::NoKey(path.to_owned())),
            Err(e) => return Err(failed(e)),
        };
        Self::of_key_file(path, &text)
    }

    /// With the key that a key file of that name holds.
    ///
    /// # Errors
    /// [`SecretError::NoKey`].
    pub fn of_key_file(path: &Path, text: &str) -> Result<Self, SecretError> {
        let encoded = text.trim().strip_prefix(KEY_FILE.trim_end()).unwrap_or_default().trim();
        let bytes = Zeroizing::new(BASE64.decode(encoded).unwrap_or_default());
        let master: [u8; KEY_BYTES] = bytes.as_slice().try_into().map_err(|_| SecretError::NoKey(path.to_owned()))?;
        Ok(Self::from_master(Zeroizing::new(master)))
    }

    fn from_master(master: Zeroizing<[u8; KEY_BYTES]>) -> Self {
        let sealing = derive(&master, "seal");
        let comparing = derive(&master, "compare");
        let issuing = derive(&master, "issue");
        let naming = comparing.clone();
        let cipher = XChaCha20Poly1305::new((&*sealing).into());
        Self { master, cipher, comparing, issuing, naming }
    }

    /// Makes another key file, and answers its secrets. The roots stay as they are.
    ///
    /// # Errors
    /// [`SecretError::File`], also where there is a file of that name.
    pub fn renewed(&self, path: &Path) -> Result<Self, SecretError> {
        make_key_file(path).map_err(|source| SecretError::File { path: path.to_owned(), source })?;
        let other = Self::open(path, KeyFile::MustExist)?;
        Ok(Self { issuing: self.issuing.clone(), naming: self.naming.clone(), ..other })
    }

    /// The roots, sealed for a row.
    pub fn sealed_roots(&self) -> Secret {
        let both = Zeroizing::new([*self.issuing, *self.naming].concat());
        Secret::new(self.seal(ROOTS, &Zeroizing::new(BASE64.encode(&*both))))
    }

    /// The same with roots from a row, where another key file took the first one's place.
    ///
    /// # Errors
    /// [`SecretError::Foreign`] where they were sealed with another key.
    pub fn with_roots(mut self, sealed: Option<&Secret>) -> Result<Self, SecretError> {
        let Some(sealed) = sealed else { return Ok(self) };
        let opened = Zeroizing::new(self.open_text(ROOTS, sealed.expose())?);
        let both = Zeroizing::new(BASE64.decode(&*opened).unwrap_or_default());
        let foreign = || SecretError::Foreign(ROOTS.to_owned());
        let (issuing, naming) = both.split_first_chunk::<KEY_BYTES>().ok_or_else(foreign)?;
        self.issuing = Zeroizing::new(*issuing);
        self.naming = Zeroizing::new(naming.try_into().map_err(|_| foreign())?);
        Ok(self)
    }

    /// A key of its own for another purpose, such as signing cookies: the same at each start.
    pub fn derived_key(&self, purpose: &str) -> Zeroizing<[u8; 32]> {
        derive(&self.master, purpose)
    }

    /// Bytes for one thing, told by a purpose and a name: the same at each start, also with another key file, and nobody can
    /// guess them without it.
    pub fn derived_bytes(&self, purpose: &str, name: &str) -> [u8; 32] {
        mac(&self.issuing, format!("{purpose}/{name}").as_bytes())
    }

    /// Whether these open what the others seal.
    pub fn has_key_of(&self, other: &Self) -> bool {
        self.master.ct_eq(&*other.master).into()
    }

    /// With a key that everybody knows.
    #[cfg(test)]
    pub(crate) fn of_tests(byte: u8) -> Self {
        Self::from_master(Zeroizing::new([byte; KEY_BYTES]))
    }

    /// Seals a text for one place, named by table, key and field.
    pub fn seal(&self, place: &str, text: &str) -> String {
        format!("{SEALED}{}", BASE64.encode(self.sealed(place, text.as_bytes())))
    }

    /// Seals the content of a file for one place.
    pub fn seal_bytes(&self, place: &str, content: &[u8]) -> Vec<u8> {
        [SEALED_CONTENT, &self.sealed(place, content)].concat()
    }

    /// Number of the form, nonce, and sealed bytes.
    fn sealed(&self, place: &str, bytes: &[u8]) -> Vec<u8> {
        let nonce: [u8; NONCE_BYTES] = rand::random();
        let payload = Payload { msg: bytes, aad: place.as_bytes() };
        let sealed = self.cipher.encrypt(&XNonce::from(nonce), payload).expect("sealing fails only above 256 GiB");
        [&[FORM], &nonce[..], &sealed].concat()
    }

    /// What another key sealed for this place, or a text that never was, sealed with this one.
    ///
    /// # Errors
    /// [`SecretError::Foreign`] where the other key does not open it.
    pub fn reseal(&self, other: &Self, place: &str, text: &str) -> Result<String, SecretError> {
        Ok(self.seal(place, &Zeroizing::new(other.open_text(place, text)?)))
    }

    /// Opens what was sealed for this place. A text that was never sealed is answered as it is.
    pub fn open_text(&self, place: &str, text: &str) -> Result<String, SecretError> {
        let Some(encoded) = text.strip_prefix(SEALED) else { return Ok(text.to_owned()) };
        let foreign = || SecretError::Foreign(place.to_owned());
        let opened = self.opened(place, &BASE64.decode(encoded).map_err(|_| foreign())?)?;
        String::from_utf8(opened).map_err(|e| {
            e.into_bytes().zeroize();
            foreign()
        })
    }

    /// Opens content that was sealed for this place. Content that was never sealed is answered as it is.
    pub fn open_bytes(&self, place: &str, content: Vec<u8>) -> Result<Vec<u8>, SecretError> {
        match content.strip_prefix(SEALED_CONTENT) {
            Some(sealed) => self.opened(place, sealed),
            None => Ok(content),
        }
    }

    fn opened(&self, place: &str, bytes: &[u8]) -> Result<Vec<u8>, SecretError> {
        let foreign = || SecretError::Foreign(place.to_owned());
        let (&form, rest) = bytes.split_first().ok_or_else(foreign)?;
        let (nonce, sealed) = rest.split_first_chunk::<NONCE_BYTES>().ok_or_else(foreign)?;
        if form != FORM {
            return Err(foreign());
        }
        let payload = Payload { msg: sealed, aad: place.as_bytes() };
        self.cipher.decrypt(&XNonce::from(*nonce), payload).map_err(|_| foreign())
    }

    /// An account as it is stored.
    pub fn seal_account(&self, id: AccountId, account: &Account) -> Account {
        let mut stored = account.clone();
        let provisioning = &mut stored.provisioning;
        provisioning.password = Secret::new(self.seal(&password_place(id), provisioning.password.expose()));
        if let Some(former) = &mut provisioning.former {
            former.password = Secret::new(self.seal(&former_place(id), former.password.expose()));
        }
        stored
    }

    /// An account as it is worked with.
    pub fn open_account(&self, id: AccountId, mut stored: Account) -> Result<Account, SecretError> {
        let provisioning = &mut stored.provisioning;
        provisioning.password = Secret::new(self.open_text(&password_place(id), provisioning.password.expose())?);
        if let Some(former) = &mut provisioning.former {
            former.password = Secret::new(self.open_text(&former_place(id), former.password.expose())?);
        }
        Ok(stored)
    }

    /// A profile as it is stored: values that hold a secret sealed.
    pub fn seal_profile(&self, account: AccountId, profile: &Profile) -> Profile {
        let mut stored = profile.clone();
        for (name, value) in profile.parameters.iter() {
            if masked(name.as_str(), value) != **value || value.starts_with(SEALED) {
                stored.parameters.insert(name.clone(), self.seal(&value_place(account, profile, name.as_str()), value));
            }
        }
        stored
    }

    /// A profile as it is worked with.
    pub fn open_profile(&self, account: AccountId, mut stored: Profile) -> Result<Profile, SecretError> {
        let mut opened = ParameterSet::new();
        for (name, value) in stored.parameters.iter().filter(|(_, value)| value.starts_with(SEALED)) {
            opened.insert(name.clone(), self.open_text(&value_place(account, &stored, name.as_str()), value)?);
        }
        for (name, value) in opened.iter() {
            stored.parameters.insert(name.clone(), std::sync::Arc::clone(value));
        }
        Ok(stored)
    }

    /// A keyed hash of a text that someone presented or that we expect, for memory and for what may end with the key file.
    pub fn keyed_hash(&self, text: &str) -> [u8; 32] {
        mac(&self.comparing, text.as_bytes())
    }

    /// A keyed hash that may stand in a row: the same also with another key file.
    pub fn stored_hash(&self, text: &str) -> [u8; 32] {
        mac(&self.naming, text.as_bytes())
    }

    /// Whether two texts are equal, in a time that depends on neither (contract 4).
    pub fn same(&self, presented: &str, expected: &str) -> bool {
        self.keyed_hash(presented).ct_eq(&self.keyed_hash(expected)).into()
    }
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets(…)")
    }
}

/// A random text of letters and digits that can stand in a URL; of the letters and digits that look alike, none.
pub fn random_text(chars: usize) -> String {
    const ALPHABET: &[u8] = b"abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    let mut rng = rand::rng();
    (0..chars).map(|_| char::from(ALPHABET[rng.random_range(0..ALPHABET.len())])).collect()
}

fn make_key_file(path: &Path) -> std::io::Result<Zeroizing<String>> {
    let mut key: Zeroizing<[u8; KEY_BYTES]> = Zeroizing::new([0; KEY_BYTES]);
    rand::rng().fill(&mut *key);
    let text = Zeroizing::new(format!("{KEY_FILE}{}\n", BASE64.encode(*key)));
    let folder = path.parent().ok_or_else(|| std::io::Error::other("the path has no folder"))?;
    // Temporary files of this library are made with mode 0600.
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist_noclobber(path)?;
    std::fs::File::open(folder)?.sync_all()?;
    Ok(text)
}

fn derive(master: &[u8; KEY_BYTES], purpose: &str) -> Zeroizing<[u8; KEY_BYTES]> {
    Zeroizing::new(mac(master, format!("pdms/{purpose}").as_bytes()))
}

fn mac(key: &[u8; KEY_BYTES], text: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("this hash takes keys of any length");
    mac.update(text);
    mac.finalize().into_bytes().into()
}

fn password_place(account: AccountId) -> String {
    format!("account {account}, shared credentials")
}

fn former_place(account: AccountId) -> String {
    format!("account {account}, former shared credentials")
}

fn value_place(account: AccountId, profile: &Profile, name: &str) -> String {
    format!("account {account}, profile {}, {name}", profile.id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets() -> Secrets {
        Secrets::from_master(Zeroizing::new([7; KEY_BYTES]))
    }

    #[test]
    fn a_sealed_text_opens_in_its_own_place_only() {
        let secrets = secrets();
        let sealed = secrets.seal("here", "Grüße\n");
        assert_eq!(secrets.open_text("here", &sealed).ok().as_deref(), Some("Grüße\n"));
        assert!(secrets.open_text("there", &sealed).is_err());
        assert_ne!(sealed, secrets.seal("here", "Grüße\n"), "equal texts do not look equal");
    }

    #[test]
    fn a_changed_sealed_text_does_not_open() {
        let secrets = secrets();
        let sealed = secrets.seal("here", "text");
        for cut in [SEALED.len(), SEALED.len() + 4, sealed.len() - 2] {
            assert!(secrets.open_text("here", &sealed[..cut]).is_err(), "{cut}");
        }
        let other = Secrets::from_master(Zeroizing::new([8; KEY_BYTES]));
        assert!(other.open_text("here", &sealed).is_err());
    }

    #[test]
    fn a_value_that_looks_sealed_comes_back_as_it_was() {
        let secrets = secrets();
        let profile = crate::domain::testing::profile(1, &[("a.b", "pdms-sealed:of the admin's own")]);
        let stored = secrets.seal_profile(AccountId(1), &profile);
        assert_eq!(secrets.open_profile(AccountId(1), stored).ok(), Some(profile));
    }

    #[test]
    fn sec_02_the_former_shared_password_is_sealed_too() {
        let mut account = crate::services::testing::account();
        account.provisioning.former = Some(crate::domain::account::FormerCredentials {
            user: "handsets".to_owned(),
            password: Secret::new("CANARY_FORMER"),
            generation: 0,
            replaced_at: account.created_at,
        });
        let stored = secrets().seal_account(AccountId(1), &account);
        assert!(!serde_json::to_string(&stored).expect("JSON").contains("CANARY"));
        assert_eq!(secrets().open_account(AccountId(1), stored).ok(), Some(account));
    }

    #[test]
    fn another_key_file_keeps_what_was_handed_out_and_opens_nothing_of_before() {
        let dir = tempfile::tempdir().expect("a folder");
        let (old, path) = (secrets(), dir.path().join("key"));
        let new = old.renewed(&path).expect("made");
        let reopened = || Secrets::open(&path, KeyFile::MustExist).expect("a key file");
        let same = reopened().with_roots(Some(&new.sealed_roots())).expect("its own roots");
        let handed_out = |secrets: &Secrets| (secrets.derived_bytes("a", "b"), secrets.stored_hash("c"));
        assert_eq!((handed_out(&new), handed_out(&same)), (handed_out(&old), handed_out(&old)));
        assert_ne!(handed_out(&reopened()), handed_out(&old), "but for the row");
        assert_ne!((new.keyed_hash("c"), new.derived_key("d")), (old.keyed_hash("c"), old.derived_key("d")));
        assert!(new.open_text("here", &old.seal("here", "text")).is_err());
        let resealed = new.reseal(&old, "here", &old.seal("here", "text")).expect("opened");
        assert!(same.open_text("here", &resealed).is_ok_and(|text| text == "text") && old.open_text("here", &resealed).is_err());
        assert!(reopened().with_roots(Some(&old.sealed_roots())).is_err());
        assert!(old.renewed(&path).is_err(), "no key file is written over");
    }

    #[test]
    fn keys_differ_by_purpose_and_stay_the_same() {
        let secrets = secrets();
        assert_ne!(secrets.derived_key("cookies"), secrets.derived_key("seal"));
        assert_eq!(secrets.derived_key("cookies"), super::tests::secrets().derived_key("cookies"));
    }

    #[test]
    fn texts_are_compared_whole() {
        let secrets = secrets();
        assert!(secrets.same("abc", "abc"));
        assert!(!secrets.same("abc", "abcd"));
        assert!(!secrets.same("", "abc"));
    }

    #[test]
    fn random_texts_can_stand_in_an_address_and_differ() {
        let (one, other) = (random_text(20), random_text(20));
        assert!(one.len() == 20 && one.bytes().all(|b| b.is_ascii_alphanumeric()));
        assert_ne!(one, other);
    }
}
