//! The driver's contract, step by step, on real files.

use rusqlite::Connection;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use windlass_core::driver::{
    Access, Cause, Contents, DatabaseError, Driver, DriverError, Failure, Head, Inspection, Lock, NoWatch,
    Run, Watch,
};
use windlass_core::history::{Attempt, AttemptKind, FORMAT, InFlight, Liveness, State};
use windlass_core::migration::{Checksums, Migration, Script};
use windlass_core::plan::{Claim, Execute, Record, Resolve, ResolveInto, Step};
use windlass_core::sql::classify::ObjectName;
use windlass_sqlite::{ConnectError, Options, Sqlite};

const DIGEST: &str = "d1";

/// Polls once: a future of this driver never waits.
fn now<F: Future>(future: F) -> F::Output {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match std::pin::pin!(future).poll(&mut context) {
        std::task::Poll::Ready(value) => value,
        std::task::Poll::Pending => panic!("a future of this driver yielded"),
    }
}

struct File {
    folder: TempDir,
}

impl File {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("app.db")
    }

    fn options(&self) -> Options {
        Options::file(self.path()).create_database(true).busy_timeout(Duration::from_millis(50))
    }

    fn driver(&self) -> Sqlite<'static> {
        Sqlite::connect(&self.options()).unwrap()
    }

    fn with_history(&self) -> Sqlite<'static> {
        let mut driver = self.driver();
        perform(&mut driver, &[Step::CreateHistory]).unwrap();
        driver
    }

    /// What any other client sees, foreign keys enforced or not.
    fn raw(&self) -> Connection {
        Connection::open(self.path()).unwrap()
    }

    fn number(&self, sql: &str) -> i64 {
        self.raw().query_row(sql, [], |row| row.get(0)).unwrap()
    }

    fn tables(&self) -> Vec<String> {
        let raw = self.raw();
        let mut statement = raw
            .prepare(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY 1",
            )
            .unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }
}

fn run(owner: &str) -> Run {
    Run { owner: owner.to_owned(), applied_by: "mia@host".to_owned(), tool: "0.1.0".to_owned() }
}

fn perform(driver: &mut Sqlite<'_>, steps: &[Step<'_>]) -> Result<(), Failure> {
    now(driver.perform(&run("a"), steps, &mut NoWatch))
}

fn inspect(driver: &mut Sqlite<'_>) -> Inspection {
    now(driver.inspect()).unwrap()
}

fn only_attempt(driver: &mut Sqlite<'_>) -> Attempt {
    let mut attempts = inspect(driver).history.attempts;
    assert_eq!(attempts.len(), 1, "{attempts:?}");
    attempts.remove(0)
}

fn checksums(text: &str) -> Checksums {
    Checksums { raw: format!("raw {text}"), tokens: format!("t1:{text}") }
}

fn claim(name: &str) -> Claim<'_> {
    Claim {
        kind: AttemptKind::Apply,
        name,
        checksums: checksums("x"),
        statements: 2,
        in_flight: None,
        watched: Vec::new(),
        supersedes: false,
    }
}

fn record(name: &str) -> Record<'_> {
    Record { name, epoch: 1, completed: 2, digest: DIGEST.to_owned(), decision: None }
}

fn checkpoint(name: &str, epoch: u32) -> Step<'_> {
    Step::Checkpoint {
        name,
        epoch,
        completed: 1,
        prefix: "p".to_owned(),
        in_flight: None,
        watched: Vec::new(),
    }
}

fn migration() -> Migration {
    Migration::new("1_x", Script::new("1_x.sql", ""))
}

fn execute<'m>(migration: &'m Migration, sql: &'m str) -> Step<'m> {
    Step::Execute(statement(migration, sql))
}

fn statement<'m>(migration: &'m Migration, sql: &'m str) -> Execute<'m> {
    Execute {
        migration,
        number: 1,
        of: 1,
        sql,
        copy_data: None,
        line: 1,
        column: 1,
        secret: false,
        leaves_session_alone: false,
    }
}

