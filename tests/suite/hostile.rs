//! Hostile: servers and tables that are set against a deploy, and files that others keep to themselves or nobody can write.

use harness::{Database, Expendable, Family, Project, Raw};
use std::process::Stdio;

harness::scenarios!(
    natively [MySql, MariaDb]: a_server_that_is_set_otherwise_throughout_is_deployed_to;
    natively [Postgres]: a_database_that_is_set_otherwise_throughout_is_deployed_to;
    natively [MySql, MariaDb, Sqlite]: a_trigger_that_keeps_the_history_from_being_written_is_told;
    natively [Sqlite]:
        a_file_that_another_keeps_to_itself_is_waited_for_and_told,
        a_full_disk_leaves_nothing_half;
    natively [Postgres, MySql, MariaDb, Sqlite]:
        a_history_of_any_name_is_found_again,
        two_projects_do_not_share_a_history_unawares;
);

/// Tables and rows, a text whose quotes and backslashes mean what they mean by default, a backfill, and a definition in
/// the middle.
fn scripts(database: &Database) -> [(&'static str, &'static str); 3] {
    let rows = "INSERT INTO ships VALUES (1, 'a', 0), (2, 'it''s', 0), (3, 'c', 0);\n\
                CREATE TABLE crews (id int PRIMARY KEY);\nUPDATE ships SET name = 'z' WHERE id = 3;";
    let backfill = match database.target().family {
        Family::Postgres | Family::Sqlite => {
            "-- windlass: repeat\n\
             UPDATE ships SET done = 1 WHERE id IN (SELECT id FROM ships WHERE done = 0 ORDER BY id LIMIT 2);"
        }
        _ => "-- windlass: repeat\nUPDATE ships SET done = 1 WHERE done = 0 ORDER BY id LIMIT 2;",
    };
    [SHIPS, ("2_rows", rows), ("3_backfill", backfill)]
}

const SHIPS: (&str, &str) =
    ("1_ships", "CREATE TABLE ships (id int PRIMARY KEY, name varchar(80), done int);");

/// Deploys one after another, and all of it again; drift is seen, a failure told, and gone on from.
async fn is_deployed_to(database: &Database) {
    let project = Project::new(database, &[]);
    for (name, text) in &scripts(database) {
        project.migration(name, text);
        project.run(&["deploy"]).await.code(0).out(&format!("Applied {name}"));
        project.run(&["status"]).await.code(0).out(name);
        project.run(&["deploy"]).await.code(0).out("nothing to do");
    }
    project.run(&["drift"]).await.code(0);
    let written =
        database.value("SELECT count(*) FROM ships WHERE done = 1 AND name IN ('a', 'it''s', 'z')").await;
    assert_eq!(written, "3");
    database.sql("CREATE TABLE by_hand (id int PRIMARY KEY)").await;
    project.run(&["drift"]).await.code(10).out("by_hand");
    database.sql("DROP TABLE by_hand").await;
    let begun = "CREATE TABLE begun (id int PRIMARY KEY);\n";
    project.migration("4_bad", &format!("{begun}INSERT INTO begun VALUES (1), (1);"));
    project.run(&["deploy"]).await.code(4).err("4_bad");
    project.migration("4_bad", &format!("{begun}INSERT INTO begun VALUES (1), (2);"));
    project.run(&["deploy"]).await.code(0).out("Applied 4_bad");
    assert_eq!(database.value("SELECT count(*) FROM begun").await, "2");
}

async fn a_server_that_is_set_otherwise_throughout_is_deployed_to(database: &Database) {
    let server = Expendable::like(database.target());
    let (statements, isolation) = match database.target().family {
        Family::MySql => {
            (&["max_execution_time = 50", "sql_require_primary_key = 1"][..], "transaction_isolation")
        }
        _ => (&["max_statement_time = 0.05"][..], "tx_isolation"),
    };
    let isolation = format!("{isolation} = 'SERIALIZABLE'");
    let against = [
        "autocommit = 0",
        "completion_type = 'RELEASE'",
        "sql_safe_updates = 1",
        "sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT,IGNORE_SPACE,STRICT_ALL_TABLES'",
        "sql_select_limit = 1",
        "max_join_size = 3",
        "group_concat_max_len = 4",
        "time_zone = '+09:00'",
        "sql_auto_is_null = 1",
        "character_set_server = 'latin1'",
        "foreign_key_checks = 0",
        "unique_checks = 0",
        "lock_wait_timeout = 1",
        "innodb_lock_wait_timeout = 1",
        "auto_increment_increment = 7",
        &isolation,
    ];
    let mut raw = Raw::connect(server.target(), &server.target().url).await;
    for setting in against.iter().chain(statements) {
        raw.execute(&format!("SET GLOBAL {setting}")).await.expect(setting);
    }
    let theirs = Database::create(server.target()).await;
    is_deployed_to(&theirs).await;
}

