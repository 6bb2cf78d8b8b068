//! Logs: what the device uploaded, by date (R68, R173, R263).

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use jiff::Timestamp;
use jiff::civil::Date;

use super::head::{self, Head};
use super::uploaded::{self, Uploaded};
use crate::domain::device::DeviceKey;
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::services::Services;
use crate::services::device_files::{self, StoredLog};
use crate::services::error::ServiceError;
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
    let head = Head::new(&known, page.now).marked(&services);
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

fn find(services: &Services, device: &DeviceKey, name: &str) -> Result<Uploaded, ServiceError> {
    let (log, bytes) = device_files::log(services, DEFAULT_ACCOUNT, device, name)?;
    Ok(Uploaded {
        name: format!("{device}-{}", log.kind),
        saved_as: format!("{device}-{}-{}", log.at.strftime("%Y%m%d-%H%M%S"), log.kind),
        href: format!("/admin/devices/{device}/logs/{}", log.name),
        bytes,
        size_bytes: log.size_bytes,
        at: log.at,
    })
}

/// `GET /admin/devices/{key}/logs/{name}`
pub async fn show(
    request: HttpRequest,
    path: web::Path<(String, String)>,
    who: SignedIn,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    uploaded::show("Logs", find, request, path, who, services).await
}

/// `GET /admin/devices/{key}/logs/{name}/download`
pub async fn download(
    path: web::Path<(String, String)>,
    who: SignedIn,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    uploaded::download(find, path, who, services).await
}
