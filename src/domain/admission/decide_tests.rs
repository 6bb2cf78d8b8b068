//! Each sentence of contract 4 that says who gets in, as a test.

use jiff::{SignedDuration, Timestamp};

use super::super::super::testing::device;
use super::super::super::trust::{EndedRun, Knock, OwnRuns, Right, RightKind};
use super::*;

#[path = "decide_factory_tests.rs"]
mod factory;

const HOME: &str = "10.0.1.5";
const SAME_SUBNET: &str = "10.0.1.77";
const ELSEWHERE: &str = "10.0.2.5";
const MAC: &str = "0004f2aa0001";
const OTHER: &str = "0004f2aa0002";

fn now() -> Timestamp {
    Timestamp::from_second(1_795_000_000).expect("a time within the range")
}

fn ago(hours: i64) -> Timestamp {
    now() - SignedDuration::from_hours(hours)
}

fn rules() -> Rules {
    Rules {
        first_contact: FirstContact::Open,
        binds: true,
        requires_certificate: false,
        nearby: Nearby::default(),
        window: None,
        shared_generation: 3,
        former_until: None,
    }
}

const PRESENT: SharedPassword = SharedPassword { generation: 3, is_former: false };
const FORMER: SharedPassword = SharedPassword { generation: 2, is_former: true };
const SHARED: Admitted = Admitted::Shared(3);

/// One device, what is known of it, and the rules: changed by each test, then asked.
struct Case {
    device: Option<Device>,
    trust: Trust,
    rules: Rules,
    is_blocked: bool,
    is_at_its_site: bool,
    model: Option<&'static str>,
}

impl Case {
    /// A device that came at its first contact and was served at home.
    fn admitted() -> Self {
        let trust = Trust {
            first_heard: Some(ago(100)),
            served_at: Some(ago(100)),
            home: Some(ip(HOME)),
            last_address: Some(ip(HOME)),
            ..Trust::default()
        };
        Self { device: Some(device(MAC)), trust, rules: rules(), is_blocked: false, is_at_its_site: false, model: None }
    }

    /// The same device, bound.
    fn bound() -> Self {
        let mut case = Self::admitted();
        case.trust.own = OwnRuns { complete: 2, boot: true };
        case.trust.bound_at = Some(ago(50));
        case
    }

    /// A key that nothing is known of.
    fn unknown() -> Self {
        Self { device: None, trust: Trust::default(), ..Self::admitted() }
    }

    /// A device that was added beforehand, so many days ago, and never came.
    fn staged(days: i64) -> Self {
        let mut staged = device(MAC);
        (staged.origin, staged.added_at) = (Origin::Manual, ago(24 * days));
        Self { device: Some(staged), ..Self::unknown() }
    }

    fn policy(mut self, policy: FirstContact) -> Self {
        self.rules.first_contact = policy;
        self
    }

    fn right(mut self, kind: RightKind, address: &str, hours_ago: i64) -> Self {
        self.trust.right = Some(Box::new(Right { address: ip(address), given_at: ago(hours_ago), by: "Ann".to_owned(), kind }));
        self
    }

    fn ask(&self, proof: Proof, address: &str) -> Decision {
        self.ask_for(MAC, proof, address)
    }

    fn ask_for(&self, path: &str, proof: Proof, address: &str) -> Decision {
        let asked = key(path);
        let visitor = Visitor { proof, key: Some(&asked), address: ip(address), channel: Channel::Tls, model: self.model };
        self.decide(&visitor)
    }

    fn decide(&self, visitor: &Visitor<'_>) -> Decision {
        let known = Known {
            device: self.device.as_ref(),
            is_blocked: self.is_blocked,
            trust: &self.trust,
            is_at_its_site: self.is_at_its_site,
        };
        decide(visitor, known, &self.rules, now())
    }
}

fn key(text: &str) -> DeviceKey {
    text.parse().expect("a device key")
}

fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

fn own() -> Proof {
    Proof::Own(key(MAC), 0)
}

fn certificate() -> Proof {
    Proof::Certificate(MAC.parse().expect("a MAC"))
}

