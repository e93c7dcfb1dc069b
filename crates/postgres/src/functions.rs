//! Migrations that are functions of the program, on the connection that the deploy runs on.

use crate::errors::own_words;
use crate::transport::{Link, Session, chain};
use futures_util::FutureExt as _;
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use tokio_postgres::Client;
use windlass_core::code::{Registry, panic_words};
use windlass_core::driver::{Cause, DatabaseError, DriverError};
use windlass_core::migration::{Migration, TransactionMode};

/// What a function may fail with.
///
/// ```
/// use windlass_postgres::FunctionError;
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
/// use windlass_postgres::{RustMigrations, Running, tokio_postgres::Client};
///
/// /// A function that has a name takes its connection, and gives back what runs, for the same lifetime.
/// fn without_crew(client: &Client) -> Running<'_> {
///     Box::pin(async move {
///         client.execute("DELETE FROM ships WHERE crew = 0", &[]).await?;
///         Ok(())
///     })
/// }
///
/// let functions = RustMigrations::new().add("3_without_crew", 1, without_crew);
/// assert_eq!(functions.migrations().count(), 1);
/// ```
pub type Running<'c> = futures_util::future::BoxFuture<'c, Result<(), FunctionError>>;

/// A function, by the connection that it wants.
#[derive(Clone)]
enum Function {
    Native(Arc<dyn for<'c> Fn(&'c Client) -> Running<'c> + Send + Sync>),
    #[cfg(feature = "sqlx")]
    Sqlx(Arc<dyn for<'c> Fn(&'c mut sqlx::PgConnection) -> Running<'c> + Send + Sync>),
}

/// Migrations that are functions of the program: what SQL cannot say, in the order of the other migrations.
///
/// A function runs in the transaction that its row in the history commits with, on the same connection; it must not end
/// that transaction. Fails it, or panics, all of it is rolled back and the history tells so. The revision stands for the
/// function's text: count it up when you change one that is not applied everywhere.
///
/// ```no_run
/// use windlass_postgres::{Migrations, Postgres, RustMigrations, deploy};
///
/// static MIGRATIONS: Migrations = windlass_postgres::migrations!("examples/migrations");
///
/// # async fn example(mut client: tokio_postgres::Client) -> Result<(), Box<dyn std::error::Error>> {
/// let functions = RustMigrations::new().add("3_names_in_capitals", 1, |client| {
///     Box::pin(async move {
///         for row in client.query("SELECT id, name FROM ships", &[]).await? {
///             let (id, name): (i32, String) = (row.get(0), row.get(1));
///             client.execute("UPDATE ships SET name = $2 WHERE id = $1", &[&id, &name.to_uppercase()]).await?;
///         }
///         Ok(())
///     })
/// });
/// let migrations = MIGRATIONS.with_rust(functions.migrations())?;
/// deploy(&mut Postgres::borrow(&mut client).functions(&functions), &migrations).await?;
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
    /// use windlass_postgres::RustMigrations;
    ///
    /// assert_eq!(RustMigrations::new().migrations().count(), 0);
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with one more, in a transaction.
    ///
    /// ```
    /// use windlass_postgres::RustMigrations;
    ///
    /// let functions = RustMigrations::new().add("3_names_in_capitals", 1, |client| {
    ///     Box::pin(async move {
    ///         client.execute("UPDATE ships SET name = upper(name)", &[]).await?;
    ///         Ok(())
    ///     })
    /// });
    /// assert_eq!(functions.migrations().count(), 1);
    /// ```
    #[must_use]
    pub fn add<F>(mut self, name: &str, revision: u32, function: F) -> Self
    where
        F: for<'c> Fn(&'c Client) -> Running<'c> + Send + Sync + 'static,
    {
        self.0.add(name, revision, TransactionMode::Automatic, Function::Native(Arc::new(function)));
        self
    }

    /// The same with one more outside of any transaction. A crash while it runs leaves a person to decide.
    ///
    /// ```
    /// use windlass_postgres::RustMigrations;
    ///
    /// let functions = RustMigrations::new().add_outside_transaction("4_vacuum", 1, |client| {
    ///     Box::pin(async move { Ok(client.batch_execute("VACUUM ships").await?) })
    /// });
    /// assert_eq!(functions.migrations().count(), 1);
    /// ```
    #[must_use]
    pub fn add_outside_transaction<F>(mut self, name: &str, revision: u32, function: F) -> Self
    where
        F: for<'c> Fn(&'c Client) -> Running<'c> + Send + Sync + 'static,
    {
        self.0.add(name, revision, TransactionMode::Off, Function::Native(Arc::new(function)));
        self
    }

    /// As [`Self::add`], for a deploy over sqlx.
    ///
    /// ```
    /// use windlass_postgres::RustMigrations;
    ///
    /// let functions = RustMigrations::new().add_sqlx("3_names_in_capitals", 1, |connection| {
    ///     Box::pin(async move {
    ///         sqlx::query("UPDATE ships SET name = upper(name)").execute(connection).await?;
    ///         Ok(())
    ///     })
    /// });
    /// assert_eq!(functions.migrations().count(), 1);
    /// ```
    #[cfg(feature = "sqlx")]
    #[must_use]
    pub fn add_sqlx<F>(mut self, name: &str, revision: u32, function: F) -> Self
    where
        F: for<'c> Fn(&'c mut sqlx::PgConnection) -> Running<'c> + Send + Sync + 'static,
    {
        self.0.add(name, revision, TransactionMode::Automatic, Function::Sqlx(Arc::new(function)));
        self
    }

    /// As [`Self::add_outside_transaction`], for a deploy over sqlx.
    ///
    /// ```
    /// use windlass_postgres::RustMigrations;
    ///
    /// let functions = RustMigrations::new().add_sqlx_outside_transaction("4_vacuum", 1, |connection| {
    ///     Box::pin(async move {
    ///         sqlx::query("VACUUM ships").execute(connection).await?;
    ///         Ok(())
    ///     })
    /// });
    /// assert_eq!(functions.migrations().count(), 1);
    /// ```
    #[cfg(feature = "sqlx")]
    #[must_use]
    pub fn add_sqlx_outside_transaction<F>(mut self, name: &str, revision: u32, function: F) -> Self
    where
        F: for<'c> Fn(&'c mut sqlx::PgConnection) -> Running<'c> + Send + Sync + 'static,
    {
        self.0.add(name, revision, TransactionMode::Off, Function::Sqlx(Arc::new(function)));
        self
    }

    /// For [`Migrations::with_rust`](crate::Migrations::with_rust).
    ///
    /// ```
    /// use windlass_postgres::{Migrations, RustMigrations};
    ///
    /// static MIGRATIONS: Migrations = windlass_postgres::migrations!("examples/migrations");
    ///
    /// let functions = RustMigrations::new().add("3_nothing", 1, |_| Box::pin(async { Ok(()) }));
    /// let all = MIGRATIONS.with_rust(functions.migrations())?;
    /// assert_eq!(all.len(), 3);
    /// # Ok::<(), windlass_postgres::SourceError>(())
    /// ```
    pub fn migrations(&self) -> impl Iterator<Item = &Migration> {
        self.0.migrations()
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.get(name).is_some()
    }

    /// Runs one, and looks whether the transaction is still the one that was open before, or none.
    pub(crate) async fn run(&self, session: &Session<'_>, name: &str, inside: bool) -> Result<(), Cause> {
        let refused = |words: String| Cause::Refused(own_words(words));
        let function = self.0.get(name);
        let function = function.ok_or_else(|| refused(format!("this program has no function for {name}")))?;
        let before = transaction(session, inside).await?;
        let running = AssertUnwindSafe(call(function, session.link())).catch_unwind().await;
        let running = running.unwrap_or_else(|panic| Ok(Err(panic_words(&*panic).into())));
        match running? {
            Ok(()) => {}
            Err(error) if session.is_closed(&*error) => return Err(Cause::Lost(chain(&*error))),
            Err(error) => return Err(Cause::Refused(told(&*error))),
        }
        match transaction(session, inside).await? {
            after if after == before => Ok(()),
            _ if inside => {
                Err(Cause::Lost("the function ended the transaction that it was run in".to_owned()))
            }
            _ => Err(refused("the function left a transaction open".to_owned())),
        }
    }
}

