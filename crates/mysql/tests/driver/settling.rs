//! Settling: a look tells what became of a statement that was in flight at a crash.

use crate::support::{Scratch, claim, execute, flight, migration, on_each, run};
use windlass_core::apply::{DeployOptions, Silent, Stop, deploy};
use windlass_core::driver::{Driver, NoWatch};
use windlass_core::history::{Sight, State};
use windlass_core::plan::{Claim, Options, Step, plan};
use windlass_core::source::Migrations;
use windlass_core::sql::Dialect;
use windlass_core::sql::classify::{ObjectName, Objects, classify};
use windlass_mysql::MySql;

const SETUP: [&str; 10] = [
    "CREATE TABLE users (id int AUTO_INCREMENT PRIMARY KEY, login varchar(50) NOT NULL, n int DEFAULT 1, \
     KEY by_login (login))",
    "CREATE TABLE orders (id int PRIMARY KEY, user_id int, KEY (user_id), CONSTRAINT checked CHECK (id > 0))",
    "CREATE TABLE items (id int PRIMARY KEY, user_id int, \
     CONSTRAINT items_fk FOREIGN KEY (user_id) REFERENCES users (id))",
    "CREATE TABLE parts (id int) PARTITION BY RANGE (id) \
     (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN (20))",
    "CREATE VIEW shown AS SELECT id FROM users",
    "CREATE PROCEDURE walks() SELECT 1",
    "CREATE FUNCTION counts() RETURNS int DETERMINISTIC RETURN 1",
    "CREATE TRIGGER guards BEFORE INSERT ON users FOR EACH ROW SET NEW.n = 2",
    "CREATE EVENT rings ON SCHEDULE EVERY 1 DAY DO SELECT 1",
    "INSERT INTO users (login) VALUES ('a'), ('b')",
];

const STATEMENTS: [&str; 46] = [
    "CREATE TABLE made (id int)",
    "CREATE TABLE made LIKE users",
    "CREATE TABLE `Ö``'\"\\ x` (id int)",
    "ALTER TABLE users ADD COLUMN age int",
    "ALTER TABLE users DROP COLUMN n",
    "ALTER TABLE users RENAME COLUMN n TO m",
    "ALTER TABLE users MODIFY n bigint DEFAULT 1",
    "ALTER TABLE users MODIFY n int DEFAULT 1 FIRST",
    "ALTER TABLE users ALTER COLUMN n SET DEFAULT 2",
    "ALTER TABLE users MODIFY n int DEFAULT 1 COMMENT 'how many'",
    "ALTER TABLE users COMMENT = 'people'",
    "ALTER TABLE users ROW_FORMAT = COMPRESSED",
    "ALTER TABLE users CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
    "ALTER TABLE users ADD INDEX by_n (n)",
    "ALTER TABLE users ADD UNIQUE by_n (n, login)",
    "CREATE INDEX by_n ON users (n)",
    "DROP INDEX by_login ON users",
    "ALTER TABLE users RENAME INDEX by_login TO by_name",
    "ALTER TABLE orders ADD CONSTRAINT orders_fk FOREIGN KEY (user_id) REFERENCES users (id)",
    "ALTER TABLE items DROP FOREIGN KEY items_fk",
    "ALTER TABLE users ADD CONSTRAINT positive CHECK (n >= 0)",
    "ALTER TABLE orders DROP CONSTRAINT checked",
    "ALTER TABLE orders ENGINE = MyISAM",
    "ALTER TABLE parts ADD PARTITION (PARTITION p2 VALUES LESS THAN (30))",
    "ALTER TABLE parts DROP PARTITION p1",
    "ALTER TABLE parts REMOVE PARTITIONING",
    "DROP TABLE orders",
    "RENAME TABLE orders TO sales",
    "ALTER TABLE orders RENAME TO sales",
    "RENAME TABLE orders TO sales, users TO people",
    "RENAME TABLE orders TO held, parts TO orders, held TO parts",
    "CREATE VIEW seen AS SELECT id FROM users",
    "CREATE OR REPLACE VIEW shown AS SELECT n FROM users",
    "ALTER VIEW shown AS SELECT login FROM users",
    "DROP VIEW shown",
    "CREATE PROCEDURE runs() SELECT 1",
    "ALTER PROCEDURE walks COMMENT 'slowly'",
    "DROP PROCEDURE walks",
    "CREATE FUNCTION adds() RETURNS int DETERMINISTIC RETURN 1",
    "DROP FUNCTION counts",
    "CREATE TRIGGER follows AFTER INSERT ON users FOR EACH ROW SET @a = 1",
    "DROP TRIGGER guards",
    "CREATE EVENT sings ON SCHEDULE EVERY 1 DAY DO SELECT 1",
    "ALTER EVENT rings DISABLE",
    "ALTER EVENT rings RENAME TO tolls",
    "DROP EVENT rings",
];

