//! Transactions: what a script's own BEGIN means, and what a transaction turns out to be in the way of.

use harness::{Database, Family, deploy, deploy_with, migrations, options};
use windlass_core::apply::{DeployError, DeployOptions, FailedStatement, Stands};
use windlass_core::history::State;
use windlass_core::plan::Blocked;

harness::scenarios!(
    on [Postgres, MySql, MariaDb, Sqlite]:
        what_cannot_be_in_a_required_transaction_runs_nothing,
        a_transaction_around_the_whole_file_is_ours,
        a_transaction_that_is_never_closed_is_refused_or_closed;
    on [Postgres, MySql, MariaDb, Sqlite]:
        all_that_is_pending_is_one_transaction_or_nothing,
        what_cannot_be_in_the_one_transaction_is_named;
    on [Postgres, Sqlite]:
        settings_do_not_reach_the_next_in_one_transaction,
        a_transaction_with_options_is_begun_as_asked;
    on [Postgres]:
        a_constraint_is_validated_after_it_is_committed,
        an_isolation_level_of_the_file_holds_for_its_transaction,
        a_hidden_use_of_a_new_enum_value_is_rolled_back_and_cut,
        a_hidden_use_in_a_second_transaction_goes_on_from_the_first,
        a_use_that_no_cut_helps_is_told,
        code_that_commits_names_the_directive,
        a_commit_that_is_refused_is_no_statement_s_failure,
        a_migration_that_makes_its_transaction_read_only_is_told,
        a_time_that_a_function_has_set_is_told_as_one,
        what_refuses_a_transaction_unforeseen_names_the_directive,
);

