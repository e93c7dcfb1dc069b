//! `deploy`: what it does, what it says, and the codes it ends with.

mod support;

use support::{Project, Ran};

const USERS: (&str, &str) = ("1_users.sql", "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT);");
const EMAIL: (&str, &str) =
    ("2_email.sql", "ALTER TABLE users ADD COLUMN email TEXT;\nUPDATE users SET email = name;");
const BROKEN: (&str, &str) = ("3_broken.sql", "CREATE TABLE b (x);\nINSERT INTO b\n  (y) VALUES (1);\n");

#[test]
fn it_applies_what_is_pending_and_then_nothing() {
    let project = Project::fixture("shop/sqlite");
    let first = project.deploy(&[]).ends_with(0);
    let lines: Vec<_> = first.stdout.lines().collect();
    assert_eq!(lines.len(), 9, "{first:#?}");
    assert!(lines[0].starts_with("     Applied 20240102093000_create_customers (1 statement, "));
    assert!(lines[8].starts_with("    Finished 8 migrations in "));
    assert!(lines[8].ends_with(", at 20240402120000_low_stock_view"));
    let (deploying, applying) =
        ("   Deploying to sqlite:app.db\n", "    Applying 8 migrations in one transaction\n");
    assert_eq!(first.stderr, format!("{deploying}{applying}"));
    assert_eq!(project.count("SELECT count(*) FROM low_stock"), 1);

    let second = project.deploy(&[]).ends_with(0);
    assert_eq!(second.stdout, "    Finished nothing to do, at 20240402120000_low_stock_view\n");
    assert_eq!(second.stderr, "");
    assert_eq!(project.deploy(&["--quiet"]).ends_with(0).stdout, "");
}

#[test]
fn quiet_says_nothing_of_success_and_everything_of_failure() {
    let project = Project::with(&[USERS, BROKEN]);
    let ran = project.deploy(&["-q"]).ends_with(4);
    assert_eq!(ran.stdout, "");
    assert!(ran.stderr.starts_with("error: migration `3_broken` failed at statement 2 of 2\n"), "{ran:#?}");
}

#[test]
fn plain_lines_tell_of_a_transaction_once_and_of_its_failure() {
    let project = Project::with(&[USERS, EMAIL, BROKEN]);
    let ran = project.deploy(&[]).ends_with(4);
    let progress: Vec<_> = ran.stderr.lines().take_while(|line| !line.starts_with("error")).collect();
    let expected = [
        "   Deploying to sqlite:app.db",
        "    Applying 3 migrations in one transaction",
        "    Retrying after a rollback: 3_broken failed, and runs by itself now",
        "    Applying 2 migrations in one transaction",
        "    Applying 3_broken (2 statements)",
    ];
    assert_eq!(progress, expected);
}

#[cfg(target_os = "linux")]
#[test]
fn output_that_cannot_be_written_is_no_success_and_a_closed_pipe_is() {
    let project = Project::with(&[USERS]);
    project.deploy(&[]).ends_with(0);
    for arguments in
        [&["status"][..], &["status", "--json"], &["deploy"], &["--help"], &["completions", "bash"]]
    {
        let full = std::fs::File::options().write(true).open("/dev/full").expect("the device");
        let mut command = project.command(arguments);
        command.env("DATABASE_URL", "sqlite:app.db").stdout(full);
        let ran = Ran::of(command.output().expect("runs")).ends_with(1);
        assert!(
            ran.stderr.starts_with("error: stdout cannot be written to\ncaused by: No space left"),
            "{ran:#?}"
        );

        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let mut command = project.command(arguments);
        command.env("DATABASE_URL", "sqlite:app.db").stdout(writer);
        assert_eq!(Ran::of(command.output().expect("runs")).ends_with(0).stderr, "");
    }
}

