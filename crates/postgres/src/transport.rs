//! Transport: the few functions that speak to the server. All that is known of PostgreSQL stands elsewhere.

use crate::tls::Connector;
use futures_util::{SinkExt as _, StreamExt as _};
use std::error::Error as _;
use std::io::Cursor;
use std::pin::Pin;
use tokio_postgres::config::{Config, SslMode};
use tokio_postgres::error::{DbError, ErrorPosition, Severity};
use tokio_postgres::tls::NoTls;
use tokio_postgres::{Client, Error, SimpleQueryMessage, SimpleQueryRow, SimpleQueryStream};

/// How much of COPY's data goes out as one message.
const COPY_CHUNK: usize = 64 * 1024;

/// Why the server's answer is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TransportError {
    /// The server said no.
    Told(Box<Told>),
    /// The connection is gone.
    Lost(String),
    /// Nothing was sent, or the answer was none that can be used.
    Unusable(String),
    /// The encrypted channel could not be set up.
    Tls(String),
}

/// The server's words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Told {
    /// Whether the server ended the session with it.
    pub(crate) is_fatal: bool,
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) detail: Option<String>,
    pub(crate) hint: Option<String>,
    pub(crate) place: Option<String>,
    /// In the text that was sent: characters from 1.
    pub(crate) position: Option<u32>,
    /// A query that a function ran, and the position in it.
    pub(crate) inner: Option<(String, u32)>,
    pub(crate) schema: Option<String>,
    pub(crate) table: Option<String>,
    pub(crate) column: Option<String>,
    pub(crate) constraint: Option<String>,
}

/// One session on the server.
pub(crate) struct Session<'c> {
    client: Held<'c>,
    connector: Connector,
    /// The way to the server, where it is known.
    config: Option<Config>,
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
    pub(crate) fn borrowed(client: &'c mut Client) -> Self {
        Self { client: Held::Borrowed(client), connector: Connector::Plain, config: None }
    }

    /// Sends a query whose answer nobody waits for. Nothing is awaited, so that it can be done when a future is dropped.
    pub(crate) fn leave_behind(&self, sql: &str) {
        let mut sent = std::pin::pin!(self.client.simple_query_raw(sql));
        // The first poll puts the message on its way.
        let _ = sent.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop()));
    }

    /// The client itself, for a function of the program.
    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    pub(crate) fn is_borrowed(&self) -> bool {
        matches!(self.client, Held::Borrowed(_))
    }

    /// Opens a session, and tells the server's version.
    pub(crate) async fn open(
        config: &Config,
        connector: Connector,
    ) -> Result<(Session<'static>, String), TransportError> {
        let (client, version) = match &connector {
            Connector::Plain => {
                let (client, connection) = config.connect(NoTls).await.map_err(told)?;
                let version = connection.parameter("server_version").unwrap_or_default().to_owned();
                tokio::spawn(until_closed(connection));
                (client, version)
            }
            #[cfg(feature = "tls-rustls")]
            Connector::Rustls(tls) => {
                let (client, connection) = config.connect(tls.clone()).await.map_err(told)?;
                let version = connection.parameter("server_version").unwrap_or_default().to_owned();
                tokio::spawn(until_closed(connection));
                (client, version)
            }
        };
        Ok((Session { client: Held::Own(client), connector, config: Some(config.clone()) }, version))
    }

    /// Opens another session on the same server; `None` beside one that was lent, whose way there is not known.
    pub(crate) async fn another(&self, application: &str) -> Option<Session<'static>> {
        let mut config = self.config.clone()?;
        config.application_name(application);
        Session::open(&config, self.connector.clone()).await.ok().map(|(session, _)| session)
    }

    /// Sends a query. The answer comes later: many may be on their way.
    pub(crate) async fn send(&self, sql: &str) -> Reply {
        // This future is ready at once: it only puts the message on the way.
        let stream = self.client.simple_query_raw(sql).await.map(Box::pin).map_err(told);
        Reply { stream, lead: None, lets_data_go: false, touched: 0 }
    }

    /// The same behind a statement that is a message of its own; the answer is that of both.
    pub(crate) async fn send_behind(&self, lead: &str, sql: &str) -> Reply {
        let lead = Some(Box::new(self.send(lead).await));
        Reply { lead, ..self.send(sql).await }
    }

    /// The same for `COPY … TO stdout`, whose data nobody wants. For no statement that waits for data.
    pub(crate) async fn send_letting_data_go(&self, sql: &str) -> Reply {
        Reply { lets_data_go: true, ..self.send(sql).await }
    }

    /// The same behind another statement.
    pub(crate) async fn send_letting_data_go_behind(&self, lead: &str, sql: &str) -> Reply {
        Reply { lets_data_go: true, ..self.send_behind(lead, sql).await }
    }

    /// Sends a query and reads its rows.
    pub(crate) async fn rows(&self, sql: &str) -> Result<Vec<SimpleQueryRow>, TransportError> {
        self.send(sql).await.rows().await
    }

    /// Sends a query and waits until it is done.
    pub(crate) async fn run(&self, sql: &str) -> Result<(), TransportError> {
        self.send(sql).await.done().await
    }

    /// Runs `COPY … FROM stdin` with its data.
    pub(crate) async fn copy_in(&self, sql: &str, data: &str) -> Result<(), TransportError> {
        let sink = self.client.copy_in::<_, Cursor<Vec<u8>>>(sql).await.map_err(told)?;
        let mut sink = Box::pin(sink);
        for chunk in data.as_bytes().chunks(COPY_CHUNK) {
            // The reason for a hang-up comes with the end of the copy.
            if sink.feed(Cursor::new(chunk.to_vec())).await.is_err() {
                break;
            }
        }
        sink.as_mut().finish().await.map(|_| ()).map_err(told)
    }

    /// Asks the server, over a connection of its own, to stop what the session runs.
    pub(crate) async fn cancel(&self) {
        if self.is_borrowed() {
            return;
        }
        let token = self.client.cancel_token();
        let sent = match &self.connector {
            Connector::Plain => token.cancel_query(NoTls).await,
            #[cfg(feature = "tls-rustls")]
            Connector::Rustls(tls) => token.cancel_query(tls.clone()).await,
        };
        if let Err(error) = sent {
            tracing::warn!(error = %chain(&error), "the server could not be asked to stop");
        }
    }
}

