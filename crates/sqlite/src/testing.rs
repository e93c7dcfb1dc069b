//! Testing: an application's own tests, each on a migrated file that costs no more than a copy.
//!
//! ```
//! use windlass_sqlite::{Migrations, rusqlite::Connection, testing::migrated_file};
//!
//! static MIGRATIONS: Migrations = windlass_sqlite::migrations!("examples/migrations");
//!
//! let folder = tempfile::tempdir()?;
//! let file = folder.path().join("test.db");
//! migrated_file(&file, &MIGRATIONS)?;
//! let connection = Connection::open(&file)?;
//! connection.execute("INSERT INTO ships (id, name) VALUES (7, 'Anna')", [])?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use crate::{ConnectError, DeployError, Migrations, Options, Sqlite, deploy};
use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// Files as they are once the migrations of a digest are deployed.
static FILES: Mutex<Option<HashMap<String, Vec<u8>>>> = Mutex::new(None);

/// Why there is no file for a test.
///
/// ```
/// use windlass_sqlite::testing::{MigratedFileError, migrated_file};
/// use windlass_sqlite::Migrations;
///
/// static MIGRATIONS: Migrations = windlass_sqlite::migrations!("examples/migrations");
///
/// let folder = tempfile::tempdir()?;
/// let file = folder.path().join("test.db");
/// migrated_file(&file, &MIGRATIONS)?;
/// // A test never runs on what another has left.
/// assert!(matches!(migrated_file(&file, &MIGRATIONS), Err(MigratedFileError::Stands)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MigratedFileError {
    /// A database stands there already.
    #[error("a file stands there already")]
    Stands,
    /// It cannot be opened.
    #[error("the file for a test cannot be opened")]
    Connect(#[from] ConnectError),
    /// The migrations cannot be deployed.
    #[error("the migrations cannot be deployed")]
    Deploy(#[from] DeployError),
    /// It cannot be read or written.
    #[error("the file for a test cannot be read or written")]
    File(#[from] io::Error),
}

/// Makes a database file on which these migrations are deployed. The first time in a process they are, at this place;
/// later it is a copy of what came of that.
///
/// ```
/// use windlass_sqlite::{Migrations, testing::migrated_file};
///
/// static MIGRATIONS: Migrations = windlass_sqlite::migrations!("examples/migrations");
///
/// let folder = tempfile::tempdir()?;
/// for test in ["one.db", "two.db"] {
///     migrated_file(folder.path().join(test), &MIGRATIONS)?;
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// When a file stands there, it cannot be written, or a migration is refused.
pub fn migrated_file(file: impl AsRef<Path>, migrations: &Migrations) -> Result<(), MigratedFileError> {
    let (file, digest) = (file.as_ref(), migrations.digest().to_hex());
    if file.try_exists()? {
        return Err(MigratedFileError::Stands);
    }
    // Tests that run at once wait here for the first of them, and copy then.
    let mut files = FILES.lock().unwrap_or_else(PoisonError::into_inner);
    let files = files.get_or_insert_default();
    if let Some(content) = files.get(&digest) {
        return Ok(fs::write(file, content)?);
    }
    let mut session = Sqlite::connect(&Options::file(file).create_database(true))?;
    deploy(&mut session, migrations)?;
    // What is still in a log beside the file comes into it when its last connection is closed.
    drop(session);
    files.insert(digest, fs::read(file)?);
    Ok(())
}
