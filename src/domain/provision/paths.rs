//! Paths that a master file names: which of them phones can ask for, and whether a phone's request is for one of them.
//!
//! A path is below the account's root, or a full address. Three things in it stand for others: the server replaces its own
//! variables ([`super::variables`]), and phones replace what stands in brackets, such as `[PHONE_MAC_ADDRESS]`
//! (protocol/provisioning.md 2).

use std::borrow::Cow;

use super::super::phone_file::{PhoneFile, PhonePath, location};
use super::super::resource::Resources;
use super::variables::{Piece, expand, pieces};

/// How phones fetch files (protocol/provisioning.md 2).
const SCHEMES: [&str; 5] = ["http", "https", "ftp", "ftps", "tftp"];

/// First folders that lead to pages, to the API and to health checks of this server: phones get no file of theirs there.
const ROOMS: [&str; 9] = ["admin", "api", "events", "livez", "metrics", "readyz", "setup", "static", "version"];

/// First folder of images: nothing is uploaded there.
const IMAGES: &str = "swupdate";

/// A part number as a phone writes it in front of an image's name, where the phone itself puts it in.
const OWN_PART_NUMBER: &str = "[phone_part_number].";

/// Stands for a key that is not known, in brackets as what phones replace themselves.
const SOME_KEY: &str = "[key]";

/// The rule that a path in a master file breaks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// Phones have no way to write it in a request.
    #[error("{} cannot stand in a path of a master file; phones take letters, digits and - . _ ~ there, no escapes and no blanks", told(*.0))]
    Character(char),
    /// A `..`.
    #[error("“..” leads out of the folder; give the path from the root of this server")]
    Upwards,
    /// Nothing but slashes.
    #[error("a name of a file is missing")]
    NoFile,
    /// Another protocol than phones speak.
    #[error("phones do not speak “{0}”; use http, https, ftp, ftps or tftp")]
    Scheme(String),
    /// An address without a host.
    #[error("the name of the server is missing after “://”")]
    NoServer,
    /// The pages' own folder.
    #[error("what begins with “{0}/” belongs to the pages and images of this server; choose another folder")]
    Room(&'static str),
}

/// What a path leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A file that phones fetch.
    File,
    /// A directory that they fetch from and upload to; empty for the root.
    Directory,
}

/// Checks a path as an admin gives it, variables included. `here` is the account's own address, for full addresses that lead
/// back to this server.
pub fn check(path: &str, kind: Kind, here: Option<&str>) -> Result<(), PathError> {
    for piece in pieces(path) {
        let Piece::Text(text) = piece else { continue };
        // In an address a query may follow; on this server nothing could come of one.
        let more = if path.contains("://") { "?" } else { "" };
        if let Some(c) = text.chars().find(|c| !is_writable(*c) && !more.contains(*c)) {
            return Err(PathError::Character(c));
        }
    }
    let address = Address::parse(path)?;
    let segments = || address.path.split('/').filter(|segment| !segment.is_empty() && *segment != ".");
    if segments().any(|segment| segment == "..") {
        return Err(PathError::Upwards);
    }
    if kind == Kind::File && segments().next().is_none() {
        return Err(PathError::NoFile);
    }
    let first = location(address.path).unwrap_or_default();
    let first = first.split('/').next().unwrap_or_default();
    let images = (kind == Kind::Directory).then_some(&IMAGES);
    match ROOMS.iter().chain(images).find(|room| **room == first && address.is_here(here)) {
        Some(room) => Err(PathError::Room(room)),
        None => Ok(()),
    }
}

/// Whether a path leads to this server, to a file that it neither makes itself nor has among its resource files.
pub fn is_missing_here(path: &str, here: &str, resources: &Resources) -> bool {
    /// Any key will do: the names of files that are made differ by it only.
    const KEY: &str = "0004f2000001";
    let Some(path) = path_here(path, here) else { return false };
    let path = expand(path, KEY);
    let is_answered = match PhonePath::parse(&path).file {
        PhoneFile::Master(key) | PhoneFile::Parameters(key) if key.mac().is_some() => true,
        PhoneFile::MasterDefault => true,
        // What stands in for every device that has none of its own.
        PhoneFile::Device(_, file) => file.fallback().is_some_and(|file| resources.has(file.name())),
        PhoneFile::Default(file) => resources.has(file.name()),
        _ => false,
    };
    !is_answered && !resources.has(&path)
}

/// The path of an address below the account's root, where it leads to this server; `here` is the account's own address.
pub fn path_here<'a>(address: &'a str, here: &str) -> Option<&'a str> {
    Address::parse(address).ok().filter(|address| address.is_here(Some(here))).map(|address| address.path)
}