/// What users of the database do meanwhile, and the server by itself.
const MEANWHILE: [&str; 7] = [
    "INSERT INTO users (login) VALUES ('c'), ('d')",
    "UPDATE users SET login = CONCAT(login, 'x')",
    "INSERT INTO orders VALUES (1, 1)",
    "DELETE FROM users WHERE login LIKE 'd%'",
    "INSERT INTO parts VALUES (1), (11)",
    "ANALYZE TABLE users, orders, parts",
    "CREATE TABLE unrelated (id int)",
];

fn named(sql: &str) -> Vec<ObjectName> {
    match classify(Dialect::MySql, sql).objects {
        Objects::Known(names) if !names.is_empty() => names,
        other => panic!("{sql}: {other:?}"),
    }
}

async fn sight(driver: &mut MySql<'_>) -> Sight {
    driver.inspect().await.unwrap().history.attempts.remove(0).sight
}

async fn set_up(scratch: &mut Scratch, steps: &[&str]) {
    scratch.empty().await;
    for sql in steps {
        scratch.raw(sql).await;
    }
}

fn note(watched: Vec<ObjectName>) -> Step<'static> {
    let (prefix, in_flight) = ("p".to_owned(), flight(Some((1, 1))));
    Step::Checkpoint { name: "1_one", epoch: 1, completed: 0, prefix, in_flight, watched }
}

#[test]
#[ignore = "needs servers: cargo xtask test"]
fn a_look_tells_what_was_done_from_what_was_not() {
    on_each(async |scratch| {
        let one = migration("1_one");
        for sql in STATEMENTS {
            set_up(scratch, &SETUP).await;
            let (mut owner, mut other) = (scratch.driver().await, scratch.driver().await);
            let watched = named(sql);
            let begun = Claim { watched: watched.clone(), ..claim("1_one", Some((1, 1))) };
            let steps = [Step::CreateHistory, Step::Claim(vec![begun])];
            owner.perform(&run("a"), &steps, &mut NoWatch).await.unwrap();
            assert_eq!(sight(&mut other).await, Sight::Untouched, "noted: {sql}");
            for sql in MEANWHILE {
                scratch.raw(sql).await;
            }
            assert_eq!(sight(&mut other).await, Sight::Untouched, "rows changed: {sql}");

            // The server sends the answer to nobody: what follows the statement is never written.
            let steps = [note(watched), execute(&one, 1, sql)];
            owner.perform(&run("a"), &steps, &mut NoWatch).await.unwrap();
            assert_eq!(sight(&mut other).await, Sight::Changed, "done: {sql}");
            for sql in MEANWHILE {
                scratch.attempt(sql).await;
            }
            assert_eq!(sight(&mut other).await, Sight::Changed, "done, and rows changed: {sql}");
        }
    });
}

#[test]
#[ignore = "needs servers: cargo xtask test"]
fn a_look_does_not_depend_on_what_a_migration_sets() {
    on_each(async |scratch| {
        set_up(scratch, &SETUP).await;
        let (mut owner, mut other) = (scratch.driver().await, scratch.driver().await);
        let one = migration("1_one");
        let steps = [Step::CreateHistory, Step::Claim(vec![claim("1_one", None)])];
        owner.perform(&run("a"), &steps, &mut NoWatch).await.unwrap();
        let all: Vec<ObjectName> = ["users", "shown", "walks", "guards", "rings", "parts"]
            .map(|name| ObjectName { schema: None, name: name.to_owned() })
            .into();
        for sql in [
            "SET time_zone = '+05:00'",
            "SET sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT,PAD_CHAR_TO_FULL_LENGTH'",
            "SET NAMES latin1",
            "SET sql_select_limit = 0",
            "SET autocommit = 0",
        ] {
            let steps = [execute(&one, 1, sql), note(all.clone()), Step::RestoreSettings];
            owner.perform(&run("a"), &steps, &mut NoWatch).await.unwrap();
            assert_eq!(sight(&mut other).await, Sight::Untouched, "{sql}");
        }
        // Elsewhere the same names are others.
        for sql in ["USE information_schema", "SET collation_connection = utf16_general_ci"] {
            let steps = [execute(&one, 1, sql), note(all.clone()), Step::RestoreSettings];
            owner.perform(&run("a"), &steps, &mut NoWatch).await.unwrap();
            assert_eq!(sight(&mut other).await, Sight::Unknown, "{sql}");
        }
        // And what is no longer in flight is not looked at.
        owner.perform(&run("a"), &[note(all)], &mut NoWatch).await.unwrap();
        assert_eq!(sight(&mut other).await, Sight::Untouched);
        owner
            .perform(&run("a"), &[crate::support::checkpoint("1_one", 1, 1, None)], &mut NoWatch)
            .await
            .unwrap();
        let kept = "SELECT COUNT(watched) + COUNT(looked) FROM _windlass_migrations";
        assert_eq!(scratch.raw(kept).await, ["0"]);
        assert_eq!(sight(&mut other).await, Sight::Unknown);
    });
}

