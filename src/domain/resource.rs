//! Resource files: what an admin puts on this server for phones to fetch, such as ring tones, pictures and languages (R215–R221).
//!
//! A file goes by its path below the account's root, which is unique in the form in which paths are compared. Its bytes lie outside the
//! database. Which profiles name it is [`usage`]'s; what a path may be is [`path`]'s; what content it may have is the services' matter.

pub mod path;
pub mod usage;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::field_error::FieldErrors;
use super::ids::ResourceId;
use super::limits::DESCRIPTION_CHARS;
use super::phone_file::location;
use path::ResourcePath;

/// First folder below which every resource file answers, too (contract 4).
pub const FOLDER: &str = "resources";

/// What a file for all devices begins with (R220).
pub const FOR_ALL: &str = "000000000000-";

/// A resource file. Its JSON is the stored form; the bytes lie outside the database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resource {
    /// Key.
    pub id: ResourceId,
    /// Where phones find it.
    pub path: ResourcePath,
    /// Free text.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Bytes of the content.
    pub size_bytes: u64,
    /// SHA-256 of the content, in hexadecimal.
    pub sha256: String,
    /// Name of the content among the blobs.
    pub blob: String,
    /// Width and height of a picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pixels: Option<(u32, u32)>,
    /// When this content was uploaded.
    pub uploaded_at: Timestamp,
    /// Who changed it last; a user's name, or `pdms`.
    pub modified_by: String,
    /// When it was changed last.
    pub modified_at: Timestamp,
    /// Counts changes of content and description (R14).
    #[serde(default)]
    pub revision: u64,
}

impl Resource {
    /// What it is, by its name's ending.
    pub fn kind(&self) -> Kind {
        self.path.kind()
    }
}

/// What a resource file is, by its name's ending (R215).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// `.cfg`.
    Configuration,
    /// `.xml`: languages, directories, call logs, licences.
    Xml,
    /// `.png`, `.jpg`.
    Picture,
    /// `.wav`, `.mp3`: ring tones, music on hold.
    Sound,
    /// `.csv`: line keys.
    Table,
    /// `.txt`, `.log`.
    Text,
    /// `.htm`, `.html`: for the microbrowser.
    WebPage,
    /// `.bak`: backups of devices.
    Backup,
}

/// A name's ending with what it stands for and the type that it is served as.
struct Ending {
    text: &'static str,
    kind: Kind,
    content_type: &'static str,
}

const fn ending(text: &'static str, kind: Kind, content_type: &'static str) -> Ending {
    Ending { text, kind, content_type }
}

/// The endings that are taken (R215).
const ENDINGS: [Ending; 13] = [
    ending("cfg", Kind::Configuration, "text/xml; charset=utf-8"),
    ending("xml", Kind::Xml, "text/xml; charset=utf-8"),
    ending("png", Kind::Picture, "image/png"),
    ending("jpg", Kind::Picture, "image/jpeg"),
    ending("jpeg", Kind::Picture, "image/jpeg"),
    ending("wav", Kind::Sound, "audio/wav"),
    ending("mp3", Kind::Sound, "audio/mpeg"),
    ending("csv", Kind::Table, "text/csv; charset=utf-8"),
    ending("txt", Kind::Text, "text/plain; charset=utf-8"),
    ending("log", Kind::Text, "text/plain; charset=utf-8"),
    ending("htm", Kind::WebPage, "text/html; charset=utf-8"),
    ending("html", Kind::WebPage, "text/html; charset=utf-8"),
    ending("bak", Kind::Backup, "application/octet-stream"),
];

/// The endings that are taken, as a form offers them.
pub fn endings() -> impl Iterator<Item = &'static str> {
    ENDINGS.iter().map(|ending| ending.text)
}

fn of_ending(ending: &str) -> Option<&'static Ending> {
    ENDINGS.iter().find(|known| known.text.eq_ignore_ascii_case(ending))
}

