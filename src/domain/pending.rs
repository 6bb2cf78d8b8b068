//! Who knocked and was not let in (R178, R184): what a click would do about it, and when refusals are an alert. Who gets in is
//! [`super::admission::decide`]'s to say.

use std::collections::BTreeMap;
use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};

use super::device::DeviceKey;
use super::device_list::Listed;
use super::limits::{KNOCKS_ELSEWHERE, REFUSED_TOGETHER, REFUSED_TOGETHER_HOURS, REFUSED_TOGETHER_MINUTES};
use super::run::Reason;
use super::trust::{Knock, RefusedBound, Right, RightKind, Trust};

/// What one click would do about somebody who is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offer {
    /// Let it in from that address.
    LetIn,
    /// Hand it its credentials though it shows only the factory default (R184).
    Adopt,
    /// Let a bound device in again: it was reset or replaced.
    BindAgain,
    /// Let it in as the model that it now tells to be.
    ChangeModel,
    /// Lift its block.
    Unblock,
}

impl Offer {
    /// What would help somebody who was refused for this reason; none where no click does.
    pub fn of(reason: Reason) -> Option<Self> {
        match reason {
            Reason::NotApproved
            | Reason::NotStaged
            | Reason::StagedTooLong
            | Reason::OtherPlace
            | Reason::TooManyNew
            | Reason::CameOverHttp => Some(Self::LetIn),
            Reason::FactoryCredentials => Some(Self::Adopt),
            Reason::Bound => Some(Self::BindAgain),
            Reason::ModelChanged => Some(Self::ChangeModel),
            Reason::Blocked => Some(Self::Unblock),
            _ => None,
        }
    }

    /// The label of the button.
    pub fn label(self) -> &'static str {
        match self {
            Self::LetIn => "Let in",
            Self::Adopt => "Adopt",
            Self::BindAgain => "Bind again",
            Self::ChangeModel => "Let in as this model",
            Self::Unblock => "Unblock",
        }
    }

    /// The right that it gives; none for one that gives none.
    pub fn right(self) -> Option<RightKind> {
        match self {
            Self::LetIn | Self::BindAgain | Self::ChangeModel => Some(RightKind::LetIn),
            Self::Adopt => Some(RightKind::Adopt),
            Self::Unblock => None,
        }
    }
}

/// The reasons for which somebody is listed, as addresses and the API name them.
pub const REASONS: [(&str, Reason); 17] = [
    ("bound", Reason::Bound),
    ("factory-credentials", Reason::FactoryCredentials),
    ("factory-in-clear", Reason::FactoryInClear),
    ("not-approved", Reason::NotApproved),
    ("not-staged", Reason::NotStaged),
    ("staged-too-long", Reason::StagedTooLong),
    ("other-place", Reason::OtherPlace),
    ("model-changed", Reason::ModelChanged),
    ("too-many-new", Reason::TooManyNew),
    ("came-over-http", Reason::CameOverHttp),
    ("plain-http-off", Reason::PlainHttpOff),
    ("blocked", Reason::Blocked),
    ("certificate-needed", Reason::CertificateNeeded),
    ("credentials-wrong", Reason::CredentialsWrong),
    ("credentials-missing", Reason::CredentialsMissing),
    ("of-another-device", Reason::OfAnotherDevice),
    ("provisioning-off", Reason::ProvisioningOff),
];

/// The word of a reason.
pub fn word(reason: Reason) -> &'static str {
    REASONS.iter().find(|(_, known)| *known == reason).map_or("other", |(word, _)| word)
}

/// How things stand with somebody who was not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// Somebody should decide.
    Waiting,
    /// Somebody let it in, and it did not come since.
    LetIn,
    /// Its key is blocked.
    Blocked,
    /// It shows nothing that a click could make good.
    Refused,
}

impl Standing {
    /// All of them, in the order of lists.
    pub const ALL: [Self; 4] = [Self::Waiting, Self::LetIn, Self::Blocked, Self::Refused];

    /// As addresses and the API name it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::LetIn => "let-in",
            Self::Blocked => "blocked",
            Self::Refused => "refused",
        }
    }

    /// As pages name it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Waiting => "Waiting",
            Self::LetIn => "Let in",
            Self::Blocked => "Blocked",
            Self::Refused => "Refused",
        }
    }
}

/// Somebody who was not let in, with what is known of the device that it claims to be.
#[derive(Clone, Debug)]
pub struct Pending {
    /// The key that it named.
    pub key: DeviceKey,
    /// When, from where and why not.
    pub knock: Knock,
    /// The device of that key, where there is one.
    pub device: Option<Listed>,
    /// Since when that device is bound.
    pub bound_at: Option<Timestamp>,
    /// What a person allowed since.
    pub right: Option<Right>,
    /// How things stand with it.
    pub standing: Standing,
    /// Others that named the same key from elsewhere and were not let in either: who showed most first, and of those the latest.
    pub elsewhere: Vec<Elsewhere>,
    /// How many of those showed as much: each may be the phone.
    pub rivals: usize,
}

