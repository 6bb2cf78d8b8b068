//! Packages, honest and hostile, made here and looked at on a real disk.

use std::io::{Cursor, Write};
use std::path::Path;

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::*;
use crate::catalog::models::models;

const SPLIT: &str = "Polycom-UC-Software-5.9.8-rts63-release-sig-split.zip";

/// An archive of these files.
fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in files {
        zip.start_file(*name, SimpleFileOptions::default()).expect("a name");
        zip.write_all(content).expect("written");
    }
    zip.finish().expect("an archive").into_inner()
}

struct Disk(tempfile::TempDir);

impl Disk {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary directory"))
    }

    fn blobs(&self) -> Blobs {
        Blobs::open(self.0.path().join("blobs"), self.0.path().join("logs")).expect("folders")
    }

    /// How many files lie below the folder of contents.
    fn files(&self) -> usize {
        fn count(folder: &Path) -> usize {
            let entries = std::fs::read_dir(folder).expect("readable").map(|entry| entry.expect("readable").path());
            entries.map(|path| if path.is_dir() { count(&path) } else { 1 }).sum()
        }
        count(&self.0.path().join("blobs"))
    }
}

fn stored(package: &[u8]) -> File {
    let mut file = tempfile::tempfile().expect("a file");
    file.write_all(package).expect("written");
    file
}

/// What becomes of a package: its paths, or why it is refused. Then nothing lies on the disk.
fn paths(name: &str, package: &[u8]) -> Result<Vec<String>, String> {
    let (disk, mut file) = (Disk::new(), stored(package));
    let blobs = disk.blobs();
    let unpacked = Contents::look(&mut file, name, models()).and_then(|one| one.unpack(&mut file, &blobs, &Watch::default()));
    let outcome = match unpacked {
        Ok(mut unpacked) => Ok(unpacked.take().into_iter().map(|file| file.path).collect()),
        Err(refused) => Err(refused.to_string()),
    };
    assert!(outcome.is_ok() || disk.files() == 0, "something is left of {name}");
    outcome
}

fn why(package: &[u8]) -> String {
    paths(SPLIT, package).expect_err("it is refused")
}

/// A file of software beside others, so that only the others can be why a package is refused.
fn beside(others: &[(&str, &[u8])]) -> Vec<u8> {
    let mut files = vec![("3111-44500-001.sip.ld", &b"image"[..])];
    files.extend_from_slice(others);
    archive(&files)
}

#[test]
fn a_split_package_is_unpacked_to_what_phones_fetch() {
    let package = archive(&[
        ("3111-44500-001.sip.ld", b"one"),
        ("3111-48450-001.sip.ld", b"two"),
        ("2345-12600-001.sip.ld", b"three"),
        ("sip.ver", b"5.9.8.5760"),
        ("000000000000.cfg", b"sample"),
        ("Config/site.cfg", b"sample"),
        ("Config/polycomConfig.xsd", b"<schema/>"),
        ("VVXLocalization/Chinese_China/VVX-dictionary.xml", b"<x/>"),
        ("Beach.jpg", b"picture"),
    ]);
    let (disk, mut file) = (Disk::new(), stored(&package));
    let blobs = disk.blobs();
    let contents = Contents::look(&mut file, SPLIT, models()).expect("in order");
    assert_eq!(contents.version.as_ref().map(ToString::to_string).as_deref(), Some("5.9.8.5760"), "not that of the name");
    assert_eq!(contents.families, ["VVX", "SoundPoint IP"], "the most frequent one first");
    let watch = Watch::default();
    let mut unpacked = contents.unpack(&mut file, &blobs, &watch).expect("unpacked");
    assert_eq!((watch.percent(), unpacked.schema.as_deref()), (100, Some(&b"<schema/>"[..])));
    let files = unpacked.take();
    let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "3111-44500-001.sip.ld",
            "3111-48450-001.sip.ld",
            "2345-12600-001.sip.ld",
            "sip.ver",
            "VVXLocalization/Chinese_China/VVX-dictionary.xml",
            "Beach.jpg"
        ]
    );
    assert_eq!(blobs.read(&files[1].blob).expect("kept"), b"two");
    assert_eq!((files[1].size_bytes, disk.files()), (3, 6));
}

