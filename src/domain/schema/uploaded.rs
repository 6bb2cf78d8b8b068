//! Schemas that an account's admins uploaded, and which of them counts (R138, R143).

use std::fmt;
use std::sync::{Arc, LazyLock};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Schema;
use super::advice::{Advice, Oddity};
use crate::domain::ids::SchemaId;
use crate::domain::names::Name;

/// An uploaded schema. Its JSON is the stored form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Uploaded {
    /// Key.
    pub id: SchemaId,
    /// Unique among the schemas of the account without regard to letter case.
    pub name: Name,
    /// The family of devices that it is of; none: of no particular one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family: Option<String>,
    /// The software version that it is of, or how that begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// What the file was called.
    pub file: String,
    /// Parameters that it declares, each index by itself.
    pub parameters: usize,
    /// Who uploaded it.
    pub uploaded_by: String,
    /// When.
    pub uploaded_at: Timestamp,
    /// The file.
    pub content: Packed,
}

/// A file made small. In JSON it is Base64.
#[derive(Clone, PartialEq, Eq)]
pub struct Packed(pub Arc<[u8]>);

/// Its content is of no use in a log.
impl fmt::Debug for Packed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} packed bytes", self.0.len())
    }
}

impl Serialize for Packed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Packed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        STANDARD.decode(text).map(|bytes| Self(bytes.into())).map_err(serde::de::Error::custom)
    }
}

/// Which schema counts for everything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InUse {
    /// The dictionary that comes with the server.
    #[default]
    Dictionary,
    /// An uploaded one, over the dictionary.
    Uploaded(SchemaId),
}

impl InUse {
    /// The uploaded one.
    pub fn uploaded(self) -> Option<SchemaId> {
        match self {
            Self::Dictionary => None,
            Self::Uploaded(id) => Some(id),
        }
    }
}

/// What an account has chosen. Its JSON is the stored form.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SchemaChoice {
    /// What counts.
    #[serde(default)]
    pub current: InUse,
    /// What counted before; none where nothing else did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<InUse>,
    /// Whether values that the schema rules out are refused (R141).
    #[serde(default)]
    pub refuses: bool,
    /// Counts changes (R14).
    #[serde(default)]
    pub revision: u64,
}

/// A schema that is read when it is first asked for.
pub type Reading = LazyLock<Schema, Box<dyn FnOnce() -> Schema + Send>>;

/// An uploaded schema with its parameters.
#[derive(Clone, Debug)]
pub struct Shelved {
    /// What is stored of it.
    pub uploaded: Arc<Uploaded>,
    /// Its parameters, without those of any other schema.
    pub schema: Arc<Reading>,
}

/// What counts: a shipped one, or one that was made of several.
#[derive(Clone, Debug)]
enum Counts {
    Shipped(&'static Schema),
    Made(Arc<Reading>),
}

/// All schemas of an account.
#[derive(Clone, Debug)]
pub struct Schemas {
    /// What is chosen.
    pub choice: SchemaChoice,
    /// The uploaded ones, by their numbers.
    pub shelf: Vec<Shelved>,
    counts: Counts,
}

impl Default for Schemas {
    /// A world without any schema.
    fn default() -> Self {
        static EMPTY: LazyLock<Schema> = LazyLock::new(Schema::default);
        Self::shipped(&EMPTY)
    }
}

impl Schemas {
    /// An account that uploaded nothing.
    pub fn shipped(dictionary: &'static Schema) -> Self {
        Self { choice: SchemaChoice::default(), shelf: Vec::new(), counts: Counts::Shipped(dictionary) }
    }

    /// The uploaded ones over the dictionary. A choice of one that is not there is that of the dictionary.
    pub fn new(dictionary: &'static Schema, choice: SchemaChoice, shelf: Vec<Shelved>) -> Self {
        let chosen = choice.current.uploaded().and_then(|id| shelf.iter().find(|one| one.uploaded.id == id)).cloned();
        let counts = match chosen {
            None => Counts::Shipped(dictionary),
            Some(chosen) => {
                let make = move || Schema::over(chosen.schema.iter().cloned().collect(), dictionary);
                Counts::Made(Arc::new(LazyLock::new(Box::new(make))))
            }
        };
        Self { choice, shelf, counts }
    }

    /// What counts in every search and check.
    pub fn current(&self) -> &Schema {
        match &self.counts {
            Counts::Shipped(schema) => schema,
            Counts::Made(schema) => schema,
        }
    }

    /// An uploaded one.
    pub fn get(&self, id: SchemaId) -> Option<&Shelved> {
        self.shelf.iter().find(|one| one.uploaded.id == id)
    }

    /// The uploaded one that is of a device: of its family, and of the longest version that its software begins with. One that names
    /// no version is of all of them.
    pub fn of_device(&self, family: Option<&str>, version: Option<&str>) -> Option<&Shelved> {
        let fits = |of: &Uploaded| {
            let is_family =
                of.family.as_deref().is_some_and(|name| family.is_some_and(|family| family.eq_ignore_ascii_case(name)));
            let begins = |wanted: &str| version.is_some_and(|version| is_of_version(version, wanted));
            is_family && of.version.as_deref().is_none_or(begins)
        };
        let fitting = self.shelf.iter().filter(|one| fits(&one.uploaded));
        fitting.max_by_key(|one| (one.uploaded.version.as_ref().map_or(0, String::len), one.uploaded.id))
    }

