//! The command: the real `windlass` on every database: what it answers, its exit codes, what it needs to connect.

use harness::{Database, Family, Project, Waiting};
use nix::sys::signal::{Signal, kill};
use std::process::{Child, Command};
use windlass_core::history::State;

harness::scenarios!(
    natively [Postgres, MySql, MariaDb, Sqlite]:
        it_deploys_and_then_finds_nothing_to_do,
        a_dry_run_shows_the_plan_and_writes_nothing,
        every_answer_is_one_document,
        a_failure_points_at_its_place_and_says_what_to_do,
        a_baseline_takes_over_what_stands;
    natively [MySql, MariaDb]: a_half_done_migration_waits_for_a_decision;
    natively [Postgres, MySql, MariaDb]:
        a_signal_stops_it_in_a_true_state,
        a_killed_session_is_told_and_gone_on_from,
        a_lock_held_too_long_names_its_holder,
        what_cannot_be_reached_is_code_6,
        a_missing_database_is_created_when_asked_for,
        a_reader_is_refused_before_anything_runs,
        a_password_may_come_from_elsewhere,
        the_next_host_is_tried;
    natively [Sqlite]: a_file_of_somebody_else_is_only_read;
);

const USERS: (&str, &str) = ("1_users", "CREATE TABLE users (id int PRIMARY KEY, login varchar(40));");
const SEED: (&str, &str) =
    ("2_seed", "INSERT INTO users VALUES (1, 'ada');\nINSERT INTO users VALUES (2, 'grace');");
const N: (&str, &str) = ("1_n", "CREATE TABLE n (n int);\nINSERT INTO n VALUES (0);");

async fn it_deploys_and_then_finds_nothing_to_do(database: &Database) {
    let project = Project::new(database, &[USERS, SEED]);
    database.sql("SELECT 1").await;
    project.run(&["status", "--check"]).await.code(8).out("pending  1_users").out("2 pending");
    let first = project.run(&["deploy"]).await.code(0);
    first.out("Applied 1_users").out("Applied 2_seed").out("Finished 2 migrations");
    let again = project.run(&["deploy"]).await.code(0);
    assert_eq!(
        (again.stdout.as_str(), again.stderr.as_str()),
        ("    Finished nothing to do, at 2_seed\n", "")
    );
    project.run(&["status", "--check"]).await.code(0).out("2 applied");
    project.run(&["history"]).await.code(0).out("1_users").out("2_seed");
    assert_eq!(database.value("SELECT count(*) FROM users").await, "2");
}

async fn a_dry_run_shows_the_plan_and_writes_nothing(database: &Database) {
    // A dry run creates no database, and SQLite's is a file that is made by its first write.
    database.sql("CREATE TABLE t (n int); DROP TABLE t;").await;
    let project = Project::new(database, &[USERS, SEED]);
    let plan = project.run(&["deploy", "--dry-run"]).await.code(0).err("2 migrations would be applied");
    let plan =
        plan.out("execute 1_users 1/1: CREATE TABLE users").out("execute 2_seed 2/2: INSERT INTO users");
    assert!(!plan.stderr.contains("Applying"), "{plan:?}");
    assert!(database.tables().await.is_empty());
    assert!(!database.connect().await.inspect().await.expect("an inspection").history.exists);
}

