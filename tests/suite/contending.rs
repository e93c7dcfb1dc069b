//! Contending: others hold what a migration needs. It waits within its budget, tries again, and tells who is in its way.

use harness::{
    Database, Family, Project, Raw, Waiting, deploy, deploy_with, migrations, options, start_with,
};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use windlass_core::apply::{Contention, DeployError, DeployOptions, Event, Observer, Silent, Stop};
use windlass_core::plan::WaitLimit;

harness::scenarios!(
    on [Postgres, MySql, MariaDb, Sqlite]:
        a_definition_that_is_blocked_is_tried_again_until_it_is_done,
        tries_that_are_used_up_tell_who_was_in_the_way_and_block_nothing;
    on [Postgres, MySql, MariaDb]:
        a_deadlock_is_tried_again,
        a_stop_ends_the_pause_between_two_tries;
    natively [Postgres, MySql, MariaDb]: the_command_names_who_is_in_the_way;
    on [Postgres, MySql]: the_directive_is_the_migration_s_own_patience;
    on [Postgres]:
        no_reader_stalls_for_longer_than_the_budget,
        no_reader_stalls_while_one_statement_waits_for_many_tables,
        a_concurrent_build_tells_whom_it_waits_for_and_ends_at_its_deadline,
        a_write_of_the_history_that_is_cancelled_is_tried_again,
        defaults_of_the_role_that_kill_are_overruled;
    natively [Postgres]: a_dry_run_warns_of_long_work_and_several_locks;
    on [MySql, MariaDb]:
        no_reader_stalls_on_any_of_the_tables_that_a_definition_names,
        work_that_is_lost_to_a_lock_at_its_end_is_not_done_again_in_silence;
    on [MariaDb]: a_limit_of_the_account_is_overruled;
    on [Sqlite]: a_writer_that_comes_between_plan_and_transaction_is_waited_for;
);

const N: (&str, &str) = ("1_n", "CREATE TABLE n (n int);\nINSERT INTO n VALUES (0);");
const ALTER: (&str, &str) =
    ("2_alter", "CREATE TABLE x (n int);\nALTER TABLE n ADD COLUMN m int;\nUPDATE n SET n = n + 1;");

async fn ready(database: &Database) {
    deploy(&mut *database.connect().await, &migrations(&[N])).await.expect("the table");
}

/// A session in a transaction that has read the table, and does nothing more; on SQLite it writes.
async fn blocker(database: &Database) -> Raw {
    let mut session = database.session().await;
    let sql = match database.target().family {
        Family::Sqlite => "BEGIN IMMEDIATE; INSERT INTO n VALUES (7)",
        Family::Postgres => "SET application_name = 'a blocker'; BEGIN; SELECT * FROM n",
        _ => "BEGIN; SELECT * FROM n",
    };
    for statement in sql.split("; ") {
        session.execute(statement).await.expect("a transaction");
    }
    session
}

/// Locks are waited for as short as the database can.
fn impatient(database: &Database, tries: u32) -> DeployOptions {
    let mut options = options();
    let time = match database.target().family {
        Family::MySql | Family::MariaDb => Duration::from_secs(1),
        _ => Duration::from_millis(200),
    };
    options.plan.waits.lock_timeout = Some(time);
    options.lock_tries = tries;
    // On SQLite whoever writes looks like another deployer.
    options.lock_wait = Duration::from_secs(60);
    options
}

/// Keeps what is told.
#[derive(Clone, Default)]
pub(crate) struct Told(Arc<Mutex<Vec<Contention>>>, Arc<AtomicU64>);

impl Observer for Told {
    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Contended { contention, .. } => self.0.lock().expect("told").push(contention.clone()),
            Event::Waiting { .. } | Event::WaitsForOther { .. } => {
                self.1.fetch_add(1, Ordering::SeqCst);
            }
            _ => {}
        }
    }
}

impl Told {
    fn contentions(&self) -> Vec<Contention> {
        self.0.lock().expect("told").clone()
    }

    pub(crate) async fn until_told(&self) {
        let waiting = Waiting::for_this("somebody is told to be in the way");
        while self.contentions().is_empty() && self.1.load(Ordering::SeqCst) == 0 {
            waiting.pause().await;
        }
    }
}

