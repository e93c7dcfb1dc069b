//! An application's connection: what it had set comes back, and a future may be dropped at any moment.

use crate::on_servers;
use crate::support::{Database, until, value};
use std::collections::BTreeSet;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio_postgres::{Client, SimpleQueryMessage};
use windlass_postgres::{
    Deploy, DeployError, DriverError, Event, Migrations, Options, Postgres, Proof, Resolution,
    ResolveFailure, Verdict, WaitError, baseline_checked, deploy, diagnose_with_shadow, resolve_checked,
    verify, wait_until_current,
};

on_servers!(
    a_borrowed_connection_comes_back_as_it_was,
    what_a_migration_leaves_is_taken_away_and_the_rest_stays,
    a_transaction_of_the_application_is_left_alone,
    a_future_may_be_dropped_at_every_await,
    a_session_of_its_own_may_be_dropped_at_every_await,
    a_session_whose_future_was_dropped_goes_on_or_says_that_it_cannot,
    a_session_that_is_dropped_stops_what_runs,
    a_verdict_is_one_answer,
    a_decision_is_held_against_a_replay,
    replicas_wait_until_another_has_deployed,
    futures_can_be_sent,
    a_pool_of_one_connection_is_enough,
);

/// Settings, and whether they were set in the session; cursors, locks, listeners, temporary tables, statements.
const SEEN: &str = "SELECT concat_ws('=', name, setting, source = 'session') AS it FROM pg_settings \
    WHERE name NOT LIKE 'transaction\\_%' AND name NOT LIKE 'plpgsql.%' \
    UNION ALL SELECT current_setting('role') UNION ALL SELECT current_setting('app.tenant', true) \
    UNION ALL SELECT name FROM pg_cursors WHERE is_holdable \
    UNION ALL SELECT name FROM pg_prepared_statements \
    UNION ALL SELECT pg_listening_channels() \
    UNION ALL SELECT objid::text FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid() \
    UNION ALL SELECT proname FROM pg_proc WHERE pronamespace = pg_my_temp_schema() \
    UNION ALL SELECT typname FROM pg_type WHERE typnamespace = pg_my_temp_schema() \
    UNION ALL SELECT relname FROM pg_class WHERE relpersistence = 't'";

async fn seen(client: &Client) -> BTreeSet<String> {
    let messages = client.simple_query(SEEN).await.unwrap();
    let row = |message| match message {
        SimpleQueryMessage::Row(row) => Some(row.get(0).unwrap_or("NULL").to_owned()),
        _ => None,
    };
    messages.into_iter().filter_map(row).collect()
}

#[track_caller]
fn same(now: &BTreeSet<String>, before: &BTreeSet<String>, when: &str) {
    let difference: Vec<_> = now.symmetric_difference(before).collect();
    assert!(difference.is_empty(), "{when}: {difference:?}");
}

const APPLICATION: &str = "SET search_path = nowhere, public; SET TimeZone = 'Asia/Tokyo'; SET work_mem = '7MB'; \
    SET statement_timeout = '90s'; SELECT set_config('app.tenant', '7', false); LISTEN news; \
    CREATE TEMP TABLE mine (id int); SELECT pg_advisory_lock(7); PREPARE ready AS SELECT 1; \
    BEGIN; DECLARE held CURSOR WITH HOLD FOR SELECT 1; COMMIT;";

pub(crate) fn migrations() -> Migrations {
    let scripts = [
        (
            "1_ships.sql",
            "CREATE TABLE ships (id int PRIMARY KEY, name text); INSERT INTO ships VALUES (1, 'Anna');",
        ),
        ("2_index.sql", "SET work_mem = '9MB'; CREATE INDEX CONCURRENTLY ships_name ON ships (name);"),
        (
            "3_more.sql",
            "SET TimeZone = 'Europe/Berlin'; INSERT INTO ships VALUES (2, 'Berta'); SET bytea_output = 'escape';",
        ),
    ];
    Migrations::from_scripts(scripts).unwrap()
}

