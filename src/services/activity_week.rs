//! The activity log as files: one for each ISO week, Monday to Sunday where the account is (R349, R350).
//!
//! Any day of a week gives the same bytes, and a week that is over gives them again. Each time stands with its offset from UTC, so
//! that the hour which a change to daylight-saving time repeats is told apart.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, ToSpan};
use serde::Serialize;

use super::Services;
use super::activity::{self, ActivityQuery};
use super::error::ServiceError;
use crate::domain::activity::{Activity, Change};
use crate::domain::ids::AccountId;
use crate::domain::limits::ACTIVITY_WEEKS;

/// The form of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A table: a line for each changed field, or one where an entry has none.
    Csv,
    /// An array of entries.
    Json,
}

impl Form {
    /// The form that a word names.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "csv" => Some(Self::Csv),
            "json" => Some(Self::Json),
            _ => None,
        }
    }

    /// Its media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Json => "application/json",
        }
    }
}

/// A file of one week.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WeekFile {
    /// What it is saved as: `pdms-activity-2026-W47.csv`.
    pub name: String,
    /// Its bytes.
    pub content: Vec<u8>,
}

/// One entry in a file.
#[derive(Debug, Serialize)]
struct Entry<'a> {
    /// With the offset from UTC that the account's zone had then.
    at: String,
    actor: &'a str,
    object: &'a str,
    subject: &'a str,
    action: &'a str,
    changes: &'a [Change],
}

/// The file of the week that a day is in, of the current week where none is named; oldest entry first.
///
/// # Errors
/// A week that has not begun, or of which nothing is kept any more; the log could not be read.
pub fn file(services: &Services, account: AccountId, day: Option<Date>, form: Form) -> Result<WeekFile, ServiceError> {
    let zone = zone_of(services, account)?;
    let day = day.unwrap_or_else(|| services.clock.now().to_zoned(zone.clone()).date());
    let (since, until) = week_of(day, &zone).ok_or_else(|| ServiceError::not_found("week", day))?;
    let query =
        ActivityQuery { since: Some(since), until: Some(until), oldest_first: true, limit: usize::MAX, ..Default::default() };
    let (entries, now) = (activity::list(services, account, &query)?.items, services.clock.now());
    if since > now {
        return Err(ServiceError::Absent(format!("the week of {day} has not begun yet: there is no activity log of it")));
    }
    // In the weeks that are kept nobody need have done anything.
    let is_over = until <= kept_since(now, &zone, ACTIVITY_WEEKS);
    if is_over && entries.is_empty() {
        return Err(ServiceError::Absent(format!(
            "the activity log has nothing of the week of {day}: the present week and {ACTIVITY_WEEKS} before it are \
             kept, or more where the server's settings say so"
        )));
    }
    let week = day.iso_week_date();
    let ending = match form {
        Form::Csv => "csv",
        Form::Json => "json",
    };
    let name = format!("pdms-activity-{}-W{:02}.{ending}", week.year(), week.week());
    let content = match form {
        Form::Csv => as_csv(&entries, &zone),
        Form::Json => as_json(&entries, &zone),
    };
    Ok(WeekFile { name, content })
}

/// The zone in which an account's weeks begin.
pub(super) fn zone_of(services: &Services, account: AccountId) -> Result<TimeZone, ServiceError> {
    let name = &services.world(account)?.account.time_zone;
    Ok(TimeZone::get(name).unwrap_or(TimeZone::UTC))
}

/// The beginning of a day's ISO week and of the one after it.
fn week_of(day: Date, zone: &TimeZone) -> Option<(Timestamp, Timestamp)> {
    let monday = day.checked_sub(i32::from(day.weekday().to_monday_zero_offset()).days()).ok()?;
    let start = |day: Date| day.to_zoned(zone.clone()).ok().map(|start| start.timestamp());
    start(monday).zip(start(monday.checked_add(7.days()).ok()?))
}

/// The beginning of the oldest week that is kept: so many whole ones before the present one.
pub(super) fn kept_since(now: Timestamp, zone: &TimeZone, weeks: u32) -> Timestamp {
    let today = now.to_zoned(zone.clone()).date();
    let oldest = Span::new().try_weeks(weeks).and_then(|weeks| today.checked_sub(weeks));
    oldest.ok().and_then(|day| week_of(day, zone)).map_or(Timestamp::MIN, |(since, _)| since)
}

