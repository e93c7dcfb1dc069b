//! What a look tells: of every kind of statement that is looked for, done, not done, half-done, and with
//! others at work in between.

use crate::support::*;
use windlass_core::driver::{Cause, Driver as _};
use windlass_core::history::{AttemptKind, InFlight, Remnant, Sight};
use windlass_core::plan::{Claim, Step};
use windlass_core::sql::Dialect;
use windlass_core::sql::classify::{ObjectName, Objects, classify};

crate::on_servers!(
    a_build_is_seen,
    a_build_without_a_name_is_seen,
    a_removal_is_seen,
    a_detachment_is_seen,
    nothing_is_told_while_another_builds,
    names_are_found_as_the_statement_finds_them,
    what_is_whole_by_now_is_not_cleared_away,
    if_not_exists_does_not_pass_over_an_invalid_index,
);

const TABLES: &str = "CREATE SCHEMA s; CREATE TABLE t (n int, m int); CREATE TABLE s.t (n int, m int); \
    CREATE INDEX old ON t (n); CREATE INDEX old ON s.t (n); INSERT INTO t VALUES (1, 1), (2, 2); \
    CREATE TABLE p (n int) PARTITION BY LIST (n); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1); \
    CREATE TABLE p2 PARTITION OF p FOR VALUES IN (2)";

/// What others may do to a table without it making a difference.
const WORK: [&str; 9] = [
    "INSERT INTO t SELECT g, g FROM generate_series(1, 100) AS g",
    "UPDATE t SET n = n + 1",
    "TRUNCATE t",
    "ANALYZE",
    "VACUUM t",
    "VACUUM FULL t",
    "REINDEX TABLE CONCURRENTLY t",
    "ALTER TABLE t ADD COLUMN o int DEFAULT 7",
    "REINDEX INDEX CONCURRENTLY s.old",
];

fn watched(sql: &str) -> Vec<ObjectName> {
    match classify(Dialect::Postgres, sql).objects {
        Objects::Known(names) => names,
        _ => panic!("{sql}: its objects are not known"),
    }
}

fn noted(sql: &str) -> Step<'static> {
    let (in_flight, watched) = (Some(InFlight { first: 1, last: 1 }), watched(sql));
    let kind = AttemptKind::Apply;
    let claim = Claim {
        kind,
        name: "1_a",
        checksums: checksums('a'),
        statements: 2,
        in_flight,
        watched,
        supersedes: false,
    };
    Step::Claim(vec![claim])
}

/// What is told of a statement when this happened since its note was written.
async fn told(database: &Database, statement: &str, happened: &[&str]) -> Sight {
    let mut driver = database.ready().await;
    database.sql("DROP SCHEMA IF EXISTS s CASCADE; DROP TABLE IF EXISTS t, p, p1, p2; TRUNCATE _windlass_migrations").await;
    database.sql(TABLES).await;
    perform(&mut driver, &[noted(statement)]).await.unwrap();
    let other = database.raw().await;
    for sql in happened {
        other.batch_execute(sql).await.unwrap();
    }
    driver.inspect().await.unwrap().history.attempts.remove(0).sight
}

fn invalid(schema: &str, index: &str) -> Sight {
    Sight::Remnant(Remnant::InvalidIndex { schema: schema.to_owned(), index: index.to_owned() })
}

fn spoil(index: &str) -> String {
    format!("UPDATE pg_index SET indisvalid = false WHERE indexrelid = '{index}'::regclass")
}

async fn a_build_is_seen(database: Database) {
    let build = "CREATE INDEX CONCURRENTLY i ON t (m)";
    assert_eq!(told(&database, build, &[]).await, Sight::Untouched);
    assert_eq!(told(&database, build, &WORK).await, Sight::Untouched);
    assert_eq!(told(&database, build, &["CREATE INDEX j ON t (m)", &spoil("j")]).await, Sight::Untouched);
    assert_eq!(told(&database, build, &["CREATE INDEX i ON s.t (m)"]).await, Sight::Untouched);
    assert_eq!(told(&database, build, &[build]).await, Sight::Changed);
    assert_eq!(told(&database, build, &[build, &spoil("i")]).await, invalid("public", "i"));
    assert_eq!(told(&database, build, &["DROP TABLE t"]).await, Sight::Unknown);
    // What was there before, by its number or by its name, is another's.
    let taken = "CREATE INDEX CONCURRENTLY old ON t (n)";
    assert_eq!(told(&database, taken, &[&spoil("old")]).await, Sight::Untouched);
    let again = ["DROP INDEX old", "CREATE INDEX old ON t (n)", &spoil("old")];
    assert_eq!(told(&database, taken, &again).await, Sight::Untouched);
}

async fn a_build_without_a_name_is_seen(database: Database) {
    let build = "CREATE INDEX CONCURRENTLY ON s.t (m)";
    assert_eq!(told(&database, build, &[]).await, Sight::Untouched);
    assert_eq!(told(&database, build, &WORK).await, Sight::Untouched);
    assert_eq!(told(&database, build, &[build]).await, Sight::Changed);
    assert_eq!(told(&database, build, &[build, &spoil("s.t_m_idx")]).await, invalid("s", "t_m_idx"));
    assert_eq!(told(&database, build, &["ALTER INDEX s.old RENAME TO older"]).await, Sight::Untouched);
    // Which of two it was cannot be told.
    assert_eq!(told(&database, build, &[build, build]).await, Sight::Unknown);
    // What a REINDEX left is nobody's.
    let left = ["CREATE INDEX old_ccnew ON s.t (n)", &spoil("s.old_ccnew")];
    assert_eq!(told(&database, build, &left).await, Sight::Untouched);
}

