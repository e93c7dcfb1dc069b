//! Settings: from the command line, the environment and `windlass.toml`, in this order.

use crate::args::{DriftPolicy, Global, duration};
use crate::target;
use crate::typed::Typed;
use serde::Deserialize;
use std::env;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;
use windlass_core::drift::DriftOptions;
use windlass_core::schema::Pattern;

const FILE: &str = "windlass.toml";

/// What every command goes by.
#[derive(Debug)]
pub(crate) struct Settings {
    /// The URL, where one is given.
    pub(crate) database_url: Option<Secret>,
    /// A server on which a shadow database may be made.
    pub(crate) shadow_database_url: Option<Secret>,
    /// The folder of migrations.
    pub(crate) dir: PathBuf,
    /// The name of the history table, where it is not the usual one.
    pub(crate) history_table: Option<String>,
    /// What commands that are advised need besides.
    pub(crate) typed: Typed,
    /// How long to wait for another deployer.
    pub(crate) lock_wait: Option<Duration>,
    /// How long a transaction waits for strong locks.
    pub(crate) lock_timeout: Option<Duration>,
    /// How often it is tried.
    pub(crate) lock_tries: Option<u32>,
    /// How long concurrent work waits for others.
    pub(crate) concurrent_wait: Option<Duration>,
    /// Refuse several migrations with one version.
    pub(crate) strict_order: bool,
    /// What to do where others changed the schema.
    pub(crate) drift: Option<DriftPolicy>,
    /// What others may change.
    pub(crate) drift_ignore: Vec<Pattern>,
    /// Look at what roles may do, too.
    pub(crate) drift_grants: bool,
}

/// Text that no message shows.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(String);

impl Secret {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum ConfigError {
    /// A file cannot be read.
    #[error("{} cannot be read", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// The file is not what it should be.
    #[error("{}:{line}:{column}: {what}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Line from 1.
        line: usize,
        /// Column from 1.
        column: usize,
        /// The parser's words, which never hold a value of the file.
        what: String,
    },
    /// A `${NAME}` that the environment does not have.
    #[error("{}: `${{{name}}}` is not set in the environment", path.display())]
    UnsetVariable {
        /// The file.
        path: PathBuf,
        /// The variable.
        name: String,
    },
    /// A `${` without its end.
    #[error("{}: `${{` without `}}` in {key}", path.display())]
    OpenVariable {
        /// The file.
        path: PathBuf,
        /// The key.
        key: &'static str,
    },
    /// A variable of the environment is not UTF-8.
    #[error("the environment's {name} is not UTF-8")]
    NotUtf8 {
        /// The variable.
        name: &'static str,
    },
    /// A history table without a name.
    #[error("the history table has no name")]
    EmptyHistoryTable,
    /// A file with nothing in it, where a URL should be.
    #[error("{} holds no database URL", path.display())]
    EmptyUrlFile {
        /// The file.
        path: PathBuf,
    },
}

impl ConfigError {
    /// What to do about it.
    pub(crate) fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Unreadable { .. } | Self::NotUtf8 { .. } => return None,
            Self::Invalid { what, .. } if what.starts_with("unknown field") => {
                "take it out, or write it as one of the keys; `windlass deploy --help` lists them at `--config`"
                    .to_owned()
            }
            Self::Invalid { .. } => "mend it; a text stands in quotes: `dir = \"migrations\"`".to_owned(),
            Self::UnsetVariable { name, .. } => format!("`export {name}=…`, or write the value in its place"),
            Self::OpenVariable { .. } => "write it like `${NAME}`".to_owned(),
            Self::EmptyHistoryTable => {
                "leave `--history-table` (and `history_table` of windlass.toml) out: the usual one is \
                 `_windlass_migrations`"
                    .to_owned()
            }
            Self::EmptyUrlFile { .. } => "write the database URL into it, and nothing else".to_owned(),
        })
    }
}

/// What `windlass.toml` may hold.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    database_url: Option<String>,
    database_url_file: Option<PathBuf>,
    shadow_database_url: Option<String>,
    dir: Option<PathBuf>,
    history_table: Option<String>,
    #[serde(default, deserialize_with = "optional_duration")]
    lock_wait: Option<Duration>,
    #[serde(default, deserialize_with = "optional_duration")]
    lock_timeout: Option<Duration>,
    lock_tries: Option<std::num::NonZeroU32>,
    #[serde(default, deserialize_with = "optional_duration")]
    concurrent_wait: Option<Duration>,
    strict_order: Option<bool>,
    drift: Option<DriftPolicy>,
    #[serde(default, deserialize_with = "patterns")]
    drift_ignore: Vec<Pattern>,
    drift_grants: Option<bool>,
}

