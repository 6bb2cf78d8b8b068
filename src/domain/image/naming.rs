//! What a package of software says by its names: its version, and the families of devices that it is for (protocol/provisioning.md 4.1).

use crate::domain::model::{Family, ModelTable};
use crate::domain::phone_file::is_part_number;
use crate::domain::software::SoftwareVersion;

/// Characters of a part number.
const PART_NUMBER_CHARS: usize = 14;
/// Fewest numbers of a version in a file's name: `5.9` alone may be anything, `5_9_8` is one.
const FEWEST_NUMBERS: usize = 3;
/// Most digits of one number of it: longer ones are dates and orders.
const NUMBER_DIGITS: usize = 6;

/// The version that a `sip.ver` tells: its first word. Old ones have more text behind it.
pub fn version_told(sip_ver: &str) -> Option<SoftwareVersion> {
    sip_ver.trim_start_matches('\u{feff}').split_whitespace().next()?.parse().ok()
}

/// The version in the name of a package: `Polycom-UC-Software-5.9.2-rts42`, `UC_Software_6_4_6_release`, `…-4-0-11-rts28`. All its
/// numbers stand between the same signs; a letter behind the last one, as in `3_2_4B`, is left away.
pub fn version_in_name(file: &str) -> Option<SoftwareVersion> {
    let starts = file.char_indices().filter(|(at, c)| {
        let before = file[..*at].chars().next_back();
        let is_first = c.is_ascii_digit() && before.is_none_or(|before| !before.is_ascii_alphanumeric() && before != '.');
        is_first && !file[*at..].get(..PART_NUMBER_CHARS).is_some_and(is_part_number)
    });
    let found = starts.filter_map(|(at, _)| ['.', '_', '-'].into_iter().find_map(|sign| numbers(&file[at..], sign)));
    found.filter(|numbers| numbers.len() >= FEWEST_NUMBERS).find_map(|numbers| numbers.join(".").parse().ok())
}

/// The numbers at the start of a text with this sign between them.
fn numbers(text: &str, sign: char) -> Option<Vec<&str>> {
    let mut numbers = Vec::new();
    for part in text.split(sign) {
        let digits = part.bytes().take_while(u8::is_ascii_digit).count();
        if !(1..=NUMBER_DIGITS).contains(&digits) {
            break;
        }
        numbers.push(&part[..digits]);
        if digits < part.len() {
            break;
        }
    }
    (numbers.len() >= FEWEST_NUMBERS).then_some(numbers)
}

/// The families that a package's name speaks of, by their names, other names and tokens: `Trio8800`, `CCX`, `spip_ssip_vvx`.
pub fn families_in_name(file: &str, models: &ModelTable) -> Vec<String> {
    let words = words(file);
    let found = models.families_with_software().filter(|family| names(family).iter().any(|name| is_spoken_of(name, &words)));
    found.map(|family| family.name.clone()).collect()
}

/// A family's names without blanks and signs, in lower case.
fn names(family: &Family) -> Vec<String> {
    let all = [&family.name].into_iter().chain(&family.aliases).chain(&family.prefixes);
    all.map(|name| words(name).concat()).filter(|name| !name.is_empty()).collect()
}

/// Runs of letters and digits, in lower case.
fn words(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_ascii_lowercase).collect()
}

/// Whether some words that follow one another are this name, perhaps with the number of a model behind it.
fn is_spoken_of(name: &str, words: &[String]) -> bool {
    (0..words.len()).any(|from| {
        let mut joined = String::new();
        words[from..].iter().any(|word| {
            joined.push_str(word);
            joined.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with(|c: char| c.is_ascii_digit()))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_the_first_word_of_sip_ver() {
        let told = |text| version_told(text).map(|version| version.to_string());
        assert_eq!(told("5.9.8.5760").as_deref(), Some("5.9.8.5760"));
        assert_eq!(told("\u{feff}4.0.11.0583 rts28 K 23-Aug-16\r\n").as_deref(), Some("4.0.11.0583"));
        assert_eq!((told(""), told("unknown 5.9.8")), (None, None));
    }

    #[test]
    fn names_of_real_packages_tell_their_version() {
        for (name, version) in [
            ("Polycom-UC-Software-5.9.2-rts42-release-sig-split.zip", Some("5.9.2")),
            ("UC_Software_6_4_6_release_sig_split.zip", Some("6.4.6")),
            ("Polycom-UC-Software-4-0-11-rts28-K-release-sig-split.zip", Some("4.0.11")),
            ("Poly_UC_Software_5.9.8_rts63_release_sig_combined.zip", Some("5.9.8")),
            ("Polycom_UC_Software_5_7_1_4133_AB_Trio8800_release.zip", Some("5.7.1.4133")),
            ("spip_ssip_vvx_3_2_4B_release_sig_split.zip", Some("3.2.4")),
            ("SoundPoint_IP_BootROM_4_4_0B_Upgrader_release_sig.zip", Some("4.4.0")),
            ("polycom-release-6.2.2-562024.tar", Some("6.2.2")),
            ("3111-44500-001.sip.ld", None),
            ("sip.ld", None),
            ("VVX411.zip", None),
        ] {
            assert_eq!(version_in_name(name).map(|version| version.to_string()).as_deref(), version, "{name}");
        }
    }
}
