//! A folder of migrations, or an embedded one, as an ordered and checked set.

mod assemble;
mod embedded;
mod error;
mod folder;
mod foreign;
mod layout;
mod notice;
mod parallel;
mod sections;
mod settings;

pub use error::SourceError;
pub use layout::Layout;
pub use notice::Notice;

use crate::migration::{Migration, MigrationKind, Position, StandingDigest};
use crate::sql::Dialect;
use crate::sql::lexer::{TokenKind, tokens};
use crate::sql::split::position;
use std::borrow::Cow;
use std::path::{Path, PathBuf};

/// A set of migrations in their order, each with a name of its own and a version (or repeatable).
///
/// ```
/// use windlass_core::source::Migrations;
///
/// let migrations = Migrations::from_scripts([
///     ("2_add_email.sql", "ALTER TABLE users ADD COLUMN email text;"),
///     ("1_create_users.sql", "CREATE TABLE users (id integer PRIMARY KEY);"),
/// ])?;
/// let names: Vec<_> = migrations.iter().map(|migration| migration.name()).collect();
/// assert_eq!(names, ["1_create_users", "2_add_email"]);
/// # Ok::<(), windlass_core::source::SourceError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Migrations {
    list: Cow<'static, [Migration]>,
    /// What was seen beside the migrations.
    left_out: Vec<Notice>,
    digest: StandingDigest,
    layout: Option<Layout>,
    dir: Option<PathBuf>,
    looked: Looked,
    /// The folder that embedded ones were read from when the program was compiled.
    compiled_from: Option<&'static str>,
}

/// How thoroughly a folder was looked through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Looked {
    /// Whatever stands in it was seen.
    Everywhere,
    /// Where `<name>/migration.sql` stands, what stands beside it was not asked for.
    AtScripts,
}

impl Migrations {
    /// Reads a folder, whatever its layout. The files are read once, here.
    ///
    /// ```no_run
    /// # use windlass_core::application::Migrations;
    /// for migration in &Migrations::from_dir("migrations")? {
    ///     println!("{}", migration.name());
    /// }
    /// # Ok::<(), windlass_core::source::SourceError>(())
    /// ```
    ///
    /// # Errors
    /// When the folder or a file cannot be read, is not UTF-8, or the set is not one: mixed layouts,
    /// a name twice, a name without a version, a folder without its script. The error names the file.
    pub fn from_dir(dir: impl AsRef<Path>) -> Result<Self, SourceError> {
        Self::read(dir.as_ref(), Looked::Everywhere)
    }

    /// Reads a folder for a [`deploy`](crate::apply::deploy), which mostly finds nothing to do: of
    /// `<name>/migration.sql` only the script, with which that is seen. What may stand beside it (`down.sql`, a
    /// second script) is looked for once there is something to do, before anything is run.
    ///
    /// With thousands of migrations that saves half of the reading. For anything but a deploy, use
    /// [`Migrations::from_dir`].
    ///
    /// ```no_run
    /// # use windlass_core::application::Migrations;
    /// let migrations = Migrations::scripts_from_dir("migrations")?;
    /// # drop(migrations);
    /// # Ok::<(), windlass_core::source::SourceError>(())
    /// ```
    ///
    /// # Errors
    /// As for [`Migrations::from_dir`], but for what stands beside a script.
    pub fn scripts_from_dir(dir: impl AsRef<Path>) -> Result<Self, SourceError> {
        Self::read(dir.as_ref(), Looked::AtScripts)
    }

    fn read(dir: &Path, looked: Looked) -> Result<Self, SourceError> {
        let set = assemble::assemble(dir, folder::list(dir, looked)?)?;
        Ok(Self { dir: Some(dir.to_owned()), looked, ..set })
    }

