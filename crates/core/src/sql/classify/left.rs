//! Left: what stands, or does not any more, once a definition is done, as far as its text tells plainly: of MySQL and MariaDB by
//! its name, of PostgreSQL an index by how it is made; and of several that have run, by name on every database, what must be so
//! after all of them.

use super::cursor::Cursor;
use super::index::Index;
use super::sketch::Sketch;
use super::{Definition, Effect, ObjectName, Objects, classify};
use crate::schema::{Key, Schema};
use crate::sql::Dialect;
use crate::sql::lexer::Token;

/// Kinds of the schema, any of which it may be.
type Kinds = &'static [&'static str];

const TABLE: Kinds = &["table", "view", "sequence", "materialized view", "foreign table", "virtual table"];
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
    /// None where the statement gives none.
    schema: Option<String>,
    /// Empty where it is a table.
    table: String,
    name: String,
    stands: bool,
}

impl Named {
    fn holds(&self, schema: &Schema) -> bool {
        let is_same = |one: &str, other: &str| one.to_lowercase() == other.to_lowercase();
        let is_it = |key: &&Key| {
            self.kinds.contains(&&*key.kind)
                && self.schema.as_ref().is_none_or(|schema| *schema == key.schema)
                && is_same(&key.table, &self.table)
                && is_same(&key.name, &self.name)
        };
        schema.objects.keys().any(|key| is_it(&key)) == self.stands
    }

    /// As it is told: `table t`.
    pub(crate) fn told(&self) -> String {
        let parts = [self.schema.as_deref().unwrap_or_default(), &self.table, &self.name];
        let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        format!("{} {}", self.kinds[0], parts.join("."))
    }
}

/// What a statement that has run made, or took away, as long as none behind it may have changed that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lasting {
    /// The statement's number, from 1.
    pub(crate) number: u32,
    /// What it made or took away.
    pub(crate) named: Named,
}

impl Lasting {
    pub(crate) fn is_made(&self) -> bool {
        self.named.stands
    }

    /// Whether a schema has it so; also where nobody looked.
    pub(crate) fn holds(&self, schema: &Schema) -> bool {
        let is_looked_at = |of: &String| schema.objects.keys().any(|key| key.schema == *of);
        !self.named.schema.as_ref().is_none_or(is_looked_at) || self.named.holds(schema)
    }
}

/// What a statement may take away or rename of what those before it made.
const TAKES_AWAY: [&str; 10] =
    ["DROP", "RENAME", "CHANGE", "EXCHANGE", "DETACH", "REPLACE", "SCHEMA", "CONVERT", "MERGE", "SPLIT"];

/// What may go with it, though no name tells.
const MAY_TAKE_MORE: [&str; 4] = ["CASCADE", "OWNED", "MERGE", "SPLIT"];

/// What leaves everything as it is that those before it made, and is no definition of its own.
const LEAVES_ALL: [&str; 7] = ["COMMENT ON", "GRANT", "REVOKE", "ANALYZE", "VACUUM", "OPTIMIZE", "REINDEX"];

/// What must be so after all of these statements, as far as their texts tell plainly; nothing that one of them may have undone.
pub(crate) fn lasting<'s>(dialect: Dialect, statements: impl IntoIterator<Item = &'s str>) -> Vec<Lasting> {
    let mut all: Vec<Lasting> = Vec::new();
    for (number, statement) in (1..).zip(statements) {
        let (facts, sketch) = (classify(dialect, statement), Sketch::new(dialect, statement));
        if moves_names(dialect, statement, sketch.cursor()) {
            return Vec::new();
        }
        let cursor = sketch.cursor();
        let is_code = facts.calls_unknown && matches!(facts.effect, Effect::Data | Effect::Query);
        let is_harmless = !is_code
            && (matches!(facts.effect, Effect::Data | Effect::Session | Effect::Query)
                || facts.definition == Some(Definition::Create)
                || sketch.cursor().eat_any(&LEAVES_ALL)
                || facts.definition == Some(Definition::Alter)
                    && !cursor.has(&TAKES_AWAY)
                    && !cursor.has_phrase("USING INDEX"));
        match &facts.objects {
            _ if is_harmless => {}
            Objects::Known(names) if !is_code && !cursor.has(&MAY_TAKE_MORE) => {
                let is_about = |named: &Named| {
                    let is_one = |part: &str| names.iter().any(|name| name.name.eq_ignore_ascii_case(part));
                    is_one(&named.name) || is_one(&named.table)
                };
                all.retain(|lasting| !is_about(&lasting.named));
            }
            _ => all.clear(),
        }
        let mut names = Names::default();
        if may_do_nothing(dialect, cursor) || read(cursor, dialect, &mut names).is_none() {
            continue;
        }
        for named in names.0 {
            all.retain(|lasting| !is_same(&lasting.named, &named));
            // Another schema may have one of that name.
            if named.stands || dialect != Dialect::Postgres {
                all.push(Lasting { number, named });
            }
        }
    }
    all
}

