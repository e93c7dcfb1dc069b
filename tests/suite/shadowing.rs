//! Shadow: a decision is written once the live schema, held against a replay of the migrations, bears it out.

use harness::{Database, Family, Project, Waiting};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::os::unix::fs::PermissionsExt;

harness::scenarios!(
    natively [Postgres, MySql, MariaDb, Sqlite]:
        a_decision_that_the_schema_speaks_against_is_refused,
        what_changes_no_definition_is_taken_at_its_word,
        a_baseline_is_held_against_what_the_migrations_make,
        what_a_checked_decision_found_is_kept,
        what_others_changed_beside_a_half_done_migration_is_told,
        what_was_taken_as_it_is_is_no_part_of_what_is_settled,
        what_is_taken_away_if_it_is_there_is_seen_to_be_gone,
        what_was_undone_on_a_word_is_held_against_the_schema,
        rows_and_additions_of_others_are_told_of_what_was_recorded,
        a_statement_that_reaches_further_is_never_replayed;
    natively [MySql, MariaDb]: a_shadow_has_the_defaults_of_the_database;
    natively [Postgres, MySql, MariaDb]:
        what_two_replays_differ_in_is_no_difference,
        a_throwaway_server_of_the_programs_that_are_here_serves_as_well;
    natively [Postgres]:
        a_shadow_is_dropped_whatever_comes_of_it,
        without_a_shadow_that_is_told;
);

const USERS: (&str, &str) = ("1_users", "CREATE TABLE users (id int PRIMARY KEY, login varchar(40));");
const EMAIL: (&str, &str) = (
    "2_email",
    "ALTER TABLE users ADD COLUMN email varchar(90);\nCREATE INDEX users_email ON users (email);",
);
const SEED: (&str, &str) = ("3_seed", "INSERT INTO users (id) VALUES (1);");

/// SQLite replays in memory; a server has to be allowed to.
fn checked<'a>(database: &Database, arguments: &[&'a str]) -> Vec<&'a str> {
    let mut all = arguments.to_vec();
    if database.target().family != Family::Sqlite {
        all.extend(["--shadow", "same-server"]);
    }
    all
}

async fn a_decision_that_the_schema_speaks_against_is_refused(database: &Database) {
    let project = Project::new(database, &[USERS]);
    project.run(&["deploy"]).await.code(0);
    project.migration(EMAIL.0, EMAIL.1);
    let applied = checked(database, &["resolve", "--applied", "2_email", "--reason", "by hand"]);
    let refused = project.run(&applied).await.code(3);
    refused
        .err("the live schema is not what it is after 2 of the 2 statements of `2_email`")
        .err("users.email is not there, and should be")
        .err("it is what it is before any of its statements")
        .err("--force");
    project.run(&["status", "--check"]).await.code(8).out("pending  2_email");
    for sql in EMAIL.1.lines() {
        database.sql(sql).await;
    }
    // What others changed elsewhere says nothing about this migration.
    database.sql("CREATE TABLE by_hand (n int)").await;
    project.run(&applied).await.code(0).out("Resolved 2_email");
    let back = checked(database, &["resolve", "--rolled-back", "2_email"]);
    project.run(&back).await.code(3).err("`windlass resolve --applied 2_email` says what is true");
    project.run(&[&back[..], &["--force"]].concat()).await.code(0);
    project.run(&["status", "--check"]).await.code(8).out("2_email");
}

async fn what_changes_no_definition_is_taken_at_its_word(database: &Database) {
    let project = Project::new(database, &[USERS]);
    project.run(&["deploy"]).await.code(0);
    project.migration(SEED.0, SEED.1);
    let applied = checked(database, &["resolve", "--applied", "3_seed"]);
    project.run(&applied).await.code(0).err("changes no definition");
}

async fn a_baseline_is_held_against_what_the_migrations_make(database: &Database) {
    database.sql(USERS.1).await;
    // Another tool's history is no part of the schema.
    database.sql("CREATE TABLE _sqlx_migrations (version bigint PRIMARY KEY)").await;
    let project = Project::new(database, &[USERS, EMAIL]);
    let baseline = |name| checked(database, &["baseline", name]);
    let refused = project.run(&baseline("2_email")).await.code(3);
    refused
        .err("what the migrations from `1_users` to `2_email` make")
        .err("users.email is not there, and should be");
    database.sql("CREATE TABLE by_hand (n int)").await;
    project.run(&baseline("1_users")).await.code(3).err("by_hand is there, and should not be");
    project.run(&["history"]).await.code(0);
    database.sql("DROP TABLE by_hand").await;
    project.run(&baseline("1_users")).await.code(0).out("Recorded 1_users");
    project.run(&["deploy"]).await.code(0).out("Applied 2_email");
}