fn is_told(database: &Database, contention: &Contention) {
    let holder = &contention.holder;
    match database.target().family {
        Family::Sqlite => assert!(holder.who.is_some(), "{contention:?}"),
        _ => {
            assert!(holder.session.is_some() && holder.since.is_some(), "{contention:?}");
            assert!(holder.who.as_ref().is_some_and(|who| who.contains("user")), "{contention:?}");
            // MySQL keeps no statement of a session that waits for its next one.
            let (application, running) = match database.target().family {
                Family::Postgres => ("application a blocker", "SELECT * FROM n"),
                _ => ("", "nothing now, in an open transaction"),
            };
            assert!(holder.who.as_ref().is_some_and(|who| who.contains(application)), "{contention:?}");
            assert!(holder.running.as_ref().is_some_and(|sql| sql.contains(running)), "{contention:?}");
            assert_eq!((contention.migration.as_str(), contention.number), ("2_alter", 2), "{contention:?}");
        }
    }
}

async fn is_done(database: &Database) {
    assert_eq!(database.value("SELECT count(*) FROM n WHERE m IS NULL AND n = 1").await, "1");
    assert!(database.tables().await.contains(&"x".to_owned()));
}

async fn a_definition_that_is_blocked_is_tried_again_until_it_is_done(database: &Database) {
    ready(database).await;
    let mut blocker = blocker(database).await;
    let told = Told::default();
    let session = database.connect().await;
    let set = migrations(&[N, ALTER]);
    let deploy = start_with(session, set, impatient(database, 1_000), told.clone(), Stop::new());
    told.until_told().await;
    blocker.execute("ROLLBACK").await.expect("given up");
    let report = deploy.await.expect("a thread").expect("a deploy");
    assert_eq!(report.applied.len(), 1);
    told.contentions().iter().for_each(|contention| is_told(database, contention));
    is_done(database).await;
}

async fn tries_that_are_used_up_tell_who_was_in_the_way_and_block_nothing(database: &Database) {
    ready(database).await;
    let mut blocker = blocker(database).await;
    let set = migrations(&[N, ALTER]);
    let mut options = impatient(database, 2);
    options.lock_wait = Duration::from_secs(1);
    let ended = deploy_with(&mut *database.connect().await, &set, &options).await;
    match ended {
        Err(DeployError::Contended(contention)) => {
            assert_eq!((contention.tries, contention.of_tries), (2, 2));
            is_told(database, &contention);
        }
        Err(DeployError::LockTimeout { .. }) if database.target().family == Family::Sqlite => {}
        other => panic!("{other:#?}"),
    }
    let history = database.connect().await.inspect().await.expect("a history").history;
    assert!(history.attempts.iter().all(|attempt| attempt.error.is_none()), "{history:#?}");
    blocker.execute("ROLLBACK").await.expect("given up");
    deploy(&mut *database.connect().await, &set).await.expect("a deploy that nothing blocks");
    is_done(database).await;
}

/// Another session waits for what the migration has, and the migration for what that one has: the server ends the
/// migration's transaction, which is the lighter one, or the only one that looks.
async fn a_deadlock_is_tried_again(database: &Database) {
    let tables = "CREATE TABLE a (n int);\nCREATE TABLE b (n int);\nINSERT INTO a VALUES (0);\n\
                  INSERT INTO b VALUES (0), (0), (0), (0), (0), (0), (0), (0), (0), (0);";
    let swap = ("2_swap", "UPDATE a SET n = n + 1;\nUPDATE b SET n = n + 1;");
    let set = migrations(&[("1_tables", tables), swap]);
    deploy(&mut *database.connect().await, &migrations(&[("1_tables", tables)])).await.expect("tables");
    let mut other = database.session().await;
    if database.target().family == Family::Postgres {
        other.execute("SET deadlock_timeout = '1h'").await.expect("it does not look");
    }
    other.execute("BEGIN").await.expect("a transaction");
    other.execute("UPDATE b SET n = n + 10").await.expect("rows");
    let told = Told::default();
    let deploy = start_with(database.connect().await, set, options(), told.clone(), Stop::new());
    database.running("UPDATE b").await;
    other.execute("UPDATE a SET n = n + 10").await.expect("the migration gives way");
    told.until_told().await;
    other.execute("COMMIT").await.expect("done");
    let report = deploy.await.expect("a thread").expect("a deploy");
    assert_eq!(report.applied.len(), 1);
    let contentions = told.contentions();
    let who = contentions[0].holder.who.clone().unwrap_or_default();
    assert!(who.to_lowercase().contains("deadlock") && contentions[0].number == 2, "{contentions:?}");
    assert_eq!(database.value("SELECT n FROM a").await, "11");
    assert_eq!(database.value("SELECT count(*) FROM b WHERE n = 11").await, "10");
    let history = database.connect().await.inspect().await.expect("a history").history;
    assert!(
        history.attempts.len() == 2 && history.attempts.iter().all(|a| a.error.is_none()),
        "{history:#?}"
    );
}

