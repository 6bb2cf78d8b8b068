//! Signals of the system and words to its service manager: stop, stop at once, read again.

use std::io;
use std::sync::Arc;

use actix_web::web;
use sd_notify::NotifyState;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::config::{Config, Layer};
use crate::services::error::chain;
use crate::web::Shared;

/// Sets what is logged from now on; the error says what is wrong with the filter.
pub type LogFilter = Arc<dyn Fn(&str) -> Result<(), String> + Send + Sync>;

/// Exit status of a server that was told twice to stop.
const STOPPED_AT_ONCE: i32 = 1;

/// Tells systemd that connections are taken; nothing where there is no systemd.
pub(super) fn tell_ready() {
    tell(&[NotifyState::Ready]);
}

/// The signals that the server hears.
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

impl Signals {
    /// Begins to hear them: until then each of them ends the process.
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    /// SIGTERM and SIGINT stop, a second one at once; SIGHUP reads certificates and log level again.
    pub(super) async fn watch(mut self, config: Config, shared: Shared, stop: CancellationToken, log: LogFilter) {
        loop {
            tokio::select! {
                Some(()) = self.terminate.recv() => on_stop(&stop),
                Some(()) = self.interrupt.recv() => on_stop(&stop),
                Some(()) = self.hang_up.recv() => reload(&config, &shared, &log).await,
                else => return,
            }
        }
    }
}

fn on_stop(stop: &CancellationToken) {
    if stop.is_cancelled() {
        tracing::warn!("told twice to stop: stopping at once");
        std::process::exit(STOPPED_AT_ONCE);
    }
    tracing::info!("stopping: requests in flight are finished first; a second signal stops at once");
    tell(&[NotifyState::Stopping]);
    stop.cancel();
}

async fn reload(config: &Config, shared: &Shared, log: &LogFilter) {
    tell(&[NotifyState::Reloading]);
    let filter = match Config::load(Layer::default(), config.file.as_deref(), std::env::vars()) {
        Ok(read) => read.log,
        Err(error) => {
            tracing::error!(error = chain(&error), "the settings were not read again");
            config.log.clone()
        }
    };
    if let Err(error) = log(&filter) {
        tracing::error!(error, filter, "the log level stays as it is");
    }
    let (services, address) = (shared.services.clone(), shared.address.clone());
    match web::block(move || address.refresh(&services)).await {
        Ok(Ok(what)) => tracing::info!(certificate = ?what, "certificates and log level were read again"),
        Ok(Err(error)) => tracing::error!(error = chain(&error), "the old certificate stays in use"),
        Err(_) => tracing::error!("the certificates were not read again: the server is stopping"),
    }
    tell_ready();
}

fn tell(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::debug!(%error, "the service manager could not be told");
    }
}
