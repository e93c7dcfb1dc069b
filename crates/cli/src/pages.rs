//! Every command that the documentation shows is one that the command line understands.

use crate::args::Cli;
use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};
use regex::Regex;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// A command, or a flag by itself, and where it stands.
#[derive(Debug)]
struct Shown {
    place: String,
    words: Vec<String>,
    /// A mention in a sentence may leave out what a whole call needs.
    is_mention: bool,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// README, `docs/` and all below it.
fn pages() -> Vec<PathBuf> {
    let mut pages = vec![root().join("README.md")];
    let mut folders = vec![root().join("docs")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("the folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() { folders.push(path) } else { pages.push(path) }
        }
    }
    pages.sort();
    pages
}

/// What a page shows. Of Markdown that is its code; of anything else, what is no comment.
fn shown(page: &Path, text: &str) -> Vec<Shown> {
    let is_markdown = page.extension().is_some_and(|extension| extension == "md");
    let name = page.strip_prefix(root()).expect("below the root").display().to_string();
    let mut all = Vec::new();
    let mut prose = String::new();
    let mut inside = false;
    // The empty line at the end ends the last paragraph.
    for (line, number) in text.lines().chain([""]).zip(1..) {
        let place = format!("{name}:{number}");
        let is_fence = is_markdown && line.starts_with("```");
        let is_code = match is_markdown {
            true => inside || line.starts_with("    "),
            false => !line.trim_start().starts_with('#'),
        };
        inside ^= is_fence;
        if !is_fence && !is_code && !line.is_empty() {
            prose = prose + line + "\n";
            continue;
        }
        all.extend(mentions(&std::mem::take(&mut prose)).map(|words| shown_at(&place, words, true)));
        if is_code && !is_fence {
            all.extend(commands(line).map(|words| shown_at(&place, words, false)));
        }
    }
    all
}

fn shown_at(place: &str, words: Vec<String>, is_mention: bool) -> Shown {
    Shown { place: place.to_owned(), words, is_mention }
}

/// The arguments of each `windlass …` that a paragraph mentions, and flags by themselves.
fn mentions(paragraph: &str) -> impl Iterator<Item = Vec<String>> {
    let spans = paragraph.split('`').skip(1).step_by(2);
    let is_flag =
        |span: &str| span.strip_prefix("--").is_some_and(|rest| rest.starts_with(char::is_alphabetic));
    spans
        .filter(move |span| span.starts_with("windlass ") || is_flag(span))
        .map(|span| words(span.strip_prefix("windlass ").unwrap_or(span)))
}

/// The arguments of each `windlass …` in a line of code: a shell's, a list of YAML or JSON, a unit's.
fn commands(line: &str) -> impl Iterator<Item = Vec<String>> {
    /// Where one command ends, and what is done with its output begins.
    static ENDS: LazyLock<Regex> = LazyLock::new(|| pattern(r"&&|\|\||[;|<>`)}]| 2>|\s&(\s|$)"));
    static STARTS: LazyLock<Regex> = LazyLock::new(|| pattern(r"(^|[\s=/$(])windlass\s+(?P<rest>[a-z-].*)"));
    let plain = line.replace("\", \"", " ").replace(['"', '[', ']'], " ").replace("${", "$");
    let plain = plain.split_once(" # ").map_or(plain.as_str(), |(before, _)| before);
    let parts: Vec<_> = ENDS.split(plain).map(str::to_owned).collect();
    parts.into_iter().filter_map(|part| Some(words(STARTS.captures(&part)?.name("rest")?.as_str())))
}

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a pattern")
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().filter(|word| !word.contains('…')).map(str::to_owned).collect()
}

/// Every flag of every command.
fn flags() -> BTreeSet<String> {
    let command = Cli::command();
    let all = command.get_subcommands().flat_map(clap::Command::get_arguments).chain(command.get_arguments());
    all.filter_map(|argument| Some(format!("--{}", argument.get_long()?))).collect()
}

