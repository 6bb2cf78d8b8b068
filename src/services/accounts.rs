//! Settings of an account: shared credentials, time, built-in base, polling window (R181–R186, contract 5.3).

use std::net::IpAddr;

use ipnet::IpNet;
use jiff::Timestamp;

use super::Services;
use super::commit::{Mode, perform};
use super::error::ServiceError;
use super::secrets::random_text;
use crate::domain::access::{Action, Actor, authorize};
use crate::domain::account::{
    Account, AdmissionSettings, BaseSettings, BootstrapSettings, BootstrapSwitch, CertificatePolicy, FirstContact,
    FormerCredentials, Secret,
};
use crate::domain::activity::Event;
use crate::domain::admission::nearby::Nearby;
pub use crate::domain::clock::time_of_day as clock_time;
use crate::domain::clock::{parse_window, parse_zone};
use crate::domain::field_error::FieldErrors;
use crate::domain::ids::AccountId;
use crate::domain::limits::{LOG_DAYS_MOST, NAME_CHARS, SHARED_PASSWORD_CHARS};
use crate::domain::site::download_path::DownloadPath;

/// What all handsets know at the factory, as user name and as password (R184).
pub const FACTORY_DEFAULT: &str = "PlcmSpIp";
/// Characters of a password that we offer: 160 bits, and short enough to type on a handset once.
const OFFERED_PASSWORD_CHARS: usize = 28;

/// Zone and time server as typed.
#[derive(Clone, Debug)]
pub struct TimeDraft {
    /// IANA name of the zone.
    pub time_zone: String,
    /// Host name or address of the time server.
    pub time_server: String,
}

/// A change of some settings, as typed; what is none stays as it is.
#[derive(Clone, Debug, Default)]
pub struct AccountDraft {
    /// Whether phones are served.
    pub enabled: Option<bool>,
    /// User name of the shared credentials.
    pub user: Option<String>,
    /// Password of the shared credentials.
    pub password: Option<Secret>,
    /// What becomes of the former shared credentials; they end at once where it is not said.
    pub replacement: Option<Replacement>,
    /// Zone, an IANA name.
    pub time_zone: Option<String>,
    /// Time server, a host name or address.
    pub time_server: Option<String>,
    /// Groups of the built-in base.
    pub base: Option<BaseSettings>,
    /// First minute of the polling window and the first one after it.
    pub polling_window: Option<(u16, u16)>,
    /// What happens to a device that was never seen.
    pub first_contact: Option<FirstContact>,
    /// Whether devices get credentials of their own.
    pub binds: Option<bool>,
    /// How far around its first address the shared credentials open a device.
    pub nearby: Option<Nearby>,
    /// What factory certificates of phones are worth.
    pub certificates: Option<CertificatePolicy>,
    /// Whether one whose time is over counts.
    pub accept_expired: Option<bool>,
    /// How phones come from plain HTTP to HTTPS.
    pub bootstrap: Option<BootstrapSettings>,
    /// Networks whose phones are served in full over plain HTTP (R316).
    pub legacy_http: Option<LegacyHttp>,
    /// Days that device logs are kept; none within: as the server's settings say (R44).
    pub log_days: Option<Option<u32>>,
    /// Download path of devices in no site, as typed; empty for this server (R203).
    pub download_internet: Option<String>,
    /// That of devices in sites without one of their own.
    pub download_enterprise: Option<String>,
    /// Whether devices below the least version of their family go there where no profile chooses for them (R364).
    pub raise_to_minimum: Option<bool>,
}

/// Networks without TLS, as typed.
#[derive(Clone, Debug, Default)]
pub struct LegacyHttp {
    /// Subnets, such as `10.1.2.0/24`, or single addresses.
    pub subnets: Vec<String>,
    /// Whoever asks knows what it means; needed for each network that was not there.
    pub confirmed: bool,
}

/// What becomes of the shared credentials that are replaced (R183, contract 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replacement {
    /// Each known device may use them until it came with others; unknown devices for 14 days.
    Planned,
    /// They end now.
    Leaked,
}

/// Random shared credentials, of URL-safe characters, to be offered at set-up.
pub fn offer_credentials() -> (String, Secret) {
    (format!("phones-{}", random_text(4).to_lowercase()), Secret::new(random_text(OFFERED_PASSWORD_CHARS)))
}

