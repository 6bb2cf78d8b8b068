//! What was learned of every key, in memory: what each request is judged by (contract 4).
//!
//! Phones change it at each contact; such facts are written with the next presence batch, as sightings are. That batch does not wait
//! for its time where a fact closes a door ([`Trust::closes`]): see [`Trusts::door_closed`]. People change it through
//! [`super::commit`], which applies the same change to the row and, once that is kept, to memory: neither side loses what the other
//! has learned meanwhile.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;
use parking_lot::{Mutex, RwLock};
use tokio::sync::Notify;

use super::commit::Change;
use super::error::ServiceError;
use crate::domain::device::DeviceKey;
use crate::domain::ids::AccountId;
use crate::domain::limits::STRANGERS;
use crate::domain::strangers;
use crate::domain::trust::Trust;
use crate::store::{self, Read};

/// A change that a person makes.
pub(super) type TrustChange = Box<dyn FnOnce(&mut Trust) + Send>;

/// Those of all accounts.
#[derive(Debug, Default)]
pub struct Trusts {
    by_account: RwLock<BTreeMap<AccountId, Arc<Book>>>,
    urgent: Arc<Notify>,
}

/// Those of one account.
#[derive(Debug, Default)]
pub struct Book {
    entries: RwLock<Entries>,
    unwritten: Mutex<Unwritten>,
    urgent: Arc<Notify>,
}

/// All of them, and which of them every page asks for: of fifty thousand keys a few.
#[derive(Debug, Default)]
struct Entries {
    by_key: HashMap<DeviceKey, Arc<Trust>>,
    /// Those that [`Trust::is_at_the_door`].
    at_the_door: HashSet<DeviceKey>,
}

impl Entries {
    fn of(by_key: HashMap<DeviceKey, Arc<Trust>>) -> Self {
        let at_the_door = by_key.iter().filter(|(_, trust)| trust.is_at_the_door()).map(|(key, _)| key.clone()).collect();
        Self { by_key, at_the_door }
    }

    fn insert(&mut self, key: &DeviceKey, trust: Trust) {
        if trust.is_at_the_door() {
            self.at_the_door.insert(key.clone());
        } else {
            self.at_the_door.remove(key);
        }
        self.by_key.insert(key.clone(), Arc::new(trust));
    }

    fn remove(&mut self, key: &DeviceKey) {
        self.at_the_door.remove(key);
        self.by_key.remove(key);
    }
}

/// Keys whose rows are to be written or removed.
#[derive(Debug, Default)]
struct Unwritten {
    keys: BTreeSet<DeviceKey>,
    /// Those that taught something which must not be lost, until it is kept.
    closed: BTreeSet<DeviceKey>,
}

impl Trusts {
    /// The book of an account; an empty one where there is none yet.
    pub fn get(&self, account: AccountId) -> Arc<Book> {
        if let Some(book) = self.by_account.read().get(&account) {
            return Arc::clone(book);
        }
        let new = || Arc::new(Book { urgent: Arc::clone(&self.urgent), ..Book::default() });
        Arc::clone(self.by_account.write().entry(account).or_insert_with(new))
    }

    /// Waits until a phone has taught something that must not be lost by a crash, and that is to be written now.
    pub async fn door_closed(&self) {
        self.urgent.notified().await;
    }

    /// Reads everything anew. What memory learned and did not write yet, it keeps.
    pub(super) fn rebuild(&self, tx: &impl Read) -> Result<(), ServiceError> {
        for (account, _) in store::accounts::all(tx)? {
            let book = self.get(account);
            let mut entries = book.entries.write();
            let unwritten = book.unwritten.lock();
            let mut kept = HashMap::with_capacity(entries.by_key.len());
            let mut addresses = BTreeSet::new();
            store::trusts::each(tx, account, |key, mut trust| {
                trust.share_address(&mut addresses);
                kept.insert(key, Arc::new(trust));
            })?;
            for key in &unwritten.keys {
                match entries.by_key.get(key) {
                    Some(trust) => drop(kept.insert(key.clone(), Arc::clone(trust))),
                    None => drop(kept.remove(key)),
                }
            }
            *entries = Entries::of(kept);
        }
        Ok(())
    }

    /// The accounts of which something is still to be written.
    pub(super) fn unwritten(&self) -> Vec<AccountId> {
        let books = self.by_account.read();
        books.iter().filter(|(_, book)| !book.unwritten.lock().keys.is_empty()).map(|(account, _)| *account).collect()
    }