#[test]
fn without_credentials_or_with_wrong_ones_everybody_gets_the_same() {
    for case in [Case::admitted(), Case::bound(), Case::unknown(), Case::staged(1)] {
        assert_eq!(case.ask(Proof::Missing, HOME), Decision::Refuse(Reason::CredentialsMissing));
        assert_eq!(case.ask(Proof::Wrong, HOME), Decision::Refuse(Reason::CredentialsWrong));
    }
}

#[test]
fn proof_of_its_own_opens_everything_of_that_device_from_everywhere() {
    for case in [Case::admitted(), Case::bound(), Case::staged(30)] {
        assert_eq!(case.ask(own(), ELSEWHERE), Decision::Serve(Admitted::Own(0)));
        assert_eq!(case.ask(certificate(), ELSEWHERE), Decision::Serve(Admitted::Certificate));
    }
}

#[test]
fn proof_of_one_device_opens_no_other() {
    for case in [Case::admitted(), Case::bound(), Case::unknown()] {
        for proof in [own(), certificate()] {
            assert_eq!(case.ask_for(OTHER, proof, HOME), Decision::Refuse(Reason::OfAnotherDevice));
        }
    }
}

#[test]
fn credentials_and_certificate_together_name_one_device_or_nobody() {
    let shows = |mac: &str| Presented::Verified(mac.parse().expect("a MAC"));
    let (asked, both) = (key(MAC), own().with(&shows(MAC), Some(&key(MAC))));
    assert_eq!(both, Proof::Both(MAC.parse().expect("a MAC"), 0));
    let mut case = Case::bound();
    case.rules.requires_certificate = true;
    assert_eq!(case.ask(both.clone(), ELSEWHERE), Decision::Serve(Admitted::Own(0)), "its credentials go on to bind it");
    let new = Case::unknown().policy(FirstContact::Certificate);
    assert_eq!(new.ask(both, HOME), Decision::Add(Admitted::Own(0)));
    let torn = own().with(&shows(OTHER), Some(&asked));
    assert_eq!((torn.device(), torn.is_worthless()), (None, true));
    assert_eq!(Case::bound().ask(torn, HOME), Decision::Refuse(Reason::OfAnotherDevice));
    for less in [Proof::Missing, Proof::Wrong, Proof::Shared(PRESENT), Proof::FactoryDefault] {
        assert_eq!(less.clone().with(&shows(MAC), Some(&asked)), certificate());
        assert_eq!(less.clone().with(&Presented::Nothing, Some(&asked)), less);
    }
}

#[test]
fn a_device_that_goes_by_its_serial_number_is_not_kept_out_by_the_mac_in_its_certificate() {
    let (serial, mac) = (key("8L1234567890CF"), Presented::Verified(MAC.parse().expect("a MAC")));
    assert_eq!(Proof::Shared(PRESENT).with(&mac, Some(&serial)), Proof::Shared(PRESENT));
    assert_eq!(Proof::Own(serial.clone(), 0).with(&mac, Some(&serial)), Proof::Own(serial, 0));
}

#[test]
fn a_path_that_names_nobody_is_the_named_devices() {
    let visitor = Visitor { proof: own(), key: None, address: ip(HOME), channel: Channel::Tls, model: None };
    assert_eq!(Case::bound().decide(&visitor), Decision::Serve(Admitted::Own(0)));
}

#[test]
fn credentials_that_were_taken_away_are_wrong_and_newer_ones_than_we_know_are_right() {
    let mut case = Case::bound();
    case.trust.renew();
    assert_eq!(case.ask(own(), HOME), Decision::Serve(Admitted::Own(0)), "the new ones were not seen yet");
    case.trust.let_in(now(), ip(HOME), Admitted::Own(1));
    assert_eq!(case.ask(own(), HOME), Decision::Refuse(Reason::CredentialsWrong));
    assert_eq!(case.ask(Proof::Own(key(MAC), 4), HOME), Decision::Serve(Admitted::Own(4)), "we were restored from a copy");
}

#[test]
fn a_bound_device_is_closed_to_the_shared_credentials_from_every_address() {
    for address in [HOME, SAME_SUBNET, ELSEWHERE, "127.0.0.1"] {
        assert_eq!(Case::bound().ask(Proof::Shared(PRESENT), address), Decision::Hold(Reason::Bound));
        assert_eq!(Case::bound().ask(Proof::FactoryDefault, address), Decision::Hold(Reason::Bound));
    }
}

