//! Deploy: one run with other settings than the usual.

use super::traces::{DeploySpan, warn_of_what_is_not_compiled_in};
use super::{Database, Verdict, VerifyError, verify};
use crate::apply::{self, DeployError, DeployOptions, Observer, Report, ResolveFailure, Silent, Stop};
use crate::diagnosis::Diagnosis;
use crate::doctor::{self, Finding};
use crate::drift::{self, DriftPolicy, DriftVerdict};
use crate::driver::{Driver, DriverError, Run};
use crate::plan::Outlook;
use crate::schema::Pattern;
use crate::source::Migrations;
use std::time::Duration;

/// A deploy that is about to run.
///
/// ```
/// # use std::time::Duration;
/// # use windlass_core::application::{Database, Deploy, DeployError, Migrations};
/// # async fn example<'d, D>(connection: impl Database<'d, D>, migrations: &Migrations) -> Result<(), DeployError> {
/// let deploy = Deploy::new(migrations).lock_wait(Duration::from_secs(600)).strict_order(true);
/// let report = deploy.run(connection).await?;
/// println!("applied {} migrations", report.applied.len());
/// # Ok(()) }
/// ```
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
    ///
    /// ```
    /// # use windlass_core::application::{Deploy, Migrations};
    /// # let migrations = Migrations::from_scripts([("1_ships", "CREATE TABLE ships (name text);")])?;
    /// let deploy = Deploy::new(&migrations);
    /// println!("{deploy:?}");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(migrations: &'a Migrations) -> Self {
        let options = DeployOptions::new(Run::of_this_program());
        Self { migrations, options, observer: None, stop: Stop::new() }
    }

    /// How long to wait for another deployer.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use windlass_core::application::{Deploy, Migrations};
    /// # let migrations = Migrations::from_scripts([("1_ships", "CREATE TABLE ships (name text);")])?;
    /// let deploy = Deploy::new(&migrations).lock_wait(Duration::from_secs(600));
    /// # let _ = deploy;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn lock_wait(mut self, wait: Duration) -> Self {
        self.options.lock_wait = wait;
        self
    }

    /// Deploy up to and including this migration, by name or by a version that only one has.
    ///
    /// ```
    /// # use windlass_core::application::{Deploy, Migrations};
    /// # let migrations = Migrations::from_scripts([("1_ships", "CREATE TABLE ships (name text);")])?;
    /// let deploy = Deploy::new(&migrations).target("1_ships");
    /// # let _ = deploy;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn target(mut self, migration: impl Into<String>) -> Self {
        self.options.plan.to = Some(migration.into());
        self
    }

    /// How long one transaction waits in all for locks that keep others out, before it is tried again; five seconds by
    /// default, zero for ever. A migration's own `-- windlass: lock-timeout` comes before it.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use windlass_core::application::{Deploy, Migrations};
    /// # let migrations = Migrations::from_scripts([("1_ships", "CREATE TABLE ships (name text);")])?;
    /// let deploy = Deploy::new(&migrations).lock_timeout(Duration::from_millis(500));
    /// # let _ = deploy;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn lock_timeout(mut self, timeout: Duration) -> Self {
        self.options.plan.waits.lock_timeout = Some(timeout);
        self
    }

    /// How often a transaction is tried whose locks others hold; ten times by default.
    ///
    /// ```
    /// # use windlass_core::application::{Deploy, Migrations};
    /// # let migrations = Migrations::from_scripts([("1_ships", "CREATE TABLE ships (name text);")])?;
    /// let deploy = Deploy::new(&migrations).lock_tries(100);
    /// # let _ = deploy;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn lock_tries(mut self, tries: u32) -> Self {
        self.options.lock_tries = tries;
        self
    }

    /// How long each statement that works concurrently, such as `CREATE INDEX CONCURRENTLY`, waits for others; ten minutes
    /// by default, zero for ever.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use windlass_core::application::{Deploy, Migrations};
    /// # let migrations = Migrations::from_scripts([("1_ships", "CREATE TABLE ships (name text);")])?;
    /// let deploy = Deploy::new(&migrations).concurrent_wait(Duration::from_secs(3_600));
    /// # let _ = deploy;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn concurrent_wait(mut self, wait: Duration) -> Self {
        self.options.plan.waits.concurrent_wait = Some(wait);
        self
    }

    /// All that is pending in one transaction, or nothing of it. Where the database cannot, it is refused, and the reason
    /// names the migration and the line.
    ///
    /// ```
    /// # use windlass_core::application::{Deploy, Migrations};
    /// # let migrations = Migrations::from_scripts([("1_ships", "CREATE TABLE ships (name text);")])?;
    /// let deploy = Deploy::new(&migrations).single_transaction(true);
    /// # let _ = deploy;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn single_transaction(mut self, single: bool) -> Self {
        self.options.plan.single_transaction = single;
        self
    }

    /// Commit at the end of a script what a `BEGIN` in it left open, which is refused otherwise.
    ///
    /// ```
    /// # use windlass_core::application::{Deploy, Migrations};
    /// # let migrations = Migrations::from_scripts([("1_ships", "CREATE TABLE ships (name text);")])?;
    /// let deploy = Deploy::new(&migrations).close_open_transaction(true);
    /// # let _ = deploy;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn close_open_transaction(mut self, close: bool) -> Self {
        self.options.plan.close_open_transaction = close;
        self
    }

    /// Refuse several migrations with one version.
    ///
    /// ```
    /// # use windlass_core::application::{Deploy, Migrations};
    /// # let migrations = Migrations::from_scripts([("1_ships", "CREATE TABLE ships (name text);")])?;
    /// let deploy = Deploy::new(&migrations).strict_order(true);
    /// # let _ = deploy;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn strict_order(mut self, strict: bool) -> Self {
        self.options.plan.strict_order = strict;
        self
    }

    /// Run pending migrations that are older than applied ones, whatever they name.
    ///
    /// ```
    /// # use windlass_core::application::{Deploy, Migrations};
    /// # let migrations = Migrations::from_scripts([("1_ships", "CREATE TABLE ships (name text);")])?;
    /// let deploy = Deploy::new(&migrations).out_of_order(true);
    /// # let _ = deploy;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn out_of_order(mut self, allowed: bool) -> Self {
        self.options.plan.out_of_order = allowed;
        self
    }

    /// Deploy onto a database that has objects and no history.
    ///
    /// ```
    /// # use windlass_core::application::{Deploy, Migrations};
    /// # let migrations = Migrations::from_scripts([("1_ships", "CREATE TABLE ships (name text);")])?;
    /// let deploy = Deploy::new(&migrations).allow_non_empty(true);
    /// # let _ = deploy;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn allow_non_empty(mut self, allowed: bool) -> Self {
        self.options.plan.allow_non_empty = allowed;
        self
    }

    /// Run through a pooler, too, what needs a session of its own. PostgreSQL: without it such a migration is refused.
    ///
    /// ```
    /// # use windlass_core::application::{Deploy, Migrations};
    /// # let migrations = Migrations::from_scripts([("1_ships", "CREATE TABLE ships (name text);")])?;
    /// let deploy = Deploy::new(&migrations).allow_pooler(true);
    /// # let _ = deploy;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn allow_pooler(mut self, allowed: bool) -> Self {
        self.options.plan.allow_pooler = allowed;
        self
    }

    /// What becomes of it where others changed the schema since the last deploy. By default it stops where a
    /// migration to be run names what they changed, and else tells.
    ///
    /// ```
    /// # use windlass_core::application::DriftPolicy;
    /// # use windlass_core::application::{Deploy, Migrations};
    /// # let migrations = Migrations::from_scripts([("1_ships", "CREATE TABLE ships (name text);")])?;
    /// let deploy = Deploy::new(&migrations).on_drift(DriftPolicy::Stop);
    /// # let _ = deploy;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn on_drift(mut self, policy: DriftPolicy) -> Self {
        self.options.drift.policy = policy;
        self
    }

    /// Objects that others may change: `partman.*`, `table:audit_*`.
    ///
    /// ```
    /// # use windlass_core::application::{Deploy, Migrations};
    /// # let migrations = Migrations::from_scripts([("1_ships", "CREATE TABLE ships (name text);")])?;
    /// let partitions = "table:audit_*".parse()?;
    /// let deploy = Deploy::new(&migrations).ignore_drift([partitions]);
    /// # let _ = deploy;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn ignore_drift(mut self, patterns: impl IntoIterator<Item = Pattern>) -> Self {
        self.options.drift.ignore.extend(patterns);
        self
    }

    /// Look at what roles may do, too, and keep it with the schema; it is not looked at otherwise.
    ///
    /// ```
    /// # use windlass_core::application::{Deploy, Migrations};
    /// # let migrations = Migrations::from_scripts([("1_ships", "CREATE TABLE ships (name text);")])?;
    /// let deploy = Deploy::new(&migrations).grants(true);
    /// # let _ = deploy;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn grants(mut self, looked_at: bool) -> Self {
        self.options.drift.grants = looked_at;
        self
    }

    /// Who deploys, for the history; else the program and its process.
    ///
    /// ```
    /// # use windlass_core::application::{Deploy, Migrations};
    /// # let migrations = Migrations::from_scripts([("1_ships", "CREATE TABLE ships (name text);")])?;
    /// let deploy = Deploy::new(&migrations).applied_by("release 1.4.0");
    /// # let _ = deploy;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn applied_by(mut self, who: impl Into<String>) -> Self {
        self.options.run.applied_by = who.into();
        self
    }

    /// Tell this observer of what happens; a closure will do.
    ///
    /// ```
    /// # use windlass_core::application::Event;
    /// # use windlass_core::application::{Deploy, Migrations};
    /// # let migrations = Migrations::from_scripts([("1_ships", "CREATE TABLE ships (name text);")])?;
    /// let mut tell = |event: Event<'_>| {
    ///     if let Event::Applied { name, elapsed } = event {
    ///         println!("{name} took {elapsed:?}");
    ///     }
    /// };
    /// let deploy = Deploy::new(&migrations).progress(&mut tell);
    /// # let _ = deploy;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn progress(mut self, observer: &'a mut dyn Observer) -> Self {
        self.observer = Some(observer);
        self
    }

    /// Stop after the running statement once this is asked.
    ///
    /// ```
    /// # use windlass_core::application::Stop;
    /// # use windlass_core::application::{Deploy, Migrations};
    /// # let migrations = Migrations::from_scripts([("1_ships", "CREATE TABLE ships (name text);")])?;
    /// let stop = Stop::new();
    /// let deploy = Deploy::new(&migrations).stop(&stop);
    /// // From wherever SIGTERM is heard:
    /// stop.ask();
    /// # let _ = deploy;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn stop(mut self, stop: &Stop) -> Self {
        self.stop = stop.clone();
        self
    }

    /// Runs it.
    ///
    /// ```
    /// # use windlass_core::application::{Database, Deploy, DeployError, Migrations};
    /// # async fn example<'d, D>(connection: impl Database<'d, D>, migrations: &Migrations) -> Result<(), DeployError> {
    /// let report = Deploy::new(migrations).strict_order(true).run(connection).await?;
    /// for applied in &report.applied {
    ///     println!("{} took {:?}", applied.name, applied.elapsed);
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The typed reason why the database is not at the end of the migrations. What was applied before it stands.
    pub async fn run<'d, D>(self, database: impl Database<'d, D>) -> Result<Report, DeployError> {
        warn_of_what_is_not_compiled_in(self.migrations);
        let mut session = database.session().await?;
        let span = DeploySpan::begin(session.capabilities(), self.migrations);
        let mut silent = Silent;
        let mut observer = span.observer(self.observer.unwrap_or(&mut silent));
        let deployed = async {
            let result =
                apply::deploy(&mut *session, self.migrations, &self.options, &mut observer, &self.stop).await;
            let back = session.give_back().await;
            let report = result?;
            back?;
            Ok(report)
        };
        let result = span.around(deployed).await;
        span.ends(&result);
        result
    }

    /// What it would do. Writes nothing and takes no lock.
    ///
    /// ```
    /// # use windlass_core::application::{Database, Deploy, DeployError, Migrations};
    /// # async fn example<'d, D>(connection: impl Database<'d, D>, migrations: &Migrations) -> Result<(), DeployError> {
    /// let outlook = Deploy::new(migrations).target("2_crews").dry_run(connection).await?;
    /// println!("{}", outlook.plan);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The typed reason why there is no plan.
    pub async fn dry_run<'d, D>(self, database: impl Database<'d, D>) -> Result<Outlook<'a>, DeployError> {
        let mut session = database.session().await?;
        let outlook = apply::dry_run(&mut *session, self.migrations, &self.options).await?;
        session.give_back().await?;
        Ok(outlook)
    }

    /// Whether the database is where the migrations want it, and, unless [`DriftPolicy::Off`] says not to look, as
    /// the last deploy left it. Writes nothing and takes no lock.
    ///
    /// ```
    /// # use windlass_core::application::{Database, Deploy, DriftPolicy, Migrations, VerifyError};
    /// # async fn example<'d, D>(connection: impl Database<'d, D>, migrations: &Migrations) -> Result<(), VerifyError> {
    /// let verdict = Deploy::new(migrations).on_drift(DriftPolicy::Off).verify(connection).await?;
    /// println!("{verdict}");
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// When the database or its history cannot be read.
    pub async fn verify<'d, D>(self, database: impl Database<'d, D>) -> Result<Verdict, VerifyError> {
        let mut session = database.session().await?;
        let verdict = verify::verify(&mut *session, self.migrations, &self.options.drift).await?;
        session.give_back().await?;
        Ok(verdict)
    }

    /// Whether others changed the schema since the last deploy. Writes nothing and takes no lock.
    ///
    /// ```
    /// # use windlass_core::application::{Database, Deploy, DriftVerdict, DriverError, Migrations};
    /// # async fn example<'d, D>(connection: impl Database<'d, D>, migrations: &Migrations) -> Result<(), DriverError> {
    /// if let DriftVerdict::Drift(drift) = Deploy::new(migrations).grants(true).drift(connection).await? {
    ///     println!("{drift}");
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn drift<'d, D>(self, database: impl Database<'d, D>) -> Result<DriftVerdict, DriverError> {
        let mut session = database.session().await?;
        let Self { migrations, options, .. } = self;
        let verdict = drift::look(&mut *session, migrations.as_slice(), &options.drift).await;
        let back = session.give_back().await;
        let verdict = verdict?;
        back?;
        Ok(verdict)
    }

    /// Takes the schema as it is: from now on that is what a deploy compares with. The reason is for the history.
    ///
    /// ```
    /// # use windlass_core::application::{Database, Deploy, Migrations, ResolveFailure};
    /// # async fn example<'d, D>(connection: impl Database<'d, D>, migrations: &Migrations) -> Result<(), ResolveFailure> {
    /// Deploy::new(migrations).grants(true).accept_drift(connection, "the role of the reports may read").await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// When there is no history, it cannot be written, or another deployer is at work.
    pub async fn accept_drift<'d, D>(
        self,
        database: impl Database<'d, D>,
        reason: &str,
    ) -> Result<(), ResolveFailure> {
        let mut session = database.session().await?;
        let DeployOptions { run, drift, .. } = self.options;
        let accepted = apply::accept_drift(&mut *session, &run, reason, drift.grants).await;
        let back = session.give_back().await;
        accepted?;
        Ok(back?)
    }

    /// The checklist of a database in production. Writes nothing and takes no lock.
    ///
    /// ```
    /// # use windlass_core::application::{Database, Deploy, DriverError, Migrations};
    /// # async fn example<'d, D>(connection: impl Database<'d, D>, migrations: &Migrations) -> Result<(), DriverError> {
    /// for finding in Deploy::new(migrations).ignore_drift(["partman.*".parse().unwrap()]).doctor(connection).await? {
    ///     println!("{} {finding}", finding.severity.as_str());
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn doctor<'d, D>(self, database: impl Database<'d, D>) -> Result<Vec<Finding>, DriverError> {
        let mut session = database.session().await?;
        let Self { migrations, options, .. } = self;
        let findings =
            doctor::examine(&mut *session, migrations, &options.plan, &options.drift, doctor::LONG).await?;
        session.give_back().await?;
        Ok(findings)
    }

    /// What is true of the database, and what is right to do. Writes nothing and takes no lock.
    ///
    /// ```
    /// # use windlass_core::application::{Database, Deploy, DriverError, Migrations};
    /// # async fn example<'d, D>(connection: impl Database<'d, D>, migrations: &Migrations) -> Result<(), DriverError> {
    /// let diagnosis = Deploy::new(migrations).strict_order(true).diagnose(connection).await?;
    /// println!("{}", diagnosis.advice.why);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn diagnose<'d, D>(self, database: impl Database<'d, D>) -> Result<Diagnosis, DriverError> {
        let mut session = database.session().await?;
        let diagnosis = apply::diagnose(&mut *session, None, self.migrations, &self.options).await?;
        session.give_back().await?;
        Ok(diagnosis)
    }

    /// The same, with the migrations replayed on an empty database, which is the caller's to make and to drop.
    ///
    /// ```
    /// # use windlass_core::application::{Database, Deploy, DriverError, Migrations};
    /// # async fn example<'d, 's, D, S>(
    /// #     connection: impl Database<'d, D>,
    /// #     empty: impl Database<'s, S>,
    /// #     migrations: &Migrations,
    /// # ) -> Result<(), DriverError> {
    /// let partitions = ["table:audit_*".parse().unwrap()];
    /// let deploy = Deploy::new(migrations).ignore_drift(partitions);
    /// println!("{}", deploy.diagnose_with_shadow(connection, empty).await?.advice.why);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// When one of the databases cannot be used.
    pub async fn diagnose_with_shadow<'d, 's, D, S>(
        self,
        database: impl Database<'d, D>,
        shadow: impl Database<'s, S>,
    ) -> Result<Diagnosis, DriverError> {
        let (mut session, mut replayed) = (database.session().await?, shadow.session().await?);
        let shadow: &mut dyn Driver = &mut *replayed;
        let diagnosis = apply::diagnose(&mut *session, Some(shadow), self.migrations, &self.options).await;
        let (back, given) = (session.give_back().await, replayed.give_back().await);
        let diagnosis = diagnosis?;
        back?;
        given?;
        Ok(diagnosis)
    }

    /// Records everything up to `name` as applied, once the migrations replayed on an empty database, which is the caller's
    /// to make and to drop, make the schema that is there, but for what is to be ignored.
    ///
    /// ```
    /// # use windlass_core::application::{Database, Deploy, Migrations, ResolveFailure};
    /// # async fn example<'d, 's, D, S>(
    /// #     connection: impl Database<'d, D>,
    /// #     empty: impl Database<'s, S>,
    /// #     migrations: &Migrations,
    /// # ) -> Result<(), ResolveFailure> {
    /// let partitions = ["table:audit_*".parse().unwrap()];
    /// let deploy = Deploy::new(migrations).ignore_drift(partitions).applied_by("ada");
    /// let recorded = deploy.baseline_checked(connection, empty, "7_index").await?;
    /// # let _ = recorded;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// When there is no such migration, the history cannot be written, or the live schema is another.
    pub async fn baseline_checked<'d, 's, D, S>(
        self,
        database: impl Database<'d, D>,
        shadow: impl Database<'s, S>,
        name: &str,
    ) -> Result<Vec<String>, ResolveFailure> {
        let (mut session, mut replayed) = (database.session().await?, shadow.session().await?);
        let Self { migrations, options: DeployOptions { run, drift, .. }, .. } = self;
        let driver = &mut *session;
        let result = apply::baseline_checked(driver, &mut *replayed, migrations, &run, name, &drift).await;
        let (back, given) = (session.give_back().await, replayed.give_back().await);
        let recorded = result?;
        back?;
        given?;
        Ok(recorded)
    }
}
