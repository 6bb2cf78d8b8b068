//! One file that a device uploaded, whatever kind it is: to read on a page, and to download as it came.

use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY};
use actix_web::{HttpRequest, HttpResponse, web};
use jiff::Timestamp;

use super::head::{self, Head};
use super::text::{self, Text, with_secrets_masked};
use crate::domain::device::DeviceKey;
use crate::services::Services;
use crate::services::error::ServiceError;
use crate::web::admin::failure::Failure;
use crate::web::admin::session::SignedIn;
use crate::web::blocking;

/// A file that a device uploaded.
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
}

/// Finds the file of a device that an address names.
pub type Find = fn(&Services, &DeviceKey, &str) -> Result<Uploaded, ServiceError>;

/// The file as a page. In files of parameters the secrets are masked; the download is what the device uploaded.
pub async fn show(
    title: &str,
    find: Find,
    request: HttpRequest,
    path: web::Path<(String, String)>,
    who: SignedIn,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let (key, name) = path.into_inner();
    let (known, _) = head::find(&services, &who, &key)?;
    let device = known.device.key.clone();
    let read = blocking::call(&services, move |services| find(services, &device, &name));
    let Uploaded { name, href, bytes, size_bytes, at, .. } = read.await.map_err(Failure::of(&who))?;
    let page = who.page(title);
    let head = Head::new(&known, page.now).marked(&services);
    let has_parameters = name.ends_with(".cfg");
    // What devices store may hold secrets; logs are for whoever may open this page at all.
    let may_download = page.may_edit() || !has_parameters && title == "Logs";
    let note = match may_download {
        true => {
            "Secrets are masked on this page; the download holds them, asks for your password and is noted in the Activity Log."
        }
        false => "Secrets are masked on this page.",
    };
    let note = has_parameters.then_some(note);
    let bytes = if has_parameters { with_secrets_masked(&bytes) } else { bytes };
    let text = Text { name, bytes, size_bytes, at: Some(at), download: may_download.then(|| format!("{href}/download")), note };
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