/// Begins to write once the plan is told, and ends once the deploy tells that somebody is in its way.
struct Intruder {
    told: Told,
    file: std::path::PathBuf,
    writer: Option<rusqlite::Connection>,
}

impl Observer for Intruder {
    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Planned(_) => {
                let writer = rusqlite::Connection::open(&self.file).expect("the file");
                writer.execute_batch("BEGIN IMMEDIATE; INSERT INTO n VALUES (7)").expect("a writer");
                self.writer = Some(writer);
            }
            Event::Contended { .. } => {
                let writer = self.writer.take().expect("in the way once");
                writer.execute_batch("ROLLBACK").expect("given up");
            }
            _ => {}
        }
        self.told.event(event);
    }
}

async fn a_writer_that_comes_between_plan_and_transaction_is_waited_for(database: &Database) {
    ready(database).await;
    let told = Told::default();
    let file = database.folder().join("test.db");
    let intruder = Intruder { told: told.clone(), file, writer: None };
    let (session, set) = (database.connect().await, migrations(&[N, ALTER]));
    let deploy = start_with(session, set, impatient(database, 3), intruder, Stop::new());
    let report = deploy.await.expect("a thread").expect("a deploy");
    assert_eq!((report.applied.len(), told.contentions().len()), (1, 1));
    is_done(database).await;
}

async fn a_stop_ends_the_pause_between_two_tries(database: &Database) {
    ready(database).await;
    let _blocker = blocker(database).await;
    let (told, stop) = (Told::default(), Stop::new());
    let set = migrations(&[N, ALTER]);
    let deploy =
        start_with(database.connect().await, set, impatient(database, 1_000), told.clone(), stop.clone());
    told.until_told().await;
    stop.ask();
    let ended = deploy.await.expect("a thread").expect_err("stopped");
    assert!(matches!(ended, DeployError::Stopped { .. }), "{ended:?}");
}

async fn the_directive_is_the_migration_s_own_patience(database: &Database) {
    ready(database).await;
    let _blocker = blocker(database).await;
    let own = format!("-- windlass: lock-timeout 1s\n{}", ALTER.1);
    let mut options = options();
    options.lock_tries = 1;
    let began = Instant::now();
    let ended =
        deploy_with(&mut *database.connect().await, &migrations(&[N, ("2_alter", &own)]), &options).await;
    let Err(DeployError::Contended(contention)) = ended else { panic!("{ended:#?}") };
    assert_eq!(contention.limit, Some(WaitLimit::Locks(Duration::from_secs(1))));
    assert!((900..4_000).contains(&began.elapsed().as_millis()), "{:?}", began.elapsed());
}

/// Reads a table again and again; the longest that it took, in milliseconds.
fn read_on(database: &Database, table: &'static str, end: Arc<AtomicBool>) -> tokio::task::JoinHandle<u64> {
    let (target, url) = (database.target().clone(), database.url());
    tokio::spawn(async move {
        let mut session = Raw::connect(&target, &url).await;
        let mut longest = 0;
        while !end.load(Ordering::SeqCst) {
            let began = Instant::now();
            session.query(&format!("SELECT count(*) FROM {table}")).await;
            longest = longest.max(u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX));
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        longest
    })
}

