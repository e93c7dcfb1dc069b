//! Where settings come from, what is refused, and that no secret is ever shown.

mod support;

use support::{Project, Ran};

const USERS: (&str, &str) = ("1_users.sql", "CREATE TABLE users (id);");
const SECRET: &str = "tr0ub4dor-and-3";

#[test]
fn the_command_line_comes_before_the_environment_and_that_before_the_file() {
    let project = Project::with(&[USERS]);
    project.write("windlass.toml", "database_url = \"sqlite:file.db?mode=rwc\"\n");
    project.run(&["deploy"]).ends_with(0);
    assert!(project.path("file.db").exists());

    let mut command = project.command(&["deploy"]);
    command.env("DATABASE_URL", "sqlite:environment.db?mode=rwc");
    Ran::of(command.output().expect("runs")).ends_with(0);
    assert!(project.path("environment.db").exists());

    project.write("url.txt", "sqlite:url-file.db?mode=rwc\n");
    let mut command = project.command(&["deploy", "--database-url-file", "url.txt"]);
    command.env("DATABASE_URL", "sqlite:never.db?mode=rwc");
    Ran::of(command.output().expect("runs")).ends_with(0);
    assert!(project.path("url-file.db").exists());

    let mut command = project.command(&["deploy", "--database-url", "sqlite:flag.db?mode=rwc"]);
    command.env("DATABASE_URL", "sqlite:never.db?mode=rwc");
    Ran::of(command.output().expect("runs")).ends_with(0);
    assert!(project.path("flag.db").exists() && !project.path("never.db").exists());
}

#[test]
fn the_file_names_folder_table_and_variables() {
    let project = Project::empty();
    project.write("deploy/sql/1_users.sql", USERS.1);
    let text = "database_url = \"sqlite:${APP_DB}?mode=rwc\"\ndir = \"sql\"\nhistory_table = \"deploys\"\n";
    project.write("deploy/windlass.toml", text);
    project.run(&["deploy", "--config", "deploy/windlass.toml"]).ends_with(2).err("`${APP_DB}` is not set");
    let mut command = project.command(&["deploy", "--config", "deploy/windlass.toml"]);
    command.env("APP_DB", "app.db");
    Ran::of(command.output().expect("runs")).ends_with(0);
    assert!(!project.path("app.db").exists());
    let there = ["--database-url", "sqlite:deploy/app.db", "--history-table", "deploys"];
    project.run(&[&["history"], &there[..]].concat()).ends_with(0).out("1_users");

    project.write("deploy/windlass.toml", "database_url_file = \"url.txt\"\ndir = \"sql\"\n");
    project.write("deploy/url.txt", "file:./from-file.db?mode=rwc\n");
    project.run(&["deploy", "--config", "deploy/windlass.toml"]).ends_with(0);
    assert!(project.path("deploy/from-file.db").exists());
}

#[test]
fn what_cannot_be_understood_is_code_2_and_names_itself() {
    let project = Project::with(&[USERS]);
    project.run(&["deploy"]).ends_with(2).err("no database is given").err("DATABASE_URL");
    project
        .run(&["deploy", "--database-url", "oracle://h/x"])
        .ends_with(2)
        .err("`oracle:`")
        .err("postgres:")
        .err("sqlite:");
    project.run(&["deploy", "--database-url", "app.db"]).ends_with(2).err("the database URL has no scheme");
    project
        .run(&["deploy", "--database-url", "sqlite:a?colour=red"])
        .ends_with(2)
        .err("unknown parameter `colour`");
    project.deploy(&["--history-table", ""]).ends_with(2).err("the history table has no name");
    project.run(&["deploy", "--lock-wait", "soon"]).ends_with(2).err("60s");
    project.run(&["deploy", "--no-such-flag"]).ends_with(2);
    project.run(&["deploy", "--config", "nowhere.toml"]).ends_with(2).err("nowhere.toml cannot be read");
    project.run(&["deploy", "--database-url-file", "nowhere"]).ends_with(2).err("nowhere cannot be read");
    project.write("windlass.toml", "dri = \"db\"\n");
    project.run(&["deploy"]).ends_with(2).err("windlass.toml:1:1: unknown field `dri`");
    project.write("windlass.toml", "drift_ignore = [\"tabel:x\"]\n");
    project
        .run(&["deploy"])
        .ends_with(2)
        .err("windlass.toml:1:1")
        .err("no kind of object `tabel`")
        .err("did you mean `table`?");
}

#[test]
fn a_server_that_does_not_answer_is_code_6() {
    let project = Project::with(&[USERS]);
    for scheme in ["postgres", "postgresql", "mysql", "mariadb"] {
        let url = format!("{scheme}://ann@127.0.0.1:1/shop");
        let ran = project.run(&["deploy", "--database-url", &url]).ends_with(6);
        ran.err(&format!("error: cannot connect to {scheme}://ann@127.0.0.1:1/shop"));
    }
}