#[test]
fn what_nobody_takes_is_removed_again() {
    let (disk, mut file) = (Disk::new(), stored(&beside(&[])));
    let blobs = disk.blobs();
    let contents = Contents::look(&mut file, SPLIT, models()).expect("in order");
    drop(contents.unpack(&mut file, &blobs, &Watch::default()).expect("unpacked"));
    assert_eq!(disk.files(), 0);
    let watch = Watch::default();
    watch.cancel();
    assert!(matches!(contents.unpack(&mut file, &blobs, &watch), Err(Refused::Cancelled)));
    assert_eq!(disk.files(), 0);
}

#[test]
fn packages_of_all_kinds_are_known_for_what_they_are() {
    let of = |name: &str, package: &[u8]| {
        let contents = Contents::look(&mut stored(package), name, models()).expect("in order");
        (contents.version.map(|version| version.to_string()).unwrap_or_default(), contents.families.join(","))
    };
    let combined = archive(&[("Poly/sip.ld", b"all"), ("Poly/sip.ver", b"4.0.11.0583 rts28")]);
    assert_eq!(of("Polycom-UC-Software-4-0-11.zip", &combined), ("4.0.11.0583".to_owned(), String::new()));
    let trio = archive(&[("3111-65290-001.sip.ld", b"trio")]);
    let name = "Polycom_UC_Software_5_7_1_4133_AB_Trio8800_release.zip";
    assert_eq!(of(name, &trio), ("5.7.1.4133".to_owned(), "Trio".to_owned()));
    let unknown = archive(&[("9999-65290-001.sip.ld", b"ccx")]);
    assert_eq!(of("Poly_CCX_9_4_1.zip", &unknown), ("9.4.1".to_owned(), "CCX".to_owned()));
    assert_eq!(of("3111-44500-001.sip.ld", b"SigKey=152"), (String::new(), "VVX".to_owned()));
    let mut tar = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_ustar();
    header.set_size(4);
    tar.append_data(&mut header, "image.bin", &b"data"[..]).expect("added");
    let tar = tar.into_inner().expect("a tar");
    assert_eq!(of("polycom-release-6.2.2-562024.tar", &tar).0, "6.2.2");
    assert_eq!(paths("polycom-release-6.2.2.tar", &tar), Ok(vec!["polycom-release-6.2.2.tar".to_owned()]));
}

#[test]
fn names_that_lead_elsewhere_refuse_the_whole_package() {
    for (name, told) in [
        ("../../etc/passwd", "leads out of the archive"),
        ("/etc/passwd", "begins at the root"),
        ("..\\windows\\x", "backslash"),
        ("C:/x.ld", "drive"),
        ("a/../../b", "leads out"),
    ] {
        let refused = why(&beside(&[(name, b"x")]));
        assert!(refused.contains(told), "{name}: {refused}");
    }
}

#[test]
fn links_refuse_the_whole_package() {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("3111-44500-001.sip.ld", SimpleFileOptions::default()).expect("a name");
    zip.add_symlink("Beach.jpg", "/etc/passwd", SimpleFileOptions::default()).expect("a link");
    assert!(why(&zip.finish().expect("an archive").into_inner()).contains("a link"));
    for kind in [tar::EntryType::Symlink, tar::EntryType::Link, tar::EntryType::Char, tar::EntryType::Fifo] {
        let mut tar = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_ustar();
        header.set_entry_type(kind);
        header.set_size(0);
        header.set_link_name("/etc/passwd").expect("a name");
        tar.append_data(&mut header, "image.bin", &b""[..]).expect("added");
        let tar = tar.into_inner().expect("a tar");
        assert!(paths("release-6.2.2.tar", &tar).expect_err("refused").contains("a link"), "{kind:?}");
    }
}

#[test]
fn a_bomb_and_too_many_files_are_refused_before_anything_is_unpacked() {
    let zeros = vec![0; 32 * 1024 * 1024];
    assert!(why(&beside(&[("Beach.jpg", &zeros)])).contains("that is too much"));
    let names: Vec<String> = (0..70_000).map(|number| format!("{number}.wav")).collect();
    let many: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), &b""[..])).collect();
    assert!(why(&beside(&many)).contains("more than 10000 files"));
    assert!(why(&beside(&many[..12_000])).contains("more than 10000 files"));
    assert!(why(&beside(&many[..4_000])).contains("4001 files for phones"));
}

