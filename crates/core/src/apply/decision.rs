//! Decisions: what a person says about the history, written into it; where there is a shadow database, once the live
//! schema bears it out.

use super::failure::told;
use super::replay::{furnish, replay_with};
use super::{inspect, keep_schema, replay_all};
use crate::diagnosis::{borne_out_by, rows};
use crate::drift::{DriftOptions, Known, acceptance};
use crate::driver::{Cause, Driver, DriverError, Holder, Inspection, Lock, NoWatch, Run};
use crate::history::{Attempt, State};
use crate::plan::{Plan, Resolution, ResolveError, under_way_or_next};
use crate::schema::{Difference, Pattern};
use crate::shadow::{ReplayError, differences_from};
use crate::source::Migrations;
use crate::status::is_same_text;
use std::time::{Duration, Instant};

/// How long a decision waits for a deployer, or on SQLite for any writer, to end.
const DECISION_WAIT: Duration = Duration::from_secs(2);

/// Why a decision was not written.
///
/// ```
/// # use windlass_core::application::{Database, Migrations, Resolution, ResolveFailure, resolve};
/// # async fn example<'d, D>(connection: impl Database<'d, D>, migrations: &Migrations) -> Result<(), ResolveFailure> {
/// match resolve(connection, migrations, Resolution::Resume, "7_index", "the table is there again").await {
///     Err(ResolveFailure::Locked(holder)) => println!("{holder:?} is at work: later"),
///     written => written?,
/// }
/// # Ok(()) }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ResolveFailure {
    /// It does not fit the history.
    #[error("nothing was changed")]
    Refused(#[from] ResolveError),
    /// The live schema speaks against it.
    #[error(
        "the live schema is not what it is after {done} of the {of} statements of `{migration}`: {}",
        count(.differences)
    )]
    Differs {
        /// The migration.
        migration: String,
        /// How many of its statements the decision says are done.
        done: u32,
        /// How many it has.
        of: u32,
        /// What differs from that, from what should be to what is.
        differences: Vec<Difference>,
        /// After how many of its statements the live schema would be what it is; empty where that is after none.
        fits: Vec<u32>,
        /// The decisions that it does bear out; of several, a person tells which is true: no schema tells of rows.
        right: Vec<Resolution>,
    },
    /// The live schema is not what the migrations make.
    #[error("the live schema is not what the migrations {} make: {}", range(.first, .migration), count(.differences))]
    DiffersFromBaseline {
        /// The first one that was to be recorded.
        first: String,
        /// The last one.
        migration: String,
        /// What differs, from what they make to what is.
        differences: Vec<Difference>,
    },
    /// What the live schema should be cannot be found out.
    #[error("whether the live schema bears it out cannot be told")]
    Unchecked(#[from] ReplayError),
    /// The database could not be used.
    #[error("the database could not be used")]
    Driver(#[from] DriverError),
    /// Another deployer is at work.
    #[error("another session holds the lock")]
    Locked(Holder),
    /// The history changed meanwhile.
    #[error("the history changed since it was read: {0}")]
    Changed(String),
}

fn range(first: &str, last: &str) -> String {
    if first == last { format!("up to `{last}`") } else { format!("from `{first}` to `{last}`") }
}

fn count(differences: &[Difference]) -> String {
    match differences.iter().filter(|difference| difference.counts()).count() {
        1 => "1 object differs".to_owned(),
        objects => format!("{objects} objects differ"),
    }
}

/// How far a look at the live schema bore a decision out.
///
/// ```
/// use windlass_core::apply::Proof;
///
/// fn told(proof: Proof) -> &'static str {
///     match proof {
///         Proof::BornOut => "the live schema is what it should be",
///         _ => "no schema can tell",
///     }
/// }
/// assert_eq!(told(Proof::NothingToSee), "no schema can tell");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Proof {
    /// The live schema is what it says.
    BornOut,
    /// So it is, and statements that the decision is about change rows besides, or may: whether they were changed, no schema
    /// tells.
    BornOutButForRows,
    /// The migration changes no definition: whether its rows were changed, no schema tells.
    NothingToSee,
    /// It is about the text, and nothing in the database.
    Needless,
}

