//! Migrations of a SQLite database as a part of the program: checked when it is compiled, deployed by one call on the
//! connection that it has already. No runtime is needed.
//!
//! ```
//! use windlass_sqlite::{Migrations, deploy, rusqlite::Connection};
//!
//! // The folder is told relative to Cargo.toml; no file is needed where the program runs.
//! static MIGRATIONS: Migrations = windlass_sqlite::migrations!("examples/migrations");
//!
//! let mut connection = Connection::open_in_memory()?;
//! let report = deploy(&mut connection, &MIGRATIONS)?;
//! assert_eq!(report.applied.len(), 2);
//! assert_eq!(deploy(&mut connection, &MIGRATIONS)?.applied.len(), 0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Any number of programs may do so at once on one file: one deploys, and the others wait for it and find it done. A deploy that
//! was killed is run again: what stands is found out, and it goes on from there. Where a statement failed, mostly nothing of its
//! migration stands, and the next deploy runs it again; where part of it stands, that deploy runs nothing until the part that
//! has not run is mended, or until [`resolve`] has written a person's decision down.
//!
//! # What it runs on
//! | | |
//! |---|---|
//! | `&mut Connection` | borrowed, and given back with its settings as they were |
//! | `&mut Sqlite` | a session of windlass's own, opened from a path or URL ([`Sqlite::connect`]); or one that was borrowed with other settings |
//! | `&SqlitePool`, `&mut SqliteConnection` | with the feature `sqlx`, by the calls of [`futures`](mod@futures) |
//!
//! # The calls
//! | a program that | calls |
//! |---|---|
//! | deploys when it starts | [`deploy`], or [`Deploy`] with other settings than the usual |
//! | runs beside the one that deploys | [`wait_until_current`], and [`verify`] to tell whether it is ready |
//! | wants to know what would be done, or was | [`plan`], [`status`], [`history`], [`drift`] |
//! | wants to know what is wrong with the database, or who deploys | [`doctor`], [`lock_holder`] |
//! | wants to know what is true after a failure, and what to do | [`diagnose`], [`diagnose_with_shadow`] |
//! | writes a person's decision down | [`resolve`], [`baseline`], [`accept_drift`], [`end_lock_holder`] |
//! | has it checked first, on an empty database of its own | [`resolve_checked`], [`baseline_checked`] |
//!
//! What SQL cannot say is a function of the program, in the order of the files: [`RustMigrations`]. For a program's own
//! tests, [`testing`] makes migrated files as copies.
//!
//! # When it fails
//! Errors are typed, and say what stands:
//!
//! ```
//! use windlass_sqlite::{DeployError, Migrations, deploy, rusqlite::Connection};
//!
//! let migrations = Migrations::from_scripts([("1_ships.sql", "CREATE TABLE ships (name text); SELECT crew FROM ships;")])?;
//! match deploy(&mut Connection::open_in_memory()?, &migrations) {
//!     Err(DeployError::Statement(failed)) => {
//!         assert_eq!((failed.migration.as_str(), failed.number), ("1_ships", 2));
//!         assert_eq!(failed.error.message, "no such column: crew");
//!     }
//!     other => panic!("{other:?}"),
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # When the future is dropped
//! A deploy that has its connection is done within one poll: it cannot be dropped in the middle. Over sqlx a future waits for
//! the connection first; dropped then, it has done nothing, and the connection is as it was. No lock outlives the call.
//!
//! # Features
//! Rust 1.88 or later compiles all of them but `sqlx`.
//!
//! | feature | by default | what it brings |
//! |---|---|---|
//! | `bundled` | yes | SQLite itself, compiled into the program |
//! | `macros` | yes | [`migrations!`]: a folder of migrations becomes part of the program |
//! | `tracing` | yes | spans `deploy`, `migration` and `statement`, and events, through the crate tracing |
//! | `sqlx` | no | deploys to a `SqlitePool` or `SqliteConnection` of sqlx 0.9, by the calls of [`futures`](mod@futures); brings `bundled`, and rusqlite 0.39, which shares its SQLite with sqlx; sqlx needs Rust 1.94 |
//!
//! # Settings
//! Every migration starts from the same settings, whatever the one before it, the library's build or an
//! application's connection had set: `foreign_keys` off (or on, where [`Options::foreign_keys`] or
//! `?foreign_keys=on` asks for it), `recursive_triggers`, `legacy_alter_table`, `ignore_check_constraints`,
//! `reverse_unordered_selects`, `writable_schema` and `defer_foreign_keys` off. `query_only`, `trusted_schema`,
//! `synchronous`, `locking_mode` and `busy_timeout` start from what the connection came with; a `journal_mode`
//! without a journal on disk does not outlive its migration. A connection that was borrowed, or handed over,
//! gets all of them back as they were; a busy *handler* of an application stays its own.
//!
//! # Exclusion
//! A transaction begins with `BEGIN IMMEDIATE`: one writer at a time, and readers go on. A second deployer waits
//! as long as `busy_timeout` says, and then meets the claim of the first. Between two migrations of a run another one
//! may be let in, which then does the next: each is done once, by whoever got there. What a killed process had not committed,
//! SQLite rolls back. For attempts with statements outside a transaction (`VACUUM` …) the history row tells
//! which process runs them. Linux can say whether it lives, for processes of the same boot and PID namespace;
//! elsewhere such a row, left by a killed process, waits for a person's decision.
//!
//! # Waiting
//! The futures of this driver never yield: they do their work, and any sleeping or waiting for a lock, within
//! one poll. Any executor will do, also one that only polls once; on a busy one, use a thread of its own.

