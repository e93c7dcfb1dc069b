//! Pools and connections of sqlx: the same handle, lent and given back as it was.
#![cfg(feature = "sqlx")]

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use windlass_sqlite::futures::{deploy, status, verify, wait_until_current};
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

/// A future that is dropped after so many polls.
struct Dropped<F> {
    future: Option<Pin<Box<F>>>,
    polls: usize,
}

impl<F: Future> Future for Dropped<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if self.polls == 0 {
            self.future = None;
            return Poll::Ready(None);
        }
        self.polls -= 1;
        match &mut self.future {
            Some(future) => future.as_mut().poll(context).map(Some),
            None => Poll::Ready(None),
        }
    }
}

#[tokio::test]
async fn a_deploy_may_be_dropped_at_every_await() {
    let settings = "SELECT (SELECT * FROM pragma_foreign_keys) || (SELECT * FROM pragma_busy_timeout)";
    for over in ["pool", "connection"] {
        for polls in 0.. {
            let pool = one(SqliteConnectOptions::new().in_memory(true)).await;
            let before: String = sqlx::query_scalar(settings).fetch_one(&pool).await.unwrap();
            let mut connection = pool.acquire().await.unwrap();
            let ended = if over == "pool" {
                drop(connection);
                Dropped { future: Some(Box::pin(deploy(&pool, &MIGRATIONS))), polls }.await
            } else {
                let future = Some(Box::pin(deploy(&mut *connection, &MIGRATIONS)));
                let ended = Dropped { future, polls }.await;
                drop(connection);
                ended
            };
            let is_done = ended.is_some();
            if let Some(result) = ended {
                result.unwrap();
            }
            let again = deploy(&pool, &MIGRATIONS).await;
            let again = again.unwrap_or_else(|error| panic!("{over}, {polls} polls: {error:?}"));
            assert!(!is_done || again.applied.is_empty());
            assert_eq!(verify(&pool, &MIGRATIONS).await.unwrap(), Verdict::Current);
            let after: String = sqlx::query_scalar(settings).fetch_one(&pool).await.unwrap();
            assert_eq!(after, before, "{over}, {polls} polls");
            if is_done {
                assert!(polls > 1, "the future was never dropped");
                break;
            }
        }
    }
}

#[tokio::test]
async fn what_panics_leaves_nothing_and_is_told() {
    let pool = one(SqliteConnectOptions::new().in_memory(true)).await;
    let functions = |panics: bool| {
        RustMigrations::new().add("3_more", 1, move |connection| {
            connection.execute("INSERT INTO ships (name, crew) VALUES ('Anna', 7)", [])?;
            assert!(!panics, "all hands");
            Ok(())
        })
    };
    let migrations = MIGRATIONS.with_rust(functions(true).migrations()).unwrap();
    let mut session = Sqlite::from_pool(&pool).await.unwrap().functions(&functions(true));
    let error = deploy(&mut session, &migrations).await.unwrap_err();
    let DeployError::Statement(failed) = error else { panic!("{error:?}") };
    assert_eq!((failed.error.message.as_str(), failed.recorded), ("the function panicked: all hands", true));
    let mut session = session.functions(&functions(false));
    assert_eq!(deploy(&mut session, &migrations).await.unwrap().applied.len(), 1);
    drop(session);
    let rows: i64 = sqlx::query_scalar("SELECT count(*) FROM ships").fetch_one(&pool).await.unwrap();
    assert_eq!(rows, 1, "of the first try nothing stands");
}

#[tokio::test]
async fn an_older_program_meets_its_database() {
    let pool = one(SqliteConnectOptions::new().in_memory(true)).await;
    deploy(&pool, &MIGRATIONS).await.unwrap();
    let older = MIGRATIONS.get("1_ships").unwrap().up().text();
    let older = Migrations::from_scripts([("1_ships.sql", older)]).unwrap();
    let verdict = verify(&pool, &older).await.unwrap();
    assert_eq!(verdict, Verdict::Ahead { names: vec!["2_crews".to_owned()] });
    wait_until_current(&pool, &older, Duration::ZERO).await.unwrap();
    assert!(deploy(&pool, &older).await.unwrap().applied.is_empty());
}
