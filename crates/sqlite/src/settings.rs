//! Settings: what a migration starts from, whatever the one before it set, and what is given back at the end.

use rusqlite::{Connection, Error, ffi};
use windlass_core::sql::Dialect;
use windlass_core::sql::lexer::tokens;

/// The settings every migration starts from. Where there is no value, it is the one the connection came with.
///
/// All are what SQLite itself starts with; a library may be built otherwise (rusqlite's enforces foreign keys),
/// and an application's connection may have been told otherwise.
const PINNED: [(&str, Option<&str>); 14] = [
    ("recursive_triggers", Some("0")),
    ("legacy_alter_table", Some("0")),
    ("ignore_check_constraints", Some("0")),
    ("reverse_unordered_selects", Some("0")),
    ("writable_schema", Some("0")),
    ("defer_foreign_keys", Some("0")),
    ("count_changes", Some("0")),
    ("short_column_names", Some("1")),
    ("full_column_names", Some("0")),
    ("query_only", None),
    ("trusted_schema", None),
    ("synchronous", None),
    ("locking_mode", None),
    ("busy_timeout", None),
];

/// Settings that change speed and room alone, and are given back as they were found where they are other by then.
const FOUND_AGAIN: [&str; 16] = [
    "analysis_limit",
    "automatic_index",
    "cache_size",
    "cache_spill",
    "cell_size_check",
    "checkpoint_fullfsync",
    "fullfsync",
    "journal_size_limit",
    "max_page_count",
    "mmap_size",
    "read_uncommitted",
    "secure_delete",
    "soft_heap_limit",
    "temp_store",
    "threads",
    "wal_autocheckpoint",
];

/// Settings that hinder our own writes: they forbid them, or make them answer with rows.
const HINDERING: [&str; 2] = ["query_only", "count_changes"];

/// Whether LIKE tells large letters from small. It can be set, and not read: see [`read`].
const CASE_SENSITIVE_LIKE: &str = "case_sensitive_like";

/// A limit of the whole process, which this PRAGMA can only make smaller: it could not be put back.
const HARD_HEAP_LIMIT: &str = "hard_heap_limit";

/// How far a statement is searched for what it creates.
const SEARCHED: usize = 256;

/// The settings of a session, as they were found and as they are kept.
#[derive(Debug)]
pub(crate) struct Settings {
    foreign_keys: bool,
    /// Name and value; empty until the first write, so that a mere look pays nothing.
    found: Vec<(&'static str, String)>,
    /// Temporary objects and attached databases that were there.
    theirs: Vec<String>,
    /// Whether a statement that may change a setting ran since they were last put back.
    touched: bool,
    /// What `last_insert_rowid()` told.
    last_row: i64,
}

impl Settings {
    pub(crate) fn new(foreign_keys: bool) -> Self {
        Self { foreign_keys, found: Vec::new(), theirs: Vec::new(), touched: false, last_row: 0 }
    }

    pub(crate) fn enforce_foreign_keys(&mut self, enforced: bool) {
        self.foreign_keys = enforced;
    }

    pub(crate) fn enforces_foreign_keys(&self) -> bool {
        self.foreign_keys
    }

    /// Notes what the connection came with, and pins. Does nothing the second time.
    pub(crate) fn pin(&mut self, connection: &Connection) -> Result<(), Error> {
        if !self.found.is_empty() {
            return Ok(());
        }
        let mut found = Vec::with_capacity(PINNED.len() + FOUND_AGAIN.len() + 3);
        let pinned = PINNED.iter().map(|(name, _)| *name);
        let others = ["foreign_keys", "journal_mode", CASE_SENSITIVE_LIKE];
        for name in pinned.chain(FOUND_AGAIN).chain(others) {
            // A setting that this SQLite does not have answers nothing.
            if let Some(value) = read(connection, name)? {
                found.push((name, value));
            }
        }
        self.found = found;
        self.theirs = left(connection)?.into_iter().map(|left| left.key).collect();
        self.touched = true;
        self.last_row = connection.last_insert_rowid();
        self.restore(connection)
    }

