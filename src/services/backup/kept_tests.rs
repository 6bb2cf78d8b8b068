//! Kept backups and their plan.

use std::fs;

use super::*;
use crate::domain::account::Secret;
use crate::services::testing::{Bench, bench, newest_activity, owner};

fn input(every: &str, keep: u16) -> PlanInput {
    PlanInput { every: every.to_owned(), hour: "2".to_owned(), keep: keep.to_string(), ..PlanInput::default() }
}

fn planned(bench: &Bench, input: &PlanInput) -> BackupPlan {
    let revision = plan(&bench.services).expect("a plan").revision;
    set_plan(&bench.services, &owner(), revision, input, Mode::Keep).expect("planned")
}

/// What is told of backups first.
fn told(bench: &Bench) -> Option<String> {
    troubles(&bench.services).expect("known").into_iter().map(|(_, text)| text).next()
}

fn times(bench: &Bench) -> Vec<String> {
    list(&bench.services).expect("listed").into_iter().map(|kept| kept.at.to_string()).collect()
}

fn tick_at(bench: &Bench, at: &str) {
    bench.clock.advance_to(at.parse().expect("a time"));
    tick(&bench.services).expect("ticked");
}

#[test]
fn planned_backups_are_made_at_their_hour_and_only_so_many_kept() {
    let bench = bench();
    tick(&bench.services).expect("nothing is planned");
    assert!(times(&bench).is_empty());
    planned(&bench, &input("day", 2));
    tick_at(&bench, "2026-11-22T12:01:00Z");
    assert_eq!(times(&bench), ["2026-11-22T12:01:00Z"], "the time of this night was missed");
    fs::write(bench.services.state_dir.backups().join("mine.backup"), "mine").expect("written");
    for at in ["2026-11-23T00:59:00Z", "2026-11-23T01:00:00Z", "2026-11-23T01:01:00Z", "2026-11-24T01:00:30Z"] {
        tick_at(&bench, at);
    }
    assert_eq!(times(&bench), ["2026-11-24T01:00:30Z", "2026-11-23T01:00:00Z"]);
    assert!(bench.services.state_dir.backups().join("mine.backup").exists(), "what is not ours stays");
    let log = newest_activity(&bench.services);
    assert!(log.starts_with("pdms (backup plan): backup pdms-20261122T120100Z.backup deleted"), "{log}");
    bench.clock.advance_to("2026-11-26T12:00:00Z".parse().expect("a time"));
    let bench = bench.restarted();
    assert!(told(&bench).is_some_and(|text| text.contains("2026-11-24 02:00")));
    tick(&bench.services).expect("made at the start");
    assert_eq!(told(&bench), None);
    assert_eq!(times(&bench)[0], "2026-11-26T12:00:00Z");
}

#[test]
fn a_plan_misses_no_hour_from_before_it_was_set() {
    let bench = bench();
    let at = |time: &str| bench.clock.advance_to(format!("2026-11-{time}Z").parse().expect("a time"));
    let is_late = || told(&bench).is_some_and(|text| text.contains("The planned backup was not made"));
    planned(&bench, &input("day", 2));
    assert_eq!(told(&bench), None, "its hour was this night");
    at("22T12:59:59");
    assert_eq!(told(&bench), None, "it is made within the minute; nobody calls it missed before an hour");
    at("22T13:00:00");
    assert!(is_late(), "nothing made it");
    planned(&bench, &input("day", 3));
    assert!(is_late(), "how many are kept makes none");
    let elsewhere = tempfile::tempdir().expect("a folder");
    planned(&bench, &PlanInput { folder: elsewhere.path().display().to_string(), ..input("day", 3) });
    assert_eq!(told(&bench), None, "another folder");
    planned(&bench, &PlanInput { hour: "3".to_owned(), ..input("day", 3) });
    assert_eq!(told(&bench), None, "another hour");
    tick(&bench.services).expect("made");
    at("24T03:00:00");
    assert!(is_late(), "the one of a day on which the plan was there");
    tick(&bench.services).expect("made");
    at("25T02:59:59");
    assert_eq!(told(&bench), None, "within the hour");
    at("25T03:00:00");
    assert!(is_late());
}

