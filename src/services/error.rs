//! What can go wrong when something is done, in words that pages, the API and the command line all show.

use std::io::ErrorKind;

use crate::domain::access::Denied;
use crate::domain::field_error::FieldErrors;
use crate::store::StoreError;

/// A failure of a service. It knows nothing of HTTP.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// The object is not there (any more).
    #[error("there is no {what} “{which}”; it may have been deleted meanwhile")]
    NotFound {
        /// Kind of the object, a word of the glossary.
        what: &'static str,
        /// What was looked for.
        which: String,
    },
    /// It is not there, and why is known.
    #[error("{0}")]
    Absent(String),
    /// It cannot be done as things stand: somebody else was faster, or a rule between objects forbids it.
    #[error("{0}")]
    Conflict(String),
    /// It changes what devices get, and the person has not been shown what ([`crate::domain::consent`]).
    #[error("this changes what devices get, and what it changes has to be confirmed first; nothing was changed")]
    Unconfirmed,
    /// It never changes: it comes with the server (R111).
    #[error(
        "“{0}” is a standard profile: it comes with the server and is never changed or deleted here. Copy it, and change the copy"
    )]
    ReadOnly(String),
    /// What was sent breaks rules, field by field.
    #[error(transparent)]
    Invalid(#[from] FieldErrors),
    /// The actor may not.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The state could not be read or written; nothing was changed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file of the state directory could not be read or written.
    #[error("cannot {action} {}", path.display())]
    File {
        /// What was tried, a verb.
        action: &'static str,
        /// The file.
        path: std::path::PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It was begun and did not come to an end: the server is stopping, or a fault of ours.
    #[error("this was cut short; look whether it was done before you repeat it")]
    Interrupted,
    /// Certificates could not be read or made.
    #[error(transparent)]
    Certificate(#[from] super::certificates::CertificateError),
    /// The key file does not open what is stored.
    #[error(transparent)]
    Secret(#[from] super::secrets::SecretError),
}

impl ServiceError {
    /// An object that is not there.
    pub fn not_found(what: &'static str, which: impl std::fmt::Display) -> Self {
        Self::NotFound { what, which: which.to_string() }
    }

    /// Somebody else changed the object since it was shown (R14).
    pub fn stale(what: &str, by: &str) -> Self {
        Self::Conflict(format!(
            "this {what} was changed{} since you opened it; nothing was saved. Open it again and repeat your change",
            match by {
                "" => String::new(),
                by => format!(" by {by}"),
            }
        ))
    }

    /// Whether there was no space left: someone has to free some, and then it works again by itself.
    pub fn is_disk_full(&self) -> bool {
        match self {
            Self::Store(StoreError::DiskFull) => true,
            Self::File { source, .. } => matches!(source.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded),
            _ => false,
        }
    }

    /// Names a file operation that failed.
    pub fn file(action: &'static str, path: impl Into<std::path::PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { action, path, source }
    }
}

/// An error with its causes, as one sentence: for the log and the terminal.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut denied = false;
    let mut cause = error.source();
    while let Some(next) = cause {
        text = format!("{text} because {next}");
        denied |= next.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == ErrorKind::PermissionDenied);
        cause = next.source();
    }
    if denied {
        text.push_str("; run pdms as the user that owns it, or give it to the user that pdms runs as");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_told_with_its_causes_and_a_missing_right_with_the_next_step() {
        let of = |kind: ErrorKind| chain(&ServiceError::file("read", "/state/secret.key")(kind.into()));
        assert_eq!(of(ErrorKind::NotADirectory), "cannot read /state/secret.key because not a directory");
        let denied = of(ErrorKind::PermissionDenied);
        assert!(denied.starts_with("cannot read /state/secret.key because permission denied; run pdms as"), "{denied}");
    }
}
