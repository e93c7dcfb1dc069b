//! Errors: why there is no session, and the server's words made data.

use crate::tls::TlsError;
use crate::transport::{Told, TransportError};
use std::path::{Path, PathBuf};
use windlass_core::driver::{DatabaseError, DriverError};

/// SQLSTATE codes that mean something here.
pub(crate) mod code {
    pub(crate) const UNIQUE_VIOLATION: &str = "23505";
    pub(crate) const DIVISION_BY_ZERO: &str = "22012";
    pub(crate) const UNDEFINED_TABLE: &str = "42P01";
    pub(crate) const UNDEFINED_COLUMN: &str = "42703";
    pub(crate) const UNDEFINED_SCHEMA: &str = "3F000";
    pub(crate) const UNDEFINED_PARAMETER: &str = "42704";
    pub(crate) const INVALID_PARAMETER: &str = "22023";
    pub(crate) const PROTOCOL_VIOLATION: &str = "08P01";
    pub(crate) const FEATURE_NOT_SUPPORTED: &str = "0A000";
    pub(crate) const IN_FAILED_TRANSACTION: &str = "25P02";
    pub(crate) const LOCK_NOT_AVAILABLE: &str = "55P03";
    pub(crate) const DEADLOCK: &str = "40P01";
    pub(crate) const NOT_SERIALIZABLE: &str = "40001";
    pub(crate) const QUERY_CANCELED: &str = "57014";
    pub(crate) const WRONG_PASSWORD: &str = "28P01";
    pub(crate) const NOT_AUTHORIZED: &str = "28000";
    pub(crate) const MISSING_DATABASE: &str = "3D000";
    pub(crate) const DUPLICATE_DATABASE: &str = "42P04";
    pub(crate) const NO_RIGHT: &str = "42501";
    pub(crate) const CANNOT_CONNECT_NOW: &str = "57P03";
    pub(crate) const TOO_MANY_CONNECTIONS: &str = "53300";
}

/// Why a password file is no help.
fn told(file: &Path) -> String {
    format!(
        "; the password file {} is not used: it has to be readable, and by nobody else (`chmod 600`)",
        file.display()
    )
}

/// Why there is no session. None of these holds a password.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use windlass_postgres::{ConnectError, Options, Postgres};
///
/// let options = Options::parse("postgres://app@db.example/shop")?;
/// let session = match Postgres::connect(&options).await {
///     Err(ConnectError::MissingDatabase { .. }) => {
///         Postgres::create_database(&options).await?;
///         Postgres::connect(&options).await?
///     }
///     session => session?,
/// };
/// # drop(session); Ok(()) }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// No server answers at any of the places.
    #[error("no server answers at {place}: {reason}")]
    Unreachable {
        /// Hosts and ports, or sockets.
        place: String,
        /// Why, of the last one tried.
        reason: String,
    },
    /// User and password do not match.
    #[error("{place} refused the password of user `{user}`")]
    WrongPassword {
        /// Host and port, or the socket.
        place: String,
        /// The user.
        user: String,
        /// The server's words.
        #[source]
        source: DatabaseError,
    },
    /// The server asks for a password, and none is given.
    #[error("{place} asks for a password of user `{user}`, and none is given{}", unused_file.as_deref().map(told).unwrap_or_default())]
    NoPassword {
        /// Host and port, or the socket.
        place: String,
        /// The user.
        user: String,
        /// The password file, where it is not used since others may read it, or cannot be read.
        unused_file: Option<PathBuf>,
    },
    /// The database does not exist.
    #[error("there is no database `{database}` at {place}")]
    MissingDatabase {
        /// Host and port, or the socket.
        place: String,
        /// The database.
        database: String,
        /// The server's words.
        #[source]
        source: DatabaseError,
    },
    /// The user may not log in from here, or not use or create the database.
    #[error("user `{user}` has no access to {place}/{database}")]
    NoAccess {
        /// Host and port, or the socket.
        place: String,
        /// The user.
        user: String,
        /// The database.
        database: String,
        /// The server's words.
        #[source]
        source: DatabaseError,
    },
    /// All connections of the server are taken.
    #[error("{place} has no connection left")]
    TooManyConnections {
        /// Host and port, or the socket.
        place: String,
        /// The server's words.
        #[source]
        source: DatabaseError,
    },
    /// No server is of the kind that was asked for.
    #[error("no server at {place} is what `target_session_attrs` asks for")]
    NoSuchTarget {
        /// Hosts and ports, or sockets.
        place: String,
    },
    /// The connection could not be encrypted as asked, or the server's certificate is not trusted.
    #[error("no encrypted connection to {place}: {reason}")]
    Tls {
        /// Host and port.
        place: String,
        /// Why.
        reason: String,
    },
    /// What encryption needs is not there.
    #[error("no encrypted connection can be made")]
    TlsSettings(#[from] TlsError),
    /// The server refused for another reason.
    #[error("{place} refused the connection")]
    Refused {
        /// Host and port, or the socket.
        place: String,
        /// The server's words.
        #[source]
        source: DatabaseError,
    },
}

