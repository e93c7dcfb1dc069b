//! Spelling: what SQLite itself writes down anew is no difference, and what it reads in another way is one.

use rusqlite::Connection;
use windlass_core::schema::{Schema, differences};

/// Tables, and what stands on them. `t` and its column `a` are renamed.
const TABLES: [&str; 12] = [
    "CREATE TABLE t (a int, b text)",
    "CREATE TABLE 't' ('a' int PRIMARY KEY, [b] text) STRICT, WITHOUT ROWID",
    "CREATE TABLE t (a int, b text, PRIMARY KEY ('a'))",
    "CREATE TABLE t (a int, b text, UNIQUE ('a', [b]))",
    "CREATE TABLE t (a int, b text, UNIQUE ('a' COLLATE nocase DESC))",
    "CREATE TABLE t (a int, b text, FOREIGN KEY ('a') REFERENCES 's' ('n'))",
    "CREATE TABLE t (a int REFERENCES 't' ('b'), b text UNIQUE)",
    "CREATE TABLE t (a int, b text CONSTRAINT 'c' CHECK ([a] > 0 AND b <> 'a'))",
    "CREATE TABLE t (a int, b text CHECK (\"a\" > 0 AND \"b\" <> \"none\"))",
    "CREATE TABLE t (a int DEFAULT 'a', b text DEFAULT \"b\")",
    "CREATE TABLE t (a int, b text, c AS ([a] + 1))",
    "CREATE TABLE t (a int PRIMARY KEY, b text) WITHOUT ROWID, STRICT",
];

const ON_THEM: [&str; 22] = [
    "CREATE INDEX i ON t ('a')",
    "CREATE INDEX i ON 't' ([a], \"b\", 'a' COLLATE nocase DESC)",
    "CREATE INDEX 'i' ON t (a, lower(\"b\"), 'a' || b) WHERE \"b\" <> 'a'",
    "CREATE VIEW v AS SELECT a FROM 't'",
    "CREATE VIEW v AS SELECT a, 't' AS k FROM s, 't'",
    "CREATE VIEW v AS SELECT x.a FROM s, t AS 'x'",
    "CREATE VIEW v AS SELECT 't'.a, t.'b' FROM t",
    "CREATE VIEW v AS SELECT [a], `b` FROM (s, [t]), s AS q LEFT JOIN 't' AS r ON r.b = 't'",
    "CREATE VIEW v AS SELECT 't' AS k, t.* FROM t JOIN s ON t.a = s.n AND 't' <> 'a', 't' AS u ORDER BY 't', 'a'",
    "CREATE VIEW v AS WITH 'w' AS (SELECT * FROM 't') SELECT * FROM 'w', t",
    "CREATE VIEW v ('q') AS SELECT a FROM main.'t', s",
    "CREATE VIEW v AS SELECT (SELECT count(*) FROM t, s) AS n, 't' FROM json_each('t'), t",
    "CREATE VIEW v AS SELECT n FROM s WHERE n IN (SELECT a FROM 's', t WHERE 't' = 'a') LIMIT 't', 't'",
    "CREATE VIEW v AS SELECT a FROM t UNION SELECT 'a' FROM s, 't'",
    "CREATE VIEW v AS SELECT DISTINCT 'a', 't' FROM t, s GROUP BY 'a', 't' HAVING 'a' IS NOT DISTINCT FROM 't'",
    "CREATE TRIGGER r AFTER UPDATE OF b, 'a' ON 't' BEGIN UPDATE 't' SET 'a' = 't', b = 'a' WHERE t.a = 'a'; END",
    "CREATE TRIGGER r AFTER INSERT ON t BEGIN INSERT INTO 't' ('a', b) VALUES ('a', 't'); DELETE FROM 't'; END",
    "CREATE TRIGGER r AFTER INSERT ON t BEGIN UPDATE s SET n = new.'a' FROM t, s AS q WHERE t.a = new.'a'; END",
    "CREATE TRIGGER r AFTER INSERT ON s BEGIN SELECT a FROM s, 't', s AS q; SELECT 't', 'a' FROM s; END",
    "CREATE TRIGGER r AFTER INSERT ON s BEGIN UPDATE t SET ('a', b) = (SELECT 'a', 'b'); END",
    "CREATE TRIGGER r AFTER INSERT ON s WHEN 'a' <> 't' BEGIN INSERT INTO s SELECT a FROM 't', s WHERE t.b = 't'; END",
    "CREATE VIEW v AS SELECT a FROM t, s WHERE 't' IN ('t', 'a')",
];

/// There and back, with and without quotes.
const RENAMED: [[&str; 2]; 3] = [
    ["ALTER TABLE t RENAME TO u", "ALTER TABLE u RENAME TO t"],
    ["ALTER TABLE s RENAME TO u", "ALTER TABLE u RENAME TO s"],
    ["ALTER TABLE t RENAME COLUMN a TO z", "ALTER TABLE t RENAME COLUMN z TO a"],
];

fn made(statements: &[&str]) -> Option<Connection> {
    let database = Connection::open_in_memory().expect("a database");
    database.execute_batch("CREATE TABLE s (n int UNIQUE)").expect("a table");
    statements.iter().all(|statement| database.execute_batch(statement).is_ok()).then_some(database)
}

