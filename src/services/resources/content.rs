//! What a resource file holds, looked at before it is taken: a name's ending is only a claim (R215, PRS-13).
//!
//! Pictures and sounds are known by how they begin, and of pictures the size is read from the header alone. XML is read whole, as far
//! as it is small enough; text is looked through for what no text has.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};

use crate::domain::limits::{RESOURCE_PIXELS, RESOURCE_SIDE, RESOURCE_XML_BYTES};
use crate::domain::resource::Kind;
use crate::domain::resource::path::ResourcePath;
use crate::xml::well_formed;

/// Bytes that tell what a file is.
const HEAD_BYTES: u64 = 8 * 1024;
/// How much of a text is looked at at a time.
const CHUNK_BYTES: usize = 64 * 1024;

/// Why a content is not taken.
#[derive(Debug)]
pub enum Refused {
    /// The reason, for whoever sent it.
    Content(String),
    /// It could not be read.
    Io(io::Error),
}

impl From<io::Error> for Refused {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Checks a content against the name that it is to go by. Answers the size of a picture.
///
/// # Errors
/// What speaks against it.
pub fn check(path: &ResourcePath, file: &mut File, size_bytes: u64) -> Result<Option<(u32, u32)>, Refused> {
    if size_bytes == 0 {
        return Err(Refused::Content("the file is empty".to_owned()));
    }
    match path.kind() {
        Kind::Picture => {
            is_what_it_says(path, file)?;
            pixels(file).map(Some)
        }
        Kind::Sound => is_what_it_says(path, file).map(|()| None),
        Kind::Configuration => xml(file, size_bytes, well_formed::Kind::Configuration).map(|()| None),
        Kind::Xml => xml(file, size_bytes, well_formed::Kind::Document).map(|()| None),
        Kind::Table | Kind::Text | Kind::WebPage => text(path, file).map(|()| None),
        // Only the device that made it knows what is in it.
        Kind::Backup => Ok(None),
    }
}

fn head(file: &mut File) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(0))?;
    let mut head = Vec::new();
    file.take(HEAD_BYTES).read_to_end(&mut head)?;
    Ok(head)
}

