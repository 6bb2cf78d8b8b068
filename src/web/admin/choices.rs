//! Fields that name one of an account's objects: a site, a group, a profile. Of a few hundred a page holds a list to choose from; of
//! more its box takes the name that is typed, and offers the first ones, so that no page grows with the account (R63).
//!
//! The list sends `site=5`, the box `site_name=Depot`: [`resolved`] makes the one of the other before anything else reads the form.

use std::collections::BTreeSet;

use actix_web::{HttpRequest, HttpResponse};

use super::forms::Form;
use super::layout::see_other;
use super::session::SignedIn;
use crate::domain::deployment::Container;
use crate::domain::field_error::FieldErrors;
use crate::domain::names::folded;
use crate::domain::profile::Profile;
use crate::domain::world::World;

/// Objects that a page offers one by one.
pub const OFFERED: usize = 200;
/// Empty boxes for one more name, where a field takes several.
const BLANK: usize = 2;

/// What a field can name.
pub struct Choices {
    /// Its name where a box takes a typed name.
    pub typed: String,
    /// Value and label of each, in their order.
    pub options: Vec<(String, String)>,
    field: &'static str,
}

impl Choices {
    /// The choices of a field, in their order.
    pub fn new(field: &'static str, options: impl IntoIterator<Item = (String, String)>) -> Self {
        Self { typed: typed(field), options: options.into_iter().collect(), field }
    }

    /// The same, by name.
    pub fn by_name(field: &'static str, options: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut choices = Self::new(field, options);
        choices.options.sort_by_cached_key(|(_, name)| name.to_lowercase());
        choices
    }

    /// Whether there are too many for a list.
    pub fn is_long(&self) -> bool {
        self.options.len() > OFFERED
    }

    /// Whether there is nothing to choose.
    pub fn is_empty(&self) -> bool {
        self.options.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.options.len()
    }

    /// The names that a box offers; others are typed. What stands for no choice has no name.
    pub fn offered(&self) -> impl Iterator<Item = &str> {
        let named = self.options.iter().filter(|(value, _)| !value.is_empty());
        named.map(|(_, name)| name.as_str()).take(OFFERED)
    }

    /// What stands in the box: what was typed, else the name of what is chosen.
    pub fn name_in(&self, form: &Form) -> String {
        self.names_in(form).into_iter().next().unwrap_or_default()
    }

    /// What stands in the boxes, with empty ones for more.
    pub fn boxes(&self, form: &Form) -> Vec<String> {
        self.names_in(form).into_iter().chain(std::iter::repeat_n(String::new(), BLANK)).collect()
    }

    fn names_in(&self, form: &Form) -> Vec<String> {
        if form.has(&self.typed) {
            return form.values(&self.typed).filter(|name| !name.trim().is_empty()).map(str::to_owned).collect();
        }
        self.named(form.values(self.field))
    }

    /// The name of what a filter of a list chooses.
    pub fn name_of(&self, value: &str) -> String {
        self.named([value].into_iter()).into_iter().next().unwrap_or_default()
    }

    fn named<'a>(&self, values: impl Iterator<Item = &'a str>) -> Vec<String> {
        let name = |chosen: &str| self.options.iter().find(|(value, _)| !value.is_empty() && value == chosen);
        values.filter_map(name).map(|(_, name)| name.clone()).collect()
    }
}

/// The field of the typed name.
pub fn typed(field: &str) -> String {
    format!("{field}_name")
}

/// What kind of object a typed name is looked for among.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Among {
    /// Sites.
    Sites,
    /// Device groups.
    Groups,
    /// Profiles.
    Profiles,
}

impl Among {
    /// The key of the object of this name.
    fn find(self, world: &World, text: &str) -> Result<String, String> {
        let folded = folded(text);
        let (what, found) = match self {
            Self::Sites => {
                let mut all = world.sites.values();
                (Container::Site, all.find(|one| one.name.folded() == folded).map(|one| one.id.to_string()))
            }
            Self::Groups => {
                let mut all = world.groups.values();
                (Container::Group, all.find(|one| one.name.folded() == folded).map(|one| one.id.to_string()))
            }
            Self::Profiles => {
                let found = world.all_profiles().find(|one| one.name.folded() == folded);
                return found.map(|one| one.id.to_string()).ok_or_else(|| unknown("configuration profile", text));
            }
        };
        found.ok_or_else(|| unknown(&what.label().to_lowercase(), text))
    }
}

