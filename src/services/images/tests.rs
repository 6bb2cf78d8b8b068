//! Uploads of software on a real store: in pieces, over restarts, with what becomes of them.

use std::io::{Cursor, Read as _, Write as _};
use std::path::Path;

use jiff::SignedDuration;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::uploads::{Said, Shown, Stage, UploadId};
use super::*;
use crate::domain::access::Grant;
use crate::domain::deployment::Place;
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::domain::image::ImageLimits;
use crate::domain::software::SoftwareChoice;
use crate::services::commit::{Mode, commit};
use crate::services::testing::{Bench, bench, owner};
use crate::services::{named_blobs, profiles};

const ACCOUNT: AccountId = DEFAULT_ACCOUNT;
const FILE: &str = "UC_Software_5_9_8_release_sig_split.zip";
const XSD: &[u8] = b"<s:schema xmlns:s='http://www.w3.org/2001/XMLSchema'><s:attribute name='a.b'/></s:schema>";

fn package(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in files {
        zip.start_file(*name, SimpleFileOptions::default()).expect("a name");
        zip.write_all(content).expect("written");
    }
    zip.finish().expect("an archive").into_inner()
}

fn vvx(version: &str) -> Vec<u8> {
    package(&[("3111-44500-001.sip.ld", b"image"), ("sip.ver", version.as_bytes()), ("polycomConfig.xsd", XSD)])
}

fn begun(bench: &Bench, file: &str, size: usize) -> UploadId {
    let said = Said::default();
    uploads::begin(&bench.services, &owner(), ACCOUNT, (file, size as u64), said, Mode::Keep).expect("begun").upload.id
}

fn sent(bench: &Bench, id: UploadId, offset: usize, bytes: &[u8]) {
    let services = &bench.services;
    let mut writing = uploads::write_at(services, &owner(), ACCOUNT, id, offset as u64).expect("it goes on");
    writing.write(services, bytes).expect("written");
}

fn shown(bench: &Bench, id: UploadId) -> Shown {
    uploads::get(&bench.services, ACCOUNT, id).expect("it is there")
}

/// The first package of an image.
fn original(bench: &Bench, id: ImageId) -> Vec<u8> {
    let (mut file, _) = packages::open(&bench.services, &owner(), ACCOUNT, id, 1).expect("it is kept");
    let mut content = Vec::new();
    file.read_to_end(&mut content).expect("readable");
    content
}

/// Sends a whole package and lets the worker work.
fn uploaded(bench: &Bench, file: &str, package: &[u8]) -> (UploadId, Stage) {
    let id = begun(bench, file, package.len());
    sent(bench, id, 0, package);
    uploads::finish(&bench.services, &owner(), ACCOUNT, id, Mode::Keep).expect("whole");
    worker::work(&bench.services).expect("worked");
    (id, shown(bench, id).upload.stage)
}

fn image(bench: &Bench, stage: &Stage) -> Arc<Image> {
    let Stage::Done { image } = stage else { panic!("it is {stage:?}") };
    get(&bench.services, ACCOUNT, *image).expect("it is there")
}

fn said(bench: &Bench, id: UploadId, said: Said) -> Stage {
    uploads::answer(&bench.services, &owner(), ACCOUNT, id, said, Mode::Keep).expect("taken");
    worker::work(&bench.services).expect("worked");
    shown(bench, id).upload.stage
}

fn blobs(bench: &Bench) -> usize {
    fn count(folder: &Path) -> usize {
        let entries = std::fs::read_dir(folder).expect("readable").map(|entry| entry.expect("readable").path());
        entries.map(|path| if path.is_dir() { count(&path) } else { 1 }).sum()
    }
    count(&bench.services.state_dir.blobs())
}

