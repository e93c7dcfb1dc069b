//! Migrations that are functions of the program, on the connection that the deploy runs on.

use crate::error::{database_error, own_words};
use rusqlite::Connection;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use windlass_core::code::{Registry, panic_words};
use windlass_core::driver::{Cause, DatabaseError};
use windlass_core::migration::{Migration, TransactionMode};

/// What a function may fail with.
///
/// ```
/// use windlass_sqlite::{FunctionError, RustMigrations, rusqlite::Connection};
///
/// /// Any error will do, and words alone.
/// fn without_crew(connection: &Connection) -> Result<(), FunctionError> {
///     match connection.execute("DELETE FROM ships WHERE crew = 0", [])? {
///         0 => Err("every ship has a crew".into()),
///         _ => Ok(()),
///     }
/// }
/// let functions = RustMigrations::new().add("3_without_crew", 1, without_crew);
/// assert_eq!(functions.migrations().count(), 1);
/// ```
pub type FunctionError = Box<dyn std::error::Error + Send + Sync>;

type Function = Arc<dyn Fn(&Connection) -> Result<(), FunctionError> + Send + Sync>;

/// Migrations that are functions of the program: what SQL cannot say, in the order of the other migrations.
///
/// A function runs in the transaction that its row in the history commits with, on the same connection; it must not end
/// that transaction. Fails it, or panics, all of it is rolled back and the history tells so. The revision stands for the
/// function's text: count it up when you change one that is not applied everywhere.
///
/// ```
/// use windlass_sqlite::{Migrations, RustMigrations, Sqlite, deploy};
///
/// static MIGRATIONS: Migrations = windlass_sqlite::migrations!("examples/migrations");
///
/// let functions = RustMigrations::new().add("3_flagship", 1, |connection| {
///     connection.execute("INSERT INTO ships (name, crew) VALUES (?1, 70)", ["Victoria"])?;
///     Ok(())
/// });
/// let migrations = MIGRATIONS.with_rust(functions.migrations())?;
/// let mut connection = rusqlite::Connection::open_in_memory()?;
/// deploy(&mut Sqlite::borrow(&mut connection).functions(&functions), &migrations)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
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
    ///
    /// ```
    /// use windlass_sqlite::RustMigrations;
    ///
    /// assert_eq!(RustMigrations::new().migrations().count(), 0);
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with one more, in a transaction.
    ///
    /// ```
    /// use windlass_sqlite::RustMigrations;
    ///
    /// let functions = RustMigrations::new().add("3_names_in_capitals", 1, |connection| {
    ///     connection.execute("UPDATE ships SET name = upper(name)", [])?;
    ///     Ok(())
    /// });
    /// assert_eq!(functions.migrations().count(), 1);
    /// ```
    #[must_use]
    pub fn add<F>(mut self, name: &str, revision: u32, function: F) -> Self
    where
        F: Fn(&Connection) -> Result<(), FunctionError> + Send + Sync + 'static,
    {
        self.0.add(name, revision, TransactionMode::Automatic, Arc::new(function));
        self
    }

    /// The same with one more outside of any transaction. A crash while it runs leaves a person to decide.
    ///
    /// ```
    /// use windlass_sqlite::RustMigrations;
    ///
    /// let functions = RustMigrations::new()
    ///     .add_outside_transaction("4_vacuum", 1, |connection| Ok(connection.execute_batch("VACUUM")?));
    /// assert_eq!(functions.migrations().count(), 1);
    /// ```
    #[must_use]
    pub fn add_outside_transaction<F>(mut self, name: &str, revision: u32, function: F) -> Self
    where
        F: Fn(&Connection) -> Result<(), FunctionError> + Send + Sync + 'static,
    {
        self.0.add(name, revision, TransactionMode::Off, Arc::new(function));
        self
    }

    /// For [`Migrations::with_rust`](crate::Migrations::with_rust).
    ///
    /// ```
    /// use windlass_sqlite::{Migrations, RustMigrations};
    ///
    /// static MIGRATIONS: Migrations = windlass_sqlite::migrations!("examples/migrations");
    ///
    /// let functions = RustMigrations::new().add("3_nothing", 1, |_| Ok(()));
    /// let all = MIGRATIONS.with_rust(functions.migrations())?;
    /// assert_eq!(all.len(), 3);
    /// # Ok::<(), windlass_sqlite::SourceError>(())
    /// ```
    pub fn migrations(&self) -> impl Iterator<Item = &Migration> {
        self.0.migrations()
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.get(name).is_some()
    }

    /// Runs one. Whether it left the transaction as it was is for the caller to see.
    pub(crate) fn run(&self, connection: &Connection, name: &str) -> Result<(), Cause> {
        let refused = |words: String| Cause::Refused(own_words(&words));
        let function = self.0.get(name);
        let function = function.ok_or_else(|| refused(format!("this program has no function for {name}")))?;
        match catch_unwind(AssertUnwindSafe(|| function(connection))) {
            Err(panic) => Err(refused(panic_words(&*panic))),
            Ok(Err(error)) => Err(Cause::Refused(told(&*error))),
            Ok(Ok(())) => Ok(()),
        }
    }
}

fn told(error: &(dyn std::error::Error + Send + Sync + 'static)) -> DatabaseError {
    match error.downcast_ref::<rusqlite::Error>() {
        Some(error) => database_error(error),
        None => own_words(&error.to_string()),
    }
}
