//! What a phone remembers across restarts: flash, configuration, overrides, directory, software (rules 2–9, 24, 25).

use std::collections::BTreeMap;

use super::files::Parameters;
use super::firmware::Software;
use super::flash::Flash;
use super::rules::{Rule, Rules};

/// Values that stand above the files: the phone's menu, its web pages, a management server (rule 6).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    /// The values.
    pub values: Parameters,
    /// Whether they changed since they were last uploaded.
    pub changed: bool,
}

/// The three kinds of overrides, highest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// The phone's menu and REST: `-phone.cfg`.
    Phone,
    /// The web pages: `-web.cfg`.
    Web,
    /// A management server: `-cloud.cfg`.
    Cloud,
}

impl Layer {
    /// The end of the file's name.
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::Phone => "-phone.cfg",
            Self::Web => "-web.cfg",
            Self::Cloud => "-cloud.cfg",
        }
    }
}

/// A contact directory: the phone's own once it has uploaded or fetched one, else the seed (rule 24).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directory {
    /// The file.
    pub body: Vec<u8>,
    /// Whether it is the phone's own.
    pub own: bool,
}

/// What came of one listed file.
pub type Fetched = Option<Parameters>;

/// The state of a phone that survives a restart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Memory {
    /// `device.*` values.
    pub flash: Flash,
    /// The listed files of the last configuration that was taken up, leftmost first.
    pub files: Vec<(String, Parameters)>,
    /// Parameters of former files that stay, in the alternative reading of rule 3.
    left_over: Parameters,
    /// Overrides, highest first.
    overrides: [Overrides; 3],
    /// Contact directory.
    pub directory: Option<Directory>,
    /// Directory attributes of the last master file.
    pub directories: BTreeMap<String, String>,
    /// Software.
    pub software: Software,
    /// A factory reset was made and the phone has had no overrides since (rule 7).
    after_reset: bool,
    /// The first line registered at some time: without line values the desk is dead then.
    worked: bool,
}

/// What taking up a configuration came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// The files were taken up; otherwise the former values stay.
    pub taken: bool,
    /// A value in flash changed that restarts a phone (rule 9).
    pub flash_restart: bool,
    /// A parameter changed that needs a restart when it comes by a poll (rule 21).
    pub needs_restart: bool,
}

/// How the first line stands (rule 25).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// The phone has no line and never had one.
    None,
    /// Everything that a registration needs is there.
    Registered,
    /// Line values without a server or credentials, or none at all where there was a line before.
    Dead,
}

/// Beginnings of the names whose change needs a restart. The real list is a flag of each parameter; this stands in for it.
const NEEDS_RESTART: &[&str] = &["reg.", "voIpProt.", "sec.TLS.", "tcpIpApp.port", "apps.restapi."];

impl Memory {
    /// A phone from the box.
    pub fn new(software: Software) -> Self {
        Self {
            flash: Flash::default(),
            files: Vec::new(),
            left_over: Parameters::new(),
            overrides: Default::default(),
            directory: None,
            directories: BTreeMap::new(),
            software,
            after_reset: false,
            worked: false,
        }
    }

    /// The overrides of one kind.
    pub fn overrides(&self, layer: Layer) -> &Overrides {
        &self.overrides[layer as usize]
    }

    /// The overrides of one kind, to be changed.
    pub fn overrides_mut(&mut self, layer: Layer) -> &mut Overrides {
        &mut self.overrides[layer as usize]
    }

    /// The value that counts: overrides above files, the leftmost file first (rules 4, 6); `device.*` from flash alone (rule 8).
    pub fn effective(&self, name: &str) -> Option<&str> {
        if name.starts_with("device.") {
            return self.flash.get(name);
        }
        let overrides = self.overrides.iter().map(|layer| &layer.values);
        let files = self.files.iter().map(|(_, parameters)| parameters);
        overrides.chain(files).chain([&self.left_over]).find_map(|layer| layer.get(name)).map(String::as_str)
    }

