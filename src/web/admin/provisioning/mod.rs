//! Provisioning Settings: address, shared credentials, certificate, time, built-in base (R181–R186, contract 5.3).

mod addresses;
mod credentials;
pub mod forms;
mod rollover;

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use jiff::Timestamp;

use self::forms::{Part, SWITCHES, Switch, Wanted};
use super::conflict::{self, Conflict};
use super::errors;
use super::failure::Failure;
use super::forms::Form;
use super::layout::{ConfirmPage, Page, html, html_rejected, html_with, see_other};
use super::session::SignedIn;
use super::unsent;
use super::words;
use crate::domain::account::{Account, BaseSettings, FirstContact};
use crate::domain::activity::{Event, SERVER};
use crate::domain::clock;
use crate::domain::clock::zone_names;
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::domain::provision::base_listed;
use crate::domain::rollover::Stage;
use crate::domain::server::ServerSettings;
use crate::services::Services;
use crate::services::accounts;
use crate::services::address::Address;
use crate::services::addresses::Answered;
use crate::services::certificates::facts::{self, Facts};
use crate::services::commit::Mode;
use crate::services::error::ServiceError;
use crate::services::foresight;
use crate::services::server;
use crate::services::shared_credentials::{self, Usage};
use crate::web::blocking;
use crate::web::methods::Routes;

const HERE: &str = "/admin/provisioning";

#[derive(Template)]
#[template(path = "provisioning/show.html")]
struct ProvisioningPage {
    page: Page,
    /// What is stored, and what was typed where a form was rejected.
    form: Form,
    revisions: Revisions,
    /// What somebody else saved meanwhile.
    conflict: Option<Conflict>,
    account: Account,
    /// The credentials are the ones that every phone knows at the factory (R184).
    factory_default: bool,
    url: String,
    /// The same as phones want it typed: no scheme, no final slash.
    phone_address: String,
    test_url: String,
    addresses: Vec<addresses::Row>,
    /// The certificate does not name the address that phones are told (R190).
    is_unnamed: bool,
    /// The address stands in the settings of the process, so that it is not changed here.
    fixed: bool,
    names: Vec<String>,
    zones: Vec<&'static str>,
    /// What phones of the account's zone show wrongly.
    clock_warning: Option<String>,
    /// What may happen to new devices: word and meaning.
    policies: Vec<(&'static str, &'static str)>,
    ca: Option<Facts>,
    /// The CA that is taking its place.
    rollover: Option<rollover::Told>,
    certificate: Certificate,
    /// What phones get over plain HTTP, and where; none while that listener is off.
    http_url: Option<String>,
    bootstrap_is_on: bool,
    groups: Vec<Group>,
    /// The password, for this once.
    revealed: Option<String>,
}

/// What the forms were made from.
struct Revisions {
    account: u64,
    server: u64,
}

impl Revisions {
    /// What is stored; for the forms of a typed one's kind what it was typed for, which may be older (R14).
    fn of(account: &Account, server: &ServerSettings, typed: Option<&(Part, Form)>) -> Self {
        let mut revisions = Self { account: account.revision, server: server.revision };
        if let Some((part, form)) = typed {
            let typed_for = form.value("revision").parse().unwrap_or_default();
            *(if *part == Part::Address { &mut revisions.server } else { &mut revisions.account }) = typed_for;
        }
        revisions
    }
}

/// The certificate in use.
struct Certificate {
    valid_until: Timestamp,
    names: Vec<String>,
}

/// One switch of the built-in base with what it brings.
struct Group {
    field: &'static str,
    label: &'static str,
    hint: &'static str,
    parameters: Vec<(String, String)>,
}

impl Group {
    fn summary(&self) -> String {
        match self.parameters.len() {
            1 => "Brings 1 parameter".to_owned(),
            n => format!("Brings {n} parameters"),
        }
    }
}

