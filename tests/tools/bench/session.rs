//! Sessions: one of windlass, and a raw one that does the least that can be right.

use crate::measure::Trips;
use harness::{Database, Family, Proxy, Session};
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, OptsBuilder};
use windlass_core::apply::{DeployOptions, Silent, Stop, deploy};
use windlass_core::driver::{Driver, Run};
use windlass_core::source::Migrations;

/// A database of the family at a URL.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) family: Family,
    pub(crate) url: String,
}

impl Place {
    /// Encryption costs both sides the same, and a proxy could not be read through.
    pub(crate) fn of(database: &Database) -> Self {
        let family = database.target().family;
        let suffix = match family {
            Family::Postgres => "?sslmode=disable",
            Family::MySql | Family::MariaDb => "?ssl-mode=disabled",
            Family::Sqlite => "",
        };
        Self { family, url: database.url() + suffix }
    }

    /// The words that a child process is told of it.
    pub(crate) fn words(&self) -> [String; 2] {
        [self.family_word().to_owned(), self.url.clone()]
    }

    fn family_word(&self) -> &'static str {
        match self.family {
            Family::Postgres => "postgres",
            Family::MySql => "mysql",
            Family::MariaDb => "mariadb",
            Family::Sqlite => "sqlite",
        }
    }

    /// What [`Place::words`] told.
    pub(crate) fn read(family: &str, url: &str) -> Self {
        let family = match family {
            "postgres" => Family::Postgres,
            "mysql" => Family::MySql,
            "mariadb" => Family::MariaDb,
            _ => Family::Sqlite,
        };
        Self { family, url: url.to_owned() }
    }

    /// Opens a windlass session.
    pub(crate) async fn windlass(&self) -> Session {
        let url = &self.url;
        match self.family {
            Family::Postgres => {
                let options = windlass_postgres::Options::parse(url).expect("a URL");
                Box::new(windlass_postgres::Postgres::connect(&options).await.expect("a session"))
            }
            Family::MySql | Family::MariaDb => {
                let options = windlass_mysql::Options::parse(url).expect("a URL");
                Box::new(windlass_mysql::connect(&options).await.expect("a session"))
            }
            Family::Sqlite => {
                let options = windlass_sqlite::Options::parse(url).expect("a URL").create_database(true);
                Box::new(windlass_sqlite::Sqlite::connect(&options).expect("a session"))
            }
        }
    }

    /// The round trips of the floor's work and of windlass', each on a session of its own; none where there is no wire.
    /// They are counted beside the measured rounds, so that the counting slows nothing down.
    pub(crate) async fn trips(
        &self,
        floor: impl AsyncFnOnce(&mut Raw),
        windlass: impl AsyncFnOnce(&mut dyn Driver),
    ) -> Option<[Trips; 2]> {
        if self.family == Family::Sqlite {
            return None;
        }
        let proxied = || {
            let proxy = Proxy::before(&self.url);
            let through = Self { url: proxy.url(&self.url), ..self.clone() };
            (proxy, through)
        };
        let (proxy, through) = proxied();
        let mut raw = through.raw().await;
        let connecting = proxy.trips();
        floor(&mut raw).await;
        let floor = Trips { connecting, after: proxy.trips() - connecting };

        let (proxy, through) = proxied();
        let mut session = through.windlass().await;
        let connecting = proxy.trips();
        windlass(&mut *session).await;
        Some([floor, Trips { connecting, after: proxy.trips() - connecting }])
    }

    /// Opens a raw session.
    pub(crate) async fn raw(&self) -> Raw {
        match self.family {
            Family::Postgres => {
                let connected = tokio_postgres::connect(&self.url, tokio_postgres::NoTls).await;
                let (client, connection) = connected.expect("a raw session");
                tokio::spawn(connection);
                Raw::Postgres(client)
            }
            Family::MySql | Family::MariaDb => {
                let plain = self.url.split('?').next().unwrap_or(&self.url);
                let options = mysql_async::Opts::from_url(plain).expect("a URL");
                // What is given is not asked for: two queries less.
                let builder = OptsBuilder::from_opts(options)
                    .prefer_socket(false)
                    .max_allowed_packet(Some(1 << 30))
                    .wait_timeout(Some(28_800));
                Raw::MySql(Conn::new(builder).await.expect("a raw session"))
            }
            Family::Sqlite => {
                let path = self.url.trim_start_matches("sqlite:");
                let flags = rusqlite::OpenFlags::SQLITE_OPEN_NO_MUTEX
                    | rusqlite::OpenFlags::SQLITE_OPEN_READ_WRITE
                    | rusqlite::OpenFlags::SQLITE_OPEN_CREATE;
                Raw::Sqlite(rusqlite::Connection::open_with_flags(path, flags).expect("a raw session"))
            }
        }
    }
}

