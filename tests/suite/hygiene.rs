//! Hygiene: what a migration leaves in its session reaches neither the next migration nor the history.

use crate::contending::Told;
use harness::{Database, Family, deploy, deploy_with, migrations, options, start_with};
use std::fmt::Write as _;
use windlass_core::apply::{DeployError, DeployOptions, Stop};
use windlass_core::history::State;

harness::scenarios!(
    on [Postgres, MySql, MariaDb, Sqlite]:
        what_a_migration_leaves_does_not_reach_the_next,
        what_a_migration_leaves_does_not_reach_the_next_without_a_transaction,
        what_would_hinder_the_history_does_not;
    on [Postgres, Sqlite]:
        what_a_migration_leaves_does_not_reach_the_next_in_one_transaction;
    on [MySql, MariaDb]:
        no_setting_of_a_migration_reaches_the_next,
        the_history_is_in_the_binary_log_whatever_a_migration_keeps_out_of_it,
        whoever_takes_the_lock_between_two_migrations_is_waited_for,
        a_role_without_rights_hinders_the_history_as_little,
        a_transaction_that_a_procedure_leaves_open_reaches_nobody;
);

/// What a migration leaves, and what shows of it.
type Left = (&'static str, &'static str);

/// What shows of what the routine of the first migration sets.
const BY_CODE: &str = "current_setting('role') || current_setting('statement_timeout')";

const POSTGRES: [Left; 17] = [
    ("SELECT pg_catalog.set_config('search_path', '', false)", "current_setting('search_path')"),
    ("SET ROLE pg_monitor", "current_user || current_setting('role')"),
    ("CREATE TABLE by_code AS SELECT public.leave_over() AS n", BY_CODE),
    ("INSERT INTO public.by_default (n) VALUES (1)", BY_CODE),
    ("SELECT n FROM public.by_view", BY_CODE),
    ("CREATE TABLE checked AS SELECT 1::public.by_check", BY_CODE),
    ("SET SESSION AUTHORIZATION pg_monitor", "session_user"),
    (
        "SET statement_timeout = '50s'; SET lock_timeout = '40s'",
        "current_setting('statement_timeout') || current_setting('lock_timeout')",
    ),
    (
        "SET idle_in_transaction_session_timeout = '30s'",
        "current_setting('idle_in_transaction_session_timeout')",
    ),
    ("SET session_replication_role = replica", "current_setting('session_replication_role')"),
    (
        "SET standard_conforming_strings = off; SET backslash_quote = on",
        "length('\\\\') || current_setting('backslash_quote')",
    ),
    ("SET default_transaction_isolation = 'serializable'", "current_setting('transaction_isolation')"),
    (
        "SET TimeZone = 'Asia/Tokyo'; SET DateStyle = 'German'",
        "current_setting('TimeZone') || current_setting('DateStyle')",
    ),
    (
        "CREATE TEMP TABLE left_over (n int); CREATE TEMP VIEW left_view AS SELECT 1",
        "(SELECT count(*) FROM pg_catalog.pg_class WHERE relpersistence = 't')",
    ),
    (
        "PREPARE left_over AS SELECT 1",
        "(SELECT count(*) FROM pg_catalog.pg_prepared_statements WHERE from_sql)",
    ),
    (
        "DECLARE left_over CURSOR WITH HOLD FOR SELECT 1",
        "(SELECT count(*) FROM pg_catalog.pg_cursors WHERE is_holdable)",
    ),
    ("LISTEN left_over", "(SELECT count(*) FROM pg_catalog.pg_listening_channels())"),
];

