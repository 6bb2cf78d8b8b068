//! Whether a person has been shown what a change does to devices before it is made (contract 5.15).
//!
//! It goes along with whoever asks ([`super::access::Actor`]): on pages nothing that changes what devices get is written before its
//! mark comes back; for a dry run it carries away what was found. Programs and the server itself are not asked.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use super::foresight::Foresight;

/// What goes along with a request.
#[derive(Clone, Debug, Default)]
pub struct Consent(Option<Arc<Asking>>);

#[derive(Debug)]
struct Asking {
    /// Whether a change waits until its mark comes back.
    must_be_shown: bool,
    /// The mark of what was shown.
    shown: Option<String>,
    /// Whether devices that would have to go back to older software may do so, until that is written.
    allows_downgrades: AtomicBool,
    tried: OnceLock<Arc<Told>>,
    refused: OnceLock<Arc<Told>>,
    /// What was agreed to.
    agreed: OnceLock<Arc<Told>>,
}

/// What was found of a change.
#[derive(Debug)]
pub struct Told {
    /// What it does.
    pub foresight: Foresight,
    /// By what it is known again.
    pub mark: String,
}

impl Consent {
    /// Of a person on a page; `shown` is the mark of what the person was shown.
    pub fn of_person(shown: Option<String>) -> Self {
        Self::new(true, shown, false)
    }

    /// The same person, who allows devices to go back to the older software that the change chooses for them.
    pub fn allowing_downgrades(shown: Option<String>) -> Self {
        Self::new(true, shown, true)
    }

    /// Of a dry run: nobody is asked, and what would happen is told.
    pub fn of_dry_run() -> Self {
        Self::new(false, None, false)
    }

    fn new(must_be_shown: bool, shown: Option<String>, allows_downgrades: bool) -> Self {
        Self(Some(Arc::new(Asking {
            must_be_shown,
            shown,
            allows_downgrades: AtomicBool::new(allows_downgrades),
            tried: OnceLock::new(),
            refused: OnceLock::new(),
            agreed: OnceLock::new(),
        })))
    }

    /// Whether anybody wants to know what a change does that is only tried out.
    pub fn listens(&self) -> bool {
        self.0.is_some()
    }

    /// Whether a change must be shown before it is made.
    pub fn must_be_shown(&self) -> bool {
        self.0.as_ref().is_some_and(|asking| asking.must_be_shown)
    }

    /// Notes what a change would do that was tried out.
    pub fn note_trial(&self, told: Told) {
        if let Some(asking) = &self.0 {
            // Of several trials in one request the first is what was asked for.
            let _ = asking.tried.set(Arc::new(told));
        }
    }

    /// Whether a change that does this may be made; where not, it is noted.
    pub fn agrees(&self, told: Told) -> bool {
        let Some(asking) = self.0.as_ref().filter(|asking| asking.must_be_shown) else { return true };
        if told.foresight.is_empty() {
            return true;
        }
        let is_harmless = told.foresight.changed() == 0;
        let agrees = match &asking.shown {
            // Whoever was shown something said yes to that and to nothing else, whether or not a device gets other values. What is
            // changed beside it by the same request was no part of what was shown.
            Some(shown) => *shown == told.mark || (is_harmless && asking.agreed.get().is_some()),
            None => is_harmless,
        };
        let kept = if agrees { &asking.agreed } else { &asking.refused };
        let _ = kept.set(Arc::new(told));
        agrees
    }

    /// What was tried out.
    pub fn tried(&self) -> Option<&Arc<Told>> {
        self.0.as_ref()?.tried.get()
    }

    /// What was not done because nobody was shown it.
    pub fn refused(&self) -> Option<&Arc<Told>> {
        self.0.as_ref()?.refused.get()
    }

    /// What was agreed to; where it was made, it was this.
    pub fn agreed(&self) -> Option<&Arc<Told>> {
        self.0.as_ref()?.agreed.get()
    }

