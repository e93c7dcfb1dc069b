//! Taken: what a statement takes away if it is there, so that a database in which it never was says nothing of it.

use super::ObjectName;
use super::cursor::Cursor;
use super::left::parted;
use super::sketch::Sketch;
use crate::schema::Key;
use crate::sql::Dialect;

/// What is taken away `IF EXISTS`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Taken {
    /// The table that `ALTER TABLE` names, or an index or trigger is said to be on.
    table: Option<String>,
    /// In small letters, as the statement has it: `table`, `materialized view`; nothing in an `ALTER TABLE`.
    kind: String,
    /// None where the statement gives none.
    schema: Option<String>,
    name: String,
}

/// What types are called in the schema.
const TYPES: [&str; 4] = ["enum", "range", "composite type", "domain"];

impl Taken {
    /// Whether it is this object, or what this one is part of.
    pub(crate) fn is(&self, key: &Key) -> bool {
        let is_same = |one: &str, other: &str| one.to_lowercase() == other.to_lowercase();
        if self.schema.as_ref().is_some_and(|schema| !key.schema.is_empty() && !is_same(schema, &key.schema))
        {
            return false;
        }
        // A function's name has its arguments behind it.
        let is_named = is_same(key.name.split('(').next().unwrap_or_default(), &self.name);
        let is_on_it = self.table.as_ref().is_none_or(|table| is_same(table, &key.table));
        match self.kind.as_str() {
            "" => is_on_it && is_named,
            "index" => is_on_it && is_named && matches!(&*key.kind, "index" | "unique"),
            "trigger" | "policy" | "rule" => is_on_it && is_named && key.kind == self.kind,
            "schema" => is_same(&key.schema, &self.name) || key.kind == "schema" && is_named,
            "type" => is_named && TYPES.contains(&&*key.kind) || is_same(&key.table, &self.name),
            "routine" => is_named && matches!(&*key.kind, "function" | "procedure" | "aggregate"),
            kind => {
                let has_parts = kind.ends_with("table") || kind.ends_with("view");
                key.table.is_empty() && is_named && key.kind.ends_with(kind)
                    || has_parts && is_same(&key.table, &self.name)
            }
        }
    }
}

/// What a statement takes away if it is there; nothing of another database.
pub(crate) fn taken_if_there(dialect: Dialect, statement: &str) -> Vec<Taken> {
    let sketch = Sketch::new(dialect, statement);
    let mut cursor = sketch.cursor();
    if cursor.eat("DROP") {
        return dropped(cursor, dialect);
    }
    if !cursor.eat("ALTER") {
        return Vec::new();
    }
    cursor.skip(&["ONLINE", "OFFLINE", "IGNORE"]);
    if !cursor.eat("TABLE") {
        return Vec::new();
    }
    cursor.skip(&["IF EXISTS", "ONLY"]);
    let Some(table) = cursor.name().and_then(|name| own(dialect, name)) else { return Vec::new() };
    cursor.eat_punctuation("*");
    let one = |tokens| {
        let mut cursor = Cursor::new(dialect, tokens);
        let is_told = cursor.eat("DROP") && kind_until_if_exists(&mut cursor).is_some();
        let name = is_told.then(|| cursor.name()).flatten()?.name;
        let (schema, table) = (table.schema.clone(), Some(table.name.clone()));
        Some(Taken { table, kind: String::new(), schema, name })
    };
    parted(cursor.rest()).into_iter().filter_map(one).collect()
}

fn dropped(mut cursor: Cursor<'_, '_>, dialect: Dialect) -> Vec<Taken> {
    let Some(kind) = kind_until_if_exists(&mut cursor) else { return Vec::new() };
    let names: Vec<ObjectName> = cursor.names().into_iter().filter_map(|name| own(dialect, name)).collect();
    let table = cursor.eat("ON").then(|| cursor.name()).flatten().map(|table| table.name);
    let one = |ObjectName { schema, name }| Taken { table: table.clone(), kind: kind.clone(), schema, name };
    names.into_iter().map(one).collect()
}

