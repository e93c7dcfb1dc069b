//! `cargo xtask bench`: windlass beside the least that can be right, on databases with durable settings.

use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use crate::provision::{Durability, Servers, Target, list, spawn_bound};
use crate::{signals, workspace};

/// What is measured unless `--on` says otherwise.
const DEFAULT: [Target; 3] = [Target::Sqlite, Target::Postgres(18), Target::Mysql(9, 7)];

/// Provides durable databases, builds for release, and measures these parts (`a` to `f`; none means all).
pub(crate) fn run(on: &[Target], parts: &[String]) -> Result<ExitCode> {
    let targets = if on.is_empty() { &DEFAULT[..] } else { on };
    // Both are built before the servers start, which would else lie idle for minutes.
    for what in [["windlass-cli", "windlass"], ["windlass-tests", "bench"]] {
        let [package, program] = what;
        let mut build = cargo(&["build", "--quiet", "--release", "--package", package, "--bin", program])?;
        if !build.status().context("cannot start cargo")?.success() {
            bail!("{program} does not build");
        }
    }
    let servers = Servers::start(targets, Durability::Durable)?;
    // Called by its path: cargo would wait for any other build to end, with the servers idle.
    let mut command = Command::new(workspace::target_folder()?.join("release/bench"));
    command.args(parts).stdin(Stdio::null());
    command.envs(servers.environment()).env("WINDLASS_TEST_TARGETS", list(targets));
    let mut bench = spawn_bound(&mut command, Signal::SIGTERM).context("cannot start the built program")?;
    let group = Pid::from_raw(i32::try_from(bench.id())?);
    // Ended by its own process group, it lets this process go on to end the servers.
    signals::forward(move |_| {
        let _ = killpg(group, Signal::SIGKILL);
    })?;
    Ok(if bench.wait()?.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn cargo(words: &[&str]) -> Result<Command> {
    let mut command = workspace::cargo()?;
    command.args(words);
    Ok(command)
}
