//! Lasting: the tables and columns that statements made which have run, and which therefore stand, as long as each of the
//! statements is plain: it adds something, changes rows, or says something about what is there. Where one is not, nothing is told,
//! for what it renames or takes away, no text tells for certain.

use super::cursor::Cursor;
use super::left::parted;
use super::sketch::Sketch;
use super::{Definition, Effect, Facts, Objects, classify};
use crate::schema::{Key, Schema};
use crate::sql::Dialect;
use crate::sql::lexer::TokenKind;
use std::fmt;

/// What a statement made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lasting {
    /// The statement's number, from 1.
    pub(crate) number: u32,
    table: String,
    /// None where it is the whole table.
    column: Option<String>,
}

impl fmt::Display for Lasting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.column {
            Some(column) => write!(f, "column {}.{column}", self.table),
            None => write!(f, "table {}", self.table),
        }
    }
}

impl Lasting {
    /// Its name, but for the schema, which the text does not tell.
    pub(crate) fn key(&self) -> Key {
        let (kind, table, name) = match &self.column {
            Some(column) => ("column", self.table.clone(), column.clone()),
            None => ("table", String::new(), self.table.clone()),
        };
        Key { kind: kind.to_owned(), table, name, ..Key::default() }
    }

    /// Whether a schema has it, or anything else of its name.
    pub(crate) fn stands_in(&self, schema: &Schema) -> bool {
        let is_same = |one: &str, other: &str| {
            let is_plain = one.is_ascii() && other.is_ascii();
            one.eq_ignore_ascii_case(other) || !is_plain && one.to_lowercase() == other.to_lowercase()
        };
        let is_it = |key: &Key| match &self.column {
            Some(column) => {
                key.kind == "column" && is_same(&key.table, &self.table) && is_same(&key.name, column)
            }
            None => !APART.contains(&&*key.kind) && is_same(&key.name, &self.table),
        };
        // SQLite: what is called like a part of a virtual table is left out.
        let is_left_out = |key: &Key| {
            let rest = self.table.get(key.name.len()..).filter(|_| key.kind == "virtual table");
            rest.is_some_and(|rest| {
                rest.starts_with('_') && is_same(&self.table[..key.name.len()], &key.name)
            })
        };
        schema.objects.keys().any(|key| is_it(key) || is_left_out(key))
    }
}

/// What may have a table's name beside it.
const APART: [&str; 12] = [
    "aggregate",
    "check",
    "column",
    "event",
    "foreign key",
    "function",
    "policy",
    "primary key",
    "procedure",
    "schema",
    "trigger",
    "unique",
];

/// What stands since these statements ran. `runs_code`: where there are triggers or routines, which on PostgreSQL may do
/// anything when rows are read or changed.
pub(crate) fn lasting<'s>(
    dialect: Dialect,
    statements: impl IntoIterator<Item = &'s str>,
    runs_code: bool,
) -> Vec<Lasting> {
    let runs_code = runs_code && dialect == Dialect::Postgres;
    let mut all = Vec::new();
    for (number, statement) in (1..).zip(statements) {
        let Some(made) = made(dialect, statement, runs_code) else { return Vec::new() };
        all.extend(made.into_iter().map(|(table, column)| Lasting { number, table, column }));
    }
    all
}

/// What is about what is there, and leaves it.
const LEAVES_ALL: [&str; 5] = ["COMMENT ON", "GRANT", "REVOKE", "ANALYZE", "VACUUM"];

/// What a statement may hold that is not plain: where names are looked for, what goes with the session, what acts by itself.
const NOT_PLAIN: [&str; 6] = ["TEMP", "TEMPORARY", "USE", "ATTACH", "EVENT", "VIRTUAL"];

/// What takes back what ran before it.
const TAKES_BACK: [&str; 2] = ["ROLLBACK", "ABORT"];

/// What of a session's commands reads no rows.
const READS_NOTHING: [&str; 9] =
    ["SET", "RESET", "BEGIN", "START", "COMMIT", "END", "SAVEPOINT", "RELEASE", "LOCK"];

