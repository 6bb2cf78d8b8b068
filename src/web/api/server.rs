//! The server itself: where it is reached, and the certificates that go with it.

use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use actix_web::{HttpResponse, get, patch, web};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::DryRun;
use super::caller::Caller;
use super::list::{List, Narrow, Order, narrowed};
use super::problem::Problem;
use super::sent::{Asked, Sent};
use crate::domain::server::ServerSettings;
use crate::services::address::{Address, Published};
use crate::services::certificates::facts;
use crate::services::commit::Mode;
use crate::services::error::ServiceError;
use crate::services::foresight;
use crate::services::warnings::{self, Warning};
use crate::services::{Services, server};
use crate::web::blocking;

/// Media type of a certificate.
const PEM: &str = "application/x-pem-file";

/// Where the server is reached.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ServerShape {
    /// Host name or address that phones are told; absent until one is set.
    pub public_name: Option<String>,
    /// Whether the address stands in the settings of the process, so that it is not changed here.
    pub fixed: bool,
    /// The address that phones are told.
    #[schema(example = "https://pdms.example.lan:8443/")]
    pub url: String,
    /// Other addresses that answer, also those that were told before.
    pub other_urls: Vec<String>,
    /// Names and addresses of this machine that could be told to phones, the best first.
    pub candidates: Vec<String>,
    /// Networks that this machine is in: what a site around it would claim.
    #[serde(default)]
    #[schema(example = json!(["192.168.1.0/24"]))]
    pub own_subnets: Vec<String>,
    /// The certificate that is shown to phones and browsers.
    pub certificate: CertificateShape,
    /// The private authority that signed it; absent where the certificate is your own.
    pub authority: Option<AuthorityShape>,
    /// Counts changes; send it back with a change.
    pub revision: u64,
}

/// The server's certificate.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct CertificateShape {
    /// Names and addresses that it covers.
    pub names: Vec<String>,
    /// End of its validity; in a dry run that of the present one.
    pub valid_until: Timestamp,
}

/// The private authority.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct AuthorityShape {
    /// SHA-256 over the certificate, pairs of capital hexadecimal digits with colons.
    pub fingerprint: String,
    /// End of its validity.
    pub valid_until: Timestamp,
}

/// Changes of the server's settings.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ServerChanges {
    /// The revision that the change was made from.
    revision: u64,
    /// Host name or address that phones are told from now on; the old one keeps answering.
    #[schema(example = "pdms.example.lan")]
    public_name: String,
}

/// Something that needs attention.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct WarningShape {
    /// It harms already, or will within days.
    pub urgent: bool,
    /// What it is and what to do.
    pub text: String,
}

/// Lists what needs attention: certificates, addresses, the disk, backups, the clock, passwords that everybody knows, too many at the phones' door.
#[utoipa::path(tag = "server", params(Narrow), responses((status = 200, body = List<WarningShape>)))]
#[get("/server/warnings")]
pub async fn list_warnings(
    _: Caller,
    services: web::Data<Services>,
    address: web::Data<Address>,
    asked: Asked<Narrow>,
) -> Result<web::Json<List<WarningShape>>, Problem> {
    let told = blocking::call(&services, move |services| warnings::list(services, &address)).await?;
    let all = told.into_iter().map(|Warning { is_urgent, text, .. }| WarningShape { urgent: is_urgent, text }).collect();
    Ok(web::Json(narrowed(all, &asked, |one| vec![one.text.clone()], WARNINGS)?))
}

const WARNINGS: &[Order<WarningShape>] =
    &[("urgent", |a, b| (!a.urgent, &a.text).cmp(&(!b.urgent, &b.text))), ("text", |a, b| a.text.cmp(&b.text))];

/// Shows where the server is reached.
#[utoipa::path(tag = "server", responses((status = 200, body = ServerShape)))]
#[get("/server")]
pub async fn show_server(
    caller: Caller,
    services: web::Data<Services>,
    address: web::Data<Address>,
) -> Result<web::Json<ServerShape>, Problem> {
    let settings = blocking::call(&services, server::settings).await?;
    let place = present(&caller, &services, &address, &settings)?;
    Ok(shape(&address, settings, place))
}

/// Changes the name that phones are told. A dry run answers the addresses and the names in the certificate that would be.
#[utoipa::path(tag = "server", params(DryRun), request_body = ServerChanges, responses((status = 200, body = ServerShape)))]
#[patch("/server")]
pub async fn change_server(
    caller: Caller,
    services: web::Data<Services>,
    address: web::Data<Address>,
    dry_run: Asked<DryRun>,
    changes: Sent<ServerChanges>,
) -> Result<web::Json<ServerShape>, Problem> {
    if address.is_fixed() {
        let words = "the address stands in the settings of the process (--public-url); change it there";
        return Err(ServiceError::Conflict(words.to_owned()).into());
    }
    let ServerChanges { revision, public_name } = changes.into_inner();
    let (actor, mode, to_tell) = (caller.actor.clone(), dry_run.mode(), address.clone());
    let work = move |services: &Services| {
        let mut settings = server::set_public_name(services, &actor, revision, &public_name, mode)?;
        if mode == Mode::TryOut {
            foresight::of_address(services, &actor, to_tell.with(services, &settings).url, mode)?;
        } else {
            to_tell.refresh(services)?;
            settings = server::settings(services)?;
        }
        Ok(settings)
    };
    let settings = blocking::call(&services, work).await?;
    let place = match mode {
        Mode::Keep => present(&caller, &services, &address, &settings)?,
        Mode::TryOut => address.with(&services, &settings),
    };
    Ok(shape(&address, settings, place))
}

/// Answers the certificate of the private authority, for phones and browsers to trust.
#[utoipa::path(tag = "server", responses((status = 200, body = String, content_type = "application/x-pem-file")))]
#[get("/server/ca.pem")]
pub async fn read_ca(_: Caller, address: web::Data<Address>) -> Result<HttpResponse, Problem> {
    let pem = address.certificates().active().ca_pem.clone();
    let pem = pem.ok_or_else(|| Problem::not_found("private authority", "of a certificate of your own"))?;
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, PEM))
        .insert_header((CONTENT_DISPOSITION, "attachment; filename=\"pdms-ca.pem\""))
        .body(pem))
}

/// Where the server is now.
fn present(caller: &Caller, services: &Services, address: &Address, settings: &ServerSettings) -> Result<Published, Problem> {
    Ok(Published {
        url: services.world(caller.account)?.endpoints.https_url.clone(),
        other_urls: address.other_urls(services, &settings.addresses),
        names: address.certificates().active().names.clone(),
    })
}

fn shape(address: &Address, settings: ServerSettings, place: Published) -> web::Json<ServerShape> {
    let active = address.certificates().active();
    let authority = active.ca_pem.as_deref().and_then(facts::of_pem);
    let addresses = place.names.addresses().map(|ip| ip.to_string());
    web::Json(ServerShape {
        public_name: settings.public_name,
        fixed: address.is_fixed(),
        certificate: CertificateShape {
            names: place.names.hosts().map(ToOwned::to_owned).chain(addresses).collect(),
            valid_until: active.not_after,
        },
        url: place.url,
        other_urls: place.other_urls,
        candidates: address.candidates(),
        own_subnets: address.own_subnets().iter().map(ToString::to_string).collect(),
        authority: authority.map(|facts| AuthorityShape { fingerprint: facts.fingerprint, valid_until: facts.valid_until }),
        revision: settings.revision,
    })
}
