//! The transport over mysql_async.

use super::{Broken, Row, Rows, TransportError};
use crate::options::{Host, Options};
use crate::tls::Encryption;
use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt, stream};
use mysql_async::prelude::{GlobalHandler, Queryable};
use mysql_async::{
    ChangeUserOpts, Conn, DriverError, Error, InfileData, IoError, LocalInfileError, OptsBuilder, Pool, Value,
};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How long a connection of a pool is waited for: its owner may hold the last one.
const POOL_WAIT: Duration = Duration::from_secs(30);

/// One connection.
pub(crate) struct Transport<'c> {
    conn: Held<'c>,
    asked_for_file: Arc<AtomicBool>,
    /// A message was sent and its answer not read to the end.
    is_at_work: bool,
}

/// A connection of windlass's own, or one that an application lends.
enum Held<'c> {
    /// Ended with what it runs, unless that was answered to its end.
    Own(Leased),
    Borrowed(&'c mut Conn),
    /// Closed, unless it is given back to its pool as it was.
    OfPool(Leased),
}

/// What must not live on with a statement that nobody waits for, nor be in a pool with another's settings or locks.
struct Leased {
    conn: Option<Conn>,
    is_clean: bool,
}

impl Drop for Leased {
    fn drop(&mut self) {
        let Some(conn) = self.conn.take().filter(|_| !self.is_clean) else { return };
        close(conn);
    }
}

/// Ends what a connection runs, and the connection: neither can wait for the one that dropped it.
fn close(conn: Conn) {
    let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
    let (opts, id) = (conn.opts().clone(), conn.id());
    runtime.spawn(async move {
        if let Ok(mut other) = Conn::new(OptsBuilder::from_opts(opts)).await {
            // It may have ended by itself.
            let _ = other.query_drop(format!("KILL {id}")).await;
            let _ = other.disconnect().await;
        }
        let _ = conn.disconnect().await;
    });
}

impl Transport<'static> {
    /// Connects to one server, or to the socket where there is no host. One message may hold many statements.
    pub(super) async fn connect(
        options: &Options,
        host: Option<&Host>,
        encryption: &Encryption,
        database: Option<&str>,
    ) -> Result<Self, TransportError> {
        let asked_for_file = Arc::new(AtomicBool::new(false));
        let builder = OptsBuilder::default()
            .user(Some(options.user.as_str()))
            .pass(options.password.as_ref().map(|password| password.0.as_str()))
            .db_name(database)
            .prefer_socket(false)
            .tcp_keepalive(Some(Duration::from_secs(30)))
            // Both are asked for in a query of its own unless they are given. The server's limit is
            // read together with other things, and held to when messages are put together.
            .max_allowed_packet(Some(1 << 30))
            .wait_timeout(Some(28_800))
            .stmt_cache_size(0)
            // An UPDATE counts the rows it finds, not those it leaves other than they were: a batch of rows that
            // stay as they are is no end of a backfill. The other transport and the other databases do the same.
            .client_found_rows(true)
            .connect_attribute("program_name", "windlass")
            .local_infile_handler(Some(NoFiles(Arc::clone(&asked_for_file))));
        let builder = match (host, &options.socket) {
            (Some(host), _) => builder.ip_or_hostname(host.name.as_str()).tcp_port(host.port),
            (None, socket) => builder.socket(socket.as_ref().map(|path| path.display().to_string())),
        };
        let builder = with_tls(builder, encryption, options.ssl_ca()).await?;
        match tokio::time::timeout(options.connect_timeout, Conn::new(builder)).await {
            Ok(connected) => {
                let conn = Some(connected.map_err(TransportError::from)?);
                let conn = Held::Own(Leased { conn, is_clean: true });
                Ok(Self { conn, asked_for_file, is_at_work: false })
            }
            Err(_) => {
                let seconds = options.connect_timeout.as_secs();
                Err(TransportError::Lost(format!("no answer within {seconds} seconds")))
            }
        }
    }

    /// Takes a connection out of a pool.
    pub(super) async fn of_pool(pool: &Pool) -> Result<Self, TransportError> {
        let got = tokio::time::timeout(POOL_WAIT, pool.get_conn()).await;
        let got = got.map_err(|_| {
            let seconds = POOL_WAIT.as_secs();
            TransportError::Lost(format!("no connection of the pool came free within {seconds} seconds"))
        })?;
        let conn = Held::OfPool(Leased { conn: Some(got.map_err(TransportError::from)?), is_clean: false });
        Ok(Self { conn, asked_for_file: Arc::default(), is_at_work: false })
    }
}

