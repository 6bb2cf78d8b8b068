//! What needs somebody's attention before it becomes a fault, each with its next step: certificates, addresses, the disk, passwords
//! that everybody knows (OPS-04), backups, the clock, and too many at the phones' door ([`alerts`]).

use std::collections::BTreeSet;
use std::net::IpAddr;

use jiff::Timestamp;

use super::address::Address;
use super::addresses::{self, Answered};
use super::alerts::{self, Crowded};
use super::backup::kept;
use super::certificates::Origin;
use super::certificates::facts::Facts;
use super::error::ServiceError;
use super::manufacturers::revocation;
use super::rollover::{self, State};
use super::{Services, accounts, believed};
use crate::domain::credential::{ADMIN_PASSWORD, FACTORY_ADMIN_PASSWORD, GUIDE_ADMIN_PASSWORD};
use crate::domain::ids::{DEFAULT_ACCOUNT, ProfileId};
use crate::domain::limits::{DISK_RESERVE_BYTES, DISK_WARNING_BYTES};
use crate::domain::pending::RefusedDevice;
use crate::domain::profile::Profile;
use crate::domain::rollover::Stage;
use crate::domain::trust::Weight;
use crate::domain::world::World;

/// Days before its end from which a certificate is told.
const CERTIFICATE_DAYS: i64 = 30;
/// Days before its end from which it is urgent.
const CERTIFICATE_URGENT_DAYS: i64 = 7;
/// Days before its end from which the private CA is told: phones in cupboards have to come once before.
const CA_DAYS: i64 = 365;
/// Days before its end from which that is urgent.
const CA_URGENT_DAYS: i64 = 90;
/// What to do about a certificate of ours that begins later.
const LOOK_AT_CLOCK: &str = "Look at the clock of this machine: it is wrong, or was when the certificate was made.";
/// Admin passwords of phones that everybody knows: the factory's and the guide's (contract 5.9).
const KNOWN_ADMIN_PASSWORDS: [&str; 2] = [FACTORY_ADMIN_PASSWORD, GUIDE_ADMIN_PASSWORD];

/// Something that needs attention.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// It harms already, or will within days.
    pub is_urgent: bool,
    /// What it is and what to do, in sentences.
    pub text: String,
    /// Where it is mended.
    pub place: MendedAt,
}

/// Where something is mended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MendedAt {
    /// Provisioning Settings.
    Settings,
    /// The page of the CA that takes the place of another.
    Ca,
    /// The page about certificates of phones.
    PhoneCertificates,
    /// A profile.
    Profile(ProfileId),
    /// On the machine itself.
    Machine,
    /// The page of backups.
    Backups,
    /// The page that tells what takes how much of the disk.
    Storage,
    /// On the page *Pending*, where these bound devices are unbound.
    Unbinding,
    /// On the page *Pending*, where bound devices are bound again that were reset.
    Refused,
    /// On the page *Pending*, where new devices that were held are let in.
    Pending,
}

/// Everything that needs attention now; nothing before set-up.
///
/// # Errors
/// The settings cannot be read.
pub fn list(services: &Services, address: &Address) -> Result<Vec<Warning>, ServiceError> {
    let Some(world) = services.worlds().get(DEFAULT_ACCOUNT) else { return Ok(Vec::new()) };
    let mut warnings = Vec::new();
    let mut tell = |is_urgent, place, text: String| warnings.push(Warning { is_urgent, text, place });
    if let Some(error) = address.fault() {
        tell(true, MendedAt::Settings, format!("A certificate cannot be used, so the former one stays: {error}."));
    }
    let answered = Answered::now(services, address);
    for (is_urgent, text) in certificates(&answered, services.clock().now()) {
        tell(is_urgent, MendedAt::Settings, text);
    }
    if let Some(text) = rollover::under_way(services)?.as_ref().and_then(waiting) {
        tell(false, MendedAt::Ca, text);
    }
    for fault in addresses::faults(services, &answered)? {
        tell(true, MendedAt::Settings, format!("{fault}."));
    }
    if let Some((is_urgent, text)) = disk(services.blobs.free_bytes().unwrap_or(u64::MAX)) {
        tell(is_urgent, MendedAt::Storage, text);
    }
    if let Some((at, limit)) = early(services) {
        let text = format!(
            "Logs of all devices together reached {limit} MiB on {at}, and the oldest were removed before their time. Keep them for fewer \
             days, or raise log_bytes of [retention] in the server's settings."
        );
        tell(false, MendedAt::Settings, text);
    }
    if let Some(jump) = believed::jump(services)? {
        let (was, is) = (day(jump.from), day(jump.to));
        let text = format!(
            "The clock of this machine went from {was} to {is} while the server was down or within a few minutes. If it is wrong, put it \
             right. For a week nothing is removed for its age, and no CA is replaced by itself.",
        );
        tell(false, MendedAt::Machine, text);
    }
    for (is_urgent, text) in kept::troubles(services)? {
        tell(is_urgent, MendedAt::Backups, text);
    }
    if accounts::is_factory_default(&world.account) {
        let text = "The provisioning account is the factory default of every phone: whoever knows a MAC address can fetch its \
                    configuration.";
        tell(false, MendedAt::Settings, text.to_owned());
    }
    for list in revocation::overdue(&world.account.admission, services.clock().now()) {
        let next = "It counts on, but what its manufacturer has revoked since is not known here. Upload the newest one";
        let due = list.next_update.strftime("%Y-%m-%d");
        let text = format!("The revocation list of {} was to be followed by another one on {due}. {next}.", list.issuer);
        tell(false, MendedAt::PhoneCertificates, text);
    }
    for (place, text) in admin_passwords(&world) {
        tell(false, place, text);
    }
    if let Some((is_by_shared, text)) = refused(&alerts::refused_together(services, world.account_id)) {
        tell(is_by_shared, if is_by_shared { MendedAt::Unbinding } else { MendedAt::Refused }, text);
    }
    if let Some(alert) = alerts::crowded(services, world.account_id) {
        tell(false, MendedAt::Pending, crowd(alert));
    }
    Ok(warnings)
}