async fn no_reader_stalls_for_longer_than_the_budget(database: &Database) {
    let tables =
        "CREATE TABLE a (n int); CREATE TABLE b (n int); CREATE TABLE c (n int); INSERT INTO a VALUES (1);";
    deploy(&mut *database.connect().await, &migrations(&[("1_tables", tables)])).await.expect("tables");
    let alter =
        "ALTER TABLE a ADD m int; SELECT pg_sleep(0.6); ALTER TABLE b ADD m int; ALTER TABLE c ADD m int;";
    let set = migrations(&[("1_tables", tables), ("2_alter", alter)]);
    for held in ["a", "b", "c"] {
        let mut blocker = database.session().await;
        blocker.execute(&format!("BEGIN; SELECT * FROM {held}")).await.expect("a transaction");
        let end = Arc::new(AtomicBool::new(false));
        let readers: Vec<_> =
            ["a", "b", "c"].into_iter().map(|table| read_on(database, table, Arc::clone(&end))).collect();
        let mut options = options();
        let budget = Duration::from_millis(1_500);
        options.plan.waits.lock_timeout = Some(budget);
        options.lock_tries = 2;
        let ended = deploy_with(&mut *database.connect().await, &set, &options).await;
        assert!(matches!(ended, Err(DeployError::Contended(_))), "{held}: {ended:?}");
        end.store(true, Ordering::SeqCst);
        for reader in readers {
            let longest = reader.await.expect("a reader");
            assert!(longest < 2_000, "{held} is held: a reader stalled for {longest} ms");
        }
        blocker.execute("ROLLBACK").await.expect("given up");
    }
    deploy(&mut *database.connect().await, &set).await.expect("nothing is in the way");
}

/// The server limits each lock by itself: the statement holds the table while it waits for one partition, and then
/// for the other.
async fn no_reader_stalls_while_one_statement_waits_for_many_tables(database: &Database) {
    let tables =
        "CREATE TABLE a (n int) PARTITION BY LIST (n); CREATE TABLE b PARTITION OF a FOR VALUES IN (1);
        CREATE TABLE c PARTITION OF a FOR VALUES IN (2); INSERT INTO a VALUES (1), (2);";
    deploy(&mut *database.connect().await, &migrations(&[("1_tables", tables)])).await.expect("tables");
    let (mut first, mut second) = (database.session().await, database.session().await);
    first.execute("BEGIN; SELECT * FROM b").await.expect("a transaction");
    second.execute("BEGIN; SELECT * FROM c").await.expect("a transaction");
    let end = Arc::new(AtomicBool::new(false));
    let reader = read_on(database, "a", Arc::clone(&end));
    let mut options = options();
    options.plan.waits.lock_timeout = Some(Duration::from_secs(4));
    options.lock_tries = 1;
    let told = Told::default();
    let set = migrations(&[("1_tables", tables), ("2_alter", "ALTER TABLE a ADD m int;")]);
    let deploy = start_with(database.connect().await, set.clone(), options, told.clone(), Stop::new());
    told.until_told().await;
    // Most of its time is left for the second.
    first.execute("ROLLBACK").await.expect("given up");
    let ended = deploy.await.expect("a thread").expect_err("its time was up");
    end.store(true, Ordering::SeqCst);
    let longest = reader.await.expect("a reader");
    assert!((3_500..4_500).contains(&longest), "a reader stalled for {longest} ms");
    let DeployError::Contended(contention) = ended else { panic!("{ended:?}") };
    let running = contention.holder.running.as_deref().unwrap_or_default();
    assert!(running.contains("FROM c"), "the one that is in the way is told: {contention:?}");
    second.execute("ROLLBACK").await.expect("given up");
    let again = harness::deploy(&mut *database.connect().await, &set).await.expect("nothing is in the way");
    assert_eq!(again.applied.len(), 1);
}

