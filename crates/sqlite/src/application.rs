//! What migrations can be deployed to with SQLite, and the calls of an application that has no runtime.

use crate::Sqlite;
use async_trait::async_trait;
use rusqlite::Connection;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;
use windlass_core::application::{
    self, Database, DeployError, Diagnosis, DriftVerdict, Driver, DriverError, Finding, History, Holder,
    Migrations, Outlook, Pattern, Proof, Report, Resolution, ResolveFailure, StatusLine, UnlockError,
    Verdict, VerifyError, WaitError,
};

/// An application's connection.
#[async_trait]
impl<'d> Database<'d, Sqlite<'d>> for &'d mut Connection {
    async fn session(self) -> Result<Box<dyn Driver + 'd>, DriverError> {
        Ok(Box::new(Sqlite::borrow(self)))
    }
}

/// A session of windlass's own.
#[async_trait]
impl<'d, 'c: 'd> Database<'d, Sqlite<'d>> for &'d mut Sqlite<'c> {
    async fn session(self) -> Result<Box<dyn Driver + 'd>, DriverError> {
        Ok(Box::new(self))
    }
}

/// A pool of sqlx, which lends one connection.
#[cfg(feature = "sqlx")]
#[async_trait]
impl<'d> Database<'d, Sqlite<'d>> for &'d sqlx::SqlitePool {
    async fn session(self) -> Result<Box<dyn Driver + 'd>, DriverError> {
        Ok(Box::new(Sqlite::from_pool(self).await?))
    }
}

/// A connection of sqlx, also one that a pool lends: `&mut *connection`.
#[cfg(feature = "sqlx")]
#[async_trait]
impl<'d> Database<'d, Sqlite<'d>> for &'d mut sqlx::SqliteConnection {
    async fn session(self) -> Result<Box<dyn Driver + 'd>, DriverError> {
        Ok(Box::new(Sqlite::borrow_sqlx(self).await?))
    }
}

/// Runs a future to its end on this thread. Those of this crate never wait, so that one poll is all it takes.
///
/// ```
/// use windlass_sqlite::{Deploy, Migrations, block_on};
///
/// static MIGRATIONS: Migrations = windlass_sqlite::migrations!("examples/migrations");
///
/// let mut connection = rusqlite::Connection::open_in_memory()?;
/// let deploy = Deploy::new(&MIGRATIONS).target("1_ships");
/// let report = block_on(deploy.run(&mut connection))?;
/// assert_eq!(report.applied.len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn block_on<F: Future>(future: F) -> F::Output {
    struct ThisThread(Thread);
    impl Wake for ThisThread {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(ThisThread(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

/// Brings the database to the end of the migrations, with [`Deploy`](crate::Deploy)'s usual settings.
///
/// ```
/// use windlass_sqlite::Migrations;
///
/// static MIGRATIONS: Migrations = windlass_sqlite::migrations!("examples/migrations");
///
/// let mut connection = rusqlite::Connection::open_in_memory()?;
/// windlass_sqlite::deploy(&mut connection, &MIGRATIONS)?;
/// connection.execute("INSERT INTO ships (name, crew) VALUES ('Anna', 7)", [])?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// The typed reason why the database is not there. What was applied before it stands.
pub fn deploy<'d>(
    database: impl Database<'d, Sqlite<'d>>,
    migrations: &Migrations,
) -> Result<Report, DeployError> {
    block_on(application::deploy(database, migrations))
}

/// What a deploy would do. Writes nothing and takes no lock.
///
/// ```
/// use windlass_sqlite::Migrations;
///
/// static MIGRATIONS: Migrations = windlass_sqlite::migrations!("examples/migrations");
///
/// let mut connection = rusqlite::Connection::open_in_memory()?;
/// let outlook = windlass_sqlite::plan(&mut connection, &MIGRATIONS)?;
/// assert_eq!(outlook.plan.migrations(), ["1_ships", "2_crews"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// The typed reason why there is no plan.
pub fn plan<'d, 'm>(
    database: impl Database<'d, Sqlite<'d>>,
    migrations: &'m Migrations,
) -> Result<Outlook<'m>, DeployError> {
    block_on(application::plan(database, migrations))
}

/// Whether the database is where the migrations want it, and nobody changed its schema since. Writes nothing.
///
/// ```
/// use windlass_sqlite::{Migrations, Verdict, verify};
///
/// static MIGRATIONS: Migrations = windlass_sqlite::migrations!("examples/migrations");
///
/// let mut connection = rusqlite::Connection::open_in_memory()?;
/// assert!(matches!(verify(&mut connection, &MIGRATIONS)?, Verdict::Behind { .. }));
/// windlass_sqlite::deploy(&mut connection, &MIGRATIONS)?;
/// assert_eq!(verify(&mut connection, &MIGRATIONS)?, Verdict::Current);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// When the database or its history cannot be read.
pub fn verify<'d>(
    database: impl Database<'d, Sqlite<'d>>,
    migrations: &Migrations,
) -> Result<Verdict, VerifyError> {
    block_on(application::verify(database, migrations))
}

