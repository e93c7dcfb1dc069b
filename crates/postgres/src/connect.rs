//! Connecting: hosts in their order, encrypted as asked, with the pinned settings in the startup packet.

use crate::dialect;
use crate::errors::{ConnectError, code, database_error};
use crate::options::{Address, ChannelBinding, Host, Options, Password, SslMode, TargetSession};
use crate::passfile;
use crate::quote::identifier;
use crate::tls::{Connector, connector};
use crate::transport::{Session, Told, TransportError, ssl_mode};
use tokio_postgres::config::{self, Config};

/// A session that has been opened.
pub(crate) struct Opened {
    pub(crate) session: Session<'static>,
    pub(crate) version: String,
    /// Whether the settings were refused at the start, as only a pooler does.
    pub(crate) is_pooled: bool,
}

/// Opens a session on the first server that answers and is what was asked for.
pub(crate) async fn open(options: &Options) -> Result<Opened, ConnectError> {
    let mut failed = None;
    for target in targets(options.target) {
        for host in &options.hosts {
            match open_on(options, host, target).await {
                Ok(Some(opened)) => return Ok(opened),
                Ok(None) => failed = Some(ConnectError::NoSuchTarget { place: options.place() }),
                // A server that answers has the last word, except that it is not ready.
                Err(error) if !is_absence(&error) => return Err(error),
                Err(error) => failed = Some(failed.unwrap_or(error)),
            }
        }
    }
    Err(match failed {
        Some(ConnectError::Unreachable { reason, .. }) => {
            ConnectError::Unreachable { place: options.place(), reason }
        }
        Some(error) => error,
        None => ConnectError::Unreachable { place: options.place(), reason: "no host is given".to_owned() },
    })
}

/// Creates the database that the options name; one that stands already is fine.
pub(crate) async fn create_database(options: &Options) -> Result<(), ConnectError> {
    let create = format!("CREATE DATABASE {}", identifier(&options.database));
    match open_beside(options).await?.session.run(&create).await {
        // Whoever creates the same one at the same moment is told of it by the catalog's index.
        Err(TransportError::Told(told))
            if told.code == code::DUPLICATE_DATABASE || told.code == code::UNIQUE_VIOLATION =>
        {
            Ok(())
        }
        Err(error) => Err(connect_error(options, &options.place(), error)),
        Ok(()) => Ok(()),
    }
}

/// Drops the database that the options name, whoever is connected to it.
pub(crate) async fn drop_database(options: &Options) -> Result<(), ConnectError> {
    let drop = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", identifier(&options.database));
    let dropped = open_beside(options).await?.session.run(&drop).await;
    dropped.map_err(|error| connect_error(options, &options.place(), error))
}

/// Opens a session with a database that every server has.
async fn open_beside(options: &Options) -> Result<Opened, ConnectError> {
    match open(&options.with_database("postgres")).await {
        Err(ConnectError::MissingDatabase { .. }) => open(&options.with_database("template1")).await,
        opened => opened,
    }
}

fn targets(target: TargetSession) -> Vec<TargetSession> {
    match target {
        TargetSession::PreferStandby => vec![TargetSession::Standby, TargetSession::Any],
        target => vec![target],
    }
}

fn is_absence(error: &ConnectError) -> bool {
    match error {
        ConnectError::Unreachable { .. } | ConnectError::NoSuchTarget { .. } => true,
        ConnectError::Refused { source, .. } => source.code.as_deref() == Some(code::CANNOT_CONNECT_NOW),
        _ => false,
    }
}

async fn open_on(
    options: &Options,
    host: &Host,
    target: TargetSession,
) -> Result<Option<Opened>, ConnectError> {
    let opened = tokio::time::timeout(options.connect_timeout, open_encrypted(options, host)).await;
    let opened = opened.unwrap_or_else(|_| {
        let reason = format!("no answer within {} s", options.connect_timeout.as_secs());
        Err(ConnectError::Unreachable { place: host.to_string(), reason })
    })?;
    let is_it = is_target(&opened.session, target).await;
    let is_it = is_it.map_err(|error| connect_error(options, &host.to_string(), error))?;
    Ok(is_it.then_some(opened))
}

async fn is_target(session: &Session<'_>, target: TargetSession) -> Result<bool, TransportError> {
    let (column, wanted) = match target {
        TargetSession::Any | TargetSession::PreferStandby => return Ok(true),
        TargetSession::ReadWrite => (1, "off"),
        TargetSession::ReadOnly => (1, "on"),
        TargetSession::Primary => (0, "f"),
        TargetSession::Standby => (0, "t"),
    };
    let rows = session.rows("SELECT pg_is_in_recovery(), current_setting('transaction_read_only')").await?;
    Ok(rows.first().and_then(|row| row.get(column)) == Some(wanted))
}

