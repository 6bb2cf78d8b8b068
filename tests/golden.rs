//! Whole files as phones get them, for one device of each kind: `tests/golden/<case>/`.
//!
//! `world.toml` says what there is, `master.cfg` and `parameters.cfg` what the device gets. A change that is meant is taken
//! over with `PDMS_UPDATE_GOLDEN=1 cargo test --test features golden`, and read before it is committed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use pdms::catalog::models::models;
use pdms::catalog::upgrade_paths::ladder;
use pdms::domain::account::{Account, AdmissionSettings, BaseSettings, FirstContact, Provisioning, Secret, SoftwareSettings};
use pdms::domain::credential::Recipient;
use pdms::domain::deployment::Place;
use pdms::domain::device::{Device, DeviceKey, Origin, Owner};
use pdms::domain::ids::{DEFAULT_ACCOUNT, GroupId, ImageId, PersonGroupId, PersonId, ProfileId, ResourceId, SiteId};
use pdms::domain::image::{Image, ImageFile};
use pdms::domain::limits::POLLING_WINDOW_MINUTES;
use pdms::domain::names::Name;
use pdms::domain::parameter::ParameterSet;
use pdms::domain::people::{Modified, Person};
use pdms::domain::placement::Placement;
use pdms::domain::profile::{Profile, ProfileKind};
use pdms::domain::provision::{Provision, provision};
use pdms::domain::resource::path::ResourcePath;
use pdms::domain::resource::{Resource, Resources};
use pdms::domain::rollover::CaMark;
use pdms::domain::site::download_path::DownloadPath;
use pdms::domain::site::{INTERNET, Site};
use pdms::domain::software::device::{DeviceSoftware, Told};
use pdms::domain::software::{SoftwareChoice, SoftwareVersion};
use pdms::domain::world::{Endpoints, NextCa, World};
use pdms::xml::write;
use serde::Deserialize;

use crate::support::secrets;

/// A case as it is written down.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    account: CaseAccount,
    device: CaseDevice,
    #[serde(default)]
    site: Vec<CaseSite>,
    #[serde(default)]
    person: Vec<CasePerson>,
    #[serde(default)]
    profile: Vec<CaseProfile>,
    #[serde(default)]
    image: Vec<CaseImage>,
    /// Paths of resource files.
    #[serde(default)]
    resources: Vec<String>,
}

/// An image with the files that it has.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseImage {
    family: String,
    version: SoftwareVersion,
    files: Vec<String>,
}

/// A site with a time of its own.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct CaseSite {
    id: u64,
    time_zone: Option<String>,
    polling_window: Option<(u16, u16)>,
    download_path: Option<DownloadPath>,
}