/// The addresses of the settings.
pub fn configure(routes: &mut Routes) {
    // The address is the server's, the other parts are the account's: they take different roles.
    const ADDRESS: &str = "/admin/provisioning/{part:address}";
    const PARTS: &str = "/admin/provisioning/{part:account|time|base|admission|http|downloads}";
    let home = || async { see_other(HERE) };
    routes
        .get(HERE, show)
        .get("/admin/provisioning/ca.pem", ca_pem)
        .get(rollover::PAGE, rollover::show)
        .post(rollover::PAGE, rollover::take)
        .get("/admin/provisioning/addresses/remove", addresses::ask)
        .post("/admin/provisioning/addresses/remove", addresses::remove)
        .post(PARTS, save)
        .post(ADDRESS, save)
        .post("/admin/provisioning/reveal", reveal)
        // A reload after a rejected form asks by GET: it gets the page.
        .get(PARTS, home)
        .get(credentials::HERE, credentials::show)
        .post(credentials::HERE, credentials::save)
        .post("/admin/provisioning/credentials/end", credentials::end)
        .get("/admin/provisioning/credentials/end", || async { see_other(credentials::HERE) })
        .get(ADDRESS, home)
        .get("/admin/provisioning/reveal", home);
}

async fn show(
    request: HttpRequest,
    who: SignedIn,
    services: web::Data<Services>,
    address: web::Data<Address>,
) -> Result<HttpResponse, Failure> {
    let typed = unsent::given_back(&request, &who, &services);
    let typed = typed.and_then(|(action, form)| Some((Part::parse(action.rsplit('/').next()?)?, form)));
    Ok(html(&settings_page(&who, &services, &address, typed).await?))
}

async fn ca_pem(who: SignedIn, address: web::Data<Address>) -> HttpResponse {
    match address.certificates().active().ca_pem.clone() {
        Some(pem) => HttpResponse::Ok()
            .insert_header((CONTENT_TYPE, "application/x-pem-file"))
            .insert_header((CONTENT_DISPOSITION, "attachment; filename=\"pdms-ca.pem\""))
            .body(pem),
        None => errors::not_found(who.visitor()),
    }
}

/// `POST /admin/provisioning/{part}`: one of the forms.
async fn save(
    part: web::Path<String>,
    who: SignedIn,
    services: web::Data<Services>,
    address: web::Data<Address>,
    form: Form,
) -> Result<HttpResponse, Failure> {
    let Some(part) = Part::parse(&part) else { return Ok(errors::not_found(who.visitor())) };
    let wanted = match part.wanted(&form) {
        Ok(wanted) => wanted,
        Err(errors) => return rejected(&who, &services, &address, part, form.rejected(&errors)).await,
    };
    let world = services.world(DEFAULT_ACCOUNT).map_err(Failure::of(&who))?;
    // A form without a revision is as good as an old one: nothing is ever overwritten unseen.
    let revision = form.value("revision").parse().unwrap_or_default();
    if part == Part::Admission && form.has("binds") != world.account.admission.binds && !form.is("confirmed", "yes") {
        let usage = shared_credentials::usage(&services, DEFAULT_ACCOUNT).map_err(Failure::of(&who))?;
        try_out(&who, &services, &wanted, revision).await;
        return Ok(html(&confirm_binding(&who, &form, usage)));
    }
    let actor = who.actor.clone();
    let to_tell = address.clone();
    let saved = blocking::call(&services, move |services| match wanted {
        Wanted::Name(name) => {
            let tried = server::set_public_name(services, &actor, revision, &name, Mode::TryOut)?;
            foresight::of_address(services, &actor, to_tell.with(services, &tried).url, Mode::Keep)?;
            server::set_public_name(services, &actor, revision, &name, Mode::Keep)?;
            to_tell.refresh(services).map(|_| ())
        }
        Wanted::Account(draft) => accounts::update(services, &actor, DEFAULT_ACCOUNT, Some(revision), &draft).map(|_| ()),
    });
    match saved.await {
        Ok(()) => Ok(who.done(HERE, part.saved())),
        Err(ServiceError::Invalid(errors)) => rejected(&who, &services, &address, part, form.rejected(&errors)).await,
        Err(ServiceError::Conflict(_)) => overtaken(&who, &services, &address, part, form, revision).await,
        Err(error) => Err(Failure::new(&who, error)),
    }
}