const MYSQL: [Left; 17] = [
    ("SET SESSION sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES'", "@@sql_mode"),
    ("SET foreign_key_checks = 0, unique_checks = 0", "concat(@@foreign_key_checks, @@unique_checks)"),
    ("SET autocommit = 0", "@@autocommit"),
    (
        "SET NAMES latin1; SET time_zone = '+09:00'",
        "concat(@@character_set_client, @@collation_connection, @@time_zone)",
    ),
    (
        "SET SESSION lock_wait_timeout = 3, innodb_lock_wait_timeout = 2",
        "concat(@@lock_wait_timeout, ' ', @@innodb_lock_wait_timeout)",
    ),
    (
        "SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE; SET SESSION sql_safe_updates = 1",
        "@@sql_safe_updates",
    ),
    (
        "SET SESSION sql_select_limit = 1, group_concat_max_len = 4",
        "concat(@@sql_select_limit, ' ', @@group_concat_max_len)",
    ),
    ("USE information_schema", "database()"),
    ("LOCK TABLES seen READ", "'unlocked, or this would be refused'"),
    ("CREATE TEMPORARY TABLE hidden (n int)", "(SELECT count(n) FROM hidden)"),
    ("CREATE TEMPORARY TABLE IF NOT EXISTS hidden (n int)", "(SELECT count(n) FROM hidden)"),
    ("/*!40000 CREATE TEMPORARY TABLE hidden (n int) */", "(SELECT count(n) FROM hidden)"),
    (
        "PREPARE hiding FROM 'CREATE TEMPORARY TABLE hidden (n int)'; EXECUTE hiding",
        "(SELECT count(n) FROM hidden)",
    ),
    ("CALL leave_over()", "concat((SELECT count(n) FROM hidden), coalesce(@left_by_code, ' none'))"),
    ("SET @left_over = 7", "coalesce(@left_over, 'none')"),
    ("PREPARE setting FROM 'SET @left_unsaid = 7'; EXECUTE setting", "coalesce(@left_unsaid, 'none')"),
    ("/*!40101 SET @left_unsaid = 7 */", "coalesce(@left_unsaid, 'none')"),
];

const SQLITE: [Left; 14] = [
    ("PRAGMA foreign_keys = ON", "(SELECT * FROM pragma_foreign_keys)"),
    (
        "PRAGMA recursive_triggers = ON; PRAGMA ignore_check_constraints = ON",
        "(SELECT recursive_triggers || ignore_check_constraints FROM pragma_recursive_triggers, pragma_ignore_check_constraints)",
    ),
    ("PRAGMA busy_timeout = 33", "(SELECT * FROM pragma_busy_timeout)"),
    ("PRAGMA case_sensitive_like = ON", "('a' LIKE 'A')"),
    ("PRAGMA max_page_count = 77", "(SELECT * FROM pragma_max_page_count)"),
    (
        "PRAGMA short_column_names = OFF; PRAGMA full_column_names = ON",
        "(SELECT short_column_names || full_column_names FROM pragma_short_column_names, pragma_full_column_names)",
    ),
    (
        "PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON",
        "(SELECT fullfsync || checkpoint_fullfsync FROM pragma_fullfsync, pragma_checkpoint_fullfsync)",
    ),
    ("PRAGMA analysis_limit = 77", "(SELECT * FROM pragma_analysis_limit)"),
    ("PRAGMA count_changes = ON", "(SELECT * FROM pragma_count_changes)"),
    ("PRAGMA synchronous = OFF", "(SELECT * FROM pragma_synchronous)"),
    ("PRAGMA journal_mode = MEMORY", "(SELECT * FROM pragma_journal_mode)"),
    ("CREATE TEMP TABLE left_over (n)", "(SELECT count(*) FROM sqlite_temp_schema)"),
    ("CREATE TEMPORARY VIEW left_view AS SELECT 1", "(SELECT count(*) FROM sqlite_temp_schema)"),
    ("ATTACH ':memory:' AS left_over", "(SELECT count(*) FROM pragma_database_list WHERE name <> 'temp')"),
];

async fn what_a_migration_leaves_does_not_reach_the_next(database: &Database) {
    leave(database, "", &options()).await;
}

async fn what_a_migration_leaves_does_not_reach_the_next_without_a_transaction(database: &Database) {
    leave(database, "-- windlass: no-transaction\n", &options()).await;
}

async fn what_a_migration_leaves_does_not_reach_the_next_in_one_transaction(database: &Database) {
    let mut options = options();
    options.plan.single_transaction = true;
    if database.target().family == Family::Sqlite {
        let scripts = [("1_n", "CREATE TABLE n (n int);"), ("2_left", "ATTACH ':memory:' AS left_over;")];
        let result = deploy_with(&mut *database.connect().await, &migrations(&scripts), &options).await;
        let Err(DeployError::Blocked(blocked)) = result else { panic!("{result:#?}") };
        assert!(blocked.to_string().contains("would be attached for the others too"), "{blocked}");
    }
    leave(database, "", &options).await;
}

