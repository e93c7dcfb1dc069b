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

/// Settings that change speed and room alone, and are given back as they were found where they are other by then.
const FOUND_AGAIN: [&str; 11] = [
    "automatic_index",
    "cache_size",
    "cache_spill",
    "cell_size_check",
    "journal_size_limit",
    "mmap_size",
    "read_uncommitted",
    "secure_delete",
    "temp_store",
    "threads",
    "wal_autocheckpoint",
];

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
}

impl Settings {
    pub(crate) fn new(foreign_keys: bool) -> Self {
        Self { foreign_keys, found: Vec::new(), theirs: Vec::new(), touched: false }
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
        let mut found = Vec::with_capacity(PINNED.len() + FOUND_AGAIN.len() + 2);
        let pinned = PINNED.iter().map(|(name, _)| *name);
        for name in pinned.chain(FOUND_AGAIN).chain(["foreign_keys", "journal_mode"]) {
            // A setting that this SQLite does not have answers nothing.
            if let Some(value) = read(connection, name)? {
                found.push((name, value));
            }
        }
        self.found = found;
        self.theirs = left(connection)?.into_iter().map(|left| left.key).collect();
        self.touched = true;
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

    /// Before a write of the history: a migration may have made its session one that only reads. Whether it had.
    pub(crate) fn free(&self, connection: &Connection) -> Result<bool, Error> {
        let is_bound = self.touched && read(connection, "query_only")?.as_deref() == Some("1");
        if is_bound {
            set(connection, "query_only", "0")?;
        }
        Ok(is_bound)
    }

    /// Makes it one again.
    pub(crate) fn bind(&self, connection: &Connection) -> Result<(), Error> {
        set(connection, "query_only", "1")
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
        }
        for (name, value) in self.found.drain(..).filter(|(name, _)| *name != "journal_mode") {
            let _ = set(connection, name, &value);
        }
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
