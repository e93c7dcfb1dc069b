//! Pools and connections of sqlx: the same handle, lent and given back as it was.
#![cfg(feature = "sqlx")]

use std::time::Duration;
use windlass_sqlite::futures::{deploy, status, verify};
use windlass_sqlite::sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions};
use windlass_sqlite::sqlx::{self, Connection as _, SqliteConnection};
use windlass_sqlite::{Deploy, DeployError, DriverError, Migrations, RustMigrations, Sqlite, Verdict};

static MIGRATIONS: Migrations = windlass_sqlite::migrations!("examples/migrations");

async fn one(options: SqliteConnectOptions) -> SqlitePool {
    let pool = SqlitePoolOptions::new().max_connections(1).acquire_timeout(Duration::from_millis(50));
    pool.connect_with(options).await.unwrap()
}

#[tokio::test]
async fn a_pool_in_memory_deploys_and_keeps_what_it_had() {
    let pool = one(SqliteConnectOptions::new().in_memory(true)).await;
    let foreign_keys =
        || async { sqlx::query_scalar::<_, i64>("PRAGMA foreign_keys").fetch_one(&pool).await.unwrap() };
    assert_eq!(foreign_keys().await, 1, "sqlx's own choice");
    assert!(
        matches!(verify(&pool, &MIGRATIONS).await.unwrap(), Verdict::Behind { pending } if pending.len() == 2)
    );
    assert_eq!(deploy(&pool, &MIGRATIONS).await.unwrap().applied.len(), 2);
    assert!(deploy(&pool, &MIGRATIONS).await.unwrap().applied.is_empty());
    assert_eq!(status(&pool, &MIGRATIONS).await.unwrap().len(), 2);
    assert_eq!(foreign_keys().await, 1);
    sqlx::query("INSERT INTO ships (name, crew) VALUES ('Anna', 7)").execute(&pool).await.unwrap();

    let held = pool.acquire().await.unwrap();
    let error = deploy(&pool, &MIGRATIONS).await.unwrap_err();
    assert!(
        matches!(&error, DeployError::Driver(DriverError::Lost(words)) if words.contains("timed out")),
        "{error:?}"
    );
    drop(held);
    pool.close().await;
    let error = deploy(&pool, &MIGRATIONS).await.unwrap_err();
    assert!(
        matches!(&error, DeployError::Driver(DriverError::Lost(words)) if words.contains("closed")),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_failure_is_told_whole_and_the_next_deploy_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let options = SqliteConnectOptions::new().filename(folder.path().join("shop.db")).create_if_missing(true);
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    let broken = "CREATE TABLE a (id integer PRIMARY KEY);\nINSERT INTO a VALUES (1), (1);\n";
    let error =
        deploy(&mut connection, &Migrations::from_scripts([("1_a.sql", broken)]).unwrap()).await.unwrap_err();
    let DeployError::Statement(failed) = error else { panic!("{error:?}") };
    assert_eq!(
        (failed.number, failed.error.code.as_deref()),
        (2, Some("SQLITE_CONSTRAINT_PRIMARYKEY (1555)"))
    );
    let mended = Migrations::from_scripts([("1_a.sql", "CREATE TABLE a (id integer PRIMARY KEY);")]).unwrap();
    // The same file, over the other crate.
    let mut native = rusqlite::Connection::open(folder.path().join("shop.db")).unwrap();
    assert_eq!(windlass_sqlite::deploy(&mut native, &mended).unwrap().applied.len(), 1);
    assert_eq!(verify(&mut connection, &mended).await.unwrap(), Verdict::Current);

    let mut open = connection.begin().await.unwrap();
    let more = Migrations::from_scripts([
        ("1_a.sql", "CREATE TABLE a (id integer PRIMARY KEY);"),
        ("2_b.sql", "VACUUM;"),
    ]);
    let more = more.unwrap();
    let error = deploy(&mut *open, &more).await.unwrap_err();
    assert!(matches!(&error, DeployError::Driver(DriverError::InTransaction)), "{error:?}");
    open.rollback().await.unwrap();
    let functions = RustMigrations::new().add("3_c", 1, |connection| {
        connection.execute("INSERT INTO a VALUES (7)", [])?;
        Ok(())
    });
    let more = more.with_rust(functions.migrations()).unwrap();
    let mut session = Sqlite::borrow_sqlx(&mut connection).await.unwrap().functions(&functions);
    assert_eq!(Deploy::new(&more).run(&mut session).await.unwrap().applied.len(), 2);
    drop(session);
    let id: i64 = sqlx::query_scalar("SELECT id FROM a").fetch_one(&mut connection).await.unwrap();
    assert_eq!(id, 7);
}

/// The driver never waits once it has the handle: what can be dropped is the wait for it.
#[tokio::test]
async fn futures_can_be_sent_and_two_deploy_once() {
    fn sent<F: Future + Send>(future: F) -> F {
        future
    }
    let folder = tempfile::tempdir().unwrap();
    let options = SqliteConnectOptions::new().filename(folder.path().join("shop.db")).create_if_missing(true);
    let (a, b) = (one(options.clone()).await, one(options).await);
    let (a, b) = tokio::join!(sent(deploy(&a, &MIGRATIONS)), sent(deploy(&b, &MIGRATIONS)));
    assert_eq!(a.unwrap().applied.len() + b.unwrap().applied.len(), 2);
}
