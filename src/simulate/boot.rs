//! The order of a phone's requests, as data: what real phones were seen to send (conformance/transcripts).
//!
//! Where only the general order of a family is known, the steps that the manuals name stand around the seen ones.

/// Which program of the phone speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// The small program that starts the phone; the bootROM of releases before 4.0.
    Updater,
    /// The telephone.
    Application,
}

/// One thing that a phone does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Who speaks.
    pub program: Program,
    /// What it does.
    pub errand: Errand,
}

/// What a phone fetches or uploads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Errand {
    /// `<mac>.cfg`, then `000000000000.cfg` (rule 1).
    Master,
    /// The header of the image that the master names (rule 17).
    Image,
    /// Every file that the master lists, then the configuration is applied (rules 3–5).
    Files,
    /// The overrides of the phone's menu, `-phone.cfg` (rule 6).
    PhoneOverrides,
    /// The overrides of the web pages, `-web.cfg` (rule 6).
    WebOverrides,
    /// `-cloud.cfg`, taken for overrides of a management server.
    CloudOverrides,
    /// `000000000000-license.cfg`.
    SiteLicence,
    /// `-license.cfg`.
    OwnLicence,
    /// `-calls.xml`.
    Calls,
    /// `-directory.xml`, then the seed where the phone has none (rule 24).
    Directory,
    /// The length of the log that the server keeps.
    LogLength,
    /// Upload of a log (rule 23).
    Log(Log),
    /// Upload of changed menu overrides (rule 6); left out when nothing changed.
    UploadPhoneOverrides,
    /// Upload of changed web overrides (rule 6); left out when nothing changed.
    UploadWebOverrides,
}

/// The logs a phone uploads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Log {
    /// `-boot.log`.
    Boot,
    /// `-app.log`.
    App,
    /// `-now-app.log`: sent by hand.
    NowApp,
}

impl Log {
    /// The end of the log's name.
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::Boot => "-boot.log",
            Self::App => "-app.log",
            Self::NowApp => "-now-app.log",
        }
    }
}

const fn updater(errand: Errand) -> Step {
    Step { program: Program::Updater, errand }
}

const fn app(errand: Errand) -> Step {
    Step { program: Program::Application, errand }
}

/// VVX, UC Software 5 and 6: as seen.
pub const VVX: &[Step] = &[
    updater(Errand::Log(Log::Boot)),
    app(Errand::Master),
    app(Errand::Image),
    app(Errand::Files),
    app(Errand::PhoneOverrides),
    app(Errand::WebOverrides),
    app(Errand::SiteLicence),
    app(Errand::OwnLicence),
    app(Errand::Calls),
    app(Errand::Directory),
    app(Errand::UploadPhoneOverrides),
    app(Errand::UploadWebOverrides),
    app(Errand::LogLength),
    app(Errand::Log(Log::App)),
    app(Errand::LogLength),
];

/// Trio: the general order.
pub const TRIO: &[Step] = &[
    updater(Errand::Log(Log::Boot)),
    app(Errand::Master),
    app(Errand::Image),
    app(Errand::Files),
    app(Errand::PhoneOverrides),
    app(Errand::WebOverrides),
    app(Errand::SiteLicence),
    app(Errand::OwnLicence),
    app(Errand::Directory),
    app(Errand::UploadPhoneOverrides),
    app(Errand::UploadWebOverrides),
    app(Errand::WebOverrides),
    app(Errand::Log(Log::App)),
];

/// SoundPoint with UC Software 4.0: as seen, but for the master that was missing there, and for the Updater, of which that record
/// begins too late to tell: from 4.0 on it comes first (rule 19).
pub const SOUNDPOINT_4: &[Step] = &[
    updater(Errand::Log(Log::Boot)),
    app(Errand::Master),
    app(Errand::Files),
    app(Errand::PhoneOverrides),
    app(Errand::WebOverrides),
    app(Errand::SiteLicence),
    app(Errand::UploadPhoneOverrides),
    app(Errand::UploadWebOverrides),
    app(Errand::Log(Log::App)),
];

/// SoundPoint with SIP 3: the configuration part runs twice, the first of it by the bootROM.
pub const SOUNDPOINT_3: &[Step] = &[
    updater(Errand::Log(Log::App)),
    updater(Errand::Master),
    updater(Errand::Image),
    app(Errand::Files),
    app(Errand::PhoneOverrides),
    app(Errand::WebOverrides),
    app(Errand::SiteLicence),
    app(Errand::OwnLicence),
    app(Errand::Directory),
    app(Errand::Master),
    app(Errand::Files),
    app(Errand::UploadPhoneOverrides),
    app(Errand::UploadWebOverrides),
    app(Errand::Log(Log::Boot)),
    app(Errand::Log(Log::App)),
];

/// CCX: the general order.
pub const CCX: &[Step] = &[
    updater(Errand::Log(Log::Boot)),
    app(Errand::Master),
    app(Errand::Image),
    app(Errand::Files),
    app(Errand::CloudOverrides),
    app(Errand::PhoneOverrides),
    app(Errand::WebOverrides),
    app(Errand::SiteLicence),
    app(Errand::OwnLicence),
    app(Errand::Calls),
    app(Errand::Directory),
    app(Errand::UploadPhoneOverrides),
    app(Errand::UploadWebOverrides),
    app(Errand::Log(Log::NowApp)),
];

/// Edge E: the general order.
pub const EDGE: &[Step] = &[
    updater(Errand::Log(Log::Boot)),
    app(Errand::Master),
    app(Errand::Image),
    app(Errand::Files),
    app(Errand::UploadPhoneOverrides),
    app(Errand::PhoneOverrides),
    app(Errand::UploadWebOverrides),
    app(Errand::WebOverrides),
    app(Errand::SiteLicence),
    app(Errand::OwnLicence),
    app(Errand::Calls),
    app(Errand::Directory),
    app(Errand::Log(Log::App)),
];

/// Studio X: a video bar has neither telephone overrides nor a directory file.
pub const STUDIO: &[Step] =
    &[app(Errand::Master), app(Errand::Image), app(Errand::Files), app(Errand::SiteLicence), app(Errand::Log(Log::App))];

/// A poll or a check-sync: the Application alone (rule 19).
pub const POLL: &[Step] =
    &[app(Errand::Master), app(Errand::Image), app(Errand::Files), app(Errand::SiteLicence), app(Errand::OwnLicence)];

/// A poll of a video bar.
pub const STUDIO_POLL: &[Step] = &[app(Errand::Master), app(Errand::Image), app(Errand::Files)];
