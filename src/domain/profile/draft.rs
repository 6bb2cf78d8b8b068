//! What an admin typed about a profile, checked: forms and JSON share these rules (R30–R33, R119–R123).

use std::sync::Arc;

use crate::domain::credential::check_admin_password;
use crate::domain::field_error::FieldErrors;
use crate::domain::limits::{DESCRIPTION_CHARS, PARAMETERS_PER_PROFILE};
use crate::domain::names::Name;
use crate::domain::parameter::{ParameterName, ParameterSet, before_set, check_value, is_foreign_mask, is_of_device};
use crate::domain::provision::master::{self, MasterError};
use crate::domain::software::SoftwareChoice;

/// The fields of a profile as they were typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProfileInput {
    /// Name.
    pub name: String,
    /// Free text.
    pub description: String,
    /// Names and values of parameters; a name that stands twice gets its last value (R123).
    pub parameters: Vec<(String, String)>,
}

/// A profile to create, or what is to be changed of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProfileDraft {
    /// Name.
    pub name: Name,
    /// Free text.
    pub description: String,
    /// Versions of software that it chooses.
    pub software: Vec<SoftwareChoice>,
    /// Parameters to begin with; twins are added.
    pub parameters: ParameterSet,
    /// Whether they count only where nothing else says them.
    pub yields: bool,
}

/// One change of a profile's parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParameterEdit {
    /// Sets a value, in place of the one there was (R123).
    Set(ParameterName, Arc<str>),
    /// Takes a parameter out.
    Remove(ParameterName),
}

impl ProfileDraft {
    /// Checks the fields of a profile.
    ///
    /// # Errors
    /// Every field that breaks a rule; of the parameters every one.
    pub fn parse(input: &ProfileInput) -> Result<Self, FieldErrors> {
        let mut errors = FieldErrors::new();
        let name = errors.take("name", profile_name(&input.name));
        let description = input.description.trim().to_owned();
        let chars = description.chars().count();
        if chars > DESCRIPTION_CHARS {
            errors.add(
                "description",
                format_args!("a description has at most {DESCRIPTION_CHARS} characters; this one has {chars}"),
            );
        }
        let mut parameters = ParameterSet::new();
        for (name, value) in &input.parameters {
            match parameter(name, value) {
                Ok(name) => drop(parameters.insert(name, value.as_str())),
                Err(error) => errors.add("parameters", format_args!("{name}: {error}")),
            }
        }
        let parameters = with_twins(parameters);
        if let Err(message) = check_count(&parameters) {
            errors.add("parameters", message);
        }
        errors.into_result(name.map(|name| Self { name, description, software: Vec::new(), parameters, yields: false }))
    }
}

impl ParameterEdit {
    /// Checks a custom field: a name and its value (R122).
    ///
    /// # Errors
    /// Of the fields `parameter` and `value`.
    pub fn set(name: &str, value: &str) -> Result<Self, FieldErrors> {
        let mut errors = FieldErrors::new();
        let name = errors.take("parameter", ParameterName::parse(name.trim()));
        errors.take("value", check_value(value));
        if let Some(name) = &name {
            match master::check(name.as_str(), value) {
                Ok(()) => {}
                Err(error @ MasterError::Prefix) => errors.add("parameter", error),
                Err(error) => errors.add("value", error),
            }
            errors.take("value", check_admin_password(name.as_str(), value));
            errors.take("value", check_mask(name.as_str(), value));
        }
        errors.into_result(name.map(|name| Self::Set(name, value.into())))
    }

    /// Checks the name of a parameter to take out.
    ///
    /// # Errors
    /// Of the field `parameter`.
    pub fn remove(name: &str) -> Result<Self, FieldErrors> {
        ParameterName::parse(name.trim()).map(Self::Remove).map_err(|error| FieldErrors::one("parameter", error))
    }
}