async fn every_answer_is_one_document(database: &Database) {
    let project =
        Project::new(database, &[USERS, SEED, ("3_bad", "SELECT 1;\nINSERT INTO nowhere VALUES (1);")]);
    let product = match database.target().family {
        Family::Postgres => "PostgreSQL",
        Family::MySql => "MySQL",
        Family::MariaDb => "MariaDB",
        Family::Sqlite => "SQLite",
    };
    database.sql("CREATE TABLE t (n int); DROP TABLE t;").await;
    let dry = project.run(&["deploy", "--dry-run", "--json"]).await.code(0).json();
    assert_eq!((&dry["ok"], &dry["database"]["product"]), (&true.into(), &product.into()));
    assert_eq!(dry["plan"]["migrations"].as_array().map(Vec::len), Some(3));
    let deploy = project.run(&["deploy", "--json"]).await.code(4).json();
    assert_eq!((&deploy["ok"], &deploy["error"]["kind"]), (&false.into(), &"failed".into()));
    assert_eq!(deploy["applied"].as_array().map(Vec::len), Some(2));
    assert_eq!((&deploy["error"]["line"], &deploy["error"]["statement"]["number"]), (&2.into(), &2.into()));
    assert!(deploy["error"]["database"]["message"].as_str().is_some_and(|words| words.contains("nowhere")));
    let status = project.run(&["status", "--json"]).await.code(0).json();
    let states: Vec<_> =
        status["migrations"].as_array().expect("an array").iter().map(|m| &m["state"]).collect();
    assert_eq!(states, ["applied", "applied", "rolled back"]);
    assert!(status["migrations"][2]["error"].as_str().is_some_and(|words| words.contains("nowhere")));
    let history = project.run(&["history", "--json"]).await.code(0).json();
    assert_eq!(history["attempts"].as_array().map(Vec::len), Some(3));
    assert!(history["attempts"][0]["started_at"].as_str().is_some_and(|time| time.starts_with("20")));
}

async fn a_failure_points_at_its_place_and_says_what_to_do(database: &Database) {
    let bad = "-- more\nINSERT INTO users VALUES (3, 'alan');\n\nINSERT INTO users (id)\nVALUES (nope);\n";
    let project = Project::new(database, &[USERS, SEED, ("3_bad", bad)]);
    let failed = project.run(&["deploy"]).await.code(4).out("Applied 2_seed");
    let failed = failed.err("error: migration `3_bad` failed at statement 2 of 2").err("caused by: ");
    let failed =
        failed.err("nope").err("code: ").err("was rolled back").err("hint: mend migrations/3_bad.sql");
    // MySQL and MariaDB give no place within the statement.
    let (place, marked) = match database.target().family {
        Family::Postgres | Family::Sqlite => ("--> migrations/3_bad.sql:5:9", "VALUES (nope);"),
        _ => ("--> migrations/3_bad.sql:4:1", "INSERT INTO users (id)"),
    };
    let lines: Vec<_> = failed.stderr.lines().collect();
    let marked = lines.iter().position(|line| line.ends_with(marked)).expect("the line itself");
    assert!(lines[marked + 1].trim_start_matches(['|', ' ']).starts_with('^'), "{}", failed.stderr);
    assert!(failed.stderr.contains(place), "{}", failed.stderr);
    if database.target().family == Family::Postgres {
        assert_eq!(lines[marked].find("nope"), lines[marked + 1].find('^'), "{}", failed.stderr);
    }
    assert_eq!(database.value("SELECT count(*) FROM users").await, "2");
    project.run(&["status"]).await.code(0).out("rolled back  3_bad").out("nope");
    project.migration("3_bad", &bad.replace("nope", "4"));
    project.run(&["deploy"]).await.code(0).out("Applied 3_bad");
    assert_eq!(database.value("SELECT count(*) FROM users").await, "4");
}

async fn a_half_done_migration_waits_for_a_decision(database: &Database) {
    let half = ("2_half", "CREATE TABLE half (n int);\nINSERT INTO nowhere VALUES (1);");
    let project = Project::new(database, &[USERS, half]);
    project.run(&["deploy"]).await.code(4).err("1 of 2 statements stand");
    project
        .run(&["deploy"])
        .await
        .code(3)
        .err("`2_half` failed after 1 of 2 statements")
        .err("--resume 2_half");
    project.run(&["status", "--check"]).await.code(8).out("failed   2_half");
    project.run(&["resolve", "--resume", "9_no"]).await.code(2);
    database.sql("CREATE TABLE nowhere (n int)").await;
    project.run(&["resolve", "--resume", "2_half", "--reason", "it is there now"]).await.code(0);
    project.run(&["deploy"]).await.code(0).out("Applied 2_half");
    project.run(&["history", "--json"]).await.code(0).out("it is there now");
    assert_eq!(database.value("SELECT count(*) FROM nowhere").await, "1");
}

