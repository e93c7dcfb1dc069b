//! A throwaway server of the programs that are installed here: in a folder of its own, which goes with it, and reached by a
//! socket in that folder alone.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use nix::unistd::{User, geteuid};
use tempfile::TempDir;
use windlass_core::driver::{Capabilities, Product};

/// Why there is none.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum LocalServerError {
    /// No programs of the right version.
    #[error("no {product} {version} is installed here for a throwaway server{}", also(.others))]
    NoPrograms {
        /// The database's product.
        product: Product,
        /// The part of its version that counts.
        version: String,
        /// What was found in its place.
        others: Vec<String>,
    },
    /// One of them failed.
    #[error("the throwaway server does not start: {program}: {words}")]
    Failed {
        /// Its file.
        program: String,
        /// What it says.
        words: String,
    },
    /// The folder, or a process.
    #[error("a throwaway server cannot be made")]
    System(#[from] io::Error),
}

fn also(others: &[String]) -> String {
    if others.is_empty() { String::new() } else { format!(": {}", others.join(", ")) }
}

impl LocalServerError {
    /// What to do about it.
    pub(crate) fn hint(&self) -> Option<String> {
        matches!(self, Self::NoPrograms { .. }).then(|| {
            "install its server, or name the folder of its programs with `--shadow-programs DIR`; `--shadow-database-url URL` \
             names a server that runs already"
                .to_owned()
        })
    }
}

/// The server. It ends with this, and also when this process is killed.
pub(crate) struct LocalServer {
    process: Child,
    watchdog: Watchdog,
    program: PathBuf,
    url: String,
    folder: TempDir,
}

impl LocalServer {
    /// Makes an empty server of the version of another, and starts it. It is ready once it takes connections.
    ///
    /// # Errors
    /// When its programs are not here, or refuse.
    pub(crate) fn start(like: &Capabilities, programs: Option<&Path>) -> Result<Self, LocalServerError> {
        let found = Programs::find(like, programs)?;
        tracing::info!(program = %found.server.display(), "starting a throwaway server");
        // Whoever may enter it may be the server's superuser, whatever this process lets others do with its files.
        let folder = tempfile::Builder::new()
            .prefix("windlass-shadow-")
            .permissions(Permissions::from_mode(0o700))
            .tempdir()?;
        let mut watchdog = Watchdog::over(folder.path())?;
        let Made { mut command, url, stop } = match like.product {
            Product::PostgreSql => postgres(&found, folder.path()),
            product => mysql(&found, folder.path(), product),
        }?;
        let log = File::create(folder.path().join(LOG))?;
        // It is not to hear what the terminal tells this process.
        command.process_group(0).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let process = command.spawn()?;
        watchdog.learns(&process, stop)?;
        Ok(Self { watchdog, process, program: found.server, url, folder })
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Whether it still runs.
    ///
    /// # Errors
    /// When it does not: what it said last.
    pub(crate) fn check(&mut self) -> Result<(), LocalServerError> {
        let Some(status) = self.process.try_wait()? else { return Ok(()) };
        let log = fs::read(self.folder.path().join(LOG)).unwrap_or_default();
        Err(failed(&self.program, status, &log))
    }
}

impl Drop for LocalServer {
    fn drop(&mut self) {
        // It ends the server, so that there is no moment at which nobody would.
        self.watchdog.wakes();
        let began = Instant::now();
        while self.process.try_wait().is_ok_and(|ended| ended.is_none()) {
            if began.elapsed() > PATIENCE {
                let _ = self.process.kill();
            }
            thread::sleep(PAUSE);
        }
    }
}

const LOG: &str = "log";

/// How long a program may take to make a server, or to end one.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(5);

/// So much of what one says is read.
const MOST: u64 = 1 << 16;

/// A process that outlives this one, if only to clean up behind it: once its standard input ends, it ends the server of which
/// it was told there, and takes the folder away.
struct Watchdog(Child);

impl Watchdog {
    fn over(folder: &Path) -> io::Result<Self> {
        const SCRIPT: &str = "read server signal; cat >/dev/null
if [ -n \"$server\" ]; then
    kill -s \"$signal\" \"$server\"
    while kill -0 \"$server\"; do sleep 0.1; done
fi
for turn in 1 2 3 4 5 6 7 8 9; do rm -rf \"$1\" && break; sleep 0.1; done";
        let mut command = Command::new("/bin/sh");
        command.args(["-c", SCRIPT, "windlass-shadow"]).arg(folder).process_group(0);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().map(Self)
    }

    /// It does what it is there for.
    fn wakes(&mut self) {
        drop(self.0.stdin.take());
    }

    fn learns(&mut self, process: &Child, stop: Signal) -> io::Result<()> {
        let signal = stop.as_str().trim_start_matches("SIG");
        let input = self.0.stdin.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        writeln!(input, "{} {signal}", process.id())
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.wakes();
        let _ = self.0.wait();
    }
}

/// The programs of one version.
struct Programs {
    server: PathBuf,
}

impl Programs {
    fn find(like: &Capabilities, given: Option<&Path>) -> Result<Self, LocalServerError> {
        let version = significant(like.product, &like.version);
        let mut others = Vec::new();
        let folders: Vec<PathBuf> = match given {
            // The programs run in another folder.
            Some(folder) => vec![std::path::absolute(folder)?],
            None => usual(like.product, &version),
        };
        for folder in folders {
            let server = names(like.product).iter().map(|name| folder.join(name)).find(|path| path.is_file());
            let Some(server) = server else {
                others.extend(
                    given.map(|folder| format!("no `{}` in {}", names(like.product)[0], folder.display())),
                );
                continue;
            };
            match said(Command::new(&server).arg("--version")) {
                Ok(words) if is_of(like.product, &version, &words) => return Ok(Self { server }),
                Ok(words) => others.push(format!("{} is {}", server.display(), in_a_line(&words))),
                Err(error) => others.push(error.to_string()),
            }
        }
        Err(LocalServerError::NoPrograms { product: like.product, version, others })
    }

