//! The DDL of MySQL and MariaDB: the statements in their order, and the settings of the session that each is given under.

mod code;
mod partitions;
mod table;
mod text;

use super::{DdlError, Made, Product, property};
use crate::schema::{DEFAULT_GRANT, GRANT, Key, Properties, Schema};
use std::collections::BTreeSet;
use std::ops::Bound;
use text::{character_set, identifier, string};

/// Why there is no statement.
type Unwritable = &'static str;

/// The kinds of what has a text of its own, each behind what it may name. Views are put in an order of theirs.
const CODE: [&str; 8] =
    ["library", "package", "package body", "function", "procedure", "view", "trigger", "event"];

/// What is part of a table, and made with it.
const PARTS: [&str; 8] =
    ["column", "primary key", "unique", "index", "check", "foreign key", "partition", "subpartition"];

/// What holds for tables: a server must not take another engine than it is told.
const MODE: &str = "NO_ENGINE_SUBSTITUTION";

/// In which defaults are told.
const ZONE: &str = "+00:00";

/// All statements.
pub(super) fn made(schema: &Schema, product: Product) -> Result<Vec<Made>, DdlError> {
    let is_known = |key: &Key| {
        let kind = key.kind.as_str();
        CODE.contains(&kind)
            || PARTS.contains(&kind)
            || [GRANT, DEFAULT_GRANT, "database", "table", "sequence"].contains(&kind)
    };
    if let Some(key) = schema.objects.keys().find(|key| !is_known(key)) {
        return Err(DdlError::Unwritable(key.clone(), "nothing is known of such a kind"));
    }
    // It took what strings mean for what was written.
    if schema.origin.starts_with("1 ") && schema.objects.keys().any(|key| CODE.contains(&key.kind.as_str())) {
        return Err(DdlError::Product(schema.origin.clone()));
    }
    let mut writing = Writing { made: Vec::new(), settings: Settings::of_tables(schema) };
    writing.head(schema, product);
    for (key, database) in parts_of(schema, "", "database") {
        writing.made.push(Made::new(key, self::database(database)));
    }
    for kind in ["sequence", "table"] {
        for (key, properties) in parts_of(schema, "", kind) {
            let created = if kind == "table" {
                table::create(schema, product, key, properties)
            } else {
                code::create(product, key, properties)
            };
            writing.put(key, created)?;
            if parts_of_table(schema, &key.name).any(|(_, part)| is_set(part, "disabled")) && kind == "table"
            {
                writing.put(key, Ok(format!("ALTER TABLE {} DISABLE KEYS", identifier(&key.name))))?;
            }
        }
    }
    for kind in CODE {
        let all = match kind {
            "view" => code::views(schema),
            "trigger" => triggers(schema),
            kind => parts_of(schema, "", kind).collect(),
        };
        for (key, properties) in all {
            writing.code(product, key, properties)?;
        }
    }
    writing.tail(schema);
    Ok(writing.made)
}

/// What is written of an object.
pub(super) fn fragment(
    schema: &Schema,
    product: Product,
    key: &Key,
    properties: &Properties,
    whole: bool,
) -> Option<String> {
    let of = Key { table: String::new(), kind: "table".to_owned(), name: key.table.clone(), ..key.clone() };
    let none = Properties::new();
    let table = schema.objects.get(&of).unwrap_or(&none);
    let text = match key.kind.as_str() {
        "database" => Ok(database(properties)),
        "table" if whole => table::create(schema, product, key, properties),
        "table" => table::options(product, properties)
            .map(|options| format!("CREATE TABLE {} {options}", identifier(&key.name))),
        "column" => table::column(product, table, key, properties),
        "primary key" | "unique" | "index" | "check" | "foreign key" => {
            table::constraint(product, table, key, properties)
        }
        "partition" => partitions::partition(
            product,
            property(table, "partitioned by").unwrap_or_default(),
            key,
            properties,
        ),
        "subpartition" => Ok(partitions::subpartition(key, properties)),
        _ => code::create(product, key, properties),
    };
    text.ok()
}