/// The checklist of a database in production: what was found, why it matters and what to do. Writes nothing.
///
/// ```
/// use windlass_sqlite::{Migrations, Severity, deploy, doctor, rusqlite::Connection};
///
/// # fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let mut connection = Connection::open_in_memory()?;
/// let migrations = Migrations::from_scripts([("1_ships", "CREATE TABLE ships (id integer)")])?;
/// let before = doctor(&mut connection, &migrations)?;
/// assert_eq!(before[0].what, "no deploy has run here");
/// assert_eq!(before[0].next.as_deref(), Some("`windlass deploy`"));
/// deploy(&mut connection, &migrations)?;
/// assert!(doctor(&mut connection, &migrations)?.iter().all(|finding| finding.severity == Severity::Good));
/// # Ok(()) }
/// # example().unwrap();
/// ```
///
/// # Errors
/// When the database cannot be read.
pub fn doctor<'d>(
    database: impl Database<'d, Sqlite<'d>>,
    migrations: &Migrations,
) -> Result<Vec<Finding>, DriverError> {
    block_on(application::doctor(database, migrations))
}

/// What is true of a database whose deploy failed, was cut off or met a changed schema, and what is right to do. Writes
/// nothing. What a replay would tell is left open, and said to be: [`diagnose_with_shadow`] has one.
///
/// ```
/// use windlass_sqlite::{Action, Migrations, deploy, diagnose};
///
/// static MIGRATIONS: Migrations = windlass_sqlite::migrations!("examples/migrations");
///
/// let mut connection = rusqlite::Connection::open_in_memory()?;
/// assert_eq!(diagnose(&mut connection, &MIGRATIONS)?.advice.action, Action::Deploy);
/// deploy(&mut connection, &MIGRATIONS)?;
/// assert_eq!(diagnose(&mut connection, &MIGRATIONS)?.advice.action, Action::Nothing);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// When the database cannot be read.
pub fn diagnose<'d>(
    database: impl Database<'d, Sqlite<'d>>,
    migrations: &Migrations,
) -> Result<Diagnosis, DriverError> {
    block_on(application::diagnose(database, migrations))
}

/// The same, with the migrations replayed on an empty database, one in memory, say: which statements took effect is told
/// by the schema that each of them makes.
///
/// ```
/// use windlass_sqlite::{Action, DriftVerdict, Migrations, deploy, diagnose_with_shadow, rusqlite::Connection};
///
/// static MIGRATIONS: Migrations = windlass_sqlite::migrations!("examples/migrations");
///
/// let mut connection = Connection::open_in_memory()?;
/// deploy(&mut connection, &MIGRATIONS)?;
/// connection.execute_batch("CREATE TABLE by_hand (id integer)")?;
/// let diagnosis = diagnose_with_shadow(&mut connection, &mut Connection::open_in_memory()?, &MIGRATIONS)?;
/// assert!(matches!(diagnosis.drift, DriftVerdict::Drift(_)));
/// assert_ne!(diagnosis.advice.action, Action::Nothing);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// When one of the databases cannot be used.
pub fn diagnose_with_shadow<'d, 's>(
    database: impl Database<'d, Sqlite<'d>>,
    shadow: impl Database<'s, Sqlite<'s>>,
    migrations: &Migrations,
) -> Result<Diagnosis, DriverError> {
    block_on(application::diagnose_with_shadow(database, shadow, migrations))
}

/// Waits, on this thread, until another process has brought the database to the end of the migrations, or further.
///
/// ```
/// use windlass_sqlite::{Migrations, wait_until_current};
///
/// static MIGRATIONS: Migrations = windlass_sqlite::migrations!("examples/migrations");
///
/// let mut connection = rusqlite::Connection::open_in_memory()?;
/// windlass_sqlite::deploy(&mut connection, &MIGRATIONS)?;
/// wait_until_current(&mut connection, &MIGRATIONS, std::time::Duration::from_secs(60))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// When it is not there by the end of the timeout, and at once when only a person can get it there.
pub fn wait_until_current<'d>(
    database: impl Database<'d, Sqlite<'d>>,
    migrations: &Migrations,
    timeout: Duration,
) -> Result<(), WaitError> {
    block_on(application::wait_until_current(database, migrations, timeout))
}

