//! Words and colours that several pages share.

use jiff::Timestamp;

use crate::domain::device::{Device, DeviceKey, Origin};
use crate::domain::device_list::{LastResult, Status};
use crate::domain::parameter;
use crate::domain::run::verdict::Outcome;

/// A time as files for spreadsheets have it: UTC, to the second.
pub fn file_time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// A number as people read it: 1,234.
pub fn number(number: &usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Page sizes that lists offer.
pub const PAGE_SIZES: &[usize] = &[25, 50, 100, 200];

/// The colour that repeats what a badge's word says: ending of its style class.
pub trait Tone {
    /// `ok`, `warn`, `bad`, `info` or `off`.
    fn tone(self) -> &'static str;
}

impl Tone for Status {
    fn tone(self) -> &'static str {
        match self {
            Self::Online => "ok",
            Self::Offline => "bad",
            Self::NeverSeen => "off",
        }
    }
}

impl Tone for LastResult {
    fn tone(self) -> &'static str {
        match self {
            Self::Success => "ok",
            Self::Failed => "bad",
            Self::None => "off",
        }
    }
}

impl Tone for Outcome {
    fn tone(self) -> &'static str {
        match self {
            Self::Complete => "ok",
            Self::Held => "warn",
            Self::Failed => "bad",
            Self::UnderWay => "info",
            Self::Neutral => "off",
        }
    }
}

/// The word of a run's outcome.
pub fn outcome(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Complete => "Complete",
        Outcome::Held => "Held",
        Outcome::Failed => "Failed",
        Outcome::UnderWay => "Under way",
        Outcome::Neutral => "Nothing fetched",
    }
}

/// What a device is called: its name, or its key where it has none.
pub fn title(device: &Device) -> String {
    device.name.as_ref().map_or_else(|| device.key.to_string(), ToString::to_string)
}

/// How a device came in (R228).
pub fn origin(origin: &Origin) -> &'static str {
    match origin {
        Origin::Automatic => "At its first contact",
        Origin::Manual => "By hand",
    }
}

/// A text cut to a number of characters, with a mark where it was cut.
pub fn shortened(text: &str, chars: usize) -> String {
    match text.char_indices().nth(chars) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

/// A size as people read it.
pub fn size(bytes: u64) -> String {
    const UNITS: &[&str] = &["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1_024 {
        return format!("{bytes} B");
    }
    let power = ((bytes.ilog2() / 10) as usize).min(UNITS.len());
    let tenths = (u128::from(bytes) * 10) >> (10 * power);
    let unit = UNITS[power - 1];
    if tenths < 1_000 { format!("{}.{} {unit}", tenths / 10, tenths % 10) } else { format!("{} {unit}", tenths / 10) }
}

/// `1 device`, `2 devices`.
pub fn count(number: usize, one: &str, several: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {several}") }
}

/// What a device's key is.
pub fn key_label(key: &DeviceKey) -> &'static str {
    match key {
        DeviceKey::Mac(_) => "MAC address",
        DeviceKey::Serial(_) => "Serial number",
    }
}

/// One line of a list of facts.
pub struct Fact {
    /// What it is.
    pub label: &'static str,
    /// What is known.
    pub value: FactValue,
}

/// What is known of something, or why nothing is (R244).
pub enum FactValue {
    /// A text.
    Text(String),
    /// A text to take elsewhere.
    Copy(String),
    /// A time.
    Time(Timestamp),
    /// Nothing, for this reason.
    Unknown(&'static str),
}

impl Fact {
    /// A fact that may be unknown.
    pub fn new(label: &'static str, value: Option<FactValue>, unknown: &'static str) -> Self {
        Self { label, value: value.unwrap_or(FactValue::Unknown(unknown)) }
    }
}

/// A parameter's value as it may be shown: masked, and long ones cut.
pub struct Shown {
    /// The value or its beginning.
    pub text: String,
    /// The whole of a long one, as far as a list needs it.
    pub rest: String,
    /// It is a secret: the text is its mask.
    pub secret: bool,
}

impl Shown {
    /// Characters of a value that stand in a list at once.
    const AT_ONCE: usize = 100;
    /// Characters that can be opened there: pages stay small whatever a profile holds.
    const AT_MOST: usize = 3_000;

    /// A value that may be shown as far as its name allows.
    pub fn of(name: &str, value: &str) -> Self {
        let masked = parameter::masked(name, value);
        let secret = parameter::is_secret(name) && !value.is_empty();
        let line = masked.lines().next().unwrap_or_default();
        if masked.chars().nth(Self::AT_ONCE).is_none() && line.len() == masked.len() {
            return Self { text: masked.into_owned(), rest: String::new(), secret };
        }
        let text = line.chars().take(Self::AT_ONCE).collect();
        Self { text, rest: shortened(&masked, Self::AT_MOST), secret }
    }

    /// A value that is not there.
    pub fn absent() -> Self {
        Self { text: String::new(), rest: String::new(), secret: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_told_in_the_largest_unit_that_fits() {
        let told: Vec<String> = [0, 1_023, 1_024, 1_536, 102_400, 1_048_576, 5_368_709_120].into_iter().map(size).collect();
        assert_eq!(told, ["0 B", "1023 B", "1.0 KiB", "1.5 KiB", "100 KiB", "1.0 MiB", "5.0 GiB"]);
    }

    #[test]
    fn a_secret_never_reaches_a_page_and_a_long_value_only_in_part() {
        let secret = Shown::of("reg.1.auth.password", "canary");
        assert!(secret.secret && !secret.text.contains("canary") && secret.rest.is_empty());
        let certificate = Shown::of("device.sec.TLS.customCaCert1", &"MIIB\n".repeat(5_000));
        assert_eq!((certificate.text.as_str(), certificate.rest.chars().count()), ("MIIB", Shown::AT_MOST + 1));
    }

    #[test]
    fn a_long_text_is_cut_between_letters() {
        assert_eq!(shortened("äöü", 2), "äö…");
        assert_eq!(shortened("äö", 2), "äö");
    }
}
