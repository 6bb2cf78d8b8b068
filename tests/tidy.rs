//! The house rules that a reader relies on, kept by a test: layers, module headers, room sizes, forbidden words, the map.
//!
//! Each rule is a function from source text to complaints, so that the tests at the end can show that it does complain.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Lines that a source file may have before it must be split.
const CROWDED: usize = 500;

/// A layer: the folder or file below `src/` that it is, and what it may name.
struct Layer {
    /// Path prefix below `src/`.
    room: &'static str,
    /// First segments after `crate::` that it may name; its own room is always allowed.
    may_use: &'static [&'static str],
    /// External crates that it must never name.
    never: &'static [&'static str],
}

const IO_CRATES: &[&str] = &[
    "actix_codec",
    "actix_files",
    "actix_http",
    "actix_multipart",
    "actix_rt",
    "actix_server",
    "actix_service",
    "actix_session",
    "actix_web",
    "askama",
    "clap",
    "parking_lot",
    "rand",
    "redb",
    "reqwest",
    "rustls",
    "rustix",
    "tempfile",
    "tokio",
    "tokio_rustls",
    "tracing",
];
const WEB_CRATES: &[&str] = &[
    "actix_codec",
    "actix_files",
    "actix_http",
    "actix_multipart",
    "actix_rt",
    "actix_server",
    "actix_service",
    "actix_session",
    "actix_web",
    "askama",
    "redb",
    "clap",
];
const STATE_NEVER: &[&str] = &["actix_web", "actix_http", "askama", "clap", "reqwest"];

/// The layer table of ARCHITECTURE.md.
const LAYERS: &[Layer] = &[
    Layer { room: "domain", may_use: &[], never: IO_CRATES },
    Layer { room: "xml", may_use: &["domain"], never: IO_CRATES },
    Layer { room: "csv", may_use: &["domain"], never: IO_CRATES },
    Layer { room: "catalog", may_use: &["domain", "xml"], never: IO_CRATES },
    Layer { room: "store", may_use: &["domain"], never: STATE_NEVER },
    Layer { room: "blobs", may_use: &["domain"], never: &["actix_web", "actix_http", "askama", "clap", "reqwest", "redb"] },
    Layer { room: "services", may_use: &["domain", "xml", "csv", "catalog", "store", "blobs"], never: WEB_CRATES },
    Layer { room: "web", may_use: &["domain", "xml", "catalog", "services"], never: &["redb", "clap", "reqwest"] },
    Layer { room: "simulate", may_use: &["domain", "xml"], never: &["actix_web", "actix_http", "askama", "redb", "clap"] },
];