/// Looks before anything is left, and after each of the migrations that leave something.
async fn leave(database: &Database, above: &str, options: &DeployOptions) {
    let in_one = options.plan.single_transaction;
    let (left, seen): (&[Left], _) = match database.target().family {
        Family::Postgres => (&POSTGRES, "public.seen"),
        Family::Sqlite => (&SQLITE, "seen"),
        _ => (&MYSQL, "seen"),
    };
    // These would reach the others of one transaction, or cannot be in it: that is told before anything runs.
    let apart = |(leaves, _): &&Left| {
        ["synchronous", "journal_mode", "PRAGMA foreign_keys", "ATTACH"]
            .iter()
            .any(|part| leaves.contains(part))
    };
    let left: Vec<_> = left.iter().filter(|left| !(in_one && apart(left))).collect();
    let mut first = "CREATE TABLE seen (what int, value text);".to_owned();
    let text = if database.target().family == Family::Sqlite { "text" } else { "char" };
    let look = |what: usize, probe: &str| {
        format!("INSERT INTO {seen} SELECT {what}, CAST({probe} AS {text}(200));")
            .replace("text(200)", "text")
    };
    if matches!(database.target().family, Family::MySql | Family::MariaDb) {
        // A temporary table of that name would hide this one.
        first += "CREATE TABLE hidden (n int); INSERT INTO hidden VALUES (1); CREATE PROCEDURE leave_over() BEGIN \
                  CREATE TEMPORARY TABLE IF NOT EXISTS hidden (n int); SET @left_by_code = 7; END;";
    }
    if database.target().family == Family::Postgres {
        first += "CREATE FUNCTION leave_over() RETURNS int LANGUAGE plpgsql AS 'BEGIN \
                  PERFORM set_config(''role'', ''pg_monitor'', false), set_config(''statement_timeout'', ''1min'', false); \
                  RETURN 1; END'; \
                  CREATE TABLE by_default (n int, by_default int DEFAULT leave_over()); \
                  CREATE VIEW by_view AS SELECT leave_over() AS n; \
                  CREATE DOMAIN by_check AS int CHECK (leave_over() = VALUE);";
    }
    let mut scripts = Vec::new();
    for (what, (leaves, probe)) in left.iter().enumerate() {
        writeln!(first, "{}", look(what, probe)).expect("a string takes everything");
        scripts.push(format!("{above}{leaves};"));
        scripts.push(look(what, probe));
    }
    scripts.insert(0, first);
    let names: Vec<&'static str> =
        (0..scripts.len()).map(|number| &*format!("{:03}_m", number).leak()).collect();
    let named: Vec<_> = names.iter().copied().zip(scripts.iter().map(String::as_str)).collect();
    // What stands already is grouped with nothing.
    deploy(&mut *database.connect().await, &migrations(&named[..1])).await.expect("the first");
    let set = migrations(&named);
    let report = deploy_with(&mut *database.connect().await, &set, options).await;
    let report = report.unwrap_or_else(|error| panic!("{error:#?}"));
    assert_eq!(report.applied.len(), scripts.len() - 1);
    let other = "SELECT what, min(value), max(value) FROM seen GROUP BY what \
                 HAVING count(*) <> 2 OR min(value) <> max(value) OR count(value) <> 2";
    let other = database.session().await.query(other).await;
    let told: Vec<_> = other
        .iter()
        .map(|row| (left[row[0].as_deref().unwrap_or("0").parse::<usize>().expect("a number")].0, row))
        .collect();
    assert!(told.is_empty(), "{told:#?}");
    let history = database.connect().await.inspect().await.expect("a history").history;
    assert!(
        history.verify().is_ok() && history.attempts.iter().all(|attempt| attempt.state() == State::Applied)
    );
    assert!(deploy(&mut *database.connect().await, &set).await.expect("nothing to do").applied.is_empty());
}

/// A schema before the server's own, which has a clock, a sum and equalities that tell something else.
const HIDES: &str = "DROP SCHEMA IF EXISTS h CASCADE; CREATE SCHEMA h;
CREATE FUNCTION h.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS $$ SELECT NULL::timestamptz $$;
CREATE FUNCTION h.set_config(text, text, boolean) RETURNS text LANGUAGE sql AS $$ SELECT '' $$;
CREATE FUNCTION h.never(text, text) RETURNS boolean LANGUAGE sql AS $$ SELECT false $$;
CREATE FUNCTION h.never(int, int) RETURNS boolean LANGUAGE sql AS $$ SELECT false $$;
CREATE OPERATOR h.= (FUNCTION = h.never, LEFTARG = text, RIGHTARG = text);
CREATE OPERATOR h.= (FUNCTION = h.never, LEFTARG = int, RIGHTARG = int);
CREATE AGGREGATE h.count(*) (SFUNC = int8inc, STYPE = int8, INITCOND = '7');
SET search_path = h, pg_catalog, public";

