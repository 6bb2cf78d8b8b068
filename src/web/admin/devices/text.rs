//! A file of a device, read on a page: escaped, and in parts where it is long.

use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use jiff::Timestamp;

use super::files::by;
use super::head::Head;
use crate::domain::device_file::Version;
use crate::domain::parameter;
use crate::web::admin::layout::{Page, html};
use crate::web::admin::paging::ListQuery;
use crate::web::admin::words::{self, Tone as _};

/// A file to be shown.
pub struct Text {
    /// Its name.
    pub name: String,
    /// Its content, in whatever encoding it came.
    pub bytes: Vec<u8>,
    /// Bytes of the file itself.
    pub size_bytes: u64,
    /// When it came in.
    pub at: Option<Timestamp>,
    /// Where it can be downloaded.
    pub download: Option<String>,
    /// What to know about it.
    pub note: Option<&'static str>,
    /// Its versions, where it has some.
    pub versions: Vec<VersionRow>,
    /// Where one of them is put back, for whoever may.
    pub restore: Option<String>,
}

/// A version of a file.
pub struct VersionRow {
    pub version: u32,
    pub at: Timestamp,
    pub by: String,
    pub size: String,
    pub href: String,
    /// What differs from the one before it; none of the oldest.
    pub compare: Option<String>,
    /// It is the one that counts.
    pub counts: bool,
    /// It is the one shown.
    pub is_shown: bool,
}

impl VersionRow {
    /// The versions of a file whose page is there; none where there is only one.
    pub fn all(href: &str, shown: u32, versions: &[Version]) -> Vec<Self> {
        if versions.len() < 2 {
            return Vec::new();
        }
        let before = |at: usize| versions.get(at + 1).map(|one| one.version);
        let row = |(at, one): (usize, &Version)| Self {
            version: one.version,
            at: one.at,
            by: by(one.by.as_deref()),
            size: words::size(one.size_bytes),
            href: if at == 0 { href.to_owned() } else { format!("{href}?version={}", one.version) },
            compare: before(at).map(|before| format!("{href}/compare?from={before}&to={}", one.version)),
            counts: at == 0,
            is_shown: one.version == shown,
        };
        versions.iter().enumerate().map(row).collect()
    }
}

#[derive(Template)]
#[template(path = "devices/text.html")]
struct TextPage<'a> {
    page: Page,
    head: Head,
    name: &'a str,
    size: String,
    at: Option<Timestamp>,
    download: Option<String>,
    note: Option<&'static str>,
    versions: Vec<VersionRow>,
    restore: Option<String>,
    text: &'a str,
    part: usize,
    /// Number and link of each part.
    parts: Vec<(usize, String)>,
}

/// Bytes of one part. Escaped, a part is at most six times as long; texts of phones grow by little.
const PART_BYTES: usize = 64 * 1024;

/// Answers a file as a page.
pub fn page(page: Page, head: Head, request: &HttpRequest, file: Text) -> HttpResponse {
    let whole = String::from_utf8_lossy(&file.bytes);
    let parts = parts(&whole);
    let list = ListQuery::of(request, &[]);
    let part = list.filter("part").and_then(|text| text.parse().ok()).unwrap_or(1).clamp(1, parts.len());
    let links =
        (1..=parts.len()).map(|n| (n, list.with(&[("part", if n == 1 { String::new() } else { n.to_string() }.as_str())])));
    html(&TextPage {
        size: words::size(file.size_bytes),
        at: file.at,
        download: file.download,
        note: file.note,
        versions: file.versions,
        restore: file.restore,
        text: parts[part - 1],
        parts: links.collect(),
        name: &file.name,
        part,
        page,
        head,
    })
}

/// A configuration file as it may be shown: the values of secret attributes masked, everything else as it came. Works on the
/// text: what a device stores need not be well-formed.
pub fn with_secrets_masked(bytes: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(bytes);
    let mut shown = String::with_capacity(text.len());
    let mut rest = &*text;
    while let Some(equals) = rest.find('=') {
        let (before, after) = rest.split_at(equals + 1);
        shown.push_str(before);
        let name = before.trim_end_matches('=').trim_end();
        let name = &name[name.rfind(|c: char| c.is_whitespace() || matches!(c, '<' | '"' | '\'' | '>')).map_or(0, |at| at + 1)..];
        let lead = after.len() - after.trim_start().len();
        let quote = after.trim_start().chars().next().filter(|c| matches!(c, '"' | '\''));
        let Some(quote) = quote else {
            rest = after;
            continue;
        };
        let start = lead + 1;
        let end = after[start..].find(quote).map_or(after.len(), |at| start + at);
        shown.push_str(&after[..start]);
        shown.push_str(&parameter::masked(name, &after[start..end]));
        rest = &after[end..];
    }
    shown.push_str(rest);
    shown.into_bytes()
}

/// Cuts a text into parts, at the ends of lines where there are any.
fn parts(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text;
    while rest.len() > PART_BYTES {
        let most = (0..=PART_BYTES).rev().find(|at| rest.is_char_boundary(*at)).unwrap_or(rest.len());
        let end = rest[..most].rfind('\n').map_or(most, |at| at + 1);
        let (part, after) = rest.split_at(end);
        parts.push(part);
        rest = after;
    }
    parts.push(rest);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_of_a_stored_file_are_masked_and_the_rest_is_as_it_came() {
        let file = "<PHONE_CONFIG><OVERRIDES\n reg.1.auth.password = 'canary' reg.1.label=\"a=b\" device.auth.localAdminPassword=\"canary";
        let shown = String::from_utf8(with_secrets_masked(file.as_bytes())).expect("UTF-8 stays UTF-8");
        assert!(!shown.contains("canary"), "{shown}");
        assert_eq!(shown.replace(crate::domain::activity::MASK, "canary"), file);
    }

    #[test]
    fn parts_are_the_whole_text_again_and_end_with_lines() {
        let lines = "0123456789abcdé\n".repeat(20_000);
        for text in [lines.as_str(), &"é".repeat(100_000), "", "short"] {
            let parts = parts(text);
            assert_eq!(parts.concat(), text);
            assert!(parts.iter().all(|part| part.len() <= PART_BYTES));
        }
        assert!(parts(&lines).iter().all(|part| part.ends_with('\n')));
    }
}
