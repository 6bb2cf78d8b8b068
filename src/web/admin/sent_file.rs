//! The file of a form that sends one (`multipart/form-data`), read up to a limit.

use actix_multipart::Multipart;
use futures_util::StreamExt as _;

use crate::web::sizes::Size;

/// Field that the file is in.
pub const FIELD: &str = "file";

/// Field that several files are in.
const FILES: &str = "files";

/// A file as it came.
pub struct SentFile {
    /// Its name without folders; empty where the browser told none.
    pub name: String,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// Characters of a field beside the file: they are choices.
const FIELD_BYTES: usize = 1_000;

/// Reads a file of this size.
///
/// # Errors
/// What to tell the person who sent it.
pub async fn read(parts: Multipart, size: Size) -> Result<SentFile, String> {
    read_with(parts, size, &mut Vec::new()).await
}

/// Reads all files of this size that are in the field `files`, and the other fields.
///
/// # Errors
/// As [`read`].
pub async fn read_all(mut parts: Multipart, size: Size, fields: &mut Vec<(String, String)>) -> Result<Vec<SentFile>, String> {
    const BROKEN: &str = "the files did not arrive whole; choose them again";
    let mut files = Vec::new();
    let mut too_large = None;
    while let Some(part) = parts.next().await {
        let mut part = part.map_err(|_| BROKEN)?;
        let field = part.name().unwrap_or_default().to_owned();
        let is_file = field == FILES;
        let name = part.content_disposition().and_then(|header| header.get_filename()).unwrap_or_default();
        let name = crate::domain::run::clean(name.rsplit(['/', '\\']).next().unwrap_or_default(), 120);
        let mut bytes = Vec::new();
        let most = if is_file { size.bytes + 1 } else { FIELD_BYTES };
        while let Some(chunk) = part.next().await {
            let chunk = chunk.map_err(|_| BROKEN)?;
            bytes.extend_from_slice(&chunk[..chunk.len().min(most.saturating_sub(bytes.len()))]);
        }
        match is_file {
            false => fields.push((field, String::from_utf8_lossy(&bytes).into_owned())),
            true if bytes.len() > size.bytes => too_large = Some(format!("“{name}”: {}", size.exceeded())),
            true if name.is_empty() && bytes.is_empty() => {}
            true => files.push(SentFile { name, bytes }),
        }
    }
    match too_large {
        Some(message) => Err(message),
        None if files.is_empty() => Err("choose a file first".to_owned()),
        None => Ok(files),
    }
}

/// Reads the file, and the fields that stand before it in the form.
///
/// # Errors
/// As [`read`].
pub async fn read_with(mut parts: Multipart, size: Size, fields: &mut Vec<(String, String)>) -> Result<SentFile, String> {
    const BROKEN: &str = "the file did not arrive whole; choose it again";
    while let Some(part) = parts.next().await {
        let mut part = part.map_err(|_| BROKEN)?;
        if part.name() != Some(FIELD) {
            let field = part.name().unwrap_or_default().to_owned();
            let mut value = Vec::new();
            // Each part has to be read before the next one comes.
            while let Some(chunk) = part.next().await {
                let chunk = chunk.map_err(|_| BROKEN)?;
                value.extend_from_slice(&chunk[..chunk.len().min(FIELD_BYTES.saturating_sub(value.len()))]);
            }
            fields.push((field, String::from_utf8_lossy(&value).into_owned()));
            continue;
        }
        let name = part.content_disposition().and_then(|header| header.get_filename()).unwrap_or_default();
        let name = crate::domain::run::clean(name.rsplit(['/', '\\']).next().unwrap_or_default(), 80);
        let mut bytes = Vec::new();
        while let Some(chunk) = part.next().await {
            bytes.extend_from_slice(&chunk.map_err(|_| BROKEN)?);
            if bytes.len() > size.bytes {
                return Err(size.exceeded());
            }
        }
        if name.is_empty() && bytes.is_empty() {
            return Err("choose a file first".to_owned());
        }
        return Ok(SentFile { name, bytes });
    }
    Err("choose a file first".to_owned())
}
