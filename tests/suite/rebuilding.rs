//! Rebuilding: a table that is dropped and made anew takes no row of another with it.

use harness::{Database, deploy, deploy_with, migrations, options};
use rusqlite::Connection;
use windlass_core::apply::DeployError;
use windlass_sqlite::Sqlite;

harness::scenarios!(
    natively [Sqlite]:
        a_rebuilt_parent_loses_no_child,
        a_rebuild_that_says_nothing_loses_no_child_either,
        a_silent_rebuild_loses_no_child_where_foreign_keys_are_enforced,
        a_violation_that_was_there_does_not_block_and_a_new_one_rolls_back;
);

/// Children that go with their parent, and rows in all of them.
const FAMILY: (&str, &str) = (
    "1_family",
    "CREATE TABLE parent (id integer PRIMARY KEY, name text);
     CREATE TABLE child (id integer PRIMARY KEY, parent integer REFERENCES parent (id) ON DELETE CASCADE);
     CREATE TABLE grandchild (id integer PRIMARY KEY, child integer REFERENCES child (id) ON DELETE CASCADE);
     INSERT INTO parent VALUES (1, 'a'), (2, 'b'), (3, 'c');
     INSERT INTO child VALUES (1, 1), (2, 2), (3, 3), (4, 1), (5, 2), (6, 3), (7, 1);
     INSERT INTO grandchild SELECT id, id FROM child;",
);
/// As several generators write it.
const REBUILD: &str = "PRAGMA foreign_keys=OFF;
    CREATE TABLE new_parent (id integer PRIMARY KEY, name text NOT NULL);
    INSERT INTO new_parent SELECT id, name FROM parent;
    DROP TABLE parent;
    ALTER TABLE new_parent RENAME TO parent;
    PRAGMA foreign_keys=ON;";

fn rows() -> &'static str {
    "SELECT (SELECT count(*) FROM parent) || ' ' || (SELECT count(*) FROM child) || ' ' || \
     (SELECT count(*) FROM grandchild)"
}

async fn family(database: &Database) {
    deploy(&mut *database.connect().await, &migrations(&[FAMILY])).await.expect("the family");
    assert_eq!(database.value(rows()).await, "3 7 7");
}

/// The rebuild as other generators and hand-written files have it.
fn rebuilds() -> Vec<(&'static str, String)> {
    let (off, on) = ("PRAGMA foreign_keys=OFF;", "PRAGMA foreign_keys=ON;");
    let within = |before: &str, after: &str| REBUILD.replace(off, before).replace(on, after);
    vec![
        ("2_around", REBUILD.to_owned()),
        ("3_inside", within("BEGIN; PRAGMA foreign_keys=OFF;", "PRAGMA foreign_keys=ON; COMMIT;")),
        (
            "4_outside",
            within(
                "PRAGMA foreign_keys=OFF; BEGIN TRANSACTION;",
                "PRAGMA foreign_key_check; COMMIT; PRAGMA foreign_keys=ON;",
            ),
        ),
        (
            "5_deferred",
            within(
                "PRAGMA defer_foreign_keys=ON; PRAGMA foreign_keys=OFF;",
                "PRAGMA foreign_keys=ON; PRAGMA defer_foreign_keys=OFF;",
            ),
        ),
        ("6_never_on_again", within(off, "")),
        ("7_apart", format!("-- windlass: no-transaction\n{REBUILD}")),
    ]
}

/// However the session comes to its setting: asked for, as it is by itself, or on an application's connection.
async fn a_rebuilt_parent_loses_no_child(database: &Database) {
    family(database).await;
    let rebuilds = rebuilds();
    let mut scripts = vec![FAMILY];
    scripts.extend(rebuilds.iter().map(|(name, sql)| (*name, sql.as_str())));
    let set = migrations(&scripts);
    let path = database.url().trim_start_matches("sqlite:").to_owned();
    for enforces in [true, false] {
        for arrives in [None, Some(true), Some(false)] {
            let when = format!("enforces {enforces}, arrives {arrives:?}");
            let report = match arrives {
                None => {
                    let url =
                        format!("{}?foreign_keys={}", database.url(), if enforces { "on" } else { "off" });
                    let mut session = database.try_connect(&url).await.expect("a session");
                    deploy(&mut *session, &set).await
                }
                Some(arrives) => {
                    let mut connection = Connection::open(&path).expect("a connection");
                    connection.pragma_update(None, "foreign_keys", arrives).expect("a setting");
                    let mut session = Sqlite::borrow(&mut connection).foreign_keys(enforces);
                    let report = deploy(&mut session, &set).await;
                    drop(session);
                    let setting: bool =
                        connection.pragma_query_value(None, "foreign_keys", |row| row.get(0)).expect("it");
                    assert_eq!(setting, arrives, "{when}: it is what it was");
                    report
                }
            };
            let report = report.unwrap_or_else(|error| panic!("{when}: {error:#?}"));
            assert_eq!(report.applied.len(), rebuilds.len(), "{when}");
            assert_eq!(database.value(rows()).await, "3 7 7", "{when}");
            assert_eq!(database.value("SELECT count(*) FROM pragma_foreign_key_check").await, "0", "{when}");
            // Back to before the rebuilds, with a column that may be empty again.
            database.sql("DELETE FROM _windlass_migrations WHERE id > 1").await;
        }
    }
}

