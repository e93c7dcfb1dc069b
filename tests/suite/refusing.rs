//! Refusing: what cannot be reached, read, written or waited for is named, and nothing is changed.

use harness::{
    Database, Family, Project, another_authority, deploy, deploy_with, migrations, options, start,
};
use std::time::Duration;
use windlass_core::apply::{DeployError, ResolveFailure, dry_run};
use windlass_core::driver::{DriverError, Lock};
use windlass_core::history::State;
use windlass_core::plan::{Blocked, Remark};

harness::scenarios!(
    on [Postgres, MySql, MariaDb]:
        a_user_who_may_only_read_is_refused_before_anything_runs,
        a_lock_held_too_long_names_its_holder;
    natively [Postgres, MySql, MariaDb]:
        what_cannot_be_reached_is_named_without_its_password,
        a_missing_database_is_created_when_asked_for,
        certificates_are_checked_as_asked;
    on [Postgres]: a_role_of_read_only_transactions_is_refused;
    on [MySql, MariaDb]:
        a_statement_that_no_message_can_carry_is_refused,
        a_mode_by_which_a_string_ends_elsewhere_is_refused;
    on [Sqlite]: a_writer_of_another_program_is_waited_for_no_longer_than_asked;
    natively [Sqlite]:
        a_file_opened_to_read_is_refused,
        a_full_disk_leaves_what_stood,
        a_disk_full_before_the_history_is_told;
    on [Postgres, MySql, MariaDb, Sqlite]:
        a_table_that_is_no_history_is_refused,
        a_history_with_nonsense_in_it_is_refused;
    natively [Postgres, MySql, MariaDb, Sqlite]: an_unknown_parameter_is_refused;
);

const A: (&str, &str) = ("1_a", "CREATE TABLE a (n int);");
const B: (&str, &str) = ("2_b", "CREATE TABLE b (n int);");