#![warn(missing_debug_implementations)]
#![warn(clippy::exhaustive_enums, clippy::exhaustive_structs, clippy::return_self_not_must_use)]
#![warn(clippy::missing_errors_doc, clippy::missing_panics_doc)]

mod application;
mod connect;
mod dialect;
#[cfg(feature = "macros")]
#[doc(hidden)]
pub mod embedding;
mod error;
mod foreign_keys;
mod functions;
mod history;
mod inspect;
mod introspect;
#[cfg(feature = "sqlx")]
mod lent;
mod lock;
mod options;
mod perform;
mod settings;
mod survey;
pub mod testing;

pub use application::{
    accept_drift, baseline, baseline_checked, block_on, deploy, diagnose, diagnose_with_shadow, doctor,
    drift, end_lock_holder, history, lock_holder, plan, resolve, resolve_checked, status, verify,
    wait_until_current,
};
pub use connect::ConnectError;
pub use functions::{FunctionError, RustMigrations};
pub use options::{Options, UrlError};
pub use rusqlite;
#[cfg(feature = "sqlx")]
pub use sqlx;
#[doc(inline)]
pub use windlass_core::application::*;

/// The same calls as futures, for an application that has a runtime. They never wait: on a busy one, give them a
/// thread of their own (`spawn_blocking`).
pub mod futures {
    #[doc(inline)]
    pub use windlass_core::application::{
        accept_drift, baseline, baseline_checked, deploy, diagnose, diagnose_with_shadow, doctor, drift,
        end_lock_holder, history, lock_holder, plan, resolve, resolve_checked, status, verify,
        wait_until_current,
    };
}

use async_trait::async_trait;
use error::refused;
use history::HistoryTable;
use lock::Session;
use options::Mode;
use perform::{Performance, run_to_end};
use rusqlite::Connection;
use settings::Settings;
use std::time::Duration;
use windlass_core::doctor::Survey;
use windlass_core::driver::{Capabilities, Cause, Ending, Failure, Head, Inspection, Lock, Run, Watch};
use windlass_core::history::DEFAULT_TABLE;
use windlass_core::plan::Step;
use windlass_core::schema::{Look, Schema};
use windlass_core::sql::classify::ObjectName;

