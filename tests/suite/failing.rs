//! Failing: what stands afterwards, what is said, and how the next deploy goes on.

use harness::{Database, Family, Project, deploy, migrations};
use windlass_core::apply::{DeployError, FailedStatement, Stands};
use windlass_core::history::State;
use windlass_core::plan::{Blocked, Resolution};

harness::scenarios!(
    on [Postgres, Sqlite]: a_failed_migration_leaves_nothing;
    on [Postgres]: what_is_checked_at_the_commit_is_checked_at_that_of_its_migration;
    on [MySql, MariaDb]: a_failed_tail_is_mended_and_deployed, a_failed_tail_is_taken_away, a_changed_head_is_refused, a_failed_migration_is_resolved;
    on [Postgres, MySql, MariaDb, Sqlite]:
        what_came_before_a_failure_stands,
        the_error_names_the_place;
    // SQLite knows no users, so its scripts hold no secrets of theirs.
    on [Postgres, MySql, MariaDb]: secrets_are_in_no_error_and_no_row;
    natively [Postgres, MySql, MariaDb]: a_secret_that_a_row_holds_is_not_told,
);

const USERS: (&str, &str) = ("1_users", "CREATE TABLE users (id int PRIMARY KEY);");

async fn fails(database: &Database, scripts: &[(&'static str, &str)]) -> FailedStatement {
    let result = deploy(&mut *database.connect().await, &migrations(scripts)).await;
    match result.expect_err("a migration that cannot be") {
        DeployError::Statement(failed) => *failed,
        other => panic!("{other:#?}"),
    }
}

async fn a_failed_migration_leaves_nothing(database: &Database) {
    let half = "CREATE TABLE half (n int);\nINSERT INTO nowhere VALUES (1);";
    let failed = fails(database, &[USERS, ("2_half", half)]).await;
    assert_eq!((failed.number, failed.stands, failed.recorded), (2, Stands::Nothing, true));
    assert_eq!(database.tables().await, ["users"]);
    let history = database.connect().await.inspect().await.expect("a history").history;
    let last = history.attempts.last().expect("the failed attempt");
    assert_eq!((last.name.as_str(), last.state()), ("2_half", State::RolledBack));
    assert!(last.error.as_ref().is_some_and(|words| words.contains("nowhere")), "{last:?}");
    let mended = migrations(&[USERS, ("2_half", "CREATE TABLE half (n int);")]);
    deploy(&mut *database.connect().await, &mended).await.expect("the mended one");
    assert_eq!(database.tables().await, ["half", "users"]);
}

async fn a_failed_tail_is_mended_and_deployed(database: &Database) {
    let half = "CREATE TABLE half (n int);\nINSERT INTO half VALUES (1);\nINSERT INTO nowhere VALUES (1);";
    let failed = fails(database, &[USERS, ("2_half", half)]).await;
    assert_eq!(failed.stands, Stands::Part { completed: 1 }, "the data of one transaction is rolled back");
    let again = deploy(&mut *database.connect().await, &migrations(&[USERS, ("2_half", half)])).await;
    assert!(matches!(again, Err(DeployError::Blocked(Blocked::Failed { .. }))), "{again:?}");
    let mended = "CREATE TABLE half (n int);\nINSERT INTO half VALUES (1);\nINSERT INTO half VALUES (2);";
    deploy(&mut *database.connect().await, &migrations(&[USERS, ("2_half", mended)]))
        .await
        .expect("the mended tail");
    assert_eq!(database.value("SELECT sum(n) FROM half").await, "3");
}

async fn a_failed_tail_is_taken_away(database: &Database) {
    let half = "CREATE TABLE half (n int);\nINSERT INTO nowhere VALUES (1);";
    fails(database, &[USERS, ("2_half", half)]).await;
    let shorter = migrations(&[
        USERS,
        ("2_half", "CREATE TABLE half (n int);"),
        ("3_more", "CREATE TABLE more (n int);"),
    ]);
    let mut driver = database.connect().await;
    assert_eq!(deploy(&mut *driver, &shorter).await.expect("what is left: nothing").applied.len(), 2);
    let history = driver.inspect().await.expect("a history").history;
    assert!(history.standing().iter().all(|a| a.state() == State::Applied), "{history:?}");
    assert!(deploy(&mut *driver, &shorter).await.expect("again").applied.is_empty());
}

async fn a_changed_head_is_refused(database: &Database) {
    let half = "CREATE TABLE half (n int); INSERT INTO nowhere VALUES (1);";
    fails(database, &[USERS, ("2_half", half)]).await;
    let other = migrations(&[USERS, ("2_half", "CREATE TABLE other (n int); INSERT INTO other VALUES (1);")]);
    let refused = deploy(&mut *database.connect().await, &other).await;
    assert!(matches!(refused, Err(DeployError::Blocked(Blocked::HeadChanged { .. }))), "{refused:?}");
    assert_eq!(database.tables().await, ["half", "users"]);
}

async fn a_failed_migration_is_resolved(database: &Database) {
    let half = "CREATE TABLE half (n int); INSERT INTO nowhere VALUES (1);";
    let set = migrations(&[USERS, ("2_half", half)]);
    fails(database, &[USERS, ("2_half", half)]).await;
    let mut driver = database.connect().await;
    let run = harness::options().run;
    let resolve = windlass_core::apply::resolve;
    database.sql("CREATE TABLE nowhere (n int)").await;
    resolve(&mut *driver, &set, &run, (Resolution::Resume, "2_half"), "the table is there now", false)
        .await
        .expect("resume");
    deploy(&mut *driver, &set).await.expect("a resumed deploy");
    assert_eq!(database.value("SELECT count(*) FROM nowhere").await, "1");
    let history = driver.inspect().await.expect("a history").history;
    assert!(history.verify().is_ok());
    assert!(deploy(&mut *driver, &set).await.expect("again").applied.is_empty());
}

async fn what_came_before_a_failure_stands(database: &Database) {
    let scripts = [
        USERS,
        ("2_a", "CREATE TABLE a (n int);"),
        ("3_bad", "INSERT INTO nowhere VALUES (1);"),
        ("4_b", "CREATE TABLE b (n int);"),
    ];
    let failed = fails(database, &scripts).await;
    assert_eq!((failed.migration.as_str(), failed.stands), ("3_bad", Stands::Nothing));
    assert_eq!(database.tables().await, ["a", "users"]);
    let history = database.connect().await.inspect().await.expect("a history").history;
    assert_eq!(history.standing().len(), 2);
    let mended = [scripts[0], scripts[1], ("3_bad", "INSERT INTO a VALUES (1);"), scripts[3]];
    deploy(&mut *database.connect().await, &migrations(&mended)).await.expect("the mended one");
    assert_eq!(database.tables().await, ["a", "b", "users"]);
}

async fn the_error_names_the_place(database: &Database) {
    let script = "-- first\nCREATE TABLE t (n int);\n\n  INSERT INTO t (n)\n  VALUES (nope);\n";
    let failed = fails(database, &[USERS, ("2_t", script)]).await;
    assert_eq!((failed.place.line, failed.place.column), (4, 3));
    assert!(failed.place.file.contains("2_t"), "{failed:?}");
    assert!(failed.error.code.is_some() && failed.error.message.contains("nope"), "{failed:?}");
    let offending = failed.offending_place();
    if failed.error.position.is_some() {
        assert_eq!((offending.line, offending.column), (5, 11));
    }
}

async fn secrets_are_in_no_error_and_no_row(database: &Database) {
    // Refused by PostgreSQL's grammar, and elsewhere since the user is nowhere.
    let script = "CREATE TABLE t (n int);\nALTER USER nobody_at_all IDENTIFIED BY PASSWORD 'hunter2secret';";
    let failed = fails(database, &[USERS, ("2_t", script)]).await;
    assert!(!format!("{failed:?}").contains("hunter2secret"), "{failed:?}");
    let history = database.connect().await.inspect().await.expect("a history").history;
    assert!(!format!("{history:?}").contains("hunter2secret"), "{history:?}");
    if database.target().family == Family::Postgres {
        let code = "DO $$ BEGIN EXECUTE 'CREATE ROLE r PASSWORD ''hunter2secret'' oops'; END $$;";
        let failed = fails(database, &[USERS, ("3_code", code)]).await;
        let history = database.connect().await.inspect().await.expect("a history").history;
        assert!(!format!("{failed:?}{history:?}").contains("hunter2secret"), "{failed:?} {history:?}");
    }
}

async fn a_secret_that_a_row_holds_is_not_told(database: &Database) {
    let of_type = match database.target().family {
        Family::Postgres => "ALTER TABLE u ALTER token TYPE int USING token::int;",
        _ => "ALTER TABLE u MODIFY token int;",
    };
    let project = Project::new(database, &[("1_u", "CREATE TABLE u (id int, token varchar(20));")]);
    project.run(&["deploy"]).await.code(0);
    database.sql("INSERT INTO u VALUES (1, 'sup3rS'), (2, 'sup3rS')").await;
    for (script, stays) in [
        ("CREATE UNIQUE INDEX ux ON u (token);", "ux"),
        (of_type, "token"),
        ("CREATE TABLE w (token varchar(20) UNIQUE);\nINSERT INTO w SELECT token FROM u;", "token"),
    ] {
        project.migration("2_x", script);
        let failed = project.run(&["deploy"]).await;
        assert!(failed.stderr.contains("2_x") && failed.stderr.contains(stays), "{failed:?}");
        assert!(!format!("{failed:?}").contains("sup3rS"), "{failed:?}");
        for look in [&["status"][..], &["status", "--json"], &["history"], &["diagnose"], &["doctor"]] {
            let told = project.run(look).await;
            assert!(!format!("{told:?}").contains("sup3rS"), "{told:?}");
        }
        let errors = database.query("SELECT error FROM _windlass_migrations WHERE error IS NOT NULL").await;
        assert!(!errors.is_empty() && !format!("{errors:?}").contains("sup3rS"), "{errors:?}");
    }
}

async fn what_is_checked_at_the_commit_is_checked_at_that_of_its_migration(database: &Database) {
    // On an empty database the three would share a transaction, at the end of which nothing is wrong.
    let scripts = [
        (
            "1_a",
            "CREATE TABLE p (n int PRIMARY KEY);\nCREATE TABLE c (n int REFERENCES p DEFERRABLE INITIALLY DEFERRED);",
        ),
        ("2_c", "INSERT INTO c VALUES (5);"),
        ("3_p", "INSERT INTO p VALUES (5);"),
    ];
    let failed = fails(database, &scripts).await;
    assert_eq!((failed.migration.as_str(), failed.stands), ("2_c", Stands::Nothing));
}
