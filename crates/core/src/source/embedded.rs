//! Embedded: a set that is data of the program, and the folder it was compiled from.

use super::{Layout, Looked, Migrations, SourceError};
use crate::migration::{Migration, StandingDigest};
use std::borrow::Cow;
use std::path::Path;

impl Migrations {
    /// A set as the macro `migrations!` writes it down: in order, and checked.
    #[doc(hidden)]
    pub const fn embedded(
        list: &'static [Migration],
        digest: StandingDigest,
        layout: Option<Layout>,
        compiled_from: Option<&'static str>,
    ) -> Self {
        Self {
            list: Cow::Borrowed(list),
            left_out: Vec::new(),
            digest,
            layout,
            dir: None,
            looked: Looked::Everywhere,
            compiled_from,
        }
    }

    /// The names that the folder on disk holds by now and the program does not, since it was compiled before.
    ///
    /// Known of embedded migrations only, in a program compiled with debug assertions, on the machine that
    /// compiled it; else there are none.
    ///
    /// ```
    /// use windlass_core::source::Migrations;
    ///
    /// // What was not embedded is as the folder is.
    /// let migrations = Migrations::from_scripts([("1_ships", "CREATE TABLE ships (name text);")])?;
    /// assert!(migrations.not_compiled_in()?.is_empty());
    /// # Ok::<(), windlass_core::source::SourceError>(())
    /// ```
    ///
    /// # Errors
    /// When the folder stands and cannot be read as migrations.
    pub fn not_compiled_in(&self) -> Result<Vec<String>, SourceError> {
        let Some(folder) = self.compiled_from.map(Path::new).filter(|folder| folder.is_dir()) else {
            return Ok(Vec::new());
        };
        let on_disk = Self::from_dir(folder)?;
        let new = on_disk.iter().map(Migration::name).filter(|name| self.get(name).is_none());
        Ok(new.map(str::to_owned).collect())
    }
}
