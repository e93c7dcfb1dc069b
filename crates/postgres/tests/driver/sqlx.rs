//! The same driver over sqlx: a pool is never touched, and every promise holds that holds over tokio-postgres.

use crate::borrowing::{Dropped, migrations};
use crate::examples;
use crate::on_servers;
use crate::support::{Database, until};
use std::sync::Arc;
use std::time::Duration;
use windlass_postgres::sqlx::postgres::PgPoolOptions;
use windlass_postgres::sqlx::{self, Connection as _, PgConnection, PgPool};
use windlass_postgres::{
    Blocked, Deploy, DeployError, DriftPolicy, DriverError, Migrations, Postgres, Running, RustMigrations,
    Verdict, deploy, status, verify, wait_until_current,
};

on_servers!(
    a_pool_that_has_no_connection_left_deploys,
    what_the_server_says_is_told_whole,
    data_goes_in_and_out,
    two_pools_deploy_once,
    a_dropped_future_stops_what_runs,
    a_pool_may_lose_its_deploy_at_every_await,
    a_lent_connection_may_lose_its_deploy_at_every_await,
    a_connection_comes_back_as_it_was,
    a_closed_pool_is_told,
    functions_run_in_the_transaction,
    what_panics_leaves_nothing_or_a_decision,
    an_older_program_meets_its_database,
    an_application_with_a_pool_deploys_when_it_starts,
);

