//! What is in a package of software. Nothing of it is trusted: number, names, kinds, sizes and ratio are looked at before anything is
//! unpacked; what is unpacked is counted and checked; and whatever is refused leaves nothing behind.

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufReader, ErrorKind, Read, Seek as _, SeekFrom};

use zip::ZipArchive;
use zip::read::ZipReadOptions;
use zip::result::ZipError;

use super::watch::{Watch, Watched};
use crate::blobs::Blobs;
use crate::domain::image::member::{self, Part};
use crate::domain::image::{ImageFile, KeptPackage, naming};
use crate::domain::limits::{
    PACKAGE_ENTRIES, PACKAGE_SERVED, SCHEMA_BYTES, UNPACKED_ANYWAY_BYTES, UNPACKED_BYTES, UNPACKED_RATIO,
};
use crate::domain::model::ModelTable;
use crate::domain::phone_file::is_part_number;
use crate::domain::software::SoftwareVersion;

/// Bytes that are read of a `sip.ver`: its first word counts.
const VERSION_BYTES: u64 = 1_000;
/// Bytes that one entry of the list at the end of an archive may have on average: it is read into memory.
const LISTED_BYTES: usize = 1_000;
/// Where the end of an archive may be: its comment has at most 64 KiB.
const END_BYTES: i64 = 64 * 1024 + 22;

/// Why a package is not taken.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// Because of what it is: told to whoever uploaded it.
    #[error("{0}")]
    Package(String),
    /// It could not be read or written here.
    #[error("the disk of the server failed")]
    Disk(#[source] std::io::Error),
    /// Somebody cancelled, or the server stops.
    #[error("it was cut short")]
    Cancelled,
}

/// What a package has, before it is unpacked.
#[derive(Debug)]
pub struct Contents {
    kind: Kind,
    /// What is kept: where it stands in the archive, its path, its bytes.
    kept: Vec<Entry>,
    /// The schema's place in the archive.
    schema: Option<usize>,
    /// The version that it tells.
    pub version: Option<SoftwareVersion>,
    /// The families that it is for, by its part numbers, its folders or its name.
    pub families: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Zip,
    /// Served as it came.
    Whole,
}

#[derive(Debug)]
struct Entry {
    index: usize,
    path: String,
    size_bytes: u64,
}

/// What came out of a package. Its contents are removed again where they are not taken.
#[derive(Debug)]
pub struct Unpacked<'a> {
    blobs: &'a Blobs,
    files: Vec<ImageFile>,
    package: Option<KeptPackage>,
    /// The schema's file.
    pub schema: Option<Vec<u8>>,
}

impl Unpacked<'_> {
    /// The files, which from now on are for a row to name.
    pub fn take(&mut self) -> Vec<ImageFile> {
        std::mem::take(&mut self.files)
    }

    /// Holds the package itself too.
    pub fn keep(&mut self, package: KeptPackage) {
        self.package = Some(package);
    }

    /// The package, which from now on is for a row to name.
    pub fn take_package(&mut self) -> Option<KeptPackage> {
        self.package.take()
    }
}

impl Drop for Unpacked<'_> {
    fn drop(&mut self) {
        // What stays in spite of this has no row: the next start removes it.
        self.files.iter().for_each(|file| drop(self.blobs.remove(&file.blob)));
        self.package.iter().for_each(|package| drop(self.blobs.remove(&package.blob)));
    }
}

impl Contents {
    /// Bytes that it is unpacked to.
    pub fn unpacked_bytes(&self) -> u64 {
        self.kept.iter().map(|entry| entry.size_bytes).sum()
    }

    /// Whether it is served as it came.
    pub fn is_whole(&self) -> bool {
        self.kind == Kind::Whole
    }

    /// The paths of what is kept, in lower case: in any letter case they are the same.
    pub fn paths(&self) -> HashSet<String> {
        self.kept.iter().map(|entry| entry.path.to_ascii_lowercase()).collect()
    }

