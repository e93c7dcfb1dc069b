//! Rendering on MySQL and MariaDB: definitions that are hard to write as they were.

use super::rendering::comes_round;
use super::restoring::script;
use super::{deployed, mysql::BASE, verdict};
use harness::{Database, Family, migrations};
use windlass_core::drift::DriftVerdict;

/// What both have.
const HARD: &str = r#"
    CREATE TABLE `tü ``(` (`a b` int COMMENT 'it''s \\ a\ttab "q"', `ü, (` varchar(20) DEFAULT 'it''s \\ back',
        hex varbinary(10) DEFAULT 'ab''c', none varbinary(10) DEFAULT '', three binary(3) DEFAULT 'ab', bits bit(3) DEFAULT b'101',
        e enum('a', 'b''c', 'd\\e', 'f"g', 'ü', '') DEFAULT 'b''c', made varchar(60) AS (concat(`ü, (`, 'it''s \\ "x" \n ü€')) STORED,
        five int DEFAULT (5), at datetime DEFAULT (now()), on_update timestamp(3) NULL DEFAULT CURRENT_TIMESTAMP(3)
        ON UPDATE CURRENT_TIMESTAMP(3), zero datetime DEFAULT '2026-01-31 00:00:00', words text DEFAULT ('it''s \\ ü'),
        hidden int AS (`a b` + 1) VIRTUAL INVISIBLE COMMENT 'x', KEY (`a b` DESC, `ü, (`(5)),
        CONSTRAINT `one of` CHECK (`ü, (` IN ('it''s', '\\', 'ü', '日本', '"')))
        COMMENT 'it''s \\' STATS_PERSISTENT = 1 AVG_ROW_LENGTH = 10 COLLATE = utf8mb4_general_ci;
    CREATE TABLE in_memory (a int, b int, KEY x (a) USING BTREE, KEY y (b)) ENGINE = MEMORY;
    CREATE TABLE fixed (a int, KEY (a)) ENGINE = MyISAM ROW_FORMAT = FIXED PACK_KEYS = 0 CHECKSUM = 1;
    ALTER TABLE fixed DISABLE KEYS;
    CREATE TABLE by_text (a int, b varchar(20), c date) PARTITION BY RANGE COLUMNS (b, c)
        (PARTITION z VALUES LESS THAN ('it''s', '2020-01-01') COMMENT 'x''y', PARTITION y VALUES LESS THAN ('K\\x', '2020-01-01'),
        PARTITION x VALUES LESS THAN (MAXVALUE, MAXVALUE));
    CREATE TABLE by_list (a int, b varchar(20)) PARTITION BY LIST COLUMNS (b)
        (PARTITION z VALUES IN ('ü', 'b'), PARTITION q VALUES IN (NULL));
    CREATE TABLE by_hash (`ü` int) PARTITION BY LINEAR HASH (`ü` + 1) PARTITIONS 12;
    CREATE TABLE by_time (c timestamp) PARTITION BY RANGE (unix_timestamp(c))
        (PARTITION b VALUES LESS THAN (1000), PARTITION a VALUES LESS THAN (20000), PARTITION c VALUES LESS THAN MAXVALUE);
    CREATE TABLE zz_parent (id int PRIMARY KEY, twin int UNIQUE, FOREIGN KEY (twin) REFERENCES zz_parent (id) ON DELETE CASCADE);
    CREATE TABLE aa_child (id int, FOREIGN KEY (id) REFERENCES zz_parent (twin) ON UPDATE SET NULL);
    CREATE VIEW zz_first (x, `y z`) AS SELECT a, b FROM t UNION SELECT 1, 'it''s \\ ü';
    CREATE DEFINER = nobody@localhost VIEW aa_second AS SELECT x, `y z`, x + 1, f(x) FROM zz_first WHERE `y z` <> 'x\\y';
    CREATE FUNCTION typed(n int, v varchar(20) CHARSET latin1 COLLATE latin1_bin, e enum('a', 'b'))
        RETURNS varchar(30) CHARSET utf8mb4 DETERMINISTIC COMMENT 'it''s \\' BEGIN RETURN concat(n, ' ü'); END;
    CREATE PROCEDURE modes(IN a int, OUT b varchar(20), INOUT c decimal(5,2) unsigned) MODIFIES SQL DATA SQL SECURITY INVOKER
        BEGIN SELECT 'ü' INTO b; END;
    CREATE PROCEDURE strings() COMMENT 'it''s\n \\' SELECT 'it''s', 'a\nb', 'C:\\new', "d""q", '\'', 'it'' , ''s', '\%', `i``d`.a FROM t `i``d`;
    CREATE FUNCTION returns_string(`a(` enum('(', ')')) RETURNS varchar(30) CHARSET utf8mb4 DETERMINISTIC RETURN 'it''s ü\\';
    CREATE TRIGGER string /* for each row */ AFTER DELETE ON t FOR EACH ROW /* first */ SET @a = 'it''s \\ ü';
    CREATE EVENT string ON SCHEDULE EVERY 1 DAY STARTS '2036-01-01 00:00:00' COMMENT 'DO ''x' DO SELECT "it's", 'a''b';
    SET sql_mode = 'ANSI_QUOTES,PIPES_AS_CONCAT,NO_BACKSLASH_ESCAPES';
    CREATE PROCEDURE ansi() COMMENT 'a\b' SELECT "a" || 'b', 'a\nb' FROM "t";
    SET sql_mode = DEFAULT;
    SET NAMES latin1;
    CREATE TRIGGER of_latin1 AFTER INSERT ON parent FOR EACH ROW SET @a = 'x';
    CREATE VIEW of_latin1 AS SELECT 'x' AS x;
    SET NAMES utf8mb4 COLLATE utf8mb4_unicode_ci;
    CREATE TRIGGER a_last AFTER INSERT ON parent FOR EACH ROW FOLLOWS of_latin1 SET @a = 'x';
    ALTER DATABASE COLLATE utf8mb4_bin;
    CREATE FUNCTION of_another() RETURNS varchar(9) DETERMINISTIC RETURN 'x';
    ALTER DATABASE COLLATE utf8mb4_unicode_ci;
    SET time_zone = '+09:00';
    CREATE EVENT zoned ON SCHEDULE EVERY '1:30' HOUR_MINUTE STARTS '2036-01-01 00:00:00' ENDS '2037-01-01 00:00:00'
        ON COMPLETION PRESERVE COMMENT 'it''s' DO SELECT 1;
    CREATE EVENT weekly ON SCHEDULE EVERY 3 WEEK STARTS '2036-01-01 00:00:00' DISABLE DO BEGIN SELECT 'ü'; END;"#;