/// What others change afterwards is drift, also in objects that the settled migration names.
async fn what_a_checked_decision_found_is_kept(database: &Database) {
    database.sql(USERS.1).await;
    let project = Project::new(database, &[USERS]);
    project.run(&checked(database, &["baseline", "1_users"])).await.code(0);
    project.run(&["drift"]).await.code(0).out("no drift: the schema is as it was kept");
    database.sql("CREATE INDEX by_hand ON users (login)").await;
    project.run(&["drift"]).await.code(10).err("since 1_users was recorded at");
    project.migration(EMAIL.0, EMAIL.1);
    for sql in EMAIL.1.lines() {
        database.sql(sql).await;
    }
    let settle = |how| checked(database, &["resolve", how, "2_email"]);
    // What stands besides is not taken with it.
    project.run(&settle("--applied")).await.code(0);
    let touched = project.run(&["drift", "--json"]).await.code(0).json();
    assert_eq!(touched["state"], "touched", "{touched}");
    assert!(touched["differences"].to_string().contains("by_hand"), "{touched}");
    project.run(&[&settle("--rolled-back")[..], &["--force"]].concat()).await.code(0);
    let drop = match database.target().family {
        Family::MySql | Family::MariaDb => "DROP INDEX by_hand ON users",
        _ => "DROP INDEX by_hand",
    };
    database.sql(drop).await;
    project.run(&settle("--applied")).await.code(0);
    project.run(&["drift"]).await.code(0).out("no drift: the schema is as it was kept");
    database.sql("CREATE INDEX by_hand ON users (login)").await;
    project.run(&["drift"]).await.code(10).out("by_hand was added").err("since 2_email was recorded at");
    // Nor does what was undone excuse anything.
    database.sql(drop).await;
    project.run(&[&settle("--rolled-back")[..], &["--force"]].concat()).await.code(0);
    project.migration(
        "3_half",
        "-- windlass: no-transaction\nCREATE TABLE half (n int);\nINSERT INTO nowhere VALUES (1);",
    );
    project.run(&settle("--applied")).await.code(0);
    project.run(&["deploy"]).await.code(4);
    database.sql("DROP TABLE half").await;
    project.run(&checked(database, &["resolve", "--rolled-back", "3_half"])).await.code(0);
    project.run(&["drift"]).await.code(0).out("no drift: the schema is as it was kept");
    database.sql("CREATE TABLE half (other int)").await;
    project.run(&["drift"]).await.code(10).out("half was added");
}

async fn what_others_changed_beside_a_half_done_migration_is_told(database: &Database) {
    let project = Project::new(database, &[USERS]);
    project.run(&["deploy"]).await.code(0);
    let half = "-- windlass: no-transaction\nALTER TABLE users ADD COLUMN email varchar(90);\n\
                INSERT INTO nowhere VALUES (1);";
    project.migration("2_email", half);
    project.run(&["deploy"]).await.code(4);
    let diagnose = || checked(database, &["diagnose"]);
    let told = project.run(&[&diagnose()[..], &["--json"]].concat()).await.json();
    assert_eq!(
        (&told["drift"]["state"], &told["beside"]),
        (&"touched".into(), &serde_json::json!([])),
        "{told}"
    );
    database.sql("CREATE INDEX by_hand ON users (login)").await;
    let told = project.run(&[&diagnose()[..], &["--json"]].concat()).await.json();
    assert_eq!(told["beside"].as_array().map(Vec::len), Some(1), "{told}");
    let words = project.run(&diagnose()).await;
    words.out("by_hand is there, and should not be").out("a deploy takes it as it is");
    // Nobody has kept the schema since this one ran, so that it is missed by no look at what was kept.
    database.sql(&dropped(database, "by_hand", "users")).await;
    project.run(&[&["resolve", "--rolled-back", "2_email", "--force"][..]].concat()).await.code(0);
    database.sql("ALTER TABLE users DROP COLUMN email").await;
    project.migration("2_email", "CREATE TABLE letters (n int);");
    project.migration("3_half", HALF.1);
    project.run(&["deploy"]).await.code(4);
    database.sql("DROP TABLE letters").await;
    let told = project.run(&[&diagnose()[..], &["--json"]].concat()).await.json();
    let gone = "table letters is gone, which statement 1 of `2_email` made";
    assert_eq!(told["drift"]["differences"][0]["text"], gone, "{told:#}");
    assert_eq!(told["beside"], serde_json::json!([]), "it is told once: {told:#}");
}

