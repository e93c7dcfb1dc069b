//! The programs of `examples/`, run as their readers would.

use rusqlite::Connection;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Cargo builds the examples beside the tests.
fn example(name: &str) -> PathBuf {
    let tests = std::env::current_exe().expect("a program");
    let program = tests.ancestors().nth(2).expect("a folder").join("examples").join(name);
    assert!(program.is_file(), "build it first: cargo build --package windlass-sqlite --examples");
    program
}

fn run(name: &str, folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new(example(name)).args(arguments).current_dir(folder).output().expect("it starts");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name} ended with {}: {told}", output.status);
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn names(file: &Path) -> Vec<String> {
    let connection = Connection::open(file).expect("opens");
    let mut names = connection.prepare("SELECT name FROM ships ORDER BY id").expect("a table");
    names.query_map([], |row| row.get(0)).expect("rows").collect::<Result<_, _>>().expect("names")
}

#[test]
fn a_program_starts_on_a_database_that_is_up_to_date() {
    let folder = tempfile::tempdir().expect("a folder");
    assert_eq!(run("sqlite_start", folder.path(), &[]), "applied 2 migrations\n");
    assert_eq!(run("sqlite_start", folder.path(), &[]), "applied 0 migrations\n");
    assert!(names(&folder.path().join("app.db")).is_empty());
}

#[cfg(feature = "sqlx")]
#[test]
fn a_pool_of_sqlx_is_deployed_to_and_used_on() {
    let folder = tempfile::tempdir().expect("a folder");
    for _ in 0..2 {
        assert_eq!(run("sqlite_sqlx", folder.path(), &[]), "0 ships\n");
    }
}

#[test]
fn a_file_is_upgraded_with_a_backup_beside_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("fleet.db");
    let first = "applied 2 migrations\n0 ships\n";
    assert_eq!(run("desktop", folder.path(), &["fleet.db"]), first, "a new file has nothing to lose");
    assert!(!folder.path().join("fleet.backup.db").exists());

    // As an older release has left it: in use, and with its newest row in the write-ahead log only.
    std::fs::remove_file(&file).expect("removed");
    let older = Connection::open(&file).expect("opens");
    older.pragma_update(None, "journal_mode", "wal").expect("set");
    let all = windlass_sqlite::Migrations::from_dir("examples/migrations").expect("read");
    let mut session = Connection::open(&file).expect("opens");
    let deploy = windlass_sqlite::Deploy::new(&all).target("1");
    windlass_sqlite::block_on(deploy.run(&mut session)).expect("deployed");
    older
        .execute_batch("PRAGMA wal_autocheckpoint = 0; INSERT INTO ships VALUES (1, 'anna')")
        .expect("written");
    std::fs::write(folder.path().join("fleet.backup.part"), "half a backup").expect("written");

    let upgraded = run("desktop", folder.path(), &["fleet.db"]);
    assert_eq!(upgraded, "backed up to fleet.backup.db\napplied 1 migrations\n1 ships\n");
    let backup = folder.path().join("fleet.backup.db");
    assert_eq!(names(&backup), ["anna"]);
    Connection::open(&backup)
        .expect("opens")
        .prepare("SELECT crew FROM ships")
        .expect_err("as it was before");
    assert!(!folder.path().join("fleet.backup.part").exists());
    assert_eq!(run("desktop", folder.path(), &["fleet.db"]), "up to date\n1 ships\n");

    older.execute_batch("ALTER TABLE ships ADD COLUMN later").expect("altered");
    let newer = all.iter().map(|m| (m.name().to_owned(), m.up().text().to_owned()));
    let newer = newer.chain([("3_newer".to_owned(), "ALTER TABLE ships ADD COLUMN newer;".to_owned())]);
    let newer = windlass_sqlite::Migrations::from_scripts(newer).expect("read");
    // The column that was added by hand stands in nobody's way.
    let deploy = windlass_sqlite::Deploy::new(&newer).on_drift(windlass_sqlite::DriftPolicy::Warn);
    windlass_sqlite::block_on(deploy.run(&mut session)).expect("deployed");
    let told = "written by a newer release, and used as it is\n1 ships\n";
    assert_eq!(run("desktop", folder.path(), &["fleet.db"]), told);
}

#[test]
fn a_function_of_the_program_is_a_migration() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("fleet.db");
    let all = windlass_sqlite::Migrations::from_dir("examples/migrations").expect("read");
    let mut connection = Connection::open(&file).expect("opens");
    windlass_sqlite::deploy(&mut connection, &all).expect("deployed");
    connection
        .execute_batch("INSERT INTO ships (id, name) VALUES (1, 'anna'), (2, 'émile')")
        .expect("written");
    assert_eq!(run("sqlite_data_migration", folder.path(), &["fleet.db"]), "applied 3_capitals\n");
    assert_eq!(names(&file), ["Anna", "Émile"]);
    assert_eq!(run("sqlite_data_migration", folder.path(), &["fleet.db"]), "");
}

#[test]
fn spans_are_one_inside_the_other() {
    let folder = tempfile::tempdir().expect("a folder");
    let printed = run("opentelemetry", folder.path(), &[]);
    let spans: Vec<_> = printed
        .lines()
        .map(|line| {
            let (ids, words) = line.split_once(": ").expect("a span");
            let (id, parent) = ids.split_once(" in ").expect("its own number, and its parent's");
            (id, parent, words)
        })
        .collect();
    let name = |id: &str| {
        let found = spans.iter().find(|(own, ..)| *own == id);
        found.map_or("nothing", |(_, _, words)| words.split(' ').next().expect("a name"))
    };
    let told: Vec<_> = spans.iter().map(|(_, parent, words)| format!("{}: {words}", name(parent))).collect();
    let statement = |script: &str, sql: &str| {
        format!(
            "migration: statement number=\"1\" of=\"1\" file=\"examples/migrations/{script}.sql\" line=\"1\" sql=\"{sql}\""
        )
    };
    let expected = [
        statement("1_ships", "CREATE TABLE ships ( id integer PRIMARY KEY, name varchar(80) NOT NULL )"),
        "deploy: migration name=\"1_ships\"".to_owned(),
        statement("2_crews", "ALTER TABLE ships ADD COLUMN crew integer NOT NULL DEFAULT 0"),
        "deploy: migration name=\"2_crews\"".to_owned(),
        "nothing: deploy database=\"SQLite\" migrations=\"2\" applied=\"2\"".to_owned(),
    ];
    assert_eq!(told, expected);
}
