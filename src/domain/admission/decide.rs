//! Who gets in (contract 4): what a request is worth in the light of what it shows, what we know of its key, and the account's
//! rules. Pure, and the only place where these rules stand.

use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};

use super::super::account::{Account, CertificatePolicy, FirstContact};
use super::super::credential::Channel;
use super::super::device::{Device, DeviceKey, Origin};
use super::super::limits::{FORMER_PASSWORD_DAYS, WINDOW_MINUTES, WINDOW_PATIENCE_HOURS};
use super::super::mac::Mac;
use super::super::manufacturer::Presented;
use super::super::run::Reason;
use super::super::trust::{Admitted, Trust};
use super::nearby::Nearby;

/// What a request shows of itself, verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// Nothing: phones ask once without.
    Missing,
    /// Something that is nobody's.
    Wrong,
    /// The shared credentials.
    Shared(SharedPassword),
    /// `PlcmSpIp`, where it is not the shared credentials (R184).
    FactoryDefault,
    /// Credentials of a device, of this generation.
    Own(DeviceKey, u32),
    /// A verified factory certificate of this MAC.
    Certificate(Mac),
    /// Both of one device: its credentials, of this generation, and its verified factory certificate.
    Both(Mac, u32),
    /// Credentials of one device and the verified factory certificate of another.
    Torn,
}

impl Proof {
    /// The device that it proves, where it proves one.
    pub fn device(&self) -> Option<DeviceKey> {
        match self {
            Self::Own(key, _) => Some(key.clone()),
            Self::Certificate(mac) | Self::Both(mac, _) => Some(DeviceKey::Mac(*mac)),
            _ => None,
        }
    }

    /// Whether it is nothing that could count for anybody.
    pub fn is_worthless(&self) -> bool {
        matches!(self, Self::Missing | Self::Wrong | Self::Torn)
    }

    /// The same together with what the connection showed. A verified certificate names a device and so outweighs whatever says
    /// less; beside the device's own credentials both are kept, because those are what binds it. A device that goes by its
    /// serial number has no MAC to compare with: its certificate says nothing here.
    #[must_use]
    pub fn with(self, presented: &Presented, named: Option<&DeviceKey>) -> Self {
        let Presented::Verified(mac) = presented else { return self };
        match (self, named) {
            (Self::Own(DeviceKey::Mac(key), generation), _) if key == *mac => Self::Both(*mac, generation),
            (Self::Own(DeviceKey::Mac(_), _), _) => Self::Torn,
            (own @ Self::Own(DeviceKey::Serial(_), _), _) => own,
            (other, Some(DeviceKey::Serial(_))) => other,
            _ => Self::Certificate(*mac),
        }
    }
}

/// Which of the shared passwords it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SharedPassword {
    /// Its number: the account counts them.
    pub generation: u32,
    /// Whether it is the one before, which is to be replaced as planned.
    pub is_former: bool,
}

/// A request, as far as it decides about getting in.
#[derive(Clone, Debug)]
pub struct Visitor<'a> {
    /// What it shows.
    pub proof: Proof,
    /// The device that its path or its User-Agent names.
    pub key: Option<&'a DeviceKey>,
    /// Where it comes from.
    pub address: IpAddr,
    /// Whether anybody on the way reads along.
    pub channel: Channel,
    /// Model that it says it is.
    pub model: Option<&'a str>,
}

/// What we know of the key that a request names.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// The device, where it is one.
    pub device: Option<&'a Device>,
    /// It was deleted with *block*.
    pub is_blocked: bool,
    /// What we learned of it.
    pub trust: &'a Trust,
    /// The request comes from the site that the device belongs to, and that is not *Internet*.
    pub is_at_its_site: bool,
}

/// The account's rules.
#[derive(Clone, Debug)]
pub struct Rules {
    /// What happens to a device that was never seen.
    pub first_contact: FirstContact,
    /// Whether devices get credentials of their own, which bind them.
    pub binds: bool,
    /// Whether only a factory certificate opens (R373).
    pub requires_certificate: bool,
    /// How far around its first address the shared credentials open a device.
    pub nearby: Nearby,
    /// When a person last opened the window for new phones, and until when it is open.
    pub window: Option<(Timestamp, Timestamp)>,
    /// Number of the present shared password.
    pub shared_generation: u32,
    /// Until when devices that we do not know may use the former shared password.
    pub former_until: Option<Timestamp>,
}

