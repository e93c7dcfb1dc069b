//! Sessions: what a migration sets and makes in its session is there, as it was, wherever a run goes on.

use crate::contending::Told;
use crate::waiting::killed_at;
use harness::{Database, deploy, migrations, options, start_with};
use windlass_core::apply::{DeployError, Stands, Stop};
use windlass_core::plan::Blocked;

harness::scenarios!(
    on [MySql, MariaDb]:
        settings_and_variables_are_as_they_were_where_a_run_goes_on,
        a_setting_that_was_put_back_is_not_found_changed,
        a_trigger_reads_what_a_variable_held,
        what_came_from_rows_is_had_again_with_all_that_uses_it,
        a_setting_does_not_part_the_transaction_of_a_file,
        a_transaction_that_is_tried_again_begins_with_the_session_as_it_was,
        an_isolation_level_is_that_of_its_transaction,
        a_changed_tail_that_needs_what_is_gone_is_refused,
        what_code_left_in_a_session_that_is_gone_is_in_doubt_with_those_who_use_it;
    on [Postgres, Sqlite]: who_needs_what_went_with_its_session_does_not_go_on_without_it;
);

const N: (&str, &str) = ("1_n", "CREATE TABLE n (n int) ENGINE = InnoDB;\nINSERT INTO n VALUES (0);");
const T: (&str, &str) = ("2_t", "CREATE TABLE t (n int, what text) ENGINE = InnoDB;");

/// Deploys it, killed where it adds one to `n`, and once more.
async fn killed_and_gone_on_with(database: &Database, script: &str) {
    deploy(&mut *database.connect().await, &migrations(&[N, T])).await.expect("the tables");
    let scripts = [N, T, ("3_state", script)];
    killed_at(database, "n + 1", &scripts).await;
    deploy(&mut *database.connect().await, &migrations(&scripts)).await.expect("it goes on");
    assert_eq!(database.value("SELECT n FROM n").await, "1", "once");
}

async fn settings_and_variables_are_as_they_were_where_a_run_goes_on(database: &Database) {
    let script = "SET @a = 3;\nSET @b = concat(@a, '!'), SESSION group_concat_max_len = 77;\n\
                  CREATE TABLE x (n int);\nUPDATE n SET n = n + 1;\nALTER TABLE x ADD m int;\n\
                  INSERT INTO t VALUES (@a, concat(@b, @@group_concat_max_len));";
    killed_and_gone_on_with(database, script).await;
    assert_eq!(database.value("SELECT concat(n, ' ', what) FROM t").await, "3 3!77");
}

async fn a_setting_that_was_put_back_is_not_found_changed(database: &Database) {
    let script = "INSERT INTO t VALUES (1, @@sql_mode);\nSET @old = @@sql_mode;\nSET sql_mode = 'NO_ZERO_DATE';\n\
                  CREATE TABLE x (n int);\nSET sql_mode = @old;\nUPDATE n SET n = n + 1;\n\
                  INSERT INTO t VALUES (2, @@sql_mode);";
    killed_and_gone_on_with(database, script).await;
    assert_eq!(database.value("SELECT count(DISTINCT what) FROM t").await, "1");
}

async fn a_trigger_reads_what_a_variable_held(database: &Database) {
    let script = "CREATE TRIGGER who BEFORE INSERT ON t FOR EACH ROW SET NEW.what = @who;\nSET @who = 'me';\n\
                  CREATE TABLE x (n int);\nUPDATE n SET n = n + 1;\nALTER TABLE x ADD m int;\n\
                  INSERT INTO t VALUES (1, NULL);";
    killed_and_gone_on_with(database, script).await;
    assert_eq!(database.value("SELECT what FROM t").await, "me");
}

async fn what_came_from_rows_is_had_again_with_all_that_uses_it(database: &Database) {
    let script = "CREATE TEMPORARY TABLE made (n int) ENGINE = InnoDB;\nINSERT INTO made VALUES (5);\n\
                  SET @top = (SELECT max(n) FROM made);\nINSERT INTO t SELECT n + @top, 'first' FROM made;\n\
                  UPDATE n SET n = n + 1;\nINSERT INTO t SELECT n + @top, 'last' FROM made;";
    killed_and_gone_on_with(database, script).await;
    assert_eq!(database.value("SELECT group_concat(n, what ORDER BY what) FROM t").await, "10first,10last");
}

