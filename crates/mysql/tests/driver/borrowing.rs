//! An application's connection or pool: what it had set comes back, and a future may be dropped at any moment.

use crate::support::{Scratch, on_each};
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Opts, OptsBuilder, Pool, PoolConstraints, PoolOpts};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use windlass_mysql::{
    Deploy, DeployError, DriverError, Migrations, Proof, Report, Resolution, ResolveFailure, Verdict,
    baseline_checked, connect, create_database, deploy, diagnose_with_shadow, drop_database, resolve_checked,
    verify, wait_until_current,
};

const APPLICATION: &str = "SET SESSION sql_mode = 'ANSI_QUOTES', time_zone = '+09:00', lock_wait_timeout = 7, \
    foreign_key_checks = 0, group_concat_max_len = 2000, autocommit = 0, net_write_timeout = 77, \
    max_join_size = 1000000, sql_big_selects = 1";

pub(crate) const LOCK_IS_FREE: &str =
    "SELECT CAST(IS_FREE_LOCK(CONCAT('windlass_', LEFT(SHA2(LOWER(DATABASE()), 256), 48))) AS CHAR)";

pub(crate) fn migrations() -> Migrations {
    let scripts = [
        (
            "1_ships.sql",
            "CREATE TABLE ships (id int PRIMARY KEY, name varchar(80)); INSERT INTO ships VALUES (1, 'Anna');",
        ),
        ("2_index.sql", "SET SESSION sort_buffer_size = 300000; CREATE INDEX ships_name ON ships (name);"),
        (
            "3_more.sql",
            "INSERT INTO ships VALUES (2, 'Berta'); SET SESSION time_zone = '+01:00', net_read_timeout = 3, max_join_size = 70;",
        ),
    ];
    Migrations::from_scripts(scripts).unwrap()
}

/// Every variable of the session that does not move by itself, and the database.
async fn seen(conn: &mut Conn) -> Vec<String> {
    let variables: Vec<(String, String)> = conn.query("SHOW SESSION VARIABLES").await.unwrap();
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
    let still = variables.into_iter().filter(|(name, _)| !moving.iter().any(|part| name.contains(part)));
    let database: Option<String> = conn.query_first("SELECT DATABASE()").await.unwrap();
    let mut seen: Vec<_> = still.map(|(name, value)| format!("{name}={value}")).collect();
    seen.extend(database);
    seen
}

#[track_caller]
fn same(now: &[String], before: &[String]) {
    let other: Vec<_> = now.iter().filter(|line| !before.contains(line)).collect();
    assert!(other.is_empty() && now.len() == before.len(), "{other:?}");
}

/// Over TCP, as all others come: over the socket it would be another account, which may see less.
async fn conn(scratch: &Scratch) -> Conn {
    let opts = OptsBuilder::from_opts(Opts::from_url(&scratch.url).unwrap()).prefer_socket(false);
    Conn::new(opts).await.unwrap()
}

#[test]
#[ignore = "needs servers: cargo xtask test"]
fn a_borrowed_connection_comes_back_as_it_was() {
    on_each(async |scratch: &mut Scratch| {
        let mut conn = conn(scratch).await;
        conn.query_drop(APPLICATION).await.unwrap();
        let before = seen(&mut conn).await;
        let migrations = migrations();

        let verdict = verify(&mut conn, &migrations).await.unwrap();
        assert!(matches!(verdict, Verdict::Behind { pending } if pending.len() == 3));
        same(&seen(&mut conn).await, &before);
        let report = deploy(&mut conn, &migrations).await.unwrap();
        assert_eq!(report.applied.len(), 3);
        same(&seen(&mut conn).await, &before);
        assert_eq!(scratch.raw("SELECT CAST(count(*) AS CHAR) FROM ships").await, ["2"]);
        assert_eq!(verify(&mut conn, &migrations).await.unwrap(), Verdict::Current);
        scratch.raw("CREATE INDEX by_hand ON ships (id)").await;
        let verdict = verify(&mut conn, &migrations).await.unwrap();
        assert!(matches!(&verdict, Verdict::Drifted(drift) if drift.differences.len() == 1), "{verdict:?}");
        scratch.raw("DROP INDEX by_hand ON ships").await;
        same(&seen(&mut conn).await, &before);
        assert_eq!(scratch.raw(LOCK_IS_FREE).await, ["1"]);

        // A transaction of the application's is left alone.
        conn.query_drop("START TRANSACTION; INSERT INTO ships VALUES (3, 'Carla')").await.unwrap();
        let more = Migrations::from_scripts([("1_x.sql", "CREATE TABLE x (id int)")]).unwrap();
        let error = Deploy::new(&more).run(&mut conn).await.unwrap_err();
        assert!(matches!(&error, DeployError::Driver(DriverError::InTransaction)), "{error:?}");
        conn.query_drop("COMMIT").await.unwrap();
        assert_eq!(scratch.raw("SELECT CAST(count(*) AS CHAR) FROM ships").await, ["3"]);
    });
}

