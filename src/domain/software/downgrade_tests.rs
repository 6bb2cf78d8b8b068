//! Who a change would take back, beside what each device is told before and after.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::domain::credential::Channel;
use crate::domain::deployment::Place;
use crate::domain::foresight::foresee;
use crate::domain::ids::ProfileId;
use crate::domain::profile::Profile;
use crate::domain::restart::RestartTable;
use crate::domain::software::SoftwareChoice;
use crate::domain::testing::{deployed, device, profile, property_config, world};

fn version(text: &str) -> SoftwareVersion {
    text.parse().expect("a version")
}

fn running(key: &str, installed: Option<&str>, allowed: Option<&str>) -> Device {
    let mut phone = Device { family: Some("VVX".to_owned()), ..device(key) };
    phone.change_software(|software| {
        software.told.installed = installed.map(version);
        software.decided.downgrade_to = allowed.map(version);
    });
    phone
}

fn found(devices: &[Device], to: &str) -> Vec<Downgrade> {
    let (world, mut all) = (world(), Downgrades::default());
    for device in devices {
        all.look_at(device, &version(to), &world);
    }
    all.into_list()
}

#[test]
fn who_runs_later_software_and_has_no_consent_to_this_very_version_is_named_with_what_it_runs() {
    let devices = [
        running("0004f2000005", Some("6.4.6.1"), None),
        running("0004f2000001", Some("6.3.0.1"), None),
        running("0004f2000002", Some("6.4.6.1"), Some("5.9.8.5760")),
        running("0004f2000003", Some("6.4.6.1"), Some("5.9.7.4477")),
        running("0004f2000004", Some("5.9.7.4477"), None),
        running("0004f2000006", Some("5.9.8.5760"), None),
        running("0004f2000007", None, None),
    ];
    let found = found(&devices, "5.9.8.5760");
    let [one] = &found[..] else { panic!("one family and version: {found:?}") };
    let keys: Vec<String> = one.devices.iter().map(ToString::to_string).collect();
    assert_eq!(keys, ["0004f2000001", "0004f2000003", "0004f2000005"]);
    assert_eq!(
        one.told(),
        "3 VVX devices run 6.3.0.1 or 6.4.6.1 and would go back to 5.9.8.5760: they keep what they run until you allow it."
    );
}

#[test]
fn a_release_that_a_device_runs_a_build_of_is_no_older_one() {
    assert!(found(&[running("0004f2000001", Some("5.9.8.5760"), None)], "5.9.8").is_empty());
}

const VERSIONS: [&str; 4] = ["5.8.0.1", "5.9.7.4477", "5.9.8.5760", "6.4.6.1"];

/// What a profile says of software: a version, and whether it names a path of its own besides.
type Said = (Option<&'static str>, bool);

fn saying(id: u64, (chosen, path): Said) -> Profile {
    let parameters: &[(&str, &str)] = if path { &[("APP_FILE_PATH", "elsewhere/sip.ld")] } else { &[] };
    let choice = chosen.map(|text| SoftwareChoice { family: "VVX".to_owned(), version: version(text) });
    Profile { software: choice.into_iter().collect(), ..profile(id, parameters) }
}

/// A world in which one profile is for all, and another one is there for the devices that have it.
fn saying_to_all(all: Said, own: Said) -> World {
    let mut world = deployed(world(), vec![(Place::Global, saying(1, all))]);
    world.profiles.insert(ProfileId(2), Arc::new(saying(2, own)));
    world
}

fn said() -> impl Strategy<Value = Said> {
    (prop::option::of(prop::sample::select(VERSIONS.to_vec())), prop::bool::weighted(0.2))
}

proptest! {
    #![proptest_config(property_config())]

    /// A change names exactly the devices that wait for a consent after it which they did not wait for before.
    #[test]
    fn a_change_names_exactly_those_that_begin_to_wait(
        all in (said(), said()),
        own in (said(), said()),
        phones in prop::collection::vec(
            (prop::option::of(0..VERSIONS.len()), prop::option::of(0..VERSIONS.len()), any::<bool>(), any::<bool>()),
            1..8,
        ),
    ) {
        let (before, after) = (saying_to_all(all.0, own.0), saying_to_all(all.1, own.1));
        let phone = |at: usize, (installed, allowed, had, has): (Option<usize>, Option<usize>, bool, bool)| {
            let word = |at: Option<usize>| at.map(|at| VERSIONS[at]);
            let made = running(&format!("0004f200000{at}"), word(installed), word(allowed));
            let with = |carries: bool| Device { profiles: carries.then_some(ProfileId(2)).into_iter().collect(), ..made.clone() };
            (with(had), with(has))
        };
        let phones: Vec<(Device, Device)> = phones.into_iter().enumerate().map(|(at, one)| phone(at, one)).collect();
        let mut expected: BTreeMap<String, Vec<DeviceKey>> = BTreeMap::new();
        for (was, is) in &phones {
            if let Some((_, to)) = waits_for(is, &after).filter(|to| waits_for(was, &before) != Some(*to)) {
                expected.entry(to.to_string()).or_default().push(is.key.clone());
            }
        }
        let pairs = phones.iter().map(|(was, is)| (Some(was), Some(is)));
        let told = foresee(pairs, |_| Channel::Tls, (&before, &after), &RestartTable::default());
        let named: BTreeMap<String, Vec<DeviceKey>> =
            told.downgrades.iter().map(|one| (one.to.to_string(), one.devices.clone())).collect();
        prop_assert_eq!(&named, &expected);
        prop_assert!(named.is_empty() || !told.is_empty(), "whoever waits was told that something changes");
    }
}
