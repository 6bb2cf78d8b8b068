//! The revocation lists of manufacturers, on the page of their CAs.

use actix_multipart::Multipart;
use actix_web::{HttpRequest, HttpResponse, web};

use super::{HERE, rejected_file};
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::domain::manufacturer::RevocationList;
use crate::services::Services;
use crate::services::commit::Mode;
use crate::services::error::ServiceError;
use crate::services::manufacturers::revocation;
use crate::web::admin::failure::Failure;
use crate::web::admin::forms::Form;
use crate::web::admin::layout::{ConfirmPage, Page, html, see_other};
use crate::web::admin::sent_file;
use crate::web::admin::session::SignedIn;
use crate::web::admin::words;
use crate::web::methods::Routes;
use crate::web::{blocking, sizes};

pub(super) const UPLOAD: &str = "/admin/provisioning/phone-certificates/lists/upload";
/// Field of the page that mistakes of a file stand at.
const FIELD: &str = "list";

/// A list as the page shows it.
pub(super) struct Row {
    pub(super) issuer: String,
    pub(super) entries: String,
    pub(super) made: String,
    pub(super) next: String,
    pub(super) is_overdue: bool,
    pub(super) added: String,
    pub(super) delete_href: String,
}

/// The lists of an account.
pub(super) fn rows(page: &Page, lists: &[RevocationList]) -> Vec<Row> {
    let row = |one: &RevocationList| Row {
        issuer: one.issuer.clone(),
        entries: words::count(one.entries, "certificate", "certificates"),
        made: page.exact(&one.made_at),
        next: page.exact(&one.next_update),
        is_overdue: one.next_update <= page.now,
        added: format!("{} by {}", page.ago(&one.added_at), one.by),
        delete_href: format!("{HERE}/lists/delete?list={}", one.fingerprint),
    };
    lists.iter().map(row).collect()
}

/// Their addresses.
pub(super) fn configure(routes: &mut Routes) {
    routes
        // A reload after a rejected file asks by GET: it gets the page.
        .get(UPLOAD, || async { see_other(HERE) })
        .post(UPLOAD, upload)
        .get("/admin/provisioning/phone-certificates/lists/delete", ask)
        .post("/admin/provisioning/phone-certificates/lists/delete", delete);
}

async fn upload(who: SignedIn, parts: Multipart, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let file = match sent_file::read(parts, sizes::REVOCATION_LISTS).await {
        Ok(file) => file,
        Err(message) => return rejected_file(&who, &services, FIELD, message.to_owned()),
    };
    let actor = who.actor.clone();
    let add = move |services: &Services| revocation::add(services, &actor, DEFAULT_ACCOUNT, &file.bytes, Mode::Keep);
    match blocking::call(&services, add).await {
        Ok(added) => {
            let what = words::count(added.len(), "revocation list is", "revocation lists are");
            Ok(who.done(HERE, format!("{what} here now. What is named there counts as none from the next connection on.")))
        }
        Err(ServiceError::Invalid(errors)) => {
            let told = errors.iter().map(|error| error.message.clone()).collect::<Vec<_>>().join("; ");
            rejected_file(&who, &services, FIELD, told)
        }
        Err(error) => Err(Failure::new(&who, error)),
    }
}

/// `GET …/lists/delete?list=…`: what deleting changes.
async fn ask(request: HttpRequest, who: SignedIn, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let query = Form::from_urlencoded(request.query_string().as_bytes()).unwrap_or_default();
    let found = revocation::find(&services, DEFAULT_ACCOUNT, query.value("list"));
    let list = found.map_err(Failure::of(&who))?;
    let named = words::count(list.entries, "certificate", "certificates");
    Ok(html(&ConfirmPage {
        page: who.page("Delete this revocation list?"),
        sentences: vec![format!(
            "The list of {} names {named}. Without it they count again, from the next connection on.",
            list.issuer
        )],
        action: format!("{HERE}/lists/delete"),
        fields: vec![("list".to_owned(), list.fingerprint)],
        choices: Vec::new(),
        verb: "Delete revocation list",
        is_harmless: false,
        back: HERE.to_owned(),
    }))
}

async fn delete(who: SignedIn, form: Form, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let (actor, list) = (who.actor.clone(), form.value("list").to_owned());
    let delete = move |services: &Services| revocation::remove(services, &actor, DEFAULT_ACCOUNT, &list, Mode::Keep);
    let removed = blocking::call(&services, delete).await.map_err(Failure::of(&who))?;
    Ok(who.done(HERE, format!("The revocation list of {} is deleted.", removed.issuer)))
}
