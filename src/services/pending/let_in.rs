//! Letting somebody in: at one address, that whoever decides has seen, and never past a block.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::{Done, forget_model, nothing_pending, subject};
use crate::domain::activity::Event;
use crate::domain::admission::decide::Rules;
use crate::domain::device::DeviceKey;
use crate::domain::ids::AccountId;
use crate::domain::pending::{Offer, is_contested};
use crate::domain::trust::{Knock, Right, Trust};
use crate::services::Services;
use crate::services::commit::Change;
use crate::services::error::ServiceError;

/// Where each key was seen to knock by whoever decides about it.
pub type Shown = BTreeMap<DeviceKey, Seen>;

/// Where one key was seen to knock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The address that is decided about.
    pub address: IpAddr,
    /// The others that were shown beside it.
    pub elsewhere: Vec<IpAddr>,
}

impl Seen {
    /// All that there is to see of a key, where somebody knocked; the latest is decided about.
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
    /// Whether it is about this key alone.
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
    let knock = decided_about(key, known, click)?;
    let Some(offer) = Offer::of(knock.reason) else {
        let (reason, next) = (knock.why(), knock.next_step().unwrap_or_default());
        return Err(ServiceError::Conflict(format!("{key} cannot be let in by a click: {reason}. {next}")));
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
    let (address, given_at, by) = (knock.address, change.now(), change.actor().to_owned());
    let former = known.right.as_ref().filter(|right| right.is_valid(given_at) && right.address != address);
    let former = former.map(|right| right.address.to_string());
    let right = Right { address, given_at, by, kind };
    change.change_trust(key, move |trust| (trust.right, trust.refused_bound) = (Some(right.clone()), None))?;
    let event = Event::new("device", subject(services, account, key), action);
    change.record(event.change("from", former, Some(address.to_string())))?;
    Ok(Done { key: key.clone(), action, address: Some(address) })
}

/// Who is let in by a click: whoever knocks at the address that it is about, where nobody knocks who was not shown.
fn decided_about<'a>(key: &DeviceKey, known: &'a Trust, click: Click<'_>) -> Result<&'a Knock, ServiceError> {
    let latest = known.knock.as_ref().ok_or_else(|| nothing_pending(key))?;
    let is_shown = |address: IpAddr| click.seen.is_some_and(|seen| seen.address == address || seen.elsewhere.contains(&address));
    if let Some(unseen) = known.knocks().find(|knock| !is_shown(knock.address)) {
        return Err(ServiceError::Conflict(format!(
            "{key} was asked for from {} too, which was not shown. Look at Pending again: one of the two may be somebody else",
            unseen.address
        )));
    }
    if !click.is_alone && is_contested(known) {
        let addresses: Vec<String> = known.knocks().map(|knock| knock.address.to_string()).collect();
        return Err(ServiceError::Conflict(format!(
            "{key} is asked for from {}, and one of them may be somebody else: let it in by the button of the right address",
            addresses.join(" and ")
        )));
    }
    let wanted = click.seen.map_or(latest.address, |seen| seen.address);
    known.knocks().find(|knock| knock.address == wanted).ok_or_else(|| {
        ServiceError::Conflict(format!(
            "{key} does not wait at {wanted} any more, but at {}. Look at Pending again",
            latest.address
        ))
    })
}
