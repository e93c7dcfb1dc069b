//! Survey: other tools' tables, and how the file is written, for the checklist.

use crate::error::refused;
use rusqlite::Connection;
use windlass_core::doctor::{Circumstance, Survey};
use windlass_core::driver::DriverError;
use windlass_core::sql::classify::ObjectName;

pub(crate) fn survey(connection: &Connection, tables: &[&str]) -> Result<Survey, DriverError> {
    read(connection, tables).map_err(|error| refused(&error))
}

fn read(connection: &Connection, tables: &[&str]) -> rusqlite::Result<Survey> {
    let mut all = connection.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")?;
    let all = all.query_map([], |row| row.get::<_, String>(0))?.collect::<rusqlite::Result<Vec<_>>>()?;
    let is_asked_for = |name: &String| tables.iter().any(|table| table.eq_ignore_ascii_case(name));
    let journal: String = connection.query_row("PRAGMA main.journal_mode", [], |row| row.get(0))?;
    let circumstances = (journal == "wal").then_some(Circumstance::WriteAheadLog);
    Ok(Survey {
        tables: all.into_iter().filter(is_asked_for).map(|name| ObjectName { schema: None, name }).collect(),
        circumstances: circumstances.into_iter().collect(),
        ..Survey::default()
    })
}