/// A session with a SQLite database.
///
/// ```
/// use windlass_sqlite::{Migrations, Options, Sqlite, deploy};
///
/// static MIGRATIONS: Migrations = windlass_sqlite::migrations!("examples/migrations");
///
/// let folder = tempfile::tempdir()?;
/// let options = Options::file(folder.path().join("shop.db")).create_database(true);
/// deploy(&mut Sqlite::connect(&options)?, &MIGRATIONS)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Sqlite<'c> {
    connection: Held<'c>,
    capabilities: Capabilities,
    table: HistoryTable,
    settings: Settings,
    /// Known to others from the first write on.
    session: Option<Session>,
    /// Why the file is only read, where it was opened so.
    read_only: Option<&'static str>,
    performing: bool,
    functions: RustMigrations,
}

#[derive(Debug)]
enum Held<'c> {
    Own(Box<Connection>),
    Borrowed(&'c mut Connection),
    #[cfg(feature = "sqlx")]
    Sqlx(Box<lent::Lent<'c>>),
}

impl Held<'_> {
    fn get(&self) -> &Connection {
        match self {
            Held::Own(connection) => connection,
            Held::Borrowed(connection) => connection,
            #[cfg(feature = "sqlx")]
            Held::Sqlx(lent) => lent.connection(),
        }
    }

    /// The connection of an application, which gets it back as it was.
    fn lent(&self) -> Option<&Connection> {
        match self {
            Held::Own(_) => None,
            held => Some(held.get()),
        }
    }
}

impl Sqlite<'static> {
    /// Opens a database.
    ///
    /// # Errors
    /// When the file is missing and not to be created, or cannot be opened.
    ///
    /// ```
    /// use windlass_sqlite::{ConnectError, Options, Sqlite};
    ///
    /// let folder = tempfile::tempdir()?;
    /// let options = Options::file(folder.path().join("shop.db"));
    /// assert!(matches!(Sqlite::connect(&options), Err(ConnectError::Missing { .. })));
    /// Sqlite::connect(&options.create_database(true))?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn connect(options: &Options) -> Result<Self, ConnectError> {
        let mut sqlite = Self::with(Held::Own(Box::new(connect::open(options)?)), options.history());
        sqlite.settings.enforce_foreign_keys(options.enforces_foreign_keys());
        let is_read_only = options.mode() == Mode::ReadOnly && options.path().is_some();
        sqlite.read_only = is_read_only.then_some("it was opened with mode=ro");
        Ok(sqlite)
    }

    /// Works on a connection that was opened elsewhere.
    ///
    /// ```
    /// use windlass_sqlite::Sqlite;
    ///
    /// let session = Sqlite::from_connection(rusqlite::Connection::open_in_memory()?);
    /// println!("{session:?}");
    /// # Ok::<(), rusqlite::Error>(())
    /// ```
    pub fn from_connection(connection: Connection) -> Self {
        Self::with(Held::Own(Box::new(connection)), DEFAULT_TABLE)
    }
}

#[cfg(feature = "sqlx")]
impl Sqlite<'static> {
    /// Works on a connection that a pool of sqlx lends, and gives it back as it was.
    ///
    /// ```no_run
    /// # async fn example(pool: sqlx::SqlitePool) -> Result<(), Box<dyn std::error::Error>> {
    /// use windlass_sqlite::{Migrations, Sqlite, futures::deploy};
    ///
    /// static MIGRATIONS: Migrations = windlass_sqlite::migrations!("examples/migrations");
    /// deploy(&mut Sqlite::from_pool(&pool).await?.foreign_keys(true), &MIGRATIONS).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// When the pool is closed, or lends none in time.
    pub async fn from_pool(pool: &sqlx::SqlitePool) -> Result<Self, DriverError> {
        Ok(Self::with(Held::Sqlx(Box::new(lent::Lent::from_pool(pool).await?)), DEFAULT_TABLE))
    }
}

