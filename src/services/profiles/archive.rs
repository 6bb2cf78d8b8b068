//! Profiles as a ZIP archive: one file a profile and a manifest, out and in again (R128). An archive of all profiles also says where they
//! are attached (`deployed.rs`).
//!
//! `packing.rs` writes one; what is in an archive is read by `unpacking.rs`, which trusts nothing.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::deployed::{self, Deployment};
pub use super::deployed::{Attach, Attached};
use super::packing;
use super::unpacking::{self, read};
use super::{add, check_name, parameter_changes, software_changes};
use crate::domain::access::{Action, Actor, authorize};
use crate::domain::activity::{Event, MASK};
use crate::domain::field_error::FieldErrors;
use crate::domain::ids::{AccountId, ProfileId};
use crate::domain::limits::ARCHIVE_PROFILES;
use crate::domain::names::folded;
use crate::domain::parameter::{ParameterName, ParameterSet};
use crate::domain::profile::draft::{ProfileDraft, ProfileInput};
use crate::domain::profile::{Profile, ProfileKind};
use crate::domain::resolution::twin_of;
use crate::domain::software::{SoftwareChoice, choices};
use crate::domain::world::World;
use crate::services::commit::{Mode, perform};
use crate::services::error::ServiceError;
use crate::services::import::FILE;
use crate::services::{Services, schema};
use crate::xml;

/// The list of what is in the archive.
pub(super) const MANIFEST: &str = "manifest.json";
/// What the manifest says it is.
pub(super) const FORMAT: &str = "pdms profiles";
/// What an archive says of itself.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Manifest {
    pub(super) format: String,
    pub(super) version: u32,
    /// The program that wrote it.
    pub(super) written_by: String,
    pub(super) profiles: Vec<Member>,
}

/// One profile of an archive.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Member {
    pub(super) file: String,
    pub(super) name: String,
    #[serde(default)]
    pub(super) description: String,
    /// Versions of software that it chooses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) software: Vec<SoftwareChoice>,
    /// Whether its parameters count only where nothing else says them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) yields: bool,
    /// Parameters whose values are masked in the file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) masked: Vec<String>,
}

/// How secrets are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secrets {
    /// Masked: the archive can be shown to anybody.
    Masked,
    /// In clear: takes the right to see them, and is noted.
    Clear,
}

/// Writes user-defined profiles as an archive: those that are named, or all.
///
/// # Errors
/// [`ServiceError::NotFound`]; of `ids` for profiles that are not user-defined (R128); [`ServiceError::Denied`] for
/// secrets in clear without the right; [`ServiceError::Conflict`] for more than an archive that comes in again may have.
pub fn export(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    wanted: Option<&BTreeSet<ProfileId>>,
    secrets: Secrets,
) -> Result<Vec<u8>, ServiceError> {
    let world = services.world(account)?;
    let profiles: Vec<_> = match wanted {
        None => world.profiles.values().filter(|profile| profile.kind == ProfileKind::UserDefined).cloned().collect(),
        Some(ids) => ids.iter().map(|id| super::find(&world, *id)).collect::<Result<_, _>>()?,
    };
    if let Some(other) = profiles.iter().find(|profile| profile.kind != ProfileKind::UserDefined) {
        let message = format!("“{}” is not user-defined: only those are exported", other.name);
        return Err(FieldErrors::one("ids", message).into());
    }
    if profiles.len() > ARCHIVE_PROFILES {
        let count = profiles.len();
        return Err(ServiceError::Conflict(format!(
            "an archive has at most {ARCHIVE_PROFILES} profiles; these are {count}. Export them in parts"
        )));
    }
    match secrets {
        Secrets::Masked => drop(authorize(actor, Action::Look(account))?),
        Secrets::Clear => {
            let grant = authorize(actor, Action::Reveal(account))?;
            perform(services, Mode::Keep, grant, account, |change| {
                for profile in &profiles {
                    change.record(Event::new("profile", profile.name.to_string(), "exported with its secrets"))?;
                }
                if profiles.is_empty() {
                    change.leave_as_is();
                }
                Ok(())
            })?;
        }
    }
    let deployment = wanted.is_none().then(|| Deployment::of(services, &world));
    packing::write(&profiles, secrets, deployment.as_ref()).map_err(|why| {
        ServiceError::Conflict(format!("{why}. What is exported must come in again: choose profiles and export them in parts"))
    })
}

/// What becomes of one profile of an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// There is none of its name.
    New,
    /// One of its name gets its parameters: how many come, go, and change.
    Replaced {
        /// The profile of that name.
        id: ProfileId,
        /// Parameters that come.
        added: usize,
        /// Parameters that go.
        removed: usize,
        /// Parameters that change.
        changed: usize,
    },
    /// One of its name is the same already.
    Unchanged,
    /// It cannot be taken.
    Refused(String),
}

