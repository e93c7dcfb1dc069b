//! Performing: what stands and what is told after a segment went well, failed, or was stopped.

use crate::support::*;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use windlass_core::driver::{Cause, DatabaseError, Driver as _, Failure, Watch};
use windlass_core::plan::Step;
use windlass_postgres::Postgres;

crate::on_servers!(
    a_transaction_is_one_round_trip,
    the_failing_step_and_its_place_are_told_and_nothing_stands,
    what_no_message_can_carry_takes_nothing_behind_it_along,
    a_refused_commit_is_a_failure,
    a_fenced_record_takes_everything_along,
    a_savepoint_does_not_heal_what_failed_before_it,
    copy_loads_its_data_and_tells_the_row_it_cannot,
    data_that_copy_puts_out_is_let_go,
    a_function_tells_where_it_failed,
    long_scripts_go_through,
    outside_a_transaction_a_failure_stops_what_follows,
    a_lost_connection_is_told_as_such,
    a_wish_to_stop_interrupts_the_statement_and_rolls_back,
    a_wish_to_stop_lets_a_statement_outside_a_transaction_end,
    a_watch_sees_every_step_once,
);

fn refused(failure: Failure) -> (usize, DatabaseError) {
    match failure.cause {
        Cause::Refused(error) => (failure.step, error),
        cause => panic!("{cause:?}"),
    }
}

async fn a_transaction_is_one_round_trip(database: Database) {
    database.ready().await;
    let url = database.url();
    let port = url.rsplit_once(':').unwrap().1.split_once('/').unwrap().0.to_owned();
    let wire = Wire::to(port.parse().unwrap()).await;
    let url = url.replace(&format!(":{port}/"), &format!(":{}/", wire.port));
    let mut driver = Postgres::connect(&options(&format!("{url}?sslmode=disable"))).await.unwrap();
    wire.round_trips();
    driver.head().await.unwrap();
    assert_eq!(wire.round_trips(), 1, "head");
    driver.inspect().await.unwrap();
    assert_eq!(wire.round_trips(), 1, "inspect");
    let migration = migration();
    let mut steps =
        transaction(&migration, &["CREATE TABLE t (a int)", "INSERT INTO t VALUES (1)", "SELECT * FROM t"]);
    steps.push(Step::RestoreSettings);
    perform(&mut driver, &steps).await.unwrap();
    assert_eq!(wire.round_trips(), 1, "perform");
    assert_eq!(database.value("SELECT count(*) FROM t").await, "1");
    assert_eq!(database.value("SELECT finished_at IS NOT NULL FROM _windlass_migrations").await, "t");
}

async fn the_failing_step_and_its_place_are_told_and_nothing_stands(database: Database) {
    let mut driver = database.ready().await;
    let migration = migration();
    let steps = transaction(
        &migration,
        &["CREATE TABLE t (a int)", "SELECT 'üü', nope FROM t", "CREATE TABLE u (a int)"],
    );
    let (step, error) = refused(perform(&mut driver, &steps).await.unwrap_err());
    assert_eq!((step, error.code.as_deref(), error.position), (3, Some("42703"), Some(15)));
    assert_no_transaction(&mut driver, &database).await;
    assert_eq!(database.value("SELECT to_regclass('t')").await, "NULL");
    assert_eq!(database.value("SELECT count(*) FROM _windlass_migrations").await, "0");
    perform(&mut driver, &transaction(&migration, &["CREATE TABLE t (a int)"])).await.unwrap();
}

async fn what_no_message_can_carry_takes_nothing_behind_it_along(database: Database) {
    let mut driver = database.ready().await;
    let migration = migration();
    let statements = ["CREATE TABLE t (a text)", "INSERT INTO t VALUES ('\0')", "CREATE TABLE u (a int)"];
    let (step, error) =
        refused(perform(&mut driver, &transaction(&migration, &statements)).await.unwrap_err());
    assert_eq!(step, 3);
    assert!(error.message.contains("null"), "{error}");
    assert_no_transaction(&mut driver, &database).await;
    assert_eq!(database.value("SELECT coalesce(to_regclass('t'), to_regclass('u'))").await, "NULL");
    assert_eq!(database.value("SELECT count(*) FROM _windlass_migrations").await, "0");
    let (step, _) = refused(perform(&mut driver, &[execute(&migration, "SELECT '\0'")]).await.unwrap_err());
    assert_eq!(step, 0);
    perform(&mut driver, &transaction(&migration, &statements[..1])).await.unwrap();
}