fn refusal(failure: Failure) -> DatabaseError {
    match failure.cause {
        Cause::Refused(error) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_migration_is_applied_with_its_row() {
    let (file, migration) = (File::new(), migration());
    let mut driver = file.driver();
    assert_eq!(now(driver.head()).unwrap(), Head::None);
    assert!(!inspect(&mut driver).history.exists);
    let steps = [
        Step::Begin,
        Step::CreateHistory,
        Step::Claim(vec![claim("1_x")]),
        execute(&migration, "CREATE TABLE t (a)"),
        execute(&migration, "INSERT INTO t VALUES (1), (2) RETURNING a"),
        Step::Record(vec![record("1_x")]),
        Step::Commit,
        Step::RestoreSettings,
    ];
    perform(&mut driver, &steps).unwrap();
    assert_eq!(file.number("SELECT count(*) FROM t"), 2);
    assert_eq!(now(driver.head()).unwrap(), Head::Newest { format: FORMAT, digest: DIGEST.to_owned() });
    let attempt = only_attempt(&mut driver);
    assert_eq!((attempt.state(), attempt.claimed, attempt.epoch), (State::Applied, true, 1));
    assert_eq!((attempt.checksums, attempt.completed, attempt.owner.as_str()), (checksums("x"), 2, "a"));
    assert!(attempt.duration_ms.is_some() && attempt.error.is_none());
    // As the server prints it: 2026-01-31 12:00:00.123
    assert_eq!((attempt.started_at.len(), &attempt.started_at[10..11]), (23, " "));
    assert_eq!(inspect(&mut driver).contents, Contents::Holds(vec!["t".to_owned()]));
}

#[test]
fn a_refused_statement_leaves_nothing() {
    let (file, migration) = (File::new(), migration());
    let mut driver = file.driver();
    let steps = [
        Step::Begin,
        Step::CreateHistory,
        Step::Claim(vec![claim("1_x")]),
        execute(&migration, "CREATE TABLE t (a)"),
        execute(&migration, "INSERT INTO t (a, nope) VALUES (1)"),
        Step::Record(vec![record("1_x")]),
        Step::Commit,
    ];
    let failure = perform(&mut driver, &steps).unwrap_err();
    assert_eq!(failure.step, 4);
    let error = refusal(failure);
    assert_eq!(error.message, "table t has no column named nope");
    assert_eq!(error.code.as_deref(), Some("SQLITE_ERROR (1)"));
    assert_eq!(file.tables(), [""; 0]);
    perform(&mut driver, &[Step::Begin, Step::Commit]).expect("no transaction was left open");
}

#[test]
fn errors_say_code_and_place() {
    let (file, migration) = (File::new(), migration());
    let mut driver = file.driver();
    perform(&mut driver, &[execute(&migration, "CREATE TABLE t (a UNIQUE)")]).unwrap();
    let error = refusal(perform(&mut driver, &[execute(&migration, "SELECT é, nope FROM t")]).unwrap_err());
    assert_eq!((error.message.as_str(), error.position), ("no such column: é", Some(7)));
    let error = refusal(perform(&mut driver, &[execute(&migration, "SELEC 1")]).unwrap_err());
    assert_eq!((error.message.as_str(), error.position), ("near \"SELEC\": syntax error", Some(0)));
    let twice = "INSERT INTO t VALUES (1), (1)";
    let error = refusal(perform(&mut driver, &[execute(&migration, twice)]).unwrap_err());
    assert_eq!(error.code.as_deref(), Some("SQLITE_CONSTRAINT_UNIQUE (2067)"));
    assert_eq!(file.number("SELECT count(*) FROM t"), 0);
}

#[test]
fn a_secret_is_in_no_error() {
    let (file, migration) = (File::new(), migration());
    let mut driver = file.driver();
    let secret = |sql| Step::Execute(Execute { secret: true, ..statement(&migration, sql) });
    for sql in ["SELECT 'a' hunter2 x", "SELECT hunter2", "INSERT INTO hunter2 VALUES (1)", "SELECT hunter2("]
    {
        let error = perform(&mut driver, &[secret(sql)]).unwrap_err();
        assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
    }
}

#[test]
fn a_claim_is_had_once() {
    let (file, migration) = (File::new(), migration());
    let (mut first, mut second) = (file.with_history(), file.driver());
    perform(&mut first, &[Step::Claim(vec![claim("1_x")])]).unwrap();
    let steps = [
        Step::Begin,
        execute(&migration, "CREATE TABLE t (a)"),
        Step::Claim(vec![claim("0_y"), claim("1_x")]),
        Step::Commit,
    ];
    let failure = perform(&mut second, &steps).unwrap_err();
    assert!(matches!(failure, Failure { step: 2, cause: Cause::ClaimTaken }), "{failure:?}");
    assert_eq!(file.tables(), ["_windlass_migrations"]);
    let failure = perform(&mut second, &[Step::Claim(vec![claim("0_y"), claim("1_x")])]).unwrap_err();
    assert!(matches!(failure, Failure { step: 0, cause: Cause::ClaimTaken }), "{failure:?}");
    assert_eq!(inspect(&mut second).history.attempts.len(), 1, "one write: all or nothing");
}

#[test]
fn the_fence_holds() {
    let file = File::new();
    let mut driver = file.with_history();
    perform(&mut driver, &[Step::Claim(vec![claim("1_x")]), checkpoint("1_x", 1)]).unwrap();
    let before = only_attempt(&mut driver);
    assert_eq!((before.completed, before.prefix.as_deref()), (1, Some("p")));
    let fail = |epoch| Step::Fail {
        name: "1_x",
        epoch,
        completed: 0,
        prefix: String::new(),
        in_flight: None,
        error: "e".to_owned(),
        rolled_back: None,
    };
    let late = [
        checkpoint("1_x", 2),
        Step::Record(vec![Record { epoch: 2, ..record("1_x") }]),
        fail(2),
        checkpoint("other", 1),
    ];
    for step in late {
        let failure = perform(&mut driver, std::slice::from_ref(&step)).unwrap_err();
        assert!(matches!(failure.cause, Cause::Fenced), "{step:?}: {failure:?}");
    }
    for step in [checkpoint("1_x", 1), Step::Record(vec![record("1_x")]), fail(1)] {
        let failure = now(driver.perform(&run("b"), &[step], &mut NoWatch)).unwrap_err();
        assert!(matches!(failure.cause, Cause::Fenced), "{failure:?}");
    }
    assert_eq!(only_attempt(&mut driver), before);
}

#[test]
fn an_attempt_is_taken_over_once() {
    let file = File::new();
    let mut driver = file.with_history();
    let first = Claim { in_flight: Some(InFlight { first: 1, last: 2 }), ..claim("1_x") };
    perform(&mut driver, &[Step::Claim(vec![first])]).unwrap();
    assert_eq!(only_attempt(&mut driver).in_flight, Some(InFlight { first: 1, last: 2 }));
    let take_over = || Step::TakeOver {
        name: "1_x",
        from_owner: "a".to_owned(),
        from_epoch: 1,
        checksums: checksums("edited"),
        statements: 7,
        completed: 2,
        prefix: "p".to_owned(),
        in_flight: None,
        watched: Vec::new(),
    };
    now(driver.perform(&run("b"), &[take_over()], &mut NoWatch)).unwrap();
    let attempt = only_attempt(&mut driver);
    assert_eq!((attempt.owner.as_str(), attempt.epoch, attempt.statements), ("b", 2, 7));
    assert_eq!((attempt.completed, attempt.prefix.as_deref()), (2, Some("p")));
    assert_eq!((attempt.checksums, attempt.in_flight), (checksums("edited"), None));
    let failure = now(driver.perform(&run("c"), &[take_over()], &mut NoWatch)).unwrap_err();
    assert!(matches!(failure.cause, Cause::Fenced), "{failure:?}");
    let failure = perform(&mut driver, &[checkpoint("1_x", 1)]).unwrap_err();
    assert!(matches!(failure.cause, Cause::Fenced), "{failure:?}");
}

#[test]
fn failures_are_recorded() {
    let file = File::new();
    let mut driver = file.with_history();
    let fail = |rolled_back: Option<&str>| Step::Fail {
        name: "1_x",
        epoch: 1,
        completed: 1,
        prefix: "p".to_owned(),
        in_flight: None,
        error: "no such table: t".to_owned(),
        rolled_back: rolled_back.map(str::to_owned),
    };
    perform(&mut driver, &[Step::Claim(vec![claim("1_x")]), fail(None)]).unwrap();
    let attempt = only_attempt(&mut driver);
    assert_eq!((attempt.state(), attempt.claimed, attempt.completed), (State::Failed, true, 1));
    assert_eq!((attempt.error.as_deref(), attempt.digest.as_str()), (Some("no such table: t"), ""));
    perform(&mut driver, &[fail(Some(DIGEST))]).unwrap();
    let attempt = only_attempt(&mut driver);
    assert_eq!(
        (attempt.state(), attempt.claimed, attempt.digest.as_str()),
        (State::RolledBack, false, DIGEST)
    );
    let failed =
        || Step::RecordFailure { claim: claim("1_x"), error: "e".to_owned(), digest: "d2".to_owned() };
    perform(&mut driver, &[failed(), failed(), Step::Claim(vec![claim("1_x")])]).unwrap();
    let attempts = inspect(&mut driver).history.attempts;
    let states: Vec<State> = attempts.iter().map(Attempt::state).collect();
    assert_eq!(states, [State::RolledBack, State::RolledBack, State::RolledBack, State::Interrupted]);
    assert_eq!((attempts[2].error.as_deref(), attempts[2].digest.as_str()), (Some("e"), "d2"));
}

#[test]
fn a_repeatable_migration_supersedes_its_earlier_text() {
    let file = File::new();
    let mut driver = file.with_history();
    let again = |text| {
        let claim = claim("R__views");
        Step::Claim(vec![Claim {
            kind: AttemptKind::Repeatable,
            checksums: checksums(text),
            supersedes: true,
            ..claim
        }])
    };
    let recorded = || Step::Record(vec![record("R__views")]);
    perform(&mut driver, &[again("1"), recorded(), again("2"), recorded()]).unwrap();
    let attempts = inspect(&mut driver).history.attempts;
    assert_eq!(attempts.iter().map(|attempt| attempt.claimed).collect::<Vec<_>>(), [false, true]);
    let failure = perform(&mut driver, &[again("2")]).unwrap_err();
    assert!(matches!(failure.cause, Cause::ClaimTaken), "a rival ran the same text: {failure:?}");
    perform(&mut driver, &[again("3")]).unwrap();
    let failure = perform(&mut driver, &[again("4")]).unwrap_err();
    assert!(matches!(failure.cause, Cause::ClaimTaken), "one that runs keeps its claim: {failure:?}");
}

#[test]
fn decisions_are_written() {
    let resolved = |into: ResolveInto<'static>, digest: &str| {
        let file = File::new();
        let mut driver = file.with_history();
        let digest = digest.to_owned();
        let failed = Step::Fail {
            name: "1_x",
            epoch: 1,
            completed: 1,
            prefix: "p".to_owned(),
            in_flight: Some(InFlight { first: 2, last: 2 }),
            error: "e".to_owned(),
            rolled_back: None,
        };
        perform(&mut driver, &[Step::Claim(vec![claim("1_x")]), failed]).unwrap();
        let other =
            Step::RecordFailure { claim: claim("0_y"), error: "e".to_owned(), digest: "old".to_owned() };
        perform(&mut driver, &[other]).unwrap();
        let from_owner = "a".to_owned();
        let resolve =
            Resolve { id: 1, from_owner, from_epoch: 1, into, resolution: "r".to_owned(), digest, newest: 2 };
        let late = Step::Resolve(Resolve { from_epoch: 2, ..resolve.clone() });
        let outrun = Step::Resolve(Resolve { newest: 7, ..resolve.clone() });
        let overtaken = Step::Resolve(Resolve { newest: 1, ..resolve.clone() });
        for step in [late, outrun, overtaken] {
            let failure = perform(&mut driver, &[step]).unwrap_err();
            assert!(matches!(failure.cause, Cause::Fenced), "{failure:?}");
        }
        assert_eq!(inspect(&mut driver).history.attempts[0].resolution, None, "one write");
        perform(&mut driver, &[Step::Resolve(resolve.clone())]).unwrap();
        let mut attempts = inspect(&mut driver).history.attempts;
        assert_eq!(attempts[1].digest, resolve.digest, "a fast look compares the newest row");
        let attempt = attempts.remove(0);
        let resolution = attempt.resolution.as_deref().unwrap_or_default();
        assert!(resolution.starts_with("r (by ") && resolution.ends_with("Z)"), "{resolution}");
        assert_eq!(attempt.in_flight, None);
        attempt
    };
    let applied = resolved(ResolveInto::Applied, DIGEST);
    assert_eq!((applied.state(), applied.error, applied.digest.as_str()), (State::Applied, None, DIGEST));
    let rolled_back = resolved(ResolveInto::RolledBack, DIGEST);
    assert_eq!((rolled_back.state(), rolled_back.claimed), (State::RolledBack, false));
    let resumable = resolved(ResolveInto::Resumable, "");
    assert_eq!((resumable.state(), resumable.owner.as_str()), (State::Interrupted, ""));
    let after = resolved(ResolveInto::ResumableAfter { completed: 1, prefix: "p1:x".to_owned() }, "");
    assert_eq!((after.completed, after.prefix.as_deref(), after.owner.as_str()), (1, Some("p1:x"), ""));
    let accepted = resolved(ResolveInto::Accepted { name: "1_renamed", checksums: checksums("new") }, "");
    assert_eq!((accepted.name.as_str(), accepted.claimed), ("1_renamed", true));
    assert_eq!(accepted.checksums, checksums("new"));
}

#[test]
fn a_renamed_attempt_holds_the_claim_of_its_new_name() {
    let file = File::new();
    let mut driver = file.with_history();
    let into = ResolveInto::Accepted { name: "1_renamed", checksums: checksums("new") };
    let (from_owner, resolution, digest) = ("a".to_owned(), String::new(), DIGEST.to_owned());
    let resolve = Resolve { id: 1, from_owner, from_epoch: 1, into, resolution, digest, newest: 1 };
    let done = [Step::Claim(vec![claim("1_x")]), Step::Record(vec![record("1_x")]), Step::Resolve(resolve)];
    perform(&mut driver, &done).unwrap();
    let failure = perform(&mut driver, &[Step::Claim(vec![claim("1_renamed")])]).unwrap_err();
    assert!(matches!(failure.cause, Cause::ClaimTaken), "{failure:?}");
    perform(&mut driver, &[Step::Claim(vec![claim("1_x")])]).expect("the old name is free");
}

#[test]
fn a_number_is_never_given_twice() {
    let file = File::new();
    let mut driver = file.with_history();
    perform(&mut driver, &[Step::Claim(vec![claim("1_x"), claim("2_y")])]).unwrap();
    file.raw().execute_batch("DELETE FROM _windlass_migrations WHERE id = 2").unwrap();
    perform(&mut driver, &[Step::Claim(vec![claim("2_y")])]).unwrap();
    assert_eq!(inspect(&mut driver).history.attempts[1].id, 3);
}

const REBUILD: [&str; 4] = [
    "CREATE TABLE new_parent (id INTEGER PRIMARY KEY, name TEXT)",
    "INSERT INTO new_parent SELECT id, NULL FROM parent",
    "DROP TABLE parent",
    "ALTER TABLE new_parent RENAME TO parent",
];

fn family(file: &File) {
    let sql = "PRAGMA foreign_keys = OFF;
        CREATE TABLE parent (id INTEGER PRIMARY KEY);
        CREATE TABLE child (id INTEGER PRIMARY KEY, parent REFERENCES parent ON DELETE CASCADE);
        INSERT INTO parent VALUES (1), (2);
        INSERT INTO child VALUES (10, 1), (11, 2), (12, 99);";
    file.raw().execute_batch(sql).unwrap();
}

#[test]
fn a_rebuilt_parent_loses_no_child() {
    let migration = migration();
    let mut steps = vec![Step::Begin];
    steps.extend(REBUILD.map(|sql| execute(&migration, sql)));
    steps.extend([Step::CheckForeignKeys, Step::Commit]);
    let (careless, file) = (File::new(), File::new());
    family(&careless);
    perform(&mut Sqlite::connect(&careless.options().foreign_keys(true)).unwrap(), &steps).unwrap();
    assert_eq!(
        careless.number("SELECT count(*) FROM child"),
        1,
        "without suspension the children go: this can fail"
    );

    family(&file);
    let mut driver = Sqlite::connect(&file.options().foreign_keys(true)).unwrap();
    steps.insert(0, Step::SuspendForeignKeys);
    steps.push(Step::RestoreSettings);
    perform(&mut driver, &steps).expect("row 12 was dangling before");
    assert_eq!(file.number("SELECT count(*) FROM child"), 3);
    assert_eq!(file.number("SELECT count(*) FROM pragma_table_info('parent')"), 2);
    let orphan = [execute(&migration, "INSERT INTO child VALUES (13, 77)")];
    let error = refusal(perform(&mut driver, &orphan).unwrap_err());
    assert_eq!(error.code.as_deref(), Some("SQLITE_CONSTRAINT_FOREIGNKEY (787)"), "they are enforced again");
}

#[test]
fn new_dangling_references_are_refused() {
    let (file, migration) = (File::new(), migration());
    family(&file);
    let mut driver = file.driver();
    let mut steps = vec![Step::SuspendForeignKeys, Step::Begin];
    steps.extend(REBUILD.map(|sql| execute(&migration, sql)));
    steps.push(execute(&migration, "DELETE FROM parent WHERE id = 2"));
    steps.extend([Step::CheckForeignKeys, Step::Commit]);
    let failure = perform(&mut driver, &steps).unwrap_err();
    assert_eq!(failure.step, 7);
    let Cause::ForeignKeys(lines) = failure.cause else { panic!("{failure:?}") };
    assert_eq!(lines, ["child: row 11 refers to a row of parent that does not exist"]);
    assert_eq!(file.number("SELECT count(*) FROM parent"), 2);
    assert_eq!(file.tables(), ["child", "parent"]);
}

#[test]
fn what_a_migration_sets_does_not_reach_the_next() {
    let (file, migration) = (File::new(), migration());
    let mut driver = file.driver();
    let enforced = "INSERT INTO child VALUES (1, 77)";
    family(&file);
    perform(&mut driver, &[execute(&migration, enforced)]).expect("foreign keys are off unless asked for");
    let set = [
        execute(&migration, "PRAGMA foreign_keys = ON"),
        execute(&migration, "PRAGMA synchronous = OFF"),
        Step::RestoreSettings,
    ];
    perform(&mut driver, &set).unwrap();
    perform(&mut driver, &[execute(&migration, "INSERT INTO child VALUES (2, 77)")]).unwrap();
    let undone = [
        Step::Begin,
        execute(&migration, "PRAGMA query_only = ON"),
        execute(&migration, "DELETE FROM child"),
        Step::Commit,
    ];
    assert!(perform(&mut driver, &undone).is_err());
    let steps = [Step::Begin, execute(&migration, "DELETE FROM child"), execute(&migration, "nonsense")];
    assert_eq!(perform(&mut driver, &steps).unwrap_err().step, 2, "query_only went with the failed one");
    assert_eq!(file.number("SELECT count(*) FROM child"), 5, "rolled back");
    perform(&mut driver, &[Step::EnforceForeignKeys, Step::Begin, Step::Commit]).unwrap();
    assert!(perform(&mut driver, &[execute(&migration, "INSERT INTO child VALUES (3, 77)")]).is_err());
    let inside = perform(&mut driver, &[Step::Begin, Step::SuspendForeignKeys]).unwrap_err();
    assert_eq!(inside.step, 1, "SQLite would ignore it in silence");
}

#[test]
fn a_borrowed_connection_comes_back_as_it_was() {
    let (file, migration) = (File::new(), migration());
    let mut connection = file.raw();
    connection
        .execute_batch("PRAGMA foreign_keys = ON; PRAGMA recursive_triggers = ON; PRAGMA busy_timeout = 77")
        .unwrap();
    let value = |connection: &Connection, name: &str| -> i64 {
        connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0)).unwrap()
    };
    let mut driver = Sqlite::borrow(&mut connection);
    perform(
        &mut driver,
        &[execute(
            &migration,
            "CREATE TABLE t AS SELECT * FROM pragma_foreign_keys, pragma_recursive_triggers",
        )],
    )
    .unwrap();
    drop(driver);
    assert_eq!(file.number("SELECT foreign_keys + recursive_triggers FROM t"), 0);
    let names = ["foreign_keys", "recursive_triggers", "busy_timeout"];
    assert_eq!(names.map(|name| value(&connection, name)), [1, 1, 77]);

    connection.execute_batch("BEGIN; CREATE TABLE mine (a)").unwrap();
    let mut driver = Sqlite::borrow(&mut connection);
    let failure = perform(&mut driver, &[Step::Begin, Step::Commit]).unwrap_err();
    assert!(refusal(failure).message.contains("transaction"));
    drop(driver);
    connection.execute_batch("COMMIT").unwrap();
    assert_eq!(file.tables(), ["mine", "t"], "an application's transaction is its own");
}

