//! The driver's contract, step by step, on real servers.

use crate::support::proxy::Proxy;
use crate::support::{Diary, checkpoint, checksums, claim, execute, flight, migration, on_each, record, run};
use mysql_async::prelude::Queryable as _;
use windlass_core::driver::{Access, Cause, Contents, Driver, Head, Lock, NoWatch, Product};
use windlass_core::history::{AttemptKind, Liveness, State};
use windlass_core::plan::{Claim, Resolve, ResolveInto, Step, WaitLimit};
use windlass_core::sql::classify::ObjectName;
use windlass_mysql::{Nothing, Options, connect, create_database};

#[test]
#[ignore = "needs servers: cargo xtask test"]
fn an_empty_database_has_no_history() {
    on_each(async |scratch| {
        let mut driver = scratch.driver().await;
        assert_eq!(driver.head().await.unwrap(), Head::None);
        let inspection = driver.inspect().await.unwrap();
        assert!(!inspection.history.exists);
        assert_eq!(inspection.contents, Contents::Empty);
        assert_eq!(inspection.access, Access::Writable);
        let product = if scratch.is_maria { Product::MariaDb } else { Product::MySql };
        assert_eq!(driver.capabilities().product, product);
        driver.perform(&run("a"), &[Step::CreateHistory, Step::CreateHistory], &mut NoWatch).await.unwrap();
        assert_eq!(driver.head().await.unwrap(), Head::None);
        let inspection = driver.inspect().await.unwrap();
        assert!(inspection.history.exists && inspection.history.attempts.is_empty());
        assert_eq!(inspection.contents, Contents::Empty);
    });
}

#[test]
#[ignore = "needs servers: cargo xtask test"]
fn messages_are_as_few_as_can_be() {
    on_each(async |scratch| {
        let (before, rest) = scratch.url.rsplit_once(':').unwrap();
        let (port, path) = rest.split_once('/').unwrap();
        let proxy = Proxy::before(port.parse().unwrap()).await;
        let url = format!("{before}:{}/{path}", proxy.port);
        let options = windlass_mysql::Options::parse_with(&url, &windlass_mysql::Nothing).unwrap();
        let mut driver = connect(&options).await.unwrap();
        assert_eq!(proxy.commands(), 0, "connecting asks nothing");
        driver.head().await.unwrap();
        assert_eq!(proxy.commands(), 1, "head");
        driver.inspect().await.unwrap();
        assert_eq!(proxy.commands(), 1, "inspect");
        driver.try_lock().await.unwrap();
        assert_eq!(proxy.commands(), 1, "lock");

        let one = migration("1_one");
        let steps = [
            Step::CreateHistory,
            Step::Claim(vec![claim("1_one", Some((1, 1)))]),
            execute(&one, 1, "CREATE TABLE one (id int)"),
            record("1_one"),
        ];
        driver.perform(&run("a"), &steps, &mut NoWatch).await.unwrap();
        assert_eq!(proxy.commands(), 1, "a migration of one statement");

        let watched: Vec<ObjectName> = vec![ObjectName { schema: None, name: "one".to_owned() }];
        let steps = [
            Step::Claim(vec![Claim { watched: watched.clone(), ..claim("0_looks", Some((1, 1))) }]),
            execute(&one, 1, "ALTER TABLE one ADD COLUMN two int"),
            Step::Checkpoint {
                name: "0_looks",
                epoch: 1,
                completed: 1,
                prefix: "p".to_owned(),
                in_flight: flight(Some((2, 2))),
                watched,
            },
            execute(&one, 2, "ALTER TABLE one DROP COLUMN two"),
            record("0_looks"),
        ];
        driver.perform(&run("a"), &steps, &mut NoWatch).await.unwrap();
        assert_eq!(proxy.commands(), 2, "two statements, and looks at what they name");

        let two = migration("2_two");
        let steps = [
            Step::Begin,
            Step::Claim(vec![claim("2_two", None)]),
            execute(&two, 1, "INSERT INTO one VALUES (1)"),
            execute(&two, 2, "INSERT INTO one VALUES (2)"),
            record("2_two"),
            Step::Commit,
        ];
        driver.perform(&run("a"), &steps, &mut NoWatch).await.unwrap();
        assert_eq!(proxy.commands(), 1, "a transaction");

        let steps = [
            Step::Claim(vec![claim("2_bound", Some((1, 1)))]),
            execute(&two, 1, "SET SESSION TRANSACTION READ ONLY"),
            record("2_bound"),
            Step::RestoreSettings,
        ];
        driver.perform(&run("a"), &steps, &mut NoWatch).await.unwrap();
        assert_eq!(
            proxy.commands(),
            3,
            "a setting that our own write has to do without, and a session as new"
        );

        let three = migration("3_three");
        let steps = [
            Step::Claim(vec![claim("3_three", Some((1, 1)))]),
            execute(&three, 1, "CREATE TABLE a (id int)"),
            checkpoint("3_three", 1, 1, Some((2, 2))),
            execute(&three, 2, "CREATE TABLE b (id int)"),
            checkpoint("3_three", 1, 2, Some((3, 3))),
            execute(&three, 3, "CREATE TABLE c (id int)"),
            record("3_three"),
        ];
        driver.perform(&run("a"), &steps, &mut NoWatch).await.unwrap();
        assert_eq!(proxy.commands(), 3, "one message a statement, so that a stop is heard between them");
    });
}