impl Rules {
    /// The rules of an account.
    pub fn of(account: &Account) -> Self {
        let admission = &account.admission;
        let provisioning = &account.provisioning;
        let open_for = SignedDuration::from_mins(WINDOW_MINUTES);
        let usable_for = SignedDuration::from_hours(24 * FORMER_PASSWORD_DAYS);
        Self {
            first_contact: account.first_contact,
            binds: admission.binds,
            requires_certificate: admission.certificates == CertificatePolicy::Require,
            nearby: admission.nearby,
            window: admission.window_opened_at.map(|opened| (opened, opened + open_for)),
            shared_generation: provisioning.generation,
            former_until: provisioning.former.as_ref().map(|former| former.replaced_at + usable_for),
        }
    }
}

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// A device of the inventory is served.
    Serve(Admitted),
    /// A new device comes into the inventory and is served, if the rates allow it.
    Add(Admitted),
    /// Nobody in particular: what the account has for everybody.
    Nobody,
    /// 503: a phone keeps what it has, and the page *Pending* lists it.
    Hold(Reason),
    /// The uniform 401.
    Refuse(Reason),
}

/// Decides in the order of contract 4. `trust` of an unknown key is [`Trust::default`].
pub fn decide(visitor: &Visitor<'_>, known: Known<'_>, rules: &Rules, now: Timestamp) -> Decision {
    match &visitor.proof {
        Proof::Missing => Decision::Refuse(Reason::CredentialsMissing),
        Proof::Wrong => Decision::Refuse(Reason::CredentialsWrong),
        Proof::Torn => Decision::Refuse(Reason::OfAnotherDevice),
        Proof::Own(named, generation) => own(visitor, named, Admitted::Own(*generation), known, rules, now),
        Proof::Certificate(mac) => own(visitor, &DeviceKey::Mac(*mac), Admitted::Certificate, known, rules, now),
        Proof::Both(mac, generation) => own(visitor, &DeviceKey::Mac(*mac), Admitted::Own(*generation), known, rules, now),
        Proof::Shared(password) => shared(visitor, *password, known, rules, now),
        Proof::FactoryDefault => factory_default(visitor, known, rules, now),
    }
}

/// Point 1: proof of its own opens everything of that device and nothing of another.
fn own(
    visitor: &Visitor<'_>,
    named: &DeviceKey,
    admitted: Admitted,
    known: Known<'_>,
    rules: &Rules,
    now: Timestamp,
) -> Decision {
    if visitor.key.is_some_and(|asked| asked != named) {
        return Decision::Refuse(Reason::OfAnotherDevice);
    }
    let is_certified = matches!(visitor.proof, Proof::Certificate(_) | Proof::Both(..));
    match admitted {
        Admitted::Own(generation) if !known.trust.opens(generation) => return Decision::Refuse(Reason::CredentialsWrong),
        _ if rules.requires_certificate && !is_certified => return Decision::Hold(Reason::CertificateNeeded),
        _ if known.is_blocked => return Decision::Hold(Reason::Blocked),
        _ => {}
    }
    match (known.device, rules.first_contact) {
        (Some(_), _) => Decision::Serve(admitted),
        (None, _) if known.trust.right_at(visitor.address, now).is_some() => Decision::Add(admitted),
        (None, FirstContact::Open) => Decision::Add(admitted),
        (None, FirstContact::Certificate) if is_certified => Decision::Add(admitted),
        (None, FirstContact::Staged) => Decision::Hold(Reason::NotStaged),
        (None, FirstContact::Approve | FirstContact::Certificate) => Decision::Hold(Reason::NotApproved),
    }
}

/// Points 2 and 3: the shared credentials open devices that are not bound, from where they belong.
fn shared(visitor: &Visitor<'_>, password: SharedPassword, known: Known<'_>, rules: &Rules, now: Timestamp) -> Decision {
    let admitted = Admitted::Shared(password.generation);
    if password.is_former && !may_use_former(visitor, known, rules, now) {
        return Decision::Refuse(Reason::CredentialsWrong);
    }
    if visitor.key.is_none() {
        return Decision::Nobody;
    }
    if let Some(reason) = barred(known, rules) {
        return Decision::Hold(reason);
    }
    let comes_back = comes_back(known.trust, visitor.address, rules.nearby, now) || may_return_to_site(known, now);
    match known.device {
        Some(_) if comes_back => Decision::Serve(admitted),
        Some(_) if is_bound(known, rules) => Decision::Hold(Reason::Bound),
        Some(device) => match held_here(visitor, device, known, rules, now) {
            Some(reason) => Decision::Hold(reason),
            None => Decision::Serve(admitted),
        },
        None if comes_back => Decision::Add(admitted),
        None => match rules.first_contact {
            FirstContact::Open => Decision::Add(admitted),
            FirstContact::Staged => Decision::Hold(Reason::NotStaged),
            FirstContact::Approve | FirstContact::Certificate => Decision::Hold(Reason::NotApproved),
        },
    }
}

