//! The model: what the catalogs' rows say, as a schema. Pure.

use super::catalog::{Catalog, DEFAULTS, Part};
use super::cells::{Cells, Extra, by, index_column, literal, options, told, yes};
use super::rights::NOT_SHOWN;
use crate::history::identifier;
use crate::transport::Row;
use std::collections::{BTreeMap, BTreeSet};
use windlass_core::driver::Product;
use windlass_core::schema::{GRANT, Key, NOT_AS_WRITTEN, Properties, Schema};
use windlass_core::sql::{Dialect, lexer};

/// Whose schema is read.
#[derive(Clone, Copy)]
pub(super) struct Place<'d> {
    pub(super) database: &'d str,
    /// The history's table, which is no part of it.
    pub(super) history: &'d str,
    pub(super) is_mariadb: bool,
}

impl Place<'_> {
    /// Of the rows of the tables' query, what MariaDB tells of only in the thing itself.
    pub(super) fn sequences(&self, catalog: &'static Catalog, rows: &[Row]) -> Vec<String> {
        let rows = rows.iter().map(|row| Cells { catalog, row });
        let sequences = rows.filter(|row| row.is("table_type", "SEQUENCE") && row.get("engine").is_some());
        let names = sequences.map(|row| row.text("table_name").to_owned());
        names.filter(|name| !name.eq_ignore_ascii_case(self.history)).collect()
    }
}

/// Whether any of the tables that the rows tell of is partitioned.
pub(super) fn are_partitioned(catalog: &'static Catalog, rows: &[Row]) -> bool {
    rows.iter().any(|row| Cells { catalog, row }.text("create_options").contains("partitioned"))
}

fn key(kind: &str, table: &str, name: &str) -> Key {
    Key { schema: String::new(), table: table.to_owned(), kind: kind.to_owned(), name: name.to_owned() }
}

/// What has been read so far.
pub(super) struct Reading<'d> {
    place: Place<'d>,
    schema: Schema,
    /// What is not in the schema yet: many are put there at once in a fraction of the time.
    fresh: Vec<(Key, Properties)>,
    /// Whatever is part of another table is not looked at: of a view, of the history.
    tables: BTreeSet<String>,
    /// What is told of a thing before the thing is.
    ahead: BTreeMap<(String, String), Properties>,
    /// The columns of the views, in their order.
    of_views: BTreeMap<String, Vec<String>>,
}

impl<'d> Reading<'d> {
    pub(super) fn new(place: Place<'d>, origin: String) -> Self {
        let schema = Schema { origin, ..Schema::default() };
        let (fresh, tables) = (Vec::new(), BTreeSet::new());
        Self { place, schema, fresh, tables, ahead: BTreeMap::new(), of_views: BTreeMap::new() }
    }

    /// The schema that was read.
    pub(super) fn end(mut self) -> Schema {
        self.settle();
        self.schema
    }

    fn settle(&mut self) {
        let fresh = self.fresh.drain(..);
        match fresh.len() {
            ..64 => self.schema.objects.extend(fresh),
            64.. => self.schema.objects.append(&mut fresh.collect()),
        }
    }