#[test]
fn an_upload_goes_on_after_a_restart_and_becomes_an_image_with_its_profile_and_schema() {
    let mut bench = bench();
    let package = vvx("5.9.8.5760");
    let id = begun(&bench, FILE, package.len());
    sent(&bench, id, 0, &package[..100]);
    bench = bench.restarted();
    assert_eq!(shown(&bench, id).received, 100);
    let again = uploads::write_at(&bench.services, &owner(), ACCOUNT, id, 0);
    assert!(again.expect_err("it is here already").to_string().contains("offset 100"));
    let early = uploads::finish(&bench.services, &owner(), ACCOUNT, id, Mode::Keep);
    assert!(early.expect_err("bytes are missing").to_string().contains("from offset 100"));
    sent(&bench, id, 100, &package[100..]);
    uploads::finish(&bench.services, &owner(), ACCOUNT, id, Mode::Keep).expect("whole");
    // It waits to be unpacked when the server stops.
    bench = bench.restarted();
    worker::work(&bench.services).expect("worked");
    let image = image(&bench, &shown(&bench, id).upload.stage);
    assert_eq!((image.version.as_str(), image.families.as_slice()), ("5.9.8.5760", &["VVX".to_owned()][..]));
    assert_eq!((image.size_bytes, image.by.as_str(), image.source.as_str()), (package.len() as u64, "ada", FILE));
    let profile = profiles::get(&bench.services, ACCOUNT, image.profile).expect("it is there");
    assert_eq!((profile.name.as_str(), profile.kind), ("VVX 5.9.8.5760", ProfileKind::Software));
    let choice = SoftwareChoice { family: "VVX".to_owned(), version: image.version.clone() };
    assert_eq!(profile.software, [choice]);
    let world = bench.services.world(ACCOUNT).expect("a world");
    let schema = world.schemas.get(image.schema.expect("a schema")).expect("it is there");
    assert_eq!((schema.uploaded.family.as_deref(), schema.uploaded.version.as_deref()), (Some("VVX"), Some("5.9.8.5760")));
    assert_eq!((blobs(&bench), original(&bench, image.id)), (3, package.clone()), "two files, and the package as it came");
    bench = bench.restarted();
    assert_eq!((blobs(&bench), get(&bench.services, ACCOUNT, image.id).expect("still there")), (3, image.clone()));
    assert_eq!(original(&bench, image.id), package);
}

#[test]
fn two_who_send_the_same_upload_never_mix() {
    let bench = bench();
    let id = begun(&bench, FILE, 10);
    let first = uploads::write_at(&bench.services, &owner(), ACCOUNT, id, 0).expect("it goes on");
    let second = uploads::write_at(&bench.services, &owner(), ACCOUNT, id, 0);
    assert!(second.expect_err("another one is sending").to_string().contains("another connection"));
    drop(first);
    let mut writing = uploads::write_at(&bench.services, &owner(), ACCOUNT, id, 0).expect("it is free again");
    let more = writing.write(&bench.services, &[0; 11]);
    assert!(more.expect_err("too much").to_string().contains("10 bytes that were announced"));
    drop(writing);
    assert_eq!(shown(&bench, id).received, 0);
}

#[test]
fn a_package_that_tells_no_version_is_asked_about_and_nothing_is_lost() {
    let mut bench = bench();
    let package = package(&[("9999-44500-001.sip.ld", b"image")]);
    let (id, stage) = uploaded(&bench, "software.zip", &package);
    assert_eq!(stage, Stage::Asking { version: None, families: Vec::new() });
    let nothing = uploads::answer(&bench.services, &owner(), ACCOUNT, id, Said::default(), Mode::Keep);
    assert!(nothing.expect_err("both are missing").to_string().contains("which version"));
    bench = bench.restarted();
    let (version, families) = ("9.9.1".parse().ok(), vec!["CCX".to_owned()]);
    let stage = said(&bench, id, Said { version, families, replaces: false });
    assert_eq!(name(&bench, &stage), "CCX 9.9.1");
}

fn name(bench: &Bench, stage: &Stage) -> String {
    taking::name_of(&image(bench, stage))
}

