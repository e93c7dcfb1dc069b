//! Every driver call of every planned shape fails in turn; afterwards the truth is checked on a live session.

mod contention;
mod faults;
mod functions;
mod repeated;

use faults::Case;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use windlass_core::apply::{DeployError, DeployOptions, Silent, Stop, deploy};
use windlass_core::driver::{Capabilities, Ddl, Driver, Grouping, Product, Run, Sessions};
use windlass_core::plan::Blocked;
use windlass_core::sim::{SimDatabase, SimDriver};
use windlass_core::source::Migrations;
use windlass_core::sql::Dialect;

/// The simulator's futures never wait, so one poll is the whole run.
fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a simulated future waited"),
    }
}

fn postgres() -> Capabilities {
    Capabilities {
        product: Product::PostgreSql,
        version: "18".to_owned(),
        dialect: Dialect::Postgres,
        ddl: Ddl::Transactional,
        grouping: Grouping::UpTo(100),
        sessions: Sessions::Own,
    }
}

fn mysql() -> Capabilities {
    Capabilities {
        product: Product::MySql,
        version: "9".to_owned(),
        dialect: Dialect::MySql,
        ddl: Ddl::ImplicitCommit,
        grouping: Grouping::Never,
        sessions: Sessions::Own,
    }
}

fn sqlite() -> Capabilities {
    Capabilities {
        product: Product::Sqlite,
        version: "3".to_owned(),
        dialect: Dialect::Sqlite,
        ddl: Ddl::Transactional,
        grouping: Grouping::UpTo(1_000),
        sessions: Sessions::Own,
    }
}

fn migrations(scripts: &[(&'static str, &'static str)]) -> Migrations {
    Migrations::from_scripts(scripts.iter().copied()).expect("a set of migrations")
}

/// Every shape a plan can have: one transaction, alone, cut, data, units, settings, repeatable, empty.
fn shapes() -> Migrations {
    migrations(&[
        ("1_create.sql", "CREATE TABLE a (n int); CREATE TABLE b (n int);"),
        ("2_group.sql", "CREATE TABLE c (n int);"),
        ("3_data.sql", "INSERT INTO a VALUES (1); UPDATE a SET n = n + 1; INSERT INTO b VALUES (2);"),
        (
            "4_cut.sql",
            "ALTER TABLE a ADD COLUMN m int; CREATE INDEX CONCURRENTLY i ON a (m); UPDATE a SET m = 4;",
        ),
        ("5_alone.sql", "VACUUM;"),
        (
            "6_mixed.sql",
            "SET SESSION x = 1; CREATE TABLE d (n int); INSERT INTO d VALUES (6); ALTER TABLE d ADD o int;",
        ),
        ("7_empty.sql", "-- nothing here"),
        ("8_explicit.sql", "BEGIN; INSERT INTO d VALUES (8); COMMIT; INSERT INTO d VALUES (9);"),
        (
            "9_apart.sql",
            "-- windlass: no-transaction\nINSERT INTO d VALUES (10); CREATE TABLE g (n int); INSERT INTO g VALUES (11);",
        ),
        (
            "10_enum.sql",
            "ALTER TYPE mood ADD VALUE 'glad'; INSERT INTO moods VALUES ('glad'); INSERT INTO moods VALUES ('sad');",
        ),
        (
            "11_checked.sql",
            "ALTER TABLE a ADD CONSTRAINT c CHECK (n > 0) NOT VALID; ALTER TABLE a VALIDATE CONSTRAINT c;",
        ),
        ("R__view.sql", "CREATE VIEW v AS SELECT 1;"),
    ])
}

fn mysql_shapes() -> Migrations {
    migrations(&[
        ("1_create.sql", "CREATE TABLE a (n int); CREATE TABLE b (n int);"),
        ("2_one.sql", "CREATE TABLE c (n int);"),
        ("3_data.sql", "INSERT INTO a VALUES (1); UPDATE a SET n = n + 1; INSERT INTO b VALUES (2);"),
        (
            "4_mixed.sql",
            "SET foreign_key_checks = 0; CREATE TABLE d (n int); INSERT INTO d VALUES (6); ALTER TABLE d ADD o int;",
        ),
        (
            "5_unit.sql",
            "CREATE TABLE e (n int); SET @n = 5; INSERT INTO e VALUES (@n); CREATE TABLE f (n int);",
        ),
        (
            "6_locks.sql",
            "LOCK TABLES e WRITE; INSERT INTO e VALUES (7); UNLOCK TABLES; INSERT INTO e VALUES (8);",
        ),
        ("7_empty.sql", "-- nothing here"),
        (
            "8_apart.sql",
            "-- windlass: no-transaction\nINSERT INTO e VALUES (9); ALTER TABLE e ADD p int; UPDATE e SET p = 10;",
        ),
        ("R__view.sql", "CREATE VIEW v AS SELECT 1;"),
    ])
}

