//! What people do about those who were not let in, on a real store.

use std::net::IpAddr;

use super::*;
use crate::domain::device::Device;
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::domain::run::Reason;
use crate::domain::testing::device;
use crate::domain::trust::{Admitted, Knock, RightKind};
use crate::services::commit::commit;
use crate::services::testing::{Bench, bench, newest_activity, owner};

const DEVICE: &str = "0004f2aa0001";
const STRANGER: &str = "0004f2aa0002";
const THIRD: &str = "0004f2aa0003";
const FROM: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 2, 5));
const SOMEBODY_ELSE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 6, 6, 6));

fn key(text: &str) -> DeviceKey {
    text.parse().expect("a key")
}

/// A device, and somebody who was refused for a reason.
fn refused(reason: Reason, text: &str) -> Bench {
    let bench = bench();
    let made = Device { model: Some("VVX 411".to_owned()), ..device(DEVICE) };
    let put = |change: &mut Change<'_>| change.put_device(made.clone());
    commit(&bench.services, crate::domain::access::Grant::system("test"), DEFAULT_ACCOUNT, put).expect("added");
    knock(&bench, reason, text);
    bench
}

fn knock(bench: &Bench, reason: Reason, text: &str) {
    knock_from(bench, reason, text, FROM);
}

fn knock_from(bench: &Bench, reason: Reason, text: &str, address: IpAddr) {
    let at = bench.clock.now();
    bench.services.trusts(DEFAULT_ACCOUNT).learn(&key(text), |trust| trust.refused(Knock::new(at, reason, address, "VVX 411")));
}

fn act_on_one(bench: &Bench, deed: Deed, text: &str) -> Result<Outcome, ServiceError> {
    act(&bench.services, &owner(), DEFAULT_ACCOUNT, deed, &[key(text)], Mode::Keep)
}

fn shown<const N: usize>(seen: [(&str, Seen); N]) -> Shown {
    seen.into_iter().map(|(text, seen)| (key(text), seen)).collect()
}

fn trust(bench: &Bench, text: &str) -> Trust {
    Trust::clone(&bench.services.trusts(DEFAULT_ACCOUNT).of(&key(text)))
}

#[test]
fn a_click_gives_whoever_waits_the_right_from_where_it_waits_and_is_recorded_and_kept() {
    for (reason, text, kind, action) in [
        (Reason::NotApproved, STRANGER, RightKind::LetIn, "let in"),
        (Reason::FactoryCredentials, STRANGER, RightKind::Adopt, "adopted"),
        (Reason::Bound, DEVICE, RightKind::LetIn, "let in to be bound again"),
        (Reason::OtherPlace, DEVICE, RightKind::LetIn, "let in"),
    ] {
        let bench = refused(reason, text);
        act_on_one(&bench, Deed::LetIn, text).expect("let in");
        assert_eq!(newest_activity(&bench.services), format!("ada: device {text} {action}; from - -> 10.0.2.5"));
        let bench = bench.restarted();
        let right = trust(&bench, text).right.expect("a right");
        assert_eq!((right.address, right.kind, right.by.as_str()), (FROM, kind, "ada"), "{reason:?}");
    }
}

#[test]
fn whoever_knocks_after_the_page_was_made_is_not_let_in_by_its_click() {
    let bench = refused(Reason::Bound, DEVICE);
    let seen = shown([(DEVICE, FROM.into())]).pointed_at();
    knock_from(&bench, Reason::Bound, DEVICE, SOMEBODY_ELSE);
    let click =
        |shown: &Shown| act_as_shown(&bench.services, &owner(), DEFAULT_ACCOUNT, Deed::LetIn, &[key(DEVICE)], shown, Mode::Keep);
    let error = click(&seen).expect_err("another address").to_string();
    assert!(error.contains("from 10.6.6.6 too") && error.contains("Look at Pending again"), "{error}");
    assert!(click(&Shown::default()).is_err(), "nothing was shown");
    assert_eq!(trust(&bench, DEVICE).right, None);
    assert!(click(&shown([(DEVICE, SOMEBODY_ELSE.into())]).pointed_at()).is_err(), "and the phone was not shown");
}

