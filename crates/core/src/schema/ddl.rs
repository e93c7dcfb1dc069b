//! DDL: the statements that make a schema on an empty database of the same major version, and one object's own as text.

mod mysql;
mod postgres;
mod sqlite;

use super::guard::{is_digested, is_wholly_digested, told_by_lines};
use super::{Key, Properties, Schema};
use crate::sql::Dialect;
use crate::sql::classify::may_hold_secret;
use crate::sql::lexer::tokens;

/// A statement, and the object that it makes or completes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Made {
    /// The object; of a statement that is for the session alone, of the kind `session`.
    pub key: Key,
    /// The statement, without a semicolon behind it.
    pub sql: String,
}

impl Made {
    fn new(key: &Key, sql: impl Into<String>) -> Self {
        Self { key: key.clone(), sql: sql.into() }
    }

    /// What the statements behind it need of their session.
    fn session(sql: &str) -> Self {
        Self { key: Key { kind: "session".to_owned(), ..Key::default() }, sql: sql.to_owned() }
    }
}

/// A schema, or an object of it, that cannot be written as SQL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DdlError {
    /// A digest was kept in place of a text that may hold a secret.
    #[error("{0} cannot be written as SQL: a text of it may hold a secret, and was not kept")]
    Secret(Key),
    /// What is known of the object is not enough to make it, or no statement makes such a one.
    #[error("{0} cannot be written as SQL: {1}")]
    Unwritable(Key, &'static str),
    /// No more is known of it than that.
    #[error("no SQL is known for a schema of {0:?}")]
    Product(String),
}

/// Whose SQL it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Product {
    Postgres,
    MySql,
    MariaDb,
    Sqlite,
}

impl Schema {
    /// All statements that make it, in an order in which each finds what it names, for an empty database of the same major
    /// version. They share a session. Materialized views have no rows; who owns an object is not told; grants and the objects of
    /// foreign servers cannot be written.
    ///
    /// ```
    /// use windlass_core::schema::Schema;
    ///
    /// let text = "1 SQLite 3\nview\t\t\tlong\tdefinition=CREATE VIEW long AS SELECT * FROM ship\n\
    ///             table\t\t\tship\tdefinition=CREATE TABLE ship ( length int )";
    /// let made: Vec<_> = Schema::parse(text)?.ddl()?.into_iter().map(|made| made.sql).collect();
    /// assert_eq!(made, ["CREATE TABLE ship ( length int )", "CREATE VIEW long AS SELECT * FROM ship"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Names an object that cannot be written.
    pub fn ddl(&self) -> Result<Vec<Made>, DdlError> {
        let unknown = || DdlError::Product(self.origin.clone());
        let product = self.product().ok_or_else(unknown)?;
        if let Some((key, _)) = self.objects.iter().find(|(_, properties)| is_guarded(properties)) {
            return Err(DdlError::Secret(key.clone()));
        }
        match product {
            Product::Postgres => postgres::made(self),
            Product::Sqlite => sqlite::made(self),
            Product::MySql | Product::MariaDb => mysql::made(self, product),
        }
    }

    /// What is written of an object, for reading: of a column its line, of a table that is `whole` all that makes it, else
    /// its first line and its options. `None` where nothing is known, or may be shown; of what may hold a secret, only that.
    ///
    /// ```
    /// use windlass_core::schema::Schema;
    ///
    /// let schema = Schema::parse("1 SQLite 3\ncolumn\t\tship\tlength\ttype=int\tnot null=yes")?;
    /// let key = schema.objects.keys().next().expect("a column");
    /// assert_eq!(schema.fragment(key, false).as_deref(), Some("\"length\" int NOT NULL"));
    /// # Ok::<(), windlass_core::schema::TextError>(())
    /// ```
    pub fn fragment(&self, key: &Key, whole: bool) -> Option<String> {
        let properties = self.objects.get(key)?;
        // Where all that makes it is a text that may hold a secret, its properties tell as much.
        if properties.get("definition").is_some_and(|text| may_hold_secret(text) || is_wholly_digested(text))
        {
            return None;
        }
        let text = match self.product()? {
            Product::Postgres => postgres::fragment(self, key, properties, whole),
            Product::Sqlite => sqlite::fragment(key, properties),
            product => mysql::fragment(self, product, key, properties, whole),
        }?;
        Some(told_by_lines(&text))
    }

