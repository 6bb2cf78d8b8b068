//! Big files: what of one is asked for (`Range`, `If-Range`, `If-None-Match`), and its bytes, read off the event loop in large blocks.
//!
//! A file is read only as fast as its connection takes it: no thread waits for a slow phone, and no more than two blocks of a file are in
//! memory, which take turns: one is sent while the other is read. How much the connection took is told to whoever wants to know.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, MessageBody};
use actix_web::http::header::{ByteRangeSpec, EntityTag, Header, IfNoneMatch, IfRange, Range};
use actix_web::rt::task::{JoinHandle, spawn_blocking};
use actix_web::web::Bytes;
use actix_web::{HttpMessage, HttpRequest};
use futures_util::future::Future as _;

/// Bytes that are read at a time.
const BLOCK_BYTES: u64 = 512 * 1024;
/// Bytes that go into the connection's buffer at a time: it keeps what it grew to.
const PIECE_BYTES: usize = 64 * 1024;

/// What of a file is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// All of it.
    Whole,
    /// A piece: its first byte, and how many.
    Piece(u64, u64),
    /// Nothing: whoever asks has it.
    Nothing,
    /// Something beyond its end.
    Impossible,
}

/// What a request asks for of a file with this tag and size. A header that cannot be read asks for nothing, and so does one with
/// several pieces: the whole file answers both.
pub fn wanted(request: &HttpRequest, tag: &EntityTag, size_bytes: u64) -> Wanted {
    match given::<IfNoneMatch>(request) {
        Some(IfNoneMatch::Any) => return Wanted::Nothing,
        Some(IfNoneMatch::Items(items)) if items.iter().any(|item| item.weak_eq(tag)) => return Wanted::Nothing,
        _ => {}
    }
    let is_same = match given::<IfRange>(request) {
        None => true,
        Some(IfRange::EntityTag(had)) => had.strong_eq(tag),
        // The time of a file is told nobody, so nobody can have it.
        Some(IfRange::Date(_)) => false,
    };
    match given::<Range>(request).filter(|_| is_same) {
        Some(Range::Bytes(pieces)) if pieces.len() == 1 => piece(&pieces[0], size_bytes),
        _ => Wanted::Whole,
    }
}

fn given<H: Header>(request: &HttpRequest) -> Option<H> {
    request.headers().contains_key(H::name()).then(|| request.get_header::<H>()).flatten()
}

fn piece(asked: &ByteRangeSpec, size_bytes: u64) -> Wanted {
    match asked.to_satisfiable_range(size_bytes) {
        Some((first, last)) => Wanted::Piece(first, last - first + 1),
        None => Wanted::Impossible,
    }
}

/// Somebody who wants to know how much of a body was taken. It is dropped with the body.
pub trait Follows: 'static {
    /// So many bytes of the body so far.
    fn took(&mut self, bytes: u64);
}

/// For whom that does not matter.
impl Follows for () {
    fn took(&mut self, _: u64) {}
}

/// A part of a file as the body of an answer.
pub struct FileBody<F> {
    file: Arc<File>,
    /// Where the next block begins, and where the last one ends.
    next: u64,
    end: u64,
    size_bytes: u64,
    given: u64,
    /// What is left to send of a block, and all of it.
    block: Bytes,
    whole: Bytes,
    reading: Option<JoinHandle<io::Result<Vec<u8>>>>,
    /// The memory of a block that was sent.
    spare: Vec<u8>,
    follows: F,
}

impl<F: Follows> FileBody<F> {
    /// `length` bytes of a file, from `first` on.
    pub fn new(file: File, first: u64, length: u64, follows: F) -> Self {
        let end = first.saturating_add(length);
        let mut body = Self {
            file: Arc::new(file),
            next: first,
            end,
            size_bytes: length,
            given: 0,
            block: Bytes::new(),
            whole: Bytes::new(),
            reading: None,
            spare: Vec::new(),
            follows,
        };
        body.read_ahead();
        body
    }

    /// Begins to read the next block, where there is one.
    fn read_ahead(&mut self) {
        let length = BLOCK_BYTES.min(self.end - self.next);
        if length == 0 || self.reading.is_some() {
            return;
        }
        let (file, at) = (Arc::clone(&self.file), self.next);
        self.next += length;
        let mut block = std::mem::take(&mut self.spare);
        self.reading = Some(spawn_blocking(move || {
            block.resize(usize::try_from(length).unwrap_or_default(), 0);
            file.read_exact_at(&mut block, at)?;
            Ok(block)
        }));
    }

    /// Takes up a block that was read. The memory of the one before is read into next: fresh memory for each would cost more than
    /// reading does.
    fn take_up(&mut self, block: Vec<u8>) {
        self.block = Bytes::from(block);
        let sent = std::mem::replace(&mut self.whole, self.block.clone());
        if sent.is_unique() {
            self.spare = sent.into();
        }
        self.read_ahead();
    }
}

