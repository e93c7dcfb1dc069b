//! Deploy: one run with other settings than the usual.

use super::Database;
use super::spans::Spans;
use crate::apply::{self, DeployError, DeployOptions, Observer, Report, Silent, Stop};
use crate::drift::DriftPolicy;
use crate::driver::Run;
use crate::plan::Outlook;
use crate::schema::Pattern;
use crate::source::Migrations;
use std::time::Duration;
use tracing::Instrument as _;

/// A deploy that is about to run.
#[must_use = "a deploy does nothing until it is run"]
pub struct Deploy<'a> {
    migrations: &'a Migrations,
    options: DeployOptions,
    observer: Option<&'a mut dyn Observer>,
    stop: Stop,
}

impl std::fmt::Debug for Deploy<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { migrations, options, .. } = self;
        f.debug_struct("Deploy").field("migrations", &migrations.len()).field("options", options).finish()
    }
}

impl<'a> Deploy<'a> {
    /// A deploy of all migrations, that waits a minute for another deployer.
    pub fn new(migrations: &'a Migrations) -> Self {
        let options = DeployOptions::new(Run::of_this_program());
        Self { migrations, options, observer: None, stop: Stop::new() }
    }

    /// How long to wait for another deployer.
    pub fn lock_wait(mut self, wait: Duration) -> Self {
        self.options.lock_wait = wait;
        self
    }

    /// Deploy up to and including this migration, by name or by a version that only one has.
    pub fn target(mut self, migration: impl Into<String>) -> Self {
        self.options.plan.to = Some(migration.into());
        self
    }

    /// Refuse several migrations with one version.
    pub fn strict_order(mut self, strict: bool) -> Self {
        self.options.plan.strict_order = strict;
        self
    }

    /// Run pending migrations that are older than applied ones, whatever they name.
    pub fn out_of_order(mut self, allowed: bool) -> Self {
        self.options.plan.out_of_order = allowed;
        self
    }

    /// Deploy onto a database that has objects and no history.
    pub fn allow_non_empty(mut self, allowed: bool) -> Self {
        self.options.plan.allow_non_empty = allowed;
        self
    }

    /// Run through a pooler, too, what needs a session of its own. PostgreSQL: without it such a migration is refused.
    pub fn allow_pooler(mut self, allowed: bool) -> Self {
        self.options.plan.allow_pooler = allowed;
        self
    }

    /// What becomes of it where others changed the schema since the last deploy. By default it stops where a
    /// migration to be run names what they changed, and else tells.
    pub fn on_drift(mut self, policy: DriftPolicy) -> Self {
        self.options.drift.policy = policy;
        self
    }

    /// Objects that others may change: `partman.*`, `table:audit_*`.
    pub fn ignore_drift(mut self, patterns: impl IntoIterator<Item = Pattern>) -> Self {
        self.options.drift.ignore.extend(patterns);
        self
    }

    /// Who deploys, for the history; else the program and its process.
    pub fn applied_by(mut self, who: impl Into<String>) -> Self {
        self.options.run.applied_by = who.into();
        self
    }

    /// Tell this observer of what happens; a closure will do.
    pub fn progress(mut self, observer: &'a mut dyn Observer) -> Self {
        self.observer = Some(observer);
        self
    }

    /// Stop after the running statement once this is asked.
    pub fn stop(mut self, stop: &Stop) -> Self {
        self.stop = stop.clone();
        self
    }

    /// Runs it.
    ///
    /// # Errors
    /// The typed reason why the database is not at the end of the migrations. What was applied before it stands.
    pub async fn run<'d, D>(self, database: impl Database<'d, D>) -> Result<Report, DeployError> {
        warn_of_what_is_not_compiled_in(self.migrations);
        let mut session = database.session().await?;
        let span = tracing::info_span!(
            "deploy",
            database = %session.capabilities().product,
            migrations = self.migrations.len(),
            applied = tracing::field::Empty,
        );
        let mut silent = Silent;
        let inner = self.observer.unwrap_or(&mut silent);
        let mut spans = Spans::new(&span, inner);
        let deployed = async {
            let result =
                apply::deploy(&mut *session, self.migrations, &self.options, &mut spans, &self.stop).await;
            let back = session.give_back().await;
            let report = result?;
            back?;
            Ok(report)
        };
        let result = deployed.instrument(span.clone()).await;
        match &result {
            Ok(report) => drop(span.record("applied", report.applied.len())),
            Err(error) => tracing::error!(parent: &span, %error, "the deploy ended before its end"),
        }
        result
    }

    /// What it would do. Writes nothing and takes no lock.
    ///
    /// # Errors
    /// The typed reason why there is no plan.
    pub async fn dry_run<'d, D>(self, database: impl Database<'d, D>) -> Result<Outlook<'a>, DeployError> {
        let mut session = database.session().await?;
        let outlook = apply::dry_run(&mut *session, self.migrations, &self.options).await?;
        session.give_back().await?;
        Ok(outlook)
    }
}

/// The compiler does not know of an added file by itself: who develops is told when the program runs.
fn warn_of_what_is_not_compiled_in(migrations: &Migrations) {
    match migrations.not_compiled_in() {
        Ok(names) if names.is_empty() => {}
        Ok(names) => tracing::warn!(
            migrations = names.join(", "),
            "the folder holds migrations that this program was compiled without: touch a source file, \
             or let a build script print cargo:rerun-if-changed"
        ),
        Err(error) => tracing::warn!(%error, "the folder of migrations has changed since it was compiled in"),
    }
}
