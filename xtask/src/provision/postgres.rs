//! A private PostgreSQL server of a given major version.

use std::fs;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use nix::sys::signal::Signal;
use nix::unistd::geteuid;

use super::apt::{self, Sysroot};
use super::program::{Program, copy_folder, run, version_numbers};
use super::run_folder::others_may_enter;
use super::server::{Launch, Ready};
use super::{Attempts, Durability, Site, Target, docker, npm};

/// The user that runs the server when the task runs as root, which PostgreSQL refuses: `nobody`, since
/// initdb wants a user with an entry in the system's list.
pub(super) const NOBODY: u32 = 65_534;

/// Finds the programs and initialises a data folder.
pub(super) fn prepare(major: u8, site: &Site) -> Result<Launch> {
    let mut attempts = Attempts::default();
    let Some((bin, origin)) = find(major, site, &mut attempts) else {
        return match attempts.note("docker", docker::prepare(Target::Postgres(major), site)) {
            Some(launch) => Ok(launch),
            None => Err(attempts.into_error()),
        };
    };
    let bin = readable(&bin, &format!("postgres-{major}"), site)?;
    let version = Program::plain(bin.join("postgres")).version()?;
    let folder = site.folder(Target::Postgres(major))?;
    initialise(&bin, &folder, site)?;
    Ok(launch(bin, folder, format!("{version}, {origin}"), site))
}

/// The folder of the programs, and where it comes from.
fn find(major: u8, site: &Site, attempts: &mut Attempts) -> Option<(PathBuf, &'static str)> {
    let pin = npm::pin(major);
    let npm_entry = pin.map(|pin| format!("postgres-{}", pin.version));
    let apt_entry = format!("postgres-{major}-sysroot");
    let npm_bin = |entry: PathBuf| entry.join("native/bin");
    let apt_bin = |entry: PathBuf| Sysroot::at(entry).path(&debian_bin(major));

    if let Some(entry) = npm_entry.as_ref().and_then(|name| site.cache.find(name)) {
        return Some((npm_bin(entry), "from the cache"));
    }
    if let Some(entry) = site.cache.find(&apt_entry) {
        return Some((apt_bin(entry), "from the cache"));
    }
    if let Some(bin) = attempts.note("installed programs", installed(major)) {
        return Some((bin, "installed"));
    }
    let fetched = match (pin, npm_entry) {
        (Some(pin), Some(name)) => site.cache.entry(&name, |part| npm::fetch(pin, part)),
        _ => Err(anyhow::anyhow!("has no build for this version and machine")),
    };
    if let Some(entry) = attempts.note("npm", fetched) {
        return Some((npm_bin(entry), "from npm"));
    }
    let fetched = site.cache.entry(&apt_entry, |part| fill_sysroot(part, major));
    attempts.note("apt sysroot", fetched).map(|entry| (apt_bin(entry), "from an apt sysroot"))
}

fn debian_bin(major: u8) -> String {
    format!("/usr/lib/postgresql/{major}/bin")
}

fn installed(major: u8) -> Result<PathBuf> {
    let bin = PathBuf::from(debian_bin(major));
    if bin.join("postgres").is_file() && bin.join("initdb").is_file() {
        return Ok(bin);
    }
    let Some(path) = super::program::installed("postgres") else {
        bail!("{} is absent and no postgres is in PATH", bin.display());
    };
    let version = Program::plain(&path).version()?;
    let bin = fs::canonicalize(&path)?.parent().context("a program stands in a folder")?.to_path_buf();
    if version_numbers(&version).is_some_and(|(found, _)| found == u32::from(major))
        && bin.join("initdb").is_file()
    {
        return Ok(bin);
    }
    bail!("{} is absent and {} is {version}", debian_bin(major), path.display())
}

/// initdb starts postgres by its path, hence the scripts in their places.
fn fill_sysroot(part: &Path, major: u8) -> Result<()> {
    let Some(suite) = suite_with(major) else { bail!("no Debian suite carries PostgreSQL {major}") };
    apt::fill(part, suite, &[&format!("postgresql-{major}")])?;
    let sysroot = Sysroot::at(part.to_path_buf());
    for program in ["initdb", "postgres"] {
        sysroot.wrap(&format!("{}/{program}", debian_bin(major)))?;
    }
    Ok(())
}

fn suite_with(major: u8) -> Option<&'static str> {
    match major {
        15 => Some("bookworm"),
        17 => Some("trixie"),
        18 => Some("sid"),
        _ => None,
    }
}

/// Root's own folders are closed to the user that runs the server, so the programs may have to be copied.
pub(super) fn readable(bin: &Path, name: &str, site: &Site) -> Result<PathBuf> {
    if !geteuid().is_root() || others_may_enter(bin) {
        return Ok(bin.to_path_buf());
    }
    // Shared files stand beside the folder of programs, at a fixed distance from it.
    let top =
        site.cache_entry_of(bin).with_context(|| format!("{} cannot be read by others", bin.display()))?;
    let copy = site.readable.path().join(name);
    copy_folder(&top, &copy)?;
    Ok(copy.join(bin.strip_prefix(&top)?))
}

fn initialise(bin: &Path, folder: &Path, site: &Site) -> Result<()> {
    site.certificates.write(folder)?;
    let password_file = folder.join("password");
    fs::write(&password_file, &site.password)?;
    if geteuid().is_root() {
        for path in [folder, &password_file, &folder.join("server.key")] {
            chown(path, Some(NOBODY), Some(NOBODY))?;
        }
    }
    let mut initdb = as_ordinary_user(Command::new(bin.join("initdb")));
    initdb.arg("-D").arg(folder.join("data"));
    initdb.args(["-U", "postgres", "--auth=scram-sha-256", "--no-sync", "--locale=C", "--encoding=UTF8"]);
    initdb.arg("--pwfile").arg(&password_file);
    run(&mut initdb)?;
    fs::remove_file(&password_file)?;
    Ok(())
}

fn launch(bin: PathBuf, folder: PathBuf, description: String, site: &Site) -> Launch {
    let password = site.password.clone();
    let durability = site.durability;
    Launch {
        description,
        log: folder.join("log"),
        ready: Ready::Postgres { pid_file: folder.join("data/postmaster.pid") },
        stop: Signal::SIGQUIT,
        programs: Some(bin.clone()),
        url: Box::new(move |port| format!("postgres://postgres:{password}@127.0.0.1:{port}/postgres")),
        command: Box::new(move |port| start_command(&bin, &folder, port, durability)),
    }
}

fn start_command(bin: &Path, folder: &Path, port: u16, durability: Durability) -> Command {
    let mut command = as_ordinary_user(Command::new(bin.join("postgres")));
    command.arg("-D").arg(folder.join("data")).arg("-k").arg(folder).args(["-p", &port.to_string()]);
    let mut set = |name: &str, value: &str| {
        command.arg("-c").arg(format!("{name}={value}"));
    };
    set("listen_addresses", "127.0.0.1");
    set("max_connections", "300");
    set("ssl", "on");
    for (name, file) in
        [("ssl_ca_file", "ca.pem"), ("ssl_cert_file", "server.pem"), ("ssl_key_file", "server.key")]
    {
        set(name, &folder.join(file).to_string_lossy());
    }
    if durability != Durability::Durable {
        set("fsync", "off");
    }
    if durability == Durability::Throwaway {
        set("full_page_writes", "off");
    }
    command
}

pub(super) fn as_ordinary_user(mut command: Command) -> Command {
    command.env("LC_ALL", "C").current_dir("/");
    if geteuid().is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    command
}
