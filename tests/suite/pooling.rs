//! Pooling: through a pooler that gives each transaction another session, everything runs once and nothing is left behind.

use crate::racing::Racers;
use harness::{Database, Expendable, Project, Raw, Waiting, migrations};
use std::fs::File;
use windlass_core::apply::DeployError;
use windlass_core::plan::Blocked;

harness::scenarios!(
    natively [Postgres]:
        transactions_through_a_pooler_leave_nothing_behind,
        an_application_s_connection_through_a_pooler_is_left_as_it_is,
        over_sqlx_a_session_that_is_older_than_the_connection_is_a_pooler_s,
        over_sqlx_a_session_without_what_the_client_asked_for_is_a_pooler_s,
        racers_through_a_pooler_and_beside_it_run_everything_once,
        what_is_more_than_one_transaction_is_refused_through_a_pooler_unless_allowed,
        what_a_killed_deployer_left_behind_a_pooler_keeps_nobody_out;
);

const POOLERS: [&str; 2] = ["pgbouncer-1.18", "pgbouncer-1.24"];
const N: (&str, &str) = ("1_n", "CREATE TABLE n (n int);\nINSERT INTO n VALUES (0);");
const PLUS: (&str, &str) = ("2_plus", "UPDATE n SET n = n + 1;");

/// How many of the server's sessions the pooler keeps for a database.
const SESSIONS: usize = 4;

/// A pooler of this name, and the database's URL through it. The database's sessions do not begin with the settings that
/// migrations begin with.
async fn pooler(name: &str, database: &Database) -> (Expendable, String) {
    database.sql(&format!("ALTER DATABASE {} SET bytea_output = 'escape'", database.name())).await;
    let pooler = Expendable::pooler(name, database.target());
    let (place, _) = pooler.target().url.rsplit_once('/').expect("a URL with a database");
    let url = format!("{place}/{}", database.name());
    (pooler, url)
}

async fn transactions_through_a_pooler_leave_nothing_behind(database: &Database) {
    let dump = "SET search_path = '';\nSET lock_timeout = '7s';\nSET ROLE pg_monitor;\nRESET ROLE;\n\
                CREATE TEMP TABLE left_over (n int);\nLISTEN somebody;\nCREATE TABLE public.t (n int);";
    let scripts =
        [N, PLUS, ("3_dump", dump), ("4_plus", "UPDATE n SET n = n + 10;\nCREATE TABLE u (n int);")];
    for name in POOLERS {
        let (_pooler, url) = pooler(name, database).await;
        let project = Project::new(database, &scripts);
        nothing_is_left(database, name, &url).await;
        project.run_for(&url, &["deploy", "--dry-run"]).await.code(0).out("execute 4_plus 1/2");
        project.run_for(&url, &["deploy"]).await.code(0).out("Applied 3_dump").out("Applied 4_plus");
        project.run_for(&url, &["deploy"]).await.code(0).out("nothing to do");
        project.migration("5_bad", "SET lock_timeout = '9s';\nSELECT nothing;");
        project.run_for(&url, &["deploy"]).await.code(4).err("was rolled back");
        project.run_for(&url, &["unlock"]).await.code(0).out("nobody holds the lock");
        project.run_for(&url, &["doctor"]).await.code(8).out("goes through a pooler");
        assert_eq!(database.value("SELECT sum(n) FROM n").await, "11", "{name}");
        nothing_is_left(database, name, &url).await;
        std::fs::remove_file(project.path("migrations/5_bad.sql")).expect("a file");
        database.empty().await;
    }
}

/// Looks into every session that the pooler has, each held by a transaction. Before a deploy it makes the pooler open
/// them: each transaction is another one's from then on.
async fn nothing_is_left(database: &Database, pooler: &str, url: &str) {
    let mut sessions = Vec::new();
    for _ in 0..SESSIONS {
        let mut session = Raw::connect(database.target(), url).await;
        session.execute("BEGIN").await.expect("a transaction");
        let found = session
            .query(
                "SELECT current_setting('search_path'), current_setting('lock_timeout'), current_setting('role'), \
                 current_setting('bytea_output'), to_regclass('pg_temp.left_over'), \
                 (SELECT count(*) FROM pg_listening_channels()), pg_backend_pid()",
            )
            .await;
        sessions.push((session, found.concat()));
    }
    let mut numbers = std::collections::BTreeSet::new();
    for (_, found) in &sessions {
        let found: Vec<_> = found.iter().map(|value| value.as_deref().unwrap_or_default()).collect();
        assert_eq!(found[..6], ["\"$user\", public", "0", "none", "escape", "", "0"], "{pooler}");
        numbers.insert(found[6]);
    }
    assert_eq!(numbers.len(), SESSIONS, "{pooler}");
    nobody_holds_a_lock(database, pooler).await;
}

async fn nobody_holds_a_lock(database: &Database, pooler: &str) {
    let locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' \
                 AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    assert_eq!(database.value(locks).await, "0", "{pooler}");
}

