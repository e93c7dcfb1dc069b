//! Transport: the few functions that speak to the server. All that is known of PostgreSQL stands elsewhere.

mod cancelling;
mod native;
#[cfg(feature = "sqlx")]
mod sqlx;

pub(crate) use native::ssl_mode;
pub(crate) use windlass_core::driver::chain;

use crate::tls::Connector;
use tokio_postgres::config::Config;
use tokio_postgres::{Client, SimpleQueryRow};

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
pub(crate) enum Session<'c> {
    Native(native::Session<'c>),
    #[cfg(feature = "sqlx")]
    Sqlx(sqlx::Session<'c>),
}

impl<'c> Session<'c> {
    /// Works on an application's connection. A running statement is never cancelled there: a request that comes
    /// late would meet the application's own.
    pub(crate) fn borrowed(client: &'c mut Client) -> Self {
        Self::Native(native::Session::borrowed(client))
    }

    /// The same on a connection of sqlx.
    #[cfg(feature = "sqlx")]
    pub(crate) fn borrowed_of_sqlx(connection: &'c mut ::sqlx::PgConnection) -> Self {
        Self::Sqlx(sqlx::Session::borrowed(connection))
    }

    /// A connection of windlass's own, opened as the pool opens its own.
    #[cfg(feature = "sqlx")]
    pub(crate) async fn beside_pool(pool: &::sqlx::PgPool) -> Result<Session<'static>, TransportError> {
        Ok(Session::Sqlx(sqlx::Session::beside_pool(pool).await?))
    }

    /// Opens a session, and tells the server's version.
    pub(crate) async fn open(
        config: &Config,
        connector: Connector,
    ) -> Result<(Session<'static>, String), TransportError> {
        let (session, version) = native::Session::open(config, connector).await?;
        Ok((Session::Native(session), version))
    }

    /// Opens another session on the same server; `None` beside one that was lent, whose way there is not known.
    pub(crate) async fn another(&self, application: &str) -> Option<Session<'static>> {
        match self {
            Self::Native(session) => session.another(application).await.map(Session::Native),
            #[cfg(feature = "sqlx")]
            Self::Sqlx(session) => session.another(application).await.map(Session::Sqlx),
        }
    }

    /// Whether it was opened by windlass's rules, with its settings: every other is looked at first, and pinned.
    pub(crate) fn is_pinned(&self) -> bool {
        match self {
            Self::Native(session) => !session.is_borrowed(),
            #[cfg(feature = "sqlx")]
            Self::Sqlx(_) => false,
        }
    }

    /// Whether many messages may be on their way unanswered.
    pub(crate) fn sends_ahead(&self) -> bool {
        match self {
            Self::Native(_) => true,
            #[cfg(feature = "sqlx")]
            Self::Sqlx(_) => false,
        }
    }

    /// The number of the server's process as it was told when the connection began; nothing where it is not known.
    pub(crate) async fn process_told(&self) -> Option<i32> {
        match self {
            Self::Native(session) => session.process_told().await,
            #[cfg(feature = "sqlx")]
            Self::Sqlx(_) => None,
        }
    }

    /// The settings that the client asks for when it connects, whatever an application wants.
    pub(crate) fn settings_asked_for(&self) -> [&'static str; 3] {
        ["DateStyle", "client_encoding", "TimeZone"]
    }

    /// Keeps the number of the server's process, where it takes that to stop what runs.
    pub(crate) fn keep_process(&self, process: &str) {
        match self {
            Self::Native(session) => session.keep_process(process),
            #[cfg(feature = "sqlx")]
            Self::Sqlx(session) => session.keep_process(process),
        }
    }

    /// Whether the connection is gone, which a function of the program met with this error.
    pub(crate) fn is_closed(&self, error: &(dyn std::error::Error + Send + Sync + 'static)) -> bool {
        match self {
            Self::Native(session) => session.is_closed(error),
            #[cfg(feature = "sqlx")]
            Self::Sqlx(session) => session.is_closed(error),
        }
    }

    /// Sends queries whose answers nobody waits for. Nothing is awaited, so that it can be done when a future is
    /// dropped. Over sqlx nothing can be sent so.
    pub(crate) fn leave_behind(&self, messages: &[String]) {
        match self {
            Self::Native(session) => messages.iter().for_each(|message| session.leave_behind(message)),
            #[cfg(feature = "sqlx")]
            Self::Sqlx(_) => {}
        }
    }

    /// Sends a query whose answer nobody waits for behind the next one, whose answer does not wait for it. Over sqlx
    /// nothing can be sent so.
    pub(crate) fn leave_behind_the_next(&self, message: String) {
        match self {
            Self::Native(session) => session.leave_behind_the_next(message),
            #[cfg(feature = "sqlx")]
            Self::Sqlx(_) => {}
        }
    }

    /// The connection itself, for a function of the program.
    pub(crate) fn link(&self) -> Link<'_> {
        match self {
            Self::Native(session) => Link::Native(session),
            #[cfg(feature = "sqlx")]
            Self::Sqlx(session) => Link::Sqlx(session),
        }
    }

    /// Sends a query. The answer comes later: many may be on their way, where the session sends ahead.
    pub(crate) async fn send(&self, sql: &str) -> Reply<'_> {
        let answer = match self {
            Self::Native(session) => Answer::Native(session.send(sql).await),
            #[cfg(feature = "sqlx")]
            Self::Sqlx(session) => Answer::Sqlx(session.ask(sql)),
        };
        Reply { answer, lead: None, touched: 0 }
    }

    /// The same behind a statement that is a message of its own; the answer is that of both.
    pub(crate) async fn send_behind(&self, lead: &str, sql: &str) -> Reply<'_> {
        let lead = Some(Box::new(self.send(lead).await));
        Reply { lead, ..self.send(sql).await }
    }

    /// The same for `COPY … TO stdout`, whose data nobody wants. For no statement that waits for data.
    pub(crate) async fn send_letting_data_go(&self, sql: &str) -> Reply<'_> {
        let mut reply = self.send(sql).await;
        match &mut reply.answer {
            Answer::Native(answer) => answer.lets_data_go = true,
            #[cfg(feature = "sqlx")]
            Answer::Sqlx(answer) => answer.lets_data_go = true,
        }
        reply
    }

    /// The same behind another statement.
    pub(crate) async fn send_letting_data_go_behind(&self, lead: &str, sql: &str) -> Reply<'_> {
        let lead = Some(Box::new(self.send(lead).await));
        Reply { lead, ..self.send_letting_data_go(sql).await }
    }

    /// Sends a query and reads its rows.
    pub(crate) async fn rows(&self, sql: &str) -> Result<Vec<Row>, TransportError> {
        self.send(sql).await.rows().await
    }

    /// Sends a query and waits until it is done.
    pub(crate) async fn run(&self, sql: &str) -> Result<(), TransportError> {
        self.send(sql).await.done().await
    }

    /// Runs `COPY … FROM stdin` with its data.
    pub(crate) async fn copy_in(&self, sql: &str, data: &str) -> Result<(), TransportError> {
        match self {
            Self::Native(session) => session.copy_in(sql, data).await,
            #[cfg(feature = "sqlx")]
            Self::Sqlx(session) => session.copy_in(sql, data).await,
        }
    }

    /// Whether it is windlass's own, and not one that an application lends.
    pub(crate) fn is_own(&self) -> bool {
        match self {
            Self::Native(session) => !session.is_borrowed(),
            #[cfg(feature = "sqlx")]
            Self::Sqlx(session) => session.is_own(),
        }
    }

    /// Whether the server may be at something: a future was dropped before its answer came.
    pub(crate) fn is_at_work(&self) -> bool {
        match self {
            Self::Native(session) => session.is_at_work(),
            #[cfg(feature = "sqlx")]
            Self::Sqlx(session) => session.is_at_work(),
        }
    }

    /// Asks the server, over a connection of its own, to stop what the session runs. Not on a connection that was lent.
    pub(crate) async fn cancel(&self) {
        match self {
            Self::Native(session) => session.cancel().await,
            #[cfg(feature = "sqlx")]
            Self::Sqlx(session) => session.cancel().await,
        }
    }
}