    /// Another of the same folder.
    fn beside(&self, name: &str) -> PathBuf {
        self.server.with_file_name(name)
    }

    /// What the folder of programs stands in.
    fn base(&self) -> Option<PathBuf> {
        Some(fs::canonicalize(&self.server).ok()?.parent()?.parent()?.to_owned())
    }
}

/// What the server's program is called.
fn names(product: Product) -> &'static [&'static str] {
    match product {
        Product::PostgreSql => &["postgres"],
        Product::MariaDb => &["mariadbd", "mysqld"],
        _ => &["mysqld"],
    }
}

/// Where packages and installers put them.
fn usual(product: Product, version: &str) -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let of_product = match product {
        Product::PostgreSql => vec![
            format!("/usr/lib/postgresql/{version}/bin"),
            format!("/usr/pgsql-{version}/bin"),
            "/usr/local/pgsql/bin".to_owned(),
            format!("/opt/homebrew/opt/postgresql@{version}/bin"),
            format!("/usr/local/opt/postgresql@{version}/bin"),
        ],
        Product::MariaDb => of_homebrew("mariadb", version),
        _ => of_homebrew("mysql", version),
    };
    let mut folders: Vec<PathBuf> = of_product.into_iter().map(PathBuf::from).collect();
    folders.extend(std::env::split_paths(&path).filter(|folder| folder.is_absolute()));
    let mut unique = Vec::new();
    folders.into_iter().for_each(|folder| {
        if !unique.contains(&folder) {
            unique.push(folder);
        }
    });
    unique
}

fn of_homebrew(name: &str, version: &str) -> Vec<String> {
    let mut folders: Vec<String> =
        ["/usr/sbin", "/usr/libexec", "/usr/local/sbin", "/usr/local/mysql/bin"].map(str::to_owned).into();
    for root in ["/opt/homebrew/opt", "/usr/local/opt"] {
        folders.extend([format!("{root}/{name}@{version}/bin"), format!("{root}/{name}/bin")]);
    }
    folders
}

/// The part of a version within which schemas look the same: PostgreSQL's first number, two of the others.
fn significant(product: Product, version: &str) -> String {
    let numbers = if product == Product::PostgreSql { 1 } else { 2 };
    let parts = version.split(|c: char| !c.is_ascii_digit()).filter(|part| !part.is_empty());
    parts.take(numbers).collect::<Vec<_>>().join(".")
}

/// Whether a program that says this of itself is of that version: `postgres (PostgreSQL) 18.4`, `mysqld  Ver 9.7.4 for Linux`.
fn is_of(product: Product, version: &str, words: &str) -> bool {
    let number = words.split_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit()));
    let is_product = match product {
        Product::PostgreSql => words.contains("PostgreSQL"),
        // It also installs itself under the other's name.
        product => (product == Product::MariaDb) == words.contains("MariaDB"),
    };
    is_product && number.is_some_and(|number| significant(product, number) == version)
}

