//! Options: which server and database to connect to and how, read from a URL as users write it.

use crate::my_cnf::ClientSection;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use windlass_core::history::DEFAULT_TABLE;
use windlass_core::url::{login_is_unencoded, strip_scheme};

const DEFAULT_PORT: u16 = 3306;
const DEFAULT_HOST: &str = "localhost";
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Which server and database to connect to, and how.
///
/// ```
/// use windlass_mysql::Options;
///
/// let options = Options::parse_with("mysql://app:s%40fe@db1,db2:3307/shop", &windlass_mysql::Nothing)?;
/// assert_eq!(options.database(), Some("shop"));
/// assert_eq!(options.place(), "db1:3306,db2:3307");
/// assert!(!format!("{options:?}").contains("s@fe"));
/// # Ok::<(), windlass_mysql::UrlError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    pub(crate) user: String,
    pub(crate) password: Option<Password>,
    pub(crate) hosts: Vec<Host>,
    pub(crate) socket: Option<PathBuf>,
    pub(crate) database: Option<String>,
    pub(crate) ssl_mode: Option<SslMode>,
    pub(crate) ssl_ca: Option<PathBuf>,
    pub(crate) connect_timeout: Duration,
    pub(crate) history_table: String,
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
    pub(crate) name: String,
    pub(crate) port: u16,
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.name.contains(':') {
            write!(f, "[{}]:{}", self.name, self.port)
        } else {
            write!(f, "{}:{}", self.name, self.port)
        }
    }
}

impl Host {
    pub(crate) fn is_loopback(&self) -> bool {
        self.name == DEFAULT_HOST || self.name.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
    }
}

/// Whether the connection is encrypted, and what of the server's certificate is checked.
///
/// ```
/// use windlass_mysql::{Options, SslMode};
///
/// let options = Options::parse("mysql://app@db.example/shop")?.ssl_mode(SslMode::VerifyIdentity);
/// # drop(options);
/// # Ok::<(), windlass_mysql::UrlError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SslMode {
    /// Not encrypted.
    Disabled,
    /// Encrypted where the server offers it. Nothing is checked.
    Preferred,
    /// Encrypted. Nothing is checked.
    Required,
    /// Encrypted, and the certificate is signed by an authority that is trusted.
    VerifyCa,
    /// The same, and the certificate names the host.
    VerifyIdentity,
}

impl SslMode {
    fn parse(word: &str) -> Option<Self> {
        Some(match word.to_ascii_lowercase().replace('_', "-").as_str() {
            "disabled" | "disable" => Self::Disabled,
            "preferred" | "prefer" => Self::Preferred,
            "required" | "require" => Self::Required,
            "verify-ca" => Self::VerifyCa,
            "verify-identity" | "verify-full" => Self::VerifyIdentity,
            _ => return None,
        })
    }
}

/// Why a text is not the URL of a MySQL or MariaDB database.
///
/// ```
/// use windlass_mysql::{Options, UrlError};
///
/// assert_eq!(Options::parse("postgres://app@db.example/shop").unwrap_err(), UrlError::Scheme);
/// let unknown = Options::parse("mysql://app@db.example/shop?colour=blue").unwrap_err();
/// assert!(matches!(unknown, UrlError::UnknownParameter { .. }));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UrlError {
    /// It begins with neither `mysql://` nor `mariadb://`.
    #[error("the URL of a MySQL or MariaDB database begins with `mysql://` or `mariadb://`")]
    Scheme,
    /// User or password hold a character that ends them.
    #[error(
        "user or password hold a character that means something in a URL: write `/` as %2F, `?` as %3F, `#` as %23, \
         `@` as %40"
    )]
    Unencoded,
    /// A port is not a number from 0 to 65535. It is not shown: it may be a part of a password.
    #[error("a port is not a number from 0 to 65535")]
    Port,
    /// It has a parameter that means nothing here.
    #[error(
        "unknown parameter `{parameter}`; known are ssl-mode, ssl-ca, socket, connect_timeout, charset and connection_limit"
    )]
    UnknownParameter {
        /// The parameter's name.
        parameter: String,
    },
    /// A parameter has a value that it cannot have.
    #[error("`{parameter}={value}` is not understood: {parameter} is {expected}")]
    Value {
        /// The parameter's name.
        parameter: String,
        /// What was given.
        value: String,
        /// What can be.
        expected: &'static str,
    },
    /// A `%` is not followed by two hexadecimal digits, or what they spell is not UTF-8.
    #[error("the {part} has a `%` that is not followed by the two hexadecimal digits of UTF-8 text")]
    Percent {
        /// The part of the URL; not its text, which may be a password.
        part: &'static str,
    },
}

