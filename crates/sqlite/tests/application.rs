//! One call each on an application's connection, without a runtime and with one.

use rusqlite::Connection;
use std::collections::BTreeMap;
use std::time::Duration;
use windlass_core::plan::ResolveError;
use windlass_sqlite::{
    Action, Check, Deploy, DeployError, DriftPolicy, DriftVerdict, DriverError, Migrations, Proof,
    Resolution, ResolveFailure, Severity, Sqlite, Standing, Verdict, WaitError, baseline, baseline_checked,
    block_on, deploy, diagnose, diagnose_with_shadow, doctor, drift, plan, resolve, resolve_checked, status,
    verify, wait_until_current,
};

static MIGRATIONS: Migrations = windlass_sqlite::migrations!("examples/migrations");

fn names() -> Vec<String> {
    vec!["1_ships".to_owned(), "2_crews".to_owned()]
}

fn seen(connection: &Connection) -> BTreeMap<&'static str, String> {
    let names =
        ["foreign_keys", "recursive_triggers", "busy_timeout", "synchronous", "trusted_schema", "query_only"];
    let value = |name: &str| {
        let value: rusqlite::types::Value =
            connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0)).unwrap();
        format!("{value:?}")
    };
    names.into_iter().map(|name| (name, value(name))).collect()
}

#[test]
fn every_call_works_on_an_applications_connection() {
    let mut connection = Connection::open_in_memory().unwrap();
    connection
        .execute_batch("PRAGMA foreign_keys = ON; PRAGMA recursive_triggers = ON; PRAGMA synchronous = OFF")
        .unwrap();
    let before = seen(&connection);

    assert_eq!(verify(&mut connection, &MIGRATIONS).unwrap(), Verdict::Behind { pending: names() });
    assert_eq!(plan(&mut connection, &MIGRATIONS).unwrap().plan.migrations(), names());
    let waited = wait_until_current(&mut connection, &MIGRATIONS, Duration::from_millis(1)).unwrap_err();
    assert!(matches!(waited, WaitError::TimedOut { .. }), "{waited:?}");
    let open = Migrations::from_scripts([("1_open.sql", "SELECT 'x")]).unwrap();
    let blocked = wait_until_current(&mut connection, &open, Duration::from_secs(600)).unwrap_err();
    assert!(matches!(&blocked, WaitError::Blocked(_)), "{blocked:?}");
    assert!(
        blocked.story().starts_with("a deploy is blocked: waiting does not help\ncaused by: "),
        "{}",
        blocked.story()
    );
    let empty = baseline(&mut connection, &MIGRATIONS, "1").unwrap_err();
    assert!(matches!(&empty, ResolveFailure::Refused(ResolveError::EmptyDatabase { .. })), "{empty:?}");
    connection.execute_batch("CREATE TABLE ships (id integer PRIMARY KEY, name text)").unwrap();
    assert_eq!(baseline(&mut connection, &MIGRATIONS, "1").unwrap(), ["1_ships"]);
    assert_eq!(deploy(&mut connection, &MIGRATIONS).unwrap().applied.len(), 1);
    assert_eq!(verify(&mut connection, &MIGRATIONS).unwrap(), Verdict::Current);
    wait_until_current(&mut connection, &MIGRATIONS, Duration::ZERO).unwrap();
    connection.execute_batch("CREATE INDEX by_hand ON ships (name)").unwrap();
    match verify(&mut connection, &MIGRATIONS).unwrap() {
        Verdict::Drifted(drift) => assert_eq!(drift.differences[0].key.to_string(), "index ships.by_hand"),
        other => panic!("{other:?}"),
    }
    let unlooked = Deploy::new(&MIGRATIONS).on_drift(DriftPolicy::Off);
    assert_eq!(block_on(unlooked.verify(&mut connection)).unwrap(), Verdict::Current);
    wait_until_current(&mut connection, &MIGRATIONS, Duration::ZERO).unwrap();
    let findings = doctor(&mut connection, &MIGRATIONS).unwrap();
    let problems: Vec<_> = findings.iter().filter(|finding| finding.severity == Severity::Problem).collect();
    assert_eq!(problems.iter().map(|finding| finding.check).collect::<Vec<_>>(), [Check::Drift]);
    connection.execute_batch("DROP INDEX by_hand").unwrap();
    resolve(&mut connection, &MIGRATIONS, Resolution::RolledBack, "2", "an example").unwrap();
    let standing: Vec<_> =
        status(&mut connection, &MIGRATIONS).unwrap().iter().map(|line| line.standing).collect();
    assert_eq!(standing, [Standing::Applied, Standing::RolledBack]);
    assert_eq!(seen(&connection), before);
}