#[test]
#[ignore = "needs servers: cargo xtask test"]
fn a_row_is_read_back_as_it_was_written() {
    on_each(async |scratch| {
        let mut driver = scratch.driver().await;
        let odd = "2_it's \\ \"ödd\" `x`";
        let steps = [
            Step::CreateHistory,
            Step::Claim(vec![
                claim("1_one", Some((1, 2))),
                Claim { kind: AttemptKind::Baseline, ..claim(odd, None) },
            ]),
            checkpoint("1_one", 1, 2, Some((3, 3))),
        ];
        driver.perform(&run("me"), &steps, &mut NoWatch).await.unwrap();
        let rows = driver.inspect().await.unwrap().history.attempts;
        let row = &rows[0];
        assert_eq!(
            (row.kind, row.name.as_str(), &row.checksums),
            (AttemptKind::Apply, "1_one", &checksums('a'))
        );
        assert_eq!((row.claimed, row.owner.as_str(), row.epoch), (true, "me", 1));
        assert_eq!((row.statements, row.completed, row.in_flight), (3, 2, flight(Some((3, 3)))));
        assert_eq!((row.prefix.as_deref(), row.digest.as_str()), (Some("p"), ""));
        assert_eq!((row.applied_by.as_str(), row.tool.as_str()), ("mia@host", "0.1.0"));
        assert_eq!(row.state(), State::Running);
        assert_eq!(row.owner_session, Liveness::Alive);
        assert_eq!(row.started_at.len(), "2026-01-31 12:00:00.123456".len());
        assert_eq!((rows[1].kind, rows[1].name.as_str()), (AttemptKind::Baseline, odd));
        let checksum = scratch.raw("SELECT checksum FROM _windlass_migrations WHERE id = 1").await;
        assert_eq!(checksum, ["a".repeat(64)], "a column of the same name on every database");
        assert_eq!(driver.head().await.unwrap(), Head::Newest { format: 1, digest: String::new() });

        driver.perform(&run("me"), &[record("1_one")], &mut NoWatch).await.unwrap();
        let row = &driver.inspect().await.unwrap().history.attempts[0];
        assert_eq!((row.state(), row.completed, row.in_flight), (State::Applied, 3, None));
        assert_eq!(row.digest, "d".repeat(64));
        assert!(row.duration_ms.is_some());
    });
}

#[test]
#[ignore = "needs servers: cargo xtask test"]
fn a_taken_claim_stops_the_message_before_the_statement() {
    on_each(async |scratch| {
        let (mut first, mut second) = (scratch.driver().await, scratch.driver().await);
        let steps = [Step::CreateHistory, Step::Claim(vec![claim("1_one", None)])];
        first.perform(&run("a"), &steps, &mut NoWatch).await.unwrap();
        let one = migration("1_one");
        let steps = [
            Step::Claim(vec![claim("1_one", Some((1, 1)))]),
            execute(&one, 1, "CREATE TABLE never (id int)"),
            record("1_one"),
        ];
        let failure = second.perform(&run("b"), &steps, &mut NoWatch).await.unwrap_err();
        assert!(matches!(failure.cause, Cause::ClaimTaken), "{failure:?}");
        assert_eq!(failure.step, 0);
        assert!(scratch.tables().await.is_empty());
    });
}

#[test]
#[ignore = "needs servers: cargo xtask test"]
fn a_fenced_checkpoint_stops_the_message_before_the_statement() {
    on_each(async |scratch| {
        let mut driver = scratch.driver().await;
        let one = migration("1_one");
        let steps = [Step::CreateHistory, Step::Claim(vec![claim("1_one", None)])];
        driver.perform(&run("a"), &steps, &mut NoWatch).await.unwrap();
        let late = execute(&one, 2, "CREATE TABLE never (id int)");
        for (owner, steps) in [
            ("b", [checkpoint("1_one", 1, 1, None), late.clone()]),
            ("a", [checkpoint("1_one", 2, 1, None), late.clone()]),
            ("b", [record("1_one"), late.clone()]),
        ] {
            let failure = driver.perform(&run(owner), &steps, &mut NoWatch).await.unwrap_err();
            assert!(matches!(failure.cause, Cause::Fenced), "{failure:?}");
            assert_eq!(failure.step, 0);
        }
        assert!(scratch.tables().await.is_empty());
        // The same checkpoint twice changes nothing of what it says, and is no fence.
        let same = [checkpoint("1_one", 1, 1, None), checkpoint("1_one", 1, 1, None)];
        driver.perform(&run("a"), &same, &mut NoWatch).await.unwrap();
    });
}

