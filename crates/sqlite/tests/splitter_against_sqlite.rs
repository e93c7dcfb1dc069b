//! The splitter against SQLite itself, which tells where each statement it prepares ends.
//!
//! `WINDLASS_CORPORA`, if set, is a folder with more SQL: every history below it whose name holds
//! `-sq-` is run in order and compared.

// The end of a prepared statement is only in SQLite's C interface.
#![allow(unsafe_code)]

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, ffi};
use windlass_core::sql::Dialect::Sqlite;
use windlass_core::sql::split::split;

/// What is hard to split; each runs on an empty database.
const CASES: &[&str] = &[
    "",
    " ; -- nothing\n ;; /* at all */",
    "SELECT 1; SELECT 2 -- a; b\n; /* c; */ SELECT 3 /* d; */",
    "SELECT 'a;b', 'it''s;', x'3b', ';' ; SELECT 'a\\' ; SELECT '--', '/*'",
    "CREATE TABLE \"a;\"\"b\" (`c;``d` int, [e;f] int); INSERT INTO \"a;\"\"b\" VALUES (1, 2);",
    "SELECT 1; /* never closed",
    "SELECT 1 /* never closed ; SELECT 2",
    "SELECT 1 -- the end",
    "SELECT :a, @b, $c, ?1, ?; SELECT 5 - -1, .5, 1.5e-3, 0x1F, 1 -- ;\n ->> 2; SELECT 3;",
    "BEGIN; CREATE TABLE t (a); INSERT INTO t VALUES (1); END; BEGIN IMMEDIATE; COMMIT;",
    "CREATE TABLE t (a, end);\r\nCREATE TRIGGER r AFTER UPDATE ON t WHEN CASE new.a WHEN 1 THEN 1 END BEGIN\r\n  \
     UPDATE t SET end = CASE WHEN a THEN 1 ELSE 2 END; SELECT 1; -- END;\r\nEND;\r\nINSERT INTO t VALUES (1, 2);",
    "CREATE TABLE t (a); create temporary trigger r before insert on t begin select ';'; select 2; end; SELECT 2",
    "CREATE TABLE t (a); EXPLAIN CREATE TRIGGER r AFTER INSERT ON t BEGIN SELECT 1; END; SELECT 2",
    "CREATE TABLE begin (end); CREATE TRIGGER r AFTER INSERT ON begin BEGIN DELETE FROM begin; END; SELECT 2",
    "CREATE TABLE t (a); CREATE TRIGGER r AFTER INSERT ON t BEGIN SELECT new.a AS end; END /* b */ ; SELECT 2",
    "\u{feff}SELECT 1; SELECT 'ü;' AS größe; SELECT 2",
    "CREATE VIEW v AS SELECT CASE 1 WHEN 1 THEN 2 END; CREATE TABLE trigger_log (a); SELECT 2",
];

#[test]
fn hand_made_cases() {
    for case in CASES {
        let refused = compare(&Connection::open_in_memory().unwrap(), case, "a case");
        assert_eq!(refused, 0, "{case}");
    }
}

#[test]
fn fixtures_and_corpora() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations-fixtures");
    let mut histories = Vec::new();
    collect(&fixtures, &mut |name| name == "sqlite", &mut histories);
    assert!(!histories.is_empty(), "no history for SQLite in {}", fixtures.display());
    if let Some(corpora) = std::env::var_os("WINDLASS_CORPORA") {
        let before = histories.len();
        collect(Path::new(&corpora), &mut |name| name.contains("-sq-"), &mut histories);
        assert!(histories.len() > before, "no history for SQLite in {corpora:?}");
    }
    for history in histories {
        let mut scripts = Vec::new();
        scripts_below(&history, &mut scripts);
        let connection = Connection::open_in_memory().unwrap();
        let mut refused = 0;
        for script in &scripts {
            // Each script meets what SQLite's own client starts with.
            connection.pragma_update(None, "foreign_keys", false).unwrap();
            refused +=
                compare(&connection, &fs::read_to_string(script).unwrap(), &script.display().to_string());
        }
        println!("{}: {} scripts compared, {refused} statements refused", history.display(), scripts.len());
        // A history may lean on its tool's own table; what SQLite refuses, it does not judge.
        assert!(refused <= scripts.len() / 20, "{}: {refused} statements refused", history.display());
    }
}