async fn a_database_that_is_set_otherwise_throughout_is_deployed_to(database: &Database) {
    let against = [
        "default_transaction_isolation = 'serializable'",
        "default_transaction_deferrable = on",
        "statement_timeout = 1",
        "lock_timeout = 1",
        "idle_in_transaction_session_timeout = 1",
        "search_path = ''",
        "standard_conforming_strings = off",
        "escape_string_warning = on",
        "backslash_quote = off",
        "bytea_output = 'escape'",
        "DateStyle = 'German'",
        "IntervalStyle = 'sql_standard'",
        "TimeZone = 'Asia/Tokyo'",
        "client_encoding = 'LATIN1'",
        "extra_float_digits = -15",
        "transform_null_equals = on",
        "row_security = off",
        "synchronous_commit = off",
        "quote_all_identifiers = on",
        "client_min_messages = 'error'",
        "enable_indexscan = off",
        "jit_above_cost = 0",
    ];
    // Whoever comes later has a millisecond for each statement.
    let mut raw = Raw::connect(database.target(), &database.url()).await;
    for setting in against {
        raw.execute(&format!("ALTER DATABASE {} SET {setting}", database.name())).await.expect(setting);
    }
    let project = Project::new(database, &scripts(database));
    project.run(&["deploy"]).await.code(0).out("Applied 3_backfill");
    project.run(&["status"]).await.code(0).out("3_backfill");
    project.run(&["drift"]).await.code(0);
    project.run(&["deploy"]).await.code(0).out("nothing to do");
    raw.execute(&format!("ALTER DATABASE {} RESET ALL", database.name())).await.expect("as it was");
    assert_eq!(database.value("SELECT count(*) FROM ships WHERE done = 1").await, "3");
    project.run(&["deploy"]).await.code(0).out("nothing to do");
    project.run(&["drift"]).await.code(0);
}

async fn a_trigger_that_keeps_the_history_from_being_written_is_told(database: &Database) {
    let project = Project::new(database, &[SHIPS]);
    project.run(&["deploy"]).await.code(0);
    project.migration("2_more", "-- windlass: no-transaction\nCREATE TABLE more (id int PRIMARY KEY);");
    let triggers: &[&str] = match database.target().family {
        Family::Sqlite => &[
            "BEFORE INSERT ON _windlass_migrations BEGIN SELECT RAISE(ABORT, 'not here'); END",
            "BEFORE INSERT ON _windlass_migrations BEGIN SELECT RAISE(IGNORE); END",
        ],
        _ => &[
            "BEFORE INSERT ON _windlass_migrations FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'not here'",
        ],
    };
    for trigger in triggers {
        database.sql(&format!("CREATE TRIGGER against {trigger}")).await;
        let told = project.run(&["deploy", "--drift", "off"]).await;
        assert!(told.code.is_some_and(|code| code != 0), "{trigger}: {told:?}");
        assert_eq!(database.tables().await, ["ships"], "{trigger}: nothing was run: {told:?}");
        database.sql("DROP TRIGGER against").await;
    }
    project.run(&["deploy"]).await.code(0).out("Applied 2_more");
}

async fn a_file_that_another_keeps_to_itself_is_waited_for_and_told(database: &Database) {
    let project = Project::new(database, &[SHIPS]);
    project.run(&["deploy"]).await.code(0);
    project.migration("2_more", "CREATE TABLE more (id int);");
    let mut other = Raw::connect(database.target(), &database.url()).await;
    other.query("PRAGMA locking_mode = EXCLUSIVE").await;
    other
        .execute("BEGIN IMMEDIATE; CREATE TABLE theirs (n int); DROP TABLE theirs; COMMIT")
        .await
        .expect("kept");
    project.run(&["deploy", "--lock-wait", "1s"]).await.code(5).err("lock");
    project.run(&["status"]).await.code(5);
    drop(other);
    project.run(&["deploy"]).await.code(0).out("Applied 2_more");
}

