//! A first, cheap look at XML text: its root element, and whether it stays within bounds.
//!
//! The parser proper compares every attribute of an element with every other, so counts must be bounded before it starts (PRS-02,
//! PRS-03). For well-formed text the scan sees the same tags as the parser; where it loses its way, the parser stops no later.

use crate::domain::limits::PARAMETERS_PER_PROFILE;

/// Elements within elements. Vendor templates have six levels.
pub(super) const MAX_DEPTH: usize = 100;
/// Elements in a configuration file. The largest vendor file has some two thousand.
pub(super) const MAX_ELEMENTS: usize = 50_000;
/// Attributes in a configuration file: what one profile can hold, and some for namespaces and the like.
pub(super) const MAX_ATTRIBUTES: usize = PARAMETERS_PER_PROFILE + 100;
/// Namespace declarations in a file: each is handed on to every element below.
pub(super) const MAX_NAMESPACES: usize = 50;

/// How much a file may hold.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    elements: usize,
    attributes: usize,
    /// Attributes of one element.
    in_one: usize,
}

/// Of a configuration file.
pub(super) const OF_CONFIGURATION: Bounds = Bounds { elements: MAX_ELEMENTS, attributes: MAX_ATTRIBUTES, in_one: MAX_ATTRIBUTES };
/// Of a contact directory: a dozen fields of each contact of the largest.
pub(super) const OF_DIRECTORY: Bounds = Bounds { elements: 200_000, attributes: 1_000, in_one: 50 };
/// Of a schema. The largest one seen has 90,000 elements with three attributes at the most.
pub(super) const OF_SCHEMA: Bounds = Bounds { elements: 400_000, attributes: 800_000, in_one: 50 };

/// Of any other XML that phones read, such as directories and languages.
pub(super) const OF_DOCUMENT: Bounds = Bounds { elements: 400_000, attributes: 800_000, in_one: 500 };

/// What the scan found.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Scan<'a> {
    /// Name of the root element with its prefix, and where its tag starts.
    pub root: Option<(&'a str, usize)>,
    /// The first thing that forbids to parse on, and where it is.
    pub fault: Option<(Fault, usize)>,
}

/// Reasons not to hand a text to the parser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Doctype,
    LateDeclaration,
    Depth,
    Elements,
    Attributes,
    Namespaces,
}

/// Looks through a text. Stops at the first fault, and where the text is no XML any more.
pub(super) fn scan(text: &str, bounds: Bounds) -> Scan<'_> {
    let mut scan = Scan { root: None, fault: None };
    let (mut depth, mut elements, mut attributes, mut namespaces) = (0usize, 0usize, 0usize, 0usize);
    let mut at = 0;
    while let Some(offset) = text[at..].find('<') {
        at += offset;
        let rest = &text[at..];
        let length = if rest.starts_with("<!--") {
            past(rest, 4, "-->")
        } else if rest.starts_with("<![CDATA[") {
            past(rest, 9, "]]>")
        } else if rest.starts_with("<!") {
            let doctype = rest.get(2..9).is_some_and(|w| w.eq_ignore_ascii_case("DOCTYPE"));
            scan.fault = doctype.then_some((Fault::Doctype, at));
            None
        } else if rest.starts_with("<?") {
            if at > 0 && rest.strip_prefix("<?xml").is_some_and(|r| r.starts_with(char::is_whitespace)) {
                scan.fault = Some((Fault::LateDeclaration, at));
                return scan;
            }
            past(rest, 2, "?>")
        } else if rest.starts_with("</") {
            depth = depth.saturating_sub(1);
            Some(2)
        } else {
            let tag = Tag::read(rest);
            scan.root.get_or_insert((tag.name, at));
            elements += 1;
            attributes += tag.attributes;
            namespaces += tag.namespaces;
            depth += usize::from(!tag.is_empty);
            scan.fault = [
                (depth > MAX_DEPTH, Fault::Depth),
                (elements > bounds.elements, Fault::Elements),
                (attributes > bounds.attributes || tag.attributes > bounds.in_one, Fault::Attributes),
                (namespaces > MAX_NAMESPACES, Fault::Namespaces),
            ]
            .into_iter()
            .find_map(|(exceeded, fault)| exceeded.then_some((fault, at)));
            tag.length
        };
        match length {
            Some(length) if scan.fault.is_none() => at += length,
            _ => break,
        }
    }
    scan
}

