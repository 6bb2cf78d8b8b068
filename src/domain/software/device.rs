//! What is known of the software of one device: what it told by its requests, and what admins decided about it.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::SoftwareVersion;
use crate::domain::device::Device;

/// Kept in the device's row.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct DeviceSoftware {
    /// Written with the presence batch: memory knows it first.
    pub told: Told,
    /// Written by admins.
    pub decided: Decided,
}

/// What a device told by its requests and downloads.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Told {
    /// Version of its Application.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub installed: Option<SoftwareVersion>,
    /// Version of its Updater or boot ROM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updater: Option<SoftwareVersion>,
    /// The part number that it put in front of an image's name itself: always right (protocol/provisioning.md 4.3).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part_number: Option<String>,
    /// Complete downloads of one version since its software changed last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tries: Option<Tries>,
    /// The download that it is busy with, or installs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updating: Option<Updating>,
}

/// Complete downloads of one version that did not change a device's software.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Tries {
    /// The version.
    pub version: SoftwareVersion,
    /// How many.
    pub count: u32,
    /// The number of the go that these belong to: *Try again* begins another one.
    pub go: u32,
    /// The last one.
    pub at: Timestamp,
}

/// A download from its first byte past the header on.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Updating {
    /// The version.
    pub version: SoftwareVersion,
    /// When it began.
    pub since: Timestamp,
}

/// What admins decided about one device.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Decided {
    /// The older version that it may be taken back to (contract 5.12).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub downgrade_to: Option<SoftwareVersion>,
    /// Counts *Try again*.
    pub go: u32,
}

/// Complete downloads without a change of version that withdraw an image from a device (contract 5.12).
pub const TRIES: u32 = 3;

/// How long a device may take to come back from an update at most (contract 5.12).
pub const UPDATE_TAKES_AT_MOST: SignedDuration = SignedDuration::from_mins(45);

impl Device {
    /// What is known of its software.
    pub fn told_software(&self) -> Option<&Told> {
        self.software.as_ref().map(|software| &software.told)
    }

    /// What admins decided about its software.
    pub fn decided_software(&self) -> Decided {
        self.software.as_ref().map(|software| software.decided.clone()).unwrap_or_default()
    }

    /// Changes what is known of its software.
    pub fn change_software(&mut self, change: impl FnOnce(&mut DeviceSoftware)) {
        let mut software = self.software.take().unwrap_or_default();
        change(&mut software);
        self.software = (*software != DeviceSoftware::default()).then_some(software);
    }

    /// Whether an image was withdrawn from it: it took all of it three times and kept its software.
    pub fn is_withdrawn(&self, version: &SoftwareVersion) -> bool {
        self.software.as_deref().is_some_and(|DeviceSoftware { told, decided }| {
            told.tries.as_ref().is_some_and(|tries| tries.version == *version && tries.go == decided.go && tries.count >= TRIES)
        })
    }

    /// The version that it is busy with: until its next request as an Application, and no longer than 45 minutes.
    pub fn updating(&self, now: Timestamp) -> Option<&Updating> {
        let updating = self.told_software()?.updating.as_ref()?;
        (now.duration_since(updating.since) <= UPDATE_TAKES_AT_MOST).then_some(updating)
    }
}

impl Told {
    /// Takes in the versions of its programs. Other software than before ends the tries.
    pub fn runs(&mut self, installed: Option<SoftwareVersion>, updater: Option<SoftwareVersion>) {
        if installed.is_some() && installed != self.installed {
            if self.installed.is_some() {
                self.tries = None;
            }
            self.installed = installed;
        }
        if updater.is_some() && updater != self.updater {
            // The upgrade of a boot ROM changes nothing else.
            if self.updater.is_some() {
                self.tries = None;
            }
            self.updater = updater;
        }
    }

    /// Its Application asks for something else than an image: whatever it was busy with is over.
    pub fn is_back(&mut self, at: Timestamp) {
        if self.updating.as_ref().is_some_and(|updating| updating.since < at) {
            self.updating = None;
        }
    }

    /// More than the header of an image goes out to it.
    pub fn downloads(&mut self, version: &SoftwareVersion, at: Timestamp) {
        if self.updating.as_ref().is_none_or(|updating| updating.version != *version) {
            self.updating = Some(Updating { version: version.clone(), since: at });
        }
    }

    /// It has all of an image. Taking once more what it runs is no try of anything.
    pub fn completed(&mut self, version: &SoftwareVersion, go: u32, at: Timestamp) {
        if self.installed.as_ref() == Some(version) {
            return;
        }
        self.downloads(version, at);
        let former = self.tries.take().filter(|tries| tries.version == *version && tries.go == go);
        let count = former.map_or(0, |tries| tries.count).saturating_add(1);
        self.tries = Some(Tries { version: version.clone(), count, go, at });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::testing::device;

    fn version(text: &str) -> SoftwareVersion {
        text.parse().expect("a version")
    }

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(minute * 60).expect("a time within the range")
    }

    #[test]
    fn three_complete_downloads_without_another_version_withdraw_the_image_until_somebody_says_again() {
        let mut phone = device("0004f2aabbcc");
        let (old, new) = (version("5.5.2.8571"), version("5.9.8.5760"));
        phone.change_software(|software| software.told.runs(Some(old.clone()), None));
        for time in 1..=2 {
            phone.change_software(|software| software.told.completed(&new, 0, at(time)));
            phone.change_software(|software| software.told.runs(Some(old.clone()), None));
            assert!(!phone.is_withdrawn(&new), "after {time}");
        }
        phone.change_software(|software| software.told.completed(&new, 0, at(3)));
        assert!(phone.is_withdrawn(&new) && !phone.is_withdrawn(&version("5.7.3.1797")));
        phone.change_software(|software| software.decided.go += 1);
        assert!(!phone.is_withdrawn(&new));
        phone.change_software(|software| software.told.completed(&new, 1, at(4)));
        assert!(!phone.is_withdrawn(&new), "the count begins anew");
    }

    #[test]
    fn an_image_that_runs_already_is_not_tried() {
        let mut told = Told::default();
        told.runs(Some(version("5.9.8.5760")), None);
        told.completed(&version("5.9.8.5760"), 0, at(1));
        assert_eq!((told.tries, told.updating), (None, None));
    }

    #[test]
    fn other_software_ends_the_tries() {
        let mut told = Told::default();
        told.runs(Some(version("5.5.2.8571")), None);
        told.completed(&version("5.7.3.1797"), 0, at(1));
        told.runs(Some(version("5.7.3.1797")), None);
        assert_eq!((told.tries, told.installed), (None, Some(version("5.7.3.1797"))));
    }

    #[test]
    fn a_device_is_updating_from_the_header_until_its_application_asks_for_something_else() {
        let mut phone = device("0004f2aabbcc");
        phone.change_software(|software| software.told.downloads(&version("5.9.8.5760"), at(1)));
        phone.change_software(|software| software.told.downloads(&version("5.9.8.5760"), at(5)));
        assert!(phone.updating(at(46)).is_some() && phone.updating(at(47)).is_none(), "45 minutes at most");
        phone.change_software(|software| software.told.is_back(at(1)));
        assert!(phone.updating(at(2)).is_some(), "the request that it came with is no return");
        phone.change_software(|software| software.told.is_back(at(9)));
        assert!(phone.updating(at(9)).is_none());
        assert_eq!(phone.software, None, "nothing is kept of what is over");
    }
}