/// Where every migration of the program and of the history stands, in order. Writes nothing.
///
/// ```
/// use windlass_sqlite::{Migrations, Standing};
///
/// static MIGRATIONS: Migrations = windlass_sqlite::migrations!("examples/migrations");
///
/// let mut connection = rusqlite::Connection::open_in_memory()?;
/// windlass_sqlite::deploy(&mut connection, &MIGRATIONS)?;
/// for line in windlass_sqlite::status(&mut connection, &MIGRATIONS)? {
///     assert_eq!(line.standing, Standing::Applied);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// When the database cannot be read.
pub fn status<'d>(
    database: impl Database<'d, Sqlite<'d>>,
    migrations: &Migrations,
) -> Result<Vec<StatusLine>, DriverError> {
    block_on(application::status(database, migrations))
}

/// Writes a person's decision about one migration into the history.
///
/// ```
/// use windlass_sqlite::{Migrations, Resolution, Verdict};
///
/// static MIGRATIONS: Migrations = windlass_sqlite::migrations!("examples/migrations");
///
/// let mut connection = rusqlite::Connection::open_in_memory()?;
/// // Its table was made by hand.
/// connection.execute_batch("CREATE TABLE ships (id integer PRIMARY KEY, name text NOT NULL)")?;
/// let why = "it was made by hand";
/// windlass_sqlite::resolve(&mut connection, &MIGRATIONS, Resolution::Applied, "1_ships", why)?;
/// let behind = Verdict::Behind { pending: vec!["2_crews".to_owned()] };
/// assert_eq!(windlass_sqlite::verify(&mut connection, &MIGRATIONS)?, behind);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// When the decision does not fit the history, or another deployer is at work.
pub fn resolve<'d>(
    database: impl Database<'d, Sqlite<'d>>,
    migrations: &Migrations,
    resolution: Resolution,
    name: &str,
    reason: &str,
) -> Result<(), ResolveFailure> {
    block_on(application::resolve(database, migrations, resolution, name, reason))
}

/// Writes a person's decision about one migration into the history, once the migrations replayed on an empty database, one
/// in memory, say, show that the live schema bears it out.
///
/// ```
/// use windlass_sqlite::{Migrations, Proof, Resolution, ResolveFailure, resolve_checked, rusqlite::Connection};
///
/// static MIGRATIONS: Migrations = windlass_sqlite::migrations!("examples/migrations");
///
/// let mut connection = Connection::open_in_memory()?;
/// let resolve = |connection: &mut Connection| {
///     let mut empty = Connection::open_in_memory().expect("memory");
///     resolve_checked(connection, &mut empty, &MIGRATIONS, Resolution::Applied, "1_ships", "made by hand")
/// };
/// let refused = resolve(&mut connection);
/// assert!(matches!(refused, Err(ResolveFailure::Differs { .. })));
/// connection.execute_batch(MIGRATIONS.iter().next().expect("a migration").up().text())?;
/// assert_eq!(resolve(&mut connection)?, Proof::BornOut);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// As for [`resolve`], and when the live schema is not what the decision says.
pub fn resolve_checked<'d, 's>(
    database: impl Database<'d, Sqlite<'d>>,
    shadow: impl Database<'s, Sqlite<'s>>,
    migrations: &Migrations,
    resolution: Resolution,
    name: &str,
    reason: &str,
) -> Result<Proof, ResolveFailure> {
    block_on(application::resolve_checked(database, shadow, migrations, resolution, name, reason))
}

/// Records everything up to `name` as applied without running it; gives the recorded names.
///
/// ```
/// use windlass_sqlite::Migrations;
///
/// static MIGRATIONS: Migrations = windlass_sqlite::migrations!("examples/migrations");
///
/// let mut connection = rusqlite::Connection::open_in_memory()?;
/// // What the first migration makes stands already.
/// connection.execute_batch("CREATE TABLE ships (id integer PRIMARY KEY, name text NOT NULL)")?;
/// assert_eq!(windlass_sqlite::baseline(&mut connection, &MIGRATIONS, "1_ships")?, ["1_ships"]);
/// assert_eq!(windlass_sqlite::deploy(&mut connection, &MIGRATIONS)?.applied.len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// When there is no such migration, or the history cannot be written.
pub fn baseline<'d>(
    database: impl Database<'d, Sqlite<'d>>,
    migrations: &Migrations,
    name: &str,
) -> Result<Vec<String>, ResolveFailure> {
    block_on(application::baseline(database, migrations, name))
}

