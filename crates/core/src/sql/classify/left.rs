//! Left: what stands, or does not any more, once a definition is done, as far as its text tells plainly: of MySQL and MariaDB by
//! its name, of PostgreSQL an index by how it is made.

use super::ObjectName;
use super::cursor::Cursor;
use super::index::Index;
use super::sketch::Sketch;
use crate::schema::{Key, Schema};
use crate::sql::Dialect;
use crate::sql::lexer::Token;

/// Kinds of the schema, any of which it may be.
type Kinds = &'static [&'static str];

const TABLE: Kinds = &["table", "view", "sequence"];
const COLUMN: Kinds = &["column"];
const INDEX: Kinds = &["index"];
const UNIQUE: Kinds = &["unique"];
/// What is taken away by name may have been either.
const ANY_INDEX: Kinds = &["index", "unique"];
const FOREIGN_KEY: Kinds = &["foreign key"];

/// One thing that stands, or does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Left {
    Named(Named),
    Index(Index),
}

impl Left {
    /// Whether a schema has it so.
    pub(crate) fn holds(&self, schema: &Schema) -> bool {
        match self {
            Self::Named(named) => named.holds(schema),
            Self::Index(index) => index.stands_in(schema),
        }
    }
}

/// What is known by its name alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Named {
    kinds: Kinds,
    /// Empty where it is a table.
    table: String,
    name: String,
    stands: bool,
}

impl Named {
    fn holds(&self, schema: &Schema) -> bool {
        let is_it = |key: &&Key| {
            self.kinds.contains(&&*key.kind)
                && key.table.eq_ignore_ascii_case(&self.table)
                && key.name.eq_ignore_ascii_case(&self.name)
        };
        schema.objects.keys().any(|key| is_it(&key)) == self.stands
    }
}

/// What a statement leaves; nothing where that is not told by names, or another database may be meant.
pub(crate) fn left(dialect: Dialect, statement: &str) -> Vec<Left> {
    match dialect {
        Dialect::Postgres => return Index::read(statement).map(Left::Index).into_iter().collect(),
        Dialect::MySql => {}
        Dialect::Sqlite => return Vec::new(),
    }
    let sketch = Sketch::new(dialect, statement);
    let mut all = Names::default();
    let is_told = read(sketch.cursor(), dialect, &mut all).is_some();
    if is_told { all.0.into_iter().map(Left::Named).collect() } else { Vec::new() }
}

/// What is told later in a statement holds.
#[derive(Default)]
struct Names(Vec<Named>);

impl Names {
    fn tell(&mut self, kinds: Kinds, table: &str, name: &str, stands: bool) {
        let is_same = |left: &Named| {
            left.kinds.iter().any(|kind| kinds.contains(kind))
                && left.table.eq_ignore_ascii_case(table)
                && left.name.eq_ignore_ascii_case(name)
        };
        // Of what is taken away and made again in one statement the making counts, in whichever order they stand.
        if !stands && kinds != TABLE && self.0.iter().any(|left| left.stands && is_same(left)) {
            return;
        }
        self.0.retain(|left| !is_same(left));
        self.0.push(Named { kinds, table: table.to_owned(), name: name.to_owned(), stands });
    }
}

/// `None` where nothing is to be told.
fn read(mut cursor: Cursor<'_, '_>, dialect: Dialect, all: &mut Names) -> Option<()> {
    if cursor.eat("CREATE") {
        cursor.eat("OR REPLACE");
        if cursor.eat("TABLE") {
            cursor.eat("IF NOT EXISTS");
            all.tell(TABLE, "", &own(cursor.name())?, true);
            return Some(());
        }
        let kinds = if cursor.eat("UNIQUE") { UNIQUE } else { INDEX };
        cursor.skip(&["FULLTEXT", "SPATIAL", "ONLINE", "OFFLINE"]);
        return cursor.eat("INDEX").then_some(()).and_then(|()| {
            cursor.eat("IF NOT EXISTS");
            let name = own(cursor.name())?;
            skip_method(&mut cursor);
            let table = cursor.eat("ON").then(|| own(cursor.name())).flatten()?;
            all.tell(kinds, &table, &name, true);
            Some(())
        });
    }
    if cursor.eat("DROP") {
        if cursor.eat_any(&["TABLE", "TABLES", "VIEW"]) {
            cursor.eat("IF EXISTS");
            for name in cursor.names() {
                all.tell(TABLE, "", &own(Some(name))?, false);
            }
            return Some(());
        }
        cursor.skip(&["ONLINE", "OFFLINE"]);
        return cursor.eat("INDEX").then_some(()).and_then(|()| {
            cursor.eat("IF EXISTS");
            let name = own(cursor.name())?;
            let table = cursor.eat("ON").then(|| own(cursor.name())).flatten()?;
            all.tell(ANY_INDEX, &table, &name, false);
            Some(())
        });
    }
    if cursor.eat("RENAME") {
        return cursor.eat_any(&["TABLE", "TABLES"]).then_some(()).and_then(|()| {
            cursor.eat("IF EXISTS");
            loop {
                let from = own(cursor.name())?;
                let to = cursor.eat("TO").then(|| own(cursor.name())).flatten()?;
                all.tell(TABLE, "", &from, false);
                all.tell(TABLE, "", &to, true);
                if !cursor.eat_punctuation(",") {
                    return Some(());
                }
            }
        });
    }
    if cursor.eat("ALTER") {
        cursor.skip(&["ONLINE", "OFFLINE", "IGNORE"]);
        return cursor.eat("TABLE").then_some(()).and_then(|()| {
            cursor.eat("IF EXISTS");
            let table = own(cursor.name())?;
            alter(&table, cursor.rest(), dialect, all)
        });
    }
    None
}

