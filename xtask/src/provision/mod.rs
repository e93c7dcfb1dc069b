//! Private throwaway database servers for the suite, and the client tools that go with them.

mod apt;
mod apt_sources;
mod cache;
mod certificates;
mod client;
mod docker;
mod expendable;
mod mysql;
mod npm;
mod pgbouncer;
pub(crate) mod pglast;
mod postgres;
mod processes;
mod program;
mod run_folder;
mod server;
mod supervise;
mod target;

use std::env;
use std::fs;
use std::io::Read;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::workspace;
use cache::Cache;
use certificates::Certificates;
use run_folder::RunFolder;
use server::{Launch, Server};

pub(crate) use client::{Tool, client_tool};
pub(crate) use expendable::Desk;
#[allow(unused_imports, reason = "the corpus task comes later")]
pub(crate) use program::Program;
pub(crate) use program::{installed, run};
pub(crate) use supervise::spawn_bound;
pub(crate) use target::{Target, chosen, list};

/// The variable that names the PEM file of the authority behind the servers' certificates.
pub(crate) const CA_VARIABLE: &str = "WINDLASS_TEST_CA_FILE";

/// How much a server's data is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Durability {
    /// Survives the kill of a session, not that of the server: fast, for the suite.
    Throwaway,
    /// Survives the kill of the server, not the loss of power: one that is killed while it writes a page leaves half of it
    /// in a file system of memory (seen of pages of 16 KiB in two kills of three), and mends it by a copy when it starts again.
    Restartable,
    /// Durable settings, data on disk: for measurements.
    Durable,
}

/// Running servers; dropping them ends them and removes their data.
pub(crate) struct Servers {
    running: Vec<(Target, Server)>,
    given: Vec<(Target, String)>,
    certificate_authority: Option<PathBuf>,
    _site: Option<Site>,
}

/// What the preparation of every server needs.
struct Site {
    cache: Cache,
    run: RunFolder,
    /// PostgreSQL's programs when the workspace stands where only root can read.
    readable: RunFolder,
    certificates: Certificates,
    durability: Durability,
    password: String,
}

impl Servers {
    /// Provides every target or fails, naming each that it could not provide.
    ///
    /// The calling thread must outlive the servers: the kernel ends them with it.
    pub(crate) fn start(targets: &[Target], durability: Durability) -> Result<Self> {
        let mut given = Vec::new();
        let mut wanted = Vec::new();
        for target in targets {
            match env::var(target.variable()) {
                Ok(url) if !url.is_empty() => given.push((*target, url)),
                _ if *target == Target::Sqlite => {}
                _ => wanted.push(*target),
            }
        }
        for (target, _) in &given {
            eprintln!("{target}: given by {}", target.variable());
        }
        if wanted.is_empty() {
            return Ok(Servers { running: Vec::new(), given, certificate_authority: None, _site: None });
        }
        let site = Site::open(durability)?;
        let certificate_authority = Some(site.run.path().join("ca.pem"));
        let running = start_all(&wanted, &site)?;
        Ok(Servers { running, given, certificate_authority, _site: Some(site) })
    }

    /// The URL of a target's superuser; none for SQLite.
    #[allow(dead_code, reason = "the corpus and bench tasks come later")]
    pub(crate) fn url(&self, target: Target) -> Option<String> {
        let given = self.given.iter().find(|(other, _)| *other == target).map(|(_, url)| url.clone());
        given.or_else(|| {
            self.running.iter().find(|(other, _)| *other == target).map(|(_, server)| server.url())
        })
    }

    /// The variables through which tests learn of the servers.
    pub(crate) fn environment(&self) -> Vec<(String, String)> {
        let given = self.given.iter().map(|(target, url)| (target.variable(), url.clone()));
        let running = self.running.iter().map(|(target, server)| (target.variable(), server.url()));
        let authority = self
            .certificate_authority
            .iter()
            .map(|path| (CA_VARIABLE.to_owned(), path.to_string_lossy().into_owned()));
        let programs = self.running.iter().filter_map(|(target, server)| {
            let folder = server.programs()?.to_string_lossy().into_owned();
            Some((format!("{}_PROGRAMS", target.variable()), folder))
        });
        given.chain(running).chain(authority).chain(programs).collect()
    }
}