/// Whether a path that a master file names is the one that a phone asks for. `key` is the phone's own, where it is known;
/// `asked` is compared as [`location`] gives it.
pub fn names(path: &str, key: Option<&str>, asked: &str) -> bool {
    let Ok(address) = Address::parse(path) else { return false };
    let named: Cow<'_, str> = expand(address.path, key.unwrap_or(SOME_KEY));
    let Some(named) = location(&named).filter(|named| !named.is_empty()) else { return false };
    let stripped = named.replacen(OWN_PART_NUMBER, "", 1);
    let matches = |named: &str| {
        named.split('/').count() == asked.split('/').count()
            && named.split('/').zip(asked.split('/')).all(|(named, asked)| is_segment(named, asked))
    };
    matches(&named) || matches(&stripped)
}

/// Whether a segment is the one that is asked for; what stands in brackets may be anything but nothing.
fn is_segment(named: &str, asked: &str) -> bool {
    let mut rest = asked;
    let mut texts = texts(named).peekable();
    let mut is_first = true;
    while let Some(text) = texts.next() {
        let found = match (is_first, texts.peek().is_none()) {
            (true, true) => return rest == text,
            (true, false) => rest.strip_prefix(text),
            // At least one character stands in the place of the brackets.
            (false, true) => return rest.len() > text.len() && rest.ends_with(text),
            (false, false) => rest.char_indices().skip(1).find_map(|(at, _)| rest[at..].strip_prefix(text)),
        };
        let Some(after) = found else { return false };
        rest = after;
        is_first = false;
    }
    false
}

/// What stands before, between and behind the brackets of a segment.
fn texts(segment: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(segment);
    std::iter::from_fn(move || {
        let text = rest?;
        let brackets = text.split_once('[').and_then(|(before, after)| Some((before, after.split_once(']')?.1)));
        rest = brackets.map(|(_, behind)| behind);
        Some(brackets.map_or(text, |(before, _)| before))
    })
}

/// A path as it is given: below the root of this server, or on the server that it names.
struct Address<'a> {
    /// Scheme, and host with port, where it is a full address.
    server: Option<(&'a str, &'a str)>,
    /// The path, without a query.
    path: &'a str,
}

impl<'a> Address<'a> {
    fn parse(text: &'a str) -> Result<Self, PathError> {
        let Some((scheme, rest)) = text.split_once("://") else { return Ok(Self { server: None, path: text }) };
        if !SCHEMES.iter().any(|known| known.eq_ignore_ascii_case(scheme)) {
            return Err(PathError::Scheme(scheme.to_owned()));
        }
        let (authority, path) = rest.find(['/', '?']).map_or((rest, ""), |at| rest.split_at(at));
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        if host.is_empty() || host.starts_with(':') {
            return Err(PathError::NoServer);
        }
        Ok(Self { server: Some((scheme, host)), path: path.split('?').next().unwrap_or_default() })
    }

    /// Whether it leads to the server whose own address is `here`.
    fn is_here(&self, here: Option<&str>) -> bool {
        let Some((scheme, host)) = self.server else { return true };
        let own = here.and_then(|here| Address::parse(here).ok()).and_then(|own| own.server);
        own.is_some_and(|(own_scheme, own)| with_port(scheme, host) == with_port(own_scheme, own))
    }
}

/// A host with its port, also where the port is the usual one.
fn with_port(scheme: &str, host: &str) -> String {
    let has_port = host.rsplit_once(':').is_some_and(|(_, port)| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()));
    let usual = if scheme.eq_ignore_ascii_case("https") { "443" } else { "80" };
    let port = if has_port { String::new() } else { format!(":{usual}") };
    format!("{}{port}", host.to_ascii_lowercase())
}

/// Whether a phone writes a character into its request as it stands (RFC 3986): else nobody knows what it would ask for.
/// Brackets are for what phones replace themselves.
fn is_writable(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-._~!$&'()*+,;=:@/[]".contains(c)
}

