//! Saved views: kept, changed and deleted; whose lists show which, and with which a list opens. All are held in memory, because each
//! page of a list names them.

use parking_lot::RwLock;

use super::Services;
use super::commit::{Change, Mode, perform};
use super::error::ServiceError;
use super::lists::{self, Misread};
use crate::domain::access::{Action, Actor, Grant, authorize};
use crate::domain::activity::Event;
use crate::domain::field_error::FieldErrors;
use crate::domain::ids::{AccountId, UserId, ViewId};
use crate::domain::limits::VIEWS_PER_USER;
use crate::domain::people::Modified;
use crate::domain::user::{Role, User};
use crate::domain::view::{ListName, NOBODY, View, ViewDraft, opening};
use crate::store::{self, Read};

/// Every view in memory.
#[derive(Debug, Default)]
pub struct Shelf(RwLock<Vec<(AccountId, View)>>);

impl Shelf {
    /// Reads everything anew.
    pub(super) fn rebuild(&self, tx: &impl Read) -> Result<(), ServiceError> {
        *self.0.write() = store::views::all(tx)?;
        Ok(())
    }

    /// The same after a change. Whoever takes the lock last has read last: nobody sets it back to what was before.
    pub(super) fn refresh(&self, services: &Services) -> Result<(), ServiceError> {
        let mut all = self.0.write();
        *all = services.store.read(store::views::all)?;
        Ok(())
    }
}

/// The revision that a change was made from, and of which view.
#[derive(Clone, Copy, Debug)]
pub struct Shown {
    /// The view.
    pub id: ViewId,
    /// Its revision.
    pub revision: u64,
}

/// The user behind an actor: what a token makes belongs to whoever made the token.
pub fn user_of(actor: &Actor) -> Option<UserId> {
    match actor {
        Actor::User { id, .. } => Some(*id),
        Actor::Token { made_by, .. } => *made_by,
        Actor::CommandLine => None,
    }
}

/// The views that somebody sees, by list and name: the own ones and those that are shared.
pub fn seen(services: &Services, account: AccountId, user: Option<UserId>, role: Role) -> Vec<View> {
    let all = services.views.0.read();
    let seen = all.iter().filter(|(of, view)| *of == account && view.is_seen_by(user, role));
    let mut seen: Vec<View> = seen.map(|(_, view)| view.clone()).collect();
    seen.sort_by_cached_key(|view| (view.list.clone(), view.name.to_lowercase(), view.id));
    seen
}

/// The view with which a list opens for somebody.
pub fn opens(services: &Services, account: AccountId, list: ListName, user: Option<UserId>, role: Role) -> Option<View> {
    let all = services.views.0.read();
    opening(all.iter().filter(|(of, _)| *of == account).map(|(_, view)| view), list.word, user, role).cloned()
}

/// One view that an actor sees.
///
/// # Errors
/// [`ServiceError::NotFound`], also where somebody else keeps it for himself.
pub fn get(services: &Services, actor: &Actor, account: AccountId, id: ViewId) -> Result<View, ServiceError> {
    let all = services.views.0.read();
    find(&all, actor, account, id)
}

fn find(all: &[(AccountId, View)], actor: &Actor, account: AccountId, id: ViewId) -> Result<View, ServiceError> {
    let found = all.iter().find(|(of, view)| *of == account && view.id == id);
    let seen = found.filter(|(_, view)| view.is_seen_by(user_of(actor), actor.role()));
    seen.map(|(_, view)| view.clone()).ok_or_else(|| ServiceError::not_found("view", id))
}

/// Keeps a view.
///
/// # Errors
/// The name is taken, there are too many, or the actor may not share.
pub fn create(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    draft: ViewDraft,
    mode: Mode,
) -> Result<View, ServiceError> {
    let grant = grant(actor, account, draft.shared_with.is_some())?;
    let owner = user_of(actor);
    if owner.is_none() && draft.shared_with.is_none() {
        return Err(FieldErrors::one(
            "shared_with",
            "this token belongs to no user who could keep a view; say whom to share it with",
        )
        .into());
    }
    must_be_understood(&draft)?;
    change(services, mode, grant, account, |change, all| {
        let count = all.iter().filter(|(_, view)| view.owner == owner).count();
        if count >= VIEWS_PER_USER {
            return Err(ServiceError::Conflict(format!("there are {VIEWS_PER_USER} views already; delete one first")));
        }
        let modified = Modified { by: actor.shown(), at: change.now(), revision: 1 };
        let view = made(store::views::next_id(change.tx())?, owner, draft, modified);
        keep(change, all, None, view)
    })
}

