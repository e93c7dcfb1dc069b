//! What the state of a session ties together where every statement commits: plans of MySQL and MariaDB, as they read.

use windlass_core::driver::{
    Access, Capabilities, Contents, Ddl, Grouping, Inspection, Product, Sessions, Surroundings,
};
use windlass_core::history::History;
use windlass_core::plan::{Blocked, Options, Step, plan};
use windlass_core::source::Migrations;
use windlass_core::sql::Dialect;

fn planned(scripts: &[(&'static str, &str)], options: &Options) -> Result<String, Blocked> {
    let scripts = scripts.iter().map(|&(file, sql)| (file, &*sql.to_owned().leak()));
    let migrations = Migrations::from_scripts(scripts).expect("a set of migrations");
    let inspection = Inspection {
        history: History { exists: true, attempts: Vec::new() },
        contents: Contents::Holds(vec!["x".to_owned()]),
        access: Access::Writable,
        surroundings: Surroundings::default(),
    };
    let capabilities = Capabilities {
        product: Product::MySql,
        version: "1".to_owned(),
        dialect: Dialect::MySql,
        ddl: Ddl::ImplicitCommit,
        grouping: Grouping::Never,
        sessions: Sessions::Own,
    };
    let mut options = options.clone();
    options.allow_non_empty = true;
    let mut outlook = plan(migrations.as_slice(), &inspection, &capabilities, &options)?;
    for segment in &mut outlook.plan.segments {
        segment.steps.retain(|step| !matches!(step, Step::LimitWaits(_)));
    }
    Ok(outlook.plan.to_string())
}

/// The plan of one script, one mark a step: what it executes by number, `[` and `]` around a transaction, `;` where
/// it is written down how far it has come (with what is in flight next), `r` where settings are restored.
#[track_caller]
fn check(sql: &str, expected: &str) {
    let text =
        planned(&[("1_m.sql", sql)], &Options::default()).unwrap_or_else(|blocked| panic!("{blocked:?}"));
    let in_flight =
        |line: &str| line.split("in flight ").nth(1).map(|n| format!("({n})")).unwrap_or_default();
    let mark = |line: &str| match line.split_whitespace().collect::<Vec<_>>().as_slice() {
        ["begin", ..] => "[".to_owned(),
        ["commit", ..] => "]".to_owned(),
        ["claim" | "checkpoint" | "record", ..] => format!(";{}", in_flight(line)),
        ["execute", _, number, ..] => number.split('/').next().unwrap_or_default().to_owned(),
        ["restore", ..] => "r".to_owned(),
        words => words.join(" "),
    };
    let marks: Vec<String> = text.lines().map(mark).collect();
    assert_eq!(marks.join(" "), expected, "\n{sql}\n{text}");
}

#[track_caller]
fn refused(sql: &str, expected: &str) {
    let blocked =
        planned(&[("1_m.sql", sql)], &Options::default()).expect_err("a reason why there is no plan");
    assert_eq!(blocked.to_string(), expected, "{sql}");
}

#[test]
fn a_variable_that_only_settings_give_a_value_is_replayed_and_ties_nothing() {
    check("SET @n = 1; INSERT INTO t VALUES (@n); CREATE TABLE u (n int);", "; 1 ; [ 2 ;(3) ] 3 ; r");
    let dump = "SET @old = @@sql_mode; SET sql_mode = ''; CREATE TABLE t (n int); CREATE TABLE u (n int); SET sql_mode = @old;";
    check(dump, "; 1 ; 2 ;(3) 3 ;(4) 4 ; 5 ; r");
    check(
        "/*!40014 SET @OLD_CHECKS=@@UNIQUE_CHECKS, UNIQUE_CHECKS=0 */; CREATE TABLE t (n int); \
         INSERT INTO t VALUES (1); /*!40014 SET UNIQUE_CHECKS=@OLD_CHECKS */;",
        "; 1 ;(2) 2 ; [ 3 ; ] 4 ; r",
    );
}

#[test]
fn a_variable_whose_value_came_from_rows_is_in_one_transaction_with_its_readers() {
    check("SET @id = (SELECT max(n) FROM t); INSERT INTO t VALUES (@id);", "r [ ; 1 2 ; ] r");
    check(
        "INSERT INTO p VALUES (1); SET @id = LAST_INSERT_ID(); INSERT INTO c VALUES (@id);",
        "r [ ; 1 2 3 ; ] r",
    );
    check("SELECT max(n) INTO @id FROM t; UPDATE t SET n = @id;", "r [ ; 1 2 ; ] r");
    // What is derived from it is no better.
    check(
        "CREATE TABLE x (n int); SET @a = UUID(); SET @b = concat(@a, 'x'); INSERT INTO t VALUES (@b);",
        ";(1) 1 ; r [ 2 3 4 ; ] r",
    );
    // Given another value it is free again.
    check(
        "SET @a = now(); SET @a = 5; CREATE TABLE x (n int); INSERT INTO x VALUES (@a);",
        "r [ ; 1 ; ] 2 ;(3) 3 ; [ 4 ; ] r",
    );
}

#[test]
fn what_no_transaction_holds_is_a_unit_as_the_file_has_it() {
    check(
        "SET @id = (SELECT max(n) FROM t); CREATE TABLE x (n int); INSERT INTO x VALUES (@id); CREATE TABLE y (n int);",
        ";(1-3) 1 2 3 ;(4) 4 ; r",
    );
    // A setting from rows holds to the end.
    check(
        "SET sql_mode = (SELECT mode FROM t); CREATE TABLE x (n int); CREATE TABLE y (n int);",
        ";(1-3) 1 2 3 ; r",
    );
    // So does the state that code may have changed, for who reads it.
    check("SET @a = 1; CALL p(); CREATE TABLE x (n int); INSERT INTO x VALUES (@a);", "; 1 ;(2-4) 2 3 4 ; r");
    check("LOCK TABLES t WRITE; INSERT INTO t VALUES (7); UNLOCK TABLES;", ";(1-3) 1 2 3 ; r");
    check("SELECT GET_LOCK('a', 1); UPDATE t SET n = 1; SELECT RELEASE_LOCK('a');", ";(1-3) 1 2 3 ; r");
}

#[test]
fn a_trigger_may_read_what_a_variable_holds() {
    check("SET @by = (SELECT user()); CREATE TABLE x (n int); INSERT INTO t VALUES (1);", ";(1-3) 1 2 3 ; r");
    check("SET @by = 'me'; CREATE TABLE x (n int); INSERT INTO t VALUES (1);", "; 1 ;(2) 2 ; [ 3 ; ] r");
}

#[test]
fn the_transaction_of_a_file_is_one_whatever_is_set_in_it() {
    check("BEGIN; SET @a = 1; INSERT INTO t VALUES (@a); UPDATE t SET n = 2; COMMIT;", "r [ ; 2 3 4 ; ] r");
    check(
        "BEGIN; INSERT INTO t VALUES (1); SET sql_mode = ''; UPDATE t SET n = 2; COMMIT;",
        "r [ ; 2 3 4 ; ] r",
    );
    check("SET @a = 1; BEGIN; INSERT INTO t VALUES (@a); COMMIT;", "; 1 ; [ 3 ; ] r");
    check(
        "SET @a = now(); BEGIN; INSERT INTO t VALUES (@a); UPDATE t SET n = 1; COMMIT; UPDATE u SET n = 2;",
        "r [ ; 1 3 4 6 ; ] r",
    );
    // Its own settings are set again where it is tried again, and those before it.
    check(
        "SET sql_mode = ''; BEGIN; SET @a = @@sql_mode; INSERT INTO t VALUES (@a); COMMIT;",
        "; 1 ; r 1 [ 3 4 ; ] r",
    );
    check(
        "BEGIN; INSERT INTO t VALUES (1); CALL p(); COMMIT; UPDATE t SET n = 1;",
        ";(1-4) 1 2 3 4 ; [ 5 ; ] r",
    );
}

#[test]
fn a_temporary_table_is_in_one_transaction_with_all_that_name_it() {
    check(
        "CREATE TEMPORARY TABLE x (n int); INSERT INTO x VALUES (1); INSERT INTO t SELECT n FROM X; UPDATE u SET n = 1;",
        "r [ ; 1 2 3 4 ; ] r",
    );
    check(
        "CREATE TEMPORARY TABLE x (n int); INSERT INTO x VALUES (1); ALTER TABLE t ADD m int; INSERT INTO t SELECT n, n FROM x; \
         DROP TEMPORARY TABLE x; CREATE TABLE x (n int);",
        ";(1-5) 1 2 3 4 5 ;(6) 6 ; r",
    );
    check("CREATE TEMPORARY TABLE x (n int); CREATE TABLE y (n int); CALL p();", ";(1-3) 1 2 3 ; r");
    // Code made it, as its end tells.
    check(
        "CALL p(); CREATE TABLE y (n int); INSERT INTO y SELECT n FROM x; DROP TEMPORARY TABLE IF EXISTS x; CREATE TABLE z (n int);",
        ";(1-4) 1 2 3 4 ;(5) 5 ; r",
    );
    check("DROP TEMPORARY TABLE IF EXISTS x; CREATE TABLE x (n int);", "r [ ; 1 ;(2) ] 2 ; r");
}

#[test]
fn an_isolation_level_is_set_right_before_its_transaction() {
    let level = "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE";
    check(&format!("{level}; UPDATE t SET n = 1;"), "1 [ ; 2 ; ] r");
    check(
        &format!("UPDATE u SET n = 1; {level}; BEGIN; UPDATE t SET n = 1; COMMIT; UPDATE t SET n = 2;"),
        "[ ; 1 ; ] 2 [ 4 ; ] [ 6 ; ] r",
    );
    // It is that of no more than its transaction.
    check(
        &format!("{level}; BEGIN; SELECT max(n) INTO @n FROM t; COMMIT; INSERT INTO t VALUES (@n);"),
        ";(1-5) 1 2 3 4 5 ; r",
    );
    check("SET @@transaction_isolation = 'SERIALIZABLE'; UPDATE t SET n = 1;", "1 [ ; 2 ; ] r");
    check("SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE; UPDATE t SET n = 1;", "; 1 ; [ 2 ; ] r");
    refused(
        "SET TRANSACTION READ ONLY; SELECT 1;",
        "1_m.sql:1:1: a transaction that only reads cannot be part of a migration",
    );
    refused(
        &format!("-- windlass: transaction required\nUPDATE t SET n = 1; {level}; UPDATE t SET n = 2;"),
        "1_m.sql:2:21: an isolation level that does not come first in its transaction cannot be part of a migration",
    );
}

#[test]
fn control_in_a_unit_is_checked_like_any_other() {
    let rollback = "1_m.sql:1:13: a rollback inside a migration cannot be part of a migration";
    refused("SET @a = 1; ROLLBACK; INSERT INTO t VALUES (@a);", rollback);
    refused("SELECT 1; LOCK TABLES t WRITE; ROLLBACK; UNLOCK TABLES;", &rollback.replace(":13", ":32"));
    refused(
        "SET @a = now(); BEGIN; CALL p(@a);",
        "1_m.sql:1:17: this transaction is still open at the end of the file (1_m.sql:1:24)",
    );
    refused(
        "BEGIN; CALL p(); BEGIN; COMMIT;",
        "1_m.sql:1:18: a second BEGIN inside the transaction begun at 1_m.sql:1:1",
    );
}

#[test]
fn what_is_read_of_the_last_statement_is_in_one_transaction_with_it() {
    check(
        "CREATE TABLE p (n int); UPDATE t SET n = n + 1; INSERT INTO l VALUES (ROW_COUNT());",
        ";(1) 1 ; [ 2 3 ; ] r",
    );
    // Which of them made the identity, the text does not tell.
    check(
        "INSERT INTO p VALUES (1); UPDATE t SET n = 1; CREATE TABLE x (n int); INSERT INTO c VALUES (@@identity);",
        ";(1-4) 1 2 3 4 ; r",
    );
    check("CREATE TABLE x (n int); INSERT INTO l VALUES (@@warning_count);", ";(1-2) 1 2 ; r");
    check("SET insert_id = 7; INSERT INTO t VALUES (NULL);", "r [ ; 1 2 ; ] r");
    check(
        "SET timestamp = 1700000000; CREATE TABLE x (n int); INSERT INTO x VALUES (1);",
        "; 1 ;(2) 2 ; [ 3 ; ] r",
    );
}

#[test]
fn settings_and_variables_can_be_in_a_required_transaction() {
    let required = "-- windlass: transaction required\n";
    for sql in [
        "SET foreign_key_checks = 0; DELETE FROM t; UPDATE t SET n = 1;",
        "SELECT 1; SET @n = 1; INSERT INTO t VALUES (@n);",
        "DELETE FROM t; SET @n = (SELECT 1); INSERT INTO t VALUES (@n);",
    ] {
        check(&format!("{required}{sql}"), "r [ ; 1 2 3 ; ] r");
    }
}

#[test]
fn what_one_changes_of_its_session_keeps_it_out_of_the_one_transaction() {
    let mut options = Options::default();
    options.single_transaction = true;
    let second = "BEGIN; SET sql_mode = ''; UPDATE t SET n = 1; COMMIT;";
    let blocked = planned(&[("1_a.sql", "UPDATE t SET n = 1;"), ("2_b.sql", second)], &options);
    assert_eq!(
        blocked.expect_err("a reason why there is no plan").to_string(),
        "2_b.sql:1:8: `2_b` cannot be in one transaction with the rest: what it changes of its session would be \
         changed for the others too"
    );
    assert!(planned(&[("2_b.sql", second)], &options).is_ok());
}
