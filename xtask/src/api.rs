//! `cargo xtask api`: all that the library crates make public on one page, so that a change of it is seen in a review.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

use crate::workspace;

const CRATES: [&str; 4] = ["postgres", "mysql", "sqlite", "core"];
/// What of core an application meets; the rest is between core and the drivers.
const OF_CORE: [&str; 10] = [
    "application",
    "apply.rs",
    "apply/decision.rs",
    "apply/diagnose.rs",
    "apply/replay.rs",
    "code.rs",
    "diagnosis",
    "doctor.rs",
    "source.rs",
    "status.rs",
];
/// What every driver crate gives on of core: there, as in the driver crates, the doc of each function and type has an example.
const GIVEN_ON: [&str; 3] = ["application", "source.rs", "apply/progress.rs"];
/// Where it gives types of other places on: the doc of each of them has one too, and that of each of their functions.
const GIVES_TYPES_ON: &str = "application.rs";
const PAGE: &str = "docs/api.md";
const HEAD: &str = "# Public API\n\n\
    What applications meet of the library crates, as `cargo xtask api` reads it from their sources: `cargo xtask check` holds\n\
    this page to them. What is derived and the fields of variants are left out. Each driver crate gives on what `application`\n\
    lists of `windlass-core`.\n";

/// Writes the page.
pub(crate) fn write() -> Result<ExitCode> {
    let root = workspace::root()?;
    fs::write(root.join(PAGE), page(&root)?).context("cannot write the page")?;
    Ok(ExitCode::SUCCESS)
}

/// Refuses a page that is not what the sources say, and what has no example in its doc.
pub(crate) fn check() -> Result<()> {
    let root = workspace::root()?;
    let bare = without_example(&root)?;
    if !bare.is_empty() {
        bail!("an example is missing in the doc of:\n  {}", bare.join("\n  "));
    }
    let stands = fs::read_to_string(root.join(PAGE)).with_context(|| format!("cannot read {PAGE}"))?;
    if stands != page(&root)? {
        bail!(
            "{PAGE} is not what the sources say: `cargo xtask api` writes it anew, and `git diff` shows what changed"
        );
    }
    Ok(())
}

fn page(root: &Path) -> Result<String> {
    let mut page = HEAD.to_owned();
    for name in CRATES {
        let source = root.join("crates").join(name).join("src");
        let _ = write!(page, "\n## windlass-{name}\n");
        for file in files(&source)? {
            let text =
                fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
            let items = items(&text);
            let place = file.strip_prefix(&source).unwrap_or(&file);
            let is_met = name != "core"
                || OF_CORE
                    .iter()
                    .any(|begin| place.starts_with(begin) || place.with_extension("").starts_with(begin));
            if items.is_empty() || !is_met {
                continue;
            }
            let place = place.display();
            let _ = write!(page, "\n### {name}: {place}\n\n```rust\n{}\n```\n", items.join("\n"));
        }
    }
    Ok(page)
}

/// The public functions, types, traits and macros whose doc has no example, each behind its file.
fn without_example(root: &Path) -> Result<Vec<String>> {
    let read =
        |file: &Path| fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()));
    let given_on = types_given_on(&read(&root.join("crates/core/src").join(GIVES_TYPES_ON))?);
    let mut found = Vec::new();
    for name in CRATES {
        let source = root.join("crates").join(name).join("src");
        for file in files(&source)? {
            let place = file.strip_prefix(&source).unwrap_or(&file);
            let is_whole = name != "core"
                || GIVEN_ON
                    .iter()
                    .any(|begin| place.with_extension("").starts_with(begin) || place.starts_with(begin));
            let bare = bare(&read(&file)?, (!is_whole).then_some(&given_on)).into_iter();
            found.extend(bare.map(|item| format!("{name}: {}: {item}", place.display())));
        }
    }
    Ok(found)
}

/// The names of types in what is used publicly.
fn types_given_on(text: &str) -> BTreeSet<String> {
    let mut uses = items(text).into_iter().filter_map(|item| Some(item.strip_prefix("pub use ")?.to_owned()));
    let is_type = |name: &&str| name.starts_with(|first: char| first.is_ascii_uppercase());
    let names = |item: String| {
        let names = item.split(|c: char| !c.is_alphanumeric()).filter(is_type);
        names.map(str::to_owned).collect::<Vec<_>>()
    };
    uses.by_ref().flat_map(names).collect()
}

