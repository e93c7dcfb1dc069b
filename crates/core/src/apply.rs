//! Apply: the loop between plan and driver. A failure is written down truthfully, or yields another plan.

use crate::drift::{self, Drift, DriftOptions, DriftVerdict};
use crate::driver::{
    Access, Contents, Driver, DriverError, Head, Holder, Inspection, Lock, NoWatch, Product, Run,
    Surroundings,
};
use crate::history::{FORMAT, History, HistoryError};
use crate::plan::{Blocked, Options, Outlook, Plan, Remark, Step};
use crate::source::{Migrations, SourceError};
use crate::sql::classify::ObjectName;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

mod attempt;
mod contention;
mod decision;
mod diagnose;
mod failure;
mod inspection;
mod progress;
mod repeat;
mod replay;
mod story;
mod unlocking;

use attempt::{Ended, Runner};
pub use contention::{Contention, LOCK_TRIES};
pub use decision::{
    Proof, ResolveFailure, accept_drift, baseline, baseline_checked, resolve, resolve_checked,
};
pub use diagnose::diagnose;
pub use failure::{FailedStatement, Stands};
pub use inspection::inspect;
pub use progress::{Event, Observer, Silent};
pub use replay::{replay, replay_all};
pub use unlocking::{UnlockError, end_lock_holder};

/// How often a plan is made anew before giving up: each time another run was met, or a group taken apart.
const REPLANS: usize = 1_000;

/// How a deploy is to be done.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DeployOptions {
    /// What a plan may do.
    pub plan: Options,
    /// How long to wait for another deployer.
    pub lock_wait: Duration,
    /// How often a transaction is tried whose locks others hold; [`LOCK_TRIES`] by default.
    pub lock_tries: u32,
    /// Who this run is.
    pub run: Run,
    /// How a schema that others changed is dealt with.
    pub drift: DriftOptions,
}

impl DeployOptions {
    /// Plain options for this run, waiting a minute for another deployer.
    pub fn new(run: Run) -> Self {
        Self {
            plan: Options::default(),
            lock_wait: Duration::from_secs(60),
            lock_tries: LOCK_TRIES,
            run,
            drift: DriftOptions::default(),
        }
    }
}

