//! Repeating: statements that are run until they touch no row, whole, cut off, gone on with and stopped.

use harness::{
    Database, Expendable, Extent, Family, Project, Random, deploy, migrations, options, start_with,
};
use std::time::{Duration, Instant};
use windlass_core::apply::{DeployError, Event, Observer, Stands, Stop};
use windlass_core::history::State;
use windlass_core::plan::Blocked;

harness::scenarios!(
    on [Postgres, MySql, MariaDb, Sqlite]:
        a_backfill_is_run_until_no_row_is_left,
        every_kind_of_statement_comes_to_its_end,
        no_row_at_all_is_one_run,
        a_goal_ends_it_and_a_pause_parts_its_runs,
        a_stop_is_heard_between_two_runs,
        a_refused_run_leaves_the_earlier_ones_and_is_gone_on_with,
        what_never_ends_is_stopped,
        rows_that_stay_as_they_are_count_as_touched,
        what_cannot_be_repeated_runs_nothing;
    natively [Postgres, MySql, MariaDb, Sqlite]:
        the_fixture_is_filled,
        a_killed_backfill_ends_exact;
    natively [Postgres, MySql, MariaDb]: a_backfill_whose_server_is_killed_ends_exact;
    on [MySql, MariaDb]: a_stopped_clock_does_not_hinder_the_count;
    on [Postgres]: a_data_modifying_query_moves_rows;
);

const ROWS: u64 = 250;

/// Rows `0..ROWS`, none of them done.
async fn filled(database: &Database) {
    fill(database, ROWS).await;
}

async fn fill(database: &Database, rows: u64) {
    database.sql("CREATE TABLE t (id int PRIMARY KEY, n int NOT NULL, done int NOT NULL)").await;
    if rows == 0 {
        return;
    }
    let digits = match database.target().family {
        Family::Postgres => {
            let series = format!("INSERT INTO t SELECT i, 0, 0 FROM generate_series(0, {rows} - 1) AS i");
            return database.sql(&series).await;
        }
        Family::Sqlite => format!(
            "WITH RECURSIVE d (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM d WHERE i < {rows} - 1) \
             INSERT INTO t SELECT i, 0, 0 FROM d"
        ),
        _ => {
            database.sql("CREATE TABLE d (i int); INSERT INTO d VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)").await;
            let places = (0..rows.to_string().len()).map(|place| {
                (
                    format!("d AS d{place}"),
                    format!("d{place}.i * {}", 10_u64.pow(u32::try_from(place).expect("few"))),
                )
            });
            let (tables, sum): (Vec<_>, Vec<_>) = places.unzip();
            let sum = sum.join(" + ");
            database
                .sql(&format!(
                    "INSERT INTO t SELECT {sum}, 0, 0 FROM {} WHERE {sum} < {rows}",
                    tables.join(", ")
                ))
                .await;
            return database.sql("DROP TABLE d").await;
        }
    };
    database.sql(&digits).await;
}

/// So many rows with each run.
fn batch(database: &Database, rows: u64) -> String {
    match database.target().family {
        Family::MySql | Family::MariaDb => {
            format!("UPDATE t SET n = n + 1, done = 1 WHERE done = 0 ORDER BY id LIMIT {rows}")
        }
        _ => format!(
            "UPDATE t SET n = n + 1, done = 1 WHERE id IN (SELECT id FROM t WHERE done = 0 ORDER BY id LIMIT {rows})"
        ),
    }
}

fn repeat(database: &Database, options: &str, rows: u64) -> String {
    format!("-- windlass: repeat {options}\n{};\n", batch(database, rows))
}

/// Every row was touched, and once.
async fn is_exact(database: &Database, rows: u64) {
    let found = database.query("SELECT count(*), sum(n), min(n), max(n), sum(done) FROM t").await;
    let found: Vec<_> = found[0].iter().map(|value| value.clone().unwrap_or_default()).collect();
    let rows = rows.to_string();
    assert_eq!(found, [rows.as_str(), &rows, "1", "1", &rows], "{}", database.target());
}

async fn done(database: &Database) -> u64 {
    database.value("SELECT count(*) FROM t WHERE done = 1 AND n = 1").await.parse().expect("a number")
}

async fn attempt(database: &Database) -> windlass_core::history::Attempt {
    let history = database.connect().await.inspect().await.expect("a history").history;
    assert!(history.verify().is_ok());
    history.attempts.last().expect("an attempt").clone()
}

fn non_empty() -> windlass_core::apply::DeployOptions {
    let mut options = options();
    options.plan.allow_non_empty = true;
    options
}

