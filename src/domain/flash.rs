//! What stays in a phone's flash: parameters that begin with `device.` outlive the configuration that brought them (contract 5.11).
//!
//! Which ones a configuration writes there is [`super::provision::InFlash`]'s; here is what is remembered of them, device by device.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::parameter::masked;

/// Characters of a value that are remembered; of a longer one, such as a certificate, the beginning.
pub const FLASH_VALUE_CHARS: usize = 120;
/// Parameters that a device is no longer served and that are remembered; the ones that ceased last stay.
pub const FLASH_CEASED: usize = 500;

/// What a device was served of parameters that stay in its flash, by name. Its JSON is the stored form; it is read only where somebody
/// asks what the phone has, never held in memory.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Flash {
    entries: BTreeMap<String, Kept>,
}

/// One parameter in a phone's flash. Names are short in the stored form: a fleet keeps a dozen of these for each device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// Since when it was served with this value.
    #[serde(rename = "t")]
    pub since: Timestamp,
    /// What it was served as.
    #[serde(flatten)]
    pub told: Told,
    /// What is known of its end, since it is no longer served.
    #[serde(rename = "e", default, skip_serializing_if = "Option::is_none")]
    pub ceased: Option<Ceased>,
}

/// The end of a parameter that was served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ceased {
    /// When the device was last served it, where that is known.
    #[serde(rename = "l", default, skip_serializing_if = "Option::is_none")]
    pub last_served: Option<Timestamp>,
    /// When the device was first served without it.
    #[serde(rename = "a")]
    pub at: Timestamp,
}

/// A value as it is remembered: never a secret in clear, never more than its beginning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// The value as it may be shown.
    #[serde(rename = "v", default, skip_serializing_if = "String::is_empty")]
    pub text: String,
    /// A keyed hash of the whole value, where the text is not all of it.
    #[serde(rename = "h", default, skip_serializing_if = "Option::is_none")]
    pub mark: Option<String>,
}

impl Told {
    /// A value as it is remembered. `mark` makes a hash of it that only this server can make.
    pub fn new(name: &str, value: &str, mark: impl FnOnce(&str) -> String) -> Self {
        let shown = masked(name, value);
        let text: String = shown.chars().take(FLASH_VALUE_CHARS).collect();
        let mark = (text != value).then(|| mark(value));
        let is_cut = text.len() < shown.len();
        Self { text: if is_cut { text + "…" } else { text }, mark }
    }
}

impl Flash {
    /// Takes in what a device was served in full `at` this time, and answers whether that says anything new. `last_served` tells when it
    /// was served before, and is asked only where something ceased. Of a device that comes afresh from the factory nothing else is left.
    pub fn serve(
        &mut self,
        at: Timestamp,
        served: Vec<(String, Told)>,
        is_fresh: bool,
        last_served: impl FnOnce() -> Option<Timestamp>,
    ) -> bool {
        let served: BTreeMap<String, Told> = served.into_iter().collect();
        let count = self.entries.len();
        if is_fresh {
            self.entries.retain(|name, _| served.contains_key(name));
        }
        let mut is_news = self.entries.len() != count;
        let is_ceasing = |(name, kept): &(&String, &mut Kept)| kept.ceased.is_none() && !served.contains_key(*name);
        let mut ceasing = self.entries.iter_mut().filter(is_ceasing).peekable();
        if ceasing.peek().is_some() {
            let ceased = Ceased { last_served: last_served(), at };
            ceasing.for_each(|(_, kept)| kept.ceased = Some(ceased));
            is_news = true;
        }
        for (name, told) in served {
            match self.entries.get(&name) {
                Some(kept) if kept.told == told && kept.ceased.is_none() => {}
                _ => {
                    self.entries.insert(name, Kept { since: at, told, ceased: None });
                    is_news = true;
                }
            }
        }
        self.forget_the_oldest();
        is_news
    }

    /// What the phone still has although it is served no longer, by name.
    pub fn left(&self) -> impl Iterator<Item = (&str, &Kept, Ceased)> {
        self.entries.iter().filter_map(|(name, kept)| Some((name.as_str(), kept, kept.ceased?)))
    }