async fn a_setting_does_not_part_the_transaction_of_a_file(database: &Database) {
    let script = |bad: &str| {
        format!(
            "BEGIN;\nSET @what = 'x';\nINSERT INTO t VALUES (1, @what);\nSET sql_mode = '';\n\
             INSERT INTO t VALUES (2, @what);\n{bad}COMMIT;\n"
        )
    };
    let bad = script("INSERT INTO nowhere VALUES (1);\n");
    let result = deploy(&mut *database.connect().await, &migrations(&[N, T, ("3_bad", &bad)])).await;
    let Err(DeployError::Statement(failed)) = result else { panic!("{result:#?}") };
    assert_eq!((failed.number, failed.stands), (6, Stands::Nothing));
    assert_eq!(database.value("SELECT count(*) FROM t").await, "0", "all of it was rolled back");
    let good = script("");
    deploy(&mut *database.connect().await, &migrations(&[N, T, ("3_bad", &good)])).await.expect("a deploy");
    assert_eq!(database.value("SELECT count(*) FROM t").await, "2");
}

async fn a_transaction_that_is_tried_again_begins_with_the_session_as_it_was(database: &Database) {
    deploy(&mut *database.connect().await, &migrations(&[N, T])).await.expect("the tables");
    let mut other = database.session().await;
    other.execute("BEGIN").await.expect("a transaction");
    other.execute("UPDATE n SET n = 0").await.expect("a row that it holds");
    let script = "SET innodb_lock_wait_timeout = 1, @more = 10;\nBEGIN;\nSET @more = coalesce(@more, 0) + 1;\n\
                  SET @kept = (SELECT count(*) FROM t);\nCREATE TEMPORARY TABLE made (n int);\nUPDATE n SET n = n + @more;\nCOMMIT;";
    let set = migrations(&[N, T, ("3_more", script)]);
    let mut options = options();
    options.lock_tries = 1_000;
    let told = Told::default();
    let deploy = start_with(database.connect().await, set, options, told.clone(), Stop::new());
    told.until_told().await;
    other.execute("ROLLBACK").await.expect("given up");
    deploy.await.expect("a thread").expect("a deploy");
    assert_eq!(database.value("SELECT n FROM n").await, "11");
}

async fn an_isolation_level_is_that_of_its_transaction(database: &Database) {
    deploy(&mut *database.connect().await, &migrations(&[N, T])).await.expect("the tables");
    let mut other = database.session().await;
    other.execute("BEGIN").await.expect("a transaction");
    other.execute("INSERT INTO n VALUES (1)").await.expect("a row that it does not commit");
    // Only a transaction that reads what is not committed sees it.
    let count = "SELECT count(*) INTO @count FROM n;\nINSERT INTO t VALUES (@count, NULL);\n";
    let level = "SET TRANSACTION ISOLATION LEVEL READ UNCOMMITTED;\n";
    let (plain, wrapped) = (format!("{level}{count}"), format!("{level}BEGIN;\n{count}COMMIT;\n"));
    let more = format!("{wrapped}{count}");
    let set = migrations(&[
        N,
        T,
        ("3_before", count),
        ("4_plain", &plain),
        ("5_wrapped", &wrapped),
        ("6_more", &more),
    ]);
    deploy(&mut *database.connect().await, &set).await.expect("a deploy");
    other.execute("ROLLBACK").await.expect("given up");
    assert_eq!(database.value("SELECT group_concat(n ORDER BY n) FROM t").await, "1,1,2,2,2");
}

async fn a_changed_tail_that_needs_what_is_gone_is_refused(database: &Database) {
    let made = "CREATE TEMPORARY TABLE made (n int) ENGINE = InnoDB;\nINSERT INTO made VALUES (5);\n\
                SET @made = (SELECT max(n) FROM made);\n";
    let script = |tail: &str| format!("{made}{tail}");
    let bad = script("ALTER TABLE nowhere ADD m int;");
    let result = deploy(&mut *database.connect().await, &migrations(&[N, T, ("3_made", &bad)])).await;
    let Err(DeployError::Statement(failed)) = result else { panic!("{result:#?}") };
    assert_eq!(failed.stands, Stands::Part { completed: 3 });
    for tail in ["INSERT INTO t SELECT n, 'x' FROM made;", "INSERT INTO t VALUES (@made, 'x');"] {
        let needing = script(tail);
        let result = deploy(&mut *database.connect().await, &migrations(&[N, T, ("3_made", &needing)])).await;
        let Err(DeployError::Blocked(blocked @ Blocked::SessionGone { .. })) = result else {
            panic!("{tail}: {result:#?}")
        };
        let told = blocked.to_string();
        assert!(told.contains("up to statement 3: 3_made.sql:4:1 may need"), "{told}");
        assert!(blocked.hint().is_some_and(|hint| hint.contains("--rolled-back 3_made")), "{blocked:?}");
    }
    assert_eq!(database.value("SELECT count(*) FROM t").await, "0");
    let free = script("CREATE TABLE free (n int);");
    deploy(&mut *database.connect().await, &migrations(&[N, T, ("3_made", &free)]))
        .await
        .expect("it goes on");
    assert!(database.tables().await.contains(&"free".to_owned()));
}

