//! Settings: what a migration starts from, whatever the one before it set, and what is given back at the end.

use rusqlite::{Connection, Error};

/// The settings every migration starts from. Where there is no value, it is the one the connection came with.
///
/// All are what SQLite itself starts with; a library may be built otherwise (rusqlite's enforces foreign keys),
/// and an application's connection may have been told otherwise.
const PINNED: [(&str, Option<&str>); 12] = [
    ("recursive_triggers", Some("0")),
    ("legacy_alter_table", Some("0")),
    ("ignore_check_constraints", Some("0")),
    ("reverse_unordered_selects", Some("0")),
    ("writable_schema", Some("0")),
    ("defer_foreign_keys", Some("0")),
    ("count_changes", Some("0")),
    ("query_only", None),
    ("trusted_schema", None),
    ("synchronous", None),
    ("locking_mode", None),
    ("busy_timeout", None),
];

/// The settings of a session, as they were found and as they are kept.
#[derive(Debug)]
pub(crate) struct Settings {
    foreign_keys: bool,
    /// Name and value; empty until the first write, so that a mere look pays nothing.
    found: Vec<(&'static str, String)>,
    /// Whether a statement that may change a setting ran since they were last put back.
    touched: bool,
}

impl Settings {
    pub(crate) fn new(foreign_keys: bool) -> Self {
        Self { foreign_keys, found: Vec::new(), touched: false }
    }

    pub(crate) fn enforce_foreign_keys(&mut self, enforced: bool) {
        self.foreign_keys = enforced;
    }

    /// Notes what the connection came with, and pins. Does nothing the second time.
    pub(crate) fn pin(&mut self, connection: &Connection) -> Result<(), Error> {
        if !self.found.is_empty() {
            return Ok(());
        }
        let mut found = Vec::with_capacity(PINNED.len() + 2);
        for name in PINNED.iter().map(|(name, _)| *name).chain(["foreign_keys", "journal_mode"]) {
            // A setting that this SQLite does not have answers nothing.
            if let Some(value) = read(connection, name)? {
                found.push((name, value));
            }
        }
        self.found = found;
        self.touched = true;
        self.restore(connection)
    }

    /// Notes that a statement was run; only a PRAGMA changes a setting.
    pub(crate) fn ran(&mut self, sql: &str) {
        self.touched |= sql.get(..6).is_some_and(|word| word.eq_ignore_ascii_case("pragma"));
    }

    pub(crate) fn touch(&mut self) {
        self.touched = true;
    }

    /// Puts the settings back to the pinned ones.
    pub(crate) fn restore(&mut self, connection: &Connection) -> Result<(), Error> {
        if !self.touched {
            return Ok(());
        }
        let in_transaction = !connection.is_autocommit();
        for (name, found) in &self.found {
            // SQLite refuses these inside a transaction.
            if in_transaction && matches!(*name, "synchronous" | "journal_mode") {
                continue;
            }
            let pinned = PINNED.iter().find(|(pinned, _)| pinned == name).and_then(|(_, value)| *value);
            let foreign_keys = if self.foreign_keys { "1" } else { "0" };
            match *name {
                "foreign_keys" => set(connection, name, foreign_keys)?,
                "journal_mode" => restore_journal(connection, found)?,
                _ => set(connection, name, pinned.unwrap_or(found))?,
            }
        }
        // Inside a transaction foreign_keys keeps its value in silence: then there is more to put back later.
        self.touched = in_transaction;
        Ok(())
    }

    /// Gives the connection back as it came. What cannot be set is left: nobody is there to be told.
    pub(crate) fn give_back(&mut self, connection: &Connection) {
        for (name, value) in self.found.drain(..).filter(|(name, _)| *name != "journal_mode") {
            let _ = set(connection, name, &value);
        }
    }
}

/// A migration may well switch a database to WAL, for good. Without a journal, though, nothing can be rolled
/// back: what one migration chose for its own speed must not reach the next.
fn restore_journal(connection: &Connection, found: &str) -> Result<(), Error> {
    let unsafe_mode = |mode: &str| matches!(mode, "off" | "memory");
    if unsafe_mode(found) {
        return Ok(());
    }
    match read(connection, "journal_mode")? {
        Some(mode) if unsafe_mode(&mode) => set(connection, "journal_mode", found),
        _ => Ok(()),
    }
}

fn read(connection: &Connection, name: &str) -> Result<Option<String>, Error> {
    let mut statement = connection.prepare(&format!("PRAGMA {name}"))?;
    let mut rows = statement.raw_query();
    let Some(row) = rows.next()? else { return Ok(None) };
    let value: rusqlite::types::Value = row.get(0)?;
    Ok(match value {
        rusqlite::types::Value::Integer(number) => Some(number.to_string()),
        rusqlite::types::Value::Text(text) => Some(text),
        _ => None,
    })
}

fn set(connection: &Connection, name: &str, value: &str) -> Result<(), Error> {
    crate::perform::run_to_end(connection, &format!("PRAGMA {name} = {value}"))
}