fn options(owner: &str) -> DeployOptions {
    let run = Run { owner: owner.to_owned(), applied_by: "test".to_owned(), tool: "0".to_owned() };
    let mut options = DeployOptions::new(run);
    options.lock_wait = Duration::ZERO;
    options
}

fn run(driver: &mut SimDriver, migrations: &Migrations, owner: &str) -> Result<(), DeployError> {
    ready(deploy(driver, migrations, &options(owner), &mut Silent, &Stop::new())).map(|_| ())
}

#[test]
fn every_call_fails_in_turn_where_ddl_is_transactional() {
    Case::of(postgres(), shapes()).every_fault().tell("PostgreSQL", 1_000);
}

#[test]
fn every_call_fails_in_turn_on_sqlite() {
    let shapes = migrations(&[
        ("1_create.sql", "CREATE TABLE a (n int); CREATE TABLE b (n int);"),
        (
            "2_rebuild.sql",
            "PRAGMA foreign_keys = OFF; CREATE TABLE c (n int); DROP TABLE b; PRAGMA foreign_keys = ON;",
        ),
        ("3_alone.sql", "VACUUM; INSERT INTO a VALUES (1); UPDATE a SET n = n + 1;"),
        ("R__view.sql", "CREATE VIEW v AS SELECT 1;"),
    ]);
    Case::of(sqlite(), shapes).every_fault().tell("SQLite", 500);
}

#[test]
fn every_call_fails_in_turn_where_ddl_commits_implicitly() {
    let totals = Case::of(mysql(), mysql_shapes()).every_fault();
    totals.tell("MySQL", 1_000);
    assert!(totals.blocked > 0, "a crash around DDL must be seen to block: {totals:?}");
}

#[test]
fn every_call_fails_in_turn_where_all_is_one_transaction() {
    let transactional = migrations(&[
        ("1_create.sql", "CREATE TABLE a (n int); CREATE TABLE b (n int);"),
        ("2_data.sql", "INSERT INTO a VALUES (1); UPDATE a SET n = n + 1;"),
        ("3_settings.sql", "SET SESSION x = 1; INSERT INTO b VALUES (2);"),
        ("4_empty.sql", "-- nothing here"),
        ("R__view.sql", "CREATE VIEW v AS SELECT 1;"),
    ]);
    let data = migrations(&[
        ("1_data.sql", "INSERT INTO a VALUES (1); UPDATE a SET n = n + 1;"),
        ("2_more.sql", "SELECT 1; INSERT INTO b VALUES (2);"),
        ("3_last.sql", "DELETE FROM a;"),
    ]);
    for (capabilities, set) in [(postgres(), &transactional), (sqlite(), &transactional), (mysql(), &data)] {
        let case = Case::in_one_transaction(capabilities, set.clone());
        let totals = case.every_fault();
        totals.tell(&format!("{}, one transaction", case.product()), 150);
        assert_eq!(totals.blocked, 0, "all or nothing leaves nothing to settle: {totals:?}");
    }
}

#[test]
fn two_deployers_at_once_run_everything_once() {
    let database = SimDatabase::new();
    let mut first = database.connect(postgres(), Vec::new());
    let mut second = database.connect(postgres(), Vec::new());
    let _ = ready(first.try_lock());
    let met = run(&mut second, &shapes(), "second");
    assert!(matches!(met, Err(DeployError::LockTimeout { .. })), "{met:?}");
    let _ = ready(first.unlock());
    run(&mut second, &shapes(), "second").expect("the lock is free");
    run(&mut first, &shapes(), "first").expect("it is done");
    assert_eq!(database.effects(), Case::of(postgres(), shapes()).whole);
}

#[test]
fn a_history_changed_by_hand_is_refused() {
    let database = SimDatabase::new();
    let mut driver = database.connect(postgres(), Vec::new());
    run(&mut driver, &migrations(&[("1_a.sql", "CREATE TABLE a (n int)")]), "first").expect("a deploy");
    database.tamper(|rows| rows[0].name = "1_b".to_owned());
    let more = migrations(&[("1_b.sql", "CREATE TABLE a (n int)"), ("2_c.sql", "CREATE TABLE c (n int)")]);
    let refused = run(&mut driver, &more, "second");
    assert!(matches!(refused, Err(DeployError::Blocked(Blocked::History(_)))), "{refused:?}");
}
