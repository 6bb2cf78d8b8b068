//! Saved views: what a list was searched, filtered, sorted and laid out by, kept under a name (R59, R62). The address stays the truth:
//! a view is nothing but a link to its list with its query.

use serde::{Deserialize, Serialize};

use super::field_error::FieldErrors;
use super::ids::{UserId, ViewId};
use super::limits::{NAME_CHARS, VIEW_QUERY_CHARS};
use super::people::Modified;
use super::user::Role;

/// A list that has views: its word, which is its address below `/admin/`, and the name of its page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListName {
    /// The word, as in `devices`.
    pub word: &'static str,
    /// The name of the page.
    pub title: &'static str,
}

/// Every list that has views.
pub const LISTS: [ListName; 17] = [
    list("devices", "Device Monitor"),
    list("sites", "Sites"),
    list("groups", "Device Groups"),
    list("people", "People"),
    list("person-groups", "Person Groups"),
    list("rooms", "Rooms"),
    list("pending", "Pending"),
    list("unknown-phones", "Unknown Phones"),
    list("profiles", "Profile Configuration"),
    list("deployment", "Profile Deployment"),
    list("resources", "Resource Files"),
    list("activity", "Activity Log"),
    list("users", "Users"),
    list("tokens", "API Tokens"),
    list("software", "Software"),
    list("devices/blocked", "Blocked devices"),
    list("sites/moves", "Pending moves"),
];

const fn list(word: &'static str, title: &'static str) -> ListName {
    ListName { word, title }
}

impl ListName {
    /// The list of a word.
    pub fn of(word: &str) -> Option<Self> {
        LISTS.into_iter().find(|list| list.word == word)
    }

    /// The list at a path of the pages.
    pub fn at(path: &str) -> Option<Self> {
        path.strip_prefix("/admin/").and_then(Self::of)
    }

    /// The path of its page.
    pub fn path(self) -> String {
        format!("/admin/{}", self.word)
    }
}

/// A saved view. Its JSON is the stored form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct View {
    /// Key.
    pub id: ViewId,
    /// The word of its list.
    pub list: String,
    /// Unique without regard to letter case among its owner's views of the list, and among the shared ones.
    pub name: String,
    /// The query of the address, without page; empty for the plain list.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub query: String,
    /// Whose it is; none where a program of the command line's shared it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<UserId>,
    /// The least role that sees it besides its owner; none: nobody does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shared_with: Option<Role>,
    /// Whether the list opens with it where its address says nothing and nothing is remembered.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub opens: bool,
    /// Its last change.
    pub modified: Modified,
}

impl View {
    /// Whether somebody sees it.
    pub fn is_seen_by(&self, user: Option<UserId>, role: Role) -> bool {
        self.is_of(user) || self.shared_with.is_some_and(|least| role >= least)
    }

    /// Whether it is this user's own.
    pub fn is_of(&self, user: Option<UserId>) -> bool {
        user.is_some() && self.owner == user
    }

    /// Its address: the plain list names itself, because an address without a query means *as it was last*.
    pub fn href(&self) -> String {
        let query = if self.query.is_empty() { "all=" } else { &self.query };
        format!("/admin/{}?{query}", self.list)
    }

    /// Whom it is shared with, in words.
    pub fn audience(&self) -> &'static str {
        audience(self.shared_with)
    }

    /// Whether this and another one may not have the same name, nor both open the list.
    fn stands_beside(&self, other: &Self) -> bool {
        let is_of_same = self.owner.is_some() && self.owner == other.owner;
        let are_shared = self.shared_with.is_some() && other.shared_with.is_some();
        self.id != other.id && self.list == other.list && (is_of_same || are_shared)
    }

    /// Whether it takes the name of another one.
    pub fn clashes_with(&self, other: &Self) -> bool {
        self.stands_beside(other) && self.name.to_lowercase() == other.name.to_lowercase()
    }

    /// Whether another one opens the list no more once this one does: one is enough for a user, and one for all who share.
    pub fn replaces(&self, other: &Self) -> bool {
        self.opens && other.opens && self.stands_beside(other) && self.shared_with == other.shared_with
    }
}

/// The word for a view that is not shared.
pub const NOBODY: &str = "nobody";

/// Whom something is shared with, in words.
pub fn audience(shared_with: Option<Role>) -> &'static str {
    match shared_with {
        None => "only its owner",
        Some(Role::Viewer) => "everybody",
        Some(Role::Operator) => "operators and higher roles",
        Some(Role::AccountAdmin) => "account admins and owners",
        Some(Role::Owner) => "owners",
    }
}

/// The view that a list opens with: one's own before one that is shared, and of shared ones that for the fewest.
pub fn opening<'a>(views: impl Iterator<Item = &'a View>, list: &str, user: Option<UserId>, role: Role) -> Option<&'a View> {
    let seen = views.filter(|view| view.opens && view.list == list && view.is_seen_by(user, role));
    seen.max_by_key(|view| (view.is_of(user), view.shared_with.is_none(), view.shared_with, std::cmp::Reverse(view.id)))
}

/// A view as it was typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ViewInput {
    /// The word of its list.
    pub list: String,
    /// Name.
    pub name: String,
    /// The query of the address.
    pub query: String,
    /// The word of the least role that sees it; empty: nobody else.
    pub shared_with: String,
    /// Whether the list opens with it.
    pub opens: bool,
}

