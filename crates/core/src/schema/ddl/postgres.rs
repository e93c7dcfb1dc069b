//! PostgreSQL's DDL: the server's own definitions, and around them what the server tells part by part.

mod names;
mod order;
mod table;
mod types;

use super::{DdlError, Made, property};
use crate::schema::{Key, Properties, Schema};
use names::{literal, qualified, quoted};
use order::{Piece, Rank, in_order};
use std::borrow::Cow;

/// All statements. Materialized views are made without rows.
pub(super) fn made(schema: &Schema) -> Result<Vec<Made>, DdlError> {
    let mut pieces = Vec::with_capacity(schema.objects.len());
    for (key, properties) in &schema.objects {
        pieces.extend(Writer { schema, key, properties }.pieces()?);
    }
    // An empty database has one; who looked at one schema alone told of no extension.
    let is_of =
        |kind: &str, name: &str| schema.objects.keys().any(|key| key.kind == kind && key.name == name);
    if !is_of("schema", "public") && is_of("extension", "plpgsql") {
        let key = Key { kind: "schema".to_owned(), name: "public".to_owned(), ..Key::default() };
        pieces.push(Piece::new(Rank::Schema, &key, "DROP SCHEMA IF EXISTS public".to_owned()));
    }
    let mut made: Vec<Made> = session(schema).iter().map(|sql| Made::session(sql)).collect();
    made.extend(in_order(pieces).into_iter().map(|piece| Made { key: piece.key, sql: piece.sql }));
    Ok(made)
}

/// What the statements need of their session: all names in them are whole, but not those in the bodies of functions, which the
/// server reads where it can put them in place of a call.
fn session(schema: &Schema) -> Vec<String> {
    let schemas = schema.objects.keys().filter(|key| key.kind == "schema" && key.name != "public");
    let path: Vec<_> =
        std::iter::once("public".to_owned()).chain(schemas.map(|key| quoted(&key.name))).collect();
    let mut settings = vec![format!("SET search_path = {}", path.join(", "))];
    settings.extend(
        [
            "SET check_function_bodies = off",
            "SET standard_conforming_strings = on",
            "SET lc_monetary = 'C'",
            "SET default_tablespace = ''",
        ]
        .map(str::to_owned),
    );
    settings
}

/// What is written of an object, for reading.
pub(super) fn fragment(schema: &Schema, key: &Key, properties: &Properties, whole: bool) -> Option<String> {
    let writer = Writer { schema, key, properties };
    match &*key.kind {
        "column" => return Some(writer.column()),
        "primary key" | "unique" | "foreign key" | "check" | "exclusion" => return writer.constraint().ok(),
        "table" | "foreign table" if !whole => {
            let mut lines = vec![writer.table_around("…").ok()?];
            lines.extend(writer.table_settings().into_iter().chain(writer.comment()).map(|piece| piece.sql));
            return Some(lines.join(";\n"));
        }
        _ => {}
    }
    let mut pieces = writer.pieces().ok()?;
    if whole {
        let first = Key { schema: key.schema.clone(), table: key.name.clone(), ..Key::default() };
        let is_part =
            |part: &Key| key.table.is_empty() && part.schema == key.schema && part.table == key.name;
        for (key, properties) in schema.objects.range(first..).take_while(|(part, _)| is_part(part)) {
            pieces.extend(Writer { schema, key, properties }.pieces().ok()?);
        }
    }
    let sql: Vec<_> = in_order(pieces).into_iter().map(|piece| piece.sql).collect();
    (!sql.is_empty()).then(|| sql.join(";\n"))
}

/// Writes one object.
#[derive(Clone, Copy)]
struct Writer<'s> {
    schema: &'s Schema,
    key: &'s Key,
    properties: &'s Properties,
}