/// Leaves all that a session can hold besides settings, under names that the application does not use.
const LEAVES: &str = "CREATE TEMP TABLE left_table (id int); CREATE TEMP VIEW left_view AS SELECT * FROM left_table; \
    CREATE TEMP SEQUENCE left_sequence; CREATE FUNCTION pg_temp.left_function() RETURNS int LANGUAGE sql AS 'SELECT 1'; \
    CREATE TYPE pg_temp.left_type AS ENUM ('a'); PREPARE left_statement AS SELECT 1; LISTEN left_channel; \
    DECLARE left_cursor CURSOR WITH HOLD FOR SELECT 1; SELECT pg_advisory_lock(8), pg_advisory_lock(-9, 9), \
    pg_advisory_lock_shared(10);";

async fn what_a_migration_leaves_is_taken_away_and_the_rest_stays(database: Database) {
    let mut client = database.raw().await;
    client.batch_execute(APPLICATION).await.unwrap();
    client.batch_execute("SELECT pg_advisory_lock(-1, 7); CREATE FUNCTION pg_temp.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'").await.unwrap();
    let before = seen(&client).await;
    let looks = "CREATE TABLE found AS SELECT * FROM (SELECT relname FROM pg_class WHERE relname LIKE 'left%' \
        UNION ALL SELECT name FROM pg_prepared_statements WHERE name LIKE 'left%') AS l;";
    let scripts = [("1_leaves.sql", LEAVES), ("2_looks.sql", looks)];
    let set = Migrations::from_scripts(scripts).unwrap();
    Deploy::new(&set).allow_non_empty(true).run(&mut client).await.unwrap();
    same(&seen(&client).await, &before, "deployed");
    assert_eq!(
        value(&client, "SELECT count(*) FROM public.found").await,
        "0",
        "nor did it reach the next migration"
    );

    // Also where the migration that left it is refused.
    let refused = format!("-- windlass: no-transaction\n{LEAVES} SELECT 1 / 0;");
    let scripts = scripts.map(|(name, sql)| (name, sql.to_owned())).into_iter();
    let refused = Migrations::from_scripts(scripts.chain([("3_refused.sql", refused)])).unwrap();
    let error = deploy(&mut client, &refused).await.unwrap_err();
    assert!(matches!(error, DeployError::Statement(_)), "{error:?}");
    same(&seen(&client).await, &before, "refused");
    client.batch_execute("EXECUTE ready; SELECT pg_temp.mine()").await.unwrap();
}

async fn a_borrowed_connection_comes_back_as_it_was(database: Database) {
    let mut client = database.raw().await;
    client.batch_execute(APPLICATION).await.unwrap();
    let before = seen(&client).await;

    let report = Deploy::new(&migrations()).allow_non_empty(true).run(&mut client).await.unwrap();
    assert_eq!(report.applied.len(), 3);
    same(&seen(&client).await, &before, "deployed");
    assert_eq!(value(&client, "SELECT count(*) FROM public.ships").await, "2");
    let again = deploy(&mut client, &migrations()).await.unwrap();
    assert!(again.applied.is_empty());
    same(&seen(&client).await, &before, "deployed");

    let broken = Migrations::from_scripts([("1_x.sql", "SET work_mem = '8MB'; SELECT 1 / 0;")]).unwrap();
    let other = Postgres::borrow(&mut client).schema("other");
    let error = deploy(&mut { other }, &broken).await.unwrap_err();
    assert!(matches!(error, DeployError::Statement(_)), "{error:?}");
    same(&seen(&client).await, &before, "deployed");
    client.query_one("EXECUTE ready", &[]).await.unwrap();
}

