//! How long a plan waits for others, and what it warns of: migrations in, text out.

use std::time::Duration;
use windlass_core::driver::{
    Access, Capabilities, Contents, Ddl, Grouping, Inspection, Product, Sessions, Surroundings,
};
use windlass_core::history::History;
use windlass_core::plan::{Options, Outlook, plan};
use windlass_core::source::Migrations;
use windlass_core::sql::Dialect;

fn capabilities(product: Product) -> Capabilities {
    let (dialect, ddl) = match product {
        Product::PostgreSql => (Dialect::Postgres, Ddl::Transactional),
        Product::Sqlite => (Dialect::Sqlite, Ddl::Transactional),
        _ => (Dialect::MySql, Ddl::ImplicitCommit),
    };
    Capabilities {
        product,
        version: "1".to_owned(),
        dialect,
        ddl,
        grouping: Grouping::UpTo(100),
        sessions: Sessions::Own,
    }
}

fn planned(
    product: Product,
    sql: &'static str,
    options: &Options,
    contents: Contents,
) -> (String, Vec<String>) {
    let migrations =
        Migrations::from_scripts([("1_m.sql", sql), ("2_n.sql", "SELECT 1")]).expect("migrations");
    let inspection = Inspection {
        history: History { exists: true, attempts: Vec::new() },
        contents,
        access: Access::Writable,
        surroundings: Surroundings::default(),
    };
    let outlook = plan(migrations.as_slice(), &inspection, &capabilities(product), options);
    let Outlook { plan, remarks, .. } = outlook.expect("a plan");
    let steps = plan
        .segments
        .iter()
        .flat_map(|segment| segment.to_string().lines().map(str::to_owned).collect::<Vec<_>>());
    let shown = steps.map(|line| line.trim().to_owned()).filter(|line| {
        !["claim", "record", "restore", "execute 2_n"].iter().any(|other| line.starts_with(other))
    });
    let remarks = remarks.iter().map(ToString::to_string).filter(|remark| remark.contains("others"));
    (shown.collect::<Vec<_>>().join("\n"), remarks.collect())
}

fn options() -> Options {
    let mut options = Options::default();
    options.allow_non_empty = true;
    options
}

fn in_use() -> Contents {
    Contents::Holds(vec!["t".to_owned()])
}

#[track_caller]
fn check_with(product: Product, options: &Options, sql: &'static str, expected: &[&str]) {
    let (text, _) = planned(product, sql, options, in_use());
    let text = text.trim_end_matches("\nbegin\ncommit").trim_end_matches("commit\nbegin");
    let text = text.replace("execute 1_m ", "");
    assert_eq!(text.lines().collect::<Vec<_>>(), expected, "\n{text}");
}

#[track_caller]
fn check(product: Product, sql: &'static str, expected: &[&str]) {
    check_with(product, &options(), sql, expected);
}

#[track_caller]
fn warns(sql: &'static str, expected: &[&str]) {
    warns_on(Product::PostgreSql, sql, expected);
}

#[track_caller]
fn warns_on(product: Product, sql: &'static str, expected: &[&str]) {
    let (_, remarks) = planned(product, sql, &options(), in_use());
    let is_of_locks = |remark: &&String| remark.contains("others are kept from");
    assert_eq!(remarks.iter().filter(is_of_locks).collect::<Vec<_>>(), expected, "{sql}");
}

const LIMIT: &str = "limit lock waits to 5 s";

#[test]
fn the_first_strong_lock_of_a_transaction_begins_the_budget() {
    check(
        Product::PostgreSql,
        "UPDATE t SET n = 1; ALTER TABLE t ADD m int; UPDATE t SET m = 2; DROP TABLE u;",
        &[
            "begin",
            "1/4: UPDATE t SET n = 1",
            LIMIT,
            "2/4: ALTER TABLE t ADD m int",
            "3/4: UPDATE t SET m = 2",
            "4/4: DROP TABLE u",
            "commit",
        ],
    );
}

#[test]
fn what_locks_nobody_out_waits_as_long_as_it_takes() {
    for sql in [
        "UPDATE t SET n = 1",
        "CREATE TABLE u (n int)",
        "COMMENT ON TABLE t IS 'x'",
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "ALTER TABLE t VALIDATE CONSTRAINT c",
        "DO $$ BEGIN PERFORM 1; END $$",
        "ANALYZE t",
    ] {
        let (text, _) = planned(Product::PostgreSql, sql, &options(), in_use());
        assert!(!text.contains("wait"), "{text}");
    }
    let new = "CREATE TABLE u (n int); CREATE INDEX i ON u (n); ALTER TABLE u ADD m int; DROP TABLE u;";
    assert!(
        !planned(Product::PostgreSql, new, &options(), in_use()).0.contains("wait"),
        "nobody uses it yet"
    );
}

