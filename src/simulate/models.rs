//! The models that can be simulated, as data: how each names itself, its part number, and the order of its requests.

use crate::domain::mac::Mac;

use super::boot::{self, Step};

/// One model.
#[derive(Debug)]
pub struct Model {
    /// Name as master files spell it, without a blank or underscore: `VVX411`.
    pub name: &'static str,
    /// What stands before the version in its User-Agent.
    pub agent: &'static str,
    /// Part number, for the names of images. Those of Edge and Studio are not known; numbers of the same form stand in for them.
    pub part_number: &'static str,
    /// Version of its Application.
    pub application: &'static str,
    /// Version of its Updater, or of the bootROM of a release before 4.0.
    pub updater: &'static str,
    /// Whether the program's kind ends its User-Agent: from UC Software 4.0 on.
    pub names_program: bool,
    /// First three bytes of its MAC addresses.
    pub prefix: [u8; 3],
    /// Its requests at a boot.
    pub boot: &'static [Step],
    /// Its requests at a poll.
    pub poll: &'static [Step],
}

const fn vvx(name: &'static str, agent: &'static str, part_number: &'static str) -> Model {
    Model {
        name,
        agent,
        part_number,
        application: "5.9.7.4477",
        updater: "5.9.7.47435",
        names_program: true,
        prefix: [0x00, 0x04, 0xf2],
        boot: boot::VVX,
        poll: boot::POLL,
    }
}

/// All models.
pub const MODELS: &[Model] = &[
    vvx("VVX411", "PolycomVVX-VVX_411-UA", "3111-48450-001"),
    vvx("VVX311", "PolycomVVX-VVX_311-UA", "3111-48350-001"),
    vvx("VVX450", "PolycomVVX-VVX_450-UA", "3111-48840-001"),
    vvx("VVX500", "PolycomVVX-VVX_500-UA", "3111-44500-001"),
    Model {
        name: "Trio8800",
        agent: "PolycomRealPresenceTrio-Trio_8800-UA",
        part_number: "3111-65290-001",
        application: "7.2.2.1094",
        updater: "7.2.2.1094",
        names_program: true,
        prefix: [0x64, 0x16, 0x7f],
        boot: boot::TRIO,
        poll: boot::POLL,
    },
    Model {
        name: "SPIP550",
        agent: "PolycomSoundPointIP-SPIP_550-UA",
        part_number: "2345-12500-001",
        application: "4.0.15.1047",
        updater: "5.0.15.0971",
        names_program: true,
        prefix: [0x00, 0x04, 0xf2],
        boot: boot::SOUNDPOINT_4,
        poll: boot::POLL,
    },
    Model {
        name: "SPIP670",
        agent: "PolycomSoundPointIP-SPIP_670-UA",
        part_number: "2345-12670-001",
        application: "3.3.1.0933",
        updater: "4.4.0.0423",
        names_program: false,
        prefix: [0x00, 0x04, 0xf2],
        boot: boot::SOUNDPOINT_3,
        poll: boot::POLL,
    },
    Model {
        name: "CCX600",
        agent: "PolyCCX-CCX_600-UA",
        part_number: "3111-49770-001",
        application: "8.0.2.3267",
        updater: "8.0.2.3267",
        names_program: true,
        prefix: [0x48, 0x25, 0x67],
        boot: boot::CCX,
        poll: boot::POLL,
    },
    Model {
        name: "EdgeE450",
        agent: "PolyEdge-Edge_E450-UA",
        part_number: "3111-50450-001",
        application: "8.0.0.15602",
        updater: "8.0.0.15602",
        names_program: true,
        prefix: [0x48, 0x25, 0x67],
        boot: boot::EDGE,
        poll: boot::POLL,
    },
    Model {
        name: "StudioX30",
        agent: "G_SERIES-PolyStudioX30-UA",
        part_number: "3111-30300-001",
        application: "3.10.0_362035",
        updater: "3.10.0_362035",
        names_program: true,
        prefix: [0x00, 0xe0, 0xdb],
        boot: boot::STUDIO,
        poll: boot::STUDIO_POLL,
    },
];

/// No such model.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no model “{0}” can be simulated; choose one of {list}", list = names())]
pub struct UnknownModel(pub String);

fn names() -> String {
    MODELS.iter().map(|model| model.name).collect::<Vec<_>>().join(", ")
}

impl Model {
    /// Finds a model by its name, without regard to letter case, blanks and underscores.
    pub fn find(name: &str) -> Result<&'static Self, UnknownModel> {
        let plain: String = name.chars().filter(|c| !matches!(c, ' ' | '_' | '-')).collect();
        MODELS.iter().find(|model| model.name.eq_ignore_ascii_case(&plain)).ok_or_else(|| UnknownModel(name.to_owned()))
    }

    /// The MAC address of the `number`th simulated phone of this model. Phones of one model number 2²⁴ at most.
    pub fn mac(&self, number: u32) -> Mac {
        let [_, a, b, c] = number.to_be_bytes();
        let [x, y, z] = self.prefix;
        Mac::from_bytes([x, y, z, a, b, c])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_found_however_it_is_spelled() {
        for name in ["VVX411", "vvx 411", "VVX_411"] {
            assert_eq!(Model::find(name).map(|m| m.name), Ok("VVX411"), "{name}");
        }
        assert!(Model::find("VVX999").is_err_and(|e| e.to_string().contains("VVX411, VVX311")));
    }
}
