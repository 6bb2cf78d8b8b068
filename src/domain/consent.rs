//! Whether a person has been shown what a change does to devices before it is made (contract 5.15).
//!
//! It goes along with whoever asks ([`super::access::Actor`]): on pages nothing that changes what devices get is written before its
//! mark comes back; for a dry run it carries away what was found. Programs and the server itself are not asked.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use super::foresight::Foresight;
use super::parameter::ParameterSet;

/// What goes along with a request.
#[derive(Clone, Debug, Default)]
pub struct Consent(Option<Arc<Asking>>);

#[derive(Debug)]
struct Asking {
    /// Whether a change waits until its mark comes back.
    must_be_shown: bool,
    /// The mark of what was shown.
    shown: Option<String>,
    /// What phones are to have in their flash in place of what would stay there.
    values: FlashValues,
    /// Whether it is shown again whatever was agreed to: something that was typed about it cannot be taken.
    asks_again: bool,
    /// Whether devices that would have to go back to older software may do so, until that is written.
    allows_downgrades: AtomicBool,
    tried: OnceLock<Arc<Told>>,
    refused: OnceLock<Arc<Told>>,
    /// What was agreed to.
    agreed: OnceLock<Arc<Told>>,
}

/// What phones are to have in their flash in place of values that would stay there, by name (contract 5.11).
#[derive(Clone, Default, PartialEq, Eq)]
pub struct FlashValues(pub ParameterSet);

/// There may be secrets among them.
impl fmt::Debug for FlashValues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FlashValues({})", self.0.len())
    }
}

/// What was found of a change.
#[derive(Debug)]
pub struct Told {
    /// What it does.
    pub foresight: Foresight,
    /// By what it is known again. Where values were chosen for phones' flash, what the change does without them stands behind a dot: a value
    /// that was chosen is nothing that changed meanwhile.
    pub mark: String,
    /// The parameters that would stay in phones' flash if no value were chosen.
    pub staying: BTreeSet<String>,
}

impl Told {
    /// What a change does for which no values were chosen.
    pub fn new(foresight: Foresight, mark: String) -> Self {
        let staying = foresight.staying().into_iter().map(str::to_owned).collect();
        Self { foresight, mark, staying }
    }

    /// The same of a change together with values for phones' flash; `by_itself` is what it does without them.
    #[must_use]
    pub fn with_values(self, by_itself: Self) -> Self {
        Self { mark: format!("{}.{}", self.mark, by_itself.mark), staying: by_itself.staying, ..self }
    }
}

/// The part of a mark that tells the change without values for phones' flash.
fn of_change(mark: &str) -> &str {
    mark.rsplit('.').next().unwrap_or_default()
}

impl Consent {
    /// Of a person on a page; `shown` is the mark of what the person was shown.
    pub fn of_person(shown: Option<String>) -> Self {
        Self::of_person_who_sets(shown, FlashValues::default())
    }

    /// The same of a person who chose values for phones' flash.
    pub fn of_person_who_sets(shown: Option<String>, values: FlashValues) -> Self {
        Self::new(true, shown, values, false)
    }

    /// The same of a person who has to mend something before anything is done.
    pub fn of_person_to_ask_again(shown: Option<String>) -> Self {
        Self::new(true, shown, FlashValues::default(), true)
    }

    /// The same, who allows devices to go back to the older software that the change chooses for them.
    #[must_use]
    pub fn allowing_downgrades(self) -> Self {
        if let Some(asking) = &self.0 {
            asking.allows_downgrades.store(true, Ordering::Relaxed);
        }
        self
    }

    /// Of a dry run: nobody is asked, and what would happen is told.
    pub fn of_dry_run() -> Self {
        Self::new(false, None, FlashValues::default(), false)
    }

