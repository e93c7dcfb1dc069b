//! Target: which database a URL means, and the session with it.

use crate::config::{Secret, Settings};
use std::error::Error;
use std::path::Path;
use windlass_core::driver::Driver;
use windlass_core::sql::Dialect;

/// What begins a URL, per kind of database.
const SCHEMES: [(Kind, &[&str]); 3] = [
    (Kind::Postgres, &["postgres", "postgresql"]),
    (Kind::MySql, &["mysql", "mariadb"]),
    (Kind::Sqlite, &["sqlite", "file"]),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Postgres,
    MySql,
    Sqlite,
}

/// Why a URL means no database.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum TargetError {
    /// There is none.
    #[error("no database is given")]
    None,
    /// Nothing stands before a colon.
    #[error("the database URL has no scheme")]
    NoScheme {
        /// Whether it looks like a file of SQLite.
        file: Option<String>,
        /// What it begins with that no URL does.
        odd: Option<char>,
    },
    /// Its scheme is not known.
    #[error("no database has URLs that begin with `{scheme}:`")]
    UnknownScheme {
        /// The scheme.
        scheme: String,
    },
    /// It is not of the database's own kind.
    #[error("the URL of the shadow database is not of the same kind as the database's")]
    OtherKind,
    /// The driver cannot read it.
    #[error("the database URL cannot be understood")]
    Unreadable(#[source] Box<dyn Error + Send + Sync>),
}

impl TargetError {
    /// What to do about it.
    pub(crate) fn hint(&self) -> String {
        let known: Vec<_> =
            SCHEMES.iter().flat_map(|(_, names)| names.iter().map(|name| format!("{name}:"))).collect();
        match self {
            Self::None => {
                let ways = "give `--database-url URL`, or set DATABASE_URL, or write `database_url` into windlass.toml";
                // Other tools read it: whoever comes from them has the URL there.
                let is_there = Path::new(".env").is_file();
                let dotenv = "; a `.env` stands here, which the shell reads: `set -a && . ./.env && set +a`";
                format!("{ways}{}", if is_there { dotenv } else { "" })
            }
            Self::UnknownScheme { scheme } if scheme.eq_ignore_ascii_case("jdbc") => {
                "leave `jdbc:` out: what follows it is the URL".into()
            }
            Self::OtherKind => {
                "it names a server of the same product and version, where a database may be created".into()
            }
            Self::Unreadable(_) => {
                "like postgres://user@host/shop, mysql://user@host/shop or sqlite:shop.db".into()
            }
            Self::NoScheme { odd: Some('$'), .. } => {
                "the variable was not filled in: a shell does that outside of single quotes, and windlass.toml where it is \
                 written `${NAME}`"
                    .into()
            }
            Self::NoScheme { odd: Some(_), .. } => "take the quotes or blanks around it away".into(),
            Self::NoScheme { file: Some(file), .. } => {
                format!(
                    "a file of SQLite is written like `sqlite:{file}`; others begin with one of {}",
                    known.join(", ")
                )
            }
            Self::NoScheme { .. } | Self::UnknownScheme { .. } => {
                format!("it begins with one of {}", known.join(", "))
            }
        }
    }
}

/// Why there is no session with the database.
#[derive(Debug, thiserror::Error)]
#[error("cannot connect to {place}")]
pub(crate) struct ConnectFailure {
    /// Which database, without what is secret of its URL.
    pub(crate) place: String,
    /// The server is there, and the database is not.
    pub(crate) is_missing: bool,
    /// In the driver's words.
    pub(crate) source: Box<dyn Error + Send + Sync>,
}