#[test]
fn the_same_package_is_known_and_another_of_the_same_version_replaces_only_when_told() {
    let bench = bench();
    let (_, stage) = uploaded(&bench, FILE, &vvx("5.9.8.5760"));
    let first = image(&bench, &stage);
    let (_, stage) = uploaded(&bench, "renamed.zip", &vvx("5.9.8.5760"));
    let Stage::Refused { why, same } = stage else { panic!("it is {stage:?}") };
    assert!(why.contains("VVX 5.9.8.5760") && same == Some(first.id), "{why}");
    let other = package(&[("3111-44500-001.sip.ld", b"other"), ("sip.ver", b"5.9.8.5760"), ("Beach.jpg", b"x")]);
    let (id, stage) = uploaded(&bench, FILE, &other);
    assert_eq!((stage, blobs(&bench)), (Stage::Taken { image: first.id }, 3));
    let stage = said(&bench, id, Said { replaces: true, ..Said::default() });
    let second = image(&bench, &stage);
    assert_eq!((second.id, second.profile, second.files.len()), (first.id, first.profile, 3));
    assert_eq!((second.schema, blobs(&bench)), (None, 4), "what it replaced is gone, its package too");
    assert_eq!(bench.services.world(ACCOUNT).expect("a world").schemas.shelf.len(), 0);
}

#[test]
fn a_package_that_is_refused_leaves_no_row_and_no_file() {
    let bench = bench();
    let (id, stage) = uploaded(&bench, FILE, &package(&[("3111-44500-001.sip.ld", b"image"), ("../x.jpg", b"x")]));
    let Stage::Refused { why, .. } = stage else { panic!("it is {stage:?}") };
    assert!(why.contains("leads out of the archive"), "{why}");
    assert_eq!((blobs(&bench), bench.services.world(ACCOUNT).expect("a world").images.len()), (0, 0));
    assert_eq!(bench.services.images.parts.length(id.0).expect("a file"), 0, "its bytes are not needed any more");
    uploads::cancel(&bench.services, &owner(), ACCOUNT, id, Mode::Keep).expect("taken from the list");
    assert_eq!(std::fs::read_dir(bench.services.state_dir.uploads()).expect("a folder").count(), 0);
}

#[test]
fn r42_more_images_than_may_be_are_refused_by_number_size_and_package() {
    let bench = bench();
    let limit = |limits| limits::set(&bench.services, &owner(), ACCOUNT, limits, Mode::Keep).map(drop).expect("set");
    limit(ImageLimits { images: 1, ..ImageLimits::default() });
    uploaded(&bench, FILE, &vvx("5.9.8.5760"));
    let (_, stage) = uploaded(&bench, FILE, &vvx("5.9.9.1"));
    assert!(matches!(&stage, Stage::Refused { why, .. } if why.contains("as many as may be here")), "{stage:?}");
    limit(ImageLimits { bytes: 20, ..ImageLimits::default() });
    let (_, stage) = uploaded(&bench, FILE, &vvx("5.9.9.1"));
    assert!(matches!(&stage, Stage::Refused { why, .. } if why.contains("delete one")), "{stage:?}");
    limit(ImageLimits { package_bytes: 10, ..ImageLimits::default() });
    let large = uploads::begin(&bench.services, &owner(), ACCOUNT, (FILE, 11), Said::default(), Mode::Keep);
    assert!(large.expect_err("too large").to_string().contains("a package may have"));
    assert_eq!(limits::Usage::of(&bench.services.world(ACCOUNT).expect("a world")).images, 1);
}

#[test]
fn r207_an_image_goes_with_its_profile_and_not_while_a_profile_of_somebody_chooses_it() {
    let bench = bench();
    let (_, stage) = uploaded(&bench, FILE, &vvx("5.9.8.5760"));
    let image = image(&bench, &stage);
    let services = &bench.services;
    commit(services, Grant::system("test"), ACCOUNT, |change| {
        change.put_place(Place::Global, vec![image.profile])?;
        let own = Profile {
            software: Vec::new(),
            kind: ProfileKind::UserDefined,
            id: crate::domain::ids::ProfileId(77),
            ..change.profile(image.profile)?.expect("it is there")
        };
        let choice = SoftwareChoice { family: "VVX".to_owned(), version: image.version.clone() };
        change.put_profile(Profile {
            name: crate::domain::names::Name::parse("Mine").expect("a name"),
            software: vec![choice],
            ..own
        })
    })
    .expect("written");
    let refused = deletion::delete(services, &owner(), ACCOUNT, image.id, false, Mode::Keep);
    assert!(refused.expect_err("it is chosen").to_string().contains("“Mine”"));
    deletion::delete(services, &owner(), ACCOUNT, image.id, true, Mode::TryOut).expect("it could be");
    assert_eq!(blobs(&bench), 3);
    let gone = deletion::delete(services, &owner(), ACCOUNT, image.id, true, Mode::Keep).expect("deleted");
    assert_eq!((gone.uses.places.as_slice(), blobs(&bench)), (&[Place::Global][..], 0));
    let world = services.world(ACCOUNT).expect("a world");
    assert!(world.images.is_empty() && !world.profiles.contains_key(&image.profile) && world.schemas.shelf.is_empty());
    assert!(world.deployment.get(&Place::Global).is_none_or(Vec::is_empty));
    assert!(services.store.read(named_blobs::all).expect("readable").is_empty());
}