/// Writes a person's decision about one migration into the history; that it stands in an empty database only with `force`.
///
/// # Errors
/// When the decision does not fit the history, the database is empty, or another deployer is at work.
pub async fn resolve(
    driver: &mut dyn Driver,
    migrations: &Migrations,
    run: &Run,
    (resolution, name): (Resolution, &str),
    reason: &str,
    force: bool,
) -> Result<(), ResolveFailure> {
    lock(driver).await?;
    let decision = Decision { migrations, resolution, name, reason, force };
    let result = decision.write(driver, run, None).await;
    unlocked(driver, result).await.map(drop)
}

/// The same, once the migrations replayed on an empty `shadow` database show that the live schema bears it out. Where the
/// whole of it is what they make, it is kept for the next look at drift, as these options ask for it.
///
/// # Errors
/// As for [`resolve`], and when the live schema is not what the decision says.
pub async fn resolve_checked(
    driver: &mut dyn Driver,
    shadow: &mut dyn Driver,
    migrations: &Migrations,
    run: &Run,
    (resolution, name): (Resolution, &str),
    reason: &str,
    drift: &DriftOptions,
) -> Result<Proof, ResolveFailure> {
    lock(driver).await?;
    // An empty database may be what it makes.
    let decision = Decision { migrations, resolution, name, reason, force: true };
    let result = decision.write(driver, run, Some((shadow, drift))).await;
    unlocked(driver, result).await
}

/// Records everything up to `name` as applied without running it; on an empty database only with `force`. Gives the
/// recorded names.
///
/// # Errors
/// When there is no such migration, the database is empty, or the history cannot be written.
pub async fn baseline(
    driver: &mut dyn Driver,
    migrations: &Migrations,
    run: &Run,
    name: &str,
    force: bool,
) -> Result<Vec<String>, ResolveFailure> {
    lock(driver).await?;
    let result = write_baseline(driver, None, migrations, run, (name, force)).await;
    unlocked(driver, result).await
}

/// The same, once the migrations replayed on an empty `shadow` database make the schema that is there, but for what is
/// to be ignored and for the tables in which other tools keep their history. That schema is kept for the next look at drift.
///
/// # Errors
/// As for [`baseline`], and when the live schema is another.
pub async fn baseline_checked(
    driver: &mut dyn Driver,
    shadow: &mut dyn Driver,
    migrations: &Migrations,
    run: &Run,
    name: &str,
    drift: &DriftOptions,
) -> Result<Vec<String>, ResolveFailure> {
    lock(driver).await?;
    // An empty database may be what they make.
    let result = write_baseline(driver, Some((shadow, drift)), migrations, run, (name, true)).await;
    unlocked(driver, result).await
}

/// Takes the schema as it is, with the grants where they are asked for: from now on that is what a deploy compares with.
///
/// # Errors
/// When there is no history, another deployer is at work, or the schema cannot be read or kept.
pub async fn accept_drift(
    driver: &mut dyn Driver,
    run: &Run,
    reason: &str,
    grants: bool,
) -> Result<(), ResolveFailure> {
    lock(driver).await?;
    let result = write_accepted(driver, run, reason, grants).await;
    unlocked(driver, result).await
}

async fn write_baseline(
    driver: &mut dyn Driver,
    shadow: Option<(&mut dyn Driver, &DriftOptions)>,
    migrations: &Migrations,
    run: &Run,
    (name, force): (&str, bool),
) -> Result<Vec<String>, ResolveFailure> {
    let inspection = inspect(driver, migrations.as_slice()).await?;
    let plan = crate::plan::baseline(migrations.as_slice(), &inspection, driver.capabilities(), name, force)?;
    let mut kept = None;
    let recorded = plan.migrations();
    if let (Some((shadow, drift)), [first, ..], Some(last)) = (shadow, recorded.as_slice(), recorded.last()) {
        let names = [standing(&inspection, ""), recorded.clone()].concat();
        furnish(shadow, driver).await?;
        let made = replay_all(shadow, migrations, &names).await?;
        let (live, dialect) = (driver.read_schema(false).await?, driver.capabilities().dialect);
        let differences = differences_from(&made, &live, migrations, dialect, &drift.ignore);
        if !differences.is_empty() {
            let (first, migration) = ((*first).to_owned(), (*last).to_owned());
            return Err(ResolveFailure::DiffersFromBaseline { first, migration, differences });
        }
        kept = Some(drift);
    }
    let recorded = write(driver, run, &plan).await?;
    if let Some(drift) = kept.filter(|drift| drift.looks(driver)) {
        keep_schema(driver, run, drift).await;
    }
    Ok(recorded)
}