#[test]
fn every_strong_lock_is_known() {
    for sql in [
        "CREATE INDEX ON t (n)",
        "CREATE UNIQUE INDEX i ON t (n)",
        "DROP INDEX i",
        "DROP VIEW v",
        "TRUNCATE t",
        "LOCK TABLE t",
        "CREATE TABLE u (n int REFERENCES t)",
        "CREATE TABLE u PARTITION OF t DEFAULT",
        "CREATE TRIGGER g AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()",
        "CREATE OR REPLACE VIEW v AS SELECT 1",
        "DO $$ BEGIN ALTER TABLE t ADD m int; END $$",
        "REFRESH MATERIALIZED VIEW v",
        "ALTER TABLE t ADD CONSTRAINT c CHECK (n > 0) NOT VALID",
        "VACUUM FULL t",
    ] {
        let (text, _) = planned(Product::PostgreSql, sql, &options(), in_use());
        assert!(text.contains(LIMIT), "{sql}: {text}");
    }
    for sql in [
        "ALTER TABLE t ADD m int",
        "CREATE INDEX i ON t (n)",
        "DROP TABLE t",
        "RENAME TABLE t TO u",
        "TRUNCATE t",
        "CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW SET NEW.n = 1",
        "CREATE TABLE u (n int, FOREIGN KEY (n) REFERENCES t (n))",
    ] {
        let (text, _) = planned(Product::MySql, sql, &options(), in_use());
        assert!(text.contains(LIMIT), "{sql}: {text}");
    }
}

#[test]
fn definitions_on_mysql_are_limited_and_rows_are_not() {
    check(
        Product::MySql,
        "ALTER TABLE t ADD m int; DROP TABLE u; UPDATE t SET m = 1; ALTER TABLE t DROP n;",
        &[
            LIMIT,
            "1/4: ALTER TABLE t ADD m int",
            "checkpoint 1_m 1, in flight 2",
            "2/4: DROP TABLE u",
            "checkpoint 1_m 2",
            "begin",
            "3/4: UPDATE t SET m = 1",
            "checkpoint 1_m 3, in flight 4",
            "commit",
            LIMIT,
            "4/4: ALTER TABLE t DROP n",
        ],
    );
}

#[test]
fn tables_of_one_statement_share_the_budget_where_each_is_limited_by_itself() {
    for (sql, limit) in [
        ("DROP TABLE a", "5 s"),
        ("DROP TABLE a, b", "2500 ms"),
        ("RENAME TABLE a TO x, b TO y", "2500 ms"),
        ("RENAME TABLE a TO x", "5 s"),
        ("ALTER TABLE a ADD FOREIGN KEY (n) REFERENCES b (n)", "2500 ms"),
        ("ALTER TABLE a ADD m int", "5 s"),
        ("CREATE INDEX i ON a (n)", "5 s"),
    ] {
        let (text, _) = planned(Product::MySql, sql, &options(), in_use());
        assert!(text.contains(&format!("limit lock waits to {limit}\n")), "{sql}: {text}");
    }
    let (text, _) = planned(Product::PostgreSql, "DROP TABLE a, b", &options(), in_use());
    assert!(text.contains(LIMIT), "the budget is one there: {text}");
}

#[test]
fn concurrent_work_waits_for_others_and_not_for_locks() {
    let mut options = options();
    options.waits.concurrent_wait = Some(Duration::from_secs(90));
    check_with(
        Product::PostgreSql,
        &options,
        "ALTER TABLE t ADD m int; CREATE INDEX CONCURRENTLY i ON t (m); DROP INDEX CONCURRENTLY j;",
        &[
            "begin",
            LIMIT,
            "1/3: ALTER TABLE t ADD m int",
            "checkpoint 1_m 1, in flight 2",
            "commit",
            "wait for other sessions up to 90 s",
            "2/3: CREATE INDEX CONCURRENTLY i ON t (m)",
            "checkpoint 1_m 2, in flight 3",
            "3/3: DROP INDEX CONCURRENTLY j",
        ],
    );
}

