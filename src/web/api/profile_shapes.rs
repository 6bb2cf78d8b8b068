//! Profiles as JSON. Only shapes; [`super::profiles`] has the operations.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::deployment::PlaceShape;
use super::standard_shapes::StandardShape;
use crate::catalog::models::models;
use crate::domain::activity::MASK;
use crate::domain::deployment::Place;
use crate::domain::field_error::FieldErrors;
use crate::domain::parameter::{ParameterSet, masked};
use crate::domain::profile::draft::{ParameterEdit, ProfileDraft, ProfileInput, apply};
use crate::domain::profile::hints::{self, Hint};
use crate::domain::profile::{MODE, Profile, ProfileKind};
use crate::domain::provision::warnings_of;
use crate::domain::reach::Reach;
use crate::domain::schema::advice::Advice;
use crate::domain::software::{self, SoftwareChoice};
use crate::domain::world::World;
use crate::services::deployment::Target;
use crate::services::lists::profiles::ListedProfile;
use crate::services::profiles::Uses;
use crate::services::schema;

/// A profile without its parameters.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ProfileSummary {
    /// Key.
    pub id: u64,
    /// Name.
    pub name: String,
    /// Free text.
    pub description: String,
    /// Whose devices it is for.
    #[schema(example = "polycom-phone-provision")]
    pub mode: String,
    /// `user-defined`, `user-imported` or `standard`.
    pub kind: String,
    /// Whether it asks for something first: then it can be copied, and not attached.
    pub template: bool,
    /// Whether its parameters count only where nothing else sets them, as those with values for phones' flash do.
    #[serde(default)]
    pub yields: bool,
    /// How many parameters it has.
    pub parameter_count: usize,
    /// How many devices get it. Told in the list; `uses` tells more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_count: Option<usize>,
    /// What the search found that is not shown, such as `parameter: reg.1.address`; absent where that is name, description or person.
    /// Told in the list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Who changed it last.
    pub modified_by: String,
    /// When it was changed last.
    pub modified_at: Timestamp,
    /// Counts changes; send it back with a change.
    pub revision: u64,
}

impl ProfileSummary {
    /// A profile as a list has it.
    pub fn listed(ListedProfile { profile, why }: &ListedProfile<'_>, reach: &Reach) -> Self {
        let device_count = Some(reach.of_profile(profile.id));
        Self { device_count, why: why.map(|(what, text)| format!("{what}: {text}")), ..Self::new(profile) }
    }

    /// A profile.
    pub fn new(profile: &Profile) -> Self {
        Self {
            device_count: None,
            why: None,
            id: profile.id.0,
            name: profile.name.to_string(),
            description: profile.description.clone(),
            mode: MODE.0.to_owned(),
            kind: kind_word(profile.kind).to_owned(),
            template: profile.is_template(),
            yields: profile.yields,
            parameter_count: profile.parameters.len(),
            modified_by: profile.modified_by.clone(),
            modified_at: profile.modified_at,
            revision: profile.revision,
        }
    }
}

fn kind_word(kind: ProfileKind) -> &'static str {
    match kind {
        ProfileKind::UserDefined => "user-defined",
        ProfileKind::UserImported => "user-imported",
        ProfileKind::Software => "software",
        ProfileKind::Standard => "standard",
    }
}

/// A profile with its parameters.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ProfileShape {
    /// All but the parameters.
    #[serde(flatten)]
    pub summary: ProfileSummary,
    /// Versions of software that it chooses, one a family. A missing image is told among the warnings.
    pub software: Vec<ChoiceShape>,
    /// Parameters by name; secret values are masked.
    pub parameters: BTreeMap<String, String>,
    /// Of a standard profile: where it comes from, and what a template asks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standard: Option<StandardShape>,
    /// What phones will make of it that may not be meant, with what to do about it; empty where all is well.
    pub warnings: Vec<String>,
    /// What the dictionary finds odd about names and values. Nothing of it is refused: phones take more than it knows.
    pub advice: Vec<AdviceShape>,
    /// Whether it does one thing, and what in it can put a phone out of reach. Never an error.
    pub hints: Vec<HintShape>,
}

/// The version that a profile chooses for the devices of a family.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChoiceShape {
    /// The family, such as `VVX`; that of a component beside a device too, such as `RealPresence Group Series`.
    pub family: String,
    /// The version, such as `5.9.8.5760`.
    pub version: String,
}

impl ChoiceShape {
    /// What is chosen, checked.
    fn parse(all: &[Self]) -> Result<Vec<SoftwareChoice>, FieldErrors> {
        let typed: Vec<_> = all.iter().map(|one| (one.family.clone(), one.version.clone())).collect();
        software::choices(&typed, models())
    }

    fn of(choice: &SoftwareChoice) -> Self {
        Self { family: choice.family.clone(), version: choice.version.to_string() }
    }
}

