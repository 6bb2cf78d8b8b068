//! Models and families of devices, and what is known of them.
//!
//! The facts themselves are data (`data/models.toml`, read by the catalog): a new model needs no code. A device of an
//! unknown model is served like any other.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

use super::phone_file::is_part_number;
use super::software::SoftwareVersion;

/// A device type as the guide calls it (R240).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Family {
    /// Name shown, such as `SoundPoint IP`.
    pub name: String,
    /// Other names that people use for it, such as the guide's `SoundPoint`.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// How its model tokens begin in a User-Agent, such as `SPIP_`.
    #[serde(default)]
    pub prefixes: Vec<String>,
    /// What stands in front of the rest of the token in a model's name: `SoundPoint IP ` makes `SPIP_335` a `SoundPoint IP 335`.
    #[serde(default)]
    pub display: String,
    /// What identifies its devices (R3).
    pub key: KeyKind,
    /// Lines that its models have where the model does not say.
    #[serde(default)]
    pub lines: Option<usize>,
    /// Whether a name given here is sent to the device (R233, R234).
    pub takes_name: bool,
    /// Whether its devices have the REST interface.
    pub rest: bool,
    /// The family behind whose devices its own stand: they are no devices here, but take software through those (R133).
    #[serde(default)]
    pub component_of: Option<String>,
    /// The least software with which its devices can be managed (R372).
    #[serde(default)]
    pub minimum: Option<SoftwareVersion>,
    /// What an older one shows.
    #[serde(default)]
    pub symptom: String,
    /// The last release that there is for its models, or how that begins.
    #[serde(default)]
    pub last_release: Option<SoftwareVersion>,
}

/// What identifies the devices of a family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyKind {
    /// The MAC address.
    Mac,
    /// The serial number.
    Serial,
}

/// One model.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// Name shown, such as `VVX 411`.
    pub name: String,
    /// Name of its [`Family`].
    pub family: String,
    /// Lines that it has by itself, without modules beside it.
    #[serde(default)]
    pub lines: Option<usize>,
    /// Tokens in User-Agents where the family's prefix does not give this name.
    #[serde(default)]
    pub tokens: Vec<String>,
    /// Part numbers, the usual one first (protocol/provisioning.md 4.3). Phones put theirs in front of image names.
    #[serde(default)]
    pub part_numbers: Vec<String>,
    /// Software versions that the guide names as tested (R241).
    #[serde(default)]
    pub tested: Vec<String>,
    /// The last release that there is for it, or how that begins, where it is another one than its family's.
    #[serde(default)]
    pub last_release: Option<SoftwareVersion>,
}

/// Lines of a device of which nothing is known.
const LINES_OF_THE_UNKNOWN: usize = 6;

/// How well a kind of device is known (R375).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Support {
    /// The guide names it as tested.
    Supported,
    /// Its kind is known; it is served to the best of our knowledge.
    Known,
    /// Nothing is known of it; it is served like any other.
    Unknown,
}

impl Support {
    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Supported => "supported",
            Self::Known => "known",
            Self::Unknown => "unknown",
        }
    }
}

/// All families and models, with the ways to look them up.
#[derive(Clone, Debug)]
pub struct ModelTable {
    families: Vec<Family>,
    models: Vec<Model>,
    by_token: HashMap<String, usize>,
    by_part_number: HashMap<String, usize>,
}

/// What is wrong with a model table.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ModelTableError {
    /// Two entries share a name, token or part number.
    #[error("“{0}” stands in the model table twice")]
    Twice(String),
    /// A model names a family that is not there.
    #[error("model “{0}” is of the unknown family “{1}”")]
    Family(String, String),
    /// A text that is no part number.
    #[error("model “{0}” has “{1}”, which is no part number")]
    PartNumber(String, String),
}