/// The rebuild says nothing of foreign keys, and the session enforces them: they are lifted as if it did.
async fn a_silent_rebuild_loses_no_child_where_foreign_keys_are_enforced(database: &Database) {
    family(database).await;
    let silent = REBUILD.replace("PRAGMA foreign_keys=OFF;", "").replace("PRAGMA foreign_keys=ON;", "");
    let aside = "CREATE TABLE kept AS SELECT * FROM parent;
        DROP TABLE parent;
        CREATE TABLE parent (id integer PRIMARY KEY, name text);
        INSERT INTO parent SELECT * FROM kept;
        DROP TABLE kept;";
    let wrapped = format!("BEGIN; {silent} COMMIT;");
    let apart = format!("-- windlass: no-transaction\n{silent}");
    let scripts = [
        FAMILY,
        ("2_silent", silent.as_str()),
        ("3_aside", aside),
        ("4_wrapped", wrapped.as_str()),
        ("5_apart", apart.as_str()),
    ];
    let url = format!("{}?foreign_keys=on", database.url());
    let enforcing = || async { database.try_connect(&url).await.expect("a session") };
    let report = deploy(&mut *enforcing().await, &migrations(&scripts)).await.expect("rebuilds");
    assert_eq!(report.applied.len(), 4);
    assert_eq!(database.value(rows()).await, "3 7 7");
    assert_eq!(database.value("SELECT count(*) FROM pragma_foreign_key_check").await, "0");

    // What the children refer to is gone for good: told, and rolled back.
    let away = "ALTER TABLE parent RENAME TO old_parent;
        CREATE TABLE parent (id integer PRIMARY KEY, name text);
        INSERT INTO parent SELECT * FROM old_parent;
        DROP TABLE old_parent;";
    let mut with = scripts.to_vec();
    with.push(("6_away", away));
    let result = deploy(&mut *enforcing().await, &migrations(&with)).await;
    let Err(DeployError::Statement(failed)) = result else { panic!("{result:#?}") };
    assert_eq!(failed.migration, "6_away");
    assert_eq!(database.value(rows()).await, "3 7 7");

    // What asks for enforcement and rebuilds asks for the loss: refused before anything runs.
    let asked = format!("PRAGMA foreign_keys=ON;\n{silent}");
    with[5] = ("6_asked", &asked);
    let result = deploy(&mut *database.connect().await, &migrations(&with)).await;
    let Err(DeployError::Blocked(blocked)) = result else { panic!("{result:#?}") };
    assert!(blocked.to_string().contains("made anew"), "{blocked}");

    // A table that goes for good takes its rows with it, as enforcement has it.
    with[5] = ("6_gone", "DELETE FROM child WHERE parent = 1; DROP TABLE grandchild;");
    deploy(&mut *enforcing().await, &migrations(&with)).await.expect("a plain drop");
    assert_eq!(database.value("SELECT count(*) FROM child").await, "4");

    // All in one transaction, the others would run without enforcement too.
    let mut options = options();
    options.plan.single_transaction = true;
    with.extend([("7_more", "SELECT 1;"), ("8_silent", silent.as_str())]);
    let result = deploy_with(&mut *enforcing().await, &migrations(&with), &options).await;
    let Err(DeployError::Blocked(blocked)) = result else { panic!("{result:#?}") };
    assert!(blocked.to_string().contains("`8_silent` cannot be in one transaction"), "{blocked}");
    assert_eq!(database.value("SELECT count(*) FROM child").await, "4");
}

/// No setting is in this script: it runs as every migration does, with nothing enforced, whatever the connection had.
async fn a_rebuild_that_says_nothing_loses_no_child_either(database: &Database) {
    family(database).await;
    let silent = REBUILD.replace("PRAGMA foreign_keys=OFF;", "").replace("PRAGMA foreign_keys=ON;", "");
    let set = migrations(&[FAMILY, ("2_silent", silent.as_str())]);
    let mut connection =
        Connection::open(database.url().trim_start_matches("sqlite:")).expect("a connection");
    connection.pragma_update(None, "foreign_keys", true).expect("a setting");
    let mut session = Sqlite::borrow(&mut connection);
    deploy(&mut session, &set).await.expect("a rebuild");
    drop(session);
    assert_eq!(database.value(rows()).await, "3 7 7");
    connection.execute_batch("INSERT INTO child VALUES (9, 99)").expect_err("it enforces them again");
}

async fn a_violation_that_was_there_does_not_block_and_a_new_one_rolls_back(database: &Database) {
    family(database).await;
    database.sql("PRAGMA foreign_keys=OFF; INSERT INTO child VALUES (8, 99)").await;
    let careless = REBUILD.replace("FROM parent;", "FROM parent WHERE id <> 3;");
    let result =
        deploy(&mut *database.connect().await, &migrations(&[FAMILY, ("2_careless", careless.as_str())]))
            .await;
    let Err(DeployError::Statement(failed)) = result else { panic!("{result:#?}") };
    assert!(failed.error.message.contains("does not exist"), "{failed:?}");
    assert!(!failed.error.message.contains("row 8 "), "what was there before is not blamed: {failed:?}");
    assert_eq!(database.value(rows()).await, "3 8 7", "all of it was rolled back");
    deploy(&mut *database.connect().await, &migrations(&[FAMILY, ("2_careless", REBUILD)]))
        .await
        .expect("a rebuild beside a row that was wrong before");
    assert_eq!(database.value(rows()).await, "3 8 7");
}
