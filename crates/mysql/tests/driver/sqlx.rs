//! The same driver over sqlx: a pool is never touched, and every promise holds that holds over mysql_async.

use crate::borrowing::{Dropped, deployed_by_another, ends_what_runs, migrations};
use crate::support::{Scratch, on_each};
use std::time::Duration;
use windlass_mysql::sqlx::mysql::MySqlPoolOptions;
use windlass_mysql::sqlx::{self, Connection as _, MySqlConnection, MySqlPool, Row as _};
use windlass_mysql::{
    Blocked, Deploy, DeployError, DriftPolicy, DriverError, Migrations, MySql, Running, RustMigrations,
    Verdict, deploy, status, verify, wait_until_current,
};

async fn pool(scratch: &Scratch) -> MySqlPool {
    let options = MySqlPoolOptions::new().max_connections(1).acquire_timeout(Duration::from_secs(5));
    options.connect(&scratch.url).await.unwrap()
}

async fn native(scratch: &Scratch) -> mysql_async::Conn {
    mysql_async::Conn::new(mysql_async::Opts::from_url(&scratch.url).unwrap()).await.unwrap()
}

#[test]
#[ignore = "needs servers: cargo xtask test"]
fn a_pool_that_has_no_connection_left_deploys() {
    on_each(async |scratch: &mut Scratch| {
        let pool = pool(scratch).await;
        let _held = pool.acquire().await.unwrap();
        let migrations = migrations();
        let names = migrations.iter().map(|migration| migration.name().to_owned()).collect();
        assert_eq!(verify(&pool, &migrations).await.unwrap(), Verdict::Behind { pending: names });
        assert_eq!(deploy(&pool, &migrations).await.unwrap().applied.len(), 3);
        assert!(deploy(&pool, &migrations).await.unwrap().applied.is_empty());
        assert_eq!(status(&pool, &migrations).await.unwrap().len(), 3);
        assert_eq!(scratch.raw("SELECT CAST(count(*) AS CHAR) FROM ships").await, ["2"]);
        let verdict = verify(&mut native(scratch).await, &migrations).await.unwrap();
        assert_eq!(verdict, Verdict::Current, "one history, one digest");
    });
}

#[test]
#[ignore = "needs servers: cargo xtask test"]
fn what_the_server_says_is_told_whole() {
    on_each(async |scratch: &mut Scratch| {
        let pool = pool(scratch).await;
        let broken =
            "CREATE TABLE a (id int PRIMARY KEY);\nINSERT INTO a VALUES (1);\nINSERT INTO a VALUES (1);\n";
        let typo = "CREATE TABLE b (id int);\nINSERT INTO b\n VALEUS (7);\n";
        let file = "CREATE TABLE c (id int);\nLOAD DATA LOCAL INFILE '/etc/hostname' INTO TABLE c;\n";
        for text in [broken, typo, file] {
            let set = Migrations::from_scripts([("1_a.sql", text)]).unwrap();
            let over_sqlx = deploy(&pool, &set).await.unwrap_err();
            scratch.raw("DROP TABLE IF EXISTS a, b, c, _windlass_migrations").await;
            let over_native = deploy(&mut scratch.driver().await, &set).await.unwrap_err();
            scratch.raw("DROP TABLE IF EXISTS a, b, c, _windlass_migrations").await;
            let (DeployError::Statement(error), DeployError::Statement(other)) = (over_sqlx, over_native)
            else {
                panic!("{text}: not a statement's error")
            };
            assert_eq!(error.error, other.error, "both transports say the same");
            assert_eq!(error.place, other.place, "and of the same statement");
            assert!(error.recorded, "{text}");
        }
    });
}

