//! Imports that somebody looks at and has not accepted yet. They are kept here and not in the page: a configuration file is
//! large and full of secrets. Bounded in number and time; a restart forgets them. Of one that was accepted its log stays for the same
//! time, under the same word.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use rand::RngExt;

use super::import_log::ImportLog;
use crate::domain::ids::{ProfileId, UserId};

/// How long an import waits for its decision.
pub const WAITS: SignedDuration = SignedDuration::from_mins(30);
/// Imports that wait at a time; the oldest makes room.
const AT_MOST: usize = 16;
/// Bytes of all of them together.
const BYTES_AT_MOST: usize = 64 * 1024 * 1024;

/// An import that waits.
#[derive(Clone, Debug)]
pub struct Pending {
    /// Who sent it: nobody else may see or accept it.
    pub user: UserId,
    /// What it is meant for.
    pub into: Into,
    /// The revision of the profile that it was compared with when it was shown.
    pub revision: u64,
    /// What it is called: a file's name, or *The pasted text*.
    pub source: String,
    /// The file.
    pub bytes: Arc<[u8]>,
    /// When it came.
    pub at: Timestamp,
}

/// What a file is to be taken into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Into {
    /// A profile.
    Profile(ProfileId),
    /// The sites.
    Sites,
    /// The devices.
    Devices,
    /// The schemas: the file is packed.
    Schema,
    /// Lines of devices: what was typed.
    Lines,
    /// Many profiles at once.
    Profiles,
    /// Files for devices: what was sent, and for whom.
    DeviceFiles,
}

/// What is left of an import that was accepted.
#[derive(Clone, Debug)]
struct Done {
    user: UserId,
    into: Into,
    log: Arc<ImportLog>,
    bytes: usize,
}

/// All imports that wait, and the logs of those that were accepted.
#[derive(Debug, Default)]
pub struct PendingImports(Mutex<HashMap<String, Pending>>, Mutex<HashMap<String, Done>>);

impl PendingImports {
    /// Keeps an import and answers the word that finds it again; nobody can guess it.
    pub fn put(&self, pending: Pending) -> String {
        let token = hex::encode(rand::rng().random::<[u8; 16]>());
        let mut all = self.0.lock();
        all.retain(|_, one| !is_over(one, pending.at));
        let bytes = |all: &HashMap<String, Pending>| all.values().map(|one| one.bytes.len()).sum::<usize>();
        while all.len() >= AT_MOST || (!all.is_empty() && bytes(&all) + pending.bytes.len() > BYTES_AT_MOST) {
            let oldest = all.iter().min_by_key(|(_, one)| one.at).map(|(token, _)| token.clone());
            oldest.and_then(|token| all.remove(&token));
        }
        all.insert(token.clone(), pending);
        token
    }

    /// The import of this word, if it is this person's, meant for this, and not over.
    pub fn get(&self, token: &str, user: UserId, into: Into, now: Timestamp) -> Option<Pending> {
        let all = self.0.lock();
        all.get(token).filter(|one| one.user == user && one.into == into && !is_over(one, now)).cloned()
    }

    /// Notes that it is shown against another revision now.
    pub fn shown_with(&self, token: &str, revision: u64) {
        if let Some(one) = self.0.lock().get_mut(token) {
            one.revision = revision;
        }
    }

    /// Puts the log of an import in its place: it was accepted.
    pub fn finish(&self, token: &str, log: ImportLog) {
        let Some(Pending { user, into, .. }) = self.0.lock().remove(token) else { return };
        let (now, size) = (log.at, log.bytes());
        let mut all = self.1.lock();
        all.retain(|_, one| now.duration_since(one.log.at) <= WAITS);
        let bytes = |all: &HashMap<String, Done>| all.values().map(|one| one.bytes).sum::<usize>();
        while all.len() >= AT_MOST || (!all.is_empty() && bytes(&all) + size > BYTES_AT_MOST) {
            let oldest = all.iter().min_by_key(|(_, one)| one.log.at).map(|(token, _)| token.clone());
            oldest.and_then(|token| all.remove(&token));
        }
        all.insert(token.to_owned(), Done { user, into, log: Arc::new(log), bytes: size });
    }

