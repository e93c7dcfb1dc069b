//! Options: which database to open and how, read from a URL as users write it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use windlass_core::history::DEFAULT_TABLE;
use windlass_core::url::strip_scheme;

/// How long a statement waits for another connection's lock where nothing else is asked for.
pub(crate) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Which database to open, and how.
///
/// ```
/// use windlass_sqlite::Options;
///
/// let options = Options::parse("sqlite:shop.db?foreign_keys=on")?.create_database(true);
/// assert_eq!(options.path(), Some(std::path::Path::new("shop.db")));
/// # Ok::<(), windlass_sqlite::UrlError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    place: Place,
    mode: Mode,
    foreign_keys: bool,
    busy_timeout: Duration,
    history_table: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    Memory,
    File(PathBuf),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    ReadOnly,
    ReadWrite,
    Create,
}

/// Why a text is not the URL of a SQLite database.
///
/// ```
/// use windlass_sqlite::{Options, UrlError};
///
/// assert!(matches!(Options::parse("mysql://app@db.example/shop"), Err(UrlError::Scheme { .. })));
/// let unknown = Options::parse("sqlite:shop.db?colour=blue").unwrap_err();
/// assert!(unknown.to_string().starts_with("unknown parameter `colour`; known are mode"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UrlError {
    /// It begins with neither `sqlite:` nor `file:`.
    #[error("`{url}` is not the URL of a SQLite database: those begin with `sqlite:` or `file:`")]
    Scheme {
        /// The text.
        url: String,
    },
    /// It names no file.
    #[error("`{url}` names no file; write `sqlite:app.db`, or `sqlite::memory:`")]
    NoFile {
        /// The text.
        url: String,
    },
    /// It has a parameter that means nothing here.
    #[error("unknown parameter `{parameter}`; known are mode, foreign_keys and busy_timeout")]
    UnknownParameter {
        /// The parameter's name.
        parameter: String,
    },
    /// A parameter has a value that it cannot have.
    #[error("`{parameter}={value}` is not understood: {parameter} is {expected}")]
    Value {
        /// The parameter's name.
        parameter: &'static str,
        /// What was given.
        value: String,
        /// What can be.
        expected: &'static str,
    },
    /// A `%` is not followed by two hexadecimal digits, or what they spell is not UTF-8.
    #[error("`{text}` has a `%` that is not followed by the two hexadecimal digits of UTF-8 text")]
    Percent {
        /// The part of the URL.
        text: String,
    },
}

