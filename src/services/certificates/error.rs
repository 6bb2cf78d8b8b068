//! Why certificates could not be read or made, in sentences for the person who has to act.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::domain::rollover::Stage;

/// Why certificates could not be read or made; the sentence names the file and the next step.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// A file cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A file cannot be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A file is not what it should be.
    #[error("{path} is not usable: {cause}; it must be in PEM form", path = path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        cause: String,
    },
    /// Certificate and key do not belong together.
    #[error(
        "the certificate {certificate} and the key {key} do not belong together ({cause}); give the key that the certificate \
         was made with",
        certificate = certificate.display(), key = key.display()
    )]
    DoNotFit {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// The library's reason.
        cause: String,
    },
    /// A file of the CA is gone while others, or what it signed, are there.
    #[error(
        "{missing} is missing while other files of the private CA are there; restore it from a backup: phones that trust this CA \
         would refuse a new one",
        missing = missing.display()
    )]
    HalfCa {
        /// The missing file.
        missing: PathBuf,
    },
    /// The private CA is gone, with all that it signed.
    #[error(
        "{missing} is missing, and phones trust the private CA with the SHA-256 fingerprint {expected}; put the whole folder \
         {folder} back from a copy (nothing was changed). If there is none, `pdms new-ca` gives this CA up: every phone must then \
         be given the new one before it comes back",
        missing = missing.display(), folder = folder(missing)
    )]
    LostCa {
        /// The CA's certificate.
        missing: PathBuf,
        /// Fingerprint of the CA that phones were given.
        expected: String,
    },
    /// Another CA lies where the one that phones trust should be.
    #[error(
        "{file} is another CA (SHA-256 {found}) than the one that phones trust ({expected}); put the whole folder {folder} back from \
         a copy (nothing was changed). If there is none, `pdms new-ca` gives that CA up: every phone must then be given \
         the new one before it comes back",
        file = file.display(), folder = folder(file)
    )]
    OtherCa {
        /// The CA's certificate.
        file: PathBuf,
        /// Its fingerprint.
        found: String,
        /// Fingerprint of the CA that phones were given.
        expected: String,
    },
    /// A file of the CA that takes the place of another is gone.
    #[error(
        "{missing} is missing, a file of the CA that takes the place of the one that phones know; put the folder {folder} back from a \
         copy (nothing was changed). {next}",
        missing = missing.display(), folder = folder(missing), next = without_next(*stage)
    )]
    LostNextCa {
        /// The missing file.
        missing: PathBuf,
        /// How far the rollover is.
        stage: Stage,
    },
    /// The admin's own certificate is gone, and there never was a private CA.
    #[error(
        "{missing} is missing with its key, and phones were given no other certificate; put both back from a copy (nothing was \
         changed). To go over to a private CA, which every phone must be given, use `pdms new-ca`",
        missing = missing.display()
    )]
    LostOwn {
        /// The certificate.
        missing: PathBuf,
    },
    /// One of the two files of the admin's own certificate is missing.
    #[error("{missing} is missing beside {other}; put it there too, or take the other one away", missing = missing.display(), other = other.display())]
    HalfOwn {
        /// The missing file.
        missing: PathBuf,
        /// The file that is there.
        other: PathBuf,
    },
    /// A file of the private CA is damaged.
    #[error(
        "{file} is empty or damaged: it holds no {what}; put it back from a copy (nothing was changed)",
        file = file.display()
    )]
    DamagedCa {
        /// The file.
        file: PathBuf,
        /// What it should hold.
        what: &'static str,
    },
    /// A certificate could not be made.
    #[error("a certificate could not be made: {0}")]
    Make(#[from] rcgen::Error),
}

impl CertificateError {
    pub(super) fn unreadable(path: &Path, cause: &dyn fmt::Display) -> Self {
        Self::Unreadable { path: path.to_owned(), cause: cause.to_string() }
    }

    pub(super) fn damaged(file: &Path, what: &'static str) -> Self {
        Self::DamagedCa { file: file.to_owned(), what }
    }
}

/// What to do where there is no copy.
fn without_next(stage: Stage) -> &'static str {
    match stage {
        Stage::Giving => "If there is none, `pdms ca cancel` goes on with the CA that phones know",
        Stage::Moving => {
            "If there is none, `pdms new-ca` gives both CAs up: every phone must then be given the new one before it comes back"
        }
    }
}

fn folder(file: &Path) -> std::path::Display<'_> {
    file.parent().unwrap_or(file).display()
}
