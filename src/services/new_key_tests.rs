//! Another key file: what it opens, what the old one does not open any more, and what stays as it was (SEC-02).

use std::fs;
use std::path::Path;

use super::*;
use crate::domain::access::Grant;
use crate::domain::account::FormerCredentials;
use crate::domain::credential::DeviceSecrets;
use crate::domain::device::DeviceKey;
use crate::domain::device_file::DeviceFile;
use crate::domain::ids::{DEFAULT_ACCOUNT, UserId};
use crate::domain::testing::profile;
use crate::domain::user::{Role, SecondFactor, User};
use crate::services::activity::{self, ActivityQuery};
use crate::services::backup::{kept, restore};
use crate::services::commit::Mode;
use crate::services::secrets::{KeyFile, Secrets};
use crate::services::testing::{Bench, bench, grant, newest_activity, open, owner};
use crate::services::{Opening, check, credentials};

const OVERRIDE: &[u8] = b"<a reg.1.auth.password='CANARY_OVERRIDE'/>";

fn key() -> DeviceKey {
    "0004f2aa0001".parse().expect("a MAC address")
}

/// A state that holds something of every kind that is sealed.
fn filled() -> Bench {
    let bench = bench();
    let services = &bench.services;
    commit(services, Grant::system("test"), DEFAULT_ACCOUNT, |change| {
        let mut account = change.account()?.expect("set up");
        account.provisioning.former = Some(FormerCredentials {
            user: "handsets".to_owned(),
            password: Secret::new("CANARY_FORMER"),
            generation: 0,
            replaced_at: change.now(),
        });
        change.put_account(account)?;
        change.put_profile(profile(1, &[("reg.1.auth.password", "CANARY_SIP_1"), ("up.timeOut", "40")]))?;
        let blob = sealed_files::put(services, DEFAULT_ACCOUNT, &key(), "phone.cfg", OVERRIDE)?;
        let (size_bytes, sha256) = (OVERRIDE.len() as u64, sealed_files::hash(OVERRIDE));
        change.put_file(
            &key(),
            DeviceFile {
                name: "phone.cfg".to_owned(),
                size_bytes,
                sha256,
                at: change.now(),
                blob,
                by: None,
                version: 1,
                former: Vec::new(),
            },
        )?;
        change.change_trust(&key(), |trust| trust.generation = 3)?;
        Ok::<_, ServiceError>(())
    })
    .expect("kept");
    commit(services, Grant::system("test"), SERVER, |change| {
        let mut settings = store::server::get(change.tx())?;
        settings.backups.passphrase = Some(Secret::new(services.secrets.seal(PASSPHRASE, "CANARY_PASSPHRASE")));
        store::server::put(change.tx(), &settings)?;
        let factor = SecondFactor {
            secret: services.secrets.seal(&second_factor::place(UserId(1)), "4341"),
            since: change.now(),
            last_step: 0,
            recovery: Vec::new(),
        };
        let user = User {
            id: UserId(1),
            name: "Ada".to_owned(),
            email: "ada@example.test".to_owned(),
            role: Role::Owner,
            account: DEFAULT_ACCOUNT,
            disabled_at: None,
            password_hash: String::new(),
            second_factor: Some(factor),
            invitation: None,
            created_at: change.now(),
            password_changed_at: change.now(),
            revision: 1,
        };
        Ok::<_, ServiceError>(store::users::put(change.tx(), &user)?)
    })
    .expect("kept");
    bench
}

/// The same with another key.
fn renewed(bench: Bench) -> Bench {
    let Bench { services, clock, faults, dir } = bench;
    assert_eq!(renew(services, &owner()).expect("renewed"), Vec::<PathBuf>::new());
    Bench { services: open(&dir, &clock, &faults), clock, faults, dir }
}

/// Where something is sealed for.
fn places() -> Vec<String> {
    let account = format!("account {DEFAULT_ACCOUNT}");
    vec![
        format!("{account}, shared credentials"),
        format!("{account}, former shared credentials"),
        format!("{account}, profile 1, reg.1.auth.password"),
        second_factor::place(UserId(1)),
        PASSPHRASE.to_owned(),
        "server, roots".to_owned(),
    ]
}

