//! Signals: the first asks to stop after the running statement, a second one ends the process at once.

use crate::output::Output;
use windlass_core::apply::Stop;

/// Resolves once a signal asked to stop; goes on listening for a second one.
pub(crate) async fn watch(
    mut signals: Signals,
    stop: Stop,
    output: Output,
    asked: tokio::sync::oneshot::Sender<()>,
) {
    let name = signals.next().await.0;
    stop.ask();
    output.progress("Stopping", &format!("after the running statement ({name}; once more to stop at once)"));
    let _ = asked.send(());
    let (name, number) = signals.next().await;
    output.bar().finish_and_clear();
    output.error(&format!("{name} again: stopped at once; the next deploy finds out how far this one came"));
    std::process::exit(128 + number);
}

/// What asks to stop; listened to from the moment it is made.
#[cfg(unix)]
pub(crate) struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    pub(crate) fn listen() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) -> (&'static str, i32) {
        tokio::select! {
            _ = self.interrupt.recv() => ("SIGINT", 2),
            _ = self.terminate.recv() => ("SIGTERM", 15),
        }
    }
}

/// What asks to stop.
#[cfg(not(unix))]
pub(crate) struct Signals;

#[cfg(not(unix))]
impl Signals {
    pub(crate) fn listen() -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) -> (&'static str, i32) {
        let _ = tokio::signal::ctrl_c().await;
        ("Ctrl-C", 2)
    }
}