/// A person with the list of groups, strongest first.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CasePerson {
    id: u64,
    name: Name,
    groups: Vec<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct CaseAccount {
    time_zone: String,
    time_server: String,
    /// *Manage fully* rather than *Serve only*.
    manage: bool,
    url: String,
    /// A private authority's certificate; none where the server's own is public.
    authority: Option<String>,
    /// That of the one that takes its place, which signs already or not.
    next_authority: Option<String>,
    #[serde(default)]
    next_signs: bool,
    /// From where software is taken.
    #[serde(default)]
    software: SoftwareSettings,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct CaseDevice {
    key: DeviceKey,
    family: String,
    model: String,
    sent_name: Option<Name>,
    site: Option<u64>,
    /// The person whose it is.
    person: Option<u64>,
    #[serde(default)]
    groups: Vec<u64>,
    #[serde(default)]
    own_clock: ParameterSet,
    /// Version of its Application.
    #[serde(default)]
    installed: Option<SoftwareVersion>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseProfile {
    name: Name,
    on: On,
    #[serde(default)]
    software: Vec<SoftwareChoice>,
    #[serde(default)]
    parameters: ParameterSet,
}

/// The place that a profile is attached to.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum On {
    Device,
    Person(u64),
    PersonGroup(u64),
    Site(u64),
    Model(String),
    Group(u64),
    Global,
}

impl Case {
    fn into_device_and_world(self) -> (Device, World) {
        let CaseAccount { time_zone, time_server, manage, url, authority, next_authority, next_signs, software } = self.account;
        let next_ca = next_authority.map(|pem| NextCa { pem, mark: CaMark::default(), signs: next_signs });
        let account = Account {
            label: "default".to_owned(),
            provisioning: Provisioning {
                enabled: true,
                user: "phones".to_owned(),
                password: Secret::new("s3cret"),
                generation: 0,
                former: None,
            },
            time_zone,
            time_server,
            base: if manage { BaseSettings::MANAGE } else { BaseSettings::SERVE_ONLY },
            polling_window: POLLING_WINDOW_MINUTES,
            first_contact: FirstContact::Open,
            image_limits: Default::default(),
            admission: AdmissionSettings::default(),
            software,
            revision: 1,
            log_days: None,
            created_at: Timestamp::UNIX_EPOCH,
        };
        let mut device = self.device.into_device();
        let mut world = World {
            account_id: DEFAULT_ACCOUNT,
            account: Arc::new(account),
            endpoints: Arc::new(Endpoints { https_url: url, http_url: None, ca_pem: authority, next_ca }),
            standard: Arc::default(),
            profiles: BTreeMap::new(),
            deployment: BTreeMap::new(),
            sites: BTreeMap::from([(INTERNET, Arc::new(Site::internet()))]),
            groups: BTreeMap::new(),
            default_groups: Vec::new(),
            people: BTreeMap::new(),
            person_groups: BTreeMap::new(),
            rooms: BTreeMap::new(),
            resources: Arc::default(),
            schemas: std::sync::Arc::default(),
            images: std::sync::Arc::default(),
            models: models(),
            ladder: ladder(),
            part_numbers: Arc::default(),
            blocked: BTreeSet::new(),
            revision: 1,
        };
        for CaseSite { id, time_zone, polling_window, download_path } in self.site {
            let site = Site { id: SiteId(id), time_zone, polling_window, download_path, ..Site::internet() };
            world.sites.insert(site.id, Arc::new(site));
        }
        for CasePerson { id, name, groups } in self.person {
            let modified = Modified { by: "admin".to_owned(), at: Timestamp::UNIX_EPOCH, revision: 1 };
            let groups = groups.into_iter().map(PersonGroupId).collect();
            let person = Person { id: PersonId(id), name, description: String::new(), groups, modified };
            world.people.insert(person.id, Arc::new(person));
        }
        for (case, id) in self.image.into_iter().zip((1..).map(ImageId)) {
            std::sync::Arc::make_mut(&mut world.images).insert(id, Arc::new(case.into_image(id)));
        }
        world.resources = Arc::new(Resources::new(self.resources.iter().zip((1..).map(ResourceId)).map(resource)));
        for (case, id) in self.profile.into_iter().zip((1..).map(ProfileId)) {
            case.attach(id, &mut device, &mut world);
        }
        (device, world)
    }
}

fn resource((path, id): (&String, ResourceId)) -> Resource {
    Resource {
        id,
        path: ResourcePath::parse_whole(path).expect("a path of a resource file"),
        description: String::new(),
        size_bytes: 1,
        sha256: String::new(),
        blob: String::new(),
        pixels: None,
        uploaded_at: Timestamp::UNIX_EPOCH,
        modified_by: "admin".to_owned(),
        modified_at: Timestamp::UNIX_EPOCH,
        revision: 1,
    }
}

impl CaseImage {
    fn into_image(self, id: ImageId) -> Image {
        let file = |path: String| ImageFile { path, size_bytes: 1, sha256: String::new(), blob: String::new() };
        Image {
            id,
            version: self.version,
            families: vec![self.family],
            source: "release.zip".to_owned(),
            size_bytes: 1,
            sha256: String::new(),
            files: self.files.into_iter().map(file).collect(),
            profile: ProfileId(1_000 + id.0),
            schema: None,
            license: None,
            packages: Vec::new(),
            at: Timestamp::UNIX_EPOCH,
            by: "admin".to_owned(),
        }
    }
}

impl CaseDevice {
    fn into_device(self) -> Device {
        let told = Told { installed: self.installed, ..Told::default() };
        let software = DeviceSoftware { told, ..DeviceSoftware::default() };
        Device {
            key: self.key,
            name: None,
            sent_name: self.sent_name,
            description: String::new(),
            family: Some(self.family),
            model: Some(self.model),
            private_ip: None,
            mac: None,
            profiles: Vec::new(),
            groups: self.groups.into_iter().map(GroupId).collect(),
            site: self.site.map(SiteId),
            placement: Placement::default(),
            owner: self.person.map(|id| Owner::Person(PersonId(id))),
            own_clock: self.own_clock,
            software: (software != DeviceSoftware::default()).then(|| Box::new(software)),
            origin: Origin::Manual,
            added_at: Timestamp::UNIX_EPOCH,
            revision: 1,
        }
    }
}

impl CaseProfile {
    fn attach(self, id: ProfileId, device: &mut Device, world: &mut World) {
        let place = match self.on {
            On::Device => {
                device.profiles.push(id);
                None
            }
            On::Person(id) => Some(Place::Person(PersonId(id))),
            On::PersonGroup(id) => Some(Place::PersonGroup(PersonGroupId(id))),
            On::Site(id) => Some(Place::Site(SiteId(id))),
            On::Model(name) => Some(Place::Model(name)),
            On::Group(id) => Some(Place::Group(GroupId(id))),
            On::Global => Some(Place::Global),
        };
        if let Some(place) = place {
            world.deployment.entry(place).or_default().push(id);
        }
        let profile = Profile {
            id,
            name: self.name,
            description: String::new(),
            kind: ProfileKind::UserDefined,
            software: self.software,
            parameters: self.parameters,
            yields: false,
            modified_by: "admin".to_owned(),
            modified_at: Timestamp::UNIX_EPOCH,
            revision: 1,
        };
        world.profiles.insert(id, Arc::new(profile));
    }
}

fn folder(case: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(case)
}

/// The device of a case and the world that it is in.
pub fn load(case: &str) -> (Device, World) {
    let text = std::fs::read_to_string(folder(case).join("world.toml")).expect("every case has its world");
    let parsed: Case = toml::from_str(&text).unwrap_or_else(|error| panic!("{case}/world.toml: {error}"));
    parsed.into_device_and_world()
}

/// Reads a case and compares both files and what is told about them, or takes all of it over.
pub fn check(case: &str) {
    let (device, world) = load(case);
    let folder = folder(case);
    let provision = provision(&Recipient::over_tls(&device, &secrets()), &world);
    let warnings = provision.warnings.iter().map(|warning| format!("{warning}\n")).collect::<String>();
    compare(folder.join("warnings.txt"), warnings.into_bytes());
    compare(folder.join("master.cfg"), write::master(&provision));
    compare(folder.join("parameters.cfg"), write::parameters(&provision));
    every_value_is_read_back(&provision);
}

fn compare(path: PathBuf, made: Vec<u8>) {
    if std::env::var_os("PDMS_UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, made).expect("the golden file can be written");
        return;
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    let made = String::from_utf8(made).expect("files are UTF-8");
    assert_eq!(made, expected, "{} differs from what is made now", path.display());
}

fn every_value_is_read_back(provision: &Provision<'_>) {
    let entries = pdms::xml::read::parameters(&write::parameters(provision)).expect("our own file is a parameter file");
    let read: Vec<_> = entries.iter().map(|entry| (&*entry.name, &*entry.value)).collect();
    let told: Vec<_> = provision.files.parameters().map(|setting| (&*setting.name, &*setting.value)).collect();
    assert_eq!(read, told);
}

#[test]
fn a_vvx_gets_what_its_containers_say_from_the_device_down_to_global() {
    check("vvx-411");
}

#[test]
fn a_trio_gets_certificates_whole_and_trusts_our_authority() {
    check("trio-8800");
}

#[test]
fn a_soundpoint_is_only_served_where_the_base_is_off() {
    check("soundpoint-ip-550");
}

#[test]
fn a_ccx_with_a_clock_of_its_own_polls_at_the_accounts_night() {
    check("ccx-600");
}

#[test]
fn a_phone_of_a_site_with_its_own_time_gets_that_sites_clock_and_night() {
    check("site-new-york");
}

#[test]
fn a_studio_has_files_of_its_serial_number_and_is_told_its_name() {
    check("studio");
}

/// While another CA takes the place of ours: both before and after the switch, and what a profile has for its place stays.
#[test]
fn a_vvx_is_given_both_authorities_while_one_takes_the_place_of_the_other() {
    for case in ["rollover-giving", "rollover-moving", "rollover-ended", "rollover-place-taken", "rollover-place-taken-moving"] {
        check(case);
    }
}

#[test]
fn r218_files_that_are_here_are_named_as_they_are_and_missing_ones_are_told() {
    check("resource-files");
}
