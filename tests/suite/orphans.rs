//! Orphans: a deployer is gone, and its session works on. The next deploy sees that session, and then what it did.

use harness::{Database, Family, Project, Proxy, Waiting};
use std::fs::File;
use std::process::Child;

harness::scenarios!(
    natively [MySql, MariaDb]:
        what_a_killed_deployer_left_running_is_waited_for,
        what_others_changed_since_is_not_taken_for_the_statement,
        where_the_schema_shows_that_it_never_ran_others_undo_theirs;
    natively [Postgres]:
        what_a_killed_deployer_left_running_is_ended_by_the_server,
        an_index_of_that_name_made_in_another_way_is_not_taken_for_the_statement_s;
    natively [Postgres, MySql, MariaDb]: the_session_of_a_vanished_host_is_told_ended_and_gone_on_from;
);

const N: (&str, &str) = ("1_n", "CREATE TABLE n (n int);\nINSERT INTO n VALUES (0);");
const PLUS: (&str, &str) = ("2_plus", "UPDATE n SET n = n + 1;");

async fn what_a_killed_deployer_left_running_is_waited_for(database: &Database) {
    let project = Project::new(database, &[N]);
    project.run(&["deploy"]).await.code(0);
    project.migration(PLUS.0, PLUS.1);
    let mut other = database.session().await;
    other.execute("BEGIN").await.expect("a transaction");
    other.execute("UPDATE n SET n = 10 + n").await.expect("the row");
    let mut deploy = project.command(&["deploy"]).spawn().expect("the binary runs");
    let session = database.running("SET n = n + 1").await;
    end(&mut deploy);
    let mut command = project.command(&["deploy"]);
    command.stderr(File::create(project.path("told")).expect("a file"));
    let next = command.spawn().expect("the binary runs");
    let told = until_told(&project, "Waiting for another deployer").await;
    assert!(told.contains(&format!("user {}", database.user())), "{told}");
    assert!(
        told.contains(&format!("({session})")) && told.contains("running UPDATE n SET n = n + 1"),
        "{told}"
    );
    other.execute("COMMIT").await.expect("done");
    project.ended(next).await.code(0).out("waited ").out("at 2_plus");
    assert_eq!(database.value("SELECT sum(n) FROM n").await, "11");
}

/// The deployer and its session end while the statement waits for the table `n`: it never runs.
async fn die_before(database: &Database, project: &Project<'_>, statement: &str) {
    let mut other = database.session().await;
    other.execute("BEGIN").await.expect("a transaction");
    other.execute("UPDATE n SET n = 1").await.expect("the table");
    let mut deploy = project.command(&["deploy", "--lock-timeout", "30m"]).spawn().expect("the binary runs");
    let session = database.running(statement).await;
    end(&mut deploy);
    database.kill(&session).await;
    until_gone(database, &session).await;
    other.execute("ROLLBACK").await.expect("undone");
}

/// The statement never ran, and its table is another by now all the same.
async fn what_others_changed_since_is_not_taken_for_the_statement(database: &Database) {
    let project = Project::new(database, &[N]);
    project.run(&["deploy"]).await.code(0);
    project.migration("2_wide", "ALTER TABLE n ADD wide int;\nCREATE TABLE more (n int);");
    die_before(database, &project, "ADD wide int").await;
    database.sql("CREATE INDEX emergency ON n (n)").await;
    project.run(&["status", "--check"]).await.code(8).out("not known");
    project.run(&["deploy"]).await.code(3).err("`2_wide`").err("windlass resolve --resume 2_wide");
    project.run(&["resolve", "--resume", "2_wide"]).await.code(0);
    project.run(&["deploy"]).await.code(10).err("index n.emergency was added");
    project.run(&["deploy", "--allow-drift"]).await.code(0).out("Applied 2_wide");
    assert_eq!(database.value("SELECT count(wide) FROM n").await, "0");
    // Where what it makes is there, it goes on by itself.
    project.migration("3_wider", "ALTER TABLE n ADD wider int;\nALTER TABLE n ADD widest int;");
    let mut other = database.session().await;
    other.execute("BEGIN").await.expect("a transaction");
    other.execute("UPDATE n SET n = 1").await.expect("the table");
    let mut deploy = project.command(&["deploy", "--lock-timeout", "30m"]).spawn().expect("the binary runs");
    let session = database.running("ADD wider int").await;
    end(&mut deploy);
    other.execute("ROLLBACK").await.expect("undone");
    until_gone(database, &session).await;
    project.run(&["deploy"]).await.code(0).out("Applied 3_wider");
    assert_eq!(database.value("SELECT count(wider) + count(widest) FROM n").await, "0");
}