impl<F: Follows + Unpin> MessageBody for FileBody<F> {
    type Error = io::Error;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.size_bytes)
    }

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, io::Error>>> {
        let this = &mut *self;
        // Whoever asks for more has taken what it was given.
        this.follows.took(this.given);
        if this.block.is_empty() {
            let Some(reading) = &mut this.reading else { return Poll::Ready(None) };
            let read = match Pin::new(reading).poll(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(read) => read,
            };
            this.reading = None;
            match read {
                Ok(Ok(block)) => this.take_up(block),
                Ok(Err(error)) => return Poll::Ready(Some(Err(error))),
                Err(error) => return Poll::Ready(Some(Err(io::Error::other(error)))),
            }
        }
        let piece = this.block.split_to(this.block.len().min(PIECE_BYTES));
        this.given += piece.len() as u64;
        if this.given == this.size_bytes {
            // Nobody asks for more after the last piece.
            this.follows.took(this.given);
        }
        Poll::Ready(Some(Ok(piece)))
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::io::Write as _;
    use std::rc::Rc;

    use actix_web::body::to_bytes;
    use actix_web::test::TestRequest;

    use super::*;

    fn asked(headers: &[(&str, &str)]) -> Wanted {
        let request = headers.iter().fold(TestRequest::get(), |request, header| request.insert_header(*header));
        wanted(&request.to_http_request(), &EntityTag::new_strong("abc".to_owned()), 1_000)
    }

    #[test]
    fn a_request_asks_for_all_for_a_piece_or_for_nothing() {
        assert_eq!(asked(&[]), Wanted::Whole);
        assert_eq!(asked(&[("range", "bytes=0-99")]), Wanted::Piece(0, 100));
        assert_eq!(asked(&[("range", "bytes=900-")]), Wanted::Piece(900, 100));
        assert_eq!(asked(&[("range", "bytes=-1")]), Wanted::Piece(999, 1));
        assert_eq!(asked(&[("range", "bytes=900-5000")]), Wanted::Piece(900, 100));
        assert_eq!(asked(&[("range", "bytes=1000-")]), Wanted::Impossible);
        assert_eq!(asked(&[("range", "bytes=0-1,5-6")]), Wanted::Whole);
        assert_eq!(asked(&[("range", "lines=0-1")]), Wanted::Whole);
        assert_eq!(asked(&[("range", "nonsense")]), Wanted::Whole);
        assert_eq!(asked(&[("if-none-match", "\"abc\"")]), Wanted::Nothing);
        assert_eq!(asked(&[("if-none-match", "\"other\", W/\"abc\"")]), Wanted::Nothing);
        assert_eq!(asked(&[("if-none-match", "\"other\"")]), Wanted::Whole);
    }

    #[test]
    fn a_piece_of_another_file_is_not_given() {
        let piece = ("range", "bytes=0-99");
        assert_eq!(asked(&[piece, ("if-range", "\"abc\"")]), Wanted::Piece(0, 100));
        assert_eq!(asked(&[piece, ("if-range", "\"former\"")]), Wanted::Whole);
        assert_eq!(asked(&[piece, ("if-range", "W/\"abc\"")]), Wanted::Whole);
        assert_eq!(asked(&[piece, ("if-range", "Sat, 29 Oct 1994 19:43:31 GMT")]), Wanted::Whole);
    }

    struct Seen(Rc<Cell<u64>>);

    impl Follows for Seen {
        fn took(&mut self, bytes: u64) {
            self.0.set(bytes);
        }
    }

    fn file(bytes: usize) -> (File, Vec<u8>) {
        let content: Vec<u8> = (0..bytes).map(|at| (at % 251) as u8).collect();
        let mut file = tempfile::tempfile().expect("a file");
        file.write_all(&content).expect("written");
        (file, content)
    }

    #[actix_web::test]
    async fn a_part_of_a_file_arrives_byte_for_byte_whatever_its_borders() {
        let block = usize::try_from(BLOCK_BYTES).expect("small");
        for (first, length) in [(0, 1), (0, block), (1, block), (block - 1, block + 2), (0, 2 * block + 77), (3 * block, 0)] {
            let (file, content) = file(3 * block);
            let taken = Rc::new(Cell::new(0));
            let body = FileBody::new(file, first as u64, length as u64, Seen(Rc::clone(&taken)));
            assert_eq!(body.size(), BodySize::Sized(length as u64));
            let Ok(bytes) = to_bytes(body).await else { panic!("it can be read") };
            assert!(bytes[..] == content[first..first + length], "{length} bytes from {first}");
            assert_eq!(taken.get(), length as u64);
        }
    }

    #[actix_web::test]
    async fn a_file_that_is_shorter_than_it_should_be_ends_the_answer_with_an_error() {
        let (file, _) = file(10);
        assert!(to_bytes(FileBody::new(file, 0, 11, ())).await.is_err());
    }
}
