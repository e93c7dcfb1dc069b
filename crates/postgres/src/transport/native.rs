//! The transport over tokio-postgres: messages are sent ahead, and each has its own answer.

use super::cancelling::process_of;
use super::{Told, TransportError, chain};
use crate::tls::Connector;
use crate::traces::{connection_ended, could_not_ask_to_stop};
use futures_util::{SinkExt as _, StreamExt as _};
use std::error::Error as _;
use std::io::Cursor;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio_postgres::config::{Config, SslMode};
use tokio_postgres::error::{DbError, ErrorPosition, Severity};
use tokio_postgres::tls::NoTls;
use tokio_postgres::{CancelToken, Client, Error, SimpleQueryMessage, SimpleQueryRow, SimpleQueryStream};

/// How much of COPY's data goes out as one message.
const COPY_CHUNK: usize = 64 * 1024;

/// One session on the server.
pub(crate) struct Session<'c> {
    client: Held<'c>,
    connector: Connector,
    /// The way to the server, where it is known.
    config: Option<Config>,
    /// What moves the messages of a client of windlass's own, until the server has closed the connection.
    task: Option<JoinHandle<()>>,
    /// Messages so far, and the last one that was answered to its end: answers come in the order of the messages.
    sent: AtomicU64,
    answered: AtomicU64,
    /// What is sent behind the next message, so that its answer does not wait for it.
    behind_the_next: Mutex<Option<String>>,
}

/// A client of windlass's own, or one that an application lends.
enum Held<'c> {
    Own(Client),
    Borrowed(&'c mut Client),
}

impl std::ops::Deref for Held<'_> {
    type Target = Client;

    fn deref(&self) -> &Client {
        match self {
            Self::Own(client) => client,
            Self::Borrowed(client) => client,
        }
    }
}

impl<'c> Session<'c> {
    /// Works on an application's connection. A running statement is never cancelled there: a request that comes
    /// late would meet the application's own.
    pub(super) fn borrowed(client: &'c mut Client) -> Self {
        Self::on(Held::Borrowed(client), Connector::Plain)
    }

    fn on(client: Held<'c>, connector: Connector) -> Self {
        let (sent, answered) = (AtomicU64::new(0), AtomicU64::new(0));
        let behind_the_next = Mutex::new(None);
        Self { client, connector, config: None, task: None, sent, answered, behind_the_next }
    }

