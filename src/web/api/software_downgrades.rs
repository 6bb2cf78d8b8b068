//! Consent to older software for many devices at once; that of a single one is [`super::device_software`]'s.

use std::collections::BTreeSet;

use actix_web::{post, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::DryRun;
use super::caller::Caller;
use super::device_deletion::found;
use super::matching::{Chosen, Matching, chosen};
use super::paths::AccountPath;
use super::problem::Problem;
use super::sent::{Asked, Sent};
use crate::domain::device::DeviceKey;
use crate::domain::field_error::FieldErrors;
use crate::domain::software::choices;
use crate::services::downgrades::{self, Allowed};
use crate::services::{Services, lists};
use crate::web::blocking;

/// Devices, and the older versions that they may go back to.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewDowngrades {
    /// Keys of devices; MACs in any usual notation.
    keys: Option<Vec<String>>,
    /// All that the list of devices finds, in place of these; those that wait are found with `behind=consent`.
    #[serde(default)]
    matching: Option<Matching>,
    /// The versions, one a family: devices for which another one is chosen stay as they are.
    software: Vec<OlderSoftware>,
}

/// One version of a family.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OlderSoftware {
    /// Family.
    family: String,
    /// Version.
    version: String,
}

/// What came of it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct AllowedShape {
    /// Devices that may go back now.
    pub allowed: Vec<String>,
    /// Devices that wait for no such consent.
    pub unchanged: usize,
}

impl From<Allowed> for AllowedShape {
    fn from(Allowed { allowed, unchanged }: Allowed) -> Self {
        Self { allowed: allowed.iter().map(ToString::to_string).collect(), unchanged }
    }
}

/// Allows several devices to go back to the older version that is chosen for them: all of them, or none when one is not there.
#[utoipa::path(tag = "devices", params(AccountPath, DryRun), request_body = NewDowngrades, responses((status = 200, body = AllowedShape)))]
#[post("/accounts/{account}/software/allow-downgrades")]
pub async fn allow_downgrades(
    caller: Caller,
    services: web::Data<Services>,
    dry_run: Asked<DryRun>,
    sent: Sent<NewDowngrades>,
) -> Result<web::Json<AllowedShape>, Problem> {
    let (account, mode) = (caller.account, dry_run.mode());
    let NewDowngrades { keys, matching, software } = sent.into_inner();
    let keys: BTreeSet<DeviceKey> = match chosen("keys", keys, matching)? {
        Chosen::Named(typed) => {
            let mut errors = FieldErrors::new();
            let key = |text: String| errors.take("keys", text.parse::<DeviceKey>().map_err(|error| format!("“{text}”: {error}")));
            let keys = typed.into_iter().filter_map(key).collect();
            errors.into_result(Some(keys))?
        }
        Chosen::All(matching) => matching.keys(&lists::devices::LISTING, |asked| found(&services, account, asked))?,
    };
    let typed: Vec<_> = software.into_iter().map(|one| (one.family, one.version)).collect();
    let software = choices(&typed, services.world(account)?.models)?;
    let work = move |services: &Services| downgrades::allow_all(services, &caller.actor, account, &keys, &software, mode);
    Ok(web::Json(blocking::call(&services, work).await?.into()))
}
