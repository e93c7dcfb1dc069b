//! The transport over sqlx: one message after the other, each answered before the next is sent.
//!
//! A pool lends none of its connections: one beside it is opened as the pool opens its own, so that a pool of one
//! is enough, nothing dirty ever comes back to it, and sqlx logs no statement, which may hold a secret.

use super::{Told, TransportError, chain};
use crate::traces::could_not_ask_to_stop;
use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use sqlx::error::Error;
use sqlx::postgres::{PgConnectOptions, PgDatabaseError, PgErrorPosition, PgRow, PgSeverity};
use sqlx::{AssertSqlSafe, ColumnIndex, ConnectOptions as _, Connection as _, Either, PgConnection, PgPool};
use sqlx::{Row as _, ValueRef as _, raw_sql};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::{MappedMutexGuard, Mutex, MutexGuard};

/// How much of COPY's data goes out as one message.
const COPY_CHUNK: usize = 64 * 1024;

/// One session on the server.
pub(crate) struct Session<'c> {
    connection: Box<dyn Lock + 'c>,
    /// The way to the server, where it is known.
    options: Option<PgConnectOptions>,
    /// The server's process.
    process: OnceLock<String>,
    is_at_work: AtomicBool,
    /// The server waits for what it never gets: nothing more can be asked of it.
    is_stuck: AtomicBool,
}

enum Held<'c> {
    Own(Box<PgConnection>),
    Borrowed(&'c mut PgConnection),
}

/// One at a time. Whose connection it is stands behind the trait: a lock would fix how long it is lent.
trait Lock: Send + Sync {
    fn lock(&self) -> BoxFuture<'_, MappedMutexGuard<'_, PgConnection>>;
}

impl Lock for Mutex<Held<'_>> {
    fn lock(&self) -> BoxFuture<'_, MappedMutexGuard<'_, PgConnection>> {
        Box::pin(async move {
            MutexGuard::map(Mutex::lock(self).await, |held| match held {
                Held::Own(connection) => &mut **connection,
                Held::Borrowed(connection) => &mut **connection,
            })
        })
    }
}

impl<'c> Session<'c> {
    pub(super) fn borrowed(connection: &'c mut PgConnection) -> Self {
        Self::on(Held::Borrowed(connection), None)
    }

    pub(super) async fn beside_pool(pool: &PgPool) -> Result<Session<'static>, TransportError> {
        if pool.is_closed() {
            return Err(told(Error::PoolClosed));
        }
        Session::open(PgConnectOptions::clone(&pool.connect_options())).await
    }

    async fn open(options: PgConnectOptions) -> Result<Session<'static>, TransportError> {
        let options = options.disable_statement_logging();
        let connection = PgConnection::connect_with(&options).await.map_err(told)?;
        Ok(Session::on(Held::Own(Box::new(connection)), Some(options)))
    }

    fn on(connection: Held<'c>, options: Option<PgConnectOptions>) -> Self {
        let (is_at_work, is_stuck) = (AtomicBool::new(false), AtomicBool::new(false));
        let connection = Box::new(Mutex::new(connection));
        Self { connection, options, process: OnceLock::new(), is_at_work, is_stuck }
    }

    pub(super) async fn another(&self, application: &str) -> Option<Session<'static>> {
        let options = self.options.clone()?.application_name(application);
        Session::open(options).await.ok()
    }

    pub(super) fn keep_process(&self, process: &str) {
        let _ = self.process.set(process.to_owned());
    }

    pub(super) fn is_closed(&self, error: &(dyn std::error::Error + Send + Sync + 'static)) -> bool {
        matches!(error.downcast_ref(), Some(Error::Io(_)))
    }

    /// A message that is sent when its answer is waited for.
    pub(super) fn ask(&self, sql: &str) -> Answer<'_> {
        Answer { session: self, sql: Some(sql.to_owned()), lets_data_go: false }
    }

    pub(super) async fn copy_in(&self, sql: &str, data: &str) -> Result<(), TransportError> {
        let mut work = self.work().await?;
        let copied = async {
            let mut sink = work.connection.copy_in_raw(sql).await?;
            for chunk in data.as_bytes().chunks(COPY_CHUNK) {
                // The reason for a hang-up comes with the end of the copy.
                if sink.send(chunk).await.is_err() {
                    break;
                }
            }
            sink.finish().await
        };
        let copied = copied.await;
        work.ends();
        copied.map(|_| ()).map_err(told)
    }

    /// What runs is stopped from a connection beside it, as the same user.
    pub(super) async fn cancel(&self) {
        let Some(request) = self.request_to_cancel() else { return };
        request.await;
    }

    fn request_to_cancel(&self) -> Option<impl Future<Output = ()> + Send + 'static> {
        let (options, process) = (self.options.clone()?, self.process.get()?.clone());
        Some(async move {
            let sent = async {
                let mut beside = PgConnection::connect_with(&options).await?;
                let cancel = AssertSqlSafe(format!("SELECT pg_catalog.pg_cancel_backend({process})"));
                raw_sql(cancel).execute(&mut beside).await?;
                beside.close().await
            };
            if let Err(error) = sent.await {
                could_not_ask_to_stop(&error);
            }
        })
    }

    pub(super) fn is_own(&self) -> bool {
        self.options.is_some()
    }

    pub(super) fn is_at_work(&self) -> bool {
        self.is_at_work.load(Ordering::Relaxed)
    }

    /// The connection, for as long as one answer takes.
    pub(crate) async fn work(&self) -> Result<Work<'_>, TransportError> {
        if self.is_stuck.load(Ordering::Relaxed) {
            return Err(TransportError::Lost("the connection is of no more use".to_owned()));
        }
        let connection = self.connection.lock().await;
        self.is_at_work.store(true, Ordering::Relaxed);
        Ok(Work { connection, is_at_work: &self.is_at_work })
    }
}

