//! What a device shows of itself: by what it was let in, with which credentials it comes, and what a run of it told.

use jiff::Timestamp;

use crate::domain::run::assembly::Finished;
use crate::domain::run::{Reason, Shown};

/// With what a device comes, as far as it told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ComesWith {
    /// Its own credentials.
    Own,
    /// The shared credentials that count.
    Shared,
    /// Those before.
    Former,
    /// The factory default, with somebody's leave.
    Factory,
    /// It never came.
    Nothing,
}

impl ComesWith {
    /// As the API names it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Shared => "shared",
            Self::Former => "former",
            Self::Factory => "factory",
            Self::Nothing => "nothing",
        }
    }

    /// As pages name it; none where there is nothing to name.
    pub fn label(self) -> Option<&'static str> {
        match self {
            Self::Own => Some("its own credentials"),
            Self::Shared => Some("the shared credentials"),
            Self::Former => Some("the former shared credentials"),
            Self::Factory => Some("factory credentials, with leave"),
            Self::Nothing => None,
        }
    }
}

/// By what a request was let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admitted {
    /// Its own credentials of this generation.
    Own(u32),
    /// Its verified factory certificate.
    Certificate,
    /// The shared credentials, with the password of this number.
    Shared(u32),
    /// The factory default, with a person's leave.
    FactoryDefault,
}

impl Admitted {
    /// The same as runs tell it.
    pub fn shown(self) -> Shown {
        match self {
            Self::Own(_) => Shown::Own,
            Self::Certificate => Shown::Certificate,
            Self::Shared(_) => Shown::Shared,
            Self::FactoryDefault => Shown::FactoryDefault,
        }
    }
}

/// What matters here of a run that ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndedRun {
    /// When it began.
    pub started_at: Timestamp,
    /// When its last request was answered.
    pub ended_at: Timestamp,
    /// Whether the master and every file of ours that it names were answered 200.
    pub complete: bool,
    /// Whether it went on after its parameters: then it has got all of them.
    pub followed: bool,
    /// Whether its Updater came with the device's own credentials.
    pub boot: bool,
    /// Whether it is complete with the device's own credentials alone, whatever it showed before it took them up.
    pub own: bool,
    /// Whether something in it was let in only because the device is expected back.
    pub back: bool,
}

impl From<&Finished> for EndedRun {
    fn from(Finished { run, lesson, .. }: &Finished) -> Self {
        let fetched = run.exchanges.iter().rposition(|one| one.reason == Reason::Parameters);
        Self {
            started_at: run.started_at,
            ended_at: run.ended_at,
            complete: run.complete,
            followed: fetched.is_some_and(|at| at + 1 < run.exchanges.len()),
            boot: lesson.is_own_boot,
            own: lesson.is_own,
            back: lesson.is_back,
        }
    }
}
