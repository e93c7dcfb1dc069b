//! Foreign keys: which references point at no row, and which of them are new.

use rusqlite::{Connection, Error};
use std::collections::BTreeMap;

/// How many are told one by one.
const SHOWN: usize = 20;

/// References without target, each in words, and how often: one row may refer to a table twice.
#[derive(Debug, Default)]
pub(crate) struct Dangling(BTreeMap<String, usize>);

impl Dangling {
    /// Looks through every table of the database.
    pub(crate) fn find(connection: &Connection) -> Result<Self, Error> {
        let mut found = Self::default();
        for table in tables(connection)? {
            // A key that cannot be checked, its parent lacking the unique index, must not hide the other tables.
            if let Err(error) = found.look_through(connection, &table) {
                let message = crate::error::database_error(&error).message;
                found.add(format!("{table}: {message}"));
            }
        }
        Ok(found)
    }

    fn look_through(&mut self, connection: &Connection, table: &str) -> Result<(), Error> {
        let sql = format!("PRAGMA main.foreign_key_check({})", crate::history::quote(table));
        let mut statement = connection.prepare(&sql)?;
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next()? {
            let (rowid, parent): (Option<i64>, String) = (row.get(1)?, row.get(2)?);
            let row = rowid.map_or_else(|| "a row".to_owned(), |rowid| format!("row {rowid}"));
            self.add(format!("{table}: {row} refers to a row of {parent} that does not exist"));
        }
        Ok(())
    }

    fn add(&mut self, line: String) {
        *self.0.entry(line).or_default() += 1;
    }

    /// Those that were not there before, in words.
    pub(crate) fn since(&self, before: &Self) -> Vec<String> {
        let is_new = |(line, count): &(&String, &usize)| before.0.get(*line).is_none_or(|old| old < *count);
        let mut new: Vec<String> = self.0.iter().filter(is_new).map(|(line, _)| line.clone()).collect();
        if new.len() > SHOWN {
            let more = new.len() - SHOWN;
            new.truncate(SHOWN);
            new.push(format!("… and {more} more"));
        }
        new
    }
}

fn tables(connection: &Connection) -> Result<Vec<String>, Error> {
    let mut statement =
        connection.prepare("SELECT name FROM main.sqlite_master WHERE type = 'table' ORDER BY name")?;
    let names = statement.query_map([], |row| row.get(0))?;
    names.collect()
}
