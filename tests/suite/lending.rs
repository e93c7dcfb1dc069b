//! Lending: what an application's connection is in the middle of, over both clients of each database.

use harness::{Database, Family, deploy, migrations};
use mysql_async::prelude::Queryable as _;
use sqlx::Connection as _;
use std::error::Error;
use std::time::Duration;
use windlass_core::application::{self as call, DriverError, Migrations, Resolution, Verdict};

harness::scenarios!(
    natively [Postgres, MySql, MariaDb, Sqlite]: in_a_transaction_of_the_application_nothing_is_read_or_written;
    natively [Postgres, MySql, MariaDb, Sqlite]: an_older_release_is_told_that_it_is_one_whatever_others_changed;
    natively [Postgres]: what_an_application_knows_of_its_sequences_stays;
    natively [MySql, MariaDb]: whoever_has_autocommit_off_sees_what_is_so_now;
);

const SCRIPTS: [(&str, &str); 3] = [
    ("1_a", "CREATE TABLE a (n int);"),
    ("2_b", "CREATE TABLE b (n int);\nINSERT INTO b VALUES (1);"),
    ("3_c", "CREATE TABLE c (n int);"),
];

/// What the application itself does on its connection.
trait Application {
    async fn runs(&mut self, sql: &'static str);
}

impl Application for tokio_postgres::Client {
    async fn runs(&mut self, sql: &'static str) {
        self.batch_execute(sql).await.expect(sql);
    }
}

impl Application for mysql_async::Conn {
    async fn runs(&mut self, sql: &'static str) {
        self.query_drop(sql).await.expect(sql);
    }
}

impl Application for rusqlite::Connection {
    async fn runs(&mut self, sql: &'static str) {
        self.execute_batch(sql).expect(sql);
    }
}

impl Application for sqlx::PgConnection {
    async fn runs(&mut self, sql: &'static str) {
        sqlx::raw_sql(sql).execute(self).await.expect(sql);
    }
}

impl Application for sqlx::MySqlConnection {
    async fn runs(&mut self, sql: &'static str) {
        sqlx::raw_sql(sql).execute(self).await.expect(sql);
    }
}

impl Application for sqlx::SqliteConnection {
    async fn runs(&mut self, sql: &'static str) {
        sqlx::raw_sql(sql).execute(self).await.expect(sql);
    }
}

async fn native_postgres(database: &Database) -> tokio_postgres::Client {
    let connecting = tokio_postgres::connect(&database.url(), tokio_postgres::NoTls).await;
    let (client, connection) = connecting.expect("a connection");
    tokio::spawn(connection);
    client
}

async fn native_mysql(database: &Database) -> mysql_async::Conn {
    mysql_async::Conn::from_url(database.url()).await.expect("a connection")
}

async fn mysql_over_sqlx(database: &Database) -> sqlx::MySqlConnection {
    sqlx::MySqlConnection::connect(&database.url()).await.expect("a connection")
}

/// Asks each call on a connection in the middle of a transaction, which each has to say.
macro_rules! all_are_refused {
    ($connection:expr, $migrations:expr) => {{
        let (connection, set): (_, &Migrations) = (&mut *$connection, &$migrations);
        let now = Duration::ZERO;
        says_so("deploy", call::deploy(&mut *connection, set).await);
        says_so("verify", call::verify(&mut *connection, set).await);
        says_so("wait", call::wait_until_current(&mut *connection, set, now).await);
        says_so("status", call::status(&mut *connection, set).await);
        says_so("plan", call::plan(&mut *connection, set).await);
        says_so("history", call::history(&mut *connection).await);
        says_so("drift", call::drift(&mut *connection, set, &[]).await);
        says_so("doctor", call::doctor(&mut *connection, set).await);
        says_so("lock_holder", call::lock_holder(&mut *connection).await);
        says_so("baseline", call::baseline(&mut *connection, set, "1_a").await);
        let resolved = call::resolve(&mut *connection, set, Resolution::Applied, "1_a", "seen").await;
        says_so("resolve", resolved);
    }};
}

#[track_caller]
fn says_so<T: std::fmt::Debug, E: Error + 'static>(what: &str, answer: Result<T, E>) {
    let error = answer.expect_err(what);
    let mut cause: Option<&(dyn Error + 'static)> = Some(&error);
    while let Some(next) = cause {
        if matches!(next.downcast_ref(), Some(DriverError::InTransaction)) {
            return;
        }
        cause = next.source();
    }
    panic!("{what}: {error:?}")
}

/// Before there is a history, and behind it: the application's own row is committed with its transaction.
macro_rules! nothing_is_read_or_written {
    ($database:expr, $connection:expr, $begins:expr) => {{
        $database.empty().await;
        let (mut connection, begins): (_, &[&'static str]) = ($connection, $begins);
        connection.runs("CREATE TABLE theirs (n int)").await;
        for deployed in [0, 2] {
            if deployed > 0 {
                let mut options = harness::options();
                options.plan.allow_non_empty = true;
                let set = migrations(&SCRIPTS[..deployed]);
                harness::deploy_with(&mut *$database.connect().await, &set, &options)
                    .await
                    .expect("a deploy");
            }
            for begins in begins {
                connection.runs(begins).await;
                connection.runs("INSERT INTO theirs VALUES (1)").await;
                all_are_refused!(&mut connection, migrations(&SCRIPTS[..2]));
                all_are_refused!(&mut connection, migrations(&SCRIPTS));
                connection.runs("COMMIT").await;
            }
        }
        let written = $database.value("SELECT count(*) FROM theirs").await;
        assert_eq!(written, (2 * begins.len()).to_string(), "what the application wrote is there");
        call::deploy(&mut connection, &migrations(&SCRIPTS)).await.expect("outside of it");
    }};
}

async fn in_a_transaction_of_the_application_nothing_is_read_or_written(database: &Database) {
    let url = database.url();
    match database.target().family {
        Family::Postgres => {
            let begins = &["BEGIN", "BEGIN ISOLATION LEVEL REPEATABLE READ"];
            nothing_is_read_or_written!(database, native_postgres(database).await, begins);
            let over_sqlx = async || sqlx::PgConnection::connect(&url).await.expect("a connection");
            nothing_is_read_or_written!(database, over_sqlx().await, begins);
            // One that has failed answers nothing.
            let mut client = native_postgres(database).await;
            client.runs("BEGIN").await;
            client.batch_execute("SELECT 1 / 0").await.expect_err("a failed transaction");
            all_are_refused!(&mut client, migrations(&SCRIPTS));
        }
        Family::Sqlite => {
            let path = url.trim_start_matches("sqlite:");
            let begins = &["BEGIN", "BEGIN IMMEDIATE"];
            let native = || rusqlite::Connection::open(path).expect("a connection");
            nothing_is_read_or_written!(database, native(), begins);
            let url = format!("{url}?mode=rwc");
            let over_sqlx = async || sqlx::SqliteConnection::connect(&url).await.expect("a connection");
            nothing_is_read_or_written!(database, over_sqlx().await, begins);
        }
        _ => {
            let begins = &["START TRANSACTION", "SET autocommit = 0", "XA START 'theirs'"];
            nothing_is_read_or_written!(database, native_mysql(database).await, &begins[..2]);
            nothing_is_read_or_written!(database, mysql_over_sqlx(database).await, &begins[..2]);
            let mut conn = native_mysql(database).await;
            conn.runs(begins[2]).await;
            all_are_refused!(&mut conn, migrations(&SCRIPTS));
            conn.runs("XA END 'theirs'").await;
            conn.runs("XA ROLLBACK 'theirs'").await;
        }
    }
}

macro_rules! older_is_told {
    ($connection:expr) => {{
        let mut connection = $connection;
        let verdict = call::verify(&mut connection, &migrations(&SCRIPTS)).await.expect("a verdict");
        assert!(matches!(verdict, Verdict::Drifted(_)), "{verdict:?}");
        let verdict = call::verify(&mut connection, &migrations(&SCRIPTS[..2])).await.expect("a verdict");
        assert_eq!(verdict, Verdict::Ahead { names: vec!["3_c".to_owned()] });
    }};
}

/// Some programs must not run then, and drift is the next release's to tell.
async fn an_older_release_is_told_that_it_is_one_whatever_others_changed(database: &Database) {
    deploy(&mut *database.connect().await, &migrations(&SCRIPTS)).await.expect("a deploy");
    database.sql("CREATE TABLE by_hand (n int)").await;
    match database.target().family {
        Family::Postgres => older_is_told!(native_postgres(database).await),
        Family::Sqlite => {
            let url = database.url();
            let path = url.trim_start_matches("sqlite:");
            older_is_told!(rusqlite::Connection::open(path).expect("a connection"));
        }
        _ => older_is_told!(native_mysql(database).await),
    }
}

/// Unless a script asks for the value that any sequence gave last: then it is none of the application's either.
async fn what_an_application_knows_of_its_sequences_stays(database: &Database) {
    let mut client = native_postgres(database).await;
    client.runs("CREATE SEQUENCE theirs").await;
    client.runs("SELECT nextval('theirs')").await;
    let scripts =
        [SCRIPTS[0], ("2_last", "INSERT INTO a SELECT 1 WHERE false;\nINSERT INTO a SELECT lastval();")];
    let (plain, asking) = (migrations(&scripts[..1]), migrations(&scripts));
    call::Deploy::new(&plain).allow_non_empty(true).run(&mut client).await.expect("a deploy");
    client.runs("SELECT currval('theirs')").await;
    let refused = call::deploy(&mut client, &asking).await.expect_err("no sequence gave a value");
    let told = matches!(&refused, call::DeployError::Statement(failed) if failed.error.code.as_deref() == Some("55000"));
    assert!(told, "{refused:?}");
}

/// What reads begins a transaction there, which sees what was there when it began. Over one that is never ended nothing
/// would ever change, and the next call would meet it as the application's own.
macro_rules! what_is_so_now_is_seen {
    ($database:expr, $connection:expr) => {{
        let set = migrations(&SCRIPTS);
        // Ending a transaction would begin the next one, or end the session.
        for completion in ["SET completion_type = 'CHAIN'", "SET completion_type = 'RELEASE'"] {
            $database.empty().await;
            let mut connection = $connection;
            connection.runs("SET autocommit = 0").await;
            connection.runs(completion).await;
            let behind = |names: &[&str]| Verdict::Behind {
                pending: names.iter().map(|name| (*name).to_owned()).collect(),
            };
            let verdict = call::verify(&mut connection, &set).await.expect("a verdict");
            assert_eq!(verdict, behind(&["1_a", "2_b", "3_c"]));
            for deployed in [1, 2] {
                let set = migrations(&SCRIPTS[..deployed]);
                deploy(&mut *$database.connect().await, &set).await.expect("a deploy");
                let verdict = call::verify(&mut connection, &set).await.expect("a verdict");
                assert_eq!(verdict, Verdict::Current, "{completion}");
            }
            let verdict = call::verify(&mut connection, &set).await.expect("a verdict");
            assert_eq!(verdict, behind(&["3_c"]), "{completion}");
            assert_eq!(call::status(&mut connection, &set).await.expect("a status").len(), 3);
            let report = call::deploy(&mut connection, &set).await.expect("a deploy");
            assert_eq!(report.applied.len(), 1, "{completion}");
            call::wait_until_current(&mut connection, &set, Duration::ZERO).await.expect("current");
            $database.sql("CREATE TABLE by_hand (n int)").await;
            let verdict = call::verify(&mut connection, &set).await.expect("a verdict");
            assert!(matches!(verdict, Verdict::Drifted(_)), "{completion}: {verdict:?}");
            // It is refused within one.
            connection.runs("SET TRANSACTION READ WRITE").await;
            connection.runs("INSERT INTO b VALUES (2)").await;
            connection.runs("ROLLBACK AND NO CHAIN NO RELEASE").await;
            let rows = $database.value("SELECT count(*) FROM b").await;
            assert_eq!(rows, "1", "{completion}: autocommit is off as it was");
        }
    }};
}

async fn whoever_has_autocommit_off_sees_what_is_so_now(database: &Database) {
    what_is_so_now_is_seen!(database, native_mysql(database).await);
    what_is_so_now_is_seen!(database, mysql_over_sqlx(database).await);
}
