//! Each sentence of contract 4 about the factory default and the window for new phones, as a test.

use super::*;

#[test]
fn the_factory_default_is_held_until_one_click_and_then_opens_from_that_address() {
    for case in [Case::unknown(), Case::staged(1), Case::admitted()] {
        assert_eq!(case.ask(Proof::FactoryDefault, HOME), Decision::Hold(Reason::FactoryCredentials));
    }
    let mut adopted = Case::staged(1).right(RightKind::Adopt, HOME, 24 * 30);
    assert_eq!(adopted.ask(Proof::FactoryDefault, HOME), Decision::Serve(Admitted::FactoryDefault));
    assert_eq!(adopted.ask(Proof::FactoryDefault, SAME_SUBNET), Decision::Hold(Reason::FactoryCredentials));
    adopted.trust.let_in(now(), ip(HOME), Admitted::Own(0));
    assert_eq!(adopted.ask(Proof::FactoryDefault, HOME), Decision::Hold(Reason::FactoryCredentials), "it came with its own");
    let unknown = Case::unknown().right(RightKind::Adopt, HOME, 1);
    assert_eq!(unknown.ask(Proof::FactoryDefault, HOME), Decision::Add(Admitted::FactoryDefault));
}

#[test]
fn the_factory_default_opens_nothing_over_plain_http_whoever_allowed_it() {
    let asked = key(MAC);
    let mut expected = Case::bound();
    expected.trust.expect(now());
    let mut window = Case::unknown();
    window.rules.window = Some((ago(0), now() + SignedDuration::from_mins(30)));
    for case in [expected, window, Case::unknown().right(RightKind::Adopt, HOME, 1)] {
        assert_ne!(case.ask(Proof::FactoryDefault, HOME), Decision::Hold(Reason::FactoryCredentials), "over TLS it is let in");
        let visitor = Visitor {
            proof: Proof::FactoryDefault,
            key: Some(&asked),
            address: ip(HOME),
            channel: Channel::ClearText,
            model: None,
        };
        assert_eq!(case.decide(&visitor), Decision::Hold(Reason::FactoryInClear));
    }
}

#[test]
fn the_window_hands_a_mac_at_one_address_and_takes_it_from_nobody() {
    let mut case = Case::unknown();
    case.rules.window = Some((ago(0), now() + SignedDuration::from_mins(30)));
    case.trust.let_in(now(), ip(HOME), Admitted::FactoryDefault);
    case.device = Some(device(MAC));
    assert_eq!(
        case.ask(Proof::FactoryDefault, ELSEWHERE),
        Decision::Hold(Reason::FactoryCredentials),
        "its master only was fetched"
    );
    assert_eq!(case.ask(Proof::FactoryDefault, HOME), Decision::Serve(Admitted::FactoryDefault));
}

#[test]
fn the_window_is_for_devices_never_served_and_first_heard_while_it_was_open() {
    let minutes = |minutes| ago(0) - SignedDuration::from_mins(minutes);
    let heard = |mut case: Case, at| {
        case.rules.window = Some((minutes(100), minutes(70)));
        case.trust.first_heard = Some(at);
        case.ask(Proof::FactoryDefault, HOME)
    };
    assert_eq!(heard(Case::unknown(), minutes(80)), Decision::Add(Admitted::FactoryDefault), "for four hours from then");
    assert_eq!(heard(Case::staged(1), minutes(100)), Decision::Serve(Admitted::FactoryDefault));
    for outside in [minutes(101), minutes(70), minutes(10)] {
        assert_eq!(heard(Case::unknown(), outside), Decision::Hold(Reason::FactoryCredentials));
    }
    assert_eq!(heard(Case::admitted(), minutes(80)), Decision::Hold(Reason::FactoryCredentials), "it was served before");
    let mut late = Case::unknown();
    late.rules.window = Some((minutes(250), minutes(220)));
    late.trust.first_heard = Some(minutes(240));
    assert_eq!(late.ask(Proof::FactoryDefault, HOME), Decision::Hold(Reason::FactoryCredentials), "four hours are over");
}

#[test]
fn a_phone_that_is_first_heard_while_the_window_is_open_comes_in_at_once_and_until_it_came_with_its_own() {
    let mut case = Case::unknown();
    case.rules.window = Some((ago(0), now() + SignedDuration::from_mins(30)));
    assert_eq!(case.ask(Proof::FactoryDefault, HOME), Decision::Add(Admitted::FactoryDefault));
    case.trust.let_in(now(), ip(HOME), Admitted::FactoryDefault);
    case.trust.served(now(), false);
    case.device = Some(device(MAC));
    assert_eq!(case.ask(Proof::FactoryDefault, HOME), Decision::Serve(Admitted::FactoryDefault), "the rest of its run");
    assert_eq!(case.ask(Proof::FactoryDefault, ELSEWHERE), Decision::Hold(Reason::FactoryCredentials));
    case.trust.let_in(now(), ip(HOME), Admitted::Own(0));
    assert_eq!(case.ask(Proof::FactoryDefault, HOME), Decision::Hold(Reason::FactoryCredentials));
}
