//! A raw session: the driver's own client, to look at a database and to change it behind windlass's back.

use crate::{Family, Target};
use mysql_async::prelude::Queryable;

/// Rows of text; `None` is NULL.
pub type Rows = Vec<Vec<Option<String>>>;

/// A session with the database's own client.
pub struct Raw(Client);

enum Client {
    Postgres(tokio_postgres::Client),
    MySql(mysql_async::Conn),
    Sqlite(rusqlite::Connection),
}

impl Raw {
    /// Opens one.
    pub async fn connect(target: &Target, url: &str) -> Self {
        Self(match target.family {
            Family::Postgres => {
                let (client, connection) =
                    tokio_postgres::connect(url, tokio_postgres::NoTls).await.expect("a raw session");
                tokio::spawn(connection);
                Client::Postgres(client)
            }
            Family::MySql | Family::MariaDb => {
                let options = mysql_async::Opts::from_url(url).expect("a raw URL");
                Client::MySql(mysql_async::Conn::new(options).await.expect("a raw session"))
            }
            Family::Sqlite => {
                let path = url.trim_start_matches("sqlite:");
                Client::Sqlite(rusqlite::Connection::open(path).expect("a raw session"))
            }
        })
    }

    /// Runs a script of statements.
    ///
    /// # Errors
    /// The database's words.
    pub async fn execute(&mut self, sql: &str) -> Result<(), String> {
        match &mut self.0 {
            Client::Postgres(client) => client.batch_execute(sql).await.map_err(|error| format!("{error:?}")),
            Client::MySql(conn) => {
                let result = conn.query_iter(sql).await.map_err(|error| error.to_string())?;
                result.drop_result().await.map_err(|error| error.to_string())
            }
            Client::Sqlite(connection) => connection.execute_batch(sql).map_err(|error| error.to_string()),
        }
    }

    /// Reads rows.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn query(&mut self, sql: &str) -> Rows {
        match &mut self.0 {
            Client::Postgres(client) => {
                let messages =
                    client.simple_query(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
                let row = |message| match message {
                    tokio_postgres::SimpleQueryMessage::Row(row) => {
                        Some((0..row.len()).map(|i| row.get(i).map(str::to_owned)).collect())
                    }
                    _ => None,
                };
                messages.into_iter().filter_map(row).collect()
            }
            Client::MySql(conn) => {
                let rows: Vec<mysql_async::Row> =
                    conn.query(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
                let text = |value: mysql_async::Value| match value {
                    mysql_async::Value::NULL => None,
                    mysql_async::Value::Bytes(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
                    other => Some(other.as_sql(true).trim_matches('\'').to_owned()),
                };
                rows.into_iter().map(|row| row.unwrap().into_iter().map(text).collect()).collect()
            }
            Client::Sqlite(connection) => {
                let mut statement = connection.prepare(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
                let columns = statement.column_count();
                let text = |value| match value {
                    rusqlite::types::Value::Null => None,
                    rusqlite::types::Value::Integer(number) => Some(number.to_string()),
                    rusqlite::types::Value::Real(number) => Some(number.to_string()),
                    rusqlite::types::Value::Text(text) => Some(text),
                    rusqlite::types::Value::Blob(bytes) => Some(format!("{bytes:?}")),
                };
                let rows = statement.query_map([], |row| {
                    (0..columns).map(|i| row.get::<_, rusqlite::types::Value>(i).map(text)).collect()
                });
                rows.and_then(Iterator::collect).unwrap_or_else(|error| panic!("{sql}: {error}"))
            }
        }
    }
}
