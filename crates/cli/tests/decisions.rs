//! `status`, `history`, `resolve` and `baseline`.

mod support;

use support::Project;

const USERS: (&str, &str) = ("1_users.sql", "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT);");
const EMAIL: (&str, &str) = ("2_email.sql", "ALTER TABLE users ADD COLUMN email TEXT;");
/// VACUUM cannot be in a transaction: what stands before it stays when it is refused.
const HALF: (&str, &str) =
    ("3_half.sql", "CREATE TABLE half (id);\nVACUUM;\nINSERT INTO nowhere VALUES (1);\n");

#[test]
fn status_tells_every_migration_and_check_ends_with_a_code() {
    let project = Project::with(&[USERS, EMAIL]);
    project.sql("PRAGMA user_version = 1");
    project.on_app(&["status", "--check"]).ends_with(8).out("pending  1_users").out("2 pending");
    project.on_app(&["status"]).ends_with(0);
    project.deploy(&[]).ends_with(0);
    let ran = project.on_app(&["status", "--check"]).ends_with(0).out("2 applied");
    assert!(ran.stdout.starts_with("sqlite:app.db (SQLite 3."), "{ran:#?}");
    project.write("migrations/2_email.sql", "ALTER TABLE users ADD COLUMN mail TEXT;");
    let ran = project.on_app(&["status", "--check"]).ends_with(8).out("edited   2_email");
    ran.err("note: deploy is blocked: changed since applied: 2_email");
}

#[test]
fn status_and_history_tell_the_exact_error() {
    let project = Project::fixture("bookshop-broken/sqlite");
    project.deploy(&[]).ends_with(4);
    let exact = "add_price.sql:5:29: no such column: page";
    project.on_app(&["status"]).ends_with(0).out("rolled back  20240308100000_add_price").out(exact);
    let history = project.on_app(&["history"]).ends_with(0).out(exact).out("3   rolled back");
    assert!(history.stdout.starts_with("id  state "), "{history:#?}");
    assert!(history.stdout.contains(concat!("windlass ", env!("CARGO_PKG_VERSION"))), "{history:#?}");
}

#[test]
fn an_empty_history_is_no_error() {
    let project = Project::with(&[]);
    project.sql("PRAGMA user_version = 1");
    project.on_app(&["history"]).ends_with(0).out("no attempts");
    std::fs::create_dir(project.path("migrations")).expect("a folder");
    project.on_app(&["status", "--check"]).ends_with(0).out("no migrations");
    project
        .deploy(&[])
        .ends_with(0)
        .err("warning: there are no migrations in migrations")
        .out("nothing to do");
}

#[test]
fn half_a_migration_blocks_until_somebody_decides() {
    let project = Project::with(&[USERS, HALF]);
    let failed = project.deploy(&[]).ends_with(4).err("migrations/3_half.sql:3:1");
    assert!(failed.stderr.contains("of `3_half`, 2 of 3 statements stand"), "{failed:#?}");
    let hint = "     hint: edit the statements that have not run and deploy again\n           or try the same text again";
    assert!(failed.stderr.contains(hint), "{failed:#?}");
    project.on_app(&["status", "--check"]).ends_with(8).out("failed   3_half").out("2 of 3 statements stand");
    project.deploy(&[]).ends_with(3).err("`3_half` failed after 2 of 3 statements");

    project.sql("CREATE TABLE nowhere (id)");
    project
        .on_app(&["resolve", "--resume", "3_half", "--reason", "made the table"])
        .ends_with(0)
        .out("Resolved 3_half");
    project.deploy(&[]).ends_with(0).out("Applied 3_half").err("goes on after statement 2");
    assert_eq!(project.count("SELECT count(*) FROM nowhere"), 1);
}

