//! Plans, as they read: migrations, history and capabilities in, text out.

use std::fmt::Write;
use windlass_core::driver::{Access, Capabilities, Contents, Ddl, Grouping, Inspection, Product};
use windlass_core::history::History;
use windlass_core::plan::{Blocked, Options, Step, plan};
use windlass_core::source::Migrations;
use windlass_core::sql::Dialect;

fn capabilities(product: Product) -> Capabilities {
    let (dialect, ddl, grouping) = match product {
        Product::PostgreSql => (Dialect::Postgres, Ddl::Transactional, Grouping::UpTo(100)),
        Product::Sqlite => (Dialect::Sqlite, Ddl::Transactional, Grouping::UpTo(100)),
        _ => (Dialect::MySql, Ddl::ImplicitCommit, Grouping::Never),
    };
    Capabilities { product, version: "1".to_owned(), dialect, ddl, grouping }
}

fn planned(product: Product, scripts: &[(&'static str, &'static str)]) -> Result<String, Blocked> {
    let migrations = Migrations::from_scripts(scripts.iter().copied()).expect("a set of migrations");
    let history = History { exists: true, attempts: Vec::new() };
    let inspection =
        Inspection { history, contents: Contents::Holds(vec!["x".to_owned()]), access: Access::Writable };
    let mut options = Options::default();
    options.allow_non_empty = true;
    let outlook = plan(migrations.as_slice(), &inspection, &capabilities(product), &options)?;
    let mut text = String::new();
    for mut segment in outlook.plan.segments {
        // How long is waited for others has tests of its own: `plan_waits.rs`.
        segment.steps.retain(|step| !matches!(step, Step::LimitWaits(_)));
        writeln!(text, "{segment}--").expect("a string takes everything");
    }
    Ok(text)
}

/// Compares without the indentation that the test's own layout brings.
#[track_caller]
fn check(product: Product, sql: &'static str, expected: &str) {
    let text = planned(product, &[("1_m.sql", sql)]).unwrap_or_else(|blocked| panic!("{blocked:?}"));
    let lines = |text: &str| {
        text.lines().map(|line| line.trim().to_owned()).filter(|l| !l.is_empty()).collect::<Vec<_>>()
    };
    assert_eq!(lines(&text), lines(expected), "\n{text}");
}

#[track_caller]
fn refused(product: Product, sql: &'static str, expected: &str) {
    let blocked = planned(product, &[("1_m.sql", sql)]).expect_err("a reason why there is no plan");
    assert_eq!(blocked.to_string(), expected);
}

#[test]
fn one_transaction_holds_claim_change_and_record() {
    check(
        Product::PostgreSql,
        "ALTER TABLE users ADD COLUMN email text;\nUPDATE users SET email = login;",
        "begin
            claim 1_m
            execute 1_m 1/2: ALTER TABLE users ADD COLUMN email text
            execute 1_m 2/2: UPDATE users SET email = login
            record 1_m applied
        commit
        --",
    );
}

#[test]
fn an_isolation_level_comes_before_the_claim() {
    check(
        Product::PostgreSql,
        "BEGIN; SET LOCAL lock_timeout = 0; SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; DELETE FROM t; COMMIT;",
        "begin
            execute 1_m 3/5: SET TRANSACTION ISOLATION LEVEL REPEATABLE READ
            claim 1_m
            execute 1_m 2/5: SET LOCAL lock_timeout = 0
            execute 1_m 4/5: DELETE FROM t
            record 1_m applied
        commit
        restore settings
        --",
    );
    refused(
        Product::PostgreSql,
        "DELETE FROM t; SET TRANSACTION ISOLATION LEVEL SERIALIZABLE;",
        "1_m.sql:1:16: an isolation level that does not come first in its transaction cannot be part of a migration",
    );
}

#[test]
fn what_cannot_be_in_a_transaction_stands_alone() {
    check(
        Product::PostgreSql,
        "ALTER TABLE t ADD c int; CREATE INDEX CONCURRENTLY i ON t (c); UPDATE t SET c = 1;",
        "begin
            claim 1_m
            execute 1_m 1/3: ALTER TABLE t ADD c int
            checkpoint 1_m 1, in flight 2
        commit
        --
        execute 1_m 2/3: CREATE INDEX CONCURRENTLY i ON t (c)
        checkpoint 1_m 2
        --
        begin
            execute 1_m 3/3: UPDATE t SET c = 1
            record 1_m applied
        commit
        --",
    );
}

#[test]
fn the_file_s_own_transaction_is_ours() {
    let expected = "begin
            claim 1_m
            execute 1_m 2/3: UPDATE t SET c = 1
            record 1_m applied
        commit
        --";
    for product in [Product::PostgreSql, Product::Sqlite, Product::MySql] {
        check(product, "BEGIN; UPDATE t SET c = 1; COMMIT;", expected);
    }
}

