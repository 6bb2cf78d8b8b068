//! Sites from a CSV file, and back: what a file would do row by row, then all of it or nothing (R90–R96).

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

use super::{Saved, add, changed, finish};
use crate::csv::sites::{self as csv, SiteCells};
use crate::domain::access::{Action, Actor, authorize};
use crate::domain::activity::Change as FieldChange;
use crate::domain::field_error::FieldErrors;
use crate::domain::ids::{AccountId, SiteId};
use crate::domain::limits::SITES;
use crate::domain::site::draft::SiteDraft;
use crate::domain::site::{Site, Sites};
use crate::services::Services;
use crate::services::commit::{Mode, perform};
use crate::services::error::ServiceError;
use crate::services::import::FILE;
use crate::services::import_log::{self as log, LogRow, flat};

/// What a file would do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Its rows, in order.
    pub rows: Vec<PlannedRow>,
}

/// What one row would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedRow {
    /// Line that it begins in.
    pub line: u64,
    /// The site's name, as far as it could be read.
    pub name: String,
    /// What it would do.
    pub outcome: Outcome,
}

/// What a row would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Add a site: what is stored of it.
    Added(Vec<FieldChange>),
    /// Take the place of the site of this name: the fields that change.
    Changed(Vec<FieldChange>),
    /// Nothing: the site is so already.
    Unchanged,
    /// It cannot be taken, and with it the whole file.
    Refused(String),
}

impl Outcome {
    /// The outcome in one word.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Added(_) => "added",
            Self::Changed(_) => "changed",
            Self::Unchanged => "unchanged",
            Self::Refused(_) => "refused",
        }
    }

    /// The fields that it gives a site.
    pub fn changes(&self) -> &[FieldChange] {
        match self {
            Self::Added(changes) | Self::Changed(changes) => changes,
            Self::Unchanged | Self::Refused(_) => &[],
        }
    }

    /// Why it cannot be taken; empty where it can.
    pub fn why(&self) -> &str {
        if let Self::Refused(why) = self { why } else { "" }
    }
}

impl Plan {
    /// How many rows come to this.
    pub fn count(&self, word: &str) -> usize {
        self.rows.iter().filter(|row| row.outcome.word() == word).count()
    }

    /// Whether it can be done, and does anything.
    pub fn is_doable(&self) -> bool {
        self.count("refused") == 0 && self.count("added") + self.count("changed") > 0
    }

    /// What tells two plans apart: whoever accepts one accepts what was shown.
    pub fn mark(&self) -> String {
        hex::encode(&Sha256::digest(format!("{:?}", self.rows))[..8])
    }

    /// What the log of the import tells of each row (R95).
    pub fn told(&self) -> Vec<LogRow> {
        let row = |row: &PlannedRow| {
            let why = Some(row.outcome.why()).filter(|why| !why.is_empty()).map(flat);
            LogRow {
                line: row.line,
                subject: row.name.clone(),
                name: None,
                word: row.outcome.word(),
                told: why.into_iter().chain(row.outcome.changes().iter().map(log::changed)).collect(),
            }
        };
        self.rows.iter().map(row).collect()
    }
}

/// What was imported, or would be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// What each row did.
    pub plan: Plan,
    /// The sites, and what comes of them.
    pub saved: Saved,
}

/// What a file would do to the sites of an account.
///
/// # Errors
/// [`ServiceError::Invalid`] of the field [`FILE`], with its line, where the file cannot be read as a whole.
pub fn plan(services: &Services, account: AccountId, file: &[u8]) -> Result<Plan, ServiceError> {
    Ok(drafts(&services.world(account)?.sites, file)?.0)
}

/// Imports a file: all of it, or nothing where one row cannot be taken.
///
/// # Errors
/// As [`plan`]; [`ServiceError::Invalid`] of the same field with every row that cannot be taken; [`ServiceError::Conflict`] for more
/// sites than there may be (R40).
pub fn import(services: &Services, actor: &Actor, account: AccountId, file: &[u8], mode: Mode) -> Result<Imported, ServiceError> {
    let grant = authorize(actor, Action::EditSites(account))?;
    perform(services, mode, grant, account, |change| {
        let world = services.world(account)?;
        let (plan, drafts) = drafts(&world.sites, file)?;
        let mut errors = FieldErrors::new();
        for row in &plan.rows {
            if let Outcome::Refused(why) = &row.outcome {
                errors.add(FILE, format_args!("line {}: {why}", row.line));
            }
        }
        if !errors.is_empty() {
            return Err(errors.into());
        }
        let total = world.sites.len() - 1 + plan.count("added");
        if total > SITES {
            return Err(ServiceError::Conflict(format!("an account has at most {SITES} sites; there would be {total}")));
        }
        let mut sites = Vec::new();
        for (present, draft) in drafts {
            match present {
                None => sites.push(add(change, draft)?),
                Some(id) => {
                    let old = super::found(&world.sites, id)?;
                    let mut new = over(old, draft);
                    if new != **old {
                        new.revision += 1;
                        new.modified_at = change.now();
                        change.actor().clone_into(&mut new.modified_by);
                        change.record(changed(old, &new, "changed"))?;
                        sites.push(new);
                    }
                }
            }
        }
        if sites.is_empty() {
            change.leave_as_is();
        }
        let saved = finish(services, change, &world.sites, sites, BTreeSet::new())?;
        Ok(Imported { plan, saved })
    })
}

