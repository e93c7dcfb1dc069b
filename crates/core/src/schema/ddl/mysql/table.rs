//! Tables of MySQL and MariaDB: columns, indexes, constraints and options. Pure.

use super::super::{Product, property};
use super::partitions;
use super::text::{expression, identifier, index_columns, string};
use super::{Unwritable, is_set, parts_of};
use crate::schema::{Key, Properties, Schema};

/// All of a table but its triggers.
pub(super) fn create(
    schema: &Schema,
    product: Product,
    key: &Key,
    table: &Properties,
) -> Result<String, Unwritable> {
    let mut lines = Vec::new();
    for (key, column) in columns(schema, &key.name) {
        lines.push(self::column(product, table, key, column)?);
    }
    lines.extend(period(schema, &key.name));
    for kind in ["primary key", "unique", "index", "check", "foreign key"] {
        for (key, properties) in parts_of(schema, &key.name, kind) {
            lines.push(constraint(product, table, key, properties)?);
        }
    }
    let mut text = format!("CREATE TABLE {} (\n  {}\n)", identifier(&key.name), lines.join(",\n  "));
    let partitions = partitions::clause(schema, product, key, table)?;
    for part in [options(product, table)?, partitions] {
        if !part.is_empty() {
            text.push_str(if part.starts_with("PARTITION") { "\n" } else { " " });
            text.push_str(&part);
        }
    }
    Ok(text)
}

/// Its columns in their order: each names the one before it.
fn columns<'s>(schema: &'s Schema, table: &str) -> Vec<(&'s Key, &'s Properties)> {
    let mut rest: Vec<_> = parts_of(schema, table, "column").collect();
    let mut all: Vec<(&Key, &Properties)> = Vec::with_capacity(rest.len());
    while !rest.is_empty() {
        let before = all.last().map(|(key, _)| key.name.as_str());
        let next = rest.iter().position(|(_, column)| property(column, "after") == before);
        all.push(rest.swap_remove(next.unwrap_or(0)));
    }
    all
}

/// A column's line.
pub(super) fn column(
    product: Product,
    table: &Properties,
    key: &Key,
    column: &Properties,
) -> Result<String, Unwritable> {
    let kind = property(column, "type").ok_or("its type is not known")?;
    let mut text = format!("{} {kind}", identifier(&key.name));
    if let Some(collation) = property(column, "collation")
        && property(table, "collation") != Some(collation)
    {
        text.push_str(&format!(" COLLATE {collation}"));
    }
    let generated = property(column, "generated");
    match generated {
        Some(row @ ("ROW START" | "ROW END")) => text.push_str(&format!(" GENERATED ALWAYS AS {row}")),
        Some(generated) => {
            let how = if is_set(column, "stored") { "STORED" } else { "VIRTUAL" };
            text.push_str(&format!(" GENERATED ALWAYS AS ({}) {how}", expression(product, generated)));
        }
        None => {}
    }
    match is_set(column, "not null") {
        true if product == Product::MySql || generated.is_none() => text.push_str(" NOT NULL"),
        // Where a server's settings say so, one is not null that does not say this.
        false if generated.is_none() && kind.starts_with("timestamp") => text.push_str(" NULL"),
        _ => {}
    }
    if let Some(srid) = property(column, "srid") {
        text.push_str(&format!(" SRID {srid}"));
    }
    if let Some(default) = property(column, "default") {
        text.push_str(&format!(" DEFAULT {}", self::default(product, kind, default)));
    }
    if let Some(on_update) = property(column, "on update") {
        text.push_str(&format!(" ON UPDATE {on_update}"));
    }
    if is_set(column, "auto increment") {
        text.push_str(" AUTO_INCREMENT");
    }
    match property(column, "extra") {
        None => {}
        Some("without system versioning") => text.push_str(" WITHOUT SYSTEM VERSIONING"),
        Some(_) => return Err("it has an attribute that nothing is known of"),
    }
    if is_set(column, "invisible") {
        text.push_str(" INVISIBLE");
    }
    if let Some(comment) = property(column, "comment") {
        text.push_str(&format!(" COMMENT {}", string(comment)));
    }
    if let Some(check) = property(column, "check") {
        text.push_str(&format!(" CHECK ({check})"));
    }
    Ok(text)
}

/// MySQL tells a literal in quotes, with nothing escaped, and of bits and bytes the number. MariaDB tells what was written.
fn default(product: Product, kind: &str, default: &str) -> String {
    let is_written_out = ["bit", "binary", "varbinary"].iter().any(|bytes| kind.starts_with(bytes));
    let is_number = default.starts_with("0x") || default.starts_with("b'");
    match () {
        () if product == Product::MariaDb || default.starts_with("CURRENT_TIMESTAMP") => default.to_owned(),
        () if is_written_out && is_number => default.to_owned(),
        () if default.starts_with('\'') => default.replace('\\', "\\\\"),
        () => format!("({})", expression(product, default)),
    }
}

