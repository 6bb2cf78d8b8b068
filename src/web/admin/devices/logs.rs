//! Logs: what the device uploaded, by date; read with their levels, searched, taken away by the day, deleted (R68, R173, R263, R264).

use actix_web::http::header::CONTENT_DISPOSITION;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::head::{self, Head};
use super::log_page;
use super::uploaded::{self, Uploaded};
use crate::domain::device::DeviceKey;
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::domain::log_line::Level;
use crate::services::commit::Mode;
use crate::services::device_files::StoredLog;
use crate::services::device_files::logs::{self, Found, Span, Wanted, Which};
use crate::services::error::ServiceError;
use crate::services::{Services, device_files, retention};
use crate::web::admin::bulk::{BulkPage, Named, Question};
use crate::web::admin::failure::Failure;
use crate::web::admin::forms::Form;
use crate::web::admin::layout::{Page, html};
use crate::web::admin::paging::ListQuery;
use crate::web::admin::session::SignedIn;
use crate::web::admin::words::{self, Tone as _};
use crate::web::{blocking, file_body};

#[derive(Template)]
#[template(path = "devices/logs.html")]
struct LogsPage {
    page: Page,
    head: Head,
    /// The date shown.
    date: Date,
    today: Date,
    /// Dates that there are logs of, newest first.
    days: Vec<Date>,
    logs: Vec<Row>,
    /// What is searched for, and what was found.
    text: String,
    level: String,
    levels: Vec<(&'static str, &'static str)>,
    found: Option<FoundPage>,
    /// Days that logs are kept, and how many bytes of this device.
    kept_days: u32,
    size: String,
}

struct Row {
    name: String,
    href: String,
    delete: String,
    at: Timestamp,
    /// Time of the day.
    time: String,
    size: String,
    is_text: bool,
}

struct FoundPage {
    lines: Vec<FoundRow>,
    is_cut: bool,
    logs: usize,
}

struct FoundRow {
    href: String,
    log: String,
    number: usize,
    line: log_page::Line,
}

/// `GET /admin/devices/{key}/logs`; without a date the logs of today, or of the last day that has some.
pub async fn list(
    request: HttpRequest,
    key: web::Path<String>,
    who: SignedIn,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let (known, _) = head::find(&services, &who, &key)?;
    let device = known.device.key.clone();
    let listed = device.clone();
    let all = blocking::call(&services, move |services| device_files::logs(services, DEFAULT_ACCOUNT, &listed)).await;
    let all = all.map_err(Failure::of(&who))?;
    let page = who.page("Logs");
    let head = Head::new(&known, page.now).marked(&services);
    let mut days: Vec<Date> = all.iter().map(|log| day(log.at, &page.zone)).collect();
    days.dedup();
    let today = day(page.now, &page.zone);
    let query = ListQuery::of(&request, &[]);
    let asked = query.filter("date").and_then(|text| text.parse().ok());
    let date = asked.or(days.first().copied()).unwrap_or(today);
    let of_day: Vec<&StoredLog> = all.iter().filter(|log| day(log.at, &page.zone) == date).collect();
    let rows = of_day.iter().map(|log| row(&head.key, log, &page.zone)).collect();
    let text = query.filter("text").unwrap_or_default().to_owned();
    let level = query.filter("level").and_then(Level::parse);
    let found = match (text.trim().is_empty() && level.is_none(), page.may_admit()) {
        (false, true) => {
            let (wanted, span) = (Wanted { text: text.clone(), level }, span(date, &page.zone));
            let search = move |services: &Services| logs::search(services, DEFAULT_ACCOUNT, &device, span, &wanted);
            let found = blocking::call(&services, search).await.map_err(Failure::of(&who))?;
            Some(found_page(&head.key, found))
        }
        _ => None,
    };
    let size = words::size(all.iter().map(|log| log.size_bytes).sum());
    let kept_days = retention::log_days(&services, DEFAULT_ACCOUNT).map_err(Failure::of(&who))?;
    let level = level.map_or_else(String::new, |level| level.word().to_owned());
    let levels = Level::ALL.map(|level| (level.word(), log_page::label(level))).to_vec();
    Ok(html(&LogsPage { date, today, days, logs: rows, text, level, levels, found, kept_days, size, page, head }))
}