#[test]
fn each_decision_does_what_it_says() {
    let project = Project::with(&[USERS, HALF]);
    project.deploy(&[]).ends_with(4);
    project.sql("DROP TABLE half");
    let half = project.read("migrations/3_half.sql");
    project
        .on_app(&["resolve", "--rolled-back", "3_half", "--reason", "dropped it"])
        .ends_with(0)
        .out("Resolved 3_half: nothing of it stands; the next deploy runs it from its beginning\n");
    project.deploy(&[]).ends_with(4);
    project.sql("DROP TABLE half");
    std::fs::remove_file(project.path("migrations/3_half.sql")).expect("removed");
    let gone = ["resolve", "--rolled-back", "3_half", "--reason", "dropped it"];
    project.on_app(&gone).ends_with(3).err("the project does not have 3_half").err("--force");
    project
        .on_app(&[&gone[..], &["--force"]].concat())
        .ends_with(0)
        .out("Resolved 3_half: nothing of it stands; it is not in the project, so no deploy runs it\n");
    project.write("migrations/3_half.sql", &half);
    project
        .on_app(&["status"])
        .ends_with(0)
        .out("rolled back  3_half")
        .out("resolved: rolled back: dropped it (by ");
    project.on_app(&["history"]).ends_with(0).out("resolved: rolled back: dropped it (by ").out("Z)\n");
    project.write("migrations/3_half.sql", "CREATE TABLE whole (id);");
    project.deploy(&[]).ends_with(0).out("Applied 3_half");

    project.write("migrations/3_half.sql", "CREATE TABLE other (id);");
    project.deploy(&[]).ends_with(3);
    project.on_app(&["resolve", "--accept-edit", "3_half"]).ends_with(0);
    project.deploy(&[]).ends_with(0).out("nothing to do");

    project.write("migrations/4_done.sql", "CREATE TABLE done (id);");
    project
        .on_app(&["resolve", "--applied", "4_done"])
        .ends_with(3)
        .err("table done is not there, and should be");
    project.on_app(&["resolve", "--applied", "4_done", "--force"]).ends_with(0);
    project.deploy(&[]).ends_with(0).out("nothing to do, at 4_done");
    assert_eq!(project.count("SELECT count(*) FROM sqlite_schema WHERE name = 'done'"), 0);
}

#[test]
fn a_decision_that_does_not_fit_changes_nothing() {
    let project = Project::with(&[USERS]);
    project.deploy(&[]).ends_with(0);
    project
        .on_app(&["resolve", "--resume", "1_users"])
        .ends_with(3)
        .err("there is nothing to resume")
        .err("nothing was changed");
    project.write("migrations/9_new.sql", "SELECT 1;");
    project.on_app(&["resolve", "--rolled-back", "9_new"]).ends_with(3).err("no attempt at `9_new`");
    project.on_app(&["resolve", "1_users"]).ends_with(2);
    project.on_app(&["resolve", "--applied", "--resume", "1_users"]).ends_with(2);
}

#[test]
fn a_baseline_records_and_runs_nothing() {
    let project = Project::with(&[USERS, EMAIL, ("3_more.sql", "CREATE TABLE more (id);")]);
    project.sql("CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT, email TEXT)");
    project.on_app(&["baseline", "7_no"]).ends_with(2).err("there is no migration `7_no`");
    let ran =
        project.on_app(&["baseline", "2_email"]).ends_with(0).out("Recorded 1_users").out("Recorded 2_email");
    ran.out("2 migrations recorded as applied; nothing was run");
    project.on_app(&["baseline", "2_email"]).ends_with(0).out("nothing to record");
    project.on_app(&["status"]).ends_with(0).out("baseline");
    project.deploy(&[]).ends_with(0).out("Applied 3_more");
}

#[test]
fn no_error_shows_a_secret() {
    // A statement the database refuses, with its word for the secret; one beside it; one that has no end.
    let refused = "CREATE TABLE t (a);\nINSERT INTO t SELECT password = hunter2 FROM t;\n";
    let beside = "ATTACH 'a.db' AS b KEY 'hunter2'; INSERT INTO nowhere VALUES (1);\n";
    let open = "CREATE TABLE t (a);\nATTACH 'a.db' AS b KEY\n'hunter2;\n";
    let nested = "SELECT 'postgres://u:hunter2@h'; BEGIN; BEGIN; COMMIT;\n";
    for (text, code, place) in [(refused, 4, ":2:1"), (beside, 4, ":1"), (open, 7, ":3:1"), (nested, 7, ":1")]
    {
        let project = Project::with(&[("1_secret.sql", text)]);
        let ran = project.deploy(&[]).ends_with(code).err(&format!("1_secret.sql{place}"));
        let told =
            [ran, project.deploy(&["--json"]), project.on_app(&["history"]), project.on_app(&["status"])];
        for ran in told {
            assert!(!ran.stdout.contains("hunter2") && !ran.stderr.contains("hunter2"), "{ran:#?}");
        }
    }
}
