//! The processes below a server's first one, and their end at once.

use std::fs;
use std::process::Child;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

const PATIENCE: Duration = Duration::from_secs(20);

/// Kills a process and all below it, and waits until they are gone: PostgreSQL's would outlive their parent for a
/// moment, and keep its data.
pub(crate) fn kill_tree(root: &mut Child) -> Result<()> {
    let id = Pid::from_raw(i32::try_from(root.id())?);
    // One that stands still starts no more of them; the signal is on its way for a moment.
    kill(id, Signal::SIGSTOP)?;
    let deadline = Instant::now() + PATIENCE;
    while stat(root.id()).is_some_and(|(state, _)| !matches!(state, 'T' | 'Z' | 'X')) {
        pause(deadline, "does not stand still")?;
    }
    let others = below(root.id());
    root.kill()?;
    for other in &others {
        // An error means that it is gone already.
        let _ = kill(Pid::from_raw(i32::try_from(*other)?), Signal::SIGKILL);
    }
    root.wait()?;
    while others.iter().any(|other| lives(*other)) {
        pause(deadline, "outlived its kill")?;
    }
    Ok(())
}

fn pause(deadline: Instant, what: &str) -> Result<()> {
    if Instant::now() > deadline {
        bail!("a process of the server {what}");
    }
    sleep(Duration::from_millis(5));
    Ok(())
}

/// The processes that a process started, and those that they started.
pub(crate) fn below(root: u32) -> Vec<u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let all: Vec<(u32, u32)> = ids.filter_map(|id| Some((id, stat(id)?.1))).collect();
    let mut found = vec![root];
    let mut next = 0;
    while let Some(parent) = found.get(next).copied() {
        found.extend(all.iter().filter(|(_, of)| *of == parent).map(|(id, _)| *id));
        next += 1;
    }
    found.split_off(1)
}

/// Whether a process is there, and more than the rest that its parent has not asked for yet.
pub(crate) fn lives(id: u32) -> bool {
    stat(id).is_some_and(|(state, _)| !matches!(state, 'Z' | 'X'))
}

/// Its state, and its parent.
fn stat(id: u32) -> Option<(char, u32)> {
    let text = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The name before may hold anything, parentheses too.
    let mut fields = text.rsplit_once(')')?.1.split_ascii_whitespace();
    Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?))
}