async fn a_refused_commit_is_a_failure(database: Database) {
    let mut driver = database.ready().await;
    let migration = migration();
    let deferred = "CREATE TABLE t (a int UNIQUE DEFERRABLE INITIALLY DEFERRED)";
    let twice = "INSERT INTO t VALUES (1), (1)";
    // In one message with the record; and in one of its own, since the last statement may leave a setting.
    for statements in [vec![deferred, twice], vec![deferred, twice, "SELECT 1"]] {
        let steps = transaction(&migration, &statements);
        let (step, error) = refused(perform(&mut driver, &steps).await.unwrap_err());
        assert_eq!((step, error.code.as_deref()), (steps.len() - 1, Some("23505")));
        assert_no_transaction(&mut driver, &database).await;
        assert_eq!(database.value("SELECT to_regclass('t')").await, "NULL");
    }
}

async fn a_fenced_record_takes_everything_along(database: Database) {
    let mut driver = database.ready().await;
    let migration = migration();
    for statements in [vec!["CREATE TABLE t (a int)"], vec!["CREATE TABLE t (a int)", "SELECT 1"]] {
        let mut steps = transaction(&migration, &statements);
        let at = steps.len() - 2;
        steps[at] = record("2_other");
        let failure = perform(&mut driver, &steps).await.unwrap_err();
        assert!(matches!(failure, Failure { step, cause: Cause::Fenced } if step == at), "{failure:?}");
        assert_no_transaction(&mut driver, &database).await;
        assert_eq!(database.value("SELECT to_regclass('t')").await, "NULL");
        assert_eq!(database.value("SELECT count(*) FROM _windlass_migrations").await, "0");
    }
}

async fn a_savepoint_does_not_heal_what_failed_before_it(database: Database) {
    let mut driver = database.ready().await;
    let migration = migration();
    let statements = [
        "SAVEPOINT s",
        "CREATE TABLE t (a int)",
        "SELECT 1 / 0",
        "/* x */ ROLLBACK TO s",
        "CREATE TABLE u (a int)",
    ];
    let (step, _) = refused(perform(&mut driver, &transaction(&migration, &statements)).await.unwrap_err());
    assert_eq!(step, 4);
    assert_eq!(database.value("SELECT to_regclass('u')").await, "NULL");
    let fine = ["SAVEPOINT s", "CREATE TABLE t (a int)", "ROLLBACK TO s", "CREATE TABLE u (a int)"];
    perform(&mut driver, &transaction(&migration, &fine)).await.unwrap();
    assert_eq!(database.value("SELECT to_regclass('t') IS NULL AND to_regclass('u') IS NOT NULL").await, "t");
}

async fn copy_loads_its_data_and_tells_the_row_it_cannot(database: Database) {
    let mut driver = database.ready().await;
    let migration = migration();
    let rows: String = (0..50_000).map(|number| format!("{number}\trow ü {number}\n")).collect();
    let create = execute(&migration, "CREATE TABLE t (a int PRIMARY KEY, b text)");
    let load = copy(&migration, "COPY t (a, b) FROM stdin", &rows);
    let after = execute(&migration, "UPDATE t SET b = 'x' WHERE a = 7");
    let steps = [Step::Begin, claim("1_a"), create, load, after, record("1_a"), Step::Commit];
    perform(&mut driver, &steps).await.unwrap();
    assert_eq!(database.value("SELECT count(*) || max(b) FROM t").await, "50000x");
    let bad = format!("{}no number\tx\n{rows}", "60000\tfine\n");
    let steps = [
        Step::Begin,
        claim("2_a"),
        copy(&migration, "COPY t (a, b) FROM stdin", &bad),
        record("2_a"),
        Step::Commit,
    ];
    let (step, error) = refused(perform(&mut driver, &steps).await.unwrap_err());
    assert_eq!((step, error.code.as_deref()), (2, Some("22P02")));
    assert!(error.context.unwrap().contains("line 2"));
    assert_no_transaction(&mut driver, &database).await;
    assert_eq!(database.value("SELECT count(*) FROM t").await, "50000");
    let steps = [copy(&migration, "COPY nowhere FROM stdin", "1\n")];
    assert_eq!(refused(perform(&mut driver, &steps).await.unwrap_err()).1.code.as_deref(), Some("42P01"));
}