#[test]
#[ignore = "needs servers: cargo xtask test"]
fn how_many_rows_an_application_lets_itself_read_stops_nothing_and_stays() {
    on_each(async |scratch: &mut Scratch| {
        let mut conn = conn(scratch).await;
        conn.query_drop("SET max_join_size = 2").await.unwrap();
        let migrations = migrations();
        let verdict = verify(&mut conn, &migrations).await.unwrap();
        assert!(matches!(verdict, Verdict::Behind { pending } if pending.len() == 3));
        assert_eq!(deploy(&mut conn, &migrations).await.unwrap().applied.len(), 3);
        assert_eq!(verify(&mut conn, &migrations).await.unwrap(), Verdict::Current);
        let limits =
            "SELECT CONCAT_WS(' ', @@max_join_size, IF(@@sql_big_selects, 'all', 'few'), @_windlass_big)";
        let limits: Option<String> = conn.query_first(limits).await.unwrap();
        assert_eq!(limits.as_deref(), Some("2 few"));
    });
}

/// The application makes the empty databases, and drops them.
#[test]
#[ignore = "needs servers: cargo xtask test"]
fn a_decision_is_held_against_a_replay() {
    on_each(async |scratch: &mut Scratch| {
        let shadow = scratch.options().with_database(format!("{}_shadow", scratch.name));
        let empty = async || {
            drop_database(&shadow).await.unwrap();
            create_database(&shadow).await.unwrap();
            connect(&shadow).await.unwrap()
        };
        let all = migrations();
        let mut conn = conn(scratch).await;
        scratch.raw("CREATE TABLE ships (id int PRIMARY KEY, name varchar(9))").await;
        let refused = baseline_checked(&mut conn, &mut empty().await, &all, "1").await.unwrap_err();
        assert!(matches!(&refused, ResolveFailure::DiffersFromBaseline { .. }), "{refused:?}");
        scratch.raw("ALTER TABLE ships MODIFY name varchar(80)").await;
        let recorded = baseline_checked(&mut conn, &mut empty().await, &all, "1").await.unwrap();
        assert_eq!(recorded, ["1_ships"]);

        let diagnosis = diagnose_with_shadow(&mut conn, &mut empty().await, &all).await.unwrap();
        assert_eq!(diagnosis.pending, ["2_index", "3_more"]);
        let applied = Resolution::Applied;
        let refused = resolve_checked(&mut conn, &mut empty().await, &all, applied, "2", "x").await;
        let differs = matches!(&refused, Err(ResolveFailure::Differs { fits, .. }) if *fits == [0, 1]);
        assert!(differs, "{refused:?}");
        scratch.raw("CREATE INDEX ships_name ON ships (name)").await;
        let proof = resolve_checked(&mut conn, &mut empty().await, &all, applied, "2", "x").await;
        assert_eq!(proof.unwrap(), Proof::BornOut);
        drop_database(&shadow).await.unwrap();
    });
}

