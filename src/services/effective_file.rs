//! The two files of a device for the admin's eyes: as the device would get them now, but for their secrets.

use super::commit::commit;
use super::error::ServiceError;
use super::{Services, credentials, devices};
use crate::domain::access::{Action, Actor, authorize};
use crate::domain::activity::Event;
use crate::domain::credential::Recipient;
use crate::domain::device::DeviceKey;
use crate::domain::ids::AccountId;
use crate::domain::parameter;
use crate::domain::provision::master::PARAMETER_FILE_SUFFIX;
use crate::domain::provision::{Provision, provision};
use crate::domain::world::World;
use crate::xml::write;

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EffectiveFile {
    /// The master file: what the phone fetches next.
    Master,
    /// The effective parameters.
    Parameters,
}

impl EffectiveFile {
    /// The file that a word of an address means.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "master" => Some(Self::Master),
            "parameters" => Some(Self::Parameters),
            _ => None,
        }
    }
}

/// Name and content of a device's file, its secrets masked.
pub fn shown(recipient: &Recipient<'_>, world: &World, file: EffectiveFile) -> (String, Vec<u8>) {
    let provision = masked(recipient, world);
    let device = recipient.device;
    match file {
        EffectiveFile::Master => (format!("{}.cfg", device.key), write::master(&provision)),
        EffectiveFile::Parameters => (format!("{}{PARAMETER_FILE_SUFFIX}", device.key), write::parameters(&provision)),
    }
}

/// The same with its secrets, to be taken away; noted in the activity log (SEC-05).
///
/// # Errors
/// [`ServiceError::NotFound`]; the actor may not, or the note could not be written.
pub fn hand_out(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    key: &DeviceKey,
    file: EffectiveFile,
) -> Result<(String, Vec<u8>), ServiceError> {
    let grant = authorize(actor, Action::Reveal(account))?;
    let (world, listed) = (services.world(account)?, devices::get(services, account, key)?);
    let secrets = credentials::of(services, account, key);
    let channel = credentials::channel_of(services, account, key);
    let whole = provision(&Recipient { device: &listed.device, secrets: &secrets, channel }, &world);
    let (name, bytes) = match file {
        EffectiveFile::Master => (format!("{key}.cfg"), write::master(&whole)),
        EffectiveFile::Parameters => (format!("{key}{PARAMETER_FILE_SUFFIX}"), write::parameters(&whole)),
    };
    let event = Event::new("device", devices::subject(&listed.device), "downloaded a file of");
    commit(services, grant, account, |change| change.record(event.change("file", None, Some(name.clone()))))?;
    Ok((name, bytes))
}

fn masked<'a>(recipient: &Recipient<'_>, world: &'a World) -> Provision<'a> {
    let mut provision = provision(recipient, world);
    let files = &mut provision.files;
    for list in [&mut files.master, &mut files.binding, &mut files.profiles, &mut files.base] {
        for setting in list.iter_mut() {
            let shown = parameter::masked(&setting.name, &setting.value).into_owned();
            if shown != *setting.value {
                setting.value = shown.into();
            }
        }
    }
    provision
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::activity::MASK;
    use crate::domain::deployment::Place;
    use crate::domain::testing::{deployed, device, profile, to, world};

    #[test]
    fn the_files_are_those_of_the_device_with_masks_for_secrets() {
        let values = [("reg.1.auth.password", "CANARY"), ("log.render.file", "ftp://u:CANARY@192.0.2.1/"), ("up.timeOut", "40")];
        let world = deployed(world(), vec![(Place::Global, profile(1, &values))]);
        let device = device("0004f2aabbcc");
        let (name, file) = shown(&to(&device), &world, EffectiveFile::Parameters);
        let text = String::from_utf8(file).expect("UTF-8");
        assert_eq!(name, "0004f2aabbcc-profile.cfg");
        assert!(!text.contains("CANARY") && text.contains(MASK), "{text}");
        let served = String::from_utf8(write::parameters(&provision(&to(&device), &world))).expect("UTF-8");
        assert_eq!(text.lines().count(), served.lines().count());
        let (name, file) = shown(&to(&device), &world, EffectiveFile::Master);
        assert_eq!((name.as_str(), file), ("0004f2aabbcc.cfg", write::master(&provision(&to(&device), &world))));
    }
}
