//! A backup as a ZIP archive of which no byte can be changed unseen: its comment, the very last thing in it, is the hash of
//! everything before.
//!
//! It is written in one go, from beginning to end, so that it can go into a file, a connection or through encryption. Reading trusts
//! nothing: sizes and names are looked at before anything is unpacked, and what is unpacked is counted and hashed.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};

use sha2::{Digest as _, Sha256};
use zip::write::{SimpleFileOptions, StreamWriter};
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use super::BackupError;
use super::manifest::{FORMAT, Kind, MANIFEST, Manifest, Member, PRODUCT};
use crate::store::Store;

/// What the comment begins with; the hash follows.
const COMMENT: &str = "pdms backup, SHA-256 of everything before: ";
/// Characters of the hash.
const HASH_CHARS: usize = 64;
/// How much is copied at a time.
const CHUNK_BYTES: usize = 64 * 1024;
/// How many times its packed size a backup may be unpacked; rows of like devices reach thirty.
const MOST_RATIO: u64 = 200;
/// What may be unpacked whatever the ratio.
const SMALL_BYTES: u64 = 16 * 1024 * 1024;
/// Members that a backup may have.
const MOST_MEMBERS: usize = 2_000_000;

/// Passes bytes on and hashes them; the last ones, where the hash goes, wait.
pub(super) struct Trailer<W> {
    out: W,
    hash: Sha256,
    last: Vec<u8>,
    /// After a failure nothing is written any more: the library would still try to finish the archive.
    failed: bool,
}

impl<W: Write> Trailer<W> {
    pub(super) fn finish(mut self) -> io::Result<()> {
        if self.failed || self.last.len() != HASH_CHARS {
            return Err(io::Error::other("the archive was not finished"));
        }
        self.out.write_all(hex::encode(self.hash.finalize()).as_bytes())?;
        self.out.flush()
    }

    fn pass_on(&mut self) -> io::Result<()> {
        let ready = self.last.len().saturating_sub(HASH_CHARS);
        self.hash.update(&self.last[..ready]);
        self.out.write_all(&self.last[..ready])?;
        self.last.drain(..ready);
        Ok(())
    }
}

impl<W: Write> Write for Trailer<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !self.failed {
            self.last.extend_from_slice(bytes);
            self.failed = true;
            self.pass_on()?;
            self.failed = false;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// An archive that is being written.
pub(super) struct Writing<W: Write> {
    pub(super) zip: ZipWriter<StreamWriter<Trailer<W>>>,
    members: Vec<Member>,
}

impl<W: Write> Writing<W> {
    pub(super) fn begin(out: W) -> Result<Self, BackupError> {
        let mut zip = ZipWriter::new_stream(Trailer { out, hash: Sha256::new(), last: Vec::new(), failed: false });
        zip.set_comment(format!("{COMMENT}{}", "0".repeat(HASH_CHARS))).map_err(written)?;
        Ok(Self { zip, members: Vec::new() })
    }

    /// Writes a member. Content that is encrypted already is stored as it is.
    pub(super) fn member<T>(
        &mut self,
        name: &str,
        packed: bool,
        fill: impl FnOnce(&mut Counting<'_>) -> Result<T, BackupError>,
    ) -> Result<T, BackupError> {
        let method = if packed { CompressionMethod::Deflated } else { CompressionMethod::Stored };
        let options = SimpleFileOptions::default().compression_method(method).large_file(true).unix_permissions(0o600);
        self.zip.start_file(name, options).map_err(written)?;
        let mut counting = Counting { out: &mut self.zip, hash: Sha256::new(), bytes: 0 };
        let value = fill(&mut counting)?;
        let (size_bytes, sha256) = (counting.bytes, hex::encode(counting.hash.finalize()));
        self.members.push(Member { name: name.to_owned(), size_bytes, sha256 });
        Ok(value)
    }

    /// Writes the manifest, which lists all members, and the end.
    pub(super) fn finish(mut self, manifest: Manifest) -> Result<Manifest, BackupError> {
        let members = std::mem::take(&mut self.members);
        let manifest = Manifest { members, ..manifest };
        let text = serde_json::to_vec_pretty(&manifest).map_err(|error| BackupError::writing(error.into()))?;
        self.member(MANIFEST, true, |out| out.write_all(&text).map_err(BackupError::writing))?;
        let trailer = self.zip.finish().map_err(written)?.into_inner();
        trailer.finish().map_err(BackupError::writing)?;
        Ok(manifest)
    }
}

/// Where a member's content goes.
pub(super) struct Counting<'a> {
    out: &'a mut dyn Write,
    hash: Sha256,
    bytes: u64,
}

impl Write for Counting<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.out.write(bytes)?;
        self.hash.update(&bytes[..count]);
        self.bytes += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// What a backup is read from.
pub(super) trait Source: Read + Seek {}

impl<T: Read + Seek> Source for T {}

/// An archive whose hash, names and sizes are right; its members are checked while they are read.
pub(super) struct Reading<'a> {
    zip: ZipArchive<Box<dyn Source + 'a>>,
    manifest: Manifest,
}