/// Length up to and including `end`, looked for from `start` on.
fn past(text: &str, start: usize, end: &str) -> Option<usize> {
    text[start..].find(end).map(|found| start + found + end.len())
}

/// A start tag, looked at without parsing it.
struct Tag<'a> {
    name: &'a str,
    attributes: usize,
    namespaces: usize,
    is_empty: bool,
    /// None where the tag does not end.
    length: Option<usize>,
}

impl<'a> Tag<'a> {
    /// Reads the tag that `text` begins with.
    fn read(text: &'a str) -> Self {
        let name_end = text[1..].find(|c: char| c.is_whitespace() || matches!(c, '/' | '>' | '=' | '<' | '"' | '\''));
        let name = name_end.map_or(&text[1..], |end| &text[1..=end]);
        let mut tag = Self { name, attributes: 0, namespaces: 0, is_empty: false, length: None };
        let mut at = 1 + name.len();
        while let Some(offset) = text[at..].find(['"', '\'', '>', '<']) {
            let before = &text[at..at + offset];
            at += offset;
            match text.as_bytes()[at] {
                b'<' => return tag,
                b'>' => {
                    tag.is_empty = before.ends_with('/');
                    tag.length = Some(at + 1);
                    return tag;
                }
                quote => {
                    tag.attributes += 1;
                    tag.namespaces += usize::from(before.trim_start().starts_with("xmlns"));
                    let Some(end) = text[at + 1..].find(char::from(quote)) else { return tag };
                    at += end + 2;
                }
            }
        }
        tag
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str) -> Option<Fault> {
        scan(text, OF_CONFIGURATION).fault.map(|(fault, _)| fault)
    }

    #[test]
    fn the_root_is_found_behind_all_that_may_precede_it() {
        let text = "<?xml version='1.0'?>\n<!-- <x> -- > --><p:root a='>' b=\"</p:root>\"><c/></p:root>";
        assert_eq!(scan(text, OF_CONFIGURATION), Scan { root: Some(("p:root", 39)), fault: None });
        assert_eq!(scan("no markup", OF_CONFIGURATION).root, None);
    }

    #[test]
    fn bounds_are_held_exactly() {
        let nested = |n: usize| "<a>".repeat(n) + &"</a>".repeat(n);
        assert_eq!((fault(&nested(MAX_DEPTH)), fault(&nested(MAX_DEPTH + 1))), (None, Some(Fault::Depth)));
        let flat = |n: usize| format!("<a>{}</a>", "<b/>".repeat(n));
        assert_eq!((fault(&flat(MAX_ELEMENTS - 1)), fault(&flat(MAX_ELEMENTS))), (None, Some(Fault::Elements)));
        let wide = |n: usize| format!("<a{}/>", " b='>'".repeat(n));
        assert_eq!((fault(&wide(MAX_ATTRIBUTES)), fault(&wide(MAX_ATTRIBUTES + 1))), (None, Some(Fault::Attributes)));
        let spaces = |n: usize| format!("<a{}/>", " xmlns:n='u'".repeat(n));
        let of_schema = |n: usize| scan(&wide(n), OF_SCHEMA).fault.map(|(fault, _)| fault);
        assert_eq!((of_schema(50), of_schema(51)), (None, Some(Fault::Attributes)));
        assert_eq!((fault(&spaces(MAX_NAMESPACES)), fault(&spaces(MAX_NAMESPACES + 1))), (None, Some(Fault::Namespaces)));
    }

    #[test]
    fn what_stands_in_comments_and_values_does_not_count() {
        let noise = "<!--".to_owned()
            + &"<a>".repeat(200)
            + "--><a b='"
            + &"&lt;".repeat(200)
            + "'><![CDATA["
            + &"<a>".repeat(200)
            + "]]></a>";
        assert_eq!(fault(&noise), None);
    }

    #[test]
    fn declarations_in_the_wrong_place_are_found() {
        assert_eq!(scan("<!doctype a><a/>", OF_CONFIGURATION).fault, Some((Fault::Doctype, 0)));
        assert_eq!(scan(" <?xml version='1.0'?><a/>", OF_CONFIGURATION).fault, Some((Fault::LateDeclaration, 1)));
        assert_eq!(scan(" <?xml-stylesheet?><a/>", OF_CONFIGURATION).fault, None);
    }
}
