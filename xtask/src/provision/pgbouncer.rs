//! A private pgbouncer in transaction mode, between clients and a PostgreSQL server.

use std::fs;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt, chown};
use std::path::Path;

use anyhow::{Context, Result, bail};
use nix::sys::signal::Signal;
use nix::unistd::geteuid;

use super::Site;
use super::apt::{self, Sysroot};
use super::postgres::{NOBODY, as_ordinary_user, readable};
use super::server::{Launch, Ready, postgres_answers};

/// The program, and the version of Debian's stable suites that is meant: `pgbouncer-1.18`.
pub(super) const NAME: &str = "pgbouncer-";

/// Where the pooler leads, as the superuser's URL has it.
struct Behind {
    login: String,
    user: String,
    password: String,
    host: String,
    port: String,
}

/// Finds the program of this name for the server of this URL.
pub(super) fn prepare(name: &str, server: &str, site: &Site) -> Result<Launch> {
    let suite = suite_of(name)?;
    let behind = Behind::of(server).with_context(|| format!("{name}: the server's URL is no URL"))?;
    let root = site.cache.entry(&format!("{name}-sysroot"), |part| apt::fill(part, suite, &["pgbouncer"]))?;
    let program = Sysroot::at(readable(&root, name, site)?).program("/usr/sbin/pgbouncer");
    let description = program.version()?;
    let folder = site.run.path().join(name);
    fs::DirBuilder::new().mode(0o700).create(&folder)?;
    if geteuid().is_root() {
        chown(&folder, Some(NOBODY), Some(NOBODY))?;
    }
    let (login, log) = (behind.login.clone(), folder.join("log"));
    Ok(Launch {
        description,
        log,
        ready: Ready::Greets(postgres_answers),
        // It does not heed the signal that ends PostgreSQL at once.
        stop: Signal::SIGKILL,
        programs: None,
        url: Box::new(move |port| format!("postgres://{login}@127.0.0.1:{port}/postgres")),
        command: Box::new(move |port| {
            let configuration = folder.join("pgbouncer.ini");
            let mut command = as_ordinary_user(program.command());
            command.arg(&configuration);
            // What could not be written is told by the program, which does not find it then.
            let _ = write(&configuration, &behind.configuration(port));
            command
        }),
    })
}

/// The Debian suite that carries it.
fn suite_of(name: &str) -> Result<&'static str> {
    match name.strip_prefix(NAME) {
        Some("1.18") => Ok("bookworm"),
        Some("1.24") => Ok("trixie"),
        _ => bail!("no Debian suite is known that carries {name}"),
    }
}

/// Writes what holds a password, for the user that runs the program.
fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    if geteuid().is_root() {
        chown(path, Some(NOBODY), Some(NOBODY))?;
    }
    Ok(())
}

impl Behind {
    fn of(url: &str) -> Option<Self> {
        let (login, place) = url.strip_prefix("postgres://")?.rsplit_once('@')?;
        let (user, password) = login.split_once(':')?;
        let (host, port) = place.split('/').next()?.rsplit_once(':')?;
        let own = str::to_owned;
        Some(Self {
            login: own(login),
            user: own(user),
            password: own(password),
            host: own(host),
            port: own(port),
        })
    }

    /// Each transaction goes to the connection that has rested the longest: never twice to the same one by chance.
    fn configuration(&self, own_port: u16) -> String {
        let Self { user, password, host, port, .. } = self;
        format!(
            "[databases]\n* = host={host} port={port} user={user} password={password}\n\
             [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {own_port}\nunix_socket_dir =\nauth_type = any\n\
             pool_mode = transaction\nserver_round_robin = 1\ndefault_pool_size = 4\nmax_client_conn = 200\n"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pooler_leads_where_the_url_says() {
        let behind = Behind::of("postgres://postgres:pw@127.0.0.1:20001/postgres").unwrap();
        let text = behind.configuration(20_002);
        assert!(text.contains("* = host=127.0.0.1 port=20001 user=postgres password=pw\n"), "{text}");
        assert!(text.contains("listen_port = 20002\n"), "{text}");
        assert!(Behind::of("sqlite:x").is_none());
        assert!(suite_of("pgbouncer-0.9").is_err() && suite_of("pgbouncer-1.18").is_ok());
    }
}
