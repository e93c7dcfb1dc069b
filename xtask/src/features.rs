//! `cargo xtask features`: each set of the library crates' features compiles by itself, what each costs is printed, and
//! what the suite leaves out is tried: SQLite's crate at both ends of the range of rusqlite that it takes, applications
//! whose own drivers have other features, TLS through the system's library, and the oldest compiler.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::provision::{Durability, Servers, Target};
use crate::{msrv, workspace};

pub(crate) const CRATES: [&str; 4] =
    ["windlass-core", "windlass-sqlite", "windlass-postgres", "windlass-mysql"];

/// The feature that takes a library of C's, with its headers.
pub(crate) const NATIVE_TLS: &str = "tls-native-tls";

/// A project outside of the workspace, and so of its lock file, which holds one release of each package alone.
struct Beside {
    name: &'static str,
    /// Lines of its manifest; `CRATES` stands for the folder of this workspace's crates.
    dependencies: &'static str,
    needs_native_tls: bool,
}

const BESIDE: [Beside; 4] = [
    // The ends of the range of rusqlite, and the release that links the same SQLite as sqlx.
    Beside {
        name: "windlass-sqlite with macros and rusqlite 0.32",
        dependencies: "rusqlite = { version = \"=0.32\", default-features = false }\n\
            windlass-sqlite = { path = \"CRATES/sqlite\", default-features = false, features = [\"macros\"] }",
        needs_native_tls: false,
    },
    Beside {
        name: "windlass-sqlite with macros and rusqlite 0.41",
        dependencies: "rusqlite = { version = \"=0.41\", default-features = false }\n\
            windlass-sqlite = { path = \"CRATES/sqlite\", default-features = false, features = [\"macros\"] }",
        needs_native_tls: false,
    },
    Beside {
        name: "windlass-sqlite with sqlx and rusqlite 0.39",
        dependencies: "rusqlite = { version = \"=0.39\", default-features = false }\n\
            windlass-sqlite = { path = \"CRATES/sqlite\", default-features = false, features = [\"sqlx\"] }",
        needs_native_tls: false,
    },
    Beside {
        name: "windlass-mysql beside a mysql_async with native-tls-tls",
        dependencies: "mysql_async = { version = \"0.37\", default-features = false, features = [\"minimal-rust\", \"native-tls-tls\"] }\n\
            windlass-mysql = { path = \"CRATES/mysql\", default-features = false, features = [\"macros\"] }",
        needs_native_tls: true,
    },
];

/// What holds so far, and what does not.
#[derive(Default)]
struct Counts {
    passed: usize,
    failed: usize,
}

impl Counts {
    fn add(&mut self, holds: bool, what: &str) {
        println!("{} {what}", if holds { "ok" } else { "FAILED" });
        *(if holds { &mut self.passed } else { &mut self.failed }) += 1;
    }
}

