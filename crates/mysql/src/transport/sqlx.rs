//! The transport over sqlx.
//!
//! A pool lends none of its connections: one beside it is opened as the pool opens its own, so that a pool of one
//! is enough, nothing dirty ever comes back to it, and sqlx logs no statement, which may hold a secret.

use super::{Broken, Row, Rows, TransportError};
use futures_util::StreamExt as _;
use sqlx::error::Error;
use sqlx::mysql::{MySqlConnectOptions, MySqlDatabaseError, MySqlPool, MySqlRow};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Decode, Either, MySql, MySqlConnection};
use sqlx::{Row as _, ValueRef as _, raw_sql};

/// One connection.
pub(crate) struct Transport<'c> {
    connection: Held<'c>,
    /// The way to the server, where it is known.
    options: Option<Box<MySqlConnectOptions>>,
    /// The connection as the server numbers it, once it was asked.
    id: Option<String>,
    is_at_work: bool,
    /// Of an answer that was not understood the rest may still come.
    is_stuck: bool,
}

enum Held<'c> {
    Own(Box<MySqlConnection>),
    Borrowed(&'c mut MySqlConnection),
}

impl Transport<'static> {
    pub(super) async fn beside_pool(pool: &MySqlPool) -> Result<Self, TransportError> {
        if pool.is_closed() {
            return Err(Error::PoolClosed.into());
        }
        let options = MySqlConnectOptions::clone(&pool.connect_options()).disable_statement_logging();
        let connection = MySqlConnection::connect_with(&options).await?;
        Ok(Self::on(Held::Own(Box::new(connection)), Some(Box::new(options))))
    }
}

impl<'c> Transport<'c> {
    pub(super) fn borrowed(connection: &'c mut MySqlConnection) -> Self {
        Self::on(Held::Borrowed(connection), None)
    }

    fn on(connection: Held<'c>, options: Option<Box<MySqlConnectOptions>>) -> Self {
        Self { connection, options, id: None, is_at_work: false, is_stuck: false }
    }

    pub(super) fn is_lent(&self) -> bool {
        matches!(self.connection, Held::Borrowed(_))
    }

    pub(super) fn is_at_work(&self) -> bool {
        self.is_at_work
    }

    /// The database that is selected, and the server's version.
    pub(super) async fn surroundings(&mut self) -> Result<(Option<String>, String), TransportError> {
        let look = "SELECT DATABASE(), VERSION(), CONNECTION_ID()";
        let sets = self.send(look, Rows::Keep, &mut |_, _| ()).await.map_err(|broken| broken.error)?;
        let mut row = sets.into_iter().flatten().flatten();
        let (database, version) = (row.next().flatten(), row.next().flatten());
        self.id = row.next().flatten();
        Ok((database, version.unwrap_or_default()))
    }

    /// sqlx resets none: another connection takes its place.
    pub(super) async fn renew(&mut self) -> Result<(), TransportError> {
        let (Held::Own(connection), Some(options)) = (&mut self.connection, &self.options) else {
            return Ok(());
        };
        let old = std::mem::replace(&mut **connection, MySqlConnection::connect_with(options).await?);
        // It may be gone already.
        let _ = old.close().await;
        self.surroundings().await.map(|_| ())
    }

    /// The connection, for as long as one answer takes.
    pub(super) fn work(&mut self) -> Result<Work<'_>, TransportError> {
        if self.is_stuck {
            return Err(TransportError::Lost("the connection is of no more use".to_owned()));
        }
        self.is_at_work = true;
        let connection = match &mut self.connection {
            Held::Own(connection) => &mut **connection,
            Held::Borrowed(connection) => &mut **connection,
        };
        Ok(Work { connection, is_at_work: &mut self.is_at_work })
    }

    /// Sends one message of statements; see [`super::Transport::send`].
    pub(super) async fn send(
        &mut self,
        message: &str,
        rows: Rows,
        ended: &mut (dyn FnMut(usize, u64) + Send),
    ) -> Result<Vec<Vec<Row>>, Broken> {
        let (mut sets, mut set, mut completed) = (Vec::new(), Vec::new(), 0);
        let work = match self.work() {
            Ok(work) => work,
            Err(error) => return Err(Broken { completed, sets, error }),
        };
        let answered = async {
            let mut stream = raw_sql(AssertSqlSafe(message.to_owned())).fetch_many(&mut *work.connection);
            while let Some(answer) = stream.next().await {
                match answer? {
                    Either::Right(row) if rows == Rows::Keep => set.push(texts(&row)?),
                    Either::Right(_) => {}
                    Either::Left(end) => {
                        sets.push(std::mem::take(&mut set));
                        ended(completed, end.rows_affected());
                        completed += 1;
                    }
                }
            }
            Ok(())
        };
        let answered: Result<(), Error> = answered.await;
        work.ends();
        let Err(error) = answered else { return Ok(sets) };
        self.is_stuck = !matches!(error, Error::Database(_));
        Err(Broken { completed, sets, error: error.into() })
    }
}

/// A future that was dropped leaves the server at work. A connection of windlass's own is closed, and what it runs
/// is ended: by a task, since nothing can be awaited here.
impl Drop for Transport<'_> {
    fn drop(&mut self) {
        if !self.is_at_work {
            return;
        }
        if let (Some(options), Some(id), Ok(runtime)) =
            (self.options.take(), self.id.take(), tokio::runtime::Handle::try_current())
        {
            runtime.spawn(async move {
                if let Ok(mut beside) = MySqlConnection::connect_with(&options).await {
                    // It may have ended by itself.
                    let _ = raw_sql(AssertSqlSafe(format!("KILL {id}"))).execute(&mut beside).await;
                    let _ = beside.close().await;
                }
            });
        }
    }
}

/// A connection at work.
pub(crate) struct Work<'t> {
    pub(crate) connection: &'t mut MySqlConnection,
    is_at_work: &'t mut bool,
}

impl Work<'_> {
    /// It was answered to its end.
    pub(crate) fn ends(self) {
        *self.is_at_work = false;
    }
}

/// The values of a row, which the server gives as text.
fn texts(row: &MySqlRow) -> Result<Row, Error> {
    let text = |column| {
        let value = row.try_get_raw(column)?;
        if value.is_null() {
            return Ok(None);
        }
        let bytes = <&[u8] as Decode<'_, MySql>>::decode(value).map_err(Error::Decode)?;
        Ok(Some(String::from_utf8_lossy(bytes).into_owned()))
    };
    (0..row.len()).map(text).collect()
}

impl From<Error> for TransportError {
    fn from(error: Error) -> Self {
        match error {
            Error::Database(error) => {
                let error = error.downcast_ref::<MySqlDatabaseError>();
                Self::told(error.number(), error.code().unwrap_or_default(), error.message())
            }
            Error::Tls(error) => Self::Tls(error.to_string()),
            other => Self::Lost(other.to_string()),
        }
    }
}