    /// Looks what a package has. `name`: what its file is called.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn look(file: &mut File, name: &str, models: &ModelTable) -> Result<Self, Refused> {
        let size_bytes = file.metadata().map_err(Refused::Disk)?.len();
        let mut begin = [0; 512];
        file.rewind().map_err(Refused::Disk)?;
        let read = read_up_to(file, &mut begin).map_err(Refused::Disk)?;
        file.rewind().map_err(Refused::Disk)?;
        let lower = name.to_ascii_lowercase();
        let mut contents = if begin[..read].starts_with(b"PK") {
            Self::of_zip(file, size_bytes, models)?
        } else if begin.get(257..262) == Some(b"ustar") || lower.ends_with(".tar") {
            check_tar(file)?;
            Self::whole(name, size_bytes)
        } else if lower.ends_with(".ld") && size_bytes > 0 {
            if is_page(&begin[..read]) {
                return Err(refused("it is a web page and no software: a download that went wrong is saved like this"));
            }
            Self::whole(name, size_bytes)
        } else {
            return Err(refused("it is no package of software: neither a ZIP archive, nor a .tar, nor an .ld"));
        };
        contents.version = contents.version.or_else(|| naming::version_in_name(name));
        contents.add_families(name, models);
        Ok(contents)
    }

    fn whole(name: &str, size_bytes: u64) -> Self {
        let entry = Entry { index: 0, path: member::served_name(name), size_bytes };
        Self { kind: Kind::Whole, kept: vec![entry], schema: None, version: None, families: Vec::new() }
    }

    fn of_zip(file: &mut File, size_bytes: u64, models: &ModelTable) -> Result<Self, Refused> {
        check_announced(file, size_bytes)?;
        let mut zip = open_zip(file)?;
        let entries = listed(&mut zip, size_bytes)?;
        let base = member::base(entries.iter().map(|entry| entry.path.as_str()));
        let is_station = !base_has_software(&entries, &base) && is_station_package(&entries, models);
        let mut contents = Self { kind: Kind::Zip, kept: Vec::new(), schema: None, version: None, families: Vec::new() };
        // Software of a RealPresence Group Series is one file, which is taken as it is.
        let tar = entries.iter().map(|entry| &entry.path).find(|path| path.to_ascii_lowercase().ends_with(".tar")).cloned();
        for entry in entries {
            let Some(path) = member::below(&base, &entry.path) else { continue };
            match member::part(path) {
                Part::Schema => contents.schema = contents.schema.or(Some(entry.index)),
                Part::LeftOut if !is_station => {}
                part => {
                    if part == Part::Version {
                        contents.version = version_of(&mut zip, entry.index)?;
                    }
                    if is_software(path) {
                        check_software(&mut zip, &entry)?;
                    }
                    contents.kept.push(Entry { path: path.to_owned(), ..entry });
                }
            }
        }
        if contents.kept.iter().all(|entry| !is_software(&entry.path)) && !is_station {
            let next = tar.map_or_else(String::new, |tar| format!("; unpack it and upload “{tar}” by itself"));
            return Err(refused(format!("it has no software: no file in it ends in .ld{next}")));
        }
        if contents.kept.len() > PACKAGE_SERVED {
            let count = contents.kept.len();
            return Err(refused(format!("it has {count} files for phones; at most {PACKAGE_SERVED} are taken")));
        }
        Ok(contents)
    }

    /// Part numbers say for whom it is, the most frequent family first; without a known one the folders of languages do where there is one
    /// image for all, and the name of the package.
    fn add_families(&mut self, name: &str, models: &ModelTable) {
        let parts = self.kept.iter().filter_map(|entry| part_number(&entry.path));
        let of_parts = parts.filter_map(|part| models.by_part_number(&part)).map(|model| &model.family);
        let mut counted: Vec<(&String, usize)> = Vec::new();
        for family in of_parts {
            match counted.iter_mut().find(|(one, _)| *one == family) {
                Some((_, count)) => *count += 1,
                None => counted.push((family, 1)),
            }
        }
        counted.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        self.families = counted.into_iter().map(|(family, _)| family.clone()).collect();
        if self.families.is_empty() {
            self.families = naming::families_in_name(name, models);
        }
    }

    /// Unpacks what is kept.
    ///
    /// # Errors
    /// [`Refused`]; then nothing is left of it.
    pub fn unpack<'a>(&self, file: &mut File, blobs: &'a Blobs, watch: &Watch) -> Result<Unpacked<'a>, Refused> {
        watch.begin(self.unpacked_bytes());
        let mut unpacked = Unpacked { blobs, files: Vec::new(), package: None, schema: None };
        file.rewind().map_err(Refused::Disk)?;
        if self.kind == Kind::Whole {
            for entry in &self.kept {
                unpacked.files.push(keep(entry, &mut *file, blobs, watch)?);
            }
            return Ok(unpacked);
        }
        let mut zip = open_zip(file)?;
        for entry in &self.kept {
            let content = zip.by_index_with_options(entry.index, consistent()).map_err(broken)?;
            unpacked.files.push(keep(entry, content, blobs, watch)?);
        }
        if let Some(index) = self.schema {
            unpacked.schema = Some(small(&mut zip, index, SCHEMA_BYTES as u64)?);
        }
        Ok(unpacked)
    }
}

/// Whether the software of a package is where its base is.
fn base_has_software(entries: &[Entry], base: &str) -> bool {
    entries.iter().filter_map(|entry| member::below(base, &entry.path)).any(is_software)
}

