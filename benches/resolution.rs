//! Speed of resolution and rendering: a device with three profiles of 100, 200 and 300 parameters, a tenth of them shared.

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use jiff::Timestamp;
use pdms::domain::account::Secret;
use pdms::domain::credential::{Channel, DeviceSecrets, Recipient};
use pdms::domain::deployment::{Place, applicable};
use pdms::domain::device::Device;
use pdms::domain::ids::ProfileId;
use pdms::domain::names::Name;
use pdms::domain::parameter::{ParameterName, ParameterSet};
use pdms::domain::profile::{Profile, ProfileKind};
use pdms::domain::provision::{Shape, compose, draft};
use pdms::domain::resolution::merge;
use pdms::domain::world::World;
use pdms::xml::write::{self, Prepared};

mod support;

fn world() -> World {
    let ca_pem = Some(format!("-----BEGIN CERTIFICATE-----\n{}-----END CERTIFICATE-----\n", "MIIB/+0123456789\n".repeat(80)));
    let profiles = [(1, 100), (2, 200), (3, 300)].map(|(id, size)| (ProfileId(id), Arc::new(profile(id, size))));
    let mut world = support::world();
    Arc::make_mut(&mut world.endpoints).ca_pem = ca_pem;
    world.profiles.extend(profiles);
    world.deployment.insert(Place::Global, vec![ProfileId(2), ProfileId(3)]);
    world
}

/// Names as long as real ones; every tenth is in all profiles, every 25th value has a variable and something to escape.
fn profile(id: u64, size: usize) -> Profile {
    let parameter = |n: usize| {
        let owner = if n.is_multiple_of(10) { 0 } else { id };
        let name = format!("voIpProt.server.{n}.specialInterop.feature{owner}.enabled");
        let value = if n.is_multiple_of(25) { format!("<value {n}> of $mac_address") } else { format!("value {n} of {id}") };
        (ParameterName::parse(&name).expect("a parameter name"), Arc::from(value))
    };
    Profile {
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
    }
}

fn device() -> Device {
    Device { profiles: vec![ProfileId(1)], ..support::device(0xaabbcc) }
}

fn resolution(criterion: &mut Criterion) {
    let (world, device) = (world(), device());
    let placed = applicable(&device, &world);
    let effective = merge(&placed);
    let secrets = DeviceSecrets {
        user: "0004f2aabbcc".to_owned(),
        password: Secret::new("a password of twenty-six c"),
        admin_password: Secret::new("0123456789"),
    };
    let recipient = Recipient::over_tls(&device, &secrets);
    let shape = Shape::of(&device, Channel::Tls, &placed, &world);
    let provision = compose(&effective, &recipient, &world);
    let prepared = Prepared::new(&draft(&effective, &shape, &world));

    criterion.bench_function("place and shape", |bench| {
        bench.iter(|| Shape::of(&device, Channel::Tls, &applicable(black_box(&device), &world), &world));
    });
    criterion.bench_function("merge 600 parameters", |bench| bench.iter(|| merge(black_box(&placed))));
    criterion.bench_function("compose", |bench| bench.iter(|| compose(black_box(&effective), &recipient, &world)));
    criterion.bench_function("write both files", |bench| {
        bench.iter(|| (write::master(black_box(&provision)), write::parameters(&provision)));
    });
    criterion.bench_function("prepare: merge, draft and write", |bench| {
        bench.iter(|| Prepared::new(&draft(&merge(black_box(&placed)), &shape, &world)));
    });
    criterion.bench_function("master file, prepared", |bench| bench.iter(|| prepared.master(black_box(&recipient), &world)));
    criterion
        .bench_function("parameter file, prepared", |bench| bench.iter(|| prepared.parameters(black_box(&recipient), &world)));
}

criterion_group!(benches, resolution);
criterion_main!(benches);
