//! A private MariaDB or MySQL server.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use nix::sys::signal::Signal;
use nix::unistd::geteuid;

use super::apt::{self, Sysroot};
use super::program::{Program, copy_folder, installed, run, run_with_input, version_numbers};
use super::server::{Launch, Ready};
use super::{Attempts, Durability, Site, Target, docker};

/// A folder in which the server's program and its files stand as an installation has them.
const PROGRAMS: &str = "programs";

/// A server's programs and files.
struct Software {
    server: Program,
    target: Target,
    /// What stands for the system's root folder.
    base: PathBuf,
    /// Set where the software cannot change, so that an initialised data folder stays good.
    kept: Option<PathBuf>,
    origin: &'static str,
}

/// Finds the programs and initialises a data folder.
pub(super) fn prepare(target: Target, site: &Site) -> Result<Launch> {
    let mut attempts = Attempts::default();
    let Some(software) = find(target, site, &mut attempts) else {
        return match attempts.note("docker", docker::prepare(target, site)) {
            Some(launch) => Ok(launch),
            None => Err(attempts.into_error()),
        };
    };
    let version = software.server.version()?;
    // The version begins with the program's path.
    let name = if matches!(target, Target::Mysql(..)) { "mysqld" } else { "mariadbd" };
    let version =
        version.split_once("Ver ").map_or(version.clone(), |(_, number)| format!("{name} {number}"));
    let folder = site.folder(target)?;
    software.provide_data(&folder, site)?;
    site.certificates.write(&folder)?;
    fs::write(folder.join("init.sql"), init_statements(target, &site.password))?;
    let origin = software.origin;
    software.show(&folder.join(PROGRAMS))?;
    Ok(launch(software, folder, format!("{version}, {origin}"), site))
}

fn find(target: Target, site: &Site, attempts: &mut Attempts) -> Option<Software> {
    let entry = format!("{target}-sysroot");
    if let Some(root) = site.cache.find(&entry) {
        return Some(Software::in_sysroot(target, root, "from the cache"));
    }
    if let Some(server) = attempts.note("installed programs", installed_server(target)) {
        let base = PathBuf::from("/");
        return Some(Software { server, target, base, kept: None, origin: "installed" });
    }
    let (suite, package) = package_of(target);
    let fetched = site.cache.entry(&entry, |part| apt::fill(part, suite, &[package]));
    let root = attempts.note("apt sysroot", fetched)?;
    Some(Software::in_sysroot(target, root, "from an apt sysroot"))
}

fn installed_server(target: Target) -> Result<Program> {
    let (name, wanted) = match target {
        Target::Mariadb(major, minor) => ("mariadbd", (u32::from(major), u32::from(minor))),
        Target::Mysql(major, minor) => ("mysqld", (u32::from(major), u32::from(minor))),
        _ => bail!("{target} is neither MariaDB nor MySQL"),
    };
    let server = Program::plain(installed(name).with_context(|| format!("no {name} is installed"))?);
    let version = server.version()?;
    // MariaDB also installs itself under MySQL's name.
    let other_kind = matches!(target, Target::Mysql(..)) && version.contains("MariaDB");
    if version_numbers(&version) != Some(wanted) || other_kind {
        bail!("{name} is {version}");
    }
    Ok(server)
}

/// The Debian suite and package of a server.
fn package_of(target: Target) -> (&'static str, &'static str) {
    match target {
        Target::Mariadb(10, _) => ("bookworm", "mariadb-server-core"),
        Target::Mariadb(..) => ("trixie", "mariadb-server-core"),
        _ => ("sid", "mysql-server-core"),
    }
}

impl Software {
    fn in_sysroot(target: Target, root: PathBuf, origin: &'static str) -> Self {
        let name = if matches!(target, Target::Mysql(..)) { "mysqld" } else { "mariadbd" };
        let server = Sysroot::at(root.clone()).program(&format!("/usr/sbin/{name}"));
        Software { server, target, base: root.clone(), kept: Some(root), origin }
    }

    /// Puts initialised data into the folder, from the cache where that is safe.
    fn provide_data(&self, folder: &Path, site: &Site) -> Result<()> {
        let data = folder.join("data");
        if self.kept.is_none() {
            fs::create_dir(&data)?;
            return self.initialise(&data);
        }
        let kept = site.cache.entry(&format!("{}-data", self.target), |part| self.initialise(part))?;
        copy_folder(&kept, &data)?;
        // The file holds the server's unique id.
        let _ = fs::remove_file(data.join("auto.cnf"));
        Ok(())
    }

    fn initialise(&self, data: &Path) -> Result<()> {
        let scratch = tempfile::tempdir().context("cannot make a folder for temporary files")?;
        let mut command = self.command(data, scratch.path());
        if matches!(self.target, Target::Mysql(..)) {
            command.args(["--initialize-insecure", "--skip-log-bin", "--innodb-redo-log-capacity=8M"]);
            run(&mut command)?;
            return Ok(());
        }
        let statements = scratch.path().join("bootstrap.sql");
        self.write_bootstrap(&statements)?;
        command.args(["--bootstrap", "--innodb-log-file-size=16M", "--skip-log-bin"]);
        command.args(["--max-allowed-packet=8M", "--net-buffer-length=16K"]);
        run_with_input(&mut command, File::open(&statements)?)?;
        Ok(())
    }

