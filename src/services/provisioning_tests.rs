//! Whatever a master file names, no phone is told that it does not exist.

use std::fmt::Write as _;
use std::net::Ipv4Addr;

use proptest::prelude::*;

use super::*;
use crate::domain::admission::NewDeviceCaps;
use crate::domain::admission::decide::SharedPassword;
use crate::domain::deployment::Place;
use crate::domain::phone_file::PhonePath;
use crate::domain::provision::{master, provision};
use crate::domain::testing::{deployed, profile, property_config, to, world};
use crate::services::testing::{Bench, bench};

const MAC: &str = "0004f2aabbcc";
/// Attributes that name files for phones to fetch.
const ATTRIBUTES: [&str; 6] =
    ["CONFIG_FILES", "CONFIG_FILES_VVX500", "MISC_FILES", "SERVICE_FILES", "DECT_FILE_PATH", "BOOTBLOCK_FILE_PATH_VVX1500"];
/// Segments that go for the difficult places: names of a device's own files, of images, and of what only looks so.
const SEGMENTS: [&str; 30] = [
    "site.cfg",
    "Site-1~a_b.CFG",
    "a",
    "default",
    "Default",
    ".",
    "",
    "..",
    "noextension",
    "$mac_address",
    "$mac_address.cfg",
    "${mac_address}-profile.cfg",
    "${mac_address}-phone.cfg",
    "$mac_address-license.cfg",
    "$mac_address-app.log",
    "${mac_address}_1.pcap",
    "$mac_address-user.cfg",
    "0004f2aabbdd-web.cfg",
    "000000000000.cfg",
    "000000000000-license.cfg",
    "office2024.cfg",
    "office2024-phone.cfg",
    "[PHONE_MODEL].cfg",
    "x[PHONE_MAC_ADDRESS]y",
    "sip.ld",
    "3111-17823-001.dect.ld",
    "swupdate",
    "admin",
    "a b",
    "%61.cfg",
];

fn entries() -> impl Strategy<Value = String> {
    let begin = prop::sample::select(
        &["", "", "/", "./", "//", "https://pdms.example.test:8443/", "HTTPS://u:p@Pdms.Example.Test:8443//"][..],
    );
    let segment = prop_oneof![
        8 => prop::sample::select(&SEGMENTS[..]).prop_map(str::to_owned),
        1 => "[a-zA-Z0-9._~$&'()*+;=:@-]{1,12}",
    ];
    (begin, prop::collection::vec(segment, 1..4)).prop_map(|(begin, segments)| format!("{begin}{}", segments.join("/")))
}

/// The ways in which phones may ask for what a master file names: as it is, encoded, in capitals, below the account, with more
/// slashes, with a query.
fn requests(entry: &str) -> Vec<String> {
    let path = entry.split_once("://").map_or(entry, |(_, rest)| rest.split_once('/').map_or("", |(_, path)| path));
    let path = path.replace("[PHONE_MAC_ADDRESS]", MAC).replace("[PHONE_MODEL]", "VVX500");
    let joined = format!("/{}", path.trim_start_matches('/'));
    let mut encoded = String::new();
    for byte in joined.bytes() {
        match byte {
            b'/' => encoded.push('/'),
            byte => write!(encoded, "%{byte:02X}").expect("a string takes everything"),
        }
    }
    vec![
        format!("/default{joined}"),
        format!("/.{joined}"),
        format!("/{joined}?a=1"),
        joined.to_ascii_uppercase(),
        joined.replace('/', "//"),
        encoded,
        joined,
    ]
}

/// Whether anybody would be told 404.
fn is_absent(answer: &Answer) -> bool {
    match answer {
        Answer::Absent(_) => true,
        Answer::Log { otherwise, .. } => is_absent(otherwise),
        Answer::Made(..) | Answer::File(_) | Answer::Resource(_) | Answer::Image(..) | Answer::Held(_) => false,
    }
}