    /// Sends a query whose answer nobody waits for. Nothing is awaited, so that it can be done when a future is dropped.
    pub(super) fn leave_behind(&self, sql: &str) {
        let mut sent = std::pin::pin!(self.client.simple_query_raw(sql));
        // The first poll puts the message on its way.
        let _ = sent.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop()));
    }

    /// Sends this behind the next message, whose answer does not wait for it.
    pub(super) fn leave_behind_the_next(&self, sql: String) {
        *self.behind_the_next.lock().unwrap_or_else(PoisonError::into_inner) = Some(sql);
    }

    /// The client itself, for a function of the program.
    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// Counts a message, or a function of the program that sends some, and gives its number.
    pub(crate) fn begins(&self) -> u64 {
        self.sent.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// It was answered to its end.
    pub(crate) fn ends(&self, number: u64) {
        self.answered.fetch_max(number, Ordering::Relaxed);
    }

    /// Whether the server may be at something.
    pub(super) fn is_at_work(&self) -> bool {
        self.answered.load(Ordering::Relaxed) < self.sent.load(Ordering::Relaxed)
    }

    pub(super) fn is_borrowed(&self) -> bool {
        matches!(self.client, Held::Borrowed(_))
    }

    /// Opens a session, and tells the server's version.
    pub(super) async fn open(
        config: &Config,
        connector: Connector,
    ) -> Result<(Session<'static>, String), TransportError> {
        let (client, version, task) = match &connector {
            Connector::Plain => {
                let (client, connection) = config.connect(NoTls).await.map_err(told)?;
                let version = connection.parameter("server_version").unwrap_or_default().to_owned();
                (client, version, tokio::spawn(until_closed(connection)))
            }
            #[cfg(any(feature = "tls-rustls", feature = "tls-native-tls"))]
            Connector::Encrypted(tls) => {
                let (client, connection) = config.connect(tls.clone()).await.map_err(told)?;
                let version = connection.parameter("server_version").unwrap_or_default().to_owned();
                (client, version, tokio::spawn(until_closed(connection)))
            }
        };
        let session = Session::on(Held::Own(client), connector);
        Ok((session.known(config, task), version))
    }

    fn known(mut self, config: &Config, task: JoinHandle<()>) -> Self {
        (self.config, self.task) = (Some(config.clone()), Some(task));
        self
    }

    pub(super) async fn process_told(&self) -> Option<i32> {
        process_of(&self.client.cancel_token()).await
    }

    /// The client has a key of its own for that.
    pub(super) fn keep_process(&self, _process: &str) {}

    pub(super) fn is_closed(&self, _error: &(dyn std::error::Error + Send + Sync + 'static)) -> bool {
        self.client.is_closed()
    }

    /// Opens another session on the same server; `None` beside one that was lent, whose way there is not known.
    pub(super) async fn another(&self, application: &str) -> Option<Session<'static>> {
        let mut config = self.config.clone()?;
        config.application_name(application);
        Session::open(&config, self.connector.clone()).await.ok().map(|(session, _)| session)
    }

    /// Puts a message on its way: this future is ready at once.
    pub(super) async fn send(&self, sql: &str) -> Answer<'_> {
        let number = self.begins();
        let stream = self.client.simple_query_raw(sql).await.map(Box::pin).map_err(told);
        let behind = self.behind_the_next.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(behind) = behind {
            self.leave_behind(&behind);
        }
        Answer { answered: &self.answered, number, stream, done: 0, lets_data_go: false }
    }

    /// Runs `COPY … FROM stdin` with its data.
    pub(super) async fn copy_in(&self, sql: &str, data: &str) -> Result<(), TransportError> {
        let number = self.begins();
        let copied = async {
            let mut sink = Box::pin(self.client.copy_in::<_, Cursor<Vec<u8>>>(sql).await?);
            for chunk in data.as_bytes().chunks(COPY_CHUNK) {
                // The reason for a hang-up comes with the end of the copy.
                if sink.feed(Cursor::new(chunk.to_vec())).await.is_err() {
                    break;
                }
            }
            sink.as_mut().finish().await
        };
        let copied = copied.await;
        self.ends(number);
        copied.map(|_| ()).map_err(told)
    }

    /// Asks the server, over a connection of its own, to stop what the session runs.
    pub(super) async fn cancel(&self) {
        if self.is_borrowed() {
            return;
        }
        ask_to_stop(&self.client.cancel_token(), &self.connector).await;
    }
}

/// A future that was dropped leaves the server at work. A connection of windlass's own is closed, and what it runs
/// is stopped: by a task, since nothing can be awaited here.
impl Drop for Session<'_> {
    fn drop(&mut self) {
        let (Held::Own(client), true, Some(mut task), Ok(runtime)) =
            (&self.client, self.is_at_work(), self.task.take(), Handle::try_current())
        else {
            return;
        };
        let (token, connector) = (client.cancel_token(), self.connector.clone());
        runtime.spawn(async move {
            // Each request stops one statement, and others may be on their way behind it.
            for _ in 0..REQUESTS_TO_STOP {
                ask_to_stop(&token, &connector).await;
                if tokio::time::timeout(BETWEEN_REQUESTS, &mut task).await.is_ok() {
                    return;
                }
            }
        });
    }
}

/// How often a connection that is to be closed is asked to stop.
const REQUESTS_TO_STOP: usize = 600;
const BETWEEN_REQUESTS: Duration = Duration::from_millis(100);

async fn ask_to_stop(token: &CancelToken, connector: &Connector) {
    let sent = match connector {
        Connector::Plain => token.cancel_query(NoTls).await,
        #[cfg(any(feature = "tls-rustls", feature = "tls-native-tls"))]
        Connector::Encrypted(tls) => token.cancel_query(tls.clone()).await,
    };
    if let Err(error) = sent {
        could_not_ask_to_stop(&error);
    }
}