/// Each piece that SQLite takes for one statement holds exactly one of ours; then it is run. Returns
/// how many SQLite refuses, which it does before it has seen their end.
fn compare(connection: &Connection, script: &str, place: &str) -> usize {
    let statements = split(Sqlite, script).unwrap_or_else(|error| panic!("{place}: {error}"));
    let mut ours = statements.iter();
    let mut from = if script.starts_with('\u{feff}') { 3 } else { 0 };
    let mut refused = 0;
    while from < script.len() {
        let piece = match run_first(connection, &script[from..]) {
            First::Statement { end } => from..from + end,
            First::Nothing { end } => {
                from += end;
                continue;
            }
            First::Refused(error) => {
                println!("{place}: {error}");
                refused += 1;
                from = ours.next().map_or(script.len(), |statement| statement.end);
                continue;
            }
        };
        let next =
            ours.next().unwrap_or_else(|| panic!("{place}: SQLite has more: {}", &script[piece.clone()]));
        let text = next.text(script);
        let inside = piece.start <= next.start && next.end <= piece.end;
        assert!(inside && !text.ends_with(';'), "{place}: ours is {text:?}, SQLite's {:?}", &script[piece]);
        from = piece.end;
    }
    assert_eq!(ours.next().map(|statement| statement.text(script)), None, "{place}: we have one more");
    refused
}

/// What SQLite made of the first statement of a text, and where the rest begins.
enum First {
    Statement { end: usize },
    Nothing { end: usize },
    Refused(String),
}

fn run_first(connection: &Connection, text: &str) -> First {
    let length = i32::try_from(text.len()).unwrap();
    let mut statement = std::ptr::null_mut();
    let mut tail = std::ptr::null();
    // SAFETY: the handle is that of an open connection, the text outlives the call and its length is
    // given, and both results are read only after success.
    let code = unsafe {
        ffi::sqlite3_prepare_v3(
            connection.handle(),
            text.as_ptr().cast(),
            length,
            0,
            &mut statement,
            &mut tail,
        )
    };
    if code != ffi::SQLITE_OK {
        return First::Refused(message(connection));
    }
    let end = tail as usize - text.as_ptr() as usize;
    assert!(end > 0, "SQLite read nothing of {text}");
    if statement.is_null() {
        return First::Nothing { end };
    }
    // SAFETY: the statement was prepared above and is finalized below, after which nothing uses it.
    unsafe {
        while ffi::sqlite3_step(statement) == ffi::SQLITE_ROW {}
        ffi::sqlite3_finalize(statement);
    }
    First::Statement { end }
}

fn message(connection: &Connection) -> String {
    // SAFETY: the connection is open, and the message is copied before the next call.
    unsafe { std::ffi::CStr::from_ptr(ffi::sqlite3_errmsg(connection.handle())) }
        .to_string_lossy()
        .into_owned()
}

/// The folders below one whose name says they are histories, but those that are meant to fail.
fn collect(folder: &Path, is_history: &mut impl FnMut(&str) -> bool, found: &mut Vec<PathBuf>) {
    for path in entries(folder).into_iter().filter(|path| path.is_dir()) {
        if is_history(&path.file_name().unwrap().to_string_lossy()) {
            found.push(path);
        } else if !path.to_string_lossy().ends_with("-broken") {
            collect(&path, is_history, found);
        }
    }
}

/// Every script of a history, in order, but those that undo.
fn scripts_below(folder: &Path, found: &mut Vec<PathBuf>) {
    for path in entries(folder) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            scripts_below(&path, found);
        } else if name.ends_with(".sql") && !name.ends_with("down.sql") {
            found.push(path);
        }
    }
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    entries
}
