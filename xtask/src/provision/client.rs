//! The databases' own client programs, for comparing schemas with what they make.

use anyhow::{Context, Result, bail};

use super::Attempts;
use super::apt::{self, Sysroot};
use super::cache::Cache;
use super::program::{Program, installed, version_numbers};
use crate::workspace;

/// A client program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tool {
    /// PostgreSQL's shell, of version 18 or later.
    Psql,
    /// PostgreSQL's dump, of version 18 or later: it reads every older server.
    PgDump,
    /// MySQL's own shell.
    Mysql,
    /// MySQL's own dump.
    Mysqldump,
    /// MariaDB's shell.
    Mariadb,
    /// MariaDB's dump.
    MariadbDump,
    /// SQLite's shell.
    Sqlite3,
}

impl Tool {
    /// Every tool.
    pub(crate) const ALL: [Tool; 7] = [
        Tool::Psql,
        Tool::PgDump,
        Tool::Mysql,
        Tool::Mysqldump,
        Tool::Mariadb,
        Tool::MariadbDump,
        Tool::Sqlite3,
    ];
}

/// Where a tool is found and what makes it good enough.
struct Recipe {
    name: &'static str,
    lowest: (u32, u32),
    /// A word that the version must not hold: MariaDB also installs itself under MySQL's names.
    never: &'static str,
    entry: &'static str,
    suite: &'static str,
    packages: &'static [&'static str],
    inside: &'static str,
}

/// The words that start a tool: installed where it is good enough, else from a cached sysroot.
pub(crate) fn client_tool(tool: Tool) -> Result<Program> {
    let recipe = tool.recipe();
    let cache = Cache::open(workspace::testdb_folder()?)?;
    let mut attempts = Attempts::default();
    if let Some(program) = attempts.note("installed programs", recipe.installed()) {
        return Ok(program);
    }
    let fetched = cache.entry(recipe.entry, |part| apt::fill(part, recipe.suite, recipe.packages));
    let in_sysroot = fetched.and_then(|root| {
        let program = Sysroot::at(root).program(recipe.inside);
        recipe.check(&program)?;
        Ok(program)
    });
    match attempts.note("apt sysroot", in_sysroot) {
        Some(program) => Ok(program),
        None => Err(attempts.into_error().context(format!("{} could not be provided", recipe.name))),
    }
}

impl Recipe {
    fn installed(&self) -> Result<Program> {
        let path = installed(self.name).with_context(|| format!("no {} is installed", self.name))?;
        let program = Program::plain(path);
        self.check(&program)?;
        Ok(program)
    }

    fn check(&self, program: &Program) -> Result<()> {
        let version = program.version()?;
        let unwanted = !self.never.is_empty() && version.contains(self.never);
        match version_numbers(version.rsplit_once("Distrib").map_or(version.as_str(), |(_, after)| after)) {
            Some(found) if found >= self.lowest && !unwanted => Ok(()),
            _ => bail!("{} is {version}; wanted is {}.{} or later", self.name, self.lowest.0, self.lowest.1),
        }
    }
}

impl Tool {
    fn recipe(self) -> Recipe {
        let postgres = |name, inside| Recipe {
            name,
            lowest: (18, 0),
            never: "",
            entry: "postgres-client-sysroot",
            suite: "sid",
            packages: &["postgresql-client-18"],
            inside,
        };
        let mysql = |name, inside| Recipe {
            name,
            lowest: (8, 0),
            never: "MariaDB",
            entry: "mysql-client-sysroot",
            suite: "sid",
            packages: &["mysql-client-core"],
            inside,
        };
        let mariadb = |name, inside| Recipe {
            name,
            lowest: (10, 11),
            never: "",
            entry: "mariadb-client-sysroot",
            suite: "trixie",
            packages: &["mariadb-client-core", "mariadb-client"],
            inside,
        };
        match self {
            Tool::Psql => postgres("psql", "/usr/lib/postgresql/18/bin/psql"),
            Tool::PgDump => postgres("pg_dump", "/usr/lib/postgresql/18/bin/pg_dump"),
            Tool::Mysql => mysql("mysql", "/usr/bin/mysql"),
            Tool::Mysqldump => mysql("mysqldump", "/usr/bin/mysqldump"),
            Tool::Mariadb => mariadb("mariadb", "/usr/bin/mariadb"),
            Tool::MariadbDump => mariadb("mariadb-dump", "/usr/bin/mariadb-dump"),
            Tool::Sqlite3 => Recipe {
                name: "sqlite3",
                // Its library has the functions that histories of today call (`unhex`).
                lowest: (3, 41),
                never: "",
                entry: "sqlite3-sysroot",
                suite: "trixie",
                packages: &["sqlite3"],
                inside: "/usr/bin/sqlite3",
            },
        }
    }
}
