//! `cargo xtask test`: every unit, documentation and cross-database test, with the databases they need.

use std::env;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use crate::provision::{Durability, Servers, Target, list, spawn_bound};
use crate::signals;
use crate::summary::Summary;
use crate::workspace;

/// What to run.
#[derive(Debug)]
pub(crate) struct Selection {
    /// The databases of the suite.
    pub(crate) targets: Vec<Target>,
    /// All of the long matrices instead of a sample.
    pub(crate) full: bool,
    /// Only tests whose name holds this.
    pub(crate) filter: Option<String>,
}

enum Event {
    Line(String),
    OutputEnded,
    Signal(Signal),
}

/// Provides the databases, runs the tests, and prints what they came to.
pub(crate) fn run(selection: &Selection) -> Result<ExitCode> {
    let begin = Instant::now();
    let servers = Servers::start(&selection.targets, Durability::Throwaway)?;
    eprintln!("databases ready after {}", spoken(begin.elapsed()));
    let (sender, events) = mpsc::channel();
    let of_signals = sender.clone();
    signals::forward(move |signal| {
        let _ = of_signals.send(Event::Signal(signal));
    })?;
    let mut tests = start_tests(selection, &servers)?;
    forward_output(&mut tests, sender)?;
    let mut summary = Summary::watching(selection.targets.iter().map(Target::to_string));
    if let Some(signal) = follow(&events, &mut summary) {
        stop(&mut tests);
        eprintln!("{signal}: stopped");
        return Ok(ExitCode::from(130));
    }
    let ended_well = tests.wait()?.success();
    let sound = judge(&mut summary, ended_well, selection.filter.is_some());
    if summary.ignored > 0 {
        println!("{} ignored", summary.ignored);
    }
    println!("took {}", spoken(begin.elapsed()));
    println!("{}", summary.closing_line());
    Ok(if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn start_tests(selection: &Selection, servers: &Servers) -> Result<Child> {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(["test", "--workspace", "--no-fail-fast"]).args(&selection.filter);
    command.current_dir(workspace::root()?).stdin(Stdio::null()).stdout(Stdio::piped());
    command.envs(servers.environment()).env("WINDLASS_TEST_TARGETS", list(&selection.targets));
    if selection.full {
        command.env("WINDLASS_TEST_FULL", "1");
    }
    spawn_bound(&mut command, Signal::SIGTERM).context("cannot start cargo")
}

fn forward_output(tests: &mut Child, sender: Sender<Event>) -> Result<()> {
    let output = tests.stdout.take().context("the output of the tests is a pipe")?;
    thread::spawn(move || {
        let mut output = BufReader::new(output);
        let mut line = Vec::new();
        while output.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
            let _ = sender.send(Event::Line(String::from_utf8_lossy(&line).into_owned()));
            line.clear();
        }
        let _ = sender.send(Event::OutputEnded);
    });
    Ok(())
}

/// Passes the output on and counts, to its end or to a signal.
fn follow(events: &Receiver<Event>, summary: &mut Summary) -> Option<Signal> {
    let mut out = std::io::stdout().lock();
    for event in events {
        match event {
            Event::Line(line) => {
                // Tests go on when nobody reads what they print.
                let _ = out.write_all(line.as_bytes()).and_then(|()| out.flush());
                summary.read_line(line.trim_end());
            }
            Event::OutputEnded => return None,
            Event::Signal(signal) => return Some(signal),
        }
    }
    None
}

/// Ends cargo and the test programs that it started.
fn stop(tests: &mut Child) {
    let group = i32::try_from(tests.id()).expect("process ids fit an i32");
    // An error means that they are gone already.
    let _ = killpg(Pid::from_raw(group), Signal::SIGKILL);
    let _ = tests.wait();
}

/// Whether all is well; what no test program counted is counted here.
fn judge(summary: &mut Summary, ended_well: bool, filtered: bool) -> bool {
    if !ended_well && summary.failed == 0 {
        eprintln!("error: cargo test failed without a failed test: it did not build, or a test program died");
        summary.failed += 1;
    }
    if ended_well && !filtered {
        for target in summary.untested().into_iter().map(str::to_owned).collect::<Vec<_>>() {
            eprintln!("error: no test ran on {target}");
            summary.failed += 1;
        }
    }
    if summary.passed + summary.failed == 0 {
        eprintln!("error: no test ran");
        return false;
    }
    ended_well && summary.failed == 0
}

fn spoken(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    match seconds < 60.0 {
        true => format!("{seconds:.1} s"),
        false => format!("{} min {} s", time.as_secs() / 60, time.as_secs() % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(lines: &[&str], targets: &[&str]) -> Summary {
        let mut summary = Summary::watching(targets.iter().map(|target| (*target).to_owned()));
        lines.iter().for_each(|line| summary.read_line(line));
        summary
    }

    #[test]
    fn a_run_without_tests_is_a_failure() {
        assert!(!judge(&mut summary(&[], &[]), true, true));
        assert!(judge(&mut summary(&["test result: ok. 1 passed; 0 failed"], &[]), true, true));
    }

    #[test]
    fn a_build_that_fails_counts_as_a_failure() {
        let mut summary = summary(&["test result: ok. 7 passed; 0 failed"], &[]);
        assert!(!judge(&mut summary, false, false));
        assert_eq!(summary.closing_line(), "7 passed, 1 failed");
    }

    #[test]
    fn a_target_without_tests_is_a_failure_unless_filtered() {
        let lines = ["test [sqlite] deploys ... ok", "test result: ok. 1 passed; 0 failed"];
        assert!(judge(&mut summary(&lines, &["sqlite"]), true, false));
        assert!(!judge(&mut summary(&lines, &["sqlite", "mysql-9.7"]), true, false));
        assert!(judge(&mut summary(&lines, &["sqlite", "mysql-9.7"]), true, true));
    }

    #[test]
    fn times_are_spoken_in_minutes_past_one() {
        assert_eq!(spoken(Duration::from_millis(1_540)), "1.5 s");
        assert_eq!(spoken(Duration::from_secs(125)), "2 min 5 s");
    }
}