async fn data_that_copy_puts_out_is_let_go(database: Database) {
    let mut driver = database.ready().await;
    let migration = migration();
    let statements = [
        "CREATE TABLE t (a int)",
        "INSERT INTO t SELECT generate_series(1, 100000)",
        "-- all of it\ncopy t TO STDOUT",
        "COPY (SELECT 1 WHERE false) TO STDOUT WITH (FORMAT csv)",
        "INSERT INTO t VALUES (0)",
    ];
    perform(&mut driver, &transaction(&migration, &statements)).await.unwrap();
    assert_no_transaction(&mut driver, &database).await;
    assert_eq!(database.value("SELECT count(*) FROM t").await, "100001");
    perform(&mut driver, &[execute(&migration, "COPY t TO STDOUT")]).await.unwrap();
    // The server says no after it has begun to put out.
    let steps = [
        Step::Begin,
        claim("2_a"),
        execute(&migration, "CREATE TABLE u (a int)"),
        execute(&migration, "COPY (SELECT 1 / (3 - n) FROM generate_series(1, 3) AS n) TO STDOUT"),
        record("2_a"),
        Step::Commit,
    ];
    let (step, error) = refused(perform(&mut driver, &steps).await.unwrap_err());
    assert_eq!((step, error.code.as_deref()), (3, Some("22012")));
    assert_no_transaction(&mut driver, &database).await;
    assert_eq!(database.value("SELECT to_regclass('u') IS NULL").await, "t");
}

async fn a_function_tells_where_it_failed(database: Database) {
    let mut driver = database.ready().await;
    let migration = migration();
    let steps = transaction(&migration, &["DO $$ BEGIN PERFORM nope FROM pg_class; END $$"]);
    let (_, error) = refused(perform(&mut driver, &steps).await.unwrap_err());
    let context = error.context.unwrap();
    assert_eq!(error.position, None);
    assert!(context.contains("line 1") && context.contains("SELECT nope FROM pg_class"), "{context}");
}

async fn long_scripts_go_through(database: Database) {
    let mut driver = database.ready().await;
    let migration = migration();
    let long = format!("INSERT INTO t VALUES (length('{}'))", "x".repeat(3 << 20));
    let mut statements = vec!["CREATE TABLE t (a int)"];
    statements.extend(std::iter::repeat_n("INSERT INTO t VALUES (1)", 2000));
    statements.extend([long.as_str(), long.as_str(), "INSERT INTO t VALUES (1)"]);
    perform(&mut driver, &transaction(&migration, &statements)).await.unwrap();
    assert_eq!(
        database.value("SELECT count(*) || ' ' || sum(a) FROM t").await,
        format!("2003 {}", 2001 + (6 << 20))
    );
    // Far more on its way than is let go at once, and a failure early in it.
    let mut failing = vec!["SELECT 1 / 0"];
    failing.extend(std::iter::repeat_n("INSERT INTO t VALUES (1)", 2000));
    let mut steps = transaction(&migration, &failing);
    steps[1] = claim("2_a");
    assert_eq!(refused(perform(&mut driver, &steps).await.unwrap_err()).0, 2);
    assert_no_transaction(&mut driver, &database).await;
}

async fn outside_a_transaction_a_failure_stops_what_follows(database: Database) {
    let mut driver = database.ready().await;
    database.sql("CREATE TABLE t (a int); INSERT INTO t VALUES (1), (1)").await;
    let migration = migration();
    let index = execute(&migration, "CREATE INDEX CONCURRENTLY i ON t (a)");
    perform(&mut driver, &[claim("1_a"), index, record("1_a")]).await.unwrap();
    let unique = execute(&migration, "CREATE UNIQUE INDEX CONCURRENTLY u ON t (a)");
    let steps = [claim("2_a"), unique, execute(&migration, "CREATE TABLE never (a int)"), record("2_a")];
    let (step, error) = refused(perform(&mut driver, &steps).await.unwrap_err());
    assert_eq!((step, error.code.as_deref()), (1, Some("23505")));
    assert_eq!(database.value("SELECT to_regclass('never')").await, "NULL");
    assert_eq!(database.value("SELECT count(*) FROM _windlass_migrations").await, "2");
    // A transaction that the migration itself opened is not left open.
    let steps = [execute(&migration, "BEGIN"), execute(&migration, "SELECT 1 / 0")];
    refused(perform(&mut driver, &steps).await.unwrap_err());
    assert_no_transaction(&mut driver, &database).await;
}

