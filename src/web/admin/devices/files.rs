//! Files: what the device gets and what is kept for it, in the guide's four sections, and the values that it keeps itself (R225).

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use jiff::Timestamp;

use super::head::{self, Head};
use super::uploaded::{self, Uploaded};
use crate::domain::contacts::Side;
use crate::domain::device::DeviceKey;
use crate::domain::device_file::{DeviceFile, Version};
use crate::domain::given_file::{Directory, GIVEN_DIRECTORY, OWN_DIRECTORY, given};
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::services::device_files::overrides::OwnValue;
use crate::services::device_files::{self, directories, overrides, versions};
use crate::services::effective_file::{self, EffectiveFile};
use crate::services::error::ServiceError;
use crate::services::{Services, credentials};
use crate::web::admin::failure::Failure;
use crate::web::admin::layout::{Page, html};
use crate::web::admin::paging::ListQuery;
use crate::web::admin::session::SignedIn;
use crate::web::admin::words::{self, Tone as _};
use crate::web::blocking;

/// Values of overrides on one page.
const VALUES: usize = 100;

#[derive(Template)]
#[template(path = "devices/files.html")]
struct FilesPage {
    page: Page,
    head: Head,
    sections: Vec<Section>,
    /// What the device itself keeps, value by value.
    values: Vec<OwnValue>,
    /// How many of them are not shown.
    more_values: usize,
    /// Both directories are there: what the phone's lacks.
    conflict: Option<String>,
}

struct Section {
    title: &'static str,
    purpose: &'static str,
    rows: Vec<Row>,
}

struct Row {
    name: String,
    href: String,
    what: String,
    size: String,
    /// When it came in; what is made for each request has no time.
    at: Option<Timestamp>,
    /// Who put it there.
    by: String,
    /// Former versions that are kept.
    former: usize,
    download: String,
    /// Where it is deleted; none of what is made here.
    delete: Option<String>,
    /// It counts for nothing as long as another one is there.
    hidden_by: Option<&'static str>,
}

/// `GET /admin/devices/{key}/files`
pub async fn list(key: web::Path<String>, who: SignedIn, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let (known, world) = head::find(&services, &who, &key)?;
    let device = known.device.clone();
    let gather = move |services: &Services| {
        let files = device_files::files(services, DEFAULT_ACCOUNT, &device.key)?;
        let values = overrides::values(services, DEFAULT_ACCOUNT, &device, &world)?;
        let conflict = match directories::pair(services, DEFAULT_ACCOUNT, &device.key, Side::Own) {
            Ok(pair) => pair.map(|pair| told(&pair)),
            Err(ServiceError::Conflict(why)) => Some(why),
            Err(error) => return Err(error),
        };
        let made = [EffectiveFile::Master, EffectiveFile::Parameters].map(|file| {
            let secrets = credentials::of(services, DEFAULT_ACCOUNT, &device.key);
            let channel = credentials::channel_of(services, DEFAULT_ACCOUNT, &device.key);
            let recipient = crate::domain::credential::Recipient { device: &device, secrets: &secrets, channel };
            let (name, bytes) = effective_file::shown(&recipient, &world, file);
            (file, name, bytes.len() as u64)
        });
        Ok((files, values, conflict, made))
    };
    let (files, values, conflict, made) = blocking::call(&services, gather).await.map_err(Failure::of(&who))?;
    let page = who.page("Files");
    let head = Head::new(&known, page.now).marked(&services);
    let sections = sections(&head, &files, &made);
    let more_values = values.len().saturating_sub(VALUES);
    let values = values.into_iter().take(VALUES).collect();
    Ok(html(&FilesPage { page, head, sections, values, more_values, conflict }))
}

/// What is said of two directories.
fn told(pair: &directories::Pair) -> String {
    let contacts = |number| words::count(number, "contact", "contacts");
    let (is, differs) =
        (|number| if number == 1 { "is" } else { "are" }, |number| if number == 1 { "differs" } else { "differ" });
    match (pair.merged.only_given, pair.merged.differing.len()) {
        (0, 0) => "It has everything that yours has.".to_owned(),
        (lacks, 0) => format!("{} of yours {} not in it.", contacts(lacks), is(lacks)),
        (0, differ) => format!("{} {} from yours.", contacts(differ), differs(differ)),
        (lacks, differ) => format!("{} of yours {} not in it, and {differ} {}.", contacts(lacks), is(lacks), differs(differ)),
    }
}

fn sections(head: &Head, files: &[DeviceFile], made: &[(EffectiveFile, String, u64); 2]) -> Vec<Section> {
    let own = |names: &'static [&'static str]| files.iter().filter(|file| names.contains(&file.name.as_str()));
    let others = files.iter().filter(|file| !["phone.cfg", "system.cfg", "web.cfg"].contains(&file.name.as_str()));
    let hides = files.iter().any(|file| file.name == OWN_DIRECTORY);
    let row = |file: &DeviceFile| Row::of(head, file, hides);
    vec![
        Section {
            title: "Provisioning Profiles",
            purpose: "What the device gets now: all attributes of its profiles applied. Deleted with the device.",
            rows: made.iter().map(|(file, name, bytes)| Row::made(head, *file, name, *bytes)).collect(),
        },
        Section {
            title: "Phone Files",
            purpose: "Settings made on the device itself.",
            rows: own(&["phone.cfg", "system.cfg"]).map(row).collect(),
        },
        Section {
            title: "Web Files",
            purpose: "Settings made on the device's web page.",
            rows: own(&["web.cfg"]).map(row).collect(),
        },
        Section {
            title: "Other",
            purpose: "Contacts, call lists, licences, certificates and whatever was uploaded for this device.",
            rows: others.map(row).collect(),
        },
    ]
}