/// Finds out what a form does to devices, for the page that asks about it. What is wrong with it is told when it is saved.
async fn try_out(who: &SignedIn, services: &web::Data<Services>, wanted: &Wanted, revision: u64) {
    let Wanted::Account(draft) = wanted else { return };
    let (actor, draft) = (who.actor.clone(), draft.clone());
    let change = move |services: &Services| {
        accounts::change(services, &actor, DEFAULT_ACCOUNT, Some(revision), &draft, Mode::TryOut).map(drop)
    };
    let _ = blocking::call(services, change).await;
}

/// Asks before devices get credentials of their own, or before those count no more.
fn confirm_binding(who: &SignedIn, form: &Form, usage: Usage) -> ConfirmPage {
    let (title, sentences) = if form.has("binds") {
        let count = words::count(usage.shared + usage.former, "device comes", "devices come");
        let sentences = vec![
            format!("{count} with the shared credentials now."),
            "With its next configuration each gets a user name and a password of its own, and stays at this server whatever DHCP              says. It is bound after two complete runs with them, one of them a restart: then nobody who knows the shared              credentials and its MAC address gets its configuration."
                .to_owned(),
            "After a factory reset a bound phone waits under Pending, unless it is expected back.".to_owned(),
        ];
        ("Give devices credentials of their own?", sentences)
    } else {
        let count = words::count(usage.bound, "bound device is", "bound devices are");
        let sentences = vec![
            format!("{count} opened to the shared credentials again, from the network where each was first let in."),
            "With its next configuration each is given the shared credentials in place of its own. Its own go on opening it."
                .to_owned(),
        ];
        ("Let the shared credentials open every device?", sentences)
    };
    let mut fields: Vec<_> =
        form.pairs().filter(|(name, _)| *name != "csrf").map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
    fields.push(("confirmed".to_owned(), "yes".to_owned()));
    let action = "/admin/provisioning/admission".to_owned();
    let page = who.page(title);
    ConfirmPage { page, sentences, action, fields, choices: Vec::new(), verb: "Save", is_harmless: true, back: HERE.to_owned() }
}

async fn rejected(
    who: &SignedIn,
    services: &web::Data<Services>,
    address: &Address,
    part: Part,
    form: Form,
) -> Result<HttpResponse, Failure> {
    Ok(html_rejected(&settings_page(who, services, address, Some((part, form))).await?))
}

/// Somebody else was faster: the page with what they changed and what was typed, to be saved over it or not.
async fn overtaken(
    who: &SignedIn,
    services: &web::Data<Services>,
    address: &Address,
    part: Part,
    form: Form,
    revision: u64,
) -> Result<HttpResponse, Failure> {
    let world = services.world(DEFAULT_ACCOUNT).map_err(Failure::of(who))?;
    let settings = blocking::call(services, server::settings).await.map_err(Failure::of(who))?;
    let differing = part.differing(&form, &forms::stored(&world.account, &settings));
    let conflict = if part == Part::Address {
        let missed = settings.revision.saturating_sub(revision);
        Conflict::new(services, who, SERVER, missed, conflict::of("server", "pdms"), differing).await?
    } else {
        let missed = world.account.revision.saturating_sub(revision);
        let is_about = |event: &Event| event.object == "account" && event.action == "changed";
        Conflict::new(services, who, DEFAULT_ACCOUNT, missed, is_about, differing).await?
    };
    // The other forms hold what is stored; this one goes on from the revision that its person is now shown.
    let mut page = settings_page(who, services, address, Some((part, form))).await?;
    page.revisions = Revisions { account: world.account.revision, server: settings.revision };
    page.conflict = Some(conflict);
    Ok(html_with(StatusCode::CONFLICT, &page))
}