/// Counts runs, and keeps what is told of their rows.
#[derive(Clone, Debug, Default)]
struct Told(std::sync::Arc<std::sync::Mutex<Vec<(u64, bool)>>>);

impl Observer for Told {
    fn event(&mut self, event: Event<'_>) {
        if let Event::RowsTouched { rows, is_done, .. } = event {
            self.0.lock().expect("unbroken").push((rows, is_done));
        }
    }
}

async fn run(
    database: &Database,
    name: &'static str,
    sql: &str,
) -> (Result<(), DeployError>, Vec<(u64, bool)>) {
    let told = Told::default();
    let set = migrations(&[(name, sql)]);
    let deployer = start_with(database.connect().await, set, non_empty(), told.clone(), Stop::new());
    let result = deployer.await.expect("a thread").map(|_| ());
    let told = told.0.lock().expect("unbroken").clone();
    (result, told)
}

async fn a_backfill_is_run_until_no_row_is_left(database: &Database) {
    filled(database).await;
    let sql = format!(
        "CREATE TABLE before_it (n int);\n{}CREATE TABLE after_it (n int);",
        repeat(database, "", 100)
    );
    let (result, told) = run(database, "1_backfill", &sql).await;
    result.expect("a deploy");
    assert_eq!(told, [(100, false), (200, false), (250, false), (250, true)]);
    is_exact(database, ROWS).await;
    assert_eq!(database.tables().await, ["after_it", "before_it", "t"]);
    let attempt = attempt(database).await;
    assert_eq!(
        (attempt.state(), attempt.completed, attempt.touched, attempt.row_limit),
        (State::Applied, 3, 0, None)
    );
}

async fn the_fixture_is_filled(database: &Database) {
    let family = database.target().family.folder();
    let folder = format!("{}/../migrations-fixtures/backfill/{family}", env!("CARGO_MANIFEST_DIR"));
    let project = Project::new(database, &[]);
    let ran = project.run(&["deploy", "--create-database", "--dir", &folder]).await.code(0);
    ran.err("Repeated 2_euros 2/3: 1000 rows").out("Applied 2_euros (3 statements, ");
    assert_eq!(database.value("SELECT count(*) FROM orders WHERE euros IS NOT NULL").await, "1000");
}

async fn every_kind_of_statement_comes_to_its_end(database: &Database) {
    filled(database).await;
    let family = database.target().family;
    let limited = |name: &str| match family {
        Family::MySql | Family::MariaDb => format!("DELETE FROM {name} WHERE done = 1 LIMIT 60"),
        Family::Sqlite => {
            format!("DELETE FROM {name} WHERE rowid IN (SELECT rowid FROM {name} WHERE done = 1 LIMIT 60)")
        }
        Family::Postgres => format!(
            "WITH few AS (SELECT id FROM {name} WHERE done = 1 LIMIT 60) DELETE FROM {name} WHERE id IN (SELECT id FROM few)"
        ),
    };
    let sql = copied_and_cleared(database, &limited("copy"));
    let (result, told) = run(database, "1_kinds", &sql).await;
    result.expect("a deploy");
    assert_eq!(
        told.iter().filter(|(rows, is_done)| (*rows, *is_done) == (ROWS, true)).count(),
        3,
        "{told:?}"
    );
    is_exact(database, ROWS).await;
    assert_eq!(database.value("SELECT count(*) FROM copy").await, "0");
    // MariaDB has no UPDATE behind a WITH.
    if family != Family::MariaDb {
        let with = "-- windlass: repeat\nWITH few AS (SELECT id FROM t WHERE done = 1) \
                   UPDATE t SET done = 0 WHERE done = 1 AND id IN (SELECT id FROM (SELECT id FROM few LIMIT 100) AS s);";
        let scripts = [("1_kinds", sql.as_str()), ("2_with", with)];
        deploy(&mut *database.connect().await, &migrations(&scripts)).await.expect("a deploy");
        assert_eq!(database.value("SELECT count(*) FROM t WHERE done = 0").await, ROWS.to_string());
    }
}

fn copied_and_cleared(database: &Database, clear: &str) -> String {
    format!(
        "CREATE TABLE copy (id int PRIMARY KEY, done int);\n\
         -- windlass: repeat\n\
         INSERT INTO copy SELECT id, 1 FROM t WHERE NOT EXISTS (SELECT 1 FROM copy WHERE copy.id = t.id) ORDER BY id LIMIT 60;\n\
         {}-- windlass: repeat\n{clear};",
        repeat(database, "", 100),
    )
}

