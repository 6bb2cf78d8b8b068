//! Merging the profiles of a device into one value for each parameter, with provenance.
//!
//! Pure and total: the first placed profile that mentions a parameter wins it, and what it beat is kept in order. What stands
//! above all profiles (binding) and below them (the built-in base) is [`super::provision`]'s matter.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::deployment::{Container, Place, Placed};
use super::parameter::is_of_device;
use super::profile::Profile;

/// What one placed profile says about one parameter: its value, its `.set` twin, or both, always taken together (contract 5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mention<'a> {
    /// The container that the profile is attached to.
    pub container: Container,
    /// The place; none where that is the device itself.
    pub place: Option<&'a Place>,
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

impl<'a> Resolved<'a> {
    /// All who say it, strongest first.
    pub fn mentions(&self) -> impl Iterator<Item = &Mention<'a>> {
        std::iter::once(&self.winner).chain(&self.beaten)
    }

    /// Whether only profiles say it that yield to the built-in base, too.
    pub fn yields(&self) -> bool {
        self.winner.profile.yields
    }
}

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

    /// The parameters of which this holds, and the others.
    pub fn split(self, holds: impl Fn(&Resolved<'a>) -> bool) -> (Self, Self) {
        let (these, others) = self.0.into_iter().partition(holds);
        (Self(these), Self(others))
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

/// The same for some parameters alone, named without `.set`: for comparing many devices that differ in few.
pub fn merge_only<'a>(placed: &[Placed<'a>], names: &BTreeSet<&str>) -> Effective<'a> {
    let resolve = |name: &&str| {
        let mut mentions = placed.iter().filter_map(|one| mention_of(one, name));
        let (name, winner) = mentions.next()?;
        Some(Resolved { name, winner, beaten: mentions.map(|(_, mention)| mention).collect() })
    };
    Effective(names.iter().filter_map(resolve).collect())
}

/// The parameter as a placed profile keeps its name, without `.set`, if the profile mentions it.
pub fn mentioned<'a>(placed: &Placed<'a>, name: &str) -> Option<&'a str> {
    mention_of(placed, name).map(|(name, _)| name)
}

/// What one placed profile mentions of one parameter, with its name.
fn mention_of<'a>(placed: &Placed<'a>, name: &str) -> Option<(&'a str, Mention<'a>)> {
    let parameters = &placed.profile.parameters;
    let value = parameters.entry(name).filter(|_| twin_of(name).is_none());
    let set = if is_of_device(name) { parameters.entry(&format!("{name}.set")) } else { None };
    let (kept, value) = value.filter(|_| !set.is_some_and(|(_, set)| is_off(set)))?;
    let (value, set) = (Some(value), set.map(|(_, set)| set));
    Some((kept.as_str(), Mention { container: placed.container, place: placed.place, profile: placed.profile, value, set }))
}

/// Appends what one placed profile mentions. A `.set` twin alone mentions nothing: phones write a value only where one stands beside it.
fn collect<'a>(placed: &Placed<'a>, mentions: &mut Vec<(&'a str, Mention<'a>)>) {
    let parameters = &placed.profile.parameters;
    let mention = |value, set| Mention { container: placed.container, place: placed.place, profile: placed.profile, value, set };
    for (name, value) in parameters.iter() {
        let name = name.as_str();
        if twin_of(name).is_some() {
            continue;
        }
        let set = if is_of_device(name) { parameters.get_shared(&format!("{name}.set")) } else { None };
        if !set.is_some_and(|set| is_off(set)) {
            mentions.push((name, mention(Some(value), set)));
        }
    }
}

/// The parameter whose `.set` twin this name is: `device.x.set` is the twin of `device.x`, in whatever letter case that is written.
/// `device.set`, the switch over all of them, is a parameter of its own.
pub fn twin_of(name: &str) -> Option<&str> {
    let base = name.strip_suffix(".set")?;
    is_of_device(base).then_some(base)
}

