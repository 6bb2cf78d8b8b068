//! The shipped table of families and models: `data/models.toml`.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::domain::model::{Family, Model, ModelTable};

/// The file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    family: Vec<Family>,
    model: Vec<Model>,
}

/// All families and models that this server knows.
pub fn models() -> &'static ModelTable {
    static TABLE: LazyLock<ModelTable> = LazyLock::new(|| {
        let file: File =
            toml::from_str(include_str!("../../data/models.toml")).expect("the shipped model table is TOML of this shape");
        ModelTable::new(file.family, file.model).expect("the shipped model table contradicts itself nowhere")
    });
    &TABLE
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::limits::LINES;
    use crate::domain::model::KeyKind;

    #[test]
    fn the_types_of_the_guide_come_first_under_its_own_names() {
        for name in ["VVX", "SoundStation", "SoundPoint", "SoundStructure VoIP Interface", "Polycom Trio", "CX", "Polycom Studio"]
        {
            assert!(models().family(name).is_some(), "{name}");
        }
        for name in ["CCX", "Edge E", "Edge B", "Rove"] {
            assert!(models().family(name).is_some(), "{name}");
        }
    }

    #[test]
    fn audio_devices_take_no_name_and_the_studio_bar_has_a_serial_number() {
        let family = |name| models().family(name).expect("a family of the guide");
        for audio in ["VVX", "SoundPoint", "SoundStation", "Trio", "CCX", "Edge E"] {
            assert!(!family(audio).takes_name, "{audio}");
            assert_eq!(family(audio).key, KeyKind::Mac, "{audio}");
        }
        assert!(family("Studio").takes_name);
        assert_eq!(family("Studio").key, KeyKind::Serial);
    }

    #[test]
    fn a_model_has_its_own_lines_else_those_of_its_family() {
        let lines = |model, family| models().lines(model, family);
        assert_eq!([lines(Some("VVX 411"), None), lines(Some("SoundPoint IP 335"), None)], [12, 2]);
        assert_eq!([lines(Some("Trio 8800"), None), lines(Some("Trio 9999"), None), lines(None, Some("Trio"))], [1; 3]);
        assert_eq!([lines(Some("VVX 999"), None), lines(None, Some("CCX")), lines(None, None)], [6; 3]);
        assert!(models().models().iter().filter_map(|model| model.lines).all(|lines| (1..=LINES).contains(&lines)));
    }

    #[test]
    fn each_model_has_the_name_that_its_token_would_make() {
        for (token, name) in [
            ("VVX_1500", "VVX 1500"),
            ("SPIP_335", "SoundPoint IP 335"),
            ("Trio_8800", "Trio 8800"),
            ("Edge_E450", "Edge E450"),
            ("CX5500", "CX5500"),
        ] {
            let (family, model) = models().recognise(token).expect("a known token");
            assert_eq!(model, name);
            assert_eq!(models().model(name).map(|m| m.family.as_str()), Some(family));
        }
    }

    #[test]
    fn part_numbers_lead_to_their_model() {
        let name = |part| models().by_part_number(part).map(|m| m.name.as_str());
        assert_eq!(name("3111-44500-001"), Some("VVX 500"));
        assert_eq!(name("2345-12600-002"), Some("SoundPoint IP 650"));
        assert_eq!(name("9999-99999-999"), None);
    }
}
