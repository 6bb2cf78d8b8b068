//! The shipped stops on the way to later software: `data/upgrade-paths.toml`.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::domain::software::ladder::{Hop, Ladder};

/// The file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    hop: Vec<Hop>,
}

/// All stops that this server knows.
pub fn ladder() -> &'static Ladder {
    static LADDER: LazyLock<Ladder> = LazyLock::new(|| {
        let file: File = toml::from_str(include_str!("../../data/upgrade-paths.toml"))
            .expect("the shipped upgrade paths are TOML of this shape");
        Ladder::new(file.hop).expect("nobody is sent to a shipped stop twice")
    });
    &LADDER
}

#[cfg(test)]
#[path = "offered_tests.rs"]
mod offered;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::models::models;
    use crate::domain::software::SoftwareVersion;

    fn version(text: &str) -> SoftwareVersion {
        text.parse().expect("a version")
    }

    #[test]
    fn every_stop_is_of_a_known_family_and_says_why() {
        for hop in ladder().hops() {
            assert!(
                hop.families.iter().all(|family| models().family(family).is_some_and(|known| known.name == *family)),
                "{hop:?}"
            );
            assert!(!hop.why.is_empty() && !hop.source.is_empty());
        }
    }

    #[test]
    fn a_vvx_on_5_5_2_goes_over_5_7_3_and_a_soundpoint_on_3_3_over_4_0_15() {
        let via = |family, installed, updater: Option<&str>, target| {
            let hop = ladder().hop(family, &version(installed), updater.map(version).as_ref(), &version(target))?;
            Some(hop.via.as_str())
        };
        assert_eq!(via("VVX", "5.5.2.8571", Some("5.7.2.21547"), "5.9.8.5760"), Some("5.7.3.1797"));
        assert_eq!(via("VVX", "5.7.3.1797", Some("5.9.3.1730"), "5.9.8.5760"), None);
        assert_eq!(via("VVX", "5.0.1.7396", None, "5.9.8.5760"), Some("5.4"));
        assert_eq!(via("SoundPoint IP", "3.3.1.0933", Some("4.3.0.0246"), "4.0.15.1047"), None);
        assert_eq!(via("SoundPoint IP", "3.3.1.0933", Some("4.3.0.0246"), "4.0.16.1"), Some("4.0.15.1047"));
        assert_eq!(via("SoundPoint IP", "3.2.1.0078", Some("4.2.1.0275"), "4.0.15.1047"), Some("4.4.0"));
        assert_eq!(via("CCX", "5.0.1.1", None, "9.0.0"), None);
    }
}
