//! Parameters: what a URL says by name, and what the environment adds.

use super::url::{UrlError, cut, port};
use super::{
    APPLICATION_NAME, Authorities, CONNECT_TIMEOUT, Certificates, ChannelBinding, DEFAULT_PORT, Host,
    Keepalive, Options, Password, SslMode, Surroundings, TargetSession,
};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What a URL says; the environment fills what is left open.
#[derive(Debug, Default)]
pub(super) struct Given {
    user: Option<String>,
    password: Option<String>,
    hosts: Vec<(String, Option<u16>)>,
    ports: Vec<u16>,
    database: Option<String>,
    password_file: Option<PathBuf>,
    ssl_mode: Option<SslMode>,
    root_certificate: Option<String>,
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
    channel_binding: Option<ChannelBinding>,
    direct_tls: bool,
    server_options: Option<String>,
    application_name: Option<String>,
    connect_timeout: Option<Duration>,
    keepalive: Keepalive,
    target: Option<TargetSession>,
    schema: Option<String>,
}

/// Parameters of other clients that say nothing about one session: pools and caches.
const IGNORED: [&str; 13] = [
    "connection_limit",
    "pool_timeout",
    "pgbouncer",
    "socket_timeout",
    "statement_cache_size",
    "statement-cache-capacity",
    "max_idle_connection_lifetime",
    "sslcompression",
    "sslsni",
    "gssencmode",
    "replication",
    "client_encoding",
    "binary_parameters",
];

const UNSUPPORTED: [&str; 11] = [
    "hostaddr",
    "service",
    "sslpassword",
    "sslidentity",
    "sslcrl",
    "sslcrldir",
    "krbsrvname",
    "gsslib",
    "require_auth",
    "requirepeer",
    "load_balance_hosts",
];

impl Given {
    pub(super) fn read(url: &str) -> Result<Self, UrlError> {
        let parts = cut(url)?;
        let mut given = Self {
            user: parts.user,
            password: parts.password,
            hosts: parts.hosts,
            database: parts.database,
            ..Self::default()
        };
        for (name, value) in parts.parameters {
            given.set(&name, value)?;
        }
        Ok(given)
    }

    fn set(&mut self, name: &str, value: String) -> Result<(), UrlError> {
        match name {
            "user" => self.user = Some(value),
            "password" => self.password = Some(value),
            "dbname" => self.database = Some(value),
            "host" => self.hosts = value.split(',').map(|host| (host.to_owned(), None)).collect(),
            "port" => self.ports = ports(&value)?,
            "passfile" => self.password_file = Some(value.into()),
            "sslmode" | "ssl-mode" => self.ssl_mode = Some(ssl_mode(name, &value)?),
            "ssl" => {
                self.ssl_mode = Some(if flag(name, &value)? { SslMode::Require } else { SslMode::Disable })
            }
            "sslaccept" => self.ssl_mode = Some(ssl_accept(name, &value)?),
            "sslrootcert" | "ssl-root-cert" | "ssl-ca" => self.root_certificate = Some(value),
            "sslcert" | "ssl-cert" => self.certificate = Some(value.into()),
            "sslkey" | "ssl-key" => self.key = Some(value.into()),
            "sslnegotiation" => {
                self.direct_tls = one_of(name, &value, &[("postgres", false), ("direct", true)])?
            }
            "channel_binding" => self.channel_binding = Some(channel_binding(name, &value)?),
            "options" => self.server_options = Some(value),
            "application_name" => self.application_name = Some(value),
            "fallback_application_name" => {
                self.application_name = self.application_name.take().or(Some(value))
            }
            "connect_timeout" => self.connect_timeout = connect_timeout(name, &value)?,
            "keepalives" => self.keepalive.on = flag(name, &value)?,
            "keepalives_idle" => self.keepalive.idle = seconds(name, &value)?,
            "keepalives_interval" => self.keepalive.interval = seconds(name, &value)?,
            "keepalives_count" => self.keepalive.retries = number(name, &value)?,
            "target_session_attrs" => self.target = Some(target_session(name, &value)?),
            "schema" | "currentSchema" => self.schema = Some(value).filter(|schema| !schema.is_empty()),
            _ if IGNORED.contains(&name) => {}
            _ if UNSUPPORTED.contains(&name) => {
                return Err(UrlError::Unsupported { parameter: name.to_owned() });
            }
            _ => return Err(UrlError::UnknownParameter { parameter: name.to_owned() }),
        }
        Ok(())
    }