#[test]
fn r129_the_profile_of_an_image_is_never_changed_by_itself() {
    let bench = bench();
    let (_, stage) = uploaded(&bench, FILE, &vvx("5.9.8.5760"));
    let (services, image) = (&bench.services, image(&bench, &stage));
    let told = profiles::delete(services, &owner(), ACCOUNT, image.profile, Mode::Keep).expect_err("read-only").to_string();
    assert!(told.contains("goes with it"), "{told}");
    let shown = profiles::Shown { id: image.profile, revision: 1 };
    assert!(profiles::edit_parameters(services, &owner(), ACCOUNT, shown, &[], Mode::Keep).is_err());
}

#[test]
fn an_upload_that_nobody_goes_on_with_ends_after_a_day() {
    let bench = bench();
    let (old, young) = (begun(&bench, FILE, 10), begun(&bench, FILE, 10));
    bench.clock.advance_to(bench.clock.now() + SignedDuration::from_hours(23));
    sent(&bench, young, 0, b"x");
    bench.clock.advance_to(bench.clock.now() + SignedDuration::from_hours(2));
    assert_eq!(uploads::expire(&bench.services).expect("removed"), 1);
    let left: Vec<UploadId> = uploads::list(&bench.services, ACCOUNT).into_iter().map(|one| one.upload.id).collect();
    assert_eq!((left, uploads::get(&bench.services, ACCOUNT, old).is_err()), (vec![young], true));
}

#[test]
fn r338_a_licence_key_is_sealed_told_to_whoever_may_see_secrets_and_replaced() {
    let bench = bench();
    let (_, stage) = uploaded(&bench, FILE, &vvx("5.9.8.5760"));
    let (services, id) = (&bench.services, image(&bench, &stage).id);
    license::put(services, &owner(), ACCOUNT, id, ("first.txt", b"U1234-KEY"), Mode::Keep).expect("taken");
    let image = license::put(services, &owner(), ACCOUNT, id, ("C:\\keys\\new.txt", b"U5678-KEY"), Mode::Keep).expect("taken");
    let kept = image.license.expect("a licence");
    assert!(kept.file == "new.txt" && !kept.sealed.contains("U5678"), "{kept:?}");
    let told = license::reveal(services, &owner(), ACCOUNT, id, Mode::Keep).expect("told");
    assert_eq!(told, ("new.txt".to_owned(), "U5678-KEY".to_owned()));
    assert!(license::put(services, &owner(), ACCOUNT, id, ("x.txt", b"\0\xff"), Mode::Keep).is_err());
    license::delete(services, &owner(), ACCOUNT, id, Mode::Keep).expect("deleted");
    assert!(license::reveal(services, &owner(), ACCOUNT, id, Mode::Keep).is_err());
}

#[test]
fn r211_packages_that_join_are_all_kept_and_go_by_themselves() {
    let bench = bench();
    let (services, version) = (&bench.services, ("sip.ver", &b"5.9.8.5760"[..]));
    let first = package(&[("3111-44500-001.sip.ld", b"image"), version]);
    let second = package(&[("3111-48450-001.sip.ld", b"other"), version]);
    uploaded(&bench, "first_5_9_8.zip", &first);
    let (_, stage) = uploaded(&bench, "second_5_9_8.zip", &second);
    let joined = image(&bench, &stage);
    let names: Vec<&str> = joined.packages.iter().map(|one| one.file.as_str()).collect();
    assert_eq!(names, ["first_5_9_8.zip", "second_5_9_8.zip"]);
    assert_eq!((original(&bench, joined.id), blobs(&bench)), (first.clone(), 3 + 2));
    let sum = (first.len() + second.len()) as u64;
    assert_eq!(
        limits::Usage::of(&services.world(ACCOUNT).expect("a world")).bytes,
        joined.stored_bytes() + sum,
        "R42 counts them"
    );
    packages::delete(services, &owner(), ACCOUNT, joined.id, Mode::TryOut).expect("it could be");
    assert_eq!(blobs(&bench), 5, "a dry run removes nothing");
    let left = packages::delete(services, &owner(), ACCOUNT, joined.id, Mode::Keep).expect("deleted");
    assert_eq!((left.files.len(), left.packages.len(), blobs(&bench)), (3, 0, 3), "the files stay");
    assert!(packages::open(services, &owner(), ACCOUNT, joined.id, 1).is_err());
    assert!(packages::delete(services, &owner(), ACCOUNT, joined.id, Mode::Keep).is_err(), "there is none any more");
    let bench = bench.restarted();
    assert_eq!(blobs(&bench), 3);
}

