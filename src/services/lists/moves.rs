//! The list of moves that wait for somebody's word (contract 5.6).

use std::cmp::Ordering;

use jiff::Timestamp;

use super::{Asked, Filter, Listing, Takes, by_text};
use crate::domain::device_list::{Listed, site_name};
use crate::domain::ids::AccountId;
use crate::services::Services;
use crate::services::devices::label;
use crate::services::error::ServiceError;
use crate::services::sites::moves;

/// What can be asked of it.
pub const LISTING: Listing =
    Listing { sorts: &["since", "name", "key", "site", "address"], filters: &[Filter { name: "site", takes: Takes::Number }] };

/// A device that waits.
#[derive(Clone, Debug)]
pub struct ListedMove {
    /// The device.
    pub listed: Listed,
    /// Name of the site that it keeps.
    pub site: String,
    /// Since when it waits.
    pub since: Timestamp,
}

/// The moves that are asked for, in their order.
///
/// # Errors
/// [`ServiceError::NotFound`] for an account that does not exist.
pub fn list(services: &Services, account: AccountId, asked: &Asked) -> Result<Vec<ListedMove>, ServiceError> {
    let (world, search) = (services.world(account)?, asked.search());
    let made = |listed: Listed| {
        let (site, since) = (site_name(&world, &listed.device).to_owned(), listed.device.waiting_move()?);
        Some(ListedMove { listed, site, since })
    };
    let is_shown = |one: &ListedMove| {
        let (device, key) = (&one.listed.device, one.listed.device.key.to_string());
        let private = one.listed.private_ip().map(|ip| ip.to_string()).unwrap_or_default();
        let texts = [key.as_str(), &label(device), &one.site, &address(one), &private];
        asked.admits("site", &device.site_id().to_string()) && (search.finds_key(&key) || search.finds(&texts))
    };
    let mut found: Vec<ListedMove> = moves::list(services, account).into_iter().filter_map(made).filter(is_shown).collect();
    let tie = |a: &ListedMove, b: &ListedMove| a.listed.device.key.cmp(&b.listed.device.key);
    asked.sorting.sort(&mut found, |a, b| column(a, b, asked.sorting.word), tie);
    Ok(found)
}

fn address(one: &ListedMove) -> String {
    one.listed.sighting.public_ip.map(|ip| ip.to_string()).unwrap_or_default()
}

fn column(a: &ListedMove, b: &ListedMove, word: &str) -> Ordering {
    match word {
        "name" => by_text(&label(&a.listed.device), &label(&b.listed.device)),
        "site" => by_text(&a.site, &b.site),
        "address" => a.listed.sighting.public_ip.cmp(&b.listed.sighting.public_ip),
        "since" => a.since.cmp(&b.since),
        _ => Ordering::Equal,
    }
}
