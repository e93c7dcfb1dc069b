//! Migrations that are functions of the program.

use rusqlite::Connection;
use windlass_sqlite::{
    Blocked, DeployError, Migrations, Proof, Resolution, ResolveFailure, RustMigrations, SourceError, Sqlite,
    deploy, resolve_checked, verify,
};

const SCRIPTS: [(&str, &str); 2] = [
    (
        "1_ships.sql",
        "CREATE TABLE ships (id integer PRIMARY KEY, name text); INSERT INTO ships VALUES (1, 'Anna');",
    ),
    ("3_index.sql", "CREATE UNIQUE INDEX ships_name ON ships (name);"),
];

fn capitals(revision: u32) -> RustMigrations {
    RustMigrations::new().add("2_capitals", revision, |connection| {
        let mut names = connection.prepare("SELECT id, name FROM ships")?;
        let names = names.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        for ship in names.collect::<Result<Vec<(i64, String)>, _>>()? {
            connection
                .execute("UPDATE ships SET name = ?2 WHERE id = ?1", (ship.0, ship.1.to_uppercase()))?;
        }
        Ok(())
    })
}

fn with(functions: &RustMigrations) -> Migrations {
    Migrations::from_scripts(SCRIPTS).unwrap().with_rust(functions.migrations()).unwrap()
}

fn run(connection: &mut Connection, functions: &RustMigrations) -> Result<Vec<String>, DeployError> {
    let report = deploy(&mut Sqlite::borrow(connection).functions(functions), &with(functions))?;
    Ok(report.applied.into_iter().map(|applied| applied.name).collect())
}

fn history(connection: &Connection) -> Vec<String> {
    let mut rows = connection
        .prepare(
            "SELECT kind || ' ' || name || ' ' || CASE WHEN finished_at IS NOT NULL THEN 'applied' \
             WHEN rolled_back_at IS NOT NULL THEN 'rolled back: ' || error ELSE 'unfinished' END \
             FROM _windlass_migrations ORDER BY id",
        )
        .unwrap();
    rows.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

fn name(connection: &Connection) -> String {
    connection.query_row("SELECT group_concat(name) FROM ships", [], |row| row.get(0)).unwrap()
}

#[test]
fn a_function_runs_in_its_place_in_the_order() {
    let mut connection = Connection::open_in_memory().unwrap();
    let functions = capitals(1);
    assert_eq!(run(&mut connection, &functions).unwrap(), ["1_ships", "2_capitals", "3_index"]);
    assert_eq!(name(&connection), "ANNA");
    assert_eq!(
        history(&connection),
        ["apply 1_ships applied", "rust 2_capitals applied", "apply 3_index applied"]
    );
    assert!(run(&mut connection, &functions).unwrap().is_empty());
    assert!(verify(&mut connection, &with(&functions)).unwrap().may_run());

    // The revision stands for its text.
    let error = run(&mut connection, &capitals(2)).unwrap_err();
    assert!(
        matches!(&error, DeployError::Blocked(Blocked::Edited { names, .. }) if names == &["2_capitals"])
    );
}

#[test]
fn a_function_is_replayed_where_the_shadow_was_given_it() {
    let functions = RustMigrations::new().add("2_crews", 1, |connection| {
        connection.execute_batch("ALTER TABLE ships ADD COLUMN crew integer")?;
        Ok(())
    });
    let migrations = with(&functions);
    let mut connection = Connection::open_in_memory().unwrap();
    connection.execute_batch(SCRIPTS[0].1).unwrap();
    let resolve = |connection: &mut Connection, shadow: &mut Sqlite<'_>, name: &str| {
        resolve_checked(connection, shadow, &migrations, Resolution::Applied, name, "by hand")
    };
    let empty = || Sqlite::from_connection(Connection::open_in_memory().unwrap());
    assert_eq!(resolve(&mut connection, &mut empty(), "1_ships").unwrap(), Proof::BornOutButForRows);
    let refused = resolve(&mut connection, &mut empty(), "2_crews").unwrap_err();
    let why = std::error::Error::source(&refused).map(ToString::to_string);
    assert_eq!(why.as_deref(), Some("`2_crews` is a function of a program, and is not replayed"));
    let given = || empty().functions(&functions);
    let refused = resolve(&mut connection, &mut given(), "2_crews").unwrap_err();
    assert!(matches!(&refused, ResolveFailure::Differs { fits, of: 1, .. } if *fits == [0]), "{refused:?}");
    connection.execute_batch("ALTER TABLE ships ADD COLUMN crew integer").unwrap();
    assert_eq!(resolve(&mut connection, &mut given(), "2_crews").unwrap(), Proof::BornOutButForRows);
    connection.execute_batch(SCRIPTS[1].1).unwrap();
    assert_eq!(resolve(&mut connection, &mut given(), "3_index").unwrap(), Proof::BornOut);
}

