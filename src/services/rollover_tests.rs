//! What is refused before any CA is made, and how the devices that are waited for are named.

use super::*;
use crate::services::testing::{bench, owner};

#[test]
fn without_a_private_ca_there_is_nothing_to_replace() {
    let bench = bench();
    let services = &bench.services;
    let state = state(services).expect("readable");
    assert!(state.obstacle().is_some_and(|words| words.contains("no private CA")));
    for step in [Step::Start, Step::Switch, Step::End, Step::Cancel] {
        let refused = take(services, &owner(), step, true, Mode::Keep);
        assert!(matches!(refused, Err(ServiceError::Conflict(_))), "{step}");
    }
    assert_eq!(state.lines(), ["rollover\tnone"]);
}

#[test]
fn a_list_names_a_few_and_counts_the_rest() {
    let one = |number: usize| Waiting {
        key: format!("0004f2{number:06x}").parse().expect("a key"),
        label: format!("Phone {number}"),
        lag: Lag::NotFetched,
        last_seen: None,
    };
    assert_eq!(names(&[one(1), one(2)]), "Phone 1, Phone 2");
    let many: Vec<_> = (0..13).map(one).collect();
    assert!(names(&many).ends_with("Phone 9 and 3 more"), "{}", names(&many));
    assert!(lost(&many).starts_with("13 devices are not ready"));
}