#[test]
fn a_failure_tells_place_cause_what_stands_and_what_to_do() {
    let project = Project::with(&[USERS, BROKEN]);
    let ran = project.deploy(&[]).ends_with(4).out("     Applied 1_users");
    let told = ran.stderr.split_once("error: ").expect("an error").1;
    let caret = [
        "migration `3_broken` failed at statement 2 of 2",
        " --> migrations/3_broken.sql:2:1",
        "  |",
        "2 | INSERT INTO b",
        "  | ^^^^^^^^^^^^^",
        "caused by: table b has no column named y",
        "     code: SQLITE_ERROR (1)",
        "     note: `3_broken` was rolled back: nothing of it stands",
        "     note: applied before it in this run, and standing: 1 migration",
        "     hint: mend migrations/3_broken.sql and deploy again",
    ];
    assert_eq!(told.lines().collect::<Vec<_>>(), caret);
    assert_eq!(project.count("SELECT count(*) FROM sqlite_schema WHERE name = 'b'"), 0);

    project.write("migrations/3_broken.sql", "CREATE TABLE b (y);\nINSERT INTO b (y) VALUES (1);\n");
    project.deploy(&[]).ends_with(0).out("     Applied 3_broken");
}

#[test]
fn the_caret_stands_where_the_database_points() {
    let project = Project::fixture("bookshop-broken/sqlite");
    let ran = project.deploy(&[]).ends_with(4).err("add_price.sql:5:29\n");
    let lines: Vec<_> = ran.stderr.lines().collect();
    let code = lines.iter().position(|line| line.contains("WHEN page > 500")).expect("the line");
    assert_eq!(lines[code].find("page >"), lines[code + 1].find("^^^^"), "{ran:#?}");
    assert!(lines[code - 1].ends_with("| UPDATE books"), "{ran:#?}");
}

#[test]
fn a_dry_run_prints_the_plan_and_writes_nothing() {
    let project = Project::with(&[USERS, EMAIL]);
    project.sql("PRAGMA user_version = 7");
    let before = std::fs::read(project.path("app.db")).expect("the file");
    let ran = project
        .deploy(&["--dry-run"])
        .ends_with(0)
        .err("2 migrations would be applied to sqlite:app.db; nothing was written");
    assert!(
        ran.stdout.contains("execute 2_email 1/2: ALTER TABLE users ADD COLUMN email TEXT\n"),
        "{ran:#?}"
    );
    assert_eq!(std::fs::read(project.path("app.db")).expect("the file"), before);
    let missing = project.run(&["deploy", "--dry-run", "--database-url", "sqlite:new.db"]);
    missing.ends_with(6).err(
        "caused by: there is no file `new.db`\n     hint: `windlass deploy --create-database` creates it",
    );
    project.run(&["deploy", "--dry-run", "--database-url", "sqlite:new.db?mode=rwc"]).ends_with(6);
    // The plan for a file that would be made.
    let first = project.run(&["deploy", "--dry-run", "--create-database", "--database-url", "sqlite:new.db"]);
    assert!(first.ends_with(0).stdout.contains("execute 1_users 1/1: CREATE TABLE users"), "the plan");
    assert!(!project.path("new.db").exists());
}

#[test]
fn to_stops_after_a_migration_by_name_or_version() {
    let project = Project::with(&[USERS, EMAIL]);
    project.deploy(&["--to", "1_users"]).ends_with(0).out("1 migration in").out(", at 1_users");
    project.deploy(&["--to", "1_users"]).ends_with(0).out("nothing to do, up to 1_users");
    project.deploy(&["--to", "2"]).ends_with(0).out("Applied 2_email");
    project.deploy(&["--to", "3_nothing"]).ends_with(2).err("there is no migration `3_nothing`");
    // It is told before any database is asked.
    let nowhere = ["deploy", "--database-url", "sqlite:nowhere.db?mode=rw", "--to", ""];
    project.run(&nowhere).ends_with(2).err("there is no migration ``");
}

