//! Standard profiles: recommended settings that come with the server, one feature each (R111–R114).
//!
//! They are read-only. Those that ask for something first are templates: they cannot be attached, only copied.

mod installed;
mod table;

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::Deserialize;

use super::field_error::FieldErrors;
use super::ids::ProfileId;
use super::names::Name;
use super::parameter::{ParameterName, ParameterSet, check_value};

pub use installed::{Installed, Upgrade};
pub use table::{Standard, StandardTable};

/// How the name of a template ends (R113).
pub const TEMPLATE_ENDING: &str = "-TEMPLATE";

/// Numbers of profiles from here on are those of standard ones; an account's own count from 1 and never come so far.
const FIRST_ID: u64 = 1 << 40;

/// Whether a number is that of a standard profile, of this version or another.
pub fn is_standard_id(id: ProfileId) -> bool {
    id.0 >= FIRST_ID
}

/// A standard profile, as its file has it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StandardProfile {
    /// Unique among them without regard to letter case.
    pub name: Name,
    /// Its own for ever: no other one has or will have it.
    pub number: u32,
    /// What it does and when to use it.
    pub description: String,
    /// Families that know its parameters; none: all.
    #[serde(default)]
    pub families: Vec<String>,
    /// The least software version that is known to know all of its parameters.
    #[serde(default)]
    pub least_version: Option<String>,
    /// What the choice of parameters and values rests on.
    pub source: String,
    /// How well that is known.
    pub confidence: Confidence,
    /// Its parameters, `.set` twins included.
    #[serde(default)]
    pub parameters: ParameterSet,
    /// What a template asks for.
    #[serde(default)]
    pub inputs: Vec<Input>,
}

/// How well it is known that a profile does what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Confidence {
    /// A document says so.
    Sourced,
    /// Common practice; no document was found.
    Usual,
}

/// One field of a template's form.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Its key in the form and in the API.
    pub name: String,
    /// What the form calls it.
    pub label: String,
    /// What the form says of it.
    pub help: String,
    /// The parameters that get its value.
    pub parameters: Vec<ParameterName>,
    /// What it takes.
    pub kind: InputKind,
    /// Whether it must be filled.
    pub required: bool,
    /// What an empty field becomes; without one its parameters are left out.
    #[serde(default)]
    pub default: Option<String>,
    /// Values that are not taken (R114).
    #[serde(default)]
    pub refused: Vec<String>,
    /// The values of a choice.
    #[serde(default)]
    pub choices: Vec<String>,
    /// Fewest characters.
    #[serde(default)]
    pub least_length: Option<usize>,
    /// Most characters.
    #[serde(default)]
    pub most_length: Option<usize>,
    /// Least number.
    #[serde(default)]
    pub min: Option<i64>,
    /// Greatest number.
    #[serde(default)]
    pub max: Option<i64>,
}

/// What a field takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InputKind {
    /// Any text.
    Text,
    /// A text that is not shown again.
    Secret,
    /// A whole number.
    Number,
    /// One of some values.
    Choice,
    /// A host name or an IP address.
    Host,
    /// An address of the web.
    Url,
}

/// A field that was filled wrongly.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InputError {
    /// Nothing stands in a field that is required.
    #[error("fill in this field")]
    Missing,
    /// A value that is not taken.
    #[error("“{0}” is refused; choose another value")]
    Refused(String),
    /// A secret that everybody knows: it is not shown again.
    #[error("this value is refused: everybody knows it. Choose another one")]
    RefusedSecret,
    /// A text of several lines.
    #[error("no line breaks are taken here")]
    LineBreak,
    /// No address of the web.
    #[error("enter an address that begins with http:// or https://, such as https://server.example.com/path")]
    Url,
    /// Too few characters.
    #[error("at least {0} characters are needed")]
    TooShort(usize),
    /// Too many characters.
    #[error("at most {0} characters are taken")]
    TooLong(usize),
    /// No number, or one outside the limits.
    #[error("enter a whole number{}", within(*.min, *.max))]
    Number {
        /// The least.
        min: Option<i64>,
        /// The greatest.
        max: Option<i64>,
    },
    /// None of the choices.
    #[error("choose one of {}", .0.join(", "))]
    Choice(Vec<String>),
    /// Neither a host name nor an IP address.
    #[error("enter a host name or an IP address, without a port")]
    Host,
    /// What no configuration file can carry.
    #[error("{0}")]
    Value(#[from] super::parameter::ParameterError),
}