/// Tries all of it, on this toolchain where one is named. What needs OpenSSL's headers is left out, and told, where they
/// are missing.
pub(crate) fn run(toolchain: Option<&str>) -> Result<ExitCode> {
    let metadata = metadata()?;
    let has_openssl = has_openssl();
    let mut counts = Counts::default();
    for name in CRATES {
        for features in sets(&features(&metadata, name)?) {
            if features.contains(&NATIVE_TLS) && !has_openssl {
                continue;
            }
            let features = features.join(",");
            let words = ["--package", name, "--no-default-features", "--features", &features];
            let holds = compiles(toolchain, &words)?;
            let spoken = if features.is_empty() { "no features" } else { &features };
            counts.add(holds, &format!("{name} with {spoken}: {} packages", packages(&words)?));
        }
    }
    for project in BESIDE.iter().filter(|project| has_openssl || !project.needs_native_tls) {
        let manifest = project.write()?;
        let folder = workspace::target_folder()?.join("features").display().to_string();
        let holds = compiles(toolchain, &["--manifest-path", &manifest, "--target-dir", &folder])?;
        counts.add(holds, project.name);
    }
    if has_openssl {
        counts.add(native_tls_connects()?, "windlass-postgres connects through the system's TLS");
    } else {
        println!("left out: {NATIVE_TLS}, which takes OpenSSL's headers (libssl-dev) to compile");
    }
    if toolchain.is_none() {
        let (passed, failed) = msrv::check()?;
        counts.passed += passed;
        counts.failed += failed;
    }
    println!("{} passed, {} failed", counts.passed, counts.failed);
    Ok(if counts.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Whether what native-tls stands on can be compiled here; only on Linux it takes anything.
pub(crate) fn has_openssl() -> bool {
    if !cfg!(target_os = "linux") || std::env::var_os("OPENSSL_DIR").is_some() {
        return true;
    }
    let found = Command::new("pkg-config").args(["--exists", "openssl"]).stderr(Stdio::null()).status();
    found.is_ok_and(|status| status.success())
}

/// The tests of connecting, which are run over rustls by the suite: wrong authorities and names of hosts among them.
fn native_tls_connects() -> Result<bool> {
    let target = Target::Postgres(18);
    let servers = Servers::start(&[target], Durability::Throwaway)?;
    let mut command = workspace::cargo()?;
    command.args(["test", "--quiet", "--package", "windlass-postgres", "--no-default-features"]);
    command.args(["--features", &format!("macros,{NATIVE_TLS}"), "--test", "driver", "--"]);
    command.args(["--include-ignored", "connecting::postgres_18"]).envs(servers.environment());
    command.env("WINDLASS_TEST_TARGETS", target.to_string());
    Ok(command.status().context("cannot start cargo")?.success())
}

impl Beside {
    /// Writes it, and gives its manifest.
    fn write(&self) -> Result<String> {
        let folder = self.name.replace([' ', '.'], "-");
        let folder = workspace::target_folder()?.join("features").join(folder);
        std::fs::create_dir_all(folder.join("src")).context("cannot make a project")?;
        std::fs::write(folder.join("src/lib.rs"), "").context("cannot write a project")?;
        let file = folder.join("Cargo.toml");
        let manifest = self.manifest(&workspace::root()?.join("crates"));
        std::fs::write(&file, manifest).context("cannot write a project")?;
        Ok(file.display().to_string())
    }

    fn manifest(&self, crates: &Path) -> String {
        let dependencies = self.dependencies.replace("CRATES", &crates.display().to_string());
        format!(
            "[package]\nname = \"beside\"\nedition = \"2024\"\n\n[workspace]\n\n[dependencies]\n{dependencies}\n"
        )
    }
}

/// The crate alone: other members of the workspace would switch features on for it.
pub(crate) fn compiles(toolchain: Option<&str>, words: &[&str]) -> Result<bool> {
    let mut command = match toolchain {
        Some(toolchain) => {
            let mut rustup = Command::new("rustup");
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

/// What can be switched on in a crate of this workspace.
pub(crate) fn of(name: &str) -> Result<Vec<String>> {
    features(&metadata()?, name)
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
    fn a_project_beside_takes_what_it_names() {
        for project in BESIDE {
            let manifest: toml::Table = project.manifest(Path::new("/anchor/crates")).parse().unwrap();
            let dependencies = manifest["dependencies"].as_table().unwrap();
            let ours = dependencies.iter().find(|(name, _)| name.starts_with("windlass-")).unwrap().1;
            assert!(ours["path"].as_str().unwrap().starts_with("/anchor/crates/"), "{}", project.name);
            assert_eq!(dependencies.len(), 2, "{}", project.name);
        }
    }

    #[test]
    fn the_usual_set_is_no_feature_of_its_own() {
        let features = serde_json::json!({ "default": ["macros"], "macros": [] });
        let metadata = serde_json::json!({ "packages": [{ "name": "a", "features": features }] });
        assert_eq!(super::features(&metadata, "a").unwrap(), ["macros"]);
        assert!(super::features(&metadata, "b").is_err());
    }
}
