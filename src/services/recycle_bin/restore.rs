//! Putting back what was deleted, as one change: the objects with the numbers that they had, and what hung on them where it hung. What
//! stands in the way is told: a name that is taken asks for another one; what is gone itself, or somebody else's by now, is left out and
//! said.

use std::collections::{BTreeMap, BTreeSet};

use super::back::Back;
use super::{check_amount, not_found};
use crate::domain::access::{Action, Actor, authorize};
use crate::domain::consent::Consent;
use crate::domain::field_error::FieldErrors;
use crate::domain::ids::{AccountId, DeletionId};
use crate::domain::recycle_bin::{Around, Deletion, Hung, Kept, Kind, NAMED, What};
use crate::services::Services;
use crate::services::commit::{Change, Mode, perform};
use crate::services::error::ServiceError;
use crate::store;

/// Objects that the mark of an undo is worked out for: whoever deleted more is asked when it is undone.
const MARKED: u64 = 5_000;

/// What is to come back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Of which deletion.
    pub deletion: DeletionId,
    /// Which of its objects, by number; none for all of them.
    pub objects: Option<BTreeSet<u64>>,
}

impl From<DeletionId> for Wanted {
    fn from(deletion: DeletionId) -> Self {
        Self { deletion, objects: None }
    }
}

/// What came back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Restored {
    /// The objects: kind and name.
    pub objects: Vec<(Kind, String)>,
    /// What did not, in sentences without a full stop.
    pub left_out: Vec<String>,
}

/// Other names for objects whose own is taken.
pub type Names = BTreeMap<(DeletionId, u64), String>;

/// By what the undo of a deletion is known to do what its person expects: as if nothing had been deleted. None where that cannot be
/// said; then the person is shown it first, as with any change.
pub fn undo_mark(services: &Services, actor: &Actor, account: AccountId, id: DeletionId) -> Option<String> {
    let deletion = services.store.read(|tx| store::recycle_bin::get(tx, account, id)).ok()??;
    if deletion.objects() > MARKED {
        return None;
    }
    let consent = Consent::of_dry_run();
    let actor = actor.clone().with_consent(consent.clone());
    restore(services, &actor, account, &[id.into()], &Names::new(), Mode::TryOut).ok()?;
    consent.tried().map(|told| told.mark.clone())
}

/// Puts back what was deleted: all that is wanted, but for devices that are there again or blocked by somebody since, which stay in the
/// recycle bin and are told.
///
/// # Errors
/// [`ServiceError::Absent`] for what is not there any more; [`ServiceError::Invalid`] of the field `name`, with the item where several
/// objects are wanted, counted in the order in which they are; [`ServiceError::Conflict`] where there would be more than an account may
/// have, or nothing can come back.
pub fn restore(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    wanted: &[Wanted],
    names: &Names,
    mode: Mode,
) -> Result<Restored, ServiceError> {
    let grant = authorize(actor, Action::EditDevices(account))?;
    authorize(actor, Action::EditProfiles(account))?;
    authorize(actor, Action::EditSites(account))?;
    check_amount(wanted.len())?;
    if wanted.is_empty() {
        return Ok(Restored::default());
    }
    perform(services, mode, grant, account, |change| {
        let mut taken = take(change, wanted)?;
        let mut back = Back::new(services, account)?;
        back.take_in(&mut taken, names)?;
        taken.sort_by_key(|one| std::cmp::Reverse((one.deletion.at, one.deletion.id)));
        taken.iter().flat_map(|one| &one.around).for_each(|around| back.take_places(around));
        for around in taken.iter().flat_map(|one| &one.around) {
            back.take_lists(change, around)?;
        }
        back.check_limits()?;
        back.write(change)?;
        taken.into_iter().try_for_each(|one| one.leave(change, &back.stays))?;
        Ok(back.told())
    })
}

/// What is wanted of one deletion.
pub(super) struct Taken {
    pub(super) deletion: Deletion,
    pub(super) objects: Vec<(u64, What)>,
    around: Vec<Around>,
    rest: Vec<(u64, What, Hung)>,
    hung: BTreeMap<u64, Hung>,
}

fn take(change: &Change<'_>, wanted: &[Wanted]) -> Result<Vec<Taken>, ServiceError> {
    let mut taken: Vec<Taken> = Vec::new();
    for one in wanted {
        if taken.iter().any(|other| other.deletion.id == one.deletion) {
            return Err(FieldErrors::one("deletions", format_args!("{} is named twice", one.deletion)).into());
        }
        let account = change.account_id();
        let deletion = store::recycle_bin::get(change.tx(), account, one.deletion)?.ok_or_else(|| not_found(one.deletion))?;
        let mut this = Taken { deletion, objects: Vec::new(), around: Vec::new(), rest: Vec::new(), hung: BTreeMap::new() };
        for (number, kept) in store::recycle_bin::kept(change.tx(), account, one.deletion)? {
            match kept {
                Kept::Around(around) => this.around.push(around),
                Kept::Object(object) if one.objects.as_ref().is_none_or(|some| some.contains(&number)) => {
                    this.hung.insert(number, object.hung);
                    this.objects.push((number, object.what));
                }
                Kept::Object(object) => this.rest.push((number, object.what, object.hung)),
            }
        }
        let missing = one.objects.iter().flatten().find(|number| !this.hung.contains_key(number));
        if let Some(number) = missing {
            return Err(ServiceError::Absent(format!(
                "object {number} of deletion {} is not in the recycle bin any more; look at what is left of it",
                one.deletion
            )));
        }
        taken.push(this);
    }
    Ok(taken)
}

impl Taken {
    /// Takes out of the recycle bin what came back.
    fn leave(mut self, change: &Change<'_>, stays: &BTreeSet<(DeletionId, u64)>) -> Result<(), ServiceError> {
        let (account, id) = (change.account_id(), self.deletion.id);
        for (number, what) in self.objects {
            if stays.contains(&(id, number)) {
                self.rest.push((number, what, self.hung[&number]));
            } else {
                store::recycle_bin::delete_kept(change.tx(), account, id, number)?;
            }
        }
        if self.rest.is_empty() {
            store::recycle_bin::delete(change.tx(), account, id)?;
            return Ok(());
        }
        self.rest.sort_by_key(|(number, ..)| *number);
        let (mut kinds, mut hung) = (BTreeMap::new(), Hung::default());
        for (_, what, of) in &self.rest {
            *kinds.entry(what.kind()).or_default() += 1;
            hung.add(of);
        }
        let names = self.rest.iter().take(NAMED).map(|(_, what, _)| what.label()).collect();
        let deletion = Deletion { kinds, hung, names, ..self.deletion };
        Ok(store::recycle_bin::put(change.tx(), account, &deletion)?)
    }
}
