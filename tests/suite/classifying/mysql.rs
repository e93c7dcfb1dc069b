//! One example of each kind of MySQL and MariaDB statement.

use super::{Example, plain};
use harness::Family;

/// What stands anew before each example.
pub(super) const SETUP: &str = "
    DROP TABLE IF EXISTS u, x, x2; DROP TABLE IF EXISTS t; DROP VIEW IF EXISTS v;
    DROP PROCEDURE IF EXISTS p; DROP FUNCTION IF EXISTS f; DROP EVENT IF EXISTS e;
    CREATE TABLE t (a int PRIMARY KEY, b varchar(20), KEY i (b)) ENGINE = InnoDB;
    CREATE TABLE u (a int, b int) ENGINE = MyISAM;
    INSERT INTO t VALUES (1, 'x');
    CREATE VIEW v AS SELECT a FROM t;
    CREATE PROCEDURE p() SELECT 1;
    CREATE FUNCTION f() RETURNS int DETERMINISTIC RETURN 1;
    CREATE EVENT e ON SCHEDULE AT '2036-01-01 00:00:00' DO SELECT 1";

const BOTH: &[&str] = &[
    // Definitions.
    "CREATE TABLE x (a int)",
    "CREATE TABLE x LIKE t",
    "CREATE TEMPORARY TABLE x (a int)",
    "CREATE INDEX i2 ON t (b)",
    "DROP INDEX i ON t",
    "ALTER TABLE t ADD c int",
    "ALTER TABLE t COMMENT = 'x'",
    "DROP TABLE u",
    "DROP TEMPORARY TABLE IF EXISTS nobody",
    "RENAME TABLE u TO x",
    "TRUNCATE TABLE t",
    "TRUNCATE u",
    "CREATE VIEW x3 AS SELECT 1",
    "CREATE OR REPLACE ALGORITHM = MERGE VIEW v AS SELECT a FROM t",
    "ALTER VIEW v AS SELECT 1",
    "DROP VIEW IF EXISTS x3",
    "CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW SET NEW.b = 'y'",
    "DROP TRIGGER IF EXISTS tr",
    "CREATE PROCEDURE x4() SELECT 1",
    "ALTER PROCEDURE p COMMENT 'x'",
    "DROP PROCEDURE IF EXISTS x4",
    "CREATE FUNCTION x5() RETURNS int DETERMINISTIC RETURN 1",
    "ALTER FUNCTION f COMMENT 'x'",
    "DROP FUNCTION IF EXISTS x5",
    "CREATE EVENT x6 ON SCHEDULE AT '2036-01-01 00:00:00' DO SELECT 1",
    "ALTER EVENT e COMMENT 'x'",
    "DROP EVENT IF EXISTS x6",
    "ALTER DATABASE {database} CHARACTER SET utf8mb4",
    "DROP DATABASE IF EXISTS {database}_x",
    "DROP SERVER IF EXISTS {database}_s",
    // Accounts.
    "CREATE USER IF NOT EXISTS '{database}'@'localhost'",
    "ALTER USER IF EXISTS '{database}'@'localhost' ACCOUNT UNLOCK",
    "GRANT SELECT ON {database}.* TO '{database}'@'localhost'",
    "REVOKE SELECT ON {database}.* FROM '{database}'@'localhost'",
    "SET PASSWORD FOR '{database}'@'localhost' = ''",
    "RENAME USER '{database}'@'localhost' TO '{database}'@'127.0.0.1'",
    "DROP USER IF EXISTS '{database}'@'127.0.0.1'",
    "DROP ROLE IF EXISTS '{database}_r'",
    // Administration.
    "ANALYZE TABLE t",
    "CHECK TABLE t",
    "OPTIMIZE TABLE t",
    "REPAIR TABLE u",
    "CHECKSUM TABLE t",
    "CACHE INDEX u IN default",
    "LOAD INDEX INTO CACHE u",
    "FLUSH TABLES t",
    "FLUSH PRIVILEGES",
    "FLUSH STATUS",
    "KILL QUERY 99999999",
    "SHOW TABLES",
    "SHOW CREATE TABLE t",
    "DESCRIBE t",
    "EXPLAIN SELECT 1",
    "HELP 'SELECT'",
    // Rows.
    "INSERT INTO t VALUES (2, 'y')",
    "REPLACE INTO t VALUES (2, 'y')",
    "UPDATE t SET b = 'DROP TABLE t'",
    "DELETE FROM t",
    "DELETE t FROM t JOIN u ON t.a = u.a",
    "INSERT INTO u VALUES (1, 1)",
    "SELECT * FROM t",
    "SELECT * FROM t FOR UPDATE",
    "SELECT 1 INTO @a",
    "CALL p()",
    "DO SLEEP(0)",
    "WITH w AS (SELECT 1 AS n) SELECT n FROM w",
    // The session.
    "SET @a = 1",
    "SET sql_mode = ''",
    "SET SESSION FOREIGN_KEY_CHECKS = 0",
    "SET NAMES utf8mb4",
    "SET ROLE NONE",
    "SET GLOBAL max_connect_errors = 100",
    "USE {database}",
    "LOCK TABLES t WRITE, marker WRITE",
    "PREPARE s FROM 'SELECT 1'",
    "HANDLER t OPEN",
    // Transactions.
    "BEGIN",
    "START TRANSACTION",
    "START TRANSACTION READ ONLY",
    "COMMIT",
    "ROLLBACK",
    "COMMIT AND CHAIN",
    "SAVEPOINT a",
];