#[test]
#[ignore = "needs servers: cargo xtask test"]
fn repeated_statements_count_the_rows_found() {
    on_each(async |scratch: &mut Scratch| {
        let filled = "CREATE TABLE ships (id int PRIMARY KEY, name int); INSERT INTO ships VALUES (1, 0), (2, 0), (3, 0);";
        // The first run leaves its row as it is: where changed rows are counted, it would be the last.
        let repeated = "-- windlass: repeat until 3 rows\n\
            UPDATE ships SET name = id - 1 WHERE name = 0 ORDER BY id LIMIT 1;";
        let set = Migrations::from_scripts([("1_ships.sql", filled), ("2_names.sql", repeated)]).unwrap();
        let mut connection = MySqlConnection::connect(&scratch.url).await.unwrap();
        for over in ["pool", "connection"] {
            match over {
                "pool" => deploy(&pool(scratch).await, &set).await,
                _ => deploy(&mut connection, &set).await,
            }
            .unwrap_or_else(|error| panic!("{over}: {error:?}"));
            let touched = "SELECT CAST(touched AS CHAR) FROM _windlass_migrations WHERE name = '2_names'";
            let over_sqlx = scratch.raw(touched).await;
            let left = scratch.raw("SELECT CAST(group_concat(name ORDER BY id) AS CHAR) FROM ships").await;
            scratch.raw("DROP TABLE ships, _windlass_migrations").await;
            deploy(&mut scratch.driver().await, &set).await.unwrap();
            assert_eq!(
                over_sqlx,
                scratch.raw(touched).await,
                "{over}: as many runs as over the other transport"
            );
            let other = scratch.raw("SELECT CAST(group_concat(name ORDER BY id) AS CHAR) FROM ships").await;
            assert_eq!(left, other, "{over}");
            scratch.raw("DROP TABLE ships, _windlass_migrations").await;
        }
    });
}

#[test]
#[ignore = "needs servers: cargo xtask test"]
fn a_dropped_future_ends_what_runs() {
    on_each(async |scratch: &mut Scratch| {
        let pool = pool(scratch).await;
        ends_what_runs(scratch, |set| async move { deploy(&pool, &set).await }).await;
    });
}

#[test]
#[ignore = "needs servers: cargo xtask test"]
fn a_pool_may_lose_its_deploy_at_every_await() {
    on_each(async |scratch: &mut Scratch| {
        let migrations = migrations();
        let pool = pool(scratch).await;
        for polls in 0.. {
            let ended = Dropped { future: Some(Box::pin(deploy(&pool, &migrations))), polls }.await;
            let is_done = ended.is_some();
            if let Some(result) = ended {
                result.unwrap();
            }
            assert!(pool.acquire().await.is_ok(), "the pool's own connection was never away");
            if is_done {
                assert!(polls > 8, "the future was hardly ever dropped");
                break;
            }
            deployed_by_another(scratch, &migrations, polls).await;
            scratch.raw("DROP TABLE IF EXISTS ships, _windlass_migrations").await;
        }
    });
}

/// As its documentation says: it is closed, and the server brings to an end what it was at.
#[test]
#[ignore = "needs servers: cargo xtask test"]
fn a_lent_connection_may_lose_its_deploy_at_every_await() {
    on_each(async |scratch: &mut Scratch| {
        let migrations = migrations();
        for polls in 0.. {
            let mut lent = MySqlConnection::connect(&scratch.url).await.unwrap();
            let ended = Dropped { future: Some(Box::pin(deploy(&mut lent, &migrations))), polls }.await;
            drop(lent);
            if let Some(result) = ended {
                assert_eq!(result.unwrap().applied.len(), 3);
                assert!(polls > 8, "the future was hardly ever dropped");
                break;
            }
            deployed_by_another(scratch, &migrations, polls).await;
            scratch.raw("DROP TABLE IF EXISTS ships, _windlass_migrations").await;
        }
    });
}

/// A function of the program that inserts one row.
fn inserts(connection: &mut MySqlConnection, panics: bool) -> Running<'_> {
    Box::pin(async move {
        sqlx::query("INSERT INTO a VALUES (1)").execute(connection).await?;
        assert!(!panics, "all hands");
        Ok(())
    })
}

