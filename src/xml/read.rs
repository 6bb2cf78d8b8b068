//! Configuration files of any shape to parameters with their places.
//!
//! Element names carry no meaning: attributes at every depth are parameters, the root's too. What a profile makes of them is
//! decided in [`crate::domain::import`].

use roxmltree::{Document, Node};

use crate::domain::import::{Entry, Position};
use crate::domain::limits::{IMPORT_BYTES, PARAMETERS_PER_PROFILE};

use super::classify::Shape;
use super::encoding::decode;
use super::scan::{Fault, MAX_DEPTH, MAX_ELEMENTS, OF_CONFIGURATION, OF_DIRECTORY, scan};

/// A file that cannot be imported: where and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {}, column {}: {reason}", at.line, at.column)]
pub struct ReadError {
    /// The first place that speaks against it.
    pub at: Position,
    /// Why.
    pub reason: Reason,
}

/// Why a file cannot be imported.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// Too many bytes.
    #[error("the file has {bytes} bytes; at most {most} are taken")]
    Size {
        /// How many it has.
        bytes: usize,
        /// How many are taken.
        most: usize,
    },
    /// A byte that the file's encoding does not have.
    #[error("this is not {0}; save the file as UTF-8, or name its encoding in its first line")]
    BadByte(&'static str),
    /// An encoding that nobody knows.
    #[error("the encoding “{0}” is not known; save the file as UTF-8")]
    UnknownEncoding(String),
    /// A document type: it could name other files and addresses.
    #[error("DOCTYPE not allowed; remove the <!DOCTYPE …> declaration")]
    Doctype,
    /// Elements too deep.
    #[error("more than {MAX_DEPTH} elements within each other")]
    Depth,
    /// Too many elements.
    #[error("more than {MAX_ELEMENTS} elements")]
    Elements,
    /// Too many attributes, or too many namespaces among them.
    #[error("more than {PARAMETERS_PER_PROFILE} parameters; split the file into several profiles")]
    Attributes,
    /// One parameter twice in one element, which XML forbids.
    #[error("the parameter “{0}” stands in this element twice; remove one, or correct its name (was .set meant?)")]
    Duplicate(String),
    /// Not well-formed.
    #[error("{0}")]
    Syntax(String),
    /// Another kind of file.
    #[error("{0}")]
    Shape(Shape),
}

/// The attributes of a file, in document order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attributes {
    /// Parameters. Names and values are not checked yet.
    pub parameters: Vec<Entry>,
    /// What belongs to XML itself: namespace declarations, and attributes such as `xsi:noNamespaceSchemaLocation`.
    pub of_xml: Vec<Entry>,
}

/// The parameters of a file: [`attributes`] without those of XML itself.
pub fn parameters(bytes: &[u8]) -> Result<Vec<Entry>, ReadError> {
    attributes(bytes).map(|attributes| attributes.parameters)
}

/// Reads a file as uploaded or pasted: all of its attributes with their values as they were meant.
///
/// Line breaks inside values are kept, where XML would turn them into blanks: certificates need them.
pub fn attributes(bytes: &[u8]) -> Result<Attributes, ReadError> {
    if bytes.len() > IMPORT_BYTES {
        return Err(ReadError { at: Position::START, reason: Reason::Size { bytes: bytes.len(), most: IMPORT_BYTES } });
    }
    let text = decode(bytes)?;
    check_kind(&text)?;
    let document = Document::parse(&text).map_err(|e| syntax_error(&text, &e))?;
    let mut places = Places::new(&text);
    let mut found = Attributes::default();
    for element in document.descendants().filter(Node::is_element) {
        let tag = element.range().start;
        for (offset, name, raw) in in_tag(&text[tag..]) {
            let entry = Entry { name: name.to_owned(), value: value(raw), at: places.at(tag + offset) };
            let of_xml = is_of_xml_itself(&element, name);
            if of_xml { &mut found.of_xml } else { &mut found.parameters }.push(entry);
        }
    }
    if found.parameters.is_empty()
        && let Some(node) = document.descendants().find(|n| n.is_text() && n.text().is_some_and(|t| !t.trim().is_empty()))
    {
        return Err(ReadError { at: places.at(node.range().start), reason: Reason::Shape(Shape::ValuesInText) });
    }
    Ok(found)
}

