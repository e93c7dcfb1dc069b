//! Options: which server and database to connect to and how, read from a URL as users write it.

mod parameters;
mod surroundings;
#[cfg(test)]
mod tests;
mod url;

pub use surroundings::{Nothing, Process, Surroundings};
pub use url::UrlError;

use crate::quote::parse_qualified;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

pub(crate) const DEFAULT_PORT: u16 = 5432;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
const APPLICATION_NAME: &str = "windlass";

/// Which server and database to connect to, and how.
///
/// ```
/// use windlass_postgres::{Nothing, Options};
///
/// let url = "postgres://app:s%40fe@db1,db2:5433/shop?sslmode=verify-full&schema=stock";
/// let options = Options::parse_with(url, &Nothing)?;
/// assert_eq!(options.database(), "shop");
/// assert_eq!(options.place(), "db1:5432,db2:5433");
/// assert_eq!(options.schema(), Some("stock"));
/// assert!(!format!("{options:?}").contains("s@fe"));
/// # Ok::<(), windlass_postgres::UrlError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    pub(crate) hosts: Vec<Host>,
    pub(crate) user: String,
    pub(crate) password: Option<Password>,
    pub(crate) password_file: Option<PathBuf>,
    pub(crate) database: String,
    pub(crate) ssl_mode: SslMode,
    pub(crate) certificates: Certificates,
    pub(crate) channel_binding: ChannelBinding,
    pub(crate) direct_tls: bool,
    pub(crate) server_options: Option<String>,
    pub(crate) application_name: String,
    pub(crate) connect_timeout: Duration,
    pub(crate) keepalive: Keepalive,
    pub(crate) target: TargetSession,
    pub(crate) schema: Option<String>,
    pub(crate) history_table: Option<(Option<String>, String)>,
}

/// A password: it prints as an ellipsis.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Password(pub(crate) String);

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// One server of those that are tried in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Host {
    pub(crate) address: Address,
    pub(crate) port: u16,
}

/// Where a server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Address {
    /// A host name or IP address.
    Tcp(String),
    /// The folder of its socket.
    Unix(PathBuf),
}

impl Host {
    pub(crate) fn new(name: &str, port: u16) -> Self {
        let address = if name.starts_with('/') {
            Address::Unix(PathBuf::from(name))
        } else {
            Address::Tcp(name.to_owned())
        };
        Self { address, port }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.address {
            Address::Tcp(name) if name.contains(':') => write!(f, "[{name}]:{}", self.port),
            Address::Tcp(name) => write!(f, "{name}:{}", self.port),
            Address::Unix(folder) => write!(f, "{}/.s.PGSQL.{}", folder.display(), self.port),
        }
    }
}

/// Whether the connection is encrypted, and what of the server's certificate is checked.
///
/// ```
/// use windlass_postgres::{Options, SslMode};
///
/// let options = Options::parse("postgres://app@db.example/shop")?.ssl_mode(SslMode::VerifyFull);
/// # drop(options);
/// # Ok::<(), windlass_postgres::UrlError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SslMode {
    /// Not encrypted.
    Disable,
    /// Encrypted only where the server insists. Nothing is checked.
    Allow,
    /// Encrypted where the server offers it. Nothing is checked.
    Prefer,
    /// Encrypted. Nothing is checked, unless a file of authorities is named.
    Require,
    /// Encrypted, and the certificate is signed by an authority that is trusted.
    VerifyCa,
    /// The same, and the certificate names the host.
    VerifyFull,
}

/// The authorities that are trusted, and the client's own certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Certificates {
    pub(crate) authorities: Authorities,
    pub(crate) client: Option<(PathBuf, PathBuf)>,
}

/// Whose signature on the server's certificate is trusted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Authorities {
    /// The operating system's.
    #[default]
    System,
    /// Those in a PEM file.
    File(PathBuf),
}

/// Whether the password's proof is bound to the encrypted channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChannelBinding {
    Disable,
    Prefer,
    Require,
}

/// How the operating system notices that the server is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Keepalive {
    pub(crate) on: bool,
    pub(crate) idle: Duration,
    pub(crate) interval: Duration,
    pub(crate) retries: u32,
}

impl Default for Keepalive {
    /// A dead server, or a forgetful router, is noticed in about two minutes.
    fn default() -> Self {
        Self { on: true, idle: Duration::from_secs(60), interval: Duration::from_secs(10), retries: 6 }
    }
}

/// What a server must be to be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum TargetSession {
    /// Anything.
    Any,
    /// Its sessions may write.
    ReadWrite,
    /// Its sessions may not write.
    ReadOnly,
    /// Not a replica.
    Primary,
    /// A replica.
    Standby,
    /// A replica, or anything where none is to be had.
    PreferStandby,
}

