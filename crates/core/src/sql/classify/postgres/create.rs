//! PostgreSQL: `CREATE …`.

use super::alter::owned;
use super::{option_is_off, server};
use crate::sql::Dialect;
use crate::sql::classify::cursor::{Cursor, identifier};
use crate::sql::classify::sketch::Sketch;
use crate::sql::classify::{Concurrently, Effect, Facts, ObjectName, TEMPORARY, TakenIndex};
use crate::sql::lexer::Token;

pub(super) fn create(sketch: &Sketch<'_>, mut cursor: Cursor<'_, '_>) -> Facts {
    cursor.eat("OR REPLACE");
    let temporary = cursor.eat_any(&["GLOBAL TEMPORARY", "GLOBAL TEMP", "LOCAL TEMPORARY", "LOCAL TEMP"])
        || cursor.eat_any(&["TEMPORARY", "TEMP"]);
    cursor.skip(&["UNLOGGED", "RECURSIVE", "TRUSTED", "PROCEDURAL"]);
    let facts = created(sketch, cursor);
    match temporary {
        true if cursor.has_phrase("ON COMMIT DROP") => {
            facts.held("a temporary table ON COMMIT DROP lasts until its transaction ends")
        }
        true => facts.bound(TEMPORARY),
        false => facts,
    }
}

fn created(sketch: &Sketch<'_>, mut cursor: Cursor<'_, '_>) -> Facts {
    if cursor.eat_any(&["INDEX", "UNIQUE INDEX"]) {
        return index(sketch, cursor);
    }
    if cursor.eat("TABLE") {
        return table(sketch, cursor);
    }
    if cursor.eat("MATERIALIZED VIEW") {
        let facts = named(sketch, cursor).groupable_if(sketch.is_plain());
        return if sketch.has_unknown_call() { facts.naming_unknown() } else { facts };
    }
    if cursor.eat("SEQUENCE") {
        return owned(cursor, named(sketch, cursor));
    }
    if cursor.eat_any(&["VIEW", "STATISTICS"]) {
        return Facts { evaluates_nothing: true, ..named(sketch, cursor) };
    }
    if cursor.eat_any(&["TYPE", "DOMAIN"]) {
        return Facts { evaluates_nothing: true, ..with_types(sketch, cursor) };
    }
    if cursor.eat("SCHEMA") {
        // Objects may be created in the same breath.
        let plain = !cursor.has(&["CREATE", "GRANT"]);
        let facts = named(sketch, cursor).groupable_if(plain);
        return if plain { facts } else { facts.naming_unknown() };
    }
    if cursor.eat_any(&["FUNCTION", "PROCEDURE"]) {
        return routine(sketch, cursor);
    }
    if cursor.eat_any(&["TRIGGER", "CONSTRAINT TRIGGER", "POLICY", "RULE"]) {
        return on_table(sketch, cursor);
    }
    outside_schema(cursor)
}

fn outside_schema(mut cursor: Cursor<'_, '_>) -> Facts {
    if cursor.eat("DATABASE") {
        return server(&mut cursor).outside("CREATE DATABASE cannot run inside a transaction block");
    }
    if cursor.eat("TABLESPACE") {
        return server(&mut cursor).outside("CREATE TABLESPACE cannot run inside a transaction block");
    }
    if cursor.eat("SUBSCRIPTION") {
        let facts = server(&mut cursor).secret();
        let makes_slot = !option_is_off(cursor, "connect") && !option_is_off(cursor, "create_slot");
        return match makes_slot {
            true => facts.outside(
                "CREATE SUBSCRIPTION that makes a replication slot cannot run inside a transaction block",
            ),
            false => facts,
        };
    }
    if cursor.eat_any(&["USER MAPPING", "SERVER"]) {
        return Facts::of(Effect::Server).secret();
    }
    if cursor.eat_any(&["ROLE", "USER", "GROUP"]) {
        let facts = server(&mut cursor);
        return if cursor.has(&["PASSWORD"]) { facts.secret() } else { facts };
    }
    if cursor.eat("EXTENSION") {
        cursor.eat("IF NOT EXISTS");
        return Facts::of(Effect::Schema).naming(cursor.one_name());
    }
    // Operators, casts, text search, foreign tables and what a newer server knows.
    Facts::of(Effect::Schema)
}

/// The object, and every table its definition reads.
fn named(sketch: &Sketch<'_>, mut cursor: Cursor<'_, '_>) -> Facts {
    cursor.eat("IF NOT EXISTS");
    Facts::of(Effect::Schema).naming(sketch.tables_and(cursor.one_name())).groupable_if(true)
}

fn index(sketch: &Sketch<'_>, mut cursor: Cursor<'_, '_>) -> Facts {
    let concurrently = cursor.eat("CONCURRENTLY");
    let unless_there = cursor.eat("IF NOT EXISTS");
    let index = if cursor.sees("ON") { None } else { cursor.name() };
    cursor.eat("ON");
    let on_only = cursor.eat("ONLY");
    let table = cursor.name();
    let takes_index = match (&index, &table) {
        (Some(index), Some(table)) => {
            Some(TakenIndex { name: index.name.clone(), table: table.clone(), unless_there, on_only })
        }
        _ => None,
    };
    let names = index.into_iter().chain(table).collect();
    let facts = Facts::of(Effect::Schema).naming(sketch.tables_and(names)).groupable_if(true);
    // The server takes back what its functions set while it is built.
    let facts = Facts { takes_index, evaluates_nothing: true, ..facts };
    match concurrently {
        true => facts.concurrently(
            Concurrently::CreateIndex,
            "CREATE INDEX CONCURRENTLY cannot run inside a transaction block",
        ),
        false => facts,
    }
}