/// Advice about a profile as a whole.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct HintShape {
    /// `several-features`, `provisioning-address`, `network`, `dns`, `admin-password`, `ca`, `polling-off`, or `rest-off`.
    pub kind: String,
    /// The parameter that it is about; absent where it is about all of them.
    pub parameter: Option<String>,
    /// In words.
    pub message: String,
}

impl From<Hint> for HintShape {
    fn from(hint: Hint) -> Self {
        Self { kind: hint.word().to_owned(), parameter: hint.parameter().map(str::to_owned), message: hint.to_string() }
    }
}

/// Something odd about a parameter.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct AdviceShape {
    /// The parameter.
    pub parameter: String,
    /// `unknown` to the dictionary, `spelling` where the letter case is another one there, `value`, or `not-in-schema` where the schema of
    /// the device's software does not have it.
    pub kind: String,
    /// What is odd, in words.
    pub message: String,
}

impl From<Advice> for AdviceShape {
    fn from(advice: Advice) -> Self {
        let (kind, message) = (advice.oddity.word().to_owned(), advice.to_string());
        Self { parameter: advice.name, kind, message }
    }
}

impl ProfileShape {
    /// A profile of a world.
    pub fn new(profile: &Profile, world: &World) -> Self {
        let parameters = profile.parameters.iter();
        let parameters = parameters.map(|(name, value)| (name.to_string(), masked(name.as_str(), value).into_owned()));
        let warnings = warnings_of([profile], world).iter().map(ToString::to_string).collect();
        let standard = world.standard.get(profile.id).map(|standard| standard.shipped.into());
        let advice = schema::advise(world.schemas.current(), &profile.parameters).into_iter().map(AdviceShape::from).collect();
        let hints = hints::of(profile).into_iter().map(HintShape::from).collect();
        let software = profile.software.iter().map(ChoiceShape::of).collect();
        Self {
            summary: ProfileSummary::new(profile),
            software,
            parameters: parameters.collect(),
            standard,
            warnings,
            advice,
            hints,
        }
    }
}

/// A profile to create, or in whose place another is put.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewProfile {
    /// Name.
    name: String,
    /// Free text.
    #[serde(default)]
    description: String,
    /// Parameters by name. A masked secret stays as it was.
    #[serde(default)]
    parameters: BTreeMap<String, String>,
    /// Versions of software that it chooses; where a profile is replaced and this is absent, its choice stays.
    #[serde(default)]
    software: Option<Vec<ChoiceShape>>,
    /// The revision that the change was made from. Only where a profile is replaced.
    pub(super) revision: Option<u64>,
}

impl NewProfile {
    /// The profile that it makes of one that is there. What was sent as a mask is what is there, and nothing that was typed.
    pub(super) fn over(&self, profile: &Profile) -> Result<ProfileDraft, FieldErrors> {
        let present = &profile.parameters;
        let mut draft = ProfileDraft::parse(&self.input(Some(present))?)?;
        draft.software = self.software.as_deref().map_or_else(|| Ok(profile.software.clone()), ChoiceShape::parse)?;
        for (name, _) in self.parameters.iter().filter(|(name, value)| is_mask_of(name, value, present)) {
            if let Some((name, value)) = present.entry(name) {
                draft.parameters.insert(name.clone(), std::sync::Arc::clone(value));
            }
        }
        Ok(draft)
    }

    /// A profile that is not there yet.
    pub(super) fn draft(&self) -> Result<ProfileDraft, FieldErrors> {
        let draft = ProfileDraft::parse(&self.input(None)?)?;
        Ok(ProfileDraft { software: ChoiceShape::parse(self.software.as_deref().unwrap_or_default())?, ..draft })
    }

    /// What was typed, with masks replaced by what `present` has.
    fn input(&self, present: Option<&ParameterSet>) -> Result<ProfileInput, FieldErrors> {
        let mut errors = FieldErrors::new();
        let parameters = self.parameters.iter();
        let parameters = parameters.map(|(name, value)| (name.clone(), unmasked(name, value, present, &mut errors))).collect();
        errors.into_result(Some(ProfileInput { name: self.name.clone(), description: self.description.clone(), parameters }))
    }
}

/// The value that is meant: the present one where its mask came back, whole or the masked password of an address in it.
fn unmasked(name: &str, value: &str, present: Option<&ParameterSet>, errors: &mut FieldErrors) -> String {
    if !value.contains(MASK) {
        return value.to_owned();
    }
    let kept = present.filter(|present| is_mask_of(name, value, present)).and_then(|present| present.get(name));
    if kept.is_none() {
        errors.add("parameters", format_args!("{name}: this is the mask of another value; send the value itself"));
    }
    kept.unwrap_or_default().to_owned()
}

