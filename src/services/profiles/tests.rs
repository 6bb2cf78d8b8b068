//! Creating, editing, copying and deleting profiles on a real store.

use super::*;
use crate::domain::access::Grant;
use crate::domain::activity::MASK;
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::domain::import::ImportOptions;
use crate::domain::profile::draft::ProfileInput;
use crate::domain::testing;
use crate::services::commit::commit;
use crate::services::deployment::{self, Target};
use crate::services::testing::{Bench, bench, newest_activity, owner};

fn draft(name: &str, parameters: &[(&str, &str)]) -> ProfileDraft {
    let parameters = parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    ProfileDraft::parse(&ProfileInput { name: name.to_owned(), description: String::new(), parameters }).expect("a good draft")
}

fn add(bench: &Bench, name: &str, parameters: &[(&str, &str)]) -> Result<Profile, ServiceError> {
    create(&bench.services, &owner(), DEFAULT_ACCOUNT, vec![draft(name, parameters)], Mode::Keep).map(|mut made| made.remove(0))
}

fn shown(profile: &Profile) -> Shown {
    Shown { id: profile.id, revision: profile.revision }
}

fn set(name: &str, value: &str) -> ParameterEdit {
    ParameterEdit::set(name, value).expect("a good edit")
}

#[test]
fn a_profile_is_made_edited_and_recorded_with_its_secrets_masked() {
    let bench = bench();
    let made = add(&bench, "Lines", &[("reg.1.auth.password", "CANARY"), ("reg.1.label", "7")]).expect("made");
    assert_eq!((made.modified_by.as_str(), made.modified_at, made.revision), ("ada", bench.clock.now(), 1));
    assert_eq!(
        newest_activity(&bench.services),
        format!("ada: profile Lines added; reg.1.auth.password - -> {MASK}; reg.1.label - -> 7")
    );
    let edits = [
        set("reg.1.label", "8"),
        set("reg.1.auth.password", "CANARY_2"),
        ParameterEdit::remove("nothing.there").expect("a name"),
    ];
    let edited = edit_parameters(&bench.services, &owner(), DEFAULT_ACCOUNT, shown(&made), &edits, Mode::Keep).expect("edited");
    assert_eq!((edited.parameters.get("reg.1.label"), edited.revision), (Some("8"), 2));
    assert_eq!(
        newest_activity(&bench.services),
        format!("ada: profile Lines changed; reg.1.auth.password {MASK} -> {MASK}; reg.1.label 7 -> 8")
    );
    let bench = bench.restarted();
    assert_eq!(*get(&bench.services, DEFAULT_ACCOUNT, made.id).expect("there"), edited);
}

#[test]
fn names_are_unique_whatever_the_letter_case() {
    let bench = bench();
    let lines = add(&bench, "Lines", &[]).expect("made");
    let other = add(&bench, "Other", &[]).expect("made");
    assert!(matches!(add(&bench, "LINES", &[]), Err(ServiceError::Invalid(_))));
    let rename = |profile: &Profile, name: &str| {
        rename(
            &bench.services,
            &owner(),
            DEFAULT_ACCOUNT,
            shown(profile),
            Name::parse(name).expect("a name"),
            String::new(),
            Mode::Keep,
        )
    };
    assert!(matches!(rename(&other, "lines"), Err(ServiceError::Invalid(_))));
    assert_eq!(rename(&lines, "LINES").expect("its own name in other letters").name.as_str(), "LINES");
    let together = vec![draft("Twin", &[]), draft("other", &[]), draft("TWIN", &[])];
    match create(&bench.services, &owner(), DEFAULT_ACCOUNT, together, Mode::Keep) {
        Err(ServiceError::Invalid(errors)) => assert_eq!(errors.iter().map(|e| e.item).collect::<Vec<_>>(), [Some(1), Some(2)]),
        other => panic!("two names are taken: {other:?}"),
    }
    let own = list(&bench.services, DEFAULT_ACCOUNT).expect("listed").iter().filter(|profile| !profile.is_standard()).count();
    assert_eq!(own, 2);
}

