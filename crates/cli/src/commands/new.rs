//! `new`: begins a migration, in the layout and the numbering that the folder has.

use super::Context;
use crate::args::New;
use crate::error::Error;
use crate::exit::Exit;
use crate::json::Body;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use time::UtcDateTime;
use windlass_core::migration::{Migration, MigrationKind, Version};
use windlass_core::source::{Layout, Migrations, SourceError};

/// Why no migration was begun.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum NewError {
    /// Nothing is left of the name.
    #[error("`{given}` cannot be made a name: a name is made of a-z, 0-9 and `_`")]
    NoName {
        /// As it was given.
        given: String,
    },
    /// The file is there.
    #[error("{} is there already", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// It cannot be written.
    #[error("{} cannot be written", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
}

impl NewError {
    /// What to do about it.
    pub(crate) fn hint(&self) -> Option<String> {
        matches!(self, Self::NoName { .. })
            .then(|| "say what it does: `windlass new add email to users`".to_owned())
    }
}

pub(crate) fn run(context: &Context, args: &New) -> Result<(Exit, Body), Error> {
    let dir = &context.settings.dir;
    let migrations = match Migrations::from_dir(dir) {
        Ok(migrations) => Some(migrations),
        Err(SourceError::NoFolder { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    let given = args.name.join(" ");
    let name = cleaned(&given).ok_or_else(|| NewError::NoName { given: given.clone() })?;
    if !given.is_ascii() {
        context.output.note(&format!("`{given}` became `{name}`: a name is made of a-z, 0-9 and `_`"));
    }
    let namesake = migrations.iter().flat_map(Migrations::iter).find(|other| title(other) == Some(&name));
    if let Some(other) = namesake.filter(|_| !args.repeatable) {
        context.output.note(&format!("{} has the same name", other.up().origin()));
    }
    let layout = migrations.as_ref().and_then(Migrations::layout);
    let files = if args.repeatable {
        vec![(format!("R__{name}.sql"), comment(&name))]
    } else {
        let newest = migrations.as_ref().and_then(newest_version);
        files(layout, &version(newest.as_deref(), UtcDateTime::now()), &name, args.down)
    };
    let mut written = Vec::new();
    for (path, text) in files {
        let path = dir.join(path);
        write(&path, &text)?;
        let path = path.display().to_string();
        context.output.result(&path);
        written.push(path);
    }
    Ok((Exit::Done, Body::New { files: written }))
}

/// The name in `[a-z0-9_]`.
fn cleaned(given: &str) -> Option<String> {
    let lower = given.to_lowercase();
    let words: Vec<_> =
        lower.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    Some(words.join("_")).filter(|name| !name.is_empty())
}

/// A migration's name without its version.
fn title(migration: &Migration) -> Option<&str> {
    let version = migration.version()?;
    let name = migration.name();
    let name = name.strip_prefix(['V', 'v']).unwrap_or(name);
    Some(name.strip_prefix(version.as_str())?.trim_start_matches(['_', '-']))
}

fn newest_version(migrations: &Migrations) -> Option<String> {
    let newest = migrations.iter().rfind(|migration| migration.kind() == MigrationKind::Versioned)?;
    Migration::version(newest).map(|version| version.as_str().to_owned())
}

/// A counter where the folder counts; else the time, later than everything that is there.
fn version(newest: Option<&str>, now: UtcDateTime) -> String {
    let (date, time) = (now.date(), now.time());
    let stamp = format!(
        "{:04}{:02}{:02}{:02}{:02}{:02}",
        date.year(),
        u8::from(date.month()),
        date.day(),
        time.hour(),
        time.minute(),
        time.second()
    );
    let number =
        |text: &str| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse::<u128>().ok()).flatten();
    let next =
        |newest: &str| Some(format!("{:0width$}", number(newest)?.checked_add(1)?, width = newest.len()));
    match newest {
        Some(newest) if newest.len() < 8 => next(newest).unwrap_or(stamp),
        // What the folder's own clock or a mistake has made later than now.
        Some(newest) if Version::parse(newest) >= Version::parse(&stamp) => next(newest).unwrap_or(stamp),
        _ => stamp,
    }
}

/// Paths below the folder, and what to write there.
fn files(layout: Option<Layout>, version: &str, name: &str, down: bool) -> Vec<(String, String)> {
    let stem = format!("{version}_{name}");
    let undo = || format!("-- Undoes: {}\n\n", name.replace('_', " "));
    let (up, down_path) = match layout {
        Some(Layout::PrismaFolder) => (format!("{stem}/migration.sql"), format!("{stem}/down.sql")),
        Some(Layout::UpDownFolders) => (format!("{stem}/up.sql"), format!("{stem}/down.sql")),
        Some(Layout::Flyway) => (format!("V{version}__{name}.sql"), format!("U{version}__{name}.sql")),
        Some(Layout::UpDownFiles) => (format!("{stem}.up.sql"), format!("{stem}.down.sql")),
        Some(Layout::Goose) => {
            let text = format!("-- +goose Up\n{}-- +goose Down\n\n", comment(name));
            return vec![(format!("{stem}.sql"), text)];
        }
        Some(Layout::Dbmate) => {
            let text = format!("-- migrate:up\n{}-- migrate:down\n\n", comment(name));
            return vec![(format!("{stem}.sql"), text)];
        }
        None if down => (format!("{stem}.up.sql"), format!("{stem}.down.sql")),
        _ => (format!("{stem}.sql"), format!("{stem}.down.sql")),
    };
    let mut files = vec![(up, comment(name))];
    if down {
        files.push((down_path, undo()));
    }
    files
}

fn comment(name: &str) -> String {
    format!("-- {}\n\n", name.replace('_', " "))
}

fn write(path: &Path, text: &str) -> Result<(), NewError> {
    let unwritable = |source: io::Error| match source.kind() {
        io::ErrorKind::AlreadyExists => NewError::Exists { path: path.to_owned() },
        _ => NewError::Unwritable { path: path.to_owned(), source },
    };
    if let Some(folder) = path.parent() {
        // That something else of its name stands there is told of the folder, not of the file.
        fs::create_dir_all(folder)
            .map_err(|source| NewError::Unwritable { path: folder.to_owned(), source })?;
    }
    let mut file = File::create_new(path).map_err(unwritable)?;
    file.write_all(text.as_bytes()).map_err(unwritable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_cleaned() {
        assert_eq!(cleaned("Add e-mail to users!").as_deref(), Some("add_e_mail_to_users"));
        assert_eq!(cleaned("  été 2 ").as_deref(), Some("t_2"));
        assert_eq!(cleaned("--"), None);
    }

    #[test]
    fn versions_come_after_what_is_there() {
        let now = UtcDateTime::from_unix_timestamp(1_767_225_599).unwrap();
        assert_eq!(version(None, now), "20251231235959");
        assert_eq!(version(Some("20240101000000"), now), "20251231235959");
        assert_eq!(version(Some("20251231235959"), now), "20251231235960");
        assert_eq!(version(Some("000041"), now), "000042");
        assert_eq!(version(Some("99"), now), "100");
        assert_eq!(version(Some("1.2.3"), now), "20251231235959");
        assert_eq!(version(Some("20240102"), now), "20251231235959");
        for newest in ["20261128143000123", "1732800000000000", "99999999999999999999", "999999999999999999"]
        {
            assert!(Version::parse(&version(Some(newest), now)) > Version::parse(newest), "{newest}");
        }
    }
}