#[test]
fn what_a_migration_leaves_is_taken_away_and_the_rest_stays() {
    let (file, migration) = (File::new(), migration());
    let mut connection = file.raw();
    connection
        .execute_batch(
            "PRAGMA cache_size = -777; PRAGMA temp_store = MEMORY; CREATE TEMP TABLE mine (a); \
             INSERT INTO mine VALUES (7); ATTACH ':memory:' AS theirs; CREATE TABLE theirs.kept (a)",
        )
        .unwrap();
    let leaves = [
        "PRAGMA cache_size = -5",
        "PRAGMA secure_delete = ON",
        "PRAGMA synchronous = OFF",
        "CREATE TABLE t (a)",
        "CREATE TEMP TABLE \"left over\" (a)",
        "CREATE TEMPORARY VIEW left_view AS SELECT * FROM \"left over\"",
        "CREATE TEMP TRIGGER left_trigger AFTER INSERT ON t BEGIN DELETE FROM t; END",
        "ATTACH ':memory:' AS left_database",
    ];
    let seen = |connection: &Connection| -> String {
        let sql = "SELECT cache_size || ' ' || secure_delete || ' ' || synchronous || ' ' || temp_store || ' ' || \
                   (SELECT group_concat(name) FROM sqlite_temp_schema) || ' ' || \
                   (SELECT group_concat(name) FROM pragma_database_list) FROM pragma_cache_size, pragma_secure_delete, \
                   pragma_synchronous, pragma_temp_store";
        connection.query_row(sql, [], |row| row.get(0)).unwrap()
    };
    let before = seen(&connection);
    // By the step that stands between two migrations, and by the end alone.
    for restores in [true, false] {
        let mut steps: Vec<_> = leaves.iter().map(|sql| execute(&migration, sql)).collect();
        steps.extend(restores.then_some(Step::RestoreSettings));
        steps.extend(restores.then(|| execute(&migration, "CREATE TEMP TABLE \"left over\" (a)")));
        let mut driver = Sqlite::borrow(&mut connection);
        perform(&mut driver, &steps).unwrap();
        drop(driver);
        assert_eq!(seen(&connection), before);
        connection.execute_batch("SELECT a FROM mine; SELECT a FROM theirs.kept; DROP TABLE t").unwrap();
    }
}