fn unknown(what: &str, text: &str) -> String {
    format!("there is no {what} “{}”; type its whole name, or choose one that is offered", text.trim())
}

/// The form with the keys of what was typed by name. Fields that came from a list stay as they are.
///
/// # Errors
/// The form with what there is none of, beside its box.
pub fn resolved(mut form: Form, fields: &[(&'static str, Among)], world: &World) -> Result<Form, Form> {
    let mut wrong: Vec<(String, FieldErrors)> = Vec::new();
    for &(field, among) in fields {
        let typed = typed(field);
        if !form.has(&typed) {
            continue;
        }
        let mut keys = Vec::new();
        for name in form.values(&typed).filter(|name| !name.trim().is_empty()) {
            match among.find(world, name) {
                Ok(key) => keys.push(key),
                Err(why) => wrong.push((typed.clone(), FieldErrors::one(field, why))),
            }
        }
        form.put(field, keys);
    }
    if wrong.is_empty() {
        return Ok(form);
    }
    Err(wrong.into_iter().fold(form, |form, (typed, errors)| form.rejected_by(&errors, |_| typed.clone())))
}

/// Where a list is shown with filters that were typed by name: the way to the same list with their keys. None where none was.
pub fn of_filters(
    request: &HttpRequest,
    who: &SignedIn,
    fields: &[(&'static str, Among)],
    world: &World,
) -> Option<HttpResponse> {
    let form = Form::from_urlencoded(request.query_string().as_bytes()).ok()?;
    let names: BTreeSet<String> = fields.iter().map(|(field, _)| typed(field)).collect();
    if !names.iter().any(|name| form.has(name)) {
        return None;
    }
    let (form, wrong) = match resolved(form, fields, world) {
        Ok(form) => (form, None),
        Err(form) => {
            let why = form.errors().first().map(|error| format!("{}.", error.message));
            (form, why)
        }
    };
    // Also what is empty: whoever cleared a box wants the list without what is remembered.
    let pairs: Vec<_> = form.pairs().filter(|(name, _)| !names.contains(*name)).collect();
    let to = format!("{}?{}", request.path(), serde_urlencoded::to_string(pairs).unwrap_or_default());
    Some(match wrong {
        Some(why) => who.not_done(&to, why),
        None => see_other(&to),
    })
}

/// Profiles as choices: value and label, own ones first.
pub fn of_profiles<'a>(profiles: impl Iterator<Item = &'a Profile>) -> Vec<(String, String)> {
    let mut profiles: Vec<_> = profiles.collect();
    profiles.sort_by_cached_key(|one| (one.is_standard(), one.name.folded()));
    profiles.into_iter().map(|one| (one.id.to_string(), one.name.to_string())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::testing::{profile, world};

    fn many() -> Choices {
        Choices::by_name("site", (0..=OFFERED).map(|number| (number.to_string(), format!("Depot {number:03}"))))
    }

    #[test]
    fn more_than_a_page_holds_are_typed_and_some_are_offered() {
        let choices = many();
        assert!(choices.is_long() && choices.offered().count() == OFFERED);
        assert!(!Choices::new("site", choices.options[1..].iter().cloned()).is_long());
        assert_eq!(choices.name_in(&Form::filled([("site", "7")])), "Depot 007");
        let typed = Form::filled([("site", "7"), ("site_name", "Depot x")]);
        assert_eq!((choices.name_in(&typed), choices.boxes(&typed).len()), ("Depot x".to_owned(), 1 + BLANK));
    }

    #[test]
    fn a_typed_name_becomes_its_key_in_any_letters_and_an_unknown_one_is_told() {
        let mut world = world();
        world.profiles.insert(crate::domain::ids::ProfileId(7), profile(7, &[]).into());
        let form = |name: &str| {
            let form = Form::filled([("profiles", "3"), ("profiles_name", name), ("profiles_name", "")]);
            resolved(form, &[("profiles", Among::Profiles)], &world)
        };
        let good = form("PROFILE 7").expect("there");
        assert_eq!(good.values("profiles").collect::<Vec<_>>(), ["7"]);
        let wrong = form("profile").expect_err("there is none");
        assert!(wrong.error("profiles_name").is_some_and(|told| told.contains("no configuration profile “profile”")));
        let listed = resolved(Form::filled([("profiles", "3")]), &[("profiles", Among::Profiles)], &world).expect("from a list");
        assert!(listed.is("profiles", "3"));
        assert!(!form("").expect("nothing").has("profiles"));
    }
}
