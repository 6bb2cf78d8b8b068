//! Telling files that look like parameter files, or carry the same suffix, but are something else.
//!
//! Element names carry no meaning in a parameter file, so only names that are known to mean another kind of file refuse it.

use std::fmt;

/// Kinds of files that are no parameter files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Shape {
    /// `APPLICATION`: the master file, which names the parameter files.
    Master,
    /// A contact directory.
    Directory,
    /// A call list.
    CallList,
    /// A list of software images.
    ImageList,
    /// Texts of a language.
    Dictionary,
    /// A licence.
    Licence,
    /// An XML schema.
    Schema,
    /// A web page.
    WebPage,
    /// A configuration of another product line or vendor.
    Foreign,
    /// XML that keeps its values between tags.
    ValuesInText,
    /// A template whose placeholders are not filled in.
    Template,
    /// Lines of `name=value`.
    KeyValue,
    /// Rows of comma-separated values.
    Table,
    /// Any other text.
    PlainText,
    /// Nothing but blanks.
    Empty,
}

/// Root elements, without prefix and in lower case, that mean another kind of file.
const ROOTS: [(&str, Shape); 24] = [
    ("application", Shape::Master),
    ("directory", Shape::Directory),
    ("call_list", Shape::CallList),
    ("calllist", Shape::CallList),
    ("phone_images", Shape::ImageList),
    ("phrases", Shape::Dictionary),
    ("dictionary", Shape::Dictionary),
    ("phone_dictionary", Shape::Dictionary),
    ("license", Shape::Licence),
    ("licenses", Shape::Licence),
    ("licence", Shape::Licence),
    ("polycomlicense", Shape::Licence),
    ("schema", Shape::Schema),
    ("html", Shape::WebPage),
    ("parameterlist", Shape::Foreign),
    ("flat-profile", Shape::Foreign),
    ("gs_provision", Shape::Foreign),
    ("settings", Shape::Foreign),
    ("phone-settings", Shape::Foreign),
    ("ciscoipphonedirectory", Shape::Foreign),
    ("ciscoipphonemenu", Shape::Foreign),
    ("ciscoipphonetext", Shape::Foreign),
    ("yealinkipphonedirectory", Shape::Foreign),
    ("provisionrequestmessage", Shape::Foreign),
];

/// Signs of template languages, none of which occurs in XML that is ready to be used.
const PLACEHOLDERS: [&str; 11] = ["{$", "{{", "{%", "{if ", "{foreach ", "{/", "<%", "<?php", "#if(", "#foreach(", "<#if "];

impl Shape {
    /// The kind that a root element's name means, if it means another than a parameter file.
    pub(super) fn of_root(name: &str) -> Option<Self> {
        let local = name.rsplit(':').next().unwrap_or(name).to_ascii_lowercase();
        ROOTS.iter().find(|(root, _)| *root == local).map(|(_, shape)| *shape)
    }

    /// The kind of a text that is no well-formed XML, where it can be told.
    pub(super) fn of_broken(text: &str) -> Option<Self> {
        PLACEHOLDERS.iter().any(|p| text.contains(p)).then_some(Self::Template)
    }

    /// The kind of a text without any root element.
    pub(super) fn of_text(text: &str) -> Self {
        let lines = || text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with(['#', ';', '/'])).take(20);
        // Most, not all: real tables have a title line, and real lists a stray remark.
        let most = |test: fn(&str) -> bool| {
            let fitting = lines().filter(|l| test(l)).count();
            fitting > 0 && 4 * fitting >= 3 * lines().count()
        };
        if text.trim().is_empty() {
            Self::Empty
        } else if let Some(template) = Self::of_broken(text) {
            template
        } else if most(|l| l.starts_with('[') || l.split_once(['=', ':']).is_some_and(|(name, _)| is_word(name.trim()))) {
            Self::KeyValue
        } else if [',', ';', '\t'].into_iter().any(|separator| is_table(lines(), separator)) {
            Self::Table
        } else {
            Self::PlainText
        }
    }
}

/// Whether most lines have as many of the separator as the last of them: titles stand at the top.
fn is_table<'a>(lines: impl Iterator<Item = &'a str>, separator: char) -> bool {
    let counts: Vec<usize> = lines.map(|l| l.matches(separator).count()).collect();
    let Some(columns) = counts.last().filter(|c| **c > 0) else { return false };
    4 * counts.iter().filter(|c| *c == columns).count() >= 3 * counts.len()
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '[' | ']' | '%'))
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Master => {
                "this is a master file (APPLICATION), which only names parameter files; pdms writes one for each device. \
                 Import the files that its CONFIG_FILES names instead"
            }
            Self::Directory => "this is a contact directory, not a parameter file",
            Self::CallList => "this is a call list, not a parameter file",
            Self::ImageList => "this is a list of software images, not a parameter file",
            Self::Dictionary => "this is a language file, not a parameter file; phones fetch it as a file of its own",
            Self::Licence => "this is a licence file, not a parameter file",
            Self::Schema => "this is an XML schema that describes parameters, not a parameter file",
            Self::WebPage => "this is a web page; save the configuration file itself and import that",
            Self::Foreign => "this is a file of another product line, whose parameters these phones do not know",
            Self::ValuesInText => "this file keeps its values between tags; a parameter file keeps them in attributes, such as <x reg.1.label=\"…\"/>",
            Self::Template => "this is a template with placeholders; import a file in which they are filled in",
            Self::KeyValue => "these are lines of name=value, as other vendors' phones use them; a parameter file is XML, such as <x reg.1.label=\"…\"/>",
            Self::Table => "this is a table of values; a parameter file is XML, such as <x reg.1.label=\"…\"/>",
            Self::PlainText => "this is not XML; a parameter file is, such as <x reg.1.label=\"…\"/>",
            Self::Empty => "the file is empty",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_roots_are_told_in_any_spelling() {
        assert_eq!(Shape::of_root("APPLICATION"), Some(Shape::Master));
        assert_eq!(Shape::of_root("xsd:schema"), Some(Shape::Schema));
        assert_eq!(Shape::of_root("CiscoIPPhoneDirectory"), Some(Shape::Foreign));
        for free in ["polycomConfig", "PHONE_CONFIG", "sip", "phone1", "ipmid", "customizations", "device", "WEB_CONFIG"] {
            assert_eq!(Shape::of_root(free), None, "{free}");
        }
    }

    #[test]
    fn text_without_tags_is_told_apart() {
        for (text, shape) in [
            (" \n", Shape::Empty),
            ("#!version:1.0.0.1\naccount.1.enable = 1\n[ network ]\n", Shape::KeyValue),
            ("P47=sip.example.com\n# comment\nP35=1001", Shape::KeyValue),
            ("mac,name\n0004f2abcdef,Desk", Shape::Table),
            ("reg.1.address={{ user }}", Shape::Template),
            ("Dear colleague", Shape::PlainText),
            ("# nothing but a comment", Shape::PlainText),
        ] {
            assert_eq!(Shape::of_text(text), shape, "{text}");
        }
    }
}
