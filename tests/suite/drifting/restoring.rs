//! Drift on MySQL and MariaDB: a server that started again, and a database that was dumped and restored, have none.

use super::mysql::BASE;
use super::{deployed, verdict, words};
use harness::{Database, Expendable, Family, Raw, migrations, targets};
use windlass_core::drift::DriftVerdict;

/// What servers print anew in other words than they were given.
const REPRINTED: &str = "
    CREATE TABLE `it's \"a\" table, ``really` (`a.b` int COMMENT 'it''s \\\\ a\\ttab', KEY `k,k` (`a.b`)) \
        COMMENT 'ö' ROW_FORMAT = COMPRESSED KEY_BLOCK_SIZE = 8 STATS_PERSISTENT = 1;
    CREATE TABLE values_of (id bigint unsigned AUTO_INCREMENT PRIMARY KEY, \
        l varchar(9) CHARACTER SET latin1 COLLATE latin1_bin DEFAULT 'é', q varchar(20) DEFAULT 'it''s', \
        at timestamp(3) NULL DEFAULT '2026-01-31 12:00:00', up datetime(3) DEFAULT CURRENT_TIMESTAMP(3) \
        ON UPDATE CURRENT_TIMESTAMP(3), bits bit(4) DEFAULT b'101', d decimal(10,2) DEFAULT 1.5, \
        calculated int DEFAULT (1 + 2), j json, s set('a', 'b''c') DEFAULT 'a', \
        joined varchar(40) AS (concat(q, 'ö', l)) VIRTUAL, hidden int INVISIBLE, \
        CONSTRAINT one_of CHECK (q IN ('a', 'it''s', 'é') OR d BETWEEN 1 AND 2), CHECK (q <> l), \
        UNIQUE KEY parts (q(5), d DESC), FULLTEXT KEY letters (q));
    CREATE TABLE refers (id int PRIMARY KEY, p int, k int, FOREIGN KEY (p) REFERENCES parent (id) ON UPDATE CASCADE, \
        CONSTRAINT loose FOREIGN KEY (k) REFERENCES parent (k) ON DELETE SET NULL ON UPDATE NO ACTION);
    CREATE TABLE hashed (id int, at date) PARTITION BY RANGE (year(at)) SUBPARTITION BY HASH (id) SUBPARTITIONS 2 \
        (PARTITION early VALUES LESS THAN (2026) COMMENT 'x', PARTITION late VALUES LESS THAN MAXVALUE);
    CREATE TABLE listed (k int) PARTITION BY LIST COLUMNS (k) (PARTITION a VALUES IN (1, 2), PARTITION b VALUES IN (3));
    CREATE TABLE keyed (id int PRIMARY KEY) PARTITION BY LINEAR KEY () PARTITIONS 3;
    CREATE SQL SECURITY INVOKER VIEW joins AS SELECT x.a, count(*) AS n, 'é' AS e FROM t AS x LEFT JOIN parent AS y \
        ON y.id = x.id WHERE x.b LIKE 'a%' AND NOT (x.a IS NULL) GROUP BY x.a HAVING n > 1 ORDER BY n DESC LIMIT 3;
    CREATE VIEW of_view AS WITH w AS (SELECT a FROM v) SELECT a, row_number() OVER (ORDER BY a) AS nr, \
        CASE WHEN a > 1 THEN 'x' ELSE \"y\" END AS c, f(a) AS called FROM w WHERE EXISTS (SELECT 1 FROM child);
    CREATE PROCEDURE body(IN a int, OUT b varchar(20) CHARACTER SET latin1, INOUT c decimal(5,2)) READS SQL DATA \
        COMMENT 'it''s' BEGIN DECLARE x int DEFAULT 1; -- told
        SELECT 'ö', x INTO @y, @z; END;
    CREATE TRIGGER second BEFORE INSERT ON t FOR EACH ROW FOLLOWS tr SET NEW.b = concat(NEW.b, 'ö');
    CREATE EVENT kept ON SCHEDULE AT '2036-01-01 00:00:00' ON COMPLETION PRESERVE DISABLE COMMENT 'x' DO SELECT 1;
    CREATE EVENT often ON SCHEDULE EVERY '1:30' HOUR_MINUTE STARTS '2036-01-01 00:00:00' DO SELECT 'é';";