/// Packages of conference stations have files of their own kinds; they say whose they are by their names.
fn is_station_package(entries: &[Entry], models: &ModelTable) -> bool {
    let station = |entry: &Entry| naming::families_in_name(&entry.path, models).iter().any(|family| family == "CX");
    entries.iter().any(station)
}

/// Whether a file is software for some hardware, by its name.
pub(super) fn is_software(path: &str) -> bool {
    path.to_ascii_lowercase().ends_with(".ld")
}

/// The part number that a file's name begins with.
fn part_number(path: &str) -> Option<String> {
    let first = path.split('.').next()?;
    (is_software(path) && is_part_number(first)).then(|| first.to_owned())
}

/// How many files an archive announces, and how much its list takes: that list is read into memory.
fn check_announced(file: &mut File, size_bytes: u64) -> Result<(), Refused> {
    const END: &[u8] = b"PK\x05\x06";
    let back = END_BYTES.min(i64::try_from(size_bytes).unwrap_or(i64::MAX));
    file.seek(SeekFrom::End(-back)).map_err(Refused::Disk)?;
    let mut tail = Vec::new();
    file.take(END_BYTES.unsigned_abs()).read_to_end(&mut tail).map_err(Refused::Disk)?;
    file.rewind().map_err(Refused::Disk)?;
    let end = tail.windows(END.len()).rposition(|bytes| bytes == END).and_then(|at| tail.get(at..));
    let number = |at: usize, bytes: usize| {
        let digits = end?.get(at..at + bytes)?;
        Some(digits.iter().rev().fold(0_usize, |number, digit| number * 256 + usize::from(*digit)))
    };
    let (Some(count), Some(list_bytes)) = (number(10, 2), number(12, 4)) else {
        return Err(refused("the archive has no end: it did not arrive whole, or is damaged"));
    };
    if count > PACKAGE_ENTRIES || list_bytes > PACKAGE_ENTRIES * LISTED_BYTES {
        return Err(refused(too_many()));
    }
    Ok(())
}

fn too_many() -> String {
    format!("it has more than {PACKAGE_ENTRIES} files; a package of software has a few hundred")
}

fn open_zip(file: &mut File) -> Result<ZipArchive<BufReader<&mut File>>, Refused> {
    ZipArchive::new(BufReader::with_capacity(256 * 1024, file)).map_err(broken)
}

/// The files of an archive whose every name, kind and size is in order.
fn listed(zip: &mut ZipArchive<BufReader<&mut File>>, size_bytes: u64) -> Result<Vec<Entry>, Refused> {
    if zip.len() > PACKAGE_ENTRIES {
        return Err(refused(too_many()));
    }
    if zip.has_duplicate_names() {
        return Err(refused("it has a name twice"));
    }
    let (mut entries, mut names, mut total) = (Vec::new(), HashSet::new(), 0_u64);
    for index in 0..zip.len() {
        let entry = zip.by_index_raw(index).map_err(broken)?;
        let name = entry.name().map_err(broken)?.into_owned();
        let path = plain(&name)?;
        if name.ends_with('/') && entry.size() == 0 && !entry.is_symlink() {
            continue;
        }
        if entry.is_symlink() || !entry.is_file() || path.is_empty() {
            return Err(of_file(&name, "is no file: a link, or something else"));
        }
        if entry.encrypted() {
            return Err(of_file(&name, "is encrypted"));
        }
        // A path is found in any letter case.
        if !names.insert(path.to_lowercase()) {
            return Err(of_file(&name, "is there twice"));
        }
        total = total.saturating_add(entry.size());
        entries.push(Entry { index, path, size_bytes: entry.size() });
    }
    let is_bomb = total > UNPACKED_ANYWAY_BYTES && total / UNPACKED_RATIO > size_bytes;
    if total > UNPACKED_BYTES || is_bomb {
        return Err(refused(format!("its {size_bytes} bytes would become {total}; that is too much")));
    }
    if zip.has_overlapping_entries().map_err(broken)? {
        return Err(refused("files in it lie over one another"));
    }
    Ok(entries)
}

/// Refuses what is called software and is none: empty, or the page of a web server in its place. Images begin with names and values, and
/// with bytes that we know nothing of; what is signed wrongly a phone refuses by itself.
fn check_software(zip: &mut ZipArchive<BufReader<&mut File>>, entry: &Entry) -> Result<(), Refused> {
    if entry.size_bytes == 0 {
        return Err(of_file(&entry.path, "is empty"));
    }
    let mut begin = [0; 512];
    let mut content = zip.by_index_with_options(entry.index, consistent()).map_err(broken)?;
    let read = read_up_to(&mut content, &mut begin).map_err(damaged)?;
    if is_page(&begin[..read]) { Err(of_file(&entry.path, "is a web page and no software")) } else { Ok(()) }
}

