//! The wish that the server starts again, as after a restore on the first-run page.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio_util::sync::CancellationToken;

/// Stops the server as a signal does, and tells whoever runs it to start it again.
#[derive(Clone, Debug)]
pub struct Restart {
    stop: CancellationToken,
    wanted: Arc<AtomicBool>,
}

impl Restart {
    /// By what stops the server.
    pub fn new(stop: CancellationToken) -> Self {
        Self { stop, wanted: Arc::default() }
    }

    /// Begins to stop; requests in flight are finished first.
    pub fn begin(&self) {
        self.wanted.store(true, Ordering::SeqCst);
        self.stop.cancel();
    }

    /// Whether the server is to be started again.
    pub fn is_wanted(&self) -> bool {
        self.wanted.load(Ordering::SeqCst)
    }
}
