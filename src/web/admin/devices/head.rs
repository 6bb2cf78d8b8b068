//! What every page of one device begins with.

use std::sync::Arc;

use jiff::Timestamp;

use crate::domain::device::DeviceKey;
use crate::domain::device_list::{Listed, Status};
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::domain::world::World;
use crate::services::downloads::Download;
use crate::services::{Services, downloads};
use crate::web::admin::attached;
use crate::web::admin::failure::Failure;
use crate::web::admin::session::SignedIn;
use crate::web::admin::words;

/// Name, state, key and tabs of a device.
pub struct Head {
    pub key: String,
    pub key_label: &'static str,
    pub title: String,
    pub model: String,
    pub status: Status,
    pub last_seen: Option<Timestamp>,
    /// It was last served over plain HTTP (R316).
    pub clear_text: bool,
    /// Downloads of software that are under way: which version, since when, and how much of it is there, in percent.
    pub downloads: Vec<(String, Timestamp, u8)>,
}

impl Head {
    /// The head of a device's pages.
    pub fn new(one: &Listed, now: Timestamp) -> Self {
        Self {
            key: one.device.key.to_string(),
            key_label: words::key_label(&one.device.key),
            title: words::title(&one.device),
            model: one.device.model.clone().unwrap_or_default(),
            status: Status::of(one.sighting.last_seen, now),
            last_seen: one.sighting.last_seen,
            clear_text: false,
            downloads: Vec::new(),
        }
    }

    /// The same with the mark of a device that is served over plain HTTP, and with its downloads.
    pub fn marked(self, services: &Services) -> Self {
        let Ok(key) = self.key.parse::<DeviceKey>() else { return self };
        let running = downloads::of_device(services, DEFAULT_ACCOUNT, &key);
        let told = |one: &Arc<Download>| (one.version.to_string(), one.since, one.percent().0);
        let clear_text = services.trusts(DEFAULT_ACCOUNT).of(&key).clear_text;
        Self { clear_text, downloads: running.iter().map(told).collect(), ..self }
    }

    /// The pages of a device, under the guide's names (R235).
    pub fn tabs(&self) -> Vec<(String, &'static str)> {
        let tab = |(path, label): (&str, &'static str)| (format!("/admin/devices/{}{path}", self.key), label);
        [
            ("", "Summary"),
            ("/detail", "Detail"),
            ("/lines", "Lines"),
            ("/groups", "Groups"),
            ("/profiles", attached::LABEL),
            ("/effective", "Effective configuration"),
            ("/software", "Software"),
            ("/runs", "Runs"),
            ("/files", "Files"),
            ("/logs", "Logs"),
        ]
        .map(tab)
        .to_vec()
    }
}

/// The device that an address names, and the world it lives in.
pub fn find(services: &Services, who: &SignedIn, key: &str) -> Result<(Listed, Arc<World>), Failure> {
    let world = services.world(DEFAULT_ACCOUNT).map_err(Failure::of(who))?;
    let known = key.parse::<DeviceKey>().ok().and_then(|key| services.roster(DEFAULT_ACCOUNT).find(&key));
    known.map(|known| (known, world)).ok_or_else(|| Failure::not_found(who, "device", key))
}