/// The history is written all the same: where the migration comes to its end, and where it fails.
async fn what_would_hinder_the_history_does_not(database: &Database) {
    let hindrances: &[&str] = match database.target().family {
        Family::Postgres => &[
            "SET ROLE pg_monitor",
            "SET search_path = ''",
            "SET statement_timeout = 100",
            "SET default_transaction_read_only = on",
            "SET session_replication_role = replica",
            HIDES,
        ],
        Family::Sqlite => &[
            "PRAGMA query_only = ON",
            "PRAGMA foreign_keys = ON",
            "PRAGMA count_changes = ON; INSERT INTO n VALUES (1)",
        ],
        _ => &[
            "LOCK TABLES n READ",
            "FLUSH TABLES n WITH READ LOCK",
            "SET SESSION TRANSACTION READ ONLY",
            "SET autocommit = 0; INSERT INTO n VALUES (1)",
            "USE information_schema",
            "SET NAMES latin1, SESSION sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES'",
            "SET SESSION sql_select_limit = 0, sql_safe_updates = 1",
        ],
    };
    for (what, hindrance) in hindrances.iter().enumerate() {
        for above in ["", "-- windlass: no-transaction\n"] {
            database.sql("DROP TABLE IF EXISTS _windlass_migrations").await;
            database.sql("DROP TABLE IF EXISTS n").await;
            if *hindrance == HIDES {
                database.sql("DROP SCHEMA IF EXISTS h CASCADE").await;
            }
            let (n, good) = (("1_n", "CREATE TABLE n (n int);"), format!("{above}{hindrance};"));
            let bad = format!("{above}{hindrance};\nSELECT nonsense FROM nowhere;");
            let when = format!("{what}: {bad}");
            let set = migrations(&[n, ("2_good", &good), ("3_bad", &bad)]);
            let result = deploy(&mut *database.connect().await, &set).await;
            let Err(DeployError::Statement(failed)) = result else { panic!("{when}: {result:#?}") };
            assert_eq!((failed.migration.as_str(), failed.recorded), ("3_bad", true), "{when}");
            let history = database.connect().await.inspect().await.expect("a history").history;
            let states: Vec<_> =
                history.attempts.iter().map(|attempt| (attempt.name.as_str(), attempt.state())).collect();
            assert_eq!(states[..2], [("1_n", State::Applied), ("2_good", State::Applied)], "{when}");
            let (name, state) = states[2];
            assert!(
                name == "3_bad" && matches!(state, State::Failed | State::RolledBack),
                "{when}: {state:?}"
            );
            if hindrance.contains("LOCK") {
                // What a lock ties together is not gone on with in its middle: a person looks.
                continue;
            }
            let mended = migrations(&[n, ("2_good", &good), ("3_bad", &good)]);
            let report = deploy(&mut *database.connect().await, &mended).await;
            assert_eq!(
                report.unwrap_or_else(|error| panic!("{when}: {error:#?}")).applied.len(),
                1,
                "{when}"
            );
        }
    }
}