/// What others changed in its table makes it seem done where it makes nothing by name; a replay knows better.
async fn where_the_schema_shows_that_it_never_ran_others_undo_theirs(database: &Database) {
    let project = Project::new(database, &[N]);
    project.run(&["deploy"]).await.code(0);
    project.migration("2_wide", "ALTER TABLE n MODIFY n bigint;\nCREATE TABLE more (n int);");
    die_before(database, &project, "MODIFY n bigint").await;
    database.sql("CREATE TABLE more (n bigint)").await;
    database.sql("ALTER TABLE n COMMENT 'theirs'").await;
    let told = project.run(&["diagnose", "--json", "--shadow", "same-server"]).await.code(3).json();
    let first = &told["migration"]["statements"][0];
    assert_eq!((&first["fate"], &first["evidence"]), (&"not_done".into(), &"schema".into()), "{told:#}");
    let advice = &told["advice"];
    let by_hand = advice["by_hand"].to_string();
    assert!(by_hand.contains("take table more away") && !by_hand.contains("bigint"), "{told:#}");
    let why = advice["why"].as_str().expect("words");
    assert!(why.contains("what others changed beside it (1 object) is drift then"), "{told:#}");
    database.sql("DROP TABLE more").await;
    assert_eq!(advice["commands"][0], "windlass resolve --resume 2_wide", "{told:#}");
    project.run(&["resolve", "--resume", "2_wide", "--shadow", "same-server"]).await.code(0);
    project.run(&["drift", "accept", "--reason", "a remark"]).await.code(0);
    project.run(&["deploy"]).await.code(0).out("Applied 2_wide");
    let wide = "SELECT data_type FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 'n'";
    assert_eq!(database.value(wide).await, "bigint");
}

/// What the build left was taken away, and somebody made another of its name on the same table.
async fn an_index_of_that_name_made_in_another_way_is_not_taken_for_the_statement_s(database: &Database) {
    let project = Project::new(database, &[N]);
    project.run(&["deploy"]).await.code(0);
    project.migration(
        "2_index",
        "CREATE UNIQUE INDEX CONCURRENTLY by_n ON n (n DESC);\nUPDATE n SET n = n + 1;",
    );
    let mut other = database.session().await;
    other.execute("BEGIN; UPDATE n SET n = 0").await.expect("the table");
    let mut deploy = project.command(&["deploy"]).spawn().expect("the binary runs");
    let session = database.running("INDEX CONCURRENTLY by_n").await;
    end(&mut deploy);
    database.kill(&session).await;
    until_gone(database, &session).await;
    other.execute("ROLLBACK").await.expect("undone");
    for by_hand in
        ["INDEX by_n ON n (n DESC)", "UNIQUE INDEX by_n ON n (n)", "UNIQUE INDEX by_n ON n ((n + 1) DESC)"]
    {
        database.sql("DROP INDEX IF EXISTS by_n").await;
        database.sql(&format!("CREATE {by_hand}")).await;
        project.run(&["status", "--check"]).await.code(8).out("not known");
        project.run(&["deploy"]).await.code(3).err("`2_index`").err("windlass resolve --resume 2_index");
    }
    database.sql("DROP INDEX by_n").await;
    database.sql("CREATE UNIQUE INDEX by_n ON n USING btree (n DESC NULLS FIRST)").await;
    project.run(&["deploy"]).await.code(0).out("Applied 2_index");
    assert_eq!(database.value("SELECT sum(n) FROM n").await, "1");
}

