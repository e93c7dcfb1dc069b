//! The programs of `examples/`, run as their readers would.

use crate::on_servers;
use crate::support::Database;
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

on_servers!(
    a_program_starts_on_a_database_that_is_up_to_date,
    services_that_start_at_once_serve_and_deploy_once,
    a_replica_waits_until_another_has_deployed,
    a_replica_tells_why_it_does_not_serve,
    each_tenant_has_a_history_of_its_own,
    a_function_of_the_program_is_a_migration,
);

/// Cargo builds the examples beside the tests.
fn example(name: &str, database: &Database) -> Command {
    let tests = std::env::current_exe().unwrap();
    let program = tests.ancestors().nth(2).unwrap().join("examples").join(name);
    assert!(program.is_file(), "build it first: cargo build --package windlass-postgres --examples");
    let mut command = Command::new(program);
    command.env("DATABASE_URL", database.url()).kill_on_drop(true);
    command
}

pub(crate) async fn run(name: &str, database: &Database, arguments: &[&str]) -> String {
    let output = example(name, database).args(arguments).output().await.unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name} ended with {}: {told}", output.status);
    String::from_utf8(output.stdout).unwrap()
}

/// A program that goes on, and what it prints.
fn start(name: &str, database: &Database) -> (Child, Lines<BufReader<ChildStdout>>) {
    let mut child = example(name, database).stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    (child, lines)
}

async fn a_program_starts_on_a_database_that_is_up_to_date(database: Database) {
    assert_eq!(run("postgres_start", &database, &[]).await, "applied 2 migrations\n");
    assert_eq!(run("postgres_start", &database, &[]).await, "applied 0 migrations\n");
    assert_eq!(database.value("SELECT count(crew) FROM ships").await, "0");
}

/// One request over a connection of its own: the status line's number, and the body.
async fn request(address: &str, method: &str, path: &str, body: &str) -> (String, String) {
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let head = format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n");
    let head = format!("{head}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n", body.len());
    stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().to_owned(), body.to_owned())
}

async fn services_that_start_at_once_serve_and_deploy_once(database: Database) {
    let mut services: Vec<_> = (0..3).map(|_| start("web_service", &database)).collect();
    let (mut applied, mut addresses) = (Vec::new(), Vec::new());
    for (_, lines) in &mut services {
        applied.push(lines.next_line().await.unwrap().unwrap());
        let line = lines.next_line().await.unwrap().unwrap();
        addresses.push(line.strip_prefix("listening on ").unwrap().to_owned());
    }
    applied.sort();
    assert_eq!(applied, ["applied 0 migrations", "applied 0 migrations", "applied 2 migrations"]);

    assert_eq!(request(&addresses[0], "POST", "/ships", "\"Anna\"").await.0, "201");
    let is = |status: &str, body: &str| (status.to_owned(), body.to_owned());
    assert_eq!(request(&addresses[1], "GET", "/ships", "").await, is("200", "[\"Anna\"]"));
    assert_eq!(request(&addresses[2], "GET", "/ready", "").await, is("200", "the database is current"));
    database.sql("DELETE FROM _windlass_migrations").await;
    assert_eq!(request(&addresses[2], "GET", "/ready", "").await.0, "503");
    for (mut service, _) in services {
        service.kill().await.unwrap();
    }
}

async fn a_replica_waits_until_another_has_deployed(database: Database) {
    let (mut replica, mut lines) = start("replica", &database);
    assert_eq!(lines.next_line().await.unwrap().unwrap(), "waiting");
    assert_eq!(run("postgres_start", &database, &[]).await, "applied 2 migrations\n");
    assert_eq!(lines.next_line().await.unwrap().unwrap(), "serving 0 ships");
    assert!(replica.wait().await.unwrap().success());
}

async fn a_replica_tells_why_it_does_not_serve(database: Database) {
    let output = example("replica", &database).env("WAIT_SECONDS", "0").output().await.unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && told.contains("behind by 1_ships, 2_crews"), "{told}");
    // It wrote nothing.
    assert_eq!(database.value("SELECT to_regclass('_windlass_migrations')").await, "NULL");
}

async fn each_tenant_has_a_history_of_its_own(database: Database) {
    let both = "north: applied 2 migrations\nsouth: applied 2 migrations\n";
    assert_eq!(run("tenants", &database, &["north", "south"]).await, both);
    database.sql("DROP TABLE south.ships; DELETE FROM south._windlass_migrations").await;
    database.sql("CREATE TABLE south.ships (id text)").await;
    let output = example("tenants", &database).args(["south", "north", "west"]).output().await.unwrap();
    let lines = String::from_utf8(output.stdout).unwrap();
    let rest = "north: applied 0 migrations\nwest: applied 2 migrations\n";
    assert!(lines.starts_with("south: ") && lines.ends_with(rest), "{lines}");
    assert!(!output.status.success());
    assert_eq!(database.value("SELECT count(*) FROM west._windlass_migrations").await, "2");
}

async fn a_function_of_the_program_is_a_migration(database: Database) {
    run("postgres_start", &database, &[]).await;
    database.sql("INSERT INTO ships VALUES (1, 'anna', 7), (2, 'émile', 8)").await;
    assert_eq!(run("postgres_data_migration", &database, &[]).await, "applied 3_capitals\n");
    assert_eq!(database.value("SELECT string_agg(name, ' ' ORDER BY id) FROM ships").await, "Anna Émile");
    assert_eq!(run("postgres_data_migration", &database, &[]).await, "");
}
