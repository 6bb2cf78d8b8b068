//! One file of a device, whatever kind it is: to read on a page, and to download as it came.

use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY};
use actix_web::{HttpRequest, HttpResponse, web};
use jiff::Timestamp;

use super::head::{self, Head};
use super::text::{self, Text, VersionRow, with_secrets_masked};
use crate::domain::device::DeviceKey;
use crate::domain::device_file::Version;
use crate::domain::given_file::with_keys_masked;
use crate::services::Services;
use crate::services::error::ServiceError;
use crate::web::admin::failure::Failure;
use crate::web::admin::session::SignedIn;
use crate::web::blocking;

/// A file of a device.
pub struct Uploaded {
    /// What it is called here.
    pub name: String,
    /// What a download of it is called.
    pub saved_as: String,
    /// The address of its page.
    pub href: String,
    /// Its content.
    pub bytes: Vec<u8>,
    /// Bytes of the file itself.
    pub size_bytes: u64,
    /// When it came in.
    pub at: Timestamp,
    /// Its number among these; logs have none.
    pub version: u32,
    /// All versions that are kept, the latest first.
    pub versions: Vec<Version>,
}

/// The file as a page. In files of parameters the secrets are masked; the download is what was uploaded.
pub async fn show(
    title: &str,
    find: impl FnOnce(&Services, &DeviceKey, &str) -> Result<Uploaded, ServiceError> + Send + 'static,
    request: HttpRequest,
    path: web::Path<(String, String)>,
    who: SignedIn,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let (key, name) = path.into_inner();
    let (known, _) = head::find(&services, &who, &key)?;
    let device = known.device.key.clone();
    let read = blocking::call(&services, move |services| find(services, &device, &name));
    let Uploaded { name, href, bytes, size_bytes, at, version, versions, .. } = read.await.map_err(Failure::of(&who))?;
    let page = who.page(title);
    let head = Head::new(&known, page.now).marked(&services);
    let is_log = title == "Logs";
    // What devices store may hold secrets; logs are for whoever may open this page at all.
    let may_download = page.may_edit() || is_log;
    let note = match may_download {
        true => {
            "Secrets are masked on this page; the download holds them, asks for your password and is noted in the Activity Log."
        }
        false => "Secrets are masked on this page.",
    };
    let latest = versions.first().map_or(version, |one| one.version);
    let query = if version == latest { String::new() } else { format!("?version={version}") };
    let bytes = if is_log { bytes } else { with_keys_masked(&with_secrets_masked(&bytes)) };
    let text = Text {
        name,
        bytes,
        size_bytes,
        at: Some(at),
        download: may_download.then(|| format!("{href}/download{query}")),
        note: (!is_log).then_some(note),
        versions: VersionRow::all(&href, version, &versions),
        restore: page.may_edit().then(|| format!("{href}/restore")),
    };
    Ok(text::page(page, head, &request, text))
}

/// The file as it came: never shown or run by a browser, whatever it holds (UPL-08).
pub async fn download(
    find: impl FnOnce(&Services, &DeviceKey, &str) -> Result<Uploaded, ServiceError> + Send + 'static,
    path: web::Path<(String, String)>,
    who: SignedIn,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let (key, name) = path.into_inner();
    let (known, _) = head::find(&services, &who, &key)?;
    let device = known.device.key.clone();
    let read = blocking::call(&services, move |services| find(services, &device, &name));
    let file = read.await.map_err(Failure::of(&who))?;
    let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') { c } else { '_' };
    let name: String = file.saved_as.chars().map(plain).collect();
    Ok(HttpResponse::Ok()
        .content_type("text/plain; charset=utf-8")
        .insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")))
        .insert_header((CONTENT_SECURITY_POLICY, "sandbox; default-src 'none'"))
        .body(file.bytes))
}
