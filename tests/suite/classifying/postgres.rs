//! One example of each kind of PostgreSQL statement.

/// What the examples name. All of it is in the test's own database, roles and tablespaces aside, which no
/// example brings about: each is rolled back.
pub(super) const SETUP: &str = "
    CREATE TABLE marker (n int);
    CREATE TABLE t (a int PRIMARY KEY, b text);
    CREATE INDEX i ON t (b);
    CREATE TABLE u (a int REFERENCES t DEFERRABLE);
    CREATE TABLE parted (a int) PARTITION BY RANGE (a);
    CREATE TABLE part PARTITION OF parted FOR VALUES FROM (0) TO (10);
    CREATE INDEX partedi ON parted (a);
    CREATE TABLE free (a int);
    CREATE VIEW v AS SELECT a FROM t;
    CREATE MATERIALIZED VIEW m AS SELECT a FROM t;
    CREATE UNIQUE INDEX mi ON m (a);
    CREATE SEQUENCE s;
    CREATE TYPE e AS ENUM ('x');
    CREATE DOMAIN d AS int;
    CREATE SCHEMA sc;
    CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';
    CREATE FUNCTION tf() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
    CREATE PROCEDURE q() LANGUAGE sql AS 'SELECT 1';
    CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION tf();
    CREATE RULE ru AS ON DELETE TO u DO ALSO NOTHING;
    CREATE POLICY po ON t USING (true);
    CREATE STATISTICS st ON a, b FROM t;
    CREATE PUBLICATION pu;
    CREATE SUBSCRIPTION su CONNECTION 'host=127.0.0.1 port=1 dbname=x' PUBLICATION pu
        WITH (connect = false, slot_name = NONE);
    CREATE SUBSCRIPTION slotted CONNECTION 'host=127.0.0.1 port=1 dbname=x' PUBLICATION pu WITH (connect = false);
    ALTER SUBSCRIPTION slotted ENABLE;
    CREATE FUNCTION etf() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
    CREATE AGGREGATE ag (int) (SFUNC = int4pl, STYPE = int);
    CLUSTER t USING t_pkey;
";

/// Subscriptions would keep the database from being dropped.
pub(super) const TEARDOWN: &str = "
    ALTER SUBSCRIPTION slotted DISABLE;
    ALTER SUBSCRIPTION slotted SET (slot_name = NONE);
    DROP SUBSCRIPTION slotted;
    DROP SUBSCRIPTION su;
";

/// What the text alone does not tell: whether a table has partitions.
pub(super) const KNOWN_TO_THE_SERVER_ALONE: &[&str] = &["REINDEX TABLE parted", "REINDEX INDEX partedi"];