fn complaint(shown: &Shown, flags: &BTreeSet<String>) -> Option<String> {
    if shown.words.first().is_some_and(|word| word.starts_with("--")) {
        // A flag by itself: of one of the commands, or of one of the project's own tasks.
        let flag = shown.words[0].split('=').next().unwrap_or_default();
        let is_known = flags.contains(flag)
            || ["--full", "--seed", "--shard", "--on", "--help", "--target"].contains(&flag);
        return (!is_known).then(|| format!("{}: no command has {flag}", shown.place));
    }
    let error =
        Cli::try_parse_from(std::iter::once("windlass").chain(shown.words.iter().map(String::as_str)))
            .err()?;
    let is_fine = match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => true,
        ErrorKind::MissingRequiredArgument => shown.is_mention,
        _ => false,
    };
    (!is_fine).then(|| format!("{}: {}", shown.place, error.to_string().lines().next().unwrap_or_default()))
}

#[test]
fn every_command_and_flag_of_the_documentation_is_one() {
    let flags = flags();
    let mut seen = BTreeSet::new();
    let mut wrong = Vec::new();
    for page in pages() {
        let text = fs::read_to_string(&page).expect("text");
        for shown in shown(&page, &text) {
            wrong.extend(complaint(&shown, &flags));
            seen.insert(shown.place.split(':').next().unwrap_or_default().to_owned());
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // Not one of these may come to be read as if it showed nothing.
    for page in [
        "README.md",
        "docs/deploy/README.md",
        "docs/deploy/compose.yaml",
        "docs/deploy/entrypoint.sh",
        "docs/deploy/fly.toml",
        "docs/deploy/github-actions.yml",
        "docs/deploy/gitlab-ci.yml",
        "docs/deploy/heroku.yml",
        "docs/deploy/render.yaml",
        "docs/deploy/shop-migrate.service",
        "docs/deploy/wait.sh",
    ] {
        assert!(seen.contains(page), "{page} shows no command");
    }
}

/// The images cannot be built by a test; what they are made of is there.
#[test]
fn the_images_are_made_of_what_is_there() {
    let deploy = root().join("docs/deploy");
    let read = |file: &str| fs::read_to_string(deploy.join(file)).expect("text");
    let manifest = fs::read_to_string(root().join("crates/cli/Cargo.toml")).expect("text");
    let package =
        read("Dockerfile").split_once("--package ").map(|(_, rest)| rest.to_owned()).expect("a package");
    let package = package.split_whitespace().next().expect("a name").to_owned();
    assert!(manifest.contains(&format!("[package]\nname = \"{package}\"\n")), "{package}");
    assert!(manifest.contains("[[bin]]\nname = \"windlass\""));
    let app = read("app.Dockerfile");
    let scripts = app.split_whitespace().filter(|word| word.ends_with(".sh"));
    let missing: Vec<_> = scripts.filter(|script| !deploy.join(script).is_file()).collect();
    assert!(missing.is_empty(), "{missing:?}");
    for page in [app, read("Dockerfile")] {
        let entry = page.lines().find_map(|line| line.strip_prefix("CMD ")).expect("a command");
        let entry: Vec<String> = serde_json::from_str(entry).expect("a list");
        assert!(["windlass", "entrypoint.sh"].contains(&&*entry[0]), "{entry:?}");
    }
}

#[test]
fn what_is_wrong_is_found_in_every_form() {
    let wrong = |page: &str, text: &str| {
        shown(&root().join(page), text).iter().any(|shown| complaint(shown, &flags()).is_some())
    };
    for line in [
        "windlass deploy --no-such-flag",
        "  - windlass deply",
        "ExecStart=/usr/local/bin/windlass deploy --no-such-flag",
        "command: [\"windlass\", \"deploy\", \"--no-such-flag\"]",
        "release_command = \"windlass deploy --lock-wait soon\"",
        "told=$(windlass status --chek 2>&1) || code=$?",
        "true && windlass resolve NAME",
    ] {
        assert!(wrong("docs/deploy/x.yml", line), "{line}");
        assert!(wrong("docs/x.md", &format!("```sh\n{line}\n```")), "{line}");
    }
    assert!(wrong("docs/x.md", "say `windlass status --chek`"));
    assert!(wrong("docs/x.md", "say `--chek`"));
    assert!(!wrong("docs/x.md", "`windlass resolve --help`, `windlass new`, `--check`, and `deploy --chek`"));
    assert!(!wrong("docs/x.sh", "windlass deploy --dry-run > plan.txt 2>&1 || code=$?"));
}
