//! Contact directories: bytes to contacts and back (protocol/provisioning.md 9).

use roxmltree::{Document, Node};

use super::encoding::decode;
use super::read::{ReadError, Reason, refuse_faults, syntax_error};
use super::scan::{OF_DIRECTORY, scan};
use super::write::escaped;
use crate::domain::contacts::Contact;
use crate::domain::import::Position;
use crate::domain::limits::CONTACTS;

/// Reads a directory.
///
/// # Errors
/// Where it is no directory, or one that no phone would take, and why.
pub fn read(bytes: &[u8]) -> Result<Vec<Contact>, ReadError> {
    let refuse = |what: String| Err(ReadError { at: Position::START, reason: Reason::Syntax(what) });
    let text = decode(bytes)?;
    let scan = scan(&text, OF_DIRECTORY);
    if scan.root.is_some_and(|(root, _)| root != "directory") {
        return refuse("this is no contact directory: its first element is not <directory>".to_owned());
    }
    refuse_faults(&text, scan.fault)?;
    let document = Document::parse(&text).map_err(|error| syntax_error(&text, &error))?;
    let items = document.descendants().filter(|node| node.has_tag_name("item"));
    let contacts: Vec<Contact> = items.map(|item| contact(&item)).filter(|one| !one.fields.is_empty()).collect();
    if contacts.len() > CONTACTS {
        return refuse(format!("the directory has {} contacts; the largest phones take {CONTACTS}", contacts.len()));
    }
    Ok(contacts)
}

fn contact(item: &Node<'_, '_>) -> Contact {
    let text = |field: Node<'_, '_>| field.descendants().filter(Node::is_text).filter_map(|one| one.text()).collect::<String>();
    let fields = item.children().filter(Node::is_element);
    Contact { fields: fields.map(|field| (field.tag_name().name().to_owned(), text(field))).collect() }
}

/// Writes a directory as phones do.
pub fn write(contacts: &[Contact]) -> Vec<u8> {
    let mut text = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n<directory>\n <item_list>\n".to_owned();
    for contact in contacts {
        text.push_str("  <item>");
        for (name, value) in &contact.fields {
            match value.is_empty() {
                true => text.push_str(&format!("<{name}/>")),
                false => text.push_str(&format!("<{name}>{}</{name}>", escaped(value))),
            }
        }
        text.push_str("</item>\n");
    }
    text.push_str(" </item_list>\n</directory>\n");
    text.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_comes_back_as_it_went_in() {
        let file = "<?xml version=\"1.0\"?>\n<directory><item_list>\n<item><ln>O&apos;Hara &amp; Co</ln><fn><![CDATA[<Jo>]]></fn>\
                    <ct>1001</ct><dc/><x>unknown</x></item><item></item></item_list></directory>";
        let contacts = read(file.as_bytes()).expect("a directory");
        assert_eq!((contacts.len(), contacts[0].get("ln"), contacts[0].get("fn")), (1, "O'Hara & Co", "<Jo>"));
        assert_eq!(read(&write(&contacts)).expect("ours"), contacts);
        assert_eq!(read(&write(&[])).expect("an empty one"), []);
    }

    #[test]
    fn other_files_and_hostile_ones_are_refused_with_the_reason() {
        for file in ["<polycomConfig a.b=\"1\"/>", "", "no xml", "<directory><item>", "<!DOCTYPE x><directory/>"] {
            assert!(read(file.as_bytes()).is_err(), "{file}");
        }
        let deep = format!("<directory>{}", "<a>".repeat(100_000));
        assert!(matches!(read(deep.as_bytes()), Err(ReadError { reason: Reason::Depth, .. })));
    }
}
