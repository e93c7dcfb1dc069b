//! Drift on MySQL and MariaDB: a change by hand of each kind of object, and what is no change of any.

use super::{deployed, each_is_seen, verdict, words};
use harness::{Database, Family, migrations, options};
use std::time::Duration;
use windlass_core::apply::accept_drift;
use windlass_core::drift::{DriftOptions, DriftVerdict, look};
use windlass_mysql::MySql;
use windlass_mysql::mysql_async::prelude::Queryable;
use windlass_mysql::mysql_async::{Conn, Opts};

/// What both have.
pub(super) const BASE: &str = "CREATE TABLE parent (id int PRIMARY KEY, k int, UNIQUE KEY parent_k (k));
    CREATE TABLE t (id int NOT NULL AUTO_INCREMENT PRIMARY KEY, a int NOT NULL, b varchar(20) DEFAULT 'x', \
        c varchar(20) CHARACTER SET latin1, d datetime DEFAULT CURRENT_TIMESTAMP, e enum('good', 'bad'), \
        g int AS (a + 1) STORED, p point NOT NULL, w text, n decimal(5,2), \
        KEY t_a (a), UNIQUE KEY t_b (b), CONSTRAINT t_c CHECK (a > 0));
    CREATE TABLE child (id int, p int, CONSTRAINT child_p FOREIGN KEY (p) REFERENCES parent (id));
    CREATE TABLE split (id int, at int) PARTITION BY RANGE (at) \
        (PARTITION early VALUES LESS THAN (10), PARTITION late VALUES LESS THAN (20));
    CREATE VIEW v AS SELECT a FROM t WHERE a > 0;
    CREATE FUNCTION f(n int) RETURNS int DETERMINISTIC RETURN n;
    CREATE PROCEDURE pr(n int) SELECT n;
    CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW SET NEW.n = 1;
    CREATE EVENT ev ON SCHEDULE EVERY 1 DAY STARTS '2036-01-01 00:00:00' DO DELETE FROM child WHERE id = 1;";

