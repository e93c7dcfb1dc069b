//! Output: results go to stdout, everything else to stderr, and a progress bar gives way to both.

use clap::builder::styling::{AnsiColor, Color, Style};
use indicatif::ProgressBar;
use std::borrow::Cow;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

pub(crate) const GOOD: Style = Style::new().bold().fg_color(Some(Color::Ansi(AnsiColor::Green)));
pub(crate) const BUSY: Style = Style::new().bold().fg_color(Some(Color::Ansi(AnsiColor::Cyan)));
pub(crate) const WARN: Style = Style::new().bold().fg_color(Some(Color::Ansi(AnsiColor::Yellow)));
pub(crate) const BAD: Style = Style::new().bold().fg_color(Some(Color::Ansi(AnsiColor::BrightRed)));
pub(crate) const BOLD: Style = Style::new().bold();
pub(crate) const DIM: Style = Style::new().dimmed();

/// Where a command speaks. Clones speak in the same place.
#[derive(Clone, Debug)]
pub(crate) struct Output {
    json: bool,
    verbosity: Verbosity,
    bar: ProgressBar,
    /// Why something could not be written to stdout.
    lost: Arc<Mutex<Option<io::Error>>>,
}

/// How much is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verbosity {
    /// Errors, and what was asked for.
    Quiet,
    /// What goes on.
    Usual,
    /// A log besides: a bar would be in its way.
    Log,
}

impl Output {
    pub(crate) fn new(json: bool, verbosity: Verbosity) -> Self {
        Self { json, verbosity, bar: ProgressBar::hidden(), lost: Arc::default() }
    }

    pub(crate) fn verbosity(&self) -> Verbosity {
        self.verbosity
    }

    fn is_quiet(&self) -> bool {
        self.verbosity == Verbosity::Quiet
    }

    /// The bar: hidden until somebody gives it a place to draw.
    pub(crate) fn bar(&self) -> &ProgressBar {
        &self.bar
    }

    /// What was asked for: a plan, a path.
    pub(crate) fn result(&self, text: &str) {
        self.table(&shown(text));
    }

    /// What was asked for, with styles of its own: a table.
    pub(crate) fn table(&self, text: &str) {
        if !self.json {
            self.stdout(text);
        }
    }

    /// What was done, as it is done: `     Applied 2_add_email`.
    pub(crate) fn done(&self, verb: &str, text: &str) {
        if !self.json && !self.is_quiet() {
            self.stdout(&line(GOOD, verb, &shown(text)));
        }
    }

    /// What goes on.
    pub(crate) fn progress(&self, verb: &str, text: &str) {
        if !self.is_quiet() {
            self.stderr(&line(BUSY, verb, &shown(text)));
        }
    }

    /// What is worth knowing and no error.
    pub(crate) fn note(&self, text: &str) {
        if !self.is_quiet() {
            self.stderr(&format!("{WARN}note:{WARN:#} {}", shown(text)));
        }
    }

    /// What is surely not as it was meant.
    pub(crate) fn warning(&self, text: &str) {
        if !self.is_quiet() {
            self.stderr(&format!("{WARN}warning:{WARN:#} {}", shown(text)));
        }
    }

    /// What went wrong: said even when asked to be quiet.
    pub(crate) fn error(&self, text: &str) {
        self.stderr(text);
    }

    /// A question, whose answer is typed behind it.
    pub(crate) fn ask(&self, question: &str) {
        let mut stream = anstream::stderr().lock();
        let _ = write!(stream, "{BOLD}{question}{BOLD:#}").and_then(|()| stream.flush());
    }

    /// The document of `--json`.
    pub(crate) fn document(&self, document: &impl serde::Serialize) {
        if self.json {
            let text = serde_json::to_string_pretty(document);
            // Not through a stream that strips colours: escapes inside of strings are data.
            let mut stream = io::stdout().lock();
            self.keep(writeln!(stream, "{}", text.unwrap_or_default()).and_then(|()| stream.flush()));
        }
    }

    /// Why something could not be written to stdout, if so: no deploy ends early for that, and none hides it.
    pub(crate) fn lost(&self) -> Option<io::Error> {
        self.lost.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn keep(&self, written: io::Result<()>) {
        // Whoever reads may have gone (`| head`), having read all that was wanted.
        if let Err(error) = written
            && error.kind() != io::ErrorKind::BrokenPipe
        {
            self.lost.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        }
    }

    fn stdout(&self, text: &str) {
        self.bar.suspend(|| {
            let mut stream = anstream::stdout().lock();
            self.keep(writeln!(stream, "{}", printable(text)).and_then(|()| stream.flush()));
        });
    }

    fn stderr(&self, text: &str) {
        self.bar.suspend(|| {
            let _ = writeln!(anstream::stderr().lock(), "{}", printable(text));
        });
    }
}

/// A text of somebody else's as a terminal may get it: what a database, a file's name or a script holds is shown there
/// and not obeyed.
pub(crate) fn shown(text: &str) -> Cow<'_, str> {
    escaped(text, |_| None)
}