/// The tables and columns that a statement makes; `None` where it is not plain.
fn made(dialect: Dialect, statement: &str, runs_code: bool) -> Option<Vec<(String, Option<String>)>> {
    let (facts, sketch) = (classify(dialect, statement), Sketch::new(dialect, statement));
    let mut cursor = sketch.cursor();
    // What stands in such a comment is run by some servers, and not by others.
    let text = statement.to_lowercase();
    // The columns of a new table may be called so.
    let has_odd_word = !cursor.sees("CREATE TABLE") && cursor.has(&NOT_PLAIN);
    let is_plain = !["/*!", "/*m!", "search_path", "sqlite_"].iter().any(|odd| text.contains(odd))
        && !has_odd_word
        && !TAKES_BACK.iter().any(|word| cursor.sees(word))
        && !cursor.sees("SET SCHEMA");
    if !is_plain {
        return None;
    }
    match facts.effect {
        Effect::Session => (!runs_code || READS_NOTHING.iter().any(|word| cursor.sees(word))).then(Vec::new),
        Effect::Query | Effect::Data => {
            let is_known = matches!(facts.objects, Objects::Known(_)) || facts.effect == Effect::Query;
            (is_known && !facts.calls_unknown && !runs_code).then(Vec::new)
        }
        Effect::Schema if cursor.eat_any(&LEAVES_ALL) => Some(Vec::new()),
        Effect::Schema => defined(dialect, cursor, &facts, runs_code),
        Effect::Server | Effect::Unknown => None,
    }
}

fn defined(
    dialect: Dialect,
    mut cursor: Cursor<'_, '_>,
    facts: &Facts,
    runs_code: bool,
) -> Option<Vec<(String, Option<String>)>> {
    // A default of a column that is added, and what fills a table, is worked out at once.
    let works_out = cursor.sees("ALTER") || cursor.has(&["AS"]);
    let fills = facts.definition == Some(Definition::Fill) || cursor.sees("CREATE MATERIALIZED");
    if works_out && facts.calls_unknown || fills && runs_code {
        return None;
    }
    match facts.definition {
        Some(Definition::Create | Definition::Fill) => {
            cursor.eat("CREATE");
            cursor.eat("UNLOGGED");
            let is_table = cursor.eat("TABLE");
            // It stands since, or what was there before.
            cursor.eat("IF NOT EXISTS");
            let table = is_table.then(|| plain_name(dialect, &mut cursor)).flatten();
            Some(table.into_iter().map(|table| (table, None)).collect())
        }
        Some(Definition::Alter) => {
            if !cursor.eat("ALTER TABLE") || cursor.sees("IF EXISTS") || cursor.has_phrase("USING INDEX") {
                return None;
            }
            cursor.eat("ONLY");
            let mut named = cursor;
            let table = plain_name(dialect, &mut named);
            cursor.name()?;
            cursor.eat_punctuation("*");
            let each =
                parted(cursor.rest()).into_iter().map(|tokens| added(dialect, Cursor::new(dialect, tokens)));
            let columns: Vec<Option<String>> = each.collect::<Option<_>>()?;
            Some(
                columns.into_iter().flatten().filter_map(|name| Some((table.clone()?, Some(name)))).collect(),
            )
        }
        _ => None,
    }
}

/// The column that one piece of an `ALTER TABLE` adds, where that is what it adds; `None` where it adds nothing.
fn added(dialect: Dialect, mut cursor: Cursor<'_, '_>) -> Option<Option<String>> {
    const OTHERS: [&str; 15] = [
        "CONSTRAINT",
        "PRIMARY",
        "UNIQUE",
        "FOREIGN",
        "CHECK",
        "INDEX",
        "KEY",
        "FULLTEXT",
        "SPATIAL",
        "VECTOR",
        "EXCLUDE",
        "NOT",
        "PERIOD",
        "SYSTEM",
        "PARTITION",
    ];
    // How it is to be done (MySQL, MariaDB).
    if ["ALGORITHM", "LOCK"].iter().any(|word| cursor.sees(word)) {
        return Some(None);
    }
    if !cursor.eat("ADD") {
        return None;
    }
    let is_column = cursor.eat("COLUMN") || !OTHERS.iter().any(|word| cursor.sees(word));
    cursor.eat("IF NOT EXISTS");
    Some(is_column.then(|| plain_name(dialect, &mut cursor)).flatten())
}

