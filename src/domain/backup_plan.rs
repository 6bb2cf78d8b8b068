//! When the server makes backups by itself, where they go, and how many are kept.

use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

use super::account::Secret;
use super::field_error::FieldErrors;

/// Most backups that may be kept.
const MOST_KEPT: u16 = 366;
/// Least characters of a passphrase: whoever has the file can try as many as they like.
const PASSPHRASE_CHARS: usize = 16;
/// Most bytes of one.
const PASSPHRASE_BYTES: usize = 1024;

/// How often.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Every {
    /// Only when somebody asks.
    #[default]
    Never,
    /// Once a day.
    Day,
    /// Once a week, on Sunday.
    Week,
}

impl Every {
    /// All, with the word of forms and JSON.
    pub const ALL: [(Self, &'static str); 3] = [(Self::Never, "never"), (Self::Day, "day"), (Self::Week, "week")];

    /// Its word.
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(every, _)| *every == self).map_or("never", |(_, word)| word)
    }
}

/// The plan. Its JSON is the stored form, the passphrase sealed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupPlan {
    /// How often.
    pub every: Every,
    /// The hour at which, where the account is.
    pub hour: i8,
    /// How many of the plan's own are kept.
    pub keep: u16,
    /// An absolute folder; none for the one in the state directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
    /// What they are encrypted with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passphrase: Option<Secret>,
    /// When somebody last said how often, at which hour or where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set_at: Option<Timestamp>,
    /// Counts changes, so that two admins cannot overwrite one another unseen (R14).
    #[serde(default)]
    pub revision: u64,
}

impl Default for BackupPlan {
    fn default() -> Self {
        Self { every: Every::Never, hour: 2, keep: 7, folder: None, passphrase: None, set_at: None, revision: 0 }
    }
}

impl BackupPlan {
    /// Whether it is as on a new server.
    pub fn is_usual(&self) -> bool {
        *self == Self::default()
    }

    /// The last moment at which a backup was to be made; none where none is planned.
    pub fn due(&self, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let today = now.to_zoned(zone.clone()).date();
        let days = (0..=7).filter_map(|back: i32| today.checked_sub(back.days()).ok());
        let mut planned = days.filter(|day| match self.every {
            Every::Never => false,
            Every::Day => true,
            Every::Week => day.weekday() == Weekday::Sunday,
        });
        // An hour that the change to daylight-saving time leaves out is the one after it.
        planned.find_map(|day| {
            let moment = day.at(self.hour, 0, 0, 0).to_zoned(zone.clone()).ok()?.timestamp();
            (moment <= now).then_some(moment)
        })
    }

    /// Since when the backup is owed that was due at a moment: an hour from before the plan was set was missed by nobody.
    pub fn owed_since(&self, due: Timestamp, now: Timestamp) -> Timestamp {
        // A plan that was set at a time that has not come was set by a wrong clock.
        self.set_at.filter(|at| *at <= now).map_or(due, |at| at.max(due))
    }

    /// Whether another plan makes its backups at the same times into the same folder.
    pub fn is_timed_as(&self, other: &Self) -> bool {
        (self.every, self.hour, &self.folder) == (other.every, other.hour, &other.folder)
    }
}

/// What an admin types.
#[derive(Clone, Debug, Default)]
pub struct PlanInput {
    /// `never`, `day` or `week`.
    pub every: String,
    /// The hour.
    pub hour: String,
    /// How many are kept.
    pub keep: String,
    /// A folder; blank for the one in the state directory.
    pub folder: String,
    /// Whether backups are encrypted.
    pub encrypt: bool,
    /// A new passphrase; blank to leave the one that there is.
    pub passphrase: Secret,
}

impl PlanInput {
    /// The plan that takes the place of the present one.
    ///
    /// # Errors
    /// Every field that breaks a rule.
    pub fn parse(&self, present: &BackupPlan) -> Result<BackupPlan, FieldErrors> {
        let mut errors = FieldErrors::new();
        let every = Every::ALL.iter().find(|(_, word)| *word == self.every).map(|(every, _)| *every);
        let every = errors.take("every", every.ok_or("choose how often"));
        let hour = self.hour.trim().parse().ok().filter(|hour| (0..24).contains(hour));
        let hour = errors.take("hour", hour.ok_or("enter an hour from 0 to 23"));
        let keep = self.keep.trim().parse().ok().filter(|keep| (1..=MOST_KEPT).contains(keep));
        let keep = errors.take("keep", keep.ok_or_else(|| format!("enter how many to keep, from 1 to {MOST_KEPT}")));
        let folder = Some(self.folder.trim()).filter(|folder| !folder.is_empty()).map(ToOwned::to_owned);
        if folder.as_ref().is_some_and(|folder| !folder.starts_with('/') || folder.contains('\0')) {
            errors.add("folder", "enter a folder of the server's machine that begins with /, or leave this blank");
        }
        let passphrase = errors.take("passphrase", self.passphrase(present)).flatten();
        let plan = every.zip(hour).zip(keep).map(|((every, hour), keep)| BackupPlan {
            every,
            hour,
            keep,
            folder,
            passphrase,
            set_at: present.set_at,
            revision: present.revision,
        });
        errors.into_result(plan)
    }

