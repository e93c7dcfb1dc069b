//! Migrations of a PostgreSQL database as a part of the program: checked when it is compiled, deployed by one call on the
//! connection that it has already.
//!
//! ```no_run
//! use windlass_postgres::{Migrations, deploy, tokio_postgres};
//!
//! // The folder is told relative to Cargo.toml; no file is needed where the program runs.
//! static MIGRATIONS: Migrations = windlass_postgres::migrations!("examples/migrations");
//!
//! # async fn start() -> Result<(), Box<dyn std::error::Error>> {
//! let url = std::env::var("DATABASE_URL")?;
//! let (mut client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await?;
//! tokio::spawn(connection);
//! let report = deploy(&mut client, &MIGRATIONS).await?;
//! println!("applied {} migrations", report.applied.len());
//! # Ok(()) }
//! ```
//!
//! Beside this crate, which gives `tokio_postgres` on, such a program needs tokio with the features `macros` and `rt-multi-thread`.
//!
//! Any number of programs may do so at once: one deploys, and the others wait for it and find it done. Where nothing is to do
//! it costs one round trip, however many migrations there are. A deploy that was killed is run again: what stands is found
//! out, and it goes on from there. Where a statement failed, mostly nothing of its migration stands, and the next deploy runs
//! it again; where part of it stands, that deploy runs nothing until the part that has not run is mended, or until [`resolve`]
//! has written a person's decision down.
//!
//! # What it runs on
//! | | |
//! |---|---|
//! | `&mut Client` | borrowed, and given back with its settings as they were; `&mut *client` with bb8, `&mut **client` with deadpool |
//! | `&mut Postgres` | a session of windlass's own, opened from a URL ([`Postgres::connect`]) with TLS and password file as libpq has them; or one that was borrowed with other settings, such as a [schema](Postgres::schema) |
//! | `&PgPool`, `&mut PgConnection` | with the feature `sqlx`; beside a pool a connection of its own is opened ([`Postgres::beside_pool`]) |
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
//! tests, [`testing`] makes migrated databases as copies.
//!
//! # When it fails
//! Errors are typed, and say what stands:
//!
//! ```
//! use windlass_postgres::DeployError;
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
//! The history stays true, and the next deploy goes on. A session of windlass's own (a pool's of sqlx among them) is closed,
//! what the server runs there is stopped, and the lock goes with it. A client that was borrowed is given back behind what the
//! server is still at: settings, and the lock, are as they were once that has ended. On a borrowed connection of sqlx nothing
//! can be sent then: it stays in the middle of what it was at, and keeps the lock, until windlass uses it again, which cleans it
//! first, or until it is closed.
//!
//! # Features
//! Rust 1.88 or later compiles all of them but `sqlx`.
//!
//! | feature | by default | what it brings |
//! |---|---|---|
//! | `macros` | yes | [`migrations!`]: a folder of migrations becomes part of the program |
//! | `tls-rustls` | yes | encrypted connections of windlass's own, through rustls |
//! | `tls-native-tls` | no | the same through the system's library, where `tls-rustls` is off; on Linux OpenSSL, whose headers (Debian's `libssl-dev`) it takes to compile |
//! | `tracing` | yes | spans `deploy`, `migration` and `statement`, and events, through the crate tracing |
//! | `sqlx` | no | deploys to a `PgPool` or `PgConnection` of sqlx 0.9; see [`Postgres`]; sqlx needs Rust 1.94 |
//!
//! # Settings
//! Every migration starts from the same settings, whatever server, database or role have set: `search_path`
//! (`"$user", public`, or the schema that the URL asks for), UTF-8, `DateStyle` ISO, MDY, `IntervalStyle`
//! postgres, `TimeZone` UTC, `bytea_output` hex, `standard_conforming_strings` on, `check_function_bodies` on,
//! read committed, and no `statement_timeout`, `lock_timeout` or `idle_in_transaction_session_timeout`. They are
//! part of the startup packet: they cost no round trip, and `RESET ALL` goes back to them. What the URL says in
//! `options=-c…` comes after them. `idle_session_timeout` and `transaction_timeout`, which only newer servers know, are
//! switched off in the session where the server knows them. `default_transaction_read_only` is left as it is: it tells whether the
//! database may be written to.
//!
//! # History
//! The table `_windlass_migrations` stands in the schema that the URL asks for (`?schema=app`), or in `public`,
//! unless [`Options::history_table`] names another place. Where nobody named a place and a table of this name
//! stands in another schema only, nothing is done.
//!
//! # Exclusion
//! The claim is a unique key; the lock (`pg_try_advisory_lock`) only spares deployers the collision. It is the
//! session's.
//!
//! A pooler is found by the number of the server's process: it tells its clients one of its own. It may give each
//! transaction another session, so nothing is set or locked for longer than a transaction then (`SET LOCAL`,
//! `pg_try_advisory_xact_lock`), and a migration that is more than one transaction is refused unless
//! [`Deploy::allow_pooler`] says otherwise. Over sqlx it is found by settings that sqlx asks for when it connects.

