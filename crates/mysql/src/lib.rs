//! Windlass on MySQL and MariaDB.
//!
//! [`connect`] gives a [`MySql`], which performs the steps of a plan in one session with one database:
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use windlass_core::driver::Driver;
//! use windlass_mysql::{Options, connect};
//!
//! let options = Options::parse("mysql://app:secret@db.example/shop?ssl-mode=VERIFY_IDENTITY")?;
//! let mut driver = connect(&options).await?;
//! println!("{:?}", driver.head().await?);
//! # Ok(()) }
//! ```
//!
//! Statements that change definitions commit by themselves here, so the history is written around each
//! of them. The claim, the statement and the record of a migration of one statement travel in one
//! message: the server stops a message at its first error, so a statement never runs without its claim.

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
mod message;
mod my_cnf;
mod note;
mod options;
mod perform;
mod settings;
mod tls;
mod transport;
mod unfinished;

pub use connect::{connect, create_database};
pub use errors::ConnectError;
pub use options::{Nothing, Options, Process, SslMode, Surroundings, UrlError};
pub use windlass_core::source::{Migrations, SourceError};

use async_trait::async_trait;
use std::fmt;
use std::time::Duration;
use windlass_core::driver::{Capabilities, Driver, DriverError, Failure, Head, Inspection, Lock, Run, Watch};
use windlass_core::plan::Step;

/// One session with a MySQL or MariaDB database. [`connect`] opens it.
pub struct MySql {
    transport: transport::Transport,
    capabilities: Capabilities,
    table: history::Table,
    history_table: String,
    database: String,
    /// Read, and the settings pinned, by the first call that needs either: a deploy with nothing to do needs none.
    session: Option<inspect::Session>,
    traces: message::Traces,
}

impl fmt::Debug for MySql {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MySql")
            .field("database", &self.database)
            .field("product", &self.capabilities.product)
            .field("version", &self.capabilities.version)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Driver for MySql {
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

    async fn try_lock(&mut self) -> Result<Lock, DriverError> {
        self.take_lock().await
    }

    async fn unlock(&mut self) -> Result<(), DriverError> {
        self.give_lock_back().await
    }

    async fn sleep(&mut self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}