impl ConnectFailure {
    /// What to do about it.
    pub(crate) fn hint(&self) -> Option<String> {
        if self.is_missing {
            return Some("`windlass deploy --create-database` creates it, as soon as there is a migration; a command that only looks, and a dry run, \
                 create nothing"
                .to_owned());
        }
        let source: &(dyn Error + 'static) = &*self.source;
        let mut causes =
            std::iter::successors(Some(source), |cause: &&(dyn Error + 'static)| (*cause).source());
        if causes.any(|cause| cause.to_string().contains("UnknownIssuer")) {
            let hint = "name the file of the authority that signed its certificate, in the URL: `sslrootcert=ca.pem` \
                        (PostgreSQL), `ssl-ca=ca.pem` (MySQL, MariaDB)";
            return Some(hint.to_owned());
        }
        let hint = match (source.downcast_ref(), source.downcast_ref()) {
            (Some(error), _) => of_postgres(error),
            (_, Some(error)) => of_mysql(error),
            _ => None,
        };
        hint.map(str::to_owned)
    }
}

const NOBODY: &str = "check host and port of the database URL, and that the server runs; where it has only just been started, try again";
const NO_RIGHT: &str = "check the user and the database of the URL; where both are right, an administrator grants the right to it";

fn of_postgres(error: &windlass_postgres::ConnectError) -> Option<&'static str> {
    use windlass_postgres::ConnectError::{
        NoAccess, NoPassword, TooManyConnections, Unreachable, WrongPassword,
    };
    Some(match error {
        Unreachable { .. } => NOBODY,
        WrongPassword { .. } => {
            "mend the password in the database URL (in it `@` is written `%40`, `/` `%2F`), or in PGPASSWORD"
        }
        NoPassword { .. } => "give one in the database URL, in PGPASSWORD, or in ~/.pgpass",
        NoAccess { .. } => NO_RIGHT,
        TooManyConnections { .. } => "try again once others have ended theirs",
        _ => return None,
    })
}

fn of_mysql(error: &windlass_mysql::ConnectError) -> Option<&'static str> {
    use windlass_mysql::ConnectError::{NoAccess, Unreachable, WrongPassword};
    Some(match error {
        Unreachable { .. } => NOBODY,
        WrongPassword { .. } => {
            "mend the password in the database URL (in it `@` is written `%40`, `/` `%2F`), or in MYSQL_PWD"
        }
        NoAccess { .. } => NO_RIGHT,
        _ => return None,
    })
}

/// What to do about a database that is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IfMissing {
    /// Create it.
    Create,
    /// What the URL says; without a word of its own that is an error.
    AsTheUrlSays,
    /// It is an error, whatever the URL says.
    Leave,
}

/// A database that a URL names.
#[derive(Debug)]
pub(crate) struct Target {
    /// The URL without what is secret of it.
    pub(crate) place: String,
    options: Options,
}

#[derive(Debug)]
enum Options {
    Postgres(windlass_postgres::Options),
    MySql(windlass_mysql::Options),
    Sqlite(windlass_sqlite::Options),
}

impl Target {
    /// The SQL that it speaks.
    pub(crate) fn dialect(&self) -> Dialect {
        match self.options {
            Options::Postgres(_) => Dialect::Postgres,
            Options::MySql(_) => Dialect::MySql,
            Options::Sqlite(_) => Dialect::Sqlite,
        }
    }

    /// Reads the URL of the settings.
    ///
    /// # Errors
    /// When there is none, or it means no database. No connection is opened.
    pub(crate) fn of(settings: &Settings) -> Result<Self, TargetError> {
        let url = settings.database_url.as_ref().ok_or(TargetError::None)?.reveal();
        // A table that nobody named is looked for where the driver keeps it.
        let table = settings.history_table.as_deref();
        let options = match kind(url)? {
            Kind::Postgres => {
                let options = windlass_postgres::Options::parse(url).map_err(unreadable)?;
                Options::Postgres(named(options, table, windlass_postgres::Options::history_table))
            }
            Kind::MySql => {
                let options = windlass_mysql::Options::parse(url).map_err(unreadable)?;
                if options.database().is_none() {
                    let place = options.place();
                    return Err(unreadable(windlass_mysql::ConnectError::NoDatabaseNamed { place }));
                }
                Options::MySql(named(options, table, windlass_mysql::Options::history_table))
            }
            Kind::Sqlite => {
                let options = windlass_sqlite::Options::parse(url).map_err(unreadable)?;
                Options::Sqlite(named(options, table, windlass_sqlite::Options::history_table))
            }
        };
        Ok(Self { place: place(url), options })
    }