#![warn(missing_debug_implementations)]
#![warn(clippy::exhaustive_enums, clippy::exhaustive_structs, clippy::return_self_not_must_use)]
#![warn(clippy::missing_errors_doc, clippy::missing_panics_doc)]

mod application;
mod borrowed;
mod connect;
mod dialect;
#[cfg(feature = "macros")]
#[doc(hidden)]
pub mod embedding;
mod errors;
mod functions;
mod history;
mod inspect;
mod introspect;
mod left;
mod leftovers;
mod lock;
mod look;
mod options;
mod passfile;
mod perform;
mod quote;
mod survey;
pub mod testing;
mod tls;
mod traces;
mod transport;
mod trust;
mod waits;

pub use errors::ConnectError;
pub use functions::{FunctionError, Running, RustMigrations};
pub use options::{Nothing, Options, Process, SslMode, Surroundings, UrlError};
#[cfg(feature = "sqlx")]
pub use sqlx;
pub use tls::TlsError;
pub use tokio_postgres;
#[doc(inline)]
pub use windlass_core::application::*;

use async_trait::async_trait;
use borrowed::{Found, LEFT, WAS_CUT_OFF, unless_failed};
use history::{HistoryTable, Writer};
use leftovers::Noted;
use perform::{Performance, Pooled};
use std::fmt;
use std::sync::atomic::Ordering;
use std::time::Duration;
use transport::{Session, TransportError};
use windlass_core::doctor::Survey;
use windlass_core::driver::{
    Capabilities, Cause, Ending, Failure, Head, Inspection, Lock, Run, Sessions, Watch,
};
use windlass_core::plan::Step;
use windlass_core::schema::{Look, Schema};
use windlass_core::sql::classify::ObjectName;

/// A session with a PostgreSQL database.
///
/// ```no_run
/// use windlass_postgres::{Migrations, Options, Postgres, deploy};
///
/// static MIGRATIONS: Migrations = windlass_postgres::migrations!("examples/migrations");
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let options = Options::parse("postgres://app@db.example/shop?sslmode=verify-full&sslrootcert=ca.pem")?;
/// let mut session = Postgres::connect(&options).await?;
/// deploy(&mut session, &MIGRATIONS).await?;
/// # Ok(()) }
/// ```
pub struct Postgres<'c> {
    session: Session<'c>,
    capabilities: Capabilities,
    table: HistoryTable,
    /// The statements that restore the settings.
    restore: String,
    /// Where nothing but this schema counts as the database's contents.
    only_schema: Option<String>,
    lock_key: i64,
    is_locked: bool,
    /// Whether the server was asked for it, and not heard.
    may_be_locked: bool,
    /// Whether a call began that may leave something behind, and has not come to its end.
    is_in_use: bool,
    /// Whether it is known that no transaction of an application's is open: nobody begins one while it is lent.
    is_idle: bool,
    /// This session as the server knows it, once it was asked.
    identity: Option<String>,
    /// Whether a migration's statements ran since the settings were last restored.
    is_touched: bool,
    /// What an application's connection had set, once there was something to write on it.
    found: Option<Found>,
    /// Whether a block of code takes away what a migration leaves: the session is the client's own.
    can_tidy: bool,
    /// Whether the server can run a block of code.
    can_run_code: bool,
    /// The run that wrote last.
    owner: Option<String>,
    functions: RustMigrations,
}