#[test]
#[ignore = "needs servers: cargo xtask test"]
fn taking_over_fences_the_owner_before() {
    on_each(async |scratch| {
        let mut driver = scratch.driver().await;
        let steps = [Step::CreateHistory, Step::Claim(vec![claim("1_one", Some((1, 1)))])];
        driver.perform(&run("a"), &steps, &mut NoWatch).await.unwrap();
        let take_over = Step::TakeOver {
            name: "1_one",
            from_owner: "a".to_owned(),
            from_epoch: 1,
            checksums: checksums('b'),
            statements: 5,
            completed: 1,
            prefix: "q".to_owned(),
            in_flight: flight(Some((2, 2))),
            watched: Vec::new(),
        };
        driver.perform(&run("b"), std::slice::from_ref(&take_over), &mut NoWatch).await.unwrap();
        let failure = driver.perform(&run("c"), &[take_over], &mut NoWatch).await.unwrap_err();
        assert!(matches!(failure.cause, Cause::Fenced), "{failure:?}");
        let failure = driver.perform(&run("a"), &[record("1_one")], &mut NoWatch).await.unwrap_err();
        assert!(matches!(failure.cause, Cause::Fenced), "{failure:?}");
        let row = driver.inspect().await.unwrap().history.attempts.remove(0);
        assert_eq!((row.owner.as_str(), row.epoch, row.statements), ("b", 2, 5));
        assert_eq!((row.completed, row.prefix.as_deref()), (1, Some("q")));
        assert_eq!((row.checksums, row.in_flight), (checksums('b'), flight(Some((2, 2)))));
    });
}

#[test]
#[ignore = "needs servers: cargo xtask test"]
fn the_failing_step_is_named_and_those_before_it_stand() {
    on_each(async |scratch| {
        let mut driver = scratch.driver().await;
        let one = migration("1_one");
        let steps = [
            Step::CreateHistory,
            Step::Claim(vec![claim("1_one", Some((1, 3)))]),
            execute(&one, 1, "CREATE TABLE one (id int)"),
            execute(&one, 2, "CREATE TABLE two (\n  id int,\n  name varchr(10)\n)"),
            execute(&one, 3, "CREATE TABLE three (id int)"),
            record("1_one"),
        ];
        let mut diary = Diary::default();
        let failure = driver.perform(&run("a"), &steps, &mut diary).await.unwrap_err();
        assert_eq!(failure.step, 3);
        let Cause::Refused(error) = failure.cause else { panic!("{:?}", failure.cause) };
        assert!(
            !error.message.contains("three") && !error.message.contains("_windlass"),
            "{}",
            error.message
        );
        // MariaDB has an error of its own for an unknown type, and tells no line with it.
        if error.code.as_deref() == Some("1064 (42000)") {
            assert_eq!(error.line, Some(3));
            assert_eq!(error.position, Some("CREATE TABLE two (\n  id int,\n  name ".len()));
        } else {
            assert!(scratch.is_maria, "{error:?}");
        }
        assert_eq!(diary.lines.join(" "), "+0 -0 +1 -1 +2 -2 +3");
        assert_eq!(scratch.tables().await, ["one"]);
        assert_eq!(driver.inspect().await.unwrap().history.attempts[0].in_flight, flight(Some((1, 3))));
    });
}

#[test]
#[ignore = "needs servers: cargo xtask test"]
fn statements_that_answer_many_times_do_not_shift_the_count() {
    on_each(async |scratch| {
        let mut driver = scratch.driver().await;
        let one = migration("1_one");
        let steps = [
            Step::CreateHistory,
            Step::Claim(vec![claim("1_one", Some((1, 3)))]),
            execute(&one, 1, "CREATE PROCEDURE p() BEGIN SELECT 1; SELECT 2; SELECT 3; END"),
            execute(&one, 2, "CALL p()"),
            execute(&one, 3, "SELECT 1 UNION SELECT 2"),
            execute(&one, 3, "SELECT (SELECT 1 UNION SELECT 2) FROM information_schema.tables"),
            execute(&one, 3, "CREATE TABLE never (id int)"),
        ];
        let mut diary = Diary::default();
        let failure = driver.perform(&run("a"), &steps, &mut diary).await.unwrap_err();
        assert_eq!(failure.step, 5);
        assert!(matches!(failure.cause, Cause::Refused(_)));
        assert_eq!(diary.lines.join(" "), "+0 -0 +1 -1 +2 -2 +3 -3 +4 -4 +5");
        assert!(scratch.tables().await.is_empty());
        driver.head().await.unwrap();
    });
}

#[test]
#[ignore = "needs servers: cargo xtask test"]
fn a_transaction_is_all_or_nothing() {
    on_each(async |scratch| {
        scratch.raw("CREATE TABLE t (id int PRIMARY KEY)").await;
        let mut driver = scratch.driver().await;
        driver.perform(&run("a"), &[Step::CreateHistory], &mut NoWatch).await.unwrap();
        let one = migration("1_one");
        let insert = |sql| execute(&one, 1, sql);
        let steps = |last: &'static str| {
            vec![
                Step::Begin,
                Step::Claim(vec![claim("1_one", None)]),
                insert("INSERT INTO t VALUES (1)"),
                insert("INSERT INTO t VALUES (2) /* ; */"),
                insert(last),
                record("1_one"),
                Step::Commit,
            ]
        };
        let failure =
            driver.perform(&run("a"), &steps("INSERT INTO t VALUES (1)"), &mut NoWatch).await.unwrap_err();
        assert_eq!(failure.step, 4);
        assert!(matches!(failure.cause, Cause::Refused(_)), "a migration's own duplicate key is no claim");
        assert_eq!(scratch.raw("SELECT count(*) FROM t").await, ["0"]);
        assert!(driver.inspect().await.unwrap().history.attempts.is_empty());

        let mut diary = Diary { stop_after: Some(4), ..Diary::default() };
        let failure =
            driver.perform(&run("a"), &steps("INSERT INTO t VALUES (3)"), &mut diary).await.unwrap_err();
        assert!(matches!(failure.cause, Cause::Stopped), "{failure:?}");
        assert_eq!(scratch.raw("SELECT count(*) FROM t").await, ["0"]);

        driver.perform(&run("a"), &steps("INSERT INTO t VALUES (3)"), &mut NoWatch).await.unwrap();
        assert_eq!(scratch.raw("SELECT count(*) FROM t").await, ["3"]);
    });
}

