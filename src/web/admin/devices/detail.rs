//! Detail: what the device told of itself, and what it was given (R257–R261). Whatever is not known says why.

use actix_web::{HttpResponse, web};
use askama::Template;

use super::head::{self, Head};
use crate::catalog::models::models;
use crate::domain::deployment::{Container, applicable};
use crate::domain::device::{Device, DeviceKey};
use crate::domain::device_list::Listed;
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::domain::run::verdict::Verdict;
use crate::domain::run::{Run, RunKind, Subject};
use crate::domain::trust::{Certificate, Trust};
use crate::domain::world::World;
use crate::services::commit::Mode;
use crate::services::runs::{self, ListedRun};
use crate::services::{Services, manufacturers};
use crate::web::admin::failure::Failure;
use crate::web::admin::forms::Form;
use crate::web::admin::layout::{Page, html};
use crate::web::admin::session::SignedIn;
use crate::web::admin::words::{self, Fact, FactValue, Tone as _};
use crate::web::blocking;

#[derive(Template)]
#[template(path = "devices/detail.html")]
struct DetailPage {
    page: Page,
    head: Head,
    extended: Vec<Fact>,
    deployment: Vec<Fact>,
    connection: Vec<Fact>,
    call: Vec<Fact>,
    certificate: ShownCertificate,
    verdict: Option<Verdict>,
    associations: Vec<Association>,
}

/// What is known of the factory certificate (R374).
struct ShownCertificate {
    facts: Vec<Fact>,
    /// A person may enter what the phone shows: no handshake says more.
    may_be_entered: bool,
    form: Form,
    states: Vec<(&'static str, &'static str)>,
}

/// A profile that speaks for the device.
struct Association {
    id: String,
    name: String,
    container: &'static str,
    container_href: String,
    parameters: usize,
}

/// `GET /admin/devices/{key}/detail`
pub async fn show(key: web::Path<String>, who: SignedIn, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let (known, world) = head::find(&services, &who, &key)?;
    let subject = Subject::Device(known.device.key.clone());
    let runs = blocking::call(&services, move |services| runs::of(services, DEFAULT_ACCOUNT, &subject)).await;
    let runs = runs.map_err(Failure::of(&who))?;
    let page = who.page("Detail");
    Ok(html(&DetailPage {
        head: Head::new(&known, page.now).marked(&services),
        extended: extended(&runs),
        deployment: deployment(&known),
        connection: connection(&known, runs.first().map(|listed| &listed.run)),
        call: call(),
        certificate: certificate(&known.device, &services.trusts(DEFAULT_ACCOUNT).of(&known.device.key)),
        verdict: runs.first().map(ListedRun::verdict),
        associations: associations(&known.device, &world),
        page,
    }))
}

/// `POST /admin/devices/{key}/certificate`: what a person read off the phone.
pub async fn save_certificate(
    key: web::Path<String>,
    who: SignedIn,
    form: Form,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let (known, _) = head::find(&services, &who, &key)?;
    let key: DeviceKey = known.device.key.clone();
    let here = format!("/admin/devices/{key}/detail");
    let state = Certificate::read_off().into_iter().find(|(word, _)| form.is("state", word)).map(|(_, state)| state);
    let Some(state) = state else { return Ok(who.not_done(&here, "Choose one of the states.")) };
    let actor = who.actor.clone();
    let note = move |services: &Services| manufacturers::note_read(services, &actor, DEFAULT_ACCOUNT, &key, state, Mode::Keep);
    blocking::call(&services, note).await.map_err(Failure::of(&who))?;
    Ok(who.done(&here, "What the phone shows of its certificate is noted."))
}

