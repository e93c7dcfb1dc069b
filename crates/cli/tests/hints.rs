//! What an error says to do next, and the code that goes with it.

mod support;

use support::Project;

const USERS: (&str, &str) = ("1_users.sql", "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT);");

#[test]
fn a_history_under_another_name_is_not_deployed_past() {
    let project = Project::with(&[USERS]);
    project.deploy(&[]).ends_with(0);
    let refused = project.deploy(&["--history-table", "other"]).ends_with(3).err("is not empty");
    let told = "hint: a history of windlass stands in it, `_windlass_migrations`: leave `--history-table`";
    assert!(refused.stderr.contains(told), "{refused:#?}");
    assert!(!refused.stderr.contains("--allow-non-empty"), "{refused:#?}");
}

#[test]
fn a_history_that_this_version_cannot_read_is_told_alike_by_every_command() {
    let project = Project::with(&[USERS]);
    project.deploy(&[]).ends_with(0);
    project.sql("UPDATE _windlass_migrations SET format = 9");
    for command in ["deploy", "status", "history"] {
        let ran = project.on_app(&[command]).ends_with(3).err("has format 9; this windlass knows up to 1");
        assert!(ran.stderr.starts_with("error: the history"), "{ran:#?}");
        assert!(!ran.stderr.contains("trusted"), "{ran:#?}");
    }
}

#[test]
fn a_folder_that_is_not_there_is_looked_for_beside_the_configuration() {
    let project = Project::empty();
    project.on_app(&["deploy"]).ends_with(7).err("`--dir` names the folder").err("windlass new NAME");
    project.write("deploy/windlass.toml", "database_url = \"sqlite:app.db?mode=rwc\"\n");
    project.write("deploy/migrations/1_users.sql", USERS.1);
    project.run(&["deploy", "--config", "deploy/windlass.toml"]).ends_with(0).out("Applied 1_users");
    assert!(project.path("deploy/app.db").exists());
}

#[test]
fn what_a_terminal_would_obey_is_shown_instead() {
    let project = Project::with(&[USERS]);
    for (arguments, code) in [(["--dir", "\u{1b}]0;x\u{7}"], 7), (["--to", "\u{1b}]0;x\u{7}"], 2)] {
        let ran = project.deploy(&["--color", "always", arguments[0], arguments[1]]).ends_with(code);
        assert!(ran.stderr.contains("\\u{1b}]0;x\\u{7}") && ran.stderr.contains("\u{1b}["), "{ran:#?}");
        assert!(!ran.stderr.contains("\u{1b}]") && !ran.stderr.contains('\u{7}'), "{ran:#?}");
    }
    // Colours of others are no more obeyed.
    let project = Project::with(&[("1_red.sql", "SELECT '\u{1b}[31mred' FROM nowhere;")]);
    project.sql("CREATE TABLE \"\u{1b}[31mtheirs\" (n)");
    let refused = project.deploy(&["--color", "always"]).ends_with(3);
    let planned = project.deploy(&["--color", "always", "--dry-run", "--allow-non-empty"]).ends_with(0);
    let failed = project.deploy(&["--color", "always", "--allow-non-empty"]).ends_with(4);
    project.sql("UPDATE _windlass_migrations SET applied_by = '\u{1b}[31mann', error = '\u{1b}[31mno'");
    let status = project.on_app(&["status", "--color", "always"]).ends_with(0);
    let history = project.on_app(&["history", "--color", "always"]).ends_with(0);
    for ran in [refused, planned, failed, status, history] {
        assert!(!ran.stdout.contains("\u{1b}[31m") && !ran.stderr.contains("\u{1b}[31m"), "{ran:#?}");
        assert!(ran.stdout.contains("[31m") || ran.stderr.contains("[31m"), "{ran:#?}");
    }
}

#[test]
fn what_only_looks_creates_no_file() {
    let project = Project::with(&[USERS]);
    for command in [
        &["status"][..],
        &["status", "--check"],
        &["history"],
        &["drift"],
        &["unlock"],
        &["baseline", "1_users"],
        &["resolve", "--applied", "1_users"],
    ] {
        let url = ["--database-url", "sqlite:app.db?mode=rwc"];
        let ran = project.run(&[command, &url].concat()).ends_with(6);
        ran.err("there is no file `app.db`").err("hint: `windlass deploy --create-database` creates it");
        assert!(!project.path("app.db").exists(), "{command:?}");
    }
}

