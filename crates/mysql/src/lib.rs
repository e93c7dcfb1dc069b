//! Migrations of a MySQL or MariaDB database as a part of the program: checked when it is compiled, deployed by one call on
//! the connection or pool that it has already.
//!
//! ```no_run
//! use windlass_mysql::{Migrations, deploy, mysql_async::Pool};
//!
//! // The folder is told relative to Cargo.toml; no file is needed where the program runs.
//! static MIGRATIONS: Migrations = windlass_mysql::migrations!("examples/migrations");
//!
//! # async fn start() -> Result<(), Box<dyn std::error::Error>> {
//! let pool = Pool::from_url(std::env::var("DATABASE_URL")?)?;
//! let report = deploy(&pool, &MIGRATIONS).await?;
//! println!("applied {} migrations", report.applied.len());
//! # Ok(()) }
//! ```
//!
//! Beside this crate, which gives `mysql_async` on, such a program needs tokio with the features `macros` and `rt-multi-thread`.
//!
//! Any number of programs may do so at once: one deploys, and the others wait for it and find it done. Where nothing is to do
//! it costs one round trip, however many migrations there are. Statements that change definitions commit by themselves here:
//! a deploy that was killed in the midst of a migration goes on behind the last statement that took effect, when it is run
//! again. Where a statement failed, and what ran before it in its migration stands, the next deploy runs nothing until the
//! part that has not run is mended (then it goes on from there), or until [`resolve`] has written a person's decision down.
//!
//! # What it runs on
//! | | |
//! |---|---|
//! | `&Pool` | one connection of the pool, which goes back as it was |
//! | `&mut Conn` | borrowed, and given back with its settings as they were |
//! | `&mut MySql` | a session of windlass's own, opened from a URL ([`connect`]) with TLS; or one that was borrowed with other settings |
//! | `&MySqlPool`, `&mut MySqlConnection` | with the feature `sqlx`; beside a pool a connection of its own is opened ([`MySql::beside_pool`]) |
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
//! What SQL cannot say is a function of the program, in the order of the files: [`RustMigrations`]. No server here copies a
//! database: for a program's own tests [`create_database`] makes one, [`deploy`] fills it, and [`drop_database`] ends it.
//!
//! # When it fails
//! Errors are typed, and say what stands:
//!
//! ```
//! use windlass_mysql::DeployError;
//!
//! fn told(error: &DeployError) -> String {
//!     match error {
//!         DeployError::Statement(failed) => {
//!             format!("{} failed at statement {}: {}", failed.migration, failed.number, failed.error)
//!         }
//!         DeployError::Drift(drift) => format!("others changed the schema: {drift}"),
//!         DeployError::Blocked(why) => format!("nothing was run: {why}"),
//!         other => other.to_string(),
//!     }
//! }
//! ```
//!
//! # When the future is dropped
//! The history stays true, and the next deploy goes on. A session of windlass's own, or a connection of a pool, is closed, what
//! the server runs there is ended, and the lock goes with it. A connection that was borrowed stays in the middle of what it was
//! at, and keeps the lock, until it is closed: close it then, or give windlass the pool.
//!
//! # Features
//! Rust 1.88 or later compiles all of them but `sqlx`.
//!
//! | feature | by default | what it brings |
//! |---|---|---|
//! | `macros` | yes | [`migrations!`]: a folder of migrations becomes part of the program |
//! | `tls-rustls` | yes | encrypted connections of windlass's own, through rustls |
//! | `tracing` | yes | spans `deploy`, `migration` and `statement`, and events, through the crate tracing |
//! | `sqlx` | no | deploys to a `MySqlPool` or `MySqlConnection` of sqlx 0.9; see [`MySql`]; sqlx needs Rust 1.94 |
//!
//! There is no `tls-native-tls`: mysql_async takes one library or the other, and does not compile with both, so that the
//! feature of one crate would break another. An application whose mysql_async has `native-tls-tls` switches `tls-rustls`
//! off here (`default-features = false`), and gives windlass its own connection or pool, encrypted as it is.
//!
//! # How it is written
//! Statements that change definitions commit by themselves here, so the history is written around each
//! of them. The claim, the statement and the record of a migration of one statement travel in one
//! message: the server stops a message at its first error, so a statement never runs without its claim.

