//! The readings of the phones' rules that nobody is sure of, as switches (conformance/phone-rules.md).
//!
//! Each rule marked *likely* or *unsure* has one other reading. The usual reading is the document's sentence; `--rule N=alternative`
//! chooses the other one. A server has to be safe under both. Rules marked *sure* have no switch.

/// A rule with two readings. The number is that of the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Rule {
    /// What makes a phone ask for `000000000000.cfg`.
    FallbackMaster = 1,
    /// What becomes of parameters that no listed file contains any more.
    FormerList = 3,
    /// A listed file that cannot be fetched.
    MissingFile = 5,
    /// 404 for an override file.
    MissingOverrides = 6,
    /// Overrides that the server still offers after a factory reset.
    OverridesAfterReset = 7,
    /// A changed network, provisioning or TLS value in flash.
    FlashRestart = 9,
    /// Credentials in the address that DHCP gives.
    DhcpCredentials = 11,
    /// Whether the first request carries credentials.
    FirstRequest = 13,
    /// The same credentials refused.
    RefusedCredentials = 14,
    /// When a pushed certificate authority counts.
    PushedTrust = 16,
    /// How often a broken image is fetched.
    BrokenImage = 17,
    /// What a poll asks for.
    PollOrder = 19,
    /// check-sync in a call.
    CheckSyncInCall = 21,
    /// A file that is not well-formed.
    IllFormedFile = 22,
    /// Changes that need a restart.
    RestartAtEnd = 26,
}

/// Every rule with two readings: the usual one, then the alternative.
pub const READINGS: &[(Rule, &str, &str)] = &[
    (
        Rule::FallbackMaster,
        "any failure of <mac>.cfg leads to 000000000000.cfg",
        "only 404 leads to it; after any other failure there is no master file",
    ),
    (Rule::FormerList, "parameters that no listed file contains fall back to default", "they stay until a factory reset"),
    (
        Rule::MissingFile,
        "the whole run's configuration is dropped and the former values stay",
        "the other files count, and the missing one's former values stay, for it is still listed",
    ),
    (Rule::MissingOverrides, "404 leaves the phone's own copy as it is", "404 empties the phone's own copy"),
    (Rule::OverridesAfterReset, "overrides that the server offers are taken up", "they are ignored until the phone has its own"),
    (
        Rule::FlashRestart,
        "a changed network, provisioning or TLS value restarts the phone once",
        "it counts from the next start on",
    ),
    (Rule::DhcpCredentials, "credentials in a DHCP address beat those in flash", "those in flash win where there are any"),
    (Rule::FirstRequest, "no credentials first, then again with them after 401", "Basic at once"),
    (Rule::RefusedCredentials, "the file is tried redunAttemptLimit times", "the file is given up at once"),
    (Rule::PushedTrust, "counts from the next run on", "counts from the next connection, also within the run"),
    (Rule::BrokenImage, "tried at abortSWUpgradeAfterFailures boots at most", "tried at every boot"),
    (Rule::PollOrder, "master, image header, listed files and licences", "everything that the Application asks for at a boot"),
    (Rule::CheckSyncInCall, "waits for the call to end", "re-reads at once and restarts after the call"),
    (Rule::IllFormedFile, "ignored as a whole", "counts as a file that could not be fetched"),
    (Rule::RestartAtEnd, "one restart at the end of the run", "the run is left for the restart when its files are applied"),
];

/// Which reading of each rule a phone follows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Rules(u32);

/// Why a `--rule` was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// Not of the form `N=alternative`.
    #[error("“{0}” is not a rule; write its number and a reading, such as 5=alternative or 5=usual")]
    Form(String),
    /// No such rule, or one without a second reading.
    #[error("rule {0} has no second reading; those that have one are {list}", list = numbers())]
    Number(String),
}

fn numbers() -> String {
    READINGS.iter().map(|(rule, ..)| (*rule as u8).to_string()).collect::<Vec<_>>().join(", ")
}

impl Rules {
    /// The document's own sentences.
    pub const USUAL: Self = Self(0);

    /// The same readings, with the alternative of one rule.
    #[must_use]
    pub const fn with(self, rule: Rule) -> Self {
        Self(self.0 | 1 << rule as u8)
    }

    /// Whether a rule is read in its alternative way.
    pub const fn alternative(self, rule: Rule) -> bool {
        self.0 & (1 << rule as u8) != 0
    }

    /// Every combination of the readings of some rules.
    pub fn combinations(rules: &[Rule]) -> impl Iterator<Item = Self> + '_ {
        (0u32..1 << rules.len()).map(|bits| {
            let chosen = rules.iter().enumerate().filter(|(i, _)| bits & (1 << i) != 0);
            chosen.fold(Self::USUAL, |all, (_, rule)| all.with(*rule))
        })
    }

    /// Takes in one `N=alternative` or `N=usual` of the command line.
    pub fn choose(self, text: &str) -> Result<Self, RuleError> {
        let form = || RuleError::Form(text.to_owned());
        let (number, reading) = text.split_once('=').ok_or_else(form)?;
        let known = |(rule, ..): &&(Rule, &str, &str)| (*rule as u8).to_string() == number.trim();
        let (rule, ..) = READINGS.iter().find(known).ok_or_else(|| RuleError::Number(number.trim().to_owned()))?;
        match reading.trim() {
            "alternative" => Ok(self.with(*rule)),
            "usual" => Ok(Self(self.0 & !(1 << *rule as u8))),
            _ => Err(form()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reading_is_chosen_by_its_rules_number() {
        let rules = Rules::USUAL.choose("5=alternative").and_then(|r| r.choose("13=alternative"));
        assert_eq!(rules, Ok(Rules::USUAL.with(Rule::MissingFile).with(Rule::FirstRequest)));
        assert_eq!(rules.and_then(|r| r.choose("5=usual")), Ok(Rules::USUAL.with(Rule::FirstRequest)));
    }

    #[test]
    fn a_sure_rule_and_a_wrong_form_are_refused_with_a_sentence() {
        assert_eq!(Rules::USUAL.choose("4=alternative"), Err(RuleError::Number("4".to_owned())));
        assert_eq!(Rules::USUAL.choose("5=other"), Err(RuleError::Form("5=other".to_owned())));
        assert!(RuleError::Number("4".to_owned()).to_string().ends_with("19, 21, 22, 26"));
    }

    #[test]
    fn combinations_are_all_there_and_all_different() {
        let all: std::collections::HashSet<_> =
            Rules::combinations(&[Rule::FormerList, Rule::MissingFile, Rule::FirstRequest]).collect();
        assert_eq!(all.len(), 8);
    }
}
