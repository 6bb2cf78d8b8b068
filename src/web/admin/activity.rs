//! The activity log: searched, filtered and paged, and as a file of one week (R68, R349, R350).

use actix_web::http::header::CONTENT_DISPOSITION;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::activity_links::Links;
use super::columns::Columns;
use super::failure::Failure;
use super::layout::{Page, html};
use super::paging::{ListQuery, Pager};
use super::session::SignedIn;
use super::{list_memory, words};
use crate::domain::activity::{Activity, Change, KINDS};
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::services::Services;
use crate::services::activity::{self, ActivityQuery};
use crate::services::activity_week::{self, Form};
use crate::web::blocking;
use crate::web::methods::Routes;

/// The order of the log: the newest entry first.
const SORTABLE: &[&str] = &["-at"];

/// The columns that may be hidden, by their word in the address. The time always stays.
const COLUMNS: [(&str, &str); 3] = [("actor", "Who"), ("what", "What"), ("changes", "Old and new")];

/// Entries in a file of what the list shows; a week's file has all of its entries.
const FILE_ENTRIES: usize = 50_000;

/// Changes that a page shows, spread over its entries, and characters of each value: the files have all of them.
const CHANGES_SHOWN: usize = 1_000;
const VALUE_CHARS: usize = 120;

#[derive(Template)]
#[template(path = "activity/list.html")]
struct ActivityListPage {
    page: Page,
    list: ListQuery,
    pager: Pager,
    columns: Columns,
    objects: &'static [&'static str],
    /// Each with the page of its object, and how many of its changes are not shown.
    entries: Vec<(Activity, Option<String>, usize)>,
    /// Today, where the account is: the week that is offered as a file.
    today: Date,
}

/// The addresses of the log.
pub fn configure(routes: &mut Routes) {
    routes.get("/admin/activity", show).get("/admin/activity/download", download);
}

async fn show(who: SignedIn, request: HttpRequest, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let list = match list_memory::enter(&who, &request, SORTABLE) {
        Ok(list) => list,
        Err(as_it_was) => return Ok(*as_it_was),
    };
    let columns = list.columns(&COLUMNS);
    if list.is_file() {
        let world = services.world(DEFAULT_ACCOUNT).map_err(Failure::of(&who))?;
        let zone = TimeZone::get(&world.account.time_zone).unwrap_or(TimeZone::UTC);
        let found = read(&who, &services, ActivityQuery { limit: FILE_ENTRIES, ..query(&list, &zone, 0) }).await?;
        return Ok(columns.file("activity", "When", found.items.iter().map(cells)));
    }
    let page = who.page("Activity Log");
    let offset = (list.page() - 1) * list.per_page();
    let mut query = query(&list, &page.zone, offset);
    let mut found = read(&who, &services, query.clone()).await?;
    let pager = list.pager(found.total);
    if pager.range().start != offset {
        query.offset = pager.range().start;
        found = read(&who, &services, query).await?;
    }
    let world = services.world(DEFAULT_ACCOUNT).map_err(Failure::of(&who))?;
    let links = Links::new(&services, &world);
    let most = (CHANGES_SHOWN / found.items.len().max(1)).max(1);
    let linked = |mut entry: Activity| {
        let href = links.of(&entry.event);
        let hidden = entry.event.changes.len().saturating_sub(most);
        entry.event.changes.truncate(most);
        for value in entry.event.changes.iter_mut().flat_map(|change| [&mut change.old, &mut change.new]).flatten() {
            *value = words::shortened(value, VALUE_CHARS);
        }
        (entry, href, hidden)
    };
    let entries = found.items.into_iter().map(linked).collect();
    let today = page.now.to_zoned(page.zone.clone()).date();
    Ok(html(&ActivityListPage { page, list, pager, columns, objects: KINDS, entries, today }))
}

fn cells(entry: &Activity) -> [String; 4] {
    let event = &entry.event;
    let change = |change: &Change| {
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        format!("{}: {} -> {}", change.field, text(&change.old), text(&change.new))
    };
    let changes: Vec<String> = event.changes.iter().map(change).collect();
    let what = format!("{} {} {}", event.action, event.object, event.subject);
    [words::file_time(entry.at), entry.actor.clone(), what, changes.join("; ")]
}

/// A week's entries as a file. Any day of the week gives the same file, up to now (R350).
async fn download(who: SignedIn, request: HttpRequest, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let asked = ListQuery::of(&request, &[]);
    let day = asked.filter("day").map(|day| day.parse::<Date>().map_err(|_| Failure::not_found(&who, "day", day))).transpose()?;
    let form = asked.filter("format").and_then(Form::parse).unwrap_or(Form::Json);
    let made = blocking::call(&services, move |services| activity_week::file(services, DEFAULT_ACCOUNT, day, form)).await;
    let file = made.map_err(Failure::of(&who))?;
    Ok(HttpResponse::Ok()
        .content_type(form.media_type())
        .insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"{}\"", file.name)))
        .body(file.content))
}

async fn read(who: &SignedIn, services: &web::Data<Services>, query: ActivityQuery) -> Result<activity::ActivityPage, Failure> {
    blocking::call(services, move |services| activity::list(services, DEFAULT_ACCOUNT, &query)).await.map_err(Failure::of(who))
}

fn query(list: &ListQuery, zone: &TimeZone, offset: usize) -> ActivityQuery {
    ActivityQuery {
        q: list.q(),
        object: list.filter("object").map(ToOwned::to_owned),
        actor: list.filter("actor").map(ToOwned::to_owned),
        subject: list.filter("subject").map(ToOwned::to_owned),
        since: list.filter("since").and_then(|day| activity::start_of(day, 0, zone)),
        until: list.filter("until").and_then(|day| activity::start_of(day, 1, zone)),
        oldest_first: !list.descending(),
        offset,
        limit: list.per_page(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_accounts_zone_and_the_last_one_counts() {
        let zone = TimeZone::get("Europe/Berlin").expect("a zone of the database");
        let list = ListQuery::parse("/admin/activity", "since=2026-03-29&until=2026-03-29&object=user", &[]);
        let query = query(&list, &zone, 0);
        assert_eq!(query.since.map(|at| at.to_string()).as_deref(), Some("2026-03-28T23:00:00Z"));
        assert_eq!(query.until.map(|at| at.to_string()).as_deref(), Some("2026-03-29T22:00:00Z"));
        assert_eq!(activity::start_of("yesterday", 0, &zone), None);
    }
}
