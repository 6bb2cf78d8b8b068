//! One private CA taking the place of another without losing a phone: the stages, what is learned of each device on the way, and who
//! is waited for (contract 3, R191).
//!
//! Phones have two places for platform certificates. While a rollover goes on, the CA that they know stays in its place, the new one
//! goes into the other, and both are trusted. A CA that stands only in the files never arrives over a connection that it is needed
//! for: so the server's certificate is signed by the new one only after the phones have fetched it.

use std::fmt;
use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::account::Slot;
use super::limits::{CA_STEP_HOURS, CA_WAIT_DAYS, CA_WAIT_LED_DAYS};
use super::resolution::Effective;
use super::trust::{EndedRun, Trust};

/// Bytes of a fingerprint that a [`CaMark`] keeps.
const MARK_BYTES: usize = 8;

/// The beginning of a CA's SHA-256 fingerprint: enough to tell our own few apart, and small enough to be kept for every device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct CaMark([u8; MARK_BYTES]);

impl CaMark {
    /// The mark of a CA with this fingerprint: pairs of hexadecimal digits with colons. None where that is no fingerprint.
    pub fn of(fingerprint: &str) -> Option<Self> {
        let digits: String = fingerprint.chars().filter(|c| *c != ':').take(2 * MARK_BYTES).collect();
        digits.parse().ok()
    }

    /// Its bytes.
    pub fn bytes(self) -> [u8; MARK_BYTES] {
        self.0
    }
}

impl fmt::Display for CaMark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl FromStr for CaMark {
    type Err = hex::FromHexError;

    fn from_str(digits: &str) -> Result<Self, Self::Err> {
        let mut bytes = [0; MARK_BYTES];
        hex::decode_to_slice(digits, &mut bytes)?;
        Ok(Self(bytes))
    }
}

impl From<CaMark> for String {
    fn from(mark: CaMark) -> Self {
        mark.to_string()
    }
}

impl TryFrom<String> for CaMark {
    type Error = hex::FromHexError;

    fn try_from(digits: String) -> Result<Self, Self::Error> {
        digits.parse()
    }
}

/// A rollover that goes on. Its JSON is the stored form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rollover {
    /// Since when phones are given both.
    pub started_at: Timestamp,
    /// Who started it, as the activity log names them.
    pub by: String,
    /// SHA-256 fingerprint of the new CA: pairs of capital digits with colons.
    pub next: String,
    /// Since when the new CA signs the server's certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub switched_at: Option<Timestamp>,
}

/// How far a rollover is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Phones are given both; the former CA signs.
    Giving,
    /// Phones are given both; the new CA signs.
    Moving,
}

impl Rollover {
    /// The mark of the new CA. What is no fingerprint is the mark of none.
    pub fn mark(&self) -> CaMark {
        CaMark::of(&self.next).unwrap_or_default()
    }

    /// Whether the last step is so long ago that the server may take the next by itself.
    pub fn may_go_on(&self, now: Timestamp) -> bool {
        let last = self.switched_at.unwrap_or(self.started_at);
        now.duration_since(last) >= SignedDuration::from_hours(CA_STEP_HOURS)
    }

    /// How far it is.
    pub fn stage(&self) -> Stage {
        if self.switched_at.is_some() { Stage::Moving } else { Stage::Giving }
    }
}

/// How far one phone is on its way to the new CA. Outside a rollover there is nothing to note.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Takeover {
    /// The new CA that was in the last file it asked for, while nobody knows whether it got all of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub given: Option<GivenAt>,
    /// The new CA, once it is known to have taken a file with it in full.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holds: Option<CaMark>,
    /// The CA that had signed our certificate when it last shook hands and was let in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub came_under: Option<CaMark>,
}

/// A new CA in a file that was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivenAt {
    /// Which.
    pub next: CaMark,
    /// When.
    pub at: Timestamp,
}

impl Takeover {
    /// Takes in that a file was answered, with the new CA or without. A phone that gets a file without it is not counted on to keep
    /// it.
    pub fn given(&mut self, at: Timestamp, next: Option<CaMark>) {
        if self.holds != next {
            self.holds = None;
        }
        // Of a phone that has it nothing more needs to be known: else every poll would be written.
        self.given = next.filter(|next| self.holds != Some(*next)).map(|next| GivenAt { next, at });
    }

    /// Takes in the end of a run: if it is complete and the phone went on after its parameters, it has all of them.
    pub fn run_ended(&mut self, run: EndedRun) {
        let within = |given: &GivenAt| run.started_at <= given.at && given.at <= run.ended_at;
        if run.complete && run.followed && self.given.as_ref().is_some_and(within) {
            self.confirmed();
        }
    }

    /// Takes in that the phone came back with what it had been given last.
    pub fn confirmed(&mut self) {
        if let Some(given) = self.given.take() {
            self.holds = Some(given.next);
        }
    }
}