impl Fate {
    /// A word for programs and pages.
    pub fn word(&self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Replaced { .. } => "replaced",
            Self::Unchanged => "unchanged",
            Self::Refused(_) => "refused",
        }
    }
}

/// One profile of an archive with what becomes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// Its name as the archive has it.
    pub name: String,
    /// Its file in the archive.
    pub file: String,
    /// Parameters that it would have.
    pub parameters: usize,
    /// Secrets that the archive does not tell and that no profile here has: they are left out.
    pub lost_secrets: usize,
    /// What becomes of it.
    pub fate: Fate,
    draft: Option<ProfileDraft>,
}

/// What an archive does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Each profile, in the order of the archive.
    pub profiles: Vec<Planned>,
    /// Whether the archive says where profiles are attached.
    pub has_deployment: bool,
    /// What was attached again, or would be; none where that was not asked for.
    pub attached: Option<Attached>,
    deployment: Option<Deployment>,
}

impl Plan {
    /// How many come to something.
    pub fn count(&self, word: &str) -> usize {
        self.profiles.iter().filter(|one| one.fate.word() == word).count()
    }

    /// Whether it can be taken: whole, or not at all.
    pub fn is_doable(&self) -> bool {
        let attaches = self.attached.as_ref().is_some_and(|attached| !attached.is_empty());
        self.count("refused") == 0 && (self.count("new") + self.count("replaced") > 0 || attaches)
    }
}

/// What an archive does to the profiles as they are now.
///
/// # Errors
/// Of the field [`FILE`] for what is no archive of profiles.
pub fn plan(services: &Services, actor: &Actor, account: AccountId, archive: &[u8]) -> Result<Plan, ServiceError> {
    let world = services.world(account)?;
    let members = read(archive).map_err(|message| FieldErrors::one(FILE, message))?;
    let deployment = unpacking::deployment(archive).map_err(|message| FieldErrors::one(FILE, message))?;
    // Who could have exported secrets is told that one is the same (SEC-05).
    let compares_secrets = authorize(actor, Action::Reveal(account)).is_ok();
    // By their names, once for all: there may be thousands on both sides.
    let present: HashMap<String, &Profile> = world.all_profiles().map(|one| (one.name.folded(), &**one)).collect();
    let mut names = BTreeSet::new();
    let planned = members.into_iter().map(|(member, bytes)| {
        let planned = planned(&world, &present, (&member, &bytes), compares_secrets);
        let is_second = !names.insert(folded(&member.name));
        let refused = is_second.then(|| Fate::Refused("the archive has this name twice".to_owned()));
        Planned { fate: refused.unwrap_or(planned.fate), ..planned }
    });
    Ok(Plan { profiles: planned.collect(), has_deployment: deployment.is_some(), attached: None, deployment })
}

fn planned(world: &World, present: &HashMap<String, &Profile>, (member, bytes): (&Member, &[u8]), compares: bool) -> Planned {
    let mut planned = Planned {
        name: member.name.clone(),
        file: member.file.clone(),
        parameters: 0,
        lost_secrets: 0,
        fate: Fate::New,
        draft: None,
    };
    let present = present.get(&folded(&member.name)).copied();
    if let Some(other) = present.filter(|profile| profile.kind != ProfileKind::UserDefined) {
        planned.fate = Fate::Refused(format!("“{}” is the name of a profile that is not user-defined", other.name));
        return planned;
    }
    match draft(member, bytes, present.map(|profile| &profile.parameters)) {
        Err(why) => planned.fate = Fate::Refused(why),
        Ok((mut draft, lost)) => {
            let typed: Vec<_> = member.software.iter().map(|one| (one.family.clone(), one.version.to_string())).collect();
            match choices(&typed, world.models) {
                Ok(software) => draft.software = software,
                Err(wrong) => {
                    planned.fate = Fate::Refused(wrong.to_string());
                    return planned;
                }
            }
            if let Some(present) = present.filter(|_| compares) {
                keep_same(&mut draft.parameters, &present.parameters);
            }
            (planned.parameters, planned.lost_secrets) = (draft.parameters.len(), lost);
            if let Err(wrong) = schema::refuse_changes(world, &ParameterSet::new(), &draft.parameters) {
                planned.fate = Fate::Refused(wrong.to_string());
                return planned;
            }
            match present {
                Some(profile) => planned.fate = compared(profile, &draft),
                None => {
                    if let Err(wrong) = super::refuse_reserved(&draft.name) {
                        planned.fate = Fate::Refused(wrong.to_string());
                        return planned;
                    }
                }
            }
            planned.draft = Some(draft);
        }
    }
    planned
}

