//! Connecting: host after host, and why there is no connection.

use crate::MySql;
use crate::errors::{ConnectError, database_error};
use crate::history::identifier;
use crate::options::{Host, Options, SslMode};
use crate::tls::{Encryption, name_in_certificate};
use crate::transport::{Transport, TransportError};

const ACCESS_DENIED: u16 = 1045;
const ACCESS_DENIED_NO_PASSWORD: u16 = 1698;
const NO_RIGHT_TO_DATABASE: u16 = 1044;
const NO_SUCH_DATABASE: u16 = 1049;

/// Connects to the database that the options name.
///
/// Hosts are tried in order; the next one where a server does not answer, not where it refuses.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use windlass_mysql::{Options, connect};
///
/// let mut driver = connect(&Options::parse("mysql://app@localhost/shop")?).await?;
/// # Ok(()) }
/// ```
///
/// # Errors
/// Each kind of failure is one of [`ConnectError`]'s; none holds the password.
pub async fn connect(options: &Options) -> Result<MySql<'static>, ConnectError> {
    let place = options.place();
    let database = options.database().ok_or(ConnectError::NoDatabaseNamed { place })?;
    let mut transport = open(options, Some(database)).await?;
    let surroundings = transport.surroundings().await;
    let (_, version) = surroundings.map_err(|error| failed(error, options, options.place()))?;
    Ok(MySql::on(transport, database.to_owned(), &version).history_table(&options.history_table))
}

/// Creates the database that the options name, for text of any language, unless it stands.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use windlass_mysql::{Options, create_database};
///
/// create_database(&Options::parse("mysql://app@localhost/shop")?).await?;
/// # Ok(()) }
/// ```
///
/// # Errors
/// As [`connect`], and when the user has no right to create databases.
pub async fn create_database(options: &Options) -> Result<(), ConnectError> {
    run_on_server(options, |name| format!("CREATE DATABASE IF NOT EXISTS {name} CHARACTER SET utf8mb4")).await
}

/// Drops the database that the options name, with all that is in it; one that is not there is fine.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use windlass_mysql::{Options, drop_database};
///
/// drop_database(&Options::parse("mysql://app@localhost/shop")?).await?;
/// # Ok(()) }
/// ```
///
/// # Errors
/// When there is no connection to be had, or the server refuses.
pub async fn drop_database(options: &Options) -> Result<(), ConnectError> {
    run_on_server(options, |name| format!("DROP DATABASE IF EXISTS {name}")).await
}

/// Runs a statement about the database that the options name, without being in it.
async fn run_on_server(
    options: &Options,
    statement: impl FnOnce(&str) -> String,
) -> Result<(), ConnectError> {
    let place = options.place();
    let database = options.database().ok_or(ConnectError::NoDatabaseNamed { place })?;
    let statement = statement(&identifier(database));
    let mut transport = open(options, None).await?;
    match transport.query(&statement).await {
        Ok(_) => Ok(()),
        Err(broken) => Err(failed(broken.error, options, options.place())),
    }
}

async fn open(options: &Options, database: Option<&str>) -> Result<Transport<'static>, ConnectError> {
    if options.socket.is_some() {
        let opened = Transport::connect(options, None, &SslMode::Disabled.into(), database).await;
        return opened.map_err(|error| failed(error, options, options.place()));
    }
    let mut last = String::new();
    for host in &options.hosts {
        match open_host(options, host, database).await {
            Ok(transport) => return Ok(transport),
            Err(TransportError::Lost(reason)) => last = reason,
            Err(error) => return Err(failed(error, options, host.to_string())),
        }
    }
    Err(ConnectError::Unreachable { place: options.place(), reason: last })
}

async fn open_host(
    options: &Options,
    host: &Host,
    database: Option<&str>,
) -> Result<Transport<'static>, TransportError> {
    let mode = options.ssl_mode_for(Some(host));
    match Transport::connect(options, Some(host), &mode.into(), database).await {
        // Preferred means: without, where the server has none.
        Err(TransportError::NoTls) if mode == SslMode::Preferred => {
            Transport::connect(options, Some(host), &SslMode::Disabled.into(), database).await
        }
        Err(TransportError::Tls(reason)) if mode == SslMode::VerifyCa => {
            let Some(name) = name_in_certificate(&reason) else { return Err(TransportError::Tls(reason)) };
            let encryption = Encryption { mode, name: Some(name) };
            Transport::connect(options, Some(host), &encryption, database).await
        }
        other => other,
    }
}

fn failed(error: TransportError, options: &Options, place: String) -> ConnectError {
    let user = options.user.clone();
    let database = options.database.clone().unwrap_or_default();
    match error {
        TransportError::Lost(reason) => ConnectError::Unreachable { place, reason },
        TransportError::Tls(reason) => ConnectError::Tls { place, reason },
        TransportError::NoTls => {
            ConnectError::Tls { place, reason: "the server offers no encryption".to_owned() }
        }
        TransportError::LocalFile => {
            ConnectError::Unreachable { place, reason: "the server asked for a file".to_owned() }
        }
        TransportError::Server { code, state, message } => {
            let source = database_error(code, &state, &message);
            match code {
                ACCESS_DENIED | ACCESS_DENIED_NO_PASSWORD => {
                    ConnectError::WrongPassword { place, user, source }
                }
                NO_SUCH_DATABASE => ConnectError::MissingDatabase { place, database, source },
                NO_RIGHT_TO_DATABASE => ConnectError::NoAccess { place, user, database, source },
                _ => ConnectError::Refused { place, source },
            }
        }
    }
}
