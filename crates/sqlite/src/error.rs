//! SQLite's errors in the words of the contract.

use rusqlite::{Error, ffi};
use windlass_core::driver::{Cause, DatabaseError, DriverError, Holder};

/// What SQLite said, with its extended code and the offset into the statement.
///
/// The text of the statement, which rusqlite adds to its own message, is left out.
pub(crate) fn database_error(error: &Error) -> DatabaseError {
    let (failure, message, position) = match error {
        Error::SqliteFailure(failure, message) => (Some(failure), message.clone(), None),
        #[cfg(feature = "bundled")]
        Error::SqlInputError { error, msg, offset, .. } => {
            (Some(error), Some(msg.clone()), usize::try_from(*offset).ok())
        }
        // Where another crate turned a feature of rusqlite on, the variant above exists and cannot be named here.
        other => (std::error::Error::source(other).and_then(|source| source.downcast_ref()), None, None),
    };
    let Some(failure) = failure else {
        return DatabaseError { message: error.to_string(), ..DatabaseError::default() };
    };
    let code = failure.extended_code;
    DatabaseError {
        message: message.unwrap_or_else(|| ffi::code_to_str(code).to_owned()),
        code: Some(name_with_number(code)),
        hint: hint(code).map(str::to_owned),
        position,
        ..DatabaseError::default()
    }
}

/// The same, saying nothing that the statement's text could have put there.
pub(crate) fn secret_error(error: &Error) -> DatabaseError {
    let told = database_error(error);
    let message = extended_code(error).map_or("the statement was refused", ffi::code_to_str).to_owned();
    DatabaseError { message, code: told.code, position: told.position, ..DatabaseError::default() }
}

/// The extended result code, where SQLite itself said no.
pub(crate) fn extended_code(error: &Error) -> Option<i32> {
    let source = std::error::Error::source(error)?;
    source.downcast_ref::<ffi::Error>().map(|failure| failure.extended_code)
}

pub(crate) fn primary_code(error: &Error) -> Option<i32> {
    extended_code(error).map(|code| code & 0xff)
}

pub(crate) fn is_busy(error: &Error) -> bool {
    primary_code(error) == Some(ffi::SQLITE_BUSY)
}

/// SQLite has no code of its own for this.
pub(crate) fn is_missing_table(error: &Error) -> bool {
    primary_code(error) == Some(ffi::SQLITE_ERROR)
        && database_error(error).message.starts_with("no such table")
}

pub(crate) fn refused(error: &Error) -> DriverError {
    DriverError::Refused(database_error(error))
}

pub(crate) fn cause(error: Error) -> Cause {
    if is_busy(&error) { Cause::Busy(another_writer()) } else { Cause::Refused(database_error(&error)) }
}

/// SQLite does not say which connection holds a file.
pub(crate) fn another_writer() -> Holder {
    Holder {
        who: Some("a connection of this or another program".to_owned()),
        running: Some("a transaction that writes".to_owned()),
        ..Holder::default()
    }
}

/// A refusal of this driver's own.
pub(crate) fn own_words(message: &str) -> DatabaseError {
    DatabaseError { message: message.to_owned(), ..DatabaseError::default() }
}

fn hint(code: i32) -> Option<&'static str> {
    match code & 0xff {
        ffi::SQLITE_NOTADB => {
            Some("the file holds something else than a SQLite database, or it is encrypted")
        }
        ffi::SQLITE_BUSY => Some("another connection holds the lock, longer than busy_timeout waits"),
        ffi::SQLITE_FULL => {
            Some("there is no room left on the disk, or the database reached its max_page_count")
        }
        _ => None,
    }
}

fn name_with_number(code: i32) -> String {
    let name = |wanted: i32| NAMES.iter().find(|(number, _)| *number == wanted).map(|(_, name)| *name);
    match name(code).or_else(|| name(code & 0xff)) {
        Some(name) => format!("SQLITE_{name} ({code})"),
        None => code.to_string(),
    }
}

/// Result codes are part of SQLite's stable interface: a number never changes its meaning.
const NAMES: [(i32, &str); 63] = [
    (1, "ERROR"),
    (2, "INTERNAL"),
    (3, "PERM"),
    (4, "ABORT"),
    (5, "BUSY"),
    (6, "LOCKED"),
    (7, "NOMEM"),
    (8, "READONLY"),
    (9, "INTERRUPT"),
    (10, "IOERR"),
    (11, "CORRUPT"),
    (12, "NOTFOUND"),
    (13, "FULL"),
    (14, "CANTOPEN"),
    (15, "PROTOCOL"),
    (17, "SCHEMA"),
    (18, "TOOBIG"),
    (19, "CONSTRAINT"),
    (20, "MISMATCH"),
    (21, "MISUSE"),
    (22, "NOLFS"),
    (23, "AUTH"),
    (25, "RANGE"),
    (26, "NOTADB"),
    (257, "ERROR_MISSING_COLLSEQ"),
    (261, "BUSY_RECOVERY"),
    (262, "LOCKED_SHAREDCACHE"),
    (264, "READONLY_RECOVERY"),
    (266, "IOERR_READ"),
    (267, "CORRUPT_VTAB"),
    (275, "CONSTRAINT_CHECK"),
    (516, "ABORT_ROLLBACK"),
    (517, "BUSY_SNAPSHOT"),
    (520, "READONLY_CANTLOCK"),
    (522, "IOERR_SHORT_READ"),
    (526, "CANTOPEN_ISDIR"),
    (531, "CONSTRAINT_COMMITHOOK"),
    (773, "BUSY_TIMEOUT"),
    (776, "READONLY_ROLLBACK"),
    (778, "IOERR_WRITE"),
    (779, "CORRUPT_INDEX"),
    (782, "CANTOPEN_FULLPATH"),
    (787, "CONSTRAINT_FOREIGNKEY"),
    (1032, "READONLY_DBMOVED"),
    (1034, "IOERR_FSYNC"),
    (1043, "CONSTRAINT_FUNCTION"),
    (1288, "READONLY_CANTINIT"),
    (1290, "IOERR_DIR_FSYNC"),
    (1299, "CONSTRAINT_NOTNULL"),
    (1544, "READONLY_DIRECTORY"),
    (1546, "IOERR_TRUNCATE"),
    (1555, "CONSTRAINT_PRIMARYKEY"),
    (1802, "IOERR_FSTAT"),
    (1811, "CONSTRAINT_TRIGGER"),
    (2067, "CONSTRAINT_UNIQUE"),
    (2323, "CONSTRAINT_VTAB"),
    (2570, "IOERR_DELETE"),
    (2579, "CONSTRAINT_ROWID"),
    (2835, "CONSTRAINT_PINNED"),
    (3091, "CONSTRAINT_DATATYPE"),
    (3338, "IOERR_ACCESS"),
    (3850, "IOERR_LOCK"),
    (6410, "IOERR_GETTEMPPATH"),
];