    /// Reads the rows of one query.
    ///
    /// # Errors
    /// Says what is there and cannot be seen.
    pub(super) fn read<'r>(
        &mut self,
        catalog: &'static Catalog,
        rows: impl Iterator<Item = &'r Row>,
    ) -> Result<(), String> {
        let rows: Vec<Cells<'_>> = rows.map(|row| Cells { catalog, row }).collect();
        match catalog.part {
            Part::Database => rows.iter().for_each(|row| self.database(row)),
            Part::Tables => return rows.iter().try_for_each(|row| self.table(row)),
            Part::Columns => self.columns(rows),
            Part::Indexes => self.indexes(rows),
            Part::Checks => rows.iter().for_each(|row| self.check(row)),
            Part::References => rows.iter().for_each(|row| self.reference(row)),
            Part::ReferenceColumns => self.reference_columns(rows),
            Part::Partitions => rows.iter().for_each(|row| self.partition(row)),
            Part::Views => rows.iter().for_each(|row| self.view(row)),
            Part::Parameters => self.parameters(rows),
            Part::Routines => rows.iter().for_each(|row| self.routine(row)),
            Part::Triggers => rows.iter().for_each(|row| self.trigger(row)),
            Part::Events => rows.iter().for_each(|row| self.event(row)),
            Part::Libraries => rows.iter().for_each(|row| self.library(row)),
        }
        Ok(())
    }

    fn put(&mut self, kind: &str, table: &str, name: &str, properties: Properties) {
        self.fresh.push((key(kind, table, name), properties));
    }

    /// Tells more of something that is there.
    fn add(&mut self, kind: &str, table: &str, name: &str, property: &str, value: String) {
        self.settle();
        if let Some(properties) = self.schema.objects.get_mut(&key(kind, table, name)) {
            properties.insert(property.to_owned(), value);
        }
    }

    /// What holds for tables and routines that say nothing of it. The database's own name is none of the schema's:
    /// a copy may have another.
    fn database(&mut self, row: &Cells<'_>) {
        let properties = told([
            ("collation", row.text("default_collation_name")),
            ("comment", row.text("schema_comment")),
            ("encrypted", yes(row.is("default_encryption", "YES"))),
        ]);
        self.put("database", "", DEFAULTS, properties);
    }

    fn table(&mut self, row: &Cells<'_>) -> Result<(), String> {
        let (name, kind) = (row.text("table_name"), row.text("table_type"));
        if name.eq_ignore_ascii_case(self.place.history) || kind.contains("TEMPORARY") || kind == "VIEW" {
            return Ok(());
        }
        if row.get("engine").is_none() {
            let why = row.text("table_comment");
            return Err(format!("table {name} cannot be read: {why}"));
        }
        if kind == "SEQUENCE" {
            self.put("sequence", "", name, told([("comment", row.text("table_comment"))]));
            return Ok(());
        }
        self.tables.insert(name.to_owned());
        let options = options(row.text("create_options"));
        let properties = told([
            ("engine", row.text("engine")),
            ("collation", row.text("table_collation")),
            ("options", &options),
            ("system versioned", yes(kind == "SYSTEM VERSIONED")),
            ("comment", row.text("table_comment")),
        ]);
        self.put("table", "", name, properties);
        Ok(())
    }

    fn columns(&mut self, rows: Vec<Cells<'_>>) {
        for (table, mut rows) in by(rows, "table_name") {
            rows.sort_by_key(|row| row.number("ordinal_position"));
            if !self.tables.contains(table) {
                let names = rows.iter().map(|row| row.text("column_name").to_owned());
                self.of_views.insert(table.to_owned(), names.collect());
                continue;
            }
            let mut before = "";
            let columns = rows.iter().map(|row| {
                let mut properties = self.column(row);
                if !before.is_empty() {
                    properties.insert("after".to_owned(), before.to_owned());
                }
                before = row.text("column_name");
                (before, properties)
            });
            let mut columns: Vec<_> = columns.collect();
            // All of them are sorted in the end: few at once are in a fraction of the time.
            columns.sort_by_key(|(name, _)| *name);
            columns.into_iter().for_each(|(name, properties)| self.put("column", table, name, properties));
        }
    }

    fn column(&self, row: &Cells<'_>) -> Properties {
        let mut extra = Extra::of(row.text("extra"));
        let is_expression = extra.takes("default_generated");
        let on_update = extra.takes_behind("on update ");
        let generated = row.text("generation_expression");
        let (stored, is_virtual) = (extra.takes("stored generated"), extra.takes("virtual generated"));
        let is_generated = stored || is_virtual || !generated.is_empty();
        let default = row.get("column_default").filter(|_| !is_generated);
        let default = match self.place.is_mariadb {
            // It writes down that nothing is there, too.
            true => default.filter(|default| *default != "NULL").map(str::to_owned),
            false => default.map(|default| literal(default, row.text("column_type"), is_expression)),
        };
        let default = self.unqualified(&default.unwrap_or_default());
        told([
            ("type", row.text("column_type")),
            ("not null", yes(row.is("is_nullable", "NO"))),
            ("default", &default),
            ("on update", &on_update),
            ("auto increment", yes(extra.takes("auto_increment"))),
            ("generated", &self.unqualified(generated)),
            ("stored", yes(stored)),
            ("collation", row.text("collation_name")),
            ("invisible", yes(extra.takes("invisible"))),
            ("srid", row.text("srs_id")),
            ("extra", &extra.rest()),
            ("comment", row.text("column_comment")),
        ])
    }

    fn indexes(&mut self, rows: Vec<Cells<'_>>) {
        for (table, rows) in by(rows, "table_name") {
            if !self.tables.contains(table) {
                continue;
            }
            let mut indexes = Vec::new();
            for (name, mut rows) in by(rows, "index_name") {
                rows.sort_by_key(|row| row.number("seq_in_index"));
                let columns: Vec<String> = rows.iter().map(index_column).collect();
                let Some(row) = rows.first() else { continue };
                let kind = match () {
                    () if name == "PRIMARY" => "primary key",
                    () if row.is("non_unique", "0") => "unique",
                    () => "index",
                };
                let properties = told([
                    ("columns", &columns.join(", ")),
                    (
                        "method",
                        Some(row.text("index_type")).filter(|method| *method != "BTREE").unwrap_or(""),
                    ),
                    ("invisible", yes(row.is("is_visible", "NO"))),
                    ("ignored", yes(row.is("ignored", "YES"))),
                    ("disabled", yes(row.is("comment", "disabled"))),
                    ("comment", row.text("index_comment")),
                ]);
                indexes.push((kind, name, properties));
            }
            indexes.sort_by_key(|(kind, name, _)| (*kind, *name));
            indexes.into_iter().for_each(|(kind, name, properties)| self.put(kind, table, name, properties));
        }
    }

    /// One that MariaDB holds with a column is the column's.
    fn check(&mut self, row: &Cells<'_>) {
        let (table, name) = (row.text("table_name"), row.text("constraint_name"));
        let clause = self.unqualified(row.text("check_clause"));
        if row.is("level", "Column") {
            self.add("column", table, name, "check", clause);
        } else if self.tables.contains(table) {
            let not_enforced = yes(row.is("enforced", "NO"));
            self.put("check", table, name, told([("clause", &clause), ("not enforced", not_enforced)]));
        }
    }

    fn reference(&mut self, row: &Cells<'_>) {
        let table = row.text("table_name");
        if self.tables.contains(table) {
            let properties = told([
                ("match", Some(row.text("match_option")).filter(|how| *how != "NONE").unwrap_or("")),
                ("on update", row.text("update_rule")),
                ("on delete", row.text("delete_rule")),
            ]);
            self.put("foreign key", table, row.text("constraint_name"), properties);
        }
    }

    fn reference_columns(&mut self, rows: Vec<Cells<'_>>) {
        for (table, rows) in by(rows, "table_name") {
            for (name, mut rows) in by(rows, "constraint_name") {
                rows.sort_by_key(|row| row.number("ordinal_position"));
                let Some(row) = rows.first() else { continue };
                let database = row.text("referenced_table_schema");
                let elsewhere = if database == self.place.database { "" } else { database };
                let parts = [elsewhere, row.text("referenced_table_name")];
                let parts = parts.into_iter().filter(|part| !part.is_empty()).map(identifier);
                let target = parts.collect::<Vec<_>>().join(".");
                let list = |column| {
                    rows.iter().map(|row| identifier(row.text(column))).collect::<Vec<_>>().join(", ")
                };
                self.add("foreign key", table, name, "columns", list("column_name"));
                let references = format!("{target} ({})", list("referenced_column_name"));
                self.add("foreign key", table, name, "references", references);
            }
        }
    }

    fn partition(&mut self, row: &Cells<'_>) {
        let table = row.text("table_name");
        if !self.tables.contains(table) {
            return;
        }
        let by = |method, expression| format!("{} ({})", row.text(method), row.text(expression));
        self.add("table", "", table, "partitioned by", by("partition_method", "partition_expression"));
        let name = row.text("partition_name");
        let properties =
            told([("values", row.text("partition_description")), ("comment", row.text("partition_comment"))]);
        match row.get("subpartition_name") {
            Some(sub) => {
                let subpartitioned = by("subpartition_method", "subpartition_expression");
                self.add("table", "", table, "subpartitioned by", subpartitioned);
                let tablespace = row.text("tablespace_name");
                self.put("subpartition", table, sub, told([("of", name), ("tablespace", tablespace)]));
                self.put("partition", table, name, properties);
            }
            None => {
                self.put("partition", table, name, properties);
                let tablespace = row.text("tablespace_name");
                if !tablespace.is_empty() {
                    self.add("partition", table, name, "tablespace", tablespace.to_owned());
                }
            }
        }
    }

    fn view(&mut self, row: &Cells<'_>) {
        let (name, definition) = (row.text("table_name"), row.text("view_definition"));
        if definition.is_empty() {
            self.put("view", "", name, told([(NOT_SHOWN, "yes")]));
            return;
        }
        let unusual = |column, usual| Some(row.text(column)).filter(|it| *it != usual).unwrap_or("");
        let columns = self
            .of_views
            .get(name)
            .filter(|columns| !self.place.is_mariadb && !names_all(definition, columns));
        let columns =
            columns.map(|columns| columns.iter().map(|name| identifier(name)).collect::<Vec<_>>().join(", "));
        let properties = told([
            ("columns", &columns.unwrap_or_default()),
            ("definition", &self.unqualified(definition)),
            ("check option", unusual("check_option", "NONE")),
            ("algorithm", unusual("algorithm", "UNDEFINED")),
            ("security", unusual("security_type", "DEFINER")),
            ("definer", row.text("definer")),
            ("letters", &row.letters()),
        ]);
        self.put("view", "", name, properties);
    }

    fn parameters(&mut self, rows: Vec<Cells<'_>>) {
        for (kind, rows) in by(rows, "routine_type") {
            for (name, mut rows) in by(rows, "specific_name") {
                rows.sort_by_key(|row| row.number("ordinal_position"));
                let written = |row: &Cells<'_>| {
                    let mode = Some(row.text("parameter_mode")).filter(|mode| *mode != "IN");
                    let name = row.get("parameter_name").map(identifier);
                    let name = name.as_deref().unwrap_or_default();
                    let parts =
                        [mode.unwrap_or(""), name, row.text("dtd_identifier"), row.text("collation_name")];
                    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
                };
                // What a function gives stands before the first one.
                let (returned, taken): (Vec<_>, Vec<_>) =
                    rows.iter().partition(|row| row.is("ordinal_position", "0"));
                let list =
                    |rows: Vec<&Cells<'_>>| rows.into_iter().map(written).collect::<Vec<_>>().join(", ");
                let properties = told([("parameters", &list(taken)), ("returns", &list(returned))]);
                self.ahead.insert((kind.to_owned(), name.to_owned()), properties);
            }
        }
    }

    fn routine(&mut self, row: &Cells<'_>) {
        let (kind, name) = (row.text("routine_type"), row.text("routine_name"));
        let Some(definition) = row.get("routine_definition") else {
            self.put(&kind.to_lowercase(), "", name, told([(NOT_SHOWN, "yes")]));
            return;
        };
        let unusual = |column, usual| Some(row.text(column)).filter(|it| *it != usual).unwrap_or("");
        let mut properties = self.ahead.remove(&(kind.to_owned(), name.to_owned())).unwrap_or_default();
        properties.extend(told([
            ("definition", body(definition)),
            ("language", unusual("external_language", "SQL")),
            ("deterministic", yes(row.is("is_deterministic", "YES"))),
            ("data access", unusual("sql_data_access", "CONTAINS SQL")),
            ("security", unusual("security_type", "DEFINER")),
            ("definer", row.text("definer")),
            ("sql mode", row.text("sql_mode")),
            ("letters", &row.letters()),
            ("comment", row.text("routine_comment")),
        ]));
        self.put(&kind.to_lowercase(), "", name, properties);
    }

    fn trigger(&mut self, row: &Cells<'_>) {
        let table = row.text("event_object_table");
        if self.tables.contains(table) {
            let when = format!("{} {}", row.text("action_timing"), row.text("event_manipulation"));
            let properties = told([
                ("when", &when),
                ("order", Some(row.text("action_order")).filter(|order| *order != "1").unwrap_or("")),
                ("definition", body(row.text("action_statement"))),
                ("definer", row.text("definer")),
                ("sql mode", row.text("sql_mode")),
                ("letters", &row.letters()),
            ]);
            self.put("trigger", table, row.text("trigger_name"), properties);
        }
    }

    /// One that comes to its end is disabled by itself.
    fn event(&mut self, row: &Cells<'_>) {
        let ends = row.get("execute_at").or(row.get("ends")).is_some();
        let every = match row.get("interval_value") {
            Some(value) => format!("{value} {}", row.text("interval_field")),
            None => String::new(),
        };
        let status = Some(row.text("status")).filter(|status| *status != "ENABLED" && !ends);
        let properties = told([
            ("definition", body(row.text("event_definition"))),
            ("at", row.text("execute_at")),
            ("every", &every),
            ("starts", row.text("starts")),
            ("ends", row.text("ends")),
            ("time zone", row.text("time_zone")),
            ("status", &status.unwrap_or("").to_lowercase()),
            ("preserved", yes(row.is("on_completion", "PRESERVE"))),
            ("definer", row.text("definer")),
            ("sql mode", row.text("sql_mode")),
            ("letters", &row.letters()),
            ("comment", row.text("event_comment")),
        ]);
        self.put("event", "", row.text("event_name"), properties);
    }

    fn library(&mut self, row: &Cells<'_>) {
        let properties = told([
            ("definition", row.text("library_definition")),
            ("language", row.text("language")),
            ("comment", row.text("library_comment")),
        ]);
        self.put("library", "", row.text("library_name"), properties);
    }

    /// Reads what [`sequences`] asked for.
    pub(super) fn sequence(&mut self, row: &Row) {
        let mut values = row.iter().map(|value| value.as_deref().unwrap_or_default());
        let Some(name) = values.next() else { return };
        for (property, value) in SEQUENCE.iter().zip(values) {
            self.add("sequence", "", name, property.0, value.to_owned());
        }
    }

    /// Reads the rows of [`super::written::rows`].
    pub(super) fn written(&mut self, row: &Row) {
        let mut values = row.iter().map(|value| value.as_deref());
        let [kind, table, name, text] = [(); 4].map(|()| values.next().flatten());
        let (kind, table, name) =
            (kind.unwrap_or_default(), table.unwrap_or_default(), name.unwrap_or_default());
        let (property, value) = text.map_or((NOT_AS_WRITTEN, "yes"), |text| ("definition", text));
        self.add(kind, table, name, property, value.to_owned());
    }

    /// The rows of [`grants`]: who, on what, which column of it, what, and whether it may be given on.
    pub(super) fn grants<'r>(&mut self, rows: impl Iterator<Item = &'r Row>) {
        let mut all: BTreeMap<(&str, &str), BTreeSet<String>> = BTreeMap::new();
        for row in rows {
            let mut values = row.iter().map(|value| value.as_deref().unwrap_or_default());
            let [who, on, column, what, given_on] = [(); 5].map(|()| values.next().unwrap_or_default());
            if on == self.place.history {
                continue;
            }
            let column = if column.is_empty() { String::new() } else { format!(" ({})", identifier(column)) };
            let option = if given_on == "YES" { " with grant option" } else { "" };
            all.entry((on, who)).or_default().insert(format!("{}{column}{option}", what.to_uppercase()));
        }
        for ((on, who), privileges) in all {
            let privileges = privileges.into_iter().collect::<Vec<_>>().join(", ");
            self.put(GRANT, on, who, told([("privileges", &privileges)]));
        }
    }

    fn unqualified(&self, sql: &str) -> String {
        unqualified(self.place.database, sql)
    }
}

