//! Adding, editing and deleting sites (R70–R89). What that means for devices is [`placing`]'s; profiles of a site are attached by
//! [`super::deployment`].

pub mod import;
pub mod moves;
pub mod placing;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use super::Services;
use super::accounts::clock_time;
use super::commit::{Change, Mode, perform};
use super::error::ServiceError;
use super::recycle_bin::{self, Deleted};
use crate::domain::access::{Action, Actor, authorize};
use crate::domain::activity::Event;
use crate::domain::clock;
use crate::domain::deployment::Place;
use crate::domain::field_error::FieldErrors;
use crate::domain::ids::{AccountId, SiteId};
use crate::domain::limits::{DELETED_AT_ONCE, SITES};
use crate::domain::names::Name;
use crate::domain::site::draft::SiteDraft;
use crate::domain::site::index::SiteIndex;
use crate::domain::site::{INTERNET, Network, Site, Sites};
use crate::domain::subnet::Subnet;
use crate::store;
use placing::Moves;

/// Sites that were saved, or would be, and what comes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saved {
    /// The sites as they are now.
    pub sites: Vec<Site>,
    /// Networks that they share with other sites.
    pub ties: Vec<Tie>,
    /// Devices that belong elsewhere now.
    pub moves: Moves,
}

/// A network that two sites claim alike; the older one gets its devices (R80).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tie {
    /// The site that gets them.
    pub older: Name,
    /// The site that does not.
    pub younger: Name,
    /// The public network.
    pub public: Subnet,
    /// The private one behind it.
    pub private: Option<Subnet>,
}

impl fmt::Display for Tie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { older, younger, public, private } = self;
        write!(f, "{public}")?;
        if let Some(private) = private {
            write!(f, " with {private} behind it")?;
        }
        write!(f, " is a network of {older} and of {younger} alike: its devices belong to {older}, the older site")
    }
}

/// A site as somebody had it before them when they decided on a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The site.
    pub id: SiteId,
    /// Its revision.
    pub revision: u64,
}

/// One site.
///
/// # Errors
/// [`ServiceError::NotFound`].
pub fn get(services: &Services, account: AccountId, id: SiteId) -> Result<Arc<Site>, ServiceError> {
    found(&services.world(account)?.sites, id).cloned()
}

/// All sites, the oldest first.
///
/// # Errors
/// [`ServiceError::NotFound`] for an account that does not exist.
pub fn list(services: &Services, account: AccountId) -> Result<Vec<Arc<Site>>, ServiceError> {
    Ok(services.world(account)?.sites.values().cloned().collect())
}

/// How many devices each site has; those without any are left out.
pub fn device_counts(services: &Services, account: AccountId) -> BTreeMap<SiteId, usize> {
    let mut counts = BTreeMap::new();
    for listed in services.roster(account).all() {
        *counts.entry(listed.device.site_id()).or_default() += 1;
    }
    counts
}

/// Adds sites: all of them, or none when one cannot be added.
///
/// # Errors
/// [`ServiceError::Invalid`] when a name is taken, with the item where there are several; [`ServiceError::Conflict`] for more sites
/// than there may be (R40).
pub fn create(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    drafts: Vec<SiteDraft>,
    mode: Mode,
) -> Result<Saved, ServiceError> {
    let grant = authorize(actor, Action::EditSites(account))?;
    if drafts.is_empty() {
        return Ok(Saved { sites: Vec::new(), ties: Vec::new(), moves: Moves::default() });
    }
    perform(services, mode, grant, account, |change| {
        let world = services.world(account)?;
        check_new(&world.sites, &drafts)?;
        let mut sites = Vec::new();
        for draft in drafts {
            sites.push(add(change, draft)?);
        }
        finish(services, change, &world.sites, sites, BTreeSet::new())
    })
}

/// Changes a site that was shown with a revision.
///
/// # Errors
/// [`ServiceError::Conflict`] when somebody else has changed it since (R14), and for *Internet* (R75); [`ServiceError::Invalid`] when
/// the name is taken.
pub fn update(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    shown: Shown,
    draft: SiteDraft,
    mode: Mode,
) -> Result<Saved, ServiceError> {
    edit(services, actor, account, shown, mode, |site| {
        draft.into_site(site);
        Ok(())
    })
}