async fn no_row_at_all_is_one_run(database: &Database) {
    fill(database, 0).await;
    let (result, told) = run(database, "1_backfill", &repeat(database, "", 100)).await;
    result.expect("a deploy");
    assert_eq!(told, [(0, true)]);
    assert_eq!(attempt(database).await.state(), State::Applied);
}

async fn a_goal_ends_it_and_a_pause_parts_its_runs(database: &Database) {
    filled(database).await;
    let began = Instant::now();
    let (result, told) =
        run(database, "1_backfill", &repeat(database, "pause 200ms until 90 rows", 40)).await;
    result.expect("a deploy");
    assert_eq!(told, [(40, false), (80, false), (120, true)]);
    assert!(began.elapsed() >= Duration::from_millis(400), "two pauses: {:?}", began.elapsed());
    assert_eq!(done(database).await, 120);
}

async fn a_stop_is_heard_between_two_runs(database: &Database) {
    filled(database).await;
    let sql = repeat(database, "pause 1h", 100);
    let (stop, told) = (Stop::new(), Told::default());
    let set = migrations(&[("1_backfill", &sql)]);
    let deployer = start_with(database.connect().await, set, non_empty(), told.clone(), stop.clone());
    let began = Instant::now();
    while told.0.lock().expect("unbroken").is_empty() {
        assert!(began.elapsed() < Duration::from_secs(60), "no run");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    stop.ask();
    let stopped = deployer.await.expect("a thread");
    let Err(DeployError::Stopped { part_way, .. }) = stopped else { panic!("{stopped:#?}") };
    assert_eq!(part_way.as_deref(), Some("1_backfill"));
    // The server lists a session for a moment longer than its client lives.
    let waiting = harness::Waiting::for_this("the end of the session");
    let found = loop {
        match attempt(database).await {
            found if found.state() == State::Running => waiting.pause().await,
            found => break found,
        }
    };
    assert_eq!((found.state(), found.completed, found.touched), (State::Interrupted, 0, 100));
    assert_eq!(done(database).await, 100);
    let (result, told) = run(database, "1_backfill", &sql.replace("pause 1h", "pause 1ms")).await;
    result.expect("a deploy");
    assert_eq!(told.first(), Some(&(200, false)), "it goes on counting");
    is_exact(database, ROWS).await;
}

async fn a_refused_run_leaves_the_earlier_ones_and_is_gone_on_with(database: &Database) {
    filled(database).await;
    database.sql("CREATE TABLE bad (id int PRIMARY KEY); INSERT INTO bad VALUES (150);").await;
    // The third run meets the bad row.
    let bad = "-- windlass: repeat\nINSERT INTO bad SELECT CASE WHEN id >= 100 THEN 150 ELSE id END FROM t \
               WHERE NOT EXISTS (SELECT 1 FROM bad WHERE bad.id = t.id) AND id <> 150 ORDER BY id LIMIT 50;";
    let good = bad.replace("CASE WHEN id >= 100 THEN 150 ELSE id END", "id");
    let whole = format!("CREATE TABLE first (n int);\n{bad}\nCREATE TABLE last (n int);");
    let (result, told) = run(database, "1_backfill", &whole).await;
    assert_eq!(told, [(50, false), (100, false)]);
    let Err(DeployError::Statement(failed)) = result else { panic!("{result:#?}") };
    assert_eq!(
        (failed.stands, failed.number, failed.touched, failed.recorded),
        (Stands::Part { completed: 1 }, 2, 100, true)
    );
    let (result, _) = run(database, "1_backfill", &whole).await;
    let Err(DeployError::Blocked(blocked @ Blocked::Failed { .. })) = result else { panic!("{result:#?}") };
    assert!(blocked.to_string().contains("after 1 of 3 statements and 100 rows of statement 2"), "{blocked}");
    let whole = format!("CREATE TABLE first (n int);\n{good}\nCREATE TABLE last (n int);");
    let (result, told) = run(database, "1_backfill", &whole).await;
    result.expect("mended, it goes on");
    assert_eq!(told.first(), Some(&(150, false)));
    assert_eq!(database.value("SELECT count(*) FROM bad").await, ROWS.to_string());
    assert_eq!(database.tables().await, ["bad", "first", "last", "t"]);
}

async fn what_never_ends_is_stopped(database: &Database) {
    filled(database).await;
    let endless = "-- windlass: repeat\nUPDATE t SET n = n + 1 WHERE id < 100;";
    let (result, told) = run(database, "1_endless", endless).await;
    let Err(DeployError::Statement(failed)) = result else { panic!("{result:#?}") };
    assert_eq!(told.len(), 6, "the first run beyond twice 250 is the last: {told:?}");
    assert!(failed.error.message.contains("600 rows, more than twice the 250 rows"), "{failed:#?}");
    assert_eq!((failed.stands, failed.touched), (Stands::Part { completed: 0 }, 600));
    assert_eq!(database.value("SELECT max(n) FROM t").await, "6");
    let found = attempt(database).await;
    assert_eq!((found.state(), found.touched, found.row_limit), (State::Failed, 600, Some(500)));
    let bounded = endless.replace("repeat", "repeat at most 10_000 rows until 1_000 rows");
    let (result, _) = run(database, "1_endless", &bounded).await;
    result.expect("it may go further now");
    assert_eq!(database.value("SELECT max(n) FROM t").await, "10");
    let short = "-- windlass: repeat at most 150 rows\nUPDATE t SET n = n + 1 WHERE id < 100;";
    let scripts = [("1_endless", bounded.as_str()), ("2_short", short)];
    let stopped = deploy(&mut *database.connect().await, &migrations(&scripts)).await;
    let Err(DeployError::Statement(failed)) = stopped else { panic!("{stopped:#?}") };
    assert_eq!(failed.touched, 200);
}

/// An UPDATE counts what it finds. One that counted what it changes would be done at once here, with rows left.
async fn rows_that_stay_as_they_are_count_as_touched(database: &Database) {
    filled(database).await;
    let same = "-- windlass: repeat until 500 rows\nUPDATE t SET n = 0 WHERE done = 0;";
    let (result, told) = run(database, "1_same", same).await;
    result.expect("a deploy");
    assert_eq!(told, [(250, false), (500, true)]);
}

async fn what_cannot_be_repeated_runs_nothing(database: &Database) {
    filled(database).await;
    for (sql, told) in [
        ("UPDATE t SET n = 1", "without WHERE"),
        ("DELETE FROM t", "without WHERE"),
        ("CREATE TABLE y (n int)", "cannot be repeated"),
        ("SELECT n FROM t WHERE n = 0", "cannot be repeated"),
    ] {
        let sql = format!("CREATE TABLE x (n int);\n-- windlass: repeat\n{sql};");
        let (result, _) = run(database, "1_no", &sql).await;
        let Err(DeployError::Blocked(blocked)) = result else { panic!("{result:#?}") };
        assert!(blocked.to_string().starts_with("1_no.sql:3:1: "), "{blocked}");
        assert!(blocked.to_string().contains(told), "{blocked}");
    }
    assert_eq!(database.tables().await, ["t"]);
    let project = Project::new(database, &[("1_no", "-- windlass: repaet\nDELETE FROM t WHERE n = 0;")]);
    project
        .run(&["deploy", "--allow-non-empty"])
        .await
        .code(7)
        .err("did you mean `repeat`?")
        .err("1_no.sql: line 1, column 14");
}

async fn a_stopped_clock_does_not_hinder_the_count(database: &Database) {
    filled(database).await;
    let sql =
        format!("SET autocommit = 1;\nSET SESSION TRANSACTION READ WRITE;\n{}", repeat(database, "", 100));
    let (result, told) = run(database, "1_backfill", &sql).await;
    result.expect("a deploy");
    assert_eq!(told, [(100, false), (200, false), (250, false), (250, true)]);
    is_exact(database, ROWS).await;
}

async fn a_data_modifying_query_moves_rows(database: &Database) {
    filled(database).await;
    let sql = "CREATE TABLE archive (LIKE t);\n-- windlass: repeat\n\
               WITH gone AS (DELETE FROM t WHERE id IN (SELECT id FROM t WHERE done = 0 LIMIT 100) RETURNING *) \
               INSERT INTO archive SELECT * FROM gone;";
    let (result, told) = run(database, "1_move", sql).await;
    result.expect("a deploy");
    assert_eq!(told, [(100, false), (200, false), (250, false), (250, true)]);
    assert_eq!(database.value("SELECT count(*) FROM archive").await, ROWS.to_string());
    assert_eq!(database.value("SELECT count(*) FROM t").await, "0");
}

/// With a statement before it and one behind it, whose twofold or missing run shows.
fn between_others(repeat: &str) -> String {
    format!("CREATE TABLE before_it (n int);\n{repeat}INSERT INTO before_it VALUES (1);")
}

/// Within this a part of the longest backfill comes to its end on a busy machine.
const LONG: Duration = Duration::from_secs(300);

/// The process is killed at moments drawn from a seed, which is told; the last one runs to its end.
async fn a_killed_backfill_ends_exact(database: &Database) {
    let is_full = Extent::of_run().is_full_for(database.target());
    let (rows, each, kills) = if is_full { (1_000_000, 5_000, 10) } else { (4_000, 40, 3) };
    let mut random = Random::named(&format!("{} backfill killed", database.target()));
    let seed = random.seed();
    println!("{}: drawn from {seed}, {rows} rows, {kills} kills", database.target());
    fill(database, rows).await;
    // The runs of a sample, and those on a file, are over before anybody else looks, unless they take their time.
    let pause = match (is_full, database.target().family) {
        (false, _) => "pause 20ms",
        (true, Family::Sqlite) => "pause 3ms",
        (true, _) => "",
    };
    let sql = between_others(&repeat(database, pause, each));
    let project = Project::new(database, &[("1_backfill", &sql)]);
    let mut least = 0;
    for kill_number in 0..kills {
        // At some moment of the part of the work that is this life's.
        let goal = rows * (kill_number + 1) / (kills + 2) + random.below(rows / (kills + 2));
        let mut child = project.command(&["deploy", "--allow-non-empty"]).spawn().expect("the binary runs");
        let began = Instant::now();
        while done(database).await < goal.max(least + 1) {
            assert!(began.elapsed() < LONG, "seed {seed}: it does not go on");
        }
        tokio::time::sleep(Duration::from_micros(random.below(5_000))).await;
        child.kill().expect("killed");
        assert_eq!(project.ended(child).await.code, None, "seed {seed}: it ended before it was killed");
        let stands = settled(database).await;
        assert!(stands >= least && stands < rows, "seed {seed}: {stands}");
        assert_eq!(attempt(database).await.touched, stands, "seed {seed}: the count and the rows are one");
        least = stands;
    }
    let last = project.command(&["deploy", "--allow-non-empty"]).spawn().expect("the binary runs");
    let last = project.ended_within(LONG, last).await;
    last.code(0).err(&format!("Repeated 1_backfill 2/3: {rows} rows"));
    is_exact(database, rows).await;
    assert_eq!(database.value("SELECT count(*) FROM before_it").await, "1");
    assert_eq!(attempt(database).await.state(), State::Applied);
    println!("{}: exact after {kills} kills: {rows} rows", database.target());
}

/// The server dies within one of the runs or between two, and starts again on what it had written.
async fn a_backfill_whose_server_is_killed_ends_exact(database: &Database) {
    const EACH: u64 = 40;
    const BETWEEN: u64 = 4_000;
    let kills = if Extent::of_run().is_full_for(database.target()) { 20 } else { 2 };
    let rows = BETWEEN * (kills + 1);
    let mut server = Expendable::like(database.target());
    let database = Database::create(server.target()).await;
    let mut random = Random::named(&format!("{} backfill's server killed", database.target()));
    let seed = random.seed();
    println!("{}: drawn from {seed}, {rows} rows, {kills} kills of the server", database.target());
    fill(&database, rows).await;
    let sql = between_others(&repeat(&database, "pause 2ms", EACH));
    let set = || migrations(&[("1_backfill", &sql)]);
    for kill_number in 0..kills {
        let goal = BETWEEN * kill_number + random.below(BETWEEN);
        let (session, told) = (database.connect().await, Told::default());
        let deploying = start_with(session, set(), non_empty(), told.clone(), Stop::new());
        let waiting = harness::Waiting::for_this("it goes on");
        while told.0.lock().expect("unbroken").last().is_none_or(|(rows, _)| *rows <= goal) {
            waiting.pause().await;
        }
        tokio::time::sleep(Duration::from_micros(random.below(8_000))).await;
        server.kill();
        let ended = deploying.await.expect("a thread");
        assert!(
            matches!(ended, Err(DeployError::Lost { .. } | DeployError::Driver(_))),
            "seed {seed}: {ended:?}"
        );
        let found = attempt(&database).await;
        assert_eq!(found.state(), State::Interrupted, "seed {seed}: {found:?}");
        assert_eq!(found.touched, done(&database).await, "seed {seed}: the count and the rows are one");
    }
    let (result, _) = run(&database, "1_backfill", &sql).await;
    result.expect("it goes on to its end");
    is_exact(&database, rows).await;
    assert_eq!(database.value("SELECT count(*) FROM before_it").await, "1");
    println!("{}: exact after {kills} kills of the server: {rows} rows", database.target());
}

/// A server brings the message that it was sent to its end: only when its session is gone all is told.
async fn settled(database: &Database) -> u64 {
    let began = Instant::now();
    while attempt(database).await.state() != State::Interrupted {
        assert!(began.elapsed() < Duration::from_secs(60), "its session lives on");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    done(database).await
}