#[test]
fn of_two_who_wait_for_one_key_the_one_is_let_in_that_is_pointed_at_and_by_no_click_for_many() {
    let bench = refused(Reason::Bound, DEVICE);
    knock_from(&bench, Reason::FactoryCredentials, DEVICE, SOMEBODY_ELSE);
    knock(&bench, Reason::NotApproved, STRANGER);
    let both = |address, other| shown([(DEVICE, Seen { address, elsewhere: vec![other] }), (STRANGER, FROM.into())]).pointed_at();
    let click = |keys: &[DeviceKey], shown: &Shown| {
        act_as_shown(&bench.services, &owner(), DEFAULT_ACCOUNT, Deed::LetIn, keys, shown, Mode::Keep)
    };
    let many = click(&[key(DEVICE), key(STRANGER)], &both(SOMEBODY_ELSE, FROM)).expect("one of them");
    assert_eq!(many.done, [Done { key: key(STRANGER), action: "let in", address: Some(FROM) }]);
    let why = &many.left[0].1;
    assert!(why.contains("10.6.6.6 and 10.0.2.5") && why.contains("the right address"), "{why}");
    assert_eq!(trust(&bench, DEVICE).right, None);
    for (address, other, kind, action) in [
        (FROM, SOMEBODY_ELSE, RightKind::LetIn, "let in to be bound again; from - -> 10.0.2.5"),
        (SOMEBODY_ELSE, FROM, RightKind::Adopt, "adopted; from 10.0.2.5 -> 10.6.6.6"),
    ] {
        let done = click(&[key(DEVICE)], &both(address, other)).expect("it waits there").done;
        assert_eq!(done[0].address, Some(address));
        assert_eq!(trust(&bench, DEVICE).right.map(|right| (right.address, right.kind)), Some((address, kind)));
        assert_eq!(newest_activity(&bench.services), format!("ada: device {DEVICE} {action}"));
    }
    bench
        .services
        .trusts(DEFAULT_ACCOUNT)
        .learn(&key(DEVICE), |trust| trust.let_in(Timestamp::UNIX_EPOCH, FROM, Admitted::Own(0)));
    let gone = click(&[key(DEVICE)], &both(FROM, SOMEBODY_ELSE)).expect_err("it came in").to_string();
    assert!(gone.contains("does not wait at 10.0.2.5 any more, but at 10.6.6.6"), "{gone}");
}

#[test]
fn the_bar_for_ticked_rows_points_at_nobody_were_it_one_row() {
    let bench = refused(Reason::Bound, DEVICE);
    knock_from(&bench, Reason::Bound, DEVICE, SOMEBODY_ELSE);
    let seen = shown([(DEVICE, Seen { address: SOMEBODY_ELSE, elsewhere: vec![FROM] })]);
    let click =
        |shown: &Shown| act_as_shown(&bench.services, &owner(), DEFAULT_ACCOUNT, Deed::LetIn, &[key(DEVICE)], shown, Mode::Keep);
    let error = click(&seen).expect_err("two ask").to_string();
    assert!(error.contains("by the button of the right address") && trust(&bench, DEVICE).right.is_none(), "{error}");
    click(&seen.pointed_at()).expect("that one is pointed at");
    assert!(act_on_one(&bench, Deed::LetIn, DEVICE).is_err(), "nor does a program that looked at nothing");
}

fn stranger(number: u8) -> IpAddr {
    [10, 6, 7, number].into()
}

#[test]
fn whoever_has_chosen_among_several_is_not_held_up_by_those_who_come_meanwhile() {
    let bench = refused(Reason::FactoryCredentials, DEVICE);
    let click = |shown: &Shown| {
        let shown = shown.clone().pointed_at();
        act_as_shown(&bench.services, &owner(), DEFAULT_ACCOUNT, Deed::LetIn, &[key(DEVICE)], &shown, Mode::TryOut)
    };
    let alone = shown([(DEVICE, FROM.into())]);
    knock_from(&bench, Reason::FactoryCredentials, DEVICE, stranger(1));
    let chosen = shown([(DEVICE, Seen { address: FROM, elsewhere: vec![stranger(1)] })]);
    for number in 2..100 {
        knock_from(&bench, Reason::FactoryCredentials, DEVICE, stranger(number));
    }
    assert!(click(&alone).is_err(), "who saw no contest looks once more");
    assert_eq!(click(&chosen).expect("chosen").done[0].address, Some(FROM));
    let pushed_out = shown([(DEVICE, Seen { address: stranger(90), elsewhere: vec![FROM] })]);
    assert_eq!(click(&pushed_out).expect("it was shown").done[0].address, Some(stranger(90)));
    let never_shown_beside = shown([(DEVICE, stranger(90).into())]);
    assert!(click(&never_shown_beside).is_err());
    let learn = |fact: fn(&mut Trust)| bench.services.trusts(DEFAULT_ACCOUNT).learn(&key(DEVICE), fact);
    learn(|trust| trust.let_in(Timestamp::UNIX_EPOCH, FROM, Admitted::Own(0)));
    assert!(click(&chosen).is_err(), "it came in by itself");
    learn(Trust::forget_knocks);
    assert!(click(&pushed_out).is_err(), "nobody waits");
}

