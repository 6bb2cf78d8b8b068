//! Profiles into a ZIP archive: only what `unpacking.rs` takes back.

use std::io::{Cursor, Write as _};
use std::sync::Arc;

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::archive::{FORMAT, MANIFEST, Manifest, Member, Secrets};
use super::deployed::{DEPLOYMENT, Deployment};
use super::unpacking;
use crate::domain::parameter::{ParameterSet, masked};
use crate::domain::profile::Profile;
use crate::xml;

/// An archive that this server takes back, or why there is none.
pub(super) fn write(profiles: &[Arc<Profile>], secrets: Secrets, deployment: Option<&Deployment>) -> Result<Vec<u8>, String> {
    let (archive, unpacked) = written(profiles, secrets, deployment, CompressionMethod::Deflated)?;
    let (archive, unpacked) = match unpacking::is_bomb(unpacked, archive.len()) {
        // Very much of the same: nobody would believe what comes out of it.
        true => written(profiles, secrets, deployment, CompressionMethod::Stored)?,
        false => (archive, unpacked),
    };
    unpacking::check_written(archive.len(), unpacked)?;
    Ok(archive)
}

/// What goes into an archive, counted.
struct Packer {
    zip: ZipWriter<Cursor<Vec<u8>>>,
    options: SimpleFileOptions,
    unpacked: u64,
}

impl Packer {
    fn add(&mut self, name: &str, content: &[u8]) -> Result<(), String> {
        unpacking::check_member(name, content.len() as u64)?;
        self.unpacked += content.len() as u64;
        self.zip.start_file(name, self.options).map_err(unwritten)?;
        self.zip.write_all(content).map_err(unwritten)
    }
}

fn unwritten(error: impl std::fmt::Display) -> String {
    format!("the archive could not be written: {error}")
}

/// An archive, and what its members have together.
fn written(
    profiles: &[Arc<Profile>],
    secrets: Secrets,
    deployment: Option<&Deployment>,
    method: CompressionMethod,
) -> Result<(Vec<u8>, u64), String> {
    let options = SimpleFileOptions::default().compression_method(method);
    let mut packer = Packer { zip: ZipWriter::new(Cursor::new(Vec::new())), options, unpacked: 0 };
    let mut members = Vec::new();
    for profile in profiles {
        let (parameters, masked) = match secrets {
            Secrets::Clear => (profile.parameters.clone(), Vec::new()),
            Secrets::Masked => with_masks(&profile.parameters),
        };
        let file = format!("profiles/{}-{}.cfg", profile.id, slug(profile.name.as_str()));
        packer.add(&file, &xml::write::profile(&parameters))?;
        let (name, description, software) = (profile.name.to_string(), profile.description.clone(), profile.software.clone());
        members.push(Member { file, name, description, software, yields: profile.yields, masked });
    }
    if let Some(deployment) = deployment {
        packer.add(DEPLOYMENT, &deployment.written().map_err(unwritten)?)?;
    }
    let manifest = Manifest {
        format: FORMAT.to_owned(),
        version: 1,
        written_by: format!("pdms {}", env!("CARGO_PKG_VERSION")),
        profiles: members,
    };
    packer.add(MANIFEST, &serde_json::to_vec_pretty(&manifest).map_err(unwritten)?)?;
    let Packer { zip, unpacked, .. } = packer;
    Ok((zip.finish().map_err(unwritten)?.into_inner(), unpacked))
}

/// The parameters with secrets masked, and the names of those.
fn with_masks(parameters: &ParameterSet) -> (ParameterSet, Vec<String>) {
    let mut names = Vec::new();
    let shown = parameters.iter().map(|(name, value)| {
        let shown = masked(name.as_str(), value);
        if *shown != **value {
            names.push(name.to_string());
        }
        (name.clone(), shown.into())
    });
    let shown = shown.collect();
    (shown, names)
}

/// A name as a file's: letters and digits of ASCII, and dashes.
fn slug(name: &str) -> String {
    let plain = name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' }).take(60);
    plain.collect::<String>().trim_matches(['-', '.']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::limits::{ARCHIVE_UPLOAD_BYTES, IMPORT_BYTES, PARAMETER_VALUE_BYTES};
    use crate::domain::testing::profile;

    /// A profile of so many parameters with this value.
    fn of_many(parameters: usize, value: &str) -> Arc<Profile> {
        let names: Vec<String> = (0..parameters).map(|number| format!("up.text{number}")).collect();
        let pairs: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), value)).collect();
        Arc::new(profile(1, &pairs))
    }

    #[test]
    fn very_much_of_the_same_comes_in_again_although_it_would_pack_like_a_bomb() {
        let same = "x".repeat(PARAMETER_VALUE_BYTES);
        let profiles = [
            of_many(40, &same),
            Arc::new(Profile { id: crate::domain::ids::ProfileId(2), ..Profile::clone(&of_many(40, &same)) }),
        ];
        let (packed, unpacked) = written(&profiles, Secrets::Clear, None, CompressionMethod::Deflated).expect("written");
        assert!(unpacking::is_bomb(unpacked, packed.len()), "{unpacked} of {}", packed.len());
        let read = unpacking::read(&write(&profiles, Secrets::Clear, None).expect("written")).expect("it comes in again");
        assert_eq!(read.len(), 2);
    }

    #[test]
    fn what_would_not_come_in_again_does_not_go_out() {
        let too_large = of_many(IMPORT_BYTES / PARAMETER_VALUE_BYTES + 1, &"x".repeat(PARAMETER_VALUE_BYTES));
        let told = write(&[too_large], Secrets::Clear, None).expect_err("larger than a configuration file");
        assert!(told.contains("a configuration file has at most"), "{told}");
        assert!(unpacking::check_written(ARCHIVE_UPLOAD_BYTES, 1).is_ok());
        assert!(unpacking::check_written(ARCHIVE_UPLOAD_BYTES + 1, 1).is_err_and(|told| told.contains("taken back")));
    }
}