/// Every setting that the server tells of a session, but for what moves by itself.
async fn no_setting_of_a_migration_reaches_the_next(database: &Database) {
    let (schema, own) = match database.target().family {
        Family::MySql => (
            "performance_schema",
            "default_collation_for_utf8mb4 = utf8mb4_general_ci, sql_generate_invisible_primary_key = 1, \
             windowing_use_high_precision = 0, print_identified_with_as_hex = 1",
        ),
        _ => (
            "information_schema",
            "check_constraint_checks = 0, system_versioning_asof = '2020-01-01', \
             system_versioning_alter_history = KEEP, alter_algorithm = COPY",
        ),
    };
    let moving = "'timestamp', 'rand_seed1', 'rand_seed2', 'insert_id', 'last_insert_id', 'identity', 'pseudo_thread_id', 'last_gtid', \
                  'statement_id', 'in_transaction', 'error_count', 'warning_count'";
    let look = |into: &str| {
        format!(
            "CREATE TABLE {into} AS SELECT lower(variable_name) AS name, variable_value AS value \
             FROM {schema}.session_variables WHERE lower(variable_name) NOT IN ({moving});"
        )
    };
    let set = format!(
        "SET SESSION sql_log_bin = 0;\n/*!40101 SET SESSION completion_type = CHAIN, max_error_count = 3 */;\n\
         PREPARE setting FROM 'SET SESSION innodb_strict_mode = 0';\nEXECUTE setting;\n\
         SET SESSION auto_increment_increment = 10, auto_increment_offset = 3, \
         collation_server = latin1_swedish_ci, lc_messages = de_DE, optimizer_switch = 'index_merge=off', \
         default_tmp_storage_engine = MyISAM, max_join_size = 77, sql_big_selects = 1, sql_quote_show_create = 0, \
         sort_buffer_size = 300000, net_read_timeout = 7, updatable_views_with_limit = 0, {own};\n\
         CALL set_by_code();"
    );
    let by_code = "CREATE PROCEDURE set_by_code() SET SESSION tmp_table_size = 2000000;";
    let scripts = [
        ("1_before".to_owned(), look("before_it") + by_code),
        ("2_set".to_owned(), set),
        ("3_after".to_owned(), look("after_it")),
    ];
    let named: Vec<_> = scripts.iter().map(|(name, sql)| (&*name.clone().leak(), &**sql)).collect();
    deploy(&mut *database.connect().await, &migrations(&named)).await.expect("a deploy");
    let other = "SELECT name, b.value, a.value FROM before_it AS b JOIN after_it AS a USING (name) \
                 WHERE NOT b.value <=> a.value";
    let other = database.query(other).await;
    assert!(other.is_empty(), "{other:#?}");
    assert!(database.value("SELECT count(*) > 200 FROM after_it").await == "1", "all of them");
}

/// Of every row the last write is logged, also where the migration's own are not, and where it fails.
async fn the_history_is_in_the_binary_log_whatever_a_migration_keeps_out_of_it(database: &Database) {
    let n =
        ("1_n", "CREATE TABLE n (n int) ENGINE = InnoDB; CREATE TABLE logged (name text, is_logged int);");
    deploy(&mut *database.connect().await, &migrations(&[n])).await.expect("the tables");
    let trigger = "CREATE TRIGGER logs AFTER UPDATE ON _windlass_migrations FOR EACH ROW \
                   BEGIN DELETE FROM logged WHERE name = NEW.name; \
                   INSERT INTO logged VALUES (NEW.name, @@SESSION.sql_log_bin); END";
    database.sql(trigger).await;
    let unlogged =
        "SET @was = @@SESSION.sql_log_bin;\nSET @@SESSION.SQL_LOG_BIN= 0;\nINSERT INTO n VALUES (1);\n";
    let dump = format!(
        "/*!40101 SET SESSION SQL_LOG_BIN = 0 */;\n{unlogged}ALTER TABLE n ADD m int;\nINSERT INTO n VALUES (1, 1);"
    );
    let bad = format!("{unlogged}INSERT INTO nowhere VALUES (1);");
    let set = migrations(&[n, ("2_rows", unlogged), ("3_dump", &dump), ("4_bad", &bad)]);
    let result = deploy(&mut *database.connect().await, &set).await;
    assert!(matches!(&result, Err(DeployError::Statement(failed)) if failed.recorded), "{result:#?}");
    let logged = "SELECT group_concat(name, is_logged ORDER BY name SEPARATOR ' ') FROM logged";
    assert_eq!(database.value(logged).await, "2_rows1 3_dump1 4_bad1");
}

/// The session is begun anew between two migrations, and its lock goes with it.
async fn whoever_takes_the_lock_between_two_migrations_is_waited_for(database: &Database) {
    let n = ("1_n", "CREATE TABLE n (n int); INSERT INTO n VALUES (1);");
    deploy(&mut *database.connect().await, &migrations(&[n])).await.expect("the table");
    let scripts = [
        n,
        ("2_set", "SET SESSION max_error_count = 3;\nUPDATE n SET n = n + 1;"),
        ("3_more", "UPDATE n SET n = n + 10;"),
    ];
    let gate = database.gate("n").await;
    let told = Told::default();
    let deploy =
        start_with(database.connect().await, migrations(&scripts), options(), told.clone(), Stop::new());
    database.running("UPDATE n SET n = n + 1").await;
    let take = format!(
        "SELECT GET_LOCK(CONCAT('windlass_', LEFT(SHA2(LOWER('{}'), 256), 48)), 30)",
        database.name()
    );
    let (mut other, taking) = (database.session().await, take.clone());
    let taken = tokio::spawn(async move { (other.query(&taking).await, other) });
    database.running("SELECT GET_LOCK(").await;
    drop(gate);
    let (answer, other) = taken.await.expect("a task");
    assert_eq!(answer[0][0].as_deref(), Some("1"), "it slips in");
    told.until_told().await;
    assert_eq!(database.value("SELECT n FROM n").await, "2", "the second waits");
    drop(other);
    let report = deploy.await.expect("a thread").expect("a deploy");
    assert_eq!(report.applied.len(), 2, "{report:#?}");
    assert!(report.waited.is_some());
    assert_eq!(database.value("SELECT n FROM n").await, "12");
    assert_eq!(
        database.query(&take.replace("30", "0")).await[0][0].as_deref(),
        Some("1"),
        "it is free again"
    );
}

