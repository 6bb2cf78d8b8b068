//! Letting somebody in: at one address, that whoever decides has seen, and never past a block.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::{Done, forget_model, nothing_pending, subject};
use crate::domain::activity::Event;
use crate::domain::admission::decide::Rules;
use crate::domain::device::DeviceKey;
use crate::domain::ids::AccountId;
use crate::domain::limits::KNOCKS_ELSEWHERE;
use crate::domain::pending::Offer;
use crate::domain::trust::{Knock, Right, Trust};
use crate::services::Services;
use crate::services::commit::Change;
use crate::services::error::ServiceError;

/// What was shown to whoever decides about keys.
#[derive(Clone, Debug, Default)]
pub struct Shown {
    /// Where each key was seen to knock.
    by_key: BTreeMap<DeviceKey, Seen>,
    /// Whether one address of one key is pointed at, and not many keys as they stand.
    is_one: bool,
}

impl Shown {
    /// The same by a click for one address of one key.
    #[must_use]
    pub fn pointed_at(self) -> Self {
        Self { is_one: true, ..self }
    }

    /// What was shown of a key.
    pub fn of(&self, key: &DeviceKey) -> Option<&Seen> {
        self.by_key.get(key)
    }

    /// Takes in the others that were shown beside the address that is decided about.
    pub fn beside(&mut self, key: &DeviceKey, elsewhere: impl IntoIterator<Item = IpAddr>) {
        if let Some(seen) = self.by_key.get_mut(key) {
            seen.elsewhere.extend(elsewhere);
        }
    }

    /// How somebody decides about a key, by itself or beside others.
    pub(super) fn click(&self, key: &DeviceKey, is_single: bool) -> Click<'_> {
        Click { seen: self.of(key), is_alone: self.is_one && is_single }
    }
}

impl FromIterator<(DeviceKey, Seen)> for Shown {
    fn from_iter<T: IntoIterator<Item = (DeviceKey, Seen)>>(shown: T) -> Self {
        Self { by_key: shown.into_iter().collect(), is_one: false }
    }
}

/// Where one key was seen to knock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The address that is decided about.
    pub address: IpAddr,
    /// The others that were shown beside it.
    pub elsewhere: Vec<IpAddr>,
}

impl Seen {
    /// All that there is to see of a key, where somebody knocked; the first is decided about.
    pub(super) fn of(trust: &Trust) -> Option<Self> {
        let mut addresses = trust.knocks().map(|knock| knock.address);
        Some(Self { address: addresses.next()?, elsewhere: addresses.collect() })
    }
}

impl From<IpAddr> for Seen {
    fn from(address: IpAddr) -> Self {
        Self { address, elsewhere: Vec::new() }
    }
}

/// How somebody decides about a key.
#[derive(Clone, Copy)]
pub(super) struct Click<'a> {
    /// What was shown of it; nothing for whoever was shown nothing.
    pub seen: Option<&'a Seen>,
    /// Whether it points at this key and this address: a person has chosen among those that were shown.
    pub is_alone: bool,
}

