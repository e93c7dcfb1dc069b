//! Whole deploys over the driver: a fixture's history, a rival, an owner that died.

use rusqlite::Connection;
use std::path::Path;
use std::time::Duration;
use windlass_core::apply::{DeployError, DeployOptions, Event, Observer, Report, Silent, Stop, deploy};
use windlass_core::driver::{Driver, NoWatch, Run};
use windlass_core::history::{AttemptKind, State};
use windlass_core::plan::{Claim, Step};
use windlass_core::source::{Migrations, SourceError};
use windlass_core::sql::Dialect;
use windlass_sqlite::{Options, Sqlite};

fn now<F: Future>(future: F) -> F::Output {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match std::pin::pin!(future).poll(&mut context) {
        std::task::Poll::Ready(value) => value,
        std::task::Poll::Pending => panic!("a future of this driver yielded"),
    }
}

fn run(owner: &str) -> Run {
    Run { owner: owner.to_owned(), applied_by: "mia@host".to_owned(), tool: "0.1.0".to_owned() }
}

fn deploy_as(owner: &str, path: &Path, migrations: &Migrations) -> Result<Report, DeployError> {
    let mut driver = Sqlite::connect(&Options::file(path).create_database(true)).unwrap();
    now(deploy(&mut driver, migrations, &DeployOptions::new(run(owner)), &mut Silent, &Stop::new()))
}

fn fixture(name: &str) -> Migrations {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations-fixtures");
    Migrations::from_dir(fixtures.join(name)).unwrap()
}

#[test]
fn a_project_is_deployed_and_then_current() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.db");
    let migrations = fixture("shop/sqlite");
    let report = deploy_as("a", &path, &migrations).unwrap();
    assert_eq!(report.applied.len(), migrations.len());
    assert_eq!(deploy_as("b", &path, &migrations).unwrap(), Report::default());
}

#[test]
fn a_failure_keeps_what_stood_before_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.db");
    let error = deploy_as("a", &path, &fixture("bookshop-broken/sqlite")).unwrap_err();
    assert!(matches!(error, DeployError::Statement(_)), "{error:?}");
    let raw = Connection::open(&path).unwrap();
    let count = |sql: &str| raw.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(count("SELECT count(*) FROM _windlass_migrations WHERE finished_at IS NOT NULL"), 2);
    assert_eq!(
        count(
            "SELECT count(*) FROM _windlass_migrations WHERE rolled_back_at IS NOT NULL AND error IS NOT NULL"
        ),
        1
    );
}

#[test]
fn of_rivals_one_does_the_work_and_none_fails() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.db");
    let script = |number| {
        (format!("{number}_t.sql"), format!("CREATE TABLE t{number} (a); INSERT INTO t{number} VALUES (1);"))
    };
    let migrations = Migrations::from_scripts((1..=40).map(script)).unwrap();
    let applied: Vec<usize> = std::thread::scope(|scope| {
        let rivals = ["a", "b", "c", "d"].map(|owner| {
            let (path, migrations) = (&path, &migrations);
            scope.spawn(move || deploy_as(owner, path, migrations).unwrap().applied.len())
        });
        rivals.into_iter().map(|rival| rival.join().unwrap()).collect()
    });
    assert_eq!(applied.iter().sum::<usize>(), migrations.len(), "{applied:?}");
}