async fn a_transaction_of_the_application_is_left_alone(database: Database) {
    let mut client = database.raw().await;
    client
        .batch_execute("CREATE TABLE public.theirs (id int); BEGIN; INSERT INTO theirs VALUES (1)")
        .await
        .unwrap();
    let migrations = migrations();
    let deploying = Deploy::new(&migrations).allow_non_empty(true);
    let error = deploying.run(&mut client).await.unwrap_err();
    assert!(matches!(&error, DeployError::Driver(DriverError::InTransaction)), "{error:?}");
    client.batch_execute("COMMIT").await.unwrap();
    assert_eq!(database.value("SELECT count(*) FROM theirs").await, "1", "it could go on");

    client.batch_execute("BEGIN").await.unwrap();
    client.batch_execute("SELECT 1 / 0").await.unwrap_err();
    let aborted = deploy(&mut client, &migrations).await.unwrap_err();
    assert!(matches!(&aborted, DeployError::Driver(DriverError::InTransaction)), "{aborted:?}");
    client.batch_execute("ROLLBACK").await.unwrap();
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

async fn a_future_may_be_dropped_at_every_await(database: Database) {
    let mut client = database.raw().await;
    client.batch_execute(APPLICATION).await.unwrap();
    let before = seen(&client).await;
    let migrations = migrations();
    for polls in 0.. {
        let schema = format!("after_{polls}");
        let mut postgres = Postgres::borrow(&mut client).schema(&schema);
        let future = Some(Box::pin(deploy(&mut postgres, &migrations)));
        let ended = Dropped { future, polls }.await;
        drop(postgres);
        same(&seen(&client).await, &before, &format!("dropped after {polls} polls"));
        if let Some(result) = ended {
            assert_eq!(result.unwrap().applied.len(), 3);
            assert!(polls > 10, "the future was hardly ever dropped");
            break;
        }
        is_brought_to_its_end(&database, &mut client, &schema, &migrations).await;
        same(&seen(&client).await, &before, &format!("deployed again after {polls} polls"));
    }
}

async fn own(database: &Database, schema: &str) -> Postgres<'static> {
    let options = Options::parse(&format!("{}?schema={schema}", database.url())).unwrap();
    Postgres::connect(&options).await.unwrap()
}

async fn a_session_of_its_own_may_be_dropped_at_every_await(database: Database) {
    let migrations = migrations();
    for polls in 0.. {
        let schema = format!("after_{polls}");
        let future = async { deploy(&mut own(&database, &schema).await, &migrations).await };
        let ended = Dropped { future: Some(Box::pin(future)), polls }.await;
        if let Some(result) = ended {
            assert_eq!(result.unwrap().applied.len(), 3);
            assert!(polls > 10, "the future was hardly ever dropped");
            break;
        }
        is_brought_to_its_end(&database, &mut database.raw().await, &schema, &migrations).await;
    }
}

async fn a_session_whose_future_was_dropped_goes_on_or_says_that_it_cannot(database: Database) {
    // Between two runs it waits, holds the lock, and is in the middle of no answer.
    let paused = "-- windlass: repeat pause 10ms\n\
        UPDATE ships SET name = lower(name) WHERE id = (SELECT min(id) FROM ships WHERE name <> lower(name));";
    let scripts =
        migrations().iter().map(|m| (m.name().to_owned(), m.up().text().to_owned())).collect::<Vec<_>>();
    let scripts = scripts.into_iter().chain([("4_lower".to_owned(), paused.to_owned())]);
    let migrations = Migrations::from_scripts(scripts).unwrap();
    let (mut refused, mut gone_on) = (0, 0);
    for polls in 0.. {
        let schema = format!("after_{polls}");
        let mut session = own(&database, &schema).await;
        let ended = Dropped { future: Some(Box::pin(deploy(&mut session, &migrations))), polls }.await;
        if let Some(result) = ended {
            assert_eq!(result.unwrap().applied.len(), 4);
            // How often depends on how fast the server answers; an answer and a pause are waited for at least once.
            assert!(refused > 0 && gone_on > 0, "{refused} refused, {gone_on} gone on");
            break;
        }
        match deploy(&mut session, &migrations).await {
            Ok(_) => gone_on += 1,
            Err(DeployError::Driver(DriverError::Lost(words))) => {
                assert!(words.ends_with("open another session"), "{words}");
                refused += 1;
            }
            Err(error) => panic!("{schema}: {error:?}"),
        }
        drop(session);
        is_brought_to_its_end(&database, &mut database.raw().await, &schema, &migrations).await;
    }
}