const OF_MYSQL: &str = "
    CREATE TABLE own (a int, b varchar(10), g geometry NOT NULL SRID 4326, j json, KEY l ((lower(b)), a), \
        KEY hidden (a) INVISIBLE, KEY many ((cast(j->'$.x' AS unsigned ARRAY))), CONSTRAINT loose CHECK (a > 1) NOT ENFORCED);
    CREATE LIBRARY lib LANGUAGE JAVASCRIPT AS 'export function f() { return 1 }';";

const OF_MARIADB: &str = "
    CREATE SEQUENCE numbers START 5 INCREMENT 2 MAXVALUE 1000 CYCLE;
    CREATE TABLE own (a int, n int DEFAULT (NEXT VALUE FOR numbers), c int CHECK (c > 5), w text COMPRESSED, u uuid, \
        KEY ignored (a) IGNORED) PAGE_COMPRESSED = 1;
    CREATE TABLE versioned (a int, x int WITHOUT SYSTEM VERSIONING) WITH SYSTEM VERSIONING;
    CREATE TABLE periods (id int, s date, e date, PERIOD FOR app (s, e), UNIQUE (id, app WITHOUT OVERLAPS));
    CREATE TABLE aria (a int) ENGINE = Aria TRANSACTIONAL = 1;
    CREATE ALGORITHM = TEMPTABLE VIEW temporary AS SELECT a FROM t;";

pub(super) fn script(family: Family) -> String {
    format!("{BASE}{REPRINTED}{}", if family == Family::MySql { OF_MYSQL } else { OF_MARIADB })
}

pub(super) async fn a_restarted_server_has_no_drift(database: &Database) {
    let mut server = Expendable::like(database.target());
    let database = Database::create(server.target()).await;
    let script = script(database.target().family);
    let set = [("1_base", script.as_str())];
    deployed(&database, &set).await;
    server.kill();
    assert_eq!(verdict(&database, &migrations(&set)).await, DriftVerdict::None);
}

/// On a server of its own version, and on newer ones.
pub(super) async fn a_restored_dump_has_no_drift(database: &Database) {
    let target = database.target();
    let script = script(target.family);
    let set = [("1_base", script.as_str())];
    deployed(database, &set).await;
    let set = migrations(&set);
    let dump = dump(database).await;
    let all = targets().expect("the run's targets");
    let later = all.iter().filter(|other| other.family == target.family).skip_while(|other| *other != target);
    for target in later {
        let copy = Database::create(target).await;
        let mut session = Raw::connect(target, &copy.url()).await;
        for statement in &dump {
            session.execute(statement).await.unwrap_or_else(|error| panic!("{target}: {statement}: {error}"));
        }
        match verdict(&copy, &set).await {
            DriftVerdict::None => {}
            DriftVerdict::Drift(drift) => panic!("{target}: {:#?}", words(&drift)),
            other => panic!("{target}: {other:?}"),
        }
        // What was restored is looked at.
        copy.sql("ALTER TABLE own ADD by_hand int").await;
        assert!(matches!(verdict(&copy, &set).await, DriftVerdict::Drift(_)), "{target}");
        copy.drop().await;
    }
}