#[test]
#[ignore = "needs servers: cargo xtask test"]
fn a_stop_is_heard_where_everything_done_is_written_down() {
    on_each(async |scratch| {
        let mut driver = scratch.driver().await;
        let one = migration("1_one");
        let steps = [
            Step::CreateHistory,
            Step::Claim(vec![claim("1_one", Some((1, 1)))]),
            execute(&one, 1, "CREATE TABLE one (id int)"),
            checkpoint("1_one", 1, 1, Some((2, 2))),
            execute(&one, 2, "CREATE TABLE two (id int)"),
            record("1_one"),
        ];
        let mut diary = Diary { stop_after: Some(1), ..Diary::default() };
        let failure = driver.perform(&run("a"), &steps, &mut diary).await.unwrap_err();
        assert!(matches!(failure.cause, Cause::Stopped), "{failure:?}");
        assert_eq!(failure.step, 4);
        assert_eq!(driver.inspect().await.unwrap().history.attempts[0].completed, 1);
        assert_eq!(scratch.tables().await, ["one"]);

        // A statement that nothing may follow: the message after it begins with the checkpoint.
        let steps = [
            execute(&one, 2, "DO SLEEP(0)"),
            checkpoint("1_one", 1, 2, Some((3, 3))),
            execute(&one, 3, "CREATE TABLE three (id int)"),
            record("1_one"),
        ];
        let mut diary = Diary { stop_after: Some(1), ..Diary::default() };
        let failure = driver.perform(&run("a"), &steps, &mut diary).await.unwrap_err();
        assert!(matches!(failure.cause, Cause::Stopped), "{failure:?}");
        assert_eq!((failure.step, diary.lines.join(" ").as_str()), (2, "+0 -0 +1 -1"));
        assert_eq!(driver.inspect().await.unwrap().history.attempts[0].completed, 2);
        assert_eq!(scratch.tables().await, ["one"]);

        // Several statements in one unit: nowhere in it is all written down, and it is done to its end.
        let steps = [
            checkpoint("1_one", 1, 2, Some((3, 4))),
            execute(&one, 3, "DO SLEEP(0)"),
            execute(&one, 4, "CREATE TABLE four (id int)"),
            checkpoint("1_one", 1, 4, Some((5, 5))),
            execute(&one, 5, "CREATE TABLE five (id int)"),
        ];
        let mut diary = Diary { stop_after: Some(2), ..Diary::default() };
        let failure = driver.perform(&run("a"), &steps, &mut diary).await.unwrap_err();
        assert!(matches!(failure.cause, Cause::Stopped), "{failure:?}");
        assert_eq!(failure.step, 4);
        assert_eq!(driver.inspect().await.unwrap().history.attempts[0].completed, 4);
        assert_eq!(scratch.tables().await, ["four", "one"]);
    });
}

#[test]
#[ignore = "needs servers: cargo xtask test"]
fn what_a_migration_sets_reaches_neither_the_history_nor_the_next_one() {
    on_each(async |scratch| {
        let mut driver = scratch.driver().await;
        let one = migration("1_one");
        let fail = Step::Fail {
            name: "1_one",
            epoch: 1,
            completed: 2,
            prefix: "p".to_owned(),
            in_flight: None,
            error: "a \\ backslash, \"quoted\"".to_owned(),
            rolled_back: None,
        };
        let steps = [
            Step::CreateHistory,
            Step::Claim(vec![claim("1_one", None)]),
            execute(&one, 1, "SET NAMES latin1"),
            execute(
                &one,
                1,
                "SET SESSION sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES', foreign_key_checks = 0",
            ),
            execute(&one, 2, "CREATE TABLE \"quoted\" (id int DEFAULT 1, note varchar(9) DEFAULT '\\')"),
            execute(&one, 2, "SET autocommit = 0"),
            execute(&one, 2, "INSERT INTO quoted (id) VALUES (1)"),
            execute(&one, 2, "USE information_schema"),
            fail,
        ];
        driver.perform(&run("a"), &steps, &mut NoWatch).await.unwrap();
        // Durable although the migration turned autocommit off.
        let other = scratch.driver().await.inspect().await.unwrap().history.attempts.remove(0);
        assert_eq!(other.error.as_deref(), Some("a \\ backslash, \"quoted\""));
        let lock = format!("LOCK TABLES {}.quoted READ", scratch.name);
        let steps = [
            execute(&one, 3, "START TRANSACTION"),
            execute(&one, 3, &lock),
            Step::RestoreSettings,
            execute(
                &one,
                3,
                "CREATE TABLE after_all AS SELECT @@foreign_key_checks AS fine, \
                              @@character_set_client AS charset, 'a\\'b' AS text",
            ),
        ];
        driver.perform(&run("a"), &steps, &mut NoWatch).await.unwrap();
        assert_eq!(scratch.raw("SELECT CONCAT(fine, charset, text) FROM after_all").await, ["1utf8mb4a'b"]);
    });
}

