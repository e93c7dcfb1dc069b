//! The history: claims, fences, decisions, and a table wherever it may stand.

use crate::support::*;
use windlass_core::driver::{Cause, Driver as _, Failure, Head, NoWatch};
use windlass_core::history::{AttemptKind, InFlight, Liveness, State};
use windlass_core::plan::{Claim, Record, Resolve, ResolveInto, Step};
use windlass_postgres::Postgres;

crate::on_servers!(
    many_create_the_history_at_once,
    a_history_that_another_is_creating_is_waited_for,
    two_that_create_it_do_so_one_behind_the_other,
    the_head_is_the_newest_row,
    a_claim_that_is_taken_is_told_apart_from_a_users_own_key,
    a_rival_waits_for_the_first_and_meets_its_claim,
    a_fence_holds_inside_a_pipelined_transaction,
    an_attempt_is_taken_over_only_as_it_was_read,
    many_attempts_are_one_write,
    a_repeatable_migration_gives_its_claim_to_the_next_run,
    a_failure_is_recorded,
    decisions_are_fenced,
    hostile_names_and_words_are_only_text,
    the_session_of_an_attempt_is_known_dead_or_alive,
);

/// How many sessions of this database wait for a lock.
const WAITING: &str = "SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid) \
                       WHERE NOT granted AND datname = current_database()";

async fn many_create_the_history_at_once(database: Database) {
    let creators = (0..8).map(|_| {
        let url = format!("{}?schema=app", database.url());
        tokio::spawn(async move {
            let mut driver = Postgres::connect(&options(&url)).await.unwrap();
            perform(&mut driver, &[Step::Begin, Step::CreateHistory, Step::Commit]).await
        })
    });
    for creator in creators.collect::<Vec<_>>() {
        creator.await.unwrap().unwrap();
    }
    assert_eq!(database.value("SELECT count(*) FROM app._windlass_migrations").await, "0");
}