impl ModelTable {
    /// Checks and indexes the families and models.
    pub fn new(families: Vec<Family>, models: Vec<Model>) -> Result<Self, ModelTableError> {
        let mut names = HashSet::new();
        for name in families.iter().flat_map(|f| f.aliases.iter().chain([&f.name])).chain(models.iter().map(|m| &m.name)) {
            if !names.insert(folded(name)) {
                return Err(ModelTableError::Twice(name.clone()));
            }
        }
        for family in &families {
            if let Some(of) = family.component_of.as_ref().filter(|of| families.iter().all(|one| one.name != **of)) {
                return Err(ModelTableError::Family(family.name.clone(), of.clone()));
            }
        }
        let (mut by_token, mut by_part_number) = (HashMap::new(), HashMap::new());
        for (i, model) in models.iter().enumerate() {
            if !families.iter().any(|f| f.name == model.family) {
                return Err(ModelTableError::Family(model.name.clone(), model.family.clone()));
            }
            for token in &model.tokens {
                if by_token.insert(folded(token), i).is_some() {
                    return Err(ModelTableError::Twice(token.clone()));
                }
            }
            for part in &model.part_numbers {
                if !is_part_number(part) {
                    return Err(ModelTableError::PartNumber(model.name.clone(), part.clone()));
                }
                if by_part_number.insert(part.clone(), i).is_some() {
                    return Err(ModelTableError::Twice(part.clone()));
                }
            }
        }
        Ok(Self { families, models, by_token, by_part_number })
    }

    /// Family and model name that a token of a User-Agent means: `SPIP_335` is the `SoundPoint IP 335` of `SoundPoint IP`.
    /// A model that is not in the table gets the name that its family's rule makes.
    pub fn recognise(&self, token: &str) -> Option<(&str, String)> {
        if let Some(model) = self.by_token.get(&folded(token)).and_then(|i| self.models.get(*i)) {
            return Some((&model.family, model.name.clone()));
        }
        self.families.iter().find_map(|family| {
            let rest = family.prefixes.iter().find_map(|prefix| strip_prefix_ignoring_case(token, prefix))?;
            let rest = rest.trim_matches('_').replace('_', " ");
            (!rest.is_empty()).then(|| (family.name.as_str(), format!("{}{rest}", family.display)))
        })
    }

    /// A family by its name or another name of it, in any letter case.
    pub fn family(&self, name: &str) -> Option<&Family> {
        let wanted = folded(name);
        self.families.iter().find(|f| folded(&f.name) == wanted || f.aliases.iter().any(|a| folded(a) == wanted))
    }

    /// A model by its name, in any letter case and with or without blanks: `vvx411` is the `VVX 411`.
    pub fn model(&self, name: &str) -> Option<&Model> {
        let wanted = folded(name);
        self.models.iter().find(|m| folded(&m.name) == wanted)
    }

    /// How well a device of this model, or else of this family, is known (R375).
    pub fn support(&self, model: Option<&str>, family: Option<&str>) -> Support {
        let entry = model.and_then(|name| self.model(name));
        match (entry, family.and_then(|name| self.family(name))) {
            (Some(entry), _) if !entry.tested.is_empty() => Support::Supported,
            (None, None) => Support::Unknown,
            _ => Support::Known,
        }
    }

    /// The family that the name of a model tells: one of the table, a new one of a known series such as `VVX 999`, or a
    /// family's own name.
    pub fn family_of_model(&self, name: &str) -> Option<&Family> {
        let listed = || self.model(name).map(|model| model.family.as_str());
        let token = name.trim().replace([' ', '-'], "_");
        let family = listed().or_else(|| self.recognise(&token).map(|(family, _)| family)).unwrap_or(name);
        self.family(family)
    }

    /// Lines that a device has by what is known of its model or family; six where nothing is.
    pub fn lines(&self, model: Option<&str>, family: Option<&str>) -> usize {
        let entry = model.and_then(|name| self.model(name));
        let family = || match (entry, model) {
            (Some(entry), _) => self.family(&entry.family),
            (None, Some(name)) => self.family_of_model(name),
            (None, None) => family.and_then(|name| self.family(name)),
        };
        entry.and_then(|model| model.lines).or_else(|| family()?.lines).unwrap_or(LINES_OF_THE_UNKNOWN)
    }

    /// The model that a part number belongs to.
    pub fn by_part_number(&self, part_number: &str) -> Option<&Model> {
        self.by_part_number.get(part_number).and_then(|i| self.models.get(*i))
    }

    /// The families whose devices are managed, in the order of the guide.
    pub fn families(&self) -> impl Iterator<Item = &Family> {
        self.families.iter().filter(|family| family.component_of.is_none())
    }

    /// Families that have software: those of devices, then those of what stands beside them.
    pub fn families_with_software(&self) -> impl Iterator<Item = &Family> {
        self.families().chain(self.families.iter().filter(|family| family.component_of.is_some()))
    }

    /// The families that stand behind devices of a family.
    pub fn components_of(&self, family: &str) -> impl Iterator<Item = &Family> {
        self.families.iter().filter(move |one| one.component_of.as_deref() == Some(family))
    }