const HALF: (&str, &str) = (
    "2_half",
    "-- windlass: no-transaction\nCREATE TABLE half (n int);\nINSERT INTO nowhere VALUES (1);\nCREATE TABLE rest (n int);",
);

/// Neither the decision nor the advice asks to have it undone; and what was done before is no excuse for what others change
/// afterwards.
async fn what_was_taken_as_it_is_is_no_part_of_what_is_settled(database: &Database) {
    let project = Project::new(database, &[USERS]);
    project.run(&["deploy"]).await.code(0);
    project.migration(HALF.0, HALF.1);
    project.run(&["deploy"]).await.code(4);
    database.sql("ALTER TABLE half ADD COLUMN theirs int").await;
    let diagnose = || checked(database, &["diagnose", "--json"]);
    let told = project.run(&diagnose()).await.code(3).json();
    assert_eq!(told["advice"]["action"], "undo", "{told:#}");
    project.run(&["drift", "accept", "--reason", "it may stay"]).await.code(0);
    let told = project.run(&diagnose()).await.code(3).json();
    assert_eq!(
        (&told["advice"]["action"], &told["beside"]),
        (&"mend".into(), &serde_json::json!([])),
        "{told:#}"
    );
    project.run(&["drift"]).await.code(0).out("no drift: the schema is as it was kept");
    // That others change another table makes nothing of it.
    database.sql("ALTER TABLE users ADD COLUMN elsewhere int").await;
    let told = project.run(&diagnose()).await.code(3).json();
    let (action, beside) = (&told["advice"]["action"], told["beside"].as_array().expect("a list"));
    assert!(action == "mend" && !beside.iter().any(|one| one.to_string().contains("theirs")), "{told:#}");
    database.sql("ALTER TABLE users DROP COLUMN elsewhere").await;
    database.sql("CREATE INDEX later ON half (n)").await;
    let drift = project.run(&["drift"]).await.code(10).out("later was added");
    drift.err("in the midst of `2_half` behind statement 1: it may stay");
    database.sql(&dropped(database, "later", "half")).await;
    project.run(&["drift"]).await.code(0);
    database.sql("CREATE TABLE nowhere (n int)").await;
    project.run(&["drift"]).await.code(10);
    project.run(&["drift", "accept", "--reason", "it was missing"]).await.code(0);
    project.run(&checked(database, &["resolve", "--resume", "2_half"])).await.code(0);
    project.run(&["deploy"]).await.code(0).out("Applied 2_half");
    project.run(&["drift"]).await.code(0).out("no drift: the schema is as it was kept");
}

/// A replay never had what somebody made by hand: its states are those of before without it, too.
async fn what_is_taken_away_if_it_is_there_is_seen_to_be_gone(database: &Database) {
    let project = Project::new(database, &[USERS]);
    project.run(&["deploy"]).await.code(0);
    // Refused here, and on no empty database.
    database.sql("INSERT INTO users (id) VALUES (1)").await;
    let hot = "CREATE TABLE hot (n int)";
    database.sql(hot).await;
    project.run(&["drift", "accept", "--reason", "an emergency"]).await.code(0);
    let clean = "-- windlass: no-transaction\nDROP TABLE IF EXISTS hot;\nINSERT INTO users (id) VALUES (1);";
    project.migration("2_clean", clean);
    project.run(&["deploy"]).await.code(4);
    assert_eq!(database.tables().await, ["users"]);
    let decided = |how: &'static str| checked(database, &["resolve", how, "2_clean"]);
    project.run(&decided("--rolled-back")).await.code(3).err("table").err("hot is not there, and should be");
    let told = project.run(&checked(database, &["diagnose", "--json"])).await.code(3).json();
    assert_eq!(told["advice"]["action"], "mend", "{told:#}");
    let fate = &told["migration"]["statements"][0]["fate"];
    assert_eq!(fate, "done", "{told:#}");
    // As it was before: nothing of it took effect.
    database.sql(hot).await;
    project.run(&decided("--applied")).await.code(3).err("hot is there, and should not be");
    project.run(&decided("--rolled-back")).await.code(0);
    project.run(&["drift"]).await.code(0).out("no drift: the schema is as it was kept");
    // And where it is made anew, that is not what was there.
    let anew = "-- windlass: no-transaction\nDROP TABLE IF EXISTS hot;\nCREATE TABLE hot (n int, m int);\n\
                INSERT INTO users (id) VALUES (1);";
    project.migration("2_clean", anew);
    project.run(&["deploy"]).await.code(4);
    project.run(&decided("--rolled-back")).await.code(3).err("hot.m is there, and should not be");
    database.sql("DROP TABLE hot").await;
    project.run(&decided("--rolled-back")).await.code(3).err("hot is not there, and should be");
    database.sql(hot).await;
    project.run(&decided("--rolled-back")).await.code(0);
}

