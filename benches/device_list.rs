//! Speed of the Device Monitor and of placing devices at 50,000 devices, 2,000 sites and 500 groups (P11 allows 100 ms for a page).

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use jiff::Timestamp;
use pdms::domain::deployment::Place;
use pdms::domain::device::{Device, Sighting};
use pdms::domain::device_list::{DeviceQuery, Listed, SortKey, Status, select};
use pdms::domain::group::Group;
use pdms::domain::ids::{GroupId, ProfileId, SiteId};
use pdms::domain::names::Name;
use pdms::domain::parameter::ParameterSet;
use pdms::domain::profile::{Profile, ProfileKind};
use pdms::domain::reach::Reach;
use pdms::domain::site::index::SiteIndex;
use pdms::domain::site::{Network, Origin as From, Site};
use pdms::domain::subnet::Subnet;
use pdms::domain::world::World;
use pdms::services::roster::Counts;

mod support;

const DEVICES: u32 = 50_000;
const SITES: u32 = 2_000;
const GROUPS: u32 = 500;

fn name(text: &str) -> Name {
    Name::parse(text).expect("letters and digits")
}

fn address(number: u32) -> IpAddr {
    Ipv4Addr::from_bits((10 << 24) | ((number % SITES) << 8) | (number / SITES)).into()
}

fn site(number: u32) -> Site {
    let public = Subnet::around(address(number), 24).expect("24 bits");
    Site {
        id: SiteId(u64::from(number) + 2),
        name: name(&format!("Branch {number}")),
        description: format!("Street {}", number * 7),
        networks: vec![Network { public, private: Vec::new() }],
        ..Site::internet()
    }
}

fn group(number: u32) -> Group {
    Group {
        id: GroupId(u64::from(number) + 1),
        name: name(&format!("Group {number}")),
        description: format!("Floor {}", number % 30),
        modified_by: "bench".to_owned(),
        modified_at: Timestamp::UNIX_EPOCH,
        revision: 1,
    }
}

fn listed(number: u32) -> Listed {
    let device = Device {
        name: Some(name(&format!("Desk {number}"))),
        model: Some(["VVX 411", "VVX 450", "CCX 600"][(number % 3) as usize].to_owned()),
        groups: [number % GROUPS, number * 7 % GROUPS].map(|number| GroupId(u64::from(number) + 1)).to_vec(),
        site: Some(SiteId(u64::from(number % SITES) + 2)),
        ..support::device(number.into())
    };
    let sighting = Sighting {
        last_seen: Timestamp::from_second(i64::from(number)).ok(),
        public_ip: Some(address(number)),
        software_version: Some("5.9.10.1".to_owned()),
        ..Sighting::default()
    };
    Listed { device: Arc::new(device), sighting: Arc::new(sighting) }
}

fn world() -> World {
    let mut world = support::world();
    world.sites.extend((0..SITES).map(site).map(|site| (site.id, Arc::new(site))));
    world.groups.extend((0..GROUPS).map(group).map(|group| (group.id, Arc::new(group))));
    world
}

fn lists(criterion: &mut Criterion) {
    let (world, devices) = (world(), (0..DEVICES).map(listed).collect::<Vec<_>>());
    let now = Timestamp::UNIX_EPOCH;
    let text = |text: &str| DeviceQuery { text: text.to_owned(), ..DeviceQuery::default() };
    let queries = [
        ("all by name", DeviceQuery::default()),
        ("all by site", DeviceQuery { sort: SortKey::Site, ..DeviceQuery::default() }),
        ("all by group", DeviceQuery { sort: SortKey::Groups, ..DeviceQuery::default() }),
        ("all by software", DeviceQuery { sort: SortKey::Software, descending: true, ..DeviceQuery::default() }),
        ("of a site, online", DeviceQuery { site: Some(SiteId(9)), status: Some(Status::Online), ..DeviceQuery::default() }),
        ("search for a name", text("desk 4999")),
        ("search for a MAC", text("00:04:f2:00:c3:4f")),
        ("search for a street", text("street 777")),
        ("search for nothing that is there", text("no such thing")),
    ];
    for (what, query) in queries {
        criterion.bench_function(what, |bencher| {
            bencher.iter(|| select(devices.iter().cloned(), black_box(&query), &world, now).len())
        });
    }
}

/// All that the dashboard tells of devices (P11): one walk.
fn counts(criterion: &mut Criterion) {
    let devices: Vec<Listed> = (0..DEVICES).map(listed).collect();
    criterion.bench_function("count everything for the dashboard", |bencher| {
        bencher.iter(|| Counts::of(black_box(&devices).iter(), Timestamp::UNIX_EPOCH).total)
    });
}

/// The same world with profiles at every tenth site and at two groups of five, as Profile Deployment and the search see it.
fn deployed() -> World {
    let profile = |number: u32| Profile {
        id: ProfileId(u64::from(number) + 1),
        name: name(&format!("Profile {number}")),
        description: String::new(),
        kind: ProfileKind::UserDefined,
        software: Vec::new(),
        parameters: ParameterSet::new(),
        yields: false,
        modified_by: "bench".to_owned(),
        modified_at: Timestamp::UNIX_EPOCH,
        revision: 1,
    };
    let mut world = world();
    world.profiles = (0..40).map(profile).map(|profile| (profile.id, Arc::new(profile))).collect();
    let id = |number: u32| ProfileId(u64::from(number % 40) + 1);
    let sites = (0..SITES).step_by(10).map(|number| (Place::Site(SiteId(u64::from(number) + 2)), vec![id(number / 10)]));
    let groups = (0..GROUPS)
        .filter(|number| number % 5 < 2)
        .map(|number| (Place::Group(GroupId(u64::from(number) + 1)), vec![id(number)]));
    world.deployment = sites.chain(groups).chain([(Place::Global, vec![id(1), id(2)])]).collect();
    world
}

fn deployment(criterion: &mut Criterion) {
    let (world, devices) = (deployed(), (0..DEVICES).map(listed).collect::<Vec<_>>());
    criterion.bench_function("reach of every place and profile", |bencher| {
        bencher.iter(|| Reach::new(black_box(&world), devices.iter().map(|one| &*one.device)).devices())
    });
    let query = DeviceQuery { text: "profile 17".to_owned(), ..DeviceQuery::default() };
    criterion.bench_function("search for a profile of sites and groups", |bencher| {
        bencher.iter(|| select(devices.iter().cloned(), black_box(&query), &world, Timestamp::UNIX_EPOCH).len())
    });
}

fn placing(criterion: &mut Criterion) {
    let sites: Vec<Site> = (0..SITES).map(site).collect();
    criterion.bench_function("place every device", |bencher| {
        bencher.iter(|| {
            let index = SiteIndex::new(black_box(&sites));
            (0..DEVICES).filter(|number| index.find(From { seen: address(*number), own: None }).is_some()).count()
        })
    });
}

criterion_group!(benches, lists, counts, deployment, placing);
criterion_main!(benches);