/// What kind it is, in small letters; `None` where no `IF EXISTS` comes.
fn kind_until_if_exists(cursor: &mut Cursor<'_, '_>) -> Option<String> {
    let mut words = Vec::new();
    while !cursor.eat("IF EXISTS") {
        let word = cursor.next()?.text.to_lowercase();
        // How it is done is no kind.
        if !matches!(word.as_str(), "concurrently" | "online" | "offline") {
            words.push(word);
        }
    }
    Some(if words == ["tables"] { "table".to_owned() } else { words.join(" ") })
}

/// The name of what is in this database.
fn own(dialect: Dialect, name: ObjectName) -> Option<ObjectName> {
    match (dialect, &name.schema) {
        (Dialect::Postgres, _) | (_, None) => Some(name),
        (Dialect::Sqlite, Some(schema)) if schema == "main" => Some(ObjectName { schema: None, ..name }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Schema;

    #[test]
    fn what_is_taken_away_if_it_is_there_is_told() {
        let schema = Schema::parse(
            "\ntable\tapp\t\thot\ncolumn\tapp\thot\tid\nindex\tapp\thot\tby_id\ntrigger\tapp\thot\tt\n\
             column\tapp\tother\thot\nfunction\tapp\t\thot(integer)\nenum\tapp\t\tkind\nmaterialized view\tapp\t\tseen\n\
             column\tapp\tseen\tid\nview\tapp\t\tplain\nschema\tapp\t\tapp",
        )
        .expect("a schema");
        for (dialect, statement, objects) in [
            (
                Dialect::Postgres,
                "DROP TABLE IF EXISTS hot, app.other CASCADE",
                "column app.hot.id, column app.other.hot, index app.hot.by_id, table app.hot, trigger app.hot.t",
            ),
            (Dialect::Postgres, "DROP TABLE hot", ""),
            (Dialect::Postgres, "DROP TABLE IF EXISTS public.hot", ""),
            (Dialect::Postgres, "DROP INDEX CONCURRENTLY IF EXISTS by_id", "index app.hot.by_id"),
            (Dialect::Postgres, "DROP FUNCTION IF EXISTS hot(int)", "function app.hot(integer)"),
            (Dialect::Postgres, "DROP TYPE IF EXISTS kind", "enum app.kind"),
            (
                Dialect::Postgres,
                "DROP MATERIALIZED VIEW IF EXISTS seen",
                "column app.seen.id, materialized view app.seen",
            ),
            (Dialect::Postgres, "DROP VIEW IF EXISTS plain", "view app.plain"),
            (Dialect::Postgres, "DROP TRIGGER IF EXISTS t ON other", ""),
            (Dialect::Postgres, "DROP TRIGGER IF EXISTS t ON hot", "trigger app.hot.t"),
            (
                Dialect::Postgres,
                "ALTER TABLE IF EXISTS ONLY app.hot ADD x int, DROP COLUMN IF EXISTS id, DROP y",
                "column app.hot.id",
            ),
            (Dialect::MySql, "ALTER TABLE other DROP IF EXISTS Hot", "column app.other.hot"),
            (Dialect::MySql, "DROP TABLE IF EXISTS elsewhere.hot", ""),
            (Dialect::Sqlite, "DROP INDEX IF EXISTS main.by_id", "index app.hot.by_id"),
        ] {
            let taken = taken_if_there(dialect, statement);
            let is_one = |key: &&Key| taken.iter().any(|one| one.is(key));
            let mut told: Vec<String> =
                schema.objects.keys().filter(is_one).map(ToString::to_string).collect();
            told.sort();
            assert_eq!(told.join(", "), objects, "{statement}");
        }
        let taken = taken_if_there(Dialect::Postgres, "DROP SCHEMA IF EXISTS app CASCADE");
        assert!(schema.objects.keys().all(|key| taken[0].is(key)));
    }
}
