//! Which passwords people may choose: length and a list of words that are guessed first, no rules of signs (ADM-02).

use std::fmt;

use super::limits::{PASSWORD_BYTES, PASSWORD_CHARS};

/// Words that are guessed first, in lower case. A password that is one of them with digits and signs around is refused.
const GUESSED: &[&str] = &[
    "password",
    "passwort",
    "passwords",
    "motdepasse",
    "contrasena",
    "qwerty",
    "qwertyuiop",
    "qwertz",
    "asdfghjkl",
    "letmein",
    "welcome",
    "willkommen",
    "iloveyou",
    "administrator",
    "admin",
    "owner",
    "root",
    "changeme",
    "changemenow",
    "secret",
    "default",
    "test",
    "testing",
    "poly",
    "polycom",
    "plantronics",
    "polycompolycom",
    "plcmspip",
    "pdms",
    "vvx",
    "trio",
    "soundpoint",
    "provisioning",
    "provision",
    "phone",
    "phones",
    "telephone",
    "abc",
    "abcdef",
    "abcdefgh",
    "abcdefghijkl",
    "football",
    "monkey",
    "dragon",
    "sunshine",
    "princess",
    "master",
    "superman",
    "summer",
    "winter",
    "spring",
    "autumn",
    "sommer",
    "company",
];

/// Why a password cannot be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordError {
    /// Fewer than [`PASSWORD_CHARS`] characters.
    Short,
    /// More than [`PASSWORD_BYTES`] bytes.
    Long,
    /// A word of the list, with digits and signs around it at most.
    Guessed,
    /// The person's own name or address.
    Own,
    /// One character or a short piece over and over.
    Repeated,
}

impl fmt::Display for PasswordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Short => write!(f, "a password has at least {PASSWORD_CHARS} characters; a few words are easy to remember"),
            Self::Long => write!(f, "a password has at most {PASSWORD_BYTES} bytes"),
            Self::Guessed => f.write_str(
                "this password is among the first that are guessed; take a few words that have nothing to do with phones",
            ),
            Self::Own => f.write_str("this password is made of your own name or e-mail; take a few other words"),
            Self::Repeated => f.write_str("this password repeats itself; take a few words"),
        }
    }
}

impl std::error::Error for PasswordError {}

/// Checks a password that a person with this name and e-mail chose.
pub fn check(password: &str, name: &str, email: &str) -> Result<(), PasswordError> {
    if password.chars().count() < PASSWORD_CHARS {
        return Err(PasswordError::Short);
    }
    if password.len() > PASSWORD_BYTES {
        return Err(PasswordError::Long);
    }
    let folded = password.to_lowercase();
    let letters: String = folded.chars().filter(|c| c.is_alphabetic()).collect();
    if letters.is_empty() && folded.chars().all(|c| c.is_ascii_digit()) || GUESSED.contains(&letters.as_str()) {
        return Err(PasswordError::Guessed);
    }
    let own = [name, email, email.split('@').next().unwrap_or_default()];
    let own = own.iter().map(|text| text.to_lowercase().chars().filter(|c| c.is_alphabetic()).collect::<String>());
    if own.into_iter().any(|text| !text.is_empty() && text == letters) {
        return Err(PasswordError::Own);
    }
    // A short word over and over is no better with signs between.
    if repeats(&folded) || (letters.chars().count() >= 8 && repeats(&letters)) {
        return Err(PasswordError::Repeated);
    }
    Ok(())
}

/// Whether a text is a piece of at most four characters over and over.
fn repeats(text: &str) -> bool {
    let chars: Vec<char> = text.chars().collect();
    (1..=4).any(|piece| chars.iter().zip(chars.iter().skip(piece)).all(|(a, b)| a == b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(password: &str) -> Result<(), PasswordError> {
        check(password, "Ada Example", "ada.example@example.test")
    }

    #[test]
    fn long_enough_and_not_guessed_is_all_that_is_asked() {
        for good in [
            "four unhurried words",
            "pässwörter mit umlaut",
            "🐎🔋📎🐎🔋📎 right horse",
            "correct-horse-battery",
            &"long words ".repeat(20),
        ] {
            assert_eq!(of(good), Ok(()), "{good}");
        }
    }

    #[test]
    fn what_is_guessed_first_is_refused() {
        for bad in ["password1234", "polycom123456", "PDMS-2026-2026", "Passwort!!!!", "123456789012", "PlcmSpIp2026"] {
            assert_eq!(of(bad), Err(PasswordError::Guessed), "{bad}");
        }
        assert_eq!(of("seven77"), Err(PasswordError::Short));
        assert_eq!(of("ada.example1"), Err(PasswordError::Own));
        assert_eq!(of("xyzxyzxyzxyzxyz"), Err(PasswordError::Repeated));
        assert_eq!(of("pdms-pdms-pdms"), Err(PasswordError::Repeated));
        assert_eq!(of(&"x".repeat(PASSWORD_BYTES + 1)), Err(PasswordError::Long));
    }
}