impl<'s> Writer<'s> {
    fn get(&self, name: &str) -> Option<&'s str> {
        property(self.properties, name)
    }

    fn is(&self, name: &str) -> bool {
        self.properties.contains_key(name)
    }

    fn needed(&self, name: &str) -> Result<&'s str, DdlError> {
        self.get(name).ok_or_else(|| self.unwritable("a part of it is not known"))
    }

    fn unwritable(&self, why: &'static str) -> DdlError {
        DdlError::Unwritable(self.key.clone(), why)
    }

    /// Its own name, whole.
    fn name(&self) -> String {
        qualified(&self.key.schema, &self.key.name)
    }

    /// That of the table it is part of.
    fn table(&self) -> String {
        qualified(&self.key.schema, &self.key.table)
    }

    fn piece(&self, rank: Rank, sql: String) -> Piece {
        Piece::new(rank, self.key, sql)
    }

    /// The statements that make it. What a table's makes is in the table's.
    fn pieces(&self) -> Result<Vec<Piece>, DdlError> {
        let mut pieces = match &*self.key.kind {
            "schema" => vec![
                self.piece(Rank::Schema, format!("CREATE SCHEMA IF NOT EXISTS {}", quoted(&self.key.name))),
            ],
            "extension" => vec![self.piece(Rank::Extension, self.extension())],
            "collation" => vec![self.piece(Rank::Collation, self.collation()?)],
            "enum" | "range" | "composite type" => vec![self.piece(Rank::Type, self.type_of_kind()?)],
            "domain" => self.domain()?,
            "function" | "procedure" => vec![self.piece(Rank::Function, self.definition()?)],
            "aggregate" => vec![self.piece(Rank::Aggregate, self.aggregate()?)],
            "cast" => self.cast()?.into_iter().collect(),
            "sequence" => self.sequence(),
            "table" => self.whole_table()?,
            "column" => self.column_settings(),
            "view" | "materialized view" => vec![self.piece(Rank::View, self.view()?)],
            "primary key" | "unique" | "check" | "exclusion" | "foreign key" => self.constraint_apart()?,
            "index" => self.index()?,
            "statistics" => self.statistics()?,
            "rule" | "trigger" => self.trigger()?,
            "policy" => vec![self.piece(Rank::Policy, self.policy()?)],
            "publication" => vec![self.piece(Rank::Publication, self.publication())],
            "event trigger" => self.event_trigger()?,
            "foreign server" | "foreign table" => {
                return Err(self.unwritable("the options of foreign servers are not looked at"));
            }
            crate::schema::HISTORY => return Err(self.unwritable("what it holds is another history's")),
            _ => return Err(self.unwritable("no statement is known for such a kind")),
        };
        pieces.extend(self.comment());
        Ok(pieces)
    }

    /// The server's own text of it.
    fn definition(&self) -> Result<String, DdlError> {
        Ok(self.needed("definition")?.trim().trim_end_matches(';').to_owned())
    }

    fn extension(&self) -> String {
        let schemas =
            |name: &str| self.schema.objects.keys().any(|key| key.kind == "schema" && key.name == name);
        let place = self.get("schema").filter(|name| *name == "pg_catalog" || schemas(name));
        let place = place.map_or(String::new(), |name| format!(" SCHEMA {}", quoted(name)));
        let version =
            self.get("version").map_or(String::new(), |version| format!(" VERSION {}", quoted(version)));
        format!("CREATE EXTENSION IF NOT EXISTS {} WITH{place}{version} CASCADE", quoted(&self.key.name))
    }

    fn view(&self) -> Result<String, DdlError> {
        let definition = self.definition()?;
        let options = self.options();
        let name = self.name();
        if self.key.kind == "view" {
            return Ok(format!("CREATE VIEW {name}{options} AS\n{definition}"));
        }
        let method =
            self.get("access method").map_or(String::new(), |method| format!(" USING {}", quoted(method)));
        Ok(format!(
            "CREATE MATERIALIZED VIEW {name}{method}{options}{} AS\n{definition}\nWITH NO DATA",
            self.tablespace()
        ))
    }

    /// `WITH (…)`.
    fn options(&self) -> String {
        let Some(options) = self.get("options") else { return String::new() };
        let each = options.split(", ").map(|option| match option.split_once('=') {
            Some((name, value)) => format!("{name} = {}", literal(value)),
            None => option.to_owned(),
        });
        format!(" WITH ({})", each.collect::<Vec<_>>().join(", "))
    }

    fn tablespace(&self) -> String {
        self.get("tablespace").map_or(String::new(), |name| format!(" TABLESPACE {}", quoted(name)))
    }

    fn index(&self) -> Result<Vec<Piece>, DdlError> {
        if self.is("invalid") {
            return Err(self.unwritable("no statement makes an index that is invalid"));
        }
        let mut pieces = vec![self.piece(Rank::Index, self.definition()?)];
        pieces.extend(self.index_settings());
        Ok(pieces)
    }

    /// What is set of an index, or of that of a constraint, in statements of its own.
    fn index_settings(&self) -> Vec<Piece> {
        let (index, table, name) = (self.name(), self.table(), quoted(&self.key.name));
        let mut settings = Vec::new();
        if self.is("options") {
            settings.push(format!("ALTER INDEX {index} SET{}", self.options().replacen(" WITH", "", 1)));
        }
        if self.is("tablespace") {
            settings.push(format!("ALTER INDEX {index} SET{}", self.tablespace()));
        }
        if self.is("clustered") {
            settings.push(format!("ALTER TABLE {table} CLUSTER ON {name}"));
        }
        if self.is("replica identity") {
            settings.push(format!("ALTER TABLE ONLY {table} REPLICA IDENTITY USING INDEX {name}"));
        }
        settings.into_iter().map(|sql| self.piece(Rank::Setting, sql)).collect()
    }

    fn trigger(&self) -> Result<Vec<Piece>, DdlError> {
        let (rank, what) = match &*self.key.kind {
            "rule" => (Rank::Rule, "RULE"),
            _ => (Rank::Trigger, "TRIGGER"),
        };
        let mut pieces = vec![self.piece(rank, self.definition()?)];
        let (table, name) = (self.table(), quoted(&self.key.name));
        pieces.extend(self.enabled().map(|enabled| {
            self.piece(Rank::Setting, format!("ALTER TABLE {table} {} {what} {name}", enabled))
        }));
        Ok(pieces)
    }

    fn statistics(&self) -> Result<Vec<Piece>, DdlError> {
        let mut pieces = vec![self.piece(Rank::Statistics, self.definition()?)];
        pieces.extend(self.get("target").map(|target| {
            self.piece(Rank::Setting, format!("ALTER STATISTICS {} SET STATISTICS {target}", self.name()))
        }));
        Ok(pieces)
    }

    fn enabled(&self) -> Option<&'static str> {
        Some(match self.get("enabled")? {
            "no" => "DISABLE",
            "always" => "ENABLE ALWAYS",
            _ => "ENABLE REPLICA",
        })
    }

    fn event_trigger(&self) -> Result<Vec<Piece>, DdlError> {
        let name = quoted(&self.key.name);
        let tags = self.get("tags").map_or(String::new(), |tags| {
            let tags: Vec<_> = tags.split(", ").map(literal).collect();
            format!(" WHEN TAG IN ({})", tags.join(", "))
        });
        let (event, function) = (self.needed("event")?, self.needed("function")?);
        let create = format!("CREATE EVENT TRIGGER {name} ON {event}{tags} EXECUTE FUNCTION {function}");
        let mut pieces = vec![self.piece(Rank::EventTrigger, create)];
        pieces.extend(self.enabled().map(|enabled| {
            self.piece(Rank::EventTriggerSetting, format!("ALTER EVENT TRIGGER {name} {enabled}"))
        }));
        Ok(pieces)
    }

    fn policy(&self) -> Result<String, DdlError> {
        let mut sql = format!("CREATE POLICY {} ON {}", quoted(&self.key.name), self.table());
        sql.push_str(if self.is("restrictive") { " AS RESTRICTIVE" } else { "" });
        sql.extend([" FOR ", &self.needed("command")?.to_uppercase()]);
        sql.extend(self.get("roles").into_iter().flat_map(|roles| [" TO ", roles]));
        sql.extend(self.get("using").into_iter().flat_map(|using| [" USING (", using, ")"]));
        sql.extend(self.get("with check").into_iter().flat_map(|check| [" WITH CHECK (", check, ")"]));
        Ok(sql)
    }

    fn publication(&self) -> String {
        let of = match (self.is("all tables"), self.get("tables")) {
            (true, _) => " FOR ALL TABLES".to_owned(),
            (false, Some(tables)) => format!(" FOR TABLE ONLY {}", tables.replace(", ", ", ONLY ")),
            (false, None) => String::new(),
        };
        let publishes = literal(self.get("publishes").unwrap_or_default());
        let root = if self.is("via root") { ", publish_via_partition_root = true" } else { "" };
        format!("CREATE PUBLICATION {}{of} WITH (publish = {publishes}{root})", quoted(&self.key.name))
    }

    fn comment(&self) -> Option<Piece> {
        let default = (self.key.kind == "schema" && self.key.name == "public").then_some("");
        let text = self.get("comment").or(default)?;
        let name = self.name();
        let of_table = || format!("{} ON {}", quoted(&self.key.name), self.table());
        let on: Cow<'_, str> = match &*self.key.kind {
            "schema" | "extension" => format!("{} {}", self.key.kind, quoted(&self.key.name)).into(),
            "enum" | "range" | "composite type" => format!("TYPE {name}").into(),
            "function" | "procedure" | "aggregate" => {
                format!("{} {}", self.key.kind, self.signature()).into()
            }
            "column" => format!("COLUMN {}.{}", self.table(), quoted(&self.key.name)).into(),
            "primary key" | "unique" | "check" | "exclusion" | "foreign key" => {
                format!("CONSTRAINT {}", of_table()).into()
            }
            "trigger" | "rule" | "policy" => format!("{} {}", self.key.kind, of_table()).into(),
            "event trigger" | "publication" => format!("{} {}", self.key.kind, quoted(&self.key.name)).into(),
            kind => format!("{kind} {name}").into(),
        };
        let (kind, rest) = on.split_at(on.find('"').unwrap_or(on.len()));
        let text = if text.is_empty() { "NULL".to_owned() } else { literal(text) };
        let rank = if self.key.kind == "event trigger" { Rank::EventTriggerSetting } else { Rank::Comment };
        Some(self.piece(rank, format!("COMMENT ON {}{rest} IS {text}", kind.to_uppercase())))
    }

    /// The name of a function, with its parameters.
    fn signature(&self) -> String {
        let (name, parameters) = self.key.name.rsplit_once('(').unwrap_or((&self.key.name, ")"));
        let parameters = if self.key.kind == "aggregate" && parameters == ")" { "*)" } else { parameters };
        format!("{}({parameters}", qualified(&self.key.schema, name))
    }
}