    /// The target with the URL of another server of the same kind.
    ///
    /// # Errors
    /// When that means no database, or one of another kind.
    pub(crate) fn on(&self, url: &str) -> Result<Self, TargetError> {
        let options = match (kind(url)?, &self.options) {
            (Kind::Postgres, Options::Postgres(_)) => {
                Options::Postgres(windlass_postgres::Options::parse(url).map_err(unreadable)?)
            }
            (Kind::MySql, Options::MySql(_)) => {
                Options::MySql(windlass_mysql::Options::parse(url).map_err(unreadable)?)
            }
            _ => return Err(TargetError::OtherKind),
        };
        Ok(Self { place: place(url), options })
    }

    /// A database of this name on the same server; on SQLite one in memory.
    pub(crate) fn scratch(&self, name: &str) -> Self {
        let options = match &self.options {
            Options::Postgres(options) => Options::Postgres(options.with_database(name)),
            Options::MySql(options) => Options::MySql(options.clone().with_database(name)),
            Options::Sqlite(options) => Options::Sqlite(options.in_memory()),
        };
        Self { place: self.place.clone(), options }
    }

    /// What stands in for the database while there is none: one that every server has, which tells what the server can do; on
    /// SQLite one in memory. And the name that the missing one is to have.
    pub(crate) fn stand_in(&self) -> (Self, String) {
        let (other, name) = match &self.options {
            Options::Postgres(options) => ("postgres", options.database()),
            Options::MySql(options) => ("information_schema", options.database().unwrap_or_default()),
            Options::Sqlite(_) => ("", ""),
        };
        (self.scratch(other), name.to_owned())
    }

    /// Whether it is a file that is not there: one that will be empty when it is made.
    pub(crate) fn is_missing_file(&self) -> bool {
        match &self.options {
            Options::Sqlite(options) => {
                options.path().is_some_and(|path| path.try_exists().is_ok_and(|exists| !exists))
            }
            Options::Postgres(_) | Options::MySql(_) => false,
        }
    }

    /// Whether a database of its own costs and touches nothing.
    pub(crate) fn is_sqlite(&self) -> bool {
        matches!(self.options, Options::Sqlite(_))
    }

    /// Drops the database, with all that is in it.
    ///
    /// # Errors
    /// In the driver's words.
    pub(crate) async fn drop_database(&self) -> Result<(), Box<dyn Error + Send + Sync>> {
        match &self.options {
            Options::Postgres(options) => Ok(windlass_postgres::Postgres::drop_database(options).await?),
            Options::MySql(options) => Ok(windlass_mysql::drop_database(options).await?),
            Options::Sqlite(_) => Ok(()),
        }
    }

    /// Opens a session.
    ///
    /// # Errors
    /// In the driver's words.
    pub(crate) async fn connect(&self, if_missing: IfMissing) -> Result<Box<dyn Driver>, ConnectFailure> {
        let failure = |Unopened { is_missing, source }| {
            let place = self.place.clone();
            ConnectFailure { place, is_missing, source }
        };
        match self.options.open(if_missing).await {
            Err(unopened) if unopened.is_missing && if_missing == IfMissing::Create => {
                tracing::info!("creating the database");
                self.options.create().await.map_err(failure)
            }
            opened => opened.map_err(failure),
        }
    }
}

/// Why a driver has no session.
struct Unopened {
    is_missing: bool,
    source: Box<dyn Error + Send + Sync>,
}

type Opened = Result<Box<dyn Driver>, Unopened>;

impl Options {
    async fn open(&self, if_missing: IfMissing) -> Opened {
        match self {
            Self::Postgres(options) => opened(windlass_postgres::Postgres::connect(options).await),
            Self::MySql(options) => opened(windlass_mysql::connect(options).await),
            // Only of SQLite's the URL may say that it is to be created.
            Self::Sqlite(options) if if_missing == IfMissing::Leave => {
                opened(windlass_sqlite::Sqlite::connect(&options.clone().create_database(false)))
            }
            Self::Sqlite(options) => opened(windlass_sqlite::Sqlite::connect(options)),
        }
    }