    /// The last release that there is for a model, or how that begins.
    pub fn last_release(&self, model: Option<&str>, family: &str) -> Option<&SoftwareVersion> {
        let of_model = model.and_then(|name| self.model(name)).and_then(|model| model.last_release.as_ref());
        of_model.or_else(|| self.family(family)?.last_release.as_ref())
    }

    /// All models.
    pub fn models(&self) -> &[Model] {
        &self.models
    }
}

/// Whether two texts spell one model.
pub fn same_model(one: &str, other: &str) -> bool {
    folded(one) == folded(other)
}

/// The form that spellings of one name share: `VVX_411`, `VVX 411` and `vvx411`.
fn folded(text: &str) -> String {
    text.chars().filter(|c| !matches!(c, ' ' | '_' | '-')).flat_map(char::to_lowercase).collect()
}

fn strip_prefix_ignoring_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (start, rest) = text.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn family(name: &str, prefix: &str) -> Family {
        Family {
            lines: None,
            name: name.to_owned(),
            aliases: Vec::new(),
            prefixes: vec![prefix.to_owned()],
            display: format!("{name} "),
            key: KeyKind::Mac,
            takes_name: false,
            rest: true,
            component_of: None,
            minimum: None,
            symptom: String::new(),
            last_release: None,
        }
    }

    fn model(name: &str, tokens: &[&str], part_numbers: &[&str]) -> Model {
        let own = |texts: &[&str]| texts.iter().map(|t| (*t).to_owned()).collect();
        Model {
            lines: None,
            name: name.to_owned(),
            family: "A".to_owned(),
            tokens: own(tokens),
            part_numbers: own(part_numbers),
            tested: Vec::new(),
            last_release: None,
        }
    }

    #[test]
    fn r375_a_model_is_supported_where_the_guide_tested_it_and_known_where_its_family_is() {
        let tested = Model { tested: vec!["5.9.0".to_owned()], ..model("A 1", &[], &[]) };
        let table = ModelTable::new(vec![family("A", "AX_")], vec![tested, model("A 2", &[], &[])]).expect("a good table");
        assert_eq!(table.support(Some("a 1"), Some("A")), Support::Supported);
        assert_eq!(table.support(Some("A 2"), Some("A")), Support::Known);
        assert_eq!(table.support(Some("A 9"), Some("A")), Support::Known);
        assert_eq!(table.support(Some("B 1"), Some("B")), Support::Unknown);
        assert_eq!(table.support(None, None), Support::Unknown);
    }

    #[test]
    fn a_token_is_first_looked_up_and_then_built_from_its_family() {
        let table =
            ModelTable::new(vec![family("A", "AX_")], vec![model("A Visual+", &["AX_Visual"], &[])]).expect("a good table");
        assert_eq!(table.recognise("ax_visual"), Some(("A", "A Visual+".to_owned())));
        assert_eq!(table.recognise("AX_77_b"), Some(("A", "A 77 b".to_owned())));
        assert_eq!(table.recognise("AX_"), None);
        assert_eq!(table.recognise("é"), None);
    }

    #[test]
    fn the_name_of_a_model_tells_its_family() {
        let table = ModelTable::new(vec![family("A", "AX_")], vec![model("M 1", &[], &[])]).expect("a good table");
        let told = |name: &str| table.family_of_model(name).map(|family| family.name.as_str());
        assert_eq!((told("m1"), told("AX 77"), told("a"), told("other")), (Some("A"), Some("A"), Some("A"), None));
    }

    #[test]
    fn faults_of_the_table_are_told() {
        let twice = |e: &str| Some(ModelTableError::Twice(e.to_owned()));
        assert_eq!(ModelTable::new(vec![family("A", "x"), family("a", "y")], vec![]).err(), twice("a"));
        assert_eq!(
            ModelTable::new(vec![family("A", "x")], vec![model("M", &["t"], &[]), model("N", &["T"], &[])]).err(),
            twice("T")
        );
        assert_eq!(
            ModelTable::new(vec![family("B", "x")], vec![model("M", &[], &[])]).err(),
            Some(ModelTableError::Family("M".to_owned(), "A".to_owned()))
        );
        assert_eq!(
            ModelTable::new(vec![family("A", "x")], vec![model("M", &[], &["43111-46161-001"])]).err(),
            Some(ModelTableError::PartNumber("M".to_owned(), "43111-46161-001".to_owned()))
        );
    }
}