    /// Applies to memory what a commit changed.
    pub(super) fn apply(&self, account: AccountId, changes: Vec<(DeviceKey, TrustChange)>) {
        let book = self.get(account);
        for (key, change) in changes {
            book.learn(&key, change);
        }
    }
}

impl Book {
    /// What is known of a key; nothing but defaults of one that was never heard of.
    pub fn of(&self, key: &DeviceKey) -> Arc<Trust> {
        static NOTHING: std::sync::OnceLock<Arc<Trust>> = std::sync::OnceLock::new();
        let known = self.entries.read().by_key.get(key).cloned();
        known.unwrap_or_else(|| Arc::clone(NOTHING.get_or_init(Arc::default)))
    }

    /// Those that are wanted, in no order: a snapshot that holds no lock. Most are not: nothing is copied of them, so that phones do
    /// not wait for a page.
    pub fn filtered(&self, is_wanted: impl Fn(&Trust) -> bool) -> Vec<(DeviceKey, Arc<Trust>)> {
        let entries = self.entries.read();
        entries.by_key.iter().filter(|(_, trust)| is_wanted(trust)).map(|(key, trust)| (key.clone(), Arc::clone(trust))).collect()
    }

    /// The addresses of ours by which any came. They are few, however many came.
    pub fn addresses_used(&self) -> BTreeSet<Arc<str>> {
        let entries = self.entries.read();
        let mut addresses = BTreeSet::new();
        for address in entries.by_key.values().filter_map(|trust| trust.address_used.as_ref()) {
            if !addresses.contains(address) {
                addresses.insert(Arc::clone(address));
            }
        }
        addresses
    }

    /// Those of whom somebody was not let in ([`Trust::is_at_the_door`]), as far as they are wanted. Every page asks for them, and nobody
    /// walks through all keys for that.
    pub fn at_the_door(&self, is_wanted: impl Fn(&Trust) -> bool) -> Vec<(DeviceKey, Arc<Trust>)> {
        let entries = self.entries.read();
        let known = entries.at_the_door.iter().filter_map(|key| Some((key, entries.by_key.get(key)?)));
        known.filter(|(_, trust)| is_wanted(trust)).map(|(key, trust)| (key.clone(), Arc::clone(trust))).collect()
    }

    /// Takes in what a phone taught. Nearly always that is nothing new: then no lock for writing is taken, and of a device that comes
    /// as ever nothing is copied on the heap.
    pub fn hear(&self, key: &DeviceKey, fact: impl Fn(&mut Trust)) {
        let known = self.of(key);
        let mut changed = Trust::clone(&known);
        fact(&mut changed);
        if changed != *known {
            self.learn(key, fact);
        }
    }

    /// Changes what is known of a key. The row follows with the next batch, where something did change.
    pub fn learn(&self, key: &DeviceKey, change: impl FnOnce(&mut Trust)) {
        let mut entries = self.entries.write();
        let known = entries.by_key.get(key).cloned().unwrap_or_default();
        let mut changed = Trust::clone(&known);
        change(&mut changed);
        if changed == *known {
            return;
        }
        let closes = changed.closes(&known);
        if changed == Trust::default() {
            entries.remove(key);
        } else {
            entries.insert(key, changed);
        }
        let mut unwritten = self.unwritten.lock();
        unwritten.keys.insert(key.clone());
        if closes {
            unwritten.closed.insert(key.clone());
            self.urgent.notify_one();
        }
    }

    /// Whether something that must not be lost was learned of a key and is not kept yet.
    pub(super) fn has_closed(&self, key: &DeviceKey) -> bool {
        self.unwritten.lock().closed.contains(key)
    }

    /// Writes what was learned since the last batch, and lets go of strangers that nobody asked for in a long time: those that
    /// only knocked and whom `is_device` does not know. Answers the keys, for [`Book::kept`] or [`Book::take_back`].
    pub(super) fn write(
        &self,
        change: &Change<'_>,
        is_device: impl Fn(&DeviceKey) -> bool,
    ) -> Result<BTreeSet<DeviceKey>, ServiceError> {
        self.make_room(is_device);
        let keys = std::mem::take(&mut self.unwritten.lock().keys);
        for key in &keys {
            let known = self.entries.read().by_key.get(key).cloned();
            match known {
                Some(trust) => store::trusts::put(change.tx(), change.account_id(), key, &trust)?,
                None => drop(store::trusts::delete(change.tx(), change.account_id(), key)?),
            }
        }
        Ok(keys)
    }