/// When logs had to go early because there were too many in all, within the last day, and how many MiB there may be.
fn early(services: &Services) -> Option<(String, u64)> {
    let at = services.blobs.logs().removed_early()?;
    let is_new = services.clock().now().duration_since(at).as_hours() < 24;
    is_new.then(|| (day(at), services.blobs.logs().in_all().1 / (1024 * 1024)))
}

/// What is urgent of the certificate and of the disk, also where no server runs.
pub(super) fn urgent(services: &Services, answered: &Answered) -> Vec<String> {
    let told = certificates(answered, services.clock().now()).into_iter().chain(services.blobs.free_bytes().ok().and_then(disk));
    told.filter_map(|(is_urgent, text)| is_urgent.then_some(text)).collect()
}

fn certificates(answered: &Answered, now: Timestamp) -> Vec<(bool, String)> {
    let validity = answered.validity.and_then(|(from, until, origin)| certificate(from, until, origin, now));
    let mut told: Vec<_> = validity.into_iter().chain(answered.authorities.iter().filter_map(|ca| authority(ca, now))).collect();
    if let Some(url) = answered.unnamed() {
        let text = "phones that compare refuse it. Use a certificate that names it, or change the address";
        told.push((true, format!("The certificate does not name the address that phones are told, {url}: {text}.")));
    }
    told
}

/// A private CA that phones need: one that ends soon is replaced while there is time for every phone to come.
fn authority(ca: &Facts, now: Timestamp) -> Option<(bool, String)> {
    let (from, until) = (day(ca.valid_from), day(ca.valid_until));
    if now < ca.valid_from {
        let text =
            format!("The private CA is not valid before {from}: phones and browsers refuse what it signs. {LOOK_AT_CLOCK}");
        return Some((true, text));
    }
    let next = "Start the change to another CA under Provisioning Settings: phones take it up while the old one still counts.";
    if ca.valid_until <= now {
        return Some((true, format!("The private CA has expired: phones and browsers refuse what it signs. {next}")));
    }
    let days = ca.valid_until.duration_since(now).as_hours() / 24;
    (days < CA_DAYS).then(|| (days < CA_URGENT_DAYS, format!("The private CA ends on {until}. {next}")))
}

