//! Deleting for good: asked first, as nothing brings it back.

use std::collections::BTreeSet;

use actix_web::{HttpRequest, HttpResponse, web};

use super::{HERE, selected};
use crate::domain::ids::{DEFAULT_ACCOUNT, DeletionId};
use crate::services::commit::Mode;
use crate::services::{Services, recycle_bin};
use crate::web::admin::failure::Failure;
use crate::web::admin::forms::Form;
use crate::web::admin::layout::{ConfirmPage, html};
use crate::web::admin::session::SignedIn;
use crate::web::admin::words;
use crate::web::blocking;

/// Deletions that are named in the question; the rest is counted.
const NAMED: usize = 10;

/// `GET /admin/recycle-bin/delete?select=…`
pub async fn ask(request: HttpRequest, who: SignedIn, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let form = Form::from_urlencoded(request.query_string().as_bytes()).unwrap_or_default();
    confirm(&form, &who, &services).await
}

/// `POST /admin/recycle-bin/delete`: asks, or does it where it was asked.
pub async fn save(who: SignedIn, form: Form, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    if !form.is("confirmed", "yes") {
        return confirm(&form, &who, &services).await;
    }
    let (wanted, actor) = (selected(&form), who.actor.clone());
    let purge = move |services: &Services| {
        // Those that went meanwhile are what was asked for.
        let all = recycle_bin::list(services, DEFAULT_ACCOUNT)?;
        let ids: BTreeSet<DeletionId> = all.iter().map(|one| one.id).filter(|id| wanted.contains(id)).collect();
        recycle_bin::purge(services, &actor, DEFAULT_ACCOUNT, &ids, Mode::Keep)
    };
    Ok(match blocking::call(&services, purge).await.map_err(Failure::of(&who))? {
        0 => who.not_done(HERE, "Nothing was deleted: it is not in the recycle bin any more."),
        1 => who.done(HERE, "1 object is deleted for good."),
        number => who.done(HERE, format!("{number} objects are deleted for good.")),
    })
}

async fn confirm(form: &Form, who: &SignedIn, services: &web::Data<Services>) -> Result<HttpResponse, Failure> {
    let wanted = selected(form);
    let all = blocking::call(services, |services| recycle_bin::list(services, DEFAULT_ACCOUNT)).await;
    let all = all.map_err(Failure::of(who))?;
    let there: Vec<_> = all.iter().filter(|one| wanted.contains(&one.id)).collect();
    if there.is_empty() {
        return Ok(who.not_done(HERE, "Tick first what is to be deleted for good."));
    }
    let objects: u64 = there.iter().map(|one| one.objects()).sum();
    let objects = words::count(usize::try_from(objects).unwrap_or(usize::MAX), "object", "objects");
    let mut sentences: Vec<String> = there.iter().take(NAMED).map(|one| format!("{}.", one.label())).collect();
    if there.len() > NAMED {
        sentences.push(format!("And {} more.", words::count(there.len() - NAMED, "deletion", "deletions")));
    }
    sentences.push("Their files, logs and runs go too. Nothing brings them back.".to_owned());
    let mut fields: Vec<(String, String)> = there.iter().map(|one| ("select".to_owned(), one.id.to_string())).collect();
    fields.push(("confirmed".to_owned(), "yes".to_owned()));
    Ok(html(&ConfirmPage {
        page: who.page(format!("Delete {objects} for good?")),
        sentences,
        action: format!("{HERE}/delete"),
        fields,
        choices: Vec::new(),
        verb: "Delete for good",
        is_harmless: false,
        back: HERE.to_owned(),
    }))
}
