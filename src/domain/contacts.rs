//! Contacts of a directory, and two directories brought together (contract 5.13, protocol/provisioning.md 9).

use std::collections::{HashMap, HashSet};

/// Fields that say who a contact is, and its speed-dial index.
const CONTACT: &str = "ct";
const LAST_NAME: &str = "ln";
const FIRST_NAME: &str = "fn";
const SPEED_DIAL: &str = "sd";

/// One contact: its fields by name, in their order, also those that nobody here knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contact {
    /// Name and text of each field.
    pub fields: Vec<(String, String)>,
}

/// Whose directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The administrator's file.
    Given,
    /// What the phone uploaded.
    Own,
}

impl Side {
    /// A word for forms and programs.
    pub fn word(self) -> &'static str {
        match self {
            Self::Given => "administrator",
            Self::Own => "phone",
        }
    }

    /// Reads its word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Given, Self::Own].into_iter().find(|side| side.word() == word)
    }
}

/// Two directories in one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Merged {
    /// All contacts: the phone's in their order, then what only the other one has.
    pub contacts: Vec<Contact>,
    /// Contacts that only the administrator's file has.
    pub only_given: usize,
    /// Contacts that only the phone has.
    pub only_own: usize,
    /// Contacts that are the same in both.
    pub same: usize,
    /// Contacts that both have with other fields: the administrator's and the phone's.
    pub differing: Vec<(Contact, Contact)>,
}

impl Contact {
    /// A field's text; empty where it has none.
    pub fn get(&self, field: &str) -> &str {
        self.fields.iter().find(|(name, _)| name == field).map_or("", |(_, text)| text.trim())
    }

    /// First and last name, or the number where it has neither.
    pub fn label(&self) -> String {
        let name = format!("{} {}", self.get(FIRST_NAME), self.get(LAST_NAME));
        if name.trim().is_empty() { self.get(CONTACT).to_owned() } else { name.trim().to_owned() }
    }

    /// The number or address.
    pub fn number(&self) -> &str {
        self.get(CONTACT)
    }

    fn name(&self) -> (String, String) {
        (self.get(LAST_NAME).to_lowercase(), self.get(FIRST_NAME).to_lowercase())
    }

    /// Whether all fields that are filled are the same.
    fn says_the_same(&self, other: &Self) -> bool {
        let filled = |one: &Self| {
            let mut fields: Vec<_> = one.fields.iter().map(|(name, text)| (name.clone(), text.trim().to_owned())).collect();
            fields.retain(|(_, text)| !text.is_empty());
            fields.sort();
            fields
        };
        filled(self) == filled(other)
    }

    /// A contact without a number keeps the other one's: nobody could be called by it.
    fn with_number_of(mut self, other: &Self) -> Self {
        if self.number().is_empty() && !other.number().is_empty() {
            self.fields.retain(|(name, _)| name != CONTACT);
            self.fields.push((CONTACT.to_owned(), other.number().to_owned()));
        }
        self
    }

    fn clear(&mut self, field: &str) {
        self.fields.iter_mut().filter(|(name, _)| name == field).for_each(|(_, text)| text.clear());
    }
}

/// Brings two directories together: the same contact is known by its number, else, where one of the two has none, by its name. Of one
/// that both have, the fields of one side count. A speed-dial index is given once: the other contact loses it.
pub fn merge(given: &[Contact], own: &[Contact], wins: Side) -> Merged {
    let mut merged = Merged { contacts: own.to_vec(), ..Merged::default() };
    let mut by_number: HashMap<&str, usize> = HashMap::new();
    let mut by_name: HashMap<(String, String), usize> = HashMap::new();
    for (at, contact) in own.iter().enumerate().rev() {
        by_number.insert(contact.number(), at);
        by_name.insert(contact.name(), at);
    }
    by_number.remove("");
    by_name.remove(&(String::new(), String::new()));
    let mut met = HashSet::new();
    let mut is_given: Vec<bool> = vec![false; own.len()];
    for contact in given.iter().filter(|contact| !contact.label().is_empty()) {
        let nameless = |at: &usize| contact.number().is_empty() || own[*at].number().is_empty();
        let numbered = by_number.get(contact.number()).copied();
        match numbered.or_else(|| by_name.get(&contact.name()).copied().filter(nameless)) {
            Some(at) if met.insert(at) => {
                if contact.says_the_same(&own[at]) {
                    merged.same += 1;
                    continue;
                }
                merged.differing.push((contact.clone(), own[at].clone()));
                is_given[at] = wins == Side::Given;
                let (counts, other) = if is_given[at] { (contact, &own[at]) } else { (&own[at], contact) };
                merged.contacts[at] = counts.clone().with_number_of(other);
            }
            // It comes twice on this side.
            Some(_) if numbered.is_some() || contact.number().is_empty() => {}
            _ => {
                merged.only_given += 1;
                merged.contacts.push(contact.clone());
                is_given.push(true);
            }
        }
    }
    merged.only_own = own.len() - met.len();
    once_each(&mut merged.contacts, &is_given, wins);
    merged
}

