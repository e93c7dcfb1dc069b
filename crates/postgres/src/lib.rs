//! Windlass on PostgreSQL: the driver over [`tokio_postgres`].
//!
//! ```no_run
//! use windlass_core::driver::Driver;
//! use windlass_postgres::{Options, Postgres};
//!
//! # async fn connect() -> Result<(), Box<dyn std::error::Error>> {
//! let options = Options::parse("postgres://app@db.example/shop?sslmode=verify-full")?;
//! let mut database = Postgres::connect(&options).await?;
//! println!("PostgreSQL {}", database.capabilities().version);
//! println!("{:?}", database.head().await?);
//! # Ok(())
//! # }
//! ```
//!
//! # Settings
//! Every migration starts from the same settings, whatever server, database or role have set: `search_path`
//! (`"$user", public`, or the schema that the URL asks for), UTF-8, `DateStyle` ISO, MDY, `IntervalStyle`
//! postgres, `TimeZone` UTC, `bytea_output` hex, `standard_conforming_strings` on, `check_function_bodies` on,
//! read committed, and no `statement_timeout`, `lock_timeout` or `idle_in_transaction_session_timeout`. They are
//! part of the startup packet: they cost no round trip, and `RESET ALL` goes back to them. What the URL says in
//! `options=-c…` comes after them. `default_transaction_read_only` is left as it is: it tells whether the
//! database may be written to.
//!
//! # History
//! The table `_windlass_migrations` stands in the schema that the URL asks for (`?schema=app`), or in `public`,
//! unless [`Options::history_table`] names another place. Where nobody named a place and a table of this name
//! stands in another schema only, nothing is done.
//!
//! # Exclusion
//! The claim is a unique key; the lock (`pg_try_advisory_lock`) only spares deployers the collision. It is the
//! session's: a pooler in transaction mode breaks it, and the claim and the fence still hold.

mod connect;
mod dialect;
#[cfg(feature = "macros")]
#[doc(hidden)]
pub mod embedding;
mod errors;
mod history;
mod inspect;
mod lock;
mod look;
mod options;
mod passfile;
mod perform;
mod quote;
mod tls;
mod transport;
mod trust;

pub use errors::ConnectError;
pub use options::{Nothing, Options, Process, SslMode, Surroundings, TargetSession, UrlError};
pub use tls::TlsError;
pub use windlass_core::source::{Migrations, SourceError};

use async_trait::async_trait;
use history::{HistoryTable, Writer};
use perform::Performance;
use std::fmt;
use std::time::Duration;
use transport::{Session, TransportError};
use windlass_core::driver::{
    Capabilities, Cause, Driver, DriverError, Failure, Head, Inspection, Lock, Run, Watch,
};
use windlass_core::plan::Step;

/// A session with a PostgreSQL database.
pub struct Postgres {
    session: Session,
    capabilities: Capabilities,
    table: HistoryTable,
    /// The statements that restore the settings.
    restore: String,
    /// Where nothing but this schema counts as the database's contents.
    only_schema: Option<String>,
    lock_key: i64,
    is_locked: bool,
    /// This session as the server knows it, once it was asked.
    identity: Option<String>,
    /// Whether a migration's statements ran since the settings were last restored.
    is_touched: bool,
}

impl Postgres {
    /// Opens a session.
    ///
    /// Needs a tokio runtime with time and IO, on which the session's task lives on.
    ///
    /// # Errors
    /// Tells what is missing: the server, the password, the database, trust in the server's certificate.
    pub async fn connect(options: &Options) -> Result<Self, ConnectError> {
        let connect::Opened { session, version, set_again } = connect::open(options).await?;
        let table = HistoryTable::new(options.history_table.as_ref(), options.schema());
        Ok(Self {
            session,
            capabilities: dialect::capabilities(version),
            lock_key: lock::key(options.database(), &table),
            table,
            restore: dialect::restore(&set_again),
            only_schema: options.schema.clone(),
            is_locked: false,
            identity: None,
            is_touched: false,
        })
    }

    /// Creates the database that the options name, by way of the database `postgres`.
    ///
    /// One that stands already is fine.
    ///
    /// # Errors
    /// As [`Self::connect`], and when the user may not create databases.
    pub async fn create_database(options: &Options) -> Result<(), ConnectError> {
        connect::create_database(options).await
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

impl fmt::Debug for Postgres {
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
impl Driver for Postgres {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    async fn head(&mut self) -> Result<Head, DriverError> {
        inspect::head(&self.session, &self.table).await
    }

    /// One round trip. From the first on, the capabilities know how many statements may share a transaction.
    async fn inspect(&mut self) -> Result<Inspection, DriverError> {
        let found = inspect::inspect(&self.session, &self.table, self.only_schema.as_deref()).await?;
        self.identity = Some(found.session);
        self.capabilities.grouping = found.grouping;
        Ok(found.inspection)
    }

    /// A transaction is one round trip, unless it loads data with `COPY` or holds savepoints.
    async fn perform(&mut self, run: &Run, steps: &[Step<'_>], watch: &mut dyn Watch) -> Result<(), Failure> {
        let identity = self.identity().await;
        let identity = identity.map_err(|error| Failure {
            step: 0,
            cause: match DriverError::from(error) {
                DriverError::Refused(error) => Cause::Refused(error),
                other => Cause::Lost(other.to_string()),
            },
        })?;
        let mut performance = Performance {
            session: &self.session,
            table: &self.table,
            writer: Writer { run, session: &identity },
            restore: &self.restore,
            is_touched: &mut self.is_touched,
        };
        performance.perform(steps, watch).await
    }

    async fn try_lock(&mut self) -> Result<Lock, DriverError> {
        if self.is_locked {
            // The server counts: a second one would have to be given back too.
            return Ok(Lock::Acquired);
        }
        let lock = lock::try_lock(&self.session, self.lock_key).await?;
        self.is_locked = lock == Lock::Acquired;
        Ok(lock)
    }

    async fn unlock(&mut self) -> Result<(), DriverError> {
        if std::mem::take(&mut self.is_locked) {
            lock::unlock(&self.session, self.lock_key).await?;
        }
        Ok(())
    }

    async fn sleep(&mut self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}
