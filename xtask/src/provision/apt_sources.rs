//! The Debian mirror that this machine uses, read from its own apt sources.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

/// A mirror of Debian's main archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Source {
    address: String,
    signed_by: Option<String>,
}

impl Source {
    /// The line of a `sources.list` that names another suite on the same mirror.
    pub(crate) fn line(&self, suite: &str) -> String {
        match &self.signed_by {
            Some(keyring) => format!("deb [signed-by={keyring}] {} {suite} main\n", self.address),
            None => format!("deb {} {suite} main\n", self.address),
        }
    }
}

/// Finds the mirror from which this machine's own suite comes.
pub(crate) fn of_this_machine() -> Result<Source> {
    let release = fs::read_to_string("/etc/os-release").context("cannot read /etc/os-release")?;
    let suites = own_suites(&release);
    let mut files = vec![Path::new("/etc/apt/sources.list").to_path_buf()];
    if let Ok(entries) = fs::read_dir("/etc/apt/sources.list.d") {
        files.extend(entries.flatten().map(|entry| entry.path()));
    }
    files.sort();
    files
        .iter()
        .filter_map(|file| Some((file, fs::read_to_string(file).ok()?)))
        .find_map(|(file, text)| match file.extension().is_some_and(|extension| extension == "sources") {
            true => from_stanzas(&text, &suites),
            false => from_lines(&text, &suites),
        })
        .context("no Debian mirror in /etc/apt/sources.list or /etc/apt/sources.list.d")
}

/// The names under which the running release may stand in a source.
fn own_suites(os_release: &str) -> Vec<String> {
    let codename = os_release
        .lines()
        .find_map(|line| line.strip_prefix("VERSION_CODENAME="))
        .map(|name| name.trim_matches('"').to_owned());
    let usual = ["bookworm", "trixie", "sid", "stable", "oldstable", "testing", "unstable"];
    codename.into_iter().chain(usual.map(str::to_owned)).collect()
}

/// Reads the one-line form: `deb [options] address suite component …`.
fn from_lines(text: &str, suites: &[String]) -> Option<Source> {
    text.lines().find_map(|line| {
        let rest = line.trim().strip_prefix("deb ")?.trim();
        let (options, rest) = match rest.strip_prefix('[') {
            Some(inside) => inside.split_once(']')?,
            None => ("", rest),
        };
        let mut words = rest.split_whitespace();
        let (address, suite) = (words.next()?, words.next()?);
        let fits = suites.iter().any(|own| own == suite) && words.any(|component| component == "main");
        let signed_by = options.split_whitespace().find_map(|option| option.strip_prefix("signed-by="));
        fits.then(|| Source { address: address.to_owned(), signed_by: signed_by.map(str::to_owned) })
    })
}

/// Reads the form with one `Field: value` a line and an empty line between sources.
fn from_stanzas(text: &str, suites: &[String]) -> Option<Source> {
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    lines.split(|line| line.trim().is_empty()).find_map(|stanza| {
        let field = |name: &str| {
            stanza.iter().find_map(|line| {
                let (key, value) = line.split_once(':')?;
                key.eq_ignore_ascii_case(name).then_some(value.trim())
            })
        };
        let has = |name: &str, wanted: &dyn Fn(&str) -> bool| {
            field(name).is_some_and(|value| value.split_whitespace().any(wanted))
        };
        let fits = has("Types", &|kind| kind == "deb")
            && has("Suites", &|suite| suites.iter().any(|own| own == suite))
            && has("Components", &|component| component == "main")
            && !field("Enabled").is_some_and(|enabled| enabled.eq_ignore_ascii_case("no"));
        let address = field("URIs")?.split_whitespace().next()?.to_owned();
        // A key may also stand inside the source, over several lines; apt's own keys serve then.
        let signed_by = field("Signed-By").filter(|path| path.starts_with('/')).map(str::to_owned);
        fits.then_some(Source { address, signed_by })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn suites() -> Vec<String> {
        own_suites("NAME=Debian\nVERSION_CODENAME=bookworm\n")
    }

    #[test]
    fn one_line_sources_are_read() {
        let text = "# deb http://old/debian bookworm main\n\
                    deb http://tools.example/apt nodistro main\n\
                    deb http://mirror.example/security bookworm-security main\n\
                    deb [arch=amd64 signed-by=/k.gpg] http://mirror.example/debian bookworm main contrib\n";
        let source = from_lines(text, &suites()).unwrap();
        assert_eq!(source.line("sid"), "deb [signed-by=/k.gpg] http://mirror.example/debian sid main\n");
    }

    #[test]
    fn stanzas_are_read() {
        let text = "Types: deb\nURIs: http://mirror.example/security\nSuites: bookworm-security\nComponents: main\n\n\
                    Types: deb deb-src\n# a note\nURIs: http://mirror.example/debian\n\
                    Suites: bookworm bookworm-updates\nComponents: main\nSigned-By: /k.gpg\n";
        let source = from_stanzas(text, &suites()).unwrap();
        assert_eq!(
            source.line("trixie"),
            "deb [signed-by=/k.gpg] http://mirror.example/debian trixie main\n"
        );
    }

    #[test]
    fn other_archives_and_disabled_ones_are_passed_over() {
        let other = "Types: deb\nURIs: http://tools.example/apt\nSuites: nodistro\nComponents: main\n";
        assert_eq!(from_stanzas(other, &suites()), None);
        let disabled = "Types: deb\nEnabled: no\nURIs: http://m/debian\nSuites: bookworm\nComponents: main\n";
        assert_eq!(from_stanzas(disabled, &suites()), None);
        assert_eq!(from_lines("deb http://tools.example/apt nodistro main\n", &suites()), None);
    }

    #[test]
    fn a_key_inside_the_source_is_left_to_apt() {
        let text =
            "Types: deb\nURIs: http://m/debian\nSuites: stable\nComponents: main\nSigned-By:\n -----BEGIN\n";
        assert_eq!(from_stanzas(text, &suites()).unwrap().line("sid"), "deb http://m/debian sid main\n");
    }
}
