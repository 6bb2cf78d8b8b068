//! Real configuration files: everything that is a parameter file is read as an independent parser reads it, everything else is
//! refused with line, column and reason.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use pdms::catalog::governed::default_of;
use pdms::domain::import::ImportOptions;
use pdms::domain::parameter::ParameterSet;
use pdms::services::import::preview;
use pdms::xml::Shape;
use pdms::xml::read::{ReadError, Reason, attributes};

/// The files that are refused: name, line, column, kind of reason.
const REFUSED: &str = include_str!("import_refusals.tsv");

/// Prints one JSON line a file: its name and the attributes that expat reports, or null where it finds the file ill-formed.
const EXPAT: &str = r#"
import json, sys, xml.parsers.expat
for name in sys.stdin.read().split("\n"):
    found = []
    parser = xml.parsers.expat.ParserCreate()
    parser.ordered_attributes = True
    parser.StartElementHandler = lambda _, a: found.extend(zip(a[::2], a[1::2]))
    try:
        parser.Parse(open(name, "rb").read(), True)
    except xml.parsers.expat.ExpatError:
        found = None
    print(json.dumps([name, found]))
"#;

/// Attributes in document order.
type Attributes = Vec<(String, String)>;

/// The folder of collected files and the names in its index, or nothing where it is not there.
fn collection() -> Option<(PathBuf, Vec<String>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let Ok(index) = std::fs::read_to_string(folder.join("INDEX.tsv")) else {
        println!("skipped: {} is not there", folder.display());
        return None;
    };
    let names = index.lines().skip(1).filter_map(|l| l.split('\t').next()).map(str::to_owned).collect();
    Some((folder, names))
}

/// The word that the list uses for a reason.
fn kind(reason: &Reason) -> &'static str {
    match reason {
        Reason::Shape(shape) => match shape {
            Shape::Master => "master",
            Shape::Directory => "directory",
            Shape::Dictionary => "dictionary",
            Shape::Schema => "schema",
            Shape::Table => "table",
            Shape::PlainText => "plain-text",
            other => panic!("{other:?} is not expected in the collection"),
        },
        Reason::Duplicate(_) => "duplicate",
        Reason::Syntax(_) => "ill-formed",
        other => panic!("{other:?} is not expected in the collection"),
    }
}

/// All attributes of a file, those of XML itself too, in document order.
fn read(folder: &Path, name: &str) -> Result<Attributes, ReadError> {
    let bytes = std::fs::read(folder.join(name)).expect("a file of the index");
    let read = attributes(&bytes)?;
    let mut all: Vec<_> = read.parameters.into_iter().chain(read.of_xml).collect();
    all.sort_by_key(|entry| entry.at);
    Ok(all.into_iter().map(|entry| (entry.name, entry.value)).collect())
}

/// What is left of a value after XML's normalisation, for values without references to blanks.
fn normalised(value: &str) -> String {
    value.replace(['\n', '\t'], " ")
}

/// What expat reads in files, by name; nothing where python3 cannot be run.
fn expat(folder: &Path, names: &[&String]) -> Option<BTreeMap<String, Option<Attributes>>> {
    use std::io::Write as _;
    let child = Command::new("python3")
        .args(["-c", EXPAT])
        .current_dir(folder)
        .env("PYTHONIOENCODING", "utf-8")
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn();
    let Ok(mut child) = child else {
        println!("skipped: python3 is not there");
        return None;
    };
    let list = names.iter().map(|n| n.as_str()).collect::<Vec<_>>().join("\n");
    child.stdin.take().expect("a piped stdin").write_all(list.as_bytes()).expect("python3 reads its names");
    let output = child.wait_with_output().expect("python3 ends");
    assert!(output.status.success(), "python3 failed");
    let text = String::from_utf8(output.stdout).expect("JSON is UTF-8");
    Some(text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect())
}

