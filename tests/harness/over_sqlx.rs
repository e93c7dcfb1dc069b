//! Windlass sessions over sqlx, opened as an application with a pool opens them.

use crate::Family;
use crate::database::{Session, told};
use sqlx::mysql::MySqlPoolOptions;
use sqlx::postgres::PgPoolOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use std::time::Duration;
use windlass_mysql::MySql;
use windlass_postgres::Postgres;
use windlass_sqlite::Sqlite;

/// Opens a session by a URL with those of windlass's parameters that the driver crates have calls for, or sqlx has too.
pub(crate) async fn connect(family: Family, url: &str) -> Result<Session, String> {
    let (place, parameters) = url.split_once('?').unwrap_or((url, ""));
    let parameters: Vec<_> =
        parameters.split('&').filter_map(|parameter| parameter.split_once('=')).collect();
    let is_of_tls = |parameter: &&(&str, &str)| ["sslmode", "ssl-mode"].contains(&parameter.0);
    let place = match parameters.iter().find(is_of_tls) {
        Some((name, value)) => format!("{place}?{name}={value}"),
        None => place.to_owned(),
    };
    let mut parameters = parameters.into_iter().filter(|parameter| !is_of_tls(&parameter));
    let unknown = |name: &str| Err(format!("{name} is no parameter that is known over sqlx"));
    match family {
        Family::Postgres => {
            let pool = PgPoolOptions::new().connect_lazy(&place).map_err(|error| told(&error))?;
            let mut session = Postgres::beside_pool(&pool).await.map_err(|error| told(&error))?;
            for (name, value) in parameters.by_ref() {
                session = match name {
                    "schema" => session.schema(value),
                    _ => return unknown(name),
                };
            }
            Ok(Box::new(session))
        }
        Family::MySql | Family::MariaDb => {
            if let Some((name, _)) = parameters.next() {
                return unknown(name);
            }
            let pool = MySqlPoolOptions::new().connect_lazy(&place).map_err(|error| told(&error))?;
            Ok(Box::new(MySql::beside_pool(&pool).await.map_err(|error| told(&error))?))
        }
        Family::Sqlite => {
            let file = place.trim_start_matches("sqlite:");
            let mut options = SqliteConnectOptions::new().filename(file).create_if_missing(true);
            for (name, value) in parameters.by_ref() {
                options = match (name, value.parse()) {
                    ("busy_timeout", Ok(milliseconds)) => {
                        options.busy_timeout(Duration::from_millis(milliseconds))
                    }
                    _ => return unknown(name),
                };
            }
            let pool = SqlitePoolOptions::new().max_connections(1).connect_lazy_with(options);
            Ok(Box::new(Sqlite::from_pool(&pool).await.map_err(|error| told(&error))?))
        }
    }
}
