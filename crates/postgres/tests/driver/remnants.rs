//! Statements that work in several transactions, cut off between them or refused: the next deploy ends right.

use crate::support::*;
use windlass_core::apply::{DeployError, DeployOptions, Report, Silent, Stop, deploy, dry_run, resolve};
use windlass_core::drift::DriftPolicy;
use windlass_core::driver::Driver as _;
use windlass_core::history::State;
use windlass_core::plan::{Blocked, Resolution};
use windlass_core::source::Migrations;
use windlass_postgres::Postgres;

crate::on_servers!(
    a_build_cut_off_while_it_waits_for_writers_before_it_builds,
    a_build_cut_off_while_it_waits_for_writers_before_it_validates,
    a_build_cut_off_while_it_waits_for_old_snapshots,
    a_clearing_cut_off_is_done_again,
    a_build_that_was_done_is_not_done_again,
    a_removal_cut_off_is_done_again,
    a_detachment_cut_off_is_finished,
    a_refused_build_is_cleared_away_when_it_is_resumed,
    a_refused_build_is_cleared_away_when_its_text_is_mended,
);

const TABLES: &str = "CREATE TABLE t (n int); INSERT INTO t SELECT g FROM generate_series(1, 1000) AS g; \
    CREATE TABLE effects (statement text); \
    CREATE TABLE p (n int) PARTITION BY LIST (n); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1)";

/// What cannot be in a transaction, between statements whose double or missing execution shows.
fn around(statement: &str) -> Migrations {
    let change =
        format!("INSERT INTO effects VALUES ('before'); {statement}; INSERT INTO effects VALUES ('after');");
    Migrations::from_scripts([("1_tables.sql", TABLES.to_owned()), ("2_change.sql", change)]).unwrap()
}

async fn deploy_as(owner: &str, url: &str, migrations: &Migrations) -> Result<Report, DeployError> {
    let mut driver = Postgres::connect(&options(url)).await.unwrap();
    deploy(&mut driver, migrations, &DeployOptions::new(run(owner)), &mut Silent, &Stop::new()).await
}

async fn only_tables(database: &Database, migrations: &Migrations) {
    let mut options = DeployOptions::new(run("tables"));
    options.plan.to = Some("1_tables".to_owned());
    // What a test makes by hand later is no drift.
    options.drift.policy = DriftPolicy::Off;
    let mut driver = database.connect().await;
    deploy(&mut driver, migrations, &options, &mut Silent, &Stop::new()).await.unwrap();
}

const BUILD: &str = "CREATE INDEX CONCURRENTLY i ON t (n)";

/// Valid, ready, live.
const STATE: &str = "SELECT indisvalid::text || indisready || indislive FROM pg_index \
                     WHERE indexrelid = to_regclass('i')";

/// Ends the deployer's session once it waits, as the query tells; what it was at is lost.
async fn cut_off(
    database: &Database,
    deploying: tokio::task::JoinHandle<Result<Report, DeployError>>,
    waits: &str,
) {
    until(database, waits, "1").await;
    let end = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
               WHERE application_name = 'windlass' AND datname = current_database()";
    assert_eq!(database.value(end).await, "1");
    let lost = deploying.await.unwrap();
    assert!(matches!(lost, Err(DeployError::Lost { .. })), "{lost:?}");
    let left = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'windlass' AND datname = current_database()";
    until(database, left, "0").await;
}

fn begin_deploy(
    database: &Database,
    statement: &str,
) -> tokio::task::JoinHandle<Result<Report, DeployError>> {
    let (url, migrations) = (database.url(), around(statement));
    tokio::spawn(async move { deploy_as("first", &url, &migrations).await })
}

fn in_phase(phase: &str) -> String {
    format!(
        "SELECT count(*) FROM pg_stat_progress_create_index WHERE datname = current_database() AND phase = '{phase}'"
    )
}

/// Waits for a lock or another's transaction.
const WAITS: &str = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'windlass' \
                     AND datname = current_database() AND wait_event_type = 'Lock'";

/// The plan says what is cleared away; the deploy ends as one that nothing interrupted.
async fn ends_right(database: &Database, migrations: &Migrations, expected_plan: &[&str]) {
    let mut driver = database.connect().await;
    let mut options = DeployOptions::new(run("dry"));
    options.drift.policy = DriftPolicy::Off;
    let outlook = dry_run(&mut driver, migrations, &options).await.unwrap();
    let plan = outlook.plan.to_string();
    // How long is waited for others is told by the tests of plans.
    let lines = plan.lines().map(str::trim).filter(|line| !line.starts_with("wait for other sessions"));
    let lines: Vec<&str> = lines.take(expected_plan.len()).collect();
    assert_eq!(lines, expected_plan, "{plan}");
    deploy_as("second", &database.url(), migrations).await.unwrap();
    let effects = "SELECT string_agg(statement, ',' ORDER BY ctid) FROM effects";
    assert_eq!(database.value(effects).await, "before,after");
    let attempts = driver.inspect().await.unwrap().history.attempts;
    assert!(attempts.iter().all(|attempt| attempt.state() == State::Applied), "{attempts:#?}");
    assert_eq!(database.value("SELECT count(*) FROM pg_index WHERE NOT indisvalid").await, "0");
    assert_eq!(database.value("SELECT count(*) FROM _windlass_migrations WHERE look IS NOT NULL").await, "0");
}

