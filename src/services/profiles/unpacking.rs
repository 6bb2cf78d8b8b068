//! What is in an archive of profiles. Nothing of it is trusted: number, sizes, ratio and names are looked at before anything is unpacked,
//! and what is unpacked is counted.

use std::io::{Cursor, Read as _};

use zip::ZipArchive;

use super::archive::{FORMAT, MANIFEST, Manifest, Member};
use super::deployed::{DEPLOYMENT, Deployment};
use crate::domain::limits::{ARCHIVE_BYTES, ARCHIVE_LIST_BYTES, ARCHIVE_MEMBERS, ARCHIVE_UPLOAD_BYTES, IMPORT_BYTES};

/// How many times its packed size an archive may be unpacked.
const MOST_RATIO: u64 = 200;
/// What may be unpacked whatever the ratio.
const SMALL_BYTES: u64 = 4 * 1024 * 1024;

/// Whether so much would come out of so little that somebody is up to something.
pub(super) fn is_bomb(unpacked: u64, packed: usize) -> bool {
    unpacked > SMALL_BYTES && unpacked > (packed as u64).saturating_mul(MOST_RATIO)
}

/// Refuses a member that is larger than what is read of one, going out as well as coming in.
pub(super) fn check_member(name: &str, bytes: u64) -> Result<(), String> {
    let (what, most) = match name {
        MANIFEST | DEPLOYMENT => ("a list", ARCHIVE_LIST_BYTES),
        _ => ("a configuration file", IMPORT_BYTES),
    };
    let shown: String = name.chars().take(80).collect();
    if bytes > most as u64 { Err(format!("{shown} would have {bytes} bytes; {what} has at most {most}")) } else { Ok(()) }
}

/// Refuses an archive that would not be taken back: whoever exports one relies on it.
pub(super) fn check_written(packed: usize, unpacked: u64) -> Result<(), String> {
    if packed > ARCHIVE_UPLOAD_BYTES || unpacked > ARCHIVE_BYTES as u64 {
        return Err(format!(
            "the archive would have {packed} bytes, unpacked {unpacked}; at most {ARCHIVE_UPLOAD_BYTES} and {ARCHIVE_BYTES} are taken back"
        ));
    }
    Ok(())
}

/// How many members the end of an archive announces.
fn announced(archive: &[u8]) -> Option<usize> {
    const END: &[u8] = b"PK\x05\x06";
    let end = archive.windows(END.len()).rposition(|bytes| bytes == END)?;
    let members = archive.get(end + 10..end + 12)?;
    Some(usize::from(u16::from_le_bytes(members.try_into().ok()?)))
}

/// The members of an archive with their content. Without a manifest each configuration file is a profile by the name of the file.
pub(super) fn read(archive: &[u8]) -> Result<Vec<(Member, Vec<u8>)>, String> {
    let broken = |error: zip::result::ZipError| format!("the file is no ZIP archive that can be read: {error}");
    let mut zip = ZipArchive::new(Cursor::new(archive)).map_err(broken)?;
    if zip.len() > ARCHIVE_MEMBERS {
        return Err(format!("the archive has {} members; at most {ARCHIVE_MEMBERS} are taken", zip.len()));
    }
    // The library keeps the last one of several of one name, and tells nothing.
    if announced(archive).is_some_and(|members| members != zip.len()) {
        return Err("the archive has a name twice".to_owned());
    }
    let mut unpacked: u64 = 0;
    let mut names = Vec::new();
    for index in 0..zip.len() {
        let entry = zip.by_index_raw(index).map_err(broken)?;
        let name = entry.name().map_err(broken)?.into_owned();
        if name.ends_with('/') && entry.size() == 0 {
            continue;
        }
        let shown: String = name.chars().take(80).collect();
        if !is_plain(&name) || entry.is_symlink() || !entry.is_file() {
            return Err(format!("{shown:?} is no name of a file that an archive of profiles has"));
        }
        if entry.encrypted() {
            return Err(format!("{shown} is encrypted"));
        }
        check_member(&name, entry.size())?;
        unpacked = unpacked.saturating_add(entry.size());
        names.push(name);
    }
    if unpacked > ARCHIVE_BYTES as u64 || is_bomb(unpacked, archive.len()) {
        return Err(format!("its {} bytes would become {unpacked}; that is too much", archive.len()));
    }
    let mut content = |name: &str| -> Result<Vec<u8>, String> {
        let entry = zip.by_name(name).map_err(|_| format!("{name} is in the manifest and not in the archive"))?;
        let size = entry.size();
        let mut bytes = Vec::new();
        entry.take(size + 1).read_to_end(&mut bytes).map_err(|error| format!("{name} cannot be unpacked: {error}"))?;
        if bytes.len() as u64 > size { Err(format!("{name} is larger than the archive says")) } else { Ok(bytes) }
    };
    let members = if names.iter().any(|name| name == MANIFEST) {
        let manifest: Manifest =
            serde_json::from_slice(&content(MANIFEST)?).map_err(|error| format!("its manifest cannot be read: {error}"))?;
        if manifest.format != FORMAT || manifest.version != 1 {
            return Err("its manifest is of another kind or version".to_owned());
        }
        manifest.profiles
    } else {
        names.iter().filter(|name| is_configuration(name)).map(|name| by_name(name)).collect()
    };
    if members.is_empty() {
        return Err("the archive has no profile: neither a manifest nor files that end in .cfg or .xml".to_owned());
    }
    members.into_iter().map(|member| content(&member.file).map(|bytes| (member, bytes))).collect()
}

/// What an archive that was read says of where its profiles are attached; none where it says nothing.
pub(super) fn deployment(archive: &[u8]) -> Result<Option<Deployment>, String> {
    let broken = |error: zip::result::ZipError| format!("the file is no ZIP archive that can be read: {error}");
    let mut zip = ZipArchive::new(Cursor::new(archive)).map_err(broken)?;
    if zip.index_for_name(DEPLOYMENT).is_none() {
        return Ok(None);
    }
    let entry = zip.by_name(DEPLOYMENT).map_err(broken)?;
    let mut bytes = Vec::new();
    let read = entry.take(ARCHIVE_LIST_BYTES as u64 + 1).read_to_end(&mut bytes);
    read.map_err(|error| format!("{DEPLOYMENT} cannot be unpacked: {error}"))?;
    check_member(DEPLOYMENT, bytes.len() as u64)?;
    Deployment::read(&bytes).map(Some)
}

/// A path of plain folders and a file: nothing absolute, nothing that goes up.
fn is_plain(name: &str) -> bool {
    let parts_are_plain = name.split('/').all(|part| !part.is_empty() && part != "." && part != "..");
    parts_are_plain && name.len() <= 255 && !name.contains(['\\', ':', '\0'])
}

fn is_configuration(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    lower.ends_with(".cfg") || lower.ends_with(".xml")
}

fn by_name(file: &str) -> Member {
    let last = file.rsplit('/').next().unwrap_or(file);
    let name = last.rsplit_once('.').map_or(last, |(stem, _)| stem).to_owned();
    Member { file: file.to_owned(), name, description: String::new(), software: Vec::new(), yields: false, masked: Vec::new() }
}
