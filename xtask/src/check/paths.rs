//! No tracked file names a path that stands on one machine only.

use std::env;
use std::fs;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::provision::run;
use crate::workspace;

/// Reads every tracked file and names each line with such a path.
pub(super) fn check() -> Result<()> {
    let root = workspace::root()?;
    let mut machine = vec![concat!("/wo", "rk/").to_owned(), format!("{}/", root.display())];
    if let Some(home) = env::var("HOME").ok().filter(|home| home.len() > 1) {
        machine.push(format!("{}/", home.trim_end_matches('/')));
    }
    let listed =
        run(Command::new("git").args(["ls-files", "-z"]).current_dir(&root)).context("cannot list files")?;
    let mut found = Vec::new();
    for name in listed.split('\0').filter(|name| !name.is_empty()) {
        // A file may be deleted and still tracked.
        let Ok(bytes) = fs::read(root.join(name)) else { continue };
        found.extend(
            lines_with(&String::from_utf8_lossy(&bytes), &machine).map(|line| format!("{name}:{line}")),
        );
    }
    if !found.is_empty() {
        bail!("paths of one machine in {}", found.join(", "));
    }
    Ok(())
}

/// The numbers of the lines that hold one of the paths as a whole path, not as the end of a longer one.
fn lines_with<'a>(text: &'a str, paths: &'a [String]) -> impl Iterator<Item = usize> + 'a {
    let holds = |line: &str, path: &str| {
        line.match_indices(path).any(|(at, _)| {
            let before = line[..at].chars().next_back();
            !before.is_some_and(|letter| letter.is_alphanumeric() || "._-/}".contains(letter))
        })
    };
    let numbered = text.lines().zip(1..);
    numbered.filter(move |(line, _)| paths.iter().any(|path| holds(line, path))).map(|(_, number)| number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_paths_are_found_and_ends_of_longer_ones_are_not() {
        let text =
            "see /anchor/chain\n../anchor/chain\nframe/anchor/chain\n\"/anchor/x\"\nfile:///anchor/x\n";
        let lines: Vec<usize> = lines_with(text, &["/anchor/".to_owned()]).collect();
        assert_eq!(lines, [1, 4]);
    }
}
