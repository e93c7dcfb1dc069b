//! The test programs of the workspace, as cargo builds them.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use nix::sys::signal::Signal;
use serde_json::Value;

use crate::provision::{Target, spawn_bound};
use crate::workspace::{self, cargo};

/// A program with tests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Program {
    /// The package that it belongs to.
    pub(super) package: String,
    /// The folder in which it runs.
    folder: PathBuf,
    /// The file that it is made of, for the reader.
    pub(super) source: PathBuf,
    executable: PathBuf,
}

/// Builds every test program; none if the build failed, which cargo has told by then.
pub(super) fn build() -> Result<Option<Vec<Program>>> {
    let mut command = cargo()?;
    command.args(["test", "--workspace", "--no-run", "--quiet", "--message-format=json-render-diagnostics"]);
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    let child = spawn_bound(&mut command, Signal::SIGTERM).context("cannot start cargo")?;
    let output = child.wait_with_output()?;
    if !output.status.success() {
        return Ok(None);
    }
    let messages = String::from_utf8(output.stdout).context("cargo's messages are not UTF-8")?;
    let mut programs = read(&messages)?;
    // Cargo tells them in the order in which they were ready.
    programs.sort_by(|one, other| one.source.cmp(&other.source));
    Ok(Some(programs))
}

fn read(messages: &str) -> Result<Vec<Program>> {
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let tests =
        messages.filter(|message| message["profile"]["test"] == true && message["executable"].is_string());
    tests.map(|message| program(&message)).collect()
}

fn program(message: &Value) -> Result<Program> {
    let path = |value: &Value| value.as_str().map(PathBuf::from);
    let manifest = path(&message["manifest_path"]).context("cargo names no manifest")?;
    let folder = manifest.parent().context("a manifest stands in a folder")?.to_path_buf();
    // `path+file:///…/crates/core#windlass-core@0.1.0`, or `…/xtask#0.1.0` where the folder is the name.
    let id = message["package_id"].as_str().context("cargo names no package")?;
    let package = match id.rsplit_once('#').and_then(|(_, name)| name.split_once('@')) {
        Some((name, _)) => name.to_owned(),
        None => folder.file_name().context("a folder has a name")?.to_string_lossy().into_owned(),
    };
    Ok(Program {
        package,
        source: path(&message["target"]["src_path"]).context("cargo names no source")?,
        executable: path(&message["executable"]).context("cargo names no program")?,
        folder,
    })
}

impl Program {
    /// A command that runs it where cargo would.
    pub(super) fn command(&self) -> Command {
        let mut command = Command::new(&self.executable);
        command.current_dir(&self.folder).env("CARGO_MANIFEST_DIR", &self.folder);
        command.env("CARGO_PKG_NAME", &self.package);
        command
    }

    /// Its source, seen from the workspace.
    pub(super) fn name(&self) -> String {
        let root = workspace::root().unwrap_or_default();
        self.source.strip_prefix(root).unwrap_or(&self.source).display().to_string()
    }

    /// Whether tests that are marked as needing something find it: a driver's need one of its own servers.
    pub(super) fn is_provided(&self, targets: &[Target]) -> bool {
        match self.package.as_str() {
            "windlass-postgres" => targets.iter().any(|target| matches!(target, Target::Postgres(_))),
            "windlass-mysql" => {
                targets.iter().any(|target| matches!(target, Target::Mysql(..) | Target::Mariadb(..)))
            }
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn message(id: &str, test: bool, executable: Option<&str>) -> String {
        let message = json!({
            "reason": "compiler-artifact",
            "package_id": id,
            "manifest_path": "/anchor/crates/chain/Cargo.toml",
            "target": { "src_path": "/anchor/crates/chain/tests/links.rs" },
            "profile": { "test": test },
            "executable": executable,
        });
        message.to_string()
    }

    #[test]
    fn only_programs_with_tests_are_taken() {
        let id = "path+file:///anchor/crates/chain#windlass-chain@0.1.0";
        let messages = [
            message(id, true, Some("/anchor/target/links-1")),
            message(id, false, Some("/anchor/target/chain")),
            message(id, true, None),
            r#"{"reason":"build-finished","success":true}"#.to_owned(),
        ];
        let programs = read(&messages.join("\n")).unwrap();
        assert_eq!(programs.len(), 1);
        assert_eq!(programs[0].package, "windlass-chain");
        assert_eq!(programs[0].executable, PathBuf::from("/anchor/target/links-1"));
        assert_eq!(programs[0].folder, PathBuf::from("/anchor/crates/chain"));
    }

    #[test]
    fn a_package_may_be_named_by_its_folder() {
        let programs = read(&message("path+file:///anchor/crates/chain#0.1.0", true, Some("/x"))).unwrap();
        assert_eq!(programs[0].package, "chain");
    }

    #[test]
    fn a_drivers_tests_need_one_of_its_own_servers() {
        let of = |package: &str| Program {
            package: package.to_owned(),
            folder: PathBuf::new(),
            source: PathBuf::new(),
            executable: PathBuf::new(),
        };
        let sqlite = [Target::Sqlite];
        assert!(!of("windlass-postgres").is_provided(&sqlite) && !of("windlass-mysql").is_provided(&sqlite));
        assert!(of("windlass-core").is_provided(&sqlite) && of("windlass-sqlite").is_provided(&sqlite));
        assert!(of("windlass-mysql").is_provided(&[Target::Sqlite, Target::Mariadb(10, 11)]));
        assert!(!of("windlass-mysql").is_provided(&[Target::Postgres(18)]));
    }
}
