//! One example of each kind of SQLite statement, and every PRAGMA that sets something.

use super::Seen;
use rusqlite::Connection;
use std::path::Path;
use windlass_core::sql::Dialect;
use windlass_core::sql::classify::{SessionUse, Transaction, classify};

const SETUP: &str = "
    CREATE TABLE marker (n int);
    CREATE TABLE t (a integer PRIMARY KEY, b text);
    CREATE INDEX i ON t (b);
    CREATE VIEW v AS SELECT a FROM t;
    CREATE TRIGGER tr AFTER INSERT ON t BEGIN SELECT 1; END;
    INSERT INTO t VALUES (1, 'x');";

pub(super) const EXAMPLES: &[&str] = &[
    "CREATE TABLE x (a int)",
    "CREATE TABLE x AS SELECT 1",
    "CREATE TEMP TABLE x (a int)",
    "CREATE VIRTUAL TABLE x USING fts5(a)",
    "CREATE UNIQUE INDEX x ON t (b)",
    "CREATE VIEW x AS SELECT 1",
    "CREATE TRIGGER x AFTER DELETE ON t BEGIN SELECT 1; END",
    "ALTER TABLE t ADD c int",
    "ALTER TABLE t RENAME TO x",
    "ALTER TABLE t RENAME COLUMN b TO c",
    "DROP TABLE t",
    "DROP INDEX i",
    "DROP VIEW v",
    "DROP TRIGGER tr",
    "INSERT INTO t VALUES (2, 'VACUUM')",
    "REPLACE INTO t VALUES (1, 'y')",
    "UPDATE t SET b = 'y'",
    "DELETE FROM t",
    "WITH w AS (SELECT 1) INSERT INTO t (a) SELECT 7 FROM w",
    "SELECT 1",
    "VALUES (1)",
    "EXPLAIN SELECT 1",
    "REINDEX",
    "REINDEX t",
    "ANALYZE",
    "ANALYZE t",
    "VACUUM",
    "VACUUM INTO ':memory:'",
    "ATTACH ':memory:' AS other",
    "COMMIT",
    "END TRANSACTION",
    "ROLLBACK",
    "SAVEPOINT a",
    "PRAGMA user_version = 7",
    "PRAGMA integrity_check",
];

pub(super) fn seen(path: &Path, sql: &str) -> Result<Seen, String> {
    let connection = open(path)?;
    connection.execute_batch("BEGIN; INSERT INTO marker VALUES (1)").map_err(|e| e.to_string())?;
    let refused = connection.execute_batch(sql).err().map(|error| error.to_string());
    let _ = connection.execute_batch("ROLLBACK");
    let stands = connection.query_row("SELECT count(*) FROM marker", [], |row| row.get::<_, i64>(0));
    match refused {
        Some(words) if words.contains("within a transaction") || words.contains("inside a transaction") => {
            Ok(Seen::Refused)
        }
        Some(words) => Err(words),
        None if stands.map_err(|e| e.to_string())? == 0 => Ok(Seen::Fine),
        None => Ok(Seen::Commits),
    }
}

fn open(path: &Path) -> Result<Connection, String> {
    let connection = Connection::open(path).map_err(|e| e.to_string())?;
    connection.execute_batch(SETUP).map_err(|e| e.to_string())?;
    Ok(connection)
}

/// PRAGMAs that set something, each with a value that it does not have by itself.
const SETTING: &[(&str, &str)] = &[
    ("analysis_limit", "50"),
    ("application_id", "7"),
    ("auto_vacuum", "1"),
    ("automatic_index", "0"),
    ("busy_timeout", "77"),
    ("cache_size", "77"),
    ("cache_spill", "0"),
    ("cell_size_check", "1"),
    ("checkpoint_fullfsync", "1"),
    ("count_changes", "1"),
    ("defer_foreign_keys", "1"),
    ("empty_result_callbacks", "1"),
    ("encoding", "'UTF-16le'"),
    ("foreign_keys", "0"),
    ("full_column_names", "1"),
    ("fullfsync", "1"),
    ("ignore_check_constraints", "1"),
    ("journal_mode", "wal"),
    ("journal_size_limit", "7777"),
    ("legacy_alter_table", "1"),
    ("locking_mode", "exclusive"),
    ("max_page_count", "7777"),
    ("mmap_size", "65536"),
    ("page_size", "8192"),
    ("query_only", "1"),
    ("read_uncommitted", "1"),
    ("recursive_triggers", "1"),
    ("reverse_unordered_selects", "1"),
    ("secure_delete", "1"),
    ("short_column_names", "0"),
    ("synchronous", "0"),
    ("temp_store", "2"),
    ("threads", "3"),
    ("trusted_schema", "0"),
    ("user_version", "7"),
    ("wal_autocheckpoint", "77"),
    ("writable_schema", "1"),
];

