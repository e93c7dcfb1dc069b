//! What a file is, read from its path alone.

use super::SourceError;
use crate::migration::{Version, version_of};
use std::borrow::Cow;
use std::fmt;
use std::path::Path;

/// How the migrations of a folder are laid out. Repeatable ones (`R__<name>.sql`) stand beside any.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Layout {
    /// `<version>_<name>/migration.sql`, perhaps with `down.sql`.
    PrismaFolder,
    /// `<version>_<name>.sql`.
    Plain,
    /// `<version>_<name>.up.sql`, perhaps with `<version>_<name>.down.sql`.
    UpDownFiles,
    /// `<version>_<name>/up.sql`, perhaps with `down.sql`.
    UpDownFolders,
    /// `V<version>__<name>.sql`, perhaps with `U<version>__<name>.sql`.
    Flyway,
    /// `<version>_<name>.sql` with `-- +goose Up` and `-- +goose Down`.
    Goose,
    /// `<version>_<name>.sql` with `-- migrate:up` and `-- migrate:down`.
    Dbmate,
}

impl Layout {
    /// Whether each migration has a folder of its own.
    pub(super) fn has_folders(self) -> bool {
        matches!(self, Self::PrismaFolder | Self::UpDownFolders)
    }
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PrismaFolder => "<version>_<name>/migration.sql",
            Self::Plain => "<version>_<name>.sql",
            Self::UpDownFiles => "<version>_<name>.up.sql",
            Self::UpDownFolders => "<version>_<name>/up.sql",
            Self::Flyway => "V<version>__<name>.sql",
            Self::Goose => "<version>_<name>.sql with `-- +goose Up`",
            Self::Dbmate => "<version>_<name>.sql with `-- migrate:up`",
        })
    }
}

/// The scripts that a migration with a folder of its own can have.
pub(super) const SCRIPTS: [&str; 2] = ["migration.sql", "up.sql"];

/// What a file is to its migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// The script that applies it.
    Up,
    /// The script that undoes it.
    Down,
    /// Settings beside the script.
    Settings,
    /// SQL that no tool of this layout would run.
    Aside,
    /// `V2_name.sql`: SQL that is named nearly like a migration.
    OneUnderscore,
    /// `name.sql`: SQL without a version, where scripts have one.
    Unversioned,
    /// `sub/1_a.sql`: a migration deeper than migrations are looked for.
    Nested,
}

/// A file and the migration it belongs to.
#[derive(Clone, Debug)]
pub(super) struct Recognised<'p> {
    pub(super) name: Cow<'p, str>,
    pub(super) role: Role,
    /// `None` where the file fits any layout.
    pub(super) layout: Option<Layout>,
}

/// Says what the file at `path` is: a path below the folder of migrations with `/` between its parts.
///
/// A path that does not end in `.sql` is the name of an embedded migration.
pub(super) fn recognise<'p>(dir: &Path, path: &'p str) -> Result<Recognised<'p>, SourceError> {
    // The whole path is put together only where an error has to name it.
    recognise_at(Path::new(path), path).or_else(|_| recognise_at(&dir.join(path), path))
}

fn recognise_at<'p>(file: &Path, path: &'p str) -> Result<Recognised<'p>, SourceError> {
    if let Some((folder, script)) = path.split_once('/') {
        return in_folder(file, folder, script);
    }
    if let Some(script) = path.strip_suffix(".conf").and_then(without_sql) {
        return Ok(Recognised { name: script.into(), role: Role::Settings, layout: None });
    }
    let stem = without_sql(path).unwrap_or(path);
    if stem.starts_with("R__") {
        named(file, stem, "R__")?;
        return Ok(Recognised { name: stem.into(), role: Role::Up, layout: None });
    }
    if let Some(recognised) = up_or_down(file, stem) {
        return recognised;
    }
    match Prefixed::read(stem) {
        Some(prefixed) => prefixed.recognise(file, stem),
        None if version_of(stem).is_none() => {
            Ok(Recognised { name: stem.into(), role: Role::Unversioned, layout: None })
        }
        None => {
            versioned(file, stem)?;
            Ok(Recognised { name: stem.into(), role: Role::Up, layout: Some(Layout::Plain) })
        }
    }
}

/// The name without `.sql`, in any case: a file that some systems call `.SQL` is not left out in silence.
pub(super) fn without_sql(path: &str) -> Option<&str> {
    let stem = path.len().checked_sub(4)?;
    path.get(stem..)?.eq_ignore_ascii_case(".sql").then(|| &path[..stem])
}

/// Whether a path below some folder is one that a migration has: `1_a.sql`, `V1__a.sql`, `1_a/migration.sql`.
pub(super) fn is_migration(path: &str) -> bool {
    match path.split_once('/') {
        Some((folder, script)) => version_of(folder).is_some() && SCRIPTS.contains(&script),
        None => without_sql(path).is_some_and(|stem| {
            stem.starts_with("R__") || (version_of(stem).is_some() && !stem.ends_with(".down"))
        }),
    }
}

