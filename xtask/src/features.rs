//! `cargo xtask features`: each set of the driver crates' features compiles by itself, what each costs is printed, and
//! SQLite's crate compiles at both ends of the range of rusqlite that it takes.

use std::collections::BTreeSet;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::workspace;

/// The releases of rusqlite that are tried, and with which features: the ends of the range that SQLite's crate takes, and
/// the one that links the same SQLite as sqlx. The workspace's lock file holds one of them alone.
const RUSQLITE: [(&str, &str); 3] = [("0.32", "macros"), ("0.41", "macros"), ("0.39", "sqlx")];

const CRATES: [&str; 3] = ["windlass-sqlite", "windlass-postgres", "windlass-mysql"];

/// Compiles every set of features of every driver crate, and SQLite's with other releases of rusqlite, on the toolchain the workspace says it needs at least where
/// that is named, and prints how many packages each set is made of.
pub(crate) fn run(toolchain: Option<&str>) -> Result<ExitCode> {
    let metadata = metadata()?;
    let (mut passed, mut failed) = (0, 0);
    for name in CRATES {
        for features in sets(&features(&metadata, name)?) {
            let features = features.join(",");
            let words = ["--package", name, "--no-default-features", "--features", &features];
            let holds = compiles(toolchain, &words)?;
            let spoken = if features.is_empty() { "no features" } else { &features };
            println!(
                "{} {name} with {spoken}: {} packages",
                if holds { "ok" } else { "FAILED" },
                packages(&words)?
            );
            *(if holds { &mut passed } else { &mut failed }) += 1;
        }
    }
    for (release, features) in RUSQLITE {
        let manifest = project_beside(release, features)?;
        let folder = workspace::target_folder()?.join("features").display().to_string();
        let holds = compiles(toolchain, &["--manifest-path", &manifest, "--target-dir", &folder])?;
        let outcome = if holds { "ok" } else { "FAILED" };
        println!("{outcome} windlass-sqlite with {features} and rusqlite {release}");
        *(if holds { &mut passed } else { &mut failed }) += 1;
    }
    println!("{passed} passed, {failed} failed");
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A project outside of the workspace, and so of its lock file, that takes this release. Gives its manifest.
fn project_beside(release: &str, features: &str) -> Result<String> {
    let folder = workspace::target_folder()?.join("features").join(format!("rusqlite-{release}"));
    std::fs::create_dir_all(folder.join("src")).context("cannot make a project")?;
    std::fs::write(folder.join("src/lib.rs"), "").context("cannot write a project")?;
    let file = folder.join("Cargo.toml");
    let sqlite = workspace::root()?.join("crates/sqlite");
    std::fs::write(&file, manifest(release, features, &sqlite.to_string_lossy()))
        .context("cannot write it")?;
    Ok(file.display().to_string())
}

fn manifest(release: &str, features: &str, sqlite: &str) -> String {
    format!(
        "[package]\nname = \"beside\"\nedition = \"2024\"\n\n[workspace]\n\n[dependencies]\n\
         rusqlite = {{ version = \"={release}\", default-features = false }}\n\
         windlass-sqlite = {{ path = {sqlite:?}, default-features = false, features = [\"{features}\"] }}\n"
    )
}

/// The crate alone: other members of the workspace would switch features on for it.
fn compiles(toolchain: Option<&str>, words: &[&str]) -> Result<bool> {
    let mut command = match toolchain {
        Some(toolchain) => {
            let mut rustup = std::process::Command::new("rustup");
            rustup.args(["run", toolchain, "cargo"]).current_dir(workspace::root()?).env_remove("CARGO");
            // Two compilers that share a folder would each compile anew what the other has compiled.
            rustup.env("CARGO_TARGET_DIR", workspace::target_folder()?.join(toolchain));
            rustup
        }
        None => workspace::cargo()?,
    };
    command.args(["check", "--quiet", "--lib"]).args(words).env("RUSTFLAGS", "-D warnings");
    Ok(command.status().context("cannot start cargo")?.success())
}

fn packages(words: &[&str]) -> Result<usize> {
    let mut command = workspace::cargo()?;
    let output =
        command.args(["tree", "--quiet", "--edges", "normal", "--prefix", "none"]).args(words).output();
    let output = output.context("cannot start cargo")?;
    if !output.status.success() {
        bail!("cargo tree ended with {}", output.status);
    }
    let lines = String::from_utf8(output.stdout).context("cargo's words are not UTF-8")?;
    let name = |line: &str| line.trim_end_matches(" (*)").to_owned();
    Ok(lines.lines().filter(|line| !line.is_empty()).map(name).collect::<BTreeSet<_>>().len())
}

fn metadata() -> Result<Value> {
    let output = workspace::cargo()?
        .args(["metadata", "--format-version", "1", "--no-deps"])
        .output()
        .context("cannot start cargo")?;
    if !output.status.success() {
        bail!("cargo metadata ended with {}", output.status);
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// What can be switched on in a crate.
fn features(metadata: &Value, name: &str) -> Result<Vec<String>> {
    let packages = metadata["packages"].as_array().context("cargo metadata lists no packages")?;
    let package = packages.iter().find(|package| package["name"] == name);
    let package = package.with_context(|| format!("there is no package {name}"))?;
    let features = package["features"].as_object().context("cargo metadata lists no features")?;
    Ok(features.keys().filter(|feature| *feature != "default").cloned().collect())
}

/// Every subset, the empty one first.
fn sets(features: &[String]) -> Vec<Vec<&str>> {
    let has = |set: usize, place: usize| set >> place & 1 == 1;
    let chosen = |set: usize| {
        let places = (0..features.len()).filter(move |place| has(set, *place));
        places.map(|place| features[place].as_str()).collect()
    };
    (0..1 << features.len()).map(chosen).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_set_is_tried_once() {
        let features = ["bundled".to_owned(), "macros".to_owned()];
        let all: [&[&str]; 4] = [&[], &["bundled"], &["macros"], &["bundled", "macros"]];
        assert_eq!(sets(&features), all);
    }

    #[test]
    fn a_project_beside_takes_one_release() {
        let manifest: toml::Table = manifest("0.32", "macros", "/anchor/crates/sqlite").parse().unwrap();
        assert_eq!(manifest["dependencies"]["rusqlite"]["version"].as_str(), Some("=0.32"));
        assert_eq!(
            manifest["dependencies"]["windlass-sqlite"]["path"].as_str(),
            Some("/anchor/crates/sqlite")
        );
    }

    #[test]
    fn the_usual_set_is_no_feature_of_its_own() {
        let features = serde_json::json!({ "default": ["macros"], "macros": [] });
        let metadata = serde_json::json!({ "packages": [{ "name": "a", "features": features }] });
        assert_eq!(super::features(&metadata, "a").unwrap(), ["macros"]);
        assert!(super::features(&metadata, "b").is_err());
    }
}
