//! The list of sites (R60–R64, R78).

use std::cmp::Ordering;
use std::sync::Arc;

use super::{Asked, Filter, Listing, Takes, by_text};
use crate::domain::ids::AccountId;
use crate::domain::site::Site;
use crate::domain::text_search::TextSearch;
use crate::services::Services;
use crate::services::error::ServiceError;
use crate::services::sites::{device_counts, written};

/// What a site may have or lack, to filter by: word and label.
pub const HAS: [(&str, &str); 3] = [
    ("zone", "With a time zone of their own"),
    ("window", "With a polling window of their own"),
    ("nothing", "Without any subnet"),
];

/// What can be asked of it.
pub const LISTING: Listing = Listing {
    sorts: &["name", "description", "location", "devices", "zone", "modified"],
    filters: &[Filter { name: "has", takes: Takes::Words(&["zone", "window", "nothing"]) }],
};

/// A site with the number of its devices.
#[derive(Clone, Debug)]
pub struct ListedSite {
    /// The site.
    pub site: Arc<Site>,
    /// Devices that belong to it.
    pub devices: usize,
}

/// The sites that are asked for, in their order.
///
/// # Errors
/// [`ServiceError::NotFound`] for an account that does not exist.
pub fn list(services: &Services, account: AccountId, asked: &Asked) -> Result<Vec<ListedSite>, ServiceError> {
    let (world, search) = (services.world(account)?, asked.search());
    let counts = device_counts(services, account);
    let listed =
        |site: &Arc<Site>| ListedSite { devices: counts.get(&site.id).copied().unwrap_or_default(), site: Arc::clone(site) };
    let mut found: Vec<ListedSite> = world.sites.values().filter(|site| admits(site, asked, &search)).map(listed).collect();
    let tie =
        |a: &ListedSite, b: &ListedSite| by_text(a.site.name.as_str(), b.site.name.as_str()).then(a.site.id.cmp(&b.site.id));
    asked.sorting.sort(&mut found, |a, b| column(a, b, asked.sorting.word), tie);
    Ok(found)
}

/// Whether the list shows a site.
pub fn admits(site: &Site, asked: &Asked, search: &TextSearch) -> bool {
    let has = match asked.filter("has") {
        Some("zone") => site.time_zone.is_some(),
        Some("window") => site.polling_window.is_some(),
        Some("nothing") => site.networks.is_empty() || site.is_unset(),
        _ => true,
    };
    // In its texts, its subnets or its time zone.
    let subnets = written(&site.networks).unwrap_or_default();
    let zone = site.time_zone.as_deref().unwrap_or_default();
    has && search.finds(&[site.name.as_str(), &site.description, &site.location, &subnets, zone])
}

fn column(a: &ListedSite, b: &ListedSite, word: &str) -> Ordering {
    // Nobody changed *Internet*.
    let modified = |one: &ListedSite| (!one.site.is_internet()).then_some(one.site.modified_at);
    let zone = |one: &ListedSite| one.site.time_zone.clone().unwrap_or_default();
    match word {
        "description" => by_text(&a.site.description, &b.site.description),
        "location" => by_text(&a.site.location, &b.site.location),
        "devices" => a.devices.cmp(&b.devices),
        "zone" => by_text(&zone(a), &zone(b)),
        "modified" => modified(a).cmp(&modified(b)),
        _ => Ordering::Equal,
    }
}
