//! Backups of a real state: one moment, every byte, and the way back.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use super::archive::{Trailer, Writing};
use super::restore::{for_next_start, into_empty};
use super::*;
use crate::domain::access::Grant;
use crate::domain::activity::Event;
use crate::domain::device::DeviceKey;
use crate::domain::ids::{DEFAULT_ACCOUNT, UserId};
use crate::domain::testing;
use crate::services::commit::commit;
use crate::services::testing::{Bench, bench, stored_file};
use crate::services::{Opening, sessions, setup};
use crate::store::{Row, Store, StoreError};

const CONTENT: &[u8] = b"<directory/>";

fn key() -> DeviceKey {
    "0004f2000001".parse().expect("a key")
}

/// A server with a device, a profile, a stored file, and a folder of certificates.
pub(super) fn filled() -> (Bench, String) {
    let bench = bench();
    let services = &bench.services;
    let written = services.blobs.put(CONTENT).expect("kept");
    let blob = written.blob.clone();
    let file = stored_file("directory.xml", &written, bench.clock.now());
    commit(services, Grant::system("test"), DEFAULT_ACCOUNT, |change| {
        store::stored_files::put(change.tx(), DEFAULT_ACCOUNT, &key(), &file)?;
        change.put_profile(testing::profile(1, &[("reg.1.auth.password", "CANARY_SIP")]))?;
        change.record(Event::new("device", "one", "added"))
    })
    .expect("written");
    fs::write(services.state_dir.certificates().join("certificate.pem"), "a certificate").expect("written");
    (bench, blob)
}

pub(super) fn rows(services: &Services) -> Vec<Row> {
    let mut all = Vec::new();
    let noted = services.store.snapshot(|moment| {
        moment.rows::<StoreError>(|table, key, value| {
            all.push(Row { table: table.to_owned(), key: key.to_vec(), value: value.to_vec() });
            Ok(())
        })
    });
    noted.expect("rows");
    all
}

pub(super) fn backup(services: &Services) -> Vec<u8> {
    let mut out = Vec::new();
    pack(services, &mut out).expect("a backup");
    out
}

fn sealed_backup(services: &Services, passphrase: &Secret) -> Vec<u8> {
    let mut sealing = Sealing::begin(Vec::new(), passphrase, Cost::OF_TESTS).expect("begun");
    pack(services, &mut sealing).expect("a backup");
    sealing.finish().expect("finished")
}

pub(super) fn on_disk(bytes: &[u8]) -> File {
    let mut file = tempfile::tempfile().expect("a file");
    file.write_all(bytes).expect("written");
    file
}

/// Restores below a folder of its own.
pub(super) fn restore(
    bytes: &[u8],
    passphrase: Option<&Secret>,
    bench: &Bench,
) -> (tempfile::TempDir, Result<PathBuf, BackupError>) {
    let dir = tempfile::tempdir().expect("a folder");
    let state = dir.path().join("new");
    let restored = into_empty(&mut on_disk(bytes), passphrase, &state, bench.clock.clone());
    (dir, restored.map(|_| state))
}

#[test]
fn what_is_restored_is_what_was_there() {
    let (bench, blob) = filled();
    let before = rows(&bench.services);
    let content = sessions::Content { user: Some(UserId(1)), ..Default::default() };
    let cookie = sessions::begin(&bench.services, content).expect("a session");
    assert!(sessions::find(&bench.services, &cookie).is_some());
    let (_dir, restored) = restore(&backup(&bench.services), None, &bench);
    let state = restored.expect("restored");
    assert_eq!(fs::read(state.join("secret.key")).expect("a key"), fs::read(bench.services.state_dir.key_file()).expect("a key"));
    assert_eq!(fs::read(state.join("certs/certificate.pem")).expect("a file"), b"a certificate");
    let mode = |name: &str| fs::metadata(state.join(name)).expect("there").permissions().mode() & 0o777;
    assert_eq!([mode(""), mode("secret.key"), mode("certs"), mode("pdms.redb")], [0o700, 0o600, 0o700, 0o600]);
    let services = Services::open(Opening::new(&state, bench.clock.clone())).expect("it opens");
    assert_eq!(rows(&services), before);
    assert!(sessions::find(&services, &cookie).is_none(), "people sign in again");
    assert_eq!(services.blobs.read(&blob).expect("a blob"), CONTENT);
    let world = services.world(DEFAULT_ACCOUNT).expect("a world");
    assert!(format!("{:?}", world.profiles).contains("CANARY_SIP"), "sealed values open");
    assert!(!state.join("restored").exists() && !state.join("restoring").exists());
}

