//! Checking the checks: what the fault matrices have to see is planted, and they see it at once.

use harness::{Database, Family};
use windlass_core::driver::Lock;

harness::scenarios!(
    on [Postgres, MySql, MariaDb, Sqlite]:
        an_open_transaction_is_seen_from_its_first_moment_to_its_last,
        a_lock_that_is_left_is_seen;
);

async fn an_open_transaction_is_seen_from_its_first_moment_to_its_last(database: &Database) {
    let engine = if matches!(database.target().family, Family::MySql | Family::MariaDb) {
        " ENGINE = InnoDB"
    } else {
        ""
    };
    database.sql(&format!("CREATE TABLE n (n int){engine}")).await;
    let mut session = database.session().await;
    for touch in ["SELECT * FROM n", "INSERT INTO n VALUES (1)", "SELECT * FROM n"] {
        assert!(database.open_transactions().await.is_empty(), "{touch} has not begun");
        session.execute("BEGIN").await.expect("a transaction");
        session.query(touch).await;
        assert_eq!(database.open_transactions().await.len(), 1, "{touch}");
        session.execute("COMMIT").await.expect("its end");
    }
    database.must_be_free().await.expect("nothing is left");
}

async fn a_lock_that_is_left_is_seen(database: &Database) {
    let mut other = database.connect().await;
    if database.target().family == Family::Sqlite {
        // The lock is the writer's own.
        database.sql("CREATE TABLE n (n int)").await;
        let mut writer = database.session().await;
        writer.execute("BEGIN IMMEDIATE").await.expect("a transaction");
        database.must_be_free().await.expect_err("a writer holds it");
        return;
    }
    assert_eq!(other.try_lock().await.expect("an answer"), Lock::Acquired);
    let left = database.must_be_free().await.expect_err("a session holds it");
    assert!(left.starts_with("the lock is left"), "{left}");
    other.unlock().await.expect("given back");
    database.must_be_free().await.expect("nothing is left");
}