#[test]
fn the_directive_comes_before_the_flag_and_that_before_the_default() {
    let mut options = options();
    options.waits.lock_timeout = Some(Duration::from_millis(1500));
    let asked = ["begin", "limit lock waits to 1500 ms", "1/1: DROP TABLE t", "commit"];
    check_with(Product::PostgreSql, &options, "DROP TABLE t", &asked);
    let own = ["begin", "limit lock waits to 2 min", "1/1: DROP TABLE t", "commit"];
    check_with(Product::PostgreSql, &options, "-- windlass: lock-timeout 2min\nDROP TABLE t", &own);
    check(
        Product::PostgreSql,
        "-- windlass: lock-timeout 0s\nDROP TABLE t",
        &["begin", "1/1: DROP TABLE t", "commit"],
    );
}

#[test]
fn a_file_s_own_patience_stays_where_nobody_says_otherwise() {
    check(Product::Sqlite, "DROP TABLE t", &["begin", "1/1: DROP TABLE t", "commit"]);
    let own = ["limit lock waits to 1 s", "begin", "1/1: DROP TABLE t", "commit"];
    check(Product::Sqlite, "-- windlass: lock-timeout 1s\nDROP TABLE t", &own);
}

#[test]
fn what_the_script_says_of_its_waits_holds() {
    let (set, alter) = ("SET lock_timeout = '1s'", "ALTER TABLE t ADD m int");
    check(
        Product::PostgreSql,
        "SET lock_timeout = '1s'; ALTER TABLE t ADD m int",
        &["begin", &format!("1/2: {set}"), &format!("2/2: {alter}"), "commit"],
    );
    check(
        Product::PostgreSql,
        "DROP TABLE u; SET LOCAL lock_timeout = '1s'; ALTER TABLE t ADD m int",
        &[
            "begin",
            LIMIT,
            "1/3: DROP TABLE u",
            "leave lock waits to the script",
            "2/3: SET LOCAL lock_timeout = '1s'",
            "3/3: ALTER TABLE t ADD m int",
            "commit",
        ],
    );
    check(
        Product::MySql,
        "SET lock_wait_timeout = 1; ALTER TABLE t ADD m int",
        &["1/2: SET lock_wait_timeout = 1", "checkpoint 1_m 1, in flight 2", "2/2: ALTER TABLE t ADD m int"],
    );
}

#[test]
fn on_an_empty_database_there_is_nobody_to_protect() {
    let sql = "ALTER TABLE t ADD m int; ALTER TABLE u ADD m int; UPDATE t SET m = 1";
    let (text, remarks) = planned(Product::PostgreSql, sql, &options(), Contents::Empty);
    assert!(!text.contains("wait") && remarks.is_empty(), "{text}\n{remarks:?}");
}

#[test]
fn a_constraint_is_validated_in_a_transaction_of_its_own() {
    check(
        Product::PostgreSql,
        "ALTER TABLE t ADD CONSTRAINT c CHECK (n > 0) NOT VALID; ALTER TABLE t VALIDATE CONSTRAINT c;",
        &[
            "begin",
            LIMIT,
            "1/2: ALTER TABLE t ADD CONSTRAINT c CHECK (n > 0) NOT VALID",
            "checkpoint 1_m 1",
            "commit",
            "begin",
            "2/2: ALTER TABLE t VALIDATE CONSTRAINT c",
            "commit",
        ],
    );
    for whole in [
        "-- windlass: transaction required\nALTER TABLE t ADD CONSTRAINT c CHECK (n > 0) NOT VALID; ALTER TABLE t VALIDATE CONSTRAINT c;",
        "BEGIN; ALTER TABLE t ADD CONSTRAINT c CHECK (n > 0) NOT VALID; ALTER TABLE t VALIDATE CONSTRAINT c; COMMIT;",
        "SET LOCAL role = 'x'; ALTER TABLE t ADD CONSTRAINT c CHECK (n > 0) NOT VALID; ALTER TABLE t VALIDATE CONSTRAINT c;",
    ] {
        assert!(
            !planned(Product::PostgreSql, whole, &options(), in_use()).0.contains("checkpoint"),
            "{whole}"
        );
    }
}