impl Options {
    /// The database in the file at `path`.
    ///
    /// ```
    /// use windlass_sqlite::Options;
    ///
    /// assert_eq!(Options::file("shop.db"), Options::parse("sqlite:shop.db")?);
    /// # Ok::<(), windlass_sqlite::UrlError>(())
    /// ```
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self::at(Place::File(path.into()))
    }

    /// A new database in memory, gone with its connection.
    ///
    /// ```
    /// use windlass_sqlite::Options;
    ///
    /// assert_eq!(Options::memory(), Options::parse("sqlite::memory:")?);
    /// # Ok::<(), windlass_sqlite::UrlError>(())
    /// ```
    pub fn memory() -> Self {
        Self::at(Place::Memory)
    }

    /// The same options with a new database in memory.
    ///
    /// ```
    /// use windlass_sqlite::Options;
    ///
    /// let rehearsal = Options::file("shop.db").foreign_keys(true).in_memory();
    /// assert_eq!(rehearsal, Options::memory().foreign_keys(true));
    /// ```
    #[must_use]
    pub fn in_memory(&self) -> Self {
        Self { place: Place::Memory, mode: Mode::ReadWrite, ..self.clone() }
    }

    fn at(place: Place) -> Self {
        Self {
            place,
            mode: Mode::ReadWrite,
            foreign_keys: false,
            busy_timeout: BUSY_TIMEOUT,
            history_table: DEFAULT_TABLE.to_owned(),
        }
    }

    /// Reads a URL.
    ///
    /// `sqlite:app.db`, `sqlite://app.db` and `file:./app.db` name a file relative to the current folder,
    /// `sqlite:///srv/app.db` one by its whole path, `sqlite::memory:` a database in memory.
    /// Parameters follow a `?`: `mode=ro|rw|rwc|memory`, `foreign_keys=on|off`, `busy_timeout=` milliseconds.
    /// `%20` and the like stand for bytes of the path.
    ///
    /// ```
    /// use windlass_sqlite::{Options, UrlError};
    ///
    /// let options = Options::parse("sqlite:shop.db?mode=rwc")?;
    /// assert_eq!(options, Options::file("shop.db").create_database(true));
    /// assert!(matches!(Options::parse("shop.db"), Err(UrlError::Scheme { .. })));
    /// # Ok::<(), UrlError>(())
    /// ```
    ///
    /// # Errors
    /// When the text is no such URL, or has a parameter that is not known.
    pub fn parse(url: &str) -> Result<Self, UrlError> {
        let rest = ["sqlite:", "file:"].iter().find_map(|scheme| strip_scheme(url, scheme));
        let rest = rest.ok_or_else(|| UrlError::Scheme { url: url.to_owned() })?;
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let path = decode(path.strip_prefix("//").unwrap_or(path))?;
        let mut options = match path.as_str() {
            "" => return Err(UrlError::NoFile { url: url.to_owned() }),
            ":memory:" => Self::memory(),
            path => Self::file(without_slash_before_drive(path)),
        };
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (parameter, value) = pair.split_once('=').unwrap_or((pair, ""));
            options.set(parameter, &decode(value)?)?;
        }
        Ok(options)
    }

    fn set(&mut self, parameter: &str, value: &str) -> Result<(), UrlError> {
        let refuse = |parameter, expected| UrlError::Value { parameter, value: value.to_owned(), expected };
        match parameter {
            "mode" => match value {
                "ro" => self.mode = Mode::ReadOnly,
                "rw" => self.mode = Mode::ReadWrite,
                "rwc" => self.mode = Mode::Create,
                "memory" => self.place = Place::Memory,
                _ => return Err(refuse("mode", "ro, rw, rwc or memory")),
            },
            "foreign_keys" => {
                self.foreign_keys = match value.to_ascii_lowercase().as_str() {
                    "on" | "true" | "1" => true,
                    "off" | "false" | "0" => false,
                    _ => return Err(refuse("foreign_keys", "on or off")),
                }
            }
            "busy_timeout" => {
                let milliseconds: Option<u32> = value.parse().ok().filter(|ms| i32::try_from(*ms).is_ok());
                let milliseconds =
                    milliseconds.ok_or_else(|| refuse("busy_timeout", "a number of milliseconds"))?;
                self.busy_timeout = Duration::from_millis(milliseconds.into());
            }
            _ => return Err(UrlError::UnknownParameter { parameter: parameter.to_owned() }),
        }
        Ok(())
    }

    /// Whether a missing file is created, as with `mode=rwc`. Without it a missing file is an error.
    ///
    /// ```
    /// use windlass_sqlite::Options;
    ///
    /// assert_eq!(Options::file("shop.db").create_database(true), Options::parse("sqlite:shop.db?mode=rwc")?);
    /// # Ok::<(), windlass_sqlite::UrlError>(())
    /// ```
    #[must_use]
    pub fn create_database(mut self, create: bool) -> Self {
        if self.mode != Mode::ReadOnly {
            self.mode = if create { Mode::Create } else { Mode::ReadWrite };
        }
        self
    }

    /// Opens the file for reading only, as with `mode=ro`.
    ///
    /// ```
    /// use windlass_sqlite::Options;
    ///
    /// assert_eq!(Options::file("shop.db").read_only(), Options::parse("sqlite:shop.db?mode=ro")?);
    /// # Ok::<(), windlass_sqlite::UrlError>(())
    /// ```
    #[must_use]
    pub fn read_only(mut self) -> Self {
        self.mode = Mode::ReadOnly;
        self
    }

    /// Whether migrations run with foreign keys enforced. Off by default, as in SQLite itself.
    ///
    /// ```
    /// use windlass_sqlite::Options;
    ///
    /// assert_eq!(Options::file("shop.db").foreign_keys(true), Options::parse("sqlite:shop.db?foreign_keys=on")?);
    /// # Ok::<(), windlass_sqlite::UrlError>(())
    /// ```
    #[must_use]
    pub fn foreign_keys(mut self, enforced: bool) -> Self {
        self.foreign_keys = enforced;
        self
    }

    /// How long a statement waits for another connection's lock; 5 seconds by default.
    ///
    /// ```
    /// use std::time::Duration;
    /// use windlass_sqlite::Options;
    ///
    /// let options = Options::file("shop.db").busy_timeout(Duration::from_millis(250));
    /// assert_eq!(options, Options::parse("sqlite:shop.db?busy_timeout=250")?);
    /// # Ok::<(), windlass_sqlite::UrlError>(())
    /// ```
    #[must_use]
    pub fn busy_timeout(mut self, timeout: Duration) -> Self {
        self.busy_timeout = timeout;
        self
    }

    /// The history table's name, `_windlass_migrations` by default.
    ///
    /// ```
    /// use windlass_sqlite::Options;
    ///
    /// let options = Options::file("shop.db").history_table("migrations");
    /// # drop(options);
    /// ```
    #[must_use]
    pub fn history_table(mut self, name: impl Into<String>) -> Self {
        self.history_table = name.into();
        self
    }

    /// The file; `None` for a database in memory.
    ///
    /// ```
    /// use std::path::Path;
    /// use windlass_sqlite::Options;
    ///
    /// assert_eq!(Options::file("shop.db").path(), Some(Path::new("shop.db")));
    /// assert_eq!(Options::memory().path(), None);
    /// ```
    pub fn path(&self) -> Option<&Path> {
        match &self.place {
            Place::Memory => None,
            Place::File(path) => Some(path),
        }
    }

    pub(crate) fn mode(&self) -> Mode {
        self.mode
    }

    pub(crate) fn enforces_foreign_keys(&self) -> bool {
        self.foreign_keys
    }

    pub(crate) fn waits(&self) -> Duration {
        self.busy_timeout
    }

    pub(crate) fn history(&self) -> &str {
        &self.history_table
    }
}

