//! Effective configuration: every attribute with all its layers, who set them, and the two files as the device gets them (R108, R159,
//! R166, contract 5.11).

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use jiff::Timestamp;

use super::explained::{self, Explained};
use super::head::{self, Head};
use super::text::{self, Text};
use crate::domain::credential::Recipient;
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::services::effective_file::{self, EffectiveFile};
use crate::services::{Services, credentials, explain, provenance};
use crate::web::admin::failure::Failure;
use crate::web::admin::layout::{Page, html};
use crate::web::admin::paging::ListQuery;
use crate::web::admin::session::SignedIn;
use crate::web::admin::words::Tone as _;
use crate::web::blocking;

#[derive(Template)]
#[template(path = "devices/effective.html")]
struct EffectivePage {
    page: Page,
    head: Head,
    explained: Explained,
    /// Settings that the device itself keeps: link, name and time of the file.
    own_files: Vec<(String, String, Timestamp)>,
    /// *What would a phone get?* filled in with this one.
    what_if: String,
}

/// `GET /admin/devices/{key}/effective`
pub async fn show(
    request: HttpRequest,
    key: web::Path<String>,
    who: SignedIn,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let (known, world) = head::find(&services, &who, &key)?;
    let list = ListQuery::of(&request, &["name"]);
    let page = who.page("Effective configuration");
    let head = Head::new(&known, page.now).marked(&services);
    let what_if = super::what_if::filled(&known.device, &world);
    let looked_up = blocking::call(&services, move |services| {
        let explain::Explained { view, own_files } = explain::of_device(services, DEFAULT_ACCOUNT, &known.device, &world)?;
        let found = explained::found(&view, &explained::wanted(&list), &world);
        let shown = found[list.pager(found.len()).range()].iter().copied();
        let who = provenance::of(services, DEFAULT_ACCOUNT, &world, &known.device, shown)?;
        Ok((
            Explained::new(list, &view, &found, &who, (&known.device, known.sighting.software_version.as_deref()), &world),
            own_files,
        ))
    });
    let (explained, own_files) = looked_up.await.map_err(Failure::of(&who))?;
    let own_file = |own: &crate::services::device_files::OwnFile| {
        (format!("/admin/devices/{}/files/{}", head.key, own.name), format!("{}-{}", head.key, own.name), own.at)
    };
    let own_files = own_files.iter().map(own_file).collect();
    Ok(html(&EffectivePage { own_files, explained, what_if, page, head }))
}

/// `GET /admin/devices/{key}/effective/{file}`: `master` or `parameters`.
pub async fn file(
    request: HttpRequest,
    path: web::Path<(String, String)>,
    who: SignedIn,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let (key, wanted) = path.into_inner();
    let (known, world) = head::find(&services, &who, &key)?;
    let Some(file) = EffectiveFile::parse(&wanted) else { return Err(Failure::not_found(&who, "file", wanted)) };
    let secrets = credentials::of(&services, DEFAULT_ACCOUNT, &known.device.key);
    let channel = credentials::channel_of(&services, DEFAULT_ACCOUNT, &known.device.key);
    let recipient = Recipient { device: &known.device, secrets: &secrets, channel };
    let (name, bytes) = effective_file::shown(&recipient, &world, file);
    let page = who.page("Effective configuration");
    let head = Head::new(&known, page.now).marked(&services);
    let note = "This is the file as the device gets it now, but for the secrets: they are masked here only.";
    Ok(text::page(
        page,
        head,
        &request,
        Text {
            name,
            size_bytes: bytes.len() as u64,
            bytes,
            at: None,
            download: None,
            note: Some(note),
            versions: Vec::new(),
            restore: None,
        },
    ))
}
