//! Waiting and stopping: many deployers at once, a wish to stop, a session that dies in the middle of its work.

use harness::{Database, Family, Meeting, StopsAt, deploy, migrations, options, start, start_with};
use std::time::{Duration, Instant};
use windlass_core::apply::{DeployError, Report, Silent, Stop};
use windlass_core::driver::Lock;
use windlass_core::history::State;
use windlass_core::plan::{Blocked, Resolution};

harness::scenarios!(
    on [Postgres, MySql, MariaDb, Sqlite]:
        eight_deployers_at_once_run_everything_once,
        a_stop_before_the_lock_is_had_runs_nothing;
    on [Sqlite]: a_stop_in_a_transaction_leaves_nothing_of_it;
    on [Postgres, Sqlite]: a_stop_in_a_group_leaves_nothing_of_it;
    on [MySql, MariaDb]: a_stop_leaves_the_statements_that_are_done;
    on [Postgres]:
        a_stop_without_a_transaction_leaves_the_statements_that_are_done,
        a_stop_in_a_pipelined_transaction_leaves_nothing_of_it,
        a_session_killed_in_a_transaction_leaves_nothing_of_it,
        a_session_killed_while_an_index_is_built_is_gone_on_with;
    on [MySql, MariaDb]:
        a_session_killed_in_a_data_statement_is_gone_on_with,
        a_session_killed_in_a_definition_is_gone_on_with,
        a_session_killed_in_a_call_leaves_doubt,
        what_took_effect_in_doubt_is_not_run_again;
);

const N: (&str, &str) = ("1_n", "CREATE TABLE n (n int);\nINSERT INTO n VALUES (0);");
const PLUS: &str = "UPDATE n SET n = n + 1;\nUPDATE n SET n = n + 10;\nUPDATE n SET n = n + 100;";
/// Where every statement that commits by itself is a checkpoint.
const TABLES: &str = "CREATE TABLE x (n int);\nCREATE TABLE y (n int);\nCREATE TABLE z (n int);";