    /// Notes that a statement was run: a PRAGMA changes a setting, and some leave an object or a database.
    pub(crate) fn ran(&mut self, sql: &str) {
        let begins = |word: &str| sql.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word));
        let temporary =
            || sql.as_bytes().windows(4).take(SEARCHED).any(|word| word.eq_ignore_ascii_case(b"temp"));
        self.touched |=
            ["pragma", "attach", "detach"].into_iter().any(begins) || (begins("create") && temporary());
    }

    /// Before a write of the history: a migration may have set what hinders it. What it had set.
    pub(crate) fn free(&self, connection: &Connection) -> Result<Vec<&'static str>, Error> {
        let mut bonds = Vec::new();
        for name in HINDERING.into_iter().filter(|_| self.touched) {
            if read(connection, name)?.as_deref() == Some("1") {
                set(connection, name, "0")?;
                bonds.push(name);
            }
        }
        Ok(bonds)
    }

    /// Sets that again.
    pub(crate) fn bind(&self, connection: &Connection, bonds: &[&'static str]) -> Result<(), Error> {
        bonds.iter().try_for_each(|name| set(connection, name, "1"))
    }

    pub(crate) fn touch(&mut self) {
        self.touched = true;
    }

    /// Puts the settings back to the pinned ones.
    pub(crate) fn restore(&mut self, connection: &Connection) -> Result<(), Error> {
        tell_last_row(connection, 0);
        if !self.touched {
            return Ok(());
        }
        let in_transaction = !connection.is_autocommit();
        self.take_away(connection, in_transaction)?;
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
                CASE_SENSITIVE_LIKE => set_like(connection, "0")?,
                // To set one to the value that it has is not always nothing.
                name if FOUND_AGAIN.contains(&name) && read(connection, name)?.as_ref() == Some(found) => {}
                // Inside a transaction this one is refused.
                "temp_store" if in_transaction => {}
                _ => set(connection, name, pinned.unwrap_or(found))?,
            }
        }
        // Inside a transaction foreign_keys keeps its value in silence: then there is more to put back later.
        self.touched = in_transaction;
        Ok(())
    }

    /// Drops what was not there before, and detaches it.
    fn take_away(&self, connection: &Connection, in_transaction: bool) -> Result<(), Error> {
        for left in left(connection)?.into_iter().filter(|left| !self.theirs.contains(&left.key)) {
            // SQLite detaches nothing inside a transaction.
            if left.in_transaction || !in_transaction {
                crate::perform::run_to_end(connection, &left.statement)?;
            }
        }
        Ok(())
    }

    /// Gives the connection back as it came. What cannot be set is left: nobody is there to be told.
    pub(crate) fn give_back(&mut self, connection: &Connection) {
        if !self.found.is_empty() {
            let _ = self.take_away(connection, !connection.is_autocommit());
            tell_last_row(connection, self.last_row);
        }
        for (name, value) in self.found.drain(..).filter(|(name, _)| *name != "journal_mode") {
            let _ = match name {
                CASE_SENSITIVE_LIKE => set_like(connection, &value),
                _ => set(connection, name, &value),
            };
        }
    }
}

/// Lets `last_insert_rowid()` tell of this row: a script that inserts none reads nothing of windlass's own.
pub(crate) fn tell_last_row(connection: &Connection, row: i64) {
    // SAFETY: so it is declared by SQLite, since 3.18. The oldest rusqlite that is taken declares what 3.14 had, unless
    // it compiles SQLite itself.
    #[allow(unsafe_code)]
    unsafe extern "C" {
        fn sqlite3_set_last_insert_rowid(database: *mut ffi::sqlite3, row: i64);
    }
    // SAFETY: the handle is open for as long as the connection is borrowed, and a number is all that is written to it.
    #[allow(unsafe_code)]
    unsafe {
        sqlite3_set_last_insert_rowid(connection.handle(), row);
    }
}

/// Something that ends with the connection.
struct Left {
    key: String,
    /// What takes it away.
    statement: String,
    in_transaction: bool,
}

/// Temporary objects, and attached databases. Those of a table go with it.
fn left(connection: &Connection) -> Result<Vec<Left>, Error> {
    let name = |row: &rusqlite::Row<'_>| row.get::<_, String>(1);
    let mut objects = connection.prepare(
        "SELECT type, name FROM sqlite_temp_schema WHERE type IN ('table', 'view', 'trigger') \
         AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' \
         ORDER BY type DESC, sql LIKE 'CREATE VIRTUAL%' DESC, rowid",
    )?;
    let objects = objects.query_map([], |row| {
        let (kind, name) = (row.get::<_, String>(0)?, quoted(&name(row)?));
        let statement = format!("DROP {kind} IF EXISTS temp.{name}");
        Ok(Left { key: format!("{kind} {name}"), statement, in_transaction: true })
    })?;
    let mut left = objects.collect::<Result<Vec<_>, _>>()?;
    let mut databases = connection.prepare("PRAGMA database_list")?;
    let databases = databases.query_map([], |row| {
        let name = name(row)?;
        let (key, statement) = (format!("database {name}"), format!("DETACH {}", quoted(&name)));
        Ok(Left { key, statement, in_transaction: false })
    })?;
    for database in databases {
        left.extend(
            Some(database?).filter(|left| left.key != "database main" && left.key != "database temp"),
        );
    }
    Ok(left)
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
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

/// To set it takes an application's own LIKE away: it is left where it does as it should.
fn set_like(connection: &Connection, value: &str) -> Result<(), Error> {
    match read(connection, CASE_SENSITIVE_LIKE)?.as_deref() == Some(value) {
        true => Ok(()),
        false => set(connection, CASE_SENSITIVE_LIKE, value),
    }
}

/// Whether a statement sets what nothing could put back.
pub(crate) fn sets_hard_heap_limit(sql: &str) -> bool {
    let mut tokens = tokens(Dialect::Sqlite, sql).filter(|token| token.kind.is_significant());
    let is_pragma = tokens.next().is_some_and(|token| token.is_word("PRAGMA"));
    is_pragma && tokens.any(|token| token.is_word(HARD_HEAP_LIMIT)) && tokens.next().is_some()
}

fn read(connection: &Connection, name: &str) -> Result<Option<String>, Error> {
    let query = match name {
        CASE_SENSITIVE_LIKE => "SELECT 'a' NOT LIKE 'A'",
        name => &format!("PRAGMA {name}"),
    };
    let mut statement = connection.prepare(query)?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_row_that_is_told_of_is_the_one_that_was_given() {
        let connection = Connection::open_in_memory().unwrap();
        connection
            .execute_batch("CREATE TABLE t (id INTEGER PRIMARY KEY); INSERT INTO t VALUES (7)")
            .unwrap();
        for row in [3, i64::MAX, 0] {
            tell_last_row(&connection, row);
            assert_eq!(connection.last_insert_rowid(), row);
        }
    }
}