#[test]
fn urls_of_sqlite_as_users_write_them() {
    let project = Project::with(&[USERS]);
    for url in ["sqlite:a.db", "file:./b.db", "sqlite://c.db"] {
        project.run(&["deploy", "--create-database", "--database-url", url]).ends_with(0);
    }
    assert!(["a.db", "b.db", "c.db"].iter().all(|file| project.path(file).exists()));
    project.run(&["deploy", "--database-url", "sqlite::memory:"]).ends_with(0).out("Finished 1 migration");
}

#[test]
fn a_password_never_reaches_output() {
    let project = Project::with(&[USERS, ("2_role.sql", "CREATE TABLE x (y); SELECT nothing FROM x;")]);
    project.write("url.txt", &format!("mysql://ann:{SECRET}@127.0.0.1:1/shop"));
    project.write("bad.toml", &format!("database_url = mysql://ann:{SECRET}@h/shop\n"));
    let encoded = "mysql://ann:tr0ub4dor%2Dand%2D3@127.0.0.1:1/shop";
    let urls = [
        format!("postgres://ann:{SECRET}@127.0.0.1:1/shop"),
        format!("mysql://ann:{SECRET}@127.0.0.1:1/shop"),
        format!("mysql://ann:{SECRET}@127.0.0.1:not-a-port/shop"),
        format!("postgres://ann:{SECRET}@127.0.0.1:not-a-port/shop"),
        format!("mysql://ann:{SECRET}@127.0.0.1:1/shop?no-such-parameter=1"),
        format!("postgres://127.0.0.1:1/shop?password={SECRET}&user=ann"),
        format!("mysql://ann:{SECRET}@/?x#y"),
        format!("oracle://ann:{SECRET}@127.0.0.1:1/shop"),
        format!("//ann:{SECRET}@127.0.0.1:1/shop"),
        format!("ann:{SECRET}@127.0.0.1/shop"),
        format!("sqlite:app.db?password={SECRET}"),
        format!("sqlite://ann:{SECRET}@app.db"),
        encoded.to_owned(),
    ];
    let mut runs: Vec<Ran> = Vec::new();
    for url in &urls {
        for more in [&["-vv"][..], &["--json"], &["--quiet"]] {
            runs.push(project.run(&[&["deploy", "--database-url", url], more].concat()));
        }
        runs.push(project.run(&["deploy", url]));
        runs.push(project.run(&["deploy", "--json", url]));
        runs.push(project.run(&["status", &format!("--database-ulr={url}")]));
        for place in ["--dir", "--to", "--config", "--database-url-file"] {
            runs.push(project.run(&["deploy", "--json", place, url]));
            runs.push(project.run(&["deploy", &format!("{place}={url}")]));
        }
        runs.push(project.on_app(&["resolve", "--applied", url]));
    }
    runs.push(project.run(&["deploy", "-vv", "--database-url-file", "url.txt"]));
    runs.push(project.run(&["deploy", "-vv", "--config", "bad.toml"]));
    let mut command = project.command(&["deploy", "--help"]);
    command.env("DATABASE_URL", &urls[0]);
    runs.push(Ran::of(command.output().expect("runs")));
    for ran in runs {
        let told = format!("{}{}", ran.stdout, ran.stderr);
        assert!(!told.contains(SECRET) && !told.contains("tr0ub4dor"), "{told}");
        assert!(!told.is_empty());
    }
}

#[test]
fn verbose_tells_on_stderr_what_happens() {
    let project = Project::with(&[USERS]);
    let ran =
        project.deploy(&["-vv"]).ends_with(0).err("read the folder").err("connected").err("statement starts");
    assert!(!ran.stdout.contains("connected"), "{ran:#?}");
}

#[test]
fn help_version_and_completions() {
    let project = Project::empty();
    project.run(&["--version"]).ends_with(0).out(concat!("windlass ", env!("CARGO_PKG_VERSION")));
    project.run(&["--help"]).ends_with(0).out("Exit codes:").out("  9  stopped by a signal");
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        project.run(&["completions", shell]).ends_with(0).out("windlass").out("dry-run");
    }
}

#[test]
fn commands_of_other_tools_are_told_what_they_are_called_here() {
    let project = Project::empty();
    for (word, tip) in [
        ("migrate", "windlass deploy"),
        ("up", "windlass deploy"),
        ("info", "windlass status"),
        ("validate", "windlass status --check"),
        ("repair", "windlass resolve"),
        ("down", "does not run down scripts yet"),
        ("undo", "does not run down scripts yet"),
        ("revert", "does not run down scripts yet"),
        ("rollback", "does not run down scripts yet"),
        ("push", "windlass new"),
        ("dev", "windlass new"),
        ("diff", "windlass new"),
    ] {
        let ran = project.run(&[word]).ends_with(2).err(&format!("unrecognized subcommand '{word}'"));
        let tips: Vec<_> = ran.stderr.lines().filter(|line| line.contains("tip:")).collect();
        assert!(tips.len() == 1 && tips[0].contains(tip), "{ran:#?}");
    }
    project.run(&["stauts"]).ends_with(2).err("'status'");
}
