//! The programs of `examples/`, run as their readers would.

use crate::support::{Scratch, on_each};
use std::process::Command;

/// Cargo builds the examples beside the tests.
fn run(name: &str, scratch: &Scratch) -> String {
    let tests = std::env::current_exe().unwrap();
    let program = tests.ancestors().nth(2).unwrap().join("examples").join(name);
    assert!(program.is_file(), "build it first: cargo build --package windlass-mysql --examples");
    let output = Command::new(program).env("DATABASE_URL", &scratch.url).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name} ended with {}: {told}", output.status);
    String::from_utf8(output.stdout).unwrap()
}

#[test]
#[ignore = "needs servers: cargo xtask test"]
fn a_program_starts_on_a_database_that_is_up_to_date() {
    on_each(async |scratch| {
        assert_eq!(run("mysql_start", scratch), "applied 2 migrations\n");
        assert_eq!(run("mysql_start", scratch), "applied 0 migrations\n");
        assert_eq!(scratch.raw("SELECT CAST(count(crew) AS CHAR) FROM ships").await, ["0"]);
    });
}

#[test]
#[ignore = "needs servers: cargo xtask test"]
fn a_function_of_the_program_is_a_migration() {
    on_each(async |scratch| {
        run("mysql_start", scratch);
        scratch.raw("INSERT INTO ships VALUES (1, 'anna', 7), (2, 'émile', 8)").await;
        assert_eq!(run("mysql_data_migration", scratch), "applied 3_capitals\n");
        assert_eq!(scratch.raw("SELECT name FROM ships ORDER BY id").await, ["Anna", "Émile"]);
        assert_eq!(run("mysql_data_migration", scratch), "");
    });
}
