//! Which strangers make room where there are more of them than are remembered: pure.
//!
//! Anybody can name any number of keys, but not from any number of addresses. So room is shared by source: whoever floods pushes out
//! what it named itself.

use jiff::Timestamp;

use super::device::DeviceKey;
use super::source::Source;
use super::trust::{Trust, Weight};

/// That somebody somewhere names a stranger.
#[derive(Clone, Copy, Debug)]
struct Claim {
    /// Where the stranger stands in the list.
    stranger: usize,
    /// From where; none where only the first hearing of it is known.
    source: Option<Source>,
    /// Whether a person gave it a right there.
    right: bool,
    weight: Weight,
    /// The last time.
    at: Option<Timestamp>,
}

/// How long a stranger is remembered, compared with others: the greatest longest.
type Rank = (bool, bool, Weight, std::cmp::Reverse<usize>, Option<Timestamp>);

/// The positions of those that go, so that no more than `room` are left.
///
/// Whom a person gave a right goes last. Before them the first one of each source, unless it showed nothing: a phone at an address of
/// its own stays while there are fewer sources than room, whatever others do. Of all others those who showed least go first, and
/// of these the ones of the source with most of them that asked longest ago. Where several sources name one key, the best counts: a
/// flood that names a phone's key as well does not make it a part of the flood.
pub fn surplus<T: AsRef<Trust>>(strangers: &[(DeviceKey, T)], room: usize) -> Vec<usize> {
    let mut claims: Vec<Claim> =
        strangers.iter().enumerate().flat_map(|(stranger, (_, trust))| claims(stranger, trust.as_ref())).collect();
    claims.sort_by_key(|one| (one.source, std::cmp::Reverse((one.right, one.weight, one.at)), one.stranger));
    let mut ranks: Vec<(Option<Rank>, usize)> = (0..strangers.len()).map(|stranger| (None, stranger)).collect();
    for of_source in claims.chunk_by(|one, next| one.source == next.source) {
        for (place, claim) in of_source.iter().enumerate() {
            let is_first = place == 0 && (claim.right || claim.weight > Weight::Nothing);
            let rank = (claim.right, is_first, claim.weight, std::cmp::Reverse(place), claim.at);
            let best = &mut ranks[claim.stranger].0;
            *best = (*best).max(Some(rank));
        }
    }
    ranks.sort_unstable();
    ranks.truncate(strangers.len().saturating_sub(room));
    ranks.into_iter().map(|(_, stranger)| stranger).collect()
}