/// Does edits in their order. A `device.x` that comes in gets its `.set` twin, without which no phone takes it; one that is
/// taken out takes its twin along (contract 5.2). A twin that is given stays as it is given.
///
/// # Errors
/// In words, when there are more parameters than a profile may have.
pub fn apply(parameters: &ParameterSet, edits: &[ParameterEdit]) -> Result<ParameterSet, String> {
    let mut edited = parameters.clone();
    let given = |twin: &str| edits.iter().any(|edit| matches!(edit, ParameterEdit::Set(name, _) if name.as_str() == twin));
    for edit in edits {
        match edit {
            ParameterEdit::Set(name, value) => {
                edited.insert(name.clone(), Arc::clone(value));
                if let Some(twin) = twin_name(name).filter(|twin| edited.get(twin.as_str()).is_none() && !given(twin.as_str())) {
                    edited.insert(twin, "1");
                }
            }
            ParameterEdit::Remove(name) => {
                edited.remove(name.as_str());
                if let Some(twin) = twin_name(name) {
                    edited.remove(twin.as_str());
                }
            }
        }
    }
    check_count(&edited).map(|()| edited)
}

/// A parameter or master attribute with everything that its name and value must keep.
fn parameter(name: &str, value: &str) -> Result<ParameterName, String> {
    let name = ParameterName::parse(name.trim()).map_err(|error| error.to_string())?;
    check_parameter(&name, value)?;
    Ok(name)
}

/// Whether a parameter or master attribute may have this value.
///
/// # Errors
/// In words.
pub fn check_parameter(name: &ParameterName, value: &str) -> Result<(), String> {
    check_value(value).map_err(|error| error.to_string())?;
    master::check(name.as_str(), value).map_err(|error| error.to_string())?;
    check_admin_password(name.as_str(), value)?;
    check_mask(name.as_str(), value)
}

/// Whether a secret is a value, and not what some program shows in its place.
///
/// # Errors
/// In words.
pub fn check_mask(name: &str, value: &str) -> Result<(), String> {
    let told = "this is the mask that a program shows in place of a secret, and not the secret; enter the value itself, or leave the \
                parameter out";
    if is_foreign_mask(name, value) { Err(told.to_owned()) } else { Ok(()) }
}

fn with_twins(mut parameters: ParameterSet) -> ParameterSet {
    let missing: Vec<_> = parameters
        .iter()
        .filter_map(|(name, _)| twin_name(name))
        .filter(|twin| parameters.get(twin.as_str()).is_none())
        .collect();
    for twin in missing {
        parameters.insert(twin, "1");
    }
    parameters
}

/// The `.set` twin that a parameter has, unless it is one.
fn twin_name(name: &ParameterName) -> Option<ParameterName> {
    let text = name.as_str();
    // `device.set` is the switch over all of them; a twin has no twin.
    if !is_of_device(text) || before_set(text).is_some() {
        return None;
    }
    ParameterName::parse(&format!("{text}.set")).ok()
}

/// Whether there are no more parameters than a profile may have, in words if not.
pub fn check_count(parameters: &ParameterSet) -> Result<(), String> {
    match parameters.len() {
        count if count > PARAMETERS_PER_PROFILE => {
            Err(format!("a profile has at most {PARAMETERS_PER_PROFILE} parameters; this one would have {count}. Split it"))
        }
        _ => Ok(()),
    }
}