#[test]
fn where_the_account_does_not_bind_the_shared_credentials_go_on() {
    let mut case = Case::bound();
    case.rules.binds = false;
    assert_eq!(case.ask(Proof::Shared(PRESENT), HOME), Decision::Serve(SHARED));
}

#[test]
fn one_click_lets_a_bound_device_in_from_that_address_for_25_hours() {
    let case = Case::bound().right(RightKind::LetIn, ELSEWHERE, 24);
    assert_eq!(case.ask(Proof::Shared(PRESENT), ELSEWHERE), Decision::Serve(SHARED));
    assert_eq!(case.ask(Proof::FactoryDefault, ELSEWHERE), Decision::Serve(Admitted::FactoryDefault));
    assert_eq!(case.ask(Proof::Shared(PRESENT), HOME), Decision::Hold(Reason::Bound));
    let late = Case::bound().right(RightKind::LetIn, ELSEWHERE, 25);
    assert_eq!(late.ask(Proof::Shared(PRESENT), ELSEWHERE), Decision::Hold(Reason::Bound));
}

#[test]
fn that_click_ends_with_one_complete_run() {
    let mut case = Case::bound().right(RightKind::LetIn, HOME, 1);
    let run =
        EndedRun { started_at: ago(0), ended_at: now(), complete: false, followed: true, boot: true, own: false, back: false };
    case.trust.run_ended(now(), run);
    assert_eq!(case.ask(Proof::Shared(PRESENT), HOME), Decision::Serve(SHARED));
    case.trust.run_ended(now(), EndedRun { complete: true, ..run });
    assert_eq!(case.ask(Proof::Shared(PRESENT), HOME), Decision::Hold(Reason::Bound));
}

#[test]
fn an_expected_device_comes_back_from_where_it_was_within_a_day() {
    for proof in [Proof::Shared(PRESENT), Proof::FactoryDefault] {
        let mut case = Case::bound();
        case.trust.expect(ago(23));
        assert!(matches!(case.ask(proof.clone(), SAME_SUBNET), Decision::Serve(_)));
        assert_eq!(case.ask(proof.clone(), ELSEWHERE), Decision::Hold(Reason::Bound));
        case.trust.expect(ago(24));
        assert_eq!(case.ask(proof, HOME), Decision::Hold(Reason::Bound));
    }
}

#[test]
fn a_site_is_one_place() {
    let at_its_site = |case: Case| Case { is_at_its_site: true, ..case };
    let admitted = at_its_site(Case::admitted());
    assert_eq!(admitted.ask(Proof::Shared(PRESENT), ELSEWHERE), Decision::Serve(Admitted::Shared(PRESENT.generation)));
    for proof in [Proof::Shared(PRESENT), Proof::FactoryDefault] {
        let mut bound = at_its_site(Case::bound());
        assert_eq!(bound.ask(proof.clone(), ELSEWHERE), Decision::Hold(Reason::Bound));
        bound.trust.expect(ago(23));
        assert!(matches!(bound.ask(proof, ELSEWHERE), Decision::Serve(_)));
    }
}

#[test]
fn that_day_ends_with_a_complete_run_that_it_let_in_and_with_no_other() {
    let mut case = Case::bound();
    case.trust.expect(ago(2));
    let own =
        EndedRun { started_at: ago(1), ended_at: ago(1), complete: true, followed: true, boot: true, own: true, back: false };
    let back = EndedRun { own: false, back: true, ..own };
    for says_nothing in [own, EndedRun { complete: false, ..back }, EndedRun { started_at: ago(3), ..back }] {
        case.trust.run_ended(now(), says_nothing);
        assert_eq!(case.ask(Proof::FactoryDefault, HOME), Decision::Serve(Admitted::FactoryDefault), "{says_nothing:?}");
    }
    case.trust.run_ended(now(), back);
    assert_eq!(case.ask(Proof::FactoryDefault, HOME), Decision::Hold(Reason::Bound));
}