/// The statements that make the database again, the history's rows among them, as the servers' own tools write them.
async fn dump(database: &Database) -> Vec<String> {
    let mut session = database.session().await;
    let mut statements = vec!["SET foreign_key_checks = 0".to_owned()];
    let collation = database.value("SELECT @@collation_database").await;
    statements.push(format!("ALTER DATABASE COLLATE {collation}"));
    let names = |rows: harness::Rows| rows.into_iter().map(|row| row[0].clone().expect("a name"));
    let quoted = |name: &str| format!("`{}`", name.replace('`', "``"));
    for kinds in ["'SEQUENCE'", "'BASE TABLE', 'SYSTEM VERSIONED'", "'VIEW'"] {
        let list = format!(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = database() \
             AND table_type IN ({kinds}) ORDER BY table_name = 'of_view', table_name"
        );
        for name in names(session.query(&list).await) {
            let what = if kinds == "'SEQUENCE'" { "SEQUENCE" } else { "TABLE" };
            let row = &session.query(&format!("SHOW CREATE {what} {}", quoted(&name))).await[0];
            // A default from a sequence names the database: the copy would take its numbers from the first one's.
            let statement = row[1].as_deref().expect("a statement");
            statements.push(statement.replace(&format!("{}.", quoted(database.name())), ""));
        }
        if kinds.contains("BASE") {
            // Views use functions.
            statements.extend(routines(&mut session).await);
        }
    }
    for (list, what) in [
        (
            "SELECT trigger_name FROM information_schema.triggers WHERE trigger_schema = database() ORDER BY action_order",
            "TRIGGER",
        ),
        ("SELECT event_name FROM information_schema.events WHERE event_schema = database()", "EVENT"),
    ] {
        for name in names(session.query(list).await) {
            let row = &session.query(&format!("SHOW CREATE {what} {}", quoted(&name))).await[0];
            let value = |index: usize| row[index].as_deref().expect("a value");
            // An event's time zone comes before its text.
            let (text, zone) = if what == "EVENT" { (3, Some(value(2))) } else { (2, None) };
            statements.extend(zone.map(|zone| format!("SET time_zone = '{zone}'")));
            statements.extend(as_it_was(value(1), value(text + 1), value(text + 2), value(text)));
        }
    }
    let columns = "SELECT column_name FROM information_schema.columns WHERE table_schema = database() \
                   AND table_name = '_windlass_migrations' ORDER BY ordinal_position";
    let columns: Vec<_> = names(session.query(columns).await)
        .map(|name| match &*name {
            "snapshot" => "IFNULL(CONCAT('0x', HEX(snapshot)), 'NULL')".to_owned(),
            name => format!("QUOTE(CONVERT({} USING utf8mb4))", quoted(name)),
        })
        .collect();
    let rows = format!("SELECT CONCAT_WS(', ', {}) FROM _windlass_migrations", columns.join(", "));
    statements.push("SET NAMES utf8mb4".to_owned());
    for row in names(session.query(&rows).await) {
        statements.push(format!("INSERT INTO _windlass_migrations VALUES ({row})"));
    }
    statements
}

async fn routines(session: &mut Raw) -> Vec<String> {
    let mut statements = Vec::new();
    let list = "SELECT routine_type, routine_name FROM information_schema.routines WHERE routine_schema = database()";
    for row in session.query(list).await {
        let [kind, name] = [0, 1].map(|index| row[index].clone().expect("a name"));
        let row = &session.query(&format!("SHOW CREATE {kind} `{name}`")).await[0];
        let value = |index: usize| row[index].as_deref().expect("a value");
        statements.extend(as_it_was(value(1), value(3), value(4), value(2)));
    }
    let has_libraries = "SELECT 1 FROM information_schema.tables WHERE table_schema = 'information_schema' \
                         AND table_name = 'LIBRARIES'";
    if !session.query(has_libraries).await.is_empty() {
        for row in session.query("SHOW CREATE LIBRARY lib").await {
            statements.push(row[2].clone().expect("a statement"));
        }
    }
    statements
}

/// A statement behind the settings that it was given under.
fn as_it_was(mode: &str, letters: &str, collation: &str, statement: &str) -> [String; 2] {
    let settings = format!(
        "SET sql_mode = '{mode}', character_set_client = {letters}, collation_connection = {collation}"
    );
    [settings, statement.to_owned()]
}