    /// The log of an import that was accepted, under the conditions of [`PendingImports::get`].
    pub fn log(&self, token: &str, user: UserId, into: Into, now: Timestamp) -> Option<Arc<ImportLog>> {
        let all = self.1.lock();
        let found = all.get(token).filter(|one| one.user == user && one.into == into);
        found.filter(|one| now.duration_since(one.log.at) <= WAITS).map(|one| Arc::clone(&one.log))
    }

    /// Forgets an import.
    pub fn remove(&self, token: &str) {
        self.0.lock().remove(token);
    }
}

fn is_over(one: &Pending, now: Timestamp) -> bool {
    now.duration_since(one.at) > WAITS
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEVEN: Into = Into::Profile(ProfileId(7));

    fn pending(second: i64) -> Pending {
        let at = Timestamp::from_second(second).expect("a time");
        let (user, into) = (UserId(1), SEVEN);
        Pending { user, into, revision: 1, source: "a.cfg".to_owned(), bytes: Arc::from(*b"<a/>"), at }
    }

    #[test]
    fn an_import_is_found_by_its_owner_for_its_profile_until_it_is_over() {
        let (imports, start) = (PendingImports::default(), pending(0).at);
        let token = imports.put(pending(0));
        assert!(imports.get(&token, UserId(1), SEVEN, start + WAITS).is_some());
        assert!(imports.get(&token, UserId(2), SEVEN, start).is_none());
        assert!(imports.get(&token, UserId(1), Into::Sites, start).is_none());
        assert!(imports.get("00", UserId(1), SEVEN, start).is_none());
        assert!(imports.get(&token, UserId(1), SEVEN, start + WAITS + SignedDuration::from_secs(1)).is_none());
    }

    #[test]
    fn of_an_accepted_import_its_log_stays_for_its_owner() {
        let (imports, start) = (PendingImports::default(), pending(0).at);
        let token = imports.put(pending(0));
        let log = |second: i64| ImportLog {
            source: "a.csv".to_owned(),
            who: "ada".to_owned(),
            at: Timestamp::from_second(second).expect("a time"),
            outcome: String::new(),
            rows: Vec::new(),
        };
        assert!(imports.log(&token, UserId(1), SEVEN, start).is_none(), "it waits");
        imports.finish(&token, log(0));
        assert!(imports.get(&token, UserId(1), SEVEN, start).is_none());
        assert!(imports.log(&token, UserId(1), SEVEN, start + WAITS).is_some_and(|found| found.source == "a.csv"));
        assert!(
            imports.log(&token, UserId(2), SEVEN, start).is_none()
                && imports.log(&token, UserId(1), Into::Sites, start).is_none()
        );
        assert!(imports.log(&token, UserId(1), SEVEN, start + WAITS + SignedDuration::from_secs(1)).is_none());
        imports.finish("00", log(0));
        assert!(imports.log("00", UserId(1), SEVEN, start).is_none(), "nothing waited under that word");
        for second in 1..=AT_MOST as i64 {
            let next = imports.put(pending(second));
            imports.finish(&next, log(second));
        }
        assert!(imports.log(&token, UserId(1), SEVEN, start).is_none(), "the oldest makes room");
    }

    #[test]
    fn the_oldest_makes_room() {
        let imports = PendingImports::default();
        let tokens: Vec<String> = (0..=AT_MOST as i64).map(|second| imports.put(pending(second))).collect();
        let is_kept = |token: &String| imports.get(token, UserId(1), SEVEN, pending(20).at).is_some();
        assert!(!is_kept(&tokens[0]) && tokens[1..].iter().all(is_kept));
        let large = Pending { bytes: vec![0; BYTES_AT_MOST].into(), ..pending(30) };
        let large = imports.put(large);
        assert!(is_kept(&large) && !tokens.iter().any(is_kept), "one of the largest size leaves no room for others");
    }
}
