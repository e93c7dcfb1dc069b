//! Embedded: a migration as data of the program, its checksums made when the program was compiled.

use super::{Migration, MigrationKind, Script, StandingDigest, TransactionMode};
use crate::sql::Dialect;
use std::borrow::Cow;

/// A migration as the macro `migrations!` writes it down; every part is known when the program is compiled.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct EmbeddedMigration {
    pub name: &'static str,
    pub up: EmbeddedScript,
    pub down: Option<EmbeddedScript>,
    pub mode: TransactionMode,
    pub raw: &'static [u8; 32],
    pub tokens: &'static [(Dialect, &'static str)],
}

/// A script, or the section of a file that is one.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct EmbeddedScript {
    pub origin: &'static str,
    pub text: &'static str,
    pub first_line: u32,
}

impl EmbeddedMigration {
    /// The migration. The macro has taken the name, the scripts and the checksums from a folder that was checked.
    pub const fn migration(self) -> Migration {
        let Self { name, up, down, mode, raw, tokens } = self;
        let kind = if is_repeatable(name) { MigrationKind::Repeatable } else { MigrationKind::Versioned };
        let down = match down {
            Some(down) => Some(down.script()),
            None => None,
        };
        Migration {
            name: Cow::Borrowed(name),
            kind,
            up: up.script(),
            down,
            mode,
            raw: *raw,
            tokens,
            is_rust: false,
        }
    }
}

impl EmbeddedScript {
    /// The part of a file that is `length` bytes long from `start` on: of a file that is `whole` bytes long.
    ///
    /// # Panics
    /// When the compiler reads another file than the macro did.
    pub const fn new(
        origin: &'static str,
        file: &'static str,
        whole: usize,
        start: usize,
        length: usize,
        first_line: u32,
    ) -> Self {
        assert!(file.len() == whole, "a migration changed while it was compiled: compile again");
        let (text, _) = file.split_at(start).1.split_at(length);
        Self { origin, text, first_line }
    }

    const fn script(self) -> Script {
        let Self { origin, text, first_line } = self;
        Script { origin: Cow::Borrowed(origin), text: Cow::Borrowed(text), first_line }
    }
}

impl StandingDigest {
    /// A digest that was made when the program was compiled.
    #[doc(hidden)]
    pub const fn embedded(digest: &'static [u8; 32]) -> Self {
        Self(*digest)
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

pub(super) const fn is_repeatable(name: &str) -> bool {
    matches!(name.as_bytes(), [b'R', b'_', b'_', ..])
}