/// The database's own client and nothing else.
pub(crate) enum Raw {
    Postgres(tokio_postgres::Client),
    MySql(Conn),
    Sqlite(rusqlite::Connection),
}

impl Raw {
    /// Reads the digest of the newest history row.
    pub(crate) async fn newest(&mut self) -> String {
        let sql = "SELECT format, digest FROM _windlass_migrations ORDER BY id DESC LIMIT 1";
        match self {
            Self::Postgres(client) => {
                let messages = client.simple_query(sql).await.expect("a history");
                let row = messages.iter().find_map(|message| match message {
                    tokio_postgres::SimpleQueryMessage::Row(row) => row.get(1),
                    _ => None,
                });
                row.expect("a row").to_owned()
            }
            Self::MySql(conn) => {
                let row: Option<(u32, String)> = conn.query_first(sql).await.expect("a history");
                row.expect("a row").1
            }
            Self::Sqlite(connection) => connection.query_row(sql, [], |row| row.get(1)).expect("a row"),
        }
    }

    /// Fetches the rows of all queries of one message; gives how many.
    pub(crate) async fn rows(&mut self, sql: &str) -> usize {
        match self {
            Self::Postgres(client) => {
                let messages = client.simple_query(sql).await.expect("rows");
                let is_row = |message: &&_| matches!(message, tokio_postgres::SimpleQueryMessage::Row(_));
                messages.iter().filter(is_row).count()
            }
            Self::MySql(conn) => {
                let mut result = conn.query_iter(sql).await.expect("rows");
                let mut count = 0;
                while !result.is_empty() {
                    count += result.collect::<mysql_async::Row>().await.expect("rows").len();
                }
                count
            }
            Self::Sqlite(connection) => {
                let mut count = 0;
                for query in sql.split(';') {
                    let mut statement = connection.prepare(query).expect("a query");
                    let columns = statement.column_count();
                    let mut rows = statement.query([]).expect("rows");
                    while let Some(row) = rows.next().expect("a row") {
                        let values = (0..columns).map(|column| row.get::<_, rusqlite::types::Value>(column));
                        count += usize::from(values.collect::<Result<Vec<_>, _>>().is_ok());
                    }
                }
                count
            }
        }
    }

    /// Sends one message of statements without rows.
    pub(crate) async fn run(&mut self, sql: &str) {
        match self {
            Self::Postgres(client) => client.batch_execute(sql).await.expect("statements"),
            Self::MySql(conn) => {
                let result = conn.query_iter(sql).await.expect("statements");
                result.drop_result().await.expect("statements");
            }
            Self::Sqlite(connection) => connection.execute_batch(sql).expect("statements"),
        }
    }
}

/// Options of a run with plain settings.
pub(crate) fn options() -> DeployOptions {
    DeployOptions::new(run())
}

/// Who the runs here are.
pub(crate) fn run() -> Run {
    Run {
        owner: format!("bench-{}", std::process::id()),
        applied_by: "bench".to_owned(),
        tool: "0.0.0".to_owned(),
    }
}

/// Deploys, and tells how many migrations were applied.
pub(crate) async fn deploys(driver: &mut dyn Driver, migrations: &Migrations) -> usize {
    let report = deploy(driver, migrations, &options(), &mut Silent, &Stop::new()).await;
    report.expect("a deploy").applied.len()
}
