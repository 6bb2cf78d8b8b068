//! Certificates of Phones: what a factory certificate is worth, and the manufacturers whose certificates count (R373, R374).

mod lists;

use std::sync::Arc;

use actix_multipart::Multipart;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::conflict::{Conflict, Differing};
use super::failure::Failure;
use super::forms::Form;
use super::layout::{ConfirmPage, Page, html, html_rejected, html_with, see_other};
use super::sent_file;
use super::session::SignedIn;
use super::{unsent, words};
use crate::domain::account::{Account, CertificatePolicy};
use crate::domain::activity::Event;
use crate::domain::field_error::FieldErrors;
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::domain::manufacturer::ManufacturerCa;
use crate::services::Services;
use crate::services::accounts::{self, AccountDraft};
use crate::services::commit::Mode;
use crate::services::error::ServiceError;
use crate::services::manufacturers::{self, Removal, Standing};
use crate::web::methods::Routes;
use crate::web::{blocking, sizes};

const HERE: &str = "/admin/provisioning/phone-certificates";
const UPLOAD: &str = "/admin/provisioning/phone-certificates/upload";

#[derive(Template)]
#[template(path = "provisioning/phone_certificates.html")]
struct CertificatesPage {
    page: Page,
    form: Form,
    revision: u64,
    conflict: Option<Conflict>,
    authorities: Vec<Authority>,
    standing: Standing,
    is_asking: bool,
    lists: Vec<lists::Row>,
}

struct Authority {
    subject: String,
    fingerprint: String,
    validity: String,
    /// A word for a validity that is over or not begun.
    doubt: Option<&'static str>,
    added: String,
    delete_href: String,
}

/// The addresses of the page.
pub fn configure(routes: &mut Routes) {
    routes
        .get(HERE, show)
        .post(HERE, save)
        // A reload after a rejected file asks by GET: it gets the page.
        .get(UPLOAD, || async { see_other(HERE) })
        .post(UPLOAD, upload)
        .get("/admin/provisioning/phone-certificates/delete", ask)
        .post("/admin/provisioning/phone-certificates/delete", delete);
    lists::configure(routes);
}

async fn show(request: HttpRequest, who: SignedIn, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let typed = unsent::given_back_from(HERE, &request, &who, &services);
    Ok(html(&certificates_page(&who, &services, typed)?))
}

/// `POST /admin/provisioning/phone-certificates`: the policy.
async fn save(who: SignedIn, form: Form, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let policy = CertificatePolicy::ALL.into_iter().find(|(word, _)| form.is("certificates", word));
    let draft = AccountDraft {
        certificates: policy.map(|(_, policy)| policy),
        accept_expired: Some(form.has("accept_expired")),
        ..AccountDraft::default()
    };
    let (actor, revision) = (who.actor.clone(), form.value("revision").parse().unwrap_or_default());
    let save = move |services: &Services| accounts::update(services, &actor, DEFAULT_ACCOUNT, Some(revision), &draft);
    match blocking::call(&services, save).await {
        Ok(_) => {
            Ok(who.done(HERE, "What certificates of phones are worth is saved. It counts from each phone's next connection."))
        }
        Err(ServiceError::Invalid(errors)) => {
            Ok(html_rejected(&certificates_page(&who, &services, Some(form.rejected(&errors)))?))
        }
        Err(ServiceError::Conflict(_)) => overtaken(&who, &services, form, revision).await,
        Err(error) => Err(Failure::new(&who, error)),
    }
}

async fn overtaken(who: &SignedIn, services: &web::Data<Services>, form: Form, revision: u64) -> Result<HttpResponse, Failure> {
    let account = account(who, services)?;
    let (stored, told) = (stored(&account), |form: &Form| if form.has("accept_expired") { "on" } else { "off" });
    let mut differing = Differing::between(&form, [("certificates", "Policy", stored.value("certificates").to_owned())]);
    if told(&stored) != told(&form) {
        let (stored, typed) = (told(&stored).to_owned(), told(&form).to_owned());
        differing.push(Differing { label: "Expired certificates count".to_owned(), stored, typed });
    }
    let missed = account.revision.saturating_sub(revision);
    let is_about = |event: &Event| event.object == "account" && event.action == "changed";
    let conflict = Conflict::new(services, who, DEFAULT_ACCOUNT, missed, is_about, differing).await?;
    let mut page = certificates_page(who, services, Some(form))?;
    (page.revision, page.conflict) = (account.revision, Some(conflict));
    Ok(html_with(StatusCode::CONFLICT, &page))
}

