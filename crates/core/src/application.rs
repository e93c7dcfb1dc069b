//! What an application calls: one call each, on a connection or pool it has already.
//!
//! The driver crates say what [`Database`] is there, and give these functions on.

mod deploy;
#[cfg_attr(not(feature = "tracing"), path = "application/untraced.rs")]
mod traces;
mod verify;

pub use deploy::Deploy;
pub use verify::{Verdict, VerifyError, WaitError, verdict};

pub use crate::apply::{DeployError, Event, Observer, Proof, Report, ResolveFailure, Stop, UnlockError};
pub use crate::diagnosis::{Action, Advice, Diagnosis};
pub use crate::doctor::{Check, Finding, Severity};
pub use crate::drift::{Drift, DriftPolicy, DriftVerdict, Touched};
pub use crate::driver::{Driver, DriverError, Holder};
pub use crate::history::{Attempt, History};
pub use crate::plan::{Blocked, Outlook, Resolution};
pub use crate::schema::Pattern;
pub use crate::source::{Migrations, SourceError};
pub use crate::status::{Standing, StatusLine};

use crate::apply;
use crate::drift::DriftOptions;
use crate::driver::Run;
use async_trait::async_trait;
use std::time::Duration;

/// What migrations can be deployed to: a connection or pool of an application's, or a session of windlass's.
///
/// The driver crates implement it. `D` is the driver, which lets them do so for types of other crates.
///
/// ```
/// # use windlass_core::application::{Database, DeployError, Migrations, deploy, verify};
/// // What takes any of them takes it by this trait.
/// async fn start<'d, D>(
///     database: impl Database<'d, D>,
///     migrations: &Migrations,
/// ) -> Result<usize, DeployError> {
///     Ok(deploy(database, migrations).await?.applied.len())
/// }
/// ```
#[async_trait]
pub trait Database<'d, D>: Send {
    /// A session to work in.
    ///
    /// ```
    /// # use windlass_core::application::{Database, DriverError};
    /// # async fn example<'d, D>(database: impl Database<'d, D>) -> Result<(), DriverError> {
    /// let mut session = database.session().await?;
    /// println!("{}", session.capabilities().version);
    /// session.give_back().await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// When there is no connection to be had.
    async fn session(self) -> Result<Box<dyn Driver + 'd>, DriverError>;
}

/// Brings the database to the end of the migrations, with [`Deploy`]'s usual settings.
///
/// ```
/// # use windlass_core::application::{Database, DeployError, Migrations, deploy};
/// # async fn example<'d, D>(connection: impl Database<'d, D>, migrations: &Migrations) -> Result<(), DeployError> {
/// let report = deploy(connection, migrations).await?;
/// println!("applied {} migrations", report.applied.len());
/// # Ok(()) }
/// ```
///
/// # Errors
/// The typed reason why the database is not there. What was applied before it stands.
pub async fn deploy<'d, D>(
    database: impl Database<'d, D>,
    migrations: &Migrations,
) -> Result<Report, DeployError> {
    Deploy::new(migrations).run(database).await
}

/// What a deploy would do. Writes nothing and takes no lock.
///
/// ```
/// # use windlass_core::application::{Database, DeployError, Migrations, plan};
/// # async fn example<'d, D>(connection: impl Database<'d, D>, migrations: &Migrations) -> Result<(), DeployError> {
/// let outlook = plan(connection, migrations).await?;
/// println!("{}", outlook.plan);
/// # Ok(()) }
/// ```
///
/// # Errors
/// The typed reason why there is no plan.
pub async fn plan<'d, 'm, D>(
    database: impl Database<'d, D>,
    migrations: &'m Migrations,
) -> Result<Outlook<'m>, DeployError> {
    Deploy::new(migrations).dry_run(database).await
}

/// Whether the database is where the migrations want it, and nobody changed its schema since. Writes nothing; two
/// round trips, unless somebody changed it, or migrations were applied since it was written down. Where that cannot be told,
/// the verdict says so; where no deploy has written the schema down yet, there is nothing to compare with.
/// [`Deploy::verify`] leaves out what others may change.
///
/// ```
/// # use windlass_core::application::{Database, Migrations, VerifyError, verify};
/// # async fn example<'d, D>(connection: impl Database<'d, D>, migrations: &Migrations) -> Result<(), VerifyError> {
/// let verdict = verify(connection, migrations).await?;
/// if !verdict.may_run() {
///     eprintln!("not serving: {verdict}");
/// }
/// # Ok(()) }
/// ```
///
/// # Errors
/// When the database or its history cannot be read.
pub async fn verify<'d, D>(
    database: impl Database<'d, D>,
    migrations: &Migrations,
) -> Result<Verdict, VerifyError> {
    Deploy::new(migrations).verify(database).await
}

