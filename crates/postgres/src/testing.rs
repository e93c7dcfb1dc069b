//! Testing: an application's own tests, each in a migrated database that costs no more than a copy.
//!
//! The first test of a set of migrations deploys them into a template on the server; every other one copies it, which
//! takes tens of milliseconds however long the history is. Another set, or an edited one, is another template.
//!
//! ```no_run
//! use windlass_postgres::{Migrations, testing::TestDatabase};
//!
//! static MIGRATIONS: Migrations = windlass_postgres::migrations!("examples/migrations");
//!
//! # async fn a_ship_has_a_name() -> Result<(), Box<dyn std::error::Error>> {
//! let database = TestDatabase::create("postgres://postgres@localhost/postgres", &MIGRATIONS).await?;
//! let (client, connection) = tokio_postgres::connect(database.url(), tokio_postgres::NoTls).await?;
//! tokio::spawn(connection);
//! client.execute("INSERT INTO ships (id, name) VALUES (7, 'Anna')", &[]).await?;
//! database.remove().await?;
//! # Ok(()) }
//! ```
//!
//! Names begin with `windlass_test_` and `windlass_template_`: what tests that failed left, and templates of sets that are
//! gone, can be dropped by them (a template after `ALTER DATABASE … IS_TEMPLATE false`).

use crate::quote::{identifier, literal};
use crate::transport::TransportError;
use crate::{
    ConnectError, DeployError, DriverError, Migrations, Options, Postgres, UrlError, connect, deploy,
};
use std::fmt;
use windlass_core::driver::Run;

/// Deployers of templates on one server exclude each other by this.
const LOCK: &str = "pg_catalog.hashtextextended('windlass_template', 0)";

/// A migrated database of one test's own.
///
/// ```no_run
/// # async fn example(migrations: &windlass_postgres::Migrations) -> Result<(), Box<dyn std::error::Error>> {
/// use windlass_postgres::testing::TestDatabase;
///
/// let database = TestDatabase::create("postgres://postgres@localhost/postgres", migrations).await?;
/// println!("{}", database.name());
/// database.remove().await?;
/// # Ok(()) }
/// ```
pub struct TestDatabase {
    server: Options,
    url: String,
    name: String,
}