/// A character as a message names it.
fn told(c: char) -> String {
    match c {
        ' ' => "a blank".to_owned(),
        c if c.is_whitespace() || c.is_control() => format!("the character U+{:04X}", u32::from(c)),
        c => format!("“{c}”"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: &str = "https://pdms.example.test:8443/";

    fn error(path: &str) -> Option<PathError> {
        check(path, Kind::File, Some(HERE)).err()
    }

    #[test]
    fn paths_that_phones_can_ask_for_are_taken() {
        for path in [
            "site.cfg",
            "/a/b-c_d~e.cfg",
            "./a.cfg",
            "${mac_address}-user.cfg",
            "[PHONE_MODEL]/[PHONE_MAC_ADDRESS].cfg",
            "https://user:pa$$@files.example.test/dir/f.cfg?a=1",
            "TFTP://10.0.0.1/x.cfg",
            "default/admin/x.cfg/y",
            "languages/x.xml",
            "https://files.example.test/admin/x.cfg",
        ] {
            let kept = if path.starts_with("default") { Some(PathError::Room("admin")) } else { None };
            assert_eq!(error(path), kept, "{path}");
        }
        for directory in ["", "/", "logs", "http://0.0.0.0", "ftp://u:p@h/dir/"] {
            assert_eq!(check(directory, Kind::Directory, None), Ok(()), "{directory}");
        }
    }

    #[test]
    fn what_no_phone_could_ask_for_is_told_with_its_cause() {
        for (path, c) in [
            ("a b.cfg", ' '),
            ("a?.cfg", '?'),
            ("a#b.cfg", '#'),
            ("a%20b.cfg", '%'),
            ("a\\b.cfg", '\\'),
            ("Büro.cfg", 'ü'),
            ("${unknown}.cfg", '{'),
            ("https://h/a#b", '#'),
            ("a\tb.cfg", '\t'),
        ] {
            assert_eq!(error(path), Some(PathError::Character(c)), "{path}");
        }
        assert_eq!(error("a/../b.cfg"), Some(PathError::Upwards));
        assert_eq!(error("./"), Some(PathError::NoFile));
        assert_eq!(error("https://h/"), Some(PathError::NoFile));
        assert_eq!(error("gopher://h/x.cfg"), Some(PathError::Scheme("gopher".to_owned())));
        assert_eq!(error("https:///x.cfg"), Some(PathError::NoServer));
        for path in ["Admin/x.cfg", "//static/x.cfg", "./version", "https://PDMS.example.test:8443/api/x.cfg"] {
            assert!(matches!(error(path), Some(PathError::Room(_))), "{path}");
        }
    }

    #[test]
    fn images_may_be_fetched_from_their_folder_and_nothing_is_uploaded_there() {
        let kinds = [Kind::File, Kind::Directory];
        assert_eq!(kinds.map(|kind| check("swupdate/VVX/5.9.8/sip.ld", kind, None).is_ok()), [true, false]);
    }

    #[test]
    fn a_path_names_what_phones_make_of_it() {
        let key = Some("0004f2aabbcc");
        let asked = |path: &str| location(path).unwrap_or_default();
        for (path, request) in [
            ("site.cfg", "/SITE.cfg"),
            ("/a//./Site.cfg", "/default/a/s%69te.cfg"),
            ("default/x.cfg", "/default/default/x.cfg"),
            ("x/$mac_address.d/y.cfg", "/x/0004F2AABBCC.d/y.cfg"),
            ("[PHONE_MAC_ADDRESS]-user.cfg", "/0004f2aabbcc-user.cfg"),
            ("[PHONE_MODEL].cfg", "/%5BPHONE_MODEL%5D.cfg"),
            ("a[X]b[Y]c.cfg", "/a1b2bc.cfg"),
            ("https://any.example.test:1/d/x.cfg?y", "/d/x.cfg"),
            ("bootblock.ld", "/3111-44500-001.bootblock.ld"),
            ("[PHONE_PART_NUMBER].dect.ld", "/3111-17823-001.dect.ld"),
        ] {
            assert!(names(path, key, &asked(request)), "{path} {request}");
        }
        for (path, request) in [
            ("site.cfg", "/a/site.cfg"),
            ("$mac_address.cfg", "/0004f2aabbcd.cfg"),
            ("[PHONE_MODEL].cfg", "/.cfg"),
            ("[PHONE_MODEL].cfg", "/a/b.cfg"),
            ("", "/"),
            ("../x.cfg", "/x.cfg"),
        ] {
            assert!(!names(path, key, &asked(request)), "{path} {request}");
        }
        assert!(names("extra/$mac_address-user.cfg", None, "extra/0004f2aabbcd-user.cfg"), "whoever asks");
    }

    #[test]
    fn only_files_on_this_server_that_it_does_not_make_are_missing() {
        for path in ["site.cfg", "$mac_address-user.cfg", "$mac_address-phone.cfg", "https://pdms.example.test:8443/x.cfg"] {
            assert!(is_missing_here(path, HERE, &Resources::default()), "{path}");
        }
        for path in ["$mac_address.cfg", "000000000000.cfg", "https://files.example.test/x.cfg"] {
            assert!(!is_missing_here(path, HERE, &Resources::default()), "{path}");
        }
    }

    #[test]
    fn a_resource_file_is_not_missing_nor_what_it_stands_in_for() {
        use crate::domain::resource::tests::resource;
        let stored = Resources::new([
            resource(1, "", "site.cfg"),
            resource(2, "m", "VVX500.cfg"),
            resource(3, "", "000000000000-directory.xml"),
        ]);
        for path in [
            "SITE.cfg",
            "https://pdms.example.test:8443/resources/site.cfg",
            "m/[PHONE_MODEL].cfg",
            "$mac_address-directory.xml",
            "000000000000-directory.xml",
            "contacts/000000000000-directory.xml",
        ] {
            assert!(!is_missing_here(path, HERE, &stored), "{path}");
        }
        for path in ["x/site.cfg", "$mac_address-license.cfg", "$mac_address-phone.cfg", "m/[PHONE_MODEL].xml"] {
            assert!(is_missing_here(path, HERE, &stored), "{path}");
        }
    }
}