async fn deployed(database: &Database, scripts: &[(&'static str, &str)]) {
    deploy(&mut *database.connect().await, &migrations(scripts)).await.expect("a deploy");
}

async fn refusal(database: &Database, url: &str) -> String {
    let told = database.try_connect(url).await.err().expect("no session");
    assert!(!told.contains("hunter2"), "{told}");
    if database.target().family != Family::Sqlite {
        assert!(!told.contains(database.password()), "{told}");
    }
    told
}

/// The server would run the DROP in the midst of what windlass takes for one INSERT.
async fn a_mode_by_which_a_string_ends_elsewhere_is_refused(database: &Database) {
    let a = ("1_a", "CREATE TABLE a (what text); CREATE TABLE b (n int);");
    deployed(database, &[a]).await;
    let mode = "/*!40101 SET @OLD = @@sql_mode, SQL_MODE = 'NO_BACKSLASH_ESCAPES' */;\n";
    for (last, at) in
        [("INSERT INTO a VALUES ('C:\\');", 2), ("\nINSERT INTO a VALUES ('C:\\'); DROP TABLE b; -- ');", 3)]
    {
        let script = format!("{mode}{last}");
        let result = deploy(&mut *database.connect().await, &migrations(&[a, ("2_mode", &script)])).await;
        let Err(DeployError::Blocked(blocked @ Blocked::EndsElsewhere { .. })) = &result else {
            panic!("{result:#?}")
        };
        let told = blocked.to_string();
        let expected = format!(
            "2_mode.sql:1:1 sets NO_BACKSLASH_ESCAPES, by which what is quoted at 2_mode.sql:{at}:23 ends elsewhere"
        );
        assert!(told.starts_with(&expected), "{told}");
        assert_eq!(database.tables().await, ["a", "b"]);
        assert_eq!(database.value("SELECT count(*) FROM a").await, "0");
    }
    // Where it ends at the same place it is what the server makes of it.
    let same = format!(
        "{mode}INSERT INTO a VALUES ('C:\\dir');\nSET sql_mode = @OLD;\nINSERT INTO a VALUES ('it\\'s');"
    );
    deployed(database, &[a, ("2_mode", &same)]).await;
    let found = "SELECT group_concat(what ORDER BY what SEPARATOR ' ') FROM a";
    assert_eq!(database.value(found).await, "C:\\dir it's");
}

async fn what_cannot_be_reached_is_named_without_its_password(database: &Database) {
    let (url, user) = (database.url(), database.user());
    let place = database.place();
    let elsewhere = database.url_as(user, "hunter2").replace(&place, "127.0.0.1:1");
    assert!(refusal(database, &elsewhere).await.contains("no server answers at 127.0.0.1:1"));
    let wrong = refusal(database, &database.url_as(user, "hunter2")).await;
    assert!(wrong.contains(&format!("{place} refused the password of user `{user}`")), "{wrong}");
    let missing = refusal(database, &format!("{url}_not")).await;
    let (name, at) = (database.name(), format!("at {place}"));
    assert!(
        missing.contains(&format!("there is no database `{name}_not`")) && missing.contains(&at),
        "{missing}"
    );
}

async fn an_unknown_parameter_is_refused(database: &Database) {
    let told = refusal(database, &format!("{}?colour=hunter2", database.url())).await;
    assert!(told.contains("colour"), "{told}");
}

async fn a_missing_database_is_created_when_asked_for(database: &Database) {
    let url = format!("{}_new", database.url());
    assert!(database.try_connect(&url).await.is_err());
    database.create_by(&url).await.expect("created");
    database.create_by(&url).await.expect("one that stands is fine");
    let mut driver = database.try_connect(&url).await.expect("a session");
    assert_eq!(deploy(&mut *driver, &migrations(&[A])).await.expect("a deploy").applied.len(), 1);
    drop(driver);
    database.sql(&format!("DROP DATABASE {}_new{}", database.name(), database.force())).await;
}

async fn a_user_who_may_only_read_is_refused_before_anything_runs(database: &Database) {
    deployed(database, &[A]).await;
    let reader = database.reader().await;
    let mut driver = database.try_connect(&reader.url).await.expect("a session");
    let current = deploy(&mut *driver, &migrations(&[A])).await.expect("nothing to write");
    assert!(current.applied.is_empty());
    let refused = deploy(&mut *driver, &migrations(&[A, B])).await.expect_err("no right to write");
    let told = matches!(&refused, DeployError::Blocked(Blocked::ReadOnly { reason, pending })
        if !reason.is_empty() && pending == &["2_b"]);
    assert!(told, "{refused:?}");
    let set = migrations(&[A, B]);
    let outlook = dry_run(&mut *driver, &set, &options()).await.expect("a plan is there to be looked at");
    assert_eq!(outlook.plan.migrations(), ["2_b"]);
    let told =
        outlook.remarks.iter().any(|remark| matches!(remark, Remark::ReadOnly { why } if !why.is_empty()));
    assert!(told, "{:?}", outlook.remarks);
    assert_eq!(database.tables().await, ["a"]);
    deployed(database, &[A, B]).await;
}

async fn a_role_of_read_only_transactions_is_refused(database: &Database) {
    deployed(database, &[A]).await;
    let reader = database.reader().await;
    let role = format!(
        "ALTER ROLE {} SUPERUSER; ALTER ROLE {0} SET default_transaction_read_only = on",
        reader.user
    );
    database.sql(&role).await;
    let mut driver = database.try_connect(&reader.url).await.expect("a session");
    let refused = deploy(&mut *driver, &migrations(&[A, B])).await.expect_err("a read-only role");
    let told = matches!(&refused, DeployError::Blocked(Blocked::ReadOnly { reason, .. })
        if reason.contains("default_transaction_read_only"));
    assert!(told, "{refused:?}");
    assert_eq!(database.tables().await, ["a"]);
}

async fn a_file_opened_to_read_is_refused(database: &Database) {
    deployed(database, &[A]).await;
    let mut driver = database.try_connect(&format!("{}?mode=ro", database.url())).await.expect("a session");
    assert!(deploy(&mut *driver, &migrations(&[A])).await.expect("nothing to write").applied.is_empty());
    let refused = deploy(&mut *driver, &migrations(&[A, B])).await.expect_err("read only");
    assert!(matches!(refused, DeployError::Blocked(Blocked::ReadOnly { .. })), "{refused:?}");
}

async fn a_lock_held_too_long_names_its_holder(database: &Database) {
    deployed(database, &[A]).await;
    let gate = database.gate("a").await;
    let long = [A, ("2_long", "INSERT INTO a VALUES (41 + 1);")];
    let holder = start(database.connect().await, migrations(&long));
    let session = database.running("41 + 1").await;
    let mut brief = options();
    brief.lock_wait = Duration::from_millis(100);
    let late = deploy_with(&mut *database.connect().await, &migrations(&long), &brief).await;
    match late.expect_err("another deployer is at work") {
        DeployError::LockTimeout { holder, waited, .. } => {
            assert!(waited >= brief.lock_wait, "{waited:?}");
            assert_eq!(holder.session.as_ref(), Some(&session));
            assert!(holder.who.as_ref().is_some_and(|who| who.contains(database.user())), "{holder:?}");
            assert!(holder.running.as_ref().is_some_and(|sql| sql.contains("41 + 1")), "{holder:?}");
            assert!(holder.since.as_ref().is_some_and(|since| since.starts_with("20")), "{holder:?}");
        }
        other => panic!("{other:#?}"),
    }
    drop(gate);
    assert_eq!(holder.await.expect("a thread").expect("the holder's deploy").applied.len(), 1);
    assert_eq!(database.value("SELECT sum(n) FROM a").await, "42");
}

async fn a_writer_of_another_program_is_waited_for_no_longer_than_asked(database: &Database) {
    deployed(database, &[A]).await;
    let mut writer = database.session().await;
    writer.execute("BEGIN IMMEDIATE").await.expect("a lock");
    let mut driver =
        database.try_connect(&format!("{}?busy_timeout=10", database.url())).await.expect("a session");
    let mut brief = options();
    brief.lock_wait = Duration::from_millis(100);
    let late = deploy_with(&mut *driver, &migrations(&[A, B]), &brief).await.expect_err("a lock");
    let told = matches!(&late, DeployError::LockTimeout { holder, .. }
        if holder.running.as_ref().is_some_and(|what| what.contains("a transaction that writes")));
    assert!(told, "{late:?}");
    let hint = late.hint().expect("a way on");
    assert!(hint.contains("by the means of its system") && !hint.contains("unlock"), "{hint}");
    writer.execute("ROLLBACK").await.expect("released");
    assert_eq!(driver.try_lock().await.expect("an answer"), Lock::Acquired);
    assert_eq!(deploy(&mut *driver, &migrations(&[A, B])).await.expect("the lock is free").applied.len(), 1);
}

async fn certificates_are_checked_as_asked(database: &Database) {
    let right = std::env::var("WINDLASS_TEST_CA_FILE").expect("WINDLASS_TEST_CA_FILE is not set");
    let wrong = database.folder().join("another.pem");
    std::fs::write(&wrong, another_authority()).expect("a file");
    let wrong = wrong.display().to_string();
    let (full, any_name, only_encrypted, file) = match database.target().family {
        Family::Postgres => ("sslmode=verify-full", "sslmode=verify-ca", "sslmode=require", "sslrootcert"),
        _ => ("ssl-mode=VERIFY_IDENTITY", "ssl-mode=VERIFY_CA", "ssl-mode=REQUIRED", "ssl-ca"),
    };
    let named = database.url();
    // The same place by a name that its certificate does not have.
    let unnamed = named.replace("@127.0.0.1:", "@[::ffff:127.0.0.1]:");
    let (right, wrong) = (format!("&{file}={right}"), format!("&{file}={wrong}"));
    for (url, mode, authority, trusted) in [
        (&named, full, right.as_str(), true),
        (&named, full, wrong.as_str(), false),
        (&named, full, "", false),
        (&unnamed, full, right.as_str(), false),
        (&unnamed, any_name, right.as_str(), true),
        (&named, any_name, wrong.as_str(), false),
        (&unnamed, only_encrypted, "", true),
    ] {
        let connected = database.try_connect(&format!("{url}?{mode}{authority}")).await;
        let told = connected.as_ref().err();
        assert_eq!(told.is_none(), trusted, "{url} {mode} {authority}: {told:?}");
        assert!(told.is_none_or(|told| told.contains("no encrypted connection to")), "{told:?}");
        if let Ok(mut driver) = connected {
            driver.inspect().await.expect("an inspection");
        }
    }
}

async fn a_statement_that_no_message_can_carry_is_refused(database: &Database) {
    deployed(database, &[A]).await;
    let limit: usize = database.value("SELECT @@max_allowed_packet").await.parse().expect("a number");
    let long = format!("CREATE TABLE b (n int);\nINSERT INTO a VALUES (length('{}'));", "x".repeat(limit));
    let refused = deploy(&mut *database.connect().await, &migrations(&[A, ("2_long", &long)])).await;
    let Err(DeployError::Statement(failed)) = refused else { panic!("{refused:?}") };
    assert_eq!((failed.number, failed.place.line, failed.recorded), (2, 2, true));
    assert!(failed.error.message.contains(&limit.to_string()), "{}", failed.error);
    assert!(failed.error.hint.as_ref().is_some_and(|hint| hint.contains("max_allowed_packet")));
    let history = database.connect().await.inspect().await.expect("a history").history;
    let last = history.attempts.last().expect("the attempt");
    assert_eq!((last.state(), last.completed, last.statements), (State::Failed, 1, 2));
    let cut = "CREATE TABLE b (n int);\nINSERT INTO a VALUES (length('x'));";
    deployed(database, &[A, ("2_long", cut)]).await;
    assert_eq!(database.value("SELECT sum(n) FROM a").await, "1");
}

/// A session whose database may grow by so many pages.
async fn with_room(database: &Database, pages: i64) -> windlass_sqlite::Sqlite<'static> {
    let path = database.folder().join("test.db");
    let connection = rusqlite::Connection::open(path).expect("a connection");
    let count: i64 = connection.query_row("PRAGMA page_count", [], |row| row.get(0)).expect("a number");
    let set = format!("PRAGMA max_page_count = {}", count + pages);
    connection.query_row(&set, [], |_| Ok(())).expect("a limit");
    windlass_sqlite::Sqlite::from_connection(connection)
}

async fn a_full_disk_leaves_what_stood(database: &Database) {
    deployed(database, &[A]).await;
    let set =
        migrations(&[A, B, ("3_much", "CREATE TABLE c (n);\nINSERT INTO c VALUES (zeroblob(1000000));")]);
    let refused = deploy(&mut with_room(database, 8).await, &set).await;
    let Err(DeployError::Statement(failed)) = refused else { panic!("{refused:?}") };
    assert_eq!((failed.migration.as_str(), failed.number, failed.recorded), ("3_much", 2, true));
    assert_eq!(failed.error.code.as_deref(), Some("SQLITE_FULL (13)"));
    assert!(failed.error.hint.as_ref().is_some_and(|hint| hint.contains("room")), "{failed:?}");
    assert_eq!(database.tables().await, ["a", "b"]);
    let report = deploy(&mut *database.connect().await, &set).await.expect("there is room now");
    assert_eq!(report.applied.len(), 1);
}

async fn a_disk_full_before_the_history_is_told(database: &Database) {
    database.sql("CREATE TABLE theirs (n)").await;
    let mut insist = options();
    insist.plan.allow_non_empty = true;
    let refused = deploy_with(&mut with_room(database, 0).await, &migrations(&[A]), &insist).await;
    let Err(DeployError::Driver(DriverError::Refused(error))) = refused else { panic!("{refused:?}") };
    assert_eq!(error.code.as_deref(), Some("SQLITE_FULL (13)"));
    assert_eq!(database.tables().await, ["theirs"]);
    let set = migrations(&[A]);
    let unwritten =
        windlass_core::apply::baseline(&mut with_room(database, 0).await, &set, &options().run, "1_a", true)
            .await;
    let Err(ResolveFailure::Driver(DriverError::Refused(error))) = unwritten else { panic!("{unwritten:?}") };
    assert_eq!(error.code.as_deref(), Some("SQLITE_FULL (13)"), "it is no other run's doing");
    deploy_with(&mut *database.connect().await, &set, &insist).await.expect("there is room now");
}

async fn a_table_that_is_no_history_is_refused(database: &Database) {
    database.sql("CREATE TABLE _windlass_migrations (wallet int, coins int)").await;
    database.sql("INSERT INTO _windlass_migrations VALUES (1, 2)").await;
    let refused = deploy(&mut *database.connect().await, &migrations(&[A])).await.expect_err("no history");
    assert!(
        matches!(&refused, DeployError::Driver(_) | DeployError::Blocked(Blocked::History(_))),
        "{refused:?}"
    );
    assert!(format!("{refused:?}").contains("_windlass_migrations"), "{refused:?}");
    assert!(database.tables().await.is_empty());
    assert_eq!(database.value("SELECT coins FROM _windlass_migrations").await, "2");
}

/// What somebody's hand may make of the rows of a history in which everything is done.
const NONSENSE: &[&str] = &[
    "checksum = 'x'",
    "checksum = ''",
    "checksum = '0000000000000000000000000000000000000000000000000000000000000000'",
    "kind = 'dance'",
    "name = ''",
    "name = '3_c'",
    "claim = '3_c'",
    "name = '3_c', claim = '3_c'",
    "claim = NULL",
    "digest = ''",
    "digest = '0'",
    "completed = 9",
    "statements = 0",
    "epoch = 0",
    "in_flight = '1'",
    "in_flight = 'x'",
    "error = 'of somebody'",
    "finished_at = NULL, owner = ''",
    "rolled_back_at = started_at",
    "format = 99",
];

/// The same of an attempt that failed after two of its three statements.
const NONSENSE_HALF_WAY: &[&str] = &[
    "completed = 0",
    "completed = 1",
    "completed = 3",
    "statements = 1",
    "prefix = NULL",
    "prefix = 'x'",
    "epoch = 0",
    "claim = NULL",
    "claim = '4_d'",
    "name = '4_d'",
    "finished_at = started_at",
    "rolled_back_at = started_at",
    "in_flight = '1'",
    "in_flight = '0'",
    "in_flight = '3-2'",
    "in_flight = '3-4'",
    "in_flight = ''",
    "in_flight = 'all'",
    "checksum = ''",
];

/// What only a column without a type takes.
const NONSENSE_OF_TYPE: &[&str] = &[
    "completed = 'many'",
    "completed = -1",
    "statements = 1.5",
    "epoch = -1",
    "touched = -1",
    "row_limit = -1",
    "name = x'00ff'",
    "owner = x'00ff'",
    "started_at = 'yesterday'",
    "rolled_back_at = ''",
    "in_flight = x'00ff'",
];

/// All that a database holds of what these tests write, the history's rows included.
async fn held(database: &Database) -> Vec<String> {
    let mut held = database.tables().await;
    for sql in [
        "SELECT coalesce(sum(n), 0) FROM a",
        "SELECT id, name, claim, owner, epoch, completed, in_flight, finished_at, rolled_back_at, error, digest \
         FROM _windlass_migrations ORDER BY id",
    ] {
        let rows = database.session().await.query(sql).await;
        held.extend(rows.iter().map(|row| format!("{row:?}")));
    }
    held
}

/// Nothing is run and nothing written, and the row is named: by a deploy, and by who only looks.
async fn is_refused(database: &Database, nonsense: &str, scripts: &[(&'static str, &str)]) {
    database.sql(nonsense).await;
    let before = held(database).await;
    let set = migrations(scripts);
    let refused = deploy(&mut *database.connect().await, &set).await.expect_err(nonsense);
    let (told, is_head) = match &refused {
        DeployError::Driver(DriverError::History(told)) => (told.clone(), false),
        DeployError::Blocked(Blocked::History(error)) => (error.to_string(), false),
        // What is told to have run is not what the script has there.
        DeployError::Blocked(blocked @ Blocked::HeadChanged { .. }) => (blocked.to_string(), true),
        other => panic!("{nonsense}: {other:#?}"),
    };
    let hint = matches!(&refused, DeployError::Blocked(blocked) if blocked.hint().is_some());
    assert!(hint || matches!(refused, DeployError::Driver(_)), "{nonsense}: {refused:?}");
    assert!(!is_head || nonsense.contains("completed") || nonsense.contains("prefix"), "{nonsense}: {told}");
    assert!(
        ["row ", "`3_c`", "format"].iter().any(|part| told.contains(part)),
        "{nonsense}: it names no row: {told}"
    );
    assert_eq!(held(database).await, before, "{nonsense}: {told}");
    let folder: Vec<_> = scripts.iter().map(|(name, sql)| (*name, *sql)).collect();
    Project::new(database, &folder).run(&["deploy"]).await.code(3);
}

async fn a_history_with_nonsense_in_it_is_refused(database: &Database) {
    const C: (&str, &str) = ("3_c", "CREATE TABLE c (n int);");
    let half = "-- windlass: no-transaction\nINSERT INTO a VALUES (1);\nINSERT INTO a VALUES (20);\n";
    let (failing, mended) =
        (format!("{half}INSERT INTO nowhere VALUES (1);"), format!("{half}INSERT INTO a VALUES (300);"));
    let untyped = database.target().family == Family::Sqlite;
    let typed = |nonsense: &&&str| untyped || !NONSENSE_OF_TYPE.contains(*nonsense);
    for is_half_way in [false, true] {
        let told = if is_half_way { NONSENSE_HALF_WAY } else { NONSENSE };
        for nonsense in told.iter().chain(NONSENSE_OF_TYPE).filter(typed) {
            deployed(database, &[A, B]).await;
            let more = if is_half_way {
                let fails = migrations(&[A, B, ("3_c", &failing)]);
                let result = deploy(&mut *database.connect().await, &fails).await;
                assert!(matches!(result, Err(DeployError::Statement(_))), "{result:#?}");
                ("3_c", mended.as_str())
            } else {
                C
            };
            let row = if is_half_way { "3_c" } else { "2_b" };
            let sql = format!("UPDATE _windlass_migrations SET {nonsense} WHERE name = '{row}'");
            is_refused(database, &sql, &[A, B, more, ("4_d", "CREATE TABLE d (n int);")]).await;
            database.sql("DROP TABLE _windlass_migrations").await;
            for table in database.tables().await {
                database.sql(&format!("DROP TABLE {table}")).await;
            }
        }
    }
}
