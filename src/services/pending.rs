//! Who knocked and was not let in, and what people do about it (R178, R184, contract 4). What a request is worth is
//! [`crate::domain::admission::decide`]'s to say; here people change what it goes by.

mod let_in;

use std::net::IpAddr;

use jiff::Timestamp;

use super::commit::{Change, Mode, perform};
use super::error::ServiceError;
use super::{Services, devices};
use crate::domain::access::{Action, Actor, authorize};
use crate::domain::activity::Event;
use crate::domain::admission::decide::Rules;
use crate::domain::device::{Block, DeviceKey};
use crate::domain::field_error::FieldErrors;
use crate::domain::ids::AccountId;
use crate::domain::limits::PENDING_AT_ONCE;
use crate::domain::pending::{Offer, Pending, Standing};
use crate::domain::rollover;
use crate::domain::trust::Trust;

use let_in::{Click, let_in};
pub use let_in::{Seen, Shown};

/// What people do about keys, of devices or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// Do what helps: let in, adopt or bind again, by the reason that it was refused for. It never lifts a block.
    LetIn,
    /// Hold the key until it is unblocked. For keys that are no device's: a device is deleted with *block*.
    Block,
    /// Lift a block.
    Unblock,
    /// Let the shared credentials open a bound device again.
    Unbind,
    /// Let a device come back within a day, after a reset or a replacement.
    Expect,
    /// Take that back: it was neither reset nor replaced.
    ExpectNoMore,
    /// Take the model that a device tells to be for the right one.
    ConfirmModel,
    /// Take it off the list, and wait for it no longer where one CA takes the place of another. When it knocks again it is listed again.
    Dismiss,
}

impl Deed {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::LetIn,
        Self::Block,
        Self::Unblock,
        Self::Unbind,
        Self::Expect,
        Self::ExpectNoMore,
        Self::ConfirmModel,
        Self::Dismiss,
    ];

    /// What takes up an offer.
    pub fn of(offer: Offer) -> Self {
        if offer == Offer::Unblock { Self::Unblock } else { Self::LetIn }
    }

    /// As addresses and the API name it.
    pub fn word(self) -> &'static str {
        match self {
            Self::LetIn => "let-in",
            Self::Block => "block",
            Self::Unblock => "unblock",
            Self::Unbind => "unbind",
            Self::Expect => "expect",
            Self::ExpectNoMore => "expect-no-more",
            Self::ConfirmModel => "confirm-model",
            Self::Dismiss => "dismiss",
        }
    }

    /// The deed of a word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|deed| deed.word() == word)
    }
}

/// What was done about one key, or would be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// The key.
    pub key: DeviceKey,
    /// In words, as the activity log has it.
    pub action: &'static str,
    /// From where alone it is let in, where it is.
    pub address: Option<IpAddr>,
}

/// What became of several keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// What was done, or would be.
    pub done: Vec<Done>,
    /// The keys that it cannot be done about as things stand, and why.
    pub left: Vec<(DeviceKey, String)>,
}

/// Everybody who knocked and was not let in since, the latest first.
pub fn list(services: &Services, account: AccountId) -> Vec<Pending> {
    let (roster, now) = (services.roster(account), services.clock.now());
    let knocked = services.trusts(account).at_the_door(|trust| trust.knock.is_some());
    let mut list: Vec<_> = knocked.iter().filter_map(|(key, trust)| Pending::of(key, trust, roster.find(key), now)).collect();
    list.sort_by(|a, b| b.knock.at.cmp(&a.knock.at).then_with(|| a.key.cmp(&b.key)));
    list
}

/// How many wait for somebody to decide: the badge of the menu.
pub fn waiting(services: &Services, account: AccountId) -> usize {
    let now = services.clock.now();
    let knocked = services.trusts(account).at_the_door(|trust| trust.knock.is_some());
    let all = knocked.iter().filter_map(|(key, trust)| Pending::of(key, trust, None, now));
    all.filter(|one| one.standing == Standing::Waiting).count()
}

/// Does one thing about several keys as they were last heard of: see [`act_as_shown`].
///
/// # Errors
/// The same.
pub fn act(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    deed: Deed,
    keys: &[DeviceKey],
    mode: Mode,
) -> Result<Outcome, ServiceError> {
    let book = services.trusts(account);
    let shown = keys.iter().filter_map(|key| Some((key.clone(), Seen::of(&book.of(key))?)));
    act_as_shown(services, actor, account, deed, keys, &shown.collect(), mode)
}

/// Does one thing about all of several keys that it can be done about, and tells why not about the others: many phones do not wait
/// for one that somebody blocked meanwhile. Somebody is let in at the address that was `shown` to whoever decides: another one may
/// have knocked under the same key since. Where several addresses ask for one key that showed as much, only a click that points at one
/// of them lets it in ([`Shown::pointed_at`]).
///
/// # Errors
/// Where it can be done about none of them: [`ServiceError::Conflict`] for a single one, else [`ServiceError::Invalid`] with the item
/// of each and why.
pub fn act_as_shown(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    deed: Deed,
    keys: &[DeviceKey],
    shown: &Shown,
    mode: Mode,
) -> Result<Outcome, ServiceError> {
    let grant = authorize(actor, Action::Admit(account))?;
    if keys.len() > PENDING_AT_ONCE {
        let count = keys.len();
        return Err(ServiceError::Conflict(format!(
            "at most {PENDING_AT_ONCE} are taken at once; these are {count}. Split the list"
        )));
    }
    if keys.is_empty() {
        return Ok(Outcome::default());
    }
    perform(services, mode, grant, account, |change| {
        let (mut errors, mut outcome) = (FieldErrors::new(), Outcome::default());
        let is_single = keys.iter().all(|key| *key == keys[0]);
        for (item, key) in keys.iter().enumerate() {
            // Named twice is done once.
            if keys[..item].contains(key) {
                continue;
            }
            match act_on(services, change, account, deed, key, shown.click(key, is_single)) {
                Ok(done) => outcome.done.push(done),
                Err(ServiceError::Conflict(why)) if keys.len() > 1 => {
                    errors.add_item(item, FieldErrors::one("key", why.as_str()));
                    outcome.left.push((key.clone(), why));
                }
                Err(error) => return Err(error),
            }
        }
        if outcome.done.is_empty() { Err(errors.into()) } else { Ok(outcome) }
    })
}