async fn a_removal_is_seen(database: Database) {
    let removal = "DROP INDEX CONCURRENTLY s.old";
    assert_eq!(told(&database, removal, &[]).await, Sight::Untouched);
    assert_eq!(
        told(&database, removal, &["UPDATE s.t SET n = 1", "VACUUM FULL s.t"]).await,
        Sight::Untouched
    );
    assert_eq!(told(&database, removal, &["DROP INDEX old"]).await, Sight::Untouched);
    assert_eq!(told(&database, removal, &[&spoil("s.old")]).await, Sight::Untouched);
    assert_eq!(told(&database, removal, &[removal]).await, Sight::Changed);
}

async fn a_detachment_is_seen(database: Database) {
    let detachment = "ALTER TABLE p DETACH PARTITION p1 CONCURRENTLY";
    assert_eq!(told(&database, detachment, &[]).await, Sight::Untouched);
    let work = ["INSERT INTO p VALUES (1)", "ALTER TABLE p DETACH PARTITION p2", "CREATE INDEX ON p (n)"];
    assert_eq!(told(&database, detachment, &work).await, Sight::Untouched);
    assert_eq!(told(&database, detachment, &[detachment]).await, Sight::Changed);
    let pending = "UPDATE pg_inherits SET inhdetachpending = true WHERE inhrelid = 'p1'::regclass";
    let [schema, table, partition] = ["public", "p", "p1"].map(str::to_owned);
    let pending_detach =
        Remnant::PendingDetach { partition_schema: schema.clone(), schema, table, partition };
    assert_eq!(told(&database, detachment, &[pending]).await, Sight::Remnant(pending_detach));
    assert_eq!(told(&database, detachment, &[detachment, "DROP TABLE p1"]).await, Sight::Unknown);
}

async fn nothing_is_told_while_another_builds(database: Database) {
    let build = "CREATE INDEX CONCURRENTLY i ON t (m)";
    assert_eq!(told(&database, build, &[]).await, Sight::Untouched);
    let mut writer = database.raw().await;
    let writing = writer.transaction().await.unwrap();
    writing.batch_execute("INSERT INTO t VALUES (1, 1)").await.unwrap();
    let builder = database.raw().await;
    let building = tokio::spawn(async move { builder.batch_execute(build).await });
    until(&database, "SELECT count(*) FROM pg_stat_progress_create_index WHERE phase LIKE 'waiting for writers%' AND datname = current_database()", "1").await;
    let mut driver = database.connect().await;
    assert_eq!(driver.inspect().await.unwrap().history.attempts[0].sight, Sight::Unknown);
    writing.commit().await.unwrap();
    building.await.unwrap().unwrap();
    assert_eq!(driver.inspect().await.unwrap().history.attempts[0].sight, Sight::Changed);
}

async fn names_are_found_as_the_statement_finds_them(database: Database) {
    let build = "CREATE INDEX CONCURRENTLY i ON \"T\" (m)";
    let mut driver = database.ready().await;
    database.sql("CREATE SCHEMA \"S\"; CREATE TABLE \"S\".\"T\" (m int); CREATE TABLE \"T\" (m int)").await;
    let migration = migration();
    let search = execute(&migration, "SET search_path = \"S\"");
    perform(&mut driver, &[search, noted(build), execute(&migration, build)]).await.unwrap();
    assert_eq!(database.value("SELECT to_regclass('\"S\".i')").await, "\"S\".i");
    let seen = database.connect().await.inspect().await.unwrap().history.attempts.remove(0);
    assert_eq!(seen.sight, Sight::Changed);
    database.sql("DROP INDEX \"S\".i; CREATE INDEX i ON \"T\" (m)").await;
    let seen = database.connect().await.inspect().await.unwrap().history.attempts.remove(0);
    assert_eq!(seen.sight, Sight::Untouched);
}

async fn what_is_whole_by_now_is_not_cleared_away(database: Database) {
    let mut driver = database.ready().await;
    database.sql(TABLES).await;
    let [schema, index] = ["public", "old"].map(str::to_owned);
    let clear = Step::Clear { remnant: Remnant::InvalidIndex { schema, index }, left_by: 1 };
    let failure = perform(&mut driver, std::slice::from_ref(&clear)).await.unwrap_err();
    let Cause::Refused(error) = failure.cause else { panic!("{failure:?}") };
    assert_eq!(error.message, "index public.old is valid by now: deploy again to go on with it");
    database.sql(&spoil("old")).await;
    perform(&mut driver, std::slice::from_ref(&clear)).await.unwrap();
    assert_eq!(database.value("SELECT to_regclass('old')").await, "NULL");
    perform(&mut driver, &[clear]).await.expect("what is gone already is fine");
    let [schema, table, partition] = ["public", "p", "p1"].map(str::to_owned);
    let remnant = Remnant::PendingDetach { partition_schema: schema.clone(), schema, table, partition };
    let failure = perform(&mut driver, &[Step::Clear { remnant, left_by: 1 }]).await.unwrap_err();
    let Cause::Refused(error) = failure.cause else { panic!("{failure:?}") };
    assert!(error.message.contains("is not pending any more"), "{error}");
}

async fn if_not_exists_does_not_pass_over_an_invalid_index(database: Database) {
    let mut driver = database.ready().await;
    database.sql(TABLES).await;
    let migration = migration();
    let build = "CREATE INDEX CONCURRENTLY IF NOT EXISTS old ON s.t (n)";
    perform(&mut driver, &[execute(&migration, build)]).await.unwrap();
    database.sql(&spoil("s.old")).await;
    let failure = perform(&mut driver, &[execute(&migration, build)]).await.unwrap_err();
    let Cause::Refused(error) = failure.cause else { panic!("{failure:?}") };
    assert!(error.message.starts_with("index s.old stands and is not valid"), "{error}");
}
