//! Databases of a test's own, steps in short, and a wire that counts round trips.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};
use windlass_core::driver::{Driver as _, Failure, NoWatch, Run};
use windlass_core::history::AttemptKind;
use windlass_core::migration::{Checksums, Migration, Script};
use windlass_core::plan::{Claim, Execute, Record, Step};
use windlass_postgres::{Nothing, Options, Postgres};

/// Makes a test for each server out of functions that take a [`Database`].
///
/// A server that `WINDLASS_TEST_TARGETS` does not name was not asked for; one that it names must be there.
#[macro_export]
macro_rules! on_servers {
    ($($name:ident),+ $(,)?) => {
        mod postgres_14 { $($crate::on_servers!(@one $name, "postgres-14");)+ }
        mod postgres_18 { $($crate::on_servers!(@one $name, "postgres-18");)+ }
    };
    (@one $name:ident, $target:literal) => {
        #[test]
        #[ignore = "needs servers: cargo xtask test"]
        fn $name() {
            $crate::support::on($target, |database| Box::pin(super::$name(database)));
        }
    };
}

type Running = std::pin::Pin<Box<dyn Future<Output = ()> + Send>>;

pub(crate) fn on(target: &str, test: impl Fn(Database) -> Running) {
    let targets = std::env::var("WINDLASS_TEST_TARGETS");
    let targets = targets.expect("WINDLASS_TEST_TARGETS is not set: run `cargo xtask test`");
    if !targets.split(',').any(|named| named == target) {
        eprintln!("{target} is not among the targets that were asked for: {targets}");
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let database = Database::create(target).await;
        let (server, name) = (database.server.clone(), database.name.clone());
        // A test that fails leaves its database to the throwaway server's end.
        test(database).await;
        raw(&server).await.batch_execute(&format!("DROP DATABASE {name} WITH (FORCE)")).await.unwrap();
    });
}

/// An empty database.
#[derive(Clone)]
pub(crate) struct Database {
    pub(crate) server: String,
    pub(crate) name: String,
}

static COUNT: AtomicUsize = AtomicUsize::new(0);

impl Database {
    async fn create(target: &str) -> Self {
        let variable = format!("WINDLASS_TEST_{}", target.to_uppercase().replace('-', "_"));
        let server = std::env::var(&variable).unwrap_or_else(|_| panic!("{variable} is not set"));
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("windlass_test_driver_{}_{number}", std::process::id());
        let raw = raw(&server).await;
        raw.batch_execute(&format!("DROP DATABASE IF EXISTS {name}")).await.unwrap();
        raw.batch_execute(&format!("CREATE DATABASE {name} TEMPLATE template0")).await.unwrap();
        Self { server, name }
    }

    pub(crate) fn url(&self) -> String {
        let (server, _) = self.server.rsplit_once('/').unwrap();
        format!("{server}/{}", self.name)
    }

    /// The URL with another host, or port, or login.
    pub(crate) fn url_with(&self, host: &str) -> String {
        let url = self.url();
        let (login, rest) = url.split_once('@').unwrap();
        let (address, database) = rest.split_once('/').unwrap();
        let (_, port) = address.split_once(':').unwrap();
        format!("{login}@{host}:{port}/{database}")
    }

    pub(crate) fn options(&self) -> Options {
        options(&self.url())
    }

    pub(crate) async fn connect(&self) -> Postgres<'static> {
        Postgres::connect(&self.options()).await.unwrap()
    }

    /// Connected, and with the history in place.
    pub(crate) async fn ready(&self) -> Postgres<'static> {
        let mut driver = self.connect().await;
        driver.perform(&run("a"), &[Step::CreateHistory], &mut NoWatch).await.unwrap();
        driver.inspect().await.unwrap();
        driver
    }

    pub(crate) async fn raw(&self) -> Client {
        raw(&self.url()).await
    }

    pub(crate) async fn sql(&self, sql: &str) {
        self.raw().await.batch_execute(sql).await.unwrap();
    }

    /// The first value, `NULL` for NULL and for no row.
    pub(crate) async fn value(&self, sql: &str) -> String {
        value(&self.raw().await, sql).await
    }
}

pub(crate) fn options(url: &str) -> Options {
    Options::parse_with(url, &Nothing).unwrap()
}

pub(crate) async fn raw(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

pub(crate) async fn value(client: &Client, sql: &str) -> String {
    let messages = client.simple_query(sql).await.unwrap();
    let row = messages.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(row.get(0).unwrap_or("NULL").to_owned()),
        _ => None,
    });
    row.unwrap_or_else(|| "NULL".to_owned())
}

pub(crate) fn run(owner: &str) -> Run {
    Run { owner: owner.to_owned(), applied_by: "mia@host".to_owned(), tool: "0.1.0".to_owned() }
}

