//! Speed of telling what a change does to devices: 50,000 of them, 2,000 sites, 500 groups, profiles on all of these (P11).

use std::collections::{BTreeMap, BTreeSet};
use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use jiff::Timestamp;
use pdms::catalog::models::models;
use pdms::catalog::restart::restarts;
use pdms::domain::account::{Account, AdmissionSettings, BaseSettings, FirstContact, Provisioning, Secret};
use pdms::domain::credential::Channel;
use pdms::domain::deployment::Place;
use pdms::domain::device::{Device, Origin};
use pdms::domain::foresight::{Foresight, Pair, foresee};
use pdms::domain::ids::{DEFAULT_ACCOUNT, GroupId, ProfileId, SiteId};
use pdms::domain::limits::POLLING_WINDOW_MINUTES;
use pdms::domain::names::Name;
use pdms::domain::parameter::{ParameterName, ParameterSet};
use pdms::domain::placement::Placement;
use pdms::domain::profile::{Profile, ProfileKind};
use pdms::domain::site::Site;
use pdms::domain::world::{Endpoints, World};

const DEVICES: u64 = 50_000;
const SITES: u64 = 2_000;
const GROUPS: u64 = 500;
/// Profiles of everything, of each tenth site and of each group.
const GLOBAL: [u64; 3] = [1, 2, 3];

fn profile(id: u64, size: usize, value: &str) -> Arc<Profile> {
    let parameter = |n: usize| {
        let name = ParameterName::parse(&format!("voIpProt.server.{n}.specialInterop.feature{}", id % 7)).expect("a name");
        (name, Arc::from(format!("{value} {n}")))
    };
    Arc::new(Profile {
        id: ProfileId(id),
        name: Name::parse(&format!("profile {id}")).expect("a name"),
        description: String::new(),
        kind: ProfileKind::UserDefined,
        parameters: (0..size).map(parameter).collect::<ParameterSet>(),
        modified_by: "admin".to_owned(),
        modified_at: Timestamp::UNIX_EPOCH,
        revision: 1,
    })
}

fn world() -> World {
    let account = Account {
        label: "default".to_owned(),
        provisioning: Provisioning {
            enabled: true,
            user: "phones".to_owned(),
            password: Secret::new("secret"),
            generation: 0,
            former: None,
        },
        time_zone: "Europe/Berlin".to_owned(),
        time_server: "pool.ntp.org".to_owned(),
        base: BaseSettings::MANAGE,
        polling_window: POLLING_WINDOW_MINUTES,
        first_contact: FirstContact::Open,
        admission: AdmissionSettings::default(),
        revision: 1,
        created_at: Timestamp::UNIX_EPOCH,
    };
    let mut profiles = BTreeMap::new();
    let mut deployment = BTreeMap::from([(Place::Global, GLOBAL.map(ProfileId).to_vec())]);
    GLOBAL.iter().for_each(|id| drop(profiles.insert(ProfileId(*id), profile(*id, 200, "global"))));
    for site in (2..SITES).step_by(10) {
        let id = 10_000 + site;
        profiles.insert(ProfileId(id), profile(id, 20, "site"));
        deployment.insert(Place::Site(SiteId(site)), vec![ProfileId(id)]);
    }
    for group in 1..=GROUPS {
        let id = 20_000 + group;
        profiles.insert(ProfileId(id), profile(id, 20, "group"));
        deployment.insert(Place::Group(GroupId(group)), vec![ProfileId(id)]);
    }
    let site = |id: u64| Arc::new(Site { id: SiteId(id), ..Site::internet() });
    World {
        account_id: DEFAULT_ACCOUNT,
        account: Arc::new(account),
        endpoints: Arc::new(Endpoints {
            https_url: "https://pdms.example.lan:8443/".to_owned(),
            http_url: None,
            ca_pem: None,
            next_ca: None,
        }),
        profiles,
        standard: Arc::default(),
        deployment,
        sites: (1..=SITES).map(|id| (SiteId(id), site(id))).collect(),
        groups: BTreeMap::new(),
        default_groups: Vec::new(),
        people: BTreeMap::new(),
        person_groups: BTreeMap::new(),
        rooms: BTreeMap::new(),
        models: models(),
        schemas: Arc::default(),
        blocked: BTreeSet::new(),
        revision: 1,
    }
}

fn devices() -> Vec<Arc<Device>> {
    let device = |number: u64| Device {
        key: format!("0004f2{number:06x}").parse().expect("a MAC address"),
        name: None,
        sent_name: None,
        description: String::new(),
        family: Some("VVX".to_owned()),
        model: Some(if number.is_multiple_of(3) { "VVX 411" } else { "VVX 500" }.to_owned()),
        private_ip: None,
        profiles: Vec::new(),
        groups: [1 + number % GROUPS, 1 + number % 7].map(GroupId).to_vec(),
        site: Some(SiteId(1 + number % SITES)),
        placement: Placement::default(),
        owner: None,
        own_clock: ParameterSet::new(),
        origin: Origin::Manual,
        added_at: Timestamp::UNIX_EPOCH,
        revision: 1,
    };
    (0..DEVICES).map(|number| Arc::new(device(number))).collect()
}

fn told(devices: &[Arc<Device>], before: &World, after: &World) -> Foresight {
    let pairs = devices.iter().map(|device| -> Pair<'_> { (Some(device), Some(device)) });
    foresee(pairs, |_| Channel::Tls, (before, after), restarts())
}

fn foresight(criterion: &mut Criterion) {
    let (devices, before) = (devices(), world());
    let mut edited = before.clone();
    let mut changed = Profile::clone(&before.profiles[&ProfileId(2)]);
    changed.parameters.insert(ParameterName::parse("up.new").expect("a name"), "1");
    edited.profiles.insert(ProfileId(2), Arc::new(changed));
    let mut detached = before.clone();
    detached.deployment.insert(Place::Global, vec![ProfileId(1), ProfileId(3)]);
    let mut moved = before.clone();
    moved.deployment.insert(Place::Global, [3, 1, 2].map(ProfileId).to_vec());
    let mut zone = before.clone();
    Arc::make_mut(&mut zone.account).time_zone = "Asia/Tokyo".to_owned();
    for (what, after) in
        [("a parameter", &edited), ("a profile less", &detached), ("another order", &moved), ("the time zone", &zone)]
    {
        criterion
            .bench_function(&format!("50,000 devices: {what}"), |bench| bench.iter(|| told(black_box(&devices), &before, after)));
    }
    criterion.bench_function("50,000 devices: nothing", |bench| bench.iter(|| told(black_box(&devices), &before, &before)));
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10);
    targets = foresight
}
criterion_main!(benches);