#[test]
fn only_who_is_let_in_by_nothing_else_comes_as_expected() {
    let comes = |case: &Case, proof: Proof, address: &str| {
        let asked = key(MAC);
        let visitor = Visitor { proof, key: Some(&asked), address: ip(address), channel: Channel::Tls, model: None };
        let known = Known { device: case.device.as_ref(), is_blocked: false, trust: &case.trust, is_at_its_site: false };
        comes_as_expected(&visitor, known, &case.rules, now())
    };
    let mut bound = Case::bound();
    assert!(!comes(&bound, Proof::Shared(PRESENT), HOME));
    bound.trust.expect(ago(1));
    assert!(comes(&bound, Proof::Shared(PRESENT), HOME) && comes(&bound, Proof::FactoryDefault, HOME));
    assert!(!comes(&bound, own(), HOME), "its own open it anyway");
    let mut admitted = Case::admitted();
    admitted.trust.expect(ago(1));
    assert!(!comes(&admitted, Proof::Shared(PRESENT), HOME), "the shared credentials open it anyway");
    assert!(comes(&admitted, Proof::FactoryDefault, HOME));
}

#[test]
fn two_complete_runs_with_its_own_credentials_one_of_them_a_boot_bind_a_device() {
    let run =
        |complete, boot, own| EndedRun { started_at: now(), ended_at: now(), complete, followed: true, boot, own, back: false };
    let bound_after = |runs: &[EndedRun]| {
        let mut trust = Trust::default();
        runs.iter().filter(|run| trust.run_ended(now(), **run)).count() == 1 && trust.bound_at.is_some()
    };
    assert!(bound_after(&[run(true, true, true), run(true, false, true)]));
    assert!(bound_after(&[run(true, false, true), run(true, false, true), run(true, true, true)]));
    assert!(!bound_after(&[run(true, false, true), run(true, false, true)]), "no boot");
    assert!(!bound_after(&[run(true, true, true), run(false, true, true)]), "one was not complete");
    assert!(!bound_after(&[run(true, true, false), run(true, true, false)]), "it never took its credentials up");
}

#[test]
fn the_shared_credentials_open_an_admitted_device_at_home_only() {
    assert_eq!(Case::admitted().ask(Proof::Shared(PRESENT), HOME), Decision::Serve(SHARED));
    assert_eq!(Case::admitted().ask(Proof::Shared(PRESENT), SAME_SUBNET), Decision::Serve(SHARED));
    assert_eq!(Case::admitted().ask(Proof::Shared(PRESENT), ELSEWHERE), Decision::Hold(Reason::OtherPlace));
    let moved = Case::admitted().right(RightKind::LetIn, ELSEWHERE, 1);
    assert_eq!(moved.ask(Proof::Shared(PRESENT), ELSEWHERE), Decision::Serve(SHARED));
}

#[test]
fn a_staged_device_has_seven_days_from_its_adding_or_from_expect_now() {
    assert_eq!(Case::staged(6).ask(Proof::Shared(PRESENT), ELSEWHERE), Decision::Serve(SHARED));
    let mut late = Case::staged(7);
    assert_eq!(late.ask(Proof::Shared(PRESENT), HOME), Decision::Hold(Reason::StagedTooLong));
    late.trust.expect(ago(24 * 6));
    assert_eq!(late.ask(Proof::Shared(PRESENT), HOME), Decision::Serve(SHARED));
}

#[test]
fn a_staged_device_whose_model_is_known_must_tell_it() {
    let mut case = Case::staged(1);
    case.device = case.device.map(|device| Device { model: Some("VVX 411".to_owned()), ..device });
    assert_eq!(case.ask(Proof::Shared(PRESENT), HOME), Decision::Hold(Reason::ModelChanged), "it tells none");
    case.model = Some("VVX 411");
    assert_eq!(case.ask(Proof::Shared(PRESENT), HOME), Decision::Serve(SHARED));
}

#[test]
fn phn_08_another_model_than_the_known_one_is_held_unless_it_proves_itself() {
    for mut case in [Case::admitted(), Case::staged(1)] {
        case.device = case.device.map(|device| Device { model: Some("VVX 411".to_owned()), ..device });
        case.model = Some("Trio 8800");
        assert_eq!(case.ask(Proof::Shared(PRESENT), HOME), Decision::Hold(Reason::ModelChanged));
        assert_eq!(case.ask(own(), HOME), Decision::Serve(Admitted::Own(0)));
        case.model = Some("VVX 411");
        assert_eq!(case.ask(Proof::Shared(PRESENT), HOME), Decision::Serve(SHARED));
    }
}