/// Those of one file, and where `only` is given, those of these types. What is hidden needs none.
fn bare(text: &str, only: Option<&BTreeSet<String>>) -> Vec<String> {
    let mut found = Vec::new();
    let (mut has_example, mut is_hidden, mut in_trait) = (false, false, false);
    let is_meant = |name: &str| only.is_none_or(|only| only.contains(name));
    // Whether the functions that are indented are of a type that is meant.
    let mut is_of_meant = false;
    for line in text.lines().take_while(|line| *line != "mod tests {") {
        let item = line.trim_start();
        match item {
            _ if item.starts_with("///") => has_example |= item.contains("```"),
            "#[doc(hidden)]" | "#[cfg(test)]" => is_hidden = true,
            _ if item.starts_with("#[") || item.starts_with("//") => {}
            _ => {
                let is_indented = line.len() > item.len();
                let type_of = |kind: &str| Some(named(item.strip_prefix(kind)?));
                let types = ["pub struct ", "pub enum ", "pub trait ", "pub type "];
                let is_type = types.iter().filter_map(|kind| type_of(kind)).any(is_meant);
                let functions = ["pub fn ", "pub const fn ", "pub async fn ", "macro_rules! "];
                let is_function = functions.iter().any(|kind| item.starts_with(kind))
                    && if is_indented { is_of_meant } else { only.is_none() };
                let is_method = in_trait
                    && only.is_none()
                    && line.len() - item.len() == 4
                    && ["fn ", "async fn "].iter().any(|kind| item.starts_with(kind));
                if !is_indented && item.starts_with("impl") {
                    let header = item.strip_prefix("impl").unwrap_or_default();
                    let name = header.split_once('>').filter(|_| header.starts_with('<'));
                    is_of_meant = is_meant(named(name.map_or(header, |(_, name)| name).trim_start()));
                }
                if (is_method || is_type || is_function) && !has_example && !is_hidden {
                    let name = item.split(['(', '<', ';', '{']).next().unwrap_or(item);
                    found.push(name.trim_end().to_owned());
                }
                in_trait = if line.starts_with("pub trait ") { true } else { in_trait && line != "}" };
                (has_example, is_hidden) = (false, false);
            }
        }
    }
    found
}

/// The name that a text begins with.
fn named(text: &str) -> &str {
    text.split(|c: char| !(c.is_alphanumeric() || c == '_')).next().unwrap_or_default()
}

/// The source files in the order of their names, without those of tests.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut entries = fs::read_dir(folder)
        .and_then(|entries| {
            entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>()
        })
        .with_context(|| format!("cannot list {}", folder.display()))?;
    entries.sort();
    for entry in entries {
        let name = entry.file_name().unwrap_or_default().to_string_lossy().into_owned();
        match name.as_str() {
            "tests" | "tests.rs" => {}
            _ if entry.is_dir() => found.extend(files(&entry)?),
            _ if name.ends_with(".rs") => found.push(entry),
            _ => {}
        }
    }
    Ok(found)
}

/// The public items of one file, a line each: what belongs to a type stands below it, indented.
///
/// The form of the code is rustfmt's, so that the indentation tells what belongs to what; and the lints let nothing be
/// public that cannot be reached.
fn items(text: &str) -> Vec<String> {
    let mut items = Vec::new();
    let mut lines = text.lines();
    // What the lines that are indented once belong to.
    let mut inside = Inside::Nothing;
    let mut is_hidden = false;
    while let Some(line) = lines.next() {
        let item = line.trim_start();
        let depth = line.len() - item.len();
        match item {
            "#[doc(hidden)]" | "#[cfg(test)]" => is_hidden = true,
            _ if item.starts_with("#[") || item.starts_with("//") || item.is_empty() => {}
            _ if depth == 0 => {
                let whole = joined(item, &mut lines);
                let is_public = !std::mem::take(&mut is_hidden) && whole.starts_with("pub ");
                inside = Inside::of(&whole, is_public);
                let whole = without_private_fields(whole);
                if is_public || whole.starts_with("macro_rules!") {
                    items.push(whole);
                } else if let Inside::Impl(header) = &inside {
                    items.push(header.clone());
                }
            }
            _ if depth == 4 => {
                let is_variant = item.starts_with(|first: char| first.is_ascii_uppercase());
                let is_method = item.starts_with("fn ") || item.starts_with("async fn ");
                let counts = match inside {
                    Inside::Nothing => false,
                    Inside::Enum => is_variant,
                    Inside::Trait => is_method,
                    Inside::Struct | Inside::Impl(_) => item.starts_with("pub "),
                };
                if !std::mem::take(&mut is_hidden) && counts {
                    items.push(format!("    {}", joined(item, &mut lines)));
                }
            }
            _ => {}
        }
    }
    // A type of which only private things are written in this file.
    let is_empty = |place: usize| {
        items[place].starts_with("impl") && !items.get(place + 1).is_some_and(|next| next.starts_with(' '))
    };
    let kept: Vec<_> = (0..items.len()).filter(|place| !is_empty(*place)).collect();
    kept.into_iter().map(|place| items[place].clone()).collect()
}

