//! The folder of migrations: which files are in it, and their text.

use super::assemble;
use super::layout::{SCRIPTS, is_migration, without_sql};
use super::parallel::in_parallel;
use super::{Looked, Migrations, Notice, SourceError};
use crate::migration::version_of;
use std::fs::{self, DirEntry, File, FileType, ReadDir};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// The usual script of a migration with a folder of its own.
const SCRIPT: &str = "migration.sql";

/// The paths, below `dir` and with `/` between their parts, of everything that may matter; and the text
/// of those that had to be opened to see that they are there.
///
/// The kind of an entry comes with the listing: no file is asked for more than its text.
pub(super) fn list(dir: &Path, looked: Looked) -> Result<Vec<assemble::File>, SourceError> {
    let (mut files, mut folders) = (Vec::new(), Vec::new());
    let entries = fs::read_dir(dir).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => SourceError::NoFolder { dir: dir.into() },
        io::ErrorKind::NotADirectory => SourceError::NotAFolder { path: dir.into() },
        _ => SourceError::Unreadable { path: dir.into(), source },
    })?;
    for entry in entries {
        let entry = entry.map_err(|source| SourceError::Unreadable { path: dir.into(), source })?;
        let Some(name) = name_of(&entry)? else { continue };
        if matters(&name) {
            let path = entry.path();
            let kind = kind_of(&entry, &path)?;
            if kind.is_file() {
                files.push((name.into(), None));
                continue;
            }
            // Neither left out in silence nor waited for.
            if !kind.is_dir() {
                return Err(SourceError::NotAFile { path });
            }
        }
        folders.push((entry, name));
    }
    let listed = in_parallel(&folders, |(entry, name)| list_folder(entry, name, looked))?;
    files.extend(listed.into_iter().flatten());
    Ok(files)
}

/// What stands beside the scripts in folders that were not listed when they were read.
pub(super) fn beside(migrations: &Migrations) -> Vec<Notice> {
    let origins = migrations.iter().map(|migration| Path::new(migration.up().origin()));
    let folders = origins.filter(|origin| origin.ends_with(SCRIPT)).filter_map(Path::parent);
    let entries = folders.filter_map(|folder| fs::read_dir(folder).ok()).flatten().flatten();
    let aside = entries.filter(|entry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        without_sql(&name).is_some() && !name.starts_with('.') && name != SCRIPT && name != "down.sql"
    });
    let mut paths: Vec<_> = aside.map(|entry| entry.path()).collect();
    paths.sort();
    let aside = paths.into_iter().map(|path| Notice::Aside { path });
    aside.chain(in_rust(migrations)).collect()
}

/// Files named like migrations, in Rust, that the set has no migration for.
fn in_rust(migrations: &Migrations) -> impl Iterator<Item = Notice> {
    let entries = migrations.dir().and_then(|dir| fs::read_dir(dir).ok());
    let paths = entries.into_iter().flatten().flatten().map(|entry| entry.path());
    let is_left_out = |path: &PathBuf| {
        let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        let is_named = version_of(stem.strip_prefix('U').unwrap_or(stem)).is_some();
        path.extension().is_some_and(|ending| ending == "rs") && is_named && migrations.get(stem).is_none()
    };
    let mut left_out: Vec<PathBuf> = paths.filter(is_left_out).collect();
    left_out.sort();
    left_out.into_iter().map(|path| Notice::InRust { path })
}

/// The text of the script at `path`.
pub(super) fn read(path: &Path) -> Result<String, SourceError> {
    let bytes = read_bytes(path).map_err(|source| SourceError::Unreadable { path: path.into(), source })?;
    String::from_utf8(bytes)
        .map_err(|error| not_utf8(path, error.as_bytes(), error.utf8_error().valid_up_to()))
}

/// Most scripts fit into the first read, so their size is not asked for beforehand.
fn read_bytes(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(4 * 1024);
    File::open(path)?.take(u64::MAX).read_to_end(&mut bytes)?;
    bytes.shrink_to_fit();
    Ok(bytes)
}

/// A name to look at: not a hidden one, and text. A name that is not matters only where it is a script's.
fn name_of(entry: &DirEntry) -> Result<Option<String>, SourceError> {
    match entry.file_name().into_string() {
        Ok(name) => Ok((!name.starts_with('.')).then_some(name)),
        Err(name) if name.to_string_lossy().to_ascii_lowercase().ends_with(".sql") => {
            Err(SourceError::NotUtf8Name { path: entry.path() })
        }
        Err(_) => Ok(None),
    }
}

/// A script, or the settings beside one.
fn matters(name: &str) -> bool {
    without_sql(name).is_some() || name.strip_suffix(".conf").and_then(without_sql).is_some()
}

/// What an entry is, links followed.
fn kind_of(entry: &DirEntry, path: &Path) -> Result<FileType, SourceError> {
    let unreadable = |source| SourceError::Unreadable { path: path.into(), source };
    let kind = entry.file_type().map_err(unreadable)?;
    if !kind.is_symlink() {
        return Ok(kind);
    }
    fs::metadata(path).map(|metadata| metadata.file_type()).map_err(unreadable)
}