#[test]
#[ignore = "needs servers: cargo xtask test"]
fn what_only_may_have_been_done_is_not_told() {
    on_each(async |scratch| {
        set_up(scratch, &SETUP).await;
        let (mut owner, mut other) = (scratch.driver().await, scratch.driver().await);
        let begun = Claim { watched: named("ALTER TABLE users FORCE"), ..claim("1_one", Some((1, 1))) };
        let steps = [Step::CreateHistory, Step::Claim(vec![begun])];
        owner.perform(&run("a"), &steps, &mut NoWatch).await.unwrap();
        // Made again in another second, and alike.
        scratch.raw("SELECT SLEEP(1.1)").await;
        scratch.raw("ALTER TABLE users FORCE").await;
        assert_eq!(sight(&mut other).await, Sight::Unknown);
        if scratch.is_maria {
            scratch.raw("CREATE SEQUENCE numbers").await;
            let watched = vec![ObjectName { schema: None, name: "numbers".to_owned() }];
            owner.perform(&run("a"), &[note(watched)], &mut NoWatch).await.unwrap();
            assert_eq!(sight(&mut other).await, Sight::Unknown, "a sequence does not show what was altered");
            scratch.raw("DROP SEQUENCE numbers").await;
            assert_eq!(sight(&mut other).await, Sight::Changed);
        }
    });
}

/// A migration of which a crash after any step leaves nothing twice and nothing out.
const SCRIPT: &str = "
CREATE TABLE made (id int PRIMARY KEY);
ALTER TABLE made ADD COLUMN n int;
INSERT INTO made VALUES (1, 1);
CREATE TRIGGER follows BEFORE INSERT ON made FOR EACH ROW SET NEW.n = 7;
DROP TRIGGER follows;
ALTER TABLE made DROP COLUMN n;
RENAME TABLE made TO kept;
CREATE INDEX by_id ON kept (id);
";

#[test]
#[ignore = "needs servers: cargo xtask test"]
fn a_crash_after_any_step_is_settled_by_the_next_deploy() {
    on_each(async |scratch| {
        let migrations = Migrations::from_scripts([("1_one.sql", SCRIPT)]).unwrap();
        let mut cut = 1;
        loop {
            scratch.empty().await;
            let mut first = scratch.driver().await;
            let inspection = first.inspect().await.unwrap();
            let capabilities = first.capabilities().clone();
            let outlook =
                plan(migrations.as_slice(), &inspection, &capabilities, &Options::default()).unwrap();
            let steps: usize = outlook.plan.segments.iter().map(|segment| segment.steps.len()).sum();
            if cut >= steps {
                assert!(cut > 12, "{}", outlook.plan);
                break;
            }
            // As far as the cut, and there the session ends; a transaction that it is in is rolled back.
            let mut left = cut;
            for segment in &outlook.plan.segments {
                let some = &segment.steps[..left.min(segment.steps.len())];
                first.perform(&run("a"), some, &mut NoWatch).await.unwrap();
                left -= some.len();
                if left == 0 {
                    break;
                }
            }
            if cut > 1 {
                scratch.kill_owner().await;
            }
            drop(first);

            let mut second = scratch.driver().await;
            let options = DeployOptions::new(run("b"));
            let report = deploy(&mut second, &migrations, &options, &mut Silent, &Stop::new()).await;
            assert!(report.is_ok(), "cut after {cut} steps: {report:?}\n{}", outlook.plan);
            let attempt = second.inspect().await.unwrap().history.attempts.pop().unwrap();
            assert_eq!((attempt.state(), attempt.completed, attempt.in_flight), (State::Applied, 8, None));
            assert_eq!(scratch.raw("SELECT id FROM kept").await, ["1"], "cut after {cut} steps");
            assert_eq!(scratch.tables().await, ["kept"]);
            cut += 1;
        }
    });
}