/// The columns between which a row was in force.
fn period(schema: &Schema, table: &str) -> Option<String> {
    let named = |row| {
        let mut columns = parts_of(schema, table, "column");
        columns
            .find(|(_, column)| property(column, "generated") == Some(row))
            .map(|(key, _)| identifier(&key.name))
    };
    Some(format!("PERIOD FOR SYSTEM_TIME ({}, {})", named("ROW START")?, named("ROW END")?))
}

/// The line of an index, a check or a foreign key.
pub(super) fn constraint(
    product: Product,
    table: &Properties,
    key: &Key,
    properties: &Properties,
) -> Result<String, Unwritable> {
    let name = identifier(&key.name);
    match key.kind.as_str() {
        "check" => {
            let clause = property(properties, "clause").ok_or("its condition is not known")?;
            let enforced = if is_set(properties, "not enforced") { " NOT ENFORCED" } else { "" };
            Ok(format!("CONSTRAINT {name} CHECK ({}){enforced}", expression(product, clause)))
        }
        "foreign key" => foreign_key(product, &name, properties),
        _ => index(product, table, key, properties),
    }
}

fn foreign_key(product: Product, name: &str, properties: &Properties) -> Result<String, Unwritable> {
    let (Some(columns), Some(references)) =
        (property(properties, "columns"), property(properties, "references"))
    else {
        return Err("its columns are not known");
    };
    let mut text = format!("CONSTRAINT {name} FOREIGN KEY ({columns}) REFERENCES {references}");
    let usual = if product == Product::MariaDb { "RESTRICT" } else { "NO ACTION" };
    for (property_name, word) in [("match", "MATCH"), ("on delete", "ON DELETE"), ("on update", "ON UPDATE")]
    {
        let value = property(properties, property_name).filter(|value| *value != usual);
        text.extend(value.into_iter().flat_map(|value| [" ", word, " ", value]));
    }
    Ok(text)
}

fn index(
    product: Product,
    table: &Properties,
    key: &Key,
    properties: &Properties,
) -> Result<String, Unwritable> {
    let columns = property(properties, "columns").ok_or("its columns are not known")?;
    let method = property(properties, "method");
    let mut text = match (key.kind.as_str(), method) {
        ("primary key", _) => "PRIMARY KEY".to_owned(),
        ("unique", _) => format!("UNIQUE KEY {}", identifier(&key.name)),
        (_, Some(method @ ("FULLTEXT" | "SPATIAL"))) => format!("{method} KEY {}", identifier(&key.name)),
        _ => format!("KEY {}", identifier(&key.name)),
    };
    text.push_str(&format!(" ({})", index_columns(product, columns)));
    // What is usual elsewhere is not with this engine.
    let of_memory = property(table, "engine").filter(|engine| *engine == "MEMORY").map(|_| "BTREE");
    if let Some(method) = method.or(of_memory).filter(|method| !["FULLTEXT", "SPATIAL"].contains(method)) {
        text.push_str(&format!(" USING {method}"));
    }
    if let Some(comment) = property(properties, "comment") {
        text.push_str(&format!(" COMMENT {}", string(comment)));
    }
    let marks = [("invisible", " INVISIBLE"), ("ignored", " IGNORED")];
    text.extend(marks.into_iter().filter(|(name, _)| is_set(properties, name)).map(|(_, word)| word));
    Ok(text)
}

/// What MariaDB takes without quotes. All others are an engine's own.
const OF_ANY_ENGINE: [&str; 15] = [
    "avg_row_length",
    "checksum",
    "delay_key_write",
    "insert_method",
    "key_block_size",
    "max_rows",
    "min_rows",
    "pack_keys",
    "page_checksum",
    "row_format",
    "stats_auto_recalc",
    "stats_persistent",
    "stats_sample_pages",
    "table_checksum",
    "transactional",
];

/// What stands behind a table's columns.
pub(super) fn options(product: Product, table: &Properties) -> Result<String, Unwritable> {
    let mut all = Vec::new();
    all.extend(property(table, "engine").map(|engine| format!("ENGINE = {engine}")));
    all.extend(property(table, "collation").map(|collation| format!("COLLATE = {collation}")));
    for option in
        property(table, "options").unwrap_or_default().split(' ').filter(|option| !option.is_empty())
    {
        let (name, value) = option.split_once('=').unwrap_or((option, ""));
        let plain = value.trim_matches('"');
        match product {
            // It tells whether something is loaded, and takes no such option.
            _ if name == "secondary_load" => {}
            Product::MariaDb if !OF_ANY_ENGINE.contains(&name) => {
                let is_clear = ["yes", "no", "on", "off"].contains(&value)
                    || value.bytes().all(|letter| letter.is_ascii_digit());
                if !is_clear {
                    return Err("whether letters of an option of it are large or small is not known");
                }
                all.push(format!("{} = {}", identifier(name), string(value)));
            }
            _ if plain != value => all.push(format!("{} = {}", name.to_uppercase(), string(plain))),
            _ => all.push(format!("{} = {}", name.to_uppercase(), value.to_uppercase())),
        }
    }
    all.extend(property(table, "comment").map(|comment| format!("COMMENT = {}", string(comment))));
    all.extend(is_set(table, "system versioned").then(|| "WITH SYSTEM VERSIONING".to_owned()));
    Ok(all.join(" "))
}