#[test]
#[ignore = "needs servers: cargo xtask test"]
fn what_panics_leaves_nothing_or_a_decision() {
    on_each(async |scratch: &mut Scratch| {
        let pool = pool(scratch).await;
        let sql = Migrations::from_scripts([("1_a.sql", "CREATE TABLE a (id int);")]).unwrap();
        let functions = |panics| {
            RustMigrations::new()
                .add_rows_only_sqlx("2_more", 1, move |connection| inserts(connection, panics))
        };
        let migrations = sql.with_rust(functions(true).migrations()).unwrap();
        let mut session = MySql::beside_pool(&pool).await.unwrap().functions(&functions(true));
        let error = deploy(&mut session, &migrations).await.unwrap_err();
        let DeployError::Statement(failed) = error else { panic!("{error:?}") };
        assert_eq!(
            (failed.error.message.as_str(), failed.recorded),
            ("the function panicked: all hands", true)
        );
        assert_eq!(scratch.raw("SELECT CAST(count(*) AS CHAR) FROM a").await, ["0"]);
        // The session is of use.
        let mut session = session.functions(&functions(false));
        assert_eq!(deploy(&mut session, &migrations).await.unwrap().applied.len(), 1);

        let anything = RustMigrations::new().add_sqlx("2_more", 1, |connection| inserts(connection, true));
        scratch.raw("DROP TABLE a, _windlass_migrations").await;
        let migrations = sql.with_rust(anything.migrations()).unwrap();
        let mut session = session.functions(&anything);
        let error = deploy(&mut session, &migrations).await.unwrap_err();
        assert!(matches!(&error, DeployError::Statement(failed) if failed.recorded), "{error:?}");
        let again = deploy(&mut session, &migrations).await.unwrap_err();
        assert!(matches!(again, DeployError::Blocked(Blocked::Failed { .. })), "{again:?}");
        let rows = scratch.raw("SELECT CAST(count(*) AS CHAR) FROM a").await;
        assert_eq!(rows, ["1"], "it stands, and is not done again");
    });
}

#[test]
#[ignore = "needs servers: cargo xtask test"]
fn an_older_program_meets_its_database() {
    on_each(async |scratch: &mut Scratch| {
        let (pool, all) = (pool(scratch).await, migrations());
        deploy(&pool, &all).await.unwrap();
        let older = all.iter().take(2).map(|m| (m.name().to_owned(), m.up().text().to_owned()));
        let older = Migrations::from_scripts(older).unwrap();
        let verdict = verify(&pool, &older).await.unwrap();
        assert_eq!(verdict, Verdict::Ahead { names: vec!["3_more".to_owned()] });
        wait_until_current(&pool, &older, Duration::ZERO).await.unwrap();
        assert!(deploy(&pool, &older).await.unwrap().applied.is_empty());
    });
}

#[test]
#[ignore = "needs servers: cargo xtask test"]
fn a_connection_comes_back_as_it_was() {
    on_each(async |scratch: &mut Scratch| {
        let mut connection = MySqlConnection::connect(&scratch.url).await.unwrap();
        let own = "SET SESSION sql_mode = 'ANSI_QUOTES', time_zone = '+09:00', lock_wait_timeout = 7, \
            group_concat_max_len = 2000; CREATE TEMPORARY TABLE mine (id int)";
        sqlx::raw_sql(own).execute(&mut connection).await.unwrap();
        let before = seen(&mut connection).await;
        assert!(before.contains(&"time_zone=+09:00".to_owned()), "{before:?}");
        assert_eq!(deploy(&mut connection, &migrations()).await.unwrap().applied.len(), 3);
        assert_eq!(seen(&mut connection).await, before);
        sqlx::raw_sql("SELECT * FROM mine").fetch_all(&mut connection).await.unwrap();

        let more = Migrations::from_scripts([("1_x.sql", "CREATE TABLE x (id int)")]).unwrap();
        let mut open = connection.begin().await.unwrap();
        let error = deploy(&mut *open, &more).await.unwrap_err();
        assert!(matches!(&error, DeployError::Driver(DriverError::InTransaction)), "{error:?}");
        open.commit().await.unwrap();
    });
}