/// The sites of an account as a file that imports to the same, but for *Internet*. With a mark for spreadsheets that take a file
/// without one for something else (R94).
///
/// # Errors
/// Only of an account that does not exist.
pub fn export(
    services: &Services,
    account: AccountId,
    is_wanted: impl Fn(&Site) -> bool,
    with_mark: bool,
) -> Result<Vec<u8>, ServiceError> {
    let world = services.world(account)?;
    let sites = world.sites.values().map(|site| &**site).filter(|site| !site.is_internet() && is_wanted(site));
    let file = csv::write(sites).map_err(|error| ServiceError::Conflict(error.to_string()))?;
    let mark: &[u8] = if with_mark { b"\xef\xbb\xbf" } else { b"" };
    Ok([mark, &file].concat())
}

/// A site with what a draft says. Its name keeps the letter case of the file.
fn over(site: &Site, draft: SiteDraft) -> Site {
    let mut new = site.clone();
    draft.into_site(&mut new);
    new
}

type Drafts = Vec<(Option<SiteId>, SiteDraft)>;

fn drafts(sites: &Sites, file: &[u8]) -> Result<(Plan, Drafts), ServiceError> {
    let rows = csv::read(file).map_err(|error| FieldErrors::one(FILE, error))?;
    let by_name: BTreeMap<String, &Site> = sites.values().map(|site| (site.name.folded(), &**site)).collect();
    let mut seen: BTreeMap<String, u64> = BTreeMap::new();
    let (mut plan, mut drafts) = (Plan::default(), Vec::new());
    for row in rows {
        let name = row.site.as_ref().map(|cells| cells.name.clone()).unwrap_or_default();
        let outcome = match row.site.and_then(|cells| draft(cells, &by_name, &mut seen, row.line)) {
            Err(why) => Outcome::Refused(why),
            Ok((None, draft)) => {
                let stored = stored(&draft);
                drafts.push((None, draft));
                Outcome::Added(stored)
            }
            Ok((Some(present), draft)) => {
                let changes = changed(present, &over(present, draft.clone()), "changed").changes;
                drafts.push((Some(present.id), draft));
                if changes.is_empty() { Outcome::Unchanged } else { Outcome::Changed(changes) }
            }
        };
        plan.rows.push(PlannedRow { line: row.line, name, outcome });
    }
    Ok((plan, drafts))
}

/// Everything that a new site is given.
fn stored(draft: &SiteDraft) -> Vec<FieldChange> {
    let blank = Site { name: draft.name.clone(), description: String::new(), ..Site::internet() };
    let name = FieldChange { field: "name".to_owned(), old: None, new: Some(draft.name.to_string()) };
    std::iter::once(name).chain(changed(&blank, &over(&blank, draft.clone()), "added").changes).collect()
}

/// What a row makes of the site of its name, which comes only once in a file.
fn draft<'a>(
    cells: SiteCells,
    by_name: &BTreeMap<String, &'a Site>,
    seen: &mut BTreeMap<String, u64>,
    line: u64,
) -> Result<(Option<&'a Site>, SiteDraft), String> {
    let folded = cells.name.trim().to_lowercase();
    let present = by_name.get(&folded).copied();
    if present.is_some_and(Site::is_internet) {
        return Err("Internet is built in and cannot be changed; leave this row out".to_owned());
    }
    let draft = SiteDraft::parse(&cells.over(present)).map_err(|errors| errors.to_string())?;
    match seen.insert(folded, line) {
        Some(first) => Err(format!("“{}” stands in line {first} already", draft.name)),
        None => Ok((present, draft)),
    }
}

#[cfg(test)]
#[path = "import_tests.rs"]
mod tests;