/// Where what the URL leaves open comes from: environment variables and the user's `~/.my.cnf`.
///
/// ```
/// use windlass_mysql::{Options, Surroundings};
///
/// struct Vault;
///
/// impl Surroundings for Vault {
///     fn variable(&self, name: &str) -> Option<String> {
///         (name == "MYSQL_PWD").then(|| "from a vault".to_owned())
///     }
///
///     fn option_file(&self) -> Option<String> {
///         None
///     }
/// }
///
/// let options = Options::parse_with("mysql://app@db.example/shop", &Vault)?;
/// assert!(!format!("{options:?}").contains("vault"));
/// # Ok::<(), windlass_mysql::UrlError>(())
/// ```
pub trait Surroundings {
    /// An environment variable.
    ///
    /// ```
    /// use windlass_mysql::{Nothing, Surroundings};
    ///
    /// assert_eq!(Nothing.variable("MYSQL_HOST"), None);
    /// ```
    fn variable(&self, name: &str) -> Option<String>;
    /// The text of the user's option file.
    ///
    /// ```
    /// use windlass_mysql::{Nothing, Surroundings};
    ///
    /// assert_eq!(Nothing.option_file(), None);
    /// ```
    fn option_file(&self) -> Option<String>;
}

/// The process's own environment, and `.my.cnf` in the home folder.
///
/// ```
/// use windlass_mysql::{Process, Surroundings};
///
/// println!("{:?}", Process.variable("MYSQL_HOST"));
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "it is written as a value")]
pub struct Process;

impl Surroundings for Process {
    fn variable(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    fn option_file(&self) -> Option<String> {
        let home = PathBuf::from(std::env::var_os("HOME")?);
        std::fs::read_to_string(home.join(".my.cnf")).ok()
    }
}

/// No environment and no option file: the URL alone.
///
/// ```
/// use windlass_mysql::{Nothing, Options};
///
/// let options = Options::parse_with("mysql://app@db.example/shop", &Nothing)?;
/// assert_eq!(options.place(), "db.example:3306");
/// # Ok::<(), windlass_mysql::UrlError>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "it is written as a value")]
pub struct Nothing;

impl Surroundings for Nothing {
    fn variable(&self, _: &str) -> Option<String> {
        None
    }

    fn option_file(&self) -> Option<String> {
        None
    }
}

impl Options {
    /// Reads a URL; what it leaves open comes from `~/.my.cnf` (`[client]`), then from the variables
    /// `MYSQL_HOST`, `MYSQL_TCP_PORT`, `MYSQL_UNIX_PORT`, `MYSQL_PWD` and `USER`.
    ///
    /// `mysql://user:password@host:port/database?ssl-mode=…`; `mariadb://` means the same. Several hosts,
    /// separated by commas, are tried in order. `%40` and the like stand for bytes.
    ///
    /// ```
    /// use windlass_mysql::{Options, UrlError};
    ///
    /// let options = Options::parse("mysql://app@db.example/shop?ssl-mode=REQUIRED")?;
    /// assert_eq!(options.database(), Some("shop"));
    /// let error = Options::parse("mysql://app@db.example/shop?sslmod=required").unwrap_err();
    /// assert!(matches!(error, UrlError::UnknownParameter { .. }));
    /// # Ok::<(), UrlError>(())
    /// ```
    ///
    /// # Errors
    /// When the text is no such URL, or has a parameter that is not known.
    pub fn parse(url: &str) -> Result<Self, UrlError> {
        Self::parse_with(url, &Process)
    }

