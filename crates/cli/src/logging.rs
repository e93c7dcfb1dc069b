//! Logging: what windlass tells of itself on stderr with `-v` and `-vv`.

use tracing::Level;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::prelude::*;

/// Begins to log, unless nothing is asked for.
///
/// Only windlass's own words: database clients log statements, and those may hold secrets.
pub(crate) fn begin(verbosity: u8) {
    let level = match verbosity {
        0 => return,
        1 => Level::INFO,
        _ => Level::DEBUG,
    };
    let own = ["windlass", "windlass_core", "windlass_postgres", "windlass_mysql", "windlass_sqlite"];
    let filter =
        Targets::new().with_default(LevelFilter::OFF).with_targets(own.map(|target| (target, level)));
    let layer = tracing_subscriber::fmt::layer()
        .with_writer(|| anstream::AutoStream::auto(std::io::stderr()))
        .with_target(false)
        .without_time();
    // Set directly: the usual way would also take over the records of other libraries.
    let _ = tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer).with(filter));
}
