//! A log as a page: its lines with level and module, a bounded number of them at a time (R263).

use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::head::Head;
use super::uploaded::Uploaded;
use crate::domain::log_line::{Level, parse};
use crate::web::admin::layout::{Page, html};
use crate::web::admin::paging::ListQuery;
use crate::web::admin::words::{self, Tone as _};

/// Lines of a part, and characters of a line: escaped and with its marks, a part stays below half a megabyte.
const PART_LINES: usize = 500;
const LINE_CHARS: usize = 400;
/// Links to parts around the one that is shown.
const LINKS: usize = 4;

#[derive(Template)]
#[template(path = "devices/log.html")]
struct LogPage {
    page: Page,
    head: Head,
    name: String,
    size: String,
    at: jiff::Timestamp,
    download: String,
    /// None where it is no text.
    lines: Option<Vec<Line>>,
    all: usize,
    part: usize,
    parts: usize,
    /// Number and link of some parts.
    links: Vec<(usize, String)>,
}

/// A line of a log.
pub struct Line {
    pub number: usize,
    /// Level: its word, which is a class too, and what it is called. None of another form.
    pub level: Option<(&'static str, &'static str)>,
    pub time: String,
    pub module: String,
    pub text: String,
    /// Characters that are left out.
    pub more: usize,
}

impl Line {
    /// A line by its number.
    pub fn of(number: usize, line: &str) -> Self {
        let (level, time, module, text) = match parse(line) {
            Some(line) => (Some((line.level.word(), label(line.level))), line.time.to_owned(), line.module.to_owned(), line.text),
            None => (None, String::new(), String::new(), line),
        };
        let more = text.chars().count().saturating_sub(LINE_CHARS);
        Self { number, level, time, module, text: text.chars().take(LINE_CHARS).collect(), more }
    }
}

/// What a level is called.
pub fn label(level: Level) -> &'static str {
    match level {
        Level::Debug => "Debug",
        Level::Info => "Info",
        Level::Minor => "Minor error",
        Level::Major => "Major error",
        Level::Fatal => "Fatal",
    }
}

/// The part that a line is in.
pub fn part_of(line: usize) -> usize {
    line.saturating_sub(1) / PART_LINES + 1
}

/// Answers a log as a page.
pub fn page(page: Page, head: Head, request: &HttpRequest, file: Uploaded) -> HttpResponse {
    let is_text = file.name.ends_with(".log");
    let whole = String::from_utf8_lossy(if is_text { &file.bytes } else { b"" });
    let all = whole.lines().count();
    let parts = all.div_ceil(PART_LINES).max(1);
    let list = ListQuery::of(request, &[]);
    let part = list.filter("part").and_then(|text| text.parse().ok()).unwrap_or(1).clamp(1, parts);
    let first = (part - 1) * PART_LINES;
    let lines = whole.lines().enumerate().skip(first).take(PART_LINES).map(|(at, line)| Line::of(at + 1, line)).collect();
    let shown = (1..=parts).filter(|one| *one == 1 || *one == parts || one.abs_diff(part) <= LINKS);
    let links = shown.map(|one| (one, list.with(&[("part", if one == 1 { String::new() } else { one.to_string() }.as_str())])));
    html(&LogPage {
        name: file.name.clone(),
        size: words::size(file.size_bytes),
        at: file.at,
        download: format!("{}/download", file.href),
        lines: is_text.then_some(lines),
        all,
        part,
        parts,
        links: links.collect(),
        page,
        head,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_found_stands_in_the_part_that_its_link_names() {
        assert_eq!((part_of(1), part_of(PART_LINES), part_of(PART_LINES + 1)), (1, 1, 2));
    }

    #[test]
    fn a_line_shows_its_module_and_level_and_is_cut_where_it_is_long() {
        let line = Line::of(7, "0417110903|sip  |4|03|Registration failed");
        assert_eq!((line.number, line.level, line.module.as_str()), (7, Some(("minor", "Minor error")), "sip"));
        let long = Line::of(1, &"é".repeat(LINE_CHARS + 5));
        assert_eq!((long.text.chars().count(), long.more, long.level), (LINE_CHARS, 5, None));
    }
}