#[test]
fn a_missing_database_is_created_only_when_asked_for() {
    let project = Project::with(&[USERS]);
    project.run(&["deploy", "--database-url", "sqlite:app.db"]).ends_with(6).err("--create-database");
    assert!(!project.path("app.db").exists());
    project.run(&["deploy", "--database-url", "sqlite:app.db", "--create-database"]).ends_with(0);
    let bad = Project::with(&[("1_bad.sql", "SELECT nothing FROM nowhere;")]);
    let ran = bad.run(&["deploy", "--database-url", "sqlite:bad.db", "--create-database"]).ends_with(4);
    ran.err("note: the database was created for this run, and stands without any migration\n");
    assert!(bad.path("bad.db").exists());
}

#[test]
fn a_deploy_says_which_database_it_works_on() {
    let project = Project::with(&[USERS, ("2_open.sql", "SELECT 1;\n/* SELECT 2;\n")]);
    let ran = project.deploy(&[]).ends_with(0);
    assert!(ran.stderr.starts_with("   Deploying to sqlite:app.db\nnote: "), "{ran:#?}");
    ran.err("2_open.sql:2:1: this comment is never closed");
    assert_eq!(project.deploy(&[]).stderr, "", "nothing is done to any");
}

#[test]
fn no_database_is_created_for_what_is_refused() {
    let project = Project::with(&[USERS, ("2_compact.sql", "VACUUM;")]);
    for url in ["sqlite:app.db", "sqlite:app.db?mode=rwc"] {
        let deploy = ["deploy", "--create-database", "--single-transaction", "--database-url", url];
        project.run(&deploy).ends_with(3).err("`2_compact` cannot be in one transaction with the rest");
        assert!(!project.path("app.db").exists());
    }
}

#[test]
fn no_database_is_created_for_an_empty_folder() {
    let project = Project::empty();
    std::fs::create_dir(project.path("migrations")).expect("a folder");
    for url in ["sqlite:app.db", "sqlite:app.db?mode=rwc"] {
        let ran = project.run(&["deploy", "--create-database", "--database-url", url]).ends_with(0);
        ran.err("warning: there are no migrations in migrations\n")
            .err("sqlite:app.db is not there, and was not");
        assert!(!project.path("app.db").exists());
    }
    let ran = project.run(&["deploy", "--json", "--create-database", "--database-url", "sqlite:app.db"]);
    assert_eq!(ran.ends_with(0).json()["database"], serde_json::Value::Null);
    let ran = project.run(&["deploy", "--json", "--dry-run", "--database-url", "sqlite:app.db"]);
    assert_eq!(ran.ends_with(0).json()["plan"]["migrations"], serde_json::json!([]));
    project.run(&["deploy", "--database-url", "mysql://ann@127.0.0.1:1/shop"]).ends_with(6);
}

#[test]
fn a_database_with_objects_and_no_history_is_refused() {
    let project = Project::with(&[USERS]);
    project.sql("CREATE TABLE theirs (id)");
    project.deploy(&[]).ends_with(3).err("is not empty: it holds theirs").err("windlass baseline");
    project.deploy(&["--allow-non-empty"]).ends_with(0);
}

#[test]
fn an_edit_and_a_lost_file_are_refused() {
    let project = Project::with(&[USERS, EMAIL]);
    project.deploy(&[]).ends_with(0);
    project.write("migrations/2_email.sql", "ALTER TABLE users ADD COLUMN mail TEXT;");
    project
        .deploy(&[])
        .ends_with(3)
        .err("changed since applied: 2_email")
        .err("windlass resolve --accept-edit 2_email");
    project.write("migrations/2_email.sql", EMAIL.1);
    std::fs::remove_file(project.path("migrations/1_users.sql")).expect("removed");
    project.deploy(&[]).ends_with(3).err("applied, and not in the project: 1_users");
}