/// A view to keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ViewDraft {
    /// Its list.
    pub list: ListName,
    /// Name.
    pub name: String,
    /// The query of the address, without what belongs to one look only.
    pub query: String,
    /// The least role that sees it besides its owner.
    pub shared_with: Option<Role>,
    /// Whether the list opens with it.
    pub opens: bool,
}

/// Words of an address that belong to one look at a list and to no view: the page, the form of the answer, a form given back, and the
/// word by which the plain list names itself.
const OF_ONE_LOOK: [&str; 4] = ["page", "as", "unsent", "all"];

impl ViewDraft {
    /// Checks the fields.
    ///
    /// # Errors
    /// Every field that breaks a rule.
    pub fn parse(input: &ViewInput) -> Result<Self, FieldErrors> {
        let mut errors = FieldErrors::new();
        let list = ListName::of(&input.list);
        if list.is_none() {
            let words: Vec<&str> = LISTS.iter().map(|list| list.word).collect();
            errors.add("list", format_args!("a list is one of {}", words.join(", ")));
        }
        let name = input.name.trim();
        let count = name.chars().count();
        if count == 0 {
            errors.add("name", "enter a name");
        } else if count > NAME_CHARS {
            errors.add("name", format_args!("a name has at most {NAME_CHARS} characters; this one has {count}"));
        } else if name.chars().any(char::is_control) {
            errors.add("name", "a name is one line of text");
        }
        let query = lasting(&input.query);
        if query.as_ref().is_none_or(|query| query.len() > VIEW_QUERY_CHARS) {
            errors.add(
                "query",
                format_args!("a query is what an address has behind its question mark, at most {VIEW_QUERY_CHARS} characters"),
            );
        }
        let shared = match input.shared_with.trim() {
            "" | NOBODY => Some(None),
            word => errors.take("shared_with", word.parse().map_err(|error: super::user::NoRole| error)).map(Some),
        };
        let (list, query, shared_with) =
            errors.into_result(list.zip(query).zip(shared).map(|((list, query), shared)| (list, query, shared)))?;
        Ok(Self { list, name: name.to_owned(), query, shared_with, opens: input.opens })
    }
}

/// A query without what belongs to one look only, each name and value written as addresses have them; none where it cannot be read.
pub fn lasting(query: &str) -> Option<String> {
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(query.trim().trim_start_matches('?')).ok()?;
    let kept = pairs.into_iter().filter(|(name, value)| !value.trim().is_empty() && !OF_ONE_LOOK.contains(&name.as_str()));
    serde_urlencoded::to_string(kept.collect::<Vec<_>>()).ok()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn view(id: u64, owner: u64, shared_with: Option<Role>) -> View {
        View {
            id: ViewId(id),
            list: "devices".to_owned(),
            name: "Offline".to_owned(),
            query: String::new(),
            owner: Some(UserId(owner)),
            shared_with,
            opens: true,
            modified: Modified { by: "Ada".to_owned(), at: Timestamp::UNIX_EPOCH, revision: 1 },
        }
    }

    #[test]
    fn a_view_is_seen_by_its_owner_and_by_the_roles_it_is_shared_with() {
        let (own, operators) = (view(1, 1, None), view(2, 1, Some(Role::Operator)));
        let seen = |view: &View, user, role| view.is_seen_by(Some(UserId(user)), role);
        assert!(seen(&own, 1, Role::Viewer) && !seen(&own, 2, Role::Owner));
        assert!(
            seen(&operators, 2, Role::AccountAdmin) && !seen(&operators, 2, Role::Viewer) && seen(&operators, 1, Role::Viewer)
        );
        assert!(!view(3, 1, None).is_seen_by(None, Role::Owner));
    }

    #[test]
    fn names_are_unique_where_they_are_seen_together_and_one_opens_the_list() {
        let (own, other, shared) = (view(1, 1, None), view(2, 2, None), view(3, 2, Some(Role::Viewer)));
        assert!(!own.clashes_with(&other) && !own.clashes_with(&shared) && !own.clashes_with(&own));
        assert!(shared.clashes_with(&other) && shared.clashes_with(&view(4, 1, Some(Role::Owner))));
        assert!(view(4, 1, None).replaces(&own) && !shared.replaces(&other) && !own.replaces(&other));
        let all = [own, other, shared];
        let opening = |user| opening(all.iter(), "devices", Some(UserId(user)), Role::Viewer).map(|view| view.id.0);
        assert_eq!((opening(1), opening(2), opening(3)), (Some(1), Some(2), Some(3)));
    }

    #[test]
    fn what_is_typed_is_checked_field_by_field() {
        let input = ViewInput {
            list: "devices".to_owned(),
            name: " Offline > 7 d ".to_owned(),
            query: "?status=offline&q=&page=3&as=csv&site=7".to_owned(),
            ..ViewInput::default()
        };
        let draft = ViewDraft::parse(&input).expect("a good one");
        assert_eq!((draft.name.as_str(), draft.query.as_str()), ("Offline > 7 d", "status=offline&site=7"));
        let wrong = ViewInput {
            list: "nothing".to_owned(),
            name: "x".repeat(81),
            query: format!("q={}", "x".repeat(VIEW_QUERY_CHARS)),
            shared_with: "all".to_owned(),
            opens: false,
        };
        let fields: Vec<_> = ViewDraft::parse(&wrong).expect_err("all wrong").iter().map(|e| e.field).collect();
        assert_eq!(fields, ["list", "name", "query", "shared_with"]);
    }
}
