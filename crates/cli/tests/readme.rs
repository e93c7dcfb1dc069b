//! README and docs are run, not believed: every `console` block is run in a fresh folder, in order,
//! and must print what it shows. Times, dates and the name of who runs it are compared as such.

mod support;

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use support::files;

/// A command of a block and the output shown below it.
struct Shown {
    command: String,
    output: String,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The commands of all `console` blocks: `$ ` begins one, `> ` goes on with it.
fn shown(markdown: &str) -> Vec<Shown> {
    let mut all: Vec<Shown> = Vec::new();
    let mut inside = false;
    for line in markdown.lines() {
        if line.starts_with("```") {
            inside = line == "```console";
        } else if let Some(command) = line.strip_prefix("$ ").filter(|_| inside) {
            all.push(Shown { command: command.to_owned(), output: String::new() });
        } else if let (true, Some(last)) = (inside, all.last_mut()) {
            match line.strip_prefix("> ").or((line == ">").then_some("")) {
                Some(more) if last.output.is_empty() => {
                    let _ = write!(last.command, "\n{more}");
                }
                _ => {
                    let _ = writeln!(last.output, "{line}");
                }
            }
        }
    }
    all
}

/// Runs a command in the folder as a reader would, standard error among the output.
fn run(command: &str, folder: &Path) -> String {
    let binaries = Path::new(env!("CARGO_BIN_EXE_windlass")).parent().expect("a folder").to_owned();
    let path = format!("{}:{}", binaries.display(), std::env::var("PATH").unwrap_or_default());
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(format!("{{ {command}\n}} 2>&1")).current_dir(folder).env("PATH", path);
    for variable in ["DATABASE_URL", "WINDLASS_DIR", "SHADOW_DATABASE_URL", "NO_COLOR", "CLICOLOR_FORCE"] {
        shell.env_remove(variable);
    }
    let output = shell.output().expect("a shell");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// The text with what differs from run to run made equal.
fn normal(text: &str) -> String {
    let differing = [
        (r"\b20\d\d-\d\d-\d\d \d\d:\d\d:\d\dZ?\b", "THEN"),
        (r"(<?\d+ ms|\d+(\.\d+)? s)\b", "TIME"),
        (r"\b\d{14}(_create_users|_add_serial)", "VERSION$1"),
        (r"\S+@\S+", "SOMEBODY"),
        (r"SQLite \d+\.\d+\.\d+", "SQLite N"),
        // Columns are as wide as their widest cell, which a time may be.
        (r" +", " "),
    ];
    differing.iter().fold(text.trim_end().to_owned(), |text, (pattern, same)| {
        regex::Regex::new(pattern).expect("a pattern").replace_all(&text, *same).into_owned()
    })
}

fn check(document: &str) {
    let commands = shown(&text(document));
    let folder = tempfile::tempdir().expect("a folder");
    let fixtures = root().join("migrations-fixtures").canonicalize().expect("the fixtures");
    std::os::unix::fs::symlink(fixtures, folder.path().join("migrations-fixtures")).expect("a link");
    if let Some(tool) = guide(document) {
        lay_out(tool, folder.path());
    }
    let mut wrong = String::new();
    for Shown { command, output } in commands.iter().filter(|shown| !shown.command.starts_with("cargo ")) {
        let printed = run(command, folder.path());
        if normal(&printed) != normal(output) {
            let _ = writeln!(wrong, "$ {command}\n--- shown\n{output}--- printed\n{printed}");
        }
    }
    assert!(wrong.is_empty(), "{document}:\n{wrong}");
}

/// The tool that a guide leads away from.
fn guide(document: &str) -> Option<&str> {
    document.strip_prefix("docs/guides/")?.strip_suffix(".md").filter(|name| *name != "README")
}

/// A project of another tool's, with the database `shop.db` that this tool has made of it.
fn lay_out(tool: &str, folder: &Path) {
    let fixture = root().join("migrations-fixtures/guides").join(tool);
    let mut scripts: Vec<_> = files(&fixture).into_iter().filter(|path| path.ends_with(".sql")).collect();
    for path in files(&fixture).iter().filter(|path| *path != "history.sql") {
        let copy = folder.join(path);
        std::fs::create_dir_all(copy.parent().expect("a folder")).expect("a folder");
        std::fs::copy(fixture.join(path), copy).expect("a copy");
    }
    let name = |path: &str| path.rsplit('/').next().unwrap_or(path).to_owned();
    scripts.retain(|path| !name(path).starts_with("U") && name(path) != "down.sql" && path != "history.sql");
    // Repeatable ones come last.
    scripts.sort_by_key(|path| (name(path).starts_with("R__"), path.clone()));
    scripts.push("history.sql".to_owned());
    let database = rusqlite::Connection::open(folder.join("shop.db")).expect("opens");
    for script in scripts {
        let text = std::fs::read_to_string(fixture.join(&script)).expect("a script");
        database.execute_batch(&text).unwrap_or_else(|error| panic!("{script}: {error}"));
    }
}

/// README and all of `docs/`, by their names below the root.
fn pages() -> Vec<String> {
    let docs = files(&root().join("docs")).into_iter().filter(|name| name.ends_with(".md"));
    std::iter::once("README.md".to_owned()).chain(docs.map(|name| format!("docs/{name}"))).collect()
}

fn text(page: &str) -> String {
    std::fs::read_to_string(root().join(page)).expect("the document")
}

/// The documents that show commands, README aside.
fn documents() -> Vec<String> {
    let shows = |document: &String| document != "README.md" && !shown(&text(document)).is_empty();
    pages().into_iter().filter(shows).collect()
}

/// What a heading is called in a link.
fn anchors(text: &str) -> Vec<String> {
    let headings =
        text.lines().filter_map(|line| line.strip_prefix('#')).map(|line| line.trim_start_matches('#'));
    let anchor = |heading: &str| {
        let kept = heading.trim().to_lowercase().replace(' ', "-");
        kept.chars().filter(|c| c.is_alphanumeric() || "-_".contains(*c)).collect()
    };
    headings.map(anchor).collect()
}

/// The links of a page that lead nowhere in this repository.
fn broken_links(page: &str) -> Vec<String> {
    let text = text(page);
    let link = regex::Regex::new(r"\]\(([^)#\s]*)(?:#([^)\s]+))?\)").expect("a pattern");
    let is_ours = |found: &regex::Captures<'_>| !found[1].contains("://");
    let leads_nowhere = |found: &regex::Captures<'_>| {
        let folder = Path::new(page).parent().expect("a folder");
        let target = if found[1].is_empty() { page.into() } else { folder.join(&found[1]) };
        match (std::fs::read_to_string(root().join(&target)), found.get(2)) {
            (Ok(text), Some(anchor)) => !anchors(&text).iter().any(|known| known == anchor.as_str()),
            (Ok(_), None) => false,
            (Err(_), _) => !root().join(&target).is_dir(),
        }
    };
    let broken = link.captures_iter(&text).filter(|found| is_ours(found) && leads_nowhere(found));
    broken.map(|found| format!("{page}: {}", &found[0][1..])).collect()
}

#[test]
fn every_link_leads_somewhere() {
    let broken: Vec<_> = pages().iter().flat_map(|page| broken_links(page)).collect();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn the_docs_show_what_is_printed() {
    let documents = documents();
    for expected in ["docs/databases.md", "docs/directives.md", "docs/migrations.md"] {
        assert!(documents.iter().any(|document| document == expected), "{expected} shows no command");
    }
    documents.iter().for_each(|document| check(document));
}

/// The last migration, as the other tool's own table tells it, is the one that the guide records; and
/// nothing fails but the deploy before that.
#[test]
fn each_guide_leads_from_the_old_history_to_a_new_one() {
    let guides: Vec<_> = pages().into_iter().filter(|page| guide(page).is_some()).collect();
    assert_eq!(guides.len(), 5, "{guides:?}");
    for page in guides {
        let text = text(&page);
        let failed: Vec<_> = text.lines().filter(|line| line.starts_with("error: ")).collect();
        assert!(matches!(failed[..], [one] if one.contains("has no history")), "{page}: {failed:?}");
        let query = blocks(&text, "sql")[0];
        let folder = tempfile::tempdir().expect("a folder");
        lay_out(guide(&page).expect("a guide"), folder.path());
        let database = rusqlite::Connection::open(folder.path().join("shop.db")).expect("opens");
        let last: rusqlite::types::Value =
            database.query_row(query, [], |row| row.get(0)).unwrap_or_else(|error| panic!("{page}: {error}"));
        let last = match last {
            rusqlite::types::Value::Integer(version) => version.to_string(),
            rusqlite::types::Value::Text(text) => text,
            other => panic!("{page}: {other:?}"),
        };
        let recorded = text.split("$ windlass baseline ").nth(1).and_then(|rest| rest.lines().next());
        let recorded = recorded.expect("a baseline").replace('-', "");
        assert!(recorded.trim_start_matches('V').starts_with(&last), "{page}: {last}, {recorded}");
    }
}

#[test]
fn the_readme_shows_what_is_printed() {
    check("README.md");
}

/// The driver crates run these programs; a reader's own has its migrations beside its manifest.
#[test]
fn the_readme_shows_the_examples_as_they_are() {
    let readme = text("README.md");
    let shown = blocks(&readme, "rust");
    let examples = ["sqlite/examples/sqlite_start.rs", "postgres/examples/postgres_start.rs"];
    assert_eq!(shown.len(), examples.len(), "every block is one of an example's");
    for (shown, example) in shown.iter().zip(examples) {
        let text = std::fs::read_to_string(root().join("crates").join(example)).expect("the example");
        let text = text.replace("examples/migrations", "migrations");
        assert!(text.ends_with(shown) && shown.starts_with("use "), "shown as it is in {example}");
    }
}

/// The blocks of a language, each whole.
fn blocks<'t>(text: &'t str, language: &str) -> Vec<&'t str> {
    let fence = format!("```{language}\n");
    text.split(fence.as_str()).skip(1).filter_map(|rest| rest.split("```").next()).collect()
}