/// Puts the text that is there in place of the same text that was brought: it counts as kept.
fn keep_same(parameters: &mut ParameterSet, present: &ParameterSet) {
    for (name, value) in present.iter() {
        if parameters.get(name.as_str()) == Some(&**value) {
            parameters.insert(name.clone(), Arc::clone(value));
        }
    }
}

fn compared(profile: &Profile, draft: &ProfileDraft) -> Fate {
    let (old, new) = (&profile.parameters, &draft.parameters);
    let again = new.typed_again(old).count();
    if old == new
        && again == 0
        && (&profile.description, &profile.software, profile.yields) == (&draft.description, &draft.software, draft.yields)
    {
        return Fate::Unchanged;
    }
    let added = new.iter().filter(|(name, _)| old.get(name.as_str()).is_none()).count();
    let removed = old.iter().filter(|(name, _)| new.get(name.as_str()).is_none()).count();
    let changed = new.iter().filter(|(name, value)| old.get(name.as_str()).is_some_and(|old| *old != ***value)).count() + again;
    Fate::Replaced { id: profile.id, added, removed, changed }
}

/// The profile that a member makes, and how many of its secrets are lost: those that the archive masks and nobody here knows.
fn draft(member: &Member, bytes: &[u8], present: Option<&ParameterSet>) -> Result<(ProfileDraft, usize), String> {
    let entries = xml::read::parameters(bytes).map_err(|error| error.to_string())?;
    let masked: BTreeSet<&str> = member.masked.iter().map(String::as_str).collect();
    let mut lost = BTreeSet::new();
    let mut kept = Vec::new();
    let mut is_kept = BTreeSet::new();
    for entry in entries {
        if !masked.contains(entry.name.as_str()) && !entry.value.contains(MASK) {
            kept.push((entry.name, entry.value));
            continue;
        }
        match present.and_then(|present| present.get(&entry.name)) {
            Some(value) => {
                is_kept.insert(entry.name.clone());
                kept.push((entry.name, value.to_owned()));
            }
            None => {
                lost.insert(entry.name.to_ascii_lowercase());
            }
        }
    }
    // Without its value a twin says nothing.
    kept.retain(|(name, _)| twin_of(name).is_none_or(|base| !lost.contains(&base.to_ascii_lowercase())));
    let input = ProfileInput { name: member.name.clone(), description: member.description.clone(), parameters: Vec::new() };
    let mut draft = ProfileDraft::parse(&input).map_err(|wrong| wrong.to_string())?;
    draft.yields = member.yields;
    let checked = ProfileInput { parameters: kept, ..input };
    let wanted: BTreeMap<_, _> = checked.parameters.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    ProfileDraft::parse(&checked).map_err(|wrong| wrong.to_string())?;
    // As it was written: a twin that was taken out on purpose does not come back.
    for (name, value) in wanted {
        let name = ParameterName::parse(name).map_err(|error| error.to_string())?;
        // What is kept is the text that is there, and nothing that was typed.
        let stored = present.and_then(|present| present.get_shared(name.as_str())).filter(|stored| ***stored == *value);
        match stored.filter(|_| is_kept.contains(name.as_str())) {
            Some(stored) => draft.parameters.insert(name.clone(), Arc::clone(stored)),
            None => draft.parameters.insert(name, value),
        };
    }
    Ok((draft, lost.len()))
}

