//! Schemas in XSD form to definitions: the vendor's `polycomConfig.xsd` in its dialects, and our own dictionary (R137, R138).
//!
//! Parameters are the attribute declarations with a name, wherever they stand; references and elements only group them for display.
//! What XSD has no words for stands in the vendor's sentences, or in our own `pdms:parameter`.

use std::collections::HashMap;

use roxmltree::{Document, Node};

use super::encoding::decode;
use super::read::{ReadError, Reason, refuse_faults, syntax_error};
use super::scan::{OF_SCHEMA, scan};
use crate::domain::import::Position;
use crate::domain::limits::SCHEMA_BYTES;
use crate::domain::parameter::ParameterName;
use crate::domain::schema::{Definition, Kind, exact_numbers, pattern};

const XSD: &str = "http://www.w3.org/2001/XMLSchema";
/// The namespace of what our own dictionary adds.
const DICTIONARY: &str = "urn:pdms:dictionary";
/// Types that are made of other types: deeper ones go round in a circle.
const MAX_TYPES: usize = 20;

/// Reads a schema. One without parameters is a schema, too.
///
/// # Errors
/// Where and why it cannot be read: not well-formed, too much of something, no schema at all, or a declaration that means nothing.
pub fn read(bytes: &[u8]) -> Result<Vec<Definition>, ReadError> {
    if bytes.len() > SCHEMA_BYTES {
        return Err(ReadError { at: Position::START, reason: Reason::Size { bytes: bytes.len(), most: SCHEMA_BYTES } });
    }
    let text = decode(bytes)?;
    refuse_faults(&text, scan(&text, OF_SCHEMA).fault)?;
    let document = Document::parse(&text).map_err(|error| syntax_error(&text, &error))?;
    let root = document.root_element();
    if !root.has_tag_name((XSD, "schema")) {
        return Err(refused(&root, "this is no XML schema: the outermost element must be xsd:schema".to_owned()));
    }
    let types = Types::of(root);
    let declared = root.descendants().filter(|node| node.has_tag_name((XSD, "attribute")));
    declared
        .filter_map(|node| node.attribute("name").map(|name| (node, name)))
        .map(|(node, name)| types.define(&node, name))
        .collect()
}

fn refused(node: &Node<'_, '_>, words: String) -> ReadError {
    let at = node.document().text_pos_at(node.range().start);
    ReadError { at: Position { line: at.row, column: at.col }, reason: Reason::Syntax(words) }
}

/// The named types of a schema.
struct Types<'a, 'input> {
    by_name: HashMap<&'a str, Node<'a, 'input>>,
}

impl<'a, 'input> Types<'a, 'input> {
    fn of(root: Node<'a, 'input>) -> Self {
        let named = root.children().filter(|node| node.has_tag_name((XSD, "simpleType")));
        Self { by_name: named.filter_map(|node| Some((node.attribute("name")?, node))).collect() }
    }

    fn define(&self, node: &Node<'a, 'input>, name: &str) -> Result<Definition, ReadError> {
        if let Err(error) = ParameterName::parse(name) {
            return Err(refused(node, format!("“{name}” is no parameter: {error}")));
        }
        let kind = match (node.attribute("type"), child(node, "simpleType")) {
            (Some(type_name), _) => self.named(node, type_name, MAX_TYPES)?,
            (None, Some(inner)) => self.kind(&inner, MAX_TYPES)?,
            (None, None) => Kind::ANY,
        };
        let note = child(node, "annotation");
        let text = note.and_then(|note| child(&note, "documentation")).map(|words| text_of(&words)).unwrap_or_default();
        let added = note.and_then(|note| note.descendants().find(|inner| inner.has_tag_name((DICTIONARY, "parameter"))));
        let secret_type = node.attribute("type").is_some_and(|name| name.contains("Password"));
        let told = Told::by(&text);
        let mut definition = Definition {
            name: name.into(),
            numbers: exact_numbers(name),
            kind,
            default: told.default.map(Into::into),
            is_secret: secret_type || told.is_secret,
            text: if told.is_made_by_machine { "".into() } else { text.into() },
            restarts: None,
        };
        if let Some(added) = added {
            self.add(&mut definition, &added)?;
        }
        Ok(definition)
    }

    /// What our own dictionary says besides.
    fn add(&self, definition: &mut Definition, added: &Node<'_, '_>) -> Result<(), ReadError> {
        if let Some(text) = added.attribute("pattern") {
            let read = pattern(text).filter(|(name, _)| *name == *definition.name);
            let Some((_, numbers)) = read else {
                return Err(refused(added, format!("“{text}” is no pattern of {}", definition.name)));
            };
            definition.numbers = numbers;
        }
        definition.default = added.attribute("default").map(Into::into);
        definition.restarts = match added.attribute("restart") {
            Some("yes") => Some(true),
            Some("no") => Some(false),
            _ => None,
        };
        definition.is_secret |= added.attribute("secret") == Some("true");
        Ok(())
    }

    /// The kind of a type by its name, whose prefix is read where the name stands.
    fn named(&self, at: &Node<'_, '_>, name: &str, left: usize) -> Result<Kind, ReadError> {
        let (prefix, local) = name.split_once(':').map_or((None, name), |(prefix, local)| (Some(prefix), local));
        if at.lookup_namespace_uri(prefix) == Some(XSD) {
            return Ok(built_in(local));
        }
        let Some(found) = self.by_name.get(local) else {
            return Err(refused(at, format!("the type {name} is not declared")));
        };
        let left = left.checked_sub(1).ok_or_else(|| refused(at, format!("the type {name} is made of itself")))?;
        self.kind(found, left)
    }