/// A connection as functions of the program get it.
pub(crate) enum Link<'s> {
    Native(&'s native::Session<'s>),
    #[cfg(feature = "sqlx")]
    Sqlx(&'s sqlx::Session<'s>),
}

/// A row, its values as text.
pub(crate) enum Row {
    Native(SimpleQueryRow),
    #[cfg(feature = "sqlx")]
    Sqlx(::sqlx::postgres::PgRow),
}

impl Row {
    /// The value in a column, counted from 0; `None` for NULL too.
    pub(crate) fn get(&self, column: usize) -> Option<&str> {
        match self {
            Self::Native(row) => row.get(column),
            #[cfg(feature = "sqlx")]
            Self::Sqlx(row) => sqlx::value(row, column).ok().flatten(),
        }
    }

    /// The value in the column of this name; `None` for NULL.
    pub(crate) fn try_get(&self, column: &str) -> Result<Option<&str>, String> {
        match self {
            Self::Native(row) => row.try_get(column).map_err(|error| error.to_string()),
            #[cfg(feature = "sqlx")]
            Self::Sqlx(row) => sqlx::value(row, column),
        }
    }
}

/// The answer to one message.
pub(crate) struct Reply<'s> {
    answer: Answer<'s>,
    /// What is answered before.
    lead: Option<Box<Reply<'s>>>,
    /// Rows that the statement touched, once it is answered.
    pub(crate) touched: u64,
}

