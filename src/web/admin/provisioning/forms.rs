//! The forms of Provisioning Settings: what each asks for, what it holds as stored, and what differs where somebody was faster.
//!
//! Each form is one [`Part`] of the settings. The address belongs to the server, the others to the account: two revisions.

use crate::domain::account::{Account, BaseSettings, BootstrapSettings, BootstrapSwitch, FirstContact, Slot};
use crate::domain::admission::nearby::Nearby;
use crate::domain::field_error::FieldErrors;
use crate::domain::limits::MINUTES_PER_DAY;
use crate::domain::server::ServerSettings;
use crate::domain::site::download_path::DownloadPath;
use crate::services::accounts::{AccountDraft, LegacyHttp, clock_time, word_of};
use crate::web::admin::conflict::Differing;
use crate::web::admin::forms::Form;

/// One form of the page, by the last part of its address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The public name.
    Address,
    /// The shared credentials.
    Account,
    /// Zone and time server.
    Time,
    /// Groups of the base, polling window.
    Base,
    /// Who gets in.
    Admission,
    /// What phones get over plain HTTP.
    Http,
    /// How long logs are kept.
    Retention,
    /// From where devices take software.
    Downloads,
}

/// What a form asks for.
#[derive(Clone, Debug)]
pub enum Wanted {
    /// Another public name.
    Name(String),
    /// Other settings of the account.
    Account(AccountDraft),
}