    /// Creates the database and opens a session with it.
    async fn create(&self) -> Opened {
        match self {
            Self::Postgres(options) => {
                windlass_postgres::Postgres::create_database(options).await.map_err(Unopened::from)?;
                self.open(IfMissing::Leave).await
            }
            Self::MySql(options) => {
                windlass_mysql::create_database(options).await.map_err(Unopened::from)?;
                self.open(IfMissing::Leave).await
            }
            Self::Sqlite(options) => {
                opened(windlass_sqlite::Sqlite::connect(&options.clone().create_database(true)))
            }
        }
    }
}

fn opened<D: Driver + 'static, E: Into<Unopened>>(result: Result<D, E>) -> Opened {
    match result {
        Ok(driver) => Ok(Box::new(driver)),
        Err(error) => Err(error.into()),
    }
}

impl From<windlass_postgres::ConnectError> for Unopened {
    fn from(error: windlass_postgres::ConnectError) -> Self {
        let is_missing = matches!(error, windlass_postgres::ConnectError::MissingDatabase { .. });
        Self { is_missing, source: error.into() }
    }
}

impl From<windlass_mysql::ConnectError> for Unopened {
    fn from(error: windlass_mysql::ConnectError) -> Self {
        let is_missing = matches!(error, windlass_mysql::ConnectError::MissingDatabase { .. });
        Self { is_missing, source: error.into() }
    }
}

impl From<windlass_sqlite::ConnectError> for Unopened {
    fn from(error: windlass_sqlite::ConnectError) -> Self {
        match error {
            // The driver's words end with a way out, which is not the same for every command.
            windlass_sqlite::ConnectError::Missing { path } => {
                Self { is_missing: true, source: format!("there is no file `{}`", path.display()).into() }
            }
            error => Self { is_missing: false, source: error.into() },
        }
    }
}

/// The kind of database that a URL's scheme means.
fn kind(url: &str) -> Result<Kind, TargetError> {
    let (scheme, _) = url
        .split_once(':')
        .ok_or_else(|| TargetError::NoScheme { file: file_of_sqlite(url), odd: odd(url) })?;
    let is_named = |names: &[&str]| names.iter().any(|name| name.eq_ignore_ascii_case(scheme));
    if let Some((kind, _)) = SCHEMES.iter().find(|(_, names)| is_named(names)) {
        return Ok(*kind);
    }
    // What is no scheme at all may be the middle of a URL, and with it a secret.
    let is_word =
        !scheme.is_empty() && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    if is_word {
        return Err(TargetError::UnknownScheme { scheme: scheme.to_owned() });
    }
    Err(TargetError::NoScheme { file: None, odd: odd(url) })
}

/// A quote, a blank or a `$` at the beginning.
fn odd(url: &str) -> Option<char> {
    url.chars().next().filter(|first| first.is_whitespace() || ['\'', '"', '$'].contains(first))
}

/// A text without a scheme that is called like a file of SQLite, and holds nothing that may be secret.
fn file_of_sqlite(text: &str) -> Option<String> {
    let extension = Path::new(text).extension()?.to_str()?;
    let is_plain = !text.contains(['@', '?', '=', ' ']);
    (is_plain && ["db", "sqlite", "sqlite3", "db3"].contains(&extension)).then(|| text.to_owned())
}

fn named<'t, O>(options: O, table: Option<&'t str>, name: impl FnOnce(O, &'t str) -> O) -> O {
    match table {
        Some(table) => name(options, table),
        None => options,
    }
}

fn unreadable(error: impl Error + Send + Sync + 'static) -> TargetError {
    TargetError::Unreadable(Box::new(error))
}

