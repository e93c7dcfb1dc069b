//! Directives: ours, other tools' markers, and everything that is misspelt.

use proptest::prelude::*;
use std::time::Duration;
use windlass_core::directive::{Directives, directives};
use windlass_core::migration::TransactionMode::{self, Automatic, Off, Required};
use windlass_core::source::Migrations;
use windlass_core::sql::Dialect::{self, MySql, Postgres, Sqlite};

fn read(dialect: Dialect, script: &str) -> Directives {
    directives(dialect, script).unwrap_or_else(|error| panic!("{script:?}: {error}"))
}

#[test]
fn the_mode_is_read_from_the_head() {
    let create_only = "-- This migration was generated with the --create-only flag\nSELECT 1;";
    for (script, mode, marker) in [
        ("SELECT 1;", Automatic, None),
        ("", Automatic, None),
        ("-- windlass: no-transaction\nSELECT 1;", Off, None),
        ("\u{feff}-- windlass: no-transaction\r\nSELECT 1;", Off, None),
        ("-- why\n\n/* so\n */\n  --windlass:no-transaction  \nSELECT 1;", Off, None),
        ("-- windlass: transaction  required\nSELECT 1;", Required, None),
        ("-- windlass: no-transaction\n-- windlass: no-transaction", Off, None),
        ("-- no-transaction\nSELECT 1;", Off, Some("sqlx")),
        ("\u{feff}-- no-transaction, for the index\nSELECT 1;", Off, Some("sqlx")),
        ("-- of us\n-- no-transaction\nSELECT 1;", Automatic, None),
        ("-- +goose NO TRANSACTION\n-- +goose Up\nSELECT 1;", Off, Some("goose")),
        ("-- +goose Up\nSELECT 1;\n-- +goose no transaction\n", Off, Some("goose")),
        ("-- migrate:up transaction:false\nSELECT 1;", Off, Some("dbmate")),
        ("-- migrate:up\nSELECT 1;", Automatic, None),
        ("-- atlas:txmode none\n\nSELECT 1;", Off, Some("atlas")),
        ("-- atlas:txmode file\n\nSELECT 1;", Automatic, None),
        (create_only, Off, Some("prisma")),
        ("SELECT 1;\n-- atlas:txmode none", Automatic, None),
        ("SELECT '\n-- windlass: no-transaction\n';", Automatic, None),
        ("SELECT '\n-- +goose NO TRANSACTION\n';", Automatic, None),
        ("-- windlass is what runs this\n-- With windlass: see its page\nSELECT 1;", Automatic, None),
        ("-- wireless: the repeater\nSELECT 1;", Automatic, None),
    ] {
        let read = read(Postgres, script);
        assert_eq!((read.mode, read.marker), (mode, marker), "{script:?}");
    }
    assert_eq!(read(MySql, "# windlass: no-transaction\nSELECT 1;").mode, Off);
}

#[test]
fn lock_timeouts_have_units() {
    for (text, timeout) in [
        ("5s", Duration::from_secs(5)),
        ("100ms", Duration::from_millis(100)),
        ("2min", Duration::from_secs(120)),
        ("2m", Duration::from_secs(120)),
        ("1h", Duration::from_secs(3600)),
    ] {
        let read = read(Sqlite, &format!("-- windlass: lock-timeout {text}\nSELECT 1;"));
        assert_eq!(read.lock_timeout, Some(timeout));
        assert_eq!(read.mode, TransactionMode::Automatic);
    }
}

fn read_one(script: &str) -> windlass_core::directive::Repeat {
    read(Postgres, script).repeats.remove(0)
}

#[test]
fn repeats_belong_to_the_statement_behind_them() {
    let script = "\u{feff}CREATE TABLE t (n int);\n-- windlass: repeat\nUPDATE t SET n = 1 WHERE n = 0;\n\
                  SELECT $$\n-- windlass: no\n$$;\n-- in small steps\n\
                  -- windlass: repeat until 5_000 rows pause 100ms\n-- (they are many)\nDELETE FROM t WHERE n = 2;";
    let repeats = read(Postgres, script).repeats;
    let read: Vec<_> = repeats
        .iter()
        .map(|repeat| (repeat.statement, repeat.line, repeat.pause, repeat.until_rows))
        .collect();
    assert_eq!(read, [(1, 2, None, None), (3, 8, Some(Duration::from_millis(100)), Some(5000))]);
    assert_eq!(repeats[1].at_most_rows, None);
    let bounded = read_one("-- windlass: repeat at most 9_000 rows\nDELETE FROM t WHERE n = 2;");
    assert_eq!(bounded.at_most_rows, Some(9000));
}