/// Somebody at another address who named the same key and was not let in either.
#[derive(Clone, Debug)]
pub struct Elsewhere {
    /// When, from where and why not.
    pub knock: Knock,
    /// What a person allowed since.
    pub right: Option<Right>,
}

impl Elsewhere {
    /// What one click would do; none where none helps, or where it was done. A block is lifted for a key, wherever it is named.
    pub fn offer(&self) -> Option<Offer> {
        let offer = Offer::of(self.knock.reason).filter(|offer| offer.right().is_some());
        if self.right.is_some() { None } else { offer }
    }
}

impl Pending {
    /// What is listed of a key; none of one that was let in since.
    pub fn of(key: &DeviceKey, trust: &Trust, device: Option<Listed>, now: Timestamp) -> Option<Self> {
        let knock = trust.knock.as_deref().cloned()?;
        let right = trust.right_at(knock.address, now).cloned();
        let standing = match knock.reason {
            _ if right.is_some() => Standing::LetIn,
            Reason::Blocked => Standing::Blocked,
            reason if Offer::of(reason).is_some() => Standing::Waiting,
            _ => Standing::Refused,
        };
        let others = trust.knocks().skip(1).cloned();
        let elsewhere = others.map(|knock| Elsewhere { right: trust.right_at(knock.address, now).cloned(), knock }).collect();
        let rivals = trust.rivals(&knock).count();
        Some(Self { key: key.clone(), knock, device, bound_at: trust.bound_at, right, standing, elsewhere, rivals })
    }

    /// What to mind before a click, where several ask for the key who showed as much.
    pub fn caution(&self) -> Option<String> {
        let clicks = self.elsewhere.iter().filter_map(Elsewhere::offer).chain(self.offer());
        let is_contested = self.rivals > 0 && clicks.into_iter().any(|offer| offer.right().is_some());
        let least = if self.elsewhere.len() < KNOCKS_ELSEWHERE { "" } else { "at least " };
        let count = self.rivals + 1;
        is_contested.then(|| {
            format!(
                "Within a day {least}{count} addresses asked for it, and one of them may be somebody else. Read on the phone itself \
                 which address it has, and let it in there alone; a phone behind a router has the router's outside address here"
            )
        })
    }

    /// What one click would do; none where none helps, or where it was done.
    pub fn offer(&self) -> Option<Offer> {
        if self.standing == Standing::LetIn { None } else { Offer::of(self.knock.reason) }
    }

    /// When the device itself was last let in.
    pub fn last_seen(&self) -> Option<Timestamp> {
        self.device.as_ref().and_then(|listed| listed.sighting.last_seen)
    }
}

/// Which of those who were not let in a list shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PendingQuery {
    /// Words that must all occur in the key, the address, what it tells of itself, the reason or the device's name.
    pub text: String,
    /// Only those with whom things stand so, by its word.
    pub standing: Option<String>,
    /// Only those who were refused for this reason, by its word.
    pub reason: Option<String>,
}

impl PendingQuery {
    /// Whether one of them is shown.
    pub fn admits(&self, one: &Pending) -> bool {
        let is = |wanted: &Option<String>, word: &str| wanted.as_deref().is_none_or(|wanted| wanted == word);
        is(&self.standing, one.standing.word()) && is(&self.reason, word(one.knock.reason)) && self.finds(one)
    }

    fn finds(&self, one: &Pending) -> bool {
        let name = one.device.as_ref().and_then(|listed| listed.device.name.as_ref()).map(ToString::to_string);
        let texts = [
            one.key.to_string(),
            one.knock.address.to_string(),
            one.elsewhere.iter().map(|other| other.knock.address.to_string()).collect::<Vec<_>>().join(" "),
            one.knock.told.to_string(),
            one.knock.why(),
            name.unwrap_or_default(),
        ]
        .map(|text| text.to_lowercase());
        self.text.split_whitespace().all(|word| {
            let is_key = word.parse::<DeviceKey>().is_ok_and(|key| key == one.key);
            is_key || texts.iter().any(|text| text.contains(&word.to_lowercase()))
        })
    }
}

/// A bound device among many that somebody was refused for at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedDevice {
    /// Its key.
    pub key: DeviceKey,
    /// Who asked last.
    pub address: IpAddr,
    /// Whether somebody showed the shared credentials, and not just the factory default that everybody knows.
    pub is_by_shared: bool,
}

