//! Speed of a file of 10,000 devices with 20 columns (P10): reading and planning it, and importing it in one change of a server that is
//! empty.

use std::fmt::Write as _;
use std::hint::black_box;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use pdms::domain::access::Actor;
use pdms::domain::account::{BaseSettings, Secret};
use pdms::domain::ids::DEFAULT_ACCOUNT;
use pdms::services::accounts::TimeDraft;
use pdms::services::clock::Clock;
use pdms::services::commit::Mode;
use pdms::services::device_csv::{BadRows, Options, import, plan};
use pdms::services::setup::{self, Opener, SetupDraft};
use pdms::services::users::UserDraft;
use pdms::services::{Opening, Services};

const DEVICES: usize = 10_000;
/// Lines of each device; with MAC, name, group and one more parameter these are 20 columns.
const LINES: usize = 4;

/// A file of devices, all of one group that is made.
fn file() -> Vec<u8> {
    let mut file = "mac_address,endpoint_name,endpoint_group,up.timeOut".to_owned();
    for line in 1..=LINES {
        for field in ["address", "displayName", "auth.userId", "auth.password"] {
            write!(file, ",reg.{line}.{field}").expect("memory");
        }
    }
    for device in 0..DEVICES {
        write!(file, "\n0004f2{device:06x},Desk {device},Sales,40").expect("memory");
        for line in 1..=LINES {
            let number = device * LINES + line;
            write!(file, ",{number},Person {number},user{number},pw-{number}-Zq8").expect("memory");
        }
    }
    file.into_bytes()
}

/// A server that was set up, in a folder of its own.
fn server() -> (tempfile::TempDir, Services) {
    let dir = tempfile::tempdir().expect("a folder");
    let services = Services::open(Opening::new(dir.path().join("state"), Clock::system())).expect("it opens");
    let draft = SetupDraft {
        owner: UserDraft {
            name: "Ada".to_owned(),
            email: "ada@example.test".to_owned(),
            password: Secret::new("correct horse battery"),
        },
        provisioning_user: "phones".to_owned(),
        provisioning_password: Secret::new("a-shared-password"),
        public_name: "localhost".to_owned(),
        time: TimeDraft { time_zone: "Europe/Berlin".to_owned(), time_server: "pool.ntp.org".to_owned() },
        base: BaseSettings::MANAGE,
    };
    setup::complete(&services, Opener::CommandLine, &draft).expect("set up");
    (dir, services)
}

fn device_csv(criterion: &mut Criterion) {
    let file = file();
    let options = Options { create_groups: true, ..Options::default() };
    let (_dir, services) = server();
    let mut group = criterion.benchmark_group("10,000 devices of 20 columns");
    group.sample_size(10);
    group.bench_function("read and plan", |bencher| {
        bencher.iter(|| {
            plan(&services, &Actor::CommandLine, DEFAULT_ACCOUNT, black_box(&file), options).expect("planned").rows.len()
        });
    });
    group.bench_function("import", |bencher| {
        let take = |(dir, services): (tempfile::TempDir, Services)| {
            let actor = Actor::CommandLine;
            let taken = import(&services, &actor, DEFAULT_ACCOUNT, "devices.csv", &file, options, BadRows::Refuse, Mode::Keep);
            assert_eq!(taken.expect("taken").count("added"), DEVICES);
            (dir, services)
        };
        bencher.iter_batched(server, take, BatchSize::PerIteration);
    });
    group.finish();
}

criterion_group!(benches, device_csv);
criterion_main!(benches);