#[test]
fn what_cannot_be_followed_is_refused_with_its_place() {
    let repeat_in_statement = "CREATE TABLE t (\n  -- windlass: repeat\n  n int);";
    for (script, message) in [
        (
            "-- windlass: no-transactions",
            "line 1, column 14: unknown directive `no-transactions`; did you mean `no-t",
        ),
        ("-- windlass: no transaction", "`no transaction`; did you mean `no-transaction`?"),
        (
            "-- windlass: isolation",
            "There are `no-transaction`, `transaction required`, `lock-timeout`, `repeat`",
        ),
        ("-- windlass: No-Transaction", "`No-Transaction`; did you mean `no-transaction`?"),
        ("-- windlass: transaction off", "`transaction off`; did you mean `transaction required`?"),
        ("-- windlass: transaction requird", "did you mean `transaction required`?"),
        (
            "\n\n  -- windlass:  locktimeout 5s",
            "line 3, column 17: unknown directive `locktimeout 5s`; did you mean `lock-",
        ),
        (
            "SELECT 'ä'; -- windlass: repaet\nSELECT 2;",
            "line 1, column 26: unknown directive `repaet`; did you mean `repeat`",
        ),
        ("-- windlass:", "line 1, column 13: unknown directive ``"),
        (
            "-- windlas: no-transaction",
            "line 1, column 4: unknown directive `windlas: no-transaction`; did you mean `-- wi",
        ),
        ("-- Windlass: no-transaction", "did you mean `-- windlass:`?"),
        ("-- windlass : no-transaction", "did you mean `-- windlass:`?"),
        ("-- windlass no-transaction", "did you mean `-- windlass:`?"),
        (
            "SELECT 1;\n-- widnlass: repeat\nSELECT 2;",
            "line 2, column 4: unknown directive `widnlass: repeat`",
        ),
        (
            "/* windlass: no-transaction */",
            "line 1, column 4: unknown directive `windlass: no-transaction`; did you mean `--",
        ),
        (
            "-- windlass: no-transaction please",
            "column 29: `no-transaction` takes nothing more, not `please`",
        ),
        ("-- windlass: lock-timeout", "`lock-timeout` takes a time like 5s, 100ms or 2min, not ``"),
        (
            "-- windlass: lock-timeout 5",
            "line 1, column 27: `lock-timeout` takes a time like 5s, 100ms or 2min, not `5`",
        ),
        ("-- windlass: lock-timeout 99999999999999999999s", "takes a time"),
        ("-- windlass: lock-timeout 99999999999999999h", "takes a time"),
        (
            "-- windlass: repeat pauze 1s\nSELECT 1;",
            "line 1, column 21: `repeat` takes `pause 100ms`, `until",
        ),
        ("-- windlass: repeat pause 1s pause 1s\nSELECT 1;", "each once, not `pause 1s`"),
        (
            "-- windlass: repeat until 5000\nSELECT 1;",
            "`repeat` takes a number of rows, as in `until 5000 rows`",
        ),
        ("-- windlass: repeat until many rows\nSELECT 1;", "not `many rows`"),
        (
            "SELECT 1;\n-- windlass: no-transaction",
            "line 2, column 14: `no-transaction` belongs above the first statement",
        ),
        ("SELECT 1 -- windlass: lock-timeout 5s\n;", "`lock-timeout` belongs above the first statement"),
        (
            "-- windlass: no-transaction\n-- windlass: transaction required",
            "line 2, column 14: `transaction required` contradicts line 1",
        ),
        ("-- no-transaction\n-- windlass: transaction required", "`transaction required` contradicts line 1"),
        (
            "-- windlass: transaction required\n-- atlas:txmode none",
            "line 2, column 1: `no-transaction` contradicts line 1",
        ),
        ("-- windlass: lock-timeout 5s\n-- windlass: lock-timeout 6s", "`lock-timeout` contradicts line 1"),
        ("-- windlass: repeat\n-- windlass: repeat pause 1s\nSELECT 1;", "`repeat` contradicts line 1"),
        ("SELECT 1;\n-- windlass: repeat\n", "line 2, column 14: `repeat` stands before no statement"),
        (repeat_in_statement, "line 2, column 16: `repeat` stands before no statement"),
        ("-- windlass: repeat\nSELECT 'x", "is never closed"),
    ] {
        let error = directives(Postgres, script).expect_err(script).to_string();
        assert!(error.contains(message), "{script:?}: {error}");
    }
}

