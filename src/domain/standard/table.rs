//! The standard profiles of this version, as resolution and pages find them beside an account's own.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::{Installed, StandardProfile};
use crate::domain::ids::ProfileId;
use crate::domain::profile::{Profile, ProfileKind};

/// A standard profile with what makes it a profile like any other.
#[derive(Clone, Debug)]
pub struct Standard {
    /// As its file has it.
    pub shipped: &'static StandardProfile,
    /// What is attached, merged and shown. Its date is that of the version that brought it onto this server (R118).
    pub profile: Arc<Profile>,
}

/// All of them by number.
#[derive(Clone, Debug, Default)]
pub struct StandardTable(BTreeMap<ProfileId, Standard>);

impl StandardTable {
    /// The table of what is shipped; what is remembered of each says since when it is here.
    pub fn new(shipped: impl Iterator<Item = &'static StandardProfile>, installed: &[Installed]) -> Self {
        let known: BTreeMap<u32, &Installed> = installed.iter().map(|one| (one.number, one)).collect();
        let entry = |shipped: &'static StandardProfile| {
            let known = known.get(&shipped.number);
            let profile = Profile {
                id: shipped.id(),
                name: shipped.name.clone(),
                description: shipped.description.clone(),
                kind: ProfileKind::Standard,
                software: Vec::new(),
                parameters: shipped.parameters.clone(),
                yields: false,
                modified_by: known.map_or_else(|| "pdms".to_owned(), |known| format!("pdms {}", known.version)),
                modified_at: known.map_or(Timestamp::UNIX_EPOCH, |known| known.at),
                revision: 1,
            };
            (profile.id, Standard { shipped, profile: Arc::new(profile) })
        };
        Self(shipped.map(entry).collect())
    }

    /// The one with this number.
    pub fn get(&self, id: ProfileId) -> Option<&Standard> {
        self.0.get(&id)
    }

    /// All of them, by number.
    pub fn iter(&self) -> impl Iterator<Item = &Standard> {
        self.0.values()
    }
}