#[test]
fn the_name_of_what_a_device_csv_brings_is_kept_for_it() {
    let bench = bench();
    let services = &bench.services;
    let lines = add(&bench, "Lines", &[("up.timeOut", "1")]).expect("made");
    for name in ["0004f2000001_csv_profile", "0004F2000001_CSV_Profile", "8218404c20ccf9_csv_profile"] {
        let told = |error: ServiceError| assert!(error.to_string().contains("is kept for what a device CSV brings"), "{error}");
        told(add(&bench, name, &[]).expect_err("refused"));
        let new = Name::parse(name).expect("a name");
        told(rename(services, &owner(), DEFAULT_ACCOUNT, shown(&lines), new, String::new(), Mode::Keep).expect_err("refused"));
        let input = copying::CopyInput { name: name.to_owned(), ..Default::default() };
        told(copying::copy(services, &owner(), DEFAULT_ACCOUNT, lines.id, &input, Mode::Keep).expect_err("refused"));
    }
    add(&bench, "lobby_csv_profile", &[]).expect("no device is called so");
}

#[test]
fn every_archive_that_goes_out_comes_in_again() {
    const MANY: usize = 2_100;
    let bench = bench();
    let drafts = (0..MANY).map(|number| draft(&format!("Desk {number}"), &[("reg.1.label", "7")])).collect();
    create(&bench.services, &owner(), DEFAULT_ACCOUNT, drafts, Mode::Keep).expect("made");
    let export = archive::export(&bench.services, &owner(), DEFAULT_ACCOUNT, None, archive::Secrets::Masked).expect("exported");
    let other = crate::services::testing::bench();
    let taken =
        archive::take(&other.services, &owner(), DEFAULT_ACCOUNT, &export, archive::Attach::No, Mode::Keep).expect("taken");
    assert_eq!(taken.count("new"), MANY);
    let names = |bench: &Bench| -> BTreeSet<String> {
        let world = bench.services.world(DEFAULT_ACCOUNT).expect("a world");
        world.profiles.values().map(|one| one.name.to_string()).collect()
    };
    assert_eq!(names(&other), names(&bench));
    let again = archive::plan(&bench.services, &owner(), DEFAULT_ACCOUNT, &export).expect("readable");
    assert_eq!(again.count("unchanged"), MANY);
}

/// Text that hardly packs: 9 MiB of it and more are an archive larger than 8 MiB.
fn noise(bytes: usize) -> String {
    let mut state = 1_u64;
    let mut letter = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-"[(state >> 58) as usize])
    };
    (0..bytes).map(|_| letter()).collect()
}

#[test]
fn the_archive_of_a_large_organisation_comes_in_again_with_where_its_profiles_are_attached() {
    const PROFILES: u64 = 100;
    let bench = bench();
    let noise = noise(120 * 1_024);
    let fill = |change: &mut crate::services::commit::Change<'_>| {
        for number in 1..=PROFILES {
            let at = usize::try_from(number).expect("a few") * 8;
            let values = [&noise[at..at + 60 * 1_024], &noise[at + 60 * 1_024..at + 118 * 1_024]];
            let name = Name::parse(&format!("{number:03} {}", "x".repeat(76))).expect("a name");
            change.put_profile(Profile { name, ..testing::profile(number, &[("up.a", values[0]), ("up.b", values[1])]) })?;
        }
        let profiles: Vec<_> = (1..=PROFILES).map(ProfileId).collect();
        for number in 1..=600 {
            let key = format!("0004f2{number:06x}");
            change.put_device(crate::domain::device::Device { profiles: profiles.clone(), ..testing::device(&key) })?;
        }
        Ok(())
    };
    commit(&bench.services, Grant::system("test"), DEFAULT_ACCOUNT, fill).expect("filled");
    let export = archive::export(&bench.services, &owner(), DEFAULT_ACCOUNT, None, archive::Secrets::Masked).expect("exported");
    assert!(export.len() > 8 << 20 && export.len() <= crate::domain::limits::ARCHIVE_UPLOAD_BYTES, "{}", export.len());
    let mut zip = zip::ZipArchive::new(std::io::Cursor::new(&export)).expect("an archive");
    assert!(zip.by_name(deployed::DEPLOYMENT).expect("it is there").size() > 4 << 20);
    let plan = archive::plan(&bench.services, &owner(), DEFAULT_ACCOUNT, &export).expect("it comes in again");
    assert!(plan.has_deployment && plan.count("unchanged") == 100, "{:?}", plan.profiles.first());
}