/// Field, label and meaning of each group of the base, with its switch in the settings.
pub type Switch = (&'static str, &'static str, &'static str, fn(&mut BaseSettings) -> &mut bool);

/// The groups of the base.
pub const SWITCHES: [Switch; 7] = [
    ("base_polling", "Nightly polling", "Each phone asks once a day whether anything has changed.", |base| &mut base.polling),
    ("base_time", "Time", "Time server, offset and daylight-saving rule of the zone above.", |base| &mut base.time),
    ("base_serial_tag", "Serial number", "Phones name their MAC address in every request.", |base| &mut base.serial_tag),
    (
        "base_admin_password",
        "Admin password",
        "Each phone gets an admin password of its own in place of the one that everybody knows.",
        |base| &mut base.admin_password,
    ),
    (
        "base_guide_admin_password",
        "The guide's admin password for all",
        "For compatibility only: every phone gets 789 in place of one of its own. Everybody knows it, and whoever holds a phone can change it.",
        |base| &mut base.guide_admin_password,
    ),
    ("base_log_upload", "Log uploads", "Every log is uploaded as a file of its own.", |base| &mut base.log_upload),
    (
        "base_rest_api",
        "REST API",
        "Phones take requests for their state and for control over the network. This server does not send any yet.",
        |base| &mut base.rest_api,
    ),
];

impl Part {
    /// The part that an address ends with.
    pub fn parse(text: &str) -> Option<Self> {
        let all =
            [Self::Address, Self::Account, Self::Time, Self::Base, Self::Admission, Self::Http, Self::Retention, Self::Downloads];
        all.into_iter().find(|part| part.word() == text)
    }

    fn word(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Account => "account",
            Self::Time => "time",
            Self::Base => "base",
            Self::Admission => "admission",
            Self::Http => "http",
            Self::Retention => "retention",
            Self::Downloads => "downloads",
        }
    }

    /// What is said when it is saved.
    pub fn saved(self) -> &'static str {
        match self {
            Self::Address => "The address is saved. Phones learn it with their next configuration; the old one keeps answering.",
            Self::Account => "The provisioning account is saved.",
            Self::Time => "Time zone and time server are saved.",
            Self::Base => "The built-in base is saved. Phones take it at their next poll or restart.",
            Self::Admission => "Who gets in is saved. It holds from the next request on.",
            Self::Http => "What phones get over plain HTTP is saved.",
            Self::Retention => "How long logs are kept is saved. What is older goes within the hour.",
            Self::Downloads => "The download path is saved. Devices are told it with their next configuration.",
        }
    }

    /// Its fields, each with its label.
    fn fields(self) -> Vec<(&'static str, &'static str)> {
        match self {
            Self::Address => vec![("public_name", "Public name")],
            Self::Account => vec![("enabled", "Serve phones")],
            Self::Time => vec![("time_zone", "Time zone"), ("time_server", "Time server")],
            Self::Base => {
                let window = [("polling_window_from", "Polling window from"), ("polling_window", "Polling window to")];
                SWITCHES.iter().map(|(field, label, ..)| (*field, *label)).chain(window).collect()
            }
            Self::Admission => vec![
                ("first_contact", "New devices"),
                ("binds", "Credentials of their own"),
                ("nearby_ipv4", "One place, IPv4"),
                ("nearby_ipv6", "One place, IPv6"),
            ],
            Self::Retention => vec![("log_days", "Days of logs")],
            Self::Http => vec![
                ("bootstrap", "Show new phones the way to HTTPS"),
                ("ca_slot", "CA certificate slot"),
                ("tls_profile", "TLS platform profile"),
                ("legacy_http", "Networks without TLS"),
            ],
            Self::Downloads => vec![
                ("download_internet", "Internet"),
                ("download_enterprise", "Enterprise Sites"),
                ("raise_to_minimum", "Bring devices up to the least version"),
            ],
        }
    }

    /// Its boxes: one that is not among the typed fields was unticked.
    fn boxes(self) -> Vec<&'static str> {
        match self {
            Self::Address | Self::Time | Self::Retention => Vec::new(),
            Self::Http => vec!["legacy_http_confirmed"],
            Self::Account => vec!["enabled"],
            Self::Admission => vec!["binds"],
            Self::Downloads => vec!["raise_to_minimum"],
            Self::Base => SWITCHES.map(|(field, ..)| field).into(),
        }
    }

    /// What the form asks for.
    ///
    /// # Errors
    /// A text that no setting can be made of.
    pub fn wanted(self, form: &Form) -> Result<Wanted, FieldErrors> {
        let text = |name: &str| Some(form.value(name).to_owned());
        Ok(Wanted::Account(match self {
            Self::Address => return Ok(Wanted::Name(form.value("public_name").to_owned())),
            Self::Account => AccountDraft { enabled: Some(form.has("enabled")), ..AccountDraft::default() },
            Self::Admission => admission(form)?,
            Self::Time => {
                AccountDraft { time_zone: text("time_zone"), time_server: text("time_server"), ..AccountDraft::default() }
            }
            Self::Base => {
                let mut base = BaseSettings::SERVE_ONLY;
                for (field, _, _, switch) in SWITCHES {
                    *switch(&mut base) = form.has(field);
                }
                AccountDraft { base: Some(base), polling_window: Some(window(form)?), ..AccountDraft::default() }
            }
            Self::Retention => AccountDraft { log_days: Some(log_days(form)?), ..AccountDraft::default() },
            Self::Downloads => AccountDraft {
                download_internet: text("download_internet"),
                download_enterprise: text("download_enterprise"),
                raise_to_minimum: Some(form.has("raise_to_minimum")),
                ..AccountDraft::default()
            },
            Self::Http => AccountDraft {
                bootstrap: Some(bootstrap(form)?),
                legacy_http: Some(LegacyHttp {
                    subnets: form.value("legacy_http").split([',', '\n']).map(str::to_owned).collect(),
                    confirmed: form.has("legacy_http_confirmed"),
                }),
                ..AccountDraft::default()
            },
        }))
    }

    /// The typed form with the fields of the other parts as they are stored.
    pub fn among(self, typed: Form, stored: &Form) -> Form {
        typed.or(stored, &self.boxes())
    }

    /// The fields that are stored otherwise than typed.
    pub fn differing(self, typed: &Form, stored: &Form) -> Vec<Differing> {
        let boxes = self.boxes();
        let shown = |form: &Form, field: &str| match field {
            _ if boxes.contains(&field) => if form.has(field) { "on" } else { "off" }.to_owned(),
            _ => form.value(field).trim().to_owned(),
        };
        let differing = |(field, label): (&'static str, &'static str)| {
            let (stored, typed) = (shown(stored, field), shown(typed, field));
            (stored != typed).then(|| Differing { label: label.to_owned(), stored, typed })
        };
        self.fields().into_iter().filter_map(differing).collect()
    }
}

