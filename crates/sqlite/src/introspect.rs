//! Introspection: what a database holds, as a [`Schema`], in as many queries as there are kinds of objects.
//!
//! What is kept are the definitions alone: all else follows from them, and is found out where it is to be told.

use crate::error::{is_missing_table, refused};
use crate::history::{HistoryTable, NOW};
use rusqlite::{Connection, Row, params};
use std::collections::{BTreeSet, HashMap};
use windlass_core::driver::DriverError;
use windlass_core::history::{ACCEPTED, COLUMNS, applied_since_kept, signed};
use windlass_core::schema::{
    Fingerprint, Fingerprints, INTROSPECTION, Kept, Key, Look, Properties, Schema, TextError, fingerprint,
    stands_for,
};
use windlass_core::sql::{Dialect, lexer};

/// The schema as it is.
pub(crate) fn read(connection: &Connection, table: &HistoryTable) -> Result<Schema, DriverError> {
    let introspect = || {
        let said = said(connection, table)?;
        let mut schema = said.definitions(None).guarded();
        schema.objects.append(&mut columns_of(connection, said.tables())?.objects);
        Ok(schema)
    };
    crate::at_one_moment(connection, || introspect().map_err(|error: rusqlite::Error| refused(&error)))
}

/// Whether the schema is as it was kept last.
pub(crate) fn look(connection: &Connection, table: &HistoryTable) -> Result<Look, DriverError> {
    crate::at_one_moment(connection, || {
        let Some(head) = kept(connection, table, HEAD)? else { return Ok(Look::NeverKept) };
        let said = said(connection, table).map_err(|error| refused(&error))?;
        let now = said.fingerprints();
        if fingerprint(&head.text) == Some(now.whole()) && !head.is_stale {
            return Ok(Look::Same);
        }
        let Some(kept) = kept(connection, table, "snapshot")? else { return Ok(Look::NeverKept) };
        let both = |only: Option<&BTreeSet<String>>| {
            Ok((Schema::parse_parts(&kept.text, only)?, said.definitions(only).guarded()))
        };
        // How a view names a table's columns is told by the table, wherever that stands.
        let needs_others = |(before, now): &(Schema, Schema)| {
            let differs = |(key, _): &(&Key, _)| before.objects.get(*key) != now.objects.get(*key);
            let mut all = before.objects.iter().chain(&now.objects).filter(differs);
            all.any(|(key, _)| !is_table(key) && key.kind != "index")
        };
        let parts = now.unlike(&kept.text, &origin());
        let found: Result<_, TextError> = both(parts.as_ref()).and_then(|found| {
            Ok(match parts {
                Some(_) if needs_others(&found) => (both(None)?, None),
                parts => (found, parts),
            })
        });
        let ((mut schema, mut live), only) = match found {
            Ok(found) => found,
            Err(error) => return Ok(Look::Unknown(error.to_string())),
        };
        if schema == live && !kept.is_stale {
            return Ok(Look::Same);
        }
        complete(&mut schema, &mut live, connection).map_err(|error| refused(&error))?;
        let Found { id, migration, at, accepted, .. } = kept;
        let kept = Box::new(Kept { id, migration, at, accepted, schema });
        Ok(Look::Differs { kept, live, unseen: None, only })
    })
}

/// Writes the schema down with the newest row, in place of what was kept before.
pub(crate) fn keep(
    connection: &Connection,
    table: &HistoryTable,
    accepted: Option<&str>,
) -> Result<(), rusqlite::Error> {
    let said = said(connection, table)?;
    let text = said.definitions(None).guarded().to_text_with(&said.fingerprints());
    // Not with an attempt that goes on: what it runs later would count as seen.
    let history = table.quoted();
    let newest = format!(
        "(SELECT coalesce(max(CASE WHEN finished_at IS NOT NULL THEN id END), max(id)) FROM {history})"
    );
    let before =
        format!("UPDATE {history} SET snapshot = NULL WHERE snapshot IS NOT NULL AND id <> {newest}");
    connection.execute(&before, [])?;
    let [told, end] = signed(&format!("{ACCEPTED}{}", accepted.unwrap_or_default()), None);
    let now = format!(
        "UPDATE {history} SET snapshot = ?1, snapshot_at = {NOW}, accepted = ?2, \
                 resolution = CASE WHEN ?2 IS NULL THEN resolution ELSE coalesce(resolution || '; ', '') || ?3 || substr({NOW}, 1, 19) || '{end}' END \
                 WHERE id = {newest}"
    );
    connection.execute(&now, params![text, accepted, told]).map(drop)
}

struct Found {
    id: i64,
    migration: String,
    at: String,
    accepted: Option<String>,
    text: String,
    /// Whether migrations were applied since.
    is_stale: bool,
}

/// The first line of what was kept.
const HEAD: &str = "substr(snapshot, 1, instr(snapshot || char(10), char(10)) - 1)";