/// A request to stop after the running statement. Clones share it.
///
/// ```
/// # use windlass_core::application::Stop;
/// let stop = Stop::new();
/// let heard = stop.clone();
/// heard.ask();
/// assert!(stop.is_asked());
/// ```
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// One that was not asked yet.
    ///
    /// ```
    /// # use windlass_core::application::Stop;
    /// assert!(!Stop::new().is_asked());
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks to stop.
    ///
    /// ```
    /// # use windlass_core::application::Stop;
    /// let stop = Stop::new();
    /// stop.ask();
    /// assert!(stop.is_asked());
    /// ```
    pub fn ask(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Whether it was asked.
    ///
    /// ```
    /// # use windlass_core::application::Stop;
    /// assert!(!Stop::new().is_asked());
    /// ```
    pub fn is_asked(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// What a deploy did.
///
/// ```
/// # use windlass_core::application::Report;
/// let report = Report::default();
/// println!("applied {} migrations", report.applied.len());
/// for remark in &report.remarks {
///     eprintln!("note: {remark}");
/// }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// The migrations it applied, in order.
    pub applied: Vec<Applied>,
    /// How long it waited for another deployer, if it had to.
    pub waited: Option<Duration>,
    /// What to tell besides.
    pub remarks: Vec<Remark>,
}

impl Report {
    /// Tells what was not told before.
    fn tell(&mut self, observer: &mut dyn Observer, remarks: impl IntoIterator<Item = Remark>) {
        for remark in remarks {
            if !self.remarks.contains(&remark) {
                observer.event(Event::Remark(&remark));
                self.remarks.push(remark);
            }
        }
    }
}

/// A migration that was applied.
///
/// ```
/// # use windlass_core::application::Report;
/// # let report = Report::default();
/// for applied in &report.applied {
///     println!("{}: {} statements in {:?}", applied.name, applied.statements, applied.elapsed);
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Applied {
    /// Its name.
    pub name: String,
    /// Its statements.
    pub statements: u32,
    /// How long it took.
    pub elapsed: Duration,
}

/// Why a deploy ended before its end.
///
/// ```
/// # use windlass_core::application::DeployError;
/// fn told(error: &DeployError) -> String {
///     match error {
///         DeployError::Statement(failed) => format!("mend {} and deploy again", failed.migration),
///         DeployError::LockTimeout { holder, .. } => format!("{:?} deploys just now", holder.who),
///         other => other.to_string(),
///     }
/// }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeployError {
    /// What stands beside a script is wrong, which is looked at once there is something to do; nothing was run.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// There is no plan; nothing was run.
    #[error("the deploy is blocked: nothing was run")]
    Blocked(#[from] Blocked),
    /// Others changed the schema since the last deploy: nothing was run.
    #[error("{}", .0.in_a_line())]
    Drift(Box<Drift>),
    /// A statement was refused.
    #[error("migration `{}` failed at {}", .0.migration, .0.part())]
    Statement(#[source] Box<FailedStatement>),
    /// The database refused something of windlass's own, or cannot be read.
    #[error("the database could not be used")]
    Driver(#[from] DriverError),
    /// The connection broke while steps were under way.
    #[error("the connection was lost during `{during}`: {message}")]
    Lost {
        /// What was under way.
        during: String,
        /// In the driver's words.
        message: String,
    },
    /// Another deployer, on SQLite whoever writes, held the lock for longer than the wait.
    #[error("{} holds the lock, waited {waited:?}", .product.rival())]
    LockTimeout {
        /// Who holds it.
        holder: Holder,
        /// How long was waited.
        waited: Duration,
        /// Of which product the database is: not each has a server that could end a session.
        product: Product,
    },
    /// Migrations that are functions of a program, and this is not the program: nothing was run.
    #[error("this program has no function for {}", .names.join(", "))]
    NoFunction {
        /// Their names.
        names: Vec<String>,
    },
    /// Other sessions held what a statement needs, through all tries. Nothing of the statement, and of the
    /// transaction that it stands in, took effect; what was under way goes on with the next deploy.
    #[error("{0}")]
    Contended(Box<Contention>),
    /// Another run took an attempt of this one over.
    #[error("another run took `{name}` over")]
    TakenOver {
        /// The migration.
        name: String,
    },
    /// The migration has changed the history, or keeps it from being written: a `TRUNCATE` of every table, a trigger on
    /// all of them.
    #[error("`{name}` changes windlass's own history: the row of this run is gone, or cannot be written")]
    HistoryChanged {
        /// The migration.
        name: String,
        /// Whether nothing of what was under way stands.
        rolled_back: bool,
    },
    /// The migration has made its own transaction read-only, so that its record could not be written.
    #[error("`{}` has made its own transaction read-only: what it did could not be recorded", .0.migration)]
    ReadOnly(#[source] Box<FailedStatement>),
    /// It was asked to stop, and did after the running statement.
    #[error("stopped as asked")]
    Stopped {
        /// What was applied before.
        report: Report,
        /// The migration that stands part-way, if one does: it goes on with the next deploy.
        part_way: Option<String>,
    },
}

/// Brings the database to the end of the migrations. Can be run again at any moment.
///
/// # Errors
/// The typed reason why the database is not there. What was applied before it stands.
pub async fn deploy(
    driver: &mut dyn Driver,
    migrations: &Migrations,
    options: &DeployOptions,
    observer: &mut dyn Observer,
    stop: &Stop,
) -> Result<Report, DeployError> {
    if options.plan.is_plain() && is_current(driver, migrations).await? {
        observer.event(Event::UpToDate);
        let mut report = Report::default();
        if options.drift.when_current && options.drift.looks(driver) {
            let verdict = drift::look(driver, migrations.as_slice(), &options.drift).await?;
            report.tell(observer, Remark::of_drift(verdict));
        }
        return Ok(report);
    }
    let migrations = migrations.completed()?;
    let waited = wait_for_lock(driver, options, observer, stop).await?;
    let result = deploy_locked(driver, &migrations, options, observer, stop).await;
    // The lock goes with the session where giving it back fails.
    let _ = driver.unlock().await;
    let mut report = result?;
    report.waited = waited.or(report.waited);
    Ok(report)
}

/// What a deploy would do. Writes nothing and takes no lock.
///
/// # Errors
/// The typed reason why there is no plan, or the drift that would stop it.
pub async fn dry_run<'m>(
    driver: &mut dyn Driver,
    migrations: &'m Migrations,
    options: &DeployOptions,
) -> Result<Outlook<'m>, DeployError> {
    let mut inspection = inspect(driver, migrations.as_slice()).await?;
    // Whoever only looks need not be able to write.
    let access = std::mem::replace(&mut inspection.access, Access::Writable);
    let mut outlook =
        crate::plan::plan(migrations.as_slice(), &inspection, driver.capabilities(), &options.plan)?;
    if let (Access::ReadOnly(why), false) = (access, outlook.plan.is_empty()) {
        outlook.remarks.push(Remark::ReadOnly { why });
    }
    let looks = !outlook.plan.is_empty() || options.drift.when_current;
    if looks && options.drift.looks(driver) {
        let remark = look_at_drift(driver, migrations, &options.drift, &outlook.plan).await?;
        outlook.remarks.extend(remark);
    }
    Ok(outlook)
}

/// What a deploy into a new database of this name would do, on the server with which there is a session. Writes nothing, and
/// takes what the server says of itself for what it would say there.
///
/// # Errors
/// The typed reason why there is no plan.
pub async fn dry_run_of_new<'m>(
    driver: &mut dyn Driver,
    name: &str,
    migrations: &'m Migrations,
    options: &DeployOptions,
) -> Result<Outlook<'m>, DeployError> {
    let found = driver.inspect().await?.surroundings;
    // Only where a database is a schema is it one's name.
    let rename =
        |schema: String| if found.schema.as_ref() == Some(&schema) { name.to_owned() } else { schema };
    let history =
        found.history.clone().map(|table| ObjectName { schema: table.schema.map(&rename), ..table });
    let surroundings = Surroundings {
        history,
        schema: found.schema.clone().map(&rename),
        default_kept_by_rollback: found.default_kept_by_rollback,
        foreign_keys_enforced: found.foreign_keys_enforced,
        ..Surroundings::default()
    };
    let (history, contents, access) = (History::default(), Contents::Empty, Access::Writable);
    let inspection = Inspection { history, contents, access, surroundings };
    let mut outlook =
        crate::plan::plan(migrations.as_slice(), &inspection, driver.capabilities(), &options.plan)?;
    outlook.remarks.insert(0, Remark::NewDatabase);
    Ok(outlook)
}

