//! Inspection: the history, what else the database holds, and whether it can be written to.

use crate::connect::cannot_write;
use crate::error::{cause, is_missing_table, refused};
use crate::history::{HistoryTable, quote};
use crate::lock::Session;
use rusqlite::Connection;
use std::path::Path;
use windlass_core::driver::{Access, Cause, Contents, DriverError, Inspection, Surroundings};
use windlass_core::sql::classify::ObjectName;

pub(crate) fn inspect(
    connection: &Connection,
    table: &HistoryTable,
    asking: Option<&Session>,
    opened_read_only: Option<&str>,
    foreign_keys_enforced: bool,
) -> Result<Inspection, DriverError> {
    crate::at_one_moment(connection, || {
        let history = table.read(connection, asking)?;
        let contents = contents(connection, table).map_err(|error| refused(&error))?;
        let access = access(connection, opened_read_only).map_err(|error| refused(&error))?;
        let history_name = ObjectName { schema: Some("main".to_owned()), name: table.name().to_owned() };
        let surroundings =
            Surroundings { history: Some(history_name), foreign_keys_enforced, ..Surroundings::default() };
        Ok(Inspection { history, contents, access, surroundings })
    })
}

/// The rows of the largest of these tables.
pub(crate) fn count_rows(connection: &Connection, tables: &[ObjectName]) -> Result<u64, Cause> {
    let mut most = 0;
    for ObjectName { schema, name } in tables {
        let place: Vec<String> = schema.iter().chain([name]).map(|part| quote(part)).collect();
        let count = format!("SELECT count(*) FROM {}", place.join("."));
        match connection.query_row(&count, [], |row| row.get::<_, i64>(0)) {
            Err(error) if is_missing_table(&error) => {}
            Err(error) => return Err(cause(error)),
            Ok(rows) => most = most.max(u64::try_from(rows).unwrap_or_default()),
        }
    }
    Ok(most)
}

/// Up to five objects that a user made. SQLite keeps names that begin with `sqlite_` for itself.
fn contents(connection: &Connection, table: &HistoryTable) -> Result<Contents, rusqlite::Error> {
    let mut statement = connection.prepare(
        "SELECT name FROM main.sqlite_master WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\' \
         AND tbl_name <> ?1 COLLATE NOCASE ORDER BY type = 'index', rowid LIMIT 5",
    )?;
    let names = statement.query_map([table.name()], |row| row.get(0))?.collect::<Result<Vec<String>, _>>()?;
    Ok(if names.is_empty() { Contents::Empty } else { Contents::Holds(names) })
}

/// Asked of the file system and the settings: a write, to see whether it works, would stop other writers.
fn access(connection: &Connection, opened_read_only: Option<&str>) -> Result<Access, rusqlite::Error> {
    if let Some(why) = opened_read_only {
        return Ok(Access::ReadOnly(why.to_owned()));
    }
    if connection.query_row("PRAGMA query_only", [], |row| row.get(0))? {
        return Ok(Access::ReadOnly("query_only is on".to_owned()));
    }
    let Some(path) = connection.path().filter(|path| !path.is_empty()).map(Path::new) else {
        return Ok(Access::Writable);
    };
    if let Some(why) = cannot_write(path) {
        return Ok(Access::ReadOnly(format!("{}: {why}", path.display())));
    }
    // The journal is a file beside the database.
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Ok(match cannot_write(folder) {
        Some(why) => Access::ReadOnly(format!("the folder {}: {why}", folder.display())),
        None => Access::Writable,
    })
}
