//! Which semicolons end a statement, and which stand inside its body.

mod mysql;
mod postgres;
mod sqlite;

use super::Dialect;
use super::lexer::Token;

/// Follows one statement after another, told of every significant token but the semicolons it is
/// asked about.
#[derive(Clone, Debug)]
pub(crate) enum Bodies {
    Postgres(postgres::Body),
    MySql(mysql::Body),
    Sqlite(sqlite::Body),
}

impl Bodies {
    pub(crate) fn new(dialect: Dialect) -> Self {
        match dialect {
            Dialect::Postgres => Bodies::Postgres(postgres::Body::default()),
            Dialect::MySql => Bodies::MySql(mysql::Body::default()),
            Dialect::Sqlite => Bodies::Sqlite(sqlite::Body::default()),
        }
    }

    /// The next statement begins.
    pub(crate) fn reset(&mut self) {
        match self {
            Bodies::Postgres(body) => *body = postgres::Body::default(),
            Bodies::MySql(body) => body.reset(),
            Bodies::Sqlite(body) => *body = sqlite::Body::default(),
        }
    }

    #[inline]
    pub(crate) fn observe(&mut self, token: &Token<'_>) {
        match self {
            Bodies::Postgres(body) => body.observe(token),
            Bodies::MySql(body) => body.observe(token),
            Bodies::Sqlite(body) => body.observe(token),
        }
    }

    /// Takes note of a semicolon: whether it ends the statement.
    #[inline]
    pub(crate) fn semicolon_ends(&mut self, other_delimiter: bool) -> bool {
        match self {
            Bodies::Postgres(body) => body.semicolon_ends(),
            Bodies::MySql(body) => body.semicolon_ends(other_delimiter),
            Bodies::Sqlite(body) => body.semicolon_ends(),
        }
    }

    /// The statement is `COPY … FROM stdin`.
    pub(crate) fn wants_rows(&self) -> bool {
        matches!(self, Bodies::Postgres(body) if body.wants_rows())
    }

    /// What the statement has opened and not closed.
    pub(crate) fn open(&self) -> Option<&'static str> {
        match self {
            Bodies::Postgres(body) => body.open(),
            Bodies::MySql(body) => body.open(),
            Bodies::Sqlite(body) => body.open(),
        }
    }
}

/// Which of a list of keywords a token is.
fn is_any(token: &Token<'_>, keywords: &[&str]) -> bool {
    keywords.iter().any(|keyword| token.is_word(keyword))
}
