//! The signals that ask this process to end.

use std::io;
use std::thread;

use nix::sys::signal::{SigSet, Signal};

/// Calls `action` for each signal that asks this process to end, in place of ending at once.
///
/// Threads that run already keep their own mask and would still end the process, so call this before any
/// other thread starts.
pub(crate) fn forward(action: impl Fn(Signal) + Send + 'static) -> io::Result<()> {
    let signals: SigSet = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP].into_iter().collect();
    signals.thread_block()?;
    thread::spawn(move || {
        while let Ok(signal) = signals.wait() {
            action(signal);
        }
    });
    Ok(())
}