const CHANGES: &[(&str, &str)] = &[
    ("ALTER DATABASE COLLATE utf8mb4_bin", "database defaults: collation was"),
    ("ALTER TABLE t ADD z int", "column t.z was added"),
    ("ALTER TABLE t MODIFY z int FIRST", "column t.id: after is z now"),
    ("ALTER TABLE t DROP z", "column t.z was removed"),
    ("ALTER TABLE t MODIFY n decimal(6,2)", "type was decimal(5,2), is decimal(6,2)"),
    ("ALTER TABLE t MODIFY n decimal(6,2) NOT NULL", "column t.n: is not null now"),
    ("ALTER TABLE t MODIFY n decimal(6,2) DEFAULT 1", "column t.n: default is"),
    ("ALTER TABLE t ALTER b SET DEFAULT 'it''s'", "default was 'x', is 'it''s'"),
    ("ALTER TABLE t ALTER b SET DEFAULT ''", "default was 'it''s', is ''"),
    ("ALTER TABLE t MODIFY c varchar(20) CHARACTER SET utf8mb4", "column t.c: collation was latin1"),
    (
        "ALTER TABLE t MODIFY d datetime DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP",
        "column t.d: on update is current_timestamp",
    ),
    ("ALTER TABLE t MODIFY e enum('good', 'fair', 'bad')", "is enum('good','fair','bad')"),
    ("ALTER TABLE t MODIFY g int AS (a + 2) STORED", "column t.g: generated was"),
    ("ALTER TABLE t DROP g, ADD g int AS (a + 2) VIRTUAL", "column t.g: "),
    ("ALTER TABLE t MODIFY w text COMMENT 'it''s a\\ttab'", "comment is it's a\ttab now"),
    ("ALTER TABLE t ADD h int INVISIBLE", "column t.h was added"),
    ("ALTER TABLE t MODIFY h int", "column t.h: is no longer invisible"),
    ("ALTER TABLE t ADD u varchar(36) DEFAULT (concat('a', 'b'))", "column t.u was added"),
    ("ALTER TABLE t MODIFY id int NOT NULL", "column t.id: is no longer auto increment"),
    ("ALTER TABLE t COMMENT 'x'", "table t: comment is x now"),
    ("ALTER TABLE t ROW_FORMAT = COMPACT", "table t: options is row_format=compact now"),
    ("ALTER TABLE t COLLATE utf8mb4_unicode_ci", "table t: collation was"),
    ("ALTER TABLE child DROP FOREIGN KEY child_p", "foreign key child.child_p was removed"),
    ("ALTER TABLE child ENGINE = MyISAM", "table child: engine was InnoDB, is MyISAM"),
    (
        "ALTER TABLE child ENGINE = InnoDB; \
         ALTER TABLE child ADD CONSTRAINT child_p FOREIGN KEY (p) REFERENCES parent (k) ON DELETE CASCADE",
        "foreign key child.child_p was added",
    ),
    (
        "ALTER TABLE child DROP FOREIGN KEY child_p; \
         ALTER TABLE child ADD CONSTRAINT child_p FOREIGN KEY (p) REFERENCES parent (k) ON DELETE SET NULL",
        "foreign key child.child_p: on delete was CASCADE, is SET NULL",
    ),
    (
        "ALTER TABLE child DROP FOREIGN KEY child_p; \
         ALTER TABLE child ADD CONSTRAINT child_p FOREIGN KEY (p) REFERENCES parent (id) ON DELETE SET NULL",
        "references was `parent` (`k`), is `parent` (`id`)",
    ),
    ("ALTER TABLE t DROP PRIMARY KEY", "primary key t.PRIMARY was removed"),
    ("ALTER TABLE t ADD PRIMARY KEY (id, a)", "primary key t.PRIMARY was added"),
    ("ALTER TABLE t DROP KEY t_b, ADD KEY t_b (b)", "index t.t_b was added"),
    ("ALTER TABLE t DROP KEY t_b, ADD KEY t_b (b(5))", "columns was `b`, is `b`(5)"),
    ("ALTER TABLE t DROP KEY t_a, ADD KEY t_a (a DESC, b)", "columns was `a`, is `a` DESC, `b`"),
    ("ALTER TABLE t DROP KEY t_a, ADD KEY t_a (a DESC, b) COMMENT 'x'", "index t.t_a: comment is x now"),
    ("CREATE FULLTEXT INDEX t_w ON t (w)", "index t.t_w was added"),
    ("CREATE SPATIAL INDEX t_p ON t (p)", "index t.t_p was added"),
    ("ALTER TABLE t DROP CONSTRAINT t_c", "check t.t_c was removed"),
    ("ALTER TABLE t ADD CONSTRAINT t_c CHECK (a > 1)", "check t.t_c was added"),
    (
        "ALTER TABLE t DROP CONSTRAINT t_c; ALTER TABLE t ADD CONSTRAINT t_c CHECK (b <> 'x')",
        "check t.t_c: clause was",
    ),
    (
        "ALTER TABLE split ADD PARTITION (PARTITION later VALUES LESS THAN (30))",
        "partition split.later was added",
    ),
    (
        "ALTER TABLE split REORGANIZE PARTITION later INTO (PARTITION later VALUES LESS THAN (40))",
        "partition split.later: values was 30, is 40",
    ),
    ("ALTER TABLE split REMOVE PARTITIONING", "table split: partitioned by was RANGE"),
    ("CREATE TABLE by_key (id int PRIMARY KEY) PARTITION BY KEY () PARTITIONS 2", "table by_key was added"),
    ("ALTER TABLE by_key ADD PARTITION PARTITIONS 1", "partition by_key.p2 was added"),
    ("DROP TABLE by_key", "table by_key was removed"),
    ("CREATE OR REPLACE VIEW v AS SELECT a FROM t WHERE a > 1", "definition was"),
    ("ALTER SQL SECURITY INVOKER VIEW v AS SELECT a FROM t WHERE a > 1", "security is INVOKER now"),
    (
        "ALTER SQL SECURITY INVOKER VIEW v AS SELECT a FROM t WHERE a > 1 WITH LOCAL CHECK OPTION",
        "check option is LOCAL now",
    ),
    (
        "ALTER DEFINER = nobody@localhost SQL SECURITY INVOKER VIEW v AS SELECT a FROM t WHERE a > 1 \
         WITH LOCAL CHECK OPTION",
        "view v: definer was",
    ),
    ("DROP FUNCTION f; CREATE FUNCTION f(n int) RETURNS int DETERMINISTIC RETURN n + 1", "definition was"),
    ("DROP FUNCTION f; CREATE FUNCTION f(n bigint) RETURNS int DETERMINISTIC RETURN n + 1", "parameters was"),
    ("DROP FUNCTION f; CREATE FUNCTION f(n bigint) RETURNS bigint DETERMINISTIC RETURN n + 1", "returns was"),
    (
        "DROP FUNCTION f; CREATE FUNCTION f(n bigint) RETURNS bigint NO SQL RETURN n + 1",
        "is no longer deterministic",
    ),
    ("ALTER FUNCTION f COMMENT 'x'", "function f: comment is x now"),
    // MariaDB's catalogs tell the same of both.
    ("DROP PROCEDURE pr; CREATE PROCEDURE pr(n int) SELECT 'a\\nb'", "definition was"),
    ("DROP PROCEDURE pr; CREATE PROCEDURE pr(n int) SELECT 'a\\\\nb'", "definition was"),
    ("ALTER PROCEDURE pr SQL SECURITY INVOKER", "procedure pr: security is INVOKER now"),
    ("DROP PROCEDURE pr; CREATE PROCEDURE pr(OUT n int) SET n = 1", "definition was"),
    (
        "SET sql_mode = 'ANSI_QUOTES'; DROP PROCEDURE pr; CREATE PROCEDURE pr(OUT n int) SET n = 1",
        "procedure pr: ",
    ),
    ("DROP TRIGGER tr; CREATE TRIGGER tr AFTER INSERT ON t FOR EACH ROW SET @x = 1", "definition was"),
    (
        "CREATE TRIGGER later AFTER INSERT ON t FOR EACH ROW PRECEDES tr SET @y = 1",
        "trigger t.tr: order is 2 now",
    ),
    ("DROP TRIGGER tr", "trigger t.tr was removed"),
    ("ALTER EVENT ev DISABLE", "status is disabled now"),
    ("ALTER EVENT ev ON SCHEDULE EVERY 2 DAY STARTS '2036-01-01 00:00:00'", "every was 1 DAY, is 2 DAY"),
    ("ALTER EVENT ev DO DELETE FROM child WHERE id = 2", "definition was"),
];