enum Answer<'s> {
    Native(native::Answer<'s>),
    #[cfg(feature = "sqlx")]
    Sqlx(sqlx::Answer<'s>),
}

impl Reply<'_> {
    /// Whether the server gets the message: not one that cannot be written down in its protocol.
    pub(crate) fn is_sent(&self) -> bool {
        let is_sent = match &self.answer {
            Answer::Native(answer) => answer.is_sent(),
            #[cfg(feature = "sqlx")]
            Answer::Sqlx(_) => true,
        };
        is_sent && self.lead.as_ref().is_none_or(|lead| lead.is_sent())
    }

    /// How many statements of the message were done, once it is answered. Over sqlx that is not told.
    pub(crate) fn statements_done(&self) -> usize {
        match &self.answer {
            Answer::Native(answer) => answer.done,
            #[cfg(feature = "sqlx")]
            Answer::Sqlx(_) => 0,
        }
    }

    /// Reads to the end, and keeps the rows.
    pub(crate) async fn rows(self) -> Result<Vec<Row>, TransportError> {
        let mut rows = Vec::new();
        match self.answer {
            Answer::Native(mut answer) => answer.read(|row| rows.push(Row::Native(row))).await?,
            #[cfg(feature = "sqlx")]
            Answer::Sqlx(mut answer) => answer.read(|row| rows.push(Row::Sqlx(row))).await?,
        };
        Ok(rows)
    }

    /// Reads to the end, and lets rows go.
    pub(crate) async fn done(mut self) -> Result<(), TransportError> {
        self.wait().await
    }

    /// The same for an answer that others wait for too.
    pub(crate) async fn wait(&mut self) -> Result<(), TransportError> {
        if let Some(lead) = &mut self.lead {
            Box::pin(lead.wait()).await?;
            self.lead = None;
        }
        self.touched = match &mut self.answer {
            Answer::Native(answer) => answer.read(drop).await?,
            #[cfg(feature = "sqlx")]
            Answer::Sqlx(answer) => answer.read(drop).await?,
        };
        Ok(())
    }
}