/// By the calls of the library, on a connection that the application has opened.
async fn an_application_s_connection_through_a_pooler_is_left_as_it_is(database: &Database) {
    for name in POOLERS {
        let (_pooler, url) = pooler(name, database).await;
        nothing_is_left(database, name, &url).await;
        let connecting = tokio_postgres::connect(&url, tokio_postgres::NoTls).await;
        let (mut client, connection) = connecting.expect("a connection");
        tokio::spawn(connection);
        let set = migrations(&[N, PLUS, ("3_dump", "SET search_path = '';\nCREATE TABLE public.t (n int);")]);
        let report = windlass_postgres::deploy(&mut client, &set).await.expect("a deploy");
        assert_eq!(report.applied.len(), 3, "{name}");
        nothing_is_left(database, name, &url).await;
        assert_eq!(database.value("SELECT sum(n) FROM n").await, "1", "{name}");
        database.empty().await;
    }
}

async fn over_sqlx_a_session_that_is_older_than_the_connection_is_a_pooler_s(database: &Database) {
    for name in POOLERS {
        let (_pooler, url) = pooler(name, database).await;
        let mut before = Raw::connect(database.target(), &url).await;
        let age = "SELECT clock_timestamp() - backend_start > interval '5 s' FROM pg_stat_activity WHERE pid = pg_backend_pid()";
        let waiting = Waiting::for_this("the pooler's session is no longer new");
        while before.query(age).await.concat() != [Some("t".to_owned())] {
            waiting.pause().await;
        }
        let options: sqlx::postgres::PgConnectOptions = url.parse().expect("a URL");
        let pool = sqlx::postgres::PgPoolOptions::new().connect_lazy_with(options.extra_float_digits(None));
        let set = migrations(&[N, ("2_index", "CREATE INDEX CONCURRENTLY by_n ON n (n);")]);
        let mut session = windlass_postgres::Postgres::beside_pool(&pool).await.expect("a session");
        match windlass_postgres::deploy(&mut session, &set).await {
            Err(DeployError::Blocked(Blocked::NeedsSession { name, .. })) => assert_eq!(name, "2_index"),
            other => panic!("{name}: {other:?}"),
        }
        let one = migrations(&[N, PLUS]);
        windlass_postgres::deploy(&mut session, &one).await.expect("whole transactions");
        drop(session);
        nothing_is_left(database, name, &url).await;
        assert_eq!(database.value("SELECT sum(n) FROM n").await, "1", "{name}");
        // The server itself gives one that is new.
        let options: sqlx::postgres::PgConnectOptions = database.url().parse().expect("a URL");
        let pool = sqlx::postgres::PgPoolOptions::new().connect_lazy_with(options);
        let more = migrations(&[N, PLUS, ("3_index", "CREATE INDEX CONCURRENTLY by_n ON n (n);")]);
        windlass_postgres::deploy(&pool, &more).await.expect("a session of its own");
        database.empty().await;
    }
}

/// New sessions of the pooler's at that, which say nothing by their age; and whatever the application has set since.
async fn over_sqlx_a_session_without_what_the_client_asked_for_is_a_pooler_s(database: &Database) {
    let index = ("2_index", "CREATE INDEX CONCURRENTLY by_n ON n (n);");
    let (one, more) = (migrations(&[N, PLUS]), migrations(&[N, index]));
    let theirs = "SET TimeZone = 'Asia/Tokyo'; SET DateStyle = 'German'";
    for name in POOLERS {
        for application in ["SELECT 1", theirs] {
            let (_pooler, url) = pooler(name, database).await;
            let mut connection = over_sqlx(&url).await;
            sqlx::raw_sql(application).execute(&mut connection).await.expect("a setting");
            match windlass_postgres::deploy(&mut connection, &more).await {
                Err(DeployError::Blocked(Blocked::NeedsSession { name, .. })) => assert_eq!(name, "2_index"),
                other => panic!("{name}: {application}: {other:?}"),
            }
            windlass_postgres::deploy(&mut connection, &one).await.expect("whole transactions");
            assert_eq!(database.value("SELECT sum(n) FROM n").await, "1", "{name}");
            nobody_holds_a_lock(database, name).await;
            database.empty().await;
            let mut beside = sqlx::postgres::PgPoolOptions::new().connect_lazy_with(options(&url));
            let refused = windlass_postgres::deploy(&beside, &more).await;
            let told = matches!(&refused, Err(DeployError::Blocked(Blocked::NeedsSession { .. })));
            assert!(told, "{name}: {application}: {refused:?}");
            beside = sqlx::postgres::PgPoolOptions::new().connect_lazy_with(options(&database.url()));
            windlass_postgres::deploy(&beside, &more).await.expect("a session of its own");
            database.empty().await;
        }
    }
    // The server's own sessions, whatever the application has set, reset or thrown away, and whatever holds for all.
    let everybody = format!("ALTER DATABASE {} SET TimeZone = 'Asia/Tokyo'", database.name());
    database.sql(&everybody).await;
    for application in ["SELECT 1", theirs, "RESET ALL", "DISCARD ALL", "SET TimeZone = DEFAULT"] {
        let mut connection = over_sqlx(&database.url()).await;
        sqlx::raw_sql(application).execute(&mut connection).await.expect("a setting");
        let deployed = windlass_postgres::deploy(&mut connection, &more).await;
        deployed.unwrap_or_else(|error| panic!("{application}: {error:?}"));
        database.empty().await;
    }
}