/// The URL with the file that it names, where that is SQLite's and no whole path, below `folder`.
pub(crate) fn relative_to(folder: &Path, url: &str) -> String {
    let (scheme, rest) = url.split_once(':').unwrap_or_default();
    let is_sqlite = matches!(kind(url), Ok(Kind::Sqlite));
    let (path, query) = match rest.split_once('?') {
        Some((path, query)) => (path, format!("?{query}")),
        None => (rest, String::new()),
    };
    let path = path.strip_prefix("//").unwrap_or(path);
    let is_file = !path.is_empty() && path != ":memory:" && Path::new(path).is_relative();
    if !is_sqlite || !is_file || folder.as_os_str().is_empty() {
        return url.to_owned();
    }
    // What means something in a URL is no part of the folder's name.
    let folder = folder.display().to_string().replace('%', "%25").replace('?', "%3F");
    let path = Path::new(&folder).join(path.strip_prefix("./").unwrap_or(path));
    format!("{scheme}:{}{query}", path.display())
}

/// The URL without password and parameters.
pub(crate) fn place(url: &str) -> String {
    match kind(url) {
        // Between the slashes of a URL of SQLite's there is no login.
        Ok(Kind::Sqlite) if !url.split("://").nth(1).is_some_and(|rest| authority(rest).contains('@')) => {
            url.split('?').next().unwrap_or("").to_owned()
        }
        _ => windlass_core::url::without_secrets(url),
    }
}

fn authority(rest: &str) -> &str {
    rest.split(['/', '?']).next().unwrap_or_default()
}

/// Takes the secrets out of a text that was made of a URL.
pub(crate) fn redact(text: &str, url: Option<&Secret>) -> String {
    let url = url.map_or("", Secret::reveal);
    let (mut text, mut told) = (text.to_owned(), String::new());
    if url.contains("://") {
        told = place(url);
        text = text.replace(url, &told);
    }
    let environment = ["PGPASSWORD", "MYSQL_PWD"].iter().filter_map(|name| std::env::var(name).ok());
    for secret in environment.chain(passwords(url)) {
        // A word that the place is made of (`postgres`) tells nothing where it stands by itself.
        if !secret.is_empty() && (is_short(&secret) || !told.contains(&secret)) {
            text = without(&text, &secret);
        }
    }
    text
}

fn is_short(secret: &str) -> bool {
    secret.chars().count() < 4
}