/// Does it about one key. A conflict is found before anything is written: the rest of the change goes on.
fn act_on(
    services: &Services,
    change: &mut Change<'_>,
    account: AccountId,
    deed: Deed,
    key: &DeviceKey,
    click: Click<'_>,
) -> Result<Done, ServiceError> {
    let known = services.trusts(account).of(key);
    let device = services.roster(account).find(key);
    let a_device = || match device {
        Some(_) => Ok(()),
        None => Err(ServiceError::Conflict(format!("there is no device {key}; it may have been deleted meanwhile"))),
    };
    let now = change.now();
    let action = match deed {
        Deed::LetIn => return let_in(services, change, account, key, &known, click),
        Deed::Block => {
            let world = services.world(account)?;
            if device.is_some() {
                return Err(ServiceError::Conflict(format!("{key} is a device; delete it and choose to block it")));
            }
            if world.blocked.contains(key) {
                return Err(ServiceError::Conflict(format!("{key} is blocked already")));
            }
            change.block(key, &Block { at: now, by: change.actor().to_owned(), name: String::new(), mac: None })?;
            change.change_trust(key, |trust| {
                trust.right = None;
                trust.forget_knocks();
                trust.not_waited_for();
            })?;
            "blocked"
        }
        Deed::Unblock => {
            let lifted = change.unblock(key)?;
            lifted
                .ok_or_else(|| ServiceError::Conflict(format!("{key} is not blocked; somebody may have lifted it meanwhile")))?;
            change.change_trust(key, Trust::forget_knocks)?;
            "unblocked"
        }
        Deed::Unbind => {
            a_device()?;
            if known.bound_at.is_none() {
                return Err(ServiceError::Conflict(format!("{key} is not bound")));
            }
            change.change_trust(key, |trust| {
                trust.unbind();
                trust.forget_knocks();
            })?;
            "unbound"
        }
        Deed::Expect => {
            a_device()?;
            change.change_trust(key, move |trust| {
                trust.expect(now);
                trust.forget_refusals();
            })?;
            "expected back"
        }
        Deed::ExpectNoMore => {
            a_device()?;
            if !known.is_expected(now) {
                return Err(ServiceError::Conflict(format!("{key} is not expected back; it may have come, or its day is over")));
            }
            change.change_trust(key, Trust::expect_no_more)?;
            "expected back no more"
        }
        Deed::ConfirmModel => {
            a_device()?;
            forget_model(services, change, account, key)?;
            change.change_trust(key, |trust| trust.other_model = None)?;
            "taken for the model that it tells"
        }
        Deed::Dismiss => {
            if known.knock.is_none() && rollover::led_here(&known).is_none() {
                return Err(nothing_pending(key));
            }
            change.change_trust(key, |trust| {
                trust.forget_knocks();
                trust.not_waited_for();
            })?;
            "taken off the list of pending"
        }
    };
    change.record(Event::new("device", subject(services, account, key), action))?;
    Ok(Done { key: key.clone(), action, address: None })
}

/// A device whose model is not known is recognised at its next contact (R239).
fn forget_model(services: &Services, change: &mut Change<'_>, account: AccountId, key: &DeviceKey) -> Result<(), ServiceError> {
    let mut device = devices::stored(services, change, account, key)?;
    (device.family, device.model) = (None, None);
    change.put_device(device)
}

fn nothing_pending(key: &DeviceKey) -> ServiceError {
    ServiceError::Conflict(format!("{key} is not waiting any more: it came in, or somebody decided about it meanwhile"))
}

/// A key in the activity log: with the name of its device, where it has one.
fn subject(services: &Services, account: AccountId, key: &DeviceKey) -> String {
    services.roster(account).find(key).map_or_else(|| key.to_string(), |listed| devices::subject(&listed.device))
}

/// Opens the window for new phones, or closes it (contract 4, point 4). Answers until when it is open.
///
/// # Errors
/// The actor may not, or the store.
pub fn set_window(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    open: bool,
    mode: Mode,
) -> Result<Option<Timestamp>, ServiceError> {
    let grant = authorize(actor, Action::Admit(account))?;
    perform(services, mode, grant, account, |change| {
        let mut settings = change.settings()?;
        settings.admission.window_opened_at = open.then(|| change.now());
        let action = if open { "opened to new phones" } else { "closed to new phones" };
        change.record(Event::new("account", settings.label.as_str(), action))?;
        let until = Rules::of(&settings).window.map(|(_, until)| until);
        change.put_account(settings)?;
        Ok(until)
    })
}

#[cfg(test)]
mod tests;