async fn what_code_left_in_a_session_that_is_gone_is_in_doubt_with_those_who_use_it(database: &Database) {
    let make = "CREATE PROCEDURE make() BEGIN CREATE TEMPORARY TABLE made SELECT 5 AS n; SET @made = 7; END;";
    let begun = [N, T, ("3_make", make)];
    for (name, tail, last) in [
        ("4_variable", "INSERT INTO t VALUES (@made, 'x');", 3),
        ("5_table", "INSERT INTO t SELECT n, 'x' FROM made;\nDROP TEMPORARY TABLE made;", 4),
    ] {
        database.sql("DROP TABLE IF EXISTS _windlass_migrations, n, t").await;
        database.sql("DROP PROCEDURE IF EXISTS make").await;
        deploy(&mut *database.connect().await, &migrations(&begun)).await.expect("the procedure");
        let script = format!("CALL make();\nUPDATE n SET n = n + 1;\n{tail}");
        let scripts = [begun[0], begun[1], begun[2], (name, script.as_str())];
        killed_at(database, "n + 1", &scripts).await;
        let again = deploy(&mut *database.connect().await, &migrations(&scripts)).await;
        let Err(DeployError::Blocked(Blocked::InDoubt { in_flight, .. })) = again else {
            panic!("{again:#?}")
        };
        assert_eq!((in_flight.first, in_flight.last), (1, last));
        assert_eq!(
            database.value("SELECT count(*) FROM t").await,
            "0",
            "nothing is taken for what it is not"
        );
    }
    // What was refused is not told as interrupted, once its text is mended.
    database.sql("DROP TABLE IF EXISTS _windlass_migrations, n, t").await;
    database.sql("DROP PROCEDURE IF EXISTS make").await;
    let script = |table: &str| format!("CALL make();\nINSERT INTO {table} VALUES (@made, 'x');");
    let (bad, mended) = (script("nowhere"), script("t"));
    let scripts = |last| migrations(&[begun[0], begun[1], begun[2], ("6_refused", last)]);
    deploy(&mut *database.connect().await, &scripts(&bad)).await.expect_err("no such table");
    let again = deploy(&mut *database.connect().await, &scripts(&mended)).await;
    let Err(DeployError::Blocked(blocked)) = again else { panic!("{again:#?}") };
    let told = "`6_refused` failed, and whether statement 1-2 took effect is not known";
    assert_eq!(blocked.to_string(), told);
}

async fn who_needs_what_went_with_its_session_does_not_go_on_without_it(database: &Database) {
    const X: (&str, &str) = ("1_x", "CREATE TABLE x (a int);");
    // In the way of the table of the same name that stays.
    let made = "CREATE TEMPORARY TABLE x (a int);\nINSERT INTO x VALUES (1);\nVACUUM;\n";
    let script = |tail: &str| format!("{made}{tail}");
    let bad = script("INSERT INTO x VALUES (2);\nINSERT INTO nowhere VALUES (1);");
    let result = deploy(&mut *database.connect().await, &migrations(&[X, ("2_made", &bad)])).await;
    let Err(DeployError::Statement(failed)) = result else { panic!("{result:#?}") };
    assert_eq!(failed.stands, Stands::Part { completed: 3 });
    let needing = script("INSERT INTO x VALUES (2);");
    let result = deploy(&mut *database.connect().await, &migrations(&[X, ("2_made", &needing)])).await;
    let Err(DeployError::Blocked(blocked @ Blocked::SessionGone { .. })) = result else {
        panic!("{result:#?}")
    };
    assert!(blocked.to_string().contains("up to statement 3: 2_made.sql:4:1 may need"), "{blocked}");
    assert_eq!(database.value("SELECT count(*) FROM x").await, "0", "the table that stays is another");
    let free = script("CREATE TABLE free (n int);");
    deploy(&mut *database.connect().await, &migrations(&[X, ("2_made", &free)])).await.expect("it goes on");
    assert!(database.tables().await.contains(&"free".to_owned()));
}