/// Changes one part of a site that was shown with a revision, and leaves the others as they are.
///
/// # Errors
/// As [`update`], and what the closure reports.
pub fn edit(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    shown: Shown,
    mode: Mode,
    make: impl FnOnce(&mut Site) -> Result<(), ServiceError>,
) -> Result<Saved, ServiceError> {
    let grant = authorize(actor, Action::EditSites(account))?;
    perform(services, mode, grant, account, |change| {
        let world = services.world(account)?;
        let old = found(&world.sites, shown.id)?;
        refuse_internet(shown.id, "changed")?;
        if old.revision != shown.revision {
            return Err(ServiceError::stale("site", &old.modified_by));
        }
        let mut new = Site::clone(old);
        make(&mut new)?;
        check_name(&world.sites, &new.name, Some(new.id))?;
        if new == **old {
            change.leave_as_is();
            let ties = told_ties(std::slice::from_ref(&new), &world.sites);
            return Ok(Saved { sites: vec![new], ties, moves: Moves::default() });
        }
        new.revision += 1;
        new.modified_at = change.now();
        change.actor().clone_into(&mut new.modified_by);
        change.record(changed(old, &new, "changed"))?;
        finish(services, change, &world.sites, vec![new], BTreeSet::new())
    })
}

/// Deletes sites with what is attached to them, and answers where their devices go (R83).
///
/// # Errors
/// [`ServiceError::NotFound`] when one is not there; [`ServiceError::Conflict`] for *Internet* and for more than are deleted at once.
pub fn delete_all(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    ids: &BTreeSet<SiteId>,
    mode: Mode,
) -> Result<Deleted<Moves>, ServiceError> {
    let grant = authorize(actor, Action::EditSites(account))?;
    if ids.len() > DELETED_AT_ONCE {
        let count = ids.len();
        return Err(ServiceError::Conflict(format!(
            "at most {DELETED_AT_ONCE} sites are deleted at once; these are {count}. Split the list"
        )));
    }
    if ids.is_empty() {
        return Ok(Deleted { what: Moves::default(), deletion: None });
    }
    perform(services, mode, grant, account, |change| {
        let world = services.world(account)?;
        for id in ids {
            let site = found(&world.sites, *id)?;
            refuse_internet(*id, "deleted")?;
            let place = Place::Site(*id);
            let profiles = world.deployment.get(&place).map_or(0, Vec::len);
            if profiles > 0 {
                change.put_place(place, Vec::new())?;
            }
            change.delete_site(*id)?;
            let event = Event::new("site", site.name.to_string(), "deleted");
            change.record(event.change("attached profiles", Some(profiles.to_string()).filter(|_| profiles > 0), None))?;
        }
        let what = finish(services, change, &world.sites, Vec::new(), ids.clone())?.moves;
        Ok(Deleted { what, deletion: recycle_bin::keep(services, change, mode)? })
    })
}

/// The site that every account has beside *Internet* from the start: nobody has said yet where it is (R73, R74).
pub(super) fn seed(change: &mut Change<'_>) -> Result<(), ServiceError> {
    let unset = Subnet::parse("0.0.0.0/0").map_err(|error| FieldErrors::one("networks", error))?;
    let name = Name::parse("Intranet").map_err(|error| FieldErrors::one("name", error))?;
    let site = Site {
        id: store::sites::next_id(change.tx())?,
        name,
        description: "The offices' own network. Enter its subnets, or delete this site.".to_owned(),
        networks: vec![Network { public: unset, private: Vec::new() }],
        modified_at: change.now(),
        revision: 1,
        ..Site::internet()
    };
    change.put_site(site)
}

/// Writes sites and moves devices as the new networks say.
fn finish(
    services: &Services,
    change: &mut Change<'_>,
    before: &Sites,
    sites: Vec<Site>,
    gone: BTreeSet<SiteId>,
) -> Result<Saved, ServiceError> {
    let mut after = before.clone();
    after.retain(|id, _| !gone.contains(id));
    after.extend(sites.iter().map(|site| (site.id, Arc::new(site.clone()))));
    let networks = |sites: &Sites, id: &SiteId| sites.get(id).map(|site| site.networks.clone()).unwrap_or_default();
    let touched = sites.iter().map(|site| site.id).chain(gone).filter(|id| networks(before, id) != networks(&after, id));
    let touched: BTreeSet<SiteId> = touched.chain(before.keys().filter(|id| !after.contains_key(id)).copied()).collect();
    for site in &sites {
        change.put_site(site.clone())?;
    }
    let moves = placing::replace(services, change, before, &after, &touched, &BTreeSet::new())?;
    let ties = told_ties(&sites, &after);
    Ok(Saved { sites, ties, moves })
}

impl Saved {
    /// What is to be looked at: networks that sites share, and clocks that phones cannot follow.
    pub fn warnings(&self) -> impl Iterator<Item = String> + '_ {
        self.ties.iter().map(ToString::to_string).chain(self.sites.iter().filter_map(told_clock))
    }
}

/// What phones will show wrongly in the time zone of a site of its own, if anything.
pub fn told_clock(site: &Site) -> Option<String> {
    clock::told_warning(site.time_zone.as_deref()?)
}

/// What sites share with others, each pair once.
pub fn told_ties(of: &[Site], sites: &Sites) -> Vec<Tie> {
    ties_of(of, sites, &SiteIndex::of_all(sites))
}

