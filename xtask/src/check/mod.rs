//! `cargo xtask check`: form, lints, documentation, licences, and what no file may hold.

mod dependencies;
mod licences;
mod text;

use std::process::ExitCode;

use anyhow::{Context, Result, bail};

use crate::provision::installed;
use crate::workspace;

type Check = (&'static str, fn() -> Result<()>);

const CHECKS: [Check; 6] = [
    // The quick ones come first.
    ("formatting", || cargo(&["fmt", "--check"], &[])),
    ("dependencies", dependencies),
    ("text", text::check),
    ("public API", crate::api::check),
    ("lints", || cargo(&["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"], &[])),
    ("documentation", || {
        cargo(&["doc", "--workspace", "--no-deps", "--quiet"], &[("RUSTDOCFLAGS", "-D warnings")])
    }),
];

/// Runs every check, also after one has failed, and prints what they came to.
pub(crate) fn run() -> Result<ExitCode> {
    let mut failed = Vec::new();
    for (name, check) in CHECKS {
        eprintln!("checking {name}");
        if let Err(error) = check() {
            eprintln!("error: {name}: {error:#}");
            failed.push(name);
        }
    }
    println!("{} passed, {} failed", CHECKS.len() - failed.len(), failed.len());
    Ok(if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn dependencies() -> Result<()> {
    match installed("cargo-deny") {
        Some(_) => cargo(&["deny", "--all-features", "check", "bans", "licenses", "sources"], &[]),
        None => dependencies::check(),
    }
}

fn cargo(arguments: &[&str], variables: &[(&str, &str)]) -> Result<()> {
    let status = workspace::cargo()?
        .args(arguments)
        .envs(variables.iter().copied())
        .status()
        .context("cannot start cargo")?;
    if !status.success() {
        bail!("cargo {} ended with {status}", arguments[0]);
    }
    Ok(())
}