/// The place in words for people: the path, or `:memory:`.
impl fmt::Display for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Memory => f.write_str(":memory:"),
            Place::File(path) => path.display().fmt(f),
        }
    }
}

/// Turns `%20` and the like into what they stand for.
fn decode(text: &str) -> Result<String, UrlError> {
    let refuse = || UrlError::Percent { text: text.to_owned() };
    let mut pieces = text.as_bytes().split(|byte| *byte == b'%');
    let mut bytes = pieces.next().unwrap_or_default().to_vec();
    for piece in pieces {
        let digits = piece.get(..2).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        let digits = digits.and_then(|digits| std::str::from_utf8(digits).ok()).ok_or_else(refuse)?;
        bytes.push(u8::from_str_radix(digits, 16).map_err(|_| refuse())?);
        bytes.extend_from_slice(&piece[2..]);
    }
    String::from_utf8(bytes).map_err(|_| refuse())
}

/// `sqlite:///C:/app.db` names `C:/app.db`.
fn without_slash_before_drive(path: &str) -> &str {
    let is_drive =
        cfg!(windows) && matches!(path.as_bytes(), [b'/', letter, b':', ..] if letter.is_ascii_alphabetic());
    if is_drive { &path[1..] } else { path }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(url: &str) -> String {
        Options::parse(url).unwrap().to_string()
    }

    #[test]
    fn urls_as_users_write_them() {
        assert_eq!(path("sqlite:app.db"), "app.db");
        assert_eq!(path("sqlite://app.db"), "app.db");
        assert_eq!(path("SQLite:///srv/app.db"), "/srv/app.db");
        assert_eq!(path("file:./dev.db"), "./dev.db");
        assert_eq!(path("file:///srv/my%20app.db"), "/srv/my app.db");
        assert_eq!(path("sqlite::memory:"), ":memory:");
        assert_eq!(path("sqlite://:memory:"), ":memory:");
        assert_eq!(path("file:x?mode=memory"), ":memory:");
        assert_eq!(Options::parse("sqlite::memory:").unwrap().path(), None);
    }

    #[test]
    fn parameters_are_read() {
        let options = Options::parse("file:dev.db?mode=ro&foreign_keys=on&busy_timeout=250").unwrap();
        assert_eq!(
            options,
            Options::file("dev.db").read_only().foreign_keys(true).busy_timeout(Duration::from_millis(250))
        );
        assert_eq!(Options::parse("sqlite:a?mode=rwc").unwrap(), Options::file("a").create_database(true));
        assert_eq!(Options::parse("sqlite:a").unwrap(), Options::file("a"));
    }

    #[test]
    fn what_is_wrong_is_told() {
        let error = |url: &str| Options::parse(url).unwrap_err();
        assert!(matches!(error("postgres://x"), UrlError::Scheme { .. }));
        assert!(matches!(error("app.db"), UrlError::Scheme { .. }));
        assert!(matches!(error("sqlite:"), UrlError::NoFile { .. }));
        assert!(matches!(error("sqlite://?mode=ro"), UrlError::NoFile { .. }));
        assert!(
            matches!(error("sqlite:a?cache=shared"), UrlError::UnknownParameter { parameter } if parameter == "cache")
        );
        assert!(matches!(error("sqlite:a?mode=x"), UrlError::Value { parameter: "mode", .. }));
        assert!(matches!(error("sqlite:a?foreign_keys"), UrlError::Value { parameter: "foreign_keys", .. }));
        assert!(matches!(error("sqlite:a?busy_timeout=9999999999"), UrlError::Value { .. }));
        assert!(matches!(error("sqlite:a%2"), UrlError::Percent { .. }));
        assert!(matches!(error("sqlite:a%é1"), UrlError::Percent { .. }));
        assert!(matches!(error("sqlite:a%ff"), UrlError::Percent { .. }));
    }
}