/// Whether the shared credentials are the factory default: every page that shows them warns then (R184).
pub fn is_factory_default(account: &Account) -> bool {
    account.provisioning.user == FACTORY_DEFAULT || account.provisioning.password.expose() == FACTORY_DEFAULT
}

/// Changes settings of an account. `revision` is the one that the form was made from; none overwrites (R14).
///
/// # Errors
/// What is wrong, field by field; a conflict where somebody else was faster.
pub fn update(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    revision: Option<u64>,
    draft: &AccountDraft,
) -> Result<Account, ServiceError> {
    change(services, actor, account, revision, draft, Mode::Keep)
}

/// What [`update`] would make of the settings; everything stays as it is where `mode` says so.
///
/// # Errors
/// As [`update`].
pub fn change(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    revision: Option<u64>,
    draft: &AccountDraft,
    mode: Mode,
) -> Result<Account, ServiceError> {
    let grant = authorize(actor, Action::EditAccount(account))?;
    perform(services, mode, grant, account, |change| {
        let old = change.settings()?;
        if revision.is_some_and(|seen| seen != old.revision) {
            return Err(ServiceError::stale("page's settings", ""));
        }
        let mut new = apply(draft, &old, change.now())?;
        // A password that is typed counts as another one: nobody finds it out by trying.
        if new == old && draft.password.is_none() {
            change.leave_as_is();
            return Ok(old);
        }
        new.revision += 1;
        change.put_account(new.clone())?;
        let is_typed_again = draft.password.is_some() && new.provisioning.password == old.provisioning.password;
        let event = difference(&old, &new);
        change.record(if is_typed_again { event.typed_again("password") } else { event })?;
        if is_factory_default(&new) && !is_factory_default(&old) {
            change.record(Event::new("account", new.label.as_str(), "set to the factory default of all phones"))?;
        }
        Ok(new)
    })
}

/// The password of the shared credentials, to be shown to a person; noted in the activity log (SEC-05). Where that is only tried
/// out, the password stays untold.
///
/// # Errors
/// The actor may not, or the note could not be written.
pub fn reveal_password(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    mode: Mode,
) -> Result<Option<Secret>, ServiceError> {
    let grant = authorize(actor, Action::Reveal(account))?;
    let world = services.world(account)?;
    let label = world.account.label.clone();
    perform(services, mode, grant, account, |change| change.record(Event::new("account", label, "showed the password of")))?;
    Ok((mode == Mode::Keep).then(|| world.account.provisioning.password.clone()))
}

/// The settings with a draft's changes, or everything that is wrong with the draft.
pub(super) fn apply(draft: &AccountDraft, old: &Account, now: Timestamp) -> Result<Account, FieldErrors> {
    let mut errors = FieldErrors::new();
    let mut new = old.clone();
    if let Some(enabled) = draft.enabled {
        new.provisioning.enabled = enabled;
    }
    if let Some(user) = draft.user.as_deref().and_then(|text| errors.take("user", parse_user(text))) {
        new.provisioning.user = user;
    }
    if let Some(password) = draft.password.as_ref().and_then(|text| errors.take("password", parse_password(text))) {
        new.provisioning.password = password;
    }
    if let Some(zone) = draft.time_zone.as_deref().and_then(|text| errors.take("time_zone", parse_zone(text))) {
        new.time_zone = zone;
    }
    if let Some(server) = draft.time_server.as_deref().and_then(|text| errors.take("time_server", parse_host(text))) {
        new.time_server = server;
    }
    if let Some(base) = draft.base {
        new.base = base;
    }
    replace_credentials(draft, old, &mut new, now, &mut errors);
    if let Some(first_contact) = draft.first_contact {
        new.first_contact = first_contact;
    }
    if let Some(binds) = draft.binds {
        new.admission.binds = binds;
    }
    if let Some(nearby) = draft.nearby.and_then(|nearby| take_nearby(nearby, &mut errors)) {
        new.admission.nearby = nearby;
    }
    if let Some(window) = draft.polling_window.and_then(|window| errors.take("polling_window", parse_window(window))) {
        new.polling_window = window;
    }
    if let Some(days) = draft.log_days.and_then(|days| errors.take("log_days", check_log_days(days))) {
        new.log_days = days;
    }
    if let Some(policy) = draft.certificates.and_then(|policy| errors.take("certificates", parse_policy(policy, old))) {
        new.admission.certificates = policy;
    }
    if let Some(accept_expired) = draft.accept_expired {
        new.admission.accept_expired = accept_expired;
    }
    if let Some(bootstrap) = draft.bootstrap {
        new.admission.bootstrap = bootstrap;
    }
    if let Some(legacy) = &draft.legacy_http
        && let Some(subnets) = errors.take("legacy_http", parse_subnets(&legacy.subnets))
    {
        let is_new = |subnet: &IpNet| !old.admission.legacy_http.contains(subnet);
        match subnets.iter().find(|subnet| is_new(subnet) && !legacy.confirmed) {
            Some(subnet) => errors.add(
                "legacy_http_confirmed",
                format!("confirm that everybody in {subnet} may read the configuration of its phones, SIP passwords included"),
            ),
            None => new.admission.legacy_http = subnets,
        }
    }
    for (field, typed, path) in [
        ("download_internet", &draft.download_internet, &mut new.software.internet),
        ("download_enterprise", &draft.download_enterprise, &mut new.software.enterprise),
    ] {
        match typed.as_deref().map(str::trim) {
            None => {}
            Some("") => *path = None,
            Some(text) => *path = errors.take(field, text.parse::<DownloadPath>()),
        }
    }
    if let Some(raises) = draft.raise_to_minimum {
        new.software.raise_to_minimum = raises;
    }
    errors.into_result(Some(new))
}

