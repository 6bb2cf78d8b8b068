//! Forms whose person is being shown what they would do to devices (contract 5.15). They are kept here and not in the page, whatever
//! secrets they hold. In memory only, bounded in number, size and time; a restart forgets them, and nothing of them was done.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use rand::RngExt;

use crate::domain::ids::UserId;

/// How long a form waits.
pub const WAITS: SignedDuration = SignedDuration::from_mins(30);
/// Forms that wait at a time, and their bytes together; the oldest makes room.
const AT_MOST: usize = 256;
const BYTES: usize = 32 * 1024 * 1024;

/// A form that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Who sent it: nobody else goes on with it.
    pub owner: UserId,
    /// Where it was sent to.
    pub target: String,
    /// What was sent.
    pub body: Vec<u8>,
    /// When it came.
    pub at: Timestamp,
}

/// All forms that wait.
#[derive(Default)]
pub struct WaitingForms(Mutex<HashMap<String, Waiting>>);

/// What is in it may be secret.
impl std::fmt::Debug for WaitingForms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WaitingForms").finish_non_exhaustive()
    }
}

impl WaitingForms {
    /// Keeps a form and answers the word that finds it again; nobody can guess it.
    pub fn put(&self, form: Waiting) -> String {
        let word = hex::encode(rand::rng().random::<[u8; 16]>());
        let mut all = self.0.lock();
        all.retain(|_, one| !is_over(one, form.at));
        let bytes = |all: &HashMap<String, Waiting>| all.values().map(|one| one.body.len()).sum::<usize>();
        while all.len() >= AT_MOST || (!all.is_empty() && bytes(&all) + form.body.len() > BYTES) {
            let oldest = all.iter().min_by_key(|(_, one)| one.at).map(|(word, _)| word.clone());
            oldest.and_then(|word| all.remove(&word));
        }
        all.insert(word.clone(), form);
        word
    }

    /// The form of this word, if this person sent it to this address and it is not over.
    pub fn get(&self, word: &str, owner: UserId, target: &str, now: Timestamp) -> Option<Waiting> {
        let is_it = |one: &&Waiting| one.owner == owner && one.target == target && !is_over(one, now);
        self.0.lock().get(word).filter(is_it).cloned()
    }
}

fn is_over(one: &Waiting, now: Timestamp) -> bool {
    now.duration_since(one.at) > WAITS
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADA: UserId = UserId(1);
    const TARGET: &str = "/admin/profiles/7/parameters";

    fn waiting(second: i64, bytes: usize) -> Waiting {
        let at = Timestamp::from_second(1_800_000_000 + second).expect("a time");
        Waiting { owner: ADA, target: TARGET.to_owned(), body: vec![b'x'; bytes], at }
    }

    #[test]
    fn a_form_waits_for_its_person_at_its_address_for_half_an_hour() {
        let forms = WaitingForms::default();
        let word = forms.put(waiting(0, 3));
        assert_eq!(forms.get(&word, ADA, TARGET, waiting(1_800, 0).at), Some(waiting(0, 3)));
        assert_eq!(forms.get(&word, UserId(2), TARGET, waiting(0, 0).at), None, "another person");
        assert_eq!(forms.get(&word, ADA, "/admin/deployment", waiting(0, 0).at), None, "another form");
        assert_eq!(forms.get(&word, ADA, TARGET, waiting(1_801, 0).at), None, "too late");
        assert_eq!(forms.get("other", ADA, TARGET, waiting(0, 0).at), None);
    }

    #[test]
    fn the_oldest_make_room_for_many_and_for_large_ones() {
        let forms = WaitingForms::default();
        let words: Vec<String> = (0..300).map(|second| forms.put(waiting(second, 10))).collect();
        let kept = |word: &String| forms.get(word, ADA, TARGET, waiting(300, 0).at).is_some();
        assert_eq!(words.iter().filter(|word| kept(word)).count(), AT_MOST);
        let large = forms.put(waiting(300, BYTES - 5));
        assert!(kept(&large) && !words.iter().any(kept));
    }
}
