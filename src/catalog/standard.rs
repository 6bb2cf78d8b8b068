//! The shipped standard profiles, `data/standard-profiles/` (R111).

use std::collections::BTreeMap;
use std::sync::LazyLock;

use rust_embed::Embed;

use crate::domain::standard::StandardProfile;

#[derive(Embed)]
#[folder = "data/standard-profiles"]
struct Files;

/// The names of the profiles' files; beside them lies a list for people.
fn files() -> impl Iterator<Item = impl AsRef<str>> {
    Files::iter().filter(|name| name.ends_with(".toml"))
}

/// All standard profiles by name.
pub fn standard_profiles() -> &'static BTreeMap<String, StandardProfile> {
    static PROFILES: LazyLock<BTreeMap<String, StandardProfile>> = LazyLock::new(|| {
        let contents = files().filter_map(|name| Files::get(name.as_ref()));
        let read = |file: rust_embed::EmbeddedFile| -> StandardProfile {
            let text = std::str::from_utf8(&file.data).expect("a test has read every shipped file");
            toml::from_str(text).expect("a test has read every shipped file")
        };
        contents.map(read).map(|profile| (profile.name.to_string(), profile)).collect()
    });
    &PROFILES
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::catalog::governed::governed;
    use crate::catalog::models::models;
    use crate::catalog::schema::dictionary;
    use crate::domain::provision::master::is_master;
    use crate::domain::resolution::twin_of;
    use crate::domain::standard::{InputKind, is_standard_id};

    #[test]
    fn every_file_is_a_profile_of_its_name() {
        let (mut folded, mut numbers) = (BTreeSet::new(), BTreeSet::new());
        for file in files() {
            let file = file.as_ref();
            let content = Files::get(file).expect("listed");
            let text = std::str::from_utf8(&content.data).expect("text");
            let profile: StandardProfile = toml::from_str(text).unwrap_or_else(|error| panic!("{file}: {error}"));
            assert_eq!(format!("{}.toml", profile.name), file);
            assert!(folded.insert(profile.name.folded()), "{file}");
            assert!(!profile.description.is_empty() && !profile.source.is_empty(), "{file}");
            assert!(
                numbers.insert(profile.number),
                "{file}: the number {} is another one's; numbers are never used again",
                profile.number
            );
            assert!(is_standard_id(profile.id()), "{file}");
        }
        assert_eq!(folded.len(), standard_profiles().len());
        assert!(folded.len() >= 60);
    }

    #[test]
    fn a_profile_asks_for_something_if_its_name_says_so() {
        for profile in standard_profiles().values() {
            assert_eq!(profile.is_template(), !profile.inputs.is_empty(), "{}", profile.name);
            assert!(!profile.parameters.is_empty() || profile.is_template(), "{}", profile.name);
            let mut keys = BTreeSet::new();
            for input in &profile.inputs {
                let says = |what: &str| format!("{}, {}: {what}", profile.name, input.name);
                assert!(!input.parameters.is_empty(), "{}", says("sets nothing"));
                assert!(
                    !["name", "description", "inputs"].contains(&input.name.as_str()),
                    "{}",
                    says("is a field of every copy")
                );
                assert!(keys.insert(&input.name), "{}", says("stands there twice"));
                assert_eq!(input.kind == InputKind::Choice, !input.choices.is_empty(), "{}", says("choices"));
                assert!(!input.required || input.default.is_none(), "{}", says("a default that never counts"));
                if let Some(default) = &input.default {
                    assert_eq!(input.check(default), Ok(Some(default.as_str())), "{}", says("default"));
                }
                for name in &input.parameters {
                    assert!(profile.parameters.get(name.as_str()).is_none(), "{}", says("stands among the parameters, too"));
                }
            }
        }
    }

    /// The parameters of a profile with the values that are known before anybody fills a form.
    fn parameters(profile: &StandardProfile) -> Vec<(&str, Option<&str>)> {
        let set = profile.parameters.iter().map(|(name, value)| (name.as_str(), Some(&**value)));
        let asked =
            profile.inputs.iter().flat_map(|input| input.parameters.iter().map(|name| (name.as_str(), input.default.as_deref())));
        set.chain(asked).collect()
    }

    #[test]
    fn every_parameter_is_in_the_dictionary_with_a_value_that_it_takes() {
        for profile in standard_profiles().values() {
            for (name, value) in parameters(profile) {
                let found = dictionary().find(name).unwrap_or_else(|| panic!("{}: {name} is not described", profile.name));
                assert!(found.is_spelt_so, "{}: {name}", profile.name);
                assert!(!is_master(name), "{}: {name} is of the master file", profile.name);
                if let Some(value) = value {
                    assert_eq!(found.definition.kind.check(value), Ok(()), "{}: {name}={value}", profile.name);
                }
            }
        }
    }

    #[test]
    fn twins_stand_beside_their_parameters_and_families_exist() {
        for profile in standard_profiles().values() {
            let all = parameters(profile);
            let has = |wanted: &str| all.iter().any(|(name, _)| *name == wanted);
            for (name, _) in &all {
                match twin_of(name) {
                    Some(base) => assert!(has(base), "{}: {name} alone", profile.name),
                    None if name.starts_with("device.") => assert!(has(&format!("{name}.set")), "{}: {name}", profile.name),
                    None => {}
                }
            }
            for family in &profile.families {
                assert!(models().family(family).is_some(), "{}: {family}", profile.name);
            }
        }
    }

    #[test]
    fn none_of_them_fights_what_ties_a_phone_to_this_server() {
        use crate::catalog::governed::By;
        let own = ["ProvisioningAccount-TEMPLATE"];
        for profile in standard_profiles().values().filter(|profile| !own.contains(&profile.name.as_str())) {
            for (name, _) in parameters(profile) {
                let by = governed().get(name).map(|one| one.by);
                assert_ne!(by, Some(By::Binding), "{}: {name}", profile.name);
            }
        }
    }
}
