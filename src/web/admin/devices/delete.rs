//! Deleting one device or several: what goes with them is shown first, and what becomes of their keys is asked (R232,
//! contract 5.14).

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::list;
use crate::domain::device::DeviceKey;
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::services::Services;
use crate::services::commit::Mode;
use crate::services::devices::{self, Afterwards, Cascade};
use crate::web::admin::bulk::{Chosen, NAMED, Question};
use crate::web::admin::failure::Failure;
use crate::web::admin::forms::Form;
use crate::web::admin::layout::{Page, html};
use crate::web::admin::next::LocalPath;
use crate::web::admin::recycle_bin;
use crate::web::admin::session::SignedIn;
use crate::web::admin::words;
use crate::web::blocking;

#[derive(Template)]
#[template(path = "devices/delete.html")]
struct DeletePage {
    page: Page,
    form: Form,
    /// Key and name of the first devices.
    shown: Vec<(String, String)>,
    more: usize,
    question: Question,
    devices: usize,
    /// What goes with them.
    cascade: Vec<String>,
    back: String,
}

/// `GET /admin/devices/delete?select=…`
pub async fn ask(request: HttpRequest, who: SignedIn, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let form = Form::from_urlencoded(request.query_string().as_bytes()).unwrap_or_default();
    let chosen = list::chosen(&form, &who, &services)?;
    confirm(chosen, form, &who, &services).await
}

/// `POST /admin/devices/delete`: asks, or does it where it was asked.
pub async fn save(who: SignedIn, form: Form, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let chosen = list::chosen(&form, &who, &services)?;
    if !chosen.is_confirmed(&form) {
        return confirm(chosen, form, &who, &services).await;
    }
    let afterwards = if form.is("then", "block") { Afterwards::Block } else { Afterwards::Forget };
    let (keys, actor) = (chosen.keys, who.actor.clone());
    let delete = move |services: &Services| {
        // Those that went meanwhile are what was asked for.
        let roster = services.roster(DEFAULT_ACCOUNT);
        let there = keys.into_iter().filter(|key| roster.find(key).is_some()).collect();
        let gone = devices::delete_all(services, &actor, DEFAULT_ACCOUNT, &there, afterwards, Mode::Keep)?;
        let undo = recycle_bin::undo(services, &actor, gone.deletion);
        Ok((gone.what.into_iter().map(|one| one.label).collect::<Vec<_>>(), undo))
    };
    let (deleted, undo) = blocking::call(&services, delete).await.map_err(Failure::of(&who))?;
    let and_blocked = if afterwards == Afterwards::Block { " and blocked" } else { "" };
    Ok(match deleted.as_slice() {
        [] => who.not_done("/admin/devices", "Nothing was deleted: these devices are gone already."),
        [one] => who.deleted("/admin/devices", format!("{one} is deleted{and_blocked}."), undo),
        several => who.deleted("/admin/devices", format!("{} devices are deleted{and_blocked}.", several.len()), undo),
    })
}

async fn confirm(
    chosen: Chosen<DeviceKey>,
    form: Form,
    who: &SignedIn,
    services: &web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let back = LocalPath::parse(form.value("back")).map_or_else(|| "/admin/devices".to_owned(), |path| path.as_str().to_owned());
    let (question, actor) = (chosen.question(&form), who.actor.clone());
    let keys = chosen.keys;
    let gather = move |services: &Services| {
        let roster = services.roster(DEFAULT_ACCOUNT);
        let there = keys.into_iter().filter(|key| roster.find(key).is_some()).collect();
        // What goes with all of them is found in one go: they may be thousands, beside as many profiles.
        Ok(devices::delete_all(services, &actor, DEFAULT_ACCOUNT, &there, Afterwards::Forget, Mode::TryOut)?.what)
    };
    let found = blocking::call(services, gather).await.map_err(Failure::of(who))?;
    let title = match found.as_slice() {
        [] => return Ok(who.not_done(&back, "Tick the devices to delete first.")),
        [one] => format!("Delete {}?", one.label),
        several => format!("Delete {} devices?", words::number(&several.len())),
    };
    Ok(html(&DeletePage {
        page: who.page(title),
        form: Form::filled([("then", if form.is("then", "block") { "block" } else { "forget" })]),
        question,
        devices: found.len(),
        shown: found.iter().take(NAMED).map(|one| (one.key.to_string(), one.label.clone())).collect(),
        more: found.len().saturating_sub(NAMED),
        cascade: sentences(&found),
        back,
    }))
}

/// What goes with the devices, in words.
fn sentences(found: &[Cascade]) -> Vec<String> {
    let sum = |number: fn(&Cascade) -> usize| found.iter().map(number).sum::<usize>();
    let mut sentences = Vec::new();
    let attachments = sum(|one| one.detached_profiles.len());
    if attachments > 0 {
        let what = words::count(attachments, "attachment of a profile", "attachments of profiles");
        sentences.push(format!("{what}; the profiles themselves stay"));
    }
    let own: Vec<&str> = found.iter().filter_map(|one| one.own_profile.as_deref()).collect();
    match own.as_slice() {
        [] => {}
        [one] => sentences.push(format!("the profile {one}, which came by CSV")),
        several => sentences.push(format!("{} that came by CSV", words::count(several.len(), "profile", "profiles"))),
    }
    let of_lines: Vec<&str> = found.iter().filter_map(|one| one.lines_profile.as_deref()).collect();
    match of_lines.as_slice() {
        [] => {}
        [one] => sentences.push(format!("the profile {one}, which was made for its lines")),
        several => sentences.push(format!("{} made for their lines", words::count(several.len(), "profile", "profiles"))),
    }
    match (found, sum(|one| one.files.len())) {
        (_, 0) => {}
        ([one], count) => {
            sentences.push(format!("{}: {}", words::count(count, "stored file", "stored files"), one.files.join(", ")))
        }
        (_, count) => sentences.push(words::count(count, "stored file", "stored files")),
    }
    sentences.push(words::count(sum(|one| one.logs), "log", "logs"));
    sentences.push(words::count(sum(|one| one.runs), "run", "runs"));
    sentences
}
