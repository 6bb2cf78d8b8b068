//! Detail: what the device told of itself, and what it was given (R257–R261). Whatever is not known says why.

use actix_web::{HttpResponse, web};
use askama::Template;

use super::head::{self, Head};
use crate::domain::deployment::{Container, applicable};
use crate::domain::device::Device;
use crate::domain::device_list::Listed;
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::domain::run::verdict::Verdict;
use crate::domain::run::{Run, RunKind, Subject};
use crate::domain::world::World;
use crate::services::Services;
use crate::services::runs::{self, ListedRun};
use crate::web::admin::failure::Failure;
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
    verdict: Option<Verdict>,
    associations: Vec<Association>,
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
        verdict: runs.first().map(ListedRun::verdict),
        associations: associations(&known.device, &world),
        page,
    }))
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