#[test]
fn what_anybody_may_do_holds_up_no_click_for_the_shared_credentials() {
    let bench = refused(Reason::NotApproved, STRANGER);
    knock(&bench, Reason::NotApproved, THIRD);
    let drawn = shown([STRANGER, THIRD].map(|text| (text, FROM.into())));
    for text in [STRANGER, THIRD] {
        knock_from(&bench, Reason::FactoryCredentials, text, SOMEBODY_ELSE);
    }
    let keys = [key(STRANGER), key(THIRD)];
    let done =
        act_as_shown(&bench.services, &owner(), DEFAULT_ACCOUNT, Deed::LetIn, &keys, &drawn, Mode::Keep).expect("both").done;
    assert!(done.len() == 2 && done.iter().all(|one| one.address == Some(FROM)), "{done:?}");
}

#[test]
fn somebody_with_the_shared_credentials_is_not_passed_over_by_a_click_for_who_has_none() {
    let bench = refused(Reason::FactoryCredentials, STRANGER);
    let drawn = shown([(STRANGER, FROM.into())]);
    knock_from(&bench, Reason::NotApproved, STRANGER, SOMEBODY_ELSE);
    for shown in [drawn.clone(), drawn.pointed_at()] {
        let click = act_as_shown(&bench.services, &owner(), DEFAULT_ACCOUNT, Deed::LetIn, &[key(STRANGER)], &shown, Mode::Keep);
        let error = click.expect_err("it was not shown").to_string();
        assert!(error.contains("10.6.6.6 too, which was not shown"), "{error}");
    }
}

/// Somebody blocks the second of two that another one is about to let in.
#[test]
fn letting_in_never_lifts_a_block_whether_the_phone_has_asked_since_or_not() {
    for has_asked in [true, false] {
        let bench = refused(Reason::NotApproved, STRANGER);
        knock(&bench, Reason::NotApproved, THIRD);
        act_on_one(&bench, Deed::Block, THIRD).expect("blocked");
        if has_asked {
            knock(&bench, Reason::Blocked, THIRD);
        }
        let shown = shown([STRANGER, THIRD].map(|text| (text, FROM.into())));
        let click =
            |keys: &[DeviceKey]| act_as_shown(&bench.services, &owner(), DEFAULT_ACCOUNT, Deed::LetIn, keys, &shown, Mode::Keep);
        let outcome = click(&[key(STRANGER), key(THIRD)]).expect("one of them");
        assert_eq!(outcome.done, [Done { key: key(STRANGER), action: "let in", address: Some(FROM) }]);
        assert!(
            matches!(&outcome.left[..], [(left, why)] if *left == key(THIRD) && why.contains("is blocked; unblock it first"))
        );
        let error = click(&[key(THIRD)]).expect_err("blocked").to_string();
        assert!(error.contains("is blocked; unblock it first"), "{error}");
        assert!(
            bench.services.world(DEFAULT_ACCOUNT).expect("set up").blocked.contains(&key(THIRD))
                && trust(&bench, THIRD).right.is_none()
        );
        if !has_asked {
            let error = act_on_one(&bench, Deed::Dismiss, THIRD).expect_err("not listed").to_string();
            assert!(error.contains("somebody decided about it"), "{error}");
        }
    }
}

#[test]
fn another_model_is_let_in_as_what_it_tells() {
    let bench = refused(Reason::ModelChanged, DEVICE);
    act_on_one(&bench, Deed::LetIn, DEVICE).expect("let in");
    let known = bench.services.roster(DEFAULT_ACCOUNT).find(&key(DEVICE)).expect("a device");
    assert_eq!((known.device.model.as_deref(), trust(&bench, DEVICE).right.is_some()), (None, true));
}

#[test]
fn nobody_is_let_in_whom_no_click_helps_and_the_words_say_what_does() {
    let bench = refused(Reason::CredentialsWrong, STRANGER);
    let error = act_on_one(&bench, Deed::LetIn, STRANGER).expect_err("wrong credentials").to_string();
    assert!(error.contains("wrong user name or password") && error.contains("Enter the shared credentials"), "{error}");
    assert!(act_on_one(&bench, Deed::LetIn, "0004f2aa0003").is_err(), "nobody knocked");
}