#[test]
fn an_archive_does_not_bring_a_name_that_is_kept_for_a_device_csv() {
    let bench = bench();
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zip.start_file("0004f2000001_csv_profile.cfg", zip::write::SimpleFileOptions::default()).expect("a member");
    std::io::Write::write_all(&mut zip, b"<a b='1'/>").expect("written");
    let archive = zip.finish().expect("an archive").into_inner();
    let plan = archive::plan(&bench.services, &owner(), DEFAULT_ACCOUNT, &archive).expect("readable");
    assert!(matches!(&plan.profiles[0].fate, archive::Fate::Refused(why) if why.contains("is kept for")), "{plan:?}");
}

#[test]
fn two_admins_cannot_overwrite_one_another_unseen() {
    let bench = bench();
    let made = add(&bench, "Lines", &[]).expect("made");
    let edit =
        |value: &str| edit_parameters(&bench.services, &owner(), DEFAULT_ACCOUNT, shown(&made), &[set("a", value)], Mode::Keep);
    edit("1").expect("edited");
    let error = edit("2").expect_err("stale");
    assert!(error.to_string().contains("changed by ada since"), "{error}");
}

#[test]
fn trying_out_answers_what_would_be() {
    let bench = bench();
    let made = add(&bench, "Lines", &[]).expect("made");
    let tried =
        edit_parameters(&bench.services, &owner(), DEFAULT_ACCOUNT, shown(&made), &[set("a", "1")], Mode::TryOut).expect("tried");
    assert_eq!(tried.parameters.get("a"), Some("1"));
    assert_eq!(*get(&bench.services, DEFAULT_ACCOUNT, made.id).expect("there"), made);
}

#[test]
fn an_import_takes_exactly_what_was_shown() {
    let bench = bench();
    let made = add(&bench, "Lines", &[("a", "1"), ("b", "1")]).expect("made");
    let file = b"<x a='2' c='3' d='' device.x='5'/>";
    let preview = crate::services::import::preview(&made.parameters, file, ImportOptions::default()).expect("a file");
    let taken = import(&bench.services, &owner(), DEFAULT_ACCOUNT, shown(&made), &preview, Mode::Keep).expect("taken");
    assert_eq!(taken.parameters, testing::parameter_set(&[("a", "2"), ("b", "1"), ("c", "3"), ("device.x", "5")]));
}

#[test]
fn the_api_replaces_everything_at_once() {
    let bench = bench();
    let made = add(&bench, "Lines", &[("a", "1")]).expect("made");
    let new = draft("Rows", &[("b", "2")]);
    let replaced = replace(&bench.services, &owner(), DEFAULT_ACCOUNT, shown(&made), new, Mode::Keep).expect("replaced");
    assert_eq!((replaced.name.as_str(), replaced.parameters), ("Rows", testing::parameter_set(&[("b", "2")])));
}

