//! PostgreSQL: `ALTER …`.

use super::create::own_type;
use super::{option_is_off, server};
use crate::sql::classify::cursor::{Cursor, object_name, string_value};
use crate::sql::classify::sketch::Sketch;
use crate::sql::classify::{Concurrently, Effect, Facts, ObjectName, Objects};

pub(super) fn alter(sketch: &Sketch<'_>, mut cursor: Cursor<'_, '_>) -> Facts {
    if cursor.eat("TABLE ALL") || cursor.eat("INDEX ALL") {
        return Facts::of(Effect::Schema);
    }
    if cursor.eat_any(&["TABLE", "FOREIGN TABLE"]) {
        return table(sketch, cursor);
    }
    if cursor.eat("TYPE") {
        return type_(cursor);
    }
    if cursor.eat("SEQUENCE") {
        return owned(cursor, named(sketch, cursor).groupable_if(sketch.is_plain()));
    }
    if cursor.eat_any(&["INDEX", "MATERIALIZED VIEW", "VIEW", "DOMAIN", "SCHEMA"]) {
        return named(sketch, cursor).groupable_if(sketch.is_plain());
    }
    const NAMED: [&str; 7] =
        ["FUNCTION", "PROCEDURE", "ROUTINE", "AGGREGATE", "EXTENSION", "PUBLICATION", "STATISTICS"];
    if cursor.eat_any(&NAMED) {
        return named(sketch, cursor);
    }
    if cursor.eat_any(&["TRIGGER", "POLICY", "RULE"]) {
        cursor.name();
        cursor.eat("ON");
        return Facts::of(Effect::Schema).naming(sketch.tables_and(cursor.one_name()));
    }
    outside_schema(cursor)
}

fn outside_schema(mut cursor: Cursor<'_, '_>) -> Facts {
    if cursor.eat("SYSTEM") {
        return Facts::of(Effect::Server)
            .naming(Vec::new())
            .secret()
            .outside("ALTER SYSTEM cannot run inside a transaction block");
    }
    if cursor.eat("DATABASE") {
        let facts = server(&mut cursor);
        return match cursor.has_phrase("SET TABLESPACE") {
            true => facts.outside("ALTER DATABASE … SET TABLESPACE cannot run inside a transaction block"),
            false => facts,
        };
    }
    if cursor.eat("SUBSCRIPTION") {
        return subscription(cursor);
    }
    if cursor.eat_any(&["USER MAPPING", "SERVER"]) {
        return Facts::of(Effect::Server).secret();
    }
    if cursor.eat_any(&["ROLE", "USER", "GROUP"]) {
        let facts = server(&mut cursor);
        return if cursor.has(&["PASSWORD"]) { facts.secret() } else { facts };
    }
    if cursor.eat("TABLESPACE") {
        return server(&mut cursor);
    }
    // Default privileges, operators, large objects and what a newer server knows.
    Facts::of(Effect::Schema)
}

fn named(sketch: &Sketch<'_>, mut cursor: Cursor<'_, '_>) -> Facts {
    cursor.eat("IF EXISTS");
    let mut names = cursor.one_name();
    names.extend(renamed(&names, cursor));
    Facts::of(Effect::Schema).naming(sketch.tables_and(names))
}

/// What is said of a sequence, and the table whose column it is to belong to.
pub(super) fn owned(cursor: Cursor<'_, '_>, facts: Facts) -> Facts {
    let mut column = cursor.after("OWNED BY").map(|mut behind| behind.parts()).unwrap_or_default();
    column.pop();
    match (facts.objects.clone(), object_name(column)) {
        (Objects::Known(mut names), Some(table)) => {
            names.push(table);
            facts.naming(names)
        }
        _ => facts,
    }
}

/// The name behind `RENAME TO`, in the schema of the old one.
fn renamed(names: &[ObjectName], cursor: Cursor<'_, '_>) -> Option<ObjectName> {
    let new = cursor.after("RENAME TO")?.name()?;
    Some(ObjectName { schema: names.first()?.schema.clone(), name: new.name })
}

fn table(sketch: &Sketch<'_>, mut cursor: Cursor<'_, '_>) -> Facts {
    cursor.skip(&["IF EXISTS", "ONLY"]);
    let mut names = cursor.one_name();
    names.extend(renamed(&names, cursor));
    for phrase in ["ATTACH PARTITION", "DETACH PARTITION", "INHERIT", "USING INDEX"] {
        names.extend(cursor.after(phrase).and_then(|mut behind| behind.name()));
    }
    names.extend(types(cursor));
    let deferred = cursor.has(&["DEFERRABLE", "DEFERRED"]);
    let facts = Facts::of(Effect::Schema)
        .naming(sketch.tables_and(names))
        .groupable_if(!deferred && sketch.is_plain());
    if cursor.has_phrase("DETACH PARTITION") && cursor.has(&["CONCURRENTLY"]) {
        return facts.concurrently(
            Concurrently::DetachPartition,
            "ALTER TABLE … DETACH PARTITION … CONCURRENTLY cannot run inside a transaction block",
        );
    }
    facts
}

/// The types of columns that are added or changed.
fn types(cursor: Cursor<'_, '_>) -> Vec<ObjectName> {
    let mut types = Vec::new();
    let mut rest = cursor;
    while let Some(mut behind) = rest.after("ADD") {
        behind.eat("COLUMN");
        behind.eat("IF NOT EXISTS");
        let is_column = !["CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN", "EXCLUDE"]
            .iter()
            .any(|word| behind.sees(word));
        if is_column && behind.name().is_some() {
            types.extend(own_type(&mut behind));
        }
        rest = behind;
    }
    rest = cursor;
    while let Some(mut behind) = rest.after("TYPE") {
        types.extend(own_type(&mut behind));
        rest = behind;
    }
    types
}

fn type_(mut cursor: Cursor<'_, '_>) -> Facts {
    let mut names = cursor.one_name();
    names.extend(renamed(&names, cursor));
    let facts = Facts::of(Effect::Schema).naming(names);
    if !cursor.eat("ADD VALUE") {
        return facts.groupable_if(true);
    }
    cursor.eat("IF NOT EXISTS");
    Facts { enum_value: cursor.peek().and_then(string_value), ..facts }
}

fn subscription(mut cursor: Cursor<'_, '_>) -> Facts {
    let secret = cursor.has(&["CONNECTION"]);
    let facts = server(&mut cursor);
    let facts = if secret { facts.secret() } else { facts };
    let refreshes = cursor.has(&["REFRESH"]) && !option_is_off(cursor, "refresh")
        || cursor.has(&["PUBLICATION"]) && !option_is_off(cursor, "refresh");
    match refreshes {
        true => facts.outside(
            "ALTER SUBSCRIPTION that refreshes its publications cannot run inside a transaction block",
        ),
        false => facts,
    }
}
