//! What holds for every script, and token checksums that must never change.

use proptest::prelude::*;
use windlass_core::sql::Dialect::{self, MySql, Postgres, Sqlite};
use windlass_core::sql::checksum::{statement_checksum, statements_checksum, token_checksum};
use windlass_core::sql::classify::classify;
use windlass_core::sql::lexer::{TokenKind, tokens};
use windlass_core::sql::split::split;

/// What begins, ends or hides something in one of the dialects.
const PIECES: &[&str] = &[
    "'",
    "''",
    "\"",
    "`",
    "[",
    "]",
    "\\",
    "$",
    "$$",
    "$a$",
    "E'",
    "U&'",
    "x'",
    "--",
    "-- ",
    "#",
    "/*",
    "*/",
    "/*!",
    "/*M!",
    "/*+",
    ";",
    "\n",
    "\r\n",
    "\r",
    " ",
    "(",
    ")",
    ",",
    ".",
    "..",
    "1",
    "1e",
    "0x",
    "a",
    "é",
    "\u{a0}",
    "\u{feff}",
    "@",
    "@@",
    "?",
    ":",
    "::",
    ":=",
    "+",
    "-",
    "<",
    ">",
    "DELIMITER ",
    "DELIMITER //\n",
    "//",
    "\\.",
    "\n\\.\n",
    "COPY t FROM stdin;\n",
    "CREATE ",
    "FUNCTION f() ",
    "RULE ",
    "PROCEDURE p() ",
    "TRIGGER ",
    "EVENT ",
    "BEGIN ",
    "ATOMIC ",
    "NOT ",
    "END ",
    "CASE ",
    "IF ",
    "THEN ",
    "ELSE ",
    "LOOP ",
    "REPEAT ",
    "DO ",
    "DECLARE ",
    "HANDLER ",
    "FOR EACH ROW ",
    "SELECT ",
    "INSERT INTO ",
    "SET ",
    "-- windlass: repeat\n",
    "\0",
];

fn script() -> impl Strategy<Value = String> {
    prop_oneof![
        proptest::collection::vec(proptest::sample::select(PIECES), 0..40).prop_map(|pieces| pieces.concat()),
        any::<String>(),
    ]
}