/// Refuses what no phone could read: anything but well-formed XML within bounds, whatever it says.
pub fn well_formed(bytes: &[u8]) -> Result<(), ReadError> {
    let text = decode(bytes)?;
    refuse_faults(&text, scan(&text, OF_DIRECTORY).fault)?;
    Document::parse(&text).map(drop).map_err(|error| syntax_error(&text, &error))
}

/// The attributes of the start tag that a text begins with: offset, name, and raw value with its quotes. The parser has proved
/// the tag; it does not tell namespace declarations with their places.
fn in_tag(tag: &str) -> impl Iterator<Item = (usize, &str, &str)> {
    let blank = |c: char| matches!(c, ' ' | '\t' | '\r' | '\n');
    let mut at = tag.find(|c| blank(c) || matches!(c, '/' | '>')).unwrap_or(tag.len());
    std::iter::from_fn(move || {
        let start = at + tag[at..].find(|c| !blank(c))?;
        let rest = &tag[start..];
        let name = &rest[..rest.find(|c| blank(c) || matches!(c, '=' | '/' | '>'))?];
        let open = name.len() + rest[name.len()..].find(['"', '\'', '>'])?;
        let quote = rest[open..].chars().next().filter(|c| !name.is_empty() && *c != '>')?;
        let close = open + 1 + rest[open + 1..].find(quote)?;
        at = start + close + 1;
        Some((start, name, &rest[open..=close]))
    })
}

/// Refuses what the parser must not see, and what is another kind of file whether well-formed or not.
fn check_kind(text: &str) -> Result<(), ReadError> {
    let scan = scan(text, OF_CONFIGURATION);
    let refuse = |offset: usize, reason| Err(ReadError { at: Places::new(text).at(offset), reason });
    let content = text.trim_start();
    if !content.starts_with('<') {
        return refuse(text.len() - content.len(), Reason::Shape(Shape::of_text(text)));
    }
    if let Some((name, offset)) = scan.root
        && let Some(shape) = Shape::of_root(name)
    {
        return refuse(offset, Reason::Shape(shape));
    }
    refuse_faults(text, scan.fault)
}

/// Refuses what the scan found.
pub(super) fn refuse_faults(text: &str, fault: Option<(Fault, usize)>) -> Result<(), ReadError> {
    let Some((fault, offset)) = fault else { return Ok(()) };
    let reason = match fault {
        Fault::Doctype => Reason::Doctype,
        Fault::LateDeclaration => Reason::Syntax(LATE_DECLARATION.to_owned()),
        Fault::Depth => Reason::Depth,
        Fault::Elements => Reason::Elements,
        Fault::Attributes | Fault::Namespaces => Reason::Attributes,
    };
    Err(ReadError { at: Places::new(text).at(offset), reason })
}

const LATE_DECLARATION: &str = "the declaration <?xml …?> must be the very first thing in the file, before any comment or blank";

/// Namespace declarations, and attributes of XML schemas and of XML itself.
fn is_of_xml_itself(element: &Node<'_, '_>, name: &str) -> bool {
    let Some((prefix, _)) = name.split_once(':') else { return name == "xmlns" };
    let namespace = || element.lookup_namespace_uri(Some(prefix));
    matches!(prefix, "xmlns" | "xml") || namespace() == Some("http://www.w3.org/2001/XMLSchema-instance")
}

/// The value of an attribute from its raw text with the quotes: references replaced, line ends made `\n`, all else kept.
fn value(raw: &str) -> String {
    let inner = raw.get(1..raw.len().max(2) - 1).unwrap_or_default();
    let lines = if inner.contains('\r') { inner.replace("\r\n", "\n").replace('\r', "\n") } else { inner.to_owned() };
    match quick_xml::escape::unescape(&lines) {
        Ok(value) => value.into_owned(),
        // The parser has proved every reference; nothing is left to go wrong here.
        Err(_) => lines,
    }
}