/// Gives whoever knocked with this key what helps it in, at the address that is decided about.
pub(super) fn let_in(
    services: &Services,
    change: &mut Change<'_>,
    account: AccountId,
    key: &DeviceKey,
    known: &Trust,
    click: Click<'_>,
) -> Result<Done, ServiceError> {
    let world = services.world(account)?;
    if world.blocked.contains(key) {
        let words = "is blocked; unblock it first, and let it in when it has asked again";
        return Err(ServiceError::Conflict(format!("{key} {words}")));
    }
    let (address, knock) = decided_about(key, known, click)?;
    // Of one that others have pushed out nothing is known but its address.
    let offer = match knock {
        Some(knock) => Offer::of(knock.reason).ok_or_else(|| no_click(key, knock))?,
        None => Offer::LetIn,
    };
    if Rules::of(&world.account).requires_certificate {
        let words = "this account requires certificates, so nobody is let in by a click; change that under Provisioning Settings";
        return Err(ServiceError::Conflict(words.to_owned()));
    }
    let action = match offer {
        Offer::LetIn => "let in",
        Offer::Adopt => "adopted",
        Offer::BindAgain => "let in to be bound again",
        Offer::ChangeModel => "let in as another model",
        Offer::Unblock => {
            let words = "asked while it was blocked, which it is not any more; see what it gets when it next asks";
            return Err(ServiceError::Conflict(format!("{key} {words}")));
        }
    };
    if offer == Offer::ChangeModel {
        forget_model(services, change, account, key)?;
    }
    let kind = offer.right().expect("only unblocking gives no right");
    let (given_at, by) = (change.now(), change.actor().to_owned());
    let former = known.right.as_ref().filter(|right| right.is_valid(given_at) && right.address != address);
    let former = former.map(|right| right.address.to_string());
    let right = Right { address, given_at, by, kind };
    change.change_trust(key, move |trust| {
        trust.right = Some(Box::new(right.clone()));
        trust.forget_refusals();
    })?;
    let event = Event::new("device", subject(services, account, key), action);
    change.record(event.change("from", former, Some(address.to_string())))?;
    Ok(Done { key: key.clone(), action, address: Some(address) })
}

fn no_click(key: &DeviceKey, knock: &Knock) -> ServiceError {
    let (reason, next) = (knock.why(), knock.next_step().unwrap_or_default());
    ServiceError::Conflict(format!("{key} cannot be let in by a click: {reason}. {next}"))
}

/// Who is let in by a click: whoever knocks at the address that it is about. Where others elsewhere showed as much, a person must
/// have chosen among several; who has, is not held up by those who come meanwhile, be they many.
fn decided_about<'a>(key: &DeviceKey, known: &'a Trust, click: Click<'_>) -> Result<(IpAddr, Option<&'a Knock>), ServiceError> {
    let latest = known.knock.as_deref().ok_or_else(|| nothing_pending(key))?;
    let Some(seen) = click.seen else { return Err(not_shown(key, latest.address)) };
    let Some(knock) = known.knocks().find(|knock| knock.address == seen.address) else {
        if click.is_alone && may_be_pushed_out(known, seen) {
            return Ok((seen.address, None));
        }
        return Err(ServiceError::Conflict(format!(
            "{key} does not wait at {} any more, but at {}. Look at Pending again",
            seen.address, latest.address
        )));
    };
    let rivals: Vec<IpAddr> = known.rivals(knock).map(|rival| rival.address).collect();
    let is_gone = |address: &IpAddr| known.knocks().all(|knock| knock.address != *address);
    let has_chosen = click.is_alone && seen.elsewhere.iter().any(|address| rivals.contains(address) || is_gone(address));
    if let Some(unseen) = rivals.iter().find(|rival| !has_chosen && !seen.elsewhere.contains(rival)) {
        return Err(not_shown(key, *unseen));
    }
    if !rivals.is_empty() && !click.is_alone {
        let addresses: Vec<String> = std::iter::once(&knock.address).chain(&rivals).map(ToString::to_string).collect();
        return Err(ServiceError::Conflict(format!(
            "{key} is asked for from {}, and one of them may be somebody else: let it in by the button of the right address",
            addresses.join(" and ")
        )));
    }
    Ok((knock.address, Some(knock)))
}

/// Whether somebody who was shown among several is told no more because of those who came since, and not because it was let in.
fn may_be_pushed_out(known: &Trust, seen: &Seen) -> bool {
    let is_full = known.knocks_elsewhere.len() >= KNOCKS_ELSEWHERE;
    is_full && !seen.elsewhere.is_empty() && known.last_address != Some(seen.address)
}

fn not_shown(key: &DeviceKey, unseen: IpAddr) -> ServiceError {
    ServiceError::Conflict(format!(
        "{key} was asked for from {unseen} too, which was not shown. Look at Pending again: one of the two may be somebody else"
    ))
}