/// Who names a stranger: one claim for each source, the weightiest.
fn claims(stranger: usize, trust: &Trust) -> Vec<Claim> {
    let given = trust.right.iter().map(|right| (right.address, true, Weight::Nothing, right.given_at));
    let knocked = trust.knocks().map(|knock| (knock.address, false, knock.weight(), knock.at));
    let begun = trust.bootstrap.as_deref().into_iter().chain(&trust.bootstraps_elsewhere);
    let begun = begun.map(|bootstrap| (bootstrap.address, false, Weight::Open, bootstrap.fetched_at));
    let mut claims: Vec<Claim> = Vec::new();
    for (address, right, weight, at) in given.chain(knocked).chain(begun) {
        let (source, at) = (Some(Source::of(address)), Some(at));
        match claims.iter_mut().find(|known| known.source == source) {
            Some(known) => {
                *known = Claim { right: known.right | right, weight: known.weight.max(weight), at: known.at.max(at), ..*known };
            }
            None => claims.push(Claim { stranger, source, right, weight, at }),
        }
    }
    if claims.is_empty() {
        // It fetched a master file over plain HTTP, or all that is left of it is when it was first heard.
        claims.push(Claim { stranger, source: None, right: false, weight: Weight::Open, at: trust.first_heard });
    }
    claims
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::domain::run::Reason;
    use crate::domain::trust::{Knock, Right, RightKind};

    const ROOM: usize = 30;
    /// The phone that is to stay; the flood is elsewhere.
    const HOME: [u8; 4] = [10, 9, 0, 1];

    fn key(number: usize) -> DeviceKey {
        format!("0004f2{number:06x}").parse().expect("a MAC")
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).expect("a time")
    }

    /// What somebody can do to be remembered.
    #[derive(Clone, Copy, Debug)]
    enum Does {
        Knocks(Reason),
        KnocksBare,
        Bootstraps,
    }

    fn learn(trust: &mut Trust, does: Does, second: i64, address: IpAddr) {
        match does {
            Does::Knocks(reason) => trust.refused(Knock::new(at(second), reason, address, "")),
            Does::KnocksBare => trust.refused(Knock::new(at(second), Reason::PlainHttpOff, address, "").bare()),
            Does::Bootstraps => trust.bootstrapped(at(second), address),
        }
    }

    fn left(strangers: &[(DeviceKey, Arc<Trust>)]) -> Vec<DeviceKey> {
        let gone = surplus(strangers, ROOM);
        let stays = |(at, (key, _)): (usize, &(DeviceKey, _))| (!gone.contains(&at)).then(|| key.clone());
        strangers.iter().enumerate().filter_map(stays).collect()
    }

    fn after(does: Does, second: i64, address: [u8; 4]) -> Arc<Trust> {
        let mut trust = Trust::default();
        learn(&mut trust, does, second, address.into());
        Arc::new(trust)
    }

    fn anything() -> impl Strategy<Value = Does> {
        prop_oneof![
            Just(Does::Knocks(Reason::NotApproved)),
            Just(Does::Knocks(Reason::FactoryCredentials)),
            Just(Does::Knocks(Reason::CertificateNeeded)),
            Just(Does::Knocks(Reason::CredentialsWrong)),
            Just(Does::KnocksBare),
            Just(Does::Bootstraps),
        ]
    }

    proptest! {
        #[test]
        fn whatever_a_flood_does_a_phone_at_an_address_of_its_own_stays(
            phone in prop_oneof![
                Just(Does::Bootstraps),
                Just(Does::KnocksBare),
                Just(Does::Knocks(Reason::FactoryCredentials)),
                Just(Does::Knocks(Reason::NotApproved)),
            ],
            flood in prop::collection::vec((0..60_usize, anything(), 0..ROOM - 1, 1..900_i64), 0..300),
        ) {
            let mut strangers: std::collections::BTreeMap<usize, Trust> = std::collections::BTreeMap::new();
            learn(strangers.entry(0).or_default(), phone, 0, HOME.into());
            // It names the phone's own key as well, from a few addresses: who was there first is never pushed out by them.
            for (number, does, from, second) in flood {
                let from = if number == 0 { from % 3 } else { from };
                let address = IpAddr::from([10, 6, 6, u8::try_from(from).expect("a small number")]);
                let does = if number == 0 { Does::Bootstraps } else { does };
                learn(strangers.entry(number).or_default(), does, second, address);
            }
            let strangers: Vec<_> = strangers.into_iter().map(|(number, trust)| (key(number), Arc::new(trust))).collect();
            let left = left(&strangers);
            prop_assert!(left.contains(&key(0)));
            prop_assert_eq!(left.len(), strangers.len().min(ROOM));
        }
    }

    #[test]
    fn a_flood_pushes_out_itself_and_the_oldest_of_it_first() {
        let flood = (1..100).map(|n| (key(n), after(Does::Knocks(Reason::FactoryCredentials), 100 + n as i64, [10, 6, 6, 6])));
        let neighbours = (100..110).map(|n| (key(n), after(Does::Bootstraps, 0, [10, 9, 0, 7])));
        let all: Vec<_> = flood.chain(neighbours).collect();
        let left = left(&all);
        assert!((100..110).all(|n| left.contains(&key(n))), "ten of one address are fewer than a hundred: {left:?}");
        assert!((80..100).all(|n| left.contains(&key(n))) && left.len() == ROOM, "{left:?}");
    }

    #[test]
    fn who_showed_less_goes_first_and_whom_a_person_let_in_last() {
        let right = Right { address: HOME.into(), given_at: at(0), by: "Ada".to_owned(), kind: RightKind::LetIn };
        let mut let_in: Vec<_> =
            (0..10).map(|n| (key(n), Arc::new(Trust { right: Some(Box::new(right.clone())), ..Trust::default() }))).collect();
        let secret = (10..25).map(|n| (key(n), after(Does::Knocks(Reason::NotApproved), 1, [10, 9, 0, 2])));
        let nothing = (25..125).map(|n| {
            let address = [10, 6, 6, u8::try_from(n).expect("a small number")];
            (key(n), after(Does::Knocks(Reason::CredentialsWrong), 900, address))
        });
        let_in.extend(secret.chain(nothing));
        let left = left(&let_in);
        assert!((0..25).all(|n| left.contains(&key(n))) && left.len() == ROOM, "{left:?}");
    }
}