/// Whether nobody knows from there on where a name is, or whether it goes with the session.
fn moves_names(dialect: Dialect, statement: &str, cursor: Cursor<'_, '_>) -> bool {
    cursor.has(&["TEMP", "TEMPORARY"])
        || match dialect {
            Dialect::Postgres => {
                cursor.sees("SET SCHEMA") || statement.to_lowercase().contains("search_path")
            }
            Dialect::MySql => cursor.sees("USE"),
            Dialect::Sqlite => cursor.sees("ATTACH"),
        }
}

/// Whether what it would make may be missing once it is done: what it names was not there, or another object has the index's name.
fn may_do_nothing(dialect: Dialect, cursor: Cursor<'_, '_>) -> bool {
    let is_index = dialect != Dialect::MySql && cursor.has(&["INDEX"]);
    !cursor.sees("DROP") && cursor.has_phrase("IF EXISTS") || is_index && cursor.has_phrase("IF NOT EXISTS")
}

fn is_same(one: &Named, other: &Named) -> bool {
    one.kinds.iter().any(|kind| other.kinds.contains(kind))
        && one.table.eq_ignore_ascii_case(&other.table)
        && one.name.eq_ignore_ascii_case(&other.name)
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
    fn tell(&mut self, kinds: Kinds, table: &ObjectName, name: &str, stands: bool) {
        let (schema, table) = (table.schema.clone(), table.name.clone());
        let named = Named { kinds, schema, table, name: name.to_owned(), stands };
        // Of what is taken away and made again in one statement the making counts, in whichever order they stand.
        if !stands && kinds != TABLE && self.0.iter().any(|left| left.stands && is_same(left, &named)) {
            return;
        }
        self.0.retain(|left| !is_same(left, &named));
        self.0.push(named);
    }

    fn tell_table(&mut self, table: ObjectName, stands: bool) {
        self.tell(TABLE, &ObjectName { schema: table.schema, name: String::new() }, &table.name, stands);
    }
}

