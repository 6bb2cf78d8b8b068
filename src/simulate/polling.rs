//! When a phone polls, by its own clock and offset (rule 20; protocol/provisioning.md 5).

use jiff::civil::{Date, DateTime, Weekday};
use jiff::{Timestamp, ToSpan};

use crate::domain::mac::Mac;

const NAME: &str = "tcpIpApp.sntp.";
const HOUR: i64 = 3600;
const DAY: i64 = 86_400;

/// What the phone's clock and polling go by.
pub struct Clock<'a> {
    /// Looks up an effective parameter.
    pub parameter: &'a dyn Fn(&str) -> Option<String>,
    /// DHCP option 2, in seconds.
    pub dhcp_offset: Option<i32>,
}

impl Clock<'_> {
    fn number(&self, name: &str, usual: i64) -> i64 {
        (self.parameter)(&format!("{NAME}{name}")).and_then(|text| text.parse().ok()).unwrap_or(usual)
    }

    /// The offset without daylight saving, in seconds: DHCP's unless the parameters override it.
    fn standard_offset(&self) -> i64 {
        let own = self.number("gmtOffset", 0);
        let overrides = self.number("gmtOffset.overrideDHCP", 0) == 1;
        self.dhcp_offset.filter(|_| !overrides).map_or(own, i64::from)
    }

    /// The offset at an instant, in seconds.
    pub fn offset(&self, at: Timestamp) -> i64 {
        let standard = self.standard_offset();
        if self.number("daylightSavings.enable", 1) != 1 {
            return standard;
        }
        let Some(local) = civil(at.as_second() + standard) else { return standard };
        let (Some(start), Some(stop)) =
            (self.change("start", (3, 8, 2), local.year()), self.change("stop", (11, 1, 2), local.year()))
        else {
            return standard;
        };
        // The end of summer time is meant in summer time.
        let stop = stop.saturating_sub(1.hour());
        let summer = if start <= stop { start <= local && local < stop } else { start <= local || local < stop };
        if summer { standard + HOUR } else { standard }
    }

    /// The day and hour of a change in a year. A day of the week counts from the given date on; fixed days are meant as they stand.
    fn change(&self, which: &str, (month, date, hour): (i64, i64, i64), year: i16) -> Option<DateTime> {
        let get = |name: &str, usual| i8::try_from(self.number(&format!("daylightSavings.{which}.{name}"), usual)).ok();
        let (month, date, hour) = (get("month", month)?, get("date", date)?, get("time", hour)?);
        let first = Date::new(year, month, 1).ok()?;
        let day = if self.number("daylightSavings.fixedDayEnable", 0) == 1 {
            Date::new(year, month, date).ok()?
        } else {
            let weekday = Weekday::from_sunday_one_offset(get("dayOfWeek", 1)?).ok()?;
            if get("dayOfWeek.lastInMonth", 0)? == 1 {
                first.nth_weekday_of_month(-1, weekday).ok()?
            } else {
                let from = Date::new(year, month, date).ok()?;
                from.checked_sub(1.day()).ok()?.nth_weekday(1, weekday).ok()?
            }
        };
        Some(day.at(hour, 0, 0, 0))
    }

    /// The instant of a local time; of two that are the same, the first.
    fn instant(&self, local: DateTime) -> Option<Timestamp> {
        let seconds = local.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_second();
        let standard = self.standard_offset();
        let summer = Timestamp::from_second(seconds - standard - HOUR).ok()?;
        if self.offset(summer) == standard + HOUR { Some(summer) } else { Timestamp::from_second(seconds - standard).ok() }
    }
}

fn civil(seconds: i64) -> Option<DateTime> {
    Some(Timestamp::from_second(seconds).ok()?.to_zoned(jiff::tz::TimeZone::UTC).datetime())
}

/// The first poll after `now` of a phone that started at `started`; none while polling is off.
pub fn next_poll(clock: &Clock<'_>, mac: Mac, started: Timestamp, now: Timestamp) -> Option<Timestamp> {
    let get = |name: &str| (clock.parameter)(&format!("prov.polling.{name}"));
    if get("enabled").as_deref() != Some("1") {
        return None;
    }
    let period = get("period").and_then(|text| text.parse::<i64>().ok()).unwrap_or(DAY).max(HOUR);
    let time = minute_of_day(get("time").as_deref().unwrap_or("03:00"))?;
    let mac_number = mac.bytes().iter().fold(0i64, |sum, byte| (sum * 251 + i64::from(*byte)) % 1_000_003);
    match get("mode").as_deref().unwrap_or("abs") {
        "rel" => {
            let rounds = (now.as_second() - started.as_second()) / period + 1;
            Timestamp::from_second(started.as_second() + rounds * period).ok()
        }
        "random" => {
            let end = get("timeRandomEnd").as_deref().and_then(minute_of_day).unwrap_or(time);
            let window = (end - time).rem_euclid(24 * 60).max(1);
            daily(clock, time + mac_number % window, period, mac_number, now)
        }
        _ => daily(clock, time, period, 0, now),
    }
}

/// The next time of day, on every `period` rounded up to days; `shift` chooses the day of a longer period.
fn daily(clock: &Clock<'_>, minute: i64, period: i64, shift: i64, now: Timestamp) -> Option<Timestamp> {
    let days = (period + DAY - 1) / DAY;
    let today = civil(now.as_second() + clock.offset(now))?.date();
    (0..=days).find_map(|ahead| {
        let day = today.checked_add(ahead.days()).ok()?;
        let number = day.since(Date::constant(2000, 1, 1)).ok()?.get_days();
        let at = day.at(i8::try_from(minute / 60 % 24).ok()?, i8::try_from(minute % 60).ok()?, 0, 0);
        let instant = clock.instant(at)?;
        (i64::from(number) % days == shift % days && instant > now).then_some(instant)
    })
}

fn minute_of_day(text: &str) -> Option<i64> {
    let (hour, minute) = text.split_once(':')?;
    let (hour, minute) = (hour.parse::<i64>().ok()?, minute.parse::<i64>().ok()?);
    ((0..24).contains(&hour) && (0..60).contains(&minute)).then_some(hour * 60 + minute)
}
