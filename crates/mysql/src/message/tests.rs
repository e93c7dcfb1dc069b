//! Which statements share a message.

use super::*;
use windlass_core::driver::Run;
use windlass_core::migration::{Migration, Script};
use windlass_core::plan::Execute;

/// The messages of statements that follow one another, each as the numbers of its statements.
fn messages(statements: &[&str]) -> Vec<Vec<usize>> {
    let migration = Migration::new("1_one", Script::new("1_one.sql", ""));
    let execute = |sql| Execute {
        migration: &migration,
        number: 1,
        of: 1,
        sql,
        copy_data: None,
        line: 1,
        column: 1,
        secret: false,
        leaves_session_alone: false,
    };
    let steps: Vec<Step<'_>> = statements.iter().map(|sql| Step::Execute(execute(sql))).collect();
    let run = Run { owner: String::new(), applied_by: String::new(), tool: String::new() };
    let outline = Outline {
        role: "NONE",
        theirs: None,
        table: &Table::new("d", "t"),
        writer: Writer { run: &run, session: "" },
        product: Product::MySql,
        version: "9.7.0",
        database: "d",
        eyes: None,
    };
    let pieces = pieces(outline, &steps, &mut Traces::default()).unwrap();
    let mut messages = Vec::new();
    let mut start = 0;
    while start < pieces.len() {
        let end = message_end(&pieces, start, 1 << 20);
        messages.push((start..end).collect());
        start = end;
    }
    messages
}

#[test]
fn plain_statements_share_a_message() {
    assert_eq!(messages(&["CREATE TABLE t (a int)", "insert into t values (1)", "SET @a = 1"]), [[0, 1, 2]]);
}

#[test]
fn nothing_follows_what_answers_otherwise() {
    for sql in [
        "CALL p()",
        "SELECT 1",
        "(SELECT 1)",
        "EXECUTE s",
        "/*!50001 CREATE TABLE x (a int) */",
        "DELETE FROM t RETURNING a",
        "ALTER TABLE t CHECK PARTITION p0",
        "SET STATEMENT max_statement_time = 1 FOR SELECT 1",
        "INSERT INTO t VALUES (';')",
        "CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW BEGIN SET @a = 1; END",
        "setx",
    ] {
        assert_eq!(messages(&[sql, "DROP TABLE t"]), [[0], [1]], "{sql}");
    }
}

#[test]
fn statements_part_once_quotes_may_mean_something_else() {
    let sql = ["SET sql_mode = 'NO_BACKSLASH_ESCAPES'", "DROP TABLE a", "DROP TABLE b"];
    assert_eq!(messages(&sql), [[0], [1], [2]]);
}

#[test]
fn a_message_is_never_long() {
    let long = format!("INSERT INTO t VALUES ('{}')", "a".repeat(SEARCHED_BYTES - 40));
    assert_eq!(messages(&[long.as_str(); 5]), [vec![0, 1, 2, 3], vec![4]]);
}