/// What is taken away last.
const REMOVALS: &[(&str, &str)] = &[
    ("RENAME TABLE child TO kid", "table kid was added"),
    ("DROP TABLE kid", "table kid was removed"),
    ("DROP VIEW v", "view v was removed"),
    ("DROP EVENT ev", "event ev was removed"),
    ("DROP FUNCTION f", "function f was removed"),
    ("DROP PROCEDURE pr", "procedure pr was removed"),
];

const OF_MYSQL: &[(&str, &str)] = &[
    ("ALTER TABLE t ALTER CHECK t_c NOT ENFORCED", "check t.t_c: is not enforced now"),
    ("ALTER TABLE t ALTER INDEX t_a INVISIBLE", "index t.t_a: is invisible now"),
    ("ALTER TABLE t ADD KEY t_l ((lower(b)))", "index t.t_l was added"),
    ("ALTER TABLE t DROP KEY t_l, ADD KEY t_l ((upper(b)))", "columns was (lower(`b`)), is (upper(`b`))"),
    (
        "ALTER TABLE t DROP KEY t_p; ALTER TABLE t MODIFY p point NOT NULL SRID 4326",
        "column t.p: srid is 4326 now",
    ),
    ("CREATE LIBRARY lib LANGUAGE JAVASCRIPT AS 'export function f() { return 1 }'", "library lib was added"),
    (
        "CREATE JSON DUALITY VIEW dv AS SELECT JSON_DUALITY_OBJECT('_id': id, 'k': k) FROM parent",
        "view dv was added",
    ),
];

const OF_MARIADB: &[(&str, &str)] = &[
    ("ALTER TABLE t ALTER INDEX t_a IGNORED", "index t.t_a: is ignored now"),
    ("ALTER TABLE t ADD j json", "column t.j was added"),
    ("ALTER TABLE t MODIFY j longtext COLLATE utf8mb4_bin", "check was json_valid(`j`), is none"),
    ("ALTER TABLE parent ADD SYSTEM VERSIONING", "table parent: is system versioned now"),
    ("ALTER ALGORITHM = MERGE VIEW v AS SELECT a FROM t WHERE a > 1", "algorithm is MERGE now"),
    ("CREATE SEQUENCE numbers", "sequence numbers was added"),
    ("ALTER SEQUENCE numbers INCREMENT 2", "sequence numbers: increment was 1, is 2"),
    ("ALTER SEQUENCE numbers CYCLE MAXVALUE 100", "cycles was 0, is 1"),
    ("ALTER TABLE t ADD q int DEFAULT (NEXT VALUE FOR numbers)", "column t.q was added"),
];