    /// Reads a URL; what it leaves open comes from `surroundings`.
    ///
    /// ```
    /// use windlass_mysql::{Nothing, Options};
    ///
    /// let options = Options::parse_with("mysql://app@db.example:3307/shop", &Nothing)?;
    /// assert_eq!(options.place(), "db.example:3307");
    /// # Ok::<(), windlass_mysql::UrlError>(())
    /// ```
    ///
    /// # Errors
    /// When the text is no such URL, or has a parameter that is not known.
    pub fn parse_with(url: &str, surroundings: &dyn Surroundings) -> Result<Self, UrlError> {
        let rest = ["mysql://", "mariadb://"].iter().find_map(|scheme| strip_scheme(url, scheme));
        let rest = rest.ok_or(UrlError::Scheme)?;
        if login_is_unencoded(rest) {
            return Err(UrlError::Unencoded);
        }
        let (rest, query) = split_at_first(rest, '?');
        let (authority, path) = split_at_first(rest, '/');
        let (login, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
        let (user, password) = split_at_first(login, ':');

        let file = ClientSection::parse(&surroundings.option_file().unwrap_or_default());
        let parameters = Parameters::parse(query)?;
        let user = non_empty(decode(user, "user")?).or(file.user);
        let password = if login.contains(':') { Some(decode(password, "password")?) } else { file.password };
        let port = match file.port.or_else(|| surroundings.variable("MYSQL_TCP_PORT")) {
            Some(port) => parse_port(&port)?,
            None => DEFAULT_PORT,
        };
        let default_host = file.host.or_else(|| surroundings.variable("MYSQL_HOST"));
        let socket_by_default = (hosts.is_empty() && default_host.is_none())
            .then(|| file.socket.or_else(|| surroundings.variable("MYSQL_UNIX_PORT")))
            .flatten();
        let default_host = default_host.unwrap_or_else(|| DEFAULT_HOST.to_owned());
        Ok(Self {
            user: user.or_else(|| surroundings.variable("USER")).unwrap_or_else(|| "root".to_owned()),
            password: password.or_else(|| surroundings.variable("MYSQL_PWD")).map(Password),
            hosts: parse_hosts(hosts, &default_host, port)?,
            socket: parameters.socket.or(socket_by_default).map(PathBuf::from),
            database: non_empty(decode(path, "database")?),
            ssl_mode: match parameters.ssl_mode {
                Some(mode) => Some(mode),
                None => file.ssl_mode.map(in_option_file).transpose()?,
            },
            ssl_ca: parameters.ssl_ca.or(file.ssl_ca).map(PathBuf::from),
            connect_timeout: parameters.connect_timeout.unwrap_or(CONNECT_TIMEOUT),
            history_table: DEFAULT_TABLE.to_owned(),
        })
    }

    /// The same options with another name for the history table.
    ///
    /// ```
    /// use windlass_mysql::{Nothing, Options};
    ///
    /// let options = Options::parse_with("mysql://app@db.example/shop", &Nothing)?;
    /// let options = options.history_table("migrations");
    /// # drop(options);
    /// # Ok::<(), windlass_mysql::UrlError>(())
    /// ```
    #[must_use]
    pub fn history_table(mut self, name: impl Into<String>) -> Self {
        self.history_table = name.into();
        self
    }

    /// The same options with another password.
    ///
    /// ```
    /// use windlass_mysql::{Nothing, Options};
    ///
    /// let options = Options::parse_with("mysql://app@db.example/shop", &Nothing)?;
    /// let options = options.password("from a vault");
    /// assert!(!format!("{options:?}").contains("vault"));
    /// # Ok::<(), windlass_mysql::UrlError>(())
    /// ```
    #[must_use]
    pub fn password(mut self, password: impl Into<String>) -> Self {
        self.password = Some(Password(password.into()));
        self
    }

    /// The database that is named.
    ///
    /// ```
    /// use windlass_mysql::{Nothing, Options};
    ///
    /// let options = Options::parse_with("mysql://app@db.example/shop", &Nothing)?;
    /// assert_eq!(options.database(), Some("shop"));
    /// # Ok::<(), windlass_mysql::UrlError>(())
    /// ```
    pub fn database(&self) -> Option<&str> {
        self.database.as_deref()
    }

    /// The same with another say on encryption, whatever the URL has.
    ///
    /// ```
    /// use windlass_mysql::{Nothing, Options, SslMode};
    ///
    /// let options = Options::parse_with("mysql://app@db.example/shop", &Nothing)?;
    /// let options = options.ssl_mode(SslMode::VerifyIdentity);
    /// # drop(options);
    /// # Ok::<(), windlass_mysql::UrlError>(())
    /// ```
    #[must_use]
    pub fn ssl_mode(mut self, mode: SslMode) -> Self {
        self.ssl_mode = Some(mode);
        self
    }

    /// The same options with another database.
    ///
    /// ```
    /// use windlass_mysql::{Nothing, Options};
    ///
    /// let options = Options::parse_with("mysql://app@db.example/shop", &Nothing)?;
    /// assert_eq!(options.with_database("other").database(), Some("other"));
    /// # Ok::<(), windlass_mysql::UrlError>(())
    /// ```
    #[must_use]
    pub fn with_database(&self, name: impl Into<String>) -> Self {
        Self { database: Some(name.into()), ..self.clone() }
    }

    /// The servers, or the socket, for a message: without user and password.
    ///
    /// ```
    /// use windlass_mysql::{Nothing, Options};
    ///
    /// let options = Options::parse_with("mysql://app@db1,db2:3307/shop", &Nothing)?;
    /// assert_eq!(options.place(), "db1:3306,db2:3307");
    /// # Ok::<(), windlass_mysql::UrlError>(())
    /// ```
    pub fn place(&self) -> String {
        match &self.socket {
            Some(socket) => socket.display().to_string(),
            None => self.hosts.iter().map(Host::to_string).collect::<Vec<_>>().join(","),
        }
    }

    /// What `ssl-mode` is for one server: encryption where it is offered, none where nothing leaves the machine.
    pub(crate) fn ssl_mode_for(&self, host: Option<&Host>) -> SslMode {
        match (host, self.ssl_mode) {
            (None, _) => SslMode::Disabled,
            (Some(_), Some(SslMode::Required)) if self.ssl_ca.is_some() => SslMode::VerifyCa,
            (Some(_), Some(mode)) => mode,
            (Some(_), None) if self.ssl_ca.is_some() => SslMode::VerifyCa,
            (Some(host), None) if host.is_loopback() => SslMode::Disabled,
            (Some(_), None) => SslMode::Preferred,
        }
    }

    pub(crate) fn ssl_ca(&self) -> Option<&Path> {
        self.ssl_ca.as_deref()
    }
}

#[derive(Default)]
struct Parameters {
    ssl_mode: Option<SslMode>,
    ssl_ca: Option<String>,
    socket: Option<String>,
    connect_timeout: Option<Duration>,
}

impl Parameters {
    fn parse(query: &str) -> Result<Self, UrlError> {
        let mut parameters = Self::default();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = split_at_first(pair, '=');
            let value = decode(value, "parameter")?;
            let wrong = |expected| {
                Err(UrlError::Value { parameter: name.to_owned(), value: value.clone(), expected })
            };
            match name.to_ascii_lowercase().replace(['-', '_'], "").as_str() {
                "sslmode" => match SslMode::parse(&value) {
                    Some(mode) => parameters.ssl_mode = Some(mode),
                    None => {
                        return wrong("DISABLED, PREFERRED, REQUIRED, VERIFY_CA or VERIFY_IDENTITY");
                    }
                },
                "sslca" => parameters.ssl_ca = Some(value),
                "socket" => parameters.socket = Some(value),
                "connecttimeout" => match value.parse() {
                    Ok(seconds @ 1..) => parameters.connect_timeout = Some(Duration::from_secs(seconds)),
                    _ => return wrong("a number of seconds"),
                },
                "charset" if value.eq_ignore_ascii_case("utf8mb4") => {}
                "charset" => return wrong("utf8mb4"),
                // An application's pool: a deploy has one connection, whatever the limit.
                "connectionlimit" => match value.parse::<u32>() {
                    Ok(_) => {}
                    Err(_) => return wrong("a number"),
                },
                _ => return Err(UrlError::UnknownParameter { parameter: name.to_owned() }),
            }
        }
        Ok(parameters)
    }
}

/// A mode that is misspelt there must not be none.
fn in_option_file(mode: String) -> Result<SslMode, UrlError> {
    SslMode::parse(&mode).ok_or(UrlError::Value {
        parameter: "ssl-mode of ~/.my.cnf".to_owned(),
        value: mode,
        expected: "DISABLED, PREFERRED, REQUIRED, VERIFY_CA or VERIFY_IDENTITY",
    })
}

fn parse_hosts(list: &str, default_host: &str, default_port: u16) -> Result<Vec<Host>, UrlError> {
    let host = |text: &str| {
        let (name, port) = match text.strip_prefix('[').and_then(|inner| inner.split_once(']')) {
            Some((name, rest)) => (name, rest.strip_prefix(':').unwrap_or("")),
            None => split_at_first(text, ':'),
        };
        let name = if name.is_empty() { default_host.to_owned() } else { decode(name, "host")? };
        Ok(Host { name, port: if port.is_empty() { default_port } else { parse_port(port)? } })
    };
    list.split(',').map(host).collect()
}

fn parse_port(port: &str) -> Result<u16, UrlError> {
    port.parse().map_err(|_| UrlError::Port)
}

fn split_at_first(text: &str, separator: char) -> (&str, &str) {
    text.split_once(separator).unwrap_or((text, ""))
}

fn non_empty(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

fn decode(text: &str, part: &'static str) -> Result<String, UrlError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let digits = tail.get(..2).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        let byte =
            digits.and_then(|d| std::str::from_utf8(d).ok()).and_then(|d| u8::from_str_radix(d, 16).ok());
        bytes.push(byte.ok_or(UrlError::Percent { part })?);
        rest = &tail[2..];
    }
    String::from_utf8(bytes).map_err(|_| UrlError::Percent { part })
}

#[cfg(test)]
mod tests;