#[test]
fn no_byte_of_a_backup_can_be_changed_unseen() {
    let (bench, _) = filled();
    let passphrase = Secret::new("CANARY_PASS");
    for (whole, passphrase) in [(backup(&bench.services), None), (sealed_backup(&bench.services, &passphrase), Some(&passphrase))]
    {
        let check = |bytes: &[u8]| match passphrase {
            None => verify_source(Box::new(io::Cursor::new(bytes))),
            Some(passphrase) => verify_source(Box::new(Opened::open(io::Cursor::new(bytes), passphrase)?)),
        };
        check(&whole).expect("whole");
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 1 << (at % 8);
            assert!(check(&changed).is_err(), "byte {at} of {}", whole.len());
        }
        for end in (0..whole.len()).step_by(97) {
            assert!(check(&whole[..end]).is_err(), "cut at {end}");
        }
        assert!(check(&[&whole[..], b"x"].concat()).is_err(), "something added");
    }
}

#[test]
fn a_passphrase_is_asked_for_and_hides_everything() {
    let (bench, _) = filled();
    let passphrase = Secret::new("CANARY_PASS");
    let whole = sealed_backup(&bench.services, &passphrase);
    assert!(matches!(verify(&mut on_disk(&whole), None), Err(BackupError::NeedsPassphrase)));
    assert!(matches!(verify(&mut on_disk(&whole), Some(&Secret::new("x"))), Err(BackupError::WrongPassphrase)));
    assert_eq!(verify(&mut on_disk(&whole), Some(&passphrase)).expect("whole").schema, Store::schema_known());
    assert!(!whole.windows(8).any(|part| part == b"pdms-key"));
    restore(&whole, Some(&passphrase), &bench).1.expect("restored");
}

/// Does something once, between two writes.
struct Between<'a> {
    out: Vec<u8>,
    then: Option<Box<dyn FnOnce() + 'a>>,
}

impl Write for Between<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(then) = self.then.take() {
            then();
        }
        self.out.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_backup_shows_one_moment_whatever_happens_while_it_is_written() {
    let (bench, blob) = filled();
    let services = &bench.services;
    let before = rows(services);
    let change = || {
        commit(services, Grant::system("test"), DEFAULT_ACCOUNT, |change| {
            store::stored_files::delete(change.tx(), DEFAULT_ACCOUNT, &key(), "directory.xml")?;
            change.record(Event::new("device", "one", "deleted"))
        })
        .expect("changed");
        services.blobs.remove(&blob).expect("removed");
    };
    let mut out = Between { out: Vec::new(), then: Some(Box::new(change)) };
    pack(services, &mut out).expect("a backup");
    assert!(out.then.is_none() && rows(services) != before && !services.blobs.has(&blob), "it happened meanwhile");
    let (_dir, restored) = restore(&out.out, None, &bench);
    let restored = Services::open(Opening::new(restored.expect("restored"), bench.clock.clone())).expect("it opens");
    assert_eq!(rows(&restored), before);
    assert_eq!(restored.blobs.read(&blob).expect("a blob"), CONTENT);
}

/// Writes so many bytes and then has a full disk.
struct Full(usize);

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.checked_sub(bytes.len()).ok_or(io::ErrorKind::StorageFull)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_full_disk_leaves_no_half_backup_and_the_former_one() {
    let (bench, _) = filled();
    let length = backup(&bench.services).len();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("pdms.backup");
    to_file(&path, None, |out| write(&bench.services, None, out).map(drop)).expect("a backup");
    let former = fs::read(&path).expect("a backup");
    assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
    for room in (0..length).step_by(length / 40) {
        let full = to_file(&path, None, |_| write(&bench.services, None, &mut Full(room)).map(drop));
        assert!(matches!(full, Err(BackupError::File { action: "write", .. })), "{room}: {full:?}");
    }
    assert_eq!(fs::read(&path).expect("a backup"), former);
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1);
}

#[test]
fn a_file_that_is_no_backup_is_never_replaced() {
    let (bench, _) = filled();
    let folder = tempfile::tempdir().expect("a folder");
    let to = |name: &str| to_file(&folder.path().join(name), None, |out| write(&bench.services, None, out).map(drop));
    let mut thesis = zip::ZipWriter::new(io::Cursor::new(Vec::new()));
    thesis.start_file("word/document.xml", zip::write::SimpleFileOptions::default()).expect("begun");
    let thesis = thesis.finish().expect("finished").into_inner();
    for (name, content) in [("notes.txt", b"mine".to_vec()), ("thesis.docx", thesis), ("short", b"PK\x03\x04".to_vec())] {
        fs::write(folder.path().join(name), &content).expect("written");
        let told = crate::services::error::chain(&to(name).expect_err(name));
        assert!(told.contains("is no backup of pdms; choose another name"), "{told}");
        assert_eq!(fs::read(folder.path().join(name)).expect("there"), content);
    }
    let mut damaged = backup(&bench.services);
    damaged[100] ^= 1;
    let sealed = sealed_backup(&bench.services, &Secret::new("CANARY_PASS"));
    for (name, content) in [("empty", Vec::new()), ("damaged", damaged), ("sealed", sealed)] {
        fs::write(folder.path().join(name), content).expect("written");
        to(name).expect("replaced");
    }
}