/// It looks every two seconds whether there is still somebody who waits for the answer.
async fn what_a_killed_deployer_left_running_is_ended_by_the_server(database: &Database) {
    let project = Project::new(database, &[N]);
    project.run(&["deploy"]).await.code(0);
    project.migration(PLUS.0, PLUS.1);
    let mut other = database.session().await;
    other.execute("BEGIN; UPDATE n SET n = 10 + n").await.expect("the row");
    let mut deploy = project.command(&["deploy"]).spawn().expect("the binary runs");
    let session = database.running("SET n = n + 1").await;
    end(&mut deploy);
    until_gone(database, &session).await;
    other.execute("COMMIT").await.expect("done");
    project.run(&["deploy"]).await.code(0).out("Applied 2_plus");
    assert_eq!(database.value("SELECT sum(n) FROM n").await, "11");
}

/// Nothing more comes from it, not even that the connection is closed, and nothing reaches it.
async fn the_session_of_a_vanished_host_is_told_ended_and_gone_on_from(database: &Database) {
    let is_postgres = database.target().family == Family::Postgres;
    let project = Project::new(database, &[N]);
    project.run(&["deploy"]).await.code(0);
    let index = if is_postgres { "CREATE INDEX CONCURRENTLY" } else { "CREATE INDEX" };
    project.migration("2_index", &format!("{index} by_n ON n (n);"));
    project.migration("3_plus", "UPDATE n SET n = n + 1;");
    let mut reader = database.session().await;
    reader.execute("BEGIN").await.expect("a transaction");
    reader.execute("INSERT INTO n VALUES (10)").await.expect("the table");
    let proxy = Proxy::before(&database.target().url);
    let through = proxy.url(&database.url());
    let mut command = project.command_for(&through, &["deploy", "--lock-timeout", "30m"]);
    let mut deploy = command.spawn().expect("the binary runs");
    let session = database.running("by_n ON n").await;
    proxy.stall();
    end(&mut deploy);
    let working = project.run(&["unlock"]).await.code(5).out(&format!("session  {session}\n"));
    working.out("by_n ON n");
    let late = project.run(&["deploy", "--lock-wait", "0"]).await.code(5);
    late.err("another deployer holds the lock").err(&format!("({session})")).err("by_n ON n");
    reader.execute("COMMIT").await.expect("done");
    // It comes to its end, and holds the lock for whoever is not there any more.
    let waiting = Waiting::for_this("the index is built");
    let built = match is_postgres {
        true => "SELECT count(*) FROM pg_index WHERE indexrelid = to_regclass('by_n') AND indisvalid",
        false => {
            "SELECT count(*) FROM information_schema.statistics WHERE index_name = 'by_n' AND table_schema = DATABASE()"
        }
    };
    while database.value(built).await != "1" {
        waiting.pause().await;
    }
    let late = project.run(&["deploy", "--lock-wait", "100ms"]).await.code(5);
    late.err(&format!("({session})")).err("windlass unlock --end");
    project.run(&["unlock", "--end", "--yes"]).await.code(0).out("Ended user ");
    // MySQL and MariaDB got the record of it in one message with the statement.
    let done = project.run(&["deploy"]).await.code(0).out("Applied 3_plus");
    assert_eq!(done.stdout.contains("Applied 2_index"), is_postgres, "{done:?}");
    assert_eq!(database.value("SELECT sum(n) FROM n").await, "12");
    assert_eq!(database.value(built).await, "1");
    let completed =
        "SELECT count(*) FROM _windlass_migrations WHERE name = '2_index' AND finished_at IS NOT NULL";
    assert_eq!(database.value(completed).await, "1");
}

async fn until_gone(database: &Database, session: &str) {
    let waiting = Waiting::for_this("the session is gone");
    let (sessions, number) = match database.target().family {
        Family::Postgres => ("pg_stat_activity", "pid"),
        family => (family.sessions(), "id"),
    };
    let listed = format!("SELECT count(*) FROM {sessions} WHERE {number} = {session}");
    while database.value(&listed).await != "0" {
        waiting.pause().await;
    }
}

/// Kills it, and waits until it is gone.
fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

async fn until_told(project: &Project<'_>, part: &str) -> String {
    let waiting = Waiting::for_this(part);
    loop {
        let told = std::fs::read_to_string(project.path("told")).expect("a file");
        if told.contains(part) && told.ends_with('\n') {
            return told;
        }
        waiting.pause().await;
    }
}