impl<'a> Reading<'a> {
    /// Checks everything that can be told before a member is unpacked.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn open(mut from: Box<dyn Source + 'a>) -> Result<Self, BackupError> {
        let bytes = check_hash(&mut from)?;
        let mut zip = ZipArchive::new(from).map_err(of_zip)?;
        check_entries(&mut zip, bytes)?;
        let manifest = read_manifest(&mut zip)?;
        check_members(&zip, &manifest)?;
        Ok(Self { zip, manifest })
    }

    pub(super) fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Shows each member's kind and content; what is left unread is read to its end, for its hash.
    ///
    /// # Errors
    /// A member is not what the manifest says; what `visit` reports.
    pub(super) fn each(
        &mut self,
        mut visit: impl FnMut(Kind<'_>, &mut dyn Read) -> Result<(), BackupError>,
    ) -> Result<(), BackupError> {
        for member in &self.manifest.members {
            let kind = Kind::of(&member.name).ok_or_else(|| refused_name(&member.name))?;
            let entry = self.zip.by_name(&member.name).map_err(of_zip)?;
            // One byte more than there may be shows that there is more.
            let mut content = Hashed { from: entry.take(member.size_bytes.saturating_add(1)), hash: Sha256::new(), bytes: 0 };
            visit(kind, &mut content)?;
            io::copy(&mut content, &mut io::sink()).map_err(BackupError::reading)?;
            if content.bytes != member.size_bytes || hex::encode(content.hash.finalize()) != member.sha256 {
                return Err(BackupError::Damaged(format!("{} is not what the manifest says", member.name)));
            }
        }
        Ok(())
    }
}

struct Hashed<R> {
    from: R,
    hash: Sha256,
    bytes: u64,
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.from.read(into)?;
        self.hash.update(&into[..count]);
        self.bytes += count as u64;
        Ok(count)
    }
}

/// Whether a file ends as only our archives do. Its hash is not looked at: a damaged backup is one too.
///
/// # Errors
/// It cannot be read.
pub(super) fn is_ours(file: &mut File) -> io::Result<bool> {
    let end = (COMMENT.len() + HASH_CHARS) as u64;
    let bytes = file.metadata()?.len();
    if bytes < end {
        return Ok(false);
    }
    file.seek(SeekFrom::Start(bytes - end))?;
    let mut comment = [0; COMMENT.len()];
    file.read_exact(&mut comment)?;
    Ok(comment == *COMMENT.as_bytes())
}

/// Whether the hash at the end is that of everything before it. Answers the archive's size.
fn check_hash(from: &mut dyn Source) -> Result<u64, BackupError> {
    let bytes = from.seek(SeekFrom::End(0)).map_err(BackupError::reading)?;
    let end = (COMMENT.len() + HASH_CHARS) as u64;
    if bytes < end {
        return Err(BackupError::NoBackup("it is too short"));
    }
    from.rewind().map_err(BackupError::reading)?;
    let mut hash = Sha256::new();
    let mut left = bytes - HASH_CHARS as u64;
    let mut chunk = vec![0; CHUNK_BYTES];
    while left > 0 {
        let count = chunk.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        from.read_exact(&mut chunk[..count]).map_err(BackupError::reading)?;
        hash.update(&chunk[..count]);
        left -= count as u64;
    }
    let mut found = [0; HASH_CHARS];
    from.read_exact(&mut found).map_err(BackupError::reading)?;
    if found != *hex::encode(hash.finalize()).as_bytes() {
        return Err(BackupError::Damaged("its hash is not that of its content".to_owned()));
    }
    Ok(bytes)
}

