//! No tracked file holds what belongs to one machine, to one registry, or to an unfinished hour.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::provision::run;
use crate::workspace;

/// Reads every tracked file and names each line with something that it must not hold.
pub(super) fn check() -> Result<()> {
    let root = workspace::root()?;
    let rules = Rules { paths: machine_paths(&root) };
    let listed =
        run(Command::new("git").args(["ls-files", "-z"]).current_dir(&root)).context("cannot list files")?;
    let mut found = 0;
    for name in listed.split('\0').filter(|name| !name.is_empty()) {
        // A file may be deleted and still tracked; what is not text has no lines.
        let Ok(text) = fs::read_to_string(root.join(name)) else { continue };
        for (number, why) in rules.complaints(name, &text) {
            eprintln!("{name}:{number}: {why}");
            found += 1;
        }
    }
    if found > 0 {
        bail!("{found} lines hold what they must not");
    }
    Ok(())
}

/// The folders that stand on this machine only.
fn machine_paths(root: &Path) -> Vec<String> {
    let mut paths = vec![concat!("/wo", "rk/").to_owned(), format!("{}/", root.display())];
    if let Some(home) = env::var("HOME").ok().filter(|home| home.len() > 1) {
        paths.push(format!("{}/", home.trim_end_matches('/')));
    }
    paths
}

/// Hosts that a machine may reach under another name, or not at all: registries are for their clients to find.
const HOSTS: [&str; 8] = [
    concat!("index.crat", "es.io"),
    concat!("static.crat", "es.io"),
    concat!("registry.np", "mjs.org"),
    concat!("py", "pi.org"),
    concat!("files.python", "hosted.org"),
    concat!("deb.deb", "ian.org"),
    concat!("security.deb", "ian.org"),
    concat!("ftp.deb", "ian.org"),
];

const UNFINISHED: [&str; 3] = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("db", "g!")];

struct Rules {
    paths: Vec<String>,
}

impl Rules {
    /// The lines of a file that hold what they must not, and why.
    fn complaints<'a>(&'a self, name: &'a str, text: &'a str) -> impl Iterator<Item = (usize, String)> + 'a {
        // Cargo itself writes its index into the lock file.
        let hosts: &[&str] = if name == "Cargo.lock" { &[] } else { &HOSTS };
        text.split('\n').zip(1..).filter_map(move |(line, number)| {
            let why = self.complaint(line.strip_suffix('\r').unwrap_or(line), hosts)?;
            Some((number, why))
        })
    }

    fn complaint(&self, line: &str, hosts: &[&str]) -> Option<String> {
        if line.ends_with([' ', '\t']) {
            return Some("white space at the end".to_owned());
        }
        if let Some(path) = self.paths.iter().find(|path| holds_path(line, path)) {
            return Some(format!("{path} is a path of one machine"));
        }
        if let Some(word) = UNFINISHED.iter().find(|word| holds_word(line, word)) {
            return Some(format!("{word} is unfinished"));
        }
        let host = hosts.iter().find(|host| line.contains(**host))?;
        Some(format!("{host} is a registry's host"))
    }
}

/// Whether a line holds a whole path, not as the end of a longer one.
fn holds_path(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|letter| letter.is_alphanumeric() || "._-/}".contains(letter))
    })
}

/// Whether a line holds a word, not as a part of another one.
fn holds_word(line: &str, word: &str) -> bool {
    let part = |letter: char| letter.is_alphanumeric() || letter == '_';
    line.match_indices(word).any(|(at, _)| {
        let after = line[at + word.len()..].chars().next();
        !line[..at].chars().next_back().is_some_and(part) && !after.is_some_and(part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(name: &str, text: &str) -> Vec<usize> {
        let rules = Rules { paths: vec!["/anchor/".to_owned()] };
        rules.complaints(name, text).map(|(number, _)| number).collect()
    }

    #[test]
    fn whole_paths_are_found_and_ends_of_longer_ones_are_not() {
        let text =
            "see /anchor/chain\n../anchor/chain\nframe/anchor/chain\n\"/anchor/x\"\nfile:///anchor/x\n";
        assert_eq!(lines("a.md", text), [1, 4]);
    }

    #[test]
    fn unfinished_words_are_found_as_words() {
        let [later, broken, debug] = UNFINISHED;
        let text = format!("// {later}: x\n{later}S\nno_{broken}\n({broken})\nlet x = {debug}(1);\n");
        assert_eq!(lines("a.rs", &text), [1, 4, 5]);
    }

    #[test]
    fn hosts_of_registries_are_found_but_in_the_lock_file() {
        let text = format!("ok\nhttps://{}/x\n", HOSTS[0]);
        assert_eq!(lines("Cargo.toml", &text), [2]);
        assert_eq!(lines("Cargo.lock", &text), [] as [usize; 0]);
    }

    #[test]
    fn white_space_ends_no_line() {
        assert_eq!(lines("a.sql", "a\r\nb \nc\t\n \n\nd  \r\n"), [2, 3, 4, 6]);
    }
}