const MYSQL: &[&str] = &[
    "VALUES ROW(1)",
    "CREATE TABLE x AS SELECT * FROM t",
    "CREATE ROLE IF NOT EXISTS '{database}_r'",
    "SET DEFAULT ROLE NONE TO root@localhost",
    "CREATE SPATIAL REFERENCE SYSTEM IF NOT EXISTS 4326 NAME 'x' DEFINITION ''",
    "DROP SPATIAL REFERENCE SYSTEM IF EXISTS 9999",
    "CREATE TABLESPACE {database}_ts ADD DATAFILE '{database}_ts.ibd'",
    "ALTER TABLESPACE {database}_ts RENAME TO {database}_ts2",
    "DROP TABLESPACE {database}_ts2",
    "CREATE UNDO TABLESPACE {database}_un ADD DATAFILE '/nowhere/x.ibu'",
    "CREATE RESOURCE GROUP {database}_g TYPE = USER",
    "ALTER RESOURCE GROUP {database}_g THREAD_PRIORITY = 1",
    "DROP RESOURCE GROUP {database}_g",
    "ALTER INSTANCE ROTATE INNODB MASTER KEY",
    "ALTER INSTANCE RELOAD TLS",
    "INSTALL PLUGIN nobody SONAME 'nobody.so'",
    "UNINSTALL PLUGIN nobody",
    "INSTALL COMPONENT 'file://nobody'",
    "UNINSTALL COMPONENT 'file://nobody'",
    "IMPORT TABLE FROM 'nobody.sdi'",
    "CHANGE REPLICATION SOURCE TO SOURCE_HOST = '127.0.0.1' FOR CHANNEL 'nobody'",
    "CHANGE REPLICATION FILTER REPLICATE_DO_DB = ()",
    "START REPLICA FOR CHANNEL 'nobody2'",
    "STOP REPLICA FOR CHANNEL 'nobody2'",
    "RESET REPLICA ALL FOR CHANNEL 'nobody'",
    "RESET PERSIST IF EXISTS max_connect_errors",
    "SET PERSIST max_connect_errors = 100",
    "PURGE BINARY LOGS TO 'nobody'",
    "FLUSH LOCAL OPTIMIZER_COSTS",
    "CLONE LOCAL DATA DIRECTORY = '/nowhere'",
    "TABLE t",
    "EXPLAIN ANALYZE SELECT 1",
    "ANALYZE TABLE t UPDATE HISTOGRAM ON b",
];

