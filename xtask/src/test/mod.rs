//! `cargo xtask test`: every unit, documentation and cross-database test, with the databases they need.

mod choice;
mod programs;
mod selection;
mod totals;

use std::env;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tempfile::TempDir;

use crate::provision::{Desk, Durability, Servers, pglast, spawn_bound};
use crate::summary::Summary;
use crate::{signals, workspace};
use programs::Program;
use totals::Totals;

pub(crate) use choice::Choice;
pub(crate) use selection::{Selection, Shard, random_seed};

/// How many tests run at once unless the caller says otherwise.
pub(crate) const THREADS: usize = 8;

/// Tests so named measure and mean something in a release build only.
const MEASUREMENTS: &str = "measurement_of_";

enum Event {
    Line(String),
    OutputEnded,
    Signal(Signal),
}

/// Builds the tests, provides the databases, runs the tests, and prints what they came to.
pub(crate) fn run(selection: &Selection) -> Result<ExitCode> {
    let begin = Instant::now();
    println!("seed {}: --seed {} draws the same samples again", selection.seed, selection.seed);
    let mut run = Run::new(selection);
    let Some(programs) = programs::build()? else {
        run.fail("the tests do not build");
        return Ok(run.close(begin));
    };
    eprintln!("tests built after {}", spoken(begin.elapsed()));
    let servers = Servers::start(&selection.targets(), Durability::Throwaway)?;
    run.environment = environment(selection, &servers)?;
    let file = run.totals_file()?;
    run.environment.push((totals::VARIABLE.to_owned(), file.to_string_lossy().into_owned()));
    eprintln!("databases ready after {}", spoken(begin.elapsed()));
    if let Some(signal) = run.all(&programs)? {
        eprintln!("{signal}: stopped");
        return Ok(ExitCode::from(130));
    }
    Ok(run.close(begin))
}

/// What tests learn of through variables.
fn environment(selection: &Selection, servers: &Servers) -> Result<Vec<(String, String)>> {
    let mut variables = servers.environment();
    let of_selection = selection.environment().into_iter();
    variables.extend(of_selection.map(|(name, value)| (name.to_owned(), value)));
    let python = pglast::python()?;
    variables.push((pglast::VARIABLE.to_owned(), python.to_string_lossy().into_owned()));
    if let (None, Some(corpora)) = (env::var_os(CORPORA), workspace::corpora()?) {
        variables.push((CORPORA.to_owned(), corpora.to_string_lossy().into_owned()));
    }
    Ok(variables)
}

/// The variable that names a folder of real projects' histories.
const CORPORA: &str = "WINDLASS_CORPORA";

/// The test programs of one run, one after another.
struct Run<'a> {
    selection: &'a Selection,
    environment: Vec<(String, String)>,
    summary: Summary,
    left_out: Vec<String>,
    totals: Option<TempDir>,
}

impl<'a> Run<'a> {
    fn new(selection: &'a Selection) -> Self {
        let summary = Summary::watching(selection.choices.iter().map(Choice::to_string));
        Run { selection, environment: Vec::new(), summary, left_out: Vec::new(), totals: None }
    }

    /// Runs all of them, to the end or to a signal.
    fn all(&mut self, programs: &[Program]) -> Result<Option<Signal>> {
        let (sender, events) = mpsc::channel();
        let of_signals = sender.clone();
        signals::forward(move |signal| {
            let _ = of_signals.send(Event::Signal(signal));
        })?;
        let desk = Desk::open()?;
        desk.serve()?;
        self.environment.push(desk.variable());
        let mut tasks = Vec::new();
        for program in programs {
            tasks.push((program.name(), self.tests_of(program), Some(program)));
        }
        tasks.push(("the documentation's examples".to_owned(), self.documentation_tests()?, None));
        for (name, mut command, program) in tasks {
            println!("\n== {name}");
            let (failed, ignored) = (self.summary.failed, self.summary.ignored);
            command.envs(self.environment.iter().map(|(name, value)| (name, value)));
            command.stdin(Stdio::null()).stdout(Stdio::piped());
            let mut child =
                spawn_bound(&mut command, Signal::SIGTERM).context("cannot start a test program")?;
            forward_output(&mut child, sender.clone())?;
            if let Some(signal) = follow(&events, &mut self.summary) {
                stop(&mut child);
                return Ok(Some(signal));
            }
            let status = child.wait()?;
            if !status.success() && self.summary.failed == failed {
                self.fail(&format!("{name} ended with {status} without a failed test"));
            }
            let ignored = self.summary.ignored - ignored;
            if program.is_some_and(|program| !program.is_provided(&self.selection.targets())) && ignored > 0 {
                self.left_out.push(format!("{name}: {ignored} tests need a server that --on leaves out"));
            }
        }
        Ok(None)
    }

