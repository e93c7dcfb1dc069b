//! Doctoring: the checklist tells what a deploy would meet, and writes nothing.

use harness::{Database, Family, Project, Waiting};
use serde_json::Value;
use std::time::Duration;
use windlass_core::driver::Run;

harness::scenarios!(
    natively [Postgres, MySql, MariaDb, Sqlite]:
        all_is_well_after_a_deploy,
        what_was_never_deployed_is_told,
        what_stops_the_next_deploy_is_told;
    natively [Postgres, MySql, MariaDb]:
        who_is_in_the_way_is_told,
        a_shadow_that_was_left_is_told,
        what_an_account_may_not_do_is_told;
    natively [Postgres]: an_index_that_is_not_valid_is_told;
);

const A: (&str, &str) = ("1_a", "CREATE TABLE a (n int);");
const B: (&str, &str) = ("2_b", "CREATE TABLE b (n int);");

/// What a check found, which is one thing.
fn found<'v>(document: &'v Value, check: &str) -> &'v Value {
    let findings = document["findings"].as_array().expect("a list");
    let mut those = findings.iter().filter(|finding| finding["check"] == check);
    let finding = those.next().unwrap_or_else(|| panic!("nothing of {check} in {document}"));
    assert!(those.next().is_none(), "{check} found more than one thing: {document}");
    finding
}

fn assert_found(document: &Value, check: &str, severity: &str, what: &str, next: &str) {
    let finding = found(document, check);
    assert_eq!(finding["severity"], severity, "{finding}");
    let says = |member: &str, part: &str| finding[member].as_str().is_some_and(|text| text.contains(part));
    assert!(says("what", what), "{finding} does not say {what}");
    if severity == "good" {
        assert!(finding["why"].is_null() && finding["next"].is_null(), "{finding}");
    } else {
        assert!(says("why", ""), "{finding} does not say why");
        assert!(next.is_empty() || says("next", next), "{finding} does not say {next}");
    }
}

async fn all_is_well_after_a_deploy(database: &Database) {
    let project = Project::new(database, &[A, B]);
    project.run(&["deploy"]).await.code(0);
    let before = database.query("SELECT * FROM _windlass_migrations ORDER BY id").await;
    let document = project.run(&["doctor", "--json"]).await.code(0).json();
    for finding in document["findings"].as_array().expect("a list") {
        // Of the server others may use at the same time.
        assert!(finding["severity"] == "good" || finding["check"] == "shadows", "{finding}");
    }
    assert_found(&document, "deployed", "good", "2 migrations applied, the last at 20", "");
    assert_found(&document, "drift", "good", "as it was kept", "");
    project.run(&["doctor"]).await.code(0).out("good  2 migrations applied").out("nothing is known against");
    assert_eq!(database.query("SELECT * FROM _windlass_migrations ORDER BY id").await, before);
    let status = project.run(&["status", "--json"]).await.code(0).json();
    assert_eq!(status["drift"], "none");
}

async fn what_was_never_deployed_is_told(database: &Database) {
    // A table made and dropped: to look creates no file.
    database.sql("CREATE TABLE made (n int)").await;
    database.sql("DROP TABLE made").await;
    let project = Project::new(database, &[A, B]);
    let document = project.run(&["doctor", "--json"]).await.code(8).json();
    assert_found(&document, "deployed", "warning", "no deploy has run here", "`windlass deploy`");
    assert_eq!(database.tables().await, Vec::<String>::new(), "it writes nothing");
    database.sql("CREATE TABLE a (n int)").await;
    database.sql("CREATE TABLE _sqlx_migrations (version bigint)").await;
    let document = project.run(&["doctor", "--json"]).await.code(3).json();
    assert_found(&document, "deployed", "problem", "no history", "`windlass baseline NAME`");
    assert_found(&document, "other_history", "warning", "a history of sqlx", "`windlass baseline NAME`");
    project.run(&["baseline", "1_a", "--force"]).await.code(0);
    let document = project.run(&["doctor", "--json"]).await.code(8).json();
    assert_found(
        &document,
        "deployed",
        "warning",
        "1 migration is not applied, from 2_b on",
        "`windlass deploy`",
    );
    assert_found(&document, "other_history", "note", "a history of sqlx", "only one of them");
}

async fn what_stops_the_next_deploy_is_told(database: &Database) {
    let project = Project::new(database, &[A]);
    project.run(&["deploy"]).await.code(0);
    database.sql("ALTER TABLE a ADD by_hand int").await;
    let document = project.run(&["doctor", "--json"]).await.code(10).json();
    assert_found(&document, "drift", "problem", "a.by_hand", "`windlass drift accept --reason WHY`");
    // A warning beside it is not worse, and a deploy ends so, too.
    project.migration(B.0, B.1);
    let document = project.run(&["doctor", "--json"]).await.code(10).json();
    assert_found(&document, "deployed", "warning", "1 migration is not applied", "`windlass deploy`");
    project.run(&["deploy"]).await.code(10);
    std::fs::remove_file(project.path("migrations/2_b.sql")).expect("a migration");
    let status =
        project.run(&["status"]).await.code(0).err("the live schema is not what the deploy of 1_a left");
    status.err("`windlass drift` shows it");
    assert_eq!(project.run(&["status", "--json"]).await.code(0).json()["drift"], "drift");
    project.write("windlass.toml", "drift = \"off\"\n");
    let document = project.run(&["doctor", "--json"]).await.code(0).json();
    assert_found(&document, "drift", "note", "not looked at", "");
    project.migration(
        "2_b",
        "-- windlass: no-transaction\nCREATE TABLE b (n int);\nINSERT INTO nowhere VALUES (1);",
    );
    project.run(&["deploy"]).await.code(4);
    let document = project.run(&["doctor", "--json"]).await.code(3).json();
    assert_found(&document, "blocked", "problem", "2_b", "windlass resolve --resume 2_b");
}