/// A deploy is some hundred polls, most of them of the words of one answer: a full run tries all of them, any other
/// those that its seed says.
fn polls() -> impl Iterator<Item = usize> {
    const STRIDE: usize = 11;
    let seed: usize =
        std::env::var("WINDLASS_TEST_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_default();
    match std::env::var_os("WINDLASS_TEST_FULL") {
        Some(_) => (0..).step_by(1),
        None => (seed % STRIDE..).step_by(STRIDE),
    }
}

async fn pool(database: &Database) -> PgPool {
    let options = PgPoolOptions::new().max_connections(1).acquire_timeout(Duration::from_secs(5));
    options.connect(&database.url()).await.unwrap()
}

async fn a_pool_that_has_no_connection_left_deploys(database: Database) {
    let pool = pool(&database).await;
    let _held = pool.acquire().await.unwrap();
    let migrations = migrations();
    let names = migrations.iter().map(|migration| migration.name().to_owned()).collect();
    assert_eq!(verify(&pool, &migrations).await.unwrap(), Verdict::Behind { pending: names });
    assert_eq!(deploy(&pool, &migrations).await.unwrap().applied.len(), 3);
    assert!(deploy(&pool, &migrations).await.unwrap().applied.is_empty());
    assert_eq!(verify(&pool, &migrations).await.unwrap(), Verdict::Current);
    assert_eq!(status(&pool, &migrations).await.unwrap().len(), 3);
    assert_eq!(database.value("SELECT count(*) FROM ships").await, "2");
    let mut native = database.raw().await;
    assert_eq!(verify(&mut native, &migrations).await.unwrap(), Verdict::Current, "one history, one digest");
}

async fn what_the_server_says_is_told_whole(database: Database) {
    let pool = pool(&database).await;
    let broken = "CREATE TABLE a (id int PRIMARY KEY);\nINSERT INTO a VALUES (1), (1);\n";
    let unknown = "CREATE TABLE a (id int PRIMARY KEY);\nINSERT INTO a SELECT 'ü', nothing;\n";
    for (text, code, position) in
        [(broken, "23505", None), (unknown, "42703", Some("INSERT INTO a SELECT 'ü', ".len()))]
    {
        let set = Migrations::from_scripts([("1_a.sql", text)]).unwrap();
        let error = deploy(&pool, &set).await.unwrap_err();
        let over_native = deploy(&mut database.raw().await, &set).await.unwrap_err();
        let (DeployError::Statement(error), DeployError::Statement(other)) = (error, over_native) else {
            panic!("not a statement's error")
        };
        assert_eq!(error.error, other.error, "both transports say the same");
        assert_eq!((error.error.code.as_deref(), error.error.position), (Some(code), position));
        assert_eq!(database.value("SELECT to_regclass('a')").await, "NULL");
    }
    let mended = Migrations::from_scripts([("1_a.sql", "CREATE TABLE a (id int PRIMARY KEY);")]).unwrap();
    assert_eq!(deploy(&pool, &mended).await.unwrap().applied.len(), 1);
}

async fn data_goes_in_and_out(database: Database) {
    let pool = pool(&database).await;
    let copied = "CREATE TABLE a (id int, name text);\nCOPY a FROM stdin;\n1\tAnna\n2\t\\N\n\\.\nCOPY a TO stdout;\n\
        INSERT INTO a VALUES (3, 'Carla');\n";
    let set = Migrations::from_scripts([("1_a.sql", copied)]).unwrap();
    deploy(&pool, &set).await.unwrap();
    assert_eq!(
        database.value("SELECT string_agg(id || coalesce(name, '-'), ' ') FROM a").await,
        "1Anna 2- 3Carla"
    );
    let wrong = "COPY a FROM stdin;\nx\tAnna\n\\.\n";
    let scripts = [("1_a.sql", copied), ("2_b.sql", wrong)];
    let error = deploy(&pool, &Migrations::from_scripts(scripts).unwrap()).await.unwrap_err();
    let DeployError::Statement(error) = error else { panic!("{error:?}") };
    assert_eq!(error.error.code.as_deref(), Some("22P02"));
    let fails = "COPY (SELECT 1 / (10 - n) FROM generate_series(1, 20) AS n) TO stdout;";
    let scripts = [("1_a.sql", copied), ("2_b.sql", fails)];
    let error = deploy(&pool, &Migrations::from_scripts(scripts).unwrap()).await.unwrap_err();
    let DeployError::Statement(error) = error else { panic!("{error:?}") };
    assert_eq!(error.error.code.as_deref(), Some("22012"), "an error behind the first rows");
}

async fn two_pools_deploy_once(database: Database) {
    let migrations = Arc::new(migrations());
    let mut deployers = Vec::new();
    for _ in 0..4 {
        let (pool, migrations) = (pool(&database).await, migrations.clone());
        deployers
            .push(tokio::spawn(async move { deploy(&pool, &migrations).await.map(|report| report.applied) }));
    }
    let mut applied = 0;
    for deployer in deployers {
        applied += deployer.await.unwrap().unwrap().len();
    }
    assert_eq!(applied, 3, "each migration once");
}

async fn a_dropped_future_stops_what_runs(database: Database) {
    let pool = pool(&database).await;
    let set =
        Migrations::from_scripts([("1_a.sql", "CREATE TABLE a (id int);\nSELECT pg_sleep(600);\n")]).unwrap();
    let deploying = tokio::spawn(async move { deploy(&pool, &set).await });
    let sleeping =
        "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%' AND state = 'active'";
    until(&database, sleeping, "1").await;
    deploying.abort();
    assert!(deploying.await.unwrap_err().is_cancelled());
    until(&database, sleeping, "0").await;
    until(&database, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'", "0").await;
    assert_eq!(database.value("SELECT to_regclass('a')").await, "NULL");
}

async fn a_pool_may_lose_its_deploy_at_every_await(database: Database) {
    let migrations = migrations();
    let pool = pool(&database).await;
    for polls in polls() {
        let schema = format!("after_{polls}");
        let future = async {
            deploy(&mut Postgres::beside_pool(&pool).await.unwrap().schema(&schema), &migrations).await
        };
        if let Some(result) = (Dropped { future: Some(Box::pin(future)), polls }).await {
            assert_eq!(result.unwrap().applied.len(), 3);
            assert!(polls > 10, "the future was hardly ever dropped");
            break;
        }
        let mut again = Postgres::beside_pool(&pool).await.unwrap().schema(&schema);
        deploy(&mut again, &migrations).await.unwrap_or_else(|error| panic!("{schema}: {error:?}"));
        assert_eq!(database.value(&format!("SELECT count(*) FROM {schema}.ships")).await, "2", "{schema}");
        let index =
            format!("SELECT indisvalid FROM pg_index WHERE indexrelid = '{schema}.ships_name'::regclass");
        assert_eq!(database.value(&index).await, "t");
    }
}

const OWN: &str = "SET search_path = nowhere, public; SET TimeZone = 'Asia/Tokyo'; SET work_mem = '7MB'; \
    CREATE TEMP TABLE mine (id int)";

/// The settings that the session has set, and the locks that it holds.
async fn seen(connection: &mut PgConnection) -> String {
    let seen = "SELECT string_agg(name || '=' || setting, ' ' ORDER BY name) \
        || (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()) \
        FROM pg_settings WHERE source = 'session' AND name NOT LIKE 'transaction%'";
    sqlx::query_scalar(seen).fetch_one(connection).await.unwrap()
}

/// Nothing can be sent there when a future is dropped: the next use cleans first.
async fn a_lent_connection_may_lose_its_deploy_at_every_await(database: Database) {
    let functions = RustMigrations::new().add_sqlx("4_capitals", 1, |connection| {
        Box::pin(async move {
            sqlx::query("UPDATE ships SET name = upper(name)").execute(&mut *connection).await?;
            sqlx::query("INSERT INTO ships VALUES (3, 'Carla')").execute(connection).await?;
            Ok(())
        })
    });
    let migrations = migrations().with_rust(functions.migrations()).unwrap();
    for polls in polls() {
        let schema = format!("after_{polls}");
        let mut connection = PgConnection::connect(&database.url()).await.unwrap();
        sqlx::raw_sql(OWN).execute(&mut connection).await.unwrap();
        let before = seen(&mut connection).await;
        let mut lent = Postgres::borrow_sqlx(&mut connection).schema(&schema).functions(&functions);
        let ended = Dropped { future: Some(Box::pin(deploy(&mut lent, &migrations))), polls }.await;
        drop(lent);
        let is_done = ended.is_some();
        if let Some(result) = ended {
            assert_eq!(result.unwrap().applied.len(), 4);
        }
        // What it did and did not commit is not taken for done.
        let mut lent = Postgres::borrow_sqlx(&mut connection).schema(&schema).functions(&functions);
        let verdict =
            verify(&mut lent, &migrations).await.unwrap_or_else(|error| panic!("{schema}: {error:?}"));
        drop(lent);
        let rows = format!(
            "SELECT CASE WHEN to_regclass('{schema}._windlass_migrations') IS NULL THEN 0 ELSE 1 END"
        );
        if verdict == Verdict::Current {
            assert_eq!(database.value(&rows).await, "1", "{schema}");
            let rows = format!("SELECT count(*) FROM {schema}.ships WHERE name = 'Carla'");
            assert_eq!(database.value(&rows).await, "1", "{schema}");
        }
        assert_eq!(seen(&mut connection).await, before, "{schema}");
        let mut lent = Postgres::borrow_sqlx(&mut connection).schema(&schema).functions(&functions);
        deploy(&mut lent, &migrations).await.unwrap_or_else(|error| panic!("{schema}: {error:?}"));
        drop(lent);
        assert_eq!(seen(&mut connection).await, before, "{schema}");
        sqlx::query("SELECT * FROM mine").fetch_all(&mut connection).await.unwrap();
        let rows = format!("SELECT string_agg(name, ' ' ORDER BY id) FROM {schema}.ships");
        assert_eq!(database.value(&rows).await, "ANNA BERTA Carla", "{schema}");
        let index =
            format!("SELECT indisvalid FROM pg_index WHERE indexrelid = '{schema}.ships_name'::regclass");
        assert_eq!(database.value(&index).await, "t");
        if is_done {
            assert!(polls > 10, "the future was hardly ever dropped");
            break;
        }
    }
}

async fn a_connection_comes_back_as_it_was(database: Database) {
    let mut connection = PgConnection::connect(&database.url()).await.unwrap();
    let own = "SET search_path = nowhere, public; SET TimeZone = 'Asia/Tokyo'; SET work_mem = '7MB'; \
        CREATE TEMP TABLE mine (id int)";
    sqlx::raw_sql(own).execute(&mut connection).await.unwrap();
    let seen = "SELECT string_agg(name || '=' || setting, ' ' ORDER BY name) FROM pg_settings WHERE source = 'session' \
        AND name NOT LIKE 'transaction%'";
    let before: String = sqlx::query_scalar(seen).fetch_one(&mut connection).await.unwrap();
    assert!(before.contains("Asia/Tokyo"), "{before}");
    let migrations = migrations();
    let deploying = Deploy::new(&migrations).allow_non_empty(true);
    assert_eq!(deploying.run(&mut connection).await.unwrap().applied.len(), 3);
    let after: String = sqlx::query_scalar(seen).fetch_one(&mut connection).await.unwrap();
    assert_eq!(after, before);
    let broken = Migrations::from_scripts([("1_x.sql", "SET work_mem = '8MB'; SELECT 1 / 0;")]).unwrap();
    let error =
        deploy(&mut Postgres::borrow_sqlx(&mut connection).schema("other"), &broken).await.unwrap_err();
    assert!(matches!(error, DeployError::Statement(_)), "{error:?}");
    let after: String = sqlx::query_scalar(seen).fetch_one(&mut connection).await.unwrap();
    assert_eq!(after, before);
    sqlx::query("SELECT * FROM mine").fetch_all(&mut connection).await.unwrap();

    let mut open = connection.begin().await.unwrap();
    let error = deploy(&mut *open, &broken).await.unwrap_err();
    assert!(matches!(&error, DeployError::Driver(DriverError::InTransaction)), "{error:?}");
    open.commit().await.unwrap();
}

async fn a_closed_pool_is_told(database: Database) {
    let pool = pool(&database).await;
    pool.close().await;
    let error = deploy(&pool, &migrations()).await.unwrap_err();
    assert!(
        matches!(&error, DeployError::Driver(DriverError::Lost(words)) if words.contains("closed")),
        "{error:?}"
    );
}

async fn functions_run_in_the_transaction(database: Database) {
    let pool = pool(&database).await;
    let sql = Migrations::from_scripts([("1_a.sql", "CREATE TABLE a (id int); INSERT INTO a VALUES (1);")])
        .unwrap();
    let functions = RustMigrations::new().add_sqlx("2_more", 1, |connection| {
        Box::pin(async move {
            sqlx::query("INSERT INTO a VALUES ($1)").bind(2).execute(&mut *connection).await?;
            sqlx::query("INSERT INTO b VALUES (1)").execute(connection).await?;
            Ok(())
        })
    });
    let migrations = sql.with_rust(functions.migrations()).unwrap();
    let mut session = Postgres::beside_pool(&pool).await.unwrap().functions(&functions);
    let error = deploy(&mut session, &migrations).await.unwrap_err();
    let DeployError::Statement(error) = error else { panic!("{error:?}") };
    assert_eq!(error.error.code.as_deref(), Some("42P01"));
    assert_eq!(database.value("SELECT count(*) FROM a").await, "1", "its own row is rolled back");
    database.sql("CREATE TABLE b (id int)").await;
    let mut session = Postgres::beside_pool(&pool).await.unwrap().functions(&functions);
    let made_by_hand = deploy(&mut session, &migrations).await.unwrap_err();
    assert!(matches!(made_by_hand, DeployError::Drift(_)), "{made_by_hand:?}");
    let warned = Deploy::new(&migrations).on_drift(DriftPolicy::Warn).run(&mut session).await;
    assert_eq!(warned.unwrap().applied.len(), 1);
    assert_eq!(database.value("SELECT count(*) FROM a").await, "2");

    let native = functions.add("3_native", 1, |_| Box::pin(async { Ok(()) }));
    let migrations = sql.with_rust(native.migrations()).unwrap();
    let mut session = Postgres::beside_pool(&pool).await.unwrap().functions(&native);
    let error = deploy(&mut session, &migrations).await.unwrap_err();
    let DeployError::Statement(error) = error else { panic!("{error:?}") };
    assert!(error.error.message.contains("is one for tokio-postgres"), "{}", error.error.message);
}

/// A function of the program that inserts one row.
fn inserts(connection: &mut PgConnection, panics: bool) -> Running<'_> {
    Box::pin(async move {
        sqlx::query("INSERT INTO a VALUES (1)").execute(connection).await?;
        assert!(!panics, "all hands");
        Ok(())
    })
}

async fn what_panics_leaves_nothing_or_a_decision(database: Database) {
    let pool = pool(&database).await;
    let sql = Migrations::from_scripts([("1_a.sql", "CREATE TABLE a (id int);")]).unwrap();
    let functions =
        |panics| RustMigrations::new().add_sqlx("2_more", 1, move |connection| inserts(connection, panics));
    let migrations = sql.with_rust(functions(true).migrations()).unwrap();
    let mut session = Postgres::beside_pool(&pool).await.unwrap().functions(&functions(true));
    let error = deploy(&mut session, &migrations).await.unwrap_err();
    let DeployError::Statement(failed) = error else { panic!("{error:?}") };
    assert_eq!((failed.error.message.as_str(), failed.recorded), ("the function panicked: all hands", true));
    assert_eq!(database.value("SELECT count(*) FROM a").await, "0");
    // The session is of use.
    let mut session = session.functions(&functions(false));
    assert_eq!(deploy(&mut session, &migrations).await.unwrap().applied.len(), 1);

    let outside = RustMigrations::new()
        .add_sqlx_outside_transaction("2_more", 1, |connection| inserts(connection, true));
    database.sql("DROP TABLE a, _windlass_migrations").await;
    let migrations = sql.with_rust(outside.migrations()).unwrap();
    let mut session = session.functions(&outside);
    let error = deploy(&mut session, &migrations).await.unwrap_err();
    assert!(matches!(&error, DeployError::Statement(failed) if failed.recorded), "{error:?}");
    let again = deploy(&mut session, &migrations).await.unwrap_err();
    assert!(matches!(again, DeployError::Blocked(Blocked::Failed { .. })), "{again:?}");
    assert_eq!(database.value("SELECT count(*) FROM a").await, "1", "it stands, and is not done again");
}

async fn an_older_program_meets_its_database(database: Database) {
    let pool = pool(&database).await;
    deploy(&pool, &migrations()).await.unwrap();
    let all = migrations();
    let older = all.iter().take(2).map(|m| (m.name().to_owned(), m.up().text().to_owned()));
    let older = Migrations::from_scripts(older).unwrap();
    let verdict = verify(&pool, &older).await.unwrap();
    assert_eq!(verdict, Verdict::Ahead { names: vec!["3_more".to_owned()] });
    wait_until_current(&pool, &older, Duration::ZERO).await.unwrap();
    assert!(deploy(&pool, &older).await.unwrap().applied.is_empty());
}

async fn an_application_with_a_pool_deploys_when_it_starts(database: Database) {
    let first = "applied 2 migrations\nAnna is ship 1\n";
    assert_eq!(examples::run("sqlx_app", &database, &[]).await, first);
    let again = "applied 0 migrations\nAnna is ship 2\n";
    assert_eq!(examples::run("sqlx_app", &database, &[]).await, again);
}