#[test]
#[ignore = "needs servers: cargo xtask test"]
fn a_repeatable_migration_gives_its_claim_to_the_next_run() {
    on_each(async |scratch| {
        let (mut first, mut second) = (scratch.driver().await, scratch.driver().await);
        let again = |digit| Claim {
            kind: AttemptKind::Repeatable,
            checksums: checksums(digit),
            supersedes: true,
            ..claim("R__views", None)
        };
        let steps = [Step::CreateHistory, Step::Claim(vec![again('a')]), record("R__views")];
        first.perform(&run("a"), &steps, &mut NoWatch).await.unwrap();
        first.perform(&run("b"), &[Step::Claim(vec![again('b')])], &mut NoWatch).await.unwrap();
        // While it runs, and once it stands with the very same text, another deployer only meets it.
        let met =
            second.perform(&run("c"), &[Step::Claim(vec![again('b')])], &mut NoWatch).await.unwrap_err();
        assert!(matches!(met.cause, Cause::ClaimTaken), "{met:?}");
        let met =
            second.perform(&run("c"), &[Step::Claim(vec![again('c')])], &mut NoWatch).await.unwrap_err();
        assert!(matches!(met.cause, Cause::ClaimTaken), "{met:?}");
        first.perform(&run("b"), &[record("R__views")], &mut NoWatch).await.unwrap();
        let met =
            second.perform(&run("c"), &[Step::Claim(vec![again('b')])], &mut NoWatch).await.unwrap_err();
        assert!(matches!(met.cause, Cause::ClaimTaken), "{met:?}");
        let rows = second.inspect().await.unwrap().history.attempts;
        assert_eq!(rows.iter().map(|row| row.claimed).collect::<Vec<_>>(), [false, true]);
    });
}

#[test]
#[ignore = "needs servers: cargo xtask test"]
fn failures_and_decisions_are_written() {
    on_each(async |scratch| {
        let mut driver = scratch.driver().await;
        let fail = |name: &'static str, rolled_back: Option<String>| Step::Fail {
            name,
            epoch: 1,
            completed: 1,
            prefix: "p".to_owned(),
            in_flight: None,
            error: "no".to_owned(),
            rolled_back,
        };
        let steps = [
            Step::CreateHistory,
            Step::Claim(vec![claim("1_a", None), claim("2_b", None), claim("3_c", None)]),
            fail("1_a", Some("e".repeat(64))),
            fail("2_b", None),
            Step::RecordFailure {
                claim: claim("4_d", None),
                error: "never".to_owned(),
                digest: "f".repeat(64),
            },
        ];
        driver.perform(&run("a"), &steps, &mut NoWatch).await.unwrap();
        let rows = driver.inspect().await.unwrap().history.attempts;
        let states: Vec<State> = rows.iter().map(windlass_core::history::Attempt::state).collect();
        assert_eq!(states, [State::RolledBack, State::Failed, State::Running, State::RolledBack]);
        assert_eq!((rows[0].claimed, rows[0].digest.as_str()), (false, "e".repeat(64).as_str()));
        assert_eq!((rows[3].claimed, rows[3].error.as_deref()), (false, Some("never")));

        let resolve = |into| Resolve {
            id: rows[1].id,
            from_owner: "a".to_owned(),
            from_epoch: 1,
            into,
            resolution: "applied: by hand".to_owned(),
            digest: "9".repeat(64),
            newest: rows[3].id,
        };
        let steps = [Step::Begin, Step::Resolve(resolve(ResolveInto::Applied)), Step::Commit];
        driver.perform(&run("b"), &steps, &mut NoWatch).await.unwrap();
        let failure = driver.perform(&run("b"), &steps, &mut NoWatch).await.unwrap_err();
        assert!(matches!(failure.cause, Cause::Fenced), "a decision upon a row that is no longer as read");
        let after = driver.inspect().await.unwrap().history.attempts;
        assert_eq!((after[1].state(), after[1].error.as_deref()), (State::Applied, None));
        let resolution = after[1].resolution.as_deref().unwrap_or_default();
        assert!(
            resolution.starts_with("applied: by hand (by ") && resolution.ends_with("Z)"),
            "{resolution}"
        );
        assert_eq!(driver.head().await.unwrap(), Head::Newest { format: 1, digest: "9".repeat(64) });
    });
}