#[test]
fn of_several_those_are_taken_that_can_be_and_the_others_are_named() {
    let bench = refused(Reason::NotApproved, STRANGER);
    let keys = [key(STRANGER), key(DEVICE), key(STRANGER)];
    let both = |deed| act(&bench.services, &owner(), DEFAULT_ACCOUNT, deed, &keys, Mode::Keep);
    let Err(ServiceError::Invalid(wrong)) = both(Deed::Unblock) else { panic!("none of them is blocked") };
    assert_eq!(wrong.iter().map(|error| error.item).collect::<Vec<_>>(), [Some(0), Some(1)]);
    let outcome = both(Deed::LetIn).expect("one waits");
    assert_eq!(outcome.done, [Done { key: key(STRANGER), action: "let in", address: Some(FROM) }]);
    assert!(matches!(&outcome.left[..], [(left, why)] if *left == key(DEVICE) && why.contains("not waiting")), "{outcome:?}");
    assert!(trust(&bench, STRANGER).right.is_some() && trust(&bench, DEVICE).right.is_none());
    knock(&bench, Reason::OtherPlace, DEVICE);
    assert_eq!(both(Deed::LetIn).expect("both wait").done.len(), 2);
}

#[test]
fn a_key_is_blocked_and_unblocked_and_a_device_is_not_cut_off_by_it() {
    let bench = refused(Reason::NotApproved, STRANGER);
    act_on_one(&bench, Deed::Block, STRANGER).expect("blocked");
    assert!(bench.services.world(DEFAULT_ACCOUNT).expect("set up").blocked.contains(&key(STRANGER)));
    assert!(act_on_one(&bench, Deed::Block, STRANGER).is_err() && act_on_one(&bench, Deed::Block, DEVICE).is_err());
    knock(&bench, Reason::Blocked, STRANGER);
    assert_eq!(list(&bench.services, DEFAULT_ACCOUNT)[0].standing, Standing::Blocked);
    assert_eq!(list(&bench.services, DEFAULT_ACCOUNT)[0].offer().map(Deed::of), Some(Deed::Unblock));
    act_on_one(&bench, Deed::Unblock, STRANGER).expect("unblocked");
    assert!(bench.services.world(DEFAULT_ACCOUNT).expect("set up").blocked.is_empty());
    assert_eq!(newest_activity(&bench.services), format!("ada: device {STRANGER} unblocked"));
    knock(&bench, Reason::Blocked, STRANGER);
    let error = act_on_one(&bench, Deed::LetIn, STRANGER).expect_err("a request from before").to_string();
    assert!(error.contains("is not any more"), "{error}");
}

#[test]
fn a_bound_device_is_unbound_or_expected_back_and_only_a_device_is() {
    let bench = refused(Reason::Bound, DEVICE);
    let now = bench.clock.now();
    bench.services.trusts(DEFAULT_ACCOUNT).learn(&key(DEVICE), |trust| trust.bound_at = Some(now));
    act_on_one(&bench, Deed::Expect, DEVICE).expect("expected");
    assert!(trust(&bench, DEVICE).is_expected(now));
    act_on_one(&bench, Deed::Unbind, DEVICE).expect("unbound");
    let known = trust(&bench, DEVICE);
    assert_eq!((known.bound_at, known.knock), (None, None));
    for deed in [Deed::Expect, Deed::Unbind, Deed::ConfirmModel] {
        assert!(act_on_one(&bench, deed, STRANGER).is_err(), "{deed:?}");
    }
    assert!(act_on_one(&bench, Deed::Unbind, DEVICE).is_err(), "it is not bound");
}

#[test]
fn what_waits_is_counted_and_leaves_the_list_when_it_is_dismissed() {
    let bench = refused(Reason::NotApproved, STRANGER);
    knock(&bench, Reason::CredentialsWrong, DEVICE);
    let counts = |bench: &Bench| (list(&bench.services, DEFAULT_ACCOUNT).len(), waiting(&bench.services, DEFAULT_ACCOUNT));
    assert_eq!(counts(&bench), (2, 1));
    act_on_one(&bench, Deed::Dismiss, STRANGER).expect("dismissed");
    assert_eq!(counts(&bench), (1, 0));
    assert!(act_on_one(&bench, Deed::Dismiss, STRANGER).is_err());
}

#[test]
fn the_window_is_opened_and_closed() {
    let bench = bench();
    let set = |open, mode| set_window(&bench.services, &owner(), DEFAULT_ACCOUNT, open, mode).expect("set");
    let is_open = || bench.services.world(DEFAULT_ACCOUNT).expect("set up").account.admission.window_opened_at.is_some();
    assert!(set(true, Mode::TryOut).is_some() && !is_open());
    let until = set(true, Mode::Keep).expect("open");
    assert!(is_open() && until.duration_since(bench.clock.now()).as_mins() == 30);
    assert!(set(false, Mode::Keep).is_none() && !is_open());
    assert_eq!(newest_activity(&bench.services), "ada: account default closed to new phones");
}