    /// Whose SQL stands in it.
    pub(super) fn dialect(&self) -> Option<Dialect> {
        Some(match self.product()? {
            Product::Postgres => Dialect::Postgres,
            Product::MySql | Product::MariaDb => Dialect::MySql,
            Product::Sqlite => Dialect::Sqlite,
        })
    }

    /// Whether a table's columns that differ tell of all in which its definition does: SQLite keeps both, and one statement changes
    /// both.
    pub(super) fn is_told_by_columns(&self, later: &Self, key: &Key, columns: &[&Key]) -> bool {
        self.product() == Some(Product::Sqlite) && sqlite::is_told_by_columns(self, later, key, columns)
    }

    /// By the origin: `1 SQLite 3`.
    fn product(&self) -> Option<Product> {
        match self.origin.split(' ').nth(1)? {
            "PostgreSQL" => Some(Product::Postgres),
            "MySQL" => Some(Product::MySql),
            "MariaDB" => Some(Product::MariaDb),
            "SQLite" => Some(Product::Sqlite),
            _ => None,
        }
    }
}

/// The parts of a list, cut at its commas: not at those in brackets or in strings.
fn listed(dialect: Dialect, text: &str) -> Vec<&str> {
    let (mut parts, mut begin, mut depth) = (Vec::new(), 0, 0_usize);
    for token in tokens(dialect, text) {
        match token.text {
            "(" | "[" => depth += 1,
            ")" | "]" => depth = depth.saturating_sub(1),
            "," if depth == 0 => {
                parts.push(text[begin..token.offset].trim());
                begin = token.end();
            }
            _ => {}
        }
    }
    parts.push(text[begin..].trim());
    parts
}

fn is_guarded(properties: &Properties) -> bool {
    properties.values().any(|value| is_digested(value))
}

