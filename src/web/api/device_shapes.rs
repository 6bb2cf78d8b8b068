//! Devices and their runs as JSON. Only shapes; [`super::devices`] has the operations.

use std::net::IpAddr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::people_shapes::OwnerKey;
use crate::domain::device_list::{LastResult, Listed, Status};
use crate::domain::run::verdict::{Outcome, Stage};
use crate::domain::run::{RunKind, Subject};
use crate::domain::trust::Trust;
use crate::services::runs::ListedRun;

/// A device with what it told of itself.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct DeviceShape {
    /// MAC (12 lower-case hexadecimal digits) or serial number.
    #[schema(example = "0004f2abcdef")]
    pub key: String,
    /// MAC of a device that goes by its serial number, where it is known.
    pub mac: Option<String>,
    /// Name shown here.
    pub name: Option<String>,
    /// Name sent to the device, for types that take one.
    pub sent_name: Option<String>,
    /// Free text.
    pub description: String,
    /// Device type.
    #[schema(example = "VVX")]
    pub family: Option<String>,
    /// Model.
    #[schema(example = "VVX 411")]
    pub model: Option<String>,
    /// Private address that an admin typed.
    #[schema(value_type = Option<String>)]
    pub private_ip: Option<IpAddr>,
    /// Private address that the device reports; the typed one counts before it.
    #[schema(value_type = Option<String>)]
    pub reported_private_ip: Option<IpAddr>,
    /// Address that the server saw last.
    #[schema(value_type = Option<String>)]
    pub public_ip: Option<IpAddr>,
    /// The site that it belongs to.
    pub site: u64,
    /// Since when it belongs there; null before its first contact.
    pub site_since: Option<Timestamp>,
    /// Why it belongs there.
    #[schema(example = "its address lies in 20.1.0.0/16")]
    pub site_reason: String,
    /// The site that a person has pinned it to; null where its addresses say.
    pub pin: Option<u64>,
    /// Since when a move to *Internet* waits for somebody's word.
    pub move_waits_since: Option<Timestamp>,
    /// Profiles attached to this very device, highest first.
    pub profiles: Vec<u64>,
    /// Device groups that it is in, highest first.
    pub groups: Vec<u64>,
    /// The person who owns it, or the room it stands in; send it back as `shown` with another owner.
    pub owner: Option<OwnerKey>,
    /// How it came in: `automatic` or `manual`.
    pub origin: String,
    /// When it came in.
    pub added_at: Timestamp,
    /// First message ever.
    pub first_seen: Option<Timestamp>,
    /// Last message.
    pub last_seen: Option<Timestamp>,
    /// `online`, `offline` or `never-seen`.
    pub status: String,
    /// Version of the Application.
    pub software_version: Option<String>,
    /// Version of the Updater or boot ROM.
    pub updater_version: Option<String>,
    /// Result of the last run: `success`, `failed` or `none`.
    pub last_result: String,
    /// When the last run began.
    pub last_run_at: Option<Timestamp>,
    /// Whether it was last served over plain HTTP, where everybody in its network can read its configuration.
    pub clear_text: bool,
    /// Until when it may come back with factory settings or the shared credentials: after *Expect it back*, and until it did.
    pub expected_until: Option<Timestamp>,
    /// Counts changes; send it back with a change.
    pub revision: u64,
    /// Where the search found it, such as `profile of the site: Lobby`; absent where that is a column of the list. Told in the list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