/// A name that every server keeps as it is written, but for its case, and that says nothing of a schema.
fn plain_name(dialect: Dialect, cursor: &mut Cursor<'_, '_>) -> Option<String> {
    /// PostgreSQL cuts longer ones.
    const LONGEST: usize = 63;
    let token = cursor.peek()?;
    let name = match token.kind {
        TokenKind::Word if dialect == Dialect::Postgres => token.text.to_lowercase(),
        TokenKind::Word => token.text.to_owned(),
        TokenKind::QuotedIdentifier => token.text.get(1..token.text.len().checked_sub(1)?)?.to_owned(),
        _ => return None,
    };
    let is_plain = !name.is_empty()
        && name.len() <= LONGEST
        && name.chars().all(|letter| letter.is_alphanumeric() || matches!(letter, '_' | ' ' | '-'));
    cursor.next();
    (is_plain && !cursor.eat_punctuation(".")).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(dialect: Dialect, statements: &[&str]) -> Vec<String> {
        let all = lasting(dialect, statements.iter().copied(), false);
        all.iter().map(|one| format!("{}: {one}", one.number)).collect()
    }

    #[test]
    fn what_plain_statements_make_stands() {
        use Dialect::{MySql, Postgres, Sqlite};
        for (dialect, statements, names) in [
            (
                MySql,
                &[
                    "CREATE TABLE `a b` (id int)",
                    "ALTER TABLE `a b` ADD x int, ADD KEY (x), ADD COLUMN `key` int",
                ][..],
                &["1: table a b", "2: column a b.x", "2: column a b.key"][..],
            ),
            (MySql, &["CREATE TABLE a (id int) SELECT 1 AS id", "INSERT INTO a VALUES (1)"], &["1: table a"]),
            (
                MySql,
                &[
                    "CREATE TABLE IF NOT EXISTS a (id int, event int)",
                    "ALTER TABLE a ADD IF NOT EXISTS x int",
                ],
                &["1: table a", "2: column a.x"],
            ),
            (MySql, &["CREATE TABLE other.a (id int)", "ALTER TABLE a ADD (x int, y int)"], &[]),
            (
                MySql,
                &[
                    "CREATE TABLE 2fa_bücher (id int)",
                    "ALTER TABLE a ADD x int, ALGORITHM=INSTANT, LOCK=NONE",
                ],
                &["1: table 2fa_bücher", "2: column a.x"],
            ),
            // What stands in quotes may begin and end with others.
            (Postgres, &["CREATE TABLE \"[a]\" (id int)", "CREATE TABLE \"\"\"b\"\"\" (id int)"], &[]),
            (MySql, &["CREATE TABLE `\"a\"` (id int)", "ALTER TABLE a ADD `[b]` int"], &[]),
            (
                Postgres,
                &[
                    "CREATE UNLOGGED TABLE A (id int)",
                    "COMMENT ON TABLE a IS 'x'",
                    "ALTER TABLE ONLY a ADD COLUMN x int, ADD EXCLUDE USING gist (x WITH =)",
                    "CREATE INDEX CONCURRENTLY ON a (x)",
                    "CREATE VIEW v AS SELECT x FROM a",
                    "SET statement_timeout = 0",
                ],
                &["1: table a", "3: column a.x"],
            ),
            (
                Sqlite,
                &["CREATE TABLE [a] (id)", "CREATE INDEX i ON a (id)", "ALTER TABLE a ADD b"],
                &["1: table a", "3: column a.b"],
            ),
        ] {
            assert_eq!(told(dialect, statements), names, "{statements:?}");
        }
    }

    #[test]
    fn nothing_is_told_where_one_is_not_plain() {
        let table = "CREATE TABLE a (id int)";
        let mut long = format!("CREATE TABLE {} (id int)", "n".repeat(64));
        assert!(told(Dialect::Postgres, &[&long]).is_empty());
        long.insert("CREATE TABLE ".len(), 'É');
        assert!(told(Dialect::MySql, &[&long]).is_empty());
        for (dialect, statement) in [
            (Dialect::MySql, "DROP VIEW v"),
            (Dialect::MySql, "RENAME TABLE a TO b"),
            (Dialect::MySql, "ALTER TABLE a DROP x"),
            (Dialect::MySql, "ALTER TABLE a ADD x int, RENAME TO b"),
            (Dialect::MySql, "ALTER TABLE a CHANGE x y int"),
            (Dialect::MySql, "CALL anything()"),
            (Dialect::MySql, "USE other"),
            (Dialect::MySql, "CREATE TEMPORARY TABLE b (id int)"),
            (Dialect::MySql, "CREATE OR REPLACE TABLE b (id int)"),
            (Dialect::MySql, "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO DROP TABLE a"),
            (Dialect::MySql, "ALTER TABLE a CONVERT TABLE b TO PARTITION p VALUES LESS THAN (1)"),
            (Dialect::MySql, "/*!80000 ALTER TABLE a ADD x int */"),
            (Dialect::Postgres, "ALTER TABLE IF EXISTS a ADD x int"),
            (Dialect::Postgres, "ALTER TABLE a RENAME x TO y"),
            (Dialect::Postgres, "ALTER TABLE a ADD CONSTRAINT u UNIQUE USING INDEX i"),
            (Dialect::Postgres, "ALTER EXTENSION x ADD TABLE a"),
            (Dialect::Postgres, "ALTER SCHEMA s RENAME TO t"),
            (Dialect::Postgres, "SELECT make_partitions('a')"),
            (Dialect::Postgres, "INSERT INTO b SELECT make_partitions()"),
            (Dialect::Postgres, "CREATE TABLE b AS SELECT make_partitions()"),
            (Dialect::Postgres, "ALTER TABLE a ADD COLUMN x int DEFAULT made_up()"),
            (Dialect::Postgres, "DO $$ BEGIN DROP TABLE a; END $$"),
            (Dialect::Postgres, "SET search_path = b"),
            (Dialect::Postgres, "SELECT set_config('search_path', 'b', false)"),
            (Dialect::Sqlite, "CREATE VIRTUAL TABLE f USING fts5 (x)"),
            (Dialect::Sqlite, "ATTACH 'b.db' AS b"),
            (Dialect::Postgres, "ROLLBACK TO s"),
            (Dialect::Sqlite, "ROLLBACK TO SAVEPOINT s"),
            (Dialect::Sqlite, "UPDATE sqlite_master SET name = 'b'"),
        ] {
            assert_eq!(told(dialect, &[table, statement]), [""; 0], "{statement}");
        }
        let later = ["CREATE TABLE a (id uuid DEFAULT made_up())", "GRANT SELECT ON a TO b"];
        assert_eq!(told(Dialect::Postgres, &later), ["1: table a"]);
        for rows in [
            "INSERT INTO b VALUES (1)",
            "SELECT * FROM v",
            "CREATE TABLE c AS SELECT * FROM v",
            "FETCH ALL FROM c",
        ] {
            assert!(lasting(Dialect::Postgres, [table, rows], true).is_empty(), "{rows}");
        }
        let rows = [table, "INSERT INTO b VALUES (1)"];
        assert_eq!(lasting(Dialect::MySql, rows, true).len(), 1);
        let always = "CREATE TABLE b (id int GENERATED ALWAYS AS IDENTITY)";
        assert_eq!(
            lasting(Dialect::Postgres, [table, "CREATE VIEW v AS SELECT id FROM a", always], true).len(),
            2
        );
    }

    #[test]
    fn a_schema_has_it_or_nothing_of_its_name() {
        let all = lasting(Dialect::Sqlite, ["CREATE TABLE A (id)", "ALTER TABLE a ADD b"], false);
        let stand = |text: &str| {
            let schema = Schema::parse(&format!("\n{text}")).expect("a schema");
            all.iter().map(|one| one.stands_in(&schema)).collect::<Vec<_>>()
        };
        assert_eq!(stand("table\t\t\ta\ncolumn\t\ta\tB"), [true, true]);
        assert_eq!(stand("view\tother\t\ta\ncolumn\tother\ta\tid"), [true, false]);
        assert_eq!(stand("table\t\t\tb\ncolumn\t\tb\ta"), [false, false]);
        assert_eq!(stand("table\t\t\tb\ncolumn\t\tb\tb"), [false, false]);
        let content = lasting(Dialect::Sqlite, ["CREATE TABLE docs_content (id)"], false);
        let schema = Schema::parse("\nvirtual table\t\t\tdocs").expect("a schema");
        assert!(content[0].stands_in(&schema));
    }
}
