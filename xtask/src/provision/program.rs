//! How an outside program is called, and how its failure is told.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use nix::sys::signal::Signal;

use super::supervise;

/// The words that start a program: its path, or a loader with its options before the path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Program(Vec<OsString>);

impl Program {
    /// A program that runs as it stands.
    pub(crate) fn plain(path: impl Into<PathBuf>) -> Self {
        Program(vec![path.into().into_os_string()])
    }

    /// A program that is the last of several words.
    pub(crate) fn words(words: Vec<OsString>) -> Self {
        assert!(!words.is_empty(), "a program needs a word");
        Program(words)
    }

    /// A command without arguments yet.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.0[0]);
        command.args(&self.0[1..]);
        command
    }

    /// The words as a line for a shell.
    pub(crate) fn line(&self) -> String {
        self.0.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
    }

    /// Writes a script that starts it.
    pub(crate) fn write_script(&self, path: &Path) -> Result<()> {
        let words = self.0.iter().map(quoted).collect::<Vec<_>>().join(" ");
        fs::write(path, format!("#!/bin/sh\nexec {words} \"$@\"\n"))?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o755))?;
        Ok(())
    }

    /// What the program says of its version, on one line.
    pub(crate) fn version(&self) -> Result<String> {
        let output = run(self.command().arg("--version"))?;
        Ok(output.lines().next().unwrap_or_default().trim().to_owned())
    }
}

/// Runs a command to its end and gives its standard output; its error holds the end of what it printed.
pub(crate) fn run(command: &mut Command) -> Result<String> {
    run_with_input(command, Stdio::null())
}

/// Like [`run`], with something to read.
pub(crate) fn run_with_input(command: &mut Command, input: impl Into<Stdio>) -> Result<String> {
    supervise::bind(command, Signal::SIGKILL);
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command
        .stdin(input)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .output()
        .with_context(|| format!("cannot start {name}"))?;
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(printed);
    }
    let complaint = String::from_utf8_lossy(&output.stderr);
    bail!("{name} ended with {}: {}", output.status, tail(&format!("{printed}\n{complaint}")))
}

/// A word as a shell reads it back.
pub(crate) fn quoted(word: impl AsRef<OsStr>) -> String {
    format!("'{}'", word.as_ref().to_string_lossy().replace('\'', r"'\''"))
}

/// The last lines of a text, in one line.
pub(crate) fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines[lines.len().saturating_sub(12)..].join(" | ")
}

/// The path of an installed program, looked for in PATH and in the folders where servers stand.
pub(crate) fn installed(name: impl AsRef<OsStr>) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let usual = ["/usr/sbin", "/usr/local/sbin", "/usr/bin", "/usr/local/bin"].map(PathBuf::from);
    std::env::split_paths(&path)
        .chain(usual)
        .map(|folder| folder.join(name.as_ref()))
        .find(|candidate| candidate.is_file())
}

/// Copies a folder with everything in it.
pub(crate) fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    run(Command::new("cp")
        .args(["-R", "-p", "--no-preserve=ownership", "--reflink=auto"])
        .arg(from)
        .arg(to))?;
    Ok(())
}

/// The first two numbers of a version in a text: `psql (PostgreSQL) 18.4` gives 18 and 4.
pub(crate) fn version_numbers(text: &str) -> Option<(u32, u32)> {
    text.split(|letter: char| !(letter.is_ascii_digit() || letter == '.')).find_map(|word| {
        let mut parts = word.split('.');
        let major = parts.next()?.parse().ok()?;
        let minor = parts.next()?.parse().ok()?;
        Some((major, minor))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_what_programs_print() {
        assert_eq!(version_numbers("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)"), Some((15, 18)));
        assert_eq!(version_numbers("mariadbd  Ver 10.11.14-MariaDB-0+deb12u2 for debian"), Some((10, 11)));
        assert_eq!(version_numbers("/x/mysqld  Ver 9.7.0-1 for Linux on x86_64"), Some((9, 7)));
        assert_eq!(version_numbers("3.40.1 2022-12-28 14:03:47"), Some((3, 40)));
        assert_eq!(version_numbers("no version 7"), None);
    }

    #[test]
    fn a_failing_program_is_told_with_its_last_words() {
        let message = run(Command::new("sh").args(["-c", "echo one; echo two >&2; exit 3"])).unwrap_err();
        assert_eq!(message.to_string(), "sh ended with exit status: 3: one | two");
    }

    #[test]
    fn only_the_end_of_a_long_text_is_told() {
        let text: String = (0..40).map(|line| format!("{line}\n\n")).collect();
        assert!(tail(&text).starts_with("28 | 29"));
    }
}
