//! Commands: each reads the folder first, then opens a connection, then does one thing.

pub(crate) mod baseline;
pub(crate) mod completions;
pub(crate) mod deploy;
pub(crate) mod diagnose;
pub(crate) mod doctor;
pub(crate) mod drift;
pub(crate) mod history;
pub(crate) mod new;
pub(crate) mod resolve;
pub(crate) mod status;
pub(crate) mod unlock;

use crate::args::Command;
use crate::config::Settings;
use crate::error::Error;
use crate::exit::Exit;
use crate::json::{Body, DatabaseBody};
use crate::output::Output;
use crate::target::{IfMissing, Target};
use std::future::Future;
use std::path::Path;
use windlass_core::driver::Driver;
use windlass_core::source::{Migrations, SourceError};

/// Runs one command.
///
/// # Errors
/// Whatever kept it from what was asked for.
pub(crate) fn run(command: &Command, settings: Settings, output: &Output) -> Result<(Exit, Body), Error> {
    let context = Context { settings, output: output.clone() };
    match command {
        Command::Deploy(args) => block_on(deploy::run(&context, args)),
        Command::Status(args) => block_on(status::run(&context, args)),
        Command::New(args) => new::run(&context, args),
        Command::Diagnose(args) => block_on(diagnose::run(&context, args)),
        Command::Resolve(args) => block_on(resolve::run(&context, args)),
        Command::Baseline(args) => block_on(baseline::run(&context, args)),
        Command::Drift(args) => block_on(drift::run(&context, args)),
        Command::Doctor(args) => block_on(doctor::run(&context, args)),
        Command::History => block_on(history::run(&context)),
        Command::Unlock(args) => block_on(unlock::run(&context, args)),
        Command::Completions(args) => Ok(completions::run(&context, args)),
    }
}

/// What every command has at hand.
pub(crate) struct Context {
    pub(crate) settings: Settings,
    pub(crate) output: Output,
}

impl Context {
    /// The target and the migrations: all that can be wrong before a connection is opened.
    pub(crate) fn read(&self) -> Result<(Target, Migrations), Error> {
        self.read_by(|dir| Migrations::from_dir(dir))
    }

    /// The same for a deploy, which reads the rest once it knows that there is something to do.
    pub(crate) fn read_scripts(&self) -> Result<(Target, Migrations), Error> {
        self.read_by(|dir| Migrations::scripts_from_dir(dir))
    }

    fn read_by(
        &self,
        read: impl FnOnce(&Path) -> Result<Migrations, SourceError>,
    ) -> Result<(Target, Migrations), Error> {
        let target = Target::of(&self.settings)?;
        let migrations = read(&self.settings.dir)?;
        tracing::info!(dir = %self.settings.dir.display(), migrations = migrations.len(), "read the folder");
        Ok((target, migrations))
    }

    pub(crate) async fn connect(&self, target: &Target, if_missing: IfMissing) -> Result<Session, Error> {
        tracing::info!(database = target.place, "connecting");
        let driver = target.connect(if_missing).await?;
        let capabilities = driver.capabilities();
        tracing::info!(product = %capabilities.product, version = capabilities.version, "connected");
        let database = DatabaseBody::of(&target.place, capabilities);
        Ok(Session { database, driver, is_new: false })
    }
}

/// An open connection, and what to call its database.
pub(crate) struct Session {
    pub(crate) driver: Box<dyn Driver>,
    pub(crate) database: DatabaseBody,
    /// Whether the database was made for it.
    pub(crate) is_new: bool,
}

/// One worker beside the main thread: signals are heard while a driver keeps the main thread busy.
fn block_on<T>(future: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.map_err(Error::Runtime)?;
    let result = runtime.block_on(future);
    // A name lookup that still hangs must not keep the process.
    runtime.shutdown_background();
    result
}