async fn a_session_that_is_dropped_stops_what_runs(database: Database) {
    // In one message each, which are all on their way at once: none of them may run on.
    let sleeps = "CREATE TABLE a (id int);\nSELECT pg_sleep(600);\nSELECT pg_sleep(601);\n";
    for script in [sleeps.to_owned(), format!("-- windlass: no-transaction\n{sleeps}")] {
        let set = Migrations::from_scripts([("1_a.sql", script)]).unwrap();
        let theirs = database.clone();
        let deploying = tokio::spawn(async move { deploy(&mut own(&theirs, "public").await, &set).await });
        let sleeping =
            "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%' AND state = 'active'";
        until(&database, sleeping, "1").await;
        deploying.abort();
        assert!(deploying.await.unwrap_err().is_cancelled());
        until(&database, sleeping, "0").await;
        until(&database, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'", "0").await;
    }
}

/// Another session goes on where the dropped future left off, although the first one lives on.
async fn is_brought_to_its_end(
    database: &Database,
    client: &mut Client,
    schema: &str,
    migrations: &Migrations,
) {
    let mut other = database.raw().await;
    let mut postgres = Postgres::borrow(&mut other).schema(schema);
    deploy(&mut postgres, migrations).await.unwrap_or_else(|error| panic!("{schema}: {error:?}"));
    drop(postgres);
    let mut again = Postgres::borrow(client).schema(schema);
    assert_eq!(verify(&mut again, migrations).await.unwrap(), Verdict::Current);
    drop(again);
    let rows = database.value(&format!("SELECT count(*) || '/' || max(id) FROM {schema}.ships")).await;
    assert_eq!(rows, "2/2", "{schema}");
    let index = format!("SELECT indisvalid FROM pg_index WHERE indexrelid = '{schema}.ships_name'::regclass");
    assert_eq!(database.value(&index).await, "t");
}

async fn a_verdict_is_one_answer(database: Database) {
    let mut client = database.raw().await;
    let all = migrations();
    let names = ["1_ships".to_owned(), "2_index".to_owned(), "3_more".to_owned()];
    let verdict = verify(&mut client, &all).await.unwrap();
    assert_eq!(verdict, Verdict::Behind { pending: names.to_vec() });
    Deploy::new(&all).target("1").run(&mut client).await.unwrap();
    assert_eq!(verify(&mut client, &all).await.unwrap(), Verdict::Behind { pending: names[1..].to_vec() });
    deploy(&mut client, &all).await.unwrap();
    assert_eq!(verify(&mut client, &all).await.unwrap(), Verdict::Current);
    client.batch_execute("CREATE INDEX by_hand ON ships (id)").await.unwrap();
    let verdict = verify(&mut client, &all).await.unwrap();
    assert!(matches!(&verdict, Verdict::Drifted(drift) if drift.differences.len() == 1), "{verdict:?}");
    assert!(verdict.may_run());
    client.batch_execute("DROP INDEX by_hand").await.unwrap();

    let older =
        Migrations::from_scripts(all.iter().take(2).map(|m| (m.name().to_owned(), m.up().text().to_owned())));
    let older = older.unwrap();
    assert_eq!(verify(&mut client, &older).await.unwrap(), Verdict::Ahead { names: names[2..].to_vec() });
    let edited = all.iter().map(|m| (m.name().to_owned(), format!("{} SELECT 7;", m.up().text())));
    let edited = Migrations::from_scripts(edited).unwrap();
    assert_eq!(verify(&mut client, &edited).await.unwrap(), Verdict::Different { names: names.to_vec() });
    let waited = wait_until_current(&mut client, &edited, Duration::from_secs(60)).await;
    assert!(matches!(waited, Err(WaitError::Hopeless { .. })));
}

/// The application makes the empty databases, and drops them.
async fn a_decision_is_held_against_a_replay(database: Database) {
    let shadow = database.options().with_database(format!("{}_shadow", database.name));
    let empty = async || {
        Postgres::drop_database(&shadow).await.unwrap();
        Postgres::create_database(&shadow).await.unwrap();
        Postgres::connect(&shadow).await.unwrap()
    };
    let all = migrations();
    let mut client = database.raw().await;
    client.batch_execute(APPLICATION).await.unwrap();
    client.batch_execute("RESET search_path").await.unwrap();
    let before = seen(&client).await;
    client.batch_execute("CREATE TABLE ships (id int PRIMARY KEY, name varchar(9))").await.unwrap();
    let refused = baseline_checked(&mut client, &mut empty().await, &all, "1").await.unwrap_err();
    assert!(matches!(&refused, ResolveFailure::DiffersFromBaseline { .. }), "{refused:?}");
    client.batch_execute("ALTER TABLE ships ALTER name TYPE text").await.unwrap();
    let recorded = baseline_checked(&mut client, &mut empty().await, &all, "1").await.unwrap();
    assert_eq!(recorded, ["1_ships"]);

    let diagnosis = diagnose_with_shadow(&mut client, &mut empty().await, &all).await.unwrap();
    assert_eq!(diagnosis.pending, ["2_index", "3_more"]);
    let applied = Resolution::Applied;
    let refused =
        resolve_checked(&mut client, &mut empty().await, &all, applied, "2", "x").await.unwrap_err();
    assert!(matches!(&refused, ResolveFailure::Differs { fits, .. } if *fits == [0, 1]), "{refused:?}");
    client.batch_execute("CREATE INDEX ships_name ON ships (name)").await.unwrap();
    let proof = resolve_checked(&mut client, &mut empty().await, &all, applied, "2", "x").await.unwrap();
    assert_eq!(proof, Proof::BornOut);
    same(&seen(&client).await, &before, "decided");
    Postgres::drop_database(&shadow).await.unwrap();
}

async fn replicas_wait_until_another_has_deployed(database: Database) {
    let migrations = std::sync::Arc::new(migrations());
    let mut client = database.raw().await;
    let none = wait_until_current(&mut client, &migrations, Duration::ZERO).await.unwrap_err();
    assert!(matches!(none, WaitError::TimedOut { verdict: Verdict::Behind { .. }, .. }), "{none:?}");

    let (theirs, all) = (database.clone(), migrations.clone());
    let replica = tokio::spawn(async move {
        let mut client = theirs.raw().await;
        wait_until_current(&mut client, &all, Duration::from_secs(60)).await
    });
    let mut seen = Vec::new();
    let mut progress = |event: Event<'_>| {
        if let Event::Applied { name, .. } = event {
            seen.push(name.to_owned());
        }
    };
    Deploy::new(&migrations).progress(&mut progress).run(&mut client).await.unwrap();
    assert_eq!(seen, ["1_ships", "2_index", "3_more"]);
    replica.await.unwrap().unwrap();
}

