//! What a message from a device teaches: when and where it was heard, and which versions its programs have (R175, R176, R258).

use std::net::IpAddr;

use jiff::Timestamp;

use super::device::{LastRun, Sighting};
use super::run::Run;
use super::run::assembly::{Asked, Speaker};
use super::run::verdict::{Outcome, Stage, verdict};
use super::user_agent::{Program, UserAgent};

impl Sighting {
    /// Takes in one message of the device itself. Answers which of its programs spoke.
    pub fn hear(&mut self, at: Timestamp, address: IpAddr, agent: Option<&UserAgent>, asked: Asked) -> Speaker {
        self.first_seen.get_or_insert(at);
        self.last_seen = self.last_seen.max(Some(at));
        self.public_ip = Some(address);
        let Some(agent) = agent else { return Speaker::Unknown };
        match (agent.program, &agent.version) {
            (Program::Application, version) => {
                remember(&mut self.software_version, version.as_deref());
                Speaker::Application
            }
            (Program::Updater, version) => {
                remember(&mut self.updater_version, version.as_deref());
                Speaker::Updater
            }
            (Program::Unknown, Some(version)) => self.hear_untyped(version, asked),
            (Program::Unknown, None) => Speaker::Unknown,
        }
    }

    /// SIP 3 phones do not say which program speaks: their first requests carry the version of the boot ROM, those after the
    /// master file that of the application (protocol/provisioning.md 1.1).
    fn hear_untyped(&mut self, version: &str, asked: Asked) -> Speaker {
        if asked == Asked::Parameters {
            remember(&mut self.software_version, Some(version));
            if self.updater_version.as_deref() == Some(version) {
                self.updater_version = None;
            }
            return Speaker::Application;
        }
        if self.software_version.as_deref() == Some(version) {
            return Speaker::Application;
        }
        if matches!(asked, Asked::Master | Asked::BootLog) {
            remember(&mut self.updater_version, Some(version));
        }
        Speaker::Updater
    }

    /// Takes in how a run of the device went, or goes as far as that is certain by now. A run that asked for no configuration, such
    /// as a log that came alone, tells nothing.
    pub fn conclude(&mut self, run: &Run, stage: Stage) {
        if matches!(verdict(run, stage).outcome, Outcome::Complete | Outcome::Held | Outcome::Failed) {
            self.last_run = Some(LastRun { at: run.started_at, complete: run.complete });
        }
    }
}

fn remember(slot: &mut Option<String>, version: Option<&str>) {
    if let Some(version) = version
        && slot.as_deref() != Some(version)
    {
        *slot = Some(version.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn hear(sighting: &mut Sighting, program: Program, version: &str, asked: Asked) -> Speaker {
        let agent = UserAgent { program, version: Some(version.to_owned()), ..UserAgent::default() };
        sighting.hear(Timestamp::UNIX_EPOCH, IpAddr::V4(Ipv4Addr::LOCALHOST), Some(&agent), asked)
    }

    #[test]
    fn the_applications_version_is_the_software_version_and_the_updaters_is_kept_apart() {
        let mut sighting = Sighting::default();
        assert_eq!(hear(&mut sighting, Program::Updater, "5.9.7.47435", Asked::BootLog), Speaker::Updater);
        assert_eq!(hear(&mut sighting, Program::Application, "5.9.7.4477", Asked::Master), Speaker::Application);
        assert_eq!(sighting.software_version.as_deref(), Some("5.9.7.4477"));
        assert_eq!(sighting.updater_version.as_deref(), Some("5.9.7.47435"));
    }

    #[test]
    fn the_boot_rom_of_a_phone_that_does_not_say_who_speaks_is_told_by_what_it_asks() {
        let mut sighting = Sighting::default();
        assert_eq!(hear(&mut sighting, Program::Unknown, "4.4.0.0423", Asked::Master), Speaker::Updater);
        assert_eq!(hear(&mut sighting, Program::Unknown, "3.3.1.0933", Asked::Parameters), Speaker::Application);
        assert_eq!(sighting.software_version.as_deref(), Some("3.3.1.0933"));
        assert_eq!(sighting.updater_version.as_deref(), Some("4.4.0.0423"));
        assert_eq!(hear(&mut sighting, Program::Unknown, "3.3.1.0933", Asked::Master), Speaker::Application);
        assert_eq!(hear(&mut sighting, Program::Unknown, "4.4.0.0423", Asked::Master), Speaker::Updater);
    }

    #[test]
    fn a_first_poll_of_such_a_phone_leaves_no_false_boot_rom() {
        let mut sighting = Sighting::default();
        hear(&mut sighting, Program::Unknown, "3.3.1.0933", Asked::Master);
        hear(&mut sighting, Program::Unknown, "3.3.1.0933", Asked::Parameters);
        assert_eq!((sighting.software_version.as_deref(), sighting.updater_version), (Some("3.3.1.0933"), None));
    }

    #[test]
    fn the_first_message_stays_the_first_and_the_last_is_never_earlier() {
        let at = |second| Timestamp::from_second(second).expect("a time within the range");
        let mut sighting = Sighting::default();
        for second in [50, 90, 70] {
            sighting.hear(at(second), IpAddr::V4(Ipv4Addr::LOCALHOST), None, Asked::Other);
        }
        assert_eq!((sighting.first_seen, sighting.last_seen), (Some(at(50)), Some(at(90))));
    }
}