fn certificate(device: &Device, trust: &Trust) -> ShownCertificate {
    let by_handshake = trust.certificate != Certificate::Unknown;
    let state = trust.certificate_state();
    let source = match (by_handshake, state) {
        (true, Certificate::FactoryInstalled) => Some("It showed it and it was verified"),
        (true, Certificate::NotInstalled) => Some("It was asked for it and showed none"),
        (true, _) => Some("It showed one that does not count"),
        (false, Certificate::Unknown) => None,
        (false, _) => Some("Entered by hand"),
    };
    let told = |text: &str| Some(FactValue::Text(text.to_owned()));
    let mut facts = vec![
        Fact::new("Device Certificate", source.and_then(|_| told(state.label())), "Not known: it was not asked for it yet"),
        Fact::new("Known from", source.and_then(told), "Nothing yet"),
    ];
    if let Some(fault) = state.fault() {
        facts.push(Fact::new("Reason", told(fault), ""));
    }
    if let Some((knock, fault)) = trust.refused_certificate() {
        let words = format!("{fault}. It came from {} and was not let in", knock.address);
        facts.push(Fact::new("Shown since, and not counted", told(&words), ""));
        facts.push(Fact::new("What to do", told(fault.next_step()), ""));
    }
    let support = models().support(device.model.as_deref(), device.family.as_deref());
    facts.push(Fact::new("This kind of device is", told(support.word()), ""));
    ShownCertificate {
        facts,
        may_be_entered: !by_handshake,
        form: Form::filled([("state", trust.certificate_read.word())]),
        states: Certificate::read_off().iter().map(|(word, state)| (*word, state.label())).collect(),
    }
}

/// What the REST interface of a phone tells; this server does not ask phones yet, but it sees them boot.
const NOT_ASKED: &str = "Not known: phones are not asked yet";

fn extended(runs: &[ListedRun]) -> Vec<Fact> {
    let boot = runs.iter().map(|listed| &listed.run).find(|run| run.kind == RunKind::Boot);
    vec![
        Fact::new("SIP URI", None, NOT_ASKED),
        Fact::new("SIP User", None, NOT_ASKED),
        Fact::new("Last Restart Time", boot.map(|run| FactValue::Time(run.started_at)), "Not known yet: no boot was seen"),
        Fact::new("Uptime", None, NOT_ASKED),
    ]
}

/// The result of the last run, as lists tell it.
fn deployment(known: &Listed) -> Vec<Fact> {
    let last = known.sighting.last_run;
    let result = |complete: bool| FactValue::Text(if complete { "SUCCESS" } else { "FAILED" }.to_owned());
    const NEVER: &str = "Not known yet: it never came for its configuration";
    vec![
        Fact::new("Last Provision Result", last.map(|run| result(run.complete)), NEVER),
        Fact::new("Last Provision Time", last.map(|run| FactValue::Time(run.at)), NEVER),
    ]
}

fn connection(known: &Listed, last: Option<&Run>) -> Vec<Fact> {
    let sighting = &known.sighting;
    let text = |value: &Option<String>| value.clone().map(FactValue::Text);
    let agent = last.map(|run| run.user_agent.clone()).filter(|agent| !agent.is_empty());
    const NEVER: &str = "Not known yet: it never came";
    vec![
        Fact::new("First seen", sighting.first_seen.map(FactValue::Time), NEVER),
        Fact::new("Last seen", sighting.last_seen.map(FactValue::Time), NEVER),
        Fact::new("Public IP", sighting.public_ip.map(|ip| FactValue::Copy(ip.to_string())), NEVER),
        Fact::new(
            "Private IP",
            known.private_ip().map(|ip| FactValue::Copy(ip.to_string())),
            "Not known: nobody typed it, and the device does not tell it",
        ),
        Fact::new("Software Version", text(&sighting.software_version), "Not known yet: its Application was not heard"),
        Fact::new("Updater version", text(&sighting.updater_version), "Not known yet: its Updater was not heard"),
        Fact::new("User-Agent", agent.map(FactValue::Text), "Not known yet: no run of it is kept"),
    ]
}

fn call() -> Vec<Fact> {
    vec![Fact::new("Far Site Name", None, NOT_ASKED), Fact::new("Far Site Number", None, NOT_ASKED)]
}

fn associations(device: &Device, world: &World) -> Vec<Association> {
    let association = |placed: crate::domain::deployment::Placed<'_>| Association {
        id: placed.profile.id.to_string(),
        name: placed.profile.name.to_string(),
        container: placed.container.label(),
        container_href: match placed.container {
            Container::Device => format!("/admin/devices/{}/profiles", device.key),
            _ => "/admin/deployment".to_owned(),
        },
        parameters: placed.profile.parameters.len(),
    };
    applicable(device, world).into_iter().map(association).collect()
}