/// Whether the first reference from a place on is of a character by its number. The parser names the value or the reference.
fn is_numeric_reference(text: &str, at: Position) -> bool {
    let line = usize::try_from(at.line.saturating_sub(1)).ok().and_then(|line| text.lines().nth(line)).unwrap_or_default();
    let rest: String = line.chars().skip(at.column.saturating_sub(1) as usize).collect();
    rest.find('&').is_some_and(|found| rest[found..].starts_with("&#"))
}

pub(super) fn syntax_error(text: &str, error: &roxmltree::Error) -> ReadError {
    use roxmltree::Error;
    let pos = error.pos();
    let mut at = Position { line: pos.row, column: pos.col };
    let words = match error {
        Error::DuplicatedAttribute(name, _) => return ReadError { at, reason: Reason::Duplicate(name.clone()) },
        Error::DtdDetected => return ReadError { at, reason: Reason::Doctype },
        Error::NoRootNode | Error::UnclosedRootNode | Error::UnexpectedEndOfStream => {
            at = Position::after(text);
            "the file ends before every element is closed".to_owned()
        }
        Error::UnexpectedCloseTag(expected, actual, _) => {
            format!("</{actual}> stands where </{expected}> must close its element")
        }
        Error::UnknownNamespace(prefix, _) => format!("the prefix “{prefix}:” is not declared by xmlns:{prefix}"),
        Error::UnknownEntityReference(name, _) => format!("&{name}; is not known; XML has &amp; &lt; &gt; &quot; &apos; only"),
        Error::MalformedEntityReference(_) if is_numeric_reference(text, at) => {
            "a character reference that stands for nothing XML can carry; take it out".to_owned()
        }
        Error::MalformedEntityReference(_) => "a bare & ; write &amp; instead".to_owned(),
        Error::InvalidAttributeValue(_) | Error::InvalidChar(b'"' | b'\'', b'<', _) => {
            "a < inside a value; write &lt; instead".to_owned()
        }
        Error::NonXmlChar(c, _) => format!("the control character U+{:04X}, which XML cannot carry", u32::from(*c)),
        Error::UnexpectedDeclaration(_) => LATE_DECLARATION.to_owned(),
        Error::InvalidComment(_) => "a comment must not hold “--”".to_owned(),
        other => {
            let words = other.to_string();
            let words = words.rsplit_once(" at ").map_or(words.as_str(), |(words, _)| words);
            format!("this is not well-formed XML: {words}")
        }
    };
    let reason = Shape::of_broken(text).map_or(Reason::Syntax(words), Reason::Shape);
    ReadError { at, reason }
}

/// Offsets to lines and columns, for ascending offsets in one pass over the text.
struct Places<'a> {
    text: &'a str,
    offset: usize,
    at: Position,
}

impl<'a> Places<'a> {
    fn new(text: &'a str) -> Self {
        Self { text, offset: 0, at: Position::START }
    }

    fn at(&mut self, offset: usize) -> Position {
        if offset < self.offset {
            *self = Self::new(self.text);
        }
        self.at = self.at.moved_over(&self.text[self.offset..offset]);
        self.offset = offset;
        self.at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_ampersand_and_a_number_of_no_character_are_told_apart() {
        let told = |text: &str| parameters(text.as_bytes()).expect_err("ill-formed").to_string();
        assert!(told("<a b=\"R&D\"/>").contains("write &amp;"), "{}", told("<a b=\"R&D\"/>"));
        for text in ["<a b=\"&#0;\"/>", "<a\n b=\"x\"\n c=\"a &#x0; b\"/>", "<a>&#0;</a>"] {
            assert!(told(text).contains("character reference"), "{}", told(text));
        }
    }
}
