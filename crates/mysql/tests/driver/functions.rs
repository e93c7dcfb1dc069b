//! Migrations that are functions of the program.

use crate::support::{Scratch, on_each};
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Opts};
use windlass_mysql::{Blocked, DeployError, Migrations, MySql, RustMigrations, deploy};

const SCRIPTS: [(&str, &str); 2] = [
    (
        "1_ships.sql",
        "CREATE TABLE ships (id int PRIMARY KEY, name varchar(80)); INSERT INTO ships VALUES (1, 'Anna');",
    ),
    ("3_index.sql", "CREATE UNIQUE INDEX ships_name ON ships (name);"),
];

fn capitals() -> RustMigrations {
    RustMigrations::new().add_rows_only("2_capitals", 1, |conn| {
        Box::pin(async move {
            for (id, name) in conn.query::<(i32, String), _>("SELECT id, name FROM ships").await? {
                conn.exec_drop("UPDATE ships SET name = ? WHERE id = ?", (name.to_uppercase(), id)).await?;
            }
            Ok(())
        })
    })
}

async fn run(scratch: &Scratch, functions: &RustMigrations) -> Result<Vec<String>, DeployError> {
    let mut conn = Conn::new(Opts::from_url(&scratch.url).unwrap()).await.unwrap();
    let set = Migrations::from_scripts(SCRIPTS).unwrap().with_rust(functions.migrations()).unwrap();
    let mut driver = MySql::borrow(&mut conn).await.unwrap().functions(functions);
    let result = deploy(&mut driver, &set).await;
    drop(driver);
    let ping: Option<u8> = conn.query_first("SELECT 1").await.unwrap();
    assert_eq!(ping, Some(1), "the connection is of use");
    Ok(result?.applied.into_iter().map(|applied| applied.name).collect())
}

const HISTORY: &str = "SELECT CONCAT(kind, ' ', name, CASE WHEN finished_at IS NOT NULL THEN '' \
    WHEN rolled_back_at IS NOT NULL THEN ' rolled back' WHEN error IS NOT NULL THEN ' failed' ELSE ' unfinished' END) \
    FROM _windlass_migrations ORDER BY id";

#[test]
#[ignore = "needs servers: cargo xtask test"]
fn a_function_that_changes_rows_commits_with_its_record_or_not_at_all() {
    on_each(async |scratch: &mut Scratch| {
        for (how, expected) in [("fails", "the sea is rough"), ("panics", "the function panicked: all hands")]
        {
            let broken = RustMigrations::new().add_rows_only("2_capitals", 1, move |conn| {
                Box::pin(async move {
                    conn.query_drop("UPDATE ships SET name = 'half'").await?;
                    assert!(how != "panics", "all hands");
                    Err("the sea is rough".into())
                })
            });
            let error = run(scratch, &broken).await.unwrap_err();
            let DeployError::Statement(failed) = error else { panic!("{how}: {error:?}") };
            assert_eq!(failed.error.message, expected);
            assert_eq!(scratch.raw("SELECT name FROM ships").await, ["Anna"], "{how}");
            assert_eq!(scratch.raw(HISTORY).await.last().unwrap(), "rust 2_capitals rolled back");
        }
        assert_eq!(run(scratch, &capitals()).await.unwrap(), ["2_capitals", "3_index"]);
        assert_eq!(scratch.raw("SELECT name FROM ships").await, ["ANNA"]);
        assert!(run(scratch, &capitals()).await.unwrap().is_empty());
    });
}

#[test]
#[ignore = "needs servers: cargo xtask test"]
fn of_a_function_that_may_do_anything_a_person_decides() {
    on_each(async |scratch: &mut Scratch| {
        for (how, expected) in
            [("fails", "nowhere' doesn't exist"), ("panics", "the function panicked: all hands")]
        {
            let broken = RustMigrations::new().add("2_capitals", 1, move |conn| {
                Box::pin(async move {
                    conn.query_drop("CREATE TABLE half (id int)").await?;
                    assert!(how != "panics", "all hands");
                    Ok(conn.query_drop("SELECT * FROM nowhere").await?)
                })
            });
            let error = run(scratch, &broken).await.unwrap_err();
            let DeployError::Statement(failed) = error else { panic!("{error:?}") };
            assert!(failed.error.message.contains(expected), "{how}: {}", failed.error);
            let is_of_the_server = failed.error.code.as_deref().is_some_and(|code| code.starts_with("1146"));
            assert_eq!(is_of_the_server, how == "fails");
            assert_eq!(scratch.raw(HISTORY).await, ["apply 1_ships", "rust 2_capitals failed"]);
            let error = run(scratch, &broken).await.unwrap_err();
            assert!(matches!(error, DeployError::Blocked(Blocked::Failed { .. })), "{how}: {error:?}");
            assert_eq!(scratch.tables().await, ["half", "ships"], "what it did stands");
            scratch.empty().await;
        }
    });
}