async fn write_accepted(
    driver: &mut dyn Driver,
    run: &Run,
    reason: &str,
    grants: bool,
) -> Result<(), ResolveFailure> {
    let inspection = driver.inspect().await?;
    let accepted = acceptance(&run.applied_by, reason, &inspection.history);
    let plan = crate::plan::accept_schema(&inspection, accepted, grants)?;
    write(driver, run, &plan).await.map(drop)
}

struct Decision<'a> {
    migrations: &'a Migrations,
    resolution: Resolution,
    name: &'a str,
    reason: &'a str,
    force: bool,
}

impl Decision<'_> {
    async fn write(
        &self,
        driver: &mut dyn Driver,
        run: &Run,
        shadow: Option<(&mut dyn Driver, &DriftOptions)>,
    ) -> Result<Proof, ResolveFailure> {
        let Self { migrations, resolution, name, reason, force } = *self;
        let inspection = inspect(driver, migrations.as_slice()).await?;
        let capabilities = driver.capabilities();
        let decision = (resolution, name);
        let plan =
            crate::plan::resolve(migrations.as_slice(), &inspection, capabilities, decision, reason, force)?;
        let Some((shadow, drift)) = shadow else {
            write(driver, run, &plan).await?;
            return Ok(Proof::Needless);
        };
        let (proof, is_whole) = self.check(driver, shadow, &inspection, &drift.ignore).await?;
        write(driver, run, &plan).await?;
        if is_whole && drift.looks(driver) {
            keep_schema(driver, run, drift).await;
        }
        Ok(proof)
    }

    /// Whether the live schema is what the decision says; and whether all of it is what the migrations then make.
    async fn check(
        &self,
        driver: &mut dyn Driver,
        shadow: &mut dyn Driver,
        inspection: &Inspection,
        ignore: &[Pattern],
    ) -> Result<(Proof, bool), ResolveFailure> {
        if self.resolution == Resolution::AcceptEdit {
            return Ok((Proof::Needless, false));
        }
        let migration = crate::plan::find_migration(self.migrations.as_slice(), self.name);
        let migration = migration.map_err(|_| ReplayError::Missing(vec![self.name.to_owned()]))?;
        let attempt = inspection.history.attempts.iter().find(|a| a.claimed && a.name == migration.name());
        let before = standing(inspection, migration.name());
        let dialect = driver.capabilities().dialect;
        furnish(shadow, driver).await?;
        let done = attempt.map_or(0, |attempt| attempt.completed);
        let replay = replay_with(shadow, self.migrations, &before, migration, done).await?;
        let known = Known::look(driver, &inspection.history, attempt).await?;
        let mut replay = replay.beside(migration, attempt, dialect, known);
        // Only a deploy that goes on clears it away.
        replay.remnant = replay.remnant.filter(|_| self.resolution == Resolution::Resume);
        let of = replay.statements;
        let done = match self.resolution {
            Resolution::RolledBack => 0,
            Resolution::Resume => attempt.map_or(0, |attempt| attempt.completed),
            Resolution::TookEffect => attempt.and_then(under_way_or_next).map_or(of, |it| it.last),
            _ => of,
        };
        let known = replay.states.last().map_or(0, |(done, _)| *done);
        if let (Some(broken), true) = (replay.broken.take(), done > known) {
            return Err(ReplayError::from(broken).into());
        }
        let live = driver.read_schema(false).await?;
        replay.meet(&live);
        let Some(mut compared) = replay.compare(&live) else { return Ok((Proof::NothingToSee, false)) };
        let is_it = |(_, differences): &&(u32, Vec<Difference>)| !differences.iter().any(Difference::counts);
        let fits: Vec<u32> = compared.iter().filter(is_it).map(|(at, _)| *at).collect();
        // A decision may be about a place between two states.
        let meant = match self.resolution {
            // What is said to have taken effect has to be there, and what shares its transaction, too.
            Resolution::TookEffect => compared.iter().position(|(at, _)| *at >= done),
            _ => compared.iter().rposition(|(at, _)| *at <= done),
        };
        let differences = meant.map(|index| compared.swap_remove(index).1).unwrap_or_default();
        if !differences.iter().any(Difference::counts) {
            let is_other = |it: &&Attempt| it.claimed && it.name != migration.name();
            let others = &mut inspection.history.attempts.iter().filter(is_other);
            let settled = match self.resolution {
                Resolution::RolledBack => replay.states.first(),
                Resolution::Applied => replay.states.last(),
                // What is half done may be undone by hand, which is no drift.
                _ => None,
            };
            let is_whole = others.all(|attempt| attempt.state() == State::Applied)
                && settled.is_some_and(|(_, made)| {
                    let made = std::slice::from_ref(made);
                    let differences = differences_from(made, &live, self.migrations, dialect, ignore);
                    differences.iter().all(|difference| replay.known.holds(&difference.key, &live))
                });
            let (rows, before) = (rows(migration, dialect), attempt.map_or(0, |attempt| attempt.completed));
            // What was begun may have changed rows, also where another text stands in its place.
            let is_begun = |attempt: &Attempt| {
                attempt.may_have_begun().is_some_and(|begun| {
                    rows.iter().any(|number| begun.first <= *number && *number <= begun.last)
                        || !is_same_text(migration, attempt, dialect)
                })
            };
            let is_unseen = attempt.is_some_and(is_begun)
                || match self.resolution {
                    Resolution::Applied => rows.iter().any(|number| *number > before),
                    Resolution::RolledBack => rows.iter().any(|number| *number <= before),
                    Resolution::TookEffect => rows.iter().any(|number| *number > before && *number <= done),
                    _ => false,
                };
            let proof = if is_unseen { Proof::BornOutButForRows } else { Proof::BornOut };
            return Ok((proof, is_whole));
        }
        let right = borne_out_by(&fits, migration, attempt, dialect);
        let migration = migration.name().to_owned();
        Err(ResolveFailure::Differs { migration, done, of, differences, fits, right })
    }
}

