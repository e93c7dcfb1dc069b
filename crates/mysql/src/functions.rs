//! Migrations that are functions of the program, on the connection that the deploy runs on.

use crate::errors::database_error;
use crate::transport::Transport;
use futures_util::FutureExt as _;
use mysql_async::Conn;
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use windlass_core::code::{Registry, panic_words};
use windlass_core::driver::{Cause, DatabaseError};
use windlass_core::migration::{Migration, TransactionMode};

/// What a function may fail with.
pub type FunctionError = Box<dyn std::error::Error + Send + Sync>;

/// What a function gives back: `Box::pin(async move { … })`.
pub type Running<'c> = futures_util::future::BoxFuture<'c, Result<(), FunctionError>>;

type Function = Arc<dyn for<'c> Fn(&'c mut Conn) -> Running<'c> + Send + Sync>;

/// Migrations that are functions of the program: what SQL cannot say, in the order of the other migrations.
///
/// Statements that change definitions commit by themselves here. A function that changes rows only, and commits nothing,
/// is added with [`RustMigrations::add_rows_only`]: it runs in the transaction that its row in the history commits with, and
/// is rolled back whole. Of any other, what it did before it failed stands, and a person has to look. The revision stands
/// for the function's text: count it up when you change one that is not applied everywhere.
///
/// ```no_run
/// use mysql_async::prelude::Queryable;
/// use windlass_mysql::{Migrations, MySql, RustMigrations, deploy};
///
/// static MIGRATIONS: Migrations = windlass_mysql::migrations!("examples/migrations");
///
/// # async fn example(mut conn: mysql_async::Conn) -> Result<(), Box<dyn std::error::Error>> {
/// let functions = RustMigrations::new().add_rows_only("3_names_in_capitals", 1, |conn| {
///     Box::pin(async move {
///         for (id, name) in conn.query::<(i32, String), _>("SELECT id, name FROM ships").await? {
///             conn.exec_drop("UPDATE ships SET name = ? WHERE id = ?", (name.to_uppercase(), id)).await?;
///         }
///         Ok(())
///     })
/// });
/// let migrations = MIGRATIONS.with_rust(functions.migrations())?;
/// deploy(&mut MySql::borrow(&mut conn).await?.functions(&functions), &migrations).await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Default)]
pub struct RustMigrations(Registry<Function>);

impl fmt::Debug for RustMigrations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.migrations().map(Migration::name)).finish()
    }
}

impl RustMigrations {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with one more that changes rows only, in a transaction.
    #[must_use]
    pub fn add_rows_only<F>(mut self, name: &str, revision: u32, function: F) -> Self
    where
        F: for<'c> Fn(&'c mut Conn) -> Running<'c> + Send + Sync + 'static,
    {
        self.0.add(name, revision, TransactionMode::Required, Arc::new(function));
        self
    }

    /// The same with one more that may do anything. A crash while it runs, or a failure, leaves a person to decide.
    #[must_use]
    pub fn add<F>(mut self, name: &str, revision: u32, function: F) -> Self
    where
        F: for<'c> Fn(&'c mut Conn) -> Running<'c> + Send + Sync + 'static,
    {
        self.0.add(name, revision, TransactionMode::Off, Arc::new(function));
        self
    }

    /// For [`Migrations::with_rust`](crate::Migrations::with_rust).
    pub fn migrations(&self) -> impl Iterator<Item = &Migration> {
        self.0.migrations()
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.get(name).is_some()
    }

    /// Runs one.
    pub(crate) async fn run(&self, transport: &mut Transport<'_>, name: &str) -> Result<(), Cause> {
        let function = self.0.get(name);
        let function = function.ok_or_else(|| refused(format!("this program has no function for {name}")))?;
        let conn = transport.conn().map_err(|error| Cause::Lost(error.to_string()))?;
        let running = AssertUnwindSafe(async { function(conn).await });
        match running.catch_unwind().await {
            Err(panic) => Err(refused(panic_words(&*panic))),
            Ok(Err(error)) => Err(told(&*error)),
            Ok(Ok(())) => Ok(()),
        }
    }
}

fn refused(message: String) -> Cause {
    Cause::Refused(DatabaseError { message, ..DatabaseError::default() })
}

/// The error's own words, and the server's code where it is the server's.
fn told(error: &(dyn std::error::Error + Send + Sync + 'static)) -> Cause {
    match error.downcast_ref::<mysql_async::Error>() {
        Some(mysql_async::Error::Server(error)) => {
            Cause::Refused(database_error(error.code, &error.state, &error.message))
        }
        Some(error @ (mysql_async::Error::Io(_) | mysql_async::Error::Driver(_))) => {
            Cause::Lost(error.to_string())
        }
        _ => refused(error.to_string()),
    }
}
