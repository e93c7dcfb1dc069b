//! What the text tells of a statement's outcome: how it changes definitions, whether its repetition harms.

use windlass_core::sql::Dialect::{self, MySql, Postgres, Sqlite};
use windlass_core::sql::classify::{Concurrently, Definition, classify};

#[track_caller]
fn defines(dialect: Dialect, definition: Option<Definition>, statements: &[&str]) {
    for statement in statements {
        assert_eq!(classify(dialect, statement).definition, definition, "{statement}");
    }
}

#[test]
fn definitions_are_told_by_tokens_alone() {
    use Definition::{Alter, Create, Drop, Fill, Move, Refill, Rename, Replace};
    defines(
        MySql,
        Some(Create),
        &[
            "CREATE TABLE t (a int COMMENT 'SELECT')",
            "CREATE /* OR REPLACE */ TABLE t (a int)",
            "CREATE VIEW v AS SELECT 1",
            "CREATE TABLE t (a int) -- SELECT",
            "CREATE TABLE `select` (a int)",
            "CREATE TABLE t (a int) PARTITION BY RANGE (a) (PARTITION p VALUES LESS THAN (1))",
        ],
    );
    defines(
        MySql,
        Some(Replace),
        &["CREATE OR REPLACE VIEW v AS SELECT 1", "CREATE OR REPLACE TABLE t (a int)"],
    );
    defines(
        MySql,
        Some(Fill),
        &["CREATE TABLE t SELECT 1", "CREATE TABLE t (a int) AS (SELECT 1)", "CREATE TABLE t TABLE u"],
    );
    defines(
        MySql,
        Some(Refill),
        &["CREATE OR REPLACE TABLE t SELECT 1", "CREATE OR REPLACE TABLE t (a int) AS SELECT 1"],
    );
    defines(
        MySql,
        Some(Alter),
        &[
            "ALTER TABLE t COMMENT = 'EXCHANGE'",
            "ALTER TABLE t ADD a int /* TRUNCATE */",
            "ALTER VIEW v AS SELECT 1",
        ],
    );
    defines(
        MySql,
        Some(Move),
        &["ALTER TABLE t EXCHANGE PARTITION p WITH TABLE u", "ALTER TABLE t TRUNCATE PARTITION p"],
    );
    defines(MySql, Some(Drop), &["DROP TABLE t, u", "DROP INDEX i ON t"]);
    defines(MySql, Some(Rename), &["RENAME TABLE a TO b"]);
    defines(MySql, None, &["INSERT INTO t VALUES ('DROP TABLE t')", "SET x = 1", "DROP DATABASE d"]);
}

#[test]
fn repeating_is_harmless_or_not() {
    let harmless = [
        (Postgres, "VACUUM t"),
        (Postgres, "COMMENT ON TABLE t IS 'x'"),
        (Postgres, "REINDEX TABLE CONCURRENTLY t"),
        (Postgres, "ALTER SYSTEM SET work_mem = '1MB'"),
        (Postgres, "DROP INDEX CONCURRENTLY IF EXISTS i"),
        (Postgres, "SELECT count(*) FROM t"),
        (MySql, "CREATE TABLE IF NOT EXISTS t (a int COMMENT 'SELECT')"),
        (MySql, "CREATE OR REPLACE ALGORITHM = MERGE DEFINER = 'a'@'b' VIEW v AS SELECT 1"),
        (MySql, "CREATE VIEW IF NOT EXISTS v AS SELECT 1"),
        (MySql, "DROP TABLE IF EXISTS t"),
        (Sqlite, "CREATE UNIQUE INDEX IF NOT EXISTS i ON t (a)"),
    ];
    let harmful = [
        (Postgres, "CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON t (a)"),
        (Postgres, "CREATE TABLE t (a int) /* IF NOT EXISTS */"),
        (Postgres, "SELECT move_rows()"),
        (Postgres, "INSERT INTO t SELECT 1"),
        (MySql, "CREATE TABLE IF NOT EXISTS t SELECT 1"),
        (MySql, "CREATE OR REPLACE TABLE t (a int)"),
        (MySql, "CREATE TABLE t (a int COMMENT 'IF NOT EXISTS')"),
        (MySql, "SELECT a FROM t WHERE id = LAST_INSERT_ID()"),
        (MySql, "DROP TABLE t -- IF EXISTS"),
    ];
    for (dialect, statement) in harmless {
        assert!(classify(dialect, statement).repeats_harmlessly, "{statement}");
    }
    for (dialect, statement) in harmful {
        assert!(!classify(dialect, statement).repeats_harmlessly, "{statement}");
    }
}

#[test]
fn what_works_in_several_transactions_is_known() {
    for (statement, expected) in [
        ("CREATE INDEX CONCURRENTLY i ON t (a)", Some(Concurrently::CreateIndex)),
        ("DROP INDEX CONCURRENTLY i", Some(Concurrently::DropIndex)),
        ("REINDEX (CONCURRENTLY) TABLE t", Some(Concurrently::Reindex)),
        ("ALTER TABLE t DETACH PARTITION p CONCURRENTLY", Some(Concurrently::DetachPartition)),
        ("ALTER TABLE t DETACH PARTITION p", None),
        ("REFRESH MATERIALIZED VIEW CONCURRENTLY v", None),
        ("VACUUM", None),
    ] {
        assert_eq!(classify(Postgres, statement).concurrently, expected, "{statement}");
    }
}

#[test]
fn giving_the_rollback_up_is_told_by_the_value() {
    for (statement, expected) in [
        ("PRAGMA journal_mode = OFF", true),
        ("PRAGMA main.journal_mode('off')", true),
        ("PRAGMA journal_mode = o", true),
        ("PRAGMA journal_mode = WAL -- OFF", false),
        ("PRAGMA journal_mode = /* OFF */ DELETE", false),
    ] {
        assert_eq!(classify(Sqlite, statement).gives_rollback_up, expected, "{statement}");
    }
}