    /// The start of every call of the server.
    fn command(&self, data: &Path, scratch: &Path) -> Command {
        let share = self.share();
        let mut command = self.server.command();
        command.arg("--no-defaults");
        let mut folder = |option: &str, path: &Path| {
            let mut word = std::ffi::OsString::from(option);
            word.push(path);
            command.arg(word);
        };
        folder("--basedir=", &self.base.join("usr"));
        folder("--lc-messages-dir=", &share);
        folder("--character-sets-dir=", &share.join("charsets"));
        folder("--plugin-dir=", &self.base.join("usr/lib/mysql/plugin"));
        folder("--datadir=", data);
        folder("--tmpdir=", scratch);
        if matches!(self.target, Target::Mysql(..)) {
            command.arg("--secure-file-priv=NULL");
        }
        if geteuid().is_root() {
            command.arg("--user=root");
        }
        command
    }

    fn share(&self) -> PathBuf {
        let own = self.base.join("usr/share/mariadb");
        if own.join("mariadb_system_tables.sql").is_file() { own } else { self.base.join("usr/share/mysql") }
    }

    /// Puts a script for the program, and what it needs, where an installation has them.
    fn show(&self, folder: &Path) -> Result<()> {
        fs::create_dir_all(folder.join("sbin"))?;
        for part in ["share", "lib"] {
            symlink(self.base.join("usr").join(part), folder.join(part))?;
        }
        let name = if matches!(self.target, Target::Mysql(..)) { "mysqld" } else { "mariadbd" };
        self.server.write_script(&folder.join("sbin").join(name))
    }

    /// Writes what MariaDB's own install script would feed the server.
    fn write_bootstrap(&self, path: &Path) -> Result<()> {
        let share = self.share();
        let name = if share.join("mariadb_system_tables.sql").is_file() { "mariadb" } else { "mysql" };
        let mut out = File::create(path)?;
        out.write_all(b"create database if not exists mysql;\nuse mysql;\nSET @auth_root_socket=NULL;\n")?;
        for file in [
            format!("{name}_system_tables.sql"),
            format!("{name}_performance_tables.sql"),
            format!("{name}_system_tables_data.sql"),
            "fill_help_tables.sql".to_owned(),
            "maria_add_gis_sp_bootstrap.sql".to_owned(),
            format!("{name}_sys_schema.sql"),
        ] {
            let source = share.join(file);
            out.write_all(&fs::read(&source).with_context(|| format!("cannot read {}", source.display()))?)?;
        }
        Ok(())
    }
}

/// Root's password; each statement on a line of its own, as an init file wants it.
fn init_statements(target: Target, password: &str) -> String {
    let create = |host: &str| match target {
        Target::Mysql(..) => format!(
            "CREATE USER IF NOT EXISTS 'root'@'{host}' IDENTIFIED BY '{password}';\n\
             ALTER USER 'root'@'{host}' IDENTIFIED BY '{password}';\n"
        ),
        _ => format!("CREATE OR REPLACE USER 'root'@'{host}' IDENTIFIED BY '{password}';\n"),
    };
    let grant = |host: &str| format!("GRANT ALL ON *.* TO 'root'@'{host}' WITH GRANT OPTION;\n");
    ["127.0.0.1", "localhost"].map(|host| create(host) + &grant(host)).concat()
}

fn launch(software: Software, folder: PathBuf, description: String, site: &Site) -> Launch {
    let password = site.password.clone();
    let durability = site.durability;
    Launch {
        description,
        log: folder.join("log"),
        ready: Ready::Mysql { pid_file: folder.join("pid") },
        stop: Signal::SIGKILL,
        programs: Some(folder.join(PROGRAMS).join("sbin")),
        url: Box::new(move |port| format!("mysql://root:{password}@127.0.0.1:{port}/mysql")),
        command: Box::new(move |port| start_command(&software, &folder, port, durability)),
    }
}

fn start_command(software: &Software, folder: &Path, port: u16, durability: Durability) -> Command {
    let mut command = software.command(&folder.join("data"), folder);
    let mut file = |option: &str, name: &str| {
        command.arg(format!("--{option}={}", folder.join(name).display()));
    };
    file("socket", "socket");
    file("pid-file", "pid");
    file("init-file", "init.sql");
    file("ssl-ca", "ca.pem");
    file("ssl-cert", "server.pem");
    file("ssl-key", "server.key");
    command.args(["--bind-address=127.0.0.1", &format!("--port={port}"), "--max-connections=300"]);
    command.args(["--skip-name-resolve", "--skip-log-bin", "--innodb-buffer-pool-size=128M"]);
    if matches!(software.target, Target::Mysql(..)) {
        command.args(["--mysqlx=OFF", "--innodb-redo-log-capacity=64M"]);
    }
    if durability != Durability::Durable {
        command.arg("--innodb-flush-log-at-trx-commit=2");
    }
    if durability == Durability::Throwaway {
        command.arg("--innodb-doublewrite=OFF");
    }
    command
}
