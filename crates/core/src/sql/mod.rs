//! SQL as text: its tokens, its statements, and what each statement is, per dialect.

mod bodies;
pub mod checksum;
pub mod classify;
pub mod lexer;
pub mod modes;
mod script;
pub mod split;

/// The SQL a script is written in. MySQL and MariaDB share one: their lexical rules agree.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// PostgreSQL, and servers that speak its SQL.
    Postgres,
    /// MySQL and MariaDB.
    MySql,
    /// SQLite.
    Sqlite,
}