#[test]
fn explicit_transactions_are_cuts() {
    check(
        Product::PostgreSql,
        "BEGIN; CREATE TABLE a (n int); COMMIT; BEGIN; CREATE TABLE b (n int); END;",
        "begin
            claim 1_m
            execute 1_m 2/6: CREATE TABLE a (n int)
            checkpoint 1_m 4
        commit
        --
        begin
            execute 1_m 5/6: CREATE TABLE b (n int)
            record 1_m applied
        commit
        --",
    );
}

#[test]
fn a_new_enum_value_is_committed_before_it_is_used() {
    check(
        Product::PostgreSql,
        "ALTER TYPE mood ADD VALUE 'ok'; INSERT INTO t VALUES ('ok');",
        "begin
            claim 1_m
            execute 1_m 1/2: ALTER TYPE mood ADD VALUE 'ok'
            checkpoint 1_m 1
        commit
        --
        begin
            execute 1_m 2/2: INSERT INTO t VALUES ('ok')
            record 1_m applied
        commit
        --",
    );
    check(
        Product::PostgreSql,
        "ALTER TYPE mood ADD VALUE 'ok'; CREATE TABLE t (n int);",
        "begin
            claim 1_m
            execute 1_m 1/2: ALTER TYPE mood ADD VALUE 'ok'
            execute 1_m 2/2: CREATE TABLE t (n int)
            record 1_m applied
        commit
        --",
    );
}

#[test]
fn every_mysql_statement_is_a_checkpoint_and_data_shares_a_transaction() {
    check(
        Product::MySql,
        "CREATE TABLE t (n int); INSERT INTO t VALUES (1); UPDATE t SET n = 2; ALTER TABLE t ADD m int;",
        "claim 1_m, in flight 1
        execute 1_m 1/4: CREATE TABLE t (n int)
        checkpoint 1_m 1
        --
        begin
            execute 1_m 2/4: INSERT INTO t VALUES (1)
            execute 1_m 3/4: UPDATE t SET n = 2
            checkpoint 1_m 3, in flight 4
        commit
        --
        execute 1_m 4/4: ALTER TABLE t ADD m int
        record 1_m applied
        --",
    );
}

#[test]
fn statements_bound_by_session_state_are_one_unit() {
    check(
        Product::MySql,
        "CREATE TABLE t (n int); SET @n = 1; INSERT INTO t VALUES (@n); CREATE TABLE u (n int);",
        "claim 1_m, in flight 1
        execute 1_m 1/4: CREATE TABLE t (n int)
        checkpoint 1_m 1, in flight 2-3
        execute 1_m 2/4: SET @n = 1
        execute 1_m 3/4: INSERT INTO t VALUES (@n)
        checkpoint 1_m 3, in flight 4
        execute 1_m 4/4: CREATE TABLE u (n int)
        record 1_m applied
        restore settings
        --",
    );
    check(
        Product::MariaDb,
        "LOCK TABLES t WRITE; INSERT INTO t VALUES (7); UNLOCK TABLES;",
        "claim 1_m, in flight 1-3
        execute 1_m 1/3: LOCK TABLES t WRITE
        execute 1_m 2/3: INSERT INTO t VALUES (7)
        execute 1_m 3/3: UNLOCK TABLES
        record 1_m applied
        restore settings
        --",
    );
}

#[test]
fn a_table_rebuild_suspends_foreign_keys_outside_the_transaction() {
    check(
        Product::Sqlite,
        "PRAGMA foreign_keys=OFF; CREATE TABLE n (a int); DROP TABLE o; PRAGMA foreign_keys=ON;",
        "suspend foreign keys
        begin
            claim 1_m
            execute 1_m 2/4: CREATE TABLE n (a int)
            execute 1_m 3/4: DROP TABLE o
            check foreign keys
            record 1_m applied
        commit
        restore settings
        --",
    );
}

#[test]
fn markers_turn_wrapping_off() {
    check(
        Product::PostgreSql,
        "-- windlass: no-transaction\nCREATE TABLE a (n int); CREATE TABLE b (n int);",
        "begin
            claim 1_m
            execute 1_m 1/2: CREATE TABLE a (n int)
            checkpoint 1_m 1
        commit
        --
        begin
            execute 1_m 2/2: CREATE TABLE b (n int)
            record 1_m applied
        commit
        --",
    );
    check(
        Product::PostgreSql,
        "-- windlass: no-transaction\nCALL p();",
        "claim 1_m, in flight 1
        execute 1_m 1/1: CALL p()
        record 1_m applied
        restore settings
        --",
    );
}

#[test]
fn a_secret_is_not_shown() {
    check(
        Product::PostgreSql,
        "CREATE ROLE app PASSWORD 'hunter2';",
        "begin
            claim 1_m
            execute 1_m 1/1: (not shown: it may hold a secret)
            record 1_m applied
        commit
        --",
    );
}

