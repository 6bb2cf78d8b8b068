//! All that a list finds, in place of keys: what operations on many objects take besides (U12).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

use serde::Deserialize;
use utoipa::ToSchema;

use super::problem::Problem;
use crate::services::error::ServiceError;
use crate::services::lists::{Asked, Listing, mark};

/// All that a list finds. Send it in place of keys or numbers.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Matching {
    /// The filters of the list by their names, `q` among them; `{}` for all there are.
    #[schema(value_type = BTreeMap<String, String>, example = json!({ "q": "berlin" }))]
    filters: BTreeMap<String, String>,
    /// How many the list told. Where it finds another number by now, nothing is done and the answer is 409.
    #[schema(example = 12)]
    total: usize,
    /// The mark that the list told, asked with `mark=true`. Where it finds others by now, were they as many, nothing is done and the
    /// answer is 409. Without it only their number is compared.
    #[serde(default)]
    mark: Option<String>,
}

impl Matching {
    /// Whether the caller says which ones it was told, and not only how many.
    pub fn is_marked(&self) -> bool {
        self.mark.is_some()
    }

    /// The keys of what is found.
    ///
    /// # Errors
    /// A filter that the list does not have or take; another number than the caller was told, or other keys.
    pub fn keys<K: Ord + Display>(
        &self,
        listing: &Listing,
        find: impl FnOnce(&Asked) -> Result<Vec<K>, ServiceError>,
    ) -> Result<BTreeSet<K>, Problem> {
        self.keys_of(listing, find, |_| true)
    }

    /// The same of those that can be chosen; the number that was told counts all.
    ///
    /// # Errors
    /// As [`Self::keys`].
    pub fn keys_of<K: Ord + Display>(
        &self,
        listing: &Listing,
        find: impl FnOnce(&Asked) -> Result<Vec<K>, ServiceError>,
        may: impl Fn(&K) -> bool,
    ) -> Result<BTreeSet<K>, Problem> {
        let asked = listing.read(self.filters.iter().map(|(name, value)| (name.as_str(), value.as_str())))?;
        let keys: BTreeSet<K> = find(&asked)?.into_iter().collect();
        if keys.len() != self.total {
            return Err(ServiceError::Conflict(format!(
                "the list finds {} by now, and not {}: look at it again",
                keys.len(),
                self.total
            ))
            .into());
        }
        if self.mark.as_ref().is_some_and(|told| *told != mark(&keys)) {
            let words = format!("the list finds {} as it did, but not the same ones: look at it again", self.total);
            return Err(ServiceError::Conflict(words).into());
        }
        Ok(keys.into_iter().filter(may).collect())
    }
}

/// What a call chooses.
#[derive(Debug)]
pub enum Chosen<T> {
    /// These.
    Named(Vec<T>),
    /// All that match.
    All(Matching),
}

/// What a call chooses: what it names in a field, or all that match; not both, and not neither.
///
/// # Errors
/// Both or neither were sent.
pub fn chosen<T>(field: &'static str, named: Option<Vec<T>>, matching: Option<Matching>) -> Result<Chosen<T>, Problem> {
    match (named, matching) {
        (Some(named), None) => Ok(Chosen::Named(named)),
        (None, Some(matching)) => Ok(Chosen::All(matching)),
        (Some(_), Some(_)) => Err(Problem::field("matching", format_args!("send {field} or matching, not both"))),
        (None, None) => Err(Problem::field(field, format_args!("send {field}, or matching for all that a list finds"))),
    }
}
