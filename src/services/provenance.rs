//! Who gave a parameter its value in a profile, and who attached the profile: read from the activity log, where it is still told there.
//!
//! The log is walked once for a whole page, from the newest entry on and no further than some thousands; what it does not tell any more is
//! answered by the profile's own *last changed*.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;

use super::Services;
use super::error::ServiceError;
use crate::domain::activity::{Activity, Change};
use crate::domain::deployment::{Place, subject};
use crate::domain::device::Device;
use crate::domain::ids::{AccountId, ProfileId};
use crate::domain::provision::view::{Row, Source};
use crate::domain::world::World;
use crate::store;
use crate::store::tx::Walk;

/// Entries of the log that are looked at.
const ENTRIES: usize = 20_000;

/// Who did something, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Who.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Whether it is told of this very parameter; else of the profile's last change.
    pub is_exact: bool,
}

/// Who set and attached what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Provenance {
    set: HashMap<(ProfileId, String), Stamp>,
    attached: HashMap<(ProfileId, Option<Place>), Stamp>,
    changed: HashMap<ProfileId, Stamp>,
}

impl Provenance {
    /// Who gave a parameter its value in a profile; none for profiles that come with the server.
    pub fn set(&self, profile: ProfileId, name: &str) -> Option<&Stamp> {
        self.set.get(&(profile, name.to_owned())).or_else(|| self.changed.get(&profile))
    }

    /// Who attached a profile to a place, or to the device itself; none where the log does not tell any more.
    pub fn attached(&self, profile: ProfileId, place: Option<&Place>) -> Option<&Stamp> {
        self.attached.get(&(profile, place.cloned()))
    }
}

/// A profile on the way back through the log.
struct Search<'a> {
    /// The name that it had then.
    name: String,
    /// Parameters that are still looked for.
    parameters: BTreeSet<&'a str>,
    /// Subjects of the deployment whose list it joined, and their places.
    places: Vec<(String, Option<Place>)>,
}

/// Who set what the rows say, and who attached the profiles that say it.
///
/// # Errors
/// The log could not be read.
pub fn of<'a>(
    services: &Services,
    account: AccountId,
    world: &World,
    device: &Device,
    rows: impl IntoIterator<Item = &'a Row>,
) -> Result<Provenance, ServiceError> {
    let mut found = Provenance::default();
    let mut searches = searches(world, device, rows, &mut found);
    let mut looked_at = 0;
    services.store.read(|tx| {
        store::activity::newest_first(tx, account, |_, entry| {
            looked_at += 1;
            for (id, search) in &mut searches {
                search.take(*id, &entry, &mut found);
            }
            searches.retain(|_, search| !search.parameters.is_empty() || !search.places.is_empty());
            if searches.is_empty() || looked_at >= ENTRIES { Walk::Stop } else { Walk::On }
        })
    })?;
    Ok(found)
}

fn searches<'a>(
    world: &World,
    device: &Device,
    rows: impl IntoIterator<Item = &'a Row>,
    found: &mut Provenance,
) -> HashMap<ProfileId, Search<'a>> {
    let mut searches: HashMap<ProfileId, Search<'a>> = HashMap::new();
    for row in rows {
        for layer in row.layers() {
            let Source::Profile { id, place, .. } = &layer.source else { continue };
            let Some(profile) = world.profile(*id) else { continue };
            let search = searches.entry(*id).or_insert_with(|| Search {
                name: profile.name.to_string(),
                parameters: BTreeSet::new(),
                places: Vec::new(),
            });
            if !profile.is_standard() {
                search.parameters.insert(&row.name);
                let (by, at) = (profile.modified_by.clone(), profile.modified_at);
                found.changed.entry(*id).or_insert(Stamp { by, at, is_exact: profile.revision == 1 });
            }
            if !search.places.iter().any(|(_, known)| known == place) {
                let told = place.as_ref().map_or_else(|| super::devices::subject(device), |place| subject(place, world));
                search.places.push((told, place.clone()));
            }
        }
    }
    searches
}

