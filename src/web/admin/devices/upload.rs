//! Upload Device File: for one device, or for those that were ticked in the Device Monitor (R222–R224). What comes of it is shown before
//! it is done.

use std::collections::BTreeSet;

use actix_multipart::Multipart;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};

use super::files::{meaning, shown_name};
use super::{head, list};
use crate::domain::device::DeviceKey;
use crate::domain::field_error::FieldErrors;
use crate::domain::given_file::{Content, Directory};
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::domain::limits::GIVEN_DEVICES;
use crate::services::Services;
use crate::services::commit::Mode;
use crate::services::device_files::given::{self, Outcome, Put, Sent};
use crate::services::error::ServiceError;
use crate::services::pending_imports::Into;
use crate::web::admin::bulk::{Chosen, NAMED, Question};
use crate::web::admin::failure::Failure;
use crate::web::admin::forms::Form;
use crate::web::admin::imports;
use crate::web::admin::layout::{Page, html, html_rejected, see_other};
use crate::web::admin::next::LocalPath;
use crate::web::admin::sent_file;
use crate::web::admin::session::SignedIn;
use crate::web::admin::words;
use crate::web::{blocking, sizes};

const LIST: &str = "/admin/devices";
/// Rows of a preview.
const ROWS: usize = 200;

#[derive(Template)]
#[template(path = "devices/upload.html")]
struct UploadPage {
    page: Page,
    form: Form,
    /// Key and name of the first devices.
    shown: Vec<(String, String)>,
    more: usize,
    question: Question,
    directories: Vec<(&'static str, String)>,
    accepted: &'static str,
    back: String,
}

#[derive(Template)]
#[template(path = "devices/upload_preview.html")]
struct PreviewPage {
    page: Page,
    token: String,
    directory: &'static str,
    rows: Vec<Row>,
    more: usize,
    /// What files of overrides set: file, parameter and masked value.
    set: Vec<(String, String, String)>,
    /// How many values more they set.
    more_set: usize,
    /// Files that are new or take the place of another.
    changed: usize,
}

struct Row {
    key: String,
    title: String,
    name: String,
    what: String,
    tone: &'static str,
    word: &'static str,
}

/// What waits for its person.
#[derive(Serialize, Deserialize)]
struct Waiting {
    directory: String,
    keys: Vec<String>,
    /// Name and content in base64.
    files: Vec<(String, String)>,
    back: String,
}

impl Waiting {
    fn read(&self) -> Option<(BTreeSet<DeviceKey>, Directory, Vec<Sent>)> {
        let keys = self.keys.iter().map(|key| key.parse().ok()).collect::<Option<_>>()?;
        let sent = |(name, text): &(String, String)| Some(Sent { name: name.clone(), bytes: BASE64_STANDARD.decode(text).ok()? });
        Some((keys, Directory::parse(&self.directory)?, self.files.iter().map(sent).collect::<Option<_>>()?))
    }
}

fn back(form: &Form) -> String {
    LocalPath::parse(form.value("back")).map_or_else(|| LIST.to_owned(), |path| path.as_str().to_owned())
}

/// `GET /admin/devices/upload?select=…`
pub async fn ask(request: HttpRequest, who: SignedIn, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let mut form = Form::from_urlencoded(request.query_string().as_bytes()).unwrap_or_default();
    if let Some(key) = form.text("select").map(str::to_owned) {
        let (known, _) = head::find(&services, &who, &key)?;
        form.set("back", format!("{LIST}/{}/files", known.device.key));
    }
    asked(form, &who, &services)
}

/// `POST /admin/devices/upload`: for the ticked devices.
pub async fn ask_many(who: SignedIn, form: Form, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    asked(form, &who, &services)
}

fn asked(form: Form, who: &SignedIn, services: &web::Data<Services>) -> Result<HttpResponse, Failure> {
    let chosen = list::chosen(&form, who, services)?;
    let back = back(&form);
    if chosen.is_empty() {
        return Ok(who.not_done(&back, "Tick the devices first."));
    }
    if chosen.len() > GIVEN_DEVICES {
        let text = format!("Files are uploaded for at most {GIVEN_DEVICES} devices at once: narrow the list.");
        return Ok(who.not_done(&back, text));
    }
    let shown = Form::filled([("directory", form.value("directory"))]);
    Ok(html(&page(who, services, &chosen, shown, &form, back)))
}

fn page(who: &SignedIn, services: &Services, chosen: &Chosen<DeviceKey>, shown: Form, form: &Form, back: String) -> UploadPage {
    let roster = services.roster(DEFAULT_ACCOUNT);
    let named = chosen.keys.iter().take(NAMED).filter_map(|key| roster.find(key));
    let directory = |one: Directory| (one.word(), format!("{} ({})", one.label(), one.attribute()));
    UploadPage {
        page: who.page("Upload Device File"),
        form: shown,
        shown: named.map(|one| (one.device.key.to_string(), words::title(&one.device))).collect(),
        more: chosen.len().saturating_sub(NAMED),
        question: chosen.question(form),
        directories: Directory::ALL.map(directory).to_vec(),
        accepted: Content::ACCEPTED,
        back,
    }
}

/// `POST /admin/devices/upload/files`: the files with what was chosen.
pub async fn take(who: SignedIn, parts: Multipart, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let mut fields = Vec::new();
    let files = sent_file::read_all(parts, sizes::DEVICE_FILE, &mut fields).await;
    let form = Form::filled(fields);
    let chosen = list::chosen(&form, &who, &services)?;
    let back = back(&form);
    let rejected = |errors: &FieldErrors| {
        let shown = Form::filled([("directory", form.value("directory"))]).rejected_by(errors, field);
        let mut asked = form.clone();
        asked.set("confirmed", "");
        Ok(html_rejected(&page(&who, &services, &chosen, shown, &asked, back.clone())))
    };
    if !chosen.may_pass(&form) {
        return rejected(&FieldErrors::one("files", "say how many devices these files are for, and choose the files again"));
    }
    let files = match files {
        Ok(files) => files,
        Err(message) => return rejected(&FieldErrors::one("files", message)),
    };
    let Some(directory) = Directory::parse(form.value("directory")) else {
        return rejected(&FieldErrors::one("directory", "choose a directory"));
    };
    let sent: Vec<Sent> = files.into_iter().map(|file| Sent { name: file.name, bytes: file.bytes }).collect();
    let waiting = Waiting {
        directory: directory.word().to_owned(),
        keys: chosen.keys.iter().map(ToString::to_string).collect(),
        files: sent.iter().map(|file| (file.name.clone(), BASE64_STANDARD.encode(&file.bytes))).collect(),
        back: back.clone(),
    };
    let (actor, keys) = (who.actor.clone(), chosen.keys.clone());
    let tried =
        move |services: &Services| given::put(services, &actor, DEFAULT_ACCOUNT, &keys, directory, &sent, Mode::TryOut).map(drop);
    match blocking::call(&services, tried).await {
        Ok(()) => {
            let bytes = serde_json::to_vec(&waiting).unwrap_or_default().into();
            let token = imports::keep(&who, &services, Into::DeviceFiles, 0, String::new(), bytes);
            Ok(see_other(&format!("{LIST}/upload/{token}")))
        }
        Err(ServiceError::Invalid(errors)) => rejected(&errors),
        Err(ServiceError::Conflict(why)) => rejected(&FieldErrors::one("files", why)),
        Err(error) => Err(Failure::new(&who, error)),
    }
}

/// Fields of the service by their names on the page.
fn field(name: &str) -> String {
    match name {
        "directory" => "directory",
        _ => "files",
    }
    .to_owned()
}

fn waiting(who: &SignedIn, services: &Services, token: &str) -> Option<Waiting> {
    let pending = imports::waiting(who, services, Into::DeviceFiles, token)?;
    serde_json::from_slice(&pending.bytes).ok()
}

/// `GET /admin/devices/upload/{token}`: what it would do.
pub async fn preview(token: web::Path<String>, who: SignedIn, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let Some((waiting, (keys, directory, files))) =
        waiting(&who, &services, &token).and_then(|one| one.read().map(|read| (one, read)))
    else {
        return Ok(imports::over(&who, LIST));
    };
    let set = given::set_by(directory, &files);
    let more_set = set.len().saturating_sub(ROWS);
    let set = set.into_iter().take(ROWS).map(|(file, name, value)| (file.to_owned(), name, value)).collect();
    let actor = who.actor.clone();
    let tried = move |services: &Services| given::put(services, &actor, DEFAULT_ACCOUNT, &keys, directory, &files, Mode::TryOut);
    let put = match blocking::call(&services, tried).await {
        Ok(put) => put,
        Err(ServiceError::Conflict(why)) => return Ok(who.not_done(&waiting.back, format!("Nothing was changed: {why}."))),
        Err(error) => return Err(Failure::new(&who, error)),
    };
    let roster = services.roster(DEFAULT_ACCOUNT);
    let row = |put: &Put| {
        let (tone, word) = match put.outcome {
            Outcome::New => ("ok", "new"),
            Outcome::Replaces => ("info", "replaces one"),
            Outcome::Same => ("off", "is there already"),
        };
        let key = put.key.to_string();
        Row {
            title: roster.find(&put.key).map_or_else(|| key.clone(), |one| words::title(&one.device)),
            name: shown_name(&key, &put.name),
            what: meaning(&put.name),
            tone,
            word,
            key,
        }
    };
    Ok(html(&PreviewPage {
        page: who.page("Upload Device File"),
        token: token.into_inner(),
        directory: directory.label(),
        rows: put.iter().take(ROWS).map(row).collect(),
        more: put.len().saturating_sub(ROWS),
        set,
        more_set,
        changed: put.iter().filter(|one| one.outcome != Outcome::Same).count(),
    }))
}

/// `POST /admin/devices/upload/{token}`: does it, or drops it.
pub async fn decide(
    token: web::Path<String>,
    who: SignedIn,
    form: Form,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let Some((waiting, (keys, directory, files))) =
        waiting(&who, &services, &token).and_then(|one| one.read().map(|read| (one, read)))
    else {
        return Ok(imports::over(&who, LIST));
    };
    if !form.is("do", "accept") {
        services.pending_imports().remove(&token);
        return Ok(who.not_done(&waiting.back, "Nothing was uploaded."));
    }
    let actor = who.actor.clone();
    let put = move |services: &Services| given::put(services, &actor, DEFAULT_ACCOUNT, &keys, directory, &files, Mode::Keep);
    match blocking::call(&services, put).await {
        Ok(put) => {
            services.pending_imports().remove(&token);
            let changed = put.iter().filter(|one| one.outcome != Outcome::Same).count();
            let files = words::count(changed, "file is", "files are");
            Ok(who.done(&waiting.back, format!("{files} uploaded. Devices take them at their next boot.")))
        }
        Err(ServiceError::Conflict(why)) => Ok(who.not_done(&waiting.back, format!("Nothing was changed: {why}."))),
        Err(error) => Err(Failure::new(&who, error)),
    }
}
