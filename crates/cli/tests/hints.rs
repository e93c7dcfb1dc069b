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