    fn passphrase(&self, present: &BackupPlan) -> Result<Option<Secret>, String> {
        let typed = self.passphrase.expose();
        match (self.encrypt, typed.is_empty()) {
            (false, _) => Ok(None),
            (true, true) => present.passphrase.clone().map(Some).ok_or_else(|| "enter a passphrase".to_owned()),
            (true, false) if typed.chars().count() < PASSPHRASE_CHARS => {
                Err(format!("enter at least {PASSPHRASE_CHARS} characters: whoever finds a backup can try as often as they like"))
            }
            (true, false) if typed.len() > PASSPHRASE_BYTES => Err(format!("enter at most {PASSPHRASE_BYTES} bytes")),
            (true, false) => Ok(Some(self.passphrase.clone())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn due(every: Every, now: &str) -> Option<String> {
        let zone = TimeZone::get("Europe/Berlin").expect("a zone of the database");
        let plan = BackupPlan { every, ..BackupPlan::default() };
        plan.due(now.parse().expect("a time"), &zone).map(|at| at.to_string())
    }

    #[test]
    fn a_plan_is_due_at_its_hour_where_the_account_is() {
        assert_eq!(due(Every::Never, "2026-11-22T12:00:00Z"), None);
        assert_eq!(due(Every::Day, "2026-11-22T00:59:59Z").as_deref(), Some("2026-11-21T01:00:00Z"));
        assert_eq!(due(Every::Day, "2026-11-22T01:00:00Z").as_deref(), Some("2026-11-22T01:00:00Z"));
        assert_eq!(due(Every::Week, "2026-11-22T00:59:59Z").as_deref(), Some("2026-11-15T01:00:00Z"));
        assert_eq!(due(Every::Week, "2026-11-25T12:00:00Z").as_deref(), Some("2026-11-22T01:00:00Z"));
        // Two o'clock is left out on this day, and comes twice on the other.
        assert_eq!(due(Every::Day, "2026-03-29T12:00:00Z").as_deref(), Some("2026-03-29T01:00:00Z"));
        assert_eq!(due(Every::Day, "2026-10-25T12:00:00Z").as_deref(), Some("2026-10-25T00:00:00Z"));
    }

    #[test]
    fn a_backup_is_owed_from_its_hour_or_from_when_the_plan_was_set() {
        let at = |hour: u8| -> Timestamp { format!("2026-11-22T{hour:02}:00:00Z").parse().expect("a time") };
        let since = |set_at: Option<u8>| BackupPlan { set_at: set_at.map(at), ..BackupPlan::default() }.owed_since(at(2), at(12));
        assert_eq!(since(None), at(2), "one that was set before this was noted");
        assert_eq!((since(Some(1)), since(Some(12))), (at(2), at(12)));
        assert_eq!(since(Some(13)), at(2), "set by a clock that was ahead");
    }

    #[test]
    fn every_wrong_field_is_told_and_a_passphrase_stays_until_another_is_typed() {
        let input = PlanInput { folder: "backups".to_owned(), encrypt: true, ..PlanInput::default() };
        let errors = input.parse(&BackupPlan::default()).expect_err("all wrong");
        let fields: Vec<_> = errors.iter().map(|error| error.field).collect();
        assert_eq!(fields, ["every", "hour", "keep", "folder", "passphrase"]);
        let had = BackupPlan { passphrase: Some(Secret::new("an older passphrase")), ..BackupPlan::default() };
        let right = PlanInput {
            every: "day".to_owned(),
            hour: "23".to_owned(),
            keep: "3".to_owned(),
            encrypt: true,
            ..PlanInput::default()
        };
        assert_eq!(right.parse(&had).expect("right").passphrase, had.passphrase);
        let short = PlanInput { passphrase: Secret::new("short"), ..right.clone() };
        assert!(short.parse(&had).is_err());
        assert_eq!(PlanInput { encrypt: false, ..right }.parse(&had).expect("right").passphrase, None);
    }
}