/// The sealed texts that stand anywhere in the file of the database, and which of the places each opens for.
fn opened_in_file(state: &Path, secrets: &Secrets) -> Vec<String> {
    let content = fs::read(state.join("pdms.redb")).expect("a database");
    let is_of_it = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_".contains(byte);
    let starts = content.windows(12).enumerate().filter(|(_, window)| *window == b"pdms-sealed:").map(|(at, _)| at);
    let mut opened = Vec::new();
    for start in starts {
        let length = content[start + 12..].iter().take_while(|byte| is_of_it(byte)).count();
        let text = String::from_utf8_lossy(&content[start..start + 12 + length]);
        opened.extend(places().into_iter().filter(|place| secrets.open_text(place, &text).is_ok()));
    }
    opened.sort_unstable();
    opened.dedup();
    opened
}

fn handed_out(services: &Services) -> (String, String, [u8; 32]) {
    let DeviceSecrets { password, admin_password, .. } = credentials::of(services, DEFAULT_ACCOUNT, &key());
    (password.expose().to_owned(), admin_password.expose().to_owned(), services.secrets.stored_hash("a token"))
}

#[test]
fn sec_02_everything_opens_with_the_new_key_and_nothing_that_is_left_with_the_old_one() {
    let bench = filled();
    let state = bench.services.state_dir.root().to_owned();
    let kept_aside = bench.dir.path().join("old.key");
    fs::copy(bench.services.state_dir.key_file(), &kept_aside).expect("copied");
    let old = Secrets::open(&kept_aside, KeyFile::MustExist).expect("a key");
    let (before, blob) = (handed_out(&bench.services), blob(&bench.services));
    assert_eq!(opened_in_file(&state, &old).len(), places().len() - 1, "all but the roots");

    let bench = renewed(bench);
    let services = &bench.services;
    assert_eq!(handed_out(services), before, "what was handed out is as it was");
    let mut all = places();
    all.sort_unstable();
    assert_eq!(opened_in_file(&state, &services.secrets), all);
    assert_eq!(opened_in_file(&state, &old), Vec::<String>::new(), "not even in a page that is free");
    let world = services.world(DEFAULT_ACCOUNT).expect("set up");
    let provisioning = &world.account.provisioning;
    let former = provisioning.former.as_ref().map(|former| former.password.expose());
    assert_eq!((provisioning.password.expose(), former), ("CANARY_SHARED", Some("CANARY_FORMER")));
    let profile = world.profiles.values().next().expect("a profile");
    assert_eq!(profile.parameters.get("reg.1.auth.password"), Some("CANARY_SIP_1"));

    let rows = services.store.read(store::stored_files::all).expect("rows");
    assert!(matches!(&rows[..], [(_, _, row)] if row.blob != blob && !services.blobs.has(&blob)), "{rows:?}");
    let place = "account 1, device 0004f2aa0001, file phone.cfg";
    assert!(old.open_bytes(place, services.blobs.read(&rows[0].2.blob).expect("there")).is_err());
    let content = sealed_files::read(services, DEFAULT_ACCOUNT, &key(), &rows[0].2);
    assert_eq!(content.ok().as_deref(), Some(OVERRIDE));
    assert_eq!(check::faults(services, None, None).expect("checked"), Vec::<String>::new());
    let log = activity::list(services, SERVER, &ActivityQuery { limit: 10, ..ActivityQuery::default() }).expect("a log");
    assert!(log.items.iter().any(|one| one.event.subject == "key file" && one.event.action == "replaced"), "{log:?}");
    assert!(!newest_activity(services).contains("CANARY"));
    assert!(!state.join("restored").exists() && !state.join("restoring").exists());

    let again = renewed(bench);
    assert_eq!(handed_out(&again.services), before, "also with a third key");
    assert_eq!(opened_in_file(&state, &again.services.secrets), all);
}

fn row(services: &Services) -> DeviceFile {
    services.store.read(store::stored_files::all).expect("rows").remove(0).2
}

fn blob(services: &Services) -> String {
    row(services).blob
}

/// How many contents there are.
fn blobs(state: &StateDir) -> usize {
    let folders = fs::read_dir(state.blobs()).expect("a folder").map(|folder| folder.expect("an entry").path());
    folders.map(|folder| fs::read_dir(folder).expect("a folder").count()).sum()
}

#[test]
fn a_backup_of_before_brings_its_own_key_and_one_of_after_its_roots() {
    let mut bench = filled();
    let before = handed_out(&bench.services);
    let restored = |bench: &Bench, name: &str| {
        let kept = kept::make(&bench.services, &owner(), Mode::Keep).expect("made");
        let path = bench.services.state_dir.backups().join(&kept.name);
        let mut file = fs::File::open(path).expect("a backup");
        let into = bench.dir.path().join(name);
        let passphrase = Secret::new("CANARY_PASSPHRASE");
        restore::into_empty(&mut file, Some(&passphrase), &into, bench.clock.clone()).expect("restored");
        let opening = Opening::new(into, bench.clock.clone());
        handed_out(&Services::open(opening).expect("it opens"))
    };
    assert_eq!(restored(&bench, "older"), before);
    bench = renewed(bench);
    bench.clock.advance_to(bench.clock.now() + jiff::SignedDuration::from_hours(1));
    assert_eq!(restored(&bench, "newer"), before);
}