impl Postgres<'static> {
    /// Opens a session.
    ///
    /// Needs a tokio runtime with time and IO, on which the session's task lives on.
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// use windlass_postgres::{ConnectError, Options, Postgres};
    ///
    /// match Postgres::connect(&Options::parse("postgres://app@db.example/shop")?).await {
    ///     Err(ConnectError::WrongPassword { user, .. }) => eprintln!("the password of {user} is another"),
    ///     session => println!("{:?}", session?),
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Tells what is missing: the server, the password, the database, trust in the server's certificate.
    pub async fn connect(options: &Options) -> Result<Self, ConnectError> {
        let connect::Opened { session, version, is_pooled } = connect::open(options).await?;
        // The answer is not waited for, and can only be that it is done. What is asked first is in no transaction. A pooler
        // may give the session away before it comes, and to another client then.
        if !is_pooled {
            let endless = format!("{} WHERE {}", waits::endless(), lock::is_own(&session).await);
            session.leave_behind_the_next(endless);
        }
        let table = HistoryTable::new(options.history_table.as_ref(), options.schema());
        let mut opened = Self {
            session,
            capabilities: dialect::capabilities(version),
            lock_key: lock::key(options.database(), &table),
            table,
            restore: dialect::restore(),
            only_schema: options.schema.clone(),
            is_locked: false,
            may_be_locked: false,
            is_in_use: false,
            is_idle: true,
            identity: None,
            is_touched: false,
            found: None,
            can_tidy: false,
            can_run_code: false,
            owner: None,
            functions: RustMigrations::new(),
        };
        if is_pooled {
            opened.share_session();
        }
        Ok(opened)
    }

    /// Opens a session as a pool of sqlx opens its connections: beside it, so that a pool of one is enough and none
    /// of its connections is ever touched. What the pool's `after_connect` does is not done here.
    ///
    /// ```no_run
    /// # async fn example(pool: sqlx::PgPool) -> Result<(), Box<dyn std::error::Error>> {
    /// use windlass_postgres::{Migrations, Postgres, deploy};
    ///
    /// static MIGRATIONS: Migrations = windlass_postgres::migrations!("examples/migrations");
    /// deploy(&mut Postgres::beside_pool(&pool).await?.schema("tenant_1"), &MIGRATIONS).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// When the pool is closed, or there is no connection to be had.
    #[cfg(feature = "sqlx")]
    pub async fn beside_pool(pool: &sqlx::PgPool) -> Result<Self, DriverError> {
        let began = std::time::Instant::now();
        let session = Session::beside_pool(pool).await?;
        // It is windlass's own, and may idle while an application waits until it is current. One that the server had
        // before is a pooler's, and may be another's next.
        let at_most = began.elapsed() + Duration::from_secs(1);
        let is_own = lock::is_own(&session).await;
        let answer = session.rows(&waits::endless_if_own(at_most, &is_own)).await?;
        let is_own = answer.first().and_then(|row| row.get(0)) != Some("f");
        let mut beside = Self::unpinned(session);
        if !is_own {
            beside.share_session();
        }
        Ok(beside)
    }

    /// Creates the database that the options name, by way of the database `postgres`.
    ///
    /// One that stands already is fine.
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// use windlass_postgres::{Options, Postgres};
    ///
    /// Postgres::create_database(&Options::parse("postgres://app@db.example/shop")?).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`Self::connect`], and when the user may not create databases.
    pub async fn create_database(options: &Options) -> Result<(), ConnectError> {
        connect::create_database(options).await
    }

    /// Drops the database that the options name, with all that is in it; one that is not there is fine.
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// use windlass_postgres::{Options, Postgres};
    ///
    /// Postgres::drop_database(&Options::parse("postgres://app@db.example/shop")?).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// When there is no connection to be had, or the server refuses.
    pub async fn drop_database(options: &Options) -> Result<(), ConnectError> {
        connect::drop_database(options).await
    }
}