/// Bound devices that were refused so many at once that it is no single reset: that is an alert (contract 4, point 2). Empty where
/// it is none. It stays for a day although the devices themselves came since, and not for those that a person let in.
pub fn refused_together<'a>(known: impl Iterator<Item = (&'a DeviceKey, &'a Trust)>, now: Timestamp) -> Vec<RefusedDevice> {
    let is_recent = |refused: &RefusedBound| now.duration_since(refused.at) < SignedDuration::from_hours(REFUSED_TOGETHER_HOURS);
    let bound = known.filter(|(_, trust)| trust.bound_at.is_some());
    let each = bound.flat_map(|(key, trust)| {
        [(key, trust.refused_bound.as_deref().copied(), true), (key, trust.refused_factory.as_deref().copied(), false)]
    });
    let mut refused: Vec<(&DeviceKey, RefusedBound, bool)> =
        each.filter_map(|(key, refused, is_by_shared)| Some((key, refused.filter(is_recent)?, is_by_shared))).collect();
    refused.sort_by_key(|(_, refused, _)| refused.at);
    let span = SignedDuration::from_mins(REFUSED_TOGETHER_MINUTES);
    // Of each refusal, those that follow within the span; a device that was refused twice counts once.
    let (mut end, mut told) = (0, 0);
    let mut within: BTreeMap<&DeviceKey, usize> = BTreeMap::new();
    let mut together: BTreeMap<&DeviceKey, RefusedDevice> = BTreeMap::new();
    for (start, (first, from, _)) in refused.iter().enumerate() {
        while let Some((key, _, _)) = refused.get(end).filter(|(_, next, _)| next.at.duration_since(from.at) <= span) {
            *within.entry(key).or_default() += 1;
            end += 1;
        }
        if within.len() > REFUSED_TOGETHER {
            for (key, one, is_by_shared) in &refused[told.max(start)..end] {
                let was_shared = together.get(key).is_some_and(|before| before.is_by_shared);
                let one = RefusedDevice { key: (*key).clone(), address: one.address, is_by_shared: *is_by_shared || was_shared };
                together.insert(key, one);
            }
            told = end;
        }
        match within.get_mut(first) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(within.remove(first)),
        }
    }
    together.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::device;
    use super::super::trust::Admitted;
    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_795_000_000 + 60 * minute).expect("a time within the range")
    }

    fn key(number: usize) -> DeviceKey {
        format!("0004f2aa{number:04x}").parse().expect("a MAC")
    }

    fn trust(minute: i64, reason: Reason) -> Trust {
        let mut trust = Trust { bound_at: Some(at(-1_000)), ..Trust::default() };
        trust.refused(Knock::new(at(minute), reason, [10, 0, 0, 7].into(), "VVX 411"));
        trust
    }

    fn refused(number: usize, minute: i64, reason: Reason) -> Pending {
        let (key, trust) = (key(number), trust(minute, reason));
        let listed = Listed { device: std::sync::Arc::new(device(&key.to_string())), sighting: std::sync::Arc::default() };
        Pending::of(&key, &trust, Some(listed), at(minute)).expect("it was refused")
    }

    fn together(trusts: &[Trust], now: i64) -> usize {
        let keys: Vec<DeviceKey> = (0..trusts.len()).map(key).collect();
        refused_together(keys.iter().zip(trusts), at(now)).len()
    }

    fn told(minutes: &[i64], now: i64) -> usize {
        together(&minutes.iter().map(|minute| trust(*minute, Reason::Bound)).collect::<Vec<_>>(), now)
    }

    #[test]
    fn more_than_five_bound_devices_refused_in_ten_minutes_are_an_alert_for_a_day() {
        assert_eq!(told(&[0, 1, 2, 3, 4], 5), 0);
        assert_eq!(told(&[0, 1, 2, 3, 4, 10], 10), 6);
        assert_eq!(told(&[0, 1, 2, 3, 4, 11], 11), 0, "not within ten minutes");
        assert_eq!(told(&[0, 1, 2, 3, 4, 10, 400], 400), 6, "one alone is a reset");
        assert_eq!(told(&[0, 1, 2, 3, 4, 5], 24 * 60 - 1), 6);
        assert_eq!(told(&[0; 6], 24 * 60), 0);
    }

    #[test]
    fn refusals_by_the_factory_default_count_with_the_others_and_are_told_apart() {
        let factory = |minute| {
            let mut trust = Trust { bound_at: Some(at(-1_000)), ..Trust::default() };
            trust.refused(Knock::new(at(minute), Reason::Bound, [10, 6, 6, 7].into(), "").with_factory_default(true));
            trust
        };
        let by_shared = |trusts: &[Trust]| {
            let keys: Vec<DeviceKey> = (0..trusts.len()).map(key).collect();
            let together = refused_together(keys.iter().zip(trusts), at(60));
            (together.len(), together.iter().filter(|one| one.is_by_shared).count())
        };
        let mut trusts = vec![factory(0); 6];
        assert_eq!(by_shared(&trusts), (6, 0));
        trusts[0].refused(Knock::new(at(1), Reason::Bound, [10, 0, 0, 7].into(), ""));
        assert_eq!(by_shared(&trusts), (6, 1), "asked for by both, it counts once");
        assert_eq!(by_shared(&trusts[..5]), (0, 0));
        trusts[1] = trust(11, Reason::Bound);
        assert_eq!(by_shared(&trusts), (0, 0), "not within ten minutes");
    }

    #[test]
    fn a_refusal_is_kept_as_long_as_the_alert_that_it_can_be_part_of() {
        let mut trust = trust(0, Reason::Bound);
        trust.expire(at(24 * 60 - 1));
        assert!(trust.refused_bound.is_some());
        trust.expire(at(24 * 60));
        assert!(trust.refused_bound.is_none() && trust.knock.is_some(), "Pending lists it longer");
    }

    #[test]
    fn the_alert_outlives_the_devices_own_visits_and_ends_with_what_a_person_does() {
        let mut trusts = vec![trust(0, Reason::Bound); 6];
        for trust in &mut trusts {
            trust.let_in(at(1), [10, 0, 0, 7].into(), Admitted::Own(0));
        }
        assert_eq!(together(&trusts, 2), 6, "behind the same address as whoever was refused");
        trusts[0].unbind();
        assert_eq!(together(&trusts, 2), 0);
        assert_eq!(together(&vec![trust(0, Reason::OtherPlace); 9], 1), 0, "another reason");
    }

    #[test]
    fn a_list_is_narrowed_by_words_standing_and_reason() {
        let one = refused(1, 0, Reason::OtherPlace);
        let admits = |text: &str, standing: Option<&str>, reason: Option<&str>| {
            let query =
                PendingQuery { text: text.to_owned(), standing: standing.map(str::to_owned), reason: reason.map(str::to_owned) };
            query.admits(&one)
        };
        assert!(admits("", None, None) && admits("00:04:F2:AA:00:01 vvx", Some("waiting"), Some("other-place")));
        assert!(!admits("trio", None, None) && !admits("", Some("blocked"), None) && !admits("", None, Some("bound")));
    }

    #[test]
    fn of_two_addresses_each_has_its_own_click_and_a_caution_until_one_is_let_in() {
        let mut one = trust(0, Reason::Bound);
        one.refused(Knock::new(at(1), Reason::FactoryCredentials, [10, 6, 6, 7].into(), "VVX 411"));
        let of = |trust: &Trust| Pending::of(&key(1), trust, None, at(2)).expect("it was refused");
        let both = of(&one);
        assert_eq!((both.offer(), both.elsewhere[0].offer()), (Some(Offer::Adopt), Some(Offer::BindAgain)));
        let caution = both.caution().expect("two ask");
        assert!(caution.contains("2 addresses") && caution.contains("router's outside address"), "{caution}");
        assert!(PendingQuery { text: "10.0.0.7".to_owned(), ..PendingQuery::default() }.admits(&both), "found by either");
        let right = Right { address: [10, 0, 0, 7].into(), given_at: at(1), by: "Ann".to_owned(), kind: RightKind::LetIn };
        one.right = Some(Box::new(right));
        assert!(of(&one).elsewhere[0].offer().is_none() && of(&one).offer().is_some() && of(&one).caution().is_some());
        one.forget_knocks();
        for (minute, last) in [(1, 7), (2, 8)] {
            one.refused(Knock::new(at(minute), Reason::Blocked, [10, 0, 0, last].into(), ""));
        }
        assert!(of(&one).elsewhere[0].offer().is_none() && of(&one).caution().is_none());
    }

    #[test]
    fn a_click_is_offered_where_one_helps_and_not_twice() {
        assert_eq!(refused(1, 0, Reason::FactoryCredentials).offer(), Some(Offer::Adopt));
        assert_eq!(refused(1, 0, Reason::CredentialsWrong).offer(), None);
        let key: DeviceKey = "0004f2aa0001".parse().expect("a MAC");
        let mut trust = Trust::default();
        assert!(Pending::of(&key, &trust, None, at(0)).is_none());
        trust.refused(Knock::new(at(0), Reason::NotApproved, [10, 0, 0, 7].into(), ""));
        let right = Right { address: [10, 0, 0, 7].into(), given_at: at(1), by: "Ann".to_owned(), kind: RightKind::LetIn };
        trust.right = Some(Box::new(right));
        let standing = |minute| Pending::of(&key, &trust, None, at(minute)).map(|one| (one.standing, one.offer()));
        assert_eq!(standing(2), Some((Standing::LetIn, None)));
        assert_eq!(standing(25 * 60 + 1), Some((Standing::Waiting, Some(Offer::LetIn))), "a day later it waits again");
    }
}