fn dropped(database: &Database, index: &str, table: &str) -> String {
    match database.target().family {
        Family::MySql | Family::MariaDb => format!("DROP INDEX {index} ON {table}"),
        _ => format!("DROP INDEX {index}"),
    }
}

async fn what_was_undone_on_a_word_is_held_against_the_schema(database: &Database) {
    let project = Project::new(database, &[USERS]);
    project.run(&["deploy"]).await.code(0);
    project.migration(HALF.0, HALF.1);
    project.run(&["deploy"]).await.code(4);
    project.run(&["resolve", "--rolled-back", "2_half", "--force", "--reason", "surely"]).await.code(0);
    if database.target().family != Family::Sqlite {
        let unseen = project.run(&["diagnose"]).await.code(0);
        unseen
            .out("recorded as rolled back by a person's word: 2_half; the live schema was held against nothing")
            .out("nothing is known to be in its way; whether what was recorded as rolled back");
    }
    let told = project.run(&checked(database, &["diagnose", "--json"])).await.code(3).json();
    let choices = &told["advice"]["choices"];
    assert!(choices[0]["by_hand"][0].to_string().contains("half away"), "{told:#}");
    let stays: Vec<_> = choices[1]["commands"].as_array().expect("commands").iter().collect();
    assert_eq!(stays, ["windlass resolve --applied 2_half", "windlass deploy"], "{told:#}");
    let words = project.run(&checked(database, &["diagnose"])).await.code(3);
    words.out("`2_half` was recorded as rolled back (rolled back: surely");
    database.sql("DROP TABLE half").await;
    let told = project.run(&checked(database, &["diagnose", "--json"])).await.code(0).json();
    assert_eq!(told["advice"]["why"], "nothing is in its way", "{told:#}");
}

const ROWS: &str = "no schema tells";

async fn rows_and_additions_of_others_are_told_of_what_was_recorded(database: &Database) {
    let project = Project::new(database, &[USERS]);
    project.run(&["deploy"]).await.code(0);
    database.sql("INSERT INTO users (id) VALUES (1)").await;
    project.migration(HALF.0, &HALF.1.replace("nowhere", "users (id)"));
    project.run(&["deploy"]).await.code(4);
    database.sql("CREATE TABLE rest (n int)").await;
    project.run(&checked(database, &["resolve", "--applied", "2_half"])).await.code(0).err(ROWS);
    let told = project.run(&checked(database, &["diagnose", "--json"])).await.code(0).json();
    assert_eq!(told["recorded"][0]["unseen_rows"], serde_json::json!([2]), "{told:#}");
    let why = told["advice"]["why"].as_str().expect("words");
    assert!(
        why.contains("that the rows of statement 2 of `2_half` were changed is a person's word"),
        "{told:#}"
    );
    // Nor is a row's statement borne out by a schema that shows nothing of it.
    let other = HALF.1.replace("nowhere", "users (id)").replace("half", "other").replace("rest", "others");
    database.sql("INSERT INTO users (id) VALUES (2)").await;
    project.migration("2_other", &other.replace("(1)", "(2)"));
    project.run(&["deploy"]).await.code(4);
    let took_effect = ["resolve", "--resume", "--took-effect", "2_other"];
    project.run(&checked(database, &took_effect)).await.code(0).err(ROWS);
    project.run(&["deploy"]).await.code(0);
    // A table that is made anew has nothing of the one before.
    project.migration("2_remade", "DROP TABLE others;\nCREATE TABLE others (m int);");
    project
        .run(&["resolve", "--applied", "2_remade", "--force", "--reason", "it is all there"])
        .await
        .code(0);
    project.run(&["history"]).await.code(0).out("applied: it is all there (by ");
    let told = project.run(&checked(database, &["diagnose", "--json"])).await.code(3).json();
    assert!(told["recorded"].to_string().contains("others"), "{told:#}");
    project.run(&["resolve", "--rolled-back", "2_remade", "--force"]).await.code(0);
    std::fs::remove_file(project.path("migrations/2_remade.sql")).expect("removed");
    // No migration speaks of the index: it is no sign that what was recorded does not stand.
    database.sql(EMAIL.1.lines().next().expect("a statement")).await;
    database.sql("CREATE INDEX theirs ON users (login)").await;
    project.migration("3_email", EMAIL.1.lines().next().expect("a statement"));
    project.run(&checked(database, &["resolve", "--applied", "3_email"])).await.code(0);
    let told = project.run(&checked(database, &["diagnose", "--json"])).await.code(0).json();
    assert!(told["beside"].to_string().contains("theirs"), "{told:#}");
    let why = told["advice"]["why"].as_str().expect("words");
    assert!(why.contains("others changed 1 object beside what the migrations make"), "{told:#}");
}