fn within(min: Option<i64>, max: Option<i64>) -> String {
    match (min, max) {
        (Some(min), Some(max)) => format!(" from {min} to {max}"),
        (Some(min), None) => format!(" from {min} on"),
        (None, Some(max)) => format!(" up to {max}"),
        (None, None) => String::new(),
    }
}

impl StandardProfile {
    /// Its number among all profiles.
    pub fn id(&self) -> ProfileId {
        ProfileId(FIRST_ID + u64::from(self.number))
    }

    /// Whether it asks for something first: then it can be copied, and not attached (R113).
    pub fn is_template(&self) -> bool {
        self.name.as_str().ends_with(TEMPLATE_ENDING)
    }

    /// The parameters of a copy with what was typed into the form. An optional field that stays empty and has no default leaves its
    /// parameters out, their twins too.
    ///
    /// # Errors
    /// Every field that is wrong, by its key.
    pub fn filled(&'static self, typed: &BTreeMap<String, String>) -> Result<ParameterSet, FieldErrors> {
        let mut errors = FieldErrors::new();
        let mut parameters = self.parameters.clone();
        for input in &self.inputs {
            let typed = typed.get(&input.name).map(String::as_str).unwrap_or_default();
            match input.check(typed) {
                Ok(Some(value)) => {
                    for name in &input.parameters {
                        parameters.insert(name.clone(), value);
                    }
                }
                Ok(None) => {
                    for name in &input.parameters {
                        parameters.remove(&format!("{name}.set"));
                    }
                }
                Err(error) => errors.add(&input.name, error),
            }
        }
        errors.into_result(Some(parameters))
    }
}

impl Input {
    /// The value that counts for what was typed; none where the parameters are left out.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check<'a>(&'a self, typed: &'a str) -> Result<Option<&'a str>, InputError> {
        // The blanks of a password are its own.
        let typed = if self.kind == InputKind::Secret { typed } else { typed.trim() };
        if typed.is_empty() {
            return if self.required { Err(InputError::Missing) } else { Ok(self.default.as_deref()) };
        }
        check_value(typed)?;
        if typed.contains(['\n', '\r']) {
            return Err(InputError::LineBreak);
        }
        if self.refused.iter().any(|refused| refused == typed) {
            return Err(match self.kind {
                InputKind::Secret => InputError::RefusedSecret,
                _ => InputError::Refused(typed.to_owned()),
            });
        }
        let chars = typed.chars().count();
        if let Some(least) = self.least_length.filter(|least| chars < *least) {
            return Err(InputError::TooShort(least));
        }
        if let Some(most) = self.most_length.filter(|most| chars > *most) {
            return Err(InputError::TooLong(most));
        }
        match self.kind {
            InputKind::Number => {
                let number = typed.parse::<i64>().ok();
                let fits = number.is_some_and(|n| self.min.is_none_or(|min| n >= min) && self.max.is_none_or(|max| n <= max));
                if !fits {
                    return Err(InputError::Number { min: self.min, max: self.max });
                }
            }
            InputKind::Choice if !self.choices.iter().any(|choice| choice == typed) => {
                return Err(InputError::Choice(self.choices.clone()));
            }
            InputKind::Host if !is_host(typed) => return Err(InputError::Host),
            InputKind::Url if !is_url(typed) => return Err(InputError::Url),
            InputKind::Text | InputKind::Secret | InputKind::Choice | InputKind::Host | InputKind::Url => {}
        }
        Ok(Some(typed))
    }
}

