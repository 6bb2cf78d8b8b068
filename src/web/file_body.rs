//! A file as the body of an answer: read while it is sent, so that its size costs no memory.

use std::fs::File;
use std::io;

use actix_web::body::SizedStream;
use actix_web::web::Bytes;
use futures_util::stream;
use tokio::io::AsyncReadExt as _;

/// How much is read at a time.
const CHUNK_BYTES: usize = 64 * 1024;

/// The body of an answer that has `size_bytes` of a file, from where it stands.
pub fn of(file: File, size_bytes: u64) -> SizedStream<impl stream::Stream<Item = io::Result<Bytes>>> {
    let rest = tokio::fs::File::from_std(file).take(size_bytes);
    let pieces = stream::try_unfold(rest, |mut file| async move {
        let mut chunk = vec![0; CHUNK_BYTES];
        let count = file.read(&mut chunk).await?;
        chunk.truncate(count);
        Ok((count > 0).then(|| (Bytes::from(chunk), file)))
    });
    SizedStream::new(size_bytes, Box::pin(pieces))
}
