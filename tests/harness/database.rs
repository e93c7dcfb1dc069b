//! A database of a test's own, gone with the test.

use crate::raw::{Raw, Rows};
use crate::{Family, Target, over_sqlx};
use std::sync::atomic::{AtomicUsize, Ordering};
use windlass_core::driver::Driver;

/// A windlass session.
pub type Session = Box<dyn Driver>;

/// An empty database on a target.
pub struct Database {
    target: Target,
    name: String,
    folder: tempfile::TempDir,
}

static COUNT: AtomicUsize = AtomicUsize::new(0);

impl Database {
    /// Creates one. Only names with the suite's own prefix are ever created or dropped.
    pub async fn create(target: &Target) -> Self {
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("windlass_test_{}_{number}", std::process::id());
        let folder = tempfile::tempdir().expect("a folder for the test");
        let database = Self { target: target.clone(), name, folder };
        if target.family != Family::Sqlite {
            let create = match target.family {
                // The suite promises nothing about a server's own default collation.
                Family::Postgres => format!("CREATE DATABASE {} TEMPLATE template0", database.name),
                _ => format!("CREATE DATABASE {} CHARACTER SET utf8mb4", database.name),
            };
            let mut server = Raw::connect(target, &target.url).await;
            let _ = server.execute(&format!("DROP DATABASE IF EXISTS {}", database.name)).await;
            server.execute(&create).await.expect("a database for the test");
        }
        database
    }

    /// The target it stands on.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// Its name on the server.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A folder of the test's own.
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// The URL that a user would write.
    pub fn url(&self) -> String {
        if self.target.family == Family::Sqlite {
            return format!("sqlite:{}", self.folder.path().join("test.db").display());
        }
        let (server, _) = self.target.url.rsplit_once('/').expect("a URL with a database");
        format!("{server}/{}", self.name)
    }

    /// Empties it, as if it were just created.
    pub async fn empty(&self) {
        match self.target.family {
            Family::Postgres => {
                let schemas = "SELECT quote_ident(nspname) FROM pg_namespace WHERE nspname NOT LIKE 'pg\\_%' \
                               AND nspname <> 'information_schema'";
                let mut session = self.session().await;
                for schema in session.query(schemas).await.into_iter().flatten().flatten() {
                    session.execute(&format!("DROP SCHEMA {schema} CASCADE")).await.expect("a schema");
                }
                session.execute("CREATE SCHEMA public").await.expect("a schema");
            }
            Family::Sqlite => {
                for ending in ["", "-journal", "-wal", "-shm"] {
                    let _ = std::fs::remove_file(self.folder.path().join(format!("test.db{ending}")));
                }
            }
            Family::MySql | Family::MariaDb => {
                let mut server = Raw::connect(&self.target, &self.target.url).await;
                let name = &self.name;
                let anew = format!("DROP DATABASE {name}; CREATE DATABASE {name} CHARACTER SET utf8mb4");
                server.execute(&anew).await.expect("an empty database");
            }
        }
    }

    /// Opens a windlass session.
    pub async fn connect(&self) -> Session {
        self.try_connect(&self.url()).await.unwrap_or_else(|error| panic!("{}: {error}", self.target))
    }

    /// Opens a windlass session by another URL. Over sqlx few of windlass's own parameters are known.
    ///
    /// # Errors
    /// The driver's error, with its causes.
    pub async fn try_connect(&self, url: &str) -> Result<Session, String> {
        match self.target.over_sqlx {
            true => over_sqlx::connect(self.target.family, url).await,
            false => connect(self.target.family, url).await,
        }
    }

    /// Runs SQL behind windlass's back.
    pub async fn sql(&self, sql: &str) {
        let mut raw = Raw::connect(&self.target, &self.url()).await;
        raw.execute(sql).await.unwrap_or_else(|error| panic!("{}: {sql}: {error}", self.target));
    }

    /// Reads behind windlass's back.
    pub async fn query(&self, sql: &str) -> Rows {
        Raw::connect(&self.target, &self.url()).await.query(sql).await
    }

    /// Reads one value behind windlass's back; empty for NULL and for no row.
    pub async fn value(&self, sql: &str) -> String {
        self.query(sql).await.into_iter().flatten().next().flatten().unwrap_or_default()
    }

    /// The names of its tables, sorted, the history's aside.
    pub async fn tables(&self) -> Vec<String> {
        let sql = match self.target.family {
            Family::Postgres => {
                "SELECT tablename FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
            }
            Family::Sqlite => {
                "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
            }
            _ => {
                "SELECT table_name FROM information_schema.tables WHERE table_schema = database() AND table_type = 'BASE TABLE'"
            }
        };
        let mut names: Vec<String> = self.query(sql).await.into_iter().flatten().flatten().collect();
        names.retain(|name| !name.starts_with("_windlass"));
        names.sort();
        names
    }

    /// Drops it. A test that panics leaves it to the throwaway server's end.
    pub async fn drop(self) {
        if self.target.family != Family::Sqlite {
            let mut server = Raw::connect(&self.target, &self.target.url).await;
            let force = if self.target.family == Family::Postgres { " WITH (FORCE)" } else { "" };
            let _ = server.execute(&format!("DROP DATABASE {}{force}", self.name)).await;
        }
    }
}

async fn connect(family: Family, url: &str) -> Result<Session, String> {
    Ok(match family {
        Family::Postgres => {
            let options = windlass_postgres::Options::parse(url).map_err(|error| told(&error))?;
            Box::new(windlass_postgres::Postgres::connect(&options).await.map_err(|error| told(&error))?)
        }
        Family::MySql | Family::MariaDb => {
            let options = windlass_mysql::Options::parse(url).map_err(|error| told(&error))?;
            Box::new(windlass_mysql::connect(&options).await.map_err(|error| told(&error))?)
        }
        Family::Sqlite => {
            let options =
                windlass_sqlite::Options::parse(url).map_err(|error| told(&error))?.create_database(true);
            Box::new(windlass_sqlite::Sqlite::connect(&options).map_err(|error| told(&error))?)
        }
    })
}

/// An error and its causes.
pub(crate) fn told(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        words += &format!(": {cause}");
        source = cause.source();
    }
    words
}
