//! Manufacturers' CAs, and what is known of the factory certificates of devices (R373, R374).

use actix_web::{HttpResponse, delete, get, post, put, web};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::body::{DryRun, created};
use super::caller::Caller;
use super::list::{List, Narrow, Order, narrowed};
use super::paths::{AccountPath, DevicePath};
use super::problem::Problem;
use super::sent::{self, Asked, Sent};
use crate::domain::manufacturer::ManufacturerCa;
use crate::domain::trust::{Certificate, Trust};
use crate::services::manufacturers::{self, Removal, Standing};
use crate::services::{Services, devices};
use crate::web::{blocking, sizes};

/// The certificate of a manufacturer's CA.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ManufacturerShape {
    /// SHA-256 over the certificate, pairs of capital hexadecimal digits with colons.
    pub fingerprint: String,
    /// Whose it is.
    pub subject: String,
    /// Beginning of its validity.
    pub valid_from: Timestamp,
    /// End of its validity.
    pub valid_until: Timestamp,
    /// When it was uploaded.
    pub added_at: Timestamp,
    /// By whom.
    pub by: String,
}

impl From<ManufacturerCa> for ManufacturerShape {
    fn from(one: ManufacturerCa) -> Self {
        let ManufacturerCa { fingerprint, subject, valid_from, valid_until, added_at, by, .. } = one;
        Self { fingerprint, subject, valid_from, valid_until, added_at, by }
    }
}

/// What went, or would go, with a manufacturer's CA.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ManufacturerRemovalShape {
    /// The certificate.
    pub manufacturer: ManufacturerShape,
    /// Whether it was the last one: then no phone is asked any more.
    pub is_last: bool,
    /// How many revocation lists go along, because no other CA made them.
    pub revocation_lists: usize,
    /// How devices stood before.
    pub standing: StandingShape,
}

/// How many devices are in each state of their factory certificate.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct StandingShape {
    /// All devices.
    pub devices: usize,
    /// They showed a certificate that was verified.
    pub verified: usize,
    /// They showed one that counts as none.
    pub invalid: usize,
    /// They were asked and showed none.
    pub none: usize,
    /// They were not heard since phones are asked.
    pub unknown: usize,
}

impl From<Removal> for ManufacturerRemovalShape {
    fn from(Removal { authority, standing, is_last, lists }: Removal) -> Self {
        let Standing { devices, verified, none, invalid, unknown } = standing;
        let standing = StandingShape { devices, verified, invalid, none, unknown };
        Self { manufacturer: authority.into(), is_last, revocation_lists: lists.len(), standing }
    }
}

/// Something of an account that is known by its SHA-256.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct FingerprintPath {
    /// Label of the account.
    #[param(example = "default")]
    #[expect(dead_code, reason = "the caller extractor reads it; here it is for the description")]
    account: String,
    /// SHA-256, as lists tell it.
    pub(super) fingerprint: String,
}

/// States of a factory certificate, as phones show them.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CertificateWord {
    /// Nothing is known.
    Unknown,
    /// It is there and good.
    FactoryInstalled,
    /// There is none.
    NotInstalled,
    /// There is one that does not count.
    Invalid,
}

impl From<&Certificate> for CertificateWord {
    fn from(state: &Certificate) -> Self {
        match state {
            Certificate::Unknown => Self::Unknown,
            Certificate::FactoryInstalled => Self::FactoryInstalled,
            Certificate::NotInstalled => Self::NotInstalled,
            Certificate::Invalid(_) => Self::Invalid,
        }
    }
}

impl From<CertificateWord> for Certificate {
    fn from(word: CertificateWord) -> Self {
        match word {
            CertificateWord::Unknown => Self::Unknown,
            CertificateWord::FactoryInstalled => Self::FactoryInstalled,
            CertificateWord::NotInstalled => Self::NotInstalled,
            CertificateWord::Invalid => Self::Invalid(Box::default()),
        }
    }
}

/// What is known of a device's factory certificate.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct CertificateStateShape {
    /// What its handshakes showed.
    pub shown: CertificateWord,
    /// Why what it showed does not count.
    pub reason: Option<String>,
    /// What somebody showed for this device since who was not let in; absent where nobody did.
    pub refused: Option<RefusedCertificateShape>,
    /// What a person read off it; it tells nothing once a handshake did.
    pub read: CertificateWord,
}

/// A certificate that was shown for a device and does not count. Whoever showed it was not let in and may be somebody else.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct RefusedCertificateShape {
    /// Why it does not count.
    pub reason: String,
    /// What to do about it.
    pub next: String,
    /// From where.
    pub address: String,
    /// When, the last time.
    pub at: Timestamp,
}

/// What a person read off a phone, in *Menu, Status, Platform, Phone*.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CertificateNote {
    /// The state; `unknown` takes the note back.
    state: CertificateWord,
}