#[test]
fn what_is_not_known_of_drift_is_no_current() {
    let mut connection = Connection::open_in_memory().unwrap();
    deploy(&mut connection, &MIGRATIONS).unwrap();
    connection.execute_batch("UPDATE _windlass_migrations SET snapshot = 'x' || char(10) || 'y'").unwrap();
    let verdict = verify(&mut connection, &MIGRATIONS).unwrap();
    assert!(matches!(&verdict, Verdict::DriftUnknown { why } if why.contains("line 2")), "{verdict:?}");
    assert!(verdict.may_run() && verdict.to_string().contains("cannot be told"), "{verdict}");
}

/// Of a changed table, what did not change: one statement changed one object.
#[test]
fn a_column_that_is_as_it_was_is_told_of_no_changed_table() {
    let script = "CREATE TABLE t (a varchar(40), b decimal(10,2) DEFAULT (1+2), c varchar(9));";
    let migrations = Migrations::from_scripts([("1_t.sql", script)]).unwrap();
    let mut connection = Connection::open_in_memory().unwrap();
    deploy(&mut connection, &migrations).unwrap();
    connection.execute_batch("ALTER TABLE t ADD COLUMN by_hand int").unwrap();
    let found = drift(&mut connection, &migrations, &[]).unwrap();
    let DriftVerdict::Drift(drift) = found else { panic!("{found:?}") };
    let keys: Vec<_> = drift.differences.iter().map(|difference| difference.key.to_string()).collect();
    assert_eq!(keys, ["column t.by_hand"], "{drift:#?}");
}

#[test]
fn a_decision_is_held_against_a_replay() {
    let mut connection = Connection::open_in_memory().unwrap();
    let empty = || Connection::open_in_memory().unwrap();
    connection.execute_batch("CREATE TABLE ships (id integer PRIMARY KEY, name varchar(80))").unwrap();
    let refused = baseline_checked(&mut connection, &mut empty(), &MIGRATIONS, "1").unwrap_err();
    assert!(matches!(&refused, ResolveFailure::DiffersFromBaseline { .. }), "{refused:?}");
    let ignoring = Deploy::new(&MIGRATIONS).ignore_drift(["ships".parse().unwrap()]).applied_by("ada");
    let recorded = block_on(ignoring.baseline_checked(&mut connection, &mut empty(), "1")).unwrap();
    assert_eq!(recorded, ["1_ships"]);
    let attempts = windlass_sqlite::history(&mut connection).unwrap().attempts;
    assert_eq!(attempts[0].applied_by, "ada");
    let made = "DROP TABLE ships; CREATE TABLE ships (id integer PRIMARY KEY, name varchar(80) NOT NULL)";
    connection.execute_batch(made).unwrap();

    let decide = |connection: &mut Connection, resolution| {
        resolve_checked(connection, &mut empty(), &MIGRATIONS, resolution, "2", "an example")
    };
    let refused = decide(&mut connection, Resolution::Applied).unwrap_err();
    assert!(matches!(&refused, ResolveFailure::Differs { fits, .. } if *fits == [0]), "{refused:?}");
    connection.execute_batch("ALTER TABLE ships ADD COLUMN crew integer NOT NULL DEFAULT 0").unwrap();
    assert_eq!(decide(&mut connection, Resolution::Applied).unwrap(), Proof::BornOut);
    // A shadow that is somebody's is not written to.
    let mut theirs = empty();
    theirs.execute_batch("CREATE TABLE a (b)").unwrap();
    let back = Resolution::RolledBack;
    let refused = resolve_checked(&mut connection, &mut theirs, &MIGRATIONS, back, "2", "an example");
    assert!(matches!(refused, Err(ResolveFailure::Unchecked(_))), "{refused:?}");
}

#[test]
fn a_diagnosis_is_told_with_a_shadow_and_without() {
    let half = "CREATE TABLE a (n int);\nVACUUM;\nCREATE TABLE b (n int);\nINSERT INTO nowhere VALUES (1);";
    let migrations = Migrations::from_scripts([("1_half.sql", half)]).unwrap();
    let mut connection = Connection::open_in_memory().unwrap();
    deploy(&mut connection, &migrations).unwrap_err();
    let without = diagnose(&mut connection, &migrations).unwrap();
    assert!(without.wants_shadow && without.examined.unwrap().compared().is_none());
    let mut empty = Connection::open_in_memory().unwrap();
    let with = diagnose_with_shadow(&mut connection, &mut empty, &migrations).unwrap();
    assert!(with.examined.as_ref().is_some_and(|examined| examined.compared().is_some()), "{with:?}");
    assert_eq!(with.advice.action, Action::Mend);
}