impl<'c> Sqlite<'c> {
    /// Works on an application's connection, and gives it its settings back at the end.
    ///
    /// ```
    /// let mut connection = rusqlite::Connection::open_in_memory()?;
    /// let database = windlass_sqlite::Sqlite::borrow(&mut connection);
    /// drop(database);
    /// connection.execute_batch("SELECT 1")?;
    /// # Ok::<(), rusqlite::Error>(())
    /// ```
    pub fn borrow(connection: &'c mut Connection) -> Self {
        Self::with(Held::Borrowed(connection), DEFAULT_TABLE)
    }

    /// Works on a connection of sqlx, and gives it its settings back at the end. Its own thread rests meanwhile.
    ///
    /// ```no_run
    /// # async fn example(mut connection: sqlx::SqliteConnection) -> Result<(), Box<dyn std::error::Error>> {
    /// use windlass_sqlite::{Migrations, Sqlite, futures::deploy};
    ///
    /// static MIGRATIONS: Migrations = windlass_sqlite::migrations!("examples/migrations");
    /// deploy(&mut Sqlite::borrow_sqlx(&mut connection).await?.foreign_keys(true), &MIGRATIONS).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// When the connection's thread has ended.
    #[cfg(feature = "sqlx")]
    pub async fn borrow_sqlx(connection: &'c mut sqlx::SqliteConnection) -> Result<Self, DriverError> {
        Ok(Self::with(Held::Sqlx(Box::new(lent::Lent::borrowed(connection).await?)), DEFAULT_TABLE))
    }

    /// The same session with a history table of another name; see [`Options::history_table`].
    ///
    /// ```
    /// use windlass_sqlite::{Options, Sqlite};
    ///
    /// let session = Sqlite::connect(&Options::memory())?.history_table("migrations");
    /// # drop(session);
    /// # Ok::<(), windlass_sqlite::ConnectError>(())
    /// ```
    #[must_use]
    pub fn history_table(mut self, name: &str) -> Self {
        self.table = HistoryTable::new(name);
        self
    }

    /// The same session with the functions of the program that are migrations.
    ///
    /// ```
    /// use windlass_sqlite::{Options, RustMigrations, Sqlite};
    ///
    /// let functions = RustMigrations::new().add("3_nothing", 1, |_| Ok(()));
    /// let session = Sqlite::connect(&Options::memory())?.functions(&functions);
    /// # drop(session);
    /// # Ok::<(), windlass_sqlite::ConnectError>(())
    /// ```
    #[must_use]
    pub fn functions(mut self, functions: &RustMigrations) -> Self {
        self.functions = functions.clone();
        self
    }

    /// The same session with foreign keys enforced or not; see [`Options::foreign_keys`].
    ///
    /// ```
    /// use windlass_sqlite::{Options, Sqlite};
    ///
    /// let session = Sqlite::connect(&Options::memory())?.foreign_keys(true);
    /// # drop(session);
    /// # Ok::<(), windlass_sqlite::ConnectError>(())
    /// ```
    #[must_use]
    pub fn foreign_keys(mut self, enforced: bool) -> Self {
        self.settings.enforce_foreign_keys(enforced);
        self
    }

    fn with(connection: Held<'c>, table: &str) -> Self {
        Self {
            connection,
            capabilities: dialect::capabilities(),
            table: HistoryTable::new(table),
            settings: Settings::new(false),
            session: None,
            read_only: None,
            performing: false,
            functions: RustMigrations::new(),
        }
    }

    /// The connection, outside of any transaction: an application's may be in the middle of one.
    fn idle(&self) -> Result<&Connection, DriverError> {
        let connection = self.connection.get();
        connection.is_autocommit().then_some(connection).ok_or(DriverError::InTransaction)
    }
}