/// The checklist of a database in production: what was found, why it matters and what to do. Writes nothing.
///
/// ```
/// # use windlass_core::application::{Database, DriverError, Migrations, Severity, doctor};
/// # async fn example<'d, D>(connection: impl Database<'d, D>, migrations: &Migrations) -> Result<(), DriverError> {
/// for finding in doctor(connection, migrations).await? {
///     if finding.severity >= Severity::Warning {
///         eprintln!("{finding}; {}", finding.next.as_deref().unwrap_or_default());
///     }
/// }
/// # Ok(()) }
/// ```
///
/// # Errors
/// When the database cannot be read.
pub async fn doctor<'d, D>(
    database: impl Database<'d, D>,
    migrations: &Migrations,
) -> Result<Vec<Finding>, DriverError> {
    Deploy::new(migrations).doctor(database).await
}

/// What is true of a database whose deploy failed, was cut off or met a changed schema, and what is right to do. Writes
/// nothing. What a replay would tell is left open, and said to be: [`diagnose_with_shadow`] has one.
///
/// ```
/// # use windlass_core::application::{Action, Database, DriverError, Migrations, diagnose};
/// # async fn example<'d, D>(connection: impl Database<'d, D>, migrations: &Migrations) -> Result<(), DriverError> {
/// let diagnosis = diagnose(connection, migrations).await?;
/// if diagnosis.advice.action != Action::Nothing {
///     eprintln!("{}", diagnosis.advice.why);
///     diagnosis.advice.commands.iter().for_each(|command| eprintln!("run: {command}"));
/// }
/// # Ok(()) }
/// ```
///
/// # Errors
/// When the database cannot be read.
pub async fn diagnose<'d, D>(
    database: impl Database<'d, D>,
    migrations: &Migrations,
) -> Result<Diagnosis, DriverError> {
    Deploy::new(migrations).diagnose(database).await
}

/// The same, with the migrations replayed on an empty database that is the caller's to make and to drop: which statements
/// took effect is told by the schema that each of them makes.
///
/// ```
/// # use windlass_core::application::{Database, DriverError, Migrations, diagnose_with_shadow};
/// # async fn example<'d, 's, D, S>(
/// #     connection: impl Database<'d, D>,
/// #     empty: impl Database<'s, S>,
/// #     migrations: &Migrations,
/// # ) -> Result<(), DriverError> {
/// let diagnosis = diagnose_with_shadow(connection, empty, migrations).await?;
/// for statement in diagnosis.examined.iter().flat_map(|examined| &examined.statements) {
///     println!("{}: {:?}", statement.place, statement.fate);
/// }
/// # Ok(()) }
/// ```
///
/// # Errors
/// When one of the databases cannot be used.
pub async fn diagnose_with_shadow<'d, 's, D, S>(
    database: impl Database<'d, D>,
    shadow: impl Database<'s, S>,
    migrations: &Migrations,
) -> Result<Diagnosis, DriverError> {
    Deploy::new(migrations).diagnose_with_shadow(database, shadow).await
}

/// Waits until another process has brought the database to the end of the migrations, or further.
///
/// ```
/// # use windlass_core::application::{Database, Migrations, WaitError, wait_until_current};
/// # async fn example<'d, D>(connection: impl Database<'d, D>, migrations: &Migrations) -> Result<(), WaitError> {
/// use std::time::Duration;
///
/// wait_until_current(connection, migrations, Duration::from_secs(60)).await?;
/// # Ok(()) }
/// ```
///
/// # Errors
/// When it is not there by the end of the timeout, and at once when only a person can get it there.
pub async fn wait_until_current<'d, D>(
    database: impl Database<'d, D>,
    migrations: &Migrations,
    timeout: Duration,
) -> Result<(), WaitError> {
    let mut session = database.session().await.map_err(VerifyError::from)?;
    verify::wait(&mut *session, migrations, timeout).await?;
    Ok(session.give_back().await.map_err(VerifyError::from)?)
}

/// Where every migration of the program and of the history stands, in order. Writes nothing.
///
/// ```
/// # use windlass_core::application::{Database, DriverError, Migrations, status};
/// # async fn example<'d, D>(connection: impl Database<'d, D>, migrations: &Migrations) -> Result<(), DriverError> {
/// for line in status(connection, migrations).await? {
///     println!("{} {}", line.standing.as_str(), line.name);
/// }
/// # Ok(()) }
/// ```
///
/// # Errors
/// When the database cannot be read.
pub async fn status<'d, D>(
    database: impl Database<'d, D>,
    migrations: &Migrations,
) -> Result<Vec<StatusLine>, DriverError> {
    let mut session = database.session().await?;
    let inspection = apply::inspect(&mut *session, migrations.as_slice()).await?;
    session.give_back().await?;
    let dialect = session.capabilities().dialect;
    Ok(crate::status::status(migrations.as_slice(), &inspection, dialect))
}