#[test]
fn where_the_url_may_be_instead_is_told() {
    let project = Project::with(&[USERS]);
    let ran = project.run(&["status"]).ends_with(2).err("no database is given");
    assert!(!ran.stderr.contains(".env"), "{ran:#?}");
    project.write(".env", "DATABASE_URL=sqlite:app.db\n");
    project.run(&["status"]).ends_with(2).err("`set -a && . ./.env && set +a`");
    let ran = project.run(&["status", "--database-url", "jdbc:postgresql://db/shop"]).ends_with(2);
    ran.err("hint: leave `jdbc:` out");
    for (url, hint) in [("$DATABASE_URL", "was not filled in"), ("'sqlite:app.db'", "take the quotes")] {
        project.run(&["status", "--database-url", url]).ends_with(2).err("has no scheme").err(hint);
    }
}

#[test]
fn a_name_that_is_almost_right_is_told() {
    let project = Project::with(&[USERS]);
    project.deploy(&["--to", "1_usres"]).ends_with(2).err("did you mean `1_users`?");
    project.deploy(&["--to", "nope"]).ends_with(2).err("hint: `windlass status` lists them all");
}

#[cfg(unix)]
#[test]
fn a_link_to_nowhere_is_told_of_the_folder() {
    let project = Project::empty();
    std::os::unix::fs::symlink("/nowhere/at/all", project.path("migrations")).expect("a link");
    project.run(&["new", "a"]).ends_with(7).err("migrations cannot be written");
}

#[test]
fn a_migration_whose_rest_was_taken_out_is_told_with_its_statements() {
    let whole = "CREATE TABLE half (id);\nVACUUM;\nINSERT INTO nowhere VALUES (1);\n";
    let project = Project::with(&[("1_half.sql", whole)]);
    project.deploy(&[]).ends_with(4);
    project.write("migrations/1_half.sql", "CREATE TABLE half (id);\nVACUUM;\n");
    project.deploy(&[]).ends_with(0).out("Applied 1_half (2 statements,");
}

#[test]
fn what_is_there_already_may_be_recorded() {
    let project = Project::with(&[USERS]);
    project.sql(USERS.1);
    let failed = project.deploy(&["--allow-non-empty"]).ends_with(4).err("already exists");
    let failed = failed.err("`windlass resolve --applied 1_users`").err("`windlass baseline NAME`");
    assert!(failed.stderr.contains("hint: mend migrations/1_users.sql"), "{failed:#?}");
}

#[test]
fn a_short_password_is_not_told_by_what_stands_in_its_place() {
    let project = Project::with(&[USERS]);
    let mut command =
        project.command(&["deploy", "--database-url", "sqlite:app.db?mode=rwc", "--dir", "nonono"]);
    let ran = support::Ran::of(command.env("MYSQL_PWD", "o").output().expect("runs"));
    ran.ends_with(7).err("there is no folder nonono");
}

#[test]
fn a_retired_repeatable_migration_and_a_failed_one_are_told_as_what_they_are() {
    let repeatable = ("R__v.sql", "DROP VIEW IF EXISTS v; CREATE VIEW v AS SELECT id FROM users;");
    let project = Project::with(&[USERS, repeatable]);
    project.deploy(&[]).ends_with(0);
    project.write("migrations/R__v.sql", "CREATE VIEW v AS SELECT name FROM users;");
    project.deploy(&[]).ends_with(4);
    project.on_app(&["status"]).ends_with(0).out("rolled back  R__v").out("view v already exists");
    std::fs::remove_file(project.path("migrations/R__v.sql")).expect("removed");
    project.on_app(&["status", "--check"]).ends_with(0).out("retired  R__v").out("1 applied, 1 retired");
}

#[test]
fn a_migration_that_nobody_knows_is_a_wrong_call() {
    let project = Project::with(&[USERS]);
    project.deploy(&[]).ends_with(0);
    for decision in ["--applied", "--rolled-back", "--resume", "--accept-edit"] {
        let ran = project.on_app(&["resolve", decision, "1_users.sql"]).ends_with(2);
        ran.err("there is no migration `1_users.sql`").err("did you mean `1_users`?");
    }
}

#[test]
fn a_url_that_lacks_something_says_what() {
    let project = Project::with(&[USERS]);
    project.run(&["deploy", "--database-url", "app.db"]).ends_with(2).err("`sqlite:app.db`");
    project
        .run(&["deploy", "--database-url", "mysql://ann@127.0.0.1:1"])
        .ends_with(2)
        .err("names no database; write it behind the host: mysql://127.0.0.1:1/name");
    project
        .run(&["deploy", "--database-url", "postgres://ann@127.0.0.1:1/shop?sslmod=require"])
        .ends_with(2)
        .err("unknown parameter `sslmod`; the usual ones are sslmode, ");
}

#[test]
fn a_name_of_nothing_is_a_wrong_call() {
    let project = Project::empty();
    project.run(&["new", " "]).ends_with(2).err("windlass new add email to users");
    project.run(&["new", "日本語"]).ends_with(2).err("a name is made of a-z, 0-9 and `_`");
}