async fn upload(who: SignedIn, parts: Multipart, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let rejected = |message: String| rejected_file(&who, &services, sent_file::FIELD, message);
    let file = match sent_file::read(parts, sizes::AUTHORITIES).await {
        Ok(file) => file,
        Err(message) => return rejected(message.to_owned()),
    };
    let actor = who.actor.clone();
    let add = move |services: &Services| manufacturers::add(services, &actor, DEFAULT_ACCOUNT, &file.bytes, Mode::Keep);
    match blocking::call(&services, add).await {
        Ok(added) => {
            let what = words::count(added.len(), "CA certificate is", "CA certificates are");
            Ok(who.done(HERE, format!("{what} here now.")))
        }
        Err(ServiceError::Invalid(errors)) => {
            let told = errors.iter().map(|error| error.message.clone()).collect::<Vec<_>>().join("; ");
            rejected(told)
        }
        Err(error) => Err(Failure::new(&who, error)),
    }
}

/// The page with what is wrong with a file.
fn rejected_file(
    who: &SignedIn,
    services: &web::Data<Services>,
    field: &'static str,
    message: String,
) -> Result<HttpResponse, Failure> {
    let account = account(who, services)?;
    let form = stored(&account).rejected(&FieldErrors::one(field, message));
    Ok(html_rejected(&certificates_page(who, services, Some(form))?))
}

/// `GET …/delete?ca=…`: what deleting changes.
async fn ask(request: HttpRequest, who: SignedIn, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let query = Form::from_urlencoded(request.query_string().as_bytes()).unwrap_or_default();
    let found = manufacturers::removal(&services, DEFAULT_ACCOUNT, query.value("ca"));
    let removal = found.map_err(Failure::of(&who))?;
    Ok(html(&ConfirmPage {
        page: who.page("Delete this CA certificate?"),
        sentences: consequences(&removal),
        action: format!("{HERE}/delete"),
        fields: vec![("ca".to_owned(), removal.authority.fingerprint.clone())],
        choices: Vec::new(),
        verb: "Delete CA certificate",
        is_harmless: false,
        back: HERE.to_owned(),
    }))
}

async fn delete(who: SignedIn, form: Form, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let (actor, ca) = (who.actor.clone(), form.value("ca").to_owned());
    let delete = move |services: &Services| manufacturers::remove(services, &actor, DEFAULT_ACCOUNT, &ca, Mode::Keep);
    match blocking::call(&services, delete).await {
        Ok(removal) => Ok(who.done(HERE, format!("{} is deleted.", removal.authority.subject))),
        Err(ServiceError::Conflict(words)) => Ok(who.not_done(HERE, words)),
        Err(error) => Err(Failure::new(&who, error)),
    }
}

fn consequences(removal: &Removal) -> Vec<String> {
    let Removal { authority, standing, is_last, lists } = removal;
    let mut sentences = vec![
        format!("{} is no longer a manufacturer's CA here. Certificates that it signed count as none from the next connection on.", authority.subject),
        match standing.verified {
            0 => "No device has shown a verified certificate yet.".to_owned(),
            1 => "1 device has shown a verified certificate. If this CA stands behind it, the device comes in by its credentials alone.".to_owned(),
            n => format!("{n} devices have shown a verified certificate. Those that this CA stands behind come in by their credentials alone."),
        },
    ];
    if !lists.is_empty() {
        let what = words::count(lists.len(), "revocation list goes", "revocation lists go");
        sentences.push(format!("{what} with it."));
    }
    if *is_last {
        sentences.push("It is the last one: no phone is asked for its certificate any more.".to_owned());
    }
    sentences
}

fn account(who: &SignedIn, services: &Services) -> Result<Arc<Account>, Failure> {
    services.world(DEFAULT_ACCOUNT).map(|world| Arc::clone(&world.account)).map_err(Failure::of(who))
}

/// The settings as the form holds them.
fn stored(account: &Account) -> Form {
    let mut form = Form::filled([("certificates", account.admission.certificates.word())]);
    if account.admission.accept_expired {
        form.set("accept_expired", "on");
    }
    form
}

fn certificates_page(who: &SignedIn, services: &web::Data<Services>, typed: Option<Form>) -> Result<CertificatesPage, Failure> {
    let account = account(who, services)?;
    let page = who.page("Certificates of Phones");
    let authority = |one: &ManufacturerCa| Authority {
        subject: one.subject.clone(),
        fingerprint: one.fingerprint.clone(),
        validity: format!("{} to {}", page.exact(&one.valid_from), page.exact(&one.valid_until)),
        doubt: match page.now {
            now if now >= one.valid_until => Some("Expired"),
            now if now < one.valid_from => Some("Not valid yet"),
            _ => None,
        },
        added: format!("{} by {}", page.ago(&one.added_at), one.by),
        delete_href: format!("{HERE}/delete?ca={}", one.fingerprint),
    };
    let admission = &account.admission;
    let revision = typed.as_ref().and_then(|form| form.text("revision")?.parse().ok()).unwrap_or(account.revision);
    Ok(CertificatesPage {
        authorities: admission.manufacturers.iter().map(authority).collect(),
        is_asking: admission.asks(),
        lists: lists::rows(&page, &admission.revocation_lists),
        standing: manufacturers::standing(services, DEFAULT_ACCOUNT),
        form: typed.unwrap_or_else(|| stored(&account)),
        revision,
        conflict: None,
        page,
    })
}
