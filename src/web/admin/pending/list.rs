//! The list: one row a key, the latest first.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use jiff::{SignedDuration, Timestamp};

use super::click::{self, Click, Line};
use crate::domain::admission::decide::Rules;
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::domain::pending::{Pending, REASONS, Standing};
use crate::domain::run::Reason;
use crate::services::lists::pending::LISTING;
use crate::services::{Services, lists, pending};
use crate::web::admin::columns::Columns;
use crate::web::admin::failure::Failure;
use crate::web::admin::layout::{Page, html};
use crate::web::admin::list_memory;
use crate::web::admin::paging::{ListQuery, Pager};
use crate::web::admin::session::SignedIn;
use crate::web::admin::words::{self, Tone};

/// The columns that may be hidden, by their word in the address. Who it is always stays.
const COLUMNS: [(&str, &str); 4] =
    [("reason", "Why not, and what to do"), ("address", "From"), ("at", "Last came"), ("times", "Times")];

#[derive(Template)]
#[template(path = "pending/list.html")]
struct ListPage {
    page: Page,
    list: ListQuery,
    pager: Pager,
    rows: Vec<Row>,
    columns: Columns,
    /// All of them, whatever the list shows.
    all: usize,
    reasons: &'static [(&'static str, Reason)],
    /// How long the window for new phones stays open; none while it is closed.
    window: Option<String>,
}

/// Somebody who was not let in.
struct Row {
    key: String,
    /// Name of the device that it claims to be, if there is one.
    device: Option<String>,
    standing: Standing,
    why: String,
    next: String,
    address: String,
    told: String,
    first_at: Timestamp,
    at: Timestamp,
    times: u32,
    last_seen: Option<Timestamp>,
    click: Option<Click>,
    /// What to mind before a click.
    caution: Option<String>,
    /// All addresses that ask for it, where these are several.
    lines: Vec<Line>,
    /// What its tick says is shown: `KEY@ADDRESS`, and the others.
    from: String,
    also: Vec<String>,
    let_in_by: Option<String>,
}

/// `GET /admin/pending`
pub async fn show(request: HttpRequest, who: SignedIn, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let list = match list_memory::enter(&who, &request, LISTING.sorts) {
        Ok(list) => list,
        Err(as_it_was) => return Ok(*as_it_was),
    };
    let world = services.world(DEFAULT_ACCOUNT).map_err(Failure::of(&who))?;
    let all = pending::list(&services, DEFAULT_ACCOUNT).len();
    let found = lists::pending::list(&services, DEFAULT_ACCOUNT, &list.asked(&LISTING));
    let columns = list.columns(&COLUMNS);
    if list.is_file() {
        return Ok(columns.file("pending", "Who", found.iter().map(row).map(cells)));
    }
    let pager = list.pager(found.len());
    let page = who.page("Pending");
    let rows = found[pager.range()].iter().map(row).collect();
    let until = Rules::of(&world.account).window.map(|(_, until)| until).filter(|until| page.now < *until);
    Ok(html(&ListPage {
        list,
        pager,
        rows,
        columns,
        all,
        reasons: &REASONS,
        window: until.map(|until| minutes(until.duration_since(page.now))),
        page,
    }))
}

fn cells(row: Row) -> [String; 5] {
    let Row { key, why, next, address, at, times, standing, .. } = row;
    [key, format!("{}: {why} {next}", standing.label()).trim().to_owned(), address, words::file_time(at), times.to_string()]
}

fn row(one: &Pending) -> Row {
    Row {
        key: one.key.to_string(),
        device: one.device.as_ref().map(|listed| words::title(&listed.device)),
        standing: one.standing,
        why: one.knock.why(),
        // The step is taken on this very page.
        next: one.knock.next_step().unwrap_or_default().replace(" under Pending", ""),
        address: one.knock.address.to_string(),
        told: one.knock.told.to_string(),
        first_at: one.knock.first_at,
        at: one.knock.at,
        times: one.knock.times,
        last_seen: one.last_seen(),
        click: click::of(one),
        caution: one.caution(),
        lines: click::lines(one),
        from: click::written(&one.key, one.knock.address),
        also: click::also(one),
        let_in_by: one.right.as_ref().map(|right| right.by.clone()),
    }
}

/// A time that is left, in minutes: never none while some is left.
fn minutes(left: SignedDuration) -> String {
    let minutes = usize::try_from((left.as_secs() + 59) / 60).unwrap_or_default();
    words::count(minutes, "minute", "minutes")
}

impl Tone for Standing {
    fn tone(self) -> &'static str {
        match self {
            Self::Waiting => "warn",
            Self::LetIn => "ok",
            Self::Blocked => "off",
            Self::Refused => "bad",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_started_minute_counts() {
        let told = |seconds| minutes(SignedDuration::from_secs(seconds));
        assert_eq!([told(1), told(60), told(61), told(1_800)], ["1 minute", "1 minute", "2 minutes", "30 minutes"]);
    }
}
