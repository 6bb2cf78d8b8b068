//! Downloads of software: those that are under way, in memory, and what comes of each in the run of its phone (protocol/provisioning.md 4.4).
//!
//! A download that goes on for long is told every so often, so that its run does not end meanwhile.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;
use parking_lot::Mutex;

use super::Services;
use super::presence::Message;
use super::software;
use crate::domain::device::DeviceKey;
use crate::domain::ids::{AccountId, ImageId};
use crate::domain::image::Image;
use crate::domain::image::download::{CHECKED_BYTES, Outcome};
use crate::domain::limits::RUN_SILENCE_SECONDS;
use crate::domain::run::{Going, Percent, Reason};
use crate::domain::software::SoftwareVersion;

/// Seconds after which a download that goes on is told again: before its run would end.
const TOLD_EVERY_SECONDS: i64 = RUN_SILENCE_SECONDS * 3 / 4;

/// All downloads that are under way.
#[derive(Debug, Default)]
pub struct Downloads {
    next: AtomicU64,
    running: Mutex<BTreeMap<u64, Arc<Download>>>,
    /// The device without a serial number in its requests that last asked for its master file, by address.
    untagged: Mutex<HashMap<IpAddr, (AccountId, DeviceKey)>>,
}

/// Addresses of such devices that are remembered; then it begins anew.
const UNTAGGED_ADDRESSES: usize = 10_000;

impl Downloads {
    /// A device asked for its master file, and its requests do not tell its serial number.
    pub fn came_untagged(&self, account: AccountId, address: IpAddr, key: &DeviceKey) {
        let mut untagged = self.untagged.lock();
        if untagged.len() >= UNTAGGED_ADDRESSES && !untagged.contains_key(&address) {
            untagged.clear();
        }
        untagged.insert(address, (account, key.clone()));
    }
}

/// Which device takes an image that names nothing of itself: the last one from that address (contract 4).
pub fn untagged_at(services: &Services, account: AccountId, address: IpAddr) -> Option<DeviceKey> {
    let untagged = services.downloads.untagged.lock();
    untagged.get(&address).filter(|(of, _)| *of == account).map(|(_, key)| key.clone())
}

/// One download.
#[derive(Debug)]
pub struct Download {
    /// Whose.
    pub account: AccountId,
    /// Which device takes it, where that is known.
    pub key: Option<DeviceKey>,
    /// The image.
    pub image: ImageId,
    /// The image's version.
    pub version: SoftwareVersion,
    /// The file.
    pub path: String,
    /// Bytes of the whole file.
    pub size_bytes: u64,
    /// Where in the file it began.
    pub from: u64,
    /// When it began.
    pub since: Timestamp,
    sent: AtomicU64,
}

impl Download {
    /// How much of the file the phone has.
    pub fn position(&self) -> u64 {
        self.from + self.sent.load(Ordering::Relaxed)
    }

    /// Whether more went out than a phone looks at that has this software already.
    pub fn is_past_header(&self) -> bool {
        self.position() > CHECKED_BYTES
    }

    /// How much of the file the phone has, in percent.
    pub fn percent(&self) -> Percent {
        Percent::of(self.position(), self.size_bytes)
    }
}

/// What is asked for, from where on.
#[derive(Clone, Debug)]
pub struct Asked<'a> {
    /// The image.
    pub image: &'a Image,
    /// The file.
    pub path: &'a str,
    /// Bytes of the whole file.
    pub size_bytes: u64,
    /// Where in the file it begins.
    pub from: u64,
}

/// A download on its way. When it is dropped, the run is told what came of it.
#[derive(Debug)]
pub struct Sending {
    services: Arc<Services>,
    number: u64,
    download: Arc<Download>,
    message: Message,
    told_at: Timestamp,
    /// More than the header went out, which the device's software was told.
    is_past_header: bool,
}

/// Begins a download. `message` is what the run is told of it, but for its end.
pub fn begin(services: &Arc<Services>, asked: &Asked<'_>, key: Option<DeviceKey>, message: Message) -> Sending {
    let now = services.clock.now();
    let download = Arc::new(Download {
        account: message.account,
        key,
        image: asked.image.id,
        version: asked.image.version.clone(),
        path: asked.path.to_owned(),
        size_bytes: asked.size_bytes,
        from: asked.from,
        since: now,
        sent: AtomicU64::new(0),
    });
    let number = services.downloads.next.fetch_add(1, Ordering::Relaxed);
    services.downloads.running.lock().insert(number, Arc::clone(&download));
    Sending { services: Arc::clone(services), number, download, message, told_at: now, is_past_header: false }
}

impl Sending {
    /// The connection has taken so many bytes.
    pub fn took(&mut self, sent: u64) {
        let (download, now) = (&self.download, self.services.clock.now());
        download.sent.store(sent, Ordering::Relaxed);
        if let Some(key) = download.key.as_ref().filter(|_| !self.is_past_header && download.is_past_header()) {
            self.is_past_header = true;
            software::downloading(&self.services, download.account, key, &download.version, now);
        }
        if now.duration_since(self.told_at).as_secs() >= TOLD_EVERY_SECONDS {
            self.told_at = now;
            self.tell(Reason::SoftwareGoing(Going(self.download.percent())));
        }
    }

    fn tell(&self, reason: Reason) {
        let mut message = self.message.clone();
        let exchange = &mut message.heard.exchange;
        exchange.at = self.services.clock.now();
        exchange.size_bytes = self.download.sent.load(Ordering::Relaxed);
        exchange.reason = reason;
        self.services.presence.note(message);
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        self.services.downloads.running.lock().remove(&self.number);
        let download = &self.download;
        let outcome = Outcome::of(download.from, download.position(), download.size_bytes);
        if let (Outcome::Whole, Some(key)) = (outcome, &download.key) {
            software::completed(&self.services, download.account, key, &download.version, self.services.clock.now());
        }
        self.tell(outcome.reason());
    }
}

/// The downloads that are under way of a device, the oldest first.
pub fn of_device(services: &Services, account: AccountId, key: &DeviceKey) -> Vec<Arc<Download>> {
    let is_its = |one: &&Arc<Download>| one.account == account && one.key.as_ref() == Some(key);
    services.downloads.running.lock().values().filter(is_its).cloned().collect()
}

/// How many downloads of an image are under way.
pub fn of_image(services: &Services, account: AccountId, image: ImageId) -> usize {
    services.downloads.running.lock().values().filter(|one| one.account == account && one.image == image).count()
}