fn is_url(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once("://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let (host, port) = match authority.strip_prefix('[').and_then(|six| six.split_once(']')) {
        Some((six, port)) => (six, port.strip_prefix(':').unwrap_or(port)),
        None => authority.split_once(':').unwrap_or((authority, "")),
    };
    let is_web = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    is_web && is_host(host) && (port.is_empty() || port.parse::<u16>().is_ok()) && !text.contains(char::is_whitespace)
}

fn is_host(text: &str) -> bool {
    let is_label = |label: &str| {
        let inner = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
        (1..=63).contains(&label.len()) && label.bytes().all(inner) && !label.starts_with('-') && !label.ends_with('-')
    };
    text.parse::<IpAddr>().is_ok() || (text.len() <= 253 && text.trim_end_matches('.').split('.').all(is_label))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(kind: InputKind) -> Input {
        Input {
            name: "x".to_owned(),
            label: "X".to_owned(),
            help: String::new(),
            parameters: vec![ParameterName::parse("device.a.b").expect("a name")],
            kind,
            required: false,
            default: None,
            refused: Vec::new(),
            choices: Vec::new(),
            least_length: None,
            most_length: None,
            min: None,
            max: None,
        }
    }

    fn fault(input: &Input, typed: &str) -> String {
        input.check(typed).expect_err("refused").to_string()
    }

    #[test]
    fn an_empty_field_is_its_default_or_leaves_its_parameters_out() {
        let plain = input(InputKind::Text);
        assert_eq!(plain.check("  "), Ok(None));
        assert_eq!(Input { default: Some("d".to_owned()), ..plain.clone() }.check(""), Ok(Some("d")));
        assert_eq!(fault(&Input { required: true, ..plain }, " "), "fill in this field");
    }

    #[test]
    fn each_kind_takes_its_own() {
        let number = Input { min: Some(0), max: Some(4094), ..input(InputKind::Number) };
        assert_eq!(number.check(" 12 "), Ok(Some("12")));
        assert_eq!(fault(&number, "4095"), "enter a whole number from 0 to 4094");
        let host = input(InputKind::Host);
        for right in ["pbx.example.com", "10.0.0.1", "2001:db8::1", "_sip._udp.example.com", "pbx"] {
            assert_eq!(host.check(right), Ok(Some(right)));
        }
        for wrong in ["pbx:5060", "https://pbx", "-a.b", "a..b", "ä.example"] {
            assert!(fault(&host, wrong).contains("without a port"), "{wrong}");
        }
        let url = input(InputKind::Url);
        for right in ["https://mail.example.com/EWS/Exchange.asmx", "HTTP://10.1.1.1:8080", "https://[2001:db8::1]:8443/a?b=c"] {
            assert_eq!(url.check(right), Ok(Some(right)));
        }
        for wrong in ["mail.example.com", "ftp://a.example", "https://", "https://a b/", "https://a:x/", "javascript:x"] {
            assert!(fault(&url, wrong).contains("begins with http://"), "{wrong}");
        }
        let secret = Input { refused: vec!["456".to_owned()], ..input(InputKind::Secret) };
        assert!(fault(&secret, "456").starts_with("this value is refused: everybody knows it"));
        assert!(fault(&secret, "12\n3456").contains("no line breaks"));
        let choice = Input { choices: vec!["TLS".to_owned()], ..input(InputKind::Choice) };
        assert_eq!((choice.check("TLS"), fault(&choice, "tls")), (Ok(Some("TLS")), "choose one of TLS".to_owned()));
    }

    #[test]
    fn a_secret_keeps_its_blanks_and_is_not_repeated_in_the_error() {
        let secret =
            Input { refused: vec!["456".to_owned()], least_length: Some(2), most_length: Some(5), ..input(InputKind::Secret) };
        assert_eq!(secret.check(" a "), Ok(Some(" a ")));
        assert!(!fault(&secret, "456").contains("456"));
        assert_eq!(fault(&secret, "1"), "at least 2 characters are needed");
        assert_eq!(fault(&secret, "123456"), "at most 5 characters are taken");
        assert!(fault(&input(InputKind::Text), "a\u{1}").contains("control character"));
    }
}
