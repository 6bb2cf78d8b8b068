//! The built-in base: what pdms brings by itself, below every profile (contract 5.3). Each group has its switch.

use super::super::account::BaseSettings;
use super::super::clock::{self, Change, Week};
use super::super::credential::{ADMIN_PASSWORD, GUIDE_ADMIN_PASSWORD};
use super::super::ids::SiteId;
use super::super::world::World;
use super::polling::{GMT_OFFSET, POLLING_TIME};
use super::view::Part;
use super::{Given, Text, Warning};

/// The parameters of the groups that are on.
pub fn parameters<'a>(on: BaseSettings, time_zone: &'a str, time_server: &'a str, warnings: &mut Vec<Warning>) -> Vec<Given<'a>> {
    let mut given = Vec::with_capacity(32);
    if on.rest_api {
        given.push(Given::fixed("apps.restapi.enabled", "1"));
    }
    if on.serial_tag {
        given.push(Given::fixed("device.prov.tagSerialNo", "1"));
    }
    if on.polling {
        given.push(Given::fixed("prov.polling.enabled", "1"));
        given.push(Given::fixed("prov.polling.mode", "abs"));
        given.push(Given::fixed("prov.polling.period", "86400"));
        given.push(Given { name: POLLING_TIME.into(), value: Text::PollingTime });
    }
    if on.guide_admin_password {
        given.push(Given::fixed(ADMIN_PASSWORD, GUIDE_ADMIN_PASSWORD));
    } else if on.admin_password {
        given.push(Given { name: ADMIN_PASSWORD.into(), value: Text::AdminPassword });
    }
    if on.log_upload {
        given.push(Given::fixed("log.render.file.upload.append", "0"));
    }
    if on.time {
        time(time_zone, time_server, &mut given, warnings);
    }
    given
}

/// The part that brings a parameter to the devices of a site. The zone and the window of the site count where it has its own.
pub fn part(name: &str, site: SiteId, world: &World) -> Part {
    let own = |has: fn(&super::super::site::Site) -> bool| world.sites.get(&site).filter(|one| has(one)).map(|one| one.id);
    match name {
        "apps.restapi.enabled" => Part::RestApi,
        "device.prov.tagSerialNo" => Part::SerialTag,
        ADMIN_PASSWORD => Part::AdminPassword,
        "log.render.file.upload.append" => Part::LogUpload,
        POLLING_TIME => Part::Polling(own(|site| site.polling_window.is_some() || site.time_zone.is_some())),
        name if name.starts_with("prov.polling.") => Part::Polling(None),
        name if name.ends_with("sntp.address") || name.ends_with("sntp.serverName") => Part::Time(None),
        _ => Part::Time(own(|site| site.time_zone.is_some())),
    }
}

/// What the base would bring with these groups on: names and values, to be shown before they are used.
pub fn listed(on: BaseSettings, time_zone: &str, time_server: &str) -> Vec<(String, String)> {
    let shown = |value| match value {
        Text::Fixed(text) | Text::Profile(text) => text.into_owned(),
        Text::PollingTime => "a minute of its own for each device, within the window".to_owned(),
        Text::DeviceName => "the device's name".to_owned(),
        Text::AdminPassword => "ten digits of its own for each device".to_owned(),
        Text::OwnUser | Text::OwnPassword => "credentials of its own for each device".to_owned(),
    };
    let given = parameters(on, time_zone, time_server, &mut Vec::new());
    given.into_iter().map(|setting| (setting.name.into_owned(), shown(setting.value))).collect()
}

/// Time server, offset and daylight-saving rule of the account's zone.
///
/// The offset overrides the one that DHCP may give: the polling minute is worked out in it. The server does not: a network
/// that names its own knows better.
fn time<'a>(time_zone: &str, time_server: &'a str, given: &mut Vec<Given<'a>>, warnings: &mut Vec<Warning>) {
    if !time_server.is_empty() {
        given.push(Given::fixed("tcpIpApp.sntp.address", time_server));
        given.push(Given::fixed("device.sntp.serverName", time_server));
    }
    let zone = match clock::of_zone(time_zone) {
        Ok(zone) => zone,
        Err(unknown) => return warnings.push(Warning::Zone(unknown)),
    };
    warnings.extend(zone.warning.map(|warning| Warning::Clock { zone: time_zone.to_owned(), warning }));
    given.push(Given::fixed(GMT_OFFSET, zone.offset_seconds.to_string()));
    given.push(Given::fixed("tcpIpApp.sntp.gmtOffset.overrideDHCP", "1"));
    given.push(Given::fixed("tcpIpApp.sntp.daylightSavings.enable", if zone.daylight.is_some() { "1" } else { "0" }));
    if let Some(daylight) = zone.daylight {
        given.push(Given::fixed("tcpIpApp.sntp.daylightSavings.fixedDayEnable", "0"));
        change(&START, daylight.start, given);
        change(&STOP, daylight.stop, given);
    }
}

/// Month, date, weekday, last week and hour of a change.
const START: [&str; 5] = [
    "tcpIpApp.sntp.daylightSavings.start.month",
    "tcpIpApp.sntp.daylightSavings.start.date",
    "tcpIpApp.sntp.daylightSavings.start.dayOfWeek",
    "tcpIpApp.sntp.daylightSavings.start.dayOfWeek.lastInMonth",
    "tcpIpApp.sntp.daylightSavings.start.time",
];
const STOP: [&str; 5] = [
    "tcpIpApp.sntp.daylightSavings.stop.month",
    "tcpIpApp.sntp.daylightSavings.stop.date",
    "tcpIpApp.sntp.daylightSavings.stop.dayOfWeek",
    "tcpIpApp.sntp.daylightSavings.stop.dayOfWeek.lastInMonth",
    "tcpIpApp.sntp.daylightSavings.stop.time",
];

fn change(names: &[&'static str; 5], change: Change, given: &mut Vec<Given<'_>>) {
    let last = u8::from(change.week == Week::Last);
    let values = [change.month, change.week.date(), change.day_of_week, last, change.hour];
    given.extend(names.iter().zip(values).map(|(name, value)| Given::fixed(name, value.to_string())));
}
