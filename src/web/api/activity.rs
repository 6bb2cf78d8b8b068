//! The activity log.

use actix_web::{HttpResponse, get, web};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::caller::Caller;
use super::device_files::download;
use super::list::{List, Paging};
use super::paths::AccountPath;
use super::problem::Problem;
use super::sent::Asked;
use crate::domain::activity::{Activity, KINDS};
use crate::domain::field_error::FieldErrors;
use crate::services::Services;
use crate::services::activity::{self, ActivityQuery, list};
use crate::services::activity_week::{self, Form};
use crate::web::blocking;

/// Which entries.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// Words that must all occur in an entry.
    q: Option<String>,
    /// Kind of object: `account`, `backup`, `certificate`, `deployment`, `device`, `manufacturer CA`, `profile`, `provisioning address`,
    /// `server`, `token` or `user`.
    object: Option<String>,
    /// Part of the name of whoever did it.
    actor: Option<String>,
    /// Part of the name of the object, such as a device's name or key.
    subject: Option<String>,
    /// Only entries at or after this time, or from this day on, as the account's time zone has days.
    #[param(example = "2026-03-01T08:00:00Z")]
    since: Option<String>,
    /// Only entries before this time, or up to the end of this day.
    #[param(example = "2026-03-31")]
    until: Option<String>,
    /// `-at`, the newest first, or `at`.
    sort: Option<String>,
    /// Page, counted from 1.
    page: Option<usize>,
    /// Entries on a page, at most 1000.
    per_page: Option<usize>,
}

/// One entry.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ActivityShape {
    /// When.
    pub at: Timestamp,
    /// Who: a user's name, `command line`, or `pdms` with a reason.
    pub actor: String,
    /// Kind of the object.
    pub object: String,
    /// Which object, by its name.
    pub subject: String,
    /// What was done.
    pub action: String,
    /// Fields that changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<ChangeShape>,
}

/// One field's old and new value; secrets are masked.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ChangeShape {
    /// Field or parameter.
    pub field: String,
    /// Before; absent where there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old: Option<String>,
    /// After; absent where there is none any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new: Option<String>,
}

impl From<Activity> for ActivityShape {
    fn from(Activity { at, actor, event }: Activity) -> Self {
        let changes = event.changes.into_iter().map(|c| ChangeShape { field: c.field, old: c.old, new: c.new }).collect();
        Self { at, actor, object: event.object, subject: event.subject, action: event.action, changes }
    }
}

/// Lists what was done, newest first.
#[utoipa::path(tag = "activity", params(AccountPath, Wanted), responses((status = 200, body = List<ActivityShape>)))]
#[get("/accounts/{account}/activity")]
pub async fn list_activity(
    caller: Caller,
    services: web::Data<Services>,
    _: web::Path<AccountPath>,
    wanted: Asked<Wanted>,
) -> Result<web::Json<List<ActivityShape>>, Problem> {
    let Wanted { q, object, actor, subject, since, until, sort, page, per_page } = wanted.into_inner();
    let oldest_first = match sort.as_deref() {
        None | Some("-at") => false,
        Some("at") => true,
        Some(_) => return Err(Problem::field("sort", "use one of: at, -at")),
    };
    if object.as_deref().is_some_and(|object| !KINDS.contains(&object)) {
        return Err(Problem::field("object", format_args!("use one of: {}", KINDS.join(", "))));
    }
    let Paging { offset, limit } = Paging::new(page, per_page)?;
    let zone = TimeZone::get(&services.world(caller.account)?.account.time_zone).unwrap_or(TimeZone::UTC);
    let mut errors = FieldErrors::new();
    let since = since.and_then(|text| errors.take("since", moment(&text, 0, &zone)));
    let until = until.and_then(|text| errors.take("until", moment(&text, 1, &zone)));
    let (since, until) = errors.into_result(Some((since, until)))?;
    let query = ActivityQuery { q: q.unwrap_or_default(), object, actor, subject, since, until, oldest_first, offset, limit };
    let found = blocking::call(&services, move |services| list(services, caller.account, &query)).await?;
    Ok(web::Json(List { items: found.items.into_iter().map(ActivityShape::from).collect(), total: found.total, mark: None }))
}

/// A time, or the start of a day or of one some days later.
fn moment(text: &str, days_later: i32, zone: &TimeZone) -> Result<Timestamp, &'static str> {
    let of_day = || activity::start_of(text, days_later, zone);
    text.parse().ok().or_else(of_day).ok_or("use a time such as 2026-03-01T08:00:00Z or a day such as 2026-03-01")
}

/// A week of an account.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct WeekPath {
    /// Label of the account.
    #[param(example = "default")]
    #[expect(dead_code, reason = "the caller extractor reads it; here it is for the description")]
    account: String,
    /// Any day of the week: all seven give the same file.
    #[param(example = "2026-11-22")]
    day: String,
}

/// The form of a file.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct WantedForm {
    /// `json`, or `csv`.
    format: Option<String>,
}

/// Answers the entries of one week, Monday to Sunday where the account is, as a file; oldest first. 404 for a week that has not begun or of which nothing is
/// kept any more.
#[utoipa::path(tag = "activity", params(WeekPath, WantedForm), responses((status = 200, content((Vec<ActivityShape> = "application/json"), (String = "text/csv")))))]
#[get("/accounts/{account}/activity/weeks/{day}")]
pub async fn read_activity_week(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<WeekPath>,
    wanted: Asked<WantedForm>,
) -> Result<HttpResponse, Problem> {
    let day: Date = path.day.parse().map_err(|_| Problem::not_found("week", &path.day))?;
    let word = wanted.into_inner().format;
    let form = Form::parse(word.as_deref().unwrap_or("json")).ok_or_else(|| Problem::field("format", "use one of: json, csv"))?;
    let make = move |services: &Services| activity_week::file(services, caller.account, Some(day), form);
    let file = blocking::call(&services, make).await?;
    Ok(download(&file.name, form.media_type(), file.content))
}
