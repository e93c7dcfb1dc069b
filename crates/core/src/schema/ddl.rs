//! DDL: the statements that make a schema on an empty database of the same major version, and one object's own as text.

mod mysql;
mod postgres;
mod sqlite;

use super::compare::MAY_HOLD_A_SECRET;
use super::{Key, Properties, Schema};
use crate::sql::classify::may_hold_secret;

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
    /// version. They share a session.
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
    /// its first line and its options. `None` where nothing is known, or may be shown.
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
        let text = match self.product()? {
            Product::Postgres => postgres::fragment(self, key, properties, whole),
            Product::Sqlite => sqlite::fragment(key, properties),
            product => mysql::fragment(self, product, key, properties, whole),
        }?;
        (!may_hold_secret(&text) && !text.contains(MAY_HOLD_A_SECRET)).then_some(text)
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

fn is_guarded(properties: &Properties) -> bool {
    properties.values().any(|value| value.contains(MAY_HOLD_A_SECRET))
}

/// A property that is set.
fn property<'p>(properties: &'p Properties, name: &str) -> Option<&'p str> {
    properties.get(name).map(String::as_str)
}