/// The migration gives up the role that its user may write the history with.
async fn a_role_without_rights_hinders_the_history_as_little(database: &Database) {
    let (name, is_mysql) = (database.name().to_owned(), database.target().family == Family::MySql);
    let (user, role) = (format!("u_{name}"), format!("r_{name}"));
    let names_role = if is_mysql {
        format!("SET DEFAULT ROLE '{role}' TO '{user}'")
    } else {
        format!("SET DEFAULT ROLE {role} FOR {user}")
    };
    for sql in [
        format!("CREATE ROLE {role}"),
        format!("GRANT ALL ON {name}.* TO {role}"),
        format!("CREATE USER {user} IDENTIFIED BY 'secret'"),
        format!("GRANT {role} TO {user}"),
        names_role,
    ] {
        database.sql(&sql).await;
    }
    let url = database.url();
    let (scheme, rest) = url.split_once("://").expect("a URL");
    let (_, place) = rest.rsplit_once('@').expect("an account");
    let url = format!("{scheme}://{user}:secret@{place}");
    let given_up = "INSERT INTO n VALUES (1);\nSET ROLE NONE;\nDO 1;";
    let set = migrations(&[
        ("1_n", "CREATE TABLE n (n int);"),
        ("2_role", given_up),
        ("3_n", "INSERT INTO n VALUES (2);"),
    ]);
    let mut session = database.try_connect(&url).await.expect("a session");
    let report = deploy(&mut *session, &set).await.expect("a deploy");
    assert_eq!(report.applied.len(), 3);
    drop(session);
    assert_eq!(database.value("SELECT sum(n) FROM n").await, "3");
    database.sql(&format!("DROP USER {user}")).await;
    database.sql(&format!("DROP ROLE {role}")).await;
}

/// What it wrote stands or not together with the history's word, and the next migration is in no transaction of its.
async fn a_transaction_that_a_procedure_leaves_open_reaches_nobody(database: &Database) {
    let tables = "CREATE TABLE n (n int) ENGINE = InnoDB; \
                  CREATE PROCEDURE leaves_open() BEGIN START TRANSACTION; INSERT INTO n VALUES (1); END;";
    let first = ("1_first", tables);
    for above in ["", "-- windlass: no-transaction\n"] {
        for (bad, states) in [
            ("", vec![State::Applied; 4]),
            ("SELECT 1;", vec![State::Applied; 4]),
            ("SELECT nonsense FROM nowhere;", vec![State::Applied, State::Failed]),
            ("CALL nowhere();", vec![State::Applied, State::Failed]),
        ] {
            database.sql("DROP TABLE IF EXISTS _windlass_migrations, n").await;
            database.sql("DROP PROCEDURE IF EXISTS leaves_open").await;
            let open = format!("{above}CALL leaves_open();\n{bad}");
            let set = migrations(&[
                first,
                ("2_open", &open),
                ("3_rows", "INSERT INTO n VALUES (2); INSERT INTO n VALUES (3);"),
                ("4_table", "ALTER TABLE n ADD m int;"),
            ]);
            let result = deploy(&mut *database.connect().await, &set).await;
            assert_eq!(result.is_ok(), states.len() == 4, "{open}: {result:#?}");
            // Another session sees what is committed alone.
            let history = database.connect().await.inspect().await.expect("a history").history;
            let found: Vec<_> = history.attempts.iter().map(|attempt| attempt.state()).collect();
            assert_eq!(found, states, "{open}: {history:#?}");
            let rows = database.session().await.query("SELECT count(*) FROM n").await;
            let expected = if states.len() == 4 { "3" } else { "1" };
            assert_eq!(rows[0][0].as_deref(), Some(expected), "{open}: {history:#?}");
        }
    }
}