async fn a_baseline_takes_over_what_stands(database: &Database) {
    database.sql(USERS.1).await;
    let project = Project::new(database, &[USERS, SEED]);
    project.run(&["deploy"]).await.code(3).err("users").err("windlass baseline");
    project.run(&["baseline", "1"]).await.code(0).out("Recorded 1_users");
    let deploy = project.run(&["deploy"]).await.code(0).out("Applied 2_seed");
    assert!(!deploy.stdout.contains("1_users"), "{deploy:?}");
    project.migration("2_seed", "INSERT INTO users VALUES (7, 'edited');");
    project.run(&["deploy"]).await.code(3).err("changed since applied: 2_seed");
    project.run(&["resolve", "--accept-edit", "2_seed"]).await.code(0);
    project.run(&["deploy"]).await.code(0).out("nothing to do");
}

fn spawned(mut command: Command) -> Child {
    command.spawn().expect("the binary runs")
}

fn send(child: &Child, signal: Signal) {
    let pid = nix::unistd::Pid::from_raw(i32::try_from(child.id()).expect("a process number"));
    kill(pid, signal).expect("sent");
}

/// Waits until the command, whose stderr is the file `told`, has told this.
async fn until_told(project: &Project<'_>, part: &str) {
    let waiting = Waiting::for_this(part);
    while !std::fs::read_to_string(project.path("told")).expect("a file").contains(part) {
        waiting.pause().await;
    }
}

/// Three statements, the second of which waits for whoever holds the table `n`.
const LONG: (&str, &str) =
    ("2_long", "CREATE TABLE x (n int);\nUPDATE n SET n = n + 1;\nCREATE TABLE y (n int);");

async fn last_state(database: &Database) -> (String, State, u32) {
    let history = database.connect().await.inspect().await.expect("a history").history;
    history.attempts.last().map(|a| (a.name.clone(), a.state(), a.completed)).expect("an attempt")
}

async fn a_signal_stops_it_in_a_true_state(database: &Database) {
    let project = Project::new(database, &[N]);
    project.run(&["deploy"]).await.code(0);
    project.migration(LONG.0, LONG.1);
    let gate = database.gate("n").await;
    let mut command = project.command(&["deploy"]);
    command.stderr(std::fs::File::create(project.path("told")).expect("a file"));
    let child = spawned(command);
    database.running("n + 1").await;
    send(&child, Signal::SIGTERM);
    until_told(&project, "Stopping after the running statement (SIGTERM").await;
    // Where the running statement comes to its end, it needs the table for that.
    let implicit = database.target().family != Family::Postgres;
    let gate = Some(gate).filter(|_| !implicit);
    project.ended(child).await.code(9);
    until_told(&project, "deploy again to go on").await;
    if implicit {
        // The server may take a moment to see that the session has ended.
        let waiting = Waiting::for_this("the session is gone");
        while last_state(database).await.1 == State::Running {
            waiting.pause().await;
        }
        let (name, state, completed) = last_state(database).await;
        assert_eq!((name.as_str(), state, completed), ("2_long", State::Interrupted, 2));
    } else {
        assert_eq!(last_state(database).await.0, "1_n");
        assert_eq!(database.tables().await, ["n"]);
    }
    drop(gate);
    project.run(&["status", "--check"]).await.code(8).out("2_long");
    project.run(&["deploy"]).await.code(0).out("Applied 2_long");
    assert_eq!(database.tables().await, ["n", "x", "y"]);
    assert_eq!(database.value("SELECT sum(n) FROM n").await, "1");
}

