//! Migrations that are functions of the program.

use crate::on_servers;
use crate::support::Database;
use windlass_postgres::{Blocked, DeployError, Migrations, Postgres, Running, RustMigrations, deploy};

on_servers!(
    a_function_runs_in_its_place_in_the_order,
    what_fails_or_panics_leaves_nothing_and_is_told,
    a_function_must_leave_the_transaction_as_it_is,
    what_panics_outside_of_a_transaction_is_a_person_s_to_decide,
);

const SCRIPTS: [(&str, &str); 2] = [
    (
        "1_ships.sql",
        "CREATE TABLE ships (id int PRIMARY KEY, name text); INSERT INTO ships VALUES (1, 'Anna');",
    ),
    ("3_index.sql", "CREATE UNIQUE INDEX CONCURRENTLY ships_name ON ships (name);"),
];

fn capitals() -> RustMigrations {
    RustMigrations::new().add("2_capitals", 1, |client| {
        Box::pin(async move {
            for row in client.query("SELECT id, name FROM ships", &[]).await? {
                let (id, name): (i32, String) = (row.get(0), row.get(1));
                let update = "UPDATE ships SET name = $2 WHERE id = $1";
                client.execute(update, &[&id, &name.to_uppercase()]).await?;
            }
            client.batch_execute("SET work_mem = '9MB'").await?;
            Ok(())
        })
    })
}

fn with(functions: &RustMigrations) -> Migrations {
    Migrations::from_scripts(SCRIPTS).unwrap().with_rust(functions.migrations()).unwrap()
}

async fn run(database: &Database, functions: &RustMigrations) -> Result<Vec<String>, DeployError> {
    let mut client = database.raw().await;
    let mut postgres = Postgres::borrow(&mut client).functions(functions);
    let report = deploy(&mut postgres, &with(functions)).await?;
    drop(postgres);
    let work_mem = client.query_one("SHOW work_mem", &[]).await.unwrap();
    assert_eq!(work_mem.get::<_, &str>(0), "4MB", "what the function has set does not outlive it");
    Ok(report.applied.into_iter().map(|applied| applied.name).collect())
}

async fn history(database: &Database) -> String {
    let rows = "SELECT string_agg(kind || ' ' || name || CASE WHEN finished_at IS NOT NULL THEN '' \
        WHEN rolled_back_at IS NOT NULL THEN ' rolled back: ' || error ELSE ' unfinished' END, ', ' ORDER BY id) \
        FROM _windlass_migrations";
    database.value(rows).await
}

async fn a_function_runs_in_its_place_in_the_order(database: Database) {
    let functions = capitals();
    assert_eq!(run(&database, &functions).await.unwrap(), ["1_ships", "2_capitals", "3_index"]);
    assert_eq!(database.value("SELECT name FROM ships").await, "ANNA");
    assert_eq!(history(&database).await, "apply 1_ships, rust 2_capitals, apply 3_index");
    assert!(run(&database, &functions).await.unwrap().is_empty());
}

async fn what_fails_or_panics_leaves_nothing_and_is_told(database: Database) {
    for (how, expected) in [
        ("fails", "the sea is rough"),
        ("panics", "the function panicked: all hands"),
        ("is refused", "division by zero"),
        ("hides it", "current transaction is aborted, commands ignored until end of transaction block"),
    ] {
        let broken = RustMigrations::new().add("2_capitals", 1, move |client| {
            Box::pin(async move {
                client.execute("UPDATE ships SET name = 'half'", &[]).await?;
                assert!(how != "panics", "all hands");
                match (how, client.batch_execute("SELECT 1 / 0").await) {
                    ("hides it", _) => Ok(()),
                    ("is refused", error) => Ok(error?),
                    _ => Err("the sea is rough".into()),
                }
            })
        });
        let error = run(&database, &broken).await.unwrap_err();
        let DeployError::Statement(failed) = error else { panic!("{how}: {error:?}") };
        assert_eq!(failed.migration, "2_capitals");
        assert!(failed.error.message.contains(expected), "{how}: {}", failed.error);
        assert!(failed.recorded);
        assert_eq!(database.value("SELECT name FROM ships").await, "Anna", "{how}");
        let told = history(&database).await;
        assert!(told.contains("rust 2_capitals rolled back: ") && told.contains(expected), "{told}");
    }
    assert_eq!(run(&database, &capitals()).await.unwrap(), ["2_capitals", "3_index"]);
}

async fn a_function_must_leave_the_transaction_as_it_is(database: Database) {
    let ends = RustMigrations::new().add("2_capitals", 1, |client| {
        Box::pin(async move { Ok(client.batch_execute("COMMIT; BEGIN").await?) })
    });
    let error = run(&database, &ends).await.unwrap_err();
    let is_told =
        matches!(&error, DeployError::Lost { message, .. } if message.contains("ended the transaction"));
    assert!(is_told, "{error:?}");
    // The connection is free of it, and another run goes on.
    run(&database, &capitals()).await.unwrap();

    let opens = RustMigrations::new().add_outside_transaction("4_open", 1, |client| {
        Box::pin(async move { Ok(client.batch_execute("BEGIN").await?) })
    });
    let mut client = database.raw().await;
    let set = with(&capitals()).with_rust(opens.migrations()).unwrap();
    let mut postgres = Postgres::borrow(&mut client).functions(&opens);
    let error = deploy(&mut postgres, &set).await.unwrap_err();
    let DeployError::Statement(failed) = error else { panic!("{error:?}") };
    assert_eq!(failed.error.message, "the function left a transaction open");
}

fn marks_and_panics(client: &tokio_postgres::Client) -> Running<'_> {
    Box::pin(async move {
        client.execute("UPDATE ships SET name = name || '!'", &[]).await?;
        panic!("all hands")
    })
}

/// On a session of windlass's own, which goes on after both kinds.
async fn what_panics_outside_of_a_transaction_is_a_person_s_to_decide(database: Database) {
    let panics = |inside: bool| match inside {
        true => RustMigrations::new().add("2_capitals", 1, marks_and_panics),
        false => RustMigrations::new().add_outside_transaction("2_capitals", 1, marks_and_panics),
    };
    let mut session = database.connect().await;
    for (inside, left) in [(true, "Anna"), (false, "Anna!")] {
        let functions = panics(inside);
        session = session.functions(&functions);
        let error = deploy(&mut session, &with(&functions)).await.unwrap_err();
        let DeployError::Statement(failed) = error else { panic!("{error:?}") };
        assert_eq!(failed.error.message, "the function panicked: all hands");
        assert!(failed.recorded);
        assert_eq!(database.value("SELECT name FROM ships").await, left);
    }
    let again = deploy(&mut session, &with(&panics(false))).await.unwrap_err();
    assert!(matches!(again, DeployError::Blocked(Blocked::Failed { .. })), "{again:?}");
    assert_eq!(database.value("SELECT name FROM ships").await, "Anna!", "it is not done again");
}