async fn a_lost_connection_is_told_as_such(database: Database) {
    let mut driver = database.ready().await;
    let migration = migration();
    let steps = transaction(
        &migration,
        &["CREATE TABLE t (a int)", "SELECT pg_terminate_backend(pg_backend_pid())", "SELECT 1"],
    );
    let failure = perform(&mut driver, &steps).await.unwrap_err();
    assert!(matches!(failure, Failure { step: 3, cause: Cause::Lost(_) }), "{failure:?}");
    let failure = perform(&mut driver, &steps).await.unwrap_err();
    assert!(matches!(failure, Failure { step: 0, cause: Cause::Lost(_) }), "{failure:?}");
    assert_eq!(database.value("SELECT to_regclass('t')").await, "NULL");
}

/// Stops as soon as a step has begun, and keeps what it was told.
#[derive(Default)]
struct StopsAt {
    step: Option<usize>,
    stops: AtomicBool,
    seen: Vec<(usize, bool)>,
}

impl Watch for StopsAt {
    fn starts(&mut self, step: usize) {
        self.seen.push((step, false));
        if self.step == Some(step) {
            self.stops.store(true, Ordering::SeqCst);
        }
    }
    fn ends(&mut self, step: usize) {
        self.seen.push((step, true));
    }
    fn should_stop(&self) -> bool {
        self.stops.load(Ordering::SeqCst)
    }
}

async fn a_wish_to_stop_interrupts_the_statement_and_rolls_back(database: Database) {
    let mut driver = database.ready().await;
    let migration = migration();
    let steps =
        transaction(&migration, &["CREATE TABLE t (a int)", "SELECT pg_sleep(60)", "CREATE TABLE u (a int)"]);
    let mut watch = StopsAt { step: Some(3), ..StopsAt::default() };
    let began = Instant::now();
    let failure = driver.perform(&run("a"), &steps, &mut watch).await.unwrap_err();
    assert!(matches!(failure, Failure { step: 3, cause: Cause::Stopped }), "{failure:?}");
    assert!(began.elapsed() < Duration::from_secs(30));
    assert_no_transaction(&mut driver, &database).await;
    assert_eq!(database.value("SELECT to_regclass('t')").await, "NULL");
    // Also while much more is on its way, and more still waits.
    let mut statements = vec!["CREATE TABLE t (a int)", "SELECT pg_sleep(60)"];
    statements.extend(std::iter::repeat_n("SELECT 1", 2000));
    let steps = transaction(&migration, &statements);
    let mut watch = StopsAt { step: Some(2), ..StopsAt::default() };
    let failure = driver.perform(&run("a"), &steps, &mut watch).await.unwrap_err();
    assert!(matches!(failure.cause, Cause::Stopped), "{failure:?}");
    assert!(began.elapsed() < Duration::from_secs(30));
    assert_no_transaction(&mut driver, &database).await;
    // A wish that comes with the commit comes too late.
    let steps = transaction(&migration, &["CREATE TABLE t (a int)"]);
    let mut watch = StopsAt { step: Some(4), ..StopsAt::default() };
    driver.perform(&run("a"), &steps, &mut watch).await.unwrap();
    assert_eq!(database.value("SELECT to_regclass('t')").await, "t");
    // One that is there from the start lets nothing begin.
    let failure = driver.perform(&run("a"), &steps, &mut watch).await.unwrap_err();
    assert!(matches!(failure.cause, Cause::Stopped | Cause::ClaimTaken), "{failure:?}");
    assert_no_transaction(&mut driver, &database).await;
}

async fn a_wish_to_stop_lets_a_statement_outside_a_transaction_end(database: Database) {
    let mut driver = database.ready().await;
    let migration = migration();
    let steps = [
        execute(&migration, "CREATE TABLE t AS SELECT 1 FROM pg_sleep(0.5)"),
        execute(&migration, "CREATE TABLE u (a int)"),
    ];
    let mut watch = StopsAt { step: Some(0), ..StopsAt::default() };
    let failure = driver.perform(&run("a"), &steps, &mut watch).await.unwrap_err();
    assert!(matches!(failure, Failure { step: 1, cause: Cause::Stopped }), "{failure:?}");
    assert_eq!(
        database.value("SELECT to_regclass('t') || coalesce(to_regclass('u')::text, '-')").await,
        "t-"
    );
}

async fn a_watch_sees_every_step_once(database: Database) {
    let mut driver = database.ready().await;
    let migration = migration();
    let steps = transaction(&migration, &["CREATE TABLE t (a int)", "SELECT 1"]);
    let mut watch = StopsAt::default();
    driver.perform(&run("a"), &steps, &mut watch).await.unwrap();
    let expected: Vec<_> = (0..steps.len()).flat_map(|step| [(step, false), (step, true)]).collect();
    assert_eq!(watch.seen, expected);
}
