//! Embed: a folder becomes the text of an expression that is constant data.
//!
//! The text of each script is left to `include_str!`, so that the compiler knows of the file and compiles
//! again when it changes; what is written down beside it are names, places and checksums.

use crate::check::check;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use windlass_core::driver::chain;
use windlass_core::migration::{Migration, Script};
use windlass_core::source::Migrations;
use windlass_core::sql::Dialect;

/// The name under which the expansion finds the types, given to it by the macro of the driver crate.
const TYPES: &str = "__windlass_embedding";

/// The expression, or why the folder is none of migrations.
pub(crate) fn embed(
    manifest: &Path,
    folder: &str,
    dialect: Dialect,
    strict_order: bool,
) -> Result<String, String> {
    let dir = manifest.join(folder);
    let migrations = Migrations::from_dir(&dir).map_err(|error| chain(&error))?;
    check(&migrations, dialect, strict_order)?;
    let mut code = format!("{{ const LIST: &[{TYPES}::Migration] = &[");
    for migration in &migrations {
        code.push_str(&embedded(manifest, migration, dialect)?);
    }
    let layout = migrations.layout().map(|layout| format!("{TYPES}::Layout::{layout:?}"));
    code.push_str("];");
    for file in settings_files(&dir) {
        let _ = write!(code, "const _: &[u8] = ::core::include_bytes!({:?});", text(&file)?);
    }
    let _ = write!(
        code,
        "{TYPES}::Migrations::embedded(LIST, {TYPES}::StandingDigest::embedded({}), {}, \
         if ::core::cfg!(debug_assertions) {{ ::core::option::Option::Some({:?}) }} else {{ ::core::option::Option::None }}) }}",
        bytes(migrations.digest().as_bytes()),
        option(layout),
        text(&dir)?,
    );
    Ok(code)
}

fn embedded(manifest: &Path, migration: &Migration, dialect: Dialect) -> Result<String, String> {
    let checksums = migration.checksums(dialect).map_err(|error| chain(&error))?;
    let down = migration.down().map(|down| script(manifest, down)).transpose()?;
    Ok(format!(
        "{TYPES}::EmbeddedMigration {{ name: {:?}, up: {}, down: {}, mode: {TYPES}::TransactionMode::{:?}, raw: {}, \
         tokens: &[({TYPES}::Dialect::{dialect:?}, {:?})] }}.migration(),",
        migration.name(),
        script(manifest, migration.up())?,
        option(down),
        migration.mode(),
        bytes(migration.raw_checksum()),
        checksums.tokens,
    ))
}

/// A script as a part of its file.
fn script(manifest: &Path, script: &Script) -> Result<String, String> {
    let path = Path::new(script.origin());
    let file = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let first_line = script.line_in_file(1);
    let start = start_of_line(&file, first_line);
    if !file[start..].starts_with(script.text()) {
        return Err(format!("{} changed while it was read: compile again", path.display()));
    }
    // Messages show the path as seen from the crate, on whatever machine the program runs.
    let origin = path.strip_prefix(manifest).unwrap_or(path);
    Ok(format!(
        "{TYPES}::EmbeddedScript::new({:?}, ::core::include_str!({:?}), {}, {start}, {}, {first_line})",
        text(origin)?,
        text(path)?,
        file.len(),
        script.text().len(),
    ))
}

/// Where the line with this number (from 1) begins, in bytes.
fn start_of_line(file: &str, line: u32) -> usize {
    let lines = file.split_inclusive('\n').take(line.saturating_sub(1) as usize);
    lines.map(str::len).sum()
}

/// Files that are no scripts and yet say how one is run.
fn settings_files(dir: &Path) -> Vec<PathBuf> {
    let list = |dir: &Path| fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path());
    let folders = list(dir).filter(|path| path.is_dir());
    let inside = folders.flat_map(|folder| list(&folder).collect::<Vec<_>>());
    let says = |path: &PathBuf| path.extension().is_some_and(|kind| kind == "toml" || kind == "conf");
    let mut files: Vec<_> = list(dir).chain(inside).filter(|path| says(path) && path.is_file()).collect();
    files.sort();
    files
}