async fn futures_can_be_sent(database: Database) {
    fn sent(_: impl Future + Send) {}
    let mut client = database.raw().await;
    let migrations = migrations();
    sent(deploy(&mut client, &migrations));
    sent(verify(&mut client, &migrations));
    sent(wait_until_current(&mut client, &migrations, Duration::ZERO));
    sent(windlass_postgres::status(&mut client, &migrations));
    sent(windlass_postgres::plan(&mut client, &migrations));
    sent(windlass_postgres::baseline(&mut client, &migrations, "1"));
    let decision = windlass_postgres::Resolution::Applied;
    sent(windlass_postgres::resolve(&mut client, &migrations, decision, "1", "an example"));
    sent(windlass_postgres::diagnose(&mut client, &migrations));
    let mut empty = database.raw().await;
    sent(diagnose_with_shadow(&mut client, &mut empty, &migrations));
    sent(resolve_checked(&mut client, &mut empty, &migrations, decision, "1", "an example"));
    sent(baseline_checked(&mut client, &mut empty, &migrations, "1"));
    sent(Deploy::new(&migrations).dry_run(&mut client));
    sent(Deploy::new(&migrations).run(&mut client));
}

async fn a_pool_of_one_connection_is_enough(database: Database) {
    let mut config = deadpool_postgres::Config::new();
    config.url = Some(database.url());
    config.pool = Some(deadpool_postgres::PoolConfig::new(1));
    let runtime = Some(deadpool_postgres::Runtime::Tokio1);
    let pool = config.create_pool(runtime, tokio_postgres::NoTls).unwrap();
    let migrations = migrations();
    let mut client = pool.get().await.unwrap();
    client.batch_execute(APPLICATION).await.unwrap();
    let before = seen(&client).await;
    let deploying = Deploy::new(&migrations).allow_non_empty(true);
    assert_eq!(deploying.run(&mut **client).await.unwrap().applied.len(), 3);
    same(&seen(&client).await, &before, "deployed");
    let broken = Migrations::from_scripts([("1_x.sql", "SELECT pg_terminate_backend(pg_backend_pid())")]);
    let mut other = Postgres::borrow(&mut client).schema("other");
    let lost = deploy(&mut other, &broken.unwrap()).await.unwrap_err();
    assert!(matches!(lost, DeployError::Lost { .. }), "{lost:?}");
    drop(other);
    drop(client);
    // The pool sees that it is gone, and gives another.
    let mut client = pool.get().await.unwrap();
    assert_eq!(verify(&mut **client, &migrations).await.unwrap(), Verdict::Current);
}