/// A known device may use the former password until it came with another proof: until then it may not have the new one. One that
/// begins anew is as one that we do not know.
fn may_use_former(visitor: &Visitor<'_>, known: Known<'_>, rules: &Rules, now: Timestamp) -> bool {
    let trust = known.trust;
    let begins_anew = known.device.is_none() || trust.is_expected(now) || trust.right_at(visitor.address, now).is_some();
    let has_own = rules.binds && trust.own.complete > 0;
    let has_new = trust.shared_generation == Some(rules.shared_generation);
    begins_anew && rules.former_until.is_some_and(|until| now < until) || known.device.is_some() && !has_own && !has_new
}

/// Point 4: the factory default says nothing of who comes. Only a person's leave makes it worth anything.
fn factory_default(visitor: &Visitor<'_>, known: Known<'_>, rules: &Rules, now: Timestamp) -> Decision {
    if visitor.key.is_none() {
        return Decision::Hold(Reason::Unidentified);
    }
    if let Some(reason) = barred(known, rules) {
        return Decision::Hold(reason);
    }
    if visitor.channel == Channel::ClearText {
        return Decision::Hold(Reason::FactoryInClear);
    }
    let trust = known.trust;
    let adopted = trust.right_at(visitor.address, now).is_some();
    let heard = trust.first_heard.unwrap_or(now);
    let came_in_window = trust.served_at.is_none()
        && !trust.came_in_window_elsewhere(visitor.address, now)
        && rules.window.is_some_and(|(from, until)| from <= heard && heard < until)
        && now.duration_since(heard) < SignedDuration::from_hours(WINDOW_PATIENCE_HOURS);
    match known.device {
        Some(_)
            if adopted
                || came_in_window
                || may_return(trust, visitor.address, rules.nearby, now)
                || may_return_to_site(known, now) =>
        {
            Decision::Serve(Admitted::FactoryDefault)
        }
        None if adopted || came_in_window => Decision::Add(Admitted::FactoryDefault),
        Some(_) if is_bound(known, rules) => Decision::Hold(Reason::Bound),
        _ => Decision::Hold(Reason::FactoryCredentials),
    }
}

/// What keeps everybody out who shows no proof of its own.
fn barred(known: Known<'_>, rules: &Rules) -> Option<Reason> {
    if known.is_blocked {
        return Some(Reason::Blocked);
    }
    rules.requires_certificate.then_some(Reason::CertificateNeeded)
}

fn is_bound(known: Known<'_>, rules: &Rules) -> bool {
    rules.binds && known.trust.bound_at.is_some()
}

/// Whether a device may come back with factory settings from here: somebody let it in, or it is expected (point 2).
pub fn comes_back(trust: &Trust, address: IpAddr, nearby: Nearby, now: Timestamp) -> bool {
    trust.right_at(address, now).is_some() || may_return(trust, address, nearby, now)
}

/// Whether somebody who is let in would not be, were the device not expected back.
pub fn comes_as_expected(visitor: &Visitor<'_>, known: Known<'_>, rules: &Rules, now: Timestamp) -> bool {
    let by_itself = || {
        let trust = Trust { expected_until: None, ..known.trust.clone() };
        decide(visitor, Known { trust: &trust, ..known }, rules, now)
    };
    known.trust.is_expected(now) && matches!(by_itself(), Decision::Hold(_) | Decision::Refuse(_))
}

/// Whether it is expected, and comes from where it was.
fn may_return(trust: &Trust, address: IpAddr, nearby: Nearby, now: Timestamp) -> bool {
    trust.is_expected(now) && trust.last_address.is_some_and(|last| nearby.covers(last, address))
}

/// Whether it is expected, and comes from the site that it belongs to.
fn may_return_to_site(known: Known<'_>, now: Timestamp) -> bool {
    known.is_at_its_site && known.trust.is_expected(now)
}

/// The model that somebody tells to be, where the device is known as another one.
pub fn other_model<'a>(device: &Device, told: Option<&'a str>) -> Option<&'a str> {
    told.filter(|told| device.model.as_deref().is_some_and(|model| model != *told))
}

/// Point 3: why the shared credentials do not open this device from here, if they do not. A staged one must tell the model that
/// is known: whoever leaves it out matches nothing.
fn held_here(visitor: &Visitor<'_>, device: &Device, known: Known<'_>, rules: &Rules, now: Timestamp) -> Option<Reason> {
    let trust = known.trust;
    let is_staged = trust.home.is_none() && device.origin == Origin::Manual;
    let hides_model = is_staged && device.model.is_some() && visitor.model.is_none();
    if hides_model || other_model(device, visitor.model).is_some() {
        return Some(Reason::ModelChanged);
    }
    match trust.home {
        Some(home) => (!rules.nearby.covers(home, visitor.address) && !known.is_at_its_site).then_some(Reason::OtherPlace),
        None if device.origin == Origin::Manual && now >= trust.staged_until(device.added_at) => Some(Reason::StagedTooLong),
        None => None,
    }
}

#[cfg(test)]
#[path = "decide_tests.rs"]
mod tests;