const OF_MYSQL: &str = r#"
    CREATE TABLE expressions (a int, b varchar(20), j json, s point NOT NULL SRID 4326, l varchar(9) AS (concat(b, _latin1 0xE9)),
        KEY one ((concat(b, 'it''s \\ ), ü')), a DESC), KEY many ((cast(j->'$.x' AS unsigned ARRAY))), SPATIAL KEY (s),
        KEY hidden (a) INVISIBLE COMMENT 'it''s', CONSTRAINT unchecked CHECK (a > 1) NOT ENFORCED) COMPRESSION = 'zlib';
    SET restrict_fk_on_non_standard_key = 0;
    CREATE TABLE selves (k int, d int, KEY (d), FOREIGN KEY (k) REFERENCES selves (d));
    CREATE LIBRARY words COMMENT 'x''y' LANGUAGE JAVASCRIPT AS 'export function f() { return "it\'s \\n" }';
    CREATE FUNCTION js(n int) RETURNS int LANGUAGE JAVASCRIPT AS 'return n + "\\n".length';
    CREATE SQL SECURITY INVOKER JSON DUALITY VIEW two_sides AS
        SELECT JSON_DUALITY_OBJECT(WITH (INSERT, UPDATE) '_id': id, 'k': k) FROM parent;"#;

