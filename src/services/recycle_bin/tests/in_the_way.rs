//! What is in the way of restoring: names that are taken, devices that are there again, what is gone itself, and others who were faster.

use super::*;

#[test]
fn a_device_that_is_there_again_or_blocked_since_stays_in_the_bin_and_is_told() {
    let bench = small();
    let services = &bench.services;
    commit(services, Grant::system("test"), DEFAULT_ACCOUNT, |change| change.put_device(testing::device(&key(2).to_string())))
        .expect("stored");
    let both = delete(&bench, 0, &[1, 2]).expect("deleted");
    services.roster(DEFAULT_ACCOUNT).admit(testing::device(&key(1).to_string()));
    let restored = undo(&bench, &[both]).expect("the other one comes back");
    assert_eq!(restored.objects, [(Kind::Device, key(2).to_string())]);
    assert!(restored.left_out[0].contains("delete it first"), "{:?}", restored.left_out);
    let left = list(services, DEFAULT_ACCOUNT).expect("listed").remove(0);
    assert_eq!((left.objects(), left.names), (1, vec![key(1).to_string()]));
    let refused = undo(&bench, &[both]).expect_err("nothing can come back").to_string();
    assert!(refused.contains("there is a device 0004f2000001 by now"), "{refused}");
    let second = delete(&bench, 0, &[1]).expect("deleted and blocked");
    let refused = undo(&bench, &[both]).expect_err("blocked since").to_string();
    assert!(refused.contains("unblock it first"), "{refused}");
    undo(&bench, &[second]).expect("its own block goes with it");
}

#[test]
fn a_name_that_is_taken_asks_for_another_one() {
    let bench = small();
    let services = &bench.services;
    let before = state(&bench);
    let deletion = delete(&bench, 1, &[1, 2]).expect("deleted");
    let taken = crate::domain::profile::Profile { name: name("PROFILE 1"), ..testing::profile(9, &[]) };
    commit(services, Grant::system("test"), DEFAULT_ACCOUNT, |change| change.put_profile(taken)).expect("stored");
    let Err(ServiceError::Invalid(errors)) = undo(&bench, &[deletion]) else { panic!("the name is taken") };
    let error = errors.iter().next().expect("an error");
    assert_eq!((error.item, error.field), (Some(0), "name"));
    assert!(error.message.contains("choose another name"), "{}", error.message);
    let restore = |name: &str| {
        let names = Names::from([((deletion, 1), name.to_owned())]);
        restore(services, &owner(), DEFAULT_ACCOUNT, &[deletion.into()], &names, Mode::Keep)
    };
    assert!(matches!(restore("a/b"), Err(ServiceError::Invalid(_))), "a name has rules");
    restore("Profile one").expect("restored");
    let after = state(&bench);
    assert_eq!(after.devices, before.devices);
    assert_eq!(after.profiles[0].name.as_str(), "Profile one");
}

#[test]
fn what_is_gone_itself_is_left_out_and_said() {
    let bench = small();
    let services = &bench.services;
    let group = delete(&bench, 2, &[1]).expect("deleted");
    let profile = delete(&bench, 1, &[1]).expect("deleted");
    let device = delete(&bench, 0, &[1, 4]).expect("deleted");
    let restored = undo(&bench, &[group]).expect("restored");
    assert_eq!(restored.left_out, ["1 device that hung on it is gone itself"]);
    let restored = undo(&bench, &[device]).expect("restored");
    assert_eq!(restored.left_out, Vec::<String>::new());
    let deletion = delete(&bench, 0, &[1, 4]).expect("deleted");
    purge(services, &owner(), DEFAULT_ACCOUNT, &BTreeSet::from([profile]), Mode::Keep).expect("purged");
    assert_eq!(newest_activity(services), "ada: recycle bin profile 1 deleted for good");
    delete(&bench, 1, &[2]).expect("deleted");
    let restored = undo(&bench, &[deletion]).expect("restored");
    assert_eq!(restored.left_out, ["1 profile that was attached is gone"]);
}

#[test]
fn a_network_that_another_site_claims_meanwhile_is_told() {
    let bench = small();
    let deletion = delete(&bench, 3, &[2]).expect("deleted");
    commit(&bench.services, Grant::system("test"), DEFAULT_ACCOUNT, |change| {
        change.put_site(Site { name: name("Potsdam"), ..site(9, "10.1.0.0/16") })
    })
    .expect("stored");
    let restored = undo(&bench, &[deletion]).expect("restored");
    assert_eq!(restored.left_out.len(), 1, "{:?}", restored.left_out);
    assert!(restored.left_out[0].contains("10.1.0.0/16") && restored.left_out[0].contains("Potsdam"), "{:?}", restored.left_out);
}

#[test]
fn some_of_a_deletion_can_come_back_and_nobody_restores_twice() {
    let bench = small();
    let services = &bench.services;
    let deletion = delete(&bench, 1, &[1, 2, 3]).expect("deleted");
    let one = Wanted { deletion, objects: Some(BTreeSet::from([2])) };
    let of =
        |wanted: &Wanted, mode| restore(services, &owner(), DEFAULT_ACCOUNT, std::slice::from_ref(wanted), &Names::new(), mode);
    of(&one, Mode::TryOut).expect("tried out");
    let restored = of(&one, Mode::Keep).expect("restored");
    assert_eq!(restored.objects, [(Kind::Profile, "profile 2".to_owned())]);
    let refused = of(&one, Mode::Keep).expect_err("somebody else was faster").to_string();
    assert!(refused.contains("not in the recycle bin any more"), "{refused}");
    let (left, items) = get(services, DEFAULT_ACCOUNT, deletion).expect("still there");
    assert_eq!((left.objects(), items.iter().map(|item| item.number).collect::<Vec<_>>()), (2, vec![1, 3]));
    undo(&bench, &[deletion]).expect("the others");
    assert!(matches!(undo(&bench, &[deletion]), Err(ServiceError::Absent(_))));
}