impl Settings {
    /// How drift is dealt with where the command line does not say: every command looks, and a deploy stops.
    pub(crate) fn drift_options(&self) -> DriftOptions {
        let mut options = DriftOptions::default();
        options.policy = self.drift.map_or(windlass_core::drift::DriftPolicy::Stop, Into::into);
        options.ignore.clone_from(&self.drift_ignore);
        options.when_current = true;
        options.grants = self.drift_grants;
        options
    }

    /// Puts the settings together.
    ///
    /// # Errors
    /// When a file cannot be read or understood.
    pub(crate) fn resolve(global: &Global) -> Result<Self, ConfigError> {
        let (path, file) = match &global.config {
            Some(path) => (path.clone(), File::read(path, read(path)?)?),
            None => match fs::read_to_string(FILE) {
                Ok(text) => (FILE.into(), File::read(Path::new(FILE), text)?),
                Err(error) if error.kind() == io::ErrorKind::NotFound => (FILE.into(), File::default()),
                Err(source) => return Err(ConfigError::Unreadable { path: FILE.into(), source }),
            },
        };
        // Paths in the file are told from the file's folder.
        let beside = |inside: &PathBuf| path.parent().unwrap_or(Path::new("")).join(inside);
        let dir = match (&global.dir, variable("WINDLASS_DIR")?, &file.dir) {
            (Some(dir), ..) => dir.clone(),
            (None, Some(dir), _) => dir.into(),
            (None, None, Some(dir)) => beside(dir),
            (None, None, None) => beside(&"migrations".into()),
        };
        let from_environment = variable("DATABASE_URL")?;
        let database_url = match (&global.database_url, &global.database_url_file, &from_environment) {
            (Some(url), ..) => Some(Secret::new(url.as_str())),
            (None, Some(path), _) => Some(url_in(path)?),
            (None, None, Some(url)) => Some(Secret::new(url.as_str())),
            (None, None, None) => match (&file.database_url, &file.database_url_file) {
                (Some(url), _) => Some(url_beside(&path, &expand(url, &path, "database_url")?)),
                (None, Some(url_file)) => Some(url_beside(&path, url_in(&beside(url_file))?.reveal())),
                (None, None) => None,
            },
        };
        let other = from_environment.as_ref().or(file.database_url.as_ref());
        let typed = match &global.database_url {
            Some(url) if file.database_url_file.is_some() || other.is_some_and(|other| other != url) => {
                Typed::of(global).on(url)
            }
            _ => Typed::of(global),
        };
        let shadow_database_url = match (variable("SHADOW_DATABASE_URL")?, &file.shadow_database_url) {
            (Some(url), _) => Some(Secret::new(url)),
            (None, Some(url)) => Some(Secret::new(expand(url, &path, "shadow_database_url")?)),
            (None, None) => None,
        };
        if global.history_table.as_ref().or(file.history_table.as_ref()).is_some_and(String::is_empty) {
            return Err(ConfigError::EmptyHistoryTable);
        }
        Ok(Self {
            database_url,
            shadow_database_url,
            dir,
            history_table: global.history_table.clone().or(file.history_table),
            typed,
            lock_wait: file.lock_wait,
            lock_timeout: file.lock_timeout,
            lock_tries: file.lock_tries.map(std::num::NonZeroU32::get),
            concurrent_wait: file.concurrent_wait,
            strict_order: file.strict_order.unwrap_or(false),
            drift: file.drift,
            drift_ignore: file.drift_ignore,
            drift_grants: file.drift_grants.unwrap_or(false),
        })
    }
}

impl File {
    fn read(path: &Path, text: String) -> Result<Self, ConfigError> {
        toml::from_str(&text).map_err(|error| {
            // The parser's own display would show the line, and with it a password.
            let before = &text[..error.span().map_or(0, |span| span.start.min(text.len()))];
            ConfigError::Invalid {
                path: path.to_owned(),
                line: before.matches('\n').count() + 1,
                column: before.rsplit('\n').next().unwrap_or("").chars().count() + 1,
                what: error.message().lines().next().unwrap_or_default().to_owned(),
            }
        })
    }
}

fn optional_duration<'de, D: serde::Deserializer<'de>>(input: D) -> Result<Option<Duration>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "a time like \"60s\"")]
    enum Time {
        Seconds(u32),
        Text(String),
    }
    let parsed = match Time::deserialize(input)? {
        Time::Seconds(seconds) => Ok(Duration::from_secs(seconds.into())),
        Time::Text(text) => duration(&text),
    };
    parsed.map(Some).map_err(serde::de::Error::custom)
}