/// New shared credentials have a number of their own. Those before stay for a time where that is planned.
fn replace_credentials(draft: &AccountDraft, old: &Account, new: &mut Account, now: Timestamp, errors: &mut FieldErrors) {
    let (was, is) = (&old.provisioning, &mut new.provisioning);
    if was.user == is.user && was.password == is.password {
        return;
    }
    is.generation = was.generation + 1;
    let planned = draft.replacement == Some(Replacement::Planned) && !was.user.is_empty();
    if planned && was.former.is_some() {
        let words = "the former shared credentials still count: end them first, so that no phone is left with the ones before";
        errors.add("replacement", words);
    }
    is.former = planned.then(|| FormerCredentials {
        user: was.user.clone(),
        password: was.password.clone(),
        generation: was.generation,
        replaced_at: now,
    });
}

/// Without an authority no certificate can be verified: to require one would keep every phone out.
fn parse_policy(policy: CertificatePolicy, old: &Account) -> Result<CertificatePolicy, &'static str> {
    if policy == CertificatePolicy::Require && old.admission.manufacturers.is_empty() {
        return Err("upload the CA certificates of your phones' manufacturer first: without them no phone could come in");
    }
    Ok(policy)
}

fn check_log_days(days: Option<u32>) -> Result<Option<u32>, String> {
    match days {
        Some(days) if !(1..=LOG_DAYS_MOST).contains(&days) => Err(format!("logs are kept for 1 to {LOG_DAYS_MOST} days")),
        days => Ok(days),
    }
}