/// Looks at every header before anything is unpacked.
fn check_entries(zip: &mut ZipArchive<Box<dyn Source + '_>>, bytes: u64) -> Result<(), BackupError> {
    let refused = |why: String| Err(BackupError::Refused(why));
    if zip.len() > MOST_MEMBERS {
        return refused(format!("it has {} members", zip.len()));
    }
    if zip.has_duplicate_names() {
        return refused("a name stands in it twice".to_owned());
    }
    if zip.has_overlapping_entries().map_err(of_zip)? {
        return refused("two members share their content".to_owned());
    }
    let mut unpacked: u64 = 0;
    for index in 0..zip.len() {
        let entry = zip.by_index_raw(index).map_err(of_zip)?;
        let name = entry.name().map_err(of_zip)?.into_owned();
        let Some(kind) = Kind::of(&name) else { return Err(refused_name(&name)) };
        if entry.is_symlink() || !entry.is_file() || entry.encrypted() {
            return refused(format!("{name} is no plain file"));
        }
        if entry.size() > kind.most_bytes() {
            return refused(format!("{name} would have {} bytes, more than any of ours", entry.size()));
        }
        unpacked = unpacked.saturating_add(entry.size());
    }
    if unpacked > SMALL_BYTES && unpacked > bytes.saturating_mul(MOST_RATIO) {
        return refused(format!("its {bytes} bytes would become {unpacked}"));
    }
    Ok(())
}

fn read_manifest(zip: &mut ZipArchive<Box<dyn Source + '_>>) -> Result<Manifest, BackupError> {
    if zip.index_for_name(MANIFEST).is_none() {
        return Err(BackupError::Refused(format!("it has no {MANIFEST}")));
    }
    let entry = zip.by_name(MANIFEST).map_err(of_zip)?;
    let mut text = Vec::new();
    entry.take(Kind::Manifest.most_bytes()).read_to_end(&mut text).map_err(BackupError::reading)?;
    let unreadable = |error: serde_json::Error| BackupError::Damaged(format!("its manifest cannot be read ({error})"));
    // The numbers first: a newer manifest may have another form.
    let Numbers { format, product, schema } = serde_json::from_slice(&text).map_err(unreadable)?;
    if product != PRODUCT {
        let shown: String = product.chars().take(80).collect();
        return Err(BackupError::Refused(format!("it is one of {shown:?}, not of {PRODUCT}")));
    }
    if format == 0 || schema == 0 {
        return Err(BackupError::Refused("its format or database version is 0, which there never was".to_owned()));
    }
    if format > FORMAT {
        return Err(BackupError::Newer { what: "format", found: format, known: FORMAT });
    }
    if schema > Store::schema_known() {
        return Err(BackupError::Newer { what: "database version", found: schema, known: Store::schema_known() });
    }
    serde_json::from_slice(&text).map_err(unreadable)
}

#[derive(serde::Deserialize)]
struct Numbers {
    format: u32,
    product: String,
    schema: u32,
}

/// Whether manifest and archive name the same members, each once, and the two without which there is no state.
fn check_members(zip: &ZipArchive<Box<dyn Source + '_>>, manifest: &Manifest) -> Result<(), BackupError> {
    let listed: BTreeSet<&str> = manifest.members.iter().map(|member| member.name.as_str()).collect();
    if listed.len() != manifest.members.len() || listed.contains(MANIFEST) {
        return Err(BackupError::Refused("its manifest lists a member twice, or itself".to_owned()));
    }
    for name in [super::manifest::ROWS, super::manifest::KEY] {
        if !listed.contains(name) {
            return Err(BackupError::Refused(format!("it has no {name}")));
        }
    }
    let mut found = BTreeSet::from([MANIFEST.to_owned()]);
    for name in zip.file_names() {
        found.insert(name.map_err(of_zip)?.into_owned());
    }
    if let Some(name) = found.iter().find(|name| *name != MANIFEST && !listed.contains(name.as_str())) {
        return Err(BackupError::Refused(format!("{name} is not in its manifest")));
    }
    match listed.iter().find(|name| !found.contains(**name)) {
        Some(name) => Err(BackupError::Damaged(format!("{name} is missing"))),
        None => Ok(()),
    }
}

fn refused_name(name: &str) -> BackupError {
    let shown: String = name.chars().take(80).collect();
    BackupError::Refused(format!("{shown:?} is no name that a backup of ours has"))
}

fn written(error: zip::result::ZipError) -> BackupError {
    match error {
        zip::result::ZipError::Io(error) => BackupError::writing(error),
        other => BackupError::writing(io::Error::other(other)),
    }
}

fn of_zip(error: zip::result::ZipError) -> BackupError {
    match error {
        zip::result::ZipError::Io(error) => BackupError::reading(error),
        other => BackupError::Damaged(other.to_string()),
    }
}
