//! Markers: what other tools' users write to turn the transaction off does so here too, and nothing else does.

use harness::{Database, Project, Ran};
use std::fs;

harness::scenarios!(
    natively [Postgres, MySql, MariaDb, Sqlite]:
        each_tool_s_marker_turns_the_transaction_off,
        what_only_looks_like_a_marker_leaves_it_on,
        what_is_misspelt_is_told_with_the_nearest_and_runs_nothing,
);

/// The second statement is refused: whether the first one stands tells whether they shared a transaction.
const STATEMENTS: &str = "INSERT INTO n VALUES (1);\nINSERT INTO nowhere VALUES (2);\n";

/// A tool's own layout: the script's file with what stands above the statements, and what stands beside it.
struct Written {
    tool: &'static str,
    script: &'static str,
    above: &'static str,
    beside: Option<(&'static str, &'static str)>,
}

const fn written(tool: &'static str, script: &'static str, above: &'static str) -> Written {
    Written { tool, script, above, beside: None }
}

const fn beside(mut script: Written, file: &'static str, text: &'static str) -> Written {
    script.beside = Some((file, text));
    script
}

const MARKED: [Written; 9] = [
    written("windlass", "1_m.sql", "-- windlass: no-transaction\n"),
    written("sqlx", "1_m.sql", "-- no-transaction\n"),
    written("sqlx, both directions", "1_m.up.sql", "-- no-transaction\n"),
    written("goose", "1_m.sql", "-- +goose NO TRANSACTION\n-- +goose Up\n"),
    written("dbmate", "1_m.sql", "-- migrate:up transaction:false\n"),
    written("Atlas", "1_m.sql", "-- atlas:txmode none\n\n"),
    beside(written("Flyway", "V1__m.sql", ""), "V1__m.sql.conf", "executeInTransaction=false\n"),
    beside(written("diesel", "1_m/up.sql", ""), "1_m/metadata.toml", "run_in_transaction = false\n"),
    written("Prisma", "1_m/migration.sql", "-- This migration was generated with the --create-only flag\n"),
];

const NOT_MARKED: [Written; 9] = [
    written("no tool", "1_m.sql", ""),
    written("sqlx, not first", "1_m.sql", "-- of us\n-- no-transaction\n"),
    written("goose", "1_m.sql", "-- +goose Up\n"),
    written("dbmate", "1_m.sql", "-- migrate:up\n"),
    written("dbmate, transaction:true", "1_m.sql", "-- migrate:up transaction:true\n"),
    written("Atlas", "1_m.sql", "-- atlas:txmode file\n\n"),
    beside(written("Flyway", "V1__m.sql", ""), "V1__m.sql.conf", "executeInTransaction=true\n"),
    beside(written("diesel", "1_m/up.sql", ""), "1_m/metadata.toml", "run_in_transaction = true\n"),
    written("Prisma", "1_m/migration.sql", "-- AlterTable\n"),
];

const APART: &str = "\
begin
    claim m
    execute m 1/2: INSERT INTO n VALUES (1)
    checkpoint m 1
commit
begin
    execute m 2/2: INSERT INTO nowhere VALUES (2)
    record m applied
commit
";

const TOGETHER: &str = "\
begin
    claim m
    execute m 1/2: INSERT INTO n VALUES (1)
    execute m 2/2: INSERT INTO nowhere VALUES (2)
    record m applied
commit
";

/// What the dry run shows of it, and what stands after the deploy that fails.
async fn tried(database: &Database, written: &Written) -> (String, String) {
    let project = Project::new(database, &[]);
    fs::remove_dir_all(project.path("migrations")).expect("the folder of the one before");
    let script = format!("{}{STATEMENTS}", written.above);
    for (name, text) in [(written.script, script.as_str())].into_iter().chain(written.beside) {
        let file = project.path("migrations").join(name);
        fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
        fs::write(file, text).expect("a file");
    }
    database.sql("DROP TABLE IF EXISTS _windlass_migrations").await;
    database.sql("DELETE FROM n").await;
    let planned = project.run(&["deploy", "--allow-non-empty", "--dry-run"]).await.code(0);
    let refused = project.run(&["deploy", "--allow-non-empty"]).await;
    assert!(refused.stderr.contains("nowhere"), "{}: {refused:?}", written.tool);
    (shown(&planned), database.value("SELECT count(*) FROM n").await)
}