    fn tests_of(&self, program: &Program) -> Command {
        let mut command = program.command();
        if program.is_provided(&self.selection.targets()) {
            // They are marked as ignored for those who run `cargo test` without servers.
            command.arg("--include-ignored");
        }
        command.args(["--skip", MEASUREMENTS]).arg(format!("--test-threads={}", self.selection.threads));
        command.args(&self.selection.filter);
        self.hide(&mut command);
        command
    }

    fn documentation_tests(&self) -> Result<Command> {
        let mut command = workspace::cargo()?;
        command
            .args(["test", "--workspace", "--doc", "--no-fail-fast", "--quiet"])
            .args(&self.selection.filter);
        self.hide(&mut command);
        Ok(command)
    }

    fn hide(&self, command: &mut Command) {
        for name in self.selection.foreign_environment() {
            command.env_remove(name);
        }
    }

    /// Where the matrices write what they came to; empty now.
    fn totals_file(&mut self) -> Result<PathBuf> {
        let folder = tempfile::tempdir().context("cannot make a folder for the totals")?;
        let file = folder.path().join("totals");
        self.totals = Some(folder);
        Ok(file)
    }

    /// Counts a failure that no test program counts.
    fn fail(&mut self, what: &str) {
        eprintln!("error: {what}");
        self.summary.failed += 1;
    }

    /// Judges the whole and prints what it came to.
    fn close(mut self, begin: Instant) -> ExitCode {
        self.judge();
        println!();
        let totals = self.totals.take().map(|folder| Totals::read(&folder.path().join("totals")));
        match totals.transpose() {
            Ok(Some(totals)) if !totals.is_empty() => println!("{totals}"),
            Ok(_) => {}
            Err(error) => self.fail(&format!("{error:#}")),
        }
        for line in &self.left_out {
            println!("left out: {line}");
        }
        if self.summary.ignored > 0 {
            println!("{} ignored", self.summary.ignored);
        }
        println!("seed {}", self.selection.seed);
        println!("took {}", spoken(begin.elapsed()));
        println!("{}", self.summary.closing_line());
        if self.summary.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }

    /// Nothing may pass by not running.
    fn judge(&mut self) {
        if self.summary.failed == 0 && self.selection.filter.is_none() {
            for target in self.summary.untested().into_iter().map(str::to_owned).collect::<Vec<_>>() {
                self.fail(&format!("no test ran on {target}"));
            }
        }
        if self.summary.passed + self.summary.failed == 0 {
            self.fail("no test ran");
        }
    }
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

/// Ends a test program and all that it started.
fn stop(tests: &mut Child) {
    let group = i32::try_from(tests.id()).expect("process ids fit an i32");
    // An error means that they are gone already.
    let _ = killpg(Pid::from_raw(group), Signal::SIGKILL);
    let _ = tests.wait();
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
    use crate::provision::Target;

    fn selection(targets: &[Target], filter: Option<&str>) -> Selection {
        let filter = filter.map(str::to_owned);
        let choices = targets.iter().copied().map(Choice::native).collect();
        Selection { choices, full: false, seed: 1, shard: None, threads: 8, filter }
    }

    fn judged(selection: &Selection, lines: &[&str]) -> String {
        let mut run = Run::new(selection);
        lines.iter().for_each(|line| run.summary.read_line(line));
        run.judge();
        run.summary.closing_line()
    }

    #[test]
    fn a_run_without_tests_is_a_failure() {
        assert_eq!(judged(&selection(&[], Some("x")), &[]), "0 passed, 1 failed");
        assert_eq!(
            judged(&selection(&[], None), &["test result: ok. 1 passed; 0 failed"]),
            "1 passed, 0 failed"
        );
    }

    #[test]
    fn a_target_without_tests_is_a_failure_unless_filtered() {
        let lines = ["test sqlite::deploys ... ok", "test result: ok. 1 passed; 0 failed"];
        let both = [Target::Sqlite, Target::Mysql(9, 7)];
        assert_eq!(judged(&selection(&both[..1], None), &lines), "1 passed, 0 failed");
        assert_eq!(judged(&selection(&both, None), &lines), "1 passed, 1 failed");
        assert_eq!(judged(&selection(&both, Some("deploys")), &lines), "1 passed, 0 failed");
    }

    #[test]
    fn times_are_spoken_in_minutes_past_one() {
        assert_eq!(spoken(Duration::from_millis(1_540)), "1.5 s");
        assert_eq!(spoken(Duration::from_secs(125)), "2 min 5 s");
    }
}