/// Why a phone is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lag {
    /// It has not fetched its parameters with both CAs in full.
    NotFetched,
    /// A profile has a certificate of its own for the place that the new CA would take, so it is not given it.
    PlaceTaken,
    /// It was led to HTTPS from plain HTTP and was not let in since.
    OnItsWay,
    /// It has not come since the new CA signs.
    NotCome,
}

impl Lag {
    /// The word for programs.
    pub fn word(self) -> &'static str {
        match self {
            Self::NotFetched => "not-fetched",
            Self::PlaceTaken => "place-taken",
            Self::OnItsWay => "on-its-way",
            Self::NotCome => "not-come",
        }
    }
}

impl fmt::Display for Lag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::NotFetched => "has not fetched both CAs yet",
            Self::PlaceTaken => "gets a certificate for the place of the new CA from a profile",
            Self::OnItsWay => "was told our HTTPS address and is not let in yet",
            Self::NotCome => "has not come under the new CA yet",
        })
    }
}

/// What is known of a phone that may have to be waited for.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// What was learned of its key.
    pub trust: &'a Trust,
    /// When it was last let in; none of a phone that is no device.
    pub last_seen: Option<Timestamp>,
    /// Whether it is in the inventory.
    pub is_device: bool,
    /// Whether its key is blocked: it is let in no more.
    pub is_blocked: bool,
    /// Whether a profile fills the place of the new CA.
    pub place_taken: bool,
}

/// How a phone stands to the next step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It does not matter to it: it never came, it comes without TLS, or it is still to be given everything over plain HTTP.
    Indifferent,
    /// The next step does it no harm.
    Ready,
    /// The next step waits for it.
    Waits(Lag),
    /// It is not ready, and away for so long that nobody waits for it.
    Away(Lag),
}

impl Candidate<'_> {
    /// How it stands to the end of this stage.
    pub fn standing(self, stage: Stage, next: CaMark, now: Timestamp) -> Standing {
        let Some(heard) = self.last_heard() else { return Standing::Indifferent };
        let Some(lag) = self.lag(stage, next) else { return Standing::Ready };
        let days = if self.is_device { CA_WAIT_DAYS } else { CA_WAIT_LED_DAYS };
        let is_away = now.duration_since(heard) >= SignedDuration::from_hours(24 * days);
        if is_away { Standing::Away(lag) } else { Standing::Waits(lag) }
    }

    /// When it last gave a sign of itself, if our CA means anything to it. What anybody can do without credentials is no sign.
    fn last_heard(self) -> Option<Timestamp> {
        let knocked = self.trust.knocks().filter(|knock| knock.has_credentials()).map(|knock| knock.at).max();
        if self.is_device {
            let over_tls = self.last_seen.filter(|_| !self.trust.clear_text);
            return over_tls.map(|seen| knocked.map_or(seen, |at| at.max(seen)));
        }
        if self.is_blocked {
            return None;
        }
        knocked.max(Some(led_here(self.trust)?))
    }

    fn lag(self, stage: Stage, next: CaMark) -> Option<Lag> {
        let takeover = &self.trust.takeover;
        match stage {
            // Whoever came over it trusts it, wherever it has it from.
            _ if takeover.came_under == Some(next) => None,
            Stage::Moving => self.is_device.then_some(Lag::NotCome),
            Stage::Giving if takeover.holds == Some(next) => None,
            Stage::Giving if !self.is_device => Some(Lag::OnItsWay),
            Stage::Giving if self.place_taken => Some(Lag::PlaceTaken),
            Stage::Giving => Some(Lag::NotFetched),
        }
    }
}

/// When a phone was told our HTTPS address over plain HTTP that was not let in since; none of any other. Of keys that are no device's
/// only these matter to a rollover: whoever was not told yet comes again over plain HTTP and is given both CAs there, also in the file that
/// tells the address. Asking again changes nothing, so that nobody can be waited for without end who shows nothing.
pub fn led_here(trust: &Trust) -> Option<Timestamp> {
    trust.moved_here().filter_map(|bootstrap| bootstrap.moved_at).max()
}

/// The parameter for a platform certificate in this place.
pub fn parameter(slot: Slot) -> &'static str {
    match slot {
        Slot::One => "device.sec.TLS.customCaCert1",
        Slot::Two => "device.sec.TLS.customCaCert2",
    }
}

/// Whether profiles have a certificate of their own for this place. Letter case does not matter: a phone might not care about it.
pub fn is_taken(effective: &Effective<'_>, slot: Slot) -> bool {
    let has_value = |name: &str| name.eq_ignore_ascii_case(parameter(slot));
    effective.iter().any(|resolved| has_value(resolved.name) && resolved.winner.value.is_some())
}

#[cfg(test)]
#[path = "rollover_tests.rs"]
mod tests;