/// What is told of a sequence, and the column of it.
const SEQUENCE: [(&str, &str); 6] = [
    ("start", "start_value"),
    ("minimum", "minimum_value"),
    ("maximum", "maximum_value"),
    ("increment", "increment"),
    ("cache", "cache_size"),
    ("cycles", "cycle_option"),
];

/// One query for all sequences: MariaDB 10.11 tells of a sequence in its only row, and nowhere else.
pub(super) fn sequences(database: &str, names: &[String]) -> String {
    let each = names.iter().map(|name| {
        let columns: Vec<_> = SEQUENCE.iter().map(|(_, column)| format!("CAST({column} AS CHAR)")).collect();
        let (place, name) =
            (format!("{}.{}", identifier(database), identifier(name)), crate::look::name(name));
        format!("SELECT CAST({name} AS BINARY), {} FROM {place}", columns.join(", "))
    });
    each.collect::<Vec<_>>().join(" UNION ALL ")
}

/// The query of what accounts may do with the database and what is in it, as far as it was granted for no more than that.
pub(super) fn grants(product: Product, database: &str) -> String {
    let name = crate::look::name(database);
    let part = |columns: [&str; 5], from: &str| {
        format!("{} FROM {from}", columns.map(|column| format!("CAST({column} AS BINARY)")).join(", "))
    };
    let schema = |on: &str, column: &str, from: &str| {
        part(["grantee", on, column, "privilege_type", "is_grantable"], from)
    };
    let who = "CONCAT('''', user, '''@''', host, '''')";
    let parts = [
        schema("''", "''", &format!("information_schema.schema_privileges WHERE {name} LIKE table_schema")),
        schema(
            "table_name",
            "''",
            &format!("information_schema.table_privileges WHERE table_schema = {name}"),
        ),
        schema(
            "table_name",
            "column_name",
            &format!("information_schema.column_privileges WHERE table_schema = {name}"),
        ),
        part([who, "routine_name", "''", "proc_priv", "''"], &format!("mysql.procs_priv WHERE db = {name}")),
    ];
    format!("{}{}", crate::look::pinned_select(product), parts.join(" UNION ALL SELECT "))
}