#[test]
fn a_copy_is_a_profile_of_its_own() {
    let bench = bench();
    let made = add(&bench, "Lines", &[("a", "1")]).expect("made");
    let copy = |name: &str| {
        let input = CopyInput { name: name.to_owned(), ..CopyInput::default() };
        copy(&bench.services, &owner(), DEFAULT_ACCOUNT, made.id, &input, Mode::Keep)
    };
    assert!(matches!(copy("lines"), Err(ServiceError::Invalid(_))));
    let copied = copy("Lines 2").expect("copied");
    assert_ne!(copied.id, made.id);
    assert_eq!(copied.parameters, made.parameters);
    assert_eq!(newest_activity(&bench.services), "ada: profile Lines 2 copied from Lines; a - -> 1");
}

#[test]
fn deleting_detaches_everywhere_and_tells_how_many_devices_change() {
    let bench = bench();
    let (lines, other) = (add(&bench, "Lines", &[]).expect("made"), add(&bench, "Other", &[]).expect("made"));
    let devices = ["0004f2000001", "0004f2000002"].map(testing::device);
    let direct = devices[0].key.clone();
    commit(&bench.services, Grant::system("test"), DEFAULT_ACCOUNT, |change| {
        devices.into_iter().try_for_each(|device| change.put_device(device))
    })
    .expect("stored");
    let attach = |target: &Target, id| {
        deployment::attach(&bench.services, &owner(), DEFAULT_ACCOUNT, target, id, Mode::Keep).expect("attached")
    };
    for id in [lines.id, other.id] {
        attach(&Target::Device(direct.clone()), id);
    }
    let uses_of = |id| uses(&bench.services, DEFAULT_ACCOUNT, id).expect("there");
    assert_eq!(uses_of(lines.id), Uses { places: vec![], devices: vec![direct.clone()], affected: 1 });
    attach(&Target::Place(Place::Global), lines.id);
    let expected = Uses { places: vec![Place::Global], devices: vec![direct.clone()], affected: 2 };
    assert_eq!(uses_of(lines.id), expected);
    let go = |mode| delete(&bench.services, &owner(), DEFAULT_ACCOUNT, lines.id, mode).expect("deleted");
    assert_eq!(go(Mode::TryOut), expected);
    assert_eq!(go(Mode::Keep), expected);
    assert_eq!(newest_activity(&bench.services), "ada: profile Lines deleted; attachments 2 -> -");
    let bench = bench.restarted();
    let world = bench.services.world(DEFAULT_ACCOUNT).expect("a world");
    assert!(world.deployment.is_empty() && !world.profiles.contains_key(&lines.id));
    let device = bench.services.roster(DEFAULT_ACCOUNT).find(&direct).expect("there").device;
    assert_eq!(device.profiles, vec![other.id]);
}

#[test]
fn many_are_deleted_in_one_change_or_not_at_all() {
    let bench = bench();
    let ids: Vec<ProfileId> = ["A", "B", "C"].iter().map(|name| add(&bench, name, &[]).expect("made").id).collect();
    for id in &ids {
        let target = Target::Place(Place::Global);
        deployment::attach(&bench.services, &owner(), DEFAULT_ACCOUNT, &target, *id, Mode::Keep).expect("attached");
    }
    let go =
        |ids: &[ProfileId]| delete_all(&bench.services, &owner(), DEFAULT_ACCOUNT, &ids.iter().copied().collect(), Mode::Keep);
    let world = || bench.services.world(DEFAULT_ACCOUNT).expect("a world");
    assert!(matches!(go(&[ids[0], ProfileId(99)]), Err(ServiceError::NotFound { .. })));
    assert_eq!((world().profiles.len(), go(&[]).expect("nothing to do").len()), (3, 0));
    let before = world().revision;
    assert_eq!(go(&ids[..2]).expect("deleted").len(), 2);
    assert_eq!((world().deployment[&Place::Global].clone(), world().revision), (vec![ids[2]], before + 1));
    let none = create(&bench.services, &owner(), DEFAULT_ACCOUNT, Vec::new(), Mode::Keep);
    assert_eq!(none.expect("nothing to do").len(), 0);
}
