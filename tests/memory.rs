//! What is held of each device (P8: at most 3 KiB, with everything that a fleet costs besides). Counted by sizes, so that no other
//! load of the machine matters; every place that few devices need costs a pointer.

use std::collections::BTreeSet;

use pdms::domain::device::{Device, DeviceKey, Sighting};
use pdms::domain::trust::Trust;

/// What a boxed value and its neighbours cost besides their bytes: two counts, and the step to the next size of the allocator.
const SHARED: usize = 16;

fn allocated(bytes: usize) -> usize {
    (bytes + SHARED) + (bytes + SHARED) / 8
}

#[test]
fn p8_a_device_that_booted_is_held_in_little_more_than_a_kilobyte() {
    let values = allocated(size_of::<Trust>()) + allocated(size_of::<Device>()) + allocated(size_of::<Sighting>());
    // Two maps by key, full to seven eighths at best and half that at worst.
    let maps = 2 * 2 * (size_of::<DeviceKey>() + size_of::<[usize; 8]>());
    // Name, family, model, two versions and three groups.
    let texts = 5 * 16 + 32;
    assert!(size_of::<Trust>() <= 448, "Trust has {} bytes: box what few keys have", size_of::<Trust>());
    assert!(values + maps + texts <= 1_700, "{values} + {maps} + {texts} bytes");
}

#[test]
fn a_fleet_shares_the_text_of_the_address_that_it_came_by() {
    let mut known = BTreeSet::new();
    let mut came = |url: &str| {
        let mut trust = Trust::default();
        trust.came_by(url);
        trust.share_address(&mut known);
        trust.address_used.expect("it came")
    };
    let (first, second, other) = (came("https://pdms.test:8443"), came("https://pdms.test:8443"), came("https://10.0.0.1:8443"));
    assert!(std::sync::Arc::ptr_eq(&first, &second) && !std::sync::Arc::ptr_eq(&first, &other));
}