/// The name of what is in this database.
fn own(name: Option<ObjectName>) -> Option<String> {
    name.filter(|name| name.schema.is_none()).map(|name| name.name)
}

fn skip_method(cursor: &mut Cursor<'_, '_>) {
    if cursor.eat("USING") {
        cursor.next();
    }
}

fn alter(table: &str, rest: &[Token<'_>], dialect: Dialect, all: &mut Names) -> Option<()> {
    let specifications = parted(rest);
    let named = |tokens: &&[Token<'_>]| new_name(Cursor::new(dialect, tokens));
    let renamed = match specifications.iter().find_map(named) {
        Some(name) => Some(own(Some(name))?),
        None => None,
    };
    let now = renamed.as_deref().unwrap_or(table);
    for tokens in specifications {
        // What is not told of one says nothing of the others.
        let _ = specification(now, Cursor::new(dialect, tokens), all);
    }
    if let Some(to) = &renamed {
        all.tell(TABLE, "", table, false);
        all.tell(TABLE, "", to, true);
    }
    Some(())
}

/// The table's name behind `RENAME TO`.
fn new_name(mut cursor: Cursor<'_, '_>) -> Option<ObjectName> {
    let is_of_table =
        cursor.eat("RENAME") && !["COLUMN", "INDEX", "KEY"].iter().any(|kind| cursor.sees(kind));
    cursor.eat_any(&["TO", "AS"]);
    is_of_table.then(|| cursor.name()).flatten()
}

/// The parts between the commas that stand in no parentheses.
pub(super) fn parted<'s, 'a>(tokens: &'s [Token<'a>]) -> Vec<&'s [Token<'a>]> {
    let mut depth = 0_usize;
    tokens
        .split(|token| {
            if token.is_punctuation("(") {
                depth += 1;
            } else if token.is_punctuation(")") {
                depth = depth.saturating_sub(1);
            }
            depth == 0 && token.is_punctuation(",")
        })
        .collect()
}

fn specification(table: &str, mut cursor: Cursor<'_, '_>, all: &mut Names) -> Option<()> {
    if cursor.eat("ADD") {
        return added(table, cursor, all);
    }
    if cursor.eat("DROP") {
        let kinds = match () {
            () if cursor.eat_any(&["INDEX", "KEY"]) => ANY_INDEX,
            () if cursor.eat("FOREIGN KEY") => FOREIGN_KEY,
            () if is_of_another_kind(&cursor) => return None,
            () => {
                cursor.eat("COLUMN");
                COLUMN
            }
        };
        cursor.eat("IF EXISTS");
        all.tell(kinds, table, &own(cursor.name())?, false);
    } else if cursor.eat("CHANGE") {
        cursor.eat("COLUMN");
        cursor.eat("IF EXISTS");
        let (from, to) = (own(cursor.name())?, own(cursor.name())?);
        all.tell(COLUMN, table, &from, false);
        all.tell(COLUMN, table, &to, true);
    } else if cursor.eat("RENAME COLUMN") {
        cursor.eat("IF EXISTS");
        let from = own(cursor.name())?;
        let to = cursor.eat("TO").then(|| own(cursor.name())).flatten()?;
        all.tell(COLUMN, table, &from, false);
        all.tell(COLUMN, table, &to, true);
    }
    Some(())
}

fn is_of_another_kind(cursor: &Cursor<'_, '_>) -> bool {
    const KINDS: [&str; 8] =
        ["PRIMARY", "CONSTRAINT", "FOREIGN", "CHECK", "PARTITION", "PERIOD", "SYSTEM", "VECTOR"];
    KINDS.iter().any(|kind| cursor.sees(kind))
}