/// What was kept, with this of its text.
fn kept(connection: &Connection, table: &HistoryTable, text: &str) -> Result<Option<Found>, DriverError> {
    let history = table.quoted();
    let query = format!(
        "SELECT id, name, snapshot_at, accepted, {text}, \
         {} FROM {history} AS h WHERE snapshot IS NOT NULL ORDER BY id DESC LIMIT 1",
        applied_since_kept(history),
    );
    let found = connection.query_row(&query, [], |row| {
        let (id, migration, at) = (row.get(0)?, row.get(1)?, row.get::<_, Option<String>>(2)?);
        let at = at.unwrap_or_default();
        Ok(Found { id, migration, at, accepted: row.get(3)?, text: row.get(4)?, is_stale: row.get(5)? })
    });
    match found {
        Ok(found) => Ok(Some(found)),
        Err(rusqlite::Error::QueryReturnedNoRows) => Ok(None),
        Err(error) if is_missing_table(&error) => Ok(None),
        Err(error) => Err(refused(&error)),
    }
}

/// What a user made: not what SQLite keeps for itself, not a history, not the shadow tables of virtual ones. Those are
/// looked for only where a virtual table stands, and the columns of a table only where its text has the longest name of a
/// history's.
const OURS: &str = "m.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND m.tbl_name <> ?1 COLLATE NOCASE \
                    AND m.tbl_name NOT IN (SELECT l.name FROM pragma_table_list AS l \
                    WHERE l.schema = 'main' AND l.type = 'shadow' \
                    AND EXISTS (SELECT 1 FROM main.sqlite_schema AS v WHERE v.sql LIKE 'CREATE VIRTUAL%')) \
                    AND m.tbl_name NOT IN (SELECT h.name FROM main.sqlite_schema AS h WHERE h.type = 'table' \
                    AND instr(h.sql, ?4) > 0 AND ?2 = (SELECT count(*) FROM pragma_table_info(h.name, 'main') AS c \
                    WHERE instr(?3, ',' || c.name || ',') > 0))";

/// Who looks.
fn origin() -> String {
    format!("{INTROSPECTION} SQLite 3")
}

/// What SQLite says of each object: its kind, its name, what it is part of, its definition.
struct Said(Vec<[Option<String>; 4]>);

fn said(connection: &Connection, table: &HistoryTable) -> Result<Said, rusqlite::Error> {
    let query = format!("SELECT m.type, m.name, m.tbl_name, m.sql FROM main.sqlite_schema AS m WHERE {OURS}");
    let mut statement = connection.prepare(&query)?;
    let names = format!(",{},", COLUMNS.join(","));
    let longest = COLUMNS.into_iter().max_by_key(|name| name.len());
    let rows = statement
        .query_map((table.name(), COLUMNS.len() as i64, &names, longest), |row| {
            Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?])
        })?
        .collect::<Result<_, _>>()?;
    Ok(Said(rows))
}

impl Said {
    fn fingerprints(&self) -> Fingerprints {
        let begun = Fingerprint::new(&origin());
        let mut parts: HashMap<&str, Fingerprint> = HashMap::new();
        for row in &self.0 {
            let part = parts.entry(part(row)).or_insert_with(|| begun.clone());
            part.add(row.iter().map(Option::as_deref));
        }
        Fingerprints::new(&begun, parts)
    }

    /// The names of the tables, sorted.
    fn tables(&self) -> BTreeSet<&String> {
        let tables = self.0.iter().filter(|[kind, ..]| kind.as_deref() == Some("table"));
        tables.filter_map(|[_, name, ..]| name.as_ref()).collect()
    }

    /// The objects and their definitions, of all parts or of these.
    fn definitions(&self, only: Option<&BTreeSet<String>>) -> Schema {
        let rows = self.0.iter().filter(|row| only.is_none_or(|parts| parts.contains(part(row))));
        let objects = rows.map(|row| {
            let [kind, name, of, sql] = row.each_ref().map(|value| value.as_deref().unwrap_or_default());
            let sql = normal(sql);
            let kind = if is_virtual(&sql) { "virtual table" } else { kind };
            let of = if of == name { "" } else { of };
            let definition = Properties::from([(DEFINITION.to_owned(), sql)]);
            (key(kind, of.to_owned(), name.to_owned()), definition)
        });
        Schema { origin: origin(), objects: objects.collect() }
    }
}

/// What the object of a row is part of, as [`Key::part`] tells it.
fn part([_, name, of, _]: &[Option<String>; 4]) -> &str {
    of.as_deref().or(name.as_deref()).unwrap_or_default()
}

/// What is asked of a column: its name and its properties.
const OF_COLUMN: &str = "c.name, c.type, c.\"notnull\", c.dflt_value, c.pk, c.hidden";