enum Inside {
    Nothing,
    Struct,
    Enum,
    Trait,
    Impl(String),
}

impl Inside {
    fn of(item: &str, is_public: bool) -> Self {
        let begins = |word: &str| item.starts_with(word);
        if begins("impl") && !item.contains(" for ") {
            return Self::Impl(item.to_owned());
        }
        match is_public {
            true if begins("pub enum") => Self::Enum,
            true if begins("pub trait") => Self::Trait,
            true if begins("pub struct") => Self::Struct,
            _ => Self::Nothing,
        }
    }
}

/// A head that rustfmt has broken over several lines, up to its body or its end.
fn joined<'t>(first: &str, lines: &mut impl Iterator<Item = &'t str>) -> String {
    let mut whole = first.to_owned();
    let is_use = first.starts_with("pub use");
    while !(whole.ends_with(['{', ';', '}', ']']) || whole.ends_with(',') && depth(&whole) == 0)
        || is_use && !whole.ends_with(';')
    {
        let Some(next) = lines.next() else { break };
        let next = next.trim();
        if !(whole.ends_with(['(', '<', '{']) || next.starts_with([')', '>', '}'])) {
            whole.push(' ');
        }
        whole.push_str(next);
    }
    whole.trim_end_matches(['{', ';', ',', ' ']).replace(",)", ")").replace(",}", "}")
}

/// A type around others, whose fields are its own matter.
fn without_private_fields(item: String) -> String {
    match item.split_once('(') {
        Some((name, fields)) if item.starts_with("pub struct") && !fields.starts_with("pub ") => {
            name.to_owned()
        }
        _ => item,
    }
}

/// How many brackets are open; an arrow's is none.
fn depth(text: &str) -> usize {
    let count = |brackets: [char; 3]| text.replace("->", "").matches(brackets).count();
    count(['(', '[', '{']).saturating_sub(count([')', ']', '}']))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
use a::b;
pub use one::{
    First, Second,
};
/// A type.
pub struct Ship {
    pub name: String,
    crew: u32,
}
impl Ship {
    /// Makes one.
    pub fn new(
        name: String,
        crew: u32,
    ) -> Self {
        Self { name, crew }
    }
    pub(crate) fn sink(self) {}
}
impl Clone for Ship {
    fn clone(&self) -> Self {}
}
pub enum Cargo {
    /// Nothing.
    None,
    Box { size: u32 },
}
#[cfg(test)]
mod tests;
pub struct Keel(u32);
#[doc(hidden)]
pub mod inner;
impl Cargo {
    fn weigh(&self) {}
}
pub trait Sails {
    fn sail(&mut self) -> Result<(), Error>;
}
#[cfg(test)]
mod tests {
    pub fn no() {}
}
";

    #[test]
    fn what_is_public_is_listed_below_what_it_belongs_to() {
        let expected = [
            "pub use one::{First, Second}",
            "pub struct Ship",
            "    pub name: String",
            "impl Ship",
            "    pub fn new(name: String, crew: u32) -> Self",
            "pub enum Cargo",
            "    None",
            "    Box { size: u32 }",
            "pub struct Keel",
            "pub trait Sails",
            "    fn sail(&mut self) -> Result<(), Error>",
        ];
        assert_eq!(items(TEXT), expected);
    }

    #[test]
    fn what_has_no_example_is_named() {
        let expected = [
            "pub struct Ship",
            "pub fn new",
            "pub enum Cargo",
            "pub struct Keel",
            "pub trait Sails",
            "fn sail",
        ];
        assert_eq!(bare(TEXT, None), expected);
        let given_on =
            types_given_on("pub use ships::{Ship, sail};\npub use cargo::Cargo;\nuse keel::Keel;\n");
        assert_eq!(bare(TEXT, Some(&given_on)), ["pub struct Ship", "pub fn new", "pub enum Cargo"]);
        let with = "/// Sails.\n///\n/// ```\n/// sail();\n/// ```\n#[must_use]\npub fn sail() {}\n#[doc(hidden)]\npub fn inner() {}\n";
        assert!(bare(with, None).is_empty());
    }

    #[test]
    fn the_page_is_what_the_sources_say() {
        check().unwrap();
    }
}
