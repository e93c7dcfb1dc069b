//! The command is a thin layer over the libraries: it holds no SQL, and opens no connection by itself.

mod support;

use regex::Regex;
use std::path::{Path, PathBuf};
use support::files;

/// What a file says to the compiler of the command itself: neither comments nor its tests.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = text.lines().enumerate().take_while(|(_, line)| *line != "mod tests {");
    lines.map(|(number, line)| (number + 1, line)).filter(|(_, line)| !line.trim_start().starts_with("//"))
}

/// The lines that hold SQL: its words are in capitals here, as everywhere in this repository.
fn sql(text: &str) -> Vec<(usize, &str)> {
    let statement = r"\b(SELECT\b|INSERT INTO\b|UPDATE \S+ SET\b|DELETE FROM\b|(CREATE|ALTER|DROP) [A-Z]{4,}|PRAGMA \w|SET [a-z_]+ (=|TO)|BEGIN\b|COMMIT\b|ROLLBACK\b)";
    let statement = Regex::new(statement).expect("a pattern");
    code(text).filter(|(_, line)| statement.is_match(line)).collect()
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The files of a crate, but for those that are compiled for its tests alone.
fn sources(folder: &Path) -> Vec<(String, String)> {
    let main = read(&folder.join("main.rs"));
    let paths = files(folder).into_iter().map(|name| folder.join(name));
    let of_tests = |path: &PathBuf| {
        let name = path.file_stem().expect("a name").to_string_lossy();
        main.contains(&format!("#[cfg(test)]\nmod {name};"))
    };
    paths.filter(|path| !of_tests(path)).map(|path| (path.display().to_string(), read(&path))).collect()
}

#[test]
fn the_command_holds_no_sql() {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    let sources = sources(&own.join("src"));
    assert!(sources.len() > 20, "{}", sources.len());
    let held: Vec<_> = sources
        .iter()
        .flat_map(|(file, text)| {
            sql(text).into_iter().map(move |(number, line)| format!("{file}:{number}: {line}"))
        })
        .collect();
    assert!(held.is_empty(), "{}", held.join("\n"));
    // What finds none here finds it where it is.
    for driver in ["mysql", "postgres", "sqlite"] {
        let found = sql(&read(&own.join("../../crates").join(driver).join("src/history.rs"))).len();
        assert!(found > 5, "{driver}: {found}");
    }
}

#[test]
fn the_command_knows_no_client_of_a_database() {
    let manifest: toml::Table =
        read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")).parse().expect("TOML");
    let dependencies = manifest["dependencies"].as_table().expect("dependencies");
    for client in ["rusqlite", "libsqlite3-sys", "tokio-postgres", "mysql_async", "sqlx"] {
        assert!(!dependencies.contains_key(client), "{client}");
    }
}