    fn kind(&self, simple: &Node<'a, 'input>, left: usize) -> Result<Kind, ReadError> {
        if let Some(union) = child(simple, "union") {
            let named = union.attribute("memberTypes").unwrap_or_default().split_whitespace();
            let named = named.map(|name| self.named(&union, name, left));
            let inner = union.children().filter(|node| node.has_tag_name((XSD, "simpleType")));
            let inner = inner.map(|node| self.kind(&node, left));
            return Ok(any_of(named.chain(inner).collect::<Result<_, _>>()?));
        }
        let Some(restriction) = child(simple, "restriction") else { return Ok(Kind::ANY) };
        let base = match (restriction.attribute("base"), child(&restriction, "simpleType")) {
            (Some(name), _) => self.named(&restriction, name, left)?,
            (None, Some(inner)) => self.kind(&inner, left)?,
            (None, None) => Kind::ANY,
        };
        restrict(base, &restriction)
    }
}

/// What a restriction leaves of a kind.
fn restrict(base: Kind, restriction: &Node<'_, '_>) -> Result<Kind, ReadError> {
    let facet = |name: &str| -> Result<Option<i64>, ReadError> {
        let Some(node) = child(restriction, name) else { return Ok(None) };
        let value = node.attribute("value").unwrap_or_default();
        let number = value.trim().parse().map_err(|_| refused(&node, format!("“{value}” is no whole number")))?;
        Ok(Some(number))
    };
    let choices = restriction.children().filter(|node| node.has_tag_name((XSD, "enumeration")));
    let choices: Box<[Box<str>]> = choices.filter_map(|node| node.attribute("value").map(Into::into)).collect();
    if !choices.is_empty() {
        return Ok(Kind::Choice(choices));
    }
    let length = |value: Option<i64>| value.and_then(|value| usize::try_from(value).ok());
    Ok(match base {
        Kind::Number { least, most } => Kind::Number {
            least: facet("minInclusive")?.or(facet("minExclusive")?.map(|least| least.saturating_add(1))).or(least),
            most: facet("maxInclusive")?.or(facet("maxExclusive")?.map(|most| most.saturating_sub(1))).or(most),
        },
        Kind::Text { least, most } => {
            let exact = length(facet("length")?);
            Kind::Text {
                least: exact.or(length(facet("minLength")?)).or(least),
                most: exact.or(length(facet("maxLength")?)).or(most),
            }
        }
        other => other,
    })
}

/// The kind that takes what any of these takes. A choice of the empty text alone adds nothing: it is always taken.
fn any_of(kinds: Vec<Kind>) -> Kind {
    let says_nothing = |kind: &Kind| matches!(kind, Kind::Choice(choices) if choices.iter().all(|choice| choice.is_empty()));
    let mut kinds: Vec<_> = kinds.into_iter().filter(|kind| !says_nothing(kind)).collect();
    match kinds.len() {
        0 => Kind::ANY,
        1 => kinds.remove(0),
        _ => Kind::AnyOf(kinds.into()),
    }
}

/// The types that every schema has. Fractions and dates do not occur in phones' schemas; such a type would take any text.
fn built_in(name: &str) -> Kind {
    let number = |least, most| Kind::Number { least, most };
    match name {
        "boolean" => Kind::Switch,
        "integer" => number(None, None),
        "nonNegativeInteger" | "unsignedLong" => number(Some(0), None),
        "positiveInteger" => number(Some(1), None),
        "nonPositiveInteger" => number(None, Some(0)),
        "negativeInteger" => number(None, Some(-1)),
        "long" => number(Some(i64::MIN), Some(i64::MAX)),
        "int" => number(Some(i32::MIN.into()), Some(i32::MAX.into())),
        "short" => number(Some(i16::MIN.into()), Some(i16::MAX.into())),
        "byte" => number(Some(i8::MIN.into()), Some(i8::MAX.into())),
        "unsignedInt" => number(Some(0), Some(u32::MAX.into())),
        "unsignedShort" => number(Some(0), Some(u16::MAX.into())),
        "unsignedByte" => number(Some(0), Some(u8::MAX.into())),
        _ => Kind::ANY,
    }
}

/// What the vendor's sentence tells beside its words.
#[derive(Debug, Default, PartialEq, Eq)]
struct Told {
    default: Option<String>,
    is_secret: bool,
    /// It only says again what the type says.
    is_made_by_machine: bool,
}

impl Told {
    /// The sentences that the vendor's generator makes: `true/false parameter default 0 (false).`, `number min 1 max 9 default 3.`,
    /// `string (password) min length 0 max length 49 default "".`, `enum allowed values: "a" "b", default "a".`
    fn by(text: &str) -> Self {
        const BEGINNINGS: [&str; 4] = ["true/false parameter", "number min", "string ", "enum allowed values"];
        let from = BEGINNINGS.iter().filter_map(|beginning| text.find(beginning)).min();
        let Some(from) = from else { return Self::default() };
        let sentence = &text[from..];
        let Some((_, value)) = sentence.rsplit_once("default ") else { return Self::default() };
        let default = match value.strip_prefix('"') {
            Some(quoted) => quoted.rsplit_once('"').map(|(value, _)| value.to_owned()),
            None => value.split([' ', '.']).next().map(str::to_owned),
        };
        Self { default, is_secret: sentence.starts_with("string (password)"), is_made_by_machine: text[..from].trim().is_empty() }
    }
}

fn child<'a, 'input>(node: &Node<'a, 'input>, name: &str) -> Option<Node<'a, 'input>> {
    node.children().find(|inner| inner.has_tag_name((XSD, name)))
}

/// The words of an element with every stretch of blanks made one.
fn text_of(node: &Node<'_, '_>) -> String {
    let words = node.descendants().filter_map(|inner| inner.is_text().then(|| inner.text()).flatten());
    words.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
#[path = "xsd_tests.rs"]
mod tests;