/// The columns of these tables, which follow from their definitions.
fn columns_of<'n>(
    connection: &Connection,
    tables: impl IntoIterator<Item = &'n String>,
) -> Result<Schema, rusqlite::Error> {
    let mut of_one =
        connection.prepare(&format!("SELECT {OF_COLUMN} FROM pragma_table_xinfo(?1, 'main') AS c"))?;
    let mut objects = Vec::new();
    for table in tables {
        let begin = objects.len();
        for found in of_one.query_map([table], |row| column(row, table.clone()))? {
            objects.push(found?);
        }
        // All of them are sorted in the end: few at once, of which only the names differ, are in a fraction of the time.
        objects[begin..].sort_by(|(one, _), (other, _)| one.name.cmp(&other.name));
    }
    Ok(Schema { origin: origin(), objects: objects.into_iter().collect() }.guarded())
}

fn column(row: &Row<'_>, of: String) -> Result<(Key, Properties), rusqlite::Error> {
    let mut properties = Properties::new();
    let mut set = |name: &str, value: Option<String>| {
        properties.extend(value.map(|value| (name.to_owned(), value)));
    };
    let yes = |is: bool| is.then(|| "yes".to_owned());
    set("type", Some(row.get::<_, String>(1)?).filter(|kind| !kind.is_empty()));
    set("not null", yes(row.get(2)?));
    set("default", row.get(3)?);
    set("primary key", Some(row.get::<_, i64>(4)?).filter(|at| *at > 0).map(|at| at.to_string()));
    set("hidden", yes(row.get::<_, i64>(5)? == 1));
    set("generated", yes(row.get::<_, i64>(5)? > 1));
    Ok((key(COLUMN, of, row.get(0)?), properties))
}

/// Puts the columns to the tables whose definitions differ: those that were kept without are made in a database of their
/// own. Where that cannot be (a function or a module that only the application has, a text that may hold a secret), the
/// columns are told of neither. Those of all other tables are the same, and stand in neither.
fn complete(kept: &mut Schema, live: &mut Schema, connection: &Connection) -> Result<(), rusqlite::Error> {
    let others = |schema: &Schema, than: &Schema| -> BTreeSet<String> {
        let tables = schema.objects.iter().filter(|(key, _)| is_table(key));
        let others = tables.filter(|(key, properties)| than.objects.get(*key) != Some(*properties));
        others.map(|(key, _)| key.name.clone()).collect()
    };
    let (before, mut now) = (others(kept, live), others(live, kept));
    kept.objects.retain(|key, _| key.kind != COLUMN || before.contains(&key.table));
    let of_columns = kept.objects.keys().filter(|key| key.kind == COLUMN);
    let told: BTreeSet<String> = of_columns.map(|key| key.table.clone()).collect();
    let elsewhere = Connection::open_in_memory()?;
    let mut made = Vec::new();
    for name in before.difference(&told) {
        let definition = |kind: &str| kept.objects.get(&key(kind, String::new(), name.clone()));
        let definition = definition("table").or_else(|| definition("virtual table"));
        let definition =
            definition.and_then(|properties| properties.get(DEFINITION)).map_or("", String::as_str);
        // Nothing but a table is made here, whatever was written into the history.
        let is_made = begins_with(definition, "CREATE TABLE ")
            && elsewhere.prepare(definition).and_then(|mut make| make.execute([])).is_ok();
        match is_made {
            true => made.push(name),
            false => now.retain(|now| !now.eq_ignore_ascii_case(name)),
        }
    }
    live.objects.append(&mut columns_of(connection, &now)?.objects);
    kept.objects.append(&mut columns_of(&elsewhere, made)?.objects);
    as_written(kept, live);
    Ok(())
}

/// In a definition that was kept, words and signs stand apart, and what may hold a secret is a digest: a type or a default that
/// is the same but for that is given as the live one has it.
fn as_written(kept: &mut Schema, live: &Schema) {
    for (key, properties) in kept.objects.iter_mut().filter(|(key, _)| key.kind == COLUMN) {
        let Some(now) = live.objects.get(key) else { continue };
        for (name, value) in properties {
            let is_same =
                |now: &String| normal(now) == normal(value) || stands_for(Dialect::Sqlite, value, now);
            let written = now.get(name).filter(|now| *now != value && is_same(now));
            if let Some(now) = written {
                value.clone_from(now);
            }
        }
    }
}

const DEFINITION: &str = "definition";
const COLUMN: &str = "column";

fn is_virtual(definition: &str) -> bool {
    begins_with(definition, "CREATE VIRTUAL ")
}

fn is_table(key: &Key) -> bool {
    matches!(&*key.kind, "table" | "virtual table")
}

fn begins_with(text: &str, words: &str) -> bool {
    text.get(..words.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(words))
}

fn key(kind: &str, table: String, name: String) -> Key {
    Key { schema: String::new(), table, kind: kind.to_owned(), name }
}

/// The text without what means nothing: comments, white space. `ALTER TABLE` leaves both as they were written.
fn normal(sql: &str) -> String {
    let tokens = lexer::tokens(Dialect::Sqlite, sql).filter(|token| token.kind.is_significant());
    let mut normal = String::with_capacity(sql.len());
    for token in tokens {
        if !normal.is_empty() {
            normal.push(' ');
        }
        normal.push_str(token.text);
    }
    normal
}