const OF_MARIADB: &str = r#"
    CREATE SEQUENCE zz_numbers START 5 INCREMENT 2 MAXVALUE 1000 NOCACHE CYCLE COMMENT 'it''s';
    CREATE TABLE expressions (a int DEFAULT (1 + 2), n int DEFAULT (NEXT VALUE FOR zz_numbers), w text COMPRESSED COLLATE utf8mb4_bin,
        u uuid DEFAULT uuid(), j json, c int CHECK (c > 5 AND w <> 'ü\\'), long_one text, UNIQUE KEY (long_one), KEY h (a) USING HASH,
        KEY i (c) IGNORED) PAGE_COMPRESSED = 1;
    CREATE TABLE remembered (a int PRIMARY KEY, b int UNIQUE) WITH SYSTEM VERSIONING;
    CREATE TABLE in_force (a int, s timestamp(6) GENERATED ALWAYS AS ROW START INVISIBLE, e timestamp(6) GENERATED ALWAYS AS ROW END,
        n int WITHOUT SYSTEM VERSIONING, PERIOD FOR SYSTEM_TIME (s, e), PRIMARY KEY (a)) WITH SYSTEM VERSIONING;
    CREATE TABLE otherwise (b varchar(20)) PARTITION BY LIST COLUMNS (b) (PARTITION a VALUES IN ('x'), PARTITION d DEFAULT);
    CREATE TABLE sum_up (a int) ENGINE = Aria TRANSACTIONAL = 1;
    CREATE AGGREGATE FUNCTION adds(x int) RETURNS int DETERMINISTIC BEGIN DECLARE n int DEFAULT 0;
        DECLARE CONTINUE HANDLER FOR NOT FOUND RETURN n; LOOP FETCH GROUP NEXT ROW; SET n = n + x; END LOOP; END;
    CREATE PROCEDURE like_others(a TYPE OF t.a, r ROW TYPE OF parent) SELECT 1;
    SET sql_mode = ORACLE;
    CREATE PROCEDURE oracle(a IN OUT int, b OUT varchar2) AS BEGIN NULL; END;
    CREATE FUNCTION oracles(a number) RETURN varchar2 COMMENT 'x' IS n int; BEGIN RETURN 'x'; END;
    SET sql_mode = DEFAULT;"#;

/// What the servers print anew, and what they have in store besides.
pub(super) async fn a_schema_comes_round_in_statements(database: &Database) {
    let family = database.target().family;
    let script = script(family);
    let own = if family == Family::MySql { OF_MYSQL } else { OF_MARIADB };
    deployed(database, &[("1_reprinted", script.as_str())]).await;
    // What windlass refuses to deploy, and others do not.
    database.sql(&format!("{HARD}{own}")).await;
    assert_eq!(comes_round(database, "all").await.map(|error| error.to_string()), None);
}

/// What windlass did not tell of a schema when it was kept is no drift of it.
pub(super) async fn what_an_earlier_version_kept_is_compared_with_what_it_told(database: &Database) {
    let set = [(
        "1_t",
        "CREATE TABLE t (id int PRIMARY KEY, a varbinary(9) DEFAULT ''); CREATE VIEW v (x) AS SELECT a FROM t;",
    )];
    deployed(database, &set).await;
    let set = migrations(&set);
    let told = ["\\tcolumns=`x`", "\\tdefault=''''"];
    let is_told =
        |what: &str| format!("SELECT UNCOMPRESS(snapshot) LIKE '%{what}%' FROM _windlass_migrations");
    for what in told {
        assert_eq!(database.value(&is_told(what)).await, "1", "{what}");
    }
    let earlier = told
        .iter()
        .fold("UNCOMPRESS(snapshot)".to_owned(), |text, what| format!("REPLACE({text}, '{what}', '')"));
    // With another fingerprint, for it told another thing.
    let earlier = format!("CONCAT('1', SUBSTR(REPLACE({earlier}, '9.7\\t', '9.7\\t0'), 2))");
    database.sql(&format!("UPDATE _windlass_migrations SET snapshot = COMPRESS({earlier})")).await;
    for what in told {
        assert_eq!(database.value(&is_told(what)).await, "0", "{what}");
    }
    assert_eq!(verdict(database, &set).await, DriftVerdict::None);
    database.sql("ALTER TABLE t ADD by_hand int").await;
    assert!(matches!(verdict(database, &set).await, DriftVerdict::Drift(_)));
}

/// What a server does not tell is not made up.
pub(super) async fn what_is_not_known_is_not_written(database: &Database) {
    deployed(database, &[("1_base", BASE)]).await;
    for (made, taken, told) in [
        (
            "SET NAMES latin1; CREATE VIEW l AS SELECT 'é' AS e; SET NAMES utf8mb4",
            "DROP VIEW l",
            "view l cannot be written as SQL: its text came in letters",
        ),
        (
            "CREATE VIEW s AS SELECT 'password=hunter2' AS p",
            "DROP VIEW s",
            "view s cannot be written as SQL: a text of it may hold a secret",
        ),
    ] {
        database.sql(made).await;
        let error = comes_round(database, made).await.map(|error| error.to_string()).unwrap_or_default();
        assert!(error.starts_with(told), "{made}: {error}");
        database.sql(taken).await;
    }
}
