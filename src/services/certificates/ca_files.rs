//! Where the private CAs lie in their folder: `ca.pem` with `ca.key` is the one that signs, and another one has its mark in its names.
//!
//! A CA is found by its fingerprint, and is written to its new place before it goes from the old one: so it is found whichever step a
//! crash came after, and the next start puts everything in its place.

use std::fs;
use std::path::{Path, PathBuf};

use super::authority::Pair;
use super::files::{self, Folder};
use super::{CertificateError, facts};
use crate::domain::rollover::CaMark;
use crate::domain::server::GivenCertificates;

/// The files of one CA.
pub(super) struct CaFiles {
    pub(super) certificate: PathBuf,
    pub(super) key: PathBuf,
}

impl CaFiles {
    /// Those of the CA that signs.
    pub(super) fn first(folder: &Path) -> Self {
        Self { certificate: folder.join("ca.pem"), key: folder.join("ca.key") }
    }

    /// Those of a CA that does not sign yet, or no longer.
    pub(super) fn marked(folder: &Path, fingerprint: &str) -> Self {
        let mark = CaMark::of(fingerprint).map_or_else(|| "unknown".to_owned(), |mark| mark.to_string());
        Self { certificate: folder.join(format!("ca-{mark}.pem")), key: folder.join(format!("ca-{mark}.key")) }
    }

    /// Where the CA lies, or should lie, that phones know.
    pub(super) fn known(folder: Folder<'_>, given: &GivenCertificates) -> Result<Self, CertificateError> {
        let Some(fingerprint) = &given.ca else { return Ok(Self::first(folder.path())) };
        if let Some(found) = Self::find(folder, fingerprint)? {
            return Ok(found);
        }
        let is_taken =
            given.rollover.as_ref().map(|rollover| Self::first(folder.path()).is_of(folder, &rollover.next)).transpose()?;
        Ok(if is_taken == Some(true) { Self::marked(folder.path(), fingerprint) } else { Self::first(folder.path()) })
    }

    /// Where the CA lies, or should lie, that takes the place of another.
    pub(super) fn next(folder: Folder<'_>, fingerprint: &str) -> Result<Self, CertificateError> {
        Ok(Self::find(folder, fingerprint)?.unwrap_or_else(|| Self::marked(folder.path(), fingerprint)))
    }

    /// The files with the mark come first: those without may be about to be written over.
    fn find(folder: Folder<'_>, fingerprint: &str) -> Result<Option<Self>, CertificateError> {
        let (marked, first) = (Self::marked(folder.path(), fingerprint), Self::first(folder.path()));
        if folder.exists(&marked.certificate)? {
            return Ok(Some(marked));
        }
        Ok(first.is_of(folder, fingerprint)?.then_some(first))
    }

    fn is_of(&self, folder: Folder<'_>, fingerprint: &str) -> Result<bool, CertificateError> {
        let pem = folder.read_text(&self.certificate)?;
        Ok(pem.as_deref().and_then(facts::of_pem).is_some_and(|found| found.fingerprint == fingerprint))
    }

    fn hold(&self, folder: Folder<'_>, ca: &Pair) -> bool {
        let is = |file: &Path, text: &str| matches!(folder.read_text(file), Ok(Some(found)) if found == text);
        is(&self.certificate, &ca.certificate_pem) && is(&self.key, &ca.key_pem)
    }

    /// The key first: where there is a certificate with a mark, its key is there, too.
    pub(super) fn write(&self, ca: &Pair) -> Result<(), CertificateError> {
        files::write(&self.key, &ca.key_pem)?;
        files::write(&self.certificate, &ca.certificate_pem)
    }

    pub(super) fn remove(&self) -> Result<(), CertificateError> {
        files::remove(&self.certificate)?;
        files::remove(&self.key)
    }
}

/// Puts the CA that signs where people look for it, and the other one beside it. What lay there and is neither of the two is written
/// over, its key with it.
pub(super) fn put_in_place(folder: &Path, signing: &Pair, other: Option<&Pair>) -> Result<(), CertificateError> {
    let marked = |ca: &Pair| facts::of_pem(&ca.certificate_pem).map(|found| CaFiles::marked(folder, &found.fingerprint));
    let first = CaFiles::first(folder);
    if !first.hold(Folder::at(folder), signing) {
        if let Some((other, aside)) = other.and_then(|other| Some((other, marked(other)?)))
            && !aside.hold(Folder::at(folder), other)
        {
            aside.write(other)?;
        }
        first.write(signing)?;
    }
    marked(signing).map_or(Ok(()), |former| former.remove())
}

/// Removes the CAs of our making that the settings do not name, and what was half written when a server was killed. Not while another
/// one may be in the making.
pub(super) fn remove_unnamed(folder: &Path, given: &GivenCertificates) -> Result<(), CertificateError> {
    let read = |source| CertificateError::Read { path: folder.to_owned(), source };
    let mut unnamed = Vec::new();
    for entry in fs::read_dir(folder).map_err(read)? {
        let name = entry.map_err(read)?.file_name().into_string().unwrap_or_default();
        if !is_in_use(&name, given) || name.starts_with(files::UNFINISHED) {
            unnamed.push(name);
        }
    }
    // Certificates before their keys, as everywhere.
    unnamed.sort_by_key(|name| !name.ends_with(".pem"));
    unnamed.iter().try_for_each(|name| files::remove(&folder.join(name)))
}

/// Whether a file of the folder is not one of a CA that the settings do not name any more, or never did.
pub(super) fn is_in_use(name: &str, given: &GivenCertificates) -> bool {
    let stem = name.strip_suffix(".pem").or_else(|| name.strip_suffix(".key"));
    let mark = stem.and_then(|stem| stem.strip_prefix("ca-")?.parse::<CaMark>().ok());
    mark.is_none_or(|mark| named(given).any(|fingerprint| CaMark::of(fingerprint) == Some(mark)))
}

/// The fingerprints of the CAs that the settings name.
pub(super) fn named(given: &GivenCertificates) -> impl Iterator<Item = &String> {
    given.ca.iter().chain(given.rollover.iter().map(|rollover| &rollover.next))
}

#[cfg(test)]
#[path = "ca_files_tests.rs"]
mod tests;
