//! Speed of resolution and rendering: a device with three profiles of 100, 200 and 300 parameters, a tenth of them shared.

use std::collections::{BTreeMap, BTreeSet};
use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use jiff::Timestamp;
use pdms::catalog::models::models;
use pdms::domain::account::{Account, AdmissionSettings, BaseSettings, FirstContact, Provisioning, Secret};
use pdms::domain::credential::{Channel, DeviceSecrets, Recipient};
use pdms::domain::deployment::{Place, applicable};
use pdms::domain::device::{Device, Origin};
use pdms::domain::ids::{DEFAULT_ACCOUNT, ProfileId};
use pdms::domain::limits::POLLING_WINDOW_MINUTES;
use pdms::domain::names::Name;
use pdms::domain::parameter::{ParameterName, ParameterSet};
use pdms::domain::placement::Placement;
use pdms::domain::profile::{Profile, ProfileKind};
use pdms::domain::provision::{Shape, compose, draft};
use pdms::domain::resolution::merge;
use pdms::domain::world::{Endpoints, World};
use pdms::xml::write::{self, Prepared};

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
    let ca_pem = Some(format!("-----BEGIN CERTIFICATE-----\n{}-----END CERTIFICATE-----\n", "MIIB/+0123456789\n".repeat(80)));
    let profiles = [(1, 100), (2, 200), (3, 300)].map(|(id, size)| (ProfileId(id), Arc::new(profile(id, size))));
    World {
        account_id: DEFAULT_ACCOUNT,
        account: Arc::new(account),
        endpoints: Arc::new(Endpoints {
            https_url: "https://pdms.example.lan:8443/".to_owned(),
            http_url: None,
            ca_pem,
            next_ca: None,
        }),
        profiles: profiles.into(),
        standard: Arc::default(),
        deployment: BTreeMap::from([(Place::Global, vec![ProfileId(2), ProfileId(3)])]),
        sites: BTreeMap::new(),
        groups: BTreeMap::new(),
        default_groups: Vec::new(),
        people: BTreeMap::new(),
        person_groups: BTreeMap::new(),
        rooms: BTreeMap::new(),
        schemas: std::sync::Arc::default(),
        models: models(),
        blocked: BTreeSet::new(),
        revision: 1,
    }
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
        parameters: (0..size).map(parameter).collect::<ParameterSet>(),
        modified_by: "admin".to_owned(),
        modified_at: Timestamp::UNIX_EPOCH,
        revision: 1,
    }
}

fn device() -> Device {
    Device {
        key: "0004f2aabbcc".parse().expect("a MAC address"),
        name: None,
        sent_name: None,
        description: String::new(),
        family: Some("VVX".to_owned()),
        model: Some("VVX 411".to_owned()),
        private_ip: None,
        profiles: vec![ProfileId(1)],
        groups: Vec::new(),
        site: None,
        placement: Placement::default(),
        owner: None,
        own_clock: ParameterSet::new(),
        origin: Origin::Manual,
        added_at: Timestamp::UNIX_EPOCH,
        revision: 1,
    }
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