/// The session's task: it ends with the session, and what ended it is told to whoever waits for an answer.
async fn until_closed(connection: impl Future<Output = Result<(), Error>>) {
    if let Err(error) = connection.await {
        tracing::debug!(error = %chain(&error), "the connection ended");
    }
}

/// The answer to one message.
pub(crate) struct Reply {
    stream: Result<Pin<Box<SimpleQueryStream>>, TransportError>,
    /// What is answered before.
    lead: Option<Box<Reply>>,
    lets_data_go: bool,
    /// Rows that the statement touched, once it is answered.
    pub(crate) touched: u64,
}

impl Reply {
    /// Whether the server gets the message: not one that cannot be written down in its protocol.
    pub(crate) fn is_sent(&self) -> bool {
        self.stream.is_ok() && self.lead.as_ref().is_none_or(|lead| lead.is_sent())
    }

    /// Reads to the end, and keeps the rows.
    pub(crate) async fn rows(self) -> Result<Vec<SimpleQueryRow>, TransportError> {
        let mut stream = self.stream?;
        let mut rows = Vec::new();
        while let Some(message) = stream.next().await {
            if let SimpleQueryMessage::Row(row) = message.map_err(told)? {
                rows.push(row);
            }
        }
        Ok(rows)
    }

    /// Reads to the end, and lets rows go. May be dropped between messages and called again.
    pub(crate) async fn done(mut self) -> Result<(), TransportError> {
        self.wait().await
    }

    /// The same for an answer that others wait for too.
    pub(crate) async fn wait(&mut self) -> Result<(), TransportError> {
        if let Some(lead) = &mut self.lead {
            Box::pin(lead.wait()).await?;
            self.lead = None;
        }
        let stream = match &mut self.stream {
            Ok(stream) => stream,
            Err(error) => return Err(error.clone()),
        };
        while let Some(message) = stream.next().await {
            match message {
                Err(error) if self.lets_data_go && is_data(&error) => {}
                Ok(SimpleQueryMessage::CommandComplete(rows)) => self.touched = rows,
                message => drop(message.map_err(told)?),
            }
        }
        Ok(())
    }
}

/// The configuration's way to say whether TLS is used.
pub(crate) fn ssl_mode(connector: &Connector, only_if_offered: bool) -> SslMode {
    match (connector, only_if_offered) {
        (Connector::Plain, _) => SslMode::Disable,
        #[cfg(feature = "tls-rustls")]
        (Connector::Rustls(_), true) => SslMode::Prefer,
        #[cfg(feature = "tls-rustls")]
        (Connector::Rustls(_), false) => SslMode::Require,
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

/// An error and its causes on one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_words = cause.to_string();
        if !words.ends_with(&cause_words) {
            words = format!("{words}: {cause_words}");
        }
        source = cause.source();
    }
    words
}
