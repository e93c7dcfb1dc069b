//! Every driver call of every planned shape fails in turn; afterwards the truth is checked on a live session.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use windlass_core::apply::{DeployError, DeployOptions, Event, Observer, Silent, Stop, deploy, resolve};
use windlass_core::driver::{Capabilities, Ddl, Driver, Grouping, Product, Run};
use windlass_core::history::{InFlight, State};
use windlass_core::plan::{Blocked, Resolution};
use windlass_core::sim::{Fault, Mode, SimDatabase, SimDriver};
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
    }
}

fn mysql() -> Capabilities {
    Capabilities {
        product: Product::MySql,
        version: "9".to_owned(),
        dialect: Dialect::MySql,
        ddl: Ddl::ImplicitCommit,
        grouping: Grouping::Never,
    }
}

fn sqlite() -> Capabilities {
    Capabilities {
        product: Product::Sqlite,
        version: "3".to_owned(),
        dialect: Dialect::Sqlite,
        ddl: Ddl::Transactional,
        grouping: Grouping::UpTo(1_000),
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

/// What the uninterrupted run leaves, and how many calls it makes.
fn uninterrupted(capabilities: &Capabilities, migrations: &Migrations) -> (Vec<String>, usize) {
    let database = SimDatabase::new();
    let mut driver = database.connect(capabilities.clone(), Vec::new());
    run(&mut driver, migrations, "whole").expect("an uninterrupted deploy");
    let calls = driver.calls();
    drop(driver);
    (database.effects(), calls)
}

/// Every so many first faults meet a second one: all of them with `WINDLASS_TEST_FULL`.
fn sample() -> usize {
    if std::env::var_os("WINDLASS_TEST_FULL").is_some() { 1 } else { 45 }
}

#[derive(Default, Debug)]
struct Totals {
    points: usize,
    blocked: usize,
}

/// After a fault the next deploys must end in the uninterrupted run's state, or block with a true diagnosis.
fn check_after_fault(
    database: &SimDatabase,
    capabilities: &Capabilities,
    migrations: &Migrations,
    whole: &[String],
    told: &str,
) -> bool {
    assert!(!database.is_locked(), "{told}: the lock is left");
    let mut driver = database.connect(capabilities.clone(), Vec::new());
    let result = run(&mut driver, migrations, "next");
    assert!(!driver.is_in_transaction(), "{told}: a transaction is open");
    drop(driver);
    let effects = database.effects();
    match result {
        Ok(()) => {
            assert_eq!(effects, whole, "{told}: the effects differ from the uninterrupted run's");
            assert_eq!(database.remnants(), [""; 0], "{told}: an index that is not valid is left");
            let standing: Vec<_> = database.attempts().into_iter().filter(|a| a.claimed).collect();
            assert_eq!(standing.len(), migrations.len(), "{told}");
            assert!(standing.iter().all(|a| a.state() == State::Applied), "{told}: {standing:#?}");
            assert!(standing.iter().all(|a| a.touched == 0), "{told}: rows of nothing: {standing:#?}");
            false
        }
        Err(DeployError::Blocked(Blocked::InDoubt { attempt, in_flight, .. })) => {
            let before = whole.iter().take_while(|effect| effects.contains(effect)).count();
            assert_eq!(effects, whole[..before], "{told}: blocked, and something ran twice or out of turn");
            assert!(in_flight.first > attempt.completed, "{told}: what completed is not in doubt");
            if let Some(decision) = found(migrations, &attempt.name, in_flight, &effects, whole) {
                decide(database, capabilities, migrations, decision, &attempt.name);
                assert_eq!(database.effects(), whole, "{told}: {decision:?}, and the effects differ");
            }
            true
        }
        Err(DeployError::Blocked(Blocked::Failed { attempt, .. })) => {
            assert!(attempt.error.is_some(), "{told}: failed without the database's words");
            assert_eq!(
                effects,
                whole[..effects.len()],
                "{told}: blocked, and something ran twice or out of turn"
            );
            resume(database, capabilities, migrations, &attempt.name);
            assert_eq!(database.effects(), whole, "{told}: resumed, the effects differ");
            assert_eq!(database.remnants(), [""; 0], "{told}: resumed, an index that is not valid is left");
            true
        }
        Err(error) => panic!("{told}: {error:?}"),
    }
}

/// What a person who looks decides of statements in doubt; `None` where some took effect and some did not.
fn found(
    migrations: &Migrations,
    name: &str,
    in_flight: InFlight,
    effects: &[String],
    whole: &[String],
) -> Option<Resolution> {
    let migration = migrations.get(name).expect("a migration");
    let statements = migration.statements(Dialect::MySql).expect("statements");
    let doubted = &statements[in_flight.first as usize - 1..in_flight.last as usize];
    let texts: Vec<_> = doubted.iter().map(|statement| statement.text(migration.up().text())).collect();
    let among = |effects: &[String]| effects.iter().filter(|e| texts.contains(&e.as_str())).count();
    match (among(effects), among(whole)) {
        (0, _) => Some(Resolution::Resume),
        (done, all) if done == all => Some(Resolution::TookEffect),
        _ => None,
    }
}

/// What was refused is tried again, once a person says so.
fn resume(database: &SimDatabase, capabilities: &Capabilities, migrations: &Migrations, name: &str) {
    decide(database, capabilities, migrations, Resolution::Resume, name);
}

fn decide(
    database: &SimDatabase,
    capabilities: &Capabilities,
    migrations: &Migrations,
    decision: Resolution,
    name: &str,
) {
    let mut driver = database.connect(capabilities.clone(), Vec::new());
    let who = options("person").run;
    ready(resolve(&mut driver, migrations, &who, decision, name, "")).expect("a decision");
    run(&mut driver, migrations, "last").expect("a deploy after the decision");
}

fn every_fault(capabilities: &Capabilities, migrations: &Migrations) -> Totals {
    let (whole, calls) = uninterrupted(capabilities, migrations);
    let mut totals = Totals::default();
    for call in 0..calls {
        for mode in [Mode::Refused, Mode::DiedBefore, Mode::DiedWithin, Mode::DiedAfter] {
            let told = format!("{:?} call {call} {mode:?}", capabilities.product);
            let database = SimDatabase::new();
            let mut driver = database.connect(capabilities.clone(), vec![Fault { call, mode }]);
            let result = run(&mut driver, migrations, "first");
            assert!(!driver.is_in_transaction(), "{told}: a transaction is open");
            let _ = ready(driver.unlock());
            drop(driver);
            if matches!(mode, Mode::DiedBefore | Mode::DiedWithin) && result.is_ok() {
                assert_eq!(call, calls - 1, "{told}: only giving the lock back may fail unnoticed");
            }
            totals.points += 1;
            totals.blocked +=
                usize::from(check_after_fault(&database, capabilities, migrations, &whole, &told));
            if call % sample() == 0 {
                totals.merge(second_faults(capabilities, migrations, &whole, call, mode));
            }
        }
    }
    totals
}

impl Totals {
    /// Prints them, and writes them where the run gathers its totals.
    fn tell(&self, shapes: &str) {
        let Self { points, blocked } = self;
        println!("{shapes}: {self:?}");
        let Some(file) = std::env::var_os("WINDLASS_TEST_TOTALS") else { return };
        let equal = points - blocked;
        let blocked = format!(r#"{{"in doubt, or failed as refused":{blocked}}}"#);
        let line = format!(
            r#"{{"target":"simulated","fault":"{shapes}","points":{points},"equal":{equal},"blocked":{blocked},"wrong":0}}"#
        );
        let file = std::fs::OpenOptions::new().create(true).append(true).open(file);
        // One write, so that lines of tests beside one another do not mix.
        let written =
            file.and_then(|mut file| std::io::Write::write_all(&mut file, format!("{line}\n").as_bytes()));
        written.expect("a file of totals");
    }

    fn merge(&mut self, other: Self) {
        self.points += other.points;
        self.blocked += other.blocked;
    }
}

/// The recovery of a fault meets a fault of its own.
fn second_faults(
    capabilities: &Capabilities,
    migrations: &Migrations,
    whole: &[String],
    call: usize,
    mode: Mode,
) -> Totals {
    let mut totals = Totals::default();
    for second in 0.. {
        let mut calls = 0;
        for second_mode in [Mode::Refused, Mode::DiedBefore, Mode::DiedWithin, Mode::DiedAfter] {
            let told =
                format!("{:?} call {call} {mode:?}, then {second} {second_mode:?}", capabilities.product);
            let database = SimDatabase::new();
            let mut driver = database.connect(capabilities.clone(), vec![Fault { call, mode }]);
            let _ = run(&mut driver, migrations, "first");
            drop(driver);
            let mut driver =
                database.connect(capabilities.clone(), vec![Fault { call: second, mode: second_mode }]);
            let _ = run(&mut driver, migrations, "second");
            calls = driver.calls();
            drop(driver);
            totals.points += 1;
            totals.blocked +=
                usize::from(check_after_fault(&database, capabilities, migrations, whole, &told));
        }
        if second >= calls {
            break;
        }
    }
    totals
}

#[test]
fn every_call_fails_in_turn_where_ddl_is_transactional() {
    let totals = every_fault(&postgres(), &shapes());
    totals.tell("PostgreSQL");
    assert!(totals.points > 1_000, "{totals:?}");
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
    let totals = every_fault(&sqlite(), &shapes);
    totals.tell("SQLite");
    assert!(totals.points > 500, "{totals:?}");
}

#[test]
fn every_call_fails_in_turn_where_ddl_commits_implicitly() {
    let totals = every_fault(&mysql(), &mysql_shapes());
    totals.tell("MySQL");
    assert!(totals.points > 1_000, "{totals:?}");
    assert!(totals.blocked > 0, "a crash around DDL must be seen to block: {totals:?}");
}

fn run_with(
    driver: &mut SimDriver,
    migrations: &Migrations,
    tries: u32,
    observer: &mut dyn Observer,
) -> Result<(), DeployError> {
    let mut options = options("busy");
    options.lock_tries = tries;
    ready(deploy(driver, migrations, &options, observer, &Stop::new())).map(|_| ())
}

/// Whether the call that fails is a statement that may have worked before it waited.
fn may_have_worked(error: &DeployError) -> bool {
    match error {
        DeployError::Statement(failed) => failed.error.message.contains("held by others"),
        DeployError::Contended(contention) => contention.statement.contains("CONCURRENTLY"),
        _ => false,
    }
}

#[test]
fn what_others_hold_is_tried_again_and_nothing_is_done_twice() {
    for (capabilities, migrations) in [(postgres(), shapes()), (mysql(), mysql_shapes())] {
        let (whole, calls) = uninterrupted(&capabilities, &migrations);
        let (mut went_on, mut not) = (0, 0);
        for call in 0..calls {
            let told = format!("{:?} call {call} busy", capabilities.product);
            let database = SimDatabase::new();
            let mut driver = database.connect(capabilities.clone(), vec![Fault { call, mode: Mode::Busy }]);
            let mut seen = Seen::default();
            let result = run_with(&mut driver, &migrations, 3, &mut seen);
            assert!(!driver.is_in_transaction(), "{told}: a transaction is open");
            let _ = ready(driver.unlock());
            drop(driver);
            match result {
                Ok(()) if seen.contended == 1 => {
                    went_on += 1;
                    assert_eq!(database.effects(), whole, "{told}");
                }
                Ok(()) => assert_eq!(call, calls - 1, "{told}: only giving the lock back may fail unnoticed"),
                // What reads the history waits for nobody.
                Err(DeployError::Driver(_)) => {}
                Err(error) => {
                    assert!(may_have_worked(&error), "{told}: {error:?}");
                    not += 1;
                }
            }
            check_after_fault(&database, &capabilities, &migrations, &whole, &told);
        }
        assert!(went_on > 20 && not < went_on / 4, "{:?}: {went_on} {not}", capabilities.product);
    }
}

#[test]
fn tries_that_are_used_up_block_no_later_deploy() {
    for (capabilities, migrations) in [(postgres(), shapes()), (mysql(), mysql_shapes())] {
        let (whole, calls) = uninterrupted(&capabilities, &migrations);
        let mut given_up = 0;
        for call in 0..calls {
            let told = format!("{:?} call {call} busy through all tries", capabilities.product);
            let database = SimDatabase::new();
            let mut driver = database.connect(capabilities.clone(), vec![Fault { call, mode: Mode::Busy }]);
            let result = run_with(&mut driver, &migrations, 1, &mut Silent);
            assert!(!driver.is_in_transaction(), "{told}: a transaction is open");
            let _ = ready(driver.unlock());
            drop(driver);
            if let Err(DeployError::Contended(contention)) = result {
                given_up += 1;
                assert_eq!(
                    (contention.tries, contention.holder.session.as_deref()),
                    (1, Some("7")),
                    "{told}"
                );
                assert!(database.attempts().iter().all(|attempt| attempt.error.is_none()), "{told}");
                let is_doubtful = is_doubtful(&database);
                let blocked = check_after_fault(&database, &capabilities, &migrations, &whole, &told);
                let own_write = contention.number == 0 || !contention.statement.is_empty();
                assert!(own_write && !blocked || is_doubtful, "{told}: the next deploy is blocked");
            }
        }
        assert!(given_up > 20, "{:?}: {given_up}", capabilities.product);
    }
}

/// A checkpoint that could not be written leaves what ran before it in doubt where no look tells.
fn is_doubtful(database: &SimDatabase) -> bool {
    database.attempts().iter().any(|attempt| attempt.in_flight.is_some())
}

#[test]
fn pauses_follow_one_another_until_the_tries_are_used_up() {
    let one = migrations(&[("1_a.sql", "ALTER TABLE a ADD n int")]);
    let (_, calls) = uninterrupted(&postgres(), &one);
    let database = SimDatabase::new();
    let faults = (0..calls * 9).filter(|call| *call >= 3).map(|call| Fault { call, mode: Mode::Busy });
    let mut driver = database.connect(postgres(), faults.collect());
    let mut seen = Seen::default();
    let result = run_with(&mut driver, &one, 4, &mut seen);
    let Err(DeployError::Contended(contention)) = result else { panic!("{result:?}") };
    assert_eq!((contention.tries, contention.of_tries, seen.contended), (4, 4, 3));
    assert_eq!(contention.statement, "ALTER TABLE a ADD n int");
    assert_eq!(database.attempts(), []);
}

#[derive(Default)]
struct Seen {
    contended: usize,
}

impl Observer for Seen {
    fn event(&mut self, event: Event<'_>) {
        if let Event::Contended { contention, .. } = event {
            self.contended += 1;
            assert_eq!(contention.holder.session.as_deref(), Some("7"));
        }
    }
}

#[test]
fn what_never_ends_is_stopped_at_twice_the_rows_that_were_there() {
    let endless = "CREATE TABLE a (n int);\n-- windlass: repeat\nUPDATE a SET r = 1 WHERE n < 999;";
    let mended =
        "CREATE TABLE a (n int);\n-- windlass: repeat at most 60 rows\nUPDATE a SET r = 1 WHERE n < 30;";
    let database = SimDatabase::new();
    let mut driver = database.connect(postgres(), Vec::new());
    let stopped = run(&mut driver, &migrations(&[("1_a.sql", endless)]), "first");
    let Err(DeployError::Statement(failed)) = stopped else { panic!("{stopped:?}") };
    assert_eq!((failed.touched, failed.number, failed.recorded), (21, 2, true));
    assert!(failed.error.message.contains("twice the 10 rows"), "{failed:?}");
    assert!(failed.hint().contains("repeat at most 42 rows"), "{}", failed.hint());
    drop(driver);
    let mut driver = database.connect(postgres(), Vec::new());
    let blocked = run(&mut driver, &migrations(&[("1_a.sql", endless)]), "second");
    let Err(DeployError::Blocked(Blocked::Failed { attempt, .. })) = blocked else { panic!("{blocked:?}") };
    assert_eq!((attempt.completed, attempt.touched, attempt.row_limit), (1, 21, Some(20)));
    run(&mut driver, &migrations(&[("1_a.sql", mended)]), "third").expect("mended, it goes on");
    assert_eq!(database.effects().iter().filter(|effect| effect.contains("n < 30")).count(), 30);
}

#[test]
fn a_goal_counts_the_rows_of_earlier_runs_too() {
    let goal = "-- windlass: repeat until 5 rows\nUPDATE a SET r = 1 WHERE n < 9;";
    let set = migrations(&[("1_a.sql", goal)]);
    for (call, done) in [(15, 2), (usize::MAX, 5)] {
        let database = SimDatabase::new();
        let mut driver = database.connect(postgres(), vec![Fault { call, mode: Mode::DiedBefore }]);
        assert_eq!(run(&mut driver, &set, "first").is_ok(), done == 5);
        assert_eq!(database.effects().len(), done, "{call}");
        drop(driver);
        run(&mut database.connect(postgres(), Vec::new()), &set, "second").expect("it goes on");
        assert_eq!(database.effects().len(), 5, "{call}");
    }
}

#[test]
fn a_goal_is_met_exactly_wherever_a_run_is_cut_off() {
    let goal = "-- windlass: repeat until 5 rows\nUPDATE a SET r = 1 WHERE n < 9;";
    let set = migrations(&[("1_a.sql", goal)]);
    let calls = uninterrupted(&postgres(), &set).1;
    for (call, mode) in
        (0..calls).flat_map(|call| [Mode::DiedBefore, Mode::DiedAfter].map(|mode| (call, mode)))
    {
        let database = SimDatabase::new();
        let _ = run(&mut database.connect(postgres(), vec![Fault { call, mode }]), &set, "first");
        run(&mut database.connect(postgres(), Vec::new()), &set, "second").expect("it goes on");
        assert_eq!(database.effects().len(), 5, "call {call} {mode:?}");
    }
}

fn repeated_shapes() -> Migrations {
    migrations(&[
        (
            "1_first.sql",
            "-- windlass: repeat\nUPDATE a SET r = 1 WHERE n < 3 LIMIT 1;\nALTER TABLE a ADD r int;\n\
             -- windlass: repeat pause 1s\nDELETE FROM b WHERE n < 2;",
        ),
        (
            "2_data.sql",
            "INSERT INTO a VALUES (1);\n-- windlass: repeat\nUPDATE c SET r = 1 WHERE n < 2 ;\nINSERT INTO b VALUES (2);",
        ),
    ])
}

#[test]
fn every_call_fails_in_turn_in_a_repeated_statement() {
    let shapes = repeated_shapes();
    for capabilities in [postgres(), mysql(), sqlite()] {
        let whole = uninterrupted(&capabilities, &shapes).0;
        assert_eq!(whole.len(), 3 + 1 + 2 + 1 + 2 + 1, "{whole:?}");
        let totals = every_fault(&capabilities, &shapes);
        totals.tell(&format!("{}, repeated", capabilities.product));
        assert!(totals.points > 300, "{totals:?}");
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
    assert_eq!(database.effects(), uninterrupted(&postgres(), &shapes()).0);
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