/// Keeps the schema for the next look at drift. Whatever becomes of this is no part of how a run, or a decision, ended.
async fn keep_schema(driver: &mut dyn Driver, run: &Run, drift: &DriftOptions) {
    let keep = Step::KeepSchema { accepted: None, grants: drift.grants };
    let _ = driver.perform(run, &[Step::Begin, keep, Step::Commit], &mut NoWatch).await;
}

/// What is to tell of drift, where it does not keep the plan from being run.
async fn look_at_drift(
    driver: &mut dyn Driver,
    migrations: &Migrations,
    options: &DriftOptions,
    plan: &Plan<'_>,
) -> Result<Option<Remark>, DeployError> {
    match drift::look(driver, migrations.as_slice(), options).await? {
        DriftVerdict::Drift(found)
            if !plan.is_empty() && found.stops(options.policy, plan, driver.capabilities().dialect) =>
        {
            Err(DeployError::Drift(found))
        }
        verdict => Ok(Remark::of_drift(verdict)),
    }
}

async fn is_current(driver: &mut dyn Driver, migrations: &Migrations) -> Result<bool, DeployError> {
    match driver.head().await? {
        Head::Newest { format, .. } if format > FORMAT => {
            Err(Blocked::History(HistoryError::Newer { found: format }).into())
        }
        Head::Newest { digest, .. } => Ok(digest == migrations.digest().to_hex()),
        Head::None => Ok(false),
    }
}