/// The text without a secret. One of a few letters is part of many words, where `***` would tell it: it is taken out
/// only where it stands as a value.
fn without(text: &str, secret: &str) -> String {
    if !is_short(secret) {
        return text.replace(secret, "***");
    }
    let (mut clean, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(at) = rest.find(secret) {
        let (before, behind) = (&rest[..at], &rest[at + secret.len()..]);
        let is_value = before.ends_with([':', '=', '`', '\'', '"'])
            && (behind.is_empty() || behind.starts_with(['@', '&', '`', '\'', '"']));
        clean.push_str(before);
        clean.push_str(if is_value { "***" } else { secret });
        rest = behind;
    }
    clean + rest
}

/// Takes the secrets out of arguments that a text quotes whole: of a URL that stood where none belongs.
pub(crate) fn redact_arguments(text: &str, arguments: impl Iterator<Item = String>) -> String {
    let values = arguments.filter_map(|argument| match argument.strip_prefix("--") {
        Some(option) => option.split_once('=').map(|(_, value)| value.to_owned()),
        None => Some(argument),
    });
    values.filter(|value| !value.is_empty()).fold(text.to_owned(), |text, value| {
        let clean = redact(&value, Some(&Secret::new(value.as_str())));
        text.replace(&value, &clean)
    })
}

/// What in a URL, or in what was meant as one, may be a password: as written and as meant.
fn passwords(url: &str) -> Vec<String> {
    let mut found = Vec::new();
    let rest = url.split_once("//").map_or(url, |(_, rest)| rest);
    if let Some((before, _)) = rest.rsplit_once('@') {
        let after_colons = before.match_indices(':').map(|(colon, _)| before[colon + 1..].to_owned());
        // Where slashes show what the scheme is, a password begins at the first colon and may hold more.
        let most = if rest.len() < url.len() { 1 } else { 2 };
        found.extend(after_colons.take(most));
    }
    for pair in rest.split(['?', '&']) {
        if let Some((key, value)) = pair.split_once('=')
            && key.to_ascii_lowercase().contains("password")
        {
            found.push(value.to_owned());
        }
    }
    let decoded: Vec<_> = found
        .iter()
        .flat_map(|secret| {
            url::form_urlencoded::parse(secret.as_bytes()).map(|(key, _)| key.into_owned()).next()
        })
        .collect();
    found.extend(decoded);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_has_no_secret() {
        assert_eq!(place("sqlite:app.db"), "sqlite:app.db");
        assert_eq!(place("sqlite::memory:"), "sqlite::memory:");
        assert_eq!(place("file:./dev.db?mode=ro"), "file:./dev.db");
        assert_eq!(place("postgres://db/shop"), "postgres://db/shop");
        assert_eq!(place("postgres://ann@db/shop"), "postgres://ann@db/shop");
        assert_eq!(
            place("postgres://ann:s3cret@db:5432/shop?sslmode=require"),
            "postgres://ann@db:5432/shop"
        );
        assert_eq!(place("postgres://ann:s3c?r@e/t@db/shop"), "postgres://…");
        assert_eq!(place("postgres://h/shop?application_name=ci@host&password=s3cret"), "postgres://h/shop");
        assert_eq!(place("postgres://h/shop?password=s3@cret"), "postgres://h/shop");
        assert_eq!(place("postgres:///shop?password=s3cret"), "postgres:///shop");
        assert_eq!(place("sqlite:/srv/me@home/app.db?mode=ro"), "sqlite:/srv/me@home/app.db");
        assert_eq!(place("mysql://:s3cret@db/shop"), "mysql://db/shop");
    }

    #[test]
    fn a_file_is_told_from_the_folder_of_what_names_it() {
        let below = |url| relative_to(Path::new("deploy/50%"), url);
        assert_eq!(below("sqlite:app.db"), "sqlite:deploy/50%25/app.db");
        assert_eq!(below("sqlite://app.db?mode=rwc"), "sqlite:deploy/50%25/app.db?mode=rwc");
        assert_eq!(below("file:./dev.db"), "file:deploy/50%25/dev.db");
        assert_eq!(below("file:../dev.db"), "file:deploy/50%25/../dev.db");
        for whole in
            ["sqlite:/srv/app.db", "sqlite:///srv/app.db", "sqlite::memory:", "postgres://h/app", "?"]
        {
            assert_eq!(below(whole), whole);
        }
        assert_eq!(relative_to(Path::new(""), "file:./dev.db"), "file:./dev.db");
        let root = relative_to(Path::new("/etc"), "sqlite:app.db");
        assert_eq!(windlass_sqlite::Options::parse(&root).unwrap().path(), Some(Path::new("/etc/app.db")));
    }

    #[test]
    fn a_url_in_the_wrong_place_is_told_without_its_secrets() {
        let url = "postgres://ann:users@db/shop";
        let arguments = ["--quiet", "--to", url, &format!("--dir={url}")].map(str::to_owned);
        let told = redact_arguments(&format!("no folder {url}, no table users"), arguments.into_iter());
        assert_eq!(told, "no folder postgres://ann@db/shop, no table users");
    }

    #[test]
    fn secrets_are_taken_out() {
        let url = Secret::new("postgres://ann:s3%20cret@db/shop?sslpassword=key1");
        assert_eq!(redact("wrong `s3 cret`, s3%20cret or key1", Some(&url)), "wrong `***`, *** or ***");
        let short = Secret::new("postgres://ann:o@db/shop");
        assert_eq!(
            redact("no folder nono; `o` of ann:o@db", Some(&short)),
            "no folder nono; `***` of ann:***@db"
        );
        let usual = Secret::new("postgres://postgres:postgres@db/shop");
        let told = redact("postgres://postgres:postgres@db/shop: user postgres", Some(&usual));
        assert_eq!(told, "postgres://postgres@db/shop: user postgres");
    }
}