pub(super) async fn a_change_of_any_kind_of_object_is_seen_by_mysql(database: &Database) {
    let own = if database.target().family == Family::MySql { OF_MYSQL } else { OF_MARIADB };
    let changes = [CHANGES, own, REMOVALS].concat();
    each_is_seen(database, BASE, &changes, &[]).await;
}

/// Counts, statistics, rows and times are none of the schema's.
pub(super) async fn what_rows_change_is_no_drift(database: &Database) {
    let script = [("1_base", BASE)];
    deployed(database, &script).await;
    for sql in [
        "INSERT INTO parent VALUES (1, 1), (2, 2)",
        "INSERT INTO t (a, p) VALUES (1, ST_GeomFromText('POINT(1 1)'))",
        "ANALYZE TABLE t, parent",
        "OPTIMIZE TABLE parent",
        "TRUNCATE TABLE t",
        "ALTER TABLE t AUTO_INCREMENT = 100",
        "ALTER TABLE split TRUNCATE PARTITION early",
        "FLUSH TABLES",
        // It ends by itself, and would pass for removed by hand.
        "CREATE EVENT once ON SCHEDULE AT '2036-01-01 00:00:00' DO SELECT 1",
    ] {
        database.sql(sql).await;
        assert_eq!(verdict(database, &migrations(&script)).await, DriftVerdict::None, "{sql}");
    }
}

/// Nor is it drift what a server's settings, or a session's, make of the same definitions.
pub(super) async fn settings_make_no_drift(database: &Database) {
    let script =
        "CREATE TABLE t (at timestamp NULL DEFAULT '2026-01-31 12:00:00', b varchar(9) DEFAULT 'é', \
                  c int CHECK (c > 0), d int AS (c + 1), e varchar(9) DEFAULT (concat('a', 'b')));
                  CREATE VIEW v AS SELECT at, 'é' AS e FROM t WHERE b <> 'ö' WITH CHECK OPTION;
                  CREATE PROCEDURE p() SELECT 'é\\n it''s';";
    let set = [("1_t", script)];
    deployed(database, &set).await;
    let set = migrations(&set);
    for settings in [
        "sql_mode = 'ANSI_QUOTES'",
        "sql_mode = 'PAD_CHAR_TO_FULL_LENGTH'",
        "time_zone = '+09:00'",
        "sql_select_limit = 1",
        "max_join_size = 3",
        "sql_quote_show_create = 0",
        "NAMES latin1",
        "NAMES utf8mb4 COLLATE utf8mb4_unicode_ci",
        "lc_time_names = 'de_DE'",
        "group_concat_max_len = 4",
    ] {
        let options = Opts::from_url(&database.url()).expect("a URL");
        let mut connection = Conn::new(options).await.expect("a connection");
        connection.query_drop(format!("SET {settings}")).await.expect("a setting");
        let letters = "SELECT @@character_set_results";
        let before: Option<String> = connection.query_first(letters).await.expect("a setting");
        let mut driver = MySql::borrow(&mut connection).await.expect("a driver");
        let found = look(&mut driver, set.as_slice(), &DriftOptions::default()).await.expect("a look");
        assert_eq!(found, DriftVerdict::None, "{settings}");
        drop(driver);
        let after: Option<String> = connection.query_first(letters).await.expect("a setting");
        assert_eq!(after, before, "{settings}");
    }
}

pub(super) async fn what_is_kept_is_compressed(database: &Database) {
    let table =
        |number: usize| format!("CREATE TABLE like_others_{number} (id int PRIMARY KEY, name varchar(40));");
    let tables: String = (0..10).map(table).collect();
    deployed(database, &[("1_base", BASE), ("2_tables", &tables)]).await;
    let is_small = "SELECT LENGTH(snapshot) * 3 < LENGTH(UNCOMPRESS(snapshot)) FROM _windlass_migrations \
                    WHERE snapshot IS NOT NULL";
    assert_eq!(database.value(is_small).await, "1");
}