fn ask(bench: &Bench, door: &Provisioning, world: &Arc<World>, path: &str, tagged: bool) -> Answer {
    let path = PhonePath::parse(path);
    let tag = tagged.then(|| MAC.parse().expect("a MAC address"));
    let agent = UserAgent { family: Some("VVX".to_owned()), tag, ..UserAgent::default() };
    let address = Ipv4Addr::LOCALHOST.into();
    let visit = Visit {
        own_address: None,
        file: &path.file,
        location: &path.location,
        agent: Some(&agent),
        address,
        certificate: &Presented::NotAsked,
        came_by: None,
        under: None,
        at: bench.clock.now(),
        channel: Channel::Tls,
    };
    let shared = Proof::Shared(SharedPassword { generation: 0, is_former: false });
    let guest = door.receive(&bench.services, world, &visit, &shared).expect("the shared credentials count");
    door.answer(&bench.services, world, &visit, &guest)
}

/// What the master file of the device names, as the phone reads it.
fn named(device: &Device, world: &World) -> Vec<String> {
    let files = provision(&to(device), world).files.master;
    let named =
        files.iter().flat_map(|setting| master::listed(&setting.name, &setting.value).map(str::to_owned).collect::<Vec<_>>());
    named.collect()
}

fn in_world(parameters: &[(&str, &str)]) -> Arc<World> {
    Arc::new(deployed(world(), vec![(Place::Global, profile(1, parameters))]))
}

#[test]
fn whatever_a_master_file_names_and_however_it_is_asked_for_it_is_never_absent() {
    let bench = bench();
    let door = Provisioning::new(Newcomers::new(NewDeviceCaps { per_address: usize::MAX, per_hour: usize::MAX }).into());
    let mut runner = proptest::test_runner::TestRunner::new(property_config());
    let case = (prop::sample::select(&ATTRIBUTES[..]), prop::collection::vec(entries(), 1..4));
    let ran = runner.run(&case, |(attribute, entries)| {
        let separator = if attribute.ends_with("_PATH") || attribute.contains("_PATH_") { "" } else { "," };
        let value = if separator.is_empty() { entries[0].clone() } else { entries.join(separator) };
        prop_assume!(master::check(attribute, &value).is_ok());
        let world = in_world(&[(attribute, &value)]);
        let device = crate::domain::testing::device(MAC);
        for path in named(&device, &world).iter().flat_map(|entry| requests(entry)) {
            for tagged in [true, false] {
                let answer = ask(&bench, &door, &world, &path, tagged);
                prop_assert!(!is_absent(&answer), "{attribute}={value:?}: {path} tagged {tagged}: {answer:?}");
            }
        }
        Ok(())
    });
    ran.expect("never absent");
}

#[test]
fn a_name_that_only_looks_like_a_devices_own_is_a_file_like_any_other() {
    let (bench, door) = (bench(), Provisioning::new(Newcomers::new(NewDeviceCaps::default()).into()));
    let world = in_world(&[("CONFIG_FILES", "office2024.cfg")]);
    assert!(matches!(ask(&bench, &door, &world, "/office2024.cfg", true), Answer::Held(Reason::ListedMissing)));
    assert!(matches!(ask(&bench, &door, &world, "/office2025.cfg", true), Answer::Absent(Reason::Absent)));
    assert!(matches!(ask(&bench, &door, &world, "/office2025-profile.cfg", true), Answer::Absent(Reason::Absent)));
}

#[test]
fn a_file_that_carries_another_devices_key_is_listed_for_whoever_is_sent_to_it() {
    let (bench, door) = (bench(), Provisioning::new(Newcomers::new(NewDeviceCaps::default()).into()));
    let world = in_world(&[("CONFIG_FILES", "$mac_address/0004f2aabbdd-web.cfg")]);
    for tagged in [true, false] {
        let answer = ask(&bench, &door, &world, "/0004f2aabbcc/0004f2aabbdd-web.cfg", tagged);
        assert!(matches!(answer, Answer::Held(Reason::ListedMissing)), "{answer:?}");
    }
    assert!(matches!(ask(&bench, &door, &world, "/0004f2aabbdd-web.cfg", true), Answer::Absent(Reason::Absent)));
}

#[test]
fn images_that_no_profile_lists_as_files_stay_absent() {
    let (bench, door) = (bench(), Provisioning::new(Newcomers::new(NewDeviceCaps::default()).into()));
    let world = in_world(&[("APP_FILE_PATH", "sip.ld")]);
    for path in ["/sip.ld", "/3111-44500-001.sip.ld", "/swupdate/none/none/sip.ld"] {
        assert!(matches!(ask(&bench, &door, &world, path, true), Answer::Absent(Reason::NoImage)), "{path}");
    }
}