/// The server's words about `sql`, or about a text that is not the user's.
pub(crate) fn database_error(told: &Told, sql: Option<&str>) -> DatabaseError {
    let inner = told
        .inner
        .as_ref()
        .map(|(query, position)| format!("in the query `{query}` at character {position}"));
    let named = [("table", &told.table), ("column", &told.column), ("constraint", &told.constraint)];
    let named = named.iter().filter_map(|(what, name)| name.as_ref().map(|name| format!("{what} {name}")));
    let named = Some(named.collect::<Vec<_>>().join(", ")).filter(|named| !named.is_empty());
    let context = [told.place.clone(), inner, named];
    let context = context.into_iter().flatten().collect::<Vec<_>>().join("\n");
    DatabaseError {
        message: told.message.clone(),
        code: Some(told.code.clone()).filter(|code| !code.is_empty()),
        detail: told.detail.clone(),
        hint: told.hint.clone(),
        context: Some(context).filter(|context| !context.is_empty()),
        position: sql.zip(told.position).and_then(|(sql, position)| byte_offset(sql, position)),
        line: None,
    }
}

/// Characters from 1 become bytes from 0; the place behind the last character is one too.
fn byte_offset(sql: &str, position: u32) -> Option<usize> {
    let index = usize::try_from(position).ok()?.checked_sub(1)?;
    sql.char_indices().map(|(offset, _)| offset).chain([sql.len()]).nth(index)
}

/// Words of this driver's own.
pub(crate) fn own_words(message: impl Into<String>) -> DatabaseError {
    DatabaseError { message: message.into(), ..DatabaseError::default() }
}

impl From<TransportError> for DriverError {
    fn from(error: TransportError) -> Self {
        match error {
            TransportError::Told(told) if told.is_fatal => Self::Lost(told.message),
            TransportError::Told(told) => Self::Refused(database_error(&told, None)),
            TransportError::Lost(words) | TransportError::Tls(words) => Self::Lost(words),
            TransportError::Unusable(words) => Self::Refused(own_words(words)),
        }
    }
}

impl TransportError {
    /// The code of the server's words.
    pub(crate) fn code(&self) -> Option<&str> {
        match self {
            Self::Told(told) => Some(&told.code),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_in_characters_becomes_one_in_bytes() {
        assert_eq!(byte_offset("SELECT 'ü', x", 13), Some(13));
        assert_eq!(byte_offset("SELECT 'ü', x", 14), Some(14));
        assert_eq!(byte_offset("ü", 1), Some(0));
        assert_eq!(byte_offset("ü", 2), Some(2));
        assert_eq!(byte_offset("ü", 3), None);
        assert_eq!(byte_offset("ü", 0), None);
    }

    #[test]
    fn what_arose_inside_a_function_is_told_as_context() {
        let told = Told {
            message: "no".to_owned(),
            place: Some("PL/pgSQL function f() line 3".to_owned()),
            inner: Some(("SELECT x".to_owned(), 8)),
            constraint: Some("c".to_owned()),
            ..Told::default()
        };
        let error = database_error(&told, Some("DO …"));
        let expected = "PL/pgSQL function f() line 3\nin the query `SELECT x` at character 8\nconstraint c";
        assert_eq!((error.context.as_deref(), error.position), (Some(expected), None));
    }
}