fn difference(old: &Account, new: &Account) -> Event {
    let switch = |on: bool| Some(if on { "on" } else { "off" }.to_owned());
    let policy = |account: &Account| Some(account.admission.certificates.word().to_owned());
    let window = |(from, to): (u16, u16)| Some(format!("{} to {}", clock_time(from), clock_time(to)));
    let former = |account: &Account| account.provisioning.former.as_ref().map(|_| "until each phone has the new ones".to_owned());
    let contact = |account: &Account| Some(account.first_contact.word().to_owned());
    let (near, is_near) = (old.admission.nearby, new.admission.nearby);
    let mut event = Event::new("account", new.label.as_str(), "changed")
        .change("serve phones", switch(old.provisioning.enabled), switch(new.provisioning.enabled))
        .change("user name", Some(old.provisioning.user.clone()), Some(new.provisioning.user.clone()))
        .secret_change("password", Some(old.provisioning.password.expose()), Some(new.provisioning.password.expose()))
        .change("time zone", Some(old.time_zone.clone()), Some(new.time_zone.clone()))
        .change("time server", Some(old.time_server.clone()), Some(new.time_server.clone()))
        .change("former shared credentials", former(old), former(new))
        .change("polling window", window(old.polling_window), window(new.polling_window))
        .change("days of logs", old.log_days.map(|days| days.to_string()), new.log_days.map(|days| days.to_string()))
        .change("new devices", contact(old), contact(new))
        .change("credentials of their own", switch(old.admission.binds), switch(new.admission.binds))
        .change("one place (IPv4 bits)", Some(near.ipv4_bits.to_string()), Some(is_near.ipv4_bits.to_string()))
        .change("one place (IPv6 bits)", Some(near.ipv6_bits.to_string()), Some(is_near.ipv6_bits.to_string()))
        .change("factory certificates", policy(old), policy(new))
        .change("expired certificates count", switch(old.admission.accept_expired), switch(new.admission.accept_expired));
    let path = |path: &Option<DownloadPath>| path.as_ref().map(ToString::to_string);
    let (was, is) = (&old.software, &new.software);
    event = event
        .change("download path, Internet", path(&was.internet), path(&is.internet))
        .change("download path, Enterprise Sites", path(&was.enterprise), path(&is.enterprise))
        .change("least software by itself", switch(was.raise_to_minimum), switch(is.raise_to_minimum));
    let (was, is) = (&old.base, &new.base);
    let groups = [
        ("base: REST API", was.rest_api, is.rest_api),
        ("base: serial number tag", was.serial_tag, is.serial_tag),
        ("base: polling", was.polling, is.polling),
        ("base: admin password", was.admin_password, is.admin_password),
        ("base: the guide's admin password", was.guide_admin_password, is.guide_admin_password),
        ("base: log uploads", was.log_upload, is.log_upload),
        ("base: time", was.time, is.time),
    ];
    for (name, was, is) in groups {
        event = event.change(name, switch(was), switch(is));
    }
    plain_http(event, &old.admission, &new.admission)
}

fn plain_http(event: Event, old: &AdmissionSettings, new: &AdmissionSettings) -> Event {
    let number = |slot| Some(u8::from(slot).to_string());
    let networks = |settings: &AdmissionSettings| {
        let names: Vec<String> = settings.legacy_http.iter().map(ToString::to_string).collect();
        Some(names.join(", ")).filter(|names| !names.is_empty())
    };
    let event = event.change("legacy HTTP", networks(old), networks(new));
    let (was, is) = (&old.bootstrap, &new.bootstrap);
    event
        .change("bootstrap over HTTP", Some(word_of(was.switch).to_owned()), Some(word_of(is.switch).to_owned()))
        .change("CA certificate slot", number(was.ca_slot), number(is.ca_slot))
        .change("TLS platform profile", number(was.tls_profile), number(is.tls_profile))
}

/// A switch of the bootstrap in a word, for the activity log, the page and the API alike.
pub fn word_of(switch: BootstrapSwitch) -> &'static str {
    match switch {
        BootstrapSwitch::Automatic => "automatic",
        BootstrapSwitch::On => "on",
        BootstrapSwitch::Off => "off",
    }
}

/// User names go into phone menus and configuration files: ASCII only (R30).
pub(super) fn parse_user(text: &str) -> Result<String, String> {
    let text = text.trim();
    let allowed = |c: &char| c.is_ascii_alphanumeric() || "#.-_()[]".contains(*c);
    match text.chars().find(|c| !allowed(c)) {
        _ if text.is_empty() => Err("enter a user name for phones".to_owned()),
        _ if text.len() > NAME_CHARS => Err(format!("a user name has at most {NAME_CHARS} characters")),
        Some(c) => Err(format!("“{c}” is not allowed in a user name; use letters without accents, digits and # . - _ ( ) [ ]")),
        None => Ok(text.to_owned()),
    }
}

/// A place is no wider than networks are, else everybody is at home everywhere.
fn take_nearby(nearby: Nearby, errors: &mut FieldErrors) -> Option<Nearby> {
    let checked = |bits: u8, range: std::ops::RangeInclusive<u8>| match range.contains(&bits) {
        true => Ok(bits),
        false => Err(format!("a place has {} to {} bits of its network", range.start(), range.end())),
    };
    let ipv4_bits = errors.take("nearby_ipv4", checked(nearby.ipv4_bits, 8..=32));
    let ipv6_bits = errors.take("nearby_ipv6", checked(nearby.ipv6_bits, 32..=128));
    Some(Nearby { ipv4_bits: ipv4_bits?, ipv6_bits: ipv6_bits? })
}