fn day(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

fn certificate(from: Timestamp, until: Timestamp, origin: Origin, now: Timestamp) -> Option<(bool, String)> {
    let next = match origin {
        Origin::Own => "Put the renewed certificate and its key in the place of the old ones; they are taken by themselves.",
        Origin::PrivateCa => "It should have been renewed by itself: the server's log says why it was not.",
    };
    if now < from {
        let next = match origin {
            Origin::Own => "Look at the clock of this machine, or put a certificate in its place that is valid now.",
            Origin::PrivateCa => LOOK_AT_CLOCK,
        };
        let text = format!("The server's certificate is not valid before {}: phones and browsers refuse it. {next}", day(from));
        return Some((true, text));
    }
    if until <= now {
        return Some((true, format!("The server's certificate has expired: phones and browsers refuse it. {next}")));
    }
    let days = until.duration_since(now).as_hours() / 24;
    let when = match days {
        0 => "today".to_owned(),
        1 => "tomorrow".to_owned(),
        days => format!("in {days} days"),
    };
    (days < CERTIFICATE_DAYS)
        .then(|| (days < CERTIFICATE_URGENT_DAYS, format!("The server's certificate expires {when}. {next}")))
}

/// A rollover that waits for somebody.
fn waiting(state: &State) -> Option<String> {
    let stage = state.rollover.as_ref()?.stage();
    if state.waits.is_empty() {
        return None;
    }
    let what = match stage {
        Stage::Giving => "not fetched both CAs yet, so the old one still signs the server's certificate",
        Stage::Moving => "not come under the new CA yet, so the old one is still given beside it",
    };
    let count =
        if state.waits.len() == 1 { "1 device that has".to_owned() } else { format!("{} devices that have", state.waits.len()) };
    Some(format!(
        "Another CA is taking the place of the one that phones know. It waits for {count} {what}: {}. Restart them, or go on without \
         them.",
        rollover::names(&state.waits)
    ))
}

fn disk(free_bytes: u64) -> Option<(bool, String)> {
    let megabytes = free_bytes / (1024 * 1024);
    if free_bytes < DISK_RESERVE_BYTES {
        let text = "phones' uploads are refused, and changes may fail. Free some space, or keep logs for fewer days";
        return Some((true, format!("The disk is full but for {megabytes} MiB: {text}.")));
    }
    let text = "Free some space, or keep logs for fewer days: below 256 MiB phones' uploads are refused";
    (free_bytes < DISK_WARNING_BYTES).then(|| (false, format!("The disk has {megabytes} MiB left. {text}.")))
}

/// Bound devices that somebody asked for who may not have them, and whether he showed the shared credentials.
fn refused(together: &[RefusedDevice]) -> Option<(bool, String)> {
    if together.is_empty() {
        return None;
    }
    let from: BTreeSet<IpAddr> = together.iter().map(|one| one.address).collect();
    let from = match from.len() {
        1 => "1 address".to_owned(),
        count => format!("{count} addresses"),
    };
    let (count, by_shared) = (together.len(), together.iter().filter(|one| one.is_by_shared).count());
    let (by, some, next) = match by_shared {
        0 => (
            " with the factory default PlcmSpIp",
            String::new(),
            "Phones that were reset come so, and everybody can: it opens nothing, and there is nothing to change. See under Pending whether \
             they are yours",
        ),
        _ if by_shared == count => (
            " with the shared credentials",
            String::new(),
            "If they were reset, unbind them; if not, somebody else has the shared credentials: change them as leaked",
        ),
        some => (
            "",
            format!(": {some} with the shared credentials, the others with the factory default, as everybody can"),
            "If the former were reset, unbind them; if not, somebody else has the shared credentials: change them as leaked",
        ),
    };
    let text =
        format!("{count} bound devices were asked for{by} within ten minutes, from {from}, and were refused{some}. {next}.");
    Some((by_shared > 0, text))
}

/// New phones that were too many. Those that nobody ever heard of before are listed nowhere.
fn crowd(Crowded { at, most }: Crowded) -> String {
    let is_by_secret = most.is_none_or(|held| held.shown == Weight::Secret);
    let most = most.map(|held| format!(" {held}.")).unwrap_or_default();
    let trying = if is_by_secret {
        "where this account does not let in every new phone by itself, nobody gets anything by that; else somebody has the shared \
         credentials: change them as leaked"
    } else {
        "without the shared credentials nobody gets anything by that, and phones that show them are not held up"
    };
    let at = at.strftime("%Y-%m-%d %H:%M UTC");
    format!(
        "More new phones came than may come at once, the last at {at}.{most} They keep what they have and ask again by themselves; \
         known phones are served, and those under Pending stay there. If they are yours and cannot wait, raise per_address or per_hour \
         of [new_devices] in the settings of the server, or add them as devices. If not, somebody is trying out MAC addresses there: \
         {trying}."
    )
}

/// Profiles that give phones a password that everybody knows, and phones that keep the factory's.
fn admin_passwords(world: &World) -> Vec<(MendedAt, String)> {
    let given = |profile: &Profile| profile.parameters.get(ADMIN_PASSWORD).map(str::to_owned);
    let mut told: Vec<(MendedAt, String)> = Vec::new();
    for profile in world.profiles.values() {
        if given(profile).is_some_and(|value| KNOWN_ADMIN_PASSWORDS.contains(&value.as_str())) {
            let text = "gives phones an admin password that everybody knows. Leave it out: then each phone gets one of its own";
            told.push((MendedAt::Profile(profile.id), format!("The profile {} {text}.", profile.name)));
        }
    }
    let base = &world.account.base;
    if base.guide_admin_password {
        let text = "Every phone is given the guide's admin password 789, which everybody knows. Switch that off in the built-in base: \
                    then each phone gets one of its own.";
        told.push((MendedAt::Settings, text.to_owned()));
    }
    let manages_others = base.polling || base.time || base.serial_tag || base.log_upload || base.rest_api;
    if !base.admin_password && manages_others && world.profiles.values().all(|profile| given(profile).is_none()) {
        let text = "Phones keep the admin password of the factory, which everybody knows: the group Admin password of the \
                    built-in base is off, and no profile sets one.";
        told.push((MendedAt::Settings, text.to_owned()));
    }
    told
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::domain::testing::{profile, world};

    fn now() -> Timestamp {
        "2026-11-22T12:00:00Z".parse().expect("a time")
    }

    #[test]
    fn ops_04_a_certificate_is_told_a_month_before_its_end_and_urgent_in_the_last_week() {
        let told = |hours: i64| certificate(now(), now() + SignedDuration::from_hours(hours), Origin::Own, now());
        assert_eq!(told(24 * 30), None);
        let (urgent, text) = told(24 * 29).expect("told");
        assert!(!urgent && text.contains("expires in 29 days") && text.contains("Put the renewed certificate"), "{text}");
        assert!(told(24 * 6).is_some_and(|(urgent, text)| urgent && text.contains("in 6 days")));
        assert!(told(30).is_some_and(|(urgent, text)| urgent && text.contains("tomorrow")));
        assert!(told(5).is_some_and(|(urgent, text)| urgent && text.contains("today")));
        assert!(told(0).is_some_and(|(urgent, text)| urgent && text.contains("has expired")));
    }

    #[test]
    fn ops_04_what_is_not_valid_yet_and_a_ca_that_ends_are_told() {
        let hours = |hours: i64| now() + SignedDuration::from_hours(hours);
        for origin in [Origin::Own, Origin::PrivateCa] {
            let (urgent, text) = certificate(hours(1), hours(9_000), origin, now()).expect("told");
            assert!(urgent && text.contains("not valid before 2026-11-22 13:00 UTC") && text.contains("clock"), "{text}");
        }
        let ca = |from, until| {
            let ca = Facts { fingerprint: String::new(), valid_from: hours(from), valid_until: hours(until) };
            authority(&ca, now())
        };
        assert_eq!(ca(-1, 24 * 400), None);
        assert!(
            ca(1, 24 * 4_000).is_some_and(|(urgent, text)| urgent && text.contains("CA is not valid before 2026-11-22 13:00"))
        );
        assert!(ca(-1, 24 * 300).is_some_and(|(urgent, text)| !urgent && text.contains("CA ends on 2027-09-18")));
        assert!(ca(-1, 24 * 80).is_some_and(|(urgent, _)| urgent));
        assert!(ca(-1, 0).is_some_and(|(urgent, text)| urgent && text.contains("CA has expired")));
    }

    #[test]
    fn a_disk_is_told_before_uploads_are_refused() {
        assert_eq!(disk(u64::MAX), None);
        assert!(disk(DISK_WARNING_BYTES - 1).is_some_and(|(urgent, text)| !urgent && text.contains("1023 MiB left")));
        assert!(disk(DISK_RESERVE_BYTES - 1).is_some_and(|(urgent, text)| urgent && text.contains("full but for 255 MiB")));
    }

    #[test]
    fn admin_passwords_that_everybody_knows_are_told_with_their_profile() {
        let mut world = world();
        assert_eq!(admin_passwords(&world), Vec::new());
        std::sync::Arc::make_mut(&mut world.account).base.admin_password = false;
        assert!(admin_passwords(&world)[0].1.contains("of the factory"));
        std::sync::Arc::make_mut(&mut world.account).base.admin_password = true;
        std::sync::Arc::make_mut(&mut world.account).base.guide_admin_password = true;
        assert!(admin_passwords(&world)[0].1.contains("789"));
        std::sync::Arc::make_mut(&mut world.account).base.guide_admin_password = false;
        let known = profile(7, &[(ADMIN_PASSWORD, "789")]);
        world.profiles.insert(known.id, known.into());
        let told = admin_passwords(&world);
        assert_eq!((told.len(), told[0].0), (1, MendedAt::Profile(ProfileId(7))));
        let own = profile(7, &[(ADMIN_PASSWORD, "a long one of their own")]);
        world.profiles.insert(own.id, own.into());
        assert_eq!(admin_passwords(&world), Vec::new());
    }
}