fn added(table: &str, mut cursor: Cursor<'_, '_>, all: &mut Names) -> Option<()> {
    let constraint = if cursor.eat("CONSTRAINT") {
        match cursor.sees("FOREIGN KEY") || cursor.sees("UNIQUE") || cursor.sees("CHECK") {
            true => return None,
            false => Some(own(cursor.name())?),
        }
    } else {
        None
    };
    let is_unique = cursor.eat("UNIQUE");
    let is_index = is_unique || cursor.eat_any(&["FULLTEXT", "SPATIAL"]);
    let is_index = cursor.eat_any(&["INDEX", "KEY"]) || is_index;
    match constraint {
        Some(name) if !is_index && cursor.eat("FOREIGN KEY") => all.tell(FOREIGN_KEY, table, &name, true),
        Some(_) => return None,
        None if is_index => {
            cursor.eat("IF NOT EXISTS");
            let name = own(cursor.name())?;
            all.tell(if is_unique { UNIQUE } else { INDEX }, table, &name, true);
        }
        None if is_of_another_kind(&cursor) => return None,
        None => {
            cursor.eat("COLUMN");
            cursor.eat("IF NOT EXISTS");
            all.tell(COLUMN, table, &own(cursor.name())?, true);
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(statement: &str) -> Vec<String> {
        let one = |left: Left| {
            let Left::Named(left) = left else { panic!("{left:?}") };
            let sign = if left.stands { '+' } else { '-' };
            format!("{sign}{} {}.{}", left.kinds[0], left.table, left.name)
        };
        left(Dialect::MySql, statement).into_iter().map(one).collect()
    }

    #[test]
    fn what_a_statement_leaves_is_told_by_its_names() {
        for (statement, names) in [
            ("CREATE TABLE IF NOT EXISTS `a b` (id int, KEY x (id))", &["+table .a b"][..]),
            ("CREATE UNIQUE INDEX i USING BTREE ON t (a)", &["+unique t.i"]),
            ("CREATE FULLTEXT INDEX i ON t (a)", &["+index t.i"]),
            ("DROP INDEX i ON t", &["-index t.i"]),
            ("DROP TABLE IF EXISTS a, `b`", &["-table .a", "-table .b"]),
            ("RENAME TABLE a TO c, b TO a, c TO b", &["+table .a", "-table .c", "+table .b"]),
            (
                "ALTER TABLE t ADD y int, ADD COLUMN z decimal(9, 2) AFTER y, DROP x, MODIFY w int",
                &["+column t.y", "+column t.z", "-column t.x"],
            ),
            ("ALTER TABLE t ADD COLUMN (a int, b int)", &[]),
            (
                "ALTER TABLE t ADD UNIQUE KEY u (a), ADD KEY (b), ADD INDEX i USING HASH (a)",
                &["+unique t.u", "+index t.i"],
            ),
            ("ALTER TABLE t ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES s (id)", &["+foreign key t.f"]),
            ("ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0), ADD CONSTRAINT PRIMARY KEY (a)", &[]),
            (
                "ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES s (id), DROP FOREIGN KEY f",
                &["-foreign key t.f"],
            ),
            ("ALTER TABLE t DROP PRIMARY KEY, DROP CONSTRAINT c, DROP PARTITION p", &[]),
            ("ALTER TABLE t DROP x, ADD x int", &["+column t.x"]),
            ("ALTER TABLE t ADD x int, DROP x", &["+column t.x"]),
            (
                "ALTER TABLE t CHANGE a b int, RENAME COLUMN c TO d",
                &["-column t.a", "+column t.b", "-column t.c", "+column t.d"],
            ),
            ("ALTER TABLE t CHANGE a a bigint", &["+column t.a"]),
            ("ALTER TABLE t ADD y int, RENAME TO s", &["+column s.y", "-table .t", "+table .s"]),
            ("ALTER TABLE t ADD `key` int", &["+column t.key"]),
            ("ALTER TABLE t COMMENT 'x'", &[]),
            ("ALTER TABLE other.t ADD y int", &[]),
            ("CREATE TEMPORARY TABLE a (id int)", &[]),
            ("INSERT INTO t VALUES (1)", &[]),
        ] {
            assert_eq!(told(statement), names, "{statement}");
        }
    }

    #[test]
    fn a_schema_has_it_or_not() {
        let schema =
            Schema::parse("2 MySQL 9.7\ntable\t\t\tT\ncolumn\t\tT\ty\nunique\t\tT\ti").expect("a schema");
        for (statement, holds) in [
            ("ALTER TABLE t ADD Y int", true),
            ("ALTER TABLE t ADD z int", false),
            ("CREATE INDEX i ON t (y)", false),
            ("CREATE UNIQUE INDEX i ON t (y)", true),
            ("ALTER TABLE t DROP z", true),
            ("DROP TABLE t", false),
        ] {
            let left = left(Dialect::MySql, statement);
            assert_eq!(left.iter().all(|one| one.holds(&schema)), holds, "{statement}");
        }
    }
}