#[test]
fn order_and_versions_are_kept_when_asked_for() {
    let project = Project::with(&[USERS, EMAIL, ("2_other.sql", "CREATE TABLE other (id);")]);
    project.deploy(&["--strict-order"]).ends_with(7).err("version 2 is used by 2_email, 2_other");
    project.deploy(&[]).ends_with(0).err("note: 2 migrations have version 2: 2_email, 2_other");
    project.write("migrations/1_1_late.sql", "UPDATE users SET name = 'late';");
    project.write("migrations/1.5_late.sql", "UPDATE users SET name = 'late';");
    project.deploy(&[]).ends_with(3).err("--out-of-order");
    project.deploy(&["--out-of-order"]).ends_with(0);
}

#[test]
fn a_bad_folder_is_told_before_any_connection_is_opened() {
    for (fixture, part) in [
        ("layouts-bad/mixed-plain-and-folders", "one folder has one layout"),
        ("layouts-bad/not-utf-8", "is not UTF-8"),
        ("layouts-bad/name-without-version", "has no version"),
    ] {
        let project = Project::fixture(fixture);
        // Nothing listens there: were it tried, the code would be 6.
        let ran = project.run(&["deploy", "--database-url", "mysql://ann@127.0.0.1:1/shop"]);
        ran.ends_with(7).err(part);
    }
    Project::empty().deploy(&[]).ends_with(7).err("there is no folder migrations");
}

#[test]
fn a_script_that_cannot_be_planned_is_told_with_its_place() {
    let project = Project::with(&[USERS, ("2_open.sql", "SELECT 1;\n  SELECT 'open;\n")]);
    let ran = project.deploy(&[]).ends_with(7).err("--> migrations/2_open.sql:2:10").err("is never closed");
    assert!(ran.stderr.contains("2 |   SELECT 'open;\n"), "{ran:#?}");
    assert_eq!(project.count("SELECT count(*) FROM sqlite_schema"), 0);
}

#[test]
fn nobody_waits_for_a_lock_longer_than_asked() {
    let project = Project::with(&[USERS]);
    project.sql("PRAGMA user_version = 1");
    let writer = rusqlite::Connection::open(project.path("app.db")).expect("opens");
    writer.execute_batch("BEGIN IMMEDIATE; CREATE TABLE theirs (id)").expect("locks");
    let url = "sqlite:app.db?busy_timeout=10";
    let ran = project.run(&["deploy", "--database-url", url, "--lock-wait", "50ms", "--allow-non-empty"]);
    ran.ends_with(5).err("another writer holds the lock").err("--lock-wait 10m");
    drop(writer);
    project.deploy(&[]).ends_with(0);
}

#[test]
fn a_history_of_a_newer_windlass_is_left_alone() {
    let project = Project::with(&[USERS]);
    project.deploy(&[]).ends_with(0);
    project.sql("UPDATE _windlass_migrations SET format = 99");
    project.deploy(&[]).ends_with(3).err("99").err("deploy with the version of windlass that wrote it");
}

#[test]
fn a_file_that_is_no_database_is_told_in_its_words() {
    let project = Project::with(&[USERS]);
    project.write("app.db", "this is not a database, and it is long enough to be read as one");
    project.on_app(&["deploy"]).ends_with(1).err("caused by: file is not a database").err("SQLITE_NOTADB");
}

#[test]
fn a_read_only_target_is_told_before_anything_runs() {
    let project = Project::with(&[USERS]);
    project.sql("PRAGMA user_version = 1");
    let ran = project.run(&["deploy", "--database-url", "sqlite:app.db?mode=ro"]);
    ran.ends_with(3).err("cannot be written to").err("1_users").err("hint: leave `mode=ro` out of the URL");
    let planned = project.run(&["deploy", "--dry-run", "--database-url", "sqlite:app.db?mode=ro"]);
    planned
        .ends_with(0)
        .out("execute 1_users 1/1")
        .err("note: this session only reads, and a deploy by it would be");
    project.run(&["status", "--database-url", "sqlite:app.db?mode=ro"]).ends_with(0).out("pending  1_users");
}
