//! Whether a person has been shown what a change does to devices before it is made (contract 5.15).
//!
//! It goes along with whoever asks ([`super::access::Actor`]): on pages nothing that changes what devices get is written before its
//! mark comes back; for a dry run it carries away what was found. Programs and the server itself are not asked.

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
    tried: OnceLock<Arc<Told>>,
    refused: OnceLock<Arc<Told>>,
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
        Self::new(true, shown)
    }

    /// Of a dry run: nobody is asked, and what would happen is told.
    pub fn of_dry_run() -> Self {
        Self::new(false, None)
    }

    fn new(must_be_shown: bool, shown: Option<String>) -> Self {
        Self(Some(Arc::new(Asking { must_be_shown, shown, tried: OnceLock::new(), refused: OnceLock::new() })))
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
        if told.foresight.changed() == 0 || asking.shown.as_ref() == Some(&told.mark) {
            return true;
        }
        let _ = asking.refused.set(Arc::new(told));
        false
    }

    /// What was tried out.
    pub fn tried(&self) -> Option<&Arc<Told>> {
        self.0.as_ref()?.tried.get()
    }

    /// What was not done because nobody was shown it.
    pub fn refused(&self) -> Option<&Arc<Told>> {
        self.0.as_ref()?.refused.get()
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
