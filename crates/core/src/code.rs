//! Migrations that are functions of the program: what a plan knows of them, and where a driver finds them.

use crate::migration::{Migration, Script, TransactionMode, version_of};
use crate::source::SourceError;
use std::any::Any;

/// The functions of a program that are migrations, each with its name.
///
/// Driver crates wrap it with the type that functions have there. Clones share what they are made of as far as `A` does.
#[derive(Clone, Debug)]
pub struct Registry<A> {
    entries: Vec<(Migration, A)>,
}

impl<A> Default for Registry<A> {
    fn default() -> Self {
        Self { entries: Vec::new() }
    }
}

impl<A> Registry<A> {
    /// Adds a function. The revision stands for its text: who changes what it does counts it up.
    pub fn add(&mut self, name: &str, revision: u32, mode: TransactionMode, action: A) {
        self.entries.push((Migration::in_rust(name, revision).with_mode(mode), action));
    }

    /// What a plan knows of them.
    pub fn migrations(&self) -> impl Iterator<Item = &Migration> {
        self.entries.iter().map(|(migration, _)| migration)
    }

    /// The function of this name.
    pub fn get(&self, name: &str) -> Option<&A> {
        self.entries.iter().find(|(migration, _)| migration.name() == name).map(|(_, action)| action)
    }
}

impl Migration {
    /// A migration whose work is done by a function of the program.
    ///
    /// Its script is a line that stands for the function: it makes the checksums, and is shown where SQL would be.
    pub fn in_rust(name: impl Into<String>, revision: u32) -> Self {
        let name = name.into();
        let line = format!("rust '{}' revision {revision}", name.replace(['\'', '\\'], "_"));
        let mut migration = Self::new(name.clone(), Script::new(format!("{name} (Rust)"), line));
        migration.is_rust = true;
        migration
    }

    /// Whether its work is done by a function of the program.
    pub fn is_rust(&self) -> bool {
        self.is_rust
    }
}

/// Refuses a name that could not stand in the order of migrations.
pub(crate) fn check_name(migration: &Migration) -> Result<(), SourceError> {
    let name = migration.name();
    let is_ordered = version_of(name).is_some() || name.starts_with("R__");
    let is_plain = !name.contains(['\'', '\\', '/']);
    if is_ordered && is_plain {
        return Ok(());
    }
    Err(SourceError::NoVersion { path: migration.up().origin().into() })
}

/// What a panic says, for the history.
pub fn panic_words(panic: &(dyn Any + Send)) -> String {
    let words = panic.downcast_ref::<&str>().map(|words| (*words).to_owned());
    let words = words.or_else(|| panic.downcast_ref::<String>().cloned());
    words
        .map_or_else(|| "the function panicked".to_owned(), |words| format!("the function panicked: {words}"))
}