const ORDERS: &[Order<ManufacturerShape>] = &[
    ("added_at", |a, b| (a.added_at, &a.fingerprint).cmp(&(b.added_at, &b.fingerprint))),
    ("subject", |a, b| (&a.subject, &a.fingerprint).cmp(&(&b.subject, &b.fingerprint))),
    ("valid_until", |a, b| (a.valid_until, &a.fingerprint).cmp(&(b.valid_until, &b.fingerprint))),
];

/// Lists the CAs whose phones' certificates count; sorts by `added_at`, `subject` or `valid_until`.
#[utoipa::path(tag = "certificates of phones", params(AccountPath, Narrow), responses((status = 200, body = List<ManufacturerShape>)))]
#[get("/accounts/{account}/manufacturers")]
pub async fn list_manufacturers(
    caller: Caller,
    services: web::Data<Services>,
    asked: Asked<Narrow>,
) -> Result<web::Json<List<ManufacturerShape>>, Problem> {
    let all = manufacturers::list(&services, caller.account)?.into_iter().map(ManufacturerShape::from).collect();
    let texts = |one: &ManufacturerShape| vec![one.subject.clone(), one.fingerprint.clone(), one.by.clone()];
    Ok(web::Json(narrowed(all, &asked, texts, ORDERS)?))
}

/// Takes the CA certificates of a file, PEM with one or several, or DER: all or none. Answers those that are new.
#[utoipa::path(tag = "certificates of phones", params(AccountPath, DryRun), request_body(content = Vec<u8>, content_type = "application/x-pem-file"), responses((status = 201, body = List<ManufacturerShape>), (status = 200, description = "A dry run", body = List<ManufacturerShape>)))]
#[post("/accounts/{account}/manufacturers")]
pub async fn add_manufacturers(
    caller: Caller,
    services: web::Data<Services>,
    dry_run: Asked<DryRun>,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    let (file, mode) = (sent::file(payload, sizes::AUTHORITIES).await?, dry_run.mode());
    let work = move |services: &Services| manufacturers::add(services, &caller.actor, caller.account, &file, mode);
    let added = blocking::call(&services, work).await?;
    let list = List::whole(added.into_iter().map(ManufacturerShape::from).collect());
    Ok(HttpResponse::build(created(mode)).json(list))
}

/// Deletes a CA: from each phone's next connection on, what it signed counts as none.
#[utoipa::path(tag = "certificates of phones", params(FingerprintPath, DryRun), responses((status = 200, body = ManufacturerRemovalShape)))]
#[delete("/accounts/{account}/manufacturers/{fingerprint}")]
pub async fn delete_manufacturer(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<FingerprintPath>,
    dry_run: Asked<DryRun>,
) -> Result<web::Json<ManufacturerRemovalShape>, Problem> {
    let (fingerprint, mode) = (path.into_inner().fingerprint, dry_run.mode());
    let work = move |services: &Services| manufacturers::remove(services, &caller.actor, caller.account, &fingerprint, mode);
    Ok(web::Json(blocking::call(&services, work).await?.into()))
}

/// Shows what is known of a device's factory certificate.
#[utoipa::path(tag = "certificates of phones", params(DevicePath), responses((status = 200, body = CertificateStateShape)))]
#[get("/accounts/{account}/devices/{key}/certificate")]
pub async fn show_certificate(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<DevicePath>,
) -> Result<web::Json<CertificateStateShape>, Problem> {
    let known = devices::get(&services, caller.account, &path.key()?)?;
    let trust = services.trusts(caller.account).of(&known.device.key);
    Ok(web::Json(state(&trust, &trust.certificate_read)))
}

/// Notes what a person read off a phone of its certificate. It opens nothing.
#[utoipa::path(tag = "certificates of phones", params(DevicePath, DryRun), request_body = CertificateNote, responses((status = 200, body = CertificateStateShape)))]
#[put("/accounts/{account}/devices/{key}/certificate")]
pub async fn note_certificate(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<DevicePath>,
    dry_run: Asked<DryRun>,
    note: Sent<CertificateNote>,
) -> Result<web::Json<CertificateStateShape>, Problem> {
    let (key, mode, read) = (path.key()?, dry_run.mode(), Certificate::from(note.into_inner().state));
    let answer = state(&services.trusts(caller.account).of(&key), &read);
    let work = move |services: &Services| manufacturers::note_read(services, &caller.actor, caller.account, &key, read, mode);
    blocking::call(&services, work).await?;
    Ok(web::Json(answer))
}

fn state(trust: &Trust, read: &Certificate) -> CertificateStateShape {
    let shown = &trust.certificate;
    let refused = trust.refused_certificate().map(|(knock, fault)| RefusedCertificateShape {
        reason: fault.to_string(),
        next: fault.next_step().to_owned(),
        address: knock.address.to_string(),
        at: knock.at,
    });
    CertificateStateShape { shown: shown.into(), reason: shown.fault().map(str::to_owned), refused, read: read.into() }
}