/// Changes a view: its name, what it shows, with whom it is shared, whether the list opens with it.
///
/// # Errors
/// [`ServiceError::Conflict`] when somebody changed it meanwhile; as [`create`] besides.
pub fn update(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    shown: Shown,
    draft: ViewDraft,
    mode: Mode,
) -> Result<View, ServiceError> {
    let present = get(services, actor, account, shown.id)?;
    let is_shared = present.shared_with.is_some() || draft.shared_with.is_some();
    let grant = grant(actor, account, is_shared)?;
    if present.owner.is_none() && draft.shared_with.is_none() {
        return Err(FieldErrors::one("shared_with", "nobody owns this view: delete it where it is to be shared no more").into());
    }
    if draft.query != present.query {
        must_be_understood(&draft)?;
    }
    change(services, mode, grant, account, |change, all| {
        let present = find(all, actor, account, shown.id)?;
        if present.modified.revision != shown.revision || (present.shared_with.is_some() && !is_shared) {
            return Err(ServiceError::Conflict("somebody changed this view meanwhile; look at it again".to_owned()));
        }
        let modified = Modified { by: actor.shown(), at: change.now(), revision: present.modified.revision + 1 };
        let view = View { list: present.list.clone(), ..made(present.id, present.owner, draft, modified) };
        keep(change, all, Some(&present), view)
    })
}

/// Deletes a view.
///
/// # Errors
/// [`ServiceError::NotFound`]; it is shared and the actor may not share.
pub fn delete(services: &Services, actor: &Actor, account: AccountId, id: ViewId, mode: Mode) -> Result<View, ServiceError> {
    let is_shared = get(services, actor, account, id)?.shared_with.is_some();
    let grant = grant(actor, account, is_shared)?;
    change(services, mode, grant, account, |change, all| {
        let view = find(all, actor, account, id)?;
        if view.shared_with.is_some() && !is_shared {
            return Err(ServiceError::Conflict("somebody shared this view meanwhile; look at it again".to_owned()));
        }
        remove(change, account, &view)?;
        Ok(view)
    })
}

/// What becomes of the views of a user who is deleted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Left {
    /// Names of those that nobody else saw: they are gone.
    pub gone: Vec<String>,
    /// Names of those that are shared: they stay, and belong to whoever deleted the user.
    pub passed_on: Vec<String>,
    /// Names of those that are shared and belong to nobody from now on, because the other has one of that name, or too many.
    pub ownerless: Vec<String>,
}

/// Settles the views of a user who is deleted, within that change: others go on seeing what was shared with them. The caller calls
/// [`Shelf::refresh`] when it is kept.
pub(super) fn leave(change: &mut Change<'_>, user: &User, heir: Option<&User>) -> Result<Left, ServiceError> {
    let heir = heir.filter(|heir| heir.id != user.id);
    let owner = heir.map(|heir| heir.id);
    let (mut all, mut left) = (store::views::all(change.tx())?, Left::default());
    for place in 0..all.len() {
        let (account, view) = all[place].clone();
        if !view.is_of(Some(user.id)) {
            continue;
        }
        if view.shared_with.is_none() {
            remove(change, account, &view)?;
            left.gone.push(view.name);
            continue;
        }
        let passed = View { owner, ..view };
        let others = || all.iter().filter(|(of, _)| *of == account).map(|(_, other)| other);
        let is_full = others().filter(|other| other.is_of(owner)).count() >= VIEWS_PER_USER;
        let heir = heir.filter(|_| !is_full && !others().any(|other| passed.clashes_with(other)));
        let passed = View { owner: heir.map(|heir| heir.id), ..passed };
        store::views::put(change.tx(), account, &passed)?;
        let now = heir.map_or(NOBODY, |heir| &heir.name).to_owned();
        change.record(Event::new("view", passed.name.as_str(), "changed").change("owner", Some(user.name.clone()), Some(now)))?;
        let told = if heir.is_some() { &mut left.passed_on } else { &mut left.ownerless };
        told.push(passed.name.clone());
        all[place].1 = passed;
    }
    Ok(left)
}

