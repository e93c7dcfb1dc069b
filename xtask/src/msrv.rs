//! `cargo xtask msrv`: the library crates compile with the oldest compiler that is promised to do (`rust-version`), with all
//! features but `sqlx`, which needs a newer one; and where it is not to be had, what can be told without it.

use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::{features, workspace};

/// Runs it as a task of its own.
pub(crate) fn run() -> Result<ExitCode> {
    let (passed, failed) = check()?;
    println!("{passed} passed, {failed} failed");
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// How much holds, and how much does not.
pub(crate) fn check() -> Result<(usize, usize)> {
    let promised = promised()?;
    match toolchain(&promised) {
        Ok(toolchain) => {
            let mut counts = (0, 0);
            for name in features::CRATES {
                let features = promised_features(name)?;
                let words = ["--package", name, "--no-default-features", "--features", &features];
                let holds = features::compiles(Some(&toolchain), &words)?;
                println!("{} {name} with {features} on Rust {toolchain}", spoken(holds));
                *(if holds { &mut counts.0 } else { &mut counts.1 }) += 1;
            }
            Ok(counts)
        }
        Err(error) => {
            println!("Rust {promised} is not to be had here: {error:#}; what can be told without:");
            without(&promised)
        }
    }
}

/// All features of a crate but one: sqlx itself asks for a newer compiler than is promised here.
fn promised_features(name: &str) -> Result<String> {
    let features = features::of(name)?;
    let is_kept = |feature: &&String| {
        *feature != "sqlx" && (*feature != features::NATIVE_TLS || features::has_openssl())
    };
    Ok(features.iter().filter(is_kept).cloned().collect::<Vec<_>>().join(","))
}

fn spoken(holds: bool) -> &'static str {
    if holds { "ok" } else { "FAILED" }
}

/// What the workspace promises.
fn promised() -> Result<String> {
    let manifest = workspace::root()?.join("Cargo.toml");
    let manifest: toml::Table =
        std::fs::read_to_string(manifest).context("cannot read Cargo.toml")?.parse().context("not TOML")?;
    let version = manifest["workspace"]["package"].get("rust-version").and_then(toml::Value::as_str);
    Ok(version.context("the workspace names no rust-version")?.to_owned())
}