struct Recorder {
    seen: Vec<String>,
    stop_after: usize,
}

impl Watch for Recorder {
    fn starts(&mut self, step: usize) {
        self.seen.push(format!("starts {step}"));
    }
    fn ends(&mut self, step: usize) {
        self.seen.push(format!("ends {step}"));
    }
    fn should_stop(&self) -> bool {
        self.seen.len() >= self.stop_after
    }
}

#[test]
fn a_watch_sees_every_step_and_stops_before_a_statement() {
    let (file, migration) = (File::new(), migration());
    let mut driver = file.driver();
    let sql = ["CREATE TABLE t (a)", "CREATE TABLE u (a)"];
    let steps = [Step::Begin, execute(&migration, sql[0]), execute(&migration, sql[1]), Step::Commit];
    let mut watch = Recorder { seen: Vec::new(), stop_after: 4 };
    let failure = now(driver.perform(&run("a"), &steps, &mut watch)).unwrap_err();
    assert!(matches!(failure, Failure { step: 2, cause: Cause::Stopped }), "{failure:?}");
    assert_eq!(watch.seen, ["starts 0", "ends 0", "starts 1", "ends 1"]);
    assert_eq!(file.tables(), [""; 0]);
}

#[test]
fn a_statement_that_ends_the_transaction_is_told() {
    let (file, migration) = (File::new(), migration());
    let mut driver = file.driver();
    let steps =
        [Step::Begin, execute(&migration, "COMMIT"), execute(&migration, "CREATE TABLE t (a)"), Step::Commit];
    let failure = perform(&mut driver, &steps).unwrap_err();
    assert_eq!(failure.step, 1);
    assert!(refusal(failure).message.contains("ended the transaction"));
    assert_eq!(file.tables(), [""; 0]);
}