    /// What is known of one parameter.
    pub fn get(&self, name: &str) -> Option<&Kept> {
        self.entries.get(name)
    }

    fn forget_the_oldest(&mut self) {
        let mut by_age: Vec<_> = self.left().map(|(name, _, ceased)| (ceased.at, name.to_owned())).collect();
        let excess = by_age.len().saturating_sub(FLASH_CEASED);
        if excess > 0 {
            by_age.sort();
            by_age.iter().take(excess).for_each(|(_, name)| {
                self.entries.remove(name);
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time within the range")
    }

    fn told(pairs: &[(&str, &str)]) -> Vec<(String, Told)> {
        let one = |(name, value): &(&str, &str)| ((*name).to_owned(), Told::new(name, value, |value| format!("hash of {value}")));
        pairs.iter().map(one).collect()
    }

    #[test]
    fn a_fleet_at_home_says_nothing_new_and_what_ceases_is_kept_with_its_times() {
        let mut flash = Flash::default();
        let served = [("device.net.vlanId", "7"), ("device.a", "1")];
        assert!(flash.serve(at(1), told(&served), false, || None));
        assert!(!flash.serve(at(2), told(&served), false, || panic!("nothing ceased")));
        assert_eq!(flash.left().count(), 0);
        assert!(flash.serve(at(3), told(&served[1..]), false, || Some(at(2))));
        let (name, kept, ceased) = flash.left().next().expect("the VLAN is left");
        assert_eq!((name, kept.since, kept.told.text.as_str()), ("device.net.vlanId", at(1), "7"));
        assert_eq!(ceased, Ceased { last_served: Some(at(2)), at: at(3) });
        assert!(!flash.serve(at(4), told(&served[1..]), false, || panic!("it had ceased before")));
        assert!(flash.serve(at(5), told(&[("device.net.vlanId", "8"), served[1]]), false, || None));
        assert_eq!((flash.left().count(), flash.get("device.net.vlanId").map(|kept| kept.since)), (0, Some(at(5))));
    }

    #[test]
    fn a_secret_is_remembered_by_a_mark_and_a_long_value_by_its_beginning() {
        let secret = Told::new("device.auth.localAdminPassword", "CANARY", |_| "mark".to_owned());
        assert!(!secret.text.contains("CANARY") && secret.mark.as_deref() == Some("mark"), "{secret:?}");
        let long = "M".repeat(FLASH_VALUE_CHARS + 1);
        let long = Told::new("device.sec.TLS.customCaCert1", &long, |_| "mark".to_owned());
        assert!(long.text.ends_with("M…") && long.mark.is_some());
        assert_eq!(Told::new("device.a", "short", |_| panic!("it is all there")).mark, None);
        let mut flash = Flash::default();
        assert!(flash.serve(at(1), told(&[("device.prov.password", "a")]), false, || None));
        assert!(
            flash.serve(at(2), told(&[("device.prov.password", "b")]), false, || None),
            "another one, though it looks the same"
        );
    }

    #[test]
    fn a_phone_from_the_factory_has_nothing_left() {
        let mut flash = Flash::default();
        flash.serve(at(1), told(&[("device.a", "1"), ("device.b", "2")]), false, || None);
        assert!(flash.serve(at(2), told(&[("device.a", "1")]), true, || panic!("nothing ceased: it is gone")));
        assert_eq!((flash.left().count(), flash.get("device.b")), (0, None));
    }

    #[test]
    fn what_is_left_is_bounded_and_the_last_to_cease_stay() {
        let mut flash = Flash::default();
        for round in 0..3 {
            let names: Vec<String> = (0..FLASH_CEASED / 2).map(|n| format!("device.r{round}.{n}")).collect();
            let pairs: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "1")).collect();
            flash.serve(at(round), told(&pairs), false, || None);
        }
        flash.serve(at(9), Vec::new(), false, || None);
        assert_eq!(flash.left().count(), FLASH_CEASED);
        assert!(flash.left().all(|(name, ..)| !name.starts_with("device.r0.")));
    }
}