/// `None` where nothing is to be told.
fn read(mut cursor: Cursor<'_, '_>, dialect: Dialect, all: &mut Names) -> Option<()> {
    let own = |name: Option<ObjectName>| own(dialect, name);
    // Only MySQL and MariaDB have a unique index for a kind of its own.
    let (unique, index) = if dialect == Dialect::MySql { (UNIQUE, INDEX) } else { (ANY_INDEX, ANY_INDEX) };
    if cursor.eat("CREATE") {
        cursor.eat("OR REPLACE");
        if dialect == Dialect::Postgres {
            cursor.eat("UNLOGGED");
        }
        if cursor.eat("TABLE") {
            cursor.eat("IF NOT EXISTS");
            all.tell_table(own(cursor.name())?, true);
            return Some(());
        }
        let kinds = if cursor.eat("UNIQUE") { unique } else { index };
        cursor.skip(&["FULLTEXT", "SPATIAL", "ONLINE", "OFFLINE"]);
        return cursor.eat("INDEX").then_some(()).and_then(|()| {
            cursor.eat("CONCURRENTLY");
            cursor.eat("IF NOT EXISTS");
            // PostgreSQL finds a name where none is given.
            let name = if cursor.sees("ON") { None } else { own(cursor.name()) }?;
            skip_method(&mut cursor);
            let table = cursor.eat("ON").then(|| {
                cursor.eat("ONLY");
                own(cursor.name())
            });
            // SQLite gives the index a schema, the table has the same.
            let schema = if dialect == Dialect::Sqlite { name.schema } else { None };
            let table = table.flatten()?;
            all.tell(kinds, &ObjectName { schema: table.schema.or(schema), ..table }, &name.name, true);
            Some(())
        });
    }
    if cursor.eat("DROP") {
        if cursor.eat_any(&["TABLE", "TABLES", "VIEW"]) {
            cursor.eat("IF EXISTS");
            for name in cursor.names() {
                all.tell_table(own(Some(name))?, false);
            }
            return Some(());
        }
        cursor.skip(&["ONLINE", "OFFLINE"]);
        return cursor.eat("INDEX").then_some(()).and_then(|()| {
            cursor.eat("IF EXISTS");
            let name = own(cursor.name())?;
            let table = cursor.eat("ON").then(|| own(cursor.name())).flatten()?;
            all.tell(ANY_INDEX, &table, &name.name, false);
            Some(())
        });
    }
    if cursor.eat("RENAME") {
        return cursor.eat_any(&["TABLE", "TABLES"]).then_some(()).and_then(|()| {
            cursor.eat("IF EXISTS");
            loop {
                let from = own(cursor.name())?;
                let to = cursor.eat("TO").then(|| own(cursor.name())).flatten()?;
                all.tell_table(from, false);
                all.tell_table(to, true);
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
            cursor.eat("ONLY");
            let table = own(cursor.name())?;
            cursor.eat_punctuation("*");
            alter(&table, cursor.rest(), dialect, all)
        });
    }
    None
}

/// The name of what is in this database, as the schema has it.
fn own(dialect: Dialect, name: Option<ObjectName>) -> Option<ObjectName> {
    /// PostgreSQL, "Lexical Structure": longer names are cut.
    const LONGEST: usize = 63;
    let ObjectName { schema, mut name } = name?;
    let schema = match (dialect, schema) {
        (_, None) => None,
        (Dialect::Sqlite, Some(schema)) if schema.eq_ignore_ascii_case("main") => None,
        (Dialect::Postgres, Some(schema)) if !schema.starts_with("pg_") => Some(schema),
        _ => return None,
    };
    if dialect == Dialect::Postgres && name.len() > LONGEST {
        let end = (0..=LONGEST).rev().find(|at| name.is_char_boundary(*at)).unwrap_or_default();
        name.truncate(end);
    }
    Some(ObjectName { schema, name })
}

fn skip_method(cursor: &mut Cursor<'_, '_>) {
    if cursor.eat("USING") {
        cursor.next();
    }
}

fn alter(table: &ObjectName, rest: &[Token<'_>], dialect: Dialect, all: &mut Names) -> Option<()> {
    let specifications = parted(rest);
    let named = |tokens: &&[Token<'_>]| new_name(dialect, Cursor::new(dialect, tokens));
    let renamed = match specifications.iter().find_map(named) {
        Some(name) => {
            let name = own(dialect, Some(name))?;
            Some(ObjectName { schema: name.schema.or_else(|| table.schema.clone()), ..name })
        }
        None => None,
    };
    let now = renamed.as_ref().unwrap_or(table);
    for tokens in specifications {
        // What is not told of one says nothing of the others.
        let _ = specification(now, dialect, Cursor::new(dialect, tokens), all);
    }
    if let Some(to) = renamed {
        all.tell_table(table.clone(), false);
        all.tell_table(to, true);
    }
    Some(())
}

/// The table's name behind `RENAME TO`.
fn new_name(dialect: Dialect, mut cursor: Cursor<'_, '_>) -> Option<ObjectName> {
    let is_of_table =
        cursor.eat("RENAME") && !["COLUMN", "INDEX", "KEY"].iter().any(|kind| cursor.sees(kind));
    let has_word = cursor.eat_any(&["TO", "AS"]);
    // Elsewhere it may be a column's that comes without that word.
    (is_of_table && (has_word || dialect == Dialect::MySql)).then(|| cursor.name()).flatten()
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

fn specification(
    table: &ObjectName,
    dialect: Dialect,
    mut cursor: Cursor<'_, '_>,
    all: &mut Names,
) -> Option<()> {
    if cursor.eat("ADD") {
        return added(table, dialect, cursor, all);
    }
    if cursor.eat("DROP") {
        let kinds = match () {
            () if cursor.eat_any(&["INDEX", "KEY"]) => ANY_INDEX,
            () if cursor.eat("FOREIGN KEY") => FOREIGN_KEY,
            () if is_of_another_kind(dialect, &cursor) => return None,
            () => {
                cursor.eat("COLUMN");
                COLUMN
            }
        };
        cursor.eat("IF EXISTS");
        all.tell(kinds, table, &part(dialect, &mut cursor)?, false);
    } else if cursor.eat("CHANGE") {
        cursor.eat("COLUMN");
        cursor.eat("IF EXISTS");
        let (from, to) = (part(dialect, &mut cursor)?, part(dialect, &mut cursor)?);
        all.tell(COLUMN, table, &from, false);
        all.tell(COLUMN, table, &to, true);
    } else if cursor.eat("RENAME COLUMN") {
        cursor.eat("IF EXISTS");
        let from = part(dialect, &mut cursor)?;
        let to = cursor.eat("TO").then(|| part(dialect, &mut cursor)).flatten()?;
        all.tell(COLUMN, table, &from, false);
        all.tell(COLUMN, table, &to, true);
    }
    Some(())
}

/// The name of what is part of a table.
fn part(dialect: Dialect, cursor: &mut Cursor<'_, '_>) -> Option<String> {
    own(dialect, cursor.name()).filter(|name| name.schema.is_none()).map(|name| name.name)
}

fn is_of_another_kind(dialect: Dialect, cursor: &Cursor<'_, '_>) -> bool {
    const KINDS: [&str; 8] =
        ["PRIMARY", "CONSTRAINT", "FOREIGN", "CHECK", "PARTITION", "PERIOD", "SYSTEM", "VECTOR"];
    let is_constraint = dialect == Dialect::Postgres && (cursor.sees("EXCLUDE") || cursor.sees("NOT NULL"));
    is_constraint || KINDS.iter().any(|kind| cursor.sees(kind))
}

fn added(table: &ObjectName, dialect: Dialect, mut cursor: Cursor<'_, '_>, all: &mut Names) -> Option<()> {
    let constraint = if cursor.eat("CONSTRAINT") {
        match cursor.sees("FOREIGN KEY") || cursor.sees("UNIQUE") || cursor.sees("CHECK") {
            true => return None,
            false => Some(part(dialect, &mut cursor)?),
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
        None if is_index && dialect != Dialect::MySql => return None,
        None if is_index => {
            cursor.eat("IF NOT EXISTS");
            let name = part(dialect, &mut cursor)?;
            all.tell(if is_unique { UNIQUE } else { INDEX }, table, &name, true);
        }
        None if is_of_another_kind(dialect, &cursor) => return None,
        None => {
            cursor.eat("COLUMN");
            cursor.eat("IF NOT EXISTS");
            all.tell(COLUMN, table, &part(dialect, &mut cursor)?, true);
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
    fn what_lasts_is_told_by_its_names() {
        for (dialect, statements, names) in [
            (
                Dialect::MySql,
                &["CREATE TABLE a (id int)", "ALTER TABLE a ADD x int", "INSERT INTO a VALUES (1, 2)"][..],
                &["1+table a", "2+column a.x"][..],
            ),
            // Of what is renamed, nothing is told under its old name.
            (
                Dialect::MySql,
                &["CREATE TABLE a (id int)", "ALTER TABLE a ADD x int", "RENAME TABLE a TO b"],
                &["3-table a", "3+table b"],
            ),
            (
                Dialect::MySql,
                &["CREATE TABLE a (id int)", "CREATE INDEX i ON a (id)", "DROP TABLE IF EXISTS a, c"],
                &["3-table a", "3-table c"],
            ),
            (Dialect::MySql, &["CREATE TABLE a (id int)", "CALL anything()"], &[]),
            (Dialect::MySql, &["CREATE TABLE a (id int)", "USE other", "CREATE TABLE b (id int)"], &[]),
            (Dialect::MySql, &["CREATE TEMPORARY TABLE a (id int)", "ALTER TABLE a ADD x int"], &[]),
            (
                Dialect::Postgres,
                &[
                    "CREATE UNLOGGED TABLE IF NOT EXISTS \"A\" (id int)",
                    "CREATE TABLE app.b (id int)",
                    "COMMENT ON TABLE app.b IS 'x'",
                    "ALTER TABLE ONLY app.b ADD COLUMN IF NOT EXISTS x int, ADD EXCLUDE USING gist (x WITH =)",
                    "CREATE UNIQUE INDEX CONCURRENTLY i ON ONLY app.b (id)",
                    "CREATE INDEX IF NOT EXISTS j ON app.b (id)",
                    "ALTER TABLE IF EXISTS app.c ADD x int",
                    "CREATE INDEX ON app.b (id)",
                ],
                &["1+table A", "2+table app.b", "4+column app.b.x", "5+index app.b.i"],
            ),
            (
                Dialect::Postgres,
                &[
                    "CREATE TABLE a (id int)",
                    "CREATE TABLE b (id int)",
                    "ALTER TABLE a RENAME id TO x",
                    "DROP TABLE c",
                ],
                &["2+table b"],
            ),
            (
                Dialect::Postgres,
                &["CREATE UNIQUE INDEX i ON a (x)", "ALTER TABLE a ADD CONSTRAINT u UNIQUE USING INDEX i"],
                &[],
            ),
            (Dialect::Postgres, &["CREATE TABLE a (id int)", "DROP TYPE t CASCADE"], &[]),
            (Dialect::Postgres, &["CREATE TABLE a (id int)", "SELECT make_partitions('b')"], &[]),
            (Dialect::Postgres, &["CREATE TABLE a (id int)", "INSERT INTO b SELECT make_partitions()"], &[]),
            (Dialect::Postgres, &["CREATE TABLE a (id uuid DEFAULT own_id())"], &["1+table a"]),
            (Dialect::Postgres, &["CREATE TABLE a (id int)", "DROP OWNED BY somebody"], &[]),
            (Dialect::Postgres, &["CREATE TABLE a (id int)", "SET search_path = b"], &[]),
            (
                Dialect::Sqlite,
                &[
                    "CREATE TABLE main.A (id)",
                    "CREATE INDEX i ON a (id)",
                    "ALTER TABLE a ADD b",
                    "DROP TABLE c",
                ],
                &["1+table a", "2+index a.i", "3+column a.b", "4-table c"],
            ),
            (
                Dialect::Sqlite,
                &["CREATE TABLE b (id)", "DROP TABLE a", "ALTER TABLE b RENAME TO a"],
                &["3-table b", "3+table a"],
            ),
            (Dialect::Sqlite, &["CREATE TABLE other.a (id)"], &[]),
        ] {
            let told = |lasting: Lasting| {
                let sign = if lasting.is_made() { '+' } else { '-' };
                format!("{}{sign}{}", lasting.number, lasting.named.told())
            };
            let all: Vec<_> = lasting(dialect, statements.iter().copied()).into_iter().map(told).collect();
            assert_eq!(all, names, "{statements:?}");
        }
    }

    #[test]
    fn a_name_lasts_in_a_schema_as_the_server_writes_it() {
        let long = "n".repeat(70);
        let statements = [format!("CREATE TABLE {long} (id int)"), "CREATE TABLE app.b (id int)".to_owned()];
        let all = lasting(Dialect::Postgres, statements.iter().map(String::as_str));
        let schema = |text: &str| Schema::parse(&format!("\n{text}")).expect("a schema");
        let holds = |text: &str| all.iter().map(|one| one.holds(&schema(text))).collect::<Vec<_>>();
        assert_eq!(holds(&format!("table\tpublic\t\t{}\ntable\tapp\t\tb", &long[..63])), [true, true]);
        // Of a schema that nobody looked into, nothing is told.
        assert_eq!(holds("table\tpublic\t\tb"), [false, true]);
        assert_eq!(holds("table\tpublic\t\tb\ntable\tapp\t\tc"), [false, false]);
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