async fn a_killed_session_is_told_and_gone_on_from(database: &Database) {
    let project = Project::new(database, &[N]);
    project.run(&["deploy"]).await.code(0);
    project.migration(LONG.0, LONG.1);
    let gate = database.gate("n").await;
    let child = spawned(project.command(&["deploy"]));
    database.kill(&database.running("n + 1").await).await;
    project.ended(child).await.code(6).err("connection was lost").err("2_long");
    drop(gate);
    project.run(&["deploy"]).await.code(0).out("Applied 2_long");
    assert_eq!(database.value("SELECT sum(n) FROM n").await, "1");
}

async fn a_lock_held_too_long_names_its_holder(database: &Database) {
    let project = Project::new(database, &[N]);
    project.run(&["deploy"]).await.code(0);
    project.migration(LONG.0, LONG.1);
    let gate = database.gate("n").await;
    let holder = spawned(project.command(&["deploy"]));
    let session = database.running("n + 1").await;
    let late = project.run(&["deploy", "--lock-wait", "100ms"]).await.code(5);
    let late = late.err("another deployer holds the lock").err(&session).err(database.user()).err("n + 1");
    late.err("since 20");
    let late = project.run(&["deploy", "--lock-wait", "0", "--json"]).await.code(5).json();
    assert_eq!(late["error"]["kind"], "lock_timeout");
    drop(gate);
    project.ended(holder).await.code(0).out("Applied 2_long");
}

async fn what_cannot_be_reached_is_code_6(database: &Database) {
    let project = Project::new(database, &[USERS]);
    let wrong = database.url_as(database.user(), "secret-of-nobody");
    let place = database.place();
    project.run_for(&wrong, &["deploy"]).await.code(6).err("refused the password of user").err(&place);
    project.run_for(&wrong, &["deploy"]).await.code(6).err("hint: mend the password in the database URL");
    let nowhere = wrong.replace(&place, "127.0.0.1:1");
    project.run_for(&nowhere, &["deploy"]).await.code(6).err("no server answers at 127.0.0.1:1");
    let json = project.run_for(&nowhere, &["status", "--json"]).await.code(6).json();
    assert_eq!(json["error"]["kind"], "connect");
    assert!(json["error"]["hint"].as_str().is_some_and(|hint| hint.starts_with("check host and port")));
    let unknown = format!("{}?colour=red", database.url());
    project.run_for(&unknown, &["deploy"]).await.code(2).err("colour");
}

async fn a_missing_database_is_created_when_asked_for(database: &Database) {
    let project = Project::new(database, &[USERS]);
    let url = format!("{}_new", database.url());
    project.run_for(&url, &["deploy"]).await.code(6).err("there is no database").err("--create-database");
    let create = ["deploy", "--create-database"];
    let planned = project.run_for(&url, &["deploy", "--create-database", "--dry-run"]).await.code(0);
    planned.out("execute 1_users 1/").err("note: there is no such database yet: a deploy creates it first");
    project.migration("2_open", "SELECT 'x");
    project.run_for(&url, &create).await.code(7).err("2_open.sql:1:8");
    // None of the two has created it.
    project.run_for(&url, &["status"]).await.code(6).err("there is no database");
    project.migration("2_open", "SELECT nothing FROM nowhere;");
    let create = ["deploy", "--create-database", "--to", "1_users"];
    let first = project.run_for(&url, &create).await.code(0);
    first.out("Applied 1_users").err("   Deploying to ").err(&format!("{}_new", database.name()));
    project.run_for(&url, &create).await.code(0).out("nothing to do");
    database.sql(&format!("DROP DATABASE {}_new{}", database.name(), database.force())).await;
}

async fn a_reader_is_refused_before_anything_runs(database: &Database) {
    let project = Project::new(database, &[USERS]);
    project.run(&["deploy"]).await.code(0);
    let reader = database.reader().await;
    project.run_for(&reader.url, &["deploy"]).await.code(0).out("nothing to do");
    project.migration(SEED.0, SEED.1);
    project.run_for(&reader.url, &["status", "--check"]).await.code(8).out("pending  2_seed");
    project.run_for(&reader.url, &["deploy", "--dry-run"]).await;
    project.run_for(&reader.url, &["deploy"]).await.code(3).err("cannot be written to").err("2_seed");
    assert_eq!(database.value("SELECT count(*) FROM users").await, "0");
}

