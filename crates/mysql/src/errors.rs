//! Errors: why there is no connection, and the server's words made data.

use crate::transport::TransportError;
use windlass_core::driver::{DatabaseError, DriverError};

/// Why there is no connection. None of these holds a password.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use windlass_mysql::{ConnectError, Options, connect, create_database};
///
/// let options = Options::parse("mysql://app@db.example/shop")?;
/// let session = match connect(&options).await {
///     Err(ConnectError::MissingDatabase { .. }) => {
///         create_database(&options).await?;
///         connect(&options).await?
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
        /// Hosts and ports, or the socket.
        place: String,
        /// Why, of the last one tried.
        reason: String,
    },
    /// User and password do not match, or the user may not come from here.
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
    /// The user may not use, or not create, the database.
    #[error("user `{user}` has no right to database `{database}` at {place}")]
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
    /// The options name no database.
    #[error("the URL names no database; write it behind the host: mysql://{place}/name")]
    NoDatabaseNamed {
        /// Host and port, or the socket.
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

/// The server's words as they came.
pub(crate) fn database_error(code: u16, state: &str, message: &str) -> DatabaseError {
    DatabaseError {
        message: message.to_owned(),
        code: Some(format!("{code} ({state})")),
        ..DatabaseError::default()
    }
}

/// The words for a statement that wants a file of this machine.
pub(crate) fn local_file() -> DatabaseError {
    DatabaseError {
        message: "LOAD DATA LOCAL INFILE asks for a file of this machine, which is not sent".to_owned(),
        hint: Some("write the rows as INSERT statements".to_owned()),
        ..DatabaseError::default()
    }
}

/// What a failed statement's error says, with its place in the statement where that can be told.
pub(crate) fn statement_error(
    code: u16,
    state: &str,
    message: &str,
    sql: &str,
    secret: bool,
) -> DatabaseError {
    let message = without_what_follows(message);
    let mut error = database_error(code, state, &message);
    if let Some((near, line)) = near(&message) {
        error.line = Some(line);
        error.position = locate(sql, near, line);
    }
    if secret { error.without_quotations() } else { error }
}

/// The separator between the statements of a message.
pub(crate) const SEPARATOR: &str = "\n;\n";

/// The server quotes a syntax error's surroundings, and reads on into the statement that follows in the message.
fn without_what_follows(message: &str) -> String {
    let (Some(start), Some(end)) = (message.find(SEPARATOR), message.rfind("' at line ")) else {
        return message.to_owned();
    };
    if start < end { format!("{}{}", &message[..start], &message[end..]) } else { message.to_owned() }
}

/// The text and the line of `… near 'text' at line 3`.
fn near(message: &str) -> Option<(&str, u32)> {
    let (before, line) = message.rsplit_once("' at line ")?;
    let (_, near) = before.split_once("near '")?;
    Some((near, line.trim().parse().ok()?))
}

/// Where the quoted text stands in the statement: on its line, if it stands there once.
fn locate(sql: &str, near: &str, line: u32) -> Option<usize> {
    if near.is_empty() {
        return Some(sql.trim_end().len());
    }
    let start = match line {
        0 | 1 => 0,
        _ => sql.match_indices('\n').nth(line as usize - 2)?.0 + 1,
    };
    let end = sql[start..].find('\n').map_or(sql.len(), |length| start + length);
    let mut places = sql[start..].match_indices(near).map(|(at, _)| start + at).take_while(|&at| at < end);
    let first = places.next()?;
    places.next().is_none().then_some(first)
}

/// Transaction characteristics can't be changed while a transaction is in progress. A migration's own statement is told of
/// by another way.
pub(crate) const IN_TRANSACTION: u16 = 1568;

/// Whether the server ends the session with this error: what was under way is then unknown.
pub(crate) fn ends_session(code: u16) -> bool {
    const SERVER_SHUTDOWN: u16 = 1053;
    const FORCING_CLOSE: u16 = 1080;
    const CONNECTION_KILLED: u16 = 1927;
    const CLIENT_INTERACTION_TIMEOUT: u16 = 4031;
    [SERVER_SHUTDOWN, FORCING_CLOSE, CONNECTION_KILLED, CLIENT_INTERACTION_TIMEOUT].contains(&code)
}

impl From<TransportError> for DriverError {
    fn from(error: TransportError) -> Self {
        match error {
            TransportError::Server { code, message, .. } if ends_session(code) => Self::Lost(message),
            TransportError::Server { code: IN_TRANSACTION, .. } => Self::InTransaction,
            TransportError::Server { code, state, message } => {
                Self::Refused(database_error(code, &state, &message))
            }
            TransportError::LocalFile => Self::Refused(local_file()),
            TransportError::NoTls => Self::Lost("the server offers no encryption".to_owned()),
            TransportError::Tls(reason) | TransportError::Lost(reason) => Self::Lost(reason),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SYNTAX: &str =
        "You have an error in your SQL syntax; check the manual for the right syntax to use near ";

    #[test]
    fn a_syntax_error_has_its_line_and_its_place() {
        let sql = "CREATE TABLE t (\n  id int,\n  nmae varchr(10)\n)";
        let message = format!("{SYNTAX}'varchr(10)\n)\n;\nUPDATE `x`' at line 3");
        let error = statement_error(1064, "42000", &message, sql, false);
        assert_eq!(error.line, Some(3));
        assert_eq!(error.position, sql.find("varchr"));
        assert!(error.message.ends_with("near 'varchr(10)\n)' at line 3"), "{}", error.message);
        assert_eq!(error.code.as_deref(), Some("1064 (42000)"));
    }

    #[test]
    fn a_place_that_is_not_certain_is_not_told() {
        let message = format!("{SYNTAX}'x' at line 1");
        assert_eq!(statement_error(1064, "42000", &message, "x x", false).position, None);
    }

    #[test]
    fn a_secret_is_not_quoted() {
        let sql = "CREATE USER u IDENTIFIED BY 'hunter2' oops";
        let message = format!("{SYNTAX}''hunter2' oops' at line 1");
        let error = statement_error(1064, "42000", &message, sql, true);
        assert!(!error.message.contains("hunter2"));
        assert_eq!(error.line, Some(1));
    }
}