fn text(path: &Path) -> Result<&str, String> {
    path.to_str().ok_or_else(|| format!("the path {} is not UTF-8", path.display()))
}

fn option(value: Option<String>) -> String {
    match value {
        Some(value) => format!("::core::option::Option::Some({value})"),
        None => "::core::option::Option::None".to_owned(),
    }
}

/// A literal of bytes: one token, where an array would be many.
fn bytes(bytes: &[u8]) -> String {
    let escaped: String = bytes.iter().map(|byte| format!("\\x{byte:02x}")).collect();
    format!("b\"{escaped}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join("migrations").join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    fn refused(dialect: Dialect, files: &[(&str, &str)]) -> String {
        let folder = folder(files);
        let words = embed(folder.path(), "migrations", dialect, false).unwrap_err();
        words.replace(folder.path().to_str().unwrap(), "")
    }

    #[test]
    fn what_is_wrong_with_a_folder_is_told_with_its_place() {
        let words = refused(Dialect::Postgres, &[("1_a.sql", "SELECT 1;\n  SELECT 'open;")]);
        assert!(words.contains("/migrations/1_a.sql:2:10"), "{words}");
        let cause = words.rsplit(": ").next().unwrap();
        assert_eq!(words.matches(cause).count(), 1, "{words}");
        let words = refused(Dialect::Postgres, &[("1_a.sql", "BEGIN;\nVACUUM;\nCOMMIT;")]);
        assert!(words.contains("/migrations/1_a.sql:2:1"), "{words}");
        let words = refused(Dialect::Sqlite, &[("1_a.sql", ""), ("1_a.up.sql", "")]);
        assert!(words.contains("/migrations/1_a.up.sql"), "{words}");
        for dialect in [Dialect::Postgres, Dialect::MySql, Dialect::Sqlite] {
            assert!(refused(dialect, &[]).starts_with("there is no folder /migrations"));
        }
    }

    #[test]
    fn two_versions_alike_are_refused_where_that_is_asked_for() {
        let folder = folder(&[("1_a.sql", "SELECT 1"), ("1_b.sql", "SELECT 2")]);
        for dialect in [Dialect::Postgres, Dialect::MySql, Dialect::Sqlite] {
            embed(folder.path(), "migrations", dialect, false).unwrap();
            let words = embed(folder.path(), "migrations", dialect, true).unwrap_err();
            assert!(words.contains("1_a") && words.contains("1_b"), "{words}");
        }
    }

    #[test]
    fn a_section_is_a_part_of_its_file() {
        let goose = "-- +goose Up\nSELECT 1;\n-- +goose Down\nSELECT 'ü';\n";
        let folder = folder(&[("1_a.sql", goose)]);
        let code = embed(folder.path(), "migrations", Dialect::Sqlite, false).unwrap();
        let down = goose.find("-- +goose Down").unwrap();
        let (path, length) = (folder.path().join("migrations/1_a.sql"), goose.len());
        let include = format!("::core::include_str!({path:?}), {length},");
        let origin = "__windlass_embedding::EmbeddedScript::new(\"migrations/1_a.sql\", ";
        assert!(code.contains(&format!("up: {origin}{include} 0, {down}, 1)")), "{code}");
        assert!(code.contains(&format!("({origin}{include} {down}, {}, 3)", length - down)), "{code}");
    }

    #[test]
    fn settings_beside_a_script_are_known_to_the_compiler() {
        let files = [("1_a/up.sql", "SELECT 1"), ("1_a/metadata.toml", "run_in_transaction = false")];
        let folder = folder(&files);
        let code = embed(folder.path(), "migrations", Dialect::Postgres, false).unwrap();
        assert!(code.contains("TransactionMode::Off"), "{code}");
        assert!(code.contains("metadata.toml"), "{code}");
    }
}
