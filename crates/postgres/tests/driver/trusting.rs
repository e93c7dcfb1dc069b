//! Trust: a history table that somebody else has planted is not read, and not written to.

use crate::support::*;
use windlass_core::driver::{Driver as _, DriverError};
use windlass_core::plan::Step;
use windlass_postgres::Postgres;

crate::on_servers!(
    a_table_of_somebody_elses_is_refused_and_runs_nothing,
    a_table_of_a_role_of_ones_own_is_trusted,
    triggers_rules_and_views_are_refused,
    a_history_of_which_rows_are_kept_back_is_refused,
);

fn told<T: std::fmt::Debug>(result: Result<T, DriverError>) -> String {
    match result.unwrap_err() {
        DriverError::History(told) => told,
        error => panic!("{error:?}"),
    }
}

async fn refused(database: &Database) -> String {
    let words = told(database.connect().await.inspect().await);
    assert_eq!(told(database.connect().await.head().await), words);
    words
}

/// The table is read, at a glance and in full.
async fn assert_trusted(mut session: Postgres<'static>, whose: &str) {
    assert!(session.inspect().await.unwrap().history.exists, "{whose}");
    session.head().await.unwrap_or_else(|error| panic!("{whose}: {error:?}"));
}

/// The driver's session, as another role.
async fn connect_as(database: &Database, role: &str) -> Postgres<'static> {
    let url = database.url();
    let (_, rest) = url.split_once('@').unwrap();
    Postgres::connect(&options(&format!("postgres://{role}:x@{rest}"))).await.unwrap()
}

async fn a_table_of_somebody_elses_is_refused_and_runs_nothing(database: Database) {
    let evil = format!("{}_evil", database.name);
    drop(database.ready().await);
    database.sql(&format!("CREATE ROLE {evil}; ALTER TABLE _windlass_migrations OWNER TO {evil}")).await;
    let words = refused(&database).await;
    assert!(words.contains(&format!("the table public._windlass_migrations belongs to `{evil}`")), "{words}");
    // What a run would do that found no table a moment ago.
    let steps = [Step::Begin, Step::CreateHistory, claim("1_a"), Step::Commit];
    let failure = perform(&mut database.connect().await, &steps).await.unwrap_err();
    assert_eq!(failure.step, 1, "{failure:?}");
    assert_eq!(database.value("SELECT count(*) FROM _windlass_migrations").await, "0");
    // A view's function runs when it is read.
    database
        .sql(&format!(
            "DROP TABLE _windlass_migrations; CREATE SEQUENCE ran; \
             CREATE VIEW _windlass_migrations AS SELECT nextval('ran') AS id, 1 AS format, '' AS digest; \
             ALTER VIEW _windlass_migrations OWNER TO {evil}"
        ))
        .await;
    assert!(refused(&database).await.contains(&format!("belongs to `{evil}`")));
    assert_eq!(database.value("SELECT is_called FROM ran").await, "f");
    database.sql(&format!("DROP OWNED BY {evil}; DROP ROLE {evil}")).await;
}

async fn a_table_of_a_role_of_ones_own_is_trusted(database: Database) {
    let (owners, member) = (format!("{}_owners", database.name), format!("{}_member", database.name));
    drop(database.ready().await);
    database
        .sql(&format!(
            "CREATE ROLE {owners}; CREATE ROLE {member} LOGIN PASSWORD 'x'; \
             GRANT ALL ON _windlass_migrations TO {member}"
        ))
        .await;
    assert_trusted(connect_as(&database, &member).await, "a superuser's").await;
    database.sql(&format!("ALTER TABLE _windlass_migrations OWNER TO {owners}")).await;
    assert!(told(connect_as(&database, &member).await.inspect().await).contains("belongs to"));
    database.sql(&format!("GRANT {owners} TO {member}")).await;
    assert_trusted(connect_as(&database, &member).await, "a member's").await;
    assert!(refused(&database).await.contains("belongs to"), "a superuser is a member of nobody's");
    database.sql(&format!("ALTER DATABASE {} OWNER TO {owners}", database.name)).await;
    assert_trusted(database.connect().await, "the database owner's").await;
    database.sql(&format!("ALTER DATABASE {} OWNER TO postgres", database.name)).await;
    database.sql(&format!("DROP OWNED BY {owners}, {member}; DROP ROLE {member}, {owners}")).await;
}

/// What is applied would look as if it were not.
async fn a_history_of_which_rows_are_kept_back_is_refused(database: Database) {
    let member = format!("{}_member", database.name);
    drop(database.ready().await);
    perform(&mut database.connect().await, &[Step::Begin, claim("1_a"), Step::Commit]).await.unwrap();
    database
        .sql(&format!(
            "CREATE ROLE {member} LOGIN PASSWORD 'x'; GRANT ALL ON _windlass_migrations TO {member}; \
             ALTER TABLE _windlass_migrations ENABLE ROW LEVEL SECURITY"
        ))
        .await;
    for _ in 0..2 {
        let head = told(connect_as(&database, &member).await.head().await);
        let inspected = told(connect_as(&database, &member).await.inspect().await);
        for words in [head, inspected] {
            assert!(words.contains("row security keeps rows of public._windlass_migrations"), "{words}");
            assert!(words.contains("DISABLE ROW LEVEL SECURITY"), "{words}");
        }
        // A policy that lets rows be written, and none be seen.
        let blind = "CREATE POLICY blind ON _windlass_migrations FOR INSERT WITH CHECK (true)";
        database.sql(&format!("DROP POLICY IF EXISTS blind ON _windlass_migrations; {blind}")).await;
    }
    assert_trusted(database.connect().await, "one whom no policy is for").await;
    database.sql(&format!("DROP OWNED BY {member}; DROP ROLE {member}")).await;
}

async fn triggers_rules_and_views_are_refused(database: Database) {
    drop(database.ready().await);
    database.sql("CREATE RULE r AS ON INSERT TO _windlass_migrations DO ALSO NOTIFY n").await;
    assert!(refused(&database).await.contains("has triggers or rules"));
    database
        .sql(
            "DROP RULE r ON _windlass_migrations; CREATE TRIGGER t BEFORE UPDATE ON _windlass_migrations \
             FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
        )
        .await;
    assert!(refused(&database).await.contains("has triggers or rules"));
    database.sql("DROP TRIGGER t ON _windlass_migrations").await;
    assert_trusted(database.connect().await, "one whose last trigger is gone").await;
    database
        .sql(
            "ALTER TABLE _windlass_migrations RENAME TO hidden; \
             CREATE VIEW _windlass_migrations AS SELECT * FROM hidden",
        )
        .await;
    assert!(refused(&database).await.contains("is not an ordinary table"));
}