impl Search<'_> {
    /// Takes what an entry tells. Entries come from the newest on, so the first word about something is the last that was said.
    fn take(&mut self, id: ProfileId, entry: &Activity, found: &mut Provenance) {
        let event = &entry.event;
        let stamp = || Stamp { by: entry.actor.clone(), at: entry.at, is_exact: true };
        match event.object.as_str() {
            "profile" if event.subject == self.name => {
                for change in &event.changes {
                    let name = change.field.strip_suffix(".set").unwrap_or(&change.field);
                    let known = [name, change.field.as_str()].into_iter().find_map(|name| self.parameters.take(name));
                    if let Some(parameter) = known {
                        found.set.insert((id, parameter.to_owned()), stamp());
                    }
                }
                // What else it changed is only counted: whatever is older may not be the last word.
                if event
                    .changes
                    .last()
                    .is_some_and(|last| last.field.starts_with("and ") && last.old.is_none() && last.new.is_none())
                {
                    self.parameters.clear();
                }
                let renamed = event.changes.iter().find(|change| change.field == "name").and_then(|change| change.old.clone());
                if let Some(former) = renamed {
                    self.name = former;
                }
            }
            "deployment" | "device" => {
                let joined = |change: &Change| {
                    let has =
                        |list: &Option<String>| list.as_ref().is_some_and(|list| list.split(", ").any(|one| one == self.name));
                    change.field == "profiles" && has(&change.new) && !has(&change.old)
                };
                if event.changes.iter().any(joined)
                    && let Some(at) = self.places.iter().position(|(subject, _)| *subject == event.subject)
                {
                    let (_, place) = self.places.swap_remove(at);
                    found.attached.insert((id, place), stamp());
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::deployment::Container;
    use crate::domain::ids::DEFAULT_ACCOUNT;
    use crate::domain::profile::draft::{ProfileDraft, ProfileInput};
    use crate::domain::testing::device;
    use crate::services::commit::Mode;
    use crate::services::deployment::{Target, attach};
    use crate::services::testing::{Bench, bench, owner};
    use crate::services::{explain, profiles};
    use jiff::SignedDuration;

    fn draft(name: &str, volume: &str) -> ProfileDraft {
        let parameters = vec![("voice.volume".to_owned(), volume.to_owned()), ("up.timeOut".to_owned(), "40".to_owned())];
        let input = ProfileInput { name: name.to_owned(), description: String::new(), parameters };
        ProfileDraft::parse(&input).expect("a draft")
    }

    fn pass(bench: &Bench) -> Timestamp {
        bench.clock.advance_to(bench.clock.now() + SignedDuration::from_mins(1));
        bench.clock.now()
    }

    #[test]
    fn who_set_a_value_is_told_through_renaming_and_who_attached_the_profile_too() {
        let bench = bench();
        let services = &bench.services;
        let made_at = bench.clock.now();
        let made = profiles::create(services, &owner(), DEFAULT_ACCOUNT, vec![draft("Office", "3")], Mode::Keep).expect("made");
        let id = made[0].id;
        let shown = |revision| profiles::Shown { id, revision };
        let attached_at = pass(&bench);
        attach(services, &owner(), DEFAULT_ACCOUNT, &Target::Place(Place::Global), id, Mode::Keep).expect("attached");
        let louder_at = pass(&bench);
        let changed =
            profiles::replace(services, &owner(), DEFAULT_ACCOUNT, shown(1), draft("Office", "5"), Mode::Keep).expect("changed");
        pass(&bench);
        profiles::replace(services, &owner(), DEFAULT_ACCOUNT, shown(changed.revision), draft("Desks", "5"), Mode::Keep)
            .expect("renamed");

        let world = services.world(DEFAULT_ACCOUNT).expect("a world");
        let phone = device("0004f2aabbcc");
        let view = explain::of_imagined(services, DEFAULT_ACCOUNT, &phone, &world);
        let found = of(services, DEFAULT_ACCOUNT, &world, &phone, &view.rows).expect("read");
        fn at(stamp: Option<&Stamp>) -> Option<(&str, Timestamp, bool)> {
            stamp.map(|stamp| (stamp.by.as_str(), stamp.at, stamp.is_exact))
        }
        assert_eq!(at(found.set(id, "voice.volume")), Some(("ada", louder_at, true)));
        assert_eq!(at(found.set(id, "up.timeOut")), Some(("ada", made_at, true)));
        assert_eq!(at(found.attached(id, Some(&Place::Global))), Some(("ada", attached_at, true)));
        let is_global = |row: &&Row| matches!(&row.winner.source, Source::Profile { container: Container::Global, .. });
        assert_eq!(view.rows.iter().filter(is_global).count(), 2);
    }
}