/// The types that a file of this ending may turn out to be.
fn expected(extension: &str) -> (&'static str, &'static [&'static str]) {
    match extension {
        "png" => ("a PNG picture", &["image/png"]),
        "jpg" | "jpeg" => ("a JPEG picture", &["image/jpeg"]),
        "wav" => ("a WAV sound", &["audio/x-wav"]),
        _ => ("an MP3 sound", &["audio/mpeg"]),
    }
}

fn is_what_it_says(path: &ResourcePath, file: &mut File) -> Result<(), Refused> {
    let (what, types) = expected(path.extension());
    let found = infer::get(&head(file)?);
    match found {
        Some(found) if types.contains(&found.mime_type()) => Ok(()),
        Some(found) => Err(Refused::Content(format!("the name says {what}, and it begins as {}", found.mime_type()))),
        None => Err(Refused::Content(format!("the name says {what}, and it does not begin as one"))),
    }
}

/// The size of a picture as its header tells it: nothing is decoded.
fn pixels(file: &mut File) -> Result<(u32, u32), Refused> {
    file.seek(SeekFrom::Start(0))?;
    let broken = |_| Refused::Content("the size of the picture cannot be read: its header is broken".to_owned());
    let size = imagesize::reader_size(BufReader::new(&mut *file)).map_err(broken)?;
    let side = |pixels: usize| u32::try_from(pixels).ok().filter(|pixels| (1..=RESOURCE_SIDE).contains(pixels));
    let fits = |(width, height): &(u32, u32)| u64::from(*width) * u64::from(*height) <= RESOURCE_PIXELS;
    side(size.width).zip(side(size.height)).filter(fits).ok_or_else(|| {
        Refused::Content(format!(
            "the picture has {} × {} pixels; at most {RESOURCE_PIXELS} in all and {RESOURCE_SIDE} on a side are taken",
            size.width, size.height
        ))
    })
}

fn xml(file: &mut File, size_bytes: u64, kind: well_formed::Kind) -> Result<(), Refused> {
    if size_bytes > RESOURCE_XML_BYTES as u64 {
        let most = RESOURCE_XML_BYTES / (1024 * 1024);
        return Err(Refused::Content(format!("XML has at most {most} MiB; this file has {size_bytes} bytes")));
    }
    file.seek(SeekFrom::Start(0))?;
    let mut bytes = Vec::new();
    file.take(RESOURCE_XML_BYTES as u64).read_to_end(&mut bytes)?;
    well_formed::check(&bytes, kind).map_err(|error| Refused::Content(error.to_string()))
}

fn text(path: &ResourcePath, file: &mut File) -> Result<(), Refused> {
    let head = head(file)?;
    let is_text = |found: &infer::Type| found.mime_type().starts_with("text/");
    if let Some(found) = infer::get(&head).filter(|found| !is_text(found)) {
        return Err(Refused::Content(format!(
            "the name says text (.{}), and it begins as {}",
            path.extension(),
            found.mime_type()
        )));
    }
    // In UTF-16 every other byte is zero.
    if head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") {
        return Ok(());
    }
    file.seek(SeekFrom::Start(0))?;
    let (mut chunk, mut at) = (vec![0; CHUNK_BYTES], 0);
    loop {
        let count = file.read(&mut chunk)?;
        if count == 0 {
            return Ok(());
        }
        if let Some(found) = chunk[..count].iter().position(|byte| *byte == 0) {
            let place = at + found as u64;
            return Err(Refused::Content(format!("the name says text (.{}), and byte {place} is zero", path.extension())));
        }
        at += count as u64;
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::Write as _;

    use super::*;

    /// The beginning of a PNG picture of this size: its header is whole, its content is not there.
    pub fn png(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
        bytes.extend(width.to_be_bytes());
        bytes.extend(height.to_be_bytes());
        bytes.extend(b"\x08\x02\0\0\0\0\0\0\0");
        bytes
    }

    fn look(name: &str, bytes: &[u8]) -> Result<Option<(u32, u32)>, String> {
        let mut file = tempfile::tempfile().expect("a temporary file");
        file.write_all(bytes).expect("written");
        let path = ResourcePath::parse("", name).expect("a name");
        check(&path, &mut file, bytes.len() as u64).map_err(|refused| match refused {
            Refused::Content(why) => why,
            Refused::Io(error) => error.to_string(),
        })
    }

    #[test]
    fn what_a_file_claims_and_is_is_taken() {
        assert_eq!(look("logo.png", &png(320, 240)), Ok(Some((320, 240))));
        for (name, bytes) in [
            ("a.wav", &b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0"[..]),
            ("a.mp3", b"ID3\x03\0\0\0\0\0\0"),
            ("a.mp3", b"\xff\xf3\x40\xc0"),
            ("a.cfg", b"<?xml version='1.0'?><x a.b='1'/>"),
            ("a.xml", b"<directory/>"),
            ("a.csv", b"a,b\n1,2\n"),
            ("a.txt", "Gr\u{fc}n".as_bytes()),
            ("a.txt", b"Gr\xfcn"),
            ("a.txt", b"\xff\xfea\0"),
            ("a.html", b"<html><script>1</script></html>"),
            ("a.bak", b"\0\x01\x02"),
        ] {
            assert_eq!(look(name, bytes), Ok(None), "{name}");
        }
    }

    /// PRS-13.
    #[test]
    fn what_a_file_only_claims_is_refused_with_the_reason() {
        for (name, bytes, part) in [
            ("logo.png", &b"<html><script>alert(1)</script>"[..], "begins as text/html"),
            ("logo.png", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "does not begin as one"),
            ("logo.png", b"\xff\xd8\xff\xe0\0\x10JFIF", "begins as image/jpeg"),
            ("logo.jpg", &png(1, 1), "begins as image/png"),
            ("logo.png", b"\x89PNG\r\n\x1a\n\0\0", "header is broken"),
            ("logo.png", &png(60_000, 60_000), "60000 × 60000 pixels"),
            ("logo.png", &png(10_001, 1), "10001 × 1 pixels"),
            ("logo.png", &png(9_000, 9_000), "at most 40000000"),
            ("logo.png", &png(0, 5), "0 × 5"),
            ("a.wav", b"ID3\x03\0\0", "begins as audio/mpeg"),
            ("a.mp3", b"MZ\x90\0", "begins as "),
            ("a.cfg", b"plain words", "line 1"),
            ("a.xml", b"<a><b></a>", "line 1"),
            ("a.xml", b"<!DOCTYPE a><a/>", "DOCTYPE not allowed"),
            ("a.txt", b"PK\x03\x04\x14\0", "begins as application/zip"),
            ("a.csv", b"a,b\0", "byte 3 is zero"),
            ("a.bak", b"", "is empty"),
        ] {
            let told = look(name, bytes).expect_err(name);
            assert!(told.contains(part), "{name}: {told}");
        }
    }

    #[test]
    fn the_bound_of_pictures_is_held_exactly() {
        assert_eq!(look("a.png", &png(10_000, 4_000)), Ok(Some((10_000, 4_000))));
        assert!(look("a.png", &png(10_000, 4_001)).is_err());
    }
}