#[test]
fn what_is_kept_verifies_is_handed_out_and_removed_and_all_of_it_is_told() {
    let bench = bench();
    let passphrase = Secret::new("CANARY_PASSPHRASE_1");
    planned(&bench, &PlanInput { encrypt: true, passphrase, ..input("never", 5) });
    let stored = bench.services.store.read(store::server::get).expect("settings");
    assert!(!format!("{:?}", serde_json::to_string(&stored)).contains("CANARY"), "sealed at rest");
    assert!(newest_activity(&bench.services).contains("passphrase - -> ••••••••"));
    let kept = make(&bench.services, &owner(), Mode::Keep).expect("made");
    assert!(kept.encrypted);
    verify_kept(&bench.services, &owner(), &kept.name).expect("whole");
    let (_, size) = hand_out(&bench.services, &owner(), &kept.name).expect("a file");
    assert_eq!(size, kept.size_bytes);
    assert!(newest_activity(&bench.services).contains(".backup downloaded"));
    for name in ["../secret.key", "pdms-20261122T120001Z.backup", "pdms-20261122T120000Z.backup/..", ""] {
        assert!(matches!(hand_out(&bench.services, &owner(), name), Err(ServiceError::NotFound { .. })), "{name}");
    }
    let path = bench.services.state_dir.backups().join(&kept.name);
    let mut damaged = fs::read(&path).expect("a backup");
    let last = damaged.len() - 1;
    damaged[last] ^= 1;
    fs::write(&path, damaged).expect("written");
    assert!(verify_kept(&bench.services, &owner(), &kept.name).is_err());
    remove(&bench.services, &owner(), &kept.name, Mode::Keep).expect("removed");
    assert!(times(&bench).is_empty() && newest_activity(&bench.services).contains(".backup deleted"));
}

#[test]
fn a_folder_that_cannot_be_written_is_told_and_two_admins_do_not_overwrite_one_another() {
    let bench = bench();
    let nowhere = PlanInput { folder: "/nowhere/at/all".to_owned(), ..input("day", 1) };
    let refused = set_plan(&bench.services, &owner(), 0, &nowhere, Mode::Keep);
    assert!(matches!(refused, Err(ServiceError::Invalid(_))), "{refused:?}");
    let elsewhere = tempfile::tempdir().expect("a folder");
    let there = PlanInput { folder: elsewhere.path().display().to_string(), ..input("never", 1) };
    planned(&bench, &there);
    make(&bench.services, &owner(), Mode::Keep).expect("made");
    assert_eq!(fs::read_dir(elsewhere.path()).expect("a folder").count(), 1);
    assert!(matches!(set_plan(&bench.services, &owner(), 0, &there, Mode::Keep), Err(ServiceError::Conflict(_))));
    let daily = PlanInput { every: "day".to_owned(), ..there.clone() };
    planned(&bench, &daily);
    drop(elsewhere);
    assert!(told(&bench).is_some_and(|text| text.contains("cannot be used")));
    let refused = make(&bench.services, &owner(), Mode::Keep).expect_err("no folder").to_string();
    assert!(refused.contains(&there.folder) && refused.contains("No such file"), "with its cause: {refused}");
    assert!(tick(&bench.services).is_err() && list(&bench.services).is_err());
}

#[test]
fn a_clock_that_was_ahead_ends_no_backups_and_costs_none() {
    let bench = bench();
    planned(&bench, &input("day", 2));
    let right: Timestamp = "2026-11-22T12:00:00Z".parse().expect("a time");
    for days in [400, 401, 402] {
        bench.clock.jump_to(right + SignedDuration::from_hours(24 * days));
        tick(&bench.services).expect("made");
    }
    let ahead = times(&bench);
    assert_eq!(ahead.len(), 2);
    bench.clock.jump_to(right);
    let made = make(&bench.services, &owner(), Mode::Keep).expect("made");
    assert!(verify_kept(&bench.services, &owner(), &made.name).is_ok(), "what is answered is there");
    assert!(told(&bench).is_some_and(|text| text.contains("2 backups are dated in the future")), "{:?}", told(&bench));
    let bench = bench.restarted();
    for days in 0..4 {
        bench.clock.jump_to(right + SignedDuration::from_hours(24 * days) + SignedDuration::from_mins(1));
        tick(&bench.services).expect("made");
    }
    let all = times(&bench);
    assert_eq!(all[..2], ahead[..], "they stay until somebody deletes them");
    assert_eq!(all[2..], ["2026-11-25T12:01:00Z", "2026-11-24T12:01:00Z", "2026-11-22T12:00:00Z"]);
    assert_eq!(last_made(&bench.services).expect("known").map(|at| at.to_string()).as_deref(), Some("2026-11-25T12:01:00Z"));
}