async fn failed(database: &Database, scripts: &[(&'static str, &str)]) -> FailedStatement {
    match deploy(&mut *database.connect().await, &migrations(scripts)).await {
        Err(DeployError::Statement(failed)) => *failed,
        other => panic!("{other:#?}"),
    }
}

async fn a_transaction_around_the_whole_file_is_ours(database: &Database) {
    let set = migrations(&[("1_n", "BEGIN;\nCREATE TABLE n (n int);\nINSERT INTO n VALUES (1);\nCOMMIT;")]);
    deploy(&mut *database.connect().await, &set).await.expect("a deploy");
    assert_eq!(database.value("SELECT count(*) FROM n").await, "1");
    let history = database.connect().await.inspect().await.expect("a history").history;
    assert_eq!((history.attempts[0].state(), history.attempts[0].epoch), (State::Applied, 1));
    let bad = ("2_bad", "BEGIN; INSERT INTO n VALUES (2); INSERT INTO nowhere VALUES (1); COMMIT;");
    let set = [("1_n", set.as_slice()[0].up().text()), bad];
    assert_eq!(failed(database, &set).await.stands, Stands::Nothing);
    assert_eq!(database.value("SELECT count(*) FROM n").await, "1", "all of it was rolled back");
}

async fn a_transaction_that_is_never_closed_is_refused_or_closed(database: &Database) {
    let set = migrations(&[("1_n", "CREATE TABLE n (n int);\nBEGIN;\nINSERT INTO n\nVALUES (1);\n")]);
    let refused = deploy(&mut *database.connect().await, &set).await;
    let Err(DeployError::Blocked(blocked @ Blocked::UnclosedTransaction { .. })) = refused else {
        panic!("{refused:#?}")
    };
    let told = blocked.to_string();
    assert!(told.contains(":2:1:") && told.contains(":3:1"), "{told}");
    assert!(blocked.hint().is_some_and(|hint| hint.contains("--close-open-transaction")));
    assert!(database.tables().await.is_empty(), "nothing was run");
    let mut options = options();
    options.plan.close_open_transaction = true;
    deploy_with(&mut *database.connect().await, &set, &options).await.expect("a deploy that closes it");
    assert_eq!(database.value("SELECT count(*) FROM n").await, "1");
    let again = deploy(&mut *database.connect().await, &set).await.expect("nothing to do");
    assert!(again.applied.is_empty());
}

async fn a_transaction_with_options_is_begun_as_asked(database: &Database) {
    let begin = match database.target().family {
        Family::Sqlite => "BEGIN EXCLUSIVE",
        _ => "START TRANSACTION READ WRITE, NOT DEFERRABLE",
    };
    let set = migrations(&[("1_n", &format!("{begin}; CREATE TABLE n (n int); COMMIT;"))]);
    deploy(&mut *database.connect().await, &set).await.expect("a deploy");
    assert_eq!(database.tables().await, ["n"]);
}

async fn an_isolation_level_of_the_file_holds_for_its_transaction(database: &Database) {
    let level = "INSERT INTO levels VALUES (current_setting('transaction_isolation'));";
    let script = format!(
        "CREATE TABLE levels (level text);\nBEGIN ISOLATION LEVEL SERIALIZABLE;\n{level}\nCOMMIT;\n{level}"
    );
    deploy(&mut *database.connect().await, &migrations(&[("1_levels", &script)])).await.expect("a deploy");
    let levels = database.value("SELECT string_agg(level, ', ' ORDER BY level DESC) FROM levels").await;
    assert_eq!(levels, "serializable, read committed");
    let only = migrations(&[("1_levels", script.as_str()), ("2_only", "BEGIN READ ONLY; SELECT 1; COMMIT;")]);
    let refused = deploy(&mut *database.connect().await, &only).await;
    assert!(matches!(refused, Err(DeployError::Blocked(Blocked::UnsupportedControl { .. }))), "{refused:?}");
}

/// Nothing in the text of the second statement tells that it uses the new value.
const HIDDEN: &str = "ALTER TYPE mood ADD VALUE 'ok';\nUPDATE people SET mood = ('o' || 'k')::mood;";
const PEOPLE: (&str, &str) = (
    "1_people",
    "CREATE TYPE mood AS ENUM ('sad'); CREATE TABLE people (mood mood); INSERT INTO people VALUES ('sad');",
);

async fn a_hidden_use_of_a_new_enum_value_is_rolled_back_and_cut(database: &Database) {
    let set = migrations(&[PEOPLE, ("2_ok", HIDDEN), ("3_after", "CREATE TABLE after (n int);")]);
    let report = deploy(&mut *database.connect().await, &set).await.expect("a deploy");
    assert_eq!(report.applied.len(), 3);
    assert_eq!(database.value("SELECT mood::text FROM people").await, "ok");
    let history = database.connect().await.inspect().await.expect("a history").history;
    assert_eq!(history.attempts.len(), 3, "what was rolled back on the way is no failure: {history:#?}");
    assert!(history.verify().is_ok());
}

async fn a_hidden_use_in_a_second_transaction_goes_on_from_the_first(database: &Database) {
    let script = format!("BEGIN; CREATE TABLE first (n int); COMMIT;\n{HIDDEN}");
    let set = migrations(&[PEOPLE, ("2_ok", &script)]);
    deploy(&mut *database.connect().await, &set).await.expect("a deploy");
    assert_eq!(database.value("SELECT mood::text FROM people").await, "ok");
    let history = database.connect().await.inspect().await.expect("a history").history;
    let last = history.attempts.last().expect("an attempt");
    assert_eq!((history.attempts.len(), last.state(), last.epoch), (2, State::Applied, 2));
}

async fn a_use_that_no_cut_helps_is_told(database: &Database) {
    let script = format!("-- windlass: transaction required\n{HIDDEN}");
    let failed = failed(database, &[PEOPLE, ("2_ok", &script)]).await;
    assert_eq!((failed.number, failed.stands), (2, Stands::Nothing));
    assert!(failed.hint().contains("once it is committed"), "{}", failed.hint());
    assert_eq!(database.value("SELECT mood::text FROM people").await, "sad");
}

async fn code_that_commits_names_the_directive(database: &Database) {
    let code = "CREATE TABLE n (n int);\nDO $$ BEGIN INSERT INTO n VALUES (1); COMMIT; INSERT INTO n VALUES (2); END $$;";
    let failed = failed(database, &[("1_code", code)]).await;
    assert_eq!((failed.number, failed.stands), (2, Stands::Nothing));
    assert!(failed.hint().contains("-- windlass: no-transaction"), "{}", failed.hint());
    assert!(database.tables().await.is_empty());
    let directed = format!("-- windlass: no-transaction\n{code}");
    deploy(&mut *database.connect().await, &migrations(&[("1_code", &directed)])).await.expect("as hinted");
    assert_eq!(database.value("SELECT count(*) FROM n").await, "2");
}

async fn what_refuses_a_transaction_unforeseen_names_the_directive(database: &Database) {
    let parted = "CREATE TABLE parted (n int) PARTITION BY RANGE (n); CREATE INDEX ON parted (n);";
    let reindex = "REINDEX TABLE parted;";
    let failed = failed(database, &[("1_parted", parted), ("2_reindex", reindex)]).await;
    assert!(failed.hint().contains("-- windlass: no-transaction"), "{}", failed.hint());
    let directed = format!("-- windlass: no-transaction\n{reindex}");
    let set = migrations(&[("1_parted", parted), ("2_reindex", &directed)]);
    deploy(&mut *database.connect().await, &set).await.expect("as hinted");
}

fn in_one() -> DeployOptions {
    let mut options = options();
    options.plan.single_transaction = true;
    options
}

async fn all_that_is_pending_is_one_transaction_or_nothing(database: &Database) {
    // The table is there: nothing is grouped for being new.
    let table = ("1_n", "CREATE TABLE n (n int);");
    deploy(&mut *database.connect().await, &migrations(&[table])).await.expect("the table");
    let (two, three) = (("2_two", "INSERT INTO n VALUES (2);"), ("3_three", "INSERT INTO n VALUES (3);"));
    let bad = migrations(&[
        table,
        two,
        three,
        ("4_bad", "INSERT INTO n VALUES (4); INSERT INTO nowhere VALUES (1);"),
    ]);
    let result = deploy_with(&mut *database.connect().await, &bad, &in_one()).await;
    let Err(DeployError::Statement(failed)) = result else { panic!("{result:#?}") };
    assert_eq!((failed.migration.as_str(), failed.number, failed.stands), ("4_bad", 2, Stands::Nothing));
    assert!(failed.recorded);
    assert_eq!(database.value("SELECT count(*) FROM n").await, "0", "those before it are rolled back too");
    let history = database.connect().await.inspect().await.expect("a history").history;
    let names: Vec<_> = history.attempts.iter().map(|a| (a.name.as_str(), a.state())).collect();
    assert_eq!(names, [("1_n", State::Applied), ("4_bad", State::RolledBack)]);
    let good = migrations(&[table, two, three, ("4_bad", "INSERT INTO n VALUES (4);")]);
    let report = deploy_with(&mut *database.connect().await, &good, &in_one()).await.expect("the mended one");
    assert_eq!(report.applied.len(), 3);
    assert_eq!(database.value("SELECT count(*) FROM n").await, "3");
    let again = deploy_with(&mut *database.connect().await, &good, &in_one()).await.expect("nothing to do");
    assert!(again.applied.is_empty());
}

async fn what_cannot_be_in_the_one_transaction_is_named(database: &Database) {
    let (first, apart) = match database.target().family {
        Family::Postgres => ("CREATE TABLE n (n int);", "SELECT 1;\nCREATE INDEX CONCURRENTLY i ON n (n);"),
        Family::Sqlite => ("CREATE TABLE n (n int);", "SELECT 1;\nVACUUM;"),
        _ => ("SELECT 1;", "SELECT 1;\nCREATE TABLE n (n int);"),
    };
    let set = migrations(&[("1_first", first), ("2_apart", apart), ("3_more", "SELECT 1;")]);
    let result = deploy_with(&mut *database.connect().await, &set, &in_one()).await;
    let Err(DeployError::Blocked(blocked @ Blocked::NotOneTransaction { .. })) = result else {
        panic!("{result:#?}")
    };
    let told = blocked.to_string();
    assert!(told.contains("2_apart") && told.contains(":2:1: "), "{told}");
    assert!(blocked.hint().is_some_and(|hint| hint.contains("--to 1_first")));
    assert!(database.tables().await.is_empty(), "nothing was run");
}

async fn settings_do_not_reach_the_next_in_one_transaction(database: &Database) {
    let (set, show) = match database.target().family {
        Family::Postgres => ("SET search_path = ''", "SELECT current_setting('search_path')"),
        _ => ("PRAGMA recursive_triggers = ON", "SELECT recursive_triggers FROM pragma_recursive_triggers"),
    };
    let create = if database.target().family == Family::Postgres { "public.n" } else { "n" };
    let first =
        format!("CREATE TABLE n (before text, value text); INSERT INTO n SELECT 'first', ({show}); {set};");
    let second = format!("INSERT INTO n SELECT 'second', ({show}); UPDATE {create} SET before = before;");
    let both = migrations(&[("1_first", first.as_str()), ("2_second", second.as_str())]);
    deploy_with(&mut *database.connect().await, &both, &in_one()).await.expect("one transaction");
    assert_eq!(database.value("SELECT count(DISTINCT value) FROM n").await, "1");
    assert_eq!(database.value("SELECT count(*) FROM n").await, "2");
}

/// Statements that no transaction can hold, each behind one that could be rolled back.
fn apart(family: Family) -> &'static [&'static str] {
    match family {
        Family::Postgres => &[
            "CREATE INDEX CONCURRENTLY i ON n (n)",
            "DROP INDEX CONCURRENTLY i",
            "REINDEX TABLE CONCURRENTLY n",
            "VACUUM n",
            "CREATE DATABASE elsewhere",
            "ALTER SYSTEM SET work_mem = '5MB'",
            "-- windlass: repeat\nUPDATE n SET n = 2 WHERE n = 1",
        ],
        Family::Sqlite => &[
            "VACUUM",
            "PRAGMA journal_mode = WAL",
            "PRAGMA synchronous = OFF",
            "-- windlass: repeat\nUPDATE n SET n = 2 WHERE n = 1",
        ],
        _ => &[
            "CREATE TABLE x (n int)",
            "ALTER TABLE n ADD m int",
            "TRUNCATE TABLE n",
            "RENAME TABLE n TO x",
            "CREATE VIEW v AS SELECT 1",
            "GRANT SELECT ON n TO somebody",
            "LOCK TABLES n WRITE",
            "ANALYZE TABLE n",
            "-- windlass: repeat\nUPDATE n SET n = 2 WHERE n = 1",
        ],
    }
}

async fn what_cannot_be_in_a_required_transaction_runs_nothing(database: &Database) {
    let n = ("1_n", "CREATE TABLE n (n int);");
    deploy(&mut *database.connect().await, &migrations(&[n])).await.expect("the table");
    for sql in apart(database.target().family) {
        let script = format!("-- windlass: transaction required\nINSERT INTO n VALUES (1);\n{sql};\n");
        let result = deploy(&mut *database.connect().await, &migrations(&[n, ("2_required", &script)])).await;
        let Err(DeployError::Blocked(blocked @ Blocked::TransactionRequired { .. })) = result else {
            panic!("{sql}: {result:#?}")
        };
        let line = 3 + sql.matches('\n').count();
        let told = blocked.to_string();
        assert!(told.starts_with(&format!("2_required.sql:{line}:1: ")), "{told}");
        assert_eq!(database.tables().await, ["n"], "{sql}");
        assert_eq!(database.value("SELECT count(*) FROM n").await, "0", "{sql}");
        let history = database.connect().await.inspect().await.expect("a history").history;
        assert_eq!(history.attempts.len(), 1, "{sql}: not even an attempt is written");
    }
    let fits = (
        "2_required",
        "-- windlass: transaction required\nINSERT INTO n VALUES (1);\nINSERT INTO nowhere VALUES (1);",
    );
    assert_eq!(failed(database, &[n, fits]).await.stands, Stands::Nothing);
    assert_eq!(database.value("SELECT count(*) FROM n").await, "0", "it was one transaction");
}

/// A row that it finds wrong leaves the constraint in force for those to come.
async fn a_constraint_is_validated_after_it_is_committed(database: &Database) {
    let n = ("1_n", "CREATE TABLE n (n int); INSERT INTO n VALUES (-1);");
    let check = (
        "2_check",
        "ALTER TABLE n ADD CONSTRAINT c CHECK (n > 0) NOT VALID;\nALTER TABLE n VALIDATE CONSTRAINT c;",
    );
    let refused = failed(database, &[n, check]).await;
    assert_eq!((refused.number, refused.stands), (2, Stands::Part { completed: 1 }), "{refused:?}");
    let is_valid = "SELECT convalidated FROM pg_constraint WHERE conname = 'c'";
    assert_eq!(database.value(is_valid).await, "f", "it is added");
    database.session().await.execute("INSERT INTO n VALUES (-2)").await.expect_err("it is in force");
    database.sql("DELETE FROM n").await;
    let mended = format!("{}\nINSERT INTO n VALUES (1);", check.1);
    deploy(&mut *database.connect().await, &migrations(&[n, (check.0, &mended)])).await.expect("it goes on");
    assert_eq!(database.value(is_valid).await, "t");
}

async fn a_commit_that_is_refused_is_no_statement_s_failure(database: &Database) {
    let make = "CREATE TABLE p (id int PRIMARY KEY);\nCREATE TABLE c (p int REFERENCES p DEFERRABLE INITIALLY DEFERRED);";
    let scripts = [
        ("1_make", make),
        ("2_rows", "INSERT INTO c VALUES (7);\nCREATE TABLE x (n int);"),
        ("3_rest", "CREATE TABLE y (n int);"),
    ];
    deploy(&mut *database.connect().await, &migrations(&scripts[..1])).await.expect("the tables");
    let alone = failed(database, &scripts[..2]).await;
    assert_eq!(
        (alone.commit_of.as_slice(), alone.part().as_str()),
        (&["2_rows".to_owned()][..], "its COMMIT")
    );
    let mut options = options();
    options.plan.single_transaction = true;
    let together = deploy_with(&mut *database.connect().await, &migrations(&scripts), &options).await;
    let Err(error @ DeployError::Statement(_)) = together else { panic!("{together:#?}") };
    let story = error.story();
    assert!(story.starts_with("migration `3_rest` failed at the one COMMIT of 2_rows, 3_rest"), "{story}");
    assert!(
        story.contains("2_rows, 3_rest were rolled back")
            && story.contains("leave `--single-transaction` out"),
        "{story}"
    );
    let history = database.connect().await.inspect().await.expect("a history").history;
    let words: Vec<_> = history.attempts.iter().filter_map(|attempt| attempt.error.clone()).collect();
    assert!(
        words[0].starts_with("its COMMIT (") && words[1].starts_with("the one COMMIT of 2_rows"),
        "{words:?}"
    );
    assert_eq!(database.tables().await, ["c", "p"]);
}

async fn a_migration_that_makes_its_transaction_read_only_is_told(database: &Database) {
    let function = "CREATE TABLE n (n int);\nCREATE FUNCTION closes() RETURNS int LANGUAGE plpgsql AS \
                    'BEGIN PERFORM set_config(''transaction_read_only'', ''on'', true); RETURN 1; END';";
    let rows = "INSERT INTO n VALUES (1);\nSELECT closes();";
    let scripts = |text: &'static str| [("1_make", function), ("2_rows", text)];
    let mut session = database.connect().await;
    let refused = deploy(&mut *session, &migrations(&scripts(rows))).await;
    let Err(error @ DeployError::ReadOnly(_)) = refused else { panic!("{refused:#?}") };
    let story = error.story();
    assert!(story.starts_with("`2_rows` has made its own transaction read-only"), "{story}");
    assert!(story.contains("nothing of it stands") && story.contains("leave that out of what"), "{story}");
    let history = session.inspect().await.expect("a history").history;
    let last = history.attempts.last().expect("an attempt");
    assert!(last.error.as_ref().is_some_and(|words| words.starts_with("its record (")), "{last:?}");
    let behind = failed(database, &scripts("SELECT closes();\nINSERT INTO n VALUES (1);")).await;
    assert!(behind.hint().contains("has made its own transaction read-only"), "{behind:#?}");
    deploy(&mut *session, &migrations(&scripts("INSERT INTO n VALUES (1);"))).await.expect("the mended one");
    assert_eq!(database.value("SELECT count(*) FROM n").await, "1");
}

async fn a_time_that_a_function_has_set_is_told_as_one(database: &Database) {
    let function = "CREATE FUNCTION hurries() RETURNS int LANGUAGE plpgsql AS \
                    'BEGIN PERFORM set_config(''statement_timeout'', ''50'', true); RETURN 1; END';";
    let slow = [("1_make", function), ("2_slow", "SELECT hurries();\nSELECT pg_sleep(9);")];
    let late = failed(database, &slow).await;
    assert!(late.hint().starts_with("no other session was in its way: the time"), "{late:#?}");
}
