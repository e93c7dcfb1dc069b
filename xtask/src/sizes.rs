//! `cargo xtask sizes`: what a minimal program with embedded migrations costs, beside the driver alone and what other
//! libraries cost. Each stands in a project of its own, outside of the workspace and of its lock file.

mod programs;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::workspace;
use programs::{DATABASES, Minimal};

/// What one program costs.
struct Cost {
    crates: usize,
    /// Seconds of a build from nothing, and bytes of the program; nothing where only crates were counted.
    built: Option<(f64, u64)>,
}

/// Measures the programs of each database, or only counts their crates, and prints a table for each. What cannot be
/// measured here, since a registry has no answer or a library of C's is missing, is told in its place.
pub(crate) fn run(databases: &[String], counts_only: bool) -> Result<ExitCode> {
    let known = DATABASES.map(|(name, _)| name);
    if let Some(unknown) = databases.iter().find(|name| !known.contains(&name.as_str())) {
        bail!("{unknown} is none of {}", known.join(", "));
    }
    let (mut passed, mut failed) = (0, 0);
    for (database, programs) in DATABASES {
        if !databases.is_empty() && !databases.iter().any(|name| name == database) {
            continue;
        }
        println!("\n{database}\n");
        println!("| {:<42} | crates | cold build | program |", "");
        println!("|{:-<44}|-------:|-----------:|--------:|", "");
        for program in programs {
            let is_ours = program.dependencies.contains("windlass");
            match measure(database, program, counts_only) {
                Ok(Cost { crates, built: Some((seconds, bytes)) }) => {
                    let kilobytes = bytes / 1024;
                    println!("| {:<42} | {crates:>6} | {seconds:>8.1} s | {kilobytes} KiB |", program.name);
                    passed += 1;
                }
                Ok(Cost { crates, built: None }) => {
                    println!("| {:<42} | {crates:>6} |            |         |", program.name);
                    passed += 1;
                }
                Err(error) => {
                    println!("| {:<42} | not measured here: {error:#} |", program.name);
                    failed += usize::from(is_ours);
                }
            }
        }
    }
    println!("\n{passed} passed, {failed} failed");
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn measure(database: &str, program: &Minimal, counts_only: bool) -> Result<Cost> {
    let folder = workspace::target_folder()?.join("sizes").join(database).join(program.folder());
    if folder.exists() {
        fs::remove_dir_all(&folder).context("cannot remove an older project")?;
    }
    let crates = workspace::root()?.join("crates");
    program.write(&folder, &crates).context("cannot write the project")?;
    // The newest releases where the registry answers, else those that are here already.
    if let Err(why) = cargo(&folder, &["generate-lockfile"]) {
        cargo(&folder, &["generate-lockfile", "--offline"]).map_err(|_| why)?;
    }
    let counted = count(&cargo(&folder, &["tree", "--edges", "normal,build", "--prefix", "none"])?);
    if counts_only {
        return Ok(Cost { crates: counted, built: None });
    }
    cargo(&folder, &["fetch"])?;
    let began = Instant::now();
    cargo(&folder, &["build", "--release", "--offline", "--target-dir", "target"])?;
    let seconds = began.elapsed().as_secs_f64();
    let built = folder.join("target/release/app");
    let bytes = fs::metadata(&built).context("nothing was built")?.len();
    if database == "sqlite" {
        // Twice, the second time with nothing to do: what is measured works.
        for _ in 0..2 {
            let run = Command::new(&built).current_dir(&folder).stdin(Stdio::null()).output();
            let run = run.context("cannot start the program")?;
            if !run.status.success() {
                bail!("it ended with {}: {}", run.status, last_line(&run.stderr));
            }
        }
    }
    fs::remove_dir_all(folder.join("target")).context("cannot remove what was built")?;
    Ok(Cost { crates: counted, built: Some((seconds, bytes)) })
}

/// Packages of a tree, without the program's own.
fn count(tree: &str) -> usize {
    let names = tree.lines().filter(|line| !line.is_empty() && !line.starts_with('['));
    let names: BTreeSet<_> = names.map(|line| line.trim_end_matches(" (*)")).collect();
    names.len().saturating_sub(1)
}

fn cargo(folder: &Path, words: &[&str]) -> Result<String> {
    let mut command = workspace::cargo()?;
    command.args(words).arg("--quiet").current_dir(folder).stdin(Stdio::null());
    let output = command.env_remove("CARGO_TARGET_DIR").output().context("cannot start cargo")?;
    if !output.status.success() {
        bail!("cargo {}: {}", words[0], last_line(&output.stderr));
    }
    String::from_utf8(output.stdout).context("cargo's words are not UTF-8")
}

/// What a program said last, in one line.
fn last_line(words: &[u8]) -> String {
    let words = String::from_utf8_lossy(words);
    let mut lines = words.lines().map(str::trim).filter(|line| !line.is_empty());
    let error = words.lines().find(|line| line.starts_with("error")).map(str::to_owned);
    error.or_else(|| lines.next_back().map(str::to_owned)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_package_is_counted_once() {
        let tree = "app v0.0.0 (/anchor)\nchain v1.0.0\nrope v2.0.0 (proc-macro)\n\nchain v1.0.0 (*)\n[build-dependencies]\ncc v1.0.0\n";
        assert_eq!(count(tree), 3);
    }

    #[test]
    fn what_went_wrong_is_one_line() {
        assert_eq!(last_line(b"note: x\nerror: no such crate\n  more\n"), "error: no such crate");
        assert_eq!(last_line(b"one\n\ntwo\n\n"), "two");
        assert_eq!(last_line(b""), "");
    }
}
