//! The one message that a page shows after a redirect: what was done, or why it was not.

use actix_session::Session;
use serde::{Deserialize, Serialize};

const KEY: &str = "flash";

/// A message for the next page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flash {
    /// How it is shown.
    pub kind: FlashKind,
    /// One sentence or two.
    pub text: String,
    /// The way back that it offers.
    #[serde(default)]
    pub undo: Option<Undo>,
}

/// The way back after a deletion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undo {
    /// By which number what was deleted is in the recycle bin.
    pub deletion: u64,
    /// The mark of what taking it back does; empty where that must be shown first.
    pub mark: String,
}

/// How a message is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FlashKind {
    /// It was done.
    Ok,
    /// It was done, but look.
    Warn,
    /// It was not done.
    Bad,
}

impl FlashKind {
    /// Ending of the style class.
    pub fn class(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Bad => "bad",
        }
    }

    /// Name of the icon.
    pub fn icon(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn | Self::Bad => "warn",
        }
    }

    /// How urgently a screen reader says it.
    pub fn aria_role(self) -> &'static str {
        match self {
            Self::Ok => "status",
            Self::Warn | Self::Bad => "alert",
        }
    }
}

/// Keeps a message for the next page of this session.
pub fn put(session: &Session, kind: FlashKind, text: impl Into<String>) {
    keep(session, Flash { kind, text: text.into(), undo: None });
}

/// The same for a message that offers a way back.
pub fn put_undo(session: &Session, text: impl Into<String>, undo: Option<Undo>) {
    keep(session, Flash { kind: FlashKind::Ok, text: text.into(), undo });
}

fn keep(session: &Session, flash: Flash) {
    if let Err(error) = session.insert(KEY, flash) {
        tracing::error!(%error, "a message for the next page could not be kept");
    }
}

/// Takes the message that waits, if any.
pub fn take(session: &Session) -> Option<Flash> {
    session.remove_as(KEY)?.ok()
}
