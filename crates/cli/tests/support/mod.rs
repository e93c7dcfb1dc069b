//! A project in a folder of its own, and the real binary run in it.

// Each test file uses its own part of this.
#![allow(dead_code)]

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A folder with `migrations/` in it.
pub(crate) struct Project {
    folder: tempfile::TempDir,
}

/// What a run of the binary came to.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Project {
    pub(crate) fn empty() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder") }
    }

    /// Migrations given as name and text, below `migrations/`.
    pub(crate) fn with(scripts: &[(&str, &str)]) -> Self {
        let project = Self::empty();
        for (name, text) in scripts {
            project.write(&format!("migrations/{name}"), text);
        }
        project
    }

    /// A copy of a folder of `migrations-fixtures`.
    pub(crate) fn fixture(name: &str) -> Self {
        let project = Self::empty();
        copy(&fixtures().join(name), &project.path("migrations"));
        project
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).expect("a file")
    }

    /// The binary in this folder, with nothing of the environment that it heeds.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_windlass"));
        command.current_dir(self.folder.path()).args(arguments).stdin(Stdio::null());
        for name in [
            "DATABASE_URL",
            "WINDLASS_DIR",
            "SHADOW_DATABASE_URL",
            "NO_COLOR",
            "CLICOLOR",
            "CLICOLOR_FORCE",
            "PGPASSWORD",
            "MYSQL_PWD",
        ] {
            command.env_remove(name);
        }
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(self.command(arguments).output().expect("the binary runs"))
    }

    /// Runs against `app.db`, creating it where needed.
    pub(crate) fn deploy(&self, arguments: &[&str]) -> Ran {
        self.run(&[&["deploy", "--database-url", "sqlite:app.db?mode=rwc"], arguments].concat())
    }

    /// Runs another command against `app.db`.
    pub(crate) fn on_app(&self, arguments: &[&str]) -> Ran {
        self.run(&[arguments, &["--database-url", "sqlite:app.db"]].concat())
    }

    /// Runs SQL behind windlass's back.
    pub(crate) fn sql(&self, sql: &str) {
        rusqlite::Connection::open(self.path("app.db")).expect("opens").execute_batch(sql).expect("runs");
    }

    pub(crate) fn count(&self, query: &str) -> i64 {
        let connection = rusqlite::Connection::open(self.path("app.db")).expect("opens");
        connection.query_row(query, [], |row| row.get(0)).expect("a number")
    }
}

impl Ran {
    pub(crate) fn of(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).expect("UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("UTF-8"),
        }
    }

    #[track_caller]
    pub(crate) fn ends_with(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }

    #[track_caller]
    pub(crate) fn out(self, part: &str) -> Self {
        assert!(self.stdout.contains(part), "stdout lacks {part:?}: {self:#?}");
        self
    }

    #[track_caller]
    pub(crate) fn err(self, part: &str) -> Self {
        assert!(self.stderr.contains(part), "stderr lacks {part:?}: {self:#?}");
        self
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        let value: Value = serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("{e}: {self:#?}"));
        assert_eq!(value["version"], 1);
        assert_eq!(value["exit_code"], self.code.expect("a code"), "{self:#?}");
        value
    }
}

pub(crate) fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations-fixtures")
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("the fixture") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("a copy");
        }
    }
}

/// The files below a folder, by their paths from there.
pub(crate) fn files(folder: &Path) -> Vec<String> {
    let (mut files, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).expect("the folder") {
            let path = entry.expect("an entry").path();
            match path.is_dir() {
                true => folders.push(path),
                false => {
                    files.push(path.strip_prefix(folder).expect("below it").to_str().expect("UTF-8").into())
                }
            }
        }
    }
    files.sort();
    files
}
