//! What all rooms share whose files wait for a decision: kept, found again by their word, over, and of a table that was taken a page and
//! a file with what came of each row (R95, R274).

use std::sync::Arc;

use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::layout::{Page, html, see_other};
use super::paging::{ListQuery, Pager};
use super::session::SignedIn;
use super::words;
use crate::services::Services;
use crate::services::import_log::{ImportLog, LogRow};
use crate::services::pending_imports::{Into, Pending};

/// Things that a row of the result names; the import log has all.
const TOLD: usize = 12;
/// Characters of each of them.
const TOLD_CHARS: usize = 300;

/// A room that takes tables row by row.
pub struct Room {
    /// What its files are taken into.
    pub into: Into,
    /// Title of the page with the result.
    pub title: &'static str,
    /// Address and title of the page that files are sent from.
    pub here: (&'static str, &'static str),
    /// Address and title of the list that they change.
    pub list: (&'static str, &'static str),
    /// Heading above what a row is about.
    pub subject: &'static str,
    /// What a row can come to.
    pub outcomes: &'static [&'static str],
    /// Name of the log as a file.
    pub log: &'static str,
}

#[derive(Template)]
#[template(path = "imports/result.html")]
struct ResultPage {
    page: Page,
    room: &'static Room,
    log: Arc<ImportLog>,
    /// Where the log is.
    log_href: String,
    /// How many rows came to what: link, word and number.
    groups: Vec<(String, &'static str, usize)>,
    list: ListQuery,
    pager: Pager,
    rows: Vec<Row>,
}

struct Row {
    line: u64,
    subject: String,
    name: String,
    tone: &'static str,
    word: &'static str,
    told: Vec<String>,
    more: usize,
}

/// Keeps a file until its person decides, and answers the word that finds it again. `revision` is that of what it was compared with.
pub fn keep(who: &SignedIn, services: &Services, into: Into, revision: u64, source: String, bytes: Arc<[u8]>) -> String {
    let source = if source.is_empty() { "The file".to_owned() } else { source };
    let (user, at) = (who.person.id, services.clock().now());
    services.pending_imports().put(Pending { user, into, revision, source, bytes, at })
}

/// The file that waits under a word, if it is this person's, meant for this, and not over.
pub fn waiting(who: &SignedIn, services: &Services, into: Into, token: &str) -> Option<Pending> {
    services.pending_imports().get(token, who.person.id, into, services.clock().now())
}

/// Where an answer leads that comes a second time: to what the first one did, or back.
pub fn decided(who: &SignedIn, services: &Services, room: &Room, token: &str) -> HttpResponse {
    match finished(who, services, room, token) {
        Some(_) => see_other(&format!("{}/{token}", room.here.0)),
        None => over(who, room.here.0),
    }
}

/// Leads back from something that does not wait any more.
pub fn over(who: &SignedIn, back: &str) -> HttpResponse {
    who.not_done(back, "This is over or was decided already. Nothing more is changed by it; to do it again, begin anew.")
}

/// Forgets a file that is not wanted.
pub fn cancelled(who: &SignedIn, services: &Services, token: &str, back: &str) -> HttpResponse {
    services.pending_imports().remove(token);
    who.done(back, "Cancelled: nothing was changed.")
}

/// Notes that a table was taken, and leads to what came of each row.
pub fn taken(
    who: &SignedIn,
    services: &Services,
    room: &'static Room,
    token: &str,
    source: &str,
    outcome: String,
    rows: Vec<LogRow>,
) -> HttpResponse {
    services.pending_imports().finish(token, log(who, services, source, outcome, rows));
    see_other(&format!("{}/{token}", room.here.0))
}

/// A log of now.
pub fn log(who: &SignedIn, services: &Services, source: &str, outcome: String, rows: Vec<LogRow>) -> ImportLog {
    ImportLog { source: source.to_owned(), who: who.person.name.clone(), at: services.clock().now(), outcome, rows }
}

/// The log of a table that was taken.
pub fn finished(who: &SignedIn, services: &Services, room: &Room, token: &str) -> Option<Arc<ImportLog>> {
    services.pending_imports().log(token, who.person.id, room.into, services.clock().now())
}

/// A log as a file.
pub fn log_file(room: &Room, log: &ImportLog) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/plain; charset=utf-8"))
        .insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"{}\"", room.log)))
        .body(log.to_string())
}

/// The page with what came of a table that was taken; back to where files are sent from if nothing is known of it.
pub fn result(request: &HttpRequest, who: &SignedIn, services: &Services, room: &'static Room, token: &str) -> HttpResponse {
    let Some(log) = finished(who, services, room, token) else { return over(who, room.here.0) };
    let here = format!("{}/{token}", room.here.0);
    let list = ListQuery::parse(&here, request.query_string(), &[]);
    let wanted = list.filter("only").unwrap_or_default();
    let rows: Vec<&LogRow> = log.rows.iter().filter(|row| wanted.is_empty() || row.word == wanted).collect();
    let pager = list.pager(rows.len());
    let shown = rows[pager.range()].iter().map(|row| Row::new(row)).collect();
    let group = |word: &&'static str| (list.with(&[("only", word), ("page", "")]), *word, log.count(word));
    html(&ResultPage {
        page: who.page(room.title),
        room,
        log_href: format!("{here}/log"),
        groups: room.outcomes.iter().map(group).collect(),
        rows: shown,
        log: Arc::clone(&log),
        list,
        pager,
    })
}

/// The colour that repeats the result of a row.
pub fn tone(word: &str) -> &'static str {
    match word {
        "added" => "ok",
        "changed" => "info",
        "refused" => "bad",
        _ => "off",
    }
}

/// Fields as a page shows them: a list of hundreds of networks in part, as the import log has the whole.
pub fn shortened(mut changes: Vec<crate::domain::activity::Change>) -> Vec<crate::domain::activity::Change> {
    const CHARS: usize = 1_000;
    for value in changes.iter_mut().flat_map(|change| [&mut change.old, &mut change.new]).flatten() {
        if value.chars().nth(CHARS).is_some() {
            *value = format!("{} (the import log has all of it)", words::shortened(value, CHARS));
        }
    }
    changes
}

impl Row {
    fn new(row: &LogRow) -> Self {
        Self {
            line: row.line,
            subject: row.subject.clone(),
            name: row.name.clone().unwrap_or_default(),
            tone: tone(row.word),
            word: row.word,
            told: row.told.iter().take(TOLD).map(|told| words::shortened(told, TOLD_CHARS)).collect(),
            more: row.told.len().saturating_sub(TOLD),
        }
    }
}