/// Takes a speed-dial index from whoever has it too: first of the side that does not count.
fn once_each(contacts: &mut [Contact], is_given: &[bool], wins: Side) {
    let mut taken = HashSet::new();
    for first in [true, false] {
        for (contact, is_given) in contacts.iter_mut().zip(is_given) {
            let is_first = *is_given == (wins == Side::Given);
            let index = contact.get(SPEED_DIAL).to_owned();
            if is_first == first && !index.is_empty() && !taken.insert(index) {
                contact.clear(SPEED_DIAL);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn contact(fields: &[(&str, &str)]) -> Contact {
        Contact { fields: fields.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect() }
    }

    fn labels(merged: &Merged) -> Vec<String> {
        merged.contacts.iter().map(Contact::label).collect()
    }

    #[test]
    fn both_directories_are_in_it_and_a_contact_of_both_once() {
        let given = [
            contact(&[("ln", "Doe"), ("fn", "John"), ("ct", "1001"), ("rt", "3")]),
            contact(&[("fn", "Desk"), ("ct", "1000")]),
            contact(&[("fn", "Anna"), ("ct", "")]),
        ];
        let own = [
            contact(&[("fn", "Johnny"), ("ct", "1001"), ("dc", "")]),
            contact(&[("fn", "anna"), ("ct", "2000")]),
            contact(&[("fn", "Mine"), ("ct", "3000")]),
        ];
        let by_phone = merge(&given, &own, Side::Own);
        assert_eq!(labels(&by_phone), ["Johnny", "anna", "Mine", "Desk"]);
        assert_eq!((by_phone.only_given, by_phone.only_own, by_phone.same, by_phone.differing.len()), (1, 1, 0, 2));
        let by_admin = merge(&given, &own, Side::Given);
        assert_eq!(labels(&by_admin), ["John Doe", "Anna", "Mine", "Desk"]);
    }

    #[test]
    fn people_of_one_name_with_two_numbers_are_two_contacts() {
        let given = [contact(&[("fn", "Ada"), ("ct", "1")])];
        let own = [contact(&[("fn", "Ada"), ("ct", "2")])];
        assert_eq!(merge(&given, &own, Side::Own).contacts.len(), 2);
    }

    #[test]
    fn a_speed_dial_index_stays_with_the_side_that_counts() {
        let given = [contact(&[("fn", "Given"), ("ct", "1"), ("sd", "1")])];
        let own = [contact(&[("fn", "Own"), ("ct", "2"), ("sd", "1")])];
        let index = |wins| merge(&given, &own, wins).contacts.iter().map(|one| one.get("sd").to_owned()).collect::<Vec<_>>();
        assert_eq!(index(Side::Own), ["1", ""]);
        assert_eq!(index(Side::Given), ["", "1"]);
    }

    fn contacts() -> impl Strategy<Value = Vec<Contact>> {
        proptest::collection::vec(("[a-c]?", "[0-3]?", "[1-2]?"), 0..8).prop_map(|all| {
            all.iter().map(|(name, number, index)| contact(&[("fn", name), ("ct", number), ("sd", index)])).collect()
        })
    }

    proptest! {
        #[test]
        fn no_number_of_either_side_is_lost_and_no_speed_dial_is_given_twice(given in contacts(), own in contacts()) {
            for wins in [Side::Given, Side::Own] {
                let merged = merge(&given, &own, wins);
                let has = |number: &str| merged.contacts.iter().any(|one| one.number() == number);
                for one in given.iter().chain(&own).filter(|one| !one.number().is_empty()) {
                    prop_assert!(has(one.number()));
                }
                let indexes: Vec<_> = merged.contacts.iter().map(|one| one.get("sd")).filter(|index| !index.is_empty()).collect();
                prop_assert_eq!(indexes.iter().collect::<HashSet<_>>().len(), indexes.len());
                prop_assert!(merged.contacts.len() >= own.len());
            }
        }

        #[test]
        fn what_was_merged_stays_as_it_is_when_it_is_merged_again(given in contacts(), own in contacts()) {
            let once = merge(&given, &own, Side::Own).contacts;
            let again = merge(&given, &once, Side::Own).contacts;
            prop_assert_eq!(once, again);
        }
    }
}
