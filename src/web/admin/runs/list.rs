//! The list of those who got nothing: one row each, the latest first.

use std::collections::HashMap;

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use jiff::Timestamp;

use super::{add_link, name};
use crate::catalog::models::models;
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::domain::run::Subject;
use crate::domain::run::verdict::Verdict;
use crate::domain::text_search::TextSearch;
use crate::domain::user_agent::UserAgent;
use crate::services::runs::{self, ListedRun};
use crate::services::{Services, roster::Roster};
use crate::web::admin::columns::Columns;
use crate::web::admin::failure::Failure;
use crate::web::admin::layout::{Page, html};
use crate::web::admin::list_memory;
use crate::web::admin::paging::{ListQuery, Pager};
use crate::web::admin::session::SignedIn;
use crate::web::admin::words::{self, Tone as _};
use crate::web::blocking;

/// The columns that can be sorted by; the first is the default: whoever came last.
const SORTABLE: &[&str] = &["-started", "who", "outcome"];

/// The columns that may be hidden, by their word in the address. Who it was always stays.
const COLUMNS: [(&str, &str); 3] = [("last", "Last came"), ("what", "What happened"), ("next", "What to do")];

#[derive(Template)]
#[template(path = "runs/list.html")]
struct ListPage {
    page: Page,
    list: ListQuery,
    pager: Pager,
    rows: Vec<Row>,
    columns: Columns,
    kinds: &'static [(&'static str, &'static str)],
}

/// Somebody who got nothing.
struct Row {
    who: String,
    href: String,
    /// The address it came from, where `who` is another name.
    from: String,
    agent: String,
    at: Timestamp,
    runs: usize,
    verdict: Verdict,
    /// Where it can be added, if it named a device that is not there.
    add: Option<String>,
}

const KINDS: &[(&str, &str)] = &[("phone", "Phones that named themselves"), ("address", "Addresses only")];

/// `GET /admin/unknown-phones`
pub async fn show(request: HttpRequest, who: SignedIn, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let list = match list_memory::enter(&who, &request, SORTABLE) {
        Ok(list) => list,
        Err(as_it_was) => return Ok(*as_it_was),
    };
    let all = blocking::call(&services, |services| runs::refused(services, DEFAULT_ACCOUNT)).await.map_err(Failure::of(&who))?;
    let roster = services.roster(DEFAULT_ACCOUNT);
    let search = list.search();
    let mut found: Vec<Row> = rows(&all, &roster).into_iter().filter(|row| admits(row, &list, &search)).collect();
    match list.sort_key() {
        "who" => found.sort_by(|a, b| a.who.cmp(&b.who)),
        "outcome" => found.sort_by_key(|row| words::outcome(&row.verdict.outcome)),
        _ => found.sort_by_key(|row| row.at),
    }
    if list.descending() {
        found.reverse();
    }
    let columns = list.columns(&COLUMNS);
    if list.is_file() {
        return Ok(columns.file("unknown-phones", "Who", found.into_iter().map(cells)));
    }
    let pager = list.pager(found.len());
    let rows = found.drain(pager.range()).collect();
    Ok(html(&ListPage { page: who.page("Unknown Phones"), list, pager, rows, columns, kinds: KINDS }))
}

fn cells(row: Row) -> [String; 4] {
    let Row { who, from, at, verdict, .. } = row;
    let who = if from.is_empty() { who } else { format!("{who} from {from}") };
    let what = format!("{}: {}", words::outcome(&verdict.outcome), verdict.words);
    [who, words::file_time(at), what, verdict.next.map(|next| next.to_string()).unwrap_or_default()]
}

/// One row for each subject, in the order of their latest runs.
fn rows(all: &[ListedRun], roster: &Roster) -> Vec<Row> {
    let mut places: HashMap<&Subject, usize> = HashMap::new();
    let mut rows: Vec<Row> = Vec::new();
    for listed in all {
        match places.get(&listed.subject) {
            Some(place) => rows[*place].runs += 1,
            None => {
                places.insert(&listed.subject, rows.len());
                rows.push(row(listed, roster));
            }
        }
    }
    rows
}

fn row(listed: &ListedRun, roster: &Roster) -> Row {
    let ListedRun { subject, run, .. } = listed;
    let is_known = matches!(subject, Subject::Stranger(key) if roster.find(key).is_some());
    let model = model_of(&run.user_agent);
    Row {
        who: name(subject),
        href: format!("/admin/unknown-phones/{}", name(subject)),
        from: if matches!(subject, Subject::Address(_)) { String::new() } else { run.address.to_string() },
        agent: words::shortened(&run.user_agent, 90),
        at: run.started_at,
        runs: 1,
        verdict: listed.verdict(),
        add: if is_known { None } else { add_link(subject, model.as_deref()) },
    }
}

/// The model that a User-Agent tells.
pub fn model_of(text: &str) -> Option<String> {
    UserAgent::parse(text, models()).and_then(|agent| agent.model)
}

fn admits(row: &Row, list: &ListQuery, search: &TextSearch) -> bool {
    let is_address = row.who.parse::<std::net::IpAddr>().is_ok();
    let kind = match list.filter("who") {
        Some("phone") => !is_address,
        Some("address") => is_address,
        _ => true,
    };
    let is_key = !is_address && search.finds_key(&row.who);
    kind && (is_key || search.finds(&[&row.who, &row.from, &row.agent, &row.verdict.words]))
}
