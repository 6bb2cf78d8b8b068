//! Merging the two directories of devices, the administrator's and the phone's, with what comes of it shown first (contract 5.13).

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::list;
use crate::domain::contacts::{Contact, Side};
use crate::domain::device::DeviceKey;
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::services::Services;
use crate::services::commit::Mode;
use crate::services::device_files::directories::{self, Merging, Pair};
use crate::services::error::ServiceError;
use crate::web::admin::bulk::{Chosen, Question};
use crate::web::admin::failure::Failure;
use crate::web::admin::forms::Form;
use crate::web::admin::layout::{Page, html};
use crate::web::admin::next::LocalPath;
use crate::web::admin::session::SignedIn;
use crate::web::admin::words;
use crate::web::blocking;

/// Devices and contacts that a page names; the rest are counted.
const ROWS: usize = 100;

#[derive(Template)]
#[template(path = "devices/directories.html")]
struct MergePage {
    page: Page,
    form: Form,
    rows: Vec<Row>,
    more: usize,
    same: usize,
    left: Vec<(String, String)>,
    more_left: usize,
    /// Of one device: the contacts that differ, the administrator's and the phone's.
    differing: Vec<(String, String)>,
    question: Question,
    changed: usize,
    back: String,
}

struct Row {
    key: String,
    title: String,
    contacts: usize,
    own: usize,
    given: usize,
    differing: usize,
}

/// `GET /admin/devices/directories?select=…`
pub async fn ask(request: HttpRequest, who: SignedIn, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let form = Form::from_urlencoded(request.query_string().as_bytes()).unwrap_or_default();
    let chosen = list::chosen(&form, &who, &services)?;
    confirm(chosen, form, &who, &services).await
}

/// `POST /admin/devices/directories`: asks, or does it where it was asked.
pub async fn save(who: SignedIn, form: Form, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let chosen = list::chosen(&form, &who, &services)?;
    if !chosen.is_confirmed(&form) || !form.is("do", "merge") {
        return confirm(chosen, form, &who, &services).await;
    }
    let (keys, actor, wins, back) = (chosen.keys, who.actor.clone(), wins(&form), back(&form));
    let merge = move |services: &Services| directories::merge_all(services, &actor, DEFAULT_ACCOUNT, &keys, wins, Mode::Keep);
    match blocking::call(&services, merge).await {
        Ok(merging) => {
            let devices = words::count(merging.changed.len(), "device", "devices");
            Ok(who.done(&back, format!("The directories of {devices} are merged. The phones take them at their next boot.")))
        }
        Err(ServiceError::Conflict(why)) => Ok(who.not_done(&back, format!("Nothing was changed: {why}."))),
        Err(error) => Err(Failure::new(&who, error)),
    }
}

fn wins(form: &Form) -> Side {
    Side::parse(form.value("wins")).unwrap_or(Side::Own)
}

fn back(form: &Form) -> String {
    LocalPath::parse(form.value("back")).map_or_else(|| "/admin/devices".to_owned(), |path| path.as_str().to_owned())
}

async fn confirm(
    chosen: Chosen<DeviceKey>,
    form: Form,
    who: &SignedIn,
    services: &web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let back = back(&form);
    if chosen.is_empty() {
        return Ok(who.not_done(&back, "Tick the devices first."));
    }
    let (question, wins, actor) = (chosen.question(&form), wins(&form), who.actor.clone());
    let keys = chosen.keys;
    let look = move |services: &Services| directories::merge_all(services, &actor, DEFAULT_ACCOUNT, &keys, wins, Mode::TryOut);
    let merging = match blocking::call(services, look).await {
        Ok(merging) => merging,
        Err(ServiceError::Conflict(why)) => return Ok(who.not_done(&back, format!("Nothing was changed: {why}."))),
        Err(error) => return Err(Failure::new(who, error)),
    };
    Ok(html(&page(who, services, merging, wins, question, back)))
}

fn page(
    who: &SignedIn,
    services: &Services,
    Merging { changed, same, left }: Merging,
    wins: Side,
    question: Question,
    back: String,
) -> MergePage {
    let roster = services.roster(DEFAULT_ACCOUNT);
    let title = |key: &DeviceKey| roster.find(key).map_or_else(|| key.to_string(), |one| words::title(&one.device));
    let row = |pair: &Pair| Row {
        key: pair.key.to_string(),
        title: title(&pair.key),
        contacts: pair.merged.contacts.len(),
        own: pair.counts.0,
        given: pair.counts.1,
        differing: pair.merged.differing.len(),
    };
    let told = |contact: &Contact| format!("{} {}", contact.label(), contact.number());
    let differing = match changed.as_slice() {
        [one] => one.merged.differing.iter().take(ROWS).map(|(given, own)| (told(given), told(own))).collect(),
        _ => Vec::new(),
    };
    MergePage {
        page: who.page("Merge directories"),
        form: Form::filled([("wins", wins.word())]),
        rows: changed.iter().take(ROWS).map(row).collect(),
        more: changed.len().saturating_sub(ROWS),
        same: same.len(),
        left: left.iter().take(ROWS).map(|one| (title(&one.key), one.why.clone())).collect(),
        more_left: left.len().saturating_sub(ROWS),
        differing,
        question,
        changed: changed.len(),
        back,
    }
}