#[test]
#[ignore = "needs servers: cargo xtask test"]
fn an_owner_is_alive_until_its_session_is_gone() {
    on_each(async |scratch| {
        let (mut owner, mut other) = (scratch.driver().await, scratch.driver().await);
        let steps = [Step::CreateHistory, Step::Claim(vec![claim("1_one", Some((1, 1)))])];
        owner.perform(&run("a"), &steps, &mut NoWatch).await.unwrap();
        let seen = other.inspect().await.unwrap().history.attempts.remove(0);
        assert_eq!((seen.owner_session, seen.state()), (Liveness::Alive, State::Running));

        let session = scratch.raw("SELECT session FROM _windlass_migrations").await.remove(0);
        let (_, rest) = session.split_once('/').unwrap();
        scratch.kill_owner().await;
        let lost = owner.perform(&run("a"), &[record("1_one")], &mut NoWatch).await.unwrap_err();
        assert!(matches!(lost.cause, Cause::Lost(_)), "{lost:?}");
        let seen = other.inspect().await.unwrap().history.attempts.remove(0);
        assert_eq!((seen.owner_session, seen.state()), (Liveness::Gone, State::Interrupted));

        // The number of a session that lives.
        let own = scratch.raw("SELECT CONNECTION_ID()").await.remove(0);
        let mut pretend = async |session: String| {
            scratch.raw(&format!("UPDATE _windlass_migrations SET session = '{session}'")).await;
            other.inspect().await.unwrap().history.attempts.remove(0).owner_session
        };
        let (started, server) = rest.split_once('/').unwrap();
        assert_eq!(pretend(format!("{own}/1/{server}")).await, Liveness::Gone, "{started}: before a restart");
        assert_eq!(pretend(format!("{own}/{started}/elsewhere/root@%")).await, Liveness::Unknown);
        assert_eq!(pretend(format!("{own}/{started}/{server}")).await, Liveness::Alive);
        assert_eq!(pretend("nonsense".to_owned()).await, Liveness::Unknown);
    });
}

#[test]
#[ignore = "needs servers: cargo xtask test"]
fn the_lock_is_held_by_one_session_and_freed_with_it() {
    on_each(async |scratch| {
        let (mut first, mut second) = (scratch.driver().await, scratch.driver().await);
        assert_eq!(first.try_lock().await.unwrap(), Lock::Acquired);
        let Lock::Held(holder) = second.try_lock().await.unwrap() else { panic!("two hold the lock") };
        assert!(holder.session.is_some() && holder.since.is_some(), "{holder:?}");
        assert!(holder.who.unwrap().starts_with("user root from "));
        first.unlock().await.unwrap();
        assert_eq!(second.try_lock().await.unwrap(), Lock::Acquired);
        let id = scratch
            .raw(&format!(
                "SELECT IS_USED_LOCK(CONCAT('windlass_', LEFT(SHA2('{}', 256), 48)))",
                scratch.name
            ))
            .await;
        scratch.raw(&format!("KILL {}", id[0])).await;
        drop(second);
        let mut tries = 0;
        while first.try_lock().await.unwrap() != Lock::Acquired {
            tries += 1;
            assert!(tries < 100, "the lock outlives its session");
            first.sleep(std::time::Duration::from_millis(50)).await;
        }
    });
}

#[test]
#[ignore = "needs servers: cargo xtask test"]
fn a_lock_is_of_one_database_however_long_its_name() {
    on_each(async |scratch| {
        // The longest that there are, alike but for their last letter.
        let names = ["a", "b"].map(|last| format!("{:x<63}{last}", format!("{}_", scratch.name)));
        let mut drivers = Vec::new();
        for name in &names {
            let options = Options::parse_with(&scratch.url.replace(&scratch.name, name), &Nothing).unwrap();
            create_database(&options).await.unwrap();
            drivers.push((connect(&options).await.unwrap(), connect(&options).await.unwrap()));
        }
        for (first, second) in &mut drivers {
            assert_eq!(first.try_lock().await.unwrap(), Lock::Acquired);
            assert!(matches!(second.try_lock().await.unwrap(), Lock::Held(_)));
        }
        for (first, second) in &mut drivers {
            first.unlock().await.unwrap();
            assert_eq!(second.try_lock().await.unwrap(), Lock::Acquired);
        }
        drop(drivers);
        for name in names {
            scratch.raw(&format!("DROP DATABASE {name}")).await;
        }
        // What the answer is read for.
        if scratch.is_maria {
            assert_eq!(scratch.raw("SELECT GET_LOCK('of nobody', -1)").await, ["NULL"]);
        }
        let long = format!("SELECT GET_LOCK('{}', 0)", "x".repeat(65));
        assert_eq!(scratch.is_refused(&long).await, !scratch.is_maria);
    });
}

