//! Who is waited for in a rollover, and that nobody is called ready who could be lost.

use proptest::prelude::*;

use super::*;
use crate::domain::run::Reason;
use crate::domain::trust::{Bootstrap, Knock};

fn mark(digit: char) -> CaMark {
    CaMark::of(&vec![digit.to_string().repeat(2); 32].join(":")).expect("a fingerprint")
}

fn now() -> Timestamp {
    "2026-11-22T12:00:00Z".parse().expect("a time")
}

fn days_ago(days: i64) -> Timestamp {
    now() - SignedDuration::from_hours(24 * days)
}

fn standing(trust: &Trust, seen: Option<i64>, stage: Stage) -> Standing {
    let candidate = Candidate { trust, last_seen: seen.map(days_ago), is_device: true, is_blocked: false, place_taken: false };
    candidate.standing(stage, mark('B'), now())
}

fn with(takeover: Takeover) -> Trust {
    Trust { takeover, ..Trust::default() }
}

#[test]
fn a_mark_is_the_beginning_of_a_fingerprint_and_is_written_as_its_digits() {
    assert_eq!(mark('A').to_string(), "aaaaaaaaaaaaaaaa");
    assert_eq!(serde_json::to_string(&mark('B')).expect("JSON"), "\"bbbbbbbbbbbbbbbb\"");
    assert_eq!(serde_json::from_str::<CaMark>("\"bbbbbbbbbbbbbbbb\"").expect("a mark"), mark('B'));
    assert_eq!((CaMark::of("short"), CaMark::of("")), (None, None));
}

#[test]
fn the_server_waits_an_hour_after_each_step() {
    let at = |minutes: i64| now() + SignedDuration::from_mins(minutes);
    let mut rollover = Rollover { started_at: now(), by: "ada".to_owned(), next: String::new(), switched_at: None };
    assert_eq!([59, 60].map(|minutes| rollover.may_go_on(at(minutes))), [false, true]);
    rollover.switched_at = Some(at(60));
    assert_eq!([119, 120].map(|minutes| rollover.may_go_on(at(minutes))), [false, true]);
}

#[test]
fn a_device_of_the_last_90_days_is_waited_for_until_it_has_the_new_ca() {
    let none = Trust::default();
    assert_eq!(standing(&none, Some(89), Stage::Giving), Standing::Waits(Lag::NotFetched));
    assert_eq!(standing(&none, Some(90), Stage::Giving), Standing::Away(Lag::NotFetched));
    assert_eq!(standing(&none, None, Stage::Giving), Standing::Indifferent, "one that never came is given both when it does");
    let holds = with(Takeover { holds: Some(mark('B')), ..Takeover::default() });
    assert_eq!(standing(&holds, Some(1), Stage::Giving), Standing::Ready);
    assert_eq!(standing(&holds, Some(1), Stage::Moving), Standing::Waits(Lag::NotCome));
    let holds_another = with(Takeover { holds: Some(mark('C')), ..Takeover::default() });
    assert_eq!(standing(&holds_another, Some(1), Stage::Giving), Standing::Waits(Lag::NotFetched), "of a rollover before");
    let came = with(Takeover { came_under: Some(mark('B')), ..Takeover::default() });
    assert_eq!(standing(&came, Some(1), Stage::Moving), Standing::Ready);
    let came_before = with(Takeover { holds: Some(mark('B')), came_under: Some(mark('A')), ..Takeover::default() });
    assert_eq!(standing(&came_before, Some(1), Stage::Moving), Standing::Waits(Lag::NotCome));
}

#[test]
fn a_device_that_is_refused_lately_counts_as_there() {
    let address = "192.0.2.7".parse().expect("an address");
    let knock = Knock::new(now(), Reason::Blocked, address, "VVX");
    let trust = Trust { knock: Some(Box::new(knock)), ..Trust::default() };
    assert_eq!(standing(&trust, Some(200), Stage::Giving), Standing::Waits(Lag::NotFetched));
}

#[test]
fn who_comes_without_tls_needs_no_ca() {
    let trust = Trust { clear_text: true, ..Trust::default() };
    assert_eq!(standing(&trust, Some(1), Stage::Giving), Standing::Indifferent);
    assert_eq!(standing(&trust, Some(1), Stage::Moving), Standing::Indifferent);
}

#[test]
fn a_profile_that_fills_the_place_is_told_as_the_reason() {
    let trust = Trust::default();
    let candidate =
        Candidate { trust: &trust, last_seen: Some(days_ago(1)), is_device: true, is_blocked: false, place_taken: true };
    assert_eq!(candidate.standing(Stage::Giving, mark('B'), now()), Standing::Waits(Lag::PlaceTaken));
    assert_eq!(candidate.standing(Stage::Moving, mark('B'), now()), Standing::Waits(Lag::NotCome));
}