/// What is wrong with the views of a state: those that nobody can reach (`pdms check`).
pub(super) fn faults(services: &Services) -> Result<Vec<String>, ServiceError> {
    services.store.read(|tx| {
        let users = store::users::all(tx)?;
        let is_lost = |view: &View| {
            let has_owner = view.owner.is_none_or(|owner| users.iter().any(|user| user.id == owner));
            ListName::of(&view.list).is_none() || !has_owner
        };
        let lost = store::views::all(tx)?.into_iter().filter(|(_, view)| is_lost(view));
        Ok(lost
            .map(|(_, view)| {
                format!(
                    "the saved view {} of the list {} belongs to no user or list that is there; delete it by the API",
                    view.name, view.list
                )
            })
            .collect())
    })
}

/// A filter with a value that its list does not take narrows nothing: the view would show more than its name says.
fn must_be_understood(draft: &ViewDraft) -> Result<(), ServiceError> {
    let Some(listing) = lists::at(draft.list.word) else { return Ok(()) };
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(&draft.query).unwrap_or_default();
    let mut errors = FieldErrors::new();
    for Misread { filter, value, rule } in listing.misread(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()))) {
        errors.add("query", format_args!("the filter “{filter}” does not take “{value}”: {rule}"));
    }
    Ok(errors.into_result(Some(()))?)
}

/// Own views are the user's affair, shared ones are for those who edit the account.
fn grant(actor: &Actor, account: AccountId, is_shared: bool) -> Result<Grant, ServiceError> {
    if is_shared {
        return Ok(authorize(actor, Action::ShareViews(account))?);
    }
    Ok(authorize(actor, Action::Look(account))?)
}

fn change<T>(
    services: &Services,
    mode: Mode,
    grant: Grant,
    account: AccountId,
    make: impl FnOnce(&mut Change<'_>, &[(AccountId, View)]) -> Result<T, ServiceError>,
) -> Result<T, ServiceError> {
    let done = perform(services, mode, grant, account, |change| {
        let mut all = store::views::all(change.tx())?;
        all.retain(|(of, _)| *of == account);
        make(change, &all)
    })?;
    if mode == Mode::Keep {
        services.views.refresh(services)?;
    }
    Ok(done)
}

fn made(id: ViewId, owner: Option<UserId>, draft: ViewDraft, modified: Modified) -> View {
    let ViewDraft { list, name, query, shared_with, opens } = draft;
    View { id, list: list.word.to_owned(), name, query, owner, shared_with, opens, modified }
}

fn keep(change: &mut Change<'_>, all: &[(AccountId, View)], former: Option<&View>, view: View) -> Result<View, ServiceError> {
    if all.iter().any(|(_, other)| view.clashes_with(other)) {
        return Err(FieldErrors::one("name", "a view of this list has this name already").into());
    }
    for (account, other) in all.iter().filter(|(_, other)| view.replaces(other)) {
        store::views::put(change.tx(), *account, &View { opens: false, ..other.clone() })?;
    }
    record(change, former, Some(&view))?;
    store::views::put(change.tx(), change.account_id(), &view)?;
    Ok(view)
}

fn remove(change: &mut Change<'_>, account: AccountId, view: &View) -> Result<(), ServiceError> {
    store::views::delete(change.tx(), account, view.id)?;
    record(change, Some(view), None)
}

/// Tells the activity log of a view that others see or saw.
fn record(change: &mut Change<'_>, former: Option<&View>, now: Option<&View>) -> Result<(), ServiceError> {
    let Some(view) = now.or(former) else { return Ok(()) };
    if [former, now].into_iter().flatten().all(|view| view.shared_with.is_none()) {
        change.concerns_nobody_else();
        return Ok(());
    }
    let action = match (former, now) {
        (None, _) => "added",
        (_, None) => "deleted",
        _ => "changed",
    };
    let told = |of: fn(&View) -> String| (former.map(of), now.map(of));
    let fields = [
        ("name", told(|view| view.name.clone())),
        ("list", told(|view| view.list.clone())),
        ("query", told(|view| view.query.clone())),
        ("shared with", told(|view| view.audience().to_owned())),
        ("opens the list", told(|view| if view.opens { "yes" } else { "no" }.to_owned())),
    ];
    let event = Event::new("view", former.unwrap_or(view).name.as_str(), action);
    let event = fields
        .into_iter()
        .filter(|(_, (old, new))| old != new)
        .fold(event, |event, (field, (old, new))| event.change(field, old, new));
    if event.changes.is_empty() {
        change.leave_as_is();
        return Ok(());
    }
    change.record(event)
}

#[cfg(test)]
#[path = "views_tests.rs"]
mod tests;