#[test]
#[cfg(target_os = "linux")]
fn what_a_dead_owner_left_is_finished_and_a_living_one_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.db");
    let migrations = Migrations::from_scripts([("1_x.sql", "CREATE TABLE t (a);")]).unwrap();
    let checksums = migrations.get("1_x").unwrap().checksums(Dialect::Sqlite).unwrap();
    let kind = AttemptKind::Apply;
    // As a row stands whose owner committed its claim by itself, and did nothing yet.
    let claim = Claim {
        kind,
        name: "1_x",
        checksums,
        statements: 1,
        in_flight: None,
        watched: Vec::new(),
        supersedes: false,
    };
    let mut owner = Sqlite::connect(&Options::file(&path).create_database(true)).unwrap();
    now(owner.perform(&run("a"), &[Step::CreateHistory, Step::Claim(vec![claim])], &mut NoWatch)).unwrap();

    let mut rival = Sqlite::connect(&Options::file(&path)).unwrap();
    let mut options = DeployOptions::new(run("b"));
    options.lock_wait = Duration::from_millis(1);
    let error = now(deploy(&mut rival, &migrations, &options, &mut Silent, &Stop::new())).unwrap_err();
    assert!(matches!(error, DeployError::LockTimeout { .. }), "{error:?}");
    drop(owner);
    let report = now(deploy(&mut rival, &migrations, &options, &mut Silent, &Stop::new())).unwrap();
    assert_eq!(report.applied.len(), 1);
    let attempt = now(rival.inspect()).unwrap().history.attempts.remove(0);
    assert_eq!((attempt.owner.as_str(), attempt.epoch, attempt.state()), ("b", 2, State::Applied));
}

/// Asks to stop once the first statement has run.
struct StopsAfterOne<'s>(&'s Stop);

impl Observer for StopsAfterOne<'_> {
    fn event(&mut self, event: Event<'_>) {
        if matches!(event, Event::StatementEnds(_)) {
            self.0.ask();
        }
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_session_goes_on_with_what_it_left_itself() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.db");
    let script = "-- windlass: no-transaction\nCREATE TABLE t (a);\nVACUUM;\nCREATE TABLE u (a);";
    let migrations = Migrations::from_scripts([("1_x.sql", script)]).unwrap();
    let mut driver = Sqlite::connect(&Options::file(&path).create_database(true)).unwrap();
    let mut options = DeployOptions::new(run("a"));
    options.lock_wait = Duration::from_millis(1);
    let stop = Stop::new();
    let error =
        now(deploy(&mut driver, &migrations, &options, &mut StopsAfterOne(&stop), &stop)).unwrap_err();
    assert!(
        matches!(&error, DeployError::Stopped { part_way: Some(name), .. } if name == "1_x"),
        "{error:?}"
    );

    let report = now(deploy(&mut driver, &migrations, &options, &mut Silent, &Stop::new())).unwrap();
    assert_eq!(report.applied.len(), 1);
    let attempt = now(driver.inspect()).unwrap().history.attempts.remove(0);
    assert_eq!((attempt.epoch, attempt.completed, attempt.state()), (2, 3, State::Applied));
}

#[test]
fn a_comment_that_is_never_closed_ends_with_the_script() {
    let folder = tempfile::tempdir().unwrap();
    let migrations = Migrations::from_scripts([("1_x.sql", "CREATE TABLE t (i int); /* unclosed")]).unwrap();
    let report = deploy_as("a", &folder.path().join("app.db"), &migrations).unwrap();
    assert_eq!(report.applied.len(), 1);
}

#[test]
fn what_stands_beside_a_script_is_looked_at_before_anything_runs() {
    let folder = tempfile::tempdir().unwrap();
    let (path, dir) = (folder.path().join("app.db"), folder.path().join("migrations"));
    let write = |file: &str, text: &str| {
        let file = dir.join(file);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    };
    write("1_a/migration.sql", "CREATE TABLE a (n);");
    let scripts = || Migrations::scripts_from_dir(&dir).unwrap();
    deploy_as("a", &path, &scripts()).unwrap();

    write("1_a/up.sql", "CREATE TABLE b (n);");
    assert_eq!(deploy_as("b", &path, &scripts()).unwrap(), Report::default(), "the database is where it was");

    write("2_b/migration.sql", "CREATE TABLE c (n);");
    let error = deploy_as("c", &path, &scripts()).unwrap_err();
    assert!(
        matches!(&error, DeployError::Source(SourceError::TwoScripts { folder }) if folder.ends_with("1_a")),
        "{error:?}"
    );
    let raw = Connection::open(&path).unwrap();
    let tables = "SELECT group_concat(name) FROM sqlite_schema WHERE name IN ('a', 'b', 'c')";
    assert_eq!(raw.query_row(tables, [], |row| row.get::<_, String>(0)).unwrap(), "a");
}
