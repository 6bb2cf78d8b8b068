//! Lists of the certificates that manufacturers of phones have revoked (PHN-07).

use actix_web::{HttpResponse, delete, get, post, web};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::{DryRun, created};
use super::caller::Caller;
use super::list::{List, Narrow, Order, narrowed};
use super::manufacturers::FingerprintPath;
use super::paths::AccountPath;
use super::problem::Problem;
use super::sent::{self, Asked};
use crate::domain::manufacturer::RevocationList;
use crate::services::Services;
use crate::services::manufacturers::revocation;
use crate::web::{blocking, sizes};

/// A list of certificates that a manufacturer's CA has revoked.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct RevocationListShape {
    /// SHA-256 over the list, pairs of capital hexadecimal digits with colons.
    pub fingerprint: String,
    /// Whose it is.
    pub issuer: String,
    /// How many certificates it names.
    pub entries: usize,
    /// When the CA made it.
    pub made_at: Timestamp,
    /// When the next one was to be there. It counts on from then.
    pub next_update: Timestamp,
    /// When it was uploaded.
    pub added_at: Timestamp,
    /// By whom.
    pub by: String,
}

impl From<RevocationList> for RevocationListShape {
    fn from(one: RevocationList) -> Self {
        let RevocationList { fingerprint, issuer, entries, made_at, next_update, der: _, added_at, by } = one;
        Self { fingerprint, issuer, entries, made_at, next_update, added_at, by }
    }
}

const ORDERS: &[Order<RevocationListShape>] = &[
    ("added_at", |a, b| (a.added_at, &a.fingerprint).cmp(&(b.added_at, &b.fingerprint))),
    ("issuer", |a, b| (&a.issuer, &a.fingerprint).cmp(&(&b.issuer, &b.fingerprint))),
    ("next_update", |a, b| (a.next_update, &a.fingerprint).cmp(&(b.next_update, &b.fingerprint))),
];

/// Lists the revocation lists that count; sorts by `added_at`, `issuer` or `next_update`.
#[utoipa::path(tag = "certificates of phones", params(AccountPath, Narrow), responses((status = 200, body = List<RevocationListShape>)))]
#[get("/accounts/{account}/revocation-lists")]
pub async fn list_revocation_lists(
    caller: Caller,
    services: web::Data<Services>,
    asked: Asked<Narrow>,
) -> Result<web::Json<List<RevocationListShape>>, Problem> {
    let all = revocation::list(&services, caller.account)?.into_iter().map(RevocationListShape::from).collect();
    let texts = |one: &RevocationListShape| vec![one.issuer.clone(), one.fingerprint.clone(), one.by.clone()];
    Ok(web::Json(narrowed(all, &asked, texts, ORDERS)?))
}

/// Takes the revocation lists of a file, PEM with one or several, or DER: all or none. Each is signed by a CA that is here, and takes
/// the place of that CA's older list. Answers those that are new.
#[utoipa::path(tag = "certificates of phones", params(AccountPath, DryRun), request_body(content = Vec<u8>, content_type = "application/pkix-crl"), responses((status = 201, body = List<RevocationListShape>), (status = 200, description = "A dry run", body = List<RevocationListShape>)))]
#[post("/accounts/{account}/revocation-lists")]
pub async fn add_revocation_lists(
    caller: Caller,
    services: web::Data<Services>,
    dry_run: Asked<DryRun>,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    let (file, mode) = (sent::file(payload, sizes::REVOCATION_LISTS).await?, dry_run.mode());
    let work = move |services: &Services| revocation::add(services, &caller.actor, caller.account, &file, mode);
    let added = blocking::call(&services, work).await?;
    let list = List::whole(added.into_iter().map(RevocationListShape::from).collect());
    Ok(HttpResponse::build(created(mode)).json(list))
}

/// Deletes a revocation list: from each phone's next connection on, the certificates that it names count again.
#[utoipa::path(tag = "certificates of phones", params(FingerprintPath, DryRun), responses((status = 200, body = RevocationListShape)))]
#[delete("/accounts/{account}/revocation-lists/{fingerprint}")]
pub async fn delete_revocation_list(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<FingerprintPath>,
    dry_run: Asked<DryRun>,
) -> Result<web::Json<RevocationListShape>, Problem> {
    let (fingerprint, mode) = (path.into_inner().fingerprint, dry_run.mode());
    let work = move |services: &Services| revocation::remove(services, &caller.actor, caller.account, &fingerprint, mode);
    Ok(web::Json(blocking::call(&services, work).await?.into()))
}