/// A future that was dropped leaves the server at work. A connection of windlass's own is closed, and what it runs
/// is stopped: by a task, since nothing can be awaited here.
impl Drop for Session<'_> {
    fn drop(&mut self) {
        if !self.is_at_work.load(Ordering::Relaxed) {
            return;
        }
        if let (Some(request), Ok(runtime)) =
            (self.request_to_cancel(), tokio::runtime::Handle::try_current())
        {
            runtime.spawn(request);
        }
    }
}

/// A connection at work.
pub(crate) struct Work<'s> {
    pub(crate) connection: MappedMutexGuard<'s, PgConnection>,
    is_at_work: &'s AtomicBool,
}

impl Work<'_> {
    /// It was answered to its end.
    pub(crate) fn ends(&self) {
        self.is_at_work.store(false, Ordering::Relaxed);
    }
}

/// The answer to one message, which is sent when it is first read.
pub(crate) struct Answer<'s> {
    session: &'s Session<'s>,
    sql: Option<String>,
    pub(super) lets_data_go: bool,
}

impl Answer<'_> {
    /// Reads to the end: gives the rows away, and tells how many were touched. Once.
    pub(super) async fn read(&mut self, mut keep: impl FnMut(PgRow)) -> Result<u64, TransportError> {
        let Some(sql) = self.sql.take() else {
            return Err(TransportError::Unusable("an answer was not read to its end".to_owned()));
        };
        let mut work = self.session.work().await?;
        let mut touched = 0;
        let mut answered = Ok(());
        {
            let mut stream = raw_sql(AssertSqlSafe(sql)).fetch_many(&mut *work.connection);
            while let Some(message) = stream.next().await {
                match message {
                    Ok(Either::Left(result)) => touched = result.rows_affected(),
                    Ok(Either::Right(row)) => keep(row),
                    Err(error) => answered = Err(error),
                }
            }
        }
        match answered {
            // The stream knows no words of the server's that hold data, and ends before them.
            Err(Error::Protocol(_)) if self.lets_data_go => answered = work.connection.ping().await,
            Err(Error::Protocol(_)) => self.session.is_stuck.store(true, Ordering::Relaxed),
            _ => {}
        }
        work.ends();
        answered.map(|()| touched).map_err(told)
    }
}

/// A value, which the simple protocol gives as text.
pub(super) fn value<I: ColumnIndex<PgRow>>(row: &PgRow, column: I) -> Result<Option<&str>, String> {
    let value = row.try_get_raw(column).map_err(|error| error.to_string())?;
    if value.is_null() {
        return Ok(None);
    }
    value.as_str().map(Some).map_err(|error| error.to_string())
}

pub(crate) fn told(error: Error) -> TransportError {
    let words = match &error {
        Error::Database(error) => return TransportError::Told(Box::new(words(error.downcast_ref()))),
        error => chain(error),
    };
    match error {
        Error::Tls(_) => TransportError::Tls(words),
        Error::Io(_) | Error::PoolClosed | Error::WorkerCrashed => TransportError::Lost(words),
        _ => TransportError::Unusable(words),
    }
}

fn words(error: &PgDatabaseError) -> Told {
    let number = |position: usize| u32::try_from(position).ok();
    let (position, inner) = match error.position() {
        Some(PgErrorPosition::Original(position)) => (number(position), None),
        Some(PgErrorPosition::Internal { position, query }) => {
            (None, number(position).map(|position| (query.to_owned(), position)))
        }
        None => (None, None),
    };
    let owned = |text: Option<&str>| text.map(str::to_owned);
    Told {
        is_fatal: matches!(error.severity(), PgSeverity::Fatal | PgSeverity::Panic),
        code: error.code().to_owned(),
        message: error.message().to_owned(),
        detail: owned(error.detail()),
        hint: owned(error.hint()),
        place: owned(error.r#where()),
        position,
        inner,
        schema: owned(error.schema()),
        table: owned(error.table()),
        column: owned(error.column()),
        constraint: owned(error.constraint()),
    }
}