/// The session's task: it ends with the session, and what ended it is told to whoever waits for an answer.
async fn until_closed(connection: impl Future<Output = Result<(), Error>>) {
    if let Err(error) = connection.await {
        connection_ended(&error);
    }
}

/// The answer to one message.
pub(super) struct Answer<'s> {
    answered: &'s AtomicU64,
    number: u64,
    stream: Result<Pin<Box<SimpleQueryStream>>, TransportError>,
    /// How many of the message's statements were done.
    pub(super) done: usize,
    pub(super) lets_data_go: bool,
}

impl Answer<'_> {
    pub(super) fn is_sent(&self) -> bool {
        self.stream.is_ok()
    }

    /// Reads to the end: gives the rows away, and tells how many were touched. May be dropped between messages and
    /// called again.
    pub(super) async fn read(&mut self, keep: impl FnMut(SimpleQueryRow)) -> Result<u64, TransportError> {
        let answer = self.read_all(keep).await;
        self.answered.fetch_max(self.number, Ordering::Relaxed);
        answer
    }

    async fn read_all(&mut self, mut keep: impl FnMut(SimpleQueryRow)) -> Result<u64, TransportError> {
        let stream = match &mut self.stream {
            Ok(stream) => stream,
            Err(error) => return Err(error.clone()),
        };
        let mut touched = 0;
        while let Some(message) = stream.next().await {
            match message {
                Err(error) if self.lets_data_go && is_data(&error) => {}
                Ok(SimpleQueryMessage::CommandComplete(rows)) => (touched, self.done) = (rows, self.done + 1),
                Ok(SimpleQueryMessage::Row(row)) => keep(row),
                message => drop(message.map_err(told)?),
            }
        }
        Ok(touched)
    }
}

/// The configuration's way to say whether TLS is used.
pub(crate) fn ssl_mode(connector: &Connector, only_if_offered: bool) -> SslMode {
    match (connector, only_if_offered) {
        (Connector::Plain, _) => SslMode::Disable,
        #[cfg(any(feature = "tls-rustls", feature = "tls-native-tls"))]
        (Connector::Encrypted(_), true) => SslMode::Prefer,
        #[cfg(any(feature = "tls-rustls", feature = "tls-native-tls"))]
        (Connector::Encrypted(_), false) => SslMode::Require,
    }
}

/// The stream knows no words of the server's that hold data, and goes on behind them.
fn is_data(error: &Error) -> bool {
    error.source().is_none() && error.to_string() == "unexpected message from server"
}

fn told(error: Error) -> TransportError {
    if let Some(error) = error.as_db_error() {
        return TransportError::Told(Box::new(words(error)));
    }
    let words = chain(&error);
    let is_io = error.source().is_some_and(|source| source.downcast_ref::<std::io::Error>().is_some());
    if words.starts_with("error performing TLS handshake") {
        TransportError::Tls(words)
    } else if error.is_closed() || (is_io && !words.starts_with("error encoding")) {
        TransportError::Lost(words)
    } else {
        TransportError::Unusable(words)
    }
}

fn words(error: &DbError) -> Told {
    let (position, inner) = match error.position() {
        Some(ErrorPosition::Original(position)) => (Some(*position), None),
        Some(ErrorPosition::Internal { position, query }) => (None, Some((query.clone(), *position))),
        None => (None, None),
    };
    let owned = |text: Option<&str>| text.map(str::to_owned);
    Told {
        is_fatal: matches!(error.parsed_severity(), Some(Severity::Fatal | Severity::Panic)),
        code: error.code().code().to_owned(),
        message: error.message().to_owned(),
        detail: owned(error.detail()),
        hint: owned(error.hint()),
        place: owned(error.where_()),
        position,
        inner,
        schema: owned(error.schema()),
        table: owned(error.table()),
        column: owned(error.column()),
        constraint: owned(error.constraint()),
    }
}