/// Every state that a kill can leave: before the rename that decides, after it, and between the moves that follow.
#[test]
fn whoever_opens_a_state_in_between_finds_the_old_one_or_finishes_the_new_one() {
    let moves: [&[&str]; 4] = [&[], &["secret.key-gone"], &["secret.key"], &["secret.key", "pdms.redb-gone"]];
    for (is_decided, moved) in std::iter::once((false, moves[0])).chain(moves.map(|moved| (true, moved))) {
        let bench = filled();
        let (state, before) = (bench.services.state_dir.clone(), handed_out(&bench.services));
        let old_key = fs::read(state.key_file()).expect("a key");
        make(&bench.services, grant(Action::EditServer)).expect("made");
        let names: Vec<_> = fs::read_dir(state.restoring()).expect("a folder").flatten().map(|entry| entry.file_name()).collect();
        assert_eq!(names.len(), MADE.len(), "{names:?}");
        if is_decided {
            in_place::decide(&state).expect("decided");
        }
        let Bench { services, clock, faults, dir } = bench;
        drop(services);
        for name in moved {
            let (name, is_gone) = name.strip_suffix("-gone").map_or((*name, false), |name| (name, true));
            fs::remove_file(state.root().join(name)).expect("removed");
            if !is_gone {
                fs::rename(state.restored().join(name), state.root().join(name)).expect("moved");
            }
        }
        let looked_at = Services::inspect(state.root(), clock.clone());
        assert_eq!(looked_at.is_err(), is_decided, "{moved:?}: nobody judges what is half in place");
        drop(looked_at);
        let services = open(&dir, &clock, &faults);
        assert_eq!(handed_out(&services), before, "{moved:?}");
        assert_eq!(fs::read(state.key_file()).expect("a key") != old_key, is_decided, "{moved:?}");
        let content = sealed_files::read(&services, DEFAULT_ACCOUNT, &key(), &row(&services));
        assert_eq!(content.ok().as_deref(), Some(OVERRIDE), "{moved:?}");
        assert_eq!(check::faults(&services, None, None).expect("checked"), Vec::<String>::new(), "{moved:?}");
        assert!(!state.restored().exists() && !state.restoring().exists());
        assert_eq!(blobs(&state), 1, "{moved:?}: only one content of the file is left");
    }
}

#[test]
fn a_lost_file_of_a_phone_stays_told_and_keeps_nothing_else_from_being_sealed() {
    let bench = filled();
    bench.services.blobs.remove(&blob(&bench.services)).expect("removed");
    let bench = renewed(bench);
    let faults = check::faults(&bench.services, None, None).expect("checked");
    assert!(matches!(&faults[..], [fault] if fault.starts_with("1 of 1 stored files")), "{faults:?}");
}

#[test]
fn what_cannot_be_opened_leaves_everything_as_it_was() {
    let bench = filled();
    let state = bench.services.state_dir.clone();
    let key_file = fs::read(state.key_file()).expect("a key");
    let damaged = bench.services.blobs.put(&[b"pdms-sealed-content\0", &[1; 80][..]].concat()).expect("written");
    commit(&bench.services, Grant::system("test"), DEFAULT_ACCOUNT, |change| {
        let row = DeviceFile {
            name: "web.cfg".to_owned(),
            size_bytes: 1,
            sha256: String::new(),
            at: change.now(),
            blob: damaged.blob.clone(),
            by: None,
            version: 1,
            former: Vec::new(),
        };
        change.put_file(&key(), row).map(drop)
    })
    .expect("kept");
    let before = (handed_out(&bench.services), blob(&bench.services));
    let Bench { services, clock, faults, dir } = bench;
    let told = renew(services, &owner()).expect_err("refused").to_string();
    assert!(told.contains("web.cfg"), "{told}");
    assert_eq!(fs::read(state.key_file()).expect("a key"), key_file);
    assert!(!state.restored().exists() && !state.restoring().exists());
    let services = open(&dir, &clock, &faults);
    assert_eq!((handed_out(&services), blob(&services)), before);
    assert_eq!(blobs(&state), 2, "nothing that was sealed in vain is left");
}