/// The server limits each lock by itself, and what it has of a statement's tables it holds while it waits for the
/// next: they share the budget.
async fn no_reader_stalls_on_any_of_the_tables_that_a_definition_names(database: &Database) {
    let tables = "CREATE TABLE a (n int); CREATE TABLE b (n int); CREATE TABLE c (n int);";
    deploy(&mut *database.connect().await, &migrations(&[("1_tables", tables)])).await.expect("tables");
    let rename = "RENAME TABLE a TO x, b TO y, c TO z;";
    let mut options = options();
    options.plan.waits.lock_timeout = Some(Duration::from_secs(3));
    options.lock_tries = 1;
    for (sql, held) in [
        ("ALTER TABLE a ADD m int;", ["a", "a"]),
        (rename, ["a", "a"]),
        (rename, ["c", "c"]),
        // The first gives way in time, and the last one does not.
        (rename, ["a", "c"]),
    ] {
        let (mut first, mut last) = (database.session().await, database.session().await);
        for (session, held) in [&mut first, &mut last].into_iter().zip(held) {
            session.execute("BEGIN").await.expect("a transaction");
            session.execute(&format!("SELECT * FROM {held}")).await.expect("a look");
        }
        let end = Arc::new(AtomicBool::new(false));
        let readers: Vec<_> =
            ["a", "b", "c"].into_iter().map(|table| read_on(database, table, Arc::clone(&end))).collect();
        let set = migrations(&[("1_tables", tables), ("2_change", sql)]);
        let deploy = start_with(database.connect().await, set, options.clone(), Told::default(), Stop::new());
        tokio::time::sleep(Duration::from_millis(800)).await;
        first.execute("ROLLBACK").await.expect("given up");
        let ended = deploy.await.expect("a thread").expect_err("its time was up");
        assert!(matches!(ended, DeployError::Contended(_)), "{sql} {held:?}: {ended:?}");
        end.store(true, Ordering::SeqCst);
        for reader in readers {
            let longest = reader.await.expect("a reader");
            assert!(longest < 3_500, "{sql} {held:?}: a reader stalled for {longest} ms");
        }
        last.execute("ROLLBACK").await.expect("given up");
    }
    let set = migrations(&[("1_tables", tables), ("2_change", rename)]);
    deploy(&mut *database.connect().await, &set).await.expect("nothing is in the way");
    assert_eq!(database.tables().await, ["x", "y", "z"]);
}

/// The table is copied while others read; only at its end the statement needs it alone.
async fn work_that_is_lost_to_a_lock_at_its_end_is_not_done_again_in_silence(database: &Database) {
    let digest = "sha2(repeat(lpad(n, 10, 'x'), 20000), 512)";
    deploy(&mut *database.connect().await, &migrations(&[N])).await.expect("the table");
    let numbers =
        "WITH RECURSIVE g (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM g WHERE i < 500) SELECT i FROM g";
    database.sql(&format!("INSERT INTO n {numbers}")).await;
    let began = Instant::now();
    database.sql(&format!("SELECT max({digest}) FROM n")).await;
    // So many times the rows as take six seconds, twice what is taken for more than a wait.
    let times = Duration::from_secs(6).as_millis() / began.elapsed().as_millis().max(1) + 1;
    database.sql(&format!("INSERT INTO n SELECT n.n FROM n, ({numbers}) AS g WHERE g.i < {times}")).await;
    let rows = database.value("SELECT count(*) FROM n").await;

    let slow =
        format!("ALTER TABLE n ADD m char(128) GENERATED ALWAYS AS ({digest}) STORED, ALGORITHM = COPY;");
    let set = migrations(&[N, ("2_slow", &slow)]);
    let mut options = options();
    options.plan.waits.lock_timeout = Some(Duration::from_secs(1));
    let told = Told::default();
    let deploy =
        start_with(database.connect().await, set.clone(), options.clone(), told.clone(), Stop::new());
    let working = format!(
        "SELECT count(*) FROM {} WHERE info LIKE 'ALTER TABLE n%' AND state LIKE 'copy to tmp table%'",
        database.target().family.sessions()
    );
    let waiting = harness::Waiting::for_this("the copy");
    while database.value(&working).await != "1" {
        waiting.pause().await;
    }
    let mut reader = database.session().await;
    reader.execute("BEGIN").await.expect("a transaction");
    reader.execute("SELECT * FROM n LIMIT 1").await.expect("a look, while the table is copied");
    let ended = deploy.await.expect("a thread").expect_err("the reader stays");
    let DeployError::Statement(failed) = ended else { panic!("{ended:#?}") };
    assert!(failed.error.message.contains(" of work that is lost"), "{failed:#?}");
    assert!(failed.hint().contains("lock-timeout 60s"), "{}", failed.hint());
    assert_eq!(told.1.load(Ordering::SeqCst), 0, "it was not tried again");
    reader.execute("ROLLBACK").await.expect("given up");
    assert_eq!(database.value("SELECT count(*) FROM n").await, rows);
    options.plan.waits.lock_timeout = None;
    let again =
        deploy_with(&mut *database.connect().await, &set, &options).await.expect("nobody is in its way");
    assert_eq!(again.applied.len(), 1);
}