    /// What is odd about a parameter of a device: what [`super::advice::of`] says, and whether the schema of its software does not have it
    /// (R143).
    pub fn advise_device(&self, family: Option<&str>, version: Option<&str>, name: &str, value: &str) -> Option<Advice> {
        let own = self.of_device(family, version);
        let Some(own) = own.filter(|own| !own.schema.is_empty()) else { return super::advice::of(self.current(), name, value) };
        match super::advice::of(&own.schema, name, value) {
            Some(Advice { name, oddity: Oddity::Unknown }) => Some(Advice { name, oddity: Oddity::NotIn(own.uploaded.title()) }),
            told => told,
        }
    }
}

impl Uploaded {
    /// What it is called beside a parameter: its name with the version that it is of.
    pub fn title(&self) -> String {
        match &self.version {
            Some(version) if !self.name.as_str().contains(version.as_str()) => format!("{} {version}", self.name),
            _ => self.name.to_string(),
        }
    }
}

/// Whether a version is another one or begins with all of its parts: 5.9.4.3247 is of 5.9.4, and 5.9.40 is not.
fn is_of_version(version: &str, wanted: &str) -> bool {
    version.strip_prefix(wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-', ' ']) || wanted.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::schema::{Definition, Kind, exact_numbers};

    fn schema(names: &[&str]) -> Schema {
        let definition = |name: &&str| Definition {
            name: (**name).into(),
            numbers: exact_numbers(name),
            kind: Kind::Switch,
            default: None,
            text: "".into(),
            restarts: None,
            is_secret: false,
        };
        Schema::new(names.iter().map(definition).collect())
    }

    fn shelved(id: u64, family: &str, version: Option<&str>, names: &'static [&str]) -> Shelved {
        let uploaded = Uploaded {
            id: SchemaId(id),
            name: Name::parse(&format!("UCS {id}")).expect("a name"),
            family: Some(family.to_owned()),
            version: version.map(str::to_owned),
            file: "polycomConfig.xsd".to_owned(),
            parameters: names.len(),
            uploaded_by: "ada".to_owned(),
            uploaded_at: Timestamp::UNIX_EPOCH,
            content: Packed(Arc::from(*b"packed")),
        };
        Shelved { uploaded: Arc::new(uploaded), schema: Arc::new(LazyLock::new(Box::new(move || schema(names)))) }
    }

    fn own() -> &'static Schema {
        static OWN: LazyLock<Schema> = LazyLock::new(|| schema(&["a.own", "a.both"]));
        &OWN
    }

    #[test]
    fn the_chosen_one_counts_over_the_dictionary() {
        let shelf = vec![shelved(1, "VVX", None, &["a.new", "a.both"])];
        let choice = SchemaChoice { current: InUse::Uploaded(SchemaId(1)), ..SchemaChoice::default() };
        let known = |choice| -> Vec<bool> {
            let schemas = Schemas::new(own(), choice, shelf.clone());
            ["a.own", "a.both", "a.new"].map(|name| schemas.current().find(name).is_some()).to_vec()
        };
        assert_eq!(known(choice), [true, true, true]);
        assert_eq!(known(SchemaChoice::default()), [true, true, false]);
        assert_eq!(known(SchemaChoice { current: InUse::Uploaded(SchemaId(9)), ..choice }), [true, true, false]);
    }

    #[test]
    fn a_device_is_advised_by_the_schema_of_its_software() {
        let shelf = vec![
            shelved(1, "VVX", None, &["a.old"]),
            shelved(2, "VVX", Some("5.9.4"), &["a.both"]),
            shelved(3, "Trio", None, &["a.both"]),
        ];
        let schemas = Schemas::new(own(), SchemaChoice::default(), shelf);
        let of = |family, version| schemas.of_device(family, version).map(|one| one.uploaded.id.0);
        assert_eq!(of(Some("VVX"), Some("5.9.4.3247")), Some(2));
        assert_eq!(of(Some("vvx"), Some("5.9.40.1")), Some(1));
        assert_eq!((of(Some("VVX"), None), of(None, None), of(Some("CCX"), None)), (Some(1), None, None));
        let told = |name| schemas.advise_device(Some("VVX"), Some("5.9.4"), name, "1").map(|advice| advice.to_string());
        assert_eq!(told("a.own").as_deref(), Some("not known in UCS 2 5.9.4"));
        assert_eq!(told("a.both"), None);
        assert!(schemas.advise_device(None, None, "a.old", "1").is_some_and(|advice| advice.oddity == Oddity::Unknown));
    }

    #[test]
    fn a_packed_file_survives_its_stored_form() {
        let stored = serde_json::to_value(&*shelved(1, "VVX", None, &[]).uploaded).expect("a stored form");
        let again: Uploaded = serde_json::from_value(stored).expect("readable");
        assert_eq!(&*again.content.0, b"packed");
    }
}
