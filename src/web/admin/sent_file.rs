//! The file of a form that sends one (`multipart/form-data`), read up to a limit.

use actix_multipart::Multipart;
use futures_util::StreamExt as _;

/// Field that the file is in.
pub const FIELD: &str = "file";

/// A file as it came.
pub struct SentFile {
    /// Its name without folders; empty where the browser told none.
    pub name: String,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// Reads the file. `too_large` is what is said of one with more than `limit` bytes.
///
/// # Errors
/// What to tell the person who sent it.
pub async fn read(mut parts: Multipart, limit: usize, too_large: &'static str) -> Result<SentFile, &'static str> {
    const BROKEN: &str = "the file did not arrive whole; choose it again";
    while let Some(part) = parts.next().await {
        let mut part = part.map_err(|_| BROKEN)?;
        if part.name() != Some(FIELD) {
            // Each part has to be read before the next one comes.
            while part.next().await.is_some() {}
            continue;
        }
        let name = part.content_disposition().and_then(|header| header.get_filename()).unwrap_or_default();
        let name = crate::domain::run::clean(name.rsplit(['/', '\\']).next().unwrap_or_default(), 80);
        let mut bytes = Vec::new();
        while let Some(chunk) = part.next().await {
            bytes.extend_from_slice(&chunk.map_err(|_| BROKEN)?);
            if bytes.len() > limit {
                return Err(too_large);
            }
        }
        if name.is_empty() && bytes.is_empty() {
            return Err("choose a file first");
        }
        return Ok(SentFile { name, bytes });
    }
    Err("choose a file first")
}
