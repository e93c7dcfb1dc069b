//! Migration: a named, ordered script, its version, and what identifies its text.

mod embedded;
mod version;

#[doc(hidden)]
pub use embedded::{EmbeddedMigration, EmbeddedScript};
pub use version::{Version, version_of};

use crate::sql::Dialect;
use crate::sql::checksum::token_checksum;
use crate::sql::split::{SplitError, Statement, split};
use sha2::{Digest, Sha256};
use std::borrow::Cow;

/// Where a migration stands in the order of all: versioned ones by version, then by name in bytes;
/// repeatable ones after them, by name.
///
/// It is read from the name alone, so that history rows order like the files they came from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// `None` sorts last: a repeatable migration has no version.
    version: (bool, Option<Version>),
    name: String,
}

impl Position {
    /// The position of the migration called `name`.
    pub fn of(name: &str) -> Self {
        let version = version_of(name);
        Self { version: (version.is_none(), version), name: name.to_owned() }
    }
}

/// Whether a migration runs once, or again whenever its text is another than the one that ran last: white space and comments
/// that mean nothing make no other text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MigrationKind {
    /// Runs once, in the order of versions.
    Versioned,
    /// `R__name`: runs after the versioned ones, again whenever its text is another than the one that ran last.
    Repeatable,
}

/// How a migration asks to be run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TransactionMode {
    /// One transaction, cut only around statements that cannot be in one.
    #[default]
    Automatic,
    /// No wrapping: every statement by itself.
    Off,
    /// A statement that cannot be in the transaction is an error before anything runs.
    Required,
}

/// A piece of SQL and where it came from, so that every message can name file and line.
#[derive(Clone, Debug)]
pub struct Script {
    origin: Cow<'static, str>,
    text: Cow<'static, str>,
    first_line: u32,
}

impl Script {
    /// A whole file's text; `origin` is the path that messages show.
    pub fn new(origin: impl Into<Cow<'static, str>>, text: impl Into<Cow<'static, str>>) -> Self {
        Self { origin: origin.into(), text: text.into(), first_line: 1 }
    }

    /// A section of a file: `first_line` is the 1-based line of the file on which `text` begins.
    #[must_use]
    pub fn starting_at_line(mut self, first_line: u32) -> Self {
        self.first_line = first_line;
        self
    }

    /// The path that messages show.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The SQL.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Turns a line of this text into a line of the file.
    pub fn line_in_file(&self, line: u32) -> u32 {
        self.first_line + line - 1
    }
}

/// The two checksums of a migration's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checksums {
    /// SHA-256 of the bytes, 64 hexadecimal digits.
    pub raw: String,
    /// SHA-256 of the tokens with the algorithm's version in front (`t1:…`): blind to comments and white space.
    pub tokens: String,
}

/// A named script of statements. Its whole name is its identity: several may share a version.
#[derive(Clone, Debug)]
pub struct Migration {
    name: Cow<'static, str>,
    kind: MigrationKind,
    up: Script,
    down: Option<Script>,
    mode: TransactionMode,
    raw: [u8; 32],
    /// Token checksums that were made when the program was compiled.
    tokens: &'static [(Dialect, &'static str)],
    /// Whether a function of the program does its work.
    pub(crate) is_rust: bool,
}

impl Migration {
    /// A migration whose kind and version are read from its name.
    pub fn new(name: impl Into<Cow<'static, str>>, up: Script) -> Self {
        let name = name.into();
        let kind =
            if embedded::is_repeatable(&name) { MigrationKind::Repeatable } else { MigrationKind::Versioned };
        let raw = Sha256::digest(up.text().as_bytes()).into();
        Self {
            name,
            kind,
            up,
            down: None,
            mode: TransactionMode::Automatic,
            raw,
            tokens: &[],
            is_rust: false,
        }
    }

    /// The same migration with the script that undoes it.
    #[must_use]
    pub fn with_down(mut self, down: Script) -> Self {
        self.down = Some(down);
        self
    }

    /// The same migration with a transaction mode that metadata beside the script asks for.
    #[must_use]
    pub fn with_mode(mut self, mode: TransactionMode) -> Self {
        self.mode = mode;
        self
    }

    /// The whole name: the migration's identity.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The version its name begins with; `None` for a repeatable one.
    pub fn version(&self) -> Option<Version> {
        version_of(&self.name)
    }

    /// Whether it runs once or whenever it changed.
    pub fn kind(&self) -> MigrationKind {
        self.kind
    }

    /// The script that applies it.
    pub fn up(&self) -> &Script {
        &self.up
    }

    /// The script that undoes it, where there is one.
    pub fn down(&self) -> Option<&Script> {
        self.down.as_ref()
    }

    /// The transaction mode that metadata beside the script asked for.
    pub fn mode(&self) -> TransactionMode {
        self.mode
    }

    /// SHA-256 of the script's bytes.
    pub fn raw_checksum(&self) -> &[u8; 32] {
        &self.raw
    }

    /// Both checksums, in the form that the history keeps.
    ///
    /// # Errors
    /// When the script cannot be split into tokens.
    pub fn checksums(&self, dialect: Dialect) -> Result<Checksums, SplitError> {
        let made = self.tokens.iter().find(|(made_for, _)| *made_for == dialect);
        let tokens = match made {
            Some((_, tokens)) => (*tokens).to_owned(),
            None => token_checksum(dialect, self.up.text())?,
        };
        Ok(Checksums { raw: hex(&self.raw), tokens })
    }

    /// The script's statements.
    ///
    /// # Errors
    /// When the script cannot be split: an unterminated string, a psql meta-command …
    pub fn statements(&self, dialect: Dialect) -> Result<Vec<Statement>, SplitError> {
        split(dialect, self.up.text())
    }
}

/// The digest of a set of standing migrations: what one row of the history is compared with.
///
/// Migrations are fed in their order; each step hashes what came before, so the digest after the
/// last one stands for all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StandingDigest([u8; 32]);

impl StandingDigest {
    /// The digest of no migration at all.
    pub fn empty() -> Self {
        Self(Sha256::digest(b"windlass standing digest 1").into())
    }

    /// The digest with one more migration standing.
    #[must_use]
    pub fn and(&self, name: &str, raw_checksum: &[u8; 32]) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(self.0);
        hasher.update(raw_checksum);
        hasher.update(name.as_bytes());
        Self(hasher.finalize().into())
    }

    /// 64 hexadecimal digits.
    pub fn to_hex(&self) -> String {
        hex(&self.0)
    }
}

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|b| [DIGITS[usize::from(b >> 4)], DIGITS[usize::from(b & 15)]])
        .map(char::from)
        .collect()
}

/// Reads 64 hexadecimal digits back.
pub(crate) fn unhex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (i, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * i..2 * i + 2], 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeatable_migrations_stand_after_versioned_ones() {
        let mut names = ["R__b", "10_x", "R__a", "2_z", "2_a"];
        names.sort_by_key(|name| Position::of(name));
        assert_eq!(names, ["2_a", "2_z", "10_x", "R__a", "R__b"]);
    }

    #[test]
    fn hexadecimal_is_read_back() {
        let digest = StandingDigest::empty();
        assert_eq!(unhex(&digest.to_hex()), Some(digest.0));
        assert_eq!(unhex("zz"), None);
    }
}