/// Polls for the lock: a session that waits *inside* the database holds a snapshot, for which a
/// concurrent index build of the holder's would wait for ever.
async fn wait_for_lock(
    driver: &mut dyn Driver,
    options: &DeployOptions,
    observer: &mut dyn Observer,
    stop: &Stop,
) -> Result<Option<Duration>, DeployError> {
    let began = Instant::now();
    let mut pause = Duration::from_millis(20);
    let mut had_to_wait = false;
    loop {
        let holder = match driver.try_lock().await? {
            Lock::Acquired => return Ok(had_to_wait.then(|| began.elapsed())),
            Lock::Held(holder) => holder,
        };
        if stop.is_asked() {
            return Err(DeployError::Stopped { report: Report::default(), part_way: None });
        }
        let waited = began.elapsed();
        if waited >= options.lock_wait {
            let product = driver.capabilities().product;
            return Err(DeployError::LockTimeout { holder, waited, product });
        }
        observer.event(Event::Waiting { holder: &holder, waited });
        had_to_wait = true;
        driver.sleep(pause.min(options.lock_wait - waited)).await;
        pause = (pause * 2).min(Duration::from_millis(500));
    }
}

async fn deploy_locked(
    driver: &mut dyn Driver,
    migrations: &Migrations,
    options: &DeployOptions,
    observer: &mut dyn Observer,
    stop: &Stop,
) -> Result<Report, DeployError> {
    let began = Instant::now();
    let mut options = options.clone();
    options.plan.owner = Some(options.run.owner.clone());
    let mut report = Report::default();
    let mut looked = false;
    for _ in 0..REPLANS {
        let inspection = inspect(driver, migrations.as_slice()).await?;
        let capabilities = driver.capabilities().clone();
        let Outlook { plan, remarks } =
            crate::plan::plan(migrations.as_slice(), &inspection, &capabilities, &options.plan)?;
        report.tell(observer, remarks);
        if plan.is_empty() {
            return Ok(report);
        }
        let looks = options.drift.looks(driver);
        // What this run itself has changed is no drift.
        if looks && !looked {
            looked = true;
            report.tell(observer, look_at_drift(driver, migrations, &options.drift, &plan).await?);
        }
        let plan = if looks { plan.keeping_schema(capabilities.ddl, options.drift.grants) } else { plan };
        let names = without_function(driver, &plan);
        if !names.is_empty() {
            return Err(DeployError::NoFunction { names });
        }
        observer.event(Event::Planned(&plan));
        let mut runner = Runner::new(&inspection, &capabilities, &options, observer, stop);
        let ended = runner.run(driver, &plan).await;
        let is_part_way = runner.completed().is_some();
        report.applied.append(&mut runner.applied);
        if looks && ends_early(&ended) && !is_part_way && !report.applied.is_empty() {
            // What a migration left that stands part-way may be undone by hand, which is no drift: it is not kept.
            keep_schema(driver, &options.run, &options.drift).await;
        }
        match ended? {
            Ended::Done => return Ok(report),
            Ended::Apart(names) => options.plan.alone.extend(names),
            Ended::EnumValueUsed(name) => {
                options.plan.enum_values_at_once.insert(name);
            }
            Ended::MetAnother(name) => {
                if began.elapsed() >= options.lock_wait {
                    return Err(DeployError::TakenOver { name });
                }
                driver.sleep(Duration::from_millis(50)).await;
                // Whoever was met may hold the lock by now, and is waited for.
                let _ = driver.unlock().await;
                match wait_for_lock(driver, &options, observer, stop).await {
                    Err(DeployError::Stopped { part_way, .. }) => {
                        return Err(DeployError::Stopped { report, part_way });
                    }
                    waited => waited?,
                };
                report.waited = Some(began.elapsed());
            }
            Ended::Stopped { part_way } => return Err(DeployError::Stopped { report, part_way }),
        }
    }
    Err(DeployError::TakenOver { name: "the history".to_owned() })
}

/// Whether a run ended before its end, with a session that can still be used and is nobody else's.
fn ends_early(ended: &Result<Ended, DeployError>) -> bool {
    matches!(ended, Ok(Ended::Stopped { .. }) | Err(DeployError::Statement(_) | DeployError::Contended(_)))
}

/// Migrations of the plan whose functions the driver was not given.
fn without_function(driver: &dyn Driver, plan: &Plan<'_>) -> Vec<String> {
    let steps = plan.segments.iter().flat_map(|segment| &segment.steps);
    let missing = steps.filter_map(|step| match step {
        Step::Execute(execute) if execute.migration.is_rust() => Some(execute.migration.name()),
        _ => None,
    });
    missing.filter(|name| !driver.has_function(name)).map(str::to_owned).collect()
}