/// The names of what is applied, but for one.
pub(super) fn standing<'h>(inspection: &'h Inspection, but: &str) -> Vec<&'h str> {
    let stands =
        |attempt: &&Attempt| attempt.claimed && attempt.state() == State::Applied && attempt.name != but;
    inspection.history.attempts.iter().filter(stands).map(|attempt| attempt.name.as_str()).collect()
}

/// Gets the lock, for which it waits a little.
async fn lock(driver: &mut dyn Driver) -> Result<(), ResolveFailure> {
    let began = Instant::now();
    while let Lock::Held(holder) = driver.try_lock().await? {
        if began.elapsed() >= DECISION_WAIT {
            return Err(ResolveFailure::Locked(holder));
        }
        driver.sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

/// What came of it, once the lock is given back.
async fn unlocked<T>(
    driver: &mut dyn Driver,
    result: Result<T, ResolveFailure>,
) -> Result<T, ResolveFailure> {
    // The lock goes with the session where giving it back fails.
    let _ = driver.unlock().await;
    result
}

/// Performs a plan; gives the names of its migrations.
async fn write(driver: &mut dyn Driver, run: &Run, plan: &Plan<'_>) -> Result<Vec<String>, ResolveFailure> {
    for segment in &plan.segments {
        let failed = driver.perform(run, &segment.steps, &mut NoWatch).await;
        failed.map_err(|failure| unwritten(failure.cause))?;
    }
    Ok(plan.migrations().into_iter().map(str::to_owned).collect())
}

/// Why a plan was not written: what a person does about it depends on whose doing it is.
fn unwritten(cause: Cause) -> ResolveFailure {
    match cause {
        Cause::Refused(error) | Cause::GaveWay(error) => DriverError::Refused(error).into(),
        Cause::Lost(message) => DriverError::Lost(message).into(),
        Cause::Busy(holder) => ResolveFailure::Locked(holder),
        cause => ResolveFailure::Changed(told(&cause)),
    }
}
