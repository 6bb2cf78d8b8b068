//! Merging the profiles of a device into one value for each parameter, with provenance.
//!
//! Pure and total: the first placed profile that mentions a parameter wins it, and what it beat is kept in order. What stands
//! above all profiles (binding) and below them (the built-in base) is [`super::provision`]'s matter.

use std::sync::Arc;

use super::deployment::{Container, Placed};
use super::profile::Profile;

/// What one placed profile says about one parameter: its value, its `.set` twin, or both, always taken together (contract 5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mention<'a> {
    /// The container that the profile is attached to.
    pub container: Container,
    /// The profile.
    pub profile: &'a Profile,
    /// The value; none where the profile holds only the `.set` twin.
    pub value: Option<&'a Arc<str>>,
    /// The value of the `.set` twin; none where the profile has no twin, and for names that have none.
    pub set: Option<&'a Arc<str>>,
}

/// One parameter with its winner and everything it beat, strongest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved<'a> {
    /// The parameter's name; for twins the name without `.set`.
    pub name: &'a str,
    /// What the device gets.
    pub winner: Mention<'a>,
    /// What the device does not get, strongest first.
    pub beaten: Vec<Mention<'a>>,
}

/// Every parameter that the placed profiles mention, in the order of the names, each name once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Effective<'a>(Vec<Resolved<'a>>);

impl<'a> Effective<'a> {
    /// The parameter of this name, without `.set`.
    pub fn get(&self, name: &str) -> Option<&Resolved<'a>> {
        let found = self.0.binary_search_by(|resolved| resolved.name.cmp(name)).ok()?;
        self.0.get(found)
    }

    /// The winning value of this name.
    pub fn value(&self, name: &str) -> Option<&'a str> {
        self.get(name).and_then(|resolved| resolved.winner.value).map(|value| &**value)
    }

    /// All parameters in the order of their names.
    pub fn iter(&self) -> std::slice::Iter<'_, Resolved<'a>> {
        self.0.iter()
    }
}

/// Merges placed profiles, strongest first, into one value for each parameter.
pub fn merge<'a>(placed: &[Placed<'a>]) -> Effective<'a> {
    let total = placed.iter().map(|one| one.profile.parameters.len()).sum();
    let mut mentions: Vec<(&str, Mention<'_>)> = Vec::with_capacity(total);
    for one in placed {
        collect(one, &mut mentions);
    }
    // Stable, so that equal names stay in the order of their strength; the profiles are runs that are sorted already.
    mentions.sort_by(|a, b| a.0.cmp(b.0));

    let mut resolved: Vec<Resolved<'_>> = Vec::with_capacity(mentions.len());
    for (name, mention) in mentions {
        match resolved.last_mut() {
            Some(last) if last.name == name => last.beaten.push(mention),
            _ => resolved.push(Resolved { name, winner: mention, beaten: Vec::new() }),
        }
    }
    Effective(resolved)
}

/// Appends what one placed profile mentions.
fn collect<'a>(placed: &Placed<'a>, mentions: &mut Vec<(&'a str, Mention<'a>)>) {
    let parameters = &placed.profile.parameters;
    let mention = |value, set| Mention { container: placed.container, profile: placed.profile, value, set };
    for (name, value) in parameters.iter() {
        let name = name.as_str();
        if let Some(base) = twin_of(name) {
            if parameters.get(base).is_none() && !is_off(value) {
                mentions.push((base, mention(None, Some(value))));
            }
            continue;
        }
        let set = if name.starts_with("device.") { parameters.get_shared(&format!("{name}.set")) } else { None };
        if !set.is_some_and(|set| is_off(set)) {
            mentions.push((name, mention(Some(value), set)));
        }
    }
}

/// The parameter whose `.set` twin this name is: `device.x.set` is the twin of `device.x`. `device.set`, the switch over all
/// of them, is a parameter of its own.
pub fn twin_of(name: &str) -> Option<&str> {
    let base = name.strip_suffix(".set")?;
    base.starts_with("device.").then_some(base)
}

/// Whether a `.set` twin says that its parameter is not meant: an empty flag counts as its default, which is off.
pub fn is_off(set: &str) -> bool {
    let set = set.trim();
    set.is_empty() || set == "0" || set.eq_ignore_ascii_case("false")
}
