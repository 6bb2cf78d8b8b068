//! Files: what the device stores with us and gets back (R171, R172), to read and to download.

use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY};
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use jiff::Timestamp;

use super::head::{self, Head};
use super::text::{self, Text};
use crate::domain::device_file::DeviceFile;
use crate::domain::ids::DEFAULT_ACCOUNT;
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
    let head = Head::new(&known, page.now);
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

/// Files whose parameters are masked where they are secret: on a page only, the download is what the device stored.
fn find_masked(name: &str, bytes: Vec<u8>) -> (Vec<u8>, Option<&'static str>) {
    if !name.ends_with(".cfg") {
        return (bytes, None);
    }
    (text::with_secrets_masked(&bytes), Some("Secrets are masked on this page; the download holds them."))
}

/// `GET /admin/devices/{key}/files/{name}`
pub async fn show(
    request: HttpRequest,
    path: web::Path<(String, String)>,
    who: SignedIn,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let (key, name) = path.into_inner();
    let (known, _) = head::find(&services, &who, &key)?;
    let (device, wanted) = (known.device.key.clone(), name.clone());
    let read = move |services: &Services| device_files::file(services, DEFAULT_ACCOUNT, &device, &wanted);
    let (row, bytes) = blocking::call(&services, read).await.map_err(Failure::of(&who))?;
    let page = who.page("Files");
    let head = Head::new(&known, page.now);
    let (bytes, note) = find_masked(&row.name, bytes);
    let download = Some(format!("/admin/devices/{}/files/{}/download", head.key, row.name));
    let name = format!("{}-{}", head.key, row.name);
    Ok(text::page(page, head, &request, Text { name, bytes, size_bytes: row.size_bytes, at: Some(row.at), download, note }))
}

/// `GET /admin/devices/{key}/files/{name}/download`
pub async fn download(
    path: web::Path<(String, String)>,
    who: SignedIn,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let (key, name) = path.into_inner();
    let (known, _) = head::find(&services, &who, &key)?;
    let device = known.device.key.clone();
    let read = move |services: &Services| device_files::file(services, DEFAULT_ACCOUNT, &device, &name);
    let (row, bytes) = blocking::call(&services, read).await.map_err(Failure::of(&who))?;
    Ok(attachment(&format!("{}-{}", known.device.key, row.name), bytes))
}

/// Bytes that came from a device: never shown or run by a browser, whatever they are (UPL-08).
pub fn attachment(name: &str, bytes: Vec<u8>) -> HttpResponse {
    let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') { c } else { '_' };
    let name: String = name.chars().map(plain).collect();
    HttpResponse::Ok()
        .content_type("text/plain; charset=utf-8")
        .insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")))
        .insert_header((CONTENT_SECURITY_POLICY, "sandbox; default-src 'none'"))
        .body(bytes)
}