async fn a_password_may_come_from_elsewhere(database: &Database) {
    let project = Project::new(database, &[USERS]);
    let (user, password, place, name) =
        (database.user(), database.password(), database.place(), database.name());
    let (host, port) = place.split_once(':').expect("a port");
    let bare = database.url_as(user, "").replace(&format!("{user}:@"), &format!("{user}@"));
    project.run_for(&bare, &["deploy"]).await.code(6);
    let (variable, file, text, named) = match database.target().family {
        Family::Postgres => {
            ("PGPASSWORD", ".pgpass", format!("{host}:{port}:*:{user}:{password}\n"), "PGPASSFILE")
        }
        _ => {
            ("MYSQL_PWD", ".my.cnf", format!("[client]\nuser = {user}\npassword = \"{password}\"\n"), "HOME")
        }
    };
    let mut command = project.command_for(&bare, &["deploy"]);
    command.env(variable, password);
    project.end(command).await.code(0).out("Applied 1_users");
    write_secret(&project, file, &text);
    project.run_for(&bare, &["deploy"]).await.code(0).out("nothing to do");
    if named == "PGPASSFILE" {
        std::fs::rename(project.path(file), project.path("elsewhere")).expect("moved");
        let mut command = project.command_for("postgres://", &["deploy"]);
        command.envs([("PGHOST", host), ("PGPORT", port), ("PGUSER", user), ("PGDATABASE", name)]);
        command.env(named, project.path("elsewhere"));
        project.end(command).await.code(0).out("nothing to do");
    }
    write_secret(&project, "url.txt", &database.url());
    let mut command = project.command_for("", &["deploy", "--database-url-file", "url.txt"]);
    command.env_remove("DATABASE_URL");
    project.end(command).await.code(0).out("nothing to do");
}

fn write_secret(project: &Project<'_>, file: &str, text: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    project.write(file, text);
    std::fs::set_permissions(project.path(file), std::fs::Permissions::from_mode(0o600)).expect("set");
}

async fn the_next_host_is_tried(database: &Database) {
    let project = Project::new(database, &[USERS]);
    let place = database.place();
    let two = database.url().replace(&place, &format!("127.0.0.1:1,{place}"));
    project.run_for(&two, &["deploy"]).await.code(0).out("Applied 1_users");
    let none = database.url().replace(&place, "127.0.0.1:1,127.0.0.1:2");
    project.run_for(&none, &["deploy"]).await.code(6).err("127.0.0.1:1").err("127.0.0.1:2");
}

async fn a_file_of_somebody_else_is_only_read(database: &Database) {
    use std::os::unix::fs::PermissionsExt as _;
    let project = Project::new(database, &[USERS]);
    project.run(&["deploy"]).await.code(0);
    project.migration(SEED.0, SEED.1);
    let (folder, file) = (database.folder(), database.folder().join("test.db"));
    let set = |path: &std::path::Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("set");
    };
    // The file itself, and then only the folder that a journal would be in.
    for (mode, why) in [(0o444, "test.db"), (0o666, "folder")] {
        set(&file, mode);
        set(folder, 0o555);
        let deploy = project.end(as_nobody(project.command(&["deploy"]))).await;
        let status = project.end(as_nobody(project.command(&["status", "--check"]))).await;
        set(folder, 0o755);
        deploy.code(3).err("cannot be written to").err(why).err("2_seed");
        status.code(8).out("pending  2_seed");
    }
    project.run(&["deploy"]).await.code(0).out("Applied 2_seed");
}

/// The superuser may write everywhere, and so is somebody else for once.
fn as_nobody(mut command: Command) -> Command {
    use std::os::unix::process::CommandExt as _;
    const NOBODY: u32 = 65_534;
    if nix::unistd::Uid::effective().is_root() {
        command.gid(NOBODY).uid(NOBODY);
    }
    command
}