/// Takes an archive: all of it, or nothing where one profile cannot be taken. Places that are not there are told, and keep nothing out.
///
/// # Errors
/// As [`plan`]; of the field [`FILE`] with each profile that cannot be taken.
pub fn take(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    archive: &[u8],
    attach: Attach,
    mode: Mode,
) -> Result<Plan, ServiceError> {
    let grant = authorize(actor, Action::EditProfiles(account))?;
    let mut plan = plan(services, actor, account, archive)?;
    let mut errors = FieldErrors::new();
    for one in &plan.profiles {
        if let Fate::Refused(why) = &one.fate {
            errors.add(FILE, format_args!("{}: {why}", one.name));
        }
    }
    errors.into_result(Some(()))?;
    plan.attached = perform(services, mode, grant, account, |change| {
        let world = services.world(account)?;
        let taken: BTreeSet<String> = world.all_profiles().map(|one| one.name.folded()).collect();
        let (mut is_none, mut made) = (true, Vec::new());
        for one in &plan.profiles {
            let Some(draft) = one.draft.clone() else { continue };
            match &one.fate {
                Fate::New => {
                    if taken.contains(&draft.name.folded()) {
                        check_name(&world, &draft.name, None)?;
                    }
                    made.push(add(change, draft, "imported")?);
                    is_none = false;
                }
                Fate::Replaced { id, .. } => {
                    let old = super::find_own(&world, *id)?;
                    let mut new = Profile::clone(&old);
                    (new.description, new.parameters) = (draft.description, draft.parameters);
                    (new.software, new.yields) = (draft.software, draft.yields);
                    new.revision += 1;
                    new.modified_at = change.now();
                    change.actor().clone_into(&mut new.modified_by);
                    let event = Event::new("profile", new.name.to_string(), "replaced by an import");
                    let event = software_changes(event, &old, &new);
                    change.record(parameter_changes(event, &old.parameters, &new.parameters))?;
                    change.put_profile(new)?;
                    is_none = false;
                }
                Fate::Unchanged | Fate::Refused(_) => {}
            }
        }
        let deployment = plan.deployment.as_ref().filter(|_| attach == Attach::Yes);
        let attached = match deployment {
            Some(deployment) => Some(deployed::attach(services, actor, change, &world, deployment, &made)?),
            None => None,
        };
        if is_none && attached.as_ref().is_none_or(Attached::is_empty) {
            change.leave_as_is();
        }
        Ok(attached)
    })?;
    Ok(plan)
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write as _};

    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::packing::write;
    use super::*;
    use crate::domain::limits::IMPORT_BYTES;
    use crate::domain::testing::profile;

    fn archive(members: &[(&str, &[u8])]) -> Vec<u8> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, content) in members {
            zip.start_file(*name, SimpleFileOptions::default()).expect("a member");
            zip.write_all(content).expect("written");
        }
        zip.finish().expect("an archive").into_inner()
    }

    #[test]
    fn what_is_written_reads_back_and_secrets_are_masked() {
        let secret = [("device.net.dot1x.password", "CANARY"), ("device.net.dot1x.password.set", "1")];
        let one = Arc::new(profile(1, &[secret[0], secret[1], ("reg.1.label", "a \"b\" <c>\n&d")]));
        let write = |secrets| read(&write(std::slice::from_ref(&one), secrets, None).expect("written")).expect("readable");
        let read_back = write(Secrets::Masked);
        let (member, bytes) = &read_back[0];
        assert!(!String::from_utf8_lossy(bytes).contains("CANARY") && member.masked == ["device.net.dot1x.password"]);
        let (kept, lost) = draft(member, bytes, Some(&one.parameters)).expect("a profile");
        assert_eq!((&kept.parameters, lost), (&one.parameters, 0), "a secret that is here already stays");
        let (new, lost) = draft(member, bytes, None).expect("a profile");
        assert_eq!((new.parameters.len(), lost), (1, 1), "the twin goes where its value goes");
        let clear = write(Secrets::Clear);
        assert_eq!(draft(&clear[0].0, &clear[0].1, None).expect("a profile").0.parameters, one.parameters);
    }

    #[test]
    fn an_archive_that_has_a_name_twice_is_refused() {
        let mut twice = archive(&[("a.cfg", b"<a b='1'/>"), ("b.cfg", b"<a b='2'/>")]);
        let names: Vec<_> = (0..twice.len()).filter(|at| twice[*at..].starts_with(b"b.cfg")).collect();
        names.into_iter().for_each(|at| twice[at] = b'a');
        assert!(read(&twice).is_err_and(|told| told.contains("a name twice")));
    }

    #[test]
    fn hostile_archives_are_refused() {
        for name in ["../a.cfg", "/a.cfg", "a/../../b.cfg", "c:\\a.cfg", "a//b.cfg"] {
            assert!(read(&archive(&[(name, b"<a b='1'/>")])).is_err_and(|told| told.contains("is no name")), "{name}");
        }
        let zeros = vec![b' '; IMPORT_BYTES + 1];
        assert!(read(&archive(&[("a.cfg", &zeros)])).is_err_and(|told| told.contains("at most")));
        let many: Vec<_> = (0..3).map(|number| format!("{number}.cfg")).collect();
        let bomb: Vec<(&str, &[u8])> = many.iter().map(|name| (name.as_str(), &zeros[1..])).collect();
        assert!(read(&archive(&bomb)).is_err_and(|told| told.contains("too much")));
        assert!(read(b"PK").is_err() && read(&archive(&[("readme.txt", b"x")])).is_err());
        assert!(read(&archive(&[(MANIFEST, br#"{"format":"other","version":1,"written_by":"","profiles":[]}"#)])).is_err());
        let plain = read(&archive(&[("site/Lobby.cfg", b"<a b='1'/>")])).expect("a file by itself");
        assert_eq!(plain[0].0.name, "Lobby");
    }
}