impl<'c> Transport<'c> {
    /// Works on an application's connection.
    pub(super) fn borrowed(conn: &'c mut Conn) -> Self {
        Self { conn: Held::Borrowed(conn), asked_for_file: Arc::default(), is_at_work: false }
    }

    pub(super) fn is_lent(&self) -> bool {
        !matches!(self.conn, Held::Own(_))
    }

    pub(super) fn is_at_work(&self) -> bool {
        self.is_at_work
    }

    /// The connection is as it was when it was lent.
    pub(super) fn is_clean(&mut self) {
        if let Held::OfPool(leased) = &mut self.conn {
            leased.is_clean = true;
        }
    }

    /// Nothing where the connection is given away already.
    pub(super) fn conn(&mut self) -> Result<&mut Conn, Error> {
        match &mut self.conn {
            Held::Borrowed(conn) => Ok(conn),
            Held::Own(leased) | Held::OfPool(leased) => {
                leased.is_clean = false;
                leased.conn.as_mut().ok_or(Error::Driver(DriverError::ConnectionClosed))
            }
        }
    }

    /// Servers older than the command log in once more instead.
    pub(super) async fn renew(&mut self) -> Result<(), Error> {
        if self.is_lent() {
            return Ok(());
        }
        self.is_at_work = true;
        let conn = self.conn()?;
        let renewed = async {
            if !conn.reset().await? {
                conn.change_user(ChangeUserOpts::default()).await?;
            }
            Ok(())
        };
        let renewed = renewed.await;
        self.is_answered();
        renewed
    }

    fn is_answered(&mut self) {
        self.is_at_work = false;
        if let Held::Own(leased) = &mut self.conn {
            leased.is_clean = true;
        }
    }

    /// The database that is selected, and what the server greeted with as its version.
    pub(super) async fn surroundings(&mut self) -> Result<(Option<String>, String), TransportError> {
        let version = self.version();
        if let Some(name) = self.conn().map_err(TransportError::from)?.opts().db_name() {
            return Ok((Some(name.to_owned()), version));
        }
        let sets = self.send("SELECT DATABASE()", Rows::Keep, &mut |_, _| ()).await;
        let sets = sets.map_err(|broken| broken.error)?;
        Ok((sets.first().and_then(|rows| rows.first()?.first()?.clone()), version))
    }

    /// The server's version, from its greeting.
    pub(super) fn version(&mut self) -> String {
        let (major, minor, patch) = self.conn().map_or((0, 0, 0), |conn| conn.server_version());
        format!("{major}.{minor}.{patch}")
    }

    /// Whether an UPDATE counts the rows it finds; else it counts those that it leaves other than they were.
    pub(super) fn counts_found_rows(&mut self) -> bool {
        self.conn().is_ok_and(|conn| conn.opts().client_found_rows())
    }

    /// Sends one message of statements; see [`super::Transport::send`].
    pub(super) async fn send(
        &mut self,
        message: &str,
        rows: Rows,
        ended: &mut (dyn FnMut(usize, u64) + Send),
    ) -> Result<Vec<Vec<Row>>, Broken> {
        let mut sets = Vec::new();
        let mut completed = 0;
        self.is_at_work = true;
        let drained = self.drain(message, rows, ended, &mut sets, &mut completed).await;
        self.is_answered();
        match drained {
            // Only the last statement of a message can be one that asks for a file.
            Ok(()) if self.asked_for_file.swap(false, Ordering::SeqCst) => {
                Err(Broken { completed: completed.saturating_sub(1), sets, error: TransportError::LocalFile })
            }
            Ok(()) => Ok(sets),
            Err(error) => Err(Broken { completed, sets, error: error.into() }),
        }
    }