/// The plan, with the migration's name as `m`, whatever its tool calls it.
fn shown(planned: &Ran) -> String {
    let lines = planned.stdout.lines().filter(|line| !line.trim().starts_with("create history"));
    lines.map(|line| line.replace("V1__m", "m").replace("1_m", "m") + "\n").collect()
}

async fn each_tool_s_marker_turns_the_transaction_off(database: &Database) {
    database.sql("CREATE TABLE n (n int)").await;
    for written in &MARKED {
        let (plan, rows) = tried(database, written).await;
        assert_eq!(plan, APART, "{}", written.tool);
        assert_eq!(rows, "1", "{}: the first statement is committed by itself", written.tool);
    }
}

async fn what_only_looks_like_a_marker_leaves_it_on(database: &Database) {
    database.sql("CREATE TABLE n (n int)").await;
    for written in &NOT_MARKED {
        let (plan, rows) = tried(database, written).await;
        assert_eq!(plan, TOGETHER, "{}", written.tool);
        assert_eq!(rows, "0", "{}: both statements are one transaction", written.tool);
    }
}

/// What is written, on which line it stands, and what is told.
const MISSPELT: [(&str, u32, &str); 12] = [
    ("-- windlass: no-transactions\nINSERT INTO n VALUES (1);", 1, "did you mean `no-transaction`?"),
    ("-- windlass: no transaction\nINSERT INTO n VALUES (1);", 1, "did you mean `no-transaction`?"),
    (
        "-- a comment\n-- windlas: no-transaction\nINSERT INTO n VALUES (1);",
        2,
        "did you mean `-- windlass:`?",
    ),
    ("-- Windlass : no-transaction\nINSERT INTO n VALUES (1);", 1, "did you mean `-- windlass:`?"),
    ("/* windlass: no-transaction */\nINSERT INTO n VALUES (1);", 1, "did you mean `-- windlass:`?"),
    (
        "-- windlass: transaction requird\nINSERT INTO n VALUES (1);",
        1,
        "did you mean `transaction required`?",
    ),
    ("-- windlass: lock-timout 5s\nINSERT INTO n VALUES (1);", 1, "did you mean `lock-timeout`?"),
    ("-- windlass: lock-timeout 5\nINSERT INTO n VALUES (1);", 1, "takes a time like 5s"),
    (
        "INSERT INTO n VALUES (1);\n-- windlass: repaet\nDELETE FROM n WHERE n = 1;",
        2,
        "did you mean `repeat`?",
    ),
    (
        "INSERT INTO n VALUES (1);\n-- windlass: repeat pauze 1s\nDELETE FROM n WHERE n = 1;",
        2,
        "`pause 100ms`",
    ),
    ("INSERT INTO n VALUES (1);\n-- windlass: no-transaction\n", 2, "belongs above the first statement"),
    ("INSERT INTO n VALUES (1);\n-- windlass: repeat\n", 2, "stands before no statement"),
];

async fn what_is_misspelt_is_told_with_the_nearest_and_runs_nothing(database: &Database) {
    database.sql("CREATE TABLE n (n int)").await;
    for (script, line, nearest) in MISSPELT {
        // Another file, before it, is right: it is not run either.
        let project =
            Project::new(database, &[("1_right", "INSERT INTO n VALUES (7);"), ("2_wrong", script)]);
        for dry in [true, false] {
            let arguments = ["deploy", "--allow-non-empty", "--dry-run"];
            let ran = project.run(&arguments[..if dry { 3 } else { 2 }]).await.code(7);
            ran.err(&format!("2_wrong.sql: line {line}, column ")).err(nearest);
        }
        assert_eq!(database.value("SELECT count(*) FROM n").await, "0", "{script}");
        assert_eq!(database.tables().await, ["n"], "{script}");
    }
}