/// Whether this is the mask of the value that a parameter has.
fn is_mask_of(name: &str, value: &str, present: &ParameterSet) -> bool {
    value.contains(MASK) && present.get(name).is_some_and(|kept| masked(name, kept) == value)
}

/// Changes of a profile; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProfileChanges {
    /// The revision that the change was made from.
    pub(super) revision: u64,
    /// Name.
    name: Option<String>,
    /// Free text.
    description: Option<String>,
    /// Parameters to set, by name. A masked secret stays as it was.
    #[serde(default)]
    set: BTreeMap<String, String>,
    /// Names of parameters to take out.
    #[serde(default)]
    remove: Vec<String>,
    /// Versions of software to choose in place of those that it chose; an empty list for none.
    #[serde(default)]
    software: Option<Vec<ChoiceShape>>,
}

impl ProfileChanges {
    /// The profile after the changes.
    pub(super) fn draft(self, present: &Profile) -> Result<ProfileDraft, FieldErrors> {
        let mut errors = FieldErrors::new();
        let mut edits = Vec::new();
        for (name, value) in &self.set {
            if is_mask_of(name, value, &present.parameters) {
                continue;
            }
            let value = unmasked(name, value, Some(&present.parameters), &mut errors);
            edits.extend(named(&mut errors, "set", name, ParameterEdit::set(name, &value)));
        }
        for name in &self.remove {
            edits.extend(named(&mut errors, "remove", name, ParameterEdit::remove(name)));
        }
        let described = ProfileInput {
            name: self.name.unwrap_or_else(|| present.name.to_string()),
            description: self.description.unwrap_or_else(|| present.description.clone()),
            parameters: Vec::new(),
        };
        let draft = match ProfileDraft::parse(&described) {
            Ok(draft) => Some(draft),
            Err(wrong) => {
                wrong.iter().for_each(|error| errors.add(error.field, &error.message));
                None
            }
        };
        let parameters = errors.take("parameters", apply(&present.parameters, &edits));
        let software = match self.software.as_deref().map(ChoiceShape::parse) {
            None => present.software.clone(),
            Some(Ok(software)) => software,
            Some(Err(wrong)) => {
                errors.extend(wrong);
                Vec::new()
            }
        };
        errors.into_result(draft.zip(parameters).map(|(draft, parameters)| ProfileDraft { parameters, software, ..draft }))
    }
}

/// An edit, or its errors under the field that the caller knows, with the parameter's name.
fn named(
    errors: &mut FieldErrors,
    field: &'static str,
    name: &str,
    edit: Result<ParameterEdit, FieldErrors>,
) -> Option<ParameterEdit> {
    match edit {
        Ok(edit) => Some(edit),
        Err(wrong) => {
            wrong.iter().for_each(|error| errors.add(field, format_args!("{name}: {}", error.message)));
            None
        }
    }
}

/// Where a profile is or was attached.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct UsesShape {
    /// Whether it is attached to all devices.
    pub global: bool,
    /// Places that it is attached to, but for devices.
    pub places: Vec<PlaceShape>,
    /// Devices that it is attached to itself.
    pub devices: Vec<String>,
    /// How many devices it reaches, by whatever place.
    pub affected: usize,
}

impl UsesShape {
    /// Uses of a profile in a world.
    pub fn new(Uses { places, devices, affected }: Uses, world: &World) -> Self {
        let devices = devices.iter().map(ToString::to_string).collect();
        let global = places.contains(&Place::Global);
        let places = places.into_iter().map(|place| PlaceShape::new(&Target::Place(place), world)).collect();
        Self { global, places, devices, affected }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::testing::parameter_set;

    #[test]
    fn what_was_read_can_be_written_again() {
        let present =
            parameter_set(&[("device.prov.password", "hunter2"), ("log.x", "ftp://u:hunter3@h/"), ("reg.1.label", "Desk")]);
        let read: BTreeMap<_, _> = present.iter().map(|(n, v)| (n.to_string(), masked(n.as_str(), v).into_owned())).collect();
        assert!(!read.values().any(|value| value.contains("hunter")), "{read:?}");
        let sent =
            NewProfile { name: "A".to_owned(), description: String::new(), parameters: read, software: None, revision: Some(1) };
        let input = sent.input(Some(&present)).expect("masks of what is there");
        assert_eq!(
            ProfileDraft::parse(&input).map(|d| d.parameters.get("log.x").map(str::to_owned)),
            Ok(Some("ftp://u:hunter3@h/".to_owned()))
        );
        assert!(input.parameters.contains(&("device.prov.password".to_owned(), "hunter2".to_owned())));
        let wrong = sent.input(None).expect_err("a mask of nothing");
        assert!(wrong.of("parameters").is_some_and(|message| message.contains("device.prov.password")));
    }
}
