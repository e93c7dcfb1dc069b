//! SIGINT and SIGTERM: the first stops after the running statement, the second at once.
#![cfg(unix)]

mod support;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Stdio};
use support::Project;

/// Counts for long enough that a signal surely arrives while it runs.
fn slow(rows: u64) -> String {
    format!(
        "CREATE TABLE t_{rows} AS WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows}) \
         SELECT count(*) AS c FROM n;\n"
    )
}

struct Running {
    child: Child,
    stderr: BufReader<std::process::ChildStderr>,
    told: String,
}

impl Running {
    fn deploy(project: &Project) -> Self {
        let mut command = project.command(&["deploy", "--database-url", "sqlite:app.db?mode=rwc"]);
        Self::of(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("runs"))
    }

    fn of(mut child: Child) -> Self {
        let stderr = BufReader::new(child.stderr.take().expect("stderr"));
        Self { child, stderr, told: String::new() }
    }

    /// Reads on until a line tells of this.
    fn until(&mut self, part: &str) {
        while !self.told.contains(part) {
            let read = self.stderr.read_line(&mut self.told).expect("reads");
            assert!(read > 0, "ended before {part:?}: {}", self.told);
        }
    }

    fn send(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).expect("a pid"));
        kill(pid, signal).expect("sent");
    }

    fn end(mut self) -> (Option<i32>, String) {
        self.stderr.read_to_string(&mut self.told).expect("reads");
        (self.child.wait().expect("ends").code(), self.told)
    }
}

#[test]
fn the_first_signal_stops_at_a_true_state() {
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let project = Project::with(&[
            ("1_first.sql", "CREATE TABLE first (id);"),
            ("2_slow.sql", &slow(1_500_000)),
            ("3_last.sql", "CREATE TABLE last (id);"),
        ]);
        // A database that is not empty any more: its migrations commit one by one.
        project.deploy(&["--to", "1_first"]).ends_with(0);
        let mut running = Running::deploy(&project);
        running.until("Applying 2_slow");
        running.send(signal);
        let (code, told) = running.end();
        assert_eq!(code, Some(9), "{told}");
        assert!(told.contains("Stopping after the running statement"), "{told}");
        assert!(told.contains("stopped as asked") && told.contains("deploy again to go on"), "{told}");
        assert!(!told.contains("Applying 3_last"), "{told}");
        project.on_app(&["status", "--check"]).ends_with(8).out("applied  1_first").out("pending  3_last");
        project.deploy(&[]).ends_with(0).out("Applied 3_last");
    }
}

#[test]
fn what_a_stop_rolled_back_is_named() {
    let slow = format!("{}CREATE TABLE after (id);", slow(1_500_000));
    let project = Project::with(&[("1_slow.sql", &slow), ("2_more.sql", "CREATE TABLE more (id);")]);
    for (to, note) in [
        ("1_slow", "note: `1_slow` was rolled back: nothing of it stands\n"),
        // On an empty database both share a transaction; the second was not begun.
        ("2_more", "note: `1_slow` was rolled back: nothing of it stands\n"),
    ] {
        let mut command =
            project.command(&["deploy", "--database-url", "sqlite:app.db?mode=rwc", "--to", to]);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("runs");
        let mut running = Running::of(child);
        running.until("Applying");
        running.send(Signal::SIGINT);
        let (code, told) = running.end();
        assert!(code == Some(9) && told.contains(note), "{code:?}: {told}");
        assert!(told.contains("hint: deploy again to go on"), "{told}");
    }
}

#[test]
fn the_second_signal_ends_the_process_at_once() {
    let project = Project::with(&[("1_slow.sql", &slow(40_000_000))]);
    let mut running = Running::deploy(&project);
    running.until("Applying 1_slow");
    running.send(Signal::SIGINT);
    running.until("Stopping");
    running.send(Signal::SIGTERM);
    let (code, told) = running.end();
    assert_eq!(code, Some(143), "{told}");
    project.on_app(&["status"]).ends_with(0).out("1_slow");
}