/// A property that is set.
fn property<'p>(properties: &'p Properties, name: &str) -> Option<&'p str> {
    properties.get(name).map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KINDS: [&str; 24] = [
        "schema",
        "extension",
        "collation",
        "enum",
        "range",
        "domain",
        "composite type",
        "function",
        "aggregate",
        "cast",
        "sequence",
        "table",
        "column",
        "view",
        "primary key",
        "check",
        "foreign key",
        "index",
        "trigger",
        "policy",
        "publication",
        "event trigger",
        "partition",
        "routine",
    ];

    #[test]
    fn what_stands_before_a_part_is_none_of_its_letters() {
        for of in ["\u{feff}\0", "\u{feff}\" $\u{1948e}"] {
            let range = Key { kind: "range".to_owned(), name: "r".to_owned(), ..Key::default() };
            let properties = [("range of".to_owned(), of.to_owned())].into();
            let schema =
                Schema { origin: "2 PostgreSQL 18".to_owned(), objects: [(range, properties)].into() };
            assert!(schema.ddl().is_err(), "{of:?}");
        }
    }

    proptest! {
        #[test]
        fn any_schema_is_written_or_refused(
            product in prop::sample::select(vec!["PostgreSQL 18", "SQLite 3", "MySQL 9.7", "MariaDB 11.8"]),
            objects in prop::collection::btree_map(
                ("[ab]?", "[ab]?", prop::sample::select(KINDS.to_vec()), "[ab(. ]{0,3}|a as b|.*"),
                prop::collection::btree_map(
                    "definition|type|default|aggregate|range of|checks|inherits|partition|options|comment|locale",
                    "[ab(),.:' ]{0,12}|.*",
                    0..5,
                ),
                0..6,
            )
        ) {
            let objects = objects.into_iter().map(|((schema, table, kind, name), properties)| {
                (Key { schema, table, kind: kind.to_owned(), name }, properties)
            });
            let schema = Schema { origin: format!("2 {product}"), objects: objects.collect() };
            let _ = schema.ddl();
            for key in schema.objects.keys() {
                let _ = (schema.fragment(key, true), schema.fragment(key, false));
            }
        }
    }

    fn fragment(lines: &str, kind: &str, whole: bool) -> Option<String> {
        let schema = Schema::parse(&format!("2 PostgreSQL 18\n{lines}")).expect("a schema");
        let key = schema.objects.keys().find(|key| key.kind == kind).expect("an object");
        schema.fragment(key, whole)
    }

    const SHIP: &str = "table\tpublic\t\tship\tunlogged=yes\toptions=fillfactor=50\trow security=yes\n\
                        column\tpublic\tship\tname\ttype=text\tcollation=C\tnot null=yes\tdefault='x'::text\tposition=2\n\
                        column\tpublic\tship\tid\ttype=integer\tidentity=always\tposition=1\n\
                        sequence\tpublic\tship\tship_id_seq\tidentity=yes\towned by=id\tstart=7\n\
                        check\tpublic\tship\tlong\tdefinition=CHECK ((name <> ''::text))\n\
                        index\tpublic\tship\tby_name\tdefinition=CREATE INDEX by_name ON public.ship USING btree (name)";

    #[test]
    fn what_is_part_of_a_table_is_a_line() {
        let line = "\"name\" text COLLATE \"C\" DEFAULT 'x'::text NOT NULL";
        let lines = SHIP.replace("column\tpublic\tship\tid", "attribute\tpublic\tship\tid");
        assert_eq!(fragment(&lines, "column", false).as_deref(), Some(line));
        let line = "CONSTRAINT \"long\" CHECK ((name <> ''::text))";
        assert_eq!(fragment(SHIP, "check", false).as_deref(), Some(line));
    }

    #[test]
    fn a_table_is_its_first_line_or_all_of_it() {
        let head = "CREATE UNLOGGED TABLE \"public\".\"ship\" (…) WITH (fillfactor = '50');\n\
                    ALTER TABLE ONLY \"public\".\"ship\" ENABLE ROW LEVEL SECURITY";
        assert_eq!(fragment(SHIP, "table", false).as_deref(), Some(head));
        let whole = "CREATE UNLOGGED TABLE \"public\".\"ship\" (\n    \
                     \"id\" integer GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME \"public\".\"ship_id_seq\" START WITH 7),\n    \
                     \"name\" text COLLATE \"C\" DEFAULT 'x'::text NOT NULL,\n    \
                     CONSTRAINT \"long\" CHECK ((name <> ''::text))\n\
                     ) WITH (fillfactor = '50');\n\
                     CREATE INDEX by_name ON public.ship USING btree (name);\n\
                     ALTER TABLE ONLY \"public\".\"ship\" ENABLE ROW LEVEL SECURITY";
        assert_eq!(fragment(SHIP, "table", true).as_deref(), Some(whole));
    }

    #[test]
    fn what_may_hold_a_secret_is_neither_written_nor_shown() {
        let guarded = "view\tpublic\t\tv\tdefinition=(may hold a secret: 00ff)";
        let schema = Schema::parse(&format!("2 PostgreSQL 18\n{guarded}")).expect("a schema");
        let told = schema.ddl().expect_err("a secret").to_string();
        assert_eq!(
            told,
            "view public.v cannot be written as SQL: a text of it may hold a secret, and was not kept"
        );
        assert_eq!(fragment(guarded, "view", true), None);
        assert_eq!(fragment("view\tpublic\t\tv\tdefinition=SELECT 'password=x'", "view", true), None);
    }
}
