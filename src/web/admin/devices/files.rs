//! Files: what the device stores with us and gets back (R171, R172), to read and to download.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use jiff::Timestamp;

use super::head::{self, Head};
use super::uploaded::{self, Uploaded};
use crate::domain::device::DeviceKey;
use crate::domain::device_file::DeviceFile;
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::services::error::ServiceError;
use crate::services::{Services, device_files};
use crate::web::admin::failure::Failure;
use crate::web::admin::layout::{Page, html};
use crate::web::admin::session::SignedIn;
use crate::web::admin::words::{self, Tone as _};
use crate::web::blocking;

#[derive(Template)]
#[template(path = "devices/files.html")]
struct FilesPage {
    page: Page,
    head: Head,
    files: Vec<Row>,
}

struct Row {
    name: String,
    href: String,
    what: &'static str,
    size: String,
    at: Timestamp,
}

/// `GET /admin/devices/{key}/files`
pub async fn list(key: web::Path<String>, who: SignedIn, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let (known, _) = head::find(&services, &who, &key)?;
    let device = known.device.key.clone();
    let files = blocking::call(&services, move |services| device_files::files(services, DEFAULT_ACCOUNT, &device)).await;
    let page = who.page("Files");
    let head = Head::new(&known, page.now).marked(&services);
    let row = |file: &DeviceFile| Row {
        name: format!("{}-{}", head.key, file.name),
        href: format!("/admin/devices/{}/files/{}", head.key, file.name),
        what: meaning(&file.name),
        size: words::size(file.size_bytes),
        at: file.at,
    };
    let files = files.map_err(Failure::of(&who))?.iter().map(row).collect();
    Ok(html(&FilesPage { page, head, files }))
}

/// What a stored file is, in words.
fn meaning(name: &str) -> &'static str {
    match name {
        "phone.cfg" => "Settings made on the phone's menu",
        "web.cfg" => "Settings made on the phone's web page",
        "system.cfg" => "Settings made on the device",
        "cloud.cfg" => "Settings made by a cloud service",
        "license.cfg" => "Licence",
        "directory.xml" => "Contacts",
        "calls.xml" => "Call lists",
        _ => "File of the device",
    }
}

fn find(services: &Services, device: &DeviceKey, name: &str) -> Result<Uploaded, ServiceError> {
    device_files::file(services, DEFAULT_ACCOUNT, device, name).map(|found| uploaded(device, found))
}

fn uploaded(device: &DeviceKey, (row, bytes): (DeviceFile, Vec<u8>)) -> Uploaded {
    let name = format!("{device}-{}", row.name);
    let href = format!("/admin/devices/{device}/files/{}", row.name);
    Uploaded { saved_as: name.clone(), name, href, bytes, size_bytes: row.size_bytes, at: row.at }
}

/// `GET /admin/devices/{key}/files/{name}`
pub async fn show(
    request: HttpRequest,
    path: web::Path<(String, String)>,
    who: SignedIn,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    uploaded::show("Files", find, request, path, who, services).await
}

/// `GET /admin/devices/{key}/files/{name}/download`
pub async fn download(
    path: web::Path<(String, String)>,
    who: SignedIn,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let actor = who.actor.clone();
    let hand_out = move |services: &Services, device: &DeviceKey, name: &str| {
        device_files::hand_out(services, &actor, DEFAULT_ACCOUNT, device, name, None).map(|found| uploaded(device, found))
    };
    uploaded::download(hand_out, path, who, services).await
}