/// The ways a mode allows, in the order libpq tries them.
async fn open_encrypted(options: &Options, host: &Host) -> Result<Opened, ConnectError> {
    let mode = match host.address {
        Address::Unix(_) => SslMode::Disable,
        Address::Tcp(_) => options.ssl_mode,
    };
    let encrypted = || connector(mode, &options.certificates, options.direct_tls);
    let place = host.to_string();
    let told = |error| connect_error(options, &place, error);
    match mode {
        SslMode::Disable => open_pinned(options, host, Connector::Plain, false).await.map_err(told),
        SslMode::Allow => match open_pinned(options, host, Connector::Plain, false).await {
            Err(error) if may_want_another_way(&error) => {
                open_pinned(options, host, encrypted()?, false).await.map_err(told)
            }
            opened => opened.map_err(told),
        },
        SslMode::Prefer => {
            let Ok(encrypted) = encrypted() else {
                return open_pinned(options, host, Connector::Plain, false).await.map_err(told);
            };
            match open_pinned(options, host, encrypted, true).await {
                Err(error) if may_want_another_way(&error) => {
                    let plain = open_pinned(options, host, Connector::Plain, false).await;
                    plain.map_err(|_| told(error))
                }
                opened => opened.map_err(told),
            }
        }
        SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull => {
            open_pinned(options, host, encrypted()?, false).await.map_err(told)
        }
    }
}

/// A server may refuse one way only: `hostssl` and `hostnossl` lines.
fn may_want_another_way(error: &TransportError) -> bool {
    matches!(error, TransportError::Tls(_)) || error.code() == Some(code::NOT_AUTHORIZED)
}

/// Opens with the pinned settings; where a server or pooler knows one of them not, without.
async fn open_pinned(
    options: &Options,
    host: &Host,
    connector: Connector,
    if_offered: bool,
) -> Result<Opened, TransportError> {
    let mut config = config_without_options(options, host);
    config.ssl_mode(ssl_mode(&connector, if_offered));
    let schema = options.schema.as_deref();
    let of_client = dialect::of_client(&options.keepalive);
    let mut settings = [dialect::settings(schema), of_client.clone()].concat();
    let given = options.server_options.as_deref();
    config.options(dialect::startup_options(&settings, given));
    let mut opened = Session::open(&config, connector.clone()).await;
    if let Err(TransportError::Told(told)) = &opened
        && let Some((unknown, _)) = of_client.iter().find(|(name, _)| is_about(told, name))
    {
        settings.retain(|(name, _)| name != unknown);
        config.options(dialect::startup_options(&settings, given));
        opened = Session::open(&config, connector.clone()).await;
    }
    let mut is_pooled = false;
    if matches!(&opened, Err(TransportError::Told(told)) if given.is_none() && is_pooler_refusal(told)) {
        is_pooled = true;
        let mut plain = config_without_options(options, host);
        plain.ssl_mode(ssl_mode(&connector, if_offered));
        opened = Session::open(&plain, connector).await;
    }
    let (session, version) = opened?;
    Ok(Opened { session, version, is_pooled })
}

fn is_about(told: &Told, setting: &str) -> bool {
    let codes = [code::UNDEFINED_PARAMETER, code::INVALID_PARAMETER, code::FEATURE_NOT_SUPPORTED];
    codes.contains(&told.code.as_str()) && told.message.contains(setting)
}

fn is_pooler_refusal(told: &Told) -> bool {
    told.code == code::PROTOCOL_VIOLATION && told.message.contains("startup parameter")
}

fn config_without_options(options: &Options, host: &Host) -> Config {
    let mut config = Config::new();
    match &host.address {
        Address::Tcp(name) => config.host(name),
        #[cfg(unix)]
        Address::Unix(folder) => config.host_path(folder),
        #[cfg(not(unix))]
        Address::Unix(folder) => config.host(folder.to_string_lossy()),
    };
    config.port(host.port).user(&options.user).dbname(&options.database);
    if let Some(Password(password)) = passfile::password(options, host) {
        config.password(password);
    }
    let keepalive = &options.keepalive;
    config
        .application_name(&options.application_name)
        .connect_timeout(options.connect_timeout)
        .keepalives(keepalive.on)
        .keepalives_idle(keepalive.idle)
        .keepalives_interval(keepalive.interval)
        .keepalives_retries(keepalive.retries)
        .channel_binding(match options.channel_binding {
            ChannelBinding::Disable => config::ChannelBinding::Disable,
            ChannelBinding::Prefer => config::ChannelBinding::Prefer,
            ChannelBinding::Require => config::ChannelBinding::Require,
        });
    if options.direct_tls {
        config.ssl_negotiation(config::SslNegotiation::Direct);
    }
    config
}

fn connect_error(options: &Options, place: &str, error: TransportError) -> ConnectError {
    let (place, user) = (place.to_owned(), options.user.clone());
    let database = options.database.clone();
    let told = match error {
        TransportError::Told(told) => told,
        TransportError::Tls(reason) => return ConnectError::Tls { place, reason },
        TransportError::Unusable(reason) if reason.contains("password missing") => {
            let unused_file = passfile::unused(options).map(std::path::Path::to_owned);
            return ConnectError::NoPassword { place, user, unused_file };
        }
        TransportError::Lost(reason) | TransportError::Unusable(reason) => {
            return ConnectError::Unreachable { place, reason };
        }
    };
    let source = database_error(&told, None);
    match told.code.as_str() {
        code::WRONG_PASSWORD => ConnectError::WrongPassword { place, user, source },
        code::MISSING_DATABASE => ConnectError::MissingDatabase { place, database, source },
        code::NOT_AUTHORIZED | code::NO_RIGHT => ConnectError::NoAccess { place, user, database, source },
        code::TOO_MANY_CONNECTIONS => ConnectError::TooManyConnections { place, source },
        _ => ConnectError::Refused { place, source },
    }
}