fn day(at: Timestamp, zone: &TimeZone) -> Date {
    at.to_zoned(zone.clone()).date()
}

/// From its first moment to that of the next day, where its person is.
fn span(date: Date, zone: &TimeZone) -> Span {
    let begin = |date: Date| date.to_zoned(zone.clone()).map(|at| at.timestamp());
    let next = date.tomorrow().and_then(begin).unwrap_or(Timestamp::MAX);
    (begin(date).unwrap_or(Timestamp::MIN), next)
}

fn row(key: &str, log: &StoredLog, zone: &TimeZone) -> Row {
    Row {
        name: shown_name(key, log),
        href: format!("/admin/devices/{key}/logs/{}", log.name),
        delete: format!("/admin/devices/{key}/logs/delete?name={}", log.name),
        at: log.at,
        time: log.at.to_zoned(zone.clone()).strftime("%H:%M:%S").to_string(),
        size: words::size(log.size_bytes),
        is_text: log.is_text(),
    }
}

/// As the device names it: captures have an underscore between key and time (R264).
fn shown_name(key: &str, log: &StoredLog) -> String {
    let between = if log.kind.contains(".pcap") { '_' } else { '-' };
    format!("{key}{between}{}", log.kind)
}

fn found_page(key: &str, Found { lines, is_cut, logs }: Found) -> FoundPage {
    let row = |found: logs::FoundLine| FoundRow {
        href: format!("/admin/devices/{key}/logs/{}?part={}#l{}", found.log.name, log_page::part_of(found.number), found.number),
        log: found.log.kind.clone(),
        number: found.number,
        line: log_page::Line::of(found.number, &found.text),
    };
    FoundPage { lines: lines.into_iter().map(row).collect(), is_cut, logs }
}

fn find(services: &Services, device: &DeviceKey, name: &str) -> Result<Uploaded, ServiceError> {
    let (log, bytes) = device_files::log(services, DEFAULT_ACCOUNT, device, name)?;
    Ok(Uploaded {
        name: shown_name(&device.to_string(), &log),
        saved_as: format!("{device}-{}-{}", log.at.strftime("%Y%m%d-%H%M%S"), log.kind),
        href: format!("/admin/devices/{device}/logs/{}", log.name),
        bytes,
        size_bytes: log.size_bytes,
        at: log.at,
        version: 0,
        versions: Vec::new(),
    })
}

/// `GET /admin/devices/{key}/logs/{name}`
pub async fn show(
    request: HttpRequest,
    path: web::Path<(String, String)>,
    who: SignedIn,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let (key, name) = path.into_inner();
    let (known, _) = head::find(&services, &who, &key)?;
    let device = known.device.key.clone();
    let read = blocking::call(&services, move |services| find(services, &device, &name));
    let file = read.await.map_err(Failure::of(&who))?;
    let page = who.page("Logs");
    let head = Head::new(&known, page.now).marked(&services);
    Ok(log_page::page(page, head, &request, file))
}

/// `GET /admin/devices/{key}/logs/{name}/download`
pub async fn download(
    path: web::Path<(String, String)>,
    who: SignedIn,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    uploaded::download(find, path, who, services).await
}

/// The date that an address or a form names.
fn date_of(text: &str) -> Option<Date> {
    text.parse().ok()
}

/// `GET /admin/devices/{key}/logs/zip?date=…`: the logs of a day.
pub async fn zip(
    request: HttpRequest,
    key: web::Path<String>,
    who: SignedIn,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let (known, _) = head::find(&services, &who, &key)?;
    let device = known.device.key.clone();
    let asked = ListQuery::of(&request, &[]).filter("date").and_then(date_of);
    let Some(date) = asked else { return Err(Failure::not_found(&who, "date", "")) };
    let wanted = span(date, &who.page("").zone);
    let made = blocking::call(&services, move |services| logs::archive(services, DEFAULT_ACCOUNT, &device, wanted)).await;
    let (file, size) = made.map_err(Failure::of(&who))?;
    let name = format!("{}-logs-{date}.zip", known.device.key);
    Ok(HttpResponse::Ok()
        .content_type("application/zip")
        .insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")))
        .body(file_body::of(file, size)))
}