#[test]
fn exactly_the_listed_files_are_refused_with_line_column_and_reason() {
    let Some((folder, names)) = collection() else { return };
    let refused: BTreeMap<String, String> = names
        .iter()
        .filter_map(|name| {
            read(&folder, name).err().map(|e| (name.clone(), format!("{}\t{}\t{}", e.at.line, e.at.column, kind(&e.reason))))
        })
        .collect();
    let listed: BTreeMap<String, String> = REFUSED
        .lines()
        .filter(|l| !l.starts_with('#'))
        .filter_map(|l| l.split_once('\t'))
        .map(|(name, rest)| (name.to_owned(), rest.to_owned()))
        .collect();
    assert_eq!(refused, listed);
    println!("{} files: {} refused, {} read", names.len(), refused.len(), names.len() - refused.len());
}

#[test]
fn all_other_files_are_read_as_expat_reads_them() {
    let Some((folder, names)) = collection() else { return };
    let taken: Vec<&String> = names.iter().filter(|name| read(&folder, name).is_ok()).collect();
    let Some(expected) = expat(&folder, &taken) else { return };
    let mut values = 0;
    for name in &taken {
        let ours: Attributes = read(&folder, name).expect("read before").into_iter().map(|(n, v)| (n, normalised(&v))).collect();
        let theirs: Attributes = expected[*name]
            .clone()
            .unwrap_or_else(|| panic!("{name} is ill-formed for expat"))
            .into_iter()
            .map(|(n, v)| (n, normalised(&v)))
            .collect();
        assert_eq!(ours, theirs, "{name}");
        values += ours.len();
    }
    println!("{} files with {values} values are the same", taken.len());
    assert!(taken.len() > 75 && values > 20_000, "{} files, {values} values", taken.len());
}

#[test]
fn line_breaks_inside_values_are_kept() {
    let Some((folder, names)) = collection() else { return };
    let mut with_breaks = BTreeSet::new();
    for name in &names {
        let Ok(read) = read(&folder, name) else { continue };
        let source = String::from_utf8(std::fs::read(folder.join(name)).expect("a file")).expect("UTF-8").replace("\r\n", "\n");
        for (_, value) in read.iter().filter(|(_, v)| v.contains('\n')) {
            let written = value.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            assert!(source.contains(&written) || source.contains(value), "{name}: {value}");
            with_breaks.insert(name);
        }
    }
    println!("{} files have line breaks inside values", with_breaks.len());
    assert!(with_breaks.len() >= 4, "{with_breaks:?}");
}

#[test]
fn every_attribute_of_a_file_is_in_the_preview() {
    let Some((folder, names)) = collection() else { return };
    let taken: Vec<&String> = names.iter().filter(|name| read(&folder, name).is_ok()).collect();
    let Some(expected) = expat(&folder, &taken) else { return };
    for name in &taken {
        let file = std::fs::read(folder.join(name)).expect("a file of the index");
        let shown = preview(&ParameterSet::new(), &file, ImportOptions::default()).expect("a parameter file");
        let repeated: usize = shown.conflicts.iter().map(|one| one.values.len() - 1).sum();
        let told = shown.added.len() + shown.left_out.len() + shown.of_xml.len() + shown.refused.len() + repeated;
        let read = expected[*name].as_ref().map(Vec::len);
        assert_eq!(Some(told), read, "{name}");
        assert!(shown.of_xml.iter().all(|one| one.name.starts_with("xmlns") || one.name.contains(':')), "{name}");
    }
}

#[test]
fn vendor_templates_bring_nothing_that_the_server_governs() {
    let Some((folder, _)) = collection() else { return };
    for name in ["device", "site", "applications"] {
        let path = folder.join(format!("cfg/mjmunger-polypytools__issue_35_4.0.15.1009_Config_{name}.cfg"));
        let file = std::fs::read(&path).expect("a vendor template");
        let shown = preview(&ParameterSet::new(), &file, ImportOptions::default()).expect("a parameter file");
        let governed: Vec<&str> = shown.added.iter().map(|g| g.name.as_str()).filter(|n| default_of(n).is_some()).collect();
        assert_eq!(governed, [""; 0], "{name}.cfg");
        assert!(shown.left_out.len() > 20 && shown.refused.is_empty(), "{name}.cfg");
    }
}