#![warn(missing_debug_implementations)]
#![warn(clippy::exhaustive_enums, clippy::exhaustive_structs, clippy::return_self_not_must_use)]
#![warn(clippy::missing_errors_doc, clippy::missing_panics_doc)]

mod application;
mod bootstrap;
mod borrowed;
mod connect;
mod defaults;
mod dialect;
#[cfg(feature = "macros")]
#[doc(hidden)]
pub mod embedding;
mod errors;
mod functions;
mod history;
mod inspect;
mod introspect;
mod leftovers;
mod lock;
mod look;
mod message;
mod my_cnf;
mod note;
mod options;
mod perform;
mod renewal;
mod sessions;
mod settings;
mod survey;
mod tls;
mod transport;
mod unfinished;
mod waits;

pub use bootstrap::bootstrap;
pub use connect::{connect, create_database, drop_database};
pub use errors::ConnectError;
pub use functions::{FunctionError, Running, RustMigrations};
pub use mysql_async;
pub use options::{Nothing, Options, Process, SslMode, Surroundings, UrlError};
#[cfg(feature = "sqlx")]
pub use sqlx;
#[doc(inline)]
pub use windlass_core::application::*;

use async_trait::async_trait;
use std::fmt;
use std::time::Duration;
use windlass_core::doctor::Survey;
use windlass_core::driver::{
    Capabilities, Cause, DatabaseError, Ending, Failure, Head, Inspection, Lock, Run, Watch,
};
use windlass_core::history::DEFAULT_TABLE;
use windlass_core::plan::Step;
use windlass_core::schema::{Look, Schema};
use windlass_core::sql::classify::ObjectName;

/// One session with a MySQL or MariaDB database. [`connect`] opens it.
///
/// ```no_run
/// use windlass_mysql::{Migrations, Options, connect, deploy};
///
/// static MIGRATIONS: Migrations = windlass_mysql::migrations!("examples/migrations");
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let options = Options::parse("mysql://app@db.example/shop?ssl-mode=VERIFY_IDENTITY&ssl-ca=ca.pem")?;
/// deploy(&mut connect(&options).await?, &MIGRATIONS).await?;
/// # Ok(()) }
/// ```
pub struct MySql<'c> {
    transport: transport::Transport<'c>,
    capabilities: Capabilities,
    table: history::Table,
    history_table: String,
    database: String,
    /// Read, and the settings pinned, by the first call that needs either: a deploy with nothing to do needs none.
    session: Option<inspect::Session>,
    traces: message::Traces,
    /// What a lent connection had set, once there was something to write on it.
    found: Option<borrowed::Found>,
    /// The run that wrote last.
    owner: Option<String>,
    /// The session holds the lock.
    is_locked: bool,
    /// Whether a call began that may leave something behind, and has not come to its end.
    is_in_use: bool,
    functions: RustMigrations,
}

impl<'c> MySql<'c> {
    /// Works on an application's connection, in the database that is selected there.
    /// [`Driver::give_back`] gives it its settings back. Temporary tables and user variables that a migration names are
    /// taken away; those that only its stored code names stay, for no server lists them.
    ///
    /// Where a future was dropped, the connection stays in the middle of what it was at, which the server brings to its
    /// end, and keeps the lock until it is closed. Close it then: mysql_async would take an answer that was not read for the
    /// one to what is asked next. Or give windlass the pool, which does so by itself.
    ///
    /// ```no_run
    /// # async fn example(mut conn: mysql_async::Conn) -> Result<(), Box<dyn std::error::Error>> {
    /// use windlass_mysql::{Migrations, MySql, deploy};
    ///
    /// static MIGRATIONS: Migrations = windlass_mysql::migrations!("examples/migrations");
    /// deploy(&mut MySql::borrow(&mut conn).await?.history_table("history"), &MIGRATIONS).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// When no database is selected, or the connection is lost.
    pub async fn borrow(conn: &'c mut mysql_async::Conn) -> Result<Self, DriverError> {
        Self::selected(transport::Transport::borrowed(conn)).await
    }