async fn reveal(who: SignedIn, services: web::Data<Services>, address: web::Data<Address>) -> Result<HttpResponse, Failure> {
    let actor = who.actor.clone();
    let reveal = move |services: &Services| accounts::reveal_password(services, &actor, DEFAULT_ACCOUNT, Mode::Keep);
    let password = blocking::call(&services, reveal).await.map_err(Failure::of(&who))?;
    let mut page = settings_page(&who, &services, &address, None).await?;
    page.revealed = password.map(|password| password.expose().to_owned());
    Ok(html(&page))
}

async fn settings_page(
    who: &SignedIn,
    services: &web::Data<Services>,
    address: &Address,
    typed: Option<(Part, Form)>,
) -> Result<ProvisioningPage, Failure> {
    let world = services.world(DEFAULT_ACCOUNT).map_err(Failure::of(who))?;
    let settings = blocking::call(services, server::settings).await.map_err(Failure::of(who))?;
    let account = Account::clone(&world.account);
    let url = world.endpoints.https_url.clone();
    let rows = addresses::rows(services, address).map_err(Failure::of(who))?;
    let rollover = blocking::call(services, rollover::told).await.map_err(Failure::of(who))?;
    let active = address.certificates().active();
    let addresses = active.names.addresses().map(|ip| ip.to_string());
    let stored = forms::stored(&account, &settings);
    let revisions = Revisions::of(&account, &settings, typed.as_ref());
    Ok(ProvisioningPage {
        page: who.page("Provisioning Settings"),
        form: match typed {
            Some((part, typed)) => part.among(typed, &stored),
            None => stored,
        },
        revisions,
        conflict: None,
        phone_address: url.trim_start_matches("https://").trim_end_matches('/').to_owned(),
        test_url: format!("{url}000000000000.cfg"),
        addresses: rows,
        is_unnamed: Answered::now(services, address).unnamed().is_some(),
        fixed: address.is_fixed(),
        names: address.candidates(),
        zones: zone_names().collect(),
        clock_warning: clock::told_warning(&account.time_zone),
        policies: policies(account.first_contact),
        ca: active.ca_pem.as_deref().and_then(facts::of_pem),
        rollover,
        certificate: Certificate {
            valid_until: active.not_after,
            names: active.names.hosts().map(ToOwned::to_owned).chain(addresses).collect(),
        },
        http_url: world.endpoints.http_url.clone(),
        bootstrap_is_on: account.admission.bootstrap.is_on(world.endpoints.ca_pem.is_some()),
        groups: SWITCHES.map(|switch| group(switch, &account)).into(),
        revealed: None,
        factory_default: accounts::is_factory_default(&account),
        url,
        account,
    })
}

/// The policies that can be chosen. Certificates can be asked for only where they are checked.
fn policies(chosen: FirstContact) -> Vec<(&'static str, &'static str)> {
    let label = |policy: FirstContact| match policy {
        FirstContact::Open => "Add them and serve them",
        FirstContact::Approve => "Hold them until somebody lets them in",
        FirstContact::Staged => "Only devices that were added before",
        FirstContact::Certificate => "Only with a factory certificate",
    };
    let is_offered = |policy: &FirstContact| *policy != FirstContact::Certificate || chosen == *policy;
    FirstContact::ALL.into_iter().filter(is_offered).map(|policy| (policy.word(), label(policy))).collect()
}

fn group((field, label, hint, switch): Switch, account: &Account) -> Group {
    let mut alone = BaseSettings::SERVE_ONLY;
    *switch(&mut alone) = true;
    Group { field, label, hint, parameters: base_listed(alone, &account.time_zone, &account.time_server) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_switch_brings_something() {
        for (field, _, _, switch) in SWITCHES {
            let mut alone = BaseSettings::SERVE_ONLY;
            *switch(&mut alone) = true;
            assert!(!base_listed(alone, "Europe/Berlin", "pool.ntp.org").is_empty(), "{field}");
        }
    }
}