async fn a_statement_that_reaches_further_is_never_replayed(database: &Database) {
    let file = database.folder().join("outside.db");
    let (outside, count) = match database.target().family {
        Family::Sqlite => (format!("ATTACH '{}' AS o; CREATE TABLE o.t (n int);", file.display()), None),
        Family::Postgres => (
            "DO $$ BEGIN CREATE ROLE windlass_nobody; END $$;".to_owned(),
            Some("SELECT count(*) FROM pg_roles WHERE rolname = 'windlass_nobody'"),
        ),
        _ => (
            "CREATE DATABASE windlass_nowhere;".to_owned(),
            Some("SELECT count(*) FROM information_schema.schemata WHERE schema_name = 'windlass_nowhere'"),
        ),
    };
    let project = Project::new(database, &[USERS]);
    project.run(&["deploy"]).await.code(0);
    project.migration("2_outside", &outside);
    let refused = project.run(&checked(database, &["resolve", "--applied", "2_outside"])).await.code(3);
    refused
        .err("2_outside")
        .err(":1:1\ncaused by: a replay would do more than change its own database")
        .err("--force");
    match count {
        Some(count) => assert_eq!(database.value(count).await, "0", "it was replayed"),
        None => assert!(!file.exists(), "it was replayed"),
    }
}

async fn a_shadow_has_the_defaults_of_the_database(database: &Database) {
    database.sql("ALTER DATABASE CHARACTER SET latin1 COLLATE latin1_bin").await;
    database.sql(USERS.1).await;
    let project = Project::new(database, &[USERS, EMAIL]);
    project.run(&checked(database, &["baseline", "1_users"])).await.code(0);
    project.run(&["deploy"]).await.code(0);
    project.run(&checked(database, &["diagnose"])).await.code(0).out("everything is as it should be");
}

/// Made by hand at another moment than in the replay.
async fn what_two_replays_differ_in_is_no_difference(database: &Database) {
    let made = match database.target().family {
        Family::Postgres => {
            "CREATE TABLE t (id int, at timestamptz DEFAULT 'now', CHECK (at > 'now'::timestamptz));"
        }
        _ => "CREATE TABLE t (id int);\nCREATE EVENT e ON SCHEDULE EVERY 1 DAY DO DELETE FROM t;",
    };
    // As windlass's own session would, but at another time.
    let event = "CREATE DEFINER = root@127.0.0.1 EVENT e ON SCHEDULE EVERY 1 DAY STARTS '2026-01-31 12:00:00' \
                 DO DELETE FROM t";
    let by_hand = match database.target().family {
        Family::Postgres => made.to_owned(),
        Family::MySql => {
            format!("SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci; CREATE TABLE t (id int); {event}")
        }
        _ => format!("CREATE TABLE t (id int); {event}"),
    };
    let project = Project::new(database, &[USERS]);
    project.run(&["deploy"]).await.code(0);
    project.migration("2_t", made);
    database.sql(&by_hand).await;
    let applied = checked(database, &["resolve", "--applied", "2_t"]);
    database.sql("ALTER TABLE t ADD COLUMN by_hand int").await;
    let refused = project.run(&applied).await.code(3);
    refused
        .err("1 object differs")
        .err("t.by_hand is there, and should not be")
        .err("is worked out when it is made, to ");
    database.sql("ALTER TABLE t DROP COLUMN by_hand").await;
    project.run(&applied).await.code(0).out("Resolved 2_t");
}