/// A limit on the size of files is as good as a quota.
async fn a_full_disk_leaves_nothing_half(database: &Database) {
    let project = Project::new(database, &[SHIPS]);
    project.run(&["deploy"]).await.code(0);
    let much = "CREATE TABLE much (b blob);\nINSERT INTO much WITH RECURSIVE c (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM c \
                WHERE i < 2000) SELECT zeroblob(1000) FROM c;\nCREATE TABLE behind (n int);";
    for (journal, head) in [("delete", ""), ("wal", ""), ("wal", "-- windlass: no-transaction\n")] {
        database.query(&format!("PRAGMA journal_mode = {journal}")).await;
        project.migration("2_much", &format!("{head}{much}"));
        let mut small = project.shell("trap '' XFSZ; ulimit -f 400; exec windlass deploy");
        small.stdin(Stdio::null());
        let told = project.end(small).await;
        assert!(told.code.is_some_and(|code| code != 0), "{journal}: {told:?}");
        let tables = database.tables().await;
        let expected = if head.is_empty() { vec!["ships"] } else { vec!["much", "ships"] };
        assert_eq!(tables, expected, "{journal}: {told:?}");
        assert_eq!(database.value("PRAGMA integrity_check").await, "ok", "{journal}");
    }
    project.run(&["diagnose"]).await;
    project.migration("2_much", &format!("-- windlass: no-transaction\n{}", much.replace("2000", "20")));
    project.run(&["deploy"]).await.code(0).out("Applied 2_much");
    assert_eq!(database.value("SELECT count(*) FROM much").await, "20");
}

async fn a_history_of_any_name_is_found_again(database: &Database) {
    let is_postgres = database.target().family == Family::Postgres;
    for name in [
        "we'ird",
        "a b",
        "Ünï-cøde",
        "it's \"quoted\"",
        "back`tick",
        "semi;colon--",
        "SELECT",
        "per%cent_",
        "back\\slash",
    ] {
        let project = Project::new(database, &scripts(database));
        let own = ["--history-table", name];
        let with = |first: &[&'static str]| [first, &own[..]].concat();
        project.run(&with(&["deploy"])).await.code(0).out("Applied 3_backfill");
        project.run(&with(&["deploy"])).await.code(0).out("nothing to do");
        project.run(&with(&["status"])).await.code(0).out("3_backfill");
        project.run(&with(&["drift"])).await.code(0);
        assert_eq!(database.value("SELECT count(*) FROM ships WHERE done = 1").await, "3", "{name}");
        database.empty().await;
    }
    if is_postgres {
        let schema = "sch.ema \"it's\"";
        database.sql(&format!("CREATE SCHEMA \"{}\"", schema.replace('"', "\"\""))).await;
        let project = Project::new(database, &scripts(database));
        let url = format!("{}?schema=sch.ema%20%22it%27s%22", database.url());
        project.run_for(&url, &["deploy"]).await.code(0).out("Applied 3_backfill");
        project.run_for(&url, &["deploy"]).await.code(0).out("nothing to do");
        project.run_for(&url, &["drift"]).await.code(0);
    }
}

async fn two_projects_do_not_share_a_history_unawares(database: &Database) {
    let project = Project::new(database, &scripts(database)[..2]);
    project.run(&["deploy"]).await.code(0);
    std::fs::create_dir_all(project.path("other")).expect("a folder");
    project.write("other/1_books.sql", "CREATE TABLE books (id int PRIMARY KEY);");
    project.run(&["deploy", "--dir", "other"]).await.code(3).err("no migration in common");
    assert!(!database.tables().await.contains(&"books".to_owned()));
    // Each with a history of its own goes on beside the other.
    let other = ["deploy", "--dir", "other", "--history-table", "_books", "--allow-non-empty"];
    project.run(&other).await.code(0).out("Applied 1_books");
    project.run(&other).await.code(0).out("nothing to do");
    project.run(&["deploy"]).await.code(0).out("nothing to do");
}
