//! Recording: what is refused at the very end, the commit or a row of windlass's own, is told and leaves nothing half.

use harness::{Database, Family, deploy, migrations};
use windlass_core::apply::{DeployError, Stands};
use windlass_core::driver::DriverError;
use windlass_core::history::State;

harness::scenarios!(
    on [Postgres, Sqlite]: a_commit_that_is_refused_leaves_nothing;
    on [Postgres, MySql, MariaDb, Sqlite]: a_refused_write_of_the_history_is_told_as_one_and_gone_on_from;
);

const N: (&str, &str) = ("1_n", "CREATE TABLE n (n int);\nINSERT INTO n VALUES (0);");

async fn ready(database: &Database) {
    deploy(&mut *database.connect().await, &migrations(&[N])).await.expect("the table");
}

async fn states(database: &Database) -> Vec<(String, State)> {
    let history = database.connect().await.inspect().await.expect("a history").history;
    history.verify().expect("a true history");
    history.attempts.iter().map(|attempt| (attempt.name.clone(), attempt.state())).collect()
}

/// What is wrong with the rows shows only when all of them are to be committed. MySQL and MariaDB check each at once; and
/// what refuses them a commit, a server that turns read-only, refuses the record before it.
async fn a_commit_that_is_refused_leaves_nothing(database: &Database) {
    ready(database).await;
    let (make, bad, good) = match database.target().family {
        Family::Postgres => (
            "CREATE TABLE d (a int UNIQUE DEFERRABLE INITIALLY DEFERRED);",
            "INSERT INTO d VALUES (1), (1);",
            "INSERT INTO d VALUES (1), (2);",
        ),
        // References count where the script asks for that.
        _ => (
            "PRAGMA foreign_keys = ON;\nCREATE TABLE p (id integer PRIMARY KEY);\nINSERT INTO p VALUES (1);\n\
             CREATE TABLE d (a int REFERENCES p DEFERRABLE INITIALLY DEFERRED);",
            "INSERT INTO d VALUES (7);",
            "INSERT INTO d VALUES (1);",
        ),
    };
    let mut session = database.connect().await;
    let bad = format!("{make}\n{bad}");
    let refused = deploy(&mut *session, &migrations(&[N, ("2_deferred", &bad)])).await;
    let Err(DeployError::Statement(failed)) = refused else { panic!("{refused:#?}") };
    assert_eq!(
        (failed.migration.as_str(), failed.stands, failed.recorded),
        ("2_deferred", Stands::Nothing, true)
    );
    assert!(database.open_transactions().await.is_empty(), "on a session that lives on");
    assert_eq!(database.tables().await, ["n"]);
    let good = format!("{make}\n{good}");
    deploy(&mut *session, &migrations(&[N, ("2_deferred", &good)])).await.expect("the mended one");
    let of = |state| ("2_deferred".to_owned(), state);
    assert_eq!(states(database).await[1..], [of(State::RolledBack), of(State::Applied)]);
}

fn is_refused<T: std::fmt::Debug>(result: Result<T, DeployError>, words: &str) {
    let Err(DeployError::Driver(DriverError::Refused(error))) = result else { panic!("{result:#?}") };
    assert!(error.message.starts_with("windlass could not write its own history (`"), "{error:?}");
    assert!(error.message.contains(words), "the database's own words: {error:?}");
}

/// A rule of somebody else's says no to what windlass writes.
async fn a_refused_write_of_the_history_is_told_as_one_and_gone_on_from(database: &Database) {
    ready(database).await;
    let is_sqlite = database.target().family == Family::Sqlite;
    let mut scripts = vec![N];
    // The claim; what is written with rows; what is written behind a definition, which nothing takes back on MySQL.
    for (name, admitted, script) in [
        ("2_claim", "name <> '2_claim'", "UPDATE n SET n = n + 1;"),
        (
            "3_record",
            "name <> '3_record' OR finished_at IS NULL",
            "UPDATE n SET n = n + 1;\nUPDATE n SET n = n + 10;",
        ),
        (
            "4_behind",
            "name <> '4_behind' OR completed < 2",
            "UPDATE n SET n = n + 1;\nALTER TABLE n ADD m int;\nUPDATE n SET n = n + 100;",
        ),
    ] {
        let before = database.value("SELECT n FROM n").await;
        let rule = match is_sqlite {
            // A table gets no constraint there once it stands.
            true => refusing_trigger(admitted),
            false => format!("ALTER TABLE _windlass_migrations ADD CONSTRAINT audit CHECK ({admitted})"),
        };
        database.sql(&rule).await;
        scripts.push((name, script));
        let mut session = database.connect().await;
        is_refused(deploy(&mut *session, &migrations(&scripts)).await, "audit");
        assert!(database.open_transactions().await.is_empty(), "{name}: on a session that lives on");
        drop(session);
        if name != "4_behind" {
            assert_eq!(database.value("SELECT n FROM n").await, before, "{name}: rows without their record");
        }
        database.sql(if is_sqlite { NO_TRIGGER } else { NO_RULE }).await;
        database.must_be_free().await.expect("nothing is left");
        let result = deploy(&mut *database.connect().await, &migrations(&scripts)).await;
        result.unwrap_or_else(|error| panic!("{name}: {error:#?}"));
    }
    assert_eq!(database.value("SELECT n FROM n").await, (1 + 1 + 10 + 1 + 100).to_string());
    let states = states(database).await;
    assert!(
        states.iter().all(|(_, state)| *state == State::Applied),
        "nothing of it was a failure: {states:?}"
    );
}

const NO_RULE: &str = "ALTER TABLE _windlass_migrations DROP CONSTRAINT audit";
const NO_TRIGGER: &str = "DROP TRIGGER audit_insert; DROP TRIGGER audit_update";

fn refusing_trigger(admitted: &str) -> String {
    let admitted = ["name", "finished_at", "completed"]
        .iter()
        .fold(admitted.to_owned(), |text, column| text.replace(column, &format!("NEW.{column}")));
    let trigger = |write: &str| {
        format!(
            "CREATE TRIGGER audit_{write} BEFORE {write} ON _windlass_migrations WHEN NOT ({admitted}) \
             BEGIN SELECT RAISE(ABORT, 'audit'); END;"
        )
    };
    trigger("insert") + &trigger("update")
}