/// The rule of all names, with a message of its own for what cannot stand in a file name (R32).
fn profile_name(text: &str) -> Result<Name, String> {
    match text.chars().find(|c| matches!(c, '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|')) {
        Some(c) => Err(format!("“{c}” cannot stand in a profile's name, because it cannot stand in a file's name")),
        None => Name::parse(text).map_err(|error| error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn phn_03_the_admin_password_of_the_factory_is_refused_and_the_guides_is_not() {
        let name = "device.auth.localAdminPassword";
        let wrong = super::ParameterEdit::set(name, "456").expect_err("everybody knows it");
        assert!(wrong.of("value").is_some_and(|message| message.contains("factory")), "{wrong:?}");
        assert!(super::ParameterEdit::set(name, "789").is_ok() && super::ParameterEdit::set("up.timeOut", "456").is_ok());
        let typed = |value: &str| super::ProfileInput {
            name: "Passwords".to_owned(),
            parameters: vec![(name.to_owned(), value.to_owned())],
            ..super::ProfileInput::default()
        };
        assert!(super::ProfileDraft::parse(&typed("456")).is_err() && super::ProfileDraft::parse(&typed("789")).is_ok());
    }

    use super::*;
    use crate::domain::testing::parameter_set;

    fn set(name: &str, value: &str) -> ParameterEdit {
        ParameterEdit::set(name, value).expect("a good edit")
    }

    #[test]
    fn every_wrong_field_is_told_at_once() {
        let wrong = ProfileInput {
            name: "a:b".to_owned(),
            description: "x".repeat(DESCRIPTION_CHARS + 1),
            parameters: vec![
                ("1a".to_owned(), String::new()),
                ("a".to_owned(), "\u{1}".to_owned()),
                ("b".to_owned(), "1".to_owned()),
            ],
        };
        let errors = ProfileDraft::parse(&wrong).expect_err("wrong");
        assert_eq!(errors.iter().map(|e| e.field).collect::<Vec<_>>(), ["name", "description", "parameters", "parameters"]);
        assert!(errors.of("name").is_some_and(|message| message.contains("“:” cannot stand")));
    }

    #[test]
    fn a_device_parameter_brings_its_twin_unless_it_is_given() {
        let before = ParameterSet::new();
        let after =
            apply(&before, &[set("device.sntp.serverName", "a"), set("device.set", "1"), set("reg.1.set", "2")]).expect("few");
        assert_eq!(
            after,
            parameter_set(&[
                ("device.set", "1"),
                ("device.sntp.serverName", "a"),
                ("device.sntp.serverName.set", "1"),
                ("reg.1.set", "2")
            ])
        );
        let given = apply(&before, &[set("device.x", "a"), set("device.x.set", "0")]).expect("few");
        assert_eq!(given, parameter_set(&[("device.x", "a"), ("device.x.set", "0")]));
        let kept = apply(&given, &[set("device.x", "b")]).expect("few");
        assert_eq!(kept.get("device.x.set"), Some("0"), "what somebody chose stays");
    }

    #[test]
    fn a_device_parameter_takes_its_twin_along() {
        let before = parameter_set(&[("device.x", "a"), ("device.x.set", "1"), ("device.y", "b")]);
        let after = apply(&before, &[ParameterEdit::remove("device.x").expect("a name")]).expect("few");
        assert_eq!(after, parameter_set(&[("device.y", "b")]));
    }

    #[test]
    fn a_new_profile_has_the_twins_too() {
        let input = ProfileInput {
            name: "A".to_owned(),
            parameters: vec![("device.x".to_owned(), "1".to_owned())],
            ..Default::default()
        };
        assert_eq!(
            ProfileDraft::parse(&input).expect("good").parameters,
            parameter_set(&[("device.x", "1"), ("device.x.set", "1")])
        );
    }

    #[test]
    fn attributes_of_the_master_file_have_rules_of_their_own() {
        let long = "x".repeat(300);
        let fields = |name, value| {
            let errors = ParameterEdit::set(name, value).err();
            errors.map(|errors| errors.iter().map(|error| error.field).collect::<Vec<_>>()).unwrap_or_default()
        };
        assert_eq!(fields("_site", "x"), ["parameter"]);
        assert_eq!(fields("APP_FILE_PATH", &long), ["value"]);
        assert_eq!(fields("_mac_cfg_site", "x"), [""; 0]);
        let input = ProfileInput {
            name: "A".to_owned(),
            parameters: vec![("_site".to_owned(), "x".to_owned()), ("MISC_FILES".to_owned(), long.clone())],
            ..Default::default()
        };
        let errors = ProfileDraft::parse(&input).expect_err("both are wrong");
        assert_eq!(errors.iter().count(), 2);
    }

    #[test]
    fn the_number_of_parameters_is_held_at_its_limit() {
        let many = |count: usize| {
            (0..count).map(|i| (ParameterName::parse(&format!("p.{i}")).expect("a name"), Arc::from(""))).collect()
        };
        let full: ParameterSet = many(PARAMETERS_PER_PROFILE);
        assert!(apply(&full, &[set("p.0", "x")]).is_ok());
        assert!(apply(&full, &[set("q", "x")]).is_err());
    }
}