    async fn drain(
        &mut self,
        message: &str,
        rows: Rows,
        ended: &mut (dyn FnMut(usize, u64) + Send),
        sets: &mut Vec<Vec<Row>>,
        completed: &mut usize,
    ) -> Result<(), Error> {
        let mut result = self.conn()?.query_iter(message).await?;
        while let Some(columns) = result.columns() {
            let mut set = Vec::new();
            // An answer without rows is whole when it is here. Reading on waits for the next
            // statement, whose failure shows at this place: the one before it has ended by then.
            if columns.is_empty() {
                ended(*completed, result.affected_rows());
                *completed += 1;
            }
            while let Some(row) = result.next().await? {
                if rows == Rows::Keep {
                    set.push(row.unwrap().into_iter().map(into_text).collect());
                }
            }
            if !columns.is_empty() {
                ended(*completed, result.affected_rows());
                *completed += 1;
            }
            sets.push(set);
        }
        // A failure after the last set that was looked at would else come up in the next message.
        result.drop_result().await
    }
}

fn into_text(value: Value) -> Option<String> {
    match value {
        Value::NULL => None,
        Value::Bytes(bytes) => Some(match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
        }),
        other => Some(other.as_sql(true)),
    }
}

/// Answers a request for a file of this machine: notes that it was made, and sends nothing.
///
/// A refusal would make the native client drop the connection; an empty file loads no row, and the
/// statement is then told as failed.
struct NoFiles(Arc<AtomicBool>);

impl GlobalHandler for NoFiles {
    fn handle(&self, _: &[u8]) -> BoxFuture<'static, Result<InfileData, LocalInfileError>> {
        self.0.store(true, Ordering::SeqCst);
        async { Ok(stream::empty().boxed()) }.boxed()
    }
}

#[cfg(feature = "tls-rustls")]
async fn with_tls(
    builder: OptsBuilder,
    encryption: &Encryption,
    ca: Option<&Path>,
) -> Result<OptsBuilder, TransportError> {
    let options = crate::tls::ssl_opts(encryption, ca).map_err(TransportError::Tls)?;
    Ok(builder.ssl_opts(options))
}

#[cfg(not(feature = "tls-rustls"))]
async fn with_tls(
    builder: OptsBuilder,
    encryption: &Encryption,
    _: Option<&Path>,
) -> Result<OptsBuilder, TransportError> {
    match encryption.mode {
        crate::SslMode::Disabled => Ok(builder),
        crate::SslMode::Preferred => Err(TransportError::NoTls),
        _ => Err(TransportError::Tls("this windlass is built without encryption".to_owned())),
    }
}

impl From<Error> for TransportError {
    fn from(error: Error) -> Self {
        match error {
            Error::Server(error) => Self::told(error.code, &error.state, &error.message),
            Error::Driver(DriverError::LocalInfile(_)) => Self::LocalFile,
            Error::Driver(DriverError::NoClientSslFlagFromServer) => Self::NoTls,
            Error::Driver(error) => Self::Lost(error.to_string()),
            #[cfg(feature = "tls-rustls")]
            Error::Io(IoError::Tls(error)) => Self::Tls(error.to_string()),
            // rustls tells of a bad certificate through the stream it reads from.
            Error::Io(IoError::Io(error)) if crate::tls::is_tls(&error) => Self::Tls(error.to_string()),
            Error::Io(IoError::Io(error)) => Self::Lost(error.to_string()),
            other => Self::Lost(other.to_string()),
        }
    }
}
