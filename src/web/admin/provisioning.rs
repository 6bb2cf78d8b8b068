//! Provisioning Settings: address, shared credentials, certificate, time, built-in base (R181–R186, contract 5.3).

use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use actix_web::{HttpResponse, web};
use askama::Template;
use jiff::Timestamp;

use super::errors;
use super::failure::Failure;
use super::forms::Form;
use super::layout::{Page, html, html_rejected, see_other};
use super::session::SignedIn;
use crate::domain::account::{Account, BaseSettings, Secret};
use crate::domain::clock::zone_names;
use crate::domain::field_error::FieldErrors;
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::domain::limits::MINUTES_PER_DAY;
use crate::domain::provision::base_listed;
use crate::services::Services;
use crate::services::accounts::{self, AccountDraft, clock_time};
use crate::services::address::Address;
use crate::services::certificates::facts::{self, Facts};
use crate::services::error::ServiceError;
use crate::services::server;
use crate::web::blocking;
use crate::web::methods::Routes;

const HERE: &str = "/admin/provisioning";

#[derive(Template)]
#[template(path = "provisioning/show.html")]
struct ProvisioningPage {
    page: Page,
    /// What is stored, and what was typed where a form was rejected.
    form: Form,
    account: Account,
    /// The credentials are the ones that every phone knows at the factory (R184).
    factory_default: bool,
    url: String,
    /// The same as phones want it typed: no scheme, no final slash.
    phone_address: String,
    test_url: String,
    other_urls: Vec<String>,
    /// The address stands in the settings of the process, so that it is not changed here.
    fixed: bool,
    names: Vec<String>,
    zones: Vec<&'static str>,
    ca: Option<Facts>,
    certificate: Certificate,
    groups: Vec<Group>,
    /// The password, for this once.
    revealed: Option<String>,
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

/// Field, label and meaning of each group, with its switch in the settings.
type Switch = (&'static str, &'static str, &'static str, fn(&mut BaseSettings) -> &mut bool);

const SWITCHES: [Switch; 5] = [
    ("base_polling", "Nightly polling", "Each phone asks once a day whether anything has changed.", |base| &mut base.polling),
    ("base_time", "Time", "Time server, offset and daylight-saving rule of the zone above.", |base| &mut base.time),
    ("base_serial_tag", "Serial number", "Phones name their MAC address in every request.", |base| &mut base.serial_tag),
    ("base_log_upload", "Log uploads", "Every log is uploaded as a file of its own.", |base| &mut base.log_upload),
    ("base_rest_api", "REST API", "Phones can be reached for control and status.", |base| &mut base.rest_api),
];

/// The addresses of the settings.
pub fn configure(routes: &mut Routes) {
    routes.get(HERE, show).get("/admin/provisioning/ca.pem", ca_pem);
    routes
        .post("/admin/provisioning/address", save_address)
        .post("/admin/provisioning/account", save_account)
        .post("/admin/provisioning/time", save_time)
        .post("/admin/provisioning/base", save_base)
        .post("/admin/provisioning/reveal", reveal);
    // A reload after a rejected form asks by GET: it gets the page.
    for form in ["address", "account", "time", "base", "reveal"] {
        routes.get(format!("{HERE}/{form}"), || async { see_other(HERE) });
    }
}

async fn show(who: SignedIn, services: web::Data<Services>, address: web::Data<Address>) -> Result<HttpResponse, Failure> {
    Ok(html(&settings_page(&who, &services, &address, None).await?))
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

async fn save_address(
    who: SignedIn,
    services: web::Data<Services>,
    address: web::Data<Address>,
    form: Form,
) -> Result<HttpResponse, Failure> {
    let (actor, name, to_tell) = (who.actor.clone(), form.value("public_name").to_owned(), address.clone());
    let saved = blocking::call(&services, move |services| {
        server::set_public_name(services, &actor, None, &name)?;
        to_tell.refresh(services)
    });
    match saved.await {
        Ok(_) => {
            Ok(who
                .done(HERE, "The address is saved. Phones learn it with their next configuration; the old one keeps answering."))
        }
        Err(error) => again(&who, &services, &address, form, error).await,
    }
}

async fn save_account(
    who: SignedIn,
    services: web::Data<Services>,
    address: web::Data<Address>,
    form: Form,
) -> Result<HttpResponse, Failure> {
    let draft = AccountDraft {
        enabled: Some(form.has("enabled")),
        user: Some(form.value("user").to_owned()),
        password: form.text("password").map(Secret::new),
        ..AccountDraft::default()
    };
    save(&who, &services, &address, form, draft, "The provisioning account is saved.").await
}

async fn save_time(
    who: SignedIn,
    services: web::Data<Services>,
    address: web::Data<Address>,
    form: Form,
) -> Result<HttpResponse, Failure> {
    let draft = AccountDraft {
        time_zone: Some(form.value("time_zone").to_owned()),
        time_server: Some(form.value("time_server").to_owned()),
        ..AccountDraft::default()
    };
    save(&who, &services, &address, form, draft, "Time zone and time server are saved.").await
}

async fn save_base(
    who: SignedIn,
    services: web::Data<Services>,
    address: web::Data<Address>,
    form: Form,
) -> Result<HttpResponse, Failure> {
    let mut base = BaseSettings::SERVE_ONLY;
    for (field, _, _, switch) in SWITCHES {
        *switch(&mut base) = form.has(field);
    }
    let end = minute(form.value("polling_window")).map(|end| if end == 0 { MINUTES_PER_DAY } else { end });
    let Some(window) = minute(form.value("polling_window_from")).zip(end) else {
        let errors =
            FieldErrors::one("polling_window", "enter both ends of the polling window as hours and minutes, such as 03:00");
        return again(&who, &services, &address, form, errors.into()).await;
    };
    let draft = AccountDraft { base: Some(base), polling_window: Some(window), ..AccountDraft::default() };
    save(&who, &services, &address, form, draft, "The built-in base is saved. Phones take it at their next poll or restart.")
        .await
}

async fn reveal(who: SignedIn, services: web::Data<Services>, address: web::Data<Address>) -> Result<HttpResponse, Failure> {
    let actor = who.actor.clone();
    let password = blocking::call(&services, move |services| accounts::reveal_password(services, &actor, DEFAULT_ACCOUNT)).await;
    let password = password.map_err(Failure::of(&who))?;
    let mut page = settings_page(&who, &services, &address, None).await?;
    page.revealed = Some(password.expose().to_owned());
    Ok(html(&page))
}

/// Saves a draft made from one of the forms, or shows the form again.
async fn save(
    who: &SignedIn,
    services: &web::Data<Services>,
    address: &Address,
    form: Form,
    draft: AccountDraft,
    done: &str,
) -> Result<HttpResponse, Failure> {
    let (actor, revision) = (who.actor.clone(), form.value("revision").parse().ok());
    let saved =
        blocking::call(services, move |services| accounts::update(services, &actor, DEFAULT_ACCOUNT, revision, &draft)).await;
    match saved {
        Ok(_) => Ok(who.done(HERE, done)),
        Err(error) => again(who, services, address, form, error).await,
    }
}

/// The page with what was typed, where that can be mended.
async fn again(
    who: &SignedIn,
    services: &web::Data<Services>,
    address: &Address,
    form: Form,
    error: ServiceError,
) -> Result<HttpResponse, Failure> {
    let form = match error {
        ServiceError::Invalid(errors) => form.rejected(&errors),
        ServiceError::Conflict(words) => form.refused(words),
        error => return Err(Failure::new(who, error)),
    };
    Ok(html_rejected(&settings_page(who, services, address, Some(form)).await?))
}

async fn settings_page(
    who: &SignedIn,
    services: &web::Data<Services>,
    address: &Address,
    typed: Option<Form>,
) -> Result<ProvisioningPage, Failure> {
    let world = services.world(DEFAULT_ACCOUNT).map_err(Failure::of(who))?;
    let settings = blocking::call(services, server::settings).await.map_err(Failure::of(who))?;
    let account = Account::clone(&world.account);
    let url = world.endpoints.https_url.clone();
    let mut other_urls = address.urls(services);
    other_urls.extend(settings.addresses.clone());
    other_urls.retain(|other| *other != url);
    other_urls.sort();
    other_urls.dedup();
    let active = address.certificates().active();
    let addresses = active.names.addresses().map(|ip| ip.to_string());
    let stored = stored(&account, settings.public_name.as_deref().unwrap_or_default());
    Ok(ProvisioningPage {
        page: who.page("Provisioning Settings"),
        form: match typed {
            Some(typed) => {
                let boxes = boxes_of(&typed);
                typed.or(&stored, &boxes)
            }
            None => stored,
        },
        phone_address: url.trim_start_matches("https://").trim_end_matches('/').to_owned(),
        test_url: format!("{url}000000000000.cfg"),
        other_urls,
        fixed: address.is_fixed(),
        names: address.candidates(),
        zones: zone_names().collect(),
        ca: active.ca_pem.as_deref().and_then(facts::of_pem),
        certificate: Certificate {
            valid_until: active.not_after,
            names: active.names.hosts().map(ToOwned::to_owned).chain(addresses).collect(),
        },
        groups: SWITCHES.map(|switch| group(switch, &account)).into(),
        revealed: None,
        factory_default: accounts::is_factory_default(&account),
        url,
        account,
    })
}

/// The settings as the forms hold them.
fn stored(account: &Account, public_name: &str) -> Form {
    let (from, to) = account.polling_window;
    let mut form = Form::filled([
        ("public_name", public_name.to_owned()),
        ("user", account.provisioning.user.clone()),
        ("time_zone", account.time_zone.clone()),
        ("time_server", account.time_server.clone()),
        ("polling_window_from", clock_time(from)),
        ("polling_window", clock_time(to % MINUTES_PER_DAY)),
    ]);
    if account.provisioning.enabled {
        form.set("enabled", "on");
    }
    let mut base = account.base;
    for (field, _, _, switch) in SWITCHES {
        if *switch(&mut base) {
            form.set(field, "on");
        }
    }
    form
}

/// The boxes of the form that was sent: one that is not among the typed fields was unticked.
fn boxes_of(typed: &Form) -> Vec<&'static str> {
    if typed.has("user") {
        vec!["enabled"]
    } else if typed.has("polling_window") {
        SWITCHES.map(|(field, ..)| field).into()
    } else {
        Vec::new()
    }
}

fn group((field, label, hint, switch): Switch, account: &Account) -> Group {
    let mut alone = BaseSettings::SERVE_ONLY;
    *switch(&mut alone) = true;
    Group { field, label, hint, parameters: base_listed(alone, &account.time_zone, &account.time_server) }
}

/// A time of day such as `03:00` in minutes from midnight.
fn minute(text: &str) -> Option<u16> {
    let (hours, minutes) = text.trim().split_once(':')?;
    let (hours, minutes): (u16, u16) = (hours.parse().ok()?, minutes.get(..2)?.parse().ok()?);
    (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_day_are_read_as_browsers_send_them() {
        assert_eq!((minute("03:00"), minute("23:59"), minute("00:00:00")), (Some(180), Some(1_439), Some(0)));
        assert_eq!((minute("24:00"), minute("3"), minute(""), minute("1:x")), (None, None, None, None));
    }

    #[test]
    fn an_unticked_box_stays_unticked_when_the_form_comes_back() {
        let stored = Form::filled([("user", "phones"), ("enabled", "on"), ("base_time", "on"), ("time_zone", "UTC")]);
        let typed = Form::filled([("user", "a b")]);
        let boxes = boxes_of(&typed);
        let shown = typed.or(&stored, &boxes);
        assert_eq!((shown.value("user"), shown.has("enabled"), shown.has("base_time")), ("a b", false, true));
    }

    #[test]
    fn every_switch_brings_something() {
        for (field, _, _, switch) in SWITCHES {
            let mut alone = BaseSettings::SERVE_ONLY;
            *switch(&mut alone) = true;
            assert!(!base_listed(alone, "Europe/Berlin", "pool.ntp.org").is_empty(), "{field}");
        }
    }
}
