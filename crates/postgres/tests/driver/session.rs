//! The session: its settings, and its lock.

use crate::support::*;
use windlass_core::driver::{Cause, Driver as _, Failure, Lock};
use windlass_core::plan::{Record, Step};
use windlass_postgres::Postgres;

crate::on_servers!(
    settings_are_pinned_and_restored,
    the_history_is_written_whatever_a_migration_has_set,
    a_long_write_of_the_history_has_the_time_that_it_takes,
    a_migration_s_limit_of_its_transaction_is_none_of_the_history_s,
    names_are_written_whatever_encoding_a_migration_has_set,
    the_lock_tells_its_holder,
);

/// Reads in the driver's own session: a statement that raises what it found. A time-out that the session has set may
/// end it first, which tells nothing: then it looks again.
async fn seen(driver: &mut Postgres<'_>, expression: &str) -> String {
    const CANCELED: &str = "57014";
    let migration = migration();
    let sql = format!("DO $$ BEGIN RAISE EXCEPTION '%', {expression}; END $$");
    for _ in 0..1_000 {
        let failure = perform(driver, &[execute(&migration, &sql)]).await.unwrap_err();
        match failure.cause {
            windlass_core::driver::Cause::Refused(error) if error.code.as_deref() == Some(CANCELED) => {}
            windlass_core::driver::Cause::Refused(error) => return error.message,
            cause => panic!("{cause:?}"),
        }
    }
    panic!("{expression} is never read in time")
}

const SETTINGS: &str = "(SELECT string_agg(current_setting(s), '|') FROM unnest(ARRAY['search_path', 'client_encoding', \
                        'datestyle', 'intervalstyle', 'timezone', 'statement_timeout', 'lock_timeout', \
                        'standard_conforming_strings', 'transaction_isolation', 'role', \
                        'client_connection_check_interval', 'tcp_keepalives_idle', 'tcp_keepalives_interval', \
                        'tcp_keepalives_count', 'tcp_user_timeout']) s)";
const PINNED: &str =
    "\"$user\",public|UTF8|ISO, MDY|postgres|UTC|0|0|on|read committed|none|2s|60|10|6|120000";

async fn settings_are_pinned_and_restored(database: Database) {
    let name = &database.name;
    database
        .sql(&format!(
            "ALTER DATABASE {name} SET search_path = nowhere; ALTER DATABASE {name} SET timezone = 'Asia/Tokyo'; \
             ALTER DATABASE {name} SET statement_timeout = '1min'; ALTER DATABASE {name} SET datestyle = 'SQL, DMY'; \
             ALTER DATABASE {name} SET default_transaction_isolation = 'serializable'"
        ))
        .await;
    let mut driver = database.ready().await;
    assert_eq!(seen(&mut driver, SETTINGS).await, PINNED);
    assert_eq!(driver.try_lock().await.unwrap(), Lock::Acquired);
    let migration = migration();
    let statements = [
        "SELECT set_config('search_path', '', false)",
        "SET client_encoding = 'LATIN1'",
        "SET TimeZone = 'Europe/Berlin'",
        "SET IntervalStyle = 'iso_8601'",
        "SET lock_timeout = '1s'",
        "SET standard_conforming_strings = off",
        "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE",
        "SET ROLE pg_monitor",
        "SET application_name = 'other'",
        "BEGIN",
    ];
    let mut steps: Vec<_> = statements.iter().map(|sql| execute(&migration, sql)).collect();
    steps.insert(0, execute(&migration, "CREATE TEMP TABLE left_over (a int)"));
    perform(&mut driver, &steps).await.unwrap();
    assert_ne!(seen(&mut driver, SETTINGS).await, PINNED);
    perform(&mut driver, &[Step::RestoreSettings]).await.unwrap();
    assert_eq!(seen(&mut driver, SETTINGS).await, PINNED);
    assert_eq!(seen(&mut driver, "current_setting('application_name')").await, "windlass");
    assert_eq!(seen(&mut driver, "coalesce(to_regclass('left_over')::text, 'none')").await, "none");
    let mut other = database.connect().await;
    assert!(matches!(other.try_lock().await.unwrap(), Lock::Held(_)), "the lock outlives the settings");
    let given = options(&format!("{}?schema=My%20app&options=-c%20lock_timeout%3D7s", database.url()));
    let mut driver = Postgres::connect(&given).await.unwrap();
    assert_eq!(
        seen(&mut driver, "current_setting('search_path') || current_setting('lock_timeout')").await,
        "\"My app\"7s"
    );
}

/// Makes every end that the history is told of take two seconds.
async fn slow_down_the_history(database: &Database) {
    database
        .sql(
            "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS \
             'BEGIN PERFORM pg_sleep(2); RETURN NEW; END'; \
             CREATE TRIGGER slow BEFORE UPDATE ON _windlass_migrations FOR EACH ROW EXECUTE FUNCTION slow()",
        )
        .await;
}