fn dialect() -> impl Strategy<Value = Dialect> {
    prop_oneof![Just(Postgres), Just(MySql), Just(Sqlite)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn tokens_lose_nothing(dialect in dialect(), script in script()) {
        let mut offset = 0;
        for token in tokens(dialect, &script) {
            prop_assert_eq!(token.offset, offset);
            prop_assert!(!token.text.is_empty());
            offset = token.end();
            prop_assert_eq!(&script[token.offset..offset], token.text);
        }
        prop_assert_eq!(offset, script.len());
    }

    #[test]
    fn statements_are_in_order_and_hold_all_that_counts(dialect in dialect(), script in script()) {
        let Ok(statements) = split(dialect, &script) else { return Ok(()) };
        // Two minus signs that a terminator cuts off from what follows begin a comment in MySQL.
        prop_assume!(!statements.iter().any(|statement| statement.text(&script).ends_with("--")));
        // Nor is `DELIMITER` at a line's start a command when more follows it on the line.
        prop_assume!(!statements.iter().any(|statement| {
            tokens(dialect, statement.text(&script)).any(|token| token.kind == TokenKind::ClientCommand)
        }));
        let mut end = 0;
        let mut significant = 0;
        for statement in &statements {
            prop_assert!(end <= statement.start && statement.start < statement.end);
            prop_assert!(statement.leading.end == statement.start && end <= statement.leading.start);
            prop_assert_eq!(statement.text(&script).trim_ascii(), statement.text(&script));
            end = statement.copy_data.as_ref().map_or(statement.end, |rows| rows.end);
            significant += tokens(dialect, &script[statement.start..statement.end])
                .filter(|token| token.kind.is_significant() && token.kind != TokenKind::Semicolon)
                .count();
            classify(dialect, statement.text(&script));
        }
        // Nothing that counts is outside of the statements; hints alone are none.
        let counts = |kind: TokenKind| kind.is_significant() && !matches!(
            kind, TokenKind::Semicolon | TokenKind::Terminator | TokenKind::CopyData | TokenKind::Hint
        );
        let all = tokens(dialect, &script).filter(|token| counts(token.kind)).count();
        prop_assert!(significant >= all, "{} tokens of {}", significant, all);
    }

    #[test]
    fn statements_tell_their_line_and_column(dialect in dialect(), script in script()) {
        let Ok(statements) = split(dialect, &script) else { return Ok(()) };
        for statement in &statements {
            let before = &script[..statement.start];
            // One at the beginning marks the encoding; any other is a letter.
            let before = before.strip_prefix('\u{feff}').unwrap_or(before);
            let line = before.matches('\n').count() + 1;
            let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
            prop_assert_eq!((statement.line as usize, statement.column as usize), (line, column));
        }
    }

    #[test]
    fn errors_point_into_the_script(dialect in dialect(), script in script()) {
        if let Err(error) = split(dialect, &script) {
            let (line, column) = error.position();
            let text = script.strip_prefix('\u{feff}').unwrap_or(&script);
            let line = text.split('\n').nth(line as usize - 1);
            prop_assert!(line.is_some_and(|line| (column as usize) <= line.chars().count() + 1));
        }
    }

    #[test]
    fn line_ends_are_no_edit(dialect in dialect(), script in script()) {
        let unix = script.replace('\r', "");
        let windows = unix.replace('\n', "\r\n");
        prop_assert_eq!(token_checksum(dialect, &unix).ok(), token_checksum(dialect, &windows).ok());
    }

    #[test]
    fn the_checksum_of_a_script_is_that_of_its_statements(dialect in dialect(), script in script()) {
        let Ok(statements) = split(dialect, &script) else { return Ok(()) };
        let whole = token_checksum(dialect, &script).unwrap();
        prop_assert_eq!(statements_checksum(dialect, &script, &statements), whole);
    }
}

#[track_caller]
fn same(dialect: Dialect, left: &str, right: &str) {
    assert_eq!(token_checksum(dialect, left), token_checksum(dialect, right), "{left} and {right}");
}

#[track_caller]
fn different(dialect: Dialect, left: &str, right: &str) {
    assert_ne!(token_checksum(dialect, left), token_checksum(dialect, right), "{left} and {right}");
}

#[test]
fn what_is_an_edit_and_what_is_none() {
    for dialect in [Postgres, MySql, Sqlite] {
        same(dialect, "SELECT 1", "\u{feff}\n  SELECT -- one\n 1 /* more */ ;;\n");
        same(dialect, "SELECT a=-1", "SELECT a = - 1");
        different(dialect, "SELECT 1", "select 1");
        different(dialect, "SELECT 1; SELECT 2", "SELECT 1 SELECT 2");
        different(dialect, "SELECT 'a b'", "SELECT 'a  b'");
        different(dialect, "SELECT ab", "SELECT a b");
        different(dialect, "SELECT 'a''b'", "SELECT 'a' 'b'");
        different(dialect, "SELECT 1", "-- windlass: repeat\nSELECT 1");
        same(dialect, "-- windlass: repeat\nSELECT 1", "--   windlass:   repeat \r\nSELECT 1");
        same(dialect, "-- wind\nSELECT 1", "SELECT 1");
    }
    different(Postgres, "SELECT 'a' 'b'", "SELECT 'a'\n'b'");
    same(Postgres, "SELECT 'a'\n'b'", "SELECT 'a' -- c\n   'b'");
    different(Postgres, "/*+ SeqScan(t) */ SELECT 1", "SELECT 1");
    different(Postgres, "SELECT 1 <= 2", "SELECT 1 < = 2");
    different(Postgres, "COPY t FROM stdin;\n1\n\\.\n", "COPY t FROM stdin;\n2\n\\.\n");
    same(Postgres, "COPY t FROM stdin;\n1\n\\.\n", "COPY t FROM stdin;\r\n1\r\n\\.\r\n");
    different(MySql, "SELECT COUNT(*)", "SELECT COUNT (*)");
    same(MySql, "INSERT INTO t(a) VALUES(1)", "INSERT INTO t (a) VALUES (1)");
    different(MySql, "SELECT 1 /*!50000 + 1 */", "SELECT 1");
    same(MySql, "DELIMITER //\nSELECT 1//\n", "SELECT 1;");
    different(MySql, "SELECT /*+ NO_MERGE() */ 1", "SELECT 1");
}

/// These values stand in histories: a change here needs a new version of the checksum.
#[test]
fn golden_values() {
    let golden = [
        (Postgres, "", GOLDEN_EMPTY),
        (Postgres, "CREATE TABLE ship (id int);", GOLDEN_TABLE),
        (Postgres, "SELECT E'a\\'b'\r\n'c', $q$\r\n;$q$; COPY t FROM stdin;\n1\n\\.\n", GOLDEN_POSTGRES),
        (
            MySql,
            "-- windlass: repeat\nSELECT COUNT (*) /*!50000 + 1 */, @a, `b;c`, \"d\\\"e\";",
            GOLDEN_MYSQL,
        ),
        (Sqlite, "CREATE TRIGGER r AFTER INSERT ON [t t] BEGIN SELECT x'00' ->> :a; END;", GOLDEN_SQLITE),
    ];
    let found: Vec<String> =
        golden.iter().map(|(dialect, script, _)| token_checksum(*dialect, script).unwrap()).collect();
    assert_eq!(found, golden.map(|(_, _, checksum)| checksum.to_owned()));
    assert_eq!(statement_checksum(Sqlite, "CREATE TABLE ship (id int)"), GOLDEN_TABLE);
}

const GOLDEN_EMPTY: &str = "t1:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const GOLDEN_TABLE: &str = "t1:3642d69a1c26fd83514d36dda42d8e156dd8687cbe337a31ceaa40bf8ba6e7e3";
const GOLDEN_POSTGRES: &str = "t1:0a9ba11e6ea60c2a942c7f1ef1c7c638f688d12f0985500ec580858ffbd24e38";
const GOLDEN_MYSQL: &str = "t1:7da3559098aa2bc2fc77b4caa414c5263efb2a56f01f1fd38ad29397c219c5ae";
const GOLDEN_SQLITE: &str = "t1:bab566539bcc8e2b817fa28b3f63caea6a51c8997641588dc379deb0ecb280bf";
