//! TLS: what of the server's certificate is checked, as libpq's `sslmode` says.

#[cfg(all(feature = "tls-native-tls", not(feature = "tls-rustls")))]
mod with_native_tls;
#[cfg(feature = "tls-rustls")]
mod with_rustls;

use std::path::PathBuf;

/// How an encrypted channel is made, if at all.
#[derive(Clone)]
pub(crate) enum Connector {
    /// Not.
    Plain,
    /// Through whichever library this build has; rustls where it has both.
    #[cfg(feature = "tls-rustls")]
    Encrypted(tokio_postgres_rustls::MakeRustlsConnect),
    #[cfg(all(feature = "tls-native-tls", not(feature = "tls-rustls")))]
    Encrypted(postgres_native_tls::MakeTlsConnector),
}

/// Why no encrypted channel can be made, before a server is asked.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use windlass_postgres::{ConnectError, Options, Postgres, TlsError};
///
/// let url = "postgres://app@db.example/shop?sslmode=verify-full&sslrootcert=ca.pem";
/// match Postgres::connect(&Options::parse(url)?).await {
///     Err(ConnectError::TlsSettings(TlsError::File { file, .. })) => eprintln!("{} is missing", file.display()),
///     session => println!("{:?}", session?),
/// }
/// # Ok(()) }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// This build has no TLS.
    #[error(
        "windlass-postgres was built without TLS: its features `tls-rustls` and `tls-native-tls` bring it"
    )]
    NotBuilt,
    /// A file cannot be read.
    #[error("{} cannot be read: {reason}", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// Why.
        reason: String,
    },
    /// A file holds no certificate, or no key.
    #[error("{} holds no {what} in PEM form", file.display())]
    Empty {
        /// The file.
        file: PathBuf,
        /// What it should hold.
        what: &'static str,
    },
    /// The operating system knows no authorities.
    #[error("the system has no certificates of authorities; name a file with sslrootcert: {0}")]
    NoAuthorities(String),
    /// The client's certificate and key cannot be used.
    #[error("the client's certificate cannot be used: {0}")]
    Client(String),
}

#[cfg(not(any(feature = "tls-rustls", feature = "tls-native-tls")))]
pub(crate) fn connector(
    _: crate::options::SslMode,
    _: &crate::options::Certificates,
    _: bool,
) -> Result<Connector, TlsError> {
    Err(TlsError::NotBuilt)
}

#[cfg(all(feature = "tls-native-tls", not(feature = "tls-rustls")))]
pub(crate) use with_native_tls::connector;
#[cfg(feature = "tls-rustls")]
pub(crate) use with_rustls::connector;

#[cfg(any(feature = "tls-rustls", feature = "tls-native-tls"))]
fn unreadable(file: &std::path::Path, error: &dyn std::fmt::Display) -> TlsError {
    TlsError::File { file: PathBuf::from(file), reason: error.to_string() }
}

#[cfg(any(feature = "tls-rustls", feature = "tls-native-tls"))]
fn certificates_missing(file: &std::path::Path) -> TlsError {
    TlsError::Empty { file: PathBuf::from(file), what: "certificate" }
}