/// Also where the command is killed there is no server and no folder left.
async fn a_throwaway_server_of_the_programs_that_are_here_serves_as_well(database: &Database) {
    let project = Project::new(database, &[USERS]);
    project.run(&["deploy"]).await.code(0);
    project.migration(EMAIL.0, EMAIL.1);
    let none = ["resolve", "--applied", "2_email", "--shadow", "local", "--shadow-programs", "."];
    project.run(&none).await.code(6).err("is installed here").err("--shadow-programs DIR");
    // A server that others gave, or that is in a container, has none here.
    let Some(programs) = database.target().programs() else { return };
    // Whoever runs the server for root may enter it.
    let folder = tempfile::Builder::new().prefix("a, b \"c\" ").tempdir().expect("a folder");
    std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).expect("a mode");
    let command = |arguments: &[&str]| {
        let mut command = project.command(arguments);
        command.args(["--shadow", "local"]).env("WINDLASS_SHADOW_PROGRAMS", &programs);
        command.env("TMPDIR", folder.path());
        command
    };
    let left =
        || std::fs::read_dir(folder.path()).expect("a folder").next().map(|left| left.expect("one").path());
    let applied = ["resolve", "--applied", "2_email"];
    project.end(command(&applied)).await.code(3).err("users.email is not there, and should be");
    assert_eq!(left(), None);
    for sql in EMAIL.1.lines() {
        database.sql(sql).await;
    }
    project.end(command(&applied)).await.code(0).out("Resolved 2_email");
    assert_eq!(left(), None);
    let sleep =
        if database.target().family == Family::Postgres { "SELECT pg_sleep(600);" } else { "DO SLEEP(600);" };
    project.migration("3_slow", sleep);
    project.migration("4_more", "ALTER TABLE users ADD COLUMN more int;");
    let child = command(&["resolve", "--applied", "4_more"]).spawn().expect("the binary runs");
    let waiting = Waiting::for_this("the server runs");
    let number = loop {
        let file = left().map(|folder| match database.target().family {
            Family::Postgres => folder.join("data/postmaster.pid"),
            _ => folder.join("pid"),
        });
        let text = file.and_then(|file| std::fs::read_to_string(file).ok()).unwrap_or_default();
        if let Some(number) = text.lines().next().and_then(|line| line.trim().parse().ok()) {
            break Pid::from_raw(number);
        }
        waiting.pause().await;
    };
    let mode = left().expect("its folder").metadata().expect("a mode").permissions().mode();
    assert_eq!(mode & 0o077, 0, "whoever may enter may be the server's superuser: {mode:o}");
    let process = i32::try_from(child.id()).expect("a process number");
    kill(Pid::from_raw(process), Signal::SIGKILL).expect("killed");
    assert_eq!(project.ended(child).await.code, None);
    let waiting = Waiting::for_this("server and folder are gone");
    while left().is_some() || kill(number, None).is_ok() {
        waiting.pause().await;
    }
}

async fn a_shadow_is_dropped_whatever_comes_of_it(database: &Database) {
    let project = Project::new(database, &[USERS, ("2_bad", "INSERT INTO nowhere VALUES (1);")]);
    let url = database.url();
    let run = async |name: &str| {
        let ran = project.run(&["resolve", "--applied", name, "-v", "--shadow-database-url", &url]).await;
        let shadow = ran.stderr.split("database=\"").find_map(|rest| rest.strip_prefix("windlass_shadow_"));
        let shadow = shadow.and_then(|rest| rest.split('"').next()).expect("its name in the log").to_owned();
        let left = format!("SELECT count(*) FROM pg_database WHERE datname = 'windlass_shadow_{shadow}'");
        assert_eq!(database.value(&left).await, "0", "{ran:?}");
        ran
    };
    run("1_users").await.code(3).err("users is not there, and should be");
    run("2_bad").await.code(3).err("cannot be run on an empty database").err("nowhere");
    database.sql(USERS.1).await;
    run("1_users").await.code(0);
}

async fn without_a_shadow_that_is_told(database: &Database) {
    let project = Project::new(database, &[USERS]);
    let applied = ["resolve", "--applied", "1_users"];
    let empty =
        project.run(&applied).await.code(3).err("the database is empty").err("`windlass deploy` runs");
    empty.err("`--force`");
    database.sql(USERS.1).await;
    let told = project.run(&applied).await.code(0);
    told.err("was not checked").err("--shadow-database-url").err("--shadow same-server");
}