    /// Works on a connection of an application's pool. Given back, it is as it was; else it is closed, and what it runs
    /// ended.
    ///
    /// ```no_run
    /// # async fn example(pool: mysql_async::Pool) -> Result<(), Box<dyn std::error::Error>> {
    /// use windlass_mysql::{Migrations, MySql, deploy};
    ///
    /// static MIGRATIONS: Migrations = windlass_mysql::migrations!("examples/migrations");
    /// deploy(&mut MySql::from_pool(&pool).await?.history_table("history"), &MIGRATIONS).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`Self::borrow`], and when the pool has no connection to give.
    pub async fn from_pool(pool: &mysql_async::Pool) -> Result<Self, DriverError> {
        Self::selected(transport::Transport::of_pool(pool).await?).await
    }

    /// The same on a connection of sqlx. Where a future was dropped it stays in the middle of what it was at, and keeps
    /// the lock, until it is closed. Close it then, or give windlass the pool: of a lent connection sqlx also logs the
    /// statements, where it was opened to do so.
    ///
    /// ```no_run
    /// # async fn example(mut connection: sqlx::MySqlConnection) -> Result<(), Box<dyn std::error::Error>> {
    /// use windlass_mysql::{Migrations, MySql, deploy};
    ///
    /// static MIGRATIONS: Migrations = windlass_mysql::migrations!("examples/migrations");
    /// let mut session = MySql::borrow_sqlx(&mut connection).await?.history_table("history");
    /// deploy(&mut session, &MIGRATIONS).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`Self::borrow`].
    #[cfg(feature = "sqlx")]
    pub async fn borrow_sqlx(connection: &'c mut sqlx::MySqlConnection) -> Result<Self, DriverError> {
        Self::selected(transport::Transport::borrowed_of_sqlx(connection)).await
    }

    /// Opens a session as a pool of sqlx opens its connections: beside it, so that a pool of one is enough and none
    /// of its connections is ever touched. What the pool's `after_connect` does is not done here.
    ///
    /// ```no_run
    /// # async fn example(pool: sqlx::MySqlPool) -> Result<(), Box<dyn std::error::Error>> {
    /// use windlass_mysql::{Migrations, MySql, deploy};
    ///
    /// static MIGRATIONS: Migrations = windlass_mysql::migrations!("examples/migrations");
    /// deploy(&mut MySql::beside_pool(&pool).await?.history_table("history"), &MIGRATIONS).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// When the pool is closed, there is no connection to be had, or its options select no database.
    #[cfg(feature = "sqlx")]
    pub async fn beside_pool(pool: &sqlx::MySqlPool) -> Result<Self, DriverError> {
        Self::selected(transport::Transport::beside_pool(pool).await?).await
    }

    /// In the database that is selected on the connection.
    async fn selected(mut transport: transport::Transport<'c>) -> Result<Self, DriverError> {
        let (database, version) = transport.surroundings().await?;
        let database = database.ok_or_else(|| {
            let message = "no database is selected on the connection".to_owned();
            DriverError::Refused(DatabaseError { message, ..DatabaseError::default() })
        })?;
        Ok(Self::on(transport, database, &version))
    }

    fn on(transport: transport::Transport<'c>, database: String, version: &str) -> Self {
        Self {
            capabilities: dialect::capabilities(version),
            transport,
            table: history::Table::new(&database, DEFAULT_TABLE),
            history_table: DEFAULT_TABLE.to_owned(),
            database,
            session: None,
            traces: message::Traces::default(),
            found: None,
            owner: None,
            is_locked: false,
            is_in_use: false,
            functions: RustMigrations::new(),
        }
    }