/// Why there is no database for a test.
///
/// ```
/// use windlass_postgres::testing::TestDatabaseError;
///
/// fn told(error: &TestDatabaseError) -> String {
///     match error {
///         TestDatabaseError::Connect(_) => "is the server for tests running?".to_owned(),
///         TestDatabaseError::Deploy(error) => error.story(),
///         other => other.to_string(),
///     }
/// }
/// # let _ = told;
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TestDatabaseError {
    /// The URL cannot be read.
    #[error("the URL of the server for tests cannot be read")]
    Url(#[from] UrlError),
    /// The server cannot be reached.
    #[error("the server for tests cannot be reached")]
    Connect(#[from] ConnectError),
    /// The server refused to make or drop a database.
    #[error("the server made or dropped no database for tests")]
    Refused(#[from] DriverError),
    /// The migrations cannot be deployed.
    #[error("the migrations cannot be deployed")]
    Deploy(#[from] DeployError),
}

/// The URL holds a password.
impl fmt::Debug for TestDatabase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestDatabase").field("name", &self.name).finish_non_exhaustive()
    }
}

impl TestDatabase {
    /// Makes one on the server that a URL leads to, as a user who may create databases. The database that the URL names,
    /// such as `postgres`, is only connected to.
    ///
    /// ```no_run
    /// # async fn example(migrations: &windlass_postgres::Migrations) -> Result<(), Box<dyn std::error::Error>> {
    /// use windlass_postgres::testing::TestDatabase;
    ///
    /// let url = std::env::var("TEST_DATABASE_URL")?;
    /// let database = TestDatabase::create(&url, migrations).await?;
    /// # drop(database); Ok(()) }
    /// ```
    ///
    /// # Errors
    /// When the server cannot be reached, creates no database, or refuses a migration.
    pub async fn create(url: &str, migrations: &Migrations) -> Result<Self, TestDatabaseError> {
        let server = Options::parse(url)?;
        let template = format!("windlass_template_{}", &migrations.digest().to_hex()[..32]);
        make_template(&server, &template, migrations).await?;
        let name = format!("windlass_test_{}", Run::of_this_program().owner);
        run(&server, &[format!("CREATE DATABASE {} TEMPLATE {}", identifier(&name), identifier(&template))])
            .await?;
        Ok(Self { url: with_database(url, &name), server, name })
    }

    /// The URL that leads to it.
    ///
    /// ```
    /// # async fn example(database: windlass_postgres::testing::TestDatabase) -> Result<(), tokio_postgres::Error> {
    /// let (client, connection) = tokio_postgres::connect(database.url(), tokio_postgres::NoTls).await?;
    /// # drop((client, connection)); Ok(()) }
    /// ```
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its name on the server.
    ///
    /// ```
    /// # async fn example(database: windlass_postgres::testing::TestDatabase) {
    /// assert!(database.name().starts_with("windlass_test_"));
    /// # }
    /// ```
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Drops it, whoever is still connected to it. A test that fails leaves it, to be looked into.
    ///
    /// ```
    /// # use windlass_postgres::testing::{TestDatabase, TestDatabaseError};
    /// # async fn example(database: TestDatabase) -> Result<(), TestDatabaseError> {
    /// database.remove().await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// When the server cannot be reached, or drops no database.
    pub async fn remove(self) -> Result<(), TestDatabaseError> {
        run(&self.server, &[format!("DROP DATABASE {} WITH (FORCE)", identifier(&self.name))]).await
    }
}

/// Makes a template, unless it stands. One that was not finished is none, and made anew.
async fn make_template(
    server: &Options,
    template: &str,
    migrations: &Migrations,
) -> Result<(), TestDatabaseError> {
    let stands = format!(
        "SELECT 1 FROM pg_catalog.pg_database WHERE datistemplate AND datname = {}",
        literal(template)
    );
    let opened = connect::open(server).await?;
    let lost = |error: TransportError| TestDatabaseError::from(DriverError::from(error));
    if !opened.session.rows(&stands).await.map_err(lost)?.is_empty() {
        return Ok(());
    }
    // Given back when the session ends.
    opened.session.run(&format!("SELECT pg_catalog.pg_advisory_lock({LOCK})")).await.map_err(lost)?;
    if !opened.session.rows(&stands).await.map_err(lost)?.is_empty() {
        return Ok(());
    }
    let name = identifier(template);
    for statement in [format!("DROP DATABASE IF EXISTS {name}"), format!("CREATE DATABASE {name}")] {
        opened.session.run(&statement).await.map_err(lost)?;
    }
    deploy(&mut Postgres::connect(&server.with_database(template)).await?, migrations).await?;
    let done = format!("ALTER DATABASE {name} IS_TEMPLATE true ALLOW_CONNECTIONS false");
    opened.session.run(&done).await.map_err(lost)
}

async fn run(server: &Options, statements: &[String]) -> Result<(), TestDatabaseError> {
    let opened = connect::open(server).await?;
    for statement in statements {
        opened.session.run(statement).await.map_err(DriverError::from)?;
    }
    Ok(())
}

/// The same URL with another database.
fn with_database(url: &str, name: &str) -> String {
    let (place, parameters) = url.split_once('?').unwrap_or((url, ""));
    let begin = place.find("://").map_or(0, |at| at + 3);
    let end = place[begin..].find('/').map_or(place.len(), |at| begin + at);
    let mark = if parameters.is_empty() { "" } else { "?" };
    format!("{}/{name}{mark}{parameters}", &place[..end])
}

#[cfg(test)]
mod tests {
    #[test]
    fn only_the_database_is_another() {
        for (url, same) in [
            ("postgres://a:b@h:1/postgres", "postgres://a:b@h:1/t"),
            ("postgres://h", "postgres://h/t"),
            (
                "postgresql://h,g:2/x?sslmode=require&schema=app",
                "postgresql://h,g:2/t?sslmode=require&schema=app",
            ),
        ] {
            assert_eq!(super::with_database(url, "t"), same);
        }
    }
}