async fn the_history_is_written_whatever_a_migration_has_set(database: Database) {
    let role = format!("{}_owner", database.name);
    database.sql(&format!("CREATE ROLE {role}; GRANT CREATE ON SCHEMA public TO {role}")).await;
    let mut driver = database.ready().await;
    slow_down_the_history(&database).await;
    let migration = migration();
    let set_role = format!("SET ROLE {role}");
    let statements = [
        // Long enough for what takes the limit away, on a busy machine too; too short for the write.
        "SET statement_timeout = '1s'",
        "SET search_path = ''",
        &set_role,
        "SET standard_conforming_strings = off",
    ];
    perform(&mut driver, &transaction(&migration, &statements)).await.unwrap();
    // Behind a cut the migration goes on with what it has set.
    assert_eq!(seen(&mut driver, "current_setting('role')").await, role);
    let steps = [claim("2_b"), execute(&migration, &set_role), record("2_b")];
    perform(&mut driver, &steps).await.unwrap();
    assert_eq!(seen(&mut driver, "current_setting('role')").await, role);
    perform(&mut driver, &[Step::RestoreSettings]).await.unwrap();
    drop(driver);
    database.sql(&format!("REVOKE ALL ON SCHEMA public FROM {role}; DROP ROLE {role}")).await;
}

/// What is read for longer than a statement may run is read all the same.
async fn a_long_write_of_the_history_has_the_time_that_it_takes(database: Database) {
    const TRIES: usize = 20;
    let mut driver = database.ready().await;
    let migration = migration();
    let names: Vec<String> = (0..20_000).map(|number| format!("{number}_m")).collect();
    let record = |name| Record { name, epoch: 1, completed: 2, digest: "d".repeat(64), decision: None };
    let steps = [
        Step::Begin,
        Step::Claim(names.iter().map(|name| one_claim(name)).collect()),
        execute(&migration, "SET LOCAL statement_timeout = '5ms'"),
        Step::Record(names.iter().map(|name| record(name)).collect()),
        Step::Commit,
    ];
    for number in 1.. {
        match perform(&mut driver, &steps).await {
            Ok(()) => break,
            // On a busy machine 5 ms may be too little to take the limit away: nothing stands, and it is tried again.
            Err(Failure { step: 3, cause: Cause::GaveWay(_) }) if number < TRIES => {}
            Err(failure) => panic!("{failure:?}"),
        }
    }
    let done = "SELECT count(*) FROM _windlass_migrations WHERE finished_at IS NOT NULL";
    assert_eq!(database.value(done).await, "20000");
}

async fn a_migration_s_limit_of_its_transaction_is_none_of_the_history_s(database: Database) {
    let mut driver = database.ready().await;
    let known = database.value("SELECT current_setting('transaction_timeout', true)").await;
    let limit = if known == "NULL" { "statement_timeout" } else { "transaction_timeout" };
    slow_down_the_history(&database).await;
    let migration = migration();
    let limit = format!("SET LOCAL {limit} = '1s'");
    perform(&mut driver, &transaction(&migration, &[&limit])).await.unwrap();
    assert_eq!(
        database.value("SELECT count(*) FROM _windlass_migrations WHERE finished_at IS NOT NULL").await,
        "1"
    );
}

async fn names_are_written_whatever_encoding_a_migration_has_set(database: Database) {
    let mut driver = database.ready().await;
    let migration = migration();
    let set = execute(&migration, "SET client_encoding = 'LATIN1'");
    let steps = [Step::Begin, claim("2_größe"), set, record("2_größe"), Step::Commit];
    perform(&mut driver, &steps).await.unwrap();
    // Behind a cut the migration goes on with what it has set.
    assert_eq!(seen(&mut driver, "current_setting('client_encoding')").await, "LATIN1");
    perform(&mut driver, &[Step::RestoreSettings]).await.unwrap();
    let set = execute(&migration, "SET client_encoding = 'LATIN1'");
    perform(&mut driver, &[claim("3_größe"), set, record("3_größe")]).await.unwrap();
    perform(&mut driver, &[Step::RestoreSettings]).await.unwrap();
    let names =
        "SELECT string_agg(name, ' ' ORDER BY id) FROM _windlass_migrations WHERE finished_at IS NOT NULL";
    assert_eq!(database.value(names).await, "2_größe 3_größe");
}

async fn the_lock_tells_its_holder(database: Database) {
    let (mut first, mut second) = (database.connect().await, database.connect().await);
    assert_eq!(first.try_lock().await.unwrap(), Lock::Acquired);
    assert_eq!(first.try_lock().await.unwrap(), Lock::Acquired);
    let Lock::Held(holder) = second.try_lock().await.unwrap() else { panic!("it is held") };
    assert!(holder.session.is_some() && holder.since.is_some(), "{holder:?}");
    assert_eq!(holder.who.as_deref(), Some("user postgres application windlass from 127.0.0.1"));
    first.unlock().await.unwrap();
    assert_eq!(second.try_lock().await.unwrap(), Lock::Acquired);
    drop(second);
    // Another history in the same database is another lock.
    let mut other = Postgres::connect(&options(&format!("{}?schema=app", database.url()))).await.unwrap();
    assert_eq!(other.try_lock().await.unwrap(), Lock::Acquired);
}