/// Every variable of the session that does not move by itself.
async fn seen(connection: &mut MySqlConnection) -> Vec<String> {
    let rows = sqlx::raw_sql("SHOW SESSION VARIABLES").fetch_all(connection).await.unwrap();
    let moving = [
        "timestamp",
        "rand_seed",
        "pseudo_thread",
        "insert_id",
        "identity",
        "_count",
        "gtid",
        "innodb_",
        "statement_id",
    ];
    let text = |row: &sqlx::mysql::MySqlRow, column| row.get_unchecked::<String, usize>(column);
    let variables = rows.iter().map(|row| (text(row, 0), text(row, 1)));
    let still = variables.filter(|(name, _)| !moving.iter().any(|part| name.contains(part)));
    still.map(|(name, value)| format!("{name}={value}")).collect()
}

#[test]
#[ignore = "needs servers: cargo xtask test"]
fn a_closed_pool_and_a_connection_without_database_are_told() {
    on_each(async |scratch: &mut Scratch| {
        let pool = pool(scratch).await;
        pool.close().await;
        let error = deploy(&pool, &migrations()).await.unwrap_err();
        let told =
            matches!(&error, DeployError::Driver(DriverError::Lost(words)) if words.contains("closed"));
        assert!(told, "{error:?}");
        let (server, _) = scratch.url.rsplit_once('/').unwrap();
        let mut connection = MySqlConnection::connect(server).await.unwrap();
        let error = deploy(&mut connection, &migrations()).await.unwrap_err();
        let told = matches!(&error, DeployError::Driver(DriverError::Refused(words))
            if words.message.contains("no database is selected"));
        assert!(told, "{error:?}");
    });
}

#[test]
#[ignore = "needs servers: cargo xtask test"]
fn functions_commit_with_their_record_or_not_at_all() {
    on_each(async |scratch: &mut Scratch| {
        let pool = pool(scratch).await;
        let sql =
            Migrations::from_scripts([("1_a.sql", "CREATE TABLE a (id int); INSERT INTO a VALUES (1);")]);
        let sql = sql.unwrap();
        let functions = RustMigrations::new().add_rows_only_sqlx("2_more", 1, |connection| {
            Box::pin(async move {
                sqlx::query("INSERT INTO a VALUES (?)").bind(2).execute(&mut *connection).await?;
                sqlx::query("INSERT INTO b VALUES (1)").execute(connection).await?;
                Ok(())
            })
        });
        let migrations = sql.with_rust(functions.migrations()).unwrap();
        let mut session = MySql::beside_pool(&pool).await.unwrap().functions(&functions);
        let error = deploy(&mut session, &migrations).await.unwrap_err();
        let DeployError::Statement(error) = error else { panic!("{error:?}") };
        assert_eq!(error.error.code.as_deref(), Some("1146 (42S02)"));
        assert_eq!(
            scratch.raw("SELECT CAST(count(*) AS CHAR) FROM a").await,
            ["1"],
            "its own row is rolled back"
        );
        scratch.raw("CREATE TABLE b (id int)").await;
        let mut session = MySql::beside_pool(&pool).await.unwrap().functions(&functions);
        let made_by_hand = deploy(&mut session, &migrations).await.unwrap_err();
        assert!(matches!(made_by_hand, DeployError::Drift(_)), "{made_by_hand:?}");
        let warned = Deploy::new(&migrations).on_drift(DriftPolicy::Warn).run(&mut session).await;
        assert_eq!(warned.unwrap().applied.len(), 1);
        assert_eq!(scratch.raw("SELECT CAST(count(*) AS CHAR) FROM a").await, ["2"]);

        let native = functions.add_rows_only("3_native", 1, |_| Box::pin(async { Ok(()) }));
        let migrations = sql.with_rust(native.migrations()).unwrap();
        let mut session = MySql::beside_pool(&pool).await.unwrap().functions(&native);
        let error = deploy(&mut session, &migrations).await.unwrap_err();
        let DeployError::Statement(error) = error else { panic!("{error:?}") };
        assert!(error.error.message.contains("is one for mysql_async"), "{}", error.error.message);
    });
}
