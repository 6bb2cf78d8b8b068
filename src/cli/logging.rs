//! Where the log goes: stderr, for people on a terminal, as JSON lines otherwise. The level can be changed while it runs.

use std::error::Error;
use std::io::IsTerminal;
use std::sync::Arc;

use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, fmt, reload};

use crate::startup::LogFilter;

/// Begins to log. Answers what changes the filter later.
///
/// # Errors
/// A filter that cannot be read.
pub fn start(filter: &str) -> Result<LogFilter, Box<dyn Error>> {
    let parsed = parse(filter)?;
    let (filter, handle) = reload::Layer::new(parsed);
    let layer = if std::io::stderr().is_terminal() {
        fmt::layer().with_writer(std::io::stderr).boxed()
    } else {
        fmt::layer().json().with_writer(std::io::stderr).boxed()
    };
    tracing_subscriber::registry().with(filter).with(layer).try_init()?;
    log_panics();
    Ok(Arc::new(move |filter| {
        let parsed = parse(filter).map_err(|error| error.to_string())?;
        handle.reload(parsed).map_err(|error| error.to_string())
    }))
}

/// A panic is a line of the log like any other, without the text of whoever caused it.
fn log_panics() {
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "a fault of the program");
    }));
}

fn parse(filter: &str) -> Result<EnvFilter, Box<dyn Error>> {
    let parsed = EnvFilter::try_new(filter).map_err(|error| format!("the log filter “{filter}” is not usable: {error}"))?;
    // What a peer sends that is no HTTP is told by the library as an error of its own: anybody could fill the log with it.
    let of_peers = filter.contains("actix_http");
    Ok(if of_peers { parsed } else { parsed.add_directive("actix_http::h1=off".parse()?) })
}