/// Whether a file begins like a page of a web server.
fn is_page(begin: &[u8]) -> bool {
    begin.trim_ascii_start().starts_with(b"<")
}

/// The first word of a `sip.ver`.
fn version_of(zip: &mut ZipArchive<BufReader<&mut File>>, index: usize) -> Result<Option<SoftwareVersion>, Refused> {
    let mut text = Vec::new();
    let entry = zip.by_index_with_options(index, consistent()).map_err(broken)?;
    entry.take(VERSION_BYTES).read_to_end(&mut text).map_err(damaged)?;
    Ok(naming::version_told(&String::from_utf8_lossy(&text)))
}

/// A whole file of bounded size.
fn small(zip: &mut ZipArchive<BufReader<&mut File>>, index: usize, most: u64) -> Result<Vec<u8>, Refused> {
    let entry = zip.by_index_with_options(index, consistent()).map_err(broken)?;
    let (size, mut bytes) = (entry.size(), Vec::new());
    entry.take(size.min(most) + 1).read_to_end(&mut bytes).map_err(damaged)?;
    if bytes.len() as u64 > most { Err(refused("the schema in it is too large")) } else { Ok(bytes) }
}

/// What stands in front of a file has to say what the list at the end says.
fn consistent<'a>() -> ZipReadOptions<'a> {
    ZipReadOptions::new().enforce_header_consistency(true)
}

/// Keeps one file, byte for byte as long as it was announced.
fn keep(entry: &Entry, content: impl Read, blobs: &Blobs, watch: &Watch) -> Result<ImageFile, Refused> {
    let mut source = Watched::new(content.take(entry.size_bytes.saturating_add(1)), watch);
    let written = blobs.put_from(&mut source);
    if watch.is_cancelled() {
        // What was written of it is gone, or has no row.
        drop(written.map(|written| blobs.remove(&written.blob)));
        return Err(Refused::Cancelled);
    }
    match (written, source.failure) {
        (Ok(written), _) if written.size_bytes != entry.size_bytes => {
            drop(blobs.remove(&written.blob));
            let told = format!("has {} bytes and not {}, as the archive says", written.size_bytes, entry.size_bytes);
            Err(of_file(&entry.path, &told))
        }
        (Ok(written), _) => {
            Ok(ImageFile { path: entry.path.clone(), size_bytes: written.size_bytes, sha256: written.sha256, blob: written.blob })
        }
        (Err(_), Some(why)) => Err(of_file(&entry.path, &format!("is damaged: {why}"))),
        (Err(error), None) => Err(Refused::Disk(error)),
    }
}

/// A `.tar` is served as it came: the device unpacks it. It has to be one, and a harmless one.
fn check_tar(file: &mut File) -> Result<(), Refused> {
    let mut tar = tar::Archive::new(BufReader::new(file));
    let of_tar = |error: std::io::Error| refused(format!("it is no .tar that can be read: {error}"));
    let (mut names, mut count) = (HashSet::new(), 0);
    for entry in tar.entries().map_err(of_tar)? {
        let entry = entry.map_err(of_tar)?;
        count += 1;
        if count > PACKAGE_ENTRIES {
            return Err(refused(too_many()));
        }
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let path = plain(&name)?;
        let kind = entry.header().entry_type();
        if !(kind.is_file() || kind.is_dir()) {
            return Err(of_file(&name, "is no file: a link, or something else"));
        }
        if kind.is_file() && !names.insert(path.to_lowercase()) {
            return Err(of_file(&name, "is there twice"));
        }
        if entry.size() > UNPACKED_BYTES {
            return Err(of_file(&name, "is too large"));
        }
    }
    if count == 0 { Err(refused("it is an empty .tar, or did not arrive whole")) } else { Ok(()) }
}

fn plain(name: &str) -> Result<String, Refused> {
    member::path(name).map_err(|why| of_file(name, why))
}

fn read_up_to(file: &mut impl Read, into: &mut [u8]) -> std::io::Result<usize> {
    let mut read = 0;
    while read < into.len() {
        match file.read(&mut into[read..]) {
            Ok(0) => break,
            Ok(bytes) => read += bytes,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(read)
}

fn refused(why: impl Into<String>) -> Refused {
    Refused::Package(why.into())
}

fn of_file(name: &str, why: &str) -> Refused {
    let shown = crate::domain::run::clean(name, 80);
    Refused::Package(format!("a file in it, {shown:?}, {why}"))
}

fn broken(error: ZipError) -> Refused {
    refused(format!("it is no ZIP archive that can be read: {error}"))
}

fn damaged(error: std::io::Error) -> Refused {
    refused(format!("it is damaged: {error}"))
}

#[cfg(test)]
#[path = "package_tests.rs"]
mod tests;