const REBUILD: [&str; 4] = [
    "take over 2_change as it stands",
    "drop invalid index public.i (left by statement 2)",
    "checkpoint 2_change 1, in flight 2",
    "execute 2_change 2/3: CREATE INDEX CONCURRENTLY i ON t (n)",
];

async fn a_build_cut_off_while_it_waits_for_writers_before_it_builds(database: Database) {
    let migrations = around(BUILD);
    only_tables(&database, &migrations).await;
    let mut writer = database.raw().await;
    let writing = writer.transaction().await.unwrap();
    writing.batch_execute("INSERT INTO t VALUES (0)").await.unwrap();
    let deploying = begin_deploy(&database, BUILD);
    cut_off(&database, deploying, &in_phase("waiting for writers before build")).await;
    writing.commit().await.unwrap();
    assert_eq!(database.value(STATE).await, "falsefalsetrue");
    ends_right(&database, &migrations, &REBUILD).await;
    assert_eq!(database.value(STATE).await, "truetruetrue");
}

async fn a_build_cut_off_while_it_waits_for_writers_before_it_validates(database: Database) {
    let migrations = around(BUILD);
    only_tables(&database, &migrations).await;
    let (mut early, mut late) = (database.raw().await, database.raw().await);
    let writing_early = early.transaction().await.unwrap();
    writing_early.batch_execute("INSERT INTO t VALUES (0)").await.unwrap();
    let deploying = begin_deploy(&database, BUILD);
    until(&database, &in_phase("waiting for writers before build"), "1").await;
    let writing_late = late.transaction().await.unwrap();
    writing_late.batch_execute("INSERT INTO t VALUES (-1)").await.unwrap();
    writing_early.commit().await.unwrap();
    cut_off(&database, deploying, &in_phase("waiting for writers before validation")).await;
    writing_late.commit().await.unwrap();
    assert_eq!(database.value(STATE).await, "falsetruetrue");
    ends_right(&database, &migrations, &REBUILD).await;
    assert_eq!(database.value(STATE).await, "truetruetrue");
}

async fn a_build_cut_off_while_it_waits_for_old_snapshots(database: Database) {
    let migrations = around(BUILD);
    only_tables(&database, &migrations).await;
    let reader = database.raw().await;
    reader.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1 FROM effects").await.unwrap();
    let deploying = begin_deploy(&database, BUILD);
    cut_off(&database, deploying, &in_phase("waiting for old snapshots")).await;
    reader.batch_execute("COMMIT").await.unwrap();
    assert_eq!(database.value(STATE).await, "falsetruetrue");
    ends_right(&database, &migrations, &REBUILD).await;
    assert_eq!(database.value(STATE).await, "truetruetrue");
}

async fn a_clearing_cut_off_is_done_again(database: Database) {
    let migrations = around(BUILD);
    only_tables(&database, &migrations).await;
    let mut reader = database.raw().await;
    reader.batch_execute("BEGIN; INSERT INTO t VALUES (0)").await.unwrap();
    let deploying = begin_deploy(&database, BUILD);
    cut_off(&database, deploying, &in_phase("waiting for writers before build")).await;
    reader.batch_execute("COMMIT").await.unwrap();
    let reading = reader.transaction().await.unwrap();
    reading.batch_execute("SELECT FROM t").await.unwrap();
    let deploying = begin_deploy(&database, BUILD);
    cut_off(&database, deploying, WAITS).await;
    reading.commit().await.unwrap();
    ends_right(&database, &migrations, &REBUILD).await;
    assert_eq!(database.value(STATE).await, "truetruetrue");
}

