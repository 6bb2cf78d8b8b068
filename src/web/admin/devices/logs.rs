//! Logs: what the device uploaded, by date (R68, R173, R263).

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use jiff::Timestamp;
use jiff::civil::Date;

use super::files::attachment;
use super::head::{self, Head};
use super::text::{self, Text};
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::services::Services;
use crate::services::device_files::{self, StoredLog};
use crate::web::admin::failure::Failure;
use crate::web::admin::layout::{Page, html};
use crate::web::admin::paging::ListQuery;
use crate::web::admin::session::SignedIn;
use crate::web::admin::words::{self, Tone as _};
use crate::web::blocking;

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
}

struct Row {
    name: String,
    href: String,
    at: Timestamp,
    /// Time of the day.
    time: String,
    size: String,
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
    let all = blocking::call(&services, move |services| device_files::logs(services, DEFAULT_ACCOUNT, &device)).await;
    let all = all.map_err(Failure::of(&who))?;
    let page = who.page("Logs");
    let head = Head::new(&known, page.now);
    let day = |at: Timestamp| at.to_zoned(page.zone.clone()).date();
    let mut days: Vec<Date> = all.iter().map(|log| day(log.at)).collect();
    days.dedup();
    let today = day(page.now);
    let asked = ListQuery::of(&request, &[]).filter("date").and_then(|text| text.parse().ok());
    let date = asked.or(days.first().copied()).unwrap_or(today);
    let row = |log: &StoredLog| Row {
        name: format!("{}-{}", head.key, log.kind),
        href: format!("/admin/devices/{}/logs/{}", head.key, log.name),
        at: log.at,
        time: log.at.to_zoned(page.zone.clone()).strftime("%H:%M:%S").to_string(),
        size: words::size(log.size_bytes),
    };
    let logs = all.iter().filter(|log| day(log.at) == date).map(row).collect();
    Ok(html(&LogsPage { date, today, days, logs, page, head }))
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
    let read = move |services: &Services| device_files::log(services, DEFAULT_ACCOUNT, &device, &name);
    let (log, bytes) = blocking::call(&services, read).await.map_err(Failure::of(&who))?;
    let page = who.page("Logs");
    let head = Head::new(&known, page.now);
    let download = Some(format!("/admin/devices/{}/logs/{}/download", head.key, log.name));
    let name = format!("{}-{}", head.key, log.kind);
    let text = Text { name, bytes, size_bytes: log.size_bytes, at: Some(log.at), download, note: None };
    Ok(text::page(page, head, &request, text))
}

/// `GET /admin/devices/{key}/logs/{name}/download`
pub async fn download(
    path: web::Path<(String, String)>,
    who: SignedIn,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let (key, name) = path.into_inner();
    let (known, _) = head::find(&services, &who, &key)?;
    let device = known.device.key.clone();
    let read = move |services: &Services| device_files::log(services, DEFAULT_ACCOUNT, &device, &name);
    let (log, bytes) = blocking::call(&services, read).await.map_err(Failure::of(&who))?;
    Ok(attachment(&format!("{}-{}-{}", known.device.key, log.at.strftime("%Y%m%d-%H%M%S"), log.kind), bytes))
}
