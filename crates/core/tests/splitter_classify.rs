//! What statements are, one table per question.

use windlass_core::sql::Dialect::{self, MySql, Postgres, Sqlite};
use windlass_core::sql::classify::{
    Control, Effect, Facts, Modes, ObjectName, Objects, SessionUse, Transaction, classify,
};

/// Every statement of a list answers the question so.
#[track_caller]
fn all(dialect: Dialect, question: impl Fn(&Facts) -> bool, statements: &[&str]) {
    let wrong: Vec<_> = statements
        .iter()
        .map(|statement| (statement, classify(dialect, statement)))
        .filter(|(_, facts)| !question(facts))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn outside(facts: &Facts) -> bool {
    matches!(facts.transaction, Transaction::Outside(_))
}

fn inside(facts: &Facts) -> bool {
    facts.transaction == Transaction::Inside
}

fn bound(facts: &Facts) -> bool {
    matches!(facts.session, SessionUse::Bound(_))
}

#[test]
fn postgres_outside_a_transaction() {
    all(
        Postgres,
        outside,
        &[
            "CREATE INDEX CONCURRENTLY i ON t (a)",
            "create unique index /* x */ concurrently if not exists i on t (a)",
            "DROP INDEX CONCURRENTLY IF EXISTS i",
            "REINDEX INDEX CONCURRENTLY i",
            "REINDEX (CONCURRENTLY, VERBOSE) TABLE t",
            "REINDEX (CONCURRENTLY true) TABLE t",
            "REINDEX DATABASE d",
            "REINDEX SYSTEM d",
            "REINDEX SCHEMA s",
            "VACUUM",
            "VACUUM (FULL, ANALYZE) t",
            "CREATE DATABASE d",
            "DROP DATABASE IF EXISTS d",
            "CREATE TABLESPACE s LOCATION '/x'",
            "DROP TABLESPACE s",
            "ALTER SYSTEM SET work_mem = '1MB'",
            "ALTER DATABASE d SET TABLESPACE s",
            "CLUSTER",
            "CLUSTER VERBOSE",
            "CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p",
            "DROP SUBSCRIPTION s",
            "ALTER SUBSCRIPTION s REFRESH PUBLICATION",
            "ALTER SUBSCRIPTION s SET PUBLICATION p WITH (refresh = true)",
            "ALTER TABLE t DETACH PARTITION p CONCURRENTLY",
            "DISCARD ALL",
            "COMMIT PREPARED 'x'",
        ],
    );
    all(
        Postgres,
        inside,
        &[
            "CREATE INDEX i ON t (a) -- CONCURRENTLY",
            "CREATE INDEX i /* CONCURRENTLY */ ON t (a)",
            "COMMENT ON INDEX i IS 'CREATE INDEX CONCURRENTLY'",
            "CREATE INDEX \"concurrently\" ON t (a)",
            "REFRESH MATERIALIZED VIEW CONCURRENTLY v",
            "REINDEX (CONCURRENTLY false) TABLE t",
            "REINDEX TABLE t",
            "CLUSTER t USING i",
            "CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p WITH (connect = false)",
            "CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p WITH (create_slot = 'off')",
            "ALTER SUBSCRIPTION s SET PUBLICATION p WITH (refresh = false)",
            "ALTER TABLE t DETACH PARTITION p",
            "ALTER DATABASE d SET work_mem = '1MB'",
            "ALTER TYPE e ADD VALUE 'x'",
            "DISCARD PLANS",
            "LOCK TABLE t IN EXCLUSIVE MODE",
            "ANALYZE t",
            "DO $$ BEGIN COMMIT; END $$",
            "VALUES (1)",
        ],
    );
}

#[test]
fn transaction_control() {
    let control =
        |control: Control| move |facts: &Facts| facts.transaction == Transaction::Control(control.clone());
    for dialect in [Postgres, MySql] {
        all(dialect, control(Control::Begin(Modes::Plain)), &["BEGIN", "begin work", "START TRANSACTION"]);
        all(dialect, control(Control::Commit), &["COMMIT", "COMMIT WORK"]);
        all(dialect, control(Control::Rollback), &["ROLLBACK", "ROLLBACK WORK"]);
        all(
            dialect,
            control(Control::Savepoint),
            &["SAVEPOINT a", "RELEASE SAVEPOINT a", "ROLLBACK TO a", "ROLLBACK WORK TO SAVEPOINT a"],
        );
        all(dialect, control(Control::Other), &["COMMIT AND CHAIN"]);
    }
    all(
        Postgres,
        control(Control::Begin(Modes::Isolation("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE"))),
        &[
            "BEGIN ISOLATION LEVEL SERIALIZABLE",
            "START TRANSACTION READ WRITE, ISOLATION LEVEL SERIALIZABLE, NOT DEFERRABLE",
        ],
    );
    all(
        Postgres,
        control(Control::Begin(Modes::Plain)),
        &["START TRANSACTION READ WRITE", "BEGIN WORK NOT DEFERRABLE"],
    );
    for dialect in [Postgres, MySql] {
        all(dialect, control(Control::Begin(Modes::ReadOnly)), &["START TRANSACTION READ ONLY"]);
    }
    all(Postgres, control(Control::Commit), &["END", "END TRANSACTION"]);
    all(Postgres, control(Control::Rollback), &["ABORT"]);
    all(Postgres, control(Control::Isolation), &["SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"]);
    all(
        Postgres,
        control(Control::Other),
        &[
            "SET TRANSACTION READ ONLY",
            "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE READ ONLY",
            "PREPARE TRANSACTION 'x'",
        ],
    );
    all(
        MySql,
        control(Control::Begin(Modes::Plain)),
        &["START TRANSACTION READ WRITE", "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ WRITE"],
    );
    all(MySql, control(Control::Other), &["XA START 'x'", "SET autocommit = 0, sql_mode = ''"]);
    all(
        MySql,
        control(Control::Autocommit),
        &["SET autocommit = 0", "SET @@session.autocommit=1", "/*!40000 SET autocommit=0 */"],
    );
    all(
        Sqlite,
        control(Control::Begin(Modes::Plain)),
        &["BEGIN", "BEGIN IMMEDIATE", "BEGIN DEFERRED TRANSACTION", "BEGIN EXCLUSIVE"],
    );
    all(Sqlite, control(Control::Commit), &["END", "COMMIT TRANSACTION"]);
    all(Sqlite, control(Control::Savepoint), &["SAVEPOINT a", "RELEASE a", "ROLLBACK TRANSACTION TO a"]);
    all(MySql, |facts| facts.effect == Effect::Unknown && inside(facts), &["BEGIN NOT ATOMIC SELECT 1; END"]);
}

#[test]
fn mysql_implicit_commits() {
    all(
        MySql,
        |facts| facts.implicit_commit,
        &[
            "ALTER EVENT e DISABLE",
            "ALTER FUNCTION f COMMENT 'x'",
            "ALTER PROCEDURE p COMMENT 'x'",
            "ALTER SERVER s OPTIONS (USER 'x')",
            "ALTER TABLE t ADD a int",
            "ALTER TABLESPACE s ADD DATAFILE 'x'",
            "ALTER VIEW v AS SELECT 1",
            "CREATE DATABASE d",
            "CREATE SCHEMA d",
            "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO SELECT 1",
            "CREATE FUNCTION f() RETURNS INT RETURN 1",
            "CREATE INDEX i ON t (a)",
            "CREATE UNIQUE INDEX i ON t (a)",
            "CREATE DEFINER=`a`@`b` PROCEDURE p() SELECT 1",
            "CREATE ROLE r",
            "CREATE SERVER s FOREIGN DATA WRAPPER mysql OPTIONS (USER 'x')",
            "CREATE SPATIAL REFERENCE SYSTEM 4120 NAME 'x'",
            "CREATE TABLE t (a int)",
            "CREATE TABLE t SELECT 1",
            "CREATE TABLESPACE s",
            "CREATE TRIGGER r BEFORE INSERT ON t FOR EACH ROW SET @a = 1",
            "CREATE OR REPLACE ALGORITHM=MERGE DEFINER=CURRENT_USER SQL SECURITY DEFINER VIEW v AS SELECT 1",
            "DROP DATABASE d",
            "DROP EVENT e",
            "DROP FUNCTION f",
            "DROP INDEX i ON t",
            "DROP PROCEDURE IF EXISTS p",
            "DROP ROLE r",
            "DROP SERVER s",
            "DROP SPATIAL REFERENCE SYSTEM 4120",
            "DROP TABLE IF EXISTS t",
            "DROP TABLESPACE s",
            "DROP TRIGGER r",
            "DROP VIEW v",
            "INSTALL PLUGIN p SONAME 'x'",
            "RENAME TABLE a TO b",
            "TRUNCATE TABLE t",
            "TRUNCATE t",
            "UNINSTALL PLUGIN p",
            "ALTER USER u IDENTIFIED BY 'x'",
            "CREATE USER u",
            "DROP USER u",
            "GRANT SELECT ON t TO u",
            "RENAME USER a TO b",
            "REVOKE SELECT ON t FROM u",
            "SET PASSWORD = 'x'",
            "BEGIN",
            "LOCK TABLES t WRITE",
            "SET autocommit = 1",
            "START TRANSACTION",
            "UNLOCK TABLES",
            "ANALYZE TABLE t",
            "CACHE INDEX t IN c",
            "CHECK TABLE t",
            "FLUSH TABLES",
            "OPTIMIZE TABLE t",
            "REPAIR TABLE t",
            "RESET REPLICA",
            "START REPLICA",
            "STOP REPLICA",
            "CHANGE REPLICATION SOURCE TO SOURCE_HOST='x'",
            "/*!50003 CREATE TABLE t (a int) */",
            "CREATE SEQUENCE s",
            "CREATE OR REPLACE TABLE t (a int)",
            "LOAD INDEX INTO CACHE t",
        ],
    );
    all(
        MySql,
        |facts| !facts.implicit_commit,
        &[
            "CREATE TEMPORARY TABLE t (a int)",
            "DROP TEMPORARY TABLE t",
            "INSERT INTO t VALUES (1)",
            "SELECT 1",
            "SET @a = 1",
            "SET NAMES utf8mb4",
            "CALL p()",
            "COMMIT",
            "SAVEPOINT a",
            "RESET PERSIST",
            "USE d",
            "LOAD DATA INFILE 'x' INTO TABLE t",
            "CHECKSUM TABLE t",
            "PREPARE s FROM 'CREATE TABLE t (a int)'",
        ],
    );
}

#[test]
fn effects() {
    let effect = |effect| move |facts: &Facts| facts.effect == effect;
    for dialect in [Postgres, MySql, Sqlite] {
        all(
            dialect,
            effect(Effect::Schema),
            &[
                "CREATE TABLE t (a int)",
                "ALTER TABLE t ADD COLUMN b int",
                "DROP TABLE t",
                "CREATE INDEX i ON t (a)",
            ],
        );
        all(
            dialect,
            effect(Effect::Data),
            &[
                "INSERT INTO t VALUES (1)",
                "UPDATE t SET a = 1",
                "DELETE FROM t",
                "WITH c AS (SELECT 1) UPDATE t SET a = 1",
            ],
        );
        all(
            dialect,
            effect(Effect::Query),
            &["SELECT 1", "SELECT count(*) FROM t WHERE a IN (1, 2)", "WITH c AS (SELECT 1) SELECT * FROM c"],
        );
        let unknown = [
            "SELECT my_function(1)",
            "SELECT a, my_function(1) AS b FROM t",
            "SELECT 1 FROM t JOIN u ON my_function(t.a)",
        ];
        all(dialect, effect(Effect::Unknown), &unknown);
        let known =
            "WITH a (b, c) AS (SELECT 1, 2), d (e) AS (SELECT 1) UPDATE t SET x = (SELECT b FROM a, d)";
        all(dialect, |facts| matches!(facts.objects, Objects::Known(_)), &[known]);
    }
    all(
        Postgres,
        effect(Effect::Unknown),
        &["DO $$ BEGIN END $$", "CALL p()", "EXECUTE p", "EXPLAIN ANALYZE DELETE FROM t", "SOMETHING NEW"],
    );
    all(
        Postgres,
        effect(Effect::Data),
        &[
            "COPY t FROM stdin",
            "REFRESH MATERIALIZED VIEW v",
            "TRUNCATE t",
            "WITH c AS (DELETE FROM t RETURNING *) SELECT * FROM c",
            "SELECT setval('s', 1)",
        ],
    );
    all(
        Postgres,
        effect(Effect::Session),
        &["SET search_path = ''", "SELECT set_config('search_path', '', false)", "RESET ALL"],
    );
    all(
        Postgres,
        effect(Effect::Server),
        &["CREATE ROLE r", "ALTER SYSTEM RESET ALL", "DROP DATABASE d", "GRANT a TO b"],
    );
    all(
        MySql,
        effect(Effect::Server),
        &["SET GLOBAL a = 1", "SET @@GLOBAL.a = 1", "CREATE USER u", "FLUSH PRIVILEGES", "CREATE DATABASE d"],
    );
    all(
        MySql,
        effect(Effect::Session),
        &["SET NAMES utf8mb4", "SET sql_mode = ''", "USE d", "SET @a = 1", "/*!40101 SET NAMES utf8 */"],
    );
}

#[test]
fn objects() {
    let check = |dialect, statement, expected: &[&str]| {
        let Objects::Known(found) = classify(dialect, statement).objects else {
            panic!("unknown: {statement}")
        };
        let found: Vec<String> = found
            .into_iter()
            .map(|ObjectName { schema, name }| {
                schema.map_or(name.clone(), |schema| format!("{schema}.{name}"))
            })
            .collect();
        assert_eq!(found, expected, "{statement}");
    };
    for dialect in [Postgres, MySql, Sqlite] {
        check(
            dialect,
            "CREATE TABLE IF NOT EXISTS t (a int REFERENCES u (id), b varchar(3) DEFAULT lower('x'))",
            &["t", "u"],
        );
        check(dialect, "ALTER TABLE t RENAME TO u", &["t", "u"]);
        check(
            dialect,
            "ALTER TABLE t ADD CONSTRAINT c FOREIGN KEY (a) REFERENCES s.u (id) ON DELETE CASCADE ON UPDATE SET NULL",
            &["t", "s.u"],
        );
        check(
            dialect,
            "INSERT INTO s.t (a, b) SELECT a, b FROM u, v AS w JOIN x ON u.a = x.a WHERE u.b IN (SELECT b FROM y)",
            &["s.t", "u", "v", "x", "y"],
        );
        check(dialect, "UPDATE t SET a = (SELECT max(a) FROM u) WHERE b = 1", &["t", "u"]);
        check(dialect, "DELETE FROM t WHERE EXISTS (SELECT 1 FROM u)", &["t", "u"]);
        check(dialect, "CREATE VIEW v AS SELECT a FROM t", &["v", "t"]);
        check(dialect, "SELECT 1, '-- FROM x'", &[]);
    }
    check(Postgres, "CREATE INDEX ON S.T (a)", &["s.t"]);
    check(
        Postgres,
        "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS \"I\"\"x\" ON ONLY t USING btree (lower(a)) WHERE b > 1",
        &["I\"x", "t"],
    );
    check(
        Postgres,
        "CREATE TABLE t (a mood NOT NULL, b numeric(3, 2), c s.kind[], d timestamp with time zone, UNIQUE (a, b))",
        &["t", "mood", "s.kind"],
    );
    check(Postgres, "CREATE TABLE p PARTITION OF t FOR VALUES FROM (1) TO (2)", &["p", "t"]);
    check(
        Postgres,
        "ALTER TABLE t ADD COLUMN a mood, ALTER b TYPE kind USING b::text, ADD CONSTRAINT c CHECK (a > 1)",
        &["t", "mood", "kind"],
    );
    check(Postgres, "ALTER TABLE t ATTACH PARTITION p DEFAULT", &["t", "p"]);
    check(Postgres, "ALTER SEQUENCE s OWNED BY base.x", &["s", "base"]);
    check(Postgres, "CREATE SEQUENCE s START 5 OWNED BY app.base.x", &["s", "app.base"]);
    check(Postgres, "ALTER SEQUENCE s OWNED BY NONE", &["s"]);
    check(Postgres, "DROP TABLE IF EXISTS a, s.b, \"C\"", &["a", "s.b", "C"]);
    check(Postgres, "COMMENT ON COLUMN s.t.a IS 'x'", &["s.t"]);
    check(
        Postgres,
        "CREATE TRIGGER r BEFORE UPDATE OF a OR INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()",
        &["t", "f"],
    );
    check(
        Postgres,
        "CREATE FUNCTION f(a int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN 1; END $$",
        &["f"],
    );
    check(Postgres, "TRUNCATE TABLE ONLY a, b", &["a", "b"]);
    check(Postgres, "ALTER TYPE s.e ADD VALUE IF NOT EXISTS 'x'", &["s.e"]);
    check(Postgres, "GRANT SELECT, INSERT ON TABLE a, b TO r", &["a", "b"]);
    check(Postgres, "INSERT INTO t SELECT * FROM generate_series(1, 3)", &["t"]);
    check(Postgres, "INSERT INTO t VALUES (1) ON CONFLICT (a) DO UPDATE SET b = 1", &["t"]);
    check(Postgres, "VACUUM (ANALYZE) a, b (x, y)", &["a", "b"]);
    check(Postgres, "REINDEX (VERBOSE) INDEX CONCURRENTLY s.i", &["s.i"]);
    check(MySql, "CREATE TABLE `a``b` LIKE d.T", &["a`b", "d.T"]);
    check(MySql, "RENAME TABLE a TO b, c TO d", &["a", "b", "c", "d"]);
    check(MySql, "ALTER TABLE a RENAME b", &["a", "b"]);
    // Names may begin with digits there.
    check(MySql, "ALTER TABLE 2fa_tokens RENAME TO 1e", &["2fa_tokens", "1e"]);
    check(MySql, "INSERT INTO 0x1g SELECT 1e5, 1E+5, 0x1F, 0b10 FROM 0b12, 1e5x", &["0x1g", "0b12", "1e5x"]);
    check(MySql, "ALTER TABLE a RENAME COLUMN b TO c", &["a"]);
    check(MySql, "CREATE INDEX i ON t (a)", &["t"]);
    check(MySql, "LOCK TABLES a READ, b AS c WRITE", &["a", "b"]);
    check(MySql, "UPDATE a, b SET a.x = 1 WHERE a.y = b.y", &["a", "b"]);
    check(MySql, "INSERT IGNORE t VALUES (1)", &["t"]);
    check(
        MySql,
        "CREATE DEFINER=`root`@`%` TRIGGER r AFTER INSERT ON t FOR EACH ROW BEGIN INSERT INTO u VALUES (1); END",
        &["r", "t"],
    );
    check(
        Sqlite,
        "CREATE TRIGGER r AFTER INSERT ON T BEGIN UPDATE u SET a = 1; DELETE FROM v; END",
        &["r", "t", "u", "v"],
    );
    check(Sqlite, "CREATE TABLE \"New_T\" (a int)", &["new_t"]);
    check(Sqlite, "PRAGMA user_version = 3", &["user_version"]);
    for statement in
        ["DO $$ $$", "CALL p()", "DROP TABLE t CASCADE", "UPDATE t SET a = my_function(b)", "EXECUTE p"]
    {
        assert_eq!(classify(Postgres, statement).objects, Objects::Unknown, "{statement}");
    }
}

#[test]
fn session_state() {
    let setting = |facts: &Facts| facts.session == SessionUse::Setting;
    let none = |facts: &Facts| facts.session == SessionUse::None;
    all(
        Postgres,
        setting,
        &[
            "SET search_path = ''",
            "SET ROLE r",
            "RESET ALL",
            "SELECT pg_catalog.set_config('search_path', '', false)",
        ],
    );
    all(
        Postgres,
        bound,
        &[
            "SET LOCAL a = 1",
            "PREPARE p AS SELECT 1",
            "EXECUTE p",
            "DEALLOCATE p",
            "CREATE TEMP TABLE t (a int)",
            "SELECT pg_advisory_lock(1)",
            "LOCK TABLE t",
            "DECLARE c CURSOR FOR SELECT 1",
            "SELECT currval('s')",
            "SET CONSTRAINTS ALL DEFERRED",
        ],
    );
    all(Postgres, none, &["SELECT 1", "CREATE TABLE temp_t (a int)", "UPDATE t SET a = 1"]);
    all(
        MySql,
        setting,
        &[
            "SET NAMES utf8",
            "SET FOREIGN_KEY_CHECKS = 0",
            "USE d",
            "SET SESSION sql_mode = ''",
            "/*!40014 SET UNIQUE_CHECKS=0 */",
            "/*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='' */",
            "SET @a = 1, @b = concat(@a, '-', IF(@@session.sql_mode = '', 'x', upper(`@c`)))",
            "SET timestamp = 1700000000",
            "SET SQL_MODE = @OLD_SQL_MODE",
        ],
    );
    all(
        MySql,
        bound,
        &[
            "SET @a = (SELECT max(n) FROM t)",
            "SET @a = now()",
            "SET @a = CURRENT_TIMESTAMP",
            "SET @a = my_function(1)",
            "SET @a = @@global.sql_mode",
            "SET @a = @b := 2",
            "SET SESSION sql_mode = (SELECT mode FROM t)",
            "SET @a = @@identity",
            "INSERT INTO t VALUES (@@warning_count)",
            "SET insert_id = 4",
            "SELECT 1 INTO @a",
            "INSERT INTO t VALUES (@a)",
            "INSERT INTO t VALUES (LAST_INSERT_ID())",
            "PREPARE s FROM @q",
            "EXECUTE s",
            "DEALLOCATE PREPARE s",
            "CREATE TEMPORARY TABLE t (a int)",
            "SELECT GET_LOCK('a', 1)",
        ],
    );
    all(
        MySql,
        none,
        &[
            "CREATE DEFINER='root'@'localhost' PROCEDURE p() SELECT 1",
            "INSERT INTO t VALUES ('@a')",
            "CREATE PROCEDURE p() BEGIN SET @a = LAST_INSERT_ID(); END",
            "CREATE TABLE t (a int)",
            "GRANT ALL ON d.* TO root@localhost",
        ],
    );
    all(
        MySql,
        |facts| facts.session == SessionUse::LockTables,
        &["LOCK TABLES t WRITE", "LOCK TABLE t READ"],
    );
    all(MySql, |facts| facts.session == SessionUse::UnlockTables, &["UNLOCK TABLES"]);
    all(Sqlite, setting, &["PRAGMA foreign_keys = OFF", "PRAGMA recursive_triggers = 1"]);
    all(
        Sqlite,
        bound,
        &[
            "CREATE TEMP TABLE t (a)",
            "INSERT INTO t VALUES (last_insert_rowid())",
            "ATTACH 'x' AS y",
            "PRAGMA defer_foreign_keys = ON",
        ],
    );
}

#[test]
fn sqlite_pragmas() {
    let foreign_keys =
        |on: Option<bool>| move |facts: &Facts| facts.foreign_keys_pragma == on && inside(facts);
    all(
        Sqlite,
        foreign_keys(Some(false)),
        &[
            "PRAGMA foreign_keys = OFF",
            "pragma FOREIGN_KEYS=0",
            "PRAGMA main.foreign_keys(no)",
            "PRAGMA foreign_keys = 'false'",
        ],
    );
    all(
        Sqlite,
        foreign_keys(Some(true)),
        &["PRAGMA foreign_keys = ON", "PRAGMA foreign_keys=1", "PRAGMA foreign_keys(\"yes\")"],
    );
    all(
        Sqlite,
        foreign_keys(None),
        &["PRAGMA foreign_keys", "PRAGMA foreign_key_check", "PRAGMA user_version = 3"],
    );
    all(
        Sqlite,
        outside,
        &[
            "VACUUM",
            "VACUUM INTO 'x'",
            "PRAGMA journal_mode = WAL",
            "PRAGMA main.synchronous = OFF",
            "PRAGMA wal_checkpoint(TRUNCATE)",
        ],
    );
    all(Sqlite, inside, &["PRAGMA journal_mode", "ATTACH 'x' AS y", "REINDEX", "ANALYZE"]);
    // What is attached is gone with the session, whatever became of the statement.
    let shown = |facts: &Facts| outside(facts) && !facts.may_hold_secret && facts.repeats_harmlessly;
    all(Sqlite, shown, &["DETACH y", "detach database 'y'"]);
    all(Sqlite, |facts| facts.repeats_harmlessly, &["ATTACH 'x' AS y"]);
}

#[test]
fn groupable() {
    let yes = |facts: &Facts| facts.groupable;
    let no = |facts: &Facts| !facts.groupable;
    all(
        Postgres,
        yes,
        &[
            "CREATE TABLE t (id bigserial PRIMARY KEY, at timestamptz NOT NULL DEFAULT now(), CHECK (id > 0))",
            "CREATE UNIQUE INDEX i ON t (lower(a))",
            "CREATE VIEW v AS SELECT * FROM t",
            "CREATE TYPE e AS ENUM ('a')",
            "CREATE SEQUENCE s",
            "CREATE SCHEMA s",
            "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS 'x'",
            "ALTER TABLE t ADD COLUMN a int NOT NULL DEFAULT 0",
            "INSERT INTO t (a, b) VALUES (1, 'x'), (2, upper('y'))",
            "UPDATE t SET a = coalesce(b, 0)",
            "DELETE FROM t",
            "COMMENT ON TABLE t IS 'x'",
            "DROP TABLE t",
            "CREATE TRIGGER r BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()",
        ],
    );
    all(
        Postgres,
        no,
        &[
            "BEGIN",
            "SET search_path = a",
            "CREATE TEMP TABLE t (a int)",
            "CREATE TABLE t (a int UNIQUE DEFERRABLE INITIALLY DEFERRED)",
            "DO $$ $$",
            "CALL p()",
            "ALTER TYPE e ADD VALUE 'x'",
            "CREATE INDEX CONCURRENTLY i ON t (a)",
            "INSERT INTO t VALUES (now())",
            "INSERT INTO t VALUES (CURRENT_TIMESTAMP)",
            "INSERT INTO t VALUES ('now')",
            "UPDATE t SET a = my_function(b)",
            "EXECUTE p",
            "CREATE TABLE t AS SELECT now()",
            "ALTER TABLE t ADD COLUMN a timestamptz DEFAULT now()",
            "LOCK TABLE t",
            "VACUUM",
            "SELECT my_function(1)",
            "CREATE EXTENSION e",
            "ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES u DEFERRABLE",
        ],
    );
    all(
        Sqlite,
        yes,
        &[
            "CREATE TABLE t (a int DEFAULT CURRENT_TIMESTAMP)",
            "INSERT INTO t VALUES (datetime('now'))",
            "ALTER TABLE t ADD b",
            "CREATE TRIGGER r AFTER INSERT ON t BEGIN DELETE FROM u; END",
        ],
    );
    all(
        Sqlite,
        no,
        &[
            "PRAGMA foreign_keys = OFF",
            "BEGIN",
            "VACUUM",
            "CREATE TEMP TABLE t (a)",
            "INSERT INTO t VALUES (last_insert_rowid())",
        ],
    );
    all(MySql, no, &["CREATE TABLE t (a int)", "SET @a = 1", "TRUNCATE t"]);
}

#[test]
fn secrets() {
    let secret = |facts: &Facts| facts.may_hold_secret;
    all(
        Postgres,
        secret,
        &[
            "CREATE ROLE r LOGIN PASSWORD 'x'",
            "ALTER USER u WITH ENCRYPTED PASSWORD 'x'",
            "CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p",
            "ALTER SUBSCRIPTION s CONNECTION 'x'",
            "CREATE SERVER s FOREIGN DATA WRAPPER w OPTIONS (password 'x')",
            "CREATE USER MAPPING FOR u SERVER s OPTIONS (password 'x')",
            "SELECT * FROM dblink('password=x', 'SELECT 1')",
            "CREATE TABLE t (told jsonb DEFAULT '{\"secret\": \"x\"}')",
            "SELECT \"add_secret\" ('x')",
        ],
    );
    all(
        Postgres,
        |facts| !facts.may_hold_secret,
        &[
            "CREATE TABLE t (password text)",
            "CREATE ROLE r",
            "INSERT INTO t (name) VALUES ('x')",
            "CREATE TABLE \"AppSecret\" ( \"id\" int DEFAULT 1 )",
        ],
    );
    all(
        MySql,
        secret,
        &[
            "CREATE USER u IDENTIFIED BY 'x'",
            "ALTER USER u IDENTIFIED BY 'x'",
            "GRANT ALL ON *.* TO u IDENTIFIED BY 'x'",
            "SET PASSWORD FOR u = 'x'",
            "CHANGE MASTER TO MASTER_PASSWORD='x'",
            "CREATE SERVER s FOREIGN DATA WRAPPER mysql OPTIONS (PASSWORD 'x')",
        ],
    );
    all(MySql, |facts| !facts.may_hold_secret, &["CREATE TABLE t (password text)", "GRANT ALL ON *.* TO u"]);
}

#[test]
fn secrets_in_strings_and_bodies() {
    let secret = |facts: &Facts| facts.may_hold_secret;
    all(
        MySql,
        secret,
        &[
            "CREATE OR REPLACE SERVER s FOREIGN DATA WRAPPER mysql OPTIONS (HOST 'h', PASSWORD 'x')",
            "create user u identified\n/* the */ by 'x'",
            "CREATE USER u IDENTIFIED WITH mysql_native_password AS '*ABC'",
            "CREATE USER u IDENTIFIED VIA ed25519 USING PASSWORD('x')",
            "BEGIN NOT ATOMIC CREATE USER u IDENTIFIED BY 'x'; SELECT 1; END",
            "PREPARE s FROM 'CREATE USER u IDENTIFIED BY \\'x\\''",
            "SET @pw = 'x'",
            "SET @api_token := 'x'",
            "SET @s = CONCAT('CREATE USER u IDENTIFIED BY ', QUOTE('x'))",
            "CREATE PROCEDURE p() CREATE USER u IDENTIFIED BY 'x'",
            "CREATE PROCEDURE p() SET PASSWORD FOR u = 'x'",
            "CREATE TABLE t (a int) ENGINE=FEDERATED CONNECTION='mysql://u:x@h:3306/d/t'",
            "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO CHANGE MASTER TO MASTER_PASSWORD='x'",
            "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO CHANGE REPLICATION SOURCE TO SOURCE_PASSWORD = 'x'",
            "CREATE PROCEDURE p() CREATE SERVER s OPTIONS (PASSWORD /*!50000 'x' */)",
        ],
    );
    all(
        Postgres,
        secret,
        &[
            "DO $$ BEGIN EXECUTE 'CREATE ROLE r LOGIN PASSWORD ''x'''; END $$",
            "DO $$ BEGIN EXECUTE format('ALTER ROLE r PASSWORD %L', 'x'); END $$",
            "DO $$ BEGIN EXECUTE 'ALTER ROLE r PASSWORD ' || quote_literal('x'); END $$",
            "DO $$ BEGIN CREATE ROLE r ENCRYPTED PASSWORD'x'; END $$",
            "DO $$ BEGIN CREATE ROLE r PASSWORD -- this\n $p$x$p$; END $$",
            "CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $$ ALTER ROLE r PASSWORD E'x' $$",
            "DO $$ BEGIN CREATE SUBSCRIPTION s CONNECTION 'host=h password=x' PUBLICATION p; END $$",
            "DO $$ BEGIN PERFORM dblink_connect('host=h'); END $$",
            "DO $$ BEGIN PERFORM f('postgres://u:x@h/d'); END $$",
            "DO $$ BEGIN CREATE SERVER s FOREIGN DATA WRAPPER w OPTIONS (\"password\" 'x'); END $$",
            "ALTER DATABASE d SET app.jwt_secret TO 'x'",
            "ALTER ROLE r SET app.api_key TO 'x'",
            "SET app.auth_token = 'x'",
            "SELECT set_config('app.jwt_secret', 'x', false)",
            "DO $$ BEGIN PERFORM pg_catalog.set_config('app.key', 'x', true); END $$",
            "SELECT vault.create_secret('x')",
        ],
    );
}

#[test]
fn what_only_speaks_of_passwords_is_shown() {
    let shown = |facts: &Facts| !facts.may_hold_secret;
    let statements = [
        "CREATE TABLE t (password varchar(80) NOT NULL DEFAULT '')",
        "CREATE TABLE t (a int, password text, secret bytea)",
        "ALTER TABLE t ADD COLUMN password_hash varchar(80)",
        "INSERT INTO t (name, password_since, tokens) VALUES ('a', 'b', 1)",
        "INSERT INTO t VALUES ('the password', 'a secret')",
        "SELECT password, 'secret' FROM t",
        "CREATE INDEX i ON t (password)",
        "CREATE VIEW v (id, token) AS SELECT id, token FROM t",
        "CREATE VIEW v (id, name) AS SELECT id, 'none' FROM t",
        "CREATE TABLE t (a varchar(9) DEFAULT 'password', b varchar(9) DEFAULT 'x')",
        "INSERT INTO t VALUES ('https://example.com:80/a', 'ann@example.com')",
    ];
    for dialect in [Postgres, MySql, Sqlite] {
        all(dialect, shown, &statements);
    }
    let settings =
        ["SELECT set_config('search_path', '', false)", "SET search_path TO 'x'", "SET TIME ZONE 'UTC'"];
    all(Postgres, shown, &settings);
    all(MySql, shown, &["SET sql_require_primary_key = 0", "SET @a = 'x'", "ALTER TABLE t COMMENT = 'key'"]);
    all(
        Sqlite,
        |facts| facts.may_hold_secret,
        &["PRAGMA key = 'x'", "PRAGMA rekey('x')", "PRAGMA hexkey = 'ab'"],
    );
    all(Postgres, shown, &["CREATE TABLE t (\"password\" text)"]);
    all(MySql, shown, &["CREATE TABLE t (`password` varchar(80), kind enum('password', 'key'))"]);
}

#[test]
fn what_is_written_into_a_column_called_like_a_secret_is_one() {
    let secret = |facts: &Facts| facts.may_hold_secret;
    let everywhere = [
        "INSERT INTO users (login, password) VALUES ('root', 'x')",
        "INSERT INTO app.users (id, api_token) SELECT id, token FROM old",
        "INSERT INTO \"app\".\"users\" (id, \"apiKey\") VALUES (1, 'x')",
        "UPDATE u SET a = 1, api_token = 'x'",
        "UPDATE u SET access_key = lower(access_key)",
        "UPDATE u SET password_hash = 'x' WHERE id = 1",
        "UPDATE u SET smtp_pass = 'x'",
        "DELETE FROM u WHERE reset_token = 'x'",
        "CREATE VIEW v AS SELECT a FROM u WHERE ((api_token)::text = 'x'::text)",
        "CREATE VIEW v(id, api_token) AS SELECT id, 'x' FROM u",
        "CREATE VIEW \"app\".\"v\" (\"api_token\") AS SELECT 'x'",
    ];
    for dialect in [Postgres, MySql, Sqlite] {
        all(dialect, secret, &everywhere);
    }
    all(
        Sqlite,
        secret,
        &[
            "INSERT OR REPLACE INTO t (secret) VALUES ('x')",
            "REPLACE INTO t([token]) VALUES ('x')",
            "INSERT INTO t (id, 'api_token') VALUES (1, 'x')",
            "CREATE TABLE t (id INT, 'api_token' TEXT DEFAULT 'x')",
            "CREATE TABLE t ('api_token' TEXT NOT NULL DEFAULT ('x'), id INT)",
            "ALTER TABLE t ADD COLUMN 'api_token' TEXT DEFAULT 'x'",
            "ALTER TABLE t ADD 'api_token' TEXT DEFAULT 'x'",
            "CREATE VIEW v AS SELECT id, 'x' AS 'api_token' FROM t",
        ],
    );
    all(
        MySql,
        secret,
        &[
            "INSERT IGNORE t (`client_secret`) VALUES ('x')",
            "SELECT AES_ENCRYPT(a, 'x') FROM t",
            "CREATE TABLE t (id int, `token` ENUM('x'))",
            "ALTER TABLE t MODIFY token enum ('a', 'x') NOT NULL",
        ],
    );
    all(
        Postgres,
        secret,
        &[
            "COPY users (login, password) FROM stdin",
            "UPDATE u SET (a, token) = (1, 'x')",
            "MERGE INTO u USING v ON u.id = v.id WHEN NOT MATCHED THEN INSERT (id, secret) VALUES (v.id, 'x')",
            "WITH n AS (SELECT 1) INSERT INTO u AS v (id, token) VALUES (1, 'x')",
            "DO $$ BEGIN INSERT INTO u (login, token) VALUES ('root', 'x'); END $$",
            "DO $$ DECLARE api_token text; BEGIN api_token := 'x'; END $$",
            "UPDATE u SET hidden = crypt('x', gen_salt('bf'))",
            "SELECT pgp_sym_encrypt(a, 'x') FROM t",
        ],
    );
    let shown = |facts: &Facts| !facts.may_hold_secret;
    let plain = [
        "UPDATE u SET reset_token = NULL, token_count = 0, has_token = TRUE, keyboard = 'x'",
        "INSERT INTO t (id, compass, monkey) VALUES (1, 'n', 'x')",
        "CREATE VIEW v AS SELECT a.id FROM a JOIN b ON a.token = b.token",
        "SELECT replace(token, 'a', 'b') FROM t",
    ];
    for dialect in [Postgres, MySql, Sqlite] {
        all(dialect, shown, &plain);
    }
    all(
        Postgres,
        shown,
        &[
            "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
             INSERT INTO log (id, token) VALUES (new.id, new.token); RETURN new; END $$",
            "CREATE FUNCTION f(w text) RETURNS text LANGUAGE sql AS $$ SELECT crypt(w, gen_salt('bf')) $$",
        ],
    );
}

#[test]
fn a_secret_is_one_wherever_its_name_stands() {
    let secret = |facts: &Facts| facts.may_hold_secret;
    let everywhere = [
        "CREATE TABLE t (id int, api_token varchar(80) DEFAULT 'x')",
        "CREATE TABLE t (password varchar(80) NOT NULL DEFAULT ('x'), a int)",
        "ALTER TABLE t ADD COLUMN client_secret text DEFAULT 'x'",
        "INSERT INTO s VALUES ('{\"api_key\": \"x\"}')",
        "INSERT INTO s VALUES ('{\\\"apiKey\\\": \\\"x\\\"}')",
        "INSERT INTO s VALUES ('https://host/hook?token=abcd1234&a=b')",
        "INSERT INTO s VALUES ('host=db api_key=abcd1234')",
        "INSERT INTO users SELECT 1, 'x' AS password",
        "CREATE VIEW v AS SELECT 1 AS id, 'x' AS smtp_pass",
        "INSERT INTO api_tokens VALUES (1, 'x')",
        "INSERT INTO secrets (id, value) VALUES (1, 'x')",
    ];
    for dialect in [Postgres, MySql, Sqlite] {
        all(dialect, secret, &everywhere);
    }
    all(
        Postgres,
        secret,
        &[
            "DO $$ DECLARE password CONSTANT text := 'x'; BEGIN PERFORM f(password); END $$",
            "DO $$ DECLARE v_token varchar(20) DEFAULT 'x'; BEGIN NULL; END $$",
            "CREATE VIEW v AS SELECT 'x'::character varying(9) AS \"apiKey\"",
            "SELECT connect(host => 'a', api_key => 'x')",
            "ALTER TABLE t ALTER token SET DEFAULT 'x'::text",
        ],
    );
    all(MySql, secret, &["CREATE PROCEDURE p() BEGIN DECLARE api_token varchar(9) DEFAULT 'x'; END"]);
    let shown = |facts: &Facts| !facts.may_hold_secret;
    let plain = [
        "CREATE TABLE t (token varchar(80) DEFAULT '', note varchar(9) DEFAULT 'x')",
        "CREATE TABLE token (note varchar(9) DEFAULT 'x')",
        "CREATE TABLE t (kind varchar(9) CHECK (kind IN ('token', 'key')) DEFAULT 'key', token int DEFAULT 0)",
        "INSERT INTO t VALUES ('{\"token\": null, \"tokens\": \"x\"}')",
        "INSERT INTO t VALUES ('the token: none', 'has_token=true', 'a=b')",
        "CREATE VIEW v AS SELECT id, '***' AS password, token AS token FROM t",
        "INSERT INTO t SELECT 'x' AS name, NULL AS token FROM u",
        "SET @k = 'x'",
    ];
    for dialect in [Postgres, MySql, Sqlite] {
        all(dialect, shown, &plain);
    }
    all(Postgres, shown, &["SELECT token::text, 'x' FROM t", "SELECT ''::text AS token"]);
}

#[test]
fn what_is_compared_with_a_secret_is_one() {
    let secret = |facts: &Facts| facts.may_hold_secret;
    let everywhere = [
        "DELETE FROM u WHERE reset_token <> 'x'",
        "CREATE TABLE t (password varchar(80) CHECK (password != 'x'))",
        "DELETE FROM u WHERE 'x' = api_token",
        "DELETE FROM u WHERE api_token IN ('x', 'y')",
        "DELETE FROM u WHERE \"token\" NOT IN (NULL, 'x')",
        "CREATE VIEW v AS SELECT a FROM u WHERE u.client_secret LIKE 'x%'",
        "DELETE FROM u WHERE smtp_pass NOT LIKE '%x%'",
        "DELETE FROM u WHERE token BETWEEN 'x' AND 'y'",
        "ALTER TABLE u ADD api_token varchar(80) GENERATED ALWAYS AS (concat('x', id))",
    ];
    for dialect in [Postgres, MySql, Sqlite] {
        all(dialect, secret, &everywhere);
    }
    all(
        Postgres,
        secret,
        &[
            "CREATE VIEW v AS SELECT a FROM u WHERE ((token)::text <> ALL (ARRAY['x'::text, 'y'::text]))",
            "CREATE VIEW v AS SELECT a FROM u WHERE (token = ANY ((ARRAY['x'::varchar])::text[]))",
            "CREATE VIEW v AS SELECT a FROM u WHERE (token !~~ 'x%'::text)",
            "DELETE FROM u WHERE token IS NOT DISTINCT FROM 'x'",
            "CREATE TABLE t (id int, api_token text GENERATED ALWAYS AS ('x' || id::text) STORED)",
            "DO $$ BEGIN EXECUTE 'DELETE FROM u WHERE token <> ''x'''; END $$",
            "COMMENT ON COLUMN u.password IS 'hunter2secret'",
        ],
    );
    all(
        MySql,
        secret,
        &[
            "CREATE TABLE t (password varchar(80) NOT NULL COMMENT 'hunter2secret')",
            "CREATE TABLE t (a int CHECK (`api_token` <> _utf8mb4\\'x\\'))",
        ],
    );
    all(Sqlite, secret, &["DELETE FROM u WHERE token IS 'x'", "CREATE TABLE t (a, token AS ('x' || a))"]);
    let shown = |facts: &Facts| !facts.may_hold_secret;
    let plain = [
        "DELETE FROM u WHERE token <> '' AND note <> 'x'",
        "CREATE VIEW v AS SELECT a FROM u WHERE token LIKE '%' OR token IN ('') OR token <> other OR token IS NOT NULL",
        "CREATE TABLE t (tokens int CHECK (tokens > 0), note varchar(9) CHECK (note IN ('token', 'x')))",
        "WITH token AS (SELECT 'x') SELECT 1 FROM token",
    ];
    for dialect in [Postgres, MySql, Sqlite] {
        all(dialect, shown, &plain);
    }
    all(
        Postgres,
        shown,
        &[
            "COMMENT ON COLUMN u.password IS 'bcrypt, at least 12 rounds'",
            "COMMENT ON TABLE api_token IS 'tokens'",
            "CREATE TABLE t (data jsonb, token text GENERATED ALWAYS AS (data ->> 'token') STORED)",
            "CREATE TABLE t (token text, token_hash text GENERATED ALWAYS AS (encode(sha256(token::bytea), 'hex')) STORED)",
        ],
    );
    all(MySql, shown, &["CREATE TABLE t (password varchar(80) COMMENT 'a bcrypt hash')"]);
}

#[test]
fn what_a_column_called_like_a_secret_holds_in_a_partition_is_one() {
    let secret = |facts: &Facts| facts.may_hold_secret;
    all(
        MySql,
        secret,
        &[
            "CREATE TABLE t (token varchar(20)) PARTITION BY LIST COLUMNS(token) (PARTITION p VALUES IN ('x'))",
            "CREATE TABLE t (a int) PARTITION BY LIST COLUMNS (a, `api_token`) (PARTITION p VALUES IN ((1, 'x')))",
            "ALTER TABLE t PARTITION BY RANGE COLUMNS(password) (PARTITION p VALUES LESS THAN (NULL), PARTITION q VALUES LESS THAN (\"x\"))",
            "ALTER TABLE api_tokens ADD PARTITION (PARTITION p VALUES IN ('x'))",
            "ALTER TABLE `app`.`api_token` REORGANIZE PARTITION p INTO (PARTITION q VALUES LESS THAN ('x'))",
        ],
    );
    all(
        Postgres,
        secret,
        &[
            "CREATE TABLE p PARTITION OF app.api_tokens FOR VALUES IN ('x')",
            "ALTER TABLE ONLY api_tokens ATTACH PARTITION p FOR VALUES FROM ('x') TO ('y')",
            "DO $$ BEGIN CREATE TABLE t (token text) PARTITION BY LIST (lower(token)); CREATE TABLE p PARTITION OF t FOR VALUES IN ('x'); END $$",
        ],
    );
    let shown = |facts: &Facts| !facts.may_hold_secret;
    all(
        MySql,
        shown,
        &[
            "CREATE TABLE t (token text, a varchar(9)) PARTITION BY LIST COLUMNS(a) (PARTITION p VALUES IN ('x'))",
            "CREATE TABLE t (token int) PARTITION BY RANGE COLUMNS(token) (PARTITION p VALUES LESS THAN (5) COMMENT 'low')",
            "CREATE TABLE t (token char(9)) PARTITION BY KEY (token) PARTITIONS 4",
            "ALTER TABLE t ADD PARTITION (PARTITION p VALUES IN ('x'))",
            "ALTER TABLE api_tokens DROP PARTITION p",
        ],
    );
    all(
        Postgres,
        shown,
        &[
            "CREATE TABLE p PARTITION OF t FOR VALUES IN ('x')",
            "SELECT rank() OVER (PARTITION BY token ORDER BY a), 'x' FROM t",
        ],
    );
}

#[test]
fn what_is_said_of_anything_called_like_a_secret_may_be_one() {
    let secret = |facts: &Facts| facts.may_hold_secret;
    all(
        MySql,
        secret,
        &[
            "CREATE EVENT rotate_token ON SCHEDULE EVERY '1:30' HOUR_MINUTE STARTS '2030-01-01 00:00:00' COMMENT 'hunter2secret' DO SELECT 1",
            "ALTER EVENT rotate_token COMMENT 'hunter2secret'",
            "CREATE EVENT e ON SCHEDULE EVERY 1 DAY COMMENT 'token: hunter2secret' DO SELECT 1",
            "CREATE PROCEDURE p() COMMENT 'password: hunter2secret' SELECT 1",
            "CREATE FUNCTION new_token(a int) RETURNS int DETERMINISTIC COMMENT 'hunter2secret' RETURN a",
            "CREATE TABLE t (token varchar(9) DEFAULT '' COMMENT 'hunter2secret')",
            "CREATE TABLE t (a int, KEY token (a) COMMENT 'hunter2secret')",
            "CREATE TABLE t (a int, KEY i (a) COMMENT 'api_token: hunter2secret')",
            "CREATE INDEX token ON t (a) COMMENT 'hunter2secret'",
            "CREATE TABLE t (a int) PARTITION BY LIST (a) (PARTITION token VALUES IN (1) COMMENT = 'hunter2secret')",
            "CREATE TABLE api_token (a int) COMMENT = 'hunter2secret'",
            "CREATE DATABASE api_token COMMENT 'hunter2secret'",
        ],
    );
    all(
        Postgres,
        secret,
        &[
            "COMMENT ON FUNCTION new_token(int, text) IS 'hunter2secret'",
            "COMMENT ON TRIGGER keep_token ON t IS 'hunter2secret'",
            "COMMENT ON CONSTRAINT token ON t IS E'hunter2secret'",
            "COMMENT ON SCHEMA secret IS 'hunter2secret'",
            "COMMENT ON INDEX api_token IS 'hunter2secret'",
            "COMMENT ON SCHEMA app IS 'the token: hunter2secret'",
            "COMMENT ON FUNCTION f() IS 'api_key:hunter2secret'",
        ],
    );
    let shown = |facts: &Facts| !facts.may_hold_secret;
    all(
        MySql,
        shown,
        &[
            "CREATE EVENT rotate_token ON SCHEDULE EVERY 1 DAY STARTS '2030-01-01 00:00:00' COMMENT 'every night' DO SELECT 1",
            "CREATE PROCEDURE new_token() COMMENT 'token: made by hand' SELECT 1",
            "CREATE TABLE t (token int, a int DEFAULT '1' COMMENT 'hunter2secret')",
        ],
    );
    all(
        Postgres,
        shown,
        &[
            "COMMENT ON FUNCTION new_token(int, text) IS 'tokens of a user'",
            "COMMENT ON FUNCTION f() IS 'hunter2secret'",
            "COMMENT ON COLUMN t.token IS 'token: opaque'",
        ],
    );
}

#[test]
fn the_value_of_a_domain_called_like_a_secret_is_one() {
    all(
        Postgres,
        |facts| facts.may_hold_secret,
        &[
            "CREATE DOMAIN api_token AS text CHECK (VALUE <> 'x')",
            "CREATE DOMAIN app.\"api_token\" AS text CONSTRAINT c CHECK (length(value) > 8 AND value NOT IN ('x', 'y'))",
            "CREATE DOMAIN api_token AS text DEFAULT 'x'",
            "ALTER DOMAIN api_token SET DEFAULT 'x'",
            "ALTER DOMAIN api_token ADD CONSTRAINT c CHECK ('x' <> VALUE) NOT VALID",
            "DO $$ BEGIN CREATE DOMAIN api_token AS text CHECK (VALUE !~~ 'x%'); END $$",
        ],
    );
    all(
        Postgres,
        |facts| !facts.may_hold_secret,
        &[
            "CREATE DOMAIN api_token AS text CHECK (VALUE <> '' AND length(VALUE) = 32)",
            "CREATE DOMAIN label AS text CHECK (VALUE <> 'x')",
            "CREATE DOMAIN api_token AS text COLLATE \"C\" NOT NULL",
        ],
    );
}

/// None of them was ever one: they are put together here, so that nobody who looks for such finds any in the text.
#[test]
fn keys_of_well_known_services_are_secrets_anywhere() {
    let (letters, capitals) = ("a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9", "A1B2C3D4E5F6G7H8");
    let keys = [
        format!("ghp_{letters}"),
        format!("gho_{letters}"),
        format!("ghs_{letters}"),
        format!("github_pat_{letters}"),
        format!("sk_live_{letters}"),
        format!("rk_live_{letters}"),
        format!("sk_test_{letters}"),
        format!("AKIA{capitals}"),
        format!("ASIA{capitals}"),
        format!("eyJ{letters}.eyJ{letters}.{letters}"),
        format!("xoxb-{letters}"),
        format!("AIza{}", &letters[..35]),
        format!("-----BEGIN {}PRIVATE KEY-----", "RSA "),
        format!("-----BEGIN {}PRIVATE KEY-----", ""),
        format!("amqp://app:{capitals}@mq/shop"),
    ];
    for dialect in [Postgres, MySql, Sqlite] {
        for key in &keys {
            for text in [
                format!("INSERT INTO t VALUES (1, 'see {key}')"),
                format!("CREATE TABLE t (note varchar(900) DEFAULT '{key}')"),
            ] {
                assert!(classify(dialect, &text).may_hold_secret, "{text}");
            }
        }
        let plain = [
            "INSERT INTO t VALUES ('ghp_', 'sk_live_', 'AKIA', 'ASIA', 'AIza', 'eyJ.eyJ', 'xoxb-', '-----BEGIN CERTIFICATE-----')",
            "CREATE TABLE ASIA2024 (ghs_count int, sk_test_run int)",
        ];
        all(dialect, |facts| !facts.may_hold_secret, &plain);
    }
}

#[test]
fn only_the_beginning_of_long_data_is_searched() {
    let rows = "('a long row of data'),\n".repeat(4000);
    let behind = format!("INSERT INTO t VALUES {rows} ('postgres://u:x@h')");
    assert!(!classify(Sqlite, &behind).may_hold_secret);
    let before = format!("INSERT INTO t VALUES ('postgres://u:x@h'), {rows} ('é')");
    assert!(classify(Sqlite, &before).may_hold_secret);
}

#[test]
fn enum_values() {
    let value = |statement: &str| classify(Postgres, statement).enum_value;
    assert_eq!(value("ALTER TYPE e ADD VALUE 'it''s' AFTER 'x'").as_deref(), Some("it's"));
    assert_eq!(value("alter type s.\"E\" add value if not exists 'x'").as_deref(), Some("x"));
    assert_eq!(value("ALTER TYPE e RENAME VALUE 'a' TO 'b'"), None);
}