/// An archive with these members and a right hash, made by somebody who knows the form.
fn crafted(fill: impl FnOnce(&mut zip::ZipWriter<zip::write::StreamWriter<Trailer<&mut Vec<u8>>>>)) -> Vec<u8> {
    let mut out = Vec::new();
    let Writing { mut zip, .. } = Writing::begin(&mut out).expect("begun");
    fill(&mut zip);
    zip.finish().expect("finished").into_inner().finish().expect("finished");
    out
}

/// The backup, with other members in place of its own or beside them.
pub(super) fn with_members(whole: &[u8], others: &[(&str, &[u8])], manifest: impl FnOnce(&mut Manifest)) -> Vec<u8> {
    let mut out = Vec::new();
    let mut writing = Writing::begin(&mut out).expect("begun");
    let mut reading = Reading::open(Box::new(io::Cursor::new(whole))).expect("whole");
    let mut described = reading.manifest().clone();
    let names: Vec<String> = described.members.iter().map(|member| member.name.clone()).collect();
    let mut at = 0;
    reading
        .each(|_, content| {
            let name = names[at].as_str();
            at += 1;
            if others.iter().all(|(other, _)| *other != name) {
                writing.member(name, true, |out| io::copy(content, out).map(drop).map_err(BackupError::writing))?;
            }
            Ok(())
        })
        .expect("copied");
    for (name, content) in others {
        writing.member(name, true, |out| out.write_all(content).map_err(BackupError::writing)).expect("written");
    }
    manifest(&mut described);
    writing.finish(described).expect("finished");
    out
}

/// Puts a right hash at the end again.
fn hashed(mut archive: Vec<u8>) -> Vec<u8> {
    use sha2::Digest as _;
    let end = archive.len() - 64;
    let hash = hex::encode(sha2::Sha256::digest(&archive[..end]));
    archive[end..].copy_from_slice(hash.as_bytes());
    archive
}

fn replaced(archive: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    let mut archive = archive.to_vec();
    for at in 0..archive.len() - old.len() {
        if &archive[at..at + old.len()] == old {
            archive[at..at + old.len()].copy_from_slice(new);
        }
    }
    hashed(archive)
}

#[test]
fn hostile_archives_are_refused_before_anything_is_touched() {
    let (bench, _) = filled();
    let whole = backup(&bench.services);
    let options = zip::write::SimpleFileOptions::default();
    let with = |name: &str, content: &[u8]| with_members(&whole, &[(name, content)], |_| ());
    let two = with_members(&whole, &[("certs/x1.pem", b"1"), ("certs/x2.pem", b"2")], |_| ());
    let cases = [
        ("\"../evil\" is no name", "traversal", with("../evil", b"x")),
        ("/etc/evil", "absolute", with("/etc/evil", b"x")),
        ("certs/../secret.key", "traversal within", with("certs/../secret.key", b"x")),
        ("pdms.redb", "unknown member", with("pdms.redb", b"x")),
        ("twice", "duplicate", replaced(&two, b"certs/x2.pem", b"certs/x1.pem")),
        ("more than any of ours", "a great key file", with("secret.key", &vec![0; 2 << 20])),
        ("would become", "a bomb", with("database.rows", &vec![0; 20 << 20])),
        ("cannot be read", "rows that are none", with("database.rows", b"nothing of ours at all")),
        ("no manifest.json", "no manifest", crafted(|zip| zip.start_file("secret.key", options).expect("begun"))),
        ("plain file", "a link", crafted(|zip| zip.add_symlink("secret.key", "/etc/passwd", options).expect("added"))),
        ("format 7, this pdms knows them up to 1", "a newer form", with_members(&whole, &[], |one| one.format = 7)),
        ("database version 99, this pdms knows", "a newer database", with_members(&whole, &[], |one| one.schema = 99)),
        ("not of pdms", "another program", with_members(&whole, &[], |one| one.product = "freepbx".to_owned())),
        ("which there never was", "no database version", with_members(&whole, &[], |one| one.schema = 0)),
        ("which there never was", "no form", with_members(&whole, &[], |one| one.format = 0)),
        ("does not open with this key file", "another key", with("secret.key", another_key().as_bytes())),
        ("this is no backup", "a text", b"hello".to_vec()),
        ("hash", "another archive", whole[100..].to_vec()),
    ];
    for (words, what, archive) in cases {
        let (dir, restored) = restore(&archive, None, &bench);
        let error = crate::services::error::chain(&restored.expect_err(what));
        assert!(error.contains(words), "{what}: {error}");
        assert_eq!(fs::read_dir(dir.path()).expect("a folder").count(), 0, "{what} left something");
    }
}

