//! Inspecting: contents, access, and a history that cannot be used.

use crate::support::*;
use windlass_core::driver::{Access, Contents, Driver as _, DriverError, Grouping};
use windlass_core::plan::Step;
use windlass_postgres::Postgres;

crate::on_servers!(
    contents_are_a_users_objects,
    only_the_schema_asked_for_counts,
    a_database_that_cannot_be_written_to_says_why,
    a_history_in_another_schema_is_ambiguous_unless_a_place_was_named,
    a_history_that_cannot_be_read_is_told,
    the_lock_table_limits_groups,
);

async fn contents_are_a_users_objects(database: Database) {
    let mut driver = database.ready().await;
    assert_eq!(driver.inspect().await.unwrap().contents, Contents::Empty, "the history is not contents");
    database.sql("CREATE TEMP TABLE gone (a int); CREATE SCHEMA empty").await;
    assert_eq!(driver.inspect().await.unwrap().contents, Contents::Empty);
    database.sql("CREATE TYPE mood AS ENUM ('a'); CREATE TABLE t (a serial PRIMARY KEY); CREATE FUNCTION empty.f() RETURNS int LANGUAGE sql AS 'SELECT 1'").await;
    let names = ["empty.f", "public.mood", "public.t"].map(str::to_owned).to_vec();
    assert_eq!(driver.inspect().await.unwrap().contents, Contents::Holds(names));
    database.sql("CREATE VIEW v AS SELECT 1 AS a; CREATE SEQUENCE s; CREATE DOMAIN d AS int").await;
    let Contents::Holds(names) = driver.inspect().await.unwrap().contents else {
        panic!("it holds something")
    };
    assert_eq!(names, ["empty.f", "public.d", "public.mood", "public.s", "public.t"]);
}

async fn only_the_schema_asked_for_counts(database: Database) {
    database.sql("CREATE TABLE other (a int); CREATE SCHEMA app").await;
    let mut driver = Postgres::connect(&options(&format!("{}?schema=app", database.url()))).await.unwrap();
    assert_eq!(driver.inspect().await.unwrap().contents, Contents::Empty);
    let migration = migration();
    perform(&mut driver, &[execute(&migration, "CREATE TABLE t (a int)")]).await.unwrap();
    assert_eq!(driver.inspect().await.unwrap().contents, Contents::Holds(vec!["app.t".to_owned()]));
}

async fn a_database_that_cannot_be_written_to_says_why(database: Database) {
    let why = |access| match access {
        Access::ReadOnly(why) => why,
        access => panic!("{access:?}"),
    };
    database.ready().await;
    database.sql(&format!("ALTER DATABASE {} SET default_transaction_read_only = on", database.name)).await;
    let mut driver = database.connect().await;
    assert!(why(driver.inspect().await.unwrap().access).contains("default_transaction_read_only"));
    let raw = database.raw().await;
    raw.batch_execute("SET default_transaction_read_only = off").await.unwrap();
    let reset = format!("ALTER DATABASE {} RESET default_transaction_read_only", database.name);
    raw.batch_execute(&reset).await.unwrap();
    assert_eq!(database.connect().await.inspect().await.unwrap().access, Access::Writable);
    let role = format!("{}_reader", database.name);
    database.sql(&format!("CREATE ROLE {role} LOGIN PASSWORD 'x'; GRANT SELECT ON _windlass_migrations TO {role}; REVOKE CREATE ON SCHEMA public FROM public")).await;
    let url = database.url();
    let (_, rest) = url.split_once('@').unwrap();
    let url = format!("postgres://{role}:x@{rest}");
    let access = Postgres::connect(&options(&url)).await.unwrap().inspect().await.unwrap().access;
    assert!(why(access).contains("no right to write to \"public\".\"_windlass_migrations\""));
    database.sql("DROP TABLE _windlass_migrations").await;
    let access = Postgres::connect(&options(&url)).await.unwrap().inspect().await.unwrap().access;
    assert!(why(access).contains("create tables in schema public"));
    let access = Postgres::connect(&options(&format!("{url}?schema=nowhere")))
        .await
        .unwrap()
        .inspect()
        .await
        .unwrap()
        .access;
    assert!(why(access).contains("create a schema"));
    database.sql(&format!("DROP ROLE {role}")).await;
}

async fn a_history_in_another_schema_is_ambiguous_unless_a_place_was_named(database: Database) {
    let app = format!("{}?schema=app", database.url());
    let mut driver = Postgres::connect(&options(&app)).await.unwrap();
    perform(&mut driver, &[Step::CreateHistory]).await.unwrap();
    let error = database.connect().await.inspect().await.unwrap_err();
    assert!(
        matches!(&error, DriverError::Ambiguous(places) if places.iter().any(|place| place == "app._windlass_migrations")),
        "{error:?}"
    );
    assert!(driver.inspect().await.unwrap().history.exists);
    let named = database.options().history_table("_windlass_migrations");
    assert!(!Postgres::connect(&named).await.unwrap().inspect().await.unwrap().history.exists);
    let other = options(&format!("{}?schema=other", database.url()));
    assert!(!Postgres::connect(&other).await.unwrap().inspect().await.unwrap().history.exists);
}

async fn a_history_that_cannot_be_read_is_told(database: Database) {
    let mut driver = database.ready().await;
    perform(&mut driver, &[claim("1_a")]).await.unwrap();
    let told = |error: DriverError| match error {
        DriverError::History(told) => told,
        error => panic!("{error:?}"),
    };
    database.sql("UPDATE _windlass_migrations SET format = 2").await;
    assert!(told(driver.inspect().await.unwrap_err()).contains("format 2"));
    database.sql("UPDATE _windlass_migrations SET format = 1, kind = 'other'").await;
    assert!(told(driver.inspect().await.unwrap_err()).contains("row 1: `other` is no kind"));
    database.sql("DROP TABLE _windlass_migrations; CREATE TABLE _windlass_migrations (id int)").await;
    told(driver.inspect().await.unwrap_err());
    told(driver.head().await.unwrap_err());
}

async fn the_lock_table_limits_groups(database: Database) {
    let mut driver = database.connect().await;
    assert_eq!(driver.capabilities().grouping, Grouping::UpTo(500));
    driver.inspect().await.unwrap();
    let slots: usize = database
        .value("SELECT current_setting('max_locks_per_transaction')::int * current_setting('max_connections')::int")
        .await
        .parse()
        .unwrap();
    assert_eq!(driver.capabilities().grouping, Grouping::UpTo((slots / 8).clamp(1, 10_000)));
}