const MARIADB: &[&str] = &[
    "VALUES (1)",
    "CREATE TABLE x SELECT * FROM t",
    "CREATE OR REPLACE TABLE x (a int)",
    "CREATE SEQUENCE x2",
    "CREATE ROLE IF NOT EXISTS {database}_r",
    "SET DEFAULT ROLE NONE",
    "CREATE OR REPLACE SERVER {database}_s FOREIGN DATA WRAPPER mysql OPTIONS (HOST '127.0.0.1')",
    "ALTER SERVER {database}_s OPTIONS (HOST '127.0.0.1')",
    "INSTALL PLUGIN nobody SONAME 'nobody.so'",
    "UNINSTALL PLUGIN nobody",
    "INSTALL SONAME 'nobody'",
    "CHANGE MASTER 'nobody' TO MASTER_HOST = '127.0.0.1'",
    "START SLAVE 'nobody2'",
    "STOP SLAVE 'nobody2'",
    "RESET SLAVE 'nobody' ALL",
    "PURGE BINARY LOGS TO 'nobody'",
    "BACKUP STAGE END",
    "SET STATEMENT max_statement_time = 1 FOR SELECT 1",
    "BEGIN NOT ATOMIC SELECT 1; END",
    "EXECUTE IMMEDIATE 'SELECT 1'",
    "ANALYZE UPDATE t SET b = 'z'",
    "ANALYZE FORMAT = JSON SELECT 1",
    "ANALYZE DELETE FROM t",
    "ALTER TABLE t ADD COLUMN IF NOT EXISTS c int",
];

pub(super) fn examples(family: Family) -> impl Iterator<Item = Example> {
    const WITH_SURROUNDINGS: [Example; 4] = [
        Example { before: "", sql: "CREATE DATABASE {database}_x", after: "DROP DATABASE {database}_x" },
        // It commits what is open when autocommit is turned on again.
        Example { before: "SET autocommit = 0", sql: "SET autocommit = 1", after: "" },
        Example { before: "DROP TABLE IF EXISTS x", sql: "ALTER TABLE t RENAME x", after: "DROP TABLE x" },
        Example { before: "CREATE SEQUENCE IF NOT EXISTS x2", sql: "DROP SEQUENCE x2", after: "" },
    ];
    let own = if family == Family::MariaDb { MARIADB } else { MYSQL };
    let surrounded = WITH_SURROUNDINGS.into_iter();
    let surrounded = surrounded.filter(move |e| family == Family::MariaDb || !e.sql.contains("SEQUENCE"));
    plain(BOTH).chain(plain(own)).chain(surrounded)
}

/// What commits on MySQL and not on MariaDB, which have one classifier. Taken for committing, a statement stands
/// by itself, and nothing is promised of it that is not kept.
pub(super) fn commits_on_mysql_alone(sql: &str) -> bool {
    ["CACHE INDEX", "LOAD INDEX", "CHANGE MASTER", "START SLAVE", "STOP SLAVE"]
        .iter()
        .any(|words| sql.starts_with(words))
}

/// What a test server cannot do: the transaction was committed, or was not, before it said so.
pub(super) fn comes_after_the_commit(sql: &str) -> bool {
    const UNABLE: [&str; 22] = [
        "KILL QUERY",
        "HANDLER",
        "CREATE SPATIAL",
        "CREATE UNDO",
        "CREATE RESOURCE",
        "ALTER RESOURCE",
        "DROP RESOURCE",
        "ALTER INSTANCE",
        "INSTALL",
        "UNINSTALL",
        "IMPORT",
        "CHANGE",
        "START REPLICA",
        "STOP REPLICA",
        "RESET REPLICA",
        "START SLAVE",
        "STOP SLAVE",
        "RESET SLAVE",
        "PURGE",
        "CLONE",
        "BACKUP",
        "SET DEFAULT ROLE",
    ];
    UNABLE.iter().any(|unable| sql.starts_with(unable))
}