/// Words that have no place in the sources, with the reason and the files that may hold them all the same.
const FORBIDDEN: &[(&str, &str, &[&str])] = &[
    ("TODO", "finish it or leave it out", &[]),
    ("FIXME", "mend it", &[]),
    ("todo!(", "no stubs", &[]),
    ("unimplemented!(", "no stubs", &[]),
    ("dbg!(", "a left-over", &[]),
    ("#[ignore", "a test that does not run is no test", &[]),
    ("#[allow(", "use #[expect(…, reason = …)]", &[]),
    ("TableDefinition", "tables are declared in store/tables.rs", &["src/store/"]),
    ("Timestamp::now", "the clock is services/clock.rs", &["src/services/clock.rs", "src/simulate/"]),
    ("SystemTime::now", "the clock is services/clock.rs", &["src/services/clock.rs", "src/simulate/"]),
    ("Zoned::now", "the clock is services/clock.rs", &["src/services/clock.rs"]),
    ("tokio_cron_scheduler", "the ticker is services/scheduler.rs", &["src/services/scheduler.rs"]),
    ("thread::sleep", "wait for an event, or advance the clock", &["src/simulate/", "src/cli/"]),
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn files(below: &str, ending: &str) -> Vec<PathBuf> {
    fn walk(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) {
        let Ok(entries) = fs::read_dir(folder) else { return };
        for entry in entries.flatten() {
            let path = entry.path();
            if path.is_dir() {
                if path.file_name().is_none_or(|n| n != "node_modules") {
                    walk(&path, ending, found);
                }
            } else if path.to_string_lossy().ends_with(ending) {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(&root().join(below), ending, &mut found);
    found.sort();
    found
}

fn relative(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).to_string_lossy().replace('\\', "/")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// The code of a line: comments cut off. Good enough for paths and words; string contents stay.
fn code(line: &str) -> &str {
    let trimmed = line.trim_start();
    if trimmed.starts_with("//") { "" } else { line.split(" // ").next().unwrap_or(line) }
}

/// Every first path segment that stands behind `prefix` in the code.
fn named_after(prefix: &str, text: &str) -> BTreeSet<(usize, String)> {
    let mut found = BTreeSet::new();
    for (number, line) in text.lines().enumerate() {
        let line = code(line);
        for (at, _) in line.match_indices(prefix) {
            let rest = &line[at + prefix.len()..];
            let list = rest.strip_prefix('{').map(|inner| inner.split('}').next().unwrap_or(inner)).unwrap_or(rest);
            let items: Vec<&str> = if rest.starts_with('{') { list.split(',').collect() } else { vec![list] };
            for item in items {
                let word: String = item.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                if !word.is_empty() {
                    found.insert((number + 1, word));
                }
            }
        }
    }
    found
}

/// Whether a line names an external crate in a path.
fn names_crate(line: &str, name: &str) -> bool {
    let line = code(line);
    line.match_indices(name).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let own = before.is_none_or(|c| !(c.is_alphanumeric() || c == '_' || c == ':' || c == '"' || c == '.'));
        own && line[at + name.len()..].starts_with("::")
            || own && line.trim_start().starts_with("use ") && line[at + name.len()..].starts_with(';')
    })
}

/// Complaints about the imports of one file.
fn forbidden_imports(path: &str, text: &str) -> Vec<String> {
    let Some(layer) =
        LAYERS.iter().find(|l| path.starts_with(&format!("src/{}/", l.room)) || path == format!("src/{}.rs", l.room))
    else {
        return Vec::new();
    };
    let mut complaints = Vec::new();
    for (line, segment) in named_after("crate::", text) {
        let known = LAYERS.iter().any(|l| l.room == segment) || matches!(segment.as_str(), "cli" | "startup" | "config");
        if known && segment != layer.room && !layer.may_use.contains(&segment.as_str()) {
            complaints.push(format!("{path}:{line}: {} must not use {segment}", layer.room));
        }
    }
    for (number, line) in text.lines().enumerate() {
        for name in layer.never {
            if names_crate(line, name) {
                complaints.push(format!("{path}:{}: {} must not use the crate {name}", number + 1, layer.room));
            }
        }
    }
    complaints
}

/// Complaints about forbidden words of one file.
fn forbidden_words(path: &str, text: &str) -> Vec<String> {
    let mut complaints = Vec::new();
    for (word, why, exempt) in FORBIDDEN {
        if exempt.iter().any(|e| path.starts_with(e)) {
            continue;
        }
        for (number, line) in text.lines().enumerate() {
            let place = if word.chars().all(|c| c.is_ascii_uppercase()) { line } else { code(line) };
            if place.contains(word) {
                complaints.push(format!("{path}:{}: {word} ({why})", number + 1));
            }
        }
    }
    complaints
}

/// Complaints about things in a template that the content security policy would refuse.
fn inline_code(path: &str, text: &str) -> Vec<String> {
    let mut complaints = Vec::new();
    for (number, line) in text.lines().enumerate() {
        for bad in [" style=\"", "<style", " onclick=", " onchange=", " onsubmit=", " onload=", "javascript:"] {
            if line.contains(bad) {
                complaints.push(format!("{path}:{}: {bad} (no inline styles or scripts)", number + 1));
            }
        }
        if line.contains("<script") && !line.contains(" src=") {
            complaints.push(format!("{path}:{}: <script> without src", number + 1));
        }
    }
    complaints
}

fn assert_none(complaints: &[String]) {
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

#[test]
fn layers_name_only_what_they_may() {
    let complaints: Vec<String> = files("src", ".rs").iter().flat_map(|p| forbidden_imports(&relative(p), &read(p))).collect();
    assert_none(&complaints);
}

#[test]
fn a_forbidden_import_is_found() {
    assert_eq!(forbidden_imports("src/domain/x.rs", "use crate::store::Store;\n").len(), 1);
    assert_eq!(forbidden_imports("src/domain/x.rs", "use redb::Database;\n").len(), 1);
    assert_eq!(forbidden_imports("src/services/x.rs", "fn f() { actix_web::rt::spawn(async {}); }\n").len(), 1);
    assert_eq!(forbidden_imports("src/web/x.rs", "use crate::{domain::mac::Mac, store::Store};\n").len(), 1);
    assert_eq!(forbidden_imports("src/simulate/x.rs", "use crate::services::Services;\n").len(), 1);
    assert_eq!(forbidden_imports("src/services/x.rs", "use crate::store::Store; // crate::web::x\n").len(), 0);
}

#[test]
fn every_module_says_what_lives_in_it() {
    let complaints: Vec<String> = files("src", ".rs")
        .iter()
        .chain(&files("tests", ".rs"))
        .chain(&files("benches", ".rs"))
        .filter(|p| !read(p).starts_with("//!"))
        .map(|p| format!("{}: begin with //! and say what lives here", relative(p)))
        .collect();
    assert_none(&complaints);
}

#[test]
fn no_room_is_crowded() {
    let complaints: Vec<String> = files("src", ".rs")
        .iter()
        .chain(&files("tests", ".rs"))
        .map(|p| (relative(p), read(p).lines().count()))
        .filter(|(_, lines)| *lines > CROWDED)
        .map(|(path, lines)| format!("{path}: {lines} lines; split it (limit {CROWDED})"))
        .collect();
    assert_none(&complaints);
}

#[test]
fn no_forbidden_word_stands_in_the_sources() {
    let complaints: Vec<String> = files("src", ".rs").iter().flat_map(|p| forbidden_words(&relative(p), &read(p))).collect();
    assert_none(&complaints);
    let in_tests: Vec<String> = files("tests", ".rs")
        .iter()
        .filter(|p| !relative(p).ends_with("tidy.rs"))
        .flat_map(|p| forbidden_words(&relative(p), &read(p)))
        .filter(|c| !c.contains("Timestamp::now") && !c.contains("SystemTime::now"))
        .collect();
    assert_none(&in_tests);
}

#[test]
fn a_forbidden_word_is_found() {
    assert_eq!(forbidden_words("src/web/x.rs", "// TODO later\n").len(), 1);
    assert_eq!(forbidden_words("src/web/x.rs", "let t = Timestamp::now();\n").len(), 1);
    assert_eq!(forbidden_words("src/services/clock.rs", "let t = Timestamp::now();\n").len(), 0);
}

/// Rule numbers are for readers of the sources: what people read says the reason.
fn told_rule_numbers(path: &str, text: &str) -> Vec<String> {
    let is_number = |rest: &str| {
        let digits = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        digits.len() < rest.len() && digits.starts_with([')', ',', ' ', '–', '-'])
    };
    let tells = |line: &str| line.match_indices("(R").any(|(at, _)| is_number(&line[at + 2..]));
    let is_template = path.ends_with(".html");
    let shown = |line: &str| if is_template { line.split("{#").next().unwrap_or(line).to_owned() } else { code(line).to_owned() };
    let lines = text.lines().enumerate().filter(|(_, line)| tells(&shown(line)));
    lines.map(|(number, _)| format!("{path}:{}: a rule number in a text that people read", number + 1)).collect()
}

#[test]
fn nobody_but_a_reader_of_the_sources_meets_a_rule_number() {
    let all = files("src", ".rs").into_iter().chain(files("templates", ".html"));
    let complaints: Vec<_> = all.flat_map(|path| told_rule_numbers(&relative(&path), &read(&path))).collect();
    assert_none(&complaints);
}

#[test]
fn a_rule_number_that_is_told_is_found() {
    let told = r#"add("there are 9 already (R1)"); // (R2)"#;
    assert_eq!(told_rule_numbers("src/x.rs", told).len(), 1);
    assert_eq!(told_rule_numbers("templates/x.html", "<p>It stays (R284, R285).</p>").len(), 1);
    for fine in ["/// A name (R34).", "let x = 1; // once (R3)", "(Result)", "f(R1Type)"] {
        assert!(told_rule_numbers("src/x.rs", fine).is_empty(), "{fine}");
    }
    assert!(told_rule_numbers("templates/x.html", "{#- The reason (R244). -#}").is_empty());
}

#[test]
fn templates_hold_no_inline_code() {
    let complaints: Vec<String> = files("templates", ".html").iter().flat_map(|p| inline_code(&relative(p), &read(p))).collect();
    assert_none(&complaints);
    assert_eq!(inline_code("x.html", "<p style=\"color:red\">\n<script>1</script>\n").len(), 2);
}

#[test]
fn every_template_is_used_and_every_use_has_a_template() {
    let sources: String = files("src", ".rs").iter().map(|p| read(p)).collect();
    let templates = files("templates", ".html");
    let markup: String = templates.iter().map(|p| read(p)).collect();
    let mut complaints = Vec::new();
    for path in &templates {
        let name = relative(path).trim_start_matches("templates/").to_owned();
        if !sources.contains(&format!("\"{name}\"")) && !markup.contains(&format!("\"{name}\"")) {
            complaints.push(format!("templates/{name}: no page names it"));
        }
    }
    for part in sources.split("path = \"").skip(1) {
        let name = part.split('"').next().unwrap_or_default();
        if name.ends_with(".html") && !root().join("templates").join(name).is_file() {
            complaints.push(format!("a page names templates/{name}, which does not exist"));
        }
    }
    assert_none(&complaints);
}

#[test]
fn the_map_names_every_folder_and_no_other() {
    let map = read(&root().join("ARCHITECTURE.md"));
    let mut folders = BTreeSet::new();
    for path in files("src", ".rs") {
        let mut folder = path.parent();
        while let Some(f) = folder {
            let name = relative(f);
            if name == "src" || name.is_empty() {
                break;
            }
            folders.insert(name);
            folder = f.parent();
        }
    }
    let mut complaints: Vec<String> = folders
        .iter()
        .filter(|f| !map.contains(&format!("`{f}/`")))
        .map(|f| format!("ARCHITECTURE.md does not name `{f}/`"))
        .collect();
    for part in map.split("`src/").skip(1) {
        let name = part.split('`').next().unwrap_or_default();
        if !root().join("src").join(name).exists() {
            complaints.push(format!("ARCHITECTURE.md names `src/{name}`, which does not exist"));
        }
    }
    assert_none(&complaints);
}