#[test]
fn what_fails_or_panics_leaves_nothing_and_is_told() {
    for (how, expected) in [("fails", "the sea is rough"), ("panics", "the function panicked: all hands")] {
        let mut connection = Connection::open_in_memory().unwrap();
        let broken = RustMigrations::new().add("2_capitals", 1, move |connection| {
            connection.execute("UPDATE ships SET name = 'half'", [])?;
            assert!(how != "panics", "all hands");
            Err("the sea is rough".into())
        });
        let Err(DeployError::Statement(failed)) = run(&mut connection, &broken) else { panic!("{how}") };
        assert_eq!((failed.migration.as_str(), failed.error.message.as_str()), ("2_capitals", expected));
        assert!(failed.recorded && connection.is_autocommit());
        assert_eq!(name(&connection), "Anna", "{how}");
        let told = history(&connection);
        assert!(
            told[1].starts_with("rust 2_capitals rolled back: ") && told[1].ends_with(expected),
            "{told:?}"
        );
        assert_eq!(run(&mut connection, &capitals(1)).unwrap(), ["2_capitals", "3_index"]);
    }
}

#[test]
fn what_failed_half_way_outside_of_a_transaction_is_not_run_again_by_itself() {
    for (how, expected) in [("fails", "the sea is rough"), ("panics", "the function panicked: all hands")] {
        let mut connection = Connection::open_in_memory().unwrap();
        let half = RustMigrations::new().add_outside_transaction("2_capitals", 1, move |connection| {
            connection.execute("UPDATE ships SET name = name || '!'", [])?;
            assert!(how != "panics", "all hands");
            Err("the sea is rough".into())
        });
        let Err(DeployError::Statement(failed)) = run(&mut connection, &half) else { panic!("{how}") };
        assert_eq!((failed.error.message.as_str(), failed.recorded), (expected, true));
        let again = run(&mut connection, &half);
        assert!(matches!(again, Err(DeployError::Blocked(Blocked::Failed { .. }))), "{how}: {again:?}");
        assert_eq!(name(&connection), "Anna!");
    }
}

#[test]
fn a_function_must_leave_the_transaction_as_it_is() {
    let mut connection = Connection::open_in_memory().unwrap();
    let ends =
        RustMigrations::new().add("2_capitals", 1, |connection| Ok(connection.execute_batch("COMMIT")?));
    let Err(DeployError::Lost { message, .. }) = run(&mut connection, &ends) else { panic!() };
    assert_eq!(message, "the function ended the transaction that it was run in");

    let mut connection = Connection::open_in_memory().unwrap();
    let opens = RustMigrations::new()
        .add_outside_transaction("2_capitals", 1, |connection| Ok(connection.execute_batch("BEGIN")?));
    let Err(DeployError::Statement(failed)) = run(&mut connection, &opens) else { panic!() };
    assert_eq!(failed.error.message, "the function left a transaction open");
    assert!(connection.is_autocommit());
}

#[test]
fn a_program_without_the_function_runs_nothing() {
    let mut connection = Connection::open_in_memory().unwrap();
    let error = deploy(&mut connection, &with(&capitals(1))).unwrap_err();
    assert!(matches!(&error, DeployError::NoFunction { names } if names == &["2_capitals"]), "{error:?}");
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).unwrap();
    assert_eq!(tables, 0);
}

#[test]
fn a_name_is_one_of_a_migration_and_stands_once() {
    let set = |name: &str| {
        let functions = RustMigrations::new().add(name, 1, |_| Ok(()));
        Migrations::from_scripts(SCRIPTS).unwrap().with_rust(functions.migrations()).map(|set| set.len())
    };
    assert!(matches!(set("1_ships"), Err(SourceError::DuplicateName { .. })));
    for wrong in ["capitals", "2_it's", "2/up"] {
        assert!(matches!(set(wrong), Err(SourceError::NoVersion { .. })), "{wrong}");
    }
    assert_eq!(set("2--capitals").unwrap(), 3);
}
