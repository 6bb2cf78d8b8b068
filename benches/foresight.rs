//! Speed of telling what a change does to devices: 50,000 of them, 2,000 sites, 500 groups, profiles on all of these (P11).

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use jiff::Timestamp;
use pdms::catalog::restart::restarts;
use pdms::domain::credential::Channel;
use pdms::domain::deployment::Place;
use pdms::domain::device::Device;
use pdms::domain::foresight::{Foresight, Pair, foresee};
use pdms::domain::ids::{GroupId, ProfileId, SiteId};
use pdms::domain::names::Name;
use pdms::domain::parameter::{ParameterName, ParameterSet};
use pdms::domain::profile::{Profile, ProfileKind};
use pdms::domain::site::Site;
use pdms::domain::world::World;

mod support;

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
        software: Vec::new(),
        parameters: (0..size).map(parameter).collect::<ParameterSet>(),
        yields: false,
        modified_by: "admin".to_owned(),
        modified_at: Timestamp::UNIX_EPOCH,
        revision: 1,
    })
}

fn world() -> World {
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
    World { profiles, deployment, sites: (1..=SITES).map(|id| (SiteId(id), site(id))).collect(), ..support::world() }
}

fn devices() -> Vec<Arc<Device>> {
    let device = |number: u64| Device {
        model: Some(if number.is_multiple_of(3) { "VVX 411" } else { "VVX 500" }.to_owned()),
        groups: [1 + number % GROUPS, 1 + number % 7].map(GroupId).to_vec(),
        site: Some(SiteId(1 + number % SITES)),
        ..support::device(number)
    };
    (0..DEVICES).map(|number| Arc::new(device(number))).collect()
}

/// The number of a device's own profile, as an import makes it.
fn own(number: u64) -> ProfileId {
    ProfileId(100_000 + number)
}

/// The first so many devices with a profile of their own, of twenty parameters; `name` is the first part of their names.
fn with_own(world: &World, devices: &[Arc<Device>], many: usize, name: &str) -> (World, Vec<Arc<Device>>) {
    let (mut world, mut devices) = (world.clone(), devices.to_vec());
    for (number, device) in (0..).zip(devices.iter_mut().take(many)) {
        let parameter = |n: u64| {
            let name = ParameterName::parse(&format!("{name}.{n}.address")).expect("a name");
            (name, Arc::from(format!("{number}-{n}")))
        };
        let parameters = (1..=20).map(parameter).collect::<ParameterSet>();
        let profile = Profile { parameters, ..Profile::clone(&profile(own(number).0, 0, "")) };
        world.profiles.insert(profile.id, Arc::new(profile));
        Arc::make_mut(device).profiles = vec![own(number)];
    }
    (world, devices)
}

/// The same with two other values and a parameter more in each own profile, as an import brings them.
fn with_own_edited(world: &World, many: usize) -> World {
    let mut world = world.clone();
    for number in (0..).take(many) {
        let profile = Arc::make_mut(world.profiles.get_mut(&own(number)).expect("it is there"));
        for name in ["reg.1.address", "reg.2.address", "reg.1.auth.password"] {
            profile.parameters.insert(ParameterName::parse(name).expect("a name"), format!("other {number}"));
        }
    }
    world
}

/// A thousand parameters more in a profile of everything.
fn with_a_thousand(world: &World, name: &str) -> World {
    let mut world = world.clone();
    let mut profile = Profile::clone(&world.profiles[&ProfileId(2)]);
    for n in 1..=1_000 {
        profile.parameters.insert(ParameterName::parse(&format!("{name}.{n}.address")).expect("a name"), "new");
    }
    world.profiles.insert(ProfileId(2), Arc::new(profile));
    world
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
    for (many, own, set) in [(10_000, "reg", "up"), (50_000, "reg", "up"), (10_000, "reg", "reg"), (50_000, "reg", "reg")] {
        let (before, devices) = with_own(&before, &devices, many, own);
        let after = with_a_thousand(&before, set);
        let overlap = if own == set { "that say twenty of them" } else { "that say none of them" };
        let what = format!("50,000 devices: 1,000 parameters, {many} own profiles {overlap}");
        criterion.bench_function(&what, |bench| bench.iter(|| told(black_box(&devices), &before, &after)));
    }
    for many in [10_000, 50_000] {
        let (before, devices) = with_own(&before, &devices, many, "reg");
        let after = with_own_edited(&before, many);
        let what = format!("50,000 devices: {many} own profiles edited");
        criterion.bench_function(&what, |bench| bench.iter(|| told(black_box(&devices), &before, &after)));
    }
    criterion.bench_function("50,000 devices: nothing", |bench| bench.iter(|| told(black_box(&devices), &before, &before)));
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10);
    targets = foresight
}
criterion_main!(benches);