#[test]
fn a_phone_that_was_led_to_https_and_not_let_in_since_is_waited_for_before_the_switch() {
    let address = "192.0.2.7".parse().expect("an address");
    let bootstrap = |proven_at, moved_at| {
        let fetched_at = days_ago(1);
        Some(Box::new(Bootstrap { fetched_at, address, proven_at, moved_at, fault: None, stray_log: None }))
    };
    let stand = |trust: &Trust, stage| {
        Candidate { trust, last_seen: None, is_device: false, is_blocked: false, place_taken: false }.standing(
            stage,
            mark('B'),
            now(),
        )
    };
    for proven_at in [None, Some(days_ago(1))] {
        let not_told = Trust { bootstrap: bootstrap(proven_at, None), ..Trust::default() };
        assert_eq!(stand(&not_told, Stage::Giving), Standing::Indifferent, "it is still given everything over plain HTTP");
    }
    let mut led = Trust { bootstrap: bootstrap(Some(days_ago(1)), Some(days_ago(1))), ..Trust::default() };
    assert_eq!(stand(&led, Stage::Giving), Standing::Waits(Lag::OnItsWay));
    assert_eq!(
        stand(&led, Stage::Moving),
        Standing::Ready,
        "who did not fetch both is lost already, and the end changes nothing"
    );
    led.takeover.given(now(), Some(mark('B')));
    assert_eq!(stand(&led, Stage::Giving), Standing::Waits(Lag::OnItsWay), "nobody knows whether it got it");
    led.log_came(now(), address);
    assert_eq!(stand(&led, Stage::Giving), Standing::Ready);
}

/// Anybody can come so far under any MAC: it must neither last nor be renewed, and a person can end it.
#[test]
fn nobody_without_proof_holds_up_a_rollover() {
    let (here, there) = ("192.0.2.7".parse().expect("an address"), "192.0.2.8".parse().expect("an address"));
    let mut led = Trust::default();
    led.bootstrapped(days_ago(14), here);
    led.log_came(days_ago(14), here);
    led.moved(days_ago(14), here);
    let stand = |trust: &Trust, is_blocked| {
        let candidate = Candidate { trust, last_seen: None, is_device: false, is_blocked, place_taken: false };
        candidate.standing(Stage::Giving, mark('B'), now())
    };
    assert_eq!(stand(&led, false), Standing::Away(Lag::OnItsWay));
    led.bootstrapped(days_ago(1), here);
    led.moved(days_ago(1), here);
    led.refused(Knock::new(days_ago(1), Reason::CredentialsWrong, here, ""));
    assert_eq!(stand(&led, false), Standing::Away(Lag::OnItsWay), "asking again renews nothing");
    led.refused(Knock::new(days_ago(1), Reason::FactoryCredentials, here, ""));
    assert_eq!(stand(&led, false), Standing::Waits(Lag::OnItsWay), "it trusts us and waits to be let in");
    assert_eq!(stand(&led, true), Standing::Indifferent);
    led.bootstrapped(days_ago(1), there);
    led.takeover.given(days_ago(1), Some(mark('B')));
    led.log_came(days_ago(1), there);
    assert_eq!(
        stand(&led, false),
        Standing::Waits(Lag::OnItsWay),
        "what another one took says nothing of the one that was led here"
    );
    led.not_waited_for();
    assert_eq!(stand(&led, false), Standing::Indifferent);
    let away = Trust { knock: Some(Box::new(Knock::new(now(), Reason::CameOverHttp, here, "").bare())), ..Trust::default() };
    assert_eq!(standing(&away, Some(200), Stage::Giving), Standing::Away(Lag::NotFetched), "anybody can name it over plain HTTP");
}

/// What happens to a phone while it is waited for.
#[derive(Clone, Copy, Debug)]
enum Happening {
    /// It asks for its file; `whole`: it gets all of it; `taken`: a profile fills the place.
    Fetches { whole: bool, taken: bool },
    /// The run ends.
    RunEnds { complete: bool },
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        (any::<bool>(), any::<bool>()).prop_map(|(whole, taken)| Happening::Fetches { whole, taken }),
        any::<bool>().prop_map(|complete| Happening::RunEnds { complete }),
    ]
}

proptest! {
    /// A run is complete only if its last file came whole: what the server cannot know otherwise.
    #[test]
    fn whoever_is_called_ready_has_the_new_ca(happenings in prop::collection::vec(happening(), 0..40)) {
        let (mut takeover, mut has_next, mut last_whole, mut began) = (Takeover::default(), false, true, now());
        for (step, one) in happenings.into_iter().enumerate() {
            let at = now() + SignedDuration::from_secs(i64::try_from(step).expect("few") + 1);
            match one {
                Happening::Fetches { whole, taken } => {
                    takeover.given(at, (!taken).then(|| mark('B')));
                    last_whole = whole;
                    if whole {
                        has_next = !taken;
                    }
                }
                Happening::RunEnds { complete } => {
                    let complete = complete && last_whole;
                    takeover.run_ended(EndedRun { started_at: began, ended_at: at, complete, followed: complete, boot: true, own: true, back: false });
                    began = at;
                }
            }
            let trust = with(takeover.clone());
            let ready = standing(&trust, Some(0), Stage::Giving) == Standing::Ready;
            prop_assert!(!ready || has_next, "{takeover:?}");
        }
    }
}