/// Calls it with the connection that it wants, where the deploy runs on such a one.
async fn call(function: &Function, link: Link<'_>) -> Result<Result<(), FunctionError>, Cause> {
    match (function, link) {
        (Function::Native(function), Link::Native(session)) => {
            let number = session.begins();
            let ran = function(session.client()).await;
            session.ends(number);
            Ok(ran)
        }
        #[cfg(feature = "sqlx")]
        (Function::Sqlx(function), Link::Sqlx(session)) => {
            let mut work = session.work().await.map_err(|error| Cause::from(DriverError::from(error)))?;
            let ran = function(&mut work.connection).await;
            work.ends();
            Ok(ran)
        }
        #[cfg(feature = "sqlx")]
        (Function::Native(_), Link::Sqlx(_)) => Err(Cause::Refused(own_words(
            "the function is one for tokio-postgres, and the deploy runs over sqlx",
        ))),
        #[cfg(feature = "sqlx")]
        (Function::Sqlx(_), Link::Native(_)) => Err(Cause::Refused(own_words(
            "the function is one for sqlx, and the deploy runs over tokio-postgres",
        ))),
    }
}

/// The number of the transaction; outside of one, whether one is open.
async fn transaction(session: &Session<'_>, inside: bool) -> Result<Option<String>, Cause> {
    let look = match inside {
        true => "SELECT pg_catalog.txid_current()",
        false => "SELECT pg_catalog.now() <> pg_catalog.statement_timestamp()",
    };
    let rows = session.rows(look).await.map_err(|error| match DriverError::from(error) {
        // A refusal that the function did not pass on: its transaction can only be rolled back.
        DriverError::Refused(error) => Cause::Refused(error),
        other => Cause::Lost(other.to_string()),
    })?;
    Ok(rows.first().and_then(|row| row.get(0)).map(str::to_owned))
}

/// The error's own words, and the server's code where it is the server's.
fn told(error: &(dyn std::error::Error + Send + Sync + 'static)) -> DatabaseError {
    let code = error.downcast_ref::<tokio_postgres::Error>().and_then(tokio_postgres::Error::code);
    let code = code.map(|code| code.code().to_owned());
    #[cfg(feature = "sqlx")]
    let code = code.or_else(|| match error.downcast_ref()? {
        sqlx::Error::Database(error) => error.code().map(|code| code.into_owned()),
        _ => None,
    });
    DatabaseError { code, ..own_words(chain(error)) }
}
