//! What the server does by itself while it runs: writing what phones told, and looking after certificates and retention.

use std::time::Duration;

use actix_web::rt;
use actix_web::web::{self, Data};
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::services::Services;
use crate::services::backup::kept;
use crate::services::error::{ServiceError, chain};
use crate::services::retention::{self, Keep};
use crate::services::{believed, confirmation, images, presence, rollover, setup};
use crate::web::Shared;

/// How often what phones told is written: a crash loses at most this much of it (P14).
const FLUSH_EVERY: Duration = Duration::from_millis(500);
/// The shortest time between two writings where phones teach what must not be lost: of many that come at once it is written together.
const FLUSH_GAP: Duration = Duration::from_millis(25);
/// How often certificates are looked at and what is past its time is removed.
const LOOK_AFTER_EVERY: Duration = Duration::from_secs(15 * 60);

/// How often the plan of backups is looked at.
const BACKUPS_EVERY: Duration = Duration::from_secs(60);
/// How often the clock is looked at, so that one that is put back is noticed.
const CLOCK_EVERY: Duration = Duration::from_secs(60);

/// The tasks that run beside the listeners.
pub(super) struct Background(Vec<JoinHandle<()>>);

impl Background {
    /// Waits until all have ended.
    pub(super) async fn wait(self) {
        for task in self.0 {
            let _ = task.await;
        }
    }
}

/// Starts the tasks; they end when `stop` is cancelled.
pub(super) fn start(shared: &Shared, keep: Keep, stop: CancellationToken) -> Background {
    retention::keep(&shared.services, keep);
    let flush = rt::spawn(keep_flushing(shared.services.clone(), stop.clone()));
    let expire = repeat(&shared.services, LOOK_AFTER_EVERY, stop.clone(), "remove what is past its time", move |services| {
        if believed::look(services)? { retention::run(services, keep).map(drop) } else { Ok(()) }
    });
    let backups = repeat(&shared.services, BACKUPS_EVERY, stop.clone(), "make the planned backup", kept::tick);
    let clock = repeat(&shared.services, CLOCK_EVERY, stop.clone(), "look at the clock", |services| {
        confirmation::look(services);
        Ok(())
    });
    let software = rt::spawn(keep_unpacking(shared.services.clone(), stop.clone()));
    let uploads = repeat(&shared.services, LOOK_AFTER_EVERY, stop.clone(), "remove uploads of software", |services| {
        images::uploads::expire(services).map(drop)
    });
    let address = shared.address.clone();
    let certificates = repeat(&shared.services, LOOK_AFTER_EVERY, stop, "renew the certificates", move |services| {
        address.refresh(services)?;
        rollover::tick(services, &address)
    });
    Background(vec![flush, expire, backups, clock, software, uploads, certificates])
}

/// Does something every so often on a thread that may block. What fails is logged once, and again when it fails otherwise.
fn repeat(
    services: &Data<Services>,
    every: Duration,
    stop: CancellationToken,
    what: &'static str,
    work: impl Fn(&Services) -> Result<(), ServiceError> + Clone + Send + 'static,
) -> JoinHandle<()> {
    let services = services.clone();
    rt::spawn(async move {
        let mut ticks = interval(every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut told = String::new();
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            once(&services, what, work.clone(), &mut told).await;
        }
    })
}

/// Writes what phones told: every so often, and at once what must not be lost.
async fn keep_flushing(services: Data<Services>, stop: CancellationToken) {
    let mut told = String::new();
    let next = async || {
        sleep(FLUSH_GAP).await;
        let _ = timeout(FLUSH_EVERY - FLUSH_GAP, services.door_closed()).await;
    };
    while stop.run_until_cancelled(next()).await.is_some() {
        once(&services, "write what phones told", presence::flush, &mut told).await;
    }
}

/// Unpacks uploads of software as they come. What is being unpacked when the server stops begins anew at the next start.
async fn keep_unpacking(services: Data<Services>, stop: CancellationToken) {
    let mut told = String::new();
    while stop.run_until_cancelled(services.images().wanted()).await.is_some() {
        let work = once(&services, "note what became of an upload of software", images::worker::work, &mut told);
        let mut work = std::pin::pin!(work);
        if stop.run_until_cancelled(work.as_mut()).await.is_none() {
            services.images().stop();
            work.await;
        }
    }
}

/// What the log says of a failure: nothing where there is no account yet, for before set-up there is none to look after.
fn told_of(error: &ServiceError, services: &Services) -> String {
    let is_early = matches!(error, ServiceError::NotFound { what: "account", .. }) && !setup::is_set_up(services);
    if is_early { String::new() } else { chain(error) }
}

/// Does something on a thread that may block. `told`: the last failure that was logged.
async fn once(
    services: &Data<Services>,
    what: &str,
    work: impl Fn(&Services) -> Result<(), ServiceError> + Send + 'static,
    told: &mut String,
) {
    let services = services.clone();
    let work = move || work(&services).map_err(|error| told_of(&error, &services));
    let failure = match web::block(work).await {
        Ok(Ok(())) => String::new(),
        Ok(Err(error)) => error,
        Err(_) => "it was cut short".to_owned(),
    };
    if !failure.is_empty() && failure != *told {
        tracing::error!(error = failure, "cannot {what}");
    }
    *told = failure;
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::ids::DEFAULT_ACCOUNT;
    use crate::services::clock::Clock;
    use crate::services::testing::open;

    #[test]
    fn before_set_up_nothing_is_said_of_an_account_that_is_not_there() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let services = open(&dir, &Clock::system(), &Arc::default());
        let error = services.world(DEFAULT_ACCOUNT).map(drop).expect_err("it is not set up");
        assert_eq!(told_of(&error, &services), "");
        assert_ne!(told_of(&ServiceError::Conflict("the disk is full".to_owned()), &services), "");
    }
}