/// Logs, what they are called, and the hidden fields that name them again.
type ToDelete = (Which, String, Vec<(String, String)>);

/// What a form or an address wants to be deleted, and what that is called.
fn which(form: &Form, zone: &TimeZone) -> Option<ToDelete> {
    let field = |name: &str| vec![(name.to_owned(), form.value(name).to_owned())];
    if form.has("name") {
        return Some((Which::One(form.value("name").to_owned()), "this log".to_owned(), field("name")));
    }
    if form.has("date") {
        let date = date_of(form.value("date"))?;
        return Some((Which::Between(span(date, zone)), format!("the logs of {date}"), field("date")));
    }
    form.is("all", "yes").then(|| (Which::All, "all logs".to_owned(), field("all")))
}

/// `GET /admin/devices/{key}/logs/delete?name=…`, `?date=…` or `?all=yes`
pub async fn ask_delete(
    request: HttpRequest,
    key: web::Path<String>,
    who: SignedIn,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let (known, _) = head::find(&services, &who, &key)?;
    let form = Form::from_urlencoded(request.query_string().as_bytes()).unwrap_or_default();
    let tab = format!("/admin/devices/{}/logs", known.device.key);
    let page = who.page("");
    let Some((which, what, fields)) = which(&form, &page.zone) else { return Ok(who.not_done(&tab, "Choose the logs first.")) };
    let (device, actor) = (known.device.key.clone(), who.actor.clone());
    let look = move |services: &Services| logs::delete(services, &actor, DEFAULT_ACCOUNT, &device, &which, Mode::TryOut);
    let count = match blocking::call(&services, look).await {
        Ok(count) => count,
        Err(ServiceError::NotFound { .. }) => return Ok(who.not_done(&tab, "There is no such log any more.")),
        Err(error) => return Err(Failure::new(&who, error)),
    };
    Ok(html(&BulkPage {
        page: Page { title: format!("Delete {what}?"), ..page },
        parents: vec![
            ("/admin/devices".to_owned(), "Device Monitor".to_owned()),
            (tab.clone(), format!("Logs of {}", words::title(&known.device))),
        ],
        names: vec![Named { href: tab.clone(), name: words::title(&known.device), note: words::count(count, "log", "logs") }],
        more: 0,
        sentences: vec!["They are deleted for good. The device goes on uploading new ones.".to_owned()],
        closing: "",
        question: Question { fields: Vec::new(), number: None, again: None },
        fields,
        action: format!("{tab}/delete"),
        verb: format!("Delete {}", words::count(count, "log", "logs")),
        is_harmless: false,
        back: tab,
    }))
}

/// `POST /admin/devices/{key}/logs/delete`
pub async fn delete(
    key: web::Path<String>,
    who: SignedIn,
    form: Form,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let (known, _) = head::find(&services, &who, &key)?;
    let tab = format!("/admin/devices/{}/logs", known.device.key);
    let wanted = which(&form, &who.page("").zone);
    let Some((which, ..)) = wanted else { return Ok(who.not_done(&tab, "Choose the logs first.")) };
    let (device, actor) = (known.device.key.clone(), who.actor.clone());
    let delete = move |services: &Services| logs::delete(services, &actor, DEFAULT_ACCOUNT, &device, &which, Mode::Keep);
    match blocking::call(&services, delete).await {
        Ok(count) => Ok(who.done(&tab, format!("{} deleted.", words::count(count, "log is", "logs are")))),
        Err(ServiceError::NotFound { .. }) => Ok(who.not_done(&tab, "Nothing was deleted: there is no such log any more.")),
        Err(error) => Err(Failure::new(&who, error)),
    }
}
