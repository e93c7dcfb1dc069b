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

const HALF: (&str, &str) =
    ("2_half.sql", "CREATE TABLE half (id);\nVACUUM;\nINSERT INTO nowhere VALUES (1);\n");

#[test]
fn what_failed_and_is_gone_from_the_project_ends_as_the_hint_says() {
    let project = Project::with(&[USERS, HALF]);
    project.deploy(&[]).ends_with(4);
    std::fs::remove_file(project.path("migrations/2_half.sql")).expect("removed");
    let told = "`2_half` failed after 2 of 3 statements, and is not in the project";
    let way = "`windlass resolve --rolled-back 2_half --force`";
    let refused = project.deploy(&[]).ends_with(3).err(told).err("put its file back").err(way);
    assert!(!refused.stderr.contains("--resume") && !refused.stderr.contains("--applied"), "{refused:#?}");
    // What does not end it is told to lead nowhere.
    project.on_app(&["resolve", "--resume", "2_half", "--force"]).ends_with(0);
    project.deploy(&[]).ends_with(3).err("`2_half` was interrupted after 2 of 3").err(way);
    project.on_app(&["diagnose"]).ends_with(3).out("2_half: interrupted, and the project does not have it");
    let told = project.on_app(&["diagnose", "--json"]).ends_with(3).json();
    assert_eq!(told["blocked"]["kind"], "unfinished_elsewhere", "{told:#}");
    let [stays, goes] = [0, 1].map(|index| told["advice"]["choices"][index].clone());
    assert_eq!(stays["commands"][0], "windlass deploy", "{told:#}");
    assert_eq!(goes["commands"][0], "windlass resolve --rolled-back 2_half --force", "{told:#}");
    assert_eq!(goes["commands"][1], "windlass deploy", "{told:#}");
    project.sql("DROP TABLE half");
    project.on_app(&["resolve", "--rolled-back", "2_half", "--force"]).ends_with(0);
    project.deploy(&[]).ends_with(0);
    project.on_app(&["status", "--check"]).ends_with(0);
}

#[test]
fn what_failed_and_was_renamed_gets_its_name_back() {
    let project = Project::with(&[USERS, HALF]);
    project.deploy(&[]).ends_with(4);
    std::fs::rename(project.path("migrations/2_half.sql"), project.path("migrations/2_whole.sql"))
        .expect("renamed");
    let told =
        "`2_half` failed after 2 of 3 statements, and its text has another name in the project, `2_whole`";
    let refused =
        project.deploy(&[]).ends_with(3).err(told).err("give `2_whole` its old name back: `2_half`");
    assert!(!refused.stderr.contains("--accept-edit"), "{refused:#?}");
    std::fs::remove_file(project.path("migrations/2_whole.sql")).expect("removed");
    project.write("migrations/2_half.sql", "CREATE TABLE half (id);\nVACUUM;\n");
    project.deploy(&[]).ends_with(0).out("Applied 2_half");
}

#[test]
fn advised_commands_keep_what_was_given() {
    let project = Project::empty();
    project.write("my db/1_users.sql", USERS.1);
    project.write("my db/2_half.sql", HALF.1);
    let given = ["--dir", "my db", "--history-table", "deploys"];
    let with = |command: &str| format!("{command} --dir 'my db' --history-table deploys");
    let failed = project.deploy(&given).ends_with(4);
    failed.err(&format!("`{}`", with("windlass resolve --resume 2_half")));
    let on_app = |command: &str| project.on_app(&[&[command], &given[..]].concat());
    on_app("status").err(&format!("`{}`", with("windlass resolve --applied 2_half")));
    on_app("doctor").out(&format!("`{}`", with("windlass resolve --rolled-back 2_half")));
    on_app("diagnose").out(&format!("run: {}\n", with("windlass deploy")));
    let refused = project.run(&["new"]).ends_with(2);
    assert!(!refused.stderr.contains("--dir 'my db'"), "{refused:#?}");
}

#[test]
fn an_edit_that_was_taken_is_held_against_the_schema() {
    let project = Project::with(&[USERS]);
    project.deploy(&[]).ends_with(0);
    project.write(
        "migrations/1_users.sql",
        "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT, mail TEXT);",
    );
    project.on_app(&["resolve", "--accept-edit", "1_users"]).ends_with(0).out("nothing was run");
    let told = project.on_app(&["diagnose"]).ends_with(3);
    told.out("the text of `1_users` counts as it is written now").out("mail");
    project.on_app(&["drift", "accept", "--reason", "mail is not wanted"]).ends_with(0);
    project.on_app(&["diagnose"]).ends_with(0);
}

#[test]
fn advised_commands_mean_the_same_database() {
    let bad = ("2_bad.sql", "-- windlass: no-transaction\nCREATE TABLE a (n); SELECT * FROM nowhere;");
    let project = Project::with(&[USERS, bad]);
    project.write("windlass.toml", "database_url = \"sqlite:prod.db\"\n");
    let test = ["--database-url", "sqlite:test.db"];
    let run = |command: &[&str], code| project.run(&[command, &test].concat()).ends_with(code);
    let failed = run(&["deploy", "--create-database"], 4);
    let hints = failed.stderr.lines().filter(|line| line.contains("`windlass "));
    let with_it = hints.clone().filter(|line| line.contains("--database-url 'sqlite:test.db'`")).count();
    assert!(with_it > 0 && hints.count() == with_it, "{failed:#?}");
    run(&["diagnose"], 3).out("windlass deploy --database-url 'sqlite:test.db'");
    let secret = ["deploy", "--database-url", "sqlite://ada:hunter2@localhost/x.db"];
    assert!(!format!("{:?}", project.run(&secret)).contains("hunter2"));
}