impl<'c> Postgres<'c> {
    /// Works on an application's connection. [`Driver::give_back`] gives it its settings back; dropped before,
    /// the server is told to do so behind what it is still at.
    ///
    /// ```no_run
    /// # async fn example(mut client: tokio_postgres::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use windlass_postgres::{Migrations, Postgres, deploy};
    ///
    /// static MIGRATIONS: Migrations = windlass_postgres::migrations!("examples/migrations");
    /// for tenant in ["tenant_1", "tenant_2"] {
    ///     deploy(&mut Postgres::borrow(&mut client).schema(tenant), &MIGRATIONS).await?;
    /// }
    /// # Ok(()) }
    /// ```
    pub fn borrow(client: &'c mut tokio_postgres::Client) -> Self {
        Self::unpinned(Session::borrowed(client))
    }

    /// The same on a connection of sqlx, on which nothing can be sent when a future is dropped: it stays in the middle
    /// of what it was at, and keeps the lock, until the program's next call of windlass on it, which gives it back first. Make
    /// one, [`verify`] say, or close it; or give windlass the pool.
    ///
    /// ```no_run
    /// # async fn example(mut connection: sqlx::PgConnection) -> Result<(), Box<dyn std::error::Error>> {
    /// use windlass_postgres::{Migrations, Postgres, deploy};
    ///
    /// static MIGRATIONS: Migrations = windlass_postgres::migrations!("examples/migrations");
    /// deploy(&mut Postgres::borrow_sqlx(&mut connection).schema("tenant_1"), &MIGRATIONS).await?;
    /// # Ok(()) }
    /// ```
    #[cfg(feature = "sqlx")]
    pub fn borrow_sqlx(connection: &'c mut sqlx::PgConnection) -> Self {
        Self::unpinned(Session::borrowed_of_sqlx(connection))
    }

    /// On a session that is looked at, and pinned, before something is written.
    fn unpinned(session: Session<'c>) -> Self {
        let table = HistoryTable::new(None, None);
        Self {
            is_idle: session.is_own(),
            session,
            capabilities: dialect::capabilities("of an application's connection".to_owned()),
            lock_key: 0,
            restore: Found::restore(None),
            table,
            only_schema: None,
            is_locked: false,
            may_be_locked: false,
            is_in_use: false,
            identity: None,
            is_touched: false,
            found: None,
            can_tidy: false,
            can_run_code: false,
            owner: None,
            functions: RustMigrations::new(),
        }
    }

    /// The same session with migrations that begin in this schema, which has a history of its own.
    ///
    /// ```
    /// # async fn example(mut client: tokio_postgres::Client) {
    /// use windlass_postgres::Postgres;
    ///
    /// let session = Postgres::borrow(&mut client).schema("tenant_1");
    /// # drop(session); }
    /// ```
    #[must_use]
    pub fn schema(mut self, schema: &str) -> Self {
        self.table = HistoryTable::new(None, Some(schema));
        self.only_schema = Some(schema.to_owned());
        self.restore = match self.is_pooled() {
            true => dialect::restore_local(Some(schema)),
            false => Found::restore(Some(schema)),
        };
        self
    }

    /// The same session with the functions of the program that are migrations.
    ///
    /// ```
    /// # async fn example(mut client: tokio_postgres::Client) {
    /// use windlass_postgres::{Postgres, RustMigrations};
    ///
    /// let functions = RustMigrations::new().add("3_nothing", 1, |_| Box::pin(async { Ok(()) }));
    /// let session = Postgres::borrow(&mut client).functions(&functions);
    /// # drop(session); }
    /// ```
    #[must_use]
    pub fn functions(mut self, functions: &RustMigrations) -> Self {
        self.functions = functions.clone();
        self
    }

    /// The same session with the history at another place; see [`Options::history_table`].
    ///
    /// ```
    /// # async fn example(mut client: tokio_postgres::Client) {
    /// use windlass_postgres::Postgres;
    ///
    /// let session = Postgres::borrow(&mut client).history_table(Some("admin"), "migrations");
    /// # drop(session); }
    /// ```
    #[must_use]
    pub fn history_table(mut self, schema: Option<&str>, table: &str) -> Self {
        let chosen = (schema.map(str::to_owned), table.to_owned());
        self.table = HistoryTable::new(Some(&chosen), self.only_schema.as_deref());
        self
    }