/// The same by an index of those sites, for whoever asks about many of them one by one.
pub fn ties_of(of: &[Site], sites: &Sites, index: &SiteIndex<'_>) -> Vec<Tie> {
    let mut told: Vec<Tie> = Vec::new();
    for site in of {
        for tie in index.ties(site) {
            let other = if tie.older == site.id { tie.younger } else { tie.older };
            let Some(other) = sites.get(&other) else { continue };
            let (older, younger) = if tie.older == site.id { (&site.name, &other.name) } else { (&other.name, &site.name) };
            let tie = Tie { older: older.clone(), younger: younger.clone(), public: tie.public, private: tie.private };
            if !told.contains(&tie) {
                told.push(tie);
            }
        }
    }
    told
}

fn add(change: &mut Change<'_>, draft: SiteDraft) -> Result<Site, ServiceError> {
    let blank = Site {
        id: store::sites::next_id(change.tx())?,
        name: draft.name.clone(),
        description: String::new(),
        modified_by: change.actor().to_owned(),
        modified_at: change.now(),
        revision: 1,
        ..Site::internet()
    };
    let mut site = blank.clone();
    draft.into_site(&mut site);
    change.record(changed(&blank, &site, "added"))?;
    Ok(site)
}

fn changed(old: &Site, new: &Site, action: &str) -> Event {
    let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let window = |window: Option<(u16, u16)>| window.map(|(from, to)| format!("{} to {}", clock_time(from), clock_time(to)));
    let path = |site: &Site| site.download_path.as_ref().map(ToString::to_string);
    let control = |site: &Site| site.site_specific.then(|| "on".to_owned());
    Event::new("site", new.name.to_string(), action)
        .change("name", Some(old.name.to_string()), Some(new.name.to_string()))
        .change("description", text(&old.description), text(&new.description))
        .change("location", text(&old.location), text(&new.location))
        .change("networks", written(&old.networks), written(&new.networks))
        .change("time zone", old.time_zone.clone(), new.time_zone.clone())
        .change("polling window", window(old.polling_window), window(new.polling_window))
        .change("download path", path(old), path(new))
        .change("site specific control", control(old), control(new))
}

/// Networks in one line: `20.1.0.0/16 (10.0.0.0/8, 10.33.24.0/24), 20.56.0.0/16`.
pub fn written(networks: &[Network]) -> Option<String> {
    let one = |network: &Network| {
        let private: Vec<String> = network.private.iter().map(ToString::to_string).collect();
        if private.is_empty() { network.public.to_string() } else { format!("{} ({})", network.public, private.join(", ")) }
    };
    let all: Vec<String> = networks.iter().map(one).collect();
    Some(all.join(", ")).filter(|all| !all.is_empty())
}

fn found(sites: &Sites, id: SiteId) -> Result<&Arc<Site>, ServiceError> {
    sites.get(&id).ok_or_else(|| ServiceError::not_found("site", id))
}

fn refuse_internet(id: SiteId, what: &str) -> Result<(), ServiceError> {
    if id == INTERNET {
        return Err(ServiceError::Conflict(format!(
            "the site Internet cannot be {what}: it takes every device that no other site claims; profiles can be attached to it"
        )));
    }
    Ok(())
}

fn check_new(sites: &Sites, drafts: &[SiteDraft]) -> Result<(), ServiceError> {
    let there = sites.len() - 1;
    if there + drafts.len() > SITES {
        return Err(ServiceError::Conflict(format!("an account has at most {SITES} sites; there are {there} already")));
    }
    let mut errors = FieldErrors::new();
    let mut names = BTreeSet::new();
    let taken: BTreeSet<String> = sites.values().map(|site| site.name.folded()).collect();
    for (item, draft) in drafts.iter().enumerate() {
        let folded = draft.name.folded();
        let of_draft = if taken.contains(&folded) {
            name_taken(&draft.name)
        } else if names.insert(folded) {
            continue;
        } else {
            FieldErrors::one("name", format_args!("“{}” stands in this list twice", draft.name))
        };
        if drafts.len() == 1 {
            return Err(of_draft.into());
        }
        errors.add_item(item, of_draft);
    }
    if errors.is_empty() { Ok(()) } else { Err(errors.into()) }
}

/// Names are unique among the sites of the account, whatever the letter case.
fn check_name(sites: &Sites, name: &Name, except: Option<SiteId>) -> Result<(), FieldErrors> {
    let folded = name.folded();
    match sites.values().find(|other| Some(other.id) != except && other.name.folded() == folded) {
        Some(other) => Err(name_taken(&other.name)),
        None => Ok(()),
    }
}

fn name_taken(name: &Name) -> FieldErrors {
    FieldErrors::one("name", format_args!("there is a site “{name}” already; choose another name"))
}

#[cfg(test)]
mod tests;