fn list_folder(entry: &DirEntry, name: &str, looked: Looked) -> Result<Vec<assemble::File>, SourceError> {
    let is_versioned = version_of(name).is_some();
    let folder = entry.path();
    match kind_of(entry, &folder) {
        Ok(kind) if kind.is_dir() => {}
        Err(error) if is_versioned => return Err(error),
        _ => return Ok(Vec::new()),
    }
    if is_versioned && let Some(text) = only_script(&folder, looked) {
        return Ok(vec![(format!("{name}/{SCRIPT}").into(), Some(text.into()))]);
    }
    match fs::read_dir(&folder) {
        Err(source) if is_versioned => Err(SourceError::Unreadable { path: folder, source }),
        Err(_) => Ok(Vec::new()),
        Ok(entries) if is_versioned => list_migration(&folder, name, entries),
        Ok(entries) => look_into(&folder, name, entries),
    }
}

/// The files of a folder that is named like a migration.
fn list_migration(folder: &Path, name: &str, entries: ReadDir) -> Result<Vec<assemble::File>, SourceError> {
    let (mut files, mut nested) = (Vec::new(), None);
    let mut has_script = false;
    for entry in entries {
        let entry = entry.map_err(|source| SourceError::Unreadable { path: folder.into(), source })?;
        let Some(file) = name_of(&entry)? else { continue };
        // Flyway looks for scripts in sub folders too, so that its users may have put them there.
        if file.starts_with("R__") || (file.starts_with('V') && version_of(&file).is_some()) {
            return Err(SourceError::Nested { file: folder.join(file) });
        }
        has_script |= SCRIPTS.contains(&&*file) || file == "down.sql";
        if without_sql(&file).is_some() || file == "metadata.toml" {
            let path = entry.path();
            let kind = kind_of(&entry, &path)?;
            if !kind.is_file() && !kind.is_dir() {
                return Err(SourceError::NotAFile { path });
            }
            files.push((format!("{name}/{file}").into(), None));
        }
        nested = first(nested, is_migration(&file).then_some(file));
    }
    match nested {
        _ if has_script => Ok(files),
        // A year, say, that holds the migrations of this year.
        Some(file) => Err(SourceError::Nested { file: folder.join(file) }),
        None => Err(SourceError::MissingScript { folder: folder.into() }),
    }
}

/// The first migration in a folder where none belongs: it must not be left out in silence.
fn look_into(folder: &Path, name: &str, entries: ReadDir) -> Result<Vec<assemble::File>, SourceError> {
    let mut nested = None;
    for entry in entries {
        let entry = entry.map_err(|source| SourceError::Unreadable { path: folder.into(), source })?;
        let Some(file) = name_of(&entry)? else { continue };
        if SCRIPTS.contains(&&*file) {
            return Err(SourceError::NoVersion { path: folder.into() });
        }
        let script = || {
            let has = |script: &&&str| folder.join(&file).join(script).is_file();
            let is_folder = version_of(&file).is_some() && without_sql(&file).is_none();
            SCRIPTS.iter().filter(|_| is_folder).find(has).map(|script| format!("{file}/{script}"))
        };
        nested = first(nested, if is_migration(&file) { Some(file) } else { script() });
    }
    Ok(nested.map(|path| (format!("{name}/{path}").into(), None)).into_iter().collect())
}

/// Of two paths the one that sorts first, so that an error is the same whatever the order of a listing.
fn first(one: Option<String>, other: Option<String>) -> Option<String> {
    one.into_iter().chain(other).min()
}

/// The text of `migration.sql` where nothing that says more of the migration stands beside it.
///
/// To ask for the few names that there can be costs half of what listing the folder does, which with
/// thousands of them is most of a deploy that has nothing to do. Any trouble is the listing's to tell.
fn only_script(folder: &Path, looked: Looked) -> Option<String> {
    let script = folder.join(SCRIPT);
    // Of a pipe the end would never come.
    let text = fs::metadata(&script).is_ok_and(|found| found.is_file()).then(|| read(&script).ok())??;
    if looked == Looked::AtScripts {
        return Some(text);
    }
    let is_absent = |name: &str| {
        fs::symlink_metadata(folder.join(name)).is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
    };
    ["up.sql", "down.sql", "metadata.toml"].into_iter().all(is_absent).then_some(text)
}

fn not_utf8(path: &Path, bytes: &[u8], valid: usize) -> SourceError {
    let before = String::from_utf8_lossy(&bytes[..valid]);
    let (line, last) = before.split('\n').fold((0, ""), |(line, _), text| (line + 1, text));
    let guess = match bytes {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => ": it seems to be UTF-16",
        _ => "",
    };
    let column = u32::try_from(last.chars().count() + 1).unwrap_or(u32::MAX);
    SourceError::NotUtf8 { path: path.into(), line, column, guess }
}
