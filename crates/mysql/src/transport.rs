//! Transport: the few functions that speak to the server. All that is known of MySQL and MariaDB stands elsewhere.

mod native;
#[cfg(feature = "sqlx")]
mod sqlx;

use crate::options::{Host, Options};
use crate::tls::Encryption;
use mysql_async::{Conn, Pool};

/// A row in the server's own text, `None` for NULL.
pub(crate) type Row = Vec<Option<String>>;

/// Whether the rows of a message are wanted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rows {
    Keep,
    Drop,
}

/// How far a message came.
#[derive(Debug)]
pub(crate) struct Broken {
    /// Statements that completed: the index of the one that failed.
    pub(crate) completed: usize,
    /// The rows of those before it.
    pub(crate) sets: Vec<Vec<Row>>,
    pub(crate) error: TransportError,
}

/// What the transport can tell of a failure.
#[derive(Debug)]
pub(crate) enum TransportError {
    Server {
        code: u16,
        state: String,
        message: String,
    },
    /// The server asked for a file of this machine's.
    LocalFile,
    /// Encryption could not be agreed upon.
    Tls(String),
    /// The server offers no encryption.
    NoTls,
    Lost(String),
}

/// What servers say that would load a file of the client's machine, where they or the client do not do that.
const LOCAL_FILES_ARE_OFF: [u16; 2] = [3948, 4166];

impl TransportError {
    /// The server's words.
    fn told(code: u16, state: &str, message: &str) -> Self {
        match code {
            code if LOCAL_FILES_ARE_OFF.contains(&code) => Self::LocalFile,
            code => Self::Server { code, state: state.to_owned(), message: message.to_owned() },
        }
    }
}

/// One connection.
pub(crate) enum Transport<'c> {
    Native(native::Transport<'c>),
    #[cfg(feature = "sqlx")]
    Sqlx(sqlx::Transport<'c>),
}

impl Transport<'static> {
    /// Connects to one server, or to the socket where there is no host. One message may hold many statements.
    pub(crate) async fn connect(
        options: &Options,
        host: Option<&Host>,
        encryption: &Encryption,
        database: Option<&str>,
    ) -> Result<Self, TransportError> {
        Ok(Self::Native(native::Transport::connect(options, host, encryption, database).await?))
    }

    /// Takes a connection out of a pool.
    pub(crate) async fn of_pool(pool: &Pool) -> Result<Self, TransportError> {
        Ok(Self::Native(native::Transport::of_pool(pool).await?))
    }

    /// A connection of windlass's own, opened as the pool opens its own.
    #[cfg(feature = "sqlx")]
    pub(crate) async fn beside_pool(pool: &::sqlx::MySqlPool) -> Result<Self, TransportError> {
        Ok(Self::Sqlx(sqlx::Transport::beside_pool(pool).await?))
    }
}

impl<'c> Transport<'c> {
    /// Works on an application's connection.
    pub(crate) fn borrowed(conn: &'c mut Conn) -> Self {
        Self::Native(native::Transport::borrowed(conn))
    }

    /// The same on a connection of sqlx.
    #[cfg(feature = "sqlx")]
    pub(crate) fn borrowed_of_sqlx(connection: &'c mut ::sqlx::MySqlConnection) -> Self {
        Self::Sqlx(sqlx::Transport::borrowed(connection))
    }

    /// Whether it is an application's, and given back as it was.
    pub(crate) fn is_lent(&self) -> bool {
        match self {
            Self::Native(transport) => transport.is_lent(),
            #[cfg(feature = "sqlx")]
            Self::Sqlx(transport) => transport.is_lent(),
        }
    }

    /// Whether the server may be at something: a future was dropped before its answer came.
    pub(crate) fn is_at_work(&self) -> bool {
        match self {
            Self::Native(transport) => transport.is_at_work(),
            #[cfg(feature = "sqlx")]
            Self::Sqlx(transport) => transport.is_at_work(),
        }
    }

    /// The connection is as it was when it was lent.
    pub(crate) fn is_clean(&mut self) {
        match self {
            Self::Native(transport) => transport.is_clean(),
            #[cfg(feature = "sqlx")]
            Self::Sqlx(_) => {}
        }
    }

    /// Makes a session of windlass's own like a new one. What is lent stays as it is.
    pub(crate) async fn renew(&mut self) -> Result<(), TransportError> {
        match self {
            Self::Native(transport) => Ok(transport.renew().await?),
            #[cfg(feature = "sqlx")]
            Self::Sqlx(transport) => transport.renew().await,
        }
    }

    /// The connection itself, for a function of the program.
    pub(crate) fn link(&mut self) -> Result<Link<'_>, TransportError> {
        match self {
            Self::Native(transport) => Ok(Link::Native(transport.conn()?)),
            #[cfg(feature = "sqlx")]
            Self::Sqlx(transport) => Ok(Link::Sqlx(transport.work()?)),
        }
    }

    /// The database that is selected, and the server's version.
    pub(crate) async fn surroundings(&mut self) -> Result<(Option<String>, String), TransportError> {
        match self {
            Self::Native(transport) => transport.surroundings().await,
            #[cfg(feature = "sqlx")]
            Self::Sqlx(transport) => transport.surroundings().await,
        }
    }

    /// Whether an UPDATE counts the rows it finds; else it counts those that it leaves other than they were.
    pub(crate) fn counts_found_rows(&mut self) -> bool {
        match self {
            Self::Native(transport) => transport.counts_found_rows(),
            #[cfg(feature = "sqlx")]
            Self::Sqlx(_) => true,
        }
    }

    /// Sends one message of statements, and tells of each one's end, and of the rows it touched, as its answer
    /// arrives.
    ///
    /// The statements before a failed one have run, those after it have not.
    pub(crate) async fn send(
        &mut self,
        message: &str,
        rows: Rows,
        ended: &mut (dyn FnMut(usize, u64) + Send),
    ) -> Result<Vec<Vec<Row>>, Broken> {
        match self {
            Self::Native(transport) => transport.send(message, rows, ended).await,
            #[cfg(feature = "sqlx")]
            Self::Sqlx(transport) => transport.send(message, rows, ended).await,
        }
    }

    /// Sends one message and keeps its rows.
    pub(crate) async fn query(&mut self, message: &str) -> Result<Vec<Vec<Row>>, Broken> {
        self.send(message, Rows::Keep, &mut |_, _| ()).await
    }
}

/// A connection as functions of the program get it.
pub(crate) enum Link<'t> {
    Native(&'t mut Conn),
    #[cfg(feature = "sqlx")]
    Sqlx(sqlx::Work<'t>),
}
