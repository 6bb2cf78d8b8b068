//! The two files of a device for the admin's eyes: as the device would get them now, but for their secrets.

use crate::domain::device::Device;
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
pub fn shown(device: &Device, world: &World, file: EffectiveFile) -> (String, Vec<u8>) {
    let provision = masked(device, world);
    match file {
        EffectiveFile::Master => (format!("{}.cfg", device.key), write::master(&provision)),
        EffectiveFile::Parameters => (format!("{}{PARAMETER_FILE_SUFFIX}", device.key), write::parameters(&provision)),
    }
}

fn masked<'a>(device: &Device, world: &'a World) -> Provision<'a> {
    let mut provision = provision(device, world);
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
    use crate::domain::testing::{deployed, device, profile, world};

    #[test]
    fn the_files_are_those_of_the_device_with_masks_for_secrets() {
        let values = [("reg.1.auth.password", "CANARY"), ("log.render.file", "ftp://u:CANARY@192.0.2.1/"), ("up.timeOut", "40")];
        let world = deployed(world(), vec![(Place::Global, profile(1, &values))]);
        let device = device("0004f2aabbcc");
        let (name, file) = shown(&device, &world, EffectiveFile::Parameters);
        let text = String::from_utf8(file).expect("UTF-8");
        assert_eq!(name, "0004f2aabbcc-profile.cfg");
        assert!(!text.contains("CANARY") && text.contains(MASK), "{text}");
        let served = String::from_utf8(write::parameters(&provision(&device, &world))).expect("UTF-8");
        assert_eq!(text.lines().count(), served.lines().count());
        let (name, file) = shown(&device, &world, EffectiveFile::Master);
        assert_eq!((name.as_str(), file), ("0004f2aabbcc.cfg", write::master(&provision(&device, &world))));
    }
}