/// The objects of a kind that are part of a table, or stand by themselves.
fn parts_of<'s>(
    schema: &'s Schema,
    table: &str,
    kind: &str,
) -> impl Iterator<Item = (&'s Key, &'s Properties)> + use<'s> {
    let first = Key { table: table.to_owned(), kind: kind.to_owned(), ..Key::default() };
    let range = (Bound::Included(first.clone()), Bound::Unbounded);
    schema.objects.range(range).take_while(move |(key, _)| key.table == first.table && key.kind == first.kind)
}

fn parts_of_table<'s>(
    schema: &'s Schema,
    table: &str,
) -> impl Iterator<Item = (&'s Key, &'s Properties)> + use<'s> {
    let first = Key { table: table.to_owned(), ..Key::default() };
    let range = (Bound::Included(first.clone()), Bound::Unbounded);
    schema.objects.range(range).take_while(move |(key, _)| key.table == first.table)
}

fn is_set(properties: &Properties, name: &str) -> bool {
    properties.contains_key(name)
}

/// In the order in which those of the same moment fire: that in which they are made.
fn triggers(schema: &Schema) -> Vec<(&Key, &Properties)> {
    let mut all: Vec<_> = schema.objects.iter().filter(|(key, _)| key.kind == "trigger").collect();
    let order = |trigger: &Properties| {
        property(trigger, "order").and_then(|order| order.parse().ok()).unwrap_or(1_u32)
    };
    all.sort_by(|(a, one), (b, other)| (&a.table, order(one)).cmp(&(&b.table, order(other))));
    all
}

fn database(properties: &Properties) -> String {
    let mut text = "ALTER DATABASE".to_owned();
    text.extend(property(properties, "collation").map(|collation| format!(" COLLATE = {collation}")));
    text.push_str(if is_set(properties, "encrypted") { " ENCRYPTION = 'Y'" } else { "" });
    text.extend(property(properties, "comment").map(|comment| format!(" COMMENT = {}", string(comment))));
    text
}

/// What statements are told to mean by their session, and by the database.
#[derive(Clone, PartialEq, Eq)]
struct Settings {
    mode: String,
    letters: String,
    collation: Option<String>,
    zone: String,
    /// Of what is made in the database from now on.
    database: Option<String>,
}

impl Settings {
    fn of_tables(schema: &Schema) -> Self {
        let mut databases = parts_of(schema, "", "database");
        Self {
            mode: MODE.to_owned(),
            letters: "utf8mb4".to_owned(),
            collation: None,
            zone: ZONE.to_owned(),
            database: databases.find_map(|(_, database)| property(database, "collation")).map(str::to_owned),
        }
    }
}

struct Writing {
    made: Vec<Made>,
    /// As they are behind the last statement.
    settings: Settings,
}

impl Writing {
    fn put(&mut self, key: &Key, sql: Result<String, Unwritable>) -> Result<(), DdlError> {
        let sql = sql.map_err(|why| DdlError::Unwritable(key.clone(), why))?;
        self.made.push(Made::new(key, sql));
        Ok(())
    }

    fn set(&mut self, settings: &[String]) {
        if !settings.is_empty() {
            self.made.push(Made::session(&format!("SET {}", settings.join(", "))));
        }
    }

    fn head(&mut self, schema: &Schema, product: Product) {
        self.set(&["NAMES utf8mb4".to_owned()]);
        let mut settings = vec![format!("sql_mode = '{MODE}'"), format!("time_zone = '{ZONE}'")];
        if has(schema, "foreign key") {
            settings.push("foreign_key_checks = 0".to_owned());
        }
        if product == Product::MySql && refers_to_no_key(schema) {
            settings.push("restrict_fk_on_non_standard_key = 0".to_owned());
        }
        self.set(&settings);
    }

