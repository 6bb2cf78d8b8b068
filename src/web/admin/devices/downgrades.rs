//! Allowing the ticked devices of the Device Monitor to go back to the older software that is chosen for them (contract 5.12).

use actix_web::{HttpResponse, web};

use super::list;
use crate::domain::device::DeviceKey;
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::domain::software::downgrade::Downgrade;
use crate::domain::software::{SoftwareChoice, SoftwareVersion};
use crate::services::commit::Mode;
use crate::services::{Services, downgrades};
use crate::web::admin::bulk::{BulkPage, Chosen, NAMED, Named};
use crate::web::admin::failure::Failure;
use crate::web::admin::forms::Form;
use crate::web::admin::layout::html;
use crate::web::admin::next::LocalPath;
use crate::web::admin::session::SignedIn;
use crate::web::admin::words;
use crate::web::blocking;

/// `POST /admin/devices/downgrades`: asks, or does it where it was asked.
pub async fn save(who: SignedIn, form: Form, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let back = LocalPath::parse(form.value("back")).map_or_else(|| "/admin/devices".to_owned(), |path| path.as_str().to_owned());
    let chosen = list::chosen(&form, &who, &services)?;
    if chosen.is_empty() {
        return Ok(who.not_done(&back, "Tick the devices first."));
    }
    let shown: Vec<SoftwareChoice> = form.values("software").filter_map(software).collect();
    if shown.is_empty() || !chosen.is_confirmed(&form) {
        return ask(&chosen, &form, &who, &services, back).await;
    }
    let (actor, keys) = (who.actor.clone(), chosen.keys);
    let allow = move |services: &Services| downgrades::allow_all(services, &actor, DEFAULT_ACCOUNT, &keys, &shown, Mode::Keep);
    let done = blocking::call(&services, allow).await.map_err(Failure::of(&who))?;
    Ok(match done.allowed.len() {
        0 => who.not_done(&back, "Nothing was allowed: none of these devices waits for it any more."),
        count => {
            let devices = words::count(count, "device may", "devices may");
            who.done(&back, format!("{devices} go back at the next boot or poll."))
        }
    })
}

/// A version of a family as the question names it.
fn software(text: &str) -> Option<SoftwareChoice> {
    let (version, family) = text.split_once(' ')?;
    Some(SoftwareChoice { family: family.to_owned(), version: version.parse::<SoftwareVersion>().ok()? })
}

async fn ask(
    chosen: &Chosen<DeviceKey>,
    form: &Form,
    who: &SignedIn,
    services: &web::Data<Services>,
    back: String,
) -> Result<HttpResponse, Failure> {
    let (actor, keys) = (who.actor.clone(), chosen.keys.clone());
    // Tried out, so that the page shows what it does to devices.
    let gather = move |services: &Services| {
        let waiting = downgrades::waiting_among(services, DEFAULT_ACCOUNT, &keys)?;
        if !waiting.is_empty() {
            downgrades::allow_all(services, &actor, DEFAULT_ACCOUNT, &keys, &choices(&waiting), Mode::TryOut)?;
        }
        Ok(waiting)
    };
    let waiting: Vec<Downgrade> = blocking::call(services, gather).await.map_err(Failure::of(who))?;
    let all: Vec<&DeviceKey> = waiting.iter().flat_map(|one| &one.devices).collect();
    if all.is_empty() {
        return Ok(who.not_done(&back, "None of these devices waits for consent to older software."));
    }
    let roster = services.roster(DEFAULT_ACCOUNT);
    let named = |key: &&DeviceKey| {
        let one = roster.find(key)?;
        let runs = one.device.told_software().and_then(|told| told.installed.as_ref()).map(ToString::to_string);
        let note = runs.map_or_else(String::new, |version| format!("runs {version}"));
        Some(Named { href: format!("/admin/devices/{key}/software"), name: words::title(&one.device), note })
    };
    let names: Vec<Named> = all.iter().take(NAMED).filter_map(named).collect();
    let devices = words::count(all.len(), "device", "devices");
    let left = chosen.len() - all.len();
    let others = (left > 0)
        .then(|| format!("{} stay as they are: they wait for no such consent.", words::count(left, "device", "devices")));
    let software = choices(&waiting).into_iter().map(|one| ("software".to_owned(), format!("{} {}", one.version, one.family)));
    Ok(html(&BulkPage {
        page: who.page(format!("Allow {devices} to go back?")),
        parents: vec![("/admin/devices".to_owned(), "Device Monitor".to_owned())],
        more: all.len().saturating_sub(names.len()),
        names,
        sentences: waiting.iter().map(Downgrade::told).chain(others).collect(),
        closing: "They take the older software at their next boot or poll and restart.",
        question: chosen.question(form),
        fields: [("back".to_owned(), back.clone())].into_iter().chain(software).collect(),
        action: "/admin/devices/downgrades".to_owned(),
        verb: format!("Allow {devices} to go back"),
        is_harmless: true,
        back,
    }))
}

fn choices(waiting: &[Downgrade]) -> Vec<SoftwareChoice> {
    waiting.iter().map(|one| SoftwareChoice { family: one.family.clone(), version: one.to.clone() }).collect()
}