fn schema(database: &Connection) -> Schema {
    let mut objects = database
        .prepare("SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE sql IS NOT NULL")
        .expect("a query");
    let mut text = "5 SQLite 3".to_owned();
    let rows = objects.query_map([], |row| {
        let [kind, name, of, sql]: [String; 4] = [row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?];
        let of = if of == name { String::new() } else { of };
        Ok(format!("\n{kind}\t\t{of}\t{name}\tdefinition={sql}"))
    });
    rows.expect("rows").for_each(|row| text.push_str(&row.expect("a row")));
    Schema::parse(&text).expect("a schema")
}

fn told(before: &Schema, now: &Schema) -> Vec<String> {
    differences(before, now).iter().map(ToString::to_string).collect()
}

/// What stands on the plain table, and the other tables.
fn all() -> impl Iterator<Item = Vec<&'static str>> {
    let on_them = ON_THEM.iter().map(|made| vec![TABLES[0], *made]);
    TABLES.iter().map(|table| vec![*table]).chain(on_them)
}

#[test]
fn what_was_renamed_there_and_back_is_the_same() {
    let mut count = 0;
    for statements in all() {
        for renamed in RENAMED {
            let Some(database) = made(&statements) else { panic!("cannot be made: {statements:?}") };
            let before = schema(&database);
            if renamed.iter().any(|rename| database.execute_batch(rename).is_err()) {
                // Not every view lives on.
                continue;
            }
            let now = schema(&database);
            count += usize::from(before != now);
            assert!(told(&before, &now).is_empty(), "{renamed:?}: {:#?}", told(&before, &now));
        }
    }
    assert!(count > 60, "SQLite wrote only {count} of them anew");
}

/// Each word in quotes is put into others, one at a time. Where that is told to say the same, SQLite makes the same of it.
#[test]
fn what_sqlite_reads_in_another_way_is_a_difference() {
    let mut counts = [0_usize; 2];
    for all in all() {
        let (last, others) = all.split_last().expect("a statement");
        for quoted in quoted(last) {
            for other in requoted(last, &quoted) {
                let statements: Vec<&str> = others.iter().copied().chain([other.as_str()]).collect();
                let before = made(&all).expect("a database");
                let Some(now) = made(&statements) else { continue };
                let is_same = told(&schema(&before), &schema(&now)).is_empty();
                counts[usize::from(is_same)] += 1;
                if is_same {
                    let [before, now] = [&before, &now].map(behaviour);
                    let differs = before.iter().zip(&now).find(|(before, now)| before != now);
                    assert!(differs.is_none(), "{last}\n{other}: {differs:#?}");
                }
            }
        }
    }
    assert!(counts.iter().all(|count| *count > 100), "different, the same: {counts:?}");
}

/// Where words in quotes stand.
fn quoted(text: &str) -> Vec<std::ops::Range<usize>> {
    let (mut found, mut at) = (Vec::new(), 0);
    while let Some(begin) = text[at..].find(['\'', '"', '[', '`']).map(|begin| at + begin) {
        let close = if text[begin..].starts_with('[') { "]" } else { &text[begin..=begin] };
        let end = begin + 1 + text[begin + 1..].find(close).expect("its end") + 1;
        found.push(begin..end);
        at = end;
    }
    found
}

fn requoted(text: &str, quoted: &std::ops::Range<usize>) -> Vec<String> {
    let word = &text[quoted.start + 1..quoted.end - 1];
    let others = [word.to_owned(), format!("'{word}'"), format!("\"{word}\""), format!("[{word}]")];
    let others = others.into_iter().filter(|other| *other != text[quoted.clone()]);
    others.map(|other| format!("{}{other}{}", &text[..quoted.start], &text[quoted.end..])).collect()
}

/// What is told of the tables, and of the rows that views show and triggers leave.
fn behaviour(database: &Connection) -> Vec<String> {
    let mut all = Vec::new();
    let mut ask = |query: &str| {
        let told = database.prepare(query).and_then(|mut query| {
            let width = query.column_count();
            let rows = query.query_map([], |row| {
                (0..width).map(|at| row.get::<_, rusqlite::types::Value>(at)).collect::<Result<Vec<_>, _>>()
            })?;
            rows.collect::<Result<Vec<_>, _>>()
        });
        all.push(format!("{query}: {told:?}"));
    };
    ask("SELECT cid, name, type, \"notnull\", pk, hidden FROM pragma_table_xinfo('t')");
    for pragma in [
        "table_list('t')",
        "foreign_key_list('t')",
        "index_list('t')",
        "index_xinfo('i')",
        "index_xinfo('sqlite_autoindex_t_1')",
        "table_xinfo('v')",
    ] {
        ask(&format!("PRAGMA {pragma}"));
    }
    for change in [
        "INSERT INTO s VALUES (1), (2)",
        "INSERT INTO t (a, b) VALUES (1, 'a'), (2, 't'), (3, 'none')",
        "INSERT INTO t (a, b) VALUES (-1, 'b')",
        "UPDATE t SET a = 7 WHERE b = 't'",
        "UPDATE t SET b = 'z' WHERE a = 1",
        "INSERT INTO s VALUES (9)",
        "INSERT INTO t (a) VALUES (10)",
        "INSERT INTO t (b) VALUES ('q')",
    ] {
        let is_done = database.execute_batch(change).is_ok();
        ask(&format!("SELECT {is_done}, * FROM t"));
        ask("SELECT * FROM s");
        ask("SELECT * FROM v");
    }
    all
}
