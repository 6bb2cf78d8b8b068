//! The list of those who named a device and were not let in.

use std::cmp::Ordering;

use super::{Asked, Filter, Listing, Takes};
use crate::domain::ids::AccountId;
use crate::domain::pending::{Pending, PendingQuery};
use crate::services::{Services, pending};

/// What can be asked of it.
pub const LISTING: Listing = Listing {
    sorts: &["-at", "first_at", "key", "reason", "address", "times"],
    filters: &[
        Filter { name: "standing", takes: Takes::Words(&["waiting", "let-in", "blocked", "refused"]) },
        Filter { name: "reason", takes: Takes::Text },
    ],
};

/// Those who are asked for, in their order.
pub fn list(services: &Services, account: AccountId, asked: &Asked) -> Vec<Pending> {
    let text = |name: &str| asked.filter(name).map(ToOwned::to_owned);
    let query = PendingQuery { text: asked.text.clone(), standing: text("standing"), reason: text("reason") };
    let mut found = pending::list(services, account);
    found.retain(|one| query.admits(one));
    asked.sorting.sort(&mut found, |a, b| column(a, b, asked.sorting.word), |a, b| a.key.cmp(&b.key));
    found
}

/// A row with all addresses that it names, as `KEY@ADDRESS KEY@ADDRESS`, the one that it is decided about first. Marks of rows are
/// made of these: what is decided about a key is decided about who asked for it.
pub fn row(one: &Pending) -> String {
    let addresses = [one.knock.address].into_iter().chain(one.elsewhere.iter().map(|other| other.knock.address));
    addresses.map(|address| format!("{}@{address}", one.key)).collect::<Vec<_>>().join(" ")
}

fn column(a: &Pending, b: &Pending, word: &str) -> Ordering {
    match word {
        "at" => a.knock.at.cmp(&b.knock.at),
        "first_at" => a.knock.first_at.cmp(&b.knock.first_at),
        "reason" => a.knock.reason.to_string().cmp(&b.knock.reason.to_string()),
        "address" => a.knock.address.cmp(&b.knock.address),
        "times" => a.knock.times.cmp(&b.knock.times),
        _ => Ordering::Equal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::pending::Standing;

    #[test]
    fn every_standing_is_a_word_of_the_filter() {
        for standing in Standing::ALL {
            assert!(LISTING.read([("standing", standing.word())]).is_ok(), "{}", standing.word());
        }
    }
}