#[test]
#[ignore = "needs servers: cargo xtask test"]
fn what_a_migration_leaves_is_taken_away_and_the_rest_stays() {
    on_each(async |scratch: &mut Scratch| {
        let mut conn = conn(scratch).await;
        let theirs = "CREATE TEMPORARY TABLE mine (id int); INSERT INTO mine VALUES (7); SET @mine = 7; \
            PREPARE ready FROM 'SELECT 7'; SELECT GET_LOCK('mine', 0)";
        conn.query_drop(theirs).await.unwrap();
        let before = seen(&mut conn).await;
        let leaves = "CREATE TABLE ships (id int); SET @left = 1; CREATE TEMPORARY TABLE left_over (id int); \
            SET SESSION sql_mode = '', foreign_key_checks = 0; LOCK TABLES ships WRITE; INSERT INTO ships VALUES (1);";
        let scripts = [("1_leaves.sql", leaves.to_owned())];
        let more = format!("{} SELECT nonsense;", leaves.replace("CREATE TABLE ships (id int); ", ""));
        let refused =
            Migrations::from_scripts(scripts.clone().into_iter().chain([("2_refused.sql", more)])).unwrap();
        let deployed = deploy(&mut conn, &Migrations::from_scripts(scripts).unwrap()).await;
        deployed.unwrap();
        for when in ["deployed", "refused"] {
            same(&seen(&mut conn).await, &before);
            let left: Option<String> = conn.query_first("SELECT coalesce(@left, 'none')").await.unwrap();
            assert_eq!(left.as_deref(), Some("none"), "{when}");
            conn.query_drop("SELECT * FROM left_over").await.expect_err(when);
            let mine: Option<(u64, u64)> = conn.query_first("SELECT id, @mine FROM mine").await.unwrap();
            assert_eq!(mine, Some((7, 7)), "{when}");
            let held: Option<u64> =
                conn.query_first("SELECT IS_USED_LOCK('mine') = CONNECTION_ID()").await.unwrap();
            assert_eq!(held, Some(1), "{when}");
            conn.query_drop("EXECUTE ready").await.unwrap();
            if when == "deployed" {
                let error = deploy(&mut conn, &refused).await.unwrap_err();
                let recorded = matches!(&error, DeployError::Statement(failed) if failed.recorded);
                assert!(recorded, "also while tables are locked: {error:?}");
            }
        }
    });
}

#[test]
#[ignore = "needs servers: cargo xtask test"]
fn what_one_migration_sets_does_not_reach_the_next_on_a_lent_connection() {
    on_each(async |scratch: &mut Scratch| {
        let mut conn = conn(scratch).await;
        conn.query_drop("SET SESSION max_error_count = 9; CREATE TEMPORARY TABLE mine (id int)")
            .await
            .unwrap();
        let before = seen(&mut conn).await;
        let first = "SET SESSION sql_log_bin = 0, max_error_count = 3, auto_increment_increment = 10; \
            CREATE TEMPORARY TABLE IF NOT EXISTS mine (id int); INSERT INTO mine VALUES (7); \
            CREATE TEMPORARY TABLE IF NOT EXISTS other (n int); /*!40000 CREATE TEMPORARY TABLE more (n int) */;";
        let next = "CREATE TABLE other (n int); INSERT INTO other VALUES (@@sql_log_bin), (@@max_error_count), \
            (@@auto_increment_increment); CREATE TABLE more (n int); INSERT INTO more VALUES (1);";
        let scripts = [("1_first.sql", first), ("2_next.sql", next)];
        deploy(&mut conn, &Migrations::from_scripts(scripts).unwrap()).await.unwrap();
        assert_eq!(scratch.raw("SELECT CAST(n AS CHAR) FROM other ORDER BY n").await, ["1", "1", "9"]);
        assert_eq!(scratch.raw("SELECT CAST(n AS CHAR) FROM more").await, ["1"]);
        same(&seen(&mut conn).await, &before);
        // A migration that would create it is refused, and takes it away as little.
        let refused = scripts.into_iter().chain([("3_mine.sql", "CREATE TEMPORARY TABLE mine (id int)")]);
        let refused = Migrations::from_scripts(refused).unwrap();
        let error = deploy(&mut conn, &refused).await.unwrap_err();
        assert!(matches!(&error, DeployError::Statement(failed) if failed.recorded), "{error:?}");
        assert_eq!(conn.query_first("SELECT id FROM mine").await.unwrap(), Some(7));
    });
}