/// Whether a view's columns have the names that its query gives them. One that maps rows to documents has a name of the
/// server's.
fn names_all(definition: &str, columns: &[String]) -> bool {
    let mut tokens = lexer::tokens(Dialect::MySql, definition).filter(|token| token.kind.is_significant());
    // The first query's, and none of those behind it or in it.
    let mut depth = 0_usize;
    for token in tokens.by_ref() {
        match token.text {
            "(" => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            _ if token.is_word("json_duality_object") => return true,
            _ if token.is_word("select") && (depth == 0 || definition.starts_with('(')) => break,
            _ => {}
        }
    }
    let (mut names, mut last, mut depth) = (Vec::new(), "", 0_usize);
    for token in tokens {
        match token.text {
            _ if token.is_word("json_duality_object") => return true,
            "(" => depth += 1,
            ")" if depth == 0 => break,
            ")" => depth -= 1,
            "," if depth == 0 => names.push(last),
            _ if depth == 0 && ENDS.iter().any(|word| token.is_word(word)) => break,
            _ => {}
        }
        last = token.text;
    }
    names.push(last);
    names.into_iter().eq(columns.iter().map(|name| identifier(name)))
}

/// What stands behind the columns of a query.
const ENDS: [&str; 10] =
    ["from", "where", "group", "having", "window", "order", "limit", "union", "except", "intersect"];