    /// The same session with the functions of the program that are migrations.
    ///
    /// ```
    /// # async fn example(mut conn: mysql_async::Conn) -> Result<(), windlass_mysql::DriverError> {
    /// use windlass_mysql::{MySql, RustMigrations};
    ///
    /// let functions = RustMigrations::new().add_rows_only("3_nothing", 1, |_| Box::pin(async { Ok(()) }));
    /// let session = MySql::borrow(&mut conn).await?.functions(&functions);
    /// # drop(session); Ok(()) }
    /// ```
    #[must_use]
    pub fn functions(mut self, functions: &RustMigrations) -> Self {
        self.functions = functions.clone();
        self
    }

    /// The same session with a history table of another name; see [`Options::history_table`].
    ///
    /// ```
    /// # async fn example(mut conn: mysql_async::Conn) -> Result<(), windlass_mysql::DriverError> {
    /// use windlass_mysql::MySql;
    ///
    /// let session = MySql::borrow(&mut conn).await?.history_table("migrations");
    /// # drop(session); Ok(()) }
    /// ```
    #[must_use]
    pub fn history_table(mut self, name: &str) -> Self {
        self.table = history::Table::new(&self.database, name);
        name.clone_into(&mut self.history_table);
        self
    }
}

impl fmt::Debug for MySql<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MySql")
            .field("database", &self.database)
            .field("product", &self.capabilities.product)
            .field("version", &self.capabilities.version)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Driver for MySql<'_> {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    async fn head(&mut self) -> Result<Head, DriverError> {
        self.read_head().await
    }

    async fn inspect(&mut self) -> Result<Inspection, DriverError> {
        self.read_inspection().await
    }

    async fn perform(&mut self, run: &Run, steps: &[Step<'_>], watch: &mut dyn Watch) -> Result<(), Failure> {
        self.perform_steps(run, steps, watch).await
    }

    async fn count_rows(&mut self, tables: &[ObjectName]) -> Result<u64, Cause> {
        self.count(tables).await
    }

    async fn try_lock(&mut self) -> Result<Lock, DriverError> {
        self.take_lock().await
    }

    async fn unlock(&mut self) -> Result<(), DriverError> {
        self.give_lock_back().await
    }

    async fn lock_holder(&mut self) -> Result<Option<Holder>, DriverError> {
        self.find_holder().await
    }

    async fn end_lock_holder(&mut self, session: &str) -> Result<Ending, DriverError> {
        self.end_holder(session).await
    }

    async fn sleep(&mut self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }

    fn has_function(&self, name: &str) -> bool {
        self.functions.has(name)
    }

    fn keeps_schema(&self) -> bool {
        self.reads_schema()
    }

    async fn read_schema(&mut self, grants: bool) -> Result<Schema, DriverError> {
        self.schema(grants).await
    }

    async fn defaults(&mut self) -> Result<Option<String>, DriverError> {
        let query = defaults::query(self.capabilities.product);
        let sets = self.read(&query).await.map_err(|broken| DriverError::from(broken.error))?;
        Ok(sets.into_iter().flatten().next().and_then(|row| row.into_iter().next().flatten()))
    }

    async fn take_defaults(&mut self, defaults: &str) -> Result<(), DriverError> {
        let altered = self.transport.query(&format!("ALTER DATABASE {defaults}")).await;
        altered.map(drop).map_err(|broken| broken.error.into())
    }

    async fn look_at_schema(&mut self, grants: bool) -> Result<Look, DriverError> {
        self.look(grants).await
    }

    async fn survey(&mut self, tables: &[&str]) -> Result<Survey, DriverError> {
        self.surveyed(tables).await
    }

    async fn give_back(&mut self) -> Result<(), DriverError> {
        self.farewell().await?;
        self.is_in_use = false;
        self.transport.is_clean();
        Ok(())
    }
}
