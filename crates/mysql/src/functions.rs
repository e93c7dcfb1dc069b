//! Migrations that are functions of the program, on the connection that the deploy runs on.

use crate::errors::database_error;
use crate::transport::{Link, Transport};
use futures_util::FutureExt as _;
use mysql_async::Conn;
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use windlass_core::code::{Registry, panic_words};
use windlass_core::driver::{Cause, DatabaseError, DriverError};
use windlass_core::migration::{Migration, TransactionMode};

/// What a function may fail with.
///
/// ```
/// use windlass_mysql::FunctionError;
///
/// /// Any error will do, and words alone.
/// fn crew(told: &str) -> Result<u32, FunctionError> {
///     if told.is_empty() {
///         return Err("a ship without a crew".into());
///     }
///     Ok(told.parse()?)
/// }
/// assert!(crew("").is_err() && crew("seven").is_err());
/// ```
pub type FunctionError = Box<dyn std::error::Error + Send + Sync>;

/// What a function gives back: `Box::pin(async move { … })`.
///
/// ```
/// use windlass_mysql::mysql_async::{Conn, prelude::Queryable};
/// use windlass_mysql::{RustMigrations, Running};
///
/// /// A function that has a name takes its connection, and gives back what runs, for the same lifetime.
/// fn without_crew(conn: &mut Conn) -> Running<'_> {
///     Box::pin(async move {
///         Ok(conn.query_drop("DELETE FROM ships WHERE crew = 0").await?)
///     })
/// }
///
/// let functions = RustMigrations::new().add_rows_only("3_without_crew", 1, without_crew);
/// assert_eq!(functions.migrations().count(), 1);
/// ```
pub type Running<'c> = futures_util::future::BoxFuture<'c, Result<(), FunctionError>>;