/// Records everything up to `name` as applied, once the migrations replayed on an empty database, one in memory, say, make
/// the schema that is there.
///
/// ```
/// use windlass_sqlite::{Migrations, ResolveFailure, baseline_checked, rusqlite::Connection};
///
/// static MIGRATIONS: Migrations = windlass_sqlite::migrations!("examples/migrations");
///
/// let mut connection = Connection::open_in_memory()?;
/// connection.execute_batch("CREATE TABLE ships (id integer PRIMARY KEY)")?;
/// let refused =
///     baseline_checked(&mut connection, &mut Connection::open_in_memory()?, &MIGRATIONS, "1_ships");
/// assert!(matches!(refused, Err(ResolveFailure::DiffersFromBaseline { .. })));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// As for [`baseline`], and when the live schema is another.
pub fn baseline_checked<'d, 's>(
    database: impl Database<'d, Sqlite<'d>>,
    shadow: impl Database<'s, Sqlite<'s>>,
    migrations: &Migrations,
    name: &str,
) -> Result<Vec<String>, ResolveFailure> {
    block_on(application::baseline_checked(database, shadow, migrations, name))
}

/// Who holds the lock that keeps two deploys apart; nobody where it is free. Writes nothing.
///
/// ```
/// let mut connection = rusqlite::Connection::open_in_memory()?;
/// assert!(windlass_sqlite::lock_holder(&mut connection)?.is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// When the database cannot be asked.
pub fn lock_holder<'d>(database: impl Database<'d, Sqlite<'d>>) -> Result<Option<Holder>, DriverError> {
    block_on(application::lock_holder(database))
}

/// Ends the session that holds the lock, which SQLite has no server to do: the error tells so. `false` where it had been
/// given back by itself.
///
/// ```
/// let mut connection = rusqlite::Connection::open_in_memory()?;
/// if let Some(holder) = windlass_sqlite::lock_holder(&mut connection)? {
///     windlass_sqlite::end_lock_holder(&mut connection, &holder)?;
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// While the lock is held.
pub fn end_lock_holder<'d>(
    database: impl Database<'d, Sqlite<'d>>,
    holder: &Holder,
) -> Result<bool, UnlockError> {
    block_on(application::end_lock_holder(database, holder))
}

/// Every attempt that the history holds, as the table has it; none where there is no history. Writes nothing.
///
/// ```
/// use windlass_sqlite::{Migrations, history};
///
/// static MIGRATIONS: Migrations = windlass_sqlite::migrations!("examples/migrations");
///
/// let mut connection = rusqlite::Connection::open_in_memory()?;
/// assert!(history(&mut connection)?.attempts.is_empty());
/// windlass_sqlite::deploy(&mut connection, &MIGRATIONS)?;
/// assert_eq!(history(&mut connection)?.attempts.len(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// When the database cannot be read.
pub fn history<'d>(database: impl Database<'d, Sqlite<'d>>) -> Result<History, DriverError> {
    block_on(application::history(database))
}

/// Whether others changed the schema since the last deploy, but for what is to be ignored. Writes nothing.
///
/// ```
/// use windlass_sqlite::{DriftVerdict, Migrations, drift};
///
/// static MIGRATIONS: Migrations = windlass_sqlite::migrations!("examples/migrations");
///
/// let mut connection = rusqlite::Connection::open_in_memory()?;
/// windlass_sqlite::deploy(&mut connection, &MIGRATIONS)?;
/// assert_eq!(drift(&mut connection, &MIGRATIONS, &[])?, DriftVerdict::None);
/// connection.execute_batch("CREATE TABLE by_hand (id integer)")?;
/// assert!(matches!(drift(&mut connection, &MIGRATIONS, &[])?, DriftVerdict::Drift(_)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// When the database cannot be read.
pub fn drift<'d>(
    database: impl Database<'d, Sqlite<'d>>,
    migrations: &Migrations,
    ignore: &[Pattern],
) -> Result<DriftVerdict, DriverError> {
    block_on(application::drift(database, migrations, ignore))
}

/// Takes the schema as it is: from now on that is what a deploy compares with. The reason is for the history.
///
/// ```
/// use windlass_sqlite::{DriftVerdict, Migrations, accept_drift, drift};
///
/// static MIGRATIONS: Migrations = windlass_sqlite::migrations!("examples/migrations");
///
/// let mut connection = rusqlite::Connection::open_in_memory()?;
/// windlass_sqlite::deploy(&mut connection, &MIGRATIONS)?;
/// connection.execute_batch("CREATE TABLE by_hand (id integer)")?;
/// accept_drift(&mut connection, "the table of the night of the incident")?;
/// assert_eq!(drift(&mut connection, &MIGRATIONS, &[])?, DriftVerdict::None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// When there is no history, it cannot be written, or another deployer is at work.
pub fn accept_drift<'d>(database: impl Database<'d, Sqlite<'d>>, reason: &str) -> Result<(), ResolveFailure> {
    block_on(application::accept_drift(database, reason))
}
