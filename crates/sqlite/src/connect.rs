//! Connecting: opening a file, and saying why it cannot be opened.

use crate::error::database_error;
use crate::options::{Mode, Options};
use rusqlite::{Connection, OpenFlags};
use std::path::{Path, PathBuf};
use windlass_core::driver::DatabaseError;

/// Why a database cannot be opened.
///
/// Whether the file holds a SQLite database at all is only seen when it is first read: a look that
/// costs as much as the question whether anything is to do is not taken twice.
///
/// ```
/// use windlass_sqlite::{ConnectError, Options, Sqlite};
///
/// let folder = tempfile::tempdir()?;
/// let file = Options::file(folder.path().join("shop.db"));
/// let missing = Sqlite::connect(&file).expect_err("not created");
/// assert!(matches!(missing, ConnectError::Missing { .. }));
/// assert!(missing.to_string().ends_with("`Options::create_database`, or `mode=rwc` in the URL, creates it"));
/// let session = Sqlite::connect(&file.create_database(true))?;
/// # drop(session);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The file does not exist, and was not to be created.
    #[error("there is no file `{}`; `Options::create_database`, or `mode=rwc` in the URL, creates it", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// The folder that the file would be in does not exist.
    #[error("there is no folder `{}` for the database `{}`", folder.display(), path.display())]
    NoFolder {
        /// The file.
        path: PathBuf,
        /// Its folder.
        folder: PathBuf,
    },
    /// The path leads to a folder.
    #[error("`{}` is a folder, not a database file", path.display())]
    IsFolder {
        /// The path.
        path: PathBuf,
    },
    /// The file may not be opened by this user.
    #[error("`{}` may not be opened by this user", path.display())]
    Denied {
        /// The file.
        path: PathBuf,
        /// SQLite's words.
        source: DatabaseError,
    },
    /// SQLite cannot open it for another reason.
    #[error("`{place}` cannot be opened")]
    Refused {
        /// The file, or `:memory:`.
        place: String,
        /// SQLite's words.
        source: DatabaseError,
    },
}

/// Opens the database, and asks nothing of it yet.
pub(crate) fn open(options: &Options) -> Result<Connection, ConnectError> {
    let opened = match options.path() {
        None => Connection::open_in_memory(),
        Some(path) => Connection::open_with_flags(not_an_uri(path), flags(options.mode())),
    };
    let opened = opened.and_then(|connection| {
        connection.busy_timeout(options.waits())?;
        Ok(connection)
    });
    opened.map_err(|error| diagnose(options, database_error(&error)))
}

fn flags(mode: Mode) -> OpenFlags {
    // A connection is used by one thread at a time, so SQLite need not guard it.
    OpenFlags::SQLITE_OPEN_NO_MUTEX
        | match mode {
            Mode::ReadOnly => OpenFlags::SQLITE_OPEN_READ_ONLY,
            Mode::ReadWrite => OpenFlags::SQLITE_OPEN_READ_WRITE,
            Mode::Create => OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
        }
}

/// SQLite can be built to read any name that begins with `file:` as a URI: a file may have that name.
fn not_an_uri(path: &Path) -> PathBuf {
    if path.to_string_lossy().starts_with("file:") { Path::new(".").join(path) } else { path.to_path_buf() }
}

/// SQLite says "unable to open database file" to everything; the file system knows more.
fn diagnose(options: &Options, source: DatabaseError) -> ConnectError {
    let refused = |source| ConnectError::Refused { place: options.to_string(), source };
    let Some(path) = options.path().map(Path::to_path_buf) else { return refused(source) };
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_path_buf(),
        _ => PathBuf::from("."),
    };
    match std::fs::metadata(&path).map_err(|error| error.kind()) {
        Ok(found) if found.is_dir() => ConnectError::IsFolder { path },
        Ok(_) if !is_readable(&path) => ConnectError::Denied { path, source },
        Err(std::io::ErrorKind::PermissionDenied) => ConnectError::Denied { path, source },
        Err(std::io::ErrorKind::NotFound) if !folder.exists() => ConnectError::NoFolder { path, folder },
        Err(std::io::ErrorKind::NotFound) if options.mode() != Mode::Create => ConnectError::Missing { path },
        Err(std::io::ErrorKind::NotFound) if cannot_write(&folder).is_some() => {
            ConnectError::Denied { path, source }
        }
        _ => refused(source),
    }
}

/// Asked without opening the file: closing it would drop the locks that this process holds on it.
#[cfg(unix)]
fn is_readable(path: &Path) -> bool {
    rustix::fs::access(path, rustix::fs::Access::READ_OK).is_ok()
}

#[cfg(not(unix))]
fn is_readable(_: &Path) -> bool {
    true
}

/// Why the file or folder cannot be written to.
#[cfg(unix)]
pub(crate) fn cannot_write(path: &Path) -> Option<String> {
    use rustix::io::Errno;
    let why = match rustix::fs::access(path, rustix::fs::Access::WRITE_OK) {
        Err(Errno::ACCESS) => "permission denied",
        Err(Errno::ROFS) => "read-only file system",
        Err(Errno::PERM) => "operation not permitted",
        _ => return None,
    };
    Some(why.to_owned())
}

/// Why the file or folder cannot be written to.
#[cfg(not(unix))]
pub(crate) fn cannot_write(path: &Path) -> Option<String> {
    let read_only =
        std::fs::metadata(path).is_ok_and(|found| found.is_file() && found.permissions().readonly());
    read_only.then(|| "the file is marked read-only".to_owned())
}
