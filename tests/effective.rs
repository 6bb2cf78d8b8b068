//! What phones get stays what it is: over vendor templates on Global, over restarts and over a growing inventory.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use pdms::catalog::governed::{By, default_of, governed};
use pdms::domain::credential::{Channel, Recipient};
use pdms::domain::deployment::{Place, applicable};
use pdms::domain::device::Device;
use pdms::domain::ids::ProfileId;
use pdms::domain::import::{ImportOptions, ImportPreview};
use pdms::domain::parameter::ParameterSet;
use pdms::domain::profile::Profile;
use pdms::domain::provision::{Shape, draft, provision};
use pdms::domain::resolution::merge;
use pdms::domain::world::World;
use pdms::xml::write::{self, Prepared};

use crate::golden;
use crate::support::secrets;

/// A file of the collection of vendor files, or nothing where that is not there.
fn vendor_file(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data").join(name);
    if path.exists() {
        return Some(path);
    }
    println!("skipped: {} is not there", path.display());
    None
}

/// What a device is told, by name.
fn told(device: &Device, world: &World) -> BTreeMap<String, String> {
    let provision = provision(&Recipient::over_tls(device, &secrets()), world);
    provision.files.parameters().map(|setting| (setting.name.to_string(), setting.value.to_string())).collect()
}

/// The parameters that a vendor template brings when it is imported.
fn imported(path: &Path, options: ImportOptions) -> ParameterSet {
    let bytes = std::fs::read(path).expect("the file can be read");
    let entries = pdms::xml::read::parameters(&bytes).expect("a vendor template is a parameter file");
    let mut parameters = ParameterSet::new();
    ImportPreview::new(&parameters, &entries, default_of, options).apply(&mut parameters);
    parameters
}

/// A world with the vendor's templates on Global, or nothing where they are not there.
fn with_templates(bare: &World, options: ImportOptions) -> Option<World> {
    let mut world = bare.clone();
    for (name, id) in ["device.cfg", "site.cfg", "applications.cfg"].into_iter().zip((100..).map(ProfileId)) {
        let path = vendor_file(&format!("cfg/mjmunger-polypytools__issue_35_4.0.15.1009_Config_{name}"))?;
        let profile = world.profiles.values().next().expect("the case has a profile");
        let profile = Profile { id, parameters: imported(&path, options), ..(**profile).clone() };
        world.profiles.insert(id, Arc::new(profile));
        world.deployment.entry(Place::Global).or_default().push(id);
    }
    Some(world)
}

/// The governed parameters, twins included, that differ between two devices' configurations.
fn governed_differences(before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) -> Vec<String> {
    let names = governed().values().filter(|parameter| parameter.by != By::Name);
    let with_twins = names.flat_map(|parameter| [parameter.name.clone(), format!("{}.set", parameter.name)]);
    with_twins.filter(|name| before.get(name) != after.get(name)).collect()
}

#[test]
fn vendor_templates_on_global_change_nothing_that_pdms_governs() {
    for case in ["vvx-411", "trio-8800"] {
        let (device, bare) = golden::load(case);
        let Some(world) = with_templates(&bare, ImportOptions::default()) else { return };
        let (before, after) = (told(&device, &bare), told(&device, &world));
        assert_eq!(governed_differences(&before, &after), [""; 0], "{case}");
        assert!(after.len() > before.len(), "{case}: the templates bring parameters of their own");
    }
}

#[test]
fn templates_that_are_taken_whole_undo_the_base_but_never_the_binding() {
    let (device, bare) = golden::load("vvx-411");
    let Some(world) = with_templates(&bare, ImportOptions { keep_empty: true, keep_defaults: true }) else { return };
    let changed = governed_differences(&told(&device, &bare), &told(&device, &world));
    let by = |name: &String| governed().get(name).map(|parameter| parameter.by);
    assert!(changed.iter().any(|name| by(name) == Some(By::Polling)), "{changed:?}");
    assert!(!changed.iter().any(|name| by(name) == Some(By::Binding)), "{changed:?}");
}

#[test]
fn the_shipped_defaults_are_those_of_the_vendors_schema() {
    let Some(path) = vendor_file("xsd/mjmunger-polypytools__issue_35_4.0.15.1009_Config_polycomConfig.xsd") else { return };
    let text = std::fs::read_to_string(path).expect("the file can be read");
    let document = roxmltree::Document::parse(&text).expect("the schema is well-formed");
    let attributes =
        document.root_element().children().filter(|node| node.has_tag_name(("http://www.w3.org/2001/XMLSchema", "attribute")));
    let described = attributes.filter_map(|node| {
        let sentence = node.descendants().filter_map(|inner| inner.text()).find(|text| text.contains("default "))?;
        Some((node.attribute("name")?, sentence.rsplit_once("default ")?.1.trim_end_matches('.')))
    });
    let described: BTreeMap<_, _> = described.collect();
    let compared = governed().values().filter_map(|parameter| Some((parameter, described.get(&*parameter.name)?)));
    let mut known = 0;
    for (parameter, default) in compared {
        let default = default.split(" (").next().unwrap_or(default).trim_matches('"');
        assert_eq!(parameter.default, default, "{}", parameter.name);
        known += 1;
    }
    // All but the REST switch, which is younger, and the name of video devices.
    assert_eq!(known, governed().len() - 2);
}

/// The same world as a restarted server would read it from its store, with a revision of its own.
fn restarted(world: &World) -> World {
    let stored = |profile: &Arc<Profile>| serde_json::to_string(&**profile).expect("profiles can be stored");
    let profiles =
        world.profiles.values().map(|profile| serde_json::from_str::<Profile>(&stored(profile)).expect("and read back"));
    let profiles = profiles.map(|profile| (profile.id, Arc::new(profile))).collect();
    World { profiles, revision: world.revision + 1, ..world.clone() }
}

#[test]
fn twenty_boots_get_the_very_same_bytes() {
    for case in ["vvx-411", "trio-8800", "soundpoint-ip-550", "ccx-600", "studio"] {
        let (device, mut world) = golden::load(case);
        let secrets = secrets();
        let recipient = Recipient::over_tls(&device, &secrets);
        let first = provision(&recipient, &world);
        let (master, parameters) = (write::master(&first), write::parameters(&first));
        for boot in 0..20 {
            world = restarted(&world);
            let placed = applicable(&device, &world);
            let prepared = Prepared::new(&draft(&merge(&placed), &Shape::of(&device, Channel::Tls, &placed, &world), &world));
            for n in 0..50 {
                // Other devices come in between and are served from what is kept ready.
                let key = format!("0004f2{:06x}", boot * 50 + n).parse().expect("a MAC address");
                prepared.parameters(&Recipient::over_tls(&Device { key, ..device.clone() }, &secrets), &world);
            }
            assert_eq!(prepared.master(&recipient, &world), master, "{case}, boot {boot}");
            assert_eq!(prepared.parameters(&recipient, &world), parameters, "{case}, boot {boot}");
        }
    }
}