/// Whether a `.set` twin says that its parameter is not meant: an empty flag counts as its default, which is off.
pub fn is_off(set: &str) -> bool {
    let set = set.trim();
    set.is_empty() || set == "0" || set.eq_ignore_ascii_case("false")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::ids::ProfileId;
    use crate::domain::testing::{hostile_parameters, profile, property_config};

    fn placed(profiles: &[Profile]) -> Vec<Placed<'_>> {
        profiles.iter().map(|profile| Placed { container: Container::Global, place: None, profile }).collect()
    }

    fn ids(mentions: &[Mention<'_>]) -> Vec<u64> {
        mentions.iter().map(|mention| mention.profile.id.0).collect()
    }

    #[test]
    fn a_site_beats_global_for_the_very_same_parameter() {
        let site = profile(1, &[("call.autoAnswer.SIP", "1")]);
        let global = profile(2, &[("call.autoAnswer.SIP", "0"), ("voice.volume", "3")]);
        let placed = [
            Placed { container: Container::Site, place: None, profile: &site },
            Placed { container: Container::Global, place: None, profile: &global },
        ];
        let effective = merge(&placed);
        assert_eq!(effective.value("call.autoAnswer.SIP"), Some("1"));
        assert_eq!(effective.value("voice.volume"), Some("3"));
        let resolved = effective.get("call.autoAnswer.SIP").expect("mentioned twice");
        assert_eq!((resolved.winner.container, resolved.winner.profile.id), (Container::Site, ProfileId(1)));
        assert_eq!(ids(&resolved.beaten), [2]);
    }

    #[test]
    fn a_parameter_and_its_twin_come_from_one_profile() {
        let strong = profile(1, &[("device.net.vlanId", "7")]);
        let weak = profile(2, &[("device.net.vlanId", "9"), ("device.net.vlanId.set", "1")]);
        let profiles = [strong, weak];
        let effective = merge(&placed(&profiles));
        let winner = effective.get("device.net.vlanId").expect("mentioned twice").winner;
        assert_eq!((winner.value.map(|v| &**v), winner.set), (Some("7"), None));
        assert!(effective.get("device.net.vlanId.set").is_none());
    }

    #[test]
    fn a_twin_that_is_off_means_not_mentioned() {
        for off in ["0", " 0 ", "", "false"] {
            let strong = profile(1, &[("device.net.vlanId", ""), ("device.net.vlanId.set", off)]);
            let weak = profile(2, &[("device.net.vlanId", "9"), ("device.net.vlanId.set", "1")]);
            let profiles = [strong, weak];
            let effective = merge(&placed(&profiles));
            let resolved = effective.get("device.net.vlanId").expect("mentioned once");
            assert_eq!((resolved.winner.profile.id.0, resolved.beaten.len()), (2, 0), "{off:?}");
        }
        let alone = [profile(1, &[("device.net.vlanId.set", "0")])];
        assert_eq!(merge(&placed(&alone)), Effective::default());
    }

    #[test]
    fn a_twin_that_stands_alone_mentions_nothing() {
        let strong = profile(1, &[("device.a.b", "1"), ("device.a.set", "1"), ("device.a-b", "x")]);
        let profiles = [strong, profile(2, &[("device.a", "9"), ("device.a.set", "1")])];
        let effective = merge(&placed(&profiles));
        let resolved = effective.get("device.a").expect("mentioned by the weaker one");
        assert_eq!((resolved.winner.profile.id.0, resolved.beaten.len()), (2, 0));
        assert!(effective.iter().is_sorted_by_key(|resolved| resolved.name));
        assert!(merge(&placed(&profiles[..1])).get("device.a").is_none(), "and nothing is served without a value");
    }

    #[test]
    fn the_switch_over_all_twins_is_a_parameter_of_its_own() {
        let profiles = [profile(1, &[("device.set", "0")])];
        assert_eq!(merge(&placed(&profiles)).value("device.set"), Some("0"));
        assert_eq!(twin_of("device.set"), None);
        assert_eq!(twin_of("prov.polling.set"), None);
        assert_eq!(twin_of("device.prov.user.set"), Some("device.prov.user"));
    }

    fn profiles() -> impl Strategy<Value = Vec<Profile>> {
        prop::collection::vec(hostile_parameters(), 0..6).prop_map(|sets| {
            sets.into_iter().zip(1..).map(|(parameters, id)| Profile { parameters, ..profile(id, &[]) }).collect()
        })
    }

    /// Every mention of an effective set, strongest first.
    fn flat<'e, 'a>(resolved: &'e Resolved<'a>) -> impl Iterator<Item = &'e Mention<'a>> {
        std::iter::once(&resolved.winner).chain(&resolved.beaten)
    }

    proptest! {
        #![proptest_config(property_config())]

        #[test]
        fn the_winner_is_the_first_placed_profile_that_mentions_the_name(profiles in profiles()) {
            let effective = merge(&placed(&profiles));
            for resolved in effective.iter() {
                let mentioning = |profile: &&Profile| {
                    let one = std::slice::from_ref(*profile);
                    merge(&placed(one)).get(resolved.name).is_some()
                };
                let expected: Vec<u64> = profiles.iter().filter(mentioning).map(|profile| profile.id.0).collect();
                prop_assert_eq!(flat(resolved).map(|mention| mention.profile.id.0).collect::<Vec<_>>(), expected);
            }
        }

        #[test]
        fn some_names_alone_are_what_all_together_are(profiles in profiles(), others in hostile_parameters()) {
            let whole = merge(&placed(&profiles));
            let asked = profiles.iter().flat_map(|profile| profile.parameters.iter()).chain(others.iter());
            let names: BTreeSet<&str> = asked.map(|(name, _)| name.as_str()).map(|name| twin_of(name).unwrap_or(name)).collect();
            let some: BTreeSet<&str> = names.iter().copied().step_by(2).collect();
            let expected = Effective(whole.iter().filter(|one| some.contains(one.name)).cloned().collect());
            prop_assert_eq!(merge_only(&placed(&profiles), &some), expected);
            prop_assert_eq!(merge_only(&placed(&profiles), &names), whole);
        }

        #[test]
        fn provenance_is_truthful(profiles in profiles()) {
            for resolved in merge(&placed(&profiles)).iter() {
                for mention in flat(resolved) {
                    let parameters = &mention.profile.parameters;
                    prop_assert_eq!(mention.value.map(|v| &**v), parameters.get(resolved.name));
                    prop_assert!(mention.value.is_some() || mention.set.is_some());
                    if let Some(set) = mention.set {
                        prop_assert_eq!(Some(&**set), parameters.get(&format!("{}.set", resolved.name)));
                    }
                }
            }
        }

        #[test]
        fn a_weaker_profile_never_changes_a_name_that_is_there(profiles in profiles()) {
            let whole = merge(&placed(&profiles));
            let without_last = merge(&placed(&profiles[..profiles.len().saturating_sub(1)]));
            for resolved in without_last.iter() {
                prop_assert_eq!(whole.get(resolved.name).map(|one| one.winner), Some(resolved.winner));
            }
        }

        #[test]
        fn removing_a_profile_changes_only_what_it_won(profiles in profiles(), at in any::<prop::sample::Index>()) {
            prop_assume!(!profiles.is_empty());
            let mut fewer = profiles.clone();
            let removed = fewer.remove(at.index(profiles.len()));
            let (before, after) = (merge(&placed(&profiles)), merge(&placed(&fewer)));
            for resolved in before.iter().filter(|one| one.winner.profile.id != removed.id) {
                prop_assert_eq!(after.get(resolved.name).map(|one| one.winner), Some(resolved.winner));
            }
        }

        #[test]
        fn merging_is_a_fold_that_may_be_split_anywhere(profiles in profiles(), at in any::<prop::sample::Index>()) {
            let at = at.index(profiles.len() + 1);
            let (strong, weak) = profiles.split_at(at);
            let (strong, weak) = (merge(&placed(strong)), merge(&placed(weak)));
            let whole = merge(&placed(&profiles));
            for resolved in whole.iter() {
                let parts = [strong.get(resolved.name), weak.get(resolved.name)];
                let expected: Vec<_> = parts.into_iter().flatten().flat_map(flat).collect();
                prop_assert_eq!(flat(resolved).collect::<Vec<_>>(), expected);
            }
            prop_assert!(strong.iter().chain(weak.iter()).all(|one| whole.get(one.name).is_some()));
        }
    }
}