    /// Lets go of what is kept for a time only.
    pub(super) fn expire(&self, now: Timestamp) {
        let may_expire = |trust: &Trust| trust.deleted_at.is_some() || trust.is_at_the_door();
        for (key, _) in self.filtered(may_expire) {
            self.learn(&key, |trust| trust.expire(now));
        }
    }

    /// Takes in that these are on the disk as they were written. What was learned of them meanwhile still waits.
    pub(super) fn kept(&self, written: &BTreeSet<DeviceKey>) {
        let Unwritten { keys, closed } = &mut *self.unwritten.lock();
        closed.retain(|key| keys.contains(key) || !written.contains(key));
    }

    /// Takes back what could not be written. Nobody waits for it: it is tried again with the next batch.
    pub(super) fn take_back(&self, failed: BTreeSet<DeviceKey>) {
        let Unwritten { keys, closed } = &mut *self.unwritten.lock();
        keys.extend(failed);
        closed.clear();
    }

    /// Keeps the number of strangers within [`STRANGERS`]; who goes first, [`strangers::surplus`] says (P16).
    fn make_room(&self, is_device: impl Fn(&DeviceKey) -> bool) {
        let is_stranger = |(key, trust): &(&DeviceKey, &Arc<Trust>)| !trust.must_outlive() && !is_device(key);
        // Nearly always there is room. Phones wait neither while that is found out nor while it is decided who goes.
        let strangers: Vec<(DeviceKey, Arc<Trust>)> = {
            let entries = self.entries.read();
            if entries.by_key.iter().filter(is_stranger).count() <= STRANGERS {
                return;
            }
            entries.by_key.iter().filter(is_stranger).map(|(key, trust)| (key.clone(), Arc::clone(trust))).collect()
        };
        let surplus = strangers::surplus(&strangers, STRANGERS);
        let mut entries = self.entries.write();
        let mut unwritten = self.unwritten.lock();
        for (key, trust) in surplus.into_iter().map(|at| &strangers[at]) {
            // Whoever asked meanwhile stays until the next batch.
            if entries.by_key.get(key).is_some_and(|now| Arc::ptr_eq(now, trust)) {
                entries.remove(key);
                unwritten.keys.insert(key.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::run::Reason;
    use crate::domain::trust::{Admitted, Knock};

    #[test]
    fn who_is_at_the_door_is_known_without_a_look_at_all_keys() {
        let book = Book::default();
        let key = |number: u8| format!("0004f2aa00{number:02x}").parse::<DeviceKey>().expect("a MAC");
        let knock = || Knock::new(Timestamp::UNIX_EPOCH, Reason::NotApproved, [10, 0, 0, 7].into(), "VVX 411");
        let found = |book: &Book| {
            let mut by_index: Vec<_> = book.at_the_door(|_| true).into_iter().map(|(key, _)| key).collect();
            let mut by_walk: Vec<_> = book.filtered(Trust::is_at_the_door).into_iter().map(|(key, _)| key).collect();
            by_index.sort();
            by_walk.sort();
            assert_eq!(by_index, by_walk);
            by_index
        };
        book.learn(&key(1), |trust| trust.refused(knock()));
        book.learn(&key(2), |trust| trust.generation = 3);
        book.learn(&key(3), |trust| {
            trust.generation = 4;
            trust.refused(knock());
        });
        assert_eq!(found(&book), [key(1), key(3)]);
        book.learn(&key(1), |trust| *trust = Trust::default());
        book.learn(&key(3), |trust| *trust = Trust { generation: 4, ..Trust::default() });
        book.learn(&key(2), |trust| trust.refused(knock()));
        assert_eq!(found(&book), [key(2)]);
    }

    #[test]
    fn a_visit_like_the_last_one_changes_and_writes_nothing() {
        let (book, key): (_, DeviceKey) = (Book::default(), "0004f2aa0001".parse().expect("a MAC"));
        let visit = |address: [u8; 4]| {
            book.hear(&key, |trust| {
                trust.let_in(Timestamp::UNIX_EPOCH, address.into(), Admitted::Own(0));
                trust.came_by("https://localhost:8443");
            });
            book.of(&key)
        };
        let first = visit([10, 0, 0, 7]);
        std::mem::take(&mut *book.unwritten.lock());
        let second = visit([10, 0, 0, 7]);
        assert!(Arc::ptr_eq(&first, &second) && book.unwritten.lock().keys.is_empty());
        assert!(!Arc::ptr_eq(&second, &visit([10, 0, 0, 8])) && !book.unwritten.lock().keys.is_empty());
    }
}