async fn a_concurrent_build_tells_whom_it_waits_for_and_ends_at_its_deadline(database: &Database) {
    ready(database).await;
    let build = "CREATE INDEX CONCURRENTLY i ON n (n);\nUPDATE n SET n = n + 1;";
    let set = || migrations(&[N, ("2_build", build)]);
    let mut blocker = database.session().await;
    blocker.execute("BEGIN; INSERT INTO n VALUES (5)").await.expect("a transaction");
    let mut options = options();
    options.plan.waits.lock_timeout = Some(Duration::from_millis(100));
    options.plan.waits.concurrent_wait = Some(Duration::from_secs(2));
    let (told, began) = (Told::default(), Instant::now());
    let deploying = start_with(database.connect().await, set(), options.clone(), told.clone(), Stop::new());
    let ended = deploying.await.expect("a thread").expect_err("its time was up");
    let DeployError::Contended(contention) = ended else { panic!("{ended:?}") };
    assert!(began.elapsed() >= Duration::from_secs(2), "it ended early: {:?}", began.elapsed());
    assert!(told.1.load(Ordering::SeqCst) >= 2, "it told nobody whom it waits for");
    assert_eq!(contention.limit, Some(WaitLimit::Others(Duration::from_secs(2))));
    assert!(contention.holder.running.as_ref().is_some_and(|sql| sql.contains("INSERT")), "{contention:?}");
    let told = Told::default();
    let clearing = start_with(database.connect().await, set(), options, told.clone(), Stop::new());
    let ended = clearing.await.expect("a thread").expect_err("what it left cannot be cleared away either");
    let DeployError::Contended(contention) = ended else { panic!("{ended:?}") };
    assert_eq!(contention.number, 0, "no statement waited: {contention:?}");
    assert!(told.1.load(Ordering::SeqCst) >= 2, "it told nobody whom it waits for");
    blocker.execute("ROLLBACK").await.expect("given up");
    let again = deploy(&mut *database.connect().await, &set()).await.expect("what it left is cleared away");
    assert_eq!(again.applied.len(), 1);
    let valid = "SELECT bool_and(indisvalid) FROM pg_index WHERE indrelid = 'n'::regclass";
    assert_eq!(database.value(valid).await, "t");
    assert_eq!(database.value("SELECT n FROM n").await, "1");
}

/// As by a time that the migration has set, too short for what would take it away.
async fn a_write_of_the_history_that_is_cancelled_is_tried_again(database: &Database) {
    ready(database).await;
    let mut other = database.session().await;
    other.execute("BEGIN; LOCK TABLE _windlass_migrations IN SHARE MODE").await.expect("a lock");
    let plus = ("2_plus", "UPDATE n SET n = n + 1;");
    let told = Told::default();
    let set = migrations(&[N, plus]);
    let deploying = start_with(database.connect().await, set, options(), told.clone(), Stop::new());
    let number = database.running("INSERT INTO \"public\".\"_windlass_migrations\"").await;
    let cancel = format!("SELECT pg_cancel_backend({number})");
    let waiting = Waiting::for_this("it is told that something has to be tried again");
    // A request that comes between two statements stops none.
    while told.contentions().is_empty() && !deploying.is_finished() {
        database.sql(&cancel).await;
        waiting.pause().await;
    }
    other.execute("ROLLBACK").await.expect("given up");
    let report = deploying.await.expect("a thread").expect("it goes on");
    assert_eq!(report.applied.len(), 1);
    assert_eq!(database.value("SELECT n FROM n").await, "1");
}