/// The session ends between the build and the checkpoint after it.
async fn a_build_that_was_done_is_not_done_again(database: Database) {
    let migrations = around(BUILD);
    only_tables(&database, &migrations).await;
    let reader = database.raw().await;
    reader.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1 FROM effects").await.unwrap();
    let deploying = begin_deploy(&database, BUILD);
    cut_off(&database, deploying, &in_phase("waiting for old snapshots")).await;
    reader.batch_execute("COMMIT").await.unwrap();
    // As if it had come to its end.
    database.sql("REINDEX INDEX CONCURRENTLY i").await;
    let oid = database.value("SELECT 'i'::regclass::oid").await;
    let expected =
        ["take over 2_change", "begin", "execute 2_change 3/3: INSERT INTO effects VALUES ('after')"];
    ends_right(&database, &migrations, &expected).await;
    assert_eq!(database.value("SELECT 'i'::regclass::oid").await, oid);
}

async fn a_removal_cut_off_is_done_again(database: Database) {
    let removal = "DROP INDEX CONCURRENTLY i";
    let migrations = around(removal);
    only_tables(&database, &migrations).await;
    let mut reader = database.raw().await;
    reader.batch_execute("CREATE INDEX i ON t (n)").await.unwrap();
    let reading = reader.transaction().await.unwrap();
    reading.batch_execute("SELECT FROM t").await.unwrap();
    let deploying = begin_deploy(&database, removal);
    cut_off(&database, deploying, WAITS).await;
    reading.commit().await.unwrap();
    assert_eq!(database.value(STATE).await, "falsetruetrue");
    let expected = ["take over 2_change, in flight 2", "execute 2_change 2/3: DROP INDEX CONCURRENTLY i"];
    ends_right(&database, &migrations, &expected).await;
    assert_eq!(database.value("SELECT to_regclass('i')").await, "NULL");
}

async fn a_detachment_cut_off_is_finished(database: Database) {
    let detachment = "ALTER TABLE p DETACH PARTITION p1 CONCURRENTLY";
    let migrations = around(detachment);
    only_tables(&database, &migrations).await;
    let mut reader = database.raw().await;
    let reading = reader.transaction().await.unwrap();
    reading.batch_execute("SELECT FROM p").await.unwrap();
    let deploying = begin_deploy(&database, detachment);
    cut_off(&database, deploying, WAITS).await;
    reading.commit().await.unwrap();
    assert_eq!(database.value("SELECT inhdetachpending FROM pg_inherits").await, "t");
    let expected = [
        "take over 2_change as it stands",
        "finish detaching public.p1 from public.p (left by statement 2)",
        "checkpoint 2_change 2",
        "begin",
        "execute 2_change 3/3: INSERT INTO effects VALUES ('after')",
    ];
    ends_right(&database, &migrations, &expected).await;
    assert_eq!(database.value("SELECT count(*) FROM pg_inherits").await, "0");
}

const UNIQUE: &str = "CREATE UNIQUE INDEX CONCURRENTLY i ON t (n)";

/// Deploys a build that meets a duplicate, twice: it is refused, and then stands in the way.
async fn refused(database: &Database) -> Migrations {
    let migrations = around(UNIQUE);
    only_tables(database, &migrations).await;
    database.sql("INSERT INTO t VALUES (1)").await;
    let refused = deploy_as("first", &database.url(), &migrations).await;
    let Err(DeployError::Statement(failed)) = refused else { panic!("{refused:?}") };
    assert_eq!((failed.number, failed.error.code.as_deref()), (2, Some("23505")));
    assert_eq!(database.value(STATE).await, "falsefalsetrue");
    let blocked = deploy_as("second", &database.url(), &migrations).await;
    assert!(matches!(blocked, Err(DeployError::Blocked(Blocked::Failed { .. }))), "{blocked:?}");
    migrations
}

async fn a_refused_build_is_cleared_away_when_it_is_resumed(database: Database) {
    let migrations = refused(&database).await;
    database.sql("DELETE FROM t WHERE ctid = (SELECT max(ctid) FROM t)").await;
    let mut driver = database.connect().await;
    let who = run("person");
    let resume = (Resolution::Resume, "2_change");
    resolve(&mut driver, &migrations, &who, resume, "mended", false).await.unwrap();
    drop(driver);
    let expected = [REBUILD[0], REBUILD[1], REBUILD[2], &format!("execute 2_change 2/3: {UNIQUE}")];
    ends_right(&database, &migrations, &expected).await;
    assert_eq!(database.value(STATE).await, "truetruetrue");
}

async fn a_refused_build_is_cleared_away_when_its_text_is_mended(database: Database) {
    refused(&database).await;
    let mended = around("CREATE INDEX CONCURRENTLY j ON t (n)");
    let expected =
        [REBUILD[0], REBUILD[1], REBUILD[2], "execute 2_change 2/3: CREATE INDEX CONCURRENTLY j ON t (n)"];
    ends_right(&database, &mended, &expected).await;
    assert_eq!(database.value("SELECT to_regclass('i')").await, "NULL");
    assert_eq!(database.value("SELECT to_regclass('j')").await, "j");
}