    /// All parameters that count, but for those in flash.
    pub fn all(&self) -> Parameters {
        let overrides = self.overrides.iter().map(|layer| &layer.values);
        let files = self.files.iter().map(|(_, parameters)| parameters);
        let mut all = Parameters::new();
        for layer in overrides.chain(files).chain([&self.left_over]) {
            for (name, value) in layer.iter().filter(|(name, _)| !name.starts_with("device.")) {
                all.entry(name.clone()).or_insert_with(|| value.clone());
            }
        }
        all
    }

    /// Takes up the files that a master listed, in its order (rules 3–5, 8).
    pub fn apply(&mut self, listed: Vec<(String, Fetched)>, rules: Rules) -> Applied {
        let keeps_missing = rules.alternative(Rule::MissingFile);
        if listed.iter().any(|(_, file)| file.is_none()) && !keeps_missing {
            return Applied::default();
        }
        let before = self.all();
        let former = std::mem::take(&mut self.files);
        self.files = listed
            .into_iter()
            .filter_map(|(name, file)| {
                let of_before = || former.iter().find(|(old, _)| *old == name).map(|(_, parameters)| parameters.clone());
                let parameters = file.or_else(of_before)?;
                Some((name, parameters))
            })
            .collect();
        if rules.alternative(Rule::FormerList) {
            for (_, parameters) in former {
                self.left_over.extend(parameters);
            }
        }
        let flash_restart = self.flash.take_up(&self.files_merged());
        let after = self.all();
        let changed = |name: &&String| before.get(*name) != after.get(*name);
        let needs_restart = before
            .keys()
            .chain(after.keys())
            .filter(changed)
            .any(|name| NEEDS_RESTART.iter().any(|start| name.starts_with(start)));
        Applied { taken: true, flash_restart, needs_restart }
    }

    /// The listed files as one set, the leftmost winning.
    fn files_merged(&self) -> Parameters {
        let mut merged = Parameters::new();
        for (name, value) in self.files.iter().flat_map(|(_, parameters)| parameters) {
            merged.entry(name.clone()).or_insert_with(|| value.clone());
        }
        merged
    }

    /// Takes in the answer to an override file: `Some` is what the server keeps, `None` that it keeps none (rules 6, 7).
    /// What was changed here since is newer than what the server keeps.
    pub fn take_overrides(&mut self, layer: Layer, kept: Option<Parameters>, rules: Rules) {
        let ignored = self.after_reset && rules.alternative(Rule::OverridesAfterReset);
        let own = self.overrides_mut(layer);
        match kept {
            _ if own.changed => {}
            Some(values) if !ignored => own.values = values,
            None if rules.alternative(Rule::MissingOverrides) => own.values.clear(),
            _ => {}
        }
    }

    /// Someone changes a value at the phone (rule 6).
    pub fn change(&mut self, layer: Layer, name: &str, value: &str) {
        self.after_reset = false;
        let own = self.overrides_mut(layer);
        own.values.insert(name.to_owned(), value.to_owned());
        own.changed = true;
    }

    /// Everything but the software goes (rules 7, 8).
    pub fn factory_reset(&mut self) {
        *self = Self { after_reset: true, ..Self::new(self.software.clone()) };
    }

    /// How the first line stands (rule 25).
    pub fn line(&self) -> Line {
        let has = |name: &str| self.effective(name).is_some_and(|value| !value.is_empty());
        let any = ["reg.1.address", "reg.1.auth.userId", "reg.1.auth.password", "reg.1.server.1.address"].into_iter().any(has);
        let server = has("reg.1.server.1.address") || has("voIpProt.server.1.address");
        match (has("reg.1.address") && server && has("reg.1.auth.userId") && has("reg.1.auth.password"), any || self.worked) {
            (true, _) => Line::Registered,
            (false, true) => Line::Dead,
            (false, false) => Line::None,
        }
    }

    /// Notes at the end of a run whether the line registers.
    pub fn note_line(&mut self) {
        self.worked |= self.line() == Line::Registered;
    }
}