#[test]
fn a_new_device_comes_in_by_the_policy() {
    let by = |policy, proof| Case::unknown().policy(policy).ask(proof, HOME);
    assert_eq!(by(FirstContact::Open, Proof::Shared(PRESENT)), Decision::Add(SHARED));
    assert_eq!(by(FirstContact::Approve, Proof::Shared(PRESENT)), Decision::Hold(Reason::NotApproved));
    assert_eq!(by(FirstContact::Staged, Proof::Shared(PRESENT)), Decision::Hold(Reason::NotStaged));
    assert_eq!(by(FirstContact::Certificate, Proof::Shared(PRESENT)), Decision::Hold(Reason::NotApproved));
    assert_eq!(by(FirstContact::Certificate, certificate()), Decision::Add(Admitted::Certificate));
    assert_eq!(by(FirstContact::Approve, certificate()), Decision::Hold(Reason::NotApproved));
    let approved = Case::unknown().policy(FirstContact::Approve).right(RightKind::LetIn, HOME, 1);
    assert_eq!(approved.ask(Proof::Shared(PRESENT), HOME), Decision::Add(SHARED));
}

#[test]
fn a_click_lets_in_a_device_that_was_deleted_and_comes_with_its_own_credentials() {
    for policy in [FirstContact::Approve, FirstContact::Staged] {
        let case = Case::unknown().policy(policy);
        assert!(matches!(case.ask(own(), HOME), Decision::Hold(_)));
        let clicked = Case::unknown().policy(policy).right(RightKind::LetIn, HOME, 1);
        assert_eq!(clicked.ask(own(), HOME), Decision::Add(Admitted::Own(0)));
        assert!(matches!(clicked.ask(own(), ELSEWHERE), Decision::Hold(_)));
    }
}

#[test]
fn what_a_deleted_device_leaves_opens_nothing_and_a_run_from_before_says_nothing_of_it() {
    let mut trust = Case::bound().trust;
    trust.renew();
    trust.knock = None;
    let mut left = trust.forgotten(now());
    let expected = Trust { generation: 1, deleted_at: Some(now()), ..Trust::default() };
    assert_eq!(left, expected);
    let run =
        EndedRun { started_at: ago(0), ended_at: now(), complete: true, followed: true, boot: true, own: true, back: false };
    assert!(!left.run_ended(now(), run) && !left.run_ended(now(), run));
    assert_eq!(left, expected);
    left.expire(now() + SignedDuration::from_hours(24 * 89));
    assert_eq!(left, expected);
    left.expire(now() + SignedDuration::from_hours(24 * 90));
    assert_eq!(left, Trust { generation: 1, ..Trust::default() });
}

#[test]
fn whoever_shows_nothing_that_counts_hides_no_reason() {
    let mut trust = Trust::default();
    trust.refused(Knock::new(ago(1), Reason::Bound, ip(HOME), "VVX 411"));
    trust.refused(Knock::new(now(), Reason::CredentialsWrong, ip(ELSEWHERE), ""));
    let reason = |trust: &Trust| trust.knock.as_ref().map(|knock| (knock.reason, knock.address));
    assert_eq!(reason(&trust), Some((Reason::Bound, ip(HOME))));
    trust.refused(Knock::new(now() + SignedDuration::from_hours(24), Reason::CredentialsWrong, ip(ELSEWHERE), ""));
    assert_eq!(reason(&trust), Some((Reason::CredentialsWrong, ip(ELSEWHERE))));
}

#[test]
fn misuse_is_worth_an_entry_once_an_hour() {
    let mut trust = Trust::default();
    let told: Vec<bool> = [ago(3), ago(3), ago(2), ago(2), ago(0)].into_iter().map(|at| trust.misused(at)).collect();
    assert_eq!(told, [true, false, true, false, true]);
}

#[test]
fn without_binding_a_former_password_opens_also_a_device_that_once_had_its_own() {
    let mut case = Case::admitted();
    (case.trust.own.complete, case.trust.shared_generation) = (2, Some(2));
    assert_eq!(case.ask(Proof::Shared(FORMER), HOME), Decision::Refuse(Reason::CredentialsWrong));
    case.rules.binds = false;
    assert_eq!(case.ask(Proof::Shared(FORMER), HOME), Decision::Serve(Admitted::Shared(2)));
}