    fn new(must_be_shown: bool, shown: Option<String>, values: FlashValues, asks_again: bool) -> Self {
        Self(Some(Arc::new(Asking {
            must_be_shown,
            shown,
            values,
            asks_again,
            allows_downgrades: AtomicBool::new(false),
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

    /// What phones are to have in their flash in place of what would stay there; none where nothing was chosen.
    pub fn flash_values(&self) -> Option<&ParameterSet> {
        self.0.as_ref().map(|asking| &asking.values.0).filter(|values| !values.is_empty())
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
        if told.foresight.is_empty() && !asking.asks_again {
            return true;
        }
        let is_harmless = told.foresight.changed() == 0;
        let agrees = match &asking.shown {
            _ if asking.asks_again => false,
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

    /// Whether something else was shown before, whatever values were chosen for phones' flash.
    pub fn was_shown_another(&self, told: &Told) -> bool {
        let shown = self.0.as_ref().and_then(|asking| asking.shown.as_deref());
        shown.is_some_and(|shown| of_change(shown) != of_change(&told.mark))
    }

    /// The change whose devices may go back to older software: what was agreed to, where that was said with it. It is answered once,
    /// to the change that it was said to.
    pub fn take_allowed_downgrades(&self) -> Option<Arc<Told>> {
        let asking = self.0.as_ref()?;
        let agreed = asking.agreed.get().filter(|told| !told.foresight.downgrades.is_empty())?;
        asking.allows_downgrades.swap(false, Ordering::Relaxed).then(|| Arc::clone(agreed))
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
        Told::new(Foresight { groups: vec![group], removed: 1, ..Foresight::default() }, mark.to_owned())
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
            let Told { foresight, mark, staying } = told("shown", 1);
            Told { foresight: Foresight { downgrades: vec![one], ..foresight }, mark, staying }
        };
        let silent = Consent::of_person(Some("shown".to_owned()));
        assert!(silent.agrees(back()) && silent.take_allowed_downgrades().is_none(), "nobody said so");
        let said = Consent::of_person(Some("shown".to_owned())).allowing_downgrades();
        assert!(said.take_allowed_downgrades().is_none(), "nothing was agreed to yet");
        assert!(said.agrees(back()));
        assert!(said.take_allowed_downgrades().is_some() && said.take_allowed_downgrades().is_none());
        let other = Consent::of_person(Some("other".to_owned())).allowing_downgrades();
        assert!(!other.agrees(back()) && other.take_allowed_downgrades().is_none(), "something else was shown");
    }

    #[test]
    fn what_touches_nothing_is_made_whatever_was_shown() {
        let consent = Consent::of_person(Some("shown".to_owned()));
        assert!(consent.agrees(Told::new(Foresight::default(), "other".to_owned())));
        assert!(consent.agreed().is_none() && !consent.agrees(told("other", 0)));
    }

    #[test]
    fn what_is_changed_beside_what_was_shown_needs_no_yes_unless_devices_get_other_values() {
        let consent = Consent::of_person(Some("shown".to_owned()));
        assert!(consent.agrees(told("shown", 2)) && consent.agrees(told("beside", 0)));
        assert!(!consent.agrees(told("beside", 1)));
        assert_eq!(consent.agreed().map(|told| told.mark.as_str()), Some("shown"));
    }

    #[test]
    fn a_value_that_was_chosen_for_phones_flash_is_shown_and_is_nothing_that_changed_meanwhile() {
        let values = || FlashValues([("device.x".to_owned().try_into().expect("a name"), "CANARY".into())].into_iter().collect());
        let with_values = |alone: &str| told("whole", 1).with_values(told(alone, 2));
        let chosen = Consent::of_person_who_sets(Some("alone".to_owned()), values());
        assert!(!chosen.agrees(with_values("alone")) && !chosen.was_shown_another(&with_values("alone")));
        assert!(chosen.was_shown_another(&with_values("by others")));
        assert!(Consent::of_person_who_sets(Some("whole.alone".to_owned()), values()).agrees(with_values("alone")));
        let taken_back = Consent::of_person(Some("whole.alone".to_owned()));
        assert!(!taken_back.agrees(told("alone", 2)) && !taken_back.was_shown_another(&told("alone", 2)));
        assert!(!format!("{chosen:?}").contains("CANARY"));
    }

    #[test]
    fn who_has_to_mend_something_is_asked_again_whatever_was_shown() {
        let consent = Consent::of_person_to_ask_again(Some("shown".to_owned()));
        assert!(
            !consent.agrees(told("shown", 1)) && consent.refused().is_some() && !consent.was_shown_another(&told("shown", 1))
        );
        assert!(!Consent::of_person_to_ask_again(None).agrees(Told::new(Foresight::default(), String::new())));
    }
}