fn table(sketch: &Sketch<'_>, mut cursor: Cursor<'_, '_>) -> Facts {
    cursor.eat("IF NOT EXISTS");
    let mut names = cursor.one_name();
    for phrase in ["PARTITION OF", "LIKE", "OF"] {
        names.extend(cursor.after(phrase).and_then(|mut behind| behind.name()));
    }
    if let Some(mut parents) = cursor.after("INHERITS").filter(|_| cursor.has(&["INHERITS"])) {
        parents.eat_punctuation("(");
        names.extend(parents.names());
    }
    names.extend(column_types(cursor));
    let evaluated = cursor.has(&["AS"]) && cursor.has(&["SELECT", "VALUES", "EXECUTE"]);
    let deferred = cursor.has(&["DEFERRABLE", "DEFERRED"]) || cursor.has_phrase("ON COMMIT");
    let facts = Facts::of(Effect::Schema).naming(sketch.tables_and(names));
    let facts = facts.groupable_if(!deferred && (!evaluated || sketch.is_plain()));
    // A new partition has the default one's rows read.
    let facts = Facts { evaluates_nothing: !evaluated && !cursor.has_phrase("PARTITION OF"), ..facts };
    if evaluated && sketch.has_unknown_call() { facts.naming_unknown() } else { facts }
}

/// Types and domains are made of types.
fn with_types(sketch: &Sketch<'_>, mut cursor: Cursor<'_, '_>) -> Facts {
    let mut names = cursor.one_name();
    let is_enum = cursor.has_phrase("AS ENUM");
    if !is_enum {
        cursor.eat("AS");
        names.extend(own_type(&mut cursor.clone()));
        names.extend(column_types(cursor));
    }
    Facts::of(Effect::Schema).naming(sketch.tables_and(names)).groupable_if(true)
}

/// The types of a column list that the server does not bring itself.
fn column_types(mut cursor: Cursor<'_, '_>) -> Vec<ObjectName> {
    let mut types = Vec::new();
    let mut depth = 0_u32;
    let mut at_column = false;
    while let Some(token) = cursor.peek() {
        if at_column && depth == 1 {
            at_column = false;
            let is_column = !["CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN", "EXCLUDE", "LIKE"]
                .iter()
                .any(|word| token.is_word(word));
            if is_column && identifier(Dialect::Postgres, token).is_some() {
                cursor.next();
                types.extend(own_type(&mut cursor));
                continue;
            }
        }
        match token.text {
            "(" => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            _ => {}
        }
        at_column = matches!(token.text, "(" | ",");
        cursor.next();
    }
    types
}

/// The type that comes next, unless PostgreSQL brings it.
pub(super) fn own_type(cursor: &mut Cursor<'_, '_>) -> Option<ObjectName> {
    let name = cursor.name()?;
    let built_in =
        name.schema.as_deref().is_none_or(|schema| schema == "pg_catalog") && is_built_in(&name.name);
    (!built_in).then_some(name)
}

fn is_built_in(name: &str) -> bool {
    const TYPES: &str = " bigint bigserial bit bool boolean box bytea char character cidr circle citext date daterange \
        decimal double float float4 float8 hstore inet int int2 int4 int4range int8 int8range integer interval json jsonb \
        jsonpath line lseg macaddr money name national numeric nchar numrange oid path point polygon real record regclass \
        serial serial4 serial8 smallint smallserial text time timestamp timestamptz timetz trigger tsquery tsrange tstzrange \
        tsvector uuid varbit varchar void xml enum range setof options ";
    TYPES.split_ascii_whitespace().any(|word| word == name)
}

/// The body of a function in plpgsql runs later; one in SQL is looked through when it is created.
fn routine(sketch: &Sketch<'_>, mut cursor: Cursor<'_, '_>) -> Facts {
    let names = cursor.one_name();
    let language = cursor.after("LANGUAGE").and_then(|behind| behind.peek().map(language));
    let facts = Facts::of(Effect::Schema).naming(sketch.tables_and(names)).groupable_if(true);
    if language.is_none_or(|language| language == "sql") { facts.naming_unknown() } else { facts }
}

fn language(token: &Token<'_>) -> String {
    token.text.trim_matches(['\'', '"']).to_ascii_lowercase()
}

fn on_table(sketch: &Sketch<'_>, mut cursor: Cursor<'_, '_>) -> Facts {
    let deferred = cursor.has(&["DEFERRABLE", "DEFERRED"]);
    cursor.name();
    let table = cursor.after("ON").and_then(|mut behind| match behind.has_phrase("DO") {
        // `CREATE RULE … AS ON INSERT TO table DO …`
        true => behind.after("TO").and_then(|mut behind| behind.name()),
        false => behind.name(),
    });
    let function = ["EXECUTE FUNCTION", "EXECUTE PROCEDURE"]
        .iter()
        .find_map(|phrase| cursor.after(phrase).and_then(|mut behind| behind.name()));
    let names = table.into_iter().chain(function).collect();
    Facts::of(Effect::Schema).naming(sketch.tables_and(names)).groupable_if(!deferred)
}