#[test]
fn r211_what_is_served_as_it_came_is_its_own_package_and_packages_are_kept_only_where_that_is_wanted() {
    let bench = bench();
    let (_, stage) = uploaded(&bench, "3111-44500-001.5.9.8.5760.sip.ld", b"single");
    let alone = match stage {
        Stage::Asking { .. } => panic!("its name tells all: {stage:?}"),
        stage => image(&bench, &stage),
    };
    assert_eq!((original(&bench, alone.id), blobs(&bench)), (b"single".to_vec(), 1), "no second copy");
    assert!(packages::open(&bench.services, &owner(), ACCOUNT, alone.id, 0).is_err());
    limits::keep_packages(&bench.services, &owner(), ACCOUNT, false, Mode::Keep).expect("set");
    let (_, stage) = uploaded(&bench, FILE, &vvx("5.9.9.1"));
    assert_eq!((image(&bench, &stage).originals(), blobs(&bench)), (Vec::new(), 1 + 2));
}

#[test]
fn a_package_that_was_kept_before_the_machine_failed_and_has_no_row_is_swept_away() {
    let mut bench = bench();
    let package = vvx("5.9.8.5760");
    let id = begun(&bench, FILE, package.len());
    sent(&bench, id, 0, &package);
    uploads::finish(&bench.services, &owner(), ACCOUNT, id, Mode::Keep).expect("whole");
    bench.services.blobs.link(&bench.services.images.parts.place(id.0)).expect("named twice");
    assert_eq!(blobs(&bench), 1);
    bench = bench.restarted();
    assert_eq!(blobs(&bench), 0, "nothing names it");
    worker::work(&bench.services).expect("the upload itself is whole, and begins anew");
    let image = image(&bench, &shown(&bench, id).upload.stage);
    assert_eq!((original(&bench, image.id), blobs(&bench)), (package, 3), "emptying the upload takes nothing from it");
}

#[test]
fn a_disk_without_room_refuses_software_at_every_step_and_says_what_to_do() {
    let bench = bench();
    let images = &bench.services.images;
    let package = vvx("5.9.8.5760");
    let begin = || {
        uploads::begin(&bench.services, &owner(), ACCOUNT, (FILE, package.len() as u64), Said::default(), Mode::Keep)
            .map(|begun| begun.upload.id)
    };
    images.leave_free(u64::MAX);
    let refused = begin().expect_err("no room").to_string();
    assert!(refused.contains("make room and go on") && refused.contains("delete images"), "{refused}");
    images.leave_free(0);
    let id = begin().expect("room again");
    images.leave_free(u64::MAX);
    let mut writing = uploads::write_at(&bench.services, &owner(), ACCOUNT, id, 0).expect("it goes on");
    assert!(writing.write(&bench.services, &package).expect_err("no room").to_string().contains("make room"));
    drop(writing);
    assert_eq!(shown(&bench, id).received, 0, "nothing half of it");
    images.leave_free(0);
    sent(&bench, id, 0, &package);
    images.leave_free(u64::MAX);
    uploads::finish(&bench.services, &owner(), ACCOUNT, id, Mode::Keep).expect("whole");
    worker::work(&bench.services).expect("worked");
    let Stage::Refused { why, same: None } = shown(&bench, id).upload.stage else { panic!("it was taken") };
    assert!(why.contains("make room") && blobs(&bench) == 0, "{why}");
}