pub(super) fn another_key() -> String {
    use base64::Engine as _;
    format!("pdms-key-1 {}\n", base64::engine::general_purpose::URL_SAFE_NO_PAD.encode([9; 32]))
}

#[test]
fn what_is_listed_and_missing_or_there_and_not_listed_is_refused() {
    let (bench, _) = filled();
    let whole = backup(&bench.services);
    let reading = Reading::open(Box::new(io::Cursor::new(&whole[..]))).expect("whole");
    let manifest = reading.manifest().clone();
    let listing = |members: Vec<Member>| {
        let text = serde_json::to_vec(&Manifest { members, ..manifest.clone() }).expect("a text");
        crafted(|zip| {
            let options = zip::write::SimpleFileOptions::default();
            for (name, content) in [("secret.key", &b"k"[..]), ("database.rows", b"r"), ("manifest.json", &text)] {
                zip.start_file(name, options).expect("begun");
                zip.write_all(content).expect("written");
            }
        })
    };
    let member = |name: &str| Member { name: name.to_owned(), size_bytes: 1, sha256: String::new() };
    let both = vec![member("secret.key"), member("database.rows")];
    let more = [both.clone(), vec![member("certs/ca.pem")]].concat();
    let twice = [both.clone(), both.clone()].concat();
    for (words, members) in [
        ("is not what the manifest says", both),
        ("certs/ca.pem is missing", more),
        ("twice", twice),
        ("no database.rows", vec![member("secret.key")]),
    ] {
        let error = verify(&mut on_disk(&listing(members)), None).expect_err(words).to_string();
        assert!(error.contains(words), "{words}: {error}");
    }
}

#[test]
fn a_state_that_was_set_up_is_never_replaced() {
    let (bench, _) = filled();
    let whole = backup(&bench.services);
    let other = bench_without_account();
    let dir = other.dir.path().join("state");
    assert!(matches!(
        into_empty(&mut on_disk(&whole), None, &dir, bench.clock.clone()),
        Err(BackupError::Service(ServiceError::Store(StoreError::InUse { .. })))
    ));
    let Bench { services, dir: folder, .. } = other;
    drop(services);
    into_empty(&mut on_disk(&whole), None, &dir, bench.clock.clone()).expect("nobody had set it up");
    let again = into_empty(&mut on_disk(&whole), None, &dir, bench.clock.clone()).expect_err("it is set up now").to_string();
    assert!(again.contains("a server that was set up"), "{again}");
    let used = folder.path().join("used");
    fs::create_dir(&used).expect("made");
    fs::write(used.join("photo.jpg"), "mine").expect("written");
    let foreign = into_empty(&mut on_disk(&whole), None, &used, bench.clock.clone()).expect_err("not empty").to_string();
    assert!(foreign.contains("it holds photo.jpg"), "{foreign}");
    assert_eq!(fs::read_dir(&used).expect("a folder").count(), 1);
}

#[test]
fn an_own_certificate_that_waits_for_the_first_run_is_never_replaced() {
    let (bench, _) = filled();
    let whole = backup(&bench.services);
    let fresh = bench_without_account();
    let state = fresh.services.state_dir.clone();
    for made in ["ca.pem", "ca.key", "server-rsa.pem"] {
        fs::write(state.certificates().join(made), "of the first start").expect("written");
    }
    let own = state.certificates().join("own.key");
    fs::write(&own, "mine").expect("written");
    let told = for_next_start(&fresh.services, &mut on_disk(&whole), None).expect_err("in the way").to_string();
    assert!(told.contains(&own.display().to_string()) && told.contains("move it elsewhere"), "{told}");
    assert!(!restore::is_waiting(&fresh.services));
    let Bench { services, dir: _folder, .. } = fresh;
    drop(services);
    let restore = || into_empty(&mut on_disk(&whole), None, state.root(), bench.clock.clone());
    assert!(matches!(restore(), Err(BackupError::InTheWay { file }) if file == own));
    assert_eq!(fs::read(&own).expect("there"), b"mine");
    fs::remove_file(&own).expect("moved");
    restore().expect("what the server made itself is replaced");
}

