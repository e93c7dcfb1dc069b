//! Tables: their columns and constraints, in their statement where they name nothing, and what their ancestors give them.

use super::names::{Name, mentioned, quoted};
use super::order::{Piece, Rank};
use super::{DdlError, Writer};
use crate::schema::{Key, POSITION};

impl<'s> Writer<'s> {
    /// Its columns, in their order.
    pub(super) fn columns(&self) -> Vec<Writer<'s>> {
        let mut columns: Vec<_> = self.parts("column").collect();
        let place = |column: &Writer<'_>| column.get(POSITION).and_then(|place| place.parse::<u32>().ok());
        columns.sort_by_key(|column| place(column).unwrap_or(u32::MAX));
        columns
    }

    /// What is part of it, of a kind.
    fn parts(&self, kind: &'static str) -> impl Iterator<Item = Writer<'s>> + use<'s> {
        let Key { schema, name, .. } = self.key;
        let from =
            Key { schema: schema.clone(), table: name.clone(), kind: kind.to_owned(), name: String::new() };
        let here = self.schema;
        let all = here.objects.range(from..);
        let parts =
            all.take_while(move |(key, _)| key.kind == kind && key.table == *name && key.schema == *schema);
        parts.map(move |(key, properties)| Writer { schema: here, key, properties })
    }

    /// The table that it is part of.
    fn owner(&self) -> Option<Writer<'s>> {
        let of_kind = |kind: &str| {
            let key = Key {
                schema: self.key.schema.clone(),
                table: String::new(),
                kind: kind.to_owned(),
                name: self.key.table.clone(),
            };
            self.schema.objects.get_key_value(&key)
        };
        let (key, properties) = ["table", "view", "materialized view", "composite type", "foreign table"]
            .into_iter()
            .find_map(of_kind)?;
        Some(Writer { schema: self.schema, key, properties })
    }

    /// The tables that it inherits from, other than as a partition.
    fn parents(&self) -> Vec<Writer<'s>> {
        if self.is("partition") {
            return Vec::new();
        }
        let names = self.get("inherits").map(mentioned).unwrap_or_default();
        let table = |(schema, name): Name| {
            let key = Key { schema, name, kind: "table".to_owned(), ..Key::default() };
            self.schema.objects.get_key_value(&key).or_else(|| {
                let key = Key { kind: "foreign table".to_owned(), ..key };
                self.schema.objects.get_key_value(&key)
            })
        };
        let found = names.into_iter().filter_map(table);
        found.map(|(key, properties)| Writer { schema: self.schema, key, properties }).collect()
    }

    /// The table itself, with what is in its statement.
    pub(super) fn whole_table(&self) -> Result<Vec<Piece>, DdlError> {
        let parents = self.parents();
        let columns = self.columns();
        let own = columns.iter().filter(|column| !parents.iter().any(|parent| parent.gives(column)));
        let mut lines: Vec<_> = own.map(|column| column.column()).collect();
        for kind in ["primary key", "check"] {
            for constraint in self.parts(kind).filter(Writer::is_in_the_table) {
                lines.push(constraint.constraint()?);
            }
        }
        let lines = match lines.is_empty() {
            true => String::new(),
            false => format!("\n    {}\n", lines.join(",\n    ")),
        };
        let mut pieces = vec![self.piece(Rank::Table, self.table_around(&lines)?)];
        if let (Some(bound), Some(parent)) = (self.get("partition"), self.get("inherits")) {
            let attach = format!("ALTER TABLE ONLY {parent} ATTACH PARTITION {} {bound}", self.name());
            pieces.push(self.piece(Rank::Partition, attach));
        }
        pieces.extend(self.table_settings());
        Ok(pieces)
    }

    /// The statement around its lines. A partition becomes one when both have their indexes.
    pub(super) fn table_around(&self, lines: &str) -> Result<String, DdlError> {
        let unlogged = if self.is("unlogged") { "UNLOGGED " } else { "" };
        let mut sql = format!("CREATE {unlogged}TABLE {} ({lines})", self.name());
        if !self.is("partition") {
            sql.extend(self.get("inherits").into_iter().flat_map(|parents| [" INHERITS (", parents, ")"]));
        }
        sql.extend(self.get("partitioned by").into_iter().flat_map(|by| [" PARTITION BY ", by]));
        let method = self.get("access method");
        sql.extend(method.map(|method| format!(" USING {}", quoted(method))));
        sql.push_str(&self.options());
        sql.push_str(&self.tablespace());
        Ok(sql)
    }

    /// What is set of a table in statements of its own.
    pub(super) fn table_settings(&self) -> Vec<Piece> {
        let mut settings = Vec::new();
        if self.is("row security") {
            settings.push("ENABLE ROW LEVEL SECURITY".to_owned());
        }
        if self.is("forced row security") {
            settings.push("FORCE ROW LEVEL SECURITY".to_owned());
        }
        let identity = self.get("replica identity");
        settings.extend(identity.map(|identity| format!("REPLICA IDENTITY {}", identity.to_uppercase())));
        let name = self.name();
        let each = settings.into_iter().map(|setting| format!("ALTER TABLE ONLY {name} {setting}"));
        each.map(|sql| self.piece(Rank::Setting, sql)).collect()
    }

    /// The line of a column, with what its table's statement can say.
    pub(super) fn column(&self) -> String {
        let mut line = self.attribute();
        let kind = if self.is("virtual") { ") VIRTUAL" } else { ") STORED" };
        let generated = self.get("generated").map(|expression| [" GENERATED ALWAYS AS (", expression, kind]);
        line.extend(generated.into_iter().flatten());
        line.push_str(&self.identity());
        let default = self.get("default").filter(|default| mentioned(default).is_empty());
        line.extend(default.into_iter().flat_map(|default| [" DEFAULT ", default]));
        line.push_str(if self.is("not null") { " NOT NULL" } else { "" });
        line
    }

    /// Its name and type, as composite types have it too.
    pub(super) fn attribute(&self) -> String {
        let mut line = format!("{} {}", quoted(&self.key.name), self.get("type").unwrap_or_default());
        let compression = match self.get("compression") {
            Some("p") => " COMPRESSION pglz",
            Some("l") => " COMPRESSION lz4",
            _ => "",
        };
        line.push_str(compression);
        line.extend(self.get("collation").map(|name| format!(" COLLATE {}", self.collate(name))));
        line
    }

    /// Its sequence is named with it. That of a partition is its table's.
    fn identity(&self) -> String {
        let is_partition = self.owner().is_some_and(|owner| owner.is("partition"));
        let Some(identity) = self.get("identity").filter(|_| !is_partition) else { return String::new() };
        let owner = Key { table: String::new(), name: self.key.table.clone(), ..self.key.clone() };
        let owner = Writer { schema: self.schema, key: &owner, properties: self.properties };
        let sequence = owner
            .sequences()
            .find(|sequence| sequence.is("identity") && sequence.get("owned by") == Some(&*self.key.name));
        let options = sequence.map_or(String::new(), |sequence| {
            format!(" (SEQUENCE NAME {}{})", sequence.name(), sequence.counting())
        });
        format!(" GENERATED {} AS IDENTITY{options}", identity.to_uppercase())
    }

    fn sequences(&self) -> impl Iterator<Item = Writer<'s>> + use<'s> {
        self.parts("sequence")
    }

    /// What is set of a column in statements of its own.
    pub(super) fn column_settings(&self) -> Vec<Piece> {
        let Some(owner) = self.owner() else { return Vec::new() };
        let (relation, rank) = match &*owner.key.kind {
            "table" => ("TABLE ONLY", Rank::Column),
            "view" => ("VIEW", Rank::Setting),
            "materialized view" => ("MATERIALIZED VIEW", Rank::Setting),
            _ => return Vec::new(),
        };
        let (table, name) = (self.table(), quoted(&self.key.name));
        let mut pieces = Vec::new();
        let mut alter = |what: String| {
            pieces.push(self.piece(rank, format!("ALTER {relation} {table} ALTER COLUMN {name} {what}")));
        };
        let default = self.get("default");
        match default.filter(|default| owner.key.kind == "view" || !mentioned(default).is_empty()) {
            Some(default) => alter(format!("SET DEFAULT {default}")),
            None if default.is_none() && self.is_inherited(&owner, "default") => {
                alter("DROP DEFAULT".to_owned())
            }
            None => {}
        }
        if !self.is("not null") && self.is_inherited(&owner, "not null") {
            alter("DROP NOT NULL".to_owned());
        }
        if let Some(options) = self.get("options") {
            alter(format!("SET ({options})"));
        }
        if let Some(storage) = self.get("storage") {
            alter(format!("SET STORAGE {}", storage.to_uppercase()));
        }
        if let Some(target) = self.get("statistics") {
            alter(format!("SET STATISTICS {target}"));
        }
        pieces
    }

    /// Whether a table that it inherits from gives this column such a property.
    fn is_inherited(&self, owner: &Writer<'s>, what: &str) -> bool {
        owner.parents().iter().any(|parent| parent.like(self).is_some_and(|column| column.is(what)))
    }

    /// Its part of the same kind and name.
    fn like(&self, part: &Writer<'s>) -> Option<Writer<'s>> {
        let key = Key { schema: self.key.schema.clone(), table: self.key.name.clone(), ..part.key.clone() };
        let (key, properties) = self.schema.objects.get_key_value(&key)?;
        Some(Writer { schema: self.schema, key, properties })
    }

    /// Whether a table that inherits from this one has such a part of it alone.
    fn gives(&self, part: &Writer<'s>) -> bool {
        let same = |name: &str, like: &Writer<'s>| like.get(name) == part.get(name);
        let told =
            ["type", "not null", "default", "generated", "virtual", "identity", "collation", "compression"];
        self.like(part).is_some_and(|like| {
            told.into_iter().chain(["definition"]).all(|name| same(name, &like))
                && !like.get("definition").is_some_and(|definition| definition.contains(") NO INHERIT"))
        })
    }

    /// Whether a constraint can stand in its table's statement, which makes one of two that are unique alike.
    fn is_in_the_table(&self) -> bool {
        let definition = self.get("definition").unwrap_or_default();
        let is_apart = !matches!(&*self.key.kind, "primary key" | "check")
            || definition.ends_with("NOT VALID")
            || !mentioned(definition).is_empty();
        !is_apart && !self.is_of_an_ancestor()
    }

    /// Whether a check comes from a table that this one's inherits from.
    fn is_of_an_ancestor(&self) -> bool {
        self.key.kind == "check"
            && self.owner().is_some_and(|owner| owner.parents().iter().any(|parent| parent.gives(self)))
    }

    /// `CONSTRAINT "name" CHECK (…)`.
    pub(super) fn constraint(&self) -> Result<String, DdlError> {
        if self.is("invalid") {
            return Err(self.unwritable("no statement makes a constraint whose index is invalid"));
        }
        Ok(format!("CONSTRAINT {} {}", quoted(&self.key.name), self.needed("definition")?))
    }

    /// The statement of a constraint that is not in its table's.
    pub(super) fn constraint_apart(&self) -> Result<Vec<Piece>, DdlError> {
        let mut pieces = self.index_settings();
        if !self.is_in_the_table() && !self.is_of_an_ancestor() {
            let rank = if self.key.kind == "foreign key" { Rank::ForeignKey } else { Rank::Constraint };
            let add = format!("ALTER TABLE {} ADD {}", self.table(), self.constraint()?);
            pieces.push(self.piece(rank, add));
        }
        Ok(pieces)
    }
}