/// Writes a person's decision about one migration into the history.
///
/// ```
/// # use windlass_core::application::{Database, Migrations, Resolution, ResolveFailure, resolve};
/// # async fn example<'d, D>(connection: impl Database<'d, D>, migrations: &Migrations) -> Result<(), ResolveFailure> {
/// let why = "the index was made by hand";
/// resolve(connection, migrations, Resolution::Applied, "7_index", why).await?;
/// # Ok(()) }
/// ```
///
/// # Errors
/// When the decision does not fit the history, another deployer is at work, or a migration is to stand in a database that is
/// empty.
pub async fn resolve<'d, D>(
    database: impl Database<'d, D>,
    migrations: &Migrations,
    resolution: Resolution,
    name: &str,
    reason: &str,
) -> Result<(), ResolveFailure> {
    let mut session = database.session().await?;
    let run = Run::of_this_program();
    let result = apply::resolve(&mut *session, migrations, &run, (resolution, name), reason, false).await;
    let back = session.give_back().await;
    result?;
    Ok(back?)
}

/// Writes a person's decision about one migration into the history, once the migrations replayed on an empty database,
/// which is the caller's to make and to drop, show that the live schema bears it out.
///
/// ```
/// # use windlass_core::application::{Database, Migrations, Resolution, ResolveFailure, resolve_checked};
/// # async fn example<'d, 's, D, S>(
/// #     connection: impl Database<'d, D>,
/// #     empty: impl Database<'s, S>,
/// #     migrations: &Migrations,
/// # ) -> Result<(), ResolveFailure> {
/// let why = "the index was made by hand";
/// match resolve_checked(connection, empty, migrations, Resolution::Applied, "7_index", why).await {
///     Err(ResolveFailure::Differs { differences, .. }) => {
///         differences.iter().for_each(|difference| eprintln!("{difference}"));
///     }
///     other => _ = other?,
/// }
/// # Ok(()) }
/// ```
///
/// # Errors
/// As for [`resolve`], and when the live schema is not what the decision says.
pub async fn resolve_checked<'d, 's, D, S>(
    database: impl Database<'d, D>,
    shadow: impl Database<'s, S>,
    migrations: &Migrations,
    resolution: Resolution,
    name: &str,
    reason: &str,
) -> Result<Proof, ResolveFailure> {
    let mut session = database.session().await?;
    let mut replayed = shadow.session().await?;
    let run = Run::of_this_program();
    let (decision, drift) = ((resolution, name), DriftOptions::default());
    let result =
        apply::resolve_checked(&mut *session, &mut *replayed, migrations, &run, decision, reason, &drift)
            .await;
    let (back, given) = (session.give_back().await, replayed.give_back().await);
    let proof = result?;
    back?;
    given?;
    Ok(proof)
}

/// Records everything up to `name` as applied without running it; gives the recorded names.
///
/// ```
/// # use windlass_core::application::{Database, Migrations, ResolveFailure, baseline};
/// # async fn example<'d, D>(connection: impl Database<'d, D>, migrations: &Migrations) -> Result<(), ResolveFailure> {
/// let recorded = baseline(connection, migrations, "7_index").await?;
/// println!("recorded as applied: {}", recorded.join(", "));
/// # Ok(()) }
/// ```
///
/// # Errors
/// When there is no such migration, the database is empty, or the history cannot be written.
pub async fn baseline<'d, D>(
    database: impl Database<'d, D>,
    migrations: &Migrations,
    name: &str,
) -> Result<Vec<String>, ResolveFailure> {
    let mut session = database.session().await?;
    let run = Run::of_this_program();
    let result = apply::baseline(&mut *session, migrations, &run, name, false).await;
    let back = session.give_back().await;
    let recorded = result?;
    back?;
    Ok(recorded)
}

/// Records everything up to `name` as applied, once the migrations replayed on an empty database, which is the caller's to
/// make and to drop, make the schema that is there. [`Deploy::baseline_checked`] leaves out what others may change.
///
/// ```
/// # use windlass_core::application::{Database, Migrations, ResolveFailure, baseline_checked};
/// # async fn example<'d, 's, D, S>(
/// #     connection: impl Database<'d, D>,
/// #     empty: impl Database<'s, S>,
/// #     migrations: &Migrations,
/// # ) -> Result<(), ResolveFailure> {
/// let recorded = baseline_checked(connection, empty, migrations, "7_index").await?;
/// println!("recorded as applied: {}", recorded.join(", "));
/// # Ok(()) }
/// ```
///
/// # Errors
/// As for [`baseline`], and when the live schema is another.
pub async fn baseline_checked<'d, 's, D, S>(
    database: impl Database<'d, D>,
    shadow: impl Database<'s, S>,
    migrations: &Migrations,
    name: &str,
) -> Result<Vec<String>, ResolveFailure> {
    Deploy::new(migrations).baseline_checked(database, shadow, name).await
}

