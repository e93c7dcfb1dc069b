//! The command: a project in a folder of its own, and the real binary run in it against a database.

use crate::{DEADLINE, Database, Family};
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use serde_json::Value;
use std::ffi::OsStr;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

/// The environment that the binary or a driver heeds.
const HEEDED: [&str; 19] = [
    "DATABASE_URL",
    "WINDLASS_DIR",
    "SHADOW_DATABASE_URL",
    "NO_COLOR",
    "CLICOLOR",
    "CLICOLOR_FORCE",
    "PGHOST",
    "PGPORT",
    "PGUSER",
    "PGPASSWORD",
    "PGPASSFILE",
    "PGDATABASE",
    "PGSSLMODE",
    "PGSSLROOTCERT",
    "PGOPTIONS",
    "PGTARGETSESSIONATTRS",
    "PGCONNECT_TIMEOUT",
    "PGSERVICE",
    "MYSQL_PWD",
];

/// A folder with `migrations/` in it, and the database it is for.
pub struct Project<'d> {
    database: &'d Database,
    folder: PathBuf,
}

/// What a run of the binary came to.
#[derive(Debug)]
pub struct Ran {
    /// Its exit code; `None` where a signal ended it.
    pub code: Option<i32>,
    /// What it answered.
    pub stdout: String,
    /// What it told besides.
    pub stderr: String,
}

impl<'d> Project<'d> {
    /// A project with these migrations.
    pub fn new(database: &'d Database, scripts: &[(&str, &str)]) -> Self {
        let project = Self { database, folder: database.folder().join("project") };
        std::fs::create_dir_all(project.path("migrations")).expect("a folder");
        for (name, text) in scripts {
            project.migration(name, text);
        }
        project
    }

    /// Writes a migration.
    pub fn migration(&self, name: &str, text: &str) {
        self.write(&format!("migrations/{name}.sql"), text);
    }

    /// Writes a file.
    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).expect("a file");
    }

    /// A path in the project.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The binary in this folder, which is also the home, for the database's own URL.
    pub fn command(&self, arguments: &[&str]) -> Command {
        self.command_for(&self.url(), arguments)
    }

    fn url(&self) -> String {
        match self.database.target().family {
            Family::Sqlite => format!("{}?mode=rwc", self.database.url()),
            _ => self.database.url(),
        }
    }

    /// A shell script in this folder, for the database's own URL. It finds the binary and what is in `bin/`.
    pub fn shell(&self, script: &str) -> Command {
        let mut command = self.prepared(Command::new("sh"), self.url().as_ref());
        let programs = [self.path("bin"), binary().parent().expect("a folder").to_owned()].into_iter();
        let usual = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::join_paths(programs.chain(std::env::split_paths(&usual)));
        command.args(["-ec", script]).env("PATH", path.expect("a path"));
        // What it starts can be ended with it.
        command.process_group(0);
        command
    }

    /// The same for another URL, which is given by the environment: a process list shows arguments.
    pub fn command_for(&self, url: &str, arguments: &[&str]) -> Command {
        let mut command = self.prepared(Command::new(binary()), url.as_ref());
        command.args(arguments);
        command
    }

    fn prepared(&self, mut command: Command, url: &OsStr) -> Command {
        command.current_dir(&self.folder).stdin(Stdio::null());
        for name in HEEDED {
            command.env_remove(name);
        }
        command.env("HOME", &self.folder).env("DATABASE_URL", url);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs it to its end.
    pub async fn run(&self, arguments: &[&str]) -> Ran {
        self.end(self.command(arguments)).await
    }

    /// Runs it for another URL.
    pub async fn run_for(&self, url: &str, arguments: &[&str]) -> Ran {
        self.end(self.command_for(url, arguments)).await
    }

    /// Runs a command to its end.
    pub async fn end(&self, mut command: Command) -> Ran {
        let child = command.spawn().expect("the binary runs");
        self.ended(child).await
    }

    /// Waits for the end of one that runs. No password of the database is ever in what it said.
    ///
    /// # Panics
    /// Where it does not end by the deadline; it is killed then.
    pub async fn ended(&self, child: Child) -> Ran {
        self.ended_within(DEADLINE, child).await
    }

    /// The same for one that has more to do than a test's usual command.
    ///
    /// # Panics
    /// As [`Self::ended`] does.
    pub async fn ended_within(&self, deadline: Duration, child: Child) -> Ran {
        let number = Pid::from_raw(i32::try_from(child.id()).expect("a process number"));
        let mut output = tokio::task::spawn_blocking(|| child.wait_with_output());
        let ended = tokio::time::timeout(deadline, &mut output).await;
        if ended.is_err() {
            // Nobody has waited for it, so that its number is still its own. A shell's is its group's as well.
            let _ = kill(number, Signal::SIGKILL);
            let _ = killpg(number, Signal::SIGKILL);
            let output = output.await.expect("a thread").expect("an end");
            panic!("it did not end: {}", Ran::of(output).told());
        }
        let ran = Ran::of(ended.expect("in time").expect("a thread").expect("an end"));
        if self.database.target().family != Family::Sqlite {
            let told = format!("{}{}", ran.stdout, ran.stderr);
            assert!(!told.contains(self.database.password()), "the password: {told}");
            assert!(!told.contains("secret-of-"), "a password: {told}");
        }
        ran
    }
}