/// The same of a text with styles of windlass's own, which stay.
fn printable(text: &str) -> Cow<'_, str> {
    escaped(text, color)
}

/// The text with what is no letter escaped, but for what begins with an escape and is so long.
fn escaped(text: &str, kept: impl Fn(&str) -> Option<usize>) -> Cow<'_, str> {
    let is_shown = |c: char| match c {
        '\n' | '\t' => true,
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => false,
        c => !c.is_control(),
    };
    if text.chars().all(is_shown) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let length = match c {
            '\u{1b}' => kept(rest),
            _ if is_shown(c) => Some(c.len_utf8()),
            // A line of a file that ends as Windows ends them.
            '\r' if rest.starts_with("\r\n") => Some(c.len_utf8()),
            _ => None,
        };
        match length {
            Some(length) => shown.push_str(&rest[..length]),
            None => shown.extend(c.escape_unicode()),
        }
        rest = &rest[length.unwrap_or(c.len_utf8())..];
    }
    Cow::Owned(shown)
}

/// How long the escape sequence is that a text begins with, where it sets a colour and nothing else.
fn color(text: &str) -> Option<usize> {
    let parameters = text.strip_prefix("\u{1b}[")?;
    let end = parameters.find(|c: char| !c.is_ascii_digit() && c != ';')?;
    parameters[end..].starts_with('m').then_some("\u{1b}[".len() + end + 1)
}

/// A verb in a column of its own, so that the eye finds what follows.
pub(crate) fn line(style: Style, verb: &str, text: &str) -> String {
    format!("{style}{verb:>12}{style:#} {text}")
}

/// `1 migration`, `3 migrations`.
pub(crate) fn count(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

/// `1 row`, `2 rows`.
pub(crate) fn rows(number: u64) -> String {
    count(usize::try_from(number).unwrap_or(usize::MAX), "row")
}

/// `1 of 3 statements stands`, `2 of 3 statements stand`.
pub(crate) fn stand(completed: u32, of: u32) -> String {
    // With none it is the number behind it that the verb goes by.
    let is_one = completed == 1 || (completed == 0 && of == 1);
    let verb = if is_one { "stands" } else { "stand" };
    format!("{completed} of {} {verb}", count(of as usize, "statement"))
}

/// A duration as people say it.
pub(crate) fn elapsed(duration: std::time::Duration) -> String {
    match duration.as_millis() {
        0 => "<1 ms".to_owned(),
        ms @ 1..=999 => format!("{ms} ms"),
        ms @ 1_000..=59_999 => format!("{:.1} s", f64::from(u32::try_from(ms).unwrap_or(u32::MAX)) / 1000.0),
        _ => format!("{} min {} s", duration.as_secs() / 60, duration.as_secs() % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn nothing_but_colours_is_obeyed_by_a_terminal() {
        let colored = line(GOOD, "Applied", "1_a\n\t\r\nü");
        assert_eq!(printable(&colored), colored);
        let hostile = "\u{1b}]0;title\u{7}\u{1b}[2Jb\u{9b}31m\u{202e}cba\rok \u{1b}[31";
        assert_eq!(
            printable(hostile),
            "\\u{1b}]0;title\\u{7}\\u{1b}[2Jb\\u{9b}31m\\u{202e}cba\\u{d}ok \\u{1b}[31"
        );
        assert_eq!(shown("\u{1b}[31mred"), "\\u{1b}[31mred", "a colour that is not windlass's own");
    }

    #[test]
    fn numbers_agree_with_their_words() {
        assert_eq!(stand(1, 3), "1 of 3 statements stands");
        assert_eq!(stand(2, 3), "2 of 3 statements stand");
        assert_eq!(stand(0, 3), "0 of 3 statements stand");
        assert_eq!(stand(0, 1), "0 of 1 statement stands");
    }

    #[test]
    fn durations_read_like_speech() {
        assert_eq!(elapsed(Duration::from_micros(3)), "<1 ms");
        assert_eq!(elapsed(Duration::from_millis(12)), "12 ms");
        assert_eq!(elapsed(Duration::from_millis(3_240)), "3.2 s");
        assert_eq!(elapsed(Duration::from_secs(125)), "2 min 5 s");
    }
}