    pub(super) fn complete(self, surroundings: &dyn Surroundings) -> Result<Options, UrlError> {
        let variable = |name: &str| surroundings.variable(name);
        let hosts = self.all_hosts(surroundings)?;
        let user = self
            .user
            .clone()
            .or_else(|| ["PGUSER", "USER", "LOGNAME"].iter().find_map(|name| variable(name)));
        let user = user.ok_or(UrlError::NoUser)?;
        let (ssl_mode, certificates) = self.encryption(surroundings)?;
        let home = variable("HOME").map(PathBuf::from);
        let password_file = self.password_file.or_else(|| variable("PGPASSFILE").map(PathBuf::from));
        let target = match variable("PGTARGETSESSIONATTRS") {
            Some(value) if self.target.is_none() => target_session("PGTARGETSESSIONATTRS", &value)?,
            _ => self.target.unwrap_or(TargetSession::Any),
        };
        let timeout = match variable("PGCONNECT_TIMEOUT") {
            Some(value) if self.connect_timeout.is_none() => connect_timeout("PGCONNECT_TIMEOUT", &value)?,
            _ => self.connect_timeout,
        };
        let binding = match variable("PGCHANNELBINDING") {
            Some(value) if self.channel_binding.is_none() => channel_binding("PGCHANNELBINDING", &value)?,
            _ => self.channel_binding.unwrap_or(ChannelBinding::Prefer),
        };
        Ok(Options {
            hosts,
            password: self.password.or_else(|| variable("PGPASSWORD")).map(Password),
            password_file: password_file.or_else(|| home.map(|home| home.join(".pgpass"))),
            database: self.database.or_else(|| variable("PGDATABASE")).unwrap_or_else(|| user.clone()),
            user,
            ssl_mode,
            certificates,
            channel_binding: binding,
            direct_tls: self.direct_tls,
            server_options: self.server_options.or_else(|| variable("PGOPTIONS")),
            application_name: self
                .application_name
                .or_else(|| variable("PGAPPNAME"))
                .unwrap_or_else(|| APPLICATION_NAME.to_owned()),
            connect_timeout: timeout.unwrap_or(CONNECT_TIMEOUT),
            keepalive: self.keepalive,
            target,
            schema: self.schema,
            history_table: None,
        })
    }

    /// Without a host the local sockets are tried first, as psql does, and then this machine's port.
    fn all_hosts(&self, surroundings: &dyn Surroundings) -> Result<Vec<Host>, UrlError> {
        let named = surroundings.variable("PGHOST");
        let ports = match surroundings.variable("PGPORT") {
            Some(value) if self.ports.is_empty() => ports(&value)?,
            _ => self.ports.clone(),
        };
        let given: Vec<_> = self.hosts.iter().filter(|(name, _)| !name.is_empty()).cloned().collect();
        let names: Vec<(String, Option<u16>)> = match named {
            _ if !given.is_empty() => given,
            Some(names) => names.split(',').map(|name| (name.to_owned(), None)).collect(),
            None => {
                let port = self.hosts.first().and_then(|(_, port)| *port);
                let folders = ["/var/run/postgresql", "/tmp"].into_iter();
                let sockets =
                    folders.filter(|_| cfg!(unix)).filter(|folder| has_socket(folder, port, &ports));
                sockets.chain(["localhost"]).map(|name| (name.to_owned(), port)).collect()
            }
        };
        let all_have_ports = names.iter().all(|(_, port)| port.is_some());
        if !all_have_ports && ports.len() > 1 && ports.len() != names.len() {
            return Err(UrlError::Ports { ports: ports.len(), hosts: names.len() });
        }
        let all = names.iter().enumerate().map(|(index, (name, port))| {
            let listed = ports.get(index).or(ports.first()).copied();
            Host::new(name, port.or(listed).unwrap_or(DEFAULT_PORT))
        });
        Ok(all.collect())
    }