async fn who_is_in_the_way_is_told(database: &Database) {
    let project = Project::new(database, &[A]);
    project.run(&["deploy"]).await.code(0);
    let mut other = database.session().await;
    other.execute("BEGIN").await.expect("a transaction");
    other.execute("INSERT INTO a VALUES (1)").await.expect("a row");
    project.run(&["doctor"]).await.code(0).out("no transaction has been open for 60 s or more");
    let document = told(&project, "warning").await;
    let who = format!("user {}", database.user());
    assert_found(&document, "transactions", "warning", &who, "end it");
    let mut deployer = database.connect().await;
    deployer.try_lock().await.expect("an answer");
    let document = project.run(&["doctor", "--json"]).await.code(0).json();
    assert_found(&document, "deployer", "note", "a deploy is at work: session ", "`windlass unlock`");
    deployer.unlock().await.expect("given back");
    other.execute("ROLLBACK").await.expect("it lives");
    told(&project, "good").await;
}

async fn a_shadow_that_was_left_is_told(database: &Database) {
    let project = Project::new(database, &[A]);
    project.run(&["deploy"]).await.code(0);
    let name = format!("windlass_shadow_{}", &Run::new("a test", "a test").owner[..16]);
    let said = async || {
        let document = project.run(&["doctor", "--json"]).await.code(0).json();
        let findings = document["findings"].as_array().expect("a list").clone();
        let is_of_it = |finding: &Value| finding["what"].as_str().is_some_and(|what| what.contains(&name));
        findings.into_iter().find(|finding| finding["check"] == "shadows" && is_of_it(finding))
    };
    let before = said().await;
    database.sql(&format!("CREATE DATABASE {name}")).await;
    let left = said().await;
    let url = database.url().replacen(database.name(), &name, 1);
    let user = database.try_connect(&url).await;
    let used = said().await;
    drop(user);
    let force = if database.target().family == Family::Postgres { " WITH (FORCE)" } else { "" };
    database.sql(&format!("DROP DATABASE {name}{force}")).await;
    assert_eq!((before, used), (None, None), "one that is there, and that nobody uses, is told of");
    let left = left.expect("it is told of");
    assert_eq!(left["severity"], "note", "{left}");
    assert!(left["why"].as_str().is_some_and(|why| why.contains("killed")), "{left}");
    let next = left["next"].as_str().expect("what to do");
    assert!(next.contains(&format!("`DROP DATABASE {name}`")) && next.contains("unless"), "{left}");
}

/// What is told once open transactions are told of, or none is any more.
async fn told(project: &Project<'_>, severity: &str) -> Value {
    let waiting = Waiting::for_this("what is told of transactions");
    loop {
        let document = project.run(&["doctor", "--open-for", "0s", "--json"]).await.json();
        if found(&document, "transactions")["severity"] == severity {
            return document;
        }
        // MariaDB looks anew once nobody has asked for a tenth of a second.
        tokio::time::sleep(Duration::from_millis(150)).await;
        waiting.pause().await;
    }
}

async fn what_an_account_may_not_do_is_told(database: &Database) {
    let project = Project::new(database, &[A]);
    project.run(&["deploy"]).await.code(0);
    let reader = database.reader().await;
    let document = project.run_for(&reader.url, &["doctor", "--json"]).await.code(3).json();
    let findings = document["findings"].as_array().expect("a list");
    let rights: Vec<_> = findings.iter().filter(|finding| finding["check"] == "rights").collect();
    let [writes, sees] = rights[..] else { panic!("{document}") };
    assert_eq!((&writes["severity"], &sees["severity"]), (&"problem".into(), &"note".into()));
    let right = if database.target().family == Family::Postgres {
        "GRANT pg_read_all_stats TO"
    } else {
        "GRANT PROCESS ON *.* TO"
    };
    assert!(sees["next"].as_str().is_some_and(|next| next.contains(right)), "{sees}");
    assert_found(&document, "transactions", "note", "that this account may see", "");
}

async fn an_index_that_is_not_valid_is_told(database: &Database) {
    let project = Project::new(database, &[A]);
    project.run(&["deploy"]).await.code(0);
    database.sql("INSERT INTO a VALUES (1), (1)").await;
    let mut session = database.session().await;
    session.execute("CREATE UNIQUE INDEX CONCURRENTLY a_n ON a (n)").await.expect_err("two rows are alike");
    let document = project.run(&["doctor", "--json"]).await.code(10).json();
    let next = "`REINDEX INDEX CONCURRENTLY public.a_n`";
    assert_found(&document, "invalid_indexes", "warning", "its build failed or was cut off", next);
}