    /// The change whose devices may go back to older software: what was agreed to, where that was said with it. It is answered once,
    /// to the change that it was said to.
    pub fn take_allowed_downgrades(&self) -> Option<Arc<Told>> {
        let asking = self.0.as_ref()?;
        let agreed = asking.agreed.get().filter(|told| !told.foresight.downgrades.is_empty())?;
        asking.allows_downgrades.swap(false, Ordering::Relaxed).then(|| Arc::clone(agreed))
    }

    /// Whether something else was shown before.
    pub fn was_shown(&self) -> bool {
        self.0.as_ref().is_some_and(|asking| asking.shown.is_some())
    }
}

/// Whoever asks is the same person, whatever was shown.
impl PartialEq for Consent {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Consent {}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::domain::device::DeviceKey;
    use crate::domain::foresight::Group;
    use crate::domain::restart::Effect;
    use crate::domain::software::downgrade::Downgrade;

    /// A device leaves, and so many get other values.
    fn told(mark: &str, changed: usize) -> Told {
        let key: DeviceKey = "0004f2000001".parse().expect("a key");
        let group = Group { devices: vec![key; changed], changes: Vec::new(), effect: Effect::None, is_assumed: false };
        Told { foresight: Foresight { groups: vec![group], removed: 1, ..Foresight::default() }, mark: mark.to_owned() }
    }

    #[test]
    fn what_was_shown_is_agreed_to_and_nothing_else_also_where_no_device_gets_other_values() {
        for changed in [0, 3] {
            let shown = || Consent::of_person(Some("shown".to_owned()));
            assert!(shown().agrees(told("shown", changed)));
            let other = shown();
            assert!(!other.agrees(told("other", changed)), "{changed} devices");
            assert_eq!(other.refused().map(|told| told.mark.as_str()), Some("other"));
        }
    }

    #[test]
    fn without_anything_shown_only_what_changes_no_device_is_made_at_once() {
        assert!(Consent::of_person(None).agrees(told("any", 0)));
        assert!(!Consent::of_person(None).agrees(told("any", 1)));
        assert!(Consent::of_dry_run().agrees(told("any", 1)) && Consent::default().agrees(told("any", 1)));
    }

    #[test]
    fn devices_may_go_back_by_the_change_that_was_agreed_to_and_only_once() {
        let back = || {
            let one = Downgrade {
                family: "VVX".to_owned(),
                to: "5.9.8.5760".parse().expect("a version"),
                from: BTreeSet::new(),
                devices: Vec::new(),
            };
            let Told { foresight, mark } = told("shown", 1);
            Told { foresight: Foresight { downgrades: vec![one], ..foresight }, mark }
        };
        let silent = Consent::of_person(Some("shown".to_owned()));
        assert!(silent.agrees(back()) && silent.take_allowed_downgrades().is_none(), "nobody said so");
        let said = Consent::allowing_downgrades(Some("shown".to_owned()));
        assert!(said.take_allowed_downgrades().is_none(), "nothing was agreed to yet");
        assert!(said.agrees(back()));
        assert!(said.take_allowed_downgrades().is_some() && said.take_allowed_downgrades().is_none());
        let other = Consent::allowing_downgrades(Some("other".to_owned()));
        assert!(!other.agrees(back()) && other.take_allowed_downgrades().is_none(), "something else was shown");
    }

    #[test]
    fn what_touches_nothing_is_made_whatever_was_shown() {
        let consent = Consent::of_person(Some("shown".to_owned()));
        assert!(consent.agrees(Told { foresight: Foresight::default(), mark: "other".to_owned() }));
        assert!(consent.agreed().is_none() && !consent.agrees(told("other", 0)));
    }

    #[test]
    fn what_is_changed_beside_what_was_shown_needs_no_yes_unless_devices_get_other_values() {
        let consent = Consent::of_person(Some("shown".to_owned()));
        assert!(consent.agrees(told("shown", 2)) && consent.agrees(told("beside", 0)));
        assert!(!consent.agrees(told("beside", 1)));
        assert_eq!(consent.agreed().map(|told| told.mark.as_str()), Some("shown"));
    }
}