#[test]
fn rows_are_counted_once_nobody_keeps_readers_out() {
    let file = File::new();
    let mut driver = file.with_history();
    let other = file.raw();
    other.execute_batch("CREATE TABLE t (a); INSERT INTO t VALUES (1)").unwrap();
    let tables = [ObjectName { schema: None, name: "t".to_owned() }];
    assert_eq!(now(driver.count_rows(&tables)).unwrap(), 1);
    other.execute_batch("BEGIN EXCLUSIVE; INSERT INTO t VALUES (2)").unwrap();
    let counted = now(driver.count_rows(&tables));
    assert!(matches!(counted, Err(Cause::Busy(_))), "{counted:?}");
    other.execute_batch("COMMIT").unwrap();
    assert_eq!(now(driver.count_rows(&tables)).unwrap(), 2);
}

#[test]
fn another_writer_is_waited_for_and_told() {
    let file = File::new();
    let mut driver = file.with_history();
    let other = file.raw();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let began = Instant::now();
    let failure = perform(&mut driver, &[Step::Begin, Step::Commit]).unwrap_err();
    assert!(matches!(&failure.cause, Cause::Busy(holder) if holder.running.is_some()), "{failure:?}");
    assert!(began.elapsed() >= Duration::from_millis(50));
    assert!(matches!(now(driver.try_lock()).unwrap(), Lock::Held(_)));
    assert_eq!(now(driver.head()).unwrap(), Head::None, "a reader goes on");
    other.execute_batch("COMMIT").unwrap();
    assert_eq!(now(driver.try_lock()).unwrap(), Lock::Acquired);
    now(driver.unlock()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE; COMMIT").expect("nothing is kept");
}

#[test]
fn the_lock_is_tried_without_waiting() {
    let file = File::new();
    let mut connection = file.raw();
    let wait = |connection: &Connection| -> i64 {
        connection.query_row("PRAGMA busy_timeout", [], |row| row.get(0)).unwrap()
    };
    connection.busy_timeout(Duration::from_secs(60)).unwrap();
    let other = file.raw();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let began = Instant::now();
    let Lock::Held(holder) = now(Sqlite::borrow(&mut connection).try_lock()).unwrap() else { panic!("held") };
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
    assert_eq!(holder.who.as_deref(), Some("a connection of this or another program"));
    assert_eq!(wait(&connection), 60_000);
    other.execute_batch("COMMIT").unwrap();
    assert_eq!(now(Sqlite::borrow(&mut connection).try_lock()).unwrap(), Lock::Acquired);
    assert_eq!(wait(&connection), 60_000);
}

#[test]
fn a_try_leaves_an_applications_busy_handler_in_place() {
    use std::sync::atomic::{AtomicU32, Ordering};
    static ASKED: AtomicU32 = AtomicU32::new(0);
    fn handler(_: i32) -> bool {
        ASKED.fetch_add(1, Ordering::SeqCst);
        false
    }
    let file = File::new();
    let mut connection = file.raw();
    connection.busy_handler(Some(handler)).unwrap();
    assert_eq!(now(Sqlite::borrow(&mut connection).try_lock()).unwrap(), Lock::Acquired);
    let other = file.raw();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    connection.execute_batch("BEGIN IMMEDIATE").unwrap_err();
    assert_eq!(ASKED.load(Ordering::SeqCst), 1);
}

#[test]
#[cfg(target_os = "linux")]
fn an_attempt_in_pieces_is_its_living_owners() {
    let file = File::new();
    let (mut first, mut second) = (file.with_history(), file.driver());
    perform(&mut first, &[Step::Claim(vec![claim("1_x")])]).unwrap();
    assert_eq!(only_attempt(&mut second).owner_session, Liveness::Alive);
    let Lock::Held(holder) = now(second.try_lock()).unwrap() else { panic!("held") };
    assert_eq!((holder.who.as_deref(), holder.running.as_deref()), (Some("mia@host"), Some("1_x")));
    assert_eq!(holder.session, Some(format!("process {}", std::process::id())));
    assert_eq!(now(first.try_lock()).unwrap(), Lock::Acquired, "its own attempt does not stop it");
    assert_eq!(only_attempt(&mut first).state(), State::Interrupted, "who asks is not running it");
    drop(first);
    assert_eq!(only_attempt(&mut second).owner_session, Liveness::Gone);
    assert_eq!(only_attempt(&mut second).state(), State::Interrupted);
    assert_eq!(now(second.try_lock()).unwrap(), Lock::Acquired);
}

#[test]
fn a_history_that_cannot_be_read_is_told() {
    let file = File::new();
    let mut driver = file.with_history();
    perform(&mut driver, &[Step::Claim(vec![claim("1_x")])]).unwrap();
    let mut told = |sql: &str| {
        file.raw().execute_batch(sql).unwrap();
        match now(driver.inspect()) {
            Err(DriverError::History(words)) => words,
            other => panic!("{sql}: {other:?}"),
        }
    };
    assert!(told("UPDATE _windlass_migrations SET kind = 'odd'").contains("row 1: `odd`"));
    assert!(
        told("UPDATE _windlass_migrations SET kind = 'apply', completed = -1").contains("row 1: completed")
    );
    let newer = told("UPDATE _windlass_migrations SET format = 9");
    assert_eq!(newer, "_windlass_migrations has format 9; this windlass knows up to 1; use a newer windlass");
    assert_eq!(now(driver.head()).unwrap(), Head::Newest { format: 9, digest: String::new() });
    file.raw()
        .execute_batch("DROP TABLE _windlass_migrations; CREATE TABLE _windlass_migrations (a)")
        .unwrap();
    assert!(matches!(now(driver.head()), Err(DriverError::History(_))));
    assert!(matches!(now(driver.inspect()), Err(DriverError::History(_))));
}

#[test]
fn any_name_is_only_a_name() {
    let file = File::new();
    let name = "my \"odd\"; DROP TABLE t";
    let mut driver = Sqlite::connect(&file.options().history_table(name)).unwrap();
    let steps = [Step::CreateHistory, Step::Claim(vec![claim("1_x")]), Step::Record(vec![record("1_x")])];
    perform(&mut driver, &steps).unwrap();
    assert_eq!(file.tables(), [name]);
    assert_eq!(only_attempt(&mut driver).state(), State::Applied);
    assert_eq!(inspect(&mut driver).contents, Contents::Empty);
}

#[test]
fn a_read_only_database_is_told_and_read() {
    let file = File::new();
    perform(&mut file.with_history(), &[Step::Claim(vec![claim("1_x")]), Step::Record(vec![record("1_x")])])
        .unwrap();
    assert_eq!(inspect(&mut file.driver()).access, Access::Writable);
    let mut reader = Sqlite::connect(&file.options().read_only()).unwrap();
    assert!(matches!(now(reader.head()).unwrap(), Head::Newest { .. }));
    let inspection = inspect(&mut reader);
    assert_eq!(inspection.history.attempts.len(), 1);
    assert!(matches!(inspection.access, Access::ReadOnly(why) if why.contains("mode=ro")));
    let error = refusal(perform(&mut reader, &[Step::Claim(vec![claim("2_y")])]).unwrap_err());
    assert_eq!(error.code.as_deref(), Some("SQLITE_READONLY (8)"));
    let connection = file.raw();
    connection.execute_batch("PRAGMA query_only = ON").unwrap();
    let access = inspect(&mut Sqlite::from_connection(connection)).access;
    assert!(matches!(access, Access::ReadOnly(why) if why.contains("query_only")));
}

#[test]
fn inspection_writes_nothing() {
    let file = File::new();
    file.raw().execute_batch("CREATE TABLE t (a); CREATE INDEX i ON t (a)").unwrap();
    let before = std::fs::read(file.path()).unwrap();
    let inspection = inspect(&mut file.driver());
    assert_eq!(inspection.contents, Contents::Holds(vec!["t".to_owned(), "i".to_owned()]));
    assert_eq!(std::fs::read(file.path()).unwrap(), before);
    assert_eq!(inspect(&mut Sqlite::connect(&Options::memory()).unwrap()).contents, Contents::Empty);
}

#[test]
fn what_cannot_be_opened_is_explained() {
    let file = File::new();
    let connect = |options: Options| Sqlite::connect(&options).unwrap_err();
    let missing = connect(Options::file(file.path()));
    assert!(
        matches!(missing, ConnectError::Missing { .. })
            && missing.to_string().contains("Options::create_database")
    );
    assert!(!file.path().exists());
    assert!(matches!(connect(Options::file(file.path()).read_only()), ConnectError::Missing { .. }));
    let nowhere = file.folder.path().join("no/where.db");
    assert!(matches!(connect(Options::file(nowhere).create_database(true)), ConnectError::NoFolder { .. }));
    assert!(matches!(connect(Options::file(file.folder.path())), ConnectError::IsFolder { .. }));
    std::fs::write(file.path(), "these are my notes, not a database, and they are mine".repeat(40)).unwrap();
    let Err(DriverError::Refused(error)) = now(file.driver().head()) else { panic!("not a database") };
    assert_eq!(error.code.as_deref(), Some("SQLITE_NOTADB (26)"));
    assert!(error.hint.is_some());
}

#[test]
fn a_batch_of_a_thousand_is_one_quick_write() {
    let file = File::new();
    let names: Vec<String> = (0..1000).map(|number| format!("{number}_x")).collect();
    let mut driver = file.with_history();
    let claims = Step::Claim(names.iter().map(|name| claim(name)).collect());
    let records = Step::Record(names.iter().map(|name| record(name)).collect());
    let began = Instant::now();
    perform(&mut driver, &[Step::Begin, claims, records, Step::Commit]).unwrap();
    println!("1000 claims and records: {:?}", began.elapsed());
    assert_eq!(file.number("SELECT count(*) FROM _windlass_migrations WHERE finished_at IS NOT NULL"), 1000);
}

#[test]
fn an_application_s_like_comes_back_as_it_was() {
    let (file, migration) = (File::new(), migration());
    let mut connection = file.raw();
    connection.execute_batch("PRAGMA case_sensitive_like = ON").unwrap();
    let steps = [
        execute(&migration, "CREATE TABLE t AS SELECT 'a' LIKE 'A' AS is_like"),
        execute(&migration, "PRAGMA case_sensitive_like = ON"),
        Step::RestoreSettings,
        execute(&migration, "INSERT INTO t SELECT 'a' LIKE 'A'"),
    ];
    perform(&mut Sqlite::borrow(&mut connection), &steps).unwrap();
    assert_eq!(file.number("SELECT sum(is_like) FROM t"), 2);
    assert!(!connection.query_row("SELECT 'a' LIKE 'A'", [], |row| row.get::<_, bool>(0)).unwrap());
}

#[test]
fn limits_of_the_process_are_put_back_or_refused() {
    let (file, migration) = (File::new(), migration());
    let limit = |name: &str| file.number(&format!("PRAGMA {name}_heap_limit"));
    let soft = [execute(&migration, "PRAGMA soft_heap_limit = 100000000"), Step::RestoreSettings];
    perform(&mut file.driver(), &soft).unwrap();
    assert_eq!(limit("soft"), 0);
    for hard in ["pragma /* of all */ hard_heap_limit = 100000000", "PRAGMA main.hard_heap_limit(100000000)"]
    {
        let refused = perform(&mut file.driver(), &[execute(&migration, hard)]).unwrap_err();
        let Cause::Refused(error) = refused.cause else { panic!("{refused:?}") };
        assert!(error.message.contains("could not be put back"), "{error:?}");
        assert_eq!(limit("hard"), 0);
    }
    perform(&mut file.driver(), &[execute(&migration, "PRAGMA hard_heap_limit")]).unwrap();
}

#[test]
fn a_database_without_journal_does_not_outlive_the_migration() {
    let (file, migration) = (File::new(), migration());
    let mode = |asked: &str| -> String {
        let mut connection = file.raw();
        let pragma = format!("pragma journal_mode = {asked}");
        let steps = [execute(&migration, &pragma), Step::RestoreSettings];
        perform(&mut Sqlite::borrow(&mut connection), &steps).unwrap();
        connection.query_row("PRAGMA journal_mode", [], |row| row.get(0)).unwrap()
    };
    assert_eq!(["off", "memory", "wal"].map(mode), ["delete", "delete", "wal"]);
}