/// The settings as the forms hold them.
pub fn stored(account: &Account, server: &ServerSettings) -> Form {
    let (from, to) = account.polling_window;
    let mut form = Form::filled([
        ("public_name", server.public_name.clone().unwrap_or_default()),
        ("time_zone", account.time_zone.clone()),
        ("time_server", account.time_server.clone()),
        ("polling_window_from", clock_time(from)),
        ("polling_window", clock_time(to % MINUTES_PER_DAY)),
        ("first_contact", account.first_contact.word().to_owned()),
        ("nearby_ipv4", account.admission.nearby.ipv4_bits.to_string()),
        ("nearby_ipv6", account.admission.nearby.ipv6_bits.to_string()),
        ("bootstrap", word_of(account.admission.bootstrap.switch).to_owned()),
        ("ca_slot", u8::from(account.admission.bootstrap.ca_slot).to_string()),
        ("tls_profile", u8::from(account.admission.bootstrap.tls_profile).to_string()),
        ("legacy_http", account.admission.legacy_http.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")),
    ]);
    form.set("log_days", account.log_days.map_or_else(String::new, |days| days.to_string()));
    let path = |path: &Option<DownloadPath>| path.as_ref().map(ToString::to_string).unwrap_or_default();
    form.set("download_internet", path(&account.software.internet));
    form.set("download_enterprise", path(&account.software.enterprise));
    if account.software.raise_to_minimum {
        form.set("raise_to_minimum", "on");
    }
    if account.admission.binds {
        form.set("binds", "on");
    }
    if account.provisioning.enabled {
        form.set("enabled", "on");
    }
    let mut base = account.base;
    for (field, _, _, switch) in SWITCHES {
        if *switch(&mut base) {
            form.set(field, "on");
        }
    }
    form
}

/// Who gets in, as typed.
fn admission(form: &Form) -> Result<AccountDraft, FieldErrors> {
    let mut errors = FieldErrors::new();
    let policy = FirstContact::parse(form.value("first_contact")).ok_or("choose what happens to new devices");
    let first_contact = errors.take("first_contact", policy);
    let mut bits = |field: &'static str| {
        let number = form.value(field).trim().parse::<u8>();
        errors.take(field, number.map_err(|_| "enter the bits of the network as a number, such as 24"))
    };
    let nearby = bits("nearby_ipv4").zip(bits("nearby_ipv6"));
    let nearby = nearby.map(|(ipv4_bits, ipv6_bits)| Nearby { ipv4_bits, ipv6_bits });
    let draft = AccountDraft { first_contact, binds: Some(form.has("binds")), nearby, ..AccountDraft::default() };
    errors.into_result(Some(draft))
}

/// Days as typed; an empty field: as the server's settings say.
fn log_days(form: &Form) -> Result<Option<u32>, FieldErrors> {
    match form.value("log_days").trim() {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(|_| FieldErrors::one("log_days", "enter a number of days, such as 10")),
    }
}

fn bootstrap(form: &Form) -> Result<BootstrapSettings, FieldErrors> {
    let switches = [BootstrapSwitch::Automatic, BootstrapSwitch::On, BootstrapSwitch::Off];
    let switch = switches.into_iter().find(|switch| form.is("bootstrap", word_of(*switch)));
    let slot = |field: &'static str| {
        let number = form.value(field).parse::<u8>().ok().and_then(|number| Slot::try_from(number).ok());
        number.ok_or_else(|| FieldErrors::one(field, "choose 1 or 2"))
    };
    Ok(BootstrapSettings {
        switch: switch.ok_or_else(|| FieldErrors::one("bootstrap", "choose one of the list"))?,
        ca_slot: slot("ca_slot")?,
        tls_profile: slot("tls_profile")?,
    })
}

fn window(form: &Form) -> Result<(u16, u16), FieldErrors> {
    let end = minute(form.value("polling_window")).map(|end| if end == 0 { MINUTES_PER_DAY } else { end });
    minute(form.value("polling_window_from")).zip(end).ok_or_else(|| {
        FieldErrors::one("polling_window", "enter both ends of the polling window as hours and minutes, such as 03:00")
    })
}

/// A time of day such as `03:00` in minutes from midnight.
pub fn minute(text: &str) -> Option<u16> {
    let (hours, minutes) = text.trim().split_once(':')?;
    let (hours, minutes): (u16, u16) = (hours.parse().ok()?, minutes.get(..2)?.parse().ok()?);
    (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_day_are_read_as_browsers_send_them() {
        assert_eq!((minute("03:00"), minute("23:59"), minute("00:00:00")), (Some(180), Some(1_439), Some(0)));
        assert_eq!((minute("24:00"), minute("3"), minute(""), minute("1:x")), (None, None, None, None));
    }

    #[test]
    fn an_unticked_box_stays_unticked_when_the_form_comes_back() {
        let stored = Form::filled([("first_contact", "open"), ("binds", "on"), ("base_time", "on"), ("time_zone", "UTC")]);
        let shown = Part::Admission.among(Form::filled([("first_contact", "nonsense")]), &stored);
        assert_eq!((shown.value("first_contact"), shown.has("binds"), shown.has("base_time")), ("nonsense", false, true));
    }

    #[test]
    fn what_differs_is_told_by_label_with_boxes_in_words() {
        let stored = Form::filled([("nearby_ipv4", "24"), ("binds", "on")]);
        let typed = Form::filled([("nearby_ipv4", "16 ")]);
        let told: Vec<_> = Part::Admission.differing(&typed, &stored).into_iter().map(|d| (d.label, d.stored, d.typed)).collect();
        let expected = [("Credentials of their own", "on", "off"), ("One place, IPv4", "24", "16")];
        assert_eq!(told, expected.map(|(label, stored, typed)| (label.to_owned(), stored.to_owned(), typed.to_owned())));
    }

    #[test]
    fn the_word_of_a_part_is_read_back() {
        assert_eq!(Part::parse("base"), Some(Part::Base));
        assert_eq!((Part::parse("reveal"), Part::parse("")), (None, None));
    }
}