    fn sight(&self, grants: bool) -> introspect::Sight<'_> {
        introspect::Sight { only_schema: self.only_schema.as_deref(), grants }
    }

    /// A pooler may give each transaction another session: from now on nothing is set or locked for longer.
    fn share_session(&mut self) {
        self.capabilities.sessions = Sessions::Pooled;
        self.restore = dialect::restore_local(self.only_schema.as_deref());
        self.can_tidy = false;
    }

    fn is_pooled(&self) -> bool {
        self.capabilities.sessions == Sessions::Pooled
    }

    /// What a future that was dropped left on the session is taken away, before the session is used again. A session of
    /// windlass's own that is in the middle of an answer is of no more use: a request to stop it could come late, and
    /// meet what is asked of it then.
    pub(crate) async fn settle(&mut self) -> Result<(), DriverError> {
        if self.session.is_own() && self.session.is_at_work() {
            let words = "a call on this session was dropped before it had its answer: open another session";
            return Err(DriverError::Lost(words.to_owned()));
        }
        self.send_what_was_left().await?;
        if !self.is_in_use {
            return Ok(());
        }
        if self.found.is_none() {
            self.session.run("ROLLBACK").await?;
            if let Some(owner) = self.owner.take() {
                match self.session.run(&self.table.let_go(&owner)).await {
                    // No history was begun.
                    Err(error) if inspect::is_absent(&error) => {}
                    answer => answer?,
                }
            }
            if !self.is_pooled() {
                self.session.run(&self.restore()).await?;
            }
            self.is_locked = false;
            if std::mem::take(&mut self.may_be_locked) {
                self.session.run(&lock::unlock_sql(self.lock_key)).await?;
            }
        }
        self.give_back().await
    }

    /// Whether it is an application's connection on which nothing can be sent when a future is dropped.
    fn keeps_farewell(&self) -> bool {
        !self.session.is_own() && !self.session.sends_ahead()
    }

    /// What could not be sent on such a connection when an earlier future was dropped.
    async fn send_what_was_left(&self) -> Result<(), DriverError> {
        let is_clean = LEFT.is_empty() && !WAS_CUT_OFF.load(Ordering::Relaxed);
        if !self.keeps_farewell() || self.found.is_some() || is_clean {
            return Ok(());
        }
        let rows = match self.session.rows(inspect::SESSION).await {
            // Of what was asked before, and not read to its end.
            Err(TransportError::Told(_)) => self.session.rows(inspect::SESSION).await,
            rows => rows,
        };
        let rows = rows.map_err(unless_failed)?;
        let session = rows.first().and_then(|row| row.get(0)).unwrap_or_default();
        if let Some(farewell) = LEFT.of(session) {
            self.send_farewell(&farewell).await?;
            LEFT.forget(session);
        }
        Ok(())
    }

    /// Before something is read: an error would end an application's transaction, and what is read in one may be what was
    /// so when it began.
    async fn outside(&mut self) -> Result<(), DriverError> {
        if !self.is_idle {
            borrowed::is_idle(&self.session).await?;
            self.is_idle = true;
        }
        Ok(())
    }

    async fn send_farewell(&self, farewell: &[String]) -> Result<(), DriverError> {
        let mut replies = Vec::new();
        for message in farewell {
            replies.push(self.session.send(message).await);
        }
        let mut given_back = Ok(());
        for reply in replies {
            match reply.done().await {
                // No history was begun.
                Err(error) if inspect::is_absent(&error) => {}
                answer => given_back = given_back.and(answer),
            }
        }
        Ok(given_back?)
    }

    /// Before something is written: an application's connection is looked at, and pinned.
    async fn begin(&mut self) -> Result<(), DriverError> {
        self.is_in_use = true;
        if !self.session.is_pinned() && self.found.is_none() && !self.is_pooled() {
            let found = Found::look(&self.session).await?;
            self.is_idle = true;
            self.session.keep_process(&found.process);
            self.lock_key = lock::key(&found.database, &self.table);
            self.capabilities.version.clone_from(&found.version);
            if !found.is_own {
                // Nothing is set on it, and so there is nothing to give back.
                self.share_session();
                return Ok(());
            }
            self.can_tidy = found.can_tidy;
            self.can_run_code = found.can_tidy;
            // From here on there is something to give back, also where this future is dropped.
            self.found = Some(found);
            self.session.run(&self.restore).await?;
        }
        Ok(())
    }

    /// The statements that restore the settings, and take away what else a migration left.
    fn restore(&self) -> String {
        let tidy = self.can_tidy.then(|| match &self.found {
            Some(found) => found.noted.tidy(self.lock_key),
            None => Noted::default().tidy(self.lock_key),
        });
        format!("{}{}", self.restore, tidy.map(|tidy| format!("; {tidy}")).unwrap_or_default())
    }

    /// What gives an application's connection back.
    fn farewell(&mut self) -> Vec<String> {
        let Some(found) = self.found.take() else { return Vec::new() };
        let mut messages =
            found.give_back(&self.table, self.owner.take().as_deref(), self.only_schema.as_deref());
        messages.extend(self.can_tidy.then(|| found.noted.tidy(self.lock_key)));
        self.is_locked = false;
        if std::mem::take(&mut self.may_be_locked) {
            messages.push(lock::unlock_sql(self.lock_key));
        }
        messages
    }

    async fn identity(&mut self) -> Result<String, TransportError> {
        if let Some(identity) = &self.identity {
            return Ok(identity.clone());
        }
        let rows = self.session.rows(inspect::SESSION).await?;
        let identity = rows.first().and_then(|row| row.get(0)).unwrap_or_default().to_owned();
        self.identity = Some(identity.clone());
        Ok(identity)
    }
}

