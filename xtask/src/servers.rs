//! `cargo xtask servers`: servers for development, until this process is told to end.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::mpsc::{self, Receiver};
use std::thread;

use anyhow::{Context, Result};

use crate::provision::{Desk, Durability, Servers, Target, list};
use crate::{signals, workspace};

/// Starts servers, prints their variables, and waits for the end of input or a signal.
pub(crate) fn run(targets: &[Target]) -> Result<()> {
    // Until the servers run, a signal ends this process at once, and the kernel its children.
    let servers = Servers::start(targets, Durability::Throwaway)?;
    let desk = Desk::open()?;
    let mut variables = servers.environment();
    variables.push(desk.variable());
    variables.push(("WINDLASS_TEST_TARGETS".to_owned(), list(targets)));
    let lines: String = variables.iter().map(|(name, value)| export_line(name, value)).collect();
    let file = workspace::testdb_folder()?.join("servers.env");
    write_private(&file, &lines).with_context(|| format!("cannot write {}", file.display()))?;
    let mut out = io::stdout().lock();
    out.write_all(lines.as_bytes())?;
    out.flush()?;
    eprintln!("also in {}; they run until standard input ends or a signal comes", file.display());
    let endings = endings()?;
    desk.serve()?;
    let why = endings.recv().context("nothing can end the servers any more")?;
    eprintln!("{why}: stopping");
    Ok(())
}

/// Writes a file that only its owner may read: the URLs hold passwords.
fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())
}

fn export_line(name: &str, value: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "_-./:@,%+=".contains(letter);
    match value.chars().all(plain) {
        true => format!("export {name}={value}\n"),
        false => format!("export {name}='{}'\n", value.replace('\'', r"'\''")),
    }
}

/// A channel that speaks once standard input ends or a signal asks this process to end.
fn endings() -> Result<Receiver<String>> {
    let (sender, receiver) = mpsc::channel();
    let of_signals = sender.clone();
    signals::forward(move |signal| {
        let _ = of_signals.send(signal.to_string());
    })?;
    thread::spawn(move || {
        let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
        let _ = sender.send("standard input ended".to_owned());
    });
    Ok(receiver)
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