pub(super) const EXAMPLES: &[&str] = &[
    // Indexes and what works concurrently.
    "CREATE INDEX ON t (b)",
    "CREATE INDEX CONCURRENTLY ON t (b)",
    "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i2 ON t (b)",
    "CREATE INDEX ON ONLY parted (a)",
    "DROP INDEX i",
    "DROP INDEX CONCURRENTLY i",
    "DROP INDEX CONCURRENTLY IF EXISTS nobody",
    "REINDEX INDEX i",
    "REINDEX TABLE t",
    "REINDEX INDEX CONCURRENTLY i",
    "REINDEX TABLE CONCURRENTLY t",
    "REINDEX (CONCURRENTLY) TABLE t",
    "REINDEX (CONCURRENTLY true, VERBOSE) INDEX i",
    "REINDEX (CONCURRENTLY false) TABLE t",
    "REINDEX (VERBOSE) TABLE t",
    "REINDEX SCHEMA sc",
    "REINDEX SCHEMA CONCURRENTLY sc",
    "REINDEX DATABASE current",
    "REINDEX SYSTEM current",
    "REFRESH MATERIALIZED VIEW m",
    "REFRESH MATERIALIZED VIEW CONCURRENTLY m",
    "REFRESH MATERIALIZED VIEW m WITH NO DATA",
    "ALTER TABLE parted DETACH PARTITION part",
    "ALTER TABLE parted DETACH PARTITION part CONCURRENTLY",
    "ALTER TABLE parted ATTACH PARTITION free FOR VALUES FROM (10) TO (20)",
    // Maintenance.
    "VACUUM",
    "VACUUM t",
    "VACUUM (ANALYZE) t",
    "VACUUM FULL t",
    "VACUUM (FULL) t",
    "ANALYZE",
    "ANALYZE t (a)",
    "CLUSTER",
    "CLUSTER VERBOSE",
    "CLUSTER t",
    "CLUSTER t USING t_pkey",
    "CLUSTER VERBOSE t USING t_pkey",
    "CHECKPOINT",
    // The server.
    "CREATE DATABASE windlass_test_example",
    "DROP DATABASE IF EXISTS windlass_test_example",
    "ALTER DATABASE postgres SET work_mem = '4MB'",
    "ALTER DATABASE postgres SET TABLESPACE pg_default",
    "ALTER DATABASE postgres CONNECTION LIMIT -1",
    "CREATE TABLESPACE windlass_test_example LOCATION '/nowhere'",
    "DROP TABLESPACE windlass_test_example",
    "ALTER TABLESPACE pg_default SET (seq_page_cost = 1)",
    "ALTER SYSTEM SET work_mem = '4MB'",
    "ALTER SYSTEM RESET work_mem",
    "CREATE ROLE windlass_test_example",
    "CREATE USER windlass_test_example PASSWORD 'x'",
    "ALTER ROLE CURRENT_USER SET work_mem = '4MB'",
    "DROP ROLE IF EXISTS windlass_test_example",
    "GRANT pg_monitor TO CURRENT_USER",
    "REVOKE pg_monitor FROM CURRENT_USER",
    // Replication.
    "CREATE PUBLICATION p2 FOR TABLE t",
    "ALTER PUBLICATION pu ADD TABLE t",
    "DROP PUBLICATION pu",
    "CREATE SUBSCRIPTION s2 CONNECTION 'host=127.0.0.1 port=1' PUBLICATION pu",
    "CREATE SUBSCRIPTION s2 CONNECTION 'host=127.0.0.1 port=1' PUBLICATION pu WITH (connect = false)",
    "CREATE SUBSCRIPTION s2 CONNECTION 'host=127.0.0.1 port=1' PUBLICATION pu WITH (connect = false, slot_name = NONE)",
    "ALTER SUBSCRIPTION slotted REFRESH PUBLICATION",
    "ALTER SUBSCRIPTION slotted SET PUBLICATION pu",
    "ALTER SUBSCRIPTION slotted SET PUBLICATION pu WITH (refresh = true)",
    "ALTER SUBSCRIPTION su SET PUBLICATION pu WITH (refresh = false)",
    "ALTER SUBSCRIPTION su ADD PUBLICATION p2 WITH (refresh = false)",
    "ALTER SUBSCRIPTION su CONNECTION 'host=127.0.0.1 port=1'",
    "ALTER SUBSCRIPTION su SET (binary = true)",
    "ALTER SUBSCRIPTION su DISABLE",
    "ALTER SUBSCRIPTION su OWNER TO CURRENT_USER",
    "ALTER SUBSCRIPTION su RENAME TO s3",
    "DROP SUBSCRIPTION slotted",
    // Definitions.
    "CREATE TABLE n (a int)",
    "CREATE TABLE n AS SELECT 1 AS a",
    "CREATE TEMPORARY TABLE n (a int) ON COMMIT DROP",
    "CREATE UNLOGGED TABLE n (a int)",
    "CREATE TABLE n PARTITION OF parted FOR VALUES FROM (10) TO (20)",
    "ALTER TABLE t ADD COLUMN c int DEFAULT 1",
    "ALTER TABLE free ALTER COLUMN a TYPE bigint",
    "ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT VALID",
    "ALTER TABLE free SET UNLOGGED",
    "ALTER TABLE t RENAME TO x",
    "DROP TABLE u, free",
    "TRUNCATE t, u",
    "CREATE VIEW w AS SELECT 1",
    "CREATE OR REPLACE VIEW v AS SELECT a FROM t",
    "CREATE MATERIALIZED VIEW w AS SELECT 1",
    "DROP VIEW v",
    "DROP MATERIALIZED VIEW m",
    "CREATE SEQUENCE s2",
    "ALTER SEQUENCE s RESTART",
    "CREATE TYPE e2 AS ENUM ('x')",
    "ALTER TYPE e ADD VALUE 'y'",
    "ALTER TYPE e RENAME VALUE 'x' TO 'z'",
    "CREATE DOMAIN d2 AS int CHECK (VALUE > 0)",
    "ALTER DOMAIN d SET NOT NULL",
    "CREATE SCHEMA s2 CREATE TABLE x (a int)",
    "DROP SCHEMA sc CASCADE",
    "CREATE FUNCTION f2() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "ALTER FUNCTION f() STABLE",
    "DROP FUNCTION f()",
    "CREATE PROCEDURE q2() LANGUAGE sql AS 'SELECT 1'",
    "CREATE TRIGGER t2 AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION tf()",
    "ALTER TRIGGER tr ON t RENAME TO t3",
    "DROP TRIGGER tr ON t",
    "CREATE RULE r2 AS ON UPDATE TO u DO INSTEAD NOTHING",
    "CREATE POLICY p2 ON t USING (true)",
    "CREATE STATISTICS s2 ON a, b FROM t",
    "CREATE EXTENSION IF NOT EXISTS plpgsql",
    "CREATE CAST (d AS text) WITH INOUT",
    "CREATE OPERATOR === (LEFTARG = int, RIGHTARG = int, FUNCTION = int4eq)",
    "CREATE FOREIGN DATA WRAPPER w",
    "CREATE EVENT TRIGGER et ON ddl_command_end EXECUTE FUNCTION etf()",
    "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC",
    "GRANT SELECT ON t TO PUBLIC",
    "REVOKE ALL ON ALL TABLES IN SCHEMA sc FROM PUBLIC",
    "COMMENT ON COLUMN t.a IS 'CREATE INDEX CONCURRENTLY'",
    "DROP AGGREGATE ag (int)",
    // Rows.
    "INSERT INTO t VALUES (100)",
    "UPDATE t SET b = 'VACUUM'",
    "DELETE FROM t",
    "WITH gone AS (DELETE FROM t RETURNING a) SELECT count(*) FROM gone",
    "COPY (SELECT 1) TO PROGRAM 'cat > /dev/null'",
    "SELECT 1",
    "SELECT 1 AS a INTO x",
    "SELECT nextval('s')",
    "VALUES (1)",
    "TABLE t",
    "EXPLAIN SELECT 1",
    "EXPLAIN ANALYZE DELETE FROM t",
    "SHOW search_path",
    "CALL q()",
    "DO $$ BEGIN PERFORM 1; END $$",
    // The session.
    "SET work_mem = '4MB'",
    "SET LOCAL work_mem = '4MB'",
    "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE",
    "SET ROLE NONE",
    "SET SESSION AUTHORIZATION DEFAULT",
    "SET CONSTRAINTS ALL DEFERRED",
    "RESET ALL",
    "DISCARD ALL",
    "DISCARD PLANS",
    "DISCARD SEQUENCES",
    "DISCARD TEMP",
    "PREPARE plan AS SELECT 1",
    "DEALLOCATE ALL",
    "DECLARE c CURSOR FOR SELECT 1",
    "CLOSE ALL",
    "LISTEN x",
    "UNLISTEN *",
    "NOTIFY x",
    "LOCK TABLE t",
    "LOAD 'plpgsql'",
    // Transactions.
    "BEGIN",
    "START TRANSACTION READ WRITE",
    "COMMIT",
    "END",
    "COMMIT AND CHAIN",
    "ROLLBACK",
    "ABORT",
    "SAVEPOINT a",
    "COMMIT PREPARED 'x'",
    "ROLLBACK PREPARED 'x'",
];
