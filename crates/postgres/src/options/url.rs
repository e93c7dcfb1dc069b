//! URL: its parts, cut and decoded, and why it may not be one.

use windlass_core::url::{login_is_unencoded, strip_scheme};

/// Why a text is not the URL of a PostgreSQL database. None of these shows what may be a password.
///
/// ```
/// use windlass_postgres::{Options, UrlError};
///
/// assert_eq!(Options::parse("mysql://app@db.example/shop").unwrap_err(), UrlError::Scheme);
/// let unknown = Options::parse("postgres://app@db.example/shop?colour=blue").unwrap_err();
/// assert!(matches!(unknown, UrlError::UnknownParameter { .. }));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UrlError {
    /// It begins with neither `postgres://` nor `postgresql://`.
    #[error("the URL of a PostgreSQL database begins with `postgres://` or `postgresql://`")]
    Scheme,
    /// User or password hold a character that ends them.
    #[error(
        "user or password hold a character that means something in a URL: write `/` as %2F, `?` as %3F, `#` as %23, \
         `@` as %40"
    )]
    Unencoded,
    /// A port is not a number from 1 to 65535.
    #[error("a port is not a number from 1 to 65535")]
    Port,
    /// There are several ports, and not one for each host.
    #[error("{ports} ports for {hosts} hosts: give one port, or one for each host")]
    Ports {
        /// How many ports.
        ports: usize,
        /// How many hosts.
        hosts: usize,
    },
    /// It has a parameter that means nothing here.
    #[error(
        "unknown parameter `{parameter}`; the usual ones are sslmode, sslrootcert, schema, options, connect_timeout, \
         application_name and target_session_attrs"
    )]
    UnknownParameter {
        /// The parameter's name.
        parameter: String,
    },
    /// It has a parameter that other clients know and this one does not.
    #[error("the parameter `{parameter}` is not supported")]
    Unsupported {
        /// The parameter's name.
        parameter: String,
    },
    /// A parameter has a value that it cannot have.
    #[error("the value of `{parameter}` is not understood: it is {expected}")]
    Value {
        /// The parameter's name, or the variable's.
        parameter: String,
        /// What it can be.
        expected: &'static str,
    },
    /// Two parameters contradict each other.
    #[error("{0}")]
    Contradiction(&'static str),
    /// A `%` is not followed by two hexadecimal digits, or what they spell is not UTF-8.
    #[error("the {part} has a `%` that is not followed by the two hexadecimal digits of UTF-8 text")]
    Percent {
        /// The part of the URL.
        part: &'static str,
    },
    /// Neither the URL nor the environment says who connects.
    #[error("the URL names no user, and PGUSER is not set")]
    NoUser,
}

/// The parts of a URL, decoded.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Parts {
    pub(super) user: Option<String>,
    pub(super) password: Option<String>,
    /// Host names, with ports where they have one.
    pub(super) hosts: Vec<(String, Option<u16>)>,
    pub(super) database: Option<String>,
    pub(super) parameters: Vec<(String, String)>,
}

/// Cuts a URL. Several hosts stand behind one another, which is why no library for URLs does it.
pub(super) fn cut(url: &str) -> Result<Parts, UrlError> {
    let rest = ["postgresql://", "postgres://"].iter().find_map(|scheme| strip_scheme(url, scheme));
    let rest = rest.ok_or(UrlError::Scheme)?;
    // A password that was not encoded would end up in messages as the name of a host, port or database.
    if login_is_unencoded(rest) {
        return Err(UrlError::Unencoded);
    }
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (login, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
    let (user, password) = match login.split_once(':') {
        Some((user, password)) => (user, Some(password)),
        None => (login, None),
    };
    let filled = |text: &str, part| decode(text, part).map(|text| Some(text).filter(|text| !text.is_empty()));
    Ok(Parts {
        user: filled(user, "user")?,
        password: password.map(|password| decode(password, "password")).transpose()?,
        hosts: hosts.split(',').filter(|host| !host.is_empty()).map(host).collect::<Result<_, _>>()?,
        database: filled(path, "name of the database")?,
        parameters: query.split('&').filter(|pair| !pair.is_empty()).map(pair).collect::<Result<_, _>>()?,
    })
}

fn host(text: &str) -> Result<(String, Option<u16>), UrlError> {
    let (name, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((name, rest)) => (name, rest.strip_prefix(':')),
        None => match text.rsplit_once(':') {
            Some((name, port)) => (name, Some(port)),
            None => (text, None),
        },
    };
    let port = port.filter(|port| !port.is_empty()).map(self::port).transpose()?;
    Ok((decode(name, "host")?, port))
}

pub(super) fn port(text: &str) -> Result<u16, UrlError> {
    text.trim().parse().ok().filter(|port| *port > 0).ok_or(UrlError::Port)
}

fn pair(text: &str) -> Result<(String, String), UrlError> {
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    Ok((decode(name, "parameters")?, decode(value, "parameters")?))
}

fn decode(text: &str, part: &'static str) -> Result<String, UrlError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|digit| char::from(digit).to_digit(16));
        let (Some(high), Some(low)) = (digit(), digit()) else { return Err(UrlError::Percent { part }) };
        bytes.extend(u8::try_from(high * 16 + low));
    }
    String::from_utf8(bytes).map_err(|_| UrlError::Percent { part })
}