#[test]
fn several_strong_locks_in_one_transaction_are_told() {
    warns(
        "ALTER TABLE t ADD m int; ALTER TABLE app.u ADD m int;",
        &["1_m: others are kept from t, app.u at once: each is held while the next is waited for; \
           a migration for each would not"],
    );
    warns("ALTER TABLE t ADD m int; ALTER TABLE t ADD o int; CREATE TABLE u (n int);", &[]);
    warns("ALTER TABLE t ADD m int; CREATE INDEX CONCURRENTLY i ON t (m); ALTER TABLE u ADD m int;", &[]);
    // The tables that a view reads stay everybody's.
    warns("CREATE OR REPLACE VIEW v AS SELECT id, n FROM c;", &[]);
}

#[test]
fn long_work_under_a_strong_lock_is_told() {
    warns(
        "ALTER TABLE t ADD m int; UPDATE t SET m = 1;",
        &["1_m: others are kept from t (locked by statement 1) during a change of rows (statement 2); \
           a migration of its own would not"],
    );
    for (sql, work) in [
        ("CREATE INDEX i ON t (n)", "an index build"),
        ("ALTER TABLE t ALTER COLUMN n TYPE bigint", "a table rewrite"),
        ("ALTER TABLE t ADD CONSTRAINT c CHECK (n > 0)", "the validation of a constraint"),
        ("ALTER TABLE t ADD PRIMARY KEY (n)", "an index build"),
        ("ALTER TABLE t ALTER n SET NOT NULL", "the validation of a constraint"),
    ] {
        let migrations: &'static str = sql;
        warns(migrations, &[&format!("1_m: others are kept from t during {work} (statement 1)")]);
    }
    warns("UPDATE t SET n = 1; ALTER TABLE t ADD m int;", &[]);
    warns("CREATE TABLE u (n int); CREATE INDEX i ON u (n); INSERT INTO u SELECT 1;", &[]);
}

#[test]
fn on_mysql_a_statement_s_own_work_and_its_several_tables_are_told() {
    for (sql, work) in [
        ("ALTER TABLE t CONVERT TO CHARACTER SET utf8mb4", "a table rewrite"),
        ("ALTER TABLE t ADD m int, ALGORITHM=COPY", "a table rewrite"),
        ("ALTER TABLE t MODIFY n bigint", "what may be a table rewrite"),
        ("ALTER TABLE t ADD FULLTEXT INDEX i (n)", "an index build"),
        ("CREATE FULLTEXT INDEX i ON t (n)", "an index build"),
    ] {
        warns_on(Product::MySql, sql, &[&format!("1_m: others are kept from t during {work} (statement 1)")]);
    }
    for sql in [
        "ALTER TABLE t ADD m int",
        "CREATE INDEX i ON t (n)",
        "ALTER TABLE t MODIFY n bigint, LOCK=NONE",
        "UPDATE t SET n = 1",
        "CREATE TABLE u (n int); ALTER TABLE u MODIFY n bigint",
        "RENAME TABLE t TO u",
    ] {
        warns_on(Product::MySql, sql, &[]);
    }
    let several = "1_m: others are kept from t, u at once: each is held while the next is waited for; a migration for each would not";
    warns_on(Product::MySql, "DROP TABLE t, u", &[several]);
    warns_on(Product::MySql, "RENAME TABLE t TO old, u TO t", &[several]);
    warns_on(
        Product::MySql,
        "LOCK TABLES t WRITE; UPDATE t SET n = 1; UNLOCK TABLES",
        &["1_m: others are kept from t (locked by statement 1) during a change of rows (statement 2); \
           a migration of its own would not"],
    );
}

#[test]
fn on_sqlite_what_keeps_others_from_writing_for_long_is_told() {
    for (sql, work) in [
        ("UPDATE t SET n = 1", "a change of rows"),
        ("CREATE INDEX i ON t (n)", "an index build"),
        ("INSERT INTO u SELECT n FROM t", "a change of rows"),
        ("ALTER TABLE t DROP COLUMN n", "a table rewrite"),
    ] {
        let told = format!("1_m: others are kept from writing to the database during {work} (statement 1)");
        warns_on(Product::Sqlite, sql, &[&told]);
    }
    for sql in [
        "UPDATE t SET n = 1 WHERE n = 2",
        "INSERT INTO t VALUES (1)",
        "ALTER TABLE t ADD n int",
        "CREATE TABLE u (n int); CREATE INDEX i ON u (n)",
        "-- windlass: repeat\nUPDATE t SET n = 1 WHERE n <> 1",
    ] {
        warns_on(Product::Sqlite, sql, &[]);
    }
}
