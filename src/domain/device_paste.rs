//! Keys of devices as people paste them from a list or a spreadsheet: MAC addresses in any usual notation and serial numbers, one or
//! several on a line (R99, R107).

use std::collections::BTreeSet;

use super::device::DeviceKey;
use super::field_error::FieldErrors;

/// Lines that are told as wrong; the rest are counted.
const TOLD: usize = 50;

/// The devices that a text names. Lines are counted as they stand in it, from one.
///
/// # Errors
/// Of the field `keys`: every line with something that is no key, or that names a device that `is_known` does not know.
pub fn read(text: &str, is_known: impl Fn(&DeviceKey) -> bool) -> Result<BTreeSet<DeviceKey>, FieldErrors> {
    let mut keys = BTreeSet::new();
    let mut wrong = Vec::new();
    for (line, number) in text.lines().zip(1_usize..) {
        let parts = line.split([',', ';', '\t']).map(|part| part.trim().trim_matches('"')).filter(|part| !part.is_empty());
        for part in parts {
            match part.parse::<DeviceKey>() {
                Err(error) => wrong.push(format!("line {number}: “{}”: {error}", part.chars().take(40).collect::<String>())),
                Ok(key) if !is_known(&key) => wrong.push(format!("line {number}: there is no device {key}; add it first")),
                Ok(key) => drop(keys.insert(key)),
            }
        }
    }
    let mut errors = FieldErrors::new();
    for message in wrong.iter().take(TOLD) {
        errors.add("keys", message);
    }
    if wrong.len() > TOLD {
        errors.add("keys", format_args!("and {} more that are no device here", wrong.len() - TOLD));
    }
    if wrong.is_empty() && keys.is_empty() {
        errors.add("keys", "paste at least one MAC address or serial number");
    }
    errors.into_result(Some(keys))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Vec<String> {
        let known = |key: &DeviceKey| key.to_string() != "0004f2000009";
        read(text, known).expect_err("wrong").iter().map(|error| error.message.clone()).collect()
    }

    #[test]
    fn any_notation_and_separator_is_read_and_what_stands_twice_counts_once() {
        let text = "00:04:f2:00:00:01\r\n0004.f200.0002, 0004F2000003;\"0004f2000001\"\n\n8218404c20ccf9\t";
        let keys: Vec<_> = read(text, |_| true).expect("good").iter().map(ToString::to_string).collect();
        assert_eq!(keys, ["0004f2000001", "0004f2000002", "0004f2000003", "8218404c20ccf9"]);
    }

    #[test]
    fn every_wrong_line_is_told_with_its_number() {
        let told = told("0004f2000001\n\nhall\n0004f2000002, 0004f2000009\n00:00:00:00:00:00");
        assert_eq!(told.len(), 3);
        assert!(told[0].starts_with("line 3: “hall”: enter a MAC address"), "{told:?}");
        assert_eq!(told[1], "line 4: there is no device 0004f2000009; add it first");
        assert!(told[2].starts_with("line 5:"), "{told:?}");
    }

    #[test]
    fn nothing_and_very_much_that_is_wrong_are_told_briefly() {
        assert_eq!(told(" \n,").len(), 1);
        let many = told(&"no key\n".repeat(1_000));
        assert_eq!((many.len(), many[TOLD].as_str()), (TOLD + 1, "and 950 more that are no device here"));
    }
}