/// A block of Rust in a guide leaves out what is around it: all that it shows stands in one example, which is run.
#[test]
fn the_docs_show_parts_of_examples() {
    let crates =
        ["mysql", "postgres", "sqlite"].map(|name| root().join("crates").join(name).join("examples"));
    let examples: Vec<_> = crates
        .iter()
        .flat_map(|folder| files(folder).into_iter().map(|name| folder.join(name)))
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .map(|path| {
            std::fs::read_to_string(path).expect("the example").replace("examples/migrations", "migrations")
        })
        .collect();
    let shown = |example: &String, block: &str| {
        let lines: Vec<_> = example.lines().map(str::trim).collect();
        block.lines().map(str::trim).filter(|line| !line.is_empty()).all(|line| lines.contains(&line))
    };
    let mut seen = 0;
    for page in pages().into_iter().filter(|page| page != "docs/api.md") {
        for block in blocks(&text(&page), "rust") {
            assert!(
                examples.iter().any(|example| shown(example, block)),
                "{page}: no example has all of\n{block}"
            );
            seen += 1;
        }
    }
    assert!(seen >= 3, "{seen}");
}

/// Settings of windlass are ones that it knows; what is to be written into a manifest are packages of this repository with
/// features that they have, and of others the releases that it is tested with.
#[test]
fn the_docs_show_files_of_toml_that_mean_something() {
    let read = |path: &Path| -> toml::Table {
        std::fs::read_to_string(path).expect("a manifest").parse().expect("TOML")
    };
    let tested = read(&root().join("Cargo.toml"));
    let mut seen = std::collections::BTreeSet::new();
    for page in pages() {
        for block in blocks(&text(&page), "toml") {
            let table: toml::Table = block.parse().unwrap_or_else(|error| panic!("{page}: {error}\n{block}"));
            let first = block.lines().next().unwrap_or_default();
            let file =
                first.strip_prefix("# ").map_or("Cargo.toml", |name| name.split(':').next().expect("a name"));
            seen.insert(file.to_owned());
            match file {
                "windlass.toml" => {
                    let folder = tempfile::tempdir().expect("a folder");
                    std::fs::write(folder.path().join(file), block).expect("written");
                    std::fs::create_dir(folder.path().join("migrations")).expect("a folder");
                    let told = run("windlass status --database-url sqlite:missing.db", folder.path());
                    assert!(told.contains("there is no file `missing.db`"), "{page}: {told}");
                }
                "Cargo.toml" => {
                    for (name, dependency) in table["dependencies"].as_table().expect("dependencies") {
                        let place = dependency.get("path").and_then(toml::Value::as_str);
                        let Some(place) = place else {
                            let release = |of: &toml::Value| of.get("version").unwrap_or(of).clone();
                            let ours = release(&tested["workspace"]["dependencies"][name]);
                            assert_eq!(release(dependency), ours, "{page}: {name}");
                            continue;
                        };
                        let place = place.strip_prefix("../windlass/").expect("beside the program");
                        let manifest = read(&root().join(place).join("Cargo.toml"));
                        assert_eq!(manifest["package"]["name"].as_str(), Some(name.as_str()), "{page}");
                        let features = dependency.get("features").and_then(toml::Value::as_array);
                        for feature in features.into_iter().flatten().filter_map(toml::Value::as_str) {
                            assert!(manifest["features"].get(feature).is_some(), "{page}: {feature}");
                        }
                    }
                }
                "diesel.toml" => {}
                other => panic!("{page}: what is {other}?"),
            }
        }
    }
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), ["Cargo.toml", "diesel.toml", "windlass.toml"]);
}