impl Options {
    /// Reads a URL (`postgres://…` or `postgresql://…`); what it leaves open comes from the `PG*` variables
    /// of the process and the user's password file.
    ///
    /// ```
    /// use windlass_postgres::{Options, UrlError};
    ///
    /// let options = Options::parse("postgres://app@db.example/shop?sslmode=verify-full")?;
    /// assert_eq!(options.database(), "shop");
    /// let error = Options::parse("postgres://app@db.example/shop?sslmod=require").unwrap_err();
    /// assert!(matches!(error, UrlError::UnknownParameter { .. }));
    /// # Ok::<(), UrlError>(())
    /// ```
    ///
    /// # Errors
    /// Says what in the URL is not understood; never shows a password.
    pub fn parse(url: &str) -> Result<Self, UrlError> {
        Self::parse_with(url, &Process)
    }

    /// Reads a URL; what it leaves open comes from `surroundings`.
    ///
    /// ```
    /// use windlass_postgres::{Nothing, Options};
    ///
    /// let options = Options::parse_with("postgres://app@db.example:5433/shop", &Nothing)?;
    /// assert_eq!(options.place(), "db.example:5433");
    /// # Ok::<(), windlass_postgres::UrlError>(())
    /// ```
    ///
    /// # Errors
    /// Says what in the URL is not understood; never shows a password.
    pub fn parse_with(url: &str, surroundings: &dyn Surroundings) -> Result<Self, UrlError> {
        parameters::Given::read(url)?.complete(surroundings)
    }

    /// The database's name.
    ///
    /// ```
    /// use windlass_postgres::{Nothing, Options};
    ///
    /// let options = Options::parse_with("postgres://app@db.example/shop", &Nothing)?;
    /// assert_eq!(options.database(), "shop");
    /// # Ok::<(), windlass_postgres::UrlError>(())
    /// ```
    pub fn database(&self) -> &str {
        &self.database
    }

    /// The user's name.
    ///
    /// ```
    /// use windlass_postgres::{Nothing, Options};
    ///
    /// let options = Options::parse_with("postgres://app@db.example/shop", &Nothing)?;
    /// assert_eq!(options.user(), "app");
    /// # Ok::<(), windlass_postgres::UrlError>(())
    /// ```
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The schema that was asked for (`?schema=app`).
    ///
    /// ```
    /// use windlass_postgres::{Nothing, Options};
    ///
    /// let options = Options::parse_with("postgres://app@db.example/shop?schema=stock", &Nothing)?;
    /// assert_eq!(options.schema(), Some("stock"));
    /// # Ok::<(), windlass_postgres::UrlError>(())
    /// ```
    pub fn schema(&self) -> Option<&str> {
        self.schema.as_deref()
    }

    /// Hosts and ports, in the order they are tried.
    ///
    /// ```
    /// use windlass_postgres::{Nothing, Options};
    ///
    /// let options = Options::parse_with("postgres://app@db1,db2:5433/shop", &Nothing)?;
    /// assert_eq!(options.place(), "db1:5432,db2:5433");
    /// # Ok::<(), windlass_postgres::UrlError>(())
    /// ```
    pub fn place(&self) -> String {
        self.hosts.iter().map(Host::to_string).collect::<Vec<_>>().join(",")
    }

    /// The same with another history table: `history`, `app.history` or `"App"."my history"`.
    ///
    /// A name without a schema is in the schema asked for, or in `public`.
    ///
    /// ```
    /// use windlass_postgres::{Nothing, Options};
    ///
    /// let options = Options::parse_with("postgres://app@db.example/shop", &Nothing)?;
    /// let options = options.history_table("admin.migrations");
    /// # drop(options);
    /// # Ok::<(), windlass_postgres::UrlError>(())
    /// ```
    #[must_use]
    pub fn history_table(mut self, name: &str) -> Self {
        self.history_table = Some(parse_qualified(name));
        self
    }

    /// The same with another password.
    ///
    /// ```
    /// use windlass_postgres::{Nothing, Options};
    ///
    /// let options = Options::parse_with("postgres://app@db.example/shop", &Nothing)?;
    /// let options = options.password("from a vault");
    /// assert!(!format!("{options:?}").contains("vault"));
    /// # Ok::<(), windlass_postgres::UrlError>(())
    /// ```
    #[must_use]
    pub fn password(mut self, password: impl Into<String>) -> Self {
        self.password = Some(Password(password.into()));
        self
    }

    /// The same with another say on encryption, whatever the URL has.
    ///
    /// ```
    /// use windlass_postgres::{Nothing, Options, SslMode};
    ///
    /// let options = Options::parse_with("postgres://app@db.example/shop", &Nothing)?;
    /// let options = options.ssl_mode(SslMode::VerifyFull);
    /// # drop(options);
    /// # Ok::<(), windlass_postgres::UrlError>(())
    /// ```
    #[must_use]
    pub fn ssl_mode(mut self, mode: SslMode) -> Self {
        self.ssl_mode = mode;
        self
    }

    /// The same options with another database.
    ///
    /// ```
    /// use windlass_postgres::{Nothing, Options};
    ///
    /// let options = Options::parse_with("postgres://app@db.example/shop", &Nothing)?;
    /// assert_eq!(options.with_database("postgres").database(), "postgres");
    /// # Ok::<(), windlass_postgres::UrlError>(())
    /// ```
    #[must_use]
    pub fn with_database(&self, database: impl Into<String>) -> Self {
        Self { database: database.into(), ..self.clone() }
    }
}