#[test]
fn what_is_wrong_before_a_connection_is_told_with_a_way_on() {
    let project = Project::with(&[USERS, ("5.sql", "SELECT 1;")]);
    project
        .deploy(&[])
        .ends_with(7)
        .err("has no name after 5")
        .err("hint: say behind it what it does, as in `5_add_email`");
    let project = Project::with(&[USERS, ("V2__b.sql", "SELECT 1;")]);
    project.deploy(&[]).ends_with(7).err("one folder has one layout").err("hint: lay all of them out like");
    project.write("windlass.toml", "dri = \"db\"\n");
    project
        .run(&["deploy"])
        .ends_with(2)
        .err("unknown field `dri`")
        .err("hint: take it out, or write it as one");
    project.write("windlass.toml", "database_url = \"${WINDLASS_IS_NOT_SET}\"\n");
    project.run(&["deploy"]).ends_with(2).err("hint: `export WINDLASS_IS_NOT_SET=…`");
    let open = Project::with(&[("1_open.sql", "SELECT 'a;\n")]);
    open.deploy(&[]).ends_with(7).err("never closed").err("hint: close it where it ends");
    open.sql("PRAGMA user_version = 1");
    let status = open.on_app(&["status"]).ends_with(0);
    assert_eq!(status.stderr.matches("never closed").count(), 1, "{status:#?}");
}

#[test]
fn what_was_rolled_back_already_is_told_to_be() {
    let project = Project::with(&[USERS, ("2_bad.sql", "INSERT INTO nowhere VALUES (1);")]);
    project.deploy(&[]).ends_with(4);
    for decision in ["--rolled-back", "--resume"] {
        let told = project.on_app(&["resolve", decision, "2_bad"]).ends_with(3);
        told.err("`2_bad` is rolled back: nothing of it stands")
            .err("`windlass deploy` runs it from its beginning");
    }
}

#[test]
fn the_checklist_of_an_edited_project_contradicts_nothing() {
    let project = Project::with(&[USERS]);
    project.deploy(&[]).ends_with(0);
    project.write("migrations/1_users.sql", "CREATE TABLE users (another int);");
    let told = project.on_app(&["doctor"]).ends_with(3);
    let told = told.out("no migration is applied as it is in the project: 1_users is edited");
    assert!(!told.stdout.contains("there are no migrations"), "{told:#?}");
    project.write("migrations/2_more.sql", "CREATE TABLE more (id);");
    let told = project.on_app(&["doctor"]).ends_with(3).out("see to what is in its way");
    assert!(!told.stdout.contains("\n      `windlass deploy`\n"), "{told:#?}");
}

#[test]
fn a_word_that_the_schema_does_not_bear_out_is_told_afterwards() {
    let made = ("2_made.sql", "CREATE TABLE made (id);\nCREATE INDEX made_id ON made (id);\n");
    let project = Project::with(&[USERS, made]);
    project.deploy(&["--to", "1_users"]).ends_with(0);
    project.on_app(&["resolve", "--applied", "2_made", "--force"]).ends_with(0);
    project.on_app(&["status", "--check"]).ends_with(0);
    let told = project.on_app(&["diagnose"]).ends_with(3);
    let told = told.out("`2_made` was recorded as applied by").out("table made").out("make table made again");
    told.out("if: nothing of it stands").out("run: windlass resolve --rolled-back 2_made\n");
    let told = project.on_app(&["diagnose", "--json"]).ends_with(3).json();
    assert_eq!(told["recorded"][0]["attempt"]["name"], "2_made", "{told:#}");
    assert_eq!(told["recorded"][0]["differences"].as_array().map(Vec::len), Some(1), "{told:#}");
    project.on_app(&["resolve", "--rolled-back", "2_made"]).ends_with(0);
    project.deploy(&[]).ends_with(0).out("Applied 2_made");
    project.on_app(&["diagnose"]).ends_with(0).out("everything is as it should be");
    // Nor is it said of what was found to be right.
    let project = Project::with(&[USERS, made]);
    project.sql(USERS.1);
    project.sql(made.1);
    project.on_app(&["baseline", "2_made"]).ends_with(0);
    project.on_app(&["diagnose"]).ends_with(0).out("everything is as it should be");
    project.sql("DROP INDEX made_id");
    let told = project.on_app(&["diagnose"]).ends_with(10).out("index made.made_id was removed");
    told.out("is not what it was when 2_made was recorded at").out("windlass drift accept");
    project.on_app(&["drift", "accept", "--reason", "not needed"]).ends_with(0);
    project.on_app(&["diagnose"]).ends_with(0).out("everything is as it should be");
}

#[test]
fn where_there_is_no_history_that_is_told() {
    let project = Project::with(&[USERS]);
    project.sql("CREATE TABLE other (id)");
    let accept = ["drift", "accept", "--reason", "by hand"];
    project.on_app(&accept).ends_with(3).err("the database has no history").err("`windlass baseline NAME`");
    project.on_app(&["history"]).ends_with(0).out("no attempts").err("and the database is not empty");
    project.sql("DROP TABLE other");
    project.on_app(&accept).ends_with(3).err("hint: `windlass deploy` makes one");
    let empty = project.on_app(&["history"]).ends_with(0).out("no attempts");
    assert!(!empty.stderr.contains("note:"), "{empty:?}");
    project.deploy(&[]).ends_with(0);
    for command in [&accept[..], &["history"]] {
        let elsewhere = project.on_app(&[command, &["--history-table", "elsewhere"]].concat());
        elsewhere.err("a history of windlass stands in it, `_windlass_migrations`: leave `--history-table`");
    }
}
