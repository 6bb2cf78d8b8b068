//! The list of devices: [`crate::domain::device_list`] with the names of its filters (R56–R64, R243).

use super::{Asked, Filter, Listing, Takes};
use crate::domain::device_list::{DeviceQuery, Listed};
use crate::domain::ids::AccountId;
use crate::services::Services;
use crate::services::error::ServiceError;

/// What can be asked of it.
pub const LISTING: Listing = Listing {
    sorts: &[
        "name",
        "status",
        "model",
        "site",
        "key",
        "public_ip",
        "private_ip",
        "software",
        "last_seen",
        "result",
        "added",
        "groups",
    ],
    filters: &[
        Filter { name: "status", takes: Takes::Words(&["online", "offline", "never-seen"]) },
        Filter { name: "family", takes: Takes::Text },
        Filter { name: "model", takes: Takes::Text },
        Filter { name: "software", takes: Takes::Text },
        Filter { name: "behind", takes: Takes::Words(&["minimum", "chosen", "newest", "waiting", "consent"]) },
        Filter { name: "chosen", takes: Takes::Text },
        Filter { name: "site", takes: Takes::Number },
        Filter { name: "group", takes: Takes::Number },
        Filter { name: "result", takes: Takes::Words(&["success", "failed", "none"]) },
        Filter { name: "origin", takes: Takes::Words(&["automatic", "manual"]) },
        Filter { name: "owner", takes: Takes::Owner },
    ],
};

/// The query that is asked for.
pub fn query(asked: &Asked) -> DeviceQuery {
    let text = |name: &str| asked.filter(name).map(ToOwned::to_owned);
    DeviceQuery {
        text: asked.text.clone(),
        status: asked.filter("status").and_then(|word| word.parse().ok()),
        family: text("family"),
        model: text("model"),
        software: text("software"),
        behind: asked.filter("behind").and_then(|word| word.parse().ok()),
        chosen: text("chosen"),
        site: asked.filter("site").and_then(|id| id.parse().ok()),
        group: asked.filter("group").and_then(|id| id.parse().ok()),
        result: asked.filter("result").and_then(|word| word.parse().ok()),
        origin: asked.filter("origin").and_then(|word| word.parse().ok()),
        owner: asked.filter("owner").and_then(|owner| owner.parse().ok()),
        sort: asked.sorting.word.parse().unwrap_or_default(),
        descending: asked.sorting.descending,
    }
}

/// The devices that are asked for, in their order.
///
/// # Errors
/// [`ServiceError::NotFound`] for an account that does not exist.
pub fn list(services: &Services, account: AccountId, asked: &Asked) -> Result<Vec<Listed>, ServiceError> {
    let world = services.world(account)?;
    Ok(services.roster(account).select(&query(asked), &world, services.clock().now()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::device::Origin;
    use crate::domain::device_list::{Behind, LastResult, SortKey, Status};

    #[test]
    fn the_words_are_those_of_the_domain() {
        assert_eq!(LISTING.sorts, SortKey::ALL.iter().map(|one| one.word()).collect::<Vec<_>>());
        let takes = |name: &'static str, word: &'static str| assert!(LISTING.read([(name, word)]).is_ok(), "{name}={word}");
        Status::ALL.iter().for_each(|one| takes("status", one.word()));
        LastResult::ALL.iter().for_each(|one| takes("result", one.word()));
        Behind::ALL.iter().for_each(|one| takes("behind", one.word()));
        Origin::ALL.iter().for_each(|one| takes("origin", one.word()));
        let asked = LISTING.read([("status", "online"), ("group", "4"), ("sort", "-model")]).expect("good words");
        let query = query(&asked);
        assert_eq!(
            (query.status, query.group.map(|id| id.0), query.sort, query.descending),
            (Some(Status::Online), Some(4), SortKey::Model, true)
        );
    }
}