/// A migration whose text does not matter.
pub(crate) fn migration() -> Migration {
    Migration::new("1_a", Script::new("1_a.sql", "SELECT 1"))
}

pub(crate) fn checksums(seed: char) -> Checksums {
    Checksums { raw: seed.to_string().repeat(64), tokens: format!("t1:{seed}") }
}

pub(crate) fn claim(name: &str) -> Step<'_> {
    Step::Claim(vec![one_claim(name)])
}

pub(crate) fn one_claim(name: &str) -> Claim<'_> {
    let checksums = checksums('a');
    let kind = AttemptKind::Apply;
    Claim { kind, name, checksums, statements: 2, in_flight: None, watched: Vec::new(), supersedes: false }
}

pub(crate) fn record(name: &str) -> Step<'_> {
    Step::Record(vec![Record { name, epoch: 1, completed: 2, digest: "d".repeat(64), decision: None }])
}

/// One that neither creates a table nor inserts rows is not known to leave the session alone.
pub(crate) fn execute<'m>(migration: &'m Migration, sql: &'m str) -> Step<'m> {
    let leaves_session_alone = ["CREATE TABLE ", "INSERT INTO "].iter().any(|words| sql.starts_with(words));
    let (number, of, line, column) = (1, 1, 1, 1);
    Step::Execute(Execute {
        migration,
        number,
        of,
        sql,
        copy_data: None,
        line,
        column,
        secret: false,
        leaves_session_alone,
    })
}

pub(crate) fn copy<'m>(migration: &'m Migration, sql: &'m str, data: &'m str) -> Step<'m> {
    match execute(migration, sql) {
        Step::Execute(execute) => Step::Execute(Execute { copy_data: Some(data), ..execute }),
        step => step,
    }
}

/// Begin, claim, the statements, record, commit.
pub(crate) fn transaction<'m>(migration: &'m Migration, statements: &[&'m str]) -> Vec<Step<'m>> {
    let mut steps = vec![Step::Begin, claim("1_a")];
    steps.extend(statements.iter().map(|sql| execute(migration, sql)));
    steps.extend([record("1_a"), Step::Commit]);
    steps
}

pub(crate) async fn perform(driver: &mut Postgres<'_>, steps: &[Step<'_>]) -> Result<(), Failure> {
    driver.perform(&run("a"), steps, &mut NoWatch).await
}

/// Fails unless the driver's session is idle, outside any transaction.
pub(crate) async fn assert_no_transaction(driver: &mut Postgres<'_>, database: &Database) {
    driver.head().await.unwrap();
    let sql = "SELECT string_agg(state, ',') FROM pg_stat_activity \
               WHERE application_name = 'windlass' AND datname = current_database()";
    assert_eq!(database.value(sql).await, "idle");
}

/// How long the server's words are on their way: the client has sent by then all that it sends unanswered.
const FAR: std::time::Duration = std::time::Duration::from_millis(40);

/// A server's port through which every turn from the server's words to the client's is counted.
pub(crate) struct Wire {
    pub(crate) port: u16,
    turns: Arc<AtomicUsize>,
}

impl Wire {
    pub(crate) async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let here = listener.local_addr().unwrap().port();
        let turns = Arc::new(AtomicUsize::new(0));
        let counted = turns.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                client.set_nodelay(true).unwrap();
                server.set_nodelay(true).unwrap();
                let (from_client, to_client) = client.into_split();
                let (from_server, to_server) = server.into_split();
                let server_spoke = Arc::new(AtomicBool::new(true));
                let (spoke, counted) = (server_spoke.clone(), counted.clone());
                tokio::spawn(pass(from_client, to_server, std::time::Duration::ZERO, move || {
                    if spoke.swap(false, Ordering::SeqCst) {
                        counted.fetch_add(1, Ordering::SeqCst);
                    }
                }));
                tokio::spawn(pass(from_server, to_client, FAR, move || {
                    server_spoke.store(true, Ordering::SeqCst)
                }));
            }
        });
        Self { port: here, turns }
    }

    /// The round trips since the last call.
    pub(crate) fn round_trips(&self) -> usize {
        self.turns.swap(0, Ordering::SeqCst)
    }
}

async fn pass(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    distance: std::time::Duration,
    seen: impl Fn(),
) {
    let mut buffer = vec![0; 1 << 20];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        tokio::time::sleep(distance).await;
        seen();
        if to.write_all(&buffer[..length]).await.is_err() {
            break;
        }
    }
}

/// Waits until a query's first value is this.
pub(crate) async fn until(database: &Database, sql: &str, expected: &str) {
    let observer = database.raw().await;
    for _ in 0..6_000 {
        if value(&observer, sql).await == expected {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    panic!("never {expected}: {sql}");
}
