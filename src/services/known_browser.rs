//! Browsers that a user has signed in with before. Wrong guesses of others do not count for them: whoever guesses at a password,
//! even from behind the same address, cannot keep its owner out (ADM-03).
//!
//! A browser keeps a random mark with our seal for this user. It opens nothing: the password is asked for as ever, and guesses
//! made with the mark are counted by the mark.

use subtle::ConstantTimeEq;

use super::Services;
use super::secrets::random_text;
use crate::domain::ids::UserId;

/// Characters of the random part.
const MARK_CHARS: usize = 24;

/// A new mark for a browser that this user signed in with.
pub fn mark(services: &Services, user: UserId) -> String {
    let random = random_text(MARK_CHARS);
    let seal = seal(services, user, &random);
    format!("{random}.{seal}")
}

/// The random part of a mark that we made for this user; none of anything else.
pub(super) fn recognise(services: &Services, user: UserId, mark: &str) -> Option<String> {
    let (random, told) = mark.split_once('.')?;
    let expected = seal(services, user, random);
    let is_ours = random.len() == MARK_CHARS && bool::from(told.as_bytes().ct_eq(expected.as_bytes()));
    is_ours.then(|| random.to_owned())
}

fn seal(services: &Services, user: UserId, random: &str) -> String {
    hex::encode(services.secrets.keyed_hash(&format!("known browser {user} {random}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::services::testing::bench;

    #[test]
    fn a_mark_is_known_for_its_own_user_only_and_cannot_be_made_up() {
        let bench = bench();
        let services = &bench.services;
        let mine = mark(services, UserId(1));
        assert!(recognise(services, UserId(1), &mine).is_some());
        assert_eq!(recognise(services, UserId(2), &mine), None);
        assert_ne!(mine, mark(services, UserId(1)));
        let (random, seal) = mine.split_once('.').expect("two parts");
        for wrong in ["", ".", random, &format!("{random}."), &format!("x{random}.{seal}"), &format!("{random}.{seal}0")] {
            assert_eq!(recognise(services, UserId(1), wrong), None, "{wrong}");
        }
    }
}