    /// The same set with all that stands beside the scripts.
    ///
    /// # Errors
    /// As for [`Migrations::from_dir`].
    pub(crate) fn completed(&self) -> Result<Cow<'_, Self>, SourceError> {
        match (&self.dir, self.looked) {
            (Some(dir), Looked::AtScripts) if self.layout == Some(Layout::PrismaFolder) => {
                Ok(Cow::Owned(Self::from_dir(dir)?))
            }
            _ => Ok(Cow::Borrowed(self)),
        }
    }

    /// Embedded scripts, in any order: pairs of path and text.
    ///
    /// The path is the one that a file would have below the folder of migrations (`1_init.sql`,
    /// `1_init/migration.sql`, `1_init.down.sql`, `R__views.sql`); without `.sql` it is a migration's name.
    ///
    /// ```
    /// # use windlass_core::application::{Migrations, SourceError};
    /// let migrations = Migrations::from_scripts([("1_ships.sql", "CREATE TABLE ships (name text);")])?;
    /// assert_eq!(migrations.len(), 1);
    /// let twice = Migrations::from_scripts([("1_ships.sql", ""), ("1_ships.up.sql", "")]);
    /// assert!(twice.is_err());
    /// # Ok::<(), SourceError>(())
    /// ```
    ///
    /// # Errors
    /// As for [`Migrations::from_dir`].
    pub fn from_scripts<N, S>(scripts: impl IntoIterator<Item = (N, S)>) -> Result<Self, SourceError>
    where
        N: Into<Cow<'static, str>>,
        S: Into<Cow<'static, str>>,
    {
        let files = scripts.into_iter().map(|(path, text)| (path.into(), Some(text.into()))).collect();
        assemble::assemble(Path::new(""), files)
    }

    /// The same set with migrations that are functions of the program, in their place in the order.
    ///
    /// ```
    /// # use windlass_core::application::Migrations;
    /// use windlass_core::migration::Migration;
    ///
    /// // A driver crate's `RustMigrations` gives them, with the functions themselves.
    /// let functions = [Migration::in_rust("2_capitals", 1)];
    /// let migrations = Migrations::from_scripts([("1_ships.sql", ""), ("3_crews.sql", "")])?.with_rust(&functions)?;
    /// assert_eq!(migrations.index_of("2_capitals"), Some(1));
    /// # Ok::<(), windlass_core::source::SourceError>(())
    /// ```
    ///
    /// # Errors
    /// When a name has no version, or there is a migration of that name already.
    pub fn with_rust<'r>(
        &self,
        functions: impl IntoIterator<Item = &'r Migration>,
    ) -> Result<Self, SourceError> {
        let mut set = self.completed()?.into_owned();
        let list = set.list.to_mut();
        for function in functions {
            crate::code::check_name(function)?;
            list.push(function.clone());
        }
        assemble::in_order(list)?;
        set.digest = assemble::digest(list);
        set.looked = Looked::Everywhere;
        Ok(set)
    }

    /// Those of the same set that are wanted.
    pub(crate) fn only(&self, is_wanted: impl Fn(&Migration) -> bool) -> Self {
        let list: Vec<_> = self.list.iter().filter(|migration| is_wanted(migration)).cloned().collect();
        Self { digest: assemble::digest(&list), list: Cow::Owned(list), ..self.clone() }
    }

    /// The migrations in their order: versioned ones by version and name, then repeatable ones by name.
    ///
    /// ```
    /// # use windlass_core::application::Migrations;
    /// let migrations = Migrations::from_scripts([
    ///     ("1_ships.sql", "CREATE TABLE ships (name text);"),
    ///     ("2_crews.sql", "ALTER TABLE ships ADD COLUMN crew integer;"),
    /// ])?;
    /// assert_eq!(migrations.iter().next().map(|first| first.name()), Some("1_ships"));
    /// # Ok::<(), windlass_core::source::SourceError>(())
    /// ```
    pub fn iter(&self) -> std::slice::Iter<'_, Migration> {
        self.list.iter()
    }

    /// How many there are.
    ///
    /// ```
    /// # use windlass_core::application::Migrations;
    /// let migrations = Migrations::from_scripts([
    ///     ("1_ships.sql", "CREATE TABLE ships (name text);"),
    ///     ("2_crews.sql", "ALTER TABLE ships ADD COLUMN crew integer;"),
    /// ])?;
    /// assert_eq!(migrations.len(), 2);
    /// # Ok::<(), windlass_core::source::SourceError>(())
    /// ```
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there are none.
    ///
    /// ```
    /// # use windlass_core::application::Migrations;
    /// let migrations = Migrations::from_scripts([
    ///     ("1_ships.sql", "CREATE TABLE ships (name text);"),
    ///     ("2_crews.sql", "ALTER TABLE ships ADD COLUMN crew integer;"),
    /// ])?;
    /// assert!(!migrations.is_empty());
    /// # Ok::<(), windlass_core::source::SourceError>(())
    /// ```
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The migrations in their order, as a slice.
    ///
    /// ```
    /// # use windlass_core::application::Migrations;
    /// let migrations = Migrations::from_scripts([
    ///     ("1_ships.sql", "CREATE TABLE ships (name text);"),
    ///     ("2_crews.sql", "ALTER TABLE ships ADD COLUMN crew integer;"),
    /// ])?;
    /// assert_eq!(migrations.as_slice()[1].name(), "2_crews");
    /// # Ok::<(), windlass_core::source::SourceError>(())
    /// ```
    pub fn as_slice(&self) -> &[Migration] {
        &self.list
    }

    /// The migration of this name.
    ///
    /// ```
    /// # use windlass_core::application::Migrations;
    /// let migrations = Migrations::from_scripts([
    ///     ("1_ships.sql", "CREATE TABLE ships (name text);"),
    ///     ("2_crews.sql", "ALTER TABLE ships ADD COLUMN crew integer;"),
    /// ])?;
    /// assert!(migrations.get("1_ships").is_some_and(|ships| ships.up().text().starts_with("CREATE")));
    /// # Ok::<(), windlass_core::source::SourceError>(())
    /// ```
    pub fn get(&self, name: &str) -> Option<&Migration> {
        self.index_of(name).map(|index| &self.list[index])
    }

    /// Where in the order the migration of this name stands, from 0.
    ///
    /// ```
    /// # use windlass_core::application::Migrations;
    /// let migrations = Migrations::from_scripts([
    ///     ("1_ships.sql", "CREATE TABLE ships (name text);"),
    ///     ("2_crews.sql", "ALTER TABLE ships ADD COLUMN crew integer;"),
    /// ])?;
    /// assert_eq!(migrations.index_of("2_crews"), Some(1));
    /// # Ok::<(), windlass_core::source::SourceError>(())
    /// ```
    pub fn index_of(&self, name: &str) -> Option<usize> {
        let position = Position::of(name);
        self.list.binary_search_by(|migration| Position::of(migration.name()).cmp(&position)).ok()
    }

    /// The layout; `None` where there is no versioned migration to tell it.
    ///
    /// ```
    /// # use windlass_core::application::Migrations;
    /// let migrations = Migrations::from_scripts([
    ///     ("1_ships.sql", "CREATE TABLE ships (name text);"),
    ///     ("2_crews.sql", "ALTER TABLE ships ADD COLUMN crew integer;"),
    /// ])?;
    /// assert_eq!(migrations.layout(), Some(windlass_core::source::Layout::Plain));
    /// # Ok::<(), windlass_core::source::SourceError>(())
    /// ```
    pub fn layout(&self) -> Option<Layout> {
        self.layout
    }

    /// The folder they were read from; `None` for embedded ones.
    ///
    /// ```
    /// # use windlass_core::application::Migrations;
    /// let migrations = Migrations::from_scripts([
    ///     ("1_ships.sql", "CREATE TABLE ships (name text);"),
    ///     ("2_crews.sql", "ALTER TABLE ships ADD COLUMN crew integer;"),
    /// ])?;
    /// assert_eq!(migrations.dir(), None);
    /// # Ok::<(), windlass_core::source::SourceError>(())
    /// ```
    pub fn dir(&self) -> Option<&Path> {
        self.dir.as_deref()
    }

    /// The digest of all of them standing, to compare with the newest row of a history.
    ///
    /// ```
    /// # use windlass_core::application::Migrations;
    /// let migrations = Migrations::from_scripts([
    ///     ("1_ships.sql", "CREATE TABLE ships (name text);"),
    ///     ("2_crews.sql", "ALTER TABLE ships ADD COLUMN crew integer;"),
    /// ])?;
    /// assert_eq!(migrations.digest(), migrations.clone().digest());
    /// # Ok::<(), windlass_core::source::SourceError>(())
    /// ```
    pub fn digest(&self) -> &StandingDigest {
        &self.digest
    }

    /// What is worth telling. It is found on demand: a deploy with nothing to do needs none of it.
    ///
    /// ```
    /// # use windlass_core::application::Migrations;
    /// let migrations = Migrations::from_scripts([
    ///     ("1_ships.sql", "CREATE TABLE ships (name text);"),
    ///     ("2_crews.sql", "ALTER TABLE ships ADD COLUMN crew integer;"),
    /// ])?;
    /// assert!(migrations.notices(windlass_core::sql::Dialect::Sqlite).is_empty());
    /// # Ok::<(), windlass_core::source::SourceError>(())
    /// ```
    pub fn notices(&self, dialect: Dialect) -> Vec<Notice> {
        let shared =
            self.list.chunk_by(share_a_version).filter(|group| group.len() > 1).filter_map(|group| {
                let names = group.iter().map(|migration| migration.name().to_owned()).collect();
                Some(Notice::SharedVersion { version: group[0].version()?, names })
            });
        let empty = self.list.iter().filter(|migration| is_empty(dialect, migration));
        let empty = empty.map(|migration| Notice::Empty { name: migration.name().to_owned() });
        let open = self.list.iter().filter_map(|migration| open_comment(dialect, migration));
        let beside = if self.dir.is_some() { folder::beside(self) } else { Vec::new() };
        let beside = beside.into_iter().filter(|notice| !self.left_out.contains(notice));
        shared.chain(empty).chain(open).chain(self.left_out.iter().cloned()).chain(beside).collect()
    }
}

