//! The software of the demo: two packages, made here and uploaded as people do. Phones of the demo look for none.

use std::io::{Cursor, Write as _};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::domain::access::Actor;
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::services::Services;
use crate::services::commit::Mode;
use crate::services::error::ServiceError;
use crate::services::images::uploads::{self, Said};
use crate::services::images::worker;

/// A package: the name of its file, its version, and the part numbers that it has images for.
type Package = (&'static str, &'static str, &'static [&'static str]);

const PACKAGES: [Package; 2] = [
    ("UC_Software_5_9_8_release_sig_split.zip", "5.9.8.5760", &["3111-44500-001", "3111-48450-001", "3111-48350-001"]),
    ("Trio_7_2_6_release.zip", "7.2.6.0036", &["3111-65290-001"]),
];

/// Uploads the packages.
pub fn upload(services: &Services, actor: &Actor) -> Result<(), ServiceError> {
    for (file, version, parts) in PACKAGES {
        let package = package(version, parts).map_err(|error| ServiceError::Conflict(error.to_string()))?;
        let begun = uploads::begin(services, actor, DEFAULT_ACCOUNT, (file, package.len() as u64), Said::default(), Mode::Keep)?;
        let id = begun.upload.id;
        uploads::write_at(services, actor, DEFAULT_ACCOUNT, id, 0)?.write(services, &package)?;
        uploads::finish(services, actor, DEFAULT_ACCOUNT, id, Mode::Keep)?;
        worker::work(services)?;
        uploads::cancel(services, actor, DEFAULT_ACCOUNT, id, Mode::Keep)?;
    }
    Ok(())
}

fn package(version: &str, parts: &[&str]) -> zip::result::ZipResult<Vec<u8>> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for part in parts {
        zip.start_file(format!("{part}.sip.ld"), SimpleFileOptions::default())?;
        zip.write_all(format!("Checksum=0x00000000\nDemo={part} {version}\n").as_bytes())?;
    }
    zip.start_file("sip.ver", SimpleFileOptions::default())?;
    zip.write_all(version.as_bytes())?;
    Ok(zip.finish()?.into_inner())
}