    /// A session that goes on should not be another than it was.
    fn tail(&mut self, schema: &Schema) {
        self.settle(Settings::of_tables(schema));
        let mut settings = vec!["sql_mode = DEFAULT".to_owned(), "time_zone = DEFAULT".to_owned()];
        let head = self
            .made
            .iter()
            .find(|made| made.sql.contains("foreign_key_checks"))
            .map(|made| made.sql.clone());
        let head = head.unwrap_or_default();
        for setting in ["foreign_key_checks", "restrict_fk_on_non_standard_key"] {
            settings.extend(head.contains(setting).then(|| format!("{setting} = DEFAULT")));
        }
        self.set(&settings);
    }

    fn code(&mut self, product: Product, key: &Key, properties: &Properties) -> Result<(), DdlError> {
        let unwritable = |why| DdlError::Unwritable(key.clone(), why);
        let sql = code::create(product, key, properties).map_err(unwritable)?;
        let mut settings = self.settings.clone();
        if ["view", "library"].contains(&key.kind.as_str()) {
            settings.mode = MODE.to_owned();
        } else {
            settings.mode = property(properties, "sql mode").unwrap_or_default().to_owned();
        }
        let mut letters = property(properties, "letters").unwrap_or_default().split(", ");
        if let (Some(client), Some(collation)) =
            (letters.next().filter(|set| !set.is_empty()), letters.next())
        {
            if !client.starts_with("utf8") && !sql.is_ascii() {
                return Err(unwritable(
                    "its text came in letters of another character set, and means what it does in that",
                ));
            }
            (settings.letters, settings.collation) = (client.to_owned(), Some(collation.to_owned()));
        } else if !sql.is_ascii() && !settings.letters.starts_with("utf8") {
            settings.letters = "utf8mb4".to_owned();
        }
        settings.database = letters.next().map(str::to_owned).or(settings.database);
        settings.zone = property(properties, "time zone").unwrap_or(&settings.zone).to_owned();
        self.settle(settings);
        self.put(key, Ok(sql))
    }

    /// Tells of what is to be another than it is.
    fn settle(&mut self, wanted: Settings) {
        let mut settings = Vec::new();
        if wanted.letters != self.settings.letters || wanted.collation != self.settings.collation {
            settings.push(match &wanted.collation {
                Some(collation) => {
                    format!("character_set_client = {}, collation_connection = {collation}", wanted.letters)
                }
                None => format!("NAMES {}", wanted.letters),
            });
        }
        if wanted.mode != self.settings.mode {
            settings.push(format!("sql_mode = '{}'", wanted.mode));
        }
        if wanted.zone != self.settings.zone {
            settings.push(format!("time_zone = {}", string(&wanted.zone)));
        }
        self.set(&settings);
        if let Some(collation) =
            wanted.database.as_ref().filter(|_| wanted.database != self.settings.database)
        {
            let (set, collation) = (character_set(collation), collation.as_str());
            self.made
                .push(Made::session(&format!("ALTER DATABASE CHARACTER SET = {set} COLLATE = {collation}")));
        }
        self.settings = wanted;
    }
}

fn has(schema: &Schema, kind: &str) -> bool {
    schema.objects.keys().any(|key| key.kind == kind)
}

/// Whether a foreign key refers to columns of which no key consists.
fn refers_to_no_key(schema: &Schema) -> bool {
    let of_kinds = |kinds: &'static [&'static str]| {
        schema.objects.iter().filter(|(key, _)| kinds.contains(&key.kind.as_str()))
    };
    let keys: BTreeSet<String> = of_kinds(&["primary key", "unique"])
        .filter_map(|(key, index)| {
            Some(format!("{} ({})", identifier(&key.table), property(index, "columns")?))
        })
        .collect();
    let mut targets = of_kinds(&["foreign key"]).filter_map(|(_, foreign)| property(foreign, "references"));
    targets.any(|target| !keys.contains(target))
}