/// Who holds the lock that keeps two deploys apart; nobody where it is free. Writes nothing.
///
/// ```
/// # use windlass_core::application::{Database, DriverError, lock_holder};
/// # async fn example<'d, D>(connection: impl Database<'d, D>) -> Result<(), DriverError> {
/// match lock_holder(connection).await? {
///     Some(holder) => println!("held by {}", holder.who.as_deref().unwrap_or("somebody")),
///     None => println!("free"),
/// }
/// # Ok(()) }
/// ```
///
/// # Errors
/// When the database cannot be asked.
pub async fn lock_holder<'d, D>(database: impl Database<'d, D>) -> Result<Option<Holder>, DriverError> {
    let mut session = database.session().await?;
    let holder = session.lock_holder().await;
    let back = session.give_back().await;
    let holder = holder?;
    back?;
    Ok(holder)
}

/// Ends the session that holds the lock, as [`lock_holder`] told it; `false` where it had given it back by itself.
/// What it was at is undone by the server, or found out by the next deploy.
///
/// ```
/// # use windlass_core::application::{Database, Holder, UnlockError, end_lock_holder};
/// # async fn example<'d, D>(connection: impl Database<'d, D>, holder: &Holder) -> Result<(), UnlockError> {
/// if !end_lock_holder(connection, holder).await? {
///     println!("it had given the lock back by itself");
/// }
/// # Ok(()) }
/// ```
///
/// # Errors
/// When the session cannot be ended, or does not end within ten seconds.
pub async fn end_lock_holder<'d, D>(
    database: impl Database<'d, D>,
    holder: &Holder,
) -> Result<bool, UnlockError> {
    let mut session = database.session().await?;
    let ended = apply::end_lock_holder(&mut *session, holder).await;
    let back = session.give_back().await;
    let ended = ended?;
    back?;
    Ok(ended)
}

/// Every attempt that the history holds, as the table has it; none where there is no history. Writes nothing.
///
/// ```
/// # use windlass_core::application::{Database, DriverError, history};
/// # async fn example<'d, D>(connection: impl Database<'d, D>) -> Result<(), DriverError> {
/// for attempt in history(connection).await?.attempts {
///     println!("{} {}", attempt.id, attempt.name);
/// }
/// # Ok(()) }
/// ```
///
/// # Errors
/// When the database cannot be read.
pub async fn history<'d, D>(database: impl Database<'d, D>) -> Result<History, DriverError> {
    let mut session = database.session().await?;
    let inspection = session.inspect().await;
    let back = session.give_back().await;
    let inspection = inspection?;
    back?;
    Ok(inspection.history)
}

/// Whether others changed the schema since the last deploy, but for what is to be ignored. Writes nothing.
///
/// ```
/// # use windlass_core::application::{Database, DriftVerdict, DriverError, Migrations, drift};
/// # async fn example<'d, D>(connection: impl Database<'d, D>, migrations: &Migrations) -> Result<(), DriverError> {
/// if let DriftVerdict::Drift(drift) = drift(connection, migrations, &[]).await? {
///     println!("{drift}");
/// }
/// # Ok(()) }
/// ```
///
/// # Errors
/// When the database cannot be read.
pub async fn drift<'d, D>(
    database: impl Database<'d, D>,
    migrations: &Migrations,
    ignore: &[Pattern],
) -> Result<DriftVerdict, DriverError> {
    Deploy::new(migrations).ignore_drift(ignore.iter().cloned()).drift(database).await
}

/// Takes the schema as it is: from now on that is what a deploy compares with. The reason is for the history.
/// [`Deploy::accept_drift`] takes the grants along.
///
/// ```
/// # use windlass_core::application::{Database, ResolveFailure, accept_drift};
/// # async fn example<'d, D>(connection: impl Database<'d, D>) -> Result<(), ResolveFailure> {
/// accept_drift(connection, "the index that was made in the night of the incident").await?;
/// # Ok(()) }
/// ```
///
/// # Errors
/// When there is no history, it cannot be written, or another deployer is at work.
pub async fn accept_drift<'d, D>(database: impl Database<'d, D>, reason: &str) -> Result<(), ResolveFailure> {
    let mut session = database.session().await?;
    let accepted = apply::accept_drift(&mut *session, &Run::of_this_program(), reason, false).await;
    let back = session.give_back().await;
    accepted?;
    Ok(back?)
}