impl fmt::Debug for Postgres<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { capabilities, table, is_locked, .. } = self;
        f.debug_struct("Postgres")
            .field("capabilities", capabilities)
            .field("table", &table.quoted())
            .field("is_locked", is_locked)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Driver for Postgres<'_> {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    async fn head(&mut self) -> Result<Head, DriverError> {
        let head = inspect::head(&self.session, &self.table, self.is_idle).await?;
        self.is_idle = true;
        Ok(head)
    }

    /// One round trip. From the first on, the capabilities know how many statements may share a transaction.
    async fn inspect(&mut self) -> Result<Inspection, DriverError> {
        self.outside().await?;
        let found = inspect::inspect(&self.session, &self.table, self.only_schema.as_deref()).await?;
        if !self.is_pooled() && !found.is_own {
            self.share_session();
        }
        self.identity = Some(found.session);
        self.capabilities.grouping = found.grouping;
        self.can_tidy = found.can_tidy && !self.is_pooled();
        self.can_run_code = found.can_tidy;
        Ok(found.inspection)
    }

    /// A transaction is one round trip, unless it loads data with `COPY`, holds savepoints, or creates an index
    /// unless one stands, which is looked at first.
    async fn perform(&mut self, run: &Run, steps: &[Step<'_>], watch: &mut dyn Watch) -> Result<(), Failure> {
        let failed = |error: DriverError| Failure { step: 0, cause: error.into() };
        self.begin().await.map_err(failed)?;
        let identity = match self.is_pooled() {
            true => None,
            false => Some(self.identity().await.map_err(|error| failed(error.into()))?),
        };
        let pooled = self.is_pooled().then(|| Pooled {
            lock_key: self.lock_key,
            settings: dialect::set_local(self.only_schema.as_deref()),
        });
        self.owner = Some(run.owner.clone());
        let restore = self.restore();
        let mut performance = Performance {
            session: &self.session,
            table: &self.table,
            writer: Writer { run, session: identity.as_deref() },
            version: &self.capabilities.version,
            restore: &restore,
            is_touched: &mut self.is_touched,
            functions: &self.functions,
            limits: waits::Limits::default(),
            only_schema: self.only_schema.as_deref(),
            can_run_code: self.can_run_code,
            forgets_sequences: self.session.is_own() || steps.iter().any(reads_last_value),
            pooled,
        };
        performance.perform(steps, watch).await
    }

    async fn count_rows(&mut self, tables: &[ObjectName]) -> Result<u64, Cause> {
        Ok(inspect::count_rows(&self.session, tables).await?)
    }

    async fn try_lock(&mut self) -> Result<Lock, DriverError> {
        if self.is_locked {
            // The server counts: a second one would have to be given back too.
            return Ok(Lock::Acquired);
        }
        self.begin().await?;
        if self.is_pooled() {
            return Ok(lock::look(&self.session, self.lock_key).await?);
        }
        // The server may have given it although its answer is not read to the end.
        self.may_be_locked = true;
        let Some(lock) = lock::try_lock(&self.session, self.lock_key).await? else {
            self.may_be_locked = false;
            self.share_session();
            return Ok(lock::look(&self.session, self.lock_key).await?);
        };
        self.is_locked = lock == Lock::Acquired;
        self.may_be_locked = self.is_locked;
        Ok(lock)
    }

    async fn unlock(&mut self) -> Result<(), DriverError> {
        if std::mem::take(&mut self.is_locked) {
            lock::unlock(&self.session, self.lock_key).await?;
            self.may_be_locked = false;
        }
        Ok(())
    }

    async fn lock_holder(&mut self) -> Result<Option<Holder>, DriverError> {
        self.begin().await?;
        Ok(lock::holder(&self.session, self.lock_key).await?)
    }

    async fn end_lock_holder(&mut self, session: &str) -> Result<Ending, DriverError> {
        self.begin().await?;
        Ok(lock::end_holder(&self.session, self.lock_key, session).await?)
    }

    async fn sleep(&mut self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }

    fn keeps_schema(&self) -> bool {
        true
    }

    async fn read_schema(&mut self, grants: bool) -> Result<Schema, DriverError> {
        self.outside().await?;
        introspect::read(&self.session, &self.table, self.sight(grants)).await
    }

    async fn look_at_schema(&mut self, grants: bool) -> Result<Look, DriverError> {
        self.outside().await?;
        introspect::look(&self.session, &self.table, self.sight(grants)).await
    }

    fn has_function(&self, name: &str) -> bool {
        self.functions.has(name)
    }

    async fn survey(&mut self, tables: &[&str]) -> Result<Survey, DriverError> {
        self.outside().await?;
        survey::survey(&self.session, tables, self.only_schema.as_deref()).await
    }

    async fn give_back(&mut self) -> Result<(), DriverError> {
        let session = self.found.as_ref().map(|found| found.session.clone());
        let session = session.filter(|_| self.keeps_farewell());
        let farewell = self.farewell();
        if let Some(session) = &session {
            // Also this future may be dropped.
            LEFT.keep(session, farewell.clone());
        }
        let given_back = self.send_farewell(&farewell).await;
        self.is_in_use = false;
        if let (Some(session), Ok(())) = (&session, &given_back) {
            LEFT.forget(session);
        }
        given_back
    }
}

/// Whether a statement asks for the value that any sequence gave last.
fn reads_last_value(step: &Step<'_>) -> bool {
    matches!(step, Step::Execute(execute) if execute.sql.to_ascii_lowercase().contains("lastval"))
}

/// A future that was dropped leaves an application's connection in the middle of something. The server reads
/// what is sent in order: behind what it is at, it ends what is open, and nobody has to wait for that. Over sqlx nothing
/// can be sent: the connection's next use does it.
impl Drop for Postgres<'_> {
    fn drop(&mut self) {
        let is_cut_off = self.keeps_farewell() && self.session.is_at_work();
        WAS_CUT_OFF.fetch_or(is_cut_off, Ordering::Relaxed);
        let session = self.found.as_ref().map(|found| found.session.clone());
        let farewell = self.farewell();
        match session.filter(|_| self.keeps_farewell()) {
            Some(session) => LEFT.keep(&session, farewell),
            None => self.session.leave_behind(&farewell),
        }
    }
}