#[test]
fn a_clock_that_is_put_back_while_the_server_runs_lets_the_next_backup_be_made() {
    let bench = bench();
    planned(&bench, &input("day", 2));
    let right = bench.clock.now();
    bench.clock.jump_to(right + SignedDuration::from_hours(24 * 400));
    let backups = bench.services.state_dir.backups();
    fs::remove_dir(&backups).expect("empty");
    fs::write(&backups, "in the way").expect("written");
    assert!(tick(&bench.services).is_err(), "a try that failed");
    fs::remove_file(&backups).expect("removed");
    bench.clock.jump_to(right);
    tick(&bench.services).expect("made");
    assert_eq!(times(&bench), ["2026-11-22T12:00:00Z"]);
    bench.clock.jump_to(Timestamp::UNIX_EPOCH + SignedDuration::from_hours(5));
    tick(&bench.services).expect("made");
    bench.clock.jump_to(right);
    make(&bench.services, &owner(), Mode::Keep).expect("made");
    make(&bench.services, &owner(), Mode::Keep).expect("made");
    assert_eq!(list(&bench.services).expect("listed").len(), 4, "none replaces another of the same second");
}

#[test]
fn keep_counts_and_removes_only_what_the_plan_made() {
    let bench = bench();
    planned(&bench, &input("day", 2));
    tick_at(&bench, "2026-11-22T12:01:00Z");
    for minute in 2..6 {
        bench.clock.advance_to(format!("2026-11-22T12:0{minute}:00Z").parse().expect("a time"));
        make(&bench.services, &owner(), Mode::Keep).expect("made");
    }
    let by_plan = || {
        let kept = list(&bench.services).expect("listed");
        (kept.len(), kept.into_iter().filter(|one| one.is_planned).map(|one| one.at.to_string()).collect::<Vec<_>>())
    };
    assert_eq!(by_plan(), (5, vec!["2026-11-22T12:01:00Z".to_owned()]));
    tick_at(&bench, "2026-11-23T01:00:00Z");
    tick_at(&bench, "2026-11-24T01:00:00Z");
    assert_eq!(by_plan(), (6, vec!["2026-11-24T01:00:00Z".to_owned(), "2026-11-23T01:00:00Z".to_owned()]));
}

#[test]
fn no_backup_goes_into_the_state_and_none_among_the_certificates_goes_into_a_backup() {
    let bench = bench();
    let certificates = bench.services.state_dir.certificates();
    for folder in [certificates.clone(), bench.services.state_dir.root().join("logs/../blobs")] {
        let inside = PlanInput { folder: folder.display().to_string(), ..input("day", 1) };
        let refused = set_plan(&bench.services, &owner(), 0, &inside, Mode::Keep).expect_err("refused");
        let ServiceError::Invalid(errors) = refused else { panic!("{refused:?}") };
        assert!(errors.iter().any(|error| error.field == "folder" && error.message.contains("state directory")), "{errors:?}");
    }
    let first = make(&bench.services, &owner(), Mode::Keep).expect("made");
    let there = bench.services.state_dir.backups().join(&first.name);
    fs::copy(&there, certificates.join(&first.name)).expect("copied");
    fs::copy(&there, certificates.join("other-name")).expect("copied");
    fs::write(certificates.join("pdms-20261122T020000Z.backup"), vec![0; 3_000_000]).expect("a damaged one");
    let second = make(&bench.services, &owner(), Mode::Keep).expect("made");
    let members = verify_kept(&bench.services, &owner(), &second.name).expect("whole").members;
    assert!(members.iter().all(|member| !member.name.contains("backup") && !member.name.contains("other")), "{members:?}");
    let faults = crate::services::check::faults(&bench.services, None, None).expect("checked");
    assert_eq!(faults.iter().filter(|text| text.contains("is a backup in the folder of certificates")).count(), 3, "{faults:?}");
    fs::write(certificates.join("chain.pem"), vec![b'x'; 3_000_000]).expect("written");
    let told = make(&bench.services, &owner(), Mode::Keep).expect_err("it could not be restored").to_string();
    assert!(told.contains("chain.pem is larger"), "{told}");
}
