//! The words of a directive, each with its place.

use super::{DirectiveError, KNOWN, Repeat, nearest};
use crate::sql::lexer::Token;
use std::time::Duration;

const PREFIX: &str = "windlass:";
const BLOCK: &str = "/*";

/// The words behind `-- windlass:`; `None` where the comment is no directive.
///
/// What looks like one and is not (`windlas:`, `Windlass:`, no colon, a block comment) is an error:
/// a directive is never ignored.
pub(super) fn directive<'s>(script: &'s str, token: &Token<'s>) -> Result<Option<Words<'s>>, DirectiveError> {
    let (marker, text) = content(token.text);
    let is_line = marker != BLOCK;
    let start = token.offset + marker.len();
    let words = Words::new(script, start, text);
    if !looks_like_one(words.rest()) {
        return Ok(None);
    }
    if let Some(directive) = words.rest().strip_prefix(PREFIX).filter(|_| is_line) {
        let place = words.place() + PREFIX.len();
        return Ok(Some(Words::new(script, place, directive)));
    }
    let (line, column) = words.position();
    let found = words.rest().lines().next().unwrap_or_default().to_owned();
    Err(DirectiveError::Unknown { line, column, found, nearest: "-- windlass:" })
}

/// What begins a comment, and the words in it. A block comment that is never closed has words too.
fn content(comment: &str) -> (&'static str, &str) {
    for marker in ["--", "#"] {
        if let Some(text) = comment.strip_prefix(marker) {
            return (marker, text);
        }
    }
    match comment.strip_prefix(BLOCK) {
        Some(text) => (BLOCK, text.strip_suffix("*/").unwrap_or(text)),
        None => ("", ""),
    }
}

fn looks_like_one(text: &str) -> bool {
    let end = text.find(|c: char| c == ':' || c.is_whitespace()).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    // Prose is looked at no further: the first letters of a misspelt name are mostly right.
    if name.len() > 12 || !name.starts_with(['w', 'W', 'i', 'v']) {
        return false;
    }
    let wrong = nearest(name, ["windlass"]).map_or(usize::MAX, |(_, distance)| distance);
    let names_a_directive = || {
        let first = rest.split_whitespace().next();
        KNOWN.iter().any(|known| known.split(' ').next() == first)
    };
    wrong <= 2 && (rest.trim_start().starts_with(':') || names_a_directive())
}

/// Words, read from the front.
#[derive(Clone, Debug)]
pub(super) struct Words<'s> {
    script: &'s str,
    /// Where `rest` begins in the script.
    offset: usize,
    rest: &'s str,
}

impl<'s> Words<'s> {
    /// The words of `text`, which begins at `offset` in the script.
    pub(super) fn new(script: &'s str, offset: usize, text: &'s str) -> Self {
        let rest = text.trim_start();
        Self { script, offset: offset + text.len() - rest.len(), rest: rest.trim_end() }
    }

    /// The words not read yet.
    pub(super) fn rest(&self) -> &'s str {
        self.rest
    }

    /// Where the next word begins in the script.
    pub(super) fn place(&self) -> usize {
        self.offset
    }

    /// Line and column, from 1, of the next word.
    pub(super) fn position(&self) -> (u32, u32) {
        let before = self.script[..self.offset].trim_start_matches('\u{feff}');
        let (lines, last) = before.rsplit_once('\n').unwrap_or(("", before));
        let line = before.len() - last.len();
        let lines = if line == 0 { 0 } else { lines.matches('\n').count() + 1 };
        let from_one = |count: usize| u32::try_from(count + 1).unwrap_or(u32::MAX);
        (from_one(lines), from_one(last.chars().count()))
    }

    /// The next word.
    pub(super) fn next(&mut self) -> Option<&'s str> {
        let end = self.rest.find(char::is_whitespace).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        *self = Self::new(self.script, self.offset + end, rest);
        (!word.is_empty()).then_some(word)
    }

    /// Nothing may follow.
    pub(super) fn end(&self, directive: &'static str) -> Result<(), DirectiveError> {
        if self.rest.is_empty() { Ok(()) } else { Err(self.invalid(directive, "nothing more")) }
    }

    /// The next word as a length of time.
    pub(super) fn duration(&mut self, directive: &'static str) -> Result<Duration, DirectiveError> {
        let error = self.invalid(directive, "a time like 5s, 100ms or 2min");
        self.next().and_then(duration).ok_or(error)
    }

    /// `[pause TIME] [until N rows] [at most N rows]`, in any order.
    pub(super) fn repeat_options(
        &mut self,
        directive: &'static str,
        repeat: &mut Repeat,
    ) -> Result<(), DirectiveError> {
        loop {
            let error = self
                .invalid(directive, "`pause 100ms`, `until 5000 rows` and `at most 9000 rows`, each once");
            match self.next() {
                None => return Ok(()),
                Some("pause") if repeat.pause.is_none() => repeat.pause = Some(self.duration(directive)?),
                Some("until") if repeat.until_rows.is_none() => {
                    repeat.until_rows =
                        Some(self.rows(directive, "a number of rows, as in `until 5000 rows`")?);
                }
                Some("at") if repeat.at_most_rows.is_none() && self.next() == Some("most") => {
                    repeat.at_most_rows =
                        Some(self.rows(directive, "a number of rows, as in `at most 9000 rows`")?);
                }
                Some(_) => return Err(error),
            }
        }
    }

    /// `5000 rows`; underscores may part the digits.
    fn rows(&mut self, directive: &'static str, expected: &'static str) -> Result<u64, DirectiveError> {
        let error = self.invalid(directive, expected);
        let rows = self.next().and_then(|word| word.replace('_', "").parse().ok());
        rows.filter(|_| self.next() == Some("rows")).ok_or(error)
    }

    fn invalid(&self, directive: &'static str, expected: &'static str) -> DirectiveError {
        let (line, column) = self.position();
        DirectiveError::InvalidValue { line, column, directive, found: self.rest.to_owned(), expected }
    }
}

/// A length of time with its unit: `100ms`, `5s`, `2min`, `1h`.
fn duration(word: &str) -> Option<Duration> {
    let unit = word.find(|c: char| !c.is_ascii_digit())?;
    let number: u64 = word[..unit].parse().ok()?;
    let milliseconds = match &word[unit..] {
        "ms" => 1,
        "s" => 1_000,
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        _ => return None,
    };
    number.checked_mul(milliseconds).map(Duration::from_millis)
}