#[test]
fn a_device_that_is_expected_may_come_back_with_the_former_password_for_as_long_as_unknown_ones_may() {
    let mut case = Case::bound();
    case.trust.expect(ago(1));
    assert_eq!(case.ask(Proof::Shared(FORMER), HOME), Decision::Refuse(Reason::CredentialsWrong));
    case.rules.former_until = Some(now() + SignedDuration::from_hours(1));
    assert_eq!(case.ask(Proof::Shared(FORMER), HOME), Decision::Serve(Admitted::Shared(2)));
}

#[test]
fn a_password_that_is_replaced_as_planned_opens_until_the_device_came_with_another_proof() {
    let mut case = Case::admitted();
    case.trust.shared_generation = Some(2);
    assert_eq!(case.ask(Proof::Shared(FORMER), HOME), Decision::Serve(Admitted::Shared(2)));
    case.trust.let_in(now(), ip(HOME), SHARED);
    assert_eq!(case.ask(Proof::Shared(FORMER), HOME), Decision::Refuse(Reason::CredentialsWrong));
    let mut unknown = Case::unknown();
    assert_eq!(unknown.ask(Proof::Shared(FORMER), HOME), Decision::Refuse(Reason::CredentialsWrong));
    unknown.rules.former_until = Some(now() + SignedDuration::from_hours(1));
    assert_eq!(unknown.ask(Proof::Shared(FORMER), HOME), Decision::Add(Admitted::Shared(2)));
}

#[test]
fn where_a_certificate_is_required_nothing_else_opens() {
    let mut case = Case::admitted();
    case.rules.requires_certificate = true;
    for proof in [Proof::Shared(PRESENT), Proof::FactoryDefault, own()] {
        assert_eq!(case.ask(proof, HOME), Decision::Hold(Reason::CertificateNeeded));
    }
    assert_eq!(case.ask(certificate(), ELSEWHERE), Decision::Serve(Admitted::Certificate));
}

#[test]
fn a_blocked_device_is_held_whatever_it_shows() {
    let mut case = Case::unknown();
    case.is_blocked = true;
    for proof in [Proof::Shared(PRESENT), Proof::FactoryDefault, own(), certificate()] {
        assert_eq!(case.ask(proof, HOME), Decision::Hold(Reason::Blocked));
    }
}

#[test]
fn nobody_in_particular_gets_what_is_for_everybody() {
    let visitor = |proof| Visitor { proof, key: None, address: ip(HOME), channel: Channel::Tls, model: None };
    assert_eq!(Case::unknown().decide(&visitor(Proof::Shared(PRESENT))), Decision::Nobody);
    assert_eq!(Case::unknown().decide(&visitor(Proof::FactoryDefault)), Decision::Hold(Reason::Unidentified));
}

#[test]
fn a_device_is_at_home_where_it_was_first_let_in_and_where_a_person_let_it_in_later() {
    let mut trust = Trust::default();
    trust.let_in(now(), ip(HOME), SHARED);
    trust.let_in(now(), ip(SAME_SUBNET), SHARED);
    assert_eq!((trust.home, trust.last_address), (Some(ip(HOME)), Some(ip(SAME_SUBNET))));
    trust.right = Some(Box::new(Right { address: ip(ELSEWHERE), given_at: now(), by: "Ann".to_owned(), kind: RightKind::LetIn }));
    trust.let_in(now(), ip(ELSEWHERE), SHARED);
    assert_eq!(trust.home, Some(ip(ELSEWHERE)));
}

#[test]
fn refusals_are_counted_until_it_is_let_in() {
    let mut trust = Trust::default();
    trust.refused(Knock::new(ago(2), Reason::NotApproved, ip(ELSEWHERE), "VVX 411"));
    trust.refused(Knock::new(now(), Reason::Bound, ip(ELSEWHERE), "VVX 411"));
    let knock = trust.knock.clone().expect("it was refused");
    assert_eq!((knock.first_at, knock.at, knock.times, knock.reason), (ago(2), now(), 2, Reason::Bound));
    trust.let_in(now(), ip(HOME), SHARED);
    assert!(trust.knock.is_some(), "who knocked elsewhere may be somebody else");
    trust.let_in(now(), ip(ELSEWHERE), Admitted::Own(0));
    assert_eq!(trust.knock, None);
}