async fn over_sqlx(url: &str) -> sqlx::PgConnection {
    use sqlx::ConnectOptions as _;
    options(url).connect().await.expect("a connection")
}

/// Poolers know no `extra_float_digits`.
fn options(url: &str) -> sqlx::postgres::PgConnectOptions {
    let options: sqlx::postgres::PgConnectOptions = url.parse().expect("a URL");
    options.extra_float_digits(None)
}

async fn racers_through_a_pooler_and_beside_it_run_everything_once(database: &Database) {
    const RACERS: usize = 16;
    for name in POOLERS {
        let (_pooler, url) = pooler(name, database).await;
        let project = Project::new(database, &[N]);
        let race = || {
            Racers::of(&project, RACERS, |racer| match racer % 4 {
                0 => project.command(&["deploy"]),
                _ => project.command_for(&url, &["deploy"]),
            })
        };
        let applied = race().end(&project).await.concat();
        assert_eq!(applied.matches("Applied 1_n").count(), 1, "{name}: {applied}");
        project.migration(PLUS.0, PLUS.1);
        project.migration("3_plus", "UPDATE n SET n = n + 10;");
        let gate = database.gate("n").await;
        let racers = race();
        racers.until_waiting(&project, RACERS - 1).await;
        drop(gate);
        let answers = racers.end(&project).await;
        let told = |part: &str| answers.iter().filter(|answer| answer.contains(part)).count();
        assert_eq!((told("Applied 2_plus"), told("Applied 3_plus")), (1, 1), "{name}: {answers:#?}");
        let waited = told("waited ");
        assert!(waited >= RACERS - 1, "{name}: {answers:#?}");
        assert_eq!(database.value("SELECT sum(n) FROM n").await, "11", "{name}");
        assert_eq!(database.value("SELECT count(*) FROM _windlass_migrations").await, "3", "{name}");
        for file in ["2_plus", "3_plus"] {
            std::fs::remove_file(project.path(&format!("migrations/{file}.sql"))).expect("a file");
        }
        database.empty().await;
    }
}

async fn what_is_more_than_one_transaction_is_refused_through_a_pooler_unless_allowed(database: &Database) {
    for name in POOLERS {
        let (_pooler, url) = pooler(name, database).await;
        let project = Project::new(database, &[N, ("2_index", "CREATE INDEX CONCURRENTLY by_n ON n (n);")]);
        let refused = project.run_for(&url, &["deploy"]).await.code(3);
        refused
            .err("a pooler stands before the database, and `2_index` needs")
            .err("--allow-pooler")
            .err("another port")
            .err("2_index.sql:1:1");
        let refused = project.run_for(&url, &["deploy", "--dry-run", "--json"]).await.code(3).json();
        assert_eq!(refused["error"]["kind"], "needs_session");
        assert!(database.tables().await.is_empty(), "{name}: nothing was run");
        let done = project.run_for(&url, &["deploy", "--allow-pooler"]).await.code(0);
        done.out("Applied 1_n").out("Applied 2_index");
        let valid = "SELECT count(*) FROM pg_index WHERE indexrelid = 'by_n'::regclass AND indisvalid";
        assert_eq!(database.value(valid).await, "1", "{name}");
        // Nothing is proven by the end of a session that is another client's next.
        let of_nobody = "SELECT count(*) FROM _windlass_migrations WHERE session IS NOT NULL";
        assert_eq!(database.value(of_nobody).await, "0", "{name}");
        nobody_holds_a_lock(database, name).await;
        project.run(&["deploy"]).await.code(0).out("nothing to do");
        database.empty().await;
    }
}

async fn what_a_killed_deployer_left_behind_a_pooler_keeps_nobody_out(database: &Database) {
    for name in POOLERS {
        let (_pooler, url) = pooler(name, database).await;
        let project = Project::new(database, &[N]);
        project.run_for(&url, &["deploy"]).await.code(0);
        project.migration(PLUS.0, PLUS.1);
        let gate = database.gate("n").await;
        let mut deploy = project.command_for(&url, &["deploy"]).spawn().expect("the binary runs");
        database.running("n + 1").await;
        let _ = deploy.kill();
        let _ = deploy.wait();
        let mut command = project.command(&["deploy"]);
        command.stderr(File::create(project.path("told")).expect("a file"));
        let next = command.spawn().expect("the binary runs");
        let waiting = Waiting::for_this("the next one waits, or has to");
        let told = || std::fs::read_to_string(project.path("told")).expect("a file");
        while !told().contains("Waiting for another") && !told().contains("Applying 2_plus") {
            waiting.pause().await;
        }
        drop(gate);
        project.ended(next).await.code(0).out("at 2_plus");
        assert_eq!(database.value("SELECT sum(n) FROM n").await, "1", "{name}");
        project.run_for(&url, &["deploy"]).await.code(0).out("nothing to do");
        std::fs::remove_file(project.path("migrations/2_plus.sql")).expect("a file");
        database.empty().await;
    }
}