/// A future that is dropped after so many polls.
pub(crate) struct Dropped<F> {
    pub(crate) future: Option<Pin<Box<F>>>,
    pub(crate) polls: usize,
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

/// A pool of one connection that never resets what comes back.
fn pool(scratch: &Scratch) -> Pool {
    let constraints = PoolConstraints::new(0, 1).unwrap();
    let options = PoolOpts::default().with_constraints(constraints).with_reset_connection(false);
    let opts = OptsBuilder::from_opts(Opts::from_url(&scratch.url).unwrap());
    Pool::new(opts.prefer_socket(false).pool_opts(options))
}

#[test]
#[ignore = "needs servers: cargo xtask test"]
fn a_pool_gets_no_dirty_connection_back_whenever_the_future_is_dropped() {
    on_each(async |scratch: &mut Scratch| {
        let pool = pool(scratch);
        let migrations = migrations();
        let mut conn = pool.get_conn().await.unwrap();
        let before = seen(&mut conn).await;
        drop(conn);
        for polls in 0.. {
            let ended = Dropped { future: Some(Box::pin(deploy(&pool, &migrations))), polls }.await;
            let is_done = ended.is_some();
            if let Some(result) = ended {
                result.unwrap();
            }
            // The one connection that there may be is free again, and like a new one.
            let conn = tokio::time::timeout(Duration::from_secs(20), pool.get_conn()).await;
            let mut conn = conn.unwrap_or_else(|_| panic!("none is free after {polls} polls")).unwrap();
            same(&seen(&mut conn).await, &before);
            drop(conn);
            if is_done {
                assert!(polls > 8, "the future was hardly ever dropped");
                break;
            }
            deployed_by_another(scratch, &migrations, polls).await;
            scratch.raw("DROP TABLE IF EXISTS ships, _windlass_migrations").await;
        }
        pool.disconnect().await.unwrap();
    });
}

/// As its documentation says: it is closed, and the server brings to an end what it was at.
#[test]
#[ignore = "needs servers: cargo xtask test"]
fn a_lent_connection_may_lose_its_deploy_at_every_await() {
    on_each(async |scratch: &mut Scratch| {
        let migrations = migrations();
        for polls in 0.. {
            let mut lent = conn(scratch).await;
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

#[test]
#[ignore = "needs servers: cargo xtask test"]
fn a_pool_of_one_connection_is_enough_unless_the_application_holds_it() {
    on_each(async |scratch: &mut Scratch| {
        let (pool, migrations) = (pool(scratch), migrations());
        let held = pool.get_conn().await.unwrap();
        // The time that is waited is not.
        tokio::time::pause();
        let error = deploy(&pool, &migrations).await.unwrap_err();
        tokio::time::resume();
        let is_told = matches!(&error, DeployError::Driver(DriverError::Lost(words))
            if words == "no connection of the pool came free within 30 seconds");
        assert!(is_told, "{error:?}");
        drop(held);
        assert_eq!(deploy(&pool, &migrations).await.unwrap().applied.len(), 3);
        assert_eq!(verify(&pool, &migrations).await.unwrap(), Verdict::Current);
        pool.disconnect().await.unwrap();
    });
}

#[test]
#[ignore = "needs servers: cargo xtask test"]
fn an_older_program_meets_its_database() {
    on_each(async |scratch: &mut Scratch| {
        let (mut conn, all) = (conn(scratch).await, migrations());
        deploy(&mut conn, &all).await.unwrap();
        let older = all.iter().take(2).map(|m| (m.name().to_owned(), m.up().text().to_owned()));
        let older = Migrations::from_scripts(older).unwrap();
        let verdict = verify(&mut conn, &older).await.unwrap();
        assert_eq!(verdict, Verdict::Ahead { names: vec!["3_more".to_owned()] });
        wait_until_current(&mut conn, &older, Duration::ZERO).await.unwrap();
        assert!(deploy(&mut conn, &older).await.unwrap().applied.is_empty());
    });
}

#[test]
#[ignore = "needs servers: cargo xtask test"]
fn a_session_of_its_own_may_be_dropped_at_every_await() {
    on_each(async |scratch: &mut Scratch| {
        let (migrations, options) = (migrations(), scratch.options());
        for polls in 0.. {
            let future = async { deploy(&mut connect(&options).await.unwrap(), &migrations).await };
            let ended = Dropped { future: Some(Box::pin(future)), polls }.await;
            if let Some(result) = ended {
                result.unwrap();
                assert!(polls > 8, "the future was hardly ever dropped");
                break;
            }
            deployed_by_another(scratch, &migrations, polls).await;
            scratch.raw("DROP TABLE IF EXISTS ships, _windlass_migrations").await;
        }
    });
}

#[test]
#[ignore = "needs servers: cargo xtask test"]
fn a_session_whose_future_was_dropped_goes_on_or_says_that_it_cannot() {
    on_each(async |scratch: &mut Scratch| {
        let migrations = migrations();
        let mut refused = 0;
        for polls in 0.. {
            let mut session = scratch.driver().await;
            let ended = Dropped { future: Some(Box::pin(deploy(&mut session, &migrations))), polls }.await;
            if let Some(result) = ended {
                result.unwrap();
                assert!(refused > 4, "the future was hardly ever dropped");
                break;
            }
            match deploy(&mut session, &migrations).await {
                Ok(_) => {}
                Err(DeployError::Driver(DriverError::Lost(words))) => {
                    assert!(words.ends_with("open another session"), "{words}");
                    refused += 1;
                }
                Err(error) => panic!("after {polls} polls: {error:?}"),
            }
            drop(session);
            deployed_by_another(scratch, &migrations, polls).await;
            scratch.raw("DROP TABLE IF EXISTS ships, _windlass_migrations").await;
        }
    });
}

#[test]
#[ignore = "needs servers: cargo xtask test"]
fn a_session_or_pool_that_is_dropped_ends_what_runs() {
    on_each(async |scratch: &mut Scratch| {
        let (options, theirs) = (scratch.options(), pool(scratch));
        let own = ends_what_runs(scratch, |set| async move {
            deploy(&mut connect(&options).await.unwrap(), &set).await
        });
        own.await;
        let of_pool = ends_what_runs(scratch, |set| async move { deploy(&theirs, &set).await });
        of_pool.await;
    });
}

/// What a deploy runs is ended when its future is dropped.
pub(crate) async fn ends_what_runs<F>(scratch: &mut Scratch, deploying: impl FnOnce(Migrations) -> F)
where
    F: Future<Output = Result<Report, DeployError>> + Send + 'static,
{
    // It ends only when it is told to: a connection that is gone is not seen by it, as it is by SLEEP.
    let script = "CREATE TABLE a (id int);\nSELECT BENCHMARK(1000000000000, SHA2('a', 512));\n";
    let set = Migrations::from_scripts([("1_a.sql", script)]).unwrap();
    let running = format!(
        "SELECT CAST(count(*) AS CHAR) FROM {} WHERE db = '{}' AND info LIKE '%BENCHMARK(1%' AND info NOT LIKE '%processlist%'",
        scratch.sessions(),
        scratch.name
    );
    let deploying = tokio::spawn(deploying(set));
    scratch.until(&running, "1").await;
    deploying.abort();
    assert!(deploying.await.unwrap_err().is_cancelled());
    scratch.until(&running, "0").await;
    scratch.until(LOCK_IS_FREE, "1").await;
    scratch.raw("DROP TABLE a, _windlass_migrations").await;
}

/// What the dropped future left is gone on with, once the server has seen its connection go.
pub(crate) async fn deployed_by_another(scratch: &Scratch, migrations: &Migrations, polls: usize) {
    let mut conn = conn(scratch).await;
    let began = std::time::Instant::now();
    loop {
        match deploy(&mut conn, migrations).await {
            Ok(_) => break,
            Err(DeployError::Blocked(windlass_mysql::Blocked::Running { .. }))
                if began.elapsed() < Duration::from_secs(20) =>
            {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            Err(error) => panic!("after {polls} polls: {error:?}"),
        }
    }
    let rows: Option<(u64, u64)> = conn.query_first("SELECT count(*), max(id) FROM ships").await.unwrap();
    assert_eq!(rows, Some((2, 2)), "after {polls} polls");
}

#[test]
#[ignore = "needs servers: cargo xtask test"]
fn a_repeated_statement_wants_a_connection_that_counts_found_rows() {
    on_each(async |scratch| {
        let filled = (
            "1_ships.sql",
            "CREATE TABLE ships (id int PRIMARY KEY, name int); INSERT INTO ships VALUES (1, 0), (2, 0), (3, 0);",
        );
        // The first run leaves its row as it is: where changed rows are counted, it would be the last.
        let repeated = (
            "2_names.sql",
            "-- windlass: repeat until 3 rows\nUPDATE ships SET name = id - 1 WHERE name = 0 ORDER BY id LIMIT 1;",
        );
        let migrations = Migrations::from_scripts([filled, repeated]).unwrap();
        let refused = deploy(&mut conn(scratch).await, &migrations).await.unwrap_err();
        let DeployError::Statement(failed) = refused else { panic!("{refused:?}") };
        assert!(failed.error.message.contains("counts the rows found"), "{failed:?}");
        assert!(failed.recorded, "{failed:?}");
        let opts = OptsBuilder::from_opts(Opts::from_url(&scratch.url).unwrap()).client_found_rows(true);
        let mut conn = Conn::new(opts).await.unwrap();
        deploy(&mut conn, &migrations).await.unwrap();
        let applied: Option<u64> = conn
            .query_first("SELECT count(*) FROM _windlass_migrations WHERE claim IS NOT NULL")
            .await
            .unwrap();
        assert_eq!(applied, Some(2));
    });
}