impl Kind {
    /// All of them, in the order of a filter.
    pub const ALL: [Self; 8] =
        [Self::Picture, Self::Sound, Self::Configuration, Self::Xml, Self::Table, Self::Text, Self::WebPage, Self::Backup];

    /// The words of [`Kind::word`], for a list's filter.
    pub const WORDS: [&'static str; 8] = ["picture", "sound", "configuration", "xml", "table", "text", "web-page", "backup"];

    /// Its word in addresses and JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::Xml => "xml",
            Self::Picture => "picture",
            Self::Sound => "sound",
            Self::Table => "table",
            Self::Text => "text",
            Self::WebPage => "web-page",
            Self::Backup => "backup",
        }
    }

    /// What it is called.
    pub fn label(self) -> &'static str {
        match self {
            Self::Configuration => "Configuration",
            Self::Xml => "XML",
            Self::Picture => "Picture",
            Self::Sound => "Sound",
            Self::Table => "Table",
            Self::Text => "Text",
            Self::WebPage => "Web page",
            Self::Backup => "Backup",
        }
    }

    /// Whether a browser may show or play it as what it is: nothing in it can run.
    pub fn is_media(self) -> bool {
        matches!(self, Self::Picture | Self::Sound)
    }

    /// Whether its content is text, to be read on a page.
    pub fn is_text(self) -> bool {
        !self.is_media() && self != Self::Backup
    }
}

/// What is typed of a resource file beside its content.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResourceInput {
    /// Folder below the account's root; empty for none.
    pub folder: String,
    /// The file's name.
    pub name: String,
    /// Free text.
    pub description: String,
}

/// A resource file to take, without its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceDraft {
    /// Where phones find it.
    pub path: ResourcePath,
    /// Free text.
    pub description: String,
}

impl ResourceDraft {
    /// Checks what is typed.
    ///
    /// # Errors
    /// Of `folder`, `name` and `description`.
    pub fn parse(input: &ResourceInput) -> Result<Self, FieldErrors> {
        let mut errors = FieldErrors::new();
        let folder = errors.take("folder", path::check_folder(&input.folder));
        let parsed = folder.and_then(|folder| errors.take("name", ResourcePath::parse(&folder, &input.name)));
        let description = errors.take("description", description(&input.description));
        errors.into_result(parsed.zip(description).map(|(path, description)| Self { path, description }))
    }
}

/// Checks a description.
///
/// # Errors
/// The rule in words.
pub fn description(text: &str) -> Result<String, String> {
    let text = text.trim().to_owned();
    match text.chars().count() {
        0..=DESCRIPTION_CHARS => Ok(text),
        chars => Err(format!("a description has at most {DESCRIPTION_CHARS} characters; this one has {chars}")),
    }
}

/// The resource files of an account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resources {
    all: BTreeMap<ResourceId, Arc<Resource>>,
    by_location: BTreeMap<String, ResourceId>,
}

impl Resources {
    /// These files.
    pub fn new(all: impl IntoIterator<Item = Resource>) -> Self {
        let mut resources = Self::default();
        all.into_iter().for_each(|one| resources.put(Arc::new(one)));
        resources
    }

    /// All of them, by number.
    pub fn all(&self) -> &BTreeMap<ResourceId, Arc<Resource>> {
        &self.all
    }

    /// One by its number.
    pub fn get(&self, id: ResourceId) -> Option<&Arc<Resource>> {
        self.all.get(&id)
    }

    /// The one that a phone asks for; `asked` is a [`location`]. Each answers below [`FOLDER`], too.
    pub fn find(&self, asked: &str) -> Option<&Arc<Resource>> {
        let below = asked.strip_prefix(FOLDER).and_then(|rest| rest.strip_prefix('/'));
        self.all.get(self.by_location.get(below.unwrap_or(asked))?)
    }