async fn a_history_that_another_is_creating_is_waited_for(database: Database) {
    let mut first = database.raw().await;
    let creating = first.transaction().await.unwrap();
    creating.batch_execute("CREATE TABLE _windlass_migrations (id int)").await.unwrap();
    let mut driver = database.connect().await;
    let second = tokio::spawn(async move { perform(&mut driver, &[Step::CreateHistory]).await });
    let observer = database.raw().await;
    while value(&observer, WAITING).await == "0" {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    creating.commit().await.unwrap();
    second.await.unwrap().unwrap();
}

/// Names may still be missing to a session while an index has them already: so none waits at an index.
async fn two_that_create_it_do_so_one_behind_the_other(database: Database) {
    let elsewhere = format!("{}?schema=app", database.url());
    let mut first = Postgres::connect(&options(&elsewhere)).await.unwrap();
    perform(&mut first, &[Step::Begin, Step::CreateHistory]).await.unwrap();
    let mut driver = Postgres::connect(&options(&elsewhere)).await.unwrap();
    let second =
        tokio::spawn(
            async move { perform(&mut driver, &[Step::Begin, Step::CreateHistory, Step::Commit]).await },
        );
    let observer = database.raw().await;
    while value(&observer, WAITING).await == "0" {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    assert_eq!(value(&observer, &WAITING.replace("count(*)", "string_agg(locktype, ',')")).await, "advisory");
    perform(&mut first, &[Step::Commit]).await.unwrap();
    second.await.unwrap().unwrap();
}

async fn the_head_is_the_newest_row(database: Database) {
    let mut driver = database.connect().await;
    assert_eq!(driver.head().await.unwrap(), Head::None);
    let elsewhere = options(&format!("{}?schema=nowhere", database.url()));
    assert_eq!(Postgres::connect(&elsewhere).await.unwrap().head().await.unwrap(), Head::None);
    let migration = migration();
    let mut steps = transaction(&migration, &["SELECT 1"]);
    steps.insert(1, Step::CreateHistory);
    perform(&mut driver, &steps).await.unwrap();
    assert_eq!(driver.head().await.unwrap(), Head::Newest { format: 1, digest: "d".repeat(64) });
    perform(&mut driver, &[claim("2_b")]).await.unwrap();
    assert_eq!(driver.head().await.unwrap(), Head::Newest { format: 1, digest: String::new() });
}

async fn a_claim_that_is_taken_is_told_apart_from_a_users_own_key(database: Database) {
    let mut driver = database.ready().await;
    perform(&mut driver, &[claim("1_a")]).await.unwrap();
    let migration = migration();
    let failure =
        perform(&mut driver, &transaction(&migration, &["CREATE TABLE t (a int)"])).await.unwrap_err();
    assert!(matches!(failure, Failure { step: 1, cause: Cause::ClaimTaken }), "{failure:?}");
    assert_no_transaction(&mut driver, &database).await;
    database.sql("CREATE TABLE t (a int UNIQUE); INSERT INTO t VALUES (1)").await;
    let steps = [Step::Begin, claim("2_b"), execute(&migration, "INSERT INTO t VALUES (1)"), Step::Commit];
    let failure = perform(&mut driver, &steps).await.unwrap_err();
    assert!(matches!(failure, Failure { step: 2, cause: Cause::Refused(_) }), "{failure:?}");
}

async fn a_rival_waits_for_the_first_and_meets_its_claim(database: Database) {
    let mut driver = database.ready().await;
    let mut first = database.raw().await;
    let held = first.transaction().await.unwrap();
    let columns = "format, kind, name, claim, checksum, token_checksum, owner, epoch, statements, completed, \
                   started_at, applied_by, tool, digest";
    let insert = format!(
        "INSERT INTO _windlass_migrations ({columns}) VALUES (1, 'apply', '1_a', '1_a', 'c', 't', 'b', 1, 1, 0, now(), '', '', '')"
    );
    held.batch_execute(&insert).await.unwrap();
    let rival = tokio::spawn(async move {
        let migration = migration();
        perform(&mut driver, &transaction(&migration, &["CREATE TABLE t (a int)"])).await
    });
    let observer = database.raw().await;
    while value(&observer, WAITING).await == "0" {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    held.commit().await.unwrap();
    let failure = rival.await.unwrap().unwrap_err();
    assert!(matches!(failure, Failure { step: 1, cause: Cause::ClaimTaken }), "{failure:?}");
    assert_eq!(database.value("SELECT to_regclass('t')").await, "NULL");
}

async fn a_fence_holds_inside_a_pipelined_transaction(database: Database) {
    let mut driver = database.ready().await;
    perform(&mut driver, &[claim("1_a")]).await.unwrap();
    let migration = migration();
    let change = || execute(&migration, "CREATE TABLE t (a int)");
    let checkpoint = |epoch| Step::Checkpoint {
        name: "1_a",
        epoch,
        completed: 1,
        prefix: "p1:x".to_owned(),
        in_flight: None,
        watched: Vec::new(),
    };
    let failure =
        perform(&mut driver, &[Step::Begin, change(), checkpoint(2), Step::Commit]).await.unwrap_err();
    assert!(matches!(failure, Failure { step: 2, cause: Cause::Fenced }), "{failure:?}");
    let steps = [Step::Begin, change(), record("1_a"), Step::Commit];
    let failure = driver.perform(&run("b"), &steps, &mut NoWatch).await.unwrap_err();
    assert!(matches!(failure, Failure { step: 2, cause: Cause::Fenced }), "{failure:?}");
    assert_eq!(database.value("SELECT to_regclass('t')").await, "NULL");
    perform(&mut driver, &[Step::Begin, change(), checkpoint(1), Step::Commit]).await.unwrap();
    let attempt = &driver.inspect().await.unwrap().history.attempts[0];
    assert_eq!((attempt.completed, attempt.prefix.as_deref()), (1, Some("p1:x")));
    // A user's division by zero is none of ours.
    let failure = perform(&mut driver, &[execute(&migration, "SELECT 1 / 0")]).await.unwrap_err();
    assert!(matches!(failure.cause, Cause::Refused(_)), "{failure:?}");
    // Two of three are not enough.
    let two = Step::Record(
        ["1_a", "2_b"]
            .map(|name| Record { name, epoch: 1, completed: 1, digest: String::new(), decision: None })
            .into(),
    );
    assert!(matches!(perform(&mut driver, &[two]).await.unwrap_err().cause, Cause::Fenced));
}

async fn an_attempt_is_taken_over_only_as_it_was_read(database: Database) {
    let mut driver = database.ready().await;
    perform(&mut driver, &[claim("1_a")]).await.unwrap();
    let take_over = |from_owner: &str, from_epoch| Step::TakeOver {
        name: "1_a",
        from_owner: from_owner.to_owned(),
        from_epoch,
        checksums: checksums('b'),
        statements: 5,
        completed: 1,
        prefix: "p1:x".to_owned(),
        in_flight: Some(InFlight { first: 2, last: 3 }),
        watched: Vec::new(),
    };
    let mut other = database.connect().await;
    for (owner, epoch) in [("a", 2), ("b", 1)] {
        let failure = other.perform(&run("b"), &[take_over(owner, epoch)], &mut NoWatch).await.unwrap_err();
        assert!(matches!(failure.cause, Cause::Fenced), "{failure:?}");
    }
    other.perform(&run("b"), &[take_over("a", 1)], &mut NoWatch).await.unwrap();
    let attempt = other.inspect().await.unwrap().history.attempts.remove(0);
    assert_eq!((attempt.owner.as_str(), attempt.epoch, attempt.statements), ("b", 2, 5));
    assert_eq!((attempt.completed, attempt.prefix.as_deref()), (1, Some("p1:x")));
    assert_eq!(
        (attempt.checksums, attempt.in_flight),
        (checksums('b'), Some(InFlight { first: 2, last: 3 }))
    );
    assert!(matches!(perform(&mut driver, &[record("1_a")]).await.unwrap_err().cause, Cause::Fenced));
}

async fn many_attempts_are_one_write(database: Database) {
    let mut driver = database.ready().await;
    let names: Vec<_> = (0..3000).map(|number| format!("{number}_x")).collect();
    let claims = names.iter().map(|name| one_claim(name)).collect();
    let digest = |name: &str| format!("digest of {name}");
    let records = names
        .iter()
        .map(|name| Record { name, epoch: 1, completed: 2, digest: digest(name), decision: None })
        .collect();
    perform(&mut driver, &[Step::Begin, Step::Claim(claims), Step::Record(records), Step::Commit])
        .await
        .unwrap();
    let attempts = driver.inspect().await.unwrap().history.attempts;
    assert!(attempts.iter().map(|attempt| &attempt.name).eq(names.iter()), "in the order given");
    assert!(
        attempts
            .iter()
            .all(|a| a.state() == State::Applied && a.digest == digest(&a.name) && a.duration_ms.is_some())
    );
}

async fn a_repeatable_migration_gives_its_claim_to_the_next_run(database: Database) {
    let mut driver = database.ready().await;
    let claim = |seed, supersedes| {
        let kind = AttemptKind::Repeatable;
        Step::Claim(vec![Claim { kind, checksums: checksums(seed), supersedes, ..one_claim("R__v") }])
    };
    perform(&mut driver, &[claim('a', false), record("R__v")]).await.unwrap();
    perform(&mut driver, &[Step::Begin, claim('b', true), record("R__v"), Step::Commit]).await.unwrap();
    let claimed = |attempts: Vec<windlass_core::history::Attempt>| {
        attempts.iter().map(|a| a.claimed).collect::<Vec<_>>()
    };
    assert_eq!(claimed(driver.inspect().await.unwrap().history.attempts), [false, true]);
    // A rival with the same text came first: it is not superseded.
    let failure = perform(&mut driver, &[claim('b', true)]).await.unwrap_err();
    assert!(matches!(failure.cause, Cause::ClaimTaken), "{failure:?}");
}

async fn a_failure_is_recorded(database: Database) {
    let mut driver = database.ready().await;
    let fail = |rolled_back: Option<&str>| Step::Fail {
        name: "1_a",
        epoch: 1,
        completed: 1,
        prefix: "p1:x".to_owned(),
        in_flight: None,
        error: "no".to_owned(),
        rolled_back: rolled_back.map(str::to_owned),
    };
    perform(&mut driver, &[claim("1_a"), fail(None)]).await.unwrap();
    let attempt = driver.inspect().await.unwrap().history.attempts.remove(0);
    assert_eq!((attempt.state(), attempt.claimed, attempt.completed), (State::Failed, true, 1));
    perform(&mut driver, &[fail(Some("digest"))]).await.unwrap();
    let attempt = driver.inspect().await.unwrap().history.attempts.remove(0);
    assert_eq!(
        (attempt.state(), attempt.claimed, attempt.digest.as_str()),
        (State::RolledBack, false, "digest")
    );
    let failure =
        Step::RecordFailure { claim: one_claim("1_a"), error: "no".to_owned(), digest: "e".to_owned() };
    perform(&mut driver, &[failure, claim("1_a")]).await.unwrap();
    let attempt = driver.inspect().await.unwrap().history.attempts.remove(1);
    assert_eq!(
        (attempt.state(), attempt.error.as_deref(), attempt.digest.as_str()),
        (State::RolledBack, Some("no"), "e")
    );
}

async fn decisions_are_fenced(database: Database) {
    let mut driver = database.ready().await;
    let resolve = |id, into, newest| {
        Step::Resolve(Resolve {
            id,
            from_owner: "a".to_owned(),
            from_epoch: 1,
            into,
            resolution: "by hand".to_owned(),
            digest: "r".to_owned(),
            newest,
        })
    };
    perform(&mut driver, &[claim("1_a"), claim("2_b"), claim("3_c"), claim("4_d"), claim("5_e")])
        .await
        .unwrap();
    let accepted = |name| ResolveInto::Accepted { name, checksums: checksums('c') };
    for wrong in [resolve(9, ResolveInto::Applied, 5), resolve(1, ResolveInto::Applied, 3)] {
        assert!(matches!(perform(&mut driver, &[wrong]).await.unwrap_err().cause, Cause::Fenced));
    }
    let steps = [
        resolve(1, ResolveInto::Applied, 5),
        resolve(2, ResolveInto::RolledBack, 5),
        resolve(3, ResolveInto::Resumable, 5),
        resolve(4, accepted("4_renamed"), 5),
        resolve(5, ResolveInto::ResumableAfter { completed: 1, prefix: "p1:x".to_owned() }, 5),
    ];
    perform(&mut driver, &steps).await.unwrap();
    let attempts = driver.inspect().await.unwrap().history.attempts;
    assert_eq!(attempts[0].state(), State::Applied);
    assert_eq!((attempts[1].state(), attempts[1].claimed), (State::RolledBack, false));
    assert_eq!((attempts[2].owner.as_str(), attempts[2].owner_session), ("", Liveness::Unknown));
    assert_eq!((attempts[3].name.as_str(), attempts[3].checksums.clone()), ("4_renamed", checksums('c')));
    assert_eq!((attempts[4].owner.as_str(), attempts[4].completed), ("", 1));
    assert_eq!(attempts[4].prefix.as_deref(), Some("p1:x"));
    let is_signed =
        |told: &str| told.starts_with("by hand (by ") && told.contains(" at 20") && told.ends_with("Z)");
    assert!(attempts.iter().all(|a| a.digest == "r" && a.resolution.as_deref().is_some_and(is_signed)));
    assert!(matches!(perform(&mut driver, &[record("3_c")]).await.unwrap_err().cause, Cause::Fenced));
    assert!(matches!(
        perform(&mut driver, &[claim("4_renamed")]).await.unwrap_err().cause,
        Cause::ClaimTaken
    ));
}

async fn hostile_names_and_words_are_only_text(database: Database) {
    let options = database.options().history_table("\"we\"\"ird $$ sch'ema\".\"ta\"\"ble; DROP'\"");
    let mut driver = Postgres::connect(&options).await.unwrap();
    let name = "1_it's \\ \"quoted\" ü $1 ?";
    perform(&mut driver, &[Step::CreateHistory, claim(name), record(name)]).await.unwrap();
    let error = "E'\\'; DROP TABLE x; -- \0".to_owned();
    // A migration may leave strings in the old style behind.
    let migration = migration();
    let old_style = execute(&migration, "SET standard_conforming_strings = off");
    let failure = Step::RecordFailure { claim: one_claim("2_b"), error, digest: String::new() };
    perform(&mut driver, &[old_style, failure]).await.unwrap();
    let attempts = driver.inspect().await.unwrap().history.attempts;
    assert_eq!(attempts[0].name, name);
    assert_eq!(attempts[1].error.as_deref(), Some("E'\\'; DROP TABLE x; -- "));
    assert!(matches!(perform(&mut driver, &[claim(name)]).await.unwrap_err().cause, Cause::ClaimTaken));
}

async fn the_session_of_an_attempt_is_known_dead_or_alive(database: Database) {
    let mut driver = database.ready().await;
    perform(&mut driver, &[claim("1_a")]).await.unwrap();
    let mut other = database.connect().await;
    let liveness =
        |inspection: windlass_core::driver::Inspection| inspection.history.attempts[0].owner_session;
    assert_eq!(liveness(other.inspect().await.unwrap()), Liveness::Alive);
    drop(driver);
    let observer = database.raw().await;
    let gone = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'windlass' AND datname = current_database()";
    while value(&observer, gone).await != "1" {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    let attempt = other.inspect().await.unwrap().history.attempts.remove(0);
    assert_eq!((attempt.owner_session, attempt.state()), (Liveness::Gone, State::Interrupted));
    // The same number, given to a later process.
    let later = "UPDATE _windlass_migrations SET session = pid || '/1' FROM pg_stat_activity WHERE pid = pg_backend_pid()";
    observer.batch_execute(later).await.unwrap();
    assert_eq!(liveness(other.inspect().await.unwrap()), Liveness::Gone);
    // Who may not see other users' sessions cannot tell.
    database.sql("DO $$ BEGIN CREATE ROLE windlass_test_blind LOGIN PASSWORD 'x'; EXCEPTION WHEN duplicate_object THEN NULL; WHEN unique_violation THEN NULL; END $$").await;
    database.sql("GRANT SELECT, INSERT, UPDATE ON _windlass_migrations TO windlass_test_blind").await;
    let url = database.url();
    let (_, rest) = url.split_once('@').unwrap();
    let mut blind =
        Postgres::connect(&options(&format!("postgres://windlass_test_blind:x@{rest}"))).await.unwrap();
    assert_eq!(liveness(blind.inspect().await.unwrap()), Liveness::Unknown);
    drop(blind);
    database.sql("REVOKE ALL ON _windlass_migrations FROM windlass_test_blind").await;
}
