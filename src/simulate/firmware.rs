//! What a phone does with an image (rules 17, 18).
//!
//! Real images begin with lines `Key=value`. `Checksum` and `Container` are real; where the version stands is not known, so simulated
//! images carry it as `Version` and `Updater`, and as `Reads` the newest kind of container that this Updater reads.

use super::flash::Flash;
use super::rules::{Rule, Rules};

/// Bytes that a phone reads before it decides whether to go on.
pub const OPENING_BYTES: usize = 4096;

/// The software in a phone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Software {
    /// Version of the Application.
    pub application: String,
    /// Version of the Updater.
    pub updater: String,
    /// Checksum of the image it was installed from; none where it came from the factory.
    pub checksum: Option<u32>,
    /// The newest kind of container that the Updater reads.
    pub container: u32,
    /// Boots at which an image failed its verification since the last good one.
    pub failures: u32,
}

/// What an image's first lines say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    checksum: u32,
    version: Option<String>,
    updater: Option<String>,
    container: u32,
    reads: Option<u32>,
}

/// What a phone makes of the first bytes of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It is the installed one: hang up.
    Same,
    /// No image, or given up after too many failures: hang up.
    Leave,
    /// Fetch it all.
    Fetch,
}

/// What came of a whole download.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Installation {
    /// Written; the phone reboots.
    Installed,
    /// It failed its verification and was dropped.
    Broken,
    /// The present Updater cannot read it; the phone comes up as before (rule 18).
    Refused,
}

impl Header {
    /// Reads the lines up to the first that is not `Key=value`. None where there is no checksum.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let lines =
            bytes.split(|byte| *byte == b'\n').map_while(|line| std::str::from_utf8(line).ok()?.trim_end().split_once('='));
        let mut header = Self { checksum: 0, version: None, updater: None, container: 0, reads: None };
        let mut has_checksum = false;
        for (key, value) in lines {
            match key {
                "Checksum" => {
                    header.checksum = u32::from_str_radix(value.strip_prefix("0x")?, 16).ok()?;
                    has_checksum = true;
                }
                "Version" => header.version = Some(value.to_owned()),
                "Updater" => header.updater = Some(value.to_owned()),
                "Container" => header.container = value.parse().ok()?,
                "Reads" => header.reads = Some(value.parse().ok()?),
                _ => {}
            }
        }
        has_checksum.then_some(header)
    }
}

/// The sum that stands in a simulated image's first line: of every byte after that line.
fn checksum(image: &[u8]) -> u32 {
    let after = image.iter().position(|byte| *byte == b'\n').map_or(&[][..], |end| &image[end + 1..]);
    after.iter().fold(0u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(*byte)))
}

impl Software {
    /// Software as it came from the factory.
    pub fn factory(application: &str, updater: &str) -> Self {
        Self { application: application.to_owned(), updater: updater.to_owned(), checksum: None, container: 1, failures: 0 }
    }

    /// Looks at an image's first bytes (rule 17).
    pub fn look(&self, opening: &[u8], flash: &Flash, rules: Rules) -> Decision {
        let Some(header) = Header::read(opening) else { return Decision::Leave };
        let same_version = header.version.as_deref() == Some(&self.application);
        if self.checksum == Some(header.checksum) || same_version {
            return Decision::Same;
        }
        let limit = flash.get("device.prov.abortSWUpgradeAfterFailures").and_then(|text| text.parse().ok()).unwrap_or(3);
        if self.failures >= limit && !rules.alternative(Rule::BrokenImage) { Decision::Leave } else { Decision::Fetch }
    }

    /// Takes in a whole download, or what there is of it (rules 17, 18).
    pub fn install(&mut self, image: &[u8], length: Option<u64>) -> Installation {
        let whole = length.is_none_or(|length| u64::try_from(image.len()) == Ok(length));
        let header = Header::read(image).filter(|header| whole && header.checksum == checksum(image));
        let Some(header) = header else {
            self.failures += 1;
            return Installation::Broken;
        };
        if header.container > self.container {
            return Installation::Refused;
        }
        self.failures = 0;
        self.checksum = Some(header.checksum);
        self.application = header.version.unwrap_or_else(|| self.application.clone());
        self.updater = header.updater.unwrap_or_else(|| self.updater.clone());
        self.container = header.reads.unwrap_or(self.container);
        Installation::Installed
    }
}

/// A release of simulated software.
#[derive(Clone, Copy, Debug)]
pub struct Release<'a> {
    /// Version of its Application.
    pub version: &'a str,
    /// Version of the Updater that it brings.
    pub updater: &'a str,
    /// The kind of container that it comes in.
    pub container: u32,
    /// The newest kind of container that its Updater reads.
    pub reads: u32,
}

impl Release<'_> {
    /// Its image, with so many bytes behind the header: phones take it whose Updater reads its container.
    pub fn image(&self, size: usize) -> Vec<u8> {
        let Self { version, updater, container, reads } = self;
        let lines = format!("Version={version}\nUpdater={updater}\nContainer={container}\nReads={reads}\n\n");
        let rest = lines + &"\u{1}".repeat(size);
        let sum = checksum(format!("\n{rest}").as_bytes());
        format!("Checksum=0x{sum:08x}\n{rest}").into_bytes()
    }
}