async fn deployed(database: &Database, scripts: &[(&'static str, &str)]) -> Report {
    let deploy = deploy(&mut *database.connect().await, &migrations(scripts)).await;
    deploy.unwrap_or_else(|error| panic!("{}: {error:#?}", database.target()))
}

async fn eight_deployers_at_once_run_everything_once(database: &Database) {
    // A deployer on SQLite waits inside the database first, for as long as the URL says.
    let url = match database.target().family {
        Family::Sqlite => format!("{}?busy_timeout=10", database.url()),
        _ => database.url(),
    };
    let scripts = [N, ("2_plus", PLUS), ("3_tables", TABLES)];
    let meeting = Meeting::of(8, database.target().family);
    let mut deployers = Vec::new();
    for _ in 0..8 {
        let session = database.try_connect(&url).await.expect("a session");
        let set = migrations(&scripts);
        deployers.push(start_with(session, set, options(), meeting.clone(), Stop::new()));
    }
    let mut reports = Vec::new();
    for deployer in deployers {
        reports.push(deployer.await.expect("a thread").expect("a deploy"));
    }
    assert_eq!(reports.iter().filter(|report| report.applied.len() == 3).count(), 1, "{reports:?}");
    let losers = reports.iter().filter(|report| report.applied.is_empty() && report.waited.is_some());
    assert_eq!(losers.count(), 7, "{reports:?}");
    assert_eq!(database.value("SELECT sum(n) FROM n").await, "111");
    let history = database.connect().await.inspect().await.expect("a history").history;
    assert_eq!(history.attempts.len(), 3);
    assert!(history.verify().is_ok());
}

async fn stopped_at(
    database: &Database,
    text: &'static str,
    scripts: &[(&'static str, &str)],
) -> (Report, Option<String>) {
    let stop = Stop::new();
    let observer = StopsAt { text, stop: stop.clone() };
    let deploy = start_with(database.connect().await, migrations(scripts), options(), observer, stop);
    stopped(database, deploy.await.expect("a thread")).await
}

/// PostgreSQL has the whole transaction at once: there a stop means something while the server is at work.
async fn stopped_while_running(
    database: &Database,
    text: &'static str,
    scripts: &[(&'static str, &str)],
) -> (Report, Option<String>) {
    let (stop, began) = (Stop::new(), Instant::now());
    let deploy = start_with(database.connect().await, migrations(scripts), options(), Silent, stop.clone());
    database.running(text).await;
    stop.ask();
    let ended = deploy.await.expect("a thread");
    assert!(began.elapsed() < Duration::from_secs(60), "it ran on: {:?}", began.elapsed());
    stopped(database, ended).await
}

async fn stopped(database: &Database, ended: Result<Report, DeployError>) -> (Report, Option<String>) {
    // The session is gone: what others find is what it left.
    let mut other = database.connect().await;
    assert_eq!(other.try_lock().await.expect("an answer"), Lock::Acquired, "the lock is held");
    assert!(other.inspect().await.expect("a history").history.verify().is_ok());
    other.unlock().await.expect("given back");
    match ended.expect_err("asked to stop") {
        DeployError::Stopped { report, part_way } => (report, part_way),
        other => panic!("{other:#?}"),
    }
}

async fn states(database: &Database) -> Vec<(String, State, u32)> {
    let history = database.connect().await.inspect().await.expect("a history").history;
    history.attempts.iter().map(|a| (a.name.clone(), a.state(), a.completed)).collect()
}

async fn a_stop_in_a_transaction_leaves_nothing_of_it(database: &Database) {
    deployed(database, &[N]).await;
    let scripts = [N, ("2_plus", PLUS), ("3_tables", TABLES), ("4_plus", "UPDATE n SET n = n + 1000;")];
    let (report, part_way) = stopped_at(database, "CREATE TABLE y", &scripts).await;
    assert_eq!((report.applied.len(), part_way), (1, None));
    assert_eq!(database.tables().await, ["n"]);
    assert_eq!(states(database).await.len(), 2, "a stop is no failure");
    let names: Vec<_> = deployed(database, &scripts).await.applied.into_iter().map(|a| a.name).collect();
    assert_eq!(names, ["3_tables", "4_plus"]);
    assert_eq!(database.value("SELECT sum(n) FROM n").await, "1111");
}

async fn a_stop_in_a_group_leaves_nothing_of_it(database: &Database) {
    let long = "INSERT INTO n WITH RECURSIVE s (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < 1000000000) \
                SELECT 1 FROM s WHERE i = 0;";
    let (stopped, second) = match database.target().family {
        Family::Postgres => {
            let scripts = [N, ("2_plus", long), ("3_tables", TABLES)];
            (stopped_while_running(database, "RECURSIVE", &scripts).await, long)
        }
        _ => {
            (stopped_at(database, "CREATE TABLE y", &[N, ("2_plus", PLUS), ("3_tables", TABLES)]).await, PLUS)
        }
    };
    assert!(stopped.0.applied.is_empty() && stopped.1.is_none(), "{stopped:?}");
    assert!(database.tables().await.is_empty());
    assert!(states(database).await.is_empty(), "a stop is no failure");
    let shorter = second.replace("1000000000", "10");
    assert_eq!(deployed(database, &[N, ("2_plus", &shorter), ("3_tables", TABLES)]).await.applied.len(), 3);
}

async fn a_stop_leaves_the_statements_that_are_done(database: &Database) {
    let scripts = [N, ("2_tables", TABLES), ("3_plus", PLUS)];
    let (report, part_way) = stopped_at(database, "CREATE TABLE y", &scripts).await;
    assert_eq!((report.applied.len(), part_way.as_deref()), (1, Some("2_tables")));
    assert_eq!(database.tables().await, ["n", "x", "y"]);
    let second = states(database).await.pop().expect("an attempt");
    assert_eq!(second, ("2_tables".to_owned(), State::Interrupted, 2));
    assert_eq!(deployed(database, &scripts).await.applied.len(), 2);
    assert_eq!(database.tables().await, ["n", "x", "y", "z"]);
    assert_eq!(database.value("SELECT sum(n) FROM n").await, "111");
    assert!(deployed(database, &scripts).await.applied.is_empty());
}

async fn a_stop_without_a_transaction_leaves_the_statements_that_are_done(database: &Database) {
    let alone = format!("-- windlass: no-transaction\n{TABLES}");
    let scripts = [N, ("2_tables", alone.as_str()), ("3_plus", PLUS)];
    let (report, part_way) = stopped_at(database, "CREATE TABLE y", &scripts).await;
    assert_eq!((report.applied.len(), part_way.as_deref()), (1, Some("2_tables")));
    assert_eq!(database.tables().await, ["n", "x", "y"]);
    assert_eq!(deployed(database, &scripts).await.applied.len(), 2);
    assert_eq!(database.tables().await, ["n", "x", "y", "z"]);
}

async fn a_stop_in_a_pipelined_transaction_leaves_nothing_of_it(database: &Database) {
    deployed(database, &[N]).await;
    let slow =
        "CREATE TABLE x (n int);\nUPDATE n SET n = n + 5;\nSELECT pg_sleep(120);\nUPDATE n SET n = n + 7;";
    let scripts = [N, ("2_plus", PLUS), ("3_slow", slow), ("4_tables", TABLES)];
    let (report, part_way) = stopped_while_running(database, "pg_sleep", &scripts).await;
    assert_eq!((report.applied.len(), part_way), (1, None));
    assert_eq!(database.tables().await, ["n"]);
    assert_eq!(database.value("SELECT sum(n) FROM n").await, "111");
    assert_eq!(states(database).await.len(), 2, "a stop is no failure");
    let quick = slow.replace("120", "0");
    let mended = [N, ("2_plus", PLUS), ("3_slow", quick.as_str())];
    assert_eq!(deployed(database, &mended).await.applied.len(), 1);
    assert_eq!(database.value("SELECT sum(n) FROM n").await, "123");
}

async fn a_stop_before_the_lock_is_had_runs_nothing(database: &Database) {
    let stop = Stop::new();
    stop.ask();
    let deploy = start_with(database.connect().await, migrations(&[N]), options(), Silent, stop);
    let ended = deploy.await.expect("a thread").expect_err("asked to stop");
    assert!(matches!(ended, DeployError::Stopped { part_way: None, .. }), "{ended:?}");
    assert!(database.tables().await.is_empty());
    assert_eq!(deployed(database, &[N]).await.applied.len(), 1);
}

/// Deploys until a statement with this text waits for a lock on the table `n`, and kills the session there.
pub(crate) async fn killed_at(database: &Database, text: &str, scripts: &[(&'static str, &str)]) {
    let mut gate = database.gate("n").await;
    killed_behind(database, &mut gate, text, scripts).await;
}

async fn killed_behind(
    database: &Database,
    gate: &mut harness::Raw,
    text: &str,
    scripts: &[(&'static str, &str)],
) {
    let deploy = start(database.connect().await, migrations(scripts));
    let session = database.running(text).await;
    database.kill(&session).await;
    let ended = deploy.await.expect("a thread").expect_err("its session was killed");
    assert!(matches!(&ended, DeployError::Lost { during, .. } if !during.is_empty()), "{ended:?}");
    let free = if database.target().family == Family::Postgres { "ROLLBACK" } else { "UNLOCK TABLES" };
    gate.execute(free).await.expect("released");
}

async fn a_session_killed_in_a_transaction_leaves_nothing_of_it(database: &Database) {
    deployed(database, &[N]).await;
    let half = "CREATE TABLE x (n int);\nUPDATE n SET n = n + 1;\nUPDATE n SET n = n + 10;";
    let scripts = [N, ("2_half", half), ("3_plus", "UPDATE n SET n = n + 100;")];
    killed_at(database, "n + 1", &scripts).await;
    assert_eq!(database.tables().await, ["n"]);
    assert_eq!(deployed(database, &scripts).await.applied.len(), 2);
    assert_eq!(database.value("SELECT sum(n) FROM n").await, "111");
}

async fn a_session_killed_while_an_index_is_built_is_gone_on_with(database: &Database) {
    deployed(database, &[N]).await;
    let index = "CREATE INDEX CONCURRENTLY half_built ON n (n);\nUPDATE n SET n = n + 1;";
    let scripts = [N, ("2_index", index)];
    let mut writer = database.session().await;
    writer.execute("BEGIN; INSERT INTO n VALUES (5)").await.expect("a transaction that the index waits for");
    killed_behind(database, &mut writer, "half_built", &scripts).await;
    assert_eq!(
        deployed(database, &scripts).await.applied.len(),
        1,
        "what the build left is cleared away first"
    );
    assert_eq!(
        database.value("SELECT bool_and(indisvalid) FROM pg_index WHERE indrelid = 'n'::regclass").await,
        "t"
    );
    assert_eq!(database.value("SELECT sum(n) FROM n").await, "1");
}

/// A deploy is refused since nobody knows whether this statement took effect.
async fn doubted(database: &Database, scripts: &[(&'static str, &str)], statement: u32) {
    let again = deploy(&mut *database.connect().await, &migrations(scripts)).await;
    let Err(DeployError::Blocked(blocked)) = again else { panic!("{again:?}") };
    assert!(blocked.hint().is_some_and(|hint| hint.contains("--resume")), "{blocked:?}");
    let Blocked::InDoubt { in_flight, place, .. } = blocked else { panic!("{blocked:?}") };
    assert_eq!((in_flight.first, in_flight.last), (statement, statement));
    assert_eq!(place.map(|place| place.line), Some(statement));
}

async fn resume(database: &Database, scripts: &[(&'static str, &str)], name: &str) {
    decide(database, scripts, Resolution::Resume, name).await.expect("resumed");
}

async fn what_took_effect_in_doubt_is_not_run_again(database: &Database) {
    let procedure = "CREATE TABLE x (n int);\nCREATE PROCEDURE fill() BEGIN INSERT INTO x VALUES (1); COMMIT; UPDATE n SET n = n + 1; END;";
    deployed(database, &[N, ("2_procedure", procedure)]).await;
    let call = "INSERT INTO x VALUES (9);\nCALL fill();\nINSERT INTO x VALUES (2);";
    let scripts = [N, ("2_procedure", procedure), ("3_call", call)];
    killed_at(database, "n + 1", &scripts).await;
    doubted(database, &scripts, 2).await;
    // A person looks, finds half of it, and does the other half.
    database.sql("UPDATE n SET n = n + 1").await;
    let edited = [scripts[0], scripts[1], ("3_call", "INSERT INTO x VALUES (9);\nCALL fill();")];
    let other = decide(database, &edited, Resolution::TookEffect, "3_call").await;
    assert!(other.is_err(), "what ran is not what stands there: {other:?}");
    decide(database, &scripts, Resolution::TookEffect, "3_call").await.expect("a decision");
    assert_eq!(deployed(database, &scripts).await.applied.len(), 1);
    assert_eq!(database.value("SELECT sum(n) FROM x").await, "12");
    assert_eq!(database.value("SELECT sum(n) FROM n").await, "1");
    let settled = decide(database, &scripts, Resolution::TookEffect, "3_call").await;
    assert!(settled.is_err(), "nothing is in doubt any more: {settled:?}");
}

async fn decide(
    database: &Database,
    scripts: &[(&'static str, &str)],
    decision: Resolution,
    name: &str,
) -> Result<(), windlass_core::apply::ResolveFailure> {
    let (mut driver, run) = (database.connect().await, options().run);
    let set = migrations(scripts);
    windlass_core::apply::resolve(&mut *driver, &set, &run, (decision, name), "a person looked", false).await
}

async fn a_session_killed_in_a_data_statement_is_gone_on_with(database: &Database) {
    deployed(database, &[N]).await;
    let half = "CREATE TABLE x (n int);\nINSERT INTO x VALUES (7);\nUPDATE n SET n = n + 1;";
    let scripts = [N, ("2_half", half), ("3_plus", "UPDATE n SET n = n + 10;")];
    killed_at(database, "n + 1", &scripts).await;
    assert_eq!(states(database).await.pop(), Some(("2_half".to_owned(), State::Interrupted, 1)));
    assert_eq!(deployed(database, &scripts).await.applied.len(), 2);
    assert_eq!(database.value("SELECT sum(n) FROM n").await, "11");
    assert_eq!(database.value("SELECT count(*) FROM x").await, "1");
}

async fn a_session_killed_in_a_definition_is_gone_on_with(database: &Database) {
    deployed(database, &[N]).await;
    let half = "CREATE TABLE x (n int);\nALTER TABLE n ADD COLUMN m int;\nUPDATE n SET m = 1, n = n + 1;";
    let scripts = [N, ("2_half", half), ("3_plus", "UPDATE n SET n = n + 10;")];
    killed_at(database, "ADD COLUMN", &scripts).await;
    assert_eq!(database.tables().await, ["n", "x"]);
    assert_eq!(deployed(database, &scripts).await.applied.len(), 2, "a look tells that it was not done");
    assert_eq!(database.value("SELECT sum(n + m) FROM n").await, "12");
}

async fn a_session_killed_in_a_call_leaves_doubt(database: &Database) {
    let procedure = "CREATE TABLE x (n int);\nCREATE PROCEDURE fill() BEGIN INSERT INTO x VALUES (1); COMMIT; UPDATE n SET n = n + 1; END;";
    deployed(database, &[N, ("2_procedure", procedure)]).await;
    let scripts = [N, ("2_procedure", procedure), ("3_call", "INSERT INTO x VALUES (9);\nCALL fill();")];
    killed_at(database, "n + 1", &scripts).await;
    assert_eq!(database.value("SELECT count(*) FROM x").await, "2", "half of the procedure stands");
    doubted(database, &scripts, 2).await;
    // What another text has in its place tells nothing of it.
    let edited = "INSERT INTO x VALUES (9);\nSELECT 1;\nCALL fill();";
    doubted(database, &[N, ("2_procedure", procedure), ("3_call", edited)], 2).await;
    database.sql("DELETE FROM x WHERE n = 1").await;
    resume(database, &scripts, "3_call").await;
    assert_eq!(deployed(database, &scripts).await.applied.len(), 1);
    assert_eq!(database.value("SELECT sum(n) FROM x").await, "10");
    assert_eq!(database.value("SELECT sum(n) FROM n").await, "1");
}