    /// Naming authorities asks for more than encryption, as it does in libpq.
    fn encryption(&self, surroundings: &dyn Surroundings) -> Result<(SslMode, Certificates), UrlError> {
        let variable = |name: &str| surroundings.variable(name);
        let asked = match (self.ssl_mode, variable("PGSSLMODE")) {
            (None, Some(word)) => Some(ssl_mode("PGSSLMODE", &word)?),
            (given, _) => given,
        };
        let root = self.root_certificate.clone().or_else(|| variable("PGSSLROOTCERT"));
        let certificate = self.certificate.clone().or_else(|| variable("PGSSLCERT").map(PathBuf::from));
        let key = self.key.clone().or_else(|| variable("PGSSLKEY").map(PathBuf::from));
        let client = match (certificate, key) {
            (Some(certificate), Some(key)) => Some((certificate, key)),
            (None, None) => None,
            _ => return Err(UrlError::Contradiction("sslcert and sslkey are given together or not at all")),
        };
        let (mode, authorities) = match (asked, root.as_deref()) {
            (None | Some(SslMode::VerifyFull), Some("system")) => (SslMode::VerifyFull, Authorities::System),
            (Some(_), Some("system")) => {
                return Err(UrlError::Contradiction("sslrootcert=system goes with sslmode=verify-full only"));
            }
            (Some(SslMode::Require), Some(file)) => (SslMode::VerifyCa, Authorities::File(file.into())),
            (mode, Some(file)) => (mode.unwrap_or(SslMode::Prefer), Authorities::File(file.into())),
            (mode, None) => {
                let home = variable("HOME").map(|home| Path::new(&home).join(".postgresql/root.crt"));
                let authorities =
                    home.filter(|file| file.exists()).map_or(Authorities::System, Authorities::File);
                (mode.unwrap_or(SslMode::Prefer), authorities)
            }
        };
        Ok((mode, Certificates { authorities, client }))
    }
}

fn has_socket(folder: &str, port: Option<u16>, ports: &[u16]) -> bool {
    let port = port.or(ports.first().copied()).unwrap_or(DEFAULT_PORT);
    Path::new(folder).join(format!(".s.PGSQL.{port}")).exists()
}

fn ports(value: &str) -> Result<Vec<u16>, UrlError> {
    value.split(',').map(|text| if text.is_empty() { Ok(DEFAULT_PORT) } else { port(text) }).collect()
}

fn one_of<T: Copy>(name: &str, value: &str, words: &[(&'static str, T)]) -> Result<T, UrlError> {
    let found = words.iter().find(|(word, _)| word.eq_ignore_ascii_case(value)).map(|(_, meaning)| *meaning);
    found.ok_or_else(|| UrlError::Value { parameter: name.to_owned(), expected: "another word" })
}

fn expect<T>(name: &str, expected: &'static str, found: Result<T, UrlError>) -> Result<T, UrlError> {
    found.map_err(|_| UrlError::Value { parameter: name.to_owned(), expected })
}

fn ssl_mode(name: &str, value: &str) -> Result<SslMode, UrlError> {
    let words = [
        ("disable", SslMode::Disable),
        ("allow", SslMode::Allow),
        ("prefer", SslMode::Prefer),
        ("require", SslMode::Require),
        ("verify-ca", SslMode::VerifyCa),
        ("verify-full", SslMode::VerifyFull),
    ];
    expect(name, "disable, allow, prefer, require, verify-ca or verify-full", one_of(name, value, &words))
}

fn ssl_accept(name: &str, value: &str) -> Result<SslMode, UrlError> {
    let words = [("strict", SslMode::VerifyFull), ("accept_invalid_certs", SslMode::Require)];
    expect(name, "strict or accept_invalid_certs", one_of(name, value, &words))
}

fn channel_binding(name: &str, value: &str) -> Result<ChannelBinding, UrlError> {
    let words = [
        ("disable", ChannelBinding::Disable),
        ("prefer", ChannelBinding::Prefer),
        ("require", ChannelBinding::Require),
    ];
    expect(name, "disable, prefer or require", one_of(name, value, &words))
}

fn target_session(name: &str, value: &str) -> Result<TargetSession, UrlError> {
    let words = [
        ("any", TargetSession::Any),
        ("read-write", TargetSession::ReadWrite),
        ("read-only", TargetSession::ReadOnly),
        ("primary", TargetSession::Primary),
        ("standby", TargetSession::Standby),
        ("prefer-standby", TargetSession::PreferStandby),
    ];
    let expected = "any, read-write, read-only, primary, standby or prefer-standby";
    expect(name, expected, one_of(name, value, &words))
}

fn flag(name: &str, value: &str) -> Result<bool, UrlError> {
    let words = [("1", true), ("true", true), ("on", true), ("0", false), ("false", false), ("off", false)];
    expect(name, "1 or 0", one_of(name, value, &words))
}

fn number(name: &str, value: &str) -> Result<u32, UrlError> {
    let unread = || UrlError::Value { parameter: name.to_owned(), expected: "a number" };
    value.trim().parse().map_err(|_| unread())
}

fn seconds(name: &str, value: &str) -> Result<Duration, UrlError> {
    Ok(Duration::from_secs(number(name, value)?.max(1).into()))
}

/// Zero asks for no limit, as in libpq: a day is none.
fn connect_timeout(name: &str, value: &str) -> Result<Option<Duration>, UrlError> {
    let seconds = number(name, value)?;
    Ok(Some(Duration::from_secs(if seconds == 0 { 86_400 } else { seconds.into() })))
}
