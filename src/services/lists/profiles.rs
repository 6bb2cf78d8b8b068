//! The list of profiles, the account's own and the standard ones (R66, R115–R118).

use std::cmp::Ordering;
use std::sync::Arc;

use super::{Asked, Filter, Listing, Takes, by_text};
use crate::domain::ids::ProfileId;
use crate::domain::profile::{MODE, Profile, ProfileKind};
use crate::domain::reach::Reach;
use crate::domain::text_search::{Hit, TextSearch};
use crate::domain::world::World;

/// What can be asked of it.
pub const LISTING: Listing = Listing {
    sorts: &["name", "kind", "parameters", "used", "by", "modified"],
    filters: &[
        Filter {
            name: "kind",
            takes: Takes::Words(&["standard", "user-defined", "user-imported", "software", "user", "standard-and-user-defined"]),
        },
        Filter { name: "mode", takes: Takes::Words(&[MODE.0]) },
    ],
};

/// A profile with where the search found it.
#[derive(Clone, Debug)]
pub struct ListedProfile<'w> {
    /// The profile.
    pub profile: &'w Arc<Profile>,
    /// The parameter that the search found, where nothing else of the row shows why it is here (R58).
    pub why: Option<(&'static str, &'w str)>,
}

/// The profiles that are asked for, in their order. The reach is that of all devices.
pub fn list<'w>(world: &'w World, reach: &Reach, asked: &Asked) -> Vec<ListedProfile<'w>> {
    let search = asked.search();
    let listed = |profile: &'w Arc<Profile>| {
        let why = match finds(profile, &search)? {
            Hit::Hidden(what, text) => Some((what, text)),
            Hit::Column => None,
        };
        Some(ListedProfile { profile, why })
    };
    let mut found: Vec<_> = world.all_profiles().filter(|profile| admits(profile.kind, asked)).filter_map(listed).collect();
    let tie = |a: &ListedProfile<'_>, b: &ListedProfile<'_>| {
        a.profile.name.folded().cmp(&b.profile.name.folded()).then(a.profile.id.cmp(&b.profile.id))
    };
    let used = |id: ProfileId| reach.of_profile(id);
    asked.sorting.sort(&mut found, |a, b| column(a.profile, b.profile, asked.sorting.word, &used), tie);
    found
}

fn admits(kind: ProfileKind, asked: &Asked) -> bool {
    match asked.filter("kind") {
        Some("standard") => kind == ProfileKind::Standard,
        Some("user-defined") => kind == ProfileKind::UserDefined,
        Some("user-imported") => kind == ProfileKind::UserImported,
        Some("software") => kind == ProfileKind::Software,
        Some("user") => matches!(kind, ProfileKind::UserDefined | ProfileKind::UserImported),
        Some("standard-and-user-defined") => matches!(kind, ProfileKind::Standard | ProfileKind::UserDefined),
        _ => true,
    }
}

/// Where a profile holds what is searched: in its name, description or changer, or in the name of a parameter.
fn finds<'a>(profile: &'a Profile, search: &TextSearch) -> Option<Hit<'a>> {
    let columns = [profile.name.as_str(), &profile.description, &profile.modified_by];
    if search.finds(&columns) {
        return Some(Hit::Column);
    }
    let parameters: Vec<_> = profile.parameters.iter().map(|(name, _)| ("parameter", name.as_str())).collect();
    search.hit(&columns, &parameters)
}

fn column(a: &Profile, b: &Profile, word: &str, used: &impl Fn(ProfileId) -> usize) -> Ordering {
    match word {
        "kind" => a.kind.cmp(&b.kind),
        "parameters" => a.parameters.len().cmp(&b.parameters.len()),
        "used" => used(a.id).cmp(&used(b.id)),
        "by" => by_text(&a.modified_by, &b.modified_by),
        "modified" => a.modified_at.cmp(&b.modified_at),
        _ => Ordering::Equal,
    }
}