/// A server that was started and that nobody has set up.
fn bench_without_account() -> Bench {
    let dir = tempfile::tempdir().expect("a folder");
    let clock = crate::services::clock::Clock::manual("2026-11-22T12:00:00Z".parse().expect("a time"));
    let services = Services::open(Opening::new(dir.path().join("state"), clock.clone())).expect("it opens");
    Bench { services, clock, faults: std::sync::Arc::default(), dir }
}

#[test]
fn a_running_server_that_nobody_set_up_becomes_the_restored_one_at_its_next_start() {
    let (bench, _) = filled();
    let whole = backup(&bench.services);
    let before = rows(&bench.services);
    let fresh = bench_without_account();
    for_next_start(&fresh.services, &mut on_disk(&whole), None).expect("made ready");
    assert!(restore::is_waiting(&fresh.services));
    let fresh = fresh.restarted();
    assert!(setup::is_set_up(&fresh.services) && !restore::is_waiting(&fresh.services));
    assert_eq!(rows(&fresh.services), before);
    assert!(for_next_start(&fresh.services, &mut on_disk(&whole), None).is_err(), "it is set up now");
}

#[test]
fn a_restore_that_was_decided_is_finished_by_the_next_opening_wherever_it_broke_off() {
    let (bench, _) = filled();
    let whole = backup(&bench.services);
    let before = rows(&bench.services);
    for moved in 0..6 {
        let fresh = bench_without_account();
        for_next_start(&fresh.services, &mut on_disk(&whole), None).expect("made ready");
        let state = fresh.services.state_dir.clone();
        let Bench { services, dir, clock, .. } = fresh;
        drop(services);
        let mut names: Vec<_> =
            fs::read_dir(state.restored()).expect("ready").map(|one| one.expect("a file").file_name()).collect();
        names.sort_by_key(|name| name == "pdms.redb");
        for name in names.iter().take(moved) {
            let to = state.root().join(name);
            in_place::discard(&to).expect("discarded");
            fs::rename(state.restored().join(name), to).expect("moved");
        }
        if let Some(next) = names.get(moved) {
            in_place::discard(&state.root().join(next)).expect("discarded");
        }
        assert!(Services::inspect(state.root(), clock.clone()).is_err(), "half a state is not looked at");
        let again = into_empty(&mut on_disk(&whole), None, state.root(), clock.clone()).expect_err("it is decided");
        assert!(again.to_string().contains("waits in"), "after {moved} moves: {again}");
        let services = Services::open(Opening::new(state.root(), clock)).expect("it opens");
        assert_eq!(rows(&services), before, "after {moved} moves");
        drop(dir);
    }
}

#[test]
fn a_restore_that_was_decided_and_has_moved_nothing_yet_is_said_to_wait() {
    let (bench, _) = filled();
    let dir = tempfile::tempdir().expect("a folder");
    fs::create_dir(dir.path().join("restored")).expect("made");
    let again = into_empty(&mut on_disk(&backup(&bench.services)), None, dir.path(), bench.clock.clone()).expect_err("decided");
    assert!(again.to_string().contains("waits in"), "{again}");
}

#[test]
fn a_key_of_a_ca_that_is_not_in_use_is_left_out() {
    let (bench, _) = filled();
    let never = bench.services.state_dir.certificates().join("ca-0123456789abcdef.key");
    fs::write(&never, "the key of a CA that nobody was given").expect("written");
    let dir = tempfile::tempdir().expect("a folder");
    let state = dir.path().join("state");
    into_empty(&mut on_disk(&backup(&bench.services)), None, &state, bench.clock.clone()).expect("restored");
    assert!(state.join("certs/certificate.pem").exists() && !state.join("certs/ca-0123456789abcdef.key").exists());
}

#[test]
fn a_restore_that_broke_off_before_it_was_decided_leaves_nothing() {
    let (bench, _) = filled();
    let dir = tempfile::tempdir().expect("a folder");
    let state = dir.path().join("state");
    let half = state.join("restoring/certs");
    fs::create_dir_all(&half).expect("made");
    fs::write(half.join("ca.pem"), "half").expect("written");
    into_empty(&mut on_disk(&backup(&bench.services)), None, &state, bench.clock.clone()).expect("it counts as empty");
    let services = Services::open(Opening::new(&state, bench.clock.clone())).expect("it opens");
    assert_eq!(rows(&services), rows(&bench.services));
}