impl Row {
    fn made(head: &Head, file: EffectiveFile, name: &str, bytes: u64) -> Self {
        let (word, what) = match file {
            EffectiveFile::Master => ("master", "Master file: names the files that the device fetches next"),
            EffectiveFile::Parameters => ("parameters", "Every parameter with its value"),
        };
        Self {
            name: name.to_owned(),
            href: format!("/admin/devices/{}/effective/{word}", head.key),
            what: what.to_owned(),
            size: words::size(bytes),
            at: None,
            by: String::new(),
            former: 0,
            download: format!("/admin/devices/{}/served/{word}/download", head.key),
            delete: None,
            hidden_by: None,
        }
    }

    fn of(head: &Head, file: &DeviceFile, hides: bool) -> Self {
        let href = format!("/admin/devices/{}/files/{}", head.key, file.name);
        Self {
            name: shown_name(&head.key, &file.name),
            what: meaning(&file.name),
            size: words::size(file.size_bytes),
            at: Some(file.at),
            by: by(file.by.as_deref()),
            former: file.former.len(),
            download: format!("{href}/download"),
            delete: Some(format!("{href}/delete")),
            hidden_by: (hides && file.name == GIVEN_DIRECTORY).then_some("the phone's own counts"),
            href,
        }
    }
}

/// Who put a file there, in words.
pub fn by(by: Option<&str>) -> String {
    by.map_or_else(|| "the device".to_owned(), str::to_owned)
}

/// What a stored file is called on pages: as the device asks for it.
pub fn shown_name(key: &str, name: &str) -> String {
    match given(name) {
        Some((Directory::Contacts, name)) => format!("{key}-{name}"),
        Some((_, name)) => name.to_owned(),
        None => format!("{key}-{name}"),
    }
}

/// What a stored file is, in words.
pub fn meaning(name: &str) -> String {
    let known = match name {
        "phone.cfg" => "Settings made on the phone's menu",
        "web.cfg" => "Settings made on the phone's web page",
        "system.cfg" => "Settings made on the device",
        "cloud.cfg" => "Settings made by a cloud service",
        "license.cfg" => "Licence of this device",
        OWN_DIRECTORY => "Contacts of the phone",
        GIVEN_DIRECTORY => "Contacts given by an administrator",
        "calls.xml" => "Call lists",
        _ => return given(name).map_or_else(|| "File of the device".to_owned(), |(directory, _)| directory.label().to_owned()),
    };
    known.to_owned()
}

fn uploaded(device: &DeviceKey, (row, bytes): (DeviceFile, Vec<u8>), all: Vec<Version>) -> Uploaded {
    let name = shown_name(&device.to_string(), &row.name);
    let href = format!("/admin/devices/{device}/files/{}", row.name);
    Uploaded {
        saved_as: name.clone(),
        name,
        href,
        bytes,
        size_bytes: row.size_bytes,
        at: row.at,
        version: row.version,
        versions: all,
    }
}

/// The version that an address asks for.
fn version(request: &HttpRequest) -> Option<u32> {
    ListQuery::of(request, &[]).filter("version").and_then(|text| text.parse().ok())
}

/// `GET /admin/devices/{key}/files/{name}`
pub async fn show(
    request: HttpRequest,
    path: web::Path<(String, String)>,
    who: SignedIn,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let version = version(&request);
    let find = move |services: &Services, device: &DeviceKey, name: &str| {
        let all = versions::of(services, DEFAULT_ACCOUNT, device, name)?.versions().collect();
        versions::content(services, DEFAULT_ACCOUNT, device, name, version).map(|found| uploaded(device, found, all))
    };
    uploaded::show("Files", find, request, path, who, services).await
}

/// `GET /admin/devices/{key}/files/{name}/download`
pub async fn download(
    request: HttpRequest,
    path: web::Path<(String, String)>,
    who: SignedIn,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let (actor, version) = (who.actor.clone(), version(&request));
    let hand_out = move |services: &Services, device: &DeviceKey, name: &str| {
        let found = device_files::hand_out(services, &actor, DEFAULT_ACCOUNT, device, name, version)?;
        Ok(uploaded(device, found, Vec::new()))
    };
    uploaded::download(hand_out, path, who, services).await
}

/// `GET /admin/devices/{key}/served/{file}/download`: a file as the device gets it, with its secrets.
pub async fn download_served(
    path: web::Path<(String, String)>,
    who: SignedIn,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let Some(file) = EffectiveFile::parse(&path.1) else { return Err(Failure::not_found(&who, "file", &path.1)) };
    let actor = who.actor.clone();
    let hand_out = move |services: &Services, key: &DeviceKey, _: &str| {
        let (name, bytes) = effective_file::hand_out(services, &actor, DEFAULT_ACCOUNT, key, file)?;
        let (at, size_bytes) = (services.clock().now(), bytes.len() as u64);
        Ok(Uploaded {
            saved_as: name.clone(),
            name,
            href: String::new(),
            bytes,
            size_bytes,
            at,
            version: 0,
            versions: Vec::new(),
        })
    };
    uploaded::download(hand_out, path, who, services).await
}
