//! What is chosen for values that would stay in phones' flash (contract 5.11): fields beside any form on a page that shows what a change does,
//! two a parameter. They are ours and no handler sees them: [`super::impact`] takes them out of what is sent.

use std::collections::{BTreeMap, BTreeSet};

use super::forms::{Form, sentence};
use crate::domain::access::Actor;
use crate::domain::consent::FlashValues;
use crate::domain::parameter::{is_secret, masked};
use crate::domain::world::World;
use crate::services::{flash_values, schema};

/// How the fields of a parameter begin: the choice, and the value.
pub const FLASH: &str = "impact_flash";
pub const VALUE: &str = "impact_value";

/// Parameters that are asked about; phones keep what they have of the others.
const ASKED: usize = 100;

/// What was chosen, by parameter.
#[derive(Clone, Default)]
pub struct Choices(BTreeMap<String, Choice>);

#[derive(Clone, Default)]
struct Choice {
    /// Whether the value is to be set; else it is left on the phones.
    is_set: bool,
    value: String,
    /// Why it cannot be taken.
    error: Option<String>,
}

/// A parameter on the page.
#[derive(Clone, Debug)]
pub struct FlashRow {
    /// Its name.
    pub name: String,
    /// Whether its value is typed unseen.
    pub is_secret: bool,
    /// Whether a value is to be set.
    pub is_set: bool,
    /// The value that was typed; empty where it must not be shown.
    pub value: String,
    /// What is said of the value: that it is kept, or what the dictionary finds odd.
    pub hint: Option<String>,
    /// Why it cannot be taken.
    pub error: Option<String>,
}

/// Whether a field is one of these.
pub fn is_field(name: &str) -> bool {
    parameter_of(name, FLASH).or_else(|| parameter_of(name, VALUE)).is_some()
}

fn parameter_of<'n>(name: &'n str, field: &str) -> Option<&'n str> {
    name.strip_prefix(field)?.strip_prefix('.')
}

/// Whether a page must not show a value.
fn is_hidden(name: &str, value: &str) -> bool {
    masked(name, value) != value
}

impl Choices {
    /// What a form says.
    pub fn of(form: &Form) -> Self {
        let mut all: BTreeMap<String, Choice> = BTreeMap::new();
        for (field, text) in form.pairs() {
            if let Some(name) = parameter_of(field, FLASH) {
                all.entry(name.to_owned()).or_default().is_set = text == "set";
            } else if let Some(name) = parameter_of(field, VALUE) {
                all.entry(name.to_owned()).or_default().value = text.replace("\r\n", "\n");
            }
        }
        Self(all)
    }

    /// Whether nothing was chosen, as nothing was asked.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The same over what was chosen before: a secret that is not typed again is the one that was typed.
    #[must_use]
    pub fn over(self, mut former: Self) -> Self {
        for (name, mut choice) in self.0 {
            let before = former.0.remove(&name).unwrap_or_default();
            if choice.is_set && choice.value.is_empty() && before.is_set && is_hidden(&name, &before.value) {
                choice.value.clone_from(&before.value);
            }
            if !choice.is_set && choice.value == before.value {
                choice.value = String::new();
            }
            former.0.insert(name, choice);
        }
        former
    }

    /// As fields, to be kept with the form.
    pub fn fields(&self) -> impl Iterator<Item = (String, &str)> {
        self.0.iter().flat_map(|(name, choice)| {
            let word = if choice.is_set { "set" } else { "leave" };
            [(format!("{FLASH}.{name}"), word), (format!("{VALUE}.{name}"), choice.value.as_str())]
        })
    }