#[test]
fn an_empty_migration_is_recorded() {
    check(Product::PostgreSql, "-- later", "begin\nclaim 1_m\nrecord 1_m applied\ncommit\n--");
}

#[test]
fn what_cannot_be_is_refused_before_anything_runs() {
    refused(
        Product::PostgreSql,
        "-- windlass: transaction required\nVACUUM;",
        "1_m.sql:2:1: the migration requires a transaction, and this statement cannot be in it: \
         VACUUM cannot run inside a transaction block",
    );
    refused(
        Product::PostgreSql,
        "BEGIN;\nCREATE TABLE a (n int);",
        "1_m.sql:1:1: this transaction is still open at the end of the file (1_m.sql:2:1)",
    );
    refused(
        Product::PostgreSql,
        "BEGIN;\n\\d users\n",
        "1_m.sql:2:1: line 2 holds `\\d`, a command of the database's own client, which is not SQL",
    );
    refused(
        Product::Sqlite,
        "BEGIN; INSERT INTO t VALUES (1); ROLLBACK;",
        "1_m.sql:1:34: a rollback inside a migration cannot be part of a migration",
    );
}

#[test]
fn what_a_cut_would_end_too_early_is_refused() {
    refused(
        Product::PostgreSql,
        "SET LOCAL search_path = s;\nUPDATE t SET n = 1;\nCREATE INDEX CONCURRENTLY i ON t (n);\nUPDATE t SET n = 2;",
        "1_m.sql:3:1: this statement cannot be in a transaction, and what 1_m.sql:1:1 sets or locks until the \
         transaction ends would be gone after it",
    );
    assert!(
        planned(Product::PostgreSql, &[("1_m.sql", "SET LOCAL lock_timeout = 5;\nVACUUM;\nSELECT 1;")])
            .is_ok()
    );
}

#[test]
fn control_that_is_not_autocommit_alone_is_refused() {
    for sql in
        ["UPDATE t SET n = 1; ROLLBACK AND CHAIN;", "XA START 'x';", "SET autocommit = 0, sql_mode = '';"]
    {
        assert!(planned(Product::MySql, &[("1_m.sql", sql)]).is_err(), "{sql}");
    }
    assert!(
        planned(Product::MySql, &[("1_m.sql", "SET autocommit = 0; UPDATE t SET n = 1; COMMIT;")]).is_ok()
    );
}

#[test]
fn what_is_read_of_the_session_is_one_unit_with_what_left_it() {
    check(
        Product::MySql,
        "CREATE TABLE p (n int); UPDATE t SET n = n + 1; INSERT INTO l VALUES (ROW_COUNT());",
        "claim 1_m, in flight 1
        execute 1_m 1/3: CREATE TABLE p (n int)
        checkpoint 1_m 1, in flight 2-3
        execute 1_m 2/3: UPDATE t SET n = n + 1
        execute 1_m 3/3: INSERT INTO l VALUES (ROW_COUNT())
        record 1_m applied
        restore settings
        --",
    );
}

#[test]
fn enforced_foreign_keys_reach_only_what_comes_after() {
    refused(
        Product::Sqlite,
        "DELETE FROM p;\nPRAGMA foreign_keys = ON;\nDELETE FROM q;",
        "1_m.sql:2:1: a PRAGMA foreign_keys = ON between statements that change rows cannot be part of a migration",
    );
    let late =
        planned(Product::Sqlite, &[("1_m.sql", "DELETE FROM p; PRAGMA foreign_keys = ON;")]).expect("a plan");
    assert!(!late.contains("enforce"), "{late}");
    let journal = planned(Product::Sqlite, &[("1_m.sql", "PRAGMA journal_mode = OFF; DELETE FROM p;")]);
    assert!(journal.is_err());
}

#[test]
fn commits_are_grouped_on_an_empty_database_only() {
    let scripts = [("1_a.sql", "CREATE TABLE a (n int);"), ("2_b.sql", "CREATE TABLE b (n int);")];
    let migrations = Migrations::from_scripts(scripts).expect("a set of migrations");
    let inspection =
        Inspection { history: History::default(), contents: Contents::Empty, access: Access::Writable };
    let outlook =
        plan(migrations.as_slice(), &inspection, &capabilities(Product::Sqlite), &Options::default());
    let text = outlook.expect("a plan").plan.to_string();
    let expected = "begin\n    create history\n    claim 1_a\n    claim 2_b\n    execute 1_a 1/1: CREATE TABLE a (n int)\n    \
        execute 2_b 1/1: CREATE TABLE b (n int)\n    record 1_a applied\n    record 2_b applied\ncommit\n";
    assert_eq!(text, expected);
}
