//! Forms that came after their person's session had ended: what was typed waits here until the person has signed in again (R15).
//! In memory only, few, small and for half an hour; whoever keeps one has taken the secrets out of it. A restart forgets them.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use rand::RngExt;

use crate::domain::ids::UserId;

/// How long a form waits.
pub const WAITS: SignedDuration = SignedDuration::from_mins(30);
/// Forms that wait at a time; the oldest makes room. With the largest form of a stranger this is 4 MiB.
const AT_MOST: usize = 64;

/// A form that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsent {
    /// Who typed it: it is given back to nobody else.
    pub owner: UserId,
    /// Where it was sent to.
    pub action: String,
    /// Its fields, without token and secrets.
    pub fields: Vec<(String, String)>,
    /// Whether a secret was taken out that has to be typed again.
    pub lacks_secrets: bool,
    /// When it came.
    pub at: Timestamp,
}

/// All forms that wait.
#[derive(Debug, Default)]
pub struct UnsentForms(Mutex<HashMap<String, Unsent>>);

impl UnsentForms {
    /// Keeps a form and answers the word that finds it again; nobody can guess it.
    pub fn put(&self, form: Unsent) -> String {
        let word = hex::encode(rand::rng().random::<[u8; 16]>());
        let mut all = self.0.lock();
        all.retain(|_, one| !is_over(one, form.at));
        while all.len() >= AT_MOST {
            let oldest = all.iter().min_by_key(|(_, one)| one.at).map(|(word, _)| word.clone());
            oldest.and_then(|word| all.remove(&word));
        }
        all.insert(word.clone(), form);
        word
    }

    /// The form of this word, if this person typed it and it is not over. It stays, so that the page can be loaded again.
    pub fn get(&self, word: &str, who: UserId, now: Timestamp) -> Option<Unsent> {
        self.0.lock().get(word).filter(|one| one.owner == who && !is_over(one, now)).cloned()
    }
}

fn is_over(one: &Unsent, now: Timestamp) -> bool {
    now.duration_since(one.at) > WAITS
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADA: UserId = UserId(1);

    fn unsent(second: i64) -> Unsent {
        let at = Timestamp::from_second(1_800_000_000 + second).expect("a time");
        Unsent { owner: ADA, action: "/admin/devices/add".to_owned(), fields: Vec::new(), lacks_secrets: false, at }
    }

    #[test]
    fn a_form_waits_for_half_an_hour_and_is_found_by_its_word_and_its_person_alone() {
        let forms = UnsentForms::default();
        let word = forms.put(unsent(0));
        assert_eq!(forms.get(&word, ADA, unsent(1_800).at), Some(unsent(0)));
        assert_eq!(forms.get(&word, UserId(2), unsent(0).at), None, "somebody else signed in meanwhile");
        assert_eq!((forms.get(&word, ADA, unsent(1_801).at), forms.get("other", ADA, unsent(0).at)), (None, None));
    }

    #[test]
    fn the_oldest_makes_room() {
        let forms = UnsentForms::default();
        let words: Vec<String> = (0..70).map(|second| forms.put(unsent(second))).collect();
        let kept: Vec<bool> = words.iter().map(|word| forms.get(word, ADA, unsent(70).at).is_some()).collect();
        assert_eq!(kept.iter().filter(|kept| **kept).count(), AT_MOST);
        assert!(kept[6..].iter().all(|kept| *kept));
    }
}