#[test]
#[ignore = "needs servers: cargo xtask test"]
fn what_others_run_is_read_whatever_its_letters() {
    on_each(async |scratch| {
        let mut busy =
            mysql_async::Conn::new(mysql_async::Opts::from_url(&scratch.url).unwrap()).await.unwrap();
        let id = busy.id();
        let running = tokio::spawn(async move { busy.query_drop("SELECT SLEEP(60), '🍪'").await });
        while scratch
            .raw(&format!("SELECT id FROM {} WHERE id = {id} AND state = 'User sleep'", scratch.sessions()))
            .await
            .is_empty()
        {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        let (mut owner, mut other) = (scratch.driver().await, scratch.driver().await);
        assert_eq!(owner.try_lock().await.unwrap(), Lock::Acquired);
        let Lock::Held(holder) = other.try_lock().await.unwrap() else { panic!("two hold the lock") };
        assert!(holder.who.is_some_and(|who| who.starts_with("user root from ")));
        let steps = [Step::CreateHistory, Step::Claim(vec![claim("1_one", Some((1, 1)))])];
        owner.perform(&run("a"), &steps, &mut NoWatch).await.unwrap();
        let seen = other.inspect().await.unwrap().history.attempts.remove(0);
        assert_eq!(seen.owner_session, Liveness::Alive);

        // Who holds what a statement waits for runs that text, too.
        scratch.raw("CREATE TABLE held (n int)").await;
        scratch.raw(&format!("KILL QUERY {id}")).await;
        running.await.unwrap().ok();
        let mut holding =
            mysql_async::Conn::new(mysql_async::Opts::from_url(&scratch.url).unwrap()).await.unwrap();
        let id = holding.id();
        let running = tokio::spawn(async move {
            holding.query_drop("BEGIN").await.unwrap();
            holding.query_drop("INSERT INTO held VALUES (1)").await.unwrap();
            holding.query_drop("SELECT SLEEP(60), '🍪'").await
        });
        while scratch
            .raw(&format!("SELECT id FROM {} WHERE id = {id} AND state = 'User sleep'", scratch.sessions()))
            .await
            .is_empty()
        {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        let one = migration("1_one");
        let alter = [
            Step::LimitWaits(WaitLimit::Locks(std::time::Duration::from_secs(1))),
            execute(&one, 1, "ALTER TABLE held ADD m int"),
        ];
        let failure = owner.perform(&run("a"), &alter, &mut NoWatch).await.unwrap_err();
        let Cause::Busy(holder) = failure.cause else { panic!("{failure:?}") };
        assert_eq!(holder.session, Some(id.to_string()), "{holder:?}");
        scratch.raw(&format!("KILL {id}")).await;
        running.await.unwrap().ok();
    });
}

#[test]
#[ignore = "needs servers: cargo xtask test"]
fn contents_and_newer_histories_are_told() {
    on_each(async |scratch| {
        scratch.raw("CREATE TABLE users (id int)").await;
        scratch.raw("CREATE FUNCTION one() RETURNS int DETERMINISTIC RETURN 1").await;
        let mut driver = scratch.driver().await;
        let contents = driver.inspect().await.unwrap().contents;
        assert_eq!(contents, Contents::Holds(vec!["users".to_owned(), "one".to_owned()]));
        let steps = [Step::CreateHistory, Step::Claim(vec![claim("1_one", None)])];
        driver.perform(&run("a"), &steps, &mut NoWatch).await.unwrap();
        scratch.raw("UPDATE _windlass_migrations SET format = 99").await;
        let error = driver.inspect().await.unwrap_err().to_string();
        assert!(error.contains("format 99"), "{error}");
        scratch.raw("ALTER TABLE _windlass_migrations DROP COLUMN token_checksum").await;
        let error = driver.inspect().await.unwrap_err().to_string();
        assert!(error.contains("format 99"), "{error}");
    });
}

#[test]
#[ignore = "needs servers: cargo xtask test"]
fn secrets_and_long_statements_are_refused_in_words_that_help() {
    on_each(async |scratch| {
        let mut driver = scratch.driver().await;
        let one = migration("1_one");
        let secret = [execute(&one, 1, "CREATE USER windlass_test_u IDENTIFIED BY 'hunter2' hunter3 'x")];
        let failure = driver.perform(&run("a"), &secret, &mut NoWatch).await.unwrap_err();
        assert!(!format!("{failure:?}").contains("hunter"), "{failure:?}");

        let file = [execute(&one, 1, "LOAD DATA LOCAL INFILE '/etc/hostname' INTO TABLE x")];
        scratch.raw("CREATE TABLE x (t text)").await;
        let failure = driver.perform(&run("a"), &file, &mut NoWatch).await.unwrap_err();
        assert!(matches!(failure.cause, Cause::Refused(_)), "{failure:?}");
        assert_eq!(driver.head().await.unwrap(), Head::None, "the connection is in step");

        let long = format!("INSERT INTO x VALUES ('{}')", "a".repeat(70_000_000));
        let failure = driver.perform(&run("a"), &[execute(&one, 1, &long)], &mut NoWatch).await.unwrap_err();
        let Cause::Refused(error) = failure.cause else { panic!("{:?}", failure.cause) };
        assert!(error.hint.unwrap().contains("max_allowed_packet"));
        let name = "n".repeat(256);
        let failure = driver.perform(&run("a"), &[Step::Claim(vec![claim(&name, None)])], &mut NoWatch).await;
        assert!(matches!(failure.unwrap_err().cause, Cause::Refused(_)));
        driver.head().await.unwrap();
    });
}

#[test]
#[ignore = "needs servers: cargo xtask test"]
fn a_space_at_the_end_makes_another_name() {
    on_each(async |scratch| {
        let mut driver = scratch.driver().await;
        let spaced = Claim { kind: AttemptKind::Repeatable, supersedes: true, ..claim("1_a ", None) };
        let steps = [
            Step::CreateHistory,
            Step::Claim(vec![claim("1_a", None), claim("1_A", None)]),
            record("1_a"),
            Step::Claim(vec![Claim { checksums: checksums('b'), ..spaced }]),
            checkpoint("1_a ", 1, 2, None),
        ];
        driver.perform(&run("a"), &steps, &mut NoWatch).await.unwrap();
        let rows = driver.inspect().await.unwrap().history.attempts;
        let rows: Vec<_> = rows.iter().map(|row| (row.name.as_str(), row.claimed, row.completed)).collect();
        assert_eq!(rows, [("1_a", true, 3), ("1_A", true, 0), ("1_a ", true, 2)]);
    });
}

/// The settings of the session in which the migration's next statement would run.
const SETTINGS: &str = "CREATE TABLE kept AS SELECT @@time_zone AS zone, @@timestamp DIV 1 AS clock";

#[test]
#[ignore = "needs servers: cargo xtask test"]
fn a_clock_that_a_migration_stops_is_not_the_history_s() {
    on_each(async |scratch| {
        scratch.raw("CREATE PROCEDURE stop_clock() SET timestamp = 1").await;
        let one = migration("1_one");
        for (number, stopping) in
            ["SET timestamp = 1", "CALL stop_clock()", "/*!50001 SET timestamp = 1 */"].iter().enumerate()
        {
            let mut driver = scratch.driver().await;
            let steps = [
                Step::CreateHistory,
                Step::Claim(vec![claim("1_one", Some((1, 1)))]),
                execute(&one, 1, "SET time_zone = '+05:30'"),
                execute(&one, 1, stopping),
                checkpoint("1_one", 1, 1, Some((2, 2))),
                execute(&one, 2, SETTINGS),
                record("1_one"),
                Step::RestoreSettings,
                Step::Claim(vec![claim("2_two", None)]),
                execute(&one, 1, stopping),
                Step::Fail {
                    name: "2_two",
                    epoch: 1,
                    completed: 0,
                    prefix: "p".to_owned(),
                    in_flight: None,
                    error: "no".to_owned(),
                    rolled_back: Some("e".repeat(64)),
                },
            ];
            driver.perform(&run("a"), &steps, &mut NoWatch).await.unwrap();
            let kept = scratch.raw("SELECT CONCAT(zone, ' ', clock) FROM kept").await;
            assert_eq!(kept, ["+05:30 1"], "{stopping}: the settings of the migration stand");
            let times = "SELECT COUNT(*) FROM _windlass_migrations WHERE duration_ms < 60000 AND \
                         COALESCE(finished_at, rolled_back_at) BETWEEN started_at AND UTC_TIMESTAMP(6)";
            assert_eq!(scratch.raw(times).await, ["2"], "{number}: {stopping}");
            scratch.raw("DROP TABLE kept").await;
            scratch.raw("DROP TABLE _windlass_migrations").await;
        }
    });
}

#[test]
#[ignore = "needs servers: cargo xtask test"]
fn transactions_that_a_migration_makes_read_only_do_not_hinder_the_history() {
    on_each(async |scratch| {
        let variable = if scratch.is_maria { "tx_read_only" } else { "transaction_read_only" };
        let variable = format!("SET SESSION {variable} = 1");
        let read_only =
            format!("SELECT 1 INTO @kept FROM DUAL WHERE @@{}", &variable[12..variable.len() - 4]);
        let one = migration("1_one");
        for binding in ["SET SESSION TRANSACTION READ ONLY", variable.as_str()] {
            let mut driver = scratch.driver().await;
            let steps = [
                Step::CreateHistory,
                Step::Claim(vec![claim("1_one", Some((1, 1)))]),
                execute(&one, 1, binding),
                checkpoint("1_one", 1, 1, Some((2, 2))),
                execute(&one, 2, &read_only),
                execute(&one, 2, "SET @kept = IF(@kept = 1, 1, (SELECT 1 UNION SELECT 2))"),
                checkpoint("1_one", 1, 2, None),
                Step::Begin,
                execute(&one, 3, "DO 1"),
                record("1_one"),
                Step::Commit,
            ];
            driver.perform(&run("a"), &steps, &mut NoWatch).await.unwrap();
            let rows = driver.inspect().await.unwrap().history.attempts;
            assert_eq!((rows[0].state(), rows[0].completed), (State::Applied, 3), "{binding}");
            // One that fails is told as failed by the next call.
            let steps = [
                Step::RestoreSettings,
                Step::Claim(vec![claim("2_two", Some((1, 1)))]),
                execute(&one, 1, binding),
                execute(&one, 1, "CREATE TABLE two (id nonsense)"),
            ];
            let failure = driver.perform(&run("a"), &steps, &mut NoWatch).await.unwrap_err();
            assert_eq!(failure.step, 3, "{failure:?}");
            let steps = [checkpoint("2_two", 1, 1, None), Step::RestoreSettings];
            driver.perform(&run("a"), &steps, &mut NoWatch).await.unwrap();
            scratch.raw("DROP TABLE _windlass_migrations").await;
        }
    });
}