impl Ran {
    fn of(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).expect("UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("UTF-8"),
        }
    }

    /// Asserts its exit code.
    #[track_caller]
    pub fn code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}", self.told());
        self
    }

    /// Asserts what it answered.
    #[track_caller]
    pub fn out(self, part: &str) -> Self {
        assert!(self.stdout.contains(part), "stdout lacks {part:?}\n{}", self.told());
        self
    }

    /// Asserts what it told.
    #[track_caller]
    pub fn err(self, part: &str) -> Self {
        assert!(self.stderr.contains(part), "stderr lacks {part:?}\n{}", self.told());
        self
    }

    /// Its one JSON document.
    #[track_caller]
    pub fn json(&self) -> Value {
        let document = serde_json::from_str::<Value>(&self.stdout);
        let document = document.unwrap_or_else(|error| panic!("{error}\n{}", self.told()));
        assert_eq!(document["version"], 1);
        assert_eq!(document["exit_code"], self.code.expect("a code"));
        document
    }

    fn told(&self) -> String {
        format!("code {:?}\nstdout:\n{}\nstderr:\n{}", self.code, self.stdout, self.stderr)
    }
}

/// The `windlass` beside the running test, built first where a source is newer.
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        let test = std::env::current_exe().expect("the test's own path");
        let folder = test.parent().and_then(Path::parent).expect("target/debug/deps");
        let binary = folder.join(format!("windlass{}", std::env::consts::EXE_SUFFIX));
        let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates");
        let built = binary.metadata().and_then(|found| found.modified()).ok();
        if built.is_none_or(|built| newest(&crates) > built) {
            let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
            let mut build = Command::new(cargo);
            // What cargo tells the test of its package would make build scripts run again that look at it.
            for (name, _) in std::env::vars_os() {
                let is_of_package = ["CARGO_PKG_", "CARGO_MANIFEST_"]
                    .iter()
                    .any(|prefix| name.to_str().is_some_and(|name| name.starts_with(prefix)));
                if is_of_package {
                    build.env_remove(name);
                }
            }
            build.args(["build", "--quiet", "--package", "windlass-cli"]).current_dir(&crates);
            if folder.file_name() == Some(OsStr::new("release")) {
                build.arg("--release");
            }
            assert!(build.status().expect("cargo runs").success(), "windlass cannot be built");
        }
        binary
    })
}

/// When the last of the sources below a folder was changed.
fn newest(folder: &Path) -> SystemTime {
    let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let changed = entries.filter(|path| !path.ends_with("tests")).map(|path| {
        if path.is_dir() {
            newest(&path)
        } else {
            path.metadata().and_then(|found| found.modified()).expect("a time")
        }
    });
    changed.max().unwrap_or(SystemTime::UNIX_EPOCH)
}
