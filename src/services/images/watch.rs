//! How far a long piece of work is, and a way to stop it.

use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// What others see of it.
#[derive(Debug, Default)]
pub struct Watch {
    done: AtomicU64,
    total: AtomicU64,
    cancelled: AtomicBool,
}

impl Watch {
    /// Begins something of this many bytes.
    pub fn begin(&self, total: u64) {
        self.done.store(0, Ordering::Relaxed);
        self.total.store(total, Ordering::Relaxed);
    }

    /// How much of it is done, in percent.
    pub fn percent(&self) -> u8 {
        let (done, total) = (self.done.load(Ordering::Relaxed), self.total.load(Ordering::Relaxed).max(1));
        u8::try_from(u128::from(done) * 100 / u128::from(total)).unwrap_or(100).min(100)
    }

    /// Stops it at the next piece.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// Whether it is to stop.
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }
}

/// A reader that counts, stops where it is told to, and remembers why reading failed: the writer's own failures are others.
pub struct Watched<'a, R> {
    inner: R,
    watch: &'a Watch,
    /// Why reading failed.
    pub failure: Option<String>,
}

impl<'a, R: Read> Watched<'a, R> {
    /// Watches a reader.
    pub fn new(inner: R, watch: &'a Watch) -> Self {
        Self { inner, watch, failure: None }
    }
}

impl<R: Read> Read for Watched<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.watch.is_cancelled() {
            return Err(io::Error::other("it was cut short"));
        }
        let read = self.inner.read(into).inspect_err(|error| self.failure = Some(error.to_string()))?;
        self.watch.done.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}