/// Passwords are typed on phones: printable ASCII.
pub(super) fn parse_password(secret: &Secret) -> Result<Secret, String> {
    let text = secret.expose();
    match text.len() {
        0 => Err("enter a password for phones".to_owned()),
        n if n > SHARED_PASSWORD_CHARS => Err(format!("a password for phones has at most {SHARED_PASSWORD_CHARS} characters")),
        _ if text.bytes().any(|b| !b.is_ascii_graphic()) => {
            Err("a password for phones has letters without accents, digits and signs, no blanks".to_owned())
        }
        _ => Ok(secret.clone()),
    }
}

/// Zone and time server that can be used.
pub(super) fn parse_time(draft: &TimeDraft) -> Result<(String, String), FieldErrors> {
    let mut errors = FieldErrors::new();
    let zone = errors.take("time_zone", parse_zone(&draft.time_zone));
    let server = errors.take("time_server", parse_host(&draft.time_server));
    errors.into_result(zone.zip(server))
}

/// Networks that somebody means, without what is there twice. All addresses at once are none.
fn parse_subnets(texts: &[String]) -> Result<Vec<IpNet>, String> {
    let mut subnets = Vec::new();
    for text in texts.iter().map(|text| text.trim()).filter(|text| !text.is_empty()) {
        let parsed = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
        let subnet = parsed.map_err(|_| format!("“{text}” is no network; write it as 10.1.2.0/24"))?.trunc();
        if subnet.prefix_len() == 0 {
            return Err(format!("“{text}” is every address there is; name the networks of phones that cannot do TLS"));
        }
        if !subnets.contains(&subnet) {
            subnets.push(subnet);
        }
    }
    Ok(subnets)
}

/// A host name or an address, as phones are told it.
pub(super) fn parse_host(text: &str) -> Result<String, String> {
    let text = text.trim();
    let label = |part: &str| {
        (1..=63).contains(&part.len())
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !part.starts_with('-')
            && !part.ends_with('-')
    };
    let is_name = text.len() <= 253 && text.split('.').all(label) && !text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    match text.parse::<IpAddr>() {
        Ok(address) => Ok(address.to_string()),
        Err(_) if is_name => Ok(text.to_ascii_lowercase()),
        Err(_) => Err(format!("“{text}” is neither a host name (letters, digits, hyphens and dots) nor an IP address")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_names_and_addresses_are_taken_and_nothing_else() {
        for (text, taken) in
            [("PDMS.example.lan", "pdms.example.lan"), ("192.0.2.7", "192.0.2.7"), ("2001:DB8::1", "2001:db8::1")]
        {
            assert_eq!(parse_host(text).as_deref(), Ok(taken));
        }
        for text in ["", "a b", "300.1.1.1", "-a.lan", "a..b", "https://a", "a/b", "a:8443", "büro.lan"] {
            assert!(parse_host(text).is_err(), "{text}");
        }
    }

    #[test]
    fn networks_are_taken_as_people_write_them_and_all_addresses_are_none() {
        let parse = |texts: &[&str]| parse_subnets(&texts.iter().map(ToString::to_string).collect::<Vec<_>>());
        let names = |texts: &[&str]| parse(texts).map(|all| all.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(
            names(&["10.1.2.9/24", " 10.1.2.0/24 ", "", "10.9.0.7"]),
            Ok(vec!["10.1.2.0/24".to_owned(), "10.9.0.7/32".to_owned()])
        );
        for wrong in ["0.0.0.0/0", "::/0", "10.1.2", "10.1.2.0/33", "lan"] {
            assert!(parse(&[wrong]).is_err(), "{wrong}");
        }
    }

    #[test]
    fn credentials_are_what_a_phone_can_take() {
        assert!(parse_user("PlcmSpIp").is_ok() && parse_user("a:b").is_err() && parse_user("").is_err());
        assert!(parse_password(&Secret::new("s3cret-~")).is_ok() && parse_password(&Secret::new("a b")).is_err());
        assert!(parse_window((180, 300)).is_ok() && parse_window((300, 180)).is_err() && parse_window((0, 1_441)).is_err());
    }
}