/// One statement changes two catalogs, and takes effect at any moment of a look: it is seen whole, or not at all, or it is
/// told that nobody knows.
pub(super) async fn what_changes_while_it_is_read_is_never_half_seen(database: &Database) {
    let script = [("1_base", "CREATE TABLE t (id int PRIMARY KEY);")];
    deployed(database, &script).await;
    let set = migrations(&script);
    let url = database.url();
    let plain = url.split('?').next().expect("a URL");
    let mut conn = Conn::new(Opts::from_url(plain).expect("a URL")).await.expect("a session");
    let mut session = database.connect().await;
    let options = DriftOptions::default();
    for round in 0..120 {
        let change = match round % 2 {
            0 => "ALTER TABLE t ADD COLUMN z int, ADD KEY z (z)",
            _ => "ALTER TABLE t DROP COLUMN z, DROP KEY z",
        };
        let changed = conn.query_drop(change);
        // At another moment of it each time.
        let looked = async {
            tokio::time::sleep(Duration::from_micros(round / 2 * 500)).await;
            look(&mut *session, set.as_slice(), &options).await
        };
        let (changed, found) = tokio::join!(changed, looked);
        changed.expect("a change");
        match found.expect("a look") {
            DriftVerdict::Drift(drift) => {
                assert_eq!(words(&drift), ["column t.z was added", "index t.z was added"]);
            }
            DriftVerdict::Unknown(why) => assert!(why.contains("while it is read"), "{why}"),
            found => assert_eq!(found, DriftVerdict::None),
        }
    }
    assert_eq!(verdict(database, &set).await, DriftVerdict::None);
}

/// An account that does not see all that was kept says nothing of it, and what it keeps is judged by no more than that.
pub(super) async fn a_role_with_few_rights_never_says_no_drift(database: &Database) {
    let script = [("1_base", BASE)];
    deployed(database, &script).await;
    let set = migrations(&script);
    let (name, user) = (database.name(), format!("u{}", database.name()));
    database.sql(&format!("CREATE USER {user} IDENTIFIED BY 'few'")).await;
    let url = database.url();
    let (_, server) = url.rsplit_once('@').expect("a server");
    let url = format!("mysql://{user}:few@{server}");
    let seen = async || {
        look(
            &mut *database.try_connect(&url).await.expect("a session"),
            set.as_slice(),
            &DriftOptions::default(),
        )
        .await
    };
    let unknown = |found: DriftVerdict| match found {
        DriftVerdict::Unknown(why) => why,
        other => panic!("{other:?}"),
    };
    database.sql(&format!("GRANT SELECT ON {name}._windlass_migrations TO {user}")).await;
    assert!(unknown(seen().await.expect("a look")).contains("no right to the whole database"));
    database.sql(&format!("GRANT SELECT ON {name}.* TO {user}")).await;
    assert!(unknown(seen().await.expect("a look")).contains("events, foreign keys, routines"));
    // What it does see, it tells.
    database.sql("ALTER TABLE t ADD by_hand int").await;
    assert!(matches!(seen().await.expect("a look"), DriftVerdict::Drift(_)));
    database.sql("ALTER TABLE t DROP by_hand").await;
    database.sql(&format!("GRANT SHOW VIEW, EXECUTE, TRIGGER, EVENT, ALTER ON {name}.* TO {user}")).await;
    assert!(unknown(seen().await.expect("a look")).contains("what function f is"));
    database.sql("DROP FUNCTION f; DROP PROCEDURE pr").await;
    // What is ignored is no drift, and yet nobody knows of the rest.
    database.sql(&format!("REVOKE TRIGGER ON {name}.* FROM {user}")).await;
    let ignored = ["function:*", "procedure:*"].map(|pattern| pattern.parse().expect("a pattern"));
    let mut session = database.try_connect(&url).await.expect("a session");
    let mut ignoring = DriftOptions::default();
    ignoring.ignore.extend(ignored);
    let found = look(&mut *session, set.as_slice(), &ignoring).await.expect("a look");
    assert_eq!(unknown(found), "this account does not see triggers");
    drop(session);
    // What was kept without triggers is compared without them.
    database.sql(&format!("GRANT ALL ON {name}.* TO {user}; REVOKE TRIGGER ON {name}.* FROM {user}")).await;
    let mut session = database.try_connect(&url).await.expect("a session");
    accept_drift(&mut *session, &options().run, "as far as it is seen", false).await.expect("accepted");
    drop(session);
    assert_eq!(seen().await.expect("a look"), DriftVerdict::None);
    assert_eq!(verdict(database, &set).await, DriftVerdict::None);
    database.sql(&format!("DROP USER {user}")).await;
}