/// MySQL keeps what stands between a body and the next statement of its message.
pub(super) fn body(definition: &str) -> &str {
    definition.trim_end_matches([';', ' ', '\t', '\r', '\n'])
}

/// A text without the database's own name: a copy may have another.
fn unqualified(database: &str, sql: &str) -> String {
    if !sql.contains('`') {
        return sql.to_owned();
    }
    let own = identifier(database);
    if !sql.contains(&format!("{own}.")) {
        return sql.to_owned();
    }
    let tokens: Vec<_> = lexer::tokens(Dialect::MySql, sql).collect();
    let is_point = |index: usize| tokens.get(index).is_some_and(|token| token.is_punctuation("."));
    let is_own = |index: usize| {
        tokens[index].text == own && is_point(index + 1) && !(index > 0 && is_point(index - 1))
    };
    let is_left_out = |index: usize| is_own(index) || (index > 0 && is_own(index - 1));
    let kept = tokens.iter().enumerate().filter(|(index, _)| !is_left_out(*index));
    kept.map(|(_, token)| token.text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_s_columns_may_have_names_of_their_own() {
        for (definition, columns, are_its) in [
            ("select `t`.`a` AS `a`,(select 1 AS `x` from `s`) AS `b` from `t`", ["a", "b"], true),
            (
                "select `t`.`a` AS `a`,`t`.`b` AS `b` from `t` union select 1 AS `x`,2 AS `y`",
                ["a", "b"],
                true,
            ),
            (
                "select `t`.`a` AS `a`,`t`.`b` AS `b` from `t` union select 1 AS `x`,2 AS `y`",
                ["x", "y"],
                false,
            ),
            ("with `w` as (select 1 AS `x`) select `w`.`x` AS `a`,1 AS `b``,` from `w`", ["a", "b`,"], true),
            ("(select 1 AS `a`,2 AS `b` limit 1)", ["a", "b"], true),
            ("select `t`.`a` AS `a`,`t`.`b` AS `b` from `t`", ["b", "a"], false),
            ("select 1 AS `a`,2 AS `b`", ["a", "b"], true),
        ] {
            assert_eq!(names_all(definition, &columns.map(str::to_owned)), are_its, "{definition}");
        }
        let of_documents = "select json_duality_object('_id':`t`.`id`) AS `x` from `t`";
        assert!(names_all(of_documents, &["data".to_owned()]));
    }

    #[test]
    fn the_database_s_own_name_is_left_out_where_it_is_one() {
        for (sql, plain) in [
            ("select `d`.`t`.`a` AS `a` from `d`.`t`", "select `t`.`a` AS `a` from `t`"),
            ("select '`d`.' AS `d` from `e`.`d`", "select '`d`.' AS `d` from `e`.`d`"),
            ("select `e`.`d`.`a`, `d`.`t`.`b`", "select `e`.`d`.`a`, `t`.`b`"),
            ("select `d`.`f`(1), `other`.`t`.`a`", "select `f`(1), `other`.`t`.`a`"),
        ] {
            assert_eq!(unqualified("d", sql), plain);
        }
    }
}