fn in_folder<'p>(path: &Path, folder: &'p str, script: &str) -> Result<Recognised<'p>, SourceError> {
    let (role, layout) = match script {
        "migration.sql" => (Role::Up, Some(Layout::PrismaFolder)),
        "up.sql" => (Role::Up, Some(Layout::UpDownFolders)),
        "down.sql" => (Role::Down, None),
        "metadata.toml" => (Role::Settings, None),
        _ if version_of(folder).is_none() && is_migration(script) => (Role::Nested, None),
        _ => (Role::Aside, None),
    };
    if role == Role::Up {
        versioned(path, folder)?;
    }
    Ok(Recognised { name: folder.into(), role, layout })
}

/// A bare version is name enough here: the ending says that the file is a migration.
fn up_or_down<'p>(path: &Path, stem: &'p str) -> Option<Result<Recognised<'p>, SourceError>> {
    let (name, role) = match stem.rsplit_once('.')? {
        (name, "up") => (name, Role::Up),
        (name, "down") => (name, Role::Down),
        _ => return None,
    };
    let recognised = Recognised { name: name.into(), role, layout: Some(Layout::UpDownFiles) };
    Some(version_of(name).map(|_| recognised).ok_or_else(|| SourceError::NoVersion { path: path.into() }))
}

/// A name that begins with `V`, `U` or `B` and a digit.
struct Prefixed<'p> {
    prefix: char,
    /// What follows the prefix.
    rest: &'p str,
}

impl<'p> Prefixed<'p> {
    fn read(stem: &'p str) -> Option<Self> {
        let prefix = stem.chars().next().filter(|c| matches!(c, 'V' | 'v' | 'U' | 'B'))?;
        let rest = &stem[1..];
        rest.starts_with(|c: char| c.is_ascii_digit()).then_some(Self { prefix, rest })
    }

    fn recognise(self, path: &Path, stem: &'p str) -> Result<Recognised<'p>, SourceError> {
        if !self.rest.contains('_') && Version::parse(self.rest).is_some() {
            return Err(SourceError::NoName { path: path.into(), prefix: stem.to_owned() });
        }
        let version = self.rest.split_once("__").map(|(version, _)| version);
        let Some(version) = version.filter(|version| Version::parse(version).is_some()) else {
            let almost = Recognised { name: stem.into(), role: Role::OneUnderscore, layout: None };
            return Ok(almost);
        };
        named(path, self.rest, version)?;
        match self.prefix {
            'B' => Err(SourceError::BaselineScript { path: path.into() }),
            'U' => {
                let name = format!("V{}", self.rest).into();
                Ok(Recognised { name, role: Role::Down, layout: Some(Layout::Flyway) })
            }
            _ => Ok(Recognised { name: stem.into(), role: Role::Up, layout: Some(Layout::Flyway) }),
        }
    }
}

/// The version that a name with one underscore seems to have.
pub(super) fn version_before_underscore(stem: &str) -> Option<Version> {
    let digits = stem.get(1..)?.split(|c: char| !c.is_ascii_digit() && c != '.').next()?;
    Version::parse(digits.trim_end_matches('.'))
}

fn versioned(path: &Path, name: &str) -> Result<(), SourceError> {
    match version_of(name) {
        Some(version) => named(path, name, version.as_str()),
        None => Err(SourceError::NoVersion { path: path.into() }),
    }
}

fn named(path: &Path, name: &str, prefix: &str) -> Result<(), SourceError> {
    let rest = name.strip_prefix(prefix).unwrap_or(name);
    if rest.trim_matches(['_', '-']).is_empty() {
        return Err(SourceError::NoName { path: path.into(), prefix: prefix.to_owned() });
    }
    Ok(())
}

/// In a folder of `….up.sql` files, `…_up.sql` and `…_down.sql` are the same thing written otherwise; without the
/// one that it undoes, `2_shut_down.sql` is a plain name there too.
///
/// Elsewhere they are plain names (`3_sign_up.sql`), unless both of one name are there: then to run
/// the one that undoes as a migration of its own would be the worst reading of all.
pub(super) fn read_underscores<'p>(files: &mut [Recognised<'p>]) {
    let pairs = |files: &[Recognised<'p>]| {
        let stems: Vec<_> = files.iter().filter_map(|file| plain(file)?.strip_suffix("_down")).collect();
        files.iter().filter_map(|file| plain(file)?.strip_suffix("_up")).any(|stem| stems.contains(&stem))
    };
    if files.iter().any(|file| file.layout == Some(Layout::UpDownFiles)) || pairs(files) {
        let ups: Vec<String> = files
            .iter()
            .filter_map(|file| match file.layout {
                Some(Layout::UpDownFiles) if file.role == Role::Up => Some(&*file.name),
                _ => plain(file)?.strip_suffix("_up"),
            })
            .map(str::to_owned)
            .collect();
        for file in files {
            let Some(name) = plain(file) else { continue };
            let (stem, role) = match (name.strip_suffix("_up"), name.strip_suffix("_down")) {
                (Some(stem), _) => (stem, Role::Up),
                (_, Some(stem)) if ups.iter().any(|up| up == stem) => (stem, Role::Down),
                _ => continue,
            };
            let name = Cow::Owned(stem.to_owned());
            *file = Recognised { name, role, layout: Some(Layout::UpDownFiles) };
        }
    }
}

fn plain<'f>(file: &'f Recognised<'_>) -> Option<&'f str> {
    (file.layout == Some(Layout::Plain)).then_some(&*file.name)
}