fn patterns<'de, D: serde::Deserializer<'de>>(input: D) -> Result<Vec<Pattern>, D::Error> {
    let texts = Vec::<String>::deserialize(input)?;
    texts.iter().map(|text| text.parse()).collect::<Result<_, _>>().map_err(serde::de::Error::custom)
}

fn read(path: &Path) -> Result<String, ConfigError> {
    fs::read_to_string(path).map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })
}

fn url_in(path: &Path) -> Result<Secret, ConfigError> {
    let text = read(path)?;
    match text.trim() {
        "" => Err(ConfigError::EmptyUrlFile { path: path.to_owned() }),
        url => Ok(Secret::new(url)),
    }
}

/// A URL that the file at `config` gives: the file that SQLite is to open is told from that folder.
fn url_beside(config: &Path, url: &str) -> Secret {
    let folder = config.parent().unwrap_or(Path::new(""));
    Secret::new(target::relative_to(folder, url))
}

/// A variable that is set to nothing counts as not set.
fn variable(name: &'static str) -> Result<Option<String>, ConfigError> {
    match env::var(name) {
        Ok(value) => Ok(Some(value).filter(|value| !value.is_empty())),
        Err(env::VarError::NotPresent) => Ok(None),
        Err(env::VarError::NotUnicode(_)) => Err(ConfigError::NotUtf8 { name }),
    }
}

/// Fills `${NAME}` in from the environment: in the login of a URL so that any password means itself.
fn expand(text: &str, path: &Path, key: &'static str) -> Result<String, ConfigError> {
    let mut expanded = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let open = || ConfigError::OpenVariable { path: path.to_owned(), key };
        let (name, after) = after.split_once('}').ok_or_else(open)?;
        let unset = |_| ConfigError::UnsetVariable { path: path.to_owned(), name: name.to_owned() };
        expanded.push_str(before);
        let value = env::var(name).map_err(unset)?;
        let is_login = expanded.contains("://") && after.contains('@');
        expanded.push_str(&if is_login { encoded(&value) } else { value });
        rest = after;
    }
    expanded.push_str(rest);
    Ok(expanded)
}

/// Written with `%40` and the like, for whatever means something in a URL.
fn encoded(value: &str) -> String {
    let bytes = value.bytes().map(|byte| match byte {
        byte if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    });
    bytes.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        File::read(Path::new("windlass.toml"), text.to_owned()).unwrap_err().to_string()
    }

    #[test]
    fn a_file_is_read() {
        let text = "dir = \"db\"\nlock_wait = \"5s\"\nstrict_order = true\n";
        let file = File::read(Path::new("windlass.toml"), text.to_owned()).unwrap();
        assert_eq!(file.dir, Some("db".into()));
        assert_eq!(file.lock_wait, Some(Duration::from_secs(5)));
        assert_eq!(file.strict_order, Some(true));
    }

    #[test]
    fn what_is_wrong_with_a_file_is_told_by_its_place() {
        assert!(
            error("dir = \"db\"\ndatabse_url = \"x\"\n")
                .starts_with("windlass.toml:2:1: unknown field `databse_url`")
        );
        assert!(error("lock_wait = \"soon\"").starts_with("windlass.toml:1:13: write it like"));
    }

    #[test]
    fn a_secret_in_a_broken_file_is_not_shown() {
        let told = error("database_url = postgres://ann:hunter22@db/shop\n");
        assert!(told.starts_with("windlass.toml:1:") && !told.contains("hunter22"), "{told}");
        assert_eq!(format!("{:?}", Secret::new("hunter22")), "(secret)");
    }

    #[test]
    fn variables_are_filled_in() {
        let path = Path::new("windlass.toml");
        let home = env::var("PATH").unwrap();
        assert_eq!(expand("a${PATH}b$c", path, "database_url").unwrap(), format!("a{home}b$c"));
        let path_in_login = expand("postgres://a:${PATH}@h/${PATH}", path, "database_url").unwrap();
        assert_eq!(path_in_login, format!("postgres://a:{}@h/{home}", encoded(&home)));
        assert_eq!(encoded("p%4/ss@é"), "p%254%2Fss%40%C3%A9");
        let unset = expand("${WINDLASS_IS_NOT_SET}", path, "database_url").unwrap_err();
        assert_eq!(
            unset.to_string(),
            "windlass.toml: `${WINDLASS_IS_NOT_SET}` is not set in the environment"
        );
        assert!(expand("${OPEN", path, "database_url").is_err());
    }
}