fn entry<'a>(entry: &'a Activity, zone: &TimeZone) -> Entry<'a> {
    let Activity { at, actor, event } = entry;
    let at = at.to_zoned(zone.clone()).strftime("%Y-%m-%dT%H:%M:%S%.6f%:z").to_string();
    Entry { at, actor, object: &event.object, subject: &event.subject, action: &event.action, changes: &event.changes }
}

fn as_json(entries: &[Activity], zone: &TimeZone) -> Vec<u8> {
    let entries: Vec<_> = entries.iter().map(|one| entry(one, zone)).collect();
    serde_json::to_vec_pretty(&entries).expect("texts always have a form in JSON")
}

fn as_csv(entries: &[Activity], zone: &TimeZone) -> Vec<u8> {
    let mut lines = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    let mut line = |fields: [&str; 8]| {
        lines.write_record(fields.map(super::list_file::defused)).expect("memory takes every line of this length")
    };
    line(["at", "actor", "object", "subject", "action", "field", "old", "new"]);
    for one in entries {
        let Entry { at, actor, object, subject, action, changes } = entry(one, zone);
        let mut told = |field: &str, old: &Option<String>, new: &Option<String>| {
            let shown = |value: &Option<String>| value.clone().unwrap_or_default();
            line([&at, actor, object, subject, action, field, &shown(old), &shown(new)]);
        };
        changes.iter().for_each(|change| told(&change.field, &change.old, &change.new));
        if changes.is_empty() {
            told("", &None, &None);
        }
    }
    lines.into_inner().expect("memory is always written")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::access::Grant;
    use crate::domain::activity::Event;
    use crate::domain::ids::DEFAULT_ACCOUNT;
    use crate::services::clock::Clock;
    use crate::services::commit::commit;
    use crate::services::retention::{self, Keep};
    use crate::services::testing::{Bench, bench};

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    fn day(text: &str) -> Option<Date> {
        Some(text.parse().expect("a day"))
    }

    fn record(bench: &Bench, time: &str, event: Event) {
        bench.clock.advance_to(at(time));
        commit(&bench.services, Grant::system("test"), DEFAULT_ACCOUNT, |change| change.record(event)).expect("recorded");
    }

    fn added(subject: &str) -> Event {
        Event::new("device", subject, "added")
    }

    fn text(bench: &Bench, of: &str, form: Form) -> String {
        let file = file(&bench.services, DEFAULT_ACCOUNT, day(of), form).expect("a file");
        String::from_utf8(file.content).expect("a text")
    }

    /// A server in Berlin whose log runs over five weeks, with the night on which the hour from two to three comes twice.
    fn five_weeks() -> Bench {
        let bench = bench_from("2026-10-01T00:00:00Z");
        record(&bench, "2026-10-18T21:59:59Z", added("sunday before"));
        record(&bench, "2026-10-18T22:00:00Z", added("monday begins"));
        record(&bench, "2026-10-25T00:30:00Z", added("first half past two"));
        record(&bench, "2026-10-25T01:30:00Z", added("second half past two"));
        record(&bench, "2026-10-25T22:59:59Z", added("sunday ends"));
        record(&bench, "2026-10-25T23:00:00Z", added("monday after"));
        record(&bench, "2026-11-20T08:00:00Z", added("friday"));
        bench
    }

    /// A bench whose clock begins earlier than usual.
    fn bench_from(start: &str) -> Bench {
        let Bench { services, faults, dir, .. } = bench();
        drop(services);
        let clock = Clock::manual(at(start));
        Bench { services: crate::services::testing::open(&dir, &clock, &faults), clock, faults, dir }
    }

    #[test]
    fn any_day_of_a_week_gives_the_same_bytes_and_no_other_weeks_entries() {
        let bench = five_weeks();
        for form in [Form::Csv, Form::Json] {
            let monday = text(&bench, "2026-10-19", form);
            for other in ["2026-10-20", "2026-10-23", "2026-10-25"] {
                assert_eq!(text(&bench, other, form), monday, "{other}");
            }
            assert!(!monday.contains("sunday before") && !monday.contains("monday after") && !monday.contains("friday"));
            let places: Vec<_> = ["monday begins", "first half", "second half", "sunday ends"]
                .iter()
                .map(|word| monday.find(word).expect("it is in it"))
                .collect();
            assert!(places.is_sorted(), "oldest first");
            assert_eq!(text(&bench, "2026-10-19", form), monday, "a week that is over stays as it is");
        }
        let name = |of: &str| file(&bench.services, DEFAULT_ACCOUNT, day(of), Form::Csv).expect("a file").name;
        assert_eq!(name("2026-10-25"), "pdms-activity-2026-W43.csv");
        let this_week = file(&bench.services, DEFAULT_ACCOUNT, None, Form::Json).expect("a file");
        assert_eq!(this_week.name, "pdms-activity-2026-W47.json");
        assert!(String::from_utf8_lossy(&this_week.content).contains("friday"), "up to now");
    }

    #[test]
    fn times_have_the_offset_that_they_had() {
        let bench = five_weeks();
        let week = text(&bench, "2026-10-25", Form::Csv);
        assert!(week.contains("2026-10-25T02:30:00.000000+02:00,pdms (test),device,first half past two,added,,,\r\n"), "{week}");
        assert!(week.contains("2026-10-25T02:30:00.000000+01:00,pdms (test),device,second half past two"), "{week}");
        let json = text(&bench, "2026-10-25", Form::Json);
        assert!(json.contains("\"2026-10-25T02:30:00.000000+01:00\""), "{json}");
    }

    #[test]
    fn there_is_no_file_of_a_week_to_come_or_of_one_that_is_not_kept() {
        let bench = five_weeks();
        bench.clock.advance_to(at("2026-12-31T22:59:59Z"));
        let why = |of: &str| match file(&bench.services, DEFAULT_ACCOUNT, day(of), Form::Csv) {
            Err(ServiceError::Absent(why)) => why,
            other => panic!("{of}: {other:?}"),
        };
        assert!(why("2027-01-04").contains("has not begun yet"), "{}", why("2027-01-04"));
        for old in ["2026-10-11", "1926-11-22", "0001-01-03", "2026-11-27"] {
            assert!(why(old).contains("nothing of the week of"), "{old}: {}", why(old));
        }
        // A week in which nobody did anything is one; the day after tomorrow may be of this week.
        for of in ["2026-12-09", "2027-01-03", "2026-10-25"] {
            file(&bench.services, DEFAULT_ACCOUNT, day(of), Form::Csv).unwrap_or_else(|error| panic!("{of}: {error}"));
        }
        let new_year = file(&bench.services, DEFAULT_ACCOUNT, day("2027-01-01"), Form::Csv).expect("a file");
        assert_eq!(new_year.name, "pdms-activity-2026-W53.csv");
    }

    #[test]
    fn four_weeks_are_kept_whole() {
        let bench = five_weeks();
        bench.clock.advance_to(at("2026-11-22T22:59:59Z"));
        retention::run(&bench.services, Keep::default()).expect("run");
        for kept in ["2026-10-26", "2026-11-16"] {
            assert!(text(&bench, kept, Form::Csv).lines().count() > 1, "{kept}: this week and the four before it");
        }
    }

    #[test]
    fn every_changed_field_has_a_line_and_none_is_a_formula() {
        let bench = bench();
        let event = Event::new("profile", "=HYPERLINK(\"http://x\")", "changed")
            .change("@name", Some("-1".to_owned()), Some("+2".to_owned()))
            .change("text", None, Some("a \"quoted\", word\nand a line".to_owned()));
        record(&bench, "2026-11-22T13:00:00Z", event);
        let week = text(&bench, "2026-11-22", Form::Csv);
        let mut lines = csv::Reader::from_reader(week.as_bytes());
        let rows: Vec<Vec<String>> =
            lines.records().map(|row| row.expect("a row").iter().map(ToOwned::to_owned).collect()).collect();
        assert_eq!(rows.len(), 2);
        assert_eq!(rows[0][3..], ["'=HYPERLINK(\"http://x\")", "changed", "'@name", "'-1", "'+2"]);
        assert_eq!(rows[1][5..], ["text", "", "a \"quoted\", word\nand a line"]);
    }
}
