//! Rebuilding: a table that is dropped and made anew takes no row of another with it.

use harness::{Database, deploy, migrations};
use windlass_core::apply::DeployError;

harness::scenarios!(
    on [Sqlite]:
        a_rebuilt_parent_loses_no_child,
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

async fn a_rebuilt_parent_loses_no_child(database: &Database) {
    family(database).await;
    let wrapped = REBUILD
        .replace("PRAGMA foreign_keys=OFF;", "BEGIN; PRAGMA foreign_keys=OFF;")
        .replace("PRAGMA foreign_keys=ON;", "PRAGMA foreign_keys=ON; COMMIT;");
    let scripts = [FAMILY, ("2_rebuild", REBUILD), ("3_wrapped", wrapped.as_str())];
    deploy(&mut *database.connect().await, &migrations(&scripts)).await.expect("two rebuilds");
    assert_eq!(database.value(rows()).await, "3 7 7");
    assert_eq!(database.value("SELECT count(*) FROM pragma_foreign_key_check").await, "0");
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