/// PRAGMAs that tell or do something and set nothing, or nothing that can be read again.
const OTHERS: &[&str] = &[
    "case_sensitive_like",
    "collation_list",
    "compile_options",
    "data_store_directory",
    "data_version",
    "database_list",
    "default_cache_size",
    "foreign_key_check",
    "foreign_key_list",
    "freelist_count",
    "function_list",
    "incremental_vacuum",
    "index_info",
    "index_list",
    "index_xinfo",
    "integrity_check",
    "module_list",
    "optimize",
    "page_count",
    "pragma_list",
    "quick_check",
    "schema_version",
    "shrink_memory",
    "stats",
    "table_info",
    "table_list",
    "table_xinfo",
    "temp_store_directory",
    "wal_checkpoint",
    // Of the whole process: other tests would find them set.
    "hard_heap_limit",
    "soft_heap_limit",
    // What only builds for tests have.
    "lock_status",
    "lock_proxy_file",
    "parser_trace",
    "sql_trace",
    "vdbe_addoptrace",
    "vdbe_debug",
    "vdbe_eqp",
    "vdbe_listing",
    "vdbe_trace",
];

pub(super) fn compare_pragmas(folder: &Path) {
    let mut wrong = Vec::new();
    for (number, &(name, value)) in SETTING.iter().enumerate() {
        let at = |inside: &str| folder.join(format!("pragma-{number}-{inside}.db"));
        let outside = takes(&at("outside"), name, value, false);
        assert!(
            outside.is_ok_and(|takes| takes),
            "PRAGMA {name} = {value} does nothing outside a transaction"
        );
        let inside = takes(&at("inside"), name, value, true);
        let sql = format!("PRAGMA {name} = {value}");
        let facts = classify(Dialect::Sqlite, &sql);
        let told_outside = matches!(facts.transaction, Transaction::Outside(_));
        // One of them is lifted out of the transaction by the plan.
        let told_ignored = told_outside || facts.foreign_keys_pragma.is_some();
        match &inside {
            Ok(true) if !told_ignored => {}
            Ok(false) | Err(_) if told_ignored => {}
            // Refused only where a temporary table stands.
            Ok(true) if name == "temp_store" && told_outside => {}
            seen => wrong.push(format!("{sql}: in a transaction {seen:?}, told {:?}", facts.transaction)),
        }
        let told_to_replay = facts.session == SessionUse::Setting;
        let lasts = lasts(&folder.join(format!("pragma-{number}-lasts.db")), name, value);
        if !lasts && facts.session == SessionUse::None && !told_outside {
            wrong.push(format!("{sql}: it is the session's, told {:?}", facts.session));
        }
        if lasts && told_to_replay {
            wrong.push(format!("{sql}: it is the database's, told {:?}", facts.session));
        }
    }
    let connection = Connection::open_in_memory().expect("a database");
    let mut all = connection.prepare("PRAGMA pragma_list").expect("a statement");
    let all = all.query_map([], |row| row.get::<_, String>(0)).expect("rows");
    for name in all.map(|name| name.expect("a name")) {
        let known = SETTING.iter().any(|(setting, _)| *setting == name) || OTHERS.contains(&name.as_str());
        if !known {
            wrong.push(format!("PRAGMA {name}: no example"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Whether setting it makes a difference.
fn takes(path: &Path, name: &str, value: &str, inside: bool) -> Result<bool, String> {
    let connection = prepared(path, name)?;
    let before = read(&connection, name);
    let run = |sql: &str| connection.execute_batch(sql).map_err(|error| error.to_string());
    if inside {
        run("BEGIN IMMEDIATE; INSERT INTO marker VALUES (1)")?;
    }
    run(&format!("PRAGMA {name} = {value}"))?;
    if inside && name == "defer_foreign_keys" {
        return Ok(read(&connection, name) != before);
    }
    if inside {
        run("COMMIT")?;
    }
    // Both take effect with the next rebuild of the file.
    if ["auto_vacuum", "page_size"].contains(&name) {
        run("VACUUM")?;
    }
    Ok(read(&connection, name) != before)
}

/// Whether another connection to the same file finds it set.
fn lasts(path: &Path, name: &str, value: &str) -> bool {
    let Ok(connection) = prepared(path, name) else { return false };
    let before = read(&connection, name);
    let _ = connection.execute_batch(&format!("PRAGMA {name} = {value}"));
    drop(connection);
    Connection::open(path).is_ok_and(|connection| read(&connection, name) != before)
}

fn prepared(path: &Path, name: &str) -> Result<Connection, String> {
    // The encoding can only be chosen before anything is stored.
    if name == "encoding" {
        return Connection::open(path).map_err(|error| error.to_string());
    }
    let connection = open(path)?;
    connection.execute_batch("PRAGMA foreign_keys = ON").map_err(|error| error.to_string())?;
    Ok(connection)
}

fn read(connection: &Connection, name: &str) -> Option<String> {
    let text =
        |row: &rusqlite::Row<'_>| row.get::<_, rusqlite::types::Value>(0).map(|value| format!("{value:?}"));
    connection.query_row(&format!("PRAGMA {name}"), [], text).ok()
}