/// A function, by the connection that it wants.
#[derive(Clone)]
enum Function {
    Native(Arc<dyn for<'c> Fn(&'c mut Conn) -> Running<'c> + Send + Sync>),
    #[cfg(feature = "sqlx")]
    Sqlx(Arc<dyn for<'c> Fn(&'c mut sqlx::MySqlConnection) -> Running<'c> + Send + Sync>),
}

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
    ///
    /// ```
    /// use windlass_mysql::RustMigrations;
    ///
    /// assert_eq!(RustMigrations::new().migrations().count(), 0);
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with one more that changes rows only, in a transaction.
    ///
    /// ```
    /// use mysql_async::prelude::Queryable;
    /// use windlass_mysql::RustMigrations;
    ///
    /// let functions = RustMigrations::new().add_rows_only("3_names_in_capitals", 1, |conn| {
    ///     Box::pin(async move { Ok(conn.query_drop("UPDATE ships SET name = upper(name)").await?) })
    /// });
    /// assert_eq!(functions.migrations().count(), 1);
    /// ```
    #[must_use]
    pub fn add_rows_only<F>(mut self, name: &str, revision: u32, function: F) -> Self
    where
        F: for<'c> Fn(&'c mut Conn) -> Running<'c> + Send + Sync + 'static,
    {
        self.0.add(name, revision, TransactionMode::Required, Function::Native(Arc::new(function)));
        self
    }

    /// The same with one more that may do anything. A crash while it runs, or a failure, leaves a person to decide.
    ///
    /// ```
    /// use mysql_async::prelude::Queryable;
    /// use windlass_mysql::RustMigrations;
    ///
    /// let functions = RustMigrations::new().add("4_copies", 1, |conn| {
    ///     Box::pin(async move { Ok(conn.query_drop("CREATE TABLE copies LIKE ships").await?) })
    /// });
    /// assert_eq!(functions.migrations().count(), 1);
    /// ```
    #[must_use]
    pub fn add<F>(mut self, name: &str, revision: u32, function: F) -> Self
    where
        F: for<'c> Fn(&'c mut Conn) -> Running<'c> + Send + Sync + 'static,
    {
        self.0.add(name, revision, TransactionMode::Off, Function::Native(Arc::new(function)));
        self
    }

    /// As [`Self::add_rows_only`], for a deploy over sqlx.
    ///
    /// ```
    /// use windlass_mysql::RustMigrations;
    ///
    /// let functions = RustMigrations::new().add_rows_only_sqlx("3_names_in_capitals", 1, |connection| {
    ///     Box::pin(async move {
    ///         sqlx::query("UPDATE ships SET name = upper(name)").execute(connection).await?;
    ///         Ok(())
    ///     })
    /// });
    /// assert_eq!(functions.migrations().count(), 1);
    /// ```
    #[cfg(feature = "sqlx")]
    #[must_use]
    pub fn add_rows_only_sqlx<F>(mut self, name: &str, revision: u32, function: F) -> Self
    where
        F: for<'c> Fn(&'c mut sqlx::MySqlConnection) -> Running<'c> + Send + Sync + 'static,
    {
        self.0.add(name, revision, TransactionMode::Required, Function::Sqlx(Arc::new(function)));
        self
    }

    /// As [`Self::add`], for a deploy over sqlx.
    ///
    /// ```
    /// use windlass_mysql::RustMigrations;
    ///
    /// let functions = RustMigrations::new().add_sqlx("4_copies", 1, |connection| {
    ///     Box::pin(async move {
    ///         sqlx::query("CREATE TABLE copies LIKE ships").execute(connection).await?;
    ///         Ok(())
    ///     })
    /// });
    /// assert_eq!(functions.migrations().count(), 1);
    /// ```
    #[cfg(feature = "sqlx")]
    #[must_use]
    pub fn add_sqlx<F>(mut self, name: &str, revision: u32, function: F) -> Self
    where
        F: for<'c> Fn(&'c mut sqlx::MySqlConnection) -> Running<'c> + Send + Sync + 'static,
    {
        self.0.add(name, revision, TransactionMode::Off, Function::Sqlx(Arc::new(function)));
        self
    }

    /// For [`Migrations::with_rust`](crate::Migrations::with_rust).
    ///
    /// ```
    /// use windlass_mysql::{Migrations, RustMigrations};
    ///
    /// static MIGRATIONS: Migrations = windlass_mysql::migrations!("examples/migrations");
    ///
    /// let functions = RustMigrations::new().add_rows_only("3_nothing", 1, |_| Box::pin(async { Ok(()) }));
    /// let all = MIGRATIONS.with_rust(functions.migrations())?;
    /// assert_eq!(all.len(), 3);
    /// # Ok::<(), windlass_mysql::SourceError>(())
    /// ```
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
        let link = transport.link().map_err(|error| Cause::from(DriverError::from(error)))?;
        let running = AssertUnwindSafe(call(function, link));
        match running.catch_unwind().await {
            Err(panic) => Err(refused(panic_words(&*panic))),
            Ok(ran) => ran?.map_err(|error| told(&*error)),
        }
    }
}

/// Calls it with the connection that it wants, where the deploy runs on such a one.
async fn call(function: &Function, link: Link<'_>) -> Result<Result<(), FunctionError>, Cause> {
    match (function, link) {
        (Function::Native(function), Link::Native(conn)) => Ok(function(conn).await),
        #[cfg(feature = "sqlx")]
        (Function::Sqlx(function), Link::Sqlx(work)) => {
            let ran = function(work.connection).await;
            work.ends();
            Ok(ran)
        }
        #[cfg(feature = "sqlx")]
        (Function::Native(_), Link::Sqlx(work)) => {
            work.ends();
            Err(refused("the function is one for mysql_async, and the deploy runs over sqlx".to_owned()))
        }
        #[cfg(feature = "sqlx")]
        (Function::Sqlx(_), Link::Native(_)) => {
            Err(refused("the function is one for sqlx, and the deploy runs over mysql_async".to_owned()))
        }
    }
}

fn refused(message: String) -> Cause {
    Cause::Refused(DatabaseError { message, ..DatabaseError::default() })
}

/// The error's own words, and the server's code where it is the server's.
fn told(error: &(dyn std::error::Error + Send + Sync + 'static)) -> Cause {
    #[cfg(feature = "sqlx")]
    match error.downcast_ref::<sqlx::Error>() {
        Some(sqlx::Error::Database(words)) => {
            if let Some(words) = words.try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>() {
                let state = words.code().unwrap_or_default();
                return Cause::Refused(database_error(words.number(), state, words.message()));
            }
        }
        Some(error @ sqlx::Error::Io(_)) => return Cause::Lost(error.to_string()),
        _ => {}
    }
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
