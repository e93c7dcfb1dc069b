//! Plans, as they read: migrations, history and capabilities in, text out.

use std::fmt::Write;
use windlass_core::driver::{
    Access, Capabilities, Contents, Ddl, Grouping, Inspection, Product, Sessions, Surroundings,
};
use windlass_core::history::History;
use windlass_core::plan::{Blocked, Options, Resolution, Step, baseline, plan, resolve};
use windlass_core::source::Migrations;
use windlass_core::sql::Dialect;

fn capabilities(product: Product) -> Capabilities {
    let (dialect, ddl, grouping) = match product {
        Product::PostgreSql => (Dialect::Postgres, Ddl::Transactional, Grouping::UpTo(100)),
        Product::Sqlite => (Dialect::Sqlite, Ddl::Transactional, Grouping::UpTo(100)),
        _ => (Dialect::MySql, Ddl::ImplicitCommit, Grouping::Never),
    };
    Capabilities { product, version: "1".to_owned(), dialect, ddl, grouping, sessions: Sessions::Own }
}

fn planned(product: Product, scripts: &[(&'static str, &'static str)]) -> Result<String, Blocked> {
    planned_with(&capabilities(product), scripts, false)
}

fn planned_with(
    capabilities: &Capabilities,
    scripts: &[(&'static str, &'static str)],
    allow_pooler: bool,
) -> Result<String, Blocked> {
    let migrations = Migrations::from_scripts(scripts.iter().copied()).expect("a set of migrations");
    let mut options = Options::default();
    options.allow_non_empty = true;
    options.allow_pooler = allow_pooler;
    let inspection = inspection();
    let outlook = plan(migrations.as_slice(), &inspection, capabilities, &options)?;
    let mut text = String::new();
    for mut segment in outlook.plan.segments {
        // How long is waited for others has tests of its own: `plan_waits.rs`.
        segment.steps.retain(|step| !matches!(step, Step::LimitWaits(_)));
        writeln!(text, "{segment}--").expect("a string takes everything");
    }
    Ok(text)
}