impl DeviceShape {
    /// A device as it stands at this time.
    pub fn new(one: &Listed, trust: &Trust, now: Timestamp) -> Self {
        let Listed { device, sighting } = one;
        Self {
            why: None,
            key: device.key.to_string(),
            mac: device.mac.map(|mac| mac.to_string()),
            name: device.name.as_ref().map(ToString::to_string),
            sent_name: device.sent_name.as_ref().map(ToString::to_string),
            description: device.description.clone(),
            family: device.family.clone(),
            model: device.model.clone(),
            private_ip: device.private_ip,
            reported_private_ip: sighting.private_ip,
            public_ip: sighting.public_ip,
            site: device.site_id().0,
            site_since: device.placement.placed.map(|placed| placed.at),
            site_reason: device.placement.reason(),
            pin: device.pin_id().map(|id| id.0),
            move_waits_since: device.waiting_move(),
            profiles: device.profiles.iter().map(|id| id.0).collect(),
            groups: device.groups.iter().map(|id| id.0).collect(),
            owner: device.owner.map(Into::into),
            origin: device.origin.word().to_owned(),
            added_at: device.added_at,
            first_seen: sighting.first_seen,
            last_seen: sighting.last_seen,
            status: Status::of(sighting.last_seen, now).word().to_owned(),
            software_version: sighting.software_version.clone(),
            updater_version: sighting.updater_version.clone(),
            last_result: LastResult::of(sighting.last_run).word().to_owned(),
            last_run_at: sighting.last_run.map(|run| run.at),
            clear_text: trust.clear_text,
            expected_until: trust.expected_until.filter(|_| trust.is_expected(now)),
            revision: device.revision,
        }
    }
}

/// One boot or poll.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct RunShape {
    /// The device that it is of, or that the phone claimed to be.
    pub device: Option<String>,
    /// Whether the device was let in.
    pub admitted: bool,
    /// Address that the last request came from.
    pub address: String,
    /// The last User-Agent.
    pub user_agent: String,
    /// `boot` or `poll`.
    pub kind: String,
    /// First request.
    pub started_at: Timestamp,
    /// Last request so far.
    pub ended_at: Timestamp,
    /// Whether more requests may still join it.
    pub open: bool,
    /// `complete`, `held`, `failed`, `under-way` or `neutral`.
    pub outcome: String,
    /// What came of it, in words.
    pub verdict: String,
    /// What to do about it.
    pub next_step: Option<String>,
    /// What was asked, in order.
    pub exchanges: Vec<ExchangeShape>,
    /// How many exchanges were not kept.
    pub left_out: u32,
}

/// One request and its answer, or one failed handshake.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ExchangeShape {
    /// When it was answered.
    pub at: Timestamp,
    /// `GET`, `HEAD`, `PUT`, `POST`, `other` or `TLS`.
    pub method: String,
    /// What was asked for.
    pub path: String,
    /// HTTP status; 0 where there was no answer.
    pub status: u16,
    /// Bytes of the answer's or the upload's body.
    pub size_bytes: u64,
    /// Why it was answered so, in words.
    pub reason: String,
}

impl From<ListedRun> for RunShape {
    fn from(listed: ListedRun) -> Self {
        let verdict = listed.verdict();
        let ListedRun { subject, run, stage } = listed;
        let outcome = match verdict.outcome {
            Outcome::Complete => "complete",
            Outcome::Held => "held",
            Outcome::Failed => "failed",
            Outcome::UnderWay => "under-way",
            Outcome::Neutral => "neutral",
        };
        let kind = match run.kind {
            RunKind::Boot => "boot",
            RunKind::Poll => "poll",
        };
        let exchanges = run.exchanges.into_iter().map(|e| ExchangeShape {
            at: e.at,
            method: e.method.to_string(),
            path: e.path.into(),
            status: e.status,
            size_bytes: e.size_bytes,
            reason: e.reason.to_string(),
        });
        Self {
            device: match &subject {
                Subject::Device(key) | Subject::Stranger(key) => Some(key.to_string()),
                Subject::Address(_) => None,
            },
            admitted: matches!(subject, Subject::Device(_)),
            address: run.address.to_string(),
            user_agent: run.user_agent,
            kind: kind.to_owned(),
            started_at: run.started_at,
            ended_at: run.ended_at,
            open: stage == Stage::GoesOn,
            outcome: outcome.to_owned(),
            verdict: verdict.words,
            next_step: verdict.next.map(ToOwned::to_owned),
            exchanges: exchanges.collect(),
            left_out: run.left_out,
        }
    }
}
