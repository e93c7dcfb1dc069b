//! What the tests of this driver share: servers, scratch databases, a raw client and hand-made steps.

pub(crate) mod proxy;

use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Opts, Row};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use windlass_core::driver::{Run, Watch};
use windlass_core::history::{AttemptKind, InFlight};
use windlass_core::migration::{Checksums, Migration, Script};
use windlass_core::plan::{Claim, Execute, Record, Step};
use windlass_mysql::{MySql, Nothing, Options, connect, create_database};

const SERVERS: [&str; 3] =
    ["WINDLASS_TEST_MARIADB_10_11", "WINDLASS_TEST_MARIADB_11_8", "WINDLASS_TEST_MYSQL_9_7"];

/// A server, and an empty database on it.
pub(crate) struct Scratch {
    pub(crate) url: String,
    pub(crate) name: String,
    pub(crate) is_maria: bool,
    raw: Conn,
}

/// Runs the test on every server that is configured, each time in a database of its own.
pub(crate) fn on_each(test: impl AsyncFn(&mut Scratch)) {
    let servers: Vec<(&str, String)> =
        SERVERS.iter().filter_map(|name| Some((*name, std::env::var(name).ok()?))).collect();
    assert!(!servers.is_empty(), "set one of {SERVERS:?}");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for (name, url) in servers {
        eprintln!("on {name}");
        runtime.block_on(async {
            let mut scratch = Scratch::new(&url, name.contains("MARIADB")).await;
            test(&mut scratch).await;
            scratch.raw(&format!("DROP DATABASE {}", scratch.name.clone())).await;
        });
    }
}

static COUNT: AtomicUsize = AtomicUsize::new(0);

impl Scratch {
    async fn new(server: &str, is_maria: bool) -> Self {
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("windlass_test_driver_{}_{number}", std::process::id());
        let url = format!("{}/{name}", server.rsplit_once('/').unwrap().0);
        create_database(&Options::parse_with(&url, &Nothing).unwrap()).await.unwrap();
        let raw = Conn::new(Opts::from_url(&url).unwrap()).await.unwrap();
        Self { url, name, is_maria, raw }
    }

    pub(crate) fn options(&self) -> Options {
        Options::parse_with(&self.url, &Nothing).unwrap()
    }

    pub(crate) async fn driver(&self) -> MySql<'static> {
        connect(&self.options()).await.unwrap()
    }

    /// The first column of what a plain client sees.
    pub(crate) async fn raw(&mut self, sql: &str) -> Vec<String> {
        let rows: Vec<Row> = self.raw.query(sql).await.unwrap();
        let text = |row: Row| row.unwrap().swap_remove(0);
        rows.into_iter()
            .map(text)
            .map(|value| match value {
                mysql_async::Value::NULL => "NULL".to_owned(),
                value => mysql_async::from_value(value),
            })
            .collect()
    }

    /// Waits until a plain client sees this.
    pub(crate) async fn until(&mut self, sql: &str, value: &str) {
        let began = Instant::now();
        while self.raw(sql).await != [value] {
            assert!(began.elapsed() < Duration::from_secs(20), "{sql} is never {value}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The table that lists sessions whatever letters stand in what they run.
    pub(crate) fn sessions(&self) -> &'static str {
        if self.is_maria { "information_schema.processlist" } else { "performance_schema.processlist" }
    }

    /// What a plain client does, whether or not it is refused.
    pub(crate) async fn attempt(&mut self, sql: &str) {
        let _ = self.raw.query_drop(sql).await;
    }

    /// Whether a plain client is refused this.
    pub(crate) async fn is_refused(&mut self, sql: &str) -> bool {
        self.raw.query_drop(sql).await.is_err()
    }

    /// Ends the session that wrote the newest row of the history, and waits until it is gone.
    pub(crate) async fn kill_owner(&mut self) {
        let session =
            self.raw("SELECT session FROM _windlass_migrations ORDER BY id DESC LIMIT 1").await.remove(0);
        let id = session.split('/').next().unwrap().to_owned();
        self.attempt(&format!("KILL {id}")).await;
        let listed = format!("SELECT id FROM {} WHERE id = {id}", self.sessions());
        for _ in 0..1000 {
            if self.raw(&listed).await.is_empty() {
                return;
            }
        }
        panic!("session {id} outlives its end");
    }

    /// Makes the database empty again.
    pub(crate) async fn empty(&mut self) {
        let name = self.name.clone();
        self.raw(&format!("DROP DATABASE {name}")).await;
        create_database(&self.options()).await.unwrap();
        self.raw(&format!("USE {name}")).await;
    }

    /// The names of the tables, the history left out.
    pub(crate) async fn tables(&mut self) -> Vec<String> {
        let mut tables = self.raw("SHOW TABLES").await;
        tables.retain(|name| name != "_windlass_migrations");
        tables
    }
}

pub(crate) fn run(owner: &str) -> Run {
    Run { owner: owner.to_owned(), applied_by: "mia@host".to_owned(), tool: "0.1.0".to_owned() }
}

pub(crate) fn migration(name: &'static str) -> Migration {
    Migration::new(name, Script::new(name, ""))
}

pub(crate) fn checksums(digit: char) -> Checksums {
    let raw: String = std::iter::repeat_n(digit, 64).collect();
    Checksums { tokens: format!("t1:{raw}"), raw }
}

pub(crate) fn claim<'m>(name: &'m str, in_flight: Option<(u32, u32)>) -> Claim<'m> {
    Claim {
        kind: AttemptKind::Apply,
        name,
        checksums: checksums('a'),
        statements: 3,
        in_flight: flight(in_flight),
        watched: Vec::new(),
        supersedes: false,
    }
}

pub(crate) fn flight(in_flight: Option<(u32, u32)>) -> Option<InFlight> {
    in_flight.map(|(first, last)| InFlight { first, last })
}

pub(crate) fn execute<'m>(migration: &'m Migration, number: u32, sql: &'m str) -> Step<'m> {
    Step::Execute(Execute {
        migration,
        number,
        of: 3,
        sql,
        copy_data: None,
        line: 1,
        column: 1,
        secret: sql.contains("IDENTIFIED"),
        leaves_session_alone: false,
    })
}

pub(crate) fn checkpoint(name: &str, epoch: u32, completed: u32, in_flight: Option<(u32, u32)>) -> Step<'_> {
    let (prefix, in_flight) = ("p".to_owned(), flight(in_flight));
    Step::Checkpoint { name, epoch, completed, prefix, in_flight, watched: Vec::new() }
}

pub(crate) fn record(name: &str) -> Step<'_> {
    Step::Record(vec![Record { name, epoch: 1, completed: 3, digest: "d".repeat(64), decision: None }])
}

/// Writes down what it is told, and stops once so many steps have ended.
#[derive(Default)]
pub(crate) struct Diary {
    pub(crate) lines: Vec<String>,
    pub(crate) stop_after: Option<usize>,
    pub(crate) ended: usize,
}

impl Watch for Diary {
    fn starts(&mut self, step: usize) {
        self.lines.push(format!("+{step}"));
    }

    fn ends(&mut self, step: usize) {
        self.ended += 1;
        self.lines.push(format!("-{step}"));
    }

    fn should_stop(&self) -> bool {
        self.stop_after.is_some_and(|steps| self.ended >= steps)
    }
}