/// Of a database with a history that is empty.
fn inspection() -> Inspection {
    Inspection {
        history: History { exists: true, attempts: Vec::new() },
        contents: Contents::Holds(vec!["x".to_owned()]),
        access: Access::Writable,
        surroundings: Surroundings::default(),
    }
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
    // What code does, nobody reads off its text.
    let code = "ALTER TYPE mood ADD VALUE 'ok'; DO $$ BEGIN EXECUTE 'x' || 'y'; END $$;";
    let text = planned(Product::PostgreSql, &[("1_m.sql", code)]).expect("a plan");
    assert!(text.contains("checkpoint 1_m 1\n"), "{text}");
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
fn a_table_rebuild_is_one_transaction_whatever_its_marker_says() {
    check(
        Product::Sqlite,
        "-- windlass: no-transaction\nDELETE FROM a; PRAGMA foreign_keys=OFF; CREATE TABLE n (a int); DROP TABLE o; \
         PRAGMA foreign_keys=ON; DELETE FROM b; DELETE FROM c;",
        "suspend foreign keys
        begin
            claim 1_m
            execute 1_m 1/7: DELETE FROM a
            check foreign keys
            checkpoint 1_m 2
        commit
        --
        begin
            execute 1_m 3/7: CREATE TABLE n (a int)
            execute 1_m 4/7: DROP TABLE o
            check foreign keys
            checkpoint 1_m 5
        commit
        --
        begin
            execute 1_m 6/7: DELETE FROM b
            check foreign keys
            checkpoint 1_m 6
        commit
        --
        begin
            execute 1_m 7/7: DELETE FROM c
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

/// By what PostgreSQL evaluates with it: a function may be behind any default, check or view.
#[test]
fn a_statement_that_evaluates_nothing_leaves_its_session_alone() {
    let leaves_alone = |sql: &'static str| {
        let capabilities = capabilities(Product::PostgreSql);
        let migrations = Migrations::from_scripts([("1_m.sql", sql)]).expect("a set of migrations");
        let inspection = inspection();
        let mut options = Options::default();
        options.allow_non_empty = true;
        let outlook = plan(migrations.as_slice(), &inspection, &capabilities, &options).expect("a plan");
        let steps = outlook.plan.segments.iter().flat_map(|segment| &segment.steps);
        let executes = steps.filter_map(|step| match step {
            Step::Execute(execute) => Some(execute.leaves_session_alone),
            _ => None,
        });
        executes.collect::<Vec<_>>()
    };
    for sql in [
        "CREATE TABLE t (a int DEFAULT f(), CHECK (g(a)))",
        "CREATE INDEX ON t (lower(a))",
        "CREATE VIEW v AS SELECT f() FROM t",
        "CREATE TYPE mood AS ENUM ('good')",
    ] {
        assert_eq!(leaves_alone(sql), [true], "{sql}");
    }
    for sql in [
        "CREATE TABLE t AS SELECT a FROM v",
        "CREATE TABLE p PARTITION OF t DEFAULT",
        "CREATE TEMP TABLE t (a int)",
        "CREATE MATERIALIZED VIEW v AS SELECT 1",
        "ALTER TABLE t ADD a int",
        "INSERT INTO t VALUES (1)",
        "SELECT 1",
        "SET work_mem = '1MB'",
        "DO 'BEGIN END'",
    ] {
        assert_eq!(leaves_alone(sql), [false], "{sql}");
    }
}

#[test]
fn what_a_function_may_have_set_is_taken_back() {
    let restores = |sql: &'static str| {
        let text = planned(Product::PostgreSql, &[("1_m.sql", sql)]).expect("a plan");
        text.contains("restore")
    };
    for sql in [
        "CREATE TABLE t AS SELECT f()",
        "INSERT INTO t VALUES (f())",
        "SELECT f()",
        "ALTER TABLE t ADD CHECK (f(a))",
    ] {
        assert!(restores(sql), "{sql}");
    }
    assert!(!restores("CREATE TABLE t (a int); INSERT INTO t VALUES (lower('A'))"));
    // A default, a check or a view may call what stands already, or what a script before makes.
    let code =
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE TABLE t (a int DEFAULT f());";
    let scripts = [
        ("1_f.sql", code),
        ("2_t.sql", "INSERT INTO t VALUES (DEFAULT)"),
        ("3_u.sql", "CREATE TABLE u (a int)"),
    ];
    let text = planned(Product::PostgreSql, &scripts).expect("a plan");
    let behind = text.split("execute 2_t").nth(1).expect("the second");
    assert_eq!(behind.matches("restore").count(), 1, "{text}");
    assert!(behind.find("restore") < behind.find("execute 3_u"), "{text}");
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
    for (sql, told) in [
        ("LOCK TABLES t WRITE;\nINSERT INTO t VALUES (1);\nUNLOCK TABLES;", "2:1: {}: it commits implicitly"),
        ("SELECT 1;\nSELECT GET_LOCK('a', 1);", "3:1: {}: advisory locks belong to the session"),
        ("SELECT 1;\nCALL p();", "3:1: {}: what it runs is not known, and may commit"),
    ] {
        let script = format!("-- windlass: transaction required\n{sql}");
        let blocked = planned(Product::MySql, &[("1_m.sql", Box::leak(script.into_boxed_str()))]);
        let why = "the migration requires a transaction, and this statement cannot be in it";
        let expected = format!("1_m.sql:{}", told.replace("{}", why));
        assert_eq!(blocked.expect_err("no plan").to_string(), expected);
    }
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
    let blocked = planned(Product::PostgreSql, &[("1_m.sql", "\\i other.sql\n")]).expect_err("no plan");
    assert!(blocked.hint().is_some_and(|hint| hint.starts_with("write what it does as SQL")), "{blocked:?}");
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
    for held in [
        "SELECT set_config('app.a', '1', true);\nUPDATE t SET n = 1",
        "SELECT pg_catalog.set_config('app.a', lower('X'), is_local => true), 1;\nSELECT 1",
        "SELECT 1;\nLOCK TABLE t IN EXCLUSIVE MODE",
    ] {
        let script: &'static str = format!("{held};\nVACUUM;\nUPDATE t SET n = 2;").leak();
        let blocked = planned(Product::PostgreSql, &[("1_m.sql", script)]).expect_err("no plan");
        assert!(matches!(blocked, Blocked::CutChangesMeaning { .. }), "{held}: {blocked}");
    }
    // For the session, whatever is for the transaction besides.
    for set in
        ["set_config('app.a', '1', false)", "set_config('a.b', '1', true), set_config('c.d', '1', false)"]
    {
        let script: &'static str = format!("SELECT {set};\nSELECT 1;\nVACUUM;\nUPDATE t SET n = 2;").leak();
        assert!(planned(Product::PostgreSql, &[("1_m.sql", script)]).is_ok(), "{set}");
    }
}

#[test]
fn a_lock_that_a_cut_would_end_at_once_is_refused() {
    refused(
        Product::PostgreSql,
        "LOCK TABLE t IN EXCLUSIVE MODE;\nVACUUM;\nUPDATE t SET n = 3;",
        "1_m.sql:2:1: this statement cannot be in a transaction, and what 1_m.sql:1:1 sets or locks until the \
         transaction ends would be gone after it",
    );
}

#[test]
fn a_savepoint_needs_the_transaction_that_a_marker_turns_off() {
    for product in [Product::PostgreSql, Product::Sqlite] {
        refused(
            product,
            "-- windlass: no-transaction\nSAVEPOINT a;\nINSERT INTO t VALUES (1);\nRELEASE a;",
            "1_m.sql:2:1: this statement holds until its transaction ends, and `no-transaction` gives it none with others",
        );
        let inside =
            "-- windlass: no-transaction\nBEGIN; SAVEPOINT a; INSERT INTO t VALUES (1); RELEASE a; COMMIT;";
        assert!(planned(product, &[("1_m.sql", inside)]).is_ok());
    }
}

#[test]
fn what_is_attached_is_let_go_of_behind_its_transaction() {
    check(
        Product::Sqlite,
        "ATTACH 'o.db' AS o;\nCREATE TABLE o.x (y);\nDETACH o;",
        "begin
            claim 1_m
            execute 1_m 1/3: (not shown: it may hold a secret)
            execute 1_m 2/3: CREATE TABLE o.x (y)
            checkpoint 1_m 2, in flight 3
        commit
        --
        execute 1_m 3/3: DETACH o
        record 1_m applied
        restore settings
        --",
    );
}

#[test]
fn a_placeholder_that_nobody_fills_in_is_refused() {
    for product in [Product::PostgreSql, Product::MySql, Product::Sqlite] {
        refused(
            product,
            "SELECT 1;\nCREATE TABLE\n  ${schema}.d (n int);",
            "1_m.sql:3:3: nobody fills `${schema}` in",
        );
        let data = "INSERT INTO t VALUES ('${n}'); -- ${n}\n/* ${n} */";
        assert!(planned(product, &[("1_m.sql", data)]).is_ok());
    }
}

#[test]
fn a_lock_needs_the_transaction_that_a_marker_turns_off() {
    refused(
        Product::PostgreSql,
        "-- windlass: no-transaction\nLOCK TABLE t IN EXCLUSIVE MODE;\nUPDATE t SET n = 1;",
        "1_m.sql:2:1: this statement holds until its transaction ends, and `no-transaction` gives it none with others",
    );
    for held in [
        "LOCK TABLE t; UPDATE t SET n = 1;",
        "-- windlass: no-transaction\nBEGIN; LOCK TABLE t; UPDATE t SET n = 1; COMMIT; VACUUM t;",
    ] {
        let text = planned(Product::PostgreSql, &[("1_m.sql", held)]).expect("a plan");
        let begins = text.split("commit").next().expect("a transaction");
        assert!(begins.contains("LOCK TABLE t") && begins.contains("UPDATE"), "{text}");
    }
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
    let inspection = Inspection {
        history: History::default(),
        contents: Contents::Empty,
        access: Access::Writable,
        surroundings: Surroundings::default(),
    };
    let outlook =
        plan(migrations.as_slice(), &inspection, &capabilities(Product::Sqlite), &Options::default());
    let text = outlook.expect("a plan").plan.to_string();
    let expected = "begin\n    create history\n    claim 1_a\n    claim 2_b\n    execute 1_a 1/1: CREATE TABLE a (n int)\n    \
        execute 2_b 1/1: CREATE TABLE b (n int)\n    record 1_a applied\n    record 2_b applied\ncommit\n";
    assert_eq!(text, expected);
}

const BACKFILL: &str = "ALTER TABLE t ADD COLUMN c int;\n-- windlass: repeat pause 100ms until 9_000 rows\n\
    UPDATE t SET c = 1 WHERE id IN (SELECT id FROM t WHERE c IS NULL LIMIT 5000);\n\
    UPDATE t SET c = c + 1;";

#[test]
fn a_repeated_statement_stands_between_two_transactions() {
    for product in [Product::PostgreSql, Product::Sqlite] {
        check(
            product,
            BACKFILL,
            "begin
                claim 1_m
                execute 1_m 1/3: ALTER TABLE t ADD COLUMN c int
                checkpoint 1_m 1
            commit
            --
            repeat 1_m 2/3 until it touches no row or has touched 9000 rows, with a pause of 100 ms: UPDATE t SET c = 1 WHERE id IN (SELECT id FROM t WHERE c IS NULL LIMIT 5000)
            --
            checkpoint 1_m 2
            --
            begin
                execute 1_m 3/3: UPDATE t SET c = c + 1
                record 1_m applied
            commit
            --",
        );
    }
    check(
        Product::MySql,
        BACKFILL,
        "claim 1_m, in flight 1
        execute 1_m 1/3: ALTER TABLE t ADD COLUMN c int
        checkpoint 1_m 1
        --
        repeat 1_m 2/3 until it touches no row or has touched 9000 rows, with a pause of 100 ms: UPDATE t SET c = 1 WHERE id IN (SELECT id FROM t WHERE c IS NULL LIMIT 5000)
        --
        checkpoint 1_m 2
        --
        begin
            execute 1_m 3/3: UPDATE t SET c = c + 1
            record 1_m applied
        commit
        --",
    );
}

#[test]
fn a_claim_is_committed_before_the_first_run_of_a_repeated_statement() {
    for product in [Product::PostgreSql, Product::MySql, Product::Sqlite] {
        check(
            product,
            "-- windlass: repeat\nDELETE FROM t WHERE c = 1 LIMIT 5;",
            "claim 1_m
            --
            repeat 1_m 1/1 until it touches no row: DELETE FROM t WHERE c = 1 LIMIT 5
            --
            record 1_m applied
            --",
        );
    }
}

#[test]
fn what_can_be_repeated_is_repeated() {
    let repeated = |product, sql: &str| {
        let script = format!("-- windlass: repeat\n{sql};");
        let text = planned(product, &[("1_m.sql", Box::leak(script.into_boxed_str()))]);
        let text = text.unwrap_or_else(|blocked| panic!("{sql}: {blocked}"));
        assert!(text.contains("repeat 1_m 1/1"), "{text}");
    };
    for product in [Product::PostgreSql, Product::MySql, Product::Sqlite] {
        for sql in [
            "UPDATE t SET a = 1 WHERE a IS NULL",
            "WITH some AS (SELECT id FROM t WHERE a IS NULL LIMIT 5) UPDATE t SET a = 1 WHERE id IN (SELECT id FROM some)",
            "WITH x (i) AS (SELECT 1), y AS (SELECT 2) DELETE FROM t WHERE id IN (SELECT i FROM x)",
            "INSERT INTO t SELECT * FROM old WHERE NOT EXISTS (SELECT 1 FROM t WHERE t.id = old.id) LIMIT 5",
            "update t set a = my_function(a) where a > 0",
        ] {
            repeated(product, sql);
        }
    }
    repeated(
        Product::PostgreSql,
        "WITH gone AS (DELETE FROM a WHERE id < 9 RETURNING *) INSERT INTO b SELECT * FROM gone",
    );
    repeated(Product::PostgreSql, "DELETE FROM a WHERE id < 9 RETURNING id");
    repeated(Product::MySql, "UPDATE t SET a = 1 WHERE a IS NULL ORDER BY id LIMIT 5");
    repeated(Product::MySql, "REPLACE INTO t SELECT * FROM old WHERE moved = 0 LIMIT 5");
}

#[test]
fn what_cannot_be_repeated_is_refused_with_its_place() {
    let cannot = |product, sql: &str, why: &str| {
        let script = format!("SELECT 1;\n-- windlass: repeat\n  {sql};");
        let blocked = planned(product, &[("1_m.sql", Box::leak(script.into_boxed_str()))]);
        let blocked = blocked.expect_err("a reason why there is no plan").to_string();
        assert!(blocked.starts_with("1_m.sql:3:3: this statement cannot be repeated: "), "{blocked}");
        assert!(blocked.contains(why), "{blocked}");
    };
    for product in [Product::PostgreSql, Product::MySql, Product::Sqlite] {
        for (sql, why) in [
            ("UPDATE t SET a = 1", "without WHERE"),
            ("UPDATE t SET a = 1 LIMIT 5000", "without WHERE"),
            ("DELETE FROM t", "without WHERE"),
            ("UPDATE t SET a = (SELECT 1 FROM u WHERE u.id = t.id)", "without WHERE"),
            ("WITH x AS (SELECT 1 WHERE 1 = 1) DELETE FROM t", "without WHERE"),
            ("INSERT INTO t VALUES (1)", "the same rows"),
            ("SELECT 1 WHERE 1 = 1", "it reads"),
            ("WITH x AS (SELECT 1) SELECT * FROM x", "it reads"),
            ("CREATE TABLE x (n int)", "it is no INSERT"),
            ("ALTER TABLE x ADD y int", "it is no INSERT"),
            ("BEGIN", "it is no INSERT"),
        ] {
            cannot(product, sql, why);
        }
    }
    cannot(Product::PostgreSql, "CALL p()", "it is no INSERT");
    cannot(Product::PostgreSql, "TRUNCATE t", "it is no INSERT");
    cannot(Product::PostgreSql, "VACUUM t", "it is no INSERT");
    cannot(Product::MySql, "UPDATE t SET a = (@n := @n + 1) WHERE a = 0", "user variables");
    cannot(Product::MySql, "DELETE FROM t WHERE a = 0 RETURNING id", "RETURNING");
    cannot(Product::Sqlite, "DELETE FROM t WHERE a = 0; PRAGMA foreign_keys = OFF", "foreign keys");
    refused(
        Product::MySql,
        "SELECT max(a) INTO @n FROM u;\n-- windlass: repeat\nDELETE FROM t WHERE a = 0;\nINSERT INTO u VALUES (@n);",
        "1_m.sql:3:1: this statement cannot be repeated: it stands among statements that session state ties \
         together, from 1_m.sql:1:1 to 1_m.sql:4:1",
    );
}

#[test]
fn a_repeat_is_no_part_of_a_transaction_that_the_file_asks_for() {
    for product in [Product::PostgreSql, Product::MySql, Product::Sqlite] {
        refused(
            product,
            "BEGIN;\n-- windlass: repeat\nDELETE FROM t WHERE a = 0;\nCOMMIT;",
            "1_m.sql:3:1: this statement cannot be in the transaction begun at 1_m.sql:1:1: \
             `repeat` runs it in transactions of its own",
        );
        refused(
            product,
            "-- windlass: transaction required\n-- windlass: repeat\nDELETE FROM t WHERE a = 0;",
            "1_m.sql:3:1: the migration requires a transaction, and this statement cannot be in it: \
             `repeat` runs it in transactions of its own",
        );
    }
    refused(
        Product::PostgreSql,
        "SET LOCAL work_mem = '1GB';\nUPDATE t SET a = 0;\n-- windlass: repeat\nDELETE FROM t WHERE a = 0;\nUPDATE t SET a = 1;",
        "1_m.sql:4:1: this statement cannot be in a transaction, and what 1_m.sql:1:1 sets or locks until the \
         transaction ends would be gone after it",
    );
}

#[test]
fn through_a_pooler_there_is_nothing_but_whole_transactions() {
    let pooled = Capabilities { sessions: Sessions::Pooled, ..capabilities(Product::PostgreSql) };
    let whole = [
        ("1_a", "CREATE TABLE a (n int);\nSET search_path = '';\nINSERT INTO public.a VALUES (1);"),
        ("2_b", ""),
    ];
    let direct = planned(Product::PostgreSql, &whole).expect("a plan");
    assert_eq!(planned_with(&pooled, &whole, false).expect("a plan"), direct);
    for (more, line) in [
        ("CREATE TABLE b (n int);\nCREATE INDEX CONCURRENTLY i ON b (n);", 2),
        ("VACUUM;", 1),
        ("-- windlass: no-transaction\nCREATE TABLE b (n int);\nCREATE TABLE c (n int);", 3),
        ("-- windlass: repeat\nUPDATE a SET n = 2 WHERE n = 1;", 2),
        ("ALTER TYPE t ADD VALUE 'x';\nINSERT INTO a VALUES ('x');", 2),
        ("BEGIN;\nCREATE TABLE b (n int);\nCOMMIT;\nBEGIN;\nCREATE TABLE c (n int);\nCOMMIT;", 5),
    ] {
        let scripts = [whole[0], ("2_more", more)];
        let Err(Blocked::NeedsSession { name, place, .. }) = planned_with(&pooled, &scripts, false) else {
            panic!("{more}: not refused")
        };
        assert_eq!((name.as_str(), place.map(|place| place.line)), ("2_more", Some(line)), "{more}");
        let direct = planned(Product::PostgreSql, &scripts).expect("a plan");
        assert_eq!(planned_with(&pooled, &scripts, true).expect("allowed"), direct);
    }
}

#[test]
fn an_empty_database_holds_what_nothing_is_to_be_seen_of() {
    let inspection = Inspection {
        history: History::default(),
        contents: Contents::Empty,
        access: Access::Writable,
        surroundings: Surroundings::default(),
    };
    let is_believed = |product, sql: &'static str| {
        let migrations = Migrations::from_scripts([("1_m.sql", sql)]).expect("a set of migrations");
        let (all, capabilities) = (migrations.as_slice(), capabilities(product));
        let applied = (Resolution::Applied, "1_m");
        let resolved = resolve(all, &inspection, &capabilities, applied, "", false);
        let recorded = baseline(all, &inspection, &capabilities, "1_m", false);
        assert_eq!(resolved.is_ok(), recorded.is_ok(), "{sql}");
        assert!(resolve(all, &inspection, &capabilities, applied, "", true).is_ok(), "{sql}");
        resolved.is_ok()
    };
    for sql in [
        "-- nothing yet",
        "CREATE EXTENSION IF NOT EXISTS pg_trgm; COMMENT ON EXTENSION pg_trgm IS 'words'",
        "CREATE ROLE reports; GRANT reports TO ada; ALTER ROLE reports SET search_path TO app",
        "CREATE SCHEMA app; GRANT USAGE ON SCHEMA app TO reports",
        "ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT SELECT ON TABLES TO reports",
        "SET TIME ZONE 'UTC'; SELECT 1; DROP TABLE IF EXISTS earlier",
    ] {
        assert!(is_believed(Product::PostgreSql, sql), "{sql}");
    }
    for sql in [
        "CREATE TABLE t (a int)",
        "CREATE EXTENSION pg_trgm; CREATE TABLE t (a int)",
        "CREATE SCHEMA app CREATE TABLE t (a int)",
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE TYPE mood AS ENUM ('calm')",
        "INSERT INTO t VALUES (1)",
        "ALTER TABLE t ADD b int",
        "DO $$ BEGIN CREATE TABLE t (a int); END $$",
    ] {
        assert!(!is_believed(Product::PostgreSql, sql), "{sql}");
    }
    assert!(is_believed(Product::MySql, "GRANT SELECT ON shop.* TO ada; CREATE USER bob"));
    assert!(!is_believed(Product::MySql, "CREATE VIEW v AS SELECT 1"));
    assert!(is_believed(Product::Sqlite, "PRAGMA user_version = 3"));
    assert!(!is_believed(Product::Sqlite, "CREATE TABLE t (a)"));
}
