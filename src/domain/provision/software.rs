//! How a device is told its software: the path in its master file, and for stations of the CX family parameters (R132, R199, R202).

use std::borrow::Cow;

use super::super::deployment::Placed;
use super::super::device::Device;
use super::super::limits::MASTER_PATH_BYTES;
use super::super::software::offer::{self, Download, Sent, image_path};
use super::super::world::World;
use super::variables::{CX_VERSION, DOWNLOAD_PATH};
use super::{Given, Setting, Shape, Text, variables};

/// The family whose stations fetch their software by themselves.
const CX: &str = "CX";

/// What a line about the software of a device is called where changes are told. No attribute of a file has such a name.
pub const LINE: &str = "Software";

impl Shape {
    /// What its devices are sent to; none where nobody chooses.
    pub fn sent(&self) -> Option<&Sent> {
        self.software.sent.as_ref()
    }
}

/// The software that devices of one shape are sent to, and from where.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Software {
    /// What is chosen and what they take; none where nobody chooses.
    pub sent: Option<Sent>,
    /// The download path; none for this server.
    pub from: Option<Box<str>>,
}

impl Software {
    /// The software of a device.
    pub(super) fn of(device: &Device, placed: &[Placed<'_>], world: &World) -> Self {
        let from = match offer::download(device, world) {
            Download::Here => None,
            download => Some(download.prefix().into()),
        };
        Self { sent: offer::offer(device, placed, world).map(|offer| offer.sent()), from }
    }

    /// The path of the image in the master file; none where no image is named, and where phones could not take it.
    pub(super) fn path(&self) -> Option<String> {
        let (folder, version) = self.sent.as_ref()?.next.as_ref().filter(|(folder, _)| folder != CX)?;
        let path = format!("{}{}", self.from.as_deref().unwrap_or_default(), image_path(folder, version));
        (path.len() <= MASTER_PATH_BYTES).then_some(path)
    }

    /// The version that stations of the CX family are told.
    fn of_cx(&self) -> Option<&str> {
        let (folder, version) = self.sent.as_ref()?.next.as_ref()?;
        (folder == CX).then_some(version)
    }

    /// Whether stations of the CX family are told it.
    pub(super) fn is_of_cx(&self) -> bool {
        self.of_cx().is_some()
    }

    /// The attributes that a station of the CX family updates itself by: every Sunday at 01:00 (R132).
    pub(super) fn rule<'a>(&self, world: &'a World) -> Vec<Given<'a>> {
        if self.of_cx().is_none() {
            return Vec::new();
        }
        let server = format!("{DOWNLOAD_PATH}/swupdate/{CX}/{CX_VERSION}");
        let server = self.expand(&server, world).into_owned();
        vec![
            Given::fixed("device.local.updateTime", "3600"),
            Given::fixed("device.local.updateInterval", "604800"),
            Given::fixed("device.local.autoUpdateEnabled", "1"),
            Setting { name: Cow::Borrowed("device.local.updateServer"), value: Text::Fixed(Cow::Owned(server)) },
        ]
    }

    /// Puts the two variables about software into a text. A version stays as it is written where none is told.
    pub(super) fn expand<'t>(&self, text: &'t str, world: &World) -> Cow<'t, str> {
        if !variables::is_about_software(text) {
            return Cow::Borrowed(text);
        }
        let from = self.from.as_deref().unwrap_or(&world.endpoints.https_url).trim_end_matches('/');
        let text = text.replace(DOWNLOAD_PATH, from);
        Cow::Owned(match self.of_cx() {
            Some(version) => text.replace(CX_VERSION, version),
            None => text,
        })
    }

    /// What is told of it where changes are told.
    pub(super) fn line(&self) -> Option<&str> {
        self.sent.as_ref().map(|sent| sent.version.as_str())
    }
}