async fn defaults_of_the_role_that_kill_are_overruled(database: &Database) {
    let name = database.name();
    let mut kills = vec![
        "statement_timeout",
        "lock_timeout",
        "idle_in_transaction_session_timeout",
        "idle_session_timeout",
    ];
    let is_new = database.value("SELECT current_setting('transaction_timeout', true)").await;
    if !is_new.is_empty() {
        kills.push("transaction_timeout");
    }
    for setting in &kills {
        database.sql(&format!("ALTER DATABASE {name} SET {setting} = '150ms'")).await;
    }
    let slow = "SELECT pg_sleep(0.3);\nCREATE TABLE n (n int);\nSELECT pg_sleep(0.3);";
    let other = "SET application_name = 'x';\nSELECT pg_sleep(0.3);";
    let mut session = database.connect().await;
    let set = migrations(&[("1_slow", slow), ("2_other", other), ("3_slow", "SELECT pg_sleep(0.3);")]);
    // Idle for longer than the database's default allows.
    session.head().await.expect("an answer");
    tokio::time::sleep(Duration::from_millis(300)).await;
    let report = deploy(&mut *session, &set).await.expect("nothing kills it");
    assert_eq!(report.applied.len(), 3);
    tokio::time::sleep(Duration::from_millis(300)).await;
    session.head().await.expect("settings are pinned again after they were restored");
}

async fn a_limit_of_the_account_is_overruled(database: &Database) {
    let user = format!("{}_slow", database.name());
    database.sql(&format!("CREATE USER {user} IDENTIFIED BY 'slow' WITH MAX_STATEMENT_TIME 0.1")).await;
    database.sql(&format!("GRANT ALL ON {}.* TO {user}", database.name())).await;
    let mut session = database.try_connect(&database.url_as(&user, "slow")).await.expect("a session");
    let slow = "CREATE TABLE n (n int);\nINSERT INTO n SELECT SLEEP(0.4);";
    let set = migrations(&[("1_slow", slow)]);
    windlass_core::apply::deploy(&mut *session, &set, &options(), &mut Silent, &Stop::new())
        .await
        .expect("nothing kills it");
    database.sql(&format!("DROP USER {user}")).await;
}

async fn the_command_names_who_is_in_the_way(database: &Database) {
    ready(database).await;
    let mut blocker = blocker(database).await;
    let number = match database.target().family {
        Family::Postgres => "SELECT pg_backend_pid()",
        _ => "SELECT connection_id()",
    };
    let number = blocker.query(number).await.into_iter().flatten().flatten().next().expect("a number");
    let project = Project::new(database, &[N, ALTER]);
    let ran = project.run(&["deploy", "--lock-timeout", "1s", "--lock-tries", "2"]).await.code(5);
    let told = format!("({number})");
    ran.err("Retrying 2_alter").err("tried 2 times").err(&told).err("--lock-tries 50");
    let document =
        project.run(&["deploy", "--json", "--lock-timeout", "1s", "--lock-tries", "1"]).await.code(5);
    assert_eq!(document.json()["error"]["kind"], "contended", "{document:?}");
    project.write("windlass.toml", "lock_timeout = \"1s\"\nlock_tries = 1\n");
    project.run(&["deploy"]).await.code(5).err("2_alter");
    blocker.execute("ROLLBACK").await.expect("given up");
    // A server that is busy with other databases may let a definition wait for longer than the file above allows.
    project.run(&["deploy", "--lock-timeout", "30s", "--lock-tries", "10"]).await.code(0);
    is_done(database).await;
}

async fn a_dry_run_warns_of_long_work_and_several_locks(database: &Database) {
    ready(database).await;
    let alter = "ALTER TABLE n ADD m int; CREATE TABLE o (n int); CREATE INDEX i ON n (n);";
    let project = Project::new(database, &[N, ("2_alter", alter)]);
    let ran = project.run(&["deploy", "--dry-run"]).await.code(0).out("limit lock waits to 5 s");
    ran.err("others are kept from n (locked by statement 1) during an index build (statement 3)");
    database.sql("CREATE TABLE other (n int)").await;
    let two =
        Project::new(database, &[N, ("2_alter", "ALTER TABLE n ADD m int; ALTER TABLE other ADD m int;")]);
    two.run(&["deploy", "--dry-run", "--allow-drift"])
        .await
        .code(0)
        .err("others are kept from n, other at once");
}