impl<'m> IntoIterator for &'m Migrations {
    type Item = &'m Migration;
    type IntoIter = std::slice::Iter<'m, Migration>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

fn share_a_version(a: &Migration, b: &Migration) -> bool {
    a.kind() == MigrationKind::Versioned && a.kind() == b.kind() && a.version() == b.version()
}

/// The comment that takes the rest of an SQLite script. Elsewhere such a script is refused.
fn open_comment(dialect: Dialect, migration: &Migration) -> Option<Notice> {
    let text = migration.up().text();
    // What closes one stands behind the begin of the last one in nearly all.
    let last = text.rfind("*/").map_or(0, |closed| closed.saturating_sub(1));
    if dialect != Dialect::Sqlite
        || migration.is_rust()
        || !text.is_char_boundary(last)
        || !text[last..].contains("/*")
    {
        return None;
    }
    let open = tokens(dialect, text).last().filter(|token| {
        token.kind == TokenKind::Comment
            && token.text.starts_with("/*")
            && !(token.text.len() > 3 && token.text.ends_with("*/"))
    })?;
    let (line, column) = position(text, open.offset);
    Some(Notice::OpenComment { path: migration.up().origin().into(), line, column })
}

/// Whether there is nothing to run. It looks no further than to the first token that says otherwise.
fn is_empty(dialect: Dialect, migration: &Migration) -> bool {
    let text = migration.up().text().trim_start_matches('\u{feff}');
    tokens(dialect, text).all(|token| {
        matches!(
            token.kind,
            TokenKind::Space | TokenKind::Comment | TokenKind::Semicolon | TokenKind::Terminator
        )
    })
}