/// Replaces the only place where something stands in an archive.
fn replaced(mut package: Vec<u8>, old: &[u8], new: &[u8], which: usize) -> Vec<u8> {
    let places: Vec<usize> = package.windows(old.len()).enumerate().filter(|(_, at)| *at == old).map(|(at, _)| at).collect();
    package[places[which]..places[which] + new.len()].copy_from_slice(new);
    package
}

#[test]
fn names_that_are_there_twice_are_refused() {
    assert!(why(&beside(&[("Beach.jpg", b"1"), ("beach.JPG", b"2")])).contains("twice"));
    // The library writes no name twice: the second one is renamed, in front of its content and in the list.
    let package = beside(&[("Beach1.jpg", b"1"), ("Beach2.jpg", b"2")]);
    let twice = replaced(replaced(package, b"Beach2.jpg", b"Beach1.jpg", 0), b"Beach2.jpg", b"Beach1.jpg", 0);
    assert!(why(&twice).contains("twice"));
}

#[test]
fn headers_that_lie_are_refused() {
    let stored = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("3111-44500-001.sip.ld", stored).expect("a name");
    zip.write_all(&[7; 1_000]).expect("written");
    let package = zip.finish().expect("an archive").into_inner();
    assert!(paths(SPLIT, &package).is_ok());
    // Its unpacked size, in front of it and in the list.
    let size = 1_000_u32.to_le_bytes();
    let places: Vec<usize> = package.windows(4).enumerate().filter(|(_, at)| *at == size).map(|(at, _)| at).collect();
    assert!(places.len() >= 4, "packed and unpacked size, twice");
    for wrong in [10_u32, 5_000, 3_000_000_000] {
        let mut lying = package.clone();
        // The list tells another unpacked size than what is there.
        let at = places[places.len() - 1];
        lying[at..at + 4].copy_from_slice(&wrong.to_le_bytes());
        assert!(paths(SPLIT, &lying).is_err(), "{wrong}");
        // Both do.
        lying[places[1]..places[1] + 4].copy_from_slice(&wrong.to_le_bytes());
        assert!(paths(SPLIT, &lying).is_err(), "{wrong} in both");
    }
    // A byte of the content is another one.
    let damaged = replaced(package, &[7; 10], &[8; 1], 0);
    assert!(why(&damaged).contains("damaged"), "{}", why(&damaged));
}

#[test]
fn what_is_cut_off_or_is_something_else_is_refused() {
    let package = beside(&[("Beach.jpg", b"x")]);
    assert!(why(&package[..package.len() / 2]).contains("no end"));
    assert!(paths("sip.zip", b"hello").expect_err("refused").contains("no package of software"));
    assert!(paths("x.zip", b"").expect_err("refused").contains("no package of software"));
    assert!(paths("release.tar", b"").expect_err("refused").contains("empty"));
    assert!(paths("release.tar", &[1; 2_000]).expect_err("refused").contains("no .tar"));
    assert!(why(&archive(&[("3111-44500-001.sip.ld", b"\n<html>Not found")])).contains("web page"));
    assert!(why(&archive(&[("3111-44500-001.sip.ld", b"")])).contains("is empty"));
    assert!(
        why(&archive(&[("release/group-6.2.2.tar", b"x"), ("key.txt", b"x")]))
            .contains("upload “release/group-6.2.2.tar” by itself")
    );
    assert!(why(&archive(&[("readme.txt", b"x")])).contains("no software"));
    assert!(why(&archive(&[])).contains("no software"));
}

#[test]
fn names_of_packages_tell_families_and_no_family_hides_in_another_word() {
    let of = |name| naming::families_in_name(name, models());
    assert_eq!(of("Polycom_UC_Software_5_7_1_4133_AB_Trio8800_release.zip"), ["Trio"]);
    assert_eq!(of("Poly_CCX_9.4.1.zip"), ["CCX"]);
    let mut three = of("spip_ssip_vvx_3_2_4B_release_sig_split.zip");
    three.sort();
    assert_eq!(three, ["SoundPoint IP", "SoundStation IP", "VVX"]);
    assert_eq!(of("CX5100-1.3.0.zip"), ["CX"]);
    assert_eq!(of("Poly_EdgeE350_8.3.0.zip"), ["Edge E"]);
    assert_eq!(of("UC_Software_6_4_6_release_sig_split.zip"), Vec::<String>::new());
}