impl Site {
    fn open(durability: Durability) -> Result<Self> {
        let testdb = workspace::testdb_folder()?;
        let cache = Cache::open(testdb.clone())?;
        let on_disk = [env::temp_dir(), testdb.join("run")];
        let run = match durability {
            Durability::Throwaway | Durability::Restartable => RunFolder::for_data(&on_disk)?,
            Durability::Durable => RunFolder::on_disk(&on_disk)?,
        };
        let certificates = Certificates::generate()?;
        fs::write(run.path().join("ca.pem"), &certificates.authority)?;
        Ok(Site {
            cache,
            run,
            readable: RunFolder::temporary()?,
            certificates,
            durability,
            password: password()?,
        })
    }

    /// The cache entry that a path is in.
    fn cache_entry_of(&self, path: &Path) -> Option<PathBuf> {
        let inside = path.strip_prefix(self.cache.folder()).ok()?;
        Some(self.cache.folder().join(inside.components().next()?))
    }

    /// Makes a folder for a server's data and secrets.
    fn folder(&self, target: Target) -> Result<PathBuf> {
        let folder = self.run.path().join(target.to_string());
        fs::DirBuilder::new().mode(0o700).create(&folder)?;
        Ok(folder)
    }
}

/// A password that nobody else on this machine can know.
fn password() -> Result<String> {
    let mut bytes = [0; 12];
    fs::File::open("/dev/urandom")?.read_exact(&mut bytes).context("cannot read /dev/urandom")?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Prepares all servers side by side, starts them from this thread, and waits for each.
fn start_all(targets: &[Target], site: &Site) -> Result<Vec<(Target, Server)>> {
    let begin = Instant::now();
    let prepared: Vec<(Target, Result<Launch>)> = thread::scope(|scope| {
        let threads: Vec<_> =
            targets.iter().map(|target| (*target, scope.spawn(|| prepare(*target, site)))).collect();
        threads
            .into_iter()
            .map(|(target, thread)| {
                (target, thread.join().unwrap_or_else(|_| bail!("the preparation panicked")))
            })
            .collect()
    });
    let started: Vec<(Target, Result<Server>)> =
        prepared.into_iter().map(|(target, launch)| (target, launch.and_then(Server::start))).collect();
    let mut running = Vec::new();
    let mut missing = Vec::new();
    for (target, server) in started {
        match server.and_then(|mut server| server.wait_until_ready().map(|()| server)) {
            Ok(server) => {
                eprintln!("{target}: {}, {:.1} s", server.description(), begin.elapsed().as_secs_f64());
                running.push((target, server));
            }
            Err(error) => missing.push(format!(
                "{target} could not be provided: {error:#}\n  to provide it yourself, set {}=URL",
                target.variable()
            )),
        }
    }
    if missing.is_empty() { Ok(running) } else { bail!("{}", missing.join("\n")) }
}

fn prepare(target: Target, site: &Site) -> Result<Launch> {
    match target {
        Target::Postgres(major) => postgres::prepare(major, site),
        Target::Mariadb(..) | Target::Mysql(..) => mysql::prepare(target, site),
        Target::Sqlite => bail!("SQLite has no server"),
    }
}

/// What was tried to find a program, for the message when nothing worked.
#[derive(Debug, Default)]
struct Attempts(Vec<String>);

impl Attempts {
    /// Keeps the value, or notes why there is none.
    fn note<T>(&mut self, place: &str, outcome: Result<T>) -> Option<T> {
        match outcome {
            Ok(value) => Some(value),
            Err(error) => {
                self.0.push(format!("{place}: {error:#}"));
                None
            }
        }
    }

    fn into_error(self) -> anyhow::Error {
        anyhow::anyhow!("tried\n  {}", self.0.join("\n  "))
    }
}