#[test]
fn an_error_tells_all_of_it_in_lines() {
    let scripts =
        [("1_a.sql", "CREATE TABLE a (n int);"), ("2_b.sql", "SELECT 1;\nINSERT INTO nowhere VALUES (1);")];
    let migrations = Migrations::from_scripts(scripts).unwrap();
    let mut connection = Connection::open_in_memory().unwrap();
    assert_eq!(
        deploy(&mut connection, &migrations).unwrap_err().story(),
        "migration `2_b` failed at statement 2 of 2\n\
         caused by: at 2_b.sql:2:1\n\
         caused by: no such table: nowhere (SQLITE_ERROR (1))\n\
         note: `2_b` was rolled back: nothing of it stands\n\
         hint: mend 2_b.sql and deploy again"
    );
    connection.execute_batch("ALTER TABLE a ADD COLUMN by_hand int").unwrap();
    let on_a = Migrations::from_scripts([scripts[0], ("2_b.sql", "CREATE INDEX i ON a (n);")]).unwrap();
    let drift = deploy(&mut connection, &on_a).unwrap_err();
    assert!(drift.to_string().contains("column a.by_hand was added"), "{drift}");
    let story = drift.story();
    assert!(
        story.contains("\nnote: column a.by_hand was added")
            && story.contains("\nhint: see `windlass drift`"),
        "{story}"
    );
    let planned = plan(&mut Connection::open_in_memory().unwrap(), &migrations).unwrap().to_string();
    assert!(planned.contains("execute 1_a 1/1: CREATE TABLE a (n int)"), "{planned}");
}

/// The setting is lifted out of the transaction, in which SQLite would pass over it in silence: the table that is
/// dropped would take its children's rows with it.
#[test]
fn a_rebuilt_parent_keeps_the_children_of_a_connection_that_enforces_them() {
    let rebuild = "PRAGMA foreign_keys=OFF;
        CREATE TABLE new_parent (id integer PRIMARY KEY, name text);
        INSERT INTO new_parent SELECT id, name FROM parent;
        DROP TABLE parent;
        ALTER TABLE new_parent RENAME TO parent;
        PRAGMA foreign_keys=ON;";
    let migrations = Migrations::from_scripts([("1_rebuild.sql", rebuild)]).unwrap();
    let mut connection = Connection::open_in_memory().unwrap();
    connection
        .execute_batch(
            "PRAGMA foreign_keys = ON;
            CREATE TABLE parent (id integer PRIMARY KEY, name text);
            CREATE TABLE child (parent integer REFERENCES parent (id) ON DELETE CASCADE);
            INSERT INTO parent VALUES (1, 'a'), (2, 'b'), (3, 'c');
            INSERT INTO child VALUES (1), (2), (3), (1), (2), (3), (1)",
        )
        .unwrap();
    let before = seen(&connection);
    let mut session = Sqlite::borrow(&mut connection).foreign_keys(true);
    block_on(Deploy::new(&migrations).allow_non_empty(true).run(&mut session)).unwrap();
    drop(session);
    let rows = "SELECT (SELECT count(*) FROM parent) || ' ' || (SELECT count(*) FROM child)";
    assert_eq!(connection.query_row(rows, [], |row| row.get::<_, String>(0)).unwrap(), "3 7");
    assert_eq!(seen(&connection), before);
    connection.execute_batch("INSERT INTO child VALUES (9)").unwrap_err();
}

#[test]
fn a_transaction_of_the_applications_is_left_alone() {
    let mut connection = Connection::open_in_memory().unwrap();
    connection.execute_batch("BEGIN; CREATE TABLE theirs (id)").unwrap();
    let error = Deploy::new(&MIGRATIONS).allow_non_empty(true).run(&mut connection);
    assert!(matches!(block_on(error), Err(DeployError::Driver(DriverError::InTransaction))));
    connection.execute_batch("COMMIT; SELECT * FROM theirs").unwrap();
}

#[test]
fn an_older_program_meets_its_database() {
    let mut connection = Connection::open_in_memory().unwrap();
    deploy(&mut connection, &MIGRATIONS).unwrap();
    let older = MIGRATIONS.get("1_ships").unwrap().up().text();
    let older = Migrations::from_scripts([("1_ships.sql", older)]).unwrap();
    let verdict = verify(&mut connection, &older).unwrap();
    assert_eq!(verdict, Verdict::Ahead { names: vec!["2_crews".to_owned()] });
    assert!(verdict.may_run() && deploy(&mut connection, &older).unwrap().applied.is_empty());
    wait_until_current(&mut connection, &older, Duration::ZERO).unwrap();
}

#[test]
fn a_runtime_runs_the_same_calls_and_a_lent_session_stays() {
    fn sent<F: Future + Send>(future: F) -> F {
        future
    }
    let mut connection = Connection::open_in_memory().unwrap();
    let mut session = Sqlite::borrow(&mut connection).history_table("_history");
    block_on(sent(windlass_sqlite::futures::deploy(&mut session, &MIGRATIONS))).unwrap();
    assert_eq!(verify(&mut session, &MIGRATIONS).unwrap(), Verdict::Current);
    drop(session);
    connection.execute_batch("SELECT crew FROM ships; SELECT name FROM _history").unwrap();
}