#[test]
fn the_place_of_an_error_is_data_too() {
    let error = directives(Sqlite, "SELECT 1;\n  -- windlass: repaet\n").unwrap_err();
    assert_eq!(error.position(), (2, 16));
    let error = directives(Sqlite, "-- windlass: repeat\nSELECT 1;\nSELECT 'x").unwrap_err();
    assert_eq!(error.position(), (3, 8));
}

/// What begins, ends or misspells a directive or a section, in one dialect or another.
const PIECES: &[&str] = &[
    "--",
    "#",
    "/*",
    "*/",
    "/*!",
    "/**/",
    "/",
    "*",
    "-",
    " ",
    "\n",
    "\r\n",
    "\t",
    "\u{feff}",
    "\u{a0}",
    "é",
    ";",
    "'",
    "$$",
    "SELECT 1",
    "windlass:",
    " windlass: ",
    "windlas",
    "Windlass",
    ":",
    "repeat",
    "no-transaction",
    "transaction",
    "required",
    "lock-timeout",
    "until",
    "pause",
    "5_000 rows",
    "100ms",
    "99999999999999999999h",
    "5é",
    "+goose",
    "+goose Up\n",
    "+goose Down\n",
    "NO TRANSACTION",
    "+goose StatementBegin\n",
    "+goose ENVSUB ON",
    "migrate:",
    "migrate:up\n",
    "migrate:down\n",
    "migrate:ü",
    "transaction:false",
    "atlas:txmode",
    "DELIMITER //\n",
];

fn pieces() -> impl Strategy<Value = String> {
    let piece = prop_oneof![6 => prop::sample::select(PIECES).prop_map(str::to_owned), 1 => any::<String>()];
    prop::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat())
}

/// Names of files, and of what stands beside them.
fn file_name() -> impl Strategy<Value = String> {
    const NAMES: &[&str] = &[
        "1_a.sql",
        "1_a.up.sql",
        "1_a.down.sql",
        "1_a/up.sql",
        "1_a/down.sql",
        "1_a/metadata.toml",
        "V1__a.sql",
        "1_a/migration.sql",
        "U1__a.sql",
        "V1__a.sql.conf",
        "R__a.sql",
        "1_a_up.sql",
        "1_a_down.sql",
        "B1__a.sql",
        "V1_a.sql",
        "vé",
        "a",
        "",
    ];
    prop_oneof![4 => prop::sample::select(NAMES).prop_map(str::to_owned), 1 => "[VvURB1é_/.]{0,9}(\\.sql)?"]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_script_is_read_or_refused(script in pieces()) {
        for dialect in [Postgres, MySql, Sqlite] {
            if let Err(error) = directives(dialect, &script) {
                let (line, column) = error.position();
                prop_assert!(line > 0 && column > 0, "{error}");
            }
        }
    }

    #[test]
    fn any_files_are_read_or_refused(files in prop::collection::vec((file_name(), pieces()), 1..3)) {
        if let Ok(migrations) = Migrations::from_scripts(files) {
            for dialect in [Postgres, MySql, Sqlite] {
                migrations.notices(dialect);
            }
        }
    }
}

#[test]
fn a_block_comment_need_not_be_closed() {
    for script in ["CREATE TABLE t (a); /* unclosed", "/* unclosed", "/*/", "/*"] {
        assert_eq!(read(Sqlite, script), Directives::default(), "{script:?}");
    }
    let error = directives(Sqlite, "/* windlass: repeat").unwrap_err().to_string();
    assert_eq!(error, "line 1, column 4: unknown directive `windlass: repeat`; did you mean `-- windlass:`?");
}