/// One of rustup's that is of this release, installed now if it has to be.
fn toolchain(release: &str) -> Result<String> {
    let rustup = |words: &[&str]| -> Result<String> {
        let output = Command::new("rustup").args(words).stdin(Stdio::null()).output();
        let output = output.context("there is no rustup")?;
        if !output.status.success() {
            let told = String::from_utf8_lossy(&output.stderr).into_owned();
            let line = told.lines().find(|line| line.starts_with("error")).unwrap_or("no reason told");
            bail!("rustup {}: {line}", words.join(" "));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    };
    if let Some(found) = of_release(&rustup(&["toolchain", "list"])?, release) {
        return Ok(found);
    }
    rustup(&["toolchain", "install", release, "--profile", "minimal", "--no-self-update"])?;
    of_release(&rustup(&["toolchain", "list"])?, release).context("it was installed, and is not listed")
}

/// `1.88.0-x86_64-unknown-linux-gnu`, or `1.88-…`, for `1.88`.
fn of_release(listed: &str, release: &str) -> Option<String> {
    let names = listed.lines().filter_map(|line| line.split_whitespace().next());
    let is_one = |name: &&str| {
        let rest = name.strip_prefix(release);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-']))
    };
    names.into_iter().find(is_one).map(str::to_owned)
}

/// Each dependency of the library crates says itself what compiler it needs, and clippy knows since when the standard
/// library has what they use. What of the language itself is newer, neither tells.
fn without(promised: &str) -> Result<(usize, usize)> {
    let mut counts = (0, 0);
    for name in features::CRATES {
        let newer = newer_dependencies(name, promised)?;
        for dependency in &newer {
            println!("  {dependency}");
        }
        let holds = newer.is_empty();
        println!("{} no dependency of {name} says that it needs a newer Rust than {promised}", spoken(holds));
        *(if holds { &mut counts.0 } else { &mut counts.1 }) += 1;
    }
    let mut clippy = workspace::cargo()?;
    clippy.args(["clippy", "--quiet", "--lib"]);
    for name in features::CRATES {
        clippy.args(["--package", name]);
    }
    clippy.args(["--", "-D", "clippy::incompatible_msrv"]);
    let holds = clippy.status().context("cannot start cargo")?.success();
    println!("{} nothing of the standard library is used that is newer than Rust {promised}", spoken(holds));
    *(if holds { &mut counts.0 } else { &mut counts.1 }) += 1;
    Ok(counts)
}

/// What a user of this crate compiles, with the features that are promised, and is newer.
fn newer_dependencies(name: &str, promised: &str) -> Result<Vec<String>> {
    let tree = workspace::cargo()?
        .args(["tree", "--quiet", "--edges", "normal,build", "--prefix", "none", "--no-default-features"])
        .args(["--features", &promised_features(name)?, "--format", "{p}", "--package", name])
        .output()
        .context("cannot start cargo")?;
    let tree = String::from_utf8(tree.stdout).context("cargo's words are not UTF-8")?;
    let metadata = workspace::cargo()?
        .args(["metadata", "--format-version", "1", "--all-features"])
        .stderr(Stdio::inherit())
        .output()
        .context("cannot start cargo")?;
    let metadata: Value = serde_json::from_slice(&metadata.stdout)?;
    let packages = metadata["packages"].as_array().context("cargo metadata lists no packages")?;
    Ok(newer(&tree, packages, promised))
}

fn newer(tree: &str, packages: &[Value], promised: &str) -> Vec<String> {
    let mut found = Vec::new();
    for package in packages {
        let text = |field: &str| package[field].as_str().unwrap_or_default();
        let is_compiled = tree.lines().any(|line| {
            let mut words = line.split(' ');
            words.next() == Some(text("name"))
                && words.next().and_then(|word| word.strip_prefix('v')) == Some(text("version"))
        });
        let needed = text("rust_version");
        if is_compiled && numbers(needed) > numbers(promised) {
            found.push(format!("{} {} needs Rust {needed}", text("name"), text("version")));
        }
    }
    found
}

/// A release as numbers; one that is not told is the oldest.
fn numbers(release: &str) -> Vec<u32> {
    let mut numbers: Vec<_> = release.split('.').filter_map(|number| number.parse().ok()).collect();
    while numbers.last() == Some(&0) {
        numbers.pop();
    }
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_toolchain_is_found_by_its_release() {
        let listed =
            "stable-x86_64-unknown-linux-gnu (active, default)\n1.88.0-x86_64-unknown-linux-gnu\n1.880.0-x\n";
        assert_eq!(of_release(listed, "1.88").as_deref(), Some("1.88.0-x86_64-unknown-linux-gnu"));
        assert_eq!(of_release(listed, "1.8"), None);
        assert_eq!(of_release("no installed toolchains\n", "1.88"), None);
    }

    #[test]
    fn what_is_compiled_and_newer_is_named() {
        let tree = "windlass-sqlite v0.1.0 (/anchor)\nchain v1.2.0\nrope v1.0.0 (*)\n";
        let package = |name: &str, version: &str, needed: Option<&str>| json!({ "name": name, "version": version, "rust_version": needed });
        let packages = [
            package("chain", "1.2.0", Some("1.90")),
            package("chain", "1.3.0", Some("1.91")),
            package("rope", "1.0.0", Some("1.88.0")),
            package("other", "1.0.0", Some("1.95")),
            package("windlass-sqlite", "0.1.0", None),
        ];
        assert_eq!(newer(tree, &packages, "1.88"), ["chain 1.2.0 needs Rust 1.90"]);
    }
}
