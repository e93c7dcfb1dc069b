//! Indexes that are not valid: what others left is told and left alone, and `IF NOT EXISTS` never takes one.

use harness::{Database, Project, Waiting, deploy_with, migrations, options, start};
use windlass_core::apply::{DeployError, DeployOptions, FailedStatement, Report, Stands};
use windlass_core::drift::DriftPolicy;
use windlass_core::plan::{Blocked, Remark};

harness::scenarios!(
    on [Postgres]:
        indexes_that_others_left_are_told_and_stay,
        a_build_of_another_is_told_and_comes_first,
        if_not_exists_over_an_invalid_index_runs_nothing,
        what_sees_to_the_index_before_may_be_in_the_same_file,
        an_index_that_is_invalid_only_by_then_is_refused_in_its_transaction,
);

const N: (&str, &str) = ("1_n", "CREATE TABLE n (n int); INSERT INTO n VALUES (1), (1);");

/// What the tests make by hand is no drift.
fn unlooked() -> DeployOptions {
    let mut options = options();
    options.drift.policy = DriftPolicy::Off;
    options
}

async fn deployed(database: &Database, scripts: &[(&'static str, &str)]) -> Report {
    deploy_with(&mut *database.connect().await, &migrations(scripts), &unlooked()).await.expect("a deploy")
}

async fn blocked(database: &Database, scripts: &[(&'static str, &str)]) -> Blocked {
    match deploy_with(&mut *database.connect().await, &migrations(scripts), &unlooked()).await {
        Err(DeployError::Blocked(blocked)) => blocked,
        other => panic!("{other:#?}"),
    }
}

async fn failed(database: &Database, scripts: &[(&'static str, &str)]) -> FailedStatement {
    match deploy_with(&mut *database.connect().await, &migrations(scripts), &unlooked()).await {
        Err(DeployError::Statement(failed)) => *failed,
        other => panic!("{other:#?}"),
    }
}

/// Somebody else's unique index over two equal rows: it stands, and is not valid.
async fn spoil(database: &Database, index: &str) {
    let build = format!("CREATE UNIQUE INDEX CONCURRENTLY {index} ON n (n)");
    database.session().await.execute(&build).await.expect_err("two equal rows");
}

/// Runs a statement that waits for what the other session has, and kills it in this phase.
async fn cut_off(database: &Database, statement: &'static str, other: &str, phase: &str) {
    let mut holder = database.session().await;
    holder.execute(other).await.expect("a lock");
    let mut session = database.session().await;
    let running = tokio::spawn(async move { session.execute(statement).await });
    let pid = builder(database, phase).await;
    database.kill(&pid).await;
    running.await.expect("a task").expect_err("it was killed");
    holder.execute("ROLLBACK").await.expect("released");
}

/// The session that builds an index, once it is in this phase.
async fn builder(database: &Database, phase: &str) -> String {
    let sql = format!(
        "SELECT coalesce(min(pid)::text, '') FROM pg_stat_progress_create_index \
         WHERE datname = current_database() AND phase = '{phase}'"
    );
    let waiting = Waiting::for_this(phase);
    loop {
        let pid = database.value(&sql).await;
        if !pid.is_empty() {
            return pid;
        }
        waiting.pause().await;
    }
}

const INVALID: &str = "SELECT coalesce(string_agg(c.relname, ' ' ORDER BY c.relname COLLATE \"C\"), '') FROM pg_index AS x \
                       JOIN pg_class AS c ON c.oid = x.indexrelid WHERE NOT x.indisvalid";

async fn indexes_that_others_left_are_told_and_stay(database: &Database) {
    let tables = "CREATE TABLE parted (n int) PARTITION BY LIST (n); CREATE TABLE part PARTITION OF parted FOR VALUES IN (1); \
                  CREATE INDEX early ON n (n); CREATE INDEX \"Late\" ON n (n); CREATE INDEX parent ON ONLY parted (n);";
    let scripts = [N, ("2_tables", tables)];
    deployed(database, &scripts).await;
    spoil(database, "spoilt").await;
    let writer = "BEGIN; INSERT INTO n VALUES (2)";
    cut_off(database, "REINDEX INDEX CONCURRENTLY early", writer, "waiting for writers before build").await;
    let reader = "BEGIN; SELECT FROM n";
    cut_off(
        database,
        "REINDEX INDEX CONCURRENTLY \"Late\"",
        reader,
        "waiting for readers before marking dead",
    )
    .await;
    let left = "Late_ccold early_ccnew parent spoilt";
    assert_eq!(database.value(INVALID).await, left);

    let more = ("3_more", "CREATE INDEX CONCURRENTLY more ON n (n); INSERT INTO n VALUES (3);");
    let report = deployed(database, &[N, scripts[1], more]).await;
    let is_index = |remark: &&Remark| matches!(remark, Remark::InvalidIndex { .. });
    let told: Vec<_> = report.remarks.iter().filter(is_index).map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "index public.\"Late_ccold\" on public.n is not valid: a REINDEX CONCURRENTLY that was cut off left it; \
             `DROP INDEX CONCURRENTLY public.\"Late_ccold\"`",
            "index public.early_ccnew on public.n is not valid: a REINDEX CONCURRENTLY that was cut off left it; \
             `DROP INDEX CONCURRENTLY public.early_ccnew`",
            "index public.parent on public.parted is not valid: it was created ON ONLY its table, and not every \
             partition's index is attached; attach the index of each partition: \
             `ALTER INDEX public.parent ATTACH PARTITION …`",
            "index public.spoilt on public.n is not valid: its build failed or was cut off; \
             `REINDEX INDEX CONCURRENTLY public.spoilt`, or `DROP INDEX CONCURRENTLY public.spoilt`",
        ]
    );
    assert_eq!(database.value(INVALID).await, left, "what is not ours is left alone");
    let again = ("4_again", "INSERT INTO n VALUES (4);\nCREATE INDEX CONCURRENTLY spoilt ON n (n);");
    let refused = blocked(database, &[N, scripts[1], more, again]).await.to_string();
    let told = "4_again.sql:2:1: an index of that name is there already: index public.spoilt on public.n is not valid";
    assert!(refused.starts_with(told), "{refused}");
    let project = Project::new(database, &[N, scripts[1], more, ("4_last", "SELECT 1;")]);
    project.run(&["deploy", "--dry-run"]).await.code(0).err("index public.spoilt on public.n is not valid");
}

async fn a_build_of_another_is_told_and_comes_first(database: &Database) {
    deployed(database, &[N]).await;
    let scripts = [N, ("2_index", "CREATE INDEX CONCURRENTLY ours ON n (n);\nINSERT INTO n VALUES (3);")];
    let mut writer = database.session().await;
    writer.execute("BEGIN; INSERT INTO n VALUES (2)").await.expect("a transaction that builds wait for");
    let deploying = start(database.connect().await, migrations(&scripts));
    let session = builder(database, "waiting for writers before build").await;
    database.kill(&session).await;
    let ended = deploying.await.expect("a thread").expect_err("its session was killed");
    assert!(matches!(ended, DeployError::Lost { .. }), "{ended:?}");

    let mut another = database.session().await;
    let building =
        tokio::spawn(async move { another.execute("CREATE INDEX CONCURRENTLY theirs ON n (n)").await });
    let session = builder(database, "waiting for writers before build").await;
    let doubted = blocked(database, &scripts).await;
    let told = doubted.to_string();
    assert!(matches!(&doubted, Blocked::InDoubt { beside, .. } if beside.len() == 2), "{doubted:?}");
    for index in ["ours", "theirs"] {
        let expected = format!("index public.{index} on public.n is not valid: session {session} (user ");
        assert!(told.contains(&expected), "{told}");
    }
    let hint = doubted.hint().expect("a way out");
    assert!(
        hint.starts_with(&format!("wait for the end of session {session}, and deploy again; or ")),
        "{hint}"
    );

    writer.execute("ROLLBACK").await.expect("released");
    building.await.expect("a task").expect("their build");
    let report = deployed(database, &scripts).await;
    let resumes = Remark::Resumes { name: "2_index".to_owned(), completed: 0, touched: 0 };
    assert_eq!(report.remarks, [resumes], "what is its own is cleared away, and not told as another's");
    assert_eq!(database.value(INVALID).await, "");
    assert_eq!(database.value("SELECT count(*) FROM pg_index WHERE indrelid = 'n'::regclass").await, "2");
    assert_eq!(database.value("SELECT count(*) FROM n").await, "3");
}

async fn if_not_exists_over_an_invalid_index_runs_nothing(database: &Database) {
    deployed(database, &[N]).await;
    spoil(database, "i").await;
    spoil(database, "\"I x\"").await;
    for (build, index) in [
        ("CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON n (n)", "i"),
        ("CREATE INDEX IF NOT EXISTS i ON public.n (n)", "i"),
        ("CREATE /* a */ UNIQUE INDEX\n-- b\nIF NOT EXISTS i ON ONLY n (n)", "i"),
        ("create index if not exists \"I x\" on n (n)", "\"I x\""),
    ] {
        let script = format!("INSERT INTO n VALUES (2);\n{build};");
        let refused = blocked(database, &[N, ("2_index", &script)]).await;
        let told = refused.to_string();
        let expected = format!(
            "2_index.sql:2:1: IF NOT EXISTS would leave an index as it is: index public.{index} on public.n"
        );
        assert!(told.contains(&expected), "{build}: {told}");
        let hint = refused.hint().expect("a way out");
        assert!(hint.contains(&format!("`REINDEX INDEX CONCURRENTLY public.{index}`")), "{hint}");
        assert_eq!(database.value("SELECT count(*) FROM n").await, "2", "{build}: nothing was run");
    }
    // As hinted; the rows that were in its way are gone.
    database.sql("DELETE FROM n").await;
    database.session().await.execute("REINDEX INDEX CONCURRENTLY public.i").await.expect("a build");
    let script = "INSERT INTO n VALUES (2); CREATE INDEX IF NOT EXISTS i ON n (n);";
    deployed(database, &[N, ("2_index", script)]).await;
    assert_eq!(database.value(INVALID).await, "I x");
}

async fn what_sees_to_the_index_before_may_be_in_the_same_file(database: &Database) {
    deployed(database, &[N]).await;
    spoil(database, "i").await;
    let script = "DROP INDEX CONCURRENTLY i;\nCREATE INDEX CONCURRENTLY IF NOT EXISTS i ON n (n);";
    let scripts = [N, ("2_index", script)];
    deployed(database, &scripts).await;
    assert_eq!(database.value(INVALID).await, "");
    // A table of that name in another schema has nothing to do with it.
    spoil(database, "j").await;
    let elsewhere = "CREATE SCHEMA s; CREATE TABLE s.n (n int); CREATE INDEX IF NOT EXISTS j ON s.n (n);";
    deployed(database, &[N, scripts[1], ("3_elsewhere", elsewhere)]).await;
    assert_eq!(database.value("SELECT to_regclass('s.j')").await, "s.j");
}

async fn an_index_that_is_invalid_only_by_then_is_refused_in_its_transaction(database: &Database) {
    let parted = "CREATE TABLE parted (n int) PARTITION BY LIST (n); CREATE TABLE part PARTITION OF parted FOR VALUES IN (1);\n";
    let twice = "CREATE INDEX i ON ONLY parted (n);\nCREATE INDEX IF NOT EXISTS i ON parted (n);";
    let failed = failed(database, &[("1_parted", &format!("{parted}{twice}"))]).await;
    assert_eq!((failed.place.line, failed.stands), (3, Stands::Nothing));
    assert!(failed.error.message.contains("index public.i stands and is not valid"), "{failed:?}");
    assert!(database.tables().await.is_empty(), "all of it was rolled back");
    // What was refused before it is what is told.
    let unbegun =
        format!("{parted}INSERT INTO nowhere VALUES (1);\nCREATE INDEX IF NOT EXISTS i ON parted (n);");
    let failed = self::failed(database, &[("1_parted", &unbegun)]).await;
    assert_eq!((failed.place.line, failed.stands), (2, Stands::Nothing), "{failed:?}");
    // ON ONLY asks for just that.
    let meant = twice.replace("EXISTS i ON parted", "EXISTS i ON ONLY parted");
    deployed(database, &[("1_parted", &format!("{parted}{meant}"))]).await;
    assert_eq!(database.value(INVALID).await, "i");
}
