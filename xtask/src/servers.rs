//! `cargo xtask servers`: servers for development, until this process is told to end.

use std::fs;
use std::io::{self, Read, Write};
use std::sync::mpsc::{self, Sender};
use std::thread;

use anyhow::{Context, Result};
use nix::sys::signal::{SigSet, Signal};

use crate::provision::{Durability, Servers, Target, list};
use crate::workspace;

/// Starts servers, prints their variables, and waits for the end of input or a signal.
pub(crate) fn run(targets: &[Target]) -> Result<()> {
    let ending = endings()?;
    let servers = Servers::start(targets, Durability::Throwaway)?;
    let mut variables = servers.environment();
    variables.push(("WINDLASS_TEST_TARGETS".to_owned(), list(targets)));
    let lines: String = variables.iter().map(|(name, value)| export_line(name, value)).collect();
    let file = workspace::testdb_folder()?.join("servers.env");
    fs::write(&file, &lines).with_context(|| format!("cannot write {}", file.display()))?;
    let mut out = io::stdout().lock();
    out.write_all(lines.as_bytes())?;
    out.flush()?;
    eprintln!("also in {}; they run until standard input ends or a signal comes", file.display());
    let why = ending.recv().context("nothing can end the servers any more")?;
    eprintln!("{why}: stopping");
    Ok(())
}

fn export_line(name: &str, value: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "_-./:@,%+=".contains(letter);
    match value.chars().all(plain) {
        true => format!("export {name}={value}\n"),
        false => format!("export {name}='{}'\n", value.replace('\'', r"'\''")),
    }
}

/// A channel that speaks once standard input ends or a signal asks this process to end.
fn endings() -> Result<mpsc::Receiver<String>> {
    let (sender, receiver) = mpsc::channel();
    forward_signals(sender.clone())?;
    thread::spawn(move || {
        let _ = io::copy(&mut io::stdin().lock().by_ref(), &mut io::sink());
        let _ = sender.send("standard input ended".to_owned());
    });
    Ok(receiver)
}

/// Sends the name of each signal that asks this process to end.
///
/// Call it before any other thread starts: threads inherit the mask that keeps the signals for this one.
pub(crate) fn forward_signals(sender: Sender<String>) -> Result<()> {
    let mut signals = SigSet::empty();
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        signals.add(signal);
    }
    signals.thread_block()?;
    thread::spawn(move || {
        while let Ok(signal) = signals.wait() {
            let _ = sender.send(signal.to_string());
        }
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_quoted_only_where_a_shell_would_misread_them() {
        assert_eq!(
            export_line("A", "mysql://root:pw@127.0.0.1:3306/mysql"),
            "export A=mysql://root:pw@127.0.0.1:3306/mysql\n"
        );
        assert_eq!(export_line("A", "postgres://h/d?a=1&b='"), "export A='postgres://h/d?a=1&b='\\'''\n");
    }
}
