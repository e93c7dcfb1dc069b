//! On a terminal: a bar, and colours unless they are unwanted.
#![cfg(unix)]

mod support;

use nix::pty::{Winsize, openpty};
use std::fs::File;
use std::io::{Read, Write};
use support::Project;

/// What the binary writes to a terminal of 100 columns, and its exit code.
fn on_a_terminal(
    project: &Project,
    arguments: &[&str],
    environment: &[(&str, &str)],
) -> (Option<i32>, String) {
    typed_into(project, arguments, environment, "")
}

/// The same for one who types this.
fn typed_into(
    project: &Project,
    arguments: &[&str],
    environment: &[(&str, &str)],
    typed: &str,
) -> (Option<i32>, String) {
    let size = Winsize { ws_row: 30, ws_col: 100, ws_xpixel: 0, ws_ypixel: 0 };
    let terminal = openpty(&size, None).expect("a pseudo-terminal");
    let slave = File::from(terminal.slave);
    let mut command = project.command(arguments);
    command.env("TERM", "xterm-256color").envs(environment.iter().copied());
    command.stdin(slave.try_clone().expect("a copy"));
    command.stdout(slave.try_clone().expect("a copy")).stderr(slave);
    let mut child = command.spawn().expect("runs");
    // The command keeps copies of the terminal's other end, and reading ends when all are closed.
    drop(command);
    let mut told = Vec::new();
    let mut chunk = [0; 4096];
    let mut master = File::from(terminal.master);
    master.write_all(typed.as_bytes()).expect("typed");
    while let Ok(read @ 1..) = master.read(&mut chunk) {
        told.extend_from_slice(&chunk[..read]);
    }
    (child.wait().expect("ends").code(), String::from_utf8_lossy(&told).into_owned())
}

const DEPLOY: [&str; 3] = ["deploy", "--database-url", "sqlite:app.db?mode=rwc"];

#[test]
fn a_bar_counts_migrations_and_shows_the_statement() {
    let project = Project::fixture("shop/sqlite");
    let (code, told) = on_a_terminal(&project, &DEPLOY, &[]);
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains("Applying\u{1b}[0m [") && told.contains("/8 "), "a bar: {told:?}");
    assert!(told.contains("CREATE TABLE customers"), "the statement: {told:?}");
    assert!(
        told.contains("\u{1b}[1m\u{1b}[32m     Applied\u{1b}[0m 20240102093000_create_customers"),
        "{told:?}"
    );
    assert!(!told.contains("Applying\u{1b}[0m 2024"), "no plain lines beside it: {told:?}");
    assert!(!told.contains("in one transaction"), "no plain lines beside it: {told:?}");
}

#[test]
fn no_color_takes_the_colours_and_leaves_the_bar() {
    let project = Project::fixture("bookshop-broken/sqlite");
    let (code, told) = on_a_terminal(&project, &DEPLOY, &[("NO_COLOR", "1")]);
    assert_eq!(code, Some(4), "{told}");
    assert!(told.contains("    Applying ["), "{told:?}");
    assert!(
        !told.split("\u{1b}[").skip(1).any(|rest| rest
            .split(|c: char| c.is_ascii_alphabetic())
            .next()
            .is_some_and(|digits| rest[digits.len()..].starts_with('m'))),
        "{told:?}"
    );
    let (_, told) = on_a_terminal(&project, &[&DEPLOY[..], &["--color", "never"]].concat(), &[]);
    assert!(!told.contains("\u{1b}[1m"), "{told:?}");
}

#[test]
fn colours_are_for_terminals_unless_asked_for() {
    let project = Project::fixture("bookshop-broken/sqlite");
    let plain = project.deploy(&[]).ends_with(4);
    assert!(!plain.stderr.contains('\u{1b}') && !plain.stdout.contains('\u{1b}'), "{plain:#?}");
    let asked = project.deploy(&["--color", "always"]).ends_with(4);
    assert!(asked.stderr.contains("\u{1b}[1m"), "{asked:#?}");
}

#[test]
fn a_dumb_terminal_gets_plain_lines() {
    let project = Project::fixture("shop/sqlite");
    let (code, told) = on_a_terminal(&project, &DEPLOY, &[("TERM", "dumb")]);
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains("    Applying 8 migrations in one transaction\r\n"), "{told:?}");
}

#[test]
fn a_session_is_ended_only_by_who_says_yes() {
    let project = Project::with(&[("1_n.sql", "CREATE TABLE n (n int);")]);
    project.deploy(&[]).ends_with(0);
    let writer = rusqlite::Connection::open(project.path("app.db")).expect("the file");
    writer.execute_batch("BEGIN IMMEDIATE").expect("a writer");
    let unlock = ["unlock", "--database-url", "sqlite:app.db", "--end"];
    for typed in ["n\n", "\n", "what\n"] {
        let (code, told) = typed_into(&project, &unlock, &[], typed);
        assert_eq!(code, Some(5), "{told}");
        assert!(told.contains("End this session?") && told.contains("it is as it was"), "{told:?}");
    }
    let (code, told) = on_a_terminal(&project, &unlock[..3], &[]);
    assert_eq!(code, Some(5), "{told}");
    assert!(told.contains("ended by the means of its system") && !told.contains("--end"), "{told:?}");
    // It is asked to, and cannot.
    let (code, told) = typed_into(&project, &unlock, &[], "Y\n");
    assert_eq!(code, Some(5), "{told}");
    assert!(told.contains("SQLite has no server"), "{told:?}");
}