#[async_trait]
impl Driver for Sqlite<'_> {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    async fn head(&mut self) -> Result<Head, DriverError> {
        self.table.head(self.idle()?)
    }

    async fn inspect(&mut self) -> Result<Inspection, DriverError> {
        let enforced = self.settings.enforces_foreign_keys();
        inspect::inspect(self.idle()?, &self.table, self.session.as_ref(), self.read_only, enforced)
    }

    async fn perform(&mut self, run: &Run, steps: &[Step<'_>], watch: &mut dyn Watch) -> Result<(), Failure> {
        let connection = self.connection.get();
        self.performing = connection.is_autocommit();
        let session = self.session.get_or_insert_with(Session::begin);
        let mut performance = Performance {
            connection,
            table: &self.table,
            run,
            session,
            settings: &mut self.settings,
            functions: &self.functions,
        };
        let done = performance.perform(steps, watch);
        self.performing = false;
        done
    }

    async fn count_rows(&mut self, tables: &[ObjectName]) -> Result<u64, Cause> {
        inspect::count_rows(self.connection.get(), tables)
    }

    /// Held while another connection writes, or a living process is in the midst of an attempt that is not all
    /// in one transaction. Nothing is kept once it is acquired: the claim, and `BEGIN IMMEDIATE`, do the rest.
    /// It waits for no writer, whatever `busy_timeout` says; an application's busy handler is asked all the same.
    async fn try_lock(&mut self) -> Result<Lock, DriverError> {
        lock::try_lock(self.idle()?, &self.table, self.session.as_ref())
    }

    async fn unlock(&mut self) -> Result<(), DriverError> {
        Ok(())
    }

    async fn lock_holder(&mut self) -> Result<Option<Holder>, DriverError> {
        // A try takes nothing that it keeps.
        Ok(match self.try_lock().await? {
            Lock::Held(holder) => Some(holder),
            _ => None,
        })
    }

    async fn end_lock_holder(&mut self, _: &str) -> Result<Ending, DriverError> {
        let why = "SQLite has no server that could end a connection of another process";
        Ok(Ending::Impossible(why.to_owned()))
    }

    /// Sleeps on the thread it is polled on.
    async fn sleep(&mut self, duration: Duration) {
        std::thread::sleep(duration);
    }

    fn keeps_schema(&self) -> bool {
        true
    }

    /// There are no grants.
    async fn read_schema(&mut self, _grants: bool) -> Result<Schema, DriverError> {
        introspect::read(self.idle()?, &self.table)
    }

    async fn look_at_schema(&mut self, _grants: bool) -> Result<Look, DriverError> {
        introspect::look(self.idle()?, &self.table)
    }

    fn has_function(&self, name: &str) -> bool {
        self.functions.has(name)
    }

    async fn survey(&mut self, tables: &[&str]) -> Result<Survey, DriverError> {
        survey::survey(self.idle()?, tables)
    }

    async fn give_back(&mut self) -> Result<(), DriverError> {
        if let Some(connection) = self.connection.lent() {
            self.settings.give_back(connection);
        }
        Ok(())
    }
}

impl Drop for Sqlite<'_> {
    fn drop(&mut self) {
        let Some(connection) = self.connection.lent() else { return };
        // Only a panic in a watch gets here in the midst of a segment.
        if self.performing && !connection.is_autocommit() {
            let _ = run_to_end(connection, "ROLLBACK");
        }
        self.settings.give_back(connection);
    }
}

/// Reads several things as of one moment.
fn at_one_moment<T>(
    connection: &Connection,
    read: impl FnOnce() -> Result<T, DriverError>,
) -> Result<T, DriverError> {
    if !connection.is_autocommit() {
        return read();
    }
    run_to_end(connection, "BEGIN").map_err(|error| refused(&error))?;
    // The moment is that of the first look, and a statement about a table that is not there looks at nothing.
    let looked =
        run_to_end(connection, "SELECT count(*) FROM sqlite_schema").map_err(|error| refused(&error));
    let found = looked.and_then(|()| read());
    let ended = run_to_end(connection, "COMMIT").map_err(|error| refused(&error));
    if ended.is_err() && !connection.is_autocommit() {
        let _ = run_to_end(connection, "ROLLBACK");
    }
    let found = found?;
    ended.map(|()| found)
}