/// What a server is started with.
struct Made {
    command: Command,
    url: String,
    stop: Signal,
}

/// PostgreSQL does not run as root.
fn postgres(programs: &Programs, folder: &Path) -> Result<Made, LocalServerError> {
    let user = if geteuid().is_root() { somebody()? } else { None };
    if let Some(user) = &user {
        std::os::unix::fs::chown(folder, Some(user.uid.as_raw()), Some(user.gid.as_raw()))?;
    }
    let password = windlass_core::driver::Run::of_this_program().owner;
    let (data, file) = (folder.join("data"), folder.join("password"));
    let mut only_own = OpenOptions::new();
    only_own.write(true).create_new(true).mode(0o600).open(&file)?.write_all(password.as_bytes())?;
    if let Some(user) = &user {
        std::os::unix::fs::chown(&file, Some(user.uid.as_raw()), Some(user.gid.as_raw()))?;
    }
    let command = |program: &Path| {
        let mut command = Command::new(program);
        command.current_dir(folder).env("LC_ALL", "C").arg("-D").arg(&data);
        if let Some(user) = &user {
            command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
        }
        command
    };
    let mut make = command(&programs.beside("initdb"));
    make.args(["--username=postgres", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync"]);
    said(make.arg("--pwfile").arg(&file))?;
    let mut start = command(&programs.server);
    start.args(["-p", "5432", "-k"]).arg(in_list(folder)).args(["-h", ""]);
    for setting in [
        "unix_socket_permissions=0700",
        "fsync=off",
        "full_page_writes=off",
        "autovacuum=off",
        "wal_level=minimal",
        "max_wal_senders=0",
    ] {
        start.args(["-c", setting]);
    }
    // All that the environment may say of another server.
    let url = format!(
        "postgres://postgres:{password}@{}:5432/postgres?sslmode=disable&channel_binding=prefer&target_session_attrs=any\
         &options=",
        // As a parameter it would be a list.
        in_url(folder)
    );
    // The immediate end: nothing of it is needed again.
    Ok(Made { command: start, url, stop: Signal::SIGQUIT })
}

/// A user for what root may not do; not first the one that may own a server which matters.
fn somebody() -> io::Result<Option<User>> {
    for name in ["nobody", "postgres"] {
        if let Some(user) = User::from_name(name).map_err(io::Error::from)? {
            return Ok(Some(user));
        }
    }
    Ok(None)
}

fn mysql(programs: &Programs, folder: &Path, product: Product) -> Result<Made, LocalServerError> {
    let (data, nothing) = (folder.join("data"), folder.join("nothing"));
    fs::create_dir(&data)?;
    fs::create_dir(&nothing)?;
    let base = programs.base();
    let first = |places: &[&str], holds: &str| {
        let base = base.as_ref()?;
        places.iter().map(|place| base.join(place)).find(|place| place.join(holds).exists())
    };
    let share = first(&["share/mariadb", "share/mysql", "share"], "charsets");
    let plugins = first(&["lib/mysql/plugin", "lib64/mysql/plugin", "lib/plugin"], "");
    let command = || {
        let mut command = Command::new(&programs.server);
        command.arg("--no-defaults").current_dir(folder);
        let mut folder_of = |option: &str, path: &Path| {
            command.arg([OsStr::new(option), path.as_os_str()].join(OsStr::new("=")));
        };
        if let Some(base) = &base {
            folder_of("--basedir", base);
        }
        if let Some(share) = &share {
            folder_of("--lc-messages-dir", share);
            folder_of("--character-sets-dir", &share.join("charsets"));
        }
        if let Some(plugins) = &plugins {
            folder_of("--plugin-dir", plugins);
        }
        folder_of("--datadir", &data);
        folder_of("--tmpdir", folder);
        // No statement reads or writes a file: MariaDB has no word for that, but takes a folder in which there are none.
        folder_of(
            "--secure-file-priv",
            if product == Product::MariaDb { &nothing } else { Path::new("NULL") },
        );
        if geteuid().is_root() {
            command.arg("--user=root");
        }
        command.arg("--skip-log-bin");
        command
    };
    let mut make = command();
    if product == Product::MariaDb {
        let script = folder.join("bootstrap.sql");
        fs::write(&script, windlass_mysql::bootstrap(share.as_deref().unwrap_or(Path::new("share")))?)?;
        make.args(["--bootstrap", "--max-allowed-packet=8M", "--net-buffer-length=16K"]);
        said(make.stdin(File::open(&script)?))?;
    } else {
        said(make.arg("--initialize-insecure"))?;
    }
    let socket = folder.join("socket");
    let mut start = command();
    for (option, path) in [("--socket", &socket), ("--pid-file", &folder.join("pid"))] {
        start.arg([OsStr::new(option), path.as_os_str()].join(OsStr::new("=")));
    }
    start.args(["--skip-networking", "--event-scheduler=OFF", "--innodb-flush-log-at-trx-commit=0"]);
    if product != Product::MariaDb {
        start.arg("--mysqlx=OFF");
    }
    let url = format!("mysql://root:@localhost/mysql?socket={}&ssl-mode=disabled", in_url(&socket));
    Ok(Made { command: start, url, stop: Signal::SIGKILL })
}

/// A folder as one of a list, whatever stands in its name.
fn in_list(folder: &Path) -> OsString {
    let mut quoted = OsString::from("\"");
    let parts = folder.as_os_str().as_bytes().split(|byte| *byte == b'"');
    for (index, part) in parts.enumerate() {
        quoted.push(if index == 0 { "" } else { "\"\"" });
        quoted.push(OsStr::from_bytes(part));
    }
    quoted.push("\"");
    quoted
}

fn in_url(path: &Path) -> String {
    let encoded = url::form_urlencoded::byte_serialize(path.as_os_str().as_encoded_bytes());
    encoded.collect::<String>().replace('+', "%20")
}

/// Runs a program to its end, and gives what it said.
fn said(command: &mut Command) -> Result<String, LocalServerError> {
    let program = PathBuf::from(command.get_program());
    let refused = |words: String| LocalServerError::Failed { program: program.display().to_string(), words };
    // Into files: however much it says, it waits for nobody to read it.
    let (mut out, mut err) = (tempfile::tempfile()?, tempfile::tempfile()?);
    command.stdout(out.try_clone()?).stderr(err.try_clone()?);
    let mut process = command.spawn().map_err(|error| refused(error.to_string()))?;
    let began = Instant::now();
    let status = loop {
        match process.try_wait()? {
            Some(status) => break status,
            None if began.elapsed() > PATIENCE => {
                process.kill()?;
                process.wait()?;
                return Err(refused(format!("it does not end within {PATIENCE:?}")));
            }
            None => thread::sleep(PAUSE),
        }
    };
    let mut said = Vec::new();
    for file in [&mut out, &mut err] {
        file.rewind()?;
        file.take(MOST).read_to_end(&mut said)?;
        if status.success() {
            return Ok(String::from_utf8_lossy(&said).into_owned());
        }
    }
    Err(failed(&program, status, &said))
}

/// The beginning of what was said, without its line breaks.
fn in_a_line(words: &str) -> String {
    const LONGEST: usize = 120;
    words.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(LONGEST).collect()
}

/// With the last that it said.
fn failed(program: &Path, status: ExitStatus, output: &[u8]) -> LocalServerError {
    const LAST: usize = 6;
    let text = String::from_utf8_lossy(output);
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let last = lines[lines.len().saturating_sub(LAST)..].join(" | ");
    LocalServerError::Failed { program: program.display().to_string(), words: format!("{status}: {last}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_known_by_what_it_says_of_itself() {
        let is = |product, live: &str, words: &str| is_of(product, &significant(product, live), words);
        assert!(is(Product::PostgreSql, "18.4 (Debian 18.4-1)", "postgres (PostgreSQL) 18.1"));
        assert!(is(Product::PostgreSql, "19devel", "postgres (PostgreSQL) 19devel"));
        assert!(!is(Product::PostgreSql, "18.4", "postgres (PostgreSQL) 17.6"));
        assert!(is(Product::MySql, "9.7.4", "/usr/sbin/mysqld  Ver 9.7.4 for Linux on x86_64 (Debian)"));
        assert!(!is(Product::MySql, "9.7.4", "/usr/sbin/mysqld  Ver 9.6.0 for Linux on x86_64"));
        let mariadb = "mysqld  Ver 11.8.9-MariaDB-0+deb13u1 from Debian for debian-linux-gnu on x86_64";
        assert!(is(Product::MariaDb, "11.8.2-MariaDB", mariadb));
        assert!(!is(Product::MySql, "11.8.2", mariadb));
    }
}
