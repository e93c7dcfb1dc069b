//! Targets: the databases that the suite runs on, as the environment names them.

use std::fmt;
use std::path::PathBuf;

/// What a promise may depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// PostgreSQL.
    Postgres,
    /// MySQL.
    MySql,
    /// MariaDB.
    MariaDb,
    /// SQLite.
    Sqlite,
}

impl Family {
    /// The table in which MySQL and MariaDB list sessions, whatever letters stand in what they run.
    pub fn sessions(self) -> &'static str {
        if self == Self::MySql { "performance_schema.processlist" } else { "information_schema.processlist" }
    }

    /// What the folders of SQL that it runs are called: MariaDB runs MySQL's.
    pub fn folder(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::MySql | Self::MariaDb => "mysql",
            Self::Sqlite => "sqlite",
        }
    }
}

/// One server (or SQLite) of one version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// As it is written on the command line: `postgres-18`, or `postgres-18+sqlx`.
    pub name: String,
    /// What it is.
    pub family: Family,
    /// The URL of a superuser's session; empty for SQLite.
    pub url: String,
    /// Whether windlass's sessions go over sqlx instead of the database's native client.
    pub over_sqlx: bool,
}

/// What a target's name ends with where it is one over sqlx.
const OVER_SQLX: &str = "+sqlx";

impl Target {
    /// The name of the server alone.
    pub fn server(&self) -> &str {
        self.name.trim_end_matches(OVER_SQLX)
    }
}

impl Target {
    /// A folder of the server's programs, where they are on this machine.
    pub fn programs(&self) -> Option<PathBuf> {
        std::env::var_os(format!("{}_PROGRAMS", variable(&self.name))).map(PathBuf::from)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// The targets named by `WINDLASS_TEST_TARGETS`, each with its `WINDLASS_TEST_<NAME>` URL.
///
/// # Errors
/// Says what is missing: a target is never left out in silence.
pub fn targets() -> Result<Vec<Target>, String> {
    let names = std::env::var("WINDLASS_TEST_TARGETS").map_err(
        |_| "WINDLASS_TEST_TARGETS is not set: run `cargo xtask test`, which provides the databases",
    )?;
    names.split(',').map(str::trim).filter(|name| !name.is_empty()).map(target).collect()
}

/// In which its URL is given.
fn variable(server: &str) -> String {
    format!("WINDLASS_TEST_{}", server.to_uppercase().replace(['-', '.'], "_"))
}

fn target(name: &str) -> Result<Target, String> {
    let over_sqlx = name.ends_with(OVER_SQLX);
    let server = name.trim_end_matches(OVER_SQLX);
    let family = match server.split('-').next() {
        Some("postgres") => Family::Postgres,
        Some("mysql") => Family::MySql,
        Some("mariadb") => Family::MariaDb,
        Some("sqlite") => Family::Sqlite,
        _ => return Err(format!("unknown target `{name}`")),
    };
    let variable = variable(server);
    let url = match family {
        Family::Sqlite => String::new(),
        _ => {
            std::env::var(&variable).map_err(|_| format!("{variable} is not set for the target `{name}`"))?
        }
    };
    Ok(Target { name: name.to_owned(), family, url, over_sqlx })
}