    /// Puts one in, new or changed.
    pub fn put(&mut self, resource: Arc<Resource>) {
        self.remove(resource.id);
        self.by_location.insert(resource.path.location(), resource.id);
        self.all.insert(resource.id, resource);
    }

    /// Takes one out.
    pub fn remove(&mut self, id: ResourceId) {
        if let Some(gone) = self.all.remove(&id) {
            self.by_location.remove(&gone.path.location());
        }
    }

    /// Whether a path below the account's root, as a phone is given it, leads to a file of these. What phones replace themselves, in
    /// brackets, may stand for any name.
    pub fn has(&self, path: &str) -> bool {
        let is_fixed = !path.contains('[');
        match location(path) {
            Some(asked) if is_fixed => self.find(&asked).is_some(),
            _ => self.by_location.keys().any(|stored| super::provision::paths::names(path, None, stored)),
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A file of this number under this path.
    pub(in crate::domain) fn resource(id: u64, folder: &str, name: &str) -> Resource {
        Resource {
            id: ResourceId(id),
            path: ResourcePath::parse(folder, name).expect("a path"),
            description: String::new(),
            size_bytes: 1,
            sha256: String::new(),
            blob: String::new(),
            pixels: None,
            uploaded_at: Timestamp::UNIX_EPOCH,
            modified_by: "ada".to_owned(),
            modified_at: Timestamp::UNIX_EPOCH,
            revision: 1,
        }
    }

    #[test]
    fn a_file_is_found_however_a_phone_writes_its_path() {
        let mut resources = Resources::new([resource(1, "", "Ring.wav"), resource(2, "languages", "German.xml")]);
        let found = |path: &str| resources.find(&location(path).unwrap_or_default()).map(|one| one.id.0);
        for (path, id) in [
            ("/ring.wav", Some(1)),
            ("/RING.WAV", Some(1)),
            ("/resources/Ring.wav", Some(1)),
            ("/default/./languages//german.xml", Some(2)),
            ("/resources/languages/german.xml", Some(2)),
            ("/german.xml", None),
            ("/languages/ring.wav", None),
            ("/../ring.wav", None),
            ("/", None),
        ] {
            assert_eq!(found(path), id, "{path}");
        }
        resources.remove(ResourceId(1));
        assert!(resources.find("ring.wav").is_none() && resources.find("languages/german.xml").is_some());
    }

    #[test]
    fn a_file_whose_path_was_written_anew_answers_under_one_path_only() {
        let mut resources = Resources::new([resource(1, "", "a.wav")]);
        resources.put(Arc::new(resource(1, "", "b.wav")));
        assert!(resources.find("a.wav").is_none() && resources.find("b.wav").is_some());
        assert_eq!(resources.all().len(), 1);
    }

    #[test]
    fn what_phones_fill_in_may_stand_for_any_name() {
        let resources = Resources::new([resource(1, "m", "VVX500.cfg")]);
        assert!(resources.has("m/[PHONE_MODEL].cfg") && resources.has("m/vvx500.cfg") && resources.has("resources/m/VVX500.cfg"));
        assert!(!resources.has("[PHONE_MODEL].cfg") && !resources.has("m/VVX600.cfg"));
    }

    #[test]
    fn every_kind_has_a_word_and_an_ending() {
        assert_eq!(Kind::ALL.map(Kind::word), Kind::WORDS);
        for kind in Kind::ALL {
            assert!(ENDINGS.iter().any(|ending| ending.kind == kind), "{kind:?}");
        }
    }

    #[test]
    fn every_wrong_field_is_told_at_once() {
        let wrong = ResourceInput { folder: "../x".to_owned(), name: "a.wav".to_owned(), description: "x".repeat(1_001) };
        let errors = ResourceDraft::parse(&wrong).expect_err("wrong");
        assert_eq!(errors.iter().map(|error| error.field).collect::<Vec<_>>(), ["folder", "description"]);
    }
}