    /// The value that is to be set for a parameter, if it can be taken.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.0.get(name).filter(|choice| choice.is_set && choice.error.is_none()).map(|choice| choice.value.as_str())
    }

    /// The values that are to be set; none where one of them cannot be taken, which is noted beside it.
    pub fn checked(&mut self, world: &World, actor: &Actor) -> Option<FlashValues> {
        for (name, choice) in &mut self.0 {
            choice.error = match (choice.is_set, choice.value.is_empty()) {
                (false, false) => {
                    Some("choose Set to for this value, or empty the field: else phones keep the one they have".to_owned())
                }
                // An empty field may be one that was not filled in; of other parameters an empty value has a meaning.
                (true, true) if is_secret(name) => Some("enter the value".to_owned()),
                _ => None,
            };
        }
        let typed = self.0.iter().filter(|(_, choice)| choice.is_set && choice.error.is_none());
        let taken = flash_values::checked(world, actor, typed.map(|(name, choice)| (name.as_str(), choice.value.as_str())));
        let values = taken.map_err(|wrong| {
            for (name, why) in wrong {
                self.0.entry(name).or_default().error = Some(why);
            }
        });
        values.ok().filter(|_| self.0.values().all(|choice| choice.error.is_none()))
    }

    /// The first rows for parameters that would stay, and how many there are more.
    pub fn rows(&self, staying: &BTreeSet<String>, world: Option<&World>) -> (Vec<FlashRow>, usize) {
        let rows = staying.iter().take(ASKED).map(|name| self.row(name, world)).collect();
        (rows, staying.len().saturating_sub(ASKED))
    }

    fn row(&self, name: &str, world: Option<&World>) -> FlashRow {
        let Choice { is_set, value, error } = self.0.get(name).cloned().unwrap_or_default();
        let hidden = is_hidden(name, &value);
        let odd = || Some(format!("Look at it again: {}.", schema::advise_on(world?.schemas.current(), name, &value)?));
        let hint = match (is_set && error.is_none(), hidden) {
            (true, true) => Some("Empty: the value that was typed.".to_owned()),
            (true, false) if value.is_empty() => Some("Nothing is entered: phones take an empty value.".to_owned()),
            (true, false) => odd(),
            _ => None,
        };
        let value = if hidden { String::new() } else { value };
        FlashRow { name: name.to_owned(), is_secret: is_secret(name), is_set, value, hint, error: error.as_deref().map(sentence) }
    }

    /// A form with the errors alone, for the summary of a page.
    pub fn errors(&self) -> Form {
        let wrong = self.0.iter().filter_map(|(name, choice)| Some((name, choice.error.as_ref()?)));
        wrong.fold(Form::default(), |form, (name, why)| form.wrong(format!("{VALUE}.{name}"), format_args!("{name}: {why}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::testing::world;
    use crate::services::testing::owner;

    const VLAN: &str = "device.net.vlanId";
    const PASSWORD: &str = "device.auth.localUserPassword";

    fn choices(fields: &[(&str, &str, &str)]) -> Choices {
        let pairs = fields.iter().flat_map(|(name, choice, value)| {
            [(format!("{FLASH}.{name}"), (*choice).to_owned()), (format!("{VALUE}.{name}"), (*value).to_owned())]
        });
        Choices::of(&Form::filled(pairs))
    }

    fn taken(mut choices: Choices) -> Result<Vec<(String, String)>, Vec<String>> {
        match choices.checked(&world(), &owner()) {
            Some(FlashValues(values)) => Ok(values.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()),
            None => Err(choices.errors().errors().iter().map(|error| error.message.clone()).collect()),
        }
    }

    #[test]
    fn what_is_left_and_what_is_set_is_told_apart() {
        assert!(is_field("impact_flash.device.x") && is_field("impact_value.device.x"));
        assert!(!is_field("impact_flash") && !is_field("name") && !is_field("impact_mark"));
        let both = choices(&[(VLAN, "set", "9"), (PASSWORD, "leave", "")]);
        assert_eq!(both.value(VLAN), Some("9"));
        assert_eq!(taken(both.clone()), Ok(vec![(VLAN.to_owned(), "9".to_owned())]));
        let kept = Form::filled(both.fields().map(|(name, value)| (name, value.to_owned())));
        assert_eq!(taken(Choices::of(&kept)), taken(both));
        let none = choices(&[(VLAN, "set", "")]);
        let hint = none.rows(&BTreeSet::from([VLAN.to_owned()]), None).0.remove(0).hint;
        assert!(hint.is_some_and(|hint| hint.contains("an empty value")), "it is told");
        assert_eq!(taken(none), Ok(vec![(VLAN.to_owned(), String::new())]), "a VLAN may be none");
    }

    #[test]
    fn every_value_that_cannot_be_taken_is_told() {
        let wrong = choices(&[(VLAN, "leave", "9"), (PASSWORD, "set", ""), ("up.x", "set", "1"), ("device.x", "set", "\u{1}")]);
        let errors = taken(wrong).expect_err("none of them can be taken");
        assert_eq!(errors.len(), 4, "{errors:?}");
        let factory = taken(choices(&[("device.auth.localAdminPassword", "set", "456")])).expect_err("everybody knows it");
        assert!(factory[0].contains("factory"), "{factory:?}");
    }

    #[test]
    fn a_secret_that_is_not_typed_again_is_kept_and_never_shown() {
        let former = choices(&[(PASSWORD, "set", "CANARY"), (VLAN, "set", "9")]);
        let again = choices(&[(PASSWORD, "set", ""), (VLAN, "leave", "9")]).over(former.clone());
        assert_eq!(taken(again.clone()), Ok(vec![(PASSWORD.to_owned(), "CANARY".to_owned())]), "the other one was taken back");
        let staying = BTreeSet::from([PASSWORD, VLAN].map(str::to_owned));
        let (rows, more) = again.rows(&staying, None);
        assert!(more == 0 && rows.len() == 2 && !format!("{rows:?}").contains("CANARY"), "{rows:?}");
        assert!(rows[0].is_set && rows[0].is_secret && rows[0].hint.is_some() && !rows[1].is_set);
        assert_eq!(taken(Choices::default().over(former)).map(|values| values.len()), Ok(2), "nothing was asked again");
    }

    #[test]
    fn a_page_asks_about_so_many_and_counts_the_rest() {
        let staying: BTreeSet<String> = (0..ASKED + 3).map(|number| format!("device.x.{number}")).collect();
        let (rows, more) = Choices::default().rows(&staying, Some(&world()));
        assert_eq!((rows.len(), more), (ASKED, 3));
    }
}
