//! How a statement changes definitions, and whether its repetition changes anything more.

use super::cursor::Cursor;
use super::sketch::Sketch;
use super::{Definition, Effect, Facts, Objects, SessionUse};
use crate::sql::Dialect;

/// The facts with what the tokens tell besides.
pub(super) fn told(sketch: &Sketch<'_>, facts: Facts) -> Facts {
    let definition = (facts.effect == Effect::Schema).then(|| definition(sketch.cursor())).flatten();
    let repeats_harmlessly = facts.repeats_harmlessly || is_harmless(sketch, &facts);
    Facts { definition, repeats_harmlessly, ..facts }
}

fn definition(mut cursor: Cursor<'_, '_>) -> Option<Definition> {
    if cursor.eat("CREATE") {
        let replaces = cursor.eat("OR REPLACE");
        cursor.eat("TEMPORARY");
        let fills =
            cursor.eat("TABLE") && (cursor.has(&["SELECT", "TABLE"]) || cursor.has_phrase("VALUES ROW"));
        return Some(match (fills, replaces) {
            (true, true) => Definition::Refill,
            (true, false) => Definition::Fill,
            (false, true) => Definition::Replace,
            (false, false) => Definition::Create,
        });
    }
    if cursor.eat("ALTER") {
        let moves = cursor.has(&["EXCHANGE", "TRUNCATE", "DISCARD", "IMPORT"]);
        return Some(if moves { Definition::Move } else { Definition::Alter });
    }
    if cursor.eat("DROP") {
        return Some(Definition::Drop);
    }
    cursor.eat("RENAME").then_some(Definition::Rename)
}

/// Whether it puts a table or a sequence in the place of another: MariaDB drops the one before it makes the other.
pub(crate) fn replaces_table(dialect: Dialect, statement: &str) -> bool {
    let sketch = Sketch::new(dialect, statement);
    let mut cursor = sketch.cursor();
    let replaces = cursor.eat("CREATE") && cursor.eat("OR REPLACE");
    cursor.eat("TEMPORARY");
    replaces && (cursor.sees("TABLE") || cursor.sees("SEQUENCE"))
}

/// MySQL and MariaDB: whether it is an `ALTER DATABASE`, or `ALTER SCHEMA`, which is the same there.
pub(crate) fn changes_defaults(dialect: Dialect, statement: &str) -> bool {
    if dialect != Dialect::MySql {
        return false;
    }
    let sketch = Sketch::new(dialect, statement);
    let mut cursor = sketch.cursor();
    cursor.eat("ALTER") && cursor.eat_any(&["DATABASE", "SCHEMA"])
}

/// PostgreSQL: whether it moves objects to another schema, changes a type with what is made of it, takes away what stands on a
/// column, or makes a schema or extensions that it does not name: names tell nothing of that.
pub(crate) fn changes_unnamed(dialect: Dialect, statement: &str) -> bool {
    if dialect != Dialect::Postgres {
        return false;
    }
    let sketch = Sketch::new(dialect, statement);
    let mut cursor = sketch.cursor();
    let (cascades, takes_away) = (cursor.has(&["CASCADE"]), cursor.has(&["DROP"]));
    if cursor.eat("ALTER") {
        let is_wide = cursor.sees("TYPE") || cursor.sees("DOMAIN") || takes_away;
        return cursor.sees("SCHEMA") || cursor.has_phrase("SET SCHEMA") || cascades && is_wide;
    }
    cursor.eat("CREATE")
        && (cursor.sees("EXTENSION") && cascades || cursor.eat("SCHEMA") && cursor.has(&["AUTHORIZATION"]))
}

/// What sets, measures or tidies does the same twice, and so does what looks first whether it is done.
fn is_harmless(sketch: &Sketch<'_>, facts: &Facts) -> bool {
    const TIDYING: [&str; 18] = [
        "VACUUM",
        "ANALYZE",
        "ANALYSE",
        "OPTIMIZE",
        "CHECK",
        "CHECKSUM",
        "REPAIR",
        "FLUSH",
        "GRANT",
        "REVOKE",
        "SET",
        "COMMENT",
        "PRAGMA",
        "REFRESH",
        "REINDEX",
        "CLUSTER",
        "CHECKPOINT",
        "ALTER SYSTEM",
    ];
    let mut cursor = sketch.cursor();
    if TIDYING.iter().any(|words| cursor.sees(words)) {
        // MariaDB's ANALYZE runs the statement that follows it.
        return facts.effect != Effect::Unknown;
    }
    let reads = facts.effect == Effect::Query && facts.objects != Objects::Unknown;
    if reads && facts.session == SessionUse::None {
        return true;
    }
    if cursor.eat("CREATE OR REPLACE") {
        // What stands is put in the place of itself; with a table its rows would be gone.
        let mut behind = cursor;
        skip_to_kind(&mut behind);
        return ["VIEW", "FUNCTION", "PROCEDURE", "TRIGGER"].iter().any(|kind| behind.sees(kind));
    }
    let creates = cursor.eat("CREATE");
    if !creates && !cursor.eat("DROP") {
        return false;
    }
    // An index whose build was cut short stands, and is invalid: IF NOT EXISTS would leave it so.
    // A table that is filled as it is created may stand without its rows.
    if creates
        && (facts.concurrently.is_some()
            || matches!(definition(sketch.cursor()), Some(Definition::Fill | Definition::Refill)))
    {
        return false;
    }
    let mut ahead = cursor;
    (0..4).any(|_| {
        let guarded = ahead.sees("IF EXISTS") || ahead.sees("IF NOT EXISTS");
        ahead.next();
        guarded
    })
}

/// `DEFINER = …`, `ALGORITHM = …` and their like.
fn skip_to_kind(cursor: &mut Cursor<'_, '_>) {
    for _ in 0..12 {
        if ["VIEW", "FUNCTION", "PROCEDURE", "TRIGGER", "TABLE"].iter().any(|kind| cursor.sees(kind)) {
            return;
        }
        cursor.next();
    }
}
